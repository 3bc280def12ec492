"""SGD against a loop written by hand, and minima against what the book calls genuine.

The running examples' numbers are those of one seed: other seeds, sizes and data may end on a kink,
which `examine` then says. Nothing here shows that a minimum is a good one beyond its test accuracy,
nor that SGD is fast.
"""

import io
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from functools import partial

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

import sharpminima as sm
from sharpminima import training
from tests.sharpminima.support import EPS


def linear_problem(seed=0, n_samples=10):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n_samples, 3)), rng.normal(size=n_samples)
    return sm.NetworkLoss((3, 1), x, y), x, y, rng.normal(size=3)


# SGD


@given(st.integers(1, 12), st.integers(1, 4))
def test_sgd_is_the_loop_one_writes_by_hand(batch_size, epochs):
    loss, x, y, theta = linear_problem()
    ours = sm.sgd(
        loss,
        theta,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=0.1,
        rng=np.random.default_rng(5),
    )
    rng = np.random.default_rng(5)
    for _ in range(epochs):
        order = rng.permutation(10).tolist()
        while order:
            batch, order = order[:batch_size], order[batch_size:]  # the last one may be smaller
            slope = sum((x[i] @ theta - y[i]) * x[i] for i in batch) / len(batch)
            theta = theta - 0.1 * slope
    np.testing.assert_allclose(
        ours, theta, rtol=0, atol=1000 * EPS
    )  # 40 steps of a few roundings, contracting


@pytest.mark.claim("step-size-sets-sharpness")
def test_sgd_on_all_samples_is_gradient_descent(small):
    loss, theta = small
    ours = sm.sgd(
        loss,
        theta,
        epochs=1,
        batch_size=len(loss.x),
        learning_rate=0.5,
        rng=np.random.default_rng(0),
    )
    step = 0.5 * sm.gradient(loss, theta)  # of the same samples in another order
    np.testing.assert_allclose(
        ours, theta - step, rtol=0, atol=100 * EPS * (1 + np.abs(step).max())
    )


def test_sgd_is_reproducible_and_depends_on_nothing_but_its_rng():
    loss, _, _, theta = linear_problem()

    def run(seed):
        rng = np.random.default_rng(seed)
        return sm.sgd(loss, theta, epochs=2, batch_size=3, learning_rate=0.1, rng=rng)

    np.random.seed(1)
    first = run(0)
    np.random.seed(2)
    np.testing.assert_array_equal(run(0), first)
    assert (run(1) != first).any()


