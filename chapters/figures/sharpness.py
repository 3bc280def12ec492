"""What the chapter on epsilon-sharpness draws."""

from matplotlib.ticker import LogLocator

from . import drawing, label


@drawing(width=4.8, height=4.6)
def reach(ax, color, levels, balls, centers, edge):
    """The plane of f = theta_2 relu(theta_1 x): level curves (product, loss, curve), a ball around
    theta and one around its twin.

    `balls` and `centers` come in this order; `edge` are two points at the twin's ball's edge: on
    theta_1 = 0, and opposite.
    """
    ax.axvspan(-0.8, 0, color=color.faint, alpha=0.2, linewidth=0, gid="silent")
    ax.axvline(0, color=color.ink, linewidth=1.5, gid="zero layer")
    ax.annotate("here $f=0$", (-0.37, 0.2), ha="center", va="bottom", color=color.ink)
    for product, loss, curve in levels:
        if product == 1:
            ink, width = color.ink, 2.2
        else:
            ink, width = color.faint, 1.0
        ax.plot(*curve.T, color=ink, linewidth=width, gid=f"product {product:g}")
        label(ax, loss, curve[-1], (4, 0), ink, va="center")
    names = ["theta", "twin"]
    texts = [r"$\theta$", r"$T_\alpha\theta$"]
    styles = [(color.theta, "-"), (color.twin, "--")]
    for name, ball, (ink, dash) in zip(names, balls, styles, strict=True):
        ax.fill(*ball.T, color=ink, alpha=0.13, linewidth=0, gid=f"inside {name}")
        ax.plot(*ball.T, color=ink, linestyle=dash, gid=f"ball of {name}")
    places = [(4, 5), (12, -25)]  # the twin's name stands between two curves
    looks = zip(names, texts, places, centers, styles, strict=True)
    for name, text, place, center, (ink, _) in looks:
        ax.plot(*center, "o", color=ink, markersize=6, gid=name)
        label(ax, text, center, place, ink, fontsize=13)
    ax.scatter(*edge.T, s=46, marker="D", color=color.twin, zorder=3, gid="edge")
    silent, doubled = edge
    text = r"$(0,\alpha^{-1}\theta_2)$"
    label(ax, text, silent, (-7, 0), color.twin, ha="right", va="center", fontsize=12)
    label(ax, r"$f=2f_\theta$", doubled, (8, 2), color.twin, fontsize=12)
    ax.set_xlim(-0.75, 2.4)
    ax.set_ylim(0, 2.8)
    ax.set_aspect("equal")
    ax.set_xlabel(r"$\theta_1$")
    ax.set_ylabel(r"$\theta_2$")
    ax.set_xticks(range(3))
    ax.set_yticks(range(3))


@drawing(width=4.8, height=3.4)
def growth(ax, color, alphas, found, fine, lower, upper, within, constant, trained):
    """Sharpness found at `alphas`, its bounds over the `fine` grid, the `constant` where alpha is
    in `within`, `trained` = (1, value).
    """
    ax.plot(fine, upper, color=color.faint, linewidth=1.1, gid="upper")
    ax.plot(fine, lower, color=color.ink, linestyle="--", linewidth=1.3, gid="lower")
    ax.plot(within, [constant, constant], color=color.third, linewidth=2.2, gid="constant")
    ax.plot(alphas, found, "o", color=color.twin, markersize=6, gid="found")
    ax.plot(*trained, "D", color=color.theta, markersize=7, gid="trained")
    label(ax, "found", (alphas[4], found[4]), (-6, -3), color.twin, ha="right", va="top")
    text = r"$\theta$"
    label(ax, text, trained, (-8, -5), color.theta, ha="right", va="center", fontsize=13)
    label(ax, "upper bound", (alphas[1], found[1]), (10, 9), color.faint)
    label(ax, "lower bound", (fine[-32], lower[-32]), (4, -4), color.ink, va="top")
    text = "the paper's point"
    label(ax, text, (within[0], constant), (0, -5), color.third, va="top")
    ax.axvline(within[1], color=color.faint, linewidth=1, linestyle=":", gid="reaches")
    text = r"$\alpha=\epsilon/\|\theta_1\|$"
    label(ax, text, (within[1], upper[0]), (5, 0), color.faint, va="top")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"$\alpha$")
    ax.set_ylabel(r"$\epsilon$-sharpness of $T_\alpha\theta$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()


@drawing(width=4.8, height=3.1)
def shrink(ax, color, curves):
    """epsilon-sharpness over its quadratic approximation. `curves` is a list of three (name,
    epsilons, ratios, nearest kink).
    """
    ax.axhline(1, color=color.faint, linewidth=1, gid="one")
    looks = [(color.theta, "-", "o", -2), (color.twin, "--", "s", -2), (color.twin, "-", "^", 3)]
    for (name, epsilons, ratios, nearest), look in zip(curves, looks, strict=True):
        ink, dash, mark, up = look
        ax.plot(epsilons, ratios, color=ink, linestyle=dash, marker=mark, markersize=4, gid=name)
        ax.plot([nearest, nearest], [0.86, 0.97], color=ink, linestyle=dash, gid=f"nearest {name}")
        label(ax, name, (epsilons[-1], ratios[-1]), (6, up), ink, va="center")
    label(ax, "nearest kinks", (nearest, 0.85), (-3, 0), color.ink, va="top")
    ax.set_xscale("log")
    ax.set_ylim(0.7, None)
    ax.set_xlabel(r"radius $\epsilon$")
    ax.set_ylabel("$\\epsilon$-sharpness over\nits quadratic approximation")
    ax.minorticks_off()
