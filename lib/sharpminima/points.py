"""A point: a loss and a parameter vector, with all that can be computed there, each once and only
when it is needed.
"""

import copy
from collections.abc import Callable
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from . import hessians, spectra
from ._validation import Array, as_real, as_vector, check_function, refuse_masked
from .losses import (
    LayeredLoss,
    Loss,
    NetworkLoss,
    as_criterion_mean,
    as_rectified,
    closed_form,
    knows,
)
from .networks import Params, ravel
from .reparametrization import Reparametrized
from .spectra import NEGLIGIBLE, scales_to_unit_diagonal

# The errors by which a measure says that it has no value at a point. Others, as a wrong name or a
# wrong type, are mistakes in its code.
REFUSALS = (ValueError, ArithmeticError, NotImplementedError)


class Undefined(ValueError):
    """A measure has no value at this point. The message says why."""


class Point:
    """A `loss` at the parameter vector `theta` (n,), with all that can be computed there, each once
    and only when it is needed.

    `inputs` takes inputs in the network's units to those of this point, where the two differ: at
    the twins that an audit makes by another basis for the inputs.

    Raises ValueError for a theta that is no finite float64 vector, and, on access, `Undefined` for
    what the loss does not know and whatever the computation raises.

    >>> point = Point(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    >>> point.gradient, point.value
    (array([6., 9.]), 9.0)
    """

    def __init__(
        self, loss: Loss, theta: ArrayLike, *, inputs: Callable[[Array], Array] | None = None
    ):
        self.theta = as_vector("theta", theta).copy()
        check_function("loss", loss, "a function of a vector")
        if inputs is not None:
            check_function("inputs", inputs, "a function of an array")
        self.loss = loss
        self.inputs = inputs

    def predict(self, x: ArrayLike) -> Array:
        """Return the network's outputs (M, C) at inputs `x` (M, d_0) of your own, as a test set.

        The function is asked, not the layers, so that it is the same at all twins: of a
        reparametrized loss it is that of the parameters g(eta), and under another basis for the
        inputs `x` is carried along. A loss that is no `LayeredLoss` has to bring `predict(theta,
        x)`. Raises Undefined for a loss that has no outputs at other inputs.

        >>> loss = NetworkLoss((1, 1), [[1.0]], [1.0])
        >>> Point(loss, [2.0]).predict([[3.0]])
        array([[6.]])
        """
        x = as_real("x", x, shape=(None, None), what="a matrix of inputs, a row for each")
        if self.inputs is not None:
            x = self.inputs(x)
        loss, theta = _return_to_original(self.loss, self.theta)
        if knows(loss, "predict"):
            return np.asarray(loss.predict(theta, x))
        if not isinstance(loss, LayeredLoss):
            raise Undefined(
                "the loss must be a LayeredLoss, or bring predict(theta, x), for its outputs at"
                f" other inputs to be known, got {loss!r}"
            )
        if x.shape[1] != loss.widths[0]:
            raise ValueError(
                f"x must have the network's {loss.widths[0]} inputs in each row, got {x.shape[1]}"
            )
        there = copy.copy(loss)
        there.x = x
        return np.asarray(there.outputs(theta))

    @cached_property
    def original(self) -> "Point":
        """The point in the coordinates that a reparametrized loss was made from; of another loss,
        the point itself.
        """
        loss, theta = _return_to_original(self.loss, self.theta)
        if loss is self.loss:
            return self
        return Point(loss, theta, inputs=self.inputs)

    @cached_property
    def value(self) -> float:
        """The loss. Raises ValueError where it is no finite number."""
        return float(hessians.check_value(self.loss, self.theta))

    @cached_property
    def gradient(self) -> Array:
        """The gradient (n,)."""
        return hessians.gradient(self.loss, self.theta)

    @cached_property
    def hessian(self) -> Array:
        """The Hessian (n, n)."""
        return hessians.hessian(self.loss, self.theta)

    @cached_property
    def hessian_operator(self) -> LinearOperator:
        """The Hessian as an operator, which forms no matrix."""
        return hessians.hessian_operator(self.loss, self.theta)

    @cached_property
    def curvature(self) -> Array | LinearOperator:
        """The Hessian: a matrix up to the order `spectra.DENSE_ORDER`, beyond that an operator."""
        if len(self.theta) <= spectra.DENSE_ORDER:
            return self.hessian
        return self.hessian_operator

    @cached_property
    def hessian_diagonal(self) -> Array:
        """The Hessian's diagonal (n,)."""
        is_there = "hessian" in vars(self)
        if is_there or closed_form(self.loss, "hessian_diagonal") is None:
            return np.diag(self.hessian).copy()
        return hessians.hessian_diagonal(self.loss, self.theta)

    @cached_property
    def eigenvalues(self) -> Array:
        """The eigenvalues (n,) of the Hessian, largest first."""
        return spectra.eigenvalues(self.hessian)

    @cached_property
    def inertia(self) -> tuple[int, int]:
        """The numbers of positive and of negative eigenvalues of the Hessian, whose diagonal is
        first scaled to 1: they don't depend on how a parameter is scaled, where it has curvature or
        meets one that has.
        """
        s = scales_to_unit_diagonal(self.hessian)
        positive, negative, _ = spectra.inertia(self.hessian * np.outer(s, s), rtol=NEGLIGIBLE)
        return positive, negative

    @cached_property
    def jacobian(self) -> Array:
        """The derivatives (N, C, n) of the outputs."""
        self.needs("outputs")
        return hessians.jacobian(self.loss, self.theta)

    @cached_property
    def fisher(self) -> Array:
        """The Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information
        matrix.
        """
        self._needs_fisher("gauss_newton")
        return hessians.gauss_newton(self.loss, self.theta)

    @cached_property
    def fisher_operator(self) -> LinearOperator:
        """The matrix `fisher` as an operator, which forms no matrix."""
        self._needs_fisher("gauss_newton_at")
        return hessians.gauss_newton_operator(self.loss, self.theta)

    @cached_property
    def fisher_diagonal(self) -> Array:
        """The diagonal (n,) of the matrix `fisher`."""
        self._needs_fisher("gauss_newton_diagonal")
        return hessians.gauss_newton_diagonal(self.loss, self.theta)

    @cached_property
    def slope_along_theta(self) -> Array:
        """How the outputs move along theta: the Jacobian times theta, (N, C)."""
        self.needs("outputs")
        return hessians.jvp(self.loss, self.theta, self.theta)

    def unit_traces(self, layer: int, *, scales: Array | None = None) -> Array:
        """The traces (d_out, d_out) of the Hessian's blocks for pairs of units of a layer, as in
        `hessians.unit_traces`.
        """
        self.needs("layers")
        return hessians.unit_traces(self.loss, self.theta, layer, scales=scales)

    @cached_property
    def relative_eigenvalues(self) -> Array:
        """The eigenvalues of the Hessian relative to F, largest first: H v = lambda F v for a v
        that F does not annihilate.

        Undefined where H does not annihilate all that F annihilates: the ratio v'Hv / v'Fv is
        infinite there, and the Moore-Penrose inverse in F⁺H depends on the coordinates. For a
        rectified network F annihilates the direction that scales up what enters a unit and scales
        down what leaves it; H does so at critical points only.
        """
        # With the diagonal of F scaled to 1, factors between units change neither F nor H, however
        # large they are.
        s = scales_to_unit_diagonal(self.fisher)
        F = self.fisher * np.outer(s, s)
        H = self.hessian * np.outer(s, s)
        squares, V = scipy.linalg.eigh(F)
        is_seen = squares > NEGLIGIBLE * max(squares[-1], 0)
        if not is_seen.any():
            raise Undefined("F is zero here, so nothing can be measured relative to it")
        lost = np.abs(H @ V[:, ~is_seen]).max(initial=0)
        lost /= max(np.abs(H).max(), np.abs(F).max())
        if lost > np.sqrt(np.finfo(float).eps):
            error = Undefined(
                "F is singular in directions in which H is not: no critical point, or too few"
                " outputs"
            )
            error.add_note(f"There H has entries of {lost:.1e} relative to the largest.")
            raise error
        V = V[:, is_seen] / np.sqrt(squares[is_seen])
        return scipy.linalg.eigvalsh(V.T @ H @ V)[::-1]

    @cached_property
    def criterion(self) -> str:
        """The criterion whose mean over the samples is the loss."""
        self.needs_criterion_mean()
        return self.loss.criterion

    @cached_property
    def outputs(self) -> Array:
        """The network's outputs (N, C)."""
        self.needs("outputs")
        return np.asarray(self.loss.outputs(self.theta))

    @cached_property
    def layers(self) -> Params:
        """The parameters as the network's layers; of a reparametrized loss, the new coordinates
        read as layers.
        """
        self.needs("layers")
        layers = self.loss.layers(self.theta)
        if not np.array_equal(ravel(layers), self.theta):
            raise Undefined(
                f"the layers must hold theta in the order of ravel, which those of {self.loss!r}"
                " do not"
            )
        return layers

    @cached_property
    def network(self) -> tuple[NetworkLoss, Array]:
        """The rectified network that computes the outputs, and its parameters; of a reparametrized
        loss, the network of the original coordinates.
        """
        loss, theta = _return_to_original(self.loss, self.theta)
        try:
            return as_rectified(loss), theta
        except ValueError as error:
            raise Undefined(str(error)) from error

    def needs(self, *names: str) -> None:
        """Raise Undefined for a loss that lacks one of the attributes `names`."""
        for name in names:
            if not knows(self.loss, name):
                raise Undefined(f"the loss must have {name}, which {self.loss!r} lacks")

    def needs_derivatives(self) -> None:
        """Raise Undefined at a kink: for what differentiates by other ways than this point's."""

    def needs_rectified_layers(self) -> None:
        """Raise Undefined unless the outputs are those of plain rectified layers."""
        _ = self.network

    def _needs_fisher(self, closed):
        """Raise Undefined for a loss that neither is the mean of its criterion nor brings a
        Gauss-Newton matrix, or the form `closed` of it.
        """
        self.needs("outputs")
        own = [closed_form(self.loss, name) for name in (closed, "gauss_newton")]
        if own == [None, None]:
            self.needs_criterion_mean()

    def needs_criterion_mean(self) -> None:
        """Raise Undefined unless the loss is the mean of its criterion over the outputs."""
        loss, _ = _return_to_original(self.loss, self.theta)
        try:
            as_criterion_mean(loss)
        except ValueError as error:
            raise Undefined(str(error)) from error


