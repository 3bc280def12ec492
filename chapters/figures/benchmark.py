"""The drawing of the page on the benchmark."""

import numpy as np

from . import drawing
from . import label as write

LEAST = 0.42  # of a decade, between two labels


@drawing(width=5.6, height=3.6, panels=(1, 2))
def hessian_times(axes, color, panels):
    """Seconds over the number of parameters.

    `panels` is a list of two (name, limit, curves): the limit (n, 2) of matrix products, and up to
    four (label, points) with points (n, 2), the first one the book's own.
    """
    styles = [
        (color.theta, "-", "o"),
        (color.twin, "--", "s"),
        (color.third, "-.", "^"),
        (color.ink, ":", "D"),
    ]
    for ax, (name, limit, curves) in zip(axes, panels, strict=True):
        ax.plot(*np.transpose(limit), color=color.faint, linewidth=1, gid=f"{name}: limit")
        labels = [("matrix products", limit, color.faint)]
        for (label, points), (ink, dash, marker) in zip(curves, styles, strict=False):
            ax.plot(
                *np.transpose(points),
                color=ink,
                linestyle=dash,
                marker=marker,
                markersize=4,
                gid=f"{name}: {label}",
            )
            labels.append((label, points, ink))
        ax.set(xscale="log", yscale="log", xlabel="parameters $n$")
        ax.annotate(name, (0.03, 1), xycoords="axes fraction", va="top", fontweight="bold")
        ax.minorticks_off()
    axes[1].sharey(axes[0])
    axes[1].tick_params(labelleft=False)
    axes[0].set_ylabel("seconds")
    # Downwards, since above the top there is no room.
    labels.sort(key=lambda entry: -entry[1][-1][1])
    height = np.inf
    for label, points, ink in labels:
        height = min(height - LEAST, np.log10(points[-1][1]))
        axes[1].annotate(
            label,
            (points[-1][0], 10**height),
            xytext=(8, 0),
            textcoords="offset points",
            color=ink,
            va="center",
        )


@drawing(width=5.2, height=3.2)
def spectral_density(ax, color, points, exact, estimate):
    """Two densities over the `points` (p,): `exact` from all eigenvalues, and an `estimate` from
    products, (p,) each, NaN in a gap.
    """
    ax.plot(points, exact, color=color.theta, linewidth=4.5, gid="exact")
    ax.plot(points, estimate, color=color.twin, linestyle="--", gid="estimate")
    ax.set(yscale="log", xlabel=r"eigenvalue $\lambda$", ylabel="density")
    ax.minorticks_off()
    top = int(np.nanargmax(exact))
    write(ax, "all eigenvalues", (points[top], exact[top]), (16, -2), color.theta)
    write(ax, "estimate from products", (points[top], exact[top]), (16, -18), color.twin)
