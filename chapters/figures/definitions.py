"""What the chapter on definitions draws."""

import numpy as np

from . import drawing, label

BAR = {"linewidth": 3, "solid_capstyle": "butt"}


@drawing(width=5.2, height=3.3)
def three_measures(ax, color, curve, parabola, width, height, level, radius):
    """One loss curve (n, 2), the parabola of its curvature, C as an interval `width` and the rise
    `height` at `radius`.
    """
    inside = parabola[parabola[:, 1] < 1.05 * curve[:, 1].max()]
    ax.plot(*curve.T, color=color.ink, gid="curve")
    ax.plot(*inside.T, color=color.third, linestyle="--", gid="parabola")
    ax.plot(width, [level, level], color=color.theta, gid="width", **BAR)
    ax.plot([0, radius], [0, 0], color=color.twin, gid="radius", **BAR)
    ax.plot([radius, radius], [0, height], color=color.twin, gid="height", **BAR)
    ax.plot([0, 0], [0, level], color=color.faint, linestyle=":", linewidth=1.2, gid="level")
    label(ax, "1  the width\nat height $\\epsilon$", (np.mean(width), level), (0, 6), color.theta)
    label(ax, "2  the curvature\nof the parabola", inside[0], (22, 4), color.third, va="top")
    label(ax, "3  the rise\nwithin $r$", (radius, 0), (12, -2), color.twin, va="bottom")
    label(ax, "$r$", (radius / 2, 0), (0, -4), color.twin, ha="center", va="top")
    label(ax, r"$\epsilon$", (0, level / 2), (-6, 0), color.faint, ha="right", va="center")
    ax.set_xlabel(r"distance from $\theta$")
    ax.set_ylabel("loss $L$")
    ax.set_xlim(curve[[0, -1], 0])
    ax.set_ylim(-0.12 * curve[:, 1].max(), None)
    ax.locator_params(nbins=5)


@drawing(width=5.6, height=2.3, panels=(1, 2))
def lake(axes, color, curve, waters):
    """Two valleys with a ridge between them, a curve (n, 2), filled twice from the right one.

    `waters` is a list of (the part of the curve under water (m, 2), its height, what it says, how
    high that stands).
    """
    for number, (ax, (bottom, height, words, place)) in enumerate(zip(axes, waters, strict=True)):
        ax.fill_between(
            *bottom.T, height, color=color.theta, alpha=0.3, linewidth=0, gid=f"water {number}"
        )
        ax.plot(*curve.T, color=color.ink, gid=f"valleys {number}")
        ax.scatter([1], [0], s=25, color=color.ink, linewidths=0, zorder=3, gid=f"theta {number}")
        label(ax, r"$\theta$", (1, 0), (0, 5), color.ink, ha="center")
        label(ax, words, (0, place), (0, 5), color.theta, ha="center", va="bottom")
        ax.set(xlabel="parameter", ylim=(0, 2.2), xlim=curve[[0, -1], 0])
        ax.set(xticks=(-1, 0, 1), yticks=(0, 1, 2))
    axes[0].set_ylabel("loss $L$")


