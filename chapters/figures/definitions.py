"""What the chapter on definitions draws."""

import numpy as np

from . import drawing, label


@drawing(width=4.8, height=3.6)
def three_measures(ax, color, curve, parabola, width, height, level, radius):
    """One loss curve (n, 2), the parabola of its curvature, C as an interval `width` and the rise
    `height` at `radius`.
    """
    bar = {"linewidth": 3, "solid_capstyle": "butt"}
    inside = parabola[parabola[:, 1] < 1.05 * curve[:, 1].max()]
    middle = (np.mean(width), level)
    ax.plot(*curve.T, color=color.ink, gid="curve")
    ax.plot(*inside.T, color=color.third, linestyle="--", gid="parabola")
    ax.plot(width, [level, level], color=color.theta, gid="width", **bar)
    ax.plot([-radius, radius], [0, 0], color=color.twin, gid="ball", **bar)
    ax.plot([radius, radius], [0, height], color=color.twin, gid="height", **bar)
    volume = "volume flatness:\nwidth at height $\\epsilon$"
    sharpness = "$\\epsilon$-sharpness:\nrise in the ball"
    curvature = "curvature:\nthe parabola"
    label(ax, volume, middle, (0, 6), color.theta, ha="center")
    label(ax, sharpness, (radius, 0), (8, -4), color.twin)
    label(ax, curvature, inside[-1], (4, -2), color.third, va="top")
    ax.set_xlabel(r"$\theta'-\theta$")
    ax.set_ylabel(r"loss $L(\theta')$")
    ax.set_xlim(curve[[0, -1], 0])
    ax.locator_params(nbins=5)


@drawing(width=5.6, height=4.8, panels=(2, 2))
def examples(axes, color, panels, level, radius):
    """Four one-dimensional losses. `panels` is a list of (name, curve (n, 2), C's ends)."""
    bar = {"color": color.theta, "linewidth": 3, "solid_capstyle": "butt"}
    for ax, (name, curve, ends) in zip(axes.flat, panels, strict=True):
        ax.axvspan(*ends, color=color.theta, alpha=0.15, linewidth=0, gid=f"{name} C")
        ax.plot(ends, [level, level], gid=f"{name} ends", **bar)
        ax.plot(*curve.T, color=color.ink, gid=name)
        for side, x in (("left", -radius), ("right", radius)):
            ax.axvline(x, color=color.twin, linestyle=":", linewidth=1.2, gid=f"{name} {side}")
        ax.set(xlim=(-2, 2), ylim=(0, 1))
        ax.annotate(name.replace("-", "-\n"), (-1.93, 0.02), fontsize=9)
        ax.locator_params(nbins=4)
    label(axes[0, 0], "the ball", (radius, 0.9), (4, 0), color.twin)
    label(axes[0, 0], "$C$", (-1, level), (3, 4), color.theta)
    for ax in axes[1]:
        ax.set_xlabel(r"$\theta'$")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$L(\theta')$")


@drawing(width=5.6, height=3.2, panels=(1, 2))
def tie(axes, color, epsilons, ratios, distances):
    """epsilon-sharpness over its quadratic approximation, and the number of kinks in reach, both
    over epsilon.

    `distances` are those of all kinks, in rising order.
    """
    left, right = axes
    nearest = distances[0]
    counts = np.arange(1, len(distances) + 1)
    left.axhline(1, color=color.faint, linewidth=1, gid="one")
    left.plot(epsilons, ratios, "o-", markersize=4, color=color.theta, gid="ratios")
    left.set_ylabel("$\\epsilon$-sharpness over\nits quadratic approximation")
    right.plot(distances, counts, drawstyle="steps-post", color=color.ink, gid="reached")
    right.set(yscale="log", ylabel="kinks in the ball", ylim=(0.8, None))
    for ax in axes:
        ax.axvline(nearest, color=color.faint, linestyle="--", linewidth=1, gid="nearest")
        ax.set(xscale="log", xlabel=r"radius $\epsilon$")
        ax.set_xticks(10.0 ** np.arange(-4, 1))
        ax.set_xlim(7e-5, 1.5)
        ax.minorticks_off()
    label(left, "nearest kink", (nearest, max(ratios)), (5, 0), color.faint, va="top")
