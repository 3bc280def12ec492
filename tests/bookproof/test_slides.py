"""Slides of a site of two pages that is written by hand.

Not seen here: how they look and whether they can be read (tests/book/test_slides.py).
"""

import base64
import re
import sys

import pytest
import yaml
from bs4 import BeautifulSoup

from bookproof import slides
from bookproof.slides import (
    MANY,
    NoSlides,
    Pages,
    carry_fonts,
    find_face,
    find_note,
    is_long,
    split_caption,
)

PNG = b"\x89PNG one"
DARK = b"\x89PNG dark"
PAGE = """<title>2. Flat — The book</title>
<div class="in-short"><p>In short</p><p>One <b>so</b>.</p><p>Two so.</p></div>
<aside class="margin"><p>Note</p><p>Of something else.</p></aside>
<aside class="margin"><p>Note</p><p>Here the slides err.</p></aside>
<aside class="margin"><p>The slides</p><p>They say <a href="#eq-2" id="x">2</a>.</p></aside>
<figure id="fig-a"><img class="in-dark" src="../_images/dark.png" alt="dark">
<img class="in-light" src="../_images/a%20b.png" alt="A &lt; curve"><figcaption>
<span class="caption-number">Fig. 2.1 </span>
<span class="caption-text">How far? <a href="#sec" aria-describedby="card">Far</a>,
<a href="other.html#t">there</a>, <a href="https://example.org">out</a>.</span></figcaption></figure>
"""
OTHER = """<title>Other — in two parts — The book</title>
<figure id="fig-b"><img src="_images/a%20b.png" alt="B"><figcaption>
<span class="caption-number">Fig. 1</span><span class="caption-text">Why? So.</span>
</figcaption></figure>"""
DECK = {
    "title": "A & B",
    "lead": "for <all>",
    "slides": [{"figure": "fig-a", "note": "correction"}, {"figure": "fig-b"}],
}
CITATION = "title: The book\nauthors: [{name: We}]\nversion: 1.2\ndate-released: 2030-05-06\n"
FACE = '@font-face{font-family:"%s";src:url(%s) format("woff2")}'


