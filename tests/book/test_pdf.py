"""The printed book: nothing is missing that the site has, nothing is cut, every link leads
somewhere, and it says itself to a screen reader.

What is compared with the site is read from the site's pages here, by another route than the one
that prints them. Not seen here: whether a page is beautiful.
"""

import re
import subprocess
import sys
from functools import cache

import pytest
import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tests.book.browsing import executable, list_chapters, pages
from tests.support import PROJECT

PAGE = 3300  # letters that a full page of text has
NUMBERED = ("figure", "div.proof", "div.exercise", "table")


@pytest.fixture(scope="session")
def printed(site):
    """The book, printed from the site, and what the command said."""
    if executable() is None:
        pytest.skip("No Chromium here, so the book was not printed")
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
def text(book):
    """All letters of the book, in their order, without blanks and the hyphens of broken lines."""
    return squeeze("".join(page.extract_text() for page in book.pages))


@cache
def read_page(path):
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return page.select_one("article.bd-article")


def squeeze(words):
    return re.sub(r"[\s\u00ad\u200b\u00a0‐-]", "", words)


def say(element, *without):
    """The words of an element without some others in it, and without formulas, which a PDF has
    letter by letter.
    """
    words = []
    for node in element.find_all(string=True):
        if not node.find_parent(["math", "summary", *without], class_=None):
            if not node.find_parent(class_=["katex", "headerlink", "evidence", "katex-mathml"]):
                words.append(str(node))
    return squeeze("".join(words))


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


def test_the_book_is_printed_and_no_page_inside_a_chapter_is_half_empty(printed):
    assert "too wide" not in printed[1]
    assert "half empty" not in printed[1], printed[1]


def test_it_is_as_long_as_its_text_asks_for(site, book):
    letters = sum(len(say(read_page(site / f"{name}.html"))) for name in pages())
    figures = sum(len(read_page(site / f"{name}.html").select("figure")) for name in pages())
    least = letters / PAGE
    assert least < len(book.pages) < 2 * least + figures + 2 * len(pages())


def test_every_number_and_caption_of_the_site_is_in_it(site, text):
    for name in pages():
        for number, words in list_numbered(site, name):
            assert words in text, (name, number)


def test_every_proof_and_solution_is_open_in_it(site, text):
    folds = 0
    for name in pages():
        for fold in read_page(site / f"{name}.html").select("details.fold"):
            first = fold.find("p")
            if first is None or fold.find_parent("details"):
                continue
            folds += 1
            assert say(first) in text, (name, first.get_text()[:60])
    assert folds > 50


def test_the_contents_name_every_section_and_its_page(site, book):
    places = {
        name: book.get_destination_page_number(at) for name, at in book.named_destinations.items()
    }
    listed = squeeze("".join(page.extract_text() for page in book.pages[2:8]))
    for name in pages():
        page = read_page(site / f"{name}.html")
        for heading in page.find_all(["h1", "h2"]):
            anchor = name.replace("/", "-")
            if heading.name == "h2":
                anchor += f"--{heading.find_parent('section')['id']}"
            at = places[anchor]
            assert re.search(re.escape(say(heading)) + r"\.*" + str(at + 1), listed), anchor
            assert say(heading) in squeeze(book.pages[at].extract_text()), anchor


def test_the_outline_has_every_heading(site, book):
    titles = [squeeze(entry.title) for entry in list_outline(book.outline)]
    for name in pages():
        for heading in read_page(site / f"{name}.html").find_all(["h1", "h2"]):
            assert say(heading) in titles


def test_each_chapter_has_its_running_head_and_each_page_its_number(site, book):
    places = book.named_destinations
    for name in list_chapters():
        at = book.get_destination_page_number(places[name.replace("/", "-")])
        head = say(read_page(site / f"{name}.html").find("h1"))
        for page in (at, at + 1):
            said = squeeze(book.pages[page].extract_text())
            assert said.startswith(f"{head}{page + 1}") or said.startswith(head), (name, said[:90])
            assert str(page + 1) in said


def test_every_font_is_in_it(book):
    names, missing = set(), set()
    for page in book.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            for part in font.get_object().get("/DescendantFonts", [font]):
                described = part.get_object().get("/FontDescriptor", {})
                name = str(part.get_object()["/BaseFont"])
                names.add(name.partition("+")[2])
                if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(described):
                    missing.add(name)
    assert not missing
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
        for formula in each.select(".katex")
        if not formula.find_parent(class_=["term-card", "mark-code"])
        and not formula.find_parent("details", class_="held")
    ]
    assert len(formulas) >= len(shown)
    assert all(str(tag["/Alt"]).strip() for tag in formulas)
