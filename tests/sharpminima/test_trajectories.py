"""Steps and what is recorded on the way, against closed forms on quadratics and loops by hand.

Not seen here: whether a rule is a good one, or how fast.
"""

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

import sharpminima as sm
from tests.sharpminima.support import EPS, apart

CURVATURES = np.array([3.0, 1.0, 0.1])
START = np.array([1.0, -2.0, 5.0])


def quadratic(theta):
    return anp.dot(CURVATURES, theta * theta) / 2


def keep_theta(theta):
    return theta


# The rules


@given(st.floats(0.01, 0.6))
def test_gradient_steps_are_the_closed_form(rate):
    run = sm.follow(quadratic, START, sm.GradientStep(rate), steps=20, observe={"at": keep_theta})
    expected = (1 - rate * CURVATURES) ** np.arange(21)[:, None] * START
    np.testing.assert_allclose(run.values["at"], expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        run.losses, expected**2 @ CURVATURES / 2, rtol=1e-11, atol=1e-13
    )  # rounding of a few hundred operations on numbers of size 5


@given(st.floats(0.01, 0.6), st.floats(0.0, 0.95))
def test_momentum_is_the_power_of_its_matrix(rate, momentum):
    """In each coordinate (theta, v) goes to a linear function of itself."""
    run = sm.follow(quadratic, START, sm.MomentumStep(rate, momentum), steps=15)
    for curvature, start, end in zip(CURVATURES, START, run.theta, strict=True):
        step = np.array([[1 - rate * curvature, -rate * momentum], [curvature, momentum]])
        expected = np.linalg.matrix_power(step, 15) @ [start, 0.0]
        assert end == pytest.approx(expected[0], rel=1e-11, abs=1e-11)


def test_momentum_of_zero_is_gradient_descent():
    plain = sm.follow(quadratic, START, sm.GradientStep(0.1), steps=9)
    without = sm.follow(quadratic, START, sm.MomentumStep(0.1, 0.0), steps=9)
    np.testing.assert_array_equal(without.theta, plain.theta)


@pytest.mark.parametrize("epsilon", [0.0, 1e-8, 0.3])
def test_adam_is_its_sums_written_out(epsilon):
    """The running means as weighted sums of all gradients so far."""
    rate, beta1, beta2 = 0.05, 0.8, 0.95
    run = sm.follow(
        quadratic,
        START,
        sm.AdamStep(rate, beta1, beta2, epsilon),
        steps=12,
        observe={"at": keep_theta},
    )
    slopes = CURVATURES * run.values["at"]
    theta = START
    for t in range(1, 13):
        ages = t - np.arange(1, t + 1)
        first, second = beta1**ages, beta2**ages
        mean = first @ slopes[:t] / first.sum()
        square = second @ slopes[:t] ** 2 / second.sum()
        theta = theta - rate * mean / (np.sqrt(square) + epsilon)
        np.testing.assert_allclose(run.values["at"][t], theta, rtol=1e-12)


def test_adams_first_step_is_the_sign_of_the_gradient():
    run = sm.follow(quadratic, [*START[:2], 0.0], sm.AdamStep(0.05, epsilon=0.0), steps=1)
    np.testing.assert_allclose(run.theta, [0.95, -1.95, 0.0], rtol=4 * EPS)


def test_a_rule_may_be_any_function():
    run = sm.follow(quadratic, START, lambda theta, slope: theta - slope / CURVATURES, steps=1)
    np.testing.assert_allclose(run.theta, np.zeros(3), atol=2 * EPS)


def test_a_rule_that_cannot_begin_is_none():
    with pytest.raises(TypeError, match="abstract"):
        type("Still", (sm.StepRule,), {})()


def test_a_rule_remembers_nothing_of_the_run_before():
    for rule in (sm.MomentumStep(0.1), sm.AdamStep(0.1)):
        first, second = (sm.follow(quadratic, START, rule, steps=5).theta for _ in range(2))
        np.testing.assert_array_equal(first, second)


# What is recorded


