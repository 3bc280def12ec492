"""One run of pytest executes the notebooks, compares text and pictures, and follows which claims a
test checked.

Not seen here: what happens to claims when somebody presses Ctrl-C. How pictures and text are
compared is seen in test_pictures.py and test_other_book.py.
"""

import base64
import io
import re
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import IPyNbCell, NbCellError
from PIL import Image

from bookproof.claims import MIME
from bookproof.notebooks import SCRIPT
from bookproof.pictures import PNG
from bookproof.pytest_plugin import Commands, Notebooks, describe_failure, find_unchecked

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.claim("theorem-1")
def test_one():
    pass

@pytest.mark.claim("theorem-2", "fig-2")
def test_two():
    pass

def test_without_a_claim():
    pass
"""
# Every way in which a claim can be left without a check, a claim each.
BAD_TESTS = """
import pytest

@pytest.mark.claim("skips")
def test_skips():
    pytest.skip()

@pytest.mark.skip
@pytest.mark.claim("is-skipped")
def test_is_skipped():
    pass

@pytest.mark.xfail
@pytest.mark.claim("is-expected-to-fail")
def test_is_expected_to_fail():
    assert False

@pytest.mark.claim("fails")
def test_fails():
    assert False

@pytest.mark.claim("has-no-fixture")
def test_has_no_fixture(missing):
    pass

@pytest.mark.claim("is-checked", "is-no-claim")
def test_checks():
    pass

@pytest.mark.claim("is-checked")
def test_checks_the_same_elsewhere():
    pytest.skip()
"""
MADE = ["skips", "is-skipped", "is-expected-to-fail", "fails", "has-no-fixture", "is-checked"]
UNCHECKED = [*MADE[:-1], "has-no-test", "is-no-claim"]


def write_notebook(pytester, *identifiers, cells=()):
    """Write a notebook that has stored some claims. The name of its kernel is of no account."""
    records = [{"identifier": name, "parts": []} for name in identifiers]
    outputs = [new_output("display_data", {MIME: record}) for record in records]
    skipped = {"tags": ["nbval-skip"]}
    claims = new_code_cell("pass", outputs=outputs, execution_count=1, metadata=skipped)
    kernel = {"name": "another-machine", "display_name": "Another", "language": "python"}
    notebook = new_notebook(cells=[claims, *cells], metadata={"kernelspec": kernel})
    nbformat.write(notebook, pytester.path / "it.ipynb")


@pytest.fixture
def book(pytester):
    """A book of one notebook with three claims, and a file of tests. The notebook is not collected:
    these tests are about the others, and a kernel takes its time.
    """
    pytester.makeini("[pytest]\nbookproof = true\n")
    pytester.makeconftest('collect_ignore_glob = ["*.ipynb"]')
    pytester.makepyfile(test_it=TESTS)
    write_notebook(pytester, "theorem-1", "theorem-2", "fig-2")
    return pytester


def run(book, *options):
    """Return the exit status of pytest, the tests that failed, and all it said."""
    result = book.runpytest("-p", "no:cacheprovider", *options)
    said = result.stdout.str() + result.stderr.str()
    return int(result.ret), re.findall(r"^FAILED (\S+)", said, re.MULTILINE), said


def test_every_claim_is_checked(book):
    status, failures, said = run(book)
    assert (status, failures) == (0, []) and "3 passed in" in said, said
    assert "To see each alone" not in said


READS = """
from pathlib import Path

def test_reading(pytestconfig):
    build = pytestconfig.rootpath / pytestconfig.getini("bookproof_build")
    build.mkdir()
    (build / "reading.txt").write_text("page and length")
