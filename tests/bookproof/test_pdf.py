"""A small book of three pages, printed: what opens is open, links stay inside, what is too wide is
told, and pages are filled.
"""

import contextlib
import io
import re
import shutil
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf import PdfReader

from bookproof import offline, pdf
from bookproof.edition import (
    PAPER,
    Chapter,
    LeftOut,
    assemble,
    bring_formulas,
    hold_formulas,
    write_about,
    write_contents,
    write_heads,
    write_title_page,
)
from bookproof.offline import pack
from bookproof.pdf import (
    Printed,
    describe,
    find_half_empty,
    find_nearly_empty,
    measure_blank,
    print_book,
    print_numbered,
    read_places,
    tag_formulas,
)
from bookproof.printing import (
    FOOT,
    HEIGHT,
    PAGE_HEIGHT,
    WIDTH,
    fill,
    find_chromium,
    fit,
    open_for_print,
)
from bookproof.settings import name_files
from bookproof.spoken import write_in_line

PAGE = """<!DOCTYPE html><html lang="en"><head>
<link rel="stylesheet" href="{up}_static/print.css?v=1"></head>
<body><main class="bd-main"><article class="bd-article">{body}</article></main></body></html>"""
FIRST = """<section id="circles"><h1>Circles<a class="headerlink" href="#circles">#</a></h1>
<p>See <a href="part/squares.html#area">the squares</a>, <a href="part/squares.html">all</a>,
<a href="_sources/index.ipynb">a notebook</a> and <a href="https://example.org/">elsewhere</a>.</p>
<script>alert(1)</script><sm-circle class="explorer">moves</sm-circle>
<div class="term-card">a card</div></section>"""
FORMULA = (
    '<span class="katex"><span class="katex-mathml"><math><semantics><msup><mi>r</mi><mn>2</mn>'
    '</msup></semantics></math></span><span class="katex-html" aria-hidden="true"><span>r</span>'
    "</span></span>"
)
SECOND = f"""<section id="squares"><h1><span class="section-number">1. </span>Squares</h1>
<div class="proof theorem admonition" id="theorem-one"><p class="admonition-title">Theorem 1.1</p>
<p>Area {FORMULA}.</p><div class="evidence"><details class="held">
<summary><span class="visually-hidden">Checked: </span>✓ 10⁻¹²</summary>
<div class="mark-claim"><p>They agree.</p><p class="mark-where">
<a href="../ledger.html#claim-one">row</a></p></div></details></div></div>
<section id="area"><h2><span class="section-number">1.1. </span>Area</h2>
<details class="fold"><summary>Proof</summary><p>Multiply the sides.</p></details>
<div class="alone evidence"><details class="held"><summary>✓ all 6</summary>
<div class="mark-claim"><p>Six are right.</p></div></details></div>
<div class="cell"><details class="code"><summary>Code</summary><pre>x = 1</pre></details></div>
<div class="cell"><div class="cell_input"><pre>shown = 2</pre></div></div>
<aside class="margin"><p>A note.</p></aside></section></section>"""
LEDGER = """<section id="ledger"><h1>Ledger</h1><table><tr id="claim-one"><td>one</td></tr></table>
<p><a href="index.html">back</a></p></section>"""
PARAGRAPH = "<p>" + "Words that fill a line of the page and then another one. " * 12 + "</p>"
PICTURE = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='500' height='{}'>"
    "<rect width='500' height='{}' fill='teal'/></svg>"
)


class Book:
    """A book in a folder, with its built site."""

    def __init__(self, folder, first=FIRST):
        self.folder, self.site = folder, folder / "_build" / "html"
        (folder / "_config.yml").write_text("title: Circles & squares\nauthor: A. Byron\n")
        (folder / "_toc.yml").write_text(
            "format: jb-book\nroot: index\nparts:\n- caption: Shapes\n  chapters:\n"
            "  - file: part/squares\n- caption: Back\n  chapters:\n  - file: ledger\n"
        )
        static = self.site / "_static"
        static.mkdir(parents=True)
        shutil.copy(PAPER.parent / "sphinx" / "static" / "print.css", static)
        self.write("index", first)
        self.write("part/squares", SECOND)
        self.write("ledger", LEDGER)

    def write(self, name, body):
        path = self.site / f"{name}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(PAGE.format(up="../" * name.count("/"), body=body), encoding="utf-8")

    def assemble(self):
        return assemble(self.folder, self.site)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def open_edition(browser, book):
    draft = book.folder / "edition.html"
    draft.write_text(book.assemble().page, encoding="utf-8")
    return open_for_print(browser, draft.as_uri())


