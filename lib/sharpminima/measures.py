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
from .transformations import TRANSFORMATIONS

# Relative to the largest, eigenvalues of a matrix with unit diagonal that count as zero. Rounding makes 1e-15 of them; where the
# softmax is nearly one-hot, the rounding of probabilities divided by what is left of their variance makes up to 1e-12.
NEGLIGIBLE = np.finfo(float).eps ** (2 / 3)


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
        """The eigenvalues of the Hessian relative to F, largest first: H v = lambda F v for a v that F does not annihilate.

        Undefined where H does not annihilate all that F annihilates: the ratio v'Hv / v'Fv is infinite there, and the
        Moore-Penrose inverse in F⁺H depends on the coordinates. Of a rectified network F annihilates the direction that
        scales what enters a unit up and what leaves it down; H does so at critical points only.
        """
        # Scaled to a unit diagonal, F and H no longer know of factors between units, however large they are.
        s = scales_to_unit_diagonal(self.fisher)
        F, H = (A * np.outer(s, s) for A in (self.fisher, self.hessian))
        squares, V = scipy.linalg.eigh(F)
        seen = squares > NEGLIGIBLE * max(squares[-1], 0)
        if not seen.any():
            raise Undefined("F is zero here, so nothing can be measured relative to it")
        lost = np.abs(H @ V[:, ~seen]).max(initial=0) / max(np.abs(H).max(), np.abs(F).max())
        if lost > np.sqrt(np.finfo(float).eps):
            raise Undefined(
                f"F is singular in directions in which H is not (by {lost:.1e}): no critical point, or too few outputs"
            )
        V = V[:, seen] / np.sqrt(squares[seen])
        return scipy.linalg.eigvalsh(V.T @ H @ V)[::-1]

    @cached_property
    def criterion(self):
        """What the loss compares outputs with targets by."""
        self._needs("criterion")
        return self.loss.criterion

    @cached_property
    def outputs(self):
        """The network's outputs (N, C)."""
        self._needs("outputs")
        return np.asarray(self.loss.outputs(self.theta))

    @cached_property
    def layers(self):
        """The parameters as the network's layers; of a reparametrized loss, the new coordinates read as layers."""
        self._needs("layers")
        layers = self.loss.layers(self.theta)
        if not np.array_equal(ravel(layers), self.theta):
            raise Undefined(f"the layers must hold theta in the order of ravel, which those of {self.loss!r} do not")
        return layers

    def _needs(self, *names):
        for name in names:
            if not hasattr(self.loss, name):
                raise Undefined(f"the loss must have {name}, which {self.loss!r} has not")


@dataclass(frozen=True)
class Measure:
    """A function of a point with what is known of it: call it like the function, `measure(point) -> float`.

    `formula` is TeX between dollar signs; `source` says where it stands; `cite` is its key in the bibliography, or None;
    `claims` are the transformations under which its authors say that it keeps its value; `function_space` holds when it
    depends on the computed function and the data alone; `vanishes` when it is 0 at every interpolating minimum, where
    what is computed is rounding and a ratio of two values says nothing.
    """

    name: str
    function: Callable
    formula: str
    source: str
    cite: str | None
    claims: frozenset
    function_space: bool
    vanishes: bool

    def __call__(self, point):
        return self.function(point)

    @property
    def __name__(self):
        return self.function.__name__


# What a claim names: transformations that keep the function.
KEEPING = tuple(name for name, transformation in TRANSFORMATIONS.items() if transformation.keeps)
SCALES = ("layer_scale", "node_scale")
REPARAMETRIZATIONS = (*SCALES, "permutation", "elementwise_map", "linear_map", "radial_map")

MEASURES: dict[str, Measure] = {}


