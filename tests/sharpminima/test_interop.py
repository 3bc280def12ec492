"""Trained networks from scikit-learn, and the way back. Those from PyTorch are in
tests/frameworks.
"""

import warnings

import numpy as np
import pytest
import scipy.special
import sklearn.datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sharpminima as sm

X, LABELS = sklearn.datasets.load_iris(return_X_y=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[LABELS]


def fitted(kind, x, y, *, sample_weight=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(
            **{"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0, **options}
        ).fit(x, y, sample_weight=sample_weight)


@pytest.mark.parametrize("hidden", [(6,), (5, 4), ()])
def test_a_classifier_gives_the_same_probabilities_and_log_loss(hidden):
    model = fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=hidden)
    loss, theta = sm.from_sklearn(model, X, SPECIES)
    probabilities = model.predict_proba(X)
    assert np.allclose(
        scipy.special.softmax(loss.outputs(theta), axis=1), probabilities, rtol=0, atol=1e-14
    )
    assert loss(theta) == pytest.approx(
        -np.log(probabilities[np.arange(len(X)), LABELS]).mean(), rel=1e-12
    )


@pytest.mark.parametrize("targets", [X[:, 2], X[:, 2:]])
def test_a_regressor_gives_the_same_predictions(targets):
    model = fitted(MLPRegressor, X[:, :2], targets)
    loss, theta = sm.from_sklearn(model, X[:, :2], targets)
    errors = np.reshape(model.predict(X[:, :2]) - targets, (len(X), -1))
    assert loss(theta) == pytest.approx(np.sum(errors**2) / (2 * len(X)), rel=1e-12)


def test_float32_models_are_taken_to_their_own_precision():
    x = X.astype(np.float32)
    loss, theta = sm.from_sklearn(fitted(MLPClassifier, x, SPECIES), x, SPECIES)
    assert loss.x.dtype == theta.dtype == np.float64


@pytest.mark.parametrize("hidden", [(6,), (5, 4)])
def test_two_classes_have_one_logit_or_become_two_outputs(hidden):
    x, y = X[:100], SPECIES[:100]
    model = fitted(MLPClassifier, x, y, hidden_layer_sizes=hidden)
    n_own = sum(W.size + b.size for W, b in zip(model.coefs_, model.intercepts_, strict=True))
    probabilities = model.predict_proba(x)
    log_loss = -np.log(probabilities[np.arange(100), LABELS[:100]]).mean()

    loss, theta = sm.from_sklearn(model, x, y)
    assert loss.criterion == "binary_cross_entropy" and loss.size == n_own
    assert np.allclose(
        scipy.special.expit(loss.outputs(theta)[:, 0]), probabilities[:, 1], rtol=0, atol=1e-14
    )
    assert loss(theta) == pytest.approx(log_loss, rel=1e-12)

    two, at = sm.from_sklearn(model, x, y, two_outputs=True)
    assert two.criterion == "cross_entropy" and two.size == n_own + hidden[-1] + 1
    assert np.allclose(
        scipy.special.softmax(two.outputs(at), axis=1), probabilities, rtol=0, atol=1e-14
    )
    assert two(at) == pytest.approx(log_loss, rel=1e-12)


def test_a_model_of_several_labels_has_a_logit_for_each():
    y = np.stack([LABELS == 0, LABELS < 2], axis=1).astype(int)
    model = fitted(MLPClassifier, X, y)
    loss, theta = sm.from_sklearn(model, X, y)
    p = model.predict_proba(X)
    assert loss.criterion == "binary_cross_entropy" and loss.widths == (4, 6, 2)
    expected = -(y * np.log(p) + (1 - y) * np.log1p(-p)).sum(axis=1).mean()
    assert loss(theta) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="column of 0 and 1 for each of the model's 2 labels"):
        sm.from_sklearn(model, X, LABELS)


def test_what_is_no_network_of_this_kind_is_refused():
    one_hot = np.eye(3, dtype=int)[LABELS]
    classifier = fitted(MLPClassifier, X, SPECIES)
    refused = [
        (LogisticRegression(), SPECIES, "MLPClassifier or an MLPRegressor, got LogisticRegression"),
        (MLPClassifier(), SPECIES, "must be fitted"),
        (
            fitted(MLPClassifier, X, SPECIES, activation="tanh"),
            SPECIES,
            "activation 'relu' or 'identity', got 'tanh'",
        ),
        (
            fitted(MLPClassifier, X[:50], SPECIES[:50]),
            SPECIES,
            "two classes apart at least, got one that was fitted to a single class, .*setosa",
        ),
        (classifier, one_hot, r"y must hold one label for each sample.*got shape \(150, 3\)"),
        (classifier, np.array(["rose"] * len(X)), "labels that the model knows"),
    ]
    for model, y, message in refused:
        with pytest.raises(ValueError, match=message):
            sm.from_sklearn(model, X, y)
    poisson = fitted(MLPRegressor, X, LABELS)
    poisson.loss = "poisson"
    with pytest.raises(ValueError, match="poisson"):
        sm.from_sklearn(poisson, X, LABELS)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind, y", [(MLPRegressor, X[:, 3]), (MLPClassifier, SPECIES)])
def test_with_its_weight_decay_the_loss_is_the_one_that_fit_minimized(kind, y, weighted):
    weights = 1.0 + 3 * LABELS if weighted else None
    model = fitted(kind, X[:, :3], y, sample_weight=weights, alpha=3.0, solver="lbfgs")
    loss, theta = sm.from_sklearn(model, X[:, :3], y, sample_weight=weights, l2=True)
    assert loss(theta) == pytest.approx(model.loss_, rel=1e-12)
    plain, _ = sm.from_sklearn(model, X[:, :3], y, sample_weight=weights)
    assert loss(theta) > 1.01 * plain(theta)


@pytest.mark.parametrize(
    "n_samples, batch_size, expected", [(150, 30, 30), (150, "auto", 150), (300, "auto", 200)]
)
def test_of_batches_the_decay_is_that_of_one_batch(n_samples, batch_size, expected):
    """scikit-learn's "auto" is 200, or all samples if there are fewer."""
    x, y = np.resize(X[:, :3], (n_samples, 3)), np.resize(X[:, 3], n_samples)
    model = fitted(MLPRegressor, x, y, alpha=3.0, batch_size=batch_size, max_iter=1)
    loss, _ = sm.from_sklearn(model, x, y, l2=True)
    assert set(loss.l2) == {0.0, 3.0 / expected}
    biases = [b.size for b in model.intercepts_]
    assert np.count_nonzero(loss.l2 == 0) == sum(biases)


def test_weights_of_samples_count_as_repetitions():
    model = fitted(MLPClassifier, X, SPECIES)
    weights = np.where(LABELS == 1, 2, 1)
    weighted, theta = sm.from_sklearn(model, X, SPECIES, sample_weight=weights)
    repeated, _ = sm.from_sklearn(model, np.repeat(X, weights, axis=0), SPECIES.repeat(weights))
    assert weighted(theta) == pytest.approx(repeated(theta), rel=1e-12)
    plain, _ = sm.from_sklearn(model, X, SPECIES)
    assert weighted(theta) != pytest.approx(plain(theta), rel=1e-3)


def test_a_twin_goes_back_into_the_model():
    model = fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=(5, 4))
    loss, theta = sm.from_sklearn(model, X, SPECIES)
    before = [coef.copy() for coef in model.coefs_]
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (8, 0.5, 0.25)))
    moved = sm.to_sklearn(model, twin)
    assert np.allclose(moved.predict_proba(X), model.predict_proba(X), rtol=0, atol=1e-14)
    assert np.array_equal(moved.coefs_[0], 8 * model.coefs_[0])
    assert np.array_equal(sm.from_sklearn(moved, X, SPECIES)[1], twin)
    assert all(map(np.array_equal, before, model.coefs_)), "the model itself stays as it is"
    with pytest.raises(ValueError, match="theta must be a vector of shape"):
        sm.to_sklearn(model, twin[:-1])


