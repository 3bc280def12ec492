"""Which measures survive: every measure is compared at networks and at their twins, which compute
the same function.

A measure that takes different values at two parameters of one function is no property of the
function, and cannot say by itself how well the function generalizes. Beyond the paper; its sections
4 and 5 are the first rows of the table.
"""

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ._validation import as_count, as_vector
from .hessians import gradient
from .losses import NetworkLoss, kinks
from .orbits import SAME_TO, orbit
from .points import AtKink, Point, evaluate
from .samples import DOUBTFUL, between, relative_curvatures, sample_networks
from .tables import Audits, Finding
from .training import GRADIENT_TOLERANCE, examine
from .transformations import TRANSFORMATIONS, Transformation

BROKEN_FROM = 1e-3  # what a measure means is far above it
SHAKEN, STEADY = 1e-12, 0.01  # relative move of the parameters; what of a difference it may explain
KINK = 1e-12


class Comparison(NamedTuple):
    """A measure's value at one of the networks and at its twin; `seed` is the generator's that drew
    the twin.
    """

    network: str
    seed: int
    value: float
    twin_value: float

    @property
    def change(self):
        """How far the ratio of the two values, the larger to the smaller, is from 1; infinite for
        unlike signs, 0 for equals.
        """
        one, other = self.value, self.twin_value
        if one == other:
            return 0.0
        return max(one / other, other / one) - 1 if one * other > 0 else np.inf

    @property
    def rounded(self):
        """The change to six digits: what differs by rounding only is a tie, which the order of
        networks and seeds decides.
        """
        return float(f"{self.change:.6g}") if self.change > SAME_TO else 0.0


class Counterexample(NamedTuple):
    """Two parameters of one function at which a measure differs, to hold in hand."""

    loss: object
    theta: np.ndarray
    value: float
    twin_loss: object
    twin_theta: np.ndarray
    twin_value: float


class Site(NamedTuple):
    """A network to compare at: whether theta is a minimum, what keeps it from having derivatives
    ("" if nothing), in words what it is.
    """

    loss: object
    theta: np.ndarray
    minimum: bool
    kink: str
    text: str


class Audit:
    """What became of one measure under each transformation, `report.findings[name]`, and what it
    was compared at, `report.networks`.

    Shows itself as a table. `survives`, `counterexample` and `orbit` answer single questions.
    """

    def __init__(self, name, measure, findings, sites, transformations):
        self.name, self.measure, self.findings, self.sites, self.transformations = (
            name,
            measure,
            findings,
            sites,
            transformations,
        )

    @property
    def networks(self):
        """Each network's name and what it is, in words."""
        return {name: site.text for name, site in self.sites.items()}

    def survives(self, transformation, *, at_minima=False):
        """Return whether the measure was the same, to 1e-6, at every twin where it is defined; with
        `at_minima`, of minima only.
        """
        finding = self._finding(transformation)
        return (finding.at_minima if at_minima else finding.verdict) == "survives"

    def counterexample(self, transformation):
        """Return the `Counterexample` of the largest change. Raises ValueError where the measure
        does not break.
        """
        finding = self._finding(transformation)
        if finding.verdict != "breaks":
            raise ValueError(
                f"transformation must be one that {self.name} breaks under, got {transformation!r}:"
                f" {finding}"
            )
        return counterexample(self.sites, self.transformations[transformation], finding.worst)

    def orbit(self, network=None, *, reach=1e6):
        """Return the `Orbit`, the range of the measure over all layer scalings, of one of the
        networks, by default of the first.
        """
        name = next(iter(self.sites)) if network is None else network
        if name not in self.sites:
            raise ValueError(f"network must be one of {', '.join(self.sites)}, got {network!r}")
        return orbit(self.measure, self.sites[name].loss, self.sites[name].theta, reach=reach)

    def _finding(self, transformation):
        if transformation not in self.findings:
            raise ValueError(
                f"transformation must be one of {', '.join(self.findings)}, got {transformation!r}"
            )
        return self.findings[transformation]

    def _table(self):
        return Audits({self.name: self})

    def to_markdown(self):
        """Return the table as Markdown."""
        return self._table().to_markdown()

    def __str__(self):
        return self._table().text(reasons=True)

    __repr__ = __str__

    def _repr_html_(self):
        return self._table()._repr_html_()


