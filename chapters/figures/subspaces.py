"""What the chapter on random subspaces draws."""

from matplotlib.ticker import LogLocator

from . import drawing, label


@drawing(width=4.8, height=3.9)
def boxes(ax, color, alphas, ball, box, subspaces, flat_balls):
    """Values found over alpha in the ball, the full-space box, and the boxes and the balls of some
    random subspaces, a row each.
    """
    for k, values in enumerate(subspaces):
        ax.plot(alphas, values, color=color.third, linewidth=1.0, gid=f"subspace {k}")
    for k, values in enumerate(flat_balls):
        look = {"color": color.third, "linewidth": 1.2, "linestyle": ":"}
        ax.plot(alphas, values, **look, gid=f"flat ball {k}")
    ax.plot(alphas, box, "s-", color=color.ink, markersize=5, gid="box")
    ax.plot(alphas, ball, "o--", color=color.twin, markersize=5, gid="ball")
    text = "boxes in random subspaces"
    label(ax, text, (alphas[4], subspaces[0][4]), (8, 4), color.third)
    label(ax, "full-space box", (alphas[1], box[1]), (-6, 9), color.ink)
    label(ax, "ball", (alphas[0], ball[0]), (9, 0), color.twin, va="center")
    look = {"ha": "right", "va": "top"}
    label(ax, "balls in them", (alphas[2], flat_balls[0][2]), (-4, -4), color.third, **look)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"$\alpha$")
    ax.set_ylabel(r"sharpness of $T_\alpha\theta$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()
