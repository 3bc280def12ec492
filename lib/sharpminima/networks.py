"""Rectified networks, their parameters as one vector, and their losses (Dinh et al. 2017, section 2, definition 3).

Inputs are rows: a layer maps `h` to `h @ weight + bias`, and every layer but the last is followed by the rectifier.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import autograd.numpy as np
import numpy as onp
from autograd.extend import Box
from autograd.scipy.special import logsumexp

from . import structured
from ._validation import as_count, as_generator, as_positive, as_real, as_vector

CRITERIA = ("squared_error", "cross_entropy")


class Layer(NamedTuple):
    """One affine layer: `weight` (d_in, d_out) and `bias` (d_out,), or None where there is none."""

    weight: onp.ndarray
    bias: onp.ndarray | None = None


Params = tuple[Layer, ...]


def relu(z):
    """The rectifier max(z, 0), with derivative 0 at 0, and NaN where z is NaN or has overflown to -inf."""
    return z * (z > 0)


def init_params(widths, *, rng, bias=False):
    """Draw weights from N(0, 2/d_in) (He et al. 2015) and set biases to zero.

    `widths` is (d_0, ..., d_K). Returns K layers. Raises ValueError for widths that are not K + 1 >= 2 positive integers.
    """
    widths, rng = as_widths(widths), as_generator(rng)
    shapes = pairwise(widths)
    return tuple(
        Layer(rng.normal(0.0, onp.sqrt(2 / d_in), (d_in, d_out)), onp.zeros(d_out) if bias else None)
        for d_in, d_out in shapes
    )


def pre_activations(params, x, *, activation=relu):
    """Return the K pre-activations, (N, d_1) to (N, d_K); the last one is the network's output."""
    z, h = [], x
    for layer in params:
        z.append(np.dot(h, layer.weight) if layer.bias is None else np.dot(h, layer.weight) + layer.bias)
        h = activation(z[-1])
    return z


def forward(params, x, *, activation=relu):
    """Return the network's outputs (N, d_K) at the inputs `x` (N, d_0). The output layer is linear.

    Raises ValueError when `x` or a layer has the wrong shape or is not of finite float64 numbers.

    >>> forward((Layer(onp.array([[1.0, -1.0]])), Layer(onp.array([[2.0], [3.0]]))), onp.array([[1.0], [-1.0]]))
    array([[2.],
           [3.]])
    """
    params = as_params(params)
    x = as_real("x", x, shape=(None, len(params[0].weight)), what="an array of inputs, a row each,")
    return pre_activations(params, x, activation=activation)[-1]


def as_params(params):
    """Return `params` as layers of float64 numbers, after checking that they fit onto each other."""
    layers, width = [], None
    for k, (weight, bias) in enumerate(params, start=1):
        weight = as_real(f"the weight of layer {k}", weight, shape=(width, None), what="a matrix")
        width = weight.shape[1]
        if bias is not None:
            bias = as_real(f"the bias of layer {k}", bias, shape=(width,), what="a vector")
        layers.append(Layer(weight, bias))
    if not layers:
        raise ValueError("params must hold at least one layer, got none")
    return tuple(layers)


def widths_of(params):
    """Return (d_0, ..., d_K) of layers that fit onto each other."""
    return (params[0].weight.shape[0], *(layer.weight.shape[1] for layer in params))


def layer_sizes(widths, *, bias=False):
    """Return (n_1, ..., n_K), the number of parameters of each layer: n_k = dim vec(theta_k), not the number of units."""
    widths = as_widths(widths)
    return tuple((d_in + bool(bias)) * d_out for d_in, d_out in pairwise(widths))


def ravel(params):
    """Return all parameters as one vector (n,), layer by layer: the weight row by row, then the bias."""
    return np.concatenate([np.ravel(part) for layer in as_params(params) for part in layer if part is not None])


