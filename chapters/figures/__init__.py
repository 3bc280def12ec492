"""What the chapters draw: a module a chapter. Each function is given axes, colors and numbers, and
computes nothing.

The same idea has the same color in all of them: `color.theta` a parameter, `color.twin` what
scaling made of it.
"""

import functools

import bookproof.drawing

COLORS = bookproof.drawing.colors(theta="blue", twin="orange", third="purple")

drawing = functools.partial(bookproof.drawing.drawing, colors=COLORS)
