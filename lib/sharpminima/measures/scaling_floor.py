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
proved, however the program was solved.
"""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from .._validation import Array
from ..losses import Loss
from ..networks import Params, widths_of
from ..points import Point, Undefined
from ..spectra import NEGLIGIBLE, scales_to_unit_diagonal
from .orbit_minimum import find_cycles, least_sum, number_layers, number_units
from .registry import measure

GAP = 1e-7  # how far apart, relative to the value, the two ends of the bracket may be
SOFTEST, HARDEST, COOLING = 0.1, 1e-9, 0.25  # how far the smoothed eigenvalue is from the largest
NEWTON_STEPS = 60


class Floor(NamedTuple):
    """The least value over all scalings lies between `lower` and `upper`; `theta` is the twin at
    which it is `upper`.
    """

    lower: float
    upper: float
    theta: Array


def sharpness_floor(
    loss: Loss, theta: ArrayLike, *, of: str = "largest_eigenvalue", over: str = "units"
) -> Floor:
    """Return the `Floor` of the Hessian's largest eigenvalue or trace over all scalings of `layers`
    or of `units`.

    `of` is "largest_eigenvalue" or "trace", `over` "layers" or "units". Both are convex programs;
    the ends of the bracket are at most 1e-7 of the value apart. Without biases the least trace over
    layers is K (t_1 ... t_K)^(1/K), with the traces t_k of the Hessian's diagonal blocks, and the
    least eigenvalue is at least (m_1 ... m_K)^(1/K) and at most K times that, with their largest
    eigenvalues m_k.

    Raises ValueError for other words, and Undefined for a loss that is not the mean of its
    criterion over the outputs of rectified layers, for a Hessian that is not positive
    semi-definite, and where the value can be brought to zero.

    >>> from sharpminima.losses import NetworkLoss
    >>> loss = NetworkLoss((1, 1, 1), [[1.0]], [2.0])
    >>> floor = sharpness_floor(loss, [4.0, 0.5], over="layers")  # sharpest direction: 16.25
    >>> round(floor.upper, 6), np.round(floor.theta, 4)
    (4.0, array([1.4142, 1.4142]))
    """
    if over not in NUMBERINGS:
        raise ValueError(f"over must be layers or units, got {over!r}")
    if of not in ("largest_eigenvalue", "trace"):
        raise ValueError(f"of must be largest_eigenvalue or trace, got {of!r}")
    return _find_floor(Point(loss, theta), of, over)


@measure(
    "Least eigenvalue over layers",
    formula=r"$\min_\alpha \lambda_{\max}(H(T_\alpha\theta))$",
    source="this book: minimum sharpness (Ibayashi et al. 2021) of the largest eigenvalue",
)
def least_eigenvalue_layers(point):
    """The least largest eigenvalue of the Hessian among the alpha-scaled twins."""
    return _find_floor(point, "largest_eigenvalue", "layers").upper


@measure(
    "Least eigenvalue over units",
    formula=r"$\min_c \lambda_{\max}(H(c\cdot\theta))$",
    source="this book: minimum sharpness (Ibayashi et al. 2021) of the largest eigenvalue",
)
def least_eigenvalue_units(point):
    """The least largest eigenvalue of the Hessian among all networks that `node_scale` makes."""
    return _find_floor(point, "largest_eigenvalue", "units").upper


NUMBERINGS = {"layers": number_layers, "units": number_units}


class _Group(NamedTuple):
    """The parameters with one factor exp(v_p - v_q): which they are, and B_pq = A_pq A_pq'."""

    p: int
    q: int
    members: Array
    gram: Array


def _find_floor(point, of, over):
    point.needs("layers")
    point.needs_rectified_layers()
    point.needs_criterion_mean()
    numbers = NUMBERINGS[over](widths_of(point.layers)[1:-1])
    before, after = _number_parameters(point.layers, numbers)
    n_factors = max(before.max(), after.max()) + 1
    if of == "trace":
        columns = np.sqrt(_take_non_negative(point.hessian_diagonal))[None]
    else:
        columns = _find_root(point.hessian)
    groups = _make_groups(columns, before, after, n_factors)
    if not groups:
        raise Undefined("the Hessian has nothing here that rescaling cannot take away")
    v, mu = _minimize(groups, n_factors)
    M, _ = _assemble(groups, v)
    values, vectors = scipy.linalg.eigh(M)
    upper = float(values[-1])
    lower = _bound_below(groups, n_factors, values, vectors, mu)
    if not upper - lower <= GAP * upper:
        raise Undefined(f"the least value was not found: it is between {lower:.9g} and {upper:.9g}")
    d = np.exp((v[after] - v[before]) / 2)
    return Floor(min(lower, upper), upper, d * point.theta)


