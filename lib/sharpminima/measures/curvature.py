"""Curvature: what is read off the Hessian H, the Fisher information F, and H relative to F."""

from itertools import pairwise

import numpy as np
import scipy.linalg

from ..criteria import predict_means
from ..points import Undefined
from ..spectra import (
    find_largest_eigenvalue,
    find_length,
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
    return find_length(point.hessian.ravel())


@measure(
    "Rank of the Hessian",
    formula=r"$\operatorname{rank} H$",
    source="Dinh et al. 2017, theorem 5; invariant by Sylvester's law",
    cite="dinh2017sharp",
)
def hessian_rank(point):
    """The number of directions with curvature, which at a critical point no smooth map of the
    parameters changes.
    """
    positive, negative = point.inertia
    return positive + negative


@measure(
    "Negative eigenvalues",
    formula=r"$n_-(H)$",
    source="invariant by Sylvester's law",
    cite="horn2013matrix",
)
def negative_eigenvalues(point):
    """The number of directions of negative curvature; 0 at a minimum."""
    _, negative = point.inertia
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
    return find_length(point.gradient)


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
    place=(
        "abstract: invariance where the metric is carried along; the definitions were not "
        "read again"
    ),
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
    place=(
        "abstract: invariance where the metric is carried along; the definitions were not "
        "read again"
    ),
)
def relative_trace(point):
    """The sum of the curvatures relative to the Fisher information. It is the rank of F wherever H
    = F.
    """
    return point.relative_eigenvalues.sum()


@measure(
    "Effective dimension",
    formula=r"$\sum_i \lambda_i/(\lambda_i+\gamma)$",
    source="MacKay 1992; Maddox et al. 2020; negative eigenvalues count as zero",
    cite="maddox2020rethinking",
)
def effective_dimension(point, *, gamma=1.0):
    """How many directions have a curvature that is large against `gamma`, the precision of a prior
    a sample.
    """
    spectrum = np.maximum(point.eigenvalues, 0)
    return np.sum(spectrum / (spectrum + gamma))


@measure(
    "Learning coefficient",
    formula=r"$\tfrac12\operatorname{rank} H$, where the zeros of $L-L(\theta)$ are smooth",
    source=(
        "Watanabe 2009, Lau et al. 2025; exact where all outputs can be moved freely, or where only"
        " scalings of units keep the loss"
    ),
    cite="lau2025local",
    claims=REPARAMETRIZATIONS,
    place=("abstract of Lau et al. 2025; the invariance is that of an exponent of volumes"),
)
def learning_coefficient(point):
    """The exponent at which the volume of {L < L(theta) + e} vanishes with e, at a minimum where it
    is known exactly.

    That is half of the Hessian's rank where the minima near theta are a smooth surface across which
    the Hessian is regular (Morse and Bott): where the outputs (of cross-entropy the probabilities)
    equal the targets and their derivatives are linearly independent, and where the Hessian is
    singular along the scalings of units only. Elsewhere it is undefined here.
    """
    positive, negative = point.inertia
    if negative:
        raise Undefined("the point is no minimum: the Hessian has a negative eigenvalue")
    _refuse_unless_critical(point)
    if _can_move_outputs_freely(point, positive) or _is_singular_along_scalings(point, positive):
        return positive / 2
    raise Undefined("the minima near here are not known to be a smooth surface")


@measure(
    "Laplace evidence",
    formula=r"$NL + \tfrac{\gamma}{2}|\theta|^2 + \tfrac12\log\det(I + NF/\gamma)$",
    source="MacKay 1992; as in aleximmer/Laplace with a full Gauss-Newton matrix",
    cite="mackay1992bayesian",
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


CRITICAL = 1e-10  # the size of a gradient, relative to the Hessian, that is rounding


def _refuse_unless_critical(point):
    # In units of a parameter's own curvature, so that it does not depend on how it is scaled.
    s = scales_to_unit_diagonal(point.hessian)
    if np.abs(s * point.gradient).max() > CRITICAL * np.sqrt(len(s)):
        raise Undefined("the point is no minimum: the gradient is not zero")


def _can_move_outputs_freely(point, rank):
    """Return whether the targets are met and the rank is that of all that the criterion sees of the
    outputs: N C for squared error, N (C - 1) for probabilities.
    """
    point.needs("y", "outputs")
    point.needs_criterion_mean()
    outputs, targets = point.outputs, point.loss.y
    n_samples, n_outputs = outputs.shape
    if point.criterion == "cross_entropy":
        n_outputs -= 1
    outputs = predict_means(point.criterion, outputs)
    misses = np.abs(outputs - targets).max()
    return misses <= CRITICAL * np.abs(targets).max() and rank == n_samples * n_outputs


def _is_singular_along_scalings(point, rank):
    """Return whether the Hessian is singular in as many directions as there are hidden units with
    weights on both sides: the orbit of their scalings is a smooth surface of that dimension.
    """
    loss, theta = point.network
    if len(theta) != len(point.theta):
        return False
    layers = loss.layers(theta)
    n_scalings = 0
    for layer, after in pairwise(layers):
        enters = (layer.weight != 0).any(axis=0)
        if layer.bias is not None:
            enters |= layer.bias != 0
        n_scalings += np.sum(enters & (after.weight != 0).any(axis=1))
    return rank == len(theta) - n_scalings
