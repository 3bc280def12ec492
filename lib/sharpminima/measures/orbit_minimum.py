"""The least value over an orbit: over all networks that a rescaling of layers or units makes.

The four measures ask for the factors that make a sum of M_pq exp(u_p - u_q) as small as possible: a
convex program in the logarithms of the factors. That of the largest eigenvalue is in
`scaling_floor`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.special
from scipy.sparse import csgraph

from .._validation import Array, as_choice
from ..networks import widths_of
from ..points import Point, Undefined
from .registry import SCALES, measure


@measure(
    "Minimum sharpness, layers",
    needs="diagonal",
    formula=r"$\min_\alpha \operatorname{tr} H(T_\alpha\theta)$",
    source="Ibayashi et al. 2021; without biases K (∏ tr H_kk)^(1/K)",
    cite="ibayashi2021minimum",
    claims=("layer_scale",),
    place=("title: scale-invariant; the paper's text was not read again"),
)
def minimum_sharpness_layers(point):
    """The least trace among the alpha-scaled twins."""
    return find_least_trace(point, number_factors(point, "layers"))[0]


@measure(
    "Minimum sharpness, units",
    needs="diagonal",
    formula=r"$\min_c \operatorname{tr} H(c\cdot\theta)$",
    source=(
        "Ibayashi et al. 2021 with units for layers, a step of this book; with two layers and no"
        " biases 2 Σ_j sqrt(a_j b_j)"
    ),
    cite="ibayashi2021minimum",
)
def minimum_sharpness_units(point):
    """The least trace among all networks that `node_scale` makes."""
    return find_least_trace(point, number_factors(point, "units"))[0]


@measure(
    "Normalized flatness, arXiv form",
    needs="diagonal",
    formula=r"$\sum_k \min_{s,t>0}\ s^\top C_k t + (1/s)^\top W_k^{\circ2} (1/t)$",
    source=(
        "Tsuzuku et al. 2020, arXiv form, as in ibayashi-hikaru/minimum-sharpness; C_k is diag H,"
        " shaped as W_k"
    ),
    cite="tsuzuku2020normalized",
    claims=SCALES,
    place=("abstract: free from the known scale dependence issues"),
)
def normalized_flatness_arxiv(point):
    """Curvature against size, with the best factors for each layer's inputs s and outputs t;
    weights only.
    """
    total = 0.0
    for W, C in _pair_weights_with_curvatures(point):
        d_in, d_out = W.shape
        M = np.zeros((d_in + d_out, d_in + d_out))
        M[:d_in, d_in:] = C
        M[d_in:, :d_in] = W.T**2
        total += least_sum(M)
    return total


@measure(
    "Normalized flatness, ICML form",
    needs="diagonal",
    formula=r"$\sum_k \min_{s>0} \sqrt{s^\top C_k W_k^{\circ2\,\top} (1/s)}$",
    source=(
        "Tsuzuku et al. 2020, ICML form, as in ibayashi-hikaru/minimum-sharpness, which warns that"
        " the two differ"
    ),
    cite="tsuzuku2020normalized",
    claims=SCALES,
    place=("abstract: free from the known scale dependence issues"),
)
def normalized_flatness_icml(point):
    """Curvature against size, with the best factors for each layer's inputs s; weights only."""
    total = 0.0
    for W, C in _pair_weights_with_curvatures(point):
        total += np.sqrt(least_sum(C @ W.T**2))
    return total


class Factors(NamedTuple):
    """The numbers, from 0, of the factors that rescale a network: for each parameter `before`, that
    of the unit which it leaves, and `after`, that of the unit which it enters; in `units`, for each
    hidden layer, those of its units. Inputs, outputs and what feeds the biases share the number
    `one`: their factor is 1.
    """

    before: Array
    after: Array
    units: list[Array]
    one: int


