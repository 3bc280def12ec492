"""The least value over an orbit: over all networks that a rescaling of layers or units makes.

The four measures ask for the factors that make a sum of M_pq exp(u_p - u_q) as small as possible.
`find_least_norm` asks for those that make the largest eigenvalue of the Hessian as small as
possible. Both are convex programs in the logarithms of the factors.
"""

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
from numpy.typing import ArrayLike
from scipy.sparse import csgraph

from .._validation import Array
from ..networks import widths_of
from ..points import Point, Undefined
from ..spectra import as_symmetric
from .registry import SCALES, measure

GAP = 1e-6  # how far the two bounds of a least eigenvalue may be apart, relative to it


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
    return _find_least_trace(point, number_layers(widths_of(point.layers)[1:-1]))


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
    return _find_least_trace(point, number_units(widths_of(point.layers)[1:-1]))


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


def number_layers(hidden_widths):
    """Return the number of each hidden unit's factor, an array for each layer: one a layer."""
    return [np.full(width, k) for k, width in enumerate(hidden_widths)]


def number_units(hidden_widths):
    """Return the number of each hidden unit's factor, an array for each layer: one a unit."""
    ends = np.cumsum(hidden_widths, dtype=int)
    return [np.arange(end - d, end) for d, end in zip(hidden_widths, ends, strict=True)]


def least_sum(M):
    """Return the infimum over u (m,) of sum_pq M_pq exp(u_p - u_q), for a matrix M (m, m) without
    negative entries.

    A convex program: the logarithm of the sum is a convex function of u, and scipy finds where its
    gradient is zero, that is, where rows and columns of the scaled matrix have equal sums. An entry
    that lies on no cycle of the graph of M can be made as small as one likes.
    """
    return _minimize_sum(M)[0]


def _minimize_sum(M):
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


class LeastNorm(NamedTuple):
    """The least largest eigenvalue of a network's Hessian over a family of its rescalings.

    `value` is the largest eigenvalue of the network that `node_scale` makes with `scales`, a vector
    (d_k,) for each hidden layer; `lower` is a bound that no rescaling goes below. They agree to
    1e-6. A unit whose curvature rescaling takes away altogether has no best scale and takes no part
    in `value`.
    """

    value: float
    lower: float
    scales: tuple[Array, ...]


class Bracket(NamedTuple):
    """The least largest eigenvalue of D H D: reached with the logarithms `logs`, and its lower
    bound.
    """

    value: float
    lower: float
    logs: Array


def least_largest_eigenvalue(H: ArrayLike, before: ArrayLike, after: ArrayLike) -> Bracket:
    """Return the infimum over u of the largest eigenvalue of D H D, with D_i = exp(u[before_i] -
    u[after_i]), for a positive semi-definite matrix H (n, n).

    `before` and `after` (n,) number the nodes, from 0, that parameter i leads from and to: in a
    network its units, with one number for all inputs and outputs and for what feeds the biases. The
    matrix of the network whose unit p is scaled by exp(u_p) is D H D.

    The logarithm of the largest eigenvalue is a convex function of u, and so is that of the q-norm
    of the eigenvalues, which is smooth: scipy minimizes it by Newton steps for larger and larger q.
    `lower` needs no trust in these steps. Let H = A'A. The largest eigenvalue of D H D is that of
    A D^2 A', so at least sum_k w_k v_k'A D^2 A'v_k for all unit vectors v_k and all weights w_k >=
    0 with sum 1. As a function of u this is a sum of exponentials, whose infimum `least_sum` finds.
    Parameters that lie on no cycle of nodes can be made to count as little as one likes; they are
    left out, and `logs` are then those of the rest.

    Raises ValueError for a matrix that is not positive semi-definite and `Undefined` where the two
    bounds do not meet to 1e-6 or where the infimum is zero.

    >>> found = least_largest_eigenvalue([[4.0, 2.0], [2.0, 1.0]], [0, 1], [1, 0])
    >>> round(found.value, 6), round(found.lower, 6)  # at the twin [[2, 2], [2, 2]]
    (4.0, 4.0)
    """
    H = as_symmetric(H)
    before, after = np.asarray(before), np.asarray(after)
    n_nodes = 1 + max(before.max(), after.max())
    kept = find_cycles(_add_up(np.diag(H), before, after, n_nodes))[before, after]
    kept &= np.diag(H) > 0
    if not kept.any():
        raise Undefined("the Hessian has no eigenvalue here that rescaling cannot take away")
    H, before, after = H[np.ix_(kept, kept)], before[kept], after[kept]

    # The network of least trace to begin with: what follows is then the same at every twin.
    _, start = _minimize_sum(_add_up(np.diag(H), before, after, n_nodes))
    d = np.exp(start[before] - start[after])
    A = _take_root(H * np.outer(d, d))
    lift = np.zeros((len(H), n_nodes))
    np.add.at(lift, (np.arange(len(H)), before), 1)
    np.add.at(lift, (np.arange(len(H)), after), -1)
    u = np.zeros(n_nodes)
    for q in 4.0 ** np.arange(1, 13):
        u = _minimize_q_norm(A, lift, u, q)
        squares, _, V = _decompose(A, lift, u)
        weights = scipy.special.softmax(q * np.log(squares / squares[0]))
        parts = weights @ (squares[:, None] * V**2)
        lower = least_sum(_add_up(parts, before, after, n_nodes))
        if squares[0] - lower <= GAP / 10 * lower:
            break
    if not squares[0] - lower <= GAP * lower:
        raise Undefined(
            "the least largest eigenvalue was not found: it is between"
            f" {lower:.8g} and {squares[0]:.8g}"
        )
    return Bracket(float(squares[0]), min(lower, float(squares[0])), start + u)


