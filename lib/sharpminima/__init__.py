"""Sharpness, flatness and what a change of parameters does to them: the library of the book on Dinh
et al. (2017).
"""

from .alpha_transform import (
    alpha_diagonal,
    alpha_log_determinant,
    alpha_scale,
    node_diagonal,
    node_scale,
)
from .examples import Carried, Example, Split, carried_network, digits, running_example
from .flatness import Bounds, Volume, box_radius, flatness_volume, loss_bounds, prior_mass
from .hessians import (
    gauss_newton,
    gradient,
    hessian,
    hessian_diagonal,
    hessian_operator,
    hvp,
    jacobian,
)
from .interop import from_sklearn, from_torch
from .invariance import Audit, Counterexample, audit, audit_all
from .landscapes import filter_direction, landscape, local_minima, nonconvex_share
from .losses import Kinks, LayeredLoss, NetworkLoss, ResidualLoss, kinks
from .measures import LEFT_OUT, MEASURES, Measure, measure
from .networks import (
    Layer,
    Params,
    forward,
    init_params,
    layer_sizes,
    ravel,
    relu,
    unravel,
)
from .orbits import Orbit, orbit
from .points import Point, Undefined
from .reparametrization import (
    Map,
    elementwise_map,
    linear_map,
    power_map,
    radial_map,
    reparametrize,
    weight_norm_map,
)
from .samples import sample_networks
from .sharpness import Sharpness, epsilon_sharpness, keskar_sharpness, sharpest_direction
from .spectra import (
    balance,
    eigenvalues,
    inertia,
    leading_eigenvalues,
    numerical_rank,
    spectral_norm,
    trace,
)
from .tables import Audits, Finding
from .training import Descent, Minimum, examine, gradient_descent, polish, sgd
from .transformations import TRANSFORMATIONS, NotKept, Transformation, weight_normalized

__version__ = "0.1.0"


def __getattr__(name):
    """Names that moved to bookproof, for one release."""
    if name in ("check", "Claim", "ClaimError"):
        import bookproof.claims

        return getattr(bookproof.claims, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
