"""What the first page draws."""

from . import drawing, label


@drawing(width=5.6, height=3.1, panels=(1, 2))
def needle(axes, color, predictions, theta_path, twin_path):
    """The same predictions, and the loss along the sharpest direction of each. Paths are (n, 2):
    distance and loss.
    """
    left, right = axes
    low, high = predictions.min(), predictions.max()
    left.plot([low, high], [low, high], color=color.faint, linewidth=1, gid="diagonal")
    left.scatter(*predictions.T, s=9, color=color.theta, linewidths=0, alpha=0.6, gid="predictions")
    left.set_xlabel(r"prediction at $\theta$")
    left.set_ylabel(r"prediction at $T_\alpha\theta$")
    left.set_aspect("equal")
    left.locator_params(nbins=4)
    top = theta_path[:, 1].max()
    right.plot(*theta_path.T, color=color.theta, gid="theta")
    right.plot(*twin_path.T, color=color.twin, gid="twin")
    end = (theta_path[-1, 0], top)
    label(right, r"at $\theta$", end, (0, 2), color.theta, ha="right", va="bottom")
    label(right, r"at $T_\alpha\theta$", (0, top), (6, 0), color.twin, va="center")
    right.set_xlabel(r"distance from $\theta$ or $T_\alpha\theta$")
    right.set_ylabel("loss $L$")
    right.set_ylim(0, 1.1 * top)
    right.locator_params(nbins=4)
