"""What the chapter on the number of directions that rise draws."""

import numpy as np

from . import drawing, label


@drawing(width=5.6, height=2.9, panels=(1, 2))
def raised(axes, color, betas, counts, lines, rows):
    """Left, the number of eigenvalues above M over beta, with the `lines` (name, count). Right, for
    each of the `rows` (name, paper, sharpened, layers, units) these counts, as shares of the rank.
    """
    left, right = axes
    left.step(betas, counts, where="post", color=color.twin, gid="counts")
    dashes = [":", "--", "-"]
    for (name, count), dash in zip(lines, dashes, strict=True):
        left.axhline(count, color=color.faint, linewidth=1, linestyle=dash, gid=f"{name} line")
        label(left, name, (betas[0], count), (2, 3), color.faint)
    left.set_xscale("log")
    left.set_ylim(0, 1.14 * lines[-1][1])
    left.locator_params(axis="y", integer=True, nbins=5)
    left.set_xlabel(r"$\beta$")
    left.set_ylabel("eigenvalues above $M$")
    left.minorticks_off()
    names, *shares = zip(*rows, strict=True)
    places = np.arange(len(names))[::-1]
    looks = {
        "paper": {"marker": "s", "color": color.ink, "markersize": 4},
        "sharpened": {"marker": "D", "color": color.theta, "markersize": 7, "fillstyle": "none"},
        "by layers": {"marker": "o", "color": color.twin, "markersize": 4},
        "by units": {"marker": "x", "color": color.third, "markersize": 7},
    }
    for (name, look), share in zip(looks.items(), shares, strict=True):
        right.plot(share, places, linestyle="none", label=name, gid=name, **look)
    right.set_yticks(places, names)
    right.set_xlim(0.4, 1.04)
    right.set_xlabel("share of the rank")
    right.set_ylim(-0.5, len(names) + 0.6)
    tight = {"handletextpad": 0.1, "columnspacing": 0.5, "borderpad": 0}
    right.legend(loc="upper left", ncols=2, frameon=False, **tight)
