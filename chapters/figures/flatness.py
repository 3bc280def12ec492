"""What the chapter on volume flatness draws."""

import numpy as np

from . import drawing


@drawing(width=4.8, height=4.8)
def boxes(ax, color, edges, outlines, top):
    """Boxes T_alpha(B) around a hyperbola and the two `edges` of their union C', curves (n, 2).
    `outlines`: (label, (5, 2)) each.
    """
    low, high = edges
    ax.fill_between(
        high[:, 0],
        np.interp(high[:, 0], *low.T),
        high[:, 1],
        color=color.theta,
        alpha=0.15,
        linewidth=0,
    )
    for name, edge in zip(("inner edge", "outer edge"), edges, strict=True):
        ax.plot(*edge.T, color=color.faint, linewidth=1.0, linestyle="--", gid=name)
    for label, outline in outlines:
        own = label == "1"
        ink = color.theta if own else color.twin
        ax.fill(*outline.T, color=ink, alpha=0.35, linewidth=0)
        ax.plot(*outline.T, color=ink, linewidth=2.6 if own else 1.4, gid=f"box {label}")
        text = r"$B_\infty(r,\theta)$" if own else rf"$T_{{{label}}}$"
        ax.annotate(
            text, outline[2], xytext=(4, 3), textcoords="offset points", color=ink, fontsize=13
        )
        if own:
            ax.annotate(
                r"$\mathcal{C}'$",
                outline[3],
                xytext=(0, 9),
                textcoords="offset points",
                color=color.theta,
                fontsize=13,
            )
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal", xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
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
    ax.annotate(
        "cells equal in $\\log\\theta$",
        log_grid[-2],
        xytext=(-8, 4),
        textcoords="offset points",
        color=color.theta,
        ha="right",
        va="bottom",
    )
    ax.annotate(
        "cells equal in $\\theta$",
        linear_grid[-2],
        xytext=(10, 0),
        textcoords="offset points",
        color=color.twin,
        va="center",
    )
    ax.set(
        xscale="log",
        xlabel="window $R$",
        ylabel="area of $C$ in the window",
        ylim=(0, 1.1 * law[-1, 1]),
    )
    ax.minorticks_off()


@drawing(width=5.6, height=3.2, panels=(1, 2))
def orbit(axes, color, volumes, masses, start):
    """log10 of the volume and of the prior mass of a box's images over alpha, (n, 2) each; `start`
    the two values at alpha = 1.
    """
    for ax, curve, value, name in zip(
        axes, (volumes, masses), start, ("volume", "mass"), strict=True
    ):
        ax.plot(*curve.T, color=color.twin, gid=name)
        ax.plot([1], [value], "o", color=color.theta, gid=f"{name} at theta")
        ax.set_xscale("log", base=2)
        ax.set_xlabel(r"$\alpha$")
        ax.minorticks_off()
        ax.locator_params(axis="y", nbins=5)
    left, right = axes
    left.axhline(0, color=color.faint, linewidth=1, linestyle="--")
    left.annotate(
        "volume 1", (volumes[0, 0], 0), xytext=(0, 4), textcoords="offset points", color=color.faint
    )
    left.annotate(
        r"$\theta$",
        (1, start[0]),
        xytext=(8, -4),
        textcoords="offset points",
        color=color.theta,
        va="top",
        fontsize=13,
    )
    right.annotate(
        r"$\theta$",
        (1, start[1]),
        xytext=(0, 7),
        textcoords="offset points",
        color=color.theta,
        ha="center",
        fontsize=13,
    )
    left.set_ylabel(r"$\log_{10}$ of the volume")
    right.set_ylabel(r"$\log_{10}$ of the prior mass")
    right.set_ylim(None, masses[:, 1].max() + 0.12 * np.ptp(masses[:, 1]))


@drawing(width=5.6, height=3.2, panels=(1, 2))
def ranks(axes, color, right_area, left_area, right_mass, left_mass):
    """Area and prior mass of two valleys over the size of the window, (n, 2) each."""
    for ax, pair, name in zip(
        axes, ((right_area, left_area), (right_mass, left_mass)), ("area", "mass"), strict=True
    ):
        for curve, side, ink, dash in zip(
            pair, ("right", "left"), (color.theta, color.twin), ("-", "--"), strict=True
        ):
            ax.plot(*curve.T, color=ink, linestyle=dash, gid=f"{side} {name}")
        ax.set(
            xscale="log",
            xlabel="window $R$",
            ylim=(0, 1.15 * max(curve[:, 1].max() for curve in pair)),
        )
        ax.minorticks_off()
        ax.locator_params(axis="y", nbins=4)
    middle = len(right_area) // 2
    axes[0].annotate(
        "left\nminimum",
        left_area[middle],
        xytext=(-6, 4),
        textcoords="offset points",
        color=color.twin,
        ha="right",
        va="bottom",
    )
    axes[0].annotate(
        "right\nminimum",
        right_area[middle],
        xytext=(8, -6),
        textcoords="offset points",
        color=color.theta,
        va="top",
    )
    axes[1].annotate(
        "right",
        right_mass[-1],
        xytext=(0, 4),
        textcoords="offset points",
        color=color.theta,
        ha="right",
    )
    axes[1].annotate(
        "left",
        left_mass[-1],
        xytext=(0, -5),
        textcoords="offset points",
        color=color.twin,
        ha="right",
        va="top",
    )
    axes[0].set_ylabel("area in the window")
    axes[1].set_ylabel("prior mass in the window")
