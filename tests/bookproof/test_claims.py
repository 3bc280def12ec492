"""A claim holds exactly when each of its parts does; it shows the same on every machine, and shows
nothing at all when it does not hold.

Not seen here: whether the sentence says what was computed, and whether the two sides were computed
by independent routes. A reader has to look at that.
"""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import bookproof as book
from bookproof import claims
from bookproof.claims import MIME

HOLDS = book.equal(1.0, 1.0)
FAILS = book.equal(1.0, 2.0)
NUMBERS = st.floats(-1e6, 1e6)
ARRAYS = arrays(float, array_shapes(max_dims=2, max_side=4), elements=NUMBERS)
PAIRS = arrays(
    float, array_shapes(min_dims=1, max_dims=2, max_side=4).map(lambda s: (2, *s)), elements=NUMBERS
)
WORSE = st.sampled_from([math.nan, math.inf, -math.inf])


def made(*parts, identifier="theorem-3", sentence="The rule holds.", **more):
    return book.claim(identifier, sentence, *parts, **more)


def shown(claim):
    data, metadata = claim._repr_mimebundle_()
    return json.dumps(data, sort_keys=True), metadata


# Each kind as a function of one array, so that it holds for that array.
KINDS = {
    "equal": lambda x: book.equal(x, x),
    "equal to": lambda x: book.equal(x, x, to=1.0),
    "equal, of the largest": lambda x: book.equal(x, x, to=1.0, relative_to="largest"),
    "equal, of each": lambda x: book.equal(x, x, to=1.0, relative_to="each"),
    "at most": lambda x: book.at_most(x, x),
    "at most one bound": lambda x: book.at_most(x, 1e7),
    "at least": lambda x: book.at_least(x, x),
    "at least one bound": lambda x: book.at_least(x, -1e7),
    "agrees": lambda x: book.agrees(x, np.where(x == x, 1e6, x), 1e6, resolution=1.0),
}
# And what each does with something wrong in one of its arguments.
ARGUMENTS = {
    "equal, one": lambda x: book.equal(x, np.ones(3), to=1e9),
    "equal, other": lambda x: book.equal(np.ones(3), x, to=1e9),
    "equal, both": lambda x: book.equal(x, x),
    "equal, other of the largest": lambda x: book.equal(
        np.ones(3), x, to=1e9, relative_to="largest"
    ),
    "equal, other of each": lambda x: book.equal(np.ones(3), x, to=1e9, relative_to="each"),
    "at most, values": lambda x: book.at_most(x, 1e9),
    "at most, bounds": lambda x: book.at_most(np.ones(3), x, rounding=1e9),
    "at least, values": lambda x: book.at_least(x, -1e9),
    "at least, bounds": lambda x: book.at_least(np.ones(3), x, rounding=1e9),
    "agrees, estimates": lambda x: book.agrees(x, 1.0, 1.0, within=1e9, resolution=1e9),
    "agrees, exact": lambda x: book.agrees(np.ones(3), x, 1.0, within=1e9, resolution=1e9),
    "agrees, errors": lambda x: book.agrees(np.ones(3), 1.0, x, within=1e9, resolution=1e9),
}


@pytest.mark.parametrize("kind", KINDS)
@given(ARRAYS)
def test_each_kind_holds_for_numbers(kind, x):
    assert KINDS[kind](x).held


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_each_argument_is_fine_without_a_nan(argument):
    assert ARGUMENTS[argument](np.ones(3)).held


@pytest.mark.parametrize("argument", ARGUMENTS)
@given(wrong=WORSE, place=st.integers(0, 2))
def test_one_nan_or_infinity_anywhere_fails(argument, wrong, place):
    x = np.ones(3)
    x[place] = wrong
    part = ARGUMENTS[argument](x)
    assert not part.held and part.finding == "there is a NaN or an infinity"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_nothing_to_compare_fails(kind, shape):
    part = KINDS[kind](np.empty(shape))
    assert not part.held and part.finding == "there is nothing to compare"


def test_no_case_fails():
    assert not book.true_of([]).held and not book.true_of([], exactly=0).held


@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_each_part_is_judged_alone(held):
    """Python's max and min drop a NaN that does not come first; there is none of that here."""
    parts = [book.true_of(one, name=f"part {number}") for number, one in enumerate(held)]
    if all(held):
        assert made(*parts).parts == tuple(parts)
        return
    with pytest.raises(book.ClaimError) as failure:
        made(*parts)
    for number, one in enumerate(held):
        assert (f"(part {number})" in str(failure.value)) is not one


