"""What the chapter on the alpha-scale transformation draws."""

import numpy as np

from . import drawing


@drawing(width=5.6, height=3.0, panels=(1, 2))
def homogeneity(axes, color, panels):
    """phi(alpha z) / alpha for several alpha. `panels` is a list of (name, [(alpha, curve (n, 2)),
    ...]), one a panel.
    """
    for ax, (name, curves) in zip(axes, panels, strict=True):
        looks = [(color.theta, "-", 3.4), (color.twin, "--", 1.8), (color.ink, ":", 1.8)]
        for (alpha, curve), (ink, dash, width) in zip(curves, looks, strict=True):
            ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=f"{name} {alpha:g}")
            if name == panels[-1][0]:
                ax.annotate(
                    rf"$\alpha={alpha:g}$",
                    curve[-1],
                    xytext=(4, 0),
                    textcoords="offset points",
                    color=ink,
                    va="center",
                )
        ax.set(xlabel="$z$", ylim=(-1.3, 3.1))
        ax.annotate(name, (0, 2.9), va="top", ha="center", fontweight="bold")
        ax.locator_params(nbins=4)
    axes[0].set_ylabel(r"$\phi(\alpha z)/\alpha$")


@drawing(width=4.8, height=4.8)
def level_curves(ax, color, levels, orbit, flows):
    """Level curves theta_1 theta_2 = c, twins of one network on one of them, and curves of the
    gradient flow, (n, 2) each.
    """
    top = 3.0
    for level, curve in levels:
        thick = 2.6 if level == 1 else 1.1
        ax.plot(*curve.T, color=color.theta, linewidth=thick, gid=f"level {level:g}")
        x = np.sqrt(level) * 1.15
        ax.annotate(
            f"{level:g}",
            (x, level / x),
            xytext=(3, 2),
            textcoords="offset points",
            color=color.theta,
        )
    for number, flow in enumerate(flows):
        ax.plot(*flow.T, color=color.faint, linestyle="--", linewidth=1.1, gid=f"flow {number}")
    ax.plot(*orbit.T, "o", color=color.twin, markersize=7, gid="orbit")
    ax.plot(*orbit[1], "o", color=color.theta, markersize=7)
    inks = (color.twin, color.theta, color.twin)
    for point, label, ink in zip(
        orbit, (r"$T_{1/2}\theta$", r"$\theta$", r"$T_2\theta$"), inks, strict=True
    ):
        ax.annotate(
            label,
            point,
            xytext=(-7, -5),
            textcoords="offset points",
            color=ink,
            ha="right",
            va="top",
            fontsize=13,
        )
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal", xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    ax.set_xticks(range(4))
    ax.set_yticks(range(4))


@drawing(width=4.8, height=3.3)
def signs(ax, color, curves):
    """The function of a network before and after scaling. `curves` is a list of (label, curve (n,
    2)), three of them.
    """
    looks = [
        (color.theta, "-", 4.0, (6, -14)),
        (color.twin, ":", 2.0, (36, -14)),
        (color.third, "--", 1.8, (6, 4)),
    ]
    for (label, curve), (ink, dash, width, offset) in zip(curves, looks, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=label)
        ax.annotate(
            label, curve[0], xytext=offset, textcoords="offset points", color=ink, va="center"
        )
    ax.set(xlabel="input $x$", ylabel="output")
    ax.locator_params(nbins=5)
