"""What the chapter on dynamics draws."""

import numpy as np

from . import drawing, label, make_casing


@drawing(width=4.8, height=3.8)
def dial(ax, color, alphas, rates, logs, thresholds, runs):
    """log10 of the loss after some steps over that before, (rates, alphas), cut at -1 and 1;
    2/lambda_max over alpha; and the cells (alpha, rate) of the `runs` that are shown.
    """
    x, y = np.log(alphas), np.log(rates)
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    edges = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    image = ax.imshow(
        logs,
        extent=edges,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        vmin=-1,
        vmax=1,
        gid="cells",
    )
    # Paper around the line: it runs where dark cells meet bright ones, in either mode.
    around = make_casing(color, 5)
    ax.plot(x, np.log(thresholds), color=color.ink, path_effects=around, gid="threshold")
    end = (x[-1], np.log(thresholds[-1]))
    label(ax, r"$2/\lambda_{\max}$", end, (13, 0), color.ink, va="center")
    cells = np.log(np.array(runs))
    look = {"color": color.ink, "markerfacecolor": color.paper, "markersize": 6}
    ax.plot(*cells.T, "o", **look, gid="runs")
    ax.set(xlabel=r"$\alpha$", ylabel=r"step size $\eta$", xlim=edges[:2], ylim=edges[2:])
    ax.set_xticks(x[::4], [f"{a:g}" for a in alphas[::4]])
    ax.set_yticks(np.log([0.01, 0.1]), ["0.01", "0.1"])
    bar = ax.figure.colorbar(
        image, ax=ax, pad=0.2, label=r"$\log_{10}$ of the loss, after over before"
    )
    bar.outline.set_visible(False)


@drawing(width=4.8, height=2.8)
def runs(ax, color, curves):
    """Losses over steps. `curves` is a list of three (label, losses): one that descends, one that
    is thrown and lands, one that breaks.
    """
    styles = [(color.theta, "-"), (color.twin, "-"), (color.third, "--")]
    for (name, losses), (ink, dash) in zip(curves, styles, strict=True):
        steps = np.arange(len(losses))
        ax.plot(steps, losses, color=ink, linestyle=dash, gid=name)
        label(ax, name, (steps[-1], losses[-1]), (5, 0), ink, va="center")
    ax.set(yscale="log", xlabel="step", ylabel="training loss", xlim=(0, len(losses) - 1))
    ax.minorticks_off()


@drawing(width=4.8, height=3.0)
def edge(ax, color, steps, curves):
    """The largest eigenvalue over steps, and what it may be for steps to be stable. `curves` is a
    list of three (label, eigenvalues, limit).
    """
    styles = [(color.theta, "-"), (color.twin, "-"), (color.third, "-")]
    for (name, values, limit), (ink, dash) in zip(curves, styles, strict=True):
        ax.axhline(limit, color=ink, linestyle="--", linewidth=1, gid=f"limit {name}")
        ax.plot(steps, values, color=ink, linestyle=dash, gid=name)
        label(ax, name, (steps[-1], values[-1]), (5, 0), ink, va="center")
    ax.set(xlabel="step", ylabel=r"$\lambda_{\max}$", xlim=(0, steps[-1]), ylim=(0, None))


@drawing(width=4.8, height=2.8)
def stay(ax, color, steps, curves):
    """By how much the largest eigenvalue changes in two steps. `curves` is a list of three (label,
    changes): measured, predicted, and one part of the prediction.
    """
    ax.axhline(0, color=color.ink, linewidth=0.6, gid="no change")
    styles = [(color.ink, "-"), (color.theta, "--"), (color.twin, ":")]
    for (name, changes), (ink, dash) in zip(curves, styles, strict=True):
        ax.plot(steps, changes, color=ink, linestyle=dash, label=name, gid=name)
    ax.set(xlabel="step", ylabel=r"change of $\lambda_{\max}$ in two steps")
    ax.set_xlim(steps[0], steps[-1])
    ax.legend(frameon=False)
