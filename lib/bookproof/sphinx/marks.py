"""A claim is a part of what it is about: a theorem, definition or figure carries a small mark, such
as "✓ 10⁻¹³", which opens to the sentence, how it is held, what was measured, the code that checked
it, the tests, and the row of the ledger.

A claim whose name is the label of a statement or figure goes there. Another one goes to the nearest
statement or figure before it in its section; without one its mark stands where the cell stood.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..claims import MIME
from ..markers import read_marked_tests
from ..notebooks import find_claims, join_parts
from .cells import add_code, evidence, find_output, is_cell, make_evidence, shows_nothing
from .details import details
from .ledger import (
    find_ledger,
    group_parts,
    library_of,
    make_test_list,
    make_uri,
    parse_inline,
    say_findings,
)
from .pages import get_pages
from .short import say_in_short

STATEMENTS = {"theorem", "definition", "lemma", "corollary", "proposition"}


@dataclass
class Check:
    """The claims of one host, and the cells that make them."""

    claims: list[dict] = field(default_factory=list)
    code: list[nodes.Element] = field(default_factory=list)


def is_host(node: nodes.Node) -> bool:
    """Whether a claim can belong to a node: a statement, or a figure with a name."""
    if isinstance(node, nodes.figure):
        return bool(node["ids"])
    return isinstance(node, nodes.Admonition) and bool(STATEMENTS.intersection(node["classes"]))


def find_claims_of_cell(env: BuildEnvironment, docname: str, cell: nodes.Element) -> list[dict]:
    """Return the records of the claims that a cell shows, if it shows nothing else."""
    output = find_output(cell)
    if output is None or not all("claim" in node.get("classes", ()) for node in output.children):
        return []
    source = get_pages(env)[docname].cells[cell["cell_index"]]
    shown = [each for each in source.outputs if MIME in each.get("data", {})]
    return [{**join_parts(each), "code": source.source} for each in shown]


def find_host(
    cell: nodes.Element, identifier: str, hosts: dict[str, nodes.Element]
) -> nodes.Element | None:
    """Return what a claim is about: what has its name, else the nearest one before its cell."""
    if identifier in hosts:
        return hosts[identifier]
    siblings = cell.parent.children[: cell.parent.index(cell)]
    for sibling in reversed(siblings):
        if isinstance(sibling, nodes.section):
            break
        inner = [node for node in sibling.findall(nodes.Element) if is_host(node)]
        if inner:
            return inner[-1]
    return None


def take_cell(cell: nodes.Element) -> list[nodes.Element]:
    """Return the code of a claim's cell, and of the silent cells before it, which only prepare it;
    all of them leave the page.
    """
    siblings = cell.parent.children
    first = cell.parent.index(cell)
    while first > 0 and is_cell(siblings[first - 1]) and shows_nothing(siblings[first - 1]):
        first -= 1
    taken = siblings[first : cell.parent.index(cell) + 1]
    code = []
    for each in taken:
        each.parent.remove(each)
        code += [part for part in each.children if part.get("nb_element") == "cell_code_source"]
    return code


def collect_checks(
    document: nodes.document, env: BuildEnvironment, docname: str
) -> list[tuple[nodes.Element, Check]]:
    """Take the cells of claims from a page; return the hosts of its claims with their checks.

    A claim without a host gets an empty row, which stands where its cell stood.
    """
    hosts = {name: node for node in document.findall(is_host) for name in node["ids"]}
    found: dict[int, tuple[nodes.Element, Check]] = {}
    for cell in list(document.findall(is_cell)):
        claims = find_claims_of_cell(env, docname, cell)
        if not claims:
            continue
        places = [find_host(cell, claim["identifier"], hosts) for claim in claims]
        lonely = None
        if None in places:
            lonely = evidence(classes=["alone"])
            cell.parent.insert(cell.parent.index(cell) + 1, lonely)
        code = take_cell(cell)
        for claim, place in zip(claims, places, strict=True):
            host = lonely if place is None else place
            check = found.setdefault(id(host), (host, Check()))[1]
            check.claims.append(claim)
            check.code += code
            code = []
    return list(found.values())


class MarkClaims(SphinxPostTransform):
    default_priority = 150  # before the other cells are folded
    formats = ("html",)

    def run(self, **kwargs):
        docname = self.env.docname
        tests = None
        for host, check in collect_checks(self.document, self.env, docname):
            if tests is None:
                folder = Path(self.app.srcdir) / self.config.bookproof_tests
                tests = read_marked_tests(folder, library_of(self.app))
            fold = make_mark(self.app, docname, host, check, tests)
            row = host if isinstance(host, evidence) else make_evidence(host)
            row.insert(0, fold)


def make_mark(app: Sphinx, docname: str, host: nodes.Element, check: Check, tests) -> details:
    """Return the mark with all that it opens to."""
    own = [claim for claim in check.claims if claim["identifier"] in host.get("ids", ())]
    first = (own or check.claims)[0]
    summary = f"✓ {say_in_short(first['parts'])}"
    if len(check.claims) > 1:
        summary += f" + {len(check.claims) - 1}"
    fold = details(kind="held", summary=summary, spoken="Checked:")
    for claim in sorted(check.claims, key=lambda claim: claim is not first):
        fold += tell_claim(app, docname, claim, tests)
    code = nodes.container(classes=["mark-code"])
    add_code(code, check.code)
    fold += code
    return fold


def tell_claim(app: Sphinx, docname: str, claim: dict, tests) -> nodes.container:
    """Return the sentence of a claim, what was found, and where it stands in tests and ledger."""
    groups = group_parts(claim["parts"])
    items = [
        nodes.list_item("", nodes.paragraph("", "", *tell_group(promise, parts)))
        for promise, parts in groups.items()
    ]
    content = [nodes.paragraph("", "", *parse_inline(claim["sentence"]))]
    content.append(nodes.bullet_list("", *items, classes=["mark-parts"]))
    checking = [test for test in tests if claim["identifier"] in test.claims]
    where = join_with_commas(make_test_list(app, checking))
    words = {0: "", 1: "Test: "}.get(len(checking), "Tests: ")
    last = nodes.paragraph("", "", nodes.Text(words), *where, classes=["mark-where"])
    page = find_ledger(app.env)
    if page:
        anchor = nodes.make_id(f"claim-{claim['identifier']}")
        uri = make_uri(app, docname, page, anchor)
        row = nodes.reference("", "", nodes.Text("row of the ledger"), refuri=uri, internal=True)
        last += [nodes.Text("; " if checking else ""), row]
    content.append(last)
    return nodes.container("", *content, classes=["mark-claim"])


def tell_group(promise: str, parts: list[dict]) -> list[nodes.Node]:
    """Return how some parts are held, and what was found."""
    held = nodes.strong("", "", *parse_inline(promise[0].upper() + promise[1:]))
    return [held, nodes.Text(": "), *parse_inline(say_findings(parts))]


def join_with_commas(names: Iterable[nodes.Node]) -> list[nodes.Node]:
    joined = []
    for name in names:
        joined += [nodes.Text(", "), name] if joined else [name]
    return joined


def list_pages_with_marks(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again since other tests check their claims."""
    tests = read_marked_tests(Path(app.srcdir) / app.config.bookproof_tests, library_of(app))
    known = getattr(env, "bookproof_marked_tests", None)
    env.bookproof_marked_tests = tests
    if tests == known:
        return []
    return [name for name, page in get_pages(env).items() if find_claims(page)]


def setup(app: Sphinx) -> dict:
    app.setup_extension("bookproof.sphinx.cells")
    app.connect("env-updated", list_pages_with_marks)
    app.add_post_transform(MarkClaims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
