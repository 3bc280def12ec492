"""What the chapters draw: a module a chapter. Each function is given axes, colors and numbers, and
computes nothing.

The same idea has the same color in all of them: `color.theta` a parameter, `color.twin` what
scaling made of it.
"""

import functools

from matplotlib.colors import LinearSegmentedColormap

import bookproof.drawing

COLORS = bookproof.drawing.colors(theta="blue", twin="orange", third="purple")

drawing = functools.partial(bookproof.drawing.drawing, colors=COLORS)


def label(ax, text, at, by, color, **more):
    """Write `text` beside the point `at`, moved to the right and up `by` so many points."""
    return ax.annotate(text, at, xytext=by, textcoords="offset points", color=color, **more)


def show_digit(ax, color, pixels, edges, gid):
    """Draw the pixels of a digit, 0 to 1, in ink on paper between the edges (left, right, bottom,
    top).
    """
    inks = LinearSegmentedColormap.from_list("ink", [color.paper, color.ink])
    ax.imshow(pixels, extent=edges, cmap=inks, vmin=0, vmax=1, interpolation="nearest", gid=gid)