def test_a_twin_of_two_outputs_goes_back_as_their_difference():
    x, y = X[:100], SPECIES[:100]
    model = fitted(MLPClassifier, x, y)
    loss, theta = sm.from_sklearn(model, x, y, two_outputs=True)
    theta = theta + np.random.default_rng(0).normal(size=theta.size) / 10
    moved = sm.to_sklearn(model, theta)
    expected = scipy.special.softmax(loss.outputs(theta), axis=1)
    assert np.allclose(moved.predict_proba(x), expected, rtol=0, atol=1e-14)
    assert not np.allclose(moved.predict_proba(x), model.predict_proba(x), atol=1e-3)


@pytest.mark.parametrize("hidden", [(), (6,)])
def test_a_model_of_one_output_takes_other_parameters(hidden):
    x, y = X[:, :3], X[:, 3]
    model = fitted(MLPRegressor, x, y, hidden_layer_sizes=hidden)
    loss, theta = sm.from_sklearn(model, x, y)
    moved = sm.to_sklearn(model, 2 * theta)
    assert moved.predict(x) == pytest.approx(loss.outputs(2 * theta)[:, 0], rel=1e-12)


def test_labels_in_a_column_and_inputs_in_a_matrix_of_numpy_are_taken():
    model = fitted(MLPClassifier, X, SPECIES)
    loss, theta = sm.from_sklearn(model, X, SPECIES)
    column, _ = sm.from_sklearn(model, X.view(np.matrix), SPECIES[:, None])
    assert column(theta) == loss(theta)


