"""Every measure in closed form on the two-parameter network; what the register says and what it
refuses.
"""

import math

import autograd.numpy as anp
import numpy as np
import pytest

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import toy


def toy_values(a, b):
    t, size, damped = a * b, a**2 + b**2, (a + 0.01) ** 2 * b**2 + (b + 0.01) ** 2 * a**2
    box = 100 * 1e-6 / 6 * ((a + 1) ** 2 * b**2 + (b + 1) ** 2 * a**2)
    return {
        **dict.fromkeys(
            ["largest_eigenvalue", "trace", "frobenius_norm", "fisher_trace", "squared_norm"], size
        ),
        **dict.fromkeys(["hessian_rank", "relative_largest_eigenvalue", "relative_trace"], 1),
        **dict.fromkeys(["negative_eigenvalues", "gradient_norm", "fisher_rao_labels"], 0),
        "log_determinant": math.log(1 + size),
        "laplace_evidence": (math.log(2 * math.pi) + size + math.log(1 + size)) / 2,
        "effective_dimension": size / (size + 1),
        "learning_coefficient": 0.5,
        **dict.fromkeys(["sam_worst", "sam_average", "m_sharpness"], 0.05**2 / 2 * size),
        **dict.fromkeys(
            ["asam_worst", "asam_average", "asam_filter_worst", "asam_filter_average"],
            0.5**2 * t**2,
        ),
        **dict.fromkeys(["asam_damped_worst", "asam_damped_average"], 0.5**2 / 2 * damped),
        "box_average": box,
        "layer_normalized": 2 * t**2,
        **dict.fromkeys(
            [
                "minimum_sharpness_layers",
                "minimum_sharpness_units",
                "least_eigenvalue_layers",
                "least_eigenvalue_units",
                "normalized_flatness_icml",
            ],
            2 * t,
        ),
        "normalized_flatness_arxiv": 4 * t,
        **dict.fromkeys(
            ["relative_flatness_first", "relative_flatness_last", "relative_flatness_normalized"],
            t**2,
        ),
        "fisher_rao": 4 * t**2,
        **dict.fromkeys(
            [
                "path_norm",
                "product_of_frobenius_norms",
                "product_of_spectral_norms",
                "input_gradient_norm",
            ],
            t,
        ),
    }


ORDER = """
largest_eigenvalue trace frobenius_norm hessian_rank negative_eigenvalues gradient_norm fisher_trace
log_determinant relative_largest_eigenvalue relative_trace effective_dimension
learning_coefficient laplace_evidence sam_worst m_sharpness sam_average
asam_worst asam_average asam_damped_worst asam_damped_average asam_filter_worst asam_filter_average
box_average layer_normalized minimum_sharpness_layers minimum_sharpness_units
normalized_flatness_arxiv normalized_flatness_icml least_eigenvalue_layers least_eigenvalue_units
relative_flatness_first relative_flatness_last
relative_flatness_normalized fisher_rao fisher_rao_labels path_norm product_of_frobenius_norms
product_of_spectral_norms squared_norm input_gradient_norm path_norm_over_margin
frobenius_norms_over_margin spectral_norms_over_margin
"""
# The toy has one output, and no classes.
OVER_MARGIN = {name for name in MEASURES if name.endswith("_over_margin")}


def test_the_closed_forms_leave_no_measure_out():
    assert set(toy_values(1.0, 1.0)) | OVER_MARGIN == set(MEASURES)


def test_the_order_of_the_measures_is_that_of_the_printed_tables():
    assert list(MEASURES) == ORDER.split()
    assert all(getattr(measures, name) is m.function for name, m in MEASURES.items())


@pytest.mark.parametrize("name", toy_values(1.0, 1.0))
@pytest.mark.parametrize("a, b", [(1.0, 1.0), (2.0, 0.75), (1e-2, 30.0)])
def test_at_the_minimum_of_the_toy_every_measure_is_its_closed_form(name, a, b):
    value = MEASURES[name](toy(a, b, a * b))
    assert isinstance(value, int if name in ("hessian_rank", "negative_eigenvalues") else float)
    rel = 1e-8 if name.startswith("least_eigenvalue") else 1e-12  # the end of a proved bracket
    assert value == pytest.approx(toy_values(a, b)[name], rel=rel, abs=0)


@pytest.mark.parametrize("target, inertia", [(1.0, (1, 1)), (1e-9, (1, 1)), (0.0, (1, 0))])
def test_inertia_sees_curvature_beside_a_zero_on_the_diagonal(target, inertia):
    point = toy(3.0, 0.0, target)  # H = [[0, -target], [-target, 9]]
    assert (
        MEASURES["hessian_rank"](point) == sum(inertia)
        and MEASURES["negative_eigenvalues"](point) == inertia[1]
    )


