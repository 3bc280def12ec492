"""What the introduction draws."""

import numpy as np

from . import drawing, label, make_casing, make_inks

CROSS = {"markersize": 12, "markeredgewidth": 1.5}


@drawing(width=4.8, height=3.5)
def training(ax, color, curves, guessing):
    """Losses over steps. `curves` is a list of three (name, [losses of each seed]): the deep plain,
    its residual counterpart, the shallow. `guessing` is the loss of guesses at random.
    """
    steps = len(curves[0][1][0]) - 1
    ax.axhline(guessing, color=color.faint, linewidth=1, gid="guessing")
    label(ax, "guessing", (0, guessing), (6, 3), color.faint, va="bottom")
    inks = (color.twin, color.theta, color.faint)
    dashes = ("--", "-", ":")
    heights = (1.75, 0.2, 0.65)
    for (name, runs), ink, dash, height in zip(curves, inks, dashes, heights, strict=True):
        style = {"color": ink, "linestyle": dash, "linewidth": 1.5}
        for seed, losses in enumerate(runs):
            ax.plot(np.arange(steps + 1), losses, gid=f"{name} {seed}", **style)
        label(ax, name.replace(", ", ",\n"), (steps, height), (5, 0), ink, va="center")
    ax.set_xlabel("step")
    ax.set_xlim(0, steps)
    ax.set_ylabel("training loss (nats)")
    ax.set_yscale("log")
    ax.set_yticks((0.1, 0.2, 0.5, 1, 2, 5), ["0.1", "0.2", "0.5", "1", "2", "5"])
    ax.minorticks_off()


@drawing(width=5.6, height=3.8, panels=(1, 2))
def contours(axes, color, steps, heights, limits, levels):
    """Two planes from above: log10 of the loss as colors, with contours at the given `levels`, and
    theta in the middle. `heights` is a list of two (name, log10 of the loss (n, n)).
    """
    scale = {"cmap": make_inks(color, "theta"), "vmin": limits[0], "vmax": limits[1]}
    half = (steps[1] - steps[0]) / 2  # of a pixel, whose middle is a point of the plane
    square = (steps[0] - half, steps[-1] + half) * 2
    lines = {"colors": color.ink, "linewidths": 0.7, "linestyles": "-"}
    halo = make_casing(color, 3.5)
    for ax, (name, height) in zip(axes, heights, strict=True):
        image = ax.imshow(
            height, extent=square, origin="lower", interpolation="nearest", gid=name, **scale
        )
        ax.contour(steps, steps, height, levels=levels, **lines).set_gid(f"{name} contours")
        ax.plot([0], [0], "+", color=color.twin, gid=f"{name} trained", **CROSS, path_effects=halo)
        ax.set(xlabel="$a$", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        ax.annotate(name, (0, 1.03), xycoords="axes fraction")
    axes[0].set_ylabel("$b$")
    below = {"orientation": "horizontal", "aspect": 40, "shrink": 0.9, "pad": 0.02}
    bar = axes[0].figure.colorbar(image, ax=list(axes), label="loss (nats)", **below)
    bar.outline.set_visible(False)
    powers = np.arange(limits[0], limits[1] + 1)
    bar.set_ticks(powers, labels=[f"$10^{{{power:.0f}}}$" for power in powers])


@drawing(width=5.2, height=3.6)
def shift(ax, color, training, test, minima):
    """A training loss and a test loss, (n, 2) each, and for each of its two minima a name and the
    points on the one and on the other loss, (2, 2).
    """
    ax.plot(*training.T, color=color.ink, gid="training")
    ax.plot(*test.T, color=color.faint, linestyle="--", gid="test")
    bar = {"linewidth": 3, "solid_capstyle": "butt", "zorder": 3}
    for (name, ends), ink in zip(minima, (color.theta, color.twin), strict=True):
        ax.plot(*ends.T, color=ink, gid=name, **bar)
        label(ax, f"{name}\nminimum", ends[0], (0, -8), ink, ha="center", va="top")
    label(ax, "training loss", training[0], (4, 6), color.ink, va="bottom")
    label(ax, "test loss", test[-1], (-4, 8), color.faint, ha="right", va="bottom")
    ax.set(xlabel=r"parameter $\theta$", ylabel="loss", xticks=(), yticks=())
    ax.set_ylim(-0.45, 1.25 * training[:, 1].max())


@drawing(width=5.6, height=4.0)
def batches(ax, color, small, large, twins, chosen, words):
    """Test error over the trace of the Hessian: networks trained on small and on large batches, and
    twins of the former. Each (seeds, 2). The pair with the number `chosen` is tied by a strong
    line, with `words` on it.
    """
    marks = [
        ("small batch", small, color.theta, "o"),
        ("large batch", large, color.third, "s"),
        ("twins of small batch", twins, color.twin, "D"),
    ]
    above = {"xycoords": ("data", "axes fraction"), "ha": "center"}
    for number, (start, end) in enumerate(zip(small, twins, strict=True)):
        tie = {"color": color.faint, "linewidth": 0.8, "linestyle": ":"}
        if number == chosen:
            tie = {"color": color.twin, "linewidth": 1.5, "linestyle": "-"}
        ax.plot(*zip(start, end, strict=True), gid=f"pair {number}", **tie)
    for name, points, ink, marker in marks:
        ax.scatter(*points.T, s=28, marker=marker, color=ink, linewidths=0, zorder=3, gid=name)
        middle = np.exp(np.log(points[:, 0]).mean())
        ax.annotate(name.replace(" ", "\n", 1), (middle, 1.01), color=ink, **above)
    center = np.sqrt(small[chosen, 0] * twins[chosen, 0])
    label(ax, words, (center, small[chosen, 1]), (0, 3), color.twin, ha="center", va="bottom")
    widest = twins[:, 0].max()
    ax.set(xscale="log", xlabel=r"sharpness: the trace of $\nabla^2L$", ylabel="test error (%)")
    ax.set_xlim(widest / 5, 1.3 * widest)
    ax.minorticks_off()
    ax.set_xticks([30, 50, 100], ["30", "50", "100"])
