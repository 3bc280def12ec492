"""What the conclusion draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=3.2, panels=(1, 2))
def descent(axes, color, panels):
    """Losses over steps from three twins. `panels` is a list of two (name, [(label, losses)]),
    theta itself second.
    """
    styles = [(color.twin, "--", 1.5), (color.theta, "-", 3.5), (color.third, ":", 2)]
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (label, losses), (ink, dash, width) in zip(curves, styles, strict=True):
            ax.plot(
                np.arange(len(losses)),
                losses,
                color=ink,
                linestyle=dash,
                linewidth=width,
                gid=f"{name} {label}",
            )
        ax.set(yscale="log", xlabel="step", xlim=(0, len(losses) - 1), ylim=(0.05, 30))
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", fontweight="bold")
        ax.minorticks_off()
    first, last = panels[0][1], panels[1][1]
    for (label, losses), (ink, _, _), lift in zip(first, styles, (5, -6, 6), strict=True):
        ax_end = (len(losses) - 1, losses[-1])
        axes[0].annotate(
            label,
            ax_end,
            xytext=(-2, lift),
            textcoords="offset points",
            color=ink,
            ha="right",
            va="bottom" if lift > 0 else "top",
        )
    for (label, losses), (ink, _, _), height in zip(last, styles, (0.5, 0.28, 0.155), strict=True):
        axes[1].annotate(label, (len(losses) - 1, height), color=ink, ha="right", va="center")
    axes[0].set_ylabel("training loss")


@drawing(width=4.8, height=3.8)
def stability(ax, color, alphas, rates, logs, thresholds, ceiling):
    """log10 of the loss after some steps over that before, (rates, alphas), where it shrank;
    2/lambda_max over alpha, and its ceiling.
    """
    shown = np.ma.masked_greater_equal(logs, 0)
    half_a, half_r = np.log(alphas[1] / alphas[0]) / 2, np.log(rates[1] / rates[0]) / 2
    side = (
        np.log(alphas[0]) - half_a,
        np.log(alphas[-1]) + half_a,
        np.log(rates[0]) - half_r,
        np.log(rates[-1]) + half_r,
    )
    image = ax.imshow(
        shown, extent=side, origin="lower", aspect="auto", interpolation="nearest", gid="shrinking"
    )
    ax.plot(np.log(alphas), np.log(thresholds), color=color.twin, gid="threshold")
    ax.axhline(np.log(ceiling), color=color.faint, linestyle="--", linewidth=1.2, gid="ceiling")
    ax.annotate(
        r"$2/\lambda_{\max}$",
        (np.log(alphas[-8]), np.log(thresholds[-8])),
        xytext=(10, 4),
        textcoords="offset points",
        color=color.twin,
    )
    ax.annotate(
        "no twin is stable above",
        (side[0], np.log(ceiling)),
        xytext=(4, 4),
        textcoords="offset points",
        color=color.faint,
    )
    ax.set(
        xlabel=r"$\alpha$",
        ylabel=r"step size $\eta$",
        xlim=side[:2],
        ylim=(side[2], np.log(2 * ceiling)),
    )
    ax.set_xticks(np.log(alphas[::4]), [f"{a:g}" for a in alphas[::4]])
    tens = [r for r in (1e-3, 1e-2, 1e-1, 1) if side[2] <= np.log(r) <= np.log(2 * ceiling)]
    ax.set_yticks(np.log(tens), [f"{r:g}" for r in tens])
    bar = ax.figure.colorbar(image, ax=ax, label=r"$\log_{10}$ of the loss, after over before")
    bar.outline.set_visible(False)
