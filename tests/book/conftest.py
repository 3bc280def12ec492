"""The built site, for all tests that look at it."""

import pytest

from tests.book.browsing import serve
from tests.support import build_book


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built once for all tests that look at it, from the outputs stored in the
    notebooks.
    """
    target = tmp_path_factory.mktemp("site")
    run = build_book(target, "--stored")
    assert run.returncode == 0, run.stdout
    return target / "html"


@pytest.fixture(scope="session")
def home(site):
    server, address = serve(site)
    yield address
    server.shutdown()
