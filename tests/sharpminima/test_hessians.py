"""Gradients and Hessians against closed forms, central differences, autograd's own check and
hand-written Jacobians; and the theorems of section 4.2 on the running examples and on random ones.

Gradient, Hessian, hvp and Jacobian all come from autograd: an error in autograd would show only
against the closed forms and the differences, which are good to seven digits. Differences are taken
at points 1e-3 away from kinks, so nothing is said about what happens across one. The theorems are
inequalities and exact rules on floats, checked at single points.
"""

import itertools
import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special
from autograd.test_util import check_grads
from hypothesis import given, settings
from hypothesis import strategies as st

import sharpminima as sm
from tests.sharpminima.support import DIFFERENCES, EPS, ROUNDING, apart, differences


def layers_of(vector, sizes):
    return np.split(vector, np.cumsum(sizes)[:-1])


# Closed forms


def test_a_polynomial_has_the_derivatives_one_computes_by_hand():
    def loss(t):
        return t[0] ** 2 * t[1] + t[2] ** 3

    np.testing.assert_array_equal(sm.gradient(loss, [3.0, 1.0, 2.0]), [6, 9, 12])
    np.testing.assert_array_equal(
        sm.hessian(loss, [3.0, 1.0, 2.0]), [[2, 6, 0], [6, 0, 0], [0, 0, 12]]
    )
    np.testing.assert_array_equal(sm.hvp(loss, [3.0, 1.0, 2.0], [1.0, 10.0, 100.0]), [62, 6, 1200])


@pytest.mark.claim("smallest-network")
@pytest.mark.parametrize("alpha", [1.0, 3.0, 0.25])
def test_the_toy_network_has_the_hessian_of_one_half_the_product_minus_one_squared(alpha):
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    expected = [[1 / alpha**2, 1.0], [1.0, alpha**2]]
    np.testing.assert_allclose(sm.hessian(toy, [alpha, 1 / alpha]), expected, rtol=10 * EPS)


@pytest.mark.parametrize("bias", [False, True])
def test_a_linear_network_has_the_derivatives_of_least_squares(bias):
    rng = np.random.default_rng(0)
    x, y, W = rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), rng.normal(size=(3 + bias, 2))
    A = (
        np.hstack([x, np.ones((9, 1))]) if bias else x
    )  # the bias comes after the weight: one more row
    loss = sm.NetworkLoss((3, 2), x, y, bias=bias)
    assert apart(sm.gradient(loss, W.ravel()), (A.T @ (A @ W - y) / 9).ravel()) < ROUNDING
    assert apart(sm.hessian(loss, W.ravel()), np.kron(A.T @ A / 9, np.eye(2))) < ROUNDING


@pytest.mark.parametrize("bias", [False, True])
def test_softmax_regression_has_its_textbook_derivatives(bias):
    rng = np.random.default_rng(1)
    x, y, W = rng.normal(size=(9, 3)), rng.integers(4, size=9), rng.normal(size=(3 + bias, 4))
    A = np.hstack([x, np.ones((9, 1))]) if bias else x
    loss = sm.NetworkLoss((3, 4), x, y, criterion="cross_entropy", bias=bias)
    p = np.exp(A @ W) / np.exp(A @ W).sum(axis=1, keepdims=True)
    H = (
        sum(np.kron(np.outer(a, a), np.diag(q) - np.outer(q, q)) for a, q in zip(A, p, strict=True))
        / 9
    )
    assert apart(sm.gradient(loss, W.ravel()), (A.T @ (p - np.eye(4)[y]) / 9).ravel()) < ROUNDING
    assert apart(sm.hessian(loss, W.ravel()), H) < ROUNDING


def jacobian_by_hand(loss, theta):
    """df/dtheta (N, n) of a network with one hidden layer, one output and no biases, by the chain
    rule in loops.
    """
    hidden, output = loss.layers(theta)
    rows = []
    for x in loss.x:
        z = x @ hidden.weight
        on = (z > 0).astype(float)
        first = [x[i] * on[j] * output.weight[j, 0] for i in range(len(x)) for j in range(len(z))]
        rows.append([*first, *(z * on)])
    return np.array(rows)


@pytest.mark.claim("proposition-interpolation")
def test_at_interpolation_the_hessian_is_jt_j_over_n(example, example_hessian):
    J = jacobian_by_hand(example.loss, example.theta)
    # What is left out is residual times second derivative, 1e-15 times one: below the rounding.
    assert apart(example_hessian, J.T @ J / len(J)) < ROUNDING


def test_jacobian_agrees_with_the_chain_rule_by_hand(example):
    assert (
        apart(
            sm.jacobian(example.loss, example.theta)[:, 0, :],
            jacobian_by_hand(example.loss, example.theta),
        )
        < ROUNDING
    )


# Differences and other routes


def test_gradient_agrees_with_differences(small):
    loss, theta = small
    assert apart(sm.gradient(loss, theta), differences(loss, theta)) < DIFFERENCES


def test_hessian_agrees_with_differences_of_the_gradient(small):
    loss, theta = small
    assert (
        apart(sm.hessian(loss, theta), differences(lambda t: sm.gradient(loss, t), theta))
        < DIFFERENCES
    )


def test_jacobian_agrees_with_differences_of_the_outputs(small):
    loss, theta = small
    J = sm.jacobian(loss, theta)
    assert J.shape == (len(loss.x), loss.widths[-1], loss.size)
    assert apart(J, differences(loss.outputs, theta)) < DIFFERENCES


def test_autograds_own_check_agrees_to_second_order(small):
    loss, theta = small
    check_grads(loss, modes=["rev"], order=2)(theta)  # to a relative 1e-6 along random directions


def test_hessian_is_the_derivative_of_gradient(small):
    loss, theta = small
    assert (
        apart(sm.hessian(loss, theta), autograd.jacobian(lambda t: sm.gradient(loss, t))(theta))
        < ROUNDING
    )


@pytest.mark.parametrize("method", ["auto", "autograd"])
def test_hessian_is_symmetric_to_the_last_bit(small, method):
    H = sm.hessian(*small, method=method)
    np.testing.assert_array_equal(H, H.T)


def test_a_diagonal_is_an_array_of_its_own():
    """NumPy's diagonal is a view that cannot be written to."""

    def loss(theta):
        return anp.sum(theta**4)

    diagonal = sm.hessian_diagonal(loss, np.array([1.0, 2.0]))
    diagonal[0] = 0.0
    np.testing.assert_array_equal(diagonal, [0.0, 48.0])