def test_sgd_leaves_its_starting_point_alone():
    loss, _, _, theta = linear_problem()
    before = theta.copy()
    sm.sgd(loss, theta, epochs=1, batch_size=3, learning_rate=0.1, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(theta, before)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("learning_rate", [3.0, 1e3, 1e200, 1e300])
def test_sgd_says_when_it_diverges(learning_rate):
    loss, _, _, theta = linear_problem()
    with pytest.raises(
        FloatingPointError, match=r"SGD diverged in epoch \d+: learning_rate .* is too large"
    ):
        sm.sgd(
            loss,
            theta,
            epochs=2000,
            batch_size=4,
            learning_rate=learning_rate,
            rng=np.random.default_rng(0),
        )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_sgd_says_so_when_only_its_last_step_diverges():
    loss, _, _, theta = linear_problem()
    with pytest.raises(FloatingPointError, match="SGD diverged in epoch 0"):
        sm.sgd(
            loss, theta, epochs=1, batch_size=10, learning_rate=1e200, rng=np.random.default_rng(0)
        )


RUN = """
import numpy as np, sharpminima as sm
loss = sm.NetworkLoss((1, 1), [[1.0]], [1.0])
sm.sgd(loss, [0.0], epochs=3, batch_size=1, learning_rate=0.1, rng=np.random.default_rng(0))
sm.polish(loss, [0.0])
"""


def test_the_progress_bar_goes_to_stderr():
    shown = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    run = subprocess.run(
        [sys.executable, "-c", RUN], env=shown, capture_output=True, text=True, check=True
    )
    assert run.stdout == "" and "SGD" in run.stderr and "polish" in run.stderr


def test_the_progress_bar_is_silent_under_tqdm_disable(capfd):
    assert os.environ["TQDM_DISABLE"] == "1"  # since before tqdm was imported
    exec(RUN, {})
    assert capfd.readouterr() == ("", "")


def test_the_progress_bars_are_gone_at_the_end(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(training, "tqdm", partial(tqdm, disable=False, file=shown))
    exec(RUN, {})
    sm.polish(linear_problem()[0].like(l2=0.1), np.zeros(3))  # a descent
    text = shown.getvalue()
    assert text.count("SGD") == 1 and "polish" in text and "\n" not in text


# Genuine minima


@pytest.mark.parametrize("name, sizes", [("example", (1024, 16)), ("sibling", (768, 96, 8))])
def test_the_running_examples_rest_at_genuine_minima(name, sizes, request):
    loss, theta, data = request.getfixturevalue(name)
    H = request.getfixturevalue(name + "_hessian")
    assert (
        loss.sizes == sizes
        and len(loss.x) == 200
        and not loss.bias
        and loss.criterion == "squared_error"
    )
    assert loss(theta) < 1e-29 and np.linalg.norm(sm.gradient(loss, theta)) < 1e-14
    assert not sm.kinks(loss, theta, tol=1e-6)
    assert sm.inertia(H, sizes=loss.sizes) == (200, 0, loss.size - 200)
    right = np.sign(loss.on(data.x_test, data.y_test).outputs(theta)[:, 0]) == data.y_test
    assert len(right) == 1597 and 0.90 <= right.mean() <= 0.94
    np.testing.assert_array_equal(loss.x, data.x_train)
    np.testing.assert_array_equal(loss.y[:, 0], data.y_train)


def test_examine_measures_a_minimum_known_in_closed_form():
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    minimum = sm.examine(toy, [2.0, 0.5])  # H = [[1/4, 1], [1, 4]]
    assert (
        minimum.genuine
        and minimum.shortcomings == []
        and minimum.value == 0
        and minimum.gradient_norm == 0
    )
    assert minimum.margin == 2 and minimum.largest_eigenvalue == pytest.approx(4.25, rel=4 * EPS)
    assert abs(minimum.smallest_eigenvalue) < 4 * EPS * 4.25
    assert minimum.relative_gradient == 0 and minimum.relative_margin == 1
    assert minimum.relative_curvature == pytest.approx(1, rel=4 * EPS)
    assert str(minimum) == "L = 0, |grad L| = 0, margin 2: a genuine minimum"


def test_weight_decay_counts_as_curvature_that_the_outputs_do_not_have():
    loss = sm.NetworkLoss((1, 1), [[2.0], [4.0]], [1.0, 1.0], l2=30.0)  # J'J / N = 10
    assert sm.examine(loss, [1.0]).relative_curvature == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("theta, expected", [(1.0, 0.5), (4.0, 1.0), (6.0, 1.0)])
def test_a_gradient_is_measured_by_the_larger_of_two_losses(theta, expected):
    """lambda = 1/4, the residual r = theta / 2 - 1 makes |grad L| = |r| / 2, and S is the larger of
    1/2 and r^2 / 2.
    """
    loss = sm.NetworkLoss((1, 1), [[0.5]], [1.0])
    assert sm.examine(loss, [theta]).relative_gradient == pytest.approx(expected, rel=4 * EPS)
    assert training._find_gradient_scale(loss, np.array([theta]), -1e-20) == 0  # rounding of zero


def test_no_matrix_is_made_of_more_parameters_than_the_dense_order(monkeypatch):
    loss, x, _, theta = linear_problem()
    values = np.linalg.eigvalsh(x.T @ x / 10)
    for order, unused in ((3, "hessian_operator"), (2, "hessian")):
        with monkeypatch.context() as patch:
            patch.setattr(training, "DENSE_ORDER", order)
            patch.setattr(training, unused, lambda *_: pytest.fail("the other one was meant"))
            found = sm.examine(loss, theta)
        assert found.smallest_eigenvalue == pytest.approx(values[0], rel=1e-9)
        assert found.largest_eigenvalue == pytest.approx(values[-1], rel=1e-9)


def test_a_slope_without_any_curvature_is_infinite_without_a_warning():
    loss = sm.NetworkLoss((1, 1), [[1.0]], [0], criterion="binary_cross_entropy")
    with np.errstate(divide="raise", invalid="raise"):
        found = sm.examine(loss, [1000.0])  # e^-1000 is zero
    assert found.gradient_norm == 1 and found.relative_gradient == np.inf


def test_examine_measures_the_gradient_by_its_euclidean_norm():
    assert (
        sm.examine(sm.NetworkLoss((2, 1), [[3.0, 4.0]], [0.0]), [1.0, 0.0]).gradient_norm == 15
    )  # of (9, 12)


SHORTCOMINGS = {
    # lambda = 1 and the loss of output zero is 1/2, so that the scale is 1.
    "a slope": (
        (1, 1),
        [[1.0]],
        [1.0],
        [1.5],
        "its gradient is 0.5, 0.5 of the problem's scale, above 1e-10",
    ),
    "a kink": (
        (1, 2, 1),
        [[1.0]],
        [1.0],
        [1.0, 1e-7, 1.0, 0.0],
        # The layer's are 1 and 1e-7: in the root mean square 1 / sqrt 2.
        "a pre-activation is 1e-07 from a kink, 1.4e-07 of its layer's size, nearer than 1e-06",
    ),
    "no curvature": (
        (1, 1, 1),
        [[1.0]],
        [1.0],
        [-1.0, 1.0],
        "its curvature is 0 of what the outputs' slopes allow, below 0.001",
    ),
    # H = [[0, 0, 0], [0, 0, -1], [0, -1, 1]] by hand: eigenvalues (1 +- sqrt 5) / 2, and no
    # gradient.
    "a saddle": (
        (2, 1, 1),
        [[1.0, 1.0], [1.0, -1.0]],
        [1.0, -1.0],
        [1.0, 0.0, 0.0],
        "the loss falls along a direction of curvature -0.62",
    ),
}


@pytest.mark.parametrize("case", SHORTCOMINGS)
def test_examine_says_what_keeps_a_point_from_being_a_genuine_minimum(case):
    widths, x, y, theta, expected = SHORTCOMINGS[case]
    # The saddle's unit gives 1 at both samples: far from a kink, and the residuals cancel.
    found = sm.examine(sm.NetworkLoss(widths, x, y), theta)
    assert found.shortcomings == [expected] and not found.genuine
    assert str(found).endswith(f": not a genuine minimum: {expected}")


GENUINE = sm.Minimum(
    np.zeros(1),
    0.0,
    gradient_norm=1e-10,
    margin=1e-6,
    largest_eigenvalue=1e-3,
    smallest_eigenvalue=-1e-12,
    relative_gradient=1e-10,
    relative_margin=1e-6,
    relative_curvature=1e-3,
)


def test_the_tolerances_themselves_are_still_genuine():
    assert GENUINE.genuine


def test_a_minimum_is_not_changed():
    with pytest.raises(FrozenInstanceError):
        GENUINE.value = 1.0
    assert not GENUINE.falls_for_ever


@pytest.mark.parametrize(
    "field", ["relative_gradient", "relative_margin", "relative_curvature", "smallest_eigenvalue"]
)
@pytest.mark.parametrize("value", [np.nan, "beyond"])
def test_each_measurement_beyond_its_tolerance_or_nan_is_a_shortcoming(field, value):
    beyond = {
        "relative_gradient": 1.01e-10,
        "relative_margin": 0.99e-6,
        "relative_curvature": 0.99e-3,
        "smallest_eigenvalue": -1.01e-12,
    }
    assert not replace(GENUINE, **{field: beyond[field] if value == "beyond" else np.nan}).genuine


def test_names_of_the_first_editions_still_work():
    assert GENUINE.curvature == 1e-3 and GENUINE.descent == -1e-12
    assert sm.Descent is sm.DescentPath


def test_sgd_of_a_loss_with_weight_decay_decays():
    """The loss of a batch is of the same class, so that the decay is part of its gradient."""

    class Decayed(sm.NetworkLoss):
        def __call__(self, theta):
            return super().__call__(theta) + anp.sum(theta**2) / 2

    plain, x, y, theta = linear_problem()
    words = {"epochs": 1, "batch_size": 10, "learning_rate": 0.5}
    plain, decayed = (
        sm.sgd(loss, theta, **words, rng=np.random.default_rng(0))
        for loss in (plain, Decayed((3, 1), x, y))
    )
    np.testing.assert_allclose(decayed, plain - 0.5 * theta, rtol=0, atol=1000 * EPS)


def test_a_minimum_keeps_its_point_when_the_caller_changes_his():
    loss, theta = sm.NetworkLoss((1, 1), [[1.0]], [1.0]), np.ones(1)
    examined, polished = sm.examine(loss, theta), sm.polish(loss, theta)
    theta *= 5
    assert examined.theta == polished.theta == 1


# Polish


def test_polish_goes_to_the_nearest_of_many_interpolating_solutions():
    loss, x, y, theta = linear_problem(n_samples=2)
    nearest = theta + np.linalg.pinv(x) @ (y - x @ theta)
    np.testing.assert_allclose(
        sm.polish(loss, theta).theta, nearest, rtol=0, atol=100 * EPS * np.linalg.cond(x)
    )


def test_polish_finds_the_least_squares_where_nothing_interpolates():
    loss, x, y, theta = linear_problem()
    minimum = sm.polish(loss, theta)
    expected = np.linalg.solve(x.T @ x, x.T @ y)
    np.testing.assert_allclose(
        minimum.theta, expected, rtol=0, atol=100 * EPS * np.linalg.cond(x) ** 2
    )
    assert minimum.genuine and minimum.value > 0.01


@pytest.mark.parametrize("seed", [0, 1])
def test_polish_brings_cross_entropy_with_soft_labels_to_its_minimum(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(15, 6)), np.full((15, 3), 0.1)
    y[np.arange(15), rng.integers(3, size=15)] = 0.8
    loss = sm.NetworkLoss((6, 12, 3), x, y, criterion="cross_entropy")
    minimum = sm.polish(loss, sm.ravel(sm.init_params(loss.widths, rng=rng)))
    assert minimum.genuine
    p = np.exp(loss.outputs(minimum.theta))
    np.testing.assert_allclose(p / p.sum(axis=1, keepdims=True), y, rtol=1e-12)
    # The gradient is below 1e-14: the loss is the labels' entropy to second order.
    assert minimum.value == pytest.approx(-(0.8 * np.log(0.8) + 0.2 * np.log(0.1)), rel=100 * EPS)


def test_polish_never_leads_uphill():
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [10.0])
    start = [1.0, 0.1]  # the first step, to (1.98, 9.90), overshoots: |gradient| goes from 10 to 97
    assert sm.polish(toy, start, max_steps=1, descent_steps=1).value <= toy(start)
    assert sm.polish(toy, start).genuine


def test_a_step_to_where_the_loss_overflows_is_not_taken():
    # (1 + y / 2)^2, which the step leads to, is an output whose square is no number any more.
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1e150])
    with np.errstate(over="ignore"):
        minimum = sm.polish(loss, [1.0, 1.0], max_steps=10**9)  # of which it is the first
    assert not minimum.genuine and minimum.value <= loss(np.ones(2))


