"""A build that cannot lie: on a book of one small notebook with the real configuration and
extensions.

Not seen here: whether the pages look as they should, and whether scripts run on them.
"""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bookproof.sphinx.freshness import what_results_rest_on
from tests.support import PROJECT, build_book

TOC = "format: jb-book\nroot: chapters/index\n"
LIBRARY = "def answer():\n    return {}\n"
# Each execution leaves a line behind, so that executions can be counted.
COUNT = (
    'from pathlib import Path\n\nwith Path("../runs").open("a") as file:\n    file.write("run\\n")'
)
USE = (
    'import sys\n\nsys.path.insert(0, "../lib")\nimport sharpminima\n\nprint("The answer is",'
    " sharpminima.answer())"
)


class Book:
    def __init__(self, folder):
        self.folder = folder
        for name in ("_ext", "_static", "_templates"):
            shutil.copytree(
                PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(PROJECT / "_config.yml", folder)
        (folder / "_toc.yml").write_text(TOC)
        (folder / "references.bib").write_text("")
        (folder / "requirements.txt").write_text("")
        (folder / "lib" / "sharpminima").mkdir(parents=True)
        (folder / "chapters").mkdir()

    def library(self, value):
        (self.folder / "lib" / "sharpminima" / "__init__.py").write_text(LIBRARY.format(value))

    def chapter(self, text, *sources):
        cells = [new_markdown_cell(text), *map(new_code_cell, sources)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.folder / "chapters" / "index.ipynb"
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)

    def build(self):
        """Whether the build ended well, how often the notebook ran in it, and what it said."""
        before = self.runs()
        run = build_book(self.folder / "_build", "--source", self.folder)
        return run.returncode == 0, self.runs() - before, run.stdout

    def runs(self):
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def page(self):
        return (self.folder / "_build" / "html" / "chapters" / "index.html").read_text()


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Built once; the tests below change it one after the other, each back to where the next one
    begins.
    """
    book = Book(tmp_path_factory.mktemp("my book"))
    book.library(41)
    book.chapter("# A page", COUNT, USE)
    good, runs, said = book.build()
    assert good and runs == 1, said
    assert "The answer is 41" in book.page()
    assert "make serve" in said.splitlines()[-1]
    return book


def test_nothing_changed_nothing_executed(book):
    good, runs, said = book.build()
    assert good and runs == 0, said


def test_a_changed_formula_changes_the_page(book):
    book.library(42)
    good, runs, said = book.build()
    assert good and runs == 1, said
    assert "The answer is 42" in book.page()


def test_a_changed_notebook_is_executed(book):
    book.chapter("# A page", COUNT, USE + "\nprint('and more')")
    good, runs, said = book.build()
    assert good and runs == 1, said
    assert "and more" in book.page()


def test_a_formula_that_fails_makes_the_build_fail_however_often_it_is_tried(book):
    book.library("1 / 0")
    for _ in range(2):
        good, _, said = book.build()
        assert not good
        assert (
            said.splitlines()[-1]
            == "chapters/index.ipynb, cell 3 (import sys): ZeroDivisionError: division by zero"
        )
    book.library(43)


DANGLING = {
    "{prf:ref}`theorem-0`": "theorem-0",
    "{cite}`nobody1900`": "nobody1900",
    "$\\frac{1}$": "math cannot be rendered",
    "\n\n```{prf:theorem}\n:label: theorem-1\nNobody checks it.\n```": "theorem-1 has no claim",
}


def test_what_is_left_dangling_makes_the_build_fail(book):
    book.chapter("# A page\n\nSee " + " and ".join(DANGLING), COUNT, USE)
    good, _, said = book.build()
    told = said.partition("NOT built")[2]
    assert not good and all(complaint in told for complaint in DANGLING.values()), told


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "pyproject.toml", "lib/sharpminima/a.py", "lib/sharpminima/figures/b.csv"],
)
def test_results_rest_on_the_lock_and_on_every_file_of_the_library(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = {what_results_rest_on(tmp_path)}
    for text in ("one", "two"):
        path.write_text(text)
        seen.add(what_results_rest_on(tmp_path))
    assert len(seen) == 3


def test_results_do_not_rest_on_what_python_leaves_behind(tmp_path):
    before = what_results_rest_on(tmp_path)
    (tmp_path / "lib" / "sharpminima" / "__pycache__").mkdir(parents=True)
    (tmp_path / "lib" / "sharpminima" / "__pycache__" / "a.pyc").write_text("")
    assert what_results_rest_on(tmp_path) == before
