"""Volume flatness: how much of parameter space has nearly the loss of a minimum (Dinh et al. 2017,
definition 1, theorem 2).

C(L, theta, epsilon) is the largest connected set that contains theta and on which L < L(theta) +
epsilon. Its volume is what Hochreiter and Schmidhuber (1997) call flatness. On a grid, in up to
three dimensions, it is computed inside a window, and its mass under a Gaussian prior without one.
In any dimension a box around theta is proved to lie in C, by interval arithmetic.
"""

from typing import NamedTuple

import numpy as np
import scipy.ndimage
import scipy.optimize
import scipy.special

from ._validation import as_count, as_positive, as_real, as_vector
from .losses import NetworkLoss
from .networks import Layer

CELLS = {1: 4096, 2: 256, 3: 64}

# The coordinate in which cells are equally long, and its inverse.
SPACINGS = {"linear": (lambda t: t, lambda u: u), "log": (np.log, np.exp)}

# One ulp of 1, twice the largest relative error of an operation: the factor 2 pays for terms of
# second order. TINY pays for underflow.
EPS, TINY = np.finfo(float).eps, 1e-300


class Volume(NamedTuple):
    """The volume of C inside the window (a length in one dimension), and whether C reaches the
    window's edge.
    """

    value: float
    reaches_edge: bool


def flatness_volume(loss, theta, epsilon, *, window, resolution=None, spacing="linear"):
    """Return the `Volume` of the part of C(L, theta, epsilon) that is connected to `theta` inside
    the `window`.

    `theta` is (n,) with n at most 3, `window` (n, 2) the lower and upper ends, `epsilon` in the
    unit of the loss. The window is cut into `resolution` cells a side (4096, 256, 64 for n = 1, 2,
    3), equally long or, with `spacing="log"`, equally long on a logarithmic axis; a cell counts
    when the loss at its center is below the level. In one dimension the two ends are then found by
    Brent's method (scipy), to rounding. A barrier or a bridge that is thinner than a cell can be
    missed.

    Raises ValueError for n > 3, epsilon <= 0, an empty window, a theta outside it, an end that is
    not positive with `spacing="log"`, a loss that is not finite at theta, and a window so coarse
    that the cell of theta itself does not count.

    >>> flatness_volume(lambda theta: theta[0] ** 2, [0.0], 0.25, window=[(-2, 2)])
    Volume(value=1.0, reaches_edge=False)
    """
    theta = as_vector("theta", theta)
    window = as_window(window, theta)
    if spacing not in SPACINGS:
        raise ValueError(f"spacing must be one of {', '.join(SPACINGS)}, got {spacing!r}")
    if spacing == "log" and (window <= 0).any():
        raise ValueError(f"window must have positive ends for spacing='log', got {window.tolist()}")
    return _measure(loss, theta, epsilon, window, resolution, SPACINGS[spacing], lambda t: t)


def prior_mass(loss, theta, epsilon, *, scale=1.0, resolution=None):
    """Return the probability of C(L, theta, epsilon) under the prior that draws each parameter from
    N(0, scale^2).

    As `flatness_volume`, in up to three dimensions, but over all of parameter space: the cells are
    equally probable, and the outermost ones unbounded. It is the volume of C in the coordinates in
    which the prior is uniform, so it is at most 1.

    Raises ValueError as `flatness_volume` does, and for scale <= 0.

    >>> round(prior_mass(lambda theta: theta[0] ** 2, [0.0], 4.0), 6)  # two standard deviations
    0.9545
    """
    theta, scale = as_vector("theta", theta), as_positive("scale", scale)
    window = np.tile([-np.inf, np.inf], (len(theta), 1))

    def to(t):
        return scipy.special.ndtr(t / scale)

    return _measure(
        loss, theta, epsilon, window, resolution, (to, lambda u: scale * scipy.special.ndtri(u)), to
    ).value


