"""Networks as they are trained: weight decay, weights of samples, other activations, binary
cross-entropy, biases in some layers.

The other side of each check is a loss written here, in plain words, on weights cut out of theta by
hand, and differentiated by autograd; or scikit-learn; or a closed form. Plain words and library
share NumPy and nothing else, so an error passes only where both make it.
"""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.special
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sharpminima as sm
from sharpminima.losses import as_criterion_mean, knows
from tests.sharpminima.support import ROUNDING, apart

N_SAMPLES = 9
VARIANTS = {
    "weight decay": {"l2": 0.3},
    "decay of some": {"l2": "some"},
    "weighted samples": {"sample_weight": "random"},
    "leaky": {"activation": "leaky_relu", "slope": 0.2},
    "identity": {"activation": "identity", "criterion": "cross_entropy"},
    "some biases": {"bias": (True, False, True), "criterion": "cross_entropy"},
    "last bias": {"bias": (False, False, True), "activation": "leaky_relu"},
    "one logit": {"criterion": "binary_cross_entropy", "widths": (3, 4, 3, 1), "bias": True},
    "yes or no": {"criterion": "binary_cross_entropy", "bias": True},
    "all of squared": {
        "l2": 0.1,
        "sample_weight": "random",
        "activation": "leaky_relu",
        "bias": (False, True, False),
    },
    "all of cross": {
        "l2": "some",
        "sample_weight": "random",
        "criterion": "cross_entropy",
        "bias": (False, True, True),
    },
    "all of binary": {
        "l2": 0.1,
        "sample_weight": "random",
        "activation": "leaky_relu",
        "slope": 0.5,
        "criterion": "binary_cross_entropy",
        "bias": True,
    },
}
SLOPES = {"relu": 0.0, "leaky_relu": 0.01, "identity": 1.0}


def draw(name):
    """A loss of that variant, a random point, and the arguments that it was made with."""
    rng = np.random.default_rng(len(name))
    words = {"criterion": "squared_error", "bias": False, "widths": (3, 4, 3, 2)} | VARIANTS[name]
    widths = words.pop("widths")
    x = rng.normal(size=(N_SAMPLES, widths[0]))
    y = rng.normal(size=(N_SAMPLES, widths[-1]))
    if words["criterion"] == "cross_entropy":
        y = scipy.special.softmax(y, axis=1)
    if words["criterion"] == "binary_cross_entropy":
        y = scipy.special.expit(y)
        y[:4] = y[:4] > 0.5
    if "sample_weight" in words:
        words["sample_weight"] = rng.uniform(0.2, 3, size=N_SAMPLES)
    size = sum(sm.layer_sizes(widths, bias=words["bias"]))
    if words.get("l2") == "some":
        words["l2"] = rng.uniform(0, 1, size=size) * (rng.uniform(size=size) > 0.5)
    loss = sm.NetworkLoss(widths, x, y, **words)
    theta = rng.normal(size=loss.size)
    assert not sm.kinks(loss, theta, tol=1e-4)
    return loss, theta, words


def read_outputs(loss, words, theta):
    """The outputs of the network, from weights that are cut out of theta one after the other."""
    slope = words.get("slope", SLOPES[words.get("activation", "relu")])
    n_layers = len(loss.widths) - 1
    biases = words["bias"] if isinstance(words["bias"], tuple) else (words["bias"],) * n_layers
    h = loss.x
    place = 0
    for k in range(n_layers):
        d_in, d_out = loss.widths[k], loss.widths[k + 1]
        z = anp.dot(h, anp.reshape(theta[place : place + d_in * d_out], (d_in, d_out)))
        place += d_in * d_out
        if biases[k]:
            z = z + theta[place : place + d_out]
            place += d_out
        h = anp.where(z > 0, z, slope * z)
    return z


def judge_sample(words, f, y):
    """The criterion of one sample."""
    if words["criterion"] == "squared_error":
        return anp.sum((f - y) ** 2) / 2
    if words["criterion"] == "cross_entropy":
        return -anp.sum(y * anp.log(anp.exp(f) / anp.sum(anp.exp(f))))
    return anp.sum(y * anp.log(1 + anp.exp(-f)) + (1 - y) * anp.log(1 + anp.exp(f)))


