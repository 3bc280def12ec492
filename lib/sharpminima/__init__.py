"""Sharpness, flatness and what a change of parameters does to them: the library of the book on Dinh et al. (2017)."""

from .alpha_transform import alpha_diagonal, alpha_log_determinant, alpha_scale, node_diagonal, node_scale
from .claims import Claim, ClaimError, check
from .datasets import Split, digits
from .flatness import Bounds, Volume, box_radius, flatness_volume, loss_bounds, prior_mass
from .hessians import (
    balance,
    eigenvalues,
    gauss_newton,
    gradient,
    hessian,
    hessian_diagonal,
    hessian_operator,
    hvp,
    inertia,
    jacobian,
    leading_eigenvalues,
    numerical_rank,
    spectral_norm,
    trace,
)
from .interop import from_sklearn, from_torch
from .invariance import Audit, Counterexample, Orbit, audit, audit_all, orbit, sample_networks
from .landscapes import ResidualLoss, filter_direction, landscape, local_minima, nonconvex_share
from .measures import LEFT_OUT, MEASURES, Measure, Point, Undefined, measure
from .networks import (
    Kinks,
    Layer,
    NetworkLoss,
    Params,
    forward,
    init_params,
    kinks,
    layer_sizes,
    ravel,
    relu,
    unravel,
)
from .reparametrization import (
    Map,
    elementwise_map,
    linear_map,
    power_map,
    radial_map,
    reparametrize,
    weight_norm_map,
)
from .sharpness import Sharpness, epsilon_sharpness, keskar_sharpness, sharpest_direction
from .tables import Audits, Finding
from .training import Carried, Descent, Minimum, carried_network, examine, gradient_descent, polish, sgd
from .transformations import TRANSFORMATIONS, NotKept, Transformation, weight_normalized

__version__ = "0.1.0"