def test_an_edition_has_what_is_read_and_not_what_moves(book):
    page = BeautifulSoup(book.assemble().page, "html.parser")
    words = page.get_text(" ", strip=True)
    for there in ("Multiply the sides.", "shown = 2", "A note.", "Six are right.", "Proof"):
        assert there in words
    for gone in ("alert", "moves", "a card", "x = 1", "#", "They agree."):
        assert gone not in words
    assert not page.select("details, script, .evidence")
    assert "1 blocks that the site folds" in words and "1 pictures" in words
    titles = [line.get_text() for line in page.select("p.fold-title")]
    assert titles == ["Proof"] and not page.find("summary")


def test_names_and_links_lead_to_places_of_the_same_page(book):
    page = BeautifulSoup(book.assemble().page, "html.parser")
    links = {link.get_text(): link["href"] for link in page.select(".chapter a[href]")}
    assert links == {
        "the squares": "#part-squares--area",
        "all": "#part-squares",
        "elsewhere": "https://example.org/",
        "✓ 10⁻¹²": "#ledger--claim-one",
        "back": "#index",
    }
    assert "a notebook" in page.get_text()
    names = [element["id"] for element in page.find_all(id=True)]
    assert len(names) == len(set(names))
    assert {link[1:] for link in links.values() if link.startswith("#")} <= set(names)


def test_a_link_to_nowhere_is_an_error(tmp_path):
    book = Book(tmp_path, FIRST.replace("#area", "#volume"))
    with pytest.raises(ValueError, match="#part-squares--volume"):
        book.assemble()


def test_a_page_that_is_missing_is_an_error(book):
    (book.site / "ledger.html").unlink()
    with pytest.raises(FileNotFoundError, match="ledger.html"):
        book.assemble()


def test_the_mark_of_a_claim_stands_in_the_title_of_what_it_is_about(book):
    page = BeautifulSoup(book.assemble().page, "html.parser")
    assert page.select_one(".admonition-title").get_text() == "Theorem 1.1 ✓ 10⁻¹²"
    assert page.select_one(".held-alone").get_text() == "✓ all 6 Six are right."


def test_the_contents_have_parts_chapters_and_sections(book):
    page = BeautifulSoup(book.assemble().page, "html.parser")
    lines = [line.get_text(" ", strip=True) for line in page.select(".edition-contents p")]
    assert lines == [
        "Circles 000",
        "Shapes",
        "1. Squares 000",
        "1.1. Area 000",
        "Back",
        "Ledger 000",
    ]
    assert [line.get_text() for line in page.select(".chapter > .part")] == ["Shapes", "Back"]
    heads = [chapter.running_head for chapter in book.assemble().chapters]
    assert heads == ["Circles", "1. Squares", "Ledger"]


def test_the_authors_are_those_of_the_citation_where_it_names_some(book):
    assert book.assemble().authors == "A. Byron"
    (book.folder / "CITATION.cff").write_text(
        "title: Circles\nversion: 1\ndate-released: 2030-05-06\nauthors:\n- name: We\n- name: You\n"
    )
    assert book.assemble().authors == "We, You"


def list_tags(element):
    element = element.get_object()
    if isinstance(element, list):
        return [tag for part in element for tag in list_tags(part)]
    if not isinstance(element, dict):
        return []
    return [element, *(list_tags(element["/K"]) if "/K" in element else [])]


def test_a_pdf_of_another_maker_is_not_described():
    with pytest.raises(ValueError, match="no plain trailer"):
        describe(b"%PDF-1.7 with its objects in streams", {"Author": "A. Byron"})


def read_text(pdf, page):
    return PdfReader(io.BytesIO(pdf)).pages[page].extract_text()


def test_the_printed_book_has_numbers_heads_tags_and_a_title(book, browser):
    page = open_edition(browser, book)
    assert fit(page) == []
    expected = fill(page)
    printed, _ = print_numbered(page, expected)
    pdf = describe(tag_formulas(printed), {"Author": "A. Byron é"})
    assert expected.items() <= read_places(pdf).items() and len(expected) == 4
    page.close()
    reader = PdfReader(io.BytesIO(pdf))
    assert reader.metadata.author == "A. Byron é"
    at = read_places(pdf)["part-squares"]
    said = reader.pages[at - 1].extract_text()
    assert said.startswith("1. Squares") and "Multiply the sides." in said
    contents = read_text(pdf, 2)
    assert f"Squares {at}" in contents and "000" not in contents
    tags = list_tags(reader.trailer["/Root"]["/StructTreeRoot"])
    [formula] = [tag for tag in tags if tag.get("/S") == "/Formula"]
    assert formula["/Alt"] == "formula: r^2"
    titles = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert titles[-3:] == ["Circles", "1. Squares", "Ledger"]


