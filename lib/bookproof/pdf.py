"""Print the whole book as one PDF, from its built site.

    python -m bookproof.pdf _build

It is in _build/pdf, under the name that `bookproof_short_name` gives it. Needs the system's
Chromium. The page numbers of the contents are compared with the pages that are printed.
"""

import argparse
import io
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page
from pypdf import PageObject, PdfReader

from .edition import SPOKEN, assemble
from .printing import FOOT, PAGE_HEIGHT, fill, fit, open_browser, open_for_print, print_pdf
from .settings import name_files

EMPTY = 0.28  # of a page inside a chapter may stay blank
FEW = 0.2  # of a page is too little for the last one of a chapter
BEFORE_CONTENTS = 2  # pages: the title and what is behind it
PRINTS = 3  # the first has the right numbers, as a rule
SPOKEN_IN_UTF_16 = SPOKEN.encode("utf-16-be").hex().upper().encode()
FORMULA_TAG = re.compile(
    rb"/S /Figure(\n/Alt (?:\(%s|<FEFF%s))" % (SPOKEN.encode(), SPOKEN_IN_UTF_16)
)
TRAILER = re.compile(
    rb"trailer\s*<<\s*/Size (\d+)\s*/Root (\d+ \d+ R)\s*/Info \d+ \d+ R\s*>>\s*"
    rb"startxref\s*(\d+)\s*%%EOF\s*\Z"
)
WRITE_NUMBERS = """pages => {
  for (const place of document.querySelectorAll("[data-page-of]"))
    place.textContent = pages[place.dataset.pageOf]
}"""


def read_places(pdf: bytes) -> dict[str, int]:
    """Return the number of the page of each named place in a PDF, counted from 1."""
    reader = PdfReader(io.BytesIO(pdf))
    numbers = {page.indirect_reference.idnum: at for at, page in enumerate(reader.pages, start=1)}
    places = {}
    for name, destination in reader.named_destinations.items():
        places[name.removeprefix("/")] = numbers[destination.page.idnum]
    return places


def find_half_empty(pdf: bytes, starts: Mapping[str, int]) -> list[str]:
    """Return a line for each page inside a chapter whose lower part is blank; `starts` has the
    number of the first page of each chapter.
    """
    pages = PdfReader(io.BytesIO(pdf)).pages
    found = []
    ends = [*list(starts.values())[1:], len(pages) + 1]
    for (name, start), end in zip(starts.items(), ends, strict=True):
        for number in range(start, end - 1):
            blank = measure_blank(pages[number - 1])
            if blank > EMPTY:
                found.append(f"{name}, page {number}: {100 * blank:.0f} % blank")
    return found


def find_nearly_empty(pdf: bytes, starts: Mapping[str, int]) -> list[str]:
    """Return a line for each last page of a chapter, or of what comes before the first one, that
    has a few lines only; a chapter of one page has nowhere else to put them.
    """
    pages = PdfReader(io.BytesIO(pdf)).pages
    found = []
    named = {"contents": BEFORE_CONTENTS + 1, **starts}
    ends = [start - 1 for start in list(named.values())[1:]] + [len(pages)]
    for (name, start), end in zip(named.items(), ends, strict=True):
        full = 1 - measure_blank(pages[end - 1])
        if end > start and full < FEW:
            found.append(f"{name}, page {end}: {100 * full:.0f} % full")
    return found


def measure_blank(page: PageObject) -> float:
    """Return the share of a page below its last line of text; what is drawn has a caption."""
    heights = [FOOT + PAGE_HEIGHT]

    def note(text, outer, inner, font, size):
        height = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
        if text.strip() and height > FOOT:
            heights.append(height)

    page.extract_text(visitor_text=note)
    return (min(heights) - FOOT) / PAGE_HEIGHT


def tag_formulas(pdf: bytes) -> bytes:
    """Return a PDF in which formulas are tagged as such: Chromium knows figures only.

    No byte comes to stand elsewhere, so that nothing else has to be written again.
    """
    return FORMULA_TAG.sub(rb"/S/Formula\1", pdf)


