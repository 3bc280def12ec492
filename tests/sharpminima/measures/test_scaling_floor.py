"""The least largest eigenvalue over scalings: closed forms, another optimizer on networks that were
in fact rescaled, the bracket of the geometric mean, and that the bracket holds for every factor.
"""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES
from sharpminima.measures.scaling_floor import least_largest_eigenvalue
from sharpminima.points import Point, Undefined
from sharpminima.spectra import NEGLIGIBLE
from tests.sharpminima.measures.support import gauge, interpolating, toy


def largest(loss, theta):
    return np.linalg.eigvalsh(sm.hessian(loss, theta))[-1]


@pytest.mark.claim("proposition-least-eigenvalue")
@pytest.mark.parametrize("widths", [(3, 4, 2), (3, 5, 4, 2)])
@pytest.mark.parametrize("over", ["layers", "units"])
def test_the_bracket_holds_and_is_attained_at_a_twin(widths, over):
    point = interpolating(widths, criterion="cross_entropy", seed=3)
    floor = sm.sharpness_floor(point.loss, point.theta, over=over)
    assert 0 <= floor.upper - floor.lower <= 1e-7 * floor.upper
    assert largest(point.loss, floor.theta) == pytest.approx(floor.upper, rel=1e-9)
    assert np.allclose(point.loss.outputs(floor.theta), point.outputs)
    kind = {"layers": "layer_scale", "units": "node_scale"}[over]
    rng = np.random.default_rng(0)
    for span in (0.01, 0.1, 1, 3):
        for _ in range(10):
            twin = gauge(widths, kind, rng, span=span) * floor.theta
            assert largest(point.loss, twin) >= floor.lower
    twin = Point(point.loss, gauge(widths, kind, rng) * point.theta)
    assert MEASURES[f"least_eigenvalue_{over}"](twin) == pytest.approx(floor.upper, rel=1e-7)


@pytest.mark.claim("proposition-least-eigenvalue")
def test_over_layers_it_lies_between_the_geometric_mean_and_k_times_that():
    for seed in range(5):
        point = interpolating((4, 6, 5, 3), seed=seed)
        tops = [np.linalg.eigvalsh(point.hessian[b, b])[-1] for b in point.loss.blocks]
        mean = np.prod(tops) ** (1 / 3)
        floor = sm.sharpness_floor(point.loss, point.theta, over="layers")
        assert mean <= floor.upper and floor.lower <= 3 * mean


def test_nelder_mead_on_rescaled_networks_finds_nothing_lower():
    point = interpolating((3, 2, 2), seed=5)

    def value(logs):
        scaled = sm.ravel(sm.node_scale(point.layers, [np.exp(logs)]))
        return largest(point.loss, scaled)

    found = scipy.optimize.minimize(
        value, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13}
    )
    floor = sm.sharpness_floor(point.loss, point.theta)
    assert floor.lower <= found.fun and found.fun == pytest.approx(floor.upper, rel=1e-5)


@pytest.mark.parametrize("over", ["layers", "units"])
@pytest.mark.parametrize("bias", [False, True])
def test_of_the_trace_it_is_minimum_sharpness(over, bias):
    point = interpolating((3, 4, 3, 2), bias=bias, seed=1)
    floor = sm.sharpness_floor(point.loss, point.theta, of="trace", over=over)
    least = MEASURES[f"minimum_sharpness_{over}"](point)
    assert floor.upper == pytest.approx(least, rel=1e-7)
    found = sm.trace(sm.hessian(point.loss, floor.theta))
    assert found == pytest.approx(floor.upper, rel=1e-9)


def test_where_there_is_no_convex_program_it_is_undefined():
    loss, theta = sm.sample_networks(1)["4-7-3, squared error, random point"]
    with pytest.raises(Undefined, match="positive semi-definite"):
        sm.sharpness_floor(loss, theta)
    with pytest.raises(ValueError, match="over must be one of layers, units, got 'rows'"):
        sm.sharpness_floor(loss, theta, over="rows")
    with pytest.raises(ValueError, match="of must be one of largest_eigenvalue, trace"):
        sm.sharpness_floor(loss, theta, of="rank")


