"""What the pages of this book say of themselves to whoever finds or shares them.

Not seen here: what becomes of it elsewhere. With an address of its own the kit's tests look at a
small site.
"""

import json
import re

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

from tests.book.browsing import pages
from tests.support import PROJECT

CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())


@pytest.fixture(scope="module")
def heads(site):
    return {
        name: BeautifulSoup((site / f"{name}.html").read_text(), "html.parser").head
        for name in pages()
    }


def read_description(head):
    [found] = head.select('meta[name="description"]')
    return found["content"]


def test_each_page_has_a_description_of_its_own(heads):
    said = {name: read_description(head) for name, head in heads.items()}
    assert len(set(said.values())) == len(said)
    for name, text in said.items():
        assert 30 <= len(text) <= 200 and text[-1] in ".?!:…”", (name, text)
        assert not re.search(r"[\\$<>{}]", text), (name, text)


def test_each_page_says_as_data_what_it_is(heads):
    for name, head in heads.items():
        [script] = head.select('script[type="application/ld+json"]')
        data = json.loads(script.string)
        assert data["@type"] == ("Book" if name.endswith("/index") else "ScholarlyArticle"), name
        assert data["description"] == read_description(head)
        assert data["author"][0]["name"] == "The maintainers of sharpminima"


def test_no_head_points_to_an_address_that_is_not_configured(heads):
    known = tuple(CITATION.get(name) for name in ("url", "repository-code") if name in CITATION)
    vocabularies = ("https://schema.org",)
    for name, head in heads.items():
        addresses = re.findall(r'https?://[^\s"<>]+', str(head))
        assert all(one.startswith(known + vocabularies) for one in addresses), (name, addresses)


def test_files_that_need_an_address_are_there_only_with_one(site):
    for name in ("sitemap.xml", "feed.xml"):
        assert (site / name).exists() == ("url" in CITATION)


def test_the_picture_for_social_networks_is_drawn_from_the_book(site):
    path = site / "_static" / "social.png"
    assert path.stat().st_size < 150_000
    with Image.open(path) as picture:
        assert picture.size == (1200, 630) and len(picture.convert("RGB").getcolors(1 << 20)) > 50


@pytest.mark.parametrize("folder", [".", "chapters"])
def test_a_lost_reader_finds_the_first_page(site, folder):
    """A server shows the page wherever an address leads nowhere: at the top and among chapters.
    It needs no file beside it.
    """
    page = BeautifulSoup((site / "404.html").read_text(), "html.parser")
    assert (site / folder / page.a["href"]).exists()
    assert page.h1 and page.title.get_text().startswith("Not found")
    assert page.select("link, script, img") == []
