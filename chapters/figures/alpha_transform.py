"""What the chapter on the alpha-scale transformation draws."""

import numpy as np

from . import drawing, label


@drawing(width=5.6, height=3.0, panels=(1, 2))
def homogeneity(axes, color, panels):
    """phi(alpha z) / alpha for several alpha. `panels` is a list of (name, [(alpha, curve (n, 2)),
    ...]), one a panel. The last panel has the labels.
    """
    inks = (color.theta, color.twin, color.ink)
    dashes = ("-", "--", ":")
    widths = (3.4, 1.8, 1.8)
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (alpha, curve), ink, dash, width in zip(curves, inks, dashes, widths, strict=True):
            style = {"color": ink, "linestyle": dash, "linewidth": width}
            ax.plot(*curve.T, gid=f"{name} {alpha:g}", **style)
        ax.set(xlabel="$z$", ylim=(-1.3, 3.1))
        ax.annotate(name, (0, 2.9), va="top", ha="center", fontweight="bold")
        ax.locator_params(nbins=4)
    for (alpha, curve), ink in zip(panels[-1][1], inks, strict=True):
        label(axes[-1], rf"$\alpha={alpha:g}$", curve[-1], (4, 0), ink, va="center")
    axes[0].set_ylabel(r"$\phi(\alpha z)/\alpha$")


@drawing(width=4.8, height=4.8)
def level_curves(ax, color, levels, orbit, flows):
    """Level curves theta_1 theta_2 = c, twins of one network on one of them, and curves of the
    gradient flow, (n, 2) each.
    """
    for level, curve in levels:
        thick = 2.6 if level == 1 else 1.1
        x = np.sqrt(level) * 1.15
        ax.plot(*curve.T, color=color.theta, linewidth=thick, gid=f"level {level:g}")
        label(ax, f"{level:g}", (x, level / x), (3, 2), color.theta)
    for number, flow in enumerate(flows):
        ax.plot(*flow.T, color=color.faint, linestyle="--", linewidth=1.1, gid=f"flow {number}")
    ax.plot(*orbit.T, "o", color=color.twin, markersize=7, gid="orbit")
    ax.plot(*orbit[1], "o", color=color.theta, markersize=7, gid="theta")
    names = (r"$T_{1/2}\theta$", r"$\theta$", r"$T_2\theta$")
    inks = (color.twin, color.theta, color.twin)
    below = {"ha": "right", "va": "top", "fontsize": 13}
    for point, name, ink in zip(orbit, names, inks, strict=True):
        label(ax, name, point, (-7, -5), ink, **below)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    ax.set(xlim=(0, 3), ylim=(0, 3), xticks=range(4), yticks=range(4))


@drawing(width=4.8, height=3.3)
def signs(ax, color, curves):
    """The function of a network before and after scaling. `curves` is a list of (name, curve (n,
    2)), three of them.
    """
    looks = [
        (color.theta, "-", 4.0, (6, -14)),
        (color.twin, ":", 2.0, (36, -14)),
        (color.third, "--", 1.8, (6, 4)),
    ]
    for (name, curve), (ink, dash, width, by) in zip(curves, looks, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=name)
        label(ax, name, curve[0], by, ink, va="center")
    ax.set(xlabel="input $x$", ylabel="output")
    ax.locator_params(nbins=5)
