"""What the introduction draws."""

import numpy as np

from . import drawing


@drawing(width=4.8, height=3.5)
def training(ax, color, curves):
    """Losses over steps. `curves` is a list of three (label, [losses of each seed]): the deep
    plain, its residual counterpart, the shallow.
    """
    styles = [(color.twin, "--"), (color.theta, "-"), (color.faint, ":")]
    for (label, runs), (ink, dash) in zip(curves, styles, strict=True):
        for seed, losses in enumerate(runs):
            ax.plot(
                np.arange(len(losses)),
                losses,
                color=ink,
                linestyle=dash,
                linewidth=1.5,
                gid=f"{label} {seed}",
            )
    steps = len(curves[0][1][0]) - 1
    for (label, _), (ink, _), y in zip(curves, styles, (1.9, 0.2, 0.65), strict=True):
        ax.annotate(
            label.replace(", ", ",\n"),
            (steps, y),
            xytext=(5, 0),
            textcoords="offset points",
            color=ink,
            va="center",
        )
    ax.set(
        yscale="log",
        xlabel="step",
        ylabel="training loss (nats)",
        xlim=(0, steps),
        yticks=(0.1, 0.2, 0.5, 1, 2, 5),
    )
    ax.set_yticklabels(["0.1", "0.2", "0.5", "1", "2", "5"])
    ax.minorticks_off()


@drawing(width=5.6, height=3.0, panels=(1, 2), projection="3d")
def surfaces(axes, color, steps, heights, limits):
    """Surfaces over a plane, on one scale from limits[0] to limits[1]. `heights` is a list of two
    (name, log10 of the loss (n, n)).

    The two edges in front, where b is smallest and where a is largest, are lines that can be read
    back.
    """
    a, b = np.meshgrid(steps, steps)
    shown = np.arange(limits[0], limits[1] + 1, 2)
    for ax, (name, height) in zip(axes, heights, strict=True):
        ax.plot_surface(
            a,
            b,
            height,
            cmap=color.surface,
            vmin=limits[0],
            vmax=limits[1],
            rstride=1,
            cstride=1,
            linewidth=0,
            antialiased=False,
        )
        ax.plot(
            steps, b[0], height[0], color=color.ink, linewidth=1, zorder=10, gid=f"{name} front"
        )
        ax.plot(
            a[:, -1],
            steps,
            height[:, -1],
            color=color.ink,
            linewidth=1,
            zorder=10,
            gid=f"{name} side",
        )
        ax.set(zlim=limits, xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="$a$", ylabel="$b$")
        ax.set_zticks(shown, [f"$10^{{{k:.0f}}}$" for k in shown])
        ax.tick_params(pad=-2)
        ax.xaxis.labelpad = ax.yaxis.labelpad = -6
        ax.view_init(elev=25, azim=-55)
        ax.set_box_aspect((1, 1, 0.8), zoom=1.15)
        ax.grid(False)
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_pane_color(color.paper)
        ax.text2D(0.5, 0.97, name, transform=ax.transAxes, ha="center", va="top", fontweight="bold")


@drawing(width=5.6, height=3.2, panels=(1, 2))
def contours(axes, color, steps, heights, limits, levels):
    """The same planes from above: log10 of the loss as colors, with contours at the given `levels`,
    and theta in the middle.
    """
    side = (steps[0], steps[-1]) * 2
    for ax, (name, height) in zip(axes, heights, strict=True):
        image = ax.imshow(
            height,
            extent=side,
            origin="lower",
            vmin=limits[0],
            vmax=limits[1],
            interpolation="nearest",
            gid=name,
        )
        ax.contour(
            steps, steps, height, levels=levels, colors=color.paper, linewidths=0.8, linestyles="-"
        )
        ax.plot([0], [0], "+", color=color.twin, markersize=10, gid=f"{name} trained")
        ax.set(xlabel="$a$", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", fontweight="bold")
    axes[0].set_ylabel("$b$")
    bar = axes[0].figure.colorbar(image, ax=list(axes), shrink=0.75, label="loss (nats)")
    bar.outline.set_visible(False)
    shown = np.arange(np.ceil(limits[0]), limits[1] + 1, 2)
    bar.set_ticks(shown, labels=[f"$10^{{{k:.0f}}}$" for k in shown])


@drawing(width=5.6, height=3.0, panels=(1, 3))
def spread(axes, color, summaries):
    """Summaries of many planes. `summaries` is a list of three (what, plain values, residual
    values, whether logarithmic).
    """
    for ax, (what, plain, residual, logarithmic) in zip(axes, summaries, strict=True):
        for column, (name, values, ink, marker) in enumerate(
            [("plain", plain, color.twin, "s"), ("residual", residual, color.theta, "o")]
        ):
            x = column + np.linspace(-0.25, 0.25, len(values))
            ax.scatter(
                x, values, s=16, marker=marker, color=ink, linewidths=0, gid=f"{what} {name}"
            )
            ax.annotate(
                name,
                (column, 0),
                xytext=(0, -5),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=ink,
                ha="center",
                va="top",
            )
        ax.set(xticks=(), xlim=(-0.6, 1.6), yscale="log" if logarithmic else "linear")
        ax.annotate(what, (0, 1.04), xycoords="axes fraction")
        ax.minorticks_off()
        if not logarithmic:
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
    for start, end in zip(small, twins, strict=True):
        ax.plot(*zip(start, end, strict=True), color=color.faint, linewidth=0.8, linestyle=":")
    for label, points, ink, marker in marks:
        ax.scatter(*points.T, s=28, marker=marker, color=ink, linewidths=0, gid=label)
    for label, points, ink, _ in marks:
        ax.annotate(
            label.replace(" ", "\n", 1),
            (np.exp(np.log(points[:, 0]).mean()), 1),
            xycoords=("data", "axes fraction"),
            color=ink,
            ha="center",
        )
    ax.set(
        xscale="log",
        xlabel=r"$\operatorname{tr}\,\nabla^2L$",
        ylabel="test error (%)",
        xlim=(twins[:, 0].max() / 5, 1.3 * twins[:, 0].max()),
    )
    ax.minorticks_off()
    ax.set_xticks([30, 50, 100], ["30", "50", "100"])
