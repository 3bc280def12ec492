"""Sharpness in a ball and in a box: closed forms, the secular equation, brute force, and the
curvature for small balls.

What these checks cannot see: a maximum that ascent from every start misses. The value is a lower
bound, and no test can turn it into more; brute force in two dimensions shows only that it is a good
one there.
"""

import itertools

import autograd.numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm


def generator():
    return np.random.default_rng(0)


@pytest.mark.claim("definition-sharpness")
@given(st.integers(1, 6), st.integers(0, 10**6), st.floats(-3, 1), st.floats(0, 3))
def test_a_quadratic_bowl_has_its_closed_form(n, seed, log_epsilon, height):
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    B = rng.normal(size=(n, n))
    A = B @ B.T
    value, point = sm.epsilon_sharpness(
        lambda t: 0.5 * t @ A @ t + height, np.zeros(n), epsilon, rng=rng, steps=500
    )
    expected = np.linalg.eigvalsh(A)[-1] * epsilon**2 / (2 * (1 + height))
    # Subtracting the height from the loss leaves an ulp of the height.
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-14 * (1 + height))
    assert np.linalg.norm(point) <= epsilon * (1 + 1e-12)


def test_brute_force_over_the_disk_finds_no_more():
    def bumpy(t):
        return 1.5 + np.sin(3 * t[0]) * np.cos(2 * t[1]) + 0.2 * t[0] * t[1] + 0.1 * np.sum(t**2)

    theta, epsilon = np.array([0.2, -0.4]), 1.3
    radius, angle = np.meshgrid(np.linspace(0, epsilon, 200), np.linspace(0, 2 * np.pi, 721))
    disk = theta + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(
        -1, 2
    )
    brute = (max(bumpy(t) for t in disk) - bumpy(theta)) / (1 + bumpy(theta))
    value, point = sm.epsilon_sharpness(bumpy, theta, epsilon, rng=generator(), starts=8)
    assert value >= brute
    assert (
        value - brute < 1e-3
    )  # the grid's own coarseness: half a cell, squared, times the curvature
    assert value == pytest.approx((bumpy(point) - bumpy(theta)) / (1 + bumpy(theta)), rel=1e-14)


def test_a_maximum_inside_the_ball_is_found():
    value, point = sm.epsilon_sharpness(
        lambda t: 1 - np.sum((t - 0.3) ** 2), np.zeros(3), 5.0, rng=generator()
    )
    assert np.allclose(point, 0.3, atol=1e-6)
    assert value == pytest.approx(0.27 / 1.73, rel=1e-10)


@pytest.mark.claim("proposition-quadratic")
def test_small_balls_see_the_curvature(example, example_hessian):
    largest = np.linalg.eigvalsh(example_hessian)[-1]
    for epsilon in (1e-4, 1e-3):
        value, _ = sm.epsilon_sharpness(
            example.loss, example.theta, epsilon, rng=generator(), starts=1
        )
        assert value / (largest * epsilon**2 / 2) == pytest.approx(1, abs=epsilon)


@pytest.mark.claim("proposition-quadratic")
@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("part", [0.01, 0.3, 0.9])
def test_the_rise_around_one_unit_is_known_until_its_kink(weight, part):
    """For f = w2 relu(w1 x) at w1 = w2 = w, the step that changes both alike changes f most."""
    loss = sm.NetworkLoss((1, 1, 1), [[1 / weight**2]], [1.0])
    radius = part * weight
    value, _ = sm.epsilon_sharpness(
        loss, np.full(2, weight), radius, rng=generator(), starts=4, steps=300
    )
    step = radius / np.sqrt(2)
    assert value == pytest.approx(((weight + step) ** 2 / weight**2 - 1) ** 2 / 2, rel=1e-9)


def test_a_ball_of_the_size_of_rounding_comes_to_an_end(example):
    value, point = sm.epsilon_sharpness(
        example.loss, example.theta, 1e-12, rng=generator(), starts=1
    )
    assert 0 <= value < 1e-20 and np.linalg.norm(point - example.theta) < 2e-12


def test_theta_itself_counts_so_that_no_sharpness_is_negative():
    """A peak so narrow that every ascent ends below it."""

    def peak(t):
        return np.exp(-1e4 * np.sum(t**2))

    for measure in (sm.epsilon_sharpness, sm.keskar_sharpness):
        value, point = measure(peak, np.zeros(3), 1.0, rng=generator())
        assert value == 0 and not point.any()


def test_a_candidate_is_used_and_the_value_never_falls_below_it():
    def spike(t):
        return np.exp(-np.sum((t - np.array([0.5, 0.5])) ** 2) / 1e-4)

    without, _ = sm.epsilon_sharpness(spike, np.zeros(2), 1.0, rng=generator())
    with_it, point = sm.epsilon_sharpness(
        spike, np.zeros(2), 1.0, rng=generator(), candidates=[[0.499, 0.5]]
    )
    assert without < 0.1 < 0.99 < with_it
    assert np.allclose(point, 0.5, atol=1e-4)


