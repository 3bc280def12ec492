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
