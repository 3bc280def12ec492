"""What a small site says of itself, with and without an address of its own.

Not seen here: what a social network or a search engine makes of it.
"""

import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from bookproof.sphinx.sharing import (
    EDGE,
    describe,
    draw_picture,
    find_picture,
    shorten,
    write_files,
)
from tests.bookproof.small_site import build_site

CITATION = """
title: Circles & squares
abstract: A book on shapes.
version: 2.1.0
date-released: 2030-02-03
authors:
  - {given-names: Ada, family-names: Byron}
  - name: The Circle
references:
  - {title: On circles, authors: [{name: Euclid}]}
"""
ADDRESS = "url: https://circles.example/book\ndoi: 10.1234/circles\n"
CHANGELOG = """# Changelog

## Unreleased

## 2.1.0 (2030-02-03)

* Squares & <more>.

## 2.0.0 (2029-01-01)

* Circles.
"""
FIRST = "Circles\n=======\n\nHow round is <round>? Quite.\n\n.. toctree::\n\n   squares\n"
SECOND = "Squares\n=======\n\nA square has four sides.\n"
ATOM = "{http://www.w3.org/2005/Atom}"
FILES_THAT_NEED_AN_ADDRESS = ("sitemap.xml", "feed.xml")


def build(folder, citation):
    files = {
        "conf.py": "extensions = ['bookproof.sphinx.sharing']\nhtml_theme = 'basic'\n",
        "index.rst": FIRST,
        "squares.rst": SECOND,
        "CITATION.cff": citation,
        "CHANGELOG.md": CHANGELOG,
    }
    return build_site(folder, files).outdir


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Two sites: of a book without an address, and of one that has one."""
    folder = tmp_path_factory.mktemp("sharing")
    return build(folder / "without", CITATION), build(folder / "with", CITATION + ADDRESS)


def read_head(site, page):
    return BeautifulSoup((site / page).read_text(), "html.parser").head


def read_data(head):
    [script] = head.select('script[type="application/ld+json"]')
    return json.loads(script.string)


def get_meta(head, name):
    [found] = head.select(f'meta[property="{name}"], meta[name="{name}"]')
    return found["content"]


def test_each_page_describes_itself_by_its_first_sentences(sites):
    for site in sites:
        first, second = read_head(site, "index.html"), read_head(site, "squares.html")
        assert get_meta(first, "description") == "How round is <round>? Quite."
        assert get_meta(second, "description") == "A square has four sides."
        assert get_meta(second, "og:description") == "A square has four sides."
        assert get_meta(second, "og:title") == "Squares"
        assert get_meta(first, "og:title") == "Circles & squares"


def test_a_page_says_as_data_what_it_is_and_who_made_it(sites):
    without, own = (read_data(read_head(site, "squares.html")) for site in sites)
    assert without["@type"] == "ScholarlyArticle" and without["headline"] == "Squares"
    assert without["isPartOf"]["name"] == "Circles & squares"
    assert [one["@type"] for one in without["author"]] == ["Person", "Organization"]
    assert without["about"][0]["name"] == "On circles"
    assert without["description"] == "A square has four sides."
    assert without["isAccessibleForFree"] is True
    assert {"url", "sameAs"} & set(without) == set()
    assert own["url"] == "https://circles.example/book/squares.html"
    assert own["sameAs"] == "https://doi.org/10.1234/circles"
    book = read_data(read_head(sites[0], "index.html"))
    assert book["@type"] == "Book" and book["version"] == "2.1.0"


def test_nothing_points_to_an_address_that_nobody_holds(sites):
    """Whatever has a whole address in it is a name of a vocabulary, not a place."""
    site = sites[0]
    for name in FILES_THAT_NEED_AN_ADDRESS:
        assert not (site / name).exists()
    for page in ("index.html", "squares.html", "404.html"):
        addresses = set(re.findall(r'https?://[^\s"<>]+', str(read_head(site, page))))
        assert addresses <= {"https://schema.org"}, (page, addresses)
        assert not read_head(site, page).select('[property="og:image"], [property="og:url"]')


def test_with_an_address_pages_name_it(sites):
    head = read_head(sites[1], "squares.html")
    assert get_meta(head, "og:url") == "https://circles.example/book/squares.html"
    assert get_meta(head, "og:image") == "https://circles.example/book/_static/social.png"
    [canonical] = head.select('link[rel="canonical"]')
    assert canonical["href"] == "https://circles.example/book/squares.html"
    [feed] = head.select('link[type="application/atom+xml"]')
    assert feed["href"] == "https://circles.example/book/feed.xml"


def test_the_map_of_the_site_has_its_pages(sites):
    tree = ET.parse(sites[1] / "sitemap.xml").getroot()
    found = [element.text for element in tree.iter() if element.tag.endswith("loc")]
    assert found == [
        "https://circles.example/book/index.html",
        "https://circles.example/book/squares.html",
    ]


def test_the_feed_has_an_entry_for_each_version(sites):
    feed = ET.parse(sites[1] / "feed.xml").getroot()
    entries = feed.findall(f"{ATOM}entry")
    assert [one.find(f"{ATOM}title").text for one in entries] == ["Version 2.1.0", "Version 2.0.0"]
    texts = [one.find(f"{ATOM}content").text for one in entries]
    assert texts == ["* Squares & <more>.", "* Circles."]
    dates = [one.find(f"{ATOM}updated").text for one in entries]
    assert dates == ["2030-02-03T00:00:00Z", "2029-01-01T00:00:00Z"]
    assert feed.find(f"{ATOM}updated").text == "2030-02-03T00:00:00Z"
    identifiers = [one.find(f"{ATOM}id").text for one in entries]
    assert len(set(identifiers)) == 2
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one) for one in identifiers)


def test_a_lost_reader_is_led_back(sites):
    """Beside a page, or, where there is an address, to it: the page is shown at any depth."""
    links = [
        BeautifulSoup((site / "404.html").read_text(), "html.parser").a["href"] for site in sites
    ]
    assert links == ["index.html", "https://circles.example/book/"]


BODIES = {
    '<div class="admonition"><p>No.</p></div><p>Yes.</p>': "Yes.",
    "<figure><p>No.</p></figure><details><p>No.</p></details><p></p><p>Yes.</p>": "Yes.",
    '<p>At <span class="katex"><span class="katex-mathml">theta</span>θ</span>.</p>': "At θ.",
    "<h1>Nothing</h1>": "",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_description_is_what_the_page_says_first(body):
    assert describe(body) == BODIES[body]


def test_a_description_has_whole_sentences():
    assert shorten("One is short. " + 30 * "Long words " + ".") == "One is short."
    assert shorten("One is short. " + 30 * "Long words " + ". So is this.") == "One is short."
    long = shorten(60 * "word ")
    assert len(long) <= 200 and long.endswith("word…")


def test_a_description_has_two_hundred_letters_and_no_more():
    for text in (199 * "a" + ".", "One is short. B" + 184 * "b" + "."):
        assert len(text) == 200 and shorten(text) == text
    assert shorten("One is short. B" + 185 * "b" + ".") == "One is short."
    words = 39 * "word " + "end"  # 198 letters: with the dots there is room for no more words
    assert shorten(f"{words} a {50 * 'b'}.") == f"{words}…"


def test_the_picture_is_a_figure_of_the_site_in_the_size_that_is_shown(tmp_path):
    (tmp_path / "_images").mkdir()
    Image.new("RGBA", (300, 100), (255, 0, 0, 255)).save(tmp_path / "_images" / "light.png")
    (tmp_path / "a.html").write_text(
        '<figure id="fig-a"><img class="in-dark" src="_images/dark.png">'
        '<img class="in-light" src="_images/light.png"></figure>'
    )
    (tmp_path / "0.html").write_text("<p>No figure is here.</p>")
    found = find_picture(tmp_path, "fig-a")
    assert found.name == "light.png" and find_picture(tmp_path, "fig-b") is None
    draw_picture(found, tmp_path / "social.png")
    with Image.open(tmp_path / "social.png") as picture:
        drawn = picture.convert("RGB")
    assert drawn.size == (1200, 630)
    assert drawn.getpixel((600, 315)) == (255, 0, 0) and drawn.getpixel((600, 10))[1] > 250


@pytest.mark.parametrize("width, height", [(300, 100), (100, 300)])
def test_the_picture_is_as_large_as_its_edge_lets_it_and_in_the_middle(tmp_path, width, height):
    Image.new("RGBA", (width, height), (255, 0, 0, 255)).save(tmp_path / "figure.png")
    draw_picture(tmp_path / "figure.png", tmp_path / "social.png")
    with Image.open(tmp_path / "social.png") as picture:
        green = picture.convert("RGB").getchannel("G")
    left, top, right, bottom = green.point(lambda value: 255 * (value < 128)).getbbox()
    assert min(left, top) == EDGE
    assert abs(left + right - 1200) <= 1 and abs(top + bottom - 630) <= 1
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.01)


@pytest.mark.parametrize(
    "exception, kind, figure, names",
    [
        (None, "html", "fig-a", {"a.html", "figure.png", "404.html", "social.png"}),
        (None, "html", "", {"a.html", "figure.png", "404.html"}),
        (OSError(), "html", "fig-a", {"a.html", "figure.png"}),
        (None, "latex", "fig-a", {"a.html", "figure.png"}),
    ],
)
def test_a_site_that_was_made_gets_its_files_and_the_picture_it_asks_for(
    tmp_path, exception, kind, figure, names
):
    site = tmp_path / "site"
    (site / "_static").mkdir(parents=True)
    (tmp_path / "CITATION.cff").write_text(CITATION)
    (site / "a.html").write_text('<figure id="fig-a"><img src="figure.png"></figure>')
    Image.new("RGB", (30, 10), "red").save(site / "figure.png")
    config = SimpleNamespace(
        bookproof_citation="CITATION.cff", bookproof_social_figure=figure, language="en"
    )
    builder = SimpleNamespace(format=kind)
    app = SimpleNamespace(srcdir=str(tmp_path), outdir=str(site), config=config, builder=builder)
    write_files(app, exception)
    assert {path.name for path in site.rglob("*") if path.is_file()} == names
    assert (site / "_static" / "social.png").exists() is ("social.png" in names)


def test_data_cannot_end_its_script_and_keeps_its_letters(tmp_path):
    site = build(tmp_path / "sly", CITATION.replace("Circles &", "</script><b>é"))
    head = read_head(site, "index.html")
    assert read_data(head)["name"] == "</script><b>é squares" and head.find("b") is None
    [script] = head.select('script[type="application/ld+json"]')
    assert "é squares" in script.string
