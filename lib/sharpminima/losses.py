"""What a loss may know, and the losses of networks.

Any function of a parameter vector is a `Loss`. A loss may know more: what a `KnowingLoss` lists is
all that the library ever asks for, and each part of it is optional. Functions ask by `knows`,
`closed_form`, `as_rectified` and `as_criterion_mean`, so that a part counts only where it holds for
the value that the loss computes.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import autograd.numpy as np
import numpy as onp
from autograd.extend import Box
from numpy.typing import ArrayLike

from . import structured
from ._validation import (
    Array,
    as_buffer,
    as_choice,
    as_index,
    as_numbers,
    as_plain,
    as_positive,
    as_real,
    as_vector,
    refuse_tracing,
)
from .criteria import CRITERIA, as_criterion_targets, mean_loss
from .networks import (
    Layer,
    Params,
    apply_layer,
    as_biases,
    as_widths,
    derive_leaky_relu,
    layer_blocks,
    layer_sizes,
    leaky_relu,
    pre_activations,
    relu,
    split_layers,
)

# The slope of each activation left of zero, None where the caller chooses it: at 0.01 by default,
# as in PyTorch.
ACTIVATIONS = {"relu": 0.0, "leaky_relu": None, "identity": 1.0}
LEAKY_SLOPE = 0.01

# Of smaller ones the square's reciprocal overflows, or loses digits.
SMALLEST_SCALE = 1e-150

# The methods that make the value of a `LayeredLoss`, and those that may differentiate it.
OUTPUTS = ("outputs", "layers", "pre_activations", "activate", "derive_activation")
CRITERION_MEAN = ("__call__", "criterion_value", "penalty")
VALUE = (*CRITERION_MEAN, *OUTPUTS)
DERIVATIVES = (
    "gradient",
    "hessian",
    "hvp_at",
    "hessian_diagonal",
    "hessian_block",
    "jacobian",
    "jvp_at",
    "gauss_newton",
    "gauss_newton_at",
    "gauss_newton_diagonal",
    "gauss_newton_block",
    "unit_traces",
)


class Loss(Protocol):
    """Any function of a parameter vector `theta` (n,), float64, that returns a float64 number.

    It is written with `autograd.numpy`, unless it brings its own derivatives.
    """

    def __call__(self, theta: Array) -> float: ...


class KnowingLoss(Loss, Protocol):
    """All that a loss may know beyond its value. Each part is optional.

    The network: `outputs(theta)` (N, C), `layers(theta)`, the parameters as a network's layers, and
    their number `size`.

    The data: inputs `x` (N, d_0), targets `y` (N, C), and the `criterion`, one of
    `criteria.CRITERIA`, if the value is its mean over the samples and nothing more: no weight
    decay, no weights of samples. `on(x, y)` is the same loss on other data.

    Exact derivatives, to be used in place of autograd's: `gradient` (n,), `hessian` (n, n),
    `hessian_diagonal` (n,), the `jacobian` (N, C, n) of the outputs, the matrix `gauss_newton`
    (n, n), and `hvp_at(theta)`, which returns the function v -> H v.

    For large networks, the same without the whole matrix: `gauss_newton_diagonal` (n,);
    `gauss_newton_at(theta)` and `jvp_at(theta)`, which return the functions v -> G v and v -> J v;
    `hessian_block(theta, k)` and `gauss_newton_block(theta, k)`, the diagonal block of layer k; and
    its `unit_traces(theta, k)`, for which see `hessians.unit_traces`.
    """

    size: int
    x: Array
    y: Array
    criterion: str

    def outputs(self, theta: Array) -> Array: ...

    def layers(self, theta: Array) -> Params: ...

    def on(self, x: Array, y: Array) -> Self: ...

    def gradient(self, theta: Array) -> Array: ...

    def hessian(self, theta: Array) -> Array: ...

    def hvp_at(self, theta: Array) -> Callable[[Array], Array]: ...

    def hessian_diagonal(self, theta: Array) -> Array: ...

    def jacobian(self, theta: Array) -> Array: ...

    def gauss_newton(self, theta: Array) -> Array: ...

    def hessian_block(self, theta: Array, layer: int) -> Array: ...

    def gauss_newton_block(self, theta: Array, layer: int) -> Array: ...

    def gauss_newton_diagonal(self, theta: Array) -> Array: ...

    def gauss_newton_at(self, theta: Array) -> Callable[[Array], Array]: ...

    def jvp_at(self, theta: Array) -> Callable[[Array], Array]: ...

    def unit_traces(self, theta: Array, layer: int, *, scales: Array | None = None) -> Array: ...


def _position(cls, name):
    """Return how far up the hierarchy of the class `name` is defined; 0 is the class itself."""
    for position, kind in enumerate(cls.__mro__):
        if name in vars(kind):
            return position
    return len(cls.__mro__)


class LayeredLoss:
    """The mean loss of a layered network over a data set: what `NetworkLoss` and `ResidualLoss`
    share.

    Its value is the mean of the criterion over the samples, each with its weight, and the weight
    decay 1/2 sum l2_i theta_i^2. A transformation that keeps the function keeps the first, and in
    general changes the second.

    A subclass says how it computes its `outputs` (N, d_K). It may define derivatives in closed
    form, under the names in `DERIVATIVES`; `closed_forms` holds those that are valid. A subclass
    that computes another value keeps only the closed forms that it defines itself.

    >>> class TanhLoss(LayeredLoss):
    ...     def outputs(self, theta):
    ...         return pre_activations(self.layers(theta), self.x, activation=np.tanh)[-1]
    >>> TanhLoss((1, 1, 1), [[0.0]], [2.0])([1.0, 1.0])
    2.0
    """

    closed_forms: frozenset[str] = frozenset()

    def __init_subclass__(cls, **options):
        """Find the closed forms that hold for the value of the new class.

        The last class to change the value counts: its own closed forms hold, and those of its
        subclasses.
        """
        super().__init_subclass__(**options)
        last_change = min(_position(cls, part) for part in VALUE)
        cls.closed_forms = frozenset(
            name for name in DERIVATIVES if _position(cls, name) <= last_change
        )

    def __init__(
        self,
        widths: Iterable[int],
        x: ArrayLike,
        y: ArrayLike,
        *,
        criterion: str = "squared_error",
        bias: bool | Sequence[bool] = False,
        l2: ArrayLike = 0.0,
        sample_weight: ArrayLike | None = None,
    ):
        criterion = as_choice("criterion", criterion, CRITERIA)
        self.widths = as_widths(widths)
        self.biases = as_biases(bias, len(self.widths) - 1)
        self.bias = self.biases[0] if len(set(self.biases)) == 1 else self.biases
        self.criterion = criterion
        self.sizes = layer_sizes(self.widths, bias=self.biases)
        self.blocks = layer_blocks(self.sizes)
        self.size = sum(self.sizes)
        self.l2 = _as_decay(l2, self.size)
        self._take_data(x, y, sample_weight)

    def _take_data(self, x, y, sample_weight):
        # Copies: a caller who later rescales his own arrays in place must not change this loss.
        what = "an array of inputs, a row each,"
        self.x = as_real("x", x, shape=(None, self.widths[0]), what=what).copy()
        if len(self.x) == 0:
            raise ValueError("x must hold at least one sample, got none")
        self.y = as_criterion_targets(self.criterion, y, len(self.x), self.widths[-1]).copy()
        self.sample_weight = _as_sample_weight(sample_weight, len(self.x))

    def __call__(self, theta: ArrayLike) -> float:
        """Return L(theta)."""
        value = self.criterion_value(self.outputs(theta))
        if self.has_decay:
            value = value + self.penalty(theta)
        return value if isinstance(value, Box) else float(value)

    def criterion_value(self, outputs: Array) -> float:
        """Return the mean of the criterion for given outputs (N, d_K), without weight decay: NaN or
        infinite where outputs have overflown. Raises ValueError for another shape.
        """
        outputs = as_numbers("outputs", outputs)
        if np.shape(outputs) != self.y.shape:
            raise ValueError(
                f"outputs must have the shape of the targets, {self.y.shape}, got"
                f" {np.shape(outputs)}"
            )
        return mean_loss(self.criterion, outputs, self.y, self.sample_weight)

    def penalty(self, theta: ArrayLike) -> float:
        """Return the weight decay, 1/2 sum l2_i theta_i^2."""
        theta = as_vector("theta", theta, self.size)
        return np.sum(theta * (self.l2 * theta)) / 2  # no square of what does not decay overflows

    @property
    def has_decay(self) -> bool:
        """Whether weight decay is part of the loss."""
        return bool(onp.any(self.l2))

    def without_decay(self) -> Self:
        """Return the same loss without weight decay: the mean of the criterion, which depends on
        theta through the outputs alone.
        """
        other = copy.copy(self)
        other.l2 = 0.0
        return other

    def layers(self, theta: ArrayLike) -> Params:
        """Return `theta` (n,) as the network's layers."""
        return split_layers(as_vector("theta", theta, self.size), self.widths, self.biases)

    def outputs(self, theta: ArrayLike) -> Array:
        """Return f_theta(x_i) for every sample, (N, d_K)."""
        as_vector("theta", theta, self.size)
        raise NotImplementedError(f"{type(self).__name__} must define outputs(theta)")

    def on(self, x: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> Self:
        """Return the same loss on other data: a test set, say.

        It is of the same class and carries all that this loss carries but x, y and the weights of
        the samples, which belong to the data: a loss that has such weights needs others here. For
        its own samples see `take` and `with_inputs`. A subclass that carries something else for
        each sample has to override this method.

        Raises ValueError for data that do not fit and for missing weights.
        """
        if sample_weight is None and self.sample_weight is not None:
            raise ValueError(
                f"sample_weight must be given for other data, as {self!r} weights its samples:"
                " np.ones(len(x)) for equal weights"
            )
        other = copy.copy(self)
        other._take_data(x, y, sample_weight)
        return other

    def take(self, samples: ArrayLike) -> Self:
        """Return the same loss on some of its own samples: a mini-batch.

        `samples` are indices, a mask or a slice. The samples keep the weights that they have here,
        so that the gradients of the batches of an epoch have the mean of the whole gradient. Raises
        ValueError for what are none of these, and for none at all.
        """
        samples = _as_samples(samples, len(self.x))
        if self.sample_weight is None:
            return self.on(self.x[samples], self.y[samples])
        weights = self.sample_weight[samples]
        other = self.on(self.x[samples], self.y[samples], sample_weight=onp.ones(len(weights)))
        other.sample_weight = weights
        return other

    def with_inputs(self, x: ArrayLike) -> Self:
        """Return the same loss with other inputs (N, d_0) for the same samples, as in another
        basis.
        """
        if self.sample_weight is None:
            return self.on(x, self.y)
        return self.on(x, self.y, sample_weight=self.sample_weight)

    def _holds(self, part):
        """Return whether `part` of a `KnowingLoss` is there and belongs to this loss's value."""
        if part == "criterion":
            return not self._explain_no_mean()
        if part not in DERIVATIVES or part in vars(self):
            return hasattr(self, part)  # set on the instance, a derivative is trusted
        value_is_the_classes = not vars(self).keys() & set(VALUE)
        return value_is_the_classes and part in self.closed_forms

    def _explain_no_mean(self):
        """Return in words why the value is not the mean of the criterion; empty where it is."""
        changes = _find_changes(self, LayeredLoss, CRITERION_MEAN)
        if changes:
            return f"{type(self).__name__} with its own {' and '.join(changes)}"
        if self.has_decay:
            return f"{type(self).__name__} with weight decay: take loss.without_decay()"
        if self.sample_weight is not None:
            return f"{type(self).__name__} with weights of samples"
        return ""

    def __repr__(self):
        widths = "-".join(map(str, self.widths))
        return (
            f"{type(self).__name__}({widths}, {len(self.x)} samples, {self.criterion},"
            f" bias={self.bias}{self._describe_more()})"
        )

    def _describe_more(self) -> str:
        """Return what makes the loss differ from the plain one, as it goes into its repr."""
        text = ""
        if self.has_decay:
            least, largest = onp.min(self.l2), onp.max(self.l2)
            text += f", l2={largest:g}" if least == largest else f", l2={least:g} to {largest:g}"
        if self.sample_weight is not None:
            text += ", weighted samples"
        return text


def _as_decay(l2, n):
    """Return the weight decay as a number or a vector (n,), none negative."""
    l2 = as_real("l2", l2, what="a number or a vector")
    if l2.shape not in ((), (n,)) or (l2 < 0).any():
        raise ValueError(f"l2 must be a number of at least 0, or {n} of them, got {l2}")
    return float(l2) if l2.ndim == 0 else l2.copy()


def _as_samples(samples, count):
    """Return which of so many samples are meant, as indices (k,)."""
    if isinstance(samples, slice):
        chosen = onp.arange(count)[samples]
    else:
        chosen = as_plain("samples", samples)
        is_mask = chosen.dtype == bool and chosen.shape == (count,)
        if is_mask:
            chosen = onp.flatnonzero(chosen)
        if chosen.ndim != 1 or (chosen.dtype.kind not in "iu" and chosen.size):
            raise ValueError(
                f"samples must be a vector of indices, a mask of length {count} or a slice, got"
                f" dtype {chosen.dtype} of shape {chosen.shape}"
            )
    if len(chosen) == 0:
        raise ValueError("samples must be at least one, got none")
    if chosen.min() < -count or chosen.max() >= count:
        raise ValueError(
            f"samples must be indices from {-count} to {count - 1}, got {chosen.min()} to"
            f" {chosen.max()}"
        )
    return chosen


def _as_sample_weight(sample_weight, n_samples):
    """Return the weights (N,) of the samples divided by their mean, or None for none."""
    if sample_weight is None:
        return None
    weights = as_real("sample_weight", sample_weight, shape=(n_samples,), what="a vector")
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            f"sample_weight must have no negative entry and a positive sum, got {weights}"
        )
    return weights / weights.mean()


