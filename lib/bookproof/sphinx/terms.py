"""Words that a glossary explains show their line where they stand.

A word in `{term}` is a link to the glossary, as ever. Here the page also brings along the lines of
the words that it uses, once each; a script shows them beside the word that a reader points at,
reaches by the keyboard or taps. Without a script the link leads to the glossary.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

LINK = re.compile(
    r'<a class="reference internal" href="([^"#]*)#(term-[^"]+)"'
    r'(?=[^>]*><span class="xref std std-term)'
)


class card(nodes.General, nodes.Element):
    """The line of one word, not shown before it is asked for."""


def visit_card(self, node):
    self.body.append(
        self.starttag(node, "div", CLASS="term-card", role="tooltip", ids=[node["name"]])
        .rstrip()
        .replace("<div ", "<div hidden ", 1)
    )


def depart_card(self, node):
    self.body.append("</div>\n")


def skip_card(self, node):
    raise nodes.SkipNode


def find_entry(env: BuildEnvironment, word: str) -> tuple[str, str] | None:
    """Return page and anchor of a word in the glossary, None where it has none."""
    standard = env.get_domain("std")
    entry = standard.objects.get(("term", word))
    return entry or standard._terms.get(word.lower())


def read_line(env: BuildEnvironment, page: str, anchor: str, here: str) -> list[nodes.Node]:
    """Return what a glossary says of a word, for the page `here`, its references not resolved."""
    for item in env.get_doctree(page).findall(nodes.definition_list_item):
        words = [node for node in item.children if isinstance(node, nodes.term)]
        if not any(anchor in word["ids"] for word in words):
            continue
        definition = item[-1].deepcopy()
        for reference in definition.findall(addnodes.pending_xref):
            reference["refdoc"] = here
        title = nodes.strong("", words[0].astext())
        first = definition[0]
        return [nodes.paragraph("", "", title, nodes.Text(": "), *first.children)]
    return []


class BringTerms(SphinxPostTransform):
    default_priority = 5  # before references are resolved, those of the lines too
    formats = ("html",)

    def run(self, **kwargs):
        here = self.env.docname
        entries = {}
        for reference in self.document.findall(addnodes.pending_xref):
            if (reference["refdomain"], reference["reftype"]) == ("std", "term"):
                entry = find_entry(self.env, reference["reftarget"])
                if entry and entry[0] != here:
                    entries[entry[1]] = entry[0]
        for anchor, page in entries.items():
            line = read_line(self.env, page, anchor, here)
            if line:
                self.document.append(card("", *line, name=f"card-{anchor}"))


def tie_terms(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Tell each link to the glossary which card describes it."""
    body = context.get("body", "")
    shown = set(re.findall(r'id="card-(term-[^"]+)"', body))

    def tie(link: re.Match) -> str:
        address, anchor = link.groups()
        if anchor not in shown:
            return link[0]
        return (
            f'<a class="reference internal term" href="{address}#{anchor}"'
            f' aria-describedby="card-{anchor}"'
        )

    context["body"] = LINK.sub(tie, body)


def list_pages_with_terms(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again since the glossary is another one."""
    glossaries = {entry[0] for entry in env.get_domain("std")._terms.values()}
    lines = {name: env.get_doctree(name).astext() for name in sorted(glossaries)}
    known = getattr(env, "bookproof_glossaries", None)
    env.bookproof_glossaries = lines
    return [] if lines == known else sorted(env.found_docs)


def setup(app: Sphinx) -> dict:
    app.add_node(card, html=(visit_card, depart_card), latex=(skip_card, None))
    app.add_post_transform(BringTerms)
    app.connect("env-updated", list_pages_with_terms)
    app.connect("html-page-context", tie_terms)
    app.add_js_file("terms.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
