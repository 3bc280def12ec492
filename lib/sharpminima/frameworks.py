"""Losses that another framework computes: any module of PyTorch, any function of JAX.

The classes are thin: the framework computes outputs and derivatives, and here they are given the
form of a `KnowingLoss`. So the functions of this library that ask for a loss, a Hessian or a
network's outputs take them; what is read off layers does not, for which see `from_torch`.

PyTorch and JAX are imported only when a `TorchLoss` or a `JaxLoss` is made.
"""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from autograd.extend import defvjp, primitive
from numpy.typing import ArrayLike

from ._validation import Array, as_vector, refuse_inexact, refuse_masked
from .criteria import CRITERIA, as_criterion_targets

if TYPE_CHECKING:
    import torch

ROWS_AT_ONCE = 64  # of a Hessian or Jacobian: more take more memory and little less time


class FrameworkLoss:
    """What `TorchLoss` and `JaxLoss` share: the value and its derivatives as float64 arrays, and a
    way for autograd to follow them.

    A subclass computes `_value`, `_slope`, `_find_product` and `_pull_back` in its framework.
    """

    theta: Array
    x: np.ndarray
    y: np.ndarray
    prediction_gap: float

    @property
    def size(self) -> int:
        """The number n of parameters."""
        return len(self.theta)

    def __call__(self, theta: ArrayLike) -> float:
        """Return L(theta)."""
        return _compute_value(self._as_theta(theta), self)

    def outputs(self, theta: ArrayLike) -> Array:
        """Return the model's outputs for every sample, (N, C); those of one sample in a row."""
        return _compute_outputs(self._as_theta(theta), self)

    def gradient(self, theta: ArrayLike) -> Array:
        """Return the gradient (n,)."""
        return _compute_slope(self._as_theta(theta), self)

    def hvp_at(self, theta: ArrayLike) -> Callable[[Array], Array]:
        """Return the function v -> H v, (n,) to (n,)."""
        return self._find_product(self._as_theta(theta))

    def on(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Return the same loss on other data: a mini-batch, a test set."""
        other = copy.copy(self)
        other._take_data(x, y)
        return other

    def _as_theta(self, theta):
        return as_vector("theta", theta, self.size)

    def _choose_criterion(self, criterion):
        """Remember a criterion, by name or as a function, and name it if it is the library's."""
        if isinstance(criterion, str):
            if criterion not in CRITERIA:
                raise ValueError(
                    f"criterion must be one of {', '.join(CRITERIA)} or a function (outputs, y) ->"
                    f" number, got {criterion!r}"
                )
            self.criterion = criterion
        elif not callable(criterion):
            raise ValueError(
                f"criterion must be one of {', '.join(CRITERIA)} or a function (outputs, y) ->"
                f" number, got {type(criterion).__name__}"
            )

    @property
    def _is_named(self):
        return "criterion" in vars(self)

    def _describe(self, model):
        criterion = vars(self).get("criterion", "its own criterion")
        text = f"{type(self).__name__}({model}, {self.size} parameters, {len(self.x)} samples"
        text += f", {criterion}"
        if self.prediction_gap > 0:
            text += (
                f"; computed in float64, {self.prediction_gap:.1g} of the largest output away from"
                " the model's own predictions"
            )
        return text + ")"


# For autograd these are single steps. So a loss seen through a map, or with a penalty added, has
# exact derivatives too.


@primitive
def _compute_value(theta, loss):
    return loss._value(theta)


@primitive
def _compute_slope(theta, loss):
    return loss._slope(theta)


@primitive
def _compute_outputs(theta, loss):
    return loss._outputs(theta)


@primitive
def _multiply(theta, v, loss):
    return loss._find_product(theta)(v)


@primitive
def _pull_back(theta, weights, loss):
    return loss._pull_back(theta, weights)


defvjp(_compute_value, lambda _, theta, loss: lambda g: g * _compute_slope(theta, loss))
defvjp(_compute_slope, lambda _, theta, loss: lambda v: _multiply(theta, v, loss))
defvjp(_compute_outputs, lambda _, theta, loss: lambda g: _pull_back(theta, g, loss))


class TorchLoss(FrameworkLoss):
    """The loss of any PyTorch `module` on the data `x`, `y`, as a function of its parameters as one
    vector.

    `theta`, an attribute, holds the parameters that the module has now, as float64, in the order of
    `torch.nn.utils.parameters_to_vector`. Frozen ones (`requires_grad=False`) are no part of it and
    stay as they are; tied ones count once. Everything is computed in float64 on a copy of the
    module, in evaluation mode, on the device where the module is; `prediction_gap` is the largest
    difference to what the module itself predicts, relative to its largest output.

    `x` and `y` are arrays or tensors, a sample each row. `criterion` is a function (outputs, y) ->
    number of PyTorch, such as `torch.nn.CrossEntropyLoss()`, or a name as for `NetworkLoss`. Only
    with a name do measures that need the criterion have a value. "squared_error" is C/2 times
    `torch.nn.MSELoss()`, for C outputs.

    Raises ValueError for what is no module, a module without trainable parameters, one in training
    mode whose outputs are others there (Dropout, BatchNorm), outputs that differ from call to call,
    and a criterion that gives no single number.
    """

    def __init__(
        self,
        module: "torch.nn.Module",
        x: ArrayLike,
        y: ArrayLike,
        *,
        criterion: str | Callable[[Any, Any], Any],
    ):
        import torch

        if not isinstance(module, torch.nn.Module):
            raise ValueError(f"module must be a torch.nn.Module, got {type(module).__name__}")
        self._torch = torch
        self._own = copy.deepcopy(module).eval()
        self._module = copy.deepcopy(module).eval().double()
        self._choose_criterion(criterion)
        self._criterion = criterion
        if isinstance(criterion, torch.nn.Module):
            self._criterion = copy.deepcopy(criterion).double()
        trainable = [(n, p) for n, p in self._module.named_parameters() if p.requires_grad]
        if not trainable:
            raise ValueError(
                "module must have parameters that are trained, got none with requires_grad=True:"
                " module.requires_grad_(True) makes them all"
            )
        self._shapes = {name: p.shape for name, p in trainable}
        self._lengths = [p.numel() for _, p in trainable]
        self._device = trainable[0][1].device
        self._own_dtype = dict(self._own.named_parameters())[trainable[0][0]].dtype
        self._n_frozen = sum(p.numel() for p in module.parameters()) - sum(self._lengths)
        self.theta = self._leave(torch.cat([p.reshape(-1) for _, p in trainable]))
        self._take_data(x, y)
        self._refuse_randomness(module)
        self.prediction_gap = self._measure_prediction_gap()
        self._refuse_no_number()

    def put_back(self, theta: ArrayLike) -> "torch.nn.Module":
        """Return a copy of the module with the parameters `theta` (n,), in evaluation mode and in
        the module's own precision.
        """
        module = copy.deepcopy(self._own)
        with self._torch.no_grad():
            own = dict(module.named_parameters())
            for name, part in self._split(self._enter(self._as_theta(theta))).items():
                own[name].copy_(part)
        return module

    def hessian(self, theta: ArrayLike) -> Array:
        """Return the Hessian (n, n), some rows at a time."""
        func = self._torch.func
        rows = func.jacrev(func.grad(self._native_value), chunk_size=ROWS_AT_ONCE)
        return self._leave(rows(self._enter(self._as_theta(theta))))

    def jacobian(self, theta: ArrayLike) -> Array:
        """Return the derivatives (N, C, n) of the outputs."""
        rows = self._torch.func.jacrev(self._native_outputs, chunk_size=ROWS_AT_ONCE)
        return self._leave(rows(self._enter(self._as_theta(theta))))

    def __repr__(self):
        name = type(self._own).__name__
        return self._describe(f"{name}, {self._n_frozen} frozen" if self._n_frozen else name)

    def _value(self, theta):
        with self._torch.no_grad():
            return float(self._native_value(self._enter(theta)))

    def _outputs(self, theta):
        with self._torch.no_grad():
            return self._leave(self._native_outputs(self._enter(theta)))

    def _slope(self, theta):
        return self._leave(self._torch.func.grad(self._native_value)(self._enter(theta)))

    def _find_product(self, theta):
        func = self._torch.func
        _, product = func.vjp(func.grad(self._native_value), self._enter(theta))
        return lambda v: self._leave(product(self._enter(v))[0])

    def _pull_back(self, theta, weights):
        _, pull = self._torch.func.vjp(self._native_outputs, self._enter(theta))
        return self._leave(pull(self._enter(weights))[0])

    def _native_value(self, theta):
        if not self._is_named:
            return self._criterion(self._call(theta), self._native_y)
        outputs = self._native_outputs(theta)
        if self.criterion == "squared_error":
            return ((outputs - self._native_y) ** 2).sum() / (2 * len(outputs))
        y = self._native_y
        if self.criterion == "cross_entropy":
            return (self._torch.logsumexp(outputs, 1) - (y * outputs).sum(1)).mean()
        zero = self._torch.zeros_like(outputs)
        no, yes = self._torch.logaddexp(zero, outputs), self._torch.logaddexp(zero, -outputs)
        return ((1 - y) * no + y * yes).sum(1).mean()

    def _native_outputs(self, theta):
        outputs = self._call(theta)
        return outputs.reshape(len(outputs), -1)

    def _call(self, theta):
        return self._torch.func.functional_call(self._module, self._split(theta), (self._native_x,))

    def _split(self, theta):
        """Return the parameters by their names."""
        parts = theta.split(self._lengths)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.reshape(shape) for (name, shape), part in named}

    def _take_data(self, x, y):
        self.x = as_array("x", x)
        self._native_x = self._enter_data(self.x)
        n_outputs = self._outputs(self.theta).shape[1]
        self.y = as_array("y", y)
        if self._is_named:
            self.y = as_named_targets(self.criterion, self.y, len(self.x), n_outputs)
        self._native_y = self._enter_data(self.y)

    def _enter_data(self, values):
        """Return data as a tensor: whole numbers as they are, others in float64."""
        tensor = self._torch.as_tensor(values.copy(), device=self._device)
        return tensor.double() if tensor.is_floating_point() else tensor

    def _enter(self, values):
        return self._torch.tensor(values, dtype=self._torch.float64, device=self._device)

    @staticmethod
    def _leave(tensor):
        return tensor.detach().cpu().numpy()

    def _refuse_randomness(self, module):
        """Raise ValueError where one call does not say what the next one does."""
        outputs = self._outputs(self.theta)
        if not np.array_equal(outputs, self._outputs(self.theta), equal_nan=True):
            raise ValueError(
                f"module must give the same outputs in each call, got {type(module).__name__}"
                " whose outputs differ in evaluation mode"
            )
        if not module.training:
            return
        self._module.train()
        buffers = {name: buffer.clone() for name, buffer in self._module.named_buffers()}
        with self._torch.random.fork_rng():
            trained = self._outputs(self.theta)
        with self._torch.no_grad():
            for name, buffer in self._module.named_buffers():
                buffer.copy_(buffers[name])
        self._module.eval()
        if np.abs(trained - outputs).max() > 1e-9 * np.abs(outputs).max():
            raise ValueError(
                "module must be in evaluation mode, got one in training mode, whose outputs are"
                " others there (Dropout, BatchNorm): call module.eval() first"
            )

    def _measure_prediction_gap(self):
        if self._own_dtype == self._torch.float64:
            return 0.0
        own_x = self._native_x
        if own_x.is_floating_point():
            own_x = own_x.to(self._own_dtype)
        with self._torch.no_grad():
            own = self._leave(self._own(own_x).double())
        return compute_gap(self._outputs(self.theta), own.reshape(len(own), -1))

    def _refuse_no_number(self):
        shape = tuple(self._native_value(self._enter(self.theta)).shape)
        if shape:
            raise ValueError(
                f"criterion must give one number, got shape {shape}: with reduction='mean' it does"
            )


