"""The ledger: `{ledger}` becomes a table of every claim of the book, read from the notebooks as
this build executed them.

A statement or numbered figure without its claim is shown there, and warned of.
"""

import html
import re
from contextlib import suppress
from pathlib import Path

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..notebooks import MIME, claims, uncovered

LOGGER = logging.getLogger(__name__)
COLUMNS = ["Claim", "Chapter", "Function", "Test", "Bound", "Measured", "Result"]
WIDTHS = [30, 12, 12, 20, 8, 10, 8]


class ledger(nodes.General, nodes.Element):
    """Where the table will stand, once all notebooks are read."""


class Ledger(SphinxDirective):
    def run(self):
        return [ledger()]


class Executed(EnvironmentCollector):
    """Keep, for each page, the executed notebook or the Markdown it was read from."""

    def process_doc(self, app, doctree):
        env = app.env
        path = Path(env.doc2path(env.docname))
        if path.suffix == ".ipynb":
            documents(env)[env.docname] = slim(executed(env.mystnb_config, env.docname))
        else:
            documents(env)[env.docname] = path.read_text()

    def clear_doc(self, app, env, docname):
        documents(env).pop(docname, None)

    def merge_other(self, app, env, docnames, other):
        documents(env).update(
            {name: documents(other)[name] for name in docnames if name in documents(other)}
        )


def documents(env):
    if not hasattr(env, "claimed_documents"):
        env.claimed_documents = {}
    return env.claimed_documents


def executed(config, docname):
    """The notebook with the outputs of this build: in the cache, or, when a cell raised or nothing
    was to be executed, written out.
    """
    notebook = nbformat.read(Path(config.output_folder) / f"{docname}.ipynb", as_version=4)
    if config.execution_mode == "cache":
        with suppress(KeyError):
            return get_cache(config.execution_cache_path).merge_match_into_notebook(notebook)[1]
    return notebook


def slim(notebook):
    """The notebook without its other outputs: pictures have no place in Sphinx's memory."""
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if MIME in output.get("data", {})]
    return notebook


def warn_of_uncovered(app, env):
    for sentence in uncovered(documents(env)):
        LOGGER.warning("ledger: %s", sentence)


def rewrite_ledger(app, env):
    """The page shows what other pages claim, so it is written anew whenever any page was read."""
    return [
        name
        for name, document in documents(env).items()
        if isinstance(document, str) and "{ledger}" in document
    ]


def inline(text):
    """A claim's sentence with its $math$ and `code`."""
    found = []
    for part in re.split(r"(\$[^$]+\$|`[^`]+`)", text):
        if part.startswith("$"):
            found.append(nodes.math("", part[1:-1]))
        elif part.startswith("`"):
            found.append(nodes.literal("", part[1:-1]))
        else:
            found.append(nodes.Text(part))
    return found


def number(value):
    return "–" if value is None else f"{value:.2g}"


def limit(bound):
    return "exact" if bound == 0 else number(bound)


def link(app, here, name, docname, anchor=""):
    uri = app.builder.get_relative_uri(here, docname) + (f"#{anchor}" if anchor else "")
    return nodes.reference("", "", nodes.Text(name), refuri=uri, internal=True)


def place(env, identifier, docname):
    """Page and anchor of what a claim is about; the page that claims it when there is no such
    anchor.
    """
    std = env.get_domain("std").anonlabels
    if identifier in std:
        return std[identifier]
    statement = getattr(env, "proof_list", {}).get(identifier)
    return (statement["docname"], identifier) if statement else (docname, "")


def row(app, here, docname, claim):
    title = app.env.titles[docname].astext()
    cells = [
        [
            link(app, here, claim["identifier"], *place(app.env, claim["identifier"], docname)),
            nodes.Text(": "),
            *inline(claim["sentence"]),
        ],
        [link(app, here, title, docname)],
        [nodes.literal("", claim["function"])],
        [nodes.literal("", claim["test"])],
        [nodes.Text(limit(claim["bound"]))],
        [nodes.Text(number(claim["error"]))],
        [nodes.Text("✓ held" if claim["held"] else "✗ failed")],
    ]
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def table(rows):
    head = nodes.row("", *(nodes.entry("", nodes.paragraph("", name)) for name in COLUMNS))
    group = nodes.tgroup(
        "", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(COLUMNS)
    )
    group += [nodes.thead("", head), nodes.tbody("", *rows)]
    return nodes.table("", group, classes=["ledger", "colwidths-given"])


def fill(app, doctree, here):
    for placeholder in list(doctree.findall(ledger)):
        order = [name for name in reading_order(app.env) if name in documents(app.env)]
        rows = [(name, claim) for name in order for claim in claims(documents(app.env)[name])]
        failed = sum(not claim["held"] for _, claim in rows)
        count = (
            f"{plural(len(rows), 'claim')} in {plural(len({name for name, _ in rows}), 'chapter')},"
            f" {'all held' if not failed else f'{failed} failed'}."
        )
        content = [nodes.paragraph("", count, classes=["ledger-count"])]
        if rows:
            content.append(table([row(app, here, name, claim) for name, claim in rows]))
        missing = uncovered(documents(app.env))
        if missing:
            content.append(nodes.paragraph("", "Missing:"))
            content.append(
                nodes.bullet_list(
                    "",
                    *(nodes.list_item("", nodes.paragraph("", sentence)) for sentence in missing),
                )
            )
        placeholder.replace_self(content)


def reading_order(env):
    """The pages as the table of contents lists them."""
    order = [env.config.root_doc]
    for name in order:
        order += [child for child in env.toctree_includes.get(name, ()) if child not in order]
    return order


def plural(n, word):
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


SHOWN = re.compile(r'\s*<p class="claim">((?:\s*<(span|strong)\b.*?</\2>)*)(.*)</p>\s*', re.DOTALL)


def typeset(app, doctree):
    """A claim shows itself as HTML, in which math is still $math$: make of it a paragraph like any
    other.
    """
    for raw in list(doctree.findall(nodes.raw)):
        shown = SHOWN.fullmatch(raw.astext())
        if shown:
            mark = nodes.raw("", shown[1], format="html")
            raw.replace_self(
                nodes.paragraph("", "", mark, *inline(html.unescape(shown[3])), classes=["claim"])
            )


def setup(app):
    app.add_node(ledger)
    app.add_directive("ledger", Ledger)
    app.add_env_collector(Executed)
    app.connect("doctree-read", typeset)
    app.connect("env-updated", rewrite_ledger)
    app.connect("env-check-consistency", warn_of_uncovered)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