def unravel(theta, widths, *, bias=False):
    """Return the layers whose `ravel` is `theta` (n,). Raises ValueError when `theta` has another length."""
    widths = as_widths(widths)
    theta = as_vector("theta", theta, sum(layer_sizes(widths, bias=bias)))
    layers, start = [], 0
    for d_in, d_out in pairwise(widths):
        middle, stop = start + d_in * d_out, start + (d_in + bool(bias)) * d_out
        layers.append(Layer(np.reshape(theta[start:middle], (d_in, d_out)), theta[middle:stop] if bias else None))
        start = stop
    return tuple(layers)


class NetworkLoss:
    """The mean loss of a rectified network over a data set, as a function of its parameter vector.

    `x` is (N, d_0). `criterion="squared_error"` is 1/(2N) sum |f(x_i) - y_i|^2 with `y` (N, d_K), or (N,) for one
    output; the unit is that of y, squared. `criterion="cross_entropy"` is the mean of -log softmax(f(x_i))[y_i] in nats,
    with `y` integer labels (N,) or rows of probabilities (N, d_K).

    Raises ValueError for an empty data set, shapes that don't fit, NaN, labels out of range, rows that are no
    probabilities.

    >>> loss = NetworkLoss((1, 1), [[1.0], [2.0]], [1.0, 2.0])
    >>> loss([3.0])
    5.0
    """

    def __init__(self, widths, x, y, *, criterion="squared_error", bias=False):
        if criterion not in CRITERIA:
            raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")
        self.widths, self.bias, self.criterion = as_widths(widths), bool(bias), criterion
        # Copies: a caller who later rescales his own arrays in place must not change this loss.
        self.x = as_real("x", x, shape=(None, self.widths[0]), what="an array of inputs, a row each,").copy()
        if len(self.x) == 0:
            raise ValueError("x must hold at least one sample, got none")
        targets = as_targets if criterion == "squared_error" else as_probabilities
        self.y = targets(y, len(self.x), self.widths[-1]).copy()
        self.sizes = layer_sizes(self.widths, bias=self.bias)
        self.size = sum(self.sizes)

    def __call__(self, theta):
        """Return L(theta)."""
        value = self.criterion_value(self.outputs(theta))
        return value if isinstance(value, Box) else float(value)

    def criterion_value(self, outputs):
        """Return the loss of given outputs (N, d_K). Raises ValueError for another shape."""
        if np.shape(outputs) != self.y.shape:
            raise ValueError(f"outputs must have the shape of the targets, {self.y.shape}, got {np.shape(outputs)}")
        if self.criterion == "squared_error":
            return np.sum((outputs - self.y) ** 2) / (2 * len(self.x))
        return np.mean(logsumexp(outputs, axis=1) - np.sum(self.y * outputs, axis=1))

    def layers(self, theta):
        """Return `theta` (n,) as the network's layers."""
        return unravel(theta, self.widths, bias=self.bias)

    def outputs(self, theta):
        """Return f_theta(x_i) for every sample, (N, d_K)."""
        return pre_activations(self.layers(theta), self.x)[-1]

    def hessian(self, theta, *, out=None):
        """Return the Hessian (n, n), symmetric to the last bit, by matrix products; in `out` (n, n) where one is given."""
        return structured.hessian(self, self._vector("theta", theta), out=out)

    def gauss_newton(self, theta, *, out=None):
        """Return the Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information matrix, by matrix products."""
        return structured.hessian(self, self._vector("theta", theta), out=out, gauss_newton=True)

    def hvp_at(self, theta):
        """Return the function v -> H v, (n,) to (n,), by the R-operator; what does not depend on v is computed once."""
        return structured.hvp_at(self, self._vector("theta", theta))

    def hessian_diagonal(self, theta):
        """Return the diagonal (n,) of the Hessian, and of the Gauss-Newton matrix, without forming either."""
        return structured.hessian_diagonal(self, self._vector("theta", theta))

    def jacobian(self, theta):
        """Return the derivatives (N, C, n) of the outputs."""
        return structured.jacobian(self, self._vector("theta", theta))

    def on(self, x, y):
        """Return the same network's loss on other data: a mini-batch, a test set."""
        return NetworkLoss(self.widths, x, y, criterion=self.criterion, bias=self.bias)

    def _vector(self, name, value):
        return as_vector(name, value, self.size)

    def __repr__(self):
        widths = "-".join(map(str, self.widths))
        return f"NetworkLoss({widths}, {len(self.x)} samples, {self.criterion}, bias={self.bias})"


