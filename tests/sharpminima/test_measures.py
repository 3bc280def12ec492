"""Measures against closed forms on the two-parameter network, against their formulas in loops, and
against other routes: differences of the loss, scipy's optimizers, autograd through the inputs,
enumerated paths, networks that were in fact rescaled.

Second-order terms are compared with the quadratic form of the exact Hessian, so nothing is said of
how far they hold. A claim of invariance is tried on a network that interpolates its own outputs,
hence at an exact minimum, with factors up to a million a layer or a unit; that it fails where it is
known to fail is tried too.
"""

import itertools
import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES, Point, Undefined
from tests.support import PROJECT

EPS = np.finfo(float).eps
ROUNDING = 1000 * EPS  # of sums of a few hundred products, relative to the largest of them


def toy(a, b, target):
    """The network b relu(a x) at the one sample x = 1."""
    return Point(sm.NetworkLoss((1, 1, 1), [[1.0]], [target]), [a, b])


@pytest.fixture(scope="module")
def at(small):
    return Point(*small)


def interpolating(widths, *, criterion="squared_error", bias=False, seed=0):
    """A random network, every unit on somewhere, whose targets are its own outputs: L is least,
    gradients are 0, H = F.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, widths[0]))
    silent = True
    while silent:
        theta = rng.normal(size=sum(sm.layer_sizes(widths, bias=bias)))
        blank = sm.NetworkLoss(widths, x, np.zeros((8, widths[-1])), bias=bias)
        f = blank.outputs(theta)
        silent = any(
            (b.weight == 0).all(axis=1).any() for b in blank.layers(blank.hessian_diagonal(theta))
        )
    y = f if criterion == "squared_error" else np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    return Point(sm.NetworkLoss(widths, x, y, criterion=criterion, bias=bias), theta)


def weights(point):
    return [layer.weight for layer in point.layers]


# The two-parameter network, where everything is a formula of a and b


def toy_values(a, b):
    t, size, damped = a * b, a**2 + b**2, (a + 0.01) ** 2 * b**2 + (b + 0.01) ** 2 * a**2
    box = 100 * 1e-6 / 6 * ((a + 1) ** 2 * b**2 + (b + 1) ** 2 * a**2)
    return {
        **dict.fromkeys(
            ["largest_eigenvalue", "trace", "frobenius_norm", "fisher_trace", "squared_norm"], size
        ),
        **dict.fromkeys(["hessian_rank", "relative_largest_eigenvalue", "relative_trace"], 1),
        **dict.fromkeys(["negative_eigenvalues", "gradient_norm", "fisher_rao_labels"], 0),
        "log_determinant": math.log(1 + size),
        "laplace_evidence": (math.log(2 * math.pi) + size + math.log(1 + size)) / 2,
        **dict.fromkeys(["sam_worst", "sam_average"], 0.05**2 / 2 * size),
        **dict.fromkeys(
            ["asam_worst", "asam_average", "asam_filter_worst", "asam_filter_average"],
            0.5**2 * t**2,
        ),
        **dict.fromkeys(["asam_damped_worst", "asam_damped_average"], 0.5**2 / 2 * damped),
        "box_average": box,
        "layer_normalized": 2 * t**2,
        **dict.fromkeys(
            ["minimum_sharpness_layers", "minimum_sharpness_units", "normalized_flatness_icml"],
            2 * t,
        ),
        "normalized_flatness_arxiv": 4 * t,
        **dict.fromkeys(
            ["relative_flatness_first", "relative_flatness_last", "relative_flatness_normalized"],
            t**2,
        ),
        "fisher_rao": 4 * t**2,
        **dict.fromkeys(
            [
                "path_norm",
                "product_of_frobenius_norms",
                "product_of_spectral_norms",
                "input_gradient_norm",
            ],
            t,
        ),
    }


def test_the_closed_forms_leave_no_measure_out():
    assert set(toy_values(1.0, 1.0)) == set(MEASURES)


@pytest.mark.parametrize("name", toy_values(1.0, 1.0))
@pytest.mark.parametrize("a, b", [(1.0, 1.0), (2.0, 0.75), (1e-2, 30.0)])
def test_at_the_minimum_of_the_toy_every_measure_is_its_closed_form(name, a, b):
    value = MEASURES[name](toy(a, b, a * b))
    assert isinstance(value, int if name in ("hessian_rank", "negative_eigenvalues") else float)
    assert value == pytest.approx(toy_values(a, b)[name], rel=1e-12, abs=0)


@pytest.mark.parametrize("target, inertia", [(1.0, (1, 1)), (1e-9, (1, 1)), (0.0, (1, 0))])
def test_inertia_sees_curvature_beside_a_zero_on_the_diagonal(target, inertia):
    point = toy(3.0, 0.0, target)  # H = [[0, -target], [-target, 9]]
    assert (
        MEASURES["hessian_rank"](point) == sum(inertia)
        and MEASURES["negative_eigenvalues"](point) == inertia[1]
    )


# What is read off the Hessian and the Fisher information


def test_trace_norm_and_eigenvalue_agree_with_loops(at):
    H = sm.hessian(at.loss, at.theta, method="autograd")
    assert measures.trace(at) == pytest.approx(sum(H[i, i] for i in range(len(H))), rel=ROUNDING)
    assert measures.frobenius_norm(at) == pytest.approx(
        math.sqrt(math.fsum(h**2 for h in H.ravel())), rel=ROUNDING
    )
    assert measures.largest_eigenvalue(at) == pytest.approx(
        max(np.linalg.eigvals(H).real), rel=1e-10
    )
    assert measures.gradient_norm(at) == pytest.approx(
        math.hypot(*sm.gradient(at.loss, at.theta)), rel=ROUNDING
    )
    assert measures.hessian_rank(at) == np.linalg.matrix_rank(H, tol=1e-12)
    assert measures.negative_eigenvalues(at) == (np.linalg.eigvals(H).real < -1e-12).sum() > 0


def test_the_trace_of_fisher_is_that_of_the_hessian(at):
    assert measures.fisher_trace(at) == pytest.approx(measures.trace(at), rel=ROUNDING)


def test_log_determinant_agrees_with_an_lu_factorization():
    point = interpolating((3, 4, 2))
    for delta in (1.0, 1e-4):
        sign, logs = np.linalg.slogdet(point.hessian + delta * np.eye(len(point.theta)))
        assert sign == 1 and measures.log_determinant(point, delta=delta) == pytest.approx(
            logs, rel=1e-8
        )


def test_log_determinant_of_a_zero_hessian_is_that_of_the_damping():
    flat = Point(lambda theta: 0 * anp.sum(theta**2), np.ones(3))
    assert measures.log_determinant(flat, delta=2.0) == pytest.approx(3 * math.log(2), rel=4 * EPS)


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_laplace_evidence_is_the_integral_of_the_quadratic_approximation(criterion):
    """Against the Gaussian integral over two parameters, on a grid, of what the approximation puts
    in the exponent.
    """
    x, y = [[1.0], [-0.5], [2.0]], [1.0, 0.0, 2.0] if criterion == "squared_error" else [0, 1, 1]
    widths = (1, 1, 1) if criterion == "squared_error" else (1, 2)
    point = Point(sm.NetworkLoss(widths, x, y, criterion=criterion), [0.7, 1.1])
    P = 3 * point.fisher + 2.0 * np.eye(2)
    grid = np.linspace(
        -12, 12, 1201
    )  # the trapezoidal rule is exact to rounding for a Gaussian this wide
    u, v = np.meshgrid(grid, grid)
    exponent = -(P[0, 0] * u**2 + 2 * P[0, 1] * u * v + P[1, 1] * v**2) / 2
    log_volume = math.log(np.exp(exponent).sum() * (grid[1] - grid[0]) ** 2)
    log_prior = math.log(2.0 / (2 * math.pi)) - 2.0 / 2 * point.theta @ point.theta
    log_likelihood = -3 * point.value - (
        1.5 * math.log(2 * math.pi) if criterion == "squared_error" else 0
    )
    evidence = log_likelihood + log_prior + log_volume
    assert measures.laplace_evidence(point, precision=2.0) == pytest.approx(-evidence, rel=1e-10)


class Curve:
    """Outputs that are no network's: their Gauss-Newton matrix is regular and differs from the
    Hessian.
    """

    criterion, x = "squared_error", np.zeros((3, 1))

    def outputs(self, theta):
        a, b = theta
        return anp.stack([anp.array([a * a + b]), anp.array([anp.sin(b)]), anp.array([a * b + 1])])

    def __call__(self, theta):
        return anp.sum(self.outputs(theta) ** 2) / 6


def test_relative_eigenvalues_solve_the_generalized_problem():
    point = Point(Curve(), [0.8, 1.3])
    expected = scipy.linalg.eigh(point.hessian, point.fisher, eigvals_only=True)
    assert measures.relative_largest_eigenvalue(point) == pytest.approx(expected[-1], rel=1e-12)
    assert measures.relative_trace(point) == pytest.approx(
        np.trace(np.linalg.pinv(point.fisher) @ point.hessian), rel=1e-12
    )
    assert abs(expected[-1] - 1) > 0.1


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_where_h_is_f_the_relative_curvatures_are_ones(criterion):
    point = interpolating((4, 6, 3), criterion=criterion)
    assert measures.relative_largest_eigenvalue(point) == pytest.approx(1, rel=1e-10)
    assert measures.relative_trace(point) == pytest.approx(
        np.linalg.matrix_rank(point.fisher, tol=1e-10), rel=1e-10
    )


def test_relative_curvature_is_undefined_where_f_misses_directions_that_h_sees(at):
    with pytest.raises(Undefined, match="F is singular in directions in which H is not"):
        measures.relative_trace(at)


def test_relative_curvature_is_undefined_where_f_is_zero():
    with pytest.raises(Undefined, match="F is zero here"):
        measures.relative_largest_eigenvalue(toy(0.0, 0.0, 0.0))


# Perturbations


def radii(point, kind):
    """The T of each perturbation in loops over single weights."""
    rows = []
    for W, b in point.layers:
        for i, j in np.ndindex(W.shape):
            filter_norm = math.sqrt(sum(W[k, j] ** 2 for k in range(len(W))))
            rows.append(
                {
                    "sam": 1.0,
                    "asam": abs(W[i, j]),
                    "asam_damped": abs(W[i, j]) + 0.01,
                    "asam_filter": filter_norm,
                }[kind]
            )
        rows += [] if b is None else [1.0 if kind in ("sam", "asam_damped") else abs(v) for v in b]
    return np.array(rows)


KINDS = {"sam": 0.05, "asam": 0.5, "asam_damped": 0.5, "asam_filter": 0.5}


@pytest.mark.parametrize("kind, rho", KINDS.items())
def test_worst_is_the_largest_quadratic_term_that_ascent_finds(at, kind, rho):
    """Ascent on the sphere |v| = 1 by v -> (A + c I) v, which never descends; 2^20 steps at once by
    repeated squaring.
    """
    A = at.hessian * np.outer(radii(at, kind), radii(at, kind))
    steps = A + np.linalg.norm(A) * np.eye(len(A))
    for _ in range(20):
        steps = steps @ steps / np.linalg.norm(steps) ** 2
    v = steps @ np.random.default_rng(0).normal(size=len(A))
    d = rho * radii(at, kind) * v / np.linalg.norm(v)
    assert MEASURES[f"{kind}_worst"](at) == pytest.approx(d @ at.hessian @ d / 2, rel=1e-10)
    others = np.random.default_rng(1).normal(size=(1000, len(A)))
    others *= rho * radii(at, kind) / np.linalg.norm(others, axis=1, keepdims=True)
    assert np.einsum("si,ij,sj->s", others, at.hessian, others).max() / 2 <= MEASURES[
        f"{kind}_worst"
    ](at)


@pytest.mark.parametrize("kind, rho", KINDS.items())
def test_average_is_the_mean_over_points_with_the_second_moments_of_the_gaussian(at, kind, rho):
    """The 2n points ±sqrt(n) rho T_i e_i have the moments of N(0, rho² T²) to third order: on
    quadratics the mean is exact.
    """
    H, T = sm.hessian(at.loss, at.theta, method="autograd"), radii(at, kind)
    n = len(T)
    points = [
        sign * math.sqrt(n) * rho * T[i] * e for i, e in enumerate(np.eye(n)) for sign in (1, -1)
    ]
    mean = np.mean([d @ H @ d / 2 for d in points])
    assert MEASURES[f"{kind}_average"](at) == pytest.approx(mean, rel=ROUNDING)


def test_the_average_is_what_sampling_tends_to(at):
    rng, rho = np.random.default_rng(0), 0.5
    d = rho * at.theta * rng.normal(size=(40_000, len(at.theta)))
    terms = np.einsum("si,ij,sj->s", d, at.hessian, d, optimize=True) / 2
    assert abs(terms.mean() - measures.asam_average(at)) < 5 * terms.std() / math.sqrt(len(terms))


def test_asam_average_is_the_sum_over_the_fisher_diagonal(at):
    F = sm.gauss_newton(at.loss, at.theta)
    expected = 0.5**2 / 2 * sum(t**2 * F[i, i] for i, t in enumerate(at.theta))
    assert measures.asam_average(at) == pytest.approx(expected, rel=ROUNDING)


def test_box_average_integrates_over_the_box(at):
    H, epsilon = sm.hessian(at.loss, at.theta, method="autograd"), 1e-3
    sides = epsilon * (np.abs(at.theta) + 1)
    terms = [
        scipy.integrate.quad(lambda z, h=h: h * z**2 / 2, -side, side)[0] / (2 * side)
        for h, side in zip(np.diag(H), sides, strict=True)
    ]
    assert measures.box_average(at) == pytest.approx(100 * sum(terms) / (1 + at.value), rel=1e-12)


@pytest.mark.parametrize("name", ["sam_worst", "asam_worst"])
def test_where_nothing_curves_upwards_the_largest_term_is_zero(name):
    class Hill:
        def __call__(self, theta):
            return -anp.sum(theta**2)

    assert MEASURES[name](Point(Hill(), [1.0, 2.0])) == 0


def test_layer_normalized_is_the_power_method_of_the_released_code():
    point = interpolating((3, 4, 3, 2))
    squares = np.concatenate([np.full(W.size, (W**2).sum()) for W in weights(point)])
    v = np.random.default_rng(0).normal(size=len(squares))
    for _ in range(2000):
        v = squares * (point.hessian @ v)
        v /= math.sqrt(np.sum(v**2 / squares))  # the metric sum <u_k, v_k> / |W_k|²
    assert measures.layer_normalized(point) == pytest.approx(
        np.sum(squares * (point.hessian @ v) * v / squares), rel=1e-8
    )


# The least over an orbit


def test_least_sum_of_two_is_the_mean_of_the_closed_form():
    assert measures.least_sum(np.array([[5.0, 4.0], [9.0, 7.0]])) == pytest.approx(
        12 + 2 * math.sqrt(4 * 9), rel=1e-12
    )


@settings(max_examples=50)
@given(st.lists(st.floats(-14, 14), min_size=2, max_size=7))
def test_least_sum_of_a_cycle_is_k_times_its_geometric_mean(logs):
    k = len(logs)
    M = np.zeros((k, k))
    M[np.arange(k), np.roll(np.arange(k), -1)] = np.exp(logs)
    assert measures.least_sum(M) == pytest.approx(k * math.exp(np.mean(logs)), rel=1e-10)


def test_least_sum_leaves_out_what_lies_on_no_cycle():
    M = np.array([[0.0, 4.0, 100.0], [9.0, 0.0, 100.0], [0.0, 0.0, 2.0]])
    assert measures.least_sum(M) == pytest.approx(2 * 6 + 2, rel=1e-12)
    assert measures.least_sum(np.array([[0.0, 1.0], [0.0, 0.0]])) == 0


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_least_sum_does_not_depend_on_a_scaling_and_no_scaling_goes_below_it(seed):
    rng = np.random.default_rng(seed)
    M = rng.exponential(size=(6, 6)) * (rng.random((6, 6)) < 0.7)
    least, u = measures.least_sum(M), rng.uniform(-14, 14, size=(20, 6))
    assert measures.least_sum(M * np.exp(u[0][:, None] - u[0])) == pytest.approx(least, rel=1e-10)
    near = 1e-3 * u  # close to where the unscaled matrix is
    assert all(np.sum(M * np.exp(v[:, None] - v)) >= least * (1 - 1e-12) for v in (*u, *near))


def test_at_the_least_sum_rows_and_columns_balance():
    """The condition of Karush, Kuhn and Tucker, for the scaling that Osborne's iteration finds."""
    M = np.random.default_rng(0).exponential(size=(7, 7))
    scaled = M.copy()
    for _ in range(200):
        for k in range(len(M)):
            row, column = (scaled[k].sum() - scaled[k, k], scaled[:, k].sum() - scaled[k, k])
            factor = math.sqrt(column / row)
            scaled[k] *= factor
            scaled[:, k] /= factor
    np.testing.assert_allclose(scaled.sum(axis=0), scaled.sum(axis=1), rtol=1e-12)
    assert measures.least_sum(M) == pytest.approx(scaled.sum(), rel=1e-12)


