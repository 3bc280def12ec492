"""What the chapter on the Hessian by matrix products draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=3.0, panels=(1, 2))
def parts(axes, color, gauss_newton, residual, sizes, rows, labels):
    """The sizes of the entries of two matrices, layer by layer, with the rows of one unit marked.

    `sizes` are the layers' numbers of parameters, `rows` the indices of the unit's rows. Zeros are
    gray.
    """
    top = max(gauss_newton.max(), residual.max())
    middles = np.cumsum(sizes) - (np.array(sizes) + 1) / 2
    for ax, matrix, label in zip(axes, (gauss_newton, residual), labels, strict=True):
        ax.imshow(
            np.ma.masked_equal(np.sqrt(matrix / top), 0),
            vmin=0,
            vmax=1,
            interpolation="nearest",
            gid=label,
        )
        ax.set_facecolor(color.faint)  # what is masked, the zeros
        for edge in np.cumsum(sizes)[:-1] - 0.5:
            ax.axhline(edge, color=color.ink, linewidth=1)
            ax.axvline(edge, color=color.ink, linewidth=1)
        ax.plot(
            np.full(len(rows), -1.2),
            rows,
            ">",
            color=color.twin,
            markersize=5,
            clip_on=False,
            gid=f"{label} rows",
        )
        ax.set_xticks(middles, [rf"$\theta_{k}$" for k in range(1, len(sizes) + 1)])
        ax.set_yticks(middles, [rf"$\theta_{k}$" for k in range(1, len(sizes) + 1)])
        ax.set_xlim(-0.5, len(matrix) - 0.5)
        ax.tick_params(length=0, pad=8)
        ax.set_xlabel(label)
        ax.spines[:].set_visible(False)


@drawing(width=4.8, height=2.6)
def work(ax, color, rows):
    """Multiplications by what is left out. `rows` is a list of (label, number); the first is 1."""
    names, values = [label for label, _ in rows], [value for _, value in rows]
    height = np.arange(len(rows))[::-1]
    ax.barh(height, values, height=0.5, color=color.faint)
    ax.plot(values, height, "o", color=color.theta, gid="work")
    for y, name, value in zip(height, names, values, strict=True):
        ax.annotate(
            f"{value:.2f}",
            (value, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=color.theta,
        )
        ax.annotate(name, (0, y + 0.3), xytext=(2, 0), textcoords="offset points", va="bottom")
    ax.set(
        yticks=[],
        ylim=(-0.5, len(rows)),
        xlim=(0, 1.15),
        xlabel=r"multiplications, as a part of $Nn^2$",
    )
    ax.spines["left"].set_visible(False)