class NetworkLoss(LayeredLoss):
    """The mean loss of a rectified network over a data set, as a function of its parameter vector.

    `x` is (N, d_0). `criterion="squared_error"` is 1/(2N) sum |f(x_i) - y_i|^2 with `y` (N, d_K),
    or (N,) for one output; the unit is that of y, squared. `criterion="cross_entropy"` is the mean
    of -log softmax(f(x_i))[y_i] in nats, with `y` integer labels (N,) or rows of probabilities (N,
    d_K). `criterion="binary_cross_entropy"` is that of yes and no for an output that is the logit
    of yes, summed over the outputs where there are several, with `y` labels 0 and 1 or
    probabilities, (N, d_K), or (N,) for one output.

    `bias` is one answer for all layers or one for each. `activation` follows every layer but the
    last: "relu", "identity", or "leaky_relu", which has the `slope` (0.01 by default, at least 0)
    where its input is not positive. `l2` adds the weight decay 1/2 sum l2_i theta_i^2; it is one
    number, PyTorch's weight_decay, or (n,), zero for what does not decay. `sample_weight` (N,)
    makes the mean a weighted one: a weight of 2 counts as the sample twice.

    Raises ValueError for an empty data set, shapes that don't fit, NaN, labels out of range, rows
    that are no probabilities, negative weights, an unknown criterion or activation.

    >>> loss = NetworkLoss((1, 1), [[1.0], [2.0]], [1.0, 2.0])
    >>> loss([3.0])
    5.0
    >>> loss = NetworkLoss((1, 1), [[1.0], [2.0]], [1.0, 2.0], l2=0.1, sample_weight=[1, 3])
    >>> loss([3.0])
    6.95
    """

    def __init__(
        self,
        widths: Iterable[int],
        x: ArrayLike,
        y: ArrayLike,
        *,
        criterion: str = "squared_error",
        bias: bool | Sequence[bool] = False,
        activation: str = "relu",
        slope: float | None = None,
        l2: ArrayLike = 0.0,
        sample_weight: ArrayLike | None = None,
    ):
        self.activation = activation
        self.slope = _as_slope(activation, slope)
        super().__init__(
            widths, x, y, criterion=criterion, bias=bias, l2=l2, sample_weight=sample_weight
        )

    def like(self, **changes) -> "NetworkLoss":
        """Return a `NetworkLoss` made with the same arguments as this one but for `changes`.

        >>> plain = NetworkLoss((1, 1), [[1.0]], [2.0], l2=0.5)
        >>> plain.like(l2=0.0)([0.0])
        2.0
        """
        arguments = {
            "widths": self.widths,
            "x": self.x,
            "y": self.y,
            "criterion": self.criterion,
            "bias": self.bias,
            "activation": self.activation,
            "slope": self.slope if self.activation == "leaky_relu" else None,
            "l2": self.l2,
            "sample_weight": self.sample_weight,
        }
        return NetworkLoss(**arguments | changes)

    def activate(self, z: Array) -> Array:
        """Return the activation of pre-activations."""
        z = as_numbers("z", z)
        if self.activation == "relu":
            return relu(z)
        if self.activation == "identity":
            return z
        return leaky_relu(z, self.slope)

    def derive_activation(self, z: Array) -> Array:
        """Return the activation's derivative: 1 where z > 0, elsewhere `slope`, the activation's
        own: 0 for the rectifier, 1 for the identity. For the rectifier these are booleans.
        """
        z = as_numbers("z", z)
        if self.activation == "relu":
            return z > 0
        return derive_leaky_relu(z, self.slope)

    def pre_activations(self, theta: ArrayLike) -> list[Array]:
        """Return the pre-activations of the K layers, (N, d_1) to (N, d_K)."""
        return pre_activations(self.layers(theta), self.x, activation=self.activate)

    def outputs(self, theta: ArrayLike) -> Array:
        """Return f_theta(x_i) for every sample, (N, d_K)."""
        return self.pre_activations(theta)[-1]

    def _describe_more(self):
        text = ""
        if self.activation == "leaky_relu":
            text = f", activation=leaky_relu of slope {self.slope:g}"
        elif self.activation != "relu":
            text = f", activation={self.activation}"
        return text + super()._describe_more()

    def gradient(self, theta: ArrayLike) -> Array:
        """Return the gradient (n,) by one pass forward and one back."""
        return structured.gradient(self, self._as_theta("gradient", theta))

    def hessian(self, theta: ArrayLike, *, out: Array | None = None) -> Array:
        """Return the Hessian (n, n), symmetric to the last bit, by matrix products.

        It is written to `out` (n, n) where one is given.
        """
        theta = self._as_theta("hessian", theta)
        return structured.hessian(self, theta, out=as_buffer(out, self.size))

    def gauss_newton(self, theta: ArrayLike, *, out: Array | None = None) -> Array:
        """Return the Gauss-Newton matrix (n, n) by matrix products.

        For both cross-entropies it is the Fisher information matrix. Weight decay is no part of it,
        as it says nothing about the outputs; samples count by their weights.
        """
        theta = self._as_theta("gauss_newton", theta)
        out = as_buffer(out, self.size)
        return structured.hessian(self, theta, out=out, gauss_newton=True)

    def hvp_at(self, theta: ArrayLike) -> Callable[[Array], Array]:
        """Return the function v -> H v, (n,) to (n,), by the R-operator.

        All that does not depend on v is computed once.
        """
        return self._check_vector(structured.hvp_at(self, self._as_theta("hvp_at", theta)))

    def hessian_diagonal(self, theta: ArrayLike) -> Array:
        """Return the Hessian's diagonal (n,) without forming H.

        Without weight decay it is that of the Gauss-Newton matrix as well.
        """
        return structured.hessian_diagonal(self, self._as_theta("hessian_diagonal", theta))

    def hessian_block(self, theta: ArrayLike, layer: int, *, out: Array | None = None) -> Array:
        """Return the Hessian's diagonal block (n_k, n_k) of a layer k, counted from 0."""
        theta = self._as_theta("hessian_block", theta)
        layer = as_index("layer", layer, len(self.sizes), "layers")
        out = as_buffer(out, self.sizes[layer])
        return structured.layer_block(self, theta, layer, out=out)

    def unit_traces(self, theta: ArrayLike, layer: int, *, scales: Array | None = None) -> Array:
        """Return the traces (d_out, d_out) over the inputs of a layer of its Hessian's blocks."""
        theta = self._as_theta("unit_traces", theta)
        layer = as_index("layer", layer, len(self.sizes), "layers")
        if scales is not None:
            scales = as_unit_scales(scales, self.widths[layer])
        return structured.unit_traces(self, theta, layer, scales=scales)

    def jacobian(self, theta: ArrayLike) -> Array:
        """Return the derivatives (N, C, n) of the outputs."""
        return structured.jacobian(self, self._as_theta("jacobian", theta))

    def jvp_at(self, theta: ArrayLike) -> Callable[[Array], Array]:
        """Return the function v -> J v, (n,) to (N, C), for the Jacobian J of the outputs."""
        return self._check_vector(structured.jvp_at(self, self._as_theta("jvp_at", theta)))

    def gauss_newton_at(self, theta: ArrayLike) -> Callable[[Array], Array]:
        """Return the function v -> G v, (n,) to (n,), for the Gauss-Newton matrix G."""
        theta = self._as_theta("gauss_newton_at", theta)
        return self._check_vector(structured.gauss_newton_at(self, theta))

    def gauss_newton_diagonal(self, theta: ArrayLike) -> Array:
        """Return the diagonal (n,) of the Gauss-Newton matrix, the Hessian's without weight
        decay.
        """
        theta = self._as_theta("gauss_newton_diagonal", theta)
        return structured.hessian_diagonal(self, theta, gauss_newton=True)

    def gauss_newton_block(
        self, theta: ArrayLike, layer: int, *, out: Array | None = None
    ) -> Array:
        """Return the diagonal block (n_k, n_k) of layer k, the Hessian's without weight decay."""
        theta = self._as_theta("gauss_newton_block", theta)
        layer = as_index("layer", layer, len(self.sizes), "layers")
        out = as_buffer(out, self.sizes[layer])
        return structured.layer_block(self, theta, layer, out=out, gauss_newton=True)

    def _check_vector(self, product):
        """Return the function of a vector (n,) with its argument checked."""
        return lambda v: product(as_vector("v", v, self.size))

    def _as_theta(self, name, theta):
        """Return `theta` (n,) for the closed form `name`, which has to hold for this loss."""
        if not self._holds(name):
            raise ValueError(
                f"loss must bring a {name} of its own, got {type(self).__name__}, which computes"
                f" another value than the NetworkLoss whose {name} it inherits"
            )
        refuse_tracing("theta", theta)
        return as_vector("theta", theta, self.size)


