"""The spectral density of a matrix that is too large for its eigenvalues, by stochastic Lanczos
quadrature (Golub and Meurant 2010; Lin, Saad and Yang 2016; Ubaru, Chen and Saad 2017).

The eigenvalues lambda_i of H (n, n), with unit eigenvectors u_i, are seen from a unit vector v with
the weights (u_i'v)^2. Lanczos iteration from v makes a tridiagonal matrix T (k, k). The eigenvalues
of T, with the squared first entries of its eigenvectors as weights, are the Gauss quadrature of
that measure: exact for polynomials of degree 2k - 1. For a v of random signs the expected weights
are 1/n each, so that the mean over several such v estimates the spectrum.

The error has two parts. That of the mean over the vectors is estimated by their standard error.
That of the quadrature is bounded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.linalg
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ._validation import (
    Array,
    as_count,
    as_generator,
    as_positive,
    as_real,
    as_vector,
    check_function,
)
from .spectra import EPS, as_symmetric, count_products, find_length

# Of the kernel's largest value: how exactly the quadrature integrates the narrowest kernel that is
# used unless a width is given.
RESOLVED = 1e-3


class Estimate(NamedTuple):
    """An estimated value with its `standard_error`, numbers or arrays."""

    value: Array
    standard_error: Array


class Share(NamedTuple):
    """The share of the eigenvalues below each of some points: between `low` and `high` seen from
    the vectors that were drawn, whose own choice makes the `standard_error`.
    """

    low: Array
    high: Array
    standard_error: Array


@dataclass(frozen=True)
class SpectralDensity:
    """What `spectral_density` has found: for each of the m vectors k `nodes` (m, k), ascending, and
    their `weights` (m, k) with sum 1.
    """

    nodes: Array
    weights: Array

    def __post_init__(self):
        nodes = as_real("nodes", self.nodes, shape=(None, None), what="a matrix")
        weights = as_real("weights", self.weights, shape=nodes.shape, what="a matrix")
        if nodes.shape[0] < 2 or nodes.shape[1] < 1:
            raise ValueError(
                f"nodes must be of two vectors at least, a row each, got shape {nodes.shape}"
            )
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "weights", weights)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest node: inside the spectrum, and near its ends."""
        return float(self.nodes.min()), float(self.nodes.max())

    @property
    def resolution(self) -> float:
        """The width of the narrowest Gaussian kernel that the quadrature integrates to within a
        thousandth of its largest value; 0 for eigenvalues that are all equal up to rounding.
        """
        low, high = self.ends
        steps = self.nodes.shape[1]
        if high - low <= steps * EPS * max(-low, high):
            return 0.0
        # The terms of its Chebyshev series that are left out fall as exp(-2 (steps * width)^2).
        return (high - low) / 2 * np.sqrt(np.log(4 / RESOLVED) / 2) / steps

    def integrate(self, function: Callable[[Array], Array]) -> Estimate:
        """Return an estimate of the mean of `function` over the eigenvalues, tr f(H) / n, with its
        standard error. `function` takes an array to one of the same shape.

        Of a polynomial of degree below twice the number of steps, the error is that of the draw.
        """
        check_function("function", function, "a function of an array")
        shape = self.nodes.shape
        what = "an array"
        seen = as_real("what function returns", function(self.nodes), shape=shape, what=what)
        values = np.sum(self.weights * seen, axis=1)
        return _average(values)

    def at(self, points: ArrayLike, *, width: float | None = None) -> Estimate:
        """Return the density at `points` (p,): eigenvalues per unit of length as a share of all,
        each smoothed by a Gaussian of standard deviation `width`, `resolution` by default.

        Raises ValueError for points that are no finite vector, a width that is not positive, and
        none where the resolution is 0.
        """
        points = as_vector("points", points)
        width = self._as_width(width)
        values = [
            _evaluate_kernel(points[:, None] - nodes, width) @ weights
            for nodes, weights in zip(self.nodes, self.weights, strict=True)
        ]
        return _average(np.array(values))

    def quadrature_error(self, width: float | None = None) -> float:
        """Return a bound of the error that the quadrature, not the draw, makes in `at`, in its
        unit, for a spectrum between the `ends`.

        Gauss quadrature is exact for the first 2k terms of the kernel's Chebyshev series; of the
        others none is weighted with more than 2. The kernel's place is the worst of 33.
        """
        width = self._as_width(width)
        low, high = self.ends
        half_length = (high - low) / 2
        first_left_out = 2 * self.nodes.shape[1]
        n_terms = 2 * first_left_out + int(32 * half_length / width)
        x = np.cos(np.pi * (np.arange(n_terms) + 0.5) / n_terms)
        worst = 0.0
        for center in np.linspace(-1, 1, 33):
            values = _evaluate_kernel((x - center) * half_length, width)
            series = scipy.fft.dct(values) / n_terms
            worst = max(worst, 2 * np.abs(series[first_left_out:]).sum())
        return float(worst)

    def share_below(self, points: ArrayLike) -> Share:
        """Return the share of the eigenvalues that are below each of `points` (p,).

        Between two nodes the weights before them bound the share from both sides, by the separation
        theorem of Chebyshev, Markov and Stieltjes: nothing is smoothed. The bounds of a point
        differ by the weights of the nodes on both sides of it, so that they are far apart beside a
        large cluster, such as zero, up to the next node.
        """
        points = as_vector("points", points)
        lows, highs = [], []
        for nodes, weights in zip(self.nodes, self.weights, strict=True):
            before = np.concatenate([[0.0], np.cumsum(weights)])
            place = np.searchsorted(nodes, points)
            lows.append(before[np.maximum(place - 1, 0)])
            highs.append(before[np.minimum(place + 1, len(nodes))])
        low, high = np.mean(lows, axis=0), np.mean(highs, axis=0)
        middle = _average((np.array(lows) + np.array(highs)) / 2)
        return Share(low, high, middle.standard_error)

    def _as_width(self, width):
        """Return the width of a kernel, `resolution` for None."""
        if width is None and self.resolution == 0:
            raise ValueError("width must be given where all eigenvalues are equal, got None")
        return as_positive("width", self.resolution if width is None else width)


