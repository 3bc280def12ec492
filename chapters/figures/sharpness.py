"""What the chapter on epsilon-sharpness draws."""

from matplotlib.ticker import LogLocator

from . import drawing


@drawing(width=4.8, height=4.6)
def reach(ax, color, levels, balls, centers, edge):
    """The plane of f = theta_2 relu(theta_1 x): level curves (product, label, curve), a ball around
    theta and one around its twin.

    `balls` and `centers` come in this order; `edge` are two points at the twin's ball's edge: on
    theta_1 = 0, and opposite.
    """
    ax.axvspan(-0.8, 0, color=color.faint, alpha=0.2, linewidth=0)
    ax.axvline(0, color=color.ink, linewidth=1.5, gid="zero layer")
    ax.annotate("here $f=0$", (-0.37, 0.2), ha="center", va="bottom", color=color.ink)
    for product, label, curve in levels:
        bottom = product == 1
        ax.plot(
            *curve.T,
            color=color.ink if bottom else color.faint,
            linewidth=2.2 if bottom else 1.0,
            gid=f"product {product:g}",
        )
        ax.annotate(
            label,
            curve[-1],
            xytext=(4, 0),
            textcoords="offset points",
            color=color.ink if bottom else color.faint,
            va="center",
        )
    for name, ball, ink, dash in zip(
        ("theta", "twin"), balls, (color.theta, color.twin), ("-", "--"), strict=True
    ):
        ax.fill(*ball.T, color=ink, alpha=0.13, linewidth=0)
        ax.plot(*ball.T, color=ink, linestyle=dash, gid=f"ball of {name}")
    for center, label, ink in zip(
        centers, (r"$\theta$", r"$T_\alpha\theta$"), (color.theta, color.twin), strict=True
    ):
        ax.plot(*center, "o", color=ink, markersize=6)
        ax.annotate(
            label, center, xytext=(4, 5), textcoords="offset points", color=ink, fontsize=13
        )
    ax.scatter(*edge.T, s=46, marker="D", color=color.twin, zorder=3, gid="edge")
    ax.annotate(
        r"$(0,\alpha^{-1}\theta_2)$",
        edge[0],
        xytext=(-7, 0),
        textcoords="offset points",
        color=color.twin,
        ha="right",
        va="center",
        fontsize=12,
    )
    ax.annotate(
        r"$f=2f_\theta$",
        edge[1],
        xytext=(8, 2),
        textcoords="offset points",
        color=color.twin,
        fontsize=12,
    )
    ax.set(
        xlim=(-0.75, 2.4), ylim=(0, 2.8), aspect="equal", xlabel=r"$\theta_1$", ylabel=r"$\theta_2$"
    )
    ax.set_xticks(range(3))
    ax.set_yticks(range(3))


@drawing(width=4.8, height=3.9)
def growth(ax, color, alphas, found, fine, lower, upper, within, constant, trained):
    """Sharpness found at `alphas`, its bounds over the `fine` grid, the `constant` where alpha is
    in `within`, `trained` = (1, value).
    """
    ax.plot(fine, upper, color=color.faint, linewidth=1.1, gid="upper")
    ax.plot(fine, lower, color=color.ink, linestyle="--", linewidth=1.3, gid="lower")
    ax.plot(within, [constant, constant], color=color.third, linewidth=2.2, gid="constant")
    ax.plot(alphas, found, "o", color=color.twin, markersize=6, gid="found")
    ax.plot(*trained, "D", color=color.theta, markersize=7, gid="trained")
    ax.annotate(
        "found",
        (alphas[4], found[4]),
        xytext=(-6, -3),
        textcoords="offset points",
        color=color.twin,
        ha="right",
        va="top",
    )
    ax.annotate(
        r"$\theta$",
        trained,
        xytext=(-8, -5),
        textcoords="offset points",
        color=color.theta,
        ha="right",
        va="center",
        fontsize=13,
    )
    ax.annotate(
        "upper bound",
        (alphas[1], found[1]),
        xytext=(10, 9),
        textcoords="offset points",
        color=color.faint,
    )
    ax.annotate(
        "lower bound", (fine[-32], lower[-32]), xytext=(4, -4), textcoords="offset points", va="top"
    )
    ax.annotate(
        "the constant",
        (within[0], constant),
        xytext=(0, -5),
        textcoords="offset points",
        color=color.third,
        va="top",
    )
    ax.axvline(within[1], color=color.faint, linewidth=1, linestyle=":", gid="reaches")
    ax.annotate(
        r"$\alpha=\epsilon/\|\theta_1\|$",
        (within[1], upper[0]),
        xytext=(5, 0),
        textcoords="offset points",
        color=color.faint,
        va="top",
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\alpha$",
        ylabel=r"$\epsilon$-sharpness of $T_\alpha\theta$",
    )
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()


@drawing(width=4.8, height=3.6)
def shrink(ax, color, curves):
    """epsilon-sharpness over its quadratic approximation. `curves` is a list of (label, epsilons,
    ratios, nearest kink).
    """
    ax.axhline(1, color=color.faint, linewidth=1)
    looks = [(color.theta, "-", "o"), (color.twin, "--", "s"), (color.twin, "-", "^")]
    for (label, epsilons, ratios, nearest), (ink, dash, mark) in zip(curves, looks, strict=True):
        ax.plot(epsilons, ratios, color=ink, linestyle=dash, marker=mark, markersize=4, gid=label)
        ax.plot([nearest, nearest], [0.86, 0.97], color=ink, linestyle=dash, gid=f"nearest {label}")
        ax.annotate(
            label,
            (epsilons[-1], ratios[-1]),
            xytext=(6, 3 if label == curves[-1][0] else -2),
            textcoords="offset points",
            color=ink,
            va="center",
        )
    ax.annotate(
        "nearest kinks", (curves[-1][3], 0.85), xytext=(-3, 0), textcoords="offset points", va="top"
    )
    ax.set(
        xscale="log",
        xlabel=r"radius $\epsilon$",
        ylabel="$\\epsilon$-sharpness over\nits quadratic approximation",
        ylim=(0.7, None),
    )
    ax.minorticks_off()


@drawing(width=4.8, height=3.9)
def keskar(ax, color, alphas, ball, box, subspaces):
    """Values found over alpha in the ball, the full-space box, and the boxes of some random
    subspaces, a row each.
    """
    for k, values in enumerate(subspaces):
        ax.plot(alphas, values, color=color.third, linewidth=1.0, gid=f"subspace {k}")
    ax.plot(alphas, box, "s-", color=color.ink, markersize=5, gid="box")
    ax.plot(alphas, ball, "o--", color=color.twin, markersize=5, gid="ball")
    ax.annotate(
        "three random subspaces",
        (alphas[3], subspaces[0][3]),
        xytext=(8, 4),
        textcoords="offset points",
        color=color.third,
    )
    ax.annotate("full-space box", (alphas[1], box[1]), xytext=(-6, 9), textcoords="offset points")
    ax.annotate(
        "ball",
        (alphas[-3], ball[-3]),
        xytext=(-8, -4),
        textcoords="offset points",
        color=color.twin,
        ha="right",
        va="top",
    )
    ax.set(xscale="log", yscale="log", xlabel=r"$\alpha$", ylabel=r"sharpness of $T_\alpha\theta$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()
