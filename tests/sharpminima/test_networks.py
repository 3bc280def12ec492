"""Networks and their losses against loops in exact rational arithmetic, formulas typed out by hand,
and SciPy.

The oracles share the library's conventions (rows are inputs, weight before bias, mean over
samples): an error in a convention itself shows only where an expected value is typed as a number.
Nothing here looks at derivatives beyond relu'(0), nor at networks large enough for speed or memory
to matter.
"""

import math
from fractions import Fraction

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima import Layer
from sharpminima.networks import leaky_relu, pre_activations, rectify
from tests.sharpminima.support import EPS

FINITE = st.floats(-1e100, 1e100, allow_subnormal=False)


def random_network(seed, *, bias):
    """Weights, biases and inputs in multiples of 1/8: small enough for every sum below to be exact
    in float64.
    """
    rng = np.random.default_rng(seed)
    widths = tuple(rng.integers(1, 5, size=rng.integers(2, 5)).tolist())
    eighths = lambda *shape: rng.integers(-16, 17, size=shape) / 8  # noqa: E731
    pairs = zip(widths[:-1], widths[1:], strict=True)
    params = tuple(Layer(eighths(a, b), eighths(b) if bias else None) for a, b in pairs)
    return widths, params, eighths(4, widths[0])


def rational_forward(params, row):
    """The outputs for one input, as fractions, by loops."""
    h = [Fraction(v) for v in row]
    for k, (weight, bias) in enumerate(params):
        z = [
            sum(h[i] * Fraction(weight[i, j]) for i in range(len(h)))
            for j in range(weight.shape[1])
        ]
        z = z if bias is None else [a + Fraction(b) for a, b in zip(z, bias, strict=True)]
        h = z if k == len(params) - 1 else [max(a, Fraction(0)) for a in z]
    return h


# The rectifier


@pytest.mark.claim("fig-primer")
@given(FINITE)
def test_relu_is_the_maximum_of_z_and_zero(z):
    assert sm.relu(np.array(z)) == max(z, 0.0)


@pytest.mark.claim("fig-homogeneous", "theorem-1", "definition-homogeneous")
@given(st.fractions(), st.fractions(min_value=0))
def test_relu_is_homogeneous_in_rational_arithmetic(z, alpha):
    assert rectify(alpha * z) == alpha * rectify(z)


def test_relu_has_derivative_zero_at_zero():
    slopes = autograd.elementwise_grad(sm.relu)(np.array([-2.0, -0.0, 0.0, 3.0]))
    np.testing.assert_array_equal(slopes, [0, 0, 0, 1])


def test_leaky_relu_has_the_slope_at_zero():
    slopes = autograd.elementwise_grad(lambda z: leaky_relu(z, 0.25))(np.array([-2.0, 0.0, 3.0]))
    np.testing.assert_array_equal(slopes, [0.25, 0.25, 1])


def test_the_square_of_relu_has_curvature_zero_at_zero():
    assert autograd.hessian(lambda z: anp.sum(sm.relu(z) ** 2))(np.zeros(1)) == 0


def test_nan_passes_through_relu():
    np.testing.assert_array_equal(sm.relu(np.array([np.nan, -1.0, 1.0])), [np.nan, 0, 1])


# Parameters


def test_init_params_has_shapes_and_zero_biases():
    params = sm.init_params((4, 3, 2), rng=np.random.default_rng(0), bias=True)
    assert [layer.weight.shape for layer in params] == [(4, 3), (3, 2)]
    np.testing.assert_array_equal(np.concatenate([layer.bias for layer in params]), np.zeros(5))
    assert [layer.bias for layer in sm.init_params((4, 3, 2), rng=np.random.default_rng(0))] == [
        None,
        None,
    ]


def test_init_params_draws_with_variance_two_over_fan_in():
    (weight, _), (second, _) = sm.init_params((50, 2000, 40), rng=np.random.default_rng(0))
    for sample, fan_in in ((weight, 50), (second, 2000)):
        five_sigma = 5 * math.sqrt(2 / sample.size)  # of the sample variance, relative to it
        assert sample.var() * fan_in / 2 == pytest.approx(1, rel=five_sigma)
        assert abs(sample.mean()) < 5 * math.sqrt(2 / fan_in / sample.size)


