"""Volume flatness: how much of parameter space has nearly the loss of a minimum (Dinh et al. 2017, definition 1).

C(L, theta, epsilon) is the largest connected set that contains theta and on which L < L(theta) + epsilon. Its volume is
what Hochreiter and Schmidhuber (1997) call flatness. It is computed inside a window, in up to three dimensions.
"""

from typing import NamedTuple

import numpy as np
import scipy.ndimage
import scipy.optimize

from ._validation import as_count, as_positive, as_real, as_vector

CELLS = {1: 4096, 2: 256, 3: 64}


class Volume(NamedTuple):
    """The volume of C inside the window (a length in one dimension), and whether C reaches the window's edge."""

    value: float
    reaches_edge: bool


def flatness_volume(loss, theta, epsilon, *, window, resolution=None):
    """Return the `Volume` of the part of C(L, theta, epsilon) that is connected to `theta` inside the `window`.

    `theta` is (n,) with n at most 3, `window` (n, 2) the lower and upper ends, `epsilon` in the unit of the loss. The window
    is cut into `resolution` cells a side (4096, 256, 64 for n = 1, 2, 3); a cell counts when the loss at its center is
    below the level. In one dimension the two ends are then found by Brent's method (scipy), to rounding. A barrier or a bridge that is
    thinner than a cell can be missed.

    Raises ValueError for n > 3, epsilon <= 0, an empty window, a theta outside it, a loss that is not finite at theta, and a
    window so coarse that the cell of theta itself does not count.

    >>> flatness_volume(lambda theta: theta[0] ** 2, [0.0], 0.25, window=[(-2, 2)])
    Volume(value=1.0, reaches_edge=False)
    """
    theta, epsilon = as_vector("theta", theta), as_positive("epsilon", epsilon)
    n = len(theta)
    if n not in CELLS:
        raise ValueError(f"theta must have 1 to 3 entries for its volume to be computed, got {n}")
    low, high = as_window(window, theta).T
    cells = CELLS[n] if resolution is None else as_count("resolution", resolution, least=2)
    height = loss(theta)
    if not np.isfinite(height):
        raise ValueError(f"loss must be finite at theta, got {height}")
    side = (high - low) / cells
    centers = low[:, None] + side[:, None] * (np.arange(cells) + 0.5)
    grid = np.stack(np.meshgrid(*centers, indexing="ij"), axis=-1).reshape(-1, n)
    below = np.array([loss(point) < height + epsilon for point in grid]).reshape(n * (cells,))
    labels, _ = scipy.ndimage.label(below)
    home = labels[tuple(np.minimum((theta - low) // side, cells - 1).astype(int))]
    if home == 0:
        raise ValueError(f"resolution must be higher: the cell of theta is not below the level at {cells} cells a side")
    component = labels == home
    reaches_edge = any(bool(component.take([0, -1], axis=k).any()) for k in range(n))
    if n == 1:
        return Volume(_length(loss, height + epsilon, centers[0], np.flatnonzero(component), low[0], high[0]), reaches_edge)
    return Volume(float(component.sum() * side.prod()), reaches_edge)


def _length(loss, level, centers, inside, low, high):
    """The length of the interval around the cells `inside`, its ends between the last cell inside and the first outside."""

    def end(last, first_out, edge):
        if not 0 <= first_out < len(centers):
            return edge
        return scipy.optimize.brentq(lambda t: loss(np.array([t])) - level, centers[last], centers[first_out], xtol=1e-15)

    return float(end(inside[-1], inside[-1] + 1, high) - end(inside[0], inside[0] - 1, low))


def as_window(window, theta):
    """Return `window` as (n, 2), each row from low to high, with `theta` inside."""
    window = as_real("window", window, shape=(len(theta), 2), what="an array of lower and upper ends")
    if not (window[:, 0] < window[:, 1]).all():
        raise ValueError(f"window must have each lower end below its upper end, got {window.tolist()}")
    if not ((window[:, 0] <= theta) & (theta <= window[:, 1])).all():
        raise ValueError(f"theta must lie in the window {window.tolist()}, got {theta}")
    return window
