"""Which measures survive: every measure is compared at networks and at their twins, which compute
the same function.

A measure that takes different values at two parameters of one function is no property of the
function, and cannot say by itself how well the function generalizes. Beyond the paper; its sections
4 and 5 are the first rows of the table.
"""

import functools
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from . import records, tables
from ._validation import (
    Array,
    as_choice,
    as_count,
    as_flag,
    as_list,
    as_text,
    check_function,
)
from .losses import Loss
from .orbits import SAME_TO, Orbit, orbit
from .points import Point, Undefined, evaluate
from .samples import Site, as_sites, sample_networks
from .transformations import TRANSFORMATIONS, NotKept, Transformation

BROKEN_FROM = 1e-3  # a measure breaks from this relative change on, far above rounding

# A value is steady if a relative move of all parameters by SHAKE changes it by at most the share
# STEADY of the difference that it is part of.
SHAKE = 1e-12
STEADY = 0.01

# Errors by which a transformation says that it cannot make a twin of a network.
CANNOT_MOVE = (ValueError, ArithmeticError, NotImplementedError, NotKept)
BY_ROUNDING = "rounding decides its value"
INTERRUPTED = "not compared: the audit was interrupted"

SERIOUSNESS = ("undefined", "survives", "unclear", "breaks")


class Comparison(NamedTuple):
    """A measure's value at one of the networks and at its twin, which a generator with this `seed`
    drew.
    """

    network: str
    seed: int
    value: float
    twin_value: float

    @property
    def change(self) -> float:
        """How far the ratio of the two values, the larger to the smaller, is from 1; infinite for
        unlike signs, 0 for equals.
        """
        if self.value == self.twin_value:
            return 0.0
        if np.sign(self.value) != np.sign(self.twin_value):
            return np.inf
        return max(self.value / self.twin_value, self.twin_value / self.value) - 1

    @property
    def rounded(self) -> float:
        """The change to six digits. Changes that differ only by rounding are then equal, and the
        order of networks and seeds decides between them.
        """
        if self.change <= SAME_TO:
            return 0.0
        return float(f"{self.change:.6g}")


class Counterexample(NamedTuple):
    """Two parameters of one function at which a measure differs, to hold in hand.

    `twin_inputs` takes inputs of the network to those of the twin, where the two differ.
    """

    loss: Loss
    theta: Array
    value: float
    twin_loss: Loss
    twin_theta: Array
    twin_value: float
    twin_inputs: Callable[[Array], Array] | None = None

    @property
    def here(self) -> Point:
        """The point at which the measure is `value`."""
        return Point(self.loss, self.theta)

    @property
    def there(self) -> Point:
        """The twin, at which it is `twin_value`."""
        return Point(self.twin_loss, self.twin_theta, inputs=self.twin_inputs)


class Finding(NamedTuple):
    """What became of a measure under one transformation.

    `verdict`, and `at_minima` and `elsewhere`, are "survives", "breaks", "unclear" or "undefined";
    `worst` is the comparison with the largest change (None where there is none); `undefined` maps
    the networks at which the measure has no value to the reason; `count` is the number of
    comparisons, `compared` the number of networks at which there is one that counts.
    """

    verdict: str
    at_minima: str
    elsewhere: str
    worst: Comparison | None
    undefined: dict[str, str]
    count: int
    compared: int = 0

    @property
    def breaks_elsewhere_only(self) -> bool:
        """Whether the measure breaks, but not at minima."""
        return self.verdict == "breaks" and self.at_minima == "survives"

    @property
    def sign(self) -> str:
        """The finding in a few characters, as in the table; `tables.KEY` explains them."""
        if self.breaks_elsewhere_only:
            return "(=)"
        if self.verdict == "breaks":
            return tables.write_factor(1 + self.worst.change)
        return {"survives": "=", "unclear": "?", "undefined": "–"}[self.verdict]

    def __str__(self):
        parts = []
        if self.verdict == "survives":
            # The change itself is rounding, which differs from machine to machine.
            parts.append(f"survives: the same at {self.count} twins")
        elif self.verdict != "undefined":
            where = " away from minima only" if self.breaks_elsewhere_only else ""
            factor = tables.write_factor(1 + self.worst.change)
            twin = f"{self.worst.network}, seed {self.worst.seed}"
            parts.append(f"{self.verdict}{where}: {factor} at {twin}")
        if self.undefined:
            parts.append(f"undefined at {tables.write_count(len(self.undefined))}")
        return "; ".join(parts)


