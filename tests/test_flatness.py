"""Volume flatness: closed forms in one to three dimensions, and what the window does.

What these checks cannot see: a barrier or a bridge thinner than a cell, which the function documents that it can miss, and
anything in more than three dimensions, which it refuses.
"""

import autograd.numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm


@given(st.floats(-6, 6), st.floats(-6, 0), st.floats(-1, 1))
def test_an_interval_has_the_length_that_solving_by_hand_gives(log_curvature, log_epsilon, center):
    curvature, epsilon = 10.0**log_curvature, 10.0**log_epsilon
    length = 2 * np.sqrt(2 * epsilon / curvature)
    window = [(center - length, center + length)]
    volume = sm.flatness_volume(lambda t: curvature / 2 * (t[0] - center) ** 2, [center], epsilon, window=window)
    # The ends are found to 1e-15 and a few ulp of their own size, which near `center` is not small against a short interval.
    assert volume.value == pytest.approx(length, rel=1e-12, abs=1e-14)
    assert not volume.reaches_edge


def test_the_length_of_a_rectified_networks_valley_is_that_of_its_formula():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    volume = sm.flatness_volume(lambda t: loss(np.array([t[0], 2.0])), [0.5], 0.02, window=[(-1, 2)])
    # (2 t - 1)^2 / 2 < 0.02 where |2 t - 1| < 0.2
    assert volume.value == pytest.approx(0.2, rel=1e-12)


def test_only_the_component_of_theta_counts():
    def double_well(t):
        return (t[0] ** 2 - 1) ** 2

    # (t^2 - 1)^2 < 1/4 where 1/2 < t^2 < 3/2
    right = sm.flatness_volume(double_well, [1.0], 0.25, window=[(-3, 3)])
    assert right.value == pytest.approx(np.sqrt(1.5) - np.sqrt(0.5), rel=1e-12)
    both = sm.flatness_volume(double_well, [1.0], 1.25, window=[(-3, 3)])
    assert both.value == pytest.approx(2 * np.sqrt(1 + np.sqrt(1.25)), rel=1e-12)


def test_lower_losses_belong_to_it_because_there_is_no_bound_from_below():
    tilted = sm.flatness_volume(lambda t: t[0], [0.0], 0.5, window=[(-2, 2)])
    assert tilted.value == pytest.approx(2.5, rel=1e-12)
    assert tilted.reaches_edge


@pytest.mark.parametrize("cells", [64, 256])
def test_an_ellipse_has_its_area(cells):
    a, b = 0.8, 0.3
    window = [(-1.0, 1.0), (-0.5, 0.5)]
    area = sm.flatness_volume(lambda t: (t[0] / a) ** 2 + (t[1] / b) ** 2, [0.0, 0.0], 1.0, window=window, resolution=cells)
    # Only cells that the ellipse's edge crosses can be wrong, and half of those is a bound far above what happens.
    side_x, side_y = 2 / cells, 1 / cells
    crossed = 4 * (a / side_x + b / side_y) * side_x * side_y
    assert abs(area.value - np.pi * a * b) < crossed / 2


def test_a_ball_has_its_volume_and_does_not_reach_the_edge():
    ball = sm.flatness_volume(lambda t: np.sum(t**2), np.zeros(3), 1.0, window=[(-1.1, 1.1)] * 3, resolution=48)
    assert ball.value == pytest.approx(4 / 3 * np.pi, rel=0.02)
    assert not ball.reaches_edge


def test_two_quadrants_are_one_component_or_two():
    def saddle(t):
        return -t[0] * t[1]

    window = [(-1.0, 1.0), (-1.0, 1.0)]
    quadrant = 1 - 0.05 * (1 + np.log(20))  # the part of a unit square where x y > 0.05
    apart = sm.flatness_volume(saddle, [0.5, 0.5], 0.2, window=window)
    joined = sm.flatness_volume(saddle, [0.5, 0.5], 0.3, window=window)
    assert apart.value == pytest.approx(quadrant, rel=2e-3)
    assert joined.value == pytest.approx(4 - 2 * quadrant, rel=2e-3)
    assert apart.reaches_edge and joined.reaches_edge


BAD = {
    "four dimensions": (dict(theta=np.zeros(4), window=[(-1, 1)] * 4), "theta must have 1 to 3 entries .* got 4"),
    "epsilon zero": (dict(epsilon=0.0), "epsilon must be positive, got 0"),
    "epsilon negative": (dict(epsilon=-1.0), "epsilon must be positive, got -1"),
    "epsilon NaN": (dict(epsilon=np.nan), "epsilon must be finite"),
    "empty window": (dict(window=[(1.0, -1.0)]), "window must have each lower end below its upper end"),
    "window of another shape": (dict(window=[(-1, 1), (-1, 1)]), r"window must be .* of shape \(1, 2\), got shape \(2, 2\)"),
    "theta outside": (dict(theta=[3.0]), r"theta must lie in the window \[\[-1.0, 1.0\]\], got \[3.\]"),
    "loss NaN": (dict(loss=lambda t: np.nan), "loss must be finite at theta, got nan"),
    "a window too coarse": (dict(loss=lambda t: t[0] ** 2, epsilon=1e-9, resolution=10), "resolution must be higher: .* at 10 cells a side"),
    "resolution one": (dict(resolution=1), "resolution must be an integer of at least 2, got 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    changed, message = BAD[case]
    arguments = {"loss": lambda t: np.sum(t**2), "theta": [0.0], "epsilon": 0.1, "window": [(-1, 1)], **changed}
    loss, theta, epsilon = (arguments.pop(name) for name in ("loss", "theta", "epsilon"))
    with pytest.raises(ValueError, match=message):
        sm.flatness_volume(loss, theta, epsilon, **arguments)
