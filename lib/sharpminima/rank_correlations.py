"""Does a measure order networks as their test error does? Rank correlation, and what is left of it
once the hyperparameters are held fixed (Jiang et al. 2020).
"""

import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats

from ._validation import Array, as_count, as_generator, as_list, as_plain, as_real, as_text
from .data_tables import as_columns
from .sweeps import DEFAULTS

HYPERPARAMETERS = (*DEFAULTS, "seed")


@dataclass(frozen=True)
class RankCorrelation:
    """How a measure orders `count` networks, compared with how their test error does.

    `tau` is Kendall's rank correlation with ties (tau-b), `low` to `high` its bootstrap interval,
    and `p_value` that of the hypothesis that the orders are independent. `adjusted_p_value` is
    corrected for the number of measures that were asked about together.

    `granulated` maps each hyperparameter to the mean of tau over groups of networks that differ in
    that hyperparameter alone, NaN where no group has two values; `granulated_mean` is the mean over
    hyperparameters (Jiang et al. 2020).

    `conditional_information` is their score K: the share of the information about which of two
    networks has the larger test error that the measure still gives once at most two hyperparameters
    of both are known, at the worst of those; 0 is nothing, 1 all. On few networks chance alone
    gives more than 0: as much as a measure drawn at random has.
    """

    measure: str
    count: int
    tau: float
    low: float
    high: float
    p_value: float
    adjusted_p_value: float
    granulated: dict[str, float]
    granulated_mean: float
    conditional_information: float


def rank_correlation(
    table,
    measures: str | Iterable[str],
    *,
    target: str = "test_error",
    hyperparameters: Sequence[str] | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    rng: np.random.Generator,
) -> RankCorrelation | dict[str, RankCorrelation]:
    """Return how one measure, or each of several, orders the networks of a table as `target` does.

    `table` has columns by name, as that of `sweep`. Of one measure, a name, the result is a
    `RankCorrelation`; of several, a mapping from their names. A network where the measure or the
    target is NaN is left out. `hyperparameters` are the columns that say how a network was trained;
    by default those of `sweep` that the table has. Those with a single value play no part.

    The interval holds the share `level` of `n_resamples` paired bootstrap samples of the networks
    (percentiles, `scipy.stats.bootstrap`). p-values are `scipy.stats.kendalltau`'s, adjusted for
    several measures so that the false discovery rate is bounded whatever their dependence
    (Benjamini and Yekutieli 2001, `scipy.stats.false_discovery_control`). Both take networks for
    independent, which those with hyperparameters in common are not: the interval is a lower bound
    on what is uncertain.

    Raises ValueError for a column that the table lacks, fewer than three networks, or a measure or
    target that has one value only.
    """
    rng = as_generator(rng)
    n_resamples = as_count("n_resamples", n_resamples)
    level = float(as_real("level", level, shape=(), what="a number"))
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    columns = as_columns(table)
    as_text("target", target)
    names = [measures]
    if not isinstance(measures, str):
        names = as_list("measures", measures, "names of columns")
    if not names:
        raise ValueError("measures must name at least one column, got none")
    if hyperparameters is None:
        hyperparameters = [name for name in HYPERPARAMETERS if name in columns]
    hyperparameters = as_list("hyperparameters", hyperparameters, "names of columns")
    for name in [*names, *hyperparameters]:
        as_text("each of measures and hyperparameters", name)
    _refuse_missing_columns(columns, [*names, target, *hyperparameters])
    defined = [_take_defined(columns, name, target, hyperparameters) for name in names]
    tests = [scipy.stats.kendalltau(values, errors) for values, errors, _ in defined]
    adjusted = scipy.stats.false_discovery_control([test.pvalue for test in tests], method="by")
    results = {}
    for name, taken, test, adjusted_p_value in zip(names, defined, tests, adjusted, strict=True):
        values, errors, settings = taken
        low, high = _bootstrap(values, errors, level, n_resamples, rng)
        granulated = granulate(values, errors, settings)
        results[name] = RankCorrelation(
            measure=name,
            count=len(values),
            tau=float(test.statistic),
            low=low,
            high=high,
            p_value=float(test.pvalue),
            adjusted_p_value=float(adjusted_p_value),
            granulated=granulated,
            granulated_mean=_mean_of_numbers(granulated.values()),
            conditional_information=condition(values, errors, settings),
        )
    return results[measures] if isinstance(measures, str) else results


def granulate(values: Array, errors: Array, settings: dict[str, Array]) -> dict[str, float]:
    """Return for each hyperparameter the mean of Kendall's tau between `values` (N,) and `errors`
    (N,) over the groups of networks that share all other hyperparameters (Jiang et al. 2020).

    `settings` maps hyperparameters to one integer code for each network, (N,). A group in which
    `values` or `errors` are all equal has no tau, and is left out.
    """
    found = {}
    for name in settings:
        others = [codes for other, codes in settings.items() if other != name]
        group = _join_codes(others, len(values))
        taus = []
        for label in np.unique(group):
            members = group == label
            if len(np.unique(settings[name][members])) > 1:
                taus.append(_compute_tau(values[members], errors[members]))
        found[name] = _mean_of_numbers(taus)
    return found