class Gap(NamedTuple):
    """Transformations under which a measure is undefined at equally many networks, and why."""

    transformations: str
    networks: str
    reason: str


class Audit:
    """What became of one measure under each transformation, `report.findings[name]`, and what it
    was compared at, `report.networks`.

    Shows itself as a table. `survives`, `counterexample` and `orbit` answer single questions.
    """

    def __init__(
        self,
        name: str,
        measure: Callable[[Point], float],
        findings: dict[str, Finding],
        sites: dict[str, Site],
        transformations: dict[str, Transformation],
    ):
        self.name = name
        self.measure = measure
        self.findings = findings
        self.sites = sites
        self.transformations = transformations

    @property
    def networks(self) -> dict[str, str]:
        """The name of each network, and its description."""
        return {name: site.description for name, site in self.sites.items()}

    def survives(self, transformation: str, *, at_minima: bool = False) -> bool | None:
        """Return whether the measure was the same, to 1e-6, at every twin where it is defined; with
        `at_minima`, at every twin of a minimum.

        None if there is no answer: the measure is defined at no such network, or no network is a
        minimum (`networks` says which are).
        """
        finding = self._finding(transformation)
        verdict = finding.at_minima if as_flag("at_minima", at_minima) else finding.verdict
        if verdict == "undefined":
            return None
        return verdict == "survives"

    def counterexample(self, transformation: str) -> Counterexample:
        """Return the `Counterexample` of the largest change. Raises ValueError where the measure
        does not break.
        """
        finding = self._finding(transformation)
        if finding.verdict != "breaks":
            raise ValueError(
                f"transformation must be one that {self.name} breaks under, got {transformation!r}:"
                f" {finding}"
            )
        site = self.sites[finding.worst.network]
        return draw_again(site, self.transformations[transformation], finding.worst)

    def orbit(self, network: str | None = None, *, reach: float = 1e6) -> Orbit:
        """Return the `Orbit`, the range of the measure over all layer scalings, of one of the
        networks, by default of the first.
        """
        if network is None:
            network = next(iter(self.sites))
        as_choice("network", network, self.sites)
        site = self.sites[network]
        return orbit(self.measure, site.loss, site.theta, reach=reach)

    @property
    def gaps(self) -> list[Gap]:
        """Where the measure is undefined: transformations with equally many such networks are one
        gap, with the reason at the first of them.
        """
        by_count = {}
        for name, finding in self.findings.items():
            if finding.undefined:
                by_count.setdefault(len(finding.undefined), []).append(name)
        gaps = []
        for count, names in by_count.items():
            under = ", ".join(tables.write_head(name) for name in names)
            if len(names) == len(self.findings):
                under = "everything"
            reason = next(iter(self.findings[names[0]].undefined.values()))
            gaps.append(Gap(under, f"{count} of {len(self.sites)}", reason))
        return gaps

    @property
    def controls(self) -> list[str]:
        """The transformations that are to change the function."""
        return [name for name, t in self.transformations.items() if not t.keeps]

    def _finding(self, transformation):
        as_choice("transformation", transformation, self.findings)
        return self.findings[transformation]

    def to_markdown(self) -> str:
        """Return the signs as a table of one row, in Markdown."""
        return Audits({self.name: self}).to_markdown()

    def __str__(self):
        reasons = Audits({self.name: self}).reasons
        lines = [self.name, *tables.render_findings_as_text(self.findings)]
        return "\n".join(lines + [textwrap.fill(reason, 120) for reason in reasons])

    __repr__ = __str__

    def _repr_html_(self):
        return tables.render_findings_as_html(self.name, self.findings, self.controls)