@pytest.mark.parametrize("widths", [(3, 4, 2), (3, 5, 4, 2)])
def test_without_biases_minimum_sharpness_is_k_times_the_geometric_mean(widths):
    point = interpolating(widths)
    traces = [
        part.sum() for part in np.split(np.diag(point.hessian), np.cumsum(point.loss.sizes)[:-1])
    ]
    K = len(traces)
    assert measures.minimum_sharpness_layers(point) == pytest.approx(
        K * math.prod(traces) ** (1 / K), rel=1e-10
    )


def test_with_two_layers_the_least_over_units_is_a_sum_of_roots():
    point = interpolating((3, 5, 2))
    inner, outer = point.loss.layers(np.diag(point.hessian))
    expected = 2 * sum(
        math.sqrt(inner.weight[:, j].sum() * outer.weight[j].sum()) for j in range(5)
    )
    assert measures.minimum_sharpness_units(point) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("what", ["layers", "units"])
def test_minimum_sharpness_is_the_least_trace_of_networks_that_are_in_fact_rescaled(what, bias):
    point = interpolating((3, 4, 3, 2), bias=bias)
    widths = point.loss.widths

    def log_trace(logs):
        scales = (
            np.split(np.exp(logs), [4])
            if what == "units"
            else [np.full(4, math.exp(logs[0])), np.full(3, math.exp(logs[1]))]
        )
        rescaled = sm.ravel(sm.node_scale(point.layers, scales))
        return math.log(sm.hessian_diagonal(point.loss, rescaled).sum())

    found = scipy.optimize.minimize(
        log_trace, np.zeros(sum(widths[1:-1]) if what == "units" else 2), method="BFGS"
    )
    # BFGS stops at slopes of 1e-5; near the least value the error is the square of that by the
    # least curvature, 1e-3 and more.
    assert MEASURES[f"minimum_sharpness_{what}"](point) == pytest.approx(
        math.exp(found.fun), rel=1e-7
    )
    assert MEASURES[f"minimum_sharpness_{what}"](point) <= math.exp(found.fun) * (1 + 1e-12)


