"""What an alt text says of a curve's direction is asserted, or the page is reported.

Not seen here: whether the assertion is about the curve that the alt text means.
"""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from bookproof.claims import MIME
from bookproof.wording import DIRECTIONS, find_unsaid


def page(alt, *promises):
    """Return a notebook with one figure of this alt text, and a claim that promises these words."""
    shown = {"figure": {"name": "fig-a", "caption": "A."}, "image": {"alt": alt}}
    parts = [{"kind": "words", "promise": promise} for promise in promises]
    record = {"identifier": "fig-a", "sentence": "So it is.", "parts": parts}
    claimed = new_output("display_data", data={MIME: record})
    drawn = new_code_cell("draw()", metadata={"mystnb": shown})
    return new_notebook(cells=[drawn, new_code_cell("claim()", outputs=[claimed])])


@pytest.mark.parametrize(
    "alt, promise",
    [
        ("A curve that falls to zero.", "loss falls"),
        ("A growing volume.", "volume rises"),
        ("The paper's count lies below the rank.", "rank above count"),
        ("Two lines cross.", "one meets other"),
        ("It is lowest in the middle.", "trace has its lowest point inside"),
        ("The trained network is the highest.", "trained is the highest"),
        ("A V-shaped curve.", "trace has its lowest point inside"),
        ("A constant floor.", "floor is constant"),
    ],
)
def test_a_direction_in_an_alt_text_needs_its_assertion(alt, promise):
    assert find_unsaid(page(alt, promise)) == []
    (unsaid,) = find_unsaid(page(alt))
    assert "fig-a" in unsaid
    other = "loss rises" if promise == "loss falls" else "loss falls"
    assert len(find_unsaid(page(alt, other))) == 1


def test_each_word_is_reported_for_itself():
    unsaid = find_unsaid(page("One curve rises, the other falls.", "one rises"))
    assert len(unsaid) == 1
    assert '"falls"' in unsaid[0]


def test_words_that_only_contain_a_direction_are_none():
    assert find_unsaid(page("A shortfall of a meeting, aboveground, in cross-entropy.")) == []


def test_each_assertion_is_one_that_says_knows():
    from bookproof.captions import ALONE, AMONG, TOGETHER

    known = {*ALONE, *AMONG, *TOGETHER}
    assert {word for words in DIRECTIONS.values() for word in words} <= known
