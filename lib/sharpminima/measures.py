"""Measures of sharpness, of flatness and of size: each a function of a point, that is, of a loss and a parameter vector.

A point computes what a measure asks of it once and only when asked, so that many measures share one Hessian. `MEASURES`
holds the measures of the literature, each with its formula, its source and the transformations under which its authors
say that it keeps its value; `LEFT_OUT` says which are not among them, and why.

All are exact: no sampling, no estimate of a trace. H is the Hessian of the mean loss, F the Gauss-Newton matrix (for
cross-entropy the Fisher information, for squared error that of Gaussian noise of variance one), W_k the weight of layer k,
N the number of samples. Where a source perturbs the parameters and no closed form exists, the second-order term is taken,
what is left at a minimum as the radius shrinks; its name says so.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
from scipy.sparse import csgraph

from . import hessians
from ._validation import as_vector
from .networks import Layer, forward, pre_activations, ravel, relu, widths_of


class Undefined(ValueError):
    """A measure has no value at this point. The message says why."""


class Point:
    """A `loss` at the parameter vector `theta` (n,), with what can be computed there, each once and only when asked.

    Raises ValueError for a theta that is no finite float64 vector, `Undefined` for what the loss does not know, and
    whatever the computation raises, when it is asked.

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
        return hessians.eigenvalues(self.hessian)

    @cached_property
    def jacobian(self):
        """The derivatives (N, C, n) of the outputs."""
        self._needs("outputs")
        return hessians.jacobian(self.loss, self.theta)

    @cached_property
    def fisher(self):
        """The Gauss-Newton matrix (n, n), which for cross-entropy is the Fisher information matrix."""
        self._needs("outputs", "criterion")
        return hessians.gauss_newton(self.loss, self.theta)

    @cached_property
    def relative_eigenvalues(self):
        """The eigenvalues of the Hessian relative to F, largest first: the lambda with H v = lambda F v for a v that F does not annihilate.

        Undefined where H does not annihilate all that F annihilates: the ratio v'Hv / v'Fv is infinite there, and the
        Moore-Penrose inverse in F⁺H depends on the coordinates. Of a rectified network F annihilates what scales a unit up and down
        again, and H does so at critical points only.
        """
        # Scaled to a unit diagonal, F and H no longer know of factors between units, however large they are.
        s = scales_to_unit_diagonal(self.fisher)
        F, H = (A * np.outer(s, s) for A in (self.fisher, self.hessian))
        squares, V = scipy.linalg.eigh(F)
        seen = squares > len(F) * np.finfo(float).eps * max(squares[-1], 0)
        if not seen.any():
            raise Undefined("F is zero here, so nothing can be measured relative to it")
        lost = np.abs(H @ V[:, ~seen]).max(initial=0) / max(np.abs(H).max(), np.abs(F).max())
        if lost > np.sqrt(np.finfo(float).eps):
            raise Undefined(f"F is singular in directions in which H is not (by {lost:.1e}): no critical point, or too few outputs")
        V = V[:, seen] / np.sqrt(squares[seen])
        return scipy.linalg.eigvalsh(V.T @ H @ V)[::-1]

    @cached_property
    def outputs(self):
        """The network's outputs (N, C)."""
        self._needs("outputs")
        return np.asarray(self.loss.outputs(self.theta))

    @cached_property
    def layers(self):
        """The parameters as the network's layers; of a reparametrized loss, the new coordinates read as layers."""
        self._needs("layers")
        return self.loss.layers(self.theta)

    def _needs(self, *names):
        for name in names:
            if not hasattr(self.loss, name):
                raise Undefined(f"the loss must have {name}, which {self.loss!r} has not")


@dataclass(frozen=True)
class Measure:
    """A function of a point with what is known of it: call it like the function, `measure(point) -> float`.

    `formula` is TeX between dollar signs; `source` says where it stands; `cite` is its key in the bibliography, or None;
    `claims` are the transformations under which its authors say that it keeps its value; `function_space` holds when it
    depends on the computed function and the data alone.
    """

    name: str
    function: Callable
    formula: str
    source: str
    cite: str | None
    claims: frozenset
    function_space: bool

    def __call__(self, point):
        return self.function(point)


