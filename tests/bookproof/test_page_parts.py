"""Parts of a page that are text when they are made: citations, labels of works, fonts, the strip
plot.

Not seen here: how they look, and what their scripts do (tests/book).
"""

import importlib
import json
import logging
import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from pybtex.database import Entry, Person
from sphinx.errors import ExtensionError

from bookproof import sphinx
from bookproof.labels import AuthorYearLabels
from bookproof.sphinx import katex
from bookproof.sphinx.bibliography import link_back, list_bibliographies, read_citations
from bookproof.sphinx.citation import (
    add_citation,
    read_citation,
    say_citation,
    use_citation,
    write_bibtex,
)
from bookproof.sphinx.fonts import (
    ask_for_fonts,
    inline_fonts,
    reduce_icons,
    reduce_style,
    write_fonts_into,
    write_subset,
)
from bookproof.sphinx.katex import copy_katex, keep_punctuation
from bookproof.sphinx.ledger import group_parts, is_strong
from bookproof.sphinx.ledger_explorer import say_why_not_strong
from bookproof.sphinx.strip import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    draw_dot,
    draw_strip,
    place,
)

CITATION = {
    "title": "Circles, Executed",
    "authors": [{"given-names": "Ada", "family-names": "Byron"}, {"name": "The Circle"}],
    "version": "1.2",
    "date-released": "2030-05-06",
}


def test_a_page_is_cited_with_its_book():
    assert say_citation(CITATION, "Area") == (
        "Ada Byron and The Circle (2030). Area. In: Circles, Executed, version 1.2."
    )
    assert say_citation(CITATION, "").startswith("Ada Byron and The Circle (2030). Circles, Ex")


def test_bibtex_keeps_the_name_of_a_group_whole():
    entry = write_bibtex(CITATION, "Area")
    assert entry.startswith("@incollection{circles2030,")
    assert "author = {Ada Byron and {The Circle}}" in entry
    assert "  title = {Area},\n  booktitle = {Circles, Executed},\n" in entry
    assert "url" not in entry, "nobody promises an address"


def configure(tmp_path, text):
    (tmp_path / "CITATION.cff").write_text(text)
    config = SimpleNamespace(
        author="",
        bookproof_citation="CITATION.cff",
        bookproof_repository="",
        bookproof_branch="main",
        html_theme_options={},
    )
    use_citation(SimpleNamespace(srcdir=tmp_path), config)
    return config


def test_buttons_appear_only_where_the_address_of_the_repository_stands(tmp_path):
    text = "title: Circles\nauthors: [{name: We}]\nversion: 1.2\ndate-released: 2030-05-06\n"
    config = configure(tmp_path, text)
    assert config.author == "We" and config.html_theme_options == {}
    config = configure(tmp_path, f"{text}repository-code: https://example.org/we/circles\n")
    options = config.html_theme_options
    assert options["repository_url"] == config.bookproof_repository
    assert options["use_repository_button"] and options["use_issues_button"]
    assert set(options["launch_buttons"]) >= {"binderhub_url", "colab_url"}


def test_a_book_without_a_citation_has_none(tmp_path):
    assert read_citation(tmp_path / "CITATION.cff") == {}


@pytest.mark.parametrize("name", CITATION)
def test_a_citation_that_lacks_something_says_what(tmp_path, name):
    path = tmp_path / "CITATION.cff"
    path.write_text(yaml.safe_dump({**CITATION, name: None}))
    with pytest.raises(ValueError, match=f"CITATION.cff must have title.* it has no {name}$"):
        read_citation(path)


def make_entry(year, *names):
    return Entry("article", {"year": year}, {"author": [Person(name) for name in names]})


def test_works_are_labelled_as_the_text_cites_them():
    entries = [
        make_entry("1997", "Hochreiter, Sepp", 'Schmidhuber, J{\\"u}rgen'),
        make_entry("2017", "Dinh, L.", "Pascanu, R.", "Bengio, S."),
        make_entry("2021", "Kwon, J."),
        make_entry("2021", "Kwon, K."),
    ]
    labels = list(AuthorYearLabels().format_labels(entries))
    assert labels[1:] == ["Dinh et al. 2017", "Kwon 2021a", "Kwon 2021b"]
    assert labels[0] == "Hochreiter and Schmidhuber 1997"


