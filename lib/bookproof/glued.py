"""Numbers in prose that a cell computes, in a form that every reader of a notebook shows.

A cell glues a value, `glue("rank", 3, display=False)` of MyST-NB; the prose names it, with a format
if it needs one, between the tags of a span:

    Of 42 eigenvalues <span data-glue="rank">3</span> are positive, the largest being
    <span data-glue="top:.2f">5.13</span>.

Nobody types what stands between them: `python -m bookproof.accept` writes it there. The site shows
what its own build computed. A role such as MyST's {glue:text} is a name, and no number, to whoever
reads the notebook in JupyterLab or on GitHub.
"""

import ast
import html
import re
from collections.abc import Mapping

from nbformat import NotebookNode

from .tables import typeset

SPAN = re.compile(r'<span data-glue="([^"<>]+)">([^<>]*)</span>')
PLAIN = "application/papermill.record/text/plain"


def read_glued(notebook: NotebookNode) -> dict[str, str]:
    """Return what the cells of a notebook have glued, as plain text: {name: text}."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name is not None and PLAIN in output.data:
                found[name] = output.data[PLAIN]
    return found


def format_glued(reference: str, glued: Mapping[str, str]) -> str:
    """Return what the prose says for `name` or `name:format`; raises KeyError for an unknown name.

    >>> format_glued("ratio:,.0f", {"ratio": "1010000.0"})
    '1,010,000'
    >>> format_glued("factor", {"factor": "'1.2×'"})
    '1.2×'
    >>> format_glued("share:.1%", {"share": "-0.072"})
    '−7.2\xa0%'
    """
    name, _, form = reference.partition(":")
    plain = glued[name]
    if form:
        return typeset(format(ast.literal_eval(plain), form))
    is_quoted = plain[:1] in ("'", '"')
    return ast.literal_eval(plain) if is_quoted else typeset(plain)


def fill_numbers(text: str, glued: Mapping[str, str]) -> str:
    """Return Markdown with every number that is known as the cells computed it."""

    def fill(span):
        if span[1].partition(":")[0] not in glued:
            return span[0]
        number = html.escape(format_glued(span[1], glued), quote=False)
        return f'<span data-glue="{span[1]}">{number}</span>'

    return SPAN.sub(fill, text)


def find_unknown_numbers(notebook: NotebookNode) -> list[str]:
    """Return the references of the prose to what no cell glues."""
    glued = read_glued(notebook)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    references = [span[1] for text in prose for span in SPAN.finditer(text)]
    return [name for name in references if name.partition(":")[0] not in glued]
