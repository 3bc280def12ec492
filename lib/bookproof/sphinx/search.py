"""A search that finds prose, and summaries for its results, also where a page is opened as a file.

Sphinx fetches each page that is found and takes the text of all of it: buttons, a table of
contents, each formula once for eyes and once for ears, code; from a file nothing can be fetched.
Here the build writes the texts of all pages into one script, which only the page of the search
loads, and what a word is found by has no code either.

Who types the title of a page, of a statement or a word of the glossary wants that page first: to
Sphinx all pages that have each word somewhere are equal, a Greek letter is no word, and a number is
left out.
"""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from .cells import is_cell_source

ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*?)</article>', re.DOTALL)
UNREAD = re.compile(
    r'<span class="katex-mathml">.*?</math></span>'
    r'|<a class="headerlink".*?</a>|<(script|style|svg)\b.*?</\1>',
    re.DOTALL,
)
CODE = [
    ("details", re.compile(r'\bclass="code"')),
    ("div", re.compile(r'\bclass="(cell_input|highlight-|doctest |output (stream|text_plain))')),
]
SECTION = re.compile(r'<section id="([^"]+)">')
TAG = re.compile(r"<[^>]*>")
END_OF_BLOCK = re.compile(r"</(dt|dd|li|p|t[dhr]|h[1-6]|div|summary|figcaption|caption)>")
CODE_NODES = (nodes.literal_block, nodes.doctest_block)
# What a page has names of, and what it is worth in a search to be called so.
NAMES = [
    (100, re.compile(r"<h1>(.*?)</h1>", re.DOTALL)),
    (90, re.compile(r'<dt id="term-[^"]*">(.*?)</dt>', re.DOTALL)),
    (
        80,
        re.compile(
            r'<div class="proof [^"]*"[^>]*>\s*<p class="admonition-title">(.*?)</p>', re.DOTALL
        ),
    ),
]
NUMBER = re.compile(r'<span class="section-number">.*?</span>')
SCRIPT = """const PAGES = {pages};
const find = url => new URL(url, location).pathname;
const known = url => Object.keys(PAGES).find(name => find(name) == find(url));
const fetchElsewhere = window.fetch;
window.fetch = (url, ...more) => known(url)
  ? Promise.resolve({{text: () => Promise.resolve(known(url))}})
  : fetchElsewhere(url, ...more);
// Sphinx cannot show a result of which no text is known.
const read = ({{text, sections}}, anchor) =>
  text.slice(sections[(anchor || "").replace("#", "")] || 0) || text || "\u2013";
// A letter is found by its name, a number belongs to a word: "Theorem 4" is not "Theorem 4.1".
const GREEK = {{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta",
  "θ": "theta", "λ": "lambda", "ρ": "rho", "σ": "sigma", "ϕ": "phi"}};
const listWords = text => text.toLowerCase().replace(/[α-ωϕ]/g, letter => GREEK[letter] || letter)
  .split(/[^\\p{{L}}\\p{{N}}.]+/u).map(word => word.replace(/^\\.+|\\.+$/g, "")).filter(Boolean);
const query = listWords(new URLSearchParams(location.search).get("q") || "").join(" ");
const judge = ([worth, name]) => {{
  const words = listWords(name).join(" ");
  return words == query ? worth + 20 : ` ${{words}} `.includes(` ${{query}} `) ? worth / 2 : 0;
}};
const nameScores = Object.fromEntries(Object.values(PAGES).map(({{document, names}}) =>
  [document, query ? Math.max(0, ...names.map(judge)) : 0]));
const readPages = () => {{
  Scorer.score = ([page, title, anchor, about, score]) => score + (nameScores[page] || 0);
  const readElsewhere = Search.htmlToText;
  Search.htmlToText = (page, anchor) => PAGES[page]
    ? read(PAGES[page], anchor)
    : readElsewhere(page, anchor);
}};
// Before the search itself begins, whichever of the two scripts a page has first.
if (typeof Search === "undefined") document.addEventListener("DOMContentLoaded", readPages);
else readPages();
"""