class Audits(Mapping):
    """The audits of several measures by name. Shows itself as a table with a row for each measure
    and a column for each transformation.

    `complete` is False if the audit was interrupted: what had been compared until then is there.
    """

    def __init__(self, audits: Mapping[str, Audit], *, complete: bool = True):
        if not isinstance(audits, Mapping):
            raise ValueError(
                "audits must be a mapping from names to what audit returns, got"
                f" {type(audits).__name__}"
            )
        self.audits = dict(audits)
        self.complete = as_flag("complete", complete)

    def __getitem__(self, name):
        return self.audits[name]

    def __iter__(self):
        return iter(self.audits)

    def __len__(self):
        return len(self.audits)

    @property
    def signs(self) -> dict[str, dict[str, str]]:
        """The table as a mapping from measures to mappings from transformations to signs."""
        return {
            name: {t: finding.sign for t, finding in audit.findings.items()}
            for name, audit in self.audits.items()
        }

    @property
    def reasons(self) -> list[str]:
        """Where values are missing, and why: one sentence for all measures with the same gap."""
        measures = {}
        for name, audit in self.audits.items():
            for gap in audit.gaps:
                measures.setdefault(gap, []).append(name)
        return [
            f"Undefined under {gap.transformations} at {gap.networks} networks:"
            f" {'; '.join(names)} ({gap.reason})."
            for gap, names in measures.items()
        ]

    def select(self, names: Iterable[str]) -> "Audits":
        """Return the rows of these names, in their order."""
        names = [
            as_choice("each of names", name, self.audits)
            for name in as_list("names", names, "names of measures")
        ]
        return Audits({name: self.audits[name] for name in names}, complete=self.complete)

    def to_record(self) -> dict:
        """Return all that was found as a mapping of plain values, laid out as `sharpminima.records`
        says: rows, columns, verdicts, coverage, proofs, counterexamples.
        """
        version = sys.modules[__package__].__version__  # whose own imports end with this module
        return records.make_record(self.audits, version=version, complete=self.complete)

    def to_json(self) -> str:
        """Return `to_record()` as JSON."""
        return records.write_json(self.to_record())

    def to_csv(self) -> str:
        """Return the verdicts as CSV, a line for each measure and transformation."""
        return records.write_csv(self.to_record())

    def to_html(self) -> str:
        """Return the record as a narrow table: what is proved told from what was sampled, authors'
        claims marked, coverage in each cell.
        """
        return tables.render_record_as_html(self.to_record())

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return tables.render_signs_as_markdown(self.signs)

    def text(self, *, reasons: bool = False) -> str:
        """Return the table as plain text, with the `reasons` of what is undefined if wanted."""
        lines = tables.render_signs_as_text(self.signs)
        if as_flag("reasons", reasons):
            lines += [textwrap.fill(reason, 120) for reason in self.reasons]
        return "\n".join(lines)

    def __str__(self):
        return self.text()

    __repr__ = __str__

    def _repr_html_(self):
        findings = {name: audit.findings for name, audit in self.audits.items()}
        first = next(iter(self.audits.values()))
        families = {
            name: getattr(audit.measure, "family", "Your own")
            for name, audit in self.audits.items()
        }
        return tables.render_signs_as_html(
            findings, first.controls, families=families, n_networks=len(first.sites)
        )


def audit(
    measure: Callable[[Point], float],
    *,
    seeds: Iterable[int] = range(20),
    networks: Mapping | Iterable | None = None,
    transformations: Mapping[str, Callable] | None = None,
) -> Audit:
    """Return an `Audit`: whether `measure(point) -> float` survives each transformation, breaks, or
    is undefined.

    Every network is carried to one twin for each transformation and seed. The measure *survives*
    where the ratio of its two values is within 1e-6 of 1 at all of them and *breaks* where it is
    1e-3 or more from 1 at one; between the two it is *unclear*. It is *undefined*, and left out,
    where its value is not finite, where it raises a ValueError or an ArithmeticError, where it
    needs a derivative at a kink, and where rounding decides its value (an infinitely small move of
    the parameters does as much as the transformation). Any other error, as a wrong name in the
    measure's code, ends the audit.

    `networks` is a mapping from names to pairs (loss, theta), or a list of such pairs; by default
    `sample_networks()`. `transformations` is a mapping to functions (loss, theta, rng) -> twin; by
    default `TRANSFORMATIONS`. One that cannot make a twin of a network, or that changed the
    function there, is undefined at that network, with the reason. A measure that is random, as one
    that samples, is undefined too, unless its values agree; two calls at one point tell.

    Raises ValueError for a measure that is defined nowhere, with the reason that it gave.

    >>> report = audit(lambda point: np.sum(point.theta**2), seeds=range(2))
    >>> report.survives("permutation"), report.survives("layer_scale")
    (True, False)
    """
    check_function("measure", measure, "a function of a Point")
    name = getattr(measure, "__name__", type(measure).__name__)
    if name == "<lambda>":
        name = "the measure"
    audits = audit_all(
        {name: measure}, seeds=seeds, networks=networks, transformations=transformations
    )
    if audits.complete:
        _refuse_if_undefined_everywhere(name, audits[name].findings)
    return audits[name]


