"""Volume flatness: how much of parameter space has nearly the loss of a minimum (Dinh et al. 2017,
definition 1, theorem 2).

C(L, theta, epsilon) is the largest connected set that contains theta and on which L < L(theta) +
epsilon. Its volume is what Hochreiter and Schmidhuber (1997) call flatness. On a grid, in up to
three dimensions, it is computed inside a window, and its mass under a Gaussian prior without one.
In any dimension a box around theta is proved to lie in C, by interval arithmetic.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.ndimage
import scipy.optimize
import scipy.special
from numpy.typing import ArrayLike

from ._validation import Array, as_choice, as_count, as_positive, as_real, as_vector
from .hessians import check_value
from .losses import Loss, NetworkLoss, as_layered_value
from .networks import Layer

# Cells a side, by the number of dimensions.
CELLS = {1: 4096, 2: 256, 3: 64}

# One ulp of 1 is twice the largest relative error of an operation. The factor 2 covers the terms of
# second order, and TINY covers underflow.
EPS = np.finfo(float).eps
TINY = 1e-300

# Decimal exponents: where the radius of a box is searched, and to what precision.
SMALLEST_RADIUS, LARGEST_RADIUS, RADIUS_PRECISION = -300.0, 300.0, 4e-7


class Axis(NamedTuple):
    """How an axis is cut into cells: `place` takes a parameter to the coordinate in which the cells
    are equally long, `invert` takes it back.
    """

    place: Callable[[Array], Array]
    invert: Callable[[Array], Array]


AXES = {"linear": Axis(lambda t: t, lambda u: u), "log": Axis(np.log, np.exp)}


class Volume(NamedTuple):
    """The volume of C inside the window (a length in one dimension), and whether C reaches the
    window's edge.
    """

    value: float
    reaches_edge: bool


def flatness_volume(
    loss: Loss,
    theta: ArrayLike,
    epsilon: float,
    *,
    window: ArrayLike,
    resolution: int | None = None,
    spacing: str = "linear",
) -> Volume:
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
    as_choice("spacing", spacing, AXES)
    if spacing == "log" and (window <= 0).any():
        raise ValueError(f"window must have positive ends for spacing='log', got {window.tolist()}")
    return _find_volume(loss, theta, epsilon, window, resolution, AXES[spacing], lambda t: t)


def prior_mass(
    loss: Loss,
    theta: ArrayLike,
    epsilon: float,
    *,
    scale: float = 1.0,
    resolution: int | None = None,
) -> float:
    """Return the probability of C(L, theta, epsilon) under the prior that draws each parameter from
    N(0, scale^2).

    As `flatness_volume`, in up to three dimensions, but over all of parameter space: the cells are
    equally probable, and the outermost ones unbounded. It is the volume of C in the coordinates in
    which the prior is uniform, so it is at most 1.

    Raises ValueError as `flatness_volume` does, and for scale <= 0.

    >>> round(prior_mass(lambda theta: theta[0] ** 2, [0.0], 4.0), 6)  # two standard deviations
    0.9545
    """
    theta = as_vector("theta", theta)
    scale = as_positive("scale", scale)
    everywhere = np.tile([-np.inf, np.inf], (len(theta), 1))

    def probability_below(t):
        return scipy.special.ndtr(t / scale)

    def quantile(u):
        return scale * scipy.special.ndtri(u)

    axis = Axis(probability_below, quantile)
    volume = _find_volume(loss, theta, epsilon, everywhere, resolution, axis, probability_below)
    return volume.value


def as_window(window: ArrayLike, theta: Array) -> Array:
    """Return `window` as (n, 2), each row from low to high, with `theta` inside."""
    what = "an array of lower and upper ends"
    window = as_real("window", window, shape=(len(theta), 2), what=what)
    if not (window[:, 0] < window[:, 1]).all():
        raise ValueError(
            f"window must have each lower end below its upper end, got {window.tolist()}"
        )
    if not ((window[:, 0] <= theta) & (theta <= window[:, 1])).all():
        raise ValueError(f"theta must lie in the window {window.tolist()}, got {theta}")
    return window


def _find_volume(loss, theta, epsilon, window, resolution, axis, position):
    """Return the `Volume` in the window. A cell from a to b has the length position(b) -
    position(a).
    """
    epsilon = as_positive("epsilon", epsilon)
    n = len(theta)
    if n not in CELLS:
        raise ValueError(f"theta must have 1 to 3 entries for its volume to be computed, got {n}")
    n_cells = CELLS[n] if resolution is None else as_count("resolution", resolution, least=2)
    height = check_value(loss, theta)
    level = height + epsilon
    edges, centers = _cut_window(window, n_cells, axis)
    is_below = _compare_with_level(loss, centers, level)
    component = _find_component(is_below, edges, theta)
    reaches_edge = any(bool(component.take([0, -1], axis=k).any()) for k in range(n))
    if n == 1:
        ends = _find_ends(loss, level, centers[:, 0], np.flatnonzero(component), window[0])
        low, high = position(ends)
        return Volume(float(high - low), reaches_edge)
    total = component
    for lengths in np.diff(position(edges), axis=0).T:  # sum over one axis after the other
        total = np.tensordot(lengths, total, axes=(0, 0))
    return Volume(float(total), reaches_edge)


def _cut_window(window, n_cells, axis):
    """Return the edges (cells + 1, n) and the centers (cells, n) of the cells on each axis."""
    low, high = axis.place(window.T)
    ruler = np.linspace(low, high, 2 * n_cells + 1)  # edges and centers in turn
    edges = axis.invert(ruler[::2])
    edges[[0, -1]] = window.T
    return edges, axis.invert(ruler[1::2])


def _compare_with_level(loss, centers, level):
    """Return whether the loss is below the level at the center of each cell, an axis for each
    parameter.
    """
    n_cells, n = centers.shape
    points = np.stack(np.meshgrid(*centers.T, indexing="ij"), axis=-1).reshape(-1, n)
    return np.array([loss(point) < level for point in points]).reshape(n * (n_cells,))


def _find_component(is_below, edges, theta):
    """Return the cells that are below the level and connected to that of theta."""
    n_cells = len(edges) - 1
    home = []
    for k in range(len(theta)):
        cell = np.searchsorted(edges[:, k], theta[k], side="right") - 1
        home.append(min(cell, n_cells - 1))
    labels, _ = scipy.ndimage.label(is_below)
    label = labels[tuple(home)]
    if label == 0:
        raise ValueError(
            "resolution must be higher: the cell of theta is not below the level at"
            f" {n_cells} cells a side"
        )
    return labels == label


def _find_ends(loss, level, centers, inside, window):
    """Return the two ends of the interval that the cells `inside` form: where the loss crosses the
    level, or the edges of the window.
    """

    def find_end(last_inside, first_outside, edge):
        if not 0 <= first_outside < len(centers):
            return edge
        bracket = centers[last_inside], centers[first_outside]
        return scipy.optimize.brentq(lambda t: loss(np.array([t])) - level, *bracket, xtol=1e-15)

    first, last = inside[0], inside[-1]
    return np.array([find_end(first, first - 1, window[0]), find_end(last, last + 1, window[1])])


class Bounds(NamedTuple):
    """Two numbers between which a value lies, proved in floating point: every rounding error is on
    the safe side.
    """

    lower: float
    upper: float


def box_radius(loss: NetworkLoss, theta: ArrayLike, epsilon: float) -> float:
    """Return an r such that the box |theta'_i - theta_i| <= r is proved to lie in C(L, theta,
    epsilon).

    It is the largest r, to six digits, for which `loss_bounds` proves L < L(theta) + epsilon; the
    largest box in C may be much larger. `loss` is as for `loss_bounds`, `epsilon` in the unit of
    the loss. Raises ValueError as `loss_bounds`, for epsilon <= 0, and for one so small that it is
    lost in the rounding of the loss.

    >>> round(box_radius(NetworkLoss((1, 1), [[1.0]], [0.0]), [0.0], 0.125), 6)  # theta^2 / 2 < 1/8
    0.5
    """
    epsilon = as_positive("epsilon", epsilon)
    here = loss_bounds(loss, theta, 0.0)
    level = _round_down(here.lower + epsilon)
    if not here.upper < level:
        raise ValueError(
            f"epsilon must exceed the rounding of the loss at theta, {here.upper - here.lower:.2g},"
            f" got {epsilon}"
        )
    low, high = SMALLEST_RADIUS, LARGEST_RADIUS
    while high - low > RADIUS_PRECISION:
        middle = (low + high) / 2
        if loss_bounds(loss, theta, 10.0**middle).upper < level:
            low = middle
        else:
            high = middle
    return 10.0**low


def loss_bounds(loss: NetworkLoss, theta: ArrayLike, radius: ArrayLike) -> Bounds:
    """Return the `Bounds` of a `NetworkLoss` over the box |theta'_i - theta_i| <= radius_i:
    interval arithmetic, layer by layer.

    `radius` is one number or (n,); zero bounds the rounding error of the loss at `theta` itself.
    The error of a sum of n products is bounded a priori, by n eps sum |a||b|, in whatever order
    BLAS adds. Nothing is assumed of the machine but IEEE arithmetic, matrix products by sums of
    products, and for the cross-entropies NumPy's exp, log and log1p within 4 units in the last
    place. Weight decay and weights of samples are bounded with the rest.

    Raises ValueError for a loss that computes another value than a `NetworkLoss` does, shapes that
    don't fit, a negative radius.

    >>> bounds = loss_bounds(NetworkLoss((1, 1, 1), [[1.0]], [1.0]), [1.0, 1.0], 0.5)
    >>> round(bounds.upper, 9), bounds.upper >= (1.5 * 1.5 - 1) ** 2 / 2
    (0.78125, True)
    """
    loss = as_layered_value(loss)
    theta = as_vector("theta", theta, loss.size)
    radius = as_real("radius", radius)
    if radius.shape not in ((), theta.shape) or (radius < 0).any():
        raise ValueError(
            f"radius must be a number of at least 0 or {loss.size} of them, got {radius}"
        )
    radius = np.broadcast_to(radius, theta.shape)
    bound_criterion = BOUND_CRITERION[loss.criterion]
    weights = np.ones(len(loss.x)) if loss.sample_weight is None else loss.sample_weight
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = _bound_outputs(loss.x, loss.layers(theta), loss.layers(radius), loss.slope)
        lower, upper = bound_criterion(low, high, loss.y, weights)
        if loss.has_decay:
            least, most = _bound_decay(loss.l2, theta, radius)
            lower, upper = _round_down(lower + least), _round_up(upper + most)
    # NaN, after overflow, bounds nothing.
    return Bounds(
        float(lower) if lower > -np.inf else -np.inf, float(upper) if upper < np.inf else np.inf
    )


def _bound_outputs(x, centers, spreads, slope):
    """Return bounds (N, d_K) of the outputs for all layers within `spreads` of the `centers`, with
    an activation of this slope left of zero.
    """
    low, high = _bound_signed_layer(x, x, centers[0], spreads[0])
    for center, spread in zip(centers[1:], spreads[1:], strict=True):
        if slope == 0:
            low, high = np.maximum(low, 0), np.maximum(high, 0)  # the rectifier, exactly
            low, high = _bound_layer(low, high, center, spread)
        else:
            low = np.where(low > 0, low, _round_down(slope * low))
            high = np.where(high > 0, high, _round_up(slope * high))
            low, high = _bound_signed_layer(low, high, center, spread)
    return low, high


def _bound_signed_layer(low, high, center, spread):
    """Return bounds of h @ weight + bias as `_bound_layer` does, for h of either sign.

    With h = h+ - h- no input is negative. Where h may be of either sign, its two parts are taken as
    independent, which makes the bounds wider.
    """
    low, high = (
        np.hstack([np.maximum(low, 0), np.maximum(-high, 0)]),
        np.hstack([np.maximum(high, 0), np.maximum(-low, 0)]),
    )
    return _bound_layer(low, high, _double(center, -1), _double(spread, 1))


def _double(layer, sign):
    """Return the layer that takes (h+, h-), with the weights of h- multiplied by `sign`."""
    return Layer(np.vstack([layer.weight, sign * layer.weight]), layer.bias)


def _bound_layer(low, high, center, spread):
    """Return bounds of h @ weight + bias for all h from `low` >= 0 to `high` and all weights and
    biases within `spread` of those of `center`.
    """
    weight, radius = center.weight, spread.weight
    if center.bias is not None:  # a bias is the weight of an input that is always 1
        one = np.ones((len(low), 1))
        low, high = np.hstack([low, one]), np.hstack([high, one])
        weight, radius = np.vstack([weight, center.bias]), np.vstack([radius, spread.bias])
    least = _round_down(weight - radius)
    most = _round_up(weight + radius)
    lower = low @ np.maximum(least, 0) + high @ np.minimum(least, 0)
    upper = high @ np.maximum(most, 0) + low @ np.minimum(most, 0)
    sizes = high @ np.maximum(np.abs(least), np.abs(most))
    rounding = 2 * (len(weight) + 4) * EPS * sizes + TINY
    return _round_down(lower - rounding), _round_up(upper + rounding)


def _bound_decay(l2, theta, radius):
    """Return bounds of 1/2 sum l2_i theta_i^2 over the box."""
    center = np.abs(theta)
    nearest = np.maximum(0, _round_down(center - radius))
    farthest = _round_up(center + radius)
    slack = 2 * (len(theta) + 8) * EPS
    lower = np.sum(l2 * nearest**2) / 2 * (1 - slack) - TINY
    upper = np.sum(l2 * farthest**2) / 2 * (1 + slack) + TINY
    return max(0.0, lower), upper


def _bound_squared_error(low, high, y, weights):
    low, high = _round_down(low - y), _round_up(high - y)
    nearest = np.maximum(0, np.maximum(low, -high))
    farthest = np.maximum(-low, high)
    lower = np.sum(weights[:, None] * nearest**2) / (2 * len(y))
    upper = np.sum(weights[:, None] * farthest**2) / (2 * len(y))
    slack = 2 * (y.size + 8) * EPS
    return max(0.0, lower * (1 - slack) - TINY), upper * (1 + slack) + TINY


def _bound_binary_cross_entropy(low, high, y, weights):
    """Return bounds of the mean over the samples of sum_c (1 - y_c) log(1 + exp(z_c)) + y_c log(1 +
    exp(-z_c)). The first term rises with z_c and the second falls; neither is negative.
    """
    weights = weights[:, None]
    lower = np.sum(weights * ((1 - y) * _softplus(low) + y * _softplus(-high))) / len(y)
    upper = np.sum(weights * ((1 - y) * _softplus(high) + y * _softplus(-low))) / len(y)
    slack = 2 * (y.size + 32) * EPS
    return max(0.0, lower * (1 - slack) - TINY), upper * (1 + slack) + TINY


def _softplus(z):
    """Return log(1 + exp(z))."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _bound_cross_entropy(low, high, y, weights):
    """Return bounds of the mean over the samples of sum_c y_c (log sum_j exp(z_j) - z_c).

    The term of c falls with z_c and rises with every other z_j.
    """
    n_classes = y.shape[1]
    # How far y is from adding up to one counts as well, times log sum_j exp(z_j).
    is_hard = np.isin(y, (0, 1)).all(axis=1)
    defect = np.abs(1 - y.sum(axis=1)) + n_classes * EPS * ~is_hard
    largest = np.maximum(np.abs(low), np.abs(high)).max(axis=1) + np.log(n_classes)
    defect = np.mean(weights * defect * largest) * (1 + 1e-9)
    # Entry [i, c, j] bounds z_j - z_c.
    lower = _mean_cross_entropy(_round_down(low[:, None, :] - high[:, :, None]), y, weights)
    upper = _mean_cross_entropy(_round_up(high[:, None, :] - low[:, :, None]), y, weights)
    slack = 4 * (y.size + n_classes + 16) * EPS
    return lower - slack * (1 + lower) - defect, upper + slack * (1 + upper) + defect


def _mean_cross_entropy(gaps, y, weights):
    """Return the mean over the samples of sum_c y_c log sum_j exp(gaps_cj), where gaps_cc is 0."""
    gaps = np.where(np.eye(y.shape[1], dtype=bool), 0.0, gaps)
    top = gaps.max(axis=2)
    logs = top + np.log(np.exp(gaps - top[:, :, None]).sum(axis=2))
    return np.mean(weights * np.sum(y * logs, axis=1))


BOUND_CRITERION = {
    "squared_error": _bound_squared_error,
    "cross_entropy": _bound_cross_entropy,
    "binary_cross_entropy": _bound_binary_cross_entropy,
}


def _round_down(a):
    return np.nextafter(a, -np.inf)


def _round_up(a):
    return np.nextafter(a, np.inf)
