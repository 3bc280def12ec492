"""What the chapters draw: a module a chapter. Each function is given axes, colors and numbers, and
computes nothing.

The same idea has the same color in all of them: `color.theta` a parameter, `color.twin` what
scaling made of it.
"""

import functools

import bookproof.drawing

COLORS = bookproof.drawing.colors(theta="blue", twin="orange", third="purple")

drawing = functools.partial(bookproof.drawing.drawing, colors=COLORS)


def label(ax, text, at, by, color, **more):
    """Write `text` beside the point `at`, moved to the right and up `by` so many points."""
    return ax.annotate(text, at, xytext=by, textcoords="offset points", color=color, **more)
