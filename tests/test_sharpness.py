"""epsilon-sharpness: closed forms, brute force in two dimensions, and the curvature for small balls.

What these checks cannot see: a maximum that ascent from every start misses. The value is a lower bound, and no test can turn
it into more; brute force in two dimensions shows only that it is a good one there.
"""

import autograd.numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm


def generator():
    return np.random.default_rng(0)


@given(st.integers(1, 6), st.integers(0, 10**6), st.floats(-3, 1), st.floats(0, 3))
def test_a_quadratic_bowl_has_its_closed_form(n, seed, log_epsilon, height):
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    B = rng.normal(size=(n, n))
    A = B @ B.T
    value, point = sm.epsilon_sharpness(lambda t: 0.5 * t @ A @ t + height, np.zeros(n), epsilon, rng=rng, steps=500)
    expected = np.linalg.eigvalsh(A)[-1] * epsilon**2 / (2 * (1 + height))
    # Subtracting the height from the loss leaves an ulp of the height.
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-14 * (1 + height))
    assert np.linalg.norm(point) <= epsilon * (1 + 1e-12)


def test_brute_force_over_the_disk_finds_no_more():
    def bumpy(t):
        return 1.5 + np.sin(3 * t[0]) * np.cos(2 * t[1]) + 0.2 * t[0] * t[1] + 0.1 * np.sum(t**2)

    theta, epsilon = np.array([0.2, -0.4]), 1.3
    radius, angle = np.meshgrid(np.linspace(0, epsilon, 200), np.linspace(0, 2 * np.pi, 721))
    disk = theta + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(-1, 2)
    brute = (max(bumpy(t) for t in disk) - bumpy(theta)) / (1 + bumpy(theta))
    value, point = sm.epsilon_sharpness(bumpy, theta, epsilon, rng=generator(), starts=8)
    assert value >= brute
    assert value - brute < 1e-3  # the grid's own coarseness: half a cell, squared, times the curvature
    assert value == pytest.approx((bumpy(point) - bumpy(theta)) / (1 + bumpy(theta)), rel=1e-14)


def test_a_maximum_inside_the_ball_is_found():
    value, point = sm.epsilon_sharpness(lambda t: 1 - np.sum((t - 0.3) ** 2), np.zeros(3), 5.0, rng=generator())
    assert np.allclose(point, 0.3, atol=1e-6)
    assert value == pytest.approx(0.27 / 1.73, rel=1e-10)


def test_small_balls_see_the_curvature(carried, carried_hessian):
    largest = np.linalg.eigvalsh(carried_hessian)[-1]
    for epsilon in (1e-4, 1e-3):
        value, _ = sm.epsilon_sharpness(carried.loss, carried.theta, epsilon, rng=generator(), starts=1)
        assert value / (largest * epsilon**2 / 2) == pytest.approx(1, abs=epsilon)


def test_a_candidate_is_used_and_the_value_never_falls_below_it():
    def spike(t):
        return np.exp(-np.sum((t - np.array([0.5, 0.5])) ** 2) / 1e-4)

    without, _ = sm.epsilon_sharpness(spike, np.zeros(2), 1.0, rng=generator())
    with_it, point = sm.epsilon_sharpness(spike, np.zeros(2), 1.0, rng=generator(), candidates=[[0.499, 0.5]])
    assert without < 0.1 < 0.99 < with_it
    assert np.allclose(point, 0.5, atol=1e-4)


def test_it_is_reproducible_and_leaves_theta_alone(carried):
    theta = carried.theta.copy()
    values = [sm.epsilon_sharpness(carried.loss, theta, 0.5, rng=generator(), starts=1, steps=5).value for _ in range(2)]
    assert values[0] == values[1]
    assert np.array_equal(theta, carried.theta)


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_the_sharpest_direction_is_the_leading_eigenvector(n, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    A = Q * np.arange(1.0, n + 1) @ Q.T
    direction = sm.sharpest_direction(lambda t: 0.5 * t @ A @ t, np.zeros(n), rng=rng)
    assert abs(direction @ Q[:, -1]) == pytest.approx(1, abs=1e-10)


BAD = {
    "epsilon zero": (dict(epsilon=0.0), "epsilon must be positive, got 0"),
    "epsilon negative": (dict(epsilon=-0.1), "epsilon must be positive, got -0.1"),
    "negative loss": (dict(loss=lambda t: np.sum(t**2) - 1), "loss must be finite and at least 0 at theta, got -1"),
    "infinite loss": (dict(loss=lambda t: np.inf), "loss must be finite and at least 0 at theta, got inf"),
    "candidate outside": (dict(candidates=[[1.0, 0.0]]), "candidates must be at most epsilon from theta, got one at 1"),
    "candidate of another length": (dict(candidates=[[0.1]]), r"each of candidates must be a vector of shape \(2,\), got shape \(1,\)"),
    "a seed for a generator": (dict(rng=0), "rng must be a numpy.random.Generator"),
    "no steps": (dict(steps=0), "steps must be an integer of at least 1, got 0"),
    "theta float32": (dict(theta=np.zeros(2, dtype=np.float32)), "theta must be .* float64 .* got dtype float32"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    changed, message = BAD[case]
    arguments = {"loss": lambda t: np.sum(t**2), "theta": np.zeros(2), "epsilon": 0.5, "rng": generator(), **changed}
    loss, theta, epsilon = (arguments.pop(name) for name in ("loss", "theta", "epsilon"))
    with pytest.raises(ValueError, match=message):
        sm.epsilon_sharpness(loss, theta, epsilon, **arguments)
