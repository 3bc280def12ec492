"""What the chapter on the alpha-scale transformation draws."""

import numpy as np

from . import drawing


@drawing(width=6.4, height=3.2, panels=(1, 2))
def homogeneity(axes, color, panels):
    """phi(alpha z) / alpha for several alpha. `panels` is a list of (name, [(alpha, curve (n, 2)), ...]), one a panel."""
    for ax, (name, curves) in zip(axes, panels, strict=True):
        looks = [(color.theta, "-", 3.4), (color.twin, "--", 1.8), (color.ink, ":", 1.8)]
        for (alpha, curve), (ink, dash, width) in zip(curves, looks, strict=True):
            ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=f"{name} {alpha:g}", label=rf"$\alpha={alpha:g}$")
        ax.set(xlabel="$z$", ylim=(-1.3, 3.1))
        ax.set_title(name)
        ax.locator_params(nbins=4)
    axes[0].set_ylabel(r"$\phi(\alpha z)/\alpha$")
    axes[1].legend(loc="upper left")


@drawing(width=4.8, height=4.8)
def level_curves(ax, color, levels, orbit, flows):
    """Level curves theta_1 theta_2 = c, twins of one network on one of them, and curves of the gradient flow, (n, 2) each."""
    top = 3.0
    for level, curve in levels:
        thick = 2.6 if level == 1 else 1.1
        ax.plot(*curve.T, color=color.theta, linewidth=thick, gid=f"level {level:g}")
        x = np.sqrt(level) * 1.15 if level else 0.0
        if level:
            ax.annotate(f"{level:g}", (x, level / x), xytext=(3, 2), textcoords="offset points", color=color.theta)
    for number, flow in enumerate(flows):
        ax.plot(*flow.T, color=color.faint, linestyle="--", linewidth=1.1, gid=f"flow {number}")
    ax.plot(*orbit.T, "o", color=color.twin, markersize=7, gid="orbit")
    for point, label in zip(orbit, (r"$T_{1/2}\theta$", r"$\theta$", r"$T_2\theta$"), strict=True):
        ax.annotate(label, point, xytext=(-7, -5), textcoords="offset points", color=color.twin, ha="right", va="top")
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal", xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    ax.set_xticks(range(4))
    ax.set_yticks(range(4))


@drawing(width=4.8, height=3.3)
def signs(ax, color, curves):
    """The function of a network before and after scaling. `curves` is a list of (label, curve (n, 2)), three of them."""
    looks = [(color.theta, "-", 4.0), (color.ink, ":", 2.0), (color.twin, "--", 1.8)]
    for (label, curve), (ink, dash, width) in zip(curves, looks, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=label, label=label)
    ax.legend(loc="best")
    ax.set(xlabel="input $x$", ylabel="output")
    ax.locator_params(nbins=5)