def measure(name, *, formula, source, cite=None, claims=(), function_space=False, vanishes=False):
    """Register a function of a point in `MEASURES`, under its own name, with what is known of it.

    The function stays a function. It raises ValueError for an argument that is no `Point`, and `Undefined` where its value
    is not finite.
    """
    unknown = set(claims) - set(KEEPING)
    if unknown:
        raise ValueError(f"claims must be among {', '.join(KEEPING)}, got {', '.join(sorted(unknown))}")

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

        MEASURES[function.__name__] = Measure(name, checked, formula, source, cite, frozenset(claims), function_space, vanishes)
        return checked

    return register


# What is read off the Hessian, or the Fisher information


@measure(
    "Largest eigenvalue",
    formula=r"$\lambda_{\max}(H)$",
    source="Dinh et al. 2017, section 4.2; Sagun et al. 2017",
    cite="sagun2017empirical",
)
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


@measure(
    "Rank of the Hessian",
    formula=r"$\operatorname{rank} H$",
    source="Dinh et al. 2017, theorem 5; invariant by Sylvester's law",
    cite="dinh2017sharp",
    claims=REPARAMETRIZATIONS,
)
def hessian_rank(point):
    """The number of directions with curvature: the invariant of H under all smooth maps at a critical point."""
    return sum(_inertia(point))


@measure(
    "Negative eigenvalues",
    formula=r"$n_-(H)$",
    source="invariant by Sylvester's law",
    cite="horn2013matrix",
    claims=REPARAMETRIZATIONS,
)
def negative_eigenvalues(point):
    """The number of directions of negative curvature; 0 at a minimum."""
    return _inertia(point)[1]


@measure("Gradient norm", formula=r"$\|\nabla L\|_2$", source="the definition", vanishes=True)
def gradient_norm(point):
    """How far the point is from being critical."""
    return np.linalg.norm(point.gradient)


@measure(
    "Trace of the Fisher information",
    formula=r"$\operatorname{tr} F$",
    source="the definition; equal to tr H for rectified networks",
)
def fisher_trace(point):
    """The sum of the squared slopes of the outputs, weighted as the criterion does."""
    return np.trace(point.fisher)


@measure(
    "Log-determinant",
    formula=r"$\log\det(H + \delta I)$",
    source="the logarithm of a Gaussian's squared inverse width; the damping is a convention",
)
def log_determinant(point, *, delta=1.0):
    """The sum of the logarithms of the curvatures, damped by `delta`; curvatures that are zero up to rounding count as zero."""
    spectrum = point.eigenvalues
    spectrum = np.where(np.abs(spectrum) > len(spectrum) * np.finfo(float).eps * np.abs(spectrum).max(), spectrum, 0)
    if not spectrum[-1] + delta > 0:
        raise Undefined(f"H + {delta:g} is not positive definite here, its least eigenvalue is {spectrum[-1] + delta:.3g}")
    return np.log(spectrum + delta).sum()


@measure(
    "Relative largest eigenvalue",
    formula=r"$\lambda_{\max}(F^+H)$",
    source="Riemannian Hessian of Kristiadi et al. 2023 with the Fisher metric",
    cite="kristiadi2023geometry",
    claims=REPARAMETRIZATIONS,
)
def relative_largest_eigenvalue(point):
    """The largest curvature where lengths are measured by how much the outputs change. It is 1 wherever H = F."""
    return point.relative_eigenvalues[0]


@measure(
    "Relative trace",
    formula=r"$\operatorname{tr}(F^+H)$",
    source="Riemannian Hessian of Kristiadi et al. 2023 with the Fisher metric",
    cite="kristiadi2023geometry",
    claims=REPARAMETRIZATIONS,
)
def relative_trace(point):
    """The sum of the curvatures relative to the Fisher information. It is the rank of F wherever H = F."""
    return point.relative_eigenvalues.sum()


