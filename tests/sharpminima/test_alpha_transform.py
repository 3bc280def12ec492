"""The identities of T_alpha and of node scaling, entry by entry, on networks and factors that
hypothesis chooses.

With powers of two nothing is rounded, so those checks ask for equality to the last bit; they cannot
see an error that a rounding would cause. Factors stay between 2**-60 and 2**60: overflow and
underflow are not looked at, except where a test says so. That the rules hold at minima in
particular, and what follows from them, is in test_hessians.py.
"""

import math
from fractions import Fraction
from itertools import accumulate
from operator import mul

import autograd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import sharpminima as sm
from sharpminima import Layer
from tests.sharpminima.support import EPS, TINY

HUGE = np.finfo(float).max


@st.composite
def networks(draw, factors, *, layers=4):
    """(widths, bias, seed, alphas) of a network of 2 to `layers` layers; `factors` draws all alphas
    but the last.
    """
    widths = tuple(draw(st.lists(st.integers(1, 4), min_size=3, max_size=layers + 1)))
    alphas = [draw(factors) for _ in widths[2:]]
    return (
        widths,
        draw(st.booleans()),
        draw(st.integers(0, 2**32 - 1)),
        (*alphas, 1 / math.prod(alphas)),
    )


powers_of_two = st.integers(-20, 20).map(lambda k: 2.0**k)
any_factors = st.floats(1e-3, 1e3)


def random_params(widths, bias, seed):
    rng = np.random.default_rng(seed)
    return tuple(
        Layer(rng.normal(size=(a, b)), rng.normal(size=b) if bias else None)
        for a, b in zip(widths[:-1], widths[1:], strict=True)
    )


def as_map(function, widths, bias):
    """`function` of parameters as a map of flat vectors, which autograd can differentiate."""
    return lambda theta: sm.ravel(function(sm.unravel(theta, widths, bias=bias)))


def loss_and_theta(widths, bias, seed):
    rng = np.random.default_rng(seed)
    loss = sm.NetworkLoss(
        widths, rng.normal(size=(5, widths[0])), rng.normal(size=(5, widths[-1])), bias=bias
    )
    return loss, rng.normal(size=loss.size)


# What it is


def test_two_layers_are_definition_5():
    theta1, theta2 = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    hidden, output = sm.alpha_scale((Layer(theta1), Layer(theta2)), (8, 1 / 8))
    np.testing.assert_array_equal(hidden.weight, 8 * theta1)
    np.testing.assert_array_equal(output.weight, theta2 / 8)


def test_biases_follow_appendix_b():
    ones = tuple(Layer(np.ones((1, 1)), np.ones(1)) for _ in range(4))
    scaled = sm.alpha_scale(ones, (2, 8, 1 / 4, 1 / 4))
    assert [layer.weight.item() for layer in scaled] == [2, 8, 1 / 4, 1 / 4]
    assert [layer.bias.item() for layer in scaled] == [2, 16, 4, 1]


def test_the_output_bias_stays_the_same_where_rounding_makes_the_product_less_than_one():
    alphas = (49, 1 / 49)
    assert math.prod(alphas) != 1
    params = random_params((2, 3, 1), True, 0)
    assert sm.alpha_scale(params, alphas)[-1].bias == params[-1].bias
    assert sm.alpha_diagonal((2, 3, 1), alphas, bias=True)[-1] == 1


@given(networks(powers_of_two))
def test_every_weight_is_multiplied_exactly_and_the_output_bias_never(drawn):
    widths, bias, seed, alphas = drawn
    params = random_params(widths, bias, seed)
    reaches = [*accumulate(map(Fraction, alphas), mul)]
    assert reaches[-1] == 1
    for before, after, alpha, reach in zip(
        params, sm.alpha_scale(params, alphas), alphas, reaches, strict=True
    ):
        assert [Fraction(v) * Fraction(alpha) for v in before.weight.flat] == [
            Fraction(v) for v in after.weight.flat
        ]
        if bias:
            assert [Fraction(v) * reach for v in before.bias] == [Fraction(v) for v in after.bias]


# What it leaves alone


