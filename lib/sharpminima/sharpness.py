"""epsilon-sharpness: how far the loss rises near a minimum, in a ball (Dinh et al. 2017, definition
2) or a box (Keskar et al. 2017).

A maximum over a thousand dimensions cannot be computed for certain. Both functions climb from
several starts and return the highest point that they reached: a lower bound, and the point that
proves it.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse.linalg
from tqdm import tqdm

from ._validation import as_count, as_generator, as_positive, as_real, as_vector, refuse_tracing
from .hessians import check_value, gradient, hessian_operator


class Sharpness(NamedTuple):
    """A lower bound of a sharpness and the point (n,) of the closed ball or box at which the loss
    attains it.
    """

    value: float
    point: np.ndarray


def epsilon_sharpness(loss, theta, epsilon, *, rng, starts=4, steps=200, candidates=()):
    """Return the largest (L(theta') - L(theta)) / (1 + L(theta)) found over |theta' - theta|_2 <=
    epsilon.

    Projected gradient ascent, at most `steps` steps each, from `theta` plus and minus epsilon along
    the sharpest direction, from `starts` random points of the sphere and from the given
    `candidates`. A candidate at which the gradient is zero (a kink, with relu'(0) = 0) is left in
    both senses of a random direction as well. A maximum over a ball is not to be had for certain:
    the value is a **lower bound**, attained at `point`. `loss` is at least 0; units cancel only if
    it has none.

    Raises ValueError for epsilon <= 0, a loss that is negative or not finite at theta or not finite
    elsewhere in the ball, or a candidate outside of it.

    >>> value, _ = epsilon_sharpness(lambda theta: 3 * theta[0] ** 2, [0.0], 0.1, rng=np.random.default_rng(0))
    >>> round(value, 12)
    0.03
    """
    theta, epsilon, rng = (
        as_vector("theta", theta),
        as_positive("epsilon", epsilon),
        as_generator(rng),
    )
    height = _height(loss, theta)
    begin = [as_vector("each of candidates", point, len(theta)) for point in candidates]
    for point in begin:
        if np.linalg.norm(point - theta) > epsilon * (1 + 1e-12):
            raise ValueError(
                "candidates must be at most epsilon from theta, got one at"
                f" {np.linalg.norm(point - theta):.6g}"
            )
    direction = sharpest_direction(loss, theta, rng=rng)
    begin += [theta + epsilon * direction, theta - epsilon * direction]
    for step in rng.normal(size=(as_count("starts", starts, least=0), len(theta))):
        begin.append(theta + epsilon * step / np.linalg.norm(step))

    def project(point):
        offset = point - theta
        distance = np.linalg.norm(offset)
        return point if distance <= epsilon else theta + offset * (epsilon / distance)

    begin += _ways_off(loss, begin[: len(candidates)], epsilon, project, rng)
    highest, best = max(
        (height, theta.copy()),
        _climb(loss, begin, project, epsilon, as_count("steps", steps)),
        key=_value,
    )
    return Sharpness((highest - height) / (1 + height), best)


def keskar_sharpness(
    loss, theta, epsilon, *, rng, subspace=None, starts=4, steps=200, candidates=()
):
    """Return the largest (L(theta + A z) - L(theta)) / (1 + L(theta)) found over |z_i| <= epsilon
    (|(A^+ theta)_i| + 1).

    The box of Keskar et al. (2017), who multiply by 100. `subspace` is A (n, p) of rank p with
    pseudo-inverse A^+; None is their full-space variant, A = I. The value is a **lower bound** as
    for `epsilon_sharpness`, from the same kinds of start: both ends of the sharpest direction
    (measured in sides of the box), `starts` random corners, `candidates` (n,).

    Raises ValueError as `epsilon_sharpness` does, and for a subspace of another shape or of lower
    rank than it has columns.

    >>> value, _ = keskar_sharpness(lambda theta: 1 + 2 * theta[0], [1.0], 0.1, rng=np.random.default_rng(0))
    >>> round(value, 12)
    0.1
    """
    theta, epsilon, rng = (
        as_vector("theta", theta),
        as_positive("epsilon", epsilon),
        as_generator(rng),
    )
    height = _height(loss, theta)
    embed, coordinates, p = _coordinates(subspace, len(theta))
    sides = epsilon * (np.abs(coordinates(theta)) + 1)

    def point_at(w):
        return theta + embed(sides * w)

    def inside(w):
        return loss(point_at(w))

    def project(w):
        return np.clip(w, -1.0, 1.0)

    begin = []
    for point in candidates:
        offset = as_vector("each of candidates", point, len(theta)) - theta
        w = coordinates(offset) / sides
        if np.linalg.norm(embed(sides * w) - offset) > 1e-9 * np.linalg.norm(offset):
            raise ValueError(
                "candidates must be theta plus a vector of the subspace, got one that is not"
            )
        if np.abs(w).max() > 1 + 1e-12:
            raise ValueError(
                f"candidates must lie in the box, got one at {np.abs(w).max():.6g} times its half"
                " side"
            )
        begin.append(project(w))
    direction = sharpest_direction(inside, np.zeros(p), rng=rng)
    direction /= np.abs(direction).max()
    begin += [
        direction,
        -direction,
        *rng.choice([-1.0, 1.0], size=(as_count("starts", starts, least=0), p)),
    ]
    begin += _ways_off(inside, begin[: len(candidates)], np.sqrt(p), project, rng)
    highest, best = max(
        (height, np.zeros(p)),
        _climb(inside, begin, project, np.sqrt(p), as_count("steps", steps)),
        key=_value,
    )
    return Sharpness((highest - height) / (1 + height), point_at(best))


def sharpest_direction(loss, theta, *, rng):
    """Return the unit eigenvector (n,) of the Hessian's largest eigenvalue, by Lanczos iteration
    (scipy).

    Where the Hessian is zero every direction is an eigenvector, and a random one is returned.
    """
    theta, rng = as_vector("theta", theta), as_generator(rng)
    n = len(theta)
    if n == 1:
        return np.ones(1)
    operator = hessian_operator(loss, theta)
    if n == 2:  # Lanczos needs room for a second vector
        return np.linalg.eigh(operator @ np.eye(2))[1][:, -1]
    start = rng.normal(size=n)
    if not (operator @ start).any():
        return start / np.linalg.norm(start)
    _, vectors = scipy.sparse.linalg.eigsh(operator, k=1, which="LA", v0=start)
    return vectors[:, 0]


def as_subspace(subspace, n):
    """Return `subspace` as a matrix (n, p) whose p columns are linearly independent."""
    A = as_real("subspace", subspace, shape=(n, None), what="a matrix, a column a direction,")
    if not 1 <= A.shape[1] == np.linalg.matrix_rank(A):
        raise ValueError(
            f"subspace must have independent columns, 1 to {n} of them, got {A.shape[1]} of rank"
            f" {np.linalg.matrix_rank(A)}"
        )
    return A


def _coordinates(subspace, n):
    """Return z -> A z, the pseudo-inverse theta -> A^+ theta, and the number p of coordinates."""
    if subspace is None:
        return lambda z: z, lambda offset: offset, n
    A = as_subspace(subspace, n)
    inverse = np.linalg.pinv(A)
    return lambda z: A @ z, lambda offset: inverse @ offset, A.shape[1]


def _height(loss, theta):
    """Return L(theta), which has to be at least 0."""
    refuse_tracing("theta", theta)
    height = check_value(loss, theta)
    if height < 0:
        raise ValueError(f"loss must be at least 0 at theta, got {height}")
    return float(height)


def _ways_off(loss, points, radius, project, rng):
    """Return a point to either side of each one at which the gradient vanishes: ascent cannot leave
    a kink by itself.
    """
    stuck = [point for point in points if not gradient(loss, point).any()]
    aside = [
        1e-3 * radius * step / np.linalg.norm(step)
        for step in (rng.normal(size=len(point)) for point in stuck)
    ]
    return [
        project(point + sign * step)
        for point, step in zip(stuck, aside, strict=True)
        for sign in (1, -1)
    ]


def _climb(loss, begin, project, radius, steps):
    """Return the highest end (loss, point) of the ascents from all points of `begin`."""
    ends = [
        _ascend(loss, point, project, radius, steps)
        for point in tqdm(begin, desc="ascent", leave=False)
    ]
    return max(ends, key=_value)


def _value(end):
    return end[0]


def _ascend(loss, point, project, radius, steps):
    """Return where projected gradient ascent ends, as (loss, point). A step that fails is halved,
    one that raises the loss doubled.
    """
    value, step = _value_inside(loss, point), radius
    for _ in range(steps):
        slope = gradient(loss, point)
        size = np.linalg.norm(slope)
        if size == 0:
            break
        while step > 1e-14 * radius:
            trial = project(point + step * slope / size)
            if np.linalg.norm(trial - point) < 1e-12 * radius:
                return value, point
            trial_value = _value_inside(loss, trial)
            if trial_value > value:
                break
            step /= 2
        else:  # a ball so small that rounding moves every trial by more than 1e-12 of it
            break
        point, value, step = trial, trial_value, min(2 * step, 1e3 * radius)
    return value, point


def _value_inside(loss, point):
    value = float(loss(point))
    if not np.isfinite(value):
        raise ValueError(
            f"loss must be finite wherever it is asked for, got {value} within epsilon of theta"
        )
    return value
