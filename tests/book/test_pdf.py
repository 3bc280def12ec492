"""The printed book: nothing is missing that the site has, nothing is cut, every link leads
somewhere, and it says itself to a screen reader.

What is compared with the site is read from the site's pages here, by another route than the one
that prints them. Not seen here: whether a page is beautiful.
"""

import re
import subprocess
import sys
from functools import cache
from math import hypot

import pytest
import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader

from bookproof.edition import hold_formulas
from tests.book.browsing import list_chapters, pages
from tests.support import PROJECT

PAGE = 3300  # letters that a full page of text has
FOR_LOOKING_UP = ("chapters/ledger", "chapters/api")
SMALLEST = 6.9  # points: letters of tables, marks and code; 7 in the style, before rounding
SMALLEST_OF_FORMULAS = 4.0  # points: the index of an index, in a table
SCREEN_WORDS = re.compile(
    r"\b(tap|press|hover|drag|scroll|click|slider)(s|es|ed|ged|ped|ing|ging|ping)?\b", re.IGNORECASE
)
# Where they are meant: {page: the words with which they stand}.
MEANT = {
    "chapters/bibliography": ["University Press", "MIT Press"],
    "chapters/dynamics": ["that it hovers just above the line"],
    "chapters/notation": ["or tap it, to see its line"],  # of the site, as the sentence says
}
UNSAID = {"headerlink", "evidence", "term-card", "cite"}


