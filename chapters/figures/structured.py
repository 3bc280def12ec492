"""What the chapter on the Hessian by matrix products draws."""

import numpy as np

from . import drawing, make_casing, make_shades


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
    casing = make_casing(color, 3)
    border = {"color": color.ink, "linewidth": 1.2, "path_effects": casing}
    arrows = {"color": color.twin, "markersize": 5, "clip_on": False}
    for ax, matrix, name in zip(axes, (gauss_newton, residual), names, strict=True):
        shown = np.ma.masked_equal(np.sqrt(matrix / top), 0)
        shades = {"cmap": make_shades(color), "vmin": 0, "vmax": 1}
        ax.imshow(shown, interpolation="nearest", gid=name, **shades)
        for k, edge in enumerate(ends[:-1] - 0.5, start=1):
            ax.axhline(edge, gid=f"{name} row {k}", **border)
            ax.axvline(edge, gid=f"{name} column {k}", **border)
        ax.plot(beside, rows, ">", gid=f"{name} rows", **arrows)
        ax.set_xticks(middles, layers)
        ax.set_yticks(middles, layers)
        ax.set_xlim(-0.5, len(matrix) - 0.5)
        ax.tick_params(length=0, pad=8)
        ax.set_xlabel(name)
        ax.spines[:].set_visible(False)