def test_hvp_is_hessian_times_vector(small):
    loss, theta = small
    H = sm.hessian(loss, theta)
    assert apart(np.stack([sm.hvp(loss, theta, e) for e in np.eye(loss.size)]), H) < ROUNDING
    v = np.random.default_rng(0).normal(size=loss.size)
    assert np.abs(sm.hvp(loss, theta, v) - H @ v).max() < ROUNDING * (np.abs(H) @ np.abs(v)).max()


def test_hvp_agrees_with_a_difference_of_gradients_on_the_running_example(example):
    loss, rng = example.loss, np.random.default_rng(0)
    v = rng.normal(size=loss.size)
    h = 1e-6 * sm.kinks(loss, example.theta, tol=1e-9).margin  # |x v| < 1e3: no unit switches
    slope = (
        sm.gradient(loss, example.theta + h * v) - sm.gradient(loss, example.theta - h * v)
    ) / (2 * h)
    # Near the minimum the gradient is h H v, known to eps times the outputs: the quotient is good
    # to eps / h.
    assert apart(sm.hvp(loss, example.theta, v), slope) < 100 * EPS / h


def test_functions_take_lists_and_leave_their_arguments_alone(small):
    loss, theta = small
    before = theta.copy()
    (
        sm.gradient(loss, theta),
        sm.hvp(loss, theta, theta),
        sm.hessian(loss, theta),
        sm.gauss_newton(loss, theta),
    )
    np.testing.assert_array_equal(theta, before)
    np.testing.assert_array_equal(sm.gradient(loss, theta.tolist()), sm.gradient(loss, theta))


def test_at_a_kink_the_derivative_of_relu_is_zero():
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    assert sm.kinks(toy, [0.0, 2.0], tol=1e-9)
    np.testing.assert_array_equal(sm.gradient(toy, [0.0, 2.0]), [0, 0])
    np.testing.assert_array_equal(sm.hessian(toy, [0.0, 2.0]), np.zeros((2, 2)))
    np.testing.assert_array_equal(sm.jacobian(toy, [0.0, 2.0]), np.zeros((1, 1, 2)))


# The door: a loss with a Hessian of its own


class Bowl:
    """|theta|^2 / 2, with whatever it is told as its Hessian."""

    def __init__(self, own):
        self.own = own

    def __call__(self, theta):
        return anp.sum(theta**2) / 2

    def hessian(self, theta):
        return self.own


@pytest.mark.parametrize("method, factor", [("auto", 7), ("structured", 7), ("autograd", 1)])
def test_a_loss_with_a_hessian_of_its_own_is_asked_unless_autograd_is(method, factor):
    np.testing.assert_array_equal(
        sm.hessian(Bowl(7 * np.eye(2)), [1.0, 2.0], method=method), factor * np.eye(2)
    )


def test_auto_is_autograd_for_any_other_loss():
    np.testing.assert_array_equal(sm.hessian(lambda t: anp.sum(t**2) / 2, [1.0, 2.0]), np.eye(2))


def test_a_hessian_of_its_own_is_made_symmetric_to_the_last_bit():
    H = sm.hessian(Bowl(np.array([[1.0, 1.0], [1.0 + 1e-15, 1.0]])), [1.0, 2.0])
    np.testing.assert_array_equal(H, H.T)


class Heavier(sm.NetworkLoss):
    """A network with weight decay."""

    def __call__(self, theta):
        return super().__call__(theta) + anp.sum(theta**2)


class Louder(sm.NetworkLoss):
    """A network whose outputs are doubled."""

    def outputs(self, theta):
        return 2 * super().outputs(theta)


class Known(Heavier):
    """One that brings the derivatives that go with it, without an `out`."""

    def hessian(self, theta):
        return super().hessian(theta) + 2 * np.eye(self.size)

    def gauss_newton(self, theta):
        return super().gauss_newton(theta) + 2 * np.eye(self.size)