@pytest.mark.parametrize(
    "chosen, expected",
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"every": 3}, [0, 3, 6, 7]),
        ({"every": 100}, [0, 7]),
        ({"at": [2, 5]}, [0, 2, 5, 7]),
        ({"at": [0, 7]}, [0, 7]),
        ({"at": []}, [0, 7]),
    ],
)
def test_only_the_chosen_steps_are_recorded(chosen, expected):
    seen = []

    def look(theta):
        seen.append(theta)
        return [1.0, theta[0]]

    full = sm.follow(quadratic, START, sm.GradientStep(0.1), steps=7)
    run = sm.follow(quadratic, START, sm.GradientStep(0.1), steps=7, observe={"x": look}, **chosen)
    assert run.steps.tolist() == expected
    np.testing.assert_array_equal(run.losses, full.losses[expected])
    assert run.values["x"].shape == (len(expected), 2)
    assert len(seen) == len(expected)
    np.testing.assert_array_equal(run.theta, full.theta)
    assert (run.taken, run.status, run.reason) == (7, "finished", "")
    told = f"finished after 7 steps: loss {quadratic(START):.3g} -> {quadratic(run.theta):.3g}"
    assert str(run) == told


@pytest.mark.parametrize("rate, taken", [(1e100, 1), (1e308, 0)])
def test_what_diverges_is_a_result_and_says_so(rate, taken):
    run = sm.follow(quadratic, START, sm.GradientStep(rate), steps=50)
    assert run.has_diverged
    assert run.taken == len(run.losses) - 1 == taken
    assert np.isfinite(run.theta).all() and np.isfinite(run.losses).all()
    assert "must be finite" in run.reason
    assert str(run).startswith(f"diverged after {run.taken} steps")


@pytest.mark.parametrize("every, recorded", [(1, [0, 1]), (2, [0])])
def test_an_observed_number_that_is_not_finite_ends_the_run(every, recorded):
    run = sm.follow(
        quadratic,
        START,
        sm.GradientStep(0.1),
        steps=5,
        every=every,
        observe={"root": lambda t: np.sqrt(t[0] - 0.6)},
    )
    assert run.has_diverged and "observed root must be finite" in run.reason
    assert run.taken == 1 and run.steps.tolist() == recorded  # 1, 0.7, 0.49


def test_an_observers_own_error_is_not_a_divergence():
    def fail_late(theta):
        if theta[0] < 0.6:
            raise ValueError("my own bug")
        return theta[0]

    with pytest.raises(ValueError, match="my own bug"):
        sm.follow(quadratic, START, sm.GradientStep(0.1), steps=5, observe={"it": fail_late})


def test_an_error_of_the_loss_on_the_way_is_not_a_divergence():
    def fail_late(theta):
        if theta[0] < 0.6:
            raise ValueError("my own bug")
        return quadratic(theta)

    with pytest.raises(ValueError, match="my own bug"):
        sm.follow(fail_late, START, sm.GradientStep(0.1), steps=5)


def test_a_hessian_that_overflows_while_it_is_observed_ends_the_run():
    def quartic(theta):
        return anp.sum(theta**4)

    look = sm.LargestEigenvalue(quartic)
    run = sm.follow(quartic, START, sm.GradientStep(1.0), steps=50, observe={"top": look})
    assert run.has_diverged and "finite" in run.reason
    assert np.isfinite(run.values["top"]).all() and len(run.values["top"]) == run.taken + 1


@pytest.mark.parametrize("defined", [0.0, [1.0, 2.0]])
@pytest.mark.parametrize("missing", [{0}, {2, 3}, {0, 1, 2, 3, 4}])
def test_what_is_undefined_is_a_nan_of_that_step(defined, missing):
    steps = iter(range(5))

    def look(theta):
        if next(steps) in missing:
            raise sm.Undefined("not here")
        return defined

    run = sm.follow(quadratic, START, sm.GradientStep(0.1), steps=4, observe={"it": look})
    assert (run.status, run.taken, len(run.losses)) == ("finished", 4, 5)
    shape = () if len(missing) == 5 else np.shape(defined)
    assert run.values["it"].shape == (5, *shape)
    for step, value in enumerate(run.values["it"]):
        expected = np.nan if step in missing else defined
        np.testing.assert_array_equal(value, np.broadcast_to(expected, shape))


def test_an_observed_array_that_changes_its_shape_is_refused_at_once():
    seen = []

    def look(theta):
        seen.append(theta)
        return np.zeros(3 if len(seen) < 3 else 2)

    with pytest.raises(ValueError, match=r"observed it must .* \(3,\), got \(2,\) after step 2$"):
        sm.follow(quadratic, START, sm.GradientStep(0.1), steps=5, observe={"it": look})
    assert len(seen) == 3


