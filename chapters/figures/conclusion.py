"""What the conclusion draws."""

import numpy as np

from . import drawing, label, show_steps


@drawing(width=5.4, height=3.8)
def intervals(ax, color, groups, edge):
    """Traces of the Hessian and test errors of networks, and all that their twins have.

    `groups` maps two names to the networks' (floor, trace as trained, test error in per cent),
    (n, 3); the twins' traces are drawn as far as `edge`.
    """
    looks = [(color.theta, "o"), (color.third, "s")]
    for (name, networks), (ink, marker) in zip(groups.items(), looks, strict=True):
        for k, (floor, _, error) in enumerate(networks):
            line = {"color": color.twin, "linewidth": 1.2, "zorder": 1}
            ax.plot([floor, edge], [error, error], gid=f"{name} twins {k}", **line)
        floors, trained, errors = np.transpose(networks)
        style = {"color": ink, "linestyle": "none"}
        ax.plot(floors, errors, marker="|", markersize=11, gid=f"{name} floors", **style)
        ax.plot(trained, errors, marker=marker, markersize=6, gid=name, **style)
    small, large = (np.asarray(networks) for networks in groups.values())
    low, high = small[small[:, 2].argmin()], large[large[:, 2].argmax()]
    first, second = groups
    label(ax, first, low[1:], (0, -9), color.theta, ha="center", va="top")
    label(ax, second, high[1:], (0, 8), color.third, ha="center", va="bottom")
    label(ax, "floor", (high[0], high[2]), (0, 8), color.ink, ha="center", va="bottom")
    label(ax, "twins", (edge, high[2]), (-2, 4), color.twin, ha="right", va="bottom")
    ax.set(xscale="log", xlim=(min(small[:, 0]) / 1.15, edge))
    ax.set_ylim(low[2] - 0.7, high[2] + 0.6)
    ax.set_xticks((20, 50, 100, 200), ["20", "50", "100", "200"])
    ax.minorticks_off()
    ax.set(xlabel=r"sharpness: the trace of $\nabla^2L$", ylabel="test error (%)")


@drawing(width=5.6, height=3.2, panels=(1, 2))
def descent(axes, color, panels):
    """Losses over steps from three twins. `panels` is a list of two (name, [(label, losses)]),
    theta itself second.
    """
    styles = [(color.twin, "--", 1.5), (color.theta, "-", 3.5), (color.third, ":", 2)]
    for ax, (name, curves) in zip(axes, panels, strict=True):
        for (twin, losses), (ink, dash, width) in zip(curves, styles, strict=True):
            steps = np.arange(len(losses))
            look = {"color": ink, "linestyle": dash, "linewidth": width}
            ax.plot(steps, losses, **look, gid=f"{name} {twin}")
        ax.set(yscale="log", xlabel="step", xlim=(-8, len(losses) - 1), ylim=(0.05, 30))
        ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
        ax.annotate(name, (0, 1.03), xycoords="axes fraction", fontweight="bold")
        ax.minorticks_off()
    axes[0].set_ylabel("training loss")
    axes[1].tick_params(labelleft=False)
    (_, apart), (_, together) = panels
    places = [(5, "bottom"), (-6, "top"), (6, "bottom")]
    for (twin, losses), (ink, *_), (lift, side) in zip(apart, styles, places, strict=True):
        end = (len(losses) - 1, losses[-1])
        label(axes[0], twin, end, (-2, lift), ink, ha="right", va=side)
    _, losses = together[0]
    end = (len(losses) - 1, losses[-1])
    label(axes[1], "all three", end, (-2, 6), color.ink, ha="right", va="bottom")


@drawing(width=5.4, height=3.9)
def stability(ax, color, alphas, rates, logs, thresholds, ceiling):
    """How many times smaller the loss has become, as `show_steps` draws it, and the ceiling of the
    thresholds.
    """
    left, _, bottom, _ = show_steps(ax, color, alphas, rates, logs, thresholds)
    top = np.log(ceiling)
    ax.axhline(top, color=color.faint, linestyle="--", linewidth=1.2, gid="ceiling")
    at = (np.log(alphas[-8]), np.log(thresholds[-8]))
    label(ax, r"$2/\lambda_{\max}$", at, (8, 4), color.twin)
    right = (np.log(alphas[-1]), at[1])
    label(ax, "the loss grows", right, (0, 26), color.ink, ha="right")
    label(ax, "no twin is stable above", (left, top), (4, 4), color.faint)
    ax.set_ylim(bottom, np.log(2 * ceiling))