class ResidualLoss(LayeredLoss):
    """The loss of the residual counterpart of a plain rectified network: the same parameters, with
    skip connections.

    `widths` is (d_0, w, ..., w, d_K) with 2m + 2 layers. The first layer gives h = relu(x W); each
    of m blocks of two layers maps h to relu(h + relu(h A) B / sqrt(m)); the last layer is linear.
    `NetworkLoss` with the same widths is the network without "h +" and without the factor, which
    keeps the sum of m blocks at the size of one.

    Raises ValueError for an odd number of layers, fewer than four, or hidden layers of different
    widths.
    """

    def __init__(
        self,
        widths: Iterable[int],
        x: ArrayLike,
        y: ArrayLike,
        *,
        criterion: str = "squared_error",
        bias: bool | Sequence[bool] = False,
        l2: ArrayLike = 0.0,
        sample_weight: ArrayLike | None = None,
    ):
        super().__init__(
            widths, x, y, criterion=criterion, bias=bias, l2=l2, sample_weight=sample_weight
        )
        n_layers = len(self.widths) - 1
        hidden_widths = set(self.widths[1:-1])
        if n_layers < 4 or n_layers % 2 or len(hidden_widths) > 1:
            raise ValueError(
                "widths must have 2m + 2 layers with m >= 1 and hidden layers of one width, got"
                f" {self.widths}"
            )
        self.n_blocks = n_layers // 2 - 1

    def outputs(self, theta: ArrayLike) -> Array:
        """Return f_theta(x_i) for every sample, (N, d_K)."""
        first, *inner, last = self.layers(theta)
        h = relu(apply_layer(self.x, first))
        for into, back in zip(inner[::2], inner[1::2], strict=True):
            branch = apply_layer(relu(apply_layer(h, into)), back)
            h = relu(h + branch / onp.sqrt(self.n_blocks))
        return apply_layer(h, last)


