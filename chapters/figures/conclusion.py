"""What the conclusion draws."""

import numpy as np

from . import drawing, label


@drawing(width=5.6, height=3.2, panels=(1, 2))
def descent(axes, color, panels):
    """Losses over steps from three twins. `panels` is a list of two (name, [(label, losses)]),
    theta itself second.
    """
    styles = [(color.twin, "--", 1.5), (color.theta, "-", 3.5), (color.third, ":", 2)]
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (twin, losses), (ink, dash, width) in zip(curves, styles, strict=True):
            steps = np.arange(len(losses))
            look = {"color": ink, "linestyle": dash, "linewidth": width}
            ax.plot(steps, losses, **look, gid=f"{name} {twin}")
        ax.set(yscale="log", xlabel="step", xlim=(0, len(losses) - 1), ylim=(0.05, 30))
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", fontweight="bold")
        ax.minorticks_off()
    axes[0].set_ylabel("training loss")
    (_, apart), (_, together) = panels
    places = [(5, "bottom"), (-6, "top"), (6, "bottom")]
    for (twin, losses), (ink, *_), (lift, side) in zip(apart, styles, places, strict=True):
        end = (len(losses) - 1, losses[-1])
        label(axes[0], twin, end, (-2, lift), ink, ha="right", va=side)
    for (twin, losses), (ink, *_), height in zip(together, styles, (0.5, 0.28, 0.155), strict=True):
        place = (len(losses) - 1, height)
        axes[1].annotate(twin, place, color=ink, ha="right", va="center")


@drawing(width=4.8, height=3.8)
def stability(ax, color, alphas, rates, logs, thresholds, ceiling):
    """log10 of the loss after some steps over that before, (rates, alphas), where it shrank;
    2/lambda_max over alpha, and its ceiling.
    """
    shown = np.ma.masked_greater_equal(logs, 0)
    x, y = np.log(alphas), np.log(rates)
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    side = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    top = np.log(ceiling)
    image = ax.imshow(
        shown, extent=side, origin="lower", aspect="auto", interpolation="nearest", gid="shrinking"
    )
    ax.plot(x, np.log(thresholds), color=color.twin, gid="threshold")
    ax.axhline(top, color=color.faint, linestyle="--", linewidth=1.2, gid="ceiling")
    label(ax, r"$2/\lambda_{\max}$", (x[-8], np.log(thresholds[-8])), (10, 4), color.twin)
    label(ax, "no twin is stable above", (side[0], top), (4, 4), color.faint)
    highest = np.log(2 * ceiling)
    ax.set(xlabel=r"$\alpha$", ylabel=r"step size $\eta$", xlim=side[:2], ylim=(side[2], highest))
    ax.set_xticks(x[::4], [f"{a:g}" for a in alphas[::4]])
    tens = [r for r in (1e-3, 1e-2, 1e-1, 1) if side[2] <= np.log(r) <= highest]
    ax.set_yticks(np.log(tens), [f"{r:g}" for r in tens])
    bar = ax.figure.colorbar(image, ax=ax, label=r"$\log_{10}$ of the loss, after over before")
    bar.outline.set_visible(False)