def condition(values: Array, errors: Array, settings: dict[str, Array]) -> float:
    """Return the smallest normalized information about the order of two `errors` (N,) in the order
    of two `values` (N,), given at most two hyperparameters of both networks.

    It is min over S of I(V; W | S) / H(W | S), with V and W the signs of the differences of values
    and of errors over all ordered pairs of networks, and S the values that both networks have of
    no, one or two hyperparameters (Jiang et al. 2020, section 2, where the order of two
    networks that tie is not defined; here a tie is a third sign). Where S decides W, so that there
    is nothing left to know, S is left out.
    """
    one, other = np.nonzero(~np.eye(len(values), dtype=bool))
    signs = np.sign(values[one] - values[other]).astype(int) + 1
    target = np.sign(errors[one] - errors[other]).astype(int) + 1
    shares = []
    for size in range(3):
        for names in itertools.combinations(settings, size):
            codes = [settings[name][side] for name in names for side in (one, other)]
            given = _join_codes(codes, len(one))
            left = _compute_entropy(target, given)
            if left > 1e-12:
                known = left - _compute_entropy(target, _join_codes([given, signs], len(one)))
                shares.append(known / left)
    return float(min(shares, default=np.nan))


def _refuse_missing_columns(columns, names):
    missing = [name for name in names if name not in columns]
    if missing:
        raise ValueError(
            f"table must have the columns {', '.join(names)}, got none named {', '.join(missing)}"
        )


def _take_defined(columns, name, target, hyperparameters):
    """Return a measure and the target where both are numbers, and the hyperparameters there as
    codes.
    """
    values = _as_column_of_numbers(name, columns[name])
    errors = _as_column_of_numbers(target, columns[target])
    is_defined = np.isfinite(values) & np.isfinite(errors)
    values = values[is_defined]
    errors = errors[is_defined]
    if len(values) < 3:
        raise ValueError(f"{name} must be defined at three networks at least, got {len(values)}")
    for what, numbers in {name: values, target: errors}.items():
        if np.ptp(numbers) == 0:
            raise ValueError(f"{what} must take two values at least, got {numbers[0]} everywhere")
    settings = {}
    for hyperparameter in hyperparameters:
        codes = _encode(as_plain(hyperparameter, columns[hyperparameter])[is_defined])
        if codes.any():  # one with a single value orders nothing
            settings[hyperparameter] = codes
    return values, errors, settings


def _as_column_of_numbers(name, values):
    """Return a column as floats, of which some may be NaN."""
    column = as_plain(f"table[{name!r}]", values)
    if column.dtype.kind not in "biuf":
        raise ValueError(f"table[{name!r}] must hold numbers, got dtype {column.dtype}")
    return column.astype(float)


def _encode(values):
    """Return an integer for each value, equal where values are; values may be tuples."""
    codes = {value: code for code, value in enumerate(dict.fromkeys(values.tolist()))}
    return np.array([codes[value] for value in values.tolist()], dtype=int)


def _join_codes(columns, length):
    """Return one integer for each row, equal where all columns are; columns hold integers from 0
    on.
    """
    joined = np.zeros(length, dtype=int)
    for codes in columns:
        joined = joined * (codes.max() + 1) + codes
        if joined.max() > length:  # so that codes stay small, however many columns there are
            joined = np.unique(joined, return_inverse=True)[1]
    return joined


def _compute_tau(values, errors):
    """Return Kendall's tau-b, NaN where all values or all errors are equal."""
    return float(scipy.stats.kendalltau(values, errors).statistic)


def _bootstrap(values, errors, level, n_resamples, rng):
    """Return the ends of the percentile interval of tau; resamples without two values are left
    out.
    """
    with warnings.catch_warnings():
        # SciPy says this of every interval for which a resample without two values is in the way.
        warnings.filterwarnings("ignore", "The BCa", scipy.stats.DegenerateDataWarning)
        result = scipy.stats.bootstrap(
            (values, errors),
            _compute_tau,
            paired=True,
            vectorized=False,
            n_resamples=n_resamples,
            method="percentile",
            rng=rng,
        )
    taus = result.bootstrap_distribution
    tail = (1 - level) / 2
    low, high = np.nanquantile(taus, [tail, 1 - tail])
    return float(low), float(high)


def _compute_entropy(labels, given):
    """Return the entropy of labels in nats once `given` is known: H(labels | given)."""
    joint = np.bincount(_join_codes([given, labels], len(labels)))
    marginal = np.bincount(given)
    return scipy.stats.entropy(joint) - scipy.stats.entropy(marginal)


def _mean_of_numbers(numbers):
    """Return the mean of those that are no NaN, NaN where there are none."""
    numbers = [number for number in numbers if not np.isnan(number)]
    return float(np.mean(numbers)) if numbers else np.nan