def test_a_work_without_authors_is_cited_by_its_editors_or_else_by_its_title():
    named = {"editor": [Person("Orr, G."), Person("Müller, K.-R.")]}
    edited = Entry("book", {"year": "1998", "title": "Tricks of the Trade"}, named)
    alone = Entry("book", {"year": "1998", "title": "Tricks of the Trade"})
    labels = list(AuthorYearLabels().format_labels([edited, alone]))
    assert labels == ["Orr and Müller 1998", "Tricks of the Trade 1998"]


MODIFIED = 3_000_000_000  # seconds since 1904


def make_font(path, letters):
    builder = FontBuilder(1000, isTTF=True)
    glyphs = {ord(letter): f"uni{ord(letter):04X}" for letter in letters}
    names = [".notdef", *glyphs.values()]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(glyphs)
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, 0))
    pen.lineTo((0, 500))
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 0)))
    builder.setupHorizontalHeader()
    builder.setupPost()
    builder.updateHead(modified=MODIFIED)
    builder.font.recalcTimestamp = False
    builder.save(path)


def test_of_a_font_the_named_characters_are_left(tmp_path):
    make_font(tmp_path / "all.ttf", "abc")
    write_subset(tmp_path / "all.ttf", tmp_path / "some.woff", {ord("b"), 0xF185})
    font = TTFont(tmp_path / "some.woff")
    assert list(font.getBestCmap()) == [ord("b")] and font.flavor == "woff"
    assert font["head"].modified == MODIFIED, "or each build would have another font"
    assert font["glyf"][".notdef"].numberOfContours == 1, "what is missing is seen to be missing"


ICONS = (
    '.fa{display:inline}.fa-sun:before{content:"\\f185"}.fa-ad:before{content:"\\f641"}'
    '.fa-plus:before{content:"\\2b"}.fa-a:before{content:"a"}.fa-hash:before{content:"#"}'
    "@font-face{font-family:Font Awesome\\ 6 Free;font-style:normal;font-weight:900;"
    "src:url(a.woff2)}@font-face{font-family:Font Awesome\\ 6 Brands;font-weight:400;src:url(b)}"
)


def test_of_the_icons_those_that_are_used_are_left():
    style, codes = reduce_style(ICONS, {"fa-sun", "fa-solid"}, "used.woff")
    assert codes == {0xF185}
    assert '.fa{display:inline}.fa-sun:before{content:"\\f185"}@' in style
    assert style.count("@font-face") == 1 and "used.woff" in style and "Brands" not in style


def test_an_icon_is_known_by_its_code_or_by_its_letter():
    names = {"fa-plus", "fa-a", "fa-hash"}
    assert reduce_style(ICONS, names, "used.woff")[1] == {ord("+"), ord("a"), ord("#")}


def test_a_font_can_stand_in_its_stylesheet(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "a.woff2").write_bytes(b"abc")
    style = 'x{src:url("fonts/a.woff2")}y{src:url(fonts/b.woff2)}'
    written = write_fonts_into(style, tmp_path, ["a"])
    assert written == "x{src:url(data:font/woff2;base64,YWJj)}y{src:url(fonts/b.woff2)}"


def make_site(folder):
    """Return a build whose pages use one icon by name and one by its code, of a font with three."""
    vendor = folder / "_static" / "vendor" / "fontawesome" / "6.5"
    for name in ("css", "webfonts"):
        (vendor / name).mkdir(parents=True)
    (vendor / "css" / "all.min.css").write_text(ICONS)
    make_font(vendor / "webfonts" / "fa-solid-900.ttf", "\uf185\uf641\uf0c5")
    (folder / "page.html").write_text('<i class="fa-solid fa-sun"></i>')
    (folder / "_static" / "book.css").write_text(
        '.copy::before{content:"\\f0c5"}@font-face{src:url(fonts/a.woff2)}'
    )
    (folder / "_static" / "fonts").mkdir()
    (folder / "_static" / "fonts" / "a.woff2").write_bytes(b"abc")
    config = SimpleNamespace(bookproof_inlined_fonts={"book.css": ["a"]})
    builder = SimpleNamespace(format="html")
    return SimpleNamespace(outdir=str(folder), builder=builder, config=config), vendor