def test_init_params_is_reproducible_from_its_rng():
    first, again = (
        sm.ravel(sm.init_params((3, 2, 1), rng=np.random.default_rng(7))) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_a_flat_vector_holds_each_weight_row_by_row_and_then_its_bias():
    params = (
        Layer(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])),
        Layer(np.array([[7.0], [8.0]]), np.array([9.0])),
    )
    np.testing.assert_array_equal(sm.ravel(params), np.arange(1.0, 10.0))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_ravel_and_unravel_undo_each_other(seed, bias):
    widths, params, _ = random_network(seed, bias=bias)
    theta = sm.ravel(params)
    again = sm.unravel(theta, widths, bias=bias)
    np.testing.assert_array_equal(sm.ravel(again), theta)
    for ours, theirs in zip(again, params, strict=True):
        np.testing.assert_array_equal(ours.weight, theirs.weight)
        assert (ours.bias is None) == (theirs.bias is None) and (
            ours.bias is None or (ours.bias == theirs.bias).all()
        )


def test_ravel_does_not_depend_on_memory_layout():
    weight = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(sm.ravel([Layer(np.asfortranarray(weight))]), weight.ravel())


def test_ravel_returns_a_copy():
    weight = np.ones((2, 1))
    sm.ravel([Layer(weight)])[:] = 7
    np.testing.assert_array_equal(weight, 1)


def test_layer_sizes_count_parameters_and_not_units():
    assert sm.layer_sizes((64, 16, 1)) == (1024, 16)
    assert sm.layer_sizes((64, 16, 1), bias=True) == (1040, 17)


# Outputs


@pytest.mark.claim("definition-rectified")
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_forward_is_exact_where_arithmetic_is(seed, bias):
    _, params, x = random_network(seed, bias=bias)
    outputs = sm.forward(params, x)
    assert [[Fraction(v) for v in row] for row in outputs] == [
        rational_forward(params, row) for row in x
    ]


def test_the_output_layer_is_linear():
    assert sm.forward((Layer(np.array([[2.0]]), np.array([-5.0])),), [[1.0]]) == -3.0


def test_another_activation_takes_the_place_of_relu():
    _, params, x = random_network(3, bias=False)
    expected = np.linalg.multi_dot([x, *(layer.weight for layer in params)])
    np.testing.assert_array_equal(sm.forward(params, x, activation=lambda z: z), expected)


def test_lists_and_integers_are_numbers_too():
    assert sm.forward([([[1], [2]], [3])], [[1, 1]]) == 6.0


# Losses


def test_squared_error_is_half_the_mean_squared_distance():
    x, y = (
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]),
    )
    W = np.array([[1.0, -1.0], [0.5, 2.0]])
    total = Fraction(0)
    for i in range(3):
        for c in range(2):
            f = sum(Fraction(x[i, k]) * Fraction(W[k, c]) for k in range(2))
            total += (f - Fraction(y[i, c])) ** 2
    assert sm.NetworkLoss((2, 2), x, y)(W.ravel()) == pytest.approx(float(total / 6), rel=4 * EPS)


def test_scalar_targets_come_as_a_vector_or_as_a_column():
    x, y = [[1.0], [2.0]], np.array([1.0, 2.0])
    assert (
        sm.NetworkLoss((1, 1), x, y)([3.0]) == sm.NetworkLoss((1, 1), x, y[:, None])([3.0]) == 5.0
    )