@pytest.mark.parametrize("form", ["arxiv", "icml"])
def test_normalized_flatness_is_the_least_value_of_its_formula(at, form):
    """The formula of each form, over the logarithms of the factors, minimized by BFGS layer by
    layer.
    """
    total = 0.0
    for (W, _), (C, _) in zip(at.layers, at.loss.layers(np.diag(at.hessian)), strict=True):
        d = len(W)

        def formula(logs, W=W, C=C, d=d):
            s, t = anp.exp(logs[:d]), anp.exp(logs[d:])
            if form == "icml":
                return anp.log(anp.sum(anp.dot(1 / s, W**2) * anp.dot(s, C))) / 2
            return anp.log(anp.dot(s, anp.dot(C, t)) + anp.dot(1 / s, anp.dot(W**2, 1 / t)))

        found = scipy.optimize.minimize(
            formula, np.zeros(sum(W.shape)), jac=autograd.grad(formula), options={"gtol": 1e-9}
        )
        total += math.exp(found.fun)
    assert MEASURES[f"normalized_flatness_{form}"](at) == pytest.approx(total, rel=1e-9)


def test_the_two_forms_of_normalized_flatness_disagree(at):
    # The best t makes the arXiv form 2 sum sqrt(c_j w_j), of which sqrt(sum c_j w_j) is at most the
    # half.
    assert measures.normalized_flatness_arxiv(at) > 2.01 * measures.normalized_flatness_icml(at)


