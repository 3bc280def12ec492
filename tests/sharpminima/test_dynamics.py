"""What the chapter on dynamics states, at other networks than the page's.

Not seen here: kinks that a run crosses, batches, and networks of more than a hundred parameters.
"""

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.stats
from autograd import grad

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


@pytest.mark.claim("edge-twins")
def test_the_twin_decides_when_the_edge_is_reached():
    """From a flatter start later; from one beyond the line training goes on elsewhere."""
    loss, theta = make_problem(1, (6, 12, 1), bias=False, n_samples=30)
    rate, shares = 0.2, []
    for alpha in (0.7, 1.4):
        run = sm.follow(
            loss,
            sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha)) * theta,
            sm.GradientStep(rate),
            steps=1000,
            at=[300],
            observe={"top": lambda t: sm.eigenvalues(sm.hessian(loss, t))[0]},
        )
        shares.append(run.values["top"] * rate / 2)
    late, early = shares
    assert late[1] < 0.8 < 0.9 < late[2]
    assert early[1] > 0.95 and early[2] < 1.1


@pytest.mark.claim("edge-drift")
@pytest.mark.parametrize("seed", [0, 1])
def test_at_the_edge_the_drift_is_out_of_proportion_to_the_step(seed):
    """On these networks it goes the other way than on the page: by the sign of the law alone."""
    loss, theta = make_problem(seed, (6, 12, 1), bias=False, n_samples=30)
    drifts = []
    for rate in (0.01, 0.3):
        moved, at = 0.0, theta
        for _ in range(round(90 / rate)):
            g = sm.gradient(loss, at)
            moved += rate**2 * measure_imbalances(loss, g).sum()
            at = at - rate * g
        change = (measure_imbalances(loss, at) - measure_imbalances(loss, theta)).sum()
        assert change == pytest.approx(moved, rel=1e-6)
        drifts.append(change)
    assert abs(drifts[1]) > 100 * abs(drifts[0])
    assert sm.eigenvalues(sm.hessian(loss, at))[0] * rate / 2 > 0.9


@pytest.mark.claim("trained-alike")
def test_the_trace_goes_with_its_floor_among_networks_that_are_trained_alike():
    """Narrower networks, fewer images and another question than on the page."""
    images = sm.digits("class", n_train=100)
    loss = sm.NetworkLoss((64, 12, 1), images.x_train, np.where(images.y_train < 5, 1.0, -1.0))
    found = np.empty((20, 4, 2))
    for seed, k in np.ndindex(20, 4):
        theta = sm.ravel(sm.init_params(loss.widths, rng=np.random.default_rng(100 + seed)))
        twin = sm.alpha_diagonal(loss.widths, (2.0 ** (k - 1), 2.0 ** (1 - k))) * theta
        end = sm.follow(loss, twin, sm.GradientStep(0.03), steps=500, every=500).theta
        one, two = np.split(sm.gauss_newton_diagonal(loss, end), [64 * 12])
        found[seed, k] = one.sum() + two.sum(), 2 * np.sqrt(one.sum() * two.sum())
    alike = [scipy.stats.kendalltau(*found[:, k].T)[0] for k in range(4)]
    picks = np.random.default_rng(1).integers(4, size=(200, 20))
    mixed = [scipy.stats.kendalltau(*found[np.arange(20), pick].T)[0] for pick in picks]
    assert min(alike) > 0.4
    assert np.mean(mixed) < 0.25


@pytest.mark.claim("cost-of-products")
def test_a_product_with_the_gauss_newton_matrix_is_one_pass_forward_and_one_back():
    """Two hidden layers: the tangents go forward, what they do to the outputs comes back."""
    loss, theta = make_problem(4, (5, 4, 3, 2), bias=False)
    way = np.random.default_rng(5).normal(size=loss.size)
    weights = [layer.weight for layer in loss.layers(theta)]
    changes = [layer.weight for layer in loss.layers(way)]
    inputs, masks, tangent = [loss.x], [], np.zeros_like(loss.x)
    for k, (W, dW) in enumerate(zip(weights, changes, strict=True)):
        before, tangent = inputs[-1] @ W, tangent @ W + inputs[-1] @ dW
        masks.append(before > 0 if k < 2 else np.ones_like(before))
        inputs.append(before * masks[-1])
        tangent = tangent * masks[-1]
    back, found = tangent / len(loss.x), []
    for k in (2, 1, 0):
        found.append((inputs[k].T @ (back * masks[k])).ravel())
        back = (back * masks[k]) @ weights[k].T
    expected = sm.gauss_newton_operator(loss, theta) @ way
    np.testing.assert_allclose(np.concatenate(found[::-1]), expected, atol=1e-12)


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


# Sharpness-aware steps, written out


def step_uphill(loss, theta, rho):
    g = sm.gradient(loss, theta)
    return theta + rho * g / np.linalg.norm(g)