@pytest.mark.parametrize("small", ["soft labels", "labels"], indirect=True)
def test_cross_entropy_is_the_mean_negative_log_probability(small):
    loss, theta = small
    f = loss.outputs(theta)
    by_hand = 0.0
    for i in range(len(f)):
        p = [math.exp(v) for v in f[i]]
        by_hand -= sum(q * math.log(a / sum(p)) for q, a in zip(loss.y[i], p, strict=True)) / len(f)
    by_scipy = -(loss.y * scipy.special.log_softmax(f, axis=1)).sum() / len(f)
    # Both routes add 7 x 3 terms and cancel nothing: log-probabilities have one sign.
    assert (
        loss(theta)
        == pytest.approx(by_hand, rel=100 * EPS)
        == pytest.approx(by_scipy, rel=100 * EPS)
    )


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_number_of_classes():
    loss = sm.NetworkLoss((2, 5), np.ones((3, 2)), [0, 4, 2], criterion="cross_entropy")
    assert loss(np.zeros(10)) == pytest.approx(math.log(5), rel=2 * EPS)


def test_cross_entropy_does_not_overflow():
    loss = sm.NetworkLoss((1, 2), [[1.0]], [0], criterion="cross_entropy")
    assert loss([1e5, -1e5]) == 0.0 and loss([-1e5, 1e5]) == 2e5


def test_labels_are_rows_of_probabilities_with_a_single_one():
    x, theta = np.random.default_rng(0).normal(size=(3, 2)), np.arange(6.0)
    labels, rows = (
        sm.NetworkLoss((2, 3), x, y, criterion="cross_entropy")
        for y in ([2, 0, 1], np.eye(3)[[2, 0, 1]])
    )
    assert labels(theta) == rows(theta)


def test_a_loss_knows_its_layers_and_outputs(small):
    loss, theta = small
    params = sm.unravel(theta, loss.widths, bias=loss.bias)
    np.testing.assert_array_equal(loss.outputs(theta), sm.forward(params, loss.x))
    np.testing.assert_array_equal(sm.ravel(loss.layers(theta)), theta)
    assert loss.sizes == sm.layer_sizes(loss.widths, bias=loss.bias) and loss.size == len(
        theta
    ) == sum(loss.sizes)
    assert loss.criterion_value(loss.outputs(theta)) == loss(theta)


def test_a_loss_is_a_float_and_leaves_theta_alone(small):
    loss, theta = small
    before = theta.copy()
    assert type(loss(theta)) is float
    np.testing.assert_array_equal(theta, before)


def test_a_loss_is_the_mean_of_its_samples_losses(small):
    loss, theta = small
    each = [loss.on(loss.x[i : i + 1], loss.y[i : i + 1])(theta) for i in range(len(loss.x))]
    assert loss(theta) == pytest.approx(math.fsum(each) / len(each), rel=100 * EPS)


@pytest.mark.parametrize(
    "criterion, y", [("squared_error", [1.0, 2.0]), ("cross_entropy", [[0.25, 0.75], [1.0, 0.0]])]
)
def test_a_loss_keeps_its_data_when_the_caller_changes_his(criterion, y):
    x, y = np.array([[1.0], [2.0]]), np.array(y)
    loss = sm.NetworkLoss((1, 2 if y.ndim == 2 else 1), x, y, criterion=criterion)
    theta = np.arange(1.0, 1.0 + loss.size)
    before = loss(theta)
    x *= 10
    y *= 10
    assert loss(theta) == before


def test_a_loss_shows_what_it_is():
    loss = sm.NetworkLoss((2, 3, 1), np.ones((4, 2)), np.ones(4), bias=True)
    assert repr(loss) == "NetworkLoss(2-3-1, 4 samples, squared_error, bias=True)"


# Kinks

BLANK, UP = [0.0, 0.0], [1.0, 1.0]


def kinked(widths, x, parts, *, bias=False):
    """A loss, its point and what `kinks` says there. `parts` are the weights and biases in
    order.
    """
    loss = sm.NetworkLoss(widths, x, np.ones((len(x), widths[-1])), bias=bias)
    theta = np.concatenate([np.ravel(part).astype(float) for part in parts])
    return loss, theta, sm.kinks(loss, theta, tol=1e-9)