def test_a_minimum_over_an_orbit_needs_curvature_of_one_sign():
    class Saddle(sm.NetworkLoss):
        def hessian_diagonal(self, theta):
            return np.array([1.0, -1.0])

    with pytest.raises(Undefined, match="no negative diagonal entry"):
        measures.minimum_sharpness_units(Point(Saddle((1, 1, 1), [[1.0]], [1.0]), [1.0, 1.0]))


def test_a_negative_entry_of_the_size_of_rounding_counts_as_zero():
    class Rounded(sm.NetworkLoss):
        def hessian_diagonal(self, theta):
            return np.array([4.0, -4 * EPS, 9.0, 1.0])

    # The second unit has no inner curvature, so that of its outer weight can be scaled away.
    assert measures.minimum_sharpness_units(
        Point(Rounded((1, 2, 1), [[1.0]], [1.0]), np.ones(4))
    ) == pytest.approx(12, rel=1e-12)


def test_a_minimum_that_is_not_found_is_an_error(monkeypatch):
    def nothing(value, u, *, jac, **options):
        return scipy.optimize.OptimizeResult(x=u, fun=value(u), jac=jac(u), message="stopped early")

    monkeypatch.setattr(scipy.optimize, "minimize", nothing)
    with pytest.raises(Undefined, match="the minimum over the orbit was not found: stopped early"):
        measures.least_sum(np.array([[0.0, 4.0], [9.0, 0.0]]))


