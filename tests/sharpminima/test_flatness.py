"""Volume flatness and prior mass against closed forms in one to three dimensions, and proved bounds
against arithmetic without rounding.

What these checks cannot see: a barrier or a bridge thinner than a cell, which the functions
document that they can miss, and volumes in more than three dimensions, which they refuse. Bounds
are compared with arithmetic without rounding on small networks only, where BLAS may add in another
order than it does on large ones; the bound on rounding holds for every order. Of the several safety
margins of a bound one can hide that another is missing: that all are there, not that each is
needed, is what is seen.
"""

import decimal
import itertools
import math
from fractions import Fraction

import autograd.numpy as np
import pytest
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import chi2, ncx2, norm

import sharpminima as sm
from tests.sharpminima.support import EPS


@pytest.mark.claim("fig-three-measures", "definition-volume", "fig-examples")
@given(st.floats(-6, 6), st.floats(-6, 0), st.floats(-1, 1))
def test_an_interval_has_the_length_that_solving_by_hand_gives(log_curvature, log_epsilon, center):
    curvature, epsilon = 10.0**log_curvature, 10.0**log_epsilon
    length = 2 * np.sqrt(2 * epsilon / curvature)
    window = [(center - length, center + length)]
    volume = sm.flatness_volume(
        lambda t: curvature / 2 * (t[0] - center) ** 2, [center], epsilon, window=window
    )
    # The ends are found to 1e-15 and a few ulp of their own size, which near `center` is not small
    # against a short interval.
    assert volume.value == pytest.approx(length, rel=1e-12, abs=1e-14)
    assert not volume.reaches_edge


def test_the_length_of_a_rectified_networks_valley_is_that_of_its_formula():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    volume = sm.flatness_volume(
        lambda t: loss(np.array([t[0], 2.0])), [0.5], 0.02, window=[(-1, 2)]
    )
    # (2 t - 1)^2 / 2 < 0.02 where |2 t - 1| < 0.2
    assert volume.value == pytest.approx(0.2, rel=1e-12)


@pytest.mark.claim("fig-lake")
def test_only_the_component_of_theta_counts():
    def double_well(t):
        return (t[0] ** 2 - 1) ** 2

    # (t^2 - 1)^2 < 1/4 where 1/2 < t^2 < 3/2
    right = sm.flatness_volume(double_well, [1.0], 0.25, window=[(-3, 3)])
    assert right.value == pytest.approx(np.sqrt(1.5) - np.sqrt(0.5), rel=1e-12)
    # At the lower end of the window: what is left of the valley there, not the valley at 1.
    left = sm.flatness_volume(double_well, [-1.0], 0.25, window=[(-1, 3)])
    assert left.value == pytest.approx(1 - np.sqrt(0.5), rel=1e-12)
    # At the upper end, likewise.
    right = sm.flatness_volume(double_well, [1.0], 0.25, window=[(-3, 1)])
    assert right.value == pytest.approx(1 - np.sqrt(0.5), rel=1e-12)
    both = sm.flatness_volume(double_well, [1.0], 1.25, window=[(-3, 3)])
    assert both.value == pytest.approx(2 * np.sqrt(1 + np.sqrt(1.25)), rel=1e-12)


@pytest.mark.claim("fig-ellipse", "fig-cuts")
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_a_cut_through_a_quadratic_bowl_is_as_long_as_the_curvature_along_it_says(seed, n):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.uniform(0.1, 10, n))
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    chance = rng.normal(size=n)
    chance /= np.linalg.norm(chance)
    bowl = (axes * values) @ axes.T

    def cut(direction):
        return sm.flatness_volume(
            lambda t: (t[0] * direction) @ bowl @ (t[0] * direction) / 2,
            [0.0],
            0.3,
            window=[(-5, 5)],
        ).value

    lengths = np.array([cut(axis) for axis in axes.T])
    assert lengths == pytest.approx(2 * np.sqrt(0.6 / values), rel=1e-11)
    assert lengths.min() * (1 - 1e-11) <= cut(chance) <= lengths.max() * (1 + 1e-11)


@pytest.mark.parametrize("sign", [1, -1])
def test_lower_losses_belong_to_it_because_there_is_no_bound_from_below(sign):
    tilted = sm.flatness_volume(lambda t: sign * t[0], [0.0], 0.5, window=[(-2, 2)])
    assert tilted.value == pytest.approx(2.5, rel=1e-12)
    assert tilted.reaches_edge


def test_an_end_is_looked_for_between_the_outermost_cells_too():
    # Of four cells the middle two are below the level.
    volume = sm.flatness_volume(lambda t: abs(t[0]), [0.0], 1.0, window=[(-2, 2)], resolution=4)
    assert volume == (pytest.approx(2.0, rel=1e-12), False)


@pytest.mark.parametrize("cells", [64, 256])
def test_an_ellipse_has_its_area(cells):
    a, b = 0.8, 0.3
    window = [(-1.0, 1.0), (-0.5, 0.5)]
    area = sm.flatness_volume(
        lambda t: (t[0] / a) ** 2 + (t[1] / b) ** 2,
        [0.0, 0.0],
        1.0,
        window=window,
        resolution=cells,
    )
    # Only cells that the ellipse's edge crosses can be wrong, and half of those is a bound far
    # above what happens.
    side_x, side_y = 2 / cells, 1 / cells
    crossed = 4 * (a / side_x + b / side_y) * side_x * side_y
    assert abs(area.value - np.pi * a * b) < crossed / 2


def test_a_ball_has_its_volume_and_does_not_reach_the_edge():
    ball = sm.flatness_volume(
        lambda t: np.sum(t**2), np.zeros(3), 1.0, window=[(-1.1, 1.1)] * 3, resolution=48
    )
    assert ball.value == pytest.approx(4 / 3 * np.pi, rel=0.02)
    assert not ball.reaches_edge


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("low, high", [(0, 0), (0, 3), (1, 1), (1, 8), (4, 8), (4, 9), (9, 9)])
def test_it_reaches_the_edge_where_it_has_a_cell_there(axis, low, high):
    """A bar of whole cells, of ten by ten, that ends a cell before the other two edges. Around it
    the loss is as high as the level, and not below it.
    """

    def bar(theta):
        along, across = np.floor(10 * np.array([theta[axis], theta[1 - axis]]))
        return 0.0 if low <= along <= high and 4 <= across <= 5 else 0.5

    theta = np.array([(low + 0.5) / 10, 0.45][:: 1 if axis == 0 else -1])
    volume = sm.flatness_volume(bar, theta, 0.5, window=[(0, 1), (0, 1)], resolution=10)
    assert volume.value == pytest.approx((high - low + 1) * 2 / 100)
    assert volume.reaches_edge is (low == 0 or high == 9)


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