# The factors that lead there


@pytest.mark.claim("proposition-norm-floor")
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("over", ["layers", "units"])
def test_the_least_norm_is_that_of_networks_that_are_in_fact_rescaled(over, bias):
    point = interpolating((3, 4, 3, 2), bias=bias)

    def scale_units(logs):
        if over == "layers":
            return [np.full(4, math.exp(logs[0])), np.full(3, math.exp(logs[1]))]
        return np.split(np.exp(logs), [4])

    def log_norm(logs):
        rescaled = sm.ravel(sm.node_scale(point.layers, scale_units(logs)))
        return math.log(sm.spectral_norm(sm.hessian(point.loss, rescaled)))

    found = sm.least_norm(point.loss, point.theta, over=over)
    there = sm.ravel(sm.node_scale(point.layers, found.scales))
    assert sm.spectral_norm(sm.hessian(point.loss, there)) == pytest.approx(found.value, rel=1e-9)
    assert found.lower <= found.value <= found.lower * (1 + 1.01e-7)
    n = 2 if over == "layers" else 7
    best = np.log(np.concatenate(found.scales))
    best = best[[0, 4]] if over == "layers" else best
    rng = np.random.default_rng(0)
    for step in rng.normal(size=(60, n)) * np.repeat([1e-3, 0.1, 3], 20)[:, None]:
        assert log_norm(best + step) >= math.log(found.lower) - 1e-12
    if over == "layers":  # a search that uses no derivative finds the same
        options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 2000}
        search = scipy.optimize.minimize(
            log_norm, np.zeros(n), method="Nelder-Mead", options=options
        )
        assert math.exp(search.fun) == pytest.approx(found.value, rel=1e-5)


def test_the_least_norm_of_a_diagonal_matrix_is_the_largest_geometric_mean_of_a_cycle():
    """Two cycles through the node 2: of parameters 0 and 1 through node 0, of 2 and 3 through node
    1. The norm is the largest entry, and each cycle keeps its product.
    """
    found = least_largest_eigenvalue(np.diag([4.0, 9.0, 1.0, 2.0]), [2, 0, 2, 1], [0, 2, 1, 2])
    assert found.upper == pytest.approx(6, rel=1e-7) and found.lower == pytest.approx(6, rel=1e-7)


@pytest.mark.parametrize("unit", [2.0**-40, 1.0, 2.0**40])
def test_the_logarithms_are_one_for_each_node_and_lead_to_the_upper_end(unit):
    H = unit * np.array([[4.0, 1.0, 0.0], [1.0, 9.0, 2.0], [0.0, 2.0, 1.0]])
    before, after = np.array([0, 1, 2]), np.array([1, 2, 0])
    found = least_largest_eigenvalue(H, before, after)
    assert found.logs.shape == (3,)
    d = np.exp(found.logs[before] - found.logs[after])
    twin = d[:, None] * H * d
    assert np.linalg.eigvalsh(twin)[-1] == pytest.approx(found.upper, rel=1e-9)


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_unit_of_a_matrix_does_not_decide_which_of_its_parameters_count(unit):
    """Of two parameters that undo each other the least is the geometric mean, and a third one, in
    which nothing is curved, changes nothing.
    """
    found = least_largest_eigenvalue(unit * np.diag([4.0, 9.0, 0.0]), [0, 1, 0], [1, 0, 1])
    assert found.lower / unit == pytest.approx(6, rel=1e-7)
    assert found.upper / unit == pytest.approx(6, rel=1e-7)


def test_a_matrix_of_zeros_has_no_least_norm_though_its_nodes_lie_on_cycles():
    with pytest.raises(Undefined, match="no eigenvalue here that rescaling cannot take away"):
        least_largest_eigenvalue(np.zeros((2, 2)), [0, 0], [0, 0])


