"""epsilon-sharpness: how far the loss rises in a ball around a minimum (Dinh et al. 2017, definition 2; Keskar et al. 2017)."""

from typing import NamedTuple

import numpy as np
import scipy.sparse.linalg
from tqdm import tqdm

from ._validation import as_count, as_generator, as_positive, as_vector
from .hessians import gradient, hvp


class Sharpness(NamedTuple):
    """A lower bound of the epsilon-sharpness and the point (n,) of the closed ball at which the loss attains it."""

    value: float
    point: np.ndarray


def epsilon_sharpness(loss, theta, epsilon, *, rng, starts=4, steps=200, candidates=()):
    """Return the largest (L(theta') - L(theta)) / (1 + L(theta)) found over |theta' - theta|_2 <= epsilon.

    Projected gradient ascent from `theta` plus and minus epsilon along the sharpest direction, from `starts` random points
    of the sphere and from the given `candidates`. A maximum over a ball is not to be had for certain: the value is a
    **lower bound**, attained at `point`. `loss` is at least 0; units cancel only if it has none. Keskar et al. multiply by 100.

    Raises ValueError for epsilon <= 0, a loss that is negative or not finite at theta, or a candidate outside the ball.

    >>> value, _ = epsilon_sharpness(lambda theta: 3 * theta[0] ** 2, [0.0], 0.1, rng=np.random.default_rng(0))
    >>> round(value, 12)
    0.03
    """
    theta, epsilon, rng = as_vector("theta", theta), as_positive("epsilon", epsilon), as_generator(rng)
    height = loss(theta)
    if not (np.isfinite(height) and height >= 0):
        raise ValueError(f"loss must be finite and at least 0 at theta, got {height}")
    begin = [as_vector("each of candidates", point, len(theta)) for point in candidates]
    for point in begin:
        if np.linalg.norm(point - theta) > epsilon * (1 + 1e-12):
            raise ValueError(f"candidates must be at most epsilon from theta, got one at {np.linalg.norm(point - theta):.6g}")
    direction = sharpest_direction(loss, theta, rng=rng)
    begin += [theta + epsilon * direction, theta - epsilon * direction]
    for step in rng.normal(size=(as_count("starts", starts, least=0), len(theta))):
        begin.append(theta + epsilon * step / np.linalg.norm(step))
    steps = as_count("steps", steps)
    found = [_ascend(loss, theta, epsilon, point, steps) for point in tqdm(begin, desc="ascent", leave=False)]
    highest, best = max(found, key=lambda end: end[0])
    return Sharpness(float((highest - height) / (1 + height)), best)


def sharpest_direction(loss, theta, *, rng):
    """Return the unit eigenvector (n,) of the Hessian's largest eigenvalue, by Lanczos iteration (scipy) on `hvp`."""
    theta, rng = as_vector("theta", theta), as_generator(rng)
    n = len(theta)
    if n == 1:
        return np.ones(1)
    operator = scipy.sparse.linalg.LinearOperator((n, n), matvec=lambda v: hvp(loss, theta, v.ravel()), dtype=float)
    if n == 2:  # Lanczos needs room for a second vector
        return np.linalg.eigh(operator @ np.eye(2))[1][:, -1]
    _, vectors = scipy.sparse.linalg.eigsh(operator, k=1, which="LA", v0=rng.normal(size=n))
    return vectors[:, 0]


def _ascend(loss, center, radius, point, steps):
    """Where projected gradient ascent in the ball ends, as (loss, point). A step that fails is halved, one that raises the loss doubled."""
    value, step = loss(point), radius
    for _ in range(steps):
        slope = gradient(loss, point)
        size = np.linalg.norm(slope)
        if size == 0:
            break
        while step > 1e-14 * radius:
            trial = _project(point + step * slope / size, center, radius)
            trial_value = loss(trial)
            if trial_value > value:
                break
            step /= 2
        else:
            break
        moved, point, value, step = np.linalg.norm(trial - point), trial, trial_value, 2 * step
        if moved < 1e-12 * radius:
            break
    return value, point


def _project(point, center, radius):
    offset = point - center
    distance = np.linalg.norm(offset)
    return point if distance <= radius else center + offset * (radius / distance)
