"""What the chapters draw: a module a chapter. Each function is given axes, colors and numbers, and
computes nothing.

The same idea has the same color in all of them: `color.theta` a parameter, `color.twin` what
scaling made of it.
"""

import functools

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgb
from matplotlib.patheffects import withStroke

import bookproof.drawing

COLORS = bookproof.drawing.colors(theta="blue", twin="orange", third="purple")

drawing = functools.partial(bookproof.drawing.drawing, colors=COLORS)


def label(ax, text, at, by, color, **more):
    """Write `text` beside the point `at`, moved to the right and up `by` so many points."""
    return ax.annotate(text, at, xytext=by, textcoords="offset points", color=color, **more)


def make_inks(color, name):
    """Return the color map from paper to one of the colors; it has that color's name."""
    return LinearSegmentedColormap.from_list(name, [color.paper, getattr(color, name)])


def make_casing(color, width):
    """Return what keeps a line or a word apart from what is below it: a rim of paper."""
    return [withStroke(linewidth=width, foreground=color.paper)]


def make_shades(color):
    """Return the color map of a picture whose blanks are paper. Its darkest quarter cannot be told
    from dark paper, and is left out there.
    """
    darkest = 0.25 if to_rgb(color.paper)[0] < 0.5 else 0.0
    shades = matplotlib.colormaps[color.surface](np.linspace(darkest, 1, 256))
    return ListedColormap(shades, "shades")


def show_digit(ax, color, pixels, edges, gid):
    """Draw the pixels of a digit, 0 to 1, in ink on paper between the edges (left, right, bottom,
    top).
    """
    inks = {"cmap": make_inks(color, "ink"), "vmin": 0, "vmax": 1}
    ax.imshow(pixels, extent=edges, interpolation="nearest", gid=gid, **inks)
