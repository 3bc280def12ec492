"""Measures of sharpness, of flatness and of size: each a function of a point, that is, of a loss and a parameter vector.

A point computes what a measure asks of it once and only when asked, so that many measures share one Hessian.
"""

from functools import cached_property

import numpy as np

from . import hessians
from ._validation import as_vector


class Point:
    """A `loss` at the parameter vector `theta` (n,), with what can be computed there, each once and only when asked.

    Raises ValueError for a theta that is no finite float64 vector, and whatever the computation raises, when it is asked.

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
        return hessians.hessian_diagonal(self.loss, self.theta)

    @cached_property
    def eigenvalues(self):
        """The eigenvalues (n,) of the Hessian, largest first."""
        return hessians.eigenvalues(self.hessian)

    @cached_property
    def jacobian(self):
        """The derivatives (N, C, n) of the outputs."""
        return hessians.jacobian(self.loss, self.theta)

    @cached_property
    def fisher(self):
        """The Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information matrix."""
        return hessians.gauss_newton(self.loss, self.theta)

    @cached_property
    def outputs(self):
        """The network's outputs (N, C)."""
        return np.asarray(self.loss.outputs(self.theta))

    @cached_property
    def layers(self):
        """The parameters as the network's layers."""
        return self.loss.layers(self.theta)
