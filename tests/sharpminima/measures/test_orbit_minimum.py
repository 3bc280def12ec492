"""The least value over an orbit, against closed forms, other iterations, scipy's optimizers, and
networks that were in fact rescaled.
"""

import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES
from sharpminima.measures.orbit_minimum import (
    _curvature,
    _log_sum,
    _slope,
    add_up,
    least_sum,
    number_factors,
)
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating, toy
from tests.sharpminima.support import DIFFERENCES, EPS, apart, differences


def test_what_is_added_up_stands_between_its_two_numbers():
    M = add_up(np.array([1.0, 2.0, 4.0, 8.0]), np.array([0, 2, 2, 0]), np.array([2, 1, 1, 0]))
    assert M.tolist() == [[8, 0, 1], [0, 0, 0], [0, 6, 0]]


def test_units_are_numbered_layer_by_layer_and_ends_share_the_last_number():
    """Of 2-2-3-1-2 with biases; weights in the order of their rows, then the biases of a layer."""
    widths = (2, 2, 3, 1, 2)
    loss = sm.NetworkLoss(widths, np.ones((1, 2)), np.ones((1, 2)), bias=True)
    found = number_factors(Point(loss, np.ones(loss.size)), "units")
    assert [units.tolist() for units in found.units] == [[0, 1], [2, 3, 4], [5]] and found.one == 6
    after = [0, 1, 0, 1, 0, 1] + 3 * [2, 3, 4] + 4 * [5] + 4 * [6]
    before = 6 * [6] + [0, 0, 0, 1, 1, 1] + 3 * [6] + [2, 3, 4, 6] + [5, 5] + 2 * [6]
    assert (found.before.tolist(), found.after.tolist()) == (before, after)


def test_least_sum_of_two_is_the_mean_of_the_closed_form():
    assert least_sum(np.array([[5.0, 4.0], [9.0, 7.0]])) == pytest.approx(
        12 + 2 * math.sqrt(4 * 9), rel=1e-12
    )


@settings(max_examples=50)
@given(st.lists(st.floats(-14, 14), min_size=2, max_size=7))
def test_least_sum_of_a_cycle_is_k_times_its_geometric_mean(logs):
    k = len(logs)
    M = np.zeros((k, k))
    M[np.arange(k), np.roll(np.arange(k), -1)] = np.exp(logs)
    assert least_sum(M) == pytest.approx(k * math.exp(np.mean(logs)), rel=1e-10)


def test_least_sum_leaves_out_what_lies_on_no_cycle():
    M = np.array([[0.0, 4.0, 100.0], [9.0, 0.0, 100.0], [0.0, 0.0, 2.0]])
    assert least_sum(M) == pytest.approx(2 * 6 + 2, rel=1e-12)
    assert least_sum(np.array([[0.0, 1.0], [0.0, 0.0]])) == 0


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_least_sum_does_not_depend_on_a_scaling_and_no_scaling_goes_below_it(seed):
    rng = np.random.default_rng(seed)
    M = rng.exponential(size=(6, 6)) * (rng.random((6, 6)) < 0.7)
    least, u = least_sum(M), rng.uniform(-14, 14, size=(20, 6))
    assert least_sum(M * np.exp(u[0][:, None] - u[0])) == pytest.approx(least, rel=1e-10)
    near = 1e-3 * u  # close to where the unscaled matrix is
    assert all(np.sum(M * np.exp(v[:, None] - v)) >= least * (1 - 1e-12) for v in (*u, *near))


def test_the_search_is_given_the_derivatives_of_the_logarithm_of_the_sum():
    rng = np.random.default_rng(0)
    logs, u = rng.normal(size=(4, 4)), rng.normal(size=4)
    assert apart(_slope(logs, u), differences(lambda v: _log_sum(logs, v), u)) < DIFFERENCES
    assert apart(_curvature(logs, u), differences(lambda v: _slope(logs, v), u)) < DIFFERENCES