"""


def test_a_table_of_the_pages_is_shown_where_workers_run_the_tests(book):
    book.makepyfile(test_reads=READS)
    options = ("-n", "1", "-o", "bookproof_build=elsewhere")
    assert run(book, *options)[2].count("page and length") == 1
    assert "page and length" not in run(book, *options, "test_it.py")[2], "it is of another run"


def test_a_complete_run_has_a_failure_for_each_unchecked_claim(book):
    book.makepyfile(test_it=BAD_TESTS)
    write_notebook(book, *MADE, "has-no-test")
    status, failures, said = run(book)
    expected = ["test_it.py::test_fails", *(f"claims::{name}" for name in UNCHECKED)]
    assert status == 1 and sorted(failures) == sorted(expected), said
    alone = said.partition("To see each alone")[2]
    assert 'python -m pytest "test_it.py::test_fails"' in alone
    assert 'python -m pytest "test_it.py::test_has_no_fixture"' in alone
    assert 'grep -rn "has-no-test" tests' in alone and "test_checks" not in alone
    assert "[100%]" in said and not re.search(r"\[1[1-9]\d%\]", said)
    assert f"{len(expected)} failed, 1 passed, 3 skipped, 1 xfailed, 1 error" in said


def test_with_two_processes_the_main_one_reports_and_no_other(book):
    def run_in_two(*options):
        result = book.runpytest_subprocess("-n", "2", "--dist", "loadfile", *options)
        said = result.stdout.str()
        return int(result.ret), sorted(re.findall(r"^FAILED (\S+)", said, re.MULTILINE)), said

    status, failures, said = run_in_two()
    assert status == 0 and "3 passed" in said, said
    book.makepyfile(test_it=TESTS.replace('"theorem-2", "fig-2"', '"theorem-2", "theorem-9"'))
    status, failures, said = run_in_two()
    assert (status, failures) == (1, ["claims::fig-2", "claims::theorem-9"]), said
    status, failures, said = run_in_two("-k", "two")
    assert status == 0 and "1 passed" in said, said


@pytest.fixture
def untested(book):
    """The book without a test of its first claim."""
    book.makepyfile(test_it=TESTS.replace('@pytest.mark.claim("theorem-1")', ""))
    return book


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["."],
        ["-p", "no:xdist"],
        ["-v"],
        ["-o", "testpaths=it.ipynb test_it.py"],
        ["-o", "testpaths=**/it.ipynb test_it.py"],
    ],
    ids=" ".join,
)
def test_a_run_of_everything_is_complete(untested, options):
    status, failures, said = run(untested, *options)
    assert (status, failures) == (1, ["claims::theorem-1"]), said
    assert '@pytest.mark.claim("theorem-1")' in said


@pytest.mark.parametrize(
    "options",
    [
        ["test_it.py"],
        ["test_it.py::test_two"],
        ["-k", "two"],
        ["-m", "claim"],
        ["--deselect", "test_it.py::test_one"],
        ["--ignore", "it.ipynb"],
        ["--collect-only"],
        ["-o", "bookproof=false"],
    ],
    ids=" ".join,
)
def test_a_part_of_a_run_does_not_ask_for_the_rest(untested, options):
    status, failures, said = run(untested, *options)
    assert status == 0 and "claims::" not in said, said


def test_a_project_that_asks_for_nothing_is_not_checked(untested):
    untested.makeini("[pytest]\n")
    status, failures, said = run(untested)
    assert (status, failures) == (0, []) and "3 passed" in said, said


@pytest.mark.parametrize("options, status", [([], 2), (["--continue-on-collection-errors"], 1)])
def test_a_file_that_cannot_be_read_is_the_only_complaint(book, options, status):
    book.makepyfile(test_it="import nowhere")
    result, failures, said = run(book, *options)
    assert result == status and "claims::" not in said, said


def test_a_run_that_stops_early_does_not_complain_of_what_never_ran(book):
    book.makepyfile(test_it=TESTS.replace("pass", "1 / 0", 1))
    assert run(book, "-x")[:2] == (1, ["test_it.py::test_one"])


def test_a_claim_is_no_test_that_could_be_run_again(untested):
    assert int(untested.runpytest().ret) == 1
    said = untested.runpytest("--lf").stdout.str()
    assert "no previously failed tests" in said and "claims::" not in said, said


def test_a_failed_cell_is_listed_as_a_reader_counts_and_says_what_to_do(book):
    (book.path / "conftest.py").unlink()
    shown = [new_output("stream", name="stdout", text="2\n")]
    wrong = new_code_cell("print(1 + 2)", outputs=shown, execution_count=2)
    wrong.id = "sum"
    write_notebook(book, "theorem-1", cells=[wrong])
    copies = book.mkdir("_build")
    (copies / "it.ipynb").write_text((book.path / "it.ipynb").read_text())
    status, failures, said = run(book, ".")
    assert status == 1 and "it.ipynb::Cell" in failures, said
    assert 'python -m pytest "it.ipynb"' in said.partition("To see each alone")[2]
    assert "Cell outputs differ in cell [2], sum" in said
    assert "print(1 + 2)" in said and "python -m bookproof.accept _build it" in said
    assert "_build/it.ipynb" not in said, "what was built is no part of the book"


class Cell(IPyNbCell):
    """A cell that nbval has run, without the notebook around it."""

    @classmethod
    def make(cls, folder, stored, shown):
        cell = object.__new__(cls)
        cell.name, cell.cell_num, cell.path = "Cell 0", 0, folder / "it.ipynb"
        cell.cell, cell.test_outputs = new_code_cell("1", outputs=stored, id="sum"), shown
        return cell

    def compare(self, folder):
        """Do what the plugin does before and after nbval; return what nbval returned."""
        config = SimpleNamespace(rootpath=folder, getini=lambda name: "out")
        steps = Notebooks(config).pytest_runtest_call(self)
        next(steps)
        with pytest.raises(StopIteration) as end:
            steps.send("compared")
        return end.value.value


def show_square(shade):
    png = io.BytesIO()
    Image.new("RGB", (4, 3), (shade, shade, shade)).save(png, format="png")
    return new_output("display_data", {PNG: base64.b64encode(png.getvalue()).decode()})


def test_a_cell_that_draws_what_is_stored_passes_and_nbval_sees_nothing_that_passes_by(tmp_path):
    script = new_output("display_data", {SCRIPT: "1"})
    cell = Cell.make(tmp_path, [show_square(9), script], [show_square(9)])
    assert cell.compare(tmp_path) == "compared"
    assert cell.cell.outputs == [show_square(9)]


def test_a_cell_that_draws_otherwise_fails_and_its_pictures_are_where_its_name_leads(tmp_path):
    cell = Cell.make(tmp_path, [show_square(9)], [show_square(200)])
    with pytest.raises(NbCellError, match="Pictures differ"):
        cell.compare(tmp_path)
    written = {path.name for path in (tmp_path / "out" / "figures" / "it").iterdir()}
    assert written == {f"sum-light-{kind}.png" for kind in ("stored", "new", "difference")}


def test_a_cell_of_which_nbval_kept_nothing_fails(tmp_path):
    with pytest.raises(NbCellError, match="cannot be compared"):
        Cell.make(tmp_path, [], None).compare(tmp_path)


@pytest.mark.parametrize("raised, told", [(None, ""), ("\n1 / 0\nZeroDivisionError\n", "1 / 0\n")])
def test_what_a_cell_raises_is_told_where_it_failed(tmp_path, raised, told):
    cell = Cell.make(tmp_path, [], [])
    cell.config = SimpleNamespace(rootpath=tmp_path, getini=lambda name: "out")
    said = describe_failure(cell, NbCellError(0, "It fails", "sum(1)", raised))
    assert said.startswith("It fails in cell [None], sum\n\nsum(1)\n\n" + told)
    assert ("ZeroDivisionError\n\nTo see it alone" in said) is bool(raised)


@pytest.mark.parametrize("count, shown, rest", [(20, 20, []), (23, 20, ["... and 3 more"])])
def test_of_many_failures_the_first_twenty_can_be_seen_alone(count, shown, rest):
    lines = []
    reports = [SimpleNamespace(nodeid=f"test_it.py::test_{n}") for n in range(count)]
    reporter = SimpleNamespace(
        getreports=lambda kind: reports if kind == "failed" else reports[:1],
        section=lambda title: None,
        write_line=lines.append,
    )
    Commands(None).pytest_terminal_summary(reporter)
    commands = [f'python -m pytest "test_it.py::test_{n}"' for n in range(shown)]
    assert lines == commands + rest


def test_sentences_say_what_to_do():
    found = dict(find_unchecked(["a", "b", "b", "c"], {"b", "c", "x"}, {"c"}))
    assert list(found) == ["a", "b", "x"]
    assert '@pytest.mark.claim("a")' in found["a"] and "mark the one" in found["a"]
    assert "ran and passed" in found["b"] and "no notebook makes it" in found["x"]