def _number_parameters(layers: Params, numbers):
    """Return, for each parameter, the number of the factor of the unit that it leaves and of the
    unit that it enters. Inputs, outputs and the units that biases leave share one.
    """
    one = 1 + max((part.max() for part in numbers), default=-1)
    ends = [np.full(len(layers[0].weight), one), *numbers]
    ends.append(np.full(layers[-1].weight.shape[1], one))
    before, after = [], []
    for (weight, bias), left, right in zip(layers, ends[:-1], ends[1:], strict=True):
        before.append(np.repeat(left, weight.shape[1]))
        after.append(np.tile(right, len(weight)))
        if bias is not None:
            before.append(np.full(len(bias), one))
            after.append(right)
    return np.concatenate(before), np.concatenate(after)


def _take_non_negative(diagonal):
    rounding = len(diagonal) * np.finfo(float).eps * np.abs(diagonal).max()
    if (diagonal < -rounding).any():
        raise Undefined("the Hessian must have no negative diagonal entry for a convex program")
    return np.maximum(diagonal, 0)


def _find_root(H):
    """Return A (r, n) with H = A'A."""
    s = scales_to_unit_diagonal(H)
    values, vectors = scipy.linalg.eigh(H * np.outer(s, s))
    largest = np.abs(values).max()
    if values[0] < -NEGLIGIBLE * largest:
        raise Undefined("the Hessian must be positive semi-definite for a convex program")
    kept = values > NEGLIGIBLE * largest
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T / s


def _make_groups(columns, before, after, n_factors):
    """Return the groups of parameters whose factors matter. An entry on no cycle of factors can be
    made as small as one likes, and is left out.
    """
    sizes = np.zeros((n_factors, n_factors))
    np.add.at(sizes, (before, after), np.sum(columns**2, axis=0))
    on_cycle = find_cycles(sizes)
    groups = []
    for p, q in zip(*np.nonzero(on_cycle & (sizes > 0)), strict=True):
        members = (before == p) & (after == q)
        part = columns[:, members]
        groups.append(_Group(int(p), int(q), members, part @ part.T))
    return groups


def _assemble(groups, v):
    """Return M(v) and the weighted terms of its sum."""
    terms = [np.exp(v[g.p] - v[g.q]) * g.gram for g in groups]
    return np.sum(terms, axis=0), terms


def _minimize(groups, n_factors):
    """Return the v at which the largest eigenvalue of M(v) is least, and the last mu: Newton's
    method on mu log tr exp(M / mu), which is convex and at most mu log r above it, for ever smaller
    mu.
    """
    v = np.zeros(n_factors)
    softness = SOFTEST
    best = None
    while softness >= HARDEST:
        mu = softness * np.linalg.norm(_assemble(groups, v)[0], 2)
        found, is_least = _minimize_smooth(groups, v, mu)
        if best is not None and not is_least:
            break  # rounding hides what the smaller mu would add
        v = found
        best = v - v.mean(), mu
        softness *= COOLING
    return best


def _minimize_smooth(groups, v, mu):
    """Return where the smoothed eigenvalue is least, from v on, and whether it is: the decrease
    that another step promises is small against mu.
    """
    for _ in range(NEWTON_STEPS):
        value, slope, curvature = _differentiate(groups, v, mu)
        step = -np.linalg.lstsq(curvature, slope, rcond=1e-14)[0]
        decrease = -slope @ step
        if decrease <= max(1e-6 * mu, 1e-15 * value):
            return v, decrease <= 0.1 * mu
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


def _bound_below(groups, n_factors, values, vectors, mu):
    """Return a lower bound of the largest eigenvalue of M(v) over all v, from the density matrix
    exp(M / mu) / tr exp(M / mu).
    """
    shares = np.exp((values - values[-1]) / mu)
    R = (vectors * shares / shares.sum()) @ vectors.T
    weights = np.zeros((n_factors, n_factors))
    for g in groups:
        weights[g.p, g.q] += max(np.sum(R * g.gram), 0.0)
    return least_sum(weights)
