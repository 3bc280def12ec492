"""What the first page draws."""

from . import drawing


@drawing(width=5.6, height=3.1, panels=(1, 2))
def needle(axes, color, predictions, theta_path, twin_path):
    """The same predictions, and the loss along the sharpest direction of each. Paths are (n, 2):
    distance and loss.
    """
    left, right = axes
    low, high = predictions.min(), predictions.max()
    left.plot([low, high], [low, high], color=color.faint, linewidth=1)
    left.scatter(*predictions.T, s=9, color=color.theta, linewidths=0, alpha=0.6, gid="predictions")
    left.set(
        xlabel=r"prediction at $\theta$", ylabel=r"prediction at $T_\alpha\theta$", aspect="equal"
    )
    left.locator_params(nbins=4)
    right.plot(*theta_path.T, color=color.theta, gid="theta")
    right.plot(*twin_path.T, color=color.twin, gid="twin")
    top = theta_path[:, 1].max()
    right.annotate(
        r"at $\theta$",
        (theta_path[-1, 0], top),
        xytext=(0, 2),
        textcoords="offset points",
        color=color.theta,
        ha="right",
        va="bottom",
    )
    right.annotate(
        r"at $T_\alpha\theta$",
        (0, top),
        xytext=(6, 0),
        textcoords="offset points",
        color=color.twin,
        va="center",
    )
    right.set(
        xlabel=r"distance from $\theta$ or $T_\alpha\theta$", ylabel="loss $L$", ylim=(0, 1.1 * top)
    )
    right.locator_params(nbins=4)
