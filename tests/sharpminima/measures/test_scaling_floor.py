"""The least largest eigenvalue over scalings: closed forms, another optimizer on networks that were
in fact rescaled, the bracket of the geometric mean, and that the bracket holds for every factor.
"""

import numpy as np
import pytest
import scipy.optimize

import sharpminima as sm
from sharpminima.measures import MEASURES
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import gauge, interpolating


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
    if bias:  # what can be scaled away is still there at a finite twin
        assert found >= floor.lower
    else:
        assert found == pytest.approx(floor.upper, rel=1e-7)


def test_where_there_is_no_convex_program_it_is_undefined():
    loss, theta = sm.sample_networks(1)["4-7-3, squared error, random point"]
    with pytest.raises(Undefined, match="positive semi-definite"):
        sm.sharpness_floor(loss, theta)
    with pytest.raises(ValueError, match="over must be layers or units, got 'rows'"):
        sm.sharpness_floor(loss, theta, over="rows")
    with pytest.raises(ValueError, match="of must be largest_eigenvalue or trace"):
        sm.sharpness_floor(loss, theta, of="rank")
