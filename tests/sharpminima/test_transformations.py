"""Each transformation by what it promises to do to the parameters: which of them it moves, and how
far. That functions are kept, and what measures make of it, is in test_invariance.py.

Draws are looked at as a whole: that all are within the bounds, that they reach near these, and how
large the typical one is.
"""

import numpy as np
import pytest

import sharpminima as sm
from sharpminima import Layer
from sharpminima.transformations import find_cancelling_units, function_gap, is_rectified
from tests.sharpminima.support import EPS, ROUNDING, apart

TYPICAL = 0.6745  # the median of the size of a normal number


def make(widths, *, seed=0, **words):
    """A loss of random data and random parameters, of about 4 and mostly positive."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(5, widths[-1]))
    if words.get("criterion") == "cross_entropy":
        y = y.argmax(axis=1)
    loss = sm.NetworkLoss(widths, rng.normal(size=(5, widths[0])), y, **words)
    return loss, rng.normal(3, 3, size=loss.size)


def same(loss, theta, rng):
    return loss, theta


# How strong they are


def read_node_scale(loss, theta, twin, there):
    return (there / theta)[: loss.sizes[0]].reshape(loss.widths[:2])[0]


def read_weight_norm_scale(loss, theta, twin, there):
    return np.unique(np.round(there[len(there) - len(theta) :] / theta, 9))


def read_linear_map(loss, theta, twin, there):
    return np.linalg.svd(twin.g.derivative(there), compute_uv=False)


def read_radial_map(loss, theta, twin, there):
    D = twin.g.derivative(there)
    np.testing.assert_allclose(D, D[0, 0] * np.eye(len(D)), rtol=0, atol=ROUNDING * D[0, 0])
    return D[:1, 0]


def read_input_basis(loss, theta, twin, there):
    return np.linalg.svd(np.linalg.lstsq(loss.x, twin.x, rcond=None)[0], compute_uv=False)


@pytest.mark.parametrize(
    "name, read, widths, n_seeds",
    [
        ("node_scale", read_node_scale, (1, 400, 1), 1),
        ("weight_norm_scale", read_weight_norm_scale, (1, 200, 1), 1),
        ("linear_map", read_linear_map, (2, 6, 2), 10),
        ("radial_map", read_radial_map, (1, 2, 1), 30),
        ("input_basis", read_input_basis, (4, 2, 1), 20),
    ],
)
def test_factors_are_drawn_between_the_strength_and_its_reciprocal(name, read, widths, n_seeds):
    loss, theta = make(widths)
    logs = []
    for seed in range(n_seeds):
        t = sm.TRANSFORMATIONS[name].with_(factor=8.0)
        logs.extend(np.log(read(loss, theta, *t(loss, theta, np.random.default_rng(seed)))))
    places = np.array(logs) / np.log(8)
    assert -1 - 1e-9 <= places.min() < -0.7 and 0.7 < places.max() <= 1 + 1e-9
    assert abs(places.mean()) < 0.25


@pytest.mark.parametrize("name", ["input_basis", "layer_scale"])
def test_inputs_are_carried_with_a_strength_of_ones_own(name):
    loss, theta = make((3, 4, 2))
    t = sm.TRANSFORMATIONS[name].with_(factor=1.5)
    twin, _ = t(loss, theta, np.random.default_rng(3))
    carry = t.inputs(loss, theta, np.random.default_rng(3))
    np.testing.assert_array_equal(carry(loss.x), twin.x)


def test_the_coefficients_of_cubics_are_between_a_tenth_and_one():
    loss, theta = make((1, 200, 1))
    twin, _ = sm.TRANSFORMATIONS["elementwise_map"](loss, theta, np.random.default_rng(0))
    c = twin.g(np.ones(loss.size)) - 1
    assert 0.1 - EPS <= c.min() < 0.15 and 0.95 < c.max() <= 1


def test_logits_are_scaled_by_at_least_the_root_of_the_factor():
    loss, theta = make((2, 3, 2), bias=True)
    factors = []
    for seed in range(60):
        _, there = sm.TRANSFORMATIONS["logit_scale"](
            loss, theta, np.random.default_rng(seed), factor=16
        )
        factors.append(there[-1] / theta[-1])
        assert apart(loss.outputs(there), factors[-1] * loss.outputs(theta)) < ROUNDING
    assert 4 <= min(factors) < 4.5 and 14 < max(factors) <= 16


def test_a_perturbation_is_a_tenth_of_the_root_mean_square():
    theta = np.random.default_rng(1).normal(3, 3, size=4000)
    _, there = sm.TRANSFORMATIONS["perturbation"].move(None, theta, np.random.default_rng(0))
    moves = np.abs(there - theta) / np.sqrt(theta @ theta / len(theta))
    assert np.median(moves) == pytest.approx(0.1 * TYPICAL, rel=0.1)


def test_a_shift_of_logits_is_as_large_as_the_last_weights():
    loss, theta = make((2, 3, 2), bias=True, criterion="cross_entropy")
    weight = loss.layers(theta)[-1].weight
    rng = np.random.default_rng(0)
    weight_shifts, bias_shifts = [], []
    for _ in range(600):
        _, there = sm.TRANSFORMATIONS["softmax_shift"].move(loss, theta, rng)
        *_, (shift, bias_shift) = loss.layers(there - theta)
        weight_shifts.extend(shift[:, 0])
        bias_shifts.append(bias_shift[0])
    size = np.sqrt(np.mean(weight**2))
    for shifts in (weight_shifts, bias_shifts):
        assert np.median(np.abs(shifts)) == pytest.approx(TYPICAL * size, rel=0.2)


# Which parameters they move


@pytest.mark.parametrize("widths, n_turned", [((3, 4, 3), 4), ((3, 5, 3), 4), ((1, 1), 1)])
def test_half_of_the_units_change_the_sign_of_scale_and_direction(widths, n_turned):
    """Of an odd number the larger half."""
    loss, theta = make(widths)
    normalized, eta = sm.weight_normalized(loss, theta)
    for seed in range(10):
        _, there = sm.TRANSFORMATIONS["weight_norm_sign"](
            normalized, eta, np.random.default_rng(seed)
        )
        signs = there / eta
        n_units = len(eta) - len(theta)
        assert set(signs) <= {-1, 1} and (signs[:n_units] < 0).sum() == n_turned
        entering = [layer.weight for layer in sm.unravel(signs[n_units:], widths)]
        for weight, turned in zip(
            entering, np.split(signs[:n_units], np.cumsum(widths[1:-1])), strict=True
        ):
            np.testing.assert_array_equal(weight, np.tile(turned, (len(weight), 1)))


def test_any_unit_can_be_split_and_gives_its_half_a_fifth_at_least():
    loss, theta = make((2, 4, 3, 1))
    split = [set(), set()]
    for seed in range(60):
        twin, there = sm.TRANSFORMATIONS["unit_split"](loss, theta, np.random.default_rng(seed))
        new = twin.layers(there)
        assert twin.widths == (2, 5, 4, 1)
        for k, seen in enumerate(split):
            *columns, last = new[k].weight.T
            [unit] = [j for j, column in enumerate(columns) if np.array_equal(column, last)]
            halves = new[k + 1].weight[[unit, -1], 0]
            assert (halves / halves.sum() > 0.2 - EPS).all()
            seen.add(unit)
    assert split == [{0, 1, 2, 3}, {0, 1, 2}]


def unit_rows(*sets):
    """What enters some units: for each of the sets unit vectors of its own, and minus their sum."""
    n_inputs = sum(sets)
    rows, start = [], 0
    for size in sets:
        block = np.eye(n_inputs)[start : start + size]
        rows += [*block, -block.sum(axis=0)]
        start += size
    return np.array(rows)


def test_sets_that_cancel_are_found_in_each_layer_if_they_contain_no_smaller_one():
    """Of seven units three and four: the union of both, and what else contains one, is not new."""
    rows = unit_rows(2, 3)
    before = Layer(np.random.default_rng(0).normal(size=(2, 5)))
    layers = (before, Layer(rows.T), Layer(np.ones((7, 2))))
    assert find_cancelling_units(layers) == [(1, (0, 1, 2)), (1, (3, 4, 5, 6))]
    assert find_cancelling_units(layers[1:]) == [(0, (0, 1, 2)), (0, (3, 4, 5, 6))]


@pytest.mark.parametrize("bias", [False, True])
def test_a_hidden_twin_has_other_signs_at_what_enters_a_set_that_cancels(bias):
    loss, theta = make((2, 5, 7, 3), bias=bias)
    first, second, last = loss.layers(theta)
    offsets = np.array([1.0, 2.0, -3.0, 1.0, 1.0, 1.0, -3.0]) if bias else None
    layers = (first, Layer(unit_rows(2, 3).T, offsets), Layer(np.ones((7, 3)), last.bias))
    turned = set()
    for seed in range(10):
        _, there = sm.TRANSFORMATIONS["hidden_twin"](
            loss, sm.ravel(layers), np.random.default_rng(seed)
        )
        is_turned = (loss.layers(there)[1].weight != layers[1].weight).any(axis=0)
        turned.add(tuple(np.flatnonzero(is_turned).tolist()))
        signs = np.where(is_turned, -1, 1)
        moved = Layer(layers[1].weight * signs, None if offsets is None else offsets * signs)
        np.testing.assert_array_equal(there, sm.ravel((first, moved, layers[2])))
    assert turned == {(0, 1, 2), (3, 4, 5, 6)}


@pytest.mark.parametrize("bias", [False, True])
def test_a_permutation_brings_the_same_numbers_in_another_order(bias):
    loss, theta = make((2, 4, 3, 1), bias=bias)
    _, there = sm.TRANSFORMATIONS["permutation"](loss, theta, np.random.default_rng(0))
    assert not np.array_equal(there, theta)
    for new, old in zip(loss.layers(there), loss.layers(theta), strict=True):
        np.testing.assert_array_equal(np.sort(new.weight, None), np.sort(old.weight, None))


def test_biases_have_to_cancel_with_the_weights():
    rows = unit_rows(2)
    after = Layer(np.ones((3, 1)))
    for last, found in ((-3.0, [(0, (0, 1, 2))]), (3.0, [])):
        layer = Layer(rows.T, np.array([1.0, 2.0, last]))
        assert find_cancelling_units((layer, after)) == found


def test_twelve_units_are_searched_and_thirteen_are_not():
    rng = np.random.default_rng(0)
    for n_others, found in ((9, [(0, (0, 1, 2))]), (10, [])):
        rows = np.vstack([unit_rows(2), rng.normal(size=(n_others, 2))])
        leaving = np.vstack([np.eye(3)[[0, 0, 0]], rng.normal(size=(n_others, 3))])
        assert find_cancelling_units((Layer(rows.T), Layer(leaving))) == found


# What they ask of a twin


@pytest.mark.parametrize("keeps, size, too_much", [(True, 1e9, 2.0), (False, 1e6, 0.5)])
def test_a_difference_of_exactly_the_tolerance_is_taken(keeps, size, too_much):
    """1 of 1e9 is the same, 1 of 1e6 is another function."""

    def add(step):
        return sm.Transformation("add", lambda loss, theta, rng: (loss, theta + step), keeps=keeps)

    def first(theta):
        return theta[0]

    _, there = add(1.0)(first, [size], np.random.default_rng(0))
    assert there == size + 1
    with pytest.raises(sm.NotKept, match="add must (keep|change) the function"):
        add(too_much)(first, [size], np.random.default_rng(0))


def test_a_gap_is_relative_to_the_largest_and_zero_between_zeros():
    zero, two = (lambda theta: 0.0), (lambda theta: 2.0)
    assert function_gap(zero, np.ones(1), zero, np.ones(1)) == 0
    assert function_gap(two, np.ones(1), zero, np.ones(1)) == 1
    narrow, wide = make((1, 2))[0], make((1, 3))[0]
    assert function_gap(narrow, np.ones(2), wide, np.ones(3)) == np.inf


@pytest.mark.parametrize("spread", [0.0, 1e-3, 100.0])
def test_fresh_inputs_lie_where_the_data_lie_and_differ(spread):
    seen = []

    def look(loss, theta, rng):
        seen.append(loss)
        return loss, theta

    x = 5 + spread * np.tile([[1.0], [-1.0]], (3, 3))
    loss = sm.NetworkLoss((3, 4, 2), x, [0, 1] * 3, criterion="cross_entropy")
    sm.Transformation("look", look)(loss, np.ones(loss.size), np.random.default_rng(0))
    here, fresh = seen
    assert here is loss and fresh.x.shape == (32, 3)
    spreads = fresh.x.std(axis=0)
    assert (spreads > 1e-4).all()
    assert (np.abs(fresh.x.mean(axis=0) - 5) < spread + 0.01).all()
    assert (spreads < 2 * spread + 0.01).all() and (spreads > spread / 2).all()


def test_in_other_coordinates_fresh_inputs_are_asked_too():
    """The first input is zero in all the data."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 3)) * [0, 1, 1]
    loss = sm.NetworkLoss((3, 4, 1), x, rng.normal(size=6))
    moved = sm.reparametrize(loss, sm.elementwise_map(0.5))
    eta = rng.normal(size=loss.size)
    unseen = sm.Transformation(
        "unseen", lambda loss, eta, rng: (loss, eta + (np.arange(len(eta)) < 4))
    )
    assert function_gap(moved, eta, *unseen.move(moved, eta, rng)) == 0
    with pytest.raises(sm.NotKept, match="unseen must keep the function"):
        unseen(moved, eta, rng)
    plain = sm.reparametrize(lambda theta: theta @ theta, sm.elementwise_map(0.5))
    _, there = sm.Transformation("idle", same)(plain, eta, rng)
    np.testing.assert_array_equal(there, eta)


def test_what_is_to_stay_the_same_may_be_the_value_itself():
    loss, theta = make((2, 3, 1))
    t = sm.Transformation(
        "scale",
        sm.TRANSFORMATIONS["layer_scale"].move,
        observe=lambda loss, theta: np.asarray(loss(theta)),
    )
    twin, there = t(loss, theta, np.random.default_rng(0))
    assert twin(there) == pytest.approx(loss(theta), rel=1e-9)
    with pytest.raises(sm.NotKept, match="scale must keep the function"):
        t(loss.like(l2=1.0), theta, np.random.default_rng(0))


def test_plain_layers_are_rectified_and_others_not():
    loss, _ = make((2, 3, 1))
    skipping = sm.ResidualLoss((2, 3, 3, 3, 1), loss.x, loss.y)
    assert [is_rectified(one) for one in (loss, skipping, np.sum)] == [True, False, False]


@pytest.mark.parametrize("part", ["move", "start", "observe", "inputs"])
def test_a_part_that_is_no_function_is_refused(part):
    with pytest.raises(ValueError, match=f"^{part} must be a function, got int"):
        sm.Transformation("mine", **{"move": same, part: 3})