def other_network(kind):
    """A network of that kind with cross-entropy and biases, and a random point."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.integers(0, 3, 8)
    loss = kind((3, 4, 3), x, y, criterion="cross_entropy", bias=True)
    return loss, rng.normal(size=loss.size)


@pytest.mark.parametrize("kind", [Heavier, Louder, Known])
def test_a_network_that_computes_another_value_does_not_inherit_the_derivatives_of_the_old_one(
    kind,
):
    loss, theta = other_network(kind)
    H, J = autograd.hessian(loss)(theta), autograd.jacobian(loss.outputs)(theta)
    out = np.empty_like(H)
    for found in (sm.hessian(loss, theta), sm.hessian(loss, theta, out=out)):
        np.testing.assert_allclose(found, H, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sm.hvp(loss, theta, theta), H @ theta, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(sm.hessian_diagonal(loss, theta), np.diag(H), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sm.jacobian(loss, theta), J, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind, extra", [(Louder, 0), (Known, 2)])
def test_the_gauss_newton_matrix_is_that_of_its_outputs_or_its_own(kind, extra):
    loss, theta = other_network(kind)
    J = autograd.jacobian(loss.outputs)(theta)
    p = scipy.special.softmax(loss.outputs(theta), axis=1)
    G = extra * np.eye(loss.size)
    for Ji, pi in zip(J, p, strict=True):
        G += Ji.T @ (np.diag(pi) - np.outer(pi, pi)) @ Ji / len(J)
    out = np.empty_like(G)
    assert sm.gauss_newton(loss, theta, out=out) is out
    np.testing.assert_allclose(out, G, rtol=1e-12, atol=1e-12)


def test_an_operator_stays_that_of_its_theta_when_the_array_changes(small):
    for loss in (small[0], lambda t: anp.sum(anp.sin(t[1:] * t[:-1]))):
        theta = small[1].copy()
        operator, v = sm.hessian_operator(loss, theta), np.arange(1.0, len(theta) + 1)
        before = operator @ v
        theta *= 2
        np.testing.assert_array_equal(operator @ v, before)


def test_autograd_can_follow_the_hessian_of_a_network(small):
    """The derivative of the trace, from third derivatives of the loss, against a central difference
    of traces.
    """
    loss, theta = small
    direction = np.random.default_rng(0).normal(size=loss.size)
    slope = autograd.grad(lambda t: anp.trace(sm.hessian(loss, t)))(theta) @ direction
    traces = [sm.trace(sm.hessian(loss, theta + h * direction)) for h in (1e-6, -1e-6)]
    assert slope == pytest.approx((traces[0] - traces[1]) / 2e-6, rel=1e-6)


# Gauss-Newton and Fisher


def test_gauss_newton_is_the_mean_of_jt_a_j(small):
    loss, theta = small
    G = np.zeros((loss.size, loss.size))
    for J, f in zip(sm.jacobian(loss, theta), loss.outputs(theta), strict=True):
        p = np.exp(f) / np.exp(f).sum()
        A = np.eye(len(f)) if loss.criterion == "squared_error" else np.diag(p) - np.outer(p, p)
        G += J.T @ A @ J / len(loss.x)
    assert apart(sm.gauss_newton(loss, theta), G) < ROUNDING


@pytest.mark.parametrize("small", ["soft labels", "labels"], indirect=True)
def test_gauss_newton_of_cross_entropy_is_the_fisher_information(small):
    loss, theta = small
    F, f = np.zeros((loss.size, loss.size)), loss.outputs(theta)
    for i in range(len(f)):
        for c, p in enumerate(np.exp(f[i]) / np.exp(f[i]).sum()):
            score = sm.gradient(loss.on(loss.x[i : i + 1], [c]), theta)
            F += p * np.outer(score, score) / len(f)
    assert apart(sm.gauss_newton(loss, theta), F) < ROUNDING


@pytest.mark.claim("proposition-diagonal", "fig-batches")
def test_the_diagonals_of_hessian_and_gauss_newton_are_equal_at_any_smooth_point(small):
    loss, theta = small
    # By autograd: the closed forms of both matrices share the code of their diagonal blocks.
    H, G = autograd.hessian(loss)(theta), sm.gauss_newton(loss, theta)
    assert np.abs(np.diag(H) - np.diag(G)).max() < ROUNDING * np.abs(H).max()
    assert apart(G, H) > 0.1  # and off the diagonal they are not


@pytest.mark.claim("fig-shift", "fig-primer")
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_to_move_a_parabola_costs_half_its_curvature_times_the_square_of_the_way(seed, n):
    rng = np.random.default_rng(seed)
    root, way = rng.normal(size=(n, n)), rng.normal(size=n)

    def bowl(t):
        return np.sum((root @ t) ** 2) / 2

    H = sm.hessian(lambda t: anp.sum(anp.dot(root, t) ** 2) / 2, np.zeros(n))
    assert bowl(-way) - bowl(0 * way) == pytest.approx(way @ H @ way / 2, rel=1e-12)


# What is read off a Hessian


@st.composite
def spectra(draw):
    """Eigenvalues of either sign, in multiples of 1/4 so that zero is clear, and a symmetric matrix
    that has them.
    """
    values = np.array(
        sorted(
            draw(st.lists(st.integers(-40, 40).map(lambda k: k / 4), min_size=1, max_size=8)),
            reverse=True,
        )
    )
    Q = np.linalg.qr(
        np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=(len(values),) * 2)
    )[0]
    H = Q @ np.diag(values) @ Q.T
    return values, (H + H.T) / 2, Q


@pytest.mark.claim("definition-hessian", "mean-curvature")
@given(spectra())
def test_a_matrix_built_from_its_spectrum_gives_it_back(drawn):
    values, H, _ = drawn
    tolerance = (
        10 * len(H) * EPS * np.abs(values).max()
    )  # of building H and of a backward stable eigensolver
    np.testing.assert_allclose(sm.eigenvalues(H), values, rtol=0, atol=tolerance)
    assert sm.spectral_norm(H) == pytest.approx(np.abs(values).max(), abs=tolerance)
    assert sm.spectral_norm(H) == pytest.approx(np.linalg.norm(H, 2), abs=tolerance)
    assert sm.trace(H) == pytest.approx(values.sum(), abs=len(H) * tolerance)


@given(spectra())
def test_inertia_counts_signs_and_a_congruence_keeps_it(drawn):
    values, H, Q = drawn
    signs = int((values > 0).sum()), int((values < 0).sum()), int((values == 0).sum())
    S = Q * np.linspace(1, 2, len(H))  # condition 2: eigenvalues move by at most a factor of four
    rtol = 1e-10  # between the rounding, 1e-14, and the smallest non-zero ratio, 1/160
    assert sm.inertia(H, rtol=rtol) == sm.inertia(S @ H @ S.T, rtol=rtol) == signs
    assert sm.numerical_rank(H, rtol=rtol) == signs[0] + signs[1]


def test_the_zero_matrix_has_rank_zero():
    assert (
        sm.inertia(np.zeros((3, 3))) == (0, 0, 3)
        and sm.numerical_rank(np.zeros((3, 3)), sizes=(1, 2)) == 0
    )


@pytest.mark.parametrize("unit", [1.0, 2.0**40, 2.0**-40])
def test_rtol_is_where_an_eigenvalue_counts_as_zero_relative_to_the_largest(unit):
    H = unit * np.diag([1.0, 1e-3, -1e-5])
    assert (
        sm.inertia(H, rtol=1e-4) == (2, 0, 1)
        and sm.inertia(H, rtol=1e-2) == (1, 0, 2)
        and sm.inertia(H) == (2, 1, 0)
    )


@pytest.mark.claim("fig-spectra", "fig-needle")
def test_eigenvalues_of_the_example_hessian_are_squared_singular_values(example, example_hessian):
    singular = scipy.linalg.svdvals(jacobian_by_hand(example.loss, example.theta))
    largest = sm.eigenvalues(example_hessian)[: len(singular)]
    assert apart(largest, singular**2 / len(example.loss.x)) < ROUNDING
    assert sm.spectral_norm(example_hessian) == pytest.approx(largest[0], rel=ROUNDING)


def test_balance_gives_every_block_the_same_diagonal(example, example_hessian):
    B, s = sm.balance(example_hessian, example.loss.sizes)
    np.testing.assert_allclose(B, example_hessian * s[:, None] * s, rtol=4 * EPS)
    for block in layers_of(np.diag(B), example.loss.sizes):
        assert np.abs(block).mean() == pytest.approx(1, rel=ROUNDING)


def test_balance_leaves_a_block_with_a_zero_diagonal_alone():
    B, s = sm.balance(np.diag([4.0, 4.0, 0.0]), (2, 1))
    np.testing.assert_array_equal(B, np.diag([1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(s, [0.5, 0.5, 1])


def test_every_twin_has_the_same_balanced_hessian(example, example_hessian):
    d = sm.alpha_diagonal(example.loss.widths, (2.0**20, 2.0**-20))
    here = sm.balance(example_hessian, example.loss.sizes)[0]
    there = sm.balance(sm.hessian(example.loss, d * example.theta), example.loss.sizes)[0]
    np.testing.assert_array_equal(there, here)


# Theorem 3 and the rule's generator


@pytest.mark.claim("theorem-3", "fig-blocks", "fig-ellipses")
@settings(max_examples=15)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_gradient_and_hessian_follow_the_rule_of_theorem_3(alpha, beta):
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((2, 3, 2, 1), rng.normal(size=(5, 2)), rng.normal(size=5), bias=True)
    theta = rng.normal(size=loss.size)
    d = sm.alpha_diagonal(loss.widths, (alpha, beta, 1 / (alpha * beta)), bias=True)
    assert apart(sm.gradient(loss, d * theta) * d, sm.gradient(loss, theta)) < ROUNDING
    assert apart(sm.hessian(loss, d * theta) * np.outer(d, d), sm.hessian(loss, theta)) < ROUNDING


def test_the_rule_holds_at_the_minimum_of_three_layers(sibling, sibling_hessian):
    d = sm.alpha_diagonal(sibling.loss.widths, (1 / 8, 3, 8 / 3))
    assert (
        apart(sm.hessian(sibling.loss, d * sibling.theta) * np.outer(d, d), sibling_hessian)
        < ROUNDING
    )


@pytest.mark.claim("proposition-conserved")
@pytest.mark.parametrize("small", ["scalar", "soft labels"], indirect=True)
def test_layers_balance_and_the_rule_differentiated_at_one_holds(small):
    loss, theta = small
    g = sm.gradient(loss, theta)
    inner = [part.sum() for part in layers_of(theta * g, loss.sizes)]
    assert np.ptp(inner) < ROUNDING * np.abs(theta * g).sum()
    signs = np.repeat([1.0, -1.0, *np.zeros(len(loss.sizes) - 2)], loss.sizes)
    v = signs * theta
    size = np.abs(sm.hessian(loss, theta)) @ np.abs(theta)
    for Hv in (sm.hessian(loss, theta) @ v, sm.hvp(loss, theta, v)):
        assert (np.abs(Hv + signs * g) < ROUNDING * size.max()).all()


@pytest.mark.claim("proposition-conserved")
def test_what_enters_a_unit_balances_what_leaves_it(small):
    loss, theta = small
    slopes = loss.layers(sm.gradient(loss, theta) * theta)
    for before, after in zip(slopes[:-1], slopes[1:], strict=True):
        entering = before.weight.sum(axis=0) + (0 if before.bias is None else before.bias)
        size = np.abs(before.weight).sum() + np.abs(after.weight).sum()
        assert np.abs(entering - after.weight.sum(axis=1)).max() < ROUNDING * size


@pytest.mark.claim("proposition-rank")
def test_each_hidden_unit_of_the_minimum_is_a_flat_direction(example, example_hessian):
    hidden, output = example.loss.layers(example.theta)
    units = len(output.weight)
    V = np.zeros((units, example.loss.size))
    for j in range(units):
        direction = sm.unravel(V[j], example.loss.widths)  # views: writing into them writes into V
        direction[0].weight[:, j], direction[1].weight[j] = hidden.weight[:, j], -output.weight[j]
    assert (
        np.abs(example_hessian @ V.T).max()
        < ROUNDING * (np.abs(example_hessian) @ np.abs(V.T)).max()
    )
    assert np.linalg.matrix_rank(V) == units  # so that rank H <= n - units


# Theorem 4, the floor, theorem 5 and its looseness


def fit_exactly(widths, n_samples, seed=0):
    """Return a loss whose targets are what random weights compute: they interpolate."""
    rng = np.random.default_rng(seed)
    layers, x = sm.init_params(widths, rng=rng), rng.normal(size=(n_samples, widths[0]))
    return sm.NetworkLoss(widths, x, sm.forward(layers, x)), sm.ravel(layers)


@pytest.mark.claim("theorem-4", "proposition-interpolation")
@pytest.mark.parametrize("widths", [(3, 4, 2), (5, 2, 1)])
def test_any_bound_is_exceeded_where_random_weights_interpolate(widths):
    loss, theta = fit_exactly(widths, 12)
    H = autograd.hessian(loss)(theta)
    J = autograd.jacobian(loss.outputs)(theta).reshape(-1, loss.size)
    assert apart(H, J.T @ J / 12) < ROUNDING
    for M in (1e3, 1e9):
        alpha = math.sqrt(np.diag(H)[: loss.sizes[0]].max() / M)
        twin = sm.alpha_diagonal(widths, (alpha, 1 / alpha)) * theta
        assert np.linalg.norm(sm.hessian(loss, twin), 2) >= M * (1 - ROUNDING)


@pytest.mark.claim("theorem-4", "a-million")
def test_theorem_4_every_bound_is_exceeded_at_the_twin_it_names(example, example_hessian):
    M = 1e12
    gamma = np.diag(example_hessian)[: example.loss.sizes[0]].max()
    alpha = math.sqrt(gamma / M)
    twin = sm.alpha_diagonal(example.loss.widths, (alpha, 1 / alpha)) * example.theta
    H = sm.hessian(example.loss, twin)
    assert sm.spectral_norm(H) >= M * (1 - ROUNDING) and sm.trace(H) >= M * (1 - ROUNDING)


@pytest.mark.claim("proposition-floor", "fig-trace")
def test_the_trace_along_the_orbit_has_a_floor_and_reaches_it(sibling, sibling_hessian):
    loss, K = sibling.loss, 3
    t = np.array([block.sum() for block in layers_of(np.diag(sibling_hessian), loss.sizes)])
    floor = K * t.prod() ** (1 / K)
    at_best = sm.alpha_diagonal(loss.widths, np.sqrt(K * t / floor)) * sibling.theta
    assert sm.trace(sm.hessian(loss, at_best)) == pytest.approx(floor, rel=ROUNDING)
    for steps in np.random.default_rng(0).normal(size=(200, K)):
        d = sm.alpha_diagonal(loss.widths, np.exp(steps - steps.mean()))
        assert (np.diag(sibling_hessian) / d**2).sum() >= floor * (1 - ROUNDING)


@pytest.mark.claim("proposition-floor")
def test_two_layers_have_the_floor_two_root_t1_t2():
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])  # t1 t2 = 1 at every minimum
    traces = [sm.trace(sm.hessian(toy, [a, 1 / a])) for a in (0.5, 0.9, 1.0, 1.1, 2.0)]
    assert traces[2] == 2 == min(traces)


@pytest.mark.claim("theorem-5")
def test_theorem_5_eigenvalues_rise_by_beta_squared_n_k_places_on(sibling, sibling_hessian):
    loss, m, beta = sibling.loss, min(sibling.loss.sizes), 4.0
    assert loss.sizes[-1] == m
    d = sm.alpha_diagonal(loss.widths, (1 / beta, 1 / beta, beta**2))
    low, high = sm.eigenvalues(sibling_hessian), sm.eigenvalues(sm.hessian(loss, d * sibling.theta))
    assert (high[:-m] - beta**2 * low[m:] >= -len(high) * EPS * high[0]).all()


def test_theorem_5_raises_its_number_of_eigenvalues_above_any_bound(sibling, sibling_hessian):
    loss, bound = sibling.loss, 200 - min(sibling.loss.sizes)
    low = sm.eigenvalues(sibling_hessian)
    M = 1000 * low[0]
    beta = math.sqrt(2 * M / low[199])
    d = sm.alpha_diagonal(loss.widths, (1 / beta, 1 / beta, beta**2))
    # Those counted are between 2 M and beta**2 times the largest, 1e10 apart at most: rounding is
    # far below M.
    assert (sm.eigenvalues(sm.hessian(loss, d * sibling.theta)) > M).sum() >= bound


def raised(J, sizes, behind):
    """How many eigenvalues of J'J rise above 1000 times the largest, layer `behind` left behind;
    and its predicted rank.
    """
    others = np.repeat(np.arange(len(sizes)) != behind, sizes)
    singular = scipy.linalg.svdvals(J[:, others])
    rank = (singular > 1e-9 * singular[0]).sum()
    M = 1000 * scipy.linalg.norm(J, 2) ** 2
    beta = math.sqrt(2 * M) / singular[rank - 1]
    return (
        scipy.linalg.svdvals(J * np.where(others, beta, beta ** (1 - len(sizes)))) ** 2 > M
    ).sum(), rank


@pytest.mark.claim("proposition-reach", "fig-raised")
def test_as_many_eigenvalues_rise_as_the_other_layers_have_rank(
    example, example_hessian, sibling, sibling_hessian
):
    for (loss, theta, _), H in (example, example_hessian), (sibling, sibling_hessian):
        count, rank = raised(sm.jacobian(loss, theta)[:, 0], loss.sizes, len(loss.sizes) - 1)
        kept = slice(loss.size - loss.sizes[-1])
        assert count == rank == sm.numerical_rank(H[kept, kept], sizes=loss.sizes[:-1])
        assert rank > 200 - min(loss.sizes)  # more than theorem 5 promises


@pytest.mark.claim("theorem-5", "proposition-reach")
@pytest.mark.parametrize(
    "widths, n_samples, ranks", [((6, 6, 5, 1), 12, None), ((4, 1, 1), 9, [1, 4])]
)
def test_the_number_that_rises_is_never_less_than_theorem_5_says(widths, n_samples, ranks):
    rng = np.random.default_rng(0)
    theta, x = sm.ravel(sm.init_params(widths, rng=rng)), rng.normal(size=(n_samples, widths[0]))
    loss = sm.NetworkLoss(widths, x, np.zeros((n_samples, 1)))
    J = sm.jacobian(loss, theta)[:, 0]
    counts = [raised(J, loss.sizes, k) for k in range(len(loss.sizes))]
    assert all(count == rank for count, rank in counts)
    assert all(
        rank >= np.linalg.matrix_rank(J) - n
        for (_, rank), n in zip(counts, loss.sizes, strict=True)
    )
    assert (
        ranks is None or [rank for _, rank in counts] == ranks
    )  # of one unit: theta_2 alone, or all of theta_1


def generators(loss, theta):
    """What moves when one hidden unit is scaled: its incoming weights, less its outgoing ones."""
    weights = [layer.weight for layer in loss.layers(theta)]
    rows = []
    for k, j in [(k, j) for k, W in enumerate(weights[:-1]) for j in range(W.shape[1])]:
        parts = [np.zeros_like(W) for W in weights]
        parts[k][:, j] = weights[k][:, j]
        parts[k + 1][j] = -weights[k + 1][j]
        rows.append(np.concatenate([part.ravel() for part in parts]))
    return np.array(rows)


@pytest.mark.claim("proposition-count", "proposition-rank")
@pytest.mark.parametrize("widths", [(4, 3, 1), (2, 5, 3), (5, 3, 4, 1), (3, 4, 5, 3), (4, 1, 6, 2)])
def test_without_a_layer_the_rank_falls_by_less_than_its_symmetries_leave(widths):
    loss, theta = fit_exactly(widths, 70, seed=11)
    J, V = sm.jacobian(loss, theta).reshape(-1, loss.size), generators(loss, theta)
    rank, layer = np.linalg.matrix_rank(J), np.repeat(range(len(loss.sizes)), loss.sizes)
    left = [np.linalg.matrix_rank(J[:, layer != k]) for k in range(len(loss.sizes))]
    u = np.array([np.linalg.matrix_rank(V[:, layer == k]) for k in range(len(loss.sizes))])
    sharpened = rank - (np.array(loss.sizes) - u)
    assert (left >= sharpened).all() and (u >= 1).all()
    assert np.abs(J @ V.T).max() < 1e-12 * np.abs(J).max() * np.abs(V).sum(axis=1).max()
    assert sharpened.max() > rank - min(loss.sizes)  # more than theorem 5 promises
    assert widths[-1] > 1 or sharpened[-1] == rank


def list_paths(widths):
    """The weights along each path from an input to an output, as indices in theta."""
    starts = np.cumsum([0, *sm.layer_sizes(widths)])
    paths = []
    for units in itertools.product(*map(range, widths)):
        steps = zip(starts, units, units[1:], widths[1:], strict=False)
        paths.append([start + i * d + j for start, i, j, d in steps])
    return np.array(paths)


@pytest.mark.claim("proposition-cuts")
@pytest.mark.parametrize("widths", [(2, 3, 2), (2, 2, 3, 2), (3, 2, 2, 3)])
def test_scaling_units_raises_the_largest_rank_without_a_cut_and_no_more(widths):
    """Cuts are found as the weights with a factor of at most 1 at random scalings, each checked to
    meet every path; the twin that raises most of them is a scaling of its own.
    """
    rng = np.random.default_rng(3)
    weights, x = sm.init_params(widths, rng=rng), rng.normal(size=(50, widths[0]))
    loss, theta = sm.NetworkLoss(widths, x, sm.forward(weights, x)), sm.ravel(weights)
    J = sm.jacobian(loss, theta).reshape(-1, loss.size)
    M, paths = np.linalg.norm(J, 2) ** 2, list_paths(widths)
    best = most = 0
    for step in rng.normal(size=(600, sum(widths[1:-1]))):
        scales = np.split(np.exp(8 * step), np.cumsum(widths[1:-1])[:-1])
        D = 1 / sm.node_diagonal(widths, scales)
        is_cut = D <= 1
        assert is_cut[paths].any(axis=1).all()
        rank = np.linalg.matrix_rank(J[:, ~is_cut])
        count = (scipy.linalg.svdvals(J * D) ** 2 > M).sum()
        assert count <= rank
        best, most = max(best, rank), max(most, count)
    assert most == best
    layer = np.repeat(range(len(loss.sizes)), loss.sizes)
    assert best >= max(np.linalg.matrix_rank(J[:, layer != k]) for k in range(len(loss.sizes)))


@pytest.mark.claim("proposition-variation", "fig-bends")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_floor_over_units_is_a_weighted_variation_of_the_slope(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(25, 1)), rng.normal(size=25)
    loss = sm.NetworkLoss((1, 5, 1), x, y, bias=True)
    theta = rng.normal(size=loss.size)
    (W, b), (a, _) = loss.layers(theta)
    expected = 1.0
    for w, bias, out in zip(W[0], b, a[:, 0], strict=True):
        on = x[w * x[:, 0] + bias > 0]
        g = math.sqrt(np.sum(on**2 + 1) * np.sum((on + bias / w) ** 2)) / len(x)
        beside = sm.NetworkLoss(
            (1, 5, 1), -bias / w + np.array([[-1], [0], [1]]) * 1e-5, np.zeros(3), bias=True
        )
        left, middle, right = beside.outputs(theta)[:, 0]
        jump = (right - 2 * middle + left) / 1e-5
        assert abs(jump) == pytest.approx(abs(out * w), rel=1e-4)
        expected += 2 * g * abs(jump)
    found = sm.MEASURES["minimum_sharpness_units"](sm.Point(loss, theta))
    assert found == pytest.approx(expected, rel=1e-4)  # the error of the difference quotients


@pytest.mark.claim("proposition-local")
@pytest.mark.parametrize("widths, n_samples", [((3, 2, 1), 4), ((2, 3, 2, 2), 3)])
def test_near_a_fitted_minimum_the_loss_is_half_a_sum_of_squares(widths, n_samples):
    """The coordinates of the proof, inverted by scipy's root finder, at points as far as 0.1."""
    rng = np.random.default_rng(9)
    margin = 0
    while margin < 0.2:  # no unit switches nearby
        weights, x = sm.init_params(widths, rng=rng), rng.normal(size=(n_samples, widths[0]))
        loss, theta = sm.NetworkLoss(widths, x, sm.forward(weights, x)), sm.ravel(weights)
        J = sm.jacobian(loss, theta).reshape(-1, loss.size)
        has_full_rank = scipy.linalg.svdvals(J)[-1] > 0.1
        margin = sm.kinks(loss, theta, tol=1e-9).margin if has_full_rank else 0
    m = len(J)
    others = scipy.linalg.null_space(J).T

    def find_coordinates(t):
        residuals = (loss.outputs(t) - loss.y.reshape(n_samples, -1)).ravel()
        return np.concatenate([residuals / math.sqrt(n_samples), others @ (t - theta)])

    for eta in rng.normal(size=(5, loss.size)) * 0.01:
        t = scipy.optimize.fsolve(lambda t, eta=eta: find_coordinates(t) - eta, theta, xtol=1e-13)
        assert loss(t) == pytest.approx(eta[:m] @ eta[:m] / 2, rel=1e-9)
        J_there = sm.jacobian(loss, t).reshape(m, -1) / math.sqrt(n_samples)
        Dg = np.linalg.inv(np.vstack([J_there, others]))
        normal = np.diag(np.arange(loss.size) < m)
        np.testing.assert_allclose(Dg.T @ sm.gauss_newton(loss, t) @ Dg, normal, atol=1e-9)


