"""What the chapter on dynamics states, at other networks than the page's.

Not seen here: kinks that a run crosses, batches, and networks of more than a hundred parameters.
"""

import numpy as np
import pytest

import sharpminima as sm


def make_problem(seed, widths=(4, 6, 2), bias=True, n_samples=15):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, widths[0]))
    loss = sm.NetworkLoss(widths, x, rng.normal(size=(n_samples, widths[-1])), bias=bias)
    theta = sm.ravel(sm.init_params(widths, rng=rng, bias=bias))
    return loss, theta


def measure_imbalances(loss, theta):
    """Return for each hidden unit the squares of what enters it less those of what leaves it."""
    layers = loss.layers(theta)
    found = []
    for before, after in zip(layers, layers[1:], strict=False):
        enters = np.sum(before.weight**2, axis=0)
        if before.bias is not None:
            enters = enters + before.bias**2
        found.append(enters - np.sum(after.weight**2, axis=1))
    return np.concatenate(found)


@pytest.mark.claim("proposition-drift")
@pytest.mark.parametrize("widths", [(4, 6, 2), (3, 5, 4, 2)])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_a_step_moves_every_imbalance_by_the_law(widths, decay):
    loss, theta = make_problem(1, widths)
    rate = 0.07
    for _ in range(15):
        g = sm.gradient(loss, theta)
        expected = (1 - rate * decay) ** 2 * measure_imbalances(loss, theta)
        expected += rate**2 * measure_imbalances(loss, g)
        theta = theta - rate * (g + decay * theta)
        np.testing.assert_allclose(measure_imbalances(loss, theta), expected, rtol=0, atol=1e-12)


@pytest.mark.claim("fig-drift")
def test_over_one_time_twice_the_step_drifts_about_twice_as_far():
    loss, theta = make_problem(2, (5, 8, 1), bias=False)
    drift = []
    for rate in (0.001, 0.002, 0.004):
        end = sm.gradient_descent(loss, theta, steps=round(0.4 / rate), learning_rate=rate).theta
        change = measure_imbalances(loss, end) - measure_imbalances(loss, theta)
        drift.append(change.sum())
    ratios = np.divide(drift[1:], drift[:-1])
    assert ((ratios > 1.8) & (ratios < 2.2)).all()


@pytest.mark.claim("proposition-balancing")
def test_weight_decay_forgets_every_imbalance():
    loss, theta = make_problem(3)
    decay, rate, steps = 0.5, 0.01, 1000
    decayed = loss.like(l2=decay)
    end = sm.gradient_descent(decayed, theta, steps=steps, learning_rate=rate).theta
    start = np.abs(measure_imbalances(loss, theta)).max()
    assert np.abs(measure_imbalances(loss, end)).max() < 2e-3 * start  # exp(-10) and a drift
    free = sm.gradient_descent(loss, theta, steps=steps, learning_rate=rate).theta
    assert np.abs(measure_imbalances(loss, free)).max() > 0.5 * start


@pytest.mark.claim("fig-dial", "fig-runs")
@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_near_a_minimum_a_step_shrinks_the_loss_up_to_two_over_the_largest_eigenvalue(alpha):
    loss, theta = sm.sample_networks()["4-7-3, squared error"]
    d = sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
    twin = d * theta
    values, vectors = np.linalg.eigh(sm.hessian(loss, twin))
    start = twin + 1e-6 / np.sqrt(values[-1]) * vectors[:, -1]
    for factor, grows in ((0.95, False), (1.05, True)):
        rate = 2 * factor / values[-1]
        losses = sm.gradient_descent(loss, start, steps=10, learning_rate=rate).losses
        assert (losses[-1] - loss(twin) > losses[0] - loss(twin)) == grows


@pytest.mark.claim("catapult")
def test_a_catapult_lands_at_a_flatter_network_of_another_function():
    """Two parameters: one step beyond the line grows, and the run ends where the step is stable."""
    toy = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
    start = np.array([2.5, 1 / 2.5]) + [0.02, 0.0]
    top = sm.eigenvalues(sm.hessian(toy, start))[0]
    rate = 2.6 / top
    path = sm.gradient_descent(toy, start, steps=400, learning_rate=rate)
    assert path.losses.max() > 10 * path.losses[0]
    assert path.losses[-1] < 1e-10
    landed = sm.eigenvalues(sm.hessian(toy, path.theta))[0]
    assert landed * rate < 2 < top * rate


@pytest.mark.claim("fig-edge")
@pytest.mark.parametrize("seed", [0, 1])
def test_full_batches_bring_the_sharpness_to_two_over_the_step(seed):
    loss, theta = make_problem(seed, (6, 12, 1), bias=False, n_samples=30)
    slow = sm.gradient_descent(loss, theta, steps=4000, learning_rate=0.01).theta
    sharpest = sm.eigenvalues(sm.hessian(loss, slow))[0]
    rate = 2 / (0.8 * sharpest)  # gentle training ends beyond this step's line
    path = sm.gradient_descent(loss, theta, steps=3000, learning_rate=rate)
    end = sm.eigenvalues(sm.hessian(loss, path.theta))[0]
    assert end * rate / 2 < 1.1 < sharpest * rate / 2
    assert path.losses[-1] < path.losses[0]


@pytest.mark.claim("proposition-groups")
def test_which_steps_commute_with_which_maps():
    rng = np.random.default_rng(4)
    loss, theta = make_problem(5, (3, 4, 1), bias=False)
    n = len(theta)
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    signed = np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 1.0], n)
    scaling = np.diag(sm.alpha_diagonal(loss.widths, (2.0, 0.5)))
    descent = sm.GradientStep(0.01)
    adam = sm.AdamStep(0.01, epsilon=0.0)
    for rule, A, commutes in (
        (descent, rotation, True),
        (descent, signed, True),
        (descent, scaling, False),
        (adam, signed, True),
        (adam, rotation, False),
        (adam, scaling, False),
    ):
        mapped = sm.reparametrize(loss, sm.linear_map(np.linalg.inv(A)))
        here = sm.follow(loss, theta, rule, steps=10).theta
        there = sm.follow(mapped, A @ theta, rule, steps=10).theta
        gap = np.abs(there - A @ here).max()
        assert (gap < 1e-9) if commutes else (gap > 1e-3)
