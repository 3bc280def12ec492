"""Sharpness, flatness and what a change of parameters does to them: the library of the book on Dinh
et al. (2017).

    networks, losses         rectified networks, as functions of one vector of parameters
    hessians, spectra        exact derivatives of a loss, and what is read off them
    alpha_transform          scaling that keeps the function
    flatness, sharpness      the flatness and the sharpness of the paper
    reparametrization        other coordinates, and the same loss seen in them
    landscapes, training     planes through a loss, and minima that are minima
    interop, frameworks      networks and losses from scikit-learn, PyTorch and JAX
    points, measures         35 measures of sharpness and size at a point
    transformations, orbits, invariance
                             which measures survive a change of parameters, and by how much not
    samples, examples        networks to try things on; the second needs scikit-learn

Everything is imported from here: `import sharpminima as sm`. A loss is any function of a float64
vector that is written with `autograd.numpy`, or that another framework computes: `TorchLoss`,
`JaxLoss`.
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
from .frameworks import JaxLoss, TorchLoss
from .hessians import (
    gauss_newton,
    gradient,
    hessian,
    hessian_diagonal,
    hessian_operator,
    hvp,
    jacobian,
)
from .interop import from_sklearn, from_torch, to_sklearn, to_torch
from .invariance import Audit, Audits, Counterexample, Finding, audit, audit_all
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
from .orbits import LeastNorm, Orbit, least_norm, orbit
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
from .training import Descent, DescentPath, Minimum, examine, gradient_descent, polish, sgd
from .transformations import TRANSFORMATIONS, NotKept, Transformation, weight_normalized

__all__ = [
    "Audit",
    "Audits",
    "Bounds",
    "Carried",
    "Counterexample",
    "Descent",
    "DescentPath",
    "Example",
    "Finding",
    "JaxLoss",
    "Kinks",
    "LEFT_OUT",
    "Layer",
    "LayeredLoss",
    "LeastNorm",
    "MEASURES",
    "Map",
    "Measure",
    "Minimum",
    "NetworkLoss",
    "NotKept",
    "Orbit",
    "Params",
    "Point",
    "ResidualLoss",
    "Sharpness",
    "Split",
    "TRANSFORMATIONS",
    "TorchLoss",
    "Transformation",
    "Undefined",
    "Volume",
    "alpha_diagonal",
    "alpha_log_determinant",
    "alpha_scale",
    "audit",
    "audit_all",
    "balance",
    "box_radius",
    "carried_network",
    "digits",
    "eigenvalues",
    "elementwise_map",
    "epsilon_sharpness",
    "examine",
    "filter_direction",
    "flatness_volume",
    "forward",
    "from_sklearn",
    "from_torch",
    "gauss_newton",
    "gradient",
    "gradient_descent",
    "hessian",
    "hessian_diagonal",
    "hessian_operator",
    "hvp",
    "inertia",
    "init_params",
    "jacobian",
    "keskar_sharpness",
    "kinks",
    "landscape",
    "layer_sizes",
    "leading_eigenvalues",
    "least_norm",
    "linear_map",
    "local_minima",
    "loss_bounds",
    "measure",
    "node_diagonal",
    "node_scale",
    "nonconvex_share",
    "numerical_rank",
    "orbit",
    "polish",
    "power_map",
    "prior_mass",
    "radial_map",
    "ravel",
    "relu",
    "reparametrize",
    "running_example",
    "sample_networks",
    "sgd",
    "sharpest_direction",
    "spectral_norm",
    "to_sklearn",
    "to_torch",
    "trace",
    "unravel",
    "weight_norm_map",
    "weight_normalized",
]

__version__ = "0.1.0"


def __getattr__(name):
    """Names that moved to bookproof, for one release."""
    if name in ("check", "Claim", "ClaimError"):
        import bookproof.claims

        return getattr(bookproof.claims, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
