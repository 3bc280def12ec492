"""Networks trained elsewhere, in scikit-learn or PyTorch, as a loss and a parameter vector of this
library, and the way back.

Each is checked on the data that come with it: the model and its translation must predict the same.
PyTorch is imported only when a function here is called that needs it, and so is scikit-learn.
"""

import copy
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._validation import Array, as_flag, as_plain, as_real, as_vector
from .criteria import predict_means
from .frameworks import as_array, as_doubles, as_summing_to_one, compute_gap
from .losses import NetworkLoss
from .networks import Layer, as_params, layer_sizes, ravel, unravel, widths_of

if TYPE_CHECKING:
    import torch
    from sklearn.neural_network import MLPClassifier, MLPRegressor

# How far predictions may differ, relative to the largest.
DOUBLE = 1e-9
SINGLE = 1e-4  # for a model of scikit-learn that computes in float32

SKLEARN_ACTIVATIONS = ("relu", "identity")


def from_sklearn(
    model: "MLPClassifier | MLPRegressor",
    x: ArrayLike,
    y: ArrayLike,
    *,
    two_outputs: bool = False,
    sample_weight: ArrayLike | None = None,
    l2: bool = False,
) -> tuple[NetworkLoss, Array]:
    """Return (loss, theta) of a fitted `MLPClassifier` or `MLPRegressor` on the data `x` (N, d_0),
    `y` and `sample_weight` (N,) as for its `fit`.

    The loss is the data's alone unless `l2` is true. Then weights, and not biases, decay by
    alpha / n, as in the gradient that `fit` follows: n is the sum of the `sample_weight` (N without
    any) for the solver "lbfgs", and for the others of a batch of average weights. Without it a
    fitted model need not be near a minimum of the loss. Squared errors are summed over the outputs,
    as in that gradient too; the model's own `loss_` averages them.

    A classifier of two classes has one output, the logit of the second class, and
    "binary_cross_entropy"; so has one of several labels for a sample, an output for each label.
    With `two_outputs=True` that of two classes becomes a network of two outputs, the first always
    0, and "cross_entropy": the same probabilities, but d + 1 parameters more (d the last hidden
    width), in whose directions the loss has curvature too.

    Raises ValueError for a model that is not fitted, has another activation than "relu" and
    "identity", knows one class only, or has another loss than log-loss and squared error;
    RuntimeError if the predictions should differ.
    """
    from sklearn.neural_network import MLPRegressor

    layers = _read_sklearn_layers(model)
    two_outputs = as_flag("two_outputs", two_outputs)
    l2 = as_flag("l2", l2)
    inputs = as_array("x", x).astype(float)
    as_real("x", inputs, shape=(None, len(layers[0].weight)), what="an array of inputs")
    if len(inputs) == 0:
        raise ValueError("x must hold at least one sample, got none")
    if sample_weight is not None:
        sample_weight = as_vector("sample_weight", sample_weight, len(inputs))
    if isinstance(x, np.matrix):
        x = inputs  # scikit-learn takes no other matrix
    if isinstance(model, MLPRegressor):
        if model.loss != "squared_error":
            raise ValueError(f"model must be fitted to squared errors, got loss {model.loss!r}")
        criterion, targets = "squared_error", as_array("y", y).astype(float)
        expected = model.predict(x)
    else:
        criterion, targets = _read_classes(model, y)
        expected = model.predict_proba(x)
        if two_outputs and len(model.classes_) == 2 and model.n_outputs_ == 1:
            criterion, targets = "cross_entropy", targets.astype(int)
            layers = [*layers[:-1], _add_zero_output(layers[-1])]
        elif model.n_outputs_ == 1:
            expected = expected[:, 1]
    loss, theta = _build_loss(
        layers,
        inputs,
        targets,
        criterion=criterion,
        activation=model.activation if len(layers) > 1 else "relu",
        l2=_find_sklearn_decay(model, layers, len(inputs), sample_weight) if l2 else 0.0,
        sample_weight=sample_weight,
    )
    predicted = predict_means(loss.criterion, loss.outputs(theta))
    is_single = any(weight.dtype == np.float32 for weight in model.coefs_)
    _check_predictions(predicted, np.reshape(expected, predicted.shape), is_single)
    return loss, theta


