"""What the chapter on Hessians draws."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

from . import drawing, label, make_factors


@drawing(width=4.8, height=2.6)
def ellipses(ax, color, curves, tips):
    """Ellipses of equal loss around a minimum. `curves` is a list of three (name, points (n, 2)),
    the first one at theta; `tips` (2, 2) are the ends of its half-axes, the shorter one first.
    """
    for tip, name in zip(tips, ("sharpest", "flattest"), strict=True):
        ax.plot([0, tip[0]], [0, tip[1]], color=color.theta, linewidth=1, gid=name)
    short, long = (r"$\propto1/\sqrt{\lambda_1}$", r"$\propto1/\sqrt{\lambda_2}$")
    label(ax, short, tips[0], (3, 5), color.theta)
    label(ax, long, tips[1], (-3, 5), color.theta, ha="right")
    styles = [(color.theta, "-"), (color.twin, "--"), (color.twin, "-")]
    for (name, points), (ink, dash) in zip(curves, styles, strict=True):
        ax.plot(*points.T, color=ink, linestyle=dash, gid=name)
    (here, points), (near, near_points), (far, far_points) = curves
    low = points[points[:, 1].argmin()]
    label(ax, here, low, (0, -4), color.theta, ha="center", va="top")
    below = near_points[(near_points @ [0.3, -1]).argmax()]
    label(ax, near, below, (2, -4), color.twin, va="top")
    right = far_points[(far_points @ [0.1, 1]).argmax()]
    label(ax, far, right, (0, 4), color.twin, ha="left")
    ax.plot([0], [0], "o", color=color.ink, markersize=3, gid="minimum")
    ax.set_aspect("equal")
    ax.margins(x=0.05, y=0.28)
    ax.set_xlabel(r"step in a weight of $\theta_2$")
    ax.set_ylabel(r"step in a weight of $\theta_1$")
    ax.locator_params(axis="y", nbins=3)


@drawing(width=4.8, height=2.8)
def spectra(ax, color, curves):
    """Eigenvalues, largest first. `curves` is a list of three (name, eigenvalues), the first one
    theta's own.
    """
    styles = [(color.theta, "-"), (color.twin, "--"), (color.twin, "-")]
    for (name, values), (ink, dash) in zip(curves, styles, strict=True):
        index = np.arange(1, len(values) + 1)
        ax.plot(index, values, color=ink, linestyle=dash, gid=name)
        label(ax, name, (index[-1], values[-1]), (5, 0), ink, va="center", fontsize="large")
    ax.set_yscale("log")
    ax.set_xlim(0, len(values))
    ax.set_xlabel("index $i$")
    ax.set_ylabel(r"eigenvalue $\lambda_i$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()


@drawing(width=5.6, height=3.0, panels=(1, 2))
def blocks(axes, color, before, ratios, n_first, labels, words):
    """|H| before scaling on a logarithmic scale, and the `ratios` of what is there after, blank
    where an entry is zero. Entries of the first `n_first` parameters stand above the line; `words`
    (2, 2) name the factor of each block.
    """
    middles = [(n_first - 1) / 2, (n_first + len(before) - 1) / 2]
    layers = [r"$\theta_1$", r"$\theta_2$"]
    lowest = before[before > 0].min()
    norms = [
        LogNorm(10.0 ** np.floor(np.log10(lowest)), before.max()),
        LogNorm(1 / np.nanmax(ratios), np.nanmax(ratios)),
    ]
    maps = [None, make_factors(color)]
    matrices = [np.where(before == 0, np.nan, before), ratios]
    for ax, matrix, name, norm, cmap in zip(axes, matrices, labels, norms, maps, strict=True):
        shown = np.ma.masked_invalid(matrix)
        ax.imshow(shown, norm=norm, cmap=cmap, interpolation="nearest", gid=name)
        ax.axhline(n_first - 0.5, color=color.ink, linewidth=1.5, gid="across")
        ax.axvline(n_first - 0.5, color=color.ink, linewidth=1.5, gid="down")
        ax.set_xticks(middles, layers, fontsize="large")
        ax.set_yticks(middles, layers, fontsize="large")
        ax.tick_params(length=0)
        ax.set_xlabel(name)
        ax.spines[:].set_visible(False)
    for row, y in zip(words, middles, strict=True):
        for word, x in zip(row, middles, strict=True):
            box = {"facecolor": color.paper, "edgecolor": "none", "pad": 2.5}
            axes[1].text(x, y, word, ha="center", va="center", fontsize="large", bbox=box)