# Equality.


@given(ARRAYS, st.floats(0, 10), st.floats(0, 1), NUMBERS)
def test_equality_is_of_the_worst_entry(x, to, share, off):
    """Beside exact fractions: the difference of two floats is rounded, its size is not in doubt."""
    y = x.copy()
    y.flat[int(share * (x.size - 1))] += off
    worst = max(abs(Fraction(a) - Fraction(b)) for a, b in zip(x.flat, y.flat, strict=True))
    assume(abs(worst - Fraction(to)) > Fraction(to) * Fraction(1e-15) or worst == 0)
    assert book.equal(x, y, to=to).held is (worst <= Fraction(to))


@given(ARRAYS)
def test_zero_tolerance_means_the_same_numbers(x):
    y = x.copy()
    y.flat[-1] = np.nextafter(y.flat[-1], np.inf)
    assert book.equal(x, x).held
    for relative_to in (None, "largest", "each", 1e300):
        assert not book.equal(x, y, relative_to=relative_to).held, "whatever the scale makes of it"


def test_zero_tolerance_promises_no_tolerance():
    assert book.equal(2, 2).promise == "equal"
    assert book.equal(2, 2, to=1e-12).promise == "equal to 10⁻¹²"


@pytest.mark.parametrize("relative_to", ["largest", "each"])
def test_relative_to_zeros_only_zeros_are_equal(relative_to):
    zeros = np.zeros(3)
    assert book.equal(zeros, zeros, to=0.1, relative_to=relative_to).held
    assert not book.equal([0, 0, 5e-324], zeros, to=0.1, relative_to=relative_to).held


def test_the_scale_is_what_it_says():
    one, other = np.array([1.0, 100.0]), np.array([1.1, 100.0])
    assert book.equal(one, other, to=2e-3, relative_to="largest").held
    assert not book.equal(one, other, to=2e-3, relative_to="each").held
    assert book.equal(one, other, to=2e-3, relative_to=100).held
    assert not book.equal(one, other, to=2e-3, relative_to=[10, 1000]).held
    assert book.equal(one, other, to=2e-3, relative_to=[1000, 10]).held


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf, [1.0, 0.0], [1.0, -1e-300]])
def test_a_scale_must_be_positive_and_finite_everywhere(scale):
    with pytest.raises(ValueError, match="relative_to must be positive and finite"):
        book.equal([1.0, 2.0], [1.0, 2.0], to=0.1, relative_to=scale)


@pytest.mark.parametrize("relative_to", ["largest", "each"])
def test_the_scale_is_a_size_whatever_the_sign(relative_to):
    negative = np.array([-1.0, -100.0])
    assert book.equal(1.01 * negative, negative, to=0.02, relative_to=relative_to).held
    assert not book.equal(1.03 * negative, negative, to=0.02, relative_to=relative_to).held


def test_equality_measures_the_share_of_its_tolerance():
    assert book.equal(1.0, 1.25, to=0.5).measured == 0.5
    assert book.equal(1, 1).measured == 0.0 and book.equal(1, 2).measured is None
    assert book.equal(1.0, 1.5, to=0.5).held, "1 is the limit, and the limit is allowed"


# Inequalities.


@given(PAIRS)
def test_at_most_and_at_least_are_what_they_say(pair):
    x, y = pair
    assert book.at_most(x, y).held == bool((x <= y).all())
    assert book.at_least(x, y).held == bool((x >= y).all())
    assert book.at_most(x, y).held == book.at_least(-x, -y).held


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-300))
def test_rounding_is_added_whatever_the_sign_of_the_bound(bound):
    beyond, too_far = bound + 4e-16 * abs(bound), bound + 1e-13 * abs(bound)
    assume(too_far > bound)
    assert book.at_most(beyond, bound, rounding=1e-14).held
    assert not book.at_most(too_far, bound, rounding=1e-14).held
    assert book.at_least(-beyond, -bound, rounding=1e-14).held
    assert not book.at_least(-too_far, -bound, rounding=1e-14).held
    assert beyond == bound or not book.at_most(beyond, bound).held