@pytest.mark.claim("proposition-one-output")
@pytest.mark.parametrize("bias", [False, True])
def test_with_one_output_the_hessian_is_gauss_newton_at_every_smooth_critical_point(bias):
    for widths, is_equal in (((3, 4, 1), True), ((3, 4, 2), False), ((3, 5, 4, 1), False)):
        loss, theta = make_critical(widths, bias, np.random.default_rng(4))
        assert np.abs(sm.gradient(loss, theta)).max() < ROUNDING and loss(theta) > 0.1
        H = autograd.hessian(loss)(theta)
        assert (apart(sm.gauss_newton(loss, theta), H) < 1e-12) == is_equal


def make_critical(widths, bias, rng):
    """A loss with a critical point that fits nothing: residuals orthogonal to all slopes."""
    x = rng.normal(size=(40, widths[0]))
    blank = sm.NetworkLoss(widths, x, np.zeros((40, widths[-1])), bias=bias)
    theta = rng.normal(size=blank.size)
    J = sm.jacobian(blank, theta).reshape(-1, blank.size)
    r = rng.normal(size=len(J))
    r -= J @ np.linalg.lstsq(J, r, rcond=None)[0]
    y = blank.outputs(theta) - r.reshape(40, -1)
    return sm.NetworkLoss(widths, x, y, bias=bias), theta


