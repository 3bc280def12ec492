"""The ledger: `{ledger}` becomes a table of every claim of the book, read from the notebooks as
this build executed them.

A statement or numbered figure without its claim is shown there, and warned of.
"""

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..markers import MarkedTest, read_marked_tests
from ..notebooks import find_uncovered
from .details import details
from .ledger_explorer import (
    WITH_SHARE,
    Entry,
    count_exact,
    is_strong,
    list_entries,
    make_explorer,
    say_why_not_strong,
)
from .pages import get_pages, list_pages
from .strip import draw_strip

LOGGER = logging.getLogger(__name__)
COLUMNS = {
    "Claim": 33,
    "Held to": 13,
    "Found": 15,
    "Functions": 17,
    "Tests": 22,
}
MOST_WORDS = 2  # said of one figure; more are told together
MOST_FINDINGS = 2  # of parts with one promise; of more than these only the worst is told


class ledger(nodes.General, nodes.Element):
    """Where the table will stand, once all notebooks are read."""


class Ledger(SphinxDirective):
    def run(self):
        self.env.metadata[self.env.docname]["has_ledger"] = True
        return [ledger()]


def warn_of_uncovered(app: Sphinx, env: BuildEnvironment) -> None:
    for sentence in find_uncovered(get_pages(env)):
        LOGGER.warning("ledger: %s", sentence, type="bookproof", subtype="ledger")