def test_a_wrong_page_in_the_contents_is_mended(book, browser):
    page = open_edition(browser, book)
    expected = fill(page)
    pdf, _ = print_numbered(page, {name: at + 7 for name, at in expected.items()})
    page.close()
    assert f"Squares {expected['part-squares']}" in read_text(pdf, 2)


def test_a_table_that_is_too_wide_becomes_smaller_or_is_told(tmp_path, browser):
    cells = "".join(f"<td>{'wide' * 4}</td>" for _ in range(6))
    book = Book(tmp_path, f"<h1>A</h1><table id='wide'><tr>{cells}</tr></table>")
    page = open_edition(browser, book)
    assert fit(page) == []
    page.close()
    book.write("index", f"<h1>A</h1><table id='wide'><tr>{cells * 4}</tr></table>")
    page = open_edition(browser, book)
    told = fit(page)
    page.close()
    assert told and all(line.startswith("index--wide: ") for line in told)


def make_figure(height, name):
    address = PICTURE.format(height, height)
    return (
        f'<figure id="{name}"><img src="{address}" alt="teal"><figcaption>c</figcaption></figure>'
    )


def list_starts(places):
    """The first page of each chapter, in their order."""
    chapters = [pair for pair in places.items() if "--" not in pair[0]]
    return dict(sorted(chapters, key=lambda pair: pair[1]))


def test_text_comes_before_a_figure_that_would_leave_a_page_half_empty(tmp_path, browser):
    before, after = PARAGRAPH * 5, PARAGRAPH * 4
    figure = make_figure(1000, "fig-high")
    book = Book(tmp_path, f"<section id='a'><h1>A</h1>{before}{figure}{after}</section>")
    page = open_edition(browser, book)
    pdf, places = print_numbered(page, fill(page))
    assert find_half_empty(pdf, list_starts(places)) == []
    order = page.evaluate("[...document.querySelectorAll('#index--a > *')].map(e => e.tagName)")
    page.close()
    assert 6 < order.index("FIGURE") < len(order)


def test_a_page_that_stays_half_empty_is_told(tmp_path, browser):
    figure = make_figure(1000, "fig-high")
    body = f"<section id='a'><h1>A</h1>{PARAGRAPH * 3}{figure}<h2>B</h2>{PARAGRAPH}</section>"
    page = open_edition(browser, Book(tmp_path, body))
    pdf, places = print_numbered(page, fill(page))
    page.close()
    starts = list_starts(places)
    told = find_half_empty(pdf, starts)
    assert len(told) == 1 and told[0].startswith(f"index, page {starts['index']}: ")


def make_text_with_a_rest(lines):
    """A chapter of paragraphs, of which the last lines need a second page."""
    return f"<section id='a'><h1>A</h1>{PARAGRAPH * 4}{'<p>One more line.</p>' * lines}</section>"


def count_pages_of_first(places):
    first, second, *_ = list_starts(places).values()
    return second - first


@pytest.mark.parametrize("is_filled", [False, True])
def test_a_few_lines_are_not_left_alone_on_the_last_page_or_are_told(tmp_path, browser, is_filled):
    book = Book(tmp_path)
    for lines in range(1, 60):
        book.write("index", make_text_with_a_rest(lines))
        page = open_edition(browser, book)
        pdf, places = print_numbered(page, {})
        if count_pages_of_first(places) == 2:
            break
        page.close()
    assert [line.split(":")[0] for line in find_nearly_empty(pdf, list_starts(places))] == [
        f"index, page {places['index'] + 1}"
    ]
    if is_filled:
        pdf, places = print_numbered(page, fill(page))
        assert count_pages_of_first(places) == 1
        assert find_nearly_empty(pdf, list_starts(places)) == []
    page.close()


def test_a_heading_goes_with_its_one_line_to_what_follows(tmp_path, browser):
    figure = make_figure(600, "fig-high")
    body = f"{PARAGRAPH * 7}<section id='b'><h2>B</h2><p>One line.</p>{figure}</section>"
    page = open_edition(browser, Book(tmp_path, f"<section id='a'><h1>A</h1>{body}</section>"))
    pdf, places = print_numbered(page, fill(page))
    page.close()
    assert places["index--b"] == places["index"] + 1
    said = read_text(pdf, places["index--b"] - 1)
    assert "One line." in said


