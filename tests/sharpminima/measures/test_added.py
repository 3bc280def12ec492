"""The measures that came later, each by another route: m-sharpness by constrained optimization,
margins by hand, the learning coefficient by a volume, Keskar's bracket by points of the box.
"""

from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

import sharpminima as sm
from sharpminima.flatness import Bounds, loss_bounds
from sharpminima.measures import MEASURES, curvature, finite_radius
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating, toy


@pytest.mark.parametrize("rho", [0.05, 0.5])
def test_m_sharpness_is_the_mean_of_what_scipy_finds_batch_by_batch(rho):
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((2, 3, 1), rng.normal(size=(6, 2)), rng.normal(size=6))
    theta = rng.normal(size=loss.size)
    rises = []
    for rows in ([0, 1, 2, 3], [4, 5]):
        batch = loss.on(loss.x[rows], loss.y[rows])
        g, H = sm.gradient(batch, theta), sm.hessian(batch, theta)
        found = [
            scipy.optimize.minimize(
                lambda d, g=g, H=H: -(g @ d + d @ H @ d / 2),
                rho * d / np.linalg.norm(d),
                jac=lambda d, g=g, H=H: -(g + H @ d),
                constraints={"type": "ineq", "fun": lambda d: rho**2 - d @ d},
                method="SLSQP",
                options={"ftol": 1e-15, "maxiter": 500},
            )
            for d in rng.normal(size=(20, loss.size))
        ]
        rises.append(max(-r.fun for r in found if r.x @ r.x <= rho**2 * (1 + 1e-9)))
    value = MEASURES["m_sharpness"](Point(loss, theta), rho=rho)
    assert value == pytest.approx(np.mean(rises), rel=1e-6)


@pytest.mark.parametrize(
    "g, values, rho, best",
    [
        ([0.0, 1.0], [3.0, 1.0], 1.0, 1.75),  # the hard case: 3/2 (1 - t²) + t + t²/2 at t = 1/2
        ([1.0, 0.0], [-4.0, -5.0], 1.0, 0.125),  # inside: g² / (2 · 4)
        ([0.0, 0.0], [2.0, 1.0], 0.5, 0.25),
    ],
)
def test_the_largest_rise_in_a_ball_where_it_can_be_computed_by_hand(g, values, rho, best):
    from sharpminima.measures.perturbation import _find_largest_rise

    Q = np.array([[0.6, -0.8], [0.8, 0.6]])
    H, g = Q @ np.diag(values) @ Q.T, Q @ np.array(g)
    assert _find_largest_rise(g, H, rho) == pytest.approx(best, rel=1e-9)


def test_margins_are_of_the_least_sure_sample():
    x = np.eye(2)
    loss = sm.NetworkLoss((2, 3), x, [0, 2], criterion="cross_entropy")
    W = np.array([[5.0, 1.0, 0.0], [1.0, 2.0, 2.5]])  # margins 4 and 0.5
    point = Point(loss, W.ravel())
    assert MEASURES["path_norm_over_margin"](point) == pytest.approx(np.sqrt(np.sum(W**2)) / 0.5)
    norms = MEASURES["spectral_norms_over_margin"](point)
    assert norms == pytest.approx(np.linalg.norm(W, 2) / 0.5)
    norm = MEASURES["frobenius_norms_over_margin"](point)
    assert norm == pytest.approx(np.sqrt(np.sum(W**2)) / 0.5)
    for wrong in (-W, [[5.0, 1.0, 0.0], [1.0, 2.0, 2.0]], [[5.0, 1.0, 0.0], [1.0, 2.0, 1.5]]):
        with pytest.raises(Undefined, match="the margin is not positive"):
            MEASURES["frobenius_norms_over_margin"](Point(loss, np.ravel(wrong)))
    two = sm.NetworkLoss((2, 2), x, [0, 1], criterion="cross_entropy")
    assert MEASURES["frobenius_norms_over_margin"](Point(two, [5.0, 1.0, 1.0, 3.0])) == 3.0
    with pytest.raises(Undefined, match="a margin needs classes"):
        MEASURES["path_norm_over_margin"](toy(1.0, 1.0, 1.0))
    one_class = sm.NetworkLoss((2, 1), np.eye(2), [0, 0], criterion="cross_entropy")
    with pytest.raises(Undefined, match="a margin needs two classes or more"):
        MEASURES["path_norm_over_margin"](Point(one_class, np.ones(2)))


def test_the_effective_dimension_is_the_trace_of_h_times_the_inverse():
    point = interpolating((3, 4, 2))
    H = point.hessian
    by_solving = np.trace(np.linalg.solve(H + 0.1 * np.eye(len(H)), H))
    assert MEASURES["effective_dimension"](point, gamma=0.1) == pytest.approx(by_solving, rel=1e-9)