def write_plainly(loss, words):
    """The loss as a function of theta alone."""
    weights = words.get("sample_weight", np.ones(N_SAMPLES))

    def value(theta):
        f = read_outputs(loss, words, theta)
        judged = [w * judge_sample(words, f[i], loss.y[i]) for i, w in enumerate(weights)]
        return sum(judged) / weights.sum() + anp.sum(words.get("l2", 0) * theta**2) / 2

    return value


def fisher_plainly(loss, words, theta):
    """Sum over the samples of J_i' A_i J_i, with A_i by autograd."""
    weights = words.get("sample_weight", np.ones(N_SAMPLES))
    f = read_outputs(loss, words, theta)
    J = autograd.jacobian(lambda theta: read_outputs(loss, words, theta))(theta)
    F = np.zeros((loss.size, loss.size))
    for i, w in enumerate(weights):
        A = autograd.hessian(lambda f, i=i: judge_sample(words, f, loss.y[i]))(f[i])
        F += w * J[i].T @ A @ J[i]
    return F / weights.sum()


# The value and its derivatives


@pytest.mark.parametrize("name", VARIANTS)
def test_every_value_and_derivative_is_that_of_the_loss_in_plain_words(name):
    loss, theta, words = draw(name)
    plain = write_plainly(loss, words)
    assert loss(theta) == pytest.approx(plain(theta), rel=1e-13)
    assert apart(sm.gradient(loss, theta), autograd.grad(plain)(theta)) < ROUNDING
    H = autograd.hessian(plain)(theta)
    v = np.random.default_rng(1).normal(size=loss.size)
    assert apart(sm.hessian(loss, theta, method="structured"), H) < ROUNDING
    assert apart(sm.hessian_diagonal(loss, theta), np.diag(H)) < ROUNDING
    assert apart(sm.hvp(loss, theta, v), H @ v) < ROUNDING
    J = autograd.jacobian(lambda theta: read_outputs(loss, words, theta))(theta)
    assert apart(sm.jacobian(loss, theta), J) < ROUNDING
    assert apart(sm.gauss_newton(loss, theta), fisher_plainly(loss, words, theta)) < ROUNDING


@pytest.mark.parametrize("name", VARIANTS)
def test_the_closed_form_is_symmetric_to_the_last_bit(name):
    loss, theta, _ = draw(name)
    H = loss.hessian(theta)
    np.testing.assert_array_equal(H, H.T)


def test_a_hessian_agrees_with_differences_of_gradients():
    loss, theta, _ = draw("all of binary")
    v = np.random.default_rng(1).normal(size=loss.size)
    step = 1e-5
    ahead, back = (sm.gradient(loss, theta + s * step * v) for s in (1, -1))
    assert apart(sm.hvp(loss, theta, v), (ahead - back) / (2 * step)) < 1e-8


@pytest.mark.parametrize("name", ["one logit", "yes or no", "weight decay", "weighted samples"])
def test_a_residual_loss_knows_them_as_well(name):
    widths, loss, words = (3, 4, 4, 4, 2), *draw(name)[::2]
    if name == "one logit":
        widths = (3, 4, 4, 4, 1)
    words = {part: words[part] for part in words if part != "bias"}
    residual = sm.ResidualLoss(widths, loss.x, loss.y, **words)
    theta = np.random.default_rng(0).normal(size=residual.size)
    weights = words.get("sample_weight", np.ones(N_SAMPLES))
    judged = [
        judge_sample(words, f, y) for f, y in zip(residual.outputs(theta), loss.y, strict=True)
    ]
    expected = np.average(judged, weights=weights) + words.get("l2", 0) / 2 * theta @ theta
    assert residual(theta) == pytest.approx(expected, rel=1e-12)
    if not knows(residual, "criterion"):
        with pytest.raises(ValueError, match="mean of its criterion, squared_error, got Residual"):
            sm.gauss_newton(residual, theta)
        return
    J = sm.jacobian(residual, theta)
    F = sum(
        J[i].T
        @ autograd.hessian(lambda f, i=i: judge_sample(words, f, loss.y[i]))(
            residual.outputs(theta)[i]
        )
        @ J[i]
        for i in range(N_SAMPLES)
    )
    assert apart(sm.gauss_newton(residual, theta), F / N_SAMPLES) < ROUNDING


