"""The invariances that the measures' authors claim, tried on a network that interpolates its own
outputs, hence at an exact minimum, with factors up to a million for a layer or a unit; that a claim
fails where it is known to fail is tried too.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima import measures
from sharpminima.measures import MEASURES
from sharpminima.points import Point
from tests.sharpminima.measures.support import gauge, interpolating
from tests.sharpminima.support import ROUNDING

# The authors claim it, and it is not so: the units that feed the layer may be scaled unevenly.
DENIED = {("relative_flatness_last", "node_scale")}
CLAIMED = [
    (name, kind)
    for name, m in MEASURES.items()
    for kind in measures.SCALES
    # The learning coefficient is known at few points; test_added has them.
    if kind in m.claims and not m.vanishes and name != "learning_coefficient"
]


@pytest.mark.parametrize("name, kind", CLAIMED)
@pytest.mark.parametrize("widths", [(4, 6, 3), (4, 6, 5, 3)])
def test_a_claimed_invariance_holds_for_factors_up_to_a_million(name, kind, widths):
    here = interpolating(widths, criterion="cross_entropy", seed=1)
    rng = np.random.default_rng(0)
    value = MEASURES[name](here)
    there = [
        MEASURES[name](Point(here.loss, gauge(widths, kind, rng) * here.theta)) for _ in range(3)
    ]
    if (name, kind) in DENIED:
        assert all(abs(v / value - 1) > 1e-2 for v in there)
    else:
        np.testing.assert_allclose(there, value, rtol=1e-9)


@pytest.mark.parametrize(
    "name, kind", [(n, k) for n, k in CLAIMED if n not in ("layer_normalized", *dict(DENIED))]
)
def test_a_claimed_invariance_holds_with_biases(name, kind):
    widths = (4, 6, 5, 3)
    here, rng = (
        interpolating(widths, criterion="cross_entropy", bias=True, seed=1),
        np.random.default_rng(0),
    )
    scales = [10 ** rng.uniform(-3, 3, size=d) for d in widths[1:-1]]
    if kind == "layer_scale":
        scales = [np.full(d, s[0]) for d, s in zip(widths[1:-1], scales, strict=True)]
    d = sm.node_diagonal(widths, scales, bias=True)
    expected = MEASURES[name](here)
    assert MEASURES[name](Point(here.loss, d * here.theta)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["node_scale", "layer_scale"]))
def test_the_least_trace_over_units_and_the_input_gradient_survive_every_scaling(seed, kind):
    here = interpolating((4, 5, 4, 2), seed=2)
    there = Point(here.loss, gauge((4, 5, 4, 2), kind, np.random.default_rng(seed)) * here.theta)
    for name in (
        "minimum_sharpness_units",
        "input_gradient_norm",
        "fisher_rao",
        "path_norm",
        "asam_worst",
    ):
        assert MEASURES[name](there) == pytest.approx(MEASURES[name](here), rel=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "trace",
        "sam_worst",
        "box_average",
        "squared_norm",
        "asam_damped_average",
        "laplace_evidence",
    ],
)
def test_a_measure_without_a_claim_changes(name):
    here = interpolating((4, 6, 3), seed=1)
    d = sm.alpha_diagonal((4, 6, 3), (8.0, 1 / 8))
    assert not MEASURES[name].claims
    assert abs(MEASURES[name](Point(here.loss, d * here.theta)) / MEASURES[name](here) - 1) > 1e-3


@pytest.mark.parametrize(
    "name",
    ["asam_filter_worst", "asam_filter_average", "layer_normalized", "minimum_sharpness_layers"],
)
def test_what_is_normalized_by_filter_or_by_layer_does_not_survive_the_scaling_of_units(name):
    here = interpolating((4, 6, 3), seed=1)
    d = gauge((4, 6, 3), "node_scale", np.random.default_rng(0), span=1)
    assert abs(MEASURES[name](Point(here.loss, d * here.theta)) / MEASURES[name](here) - 1) > 1e-2


@pytest.mark.parametrize("name", [name for name, m in MEASURES.items() if m.vanishes])
def test_what_is_said_to_vanish_does_at_interpolation_and_not_elsewhere(name, at):
    assert (
        abs(MEASURES[name](interpolating((4, 6, 3), criterion="cross_entropy")))
        < ROUNDING
        < MEASURES[name](at)
    )