@pytest.mark.parametrize(
    "compare, finding, share",
    [
        (lambda: book.at_most([1, 2], [10, 5]), "2.5 times to spare", 0.4),
        (lambda: book.at_least([10, 5], [1, 2]), "2.5 times to spare", 0.4),
        (lambda: book.at_most([1, 2], [10, 2.05]), "2.5 % to spare", 2 / 2.05),
        (lambda: book.at_most(91, 100), "9.9 % to spare", 0.91),
        (lambda: book.at_most(9, 10), "1.11 times to spare", 0.9),
        (lambda: book.at_most([0, 1], [3, 0.5]), "missed by 0.5", 2.0),
        (lambda: book.at_most(2, 2), "met with nothing to spare", 1.0),
        (lambda: book.at_most(1 - claims.ROUNDING, 1), "1e-07 % to spare", 1 - claims.ROUNDING),
        (lambda: book.at_most([0, 0], 3), "3 to spare", 0.0),
        (lambda: book.at_most(-3, -1), "2 to spare", None),
        (lambda: book.at_most(-1, 2), "3 to spare", None),
        (lambda: book.at_least(2, -1), "3 to spare", None),
        (lambda: book.at_most(0, 0), "0 to spare", None),
        (lambda: book.at_most(1 + 4e-16, 1, rounding=1e-14), "met but for rounding", 1 + 4e-16),
        (lambda: book.at_most([5, 1], [1, 2]), "missed by 4", 5.0),
        (lambda: book.at_least(-1, 2), "missed by 3", None),
    ],
)
def test_an_inequality_says_its_margin(compare, finding, share):
    part = compare()
    assert (part.finding, part.measured) == (finding, share)


# Counts.


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.integers(0, 9))
def test_a_count_counts(conditions, exactly):
    assert book.true_of(conditions).held is all(conditions)
    if exactly <= len(conditions):
        assert book.true_of(conditions, exactly=exactly).held is (sum(conditions) == exactly)


def test_a_count_says_of_how_many():
    assert book.true_of(np.ones(1597, dtype=bool)).promise == "true of all 1597"
    assert book.true_of([True, False], exactly=1).promise == "true of 1 of 2"
    assert book.true_of(np.bool_(True)).promise == "true"
    assert book.true_of([True, False]).finding == "true of 1 of 2"


# Estimates.


@pytest.mark.parametrize(
    "estimate, error, held",
    [
        (1.03, 0.01, True),
        (1.05, 0.01, False),
        (0.97, 0.01, True),
        (0.95, 0.01, False),
        (1.01, 0.02, False),  # the error bar is too wide to say anything
        (1.0, 0.0, False),
        (1.0, -0.01, False),
    ],
)
def test_an_estimate_agrees_within_a_narrow_error_bar(estimate, error, held):
    assert book.agrees(estimate, 1.0, error, resolution=0.015).held is held


def test_one_wide_error_bar_among_many_fails():
    estimates = np.ones(4)
    assert book.agrees(estimates, 1.0, [0.01] * 4, resolution=0.01).held
    assert not book.agrees(estimates, 1.0, [0.01, 0.01, 0.02, 0.01], resolution=0.01).held


def test_an_estimate_may_be_off_by_the_limit_itself():
    """Without rounding: half of 1 is four eighths."""
    assert book.agrees(1.5, 1.0, 0.125, within=4, resolution=0.125).held
    assert not book.agrees(1.5, 1.0, 0.125, within=3.9, resolution=0.125).held
    assert not book.agrees(1.5, 1.0, 0.125, within=4, resolution=0.124).held


def test_nothing_agrees_relative_to_zero():
    assert not book.agrees(0.0, 0.0, 0.01, resolution=0.5).held


# The same words everywhere, and the numbers beside them.


def test_what_was_measured_is_in_the_metadata_only():
    one = made(book.equal(1.0, 1.0 + 1e-15, to=1e-12), book.at_most(1, 2))
    other = made(book.equal(1.0, 1.0 + 3e-14, to=1e-12), book.at_most(1, 3))
    (data, metadata), (again, measured) = shown(one), shown(other)
    assert data == again and metadata != measured
    assert [part["finding"] for part in measured[MIME]["parts"]] == [
        "they differ by 3·10⁻¹⁴",
        "3 times to spare",
    ]


@given(PAIRS)
def test_the_promise_does_not_hang_on_the_numbers(pair):
    x, y = pair
    for compare in (
        lambda a, b: book.equal(a, b, to=1e-9, relative_to="largest"),
        lambda a, b: book.at_most(a, b, rounding=1e-14),
        lambda a, b: book.agrees(a, b, 1.0, resolution=0.01),
        lambda a, b: book.true_of(a < b),
    ):
        assert compare(x, y).promise == compare(x, np.ones_like(x)).promise


@given(ARRAYS)
def test_what_a_claim_shows_is_json_that_every_reader_knows(x):
    """NaN and Infinity are not: JupyterLab could not open the notebook."""
    parts = [KINDS[kind](x) for kind in KINDS] + [book.true_of(x == x)]
    data, metadata = made(*parts)._repr_mimebundle_()
    json.dumps([data, metadata], allow_nan=False)