@pytest.mark.parametrize(
    ("mathml", "words"),
    [
        ("<math><mo>∇</mo><mi>L</mi><mo>=</mo><mn>0</mn></math>", "∇ L = 0"),
        ("<math><msqrt><mrow><mn>2</mn><mi>ϵ</mi></mrow></msqrt></math>", "√2ϵ"),
        ("<math><mover><mi>x</mi><mo>^</mo></mover></math>", "x hat"),
        ("<math><mi>f</mi><mo>\u2061</mo><mo stretchy='false'>(</mo><mi>x</mi></math>", "f(x"),
        (
            "<math><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable></math>",
            "[a, b]",
        ),
    ],
)
def test_formulas_in_one_line(mathml, words):
    assert write_in_line(mathml) == words


def test_files_are_named_after_the_book(book):
    assert name_files(book.folder) == "circles-squares"
    config = book.folder / "_config.yml"
    config.write_text(config.read_text() + "sphinx:\n  config:\n    bookproof_short_name: cs\n")
    assert name_files(book.folder) == "cs"


def test_one_site_makes_one_archive(book, tmp_path):
    (book.site / ".buildinfo").write_text("when it was built")
    (book.site / "index.html").touch()
    first, second = tmp_path / "new" / "folder" / "one.zip", tmp_path / "two.zip"
    pack(book.site, first, "cs")
    shutil.copytree(book.site, tmp_path / "copy")
    pack(tmp_path / "copy", second, "cs")
    assert first.read_bytes() == second.read_bytes()
    assert b".buildinfo" not in first.read_bytes()


def test_a_book_is_printed_again_into_the_folder_where_it_is(book, browser, monkeypatch):
    """With a browser that is open already, whose next pages are another print of it."""
    monkeypatch.setattr("bookproof.pdf.open_browser", lambda: contextlib.nullcontext(browser))
    for _ in range(2):
        printed = print_book(book.folder, book.folder / "_build")
        assert printed.path == book.folder / "_build" / "pdf" / "circles-squares.pdf"
        assert printed.too_wide == printed.half_empty == [] and printed.pages >= 6
    facts = PdfReader(printed.path).metadata
    assert facts.title == "Circles & squares" and facts.author == "A. Byron"


def test_no_site_is_no_archive(tmp_path):
    with pytest.raises(FileNotFoundError, match="build it first"):
        pack(tmp_path, tmp_path / "one.zip", "cs")


# Pages with lines of text at known heights, printed by matplotlib


def make_pdf(*pages):
    """Return a PDF of pages of A4; each has its lines at shares of what print.css leaves for text,
    256 mm that begin 22 mm above the edge. Each has the number of its page below that.
    """
    target = io.BytesIO()
    with PdfPages(target) as pdf:
        for shares in pages:
            figure = Figure(figsize=(210 / 25.4, 297 / 25.4))
            figure.text(0.5, 10 / 297, "7")
            for share in shares:
                figure.text(0.1, (22 + 256 * share) / 297, "A line of words")
            pdf.savefig(figure)
    return target.getvalue()


@pytest.mark.parametrize("lowest", [0.05, 0.3, 0.95])
def test_blank_is_what_lies_below_the_last_line_and_above_the_number_of_the_page(lowest):
    [page] = PdfReader(io.BytesIO(make_pdf([0.97, lowest, 0.96]))).pages
    assert measure_blank(page) == pytest.approx(lowest, abs=0.002)


def test_the_place_of_a_line_is_its_own_in_what_is_turned_and_moved_around_it():
    """As matrices of a PDF: (100, 150) becomes 100 times (0.5, 0.25) and 150 times (-0.125, 2)
    and (40, 30), of which the height is 25 + 300 + 30. A space and what is on the edge is none.
    """
    outer, inner = [0.5, 0.25, -0.125, 2, 40, 30], [3, 7, 11, 13, 100, 150]
    plain = [1, 0, 0, 1, 0, 0]

    def extract_text(visitor_text):
        visitor_text("A line", outer, inner, {}, 10)
        visitor_text(" \n", plain, [1, 0, 0, 1, 0, 200], {}, 10)
        visitor_text("7", plain, [1, 0, 0, 1, 0, FOOT], {}, 10)

    page = SimpleNamespace(extract_text=extract_text)
    assert measure_blank(page) == pytest.approx((25 + 300 + 30 - FOOT) / PAGE_HEIGHT)