# Spacing


def valley(t):
    """The loss of theta_2 relu(theta_1 x) at x = 1 with target 1."""
    return (t[1] * max(t[0], 0.0) - 1) ** 2 / 2


@pytest.mark.parametrize("resolution", [2, 16])
@pytest.mark.parametrize("spacing", ["linear", "log"])
@given(st.floats(0.01, 1), st.floats(1.1, 100))
def test_the_cells_add_up_to_the_window(spacing, resolution, low, ratio):
    window = [(low, low * ratio), (low**2, 3.0)]
    whole = sm.flatness_volume(
        lambda t: 0.0, [low, 1.5], 1.0, window=window, resolution=resolution, spacing=spacing
    )
    assert whole.value == pytest.approx((low * ratio - low) * (3 - low**2), rel=1e-13)
    assert whole.reaches_edge


def test_a_cell_is_as_long_on_each_axis_as_its_edges_there_are_apart():
    """A block that is a half, a quarter and the whole of three logarithmic axes."""
    block = sm.flatness_volume(
        lambda t: float(t[0] > 2 or t[1] > 2),
        [1.5, 1.5, 1.5],
        1.0,
        window=[(1, 4), (1, 16), (1, 256)],
        resolution=4,
        spacing="log",
    )
    assert block.value == pytest.approx((2 - 1) * (2 - 1) * (256 - 1), rel=1e-12)


@pytest.mark.parametrize(("n", "cells"), [(1, 4096), (2, 256), (3, 64)])
def test_a_valley_thinner_than_a_cell_of_the_usual_grid_is_missed(n, cells):
    with pytest.raises(ValueError, match=f"not below the level at {cells} cells a side"):
        sm.flatness_volume(lambda t: float(t[0] != 0), np.zeros(n), 0.5, window=[(-1, 1)] * n)


def test_a_theta_at_the_lower_end_of_a_logarithmic_axis_is_in_the_first_cell():
    for low in np.arange(1, 10) / 10:  # some of them grow by exp(log(low))
        volume = sm.flatness_volume(
            lambda t: t[0], [low], low / 2, window=[(low, 4 * low)], resolution=8, spacing="log"
        )
        assert volume.value == pytest.approx(low / 2, rel=1e-12)


def test_the_toy_network_has_the_loss_that_its_formula_says():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    for point in np.random.default_rng(0).normal(size=(50, 2)):
        assert loss(point) == valley(point)


@pytest.mark.claim("proposition-valley")
@given(st.floats(2, 1e4), st.floats(0.2, 0.7))
def test_the_valley_of_a_product_grows_with_the_logarithm_of_the_window(ratio, delta):
    window = [(1 / ratio, ratio), (0.9 * (1 - delta) / ratio, 1.1 * (1 + delta) * ratio)]
    area = sm.flatness_volume(
        valley, [1.0, 1.0], delta**2 / 2, window=window, spacing="log", resolution=128
    )
    # Wrong can be cells that an edge p = 1 - delta or 1 + delta crosses. In logarithms an edge is a
    # line of slope -1, which in a column of width h crosses at most h / k + 2 cells of height k,
    # each of an area of at most p exp(2 h + 2 k) h k.
    h, k = (np.diff(np.log(ends))[0] / 128 for ends in window)
    crossed = 2 * np.log(ratio) / h * (h / k + 2) * h * k * 2 * np.exp(2 * h + 2 * k)
    assert abs(area.value - 4 * delta * np.log(ratio)) < crossed
    assert area.value == pytest.approx(4 * delta * np.log(ratio), rel=0.1)


@pytest.mark.claim("fig-growth")
def test_both_spacings_measure_the_same_area_where_both_see_it():
    window = [(1 / 3, 3), (0.1, 5)]
    linear, log = (
        sm.flatness_volume(valley, [1.0, 1.0], 0.125, window=window, spacing=s).value
        for s in ("linear", "log")
    )
    assert linear == pytest.approx(log, rel=5e-3)


@given(st.floats(0.1, 10), st.floats(0.01, 0.9))
def test_an_interval_on_a_logarithmic_axis_has_its_length(center, half):
    half = half * center
    volume = sm.flatness_volume(
        lambda t: (t[0] - center) ** 2,
        [center],
        half**2,
        window=[(center / 20, 20 * center)],
        spacing="log",
    )
    assert volume.value == pytest.approx(2 * half, rel=1e-12)


# Theorem 2


def edges(theta, r):
    return [(t - r, t + r) for t in theta]


def scaled(box, d):
    return [(f * low, f * high) for (low, high), f in zip(box, d, strict=True)]


def sides(box):
    return [high - low for low, high in box]


def meet(one, other):
    return all(a < d and c < b for (a, b), (c, d) in zip(one, other, strict=True))


weights = st.lists(st.fractions(-3, 3, max_denominator=64), min_size=6, max_size=6)


@pytest.mark.claim("fig-boxes", "theorem-2")
@given(weights, weights, st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100))
def test_with_equal_layers_the_images_of_a_box_are_disjoint_and_of_one_volume(first, second, part):
    m = max(map(abs, first))
    if m == 0:
        return
    r = part * m
    least = (m + r) / (m - r)
    for alpha in (least, 2 * least):
        images = [
            scaled(edges(first + second, r), 6 * [alpha**j] + 6 * [alpha**-j]) for j in range(-2, 3)
        ]
        assert not any(meet(one, other) for one, other in itertools.combinations(images, 2))
        assert {math.prod(sides(image)) for image in images} == {(2 * r) ** 12}