def test_a_site_keeps_the_icons_it_uses_and_has_its_fonts_in_its_styles(tmp_path):
    app, vendor = make_site(tmp_path)
    reduce_icons(app, None)
    inline_fonts(app, None)
    style = (vendor / "css" / "all.min.css").read_text()
    assert "fa-sun" in style and "fa-ad" not in style and "../webfonts/fa-used.woff" in style
    font = TTFont(vendor / "webfonts" / "fa-used.woff")
    assert set(font.getBestCmap()) == {0xF185, 0xF0C5}
    assert "base64,YWJj" in (tmp_path / "_static" / "book.css").read_text()


@pytest.mark.parametrize("exception, kind", [(OSError(), "html"), (None, "latex")])
def test_fonts_are_left_alone_where_no_site_was_made(tmp_path, exception, kind):
    app, _ = make_site(tmp_path)
    app.builder.format = kind
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    reduce_icons(app, exception)
    inline_fonts(app, exception)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_page_asks_for_its_first_fonts_and_for_none_if_it_has_none():
    asked = []
    app = SimpleNamespace(add_js_file=lambda file, body, **more: asked.append(body))
    for fonts in ([], ["400 1em Literata"]):
        app.config = SimpleNamespace(bookproof_first_fonts=fonts)
        ask_for_fonts(app)
    [body] = asked
    assert body.startswith('["400 1em Literata"].forEach(')


def test_a_strip_has_a_dot_for_each_comparison_that_leads_to_its_row():
    picture = BeautifulSoup(
        draw_strip([(0.5, "a", "equality"), (1e-12, "b", "estimate")], 3), "html.parser"
    )
    assert [dot["href"] for dot in picture.find_all("a")] == ["#claim-a", "#claim-b"]
    assert "3 more" in picture.figcaption.get_text()


@pytest.mark.parametrize("dots", [[], [(1.0, "a", "inequality")]])
def test_a_strip_of_what_is_at_its_limit_has_an_axis_of_one_tick(dots):
    strip = BeautifulSoup(draw_strip(dots, 3), "html.parser")
    assert [tick.get_text() for tick in strip.select("text")] == ["1"]
    [limit] = strip.select("line.limit")
    assert float(limit["x1"]) == float(limit["x2"]) == WIDTH - RIGHT
    assert {circle["d"].split()[0] for circle in strip.select("path")} <= {f"M{limit['x1']}"}
    assert "from 1 to 1" in strip.svg["aria-label"]