@pytest.fixture
def book(tmp_path):
    """A folder with the sources of a book and, in _build/html, its site."""
    for name, text in {
        "chapters/slides.yml": yaml.safe_dump(DECK),
        "CITATION.cff": CITATION,
        "_build/html/index.html": "<title>Home</title>",
        "_build/html/chapters/flat.html": PAGE,
        "_build/html/other.html": OTHER,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    images = tmp_path / "_build" / "html" / "_images"
    images.mkdir()
    (images / "a b.png").write_bytes(PNG)
    (images / "dark.png").write_bytes(DARK)
    return tmp_path


@pytest.fixture
def make(book, monkeypatch):
    """Make the slides of the book by the command, and return its status."""

    def run(*options):
        monkeypatch.chdir(book)
        monkeypatch.setattr(sys, "argv", ["slides", *(options or ["_build"])])
        return slides.main()

    return run


def read_deck(book):
    text = (book / "_build" / "slides" / "index.html").read_text()
    return BeautifulSoup(text, "html.parser")


def test_a_slide_has_what_its_page_shows_of_a_figure(book, make, capsys):
    assert make() == 0
    capsys.readouterr()
    assert make() == 0, "also where there are slides already"
    said = capsys.readouterr().out
    size = (book / "_build" / "slides" / "index.html").stat().st_size
    assert said.startswith(f"2 slides, {size / 1e6:.2f} MB: _build/slides/index.html")
    deck = read_deck(book)
    assert deck.title.get_text() == "A & B"
    first, second = deck.select("section")
    assert [part.get_text() for part in first.header.children] == ["A & B", "for <all>", "How far?"]
    assert [part.get_text() for part in second.header.children] == ["Other — in two parts", "Why?"]
    assert first.img["alt"] == "A < curve" and second.img["alt"] == "B"
    picture = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert [slide.img["src"] for slide in (first, second)] == [picture, picture]
    caption = first.figcaption.a
    assert caption.get_text() == "Fig. 2.1"
    assert caption["href"] == "../html/chapters/flat.html#fig-a"
    feet = [[part.get_text() for part in slide.footer.children] for slide in (first, second)]
    foot = "The book · version 1.2 · We"
    assert feet == [[foot, "1 / 2"], [foot, "2 / 2"]]
    assert first.select_one(".words")["class"] == ["words"]
    assert second.select_one(".note") is None and second.select_one(".words").get_text() == "So."


def test_links_of_a_slide_lead_where_those_of_the_page_do(book, make):
    make()
    first = read_deck(book).section
    words = first.select_one(".words")
    assert [link["href"] for link in words.select("a")] == [
        "../html/chapters/flat.html#sec",
        "../html/chapters/other.html#t",
        "https://example.org",
        "../html/chapters/flat.html#eq-2",
    ]
    assert not words.select("[id], [aria-describedby]")
    note = words.select_one(".note")
    assert note["class"] == ["note", "correction"]
    assert note.get_text() == "CorrectedThey say 2."


def test_a_deck_with_an_address_leads_to_it(book, make):
    (book / "CITATION.cff").write_text(f"{CITATION}url: https://example.org/book/\n")
    make("_build", "--source", str(book))
    link = read_deck(book).section.figcaption.a
    assert link["href"] == "https://example.org/book/chapters/flat.html#fig-a"


def test_without_a_site_or_a_figure_there_are_no_slides(book, make, capsys):
    assert make("elsewhere") == 1
    assert "no site in elsewhere/html yet" in capsys.readouterr().err
    (book / "_build" / "html" / "other.html").write_text("")
    assert make() == 1
    assert "names the figure fig-b, which no page has." in capsys.readouterr().err
    assert not (book / "_build" / "slides").exists()


def test_a_page_is_parsed_once(book):
    pages = Pages(book / "_build" / "html")
    assert pages["other.html"] is pages["other.html"]
    address, figure = pages.find_figure("fig-b")
    assert address == "other.html" and figure.img["alt"] == "B"


def parse(text):
    return BeautifulSoup(text, "html.parser")


def test_what_a_page_says_in_short_begins_after_the_heading_of_its_box():
    assert find_note(parse(PAGE), "in short") == "One <b>so</b>. Two so."


def test_a_correction_that_begins_with_the_slides_comes_first():
    assert find_note(parse(PAGE), "correction") == 'They say <a href="#eq-2" id="x">2</a>.'
    only = PAGE.replace("<p>The slides</p>", "<p>Something</p>")
    assert find_note(parse(only), "correction") == "Here the slides err."
    with pytest.raises(NoSlides, match="nothing to show for: correction"):
        find_note(parse("<title>T</title><aside class='margin'><p>Note</p></aside>"), "correction")


def test_of_a_caption_that_asks_nothing_sixty_letters_are_said():
    with pytest.raises(NoSlides, match=f"asks no question first: {'a' * 60}$"):
        split_caption(parse(f"<span>{'a' * 70}</span>").span)


def test_a_formula_counts_as_it_is_read():
    spoken = '<span class="katex-mathml">spoken</span>'
    assert not is_long(f"<p>{'a' * MANY}</p>{spoken}")
    assert is_long(f"<p>{'a' * (MANY + 1)}</p>")


def test_fonts_that_are_not_there_or_not_used_are_left_out(tmp_path):
    sheet = tmp_path / "a.css"
    (tmp_path / "one.woff2").write_bytes(b"one")
    one, gone, rare = (
        FACE % (name, f"{name}.woff2") for name in ("one", "gone", "KaTeX_Script-Regular")
    )
    (tmp_path / "KaTeX_Script-Regular.woff2").write_bytes(b"rare")
    carried = carry_fonts(sheet, f"p {{}}\n{one}{gone}{rare}", ["Script"])
    data = base64.b64encode(b"one").decode()
    assert carried == (
        f'p {{}}\n@font-face{{src:url(data:font/woff2;base64,{data}) format("woff2");'
        'font-family:"one";}'
    )
    assert carry_fonts(sheet, carried, []) == carried, "a font that is carried already stays"


def test_a_face_in_another_format_is_left_out(tmp_path):
    (tmp_path / "one.woff").write_bytes(b"one")
    assert carry_fonts(tmp_path / "a.css", FACE % ("one", "one.woff"), []) == ""


def test_the_own_font_of_a_book_is_that_of_the_last_face_but_for_formulas():
    faces = [FACE % (name, "x") for name in ("First", "Book", "KaTeX_Main")]
    assert find_face("".join(faces)) == "Book"
    assert find_face(faces[2]) == "Georgia"


def test_a_deck_carries_the_fonts_that_its_formulas_need(book, make):
    static = book / "_build" / "html" / "_static"
    (static / "katex" / "fonts").mkdir(parents=True)
    names = ["KaTeX_AMS-Regular", "KaTeX_Script-Regular", "KaTeX_Main-Regular"]
    for name in names:
        (static / "katex" / "fonts" / f"{name}.woff2").write_bytes(name.encode())
    style = "".join(FACE % (name, f"fonts/{name}.woff2") for name in names)
    (static / "katex" / "katex.min.css").write_text(style)
    (static / "own.woff2").write_bytes(b"own")
    (static / "own.css").write_text(f"p {{color: red}}\n{FACE % ('Own', 'own.woff2')}")
    page = book / "_build" / "html" / "other.html"
    page.write_text(OTHER.replace("So.", '<span class="mathbb">R</span>.'))
    make()
    shown = str(read_deck(book).style)
    assert re.findall('font-family:"([^"]*)"', shown) == [names[0], names[2], "Own"]
    assert 'font: 1rem/1.45 "Own", Georgia' in shown and "color: red" not in shown
