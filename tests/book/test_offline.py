"""The archive for reading offline: unpacked into another folder and opened as files, every page is
there, nothing is missing, and the search finds.
"""

import subprocess
import sys
import zipfile

import pytest

from tests.book.browsing import HANG, open_page, pages
from tests.support import PROJECT


@pytest.fixture(scope="module")
def unpacked(site, tmp_path_factory):
    command = [sys.executable, "-m", "bookproof.offline", site.parent]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("a reader's folder")
    with zipfile.ZipFile(site.parent / "offline" / "sharp-minima.zip") as archive:
        archive.extractall(folder)
    return folder / "sharp-minima"


def test_the_first_page_opens_from_the_file_that_one_would_open(browser, unpacked):
    page, said, _ = open_page(browser, unpacked.as_uri(), "light", 1280)
    page.goto(f"{unpacked.as_uri()}/index.html", wait_until="load")
    page.wait_for_url(f"{unpacked.as_uri()}/{pages()[0]}.html", timeout=HANG)
    page.locator("article h1").first.wait_for(state="visible", timeout=HANG)
    page.context.close()
    assert not said


def test_no_page_complains_or_asks_for_what_is_elsewhere(browser, unpacked):
    page, said, _ = open_page(browser, unpacked.as_uri(), "light", 1280)
    for name in pages():
        page.goto(f"{unpacked.as_uri()}/{name}.html", wait_until="load")
        missing = page.evaluate("""async () => {
            const shown = [...document.images].filter(i => i.offsetParent)
            shown.forEach(i => i.loading = 'eager')
            await Promise.allSettled(shown.map(i => i.decode()))
            return shown.filter(i => !i.naturalWidth).map(i => i.src)
        }""")
        assert not missing, name
        assert not said, name
    page.context.close()


def test_the_search_finds_what_the_book_says(browser, unpacked):
    page, said, _ = open_page(browser, unpacked.as_uri(), "light", 1280)
    page.goto(f"{unpacked.as_uri()}/search.html?q=eigenvalue", wait_until="load")
    results = page.locator("ul.search li")
    results.nth(3).wait_for(timeout=HANG)
    first = results.first.locator("a").first
    address = first.get_attribute("href")
    first.click()
    page.wait_for_load_state("load")
    assert page.locator("article.bd-article").get_by_text("eigenvalue").count()
    page.context.close()
    assert not said, address
