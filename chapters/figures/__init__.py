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


def make_inks(color, name):
    """Return the color map from paper to one of the colors; it has that color's name."""
    return LinearSegmentedColormap.from_list(name, [color.paper, getattr(color, name)])


def show_digit(ax, color, pixels, edges, gid):
    """Draw the pixels of a digit, 0 to 1, in ink on paper between the edges (left, right, bottom,
    top).
    """
    inks = {"cmap": make_inks(color, "ink"), "vmin": 0, "vmax": 1}
    ax.imshow(pixels, extent=edges, interpolation="nearest", gid=gid, **inks)
