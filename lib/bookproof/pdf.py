"""Print the whole book as one PDF, from its built site.

    python -m bookproof.pdf _build

It is in _build/pdf, under the name that `bookproof_short_name` gives it. Needs the system's
Chromium. The page numbers of the contents are compared with the pages that are printed.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from .edition import SPOKEN, Edition, assemble
from .printing import fill, fit, open_browser, open_for_print, print_pdf
from .settings import name_files

PRINTS = 3  # the first has the right numbers, as a rule
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


def walk_tags(tags: DictionaryObject) -> Iterator[DictionaryObject]:
    """Yield all elements of the tree of tags, in the order in which they are read."""
    waiting = [tags]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, ArrayObject):
            waiting += reversed(element)
        elif isinstance(element, DictionaryObject):
            yield element
            if "/K" in element:
                waiting.append(element["/K"])


def tag_formulas(writer: PdfWriter) -> None:
    """Tag as formulas what Chromium can only tag as figures."""
    for element in walk_tags(writer.root_object["/StructTreeRoot"]):
        words = str(element.get("/Alt", ""))
        if words.startswith(SPOKEN):
            element[NameObject("/S")] = NameObject("/Formula")
            element[NameObject("/Alt")] = TextStringObject(words.removeprefix(SPOKEN))


def describe(pdf: bytes, edition: Edition) -> bytes:
    """Return a PDF that names its title and authors, and its formulas as such."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.add_metadata(
        {"/Title": edition.title, "/Author": edition.authors, "/Subject": edition.description}
    )
    tag_formulas(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


@dataclass(frozen=True)
class Printed:
    """A printed book: how many pages, and what is not as it should be on them."""

    path: Path
    pages: int
    too_wide: list[str]
    half_empty: list[str]


def print_numbered(page: Page, expected: Mapping[str, int]) -> bytes:
    """Return the PDF of an edition, with the numbers of its pages in the contents.

    They are written as expected, and compared with what is printed. Raises RuntimeError where the
    numbers themselves move what they number.
    """
    for _ in range(PRINTS):
        page.evaluate(WRITE_NUMBERS, expected)
        pdf = print_pdf(page)
        places = read_places(pdf)
        if expected.items() <= places.items():
            return pdf
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
        half_empty, expected = fill(page)
        pdf = describe(print_numbered(page, expected), edition)
    path = folder / f"{name_files(source)}.pdf"
    path.write_bytes(pdf)
    return Printed(path, len(PdfReader(path).pages), too_wide, half_empty)


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
    for line in printed.too_wide:
        print(f"too wide for the paper: {line}", file=sys.stderr)
    megabytes = printed.path.stat().st_size / 1e6
    print(f"The book is printed, {printed.pages} pages, {megabytes:.1f} MB: {printed.path}")
    return 1 if printed.too_wide else 0


if __name__ == "__main__":
    sys.exit(main())