@pytest.mark.claim("fig-level-curves", "proposition-equivalence")
@given(networks(powers_of_two))
def test_outputs_stay_equal_bit_for_bit_under_powers_of_two(drawn):
    widths, bias, seed, alphas = drawn
    params, x = (
        random_params(widths, bias, seed),
        np.random.default_rng(seed).normal(size=(5, widths[0])),
    )
    np.testing.assert_array_equal(
        sm.forward(sm.alpha_scale(params, alphas), x), sm.forward(params, x)
    )


@pytest.mark.claim("definition-equivalence")
@given(networks(any_factors))
def test_outputs_stay_equal_up_to_rounding_under_any_factors(drawn):
    widths, bias, seed, alphas = drawn
    params, x = (
        random_params(widths, bias, seed),
        np.random.default_rng(seed).normal(size=(5, widths[0])),
    )
    # The network of the absolute values bounds every sum of absolute terms, and with it the
    # rounding: per layer at most 5 roundings of a dot product on each side, 5 of its factors.
    size = sm.forward(
        tuple(Layer(abs(w), None if b is None else abs(b)) for w, b in params), abs(x)
    )
    difference = sm.forward(sm.alpha_scale(params, alphas), x) - sm.forward(params, x)
    assert (abs(difference) <= 15 * len(params) * EPS * size).all()


@pytest.mark.claim("same-function", "proposition-equivalence")
@pytest.mark.parametrize("exponent", [10, -30, 500])
def test_outputs_of_the_running_examples_architecture_stay_equal_bit_for_bit(exponent):
    params = sm.init_params((64, 16, 1), rng=np.random.default_rng(0))
    x = sm.digits().x_train
    np.testing.assert_array_equal(
        sm.forward(sm.alpha_scale(params, (2.0**exponent, 2.0**-exponent)), x),
        sm.forward(params, x),
    )


@pytest.mark.claim("fig-signs")
def test_a_negative_factor_changes_the_function_and_is_refused():
    hidden, output = Layer(np.array([[1.0, -1.0]])), Layer(np.array([[2.0], [3.0]]))
    flipped = (Layer(-hidden.weight), Layer(-output.weight))
    assert sm.forward((hidden, output), [[1.0]]) == 2 and sm.forward(flipped, [[1.0]]) == -3
    with pytest.raises(ValueError, match="alphas must be positive"):
        sm.alpha_scale((hidden, output), (-1, -1))


@pytest.mark.claim("negative-factors")
@pytest.mark.parametrize(
    ("phi", "expected"),
    [
        (sm.relu, lambda linear, f: linear - f),
        (np.array, lambda linear, f: f),
        (np.abs, lambda linear, f: -f),
    ],
)
def test_a_negative_factor_is_another_thing_for_each_activation(phi, expected):
    rng = np.random.default_rng(4)
    x, first, second = (rng.normal(size=shape) for shape in ((9, 3), (3, 7), (7, 2)))
    turned = phi(x @ first * -8) @ second / -8
    linear, f = x @ first @ second, phi(x @ first) @ second
    np.testing.assert_allclose(turned, expected(linear, f), atol=1e-13)


@pytest.mark.claim("fig-level-curves")
@pytest.mark.parametrize(("target", "height"), [(2.0, 0.02), (0.5, 0.001)])
def test_the_valley_of_the_smallest_network_is_widest_at_the_balanced_twin(target, height):
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [target])

    def measure_width(alpha):
        theta = np.sqrt(target) * np.array([alpha, 1 / alpha])
        normal = theta[::-1] / np.linalg.norm(theta)
        ends = [
            brentq(lambda t: loss(theta + t * normal) - height, *bracket)
            for bracket in ((-0.25, 0), (0, 0.25))
        ]
        return ends[1] - ends[0]

    widths = [measure_width(alpha) for alpha in (1, 1.5, 2, 4)]
    assert (np.diff(widths) < 0).all()
    assert measure_width(1 / 2) == pytest.approx(widths[2], rel=1e-9)


@pytest.mark.claim("fig-twins")
def test_scaled_units_say_other_numbers_and_the_network_the_same():
    into, out = Layer(np.array([[8.0, 2.0, 1.0]])), Layer(np.array([[1.0], [3.0], [-5.0]]))
    for factors in ([1 / 2, 1 / 2, 1 / 2], [4, 1 / 8, 2]):
        first, second = sm.node_scale((into, out), [factors])
        np.testing.assert_array_equal(sm.relu(first.weight), np.array(factors) * [[8, 2, 1]])
        np.testing.assert_array_equal(sm.forward((first, second), [[1.0]]), 8 + 6 - 5)


