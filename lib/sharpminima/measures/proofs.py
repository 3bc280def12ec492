"""Why a measure survives: a proof of two lines for each survivor of the audit that has one.

`find_proof` returns it. What survives in the audit and has none here was sampled only; where it is
known to break at other networks `find_limit` returns at which.
"""

from .._validation import as_text

SPECTRAL = (
    "largest_eigenvalue trace frobenius_norm fisher_trace log_determinant effective_dimension"
    " sam_worst sam_average m_sharpness"
)
INERTIA = "hessian_rank negative_eigenvalues"
RELATIVE = "relative_largest_eigenvalue relative_trace"
ADAPTIVE = "asam_worst asam_average"
FILTERS = "asam_filter_worst asam_filter_average layer_normalized"
LAYER_FLOORS = "minimum_sharpness_layers least_eigenvalue_layers"
UNIT_FLOORS = "minimum_sharpness_units least_eigenvalue_units"
NORMALIZED = "normalized_flatness_arxiv normalized_flatness_icml"
FISHER_RAO = "fisher_rao fisher_rao_labels"
PRODUCTS = "product_of_frobenius_norms product_of_spectral_norms"
PRODUCTS_OVER_MARGIN = "frobenius_norms_over_margin spectral_norms_over_margin"
PATHS = "path_norm path_norm_over_margin"
EVERY = "every measure"

COORDINATES = "linear_map radial_map"
SCALES = "layer_scale node_scale"

