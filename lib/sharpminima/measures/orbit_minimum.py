"""The least value over an orbit."""

import numpy as np
import scipy.optimize
from scipy.sparse import csgraph

from ..networks import widths_of
from ..points import Undefined
from .registry import SCALES, measure

# The least over an orbit. All four problems ask for the factors that make a sum of M_pq exp(u_p -
# u_q) least


@measure(
    "Minimum sharpness, layers",
    formula=r"$\min_\alpha \operatorname{tr} H(T_\alpha\theta)$",
    source="Ibayashi et al. 2021; without biases K (∏ tr H_kk)^(1/K)",
    cite="ibayashi2021minimum",
    claims=("layer_scale",),
)
def minimum_sharpness_layers(point):
    """The least trace among the alpha-scaled twins."""
    return _least_trace(
        point, [np.full(d, k) for k, d in enumerate(widths_of(point.layers), start=-1)]
    )


@measure(
    "Minimum sharpness, units",
    formula=r"$\min_c \operatorname{tr} H(c\cdot\theta)$",
    source=(
        "Ibayashi et al. 2021 with units for layers, a step of this book; with two layers and no"
        " biases 2 Σ_j sqrt(a_j b_j)"
    ),
    cite="ibayashi2021minimum",
)
def minimum_sharpness_units(point):
    """The least trace among all networks that `node_scale` makes."""
    widths = widths_of(point.layers)
    return _least_trace(point, np.split(np.arange(sum(widths)) - widths[0], np.cumsum(widths)[:-1]))


@measure(
    "Normalized flatness, arXiv form",
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
    for W, C in _weights_and_curvatures(point):
        d = len(W)
        M = np.zeros((sum(W.shape),) * 2)
        M[:d, d:], M[d:, :d] = C, W.T**2
        total += least_sum(M)
    return total


@measure(
    "Normalized flatness, ICML form",
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
    return sum(np.sqrt(least_sum(C @ W.T**2)) for W, C in _weights_and_curvatures(point))


def least_sum(M):
    """Return the infimum over u (m,) of sum_pq M_pq exp(u_p - u_q), for a matrix M (m, m) without
    negative entries.

    A convex program: the logarithm of the sum is a convex function of u, and scipy finds where its
    gradient is zero, that is, where rows and columns of the scaled matrix have equal sums. An entry
    that lies on no cycle of the graph of M can be made as small as one likes.
    """
    part = csgraph.connected_components(M > 0, connection="strong")[1]
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(part[:, None] == part, M, 0))
    if not np.isfinite(logs).any():
        return 0.0

    def share(u):
        return scipy.special.softmax(logs + u[:, None] - u)

    def slope(u):
        P = share(u)
        return P.sum(axis=1) - P.sum(axis=0)

    def curvature(u):
        P = share(u)
        g = P.sum(axis=1) - P.sum(axis=0)
        return np.diag(P.sum(axis=1) + P.sum(axis=0)) - P - P.T - np.outer(g, g)

    def value(u):
        return scipy.special.logsumexp(logs + u[:, None] - u)

    found = scipy.optimize.minimize(
        value,
        np.zeros(len(M)),
        method="trust-exact",
        jac=slope,
        hess=curvature,
        options={"gtol": 1e-10},
    )
    if np.abs(found.jac).max() > 1e-6:  # at 1e-8 already a step changes the value by rounding only
        raise Undefined(f"the minimum over the orbit was not found: {found.message}")
    return float(np.exp(found.fun))


def _least_trace(point, groups):
    """The least trace, `groups` telling which hidden units have one factor, from 0; inputs and
    outputs have the factor 1.
    """
    groups = [np.full_like(groups[0], -1), *groups[1:-1], np.full_like(groups[-1], -1)]
    M = np.zeros((max(group.max() for group in groups) + 2,) * 2)
    for (W, b), before, after in zip(_curvatures(point), groups[:-1], groups[1:], strict=True):
        np.add.at(M, (before[:, None], after), W)
        if b is not None:
            np.add.at(M, (-1, after), b)
    least = least_sum(M)
    if not least > 0:
        raise Undefined("the Hessian has no trace here that rescaling cannot take away")
    return least


def _curvatures(point):
    """The Hessian's diagonal as the network's layers."""
    point.needs("layers")
    diagonal = point.hessian_diagonal
    if (diagonal < -len(diagonal) * np.finfo(float).eps * np.abs(diagonal).max()).any():
        raise Undefined(
            "the Hessian must have no negative diagonal entry for the minimum to be a convex"
            " program"
        )
    return point.loss.layers(np.maximum(diagonal, 0))


def _weights_and_curvatures(point):
    return [(W, C) for (W, _), (C, _) in zip(point.layers, _curvatures(point), strict=True)]