@drawing(width=5.2, height=2.6)
def ellipse(ax, color, level, steep, gentle):
    """The curve (n, 2) on which a loss of two parameters has one value, and its two half axes from
    the minimum, (2, 2) each.
    """
    ax.plot(*level.T, color=color.ink, gid="level")
    ax.plot(*steep.T, "--", color=color.twin, gid="steep")
    ax.plot(*gentle.T, color=color.theta, gid="gentle")
    ax.scatter([0], [0], s=25, color=color.ink, linewidths=0, zorder=3, gid="minimum")
    sharp = "sharpest direction:\n$\\sqrt{2\\epsilon/\\lambda_1}$"
    flat = "flattest direction:\n$\\sqrt{2\\epsilon/\\lambda_2}$"
    label(ax, sharp, steep[-1], (8, 8), color.twin, va="bottom")
    label(ax, flat, gentle[-1], (20, 8), color.theta, va="center")
    label(ax, r"$L=\epsilon$", level[len(level) // 2], (-6, 6), color.ink, ha="right")
    ax.set(xlabel="first parameter", ylabel="second parameter", aspect="equal")
    ax.set(xlim=(-1.3, 2.3), ylim=(-1.15, 1.15))
    ax.locator_params(nbins=5)


@drawing(width=5.6, height=5.5, panels=(2, 2))
def examples(axes, color, panels, level, radius):
    """Four one-dimensional losses and their three measures.

    `panels` is a list of (name, curve (n, 2), the parabola of its curvature (m, 2), C's ends,
    the rise, what the panel says).
    """
    for ax, (name, curve, parabola, ends, rise, words) in zip(axes.flat, panels, strict=True):
        ax.plot(*parabola.T, "--", color=color.third, gid=f"{name} parabola")
        ax.plot(ends, [level, level], color=color.theta, gid=f"{name} width", **BAR)
        ax.plot([0, radius], [0, 0], color=color.twin, gid=f"{name} radius", **BAR)
        ax.plot([radius, radius], [0, rise], color=color.twin, gid=f"{name} rise", **BAR)
        ax.plot(*curve.T, color=color.ink, gid=name)
        ax.set(xlim=(-2, 2), ylim=(0, 1))
        ax.annotate(name, (0, 1.32), xycoords="axes fraction", fontweight="bold")
        inks = (color.theta, color.third, color.twin)
        for line, (word, ink) in enumerate(zip(words, inks, strict=True)):
            at = (0, 1.225 - 0.1 * line)
            ax.annotate(word, at, xycoords="axes fraction", color=ink)
        ax.set(xticks=(-2, -1, 0, 1, 2), yticks=(0, 0.5, 1))
    for ax in axes[1]:
        ax.set_xlabel(r"distance from $\theta$")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss $L$")


@drawing(width=5.2, height=2.6)
def cuts(ax, color, sharp, chance, sharp_cut, chance_cut, level):
    """The loss along two directions, (n, 2) each, and the pieces below `level` with what is to be
    written there.
    """
    below = {"xytext": (-40, -6), "ha": "right", "va": "top"}
    above = {"xytext": (14, 34), "ha": "left", "va": "bottom"}
    for name, path, cut, ink, dash, where in (
        ("random", chance, chance_cut, color.theta, "-", below),
        ("sharpest", sharp, sharp_cut, color.twin, "--", above),
    ):
        ends, words = cut
        ax.plot(*path.T, dash, color=ink, gid=name)
        ax.plot(ends, [level, level], color=ink, gid=f"{name}, cut", **BAR)
        at = {"textcoords": "offset points", "color": ink, **where}
        ax.annotate(words, (ends[1], level), **at)
    ax.set(xlabel=r"distance from $\theta$", ylabel="loss $L$", ylim=(0, 2.5 * level))
    ax.set_xlim(chance[[0, -1], 0])
    ax.locator_params(nbins=5)


@drawing(width=5.6, height=3.2, panels=(1, 2))
def tie(axes, color, radii, ratios, distances):
    """epsilon-sharpness over its quadratic approximation, and the number of kinks in reach, both
    over the radius.

    `distances` are those of all kinks, in rising order.
    """
    left, right = axes
    nearest = distances[0]
    counts = np.arange(1, len(distances) + 1)
    left.axhline(1, color=color.faint, linewidth=1, gid="one")
    left.plot(radii, ratios, "o-", markersize=4, color=color.theta, gid="ratios")
    left.set_ylabel("rise over\n" + r"$\lambda r^2/(2(1+L))$")
    right.plot(distances, counts, drawstyle="steps-post", color=color.ink, gid="reached")
    right.set(yscale="log", ylabel="kinks in the ball", ylim=(0.8, None))
    for ax, height in ((left, max(ratios)), (right, len(distances))):
        ax.axvline(nearest, color=color.faint, linestyle="--", linewidth=1, gid="nearest")
        ax.set(xscale="log", xlabel="radius $r$")
        ax.set_xticks(10.0 ** np.arange(-4, 1))
        ax.set_xlim(7e-5, 1.5)
        ax.minorticks_off()
        label(ax, "nearest\nkink", (nearest, height), (5, 0), color.faint, va="top")
