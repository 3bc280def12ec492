"""Perturbations of the parameters: how much the loss rises nearby, at most or in the mean, to
second order.

What is nearby is a ball around theta, in units T of each parameter: SAM takes 1, ASAM the
parameter's own size.
"""

import numpy as np

from ..networks import ravel
from ..points import Undefined
from ..spectra import find_largest_eigenvalue, find_spectral_norm, scale_symmetrically
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
    claims=("layer_scale",),
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
)
def layer_normalized(point):
    """The Hessian's spectral norm where each layer's perturbation is measured in units of the
    layer's norm; without biases.
    """
    refuse_biases(point)
    return find_spectral_norm(scale_symmetrically(point.curvature, _layer_norms(point)))


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