@dataclass(frozen=True)
class Kinks:
    """Where a network is within `tol` of a kink. False when it is nowhere.

    `margin` is the smallest |pre-activation| among those of hidden units that are not zero all around theta (infinite
    without any); `where` (count, 3) lists (layer, unit, sample) of each that is at most `tol`, layers counted from 1.
    """

    tol: float
    margin: float
    where: onp.ndarray

    def __bool__(self):
        return len(self.where) > 0

    def __str__(self):
        if self:
            layer, unit, sample = self.where[0]
            first = f"the first in layer {layer}, unit {unit}, at sample {sample}"
            return f"{len(self.where)} pre-activations within {self.tol:g} of zero, {first}"
        return f"no pre-activation within {self.tol:g} of zero (margin {self.margin:.2g})"


def kinks(loss, theta, *, tol):
    """Report the units and samples whose pre-activation is within `tol` of zero without being zero all around theta.

    There the loss may have no derivative, and no second one. A pre-activation that stays zero in a whole neighbourhood
    of theta (no bias, and every input of the layer zero there: a blank image, or units that are switched off) makes no kink.
    """
    tol = as_positive("tol", tol)
    theta = as_vector("theta", theta, loss.size)
    if hasattr(loss, "n_blocks"):
        raise ValueError(f"loss must be of a network without skip connections for its kinks to be known, got {loss!r}")
    params = loss.layers(theta)
    stays_zero = loss.x == 0
    margin, where = onp.inf, []
    for k, z in enumerate(pre_activations(params, loss.x)[:-1], start=1):
        idle = stays_zero.all(axis=1, keepdims=True) & (params[k - 1].bias is None)
        size = onp.where(idle, onp.inf, onp.abs(z))
        margin = onp.minimum(margin, size.min())  # unlike min, it lets NaN through
        samples, units = onp.nonzero(size <= tol)
        where += [(k, unit, sample) for sample, unit in zip(samples, units, strict=True)]
        stays_zero = idle | (z < 0)
    return Kinks(tol, float(margin), onp.array(where, dtype=int).reshape(-1, 3))


def as_widths(widths):
    """Return `widths` as a tuple of at least two positive integers."""
    widths = tuple(widths) if onp.iterable(widths) else (widths,)
    if len(widths) < 2:
        raise ValueError(f"widths must name at least an input and an output width, got {widths}")
    return tuple(as_count("each of widths", d) for d in widths)


def as_targets(y, n_samples, d_out):
    """Return regression targets as (N, d_out)."""
    y = as_real("y", y, what="an array of targets")
    shape = (n_samples,) if y.ndim == 1 and d_out == 1 else (n_samples, d_out)
    return as_real("y", y, shape=shape, what="an array of targets").reshape(n_samples, d_out)


def as_probabilities(y, n_samples, d_out):
    """Return class labels, or rows of probabilities, as rows of probabilities (N, d_out)."""
    y = onp.asarray(y)
    if y.ndim == 2:
        y = as_real("y", y, shape=(n_samples, d_out), what="rows of probabilities")
        if (y < 0).any() or (onp.abs(y.sum(axis=1) - 1) > 1e-12).any():
            raise ValueError("y must have rows of probabilities, none negative and each with sum 1 to 1e-12")
        return y
    if y.shape != (n_samples,) or y.dtype.kind not in "iu":
        raise ValueError(f"y must be {n_samples} integer labels or rows of probabilities, got shape {y.shape}, dtype {y.dtype}")
    if (y < 0).any() or (y >= d_out).any():
        raise ValueError(f"y must hold labels from 0 to {d_out - 1}, got {y.min()} to {y.max()}")
    return onp.eye(d_out)[y]
