"""epsilon-sharpness: how far the loss rises near a minimum, in a ball (Dinh et al. 2017, definition
2) or a box (Keskar et al. 2017).

A maximum over a thousand dimensions cannot be computed for certain. Both functions climb from
several starts and return the highest point that they reached: a lower bound, and the point that
proves it.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from ._validation import (
    Array,
    as_count,
    as_generator,
    as_positive,
    as_real,
    as_vector,
    refuse_tracing,
)
from .hessians import check_value, gradient, hessian_operator
from .losses import Loss
from .spectra import find_length, run_lanczos

# How far a candidate may lie outside of the ball or box, relative to its size, by rounding.
OUTSIDE = 1e-12


class Sharpness(NamedTuple):
    """A lower bound of a sharpness and the point (n,) of the closed ball or box at which the loss
    attains it.
    """

    value: float
    point: Array


class Region(NamedTuple):
    """Where to climb: a convex set around `center`, in coordinates of its own.

    `loss` is a function of these coordinates, `project` takes a point to the nearest one of the
    set, and `radius` is the first step to try.
    """

    loss: Loss
    center: Array
    radius: float
    project: Callable[[Array], Array]


class Subspace(NamedTuple):
    """The directions theta may move in: `embed` takes (p,) to (n,), `coordinates` back."""

    embed: Callable[[Array], Array]
    coordinates: Callable[[Array], Array]
    dimension: int


def epsilon_sharpness(
    loss: Loss,
    theta: ArrayLike,
    epsilon: float,
    *,
    rng: np.random.Generator,
    starts: int = 4,
    steps: int = 200,
    candidates: Iterable[ArrayLike] = (),
) -> Sharpness:
    """Return the largest (L(theta') - L(theta)) / (1 + L(theta)) found over |theta' - theta|_2 <=
    epsilon.

    Projected gradient ascent, at most `steps` steps each, from `theta` plus and minus epsilon along
    the sharpest direction, from `starts` random points of the sphere and from the given
    `candidates`. From a candidate at which the gradient is zero (a kink, with relu'(0) = 0) it also
    starts a little to either side, in a random direction. A maximum over a ball cannot be computed
    for certain: the value is a *lower bound*, attained at `point`. `loss` is at least 0; units
    cancel only if it has none.

    Raises ValueError for epsilon <= 0, a loss that is negative or not finite at theta or not finite
    elsewhere in the ball, or a candidate outside of it.

    >>> rng = np.random.default_rng(0)
    >>> value, _ = epsilon_sharpness(lambda theta: 3 * theta[0] ** 2, [0.0], 0.1, rng=rng)
    >>> round(value, 12)
    0.03
    """
    theta = as_vector("theta", theta)
    epsilon = as_positive("epsilon", epsilon)
    rng = as_generator(rng)
    starts = as_count("starts", starts, least=0)
    height = _check_height(loss, theta)
    candidates = [_as_point_of_ball(point, theta, epsilon) for point in candidates]
    direction = sharpest_direction(loss, theta, rng=rng)
    begin = [theta + epsilon * direction, theta - epsilon * direction]
    for step in rng.normal(size=(starts, len(theta))):
        begin.append(theta + epsilon * step / np.linalg.norm(step))

    def project(point):
        offset = point - theta
        distance = np.linalg.norm(offset)
        return point if distance <= epsilon else theta + offset * (epsilon / distance)

    ball = Region(loss, theta.copy(), epsilon, project)
    highest, point = _climb(ball, height, candidates, begin, steps, rng)
    return Sharpness((highest - height) / (1 + height), point)


def keskar_sharpness(
    loss: Loss,
    theta: ArrayLike,
    epsilon: float,
    *,
    rng: np.random.Generator,
    subspace: ArrayLike | None = None,
    starts: int = 4,
    steps: int = 200,
    candidates: Iterable[ArrayLike] = (),
) -> Sharpness:
    """Return the largest (L(theta + A z) - L(theta)) / (1 + L(theta)) found over |z_i| <= epsilon
    (|(A^+ theta)_i| + 1).

    The box of Keskar et al. (2017), who multiply by 100. `subspace` is A (n, p) of rank p with
    pseudo-inverse A^+; None is their full-space variant, A = I. The value is a *lower bound* as
    for `epsilon_sharpness`, from the same kinds of start: both ends of the sharpest direction
    (measured in sides of the box), `starts` random corners, `candidates` (n,).

    Raises ValueError as `epsilon_sharpness` does, and for a subspace of another shape or of lower
    rank than it has columns.

    >>> rng = np.random.default_rng(0)
    >>> value, _ = keskar_sharpness(lambda theta: 1 + 2 * theta[0], [1.0], 0.1, rng=rng)
    >>> round(value, 12)
    0.1
    """
    theta = as_vector("theta", theta)
    epsilon = as_positive("epsilon", epsilon)
    rng = as_generator(rng)
    starts = as_count("starts", starts, least=0)
    height = _check_height(loss, theta)
    space = _span(subspace, len(theta))
    half_sides = epsilon * (np.abs(space.coordinates(theta)) + 1)

    # The box has the coordinates w, from -1 to 1.
    def point_at(w):
        return theta + space.embed(half_sides * w)

    def loss_at(w):
        return loss(point_at(w))

    def project(w):
        return np.clip(w, -1.0, 1.0)

    center = np.zeros(space.dimension)
    box = Region(loss_at, center, np.sqrt(space.dimension), project)
    candidates = [
        project(_as_point_of_box(point, theta, space, half_sides)) for point in candidates
    ]
    direction = sharpest_direction(loss_at, center, rng=rng)
    direction /= np.abs(direction).max()
    corners = rng.choice([-1.0, 1.0], size=(starts, space.dimension))
    highest, w = _climb(box, height, candidates, [direction, -direction, *corners], steps, rng)
    return Sharpness((highest - height) / (1 + height), point_at(w))


def sharpest_direction(loss: Loss, theta: ArrayLike, *, rng: np.random.Generator) -> Array:
    """Return the unit eigenvector (n,) of the Hessian's largest eigenvalue, by Lanczos iteration
    (scipy).

    Where the Hessian is zero every direction is an eigenvector, and a random one is returned.
    """
    theta = as_vector("theta", theta)
    rng = as_generator(rng)
    if len(theta) == 1:
        return np.ones(1)
    _, vectors = run_lanczos(hessian_operator(loss, theta), 1, "LA", rng)
    return vectors[:, 0]


def as_subspace(subspace: ArrayLike, n: int) -> Array:
    """Return `subspace` as a matrix (n, p) whose p columns are linearly independent."""
    A = as_real("subspace", subspace, shape=(n, None), what="a matrix, a column a direction,")
    rank = np.linalg.matrix_rank(A) if A.size else 0  # older NumPy knows no rank of nothing
    if not 1 <= A.shape[1] == rank:
        raise ValueError(
            f"subspace must have independent columns, 1 to {n} of them, got {A.shape[1]} of rank"
            f" {rank}"
        )
    return A


def _span(subspace, n):
    """Return the `Subspace` that the columns of a matrix span; the whole space for None."""
    if subspace is None:
        return Subspace(lambda z: z, lambda offset: offset, n)
    A = as_subspace(subspace, n)
    inverse = np.linalg.pinv(A)
    return Subspace(lambda z: A @ z, lambda offset: inverse @ offset, A.shape[1])


def _as_point_of_ball(point, theta, epsilon):
    """Return a candidate (n,), which has to lie in the ball."""
    point = as_vector("each of candidates", point, len(theta))
    distance = np.linalg.norm(point - theta)
    if distance > epsilon * (1 + OUTSIDE):
        raise ValueError(
            f"candidates must be at most epsilon from theta, got one at {distance:.6g}"
        )
    return point


def _as_point_of_box(point, theta, space, half_sides):
    """Return the coordinates w (p,) of a candidate (n,), which has to lie in the box."""
    offset = as_vector("each of candidates", point, len(theta)) - theta
    w = space.coordinates(offset) / half_sides
    if np.linalg.norm(space.embed(half_sides * w) - offset) > 1e-9 * np.linalg.norm(offset):
        raise ValueError(
            "candidates must be theta plus a vector of the subspace, got one that is not"
        )
    farthest = np.abs(w).max()
    if farthest > 1 + OUTSIDE:
        raise ValueError(
            f"candidates must lie in the box, got one at {farthest:.6g} times its half side"
        )
    return w


def _check_height(loss, theta):
    """Return L(theta), which has to be at least 0."""
    refuse_tracing("theta", theta)
    height = check_value(loss, theta)
    if height < 0:
        raise ValueError(f"loss must be at least 0 at theta, got {height}")
    return float(height)


def _climb(region, height, candidates, begin, steps, rng):
    """Return the highest (loss, point) that ascents reach, from the candidates, from the points
    beside those of them that are stuck, and from the points of `begin`; the center if none is
    higher.
    """
    steps = as_count("steps", steps)
    begin = [*candidates, *begin, *_step_aside(region, candidates, rng)]
    ends = [(height, region.center)]
    for point in tqdm(begin, desc="ascent", leave=False):
        ends.append(_ascend(region, point, steps))
    return max(ends, key=lambda end: end[0])


def _step_aside(region, points, rng):
    """Return a point to either side of each one at which the gradient vanishes: ascent cannot leave
    a kink by itself.
    """
    stuck = [point for point in points if not gradient(region.loss, point).any()]
    beside = []
    for point in stuck:
        direction = rng.normal(size=len(point))
        step = 1e-3 * region.radius * direction / np.linalg.norm(direction)
        beside += [region.project(point + step), region.project(point - step)]
    return beside


def _ascend(region, point, steps):
    """Return where projected gradient ascent ends, as (loss, point). A step that fails is halved,
    one that raises the loss doubled.
    """
    value = _evaluate(region.loss, point)
    step = region.radius
    for _ in range(steps):
        slope = gradient(region.loss, point)
        higher = _find_higher(region, point, value, slope, step)
        if higher is None:
            break
        value, point, step = higher
        step = min(2 * step, 1e3 * region.radius)
    return value, point


def _find_higher(region, point, value, slope, step):
    """Return (loss, point, step) of the first of ever shorter steps that raises the loss.

    None if none does: the gradient is zero, the point is at the edge, or the region is so small
    that all is rounding.
    """
    size = find_length(slope)
    if size == 0:
        return None
    while step > 1e-14 * region.radius:
        trial = region.project(point + step * slope / size)
        if np.linalg.norm(trial - point) < 1e-12 * region.radius:
            return None
        trial_value = _evaluate(region.loss, trial)
        if trial_value > value:
            return trial_value, trial, step
        step /= 2
    return None


def _evaluate(loss, point):
    value = float(loss(point))
    if not np.isfinite(value):
        raise ValueError(
            f"loss must be finite everywhere in the region, got {value} within epsilon of theta"
        )
    return value
