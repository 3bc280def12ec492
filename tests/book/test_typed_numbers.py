"""No number in the prose of this book is typed where a cell could have computed it.

What counts, and how a number that is given is marked: lib/bookproof/typed.py. Not seen here:
numbers in words and in formulas, and those of claims' sentences, which stand beside what computes
them.
"""

import pytest

from bookproof.notebooks import read_page
from bookproof.typed import find_typed_in_page
from tests.support import PROJECT

CHAPTERS = PROJECT / "chapters"
PAGES = sorted([*CHAPTERS.glob("*.ipynb"), *CHAPTERS.glob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_number_is_typed(path):
    found = find_typed_in_page(read_page(path))
    way_out = "Glue each, reword, or say in a comment that it is given: <!-- given: 200 -->"
    assert not found, "\n".join([*found, way_out])