@pytest.mark.parametrize("reached, begins", [(0.5, 0.5), (3.0, 0.0), (2.0, 0.0)])
def test_the_descent_begins_where_the_steps_led_only_if_the_loss_is_lower_there(
    reached, begins, monkeypatch
):
    loss = sm.NetworkLoss((1, 1), [[1.0]], [1.0])
    monkeypatch.setattr(training, "_interpolate", lambda *_: np.array([reached]))
    monkeypatch.setattr(training, "_descend", lambda loss, theta, steps: (theta, ""))
    assert sm.polish(loss, [0.0]).theta == begins


def test_polish_says_when_it_gets_nowhere():
    dead = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    minimum = sm.polish(dead, [-1.0, 1.0])
    assert minimum.value == 0.5 and minimum.shortcomings == [
        "its curvature is 0 of what the outputs' slopes allow, below 0.001"
    ]


def test_polish_takes_so_many_gauss_newton_steps(monkeypatch):
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    monkeypatch.setattr(training, "_descend", lambda loss, theta, steps: (theta, ""))
    a, b = 1.0, 0.1
    for _ in range(2):  # the shortest step to where the linearized a b is 1
        share = (a * b - 1) / (a**2 + b**2)
        a, b = a - share * b, b - share * a
    assert sm.polish(loss, [1.0, 0.1], max_steps=2).theta == pytest.approx([a, b], rel=1e-12)


def test_where_there_is_no_gradient_no_step_is_taken(monkeypatch):
    monkeypatch.setattr(training, "_interpolation_equations", lambda *_: pytest.fail("a step"))
    loss = sm.NetworkLoss((1, 1), [[1.0]], [2.0])
    assert sm.polish(loss, [2.0], max_steps=10**9).genuine  # at once


def test_a_step_leaves_alone_what_the_outputs_hardly_depend_on():
    loss = sm.NetworkLoss((2, 1), [[1.0, 0.0], [0.0, 2.0**-42]], [1.0, 1.0])
    reached = training._interpolate(loss, np.array([3.0, 5.0]), 1)
    assert reached == pytest.approx([1, 5], rel=1e-12)


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy", "binary_cross_entropy"])
def test_the_matrix_of_the_equations_is_the_derivative_of_their_residual(criterion):
    rng = np.random.default_rng(0)
    y = rng.uniform(0.1, 0.9, size=(4, 3))
    if criterion == "cross_entropy":
        y = y / y.sum(axis=1, keepdims=True)
    loss = sm.NetworkLoss(
        (2, 5, 3), rng.normal(size=(4, 2)), y, criterion=criterion, activation="identity"
    )
    theta = rng.normal(size=loss.size)
    J, _ = training._interpolation_equations(loss, theta)
    assert J.shape == (12, 25)
    for j, step in enumerate(1e-4 * np.eye(25)):
        (_, before), (_, after) = (
            training._interpolation_equations(loss, theta + sign * step) for sign in (-1, 1)
        )
        np.testing.assert_allclose(J[:, j], (after - before) / 2e-4, rtol=0, atol=1e-8)


