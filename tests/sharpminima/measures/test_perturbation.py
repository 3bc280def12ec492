"""Second-order terms of perturbations, against ascent, exact means and integrals over the box.

They are compared with the quadratic form of the exact Hessian, so nothing is said of how far they
hold.
"""

import math

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.integrate

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES, perturbation
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating, weights
from tests.sharpminima.support import ROUNDING


def radii(point, kind):
    """The T of each perturbation in loops over single weights."""
    rows = []
    for W, b in point.layers:
        for i, j in np.ndindex(W.shape):
            filter_norm = math.sqrt(sum(W[k, j] ** 2 for k in range(len(W))))
            rows.append(
                {
                    "sam": 1.0,
                    "asam": abs(W[i, j]),
                    "asam_damped": abs(W[i, j]) + 0.01,
                    "asam_filter": filter_norm,
                }[kind]
            )
        rows += [] if b is None else [1.0 if kind in ("sam", "asam_damped") else abs(v) for v in b]
    return np.array(rows)


KINDS = {"sam": 0.05, "asam": 0.5, "asam_damped": 0.5, "asam_filter": 0.5}


@pytest.mark.parametrize("kind, rho", KINDS.items())
def test_worst_is_the_largest_quadratic_term_that_ascent_finds(at, kind, rho):
    """Ascent on the sphere |v| = 1 by v -> (A + c I) v, which never descends; 2^20 steps at once by
    repeated squaring.
    """
    A = at.hessian * np.outer(radii(at, kind), radii(at, kind))
    steps = A + np.linalg.norm(A) * np.eye(len(A))
    for _ in range(20):
        steps = steps @ steps / np.linalg.norm(steps) ** 2
    v = steps @ np.random.default_rng(0).normal(size=len(A))
    d = rho * radii(at, kind) * v / np.linalg.norm(v)
    assert MEASURES[f"{kind}_worst"](at) == pytest.approx(d @ at.hessian @ d / 2, rel=1e-10)
    others = np.random.default_rng(1).normal(size=(1000, len(A)))
    others *= rho * radii(at, kind) / np.linalg.norm(others, axis=1, keepdims=True)
    assert np.einsum("si,ij,sj->s", others, at.hessian, others).max() / 2 <= MEASURES[
        f"{kind}_worst"
    ](at)


@pytest.mark.parametrize("kind, rho", KINDS.items())
def test_average_is_the_mean_over_points_with_the_second_moments_of_the_gaussian(at, kind, rho):
    """The 2n points ±sqrt(n) rho T_i e_i have the moments of N(0, rho² T²) to third order: on
    quadratics the mean is exact.
    """
    H, T = sm.hessian(at.loss, at.theta, method="autograd"), radii(at, kind)
    n = len(T)
    points = [
        sign * math.sqrt(n) * rho * T[i] * e for i, e in enumerate(np.eye(n)) for sign in (1, -1)
    ]
    mean = np.mean([d @ H @ d / 2 for d in points])
    assert MEASURES[f"{kind}_average"](at) == pytest.approx(mean, rel=ROUNDING)


def test_the_average_is_what_sampling_tends_to(at):
    rng, rho = np.random.default_rng(0), 0.5
    d = rho * at.theta * rng.normal(size=(40_000, len(at.theta)))
    terms = np.einsum("si,ij,sj->s", d, at.hessian, d, optimize=True) / 2
    assert abs(terms.mean() - measures.asam_average(at)) < 5 * terms.std() / math.sqrt(len(terms))


def test_asam_average_is_the_sum_over_the_fisher_diagonal(at):
    F = sm.gauss_newton(at.loss, at.theta)
    expected = 0.5**2 / 2 * sum(t**2 * F[i, i] for i, t in enumerate(at.theta))
    assert measures.asam_average(at) == pytest.approx(expected, rel=ROUNDING)


def test_box_average_integrates_over_the_box(at):
    H, epsilon = sm.hessian(at.loss, at.theta, method="autograd"), 1e-3
    sides = epsilon * (np.abs(at.theta) + 1)
    terms = [
        scipy.integrate.quad(lambda z, h=h: h * z**2 / 2, -side, side)[0] / (2 * side)
        for h, side in zip(np.diag(H), sides, strict=True)
    ]
    assert measures.box_average(at) == pytest.approx(100 * sum(terms) / (1 + at.value), rel=1e-12)


@pytest.mark.parametrize("name", ["sam_worst", "asam_worst"])
def test_where_nothing_curves_upwards_the_largest_term_is_zero(name):
    class Hill:
        def __call__(self, theta):
            return -anp.sum(theta**2)

    assert MEASURES[name](Point(Hill(), [1.0, 2.0])) == 0