def test_one_sample_is_enough():
    model = fitted(MLPClassifier, X, SPECIES)
    loss, theta = sm.from_sklearn(model, X[:1], SPECIES[:1])
    assert loss(theta) == pytest.approx(-np.log(model.predict_proba(X[:1])[0, 0]), rel=1e-12)
    with pytest.raises(ValueError, match="x must hold at least one sample, got none"):
        sm.from_sklearn(model, X[:0], SPECIES[:0])


@pytest.mark.parametrize("hidden, activation", [((), "identity"), ((), "tanh"), ((6,), "identity")])
def test_a_linear_network_is_one_of_this_kind(hidden, activation):
    model = fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=hidden, activation=activation)
    loss, theta = sm.from_sklearn(model, X, SPECIES)
    assert loss.activation == ("identity" if hidden else "relu")
    assert np.allclose(
        scipy.special.softmax(loss.outputs(theta), axis=1), model.predict_proba(X), atol=1e-14
    )


@pytest.mark.parametrize("dtype, off", [(np.float64, 1e-6), (np.float32, 0.01)])
def test_predictions_that_differ_are_noticed(dtype, off):
    """Far above what rounding does in the model's own precision, far below what is seen by eye."""
    x, y = X.astype(dtype), LABELS.astype(dtype)
    model = fitted(MLPRegressor, x, y)
    sm.from_sklearn(model, x, y)
    predict = model.predict
    model.predict = lambda x: predict(x) + off
    with pytest.raises(RuntimeError, match="must predict as the model does"):
        sm.from_sklearn(model, x, y)


def test_a_trained_classifier_goes_through_the_audit():
    loss, theta = sm.from_sklearn(
        fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=(5,)), X, SPECIES
    )
    report = sm.audit(sm.MEASURES["asam_worst"], seeds=[0], networks={"iris": (loss, theta)})
    assert report.survives("node_scale") and not report.survives("linear_map")


@pytest.mark.claim("fig-your-network")
def test_in_units_of_the_weights_the_trace_of_a_fitted_network_stays():
    """While layers are scaled; the Hessian of each twin is autograd's, not made by the rule."""
    model = fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=(4,), solver="lbfgs")
    loss, theta = sm.from_sklearn(model, X, SPECIES)
    largest, traces, mine = [], [], []
    for factor in (1 / 64, 1.0, 64.0):
        twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (factor, 1 / factor)))
        H = sm.hessian(loss, twin, method="autograd")
        largest.append(np.linalg.eigvalsh(H)[-1])
        traces.append(np.trace(H))
        mine.append(np.sum(twin**2 * np.diag(H)))
    assert mine == pytest.approx([mine[1]] * 3, rel=1e-9)
    for values in (largest, traces):
        assert min(values[0], values[2]) > 100 * values[1]