def pair_imbalances(loss, one, other):
    """Return the bilinear form of the imbalances, layer by layer."""
    found = []
    layers, others = loss.layers(one), loss.layers(other)
    for k in range(len(layers) - 1):
        units = np.sum(layers[k].weight * others[k].weight, axis=0)
        if layers[k].bias is not None:
            units = units + layers[k].bias * others[k].bias
        leaving = layers[k + 1].weight * others[k + 1].weight
        found.append(units - leaving.sum(axis=1))
    return np.concatenate(found)


@pytest.mark.claim("proposition-sam")
@pytest.mark.parametrize("widths", [(4, 6, 2), (3, 5, 4, 2)])
def test_a_sharpness_aware_step_moves_every_imbalance_by_the_law(widths):
    loss, theta = make_problem(6, widths)
    rate, rho = 0.07, 0.2
    for _ in range(15):
        g = sm.gradient(loss, theta)
        uphill = sm.gradient(loss, step_uphill(loss, theta, rho))
        drift = 2 * rate * rho / np.linalg.norm(g) * pair_imbalances(loss, g, uphill)
        drift += rate**2 * pair_imbalances(loss, uphill, uphill)
        expected = measure_imbalances(loss, theta) + drift
        theta = theta - rate * uphill
        np.testing.assert_allclose(measure_imbalances(loss, theta), expected, rtol=0, atol=1e-12)


@pytest.mark.claim("proposition-sam")
def test_with_two_weights_sharpness_aware_steps_balance_and_short_ones_do_not():
    toy = sm.NetworkLoss((1, 1, 1), [[2.0]], [3.0])
    start = np.array([3.0, 0.4])
    ends = []
    for rho in (0.0, 0.2):
        theta = start
        for _ in range(3000):
            slope = sm.gradient(toy, theta)
            if rho > 0:
                slope = sm.gradient(toy, step_uphill(toy, theta, rho))
            theta = theta - 0.01 * slope
        ends.append(theta)
    assert abs(ends[1][0] - ends[1][1]) < 0.01
    assert abs(ends[0][0] - ends[0][1]) > 1