def test_a_page_without_a_line_is_blank():
    [page] = PdfReader(io.BytesIO(make_pdf([]))).pages
    assert measure_blank(page) == pytest.approx(1)


def test_half_empty_are_pages_inside_of_a_chapter_that_are_blank_by_more_than_28_percent():
    full, blank, fair = [0.9, 0.01], [0.9, 0.8], [0.9, 0.26]
    pdf = make_pdf(full, blank, fair, blank, blank, full, fair, blank, blank)
    told = find_half_empty(pdf, {"a": 2, "b": 6})
    assert told == [
        "a, page 2: 80 % blank",
        "a, page 4: 80 % blank",
        "b, page 8: 80 % blank",
    ], "not the last of a chapter"


@pytest.mark.parametrize(
    "blank, empty, few, half, nearly",
    [
        (0.75, 0.75, 0.25, [], []),
        (0.8145, 0.8, 0.2, ["a, page 4: 81 % blank"], ["a, page 5: 19 % full"]),
    ],
)
def test_a_page_may_be_as_empty_as_the_bound_says(monkeypatch, blank, empty, few, half, nearly):
    """Contents of one page have nowhere else to put their lines."""
    monkeypatch.setattr(pdf, "measure_blank", lambda page: blank)
    monkeypatch.setattr(pdf, "EMPTY", empty)
    monkeypatch.setattr(pdf, "FEW", few)
    pages = make_pdf(*[[]] * 5)
    assert find_half_empty(pages, {"a": 4}) == half
    assert find_nearly_empty(pages, {"a": 4}) == nearly


def test_nearly_empty_are_last_pages_of_several_that_are_full_to_less_than_20_percent():
    full, few, fair = [0.9, 0.01], [0.9, 0.816], [0.9, 0.78]
    pages = [full, few, full, few, full, few, few, full, fair, full, few]
    told = find_nearly_empty(make_pdf(*pages), {"a": 5, "b": 7, "c": 8, "d": 10})
    assert told == [
        "contents, page 4: 18 % full",
        "a, page 6: 18 % full",
        "d, page 11: 18 % full",
    ], "a chapter of one page has nowhere else to put its lines"


class Press:
    """Prints editions whose numbers move what they number, so many times."""

    def __init__(self, *printed):
        self.printed, self.asked = list(printed), []

    def evaluate(self, script, expected):
        self.asked.append(expected)


@pytest.mark.parametrize("aside", [{"aside": 9}, {}])
@pytest.mark.parametrize("moves", range(4))
def test_numbers_may_move_what_they_number_twice_and_no_more(monkeypatch, moves, aside):
    places = [{"a": n + 1, **aside} for n in range(moves)] + [{"a": moves, **aside}] * 4
    press = Press()
    monkeypatch.setattr("bookproof.pdf.print_pdf", lambda page: places[len(press.asked) - 1])
    monkeypatch.setattr("bookproof.pdf.read_places", lambda pdf: pdf)
    if moves < 3:
        pdf, found = print_numbered(press, {"a": 0})
        assert found == {"a": moves, **aside}
        assert press.asked == [{"a": n} for n in range(moves + 1)]
    else:
        with pytest.raises(RuntimeError, match="move the pages that they name"):
            print_numbered(press, {"a": 0})


@pytest.mark.parametrize(
    "printed, status, size, megabytes",
    [
        (Printed(None, 3, [], [], []), 0, 1_249_999, "1.2"),
        (Printed(None, 3, ["a--wide: 12"], ["b, page 2"], ["c, page 3"]), 1, 1_350_001, "1.4"),
    ],
)
def test_the_command_tells_what_is_not_right_on_paper(
    tmp_path, monkeypatch, capsys, printed, status, size, megabytes
):
    path = tmp_path / "book.pdf"
    path.write_bytes(b"x" * size)
    asked = []

    def print_book(*folders):
        asked.append(folders)
        return replace(printed, path=path)

    monkeypatch.setattr("bookproof.pdf.print_book", print_book)
    monkeypatch.setattr("sys.argv", ["pdf", str(tmp_path / "out"), "--source", str(tmp_path)])
    assert pdf.main() == status
    assert asked == [(tmp_path, tmp_path / "out")]
    said = capsys.readouterr()
    assert f"The book is printed, 3 pages, {megabytes} MB: {path}" in said.out
    for kind, lines in (("half", printed.half_empty), ("nearly", printed.nearly_empty)):
        assert [f"{kind} empty: {line}" in said.out for line in lines] == [True] * len(lines)
    assert ("too wide for the paper: a--wide: 12" in said.err) is bool(status)