def test_at_the_least_sum_rows_and_columns_balance():
    """The condition of Karush, Kuhn and Tucker, for the scaling that Osborne's iteration finds."""
    M = np.random.default_rng(0).exponential(size=(7, 7))
    scaled = M.copy()
    for _ in range(200):
        for k in range(len(M)):
            row, column = (scaled[k].sum() - scaled[k, k], scaled[:, k].sum() - scaled[k, k])
            factor = math.sqrt(column / row)
            scaled[k] *= factor
            scaled[:, k] /= factor
    np.testing.assert_allclose(scaled.sum(axis=0), scaled.sum(axis=1), rtol=1e-12)
    assert least_sum(M) == pytest.approx(scaled.sum(), rel=1e-12)


@pytest.mark.parametrize("widths", [(3, 4, 2), (3, 5, 4, 2)])
def test_without_biases_minimum_sharpness_is_k_times_the_geometric_mean(widths):
    point = interpolating(widths)
    traces = [
        part.sum() for part in np.split(np.diag(point.hessian), np.cumsum(point.loss.sizes)[:-1])
    ]
    K = len(traces)
    assert measures.minimum_sharpness_layers(point) == pytest.approx(
        K * math.prod(traces) ** (1 / K), rel=1e-10
    )


@pytest.mark.claim("proposition-floor-units", "fig-intervals", "table-report")
def test_with_two_layers_the_least_over_units_is_a_sum_of_roots():
    point = interpolating((3, 5, 2))
    inner, outer = point.loss.layers(np.diag(point.hessian))
    entering, leaving = inner.weight.sum(axis=0), outer.weight.sum(axis=1)
    expected = 2 * sum(math.sqrt(a * b) for a, b in zip(entering, leaving, strict=True))
    assert measures.minimum_sharpness_units(point) == pytest.approx(expected, rel=1e-10)
    scales = (entering / leaving) ** 0.25
    twin = sm.node_diagonal(point.loss.widths, [scales]) * point.theta
    assert sm.trace(sm.hessian(point.loss, twin)) == pytest.approx(expected, rel=1e-10)
    assert expected < measures.minimum_sharpness_layers(point)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("what", ["layers", "units"])
def test_minimum_sharpness_is_the_least_trace_of_networks_that_are_in_fact_rescaled(what, bias):
    point = interpolating((3, 4, 3, 2), bias=bias)
    widths = point.loss.widths

    def log_trace(logs):
        scales = (
            np.split(np.exp(logs), [4])
            if what == "units"
            else [np.full(4, math.exp(logs[0])), np.full(3, math.exp(logs[1]))]
        )
        rescaled = sm.ravel(sm.node_scale(point.layers, scales))
        return math.log(sm.hessian_diagonal(point.loss, rescaled).sum())

    found = scipy.optimize.minimize(
        log_trace, np.zeros(sum(widths[1:-1]) if what == "units" else 2), method="BFGS"
    )
    # BFGS stops at slopes of 1e-5; near the least value the error is the square of that by the
    # least curvature, 1e-3 and more.
    assert MEASURES[f"minimum_sharpness_{what}"](point) == pytest.approx(
        math.exp(found.fun), rel=1e-7
    )
    assert MEASURES[f"minimum_sharpness_{what}"](point) <= math.exp(found.fun) * (1 + 1e-12)


@pytest.mark.parametrize("form", ["arxiv", "icml"])
def test_normalized_flatness_is_the_least_value_of_its_formula(at, form):
    """The formula of each form, over the logarithms of the factors, minimized by BFGS layer by
    layer.
    """
    total = 0.0
    for (W, _), (C, _) in zip(at.layers, at.loss.layers(np.diag(at.hessian)), strict=True):
        d = len(W)

        def formula(logs, W=W, C=C, d=d):
            s, t = anp.exp(logs[:d]), anp.exp(logs[d:])
            if form == "icml":
                return anp.log(anp.sum(anp.dot(1 / s, W**2) * anp.dot(s, C))) / 2
            return anp.log(anp.dot(s, anp.dot(C, t)) + anp.dot(1 / s, anp.dot(W**2, 1 / t)))

        found = scipy.optimize.minimize(
            formula, np.zeros(sum(W.shape)), jac=autograd.grad(formula), options={"gtol": 1e-9}
        )
        total += math.exp(found.fun)
    assert MEASURES[f"normalized_flatness_{form}"](at) == pytest.approx(total, rel=1e-9)


