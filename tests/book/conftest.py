"""The built site, for all tests that look at it."""

import contextlib
import fcntl
import os

import pytest

from tests.book.browsing import serve
from tests.support import PROJECT, build_book


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as it is built from the outputs stored in the notebooks, once for all processes.

    Where BOOK_SITE names a folder, somebody has just built it there.
    """
    if "BOOK_SITE" in os.environ:
        return PROJECT / os.environ["BOOK_SITE"] / "html"
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    target = shared / "site"
    with only_one(shared / "site.lock"):
        if not (target / "html").exists():
            run = build_book(target, "--stored")
            assert run.returncode == 0, run.stdout
    return target / "html"


@contextlib.contextmanager
def only_one(path):
    """Let other processes that come here wait until the block has ended."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def home(site):
    server, address = serve(site)
    yield address
    server.shutdown()
