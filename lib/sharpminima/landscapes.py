"""Deep networks with skip connections, and two-dimensional sections of a loss (slides 1; Li et al.
2018).

A section shows the loss on the plane through a parameter along two directions. Random directions
are *filter-normalized*: each filter of a direction, here the incoming weights of a unit, is as long
as the network's own.
"""

import numpy as onp
from scipy.ndimage import minimum_filter
from tqdm import tqdm

from ._validation import as_generator, as_real, as_vector
from .networks import as_params, ravel


def filter_direction(params, *, rng):
    """Return a random direction (n,), Gaussian and filter-normalized: each unit's incoming weights
    as long as its own.

    Li et al. (2018), section 4; biases are left alone, the direction is 0 there. A twin by T_alpha
    has twin directions; one by `node_scale` has not, for the next layer's filters are stretched
    unevenly.
    """
    params, rng = as_params(params), as_generator(rng)
    direction = []
    for weight, bias in params:
        drawn = rng.normal(size=weight.shape)
        drawn *= onp.linalg.norm(weight, axis=0) / onp.linalg.norm(drawn, axis=0)
        direction.append((drawn, None if bias is None else onp.zeros_like(bias)))
    return ravel(direction)


def landscape(loss, theta, first, second, steps):
    """Return the loss on a plane, (len(steps), len(steps)): entry [i, j] is loss(theta + steps[j]
    first + steps[i] second).

    Nothing is interpolated: each entry is one call of `loss`. Raises ValueError for vectors of
    different lengths or a loss that is not finite somewhere on the grid.
    """
    theta = as_vector("theta", theta)
    first, second = as_vector("first", first, len(theta)), as_vector("second", second, len(theta))
    steps = as_vector("steps", steps)
    rows = tqdm(steps, desc="landscape", unit="row", leave=False)
    values = onp.array([[loss(theta + a * first + b * second) for a in steps] for b in rows])
    return as_real("loss on the plane", values)


def local_minima(values):
    """Return the number of inner points of a grid (rows, columns) of losses that lie below all
    their eight neighbours.

    >>> local_minima([[2, 2, 2], [2, 1, 2], [2, 2, 2]])
    1
    """
    values = as_grid(values)
    ring = onp.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
    below = values < minimum_filter(values, footprint=ring)
    return int(below[1:-1, 1:-1].sum())


def nonconvex_share(values):
    """Return the share of inner points of an evenly spaced grid of losses at which the second
    differences are not convex.

    There the 2 x 2 matrix of second differences has a negative eigenvalue: some direction in the
    plane bends down.

    >>> nonconvex_share([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    0.0
    >>> nonconvex_share([[0, -1, 0], [1, 0, 1], [0, -1, 0]])
    1.0
    """
    values = as_grid(values)
    middle = values[1:-1, 1:-1]
    across = values[1:-1, 2:] - 2 * middle + values[1:-1, :-2]
    along = values[2:, 1:-1] - 2 * middle + values[:-2, 1:-1]
    mixed = (values[2:, 2:] - values[2:, :-2] - values[:-2, 2:] + values[:-2, :-2]) / 4
    lowest = (across + along) / 2 - onp.hypot((across - along) / 2, mixed)
    return float(onp.mean(lowest < 0))


def as_grid(values):
    """Return `values` as a matrix with inner points."""
    values = as_real("values", values, shape=(None, None), what="a grid of losses")
    if min(values.shape) < 3:
        raise ValueError(
            "values must have inner points, at least three rows and columns, got shape"
            f" {values.shape}"
        )
    return values