def audit(measure, *, seeds=range(20), networks=None, transformations=None):
    """Return an `Audit`: whether `measure(point) -> float` survives each transformation, breaks, or
    is undefined.

    Every network is carried to one twin for each transformation and seed. The measure *survives*
    where the ratio of its two values is within 1e-6 of 1 at all of them and *breaks* where it is
    1e-3 or more from 1 at one; between the two it is *unclear*. A value that is not finite, that
    raises, that needs a derivative at a kink, or that its own rounding changes (an infinitely small
    move of the parameters does as much as the transformation) is *undefined* there, and left out.

    `networks` is a mapping from names to pairs (loss, theta), or a list of such pairs; by default
    `sample_networks()`. `transformations` is a mapping to functions (loss, theta, rng) -> twin; by
    default `TRANSFORMATIONS`. Raises ValueError for a measure that is defined nowhere, with the
    reason that it gave, and NotKept for a transformation that changed the function.

    >>> report = audit(lambda point: np.sum(point.theta**2), seeds=range(2))
    >>> report.survives("permutation"), report.survives("layer_scale")
    (True, False)
    """
    if not callable(measure):
        raise ValueError(f"measure must be a function of a Point, got {measure!r}")
    name = getattr(measure, "__name__", type(measure).__name__)
    name = "the measure" if name == "<lambda>" else name
    return audit_all(
        {name: measure}, seeds=seeds, networks=networks, transformations=transformations
    )[name]


def audit_all(measures, *, seeds=range(20), networks=None, transformations=None):
    """Return the `Audits` of several measures, a mapping from names to `Audit`; each twin's Hessian
    is computed once for all.

    `measures` is a mapping from names to functions of a point. The rest is as for `audit`.
    """
    seeds = [as_count("each of seeds", seed, least=0) for seed in seeds]
    transformations = _as_transformations(
        TRANSFORMATIONS if transformations is None else transformations
    )
    sites = _as_sites(sample_networks() if networks is None else networks)
    if not (measures and seeds and sites and transformations):
        raise ValueError(
            "measures, seeds, networks and transformations must hold at least one each, got none"
            " of one"
        )
    heard = {(m, t): ([], {}) for m in measures for t in transformations}
    here = {}
    for (name, site), t in tqdm(
        list(product(sites.items(), transformations)), desc="audit", leave=False
    ):
        _compare(
            measures,
            name,
            site,
            transformations[t],
            seeds,
            here,
            {m: heard[m, t] for m in measures},
        )
    audits = {}
    for m, measure in measures.items():
        findings = {
            t: _judge(measure, *heard[m, t], sites, transformation)
            for t, transformation in transformations.items()
        }
        if all(finding.verdict == "undefined" for finding in findings.values()):
            reasons = [
                reason for finding in findings.values() for reason in finding.undefined.values()
            ]
            raise ValueError(
                f"measure must be defined at one of the networks at least, got of {m}: {reasons[0]}"
            )
        audits[m] = Audit(m, measure, findings, sites, transformations)
    return Audits(audits)


def _compare(measures, name, site, transformation, seeds, here, heard):
    """Compare all measures at one network and its twins. `here` keeps their values at the network
    itself, by coordinates.
    """
    try:
        start = transformation.start(site.loss, site.theta)
        twins = [
            transformation(site.loss, site.theta, np.random.default_rng(seed)) for seed in seeds
        ]
    except ValueError as error:  # it is not for this loss: an input basis for what has no inputs
        for _, undefined in heard.values():
            undefined[name] = str(error)
        return
    key = (name, transformation.start)
    if key not in here:
        point = _point(site, *start)
        here[key] = {m: evaluate(measure, point) for m, measure in measures.items()}
    for seed, twin in zip(seeds, twins, strict=True):
        point = _point(site, *twin)
        for m, (comparisons, undefined) in heard.items():
            value, reason = here[key][m]
            if not reason:
                twin_value, reason = evaluate(measures[m], point)
            if reason:
                undefined[name] = reason
            else:
                comparisons.append(Comparison(name, seed, value, twin_value))