@pytest.mark.parametrize("over", ["layers", "units"])
@pytest.mark.parametrize("kind", ["layer_scale", "node_scale"])
def test_the_least_norm_is_the_same_at_every_twin(over, kind):
    point = interpolating((3, 5, 2), seed=3)
    d = gauge(point.loss.widths, kind, np.random.default_rng(4), span=2)
    here = sm.least_norm(point.loss, point.theta, over=over).value
    there = sm.least_norm(point.loss, d * point.theta, over=over).value
    keeps = over == "units" or kind == "layer_scale"
    assert (abs(there / here - 1) < 2e-7) == keeps


def test_what_rescaling_takes_away_has_no_part_in_the_least_norm():
    # The second unit is off at the only sample where it would be seen: its curvature is zero, and
    # that of the third, which has no outgoing weight, is all in what leaves it.
    loss = sm.NetworkLoss((1, 3, 1), [[1.0]], [1.0])
    theta = sm.ravel((sm.Layer([[1.0, -1.0, 5.0]], None), sm.Layer([[1.0], [1.0], [0.0]], None)))
    assert sm.spectral_norm(sm.hessian(loss, theta)) == pytest.approx(27)
    assert sm.least_norm(loss, theta, over="units").value == pytest.approx(2, rel=1e-6)


def test_the_least_norm_needs_a_minimum_and_a_family():
    saddle = toy(0.5, 1.0, 9.0)
    with pytest.raises(Undefined, match="must be positive semi-definite"):
        sm.least_norm(saddle.loss, saddle.theta)
    with pytest.raises(ValueError, match="over must be one of layers, units, got 'weights'"):
        sm.least_norm(saddle.loss, saddle.theta, over="weights")
    flat = toy(-1.0, 1.0, 9.0)
    with pytest.raises(Undefined, match="no eigenvalue here that rescaling cannot take away"):
        sm.least_norm(flat.loss, flat.theta)
    with pytest.raises(Undefined, match="the loss must have layers"):
        sm.least_norm(lambda t: t @ t, np.ones(2))


def test_a_least_norm_that_is_not_found_is_an_error(monkeypatch):
    stay = lambda groups, v, mu: (v, True)  # noqa: E731
    monkeypatch.setattr(measures.scaling_floor, "_minimize_smooth", stay)
    point = interpolating((3, 4, 3, 2))
    with pytest.raises(Undefined, match="was not found: it is between"):
        sm.least_norm(point.loss, point.theta, over="units")


@pytest.mark.parametrize("unit, softness", [(1.0, 0.7), (1.0, 10.0), (2.0**-40, 0.7)])
def test_the_smoothed_eigenvalue_is_a_log_trace_and_has_its_derivatives(unit, softness):
    """The value by SciPy's logarithm of the trace of a matrix exponential, derivatives by central
    differences of it. Softer than the gaps of the eigenvalues, harder, and in another unit.
    """
    rng = np.random.default_rng(0)
    before, after = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0])
    A = math.sqrt(unit) * rng.normal(size=(5, 4))
    groups = measures.scaling_floor._make_groups(A, before, after)
    v, mu, step = rng.normal(size=3) / 4, softness * unit, 1e-4

    def smooth(v):
        M = sum(np.exp(v[g.p] - v[g.q]) * g.gram for g in groups)
        return mu * np.log(np.trace(scipy.linalg.expm(M / mu)))

    value, slope, curvature = measures.scaling_floor._differentiate(groups, v, mu)
    assert value == pytest.approx(smooth(v), rel=1e-9)
    assert measures.scaling_floor._smooth(groups, v, mu) == pytest.approx(smooth(v), rel=1e-9)
    for k, e in enumerate(step * np.eye(3)):
        expected = (smooth(v + e) - smooth(v - e)) / (2 * step)
        assert slope[k] == pytest.approx(expected, abs=1e-5 * unit)
        slopes = [measures.scaling_floor._differentiate(groups, v + s * e, mu)[1] for s in (1, -1)]
        expected = (slopes[0] - slopes[1]) / (2 * step)
        np.testing.assert_allclose(curvature[k] / unit, expected / unit, atol=1e-5)