def to_sklearn(
    model: "MLPClassifier | MLPRegressor", theta: ArrayLike
) -> "MLPClassifier | MLPRegressor":
    """Return a copy of the fitted `model` with the parameters `theta` (n,), in the order of
    `from_sklearn`, in the model's own precision.

    A theta of the network of two outputs is taken too: their difference is the one output.

    >>> from sklearn.neural_network import MLPRegressor
    >>> x, y = [[0.0], [1.0]], [0.0, 1.0]
    >>> model = MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", random_state=0).fit(x, y)
    >>> loss, theta = from_sklearn(model, x, y)
    >>> bool(np.allclose(to_sklearn(model, 2 * theta).coefs_[0], 2 * model.coefs_[0]))
    True
    """
    widths = widths_of(_read_sklearn_layers(model))
    theta = as_vector("theta", theta)
    if widths[-1] == 1 and theta.size == sum(layer_sizes((*widths[:-1], 2), bias=True)):
        *hidden, last = unravel(theta, (*widths[:-1], 2), bias=True)
        layers = (*hidden, Layer(np.diff(last.weight), np.diff(last.bias)))
    else:
        layers = unravel(theta, widths, bias=True)
    model = copy.deepcopy(model)
    dtype = model.coefs_[0].dtype
    model.coefs_ = [layer.weight.astype(dtype) for layer in layers]
    model.intercepts_ = [layer.bias.astype(dtype) for layer in layers]
    return model


def _read_sklearn_layers(model):
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
    if len(model.coefs_) > 1 and model.activation not in SKLEARN_ACTIVATIONS:
        raise ValueError(
            f"model must have activation {' or '.join(map(repr, SKLEARN_ACTIVATIONS))}, got"
            f" {model.activation!r}: this library's networks are linear on each side of zero"
        )
    layers = []
    for weight, bias in zip(model.coefs_, model.intercepts_, strict=True):
        layers.append(Layer(np.asarray(weight, dtype=float), np.asarray(bias, dtype=float)))
    return layers


def _read_classes(model, y):
    """Return a classifier's criterion, and the labels as its targets."""
    if len(model.classes_) == 1:
        raise ValueError(
            "model must tell two classes apart at least, got one that was fitted to a single class,"
            f" {model.classes_[0]!r}"
        )
    labels = as_plain("y", y)
    has_many_labels = model.out_activation_ == "logistic" and model.n_outputs_ > 1
    if has_many_labels:
        if labels.ndim != 2 or labels.shape[1] != model.n_outputs_:
            raise ValueError(
                f"y must have a column of 0 and 1 for each of the model's {model.n_outputs_}"
                f" labels, got shape {labels.shape}"
            )
        return "binary_cross_entropy", labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # fit takes a column too
    if labels.ndim != 1:
        raise ValueError(
            f"y must hold one label for each sample, as the model was fitted to {model.classes_},"
            f" got shape {labels.shape}: of rows of 0 and 1 take model.classes_[y.argmax(axis=1)]"
        )
    if not np.isin(labels, model.classes_).all():
        raise ValueError(f"y must hold labels that the model knows, {model.classes_}, got others")
    targets = np.searchsorted(model.classes_, labels)
    if model.n_outputs_ == 1:
        return "binary_cross_entropy", targets
    return "cross_entropy", targets


def _find_sklearn_decay(model, layers, n_samples, sample_weight):
    """Return the weight decay (n,) of `fit`, which its loss divides by the sum of the weights."""
    n = n_samples
    if model.solver != "lbfgs":
        n = min(200, n_samples) if model.batch_size == "auto" else model.batch_size
    if sample_weight is not None:
        n = n * np.mean(sample_weight)
    decay = []
    for weight, bias in layers:
        decay.append(Layer(np.full_like(weight, model.alpha / n), np.zeros_like(bias)))
    return ravel(decay)


def _add_zero_output(layer):
    """Return the layer with another output before its own that is always 0."""
    weight, bias = layer
    return Layer(np.hstack([np.zeros_like(weight), weight]), np.append(np.zeros_like(bias), bias))