def read_text(page: str) -> tuple[str, dict[str, int]]:
    """Return what a reader sees on a page, and where each section begins in it.

    >>> read_text('<article class="bd-article"><section id="a"><p>One &lt; two.</p></article>')
    ('One < two.', {'a': 0})
    """
    article = ARTICLE.search(page)
    if article is None:
        return "", {}
    prose = UNREAD.sub("", article[1])
    for tag, looks in CODE:
        prose = drop_elements(prose, tag, looks)
    first, *rest = SECTION.split(prose)
    text, sections = clean(first), {}
    for name, part in zip(rest[::2], rest[1::2], strict=True):
        sections[name] = len(text)
        text += clean(part)
    return text.rstrip(), sections


def drop_elements(page: str, tag: str, looks: re.Pattern) -> str:
    """Return some HTML without the elements of a tag that looks so, and what is in them.

    >>> drop_elements('a <div class="x">b <div>c</div></div> d', "div", re.compile("x"))
    'a  d'
    """
    kept, begin, depth = [], 0, 0
    for found in re.finditer(rf"<(/?){tag}\b[^>]*>", page):
        is_end = bool(found[1])
        if depth == 0 and not is_end and looks.search(found[0]):
            kept.append(page[begin : found.start()])
            depth = 1
        elif depth:
            depth += -1 if is_end else 1
            begin = found.end()
    return "".join([*kept, page[begin:]])


def clean(part: str) -> str:
    """Return some HTML as text, with one blank at its end.

    >>> clean("<dl><dt>bias</dt><dd>a number</dd></dl>")
    'bias a number '
    """
    apart = END_OF_BLOCK.sub(" ", part)
    words = html.unescape(TAG.sub("", apart)).replace("\u200b", "").split()
    return " ".join(words) + " " if words else ""


def read_names(page: str) -> list[tuple[int, str]]:
    """Return what a page has names of, each with its worth.

    >>> read_names('<article class="bd-article"><h1>Flat</h1></article>')
    [(100, 'Flat')]
    """
    article = ARTICLE.search(page)
    prose = NUMBER.sub("", UNREAD.sub("", article[1])) if article else ""
    return [(worth, clean(name).strip()) for worth, form in NAMES for name in form.findall(prose)]


def write_script(pages: Mapping[str, tuple[str, str]]) -> str:
    """Return the script for some pages: {address: (name of the document, HTML)}."""
    texts = {}
    for address, (document, page) in pages.items():
        text, sections = read_text(page)
        texts[address] = {
            "document": document,
            "names": read_names(page),
            "text": text,
            "sections": sections,
        }
    return SCRIPT.format(pages=json.dumps(texts, ensure_ascii=False))


def leave_code_out(app: Sphinx) -> None:
    """Have the index of the search made from prose: the builder gets pages without their code."""
    builder = app.builder
    if not isinstance(builder, StandaloneHTMLBuilder):
        return
    index_page = builder.index_page

    def index_prose(pagename: str, doctree: nodes.document, title: str) -> None:
        index_page(pagename, drop_code(doctree), title)

    builder.index_page = index_prose


def drop_code(doctree: nodes.document) -> nodes.document:
    """Return a copy of a page without the sources of its cells and without other code."""
    prose = doctree.deepcopy()
    found = prose.findall(lambda node: is_cell_source(node) or isinstance(node, CODE_NODES))
    for node in list(found):
        if node.parent is not None:
            node.parent.remove(node)
    return prose


def load_summaries(app: Sphinx, pagename: str, templatename, context: dict, doctree) -> None:
    if pagename == "search":
        app.add_js_file("summaries.js")


def write_summaries(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    addresses = {name: app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)}
    pages = {
        address: (name, Path(app.builder.get_outfilename(name)).read_text(encoding="utf-8"))
        for name, address in addresses.items()
    }
    target = Path(app.outdir) / "_static" / "summaries.js"
    target.write_text(write_script(pages), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", leave_code_out)
    app.connect("html-page-context", load_summaries)
    app.connect("build-finished", write_summaries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
