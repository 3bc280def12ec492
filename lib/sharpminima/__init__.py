"""Sharpness, flatness and what a change of parameters does to them: the library of the book on Dinh
et al. (2017).

    networks, losses         rectified networks, as functions of one vector of parameters
    hessians, spectra, density
                             exact derivatives of a loss, what is read off them, and the density of
                             a spectrum that is too large to compute
    alpha_transform          scaling that keeps the function
    flatness, sharpness      the flatness and the sharpness of the paper
    reparametrization        other coordinates, and the same loss seen in them
    landscapes, training     planes through a loss, and minima that are minima
    trajectories             what happens on the way: loss, sharpness and balance step by step
    interop, frameworks      networks and losses from scikit-learn, PyTorch and JAX
    points, measures         43 measures of sharpness and size at a point
    transformations, orbits, invariance
                             which measures survive a change of parameters, and by how much not
    sweeps, rank_correlations
                             many networks, and whether a measure orders them as their error does
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
from .data_tables import Table, read_table, write_table
from .density import Estimate, Share, SpectralDensity, spectral_density
from .examples import Carried, Example, Split, carried_network, digits, running_example
from .flatness import Bounds, Volume, box_radius, flatness_volume, loss_bounds, prior_mass
from .frameworks import JaxLoss, TorchLoss
from .hessians import (
    gauss_newton,
    gauss_newton_diagonal,
    gauss_newton_operator,
    gradient,
    hessian,
    hessian_diagonal,
    hessian_operator,
    hvp,
    jacobian,
    jvp,
    unit_traces,
)
from .interop import from_sklearn, from_torch, to_sklearn, to_torch
from .invariance import Audit, Audits, Counterexample, Finding, audit, audit_all
from .landscapes import filter_direction, landscape, local_minima, nonconvex_share
from .losses import Kinks, LayeredLoss, NetworkLoss, ResidualLoss, kinks
from .measures import (
    LEFT_OUT,
    MEASURES,
    NEEDS,
    Floor,
    LeastNorm,
    Measure,
    find_proof,
    keskar_bounds,
    least_norm,
    measure,
    sharpness_floor,
)
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
from .rank_correlations import RankCorrelation, rank_correlation
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
    Eigenpairs,
    balance,
    eigenvalues,
    inertia,
    leading_eigenvalues,
    leading_eigenvectors,
    numerical_rank,
    spectral_norm,
    trace,
)
from .sweeps import Trained, sweep, train_network
from .training import Descent, DescentPath, Minimum, examine, gradient_descent, polish, sgd
from .trajectories import (
    AdamStep,
    GradientStep,
    LargestEigenvalue,
    MomentumStep,
    StepRule,
    Trajectory,
    follow,
    layer_imbalances,
    unit_imbalances,
)
from .transformations import TRANSFORMATIONS, NotKept, Transformation, weight_normalized

__all__ = [
    "AdamStep",
    "Audit",
    "Audits",
    "Bounds",
    "Carried",
    "Counterexample",
    "Descent",
    "DescentPath",
    "Eigenpairs",
    "Estimate",
    "Example",
    "Finding",
    "Floor",
    "GradientStep",
    "JaxLoss",
    "Kinks",
    "LEFT_OUT",
    "LargestEigenvalue",
    "Layer",
    "LayeredLoss",
    "LeastNorm",
    "MEASURES",
    "Map",
    "Measure",
    "Minimum",
    "MomentumStep",
    "NEEDS",
    "NetworkLoss",
    "NotKept",
    "Orbit",
    "Params",
    "Point",
    "RankCorrelation",
    "ResidualLoss",
    "Share",
    "Sharpness",
    "SpectralDensity",
    "Split",
    "StepRule",
    "TRANSFORMATIONS",
    "Table",
    "TorchLoss",
    "Trained",
    "Trajectory",
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
    "find_proof",
    "flatness_volume",
    "follow",
    "forward",
    "from_sklearn",
    "from_torch",
    "gauss_newton",
    "gauss_newton_diagonal",
    "gauss_newton_operator",
    "gradient",
    "gradient_descent",
    "hessian",
    "hessian_diagonal",
    "hessian_operator",
    "hvp",
    "inertia",
    "init_params",
    "jacobian",
    "jvp",
    "keskar_bounds",
    "keskar_sharpness",
    "kinks",
    "landscape",
    "layer_imbalances",
    "layer_sizes",
    "leading_eigenvalues",
    "leading_eigenvectors",
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
    "rank_correlation",
    "ravel",
    "read_table",
    "relu",
    "reparametrize",
    "running_example",
    "sample_networks",
    "sgd",
    "sharpest_direction",
    "spectral_density",
    "sharpness_floor",
    "spectral_norm",
    "sweep",
    "to_sklearn",
    "to_torch",
    "trace",
    "train_network",
    "unit_imbalances",
    "unit_traces",
    "unravel",
    "weight_norm_map",
    "weight_normalized",
    "write_table",
]

__version__ = "1.0.0"


def __getattr__(name):
    """Names that moved to bookproof, for one release."""
    if name in ("check", "Claim", "ClaimError"):
        import bookproof.claims

        return getattr(bookproof.claims, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