# Minima that do not interpolate


def test_polish_finds_the_odds_of_labels_that_overlap():
    loss = sm.NetworkLoss((1, 2), [[1.0]] * 3, [0, 1, 1], criterion="cross_entropy")
    minimum = sm.polish(loss, [0.0, 0.8])
    assert minimum.genuine and minimum.reason == ""
    assert minimum.theta[1] - minimum.theta[0] == pytest.approx(np.log(2), rel=1e-14)


def test_weights_of_samples_move_the_odds():
    words = {"criterion": "binary_cross_entropy", "sample_weight": [1.0, 4.0]}
    loss = sm.NetworkLoss((1, 1), [[1.0], [1.0]], [0, 1], **words)
    minimum = sm.polish(loss, [0.0])
    assert minimum.genuine and minimum.theta[0] == pytest.approx(np.log(4), rel=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_polish_finds_the_logistic_regression_of_scikit_learn(n_classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(n_classes, size=60)
    criterion, d_out = "cross_entropy", n_classes
    if n_classes == 2:
        criterion, d_out = "binary_cross_entropy", 1
    loss = sm.NetworkLoss((3, d_out), x, y, criterion=criterion, bias=True)
    minimum = sm.polish(loss, np.zeros(loss.size))
    assert minimum.genuine
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x, y)
    # Up to a common shift of all logits; those of scikit-learn have the mean 0.
    [(weight, bias)] = loss.layers(minimum.theta)
    if n_classes > 2:
        weight, bias = weight - weight.mean(axis=1, keepdims=True), bias - bias.mean()
    np.testing.assert_allclose(weight.T, model.coef_, rtol=0, atol=1e-5)
    np.testing.assert_allclose(bias, model.intercept_, rtol=0, atol=1e-5)


def test_polish_finds_ridge_regression():
    plain, x, y, theta = linear_problem()
    loss = plain.like(l2=0.3)
    minimum = sm.polish(loss, theta)
    expected = np.linalg.solve(x.T @ x / len(x) + 0.3 * np.eye(3), x.T @ y / len(x))
    assert minimum.genuine and minimum.value > 0.01
    np.testing.assert_allclose(minimum.theta, expected, rtol=1e-12)


def test_polish_finds_the_least_nuclear_norm_of_two_linear_layers():
    """With orthonormal inputs, |W - Y|^2 / 2 + decay |W|_* is least where the singular values of Y
    are lowered by the decay (Cai et al. 2010); the squared norms of two factors of W add up to
    twice its nuclear norm at least (Srebro et al. 2005).
    """
    rng = np.random.default_rng(0)
    y = rng.normal(size=(4, 3))
    loss = sm.NetworkLoss((4, 5, 3), 2 * np.eye(4), 2 * y, activation="identity", l2=0.2)
    minimum = sm.polish(loss, rng.normal(size=loss.size))
    assert minimum.genuine and minimum.margin == np.inf
    left, sizes, right = np.linalg.svd(y, full_matrices=False)
    (first, _), (second, _) = loss.layers(minimum.theta)
    assert sizes.min() > 0.2
    np.testing.assert_allclose(first @ second, (left * (sizes - 0.2)) @ right, rtol=0, atol=1e-9)
    # The mean over 4 samples of half the squared errors, at inputs and targets of twice the size.
    expected = 3 * 0.2**2 / 2 + 0.2 * (sizes - 0.2).sum()
    assert minimum.value == pytest.approx(expected, rel=1e-12)


def noisy_hinge(seed):
    """A hinge with noise on it, for two units, and where SGD ends."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    y = np.maximum(x[:, 0], 0) + 0.3 * rng.normal(size=60)
    loss = sm.NetworkLoss((2, 2, 1), x, y, bias=(False, True))
    theta = sm.ravel(sm.init_params(loss.widths, rng=rng, bias=loss.bias))
    words = {"epochs": 300, "batch_size": 60, "learning_rate": 0.1}
    return loss, sm.sgd(loss, theta, **words, rng=rng)


def test_polish_brings_a_rectified_network_with_noise_to_a_minimum():
    loss, start = noisy_hinge(1)
    assert not sm.examine(loss, start).genuine
    minimum = sm.polish(loss, start)
    assert minimum.genuine and minimum.value > 0.03
    rng = np.random.default_rng(0)
    # Nearer than the margin no unit switches, and the loss is higher all around.
    for _ in range(100):
        step = rng.normal(size=loss.size)
        step *= 1e-4 / np.linalg.norm(step)
        assert loss(minimum.theta + step) >= minimum.value - 1e-15


RARE = sm.NetworkLoss(
    (1, 1), [[1.0], [1.0]], [0, 1], criterion="binary_cross_entropy", sample_weight=[1.0, 1e-5]
)


@pytest.mark.parametrize(
    "descent_steps, reason",
    [(1, "the steps did not suffice"), (500, "no step lowers the loss beyond rounding")],
)
def test_polish_says_whether_more_steps_would_help(descent_steps, reason):
    minimum = sm.polish(RARE, [8.0], descent_steps=descent_steps)  # far from log(1e-5) = -11.5
    assert minimum.reason == reason and not minimum.genuine


def test_the_descent_ends_after_so_many_steps_in_a_row_that_lower_nothing():
    def take(watch, value, times):
        for _ in range(times):
            watch.look(OptimizeResult(x=np.zeros(1), fun=value))

    watch = training._Watch(RARE, np.zeros(1), 100)
    take(watch, np.inf, training.REFUSED - 1)
    take(watch, 2.0, training.REFUSED)  # the first of them is lower
    take(watch, 1.0, training.REFUSED)
    assert watch.steps == 3 * training.REFUSED - 1
    with pytest.raises(StopIteration):
        take(watch, 1.0, 1)
    with pytest.raises(StopIteration):
        take(training._Watch(RARE, np.zeros(1), 100), np.inf, training.REFUSED)


@pytest.mark.parametrize("unit", [1.0, 2.0**-30, 2.0**30])
@pytest.mark.parametrize("width, is_moved", [(0.0, False), (2.0**-22, False), (2.0**-16, True)])
def test_newton_steps_leave_alone_what_has_no_curvature_beyond_rounding(unit, width, is_moved):
    """The curvatures of the two weights, in their own units, are as 1 to width^2."""
    x = unit * np.array([[1.0, 0.0, 0.0]] * 3 + [[0.0, width, 0.0]] * 3)
    loss = sm.NetworkLoss((3, 1), x, [0, 1, 1] * 2, criterion="binary_cross_entropy")
    best = np.array([np.log(2), np.log(2) / (width or 1), 0.0]) / unit
    start = best * (1 + 1e-3)
    end = training._finish_by_newton(loss, start)
    expected = best if is_moved else [best[0], *start[1:]]
    assert end == pytest.approx(expected, rel=1e-6)


def test_newton_steps_do_not_lead_to_a_saddle():
    widths, x, y, saddle, _ = SHORTCOMINGS["a saddle"]
    start = np.array(saddle) + [0.0, -1e-6, 1.618e-6]  # off along the largest eigenvector
    end = training._finish_by_newton(sm.NetworkLoss(widths, x, y), start)
    np.testing.assert_array_equal(end, start)


def test_newton_steps_go_on_where_only_an_orbit_makes_curvature_negative():
    """Where a = b and the residual of a b = y is r, the eigenvalues of the Hessian are -r, along
    the orbit of a b, and 2 y + 3 r.
    """
    best = 2.0**-4
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [best**2])
    end = training._finish_by_newton(loss, np.full(2, best * (1 + 1e-4)))
    assert end == pytest.approx([best, best], rel=1e-9)


@pytest.mark.parametrize(
    "margin, reason",
    [
        (1e-6, "the steps did not suffice"),
        (0.99e-6, "it rests on a kink: no step that the derivatives foresee lowers the loss"),
        (np.nan, "it rests on a kink: no step that the derivatives foresee lowers the loss"),
    ],
)
def test_a_kink_is_the_reason_only_where_it_is_a_shortcoming(margin, reason, monkeypatch):
    found = replace(GENUINE, relative_gradient=1.0, relative_margin=margin)
    monkeypatch.setattr(training, "examine", lambda *_: found)
    assert training._explain_end(LOSS, np.zeros(3), True) == reason


def test_polish_says_that_it_rests_on_a_kink():
    loss, start = noisy_hinge(0)
    minimum = sm.polish(loss, start)
    assert not minimum.genuine and minimum.relative_margin < 1e-6
    assert minimum.value < loss(start)
    assert minimum.reason.startswith("it rests on a kink") and minimum.reason in str(minimum)


SHARES = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]])
START = np.array([1.0, 2.0, 6.0, -1.0, 0.0, -2.0])
REACHED_AT_ONCE = {  # with the unit vectors as inputs: the targets, and where the outputs meet them
    "squared_error": ((2, 1), [3.0, -1.0], [3.0, -1.0]),
    "binary_cross_entropy": ((2, 1), [0.8, 0.5], [np.log(4), 0.0]),
    # The mean of each sample's outputs, which the loss does not see, stays: 3 and -1.
    "cross_entropy": (
        (2, 3),
        SHARES,
        np.log(SHARES / np.prod(SHARES, axis=1, keepdims=True) ** (1 / 3)) + [[3.0], [-1.0]],
    ),
}


@pytest.mark.parametrize("criterion", REACHED_AT_ONCE)
def test_where_outputs_are_linear_in_the_weights_one_step_is_enough(criterion, monkeypatch):
    monkeypatch.setattr(training, "_descend", lambda *_: pytest.fail("no descent was needed"))
    widths, y, expected = REACHED_AT_ONCE[criterion]
    loss = sm.NetworkLoss(widths, np.eye(2), y, criterion=criterion)
    minimum = sm.polish(loss, START[: loss.size], max_steps=1)
    assert minimum.genuine
    np.testing.assert_allclose(minimum.theta, np.ravel(expected), rtol=0, atol=1e-13)


OUT_OF_REACH = {  # of outputs that meet all targets, and what would be least there
    "decay": ("squared_error", [[1.0], [0.5]], 1e-3),
    "hard labels": ("cross_entropy", [0, 1], 0.0),
    "a certain sample": ("cross_entropy", [[1.0, 0.0], [0.4, 0.6]], 0.0),
    "yes": ("binary_cross_entropy", [[1.0], [0.4]], 0.0),
    "no": ("binary_cross_entropy", [[0.0], [0.4]], 0.0),
}
WITHIN_REACH = {
    "any numbers": ("squared_error", [[1.0], [0.5]], 0.0),
    "doubtful labels": ("cross_entropy", [[0.9, 0.1], [0.4, 0.6]], 0.0),
    "perhaps": ("binary_cross_entropy", [[0.9], [0.4]], 0.0),
}


@pytest.mark.parametrize("targets", OUT_OF_REACH | WITHIN_REACH)
def test_steps_towards_the_targets_are_taken_only_where_these_can_be_met(targets, monkeypatch):
    criterion, y, l2 = (OUT_OF_REACH | WITHIN_REACH)[targets]
    d_out = 2 if criterion == "cross_entropy" else 1
    loss = sm.NetworkLoss((1, d_out), [[1.0], [-1.0]], y, criterion=criterion, l2=l2)
    taken = []

    def interpolate(loss, theta, max_steps):
        taken.append(max_steps)
        return theta

    monkeypatch.setattr(training, "_interpolate", interpolate)
    sm.polish(loss, np.linspace(0, 1, d_out + 1)[1:])
    assert bool(taken) == (targets in WITHIN_REACH)


@pytest.mark.parametrize("criterion", ["cross_entropy", "binary_cross_entropy"])
def test_where_hard_labels_are_fitted_there_is_no_minimum(criterion):
    d_out = 2 if criterion == "cross_entropy" else 1
    loss = sm.NetworkLoss((1, d_out), [[1.0], [-1.0]], [1, 0], criterion=criterion)
    minimum = sm.polish(loss, np.linspace(0, 1, d_out + 1)[1:])
    assert not minimum.genuine and minimum.falls_for_ever
    assert "its hard labels do not overlap, so that larger outputs lower the loss" in str(minimum)
    assert minimum.reason.startswith("there is no minimum here") and minimum.reason in str(minimum)
    # With weight decay there is one.
    assert sm.polish(loss.like(l2=1e-3), np.linspace(0, 1, d_out + 1)[1:]).genuine


def test_labels_that_overlap_at_some_inputs_only_have_no_minimum_either():
    x = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    loss = sm.NetworkLoss((2, 1), x, [0, 1, 1], criterion="binary_cross_entropy")
    minimum = sm.polish(loss, [0.5, 0.5])
    # All but a share of 1e-10 of the gradient is gone, and yet there is no minimum.
    assert minimum.relative_gradient < 1e-10 and minimum.falls_for_ever and not minimum.genuine
    assert minimum.shortcomings == [
        "its hard labels do not overlap, so that larger outputs lower the loss"
    ]
    overlapping = sm.NetworkLoss(
        (2, 1), [*x, [0.0, 1.0]], [0, 1, 1, 0], criterion="binary_cross_entropy"
    )
    minimum = sm.polish(overlapping, [0.5, 0.5])
    assert minimum.genuine
    np.testing.assert_allclose(minimum.theta, [0, 0], rtol=0, atol=1e-14)


LOGITS = np.array([[3.0, 1.0, 2.0], [1.5, 1.75, 1.25], [-3.0, -2.0, -1.0], [2.0, 1.0, 0.0]])


@pytest.mark.parametrize(
    "criterion, outputs, labels, expected",
    [
        ("binary_cross_entropy", [[0.5], [-0.5]], [1, 0], True),
        ("binary_cross_entropy", [[0.5], [-0.5]], [0, 1], False),
        ("binary_cross_entropy", [[0.5], [0.0]], [1, 0], False),
        ("binary_cross_entropy", [[0.5], [-0.5]], [[0.9], [0.1]], False),  # labels that are soft
        ("binary_cross_entropy", [[0.5, -0.5], [-0.5, -0.5]], [[1, 0], [0, 0]], True),
        ("binary_cross_entropy", [[0.5, -0.5], [-0.5, -0.5]], [[1, 0], [0, 1]], False),
        ("cross_entropy", LOGITS, [0, 1, 2, 0], True),
        ("cross_entropy", LOGITS, [0, 1, 2, 1], False),
        ("cross_entropy", LOGITS, [0, 0, 2, 0], False),
        ("cross_entropy", LOGITS.round(), [0, 1, 2, 0], False),  # 2 and 2 in the second row
        ("cross_entropy", LOGITS[:, :1], [[1.0]] * 4, False),  # one class is always right
    ],
)
def test_the_loss_falls_for_ever_where_each_largest_output_is_the_label(
    criterion, outputs, labels, expected
):
    # With the unit vectors as inputs each row of weights is the outputs of one sample.
    outputs = np.array(outputs)
    loss = sm.NetworkLoss(outputs.shape, np.eye(len(outputs)), labels, criterion=criterion)
    assert sm.examine(loss, outputs.ravel()).falls_for_ever == expected


@pytest.mark.parametrize(
    "weights, expected",
    [([1.0, 0.0, 1.0], True), ([0.0, 1.0, 1.0], False), ([2.0, 0.5, 0.5], False)],
)
def test_samples_of_weight_zero_need_not_be_right(weights, expected):
    words = {"criterion": "binary_cross_entropy", "sample_weight": weights}
    loss = sm.NetworkLoss((3, 1), np.eye(3), [1, 1, 1], **words)
    assert sm.examine(loss, [0.5, -0.5, 0.5]).falls_for_ever == expected


def test_a_loss_of_ones_own_is_not_said_to_fall_for_ever():
    class Bounded(sm.NetworkLoss):
        def __call__(self, theta):
            return super().__call__(theta) + anp.sum(theta**2) / 2

    words = {"criterion": "binary_cross_entropy"}
    for kind, falls in ((sm.NetworkLoss, True), (Bounded, False)):
        assert sm.examine(kind((1, 1), [[1.0]], [1], **words), [0.5]).falls_for_ever == falls


def test_a_class_without_samples_lowers_the_loss_for_ever():
    words = {"criterion": "cross_entropy"}
    for labels, expected in (([0, 1], True), ([0, 1, 2], False)):
        loss = sm.NetworkLoss((1, 3), [[1.0]] * len(labels), labels, **words)
        assert training._find_recession(loss, np.zeros(3)) == expected


def test_a_unit_that_is_off_separates_nothing():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0], [2.0]], [1, 1], criterion="binary_cross_entropy")
    assert training._find_recession(loss, np.array([1.0, 0.0]))
    assert not training._find_recession(loss, np.array([-1.0, 0.0]))


# The last hidden layer of widths (2, 3, 2, 1) has the inputs as they are, or the first one alone.
FIRST = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
BOTH = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
ONE = [[1.0, 0.0], [0.0, -1.0], [0.0, 0.0]]


@pytest.mark.parametrize("unit", [1.0, 2.0**-30, 2.0**30])
@pytest.mark.parametrize(
    "second, labels, bias, expected",
    [
        (BOTH, [0, 1, 1, 1], False, True),  # the second feature has one label only
        (BOTH, [0, 1, 0, 0], False, True),
        (BOTH, [0, 1, 1, 0], False, False),
        (ONE, [0, 1, 1, 1], False, False),
        (
            ONE,
            [0, 1, 1, 1],
            True,
            True,
        ),  # larger outputs for all, smaller ones by the first feature
        (ONE, [0, 1, 1, 0], True, False),
    ],
)
def test_labels_are_separated_by_the_last_hidden_layer(unit, second, labels, bias, expected):
    x = unit * np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    words = {"criterion": "binary_cross_entropy", "bias": (False, False, bias)}
    loss = sm.NetworkLoss((2, 3, 2, 1), x, labels, **words)
    theta = np.concatenate([np.ravel(FIRST), np.ravel(second), np.zeros(3 if bias else 2)])
    assert training._find_recession(loss, theta) == expected


def test_polish_meets_soft_labels_of_one_logit():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 4)), rng.uniform(0.1, 0.9, size=8)
    loss = sm.NetworkLoss((4, 12, 1), x, y, criterion="binary_cross_entropy")
    minimum = sm.polish(loss, sm.ravel(sm.init_params(loss.widths, rng=rng)))
    assert minimum.genuine
    p = 1 / (1 + np.exp(-loss.outputs(minimum.theta)[:, 0]))
    np.testing.assert_allclose(p, y, rtol=1e-12)


# The problem's own scale


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_of_the_targets_does_not_decide_what_is_a_minimum(unit, example):
    loss, theta, _ = example
    hidden, (weight, bias) = loss.layers(theta)
    there = sm.ravel([hidden, sm.Layer(unit * weight, bias)])
    measured = sm.examine(loss.like(y=unit * loss.y), there)
    assert measured.genuine
    if unit > 1:
        assert measured.gradient_norm > 1e-10  # which was the tolerance once


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_of_the_inputs_does_not_decide_whether_polish_arrives(unit):
    # The start is so far off that Newton's steps alone would lead nowhere.
    words = {"criterion": "binary_cross_entropy"}
    loss = sm.NetworkLoss((1, 1), np.full((3, 1), 1 / unit), [0, 1, 1], **words)
    minimum = sm.polish(loss, [8 * unit])
    assert minimum.genuine and minimum.theta[0] / unit == pytest.approx(np.log(2), rel=1e-12)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_a_scaling_of_the_layers_does_not_decide_what_is_a_minimum(factor, example):
    loss, theta, _ = example
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (factor, 1 / factor)))
    here, there = sm.examine(loss, theta), sm.examine(loss, twin)
    assert here.genuine and there.genuine
    assert there.margin == pytest.approx(factor * here.margin, rel=1e-6)
    assert there.relative_margin == pytest.approx(here.relative_margin, rel=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_slope_is_seen_in_any_unit(unit):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    off = best * (1 + 1e-8)
    for theta, is_genuine in ((best, True), (off, False)):
        assert sm.examine(sm.NetworkLoss((3, 1), x, unit * y), unit * theta).genuine == is_genuine
        assert sm.examine(sm.NetworkLoss((3, 1), unit * x, y), theta / unit).genuine == is_genuine


def test_a_running_example_that_ends_at_no_genuine_minimum_is_an_error(monkeypatch):
    monkeypatch.setattr(
        sm.examples, "sgd", lambda loss, theta, **_: 0 * theta
    )  # every unit on its kink
    with pytest.raises(
        RuntimeError,
        match=(
            r"seed 0 with widths \(64, 1, 1\) ended at no genuine minimum with loss 0: L = .*: not"
            r" a genuine"
        ),
    ):
        sm.running_example((64, 1, 1))


# Bad input

LOSS, *_ = linear_problem()


def run_sgd(**changed):
    words = {
        "theta": np.ones(3),
        "epochs": 1,
        "batch_size": 1,
        "learning_rate": 0.1,
        "rng": np.random.default_rng(0),
    } | changed
    return sm.sgd(LOSS, words.pop("theta"), **words)


BAD = {
    "theta": (
        lambda: run_sgd(theta=np.ones(2)),
        r"theta must be a vector of shape \(3,\), got shape \(2,\)",
    ),
    "theta NaN": (lambda: run_sgd(theta=np.full(3, np.nan)), "theta must be finite, got 3 NaN"),
    "epochs": (lambda: run_sgd(epochs=0), "epochs must be an integer of at least 1, got 0"),
    "epochs float": (
        lambda: run_sgd(epochs=2.0),
        r"epochs must be an integer of at least 1, got 2\.0",
    ),
    "batch_size": (
        lambda: run_sgd(batch_size=0),
        "batch_size must be an integer of at least 1, got 0",
    ),
    "learning_rate zero": (
        lambda: run_sgd(learning_rate=0.0),
        r"learning_rate must be positive, got 0\.0",
    ),
    "learning_rate negative": (
        lambda: run_sgd(learning_rate=-1.0),
        r"learning_rate must be positive, got -1\.0",
    ),
    "learning_rate NaN": (
        lambda: run_sgd(learning_rate=np.nan),
        "learning_rate must be finite, got nan",
    ),
    "rng": (lambda: run_sgd(rng=0), "rng must be a numpy.random.Generator, .* got int"),
    "examine": (
        lambda: sm.examine(LOSS, np.ones(2)),
        r"theta must be a vector of shape \(3,\), got shape \(2,\)",
    ),
    "polish": (
        lambda: sm.polish(LOSS, np.ones((3, 1))),
        r"theta must be a vector of shape \(3,\), got shape \(3, 1\)",
    ),
    "max_steps": (
        lambda: sm.polish(LOSS, np.ones(3), max_steps=0),
        "max_steps must be an integer of at least 1, got 0",
    ),
    "descent_steps": (
        lambda: sm.polish(LOSS, np.ones(3), descent_steps=0),
        "descent_steps must be an integer of at least 1, got 0",
    ),
    "widths": (
        lambda: sm.running_example((64, 2)),
        r"y must be .* of shape \(200, 2\), got shape \(200,\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_network_too_small_to_interpolate_is_an_error():
    with pytest.raises(
        RuntimeError, match=r"widths \(64, 1\) ended at no genuine minimum with loss 0"
    ):
        sm.running_example((64, 1))


# Gradient descent


@pytest.mark.claim("fig-training", "step-sizes")
def test_gradient_descent_is_the_closed_form_on_a_quadratic():
    curvatures, start = np.array([3.0, 1.0, 0.1]), np.array([1.0, -2.0, 5.0])
    end, losses = sm.gradient_descent(
        lambda t: np.dot(curvatures, t * t) / 2, start, steps=20, learning_rate=0.5
    )
    shrink = (1 - 0.5 * curvatures) ** np.arange(21)[:, None]
    np.testing.assert_allclose(end, shrink[-1] * start, rtol=1e-13)
    np.testing.assert_allclose(losses, (shrink * start) ** 2 @ curvatures / 2, rtol=1e-13)


def test_gradient_descent_takes_the_steps_of_sgd_on_one_batch_of_all(small):
    loss, theta = small
    end, losses = sm.gradient_descent(loss, theta, steps=3, learning_rate=0.1)
    same = sm.sgd(
        loss,
        theta,
        epochs=3,
        batch_size=len(loss.x),
        learning_rate=0.1,
        rng=np.random.default_rng(0),
    )
    np.testing.assert_allclose(
        end, same, rtol=0, atol=1000 * EPS * (1 + np.abs(same).max())
    )  # sums in another order
    assert losses[0] == loss(theta) and losses[-1] == loss(end) and len(losses) == 4


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("learning_rate", [3.0, 1e200])
def test_gradient_descent_says_when_it_diverges(learning_rate):
    with pytest.raises(
        FloatingPointError,
        match=r"gradient descent diverged in step \d+: learning_rate .* is too large",
    ):
        sm.gradient_descent(lambda t: np.dot(t, t), [1.0], steps=2000, learning_rate=learning_rate)


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"steps": 0}, "steps must be an integer"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
    ],
)
def test_gradient_descent_refuses_what_is_no_step(bad, message):
    with pytest.raises(ValueError, match=message):
        sm.gradient_descent(
            lambda t: np.dot(t, t), [1.0], **{"steps": 1, "learning_rate": 0.1, **bad}
        )


@pytest.mark.claim("proposition-longest-step", "fig-stability")
def test_gradient_descent_turns_unstable_at_two_over_the_sharpest_curvature(
    example, example_hessian
):
    """Near the minimum, from a random direction, and against the iteration of the quadratic form by
    its eigenvalues.
    """
    loss, theta, _ = example
    values, vectors = np.linalg.eigh(example_hessian)
    off = 1e-8 * np.random.default_rng(4).normal(size=loss.size)
    for factor, grows in ((0.97, False), (1.03, True)):
        rate = factor * 2 / values[-1]
        losses = sm.gradient_descent(loss, theta + off, steps=60, learning_rate=rate).losses
        quadratic = 0.5 * values @ ((1 - rate * values) ** 60 * (vectors.T @ off)) ** 2
        assert losses[-1] == pytest.approx(
            quadratic, rel=1e-4
        )  # third derivatives, times at most 1e-5
        assert bool(losses[-1] > losses[-2]) is grows


@pytest.mark.claim("proposition-longest-step")
@given(st.floats(-6, 6))
def test_no_twin_is_flatter_than_the_mean_of_its_layers_and_far_ones_are_as_sharp_as_one_likes(
    power,
):
    loss, theta = sm.sample_networks()["4-7-3, squared error"]
    H = sm.hessian(loss, theta)
    first, second = (np.linalg.norm(block, 2) for block in (H[:28, :28], H[28:, 28:]))
    d = sm.alpha_diagonal(loss.widths, (10.0**power, 10.0**-power))
    top = np.linalg.norm(sm.hessian(loss, d * theta), 2)
    assert top >= np.sqrt(first * second)
    assert top >= 10.0 ** (2 * abs(power)) * min(first, second) * (1 - 1e-12)


@pytest.mark.claim("fig-descent", "proposition-carried-metric")
@given(st.integers(-20, 20))
def test_twins_descend_alike_in_the_layers_own_units(power):
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((5, 4, 1), rng.normal(size=(20, 5)), rng.normal(size=20))
    theta = sm.ravel(sm.init_params(loss.widths, rng=rng))
    d = sm.alpha_diagonal(loss.widths, (2.0**power, 2.0**-power))
    for _ in range(20):
        ends = []
        for point in (theta, d * theta):
            squares = np.repeat([np.sum(part**2) for part in np.split(point, [20])], loss.sizes)
            ends.append(point - 0.01 * squares * sm.gradient(loss, point))
        np.testing.assert_array_equal(ends[1], d * ends[0])
        theta = ends[0]


@pytest.mark.claim("proposition-projection")
@given(st.floats(-2, 2))
def test_gauss_newton_steps_of_twins_change_the_outputs_alike(log_alpha):
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((5, 2, 1), rng.normal(size=(30, 5)), rng.normal(size=30))
    theta, alpha = sm.ravel(sm.init_params(loss.widths, rng=rng)), np.exp(log_alpha)
    d = sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
    r = loss.outputs(theta)[:, 0] - loss.y[:, 0]
    changes = [
        J @ np.linalg.pinv(J, rcond=1e-10) @ r
        for J in (sm.jacobian(loss, p)[:, 0] for p in (theta, d * theta))
    ]
    U, values, _ = np.linalg.svd(sm.jacobian(loss, theta)[:, 0])
    projected = U[:, : (values > 1e-10 * values[0]).sum()] @ (
        U[:, : (values > 1e-10 * values[0]).sum()].T @ r
    )
    for change in changes:
        np.testing.assert_allclose(change, projected, rtol=0, atol=1e-11)
    assert np.linalg.norm(projected - r) > 0.1