def _measure(loss, theta, epsilon, window, resolution, spacing, measure):
    """The `Volume` in the window, with cells equal in the coordinate `spacing` and of the size that
    `measure` gives their ends.
    """
    epsilon, n = as_positive("epsilon", epsilon), len(theta)
    if n not in CELLS:
        raise ValueError(f"theta must have 1 to 3 entries for its volume to be computed, got {n}")
    cells = CELLS[n] if resolution is None else as_count("resolution", resolution, least=2)
    height = loss(theta)
    if not np.isfinite(height):
        raise ValueError(f"loss must be finite at theta, got {height}")
    to, back = spacing
    ruler = np.linspace(*to(window.T), 2 * cells + 1)  # ends and centers in turn
    edges, centers = back(ruler[::2]), back(ruler[1::2])
    edges[[0, -1]] = window.T
    grid = np.stack(np.meshgrid(*centers.T, indexing="ij"), axis=-1).reshape(-1, n)
    below = np.array([loss(point) < height + epsilon for point in grid]).reshape(n * (cells,))
    labels, _ = scipy.ndimage.label(below)
    home = labels[
        tuple(
            min(np.searchsorted(edges[:, k], theta[k], side="right") - 1, cells - 1)
            for k in range(n)
        )
    ]
    if home == 0:
        raise ValueError(
            f"resolution must be higher: the cell of theta is not below the level at {cells} cells"
            " a side"
        )
    component = labels == home
    reaches_edge = any(bool(component.take([0, -1], axis=k).any()) for k in range(n))
    if n == 1:
        ends = _ends(loss, height + epsilon, centers[:, 0], np.flatnonzero(component), window[0])
        return Volume(float(np.diff(measure(ends))[0]), reaches_edge)
    total = component
    for sides in np.diff(measure(edges), axis=0).T:  # sum over one axis after the other
        total = np.tensordot(sides, total, axes=(0, 0))
    return Volume(float(total), reaches_edge)


def _ends(loss, level, centers, inside, window):
    """The ends of the interval around the cells `inside`, each between the last cell inside and the
    first outside.
    """

    def end(last, first_out, edge):
        if not 0 <= first_out < len(centers):
            return edge
        return scipy.optimize.brentq(
            lambda t: loss(np.array([t])) - level, centers[last], centers[first_out], xtol=1e-15
        )

    return np.array(
        [end(inside[0], inside[0] - 1, window[0]), end(inside[-1], inside[-1] + 1, window[1])]
    )


def as_window(window, theta):
    """Return `window` as (n, 2), each row from low to high, with `theta` inside."""
    window = as_real(
        "window", window, shape=(len(theta), 2), what="an array of lower and upper ends"
    )
    if not (window[:, 0] < window[:, 1]).all():
        raise ValueError(
            f"window must have each lower end below its upper end, got {window.tolist()}"
        )
    if not ((window[:, 0] <= theta) & (theta <= window[:, 1])).all():
        raise ValueError(f"theta must lie in the window {window.tolist()}, got {theta}")
    return window


class Bounds(NamedTuple):
    """Two numbers between which a value lies, proved in floating point: every rounding error is on
    the safe side.
    """

    lower: float
    upper: float


def box_radius(loss, theta, epsilon):
    """Return an r such that the box |theta'_i - theta_i| <= r is proved to lie in C(L, theta,
    epsilon).

    It is the largest r, to six digits, for which `loss_bounds` proves L < L(theta) + epsilon; the
    largest box in C may be much larger. `loss` is a `NetworkLoss`, `epsilon` in the unit of the
    loss. Raises ValueError for epsilon <= 0, and for one so small that it drowns in the rounding of
    the loss.

    >>> round(box_radius(NetworkLoss((1, 1), [[1.0]], [0.0]), [0.0], 0.125), 6)  # theta^2 / 2 < 1/8
    0.5
    """
    epsilon, here = as_positive("epsilon", epsilon), loss_bounds(loss, theta, 0.0)
    level = _down(here.lower + epsilon)
    if not here.upper < level:
        raise ValueError(
            f"epsilon must exceed the rounding of the loss at theta, {here.upper - here.lower:.2g},"
            f" got {epsilon}"
        )
    low, high = -300.0, 300.0  # decimal exponents of r
    while high - low > 4e-7:
        middle = (low + high) / 2
        if loss_bounds(loss, theta, 10.0**middle).upper < level:
            low = middle
        else:
            high = middle
    return 10.0**low