def test_every_measure_says_what_it_is():
    for key, m in MEASURES.items():
        assert (
            m.__name__ == m.function.__name__ == key and m.function.__doc__ and m.name and m.source
        )
        assert m.formula.startswith("$") and "$" not in m.formula[1:].split("$", 1)[0]
        assert m.claims <= set(measures.KEEPING)
    names = {m.name for m in MEASURES.values()}
    assert len(names) == len(MEASURES) and not names & set(sm.LEFT_OUT)
    assert all(sm.LEFT_OUT.values())


def test_claims_are_about_the_transformations_that_keep_the_function():
    assert {name for name, t in sm.TRANSFORMATIONS.items() if t.keeps} == set(measures.KEEPING)


def test_a_function_of_a_point_becomes_a_measure_and_stays_a_function():
    claims = ["softmax_shift", "layer_scale"]

    @sm.measure("Twice the loss", formula="$2L$", source="this test", claims=claims)
    def twice(point, *, times=2):
        return np.float64(times * point.value)

    try:
        registered, point = MEASURES["twice"], toy(1.0, 1.0, 0.0)
        assert registered(point) == twice(point) == 1.0 and type(twice(point)) is float
        assert registered(point, times=3) == twice(point, times=3) == 1.5
        assert registered.__name__ == twice.__name__ == "twice"
        assert registered.claims == set(claims) and not registered.function_space
    finally:
        del MEASURES["twice"]


def test_no_measure_is_replaced_without_a_word():
    theirs = MEASURES["trace"]

    def trace(point):
        return 0.0

    def another(point):
        return 0.0

    with pytest.raises(ValueError, match=r"name of its own, got trace .* del MEASURES\['trace'\]"):
        sm.measure("My trace", formula="$0$", source="this test")(trace)
    with pytest.raises(ValueError, match=r"got another \('Trace'\), but trace \('Trace'\) is in"):
        sm.measure("Trace", formula="$0$", source="this test")(another)
    assert MEASURES["trace"] is theirs and "another" not in MEASURES


def test_a_measure_of_ones_own_can_be_deleted_and_registered_again():
    def mine(point):
        return 1.0

    for _ in range(2):
        sm.measure("My own", formula="$1$", source="this test")(mine)
        del MEASURES["mine"]


def test_an_option_must_be_one_of_the_function_behind_its_point():
    def mine(point, *, times=2, plus=0):
        return times * point.value + plus

    sm.measure("My own", formula="$aL+b$", source="this test")(mine)
    registered = MEASURES.pop("mine")
    assert registered.with_(times=3, plus=1)(toy(1.0, 1.0, 0.0)) == 2.5
    with pytest.raises(TypeError, match="of My own must be among times, plus, got point, other$"):
        registered.with_(times=1, point=1, other=1)
    with pytest.raises(TypeError, match="options of Trace must be among none, got rho$"):
        MEASURES["trace"].with_(rho=0.1)


@pytest.mark.parametrize(
    ("module", "family"), [("sharpminima.measures.norms", "Norms"), ("my.own", "Your own")]
)
def test_a_measure_stands_in_the_family_of_its_module(module, family):
    def mine(point):
        return 1.0

    mine.__module__ = module
    sm.measure("My own", formula="$1$", source="this test")(mine)
    assert MEASURES.pop("mine").family == family


@pytest.mark.parametrize("what", ["name", "formula", "source"])
def test_what_describes_a_measure_is_a_text(what):
    described = {"name": "My own", "formula": "$1$", "source": "this test", what: 1}
    with pytest.raises(ValueError, match=f"{what} must be a text, got 1"):
        sm.measure(described.pop("name"), **described)


def test_claims_may_be_a_set_but_no_text():
    def mine(point):
        return 1.0

    sm.measure("My own", formula="$1$", source="this test", claims={"permutation"})(mine)
    assert MEASURES.pop("mine").claims == {"permutation"}
    with pytest.raises(ValueError, match="claims must be a list of names of transformations"):
        sm.measure("My own", formula="$1$", source="this test", claims="permutation")


def test_a_claim_must_be_to_a_transformation_that_is_known():
    with pytest.raises(ValueError, match="claims must be one of layer_scale, .*, got .everything"):
        sm.measure("Any", formula="$0$", source="none", claims=["everything"])


def test_a_measure_wants_a_point():
    with pytest.raises(ValueError, match=r"point must be a Point\(loss, theta\), got list"):
        measures.trace([1.0, 2.0])


def test_measures_of_the_hessian_take_any_loss():
    point = Point(lambda theta: anp.sum(theta**2) / 2, np.ones(3))
    assert (
        measures.trace(point) == 3
        and measures.largest_eigenvalue(point) == 1
        and measures.asam_average(point) == 3 / 8
    )


def test_a_value_that_overflows_is_undefined():
    with pytest.raises(Undefined, match="Squared norm is not finite here, got inf"):
        measures.squared_norm(Point(lambda t: t[0] * 0.0, [1e200]))
