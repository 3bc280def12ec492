"""Rank correlations against the definition by pairs, written out in loops, and tables for which the
answer is known.

Not seen here: whether networks with hyperparameters in common may be taken for independent; they
may not, and the docstring says so.
"""

import dataclasses
import itertools
from collections import Counter
from math import log

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima.rank_correlations import condition, granulate

SMALL = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=12)


def make_table(rng, n_seeds=3):
    """Return a table in which width decides the error and `echo` repeats the width."""
    settings = list(itertools.product([4, 8, 16], [0.1, 0.2], range(n_seeds)))
    width, rate, seed = map(np.array, zip(*settings, strict=True))
    error = 1 / width + 0.001 * rng.normal(size=len(width))
    return sm.Table(
        {
            "widths": [(64, int(w), 10) for w in width],
            "learning_rate": rate,
            "seed": seed,
            "echo": -1.0 * width,
            "oracle": 2 * error,
            "noise": rng.normal(size=len(width)),
            "test_error": error,
        }
    )


def count_tau(values, errors):
    """Return Kendall's tau-b by its definition over pairs."""
    concordant = one_tied = other_tied = pairs = 0
    for i, j in itertools.combinations(range(len(values)), 2):
        product = np.sign(values[i] - values[j]) * np.sign(errors[i] - errors[j])
        concordant += product
        one_tied += values[i] == values[j]
        other_tied += errors[i] == errors[j]
        pairs += 1
    return concordant / np.sqrt((pairs - one_tied) * (pairs - other_tied))


@pytest.mark.filterwarnings("ignore:All-NaN")  # of three pairs many are equal
@given(SMALL)
def test_tau_is_that_of_its_definition(pairs):
    values, errors = map(np.array, zip(*pairs, strict=True))
    table = sm.Table({"measure": values, "test_error": errors})
    options = {"rng": np.random.default_rng(0), "n_resamples": 20, "hyperparameters": []}
    if np.ptp(values) == 0 or np.ptp(errors) == 0:
        with pytest.raises(ValueError, match="must take two values at least"):
            sm.rank_correlation(table, "measure", **options)
        return
    found = sm.rank_correlation(table, "measure", **options)
    assert found.tau == pytest.approx(count_tau(values, errors), abs=1e-12)
    assert found.count == len(pairs)


def test_groups_share_all_other_hyperparameters():
    rng = np.random.default_rng(1)
    shape = (3, 2, 4)
    codes = dict(zip("abc", np.indices(shape).reshape(3, -1), strict=True))
    values = rng.normal(size=24)
    errors = rng.normal(size=24)
    found = granulate(values, errors, codes)
    v, e = values.reshape(shape), errors.reshape(shape)
    by_hand = {
        "a": [count_tau(v[:, j, k], e[:, j, k]) for j in range(2) for k in range(4)],
        "b": [count_tau(v[i, :, k], e[i, :, k]) for i in range(3) for k in range(4)],
        "c": [count_tau(v[i, j], e[i, j]) for i in range(3) for j in range(2)],
    }
    assert found == pytest.approx({name: np.mean(taus) for name, taus in by_hand.items()})


def test_networks_that_share_a_hyperparameter_too_say_nothing_of_it():
    """Without the seed two networks have one setting, which moves neither hyperparameter."""
    one = np.array([0, 0, 1])
    found = granulate(np.arange(3.0), np.arange(3.0), {"a": one, "b": one})
    assert all(np.isnan(tau) for tau in found.values())


def test_many_hyperparameters_keep_groups_apart():
    """More than the bits of an integer. In one group the order is kept, in the other turned."""
    others = {f"other {k}": np.full(4, 3) for k in range(70)}
    codes = {"a": np.array([0, 0, 1, 1]), **others, "b": np.array([0, 1, 0, 1])}
    found = granulate(np.array([1.0, 2, 4, 3]), np.array([1.0, 2, 3, 4]), codes)
    assert found["b"] == 0


