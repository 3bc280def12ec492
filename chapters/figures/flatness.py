"""What the chapter on volume flatness draws."""

import numpy as np

from . import drawing, label


@drawing(width=4.8, height=4.8)
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
            ink, width, text = color.theta, 2.6, r"$B_\infty(r,\theta)$"
            label(ax, r"$\mathcal{C}'$", outline[3], (0, 9), ink, fontsize=13)
        else:
            ink, width, text = color.twin, 1.4, rf"$T_{{{alpha}}}$"
        ax.fill(*outline.T, color=ink, alpha=0.35, linewidth=0, gid=f"inside {alpha}")
        ax.plot(*outline.T, color=ink, linewidth=width, gid=f"box {alpha}")
        label(ax, text, outline[2], (4, 3), ink, fontsize=13)
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ax.set_aspect("equal")
    ax.set_xlabel(r"$\theta_1$")
    ax.set_ylabel(r"$\theta_2$")
    ax.set_xticks(range(int(top) + 1))
    ax.set_yticks(range(int(top) + 1))


@drawing(width=4.8, height=3.4)
def growth(ax, color, law, log_grid, linear_grid):
    """The area of C over the size R of the window, (n, 2) each: by formula, on a logarithmic grid
    and on an ordinary one.
    """
    ax.plot(*law.T, color=color.ink, linewidth=1.2, gid="law")
    ax.plot(*log_grid.T, "o", color=color.theta, markersize=6, gid="log")
    ax.plot(*linear_grid.T, "x", color=color.twin, markersize=7, markeredgewidth=1.8, gid="linear")
    text = "cells equal in $\\log\\theta$"
    label(ax, text, log_grid[-2], (-8, 4), color.theta, ha="right", va="bottom")
    label(ax, "cells equal in $\\theta$", linear_grid[-2], (10, 0), color.twin, va="center")
    ax.set_xscale("log")
    ax.set_ylim(0, 1.1 * law[-1, 1])
    ax.set_xlabel("window $R$")
    ax.set_ylabel("area of $C$ in the window")
    ax.minorticks_off()


@drawing(width=5.6, height=3.2, panels=(1, 2))
def orbit(axes, color, volumes, masses, start):
    """log10 of the volume and of the prior mass of a box's images over alpha, (n, 2) each; `start`
    the two values at alpha = 1.
    """
    curves = {"volume": volumes, "mass": masses}
    for ax, (name, curve), value in zip(axes, curves.items(), start, strict=True):
        ax.plot(*curve.T, color=color.twin, gid=name)
        ax.plot([1], [value], "o", color=color.theta, gid=f"{name} at theta")
        ax.set_xscale("log", base=2)
        ax.set_xlabel(r"$\alpha$")
        ax.minorticks_off()
        ax.locator_params(axis="y", nbins=5)
    left, right = axes
    left.axhline(0, color=color.faint, linewidth=1, linestyle="--", gid="one")
    label(left, "volume 1", (volumes[0, 0], 0), (0, 4), color.faint)
    label(left, r"$\theta$", (1, start[0]), (8, -4), color.theta, va="top", fontsize=13)
    label(right, r"$\theta$", (1, start[1]), (0, 7), color.theta, ha="center", fontsize=13)
    left.set_ylabel(r"$\log_{10}$ of the volume")
    right.set_ylabel(r"$\log_{10}$ of the prior mass")
    right.set_ylim(None, masses[:, 1].max() + 0.12 * np.ptp(masses[:, 1]))


@drawing(width=5.6, height=3.2, panels=(1, 2))
def ranks(axes, color, right_area, left_area, right_mass, left_mass):
    """Area and prior mass of two valleys over the size of the window, (n, 2) each."""
    panels = {"area": (right_area, left_area), "mass": (right_mass, left_mass)}
    for ax, (name, (right, left)) in zip(axes, panels.items(), strict=True):
        ax.plot(*right.T, color=color.theta, gid=f"right {name}")
        ax.plot(*left.T, color=color.twin, linestyle="--", gid=f"left {name}")
        ax.set_xscale("log")
        ax.set_ylim(0, 1.15 * max(right[:, 1].max(), left[:, 1].max()))
        ax.set_xlabel("window $R$")
        ax.minorticks_off()
        ax.locator_params(axis="y", nbins=4)
    areas, masses = axes
    middle = len(right_area) // 2
    place = left_area[middle]
    label(areas, "left\nminimum", place, (-6, 4), color.twin, ha="right", va="bottom")
    label(areas, "right\nminimum", right_area[middle], (8, -6), color.theta, va="top")
    label(masses, "right", right_mass[-1], (0, 4), color.theta, ha="right")
    label(masses, "left", left_mass[-1], (0, -5), color.twin, ha="right", va="top")
    areas.set_ylabel("area in the window")
    masses.set_ylabel("prior mass in the window")