@pytest.mark.parametrize("name", ["minimum_sharpness_layers", "minimum_sharpness_units"])
def test_without_a_trace_there_is_no_minimum_over_the_orbit(name):
    with pytest.raises(Undefined, match="no trace here that rescaling cannot take away"):
        MEASURES[name](toy(2.0, 0.0, 1.0))


# Relative flatness


def relative_flatness_in_loops(point, layer, theta=None):
    theta = point.theta if theta is None else theta
    params, H = point.loss.layers(theta), sm.hessian(point.loss, theta, method="autograd")
    start = sum(part.size for each in params[:layer] for part in each if part is not None)
    W = params[layer].weight
    d, m = W.shape
    pairs = itertools.product(range(m), range(m), range(d))
    return sum(W[:, i] @ W[:, j] * H[start + k * m + i, start + k * m + j] for i, j, k in pairs)


def test_relative_flatness_is_its_formula_in_loops(at):
    last = len(at.layers) - 1
    assert measures.relative_flatness_first(at) == pytest.approx(
        relative_flatness_in_loops(at, 0), rel=ROUNDING
    )
    assert measures.relative_flatness_last(at) == pytest.approx(
        relative_flatness_in_loops(at, last), rel=ROUNDING
    )


def test_normalized_features_are_those_of_a_network_that_is_in_fact_rescaled(at):
    last = len(at.layers) - 1
    features = sm.forward(
        (*at.layers[:-1], sm.Layer(np.eye(at.loss.widths[-2]))), at.loss.x, activation=sm.relu
    )
    # `forward` leaves the last layer linear; the identity after the last hidden layer shows what
    # that layer puts out.
    scales = [np.ones(d) for d in at.loss.widths[1:-1]]
    scales[-1] = np.where(
        features.std(axis=0) > 0, 1 / np.where(features.std(axis=0) > 0, features.std(axis=0), 1), 1
    )
    rescaled = sm.ravel(sm.node_scale(at.layers, scales))
    expected = relative_flatness_in_loops(at, last, rescaled)
    assert measures.relative_flatness_normalized(at) == pytest.approx(expected, rel=10 * ROUNDING)


