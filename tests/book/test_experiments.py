"""The stored tables of the experiments: networks drawn from them are trained and measured again.

Not seen here: a wrong row that is not among those drawn, and whether the chapter reads the tables
rightly; that is the business of its claims.
"""

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import sharpminima as sm
from experiments import prediction, scaling

DRAWN = {"digits": 10, "cancer": 6}
GRIDS = {"digits": prediction.DIGITS, "cancer": prediction.CANCER}
N_TEST = {"digits": 1597, "cancer": 369}
TIMES = ("seconds",)


def draw_rows(table, count):
    """Return the indices of so many rows, the same ones every time."""
    return np.random.default_rng(18).permutation(len(table))[:count]


def measure_again(name, table, row):
    """Return a table with the one network of a row, trained and measured anew."""
    names = [*GRIDS[name]]
    setting = {name: [table[name][row]] for name in names}
    with ThreadPoolExecutor(1) as executor:
        return prediction.SWEEPS[name](setting, executor=executor)


def find_differences(name, table, row, again):
    """Return the columns of a row that are not what a new run gives."""
    found = []
    for column in table.columns:
        stored, new = table[column][row], again[column][0]
        if column in TIMES:
            continue
        if column == "test_error":
            same = abs(stored - new) * N_TEST[name] < 1.5
        elif isinstance(stored, float):
            same = np.isclose(new, stored, rtol=1e-6, atol=0, equal_nan=True)
        else:
            same = stored == new
        if not same:
            found.append(column)
    return found


@pytest.fixture(scope="module", params=DRAWN)
def stored(request):
    """The name of a table, and the table."""
    return request.param, sm.read_table(prediction.find_result(request.param))


def test_the_table_has_every_network_of_its_grid_once(stored):
    name, table = stored
    grid = GRIDS[name]
    settings = set(zip(*(table[column] for column in grid), strict=True))
    assert len(settings) == len(table) == np.prod([len(values) for values in grid.values()])
    assert all(set(table[column]) == set(values) for column, values in grid.items())


def test_networks_drawn_from_the_table_give_the_same_numbers(stored):
    name, table = stored
    for row in draw_rows(table, DRAWN[name]):
        again = measure_again(name, table, row)
        assert find_differences(name, table, row, again) == [], f"row {row}"


def read_weights(table):
    """Return the stored parameters of each of the digits' networks, in the table's order."""
    with np.load(prediction.find_networks("digits")) as stored:
        weights = stored["weights"]
    ends = np.cumsum([(64 + 10) * hidden for _, hidden, _ in table["widths"]])
    assert ends[-1] == len(weights)
    return np.split(weights, ends[:-1])


def test_the_parameters_stored_are_those_of_the_networks():
    table = sm.read_table(prediction.find_result("digits"))
    weights = read_weights(table)
    sizes = [theta.astype(float) @ theta for theta in weights]
    np.testing.assert_allclose(sizes, table["squared_norm"], rtol=1e-6)
    for row in draw_rows(table, 2):
        again = prediction.train_row(table, row).theta
        np.testing.assert_allclose(weights[row], again, rtol=1e-5, atol=1e-6)


def test_a_rescaling_that_is_secretly_the_identity_is_noticed(stored, monkeypatch):
    name, table = stored
    [row] = draw_rows(table, 1)
    idle = dict.fromkeys(prediction.TWINS, lambda loss, theta, rng: (loss, theta))
    monkeypatch.setattr(prediction, "TWINS", idle)
    differences = find_differences(name, table, row, measure_again(name, table, row))
    assert "trace after node_scale 10" in differences
    assert "path_norm after node_scale 10" not in differences


def test_a_swapped_measure_is_noticed(stored, monkeypatch):
    name, table = stored
    [row] = draw_rows(table, 1)
    swapped = {**prediction.MEASURES, "asam_average": sm.MEASURES["asam_worst"]}
    monkeypatch.setattr(prediction, "MEASURES", swapped)
    differences = find_differences(name, table, row, measure_again(name, table, row))
    assert {column.partition(" ")[0] for column in differences} == {"asam_average"}


# The chapter's claims, by other networks than its own