def audit_all(
    measures: Mapping[str, Callable[[Point], float]],
    *,
    seeds: Iterable[int] = range(20),
    networks: Mapping | Iterable | None = None,
    transformations: Mapping[str, Callable] | None = None,
) -> Audits:
    """Return the `Audits` of several measures, a mapping from names to `Audit`; each twin's Hessian
    is computed once for all.

    `measures` is a mapping from names to functions of a point. The rest is as for `audit`, but a
    measure that is defined nowhere is a row with its reason. On Ctrl-C the table holds what was
    compared until then, and a warning says so.
    """
    if not isinstance(measures, Mapping):
        raise ValueError(
            "measures must be a mapping from names to functions, as {'trace': trace}, got"
            f" {type(measures).__name__}"
        )
    for name, measure in measures.items():
        if not callable(measure):
            raise ValueError(f"measures must hold functions of a Point, got {measure!r} as {name}")
    if isinstance(seeds, (int, np.integer)):
        raise ValueError(f"seeds must be several, as range({seeds}), got {seeds!r}")
    seeds = [
        as_count("each of seeds", seed, least=0) for seed in as_list("seeds", seeds, "integers")
    ]
    if transformations is None:
        transformations = TRANSFORMATIONS
    if networks is None:
        networks = sample_networks()
    transformations = _as_transformations(transformations)
    sites = as_sites(networks)
    if not (measures and seeds and sites and transformations):
        raise ValueError(
            "measures, seeds, networks and transformations must hold at least one each, got none"
            " of one"
        )
    outcomes, complete = _compare_at_all(measures, sites, transformations, seeds)
    findings = {name: {} for name in measures}
    for t, transformation in transformations.items():
        # All measures share the points at which a difference is held against rounding.
        examine_pair = functools.cache(functools.partial(_make_pair, transformation))
        for name, measure in measures.items():
            evidence = _gather(name, {site: outcomes[site, t] for site in sites})
            findings[name][t] = _judge(measure, evidence, sites, examine_pair)
    audits = {
        name: Audit(name, measure, findings[name], sites, transformations)
        for name, measure in measures.items()
    }
    return Audits(audits, complete=complete)


class Readings(NamedTuple):
    """All measures at one point: the values of those that have one, for the others the reason."""

    values: dict[str, float]
    undefined: dict[str, str]


class Outcomes(NamedTuple):
    """All measures at one network, under one transformation: for each measure its comparisons, one
    for each seed, and for those that are undefined at a twin or at the network the reason.
    """

    comparisons: dict[str, list[Comparison]]
    undefined: dict[str, str]


class Evidence(NamedTuple):
    """One measure at all networks, under one transformation: its comparisons, and for each network
    at which it is undefined the reason.
    """

    comparisons: list[Comparison]
    undefined: dict[str, str]


class Judgment(NamedTuple):
    """The verdict on some comparisons, the one that decided it (None without any), and the networks
    that turned out to be undefined, with the reason.
    """

    verdict: str
    worst: Comparison | None
    undefined: dict[str, str]

    @property
    def weight(self):
        """How serious the judgment is: by its verdict, then by its change."""
        change = 0.0
        if self.worst is not None:
            change = self.worst.rounded
        return SERIOUSNESS.index(self.verdict), change


def _compare_at_all(measures, sites, transformations, seeds):
    """Return the `Outcomes` at each network under each transformation, by both names, and whether
    all were compared. Raises KeyboardInterrupt if there is nothing yet to keep.
    """
    pairs = [(site, t) for site in sites for t in transformations]
    outcomes = {}
    try:
        with tqdm(total=len(pairs), desc="audit", leave=False) as progress:
            for site in sites.values():
                for t, result in _compare_at(site, measures, transformations, seeds):
                    outcomes[site.name, t] = result
                    progress.update()
    except KeyboardInterrupt:
        if not outcomes:
            raise
        warnings.warn(
            f"the audit was interrupted: {len(outcomes)} of {len(pairs)} pairs of a network and a"
            " transformation were compared, and the table tells of these",
            RuntimeWarning,
            stacklevel=3,
        )
        missing = [pair for pair in pairs if pair not in outcomes]
        for pair in missing:
            outcomes[pair] = Outcomes({}, dict.fromkeys(measures, INTERRUPTED))
        return outcomes, False
    return outcomes, True


