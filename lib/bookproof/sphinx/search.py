"""Summaries for the results of a search, also where a page is opened as a file.

Sphinx fetches each page that is found and takes the text of all of it: buttons, a table of
contents, each formula once for eyes and once for ears; from a file nothing can be fetched. Here the
build writes the texts of all pages into one script, which only the page of the search loads.
"""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx

ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*?)</article>', re.DOTALL)
UNREAD = re.compile(
    r'<span class="katex-mathml">.*?</math></span>'
    r'|<a class="headerlink".*?</a>|<(script|style|svg)\b.*?</\1>',
    re.DOTALL,
)
SECTION = re.compile(r'<section id="([^"]+)">')
TAG = re.compile(r"<[^>]*>")
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
const readPages = () => {{
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
    first, *rest = SECTION.split(UNREAD.sub("", article[1]))
    text, sections = clean(first), {}
    for name, part in zip(rest[::2], rest[1::2], strict=True):
        sections[name] = len(text)
        text += clean(part)
    return text.rstrip(), sections


def clean(part: str) -> str:
    """Return some HTML as text, with one blank at its end."""
    words = html.unescape(TAG.sub("", part)).replace("\u200b", "").split()
    return " ".join(words) + " " if words else ""


def write_script(pages: Mapping[str, str]) -> str:
    """Return the script for some pages: {address: HTML}."""
    texts = {}
    for address, page in pages.items():
        text, sections = read_text(page)
        texts[address] = {"text": text, "sections": sections}
    return SCRIPT.format(pages=json.dumps(texts, ensure_ascii=False))


def load_summaries(app: Sphinx, pagename: str, templatename, context: dict, doctree) -> None:
    if pagename == "search":
        app.add_js_file("summaries.js")


def write_summaries(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    addresses = {name: app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)}
    pages = {
        address: Path(app.builder.get_outfilename(name)).read_text(encoding="utf-8")
        for name, address in addresses.items()
    }
    target = Path(app.outdir) / "_static" / "summaries.js"
    target.write_text(write_script(pages), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", load_summaries)
    app.connect("build-finished", write_summaries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
