"""What claims and contracts do with what is none of their kind: they refuse it by the argument's
name, or they do not hold. Never does a claim hold of other numbers than those that were given.

The values are those that the library's functions are tried with.
"""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

import bookproof as book
from bookproof.contracts import Contract
from tests.sharpminima.hostile import (
    EMPTY,
    FORMS,
    FORMS_OF_NUMBERS,
    NO_NUMBERS,
    NO_SCALAR,
    NO_TEXT,
    TOO_LONG,
)

from .test_contracts import RIGHT, make

GOOD = np.array([1.0, 2.0, 3.0])
HIGH = GOOD + 0.25  # no rounding, also in half precision
ARRAYS = {**NO_NUMBERS, **EMPTY, **TOO_LONG, **FORMS}
TOLERANCES = {
    **NO_SCALAR,
    **FORMS_OF_NUMBERS,
    "negative": lambda good: -1.0,
}
# {call: (function, good arguments, the arguments that are arrays, the tolerances)}
COMPARISONS = {
    "equal": (book.equal, {"one": GOOD, "other": GOOD, "to": 0.5}, ["one", "other"], ["to"]),
    "equal to a scale": (
        book.equal,
        {"one": GOOD, "other": GOOD, "to": 0.5, "relative_to": GOOD},
        ["one", "other", "relative_to"],
        ["to"],
    ),
    "at_most": (
        book.at_most,
        {"values": GOOD, "bounds": HIGH, "rounding": 0.5},
        ["values", "bounds"],
        ["rounding"],
    ),
    "at_least": (
        book.at_least,
        {"values": HIGH, "bounds": GOOD, "rounding": 0.5},
        ["values", "bounds"],
        ["rounding"],
    ),
    "agrees": (
        book.agrees,
        {
            "estimates": GOOD,
            "exact": HIGH,
            "standard_errors": GOOD / 8,
            "within": 4.0,
            "resolution": 0.5,
        },
        ["estimates", "exact", "standard_errors"],
        ["within", "resolution"],
    ),
}
CALLS = [
    pytest.param(call, argument, value, id=f"{call}-{argument}-{value}")
    for call, (_, _, arrays, tolerances) in COMPARISONS.items()
    for arguments, values in ((arrays, ARRAYS), (tolerances, TOLERANCES))
    for argument in arguments
    for value in values
]
OPTIONAL = {"relative_to"}  # of which None is right


def read_numbers(value):
    """Return the numbers that somebody sees in a value, one by one; None where there are none."""
    if isinstance(value, memoryview):
        value = value.tolist()
    if isinstance(value, str | bytes | dict | set) or value is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy says that a masked entry becomes NaN
        try:
            entries = list(value) if np.ndim(value) else [value]
            return [Fraction(float(entry)) for row in entries for entry in np.ravel(row)]
        except (TypeError, ValueError, OverflowError):
            return None


def ask(function, arguments):
    """Return "refused", what the refusal says, or the part."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(**arguments)
        except (TypeError, ValueError) as refusal:
            return str(refusal)


@pytest.mark.parametrize("call, argument, value", CALLS)
def test_a_comparison_holds_of_the_given_numbers_only(call, argument, value):
    function, good, arrays, _ = COMPARISONS[call]
    change = (ARRAYS if argument in arrays else TOLERANCES)[value]
    arguments = {name: np.copy(each)[()] for name, each in good.items()}
    arguments[argument] = change(arguments[argument])
    if argument in OPTIONAL and arguments[argument] is None:
        return
    found = ask(function, arguments)
    if isinstance(found, str):
        assert argument in found, f"the refusal does not name the argument: {found}"
    elif found.held:
        numbers = read_numbers(arguments[argument])
        assert numbers is not None, "it holds of what is no number"
        assert set(numbers) == set(map(Fraction, np.ravel(good[argument]))), "of other numbers"
    if value in (FORMS if argument in arrays else FORMS_OF_NUMBERS):
        assert not isinstance(found, str) and found.held, f"another form of the same: {found}"


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.parametrize("argument", ["identifier", "sentence"])
def test_a_claim_asks_for_its_words(argument, name):
    arguments = {"identifier": "theorem-one", "sentence": "It is so."}
    arguments[argument] = NO_TEXT[name](arguments[argument])
    with pytest.raises(ValueError, match=argument):
        book.claim(*arguments.values(), book.equal(1, 1))


@pytest.mark.parametrize("part", [True, None, 1.0, "equal", [book.equal(1, 1)], book.equal])
def test_a_claim_rests_on_comparisons_alone(part):
    with pytest.raises(ValueError, match="parts"):
        book.claim("theorem-one", "It is so.", part)


@pytest.mark.parametrize("value", [1, "True", None, [1.0], np.array([1, 0]), [None], [], [[]]])
def test_a_condition_is_true_or_false(value):
    found = ask(book.true_of, {"conditions": value})
    assert "conditions" in found if isinstance(found, str) else not found.held


@pytest.mark.parametrize("value", [-1, 3, 1.0, True, math.nan, "2", [2]])
def test_so_many_cases_are_a_whole_number_up_to_theirs(value):
    with pytest.raises(ValueError, match="exactly"):
        book.true_of([True, False], exactly=value)


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element to nan")
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_contract_of_other_numbers_does_not_hold(value):
    """The curve x, x² of test_contracts, with something else in the place of x²."""
    good = RIGHT["curve"][2][0].artists["it"].numbers["points"]
    change = NO_NUMBERS[value]
    heights = change(good[:, 1].copy())
    numbers = read_numbers(heights)
    same = numbers is not None and np.array_equal(list(map(float, numbers)), good[:, 1])
    drawing = make("curve")

    def compare(y):
        panel = book.panel({"it": book.curve(good[:, 0], y, color="first", label="square",
                           dash="dashed", marker="o")}, x="$x$ (m)", y="$x^2$ (m²)")  # fmt: skip
        return Contract([panel]).complaints(drawing.figure("light"), drawing.colors("light"))

    try:
        complaints = compare(heights)
    except (TypeError, ValueError):
        return
    assert same or complaints, f"it holds of {heights!r}"