@pytest.mark.parametrize("error", [FileNotFoundError("no site"), ValueError("a dead link")])
def test_the_command_fails_where_nothing_can_be_printed(tmp_path, monkeypatch, capsys, error):
    def print_book(*folders):
        raise error

    monkeypatch.setattr("bookproof.pdf.print_book", print_book)
    monkeypatch.setattr("sys.argv", ["pdf", str(tmp_path)])
    assert pdf.main() == 1
    assert f"The book is NOT printed: {error}" in capsys.readouterr().err


def test_facts_are_appended_and_no_byte_before_them_changes():
    before = b"%PDF-1.4\ntrailer\n<</Size 7\n/Root 3 0 R\n/Info 1 0 R>>\nstartxref\n42\n%%EOF\n"
    after = describe(before, {"Title": "A", "Author": "é"})
    assert after.startswith(before)
    added = after[len(before) :]
    assert b"/Title<FEFF0041>\n/Author<FEFF00E9>" in added
    assert (
        added.startswith(b"7 0 obj\n") and b"/Size 8\n/Root 3 0 R\n/Info 7 0 R\n/Prev 42" in added
    )
    start = int(added.split(b"startxref\n")[1].split()[0])
    assert after[start : start + 4] == b"xref"
    [_, place] = after[start:].split(b"xref\n7 1\n")[0:2]
    assert int(place[:10]) == len(before)


# What an edition says of itself


def test_the_title_page_says_what_is_known_and_nothing_else():
    bare = write_title_page("A & B", "", {})
    assert bare == '<h1 class="book-title">A &amp; B</h1>'
    whole = BeautifulSoup(
        write_title_page(
            "A", "Ada <B>", {"abstract": "On a.", "version": "1.2", "date-released": "2030-05-06"}
        ),
        "html.parser",
    )
    assert [line.get_text() for line in whole.find_all("p")] == [
        "On a.",
        "Ada <B>",
        "Version 1.2, 2030-05-06",
    ]


@pytest.mark.parametrize("what", ["marks", "cells", "explorers", "citation", "license"])
def test_the_edition_tells_of_what_it_has_or_leaves_out_and_of_nothing_else(what):
    words = {
        "marks": "A mark such as",
        "cells": "Left out is the code of 7 blocks",
        "explorers": "7 pictures on the site can be moved",
        "citation": "To cite it: ",
        "license": "Free for all",
    }
    left_out = LeftOut(**{what: 7}) if what in ("marks", "cells", "explorers") else LeftOut()
    cited = {"title": "A", "authors": [{"name": "We"}], "date-released": "2030", "version": "1"}
    citation = cited if what == "citation" else {}
    said = write_about(citation, "Free for all" if what == "license" else "", left_out)
    assert [name for name, text in words.items() if text in said] == [what]


def test_running_heads_keep_quotes_and_backslashes():
    chapter = Chapter("a", "", None, [], "2.", 'On "x\\y"')
    assert r'content: "2. On \"x\\y\""' in write_heads([chapter])
    assert "#a { page: chapter-0; }" in write_heads([chapter])


def test_a_page_of_another_theme_or_without_a_title_is_an_error(tmp_path):
    book = Book(tmp_path)
    book.write("index", "<p>No title.</p>")
    with pytest.raises(ValueError, match="index has no title"):
        book.assemble()
    (book.site / "index.html").write_text("<article>Another theme.</article>")
    with pytest.raises(ValueError, match="is it of another theme"):
        book.assemble()


def test_an_edition_uses_the_styles_of_its_first_page_and_pictures_of_the_site(tmp_path):
    picture = '<img src="_images/a%20b.png"><img src="data:,x">'
    book = Book(tmp_path, f'<h1>A</h1>{picture}<a href="tel:1">call</a><a href="mailto:a@b">us</a>')
    for name in ("part/squares", "ledger"):
        path = book.site / f"{name}.html"
        path.write_text(path.read_text().replace("print.css", "other.css"))
    page = BeautifulSoup(book.assemble().page, "html.parser")
    styles = [link["href"] for link in page.find_all("link")]
    assert styles[0] == (book.site / "_static" / "print.css").as_uri()
    assert len(styles) == 2
    assert styles[1] == (PAPER / "edition.css").as_uri()
    one, other = page.find_all("img")
    assert one["src"] == (book.site / "_images" / "a b.png").as_uri() and one["loading"] == "eager"
    assert other["src"] == "data:,x"
    assert [link["href"] for link in page.select(".chapter > p a, .chapter > a")] == ["mailto:a@b"]


