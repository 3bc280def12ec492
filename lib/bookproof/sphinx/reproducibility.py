"""The page on reproducibility: `{reproducibility} PART` becomes what this build knows of versions,
machine, times and claims. None of it is typed.
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from .. import machine
from ..notebooks import find_claims, find_statements
from ..tables import build_html, format_number
from ..versions import read_lock, read_wishes
from .ledger import plural
from .pages import get_pages, list_notebooks, list_pages

SLOWEST = 5


class part(nodes.General, nodes.Element):
    """Where a part will stand, once all notebooks are read."""


class Reproducibility(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.metadata[self.env.docname]["has_facts"] = True
        return [part(name=directives.choice(self.arguments[0], list(PARTS)))]


def make_table(caption: str, head: list[str], rows: list[tuple[str, ...]]) -> nodes.raw:
    """Return a table whose cells are HTML already; the first of each row is its header."""
    return nodes.raw("", build_html(caption, head, rows), format="html")


def make_paragraph(html: str) -> nodes.raw:
    return nodes.raw("", f"<p>{html}</p>", format="html")


def format_code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


# Versions


def compare_versions(
    pins: dict[str, str], names: list[str], find_version: Callable[[str], str | None]
) -> tuple[list[tuple[str, ...]], str]:
    """Return rows (package, locked, here) for some packages, and a sentence on the whole lock."""
    here = {name: find_version(name) or "not installed" for name in [*names, *pins]}
    rows = [(format_code(name), pins.get(name, "–"), here[name]) for name in names]
    off = [name for name, version in pins.items() if here[name] != version]
    if not off:
        said = f"All {len(pins)} packages of the lock are installed here in the versions it names."
        return rows, said
    named = ", ".join(f"{format_code(name)} {pins[name]} (here {here[name]})" for name in off)
    return rows, f"Of the {len(pins)} packages of the lock, {len(off)} differ here: {named}."


def tell_versions(app: Sphinx, here: str) -> list[nodes.Node]:
    lock, project = (
        Path(app.srcdir) / name
        for name in (app.config.bookproof_lock, app.config.bookproof_project)
    )
    if not lock.exists():
        return [make_paragraph(f"There is no lock, {format_code(lock.name)}, to compare with.")]
    pins = read_lock(lock.read_text())
    names = read_wishes(project.read_text()) if project.exists() else list(pins)
    rows, sentence = compare_versions(pins, names, machine.installed)
    caption = "What the book asks for by name, as locked and as installed where this page was built"
    return [make_paragraph(sentence), make_table(caption, ["Package", "Locked", "Here"], rows)]


# Machine


def find_commit(source: Path) -> str | None:
    """Return the commit that was built, with a word on changes beside it; None without git."""
    run = ["git", "-C", str(source)]
    describe = ["describe", "--always", "--dirty= with changes", "--abbrev=12"]
    try:
        top = subprocess.run([*run, "rev-parse", "--show-toplevel"], capture_output=True, text=True)
        said = subprocess.run([*run, *describe], capture_output=True, text=True)
    except OSError:
        return None
    # A book without a history of its own may lie inside another one's.
    is_its_own = top.returncode == 0 and Path(top.stdout.strip()).resolve() == source.resolve()
    return said.stdout.strip() if is_its_own and said.returncode == 0 else None


def tell_machine(app: Sphinx, here: str) -> list[nodes.Node]:
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "as many as cores")
    found = {
        **machine.facts(),
        "Threads": f"{threads} for each notebook",
        "Commit": find_commit(Path(app.srcdir)) or "unknown: this was no git checkout",
    }
    rows = [(name, escape(value)) for name, value in found.items()]
    return [make_table("Where and of what this page was built", ["What", "Here"], rows)]


# Times


def read_times(env: BuildEnvironment, name: str) -> tuple[float | None, list[tuple[str, float]]]:
    """Return what the cache knows of a notebook's last execution: its seconds, and those of its
    code cells, each known by its first line.
    """
    notebook = nbformat.read(env.doc2path(name), as_version=4)
    try:
        data = get_cache(env.mystnb_config.execution_cache_path).match_cache_notebook(notebook).data
    except KeyError:
        data = {}
    lines = [find_first_line(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    timed = zip(lines, data.get("cell_seconds", ()), strict=False)
    return data.get("execution_seconds"), [(line, s) for line, s in timed if s is not None]


def find_first_line(source: str) -> str:
    """Return the line by which a cell is known: the first that does something but import."""
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
    doing = [line for line in lines if not line.startswith(("import ", "from ", "%"))]
    return next(iter(doing or lines), "")


def sum_up_times(
    chapters: list[tuple[str, float | None, list[tuple[str, float]]]],
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], float]:
    """Return the rows of both tables from [(chapter, seconds, [(first line, seconds)])], and the
    sum.
    """
    rows = [(chapter, format_number(total), str(len(cells))) for chapter, total, cells in chapters]
    cells = [(s, chapter, line) for chapter, _, lines in chapters for line, s in lines]
    slowest = sorted(cells, key=lambda cell: -cell[0])[:SLOWEST]
    slow = [(format_code(line), chapter, format_number(s)) for s, chapter, line in slowest]
    return rows, slow, sum(total or 0 for _, total, _ in chapters)


def tell_times(app: Sphinx, here: str) -> list[nodes.Node]:
    env = app.env
    if env.mystnb_config.execution_mode != "cache":
        said = "Times were not measured in this build: it took the outputs stored in the notebooks."
        return [make_paragraph(said)]
    chapters = []
    for name in list_notebooks(env):
        uri, title = app.builder.get_relative_uri(here, name), escape(env.titles[name].astext())
        link = f'<a class="reference internal" href="{uri}">{title}</a>'
        chapters.append((link, *read_times(env, name)))
    rows, slowest, total = sum_up_times(chapters)
    said = (
        f"{plural(len(rows), 'notebook')}, {format_number(total)} s in all, as many at once as"
        " there are cores; each when it was last executed here."
    )
    caption = "Execution time of each chapter, with the start of its kernel"
    content = [make_paragraph(said), make_table(caption, ["Chapter", "Seconds", "Cells"], rows)]
    if slowest:
        caption = "The slowest cells, by their first lines"
        content.append(make_table(caption, ["Cell", "Chapter", "Seconds"], slowest))
    return content


# Claims


def count_tests(folder: Path) -> int:
    sources = [path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py")]
    return sum(len(re.findall(r"^ *def test_", source, re.MULTILINE)) for source in sources)


def tell_counts(app: Sphinx, here: str) -> list[nodes.Node]:
    """Return how much of the book is checked, counted in what this build read."""
    env = app.env
    pages = [get_pages(env)[name] for name in list_pages(env)]
    kinds = Counter(kind for page in pages for kind, _ in find_statements(page))
    cells = [cell for page in pages for cell in page.cells if cell.cell_type == "code"]
    rows = {
        "Claims, all of which held in this build": sum(len(find_claims(page)) for page in pages),
        "Theorems, definitions and other statements": kinds.total() - kinds["figure"],
        "Numbered figures": kinds["figure"],
        "Notebooks": len(list_notebooks(env)),
        "Code cells": len(cells),
        "Test functions": count_tests(Path(app.srcdir) / app.config.bookproof_tests),
    }
    counted = [(what, str(number)) for what, number in rows.items()]
    return [make_table("What is checked", ["What", "How many"], counted)]


PARTS = {
    "versions": tell_versions,
    "machine": tell_machine,
    "times": tell_times,
    "claims": tell_counts,
}


def fill_parts(app: Sphinx, doctree: nodes.document, here: str) -> None:
    for placeholder in list(doctree.findall(part)):
        placeholder.replace_self(PARTS[placeholder["name"]](app, here))


def list_pages_of_facts(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again in every build: they tell of other pages and of it."""
    return [name for name in get_pages(env) if "has_facts" in env.metadata[name]]


def setup(app: Sphinx) -> dict:
    app.add_node(part)
    app.add_directive("reproducibility", Reproducibility)
    app.connect("env-updated", list_pages_of_facts)
    app.connect("doctree-resolved", fill_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