def write_text(words: str) -> bytes:
    """Return a text as a PDF has it, in any script."""
    return b"<FEFF" + words.encode("utf-16-be").hex().upper().encode() + b">"


def describe(pdf: bytes, facts: Mapping[str, str]) -> bytes:
    """Return a PDF that says some facts of itself, such as its authors: they are appended, as the
    format foresees for changes. Raises ValueError where the PDF does not end as Chromium's do.
    """
    end = TRAILER.search(pdf)
    if end is None:
        raise ValueError("the PDF has no plain trailer, to which facts could be appended")
    size, root, last = int(end[1]), end[2], end[3]
    entries = b"\n".join(b"/" + name.encode() + write_text(said) for name, said in facts.items())
    added = b"%d 0 obj\n<<%s>>\nendobj\n" % (size, entries)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (size, len(pdf))
    trailer = b"trailer\n<</Size %d\n/Root %s\n/Info %d 0 R\n/Prev %s>>\n" % (
        size + 1,
        root,
        size,
        last,
    )
    start = b"startxref\n%d\n%%%%EOF\n" % (len(pdf) + len(added))
    return pdf + added + table + trailer + start


@dataclass(frozen=True)
class Printed:
    """A printed book: how many pages, and what is not as it should be on them."""

    path: Path
    pages: int
    too_wide: list[str]
    half_empty: list[str]
    nearly_empty: list[str]


def print_numbered(page: Page, expected: Mapping[str, int]) -> tuple[bytes, dict[str, int]]:
    """Return the PDF of an edition, with the numbers of its pages in the contents, and the number
    of the page of each place in it.

    They are written as expected, and compared with what is printed. Raises RuntimeError where the
    numbers themselves move what they number.
    """
    for _ in range(PRINTS):
        page.evaluate(WRITE_NUMBERS, expected)
        pdf = print_pdf(page)
        places = read_places(pdf)
        if expected.items() <= places.items():
            return pdf, places
        expected = {name: places[name] for name in expected}
    raise RuntimeError("the numbers in the contents move the pages that they name")


def print_book(source: Path, target: Path) -> Printed:
    """Print the book whose source is in one folder, and its site in `html` of another one.

    Raises FileNotFoundError where the site lacks a page or the machine a browser, ValueError where
    a link leads nowhere.
    """
    edition = assemble(source, target / "html")
    folder = target / "pdf"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / ".edition.html"
    draft.write_text(edition.page, encoding="utf-8")
    with open_browser() as browser:
        page = open_for_print(browser, draft.as_uri())
        too_wide = fit(page)
        pdf, places = print_numbered(page, fill(page))
    starts = {chapter.anchor: places[chapter.anchor] for chapter in edition.chapters}
    half_empty = find_half_empty(pdf, starts)
    nearly_empty = find_nearly_empty(pdf, starts)
    facts = {"Title": edition.title, "Author": edition.authors, "Subject": edition.description}
    pdf = describe(tag_formulas(pdf), {name: said for name, said in facts.items() if said})
    path = folder / f"{name_files(source)}.pdf"
    path.write_bytes(pdf)
    return Printed(path, len(PdfReader(path).pages), too_wide, half_empty, nearly_empty)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    options = parser.parse_args()
    source, target = options.source.resolve(), options.target.resolve()
    try:
        printed = print_book(source, target)
    except (FileNotFoundError, ValueError) as why:
        print(f"The book is NOT printed: {why}", file=sys.stderr)
        return 1
    for line in printed.half_empty:
        print(f"half empty: {line}")
    for line in printed.nearly_empty:
        print(f"nearly empty: {line}")
    for line in printed.too_wide:
        print(f"too wide for the paper: {line}", file=sys.stderr)
    megabytes = printed.path.stat().st_size / 1e6
    print(f"The book is printed, {printed.pages} pages, {megabytes:.1f} MB: {printed.path}")
    return 1 if printed.too_wide else 0


if __name__ == "__main__":
    sys.exit(main())