# Weights of samples


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_a_weight_of_two_is_the_sample_twice(criterion):
    rng = np.random.default_rng(0)
    x, counts = rng.normal(size=(5, 3)), np.array([2, 1, 0, 3, 1])
    y = rng.normal(size=(5, 2)) if criterion == "squared_error" else rng.integers(2, size=5)
    weighted = sm.NetworkLoss((3, 4, 2), x, y, criterion=criterion, sample_weight=counts)
    repeated = sm.NetworkLoss(
        (3, 4, 2), np.repeat(x, counts, axis=0), np.repeat(y, counts, axis=0), criterion=criterion
    )
    theta = rng.normal(size=weighted.size)
    assert weighted(theta) == pytest.approx(repeated(theta), rel=1e-14)
    for function in (sm.gradient, sm.hessian, sm.gauss_newton, sm.hessian_diagonal):
        assert apart(function(weighted, theta), function(repeated, theta)) < ROUNDING
    ours, theirs = sm.Point(weighted, theta), sm.Point(repeated, theta)
    trace = sm.MEASURES["fisher_trace"]
    assert trace(ours) == pytest.approx(trace(theirs), rel=1e-12)


def test_the_batches_of_an_epoch_have_the_mean_of_the_whole_gradient():
    loss, theta, _ = draw("all of cross")
    parts = [loss.take(np.arange(start, start + 3)) for start in (0, 3, 6)]
    mean = np.mean([sm.gradient(part, theta) for part in parts], axis=0)
    assert apart(mean, sm.gradient(loss, theta)) < ROUNDING


@pytest.mark.parametrize("name", ["weight decay", "weighted samples", "all of binary"])
def test_a_step_of_sgd_on_all_samples_follows_the_gradient(name):
    loss, theta, words = draw(name)
    moved = sm.sgd(
        loss, theta, epochs=1, batch_size=N_SAMPLES, learning_rate=0.1, rng=np.random.default_rng(0)
    )
    slope = autograd.grad(write_plainly(loss, words))(theta)
    np.testing.assert_allclose(moved, theta - 0.1 * slope, rtol=0, atol=1e-13)


def test_a_loss_with_weights_needs_weights_for_other_data():
    loss, theta, _ = draw("weighted samples")
    with pytest.raises(ValueError, match="sample_weight must be given for other data, as Network"):
        loss.on(loss.x[:2], loss.y[:2])
    part = loss.on(loss.x[:2], loss.y[:2], sample_weight=[1, 3])
    errors = np.sum((loss.outputs(theta)[:2] - loss.y[:2]) ** 2, axis=1) / 2
    assert part(theta) == pytest.approx((errors[0] + 3 * errors[1]) / 4, rel=1e-13)


def test_other_data_keep_the_decay_and_the_activation():
    loss, theta, _ = draw("all of squared")
    part = loss.on(loss.x[:3], loss.y[:3], sample_weight=np.ones(3))
    plain = loss.without_decay().on(loss.x[:3], loss.y[:3], sample_weight=np.ones(3))
    assert part.activation == "leaky_relu" and part.bias == (False, True, False)
    assert part(theta) - plain(theta) == pytest.approx(0.05 * theta @ theta, rel=1e-12)


# Two outputs and one logit


def test_one_logit_is_two_outputs_of_which_the_first_is_zero():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.integers(2, size=8)
    one = sm.NetworkLoss((3, 4, 1), x, y, criterion="binary_cross_entropy", bias=True)
    two = sm.NetworkLoss((3, 4, 2), x, y, criterion="cross_entropy", bias=True)
    theta = rng.normal(size=one.size)
    hidden, (weight, bias) = one.layers(theta)
    last = sm.Layer(np.hstack([0 * weight, weight]), np.append(0.0, bias))
    assert one(theta) == pytest.approx(two(sm.ravel([hidden, last])), rel=1e-14)


def test_a_large_logit_costs_nothing_where_it_is_right():
    loss = sm.NetworkLoss((1, 1), [[1.0], [-1.0]], [1, 0], criterion="binary_cross_entropy")
    assert loss([40.0]) == pytest.approx(np.exp(-40), rel=1e-12)
    assert loss([-800.0]) == 800
    assert np.isfinite(sm.hessian(loss, [800.0])).all()


