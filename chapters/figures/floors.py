"""What the chapter on floors draws."""

from . import drawing, label


@drawing(width=4.8, height=2.9)
def bends(ax, color, x, graphs, samples):
    """Two functions through the same `samples` (n, 2). `graphs` is a list of (name, values)."""
    styles = [(color.theta, "-"), (color.twin, "--")]
    sides = [((6, -8), "left", "top"), ((8, 4), "left", "bottom")]
    for (name, values), (ink, dash), (by, ha, va) in zip(graphs, styles, sides, strict=True):
        ax.plot(x, values, color=ink, linestyle=dash, gid=name)
        place = values.argmax() if dash == "--" else len(x) // 12
        label(ax, name, (x[place], values[place]), by, ink, ha=ha, va=va)
    ax.plot(*samples.T, "o", color=color.ink, markersize=5, gid="samples")
    ax.margins(y=0.15)
    ax.set_xlabel("$x$")
    ax.set_ylabel("$f(x)$")


@drawing(width=4.8, height=3.1)
def trace(ax, color, alphas, traces, norms, floors, trained):
    """Trace and spectral norm over alpha, the `floors` of both, and both as `trained`."""
    words = {"trace": "trace", "norm": "spectral norm"}
    dashes = ["-", "-."]
    sides = [((0, 3), "bottom"), ((0, -4), "top")]
    for name, dash, values, floor, (by, va) in zip(
        words, dashes, (traces, norms), floors, sides, strict=True
    ):
        ax.axhline(floor, color=color.faint, linewidth=1, linestyle="--", gid=f"{name} floor")
        label(ax, f"least {name}", (alphas[0], floor), by, color.faint, va=va)
        ax.plot(alphas, values, color=color.twin, linestyle=dash, gid=name)
    ax.plot([1, 1], trained, "o", color=color.theta, gid="trained")
    label(ax, r"$\theta$ as trained", (1, trained[0]), (-32, 9), color.theta, ha="right")
    place = len(alphas) // 6
    label(ax, words["trace"], (alphas[place], traces[place]), (5, 4), color.twin)
    place = 5 * len(alphas) // 6
    label(ax, words["norm"], (alphas[place], norms[place]), (5, -3), color.twin, va="top")
    ax.set_ylim(bottom=floors[1] / 8)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"$\alpha$")
    ax.set_ylabel(r"trace or norm of $\nabla^2 L(T_\alpha\theta)$")
    ax.minorticks_off()
