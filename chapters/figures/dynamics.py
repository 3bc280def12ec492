"""What the chapter on dynamics draws."""

import numpy as np

from . import drawing, label, show_steps


@drawing(width=5.4, height=3.8)
def dial(ax, color, alphas, rates, logs, thresholds, runs):
    """How many times smaller the loss has become, as `show_steps` draws it, and the cells (alpha,
    rate) of the `runs` that are shown.
    """
    show_steps(ax, color, alphas, rates, logs, thresholds)
    look = {"color": color.ink, "markerfacecolor": color.paper, "markersize": 6}
    ax.plot(*np.log(np.array(runs)).T, "o", **look, gid="runs")
    right = (np.log(alphas[-4]), np.log(thresholds[-4]))
    label(ax, r"$2/\lambda_{\max}$", right, (8, 4), color.twin)
    left = (np.log(alphas[0]), np.log(thresholds[-6]))
    label(ax, "the loss grows", left, (0, 26), color.ink)


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