def test_yes_and_no_may_be_truth_values():
    loss = make(criterion="binary_cross_entropy", y=[True, False])
    np.testing.assert_array_equal(loss.y, [[1.0], [0.0]])


# scikit-learn


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
def test_the_loss_of_scikit_learn_with_its_penalty(hidden):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(2, size=60)
    model = MLPClassifier(hidden, solver="lbfgs", alpha=0.5, max_iter=5, random_state=0)
    with pytest.warns(UserWarning, match="lbfgs failed to converge"):
        model.fit(x, y)
    layers = [
        sm.Layer(weight, bias) for weight, bias in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    decay = [sm.Layer(np.ones(weight.shape), np.zeros(bias.shape)) for weight, bias in layers]
    loss = sm.NetworkLoss(
        (4, *hidden, 1),
        x,
        y,
        criterion="binary_cross_entropy",
        bias=True,
        l2=0.5 / 60 * sm.ravel(decay),
    )
    assert loss(sm.ravel(layers)) == pytest.approx(model.loss_, rel=1e-10)
    expected = log_loss(y, model.predict_proba(x))
    assert loss.without_decay()(sm.ravel(layers)) == pytest.approx(expected, rel=1e-10)


def test_weighted_samples_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(30, 2)), rng.integers(3, size=30), rng.uniform(size=30)
    loss = sm.NetworkLoss((2, 4, 3), x, y, criterion="cross_entropy", sample_weight=weights)
    theta = rng.normal(size=loss.size)
    p = scipy.special.softmax(loss.outputs(theta), axis=1)
    assert loss(theta) == pytest.approx(log_loss(y, p, sample_weight=weights), rel=1e-12)


def test_an_identity_network_of_scikit_learn():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    model = MLPRegressor(
        hidden_layer_sizes=(4,), activation="identity", solver="lbfgs", alpha=0.0, max_iter=2000
    )
    model.fit(x, y)
    theta = sm.ravel([sm.Layer(w, b) for w, b in zip(model.coefs_, model.intercepts_, strict=True)])
    loss = sm.NetworkLoss((3, 4, 1), x, y, bias=True, activation="identity")
    np.testing.assert_allclose(loss.outputs(theta)[:, 0], model.predict(x), rtol=1e-12, atol=1e-12)


# Bounds


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("radius", [0.0, 1e-3, 0.3])
def test_bounds_hold_the_loss_in_all_of_the_box(name, radius):
    loss, theta, words = draw(name)
    plain = write_plainly(loss, words)
    bounds = sm.loss_bounds(loss, theta, radius)
    rng = np.random.default_rng(0)
    corners = theta + radius * rng.choice([-1, 1], size=(40, loss.size))
    inside = theta + radius * rng.uniform(-1, 1, size=(40, loss.size))
    for point in [theta, *corners, *inside]:
        assert bounds.lower <= loss(point) <= bounds.upper
    assert bounds.lower <= plain(theta) * (1 + 1e-14) and plain(theta) * (1 - 1e-14) <= bounds.upper
    if radius == 0:  # nor are they wide
        assert bounds.upper - bounds.lower < 1e-11 * bounds.upper


@pytest.mark.parametrize("name", VARIANTS)
def test_the_box_of_a_variant_lies_below_the_level(name):
    loss, theta, _ = draw(name)
    radius = sm.box_radius(loss, theta, 0.1)
    corner = theta + radius * np.sign(sm.gradient(loss, theta))
    assert 0 < loss(corner) - loss(theta) < 0.1


def test_the_box_of_weight_decay_alone_is_the_largest_one():
    # With inputs 0 the loss is theta' theta / 2; its largest box has 3 r^2 / 2 = epsilon.
    loss = sm.NetworkLoss((3, 1), np.zeros((1, 3)), [0.0], l2=1.0)
    assert sm.box_radius(loss, np.zeros(3), 0.375) == pytest.approx(0.5, rel=1e-6)


# Kinks


