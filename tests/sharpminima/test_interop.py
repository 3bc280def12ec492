"""Trained networks from scikit-learn, and networks from PyTorch, for which a stand-in has the few
names that are used.

The stand-in cannot see whether PyTorch changes those names; where torch is installed, the last test
tries it.
"""

import sys
import types
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


def fitted(kind, x, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(
            **{"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0, **options}
        ).fit(x, y)


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


def test_two_classes_are_refused_or_become_two_outputs():
    x, y = X[:100], SPECIES[:100]
    model = fitted(MLPClassifier, x, y)
    with pytest.raises(ValueError, match="two_outputs=True"):
        sm.from_sklearn(model, x, y)
    loss, theta = sm.from_sklearn(model, x, y, two_outputs=True)
    assert (
        loss.size
        == sum(W.size + b.size for W, b in zip(model.coefs_, model.intercepts_, strict=True))
        + 6
        + 1
    )
    assert np.allclose(
        scipy.special.softmax(loss.outputs(theta), axis=1),
        model.predict_proba(x),
        rtol=0,
        atol=1e-14,
    )


def test_what_is_no_rectified_network_is_refused():
    multilabel = np.stack([LABELS == 0, LABELS < 2], axis=1).astype(int)
    refused = [
        (LogisticRegression(), SPECIES, "MLPClassifier or an MLPRegressor, got LogisticRegression"),
        (MLPClassifier(), SPECIES, "must be fitted"),
        (
            fitted(MLPClassifier, X, SPECIES, activation="tanh"),
            SPECIES,
            "activation 'relu', got 'tanh'",
        ),
        (
            fitted(MLPClassifier, X, SPECIES, activation="identity"),
            SPECIES,
            "activation 'relu', got 'identity'",
        ),
        (fitted(MLPClassifier, X, multilabel), multilabel, "one label"),
        (
            fitted(MLPClassifier, X, SPECIES),
            np.array(["rose"] * len(X)),
            "labels that the model knows",
        ),
    ]
    for model, y, message in refused:
        with pytest.raises(ValueError, match=message):
            sm.from_sklearn(model, X, y)
    poisson = fitted(MLPRegressor, X, LABELS)
    poisson.loss = "poisson"
    with pytest.raises(ValueError, match="poisson"):
        sm.from_sklearn(poisson, X, LABELS)


def test_identity_is_allowed_where_nothing_is_activated():
    loss, _ = sm.from_sklearn(
        fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=(), activation="identity"), X, SPECIES
    )
    assert loss.widths == (4, 3)


def test_predictions_that_differ_are_noticed():
    model = fitted(MLPRegressor, X, LABELS.astype(float))
    predict = model.predict
    model.predict = lambda x: predict(x) + 0.01
    with pytest.raises(RuntimeError, match="must predict as the model does"):
        sm.from_sklearn(model, X, LABELS.astype(float))


def test_a_trained_classifier_goes_through_the_audit():
    loss, theta = sm.from_sklearn(
        fitted(MLPClassifier, X, SPECIES, hidden_layer_sizes=(5,)), X, SPECIES
    )
    report = sm.audit(sm.MEASURES["asam_worst"], seeds=[0], networks={"iris": (loss, theta)})
    assert report.survives("node_scale") and not report.survives("linear_map")


class Tensor:
    """The part of a tensor that is used."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.dtype, self.device = self.values.dtype.type, "cpu"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.values


class Linear:
    def __init__(self, d_in, d_out, *, bias=True, dtype=np.float32):
        rng = np.random.default_rng(d_in + d_out)
        self.weight = Tensor(rng.normal(size=(d_out, d_in)).astype(dtype))
        self.bias = Tensor(rng.normal(size=d_out).astype(dtype)) if bias else None

    def __call__(self, x):
        return x @ self.weight.values.T + (0 if self.bias is None else self.bias.values)


class ReLU:
    def __call__(self, x):
        return np.maximum(x, 0)


class Tanh(ReLU):
    pass


class Sequential(list):
    def __init__(self, *parts):
        super().__init__(parts)

    def __call__(self, x):
        x = x.values
        for part in self:
            x = part(x)
        return Tensor(x)


@pytest.fixture
def stand_in(monkeypatch):
    torch = types.SimpleNamespace(
        nn=types.SimpleNamespace(Linear=Linear, ReLU=ReLU, Sequential=Sequential),
        float64=np.float64,
        no_grad=lambda: warnings.catch_warnings(),
        as_tensor=lambda x, dtype, device: Tensor(np.asarray(x, dtype=dtype)),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sequential_gives_the_same_outputs(stand_in, bias, dtype):
    model = Sequential(
        Linear(4, 6, bias=bias, dtype=dtype), ReLU(), Linear(6, 3, bias=bias, dtype=dtype)
    )
    loss, theta = sm.from_torch(
        model, Tensor(X.astype(dtype)), Tensor(LABELS), criterion="cross_entropy"
    )
    assert loss.bias is bias and loss.widths == (4, 6, 3)
    assert np.allclose(
        loss.outputs(theta),
        model(Tensor(X.astype(dtype))).values,
        rtol=0,
        atol=1e-4 if dtype is np.float32 else 1e-12,
    )
    assert np.array_equal(loss.layers(theta)[0].weight, model[0].weight.values.T)


def test_targets_in_float32_are_taken(stand_in):
    model = Sequential(Linear(4, 2))
    y = Tensor(np.full((len(X), 2), 1 / 3, dtype=np.float32) * np.array([1, 2], dtype=np.float32))
    loss, _ = sm.from_torch(model, X, y, criterion="cross_entropy")
    assert np.allclose(loss.y, [1 / 3, 2 / 3], atol=1e-7)
    loss, _ = sm.from_torch(model, X, y, criterion="squared_error")
    assert np.array_equal(loss.y, y.values)


@pytest.mark.parametrize("row", [[1.0, 1.0, 0.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]])
def test_what_is_no_probability_is_not_made_one(stand_in, row):
    """As the targets of several labels, for which PyTorch has another loss."""
    y = Tensor(np.array([row] * len(X)))
    with pytest.raises(ValueError, match="y must have rows of probabilities"):
        sm.from_torch(Sequential(Linear(4, 3)), X, y, criterion="cross_entropy")


def test_other_layers_are_named(stand_in):
    refused = [
        (Linear(4, 3), "got Linear"),
        (Sequential(Linear(4, 6), Tanh(), Linear(6, 3)), "ReLU as its layer 1, got Tanh"),
        (Sequential(Linear(4, 6), Linear(6, 3)), "ReLU as its layer 1, got Linear"),
        (Sequential(Linear(4, 3), ReLU()), "begin and end with Linear"),
        (Sequential(), "begin and end with Linear"),
        (Sequential(Linear(4, 6, bias=False), ReLU(), Linear(6, 3)), "in every Linear or in none"),
    ]
    for model, message in refused:
        with pytest.raises(ValueError, match=message):
            sm.from_torch(model, X, LABELS, criterion="cross_entropy")


def test_a_model_that_predicts_otherwise_is_noticed(stand_in, monkeypatch):
    monkeypatch.setattr(ReLU, "__call__", lambda self, x: np.abs(x))
    with pytest.raises(RuntimeError, match="must predict as the model does"):
        sm.from_torch(
            Sequential(Linear(4, 6), ReLU(), Linear(6, 3)), X, LABELS, criterion="cross_entropy"
        )


def test_with_pytorch_itself():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3)
    ).double()
    loss, theta = sm.from_torch(model, X, LABELS, criterion="cross_entropy")
    theirs = torch.nn.functional.cross_entropy(model(torch.as_tensor(X)), torch.as_tensor(LABELS))
    assert loss(theta) == pytest.approx(theirs.item(), rel=1e-12)