class AtKink(Point):
    """A point that has no derivatives, and says so to every measure that needs one."""

    def __init__(
        self,
        loss: Loss,
        theta: ArrayLike,
        reason: str,
        *,
        inputs: Callable[[Array], Array] | None = None,
    ):
        super().__init__(loss, theta, inputs=inputs)
        self.reason = reason

    def _refuse(self):
        raise Undefined(f"no derivatives at a kink: {self.reason}")

    gradient = property(_refuse)
    hessian = property(_refuse)
    hessian_operator = property(_refuse)
    curvature = property(_refuse)
    hessian_diagonal = property(_refuse)
    eigenvalues = property(_refuse)
    inertia = property(_refuse)
    jacobian = property(_refuse)
    slope_along_theta = property(_refuse)
    fisher = property(_refuse)
    fisher_operator = property(_refuse)
    fisher_diagonal = property(_refuse)
    relative_eigenvalues = property(_refuse)

    @cached_property
    def original(self) -> "AtKink":
        loss, theta = _return_to_original(self.loss, self.theta)
        return AtKink(loss, theta, self.reason, inputs=self.inputs)

    def needs_derivatives(self) -> None:
        self._refuse()

    def unit_traces(self, layer: int, *, scales: Array | None = None) -> Array:
        self._refuse()


def evaluate(measure: Callable[[Point], float], point: Point) -> float:
    """Return the measure's value at the point. Raises Undefined, saying why, where it has none."""
    try:
        with np.errstate(all="ignore"):
            value = float(as_value(measure(point)))
    except REFUSALS as error:
        raise Undefined(str(error) or type(error).__name__) from error
    if not np.isfinite(value):
        raise Undefined(f"its value is {value}")
    return value


def as_value(value) -> float | int:
    """Return the value of a measure as a number of Python. Raises TypeError for what is no real
    number.
    """
    refuse_masked("what measure returns", value)
    number = np.asarray(value)
    if number.ndim > 0 or number.dtype.kind not in "iuf":
        raise TypeError(f"measure must return a number, got {value!r}")
    return number.item()


def _return_to_original(loss, theta):
    """Return the loss and the parameters that a reparametrized loss was made from."""
    while isinstance(loss, Reparametrized):
        theta = loss.g(theta)
        loss = loss.loss
    return loss, theta