def list_survivors(table):
    """Return the measures that are the same at all twins by scaling of units."""
    twins = [f"node_scale {factor:g}" for factor in prediction.NODE_FACTORS]
    return {
        name
        for name in prediction.MEASURES
        if all(
            np.allclose(table[f"{name} after {twin}"], table[name], rtol=1e-9, atol=0)
            for twin in twins
        )
    }


@pytest.mark.claim("fig-rescaling", "fig-left")
def test_other_seeds_give_the_same_verdicts():
    table = sm.read_table(prediction.find_result("digits"))
    few = {**prediction.DIGITS, "split": [3], "label_noise": [0.0], "l2": [0.0]}
    few |= {"init_scale": [1.0], "learning_rate": [0.3], "widths": [(64, 8, 10)]}
    with ThreadPoolExecutor(1) as executor:
        other = prediction.sweep_digits(few, seeds=[5], executor=executor)
    assert list_survivors(other) - {"relative_flatness_normalized"} == list_survivors(table)
    assert {"path_norm", "asam_average"} < list_survivors(table)
    assert not {"trace", "asam_filter_average"} & list_survivors(table)


@pytest.mark.claim("the-gap-points-the-other-way")
def test_small_batches_are_flatter_and_not_better():
    """Found by the settings as texts, where the chapter compares them as tuples."""
    table = sm.read_table(prediction.find_result("digits"))
    settings = ["widths", "init_scale", "learning_rate", "l2", "label_noise", "split"]
    found = {}
    for row in range(len(table)):
        key = str([table[name][row] for name in settings])
        found.setdefault(key, {})[int(table["batch_size"][row])] = row
    both = [
        (rows[10], rows[50])
        for rows in found.values()
        if all(str(table["status"][row]).startswith("trained") for row in rows.values())
    ]
    flatter = [(i, j) for i, j in both if table["trace"][i] < table["trace"][j]]
    worse = [(i, j) for i, j in flatter if table["test_error"][i] > table["test_error"][j]]
    assert (len(both), len(flatter), len(worse)) == (41, 40, 26)


def draw_network(rng, off=False):
    """Return a loss and random weights of a network with one hidden layer; with a unit that is off
    where that is asked for.
    """
    x = rng.uniform(size=(30, 6))
    layers = list(sm.init_params((6, 5, 3), rng=rng))
    if off:
        layers[0].weight[:, 2] = -np.abs(layers[0].weight[:, 2])
    loss = sm.NetworkLoss((6, 5, 3), x, rng.integers(3, size=30), criterion="cross_entropy")
    return loss, tuple(layers)


@pytest.mark.claim("proposition-adversary", "fig-adversary", "a-flipped-pair")
def test_powers_of_two_order_traces_as_one_likes():
    rng = np.random.default_rng(0)
    networks = [draw_network(rng) for _ in range(6)]
    last = 0.0
    for n in rng.permutation(6):
        loss, layers = networks[n]
        k = 0
        while True:
            twin = sm.ravel(sm.node_scale(layers, [np.full(5, 2.0**-k)]))
            value = sm.trace(sm.hessian(loss, twin))
            if value > last:
                break
            k += 1
        assert np.array_equal(loss.outputs(twin), loss.outputs(sm.ravel(layers)))
        last = value


@pytest.mark.claim("adversary-of-every-measure")
def test_scaling_one_unit_makes_what_breaks_as_large_as_one_likes_and_nothing_else():
    rng = np.random.default_rng(1)
    loss, layers = draw_network(rng, off=True)
    survivors = list_survivors(sm.read_table(prediction.find_result("digits")))
    for name, measure in prediction.MEASURES.items():
        values = []
        for unit in (0, 2):  # one that is on, one that is off
            for power in (0, 8, -8):
                c = np.ones(5)
                c[unit] = 2.0**power
                values.append(measure(sm.Point(loss, sm.ravel(sm.node_scale(layers, [c])))))
        if name in survivors:
            np.testing.assert_allclose(values, values[0], rtol=1e-9, err_msg=name)
        else:
            assert max(values) > 2 * values[0], name


