"""What a loss may know, and the losses of networks."""

from dataclasses import dataclass

import autograd.numpy as np
import numpy as onp
from autograd.extend import Box
from autograd.scipy.special import logsumexp

from . import structured
from ._validation import as_positive, as_real, as_vector, refuse_tracing
from .networks import as_widths, layer_sizes, pre_activations, relu, unravel

CRITERIA = ("squared_error", "cross_entropy")


class NetworkLoss:
    """The mean loss of a rectified network over a data set, as a function of its parameter vector.

    `x` is (N, d_0). `criterion="squared_error"` is 1/(2N) sum |f(x_i) - y_i|^2 with `y` (N, d_K),
    or (N,) for one output; the unit is that of y, squared. `criterion="cross_entropy"` is the mean
    of -log softmax(f(x_i))[y_i] in nats, with `y` integer labels (N,) or rows of probabilities (N,
    d_K).

    Raises ValueError for an empty data set, shapes that don't fit, NaN, labels out of range, rows
    that are no probabilities.

    >>> loss = NetworkLoss((1, 1), [[1.0], [2.0]], [1.0, 2.0])
    >>> loss([3.0])
    5.0
    """

    def __init__(self, widths, x, y, *, criterion="squared_error", bias=False):
        if criterion not in CRITERIA:
            raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")
        self.widths, self.bias, self.criterion = as_widths(widths), bool(bias), criterion
        # Copies: a caller who later rescales his own arrays in place must not change this loss.
        self.x = as_real(
            "x", x, shape=(None, self.widths[0]), what="an array of inputs, a row each,"
        ).copy()
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
            raise ValueError(
                f"outputs must have the shape of the targets, {self.y.shape}, got"
                f" {np.shape(outputs)}"
            )
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
        """Return the Hessian (n, n), symmetric to the last bit, by matrix products; in `out` (n, n)
        where one is given.
        """
        return structured.hessian(self, self._vector("theta", theta), out=out)

    def gauss_newton(self, theta, *, out=None):
        """Return the Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information
        matrix, by matrix products.
        """
        return structured.hessian(self, self._vector("theta", theta), out=out, gauss_newton=True)

    def hvp_at(self, theta):
        """Return the function v -> H v, (n,) to (n,), by the R-operator; what does not depend on v
        is computed once.
        """
        return structured.hvp_at(self, self._vector("theta", theta))

    def hessian_diagonal(self, theta):
        """Return the diagonal (n,) of the Hessian, and of the Gauss-Newton matrix, without forming
        either.
        """
        return structured.hessian_diagonal(self, self._vector("theta", theta))

    def jacobian(self, theta):
        """Return the derivatives (N, C, n) of the outputs."""
        return structured.jacobian(self, self._vector("theta", theta))

    def on(self, x, y):
        """Return the same network's loss on other data: a mini-batch, a test set."""
        return NetworkLoss(self.widths, x, y, criterion=self.criterion, bias=self.bias)

    def _vector(self, name, value):
        refuse_tracing(name, value)
        return as_vector(name, value, self.size)

    def __repr__(self):
        widths = "-".join(map(str, self.widths))
        return (
            f"{type(self).__name__}({widths}, {len(self.x)} samples, {self.criterion},"
            f" bias={self.bias})"
        )


@dataclass(frozen=True)
class Kinks:
    """Where a network is within `tol` of a kink. False when it is nowhere.

    `margin` is the smallest |pre-activation| among those of hidden units that are not zero all
    around theta (infinite without any); `where` (count, 3) lists (layer, unit, sample) of each that
    is at most `tol`, layers counted from 1.
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
    """Report the units and samples whose pre-activation is within `tol` of zero without being zero
    all around theta.

    There the loss may have no derivative, and no second one. A pre-activation that stays zero in a
    whole neighbourhood of theta (no bias, and every input of the layer zero there: a blank image,
    or units that are switched off) makes no kink.
    """
    tol = as_positive("tol", tol)
    theta = as_vector("theta", theta, loss.size)
    if hasattr(loss, "n_blocks"):
        raise ValueError(
            "loss must be of a network without skip connections for its kinks to be known, got"
            f" {loss!r}"
        )
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


class ResidualLoss(NetworkLoss):
    """The loss of the residual counterpart of a plain rectified network: the same parameters, with
    skip connections.

    `widths` is (d_0, w, ..., w, d_K) with 2m + 2 layers. The first layer gives h = relu(x W); each
    of m blocks of two layers maps h to relu(h + relu(h A) B / sqrt(m)); the last layer is linear.
    `NetworkLoss` with the same widths is the network without "h +" and without the factor, which
    keeps the sum of m blocks at the size of one.

    Raises ValueError for an odd number of layers, fewer than four, or hidden layers of different
    widths.
    """

    def __init__(self, widths, x, y, *, criterion="squared_error", bias=False):
        super().__init__(widths, x, y, criterion=criterion, bias=bias)
        n_layers = len(self.widths) - 1
        if n_layers < 4 or n_layers % 2 or len(set(self.widths[1:-1])) > 1:
            raise ValueError(
                "widths must have 2m + 2 layers with m >= 1 and hidden layers of one width, got"
                f" {self.widths}"
            )
        self.n_blocks = n_layers // 2 - 1

    def outputs(self, theta):
        """Return f_theta(x_i) for every sample, (N, d_K)."""
        first, *inner, last = self.layers(theta)
        h = relu(_affine(self.x, first))
        for into, back in zip(inner[::2], inner[1::2], strict=True):
            h = relu(h + _affine(relu(_affine(h, into)), back) / onp.sqrt(self.n_blocks))
        return _affine(h, last)

    def on(self, x, y):
        """Return the same network's loss on other data: a mini-batch, a test set."""
        return ResidualLoss(self.widths, x, y, criterion=self.criterion, bias=self.bias)


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
            raise ValueError(
                "y must have rows of probabilities, none negative and each with sum 1 to 1e-12"
            )
        return y
    if y.shape != (n_samples,) or y.dtype.kind not in "iu":
        raise ValueError(
            f"y must be {n_samples} integer labels or rows of probabilities, got shape {y.shape},"
            f" dtype {y.dtype}"
        )
    if (y < 0).any() or (y >= d_out).any():
        raise ValueError(f"y must hold labels from 0 to {d_out - 1}, got {y.min()} to {y.max()}")
    return onp.eye(d_out)[y]


def _affine(h, layer):
    return np.dot(h, layer.weight) if layer.bias is None else np.dot(h, layer.weight) + layer.bias
