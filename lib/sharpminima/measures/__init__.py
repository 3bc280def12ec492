"""Measures of sharpness, of flatness and of size: each a function of a point, that is, of a loss
and a parameter vector.

A point computes each thing that measures need once, so that many measures share one Hessian.
`MEASURES` holds the measures of the literature, each with its formula, its source and the
transformations under which its authors say that it keeps its value; `LEFT_OUT` names those that are
missing, and says why.

All are exact: no sampling, no estimate of a trace. H is the Hessian of the mean loss, F the
Gauss-Newton matrix (for cross-entropy the Fisher information, for squared error that of Gaussian
noise of variance one), W_k the weight of layer k, N the number of samples. Where a source perturbs
the parameters and no closed form exists, the second-order term is taken: that is what is left at a
minimum as the radius shrinks. The name of the measure says so.
"""

# isort: off
# The order of every table: a module registers its measures when it is imported.
from .registry import KEEPING, MEASURES, NEEDS, REPARAMETRIZATIONS, SCALES, Measure, measure
from .curvature import (
    largest_eigenvalue,
    trace,
    frobenius_norm,
    hessian_rank,
    negative_eigenvalues,
    gradient_norm,
    fisher_trace,
    log_determinant,
    relative_largest_eigenvalue,
    relative_trace,
    effective_dimension,
    learning_coefficient,
    laplace_evidence,
)
from .perturbation import (
    sam_worst,
    m_sharpness,
    sam_average,
    asam_worst,
    asam_average,
    asam_damped_worst,
    asam_damped_average,
    asam_filter_worst,
    asam_filter_average,
    box_average,
    layer_normalized,
)
from .orbit_minimum import (
    minimum_sharpness_layers,
    minimum_sharpness_units,
    normalized_flatness_arxiv,
    normalized_flatness_icml,
)
from .scaling_floor import (
    least_eigenvalue_layers,
    least_eigenvalue_units,
    Floor,
    LeastNorm,
    least_norm,
    sharpness_floor,
)
from .finite_radius import keskar_bounds
from .relative_flatness import (
    relative_flatness_first,
    relative_flatness_last,
    relative_flatness_normalized,
)
from .norms import (
    fisher_rao,
    fisher_rao_labels,
    path_norm,
    product_of_frobenius_norms,
    product_of_spectral_norms,
    squared_norm,
    input_gradient_norm,
    path_norm_over_margin,
    frobenius_norms_over_margin,
    spectral_norms_over_margin,
)
from .proofs import LIMITS, PROOFS, find_limit, find_proof
# isort: on

# Measures of the literature that `MEASURES` lacks, with the reason.
LEFT_OUT = {
    "Volume ε-flatness": (
        "infinite at every parameter of a rectified network (Dinh et al. 2017, theorem 2)"
    ),
    "Flat-minimum volume of Hochreiter and Schmidhuber": (
        "its tolerance, its prior and its approximations are not one formula"
    ),
    "Keskar's box, worst case": (
        "to maximize over a box is NP-hard, so that it has no value here; keskar_bounds proves a"
        " bracket, which is enough to see it break"
    ),
    "Keskar's box in a random subspace": "a random quantity: it has a distribution, not a value",
    "ASAM filter-wise, damped": "the released code has the element-wise T only",
    "PSI-flatness": (
        "only the abstract could be read, and no code of the authors (Yi et al. 2019)"
    ),
    "IGS": "only the abstract could be read, not the formula (Jang et al. 2022)",
    "Fisher SAM": (
        "its second-order worst case is the relative largest eigenvalue, up to a factor"
        " (Kim et al. 2022)"
    ),
    "Monge SAM": (
        "only the abstract could be read; with gradient 0 its metric is the identity"
        " (Jacobsen and Arvanitidis 2025)"
    ),
    "Geodesic sharpness": (
        "no code could be read; a maximum over geodesics without a closed form"
        " (da Silva et al. 2025)"
    ),
    "Logit-normalized sharpness": (
        "a maximum over losses of normalized logits, not of this loss (Andriushchenko et al. 2023)"
    ),
    "Spherical sharpness": (
        "for weights followed by a normalization, which these networks lack (Lyu et al. 2022)"
    ),
    "PAC-Bayes 1/σ²": (
        "a bisection over sampled accuracies, hence an estimate"
        " (Jiang et al. 2020, Dziugaite et al. 2020)"
    ),
    "log P(f)": (
        "the prior mass of a function can be sampled, not computed, beyond a few dimensions"
        " (Zhang et al. 2021)"
    ),
    "Local learning coefficient, estimated": (
        "sampled by a Markov chain, hence an estimate; where it is known exactly it is in the table"
        " (Lau et al. 2025)"
    ),
    "Local entropy": (
        "an integral over a Gaussian ball of finite width, sampled beyond a few dimensions"
        " (Chaudhari et al. 2017, Entropy-SGD)"
    ),
    "Low-pass and averaged losses of finite radius": (
        "averages over a ball of finite radius, hence estimates; to second order they are the"
        " averages in the table"
    ),
    "Spectral complexity": (
        "its second factor measures distances from a reference, which a network alone has not"
        " (Bartlett et al. 2017); the first factor over the margin is in the table"
    ),
    "Gradient noise, Fisher trace along training": (
        "properties of a training run, not of a point (Jastrzebski et al. 2021)"
    ),
    "Weakness": (
        "counts completions of a discrete task, which a network on these data does not define"
        " (Bennett 2026)"
    ),
}
