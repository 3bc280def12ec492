"""Networks trained elsewhere, in scikit-learn or PyTorch, as a loss and a parameter vector of this
library.

Each is checked on the data that come with it: the model and its translation must predict the same.
PyTorch is imported only when `from_torch` is called, scikit-learn when `from_sklearn` is.
"""

from typing import TYPE_CHECKING

import numpy as np
import scipy.special
from numpy.typing import ArrayLike

from ._validation import Array, as_real
from .losses import NetworkLoss
from .networks import Layer, as_params, ravel, widths_of

if TYPE_CHECKING:
    import torch
    from sklearn.neural_network import MLPClassifier, MLPRegressor

# How far predictions may differ, relative to the largest.
DOUBLE = 1e-9
SINGLE = 1e-4  # for a model that computes in float32


def from_sklearn(
    model: "MLPClassifier | MLPRegressor", x: ArrayLike, y: ArrayLike, *, two_outputs: bool = False
) -> tuple[NetworkLoss, Array]:
    """Return (loss, theta) of a fitted `MLPClassifier` or `MLPRegressor` on the data `x` (N, d_0)
    and `y` as for its `fit`.

    The loss is the data's alone: the penalty `alpha` of scikit-learn is not part of it, so that a
    fitted model need not be a minimum of it, and squared errors are summed over the outputs, not
    averaged.

    A classifier of two classes has one logistic output, for which there is no loss here. With
    `two_outputs=True` it becomes a network of two outputs, the first always 0: the same
    probabilities, but d + 1 parameters more (d the last hidden width), in whose directions the loss
    has curvature too. Without, it is refused.

    Raises ValueError for a model that is not fitted, has another activation than "relu" (any,
    without hidden layers), several labels for a sample, or another loss than log-loss and squared
    error; RuntimeError if the predictions should differ.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not isinstance(model, (MLPClassifier, MLPRegressor)):
        raise ValueError(
            f"model must be an MLPClassifier or an MLPRegressor, got {type(model).__name__}"
        )
    layers = _read_sklearn_layers(model)
    inputs = np.asarray(x, dtype=float)
    if isinstance(model, MLPRegressor):
        loss, theta = _translate_regressor(model, layers, inputs, y)
        expected = np.reshape(model.predict(x), loss.y.shape)
        predicted = loss.outputs(theta)
    else:
        loss, theta = _translate_classifier(model, layers, inputs, y, two_outputs)
        expected = model.predict_proba(x)
        predicted = scipy.special.softmax(loss.outputs(theta), axis=1)
    is_single = any(weight.dtype == np.float32 for weight in model.coefs_)
    _check_predictions(predicted, expected, is_single)
    return loss, theta


def _read_sklearn_layers(model):
    if not hasattr(model, "coefs_"):
        raise ValueError(
            f"model must be fitted, got one without coefs_: call fit of the {type(model).__name__}"
            " first"
        )
    if len(model.coefs_) > 1 and model.activation != "relu":
        raise ValueError(
            f"model must have activation 'relu', got {model.activation!r}: this library's networks"
            " are rectified"
        )
    layers = []
    for weight, bias in zip(model.coefs_, model.intercepts_, strict=True):
        layers.append(Layer(np.asarray(weight, dtype=float), np.asarray(bias, dtype=float)))
    return layers


def _translate_regressor(model, layers, x, y):
    if model.loss != "squared_error":
        raise ValueError(f"model must be fitted to squared errors, got loss {model.loss!r}")
    return _build_loss(layers, x, np.asarray(y, dtype=float), "squared_error")


def _translate_classifier(model, layers, x, y, two_outputs):
    labels = np.asarray(y)
    is_logistic = model.out_activation_ == "logistic"
    has_many_labels = labels.ndim != 1 or np.ndim(model.classes_[0]) != 0
    if has_many_labels or (is_logistic and len(model.classes_) != 2):
        raise ValueError(
            "model must give each sample one label, got one with several labels for a sample"
        )
    if not np.isin(labels, model.classes_).all():
        raise ValueError(f"y must hold labels that the model knows, {model.classes_}, got others")
    if is_logistic and not two_outputs:
        raise ValueError(
            "model must have a softmax output, got one logistic output for two classes: with"
            " two_outputs=True it is taken as a network of two outputs, of the same"
            " probabilities but with more parameters"
        )
    if is_logistic:
        layers = [*layers[:-1], _add_zero_output(layers[-1])]
    return _build_loss(layers, x, np.searchsorted(model.classes_, labels), "cross_entropy")


def _add_zero_output(layer):
    """Return the layer with another output before its own that is always 0."""
    weight, bias = layer
    return Layer(np.hstack([np.zeros_like(weight), weight]), np.append(np.zeros_like(bias), bias))


def from_torch(
    model: "torch.nn.Sequential", x: ArrayLike, y: ArrayLike, *, criterion: str
) -> tuple[NetworkLoss, Array]:
    """Return (loss, theta) of a PyTorch `Sequential` of `Linear` and `ReLU` layers on the data `x`
    (N, d_0) and `y`.

    Every Linear but the last is followed by one ReLU, and either all have a bias or none has. `x`
    and `y` are arrays or tensors, `criterion` and `y` as for `NetworkLoss`: PyTorch's model does
    not know its loss. Weights are converted to float64.

    Raises ValueError for another model or layer, naming it; RuntimeError if the predictions should
    differ.
    """
    import torch

    if not isinstance(model, torch.nn.Sequential):
        raise ValueError(
            f"model must be a torch.nn.Sequential of Linear and ReLU, got {type(model).__name__}"
        )
    layers = _read_torch_layers(model, torch.nn)
    loss, theta = _build_loss(layers, _as_doubles(x), _as_targets(y, criterion), criterion)
    weight = model[0].weight
    with torch.no_grad():
        inputs = torch.as_tensor(loss.x, dtype=weight.dtype, device=weight.device)
        expected = _as_doubles(model(inputs))
    _check_predictions(loss.outputs(theta), expected, is_single=weight.dtype != torch.float64)
    return loss, theta


def _read_torch_layers(model, nn):
    parts = list(model)
    for place, part in enumerate(parts):
        expected = nn.ReLU if place % 2 else nn.Linear
        if type(part) is not expected:
            raise ValueError(
                f"model must have {expected.__name__} as its layer {place}, got"
                f" {type(part).__name__}: Linear and ReLU in turn"
            )
    if len(parts) % 2 == 0:
        raise ValueError(f"model must begin and end with Linear, got {len(parts)} layers")
    linear = parts[::2]
    if len({part.bias is None for part in linear}) == 2:
        raise ValueError(
            "model must have a bias in every Linear or in none, got some with and some without"
        )
    layers = []
    for part in linear:
        bias = part.bias
        if bias is not None:
            bias = _as_doubles(bias)
        layers.append(Layer(_as_doubles(part.weight).T, bias))
    return layers


def _as_targets(y, criterion):
    """Return targets as an array. Probabilities in float32, whose sums are 1 in float32 only, are
    divided by their sums.
    """
    y = _as_array(y)
    if y.dtype == np.float32:
        y = y.astype(float)
    if criterion == "cross_entropy" and y.ndim == 2:
        sums = y.sum(axis=1, keepdims=True)
        if (np.abs(sums - 1) < 1e-5).all():
            return y / sums
    return y


def _as_array(values):
    """Return an array or a tensor as an array."""
    if hasattr(values, "detach"):
        return values.detach().cpu().numpy()
    return np.asarray(values)


def _as_doubles(values):
    """Return an array or a tensor as a float64 array of its own."""
    return np.array(_as_array(values), dtype=float)


def _build_loss(layers, x, y, criterion):
    layers = as_params(layers)
    x = as_real("x", x, shape=(None, len(layers[0].weight)), what="an array of inputs, a row each,")
    has_bias = layers[0].bias is not None
    loss = NetworkLoss(widths_of(layers), x, y, criterion=criterion, bias=has_bias)
    return loss, ravel(layers)


def _check_predictions(predicted, expected, is_single):
    largest = max(np.abs(expected).max(), np.finfo(float).tiny)
    gap = np.abs(predicted - expected).max() / largest
    if not gap <= (SINGLE if is_single else DOUBLE):
        raise RuntimeError(
            "the translated network must predict as the model does, got predictions that differ by"
            f" {gap:.2g} of the largest"
        )