@pytest.mark.claim("fig-floors")
def test_no_scaling_of_units_goes_below_the_floor():
    rng = np.random.default_rng(1)
    loss, layers = draw_network(rng)
    floor = sm.MEASURES["minimum_sharpness_units"](sm.Point(loss, sm.ravel(layers)))
    for _ in range(50):
        twin = sm.ravel(sm.node_scale(layers, [np.exp(rng.normal(size=5))]))
        assert sm.trace(sm.hessian(loss, twin)) >= floor


@pytest.mark.claim("proposition-dead-units")
@pytest.mark.parametrize("off", [True, False])
def test_normalized_relative_flatness_moves_only_with_a_unit_that_is_off(off):
    measure = sm.MEASURES["relative_flatness_normalized"]
    rng = np.random.default_rng(2)
    loss, layers = draw_network(rng, off)
    twin = sm.node_scale(layers, [np.array([2.0, 0.5, 8.0, 1.0, 4.0])])
    before, after = (measure(sm.Point(loss, sm.ravel(each))) for each in (layers, twin))
    assert np.isclose(before, after, rtol=1e-9) == (not off)


def compute_plain_entropy(labels):
    """Return the entropy of a list of labels, in nats."""
    shares = np.array([*Counter(labels).values()]) / len(labels)
    return -np.sum(shares * np.log(shares))


def tell_by_group(table, given):
    """Return I(V; W | S) / H(W | S), group after group of the pairs with one S: there it is
    H(V) + H(W) - H(V, W).
    """
    groups = {}
    for pair in itertools.permutations(range(len(table["test_error"])), 2):
        v, w = (np.sign(np.subtract(*table[x][[*pair]])) for x in ("trace", "test_error"))
        key = tuple(table[name][n] for name in given for n in pair)
        groups.setdefault(key, []).append((v, w))
    known = unknown = 0.0
    for signs in groups.values():
        one, other = (compute_plain_entropy(each) for each in zip(*signs, strict=True))
        known += len(signs) * (one + other - compute_plain_entropy(signs))
        unknown += len(signs) * other
    return known / unknown


@pytest.mark.claim("controls-table")
def test_the_information_about_pairs_is_that_of_its_definition():
    rng = np.random.default_rng(3)
    names = ["batch_size", "l2", "split"]
    table = {name: rng.integers(2, size=24) for name in names}
    errors = rng.integers(9, size=24) / 9 + 0.5 * table["l2"]
    table |= {"test_error": errors, "trace": errors + rng.normal(size=24) / 3}
    found = sm.rank_correlation(sm.Table(table), "trace", n_resamples=20, rng=rng)
    givens = [given for size in range(3) for given in itertools.combinations(names, size)]
    shares = [tell_by_group(table, given) for given in givens]
    assert np.argmin(shares) > 0 and np.ptp(shares) > 0.01
    np.testing.assert_allclose(found.conditional_information, min(shares), rtol=1e-9)


# How a sweep scales


def test_medians_of_rounds_say_speed_and_what_was_not_work():
    rounds = [
        {"networks": 10, "seconds": 30.0, "worked": 50.0},
        {"networks": 10, "seconds": 20.0, "worked": 36.0},
        {"networks": 10, "seconds": 60.0, "worked": 90.0},
    ]
    found = scaling.summarize(2, rounds)
    assert found == {"networks_a_minute": 20.0, "overhead_a_task": 1.0, "seconds_a_task": 5.0}


def test_one_round_counts_its_networks_and_their_work():
    grid = {**scaling.NETWORKS, "split": [0, 1]}
    found = scaling.measure_workers("one process", grid)
    assert found["networks"] == 2
    assert 0 < found["worked"] < found["seconds"]


@pytest.mark.claim("sweep-scales")
def test_what_is_stored_about_scaling_follows_from_its_rounds():
    stored = json.loads(scaling.RESULT.read_text())
    assert list(stored["workers"]) == list(scaling.WORKERS)
    for name, found in stored["workers"].items():
        count = scaling.WORKERS[name][1]
        assert found["count"] == count
        assert {**found, **scaling.summarize(count, found["rounds"])} == found
        assert found["overhead_a_task"] > 0
    row = stored["row"]
    assert row["columns"] == len(sm.read_table(prediction.find_result("digits")).columns)
    assert row["stored"] > 8 * row["columns"]
    assert row["in_memory"] > row["stored"]
