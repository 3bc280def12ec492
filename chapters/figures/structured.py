"""What the chapter on the Hessian by matrix products draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=3.0, panels=(1, 2))
def parts(axes, color, gauss_newton, residual, sizes, rows, names):
    """The sizes of the entries of two matrices, layer by layer, with the rows of one unit marked.

    `sizes` are the layers' numbers of parameters, `rows` the indices of the unit's rows. Zeros are
    blank.
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