KINK_CASES = {
    "a unit exactly at zero": ((2, 2, 1), [UP], [[[1, 1], [-1, 1]], [1, 1]], False, [(1, 0, 0)]),
    "a blank image": ((2, 2, 1), [BLANK, UP], [np.ones((2, 2)), [1, 1]], False, []),
    "a blank image and zero biases": (
        (2, 2, 1),
        [BLANK],
        [np.ones((2, 2)), [0, 0], [1, 1], [0]],
        True,
        [(1, 0, 0), (1, 1, 0)],
    ),
    "a blank image and biases": (
        (2, 2, 1),
        [BLANK],
        [np.ones((2, 2)), [1, -1], [1, 1], [0]],
        True,
        [],
    ),
    "a dead unit upstream": ((2, 1, 1, 1), [UP], [[-1, -1], [1], [1]], False, []),
    "a dead unit upstream and a zero bias": (
        (2, 1, 1, 1),
        [UP],
        [[-1, -1], [0], [1], [0], [1], [0]],
        True,
        [(2, 0, 0)],
    ),
    "a unit at zero upstream": (
        (2, 1, 1, 1),
        [UP],
        [[1, -1], [1], [1]],
        False,
        [(1, 0, 0), (2, 0, 0)],
    ),
    "a blank image through three layers": (
        (2, 2, 2, 1),
        [BLANK],
        [np.ones((2, 2)), np.ones((2, 2)), [1, 1]],
        False,
        [],
    ),
    "zero weights": ((2, 1, 1), [UP], [[0, 0], [1]], False, [(1, 0, 0)]),
    "one of two units dead": (
        (2, 2, 1, 1),
        [UP],
        [[[1, -1], [1, -1]], [0, 1], [1]],
        False,
        [(2, 0, 0)],
    ),
    "no hidden layer": ((2, 1), [UP], [[1, -1]], False, []),
}


@pytest.mark.parametrize("case", KINK_CASES)
def test_kinks_lists(case):
    widths, x, parts, bias, expected = KINK_CASES[case]
    _, _, report = kinked(widths, x, parts, bias=bias)
    assert [tuple(row) for row in report.where] == expected and bool(report) == bool(expected)


@pytest.mark.claim("fig-tie")
@pytest.mark.parametrize("case", KINK_CASES)
def test_kinks_are_the_zeros_that_a_small_step_can_move(case):
    widths, x, parts, bias, _ = KINK_CASES[case]
    loss, theta, report = kinked(widths, x, parts, bias=bias)
    rng = np.random.default_rng(0)
    here = pre_activations(loss.layers(theta), loss.x)[:-1]
    steps = [
        pre_activations(loss.layers(theta + 1e-6 * rng.normal(size=loss.size)), loss.x)[:-1]
        for _ in range(40)
    ]
    moved = [
        (k + 1, unit, sample)
        for k, z in enumerate(here)
        for sample, unit in zip(*np.nonzero(z == 0), strict=True)
        if any(step[k][sample, unit] != 0 for step in steps)
    ]
    assert sorted(tuple(row) for row in report.where) == sorted(moved)


def test_the_tolerance_of_kinks_is_a_distance_of_the_pre_activation():
    loss = sm.NetworkLoss((1, 2, 1), [[2.0]], [1.0])
    theta = [0.25, -0.5, 1.0, 1.0]
    near, nearer = sm.kinks(loss, theta, tol=0.5), sm.kinks(loss, theta, tol=0.49)
    assert near and not nearer and near.margin == nearer.margin == 0.5
    np.testing.assert_array_equal(near.where, [[1, 0, 0]])


def test_the_margin_ignores_what_stays_zero_and_is_infinite_without_hidden_units():
    assert kinked((2, 2, 1), [BLANK], [np.ones((2, 2)), [1, 1]])[2].margin == np.inf
    assert kinked((2, 1), [UP], [[1, -1]])[2].margin == np.inf