def test_a_measure_is_observed_at_the_point(small):
    loss, theta = small
    observe = {name: sm.MEASURES[name] for name in ("trace", "squared_norm")}
    observe["at"] = keep_theta
    run = sm.follow(loss, theta, sm.GradientStep(0.02), steps=3, observe=observe)
    for step, at in enumerate(run.values["at"]):
        trace = np.trace(sm.hessian(loss, at))
        assert run.values["trace"][step] == pytest.approx(trace, rel=1e-9)
        assert run.values["squared_norm"][step] == pytest.approx(at @ at, rel=1e-12)


def test_a_measure_without_a_value_is_a_nan():
    run = sm.follow(
        quadratic,
        START,
        sm.GradientStep(0.1),
        steps=2,
        observe={"path": sm.MEASURES["path_norm"]},
    )
    assert run.status == "finished" and np.isnan(run.values["path"]).all()


def test_a_bar_counts_the_steps_and_goes_away(capsys, monkeypatch):
    def draw_bar(steps, **options):
        return tqdm(steps, **options | {"disable": False, "mininterval": 0, "miniters": 1})

    monkeypatch.setattr(sm.trajectories, "tqdm", draw_bar)
    sm.follow(quadratic, START, sm.GradientStep(0.1), steps=7)
    shown = capsys.readouterr().err
    assert "descent: 100%" in shown and "7/7" in shown and shown.endswith("\r")


def test_the_start_is_left_alone_and_not_handed_out():
    start = START.copy()
    run = sm.follow(quadratic, start, lambda theta, slope: theta, steps=1)
    np.testing.assert_array_equal(start, START)
    assert not np.shares_memory(run.theta, start)


# Batches


def test_batches_are_the_steps_of_sgd(small):
    loss, theta = small
    rng, same = np.random.default_rng(4), np.random.default_rng(4)
    by_sgd = sm.sgd(loss, theta, epochs=2, batch_size=3, learning_rate=0.05, rng=same)
    run = sm.follow(
        loss,
        theta,
        sm.GradientStep(0.05),
        steps=6,  # 3 + 3 + 1 of 7 samples, twice
        every=6,
        batch_size=3,
        rng=rng,
    )
    np.testing.assert_array_equal(run.theta, by_sgd)
    assert rng.random() == same.random()  # no shuffle more than needed
    np.testing.assert_array_equal(run.losses, [loss(theta), loss(by_sgd)])


# The largest eigenvalue


def test_the_largest_eigenvalue_is_that_of_the_matrix_all_the_way(small):
    loss, theta = small
    run = sm.follow(
        loss,
        theta,
        sm.GradientStep(0.02),
        steps=6,
        observe={"top": sm.LargestEigenvalue(loss), "H": lambda t: sm.hessian(loss, t)},
    )
    expected = [np.linalg.eigvalsh(H)[-1] for H in run.values["H"]]
    np.testing.assert_allclose(run.values["top"], expected, rtol=1e-8)


@pytest.mark.parametrize("size", [1, 2, 3, 40])
def test_the_largest_eigenvalue_follows_a_crossing(size):
    """The leading eigenvector changes at once to one that is orthogonal to it."""

    def loss(theta):
        grows = anp.arange(1.0, size + 1)
        return anp.sum(theta**2 * grows) / 2 + theta[0] ** 4 * (size + 1)

    look = sm.LargestEigenvalue(loss)
    here, there = np.zeros(size), np.zeros(size)
    there[0] = 1.0
    for _ in range(2):
        assert look(here) == pytest.approx(size, rel=1e-8)
        assert look(there) == pytest.approx(1 + 12 * (size + 1), rel=1e-8)


def test_the_largest_eigenvalue_takes_vectors_of_another_length():
    look = sm.LargestEigenvalue(lambda t: anp.sum(t**2 * anp.arange(1.0, len(t) + 1)) / 2)
    assert [look(np.zeros(n)) for n in (3, 5, 4)] == pytest.approx([3, 5, 4], rel=1e-8)


class Counted:
    """A quadratic that counts the products with its Hessian."""

    def __init__(self, size):
        rng = np.random.default_rng(0)
        root = rng.normal(size=(size, size))
        self.A = root @ root.T / size
        self.count = 0

    def __call__(self, theta):
        return theta @ self.A @ theta / 2

    def hvp_at(self, theta):
        def multiply(v):
            self.count += 1
            return self.A @ v

        return multiply