@given(weights, weights, st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100))
def test_below_the_smallest_alpha_the_image_meets_the_box(first, second, part):
    most = max(map(abs, first + second))
    if most == 0:
        return
    r = part * most
    alpha = (most + r) / (most - r)
    home = edges(first + second, r)
    assert not meet(home, scaled(home, 6 * [alpha] + 6 * [1 / alpha]))
    slightly = 1 + (alpha - 1) * Fraction(999, 1000)
    assert meet(home, scaled(home, 6 * [slightly] + 6 * [1 / slightly]))


@pytest.mark.claim("fig-orbit")
@pytest.mark.parametrize(
    "widths, exponent", [((2, 3, 1), 3), ((2, 3, 2), 0), ((1, 3, 4), -9), ((64, 16, 1), 1008)]
)
def test_the_volume_of_one_image_grows_with_the_difference_of_the_sizes(widths, exponent):
    alpha, r = 3.0, 0.25
    d = sm.alpha_diagonal(widths, (alpha, 1 / alpha))
    box = sides(scaled(edges(np.ones(len(d)), r), d))
    assert np.sum(np.log(box)) - len(d) * np.log(2 * r) == pytest.approx(
        exponent * np.log(alpha), abs=1e-10
    )
    assert sm.alpha_log_determinant(widths, (alpha, 1 / alpha)) == pytest.approx(
        exponent * np.log(alpha), abs=1e-12
    )


@pytest.mark.claim("definition-tube", "proposition-logarithm", "logarithm-by-chance")
@given(st.floats(0.6, 2), st.floats(0.6, 2), st.floats(2, 50))
def test_a_piece_of_the_tube_has_its_area(a, b, most):
    r = 0.5

    def outside(t):  # no alpha between 1 and `most` brings the point into the box
        return float(
            max(1, t[0] / (a + r), (b - r) / t[1]) >= min(most, t[0] / (a - r), (b + r) / t[1])
        )

    window = [((a - r) / 1.1, 1.1 * most * (a + r)), ((b - r) / most / 1.1, 1.1 * (b + r))]
    area = sm.flatness_volume(outside, [a, b], 0.5, window=window, spacing="log", resolution=192)
    assert area.value == pytest.approx(4 * r**2 + 2 * r * (a + b) * np.log(most), rel=0.03)
    assert not area.reaches_edge


@pytest.mark.claim("proposition-set")
@given(st.floats(0.1, 10))
def test_the_component_is_the_same_for_all_twins(alpha):
    window = [(1 / 20, 20), (1 / 40, 40)]
    here, there = (
        sm.flatness_volume(valley, point, 0.1, window=window, spacing="log", resolution=64)
        for point in ([1, 1], [alpha, 1 / alpha])
    )
    assert here == there


# Prior


@given(st.floats(-3.4, 3.4), st.floats(0.05, 6.8), st.floats(0.2, 5))
def test_an_interval_has_the_probability_of_the_normal_distribution(low, length, scale):
    # Ends beyond 3.5 standard deviations would lie in the outermost cells, which are counted whole.
    low, high = min(low, 3.3), min(low + length, 3.4)
    center, half = scale * (low + high) / 2, scale * (high - low) / 2
    mass = sm.prior_mass(lambda t: (t[0] - center) ** 2, [center], half**2, scale=scale)
    assert mass == pytest.approx(norm.cdf(high) - norm.cdf(low), rel=1e-9)


def test_a_half_line_has_finite_mass():
    assert sm.prior_mass(lambda t: t[0], [0.0], 1.0) == pytest.approx(norm.cdf(1.0), rel=1e-12)


@pytest.mark.parametrize("n, resolution", [(2, 200), (3, 48)])
def test_a_ball_has_the_probability_of_the_chi_square_distribution(n, resolution):
    mass = sm.prior_mass(lambda t: np.sum(t**2), np.zeros(n), 2.0, scale=0.7, resolution=resolution)
    assert mass == pytest.approx(chi2.cdf(2.0 / 0.49, n), rel=5e-3)


def one_unit(d):
    """The loss of a network with one hidden unit on the unit vectors of d dimensions with targets
    1, by its formula.
    """
    return lambda t: sum((t[d] * max(w, 0.0) - 1) ** 2 for w in t[:d]) / (2 * d)


def one_unit_mass(d, epsilon, scale):
    """Given the output weight s > 0, sum_i (s w_i - 1)^2 < 2 d epsilon says that a noncentral
    chi-square variable is small.
    """

    def given_output(s):
        return (
            norm.pdf(s / scale)
            / scale
            * ncx2.cdf(2 * d * epsilon / (s * scale) ** 2, d, d / (s * scale) ** 2)
        )

    return scipy.integrate.quad(given_output, 0, np.inf, epsabs=1e-12, limit=200)[0]


@pytest.mark.claim("proposition-unit", "proposition-prior")
@pytest.mark.parametrize("d, resolution, agreement", [(1, 256, 5e-3), (2, 64, 3e-2)])
@pytest.mark.parametrize("scale", [0.8, 2.0])
def test_the_valley_of_a_unit_has_the_mass_of_an_integral(d, resolution, agreement, scale):
    start = np.ones(d + 1)
    mass = sm.prior_mass(one_unit(d), start, 0.05, scale=scale, resolution=resolution)
    assert mass == pytest.approx(one_unit_mass(d, 0.05, scale), rel=agreement)
    twin = start * sm.alpha_diagonal((d, 1, 1), (0.8, 1.25))
    assert sm.prior_mass(one_unit(d), twin, 0.05, scale=scale, resolution=resolution) == mass


def test_one_parameter_blocks_have_the_integral_over_the_first_weight():
    def given_first(s):
        return norm.pdf(s) * (norm.cdf(1.1 / s) - norm.cdf(0.9 / s))

    assert one_unit_mass(1, 0.005, 1.0) == pytest.approx(
        scipy.integrate.quad(given_first, 0, np.inf)[0], rel=1e-9
    )
    assert one_unit_mass(1, 0.005, 1.0) == pytest.approx(0.013456, rel=1e-4)


def test_random_networks_fall_into_the_valley_as_often_as_the_integral_says():
    draws = np.random.default_rng(0).normal(size=(200_000, 5))
    loss = np.mean((draws[:, 4:] * np.maximum(draws[:, :4], 0) - 1) ** 2, axis=1) / 2
    hits, mass = (loss < 0.1).mean(), one_unit_mass(4, 0.1, 1.0)
    assert abs(hits - mass) < 4 * np.sqrt(mass / len(draws))


