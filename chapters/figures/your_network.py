"""What the chapter on a network of one's own draws."""

from . import drawing, label


@drawing(width=4.8, height=3.4)
def factors(ax, color, curves):
    """Numbers of a network over the factor of its first layer, relative to factor 1. `curves` is a
    list of three (name, curve (n, 2)).
    """
    looks = [(color.twin, "--", 2.2), (color.third, ":", 2.6), (color.theta, "-", 2.6)]
    places = [((-10, 0), "right"), ((-22, -52), "left"), ((0, -18), "right")]
    for (name, curve), (ink, dash, width), (shift, side) in zip(curves, looks, places, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=name)
        label(ax, name, curve[-1], shift, ink, ha=side)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="factor of the first layer",
        ylabel="value, relative to factor 1",
    )
    ax.margins(y=0.14)
    ax.minorticks_off()
