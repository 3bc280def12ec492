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


def make_factors(color):
    """Return the color map of factors, from those that divide to those that multiply; what stays
    is gray, so that it can be told from blanks on paper, light or dark.
    """
    gray = LinearSegmentedColormap.from_list("gray", [color.paper, color.faint])(0.5)
    return LinearSegmentedColormap.from_list("factors", [color.third, gray, color.twin])


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


def show_steps(ax, color, alphas, rates, logs, thresholds):
    """Draw how many times smaller the loss has become, log10 of the loss before some steps over
    that after, (rates, alphas), where it shrank; and 2/lambda_max over alpha. Return the edges of
    the cells (left, right, bottom, top), in the logarithms of alphas and rates.
    """
    shown = np.ma.masked_less_equal(logs, 0)
    x, y = np.log(alphas), np.log(rates)
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    edges = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    look = {"cmap": make_inks(color, "theta"), "vmin": 0, "vmax": np.max(logs)}
    place = {"extent": edges, "origin": "lower", "aspect": "auto", "interpolation": "nearest"}
    image = ax.imshow(shown, gid="shrinking", **look, **place)
    ax.plot(x, np.log(thresholds), color=color.twin, linewidth=2, gid="threshold")
    ax.set(xlabel=r"$\alpha$", ylabel=r"step size $\eta$", xlim=edges[:2], ylim=edges[2:])
    ax.set_xticks(x[::4], [f"{a:g}" for a in alphas[::4]])
    ax.set_yticks(np.log([0.01, 0.1]), ["0.01", "0.1"])
    bar = ax.figure.colorbar(image, ax=ax, label="the loss shrinks by a factor of")
    bar.outline.set_visible(False)
    factors = [f for f in (1, 2, 5, 10, 20, 50) if np.log10(f) <= np.max(logs)]
    bar.set_ticks(np.log10(factors), labels=[str(f) for f in factors])
    bar.ax.minorticks_off()
    return edges