def test_a_part_is_named_once_in_the_contents_however_many_chapters_it_has():
    """A chapter of no part between two of one has the part named again."""
    parts = ["", "Shapes", "Shapes", "", "Shapes"]
    chapters = [Chapter(f"c{n}", part, None, [], "", f"C{n}") for n, part in enumerate(parts)]
    chapters[1].sections.append(("c1--a", "1.1", "A & b"))
    page = BeautifulSoup(write_contents(chapters), "html.parser")
    lines = [(line["class"][0], line.get_text(" ", strip=True)) for line in page.find_all("p")]
    assert lines == [
        ("contents-chapter", "C0 000"),
        ("contents-part", "Shapes"),
        ("contents-chapter", "C1 000"),
        ("contents-section", "1.1 A & b 000"),
        ("contents-chapter", "C2 000"),
        ("contents-chapter", "C3 000"),
        ("contents-part", "Shapes"),
        ("contents-chapter", "C4 000"),
    ]
    assert {line["data-page-of"] for line in page.select("[data-page-of]")} == {
        "c1--a",
        *(f"c{n}" for n in range(5)),
    }


def test_formulas_are_held_with_all_that_is_in_them_and_come_back():
    article = f"a {FORMULA} b <span>c</span> {FORMULA}{FORMULA} d"
    held, formulas = hold_formulas(article)
    assert formulas == [FORMULA] * 3
    spans = "".join(f'<span data-formula="{n}"></span>' for n in (1, 2))
    assert held == f'a <span data-formula="0"></span> b <span>c</span> {spans} d'
    assert bring_formulas(held, ["x", "y", "z"]) == "a x b <span>c</span> yz d"


def test_names_that_elements_call_each_other_by_are_those_of_the_page(tmp_path):
    book = Book(
        tmp_path,
        "<h1>A</h1><label for='one'>a</label><i id='one' aria-labelledby='two three'></i>"
        "<b id='two'></b><b id='three' aria-describedby='two'></b>",
    )
    page = BeautifulSoup(book.assemble().page, "html.parser")
    assert page.find("label")["for"] == "index--one"
    assert page.find("i")["aria-labelledby"] == "index--two index--three"
    assert page.find("i")["id"] == "index--one"
    assert not page.find_all(attrs={"aria-describedby": True})


def test_an_empty_cell_goes_and_one_with_a_picture_stays(tmp_path):
    cells = "".join(
        f"<div class='cell'>{inner}</div>" for inner in ("", "<p> </p>", "<img src='data:,x'>", "w")
    )
    page = BeautifulSoup(Book(tmp_path, f"<h1>A</h1>{cells}").assemble().page, "html.parser")
    assert [cell.get_text() for cell in page.select("div.cell") if not cell.pre] == ["", "w"]
    assert len(page.select("div.cell img")) == 1


@pytest.mark.parametrize("caption, host", [("<p>What?</p>", "p"), ("What?", "figcaption")])
def test_a_mark_stands_in_the_caption_of_its_figure_and_leads_nowhere_without_a_ledger(
    tmp_path, caption, host
):
    mark = (
        "<div class='evidence'><details class='held'><summary>Checked: ✓ all</summary>"
        "<div class='mark-claim'><p>So.</p><p class='mark-where'>Test: a</p></div></details></div>"
    )
    figure = f"<figure id='f'><figcaption>{caption}</figcaption></figure>"
    page = BeautifulSoup(Book(tmp_path, f"<h1>A</h1>{figure}{mark}").assemble().page, "html.parser")
    assert page.find("figcaption").get_text() == "What? ✓ all"
    [shown] = page.select("figcaption .held-mark")
    assert shown.name == "span" and not shown.has_attr("href") and shown.parent.name == host


# Commands and formulas