def knows(loss: Loss, part: str) -> bool:
    """Return whether the loss knows `part`, one of those that a `KnowingLoss` may have.

    A part of a `LayeredLoss` counts only if it holds for the value that the loss computes: not the
    inherited Hessian of a subclass with weight decay, nor the name of the criterion there.
    """
    if isinstance(loss, type):  # of a class itself no method can be called
        return False
    if isinstance(loss, LayeredLoss):
        return loss._holds(part)
    return hasattr(loss, part)


def closed_form(loss: Loss, name: str) -> Callable | None:
    """Return the loss's own derivative `name`, one of `DERIVATIVES`, or None where it has none."""
    return getattr(loss, name) if knows(loss, name) else None


def is_structured(loss: Loss, name: str) -> bool:
    """Return whether the loss's derivative `name` is the one that `structured` makes.

    That one is symmetric to the last bit and can be written to an `out`. It checks by itself that
    the loss is finite.
    """
    if not isinstance(loss, NetworkLoss) or not loss._holds(name):
        return False
    return not _find_changes(loss, NetworkLoss, (name,))


def as_rectified(loss: Loss) -> NetworkLoss:
    """Return `loss` if its outputs are those of plain layers with one of the activations that
    `NetworkLoss` knows, or raise ValueError.

    Whatever is read off the layers (kinks, bounds, path norms, derivatives in the inputs) has to
    ask: a network with skip connections or with another activation has layers of the same shapes.
    All these activations commute with positive factors, so that layers and units can be rescaled;
    what they do to a pre-activation, `loss.activate` says. Nothing is said about the value, for
    which see `as_criterion_mean`.
    """
    if not isinstance(loss, NetworkLoss):
        raise ValueError(
            "loss must be a NetworkLoss, whose outputs are those of plain rectified layers, got"
            f" {type(loss).__name__}"
        )
    changes = _find_changes(loss, NetworkLoss, OUTPUTS)
    if changes:
        raise ValueError(
            "loss must have the outputs of plain rectified layers, got"
            f" {type(loss).__name__} with its own {' and '.join(changes)}"
        )
    return loss


