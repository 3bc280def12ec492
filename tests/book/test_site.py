"""The built pages: complete in themselves, with math that can be read aloud.

Not seen here: what scripts do to a page once it is open.
"""

import json
import re
import shutil
from collections import Counter
from copy import copy
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from bookproof.citations import CITE
from bookproof.notebooks import find_statements, read_page
from tests.support import CHAPTERS, PROJECT, build_book

LOADED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}
# A link of these kinds tells where something is; the browser does not fetch it.
NOT_LOADED = {"canonical", "search", "next", "prev", "index", "author", "license"}
CODE = ["code", "pre", "script", "style"]


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
        f"the id {name} is there {n} times"
        for name, n in Counter(tag["id"] for tag in page.find_all(id=True)).items()
        if n > 1
    ]
    found += ["math has no MathML" for math in page.select(".math") if not math.find("math")]
    found += [
        "an image has no alt text"
        for image in page.select("article img")
        if not image.get("alt", "").strip()
    ]
    if not page.html.get("lang"):
        found.append("it has no language")
    if not page.title or not page.title.get_text(strip=True):
        found.append("it has no title")
    for tag in page.find_all(CODE):
        tag.decompose()
    found += [
        f"raw TeX: {text.strip()}"
        for text in page.find_all(string=re.compile(r"\$[^$]*\$|\\[a-zA-Z]{3,}"))
    ]
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
        description = BeautifulSoup(path.read_text(), "html.parser").find(
            "meta", {"name": "description"}
        )
        assert description and len(description["content"]) > 40, path.name


def test_no_style_asks_a_foreign_host(site):
    assert {
        path.name: found
        for path in site.rglob("*.css")
        if (found := loaded_by_style(path.read_text()))
    } == {}


def test_the_fonts_of_math_are_there(site):
    style = site / "_static" / "katex" / "katex.min.css"
    fonts = set(re.findall(r"url\((fonts/[^)]+\.woff2)\)", style.read_text()))
    assert fonts and all((style.parent / font).exists() for font in fonts)


def figures(html):
    return BeautifulSoup(html, "html.parser").select("figure:not(.strip)")


def number(figure):
    return (
        figure.select_one(".caption-number").get_text(strip=True)
        if figure.select(".caption-number")
        else ""
    )


def complaints_of_figure(figure):
    """One sentence for each thing that a figure lacks, or that Sphinx left in it as the author
    wrote it.
    """
    figure, found = copy(figure), []
    if len(figure.select(".caption-number")) != 1 or not re.fullmatch(
        r"Figure \d+(\.\d+)*", number(figure)
    ):
        found.append("it has not exactly one number")
    modes = [figure.select(f"img.in-{mode}") for mode in ("light", "dark")]
    if [len(pictures) for pictures in modes] != [1, 1] or len(figure.find_all("img")) != 2:
        found.append("it has not one picture for light pages and one for dark ones")
    if len({image.get("src") for image in figure.find_all("img")}) != len(figure.find_all("img")):
        found.append("its pictures are the same file")
    alt = {image.get("alt", "").strip() for image in figure.find_all("img")}
    if len(alt) != 1 or "" in alt:
        found.append("its pictures have not the same alt text, or none")
    for tag in figure.find_all(
        ["math", "span"], class_=["katex", "caption-number"]
    ) + figure.find_all("a", class_="headerlink"):
        tag.decompose()
    caption = figure.figcaption.get_text(strip=True) if figure.figcaption else ""
    if len(caption) < 10:
        found.append("it has no caption")
    found += [
        f"unresolved: {text}"
        for text in (caption, *alt)
        if re.search(r"\$|`|\\|\{[a-z:]+\}|\?\?|%s", text)
    ]
    return found


def test_every_figure_is_complete(site):
    pages = {path.stem: figures(path.read_text()) for path in (site / "chapters").glob("*.html")}
    found = {
        (page, figure.get("id")): wrong
        for page, those in pages.items()
        for figure in those
        if (wrong := complaints_of_figure(figure))
    }
    assert found == {}
    for page, those in pages.items():
        for image in (image for figure in those for image in figure.find_all("img")):
            assert (site / "chapters" / image["src"]).is_file(), f"{page} lacks {image['src']}"
    numbers = [number(figure) for those in pages.values() for figure in those]
    assert len(set(numbers)) == len(numbers)


def test_no_figure_is_lost(site):
    """What a notebook numbers as a figure is one on its page, in the same order."""
    for path in sorted((PROJECT / "chapters").glob("*.ipynb")):
        names = [name for kind, name in find_statements(read_page(path)) if kind == "figure"]
        assert [
            figure.get("id")
            for figure in figures((site / "chapters" / f"{path.stem}.html").read_text())
        ] == names


FIGURE = """<figure id="fig-a">
<img class="in-light" alt="A line." src="l.png"><img class="in-dark" alt="A line." src="d.png">
<figcaption><p>
<span class="caption-number">Figure 1.2 </span>
<span class="caption-text">What is a line? This one.</span>
</p></figcaption>
</figure>"""


def test_a_good_figure_passes():
    assert [complaints_of_figure(figure) for figure in figures(FIGURE)] == [[]]