UNIT = 2.0**-20  # of the matrix of the program and of its softness


def search():
    """The groups of a small program, and where its smoothed eigenvalue is least."""
    rng = np.random.default_rng(1)
    before, after = np.array([0, 0, 1, 2]), np.array([1, 2, 2, 0])
    A = math.sqrt(UNIT) * rng.normal(size=(5, 4))
    groups = measures.scaling_floor._make_groups(A, before, after)
    best, is_least = measures.scaling_floor._minimize_smooth(groups, np.zeros(3), UNIT)
    assert is_least
    return groups, best


def test_a_search_that_rounding_stops_keeps_the_last_point_that_is_least(monkeypatch):
    groups, best = search()
    steps = iter([(best + [0.5, 0, 0], False), (best + [0.2, 0, 0], True), (best, False)])
    monkeypatch.setattr(measures.scaling_floor, "_minimize_smooth", lambda *_: next(steps))
    _, upper, v = measures.scaling_floor._minimize(groups, 3)
    np.testing.assert_array_equal(v, best + [0.2, 0, 0])
    largest = np.linalg.eigvalsh(sum(np.exp(v[g.p] - v[g.q]) * g.gram for g in groups))[-1]
    assert upper == pytest.approx(largest, rel=1e-12)


@pytest.mark.parametrize("away, is_least", [(0.01, True), (1.0, False)])
def test_where_no_step_lowers_the_smoothed_eigenvalue_the_decrease_in_view_decides(
    monkeypatch, away, is_least
):
    groups, best = search()
    start = best + [away, 0, 0]
    assert measures.scaling_floor._minimize_smooth(groups, start, UNIT)[1]
    monkeypatch.setattr(measures.scaling_floor, "NEWTON_STEPS", 1)
    assert not measures.scaling_floor._minimize_smooth(groups, best + [1.0, 0, 0], UNIT)[1]
    monkeypatch.setattr(measures.scaling_floor, "_walk", lambda *_: None)
    v, found = measures.scaling_floor._minimize_smooth(groups, start, UNIT)
    assert found == is_least
    np.testing.assert_array_equal(v, start)


def test_a_step_is_shortened_until_it_lowers_the_smoothed_eigenvalue():
    groups, best = search()
    start = best + [1.0, 0, 0]
    value, slope, _ = measures.scaling_floor._differentiate(groups, start, UNIT)
    step = -1000 * slope / np.abs(slope).max()
    found = measures.scaling_floor._walk(groups, start, step, value, -slope @ step, UNIT)
    assert measures.scaling_floor._smooth(groups, found, UNIT) < value
    # Where it is least no step does, whatever is promised of it.
    value = measures.scaling_floor._smooth(groups, best, UNIT)
    assert measures.scaling_floor._walk(groups, best, step / 1000, value, UNIT, UNIT) is None


def test_a_negative_eigenvalue_is_measured_by_the_largest():
    """Of four parameters that do the same but for twice what counts as zero: with unit diagonal the
    eigenvalues are 4 and, by construction, minus that.
    """
    H = np.ones((4, 4))
    H[0, 1] = H[1, 0] = 1 + 2 * NEGLIGIBLE
    found = least_largest_eigenvalue(H, [0, 0, 1, 1], [1, 1, 0, 0])
    assert found.upper == pytest.approx(4, rel=1e-7)
    H[0, 1] = H[1, 0] = 1 + 8 * NEGLIGIBLE
    with pytest.raises(Undefined, match="must be positive semi-definite"):
        least_largest_eigenvalue(H, [0, 0, 1, 1], [1, 1, 0, 0])
