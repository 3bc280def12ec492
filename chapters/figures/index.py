"""What the first page draws."""

import numpy as np

from . import drawing, label, show_digit


@drawing(width=5.6, height=3.2, panels=(1, 3))
def needle(axes, color, digits, theta_path, twin_path, closer_path):
    """Digits with what is predicted of them, and the loss along the sharpest direction of each.

    `digits` is a list of six (picture (8, 8), prediction at theta, prediction at the twin) as the
    predictions are to be written. Paths are (n, 2): distance and loss; `closer_path` is the twin's
    again, with distances times a thousand.
    """
    shown, same, closer = axes
    _draw_digits(shown, color, digits)
    top = theta_path[:, 1].max()
    same.plot(*theta_path.T, color=color.theta, gid="theta")
    same.plot(*twin_path.T, color=color.twin, gid="twin")
    end = (theta_path[-1, 0], top)
    label(same, r"at $\theta$", end, (0, 3), color.theta, ha="right", va="bottom")
    label(same, r"at $T_\alpha\theta$", (0, top), (-4, 3), color.twin, ha="right", va="bottom")
    same.set(ylabel="loss $L$", xlabel="distance")
    closer.plot(*closer_path.T, color=color.twin, gid="twin, closer")
    side = closer_path[-1]
    label(closer, r"at $T_\alpha\theta$", side, (0, 3), color.twin, ha="right", va="bottom")
    closer.set(xlabel="1000 × distance", yticks=())
    for ax in (same, closer):
        ax.set(xlim=(-0.165, 0.165), ylim=(0, 1.15 * top), xticks=(-0.1, 0, 0.1))
    same.locator_params(axis="y", nbins=4)


def _draw_digits(ax, color, digits):
    """Two columns of three digits, each with the two predictions below it."""
    for number, (pixels, here, there) in enumerate(digits):
        left, top = 11.0 * (number % 2), -16.0 * (number // 2)
        show_digit(ax, color, pixels, (left, left + 8, top - 8, top), f"digit {number}")
        below = {"ha": "center", "va": "top"}
        label(ax, here, (left + 4, top - 8), (0, -2), color.theta, **below)
        label(ax, there, (left + 4, top - 11.2), (0, -2), color.twin, **below)
    ax.set(xlim=(-1, 20), ylim=(-47.5, 0.5), aspect="equal")
    ax.axis("off")


@drawing(width=5.6, height=4.4, panels=(2, 2))
def primer(axes, color, digit, unit, minima, bowl):
    """Four words of the book: a network, its rectifiers, minima, the Hessian.

    `digit` is (8, 8). `unit` is the rectifier's graph (n, 2). `minima` is the curve of a loss
    (n, 2), and its flat and its sharp minimum (2, 2). `bowl` is a list of level curves (n, 2), and
    from the minimum the ways of the largest and of the smallest curvature, (2, 2) each.
    """
    _draw_network(axes[0, 0], color, digit)
    _draw_unit(axes[0, 1], color, unit)
    _draw_minima(axes[1, 0], color, *minima)
    _draw_bowl(axes[1, 1], color, *bowl)


def _draw_network(ax, color, digit):
    """A digit, some of its pixels as dots, the units, the output, and what connects them."""
    pixels, units = np.linspace(-4, 4, 8), np.linspace(-4, 4, 16)
    threads = {"color": color.faint, "linewidth": 0.4, "zorder": 1}
    gap = (np.nan, np.nan)
    into = [point for a in pixels for b in units for point in ((5, a), (10, b), gap)]
    out = [point for b in units for point in ((10, b), (14, 0), gap)]
    ax.plot(*np.transpose(into), gid="first layer", **threads)
    ax.plot(*np.transpose(out), gid="second layer", **threads)
    show_digit(ax, color, digit, (-4.5, 3.5, -4, 4), "digit")
    spots = {
        "pixels": (5, pixels, "ink"),
        "units": (10, units, "theta"),
        "output": (14, [0], "ink"),
    }
    for name, (x, y, ink) in spots.items():
        dots = {"s": 12, "color": getattr(color, ink), "linewidths": 0, "zorder": 2}
        ax.scatter(np.full(len(y), x), y, gid=name, **dots)
    below = {"ha": "center", "va": "top"}
    label(ax, "64 pixels", (-0.5, -4.5), (0, 0), color.ink, **below)
    label(ax, "16 ReLUs", (10, -4.5), (0, 0), color.theta, **below)
    label(ax, "even?", (14.6, 1.2), (0, 0), color.ink, ha="center", va="bottom")
    label(ax, r"$\theta_1$", (7.5, 4.6), (0, 0), color.ink, ha="center")
    label(ax, r"$\theta_2$", (12.5, 4.6), (0, 0), color.ink, ha="center")
    ax.set(xlim=(-5, 16), ylim=(-6.5, 6.5))
    ax.axis("off")


def _draw_unit(ax, color, unit):
    ax.plot(*unit.T, color=color.theta, gid="ReLU")
    label(ax, "a ReLU", unit[-1], (-16, -6), color.theta, ha="right", va="top")
    ax.set(xlabel="what comes in, $z$", ylabel=r"goes out: $\max(z,0)$")
    ax.set(xticks=(-2, 0, 2), yticks=(0, 1, 2))


def _draw_minima(ax, color, curve, minima):
    ax.plot(*curve.T, color=color.ink, gid="loss")
    for name, spot, ink in zip(("flat", "sharp"), minima, ("theta", "twin"), strict=True):
        dot = {"s": 30, "color": getattr(color, ink), "linewidths": 0, "zorder": 3}
        ax.scatter(*spot, gid=name, **dot)
        label(ax, name, spot, (0, -7), getattr(color, ink), ha="center", va="top")
    ax.set(xlabel=r"one direction of $\theta$", ylabel="loss $L$", xticks=(), yticks=())
    ax.set_ylim(-0.35, 1.1 * curve[:, 1].max())


def _draw_bowl(ax, color, levels, steep, gentle):
    for number, level in enumerate(levels):
        ax.plot(*level.T, color=color.faint, linewidth=1.2, gid=f"level {number}")
    ax.plot(*steep.T, "--", color=color.twin, gid="steep")
    ax.plot(*gentle.T, color=color.theta, gid="gentle")
    label(ax, "large\ncurvature", steep[-1], (5, 4), color.twin, va="center")
    label(ax, "small\ncurvature", gentle[-1], (-10, 2), color.theta, ha="right", va="center")
    ax.set(xlabel=r"first entry of $\theta$", ylabel=r"second entry", aspect="equal")
    ax.set(xticks=(), yticks=(), xlim=(-5.5, 3.9), ylim=(-2.3, 2.3))
