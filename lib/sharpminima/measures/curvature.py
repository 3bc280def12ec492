"""Curvature: what is read off the Hessian H, the Fisher information F, and H relative to F."""

import numpy as np
import scipy.linalg

from ..points import Undefined
from ..spectra import (
    NEGLIGIBLE,
    find_largest_eigenvalue,
    inertia,
    scales_to_unit_diagonal,
)
from .registry import REPARAMETRIZATIONS, measure


@measure(
    "Largest eigenvalue",
    needs="products",
    formula=r"$\lambda_{\max}(H)$",
    source="Dinh et al. 2017, section 4.2; Sagun et al. 2017",
    cite="sagun2017empirical",
)
def largest_eigenvalue(point):
    """The curvature in the sharpest direction; at a minimum the spectral norm of the Hessian."""
    return find_largest_eigenvalue(point.curvature)


@measure(
    "Trace",
    needs="diagonal",
    formula=r"$\operatorname{tr} H$",
    source="Dinh et al. 2017, section 4.2",
    cite="dinh2017sharp",
)
def trace(point):
    """The sum of the curvatures."""
    return point.hessian_diagonal.sum()


@measure(
    "Frobenius norm",
    formula=r"$\|H\|_F$",
    source="used in the proof of Dinh et al. 2017, theorem 4",
    cite="dinh2017sharp",
)
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
    """The number of directions with curvature, which at a critical point no smooth map of the
    parameters changes.
    """
    positive, negative = _inertia(point)
    return positive + negative


@measure(
    "Negative eigenvalues",
    formula=r"$n_-(H)$",
    source="invariant by Sylvester's law",
    cite="horn2013matrix",
    claims=REPARAMETRIZATIONS,
)
def negative_eigenvalues(point):
    """The number of directions of negative curvature; 0 at a minimum."""
    _, negative = _inertia(point)
    return negative


@measure(
    "Gradient norm",
    needs="passes",
    formula=r"$\|\nabla L\|_2$",
    source="the definition",
    vanishes=True,
)
def gradient_norm(point):
    """How far the point is from being critical."""
    return np.linalg.norm(point.gradient)


@measure(
    "Trace of the Fisher information",
    needs="diagonal",
    formula=r"$\operatorname{tr} F$",
    source="the definition; equal to tr H for rectified networks",
)
def fisher_trace(point):
    """The sum of the squared slopes of the outputs, weighted as the criterion does."""
    return point.fisher_diagonal.sum()


@measure(
    "Log-determinant",
    formula=r"$\log\det(H + \delta I)$",
    source="the logarithm of a Gaussian's squared inverse width; the damping is a convention",
)
def log_determinant(point, *, delta=1.0):
    """The sum of the logarithms of the curvatures, damped by `delta`; curvatures that are zero up
    to rounding count as zero.
    """
    spectrum = point.eigenvalues
    sizes = np.abs(spectrum)
    rounding = len(spectrum) * np.finfo(float).eps * sizes.max()
    damped = np.where(sizes > rounding, spectrum, 0) + delta
    if not damped[-1] > 0:
        raise Undefined(
            f"H + {delta:g} is not positive definite here, its least eigenvalue is {damped[-1]:.3g}"
        )
    return np.log(damped).sum()


@measure(
    "Relative largest eigenvalue",
    formula=r"$\lambda_{\max}(F^+H)$",
    source="Riemannian Hessian of Kristiadi et al. 2023 with the Fisher metric",
    cite="kristiadi2023geometry",
    claims=REPARAMETRIZATIONS,
)
def relative_largest_eigenvalue(point):
    """The largest curvature where lengths are measured by how much the outputs change. It is 1
    wherever H = F.
    """
    return point.relative_eigenvalues[0]


@measure(
    "Relative trace",
    formula=r"$\operatorname{tr}(F^+H)$",
    source="Riemannian Hessian of Kristiadi et al. 2023 with the Fisher metric",
    cite="kristiadi2023geometry",
    claims=REPARAMETRIZATIONS,
)
def relative_trace(point):
    """The sum of the curvatures relative to the Fisher information. It is the rank of F wherever H
    = F.
    """
    return point.relative_eigenvalues.sum()


@measure(
    "Laplace evidence",
    formula=r"$NL + \tfrac{\gamma}{2}|\theta|^2 + \tfrac12\log\det(I + NF/\gamma)$",
    source="MacKay 1992; as in aleximmer/Laplace with a full Gauss-Newton matrix",
)
def laplace_evidence(point, *, precision=1.0):
    """Minus the logarithm of the evidence, for the prior N(0, I / precision) and, with squared
    error, noise of variance one.
    """
    n_samples = len(point.outputs)
    noise = 0.0
    if point.criterion == "squared_error":
        noise = point.outputs.size / 2 * np.log(2 * np.pi)
    prior = precision / 2 * point.theta @ point.theta
    spectrum = np.maximum(scipy.linalg.eigvalsh(point.fisher), 0)
    occam = np.log1p(n_samples * spectrum / precision).sum() / 2
    return n_samples * point.value + noise + prior + occam


def _inertia(point):
    """The numbers of positive and of negative eigenvalues of the Hessian."""
    s = scales_to_unit_diagonal(point.hessian)
    positive, negative, _ = inertia(point.hessian * np.outer(s, s), rtol=NEGLIGIBLE)
    return positive, negative