def inform(values, errors, columns):
    """Return I(V; W | S) / H(W | S) over ordered pairs, by counting, for S the columns."""
    n = len(values)
    triples = Counter()
    for i, j in itertools.permutations(range(n), 2):
        given = tuple((c[i], c[j]) for c in columns)
        triples[given, np.sign(values[i] - values[j]), np.sign(errors[i] - errors[j])] += 1
    total = sum(triples.values())
    known, v_known, w_known = Counter(), Counter(), Counter()
    for (s, v, w), count in triples.items():
        known[s] += count
        v_known[s, v] += count
        w_known[s, w] += count
    information = entropy = 0.0
    for (s, v, w), count in triples.items():
        ratio = count * known[s] / (v_known[s, v] * w_known[s, w])
        information += count / total * log(ratio)
    for (s, _w), count in w_known.items():
        entropy -= count / total * log(count / known[s])
    return information / entropy if entropy > 1e-12 else None


@pytest.mark.parametrize("seed", range(5))
def test_conditional_information_is_that_of_its_definition(seed):
    rng = np.random.default_rng(seed)
    settings = {"a": rng.integers(0, 2, 12), "b": rng.integers(0, 3, 12), "c": np.arange(12) % 2}
    errors = settings["a"] + rng.integers(0, 3, 12)
    values = errors + rng.integers(0, 3, 12)
    sets = [c for k in range(3) for c in itertools.combinations(settings.values(), k)]
    shares = [inform(values, errors, columns) for columns in sets]
    expected = min(share for share in shares if share is not None)
    assert condition(values, errors, settings) == pytest.approx(expected, abs=1e-12)


def test_of_three_hyperparameters_no_more_than_two_are_held_fixed():
    """Two networks each, which differ in their error only, so that three would leave nothing."""
    a, b, c, repeat = np.indices((2, 2, 2, 2)).reshape(4, -1)
    values = 4.0 * a + 2 * b + c
    errors = values + repeat / 8
    sets = [columns for k in range(3) for columns in itertools.combinations((a, b, c), k)]
    expected = min(inform(values, errors, columns) for columns in sets)
    assert inform(values, errors, (a, b, c)) == pytest.approx(0, abs=1e-12) and expected > 0.1
    assert condition(values, errors, {"a": a, "b": b, "c": c}) == pytest.approx(expected)


def test_a_measure_that_repeats_a_hyperparameter_is_found_out():
    table = make_table(np.random.default_rng(0))
    found = sm.rank_correlation(
        table, ["echo", "oracle", "noise"], rng=np.random.default_rng(1), n_resamples=200
    )
    assert found["oracle"].tau == pytest.approx(1)
    assert found["oracle"].conditional_information == pytest.approx(1)
    assert found["echo"].tau > 0.8  # strong, and it is the width alone:
    assert found["echo"].conditional_information == pytest.approx(0, abs=1e-12)
    assert found["echo"].granulated["widths"] == pytest.approx(1)
    assert np.isnan(found["echo"].granulated["learning_rate"])  # it does not move with it
    assert found["echo"].granulated_mean == pytest.approx(1)
    assert found["noise"].low < 0 < found["noise"].high


def test_asking_about_more_measures_makes_each_less_certain():
    table = make_table(np.random.default_rng(0))
    options = {"n_resamples": 2}
    alone = sm.rank_correlation(table, "noise", rng=np.random.default_rng(0), **options)
    among = sm.rank_correlation(
        table, ["noise", "echo", "oracle"], rng=np.random.default_rng(0), **options
    )
    p = np.array([among[name].p_value for name in ("oracle", "echo", "noise")])
    assert (np.diff(p) > 0).all()
    # Benjamini and Yekutieli: p times m (1 + 1/2 + ... + 1/m) / rank, made monotone from the end
    by_hand = np.minimum.accumulate((p * 3 * (1 + 1 / 2 + 1 / 3) / [1, 2, 3])[::-1])[::-1]
    adjusted = [among[name].adjusted_p_value for name in ("oracle", "echo", "noise")]
    np.testing.assert_allclose(adjusted, np.minimum(by_hand, 1), rtol=1e-12)
    assert alone.adjusted_p_value == alone.p_value == among["noise"].p_value


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """For normal pairs with correlation r, tau is 2/pi arcsin r."""
    rng = np.random.default_rng(5)
    r = 0.6
    covered = 0
    for _ in range(60):
        x, noise = rng.normal(size=(2, 40))
        y = r * x + np.sqrt(1 - r**2) * noise
        table = sm.Table({"measure": x, "test_error": y})
        found = sm.rank_correlation(table, "measure", level=0.8, n_resamples=100, rng=rng)
        covered += found.low <= 2 / np.pi * np.arcsin(r) <= found.high
    assert 40 <= covered <= 56  # 48 expected, binomial standard deviation 3.1