class JaxLoss(FrameworkLoss):
    """The loss of a model in JAX on the data `x`, `y`, as a function of its parameters as one
    vector.

    `apply(params, x)` gives the outputs, a sample each row; `params` is any tree of floating-point
    arrays, as the parameters of Flax or Equinox. What is not to be differentiated, such as running
    means, belongs into `apply`. `theta`, an attribute, holds the given `params` as float64, in the
    order of `jax.flatten_util.ravel_pytree`. Everything is computed in float64, whatever
    `jax_enable_x64` says; `prediction_gap` is the largest difference to what `apply` gives for the
    `params` themselves, relative to its largest output.

    `criterion` is a function (outputs, y) -> number written with `jax.numpy`, or a name as for
    `NetworkLoss`. Only with a name do measures that need the criterion have a value.

    Raises ValueError for a tree without parameters or with others than floating-point numbers, and
    for a criterion that gives no single number.
    """

    def __init__(
        self,
        apply: Callable[[Any, Any], Any],
        params: Any,
        x: ArrayLike,
        y: ArrayLike,
        *,
        criterion: str | Callable[[Any, Any], Any],
    ):
        import jax.flatten_util

        if not callable(apply):
            raise ValueError(
                f"apply must be a function (params, x) -> outputs, got {type(apply).__name__}"
            )
        self._jax = jax
        self._apply = apply
        self._params = params
        self._choose_criterion(criterion)
        self._criterion = criterion
        self._dtypes = [self._check_leaf(leaf) for leaf in jax.tree.leaves(params)]
        if not self._dtypes:
            raise ValueError("params must hold at least one array, got a tree without any")
        with jax.enable_x64(True):
            doubles = jax.tree.map(lambda leaf: jax.numpy.asarray(leaf, dtype=float), params)
            theta, self._unravel = jax.flatten_util.ravel_pytree(doubles)
        self.theta = np.array(theta)
        self._compile()
        self._take_data(x, y)
        self.prediction_gap = self._measure_prediction_gap()
        self._refuse_no_number()

    def put_back(self, theta: ArrayLike) -> Any:
        """Return `theta` (n,) as a tree like the `params`, in their own precision."""
        theta = self._as_theta(theta)
        with self._jax.enable_x64(True):
            leaves, tree = self._jax.tree.flatten(self._unravel(theta))
            pairs = zip(leaves, self._dtypes, strict=True)
            own = [leaf.astype(dtype) for leaf, dtype in pairs]
            return self._jax.tree.unflatten(tree, own)

    def hessian(self, theta: ArrayLike) -> Array:
        """Return the Hessian (n, n), some rows at a time."""
        return self._run("hessian", theta)

    def jacobian(self, theta: ArrayLike) -> Array:
        """Return the derivatives (N, C, n) of the outputs."""
        return self._run("jacobian", theta)

    def __repr__(self):
        return self._describe(getattr(self._apply, "__name__", type(self._apply).__name__))

    def _compile(self):
        """Let JAX compile each function at its first call, with the data as arguments."""
        jax = self._jax

        def hessian(theta, x, y):
            def multiply(v):
                return jax.jvp(lambda t: jax.grad(self._native_value)(t, x, y), (theta,), (v,))[1]

            return jax.lax.map(multiply, jax.numpy.eye(len(theta)), batch_size=ROWS_AT_ONCE)

        def product(theta, v, x, y):
            return jax.jvp(lambda t: jax.grad(self._native_value)(t, x, y), (theta,), (v,))[1]

        def pull_back(theta, weights, x, y):
            return jax.vjp(lambda t: self._native_outputs(t, x, y), theta)[1](weights)[0]

        functions = {
            "value": self._native_value,
            "outputs": self._native_outputs,
            "slope": jax.grad(self._native_value),
            "hessian": hessian,
            "jacobian": jax.jacrev(self._native_outputs),
            "product": product,
            "pull_back": pull_back,
        }
        self._compiled = {name: jax.jit(function) for name, function in functions.items()}

    def _run(self, name, theta, *more):
        arguments = [self._as_theta(theta), *more, self.x, self._data_y]
        with self._jax.enable_x64(True):
            return np.array(self._compiled[name](*arguments))

    def _value(self, theta):
        return float(self._run("value", theta))

    def _outputs(self, theta):
        return self._run("outputs", theta)

    def _slope(self, theta):
        return self._run("slope", theta)

    def _find_product(self, theta):
        return lambda v: self._run("product", theta, as_vector("v", v, self.size))

    def _pull_back(self, theta, weights):
        return self._run("pull_back", theta, weights)

    def _native_value(self, theta, x, y):
        if not self._is_named:
            return self._criterion(self._apply(self._unravel(theta), x), y)
        outputs = self._native_outputs(theta, x, y)
        if self.criterion == "squared_error":
            return ((outputs - y) ** 2).sum() / (2 * len(outputs))
        if self.criterion == "cross_entropy":
            normalizers = self._jax.scipy.special.logsumexp(outputs, axis=1)
            return (normalizers - (y * outputs).sum(axis=1)).mean()
        jnp = self._jax.numpy
        no, yes = jnp.logaddexp(0.0, outputs), jnp.logaddexp(0.0, -outputs)
        return ((1 - y) * no + y * yes).sum(axis=1).mean()

    def _native_outputs(self, theta, x, y):
        outputs = self._apply(self._unravel(theta), x)
        return outputs.reshape(len(outputs), -1)

    def _take_data(self, x, y):
        self.x = as_doubles(as_array("x", x))
        self._data_y = self.x  # until the number of outputs is known
        n_outputs = self._outputs(self.theta).shape[1]
        self.y = as_doubles(as_array("y", y))
        if self._is_named:
            self.y = as_named_targets(self.criterion, self.y, len(self.x), n_outputs)
        self._data_y = self.y

    def _check_leaf(self, leaf):
        dtype = self._jax.numpy.result_type(leaf)
        if not self._jax.numpy.issubdtype(dtype, np.floating):
            raise ValueError(f"params must hold floating-point arrays, got one of dtype {dtype}")
        return dtype

    def _measure_prediction_gap(self):
        if all(dtype == np.float64 for dtype in self._dtypes):
            return 0.0
        x = self.x
        if x.dtype == np.float64:
            x = x.astype(np.float32)
        own = np.asarray(self._apply(self._params, x), dtype=float)
        return compute_gap(self._outputs(self.theta), own.reshape(len(own), -1))

    def _refuse_no_number(self):
        shape = self._run("value", self.theta).shape
        if shape:
            raise ValueError(f"criterion must give one number, got shape {shape}: take the mean")