def from_torch(
    model: "torch.nn.Sequential",
    x: ArrayLike,
    y: ArrayLike,
    *,
    criterion: str,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> tuple[NetworkLoss, Array]:
    """Return (loss, theta) of a PyTorch `Sequential` on the data `x`, `y`, as a `NetworkLoss` with
    its closed forms.

    It is made of `Linear`, with or without bias, and `ReLU` or `LeakyReLU` after every one but the
    last, or none at all. `Flatten`, `Identity`, `Dropout` and `BatchNorm1d` in evaluation mode may
    stand between, and one `Sequential` in another. A BatchNorm1d is made part of the Linear before
    or after it: its scale and shift are no parameters of their own. For any other module there is
    `TorchLoss`.

    `x` and `y` are arrays or tensors; `criterion`, `y`, `l2` and `sample_weight` are as for
    `NetworkLoss`, since PyTorch's model does not know its loss. `l2` is the `weight_decay` of an
    optimizer. "squared_error" is C/2 times `torch.nn.MSELoss()`, for C outputs.

    Weights are converted to float64, and the translation is compared with the model in float64, so
    that it predicts the same to 1e-9 of the largest output. The order of theta is not that of
    `parameters_to_vector`: a weight is transposed here, (d_in, d_out); `to_torch` knows the way
    back.

    Raises ValueError for another model or layer, naming it, for weights that are used twice and for
    some that are frozen beside others that are not; RuntimeError if the predictions should differ.
    """
    import torch

    reading = _read_sequential(model)
    _refuse_tied_and_frozen(model)
    if np.any(l2) and reading.has_batch_norm:
        raise ValueError(
            "l2 must be 0 for a model with BatchNorm1d, whose weights here are not those that"
            f" decay there, got {l2}: TorchLoss keeps the model's own parameters"
        )
    layers = [step.fold() for step in reading.steps]
    raw = as_array("x", x)
    inputs = as_doubles(raw)
    if reading.flattens:
        inputs = inputs.reshape(len(inputs), -1)
    targets = as_doubles(as_array("y", y))
    if criterion == "cross_entropy":
        targets = as_summing_to_one(targets)
    loss, theta = _build_loss(
        layers,
        inputs,
        targets,
        criterion=criterion,
        activation=reading.activation,
        slope=reading.slope if reading.activation == "leaky_relu" else None,
        l2=l2,
        sample_weight=sample_weight,
    )
    with torch.no_grad():
        in_double = copy.deepcopy(model).double().cpu()
        expected = in_double(torch.as_tensor(raw.astype(float))).numpy()
    _check_predictions(loss.outputs(theta), expected, is_single=False)
    return loss, theta


def to_torch(model: "torch.nn.Sequential", theta: ArrayLike) -> "torch.nn.Sequential":
    """Return a copy of the `model` with the parameters `theta` (n,), in the order of `from_torch`,
    in the model's own precision.

    The copy computes the function of `theta`. Of a BatchNorm1d the running mean and variance and
    the scale stay; the shift takes up what a Linear without bias cannot. To load a twin into the
    model itself: `model.load_state_dict(to_torch(model, twin).state_dict())`.

    Raises ValueError for a model that `from_torch` refuses, a theta of another length, and numbers
    that are too large for the model's precision.
    """
    import torch

    _read_sequential(model)
    _refuse_tied_and_frozen(model)
    model = copy.deepcopy(model)
    steps = _read_sequential(model).steps
    folded = [step.fold() for step in steps]
    biases = [layer.bias is not None for layer in folded]
    layers = unravel(theta, widths_of(folded), bias=biases)
    with torch.no_grad():
        for step, layer in zip(steps, layers, strict=True):
            step.unfold(layer)
    if not all(torch.isfinite(p).all() for p in model.parameters()):
        raise ValueError(
            f"theta must fit into the model's precision, {step.linear.weight.dtype}, got numbers"
            " too large for it: model.double() takes them"
        )
    return model


class Step(NamedTuple):
    """A Linear with the BatchNorm1d that come before it and after it, None where there is none."""

    linear: "torch.nn.Linear"
    before: "torch.nn.BatchNorm1d | None"
    after: "torch.nn.BatchNorm1d | None"

    def fold(self) -> Layer:
        """Return the three as one layer."""
        weight, bias = _read_linear(self.linear)
        (scale, shift), (after_scale, after_shift) = self._read_norms()
        if self.before is None and self.after is None:
            return Layer(weight, bias)
        bias = 0.0 if bias is None else bias
        folded_bias = (shift @ weight + bias) * after_scale + after_shift
        return Layer(scale[:, None] * weight * after_scale, folded_bias)

    def unfold(self, layer: Layer) -> None:
        """Write the weights whose `fold` is the layer."""
        (scale, shift), (after_scale, after_shift) = self._read_norms()
        if (scale == 0).any() or (after_scale == 0).any():
            raise ValueError(
                "model must have BatchNorm1d of scales other than zero for a theta to be put back,"
                " got a zero"
            )
        weight = layer.weight / scale[:, None] / after_scale
        _write(self.linear.weight, weight.T)
        if layer.bias is None:
            return
        rest = layer.bias - shift @ weight * after_scale - after_shift
        if self.linear.bias is not None:
            _write(self.linear.bias, rest / after_scale)
        elif self.after is not None and self.after.bias is not None:
            _write(self.after.bias, _as_float64(self.after.bias) + rest)
        else:
            raise ValueError(
                "model must have a bias in the Linear beside a BatchNorm1d, or in the BatchNorm1d"
                " after it, for a theta to be put back, got neither"
            )

    def _read_norms(self):
        d_out, d_in = self.linear.weight.shape
        return _read_norm(self.before, d_in), _read_norm(self.after, d_out)


class Reading(NamedTuple):
    """What a Sequential is made of."""

    steps: list[Step]
    activation: str
    slope: float
    flattens: bool

    @property
    def has_batch_norm(self) -> bool:
        return any(step.before or step.after for step in self.steps)


def _read_sequential(model):
    """Return the `Reading` of a Sequential, or raise ValueError naming the layer that is in the
    way.
    """
    from torch import nn

    if not isinstance(model, nn.Sequential):
        raise ValueError(
            f"model must be a torch.nn.Sequential, got {type(model).__name__}: TorchLoss takes any"
            " module"
        )
    reader = _SequentialReader()
    for name, part in _list_parts(model):
        kind = type(part)
        if kind is nn.Linear:
            reader.take_linear(part)
        elif kind is nn.ReLU:
            reader.take_activation(name, "relu", 0.0)
        elif kind is nn.LeakyReLU:
            reader.take_activation(name, "leaky_relu", part.negative_slope)
        elif kind is nn.BatchNorm1d:
            _refuse_training_mode(name, part)
            reader.take_norm(name, part)
        elif kind is nn.Dropout:
            _refuse_training_mode(name, part)
        elif kind is nn.Flatten and (part.start_dim, part.end_dim) == (1, -1):
            reader.flattens = True
        elif kind is not nn.Identity:
            raise ValueError(
                "model must be made of Linear, ReLU, LeakyReLU, Flatten, Identity, Dropout and"
                f" BatchNorm1d, got {kind.__name__} as its layer {name}: TorchLoss takes any module"
            )
    return reader.finish()


class _SequentialReader:
    """Collects the steps of a Sequential, part by part."""

    def __init__(self):
        self.linear = []
        self.before = []
        self.after = []
        self.activations = []  # of each Linear
        self.waiting = None  # a BatchNorm1d for the next Linear
        self.flattens = False

    def take_linear(self, part):
        self.linear.append(part)
        self.before.append(self.waiting)
        self.after.append(None)
        self.activations.append(("identity", 1.0))
        self.waiting = None

    def take_activation(self, name, activation, slope):
        if not self.linear or self.waiting or self.activations[-1] != ("identity", 1.0):
            raise ValueError(
                f"model must have its activations right after a Linear, got another order at layer"
                f" {name}"
            )
        if slope in (0.0, 1.0):
            activation = "relu" if slope == 0.0 else "identity"
        self.activations[-1] = (activation, slope)

    def take_norm(self, name, part):
        is_after_linear = self.linear and self.activations[-1] == ("identity", 1.0)
        if self.waiting or (is_after_linear and self.after[-1]):
            raise ValueError(
                f"model must have one BatchNorm1d at a place, got a second as its layer {name}"
            )
        if part.running_mean is None:
            raise ValueError(
                "model must have BatchNorm1d with running statistics, got track_running_stats=False"
                f" in its layer {name}"
            )
        if is_after_linear:
            self.after[-1] = part
        else:
            self.waiting = part

    def finish(self):
        if not self.linear:
            raise ValueError("model must have a Linear, got none")
        *hidden, last = self.activations
        if last != ("identity", 1.0) or self.waiting:
            raise ValueError(
                "model must end with Linear, got an activation after the last one: the criterion"
                " takes the outputs as they are"
            )
        kinds = set(hidden)
        if len(kinds) > 1:
            raise ValueError(
                "model must have one activation after every Linear but the last, got"
                f" {', '.join(f'{name} of slope {slope:g}' for name, slope in sorted(kinds))}"
            )
        [(activation, slope)] = kinds or {("relu", 0.0)}
        steps = [Step(*parts) for parts in zip(self.linear, self.before, self.after, strict=True)]
        return Reading(steps, activation, slope, self.flattens)


def _list_parts(model, prefix=""):
    """Yield the parts of nested Sequentials with their places, such as 2.0; a part that stands
    there twice comes twice.
    """
    from torch import nn

    for place, part in enumerate(model):
        if type(part) is nn.Sequential:
            yield from _list_parts(part, f"{prefix}{place}.")
        else:
            yield f"{prefix}{place}", part


def _refuse_training_mode(name, part):
    if part.training:
        raise ValueError(
            f"model must be in evaluation mode, got a {type(part).__name__} in training mode as its"
            f" layer {name}: call model.eval() first"
        )


def _refuse_tied_and_frozen(model):
    """Raise ValueError for weights that are not one parameter each, and trained."""
    seen = set()
    for name, part in _list_parts(model):
        own = dict(part.named_parameters(recurse=False))
        if not own.keys() <= {"weight", "bias"}:
            raise ValueError(
                f"model must have plain weights, got {', '.join(own)} in its layer {name}:"
                " torch.nn.utils.prune.remove makes pruned ones plain"
            )
        for parameter in own.values():
            if id(parameter) in seen:
                raise ValueError(
                    "model must have other weights in each layer, got those of a former one again"
                    f" in its layer {name}: TorchLoss counts tied weights once"
                )
            seen.add(id(parameter))
    trained = [parameter.requires_grad for parameter in model.parameters()]
    if any(trained) and not all(trained):
        raise ValueError(
            "model must have all parameters trained or none, got"
            f" {len(trained) - sum(trained)} of {len(trained)} frozen: TorchLoss leaves those out,"
            " model.requires_grad_(True) counts them in"
        )


def _read_linear(linear):
    weight = _as_float64(linear.weight).T
    bias = None if linear.bias is None else _as_float64(linear.bias)
    return weight, bias


def _read_norm(norm, width):
    """Return scale and shift of a BatchNorm1d in evaluation mode: z -> scale z + shift."""
    if norm is None:
        return np.ones(width), np.zeros(width)
    scale = 1 / np.sqrt(_as_float64(norm.running_var) + norm.eps)
    if norm.weight is not None:
        scale = scale * _as_float64(norm.weight)
    shift = -scale * _as_float64(norm.running_mean)
    if norm.bias is not None:
        shift = shift + _as_float64(norm.bias)
    return scale, shift


def _as_float64(tensor):
    return tensor.detach().cpu().double().numpy()


def _write(parameter, values):
    import torch

    parameter.copy_(torch.as_tensor(np.ascontiguousarray(values)))


def _build_loss(layers, x, y, **options):
    layers = as_params(layers)
    x = as_real("x", x, shape=(None, len(layers[0].weight)), what="an array of inputs, a row each,")
    biases = [layer.bias is not None for layer in layers]
    return NetworkLoss(widths_of(layers), x, y, bias=biases, **options), ravel(layers)


def _check_predictions(predicted, expected, is_single):
    gap = compute_gap(predicted, expected)
    if not gap <= (SINGLE if is_single else DOUBLE):
        raise RuntimeError(
            "the translated network must predict as the model does, got predictions that differ by"
            f" {gap:.2g} of the largest"
        )
