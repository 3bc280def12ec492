"""What the introduction draws."""

import numpy as np

from . import drawing, label


@drawing(width=4.8, height=3.5)
def training(ax, color, curves):
    """Losses over steps. `curves` is a list of three (name, [losses of each seed]): the deep plain,
    its residual counterpart, the shallow.
    """
    steps = len(curves[0][1][0]) - 1
    inks = (color.twin, color.theta, color.faint)
    dashes = ("--", "-", ":")
    heights = (1.9, 0.2, 0.65)
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


@drawing(width=5.6, height=3.0, panels=(1, 2), projection="3d")
def surfaces(axes, color, steps, heights, limits):
    """Surfaces over a plane, on one scale from limits[0] to limits[1]. `heights` is a list of two
    (name, log10 of the loss (n, n)).

    The two edges in front, where b is smallest and where a is largest, are lines that can be read
    back.
    """
    a, b = np.meshgrid(steps, steps)
    smooth = {"rstride": 1, "cstride": 1, "linewidth": 0, "antialiased": False}
    scale = {"cmap": color.surface, "vmin": limits[0], "vmax": limits[1]}
    edge = {"color": color.ink, "linewidth": 1, "zorder": 10}
    for ax, (name, height) in zip(axes, heights, strict=True):
        ax.plot_surface(a, b, height, gid=f"{name} surface", **scale, **smooth)
        ax.plot(steps, b[0], height[0], gid=f"{name} front", **edge)
        ax.plot(a[:, -1], steps, height[:, -1], gid=f"{name} side", **edge)
        ax.text2D(0.5, 0.97, name, transform=ax.transAxes, ha="center", va="top", fontweight="bold")
        ax.set_zlim(limits)
        ax.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="$a$", ylabel="$b$")
        ax.set_zticks(*_label_powers(limits))
        _place_in_space(ax, color)


def _place_in_space(ax, color):
    ax.tick_params(pad=-2)
    ax.xaxis.labelpad = -6
    ax.yaxis.labelpad = -6
    ax.view_init(elev=25, azim=-55)
    ax.set_box_aspect((1, 1, 0.8), zoom=1.15)
    ax.grid(False)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color(color.paper)


def _label_powers(limits):
    """Every second power of ten between the limits, which are logarithms, and how it is written."""
    powers = np.arange(limits[0], limits[1] + 1, 2)
    return powers, [f"$10^{{{power:.0f}}}$" for power in powers]


@drawing(width=5.6, height=3.2, panels=(1, 2))
def contours(axes, color, steps, heights, limits, levels):
    """The same planes from above: log10 of the loss as colors, with contours at the given `levels`,
    and theta in the middle.
    """
    scale = {"vmin": limits[0], "vmax": limits[1]}
    half = (steps[1] - steps[0]) / 2  # of a pixel, whose middle is a point of the plane
    square = (steps[0] - half, steps[-1] + half) * 2
    lines = {"colors": color.paper, "linewidths": 0.8, "linestyles": "-"}
    for ax, (name, height) in zip(axes, heights, strict=True):
        image = ax.imshow(
            height, extent=square, origin="lower", interpolation="nearest", gid=name, **scale
        )
        ax.contour(steps, steps, height, levels=levels, **lines).set_gid(f"{name} contours")
        ax.plot([0], [0], "+", color=color.twin, markersize=10, gid=f"{name} trained")
        ax.set(xlabel="$a$", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", fontweight="bold")
    axes[0].set_ylabel("$b$")
    bar = axes[0].figure.colorbar(image, ax=list(axes), shrink=0.75, label="loss (nats)")
    bar.outline.set_visible(False)
    powers, labels = _label_powers(limits)
    bar.set_ticks(powers, labels=labels)


@drawing(width=5.6, height=3.0, panels=(1, 3))
def spread(axes, color, summaries):
    """Summaries of many planes. `summaries` is a list of three (what, plain values, residual
    values, whether logarithmic).
    """
    below = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "top"}
    for ax, (what, plain, residual, is_logarithmic) in zip(axes, summaries, strict=True):
        columns = [("plain", plain, color.twin, "s"), ("residual", residual, color.theta, "o")]
        for column, (name, values, ink, marker) in enumerate(columns):
            x = column + np.linspace(-0.25, 0.25, len(values))
            gid = f"{what} {name}"
            ax.scatter(x, values, s=16, marker=marker, color=ink, linewidths=0, gid=gid)
            label(ax, name, (column, 0), (0, -5), ink, **below)
        ax.annotate(what, (0, 1.04), xycoords="axes fraction")
        ax.set(xticks=(), xlim=(-0.6, 1.6))
        if is_logarithmic:
            ax.set_yscale("log")
            ax.minorticks_off()
        else:
            ax.set_ylim(bottom=0)


@drawing(width=4.8, height=3.6)
def batches(ax, color, small, large, twins):
    """Test error over the trace of the Hessian: networks trained on small and on large batches, and
    twins of the former. Each (seeds, 2).
    """
    marks = [
        ("small batch", small, color.theta, "o"),
        ("large batch", large, color.third, "s"),
        ("twins of small batch", twins, color.twin, "D"),
    ]
    above = {"xycoords": ("data", "axes fraction"), "ha": "center"}
    tie = {"color": color.faint, "linewidth": 0.8, "linestyle": ":"}
    for number, (start, end) in enumerate(zip(small, twins, strict=True)):
        ax.plot(*zip(start, end, strict=True), gid=f"pair {number}", **tie)
    for name, points, ink, marker in marks:
        ax.scatter(*points.T, s=28, marker=marker, color=ink, linewidths=0, gid=name)
        middle = np.exp(np.log(points[:, 0]).mean())
        ax.annotate(name.replace(" ", "\n", 1), (middle, 1), color=ink, **above)
    widest = twins[:, 0].max()
    ax.set(xscale="log", xlabel=r"$\operatorname{tr}\,\nabla^2L$", ylabel="test error (%)")
    ax.set_xlim(widest / 5, 1.3 * widest)
    ax.minorticks_off()
    ax.set_xticks([30, 50, 100], ["30", "50", "100"])
