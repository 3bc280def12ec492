"""Two-dimensional sections of a loss (slides 1; Li et al. 2018).

A section shows the loss on the plane through a parameter along two directions. Random directions
are *filter-normalized*: each filter of a direction, here the incoming weights of a unit, is as long
as the network's own.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import minimum_filter
from tqdm import tqdm

from ._validation import Array, as_generator, as_real, as_vector
from .hessians import check_value
from .losses import Loss
from .networks import Layer, Params, as_params, ravel


def filter_direction(params: Params, *, rng: np.random.Generator) -> Array:
    """Return a random direction (n,), Gaussian and filter-normalized: each unit's incoming weights
    as long as its own.

    Li et al. (2018), section 4; biases are left alone, the direction is 0 there. A twin by T_alpha
    has twin directions. A twin by `node_scale` does not, because the filters of the next layer are
    stretched unevenly.
    """
    params = as_params(params)
    rng = as_generator(rng)
    direction = []
    for weight, bias in params:
        drawn = rng.normal(size=weight.shape)
        drawn *= np.linalg.norm(weight, axis=0) / np.linalg.norm(drawn, axis=0)
        direction.append(Layer(drawn, None if bias is None else np.zeros_like(bias)))
    return ravel(direction)


def landscape(
    loss: Loss, theta: ArrayLike, first: ArrayLike, second: ArrayLike, steps: ArrayLike
) -> Array:
    """Return the loss on a plane, (len(steps), len(steps)): entry [i, j] is loss(theta + steps[j]
    first + steps[i] second).

    Nothing is interpolated: each entry is one call of `loss`. Raises ValueError for vectors of
    different lengths or a loss that is not finite somewhere on the grid.

    >>> landscape(lambda theta: theta @ theta, [0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 1.0])
    array([[0., 1.],
           [4., 5.]])
    """
    theta = as_vector("theta", theta)
    first = as_vector("first", first, len(theta))
    second = as_vector("second", second, len(theta))
    steps = as_vector("steps", steps)
    if len(steps) == 0:
        raise ValueError("steps must be at least one, got none")
    check_value(loss, theta)
    rows = []
    for up in tqdm(steps, desc="landscape", unit="row", leave=False):
        rows.append([loss(theta + across * first + up * second) for across in steps])
    shape = (len(steps), len(steps))
    return as_real("loss on the plane", rows, shape=shape, what="numbers, an array")


def local_minima(values: ArrayLike) -> int:
    """Return the number of inner points of a grid (rows, columns) of losses that lie below all
    their eight neighbours.

    >>> local_minima([[2, 2, 2], [2, 1, 2], [2, 2, 2]])
    1
    """
    values = as_grid(values)
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
    is_minimum = values < minimum_filter(values, footprint=ring)
    return int(is_minimum[1:-1, 1:-1].sum())


def nonconvex_share(values: ArrayLike) -> float:
    """Return the share of inner points of an evenly spaced grid of losses at which the loss bends
    down in some direction of the plane.

    There the 2 x 2 matrix of second differences has a negative eigenvalue.

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
    lowest = (across + along) / 2 - np.hypot((across - along) / 2, mixed)
    return float(np.mean(lowest < 0))


def as_grid(values: ArrayLike) -> Array:
    """Return `values` as a matrix with inner points."""
    values = as_real("values", values, shape=(None, None), what="a grid of losses")
    if min(values.shape) < 3:
        raise ValueError(
            "values must have inner points, at least three rows and columns, got shape"
            f" {values.shape}"
        )
    return values