def test_the_interval_is_that_of_scipy():
    x, y = np.random.default_rng(0).normal(size=(2, 12)).round(3)
    found = sm.rank_correlation(
        sm.Table({"measure": x, "test_error": y}),
        "measure",
        level=0.8,
        n_resamples=50,
        rng=np.random.default_rng(1),
    )
    expected = scipy.stats.bootstrap(
        (x, y),
        lambda *pair: scipy.stats.kendalltau(*pair).statistic,
        paired=True,
        vectorized=False,
        confidence_level=0.8,
        n_resamples=50,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=1e-12)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.tau = 1.0


@pytest.mark.filterwarnings("error")
def test_a_resample_without_two_values_is_left_out_in_silence():
    table = sm.Table({"measure": [0.0, 0.0, 0.0, 1.0], "test_error": [0.1, 0.2, 0.3, 0.4]})
    found = sm.rank_correlation(table, "measure", rng=np.random.default_rng(0), n_resamples=50)
    assert 0 < found.low <= found.high <= 1


def test_on_few_networks_chance_gives_information():
    rng = np.random.default_rng(0)
    settings = {"a": np.arange(12) % 2, "b": np.arange(12) // 6}
    scores = [condition(rng.normal(size=12), rng.normal(size=12), settings) for _ in range(20)]
    assert np.median(scores) > 0.001


def test_networks_without_a_value_are_left_out():
    table = make_table(np.random.default_rng(0))
    values = table["oracle"].copy()
    values[:4] = np.nan
    errors = table["test_error"].copy()
    errors[-2:] = np.nan
    holed = sm.Table({"seed": table["seed"], "oracle": values, "test_error": errors})
    found = sm.rank_correlation(holed, "oracle", rng=np.random.default_rng(0), n_resamples=2)
    assert found.count == 12
    assert found.tau == pytest.approx(1)


def test_a_frame_and_a_plain_table_give_the_same():
    import pandas

    table = make_table(np.random.default_rng(0))
    frame = pandas.DataFrame({name: list(table[name]) for name in table.columns})
    options = {"n_resamples": 50}
    one = sm.rank_correlation(table, "noise", rng=np.random.default_rng(0), **options)
    assert one == sm.rank_correlation(frame, "noise", rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"measures": "nois"}, "table must have the columns nois, .*none named nois$"),
        ({"measures": []}, "measures must name at least one column"),
        ({"target": "error"}, "none named error$"),
        ({"hyperparameters": ["width"]}, "none named width$"),
        ({"measures": [3]}, "each of measures and hyperparameters must be a text, got 3"),
        ({"level": 1.0}, "level must be between 0 and 1, got 1.0"),
        ({"level": 0.0}, "level must be between 0 and 1, got 0.0"),
        ({"n_resamples": 0}, "n_resamples must be an integer of at least 1"),
        ({"rng": 0}, "rng must be a numpy.random.Generator"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, message):
    asked = {"measures": "noise", "rng": np.random.default_rng(0), **options}
    with pytest.raises(ValueError, match=message):
        sm.rank_correlation(make_table(np.random.default_rng(0)), **asked)


def test_two_networks_have_no_order_to_speak_of_and_three_have():
    table = sm.Table(
        {"two": [1.0, 2.0, np.nan], "three": [1.0, 2.0, 4.0], "test_error": [1.0, 2.0, 3.0]}
    )
    with pytest.raises(ValueError, match="two must be defined at three networks at least, got 2"):
        sm.rank_correlation(table, "two", rng=np.random.default_rng(0))
    found = sm.rank_correlation(table, "three", rng=np.random.default_rng(0), n_resamples=20)
    assert (found.count, found.tau) == (3, pytest.approx(1))


def test_a_hyperparameter_that_decides_the_order_leaves_nothing_to_know():
    """Once the half is known the entropy is zero up to rounding, and a share of that anything."""
    half = np.repeat([0, 1], 4)
    values, errors = np.tile([0.0, 1.0], 4), half.astype(float)
    assert condition(values, errors, {"half": half}) == pytest.approx(
        inform(values, errors, []), abs=1e-12
    )