def as_array(name: str, values: ArrayLike) -> np.ndarray:
    """Return an array, a tensor or a table as an array of finite numbers of its own, or raise
    ValueError naming `name`.
    """
    refuse_masked(name, values)
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        array = np.array(values)
    except (TypeError, ValueError):
        array = None
    if array is None or array.ndim == 0 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must be an array or a tensor of numbers, a row for each sample, got"
            f" {type(values).__name__}: of a loader or a data set, join the batches first"
        )
    if array.dtype.kind in "iu":
        refuse_inexact(name, array)
    if not np.isfinite(array).all():
        count = np.count_nonzero(~np.isfinite(array))
        raise ValueError(f"{name} must be finite, got {count} NaN or infinite entries")
    return array


def as_doubles(array: np.ndarray) -> np.ndarray:
    """Return numbers in float64 and whole numbers as they are."""
    return array.astype(float) if array.dtype.kind == "f" else array


def as_summing_to_one(y: np.ndarray) -> np.ndarray:
    """Return rows of probabilities whose sums are 1 in float32 only divided by their sums, and
    anything else as it is.
    """
    if y.ndim != 2:
        return y
    sums = y.sum(axis=1, keepdims=True)
    return y / sums if (np.abs(sums - 1) < 1e-5).all() else y


def as_named_targets(criterion: str, y: np.ndarray, n_samples: int, n_outputs: int) -> Array:
    """Return targets (N, C) as the criterion of that name takes them."""
    y = as_doubles(y)
    if criterion == "cross_entropy":
        y = as_summing_to_one(y)
    return as_criterion_targets(criterion, y, n_samples, n_outputs)


def compute_gap(predicted: Array, expected: Array) -> float:
    """Return the largest difference of predictions, relative to the largest expected one."""
    if predicted.shape != expected.shape:
        return float("inf")
    largest = max(np.abs(expected).max(), np.finfo(float).tiny)
    return float(np.abs(predicted - expected).max() / largest)