# Measures, transformations, the proof.
_PROOFS = [
    (
        EVERY,
        "permutation",
        "The loss is the same function of the parameters in another order, L(Pθ) = L(θ), so that H"
        " becomes PHPᵀ. No formula depends on the order of units.",
    ),
    (
        f"{SPECTRAL} {INERTIA} {RELATIVE} {ADAPTIVE} {FISHER_RAO} gradient_norm laplace_evidence"
        " learning_coefficient box_average squared_norm",
        "weight_norm_sign",
        "L(Sη) = L(η) for a diagonal S of signs, so that H becomes SHS: its spectrum, its diagonal"
        " and all |η_i| stay.",
    ),
    (
        f"{SPECTRAL} {INERTIA} {RELATIVE} gradient_norm learning_coefficient",
        "softmax_shift",
        "The shift adds a fixed vector d to the parameters, and L(θ + d) = L(θ) for all θ: value,"
        " gradient, Hessian and F stay.",
    ),
    (
        f"{LAYER_FLOORS} {UNIT_FLOORS}",
        "softmax_shift",
        "The shift adds a fixed vector to the parameters, so that H stays; the Hessian of each"
        " scaled twin is read off H.",
    ),
    (
        INERTIA,
        f"{SCALES} weight_norm_scale {COORDINATES} input_basis elementwise_map",
        "Sylvester's law: H becomes DᵀHD with an invertible D (for curved maps at critical points"
        " only), which keeps the numbers of positive and negative eigenvalues.",
    ),
    (
        RELATIVE,
        f"{SCALES} weight_norm_scale {COORDINATES} input_basis elementwise_map",
        "At critical points H becomes DᵀHD and F becomes DᵀFD with the same D, so that Hv = λFv"
        " keeps its λ.",
    ),
    (
        RELATIVE,
        "unit_split",
        "Moves v of the halves act as moves Pv of the unit, P onto: J becomes JP, and F PᵀFP. A"
        " value needs H to be 0 where F is, so H becomes PᵀKP; as halves that move alike are the"
        " unit, K is the old H.",
    ),
    (
        "learning_coefficient",
        f"{SCALES} weight_norm_scale {COORDINATES} input_basis elementwise_map",
        "A smooth map with a smooth inverse multiplies volumes by a factor between two positive"
        " numbers, which changes no exponent; here it is half of the rank (Sylvester).",
    ),
    (
        "learning_coefficient",
        "unit_split",
        "H vanishes along a' + d, a'' - d, which is no scaling, so a value needs targets that are"
        " met. There H = F, and derivatives by the halves span what those by the unit did: one"
        " rank.",
    ),
    (
        "learning_coefficient",
        "hidden_twin",
        "The rank is n - s, with s scalings, or the number m of outputs to be met. At minima none"
        " exceeds n - s, where targets are met none exceeds m, and twins share n, s, m and the"
        " targets: one rank.",
    ),
    (
        ADAPTIVE,
        f"{SCALES} weight_norm_scale",
        "L(Aθ) = L(θ) for all θ makes A⁻¹HA⁻¹ of H, and |Aθ| = A|θ|: the factors of T and of H"
        " cancel in THT.",
    ),
    (
        FILTERS,
        "layer_scale",
        "All weights of a layer get one factor a, and so does each norm of them; H gets 1/a. The"
        " factors cancel in THT.",
    ),
    (
        LAYER_FLOORS,
        "layer_scale",
        "The twins of a twin are the twins of θ: the least value over the same set.",
    ),
    (
        UNIT_FLOORS,
        SCALES,
        "The twins of a twin are the twins of θ (scaling a layer is scaling all its units): the"
        " least value over the same set.",
    ),
    (
        "minimum_sharpness_units",
        "unit_split",
        "The halves share a as ta and (1-t)a, and the traces of what enters them get t² and (1-t)²."
        " By Cauchy and Schwarz no factors of the two do better than t and (1-t) times one factor.",
    ),
    (
        "least_eigenvalue_units",
        "unit_split",
        "Where H = F: the halves have the columns of one unit in F's root, times t and 1-t. By"
        " Cauchy and Schwarz no factors of the two do better than t and (1-t) times one factor.",
    ),
    (
        NORMALIZED,
        SCALES,
        "If a weight is multiplied by d_q/d_p, C gets the square of the inverse; with s_p and t_q"
        " multiplied by these squares the formula has its old value, so its least is the same.",
    ),
    (
        "normalized_flatness_arxiv",
        "unit_split",
        "The best factor s of a unit makes 2√(ab) of sa + b/s, curvatures a and squared weights b."
        " The halves have t² and (1-t)² times a where they are entered, times b where they are"
        " left: their roots add up to the unit's.",
    ),
    (
        PATHS,
        SCALES,
        "Each path through a unit has one weight that enters it, times c, and one that leaves it,"
        " times 1/c: its product stays, and so do the outputs.",
    ),
    (
        f"{PATHS} squared_norm {PRODUCTS} {PRODUCTS_OVER_MARGIN}",
        "hidden_twin",
        "W becomes WS with a diagonal S of signs: squares of weights, Frobenius and spectral norm"
        " stay, and so do the outputs.",
    ),
    (
        f"{PRODUCTS} {PRODUCTS_OVER_MARGIN}",
        "layer_scale",
        "The norm of layer k gets the factor α_k, and the product of all α_k is 1.",
    ),
    (
        "relative_flatness_first",
        f"{SCALES} unit_split hidden_twin softmax_shift",
        "It equals (1/N) Σ ‖x‖² tr((∂f/∂x)ᵀA(∂f/∂x)), A the second derivative of the criterion: a"
        " function of what the network computes, and A sees no common shift.",
    ),
    (
        "relative_flatness_last",
        "layer_scale input_basis softmax_shift",
        "It equals (1/N) Σ ‖h‖² tr(WAWᵀ) with the features h: all h get one factor and W its"
        " inverse; a common shift of the columns of W is not seen by A.",
    ),
    (
        "relative_flatness_normalized",
        "input_basis softmax_shift",
        "It is relative flatness of the last layer at one representative, whose features have the"
        " standard deviation 1; twins share the representative, and A sees no common shift.",
    ),
    (
        f"path_norm_over_margin {PRODUCTS_OVER_MARGIN}",
        "logit_scale",
        "The last layer's weights and the margin get the same factor.",
    ),
    (
        FISHER_RAO,
        f"{SCALES} unit_split hidden_twin weight_norm_scale linear_map input_basis softmax_shift",
        "Jθ is the derivative of f_{cθ} in c at 1. Twins stay twins when both are multiplied by c,"
        " so that they share Jθ (for softmax up to a common shift, which F does not see).",
    ),
    (
        "input_gradient_norm",
        f"{SCALES} unit_split hidden_twin weight_norm_scale weight_norm_sign elementwise_map"
        f" {COORDINATES}",
        "It is read off the function of the inputs, and that is the same.",
    ),
]


# Measures, transformations, at which networks it ends that the measure survives, and why.
_LIMITS = [
    (
        "relative_flatness_normalized",
        SCALES,
        "Only where every feature varies over the samples: divided by their deviations twins are"
        " one network. One that does not, as of a unit that is always off, keeps its scale, and"
        " there the measure breaks.",
    ),
]


def _index(rows):
    found = {}
    for measures, transformations, text in rows:
        names = [EVERY] if measures == EVERY else measures.split()
        for name in names:
            for transformation in transformations.split():
                found[name, transformation] = text
    return found


PROOFS = _index(_PROOFS)
LIMITS = _index(_LIMITS)


def find_proof(measure: str, transformation: str) -> str | None:
    """Return why the measure of this key survives the transformation; None if that is not proved
    here.
    """
    as_text("measure", measure)
    as_text("transformation", transformation)
    return PROOFS.get((measure, transformation)) or PROOFS.get((EVERY, transformation))


def find_limit(measure: str, transformation: str) -> str | None:
    """Return at which other networks the measure of this key breaks under a transformation that it
    survives in the audit, and why; None if none is known.
    """
    return LIMITS.get((measure, transformation))