def test_a_leaky_network_has_the_kinks_of_its_own_pre_activations():
    loss, theta, words = draw("leaky")
    (W1, _), (W2, _), _ = loss.layers(theta)
    first = loss.x @ W1
    second = np.where(first > 0, first, 0.2 * first) @ W2
    expected = min(np.abs(first).min(), np.abs(second).min())
    assert sm.kinks(loss, theta, tol=1e-6).margin == pytest.approx(expected, rel=1e-12)


def test_a_unit_behind_units_that_are_off_has_a_kink_only_if_these_are_not_silent():
    words = {"x": [[-1.0]], "y": [1.0]}
    theta = [1.0, 1.0, 1.0]
    assert sm.kinks(sm.NetworkLoss((1, 1, 1, 1), **words), theta, tol=0.1).margin == 1
    leaky = sm.NetworkLoss((1, 1, 1, 1), **words, activation="leaky_relu", slope=0.05)
    assert sm.kinks(leaky, theta, tol=0.1).margin == pytest.approx(0.05)


def test_the_identity_has_no_kinks():
    loss, theta, _ = draw("identity")
    found = sm.kinks(loss, 0 * theta, tol=1.0)
    assert not found and found.margin == np.inf and len(found.where) == 0


# What is read off layers, and the audit


@pytest.mark.parametrize("name", VARIANTS)
def test_the_input_gradient_is_that_of_the_outputs(name):
    loss, theta, words = draw(name)

    def outputs_of(x):
        other = sm.NetworkLoss.__new__(sm.NetworkLoss)
        other.__dict__ |= vars(loss) | {"x": x}
        return read_outputs(other, words, theta)

    slopes = [autograd.jacobian(outputs_of)(row[None, :]) for row in loss.x]
    expected = np.sqrt(np.mean([np.sum(slope**2) for slope in slopes]))
    point = sm.Point(loss, theta)
    assert sm.MEASURES["input_gradient_norm"](point) == pytest.approx(expected, rel=1e-12)


