"""Keskar's sharpness itself, a maximum over a box of finite size, between two proved bounds."""

import numpy as np
from numpy.typing import ArrayLike

from .._validation import as_positive, as_vector
from ..flatness import Bounds, loss_bounds
from ..losses import NetworkLoss, as_layered_value
from ..sharpness import keskar_sharpness


def keskar_bounds(
    loss: NetworkLoss,
    theta: ArrayLike,
    epsilon: float = 1e-3,
    *,
    rng: np.random.Generator,
    starts: int = 4,
) -> Bounds:
    """Return `Bounds` of 100 max (L(theta + z) - L(theta)) / (1 + L(theta)) over the box |z_i| <=
    epsilon (|theta_i| + 1).

    The measure of Keskar et al. (2017), full space. To maximize over a box is NP-hard in general,
    so it has no value here but a bracket: from below the loss at a point that ascent finds
    (`keskar_sharpness`), from above interval arithmetic over the box (`loss_bounds`). Both ends are
    proved in floating point. Where the brackets of two twins have no common point, the measure has
    two values for one function.

    Raises ValueError as `keskar_sharpness` and `loss_bounds` do.

    >>> from sharpminima.losses import NetworkLoss
    >>> loss = NetworkLoss((1, 1), [[1.0]], [1.0])  # (theta - 1)² / 2, whose box is 0.002 wide
    >>> bounds = keskar_bounds(loss, [1.0], rng=np.random.default_rng(0))
    >>> bounds.lower <= 100 * 0.002**2 / 2 <= bounds.upper, round(bounds.upper, 7)
    (True, 0.0002)
    """
    loss = as_layered_value(loss)
    theta = as_vector("theta", theta, loss.size)
    epsilon = as_positive("epsilon", epsilon)
    here = loss_bounds(loss, theta, 0.0)
    _, highest = keskar_sharpness(loss, theta, epsilon, rng=rng, starts=starts)
    half_sides = epsilon * (np.abs(theta) + 1)
    # The roundings of half_sides and of what is made of it: a point that is in the box for
    # certain, and a box that holds it.
    step = np.clip(highest - theta, -half_sides, half_sides) * (1 - 4e-16)
    found = loss_bounds(loss, np.nextafter(theta + step, theta), 0.0)
    box = loss_bounds(loss, theta, np.nextafter(half_sides * (1 + 4e-16), np.inf))
    return Bounds(_find_least_share(found.lower, here), _find_largest_share(box.upper, here))


def _find_least_share(value, here):
    """Return at most 100 (value - L) / (1 + L), for every L between the bounds `here`."""
    share = 100 * (value - here.upper) / (1 + here.upper)
    return max(0.0, float(share * (1 - 1e-14) - 1e-300))


def _find_largest_share(value, here):
    """Return at least 100 (value - L) / (1 + L), for every L between the bounds `here`."""
    share = 100 * (value - here.lower) / (1 + here.lower)
    return float(share * (1 + 1e-14) + 1e-300)