def as_layered_value(loss: Loss) -> NetworkLoss:
    """Return `loss` if it computes the value of a `NetworkLoss`, weight decay and weights of
    samples included, or raise ValueError.
    """
    loss = as_rectified(loss)
    if not has_layered_value(loss):
        changes = _find_changes(loss, LayeredLoss, CRITERION_MEAN)
        raise ValueError(
            f"loss must be the mean of its criterion, {loss.criterion}, got {type(loss).__name__}"
            f" with its own {' and '.join(changes)}"
        )
    return loss


def has_layered_value(loss: LayeredLoss) -> bool:
    """Return whether the value is the mean of the criterion over weighted samples, plus the weight
    decay, as `LayeredLoss` computes it from the outputs.
    """
    return not _find_changes(loss, LayeredLoss, CRITERION_MEAN)


def as_unit_scales(scales: ArrayLike, count: int) -> Array:
    """Return the scales (count,) of a layer's inputs, whose squares are divided by."""
    scales = as_vector("scales", scales, count)
    if not (scales > SMALLEST_SCALE).all():
        raise ValueError(
            f"scales must be positive, got {scales.min():g}: above {SMALLEST_SCALE:g}, so that"
            " their squares can be divided by"
        )
    return scales


def as_criterion_mean(loss: Loss) -> KnowingLoss:
    """Return `loss` if it has outputs and its value is the mean of its `criterion` over them.

    Raises ValueError otherwise. A loss that is no `LayeredLoss` is taken at its word.
    """
    criterion = getattr(loss, "criterion", None)
    if isinstance(loss, type) or criterion not in CRITERIA:
        raise ValueError(f"loss.criterion must be {' or '.join(CRITERIA)}, got {criterion!r}")
    if isinstance(loss, LayeredLoss) and not knows(loss, "criterion"):
        raise ValueError(
            f"loss must be the mean of its criterion, {criterion}, got {loss._explain_no_mean()}"
        )
    return loss


