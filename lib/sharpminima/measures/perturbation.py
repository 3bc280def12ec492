"""Perturbations of the parameters: how much the loss rises nearby, at most or in the mean, to
second order.

What is nearby is a ball around theta, in units T of each parameter: SAM takes 1, ASAM the
parameter's own size.
"""

import numpy as np
import scipy.linalg
import scipy.optimize

from .. import hessians
from ..losses import LayeredLoss, knows
from ..networks import ravel
from ..points import Undefined
from ..reparametrization import Reparametrized, reparametrize
from ..spectra import (
    find_largest_eigenvalue,
    find_spectral_norm,
    scale_symmetrically,
)
from .layers import map_layers, refuse_biases
from .registry import SCALES, measure


@measure(
    "SAM, worst",
    needs="products",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(H)$",
    source="Foret et al. 2021, to second order",
    cite="foret2021sam",
)
def sam_worst(point, *, rho=0.05):
    """The second-order term of the largest L(theta + d) - L(theta) with |d| <= rho."""
    return rho**2 / 2 * max(find_largest_eigenvalue(point.curvature), 0)


@measure(
    "m-sharpness",
    formula=r"$\max_{|d|\le\rho}\ g_B^\top d+\tfrac12 d^\top H_B\,d$, mean over batches $B$",
    source="Foret et al. 2021, batches of four samples in the order of the data, to second order",
    cite="foret2021sam",
)
def m_sharpness(point, *, rho=0.05, m=4):
    """The largest rise within |d| <= rho of the loss of a batch of `m` samples, to second order, in
    the mean over the batches.

    A batch has a gradient even where the whole data set has none, so that the first order stays.
    """
    point.needs_derivatives()
    rises = []
    for batch in _split_into_batches(point, m):
        g = hessians.gradient(batch, point.theta)
        H = hessians.hessian(batch, point.theta)
        rises.append(_find_largest_rise(g, H, rho))
    return np.mean(rises)


@measure(
    "SAM, average",
    needs="diagonal",
    formula=r"$\tfrac{\rho^2}{2}\operatorname{tr} H$",
    source="Andriushchenko et al. 2023, to second order",
    cite="andriushchenko2023modern",
)
def sam_average(point, *, rho=0.05):
    """The second-order term of the mean of L(theta + d) - L(theta) over d from N(0, rho² I)."""
    return rho**2 / 2 * point.hessian_diagonal.sum()


@measure(
    "ASAM, worst",
    needs="products",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = |\theta|$",
    source="Kwon et al. 2021, element-wise, to second order",
    cite="kwon2021asam",
    claims=SCALES,
    place=(
        "abstract: adaptive sharpness is scale-invariant; the section with the normalization "
        "operators could not be read"
    ),
)
def asam_worst(point, *, rho=0.5):
    """The second-order term of the largest L(theta + d) - L(theta) with |d / theta| <= rho; T is
    diagonal.
    """
    return _worst(point, np.abs(point.theta), rho)


@measure(
    "ASAM, average",
    needs="diagonal",
    formula=r"$\tfrac{\rho^2}{2}\sum_i \theta_i^2 H_{ii}$",
    source="Andriushchenko et al. 2023, adaptive, to second order",
    cite="andriushchenko2023modern",
    claims=SCALES,
    place=("Andriushchenko et al. 2023, recalled and not read again"),
)
def asam_average(point, *, rho=0.5):
    """The second-order term of the mean of L(theta + d) - L(theta) over d from N(0, rho² T²)."""
    return _average(point, np.abs(point.theta), rho)


@measure(
    "ASAM as released, worst",
    needs="products",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = |W| + 0.01,\ 1$ for biases",
    source="SamsungLabs/ASAM, to second order; the paper's claim is for the undamped T",
    cite="kwon2021asam",
)
def asam_damped_worst(point, *, rho=0.5, eta=0.01):
    """ASAM, worst, with the T of the released code: weights are damped by `eta`, biases are not
    scaled.
    """
    return _worst(point, _released_units(point, eta), rho)


@measure(
    "ASAM as released, average",
    needs="diagonal",
    formula=r"$\tfrac{\rho^2}{2}\sum_i T_i^2 H_{ii},\ T = |W| + 0.01,\ 1$ for biases",
    source="the T of SamsungLabs/ASAM, to second order; the paper's claim is for the undamped T",
    cite="kwon2021asam",
)
def asam_damped_average(point, *, rho=0.5, eta=0.01):
    """ASAM, average, with the T of the released code."""
    return _average(point, _released_units(point, eta), rho)


@measure(
    "ASAM filter-wise, worst",
    needs="products",
    formula=r"$\tfrac{\rho^2}{2}\lambda_{\max}(THT),\ T = \|W_{k,\cdot j}\|_2$",
    source=(
        "Kwon et al. 2021, filter-wise, to second order; a filter of a dense layer as in Li et al."
        " 2018"
    ),
    cite="kwon2021asam",
    claims=("layer_scale",),
    place=(
        "abstract: adaptive sharpness is scale-invariant; the section with the normalization "
        "operators could not be read, so whether the filter-wise claim reaches node scaling, "
        "where it would fail, is open"
    ),
)
def asam_filter_worst(point, *, rho=0.5):
    """ASAM, worst, where T of a weight is the norm of all weights that enter its unit; of a bias,
    its size.
    """
    return _worst(point, _filter_norms(point), rho)


