"""Tables of facts: what eyes, ears and a terminal get of them.

Not seen here: how a table looks on a page.
"""

import doctest

from bs4 import BeautifulSoup

from bookproof import tables
from bookproof.tables import Table

TABLE = Table("Which <is> faster", ["Method", "Seconds"], [("a & b", "0.3"), ("long name", "12")])


def test_a_table_can_be_read_aloud():
    page = BeautifulSoup(TABLE._repr_mimebundle_()["text/html"], "html.parser")
    assert page.caption.get_text() == "Which <is> faster"
    head = [cell.get_text() for cell in page.select("thead th[scope=col]")]
    assert head == ["Method", "Seconds"]
    for row, (first, second) in zip(page.select("tbody tr"), TABLE.rows, strict=True):
        [header] = row.select("th[scope=row]")
        [cell] = row.find_all("td")
        assert (header.get_text(), cell.get_text()) == (first, second)
        assert cell["data-label"] == "Seconds"


def test_a_terminal_gets_columns():
    lines = TABLE._repr_mimebundle_()["text/plain"].splitlines()
    assert lines == ["Which <is> faster", "Method     Seconds", "a & b      0.3", "long name  12"]


def test_only_a_wide_table_becomes_cards():
    assert "wide" not in TABLE._repr_mimebundle_()["text/html"]
    assert "wide" not in tables.build_html("A", ["B", "C"], [["D", "E"]])
    wide = Table(TABLE.caption, TABLE.head, TABLE.rows, wide=True)
    assert 'class="table facts wide"' in wide._repr_mimebundle_()["text/html"]


def test_doctests_hold():
    assert doctest.testmod(tables).attempted > 0
    assert doctest.testmod(tables).failed == 0