@pytest.mark.parametrize(
    "good, bad, complaint",
    [
        ("Figure 1.2", "", "number"),
        ("Figure 1.2", "Figure %s", "number"),
        (
            '<span class="caption-text">',
            '<span class="caption-number">Figure 1.3</span><span class="caption-text">',
            "number",
        ),
        ("What is a line? This one.", "", "caption"),
        ("What is a line?", "What is $x$?", "unresolved"),
        ("This one.", "This {glue:text}`one`.", "unresolved"),
        ('in-dark" alt="A line."', 'in-dark" alt="Another."', "alt"),
        ('alt="A line."', 'alt=""', "alt"),
        ('alt="A line."', 'alt="$x$"', "unresolved"),
        ('class="in-dark"', "", "dark"),
        ("d.png", "l.png", "same file"),
    ],
)
def test_each_check_of_a_figure_can_fail(good, bad, complaint):
    assert good in FIGURE
    [figure] = figures(FIGURE.replace(good, bad))
    assert complaint in " ".join(complaints_of_figure(figure))


GOOD = (
    '<html lang="en"><title>T</title><link rel="canonical" href="https://here.org/"><p>Five $ a'
    " piece.</p></html>"
)


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
    assert loaded_by_style(
        "@import 'https://fonts.org/a.css'; p {background: url(//b.org/c.png)}"
    ) == [
        "https://fonts.org/a.css",
        "//b.org/c.png",
    ]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_page_cites_in_the_words_of_its_notebook(site, path):
    """The bibliography's own words on a page, those that a tool wrote in a notebook."""
    stored = "\n".join(
        cell.source for cell in read_page(path).cells if cell.cell_type == "markdown"
    )
    written = Counter(cite[4] for cite in CITE.finditer(stored))
    page = BeautifulSoup((site / f"chapters/{path.stem}.html").read_text(), "html.parser")
    tags = page.select("article .bibtex-citation")
    shown = Counter(tag.get_text().replace("\N{NO-BREAK SPACE}", " ") for tag in tags)
    assert shown == written


def test_tables_of_facts_can_be_read_aloud(site):
    page = BeautifulSoup((site / "chapters" / "reproducibility.html").read_text(), "html.parser")
    tables = page.select("table.facts")
    assert len(tables) == 3
    for table in tables:
        assert len(table.caption.get_text()) > 10
        head = [cell.get_text() for cell in table.select("thead th[scope=col]")]
        for row in table.select("tbody tr"):
            assert len(row.select("th[scope=row]")) == 1
            assert [cell["data-label"] for cell in row.find_all("td")] == head[1:]


def test_stored_outputs_have_no_times(site):
    page = BeautifulSoup((site / "chapters" / "reproducibility.html").read_text(), "html.parser")
    assert "Times were not measured in this build" in page.article.get_text(" ", strip=True)


def test_the_ledger_names_tests_and_functions_of_each_claim(site):
    page = BeautifulSoup((site / "chapters" / "ledger.html").read_text(), "html.parser")
    rows = page.select("table.ledger tbody tr")
    assert len(rows) > 100
    cells = {row["id"]: [cell.get_text(" ", strip=True) for cell in row("td")] for row in rows}
    assert [name for name, row in cells.items() if "test_" not in row[4]] == []
    assert "hessian" in cells["claim-theorem-3"][3]


# Each as a reader would meet it on a page of this book's configuration.
DANGLING = {
    "{prf:ref}`theorem-0`": "theorem-0",
    "{cite}`nobody1900`": "nobody1900",
    "$\\frac{1}$": "math cannot be rendered",
    "\n\n```{prf:theorem}\n:label: theorem-1\nNobody checks it.\n```": "theorem-1 has no claim",
}


def test_what_is_left_dangling_makes_the_build_fail(tmp_path):
    for name in ("_static", "_templates"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    (tmp_path / "references.bib").write_text("")
    (tmp_path / "chapters").mkdir()
    page = "# A page\n\nSee " + " and ".join(DANGLING)
    (tmp_path / "chapters" / "index.md").write_text(page)
    run = build_book(tmp_path / "_build", "--source", tmp_path)
    told = run.stdout.partition("NOT built")[2]
    assert run.returncode == 1, run.stdout
    assert [words for words in DANGLING.values() if words not in told] == []


HOSTS = re.compile(r"(?:[\w-]+\.)*(?:github\.(?:com|io)|mybinder\.org|colab\.[\w.]*google\.com)")


def test_no_page_leads_to_a_host_of_a_repository_that_nobody_holds(site):
    """Whole pages, with all that scripts and data in them say."""
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    if "repository-code" in citation:
        pytest.skip("the book has a repository")
    found = {path.name: HOSTS.findall(path.read_text()) for path in site.rglob("*.html")}
    assert len(found) > 30
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/we/book",
        "//raw.github.com/x",
        "https://we.github.io/book/",
        "https://mybinder.org/v2/gh/we/book",
        "https://colab.research.google.com/github/we/book",
    ],
)
def test_each_host_of_repositories_is_noticed(address):
    assert HOSTS.search(f'<a href="{address}">')


def test_the_search_knows_prose_and_no_code(site):
    script = (site / "_static" / "summaries.js").read_text()
    pages = json.loads(re.search(r"^const PAGES = (.*);$", script, re.MULTILINE)[1])
    code = re.compile(r"book\.claim\(|import numpy|np\.linspace|glue\(")
    assert [name for name, page in pages.items() if code.search(page["text"])] == []
    index = json.loads(re.search(r"\{.*\}", (site / "searchindex.js").read_text(), re.DOTALL)[0])
    assert "eigenvalu" in index["terms"], "words stand there by their stems"
    assert {"linspac", "ndarray", "autograd.numpi"} & set(index["terms"]) == set()