def _compare_at(site, measures, transformations, seeds):
    """Yield, for one network, the name of each transformation and the `Outcomes` under it."""
    at_start = {}  # the readings at the network itself, by the way to its coordinates
    for t, transformation in transformations.items():
        try:
            start = transformation.start(site.loss, site.theta)
            twins = [draw_twin(site, transformation, seed) for seed in seeds]
        except CANNOT_MOVE as error:  # not for this loss: an input basis for a loss without inputs
            yield t, Outcomes({}, dict.fromkeys(measures, str(error) or type(error).__name__))
            continue
        if transformation.start not in at_start:
            at_start[transformation.start] = _read(measures, site.at(*start))
        here = at_start[transformation.start]
        yield t, _compare_with_twins(measures, here, site, seeds, twins)


def _read(measures, point):
    """Return the `Readings` of the measures at the point."""
    values = {}
    undefined = {}
    for name, measure in measures.items():
        try:
            values[name] = evaluate(measure, point)
        except Undefined as error:
            undefined[name] = str(error)
    return Readings(values, undefined)


def _compare_with_twins(measures, here, site, seeds, twins):
    """Return the `Outcomes` at a network, from the readings `here` and those at its twins."""
    defined = {name: measures[name] for name in here.values}
    comparisons = {name: [] for name in defined}
    undefined = dict(here.undefined)
    for seed, twin in zip(seeds, twins, strict=True):
        there = _read(defined, site.at(*twin))
        undefined |= there.undefined
        for name, twin_value in there.values.items():
            comparison = Comparison(site.name, seed, here.values[name], twin_value)
            comparisons[name].append(comparison)
    return Outcomes(comparisons, undefined)


def _gather(name, outcomes):
    """Return the `Evidence` on one measure from the `Outcomes` at each network."""
    comparisons = []
    undefined = {}
    for network, result in outcomes.items():
        comparisons += result.comparisons.get(name, [])
        if name in result.undefined:
            undefined[network] = result.undefined[name]
    return Evidence(comparisons, undefined)


def _judge(measure, evidence, sites, examine_pair):
    """Return the `Finding` on one measure: the more serious of the judgments at minima and
    elsewhere.
    """
    groups = {True: [], False: []}
    for comparison in evidence.comparisons:
        groups[sites[comparison.network].is_minimum].append(comparison)

    def settle(comparison):
        pair = examine_pair(PairKey(sites[comparison.network], comparison.seed))
        return _settle(measure, comparison, pair)

    def is_rounding(comparison):
        """Two values of a measure that vanishes: where it does, rounding makes 1e-16 of a zero, and
        that two of these agree would be luck.
        """
        if not getattr(measure, "vanishes", False):
            return False
        pair = examine_pair(PairKey(sites[comparison.network], comparison.seed))
        return _is_noise(measure, pair.here_shaken, comparison.value) and _is_noise(
            measure, pair.there_shaken, comparison.twin_value
        )

    at_minima = _judge_group(groups[True], settle, is_rounding)
    elsewhere = _judge_group(groups[False], settle, is_rounding)
    decisive = max(at_minima, elsewhere, key=lambda judgment: judgment.weight)
    undefined = evidence.undefined | at_minima.undefined | elsewhere.undefined
    return Finding(
        verdict=decisive.verdict,
        at_minima=at_minima.verdict,
        elsewhere=elsewhere.verdict,
        worst=decisive.worst,
        undefined=undefined,
        count=len(evidence.comparisons),
        compared=len({c.network for c in evidence.comparisons} - set(undefined)),
    )


def _judge_group(comparisons, settle, is_rounding):
    """Return the `Judgment` on some comparisons: that on the largest change which rounding cannot
    make. A network where rounding can make it is left out.
    """
    undefined = {c.network: BY_ROUNDING for c in comparisons if is_rounding(c)}
    for comparison in sorted(comparisons, key=lambda c: c.rounded, reverse=True):
        if comparison.network in undefined:
            continue
        if comparison.change <= SAME_TO:
            return Judgment("survives", comparison, undefined)
        try:
            settled = settle(comparison)
        except Undefined as error:
            undefined[comparison.network] = str(error)
            continue
        if settled.change >= BROKEN_FROM:
            return Judgment("breaks", settled, undefined)
        return Judgment("unclear", settled, undefined)
    return Judgment("undefined", None, undefined)


class PairKey:
    """A network and a seed: which twin is meant. Two are equal if both are."""

    def __init__(self, site: Site, seed: int):
        self.site = site
        self.seed = seed

    def __eq__(self, other):
        return (self.site.name, self.seed) == (other.site.name, other.seed)

    def __hash__(self):
        return hash((self.site.name, self.seed))


class Pair(NamedTuple):
    """A network and its twin, and both after a move of all parameters by `SHAKE`."""

    here: Point
    there: Point
    here_shaken: Point
    there_shaken: Point


