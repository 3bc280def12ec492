"""Pages on paper, by the system's Chromium: it lays out a page, says what does not fit on the
paper, and prints a PDF with tags, an outline and the names of places.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HANG = 300_000  # milliseconds: only what hangs takes that long, however busy the machine is
PAPER = Path(__file__).parent / "paper"
FIT = (PAPER / "fit.js").read_text(encoding="utf-8")
FILL = (PAPER / "fill.js").read_text(encoding="utf-8")
# A4 without the margins that print.css leaves, in pixels, and in the points of a PDF.
WIDTH, HEIGHT = (round(millimeters / 25.4 * 96, 1) for millimeters in (168, 256))
PAGE_HEIGHT, FOOT = (millimeters / 25.4 * 72 for millimeters in (256, 22))


def find_chromium() -> str:
    """Return the path of the system's Chromium. Raises FileNotFoundError where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError(
            "no Chromium here, which opens and prints pages. On Debian: apt-get install chromium"
        )
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a browser that asks nothing of the network by itself."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=FLAGS, timeout=HANG
        )
        yield chromium
        chromium.close()


def open_for_print(browser: Browser, address: str) -> Page:
    """Return a page laid out as wide as on paper, with its fonts there."""
    size = {"width": int(WIDTH), "height": int(HEIGHT)}
    page = browser.new_page(viewport=size, color_scheme="light")
    page.set_default_timeout(HANG)
    page.emulate_media(media="print")
    page.goto(address, wait_until="load")
    page.evaluate("document.fonts.ready")
    return page


def fit(page: Page) -> list[str]:
    """Make what is wider than the paper smaller; return what stays too wide even so."""
    return page.evaluate(FIT)


def fill(page: Page) -> dict[str, int]:
    """Let text fill pages that a figure leaves half empty; return on which page each chapter and
    section should be.
    """
    return page.evaluate(FILL, {"width": WIDTH, "height": HEIGHT})


def print_pdf(page: Page) -> bytes:
    """Return the PDF of a page, on the paper that its style asks for."""
    return page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
