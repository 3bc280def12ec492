"""What the chapter on volume flatness draws."""

import numpy as np

from . import drawing, label


@drawing(width=4.4, height=4.0)
def boxes(ax, color, edges, outlines, top):
    """Boxes T_alpha(B) around a hyperbola and the two `edges` of their union C', curves (n, 2).
    `outlines`: (alpha, (5, 2)) each.
    """
    low, high = edges
    bottom = np.interp(high[:, 0], *low.T)
    shade = {"color": color.theta, "alpha": 0.15, "linewidth": 0}
    ax.fill_between(high[:, 0], bottom, high[:, 1], gid="tube", **shade)
    for name, edge in {"inner edge": low, "outer edge": high}.items():
        ax.plot(*edge.T, color=color.faint, linewidth=1.0, linestyle="--", gid=name)
    for alpha, outline in outlines:
        if alpha == "1":
            ink, width, text = color.theta, 2.6, r"$B$: area ¼"
            label(ax, r"$\mathcal{C}'$", outline[3], (0, 9), ink, fontsize=13)
        else:
            ink, width, text = color.twin, 1.4, rf"$T_{{{alpha}}}(B)$: area ¼"
        ax.fill(*outline.T, color=ink, alpha=0.35, linewidth=0, gid=f"inside {alpha}")
        ax.plot(*outline.T, color=ink, linewidth=width, gid=f"box {alpha}")
        x, y = outline[2]
        is_at_the_edge = x > 0.8 * top
        by = (0, 11) if is_at_the_edge else (4, 16 if y < 1 else 3)
        side = {"ha": "right"} if is_at_the_edge else {"ha": "left"}
        label(ax, text, (x, y), by, ink, fontsize=11, **side)
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ax.set_aspect("equal")
    ax.set_xlabel(r"$\theta_1$")
    ax.set_ylabel(r"$\theta_2$")
    ax.set_xticks(range(int(top) + 1))
    ax.set_yticks(range(int(top) + 1))


@drawing(width=5.6, height=2.5, panels=(1, 2))
def growth(axes, color, valley, cells, law, log_grid, linear_grid):
    """The valley `(theta_1 (n,), inner edge, outer edge)` with the centers of the cells (m, 2) that
    an ordinary grid finds in it, and the area over the size R of the window, (n, 2) each: by
    formula, on a logarithmic grid and on an ordinary one.
    """
    plane, ax = axes
    shade = {"color": color.theta, "alpha": 0.25, "linewidth": 0}
    plane.fill_between(*valley, gid="valley", **shade)
    dots = {"markersize": 5, "markeredgewidth": 1.5, "color": color.twin, "gid": "cells"}
    plane.plot(*cells.T, "x", **dots)
    x, _, outer = valley
    end = (x[-1], outer[-1])
    label(plane, "$C$ goes on", end, (0, 8), color.theta, ha="right", va="bottom")
    label(plane, "cells found", cells[len(cells) // 2], (16, 34), color.twin)
    plane.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    plane.set(xlim=(0, x[-1]), ylim=(0, x[-1]))
    plane.locator_params(nbins=4)
    ax.plot(*law.T, color=color.ink, linewidth=1.2, gid="law")
    ax.plot(*log_grid.T, "o", color=color.theta, markersize=5, gid="log")
    ax.plot(*linear_grid.T, "x", color=color.twin, markersize=6, markeredgewidth=1.8, gid="linear")
    text = "cells equal\nin $\\log\\theta$"
    label(ax, text, log_grid[-3], (-12, 0), color.theta, ha="right", va="bottom")
    label(ax, "cells equal\nin $\\theta$", linear_grid[-2], (14, -6), color.twin, va="center")
    ax.set_xscale("log")
    ax.set_ylim(0, 1.1 * law[-1, 1])
    ax.set_xlabel("window $R$")
    ax.set_ylabel("area of $C$ in it")
    ax.locator_params(axis="y", nbins=4)
    ax.minorticks_off()


@drawing(width=5.2, height=2.3)
def valleys(ax, color, strips, minima):
    """Two valleys of one loss: `strips` are (theta_1 (n,), inner edge, outer edge), `minima` a
    parameter in each.
    """
    looks = zip(("A", "B"), (color.theta, color.twin), ("o", "D"), strict=True)
    for (name, ink, marker), strip, minimum in zip(looks, strips, minima, strict=True):
        ax.fill_between(*strip, color=ink, alpha=0.3, linewidth=0, gid=f"valley {name}")
        ax.plot(*minimum, marker, color=ink, markersize=7, gid=f"minimum {name}")
        label(ax, name, minimum, (9, 5), ink, fontsize=13)
    ax.axvline(0, color=color.faint, linewidth=1, linestyle="--", gid="ridge")
    label(ax, "loss ½", (0, 0), (4, 4), color.faint)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    ax.set(xlim=(-6, 6), ylim=(0, 5))


@drawing(width=5.6, height=2.5, panels=(1, 2))
def ranks(axes, color, area_a, area_b, mass_a, mass_b):
    """Area and prior mass of two valleys over the size of the window, (n, 2) each."""
    panels = {"area": (area_a, area_b), "mass": (mass_a, mass_b)}
    for ax, (name, (first, second)) in zip(axes, panels.items(), strict=True):
        ax.plot(*first.T, color=color.theta, gid=f"{name} of A")
        ax.plot(*second.T, color=color.twin, linestyle="--", gid=f"{name} of B")
        label(ax, "A", first[-1], (5, 0), color.theta, va="center", fontsize=13)
        label(ax, "B", second[-1], (5, 0), color.twin, va="center", fontsize=13)
        ax.set_xscale("log")
        ax.set_ylim(0, 1.15 * max(first[:, 1].max(), second[:, 1].max()))
        ax.set_xlabel("window $R$")
        ax.minorticks_off()
        ax.locator_params(axis="y", nbins=4)
    axes[0].set_ylabel("area in the window")
    axes[1].set_ylabel("prior mass in it")