@pytest.mark.claim("fig-flow")
@pytest.mark.parametrize("start", [(2.5, 0.5), (0.3, 1.1), (-1.5, 0.7)])
def test_gradient_flow_ends_on_its_hyperbola_or_does_not_move(start):
    """With the target 2; a unit that is off stays where it is."""
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [2.0])

    def descend(_, theta):
        return -sm.gradient(loss, theta)

    end = solve_ivp(descend, (0, 20), start, rtol=1e-10, atol=1e-12).y[:, -1]
    assert end[0] ** 2 - end[1] ** 2 == pytest.approx(start[0] ** 2 - start[1] ** 2, abs=1e-7)
    if start[0] > 0:
        assert end.prod() == pytest.approx(2, abs=1e-7)
    else:
        np.testing.assert_array_equal(end, start)


# A group


@pytest.mark.claim("group-law")
@given(networks(powers_of_two), st.data())
def test_two_transformations_are_one_with_the_products(drawn, data):
    widths, bias, seed, alphas = drawn
    others = [data.draw(powers_of_two) for _ in alphas[1:]]
    others = (*others, 1 / math.prod(others))
    params = random_params(widths, bias, seed)
    twice = sm.alpha_scale(sm.alpha_scale(params, alphas), others)
    once = sm.alpha_scale(params, np.multiply(alphas, others))
    np.testing.assert_array_equal(sm.ravel(twice), sm.ravel(once))


@pytest.mark.claim("proposition-balancing")
def test_weight_decay_shrinks_the_imbalance_of_each_unit_alike():
    """Its derivative along the flow is −2c times itself, at a random point with residuals."""
    rng = np.random.default_rng(6)
    loss = sm.NetworkLoss((3, 4, 2), rng.normal(size=(8, 3)), rng.normal(size=(8, 2)), bias=True)
    theta = rng.normal(size=loss.size)
    c = 0.3
    flow = -sm.gradient(lambda t: loss(t) + c / 2 * (t @ t), theta)
    rates = loss.layers(2 * theta * flow)
    squares = loss.layers(theta**2)

    def imbalances(parts):
        return parts[0].weight.sum(axis=0) + parts[0].bias - parts[1].weight.sum(axis=1)

    np.testing.assert_allclose(imbalances(rates), -2 * c * imbalances(squares), atol=1e-12)


@pytest.mark.claim("group-law")
@given(networks(any_factors))
def test_the_reciprocals_undo_it(drawn):
    widths, bias, seed, alphas = drawn
    params = random_params(widths, bias, seed)
    back = sm.alpha_scale(sm.alpha_scale(params, alphas), 1 / np.array(alphas))
    # Up to K factors are multiplied up on either side, each with one rounding, and their
    # reciprocals have one more.
    np.testing.assert_allclose(sm.ravel(back), sm.ravel(params), rtol=4 * len(params) * EPS)


def test_ones_are_the_identity_on_fresh_arrays():
    params = random_params((2, 3, 1), True, 0)
    same = sm.alpha_scale(params, (1, 1))
    np.testing.assert_array_equal(sm.ravel(same), sm.ravel(params))
    for ours, theirs in zip(same, params, strict=True):
        assert not np.shares_memory(ours.weight, theirs.weight) and not np.shares_memory(
            ours.bias, theirs.bias
        )


def test_a_single_layer_has_only_the_identity():
    params = random_params((2, 3), True, 0)
    np.testing.assert_array_equal(sm.ravel(sm.alpha_scale(params, (1,))), sm.ravel(params))
    np.testing.assert_array_equal(sm.alpha_diagonal((2, 3), (1,), bias=True), np.ones(9))
    assert sm.alpha_log_determinant((2, 3), (1,), bias=True) == 0


@pytest.mark.parametrize(
    "scale",
    [lambda p: sm.alpha_scale(p, (2, 1 / 2)), lambda p: sm.node_scale(p, [[2.0, 3.0, 4.0]])],
)
def test_arguments_are_left_alone(scale):
    params = random_params((2, 3, 1), True, 0)
    before = sm.ravel(params)
    scale(params)
    np.testing.assert_array_equal(sm.ravel(params), before)