def test_features_are_normalized_as_the_activation_leaves_them():
    loss, theta, _ = draw("leaky")
    (W1, _), (W2, _), (W3, _) = loss.layers(theta)

    def leak(z):
        return np.where(z > 0, z, 0.2 * z)

    sigma = leak(leak(loss.x @ W1) @ W2).std(axis=0)
    block = sm.hessian(loss, theta)[-W3.size :, -W3.size :].reshape(*W3.shape, *W3.shape)
    traces = np.einsum("kikj,k->ij", block, sigma**-2.0)
    expected = np.sum((W3 * sigma[:, None]).T @ (W3 * sigma[:, None]) * traces)
    measure = sm.MEASURES["relative_flatness_normalized"]
    assert measure(sm.Point(loss, theta)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("move", ["layer_scale", "node_scale", "permutation", "input_basis"])
def test_a_twin_keeps_the_mean_of_the_criterion_but_not_the_decay(name, move):
    loss, theta, _ = draw(name)
    twin, there = sm.TRANSFORMATIONS[move](loss, theta, np.random.default_rng(0))
    kept = loss.without_decay()(theta)
    assert twin.without_decay()(there) == pytest.approx(kept, rel=1e-9)
    changes = loss.has_decay and (move != "permutation" or np.ndim(loss.l2) == 1)
    assert (twin(there) == pytest.approx(loss(theta), rel=1e-9)) == (not changes)


KEEPING = [name for name, move in sm.TRANSFORMATIONS.items() if move.keeps]


@pytest.mark.parametrize("move", KEEPING)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_transformation_keeps_what_it_promises_or_refuses(name, move):
    """Coordinates keep the loss itself, weight decay included; twins of the same coordinates the
    mean of the criterion.
    """
    loss, theta, _ = draw(name)
    transformation = sm.TRANSFORMATIONS[move]
    try:
        start, begin = transformation.start(loss, theta)
        twin, there = transformation(loss, theta, np.random.default_rng(0))
    except ValueError:  # it says that it is not for such a loss
        return
    if isinstance(twin, sm.LayeredLoss):
        assert (twin.activation, twin.criterion) == (loss.activation, loss.criterion)
        kept = loss.without_decay()(theta)
        assert twin.without_decay()(there) == pytest.approx(kept, rel=1e-8)
    else:
        assert twin(there) == pytest.approx(start(begin), rel=1e-8)


def test_the_audit_says_that_a_loss_with_weight_decay_is_no_property_of_the_function():
    loss, theta, _ = draw("all of squared")

    def value(point):
        return point.value

    def fit(point):
        return point.loss.without_decay()(point.theta)

    moves = {
        name: sm.TRANSFORMATIONS[name] for name in ("layer_scale", "permutation", "input_basis")
    }
    words = {"networks": {"mine": (loss, theta)}, "seeds": range(3), "transformations": moves}
    report = sm.audit(value, **words)
    assert {name: report.survives(name) for name in moves} == {
        "layer_scale": False,
        "permutation": True,
        "input_basis": False,
    }
    kept = sm.audit(fit, **words)
    assert all(kept.survives(name) for name in moves)
    described = report.networks["mine"]
    assert "l2=0.1" in described and "weighted samples" in described
    assert "with weight decay twins keep the function, but not the loss nor its minima" in described


def test_a_twin_of_a_minimum_with_weight_decay_is_none_of_its_own():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    loss = sm.NetworkLoss((3, 4, 1), x, y, activation="identity", l2=0.01)
    minimum = sm.polish(loss, rng.normal(size=loss.size))
    assert minimum.genuine
    twin, there = sm.TRANSFORMATIONS["layer_scale"](loss, minimum.theta, rng)
    assert not sm.examine(twin, there).genuine and twin(there) > minimum.value
    report = sm.audit(sm.MEASURES["gradient_norm"], networks=[(loss, minimum.theta)], seeds=[0])
    assert report.networks["network 1"].endswith("but not the loss nor its minima")


def test_a_bound_of_plain_layers_is_not_given_for_skip_connections():
    x, y = np.eye(2), np.ones(2)
    residual = sm.ResidualLoss((2, 3, 3, 3, 1), x, y)
    point = sm.Point(residual, np.ones(residual.size))
    for name in ("product_of_spectral_norms", "path_norm", "input_gradient_norm"):
        with pytest.raises(sm.Undefined, match="plain rectified layers, got ResidualLoss"):
            sm.MEASURES[name](point)


def test_the_fisher_information_of_a_loss_with_decay_moves_with_the_coordinates():
    loss, theta, words = draw("all of cross")
    stretch = np.linspace(1, 2, loss.size)
    moved = sm.reparametrize(loss, sm.linear_map(np.diag(stretch)))
    F = fisher_plainly(loss, words, theta)
    expected = stretch[:, None] * F * stretch
    assert apart(sm.gauss_newton(moved, theta / stretch), expected) < ROUNDING


@pytest.mark.parametrize("name", ["weight decay", "weighted samples"])
def test_what_needs_the_mean_of_the_criterion_says_what_is_in_the_way(name):
    loss, theta, _ = draw(name)
    assert not knows(loss, "criterion")
    way = {
        "weight decay": r"with weight decay: take loss\.without_decay\(\)",
        "weighted samples": "with weights of samples",
    }
    with pytest.raises(ValueError, match=way[name]):
        as_criterion_mean(loss)
    with pytest.raises(sm.Undefined, match=way[name]):
        sm.MEASURES["minimum_sharpness_layers"](sm.Point(loss, theta))


# Biases in some layers


def test_biases_in_some_layers_are_scaled_with_them():
    widths, bias = (2, 3, 4, 2), (True, False, True)
    rng = np.random.default_rng(0)
    params = sm.init_params(widths, rng=rng, bias=bias)
    assert [layer.bias is not None for layer in params] == list(bias)
    theta = rng.normal(size=sum(sm.layer_sizes(widths, bias=bias)))
    params = sm.unravel(theta, widths, bias=bias)
    np.testing.assert_array_equal(sm.ravel(params), theta)
    alphas = (2.0, 4.0, 0.125)
    scaled = sm.ravel(sm.alpha_scale(params, alphas))
    d = sm.alpha_diagonal(widths, alphas, bias=bias)
    np.testing.assert_array_equal(scaled, d * theta)
    expected = np.log(d).sum()
    assert sm.alpha_log_determinant(widths, alphas, bias=bias) == pytest.approx(expected, rel=1e-13)
    scales = [np.array([1.0, 2.0, 4.0]), np.array([0.5, 1.0, 2.0, 8.0])]
    moved = sm.ravel(sm.node_scale(params, scales))
    np.testing.assert_array_equal(moved, sm.node_diagonal(widths, scales, bias=bias) * theta)


def test_all_layers_with_a_bias_are_a_bias():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0], bias=(True, True))
    assert loss.bias is True and loss.size == 4


