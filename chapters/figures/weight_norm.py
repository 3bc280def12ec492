"""What the chapter on weight normalization draws."""

from matplotlib.ticker import LogLocator

from . import drawing, label


@drawing(width=4.8, height=3.1)
def flattening(ax, color, alphas, curves, kept):
    """Traces over alpha, and the trace that is `kept`. `curves` is a list of three (name, traces,
    index where the name stands).
    """
    looks = [
        (color.theta, "-", (-9, 4), "right"),
        (color.twin, "--", (0, 13), "left"),
        (color.third, "-.", (-9, -4), "right"),
    ]
    ax.axhline(kept, color=color.faint, linewidth=1, linestyle=":", gid="kept")
    for (name, traces, at), (ink, dash, by, side) in zip(curves, looks, strict=True):
        ax.plot(alphas, traces, color=ink, linestyle=dash, gid=name)
        label(ax, name, (alphas[at], traces[at]), by, ink, ha=side, va="center")
    ax.set(xscale="log", xlabel=r"$\alpha$", xlim=(alphas[0], alphas[-1]))
    ax.set(yscale="log", ylabel="trace of the Hessian")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()