def test_layer_normalized_is_the_power_method_of_the_released_code():
    point = interpolating((3, 4, 3, 2))
    squares = np.concatenate([np.full(W.size, (W**2).sum()) for W in weights(point)])
    v = np.random.default_rng(0).normal(size=len(squares))
    for _ in range(2000):
        v = squares * (point.hessian @ v)
        v /= math.sqrt(np.sum(v**2 / squares))  # the metric sum <u_k, v_k> / |W_k|²
    assert measures.layer_normalized(point) == pytest.approx(
        np.sum(squares * (point.hessian @ v) * v / squares), rel=1e-8
    )


def test_layer_normalized_is_for_networks_without_biases():
    with pytest.raises(Undefined, match="the formula is for networks without biases"):
        measures.layer_normalized(interpolating((2, 3, 1), bias=True))


@pytest.mark.parametrize("value", [-4.0, -1.5, -1.0])
def test_the_box_needs_a_loss_above_minus_one(value):
    with pytest.raises(Undefined, match=f"the loss must be greater than -1, got {value:g}"):
        measures.box_average(Point(lambda t: value + t[0] ** 2, [0.0]))


# The largest g'd + d'Hd / 2 over |d| <= rho, with H diagonal.
RISES = {
    "along the largest eigenvector": ([0.0, 0.0, 1e-9], [-1.0, 0.0, 1.0], 1e-3, 5e-7 + 1e-12),
    "the same, flat": ([0.0, 0.0, 1e-9], [-1e-3, 0.0, 1e-3], 1.0, 5e-4 + 1e-9),
    "no slope": ([0.0, 0.0], [0.25, 0.5], 2.0, 1.0),
    "no slope on a hill": ([0.0, 0.0], [-1.0, -0.5], 2.0, 0.0),
    "no slope on a ridge": ([0.0, 0.0, 0.0], [-1.0, 0.0, 0.0], 2.0, 0.0),
    "nothing at all": ([0.0, 0.0], [0.0, 0.0], 2.0, 0.0),
    "a slope and a large ball": ([-1.0], [0.0], 1e8, 1e8),
    "a gentle slope": ([-1e-8], [0.0], 1.0, 1e-8),
    # At d = (1/4, 0), within the ball.
    "the top of a hill": ([1 / 16, 0.0], [-0.25, -0.5], 1.0, 1 / 128),
    # At d = (0, 1): the other way to the edge begins with d = (0, 5/4), outside.
    "across the largest eigenvector": ([0.0, 1.25], [1.0, 0.0], 1.0, 1.25),
    # d = (t, 1/4, 1/4) and twice that, with t what is missing of rho.
    "hard": ([0.0, 1 / 4, 1 / 2], [1.0, 0.0, -1.0], 1.0, 19 / 32),
    "hard, twice": ([0.0, 1 / 2, 1.0], [1.0, 0.0, -1.0], 2.0, 19 / 8),
    "hard, less curved": ([0.0, 1 / 4], [0.5, -0.5], 1.0, 9 / 32),
    "hard, with a flat direction": ([0.0, 1 / 4], [0.0, -1.0], 1.0, 1 / 32),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", RISES)
def test_the_largest_rise_in_a_ball_is_the_one_on_paper(case):
    g, values, rho, best = RISES[case]
    found = perturbation._find_largest_rise(np.array(g), np.diag(values), rho)
    assert found == pytest.approx(best, rel=1e-9, abs=0)


def test_m_sharpness_keeps_the_weights_of_the_samples_and_their_coordinates():
    """Of one weight w the largest rise of a batch is rho |g| + rho² H / 2."""
    x, y, weights = (
        np.array([1.0, 2.0, -1.0]),
        np.array([3.0, -1.0, 2.0]),
        np.array([1.0, 5.0, 3.0]),
    )
    loss = sm.NetworkLoss((1, 1), x[:, None], y, sample_weight=weights)
    weights /= weights.mean()
    w, rho = 0.5, 0.25
    slopes, curvatures = weights * (w * x - y) * x, weights * x**2
    for there, at, unit in (
        (loss, w, 1),
        (reparametrize_twice(loss), (w - 1) / 2, 2),
    ):
        g = unit * np.array([slopes[:2].mean(), slopes[2]])
        H = unit**2 * np.array([curvatures[:2].mean(), curvatures[2]])
        value = measures.m_sharpness(Point(there, [at]), rho=rho, m=2)
        assert value == pytest.approx(np.mean(rho * np.abs(g) + rho**2 / 2 * H), rel=1e-9)


def reparametrize_twice(loss):
    """The loss at 2 eta + 1."""
    shifted = sm.reparametrize(loss, sm.Map(lambda eta: eta + 1, lambda theta: theta - 1))
    return sm.reparametrize(shifted, sm.linear_map([[2.0]]))
