"""Tables of facts: what eyes, ears and a terminal get of them.

Not seen here: how a table looks on a page.
"""

import doctest

import numpy as np
import pytest
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


@pytest.mark.parametrize("size", [0.001, 0.01, 0.1, 1, 10, 100, 1000, 1e5])
@pytest.mark.parametrize("step", [0.994, 0.995, 0.997, 1, 1.004, 1.01, 3.3, 9.94])
def test_a_number_has_two_digits_or_all_before_the_point_and_no_power_of_ten(size, step):
    value = size * step
    said = tables.format_number(value)
    assert "e" not in said and not said.endswith(".")
    unit = 10.0 ** np.floor(np.log10(value)) / 10 if value < 10 else 1
    assert abs(float(said) - value) <= unit / 2 + 1e-9 * value


def test_doctests_hold():
    assert doctest.testmod(tables).attempted > 0
    assert doctest.testmod(tables).failed == 0
