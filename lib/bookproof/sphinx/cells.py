"""Folded cells of a notebook: neighbors share one fold, and what drew a figure opens below its
caption.

MyST-NB puts a strip above each cell with the tag `hide-input` or `hide-cell`, so that a page shows
strip after strip. Here cells without output that follow each other become one block, which joins
the next cell that shows something.
"""

from collections.abc import Iterable

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from .details import details


class evidence(nodes.General, nodes.Element):
    """A row below a figure, or in the title of a statement: what opens the code and the checks."""


def visit_evidence(self, node):
    self.body.append(self.starttag(node, "div", CLASS="evidence"))


def depart_evidence(self, node):
    self.body.append("</div>\n")


def pass_through(self, node):
    pass


def is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and node.get("nb_element") == "cell_code"


def is_cell_source(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and node.get("nb_element") == "cell_code_source"


def find_part(cell: nodes.Element, name: str) -> nodes.Element | None:
    """Return the source or the output of a cell, None where it has none."""
    parts = [part for part in cell.children if part.get("nb_element") == f"cell_code_{name}"]
    return parts[0] if parts else None


def find_output(cell: nodes.Element) -> nodes.Element | None:
    """Return what a cell shows, None where that is nothing."""
    output = find_part(cell, "output")
    return output if output is not None and output.children else None


def is_folded(cell: nodes.Element) -> bool:
    """Whether a reader sees no code of a cell before he asks for it."""
    return cell.get("hide_mode") in ("input", "all") and find_part(cell, "source") is not None


def shows_nothing(cell: nodes.Element) -> bool:
    return is_folded(cell) and (cell["hide_mode"] == "all" or find_output(cell) is None)


def is_code_fold(node: nodes.Node) -> bool:
    return isinstance(node, details) and node["kind"] == "code"


def make_evidence(host: nodes.Element) -> nodes.Element:
    """Return the row of a figure or statement, made where there is none yet: a figure's stands
    after it, since docutils would take it for a part of the caption.
    """
    is_figure = isinstance(host, nodes.figure)
    parent = host.parent if is_figure else host
    place = parent.index(host) + 1 if is_figure else len(host)
    before = parent.children[place : place + 1] if is_figure else host.children[-1:]
    if before and isinstance(before[0], evidence):
        return before[0]
    row = evidence()
    parent.insert(place, row)
    return row


def add_code(fold: nodes.Element, code: Iterable[nodes.Node]) -> None:
    for node in code:
        if node.parent is not None:
            node.parent.remove(node)
        fold.append(node)


def fold_cells(parent: nodes.Element, summary: str) -> None:
    """Fold the cells among the children of a node."""
    waiting = []
    for child in list(parent.children):
        if is_cell(child) and shows_nothing(child):
            waiting.append(child)
            continue
        if is_cell(child) and is_folded(child):
            fold_shown_cell(child, waiting, summary)
            waiting = []
        elif waiting:
            fold_silent_cells(waiting, summary)
            waiting = []
    if waiting:
        fold_silent_cells(waiting, summary)


def fold_shown_cell(cell: nodes.Element, before: list[nodes.Element], summary: str) -> None:
    """Fold the code of a cell below what it shows, with the code of the silent cells before it."""
    fold = details(kind="code", summary=summary)
    for silent in before:
        add_code(fold, list(silent.children))
        silent.parent.remove(silent)
    add_code(fold, [find_part(cell, "source")])
    figures = list(cell.findall(nodes.figure))
    host = figures[0] if figures else cell
    make_evidence(host).append(fold)
    del cell["hide_mode"]


def fold_silent_cells(cells: list[nodes.Element], summary: str) -> None:
    """Let one fold take the place of some cells that follow each other; it is the fold of the cell
    before them, if that has one.
    """
    place = cells[0].parent.index(cells[0])
    before = cells[0].parent.children[place - 1] if place else None
    folds = list(before.findall(is_code_fold)) if before is not None and is_cell(before) else []
    if folds:
        fold = folds[-1]
    else:
        fold = details(kind="code", summary=summary)
        cells[0].parent.insert(place, fold)
    for cell in cells:
        add_code(fold, list(cell.children))
        cell.parent.remove(cell)


class FoldCells(SphinxPostTransform):
    default_priority = 160  # once one type of each output is chosen, before MyST-NB makes strips
    formats = ("html",)

    def run(self, **kwargs):
        parents = {id(cell.parent): cell.parent for cell in self.document.findall(is_cell)}
        for parent in parents.values():
            fold_cells(parent, self.config.bookproof_code_summary)


def setup(app: Sphinx) -> dict:
    app.setup_extension("bookproof.sphinx.details")
    # What a reader opens to see the code of folded cells.
    app.add_config_value("bookproof_code_summary", "Code", "env")
    app.add_node(
        evidence, html=(visit_evidence, depart_evidence), latex=(pass_through, pass_through)
    )
    app.add_post_transform(FoldCells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
