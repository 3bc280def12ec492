"""Everything that this book states or draws has a claim, and each of the errata rests on one.

Not seen here: whether a claim says what its cell computes, and whether the tests marked with it are
about it. How statements and claims are found is seen in tests/bookproof/test_notebooks.py; that
each claim has a test, in every complete run.
"""

import re

from bookproof.notebooks import find_claims, find_uncovered, read_page
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