@pytest.mark.claim("proposition-norm-floor")
@pytest.mark.parametrize("widths", [(4, 3, 1), (5, 4, 3, 2)])
def test_the_least_norm_along_the_orbit_is_bracketed_by_the_blocks(widths):
    rng = np.random.default_rng(2)
    weights, x = sm.init_params(widths, rng=rng), rng.normal(size=(30, widths[0]))
    loss = sm.NetworkLoss(widths, x, sm.forward(weights, x))
    H, K = sm.hessian(loss, sm.ravel(weights)), len(loss.sizes)

    def log_norm(logs):
        d = np.repeat(np.exp(-(logs - np.mean(logs))), loss.sizes)
        return math.log(np.linalg.norm(H * np.outer(d, d), 2))

    ends = np.cumsum([0, *loss.sizes])
    blocks = [np.linalg.norm(H[a:b, a:b], 2) for a, b in zip(ends, ends[1:], strict=False)]
    low = np.mean(np.log(blocks))
    found = scipy.optimize.minimize(log_norm, np.zeros(K), method="Nelder-Mead").fun
    assert low <= found <= low + math.log(K)
    for one, other in rng.normal(size=(40, 2, K)):
        mean = (log_norm(one) + log_norm(other)) / 2
        assert log_norm((one + other) / 2) <= mean + ROUNDING