# Networks of one sample whose hidden pre-activations overflow. In the first the terms are 1e400 and
# -1e400: their sum is NaN by plain products and sums, infinite with fused multiply-add.
OVERFLOWS = {
    "terms that cancel": ((1, 2, 1, 1), 1.0, [1e200, 1e200, 1e200, -1e200, 1.0], False),
    "one product": ((1, 1, 1, 1), 1.0, [1e200, 1e200, 1.0], False),
    "products of either sign": ((1, 2, 1, 1), 1e200, [1e200, 1e200, 1.0, -1.0, 1.0], False),
    "infinite, then off": ((1, 1, 1, 1), 1.0, [1e200, -1e200, 1.0], False),
    "finite terms with an infinite sum": ((1, 2, 1, 1), 1.0, [1e308, 1e308, 1.0, 1.0, 1.0], False),
    "finite terms that cancel": ((1, 2, 1, 1), 1.0, [1e308, 1e308, 1.0, -1.0, 1.0], False),
    "a bias": ((1, 1, 1), 1.0, [1e308, 1e308, 1.0, 0.0], True),
    "a bias that cancels": ((1, 1, 1), 1.0, [1e308, -1e308, 1.0, 0.0], True),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", OVERFLOWS)
def test_an_overflow_leaves_the_margin_unknown(case):
    widths, x, theta, bias = OVERFLOWS[case]
    loss = sm.NetworkLoss(widths, [[x]], [1.0], bias=bias)
    report = sm.kinks(loss, theta, tol=1e-9)
    assert np.isnan(report.margin) and report
    assert str(report).startswith("pre-activations that overflow")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "widths, theta, margin",
    [
        ((1, 2, 1, 1), [8e307, 8e307, 1.0, -1.0, 1.0], 0.0),
        ((1, 2, 1, 1), [8e307, 8e307, 1.0, 1.0, 1.0], 8e307),
        ((1, 1, 1), [1e200, 1e200], 1e200),  # only the output overflows, which has no kink
    ],
)
def test_large_numbers_that_do_not_overflow_leave_the_margin_known(widths, theta, margin):
    report = sm.kinks(sm.NetworkLoss(widths, [[1.0]], [1.0]), theta, tol=1e-9)
    assert report.margin == margin and bool(report) == (margin == 0)


def test_kinks_before_an_overflow_are_still_listed():
    loss = sm.NetworkLoss((1, 2, 1, 1), [[1.0]], [1.0])
    report = sm.kinks(loss, [0.0, 1e200, 1.0, 1e200, 1.0], tol=1e-9)
    assert np.isnan(report.margin) and report.where.tolist() == [[1, 0, 0]]


def test_kinks_say_what_they_found():
    report = kinked((2, 2, 1), [UP], [[[1, 1], [-1, 1]], [1, 1]])[2]
    assert (
        str(report)
        == "1 pre-activations within 1e-09 of zero, the first in layer 1, unit 0, at sample 0"
    )
    several = kinked((1, 2, 1), [[2.0], [0.0]], [[1, -1], [0, 0], [1, 1], [0]], bias=True)[2]
    assert several.where.tolist() == [[1, 0, 1], [1, 1, 1]]
    assert str(several).endswith("the first in layer 1, unit 0, at sample 1")
    assert (
        str(kinked((1, 1, 1), [[1.0]], [[2], [1]])[2])
        == "no pre-activation within 1e-09 of zero (margin 2)"
    )


# Bad input

RNG = np.random.default_rng(0)
ONES = np.ones((2, 2))
LOSS = sm.NetworkLoss((2, 1), ONES, np.ones(2))


def classes(y):
    return sm.NetworkLoss((2, 3), ONES, y, criterion="cross_entropy")