def test_the_two_forms_of_normalized_flatness_disagree(at):
    # The best t makes the arXiv form 2 sum sqrt(c_j w_j), of which sqrt(sum c_j w_j) is at most the
    # half.
    assert measures.normalized_flatness_arxiv(at) > 2.01 * measures.normalized_flatness_icml(at)


def test_a_minimum_over_an_orbit_needs_curvature_of_one_sign():
    class Saddle(sm.NetworkLoss):
        def hessian_diagonal(self, theta):
            return np.array([1.0, -1.0])

    with pytest.raises(Undefined, match="no negative diagonal entry"):
        measures.minimum_sharpness_units(Point(Saddle((1, 1, 1), [[1.0]], [1.0]), [1.0, 1.0]))


def test_a_negative_entry_of_the_size_of_rounding_counts_as_zero():
    class Rounded(sm.NetworkLoss):
        def hessian_diagonal(self, theta):
            return np.array([4.0, -4 * EPS, 9.0, 1.0])

    # The second unit has no inner curvature, so that of its outer weight can be scaled away.
    assert measures.minimum_sharpness_units(
        Point(Rounded((1, 2, 1), [[1.0]], [1.0]), np.ones(4))
    ) == pytest.approx(12, rel=1e-12)


@pytest.mark.parametrize("name", ["normalized_flatness_arxiv", "normalized_flatness_icml"])
def test_normalized_flatness_takes_such_an_entry_for_a_zero(name):
    def measure_with(entry):
        class Curved(sm.NetworkLoss):
            def hessian_diagonal(self, theta):
                return np.array([4.0, entry, 9.0, 1.0])

        return MEASURES[name](Point(Curved((2, 2), np.eye(2), np.eye(2)), np.ones(4)))

    assert measure_with(-4 * EPS) == measure_with(0.0) > 0


def test_the_least_trace_may_be_small_but_not_zero():
    # f = theta_2 relu(theta_1 x) with x = 0.1: the traces of the layers are 0.01 theta_2^2 and 0.01
    # theta_1^2, and the least of the sum is 0.02 theta_1 theta_2.
    loss = sm.NetworkLoss((1, 1, 1), [[0.1]], [0.1])
    assert sm.sharpness_floor(loss, [4.0, 0.25], of="trace").upper == pytest.approx(0.02)
    flat = toy(-1.0, 1.0, 9.0)
    with pytest.raises(Undefined, match="no trace here that rescaling cannot take away"):
        sm.sharpness_floor(flat.loss, flat.theta, of="trace")


def test_a_minimum_that_is_not_found_is_an_error(monkeypatch):
    def nothing(value, u, *, jac, **options):
        return scipy.optimize.OptimizeResult(x=u, fun=value(u), jac=jac(u), message="stopped early")

    monkeypatch.setattr(scipy.optimize, "minimize", nothing)
    with pytest.raises(Undefined, match="the minimum over the orbit was not found: stopped early"):
        least_sum(np.array([[0.0, 4.0], [9.0, 0.0]]))


@pytest.mark.parametrize("name", ["minimum_sharpness_layers", "minimum_sharpness_units"])
def test_without_a_trace_there_is_no_minimum_over_the_orbit(name):
    with pytest.raises(Undefined, match="no trace here that rescaling cannot take away"):
        MEASURES[name](toy(2.0, 0.0, 1.0))
