"""Tables of facts: a caption, a header for each row and column, and words that a narrow screen puts
before a cell.

    Table("How long each took", ["Method", "Seconds"], [("one", "0.3"), ("other", "1.2")])
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table that shows itself in a notebook. Its cells are text, the first of each row a header.

    A table that is `wide` becomes a card for each row where the screen has no room for it.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    wide: bool = False

    def __str__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([self.caption, *aligned])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        head = [html.escape(name) for name in self.head]
        rows = [[html.escape(typeset(cell)) for cell in row] for row in self.rows]
        page = build_html(html.escape(self.caption), head, rows, self.wide)
        return {"text/html": page, "text/plain": str(self)}


def build_html(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], wide: bool = False
) -> str:
    """Return the table as HTML; caption, head and cells are HTML already.

    docutils' own tables know neither the scope of a header nor the words before a cell.
    """
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(build_row(head, row) for row in rows)
    classes = "table facts wide" if wide else "table facts"
    return (
        f'<table class="{classes}"><caption>{caption}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
    )


def build_row(head: Sequence[str], row: Sequence[str]) -> str:
    first, *others = row
    cells = [
        f'<td data-label="{name}">{cell}</td>' for name, cell in zip(head[1:], others, strict=True)
    ]
    return f'<tr><th scope="row">{first}</th>{"".join(cells)}</tr>'


def typeset(text: str) -> str:
    """Return a text whose numbers have a sign for minus and a blank before percent, as the prose
    has them.

    >>> typeset("-0.5 (-1e-05 to 3), 12%, x-1")
    '−0.5 (−1e-05 to 3), 12\\xa0%, x-1'
    """
    percent = re.sub(r"(?<=\d)%", "\N{NO-BREAK SPACE}%", text)
    return re.sub(r"(?<![\w.)-])-(?=\.?\d)", "−", percent)


def format_number(value: float | None) -> str:
    """Return two digits, and no more zeros than it takes to show them; a dash for None.

    >>> [format_number(x) for x in (0.00331, 0.2, 24.4, 312.4, None)]
    ['0.0033', '0.20', '24', '312', '–']
    """
    if value is None:
        return "–"
    if value >= 99.5:  # with two digits it would be 1.0e+02
        return f"{value:.0f}"
    return f"{value:#.2g}".rstrip(".")