def test_one_layer_has_no_features_to_normalize():
    with pytest.raises(Undefined, match="must have a hidden layer"):
        measures.relative_flatness_normalized(interpolating((3, 2)))


# Norms, and what is read off the outputs


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 4, 3, 2)])
def test_without_biases_fisher_rao_is_read_off_the_outputs(widths, criterion):
    point = interpolating(widths, criterion=criterion)
    K, total, with_labels = len(widths) - 1, 0.0, 0.0
    other = Point(
        point.loss.on(point.loss.x, np.roll(point.loss.y, 1, axis=0)), point.theta
    )  # no longer a minimum
    for f, y in zip(point.outputs, other.loss.y, strict=True):
        p = np.exp(f) / np.exp(f).sum()
        A = np.diag(p) - np.outer(p, p) if criterion == "cross_entropy" else np.eye(len(f))
        total += K**2 * f @ A @ f / len(point.outputs)
        with_labels += (
            K**2
            * ((p if criterion == "cross_entropy" else f) - y)
            @ f
            * (((p if criterion == "cross_entropy" else f) - y) @ f)
            / len(point.outputs)
        )
    assert measures.fisher_rao(point) == pytest.approx(total, rel=10 * ROUNDING)
    assert measures.fisher_rao_labels(other) == pytest.approx(with_labels, rel=10 * ROUNDING)


def test_fisher_rao_with_labels_is_the_mean_of_squared_slopes(at):
    slopes = [
        sm.gradient(at.loss.on(at.loss.x[i : i + 1], at.loss.y[i : i + 1]), at.theta) @ at.theta
        for i in range(7)
    ]
    assert measures.fisher_rao_labels(at) == pytest.approx(
        np.mean(np.square(slopes)), rel=10 * ROUNDING
    )


def test_path_norm_enumerates_all_paths(at):
    W, widths = weights(at), at.loss.widths
    total = 0.0
    for path in itertools.product(*map(range, widths)):
        total += (
            math.prod(w[i, j] for w, (i, j) in zip(W, itertools.pairwise(path), strict=True)) ** 2
        )
    for k, layer in enumerate(at.layers):  # and those that begin at the bias of layer k
        if layer.bias is not None:
            for path in itertools.product(*map(range, widths[k + 1 :])):
                steps = zip(W[k + 1 :], itertools.pairwise(path), strict=True)
                total += (layer.bias[path[0]] * math.prod(w[i, j] for w, (i, j) in steps)) ** 2
    assert measures.path_norm(at) == pytest.approx(math.sqrt(total), rel=ROUNDING)


def test_products_of_norms_are_those_of_singular_values(at):
    values = [scipy.linalg.svdvals(W) for W in weights(at)]
    assert measures.product_of_spectral_norms(at) == pytest.approx(
        math.prod(s[0] for s in values), rel=ROUNDING
    )
    assert measures.product_of_frobenius_norms(at) == pytest.approx(
        math.prod(math.hypot(*s) for s in values), rel=ROUNDING
    )
    assert measures.squared_norm(at) == pytest.approx(math.fsum(at.theta**2), rel=ROUNDING)


def input_gradients(point, theta):
    """The root mean square of df/dx by autograd."""
    params = point.loss.layers(theta)

    def f(x):
        for k, (W, b) in enumerate(params):
            x = anp.dot(x, W) + (0 if b is None else b)
            x = x if k == len(params) - 1 else x * (x > 0)
        return x

    return math.sqrt(np.mean([np.sum(autograd.jacobian(f)(x) ** 2) for x in point.loss.x]))


def test_input_gradient_agrees_with_autograd_through_the_inputs(at):
    assert measures.input_gradient_norm(at) == pytest.approx(
        input_gradients(at, at.theta), rel=ROUNDING
    )


def test_input_gradient_of_a_reparametrized_loss_is_that_of_the_function(at):
    class Halved:  # as `reparametrize` makes them: theta = g(eta), layers read from eta
        loss, layers, x = at.loss, at.loss.layers, at.loss.x

        @staticmethod
        def g(eta):
            return eta / 2

        def __call__(self, eta):
            return at.loss(self.g(eta))

    assert measures.input_gradient_norm(
        Point(Halved(), 2 * at.theta)
    ) == measures.input_gradient_norm(at)


# Claims


def gauge(widths, kind, rng, span=6):
    """The diagonal of a random rescaling, with factors from 10^-span to 10^span."""
    if kind == "node_scale":
        return sm.node_diagonal(
            widths, [10 ** rng.uniform(-span, span, size=d) for d in widths[1:-1]]
        )
    logs = rng.uniform(-span, span, size=len(widths) - 1)
    logs -= logs.mean()
    return sm.alpha_diagonal(widths, 10**logs)