@measure(
    "Laplace evidence",
    formula=r"$NL + \tfrac{\gamma}{2}|\theta|^2 + \tfrac12\log\det(I + NF/\gamma)$",
    source="MacKay 1992; as in aleximmer/Laplace with a full Gauss-Newton matrix",
)
def laplace_evidence(point, *, precision=1.0):
    """Minus the logarithm of the evidence, for the prior N(0, I / precision) and, with squared error, noise of variance one."""
    noise = point.outputs.size / 2 * np.log(2 * np.pi) if point.criterion == "squared_error" else 0
    spectrum = np.maximum(scipy.linalg.eigvalsh(point.fisher), 0)
    occam = np.log1p(len(point.outputs) * spectrum / precision).sum() / 2
    return len(point.outputs) * point.value + noise + precision / 2 * point.theta @ point.theta + occam


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
    return hessians.inertia(point.hessian * np.outer(s, s), rtol=NEGLIGIBLE)[:2]


# Perturbations: the largest loss nearby, and the mean loss, to second order


@measure(
    "SAM, worst",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(H)$",
    source="Foret et al. 2021, to second order",
    cite="foret2021sam",
)
def sam_worst(point, *, rho=0.05):
    """The second-order term of the largest L(theta + d) - L(theta) with |d| <= rho."""
    return rho**2 / 2 * max(point.eigenvalues[0], 0)


@measure(
    "SAM, average",
    formula=r"$\tfrac{\rho^2}{2}\operatorname{tr} H$",
    source="Andriushchenko et al. 2023, to second order",
    cite="andriushchenko2023modern",
)
def sam_average(point, *, rho=0.05):
    """The second-order term of the mean of L(theta + d) - L(theta) over d from N(0, rho² I)."""
    return rho**2 / 2 * point.hessian_diagonal.sum()


@measure(
    "ASAM, worst",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = |\theta|$",
    source="Kwon et al. 2021, element-wise, to second order",
    cite="kwon2021asam",
    claims=SCALES,
)
def asam_worst(point, *, rho=0.5):
    """The second-order term of the largest L(theta + d) - L(theta) with |d / theta| <= rho; T is diagonal."""
    return _worst(point, np.abs(point.theta), rho)


@measure(
    "ASAM, average",
    formula=r"$\tfrac{\rho^2}{2}\sum_i \theta_i^2 H_{ii}$",
    source="Andriushchenko et al. 2023, adaptive, to second order",
    cite="andriushchenko2023modern",
    claims=SCALES,
)
def asam_average(point, *, rho=0.5):
    """The second-order term of the mean of L(theta + d) - L(theta) over d from N(0, rho² T²)."""
    return _average(point, np.abs(point.theta), rho)


@measure(
    "ASAM as released, worst",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = |W| + 0.01,\ 1$ for biases",
    source="SamsungLabs/ASAM, to second order; the paper's claim is for the undamped T",
    cite="kwon2021asam",
)
def asam_damped_worst(point, *, rho=0.5, eta=0.01):
    """ASAM, worst, with the T of the released code: weights are damped by `eta`, biases are not scaled."""
    return _worst(point, _released_scale(point, eta), rho)


@measure(
    "ASAM as released, average",
    formula=r"$\tfrac{\rho^2}{2}\sum_i T_i^2 H_{ii},\ T = |W| + 0.01,\ 1$ for biases",
    source="the T of SamsungLabs/ASAM, to second order; the paper's claim is for the undamped T",
    cite="kwon2021asam",
)
def asam_damped_average(point, *, rho=0.5, eta=0.01):
    """ASAM, average, with the T of the released code."""
    return _average(point, _released_scale(point, eta), rho)


@measure(
    "ASAM filter-wise, worst",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = \|W_{k,\cdot j}\|_2$",
    source="Kwon et al. 2021, filter-wise, to second order; a filter of a dense layer as in Li et al. 2018",
    cite="kwon2021asam",
    claims=("layer_scale",),
)
def asam_filter_worst(point, *, rho=0.5):
    """ASAM, worst, where T of a weight is the norm of all weights that enter its unit; of a bias, its size."""
    return _worst(point, _filter_norms(point), rho)


@measure(
    "ASAM filter-wise, average",
    formula=r"$\tfrac{\rho^2}{2}\sum_i T_i^2 H_{ii},\ T = \|W_{k,\cdot j}\|_2$",
    source="Kwon et al. 2021, filter-wise, averaged, to second order; a filter of a dense layer as in Li et al. 2018",
    cite="kwon2021asam",
    claims=("layer_scale",),
)
def asam_filter_average(point, *, rho=0.5):
    """ASAM, average, where T of a weight is the norm of all weights that enter its unit; of a bias, its size."""
    return _average(point, _filter_norms(point), rho)