def test_theorem_4_fails_with_biases_and_for_an_absolute_error():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0], bias=True)
    silent = sm.ravel((sm.Layer([[-1.0]], [-1.0]), sm.Layer([[1.0]], [1.0])))
    assert sm.examine(loss, silent).genuine
    for alpha in (1e-6, 1.0, 1e6):
        d = sm.alpha_diagonal((1, 1, 1), (alpha, 1 / alpha), bias=True)
        assert sm.spectral_norm(sm.hessian(loss, d * silent)) == 1
        bent = sm.hessian(lambda t: abs(t[0] * t[1] - 2), [alpha, 1 / alpha])
        np.testing.assert_array_equal(bent, [[0, -1], [-1, 0]])


# Rank and inertia along the orbit


@pytest.mark.parametrize("alpha", [1e-6, 1e6])
def test_inertia_is_the_same_along_the_orbit_when_balanced(example, alpha):
    d = sm.alpha_diagonal(example.loss.widths, (alpha, 1 / alpha))
    assert sm.inertia(sm.hessian(example.loss, d * example.theta), sizes=example.loss.sizes) == (
        200,
        0,
        840,
    )


def test_without_balancing_rounding_takes_eigenvalues_away(example, example_hessian):
    d = sm.alpha_diagonal(example.loss.widths, (1e6, 1e-6))
    assert sm.numerical_rank(example_hessian) == 200
    assert sm.numerical_rank(example_hessian / np.outer(d, d)) < 200