def _make_pair(transformation, key):
    """Return the `Pair` that the seed leads to."""
    loss, theta = transformation.start(key.site.loss, key.site.theta)
    here = Point(loss, theta)
    twin = draw_twin(key.site, transformation, key.seed)
    there = Point(twin.loss, twin.theta, inputs=twin.inputs)
    rng = np.random.default_rng(0)
    return Pair(here, there, _shake(here, rng), _shake(there, rng))


def _shake(point, rng):
    signs = rng.choice([-1.0, 1.0], len(point.theta))
    return Point(point.loss, point.theta * (1 + SHAKE * signs), inputs=point.inputs)


def _settle(measure, comparison, pair):
    """Return the comparison with 0 in place of a value that is all rounding. Raises Undefined if
    rounding, or the measure's own chance, could make the difference of the two values.
    """
    difference = abs(comparison.twin_value - comparison.value)
    value = _settle_value(measure, pair.here, pair.here_shaken, comparison.value, difference)
    twin_value = _settle_value(
        measure, pair.there, pair.there_shaken, comparison.twin_value, difference
    )
    return comparison._replace(value=value, twin_value=twin_value)


def _settle_value(measure, point, shaken_point, value, difference):
    """Return the value, or 0 if a move of all parameters by `SHAKE` changes it by more than the
    share `STEADY` of itself. Raises Undefined if that changes it by more than this share of the
    difference.
    """
    try:
        shaken = evaluate(measure, shaken_point)
    except Undefined as error:
        raise Undefined(_explain_unsteady(measure, point)) from error
    rounding = abs(shaken - value)
    if rounding > STEADY * difference:
        raise Undefined(_explain_unsteady(measure, point))
    if rounding > STEADY * abs(value):
        return 0.0
    return value


def _is_noise(measure, shaken_point, value):
    """Return whether a move of all parameters by `SHAKE` changes the value by more than the share
    `STEADY` of itself, or leaves a zero.
    """
    try:
        shaken = evaluate(measure, shaken_point)
    except Undefined:
        return True
    return shaken == value == 0 or abs(shaken - value) > STEADY * abs(value)


def _explain_unsteady(measure, point):
    """Return why the measure's value is not to be relied on: two calls at one point tell."""
    calls = []
    for _ in range(2):
        fresh = Point(point.loss, point.theta, inputs=point.inputs)
        try:
            calls.append(evaluate(measure, fresh))
        except Undefined:
            calls.append(None)
    if calls[0] != calls[1]:
        return (
            "the measure is random: two calls at one point give different values; one that draws"
            " numbers needs a generator of its own, seeded anew in each call"
        )
    return BY_ROUNDING


class Twin(NamedTuple):
    """A twin of a network, and what takes inputs of the network to those of the twin."""

    loss: Loss
    theta: Array
    inputs: Callable[[Array], Array]


def draw_twin(site: Site, transformation: Transformation, seed: int) -> Twin:
    """Return the twin of a network that a seed leads to."""
    loss, theta = transformation(site.loss, site.theta, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    inputs = transformation.inputs(*transformation.start(site.loss, site.theta), rng)
    return Twin(loss, theta, inputs)


def draw_again(
    site: Site, transformation: Transformation, comparison: Comparison
) -> Counterexample:
    """Return the two parameters that were compared, with their values."""
    loss, theta = transformation.start(site.loss, site.theta)
    twin = draw_twin(site, transformation, comparison.seed)
    return Counterexample(
        loss,
        theta,
        comparison.value,
        twin.loss,
        twin.theta,
        comparison.twin_value,
        twin.inputs,
    )


def _refuse_if_undefined_everywhere(name, findings):
    if any(finding.verdict != "undefined" for finding in findings.values()):
        return
    reasons = [reason for finding in findings.values() for reason in finding.undefined.values()]
    raise ValueError(
        f"measure must be defined at one of the networks at least, got of {name}: {reasons[0]}"
    )


def _as_transformations(transformations):
    if not isinstance(transformations, Mapping):
        raise ValueError(
            "transformations must be a mapping from names to functions, got"
            f" {type(transformations).__name__}"
        )
    found = {}
    for name, move in transformations.items():
        as_text("each name of transformations", name)
        if not callable(move):
            raise ValueError(
                f"each of transformations must be a function of loss, theta and rng, got {move!r}"
                f" for {name}"
            )
        if not isinstance(move, Transformation):
            move = Transformation(name, move)
        found[name] = move
    return found