@measure(
    "ASAM filter-wise, average",
    needs="diagonal",
    formula=r"$\tfrac{\rho^2}{2}\sum_i T_i^2 H_{ii},\ T = \|W_{k,\cdot j}\|_2$",
    source=(
        "Kwon et al. 2021, filter-wise, averaged, to second order; a filter of a dense layer as in"
        " Li et al. 2018"
    ),
    cite="kwon2021asam",
)
def asam_filter_average(point, *, rho=0.5):
    """ASAM, average, where T of a weight is the norm of all weights that enter its unit; of a bias,
    its size.
    """
    return _average(point, _filter_norms(point), rho)


@measure(
    "Keskar's box, average",
    needs="diagonal",
    formula=r"$\frac{100}{1+L}\cdot\frac{\epsilon^2}{6}\sum_i (|\theta_i|+1)^2 H_{ii}$",
    source="the box of Keskar et al. 2017, averaged, to second order",
    cite="keskar2017large",
)
def box_average(point, *, epsilon=1e-3):
    """The second-order term of 100 (L(theta + z) - L(theta)) / (1 + L(theta)) over |z_i| <= epsilon
    (|theta_i| + 1), averaged.
    """
    if not point.value > -1:
        raise Undefined(f"the loss must be greater than -1, got {point.value:g}")
    deviation = epsilon / np.sqrt(3)  # of a uniform between -epsilon and epsilon
    average = _average(point, np.abs(point.theta) + 1, deviation)
    return 100 / (1 + point.value) * average


@measure(
    "Layer-normalized spectral norm",
    needs="products",
    formula=r"$\|DHD\|_2,\ D = \|W_k\|_F$",
    source="Rangamani et al. 2021, as in akshay-r/scale-invariant-flatness, at a critical point",
    cite="rangamani2021scale",
    claims=("layer_scale",),
    place=("abstract of arXiv 1902.02434: invariant under rescaling, by the quotient manifold"),
)
def layer_normalized(point):
    """The Hessian's spectral norm where each layer's perturbation is measured in units of the
    layer's norm; without biases.
    """
    refuse_biases(point)
    return find_spectral_norm(scale_symmetrically(point.curvature, _layer_norms(point)))


def _split_into_batches(point, m):
    """The losses of batches of m samples; the last may be smaller."""
    maps = []
    loss = point.loss
    while isinstance(loss, Reparametrized):
        maps.append(loss.g)
        loss = loss.loss
    if not knows(loss, "on"):
        raise Undefined(f"the loss must have on(x, y) to be split into batches, got {loss!r}")
    starts = range(0, len(loss.x), m)
    batches = []
    for k in starts:
        rows = slice(k, k + m)
        if isinstance(loss, LayeredLoss):  # samples keep their weights
            batches.append(loss.take(rows))
        else:
            batches.append(loss.on(loss.x[rows], loss.y[rows]))
    for g in reversed(maps):
        batches = [reparametrize(batch, g) for batch in batches]
    return batches


def _find_largest_rise(g, H, rho):
    """The largest g'd + d'Hd / 2 over |d| <= rho.

    At the maximum (s I - H) d = g with |d| = rho and s >= the largest eigenvalue, unless H is
    negative definite and the maximum inside; the s is the root of a falling function.
    """
    size = np.linalg.norm(g)
    if size <= 1e-10 * np.abs(H).max() * rho:
        last = len(H) - 1
        [largest] = scipy.linalg.eigvalsh(H, subset_by_index=[last, last])
        return rho**2 / 2 * max(largest, 0)
    values, vectors = scipy.linalg.eigh(H)
    seen = vectors.T @ g
    largest = values[-1]

    def rise(d):
        return seen @ d + d @ (values * d) / 2

    def excess(s):
        return np.linalg.norm(seen / (s - values)) - rho

    floor = max(largest, 0.0) + 1e-14 * max(abs(largest), size / rho)
    if excess(floor) > 0:
        s = scipy.optimize.brentq(excess, floor, 2 * (floor + size / rho), xtol=1e-300, rtol=1e-15)
        return rise(seen / (s - values))
    if largest < 0:
        return rise(-seen / values)
    # No part of g along the largest eigenvector: what is missing of rho goes there.
    d = np.append(seen[:-1] / (floor - values[:-1]), 0.0)
    d[-1] = np.sqrt(max(rho**2 - d @ d, 0.0))
    return rise(d)


def _worst(point, T, rho):
    """The largest d'Hd / 2 over |d / T| <= rho, 0 where none is positive."""
    largest = find_largest_eigenvalue(scale_symmetrically(point.curvature, T))
    return rho**2 / 2 * max(largest, 0)


def _average(point, T, rho):
    """The mean of d'Hd / 2 over d of mean 0 with independent entries of deviation rho T_i."""
    return rho**2 / 2 * (T**2 @ point.hessian_diagonal)


def _released_units(point, eta):
    units = map_layers(point.layers, lambda W: np.abs(W) + eta, np.ones_like)
    return ravel(units)


def _filter_norms(point):
    def of_weight(W):
        return np.broadcast_to(np.linalg.norm(W, axis=0), W.shape)

    return ravel(map_layers(point.layers, of_weight, np.abs))


def _layer_norms(point):
    def of_weight(W):
        return np.full_like(W, np.linalg.norm(W))

    return ravel(map_layers(point.layers, of_weight, np.abs))