def test_the_command_packs_a_site_or_says_why_not(book, monkeypatch, capsys):
    target = book.folder / "_build"
    command = ["offline", str(target), "--source", str(book.folder)]
    monkeypatch.setattr("sys.argv", command)
    assert offline.main() == 0
    archive = target / "offline" / "circles-squares.zip"
    assert f"MB: {archive}" in capsys.readouterr().out
    with zipfile.ZipFile(archive) as packed:
        assert "circles-squares/part/squares.html" in packed.namelist()
        assert all(entry.external_attr >> 16 == 0o644 for entry in packed.infolist())
        times = {entry.date_time for entry in packed.infolist()}
    assert times == {(1980, 1, 1, 0, 0, 0)}, "the first that an archive can name"
    (book.site / "index.html").unlink()
    assert offline.main() == 1
    assert "The site is NOT packed: there is no site in" in capsys.readouterr().err


@pytest.mark.parametrize("size, megabytes", [(1_249_999, "1.2"), (1_350_001, "1.4")])
def test_the_command_tells_how_large_an_archive_is(book, monkeypatch, capsys, size, megabytes):
    def pack(site, archive, name):
        archive.parent.mkdir()
        archive.write_bytes(b"x" * size)

    monkeypatch.setattr(offline, "pack", pack)
    monkeypatch.setattr("sys.argv", ["offline", str(book.folder), "--source", str(book.folder)])
    assert offline.main() == 0
    assert f"The site is packed, {megabytes} MB: " in capsys.readouterr().out


def test_what_is_laid_out_and_measured_is_what_the_style_leaves_of_the_paper():
    """A4 has 210 mm by 297 mm; an inch has 25.4 mm, 96 pixels and 72 points."""
    style = (PAPER.parent / "sphinx" / "static" / "print.css").read_text(encoding="utf-8")
    margins = re.search(r"@page {\s*margin: (\d+)mm (\d+)mm (\d+)mm (\d+)mm;", style).groups()
    top, right, bottom, left = map(int, margins)
    inches = (210 - left - right) / 25.4, (297 - top - bottom) / 25.4
    assert (WIDTH, HEIGHT) == pytest.approx([96 * inch for inch in inches], abs=0.05)
    assert int(WIDTH) == round(96 * inches[0]), "a window has whole pixels"
    assert (PAGE_HEIGHT, FOOT) == pytest.approx((72 * inches[1], 72 * bottom / 25.4))


def test_the_browser_is_the_first_that_the_machine_has_and_without_one_nothing_opens(monkeypatch):
    there = {"chromium-browser": "/bin/one", "chrome": "/bin/other"}
    monkeypatch.setattr("shutil.which", there.get)
    assert find_chromium() == "/bin/one"
    there.clear()
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        find_chromium()


def spell(*parts):
    return write_in_line(f"<math>{''.join(parts)}</math>")


X, Y, TWO = "<mi>x</mi>", "<mi>y</mi>", "<mn>2</mn>"
SUM = f"<mrow>{X}<mo>+</mo>{Y}</mrow>"


@pytest.mark.parametrize(
    "mathml, words",
    [
        (f"<msub>{X}{TWO}</msub>", "x_2"),
        (f"<munder>{X}{SUM}</munder>", "x_(x + y)"),
        (f"<msup>{SUM}{TWO}</msup>", "(x + y)^2"),
        (f"<msup><mo>∇</mo>{TWO}</msup>", "∇^2"),
        (f"<msup><mrow>{X}<mo>!</mo></mrow>{TWO}</msup>", "(x!)^2"),
        (f"<munderover>{X}{Y}{TWO}</munderover>", "x_y^2"),
        (f"<mfrac>{X}{SUM}</mfrac>", "x/(x + y)"),
        (f"<msqrt>{X}<mo>+</mo>{Y}</msqrt>", "√(x + y)"),
        (f"<mover>{X}<mo>ˉ</mo></mover>", "x bar"),
        (f"<mover>{X}<mo>⏞</mo></mover>", "x over ⏞"),
        (f"<mi>f</mi><mo stretchy='false'>[</mo>{X}<mo>,</mo>{Y}<mo>]</mo>", "f[x, y]"),
        (f"{X}<mspace/>{Y}", "x y"),
        ("<msup><mn>0.5</mn><mn>2</mn></msup>", "0.5^2"),
        (f"{X}<mo fence='true'>/</mo>{Y}", "x/y"),
        (f"{X}<mo>/</mo>{Y}", "x / y"),
    ],
)
def test_each_part_of_a_formula_is_spelled(mathml, words):
    assert spell(mathml) == words


def test_rows_of_a_table_are_parted_by_semicolons():
    row = f"<mtr><mtd>{X}</mtd><mtd>{Y}</mtd></mtr>"
    assert spell(f"<mtable>{row}{row}</mtable>") == "[x, y; x, y]"
