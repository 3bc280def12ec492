"""A point: a loss and a parameter vector, with what can be computed there, each once and only when
asked.
"""

from functools import cached_property

import numpy as np
import scipy.linalg

from . import hessians, spectra
from ._validation import as_vector
from .networks import ravel
from .spectra import NEGLIGIBLE, scales_to_unit_diagonal

FAILURES = (
    ValueError,
    ArithmeticError,
    AttributeError,
    TypeError,
    NotImplementedError,
    np.linalg.LinAlgError,
)


class Undefined(ValueError):
    """A measure has no value at this point. The message says why."""


class Point:
    """A `loss` at the parameter vector `theta` (n,), with what can be computed there, each once and
    only when asked.

    Raises ValueError for a theta that is no finite float64 vector, `Undefined` for what the loss
    does not know, and whatever the computation raises, when it is asked.

    >>> point = Point(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    >>> point.gradient, point.value
    (array([6., 9.]), 9.0)
    """

    def __init__(self, loss, theta):
        self.loss, self.theta = loss, as_vector("theta", theta).copy()

    @cached_property
    def value(self):
        """The loss."""
        return float(self.loss(self.theta))

    @cached_property
    def gradient(self):
        """The gradient (n,)."""
        return hessians.gradient(self.loss, self.theta)

    @cached_property
    def hessian(self):
        """The Hessian (n, n)."""
        return hessians.hessian(self.loss, self.theta)

    @cached_property
    def hessian_diagonal(self):
        """The Hessian's diagonal (n,)."""
        if "hessian" in self.__dict__ or not hasattr(self.loss, "hessian_diagonal"):
            return np.diag(self.hessian).copy()
        return hessians.hessian_diagonal(self.loss, self.theta)

    @cached_property
    def eigenvalues(self):
        """The eigenvalues (n,) of the Hessian, largest first."""
        return spectra.eigenvalues(self.hessian)

    @cached_property
    def jacobian(self):
        """The derivatives (N, C, n) of the outputs."""
        self.needs("outputs")
        return hessians.jacobian(self.loss, self.theta)

    @cached_property
    def fisher(self):
        """The Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information
        matrix.
        """
        self.needs("outputs", "criterion")
        return hessians.gauss_newton(self.loss, self.theta)

    @cached_property
    def relative_eigenvalues(self):
        """The eigenvalues of the Hessian relative to F, largest first: H v = lambda F v for a v
        that F does not annihilate.

        Undefined where H does not annihilate all that F annihilates: the ratio v'Hv / v'Fv is
        infinite there, and the Moore-Penrose inverse in F⁺H depends on the coordinates. Of a
        rectified network F annihilates the direction that scales what enters a unit up and what
        leaves it down; H does so at critical points only.
        """
        # Scaled to a unit diagonal, F and H no longer know of factors between units, however large
        # they are.
        s = scales_to_unit_diagonal(self.fisher)
        F, H = (A * np.outer(s, s) for A in (self.fisher, self.hessian))
        squares, V = scipy.linalg.eigh(F)
        seen = squares > NEGLIGIBLE * max(squares[-1], 0)
        if not seen.any():
            raise Undefined("F is zero here, so nothing can be measured relative to it")
        lost = np.abs(H @ V[:, ~seen]).max(initial=0) / max(np.abs(H).max(), np.abs(F).max())
        if lost > np.sqrt(np.finfo(float).eps):
            raise Undefined(
                f"F is singular in directions in which H is not (by {lost:.1e}): no critical point,"
                " or too few outputs"
            )
        V = V[:, seen] / np.sqrt(squares[seen])
        return scipy.linalg.eigvalsh(V.T @ H @ V)[::-1]

    @cached_property
    def criterion(self):
        """What the loss compares outputs with targets by."""
        self.needs("criterion")
        return self.loss.criterion

    @cached_property
    def outputs(self):
        """The network's outputs (N, C)."""
        self.needs("outputs")
        return np.asarray(self.loss.outputs(self.theta))

    @cached_property
    def layers(self):
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

    def needs(self, *names):
        for name in names:
            if not hasattr(self.loss, name):
                raise Undefined(f"the loss must have {name}, which {self.loss!r} has not")


class AtKink(Point):
    """A point that has no derivatives, and says so to every measure that asks for one."""

    def __init__(self, loss, theta, reason):
        super().__init__(loss, theta)
        self.reason = reason

    def _refuse(self):
        raise ValueError(f"no derivatives at a kink: {self.reason}")

    gradient = hessian = hessian_diagonal = eigenvalues = jacobian = fisher = property(_refuse)


def evaluate(measure, point):
    """Return the measure's value, and why it has none ("" if it has)."""
    try:
        with np.errstate(all="ignore"):
            value = float(measure(point))
    except FAILURES as error:
        return np.nan, str(error) or type(error).__name__
    return value, "" if np.isfinite(value) else f"its value is {value}"