def test_the_learning_coefficient_is_the_exponent_of_a_volume():
    """The share of a box around a minimum of the toy at which the loss is below e falls as e to the
    power of one half: by quasi-random points.
    """
    points = scipy.stats.qmc.Sobol(2, seed=0).random_base2(20) * 0.4 - 0.2
    loss = (np.prod(points + 1, axis=1) - 1) ** 2 / 2
    levels = np.array([1e-5, 1e-4, 1e-3])
    shares = [np.mean(loss < e) for e in levels]
    slope = np.polyfit(np.log(levels), np.log(shares), 1)[0]
    assert MEASURES["learning_coefficient"](toy(1.0, 1.0, 1.0)) == pytest.approx(slope, abs=0.02)


def test_the_learning_coefficient_is_undefined_where_it_is_not_known():
    with pytest.raises(Undefined, match="the point is no minimum"):
        MEASURES["learning_coefficient"](toy(1.0, 1.0, 0.9999))
    # f = relu(a) b with target 0 at a > 0, b = 0: a smooth surface of minima, rank 1.
    assert MEASURES["learning_coefficient"](toy(3.0, 0.0, 0.0)) == 0.5
    loss, theta = sm.sample_networks(1)["4-7-3, hard labels"]
    with pytest.raises(Undefined, match="not known to be a smooth surface"):
        MEASURES["learning_coefficient"](Point(loss, theta))


@pytest.mark.parametrize(
    ("criterion", "y", "half_rank"),
    [
        ("squared_error", [[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]], 3),
        ("cross_entropy", [[0.5, 0.25, 0.25]] * 2, 2),
    ],
)
def test_outputs_that_can_be_moved_freely_have_a_direction_each(criterion, y, half_rank):
    """Three outputs at two samples, of which softmax sees two, by one layer of nine parameters."""
    loss = sm.NetworkLoss((3, 3), np.eye(3)[:2], y, criterion=criterion)
    logits = y if criterion == "squared_error" else np.log(y)
    theta = np.concatenate([np.ravel(logits), [5.0, 6.0, 7.0]])
    assert MEASURES["learning_coefficient"](Point(loss, theta)) == half_rank


def test_targets_are_met_in_their_own_unit():
    loss = sm.NetworkLoss((2, 1), [[1.0, 0.0]], [1024.0])
    missed = Point(loss, [1024.0 + 2.0**-42, 1.0])
    assert MEASURES["learning_coefficient"](missed) == 0.5


def test_targets_that_are_met_by_outputs_that_depend_on_each_other_are_not_enough():
    loss = sm.NetworkLoss((2, 1), [[1.0, 0.0], [2.0, 0.0]], [1.0, 2.0])
    with pytest.raises(Undefined, match="not known to be a smooth surface"):
        MEASURES["learning_coefficient"](Point(loss, [1.0, 1.0]))


def test_a_gradient_counts_as_zero_up_to_a_length_in_units_of_the_curvature():
    """The Hessian is 4 I, the gradient 4 theta: in units of the curvature it is 2 theta."""
    loss = sm.NetworkLoss((4, 1), 4 * np.eye(4), np.zeros(4))
    limit = np.array([curvature.CRITICAL, 0, 0, 0])  # CRITICAL times the root of 4, divided by 2
    assert MEASURES["learning_coefficient"](Point(loss, limit)) == 2
    with pytest.raises(Undefined, match="the gradient is not zero"):
        MEASURES["learning_coefficient"](Point(loss, np.nextafter(limit, 1)))


@pytest.mark.parametrize("bias", [False, True])
def test_scalings_are_of_hidden_units_with_weights_on_both_sides(bias):
    """Of the first five units of the first hidden layer, and of the one unit of the second."""
    columns = [[1, 1], [-1, -1], [-1, -1], [0, 2], [2, 0], [1, 2], [0, 0], [0, 0], [0, 0]]
    entering = np.array(columns, dtype=float).T
    leaving = np.array([[1.0], [-1], [-1], [3], [4], [0], [5], [6], [7]])
    weights, n_scalings = (entering, leaving, np.ones((1, 2))), 6
    offsets = [None] * 3
    if bias:  # a unit without entering weights has its bias to be scaled
        offsets, n_scalings = [np.eye(9)[6], np.zeros(1), np.zeros(2)], 7
    loss = sm.NetworkLoss((2, 9, 1, 2), np.ones((1, 2)), np.ones((1, 2)), bias=bias)
    layers = [sm.Layer(*layer) for layer in zip(weights, offsets, strict=True)]
    point = Point(loss, sm.ravel(layers))
    held = [curvature._is_singular_along_scalings(point, rank) for rank in range(loss.size + 9)]
    assert np.flatnonzero(held) == [loss.size - n_scalings]