# What a claim may name. Reparametrizations are the maps of section 5; a claim to all smooth ones names both kinds.
TRANSFORMATIONS = ("layer_scale", "node_scale", "permutation", "elementwise_map", "linear_map", "input_basis", "output_scale")
SCALES = ("layer_scale", "node_scale")
REPARAMETRIZATIONS = (*SCALES, "permutation", "elementwise_map", "linear_map")

MEASURES: dict[str, Measure] = {}


def measure(name, *, formula, source, cite=None, claims=(), function_space=False):
    """Register a function of a point in `MEASURES`, under its own name, with what is known of it.

    The function stays a function. It raises ValueError for an argument that is no `Point`, and `Undefined` where its value is not finite.
    """
    unknown = set(claims) - set(TRANSFORMATIONS)
    if unknown:
        raise ValueError(f"claims must be among {', '.join(TRANSFORMATIONS)}, got {', '.join(sorted(unknown))}")

    def register(function):
        @functools.wraps(function)
        def checked(point, **options):
            if not isinstance(point, Point):
                raise ValueError(f"point must be a Point(loss, theta), got {type(point).__name__}")
            with np.errstate(over="ignore", invalid="ignore"):
                value = np.asarray(function(point, **options)).item()
            if not np.isfinite(value):
                raise Undefined(f"{name} is not finite here, got {value}")
            return value

        MEASURES[function.__name__] = Measure(name, checked, formula, source, cite, frozenset(claims), function_space)
        return checked

    return register


# The Hessian's eigenvalues


@measure("Largest eigenvalue", formula=r"$\lambda_{\max}(H)$", source="Dinh et al. 2017, section 4.2; Sagun et al. 2017", cite="sagun2017empirical")
def largest_eigenvalue(point):
    """The curvature in the sharpest direction; at a minimum the spectral norm of the Hessian."""
    return point.eigenvalues[0]


@measure("Trace", formula=r"$\operatorname{tr} H$", source="Dinh et al. 2017, section 4.2", cite="dinh2017sharp")
def trace(point):
    """The sum of the curvatures."""
    return point.hessian_diagonal.sum()


@measure("Frobenius norm", formula=r"$\|H\|_F$", source="used in the proof of Dinh et al. 2017, theorem 4", cite="dinh2017sharp")
def frobenius_norm(point):
    """The root of the sum of the squared curvatures."""
    return np.linalg.norm(point.hessian)


@measure("Rank of the Hessian", formula=r"$\operatorname{rank} H$", source="Dinh et al. 2017, theorem 5; invariant by Sylvester's law", cite="dinh2017sharp", claims=REPARAMETRIZATIONS)
def hessian_rank(point):
    """The number of directions with curvature: the invariant of H under all smooth maps at a critical point."""
    return sum(_inertia(point))


@measure("Negative eigenvalues", formula=r"$n_-(H)$", source="invariant by Sylvester's law", cite="horn2013matrix", claims=REPARAMETRIZATIONS)
def negative_eigenvalues(point):
    """The number of directions of negative curvature; 0 at a minimum."""
    return _inertia(point)[1]


@measure("Gradient norm", formula=r"$\|\nabla L\|_2$", source="the definition; 0 at a critical point")
def gradient_norm(point):
    """How far the point is from being critical."""
    return np.linalg.norm(point.gradient)


@measure("Trace of the Fisher information", formula=r"$\operatorname{tr} F$", source="the definition; equal to tr H for rectified networks")
def fisher_trace(point):
    """The sum of the squared slopes of the outputs, weighted as the criterion does."""
    return np.trace(point.fisher)


def scales_to_unit_diagonal(A):
    """Return the s (n,) that make the diagonal of s_i A_ij s_j equal to 1 in size; where it is zero, the row's largest entry.

    Among diagonal scalings this one is nearly best for the condition of a positive definite A (van der Sluis 1969), and
    what it makes of A does not change when a parameter is multiplied by a factor.
    """
    size = np.sqrt(np.abs(np.diag(A)))
    s = np.divide(1, size, out=np.zeros(len(A)), where=size > 0)
    rest = np.abs(A) @ s
    return np.where(size > 0, s, np.divide(1, rest, out=np.ones(len(A)), where=rest > 0))


def _inertia(point):
    s = scales_to_unit_diagonal(point.hessian)
    return hessians.inertia(point.hessian * np.outer(s, s))[:2]


# What the field names and this page does not compute.
LEFT_OUT = {
    "Volume ε-flatness": "infinite for every parameter of a rectified network (Dinh et al. 2017, theorem 2)",
}