def _add_up(values, before, after, n_nodes):
    """Return the matrix of the sums of the values between each pair of nodes."""
    M = np.zeros((n_nodes, n_nodes))
    np.add.at(M, (before, after), values)
    return M


def _take_root(H):
    """Return A (r, n) with A'A = H, for a positive semi-definite H of rank r."""
    values, vectors = scipy.linalg.eigh(H)
    rounding = len(H) * np.finfo(float).eps * np.abs(values).max()
    if values[0] < -1e3 * rounding:
        raise ValueError(
            "H must be positive semi-definite for its least eigenvalue to be a convex program, got"
            f" the eigenvalues {values[0]:.3g} and {values[-1]:.3g}"
        )
    is_positive = values > rounding
    return np.sqrt(values[is_positive])[:, None] * vectors[:, is_positive].T


def _decompose(A, lift, u):
    """Return the positive eigenvalues of D A'A D, largest first, their logarithms, and the
    eigenvectors as rows.
    """
    B = A * np.exp(lift @ u)
    squares, turn = scipy.linalg.eigh(B @ B.T)
    squares = np.maximum(squares[::-1], np.finfo(float).eps * squares[-1])
    V = turn.T[::-1] @ B / np.sqrt(squares)[:, None]
    return squares, np.log(squares), V


def _minimize_q_norm(A, lift, u, q):
    """Return the logarithms that minimize log(sum_i lambda_i^q) / q, from u on."""
    derive = lru_cache(maxsize=4)(lambda key: _derive_q_norm(A, lift, np.frombuffer(key), q))
    found = scipy.optimize.minimize(
        lambda u: derive(u.tobytes())[0],
        u,
        method="trust-exact",
        jac=lambda u: derive(u.tobytes())[1],
        hess=lambda u: derive(u.tobytes())[2],
        options={"gtol": 1e-10, "maxiter": 100},
    )
    return found.x


def _derive_q_norm(A, lift, u, q):
    """Return log(sum_i lambda_i^q) / q, its gradient and its Hessian in u.

    The derivative of D A'A D along node a, between the eigenvectors i and k, is (lambda_i +
    lambda_k) turned[a, i, k].
    """
    _, logs, V = _decompose(A, lift, u)
    share = scipy.special.softmax(q * logs)
    value = scipy.special.logsumexp(q * logs) / q
    squared = share @ V**2
    slope = 2 * squared @ lift
    top = int(
        (share > np.finfo(float).tiny ** 0.1).sum()
    )  # the others have no part in what follows
    turned = np.stack([(V[:top] * column) @ V.T for column in lift.T])
    weights = _divide_differences(logs, share, q)[:top]
    weights[:, top:] *= 2  # as rows these pairs are left out
    curvature = 4 * np.einsum("aik,bik->ab", turned * weights, turned, optimize=True)
    curvature += 4 * (lift.T * squared) @ lift - q * np.outer(slope, slope)
    return value, slope, curvature


def _divide_differences(logs, share, q):
    """Return (share_i lambda_k - share_k lambda_i) / (lambda_i - lambda_k), and its limit (q - 1)
    share_i where the eigenvalues, largest first, are equal.
    """
    i, k = np.triu_indices(len(logs))
    ratio = logs[k] - logs[i]
    is_equal = ratio == 0
    apart = np.where(is_equal, -1.0, ratio)
    slopes = np.where(is_equal, q - 1, np.expm1((q - 1) * apart) / np.expm1(apart))
    quotients = np.zeros((len(logs), len(logs)))
    quotients[i, k] = quotients[k, i] = share[i] * np.exp(ratio) * slopes
    return quotients


def find_least_norm(point: Point, over: str) -> LeastNorm:
    """Return the least largest eigenvalue of the Hessian over the scalings of the point's network,
    `over` "layers" or "units".

    Raises ValueError for another `over` and `Undefined` for a point that is no rectified network's,
    or whose Hessian is not positive semi-definite.
    """
    families = {"layers": number_layers, "units": number_units}
    if over not in families:
        raise ValueError(f"over must be one of {', '.join(families)}, got {over!r}")
    point.needs_rectified_layers()
    point.needs_criterion_mean()
    widths = widths_of(point.layers)
    numbers = _number_nodes(widths, families[over](widths[1:-1]))
    one = numbers[-1][0]
    before, after = [], []
    for layer, a, b in zip(point.layers, numbers[:-1], numbers[1:], strict=True):
        shape = layer.weight.shape
        before.append(np.broadcast_to(a[:, None], shape).ravel())
        after.append(np.broadcast_to(b, shape).ravel())
        if layer.bias is not None:
            before.append(np.full(len(b), one))
            after.append(b)
    try:
        found = least_largest_eigenvalue(
            point.hessian, np.concatenate(before), np.concatenate(after)
        )
    except ValueError as error:
        raise Undefined(str(error)) from error
    scales = tuple(np.exp(found.logs[units] - found.logs[one]) for units in numbers[1:-1])
    return LeastNorm(found.value, found.lower, scales)


def _number_nodes(widths, factors):
    """Return the numbers of all units' factors, from the inputs to the outputs; theirs, always 1,
    is the last one.
    """
    one = 1 + max((numbers.max() for numbers in factors), default=-1)
    return [np.full(widths[0], one), *factors, np.full(widths[-1], one)]


def _find_least_trace(point, factors):
    """The least trace of the Hessian of the networks that `factors` make: an array for each hidden
    layer, which numbers the factor of each of its units, from 0.
    """
    point.needs_rectified_layers()
    point.needs_criterion_mean()
    curvatures = _read_curvatures(point)
    numbers = _number_nodes(widths_of(curvatures), factors)
    one = numbers[-1][0]
    M = np.zeros((one + 1, one + 1))
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
