"""A claim shows itself the same whatever was measured, and shows nothing at all when it does not
hold.

Whether the sentence says what was computed, and whether the named function and test exist, no check
here can see: the ledger's tests look at names, and a reader has to look at sentences.
"""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sharpminima as sm
from bookproof.claims import MIME

WORDS = {"source": "Dinh et al. 2017", "function": "hessian", "test": "test_hessians.py::test_rule"}


def claim(error=1e-15, bound=1e-12, *, identifier="theorem-3", sentence="The rule holds.", **words):
    return sm.check(identifier, sentence, error=error, bound=bound, **{**WORDS, **words})


@given(st.floats(min_value=0, allow_infinity=False), st.floats(min_value=0))
def test_a_claim_holds_exactly_when_its_error_is_at_most_its_bound(bound, error):
    if error <= bound:
        assert claim(error, bound).error == error
    else:
        with pytest.raises(sm.ClaimError):
            claim(error, bound)


@pytest.mark.parametrize("bound", [0.0, 1e300])
def test_nan_never_holds(bound):
    with pytest.raises(
        sm.ClaimError, match="theorem-3 does not hold: The rule holds. Measured nan"
    ):
        claim(math.nan, bound)


def test_a_claim_that_fails_says_what_was_measured_and_what_was_asked():
    with pytest.raises(
        sm.ClaimError,
        match=r"theorem-3 does not hold: The rule holds\. Measured 0\.5, held to 1e-12\.",
    ):
        claim(0.5)


def test_a_failed_claim_is_an_assertion_error():
    assert issubclass(sm.ClaimError, AssertionError)


def test_bound_zero_names_no_bound():
    assert "Checked." in str(claim(0.0, 0.0)) and "Checked to 1e-12." in str(claim())
    with pytest.raises(sm.ClaimError):
        claim(5e-324, 0.0)


def test_two_measured_errors_show_identical_data_and_differ_in_the_metadata():
    (data, metadata), (again, other) = (
        claim(error)._repr_mimebundle_() for error in (1e-15, 3e-16)
    )
    assert json.dumps(data, sort_keys=True) == json.dumps(again, sort_keys=True)
    assert metadata == {MIME: {"error": 1e-15}} and other == {MIME: {"error": 3e-16}}
    assert "e-15" not in json.dumps(data) and claim(1e-15) == claim(3e-16)


def test_the_record_says_everything_but_the_error():
    record = claim()._repr_mimebundle_()[0][MIME]
    words = {"identifier": "theorem-3", "sentence": "The rule holds.", **WORDS}
    assert record == {**words, "bound": 1e-12, "held": True}


def test_html_is_escaped_and_the_mark_is_hidden_from_screen_readers():
    html = claim(sentence="For <b> & 'x'")._repr_mimebundle_()[0]["text/html"]
    assert (
        "Checked to 1e-12." in html
        and "For &lt;b&gt; &amp; &#x27;x&#x27;" in html
        and "<b>" not in html
    )
    assert '<span class="claim-mark" aria-hidden="true">✓</span>' in html


def test_plain_text_is_the_claim_in_one_line():
    data, _ = claim()._repr_mimebundle_()
    assert data["text/plain"] == str(claim()) == "✓ Checked to 1e-12. The rule holds. [theorem-3]"


BAD = {
    **{
        word: ({word: " "}, f"{word} must say something, got ' '")
        for word in ("identifier", "sentence", *WORDS)
    },
    "no text": ({"source": None}, "source must say something, got None"),
    "bound negative": ({"bound": -1.0}, r"bound must be a finite number of at least 0, got -1\.0"),
    "bound NaN": ({"bound": math.nan}, "bound must be a finite number of at least 0, got nan"),
    "bound infinite": ({"bound": math.inf}, "bound must be a finite number of at least 0, got inf"),
    "error negative": ({"error": -3.0}, r"error must be at least 0, got -3\.0: take abs"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    words, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        claim(**words)
