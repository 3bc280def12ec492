"""Networks trained elsewhere, as a loss and a parameter vector of this library: from scikit-learn,
from PyTorch.

Each is checked on the data it comes with: its own predictions and those of the translation must be
the same. PyTorch is imported only when a model of its kind is given.
"""

import numpy as np
import scipy.special

from ._validation import as_real
from .losses import NetworkLoss
from .networks import Layer, as_params, ravel, widths_of

DOUBLE, SINGLE = (
    1e-9,
    1e-4,
    # How far predictions may be off, relative to the largest; SINGLE for what was computed in float32
)


def from_sklearn(model, x, y, *, two_outputs=False):
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
    single = any(W.dtype == np.float32 for W in model.coefs_)
    layers = [
        Layer(*(np.asarray(part, dtype=float) for part in pair))
        for pair in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    inputs = np.asarray(x, dtype=float)
    if isinstance(model, MLPRegressor):
        if getattr(model, "loss", "squared_error") != "squared_error":
            raise ValueError(f"model must be fitted to squared errors, got loss {model.loss!r}")
        loss, theta = _network(layers, inputs, np.asarray(y, dtype=float), "squared_error")
        expected = np.reshape(model.predict(x), loss.y.shape)
        _check_predictions(loss.outputs(theta), expected, single)
        return loss, theta
    labels = np.asarray(y)
    if (
        labels.ndim != 1
        or np.ndim(model.classes_[0]) != 0
        or (model.out_activation_ == "logistic" and len(model.classes_) != 2)
    ):
        raise ValueError(
            "model must give each sample one label, got one with several labels for a sample"
        )
    if not np.isin(labels, model.classes_).all():
        raise ValueError(f"y must hold labels that the model knows, {model.classes_}, got others")
    if model.out_activation_ == "logistic":
        if not two_outputs:
            raise ValueError(
                "model must have a softmax output, got one logistic output for two classes: with"
                " two_outputs=True it is taken as a network of two outputs, of the same"
                " probabilities but with more parameters"
            )
        W, b = layers[-1]
        layers[-1] = Layer(np.hstack([np.zeros_like(W), W]), np.append(np.zeros_like(b), b))
    loss, theta = _network(layers, inputs, np.searchsorted(model.classes_, labels), "cross_entropy")
    _check_predictions(
        scipy.special.softmax(loss.outputs(theta), axis=1), model.predict_proba(x), single
    )
    return loss, theta


def from_torch(model, x, y, *, criterion):
    """Return (loss, theta) of a PyTorch `Sequential` of `Linear` and `ReLU` layers on the data `x`
    (N, d_0) and `y`.

    Every Linear but the last is followed by one ReLU, and all have a bias or none has. `x` and `y`
    are arrays or tensors, `criterion` and `y` as for `NetworkLoss`: PyTorch's model does not know
    its loss. Weights are converted to float64.

    Raises ValueError for another model or layer, naming it; RuntimeError if the predictions should
    differ.
    """
    import torch

    if not isinstance(model, torch.nn.Sequential):
        raise ValueError(
            f"model must be a torch.nn.Sequential of Linear and ReLU, got {type(model).__name__}"
        )
    parts = list(model)
    for place, part in enumerate(parts):
        expected = torch.nn.Linear if place % 2 == 0 else torch.nn.ReLU
        if type(part) is not expected:
            raise ValueError(
                f"model must have {expected.__name__} as its layer {place}, got"
                f" {type(part).__name__}: Linear and ReLU in turn"
            )
    if len(parts) % 2 == 0:
        raise ValueError(f"model must begin and end with Linear, got {len(parts)} layers")
    biased = {part.bias is not None for part in parts[::2]}
    if len(biased) == 2:
        raise ValueError(
            "model must have a bias in every Linear or in none, got some with and some without"
        )
    layers = [
        Layer(_numbers(part.weight).T, None if part.bias is None else _numbers(part.bias))
        for part in parts[::2]
    ]
    y = y.detach().cpu().numpy() if hasattr(y, "detach") else np.asarray(y)
    y = y.astype(float) if y.dtype == np.float32 else y
    if criterion == "cross_entropy" and y.ndim == 2:
        y = y / y.sum(axis=1, keepdims=True)  # probabilities in float32 sum to 1 in float32 only
    loss, theta = _network(layers, _numbers(x), y, criterion)
    weight = parts[0].weight
    with torch.no_grad():
        expected = _numbers(
            model(torch.as_tensor(loss.x, dtype=weight.dtype, device=weight.device))
        )
    _check_predictions(loss.outputs(theta), expected, weight.dtype != torch.float64)
    return loss, theta


def _numbers(values):
    """Return an array or a tensor as a float64 array."""
    return np.array(
        values.detach().cpu().numpy() if hasattr(values, "detach") else values, dtype=float
    )


def _network(layers, x, y, criterion):
    layers = as_params(layers)
    x = as_real("x", x, shape=(None, len(layers[0].weight)), what="an array of inputs, a row each,")
    return NetworkLoss(
        widths_of(layers), x, y, criterion=criterion, bias=layers[0].bias is not None
    ), ravel(layers)


def _check_predictions(found, expected, single):
    gap = np.abs(found - expected).max() / max(np.abs(expected).max(), np.finfo(float).tiny)
    if not gap <= (SINGLE if single else DOUBLE):
        raise RuntimeError(
            "the translated network must predict as the model does, got predictions that differ by"
            f" {gap:.2g} of the largest"
        )
