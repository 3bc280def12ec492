"""What the chapter on invariance draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=4.2, panels=(1, 2))
def orbits(axes, color, panels):
    """Measures over the factor of a scaling, relative to factor 1. `panels` is a list of (axis
    label, [(name, curve (n, 2)), ...]).
    """
    # The last is drawn below the others: on the left it has company on its line.
    looks = [
        (color.ink, "-", 1.6, 2),
        (color.third, "-.", 2.2, 3),
        (color.twin, "--", 1.8, 2),
        (color.theta, "-", 3.8, 1),
    ]
    for ax, (factor, curves) in zip(axes, panels, strict=True):
        for (name, curve), (ink, dash, width, above) in zip(curves, looks, strict=True):
            look = {"color": ink, "linestyle": dash, "linewidth": width, "zorder": above}
            ax.plot(*curve.T, **look, gid=f"{factor}: {name}")
        ax.set(xscale="log", yscale="log", xlabel=factor, ylim=(0.1, 10**6.5))
        ax.set_xticks(10.0 ** np.arange(-2, 3, 2))
        ax.minorticks_off()
    left, right = axes
    places = [(left, 0.98, "top"), (right, 0.98, "top"), (left, 0.9, "top"), (left, 0.05, "bottom")]
    _, curves = panels[0]
    for (name, _), (ink, *_), (ax, height, side) in zip(curves, looks, places, strict=True):
        _write_inside(ax, name, (0.5, height), color=ink, ha="center", va=side, fontsize=11)
    right.sharey(left)
    right.tick_params(labelleft=False)
    left.set_ylabel("value, relative to factor 1")


def _write_inside(ax, text, place, **more):
    """Write `text` at a place in the axes, given in parts of their width and height."""
    ax.annotate(text, place, xycoords="axes fraction", **more)