# The same as a linear map of the flat vector


@pytest.mark.claim("definition-alpha")
@given(networks(any_factors))
def test_the_diagonal_multiplies_theta_entry_by_entry(drawn):
    widths, bias, seed, alphas = drawn
    params = random_params(widths, bias, seed)
    d = sm.alpha_diagonal(widths, alphas, bias=bias)
    np.testing.assert_array_equal(d * sm.ravel(params), sm.ravel(sm.alpha_scale(params, alphas)))


@settings(max_examples=20)
@given(networks(any_factors))
def test_the_diagonal_is_the_derivative_that_autograd_finds(drawn):
    widths, bias, seed, alphas = drawn
    theta = sm.ravel(random_params(widths, bias, seed))
    D = autograd.jacobian(as_map(lambda params: sm.alpha_scale(params, alphas), widths, bias))(
        theta
    )
    np.testing.assert_array_equal(D, np.diag(sm.alpha_diagonal(widths, alphas, bias=bias)))


@pytest.mark.claim("definition-alpha")
@settings(max_examples=20)
@given(networks(any_factors))
def test_the_log_determinant_is_that_of_the_derivative(drawn):
    widths, bias, seed, alphas = drawn
    theta = sm.ravel(random_params(widths, bias, seed))
    sign, log_det = np.linalg.slogdet(
        autograd.jacobian(as_map(lambda params: sm.alpha_scale(params, alphas), widths, bias))(
            theta
        )
    )
    # A sum of n logarithms, each at most |log alpha| of the largest product and as exact as alpha,
    # to a few ulp.
    size = len(theta) * (1 + np.abs(np.log(alphas)).sum())
    assert sign == 1 and sm.alpha_log_determinant(widths, alphas, bias=bias) == pytest.approx(
        log_det, abs=8 * EPS * size
    )


def test_the_log_determinant_of_two_layers_is_n1_minus_n2_times_log_alpha():
    assert sm.alpha_log_determinant((64, 16, 1), (4, 1 / 4)) == pytest.approx(
        (1024 - 16) * math.log(4), rel=4 * EPS
    )
    assert sm.alpha_log_determinant((64, 16, 1), (4, 1 / 4), bias=True) == pytest.approx(
        (1040 - 16) * math.log(4), rel=4 * EPS
    )


def test_the_log_determinant_is_finite_where_a_product_of_alphas_is_not():
    alphas = (2.0**1000, 2.0**1000, 2.0**-1000, 2.0**-1000)
    expected = (1 + 2 + 1) * 1000 * math.log(2)  # the biases' factors; the weights' cancel
    assert sm.alpha_log_determinant((1, 1, 1, 1, 1), alphas, bias=True) == pytest.approx(
        expected, rel=8 * EPS
    )


@settings(max_examples=15)
@given(networks(powers_of_two, layers=3))
def test_gradient_and_hessian_follow_the_rule_bit_for_bit(drawn):
    widths, bias, seed, alphas = drawn
    loss, theta = loss_and_theta(widths, bias, seed)
    d = sm.alpha_diagonal(widths, alphas, bias=bias)
    np.testing.assert_array_equal(sm.gradient(loss, d * theta), sm.gradient(loss, theta) / d)
    np.testing.assert_array_equal(
        sm.hessian(loss, d * theta), sm.hessian(loss, theta) / np.outer(d, d)
    )


# Node scaling


@st.composite
def scaled_nodes(draw, factors):
    widths, bias, seed, _ = draw(networks(factors, layers=3))
    return (
        widths,
        bias,
        seed,
        [draw(st.lists(factors, min_size=d, max_size=d)) for d in widths[1:-1]],
    )


def test_node_scale_multiplies_what_enters_and_divides_what_leaves():
    params = (
        Layer(np.array([[1.0, 2.0]]), np.array([3.0, 4.0])),
        Layer(np.array([[5.0], [6.0]]), np.array([7.0])),
    )
    hidden, output = sm.node_scale(params, [[2.0, 4.0]])
    np.testing.assert_array_equal(hidden.weight, [[2, 8]])
    np.testing.assert_array_equal(hidden.bias, [6, 16])
    np.testing.assert_array_equal(output.weight, [[2.5], [1.5]])
    np.testing.assert_array_equal(output.bias, [7])