@pytest.mark.claim("proposition-prior")
def test_prior_mass_is_the_volume_in_coordinates_in_which_the_prior_is_uniform():
    pulled = sm.flatness_volume(
        lambda u: valley(ndtri(u)), ndtr([1.0, 1.0]), 0.1, window=[(0, 1), (0, 1)]
    )
    assert pulled.value == pytest.approx(sm.prior_mass(valley, [1.0, 1.0], 0.1), rel=1e-12)


@pytest.mark.claim("proposition-prior")
def test_prior_mass_is_the_same_in_other_coordinates_that_carry_the_prior_along():
    """In theta = eta + eta**3 / 3, on a grid of eta that knows nothing of the library's."""
    eta, side = np.linspace(-2.6, 2.6, 1500, retstep=True)
    theta = eta + eta**3 / 3
    carried = norm.pdf(theta) * (1 + eta**2)
    below = [[valley([s, t]) < 0.1 for t in theta] for s in theta[theta > 0]]
    mass = np.sum(np.outer(carried[theta > 0], carried)[np.array(below)]) * side**2
    assert mass == pytest.approx(sm.prior_mass(valley, [1.0, 1.0], 0.1), rel=0.01)


@pytest.mark.claim("theorem-2")
@pytest.mark.parametrize("power", [-6, -1, 1, 6])
def test_an_image_of_a_box_stays_below_the_level_that_the_box_keeps(power):
    rng = np.random.default_rng(4)
    params, x = sm.init_params((4, 3, 4), rng=rng), rng.normal(size=(9, 4))
    loss, theta = sm.NetworkLoss((4, 3, 4), x, sm.forward(params, x)), sm.ravel(params)
    d = sm.alpha_diagonal(loss.widths, (2.0**power, 2.0**-power))
    here = sm.loss_bounds(loss, theta, 0.01)
    there = sm.loss_bounds(loss, d * theta, d * 0.01)
    assert loss(theta) == 0 and there == here  # powers of two: to the last bit


