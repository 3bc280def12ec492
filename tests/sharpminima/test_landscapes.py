"""Skip connections against networks written out by hand, planes against the loss itself, and what
is read off a grid.

Not seen here: whether a plane shows anything of the thousands of directions it leaves out.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm
from tests.sharpminima.support import EPS

WIDTHS = (5, 4, 4, 4, 4, 4, 3)  # a first layer, two blocks of two, an output layer


def problem(widths=WIDTHS, bias=False, criterion="cross_entropy", seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(9, widths[0])), rng.integers(widths[-1], size=9)
    if criterion == "squared_error":
        y = rng.normal(size=(9, widths[-1]))
    residual = sm.ResidualLoss(widths, x, y, criterion=criterion, bias=bias)
    return (
        residual,
        sm.NetworkLoss(widths, x, y, criterion=criterion, bias=bias),
        rng.normal(size=residual.size),
    )


def by_hand(params, row, skip):
    """One sample through the network with `skip` (1 or 0) times the shortcut, unit by unit, in
    Python's numbers.
    """

    def affine(h, layer):
        b = np.zeros(layer.weight.shape[1]) if layer.bias is None else layer.bias
        return [
            sum(h[i] * float(layer.weight[i, j]) for i in range(len(h))) + float(b[j])
            for j in range(len(b))
        ]

    def positive(z):
        return [max(v, 0.0) for v in z]

    n_blocks = (len(params) - 2) // 2
    h = positive(affine(row.tolist(), params[0]))
    for k in range(1, len(params) - 1, 2):
        branch = affine(positive(affine(h, params[k])), params[k + 1])
        h = positive(
            [skip * a + b / (n_blocks**0.5 if skip else 1) for a, b in zip(h, branch, strict=True)]
        )
    return affine(h, params[-1])


# Residual networks


@pytest.mark.claim("definition-residual")
@pytest.mark.parametrize("bias", [False, True])
def test_a_residual_network_is_the_one_written_out_by_hand(bias):
    residual, plain, theta = problem(bias=bias)
    for loss, skip in ((residual, 1), (plain, 0)):
        expected = [by_hand(loss.layers(theta), row, skip) for row in loss.x]
        np.testing.assert_allclose(
            loss.outputs(theta), expected, rtol=0, atol=100 * EPS * np.abs(expected).max()
        )


@pytest.mark.claim("no-local-minimum")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_gradients_go_through_the_skips(criterion):
    residual, _, theta = problem(bias=True, criterion=criterion)
    v = np.random.default_rng(1).normal(size=residual.size)
    central = (residual(theta + 1e-6 * v) - residual(theta - 1e-6 * v)) / 2e-6
    assert sm.gradient(residual, theta) @ v == pytest.approx(
        central, rel=1e-7
    )  # truncation 1e-12, rounding 1e-10 of a loss of order 1


def test_with_silent_branches_the_first_and_the_last_layer_remain():
    residual, plain, theta = problem()
    params = residual.layers(theta)
    silent = sm.ravel(
        [params[0], *(sm.Layer(0 * layer.weight) for layer in params[1:-1]), params[-1]]
    )
    shallow = sm.forward((params[0], params[-1]), residual.x)
    np.testing.assert_allclose(
        residual.outputs(silent), shallow, rtol=0, atol=4 * EPS * np.abs(shallow).max()
    )
    assert np.abs(plain.outputs(silent)).max() == 0


def test_a_residual_loss_keeps_the_protocol_of_losses():
    residual, _, theta = problem(bias=True)
    part = residual.on(residual.x[:4], residual.y[:4])
    assert isinstance(part, sm.ResidualLoss) and part.bias and part.criterion == "cross_entropy"
    np.testing.assert_allclose(part.outputs(theta), residual.outputs(theta)[:4], rtol=1e-14)
    np.testing.assert_array_equal(sm.ravel(residual.layers(theta)), theta)
    assert repr(residual) == "ResidualLoss(5-4-4-4-4-4-3, 9 samples, cross_entropy, bias=True)"
    assert str(residual.n_blocks) == "2"
    assert sm.jacobian(residual, theta).shape == (9, 3, residual.size)


def test_scaling_inside_a_block_keeps_the_function_and_across_blocks_does_not():
    residual, _, theta = problem()
    inside = sm.ravel(sm.alpha_scale(residual.layers(theta), (1, 4, 1 / 4, 1, 1, 1)))
    across = sm.ravel(sm.alpha_scale(residual.layers(theta), (1, 1, 4, 1 / 4, 1, 1)))
    np.testing.assert_array_equal(residual.outputs(inside), residual.outputs(theta))
    assert np.abs(residual.outputs(across) - residual.outputs(theta)).max() > 0.01


@pytest.mark.parametrize(
    "widths",
    [
        (5, 4, 3),
        (5, 4, 4, 3),
        (5, 4, 4, 4, 4, 3),
        (5, 4, 3, 4, 3),
        (5, 3, 4, 4, 3),
        (5, 4, 4, 3, 3),
    ],
)
def test_widths_without_blocks_are_refused(widths):
    with pytest.raises(ValueError, match=r"widths must have 2m \+ 2 layers .* got \(5"):
        sm.ResidualLoss(widths, np.ones((2, 5)), np.ones((2, 3)))


def test_kinks_of_a_residual_network_are_not_guessed():
    residual, _, theta = problem()
    with pytest.raises(
        ValueError, match="loss must be a NetworkLoss, .* plain rectified layers, got ResidualLoss"
    ):
        sm.kinks(residual, theta, tol=1e-6)


# Directions


@pytest.mark.claim("definition-filter")
@pytest.mark.parametrize("bias", [False, True])
def test_each_filter_of_a_direction_is_as_long_as_the_networks_own(bias):
    _, plain, theta = problem(bias=bias)
    direction = sm.filter_direction(plain.layers(theta), rng=np.random.default_rng(3))
    for own, drawn in zip(plain.layers(theta), plain.layers(direction), strict=True):
        for unit in range(own.weight.shape[1]):
            assert np.linalg.norm(drawn.weight[:, unit]) == pytest.approx(
                np.linalg.norm(own.weight[:, unit]), rel=1e-14
            )
        assert not bias or (drawn.bias == 0).all()


def test_directions_are_random_and_depend_on_nothing_but_their_rng():
    params = problem()[1].layers(problem()[2])
    one, same, other = (
        sm.filter_direction(params, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).min() > 0


@given(st.integers(0, 1000), st.integers(-8, 8))
def test_a_twin_has_twin_directions_and_the_same_plane(seed, power):
    _, plain, theta = problem()
    d = sm.alpha_diagonal(WIDTHS, (2.0**power, 1, 1, 1, 1, 2.0**-power))
    here, there = (
        sm.filter_direction(plain.layers(point), rng=np.random.default_rng(seed))
        for point in (theta, d * theta)
    )
    np.testing.assert_allclose(there, d * here, rtol=8 * EPS)
    assert plain(d * theta + there) == pytest.approx(plain(theta + here), rel=1e-12)


def test_a_node_wise_twin_has_other_planes():
    _, plain, theta = problem()
    d = sm.node_diagonal(WIDTHS, [np.array([8, 1, 1, 1 / 8])] + [np.ones(4)] * 4)
    here, there = (
        sm.filter_direction(plain.layers(point), rng=np.random.default_rng(0))
        for point in (theta, d * theta)
    )
    assert np.abs(there / (d * here) - 1).max() > 0.5  # the second layer's filters


# Planes


@pytest.mark.claim("fig-contours")
@pytest.mark.parametrize("kind", [0, 1])
def test_a_plane_is_the_loss_of_all_its_parameters_at_once(kind):
    """A second route: the whole grid as one stack of weight matrices, multiplied by einsum."""
    loss, theta = problem()[kind], problem()[2]
    first, second = np.random.default_rng(5).normal(size=(2, loss.size))
    steps = np.linspace(-1, 1, 5)
    stack = (
        theta
        + np.add.outer(steps, np.zeros(5))[..., None] * second
        + np.add.outer(np.zeros(5), steps)[..., None] * first
    )
    sizes = np.cumsum(loss.sizes)[:-1]
    weights = [
        w.reshape(25, a, b)
        for w, a, b in zip(
            np.split(stack.reshape(25, -1), sizes, axis=1), WIDTHS, WIDTHS[1:], strict=False
        )
    ]
    h = np.maximum(np.einsum("ni,gij->gnj", loss.x, weights[0]), 0)
    for into, back in zip(weights[1:-1:2], weights[2:-1:2], strict=True):
        branch = np.einsum("gni,gij->gnj", np.maximum(np.einsum("gni,gij->gnj", h, into), 0), back)
        h = np.maximum(branch if kind else h + branch / np.sqrt(2), 0)
    f = np.einsum("gni,gij->gnj", h, weights[-1])
    f = f - f.max(axis=2, keepdims=True)
    expected = (
        -((f - np.log(np.exp(f).sum(axis=2, keepdims=True))) * loss.y)
        .sum(axis=2)
        .mean(axis=1)
        .reshape(5, 5)
    )
    np.testing.assert_allclose(
        sm.landscape(loss, theta, first, second, steps), expected, rtol=1e-12, atol=1e-13
    )


def test_a_plane_takes_any_loss_and_has_its_first_direction_along_a_row():
    values = sm.landscape(
        lambda t: t[0] + 10 * t[1], [100.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0, 1, 2]
    )
    np.testing.assert_array_equal(values, [[100, 101, 102], [110, 111, 112], [120, 121, 122]])
    np.testing.assert_array_equal(sm.landscape(np.sum, [5.0], [1.0], [2.0], [1]), [[8]])


def test_a_plane_refuses_what_makes_none():
    with pytest.raises(
        ValueError, match=r"second must be a vector of shape \(2,\), got shape \(3,\)"
    ):
        sm.landscape(np.sum, [0.0, 0.0], [1.0, 0.0], [1.0, 0.0, 0.0], [0, 1])
    with pytest.raises(ValueError, match="loss on the plane must be finite"):
        sm.landscape(lambda t: np.inf if t[0] else 0.0, [0.0], [1.0], [1.0], [0, 1])
    with pytest.raises(ValueError, match="steps must be at least one, got none"):
        sm.landscape(np.sum, [0.0], [1.0], [1.0], [])


# What is read off a grid


T = np.arange(-3, 4.0)


@pytest.mark.claim("table-planes")
@pytest.mark.parametrize(
    "values, minima, share",
    [
        (np.add.outer(T**2, T**2), 1, 0),
        (-np.add.outer(T**2, T**2), 0, 1),
        (np.multiply.outer(T, T), 0, 1),  # a saddle that only the mixed difference sees
        (np.add.outer(T**2, T**2) - 1.9 * np.multiply.outer(T, T), 1, 0),
        (np.add.outer(T**2, T**2) - 2.1 * np.multiply.outer(T, T), 0, 1),
        (np.add.outer(T**2, 4 * T**2) - 4.1 * np.multiply.outer(T, T), 3, 1),
        (np.add.outer(T**2, T**2)[2:5], 1, 0),
        (
            np.add.outer(0 * T, np.abs(np.abs(T) - 1.5)),
            0,
            1 / 5,
        ),  # two valleys without a lowest point, one crest
        (np.add.outer(T**2, (np.abs(T) - 2) ** 2), 2, 1 / 5),
        (np.zeros((4, 6)), 0, 0),
    ],
)
def test_minima_and_convexity_of_known_surfaces(values, minima, share):
    assert sm.local_minima(values) == minima
    assert sm.nonconvex_share(values) == pytest.approx(share, abs=1e-15)


@given(st.integers(0, 10**6))
def test_minima_are_those_that_a_loop_finds(seed):
    values = np.random.default_rng(seed).integers(0, 4, (6, 7)).astype(float)
    found = 0
    for i in range(1, 5):
        for j in range(1, 6):
            ring = [
                values[a, b]
                for a in (i - 1, i, i + 1)
                for b in (j - 1, j, j + 1)
                if (a, b) != (i, j)
            ]
            found += values[i, j] < min(ring)
    assert sm.local_minima(values) == found


def test_a_grid_without_inner_points_is_refused():
    for summary in (sm.local_minima, sm.nonconvex_share):
        with pytest.raises(
            ValueError, match=r"values must have inner points, .* got shape \(2, 5\)"
        ):
            summary(np.ones((2, 5)))
