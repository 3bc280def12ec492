"""What the chapter on a proved box draws."""

from . import drawing, label


@drawing(width=4.6, height=2.4)
def orbit(ax, color, volumes, masses, start):
    """log10 of the volume and of the prior mass of a box's images over alpha, (n, 2) each; `start`
    the two values at alpha = 1.
    """
    looks = {"volume": (volumes, color.twin, "-"), "prior mass": (masses, color.third, "--")}
    for (name, (curve, ink, dash)), value in zip(looks.items(), start, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, gid=name)
        ax.plot([1], [value], "o", color=color.theta, gid=f"{name} at theta")
        label(ax, name, curve[-1], (5, 0), ink, va="center")
    label(ax, r"$\theta$", (1, start[1]), (0, -8), color.theta, ha="center", va="top", fontsize=13)
    ax.set_xscale("log", base=2)
    ax.set_xlim(volumes[0, 0], 3.2 * volumes[-1, 0])
    ax.set_xlabel(r"$\alpha$")
    ax.set_ylabel("logarithm to base 10")
    ax.minorticks_off()
    ax.locator_params(axis="y", nbins=5)