def test_it_is_reproducible_and_leaves_theta_alone(example):
    theta = example.theta.copy()
    values = [
        sm.epsilon_sharpness(example.loss, theta, 0.5, rng=generator(), starts=1, steps=5).value
        for _ in range(2)
    ]
    assert values[0] == values[1]
    assert np.array_equal(theta, example.theta)


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_the_sharpest_direction_is_the_leading_eigenvector(n, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    A = Q * np.arange(1.0, n + 1) @ Q.T
    direction = sm.sharpest_direction(lambda t: 0.5 * t @ A @ t, np.zeros(n), rng=rng)
    assert abs(direction @ Q[:, -1]) == pytest.approx(1, abs=1e-10)


def test_in_one_dimension_the_sharpest_direction_needs_no_second_derivative():
    def cusp(t):
        return np.abs(t[0]) ** 1.5

    assert sm.sharpest_direction(cusp, [0.0], rng=generator()) == [1]


@pytest.mark.parametrize("measure", [sm.epsilon_sharpness, sm.keskar_sharpness])
@pytest.mark.parametrize("side", [1, -1])
def test_ascent_starts_at_both_ends_of_the_sharpest_direction(measure, side):
    """Each end is a maximum, and one of them the higher."""
    value, point = measure(
        lambda t: t[0] ** 2 + side * t[0] ** 3 / 4, [0.0], 1.0, rng=generator(), starts=0
    )
    assert value == pytest.approx(1.25, rel=1e-12) and point == pytest.approx(side)


def test_a_slope_is_climbed_to_the_edge_of_the_ball_wherever_that_lies():
    value, point = sm.epsilon_sharpness(
        lambda t: 10 + 3 * t[0] + 4 * t[1], [3.0, -1.0], 0.5, rng=generator(), starts=0
    )
    assert value == pytest.approx(0.5 * 5 / 16, rel=1e-9)
    assert np.allclose(point, [3 + 0.3, -1 + 0.4], atol=1e-4)


def highest_on_ball(A, b, radius):
    """The maximum of u'Au/2 + b'u over |u| <= radius, exactly but for rounding, where b is not
    orthogonal to the leading eigenvector.

    Either the maximum lies inside, or u = (m - A)^-1 b with a multiplier m above all eigenvalues
    and above 0 for which |u| is the radius: the secular equation, one monotone function of m
    (Nocedal and Wright's theorem on trust regions).
    """
    values, Q = np.linalg.eigh(A)
    c = Q.T @ b
    if values[-1] < 0 and np.linalg.norm(c / values) <= radius:
        return -0.5 * np.sum(c**2 / values)
    low = max(values[-1], 0.0)

    def shortfall(
        gap,
    ):  # of the multiplier above `low`; near the pole the multiplier itself has too few digits
        return 1 / np.linalg.norm(c / (low - values + gap)) - 1 / radius

    least = abs(c[-1]) / radius / 2 if values[-1] > 0 else 0.0
    gap = scipy.optimize.brentq(
        shortfall, least, 2 * np.linalg.norm(c) / radius, xtol=1e-300, rtol=1e-14
    )
    u = c / (low - values + gap)
    return 0.5 * np.sum(values * u**2) + c @ u


@given(st.integers(1, 6), st.integers(0, 10**6), st.floats(-2, 1))
def test_any_quadratic_has_the_maximum_of_the_secular_equation(n, seed, log_epsilon):
    """Of any signature, with a slope. From the start on the right side of the sharpest direction
    the flow leads to the top.
    """
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    A, b = rng.normal(size=(n, n)), rng.normal(size=n)
    A = A + A.T
    value, point = sm.epsilon_sharpness(
        lambda u: 1 + 0.5 * u @ A @ u + b @ u, np.zeros(n), epsilon, rng=rng, starts=0, steps=2000
    )
    assert value == pytest.approx(
        highest_on_ball(A, b, epsilon) / 2, rel=1e-6
    )  # from below: the ascent has an end
    assert value <= highest_on_ball(A, b, epsilon) / 2 * (1 + 1e-12) + 1e-15
    assert np.linalg.norm(point) <= epsilon * (1 + 1e-12)


def test_the_hard_case_of_the_secular_equation():
    """The slope is orthogonal to the sharpest direction: two maxima, at which u_i = b_i / (lambda_1
    - lambda_i) for i > 1.
    """
    curvatures, b = np.array([3.0, 1.0, -2.0]), np.array([0.0, 0.5, 0.5])
    u = np.array([np.sqrt(1 - 0.25**2 - 0.1**2), 0.25, 0.1])
    value, point = sm.epsilon_sharpness(
        lambda t: 1 + 0.5 * np.sum(curvatures * t**2) + np.sum(b * t),
        np.zeros(3),
        1.0,
        rng=generator(),
        starts=0,
    )
    assert value == pytest.approx((0.5 * curvatures @ u**2 + b @ u) / 2, rel=1e-12)
    assert np.allclose(np.abs(point), u, atol=1e-6)


def test_a_loss_without_curvature_is_climbed_along_its_slope():
    c = np.array([1.0, -2.0, 2.0, 0.5])
    value, point = sm.epsilon_sharpness(
        lambda t: 1 + np.sum(c * t), np.zeros(4), 0.5, rng=generator()
    )
    assert value == pytest.approx(0.5 * np.linalg.norm(c) / 2, rel=1e-12)
    assert np.allclose(point, 0.5 * c / np.linalg.norm(c), atol=1e-6)
    assert (
        sm.epsilon_sharpness(lambda t: 2.0 + 0 * t[0], np.zeros(4), 0.5, rng=generator()).value == 0
    )


def zero_layer(loss, theta, epsilon):
    """The twin whose ball reaches the zero first layer, and the point (0, theta_2 / alpha) at its
    edge.
    """
    first = loss.layers(theta)[0].weight
    alpha = epsilon / np.sqrt(np.sum(first**2))
    twin = theta * sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
    return twin, np.concatenate([np.zeros(first.size), twin[first.size :]])


@pytest.mark.claim("fig-reach")
@pytest.mark.parametrize("epsilon", [1e-8, 1e-3, 0.5])
def test_the_zero_layer_is_at_distance_epsilon_and_bounds_the_sharpness(example, epsilon):
    twin, point = zero_layer(example.loss, example.theta, epsilon)
    assert np.linalg.norm(point - twin) == pytest.approx(epsilon, rel=1e-14)
    assert not example.loss.outputs(point).any()
    assert example.loss(point) == 0.5  # the mean of y^2/2 with y = 1 or -1
    value, _ = sm.epsilon_sharpness(
        example.loss, twin, epsilon, rng=generator(), starts=0, steps=20, candidates=[point]
    )
    assert value >= 0.5


@pytest.mark.claim("proposition-zero-layer")
@given(st.integers(0, 10**6), st.lists(st.integers(1, 4), min_size=3, max_size=5), st.floats(-6, 0))
def test_with_an_output_bias_the_last_layer_set_to_zero_leaves_the_bias(seed, widths, log_epsilon):
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    params = tuple(
        sm.Layer(layer.weight, rng.normal(size=layer.bias.shape))
        for layer in sm.init_params(widths, rng=rng, bias=True)
    )
    x = rng.normal(size=(5, widths[0]))
    alpha = epsilon / np.linalg.norm(params[-1].weight)
    twin = sm.alpha_scale(params, [1.0] * (len(params) - 2) + [1 / alpha, alpha])
    silent = (*twin[:-1], sm.Layer(0 * twin[-1].weight, twin[-1].bias))
    assert np.linalg.norm(sm.ravel(twin) - sm.ravel(silent)) == pytest.approx(epsilon, rel=1e-13)
    assert np.allclose(sm.forward(twin, x), sm.forward(params, x), rtol=1e-12, atol=1e-12)
    assert np.array_equal(sm.forward(silent, x), np.tile(params[-1].bias, (5, 1)))


def interpolating(seed):
    """A random network with one hidden layer that labelled its own inputs, its loss, and what the
    bounds below need.
    """
    rng = np.random.default_rng(seed)
    widths = (*rng.integers(1, 5, size=2), 1)
    params, x = sm.init_params(widths, rng=rng), rng.normal(size=(8, widths[0]))
    return (
        sm.NetworkLoss(widths, x, sm.forward(params, x)),
        sm.ravel(params),
        *(np.linalg.norm(layer.weight) for layer in params),
    )


@pytest.mark.claim("proposition-growth", "fig-ball-growth")
@given(st.integers(0, 10**6), st.floats(-4, 0.5), st.floats(-2, 0))
def test_sharpness_along_the_orbit_is_between_its_bounds(seed, log_alpha, log_epsilon):
    loss, theta, norm_1, norm_2 = interpolating(seed)
    alpha, epsilon = 10.0**log_alpha, 10.0**log_epsilon
    d = sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
    s = epsilon / (alpha * norm_1)
    further = d * theta
    further[: loss.sizes[0]] *= 1 + s
    value, _ = sm.epsilon_sharpness(
        loss, d * theta, epsilon, rng=generator(), starts=2, steps=20, candidates=[further]
    )
    rho_squared = np.mean(np.sum(loss.x**2, axis=1))
    assert value >= s**2 * np.mean(loss.y**2) / 2 * (1 - 1e-9) - 1e-14
    assert value <= rho_squared / 2 * (
        epsilon * np.hypot(norm_2 / alpha, alpha * norm_1) + epsilon**2 / 2
    ) ** 2 * (1 + 1e-9)


@pytest.mark.claim("proposition-limits")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_unit_grows_at_both_ends_as_its_limits_say_by_brute_force(seed):
    """Three parameters: all directions on a sphere, in longitude and latitude."""
    rng, epsilon = np.random.default_rng(seed), 0.3
    x, w, a = rng.normal(size=(12, 2)), rng.normal(size=2), rng.uniform(0.5, 2)
    y = np.maximum(x @ w, 0) * a
    turn, height = np.meshgrid(np.linspace(0, 2 * np.pi, 361), np.linspace(-1, 1, 201))
    side = np.sqrt(1 - height**2)
    steps = epsilon * np.stack([side * np.cos(turn), side * np.sin(turn), height], axis=-1)

    def sharpness(alpha):
        moved = steps + np.append(alpha * w, a / alpha)
        outputs = np.maximum(moved[..., :2] @ x.T, 0) * moved[..., 2:]
        return np.mean((outputs - y) ** 2, axis=-1).max() / 2

    circle = np.stack([np.cos(turn[0]), np.sin(turn[0])])
    m = np.mean((np.maximum(x @ circle, 0) * a) ** 2, axis=0).max() / 2
    mu = np.mean(np.maximum(x @ w, 0) ** 2)
    assert sharpness(1e-6) * 1e-12 == pytest.approx(m * epsilon**2, rel=2e-3)
    assert sharpness(1e6) * 1e-12 == pytest.approx(mu * epsilon**2 / 2, rel=2e-3)


@pytest.mark.claim("proposition-subspace")
@pytest.mark.parametrize("seed", range(4))
def test_in_a_random_line_sharpness_grows_like_the_fourth_power(seed):
    rng, epsilon, alpha = np.random.default_rng(seed), 0.2, 1e-5
    params, x = sm.init_params((3, 4, 2), rng=rng), rng.normal(size=(10, 3))
    loss = sm.NetworkLoss((3, 4, 2), x, sm.forward(params, x))
    theta, column = sm.ravel(params), rng.normal(size=20)
    twin = theta * sm.alpha_diagonal((3, 4, 2), (alpha, 1 / alpha))
    flat = np.append(np.zeros(12), theta[12:])
    steps = np.linspace(-1, 1, 201)
    half_side = epsilon * (abs(column @ twin) / (column @ column) + 1)
    limit_side = epsilon * abs(column @ flat) / (column @ column)
    found = max(loss(twin + t * half_side * column) for t in steps)
    outputs = [loss.outputs(flat + t * limit_side * column) for t in steps]
    limit = max(np.mean(np.sum(f**2, axis=1)) / 2 for f in outputs)
    assert limit > 0 and found * alpha**4 == pytest.approx(limit, rel=2e-3)


def draw_network(widths, seed, criterion="squared_error"):
    """A network at random parameters, no minimum of its loss, and a random column."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(10, widths[0]))
    targets = {
        "squared_error": rng.normal(size=(10, widths[-1])),
        "cross_entropy": rng.integers(widths[-1], size=10),
    }
    loss = sm.NetworkLoss(widths, x, targets[criterion], criterion=criterion)
    theta = sm.ravel(sm.init_params(widths, rng=rng))
    return loss, theta, rng.normal(size=theta.size)


def scale_outer_layers(loss, theta, alpha):
    alphas = [alpha, *[1.0] * (len(loss.sizes) - 2), 1 / alpha]
    return theta * sm.alpha_diagonal(loss.widths, alphas)


def measure_outputs(loss, f):
    """What large outputs cost, up to their power: half the mean square, or the mean margin."""
    if loss.criterion == "squared_error":
        return np.mean(np.sum(f**2, axis=1)) / 2
    return np.mean(f.max(axis=1) - np.sum(f * loss.y, axis=1))


SUBSPACES = list(itertools.product([(3, 5, 3), (3, 4, 4, 2), (2, 6, 2)], [0, 1]))


@pytest.mark.claim("proposition-subspace", "proposition-subspace-cross-entropy")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("alpha", [1e-7, 1e7])
@pytest.mark.parametrize(("widths", "seed"), SUBSPACES)
def test_in_a_line_keskars_box_has_its_limits_for_any_depth(widths, seed, alpha, criterion):
    """In the limit the box is around the layer alone that grows: the last one, or the first."""
    loss, theta, column = draw_network(widths, seed, criterion)
    epsilon = 0.2
    twin = scale_outer_layers(loss, theta, alpha)
    only_one = np.zeros_like(theta)
    grown = slice(theta.size - loss.sizes[-1], None) if alpha < 1 else slice(loss.sizes[0])
    only_one[grown] = theta[grown]
    part = column @ column
    half_side = epsilon * (abs(column @ twin) / part + 1)
    limit_side = epsilon * abs(column @ only_one) / part
    steps = np.linspace(-1, 1, 101)
    rises = [loss(twin + t * half_side * column) - loss(theta) for t in steps]
    outputs = [loss.outputs(only_one + t * limit_side * column) for t in steps]
    limit = max(measure_outputs(loss, f) for f in outputs)
    power = len(loss.sizes) * (2 if criterion == "squared_error" else 1)
    assert max(rises) * min(alpha, 1 / alpha) ** power == pytest.approx(limit, rel=2e-3)


@pytest.mark.claim("proposition-subspace-ball", "proposition-subspace-cross-entropy")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("alpha", [1e-6, 1e6])
@pytest.mark.parametrize(("widths", "seed"), SUBSPACES)
def test_in_a_line_a_ball_has_its_limits_at_both_ends(widths, seed, alpha, criterion):
    loss, theta, column = draw_network(widths, seed, criterion)
    twin = scale_outer_layers(loss, theta, alpha)
    first, last = np.zeros((2, theta.size), dtype=bool)
    first[: loss.sizes[0]] = last[-loss.sizes[-1] :] = True
    shrunk, kept = (first, last) if alpha < 1 else (last, first)
    steps = 0.2 * np.linspace(-1, 1, 101)[:, None] * column / np.linalg.norm(column)
    limits = np.where(kept, theta, np.where(shrunk, 0, theta) + steps)
    rise = max(loss(twin + step) - loss(theta) for step in steps)
    limit = max(measure_outputs(loss, loss.outputs(point)) for point in limits)
    power = 2 if criterion == "squared_error" else 1
    assert rise * min(alpha, 1 / alpha) ** power == pytest.approx(limit, rel=1e-3)


@pytest.mark.claim("bounded-losses")
def test_a_bounded_loss_has_bounded_sharpness(example):
    """L / (1 + L) stays below 1, however far the twin: the growth of the bounds above needs a loss
    without an upper bound.
    """
    twin, _ = zero_layer(example.loss, example.theta, 1e-3)
    value, _ = sm.epsilon_sharpness(
        lambda t: example.loss(t) / (1 + example.loss(t)),
        twin,
        0.1,
        rng=generator(),
        starts=1,
        steps=20,
    )
    assert 0.99 < value <= 1
    n1 = example.loss.sizes[0]
    mirrored = np.concatenate([-example.theta[:n1], example.theta[n1:]])
    for s in (2.0, 1e3):
        turned = np.concatenate([(1 - s) * example.theta[:n1], example.theta[n1:]])
        assert np.allclose(
            example.loss.outputs(turned),
            (s - 1) * example.loss.outputs(mirrored),
            rtol=1e-12,
            atol=1e-12,
        )


@pytest.mark.claim("proposition-kinks")
@pytest.mark.parametrize("alpha", [4.0, 1.0, 1 / 16])
def test_the_nearest_kink_of_other_networks_is_alpha_times_as_far(alpha):
    """At the distance of the formula one pre-activation is zero; a little nearer none is."""
    rng = np.random.default_rng(6)
    x, W = rng.normal(size=(7, 3)), rng.normal(size=(3, 4))
    far = alpha * np.abs(x @ W) / np.linalg.norm(x, axis=1, keepdims=True)
    i, j = np.unravel_index(far.argmin(), far.shape)
    toward = -np.sign(x[i] @ W[:, j]) * x[i] / np.linalg.norm(x[i])
    before = alpha * W
    before[:, j] += (1 - 1e-6) * far.min() * toward
    beyond = alpha * W
    beyond[:, j] += (1 + 1e-6) * far.min() * toward
    assert np.array_equal(x @ before > 0, x @ W > 0)
    assert np.sum((x @ beyond > 0) != (x @ W > 0)) == 1
    for step in rng.normal(size=(200, 3, 4)):
        step *= 0.999 * far.min() / np.linalg.norm(step)
        assert np.array_equal(x @ (alpha * W + step) > 0, x @ W > 0)


@pytest.mark.claim("proposition-kinks", "fig-shrink")
def test_kinks_come_nearer_in_proportion_to_alpha_and_before_them_the_curvature_rules(
    example, example_hessian
):
    loss, theta = example.loss, example.theta
    W = loss.layers(theta)[0].weight
    nearest = np.abs(loss.x @ W / np.linalg.norm(loss.x, axis=1, keepdims=True)).min()
    for alpha in (1.0, 1 / 8, 1 / 64):
        d = sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
        largest = np.linalg.eigvalsh(example_hessian / np.outer(d, d))[-1]
        value, point = sm.epsilon_sharpness(
            loss, d * theta, 0.9 * alpha * nearest, rng=generator(), starts=0
        )
        kappa = np.sqrt(np.mean(np.sum(loss.x**2, axis=1)) / largest) / 2
        assert value / (largest * (0.9 * alpha * nearest) ** 2 / 2) == pytest.approx(
            1, abs=3 * kappa * alpha * nearest + 1e-8
        )
        assert np.array_equal(loss.x @ loss.layers(point)[0].weight > 0, loss.x @ W > 0)


@pytest.mark.claim("kink-at-zero")
@pytest.mark.parametrize("unit", [1.0, 2.0**-20])
def test_ascent_leaves_a_kink_at_which_the_gradient_is_said_to_be_zero(unit):
    """A bump on (0.5, 0.52), flat elsewhere, that begins with a kink: relu'(0) = 0 gives no slope
    at 0.5, nor on the flat.
    """

    def bump(t):
        return 1e4 * sm.relu(t[0] / unit - 0.5) * sm.relu(0.52 - t[0] / unit)

    kink = unit * np.array([0.5, 0.0])
    assert not sm.gradient(bump, kink).any() and bump(kink) == 0
    for seed in range(10):
        value, point = sm.epsilon_sharpness(
            bump, np.zeros(2), unit, rng=np.random.default_rng(seed), starts=0, candidates=[kink]
        )
        assert value == pytest.approx(1, abs=1e-9) and point[0] / unit == pytest.approx(
            0.51, abs=1e-6
        )
        assert sm.keskar_sharpness(
            bump,
            np.zeros(2),
            0.6 * unit,
            rng=np.random.default_rng(seed),
            starts=0,
            candidates=[kink],
        ).value == pytest.approx(1, abs=1e-9)


@pytest.mark.claim("not-the-maximum")
def test_at_the_zero_layer_the_gradient_vanishes_and_the_ascent_goes_on(example):
    twin, point = zero_layer(example.loss, example.theta, 0.1)
    assert not sm.gradient(example.loss, point).any()
    value, end = sm.epsilon_sharpness(
        example.loss, twin, 0.1, rng=generator(), starts=0, candidates=[point]
    )
    assert value > 100 * example.loss(point) and not np.array_equal(end, point)


# The box of Keskar et al.


def box_of(theta, epsilon, A):
    """Half the sides, with A^+ theta from the normal equations."""
    return epsilon * (np.abs(np.linalg.solve(A.T @ A, A.T @ theta)) + 1)


@pytest.mark.claim("definition-keskar")
@given(st.integers(1, 6), st.integers(0, 10**6), st.floats(-3, 1), st.booleans())
def test_a_linear_loss_has_its_maximum_at_the_corner_of_its_signs(n, seed, log_epsilon, full):
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    A = None if full else rng.normal(size=(n, rng.integers(1, n + 1)))
    theta, c = rng.normal(size=n), rng.normal(size=n)
    height = 1 - c @ theta
    B = np.eye(n) if full else A
    sides = box_of(theta, epsilon, B)
    value, point = sm.keskar_sharpness(
        lambda t: height + c @ t, theta, epsilon, rng=rng, subspace=A
    )
    assert value == pytest.approx(np.sum(np.abs(c @ B) * sides) / 2, rel=1e-7)
    z = np.linalg.solve(B.T @ B, B.T @ (point - theta))
    assert (np.abs(z) <= sides * (1 + 1e-7)).all()


@given(st.integers(1, 8), st.integers(0, 10**6), st.floats(-3, 1), st.floats(0, 3))
def test_a_separable_bowl_is_highest_at_every_corner(n, seed, log_epsilon, height):
    rng, epsilon = np.random.default_rng(seed), 10.0**log_epsilon
    theta, a = rng.normal(size=n), rng.uniform(0.1, 10, size=n)
    value, _ = sm.keskar_sharpness(
        lambda t: height + 0.5 * np.sum(a * (t - theta) ** 2), theta, epsilon, rng=rng
    )
    expected = 0.5 * np.sum(a * (epsilon * (np.abs(theta) + 1)) ** 2) / (1 + height)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-14 * (1 + height))


def test_random_starts_are_corners():
    """Of a bowl whose sharpest direction leaves all other coordinates at the middle, where their
    slope is zero.
    """
    curvatures = np.append(2.0, np.ones(7))
    for seed in range(3):
        value, _ = sm.keskar_sharpness(
            lambda t: np.sum(curvatures * t**2),
            np.zeros(8),
            1.0,
            rng=np.random.default_rng(seed),
            starts=1,
            steps=3,
        )
        assert value == 9


@pytest.mark.parametrize("measure", [sm.epsilon_sharpness, sm.keskar_sharpness])
def test_a_candidate_may_lie_outside_by_rounding(measure):
    farthest = 1 + sm.sharpness.OUTSIDE
    for candidate in ([farthest], [-farthest]):
        value, _ = measure(lambda t: t[0] ** 2, [0.0], 1.0, rng=generator(), candidates=[candidate])
        assert value == pytest.approx(1, rel=1e-9)
        with pytest.raises(ValueError, match="candidates must"):
            beyond = 2 * np.sign(candidate)
            measure(
                lambda t: t[0] ** 2,
                [0.0],
                1.0,
                rng=generator(),
                candidates=[np.nextafter(candidate, beyond)],
            )


def test_theta_itself_is_a_candidate_in_every_subspace():
    theta = np.array([0.5, -1.0])
    value, _ = sm.keskar_sharpness(
        lambda t: np.sum((t - theta) ** 2),
        theta,
        1.0,
        rng=generator(),
        subspace=np.ones((2, 1)),
        candidates=[theta],
    )
    assert value == pytest.approx(2 * (1 + 0.25) ** 2, rel=1e-9)


@pytest.mark.claim("table-cost")
@pytest.mark.parametrize("seed", range(10))
def test_a_convex_quadratic_is_highest_at_the_best_of_all_corners(seed):
    rng = np.random.default_rng(seed)
    p, n = 5, 7
    B, A, theta = rng.normal(size=(n, n)), rng.normal(size=(n, p)), rng.normal(size=n)
    corners = [
        theta + A @ (box_of(theta, 0.3, A) * signs)
        for signs in itertools.product([-1, 1], repeat=p)
    ]

    def bowl(t):
        return 0.5 * np.sum((B @ (t - theta)) ** 2)

    best = max(map(bowl, corners))
    found = sm.keskar_sharpness(bowl, theta, 0.3, rng=rng, subspace=A, starts=16).value
    assert found == pytest.approx(best, rel=1e-9)
    assert sm.keskar_sharpness(
        bowl, theta, 0.3, rng=rng, subspace=A, starts=0, candidates=corners
    ).value == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("full", [True, False])
def test_brute_force_over_the_box_finds_no_more(full):
    A = np.eye(2) if full else np.array([[1.0, 0.5], [-0.3, 1.0], [0.2, 0.7]])
    theta = np.array([0.4, -0.3, 0.6])[: len(A)]

    def bumpy(t):
        return 1.5 + np.sin(3 * t[0]) * np.cos(2 * t[1]) + 0.2 * t[0] * t[-1] + 0.1 * np.sum(t**2)

    axes = [np.linspace(-side, side, 401) for side in box_of(theta, 0.9, A)]
    brute = (max(bumpy(theta + A @ z) for z in itertools.product(*axes)) - bumpy(theta)) / (
        1 + bumpy(theta)
    )
    value, _ = sm.keskar_sharpness(
        bumpy, theta, 0.9, rng=generator(), subspace=None if full else A, starts=8
    )
    assert brute * (1 - 1e-12) <= value < brute + 1e-3  # the grid's own coarseness


def test_ascent_in_the_box_does_as_well_as_l_bfgs_b(example):
    loss, theta = example.loss, example.theta
    sides = 0.01 * (np.abs(theta) + 1)
    rises = []
    for corner in generator().choice([-1.0, 1.0], size=(3, len(theta))):
        found = scipy.optimize.minimize(
            lambda w: -loss(theta + sides * w),
            0.5 * corner,
            jac=lambda w: -sides * sm.gradient(loss, theta + sides * w),
            bounds=[(-1, 1)] * len(theta),
            method="L-BFGS-B",
        )
        rises.append(-found.fun)
    assert sm.keskar_sharpness(loss, theta, 0.01, rng=generator()).value >= 0.999 * max(rises)


def test_the_box_holds_the_ball_and_its_value_is_no_lower(example):
    ball = sm.epsilon_sharpness(
        example.loss, example.theta, 0.05, rng=generator(), starts=0, steps=50
    )
    box = sm.keskar_sharpness(
        example.loss,
        example.theta,
        0.05,
        rng=generator(),
        starts=0,
        steps=1,
        candidates=[ball.point],
    )
    assert box.value >= ball.value


@pytest.mark.claim("proposition-box")
@pytest.mark.parametrize("widths", [(3, 4, 2), (5, 2, 1)])
def test_whether_the_box_holds_the_zero_layer_is_a_matter_of_the_largest_weight(widths):
    theta, n = generator().normal(size=sum(sm.layer_sizes(widths))), sm.layer_sizes(widths)[0]
    for epsilon in (0.01, 0.5):
        threshold = epsilon / ((1 - epsilon) * np.abs(theta[:n]).max())
        for alpha, inside in ((0.999 * threshold, True), (1.001 * threshold, False)):
            first = alpha * theta[:n]
            assert (np.abs(first) <= epsilon * (np.abs(first) + 1)).all() == inside


@pytest.mark.claim("proposition-box")
def test_the_zero_layer_enters_the_box_at_its_threshold(example):
    epsilon, first = 0.1, example.loss.layers(example.theta)[0].weight
    for slack, inside in ((1 - 1e-9, True), (1 + 1e-9, False)):
        alpha = slack * epsilon / ((1 - epsilon) * np.abs(first).max())
        twin = example.theta * sm.alpha_diagonal(example.loss.widths, (alpha, 1 / alpha))
        point = np.concatenate([np.zeros(first.size), twin[first.size :]])
        assert (np.abs(point - twin) <= epsilon * (np.abs(twin) + 1)).all() == inside
        try:
            value = sm.keskar_sharpness(
                example.loss, twin, epsilon, rng=generator(), starts=0, steps=1, candidates=[point]
            ).value
        except ValueError:
            assert not inside
        else:
            assert inside and value >= 0.5


@pytest.mark.claim("fig-keskar")
@pytest.mark.parametrize("p", [1, 100])
def test_on_a_random_subspace_sharpness_grows_like_alpha_to_the_minus_four(example, p):
    loss, n = example.loss, example.loss.size
    A = generator().normal(size=(n, p)) / np.sqrt(n)
    twins = [
        example.theta * sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha)) for alpha in (1e-5, 1e-6)
    ]
    values = [
        sm.keskar_sharpness(loss, twin, 1e-3, rng=generator(), subspace=A, starts=2).value
        for twin in twins
    ]
    assert values[1] / values[0] == pytest.approx(1e4, rel=0.02)


BAD = {
    "epsilon zero": (dict(epsilon=0.0), "epsilon must be positive, got 0"),
    "epsilon negative": (dict(epsilon=-0.1), "epsilon must be positive, got -0.1"),
    "negative loss": (
        dict(loss=lambda t: np.sum(t**2) - 1),
        "loss must be at least 0 at theta, got -1",
    ),
    "infinite loss": (dict(loss=lambda t: np.inf), "loss must be finite at theta, got inf"),
    "candidate outside": (
        dict(candidates=[[1.0, 0.0]]),
        "candidates must be at most epsilon from theta, got one at 1",
    ),
    "candidate of another length": (
        dict(candidates=[[0.1]]),
        r"each of candidates must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "a seed for a generator": (dict(rng=0), "rng must be a numpy.random.Generator"),
    "starts negative": (dict(starts=-1), "starts must be an integer of at least 0, got -1"),
    "no steps": (dict(steps=0), "steps must be an integer of at least 1, got 0"),
    "NaN in the ball": (
        dict(loss=lambda t: np.sum(t**2) if t[0] ** 2 < 0.1 else np.nan),
        "loss must be finite .* got nan within epsilon",
    ),
    "infinite in the ball": (
        dict(loss=lambda t: np.sum(t**2) if t[0] ** 2 < 0.1 else np.inf),
        "loss must be finite .* got inf within epsilon",
    ),
    "loss a vector": (
        dict(loss=lambda t: t**2),
        r"loss must return a number, got an array of shape \(2,\)",
    ),
    "theta float32": (
        dict(theta=np.zeros(2, dtype=np.float32)),
        "theta must be .* float64 .* got dtype float32",
    ),
}


def check_refusal(sharpness, changed, message):
    """Ask for a sharpness with one argument changed for a bad one."""
    arguments = {
        "loss": lambda t: np.sum(t**2),
        "theta": np.zeros(2),
        "epsilon": 0.5,
        "rng": generator(),
        **changed,
    }
    loss, theta, epsilon = (arguments.pop(name) for name in ("loss", "theta", "epsilon"))
    with pytest.raises(ValueError, match=message):
        sharpness(loss, theta, epsilon, **arguments)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    check_refusal(sm.epsilon_sharpness, *BAD[case])


ONE = np.array([[1.0], [0.0]])
BAD_BOX = {
    "epsilon zero": (dict(epsilon=0), "epsilon must be positive, got 0"),
    "negative loss": (
        dict(loss=lambda t: np.sum(t**2) - 1),
        "loss must be at least 0 at theta, got -1",
    ),
    "subspace of another height": (
        dict(subspace=np.eye(3)),
        r"subspace must be a matrix, .* of shape \(2, any\), got shape \(3, 3\)",
    ),
    "a vector for a subspace": (
        dict(subspace=np.ones(2)),
        r"subspace must be a matrix, .* of shape \(2, any\), got shape \(2,\)",
    ),
    "too many columns": (
        dict(subspace=np.ones((2, 3))),
        "subspace must have independent columns, 1 to 2 of them, got 3 of rank 1",
    ),
    "columns that depend": (
        dict(subspace=np.ones((2, 2))),
        "subspace must have independent columns, 1 to 2 of them, got 2 of rank 1",
    ),
    "no column": (
        dict(subspace=np.ones((2, 0))),
        "subspace must have independent columns, 1 to 2 of them, got 0 of rank 0",
    ),
    "NaN in the subspace": (
        dict(subspace=np.nan * ONE),
        "subspace must be finite, got 2 NaN or infinite entries",
    ),
    "candidate outside": (
        dict(candidates=[[0.0, 1.0]]),
        "candidates must lie in the box, got one at 2 times its half side",
    ),
    "candidate off the subspace": (
        dict(subspace=ONE, candidates=[[0.1, 0.1]]),
        "candidates must be theta plus a vector of the subspace",
    ),
    "candidate near theta and off the subspace": (
        dict(subspace=ONE, candidates=[[1e-3, 1e-7]]),
        "candidates must be theta plus a vector of the subspace",
    ),
    "candidate of another length": (
        dict(candidates=[[0.1]]),
        r"each of candidates must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "a seed for a generator": (dict(rng=0), "rng must be a numpy.random.Generator"),
    "starts negative": (dict(starts=-1), "starts must be an integer of at least 0, got -1"),
}


@pytest.mark.parametrize("case", BAD_BOX)
def test_a_bad_box_is_refused_by_name(case):
    check_refusal(sm.keskar_sharpness, *BAD_BOX[case])
