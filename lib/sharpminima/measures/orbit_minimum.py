"""The least value over an orbit: over all networks that a rescaling of layers or units makes.

All four problems ask for the factors that make a sum of M_pq exp(u_p - u_q) as small as possible.
"""

from functools import partial

import numpy as np
import scipy.optimize
from scipy.sparse import csgraph

from ..networks import widths_of
from ..points import Undefined
from .registry import SCALES, measure


@measure(
    "Minimum sharpness, layers",
    needs="diagonal",
    formula=r"$\min_\alpha \operatorname{tr} H(T_\alpha\theta)$",
    source="Ibayashi et al. 2021; without biases K (∏ tr H_kk)^(1/K)",
    cite="ibayashi2021minimum",
    claims=("layer_scale",),
)
def minimum_sharpness_layers(point):
    """The least trace among the alpha-scaled twins."""
    hidden_widths = widths_of(point.layers)[1:-1]
    factors = [np.full(width, k) for k, width in enumerate(hidden_widths)]
    return _find_least_trace(point, factors)


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
    hidden_widths = widths_of(point.layers)[1:-1]
    ends = np.cumsum(hidden_widths, dtype=int)
    factors = [np.arange(end - d, end) for d, end in zip(hidden_widths, ends, strict=True)]
    return _find_least_trace(point, factors)


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
)
def normalized_flatness_icml(point):
    """Curvature against size, with the best factors for each layer's inputs s; weights only."""
    total = 0.0
    for W, C in _pair_weights_with_curvatures(point):
        total += np.sqrt(least_sum(C @ W.T**2))
    return total


def least_sum(M):
    """Return the infimum over u (m,) of sum_pq M_pq exp(u_p - u_q), for a matrix M (m, m) without
    negative entries.

    A convex program: the logarithm of the sum is a convex function of u, and scipy finds where its
    gradient is zero, that is, where rows and columns of the scaled matrix have equal sums. An entry
    that lies on no cycle of the graph of M can be made as small as one likes.
    """
    logs = _take_logarithms_on_cycles(M)
    if not np.isfinite(logs).any():
        return 0.0
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
    return float(np.exp(found.fun))


def _take_logarithms_on_cycles(M):
    """Return the logarithms of M, minus infinity for an entry that lies on no cycle."""
    _, component = csgraph.connected_components(M > 0, connection="strong")
    on_cycle = component[:, None] == component
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


def _find_least_trace(point, factors):
    """The least trace of the Hessian of the networks that `factors` make: an array for each hidden
    layer, which numbers the factor of each of its units, from 0.
    """
    point.needs_rectified_layers()
    point.needs_criterion_mean()
    curvatures = _read_curvatures(point)
    widths = widths_of(curvatures)
    n_factors = 1 + max((numbers.max() for numbers in factors), default=-1)
    one = n_factors  # the number of the factor 1, that of inputs and outputs
    numbers = [np.full(widths[0], one), *factors, np.full(widths[-1], one)]
    M = np.zeros((n_factors + 1, n_factors + 1))
    for (W, b), before, after in zip(curvatures, numbers[:-1], numbers[1:], strict=True):
        np.add.at(M, (before[:, None], after), W)
        if b is not None:
            np.add.at(M, (one, after), b)
    least = least_sum(M)
    if not least > 0:
        raise Undefined("the Hessian has no trace here that rescaling cannot take away")
    return least


def _read_curvatures(point):
    """The Hessian's diagonal as the network's layers."""
    point.needs("layers")
    diagonal = point.hessian_diagonal
    rounding = len(diagonal) * np.finfo(float).eps * np.abs(diagonal).max()
    if (diagonal < -rounding).any():
        raise Undefined(
            "the Hessian must have no negative diagonal entry for the minimum to be a convex"
            " program"
        )
    return point.loss.layers(np.maximum(diagonal, 0))


def _pair_weights_with_curvatures(point):
    pairs = zip(point.layers, _read_curvatures(point), strict=True)
    return [(layer.weight, curvature.weight) for layer, curvature in pairs]
