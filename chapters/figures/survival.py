"""What the chapter on why measures survive draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=3.2, panels=(1, 2))
def collapse(axes, color, panels):
    """Eigenvalues, largest first. `panels` is a list of (name, [(label, eigenvalues), ...]), the
    same three networks in each.
    """
    looks = [(color.theta, "-", 3.4), (color.twin, "--", 1.8), (color.third, ":", 1.8)]
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (network, values), (ink, dash, width) in zip(curves, looks, strict=True):
            index = np.arange(1, len(values) + 1)
            look = {"color": ink, "linestyle": dash, "linewidth": width}
            ax.plot(index, values, **look, gid=f"{name}: {network}")
        ax.set(yscale="log", xlabel="index $i$", ylim=(10**-5.5, 10**2.5))
        ax.set_yticks(10.0 ** np.arange(-5, 3))
        _write_inside(ax, name, (0.97, 0.97), ha="right", va="top", fontweight="bold")
        ax.minorticks_off()
        ax.locator_params(axis="x", nbins=5)
    left, right = axes
    _, curves = panels[1]
    for (network, _), (ink, *_), height in zip(curves, looks, (0.34, 0.24, 0.14), strict=True):
        _write_inside(right, network, (0.05, height), color=ink, va="center")
    right.tick_params(labelleft=False)
    left.set_ylabel("eigenvalue")


def _write_inside(ax, text, place, **more):
    """Write `text` at a place in the axes, given in parts of their width and height."""
    ax.annotate(text, place, xycoords="axes fraction", **more)