@pytest.mark.claim("proposition-sam-twin")
def test_bouncing_steps_drift_by_the_formula():
    loss, theta = sm.sample_networks()["4-7-3, squared error"]
    values, vectors = np.linalg.eigh(sm.hessian(loss, theta))
    v, rho, share = vectors[:, -1], 1e-4, 0.7
    theta = theta + share * rho / (2 - share) * v  # on the cycle from the start
    before = measure_imbalances(loss, theta)
    for _ in range(20):
        uphill = sm.gradient(loss, step_uphill(loss, theta, rho))
        theta = theta - share / values[-1] * uphill
    drift = (measure_imbalances(loss, theta) - before) / 20
    expected = 8 * share * rho**2 / (2 - share) ** 2 * measure_imbalances(loss, v)
    np.testing.assert_allclose(drift, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.claim("proposition-sam-twin")
def test_the_largest_eigenvalue_changes_with_a_units_scale_by_its_eigenvectors_imbalance():
    loss, theta = sm.sample_networks()["4-7-3, squared error"]
    values, vectors = np.linalg.eigh(sm.hessian(loss, theta))
    rates = []
    for way in np.eye(7):
        tops = []
        for sign in (1e-5, -1e-5):
            twin = sm.ravel(sm.node_scale(loss.layers(theta), [np.exp(sign * way)]))
            tops.append(np.linalg.eigvalsh(sm.hessian(loss, twin))[-1])
        rates.append((tops[0] - tops[1]) / 2e-5)
    expected = -2 * values[-1] * measure_imbalances(loss, vectors[:, -1])
    np.testing.assert_allclose(rates, expected, atol=1e-5 * values[-1])


@pytest.mark.claim("proposition-sam-twin")
@pytest.mark.parametrize("name", ["4-6-5-3, squared error", "4-7-3, cross entropy, biases"])
def test_at_the_flattest_twin_the_leading_eigenvector_is_balanced_at_every_unit(name):
    loss, theta = sm.sample_networks()[name]
    flattest = sm.sharpness_floor(loss, theta).theta
    values, vectors = np.linalg.eigh(sm.hessian(loss, flattest))
    assert values[-1] > 1.5 * values[-2]  # simple: elsewhere two may meet
    assert np.abs(measure_imbalances(loss, vectors[:, -1])).max() < 1e-4
    _, vectors = np.linalg.eigh(sm.hessian(loss, theta))
    assert np.abs(measure_imbalances(loss, vectors[:, -1])).max() > 1e-2


@pytest.mark.claim("fig-picked")
def test_sharpness_aware_steps_pick_the_flattest_twin_and_weight_decay_another():
    """One unit, three inputs: the twins differ in one number, which can be tried."""
    x, w = np.diag([1.0, 2.0, 0.5]), np.array([0.5, 1.0, 2.0])
    loss = sm.NetworkLoss((3, 1, 1), x, x @ w)

    def find_top(q):
        return sm.eigenvalues(sm.hessian(loss, np.append(w, q) / np.sqrt(q)))[0]

    qs = np.exp(np.linspace(-2, 2, 401))
    best = qs[np.argmin([find_top(q) for q in qs])]
    aim = w @ w / best - best
    for q in (0.4, 3.0):
        theta = np.append(w, q) / np.sqrt(q) + 1e-3
        for _ in range(4000):
            theta = theta - 0.1 * sm.gradient(loss, step_uphill(loss, theta, 0.1))
        assert measure_imbalances(loss, theta)[0] == pytest.approx(aim, abs=0.1)
    decayed = sm.gradient_descent(
        loss.like(l2=0.03), np.append(w, 1.0), steps=3000, learning_rate=0.1
    )
    assert abs(measure_imbalances(loss, decayed.theta)[0]) < 0.01 < abs(aim) - 0.5


# At the edge


def make_smooth(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=20)

    def loss(theta):
        hidden = anp.tanh(anp.dot(x, theta[:20].reshape(4, 5)))
        return anp.mean((anp.dot(hidden, theta[20:]) - y) ** 2) / 2

    return loss, rng.normal(size=25)


@pytest.mark.claim("proposition-self-stabilization", "fig-stay")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_oscillation_is_a_step_down_the_sharpness(seed):
    """Two gradients on the two sides, against differences of the largest eigenvalue."""
    loss, theta = make_smooth(seed)
    values, vectors = np.linalg.eigh(sm.hessian(loss, theta))
    u, x = vectors[:, -1], 1e-2
    sides = sm.gradient(loss, theta + x * u) + sm.gradient(loss, theta - x * u)
    turn = (sides - 2 * sm.gradient(loss, theta)) / x**2
    slope = []
    for way in 1e-4 * np.eye(25):
        tops = [np.linalg.eigvalsh(sm.hessian(loss, theta + s))[-1] for s in (way, -way)]
        slope.append((tops[0] - tops[1]) / 2e-4)
    np.testing.assert_allclose(turn, slope, atol=5e-3 * np.abs(slope).max())


# Steps in a metric that is carried along


def carry_kappa(loss, theta):
    """The sums over paths as the derivative of the squared path norm in the squares of weights."""
    squares = theta**2

    def add_paths(s):
        layers = loss.layers(s)
        total = anp.ones(loss.widths[0])
        for layer in layers:
            total = anp.dot(total, layer.weight)
        return anp.sum(total)

    return grad(add_paths)(squares)


def carry_gauss_newton(loss, theta):
    G = sm.gauss_newton(loss, theta)
    return G + 0.3 * np.diag(np.diag(G))


@pytest.mark.claim("proposition-metric")
@pytest.mark.parametrize("widths", [(4, 6, 2), (3, 5, 4, 2)])
def test_steps_in_a_carried_metric_take_twins_to_twins(widths):
    loss, theta = make_problem(7, widths, bias=False)
    rng = np.random.default_rng(8)
    scales = [np.exp(rng.normal(size=width)) for width in widths[1:-1]]
    d = sm.ravel(sm.node_scale(loss.layers(np.ones(loss.size)), scales))

    def run(start, find_metric):
        for _ in range(30):
            M = find_metric(start)
            slope = sm.gradient(loss, start)
            step = slope / M if M.ndim == 1 else np.linalg.lstsq(M, slope, rcond=None)[0]
            start = start - 0.05 * step
        return start

    def usual(theta):
        return sm.gauss_newton(loss, theta) + 0.3 * np.eye(loss.size)

    for find_metric in (
        lambda t: carry_kappa(loss, t),
        lambda t: carry_gauss_newton(loss, t),
    ):
        gap = run(d * theta, find_metric) / d - run(theta, find_metric)
        assert np.abs(gap).max() < 1e-8
    assert np.abs(run(d * theta, usual) / d - run(theta, usual)).max() > 1e-2


@pytest.mark.claim("steps-of-weight-normalization")
def test_weight_normalization_has_one_point_for_all_twins_and_twins_of_its_own():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=12)

    def loss(eta):
        V = eta[:6].reshape(3, 2)
        hidden = anp.maximum(anp.dot(x, V / anp.sqrt(anp.sum(V**2, axis=0))), 0)
        return anp.mean((anp.dot(hidden, eta[6:]) - y) ** 2) / 2

    eta = rng.normal(size=8)
    longer = eta * np.array([4.0] * 6 + [1.0] * 2)

    def turn(end):
        V = end[:6].reshape(3, 2)
        return V / np.linalg.norm(V, axis=0)

    here = sm.follow(loss, eta, sm.GradientStep(0.1), steps=50).theta
    there = sm.follow(loss, longer, sm.GradientStep(0.1), steps=50).theta
    assert loss(longer) == loss(eta)
    assert np.abs(turn(here) - turn(there)).max() > 1e-2
