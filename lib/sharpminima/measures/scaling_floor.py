"""The least value over all rescalings of layers or of units: how low a twin can bring the largest
eigenvalue, or the trace, of the Hessian.

Every scaling theta -> d theta that keeps the function makes H / (d d') of H. The entries of d are
products of factors: what enters unit q of a layer gets exp(u_q), what leaves it exp(-u_q), so that
a weight from unit p to unit q has d = exp(u_q - u_p). With H = A'A and A_pq the columns of A that
belong to the weights from p to q, the largest eigenvalue of the twin's Hessian is that of

    M(v) = sum_pq exp(v_p - v_q) A_pq A_pq',        v = 2u.

Each term is convex in v in the order of symmetric matrices, and the largest eigenvalue is convex
and monotone in that order, so its least value is a convex program. For every density matrix R
(positive semi-definite, trace 1) tr(R M(v)) is at most the largest eigenvalue, so that the least of
the sum of the numbers tr(R A_pq A_pq') exp(v_p - v_q) over v is a lower bound: the bracket is
proved, however the program was solved. R = exp(M / mu) / tr exp(M / mu) makes it tight.

The trace is tr M, and its least value the `minimum sharpness` of `orbit_minimum`.
"""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from .._validation import Array, as_choice
from ..losses import Loss
from ..points import Point, Undefined
from ..spectra import NEGLIGIBLE, as_symmetric, scales_to_unit_diagonal
from .orbit_minimum import (
    add_up,
    find_cycles,
    find_least_trace,
    least_sum,
    minimize_sum,
    number_factors,
)
from .registry import measure

GAP = 1e-7  # how far apart, relative to the value, the two ends of the bracket may be
CLOSED = GAP / 10  # where the search ends
SOFTEST, HARDEST, COOLING = 0.1, 1e-9, 0.25  # how far the smoothed eigenvalue is from the largest
NEWTON_STEPS = 60


class Floor(NamedTuple):
    """The least value over all scalings lies between `lower` and `upper`; `theta` is the twin at
    which it is `upper`.
    """

    lower: float
    upper: float
    theta: Array


class LeastNorm(NamedTuple):
    """The least largest eigenvalue of a network's Hessian over a family of its rescalings.

    `value` is the largest eigenvalue of the network that `node_scale` makes with `scales`, a vector
    (d_k,) for each hidden layer; `lower` is a bound that no rescaling goes below. They agree to
    1e-7. A unit whose curvature rescaling takes away altogether has no best scale and takes no part
    in `value`.
    """

    value: float
    lower: float
    scales: tuple[Array, ...]


class Bracket(NamedTuple):
    """The least value over all D H D lies between `lower` and `upper`, which is reached with the
    logarithms `logs`.
    """

    lower: float
    upper: float
    logs: Array


def sharpness_floor(
    loss: Loss, theta: ArrayLike, *, of: str = "largest_eigenvalue", over: str = "units"
) -> Floor:
    """Return the `Floor` of the Hessian's largest eigenvalue or trace over all scalings of `layers`
    or of `units`.

    `of` is "largest_eigenvalue" or "trace", `over` "layers" or "units". Both are convex programs;
    the ends of the bracket are at most 1e-7 of the value apart. Without biases the least trace over
    layers is K (t_1 ... t_K)^(1/K), with the traces t_k of the Hessian's diagonal blocks, and the
    least eigenvalue is at least (m_1 ... m_K)^(1/K) and at most K times that, with their largest
    eigenvalues m_k. `least_norm` returns the factors in place of the twin.

    Raises ValueError for other words, and Undefined for a loss that is not the mean of its
    criterion over the outputs of rectified layers, for a Hessian that is not positive
    semi-definite, and where the value can be brought to zero.

    >>> from sharpminima.losses import NetworkLoss
    >>> loss = NetworkLoss((1, 1, 1), [[1.0]], [2.0])
    >>> floor = sharpness_floor(loss, [4.0, 0.5], over="layers")  # sharpest direction: 16.25
    >>> round(floor.upper, 6), np.round(floor.theta, 4)
    (4.0, array([1.4142, 1.4142]))
    """
    as_choice("of", of, ("largest_eigenvalue", "trace"))
    point = Point(loss, theta)
    factors = number_factors(point, over)
    before, after = factors.before, factors.after
    if of == "trace":
        least, logs = find_least_trace(point, factors)
        found = Bracket(least, least, logs / 2)
    else:
        found = least_largest_eigenvalue(point.hessian, before, after)
    twin = np.exp(found.logs[after] - found.logs[before]) * point.theta
    return Floor(found.lower, found.upper, twin)