def test_scalings_are_counted_in_a_networks_own_coordinates_only():
    loss = sm.NetworkLoss((2, 2, 1), np.ones((1, 2)), [1.0])
    theta = np.arange(1.0, 7.0)
    assert curvature._is_singular_along_scalings(Point(loss, theta), 4)
    normalized = Point(*sm.transformations.weight_normalized(loss, theta))
    assert not curvature._is_singular_along_scalings(normalized, 4)


@pytest.mark.claim("keskar-breaks")
def test_keskars_maximum_lies_in_its_bracket_and_breaks():
    loss, theta = sm.sample_networks(1)["4-7-3, squared error"]
    rng = np.random.default_rng(0)
    here = sm.keskar_bounds(loss, theta, rng=rng)
    half = 1e-3 * (np.abs(theta) + 1)
    corners = rng.choice([-1.0, 1.0], size=(200, len(theta)))
    tried = [100 * (loss(theta + half * c) - loss(theta)) / (1 + loss(theta)) for c in corners]
    assert max(tried) <= here.upper and here.lower <= here.upper <= 10 * here.lower
    twin = sm.TRANSFORMATIONS["layer_scale"].with_(factor=1e3)(loss, theta, rng)
    assert sm.keskar_bounds(*twin, rng=rng).lower > here.upper


@pytest.mark.parametrize("theta", [0.5, 1.5, -0.25])
def test_keskars_bracket_of_one_weight_closes_around_the_exact_maximum(theta):
    loss = sm.NetworkLoss((1, 1), [[1.0]], [1.0])
    gap, half = abs(Fraction(theta) - 1), Fraction(1e-3) * (abs(Fraction(theta)) + 1)
    exact = 100 * ((gap + half) ** 2 / 2 - gap**2 / 2) / (1 + gap**2 / 2)
    bounds = sm.keskar_bounds(loss, [theta], rng=np.random.default_rng(0))
    assert bounds.lower <= exact <= bounds.upper
    assert bounds.lower == pytest.approx(float(exact), rel=1e-9)
    assert bounds.upper == pytest.approx(float(exact), rel=1e-9)


def test_keskars_bracket_is_read_off_a_point_of_the_box_and_a_box_that_holds_it(monkeypatch):
    """In exact numbers, for a loss whose maximum is at a corner."""
    seen = []

    def spy(loss, theta, radius):
        seen.append((theta, radius))
        return loss_bounds(loss, theta, radius)

    monkeypatch.setattr(finite_radius, "loss_bounds", spy)
    rng, n = np.random.default_rng(0), 200
    theta = np.append(0.0, rng.normal(size=n - 1) * 10 ** rng.uniform(-2, 1, size=n - 1))
    loss = sm.NetworkLoss((n, 1), rng.choice([-1.0, 1.0], size=(1, n)), [1000.0])
    sm.keskar_bounds(loss, theta, 0.01, rng=rng, starts=0)
    _, (point, _), (_, radius) = seen
    for t, p, r in zip(theta, point, radius, strict=True):
        half = Fraction(0.01) * (abs(Fraction(t)) + 1)
        assert (1 - Fraction(1e-9)) * half <= abs(Fraction(p) - Fraction(t)) <= half
        assert half <= Fraction(r) <= (1 + Fraction(1e-9)) * half


@pytest.mark.parametrize("value", [1.0, 1.1, 3.0, 3.3, 1e9])
def test_shares_of_a_bracket_are_rounded_outward(value):
    here = Bounds(1.0, 3.0)
    most, least = 100 * (Fraction(value) - 1) / 2, 100 * (Fraction(value) - 3) / 4
    assert finite_radius._find_largest_share(value, here) >= most
    assert finite_radius._find_least_share(value, here) <= max(0, least)


@pytest.mark.parametrize("value", [0.5, 2.0, 5.0])
def test_shares_of_a_bracket_hold_for_every_loss_between_its_bounds(value):
    """Even where these are far apart, as the bounds of a loss at a point never are."""
    here = Bounds(1.0, 3.0)
    shares = [100 * (value - loss) / (1 + loss) for loss in np.linspace(1.0, 3.0, 21)]
    assert finite_radius._find_least_share(value, here) == pytest.approx(max(0.0, min(shares)))
    assert finite_radius._find_largest_share(value, here) == pytest.approx(max(shares))