def list_ledgers(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again whenever any page was read: they show its claims."""
    return [name for name in get_pages(env) if "has_ledger" in env.metadata[name]]


def fill_ledgers(app: Sphinx, doctree: nodes.document, here: str) -> None:
    for placeholder in list(doctree.findall(ledger)):
        placeholder.replace_self(make_ledger(app, here))


def make_ledger(app: Sphinx, here: str) -> list[nodes.Node]:
    """Return what stands in place of `{ledger}` on the page `here`."""
    pages = {name: get_pages(app.env)[name] for name in list_pages(app.env)}
    titles = {name: find_title(app.env, name) for name in pages}
    tests = read_marked_tests(Path(app.srcdir) / app.config.bookproof_tests, library_of(app))
    entries = list_entries(pages, titles, tests, library_of(app))
    chapters = {}
    for entry in entries:
        chapters.setdefault(entry.page, []).append(entry)
    count = f"{plural(len(entries), 'claim')} in {plural(len(chapters), 'chapter')}, all held."
    content = [nodes.paragraph("", count, classes=["ledger-count"])]
    if entries:
        claims = [entry.claim for entry in entries]
        content.append(nodes.paragraph("", say_strength(claims)))
        if is_in_hand(app):
            moving = make_explorer(entries, app.config.bookproof_ledger_element)
            content.append(nodes.raw("", moving.html, format="html"))
        content.append(make_strip(claims))
        content += [make_chapter(app, here, made) for made in chapters.values()]
    missing = find_uncovered(pages)
    if missing:
        sentences = [nodes.paragraph("", sentence) for sentence in missing]
        items = [nodes.list_item("", sentence) for sentence in sentences]
        content += [nodes.paragraph("", "Missing:"), nodes.bullet_list("", *items)]
    return content


def is_in_hand(app: Sphinx) -> bool:
    """Whether the ledger can be searched: where pages have the scripts of explorers."""
    return "bookproof.sphinx.explorers" in app.extensions


def find_title(env: BuildEnvironment, page: str) -> str:
    """Return the number and the title of a page."""
    number = ".".join(map(str, env.toc_secnumbers.get(page, {}).get("", ())))
    return f"{number} {env.titles[page].astext()}".strip()


def say_strength(claims: list[dict]) -> str:
    strong = sum(map(is_strong, claims))
    return (
        f"{strong} of them are strong: at least one of their comparisons has two sides that must"
        " agree to one per cent or better, as drawn or within standard errors, so that a change on"
        " either side turns it red; others of theirs may be bounds, as their row says. Each of the"
        f" other {len(claims) - strong} says in its row why it is not."
    )


def make_strip(claims: list[dict]) -> nodes.raw:
    """Return a picture of all claims: what was measured over what was allowed, a dot for each part
    that has such a share.
    """
    dots = [
        (part["measured"], claim["identifier"], part["kind"])
        for claim in claims
        for part in claim["parts"]
        if part["measured"] and part["kind"] in WITH_SHARE
    ]
    return nodes.raw("", draw_strip(dots, sum(map(count_exact, claims))), format="html")


def make_chapter(app: Sphinx, here: str, entries: list[Entry]) -> details:
    """Return the table of one chapter, which opens from its title."""
    rows = [make_row(app, here, entry) for entry in entries]
    strong = sum(is_strong(entry.claim) for entry in entries)
    summary = f"{entries[0].chapter}: {plural(len(entries), 'claim')}, {strong} strong"
    return details("", make_table(rows), kind="fold ledger-chapter", summary=summary)


def find_ledger(env: BuildEnvironment) -> str | None:
    """Return the page on which the ledger stands, None in a book without one."""
    return next((name for name in get_pages(env) if "has_ledger" in env.metadata[name]), None)


def make_test_list(app: Sphinx, tests: list[MarkedTest]) -> list[nodes.Node]:
    """Return the names of some tests, linked to their source where the book's repository is
    known.
    """
    found = []
    for test in tests:
        code = make_breakable(f"{test.path.name}::{test.name}")
        address = find_source(app, test.path)
        found.append(nodes.reference("", "", code, refuri=address) if address else code)
    return found


def make_breakable(name: str) -> nodes.literal:
    """Return a long name that a line can end in only between its words; what is copied is the name.

    >>> [str(part) for part in make_breakable("test_it").findall(nodes.Text)]
    ['test_', '<wbr>', 'it']
    """
    first, *rest = re.split("(?<=_)|(?<=::)", name)
    code = nodes.literal("", "", nodes.Text(first))
    for part in filter(None, rest):
        code += [nodes.raw("", "<wbr>", format="html"), nodes.Text(part)]
    return code


def find_source(app: Sphinx, path: Path) -> str | None:
    """Return the address of a file in the book's repository, None where none is configured."""
    repository = app.config.bookproof_repository
    if not repository:
        return None
    inside = path.resolve().relative_to(Path(app.srcdir).resolve()).as_posix()
    return f"{repository.rstrip('/')}/blob/{app.config.bookproof_branch}/{inside}"


def make_table(rows: list[nodes.row]) -> nodes.table:
    head = nodes.row("", *(nodes.entry("", nodes.paragraph("", name)) for name in COLUMNS))
    widths = [nodes.colspec(colwidth=width) for width in COLUMNS.values()]
    group = nodes.tgroup("", *widths, cols=len(COLUMNS))
    group += [nodes.thead("", head), nodes.tbody("", *rows)]
    return nodes.table("", group, classes=["ledger", "colwidths-given"])


def make_row(app: Sphinx, here: str, entry: Entry) -> nodes.row:
    """Return the row of a claim; its anchor is `claim-<identifier>`."""
    claim = entry.claim
    identifier = claim["identifier"]
    about = make_link(app, here, identifier, *find_place(app.env, identifier, entry.page))
    groups = group_parts(claim["parts"])
    source = [nodes.Text(f" ({claim['source']})")] if claim["source"] else []
    sentence = [nodes.Text(": "), *parse_inline(claim["sentence"]), *source]
    cells = [
        [nodes.paragraph("", "", about, *sentence), *say_strength_of(claim)],
        [nodes.paragraph("", "", *parse_inline(promise)) for promise in groups],
        [nodes.paragraph("", "", *parse_inline(say_findings(p))) for p in groups.values()],
        make_function_list(app, here, entry.functions),
        [nodes.paragraph("", "", test) for test in make_test_list(app, entry.tests)],
    ]
    dash = nodes.paragraph("", "–")
    entries = [nodes.entry("", *(cell or [dash.deepcopy()])) for cell in cells]
    return nodes.row("", *entries, ids=[nodes.make_id(f"claim-{identifier}")])


def say_strength_of(claim: dict) -> list[nodes.paragraph]:
    """Return a line that says why a claim is not strong, if it is not."""
    if is_strong(claim):
        return []
    why = f"Not strong: {'; '.join(say_why_not_strong(claim))}."
    return [nodes.paragraph("", why, classes=["not-strong"])]


def group_parts(parts: list[dict]) -> dict[str, list[dict]]:
    """Return the parts of a claim by their promises: {promise: parts}.

    Many things that are said of a figure are one promise.
    """
    said = [part for part in parts if part["kind"] == "words"]
    many = f"shows what is said of it in words, {len(said)} times"
    groups = {}
    for part in parts:
        is_one_of_many = part["kind"] == "words" and len(said) > MOST_WORDS
        groups.setdefault(many if is_one_of_many else part["promise"], []).append(part)
    return groups


def say_findings(parts: list[dict]) -> str:
    """Return what was found for some parts with one promise; of many, for the worst."""
    findings = list(dict.fromkeys(name_finding(part) for part in parts))
    if len(findings) <= MOST_FINDINGS:
        return "; ".join(findings) or "–"
    known = [part for part in parts if part["measured"] is not None]
    worst = max(known or parts, key=lambda part: part["measured"] or 0)
    return f"{name_finding(worst)} (the worst of {len(parts)})"


def name_finding(part: dict) -> str:
    return f"{part['name']}: {part['finding']}" if part["name"] else part["finding"]


def library_of(app: Sphinx) -> str:
    return app.config.bookproof_library


def make_function_list(app: Sphinx, here: str, functions: list[str]) -> list[nodes.paragraph]:
    """Return the functions, each linked to where the book documents it, if it does."""
    documented = app.env.domaindata.get("py", {}).get("objects", {})
    found = []
    for name in functions:
        code = nodes.literal("", name)
        entry = documented.get(f"{library_of(app)}.{name}")
        if entry is not None:
            uri = make_uri(app, here, entry.docname, entry.node_id)
            code = nodes.reference("", "", code, refuri=uri, internal=True)
        found.append(nodes.paragraph("", "", code))
    return found


def make_link(app: Sphinx, here: str, name: str, page: str, anchor: str = "") -> nodes.reference:
    uri = make_uri(app, here, page, anchor)
    return nodes.reference("", "", nodes.Text(name), refuri=uri, internal=True)


def make_uri(app: Sphinx, here: str, page: str, anchor: str = "") -> str:
    return app.builder.get_relative_uri(here, page) + (f"#{anchor}" if anchor else "")


def find_place(env: BuildEnvironment, identifier: str, page: str) -> tuple[str, str]:
    """Return page and anchor of what a claim is about; the page that claims it if there is no such
    anchor.
    """
    labels = env.get_domain("std").anonlabels
    if identifier in labels:
        return labels[identifier]
    statement = getattr(env, "proof_list", {}).get(identifier)
    return (statement["docname"], identifier) if statement else (page, "")


def parse_inline(text: str) -> list[nodes.Node]:
    """Return what a claim says with its $math$ and `code`."""
    found = []
    for part in re.split(r"(\$[^$]+\$|`[^`]+`)", text):
        if part.startswith("$"):
            found.append(nodes.math("", part[1:-1]))
        elif part.startswith("`"):
            found.append(nodes.literal("", part[1:-1]))
        else:
            found.append(nodes.Text(part))
    return found


def plural(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


SHOWN = re.compile(
    r'\s*<p class="claim">(<span .*?</span>) <strong>(.*?)</strong> (.*)</p>\s*', re.DOTALL
)


def typeset_claims(app: Sphinx, doctree: nodes.document) -> None:
    """A claim shows itself as HTML, in which math is still $math$: make it a paragraph like any
    other.
    """
    for raw in list(doctree.findall(nodes.raw)):
        shown = SHOWN.fullmatch(raw.astext())
        if shown:
            mark = nodes.raw("", f"{shown[1]} ", format="html")
            promise = nodes.strong("", "", *parse_inline(html.unescape(shown[2])))
            sentence = [nodes.Text(" "), *parse_inline(html.unescape(shown[3]))]
            raw.replace_self(nodes.paragraph("", "", mark, promise, *sentence, classes=["claim"]))


def setup(app: Sphinx) -> dict:
    app.setup_extension("bookproof.sphinx.details")
    # The name of the element in which the ledger can be searched.
    app.add_config_value("bookproof_ledger_element", "book-ledger", "html")
    app.add_node(ledger)
    app.add_directive("ledger", Ledger)
    app.connect("doctree-read", typeset_claims)
    app.connect("env-updated", list_ledgers)
    app.connect("env-check-consistency", warn_of_uncovered)
    app.connect("doctree-resolved", fill_ledgers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