def least_norm(loss: Loss, theta: ArrayLike, *, over: str = "layers") -> LeastNorm:
    """Return the least spectral norm of the Hessian over all scalings of the network: `over`
    "layers" (alpha-scaling) or "units" (`node_scale`).

    It is the `sharpness_floor` of the largest eigenvalue, with the factors that lead there. Raises
    as that does.

    >>> from sharpminima.losses import NetworkLoss
    >>> toy = NetworkLoss((1, 1, 1), [[1.0]], [1.0])  # f = theta_2 relu(theta_1 x), f(1) = 1
    >>> found = least_norm(toy, [3.0, 1 / 3])  # with the norm 9 + 1/9; least at (1, 1)
    >>> round(found.value, 6), found.scales[0].round(6)
    (2.0, array([0.333333]))
    """
    point = Point(loss, theta)
    factors = number_factors(point, over)
    found = least_largest_eigenvalue(point.hessian, factors.before, factors.after)
    one = found.logs[factors.one]
    scales = tuple(np.exp(found.logs[units] - one) for units in factors.units)
    return LeastNorm(found.upper, found.lower, scales)


@measure(
    "Least eigenvalue over layers",
    formula=r"$\min_\alpha \lambda_{\max}(H(T_\alpha\theta))$",
    source="this book: minimum sharpness (Ibayashi et al. 2021) of the largest eigenvalue",
)
def least_eigenvalue_layers(point):
    """The least largest eigenvalue of the Hessian among the alpha-scaled twins."""
    return _find_least_eigenvalue(point, "layers")


@measure(
    "Least eigenvalue over units",
    formula=r"$\min_c \lambda_{\max}(H(c\cdot\theta))$",
    source="this book: minimum sharpness (Ibayashi et al. 2021) of the largest eigenvalue",
)
def least_eigenvalue_units(point):
    """The least largest eigenvalue of the Hessian among all networks that `node_scale` makes."""
    return _find_least_eigenvalue(point, "units")


def _find_least_eigenvalue(point, over):
    factors = number_factors(point, over)
    return least_largest_eigenvalue(point.hessian, factors.before, factors.after).upper


def least_largest_eigenvalue(H: ArrayLike, before: ArrayLike, after: ArrayLike) -> Bracket:
    """Return the `Bracket` of the infimum over u of the largest eigenvalue of D H D, with D_i =
    exp(u[before_i] - u[after_i]), for a positive semi-definite matrix H (n, n).

    `before` and `after` (n,) number the nodes, from 0, that parameter i leads from and to: in a
    network its units, with one number for all inputs and outputs and for what feeds the biases. The
    matrix of the network whose unit p is scaled by exp(u_p) is D H D. Parameters that lie on no
    cycle of nodes can be made to count as little as one likes; they are left out, and `logs` are
    then those of the rest.

    Raises Undefined for a matrix that is not positive semi-definite, where the infimum is zero, and
    where the ends of the bracket do not meet to 1e-7.

    >>> found = least_largest_eigenvalue([[4.0, 2.0], [2.0, 1.0]], [0, 1], [1, 0])
    >>> round(found.lower, 6), round(found.upper, 6)  # at the twin [[2, 2], [2, 2]]
    (4.0, 4.0)
    """
    H = as_symmetric(H)
    before, after = np.asarray(before), np.asarray(after)
    A = _find_root(H)
    sizes = np.maximum(np.diag(H), 0)
    kept = find_cycles(add_up(sizes, before, after))[before, after] & (sizes > 0)
    if not kept.any():
        raise Undefined("the Hessian has no eigenvalue here that rescaling cannot take away")
    A, sizes, before, after = A[:, kept], sizes[kept], before[kept], after[kept]
    # From the network of least trace on: what follows is then the same at every twin.
    _, start = minimize_sum(add_up(sizes, before, after))
    A = A * np.exp((start[before] - start[after]) / 2)
    lower, upper, v = _minimize(_make_groups(A, before, after), len(start))
    if not upper - lower <= GAP * upper:
        raise Undefined(f"the least value was not found: it is between {lower:.9g} and {upper:.9g}")
    return Bracket(min(lower, upper), upper, (start + v) / 2)


def _find_root(H):
    """Return A (r, n) with H = A'A."""
    s = scales_to_unit_diagonal(H)
    values, vectors = scipy.linalg.eigh(H * np.outer(s, s))
    largest = np.abs(values).max()
    if values[0] < -NEGLIGIBLE * largest:
        raise Undefined("the Hessian must be positive semi-definite for a convex program")
    kept = values > NEGLIGIBLE * largest
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T / s