def test_a_strip_has_a_tick_for_each_power_of_ten():
    strip = BeautifulSoup(draw_strip([(1e-12, "a", "equality")], 0), "html.parser")
    ticks = [tick.get_text() for tick in strip.select("text")]
    assert ticks == ["10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]


def test_a_strip_is_well_formed_and_says_its_powers_of_ten():
    page = draw_strip([(0.5, "a", "equality"), (1e-12, "b", "estimate")], 3)
    texts = ElementTree.fromstring(page).findall(".//text")
    assert [text.text for text in texts][0] == "10⁻⁸" and texts[-1].text == "1"
    assert all(len(text) == 0 for text in texts)


@pytest.mark.parametrize("floor, first", [(-1, "0.1"), (-2, "0.01"), (-8, "10⁻⁸")])
def test_a_strip_has_even_ticks_from_its_first_power_of_ten_to_the_limit(floor, first):
    strip = BeautifulSoup(draw_strip([(10.0**floor, "a", "equality")], 0), "html.parser")
    step = (WIDTH - LEFT - RIGHT) / -floor
    wanted = pytest.approx([LEFT + step * n for n in range(1 - floor)], abs=0.1)
    ticks = strip.select("line:not(.limit)")
    assert [float(words["x"]) for words in strip.select("text")] == wanted
    assert [float(tick["x1"]) for tick in ticks] == wanted
    assert [float(tick["x2"]) for tick in ticks] == wanted
    [limit] = strip.select("line.limit")
    assert float(limit["x1"]) == float(limit["x2"]) == WIDTH - RIGHT
    assert float(strip.circle["cx"]) == LEFT
    assert f"on a logarithmic axis from {first} to 1" in strip.svg["aria-label"]


def test_a_strip_has_its_dots_beside_the_limit_and_its_ticks_below_them():
    dots = [(0.5, "a", "equality")] * 40
    strip = BeautifulSoup(draw_strip(dots, 0), "html.parser")
    heights = [float(dot["cy"]) for dot in strip.select("circle")]
    assert TOP <= min(heights) < max(heights) <= HEIGHT - BOTTOM
    [limit] = strip.select("line.limit")
    assert 0 <= float(limit["y1"]) < TOP and HEIGHT - BOTTOM < float(limit["y2"])
    for tick, words in zip(strip.select("line:not(.limit)"), strip.select("text"), strict=True):
        places = [float(limit["y2"]), float(tick["y1"]), float(tick["y2"]), float(words["y"])]
        assert places == sorted(set(places)) and places[-1] < HEIGHT


def test_the_three_kinds_of_dots_have_their_middle_at_one_place():
    circle, diamond, square = (
        BeautifulSoup(draw_dot((0.3, "a", kind), -2, 7), "html.parser")
        for kind in ("equality", "inequality", "estimate")
    )
    middle = [float(circle.circle["cx"]), float(circle.circle["cy"])]
    top = re.fullmatch(r"M(\S+) (\S+)l5 5l-5 5l-5-5z", diamond.path["d"])
    assert [float(top[1]), float(top[2]) + 5] == pytest.approx(middle, abs=0.11)
    rect = square.rect
    sides = [("x", "width"), ("y", "height")]
    center = [float(rect[start]) + float(rect[size]) / 2 for start, size in sides]
    assert center == pytest.approx(middle, abs=0.11)


def test_shares_stand_on_a_logarithmic_axis_that_ends_at_the_limit():
    limit = place(1.0, -8)
    assert limit == WIDTH - LEFT
    steps = [place(10.0**power, -8) for power in range(-8, 1)]
    gaps = {round(after - before, 6) for before, after in zip(steps, steps[1:], strict=False)}
    assert len(gaps) == 1
    assert place(1e-30, -8) == steps[0]


@pytest.mark.parametrize(
    "kind, promise, strong",
    [
        ("equality", "equal to 10⁻¹²", True),
        ("equality", "equal to 0.01", True),
        ("equality", "equal to 0.05", False),
        ("inequality", "at most the bound", False),
        ("count", "true of all 8", False),
        ("figure", "drawn as computed: 2 artists, to 0.5 % of the axes", True),
    ],
)
def test_a_claim_is_strong_if_two_sides_must_agree(kind, promise, strong):
    assert is_strong({"parts": [{"kind": kind, "promise": promise}]}) is strong


@pytest.mark.parametrize(
    "parts, reasons",
    [
        ([("inequality", "at most the bound")], ["a bound"]),
        ([("count", "true of all 8"), ("words", "falls")], ["cases", "words"]),
        ([("equality", "equal to 0.05"), ("inequality", "at most the bound")], ["a bound", "two"]),
    ],
)
def test_a_claim_that_is_not_strong_says_why(parts, reasons):
    claim = {"parts": [{"kind": kind, "promise": promise} for kind, promise in parts]}
    said = say_why_not_strong(claim)
    assert all(why.startswith(reason) for why, reason in zip(said, reasons, strict=True))


EXTENSIONS = [
    module.name
    for module in pkgutil.iter_modules(sphinx.__path__, "bookproof.sphinx.")
    if "def setup(" in Path(sphinx.__path__[0], f"{module.name.split('.')[-1]}.py").read_text()
]


@pytest.mark.parametrize("name", EXTENSIONS)
def test_no_extension_keeps_pages_from_being_read_and_written_side_by_side(name):
    promised = importlib.import_module(name).setup(MagicMock())
    assert promised == {"parallel_read_safe": True, "parallel_write_safe": True}


def test_what_is_often_said_of_a_figure_is_one_promise():
    said = [{"kind": "words", "promise": f"curve {n} rises"} for n in range(3)]
    assert list(group_parts(said)) == ["shows what is said of it in words, 3 times"]
    assert len(group_parts(said[:2])) == 2


def write_formula(*after):
    """Return a paragraph of one formula and what comes after it, as a page has it in the end."""
    document = new_document("page")
    document += nodes.paragraph("", "", nodes.Text("So "), nodes.math("", "x"), *after)
    keep_punctuation(None, document, "page")
    return [(type(node).__name__, node.astext()) for node in document[0].children[1:]]


@pytest.mark.parametrize(
    "after, formula, rest",
    [
        (", and", "x\\text{,}", " and"),
        ("). Then", "x\\text{).}", " Then"),
        (" and", "x", " and"),
        (".", "x\\text{.}", ""),
    ],
)
def test_a_sign_after_a_formula_does_not_begin_a_line(after, formula, rest):
    assert write_formula(nodes.Text(after)) == [("math", formula), ("Text", rest)]


def test_a_formula_before_nothing_or_before_other_nodes_stays_and_does_not_stop_the_next():
    assert write_formula() == [("math", "x")]
    strong = nodes.strong("", ", and")
    assert write_formula(strong) == [("math", "x"), ("strong", ", and")]
    found = write_formula(nodes.Text(" and "), nodes.math("", "y"), nodes.Text("."))
    assert found[2] == ("math", "y\\text{.}")


@pytest.mark.parametrize(
    "exception, kind, is_copied",
    [(None, "html", True), (OSError(), "html", False), (None, "x", False)],
)
def test_a_site_gets_the_style_of_formulas_and_fonts_of_one_format(
    tmp_path, monkeypatch, exception, kind, is_copied
):
    there = tmp_path / "katex"
    (there / "fonts").mkdir(parents=True)
    for name in ("katex.min.css", "katex.js", "fonts/a.woff2", "fonts/a.ttf"):
        (there / name).write_text(name)
    monkeypatch.setattr("bookproof.sphinx.katex.KATEX", there)
    app = SimpleNamespace(outdir=tmp_path / "site", builder=SimpleNamespace(format=kind))
    copy_katex(app, exception)
    copy_katex(app, exception)
    names = {path.name for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert names == ({"katex.min.css", "a.woff2"} if is_copied else set())


# Who cites a work


def make_citing(*places):
    """Return the bibliography of three works on a page, and the build of a book that cites them,
    each place as (page, id, keys).
    """
    keys = {"id1": "dinh", "id2": "kwon", "id3": "nobody"}
    citations = [
        SimpleNamespace(citation_id=id_, key=key, bibliography_key=SimpleNamespace(docname="works"))
        for id_, key in keys.items()
    ]
    citations.append(
        SimpleNamespace(
            citation_id="id1", key="other", bibliography_key=SimpleNamespace(docname="elsewhere")
        )
    )
    refs = [
        SimpleNamespace(
            docname=page, citation_ref_id=id_, targets=[SimpleNamespace(key=key) for key in cited]
        )
        for page, id_, cited in places
    ]
    domain = SimpleNamespace(citations=citations, citation_refs=refs)
    env = SimpleNamespace(
        get_domain=lambda name: domain,
        toc_secnumbers={"two": {"": (2,)}, "one": {"": (1, 3)}, "bare": {}},
        titles={"bare": nodes.title("", "A page"), "late": nodes.title("", "Late")},
    )
    builder = SimpleNamespace(get_relative_uri=lambda here, there: f"{there}.html")
    document = new_document("works")
    for id_ in keys:
        document += nodes.citation("", ids=[id_, f"{id_}-again"], backrefs=["here"])
    return SimpleNamespace(env=env, builder=builder), document


def test_a_work_says_which_pages_cite_it_in_the_order_of_the_book():
    app, document = make_citing(
        ("works", "c0", ["nobody"]),
        ("late", "c1", ["dinh"]),
        ("bare", "c2", ["dinh", "kwon"]),
        ("one", "c3", ["dinh"]),
        ("two", "c4", ["dinh"]),
        ("one", "c5", ["dinh"]),
    )
    link_back(app, document, "works")
    assert [entry.astext() for entry in document] == [
        "Cited in 2, 1.3, A page, Late",
        "Cited in A page",
        "",
    ]
    assert [link["refuri"] for link in document[0].findall(nodes.reference)] == [
        "two.html#c4",
        "one.html#c3",
        "bare.html#c2",
        "late.html#c1",
    ]
    assert all(link["internal"] for link in document.findall(nodes.reference))
    assert all(entry["backrefs"] == [] for entry in document)
    assert list_bibliographies(app, app.env) == ["elsewhere", "works"]


def test_a_page_is_read_with_roles_where_it_has_author_and_year():
    source = ['So <cite data-cite="dinh2017sharp">Dinh et al. (2017)</cite> say.']
    read_citations(None, "page", source)
    assert source == ["So {cite:t}`dinh2017sharp` say."]


# How a page is cited


def cite_on(page, folder, citation, doctree=True):
    """Return what is added to a page of a book."""
    (folder / "CITATION.cff").write_text(json.dumps(citation) if citation else "")
    if not citation:
        (folder / "CITATION.cff").unlink()
    app = SimpleNamespace(
        srcdir=str(folder),
        config=SimpleNamespace(bookproof_citation="CITATION.cff", root_doc="index"),
        env=SimpleNamespace(titles={"area": nodes.title("", "Area < volume")}),
    )
    context = {"body": "Text."}
    add_citation(app, page, "page.html", context, True if doctree else None)
    return context["body"].removeprefix("Text.")


def test_each_page_of_a_book_with_a_citation_says_how_it_is_cited(tmp_path):
    assert cite_on("area", tmp_path, {}) == ""
    assert cite_on("search", tmp_path, CITATION, doctree=False) == ""
    assert "<p>Ada Byron and The Circle (2030). Circles" in cite_on("index", tmp_path, CITATION)
    assert "Area &lt; volume. In: Circles" in cite_on("area", tmp_path, CITATION)


@pytest.mark.parametrize(
    "more, address",
    [
        ({"doi": "10.1/2", "url": "https://a.b", "repository-code": "https://c.d"}, "10.1/2"),
        ({"url": "https://a.b", "repository-code": "https://c.d"}, "https://a.b"),
        ({"repository-code": "https://c.d"}, "https://c.d"),
    ],
)
def test_a_citation_names_the_address_that_lasts_longest(more, address):
    assert say_citation({**CITATION, **more}, "").endswith(f"version 1.2. {address}")
    entry = write_bibtex({**CITATION, **more}, "")
    assert entry.startswith("@misc{circles2030,") and "booktitle" not in entry
    assert "  title = {Circles, Executed},\n" in entry
    assert f"{{{address}}}" in entry and ("doi = " in entry) is ("doi" in more)


# Math, rendered by KaTeX in a node; here by a script that takes its place

KATEX = """
exports.renderToString = (tex, options) => {
  if (tex === "bad") throw new Error("it cannot be read");
  return `<i>${tex} ${options.output}</i><annotation x="1">${tex}\n</annotation>`;
};
"""


@pytest.fixture
def renderer(tmp_path, monkeypatch):
    """The extension with a KaTeX of its own; the node ends with the test."""
    (tmp_path / "katex.min.js").write_text(KATEX)
    monkeypatch.setattr("bookproof.sphinx.katex.KATEX", tmp_path)
    katex.start_renderer.cache_clear()
    yield katex
    katex.start_renderer().kill()
    katex.start_renderer().wait()
    katex.start_renderer.cache_clear()


def test_formulas_are_rendered_one_after_another_without_their_source(renderer):
    for tex in ("x^2", "α"):
        assert renderer.render(tex, {"output": "html"}) == f"<i>{tex} html</i>"


def test_a_formula_that_cannot_be_read_is_told_and_the_next_is_rendered(renderer, caplog):
    logger = logging.getLogger("sphinx.bookproof.sphinx.katex")
    logger.addHandler(caplog.handler)
    assert renderer.render("bad", {}) == ""
    logger.removeHandler(caplog.handler)
    assert "math cannot be rendered: it cannot be read" in caplog.text
    assert renderer.render("x", {"output": "html"}) == "<i>x html</i>"


def test_a_node_that_has_stopped_stops_the_build(renderer, tmp_path):
    (tmp_path / "katex.min.js").write_text("process.exit(0)")
    with pytest.raises((ExtensionError, BrokenPipeError)):
        renderer.render("x", {})


def test_a_page_renders_with_the_macros_of_its_book(renderer, monkeypatch):
    seen = []
    monkeypatch.setattr(renderer, "render", lambda tex, options: seen.append((tex, options)))
    renderer.replace_renderer(None, SimpleNamespace(math_macros={"R": "r"}))
    renderer.katex.render_latex("x", {"displayMode": True})
    renderer.katex.render_latex("y")
    common = {"macros": {"R": "r"}, "strict": "ignore", "output": "htmlAndMathml"}
    assert seen == [("x", {**common, "displayMode": True}), ("y", common)]