@measure(
    "Keskar's box, average",
    formula=r"$\frac{100}{1+L}\cdot\frac{\epsilon^2}{6}\sum_i (|\theta_i|+1)^2 H_{ii}$",
    source="the box of Keskar et al. 2017, averaged, to second order",
    cite="keskar2017large",
)
def box_average(point, *, epsilon=1e-3):
    """The second-order term of 100 (L(theta + z) - L(theta)) / (1 + L(theta)) over |z_i| <= epsilon (|theta_i| + 1), averaged."""
    if not point.value > -1:
        raise Undefined(f"the loss must be greater than -1, got {point.value:g}")
    return 100 / (1 + point.value) * _average(point, np.abs(point.theta) + 1, epsilon / np.sqrt(3))  # the variance of a uniform


@measure(
    "Layer-normalized spectral norm",
    formula=r"$\|DHD\|_2,\ D = \|W_k\|_F$",
    source="Rangamani et al. 2021, as in akshay-r/scale-invariant-flatness, at a critical point",
    cite="rangamani2021scale",
    claims=("layer_scale",),
)
def layer_normalized(point):
    """The Hessian's spectral norm where each layer's perturbation is measured in units of the layer's norm; without biases."""
    _no_biases(point)
    return hessians.spectral_norm(_scaled(point, ravel(_map(point.layers, lambda W: np.full_like(W, np.linalg.norm(W))))))


def _scaled(point, T):
    return point.hessian * T[:, None] * T


def _worst(point, T, rho):
    top = len(T) - 1
    return rho**2 / 2 * max(scipy.linalg.eigvalsh(_scaled(point, T), subset_by_index=[top, top])[0], 0)


def _average(point, T, rho):
    return rho**2 / 2 * (T**2 @ point.hessian_diagonal)


def _released_scale(point, eta):
    return ravel(_map(point.layers, lambda W: np.abs(W) + eta, np.ones_like))


def _filter_norms(point):
    return ravel(_map(point.layers, lambda W: np.broadcast_to(np.linalg.norm(W, axis=0), W.shape), np.abs))


def _map(layers, of_weight, of_bias=np.copy):
    return tuple(Layer(of_weight(W), None if b is None else of_bias(b)) for W, b in layers)


def _no_biases(point):
    if any(layer.bias is not None for layer in point.layers):
        raise Undefined("the formula is for networks without biases")


# The least over an orbit. All four problems ask for the factors that make a sum of M_pq exp(u_p - u_q) least


@measure(
    "Minimum sharpness, layers",
    formula=r"$\min_\alpha \operatorname{tr} H(T_\alpha\theta)$",
    source="Ibayashi et al. 2021; without biases K (∏ tr H_kk)^(1/K)",
    cite="ibayashi2021minimum",
    claims=("layer_scale",),
)
def minimum_sharpness_layers(point):
    """The least trace among the alpha-scaled twins."""
    return _least_trace(point, [np.full(d, k) for k, d in enumerate(widths_of(point.layers), start=-1)])


@measure(
    "Minimum sharpness, units",
    formula=r"$\min_c \operatorname{tr} H(c\cdot\theta)$",
    source="Ibayashi et al. 2021 with units for layers, a step of this book; with two layers and no biases 2 Σ_j sqrt(a_j b_j)",
    cite="ibayashi2021minimum",
)
def minimum_sharpness_units(point):
    """The least trace among all networks that `node_scale` makes."""
    widths = widths_of(point.layers)
    return _least_trace(point, np.split(np.arange(sum(widths)) - widths[0], np.cumsum(widths)[:-1]))


