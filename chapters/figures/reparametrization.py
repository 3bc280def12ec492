"""What the chapter on reparametrization draws."""

import numpy as np
from matplotlib.ticker import LogLocator

from . import drawing, label


@drawing(width=4.8, height=5.2, panels=(3, 1))
def coordinates(axes, color, panels):
    """One loss in three coordinates. `panels` is a list of (name, curve (n, 2), grid points (m, 2),
    parabola (k, 2)).
    """
    symbols = (r"$\theta$", r"$\eta$", r"$\eta$")
    for ax, (name, curve, dots, parabola), symbol in zip(axes, panels, symbols, strict=True):
        ax.axvline(0, color=color.twin, linewidth=1.2, linestyle="--", gid=f"{name} line")
        ax.plot(*curve.T, color=color.ink, linewidth=1.4, gid=name)
        look = {"color": color.third, "linestyle": ":", "linewidth": 2.2}
        ax.plot(*parabola.T, **look, gid=f"{name} parabola")
        ax.plot(*dots.T, "o", markersize=4.5, color=color.theta, gid=f"{name} grid")
        top = 1.45 * curve[:, 1].max()
        ax.set(xlim=curve[[0, -1], 0], ylim=(-0.06 * top, top), yticks=[0], ylabel="loss")
        ax.set_xlabel(symbol, labelpad=0)
        ax.annotate(name, (0.01, 0.98), xycoords="axes fraction", va="top", fontweight="bold")
        ax.locator_params(axis="x", nbins=5)
    on_the_line = {"xycoords": ("data", "axes fraction"), "va": "top", "fontsize": 14}
    label(axes[0], r"$\hat\theta$", (0, 0.97), (4, 0), color.twin, **on_the_line)


@drawing(width=5.6, height=2.9, panels=(1, 2))
def radial(axes, color, profile, radii, lines):
    """psi over r, (n, 2), with radii (r_hat, rho, delta); and where a regular grid goes, `lines` =
    {region: (n, 2) with NaN between lines}.
    """
    left, right = axes
    r_hat, rho, delta = radii
    top = profile[-1, 0]
    left.plot([0, top], [0, top], color=color.faint, linestyle=":", linewidth=1.2, gid="diagonal")
    for name, r, moved in (("r hat", r_hat, rho), ("delta", delta, delta)):
        look = {"color": color.faint, "linestyle": "--", "linewidth": 1}
        left.plot([r, r, 0], [0, moved, moved], **look, gid=name)
    left.plot(*profile.T, color=color.ink, gid="psi")
    left.set(xlim=(0, top), ylim=(0, top), xlabel=r"$r$", ylabel=r"$\psi(r)$", aspect="equal")
    left.set_xticks([0, r_hat, delta], ["0", r"$\hat r$", r"$\delta$"])
    left.set_yticks([0, rho, delta], ["0", r"$\rho$", r"$\delta$"])
    looks = {
        "outside": (color.faint, 0.8),
        "between": (color.twin, 1.0),
        "inside": (color.theta, 2.2),
    }
    for region, points in lines.items():
        ink, width = looks[region]
        right.plot(*points.T, color=ink, linewidth=width, gid=region)
    right.set(aspect="equal", xlabel=r"$\eta_1$")
    right.set_ylabel(r"$\eta_2$", labelpad=10)
    right.set_xticks([0], [r"$\hat\theta$"])
    right.set_yticks([0], [r"$\hat\theta$"])


@drawing(width=4.8, height=3.0)
def ranking(ax, color, errors, series):
    """Largest curvatures of minima, one row for each of three (name, curvatures) in `series`. A
    minimum has the same mark in all rows, and its test error in percent at it in the last two.
    """
    looks = [(color.theta, "o"), (color.twin, "s"), (color.third, "^"), (color.ink, "D")]
    names = [name for name, _ in series]
    rows = np.arange(len(series))[::-1]
    curvatures = np.array([values for _, values in series])
    for place, (index, look) in enumerate(zip(np.argsort(errors), looks, strict=False)):
        ink, marker = look
        at = curvatures[:, index]
        style = {"linestyle": "none", "marker": marker, "markersize": 8}
        style |= {"fillstyle": "none", "markeredgewidth": 2}
        ax.plot(at, rows, color=ink, **style, gid=f"network {place}")
        for x, y in zip(at[1:], rows[1:], strict=True):
            label(ax, f"{100 * errors[index]:.1f}", (x, y), (0, 8), ink, ha="center")
    ax.set(xscale="log", xlabel=r"largest curvature $\lambda_1$", ylim=(-0.4, len(series) - 0.6))
    ax.set_yticks(rows, names)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.09)
    ax.minorticks_off()


@drawing(width=4.8, height=3.0)
def spectra(ax, color, curves, rank):
    """Positive eigenvalues by rank in three coordinates. `curves` is a list of three (name,
    eigenvalues).
    """
    looks = [(color.theta, "-", 0.3), (color.twin, "--", 0.72), (color.third, "-.", 0.15)]
    for (name, values), (ink, dash, part) in zip(curves, looks, strict=True):
        ax.plot(np.arange(1, len(values) + 1), values, color=ink, linestyle=dash, gid=name)
        at = int(part * rank)
        label(ax, name, (at + 1, values[at]), (4, 4), ink, va="bottom")
    ax.axvline(rank, color=color.faint, linestyle=":", linewidth=1.4, gid="rank")
    _, default = curves[0]
    label(ax, "rank", (rank, default[rank - 1]), (5, 0), color.faint)
    ax.set(xlabel="index $i$", xlim=(0, 1.15 * rank))
    ax.set(yscale="log", ylabel=r"eigenvalue $\lambda_i$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()
