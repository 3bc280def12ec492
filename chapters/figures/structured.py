"""What the chapter on the Hessian by matrix products draws."""

import numpy as np

from . import drawing, label


@drawing(width=5.6, height=3.0, panels=(1, 2))
def parts(axes, color, gauss_newton, residual, sizes, rows, names):
    """The sizes of the entries of two matrices, layer by layer, with the rows of one unit marked.

    `sizes` are the layers' numbers of parameters, `rows` the indices of the unit's rows. Zeros are
    gray.
    """
    top = max(gauss_newton.max(), residual.max())
    ends = np.cumsum(sizes)
    middles = ends - (np.array(sizes) + 1) / 2
    layers = [rf"$\theta_{k}$" for k in range(1, len(sizes) + 1)]
    beside = np.full(len(rows), -1.2)
    arrows = {"color": color.twin, "markersize": 5, "clip_on": False}
    for ax, matrix, name in zip(axes, (gauss_newton, residual), names, strict=True):
        shown = np.ma.masked_equal(np.sqrt(matrix / top), 0)
        ax.imshow(shown, vmin=0, vmax=1, interpolation="nearest", gid=name)
        ax.set_facecolor(color.faint)  # what is masked, the zeros
        for k, edge in enumerate(ends[:-1] - 0.5, start=1):
            ax.axhline(edge, color=color.ink, linewidth=1, gid=f"{name} row {k}")
            ax.axvline(edge, color=color.ink, linewidth=1, gid=f"{name} column {k}")
        ax.plot(beside, rows, ">", gid=f"{name} rows", **arrows)
        ax.set_xticks(middles, layers)
        ax.set_yticks(middles, layers)
        ax.set_xlim(-0.5, len(matrix) - 0.5)
        ax.tick_params(length=0, pad=8)
        ax.set_xlabel(name)
        ax.spines[:].set_visible(False)


@drawing(width=4.8, height=2.6)
def work(ax, color, rows):
    """Multiplications by what is left out. `rows` is a list of (name, number); the first is 1."""
    heights = np.arange(len(rows))[::-1]
    shares = [share for _, share in rows]
    ax.barh(heights, shares, height=0.5, color=color.faint, gid="bars")
    ax.plot(shares, heights, "o", color=color.theta, gid="work")
    for y, (name, share) in zip(heights, rows, strict=True):
        label(ax, f"{share:.2f}", (share, y), (8, 0), color.theta, va="center")
        label(ax, name, (0, y + 0.3), (2, 0), color.ink, va="bottom")
    ax.set(yticks=[], ylim=(-0.5, len(rows)), xlim=(0, 1.15))
    ax.set_xlabel(r"multiplications, as a part of $Nn^2$")
    ax.spines["left"].set_visible(False)