# The authors claim it, and it is not so: the units that feed the layer may be scaled unevenly.
DENIED = {("relative_flatness_last", "node_scale")}
CLAIMED = [
    (name, kind)
    for name, m in MEASURES.items()
    for kind in measures.SCALES
    if kind in m.claims and not m.vanishes
]


@pytest.mark.parametrize("name, kind", CLAIMED)
@pytest.mark.parametrize("widths", [(4, 6, 3), (4, 6, 5, 3)])
def test_a_claimed_invariance_holds_for_factors_up_to_a_million(name, kind, widths):
    here = interpolating(widths, criterion="cross_entropy", seed=1)
    rng = np.random.default_rng(0)
    value = MEASURES[name](here)
    there = [
        MEASURES[name](Point(here.loss, gauge(widths, kind, rng) * here.theta)) for _ in range(3)
    ]
    if (name, kind) in DENIED:
        assert all(abs(v / value - 1) > 1e-2 for v in there)
    else:
        np.testing.assert_allclose(there, value, rtol=1e-9)


@pytest.mark.parametrize(
    "name, kind", [(n, k) for n, k in CLAIMED if n not in ("layer_normalized", *dict(DENIED))]
)
def test_a_claimed_invariance_holds_with_biases(name, kind):
    widths = (4, 6, 5, 3)
    here, rng = (
        interpolating(widths, criterion="cross_entropy", bias=True, seed=1),
        np.random.default_rng(0),
    )
    scales = [10 ** rng.uniform(-3, 3, size=d) for d in widths[1:-1]]
    if kind == "layer_scale":
        scales = [np.full(d, s[0]) for d, s in zip(widths[1:-1], scales, strict=True)]
    d = sm.node_diagonal(widths, scales, bias=True)
    expected = MEASURES[name](here)
    assert MEASURES[name](Point(here.loss, d * here.theta)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["node_scale", "layer_scale"]))
def test_the_least_trace_over_units_and_the_input_gradient_survive_every_scaling(seed, kind):
    here = interpolating((4, 5, 4, 2), seed=2)
    there = Point(here.loss, gauge((4, 5, 4, 2), kind, np.random.default_rng(seed)) * here.theta)
    for name in (
        "minimum_sharpness_units",
        "input_gradient_norm",
        "fisher_rao",
        "path_norm",
        "asam_worst",
    ):
        assert MEASURES[name](there) == pytest.approx(MEASURES[name](here), rel=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "trace",
        "sam_worst",
        "box_average",
        "squared_norm",
        "asam_damped_average",
        "laplace_evidence",
    ],
)
def test_a_measure_without_a_claim_changes(name):
    here = interpolating((4, 6, 3), seed=1)
    d = sm.alpha_diagonal((4, 6, 3), (8.0, 1 / 8))
    assert not MEASURES[name].claims
    assert abs(MEASURES[name](Point(here.loss, d * here.theta)) / MEASURES[name](here) - 1) > 1e-3


@pytest.mark.parametrize(
    "name",
    ["asam_filter_worst", "asam_filter_average", "layer_normalized", "minimum_sharpness_layers"],
)
def test_what_is_normalized_by_filter_or_by_layer_does_not_survive_the_scaling_of_units(name):
    here = interpolating((4, 6, 3), seed=1)
    d = gauge((4, 6, 3), "node_scale", np.random.default_rng(0), span=1)
    assert abs(MEASURES[name](Point(here.loss, d * here.theta)) / MEASURES[name](here) - 1) > 1e-2


def test_a_unit_that_is_never_on_takes_the_invariance_from_normalized_features():
    rng = np.random.default_rng(0)
    params = (sm.Layer(np.array([[1.0, -1.0], [2.0, -0.5]])), sm.Layer(rng.normal(size=(2, 2))))
    loss = sm.NetworkLoss((2, 2, 2), rng.uniform(1, 2, size=(6, 2)), np.zeros((6, 2)))
    here, there = (Point(loss, sm.ravel(sm.node_scale(params, [[1.0, c]]))) for c in (1.0, 10.0))
    np.testing.assert_array_equal(here.outputs, there.outputs)
    assert (
        abs(
            measures.relative_flatness_normalized(there)
            / measures.relative_flatness_normalized(here)
            - 1
        )
        > 1e-2
    )


@pytest.mark.parametrize("name", [name for name, m in MEASURES.items() if m.vanishes])
def test_what_is_said_to_vanish_does_at_interpolation_and_not_elsewhere(name, at):
    assert (
        abs(MEASURES[name](interpolating((4, 6, 3), criterion="cross_entropy")))
        < ROUNDING
        < MEASURES[name](at)
    )


# Points and the registry


def test_all_measures_share_what_a_point_computes():
    calls = []

    class Counting(sm.NetworkLoss):
        def hessian(self, theta, *, out=None):
            calls.append("hessian")
            return super().hessian(theta, out=out)

        def gauss_newton(self, theta, *, out=None):
            calls.append("fisher")
            return super().gauss_newton(theta, out=out)

    here = interpolating((3, 4, 2))
    point = Point(Counting(here.loss.widths, here.loss.x, here.loss.y), here.theta)
    assert not calls
    for m in MEASURES.values():
        m(point)
    assert sorted(calls) == ["fisher", "hessian"]