class _Group(NamedTuple):
    """The parameters with one factor exp(v_p - v_q): B_pq = A_pq A_pq'."""

    p: int
    q: int
    gram: Array


def _make_groups(A, before, after):
    groups = []
    for p, q in sorted(set(zip(before.tolist(), after.tolist(), strict=True))):
        part = A[:, (before == p) & (after == q)]
        groups.append(_Group(p, q, part @ part.T))
    return groups


def _assemble(groups, v):
    """Return M(v) and the weighted terms of its sum."""
    terms = [np.exp(v[g.p] - v[g.q]) * g.gram for g in groups]
    return np.sum(terms, axis=0), terms


def _minimize(groups, n_nodes):
    """Return a lower bound of the least largest eigenvalue of M(v), the one that is reached, and
    the v where it is: Newton's method on mu log tr exp(M / mu), which is convex and at most mu log
    r above it, for ever smaller mu.
    """
    v = np.zeros(n_nodes)
    softness = SOFTEST
    found = None
    while softness >= HARDEST:
        mu = softness * scipy.linalg.eigvalsh(_assemble(groups, v)[0])[-1]
        next_v, is_least = _minimize_smooth(groups, v, mu)
        if found is not None and not is_least:
            break  # rounding hides what the smaller mu would add
        v = next_v
        found = *_bracket(groups, v, mu), v
        lower, upper, _ = found
        if upper - lower <= CLOSED * upper:
            break
        softness *= COOLING
    return found


def _bracket(groups, v, mu):
    """Return the lower bound from the density matrix of mu, and the largest eigenvalue of M(v)."""
    values, vectors = scipy.linalg.eigh(_assemble(groups, v)[0])
    shares = np.exp((values - values[-1]) / mu)
    R = (vectors * (shares / shares.sum())) @ vectors.T
    weights = np.zeros((len(v), len(v)))
    for g in groups:
        weights[g.p, g.q] += max(np.sum(R * g.gram), 0.0)
    return least_sum(weights), float(values[-1])


def _minimize_smooth(groups, v, mu):
    """Return where the smoothed eigenvalue is least, from v on, and whether it is: the decrease
    that another step promises is small against mu.
    """
    for _ in range(NEWTON_STEPS):
        value, slope, curvature = _differentiate(groups, v, mu)
        step = -np.linalg.lstsq(curvature, slope, rcond=1e-14)[0]
        decrease = -slope @ step
        if decrease <= 1e-6 * mu:
            return v, True
        found = _walk(groups, v, step, value, decrease, mu)
        if found is None:
            return v, decrease <= 0.1 * mu
        v = found
    return v, False


def _walk(groups, v, step, value, decrease, mu):
    """Return v after a step that lowers the smoothed eigenvalue, shortened until it does; None if
    rounding hides that.
    """
    length = min(1.0, 2.0 / np.abs(step).max())
    while length > 1e-6:
        trial = v + length * step
        if _smooth(groups, trial, mu) <= value - 0.1 * length * decrease:
            return trial
        length /= 2
    return None


def _smooth(groups, v, mu):
    values = scipy.linalg.eigvalsh(_assemble(groups, v)[0])
    return values[-1] + mu * np.log(np.sum(np.exp((values - values[-1]) / mu)))


def _differentiate(groups, v, mu):
    """Return mu log tr exp(M(v) / mu), its gradient and its Hessian in v."""
    M, terms = _assemble(groups, v)
    values, vectors = scipy.linalg.eigh(M)
    shares = np.exp((values - values[-1]) / mu)
    total = shares.sum()
    shares /= total
    value = values[-1] + mu * np.log(total)
    gaps = values[:, None] - values
    close = np.abs(gaps) <= 1e-9 * mu
    quotients = np.subtract.outer(shares, shares)
    quotients = np.divide(quotients, gaps, out=np.zeros_like(gaps), where=~close)
    quotients[close] = ((shares[:, None] + shares) / (2 * mu))[close]
    derivatives = np.zeros((len(v), *M.shape))
    curvature = np.zeros((len(v), len(v)))
    for g, term in zip(groups, terms, strict=True):
        seen = vectors.T @ term @ vectors
        derivatives[g.p] += seen
        derivatives[g.q] -= seen
        weight = shares @ np.diag(seen)
        for one, other, sign in ((g.p, g.p, 1), (g.q, g.q, 1), (g.p, g.q, -1), (g.q, g.p, -1)):
            curvature[one, other] += sign * weight
    slope = np.einsum("aii,i->a", derivatives, shares)
    flat = derivatives.reshape(len(v), -1)
    curvature += (flat * quotients.ravel()) @ flat.T - np.outer(slope, slope) / mu
    return value, slope, curvature