@pytest.mark.claim("proposition-node")
@settings(max_examples=15)
@given(scaled_nodes(powers_of_two))
def test_node_scaling_keeps_outputs_gradient_and_hessian_rule_bit_for_bit(drawn):
    widths, bias, seed, scales = drawn
    loss, theta = loss_and_theta(widths, bias, seed)
    d = sm.node_diagonal(widths, scales, bias=bias)
    np.testing.assert_array_equal(loss.outputs(d * theta), loss.outputs(theta))
    np.testing.assert_array_equal(sm.gradient(loss, d * theta), sm.gradient(loss, theta) / d)
    np.testing.assert_array_equal(
        sm.hessian(loss, d * theta), sm.hessian(loss, theta) / np.outer(d, d)
    )


@settings(max_examples=20)
@given(scaled_nodes(any_factors))
def test_the_node_diagonal_is_the_derivative_that_autograd_finds(drawn):
    widths, bias, seed, scales = drawn
    theta = sm.ravel(random_params(widths, bias, seed))
    D = autograd.jacobian(as_map(lambda params: sm.node_scale(params, scales), widths, bias))(theta)
    # (1 / before) * after and its product with theta against theta / before * after: three
    # roundings on each side.
    np.testing.assert_allclose(
        D, np.diag(sm.node_diagonal(widths, scales, bias=bias)), rtol=6 * EPS, atol=0
    )


@pytest.mark.claim("proposition-node")
@given(networks(powers_of_two))
def test_scaling_all_units_of_each_layer_alike_is_t_alpha(drawn):
    widths, bias, seed, alphas = drawn
    params = random_params(widths, bias, seed)
    scales = [
        np.full(d, reach) for d, reach in zip(widths[1:-1], accumulate(alphas, mul), strict=False)
    ]
    np.testing.assert_array_equal(
        sm.ravel(sm.node_scale(params, scales)), sm.ravel(sm.alpha_scale(params, alphas))
    )
    np.testing.assert_array_equal(
        sm.node_diagonal(widths, scales, bias=bias), sm.alpha_diagonal(widths, alphas, bias=bias)
    )


# Where numbers end


def test_a_product_may_be_off_by_one_part_in_a_million_millions_for_each_layer():
    params = random_params((2, 3, 1), False, 0)
    scaled = sm.alpha_scale(params, (2, 0.5 * (1 + 1.5e-12)))
    np.testing.assert_array_equal(scaled[0].weight, 2 * params[0].weight)
    with pytest.raises(ValueError, match="alphas must be positive with product 1"):
        sm.alpha_scale(params, (2, 0.5 * (1 + 2.5e-12)))


def test_the_largest_and_the_least_number_with_all_its_digits_are_taken_and_none_beyond():
    """As a parameter the largest number, as a factor the least; the next leave float64."""
    params = (Layer(np.array([[HUGE]])), Layer(np.array([[1.0]])))
    for scaled in (sm.alpha_scale(params, (1, 1)), sm.node_scale(params, [[1.0]])):
        np.testing.assert_array_equal(sm.ravel(scaled), [HUGE, 1])
    np.testing.assert_array_equal(
        sm.ravel(sm.node_scale(params, [[TINY]])), [HUGE * TINY, 1 / TINY]
    )
    with np.errstate(over="ignore"):
        with pytest.raises(ValueError, match="alphas must leave params finite"):
            sm.alpha_scale(params, (2, 1 / 2))
        with pytest.raises(ValueError, match="scales must leave params finite"):
            sm.node_scale(params, [[2.0]])
    with pytest.raises(ValueError, match=r"scales\[0\] must be positive"):
        sm.node_scale(params, [[TINY / 2]])


# Bad input

PARAMS = random_params((2, 3, 1), False, 0)

