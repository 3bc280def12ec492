"""Docstrings as plain text: nothing in them is markup but backticks, doctests and indented blocks.

Not seen here: how a page looks.
"""

import doctest
import importlib
import pkgutil
import sys
from types import SimpleNamespace

import pytest
from docutils.core import publish_doctree
from docutils.nodes import bullet_list, doctest_block, literal, literal_block, system_message

import bookproof
from bookproof.sphinx import docstrings
from bookproof.sphinx.docstrings import convert_docstring


def read(text):
    """A docstring as docutils reads what becomes of it."""
    settings = {"report_level": 5, "halt_level": 5}
    return publish_doctree(
        "\n".join(convert_docstring(text.split("\n"))), settings_overrides=settings
    )


@pytest.mark.parametrize(
    "text",
    [
        "the mean of |f(x_i) - y_i|^2 over all i",
        "f* and g*, a * b, **strength",
        "layer_ and x_1, T_alpha, _private",
        r"a \ b",
        "1/(2N) sum |f|",
    ],
)
def test_text_stays_as_it_was_typed(text):
    page = read(text)
    assert page.astext() == text
    assert not list(page.findall(system_message))


def test_backticks_are_code_also_over_a_line_break():
    page = read("where `a_b * c` is\nlarge, `sum(x,\ny)` too")
    assert [node.astext().split() for node in page.findall(literal)] == [
        ["a_b", "*", "c"],
        ["sum(x,", "y)"],
    ]


def test_doctests_lists_and_indented_blocks_are_what_they_look_like():
    page = read("First:\n\n    x = W * y\n\n>>> 1 + 1  # |a|\n2\n\n* one_\n* two")
    [block] = page.findall(literal_block)
    assert block.astext() == "x = W * y"
    [example] = page.findall(doctest_block)
    assert example.astext() == ">>> 1 + 1  # |a|\n2"
    [items] = page.findall(bullet_list)
    assert [item.astext() for item in items] == ["one_", "two"]
    assert not list(page.findall(system_message))


def test_a_public_name_becomes_a_link():
    assert convert_docstring(["as `trace`, `x`"], "science", {"trace"}) == [
        "as :py:obj:`trace <science.trace>`, ``x``",
        "",
    ]


def test_a_page_links_the_public_names_of_its_package_but_its_own(monkeypatch):
    package = SimpleNamespace(__all__=["trace", "norm"])
    monkeypatch.setitem(sys.modules, "science", package)
    lines = ["`trace` and `norm`"]
    docstrings.process(None, "function", "science.trace", None, None, lines)
    assert lines == ["``trace`` and :py:obj:`norm <science.norm>`", ""]


@pytest.mark.parametrize(
    "text, is_skipped",
    [("Alias for field number 0", True), ("Initialize self.  See help", True), ("A side.", None)],
)
def test_what_python_wrote_itself_is_left_out(text, is_skipped):
    member = SimpleNamespace(__doc__=text)
    assert docstrings.skip_generated(None, "class", "a", member, False, None) is is_skipped
    assert docstrings.skip_generated(None, "class", "a", object, False, None) is None


def test_blocks_end_at_blank_lines_however_many():
    assert docstrings.split_blocks(["", "a", "b", "", " ", "c", ""]) == [["a", "b"], ["c"]]


def test_doctests_hold():
    assert doctest.testmod(docstrings).attempted > 0
    assert doctest.testmod(docstrings).failed == 0


def test_the_examples_in_docstrings_give_what_they_say():
    """Of modules that need nothing beyond the kit's own requirements."""
    found = 0
    for module in pkgutil.walk_packages(bookproof.__path__, "bookproof."):
        if module.name.startswith("bookproof.sphinx.katex"):
            continue
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name
        found += result.attempted
    assert found >= 10
