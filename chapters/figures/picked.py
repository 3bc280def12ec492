"""What the chapter on the twins that training picks draws."""

from . import drawing, label


@drawing(width=4.8, height=2.8)
def drift(ax, color, rates, curves):
    """By how much the imbalance has changed, over step sizes. `curves` is a list of three (label,
    changes).
    """
    styles = [(color.twin, "--", "s"), (color.theta, "-", "o"), (color.third, ":", "^")]
    for (name, changes), (ink, dash, mark) in zip(curves, styles, strict=True):
        look = {"color": ink, "linestyle": dash, "marker": mark, "markersize": 4}
        ax.plot(rates, changes, **look, gid=name)
        label(ax, name, (rates[-1], changes[-1]), (7, 0), ink, va="center")
    ax.set(xscale="log", yscale="log", xlabel=r"step size $\eta$", ylabel="change of the imbalance")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.set_yticks([0.001, 0.01], ["0.001", "0.01"])
    ax.minorticks_off()


@drawing(width=5.6, height=2.6, panels=(1, 2))
def picked(axes, color, steps, starts, rules):
    """The imbalance over steps, a panel for each rule. `rules` is a list of two (name, curves,
    aim), with a curve for each of the three `starts`.
    """
    styles = [(color.theta, "-"), (color.twin, "--"), (color.third, ":")]
    for ax, (name, curves, aim) in zip(axes, rules, strict=True):
        ax.axhline(aim, color=color.ink, linestyle="--", linewidth=1, gid=f"{name}: aim")
        for start, values, (ink, dash) in zip(starts, curves, styles, strict=True):
            ax.plot(steps, values, color=ink, linestyle=dash, label=start, gid=f"{name}: {start}")
        ax.set(xlabel="step", xlim=(0, steps[-1]))
        ax.text(0.95, 0.9, name, transform=ax.transAxes, ha="right")
    axes[0].set_ylabel(r"imbalance $\Delta$")
    axes[0].legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.88))
