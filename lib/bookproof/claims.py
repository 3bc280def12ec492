"""Claims: what a book says, held to what it computed, in the cell beside the sentence.

    import bookproof as book

    book.claim(
        "theorem-3",
        "The Hessian of the twin follows by the rule.",
        book.equal(computed, expected, to=1e-12, relative_to="largest"),
        book.at_least(norms, floor),
    )

A claim has one or several parts, each of one kind: `equal` to a tolerance, `at_most` and `at_least`
with their margin, `true_of` a number of cases, `agrees` within statistical error. Each part is
judged alone. A NaN, or nothing at all to compare, never holds. What a claim shows is the same on
every machine; what was measured travels in the output's metadata, which nbval passes over.
"""

import html
import math
from dataclasses import dataclass

import numpy as np

MIME = "application/vnd.bookproof.claim+json"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class ClaimError(AssertionError):
    """A claim of the book does not hold."""


@dataclass(frozen=True)
class Part:
    """One comparison of a claim: its `kind`, the `promise` in words, what was `measured`, and
    whether it held.

    `measured` counts in units of what is allowed where `kind` is "equality" or "inequality" or
    "estimate": 1 is the limit, more is too much. For a "count" it is the number of cases found.
    `finding` says it in words.
    """

    kind: str
    promise: str
    measured: float
    held: bool
    finding: str
    name: str = ""


@dataclass(frozen=True)
class Claim:
    """A sentence of the book with the parts that it rests on. Shows itself as one line."""

    identifier: str
    sentence: str
    parts: tuple
    source: str = ""

    @property
    def promise(self):
        """How the claim is held, in words: the promises of its parts."""
        promises = dict.fromkeys(part.promise for part in self.parts)
        return "; ".join(promises)

    def __str__(self):
        return f"✓ {self.identifier}: {self.sentence} [{self.promise}]"

    def _repr_mimebundle_(self, include=None, exclude=None):
        words = html.escape(self.promise)
        shown = (
            '<p class="claim"><span class="claim-mark" aria-hidden="true">✓</span> '
            f"<strong>{words[0].upper()}{words[1:]}.</strong> {html.escape(self.sentence)}</p>"
        )
        parts = [
            {"kind": part.kind, "promise": part.promise, "name": part.name} for part in self.parts
        ]
        record = {
            "identifier": self.identifier,
            "sentence": self.sentence,
            "source": self.source,
            "parts": parts,
            "held": all(part.held for part in self.parts),
        }
        found = [{"measured": part.measured, "finding": part.finding} for part in self.parts]
        data = {MIME: record, "text/html": shown, "text/plain": str(self)}
        return data, {MIME: {"parts": found}}


def claim(identifier, sentence, *parts, source=""):
    """Return the `Claim`, or raise ClaimError, naming every part that does not hold.

    `identifier` is the label of the statement or figure that the claim is about, `source` where the
    statement comes from.

    >>> print(claim("sum", "One and one are two.", equal(1 + 1, 2)))
    ✓ sum: One and one are two. [equal]
    >>> claim("third", "A third is 0.333.", equal(1 / 3, 0.333, to=1e-6))
    Traceback (most recent call last):
    ...
    bookproof.claims.ClaimError: third does not hold: A third is 0.333. Not equal to 10⁻⁶: they differ by 0.000333.
    """
    for name, text in {"identifier": identifier, "sentence": sentence}.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must say something, got {text!r}")
    if not parts:
        raise ValueError(
            "parts must hold at least one comparison, as equal(one, other, to=1e-12), got none"
        )
    for part in parts:
        if not isinstance(part, Part):
            raise ValueError(
                "each of parts must be what equal, at_most, at_least, true_of or agrees return,"
                f" got {part!r}"
            )
    failed = [part for part in parts if not part.held]
    if failed:
        reasons = " ".join(
            f"Not {part.promise}{f' ({part.name})' if part.name else ''}: {part.finding}."
            for part in failed
        )
        raise ClaimError(f"{identifier} does not hold: {sentence} {reasons}")
    return Claim(identifier, sentence, parts, source)


def check(identifier, sentence, *, error, bound, source, function, test):
    """Return the claim that `error` is at most `bound`; kept for one release, `claim` with its
    parts replaces it.
    """
    return claim(identifier, sentence, equal(error, 0.0, to=bound), source=source)


def equal(one, other, *, to=0.0, relative_to=None, name=""):
    """Compare two arrays of one shape: their largest difference is at most `to`. With `to=0` they
    are equal bit by bit.

    `relative_to="largest"` divides the difference by the largest entry of `other` in size,
    `relative_to="each"` every difference by its own entry of `other`; a number or an array gives
    the scale itself.
    """
    one, other = _as_numbers("one", one), _as_numbers("other", other)
    to = _as_tolerance("to", to)
    if one.shape != other.shape and other.ndim > 0:
        raise ValueError(f"one and other must have one shape, got {one.shape} and {other.shape}")
    scale, words = _as_scale(relative_to, other)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = np.where(one == other, 0.0, np.abs(one - other) / scale)
    worst = _largest(difference)
    promise = "equal" if to == 0 else f"equal to {power(to)}{words}"
    finding = "there is nothing to compare" if one.size == 0 else f"they differ by {worst:.3g}"
    return Part("equality", promise, _share(worst, to), bool(worst <= to), finding, name)


def at_most(values, bounds, *, rounding=0.0, name=""):
    """Compare numbers with upper bounds, each with its own or all with one.

    `rounding` is what may be added to a bound, relative to its size, where values and bounds meet
    but for rounding.
    """
    values, bounds = _as_numbers("values", values), _as_numbers("bounds", bounds)
    return _inequality("at most", values, bounds, rounding, name)