BAD = {
    "product 4": (
        lambda: sm.alpha_scale(PARAMS, (2, 2)),
        r"alphas must be positive with product 1, got \[2\. 2\.\]",
    ),
    "product 1/4": (
        lambda: sm.alpha_scale(PARAMS, (0.5, 0.5)),
        r"alphas must be positive with product 1, got \[0\.5 0\.5\]",
    ),
    "product off by 1e-9": (
        lambda: sm.alpha_scale(PARAMS, (2, 0.5 * (1 + 1e-9))),
        "alphas must be positive with product 1",
    ),
    "negative": (
        lambda: sm.alpha_scale(PARAMS, (-2, -0.5)),
        r"alphas must be positive with product 1, got \[-2\.  -0\.5\]",
    ),
    "zero": (
        lambda: sm.alpha_scale(PARAMS, (0, 1)),
        r"alphas must be positive with product 1, got \[0\. 1\.\]",
    ),
    "two of three negative": (
        lambda: sm.alpha_scale(random_params((2, 3, 3, 1), False, 0), (-0.5, -0.5, 4)),
        r"alphas must be positive with product 1, got \[-0\.5 -0\.5  4\. \]",
    ),
    "NaN": (lambda: sm.alpha_scale(PARAMS, (np.nan, 1)), "alphas must be finite, got 1 NaN"),
    "zero and infinite": (
        lambda: sm.alpha_scale(PARAMS, (np.inf, 0)),
        "alphas must be finite, got 1 NaN or infinite",
    ),
    "a number": (
        lambda: sm.alpha_scale(PARAMS, 2.0),
        r"alphas must be a vector, .* of shape \(2,\), got shape \(\)",
    ),
    "three for two": (
        lambda: sm.alpha_scale(PARAMS, (1, 1, 1)),
        r"alphas must be a vector, .* of shape \(2,\), got shape \(3,\)",
    ),
    "a column": (
        lambda: sm.alpha_scale(PARAMS, [[1], [1]]),
        r"alphas must be .* got shape \(2, 1\)",
    ),
    "float32": (
        lambda: sm.alpha_scale(PARAMS, np.ones(2, "f4")),
        "alphas must be .* of float64 numbers, got dtype float32",
    ),
    "fractions": (
        lambda: sm.alpha_scale(PARAMS, (Fraction(2), Fraction(1, 2))),
        "alphas must be .* got dtype object",
    ),
    "diagonal": (
        lambda: sm.alpha_diagonal((2, 3, 1), (2, 2)),
        "alphas must be positive with product 1",
    ),
    "log-determinant": (
        lambda: sm.alpha_log_determinant((2, 3, 1), (2, 2)),
        "alphas must be positive with product 1",
    ),
    "widths": (
        lambda: sm.alpha_diagonal((2,), (1,)),
        "widths must name at least an input and an output width",
    ),
    "params": (
        lambda: sm.alpha_scale([Layer(np.ones((2, 1), "f4"))], [1]),
        "the weight of layer 1 must be .* got dtype float32",
    ),
    "scales one too many": (
        lambda: sm.node_scale(PARAMS, [[1] * 3, [1]]),
        "scales must hold 1 vectors, one per hidden layer, got 2",
    ),
    "scales flat": (
        lambda: sm.node_scale(PARAMS, [1, 1, 1]),
        "scales must hold 1 vectors, one per hidden layer, got 3",
    ),
    "scales a number": (
        lambda: sm.node_scale(PARAMS, 2.0),
        r"scales\[0\] must be a vector of shape \(3,\), got shape \(\)",
    ),
    "scales too short": (
        lambda: sm.node_scale(PARAMS, [[1, 1]]),
        r"scales\[0\] must be a vector of shape \(3,\), got shape \(2,\)",
    ),
    "scales zero": (
        lambda: sm.node_scale(PARAMS, [[1, 0, 1]]),
        r"scales\[0\] must be positive, got \[1\. 0\. 1\.\]",
    ),
    "scales negative": (
        lambda: sm.node_diagonal((2, 3, 1), [[1, -2, 1]]),
        r"scales\[0\] must be positive, got \[ 1\. -2\.  1\.\]",
    ),
    "scales NaN": (
        lambda: sm.node_diagonal((2, 3, 1), [[1, np.nan, 1]]),
        r"scales\[0\] must be finite, got 1 NaN",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with np.errstate(all="raise"), pytest.raises(ValueError, match=f"^{message}"):
        call()