@pytest.mark.claim("proposition-finite-valley")
@pytest.mark.parametrize("widths", [(2, 3, 1), (3, 2, 2, 1)])
def test_weight_decay_bounds_what_is_below_a_level(widths):
    """Along random rays from 0 no parameter outside the ball has a loss below the level."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(6, widths[0])), rng.normal(size=(6, widths[-1]))
    plain = sm.NetworkLoss(widths, x, y)
    decayed = sm.NetworkLoss(widths, x, y, l2=0.2)
    theta, epsilon = rng.normal(size=plain.size), 0.1
    assert decayed(theta) == pytest.approx(plain(theta) + 0.1 * theta @ theta, rel=1e-12)
    level = decayed(theta) + epsilon
    radius = np.sqrt(2 * level / 0.2)
    assert np.linalg.norm(theta) < radius
    for ray in rng.normal(size=(100, plain.size)):
        ray /= np.linalg.norm(ray)
        for stretch in (1, 1.01, 3, 100):
            assert decayed(stretch * radius * ray) >= level
    # The ball is no larger than it has to be where the loss without decay is zero.
    free = sm.NetworkLoss(widths, x, np.zeros_like(y), l2=0.2)
    assert free(0.999 * np.sqrt(2 * epsilon / 0.2) * np.eye(plain.size)[0]) < epsilon


@pytest.mark.claim("fig-valleys")
@pytest.mark.parametrize(("x", "c"), [(1.0, 1.0), (0.3, 2.0)])
def test_two_samples_of_different_signs_make_two_valleys(x, c):
    loss = sm.NetworkLoss((1, 1, 1), [[x], [-1.5 * x]], [c, c])
    right, left = np.array([2.0, c / (2 * x)]), np.array([-2.0, c / (3 * x)])
    for minimum in (right, left):
        assert loss(minimum) == pytest.approx(c**2 / 4, rel=1e-12)
        assert abs(sm.gradient(loss, minimum)).max() < 1e-12
    ridge = [loss(np.array([0.0, t])) for t in np.linspace(-9, 9, 19)]
    assert ridge == pytest.approx([c**2 / 2] * 19, rel=1e-12)


@pytest.mark.claim("fig-ranks")
def test_two_minima_of_one_loss_are_ranked_and_the_scale_of_the_prior_can_turn_the_order():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0], [-0.5]], [1.0, 1.0])

    def mass_by_integral(c, delta, s):
        return scipy.integrate.quad(
            lambda u: (
                norm.pdf(u)
                * (norm.cdf((c + delta) / (s * s * u)) - norm.cdf((c - delta) / (s * s * u)))
            ),
            0,
            np.inf,
        )[0]

    order = []
    for scale in (1.0, 4.0):
        right, left = (
            sm.prior_mass(loss, point, 0.04, scale=scale, resolution=100)
            for point in ([1.0, 1.0], [-1.0, 2.0])
        )
        assert [right, left] == pytest.approx(
            [mass_by_integral(1, 0.4, scale), mass_by_integral(2, 0.8, scale)], rel=0.03
        )
        order.append(right > left)
    assert order == [True, False]


# Bounds


def exact_outputs(layers, rows, number=Fraction):
    """The outputs of a network without rounding; `layers` are pairs of a matrix and a bias or
    None.
    """
    for k, (weight, bias) in enumerate(layers):
        columns = list(zip(*[[number(w) for w in row] for row in weight], strict=True))
        bias = [number(b) for b in bias] if bias is not None else [number(0)] * len(columns)
        rows = [
            [
                sum(h * w for h, w in zip(row, column, strict=True)) + b
                for column, b in zip(columns, bias, strict=True)
            ]
            for row in rows
        ]
        if k < len(layers) - 1:
            rows = [[max(z, number(0)) for z in row] for row in rows]
    return rows


def exact_loss(loss, theta, steps=None, radius=Fraction(0)):
    """L(theta + radius * steps) as a fraction, of a squared error."""

    def moved(part, step):
        if part is None or part.ndim == 1:
            return (
                part
                if part is None
                else [
                    Fraction(a) + radius * Fraction(b)
                    for a, b in zip(part.tolist(), step.tolist(), strict=True)
                ]
            )
        return [moved(row, other) for row, other in zip(part, step, strict=True)]

    steps = loss.layers(np.zeros(loss.size) if steps is None else steps)
    layers = [
        tuple(map(moved, layer, step))
        for layer, step in zip(loss.layers(theta), steps, strict=True)
    ]
    out = exact_outputs(layers, [[Fraction(v) for v in row] for row in loss.x.tolist()])
    errors = [
        (f - Fraction(t)) ** 2
        for row, target in zip(out, loss.y.tolist(), strict=True)
        for f, t in zip(row, target, strict=True)
    ]
    return sum(errors) / (2 * len(loss.x))


def times(one, other):
    products = [a * b for a in one for b in other]
    return min(products), max(products)


def exact_interval_loss(loss, theta, radius):
    """Interval arithmetic in fractions, products end by end: what the library's bounds must
    contain, and should be hardly wider than.
    """
    radius = Fraction(radius)
    rows = [[(Fraction(v), Fraction(v)) for v in row] for row in loss.x.tolist()]
    layers = loss.layers(theta)
    for k, (weight, bias) in enumerate(layers):
        boxes = [
            [(Fraction(w) - radius, Fraction(w) + radius) for w in row] for row in weight.tolist()
        ]
        offsets = (
            [(Fraction(b) - radius, Fraction(b) + radius) for b in bias.tolist()]
            if bias is not None
            else [(0, 0)] * weight.shape[1]
        )
        rows = [
            [
                tuple(
                    sum(ends)
                    for ends in zip(
                        offset,
                        *(times(h, w) for h, w in zip(row, column, strict=True)),
                        strict=True,
                    )
                )
                for column, offset in zip(zip(*boxes, strict=True), offsets, strict=True)
            ]
            for row in rows
        ]
        if k < len(layers) - 1:
            rows = [[(max(a, 0), max(b, 0)) for a, b in row] for row in rows]
    lower = upper = Fraction(0)
    for row, target in zip(rows, loss.y.tolist(), strict=True):
        for (a, b), t in zip(row, target, strict=True):
            a, b = a - Fraction(t), b - Fraction(t)
            upper += max(a * a, b * b)
            lower += 0 if a <= 0 <= b else min(a * a, b * b)
    return lower / (2 * len(loss.x)), upper / (2 * len(loss.x))


def small_loss(seed, bias, widths=(3, 4, 2)):
    rng = np.random.default_rng(seed)
    loss = sm.NetworkLoss(
        widths, rng.normal(size=(4, widths[0])), rng.normal(size=(4, widths[-1])), bias=bias
    )
    return loss, rng.normal(size=loss.size), rng


@given(st.integers(0, 999), st.booleans(), st.floats(-12, 0.5))
def test_bounds_hold_without_rounding_at_corners_and_inside(seed, bias, exponent):
    loss, theta, rng = small_loss(seed, bias)
    radius = 10.0**exponent
    lower, upper = (Fraction(bound) for bound in sm.loss_bounds(loss, theta, radius))
    steps = rng.integers(-1, 2, loss.size).astype(float)
    assert lower <= exact_loss(loss, theta, steps, Fraction(radius)) <= upper


@pytest.mark.claim("proposition-bounds")
@pytest.mark.parametrize("widths", [(3, 4, 2), (2, 3, 3, 2)])
@given(st.integers(0, 999), st.booleans(), st.floats(-9, 0))
def test_bounds_are_those_of_interval_arithmetic_in_fractions_and_hardly_wider(
    widths, seed, bias, exponent
):
    loss, theta, _ = small_loss(seed, bias, widths)
    lower, upper = sm.loss_bounds(loss, theta, 10.0**exponent)
    exact_lower, exact_upper = exact_interval_loss(loss, theta, 10.0**exponent)
    assert Fraction(lower) <= exact_lower <= exact_upper <= Fraction(upper)
    assert [lower, upper] == pytest.approx(
        [float(exact_lower), float(exact_upper)], rel=1e-10, abs=1e-12
    )


@given(st.integers(0, 999), st.integers(0, 60))
def test_bounds_survive_cancellation_that_the_loss_itself_does_not(seed, bits):
    """Huge weights that cancel: the loss in floating point is far off, and bounds of radius zero
    must still hold the true value.
    """
    rng = np.random.default_rng(seed)
    big = rng.normal(size=(6, 1)) * 2.0**bits
    loss = sm.NetworkLoss((12, 1), np.abs(rng.normal(size=(3, 12))), rng.normal(size=3))
    theta = np.vstack([big, -big + rng.normal(size=(6, 1))]).ravel()
    lower, upper = sm.loss_bounds(loss, theta, 0.0)
    true = exact_loss(loss, theta)
    assert Fraction(lower) <= true <= Fraction(upper)
    assert upper < np.inf


@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_survive_a_sum_whose_roundings_all_go_one_way(sign):
    """Sixty-four ones, then thousands of terms too small to be added to a one: in most orders of
    summation all of them are lost.
    """
    weights = sign * np.concatenate([np.ones(64), np.full(4032, 0.9 * 2.0**-53)])
    loss = sm.NetworkLoss((4096, 1), np.ones((1, 4096)), [64.0 * sign])
    true = (4032 * Fraction(0.9) / 2**53) ** 2 / 2
    assert Fraction(sm.loss_bounds(loss, weights, 0.0).upper) >= true


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("part", [0.1, 0.001, 1 / 3, 1 / 7, 0.7])
def test_bounds_hold_for_sums_of_many_equal_terms(part, sign):
    """A hundred thousand roundings, most of them to one side; against the product, which is exact.

    With a target of zero the lower bound of the loss rests on the end of the output that is nearer
    to zero: for positive outputs on the lower one, for negative ones on the upper.
    """
    n = 100_000
    loss = sm.NetworkLoss((n, 1), np.full((1, n), part), [0.0])
    lower, upper = sm.loss_bounds(loss, np.full(n, float(sign)), 0.0)
    assert Fraction(lower) <= (n * Fraction(part)) ** 2 / 2 <= Fraction(upper)


@given(st.integers(0, 999), st.integers(1, 40), st.floats(-9, 1))
def test_bounds_of_weight_decay_alone_hold_without_rounding(seed, n, exponent):
    """With inputs and a target of zero nothing else is left, whatever the weights are."""
    rng = np.random.default_rng(seed)
    loss = sm.NetworkLoss((n, 1), np.zeros((1, n)), [0.0], l2=rng.uniform(0.1, 1))
    theta, radius = rng.normal(size=n), 10.0**exponent
    sizes = [abs(Fraction(t)) for t in theta.tolist()]
    nearest = [max(size - Fraction(radius), Fraction(0)) for size in sizes]
    farthest = [size + Fraction(radius) for size in sizes]
    least, most = (
        Fraction(loss.l2) / 2 * sum(size**2 for size in ends) for ends in (nearest, farthest)
    )
    lower, upper = sm.loss_bounds(loss, theta, radius)
    assert Fraction(lower) <= least <= most <= Fraction(upper)
    assert [lower, upper] == pytest.approx([float(least), float(most)], rel=1e-12)


def test_bounds_know_that_a_logarithm_is_rounded():
    loss = sm.NetworkLoss((1, 2), [[1.0]], [0], criterion="cross_entropy")
    lower, upper = sm.loss_bounds(loss, np.zeros(2), 0.0)
    with decimal.localcontext(prec=50):
        assert decimal.Decimal(lower) < decimal.Decimal(2).ln() < decimal.Decimal(upper)


def test_bounds_know_that_probabilities_may_not_quite_add_up_to_one():
    loss = sm.NetworkLoss(
        (1, 2), [[0.0]], [[0.5, 0.5 + 9e-13]], criterion="cross_entropy", bias=True
    )
    for shift in (-1e3, 0.0, 1e3):
        theta = np.array([0.0, 0.0, shift, shift])
        lower, upper = sm.loss_bounds(loss, theta, 0.0)
        assert decimal.Decimal(lower) <= fifty_digits(loss, theta) <= decimal.Decimal(upper)
        assert upper - lower == pytest.approx(2 * 9e-13 * (abs(shift) + np.log(2)), rel=0.1)


def test_bounds_know_that_probabilities_add_up_to_one_in_floating_point_only():
    loss = sm.NetworkLoss((1, 100), [[1.0]], np.full((1, 100), 0.01), criterion="cross_entropy")
    for theta in (np.full(100, 1e6), np.full(100, -1e6)):
        lower, upper = sm.loss_bounds(loss, theta, 0.0)
        assert decimal.Decimal(lower) <= fifty_digits(loss, theta) <= decimal.Decimal(upper)


@pytest.mark.parametrize("logit", [18.33, 20.0, 100.0])
def test_bounds_know_that_a_logarithm_near_one_is_rounded_away(logit):
    """A loss of exp(-2 logit), which is far below the rounding of 1 + exp(-2 logit)."""
    loss = sm.NetworkLoss((1, 2), [[1.0]], [0], criterion="cross_entropy")
    lower, upper = sm.loss_bounds(loss, [logit, -logit], 0.0)
    assert lower <= np.log1p(np.exp(-2 * logit)) <= upper


def test_bounds_survive_products_that_are_too_small_for_a_number():
    loss = sm.NetworkLoss((1, 1, 1), [[1e-200]], [0.0])
    theta = np.array([1e-200, 1e300])
    lower, upper = sm.loss_bounds(loss, theta, 0.0)
    assert Fraction(lower) <= exact_loss(loss, theta) <= Fraction(upper)
    decay = sm.NetworkLoss((1, 1), [[0.0]], [0.0], l2=1.0)
    for t in (0.0, 1.1e-155, 1.3e-155, 1.7e-155, 2.3e-155):
        lower, upper = sm.loss_bounds(decay, [t], 0.0)
        assert Fraction(lower) <= Fraction(t) ** 2 / 2 <= Fraction(upper)


@pytest.mark.parametrize("n", [1, 3, 100, 1000])
@pytest.mark.parametrize("part", [1 / 3, 1 / 7, 0.3])
def test_bounds_know_that_a_criterion_and_its_mean_are_rounded(part, n):
    """Of outputs of zero the value is known without rounding: n terms of the same size."""
    none, three = np.zeros((n, 1)), np.eye(3)[np.zeros(n, dtype=int)]
    with decimal.localcontext(prec=50):
        log_2, log_3 = (Fraction(decimal.Decimal(k).ln()) for k in (2, 3))
    cases = [
        (sm.NetworkLoss((n, 1), none.T, [0.0], l2=part), n * Fraction(part) ** 3 / 2),
        (sm.NetworkLoss((1, 1), none, none + part), Fraction(part) ** 2 / 2),
        (sm.NetworkLoss((1, 1), none, none, criterion="binary_cross_entropy"), log_2),
        (sm.NetworkLoss((1, 3), none, three, criterion="cross_entropy"), log_3),
    ]
    for loss, true in cases:
        theta = np.full(loss.size, part)  # only weight decay sees it
        lower, upper = sm.loss_bounds(loss, theta, 0.0)
        assert Fraction(lower) <= true <= Fraction(upper)
        assert upper - lower < 1e-10 * true


@pytest.mark.parametrize(("weight", "least", "most"), [(0.5, 0.36, 0.66), (-0.5, 0.09, 0.165)])
def test_a_leaky_unit_of_one_sign_has_its_bounds(weight, least, most):
    """It has a slope of 1/4 left of zero, and a second weight from 0.9 to 1.1."""
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [0.0], activation="leaky_relu", slope=0.25)
    bounds = sm.loss_bounds(loss, [weight, 1.0], 0.1)
    assert bounds == pytest.approx((least**2 / 2, most**2 / 2), rel=1e-12)


@pytest.mark.parametrize("x", [1.0, -1.0])
def test_a_weight_moves_an_input_of_either_sign_by_its_radius(x):
    loss = sm.NetworkLoss((1, 1), [[x]], [0.0])
    assert sm.loss_bounds(loss, [1.0], 0.5) == pytest.approx((0.5**2 / 2, 1.5**2 / 2), rel=1e-12)


def test_a_bias_is_moved_by_its_radius():
    loss = sm.NetworkLoss((1, 1), [[0.0]], [0.0], bias=True)
    assert sm.loss_bounds(loss, [5.0, 0.0], [7.0, 3.0]).upper == pytest.approx(4.5, rel=1e-12)


@pytest.mark.parametrize("soft", [False, True])
@given(st.integers(0, 999), st.floats(-9, 1))
def test_bounds_of_cross_entropy_hold_to_fifty_digits(soft, seed, exponent):
    rng = np.random.default_rng(seed)
    y = rng.dirichlet(np.ones(3), size=4) if soft else rng.integers(3, size=4)
    loss = sm.NetworkLoss(
        (3, 4, 3), rng.normal(size=(4, 3)), y, criterion="cross_entropy", bias=True
    )
    theta, radius = 3 * rng.normal(size=loss.size), 10.0**exponent
    for r in (0.0, radius):
        lower, upper = sm.loss_bounds(loss, theta, r)
        point = theta + r * rng.integers(-1, 2, loss.size) * (
            1 - 1e-12
        )  # whatever its rounding, in the box
        assert decimal.Decimal(lower) <= fifty_digits(loss, point) <= decimal.Decimal(upper)
    assert np.diff(sm.loss_bounds(loss, theta, 0.0))[0] < 1e-11


def fifty_digits(loss, theta):
    """The cross-entropy at theta in decimal arithmetic, whose exp and ln are correctly rounded."""
    with decimal.localcontext(prec=50):
        rows = [[decimal.Decimal(v) for v in row] for row in loss.x.tolist()]
        layers = [
            [part.tolist() if part is not None else None for part in layer]
            for layer in loss.layers(theta)
        ]
        total = decimal.Decimal(0)
        for z, y in zip(exact_outputs(layers, rows, decimal.Decimal), loss.y.tolist(), strict=True):
            lse = sum(v.exp() for v in z).ln()
            total += lse - sum(decimal.Decimal(p) * v for p, v in zip(y, z, strict=True))
        return total / len(loss.x)


def test_a_sample_that_is_far_from_doubt_costs_nothing():
    """With hard labels the bounds of one sample are attained: here log(1 + exp(-(z_0 - z_1))) at
    its two extreme gaps.
    """
    loss = sm.NetworkLoss((1, 2), [[1.0]], [0], criterion="cross_entropy")
    lower, upper = sm.loss_bounds(loss, [4.0, -4.0], 1.0)
    assert [lower, upper] == pytest.approx([np.log1p(np.exp(-10)), np.log1p(np.exp(-6))], abs=1e-12)
    assert sm.loss_bounds(loss, [8e5, -8e5], 1.0).upper < 1e-12
    assert sm.loss_bounds(loss, [-800.0, 800.0], 1.0).upper == pytest.approx(1602.0)


@pytest.mark.parametrize(
    ("criterion", "theta", "words"),
    [
        ("squared_error", [0.0], {}),
        ("squared_error", [0.5], {"l2": 1.0}),
        ("binary_cross_entropy", [5000.0], {}),
    ],
)
def test_no_bound_of_what_cannot_be_negative_is_below_the_number_next_to_zero(
    criterion, theta, words
):
    """The losses in the box come as near to 0 as numbers can."""
    y = [[1.0]] if criterion == "binary_cross_entropy" else [[0.0]]
    loss = sm.NetworkLoss((1, 1), [[1.0]], y, criterion=criterion, **words)
    for radius in (0.0, 1.0):
        lower, upper = sm.loss_bounds(loss, theta, radius)
        assert np.nextafter(0, -1) <= lower <= loss(np.array(theta)) <= upper
    assert lower <= 0


def test_overflow_bounds_nothing():
    loss = sm.NetworkLoss((2, 2, 1), [[1.0, -1.0]], [0.0])
    assert sm.loss_bounds(loss, np.full(6, 1e300), 1.0) == (0.0, np.inf)
    labels = sm.NetworkLoss((2, 2, 2), [[1.0, -1.0]], [0], criterion="cross_entropy")
    assert sm.loss_bounds(labels, np.full(8, 1e300), 1.0) == (-np.inf, np.inf)


@pytest.mark.claim("proposition-everywhere")
@pytest.mark.parametrize("power", [-20, -3, 5, 40])
def test_the_image_of_a_box_has_the_bounds_of_the_box_bit_for_bit(example, power):
    d = sm.alpha_diagonal(example.loss.widths, (2.0**power, 2.0**-power))
    assert sm.loss_bounds(example.loss, d * example.theta, d * 1e-3) == sm.loss_bounds(
        example.loss, example.theta, 1e-3
    )


@pytest.mark.claim("proposition-everywhere")
def test_a_box_and_its_images_have_equal_bounds_with_biases_and_away_from_minima():
    """The first layer and its bias times a power of two, the second layer's weights divided by it;
    the second bias stays.
    """
    rng = np.random.default_rng(3)
    widths, x, y = (2, 3, 2), rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    loss = sm.NetworkLoss(widths, x, y, bias=True)
    theta = rng.normal(size=loss.size)
    for power in (-20, 7, 30):
        factors = np.repeat([2.0**power, 2.0**-power, 1.0], [9, 6, 2])
        assert loss(factors * theta) == loss(theta)
        assert sm.loss_bounds(loss, factors * theta, factors * 1e-2) == sm.loss_bounds(
            loss, theta, 1e-2
        )


@pytest.mark.claim("proved-box")
def test_the_box_around_the_minimum_is_proved_and_nearly_the_largest(example, example_hessian):
    loss, theta, _ = example
    r = sm.box_radius(loss, theta, 0.01)
    rng = np.random.default_rng(0)
    corners = np.vstack(
        [rng.choice([-1, 1], (300, loss.size)), np.sign(np.linalg.eigh(example_hessian)[1][:, -1])]
    )
    assert max(loss(theta + r * corner) for corner in corners) < 0.01
    # Moving all weights along the signs of the sharpest direction leaves C a little further out.
    assert loss(theta + 1.03 * r * corners[-1]) > 0.01


@given(st.floats(0.5, 2), st.floats(1e-6, 0.1))
def test_the_radius_for_one_unit_solves_a_quadratic(a, epsilon):
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    # (a + r)(1/a + r) - 1 = sqrt(2 epsilon): the corner where both weights are largest is the
    # worst.
    half = (a + 1 / a) / 2
    r = np.sqrt(2 * epsilon) / (half + np.sqrt(half**2 + np.sqrt(2 * epsilon)))
    found = sm.box_radius(loss, [a, 1 / a], epsilon)
    assert r * (1 - 1e-6) - 1e-9 < found <= r * (1 + 1e-9)


def test_what_is_proved_lies_below_the_level_and_not_at_it():
    loss = sm.NetworkLoss((1, 1), [[1.0]], [0.0])
    lower, upper = sm.loss_bounds(loss, [0.0], 0.0)
    assert lower == 0
    at_upper, above = upper + np.spacing(upper), upper + 2 * np.spacing(upper)
    with pytest.raises(ValueError, match="epsilon must exceed the rounding of the loss at theta"):
        sm.box_radius(loss, [0.0], at_upper)
    assert sm.box_radius(loss, [0.0], above) > 0
    # The rounding of theta + r makes a stair of the bounds; the level lies at one of its steps.
    level = sm.loss_bounds(loss, [1.0], EPS).upper
    epsilon = np.nextafter(level, 1) - sm.loss_bounds(loss, [1.0], 0.0).lower
    radius = sm.box_radius(loss, [1.0], epsilon)
    assert sm.loss_bounds(loss, [1.0], radius).upper < level


def test_the_radius_is_the_largest_that_the_bounds_prove(small):
    loss, theta = small
    level = sm.loss_bounds(loss, theta, 0.0).lower + 0.05
    r = sm.box_radius(loss, theta, 0.05)
    assert (
        sm.loss_bounds(loss, theta, r).upper
        < level
        <= sm.loss_bounds(loss, theta, r * (1 + 2e-6)).upper
    )


BAD_BOUNDS = {
    "any function": (
        lambda loss: sm.loss_bounds(lambda t: 0.0, np.zeros(6), 0.1),
        "loss must be a NetworkLoss.* got function",
    ),
    "theta too short": (
        lambda loss: sm.loss_bounds(loss, np.zeros(5), 0.1),
        r"theta must be a vector of shape \(6,\), got shape \(5,\)",
    ),
    "a negative radius": (
        lambda loss: sm.loss_bounds(loss, np.zeros(6), -0.1),
        "radius must be a number of at least 0 or 6 of them, got -0.1",
    ),
    "too many radii": (
        lambda loss: sm.loss_bounds(loss, np.zeros(6), np.ones(7)),
        "radius must be .* 6 of them",
    ),
    "a radius that is NaN": (
        lambda loss: sm.loss_bounds(loss, np.zeros(6), np.nan),
        "radius must be finite",
    ),
    "epsilon zero": (
        lambda loss: sm.box_radius(loss, np.zeros(6), 0.0),
        "epsilon must be positive, got 0",
    ),
    "epsilon below rounding": (
        lambda loss: sm.box_radius(loss, np.ones(6), 1e-17),
        r"epsilon must exceed the rounding of the loss at theta, [\d.]+e-1\d, got 1e-17",
    ),
    "scale zero": (
        lambda loss: sm.prior_mass(valley, [1.0, 1.0], 0.1, scale=0.0),
        "scale must be positive, got 0",
    ),
    "prior in four dimensions": (
        lambda loss: sm.prior_mass(valley, np.zeros(4), 0.1),
        "theta must have 1 to 3 entries .* got 4",
    ),
    "prior, epsilon zero": (
        lambda loss: sm.prior_mass(valley, [1.0, 1.0], 0.0),
        "epsilon must be positive, got 0",
    ),
    "prior, loss NaN": (
        lambda loss: sm.prior_mass(lambda t: np.nan, [1.0], 0.1),
        "loss must be finite at theta, got nan",
    ),
}


@pytest.mark.parametrize("case", BAD_BOUNDS)
def test_bad_input_for_bounds_and_priors_is_refused_by_name(case):
    call, message = BAD_BOUNDS[case]
    with pytest.raises(ValueError, match=message):
        call(sm.NetworkLoss((2, 2, 1), [[1.0, -1.0]], [0.5]))


BAD = {
    "four dimensions": (
        dict(theta=np.zeros(4), window=[(-1, 1)] * 4),
        "theta must have 1 to 3 entries .* got 4",
    ),
    "epsilon zero": (dict(epsilon=0.0), "epsilon must be positive, got 0"),
    "epsilon negative": (dict(epsilon=-1.0), "epsilon must be positive, got -1"),
    "epsilon NaN": (dict(epsilon=np.nan), "epsilon must be finite"),
    "empty window": (
        dict(window=[(1.0, -1.0)]),
        "window must have each lower end below its upper end",
    ),
    "window of no length": (
        dict(window=[(0.0, 0.0)]),
        "window must have each lower end below its upper end",
    ),
    "window of another shape": (
        dict(window=[(-1, 1), (-1, 1)]),
        r"window must be .* of shape \(1, 2\), got shape \(2, 2\)",
    ),
    "theta outside": (
        dict(theta=[3.0]),
        r"theta must lie in the window \[\[-1.0, 1.0\]\], got \[3.\]",
    ),
    "loss NaN": (dict(loss=lambda t: np.nan), "loss must be finite at theta, got nan"),
    "a window too coarse": (
        dict(loss=lambda t: t[0] ** 2, epsilon=1e-9, resolution=10),
        "resolution must be higher: .* at 10 cells a side",
    ),
    "a spacing of another name": (
        dict(spacing="cubic"),
        "spacing must be one of linear, log, got 'cubic'",
    ),
    "zero on a logarithmic axis": (
        dict(theta=[0.5], window=[(0.0, 1.0)], spacing="log"),
        "window must have positive ends for spacing='log'",
    ),
    "resolution one": (dict(resolution=1), "resolution must be an integer of at least 2, got 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    changed, message = BAD[case]
    arguments = {
        "loss": lambda t: np.sum(t**2),
        "theta": [0.0],
        "epsilon": 0.1,
        "window": [(-1, 1)],
        **changed,
    }
    loss, theta, epsilon = (arguments.pop(name) for name in ("loss", "theta", "epsilon"))
    with pytest.raises(ValueError, match=message):
        sm.flatness_volume(loss, theta, epsilon, **arguments)