@measure(
    "Normalized flatness, arXiv form",
    formula=r"$\sum_k \min_{s,t>0}\ s^\top C_k t + (1/s)^\top W_k^{\circ2} (1/t)$",
    source="Tsuzuku et al. 2020, arXiv form, as in ibayashi-hikaru/minimum-sharpness; C_k is diag H, shaped as W_k",
    cite="tsuzuku2020normalized",
    claims=SCALES,
)
def normalized_flatness_arxiv(point):
    """Curvature against size, with the best factors for each layer's inputs s and outputs t; weights only."""
    total = 0.0
    for W, C in _weights_and_curvatures(point):
        d = len(W)
        M = np.zeros((sum(W.shape),) * 2)
        M[:d, d:], M[d:, :d] = C, W.T**2
        total += least_sum(M)
    return total


@measure(
    "Normalized flatness, ICML form",
    formula=r"$\sum_k \min_{s>0} \sqrt{s^\top C_k W_k^{\circ2\,\top} (1/s)}$",
    source="Tsuzuku et al. 2020, ICML form, as in ibayashi-hikaru/minimum-sharpness, which warns that the two differ",
    cite="tsuzuku2020normalized",
    claims=SCALES,
)
def normalized_flatness_icml(point):
    """Curvature against size, with the best factors for each layer's inputs s; weights only."""
    return sum(np.sqrt(least_sum(C @ W.T**2)) for W, C in _weights_and_curvatures(point))


def least_sum(M):
    """Return the infimum over u (m,) of sum_pq M_pq exp(u_p - u_q), for a matrix M (m, m) without negative entries.

    A convex program: the logarithm of the sum is a convex function of u, and scipy finds where its gradient is zero, that
    is, where rows and columns of the scaled matrix have equal sums. An entry that lies on no cycle of the graph of M can be
    made as small as one likes.
    """
    part = csgraph.connected_components(M > 0, connection="strong")[1]
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(part[:, None] == part, M, 0))
    if not np.isfinite(logs).any():
        return 0.0

    def share(u):
        return scipy.special.softmax(logs + u[:, None] - u)

    def slope(u):
        P = share(u)
        return P.sum(axis=1) - P.sum(axis=0)

    def curvature(u):
        P = share(u)
        g = P.sum(axis=1) - P.sum(axis=0)
        return np.diag(P.sum(axis=1) + P.sum(axis=0)) - P - P.T - np.outer(g, g)

    def value(u):
        return scipy.special.logsumexp(logs + u[:, None] - u)

    found = scipy.optimize.minimize(
        value, np.zeros(len(M)), method="trust-exact", jac=slope, hess=curvature, options={"gtol": 1e-10}
    )
    if np.abs(found.jac).max() > 1e-6:  # at 1e-8 already a step changes the value by rounding only
        raise Undefined(f"the minimum over the orbit was not found: {found.message}")
    return float(np.exp(found.fun))


def _least_trace(point, groups):
    """The least trace, `groups` telling which hidden units have one factor, from 0; inputs and outputs have the factor 1."""
    groups = [np.full_like(groups[0], -1), *groups[1:-1], np.full_like(groups[-1], -1)]
    M = np.zeros((max(group.max() for group in groups) + 2,) * 2)
    for (W, b), before, after in zip(_curvatures(point), groups[:-1], groups[1:], strict=True):
        np.add.at(M, (before[:, None], after), W)
        if b is not None:
            np.add.at(M, (-1, after), b)
    least = least_sum(M)
    if not least > 0:
        raise Undefined("the Hessian has no trace here that rescaling cannot take away")
    return least


def _curvatures(point):
    """The Hessian's diagonal as the network's layers."""
    point._needs("layers")
    diagonal = point.hessian_diagonal
    if (diagonal < -len(diagonal) * np.finfo(float).eps * np.abs(diagonal).max()).any():
        raise Undefined("the Hessian must have no negative diagonal entry for the minimum to be a convex program")
    return point.loss.layers(np.maximum(diagonal, 0))


def _weights_and_curvatures(point):
    return [(W, C) for (W, _), (C, _) in zip(point.layers, _curvatures(point), strict=True)]