def number_factors(point: Point, over: str) -> Factors:
    """Return the `Factors` of a rectified network, one for each of its hidden `layers` or `units`.

    Raises ValueError for another `over`, and Undefined for a loss that is not the mean of its
    criterion over the outputs of rectified layers.
    """
    as_choice("over", over, ("layers", "units"))
    layers = point.layers
    point.needs_rectified_layers()
    point.needs_criterion_mean()
    hidden = widths_of(layers)[1:-1]
    units = [np.full(width, k) for k, width in enumerate(hidden)]
    one = len(hidden)
    if over == "units":
        one = sum(hidden)
        units = np.split(np.arange(one), np.cumsum(hidden)[:-1])[: len(hidden)]
    d_in, d_out = len(layers[0].weight), layers[-1].weight.shape[1]
    ends = [np.full(d_in, one), *units, np.full(d_out, one)]
    before, after = [], []
    for (weight, bias), left, right in zip(layers, ends[:-1], ends[1:], strict=True):
        before.append(np.repeat(left, weight.shape[1]))
        after.append(np.tile(right, len(weight)))
        if bias is not None:
            before.append(np.full(len(bias), one))
            after.append(right)
    return Factors(np.concatenate(before), np.concatenate(after), units, one)


def add_up(values: Array, before: Array, after: Array) -> Array:
    """Return the matrix of the sums of the values (n,) between each pair of numbers."""
    count = 1 + max(before.max(), after.max())
    M = np.zeros((count, count))
    np.add.at(M, (before, after), values)
    return M


def least_sum(M):
    """Return the infimum over u (m,) of sum_pq M_pq exp(u_p - u_q), for a matrix M (m, m) without
    negative entries.

    A convex program: the logarithm of the sum is a convex function of u, and scipy finds where its
    gradient is zero, that is, where rows and columns of the scaled matrix have equal sums. An entry
    that lies on no cycle of the graph of M can be made as small as one likes.
    """
    return minimize_sum(M)[0]


def minimize_sum(M):
    """Return the infimum of `least_sum` and the logarithms u (m,) at which it is reached when the
    entries on no cycle are left out.
    """
    logs = _take_logarithms_on_cycles(M)
    if not np.isfinite(logs).any():
        return 0.0, np.zeros(len(M))
    found = scipy.optimize.minimize(
        partial(_log_sum, logs),
        np.zeros(len(M)),
        method="trust-exact",
        jac=partial(_slope, logs),
        hess=partial(_curvature, logs),
        options={"gtol": 1e-10},
    )
    if np.abs(found.jac).max() > 1e-6:  # at 1e-8 already a step changes the value by rounding only
        raise Undefined(f"the minimum over the orbit was not found: {found.message}")
    return float(np.exp(found.fun)), found.x


def find_cycles(M):
    """Return, for each entry of M, whether both its ends lie on a cycle of the graph of M."""
    _, component = csgraph.connected_components(M > 0, connection="strong")
    return component[:, None] == component


def _take_logarithms_on_cycles(M):
    """Return the logarithms of M, minus infinity for an entry that lies on no cycle."""
    on_cycle = find_cycles(M)
    with np.errstate(divide="ignore"):
        return np.log(np.where(on_cycle, M, 0))


def _log_sum(logs, u):
    return scipy.special.logsumexp(logs + u[:, None] - u)


def _slope(logs, u):
    share = scipy.special.softmax(logs + u[:, None] - u)
    return share.sum(axis=1) - share.sum(axis=0)


def _curvature(logs, u):
    share = scipy.special.softmax(logs + u[:, None] - u)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    slope = rows - columns
    return np.diag(rows + columns) - share - share.T - np.outer(slope, slope)


def find_least_trace(point: Point, factors: Factors) -> tuple[float, Array]:
    """Return the least trace of the Hessian of the networks that the factors make, and the
    logarithms of their squares. Raises Undefined where it is zero.
    """
    least, logs = minimize_sum(add_up(_read_diagonal(point), factors.before, factors.after))
    if not least > 0:
        raise Undefined("the Hessian has no trace here that rescaling cannot take away")
    return least, logs


def _read_diagonal(point):
    """The Hessian's diagonal, which must not be negative."""
    diagonal = point.hessian_diagonal
    rounding = len(diagonal) * np.finfo(float).eps * np.abs(diagonal).max()
    if (diagonal < -rounding).any():
        raise Undefined(
            "the Hessian must have no negative diagonal entry for the minimum to be a convex"
            " program"
        )
    return np.maximum(diagonal, 0)


def _pair_weights_with_curvatures(point):
    layers = point.layers
    curvatures = point.loss.layers(_read_diagonal(point))
    pairs = zip(layers, curvatures, strict=True)
    return [(layer.weight, curvature.weight) for layer, curvature in pairs]