def at_least(values, bounds, *, rounding=0.0, name=""):
    """Compare numbers with lower bounds, each with its own or all with one; `rounding` as for
    `at_most`.
    """
    values, bounds = _as_numbers("values", values), _as_numbers("bounds", bounds)
    return _inequality("at least", values, bounds, rounding, name)


def true_of(conditions, *, exactly=None, name=""):
    """Ask that a condition is true of all cases, or of `exactly` so many of them.

    `conditions` are booleans, one for each case. How many cases there are is part of what the claim
    shows.
    """
    conditions = np.asarray(conditions)
    if conditions.size and conditions.dtype != bool:
        raise ValueError(f"conditions must be True or False, got dtype {conditions.dtype}")
    cases, found = conditions.size, int(np.count_nonzero(conditions))
    wanted = cases if exactly is None else exactly
    if exactly is not None and not 0 <= exactly <= cases:
        raise ValueError(
            f"exactly must be between 0 and the number of cases, {cases}, got {exactly}"
        )
    promise = f"true of all {cases}" if exactly is None else f"true of {exactly} of {cases}"
    if cases == 1 and exactly is None:
        promise = "true"
    finding = f"true of {found} of {cases}" if cases else "there is no case"
    return Part("count", promise, float(found), cases > 0 and found == wanted, finding, name)


def agrees(estimates, exact, standard_errors, *, within=4.0, resolution, name=""):
    """Compare random estimates with exact values, in units of their standard errors.

    `resolution` is the largest standard error, relative to the exact value, with which the
    comparison still means something: a wide error bar holds anything.
    """
    estimates, exact = _as_numbers("estimates", estimates), _as_numbers("exact", exact)
    errors = _as_numbers("standard_errors", standard_errors)
    within, resolution = _as_tolerance("within", within), _as_tolerance("resolution", resolution)
    with np.errstate(invalid="ignore", divide="ignore"):
        off = _largest(np.abs(estimates - exact) / errors)
        width = _largest(errors / np.abs(exact))
    held = bool(off <= within and width <= resolution and (errors > 0).all())
    promise = f"agrees within {within:g} standard errors of at most {_percent(resolution)}"
    finding = f"{off:.2g} standard errors, of {_percent(width)}"
    return Part("estimate", promise, _share(off, within), held, finding, name)


def _inequality(relation, values, bounds, rounding, name):
    rounding = _as_tolerance("rounding", rounding)
    values, bounds = _together(values, bounds)
    room = bounds - values if relation == "at most" else values - bounds
    least = -_largest(-(room + rounding * np.abs(bounds)))
    spare = _spare(values, bounds, relation)
    promise = f"{relation} the bound" + (
        f", rounding of {power(rounding)} allowed" if rounding else ""
    )
    if values.size == 0:
        finding = "there is nothing to compare"
    elif math.isnan(spare):
        finding = f"{_smallest(room):.2g} to spare"
    else:
        finding = f"{spare:.2g} times to spare"
    measured = 1 / spare if spare > 0 else math.nan
    return Part("inequality", promise, measured, bool(least >= 0), finding, name)


def _together(values, bounds):
    try:
        return np.broadcast_arrays(values, bounds)
    except ValueError as error:
        raise ValueError(
            f"bounds must fit the values, got shapes {bounds.shape} and {values.shape}"
        ) from error


def _spare(values, bounds, relation):
    """Return by what factor the values could still come nearer to their bounds; NaN where signs
    leave no factor.
    """
    small, large = (values, bounds) if relation == "at most" else (bounds, values)
    if values.size == 0 or not ((small > 0) & (large > 0)).all():
        return math.nan
    return _smallest(large / small)


def _largest(numbers):
    """Return the largest of some numbers; NaN where one of them is NaN, or where there is none."""
    return float(np.max(numbers)) if numbers.size else math.nan


def _smallest(numbers):
    return -_largest(-numbers)


def _share(measured, limit):
    """Return the part of the limit that was used up."""
    if limit == 0:
        return 0.0 if measured == 0 else math.inf
    return measured / limit


def _as_numbers(name, value):
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be real numbers, got dtype {array.dtype}")
    return array.astype(float)


def _as_tolerance(name, value):
    if not (np.ndim(value) == 0 and np.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")
    return float(value)


def _as_scale(relative_to, other):
    """Return what differences are divided by, and how the promise says it."""
    if relative_to is None:
        return 1.0, ""
    if isinstance(relative_to, str):
        if relative_to == "largest":
            return np.max(np.abs(other), initial=0.0), " of the largest"
        if relative_to == "each":
            return np.abs(other), " of each"
        raise ValueError(f"relative_to must be 'largest', 'each' or numbers, got {relative_to!r}")
    scale = _as_numbers("relative_to", relative_to)
    if not (scale > 0).all():
        raise ValueError("relative_to must be positive, got a number that is not")
    return scale, " of the scale"


def _percent(share):
    return f"{100 * share:.2g} %"


def power(number):
    """Return a tolerance as it is printed: 10⁻¹², 3·10⁻⁷, 0.01.

    >>> power(1e-12), power(3e-7), power(0.01)
    ('10⁻¹²', '3·10⁻⁷', '0.01')
    """
    if number == 0 or 1e-3 <= number < 1e6:
        return f"{number:g}"
    digits, exponent = f"{number:e}".split("e")
    digits = f"{float(digits):g}"
    ten = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return ten if digits == "1" else f"{digits}·{ten}"
