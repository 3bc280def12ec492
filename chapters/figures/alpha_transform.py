"""What the chapter on the alpha-scale transformation draws."""

import numpy as np

from . import drawing, label, make_casing


@drawing(width=5.6, height=2.5, panels=(1, 2))
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


@drawing(width=4.4, height=4.0)
def level_curves(ax, color, strips, levels, bars, names):
    """Level curves theta_1 theta_2 = c, the valley around one of them, and how wide it is.

    `strips` is a list of (theta_1 (n,), inner edge (n,), outer edge (n,)), `levels` of (c, curve
    (n, 2)), `bars` of ways (3, 2) across the valley, through a parameter: one of a twin, the one of
    theta, one of a twin. `names` are theirs.
    """
    halo = make_casing(color, 3)
    for number, (x, inner, outer) in enumerate(strips):
        shade = {"color": color.theta, "alpha": 0.16, "linewidth": 0}
        ax.fill_between(x, inner, outer, gid=f"valley {number}", **shade)
    for level, curve in levels:
        thick = 2.2 if level == 1 else 1.1
        x = np.sqrt(level) * 1.15
        ax.plot(*curve.T, color=color.theta, linewidth=thick, gid=f"level {level:g}")
        text = f"$c={level:g}$" if level == 1 else f"{level:g}"
        label(ax, text, (x, level / x), (4, 3), color.theta, path_effects=halo)
    inks = (color.twin, color.theta, color.twin)
    by = {"ha": "left", "va": "bottom", "fontsize": 13, "path_effects": halo}
    for bar, name, ink in zip(bars, names, inks, strict=True):
        ax.plot(*bar.T, color=ink, linewidth=3.2, gid=f"across {name}")
        ax.plot(*bar[1], "o", color=ink, markersize=7, gid=f"point {name}")
        label(ax, name, bar[2], (3, 0), ink, **by)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    ax.set(xlim=(0, 3), ylim=(0, 3), xticks=range(4), yticks=range(4))


@drawing(width=5.6, height=2.0, panels=(1, 3))
def twins(axes, color, panels):
    """A network of two hidden units with its numbers: `panels` is a list of (title, entering (2,),
    hidden (2,), leaving (2,), output), all as they are to be written.
    """
    places = {"x": (0, 0), "upper": (1.5, 1), "lower": (1.5, -1), "f": (3, 0)}
    for ax, (title, entering, hidden, leaving, output) in zip(axes, panels, strict=True):
        ink = color.theta if ax is axes[0] else color.twin
        for name, up, *texts in zip(("upper", "lower"), (1, -1), entering, leaving, strict=True):
            for way, text in zip(("in", "out"), texts, strict=True):
                ends = (places["x"], places[name]) if way == "in" else (places[name], places["f"])
                x, y = zip(*ends, strict=True)
                gid = f"{title}: {name} {way}"
                ax.plot(x, y, color=color.faint, linewidth=1.2, zorder=1, gid=gid)
                across, side = (-3, "right") if way == "in" else (3, "left")
                away = {"ha": side, "va": "bottom" if up > 0 else "top", "fontsize": 12}
                label(ax, text, (np.mean(x), np.mean(y)), (across, 2 * up), ink, **away)
        spots = np.array(list(places.values()))
        dots = {"s": 400, "facecolors": color.paper, "edgecolors": color.ink, "zorder": 2}
        ax.scatter(*spots.T, gid=f"{title}: nodes", linewidths=1, **dots)
        for place, text in zip(places.values(), ("1", *hidden, output), strict=True):
            label(ax, text, place, (0, 0), color.ink, ha="center", va="center", fontsize=11)
        label(ax, title, (1.5, 1.8), (0, 0), ink, ha="center", va="center")
        ax.set(xlim=(-0.6, 3.6), ylim=(-1.5, 2.0))
        ax.axis("off")


@drawing(width=3.6, height=3.2)
def flow(ax, color, level, flows):
    """Curves of the gradient flow, (n, 2) each, and the level curve on which they end."""
    ax.plot(*level.T, color=color.theta, linewidth=2.2, gid="minima")
    x = level[np.abs(level[:, 0] - 0.36).argmin()]
    label(ax, "minima:\n$\\theta_1\\theta_2=1$", x, (7, 2), color.theta, va="center")
    for number, curve in enumerate(flows):
        ax.plot(*curve.T, color=color.ink, linestyle="--", linewidth=1.2, gid=f"flow {number}")
        ax.plot(*curve[0], "o", color=color.ink, markersize=5, gid=f"start {number}")
        ax.plot(*curve[-1], "s", color=color.twin, markersize=6, gid=f"end {number}")
    label(ax, "start", flows[0][0], (-7, 2), color.ink, ha="right")
    label(ax, "end", flows[0][-1], (7, 5), color.twin)
    ax.set(xlabel=r"$\theta_1$", ylabel=r"$\theta_2$", aspect="equal")
    ax.set(xlim=(0, 3), ylim=(0, 3), xticks=range(4), yticks=range(4))


@drawing(width=4.8, height=2.5)
def signs(ax, color, curves):
    """The function of a network before and after scaling. `curves` is a list of (name, curve (n,
    2)), three of them.
    """
    looks = [
        (color.theta, "-", 5.0, 0, (0, 8)),
        (color.twin, "--", 1.8, -1, (6, 5)),
        (color.third, "-.", 1.8, -1, (6, 0)),
    ]
    for (name, curve), (ink, dash, width, end, by) in zip(curves, looks, strict=True):
        ax.plot(*curve.T, color=ink, linestyle=dash, linewidth=width, gid=name)
        label(ax, name, curve[end], by, ink, va="center")
    ax.set(xlabel="input $x$", ylabel="output", xlim=(-2.1, 2.9))
    ax.locator_params(nbins=5)
