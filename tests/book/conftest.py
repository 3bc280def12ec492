"""The built site, for all tests that look at it."""

import os

import pytest
from playwright.sync_api import sync_playwright

from tests.book.browsing import FLAGS, HANG, executable, serve
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
def browser():
    if executable() is None:
        message = (
            "No Chromium here, so no page was opened in a browser. On Debian: apt-get install"
            " chromium"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable(), args=FLAGS, timeout=HANG
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def home(site):
    server, address = serve(site)
    yield address
    server.shutdown()