def spectral_density(
    H: ArrayLike | LinearOperator,
    *,
    rng: np.random.Generator,
    probes: int = 10,
    steps: int = 100,
) -> SpectralDensity:
    """Return the `SpectralDensity` of a symmetric matrix or operator `H` (n, n), as a
    `hessian_operator`, by stochastic Lanczos quadrature.

    `probes` vectors of random signs, at least 2 so that there is a standard error, are drawn with
    `rng`; `steps` products are taken with each. More probes make the mean more certain, more steps
    resolve finer detail. `steps` vectors (n,) are kept at a time, each made orthogonal to all
    others: without that, copies of converged eigenvalues appear.

    Raises ValueError for an `H` that is not symmetric and for counts that cannot be.

    >>> density = spectral_density(np.diag([1.0, 1.0, 3.0]), rng=np.random.default_rng(0))
    >>> density.integrate(lambda x: x).value.round(12)  # the trace, divided by 3
    np.float64(1.666666666667)
    """
    rng = as_generator(rng)
    probes = as_count("probes", probes, least=2)
    steps = as_count("steps", steps)
    if not isinstance(H, LinearOperator):
        H = as_symmetric(H)
    n = H.shape[0]
    steps = min(steps, n)
    nodes = np.empty((probes, steps))
    weights = np.empty((probes, steps))
    with count_products("spectral density", H, total=probes * steps) as counted:
        for probe in range(probes):
            start = rng.choice([-1.0, 1.0], size=n) / np.sqrt(n)
            diagonal, beside = tridiagonalize(counted, start, steps)
            found, vectors = scipy.linalg.eigh_tridiagonal(diagonal, beside)
            # Where the vector sees fewer eigenvalues than there are steps, the rest weighs nothing.
            missing = steps - len(found)
            nodes[probe] = np.pad(found, (0, missing), mode="edge")
            weights[probe] = np.pad(vectors[0] ** 2, (0, missing))
    return SpectralDensity(nodes, weights)


def tridiagonalize(H: LinearOperator, start: Array, steps: int) -> tuple[Array, Array]:
    """Return the diagonal (k,) and the entries beside it (k - 1,) of T = Q'HQ, for an orthonormal Q
    (n, k) whose first column is the unit vector `start`.

    By Lanczos iteration, with every new vector made orthogonal to all before it, twice. k is
    `steps`, or less where the vectors span all that `H` makes of `start`.
    """
    basis = np.empty((steps, len(start)))
    diagonal, beside = [], []
    q = start
    for k in range(steps):
        basis[k] = q
        w = H @ q
        diagonal.append(q @ w)
        size = find_length(w)
        for _ in range(2):
            w = w - basis[: k + 1].T @ (basis[: k + 1] @ w)
        length = find_length(w)
        if length <= len(start) * EPS * size or k == steps - 1:
            break
        beside.append(length)
        q = w / length
    return np.array(diagonal), np.array(beside)


def _evaluate_kernel(distance, width):
    """The Gaussian density of standard deviation `width`."""
    return np.exp(-((distance / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))


def _average(values):
    """The mean over the probes, the first axis, with its standard error."""
    return Estimate(values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values)))