def test_the_record_says_everything_but_what_was_measured():
    record = made(book.at_least(2, 1, name="norms"), source="Dinh et al. 2017")._repr_mimebundle_()
    assert record[0][MIME] == {
        "identifier": "theorem-3",
        "sentence": "The rule holds.",
        "source": "Dinh et al. 2017",
        "parts": [{"kind": "inequality", "promise": "at least the bound", "name": "norms"}],
        "held": True,
    }


def test_html_is_escaped_and_the_mark_is_hidden_from_screen_readers():
    html = made(HOLDS, sentence="For <b> & 'x'")._repr_mimebundle_()[0]["text/html"]
    assert html == (
        '<p class="claim"><span class="claim-mark" aria-hidden="true">✓</span>'
        " <strong>Equal.</strong> For &lt;b&gt; &amp; &#x27;x&#x27;</p>"
    )


def test_plain_text_is_the_claim_in_one_line_and_names_each_promise_once():
    claim = made(HOLDS, book.at_most(1, 2), HOLDS)
    assert str(claim) == "✓ theorem-3: The rule holds. [equal; at most the bound]"
    assert claim._repr_mimebundle_()[0]["text/plain"] == str(claim)


def test_a_claim_that_fails_says_which_part_and_by_how_much():
    with pytest.raises(
        book.ClaimError,
        match=r"^theorem-3 does not hold: The rule holds\. Not equal: they differ by 1\."
        r" Not at most the bound \(norms\): missed by 2\.$",
    ):
        made(HOLDS, FAILS, book.at_most(3, 1, name="norms"))


def test_a_failed_claim_is_an_assertion_error():
    assert issubclass(book.ClaimError, AssertionError)


def test_tolerances_are_printed_as_powers():
    printed = [claims.power(x) for x in (1e-12, 3e-7, 2.5e-10, 0.01, 1, 4, 1e6)]
    assert printed == ["10⁻¹²", "3·10⁻⁷", "2.5·10⁻¹⁰", "0.01", "1", "4", "10⁶"]
    assert [claims.power(x) for x in (0, 0.001, 999999)] == ["0", "0.001", "999999"]


# What is refused.

