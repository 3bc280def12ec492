"""Claims: what a book says, held to what it computed, in the cell beside the sentence.

    import bookproof as book

    book.claim(
        "theorem-3",
        "The Hessian of the twin follows by the rule.",
        book.equal(computed, expected, to=1e-12, relative_to="largest"),
        book.at_least(norms, floor),
    )

A claim has one or several parts, each of one kind: `equal` to a tolerance, `at_most` and `at_least`
with their margin, `true_of` a number of cases, `agrees` within statistical error, and of figures
`contract`, `says` and `shows`. Each part is judged alone. A NaN or an infinity in any argument, or
nothing at all to compare, never holds. What a claim shows is the same on every machine; what was
measured travels in the output's metadata, which nbval passes over.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIME = "application/vnd.bookproof.claim+json"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LARGEST_INTEGER = 2**53  # beyond it float64 passes over integers
ROUNDING = 1e-9  # what is left of a bound below this share of it is another on another machine


class ClaimError(AssertionError):
    """A claim of the book does not hold."""


@dataclass(frozen=True)
class Part:
    """One comparison of a claim, as `equal` and its siblings return it.

    `promise` says in words how the part is held; it is the same on every machine. `finding` says
    what was found. `measured` is the share of the allowed difference, bound or error that was used
    up, so that 1 is the limit; None where there is no such share. For a "count" it is the number of
    cases found.
    """

    kind: str
    promise: str
    measured: float | None
    held: bool
    finding: str
    name: str = ""


@dataclass(frozen=True)
class Claim:
    """A sentence of the book with the parts that it rests on. Shows itself as one line."""

    identifier: str
    sentence: str
    parts: tuple[Part, ...]
    source: str = ""

    @property
    def promise(self) -> str:
        """How the claim is held, in words: the promises of its parts."""
        promises = dict.fromkeys(part.promise for part in self.parts)
        return "; ".join(promises)

    def __str__(self) -> str:
        return f"✓ {self.identifier}: {self.sentence} [{self.promise}]"

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
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


def claim(identifier: str, sentence: str, *parts: Part, source: str = "") -> Claim:
    """Return the `Claim`, or raise ClaimError, naming every part that does not hold.

    `identifier` is the label of the statement or figure that the claim is about, `source` where the
    statement comes from.

    >>> print(claim("sum", "One and one are two.", equal(1 + 1, 2)))
    ✓ sum: One and one are two. [equal]
    >>> claim("half", "0.4.", equal(1 / 2, 0.4, to=1e-6))
    Traceback (most recent call last):
    ...
    bookproof.claims.ClaimError: half does not hold: 0.4. Not equal to 10⁻⁶: they differ by 0.1.
    """
    for name, text in {"identifier": identifier, "sentence": sentence}.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must say something, got {text!r}")
    if not isinstance(source, str):
        raise ValueError(f"source must be text, got {source!r}")
    if not parts:
        raise ValueError(
            "parts must hold at least one comparison, as equal(one, other, to=1e-12), got none"
        )
    for part in parts:
        if not isinstance(part, Part):
            raise ValueError(
                "each of parts must be what equal, at_most, at_least, true_of, agrees, contract or"
                f" says returns, got {part!r}"
            )
    failed = [part for part in parts if not part.held]
    if failed:
        reasons = " ".join(_say_what_failed(part) for part in failed)
        raise ClaimError(f"{identifier} does not hold: {sentence} {reasons}")
    return Claim(identifier, sentence, parts, source)


def check(identifier, sentence, *, error, bound, source, function, test) -> Claim:
    """Return the claim that `error` is at most `bound`. Kept for one release: `claim` with its
    parts replaces it.
    """
    return claim(identifier, sentence, equal(error, 0.0, to=bound), source=source)


def equal(
    one: ArrayLike,
    other: ArrayLike,
    *,
    to: float = 0.0,
    relative_to: str | ArrayLike | None = None,
    name: str = "",
) -> Part:
    """Compare two arrays of one shape, or an array with one number: no two entries differ by more
    than `to`. With `to=0` they are the same numbers.

    `relative_to="largest"` divides the differences by the largest entry of `other` in size,
    `relative_to="each"` every difference by its own entry of `other`; a number, or an array of the
    same shape, gives the scale itself.
    """
    one, other = _as_numbers("one", one, "biuf"), _as_numbers("other", other, "biuf")
    to = _as_tolerance("to", to)
    if one.shape != other.shape and other.ndim > 0:
        raise ValueError(f"one and other must have one shape, got {one.shape} and {other.shape}")
    scale, words = _as_scale(relative_to, one, other)
    promise = "equal" if to == 0 else f"equal to {power(to)}{words}"
    trouble = _find_trouble(one, other)
    if trouble:
        return Part("equality", promise, None, False, trouble, name)
    same = one == other
    with np.errstate(all="ignore"):
        differences = np.where(same, 0.0, np.abs(one - other) / scale)
    worst = float(differences.max())
    held = bool(same.all()) if to == 0 else worst <= to
    finding = "they are the same" if same.all() else f"they differ by {_say(worst)}{words}"
    return Part("equality", promise, _share(worst, to), held, finding, name)


def shows(values: Mapping, expected: Mapping, *, to: float = 1e-6, name: str = "") -> Part:
    """Hold what an element of a page shows to its contract: numbers by their names.

    For pictures that matplotlib did not draw, as an explorer's `values()`. Each number must be
    within `to` of the expected one, relative to it. A name without an expected number is an error,
    and so is an expected number that is not shown.
    """
    to = _as_tolerance("to", to)
    promise = f"{len(expected)} numbers shown as computed, to {power(to)} of each"
    reasons = [f"{key} is shown without a contract" for key in values if key not in expected]
    reasons += [f"{key} is not shown" for key in expected if key not in values]
    parts = {
        key: equal(values[key], expected[key], to=to, relative_to="each")
        for key in expected
        if key in values
    }
    reasons += [
        f"{key} is {values[key]}, expected {expected[key]}"
        for key, part in parts.items()
        if not part.held
    ]
    if not expected:
        reasons.append("there is nothing to compare")
    worst = max((part.measured for part in parts.values() if part.held), default=None)
    finding = "; ".join(reasons) or "as computed"
    return Part("figure", promise, None if reasons else worst, not reasons, finding, name)


def at_most(values: ArrayLike, bounds: ArrayLike, *, rounding: float = 0.0, name: str = "") -> Part:
    """Compare numbers with upper bounds, each with its own or all with one.

    `rounding` is what may be added to a bound, relative to its size, where values and bounds meet
    but for rounding.
    """
    return _compare_with_bounds("at most", values, bounds, rounding, name)


def at_least(
    values: ArrayLike, bounds: ArrayLike, *, rounding: float = 0.0, name: str = ""
) -> Part:
    """Compare numbers with lower bounds, each with its own or all with one; `rounding` as for
    `at_most`.
    """
    return _compare_with_bounds("at least", values, bounds, rounding, name)


def true_of(
    conditions: bool | Sequence[bool] | NDArray[np.bool_],
    *,
    exactly: int | None = None,
    name: str = "",
) -> Part:
    """Ask that a condition is true of all cases, or of `exactly` so many of them.

    `conditions` are booleans, one for each case. How many cases there are is part of what the claim
    shows.
    """
    _refuse_masked("conditions", conditions)
    conditions = np.asarray(conditions)
    if conditions.size and conditions.dtype != bool:
        raise ValueError(f"conditions must be True or False, got dtype {conditions.dtype}")
    cases, found = conditions.size, int(np.count_nonzero(conditions))
    if exactly is not None and not _is_count(exactly, cases):
        raise ValueError(
            f"exactly must be a whole number between 0 and the number of cases, {cases},"
            f" got {exactly!r}"
        )
    wanted = cases if exactly is None else exactly
    if exactly is not None:
        promise = f"true of {exactly} of {cases}"
    elif cases == 1:
        promise = "true"
    else:
        promise = f"true of all {cases}"
    finding = f"true of {found} of {cases}" if cases else "there is no case"
    return Part("count", promise, float(found), cases > 0 and found == wanted, finding, name)


def agrees(
    estimates: ArrayLike,
    exact: ArrayLike,
    standard_errors: ArrayLike,
    *,
    within: float = 4.0,
    resolution: float,
    name: str = "",
) -> Part:
    """Compare random estimates with exact values, in units of their standard errors.

    `resolution` is the largest standard error, relative to the exact value, with which the
    comparison still means something: a wide error bar holds anything. `exact` and `standard_errors`
    have the shape of `estimates`, or are one number for all.
    """
    estimates, exact = _as_numbers("estimates", estimates), _as_numbers("exact", exact)
    errors = _as_numbers("standard_errors", standard_errors)
    within, resolution = _as_tolerance("within", within), _as_tolerance("resolution", resolution)
    for what, array in {"exact": exact, "standard_errors": errors}.items():
        if array.shape != estimates.shape and array.ndim > 0:
            raise ValueError(
                f"{what} must have the shape of the estimates, {estimates.shape}, got {array.shape}"
            )
    promise = f"agrees within {within:g} standard errors of at most {_percent(resolution)}"
    trouble = _find_trouble(estimates, exact, errors)
    if not trouble and not (errors > 0).all():
        trouble = "a standard error is not positive"
    if trouble:
        return Part("estimate", promise, None, False, trouble, name)
    with np.errstate(all="ignore"):
        off = float(np.max(np.abs(estimates - exact) / errors))
        width = float(np.max(errors / np.abs(exact)))
    held = off <= within and width <= resolution
    finding = f"{_say(off)} standard errors off, the largest of them {_percent(width)}"
    return Part("estimate", promise, _share(off, within), held, finding, name)


def power(number: float) -> str:
    """Return a tolerance as it is printed: 10⁻¹², 3·10⁻⁷, 0.01.

    >>> power(1e-12), power(3e-7), power(0.01)
    ('10⁻¹²', '3·10⁻⁷', '0.01')
    """
    if number == 0 or 1e-3 <= number < 1e6 or math.isinf(number):
        return f"{number:g}"
    digits, exponent = f"{number:e}".split("e")
    digits = f"{float(digits):g}"
    ten = f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return ten if digits == "1" else f"{digits}·{ten}"


def _say_what_failed(part):
    which = f" ({part.name})" if part.name else ""
    return f"Not {part.promise}{which}: {part.finding}."


def _compare_with_bounds(relation, values, bounds, rounding, name):
    values, bounds = _as_numbers("values", values), _as_numbers("bounds", bounds)
    rounding = _as_tolerance("rounding", rounding)
    if values.shape != bounds.shape and values.ndim > 0 and bounds.ndim > 0:
        raise ValueError(
            f"bounds must have the shape of the values, {values.shape}, or be one number,"
            f" got {bounds.shape}"
        )
    promise = f"{relation} the bound"
    if rounding:
        promise += f", rounding of {power(rounding)} allowed"
    trouble = _find_trouble(values, bounds)
    if trouble:
        return Part("inequality", promise, None, False, trouble, name)
    with np.errstate(over="ignore"):
        room = bounds - values if relation == "at most" else values - bounds
        held = bool((room + rounding * np.abs(bounds) >= 0).all())
    small, large = (values, bounds) if relation == "at most" else (bounds, values)
    share = _share_of_the_large(small, large)
    finding = _say_what_is_left(float(room.min()), share, held)
    return Part("inequality", promise, share, held, finding, name)


def _share_of_the_large(small, large):
    """Return the largest ratio of small to large numbers, None where their signs leave none."""
    if (small < 0).any() or (large <= 0).any():
        return None
    with np.errstate(all="ignore"):
        return float(np.max(small / large))


def _say_what_is_left(room, share, held):
    if not held:
        return f"missed by {_say(-room)}"
    if room < 0:
        return "met but for rounding"
    if share and share > 1 - ROUNDING:
        return "met with nothing to spare"
    if share and share > 0.9:
        return f"{_percent(1 / share - 1)} to spare"
    if share:
        return f"{_say(1 / share)} times to spare"
    return f"{_say(room)} to spare"


def _find_trouble(*arrays):
    """Return why some arrays cannot be compared, nothing where they can."""
    if not all(array.size for array in arrays):
        return "there is nothing to compare"
    if not all(np.isfinite(array).all() for array in arrays):
        return "there is a NaN or an infinity"
    return ""


def _share(measured, limit):
    """Return the part of the limit that was used up; of a limit of zero none can be."""
    if limit == 0:
        return 0.0 if measured == 0 else None
    return measured / limit


def _as_numbers(name, value, kinds="iuf"):
    """Return an array of floats that are the numbers given."""
    _refuse_masked(name, value)
    try:
        array = np.asarray(value)
    except ValueError as why:
        raise ValueError(f"{name} must be an array of real numbers: {why}") from None
    if array.size and array.dtype.kind not in kinds:
        raise ValueError(f"{name} must be real numbers, got dtype {array.dtype}")
    numbers = array.astype(np.result_type(array.dtype, float) if array.size else float)
    beyond = (array > LARGEST_INTEGER) | (array < -LARGEST_INTEGER)
    if array.dtype.kind in "iu" and beyond.any():
        raise ValueError(f"{name} must hold no integer beyond 2**53, where floats have gaps")
    return numbers


def _refuse_masked(name, value):
    if np.ma.is_masked(value):
        raise ValueError(f"{name} must not be masked: say what holds for the missing numbers")


def _as_tolerance(name, value):
    array = np.asarray(value)
    is_number = array.ndim == 0 and array.dtype.kind in "iuf" and not np.ma.is_masked(value)
    if not (is_number and np.isfinite(array) and array >= 0):
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")
    return float(array)


def _is_count(number, most):
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    return whole and 0 <= number <= most


def _as_scale(relative_to, one, other):
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
    if scale.ndim > 0 and scale.shape != one.shape:
        raise ValueError(
            f"relative_to must be one number or of the shape {one.shape}, got {scale.shape}"
        )
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError("relative_to must be positive and finite, got a number that is not")
    return scale, " of the scale"


def _say(number):
    """Return a measured number with three digits, as tolerances are printed."""
    return power(float(f"{number:.3g}"))


def _percent(share):
    return f"{100 * share:.2g} %"
