"""What the chapter on prediction draws."""

import numpy as np

from . import drawing, label

PANELS = ("node_scale", "softmax_shift")


@drawing(width=5.7, height=3.9, panels=(1, 2))
def rescaling(axes, color, curves, named):
    """Rank correlations over the strength of two kinds of twins.

    `curves` maps (one of PANELS, measure) to (strengths (k,), taus (k,), whether the measure
    moves); `named` maps those that are written at their end to their text.
    """
    for (panel, name), (strengths, taus, moves) in curves.items():
        ink = color.twin if moves else color.theta
        style = {"linewidth": 1.3, "linestyle": "--" if moves else "-"}
        ax = axes[PANELS.index(panel)]
        ax.plot(strengths, taus, color=ink, gid=f"{panel}: {name}", **style)
        if (panel, name) in named:
            end = (strengths[-1], taus[-1])
            label(ax, named[panel, name], end, (4, 0), ink, va="center")
    for ax, panel in zip(axes, PANELS, strict=True):
        ax.axhline(0, color=color.faint, linewidth=0.8, zorder=0, gid=f"{panel}: no order")
        ax.set_ylim(-0.5, 1)
    axes[0].set_xscale("log")
    axes[0].set_xticks((1, 10, 100), ["1", "10", "100"])
    axes[0].minorticks_off()
    axes[0].set_xlabel("units scaled by up to")
    axes[0].set_ylabel(r"rank correlation $\tau$ with the test error")
    axes[1].set_xticks((0, 1, 2, 3))
    axes[1].set_xlabel("softmax shift (in weights)")
    axes[1].tick_params(labelleft=False)


@drawing(width=5.7, height=3.4, panels=(1, 2))
def adversary(axes, color, error, trained, chosen):
    """Test errors (n,) in per cent over the trace of the Hessian, as trained and as chosen, each
    (n,).
    """
    for ax, trace, ink, name in (
        (axes[0], trained, color.theta, "as trained"),
        (axes[1], chosen, color.twin, "as chosen"),
    ):
        ax.plot(trace, error, "o", color=ink, markersize=4.5, gid=name)
        ax.set_xlabel(r"trace of $\nabla^2L$")
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", color=ink)
    axes[0].set_ylabel("test error (%)")
    axes[1].sharey(axes[0])
    axes[1].tick_params(labelleft=False)


@drawing(width=5.6, height=3.8)
def floors(ax, color, error, floor, trained):
    """For each network, at its test error (n,) in per cent, the traces that its twins can have:
    from the `floor` (n,) on without end, with the trace as `trained` (n,) on the way.
    """
    top = 10 * trained.max()
    for n, (height, low) in enumerate(zip(error, floor, strict=True)):
        ax.plot([low, top], [height, height], color=color.twin, linewidth=1, gid=f"reach {n}")
    ax.plot(floor, error, "|", color=color.twin, markersize=8, gid="floor")
    ax.plot(trained, error, "o", color=color.theta, markersize=4.5, gid="as trained")
    ax.set_xscale("log")
    ax.set_xlim(floor.min() / 1.3, top)
    ax.set_xlabel(r"trace of $\nabla^2L$: what a twin can have")
    ax.set_ylabel("test error (%)")


@drawing(width=5.7, height=4.4, panels=(1, 2))
def left(axes, color, names, results):
    """Rank correlations with their intervals, a row for each of `names`.

    `results` is a list of two (title, [(tau, low, high, granulated) of each name]).
    """
    rows = np.arange(len(names))[::-1]
    for ax, (title, found) in zip(axes, results, strict=True):
        tau, low, high, granulated = map(np.array, zip(*found, strict=True))
        ax.axvline(0, color=color.faint, linewidth=0.8, gid=f"{title}: no order")
        for row, *ends in zip(rows, low, high, strict=True):
            gid = f"{title}: interval {row}"
            ax.plot(ends, [row, row], color=color.theta, linewidth=1.3, gid=gid)
        ax.plot(tau, rows, "o", color=color.theta, markersize=4.5, gid=f"{title}: tau")
        marks = {"color": color.twin, "markersize": 9, "gid": f"{title}: granulated"}
        ax.plot(granulated, rows, "|", **marks)
        ax.annotate(title, (0, 1.02), xycoords="axes fraction")
        ax.set_xlim(-1, 1)
        ax.set_yticks(rows, names)
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.set_xlabel(r"$\tau$")
    axes[1].tick_params(labelleft=False)