LARGE = 2**53
BAD = {
    "identifier must say something, got ' '": lambda: made(HOLDS, identifier=" "),
    "sentence must say something, got None": lambda: made(HOLDS, sentence=None),
    "source must be text, got 3": lambda: made(HOLDS, source=3),
    "parts must hold at least one": lambda: made(),
    "each of parts must be what equal": lambda: made(True),
    "one and other must have one shape, got (3,) and (1,)": lambda: book.equal(
        np.ones(3), np.ones(1)
    ),
    "one and other must have one shape, got (3,) and (3, 1)": lambda: book.equal(
        np.ones(3), np.ones((3, 1))
    ),
    "one and other must have one shape, got () and (3,)": lambda: book.equal(1, np.ones(3)),
    "bounds must have the shape of the values, (3,), or be one number, got (3, 1)": lambda: (
        book.at_most(np.ones(3), np.ones((3, 1)))
    ),
    "bounds must have the shape of the values, (3,), or be one number, got (0,)": lambda: (
        book.at_least(np.ones(3), [])
    ),
    "exact must have the shape of the estimates, (3,), got (1,)": lambda: book.agrees(
        np.ones(3), np.ones(1), 0.1, resolution=0.1
    ),
    "standard_errors must have the shape of the estimates, (), got (3,)": lambda: book.agrees(
        1, 1, np.ones(3), resolution=0.1
    ),
    "relative_to must be one number or of the shape (3,), got (3, 1)": lambda: book.equal(
        np.ones(3), np.ones(3), relative_to=np.ones((3, 1))
    ),
    "relative_to must be positive and finite": lambda: book.equal(1, 1, relative_to=np.inf),
    "relative_to must be 'largest', 'each' or numbers, got 'norm'": lambda: book.equal(
        1, 1, relative_to="norm"
    ),
    "to must be a finite number of at least 0, got -1.0": lambda: book.equal(1, 1, to=-1.0),
    "to must be a finite number of at least 0, got nan": lambda: book.equal(1, 1, to=math.nan),
    "to must be a finite number of at least 0, got '1x'": lambda: book.equal(1, 1, to="1x"),
    "rounding must be a finite number of at least 0, got inf": lambda: book.at_most(
        1, 1, rounding=math.inf
    ),
    "within must be": lambda: book.agrees(1, 1, 1, within=-1, resolution=0.1),
    "resolution must be": lambda: book.agrees(1, 1, 1, resolution=math.inf),
    "one must be real numbers, got dtype complex128": lambda: book.equal(1j, 1),
    "values must be real numbers, got dtype <U1": lambda: book.at_most("a", 1),
    "other must hold no integer beyond 2**53": lambda: book.equal(LARGE, LARGE + 1),
    "conditions must be True or False, got dtype int64": lambda: book.true_of([1, 0]),
    "conditions must be True or False, got dtype float64": lambda: book.true_of([True, math.nan]),
    "exactly must be a whole number between 0 and the number of cases, 2, got 3": lambda: (
        book.true_of([True, False], exactly=3)
    ),
    "exactly must be a whole number between 0 and the number of cases, 1, got True": lambda: (
        book.true_of([True], exactly=True)
    ),
    "one must not be masked": lambda: book.equal(np.ma.masked_greater([1, 2], 1), [1, 2]),
    "conditions must not be masked": lambda: book.true_of(
        np.ma.array([True, False], mask=[False, True])
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_by_name(message):
    with pytest.raises(ValueError) as refusal:
        BAD[message]()
    assert str(refusal.value).startswith(message)


def test_integers_and_booleans_are_numbers():
    assert book.equal([1, 2], np.array([1.0, 2.0])).held
    assert book.equal(True, 1).held and not book.equal(False, 1).held
    assert book.at_most(np.arange(3), 2).held and book.at_least(np.uint8(200), 199).held
    assert book.equal(np.float32(0.5), 0.5).held and not book.equal(np.float32(0.1), 0.1).held
    assert book.equal(np.array(3), 3).held, "an array of one number without a shape is a number"


def test_one_number_is_compared_with_many():
    assert book.equal([2, 2], 2).held and not book.equal([2, 3], 2).held
    assert book.at_most(2, [2, 3]).held and not book.at_most(2, [3, 1]).held
    assert book.at_least(3, [2, 3]).held and not book.at_least(1, [0, 2]).held


def test_integers_may_be_as_large_as_floats_have_no_gaps_on_either_side():
    for largest in (LARGE, -LARGE):
        assert book.equal(largest, largest).held
    for beyond in (LARGE + 1, -LARGE - 1):
        with pytest.raises(ValueError, match="one must hold no integer beyond"):
            book.equal(beyond, 0)


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(float).eps, reason="no finer numbers")
def test_numbers_finer_than_floats_keep_their_digits():
    finer = 1 + np.finfo(np.longdouble).eps
    assert book.equal(finer, finer).held and not book.equal(finer, 1).held


def test_a_check_of_the_old_kind_still_holds_or_fails():
    words = {"source": "this book", "function": "f", "test": "test_f.py::test"}
    old = claims.check("a", "It holds.", error=1e-15, bound=1e-12, **words)
    assert old.parts[0].held and old.source == "this book"
    for error in (1e-3, math.nan):
        with pytest.raises(book.ClaimError):
            claims.check("a", "It does not.", error=error, bound=1e-12, **words)


# What an element of a page shows


@pytest.mark.parametrize(
    "values, reason",
    [
        ({"trace": 2.0, "floor": 1.0}, ""),
        ({"trace": 2.0 + 1e-7, "floor": 1}, ""),
        ({"trace": 2.001, "floor": 1.0}, "trace is 2.001, expected 2.0"),
        ({"trace": math.nan, "floor": 1.0}, "trace is nan, expected 2.0"),
        ({"trace": 2.0}, "floor is not shown"),
        ({"trace": 2.0, "floor": 1.0, "norm": 3.0}, "norm is shown without a contract"),
    ],
)
def test_what_is_shown_must_be_what_is_expected_by_name(values, reason):
    part = book.shows(values, {"trace": 2.0, "floor": 1.0})
    assert part.held == (not reason) and reason in part.finding
    assert part.promise == "2 numbers shown as computed, to 10⁻⁶ of each"


def test_what_is_shown_measures_the_largest_share_of_its_tolerance():
    expected = {"trace": 2.0, "floor": 1.0}
    assert book.shows({"trace": 2.25, "floor": 1.0}, expected, to=0.25).measured == 0.5
    assert book.shows({"trace": 2.25, "floor": 2.0}, expected, to=0.25).measured is None


def test_nothing_shown_and_nothing_expected_does_not_hold():
    assert not book.shows({}, {}).held