BAD = {
    "widths too few": (
        lambda: sm.init_params((3,), rng=RNG),
        r"widths must name at least an input and an output width, got \(3,\)",
    ),
    "widths no list": (lambda: sm.layer_sizes(3), r"widths must name at least .*, got \(3,\)"),
    "widths zero": (
        lambda: sm.layer_sizes((3, 0)),
        "each of widths must be an integer of at least 1, got 0",
    ),
    "widths float": (
        lambda: sm.layer_sizes((3, 2.0)),
        r"each of widths must be an integer of at least 1, got 2\.0",
    ),
    "widths bool": (
        lambda: sm.layer_sizes((3, True)),
        "each of widths must be an integer of at least 1, got True",
    ),
    "rng": (
        lambda: sm.init_params((3, 1), rng=0),
        "rng must be a numpy.random.Generator, .* got int",
    ),
    "no layers": (lambda: sm.forward((), ONES), "params must hold at least one layer, got none"),
    "weight no matrix": (
        lambda: sm.ravel([Layer(np.ones(2))]),
        r"the weight of layer 1 must be a matrix of shape .*, got shape \(2,\)",
    ),
    "weights that don't fit": (
        lambda: sm.forward([Layer(np.ones((2, 3))), Layer(np.ones((2, 1)))], ONES),
        r"the weight of layer 2 must be a matrix of shape \(3, any\), got shape \(2, 1\)",
    ),
    "bias that doesn't fit": (
        lambda: sm.ravel([Layer(np.ones((2, 3)), np.ones(2))]),
        r"the bias of layer 1 must be a vector of shape \(3,\), got shape \(2,\)",
    ),
    "weight float32": (
        lambda: sm.forward([Layer(np.ones((2, 1), "f4"))], ONES),
        "the weight of layer 1 must be .* float64 .* float32",
    ),
    "weight NaN": (
        lambda: sm.ravel([Layer(np.full((2, 1), np.nan))]),
        "the weight of layer 1 must be finite, got 2 NaN",
    ),
    "x of the wrong width": (
        lambda: sm.forward([Layer(np.ones((3, 1)))], ONES),
        r"x must be .* of shape \(any, 3\), got shape \(2, 2\)",
    ),
    "x a single row": (
        lambda: sm.forward([Layer(ONES)], np.ones(2)),
        r"x must be .* of shape \(any, 2\), got shape \(2,\)",
    ),
    "x NaN": (
        lambda: sm.NetworkLoss((1, 1), [[np.nan]], [1.0]),
        "x must be finite, got 1 NaN or infinite entries",
    ),
    "x infinite": (
        lambda: sm.NetworkLoss((1, 1), [[np.inf]], [1.0]),
        "x must be finite, got 1 NaN or infinite entries",
    ),
    "x float32": (
        lambda: sm.NetworkLoss((1, 1), np.ones((1, 1), "f4"), [1.0]),
        "x must be .* of float64 numbers, got dtype float32",
    ),
    "x complex": (
        lambda: sm.NetworkLoss((1, 1), [[1j]], [1.0]),
        "x must be .* of float64 numbers, got dtype complex128",
    ),
    "x objects": (
        lambda: sm.NetworkLoss((1, 1), [[None]], [1.0]),
        "x must be .* of float64 numbers, got dtype object",
    ),
    "x ragged": (
        lambda: sm.NetworkLoss((1, 1), [[1.0], [1.0, 2.0]], [1.0]),
        "x must be .*, got rows of unequal lengths",
    ),
    "x integers that no float holds": (
        lambda: sm.NetworkLoss((1, 1), [[2**53 + 1]], [1.0]),
        r"x must be .* of float64 numbers, got integers beyond 2\*\*53",
    ),
    "x an integer below all that floats hold": (
        lambda: sm.NetworkLoss((1, 1), [[-(2**53) - 1]], [1.0]),
        r"x must be .* of float64 numbers, got integers beyond 2\*\*53",
    ),
    "x empty": (
        lambda: sm.NetworkLoss((2, 1), np.ones((0, 2)), []),
        "x must hold at least one sample, got none",
    ),
    "criterion": (
        lambda: sm.NetworkLoss((1, 1), [[1.0]], [1.0], criterion="hinge"),
        "criterion must be one of squared_error, cross_entropy, binary_cross_entropy, got 'hinge'",
    ),
    "y too short": (
        lambda: sm.NetworkLoss((2, 1), ONES, [1.0]),
        r"y must be .* of shape \(2,\), got shape \(1,\)",
    ),
    "y a row": (
        lambda: sm.NetworkLoss((2, 1), ONES, [[1.0, 1.0]]),
        r"y must be .* of shape \(2, 1\), got shape \(1, 2\)",
    ),
    "y flat for two outputs": (
        lambda: sm.NetworkLoss((2, 2), ONES, [1.0, 1.0]),
        r"y must be .* of shape \(2, 2\), got shape \(2,\)",
    ),
    "y NaN": (
        lambda: sm.NetworkLoss((2, 1), ONES, [1.0, np.nan]),
        "y must be finite, got 1 NaN or infinite entries",
    ),
    "y bool": (
        lambda: sm.NetworkLoss((2, 1), ONES, [True, False]),
        "y must be .* of float64 numbers, got dtype bool",
    ),
    "labels too large": (lambda: classes([0, 3]), "y must hold labels from 0 to 2, got 0 to 3$"),
    "labels negative": (lambda: classes([-1, 0]), "y must hold labels from 0 to 2, got -1 to 0"),
    "labels float": (
        lambda: classes([0.0, 1.0]),
        r"y must be 2 integer labels or rows of probabilities, got shape \(2,\), dtype float64",
    ),
    "labels too few": (lambda: classes([0]), r"y must be 2 integer labels .*, got shape \(1,\)"),
    "labels a column": (
        lambda: classes([[0], [1]]),
        r"y must be rows of probabilities of shape \(2, 3\), got shape \(2, 1\)",
    ),
    "probabilities of sum 2": (
        lambda: classes(np.ones((2, 3))),
        "y must have rows of probabilities",
    ),
    "probabilities a millionth off": (
        lambda: classes([[0.5, 0.25, 0.25 + 5e-7]] * 2),
        "y must have rows of probabilities, .* sum 1 to 1e-12",
    ),
    "probabilities negative": (
        lambda: classes([[1.5, -0.5, 0.0]] * 2),
        "y must have rows of probabilities, none negative",
    ),
    "theta too short": (
        lambda: LOSS([1.0]),
        r"theta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "theta a column": (
        lambda: LOSS(ONES[:, :1]),
        r"theta must be a vector of shape \(2,\), got shape \(2, 1\)",
    ),
    "theta float32": (
        lambda: LOSS(np.ones(2, "f4")),
        "theta must be a vector of float64 numbers, got dtype float32",
    ),
    "theta NaN": (
        lambda: LOSS([1.0, np.nan]),
        "theta must be finite, got 1 NaN or infinite entries",
    ),
    "theta for unravel": (
        lambda: sm.unravel(np.ones(3), (2, 1)),
        r"theta must be a vector of shape \(2,\), got shape \(3,\)",
    ),
    "outputs that would broadcast": (
        lambda: LOSS.criterion_value(np.ones(2)),
        r"outputs must have the shape .*\(2, 1\), got \(2,\)",
    ),
    "tol zero": (lambda: sm.kinks(LOSS, [1.0, 1.0], tol=0.0), r"tol must be positive, got 0\.0"),
    "tol NaN": (lambda: sm.kinks(LOSS, [1.0, 1.0], tol=np.nan), "tol must be finite, got nan"),
    "theta for kinks": (
        lambda: sm.kinks(LOSS, [1.0], tol=1.0),
        r"theta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_what_is_just_good_enough_is_taken():
    """The last integer that float64 counts to, and probabilities that are off by rounding."""
    assert sm.NetworkLoss((1, 1), [[2**53]], [-(2**53)]).x == 2.0**53
    assert classes([[0.5, 0.25, 0.25 + 5e-13]] * 2).y[0, 2] == 0.25 + 5e-13


@pytest.mark.claim("depth-can-do")
def test_layers_that_pass_on_what_they_get_change_nothing_but_before_the_first():
    """A rectifier passes on numbers that are not negative; inputs may be negative."""
    rng = np.random.default_rng(3)
    first, second = Layer(rng.normal(size=(3, 4))), Layer(rng.normal(size=(4, 2)))
    x = rng.normal(size=(7, 3))
    shallow = sm.forward((first, second), x)
    deep = (first, *[Layer(np.eye(4))] * 5, second)
    np.testing.assert_array_equal(sm.forward(deep, x), shallow)
    assert not np.allclose(sm.forward((Layer(np.eye(3)), first, second), x), shallow)