def _find_changes(loss, base, parts):
    """Return those of the methods `parts` that are not the ones that `base` gives the loss."""
    return [
        part
        for part in parts
        if part in vars(loss) or getattr(type(loss), part) is not getattr(base, part)
    ]


@dataclass(frozen=True)
class Kinks:
    """Where a network is within `tol` of a kink. False only if it surely is at none.

    `margin` is the smallest size of a hidden unit's pre-activation, those left out that are zero in
    a whole neighbourhood of theta. It is infinite if none is left, and NaN, unknown, where a layer
    overflows.
    `where` (count, 3) lists (layer, unit, sample) of each that is at most `tol`, layers counted
    from 1.
    """

    tol: float
    margin: float
    where: onp.ndarray

    def __bool__(self):
        return not self.margin > self.tol

    def __str__(self):
        if len(self.where) > 0:
            layer, unit, sample = self.where[0]
            first = f"the first in layer {layer}, unit {unit}, at sample {sample}"
            return f"{len(self.where)} pre-activations within {self.tol:g} of zero, {first}"
        if onp.isnan(self.margin):
            return "pre-activations that overflow, so that their distance from zero is unknown"
        return f"no pre-activation within {self.tol:g} of zero (margin {self.margin:.2g})"


def kinks(loss: NetworkLoss, theta: ArrayLike, *, tol: float) -> Kinks:
    """Report the units and samples whose pre-activation is within `tol` of zero without being zero
    all around theta.

    There the loss may have no derivative, and no second one. A pre-activation that stays zero in a
    whole neighbourhood of theta (no bias, and every input of the layer zero there: a blank image,
    or units that are switched off) makes no kink. Neither does a unit whose activation is the
    identity.

    A layer overflows when sum_i |h_i| |W_ij| + |b_j| is not finite for some sample and unit.
    Whether the pre-activation itself is finite then depends on the order of the sum.

    Raises ValueError for a loss whose outputs are not those of plain rectified layers.

    >>> loss = NetworkLoss((1, 2, 1), [[2.0]], [1.0])
    >>> print(kinks(loss, [0.25, -0.5, 1.0, 1.0], tol=0.5))
    1 pre-activations within 0.5 of zero, the first in layer 1, unit 0, at sample 0
    """
    tol = as_positive("tol", tol)
    loss = as_rectified(loss)
    theta = as_vector("theta", theta, loss.size)
    margin = onp.inf
    where = []
    for k, size in enumerate(measure_distances(loss, theta), start=1):
        if size is None:
            margin = onp.nan
            break
        margin = min(margin, float(size.min()))
        samples, units = onp.nonzero(size <= tol)
        where += [(k, unit, sample) for sample, unit in zip(samples, units, strict=True)]
    return Kinks(tol, margin, onp.array(where, dtype=int).reshape(-1, 3))


