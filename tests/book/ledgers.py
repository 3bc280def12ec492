"""The explorer of the ledger as the kit makes it, from the notebooks as they are stored."""

from functools import cache

from bookproof.markers import read_marked_tests
from bookproof.notebooks import read_page
from bookproof.sphinx.ledger_explorer import FOLDER, list_entries, make_explorer
from tests.support import CHAPTERS, PROJECT

__all__ = ["FOLDER", "LEDGER", "open_ledger"]

LEDGER = PROJECT / "chapters" / "ledger.md"


@cache
def open_ledger():
    pages = {path.stem: read_page(path) for path in CHAPTERS}
    tests = read_marked_tests(PROJECT / "tests", "sharpminima")
    entries = list_entries(pages, {name: name for name in pages}, tests, "sharpminima")
    return make_explorer(entries, "sm-ledger")