def test_the_vector_found_before_saves_products():
    loss = Counted(400)
    look = sm.LargestEigenvalue(loss, tol=1e-6)
    counts = []
    for _ in range(3):
        before = loss.count
        look(np.zeros(400))
        counts.append(loss.count - before)
    assert max(counts[1:]) < counts[0]


# The balance


def test_imbalances_are_the_sums_one_writes_by_hand():
    loss = sm.NetworkLoss((2, 2, 1, 1), [[1.0, 2.0]], [1.0], bias=True)
    first = [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]
    theta = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    theta = np.array(theta, float)
    weight, bias = first
    assert np.array_equal(loss.layers(theta)[0].weight, weight)
    assert np.array_equal(loss.layers(theta)[0].bias, bias)
    units = [1 + 9 + 25 - 49, 4 + 16 + 36 - 64, 49 + 64 + 81 - 100]
    np.testing.assert_array_equal(sm.unit_imbalances(loss, theta), units)
    np.testing.assert_array_equal(sm.layer_imbalances(loss, theta), [units[0] + units[1], units[2]])


@pytest.mark.claim("proposition-conserved")
def test_no_gradient_changes_an_imbalance_to_first_order(small):
    """The derivative of each along the gradient, by autograd, at random points with and without
    biases.
    """
    loss, theta = small
    slope = sm.gradient(loss, theta)
    rates = sm.unit_imbalances(loss, theta + slope) - sm.unit_imbalances(loss, theta - slope)
    size = np.abs(sm.unit_imbalances(loss, np.abs(theta) + np.abs(slope))).max()
    assert apart(rates, np.zeros(len(rates)), least=size) < 100 * EPS


# Bad input


@pytest.mark.parametrize(
    "bad, message",
    [
        ({"steps": 0}, "steps must be an integer of at least 1, got 0"),
        ({"every": 0}, "every must be an integer of at least 1, got 0"),
        ({"every": 2, "at": [1]}, "every and at exclude each other"),
        ({"at": [-1]}, "each of at must be an integer of at least 0, got -1"),
        ({"at": [9]}, "each of at must be at most steps, 5, got 9"),
        ({"rule": 0.1}, "rule must be a GradientStep, MomentumStep or AdamStep, .* got 0.1"),
        ({"rule": sm.AdamStep}, "rule must be a GradientStep, MomentumStep or AdamStep"),
        ({"observe": ["trace"]}, "observe must map names to functions of theta, .* got list"),
        ({"observe": {"trace": 1}}, "observe must map names .* got 1 for 'trace'"),
        ({"rng": np.random.default_rng(0)}, "rng is for batches: give a batch_size"),
        ({"batch_size": 2}, "loss must have data to be trained on"),
        ({"theta": [np.nan]}, "theta must be finite"),
        ({"loss": lambda t: t}, "loss must return a number"),
        ({"loss": lambda t: np.inf}, "loss must be finite at theta"),
        ({"rule": lambda theta, slope: [1.0]}, r"theta must be a vector of shape \(3,\)"),
    ],
)
def test_what_makes_no_sense_is_refused(bad, message):
    given_ = {"loss": quadratic, "theta": START, "rule": sm.GradientStep(0.1), "steps": 5} | bad
    with pytest.raises(ValueError, match=message):
        sm.follow(given_.pop("loss"), given_.pop("theta"), given_.pop("rule"), **given_)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: sm.GradientStep(0), "learning_rate must be positive, got 0"),
        (lambda: sm.MomentumStep(0.1, 1.0), "momentum must be at least 0 and less than 1"),
        (lambda: sm.AdamStep(0.1, beta2=1), "beta2 must be at least 0 and less than 1"),
        (lambda: sm.AdamStep(0.1, epsilon=-1.0), "epsilon must be at least 0, got -1"),
        (lambda: sm.LargestEigenvalue(quadratic, tol=2), "tol must be at least 0"),
        (lambda: sm.unit_imbalances(quadratic, START), "loss must know its layers, .* function"),
        (
            lambda: sm.layer_imbalances(sm.NetworkLoss((3, 1), [[1.0] * 3], [1.0]), START),
            "loss must have a hidden layer, got 1 layer",
        ),
    ],
)
def test_what_is_no_rule_and_no_layer_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