def measure_distances(loss: NetworkLoss, theta: Array) -> Iterator[Array | None]:
    """Yield for each hidden layer the sizes (N, d_k) of its pre-activations, infinite where there
    is no kink; None, and nothing after it, for a layer that overflows.
    """
    h = loss.x
    stays_zero = h == 0
    for layer in loss.layers(theta)[:-1]:
        z = _find_pre_activation(h, layer)
        if z is None:
            yield None
            return
        is_idle = stays_zero.all(axis=1, keepdims=True) & (layer.bias is None)
        has_kink = ~is_idle & (loss.slope != 1)
        yield onp.where(has_kink, onp.abs(z), onp.inf)
        stays_zero = is_idle | ((z < 0) & (loss.slope == 0))
        h = loss.activate(z)


def _find_pre_activation(h, layer):
    """Return h @ weight + bias, or None where a sum of the terms' sizes is not finite.

    That sum does not depend on the order of its terms or on how products are rounded.
    """
    sizes = Layer(abs(layer.weight), None if layer.bias is None else abs(layer.bias))
    with onp.errstate(over="ignore", invalid="ignore"):
        largest = apply_layer(abs(h), sizes)
        z = apply_layer(h, layer)
    is_known = onp.isfinite(largest).all() and onp.isfinite(z).all()
    return z if is_known else None


def _as_slope(activation, slope):
    """Return the slope of the activation left of zero."""
    activation = as_choice("activation", activation, ACTIVATIONS)
    if activation != "leaky_relu":
        if slope is not None:
            raise ValueError(
                f"slope must be None for activation {activation!r}, got {slope!r}: it is that of"
                " 'leaky_relu'"
            )
        return ACTIVATIONS[activation]
    slope = as_real("slope", LEAKY_SLOPE if slope is None else slope, shape=(), what="a number")
    if slope < 0:
        raise ValueError(f"slope must be at least 0, got {slope}")
    return float(slope)
