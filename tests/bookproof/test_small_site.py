"""Extensions at work on a small site that Sphinx builds in this process: exercises, words of a
glossary, dark pictures, search, repairs for screen readers, sources to download.

Not seen here: how any of it looks, and what the scripts do (tests/book).
"""

import base64
import io
import json
import re
import zipfile
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from bookproof.pictures import DARK, PNG
from bookproof.sphinx.accessibility import (
    give_palette,
    give_palettes,
    make_ids_unique,
    repair,
    write_first_page,
)
from bookproof.sphinx.dark_figures import add_dark_pictures, compute_name
from bookproof.sphinx.exercises import list_tables
from bookproof.sphinx.search import drop_elements, read_names, read_text, write_script
from tests.bookproof.small_site import build_site

OWN = "accessibility dark_figures downloads exercises folds pages search terms".split()
EXTENSIONS = ["myst_nb", "sphinx_exercise", "sphinx_proof", *(f"bookproof.sphinx.{n}" for n in OWN)]
CONFIG = f"""
project = html_title = "Small"
extensions = {EXTENSIONS}
html_theme = "basic"
language = "en"
root_doc = "start"
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence"]
exclude_patterns = ["site", "trees"]
"""
START = """# Small

A {term}`circle`, a {term}`Circle` and a {term}`disk <disc>`.

```{toctree}
second
first
words
```

```{exercises}
```
"""
FIRST = """# First

:::{exercise} Two
:class: standard
:label: ex-two
Ask.
:::

:::{exercise} One
:class: warm-up
:label: ex-one
Ask first.
:::

:::{exercise} Without a level
:label: ex-none
Ask again.
:::

:::{prf:theorem} Flat
:label: theorem-flat
Flat is *flat*.
:::

:::{prf:proof}
:class: dropdown
It is. So it is.
:::
"""
WORDS = """# Words

A {term}`circle`.

```{glossary}
circle
  all points at one distance; see {ref}`here <ex-one>`.

disk
disc
  what a {term}`circle` surrounds.

  A second paragraph.
```
"""


def make_png(color, size):
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "png")
    return file.getvalue()


LIGHT, WIDE = make_png("white", (1100, 60)), make_png("gray", (1102, 60))
NIGHT, WIDE_NIGHT = make_png("black", (1100, 60)), make_png("navy", (1102, 60))
ALONE = make_png("red", (20, 20))


def show(light, dark=None):
    metadata = {} if dark is None else {DARK: base64.b64encode(dark).decode()}
    data = {PNG: base64.b64encode(light).decode()}
    return new_output("display_data", data, metadata=metadata)