# Curvature of one layer, weighed with its weights


@measure(
    "Relative flatness, first layer",
    formula=r"$\sum_{ij} \langle w_i, w_j\rangle \operatorname{tr} H_{ij}$",
    source="Petzka et al. 2021; w_i are the weights that enter unit i",
    cite="petzka2021relative",
    claims=SCALES,
)
def relative_flatness_first(point):
    """Relative flatness of the first layer."""
    return _relative_flatness(point, 0)


@measure(
    "Relative flatness, last layer",
    formula=r"$\sum_{ij} \langle w_i, w_j\rangle \operatorname{tr} H_{ij}$",
    source="Petzka et al. 2021, who take the last layer in their experiments",
    cite="petzka2021relative",
    claims=SCALES,
)
def relative_flatness_last(point):
    """Relative flatness of the last layer."""
    return _relative_flatness(point, -1)


@measure(
    "Relative flatness, features normalized",
    formula=r"$\sum_{ij} \langle \sigma w_i, \sigma w_j\rangle \operatorname{tr}(\sigma^{-1} H_{ij} \sigma^{-1})$",
    source="Petzka et al. 2021, as in kampmichael/RelativeFlatnessAndGeneralization: features first get the standard deviation 1",
    cite="petzka2021relative",
    claims=SCALES,
)
def relative_flatness_normalized(point):
    """Relative flatness of the last layer after `node_scale` has given each of its inputs the standard deviation 1.

    Inputs that do not vary stay as they are, as in the released code. With a unit that is never on, the value therefore
    depends on how that unit's weights are scaled.
    """
    point._needs("x")
    if len(point.layers) < 2:
        raise Undefined("the network must have a hidden layer whose units can be scaled, got one layer")
    sigma = relu(pre_activations(point.layers, point.loss.x)[-2]).std(axis=0)
    return _relative_flatness(point, -1, np.where(sigma > 0, sigma, 1))


def _relative_flatness(point, layer, sigma=None):
    ends = np.cumsum([sum(part.size for part in each if part is not None) for each in point.layers])
    W = point.layers[layer].weight
    start = ends[layer] - sum(part.size for part in point.layers[layer] if part is not None)
    block = point.hessian[start : start + W.size, start : start + W.size].reshape(*W.shape, *W.shape)
    sigma = np.ones(len(W)) if sigma is None else sigma
    traces = np.einsum("k,kikj->ij", 1 / sigma**2, block)
    scaled = W * sigma[:, None]
    return np.sum((scaled.T @ scaled) * traces)


# Norms, and what is read off the outputs


@measure(
    "Fisher-Rao norm",
    formula=r"$\theta^\top F\theta$",
    source="Liang et al. 2019, labels drawn from the model; without biases K² E[f'(diag p - pp')f]",
    cite="liang2019fisher",
    claims=SCALES,
)
def fisher_rao(point):
    """The squared length of theta in the Fisher metric. Of a network without biases the outputs alone determine it."""
    return point.theta @ point.fisher @ point.theta


@measure(
    "Fisher-Rao norm, given labels",
    formula=r"$\frac1N\sum_n \langle\nabla_\theta\ell_n, \theta\rangle^2$",
    source="Liang et al. 2019, labels of the data; without biases K² E⟨p - y, f⟩², as kampmichael's code has it",
    cite="liang2019fisher",
    claims=SCALES,
    vanishes=True,
)
def fisher_rao_labels(point):
    """The Fisher-Rao norm with the labels of the data in the place of the model's; 0 where every sample's gradient is."""
    point._needs("y")
    predicted = scipy.special.softmax(point.outputs, axis=1) if point.criterion == "cross_entropy" else point.outputs
    return np.mean(np.sum((predicted - point.loss.y) * (point.jacobian @ point.theta), axis=1) ** 2)