def test_with_biases_balancing_needs_blocks_of_their_own():
    rng = np.random.default_rng(5)
    loss = sm.NetworkLoss((3, 6, 5, 1), rng.normal(size=(12, 3)), rng.normal(size=12), bias=True)
    start = sm.ravel(sm.init_params(loss.widths, rng=rng, bias=True))
    theta = sm.polish(loss, start).theta
    d = sm.alpha_diagonal(loss.widths, (1e6, 1e6, 1e-12), bias=True)
    H = sm.hessian(loss, theta)
    blocks = (18, 6, 30, 5, 5, 1)
    assert sm.inertia(H / np.outer(d, d), sizes=blocks) == sm.inertia(H, sizes=blocks)
    assert sm.inertia(H / np.outer(d, d), sizes=loss.sizes) != sm.inertia(H, sizes=loss.sizes)


# Bad input

NETWORK = sm.NetworkLoss((2, 1), np.ones((3, 2)), np.ones(3))


def bowl(theta):
    return anp.sum(theta**2)


def filled_in_place(theta):
    out = np.zeros(2)
    out[0] = theta[0]
    return anp.sum(out)


class Outputs:
    criterion = "hinge"

    def outputs(self, theta):
        return anp.reshape(theta, (1, 2))


AT = [1.0, 2.0]
TRACED = (
    "theta must be numbers here: autograd can follow gradient, hessian and jacobian only, got"
    " ArrayBox"
)
BAD = {
    "theta traced by hvp": (
        lambda: autograd.grad(lambda t: anp.sum(sm.hvp(NETWORK, t, AT)))(np.ones(2)),
        TRACED,
    ),
    "theta traced by gauss_newton": (
        lambda: autograd.grad(lambda t: anp.sum(sm.gauss_newton(NETWORK, t)))(np.ones(2)),
        TRACED,
    ),
    "theta traced by the diagonal": (
        lambda: autograd.grad(lambda t: anp.sum(sm.hessian_diagonal(NETWORK, t)))(np.ones(2)),
        TRACED,
    ),
    "theta traced by a closed form": (
        lambda: autograd.grad(lambda t: anp.sum(NETWORK.hessian(t)))(np.ones(2)),
        TRACED,
    ),
    "theta a number": (
        lambda: sm.gradient(bowl, 1.0),
        r"theta must be a vector of shape \(any,\), got shape \(\)",
    ),
    "theta a column": (
        lambda: sm.hessian(bowl, [[1.0], [2.0]]),
        r"theta must be a vector .*, got shape \(2, 1\)",
    ),
    "theta float32": (
        lambda: sm.hessian(bowl, np.ones(2, "f4")),
        "theta must be .* of float64 numbers, got dtype float32",
    ),
    "theta NaN": (lambda: sm.hvp(bowl, [np.nan, 1.0], AT), "theta must be finite, got 1 NaN"),
    "theta for a network": (
        lambda: sm.jacobian(NETWORK, [1.0]),
        r"theta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "v too short": (
        lambda: sm.hvp(bowl, AT, [1.0]),
        r"v must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "v NaN": (lambda: sm.hvp(bowl, AT, [1.0, np.nan]), "v must be finite, got 1 NaN"),
    "loss a vector": (
        lambda: sm.gradient(lambda t: t**2, AT),
        r"loss must return a number, got an array of shape \(2,\)",
    ),
    "loss of length 1": (
        lambda: sm.hessian(lambda t: t[:1], AT),
        r"loss must return a number, got an array of shape \(1,\)",
    ),
    "loss None": (
        lambda: sm.gradient(lambda t: None, AT),
        "loss must return a float64 number, got None",
    ),
    "loss complex": (
        lambda: sm.gradient(lambda t: 1j * t[0], AT),
        "loss must return a float64 number, got .*1j",
    ),
    "loss float32": (
        lambda: sm.hessian(lambda t: t.astype("f4")[0], AT),
        "loss must return a float64 number, got .*float32",
    ),
    "loss infinite": (
        lambda: sm.gradient(lambda t: t[0] / 0.0, AT),
        "loss must be finite at theta, got inf",
    ),
    "loss NaN": (
        lambda: sm.hvp(lambda t: np.nan * t[0], AT, AT),
        "loss must be finite at theta, got nan",
    ),
    "gradient infinite": (
        lambda: sm.gradient(lambda t: anp.sqrt(t[0]), [0.0]),
        "loss must have finite derivatives at theta, got a gradient with NaN or infinite entries",
    ),
    "Hessian NaN": (
        lambda: sm.hessian(lambda t: anp.sum(t**1.5), [0.0, 1.0]),
        "loss must have finite .*, got a Hessian with NaN",
    ),
    "product NaN": (
        lambda: sm.hvp(lambda t: t[0] ** 1.5, [0.0], [1.0]),
        "loss must have finite .*, got a Hessian-vector product",
    ),
    "loss of floats": (
        lambda: sm.gradient(lambda t: float(t[0]), AT),
        r"loss must be written with autograd\.numpy",
    ),
    "loss of math": (
        lambda: sm.hessian(lambda t: math.exp(t[0]), AT),
        r"loss must be written with autograd\.numpy",
    ),
    "loss filled in place": (
        lambda: sm.gradient(filled_in_place, AT),
        r"loss must be written with autograd\.numpy",
    ),
    "method": (
        lambda: sm.hessian(bowl, AT, method="exact"),
        "method must be one of auto, autograd, structured, got 'exact'",
    ),
    "no Hessian of its own": (
        lambda: sm.hessian(bowl, AT, method="structured"),
        r"method 'structured' needs a loss with a hessian\(theta\) of its own, got <function bowl",
    ),
    "own of another order": (
        lambda: sm.hessian(Bowl(np.eye(3)), AT),
        r"loss\.hessian\(theta\) must be .* \(2, 2\), got shape \(3, 3\)",
    ),
    "own a vector": (
        lambda: sm.hessian(Bowl(np.ones(2)), AT),
        r"loss\.hessian\(theta\) must be .* got shape \(2,\)",
    ),
    "own NaN": (
        lambda: sm.hessian(Bowl(np.eye(2) * np.nan), AT),
        r"loss\.hessian\(theta\) must be finite, got 4 NaN",
    ),
    "own not symmetric": (
        lambda: sm.hessian(Bowl(np.triu(np.ones((2, 2)))), AT),
        "H must be symmetric, got .* by 1",
    ),
    "no outputs": (
        lambda: sm.jacobian(bowl, AT),
        r"loss must have outputs\(theta\) to have a Jacobian, got <function bowl",
    ),
    "criterion": (
        lambda: sm.gauss_newton(Outputs(), AT),
        r"loss\.criterion must be squared_error or cross_entropy or binary_cross_entropy, got"
        " 'hinge'",
    ),
    "H not square": (
        lambda: sm.eigenvalues(np.ones((2, 3))),
        r"H must be square, got shape \(2, 3\)",
    ),
    "H empty": (lambda: sm.trace(np.ones((0, 0))), r"H must be square, got shape \(0, 0\)"),
    "H a vector": (
        lambda: sm.trace(np.ones(3)),
        r"H must be a matrix of shape \(any, any\), got shape \(3,\)",
    ),
    "H not symmetric": (
        lambda: sm.spectral_norm([[0.0, 1.0], [0.0, 0.0]]),
        "H must be symmetric, got entries .* by 1",
    ),
    "H NaN": (lambda: sm.inertia(np.full((2, 2), np.nan)), "H must be finite, got 4 NaN"),
    "H float32": (
        lambda: sm.numerical_rank(np.eye(2, dtype="f4")),
        "H must be .* of float64 numbers, got dtype float32",
    ),
    "sizes of another sum": (
        lambda: sm.balance(np.eye(3), (1, 1)),
        r"sizes must be positive and sum to the order of H, 3, got \(1, 1\)",
    ),
    "sizes with zero": (
        lambda: sm.inertia(np.eye(3), sizes=(0, 3)),
        "each of sizes must be an integer of at least 1, got 0",
    ),
    "sizes float": (
        lambda: sm.balance(np.eye(3), (1.0, 2.0)),
        r"each of sizes must be an integer of at least 1, got 1\.0",
    ),
    "rtol negative": (
        lambda: sm.inertia(np.eye(3), rtol=-1e-9),
        "rtol must be at least 0 and less than 1, got -1e-09",
    ),
    "rtol one": (
        lambda: sm.numerical_rank(np.eye(3), rtol=1),
        "rtol must be at least 0 and less than 1, got 1",
    ),
    "rtol NaN": (
        lambda: sm.inertia(np.eye(3), rtol=np.nan),
        "rtol must be finite, got nan",
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


class Elsewhere:
    """A loss whose derivatives another library computes, all but its value."""

    def __init__(self, value):
        self.value = value

    def __call__(self, theta):
        return self.value

    def gradient(self, theta):
        return np.ones(2)

    def hessian_diagonal(self, theta):
        return np.ones(2)

    def hessian(self, theta):
        return np.eye(2)

    def hvp_at(self, theta):
        return lambda v: v


@pytest.mark.parametrize(
    "use",
    [
        sm.gradient,
        sm.hessian,
        sm.hessian_diagonal,
        lambda loss, theta: sm.hvp(loss, theta, theta),
    ],
)
def test_the_value_is_looked_at_where_the_derivatives_are_its_own(use):
    np.testing.assert_array_equal(np.sum(use(Elsewhere(0.5), [1.0, 1.0])), 2)
    with pytest.raises(ValueError, match="^loss must be finite at theta, got inf"):
        use(Elsewhere(np.inf), AT)
    with pytest.raises(ValueError, match="^loss must return a float64 number, got 1"):
        use(Elsewhere(1), AT)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_value_of_a_network_is_looked_at_where_autograd_follows_its_gradient():
    with pytest.raises(ValueError, match="^loss must be finite at theta, got inf"):
        autograd.grad(lambda theta: sm.gradient(NETWORK, theta)[0])(np.full(2, 1e200))


def test_errors_that_are_not_about_autograd_pass_through():
    def broken(theta):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        sm.gradient(broken, AT)
