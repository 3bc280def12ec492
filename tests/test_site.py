"""The built pages: complete in themselves, with math that can be read aloud.

Not seen here: what scripts do to a page once it is open.
"""

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
# A link of these kinds tells where something is; the browser does not fetch it.
NOT_LOADED = {"canonical", "search", "next", "prev", "index", "author", "license"}
CODE = ["code", "pre", "script", "style", "annotation"]


def foreign(address):
    return bool(urlsplit(address).netloc)


def complaints(html):
    """One sentence for each thing that a page must not be."""
    page = BeautifulSoup(html, "html.parser")
    found = []
    for tag in page.find_all(LOADED):
        if not NOT_LOADED & set(tag.get("rel", ())) and foreign(tag.get(LOADED[tag.name], "")):
            found.append(f"it loads {tag[LOADED[tag.name]]}")
    found += [
        f"the id {name} is there {n} times" for name, n in Counter(tag["id"] for tag in page.find_all(id=True)).items() if n > 1
    ]
    found += ["math has no MathML" for math in page.select(".math") if not math.find("math")]
    found += ["an image has no alt text" for image in page.select("article img") if not image.get("alt", "").strip()]
    if not page.html.get("lang"):
        found.append("it has no language")
    if not page.title or not page.title.get_text(strip=True):
        found.append("it has no title")
    for tag in page.find_all(CODE):
        tag.decompose()
    found += [f"raw TeX: {text.strip()}" for text in page.find_all(string=re.compile(r"\$[^$]*\$|\\[a-zA-Z]{3,}"))]
    return found


def loaded_by_style(text):
    addresses = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
    return [address for pair in addresses for address in pair if address and foreign(address)]


def test_every_page_stands_alone(site):
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert site / "chapters" / "ledger.html" in pages
    assert {path.name: found for path in pages if (found := complaints(path.read_text()))} == {}


def test_every_chapter_describes_itself(site):
    for path in (site / "chapters").glob("*.html"):
        description = BeautifulSoup(path.read_text(), "html.parser").find("meta", {"name": "description"})
        assert description and len(description["content"]) > 40, path.name


def test_no_style_asks_a_foreign_host(site):
    assert {path.name: found for path in site.rglob("*.css") if (found := loaded_by_style(path.read_text()))} == {}


def test_the_fonts_of_math_are_there(site):
    style = site / "_static" / "katex" / "katex.min.css"
    fonts = set(re.findall(r"url\((fonts/[^)]+\.woff2)\)", style.read_text()))
    assert fonts and all((style.parent / font).exists() for font in fonts)


GOOD = '<html lang="en"><title>T</title><link rel="canonical" href="https://here.org/"><p>Five $ a piece.</p></html>'


def test_a_good_page_passes():
    assert complaints(GOOD) == []


@pytest.mark.parametrize(
    "spoiled, complaint",
    [
        ('<script src="https://cdn.org/x.js"></script>', "cdn.org"),
        ('<link rel="stylesheet" href="//cdn.org/x.css">', "cdn.org"),
        ('<img src="http://cdn.org/x.png" alt="A">', "cdn.org"),
        ('<p id="a"></p><p id="a"></p>', "id a"),
        ('<span class="math">x</span>', "MathML"),
        ('<article><img src="x.png" alt=""></article>', "alt"),
        ("<p>Let $x$ be.</p>", "raw TeX"),
        ("<p>the \\alpha of it</p>", "raw TeX"),
    ],
)
def test_each_check_can_fail(spoiled, complaint):
    assert complaint in " ".join(complaints(GOOD.replace("</html>", spoiled + "</html>")))


def test_a_foreign_style_is_noticed():
    assert loaded_by_style("@import 'https://fonts.org/a.css'; p {background: url(//b.org/c.png)}") == [
        "https://fonts.org/a.css",
        "//b.org/c.png",
    ]
