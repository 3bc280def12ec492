"""The one browser of a run: Playwright can be started only once in a process."""

import os

import pytest


@pytest.fixture(scope="session")
def chromium():
    """The path of the system's Chromium; without it a test is skipped, but not in CI."""
    # Not at the top: the tests in tests/frameworks have an environment without Playwright.
    from bookproof.printing import find_chromium

    try:
        return find_chromium()
    except FileNotFoundError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def browser(chromium):
    from bookproof.printing import open_browser

    with open_browser() as opened:
        yield opened