def make_notebook():
    cells = [
        new_markdown_cell("# Second\n\nA picture of a *square*."),
        new_code_cell("secret = 1", outputs=[show(LIGHT, NIGHT)]),
        new_code_cell("show()", outputs=[show(ALONE), show(WIDE, WIDE_NIGHT)]),
        new_code_cell("print()", outputs=[new_output("stream", text="said aloud")]),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The application after a build, with its site in `outdir`."""
    folder = tmp_path_factory.mktemp("small")
    nbformat.write(make_notebook(), folder / "second.ipynb")
    pages = {"start.md": START, "first.md": FIRST, "words.md": WORDS}
    app = build_site(folder, {"conf.py": CONFIG, **pages})
    assert app.statuscode == 0
    return app


@pytest.fixture(scope="module")
def read(built):
    return lambda name: BeautifulSoup((built.outdir / name).read_text(), "html.parser")


def test_a_table_has_the_exercises_of_each_chapter_by_their_level(read):
    table = read("start.html").select_one("table.exercises")
    assert [cell.get_text() for cell in table.thead.select("th")] == [
        "Chapter",
        "Warm-up",
        "Standard",
        "Research questions",
    ]
    [row] = table.tbody.select("tr")
    cells = [[(a.get_text(), a["href"]) for a in cell.select("a")] for cell in row.select("td")]
    assert cells == [
        [("First", "first.html")],
        [("One", "first.html#ex-one")],
        [("Two", "first.html#ex-two")],
        [],
    ]
    assert all("internal" in link["class"] for link in row.select("a"))


def test_an_exercise_says_its_level_beside_its_title(read):
    titles = read("first.html").select(".exercise .admonition-title")
    assert [" ".join(title.get_text().split()) for title in titles] == [
        "Exercise 1 (Two) · standard",
        "Exercise 2 (One) · warm-up",
        "Exercise 3 (Without a level)",
    ]


def test_a_page_with_the_table_is_written_again_whatever_was_read(built):
    assert list_tables(built, built.env) == ["start"]


def test_a_word_brings_its_line_once_and_its_links_lead_from_here(read):
    page = read("start.html")
    cards = page.select(".term-card")
    assert [card["id"] for card in cards] == ["card-term-circle", "card-term-disc"]
    assert all(card.has_attr("hidden") and card["role"] == "tooltip" for card in cards)
    lines = [card.get_text().strip() for card in cards]
    assert lines == [
        "circle: all points at one distance; see here.",
        "disk: what a circle surrounds.",
    ]
    assert cards[0].a["href"] == "first.html#ex-one"
    links = page.select("p > a.term")
    assert [
        link["aria-describedby"] for link in links if not link.find_parent(class_="term-card")
    ] == [
        "card-term-circle",
        "card-term-circle",
        "card-term-disc",
    ]
    assert links[0]["href"] == "words.html#term-circle"


def test_the_glossary_brings_no_lines_to_itself(read):
    page = read("words.html")
    assert not page.select(".term-card, [aria-describedby]")
    assert page.select("a[href='#term-circle']")


def test_a_dark_picture_follows_its_light_one(read, built):
    images = read("second.html").select("img")
    names = [image["src"].rpartition("/")[2] for image in images]
    assert names == [f"{compute_name(png)}.png" for png in (LIGHT, NIGHT, ALONE, WIDE, WIDE_NIGHT)]
    modes = [
        next((name for name in image.get("class", ()) if name.startswith("in-")), None)
        for image in images
    ]
    assert modes == ["in-light", "in-dark", None, "in-light", "in-dark"]
    for name, png in zip(names, (LIGHT, NIGHT, ALONE, WIDE, WIDE_NIGHT), strict=True):
        assert (built.outdir / "_images" / name).read_bytes() == png
    links = [image for image in images if "no-scaled-link" in image.get("class", ())]
    assert len(links) == 4


def test_a_dark_picture_stands_right_behind_its_light_one(tmp_path):
    nbformat.write(make_notebook(), tmp_path / "page.ipynb")
    config = SimpleNamespace(output_folder=str(tmp_path), execution_mode="off")
    env = SimpleNamespace(
        docname="page", mystnb_config=config, doc2path=lambda name: str(tmp_path / f"{name}.ipynb")
    )
    light = nodes.image("", uri=f"pictures/{compute_name(LIGHT)}.png")
    paragraph = nodes.paragraph("", "", light, nodes.Text("after it"))
    add_dark_pictures(SimpleNamespace(env=env), paragraph)
    assert paragraph[0] is light and paragraph[2] == "after it"
    assert paragraph[1]["uri"] == f"pictures/{compute_name(NIGHT)}.png"


def test_a_picture_keeps_its_room_and_a_wide_one_its_own_width(read):
    light, dark, alone, wide, wide_dark = read("second.html").select("img")
    for image in (light, dark):
        assert (image["width"], image["height"], image["loading"]) == ("550", "30", "lazy")
        assert "style" not in image.attrs and "wide" not in image["class"]
    for image in (wide, wide_dark):
        assert (image["width"], image["height"], image["loading"]) == ("551", "30", "lazy")
        assert image["style"] == "--natural: 551px" and "wide" in image["class"]
    assert "loading" not in alone.attrs


def read_summaries(app):
    script = (app.outdir / "_static" / "summaries.js").read_text()
    return json.loads(re.match(r"const PAGES = (.*);\n", script)[1])


def test_only_the_page_of_the_search_loads_the_texts_of_all_pages(read):
    scripts = {
        name: [script.get("src", "") for script in read(name).select("script")]
        for name in ("search.html", "start.html")
    }
    assert any("summaries.js" in source for source in scripts["search.html"])
    assert not any("summaries.js" in source for source in scripts["start.html"])


def test_no_code_is_searched(built):
    index = (built.outdir / "searchindex.js").read_text()
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
    assert "pictur" in terms and not {"secret", "show", "aloud"} & set(terms)
    assert "second" in built.env.found_docs
    assert set(read_summaries(built)) == {f"{name}.html" for name in built.env.found_docs}


ARTICLE = """<article class="bd-article" role="main">{}</article>"""


def test_the_texts_of_pages_are_written_as_they_are_read():
    script = write_script({"a.html": ("a", ARTICLE.format("<h1>The α-scale</h1>"))})
    assert "The α-scale" in script


def test_what_is_searched_of_a_page_is_what_a_reader_sees():
    page = ARTICLE.format(
        'Begin<section id="a"><h1>One<a class="headerlink" href="#a">#</a></h1>'
        '<p>x<span class="katex-mathml"><math>twice</math></span> = 1</p>'
        '<details class="code"><summary>c</summary>code</details>'
        '<details class="fold"><summary>Proof</summary>so</details>'
        '<div class="cell_input"><div>a = 1</div></div><script>s()</script><svg>v</svg>'
        '<section id="b"><h2>Two</h2>&lt;\u200b</section></section>'
    )
    text, sections = read_text(f"<p>before</p>{page}<p>after</p>")
    assert text == "Begin One x = 1 Proof so Two <"
    assert {name: text[place:].partition(" ")[0] for name, place in sections.items()} == {
        "a": "One",
        "b": "Two",
    }
    assert read_text("<p>no article</p>") == ("", {})


def test_elements_are_dropped_with_all_that_is_in_them():
    page = '1<div>2</div><div class="x">3<div>4</div>5</div>6<div class="x">7</div><div>8</div>'
    assert drop_elements(page, "div", re.compile("x")) == "1<div>2</div>6<div>8</div>"


def test_a_page_is_found_by_its_titles_its_words_and_its_statements():
    page = ARTICLE.format(
        '<h1><span class="section-number">3. </span>Flat</h1><dt id="term-a">bias</dt>'
        '<div class="proof theorem" id="t">\n<p class="admonition-title">Theorem 1 (So)</p></div>'
    )
    assert read_names(page) == [(100, "Flat"), (90, "bias"), (80, "Theorem 1 (So)")]
    assert read_names("<h1>Outside</h1>") == []


def test_a_fold_keeps_the_words_that_head_it(read):
    fold = read("first.html").select_one("details.fold")
    assert fold.summary.get_text() == "Proof"
    assert fold.get_text().replace("Proof", "", 1).strip() == "It is. So it is."
    assert "proof" in fold["class"]


def test_no_id_of_a_page_stands_twice(read):
    ids = [element["id"] for element in read("first.html").select("[id]")]
    assert len(ids) == len(set(ids))
    assert {"ex-one", "ex-two", "theorem-flat"} <= set(ids)


def test_a_site_without_an_index_gets_one_that_leads_to_the_first_page(read):
    page = read("index.html")
    assert page.html["lang"] == "en" and page.title.get_text() == "Small"
    assert page.a["href"] == "start.html"
    assert page.select_one('meta[http-equiv="refresh"]')["content"] == "0; url=start.html"


AUTO = '<html data-theme="auto">'


def make_app(folder, *docs, kind="html"):
    """A stand-in for Sphinx with some pages in a folder, and a page of the search."""
    for name in (*docs, "search"):
        (folder / f"{name}.html").write_text(AUTO)
    return SimpleNamespace(
        builder=SimpleNamespace(format=kind, get_outfilename=lambda name: folder / f"{name}.html"),
        env=SimpleNamespace(found_docs=set(docs)),
        config=SimpleNamespace(root_doc="start", language="en", html_title="Small"),
        outdir=folder,
    )


@pytest.mark.parametrize(("exception", "kind"), [(ValueError(), "html"), (None, "latex")])
def test_pages_are_mended_only_where_a_site_was_made(tmp_path, exception, kind):
    app = make_app(tmp_path, "start", kind=kind)
    give_palettes(app, exception)
    write_first_page(app, exception)
    assert {path.name for path in tmp_path.iterdir()} == {"start.html", "search.html"}
    assert (tmp_path / "start.html").read_text() == AUTO


def test_all_pages_and_the_search_are_light_before_a_script_has_run(tmp_path):
    give_palettes(make_app(tmp_path, "start", "index"), None)
    for name in ("start", "index", "search"):
        assert (tmp_path / f"{name}.html").read_text() == '<html data-theme="light">'
    write_first_page(make_app(tmp_path, "start", "index"), None)
    assert (tmp_path / "index.html").read_text() == AUTO, "a book's own index stays"


def test_what_a_page_says_of_itself_is_mended_wherever_it_stands():
    body = (
        '<summary aria-label="Toggle hidden content">a</summary>'
        '<div role="doc-biblioentry"><div class="pst-scrollable-table-container">'
    )
    context = {"body": 2 * body}
    repair(None, "start", "page.html", context, None)
    right = (
        '<summary>a</summary><div role="listitem">'
        '<div class="pst-scrollable-table-container" tabindex="0">'
    )
    assert context["body"] == 2 * right
    empty = {}
    repair(None, "search", "search.html", empty, None)
    assert empty == {"body": ""}


def test_what_is_in_a_box_is_named_after_it():
    inner = nodes.section("", ids=["proof-content"])
    box = nodes.admonition("", inner, nodes.paragraph("", ids=["exercise-content"]), ids=["a", "b"])
    document = new_document("page")
    document += [box, nodes.paragraph("", ids=["own"])]
    make_ids_unique(None, document)
    assert inner["ids"] == ["content-of-a"] and box["ids"] == ["a", "b"]
    assert box[1]["ids"] == [] and document[1]["ids"] == ["own"]


def test_a_page_asks_the_machine_for_its_mode():
    asks = 'dataset.theme = localStorage.getItem("theme") || "auto";'
    page = f'<html data-theme="auto"><script>{asks}</script>{asks}<p data-theme="auto"></html>'
    given = give_palette(page)
    assert given.startswith('<html data-theme="light"><script>dataset.theme = localStorage')
    assert given.count("prefers-color-scheme: dark") == 1
    assert given.endswith(f'{asks}<p data-theme="auto"></html>')


def test_each_source_can_be_had_as_an_archive(built):
    sources = built.outdir / "_sources"
    names = {path.name for path in sources.iterdir() if path.suffix != ".zip"}
    assert {path.stem for path in sources.glob("*.zip")} == names
    assert len(names) == len(built.env.found_docs) == 4
    for name in names:
        with zipfile.ZipFile(sources / f"{name}.zip") as archive:
            assert archive.namelist() == [name]
            assert archive.read(name) == (sources / name).read_bytes()
            assert archive.getinfo(name).compress_type == zipfile.ZIP_DEFLATED
