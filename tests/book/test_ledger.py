"""Everything that this book states or draws has a claim, and each of the errata rests on one.

Not seen here: whether a claim says what its cell computes and its statement means, whether the
tests marked with it are about it, and whether a proof is one. How statements and claims are found
is seen in tests/bookproof/test_notebooks.py; that each claim has a test, in every complete run.
"""

import json
import re

from nbformat.v4 import new_markdown_cell, new_notebook

from bookproof.markers import read_marked_tests
from bookproof.notebooks import find_claims, find_uncovered, read_page
from bookproof.statements import collect_digests, find_changed
from tests.support import PROJECT

PATHS = sorted([*(PROJECT / "chapters").glob("*.ipynb"), *(PROJECT / "chapters").glob("*.md")])
PAGES = {path.stem: read_page(path) for path in PATHS}
CLAIMS = [claim for page in PAGES.values() for claim in find_claims(page)]


def test_the_book_is_covered():
    assert find_uncovered(PAGES) == []


def test_every_claim_says_what_was_found():
    """A cell that ran with another version of the kit than its record would leave a gap."""
    assert len(CLAIMS) > 100
    for claim in CLAIMS:
        assert claim["parts"], f"{claim['identifier']} is stored in the form of an older release"
        assert all(part["finding"] for part in claim["parts"]), claim["identifier"]


def test_what_is_stored_is_what_its_cell_claims():
    """A cell that was changed and not run would still show its old claim."""
    for claim in CLAIMS:
        written = re.findall(r'book\.claim\(\s*"([^"]+)"', claim["code"])
        assert not written or claim["identifier"] in written, claim["identifier"]


def test_every_claim_is_named_by_a_test_and_every_marker_names_a_claim():
    """That the test ran and passed is seen in complete runs only; this takes a second."""
    marked = read_marked_tests(PROJECT / "tests", "sharpminima")
    named = {claim for test in marked for claim in test.claims}
    claimed = {claim["identifier"] for claim in CLAIMS}
    assert claimed - named == set(), "no test is marked with these"
    assert named - claimed == set(), "no notebook makes these"


STATEMENTS = PROJECT / "tests" / "book" / "statements.json"


def test_statements_read_as_when_their_claims_were_last_held_against_them():
    changed = find_changed(PAGES, json.loads(STATEMENTS.read_text()))
    assert not changed, "\n".join(
        [*changed, "Do claim and tests still say the same? Then: make statements"]
    )


def make_page(text):
    return {"page": new_notebook(cells=[new_markdown_cell(text)])}


def test_a_dropped_hypothesis_is_seen_and_a_line_break_is_none():
    theorem = ":::{prf:theorem} One\n:label: theorem-1\n\nIf a, then b.\n\n:::\n"
    accepted = collect_digests(make_page(theorem))
    assert find_changed(make_page(theorem), accepted) == []
    assert find_changed(make_page(theorem.replace("a, ", "a,\n")), accepted) == []
    [sentence] = find_changed(make_page(theorem.replace("If a, then b", "It is b")), accepted)
    assert sentence.startswith("page: theorem-1 does not read")
    [sentence] = find_changed(make_page(theorem.replace("One", "Two")), accepted)
    assert sentence.startswith("page: theorem-1 does not read")
    assert find_changed(make_page(theorem), {}) == [
        "page: theorem-1 is new: read it beside its claim"
    ]
    assert find_changed(make_page("Nothing."), accepted) == ["theorem-1 is gone"]


def find_errata_without_claim(errata, claimed):
    """Return the numbers of the errata that refer to no statement or figure with a claim."""
    pieces = re.split(r"^(\d+)\. ", errata, flags=re.MULTILINE)
    found = []
    for number, text in zip(pieces[1::2], pieces[2::2], strict=True):
        referred = set(re.findall(r"\{(?:prf:ref|numref)\}`([^`]+)`", text))
        if not claimed & referred:
            found.append(number)
    return found


def test_each_of_the_errata_rests_on_a_claim():
    claimed = {claim["identifier"] for claim in CLAIMS}
    errata = (PROJECT / "chapters" / "errata.md").read_text()
    assert len(re.findall(r"^\d+\. ", errata, flags=re.MULTILINE)) == 24
    assert find_errata_without_claim(errata, claimed) == []
    without = errata.replace("theorem-4", "").replace("theorem-5", "")
    assert find_errata_without_claim(without, claimed) == ["16"]