def _judge(measure, comparisons, undefined, sites, transformation):
    """Return the `Finding` of some comparisons, at minima and elsewhere. A break counts only if
    rounding cannot make it.
    """
    verdicts, worst, undefined = {}, {}, dict(undefined)
    for minimum in (True, False):
        verdicts[minimum], unsteady = "undefined", set()
        for comparison in sorted(comparisons, key=lambda c: -c.rounded):
            if sites[comparison.network].minimum is not minimum or comparison.network in unsteady:
                continue
            if comparison.change <= SAME_TO:
                verdicts[minimum], worst[minimum] = "survives", comparison
                break
            settled = _settled(measure, counterexample(sites, transformation, comparison))
            if settled is None:
                unsteady.add(comparison.network)
                undefined[comparison.network] = "rounding decides its value"
                continue
            comparison = comparison._replace(value=settled[0], twin_value=settled[1])
            verdicts[minimum], worst[minimum] = (
                "breaks" if comparison.change >= BROKEN_FROM else "unclear",
                comparison,
            )
            break
    order = ("breaks", "unclear", "survives", "undefined")
    decisive = min(
        (True, False),
        key=lambda minimum: (
            order.index(verdicts[minimum]),
            -worst[minimum].rounded if minimum in worst else 0,
        ),
    )
    return Finding(
        verdicts[decisive],
        verdicts[True],
        verdicts[False],
        worst.get(decisive),
        undefined,
        len(comparisons),
    )


def counterexample(sites, transformation, comparison):
    """Draw the twin of a comparison anew."""
    site = sites[comparison.network]
    start = transformation.start(site.loss, site.theta)
    twin = transformation(site.loss, site.theta, np.random.default_rng(comparison.seed))
    return Counterexample(*start, comparison.value, *twin, comparison.twin_value)


def _settled(measure, example):
    """Return both values, 0 for one that is all rounding; None if rounding could make their
    difference.

    All parameters are moved by a millionth of a millionth. What that changes by more than a
    hundredth of the difference says nothing about it; what it changes by more than a hundredth of
    itself is zero up to rounding.
    """
    rng, settled = np.random.default_rng(0), []
    for loss, theta, value in (example[:3], example[3:]):
        shaken = theta * (1 + SHAKEN * rng.choice([-1.0, 1.0], len(theta)))
        again, reason = evaluate(measure, Point(loss, shaken))
        if reason or abs(again - value) > STEADY * abs(example.twin_value - example.value):
            return None
        settled.append(0.0 if abs(again - value) > STEADY * abs(value) else value)
    return settled


def _point(site, loss, theta):
    return AtKink(loss, theta, site.kink) if site.kink else Point(loss, theta)


def _as_transformations(transformations):
    if not isinstance(transformations, Mapping):
        raise ValueError(
            "transformations must be a mapping from names to functions, got"
            f" {type(transformations).__name__}"
        )
    for name, move in transformations.items():
        if not callable(move):
            raise ValueError(
                f"each of transformations must be a function of loss, theta and rng, got {move!r}"
                f" for {name}"
            )
    return {
        name: t if isinstance(t, Transformation) else Transformation(name, t)
        for name, t in transformations.items()
    }


def _as_sites(networks):
    if not isinstance(networks, Mapping):
        networks = {f"network {k}": pair for k, pair in enumerate(networks, start=1)}
    return {str(name): _site(name, *pair) for name, pair in networks.items()}


def _site(name, loss, theta):
    if not callable(loss):
        raise ValueError(
            f"networks must hold pairs (loss, theta), got {loss!r} as the loss of {name}"
        )
    theta = as_vector(f"theta of {name}", theta, getattr(loss, "size", None))
    if not isinstance(loss, NetworkLoss):
        return Site(
            loss,
            theta,
            bool(np.linalg.norm(gradient(loss, theta)) <= GRADIENT_TOLERANCE),
            "",
            repr(loss),
        )
    near = kinks(loss, theta, tol=KINK)
    if near:
        return Site(loss, theta, False, str(near), f"{loss!r}, {near}")
    sizes = relative_curvatures(loss, theta)
    text = f"{loss!r}, Hessian of rank {(sizes > DOUBTFUL[1]).sum()} of {loss.size}"
    if between(sizes).any():
        text += (
            f", and {between(sizes).sum()} more eigenvalues that may be rounding: what depends on"
            " the rank is in doubt here"
        )
    return Site(loss, theta, examine(loss, theta).genuine, "", text)