@measure(
    "Path norm",
    formula=r"$(\sum_{\text{paths}} \prod w^2)^{1/2}$",
    source="Neyshabur et al. 2015; biases as in bneyshabur/generalization-bounds, as paths that begin at a 1",
    cite="neyshabur2015path",
    claims=SCALES,
)
def path_norm(point):
    """The root of the sum, over all paths from an input to an output, of the product of the squared weights."""
    squares = _map(point.layers, np.square, np.square)
    return np.sqrt(forward(squares, np.ones((1, len(squares[0].weight)))).sum())


@measure(
    "Product of Frobenius norms",
    formula=r"$\prod_k \|W_k\|_F$",
    source="bneyshabur/generalization-bounds, without the margin",
    claims=("layer_scale",),
)
def product_of_frobenius_norms(point):
    """The product of the layers' Frobenius norms; weights only."""
    return np.prod([np.linalg.norm(W) for W, _ in point.layers])


@measure(
    "Product of spectral norms",
    formula=r"$\prod_k \|W_k\|_2$",
    source="bneyshabur/generalization-bounds, without the margin",
    claims=("layer_scale",),
)
def product_of_spectral_norms(point):
    """The product of the layers' spectral norms, which bounds how much the outputs can change with the inputs; weights only."""
    return np.prod([np.linalg.norm(W, 2) for W, _ in point.layers])


@measure("Squared norm", formula=r"$|\theta|_2^2$", source="the definition")
def squared_norm(point):
    """The sum of the squared parameters."""
    return point.theta @ point.theta


@measure(
    "Input-gradient norm",
    formula=r"$(\frac1N\sum_n \|\partial f/\partial x_n\|_F^2)^{1/2}$",
    source="the definition",
    function_space=True,
)
def input_gradient_norm(point):
    """How much the outputs change with the inputs, in the mean over the samples."""
    point._needs("layers", "x")
    loss, theta = point.loss, point.theta
    while hasattr(loss, "g"):  # reparametrized: the network that computes the outputs is that of g(eta)
        loss, theta = loss.loss, loss.g(theta)
    params = loss.layers(theta)
    slope = np.broadcast_to(params[-1].weight, (len(loss.x), *params[-1].weight.shape))
    for (W, _), z in zip(params[-2::-1], pre_activations(params, loss.x)[-2::-1], strict=True):
        slope = W @ ((z > 0)[:, :, None] * slope)
    return np.sqrt(np.sum(slope**2) / len(loss.x))


# What the literature has and `MEASURES` has not.
LEFT_OUT = {
    "Volume ε-flatness": "infinite at every parameter of a rectified network (Dinh et al. 2017, theorem 2)",
    "Flat-minimum volume of Hochreiter and Schmidhuber": "its tolerance, its prior and its approximations are not one formula",
    "Keskar's box, worst case": "to maximize a convex quadratic function over a box is NP-hard",
    "Keskar's box in a random subspace": "a random quantity: it has a distribution, not a value",
    "ASAM filter-wise, damped": "the released code has the element-wise T only",
    "PSI-flatness": "no text of the formula and no code of the authors could be read (Yi et al. 2019)",
    "IGS": "only the abstract could be read, not the formula (Jang et al. 2022)",
    "Fisher SAM": "its second-order worst case is the relative largest eigenvalue, up to a factor (Kim et al. 2022)",
    "Monge SAM": "only the abstract could be read; with gradient 0 its metric is the identity (Jacobsen and Arvanitidis 2025)",
    "Geodesic sharpness": "no code could be read; a maximum over geodesics without a closed form (da Silva et al. 2025)",
    "Logit-normalized sharpness": "a maximum over losses of normalized logits, not of this loss (Andriushchenko et al. 2023)",
    "Spherical sharpness": "for weights followed by a normalization, which these networks have not (Lyu et al. 2022)",
    "PAC-Bayes 1/σ²": "a bisection over sampled accuracies, hence an estimate (Jiang et al. 2020, Dziugaite et al. 2020)",
    "log P(f)": "the prior mass of a function can be sampled, not computed, beyond a few dimensions (Zhang et al. 2021)",
    "Weakness": "counts completions of a discrete task, which a network on these data does not define (Bennett 2026)",
}