@pytest.fixture(scope="session")
def printed(site, chromium):
    """The book, printed from the site, and what the command said."""
    run = subprocess.run(
        [sys.executable, "-m", "bookproof.pdf", site.parent],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    return PdfReader(site.parent / "pdf" / "sharp-minima.pdf"), run.stdout


@pytest.fixture(scope="session")
def book(printed):
    return printed[0]


@pytest.fixture(scope="session")
def starts(book):
    """{page of the site: the index of its first page in the book}, and the end of the last."""
    at = {name: find_page(book, name.replace("/", "-")) for name in pages()}
    return {**at, "": len(book.pages)}


@pytest.fixture(scope="session")
def text(book, starts):
    """All letters of the book in their order, without blanks and the hyphens of broken lines; but
    for two long pages for looking up, which have no captions.
    """
    ends = dict(zip(starts, list(starts.values())[1:], strict=False))
    read = [name for name in ends if name not in FOR_LOOKING_UP]
    return squeeze(
        "".join(read_text(book, at) for name in read for at in range(starts[name], ends[name]))
    )


def find_page(book, anchor):
    return book.get_destination_page_number(book.named_destinations[f"/{anchor}"])


@cache
def read_text(book, at):
    return book.pages[at].extract_text()


@cache
def read_page(path):
    """The article of a page, with an empty element for each formula, and how many it shows."""
    article = re.search(r'<article class="bd-article".*?</article>', path.read_text(), re.DOTALL)
    without_code = re.sub(r'<details class="code">.*?</details>', "", article[0], flags=re.DOTALL)
    return BeautifulSoup(hold_formulas(without_code)[0], "html.parser").article


def list_letters(page):
    """The letters of a page with their fonts, and their sizes in points as they are printed."""
    letters = []

    def note(text, outer, inner, font, size):
        across = inner[0] * outer[0] + inner[1] * outer[2]
        down = inner[0] * outer[1] + inner[1] * outer[3]
        name = str((font or {}).get("/BaseFont", ""))
        if text.strip():
            letters.append((text.strip(), name, size * hypot(across, down)))

    page.extract_text(visitor_text=note)
    return letters


def squeeze(words):
    return re.sub(r"[\s\u00ad\u200b\u00a0‐-]", "", words)


def say(element):
    """The words of an element, without formulas, which a PDF has letter by letter."""
    words = []
    for node in element.find_all(string=True):
        if not any(is_unsaid(parent) for parent in node.parents):
            words.append(str(node))
    return squeeze("".join(words))


def is_unsaid(element):
    return element.name in ("script", "summary") or UNSAID & set(element.get("class", ()))


def list_long_runs(fold):
    """The longest runs of letters in a fold that no formula and no link interrupts; three, because
    one may be broken by the foot of a page.
    """
    texts = [text for text in fold.find_all(string=True) if not any(map(is_unsaid, text.parents))]
    return [run[:40] for run in sorted(map(squeeze, texts), key=len)[-3:]]


def list_numbered(site, name):
    """What has a number on a page: (its number, the words of its caption or title)."""
    found = []
    for number in read_page(site / f"{name}.html").select(".caption-number"):
        host = number.find_parent(["figcaption", "caption"]) or number.find_parent("p")
        found.append((number.get_text(strip=True), say(host)))
    return found


def walk_tags(element, depth=0):
    element = element.get_object()
    if isinstance(element, list):
        for part in element:
            yield from walk_tags(part, depth + 1)
    elif isinstance(element, dict):
        yield element
        if "/K" in element:
            yield from walk_tags(element["/K"], depth + 1)


@pytest.fixture(scope="session")
def tags(book):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    found = list(walk_tags(book.trailer["/Root"]["/StructTreeRoot"]))
    sys.setrecursionlimit(limit)
    return found


def list_outline(entries):
    for entry in entries:
        if isinstance(entry, list):
            yield from list_outline(entry)
        else:
            yield entry


def list_links(book):
    for page in book.pages:
        for annotation in page.get("/Annots", ()):
            link = annotation.get_object()
            if link["/Subtype"] == "/Link":
                yield link


def test_nothing_is_too_wide_and_hardly_a_page_inside_a_chapter_is_half_empty(book, printed):
    assert "too wide" not in printed[1]
    # A large figure before a heading has no text that could come before it.
    assert printed[1].count("half empty") <= len(book.pages) / 50, printed[1]


def test_hardly_a_chapter_ends_with_a_few_lines_on_a_page(printed):
    assert printed[1].count("nearly empty") <= 2, printed[1]


def test_no_letters_are_too_small_to_be_read(book, starts):
    smallest, formulas = {}, {}
    ends = dict(zip(starts, list(starts.values())[1:], strict=False))
    for name, end in ends.items():
        for at in range(starts[name], end):
            for text, font, size in list_letters(book.pages[at]):
                found = formulas if "KaTeX" in font else smallest
                found[name] = min(found.get(name, (99, "", 0)), (size, text, at + 1))
    told = [
        f"{name}: {size:.1f} pt, {text!r}, page {at}" for name, (size, text, at) in smallest.items()
    ]
    print("\n".join(told))
    assert all(size >= SMALLEST for size, _, _ in smallest.values()), told
    assert all(size >= SMALLEST_OF_FORMULAS for size, _, _ in formulas.values()), formulas


def test_paper_is_not_told_to_be_touched(book, starts):
    ends = dict(zip(starts, list(starts.values())[1:], strict=False))
    for name, end in ends.items():
        if name in FOR_LOOKING_UP:
            continue
        for at in range(starts[name], end):
            words = " ".join(read_text(book, at).split())
            for meant in MEANT.get(name, ()):
                words = words.replace(meant, "")
            found = SCREEN_WORDS.search(words)
            assert not found, (at + 1, words[max(0, found.start() - 60) : found.end() + 60])


def test_it_is_as_long_as_its_text_asks_for(site, book):
    articles = [read_page(site / f"{name}.html") for name in pages()]
    letters = sum(len(say(article)) for article in articles)
    figures = sum(len(article.select("figure")) for article in articles)
    least = letters / PAGE
    assert least < len(book.pages) < 2 * least + figures + 2 * len(pages())


def test_every_number_and_caption_of_the_site_is_in_it(site, text):
    for name in pages():
        for number, words in list_numbered(site, name):
            assert words in text, (name, number)


def test_every_proof_and_solution_is_open_in_it(site, text):
    folds = 0
    for name in set(pages()) - set(FOR_LOOKING_UP):
        for fold in read_page(site / f"{name}.html").select("details.fold"):
            first = fold.find("p")
            if first is None or fold.find_parent("details"):
                continue
            folds += 1
            runs = list_long_runs(fold)
            found = sum(run in text for run in runs)
            assert found >= max(1, len(runs) - 1), (name, first.get_text()[:60])
    assert folds > 50


def list_headings(site, name):
    """The headings of a page: (how the place is called in the book, the words)."""
    for heading in read_page(site / f"{name}.html").find_all(["h1", "h2"]):
        anchor = name.replace("/", "-")
        if heading.name == "h2":
            anchor += f"--{heading.find_parent('section')['id']}"
        yield anchor, say(heading)


def test_the_contents_name_every_section_and_its_page(site, book, starts):
    listed = squeeze("".join(read_text(book, at) for at in range(2, starts[pages()[0]])))
    for name in pages():
        for anchor, words in list_headings(site, name):
            at = find_page(book, anchor)
            assert f"{words}{at + 1}" in listed, anchor
            assert words in squeeze(read_text(book, at)), anchor


def test_the_outline_has_every_heading(site, book):
    titles = [squeeze(entry.title) for entry in list_outline(book.outline)]
    for name in pages():
        for anchor, words in list_headings(site, name):
            assert words in titles, anchor


def test_each_page_has_its_number_and_its_chapters_name(site, book, starts):
    ends = dict(zip(starts, list(starts.values())[1:], strict=False))
    for name in list_chapters():
        [(_, head), *_] = list_headings(site, name)
        for at in range(starts[name], ends[name]):
            said = squeeze(read_text(book, at))
            assert said.startswith(head), (name, said[:90])
            assert str(at + 1) in said[: len(head) + 9], (name, said[:90])


def list_fonts(book):
    """The fonts of all pages; one of drawn letters, Type 3, has them in itself."""
    for page in book.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            for part in font.get_object().get("/DescendantFonts", [font]):
                if part.get_object()["/Subtype"] != "/Type3":
                    yield part.get_object()


def test_every_font_is_in_it(book):
    names = set()
    for font in list_fonts(book):
        names.add(str(font["/BaseFont"]).partition("+")[2])
        described = font["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described), font["/BaseFont"]
    assert {"Literata-Regular", "Literata-SemiBold", "KaTeX_Math-Italic"} <= names


def test_every_link_leads_somewhere(book):
    inside = 0
    for link in list_links(book):
        action = link.get("/A", {})
        if "/URI" in action:
            assert action["/URI"].startswith("https://"), action["/URI"]
        else:
            inside += 1
            assert str(link.get("/Dest", action.get("/D"))) in book.named_destinations
    assert inside > 1000


def test_every_address_on_the_site_can_be_reached_from_it(site, book):
    there = {
        link["href"]
        for name in pages()
        for link in read_page(site / f"{name}.html").find_all("a", href=re.compile("^http"))
        if not link.find_parent(class_=["cite", "held"])
    }
    here = {str(link["/A"]["/URI"]) for link in list_links(book) if "/URI" in link.get("/A", {})}
    assert {address.rstrip("/") for address in there} == {address.rstrip("/") for address in here}


def test_it_names_its_authors(book):
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert book.metadata.title == citation["title"]
    for author in citation["authors"]:
        assert (author.get("name") or author["family-names"]) in book.metadata.author


def test_a_screen_reader_is_told_what_everything_is(site, book, tags):
    root = book.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "en"
    kinds = [str(tag.get("/S")) for tag in tags]
    articles = [read_page(site / f"{name}.html") for name in pages()]
    assert kinds.count("/H2") == sum(len(each.find_all("h2")) for each in articles)
    figures = [tag for tag in tags if tag.get("/S") == "/Figure" and "/Alt" in tag]
    pictures = {img["alt"] for each in articles for img in each.select("img.in-light")}
    assert pictures == {str(tag["/Alt"]) for tag in figures}
    formulas = [tag for tag in tags if tag.get("/S") == "/Formula"]
    shown = [
        formula
        for each in articles
        for formula in each.select("[data-formula]")
        if not any(is_unsaid(parent) for parent in formula.parents)
    ]
    # and those in the sentences of marks that stand alone
    assert len(shown) <= len(formulas) <= 1.05 * len(shown)
    assert all(len(str(tag["/Alt"])) > len("formula: ") for tag in formulas)