def test_a_point_keeps_its_own_copy_of_theta():
    theta = np.array([3.0, 1.0])
    point = Point(lambda t: t[0] * t[1], theta)
    theta[:] = 0
    assert point.value == 3.0
    with pytest.raises(ValueError, match="theta must be a vector"):
        Point(lambda t: 0.0, np.zeros((2, 2)))


def test_the_diagonal_is_read_off_a_hessian_that_is_there(at):
    fresh = Point(at.loss, at.theta)
    np.testing.assert_allclose(fresh.hessian_diagonal, np.diag(fresh.hessian), rtol=ROUNDING)
    plain = Point(lambda t: t[0] ** 2 * t[1], [3.0, 1.0])
    np.testing.assert_array_equal(plain.hessian_diagonal, [2, 0])


def test_every_measure_says_what_it_is():
    bibliography = (PROJECT / "references.bib").read_text(encoding="utf-8")
    for key, m in MEASURES.items():
        assert (
            m.__name__ == m.function.__name__ == key and m.function.__doc__ and m.name and m.source
        )
        assert m.formula.startswith("$") and "$" not in m.formula[1:].split("$", 1)[0]
        assert m.claims <= set(measures.KEEPING)
        assert m.cite is None or f"{{{m.cite}," in bibliography
    names = {m.name for m in MEASURES.values()}
    assert len(names) == len(MEASURES) and not names & set(sm.LEFT_OUT)
    assert all(sm.LEFT_OUT.values())


def test_a_function_of_a_point_becomes_a_measure_and_stays_a_function():
    @sm.measure("Twice the loss", formula="$2L$", source="this test", claims=["layer_scale"])
    def twice(point, *, times=2):
        return np.float64(times * point.value)

    try:
        registered, point = MEASURES["twice"], toy(1.0, 1.0, 0.0)
        assert registered(point) == twice(point) == 1.0 and type(twice(point)) is float
        assert twice(point, times=3) == 1.5
        assert registered.claims == {"layer_scale"} and not registered.function_space
    finally:
        del MEASURES["twice"]


def test_a_claim_must_be_to_a_transformation_that_is_known():
    with pytest.raises(ValueError, match="claims must be among layer_scale, .*, got everything"):
        sm.measure("Any", formula="$0$", source="none", claims=["everything"])


def test_a_measure_wants_a_point():
    with pytest.raises(ValueError, match=r"point must be a Point\(loss, theta\), got list"):
        measures.trace([1.0, 2.0])


NEEDS = {
    "asam_filter_worst": "layers",
    "path_norm": "layers",
    "minimum_sharpness_units": "layers",
    "fisher_rao": "outputs",
    "fisher_trace": "outputs",
    "fisher_rao_labels": "y",
    "input_gradient_norm": "layers",
}


@pytest.mark.parametrize("name, missing", NEEDS.items())
def test_a_loss_that_does_not_know_enough_has_no_value(name, missing):
    with pytest.raises(Undefined, match=f"the loss must have {missing}, which .* has not"):
        MEASURES[name](Point(lambda theta: anp.sum(theta**2), np.ones(3)))


def test_measures_of_the_hessian_take_any_loss():
    point = Point(lambda theta: anp.sum(theta**2) / 2, np.ones(3))
    assert (
        measures.trace(point) == 3
        and measures.largest_eigenvalue(point) == 1
        and measures.asam_average(point) == 3 / 8
    )


def test_layers_must_be_theta():
    class Other(sm.NetworkLoss):
        def layers(self, theta):
            return super().layers(theta[::-1])

    with pytest.raises(Undefined, match="layers must hold theta in the order of ravel"):
        measures.path_norm(Point(Other((1, 1, 1), [[1.0]], [1.0]), [1.0, 2.0]))


def test_layer_normalized_is_for_networks_without_biases():
    with pytest.raises(Undefined, match="the formula is for networks without biases"):
        measures.layer_normalized(interpolating((2, 3, 1), bias=True))


def test_log_determinant_needs_a_positive_definite_matrix():
    with pytest.raises(
        Undefined, match=r"H \+ 1 is not positive definite here, its least eigenvalue is -1"
    ):
        measures.log_determinant(Point(lambda t: -(t[0] ** 2), [1.0]))


def test_the_box_needs_a_loss_above_minus_one():
    with pytest.raises(Undefined, match="the loss must be greater than -1, got -4"):
        measures.box_average(Point(lambda t: -(t[0] ** 2), [2.0]))


def test_a_value_that_overflows_is_undefined():
    with pytest.raises(Undefined, match="Squared norm is not finite here, got inf"):
        measures.squared_norm(Point(lambda t: t[0] * 0.0, [1e200]))