# Words


def test_a_loss_names_what_it_is_made_of():
    words = {"l2": 0.1, "sample_weight": [1, 2], "activation": "leaky_relu", "bias": (True, False)}
    loss = sm.NetworkLoss((1, 2, 1), [[1.0], [2.0]], [1.0, 2.0], **words)
    assert repr(loss) == (
        "NetworkLoss(1-2-1, 2 samples, squared_error, bias=(True, False), activation=leaky_relu of"
        " slope 0.01, l2=0.1, weighted samples)"
    )
    assert type(loss.l2) is float


@pytest.mark.parametrize(
    ("l2", "words"), [([0, 0.5], "0 to 0.5"), ([0.1, 0.5], "0.1 to 0.5"), ([0.5, 0.5], "0.5")]
)
def test_a_loss_names_the_least_and_the_largest_decay(l2, words):
    loss = sm.NetworkLoss((2, 1), [[1.0, 2.0]], [1.0], l2=l2)
    assert repr(loss) == f"NetworkLoss(2-1, 1 samples, squared_error, bias=False, l2={words})"


def test_a_leaky_network_of_slope_zero_is_rectified():
    rectified, leaky = make(), make(activation="leaky_relu", slope=0)
    assert leaky.slope == 0 and leaky([3.0]) == rectified([3.0])
    z = np.array([-2.0, 0.0, 3.0])
    for loss in (rectified, leaky):
        np.testing.assert_array_equal(loss.activate(z), [0, 0, 3])
        np.testing.assert_array_equal(loss.derive_activation(z), [0, 0, 1])


def make(**changed):
    words = {"x": [[1.0], [2.0]], "y": [1.0, 0.0]} | changed
    return sm.NetworkLoss((1, 1), words.pop("x"), words.pop("y"), **words)


BAD = {
    "l2 negative": (lambda: make(l2=-1.0), "l2 must be a number of at least 0, or 1 of them"),
    "l2 of another length": (lambda: make(l2=[1, 2]), "l2 must be a number of at least 0, or 1"),
    "weights too few": (
        lambda: make(sample_weight=[1.0]),
        r"sample_weight must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "a weight negative": (
        lambda: make(sample_weight=[2.0, -1.0]),
        "sample_weight must have no negative entry and a positive sum",
    ),
    "no weight": (lambda: make(sample_weight=[0, 0]), "sample_weight must have no negative entry"),
    "activation": (
        lambda: make(activation="tanh"),
        "activation must be one of relu, leaky_relu, identity, got 'tanh'",
    ),
    "slope of relu": (
        lambda: make(slope=0.1),
        "slope must be None for activation 'relu', got 0.1: it is that of 'leaky_relu'",
    ),
    "slope negative": (
        lambda: make(activation="leaky_relu", slope=-0.1),
        "slope must be at least 0, got -0.1",
    ),
    "biases": (
        lambda: make(bias=(True, False)),
        r"bias must be True or False, or 1 of them, one a layer, got \(True, False\)",
    ),
    "labels of one logit": (
        lambda: make(criterion="binary_cross_entropy", y=[1, 2]),
        "y must hold labels 0 and 1, or probabilities of 1, .* got 1 to 2",
    ),
    "a share below 0": (
        lambda: make(criterion="binary_cross_entropy", y=[-0.25, 1.0]),
        "y must hold labels 0 and 1, or probabilities of 1, .* got -0.25 to 1",
    ),
    "a share of float32": (
        lambda: make(criterion="binary_cross_entropy", y=np.array([0.25, 1.0], "f4")),
        "y must be an array of targets of float64 numbers, got dtype float32",
    ),
    "one output for two classes": (
        lambda: make(criterion="cross_entropy", y=[0, 1]),
        "y must hold labels from 0 to 0, got 0 to 1: one output .* binary_cross_entropy",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