def loss_bounds(loss, theta, radius):
    """Return the `Bounds` of a `NetworkLoss` over the box |theta'_i - theta_i| <= radius_i:
    interval arithmetic, layer by layer.

    `radius` is one number or (n,); zero bounds the rounding error of the loss at `theta` itself.
    What a sum of n products may lose to rounding is added a priori: at most n eps sum |a||b|, in
    whatever order BLAS adds. Nothing is assumed of the machine but IEEE arithmetic, matrix products
    by sums of products, and for cross-entropy NumPy's exp and log within 4 units in the last place.

    Raises ValueError for a loss that is no `NetworkLoss`, shapes that don't fit, a negative radius.

    >>> bounds = loss_bounds(NetworkLoss((1, 1, 1), [[1.0]], [1.0]), [1.0, 1.0], 0.5)
    >>> round(bounds.upper, 9), bounds.upper >= (1.5 * 1.5 - 1) ** 2 / 2
    (0.78125, True)
    """
    if not isinstance(loss, NetworkLoss):
        raise ValueError(
            f"loss must be a NetworkLoss, whose layers can be bounded, got {type(loss).__name__}"
        )
    theta, radius = as_vector("theta", theta, loss.size), as_real("radius", radius)
    if radius.shape not in ((), theta.shape) or (radius < 0).any():
        raise ValueError(
            f"radius must be a number of at least 0 or {loss.size} of them, got {radius}"
        )
    centers, spreads = loss.layers(theta), loss.layers(np.broadcast_to(radius, theta.shape))
    low = high = np.hstack(
        [np.maximum(loss.x, 0), np.maximum(-loss.x, 0)]
    )  # x = x+ - x-: below, no input is negative
    with np.errstate(over="ignore", invalid="ignore"):
        for k, (center, spread) in enumerate(zip(centers, spreads, strict=True)):
            if k == 0:
                center = Layer(np.vstack([center.weight, -center.weight]), center.bias)
                spread = Layer(np.vstack([spread.weight, spread.weight]), spread.bias)
            else:
                low, high = np.maximum(low, 0), np.maximum(high, 0)  # the rectifier, exactly
            low, high = _affine_bounds(low, high, center, spread)
        criterion = (
            _squared_error_bounds if loss.criterion == "squared_error" else _cross_entropy_bounds
        )
        lower, upper = (float(bound) for bound in criterion(low, high, loss.y))
    # NaN, after overflow, bounds nothing.
    return Bounds(lower if lower > -np.inf else -np.inf, upper if upper < np.inf else np.inf)


def _affine_bounds(low, high, center, spread):
    """Bounds of h @ weight + bias for all h from `low` >= 0 to `high` and all weights and biases
    within `spread` of the center's.
    """
    if center.bias is not None:  # a bias is the weight of an input that is always 1
        one = np.ones((len(low), 1))
        low, high = np.hstack([low, one]), np.hstack([high, one])
    weight, reach = (
        np.vstack([part for part in parts if part is not None]) for parts in (center, spread)
    )
    least, most = _down(weight - reach), _up(weight + reach)
    lower = low @ np.maximum(least, 0) + high @ np.minimum(least, 0)
    upper = high @ np.maximum(most, 0) + low @ np.minimum(most, 0)
    rounding = 2 * (len(weight) + 4) * EPS * (high @ np.maximum(np.abs(least), np.abs(most))) + TINY
    return _down(lower - rounding), _up(upper + rounding)


def _squared_error_bounds(low, high, y):
    low, high = _down(low - y), _up(high - y)
    nearest, farthest = np.maximum(0, np.maximum(low, -high)), np.maximum(-low, high)
    slack = 2 * (y.size + 8) * EPS
    lower, upper = (np.sum(end**2) / (2 * len(y)) for end in (nearest, farthest))
    return max(0.0, lower * (1 - slack) - TINY), upper * (1 + slack) + TINY


def _cross_entropy_bounds(low, high, y):
    """log sum_j exp(z_j) - z_c falls with z_c and rises with every other z_j; the loss is its mean
    with the weights y_c.
    """
    n_samples, n_classes = y.shape
    own = np.eye(n_classes, dtype=bool)
    # How far y is from adding up to one counts as well, times log sum_j exp(z_j).
    defect = np.abs(1 - y.sum(axis=1)) + n_classes * EPS * ~np.isin(y, (0, 1)).all(axis=1)
    defect = np.mean(
        defect * (np.maximum(np.abs(low), np.abs(high)).max(axis=1) + np.log(n_classes))
    ) * (1 + 1e-9)
    ends = []
    for gap in (
        _down(low[:, None, :] - high[:, :, None]),
        _up(high[:, None, :] - low[:, :, None]),
    ):  # z_j - z_c
        gap = np.where(own, 0.0, gap)
        top = gap.max(axis=2)
        ends.append(
            np.mean(np.sum(y * (top + np.log(np.exp(gap - top[:, :, None]).sum(axis=2))), axis=1))
        )
    lower, upper = ends
    slack = 4 * (y.size + n_classes + 16) * EPS
    return lower - slack * (1 + lower) - defect, upper + slack * (1 + upper) + defect


def _down(a):
    return np.nextafter(a, -np.inf)


def _up(a):
    return np.nextafter(a, np.inf)
