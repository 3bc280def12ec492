"""A book of somebody else, with bookproof as somebody else installs it."""

import pytest

from tests.bookproof.other_book import OtherBook, install_bookproof


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which bookproof's wheel was installed."""
    return install_bookproof(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def accepted(tmp_path_factory, installed):
    """The other book with its outputs stored, as its maintainer commits it; not to be changed."""
    book = OtherBook(tmp_path_factory.mktemp("other") / "a book", installed)
    status, said = book.accept("--yes")
    assert status == 0, said
    return book
