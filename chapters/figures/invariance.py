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
    for ax, (label, curves) in zip(axes, panels, strict=True):
        for (name, curve), (ink, dash, width, above) in zip(curves, looks, strict=True):
            ax.plot(
                *curve.T,
                color=ink,
                linestyle=dash,
                linewidth=width,
                zorder=above,
                gid=f"{label}: {name}",
            )
        ax.set(xscale="log", yscale="log", xlabel=label, ylim=(0.1, 10**6.5))
        ax.set_xticks(10.0 ** np.arange(-2, 3, 2))
        ax.minorticks_off()
    places = [
        (axes[0], 0.98, "top"),
        (axes[1], 0.98, "top"),
        (axes[0], 0.9, "top"),
        (axes[0], 0.05, "bottom"),
    ]
    for (name, _), (ink, *_), (ax, y, va) in zip(panels[0][1], looks, places, strict=True):
        ax.annotate(
            name, (0.5, y), xycoords="axes fraction", color=ink, ha="center", va=va, fontsize=10
        )
    axes[1].sharey(axes[0])
    axes[1].tick_params(labelleft=False)
    axes[0].set_ylabel("value, relative to factor 1")


@drawing(width=5.6, height=3.2, panels=(1, 2))
def collapse(axes, color, panels):
    """Eigenvalues, largest first. `panels` is a list of (name, [(label, eigenvalues), ...]), the
    same three networks in each.
    """
    looks = [(color.theta, "-", 3.4), (color.twin, "--", 1.8), (color.third, ":", 1.8)]
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (label, values), (ink, dash, width) in zip(curves, looks, strict=True):
            ax.plot(
                np.arange(1, len(values) + 1),
                values,
                color=ink,
                linestyle=dash,
                linewidth=width,
                gid=f"{name}: {label}",
            )
        ax.set(yscale="log", xlabel="index $i$", ylim=(10**-5.5, 10**2.5))
        ax.set_yticks(10.0 ** np.arange(-5, 3))
        ax.annotate(
            name, (0.97, 0.97), xycoords="axes fraction", ha="right", va="top", fontweight="bold"
        )
        ax.minorticks_off()
        ax.locator_params(axis="x", nbins=5)
    for (label, _), (ink, _, _), y in zip(panels[1][1], looks, (0.34, 0.24, 0.14), strict=True):
        axes[1].annotate(label, (0.05, y), xycoords="axes fraction", color=ink, va="center")
    axes[1].tick_params(labelleft=False)
    axes[0].set_ylabel("eigenvalue")
