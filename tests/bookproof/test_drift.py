"""What another version or place changes is told with the notebook, the cell and the version.

One notebook is run, here. Not seen here: packages of other versions, which come from an index, and
environments of their own; `make drift` takes both.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof import drift
from bookproof.drift import (
    Drift,
    Environment,
    describe_environment,
    find_drift,
    is_change,
    list_named_packages,
    make_environment,
    make_table,
    read_pairs,
)


def make(name, **packages):
    return Environment(name, "python", "3.11.7", packages)


HERE = make("here", numpy="2.4.6", scipy="1.17.1")
OLDEST = make("oldest", numpy="2.0.0", scipy="1.17.1", other="1.0")


def test_versions_that_differ_are_those_that_are_asked_for():
    assert OLDEST.list_differences(HERE, ["numpy", "scipy"]) == {"numpy": "2.0.0"}
    assert HERE.list_differences(OLDEST, ["other"]) == {"other": "missing"}


def test_the_table_names_cell_and_versions(tmp_path):
    drifts = [
        Drift(OLDEST, tmp_path / "a.ipynb", {"c1": ["+ 0.5", "+ 0.6"]}),
        Drift(HERE, tmp_path / "b.ipynb"),
    ]
    assert make_table(drifts).rows == [
        ["oldest", "a", "c1", "+ 0.5 (and 1 lines more)"],
        ["here", "b", "none", "as stored"],
    ]
    assert describe_environment(OLDEST, HERE, ["numpy", "scipy"]) == "oldest: numpy 2.0.0"
    assert describe_environment(HERE, HERE, ["numpy"]) == "here: the same versions"


@pytest.mark.parametrize(
    "line, counts",
    [
        ("+0.5", True),
        ("-0.5", False),
        ("+++ new", False),
        ("--- stored", False),
        ("@@ -1 +1 @@", False),
        (" as it was", False),
        ("only forms that are not plain text differ", True),
    ],
)
def test_of_a_diff_what_is_new_is_told(line, counts):
    assert is_change(line) == counts


def test_variables_are_pairs():
    assert read_pairs(["TZ=Asia/Kathmandu", "A=b=c"]) == {"TZ": "Asia/Kathmandu", "A": "b=c"}


def test_what_a_project_names(tmp_path):
    (tmp_path / "lib" / "kit").mkdir(parents=True)
    for place, names in ((tmp_path, '"Numpy>=2"'), (tmp_path / "lib" / "kit", '"numpy", "tqdm"')):
        (place / "pyproject.toml").write_text(f"[project]\ndependencies = [{names}]\n")
    assert list_named_packages(tmp_path) == ["numpy", "tqdm"]


@pytest.mark.parametrize("length, shown", [(99, 99), (100, 100), (101, 100)])
def test_a_row_shows_a_hundred_columns_of_what_differs(length, shown):
    drifts = [Drift(OLDEST, Path("a.ipynb"), {"c1": ["x" * length]})]
    assert make_table(drifts).rows == [["oldest", "a", "c1", "x" * shown]]


def test_another_python_is_told_before_its_packages():
    other = Environment("other", "python", "3.13.0", {"numpy": "2.0.0"})
    said = "other: Python 3.13.0, numpy 2.0.0, scipy missing"
    assert describe_environment(other, HERE, ["numpy", "scipy"]) == said
    assert describe_environment(HERE, HERE, []) == "here: the same versions"


def test_a_python_that_cannot_be_asked_is_an_error(tmp_path):
    (tmp_path / "platform.py").write_text("raise SystemExit(3)")
    with pytest.raises(subprocess.CalledProcessError):
        drift.ask_versions(sys.executable, [str(tmp_path)])


def test_a_package_alone_is_installed_into_a_folder_that_comes_first(tmp_path, monkeypatch):
    """Its name may be an address, of which the folder has no slash."""
    commands = []
    monkeypatch.setattr("subprocess.run", lambda command, check: commands.append(command))
    found = {"version": HERE.version, "packages": {"numpy": "2.0.0"}}
    monkeypatch.setattr(drift, "ask_versions", lambda python, before: found)
    single = drift.put_before(HERE, "numpy@file:/wheels/numpy", tmp_path)
    folder = str(tmp_path / "numpy@file:_wheels_numpy")
    assert [command[-2:] for command in commands] == [[folder, "numpy@file:/wheels/numpy"]]
    assert single.before == (folder,) and single.packages == {"numpy": "2.0.0"}


def test_a_package_that_cannot_be_installed_is_an_error(tmp_path, monkeypatch):
    run = subprocess.run
    found = {"version": HERE.version, "packages": {}}
    monkeypatch.setattr(drift, "ask_versions", lambda python, before: found)

    def fail(command, **options):
        return run([sys.executable, "-c", "raise SystemExit(1)"], **options)

    monkeypatch.setattr("subprocess.run", fail)
    with pytest.raises(subprocess.CalledProcessError):
        drift.put_before(HERE, "numpy==0", tmp_path)


def test_of_an_error_that_ends_a_run_the_last_line_is_told(tmp_path, monkeypatch):
    def execute(*given):
        raise RuntimeError("\nthe first line\nsecond\nthird\nthe kernel is gone\n")

    monkeypatch.setattr(drift, "execute", execute)
    nbformat.write(new_notebook(), tmp_path / "a.ipynb")
    found = find_drift(tmp_path / "a.ipynb", HERE, tmp_path)
    assert found.cells == {"all": ["it does not run: the kernel is gone"]}


def test_each_package_that_differs_is_tried_alone_where_a_notebook_drifts(tmp_path, monkeypatch):
    """One that the other environment does not have cannot be tried, and does not stop the rest."""
    tried = []

    def put_before(here, requirement, folder):
        return replace(here, name=requirement)

    def find_drift(path, environment, folder):
        tried.append((path.stem, environment.name))
        return Drift(environment, path)

    monkeypatch.setattr(drift, "put_before", put_before)
    monkeypatch.setattr(drift, "find_drift", find_drift)
    other = make("other", numpy="2.0.0", other="1.0")
    drifts = [Drift(other, Path("same.ipynb")), Drift(other, Path("a.ipynb"), {"c1": ["+1"]})]
    found = drift.explain(drifts, HERE, ["scipy", "numpy", "other"], tmp_path)
    assert tried == [("a", "numpy==2.0.0"), ("a", "other==1.0")]
    assert [each.notebook.stem for each in found] == ["a", "a"]


@pytest.mark.parametrize("differs", [False, True])
@pytest.mark.parametrize("explains", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_command_runs_what_it_is_told_to_and_says_what_came_of_it(
    tmp_path, monkeypatch, capsys, differs, explains, backwards
):
    runs = []

    def find_drift(path, environment, folder, **variables):
        runs.append((path.stem, environment.name, folder, variables))
        return Drift(environment, path, {"c1": ["+1"]} if differs else {})

    monkeypatch.setattr(drift, "find_drift", find_drift)
    monkeypatch.setattr(drift, "make_environment", lambda name, python: make(name))
    monkeypatch.setattr(drift, "explain", lambda *given: [Drift(make("numpy==2"), Path("a"))])
    for name in "ab":
        nbformat.write(new_notebook(), tmp_path / f"{name}.ipynb")
    command = ["--source", str(tmp_path), "--build", str(tmp_path / "out"), "--variable", "A=b=c"]
    command += ["--environment", "x=python"] if explains else []
    command += ["--explain"] if explains else []
    command += ["--backwards"] if backwards else []
    assert drift.main(command) == int(differs)
    place = tmp_path / "out" / "drift"
    name = "x" if explains else "here"
    order = "ba" if backwards else "ab"
    assert runs == [(path, name, place, {"A": "b=c"}) for path in order]
    said = capsys.readouterr().out
    assert ("numpy==2" in said) is explains and f"{name}: the same versions" in said
    assert (f"Pictures that differ are in {place}." in said) is differs


def test_a_run_begins_without_the_stored_outputs_and_goes_on_after_an_error(tmp_path, monkeypatch):
    """Also of a cell that is empty, which is never run; what is stored stays as it is."""
    made = {}

    class Client:
        def __init__(self, notebook, **options):
            made.update(options, notebook=notebook)

        async def async_execute(self, **options):
            made.update(options)

    monkeypatch.setattr(drift, "NotebookClient", Client)
    shown = new_output("stream", text="old\n")
    cells = [new_markdown_cell("# Words"), new_code_cell("", execution_count=7, outputs=[shown])]
    stored = new_notebook(cells=cells)
    with ThreadPoolExecutor(1) as thread:
        fresh = thread.submit(drift.execute, stored, tmp_path, HERE, TZ="UTC").result()
    assert fresh is made["notebook"] and "outputs" not in fresh.cells[0]
    assert fresh.cells[1].outputs == [] and fresh.cells[1].execution_count is None
    assert stored.cells[1].outputs == [shown] and stored.cells[1].execution_count == 7
    assert made["allow_errors"] and made["coalesce_streams"] and not made["record_timing"]
    assert made["env"]["TZ"] == "UTC"
    assert made["km"].kernel_spec.argv[:3] == ["python", "-m", "ipykernel_launcher"]


def test_a_cell_that_shows_another_place_is_found_and_one_that_raises_too(tmp_path):
    shown = new_output("stream", text="UTC\n")
    cells = [
        new_markdown_cell("Where are we?", id="words"),
        new_code_cell("import os\nprint(os.environ['TZ'])", id="place", outputs=[shown]),
        new_code_cell("print('same')", id="same", outputs=[new_output("stream", text="same\n")]),
        new_code_cell("1 / 0", id="raises"),
    ]
    path = tmp_path / "a.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    before = path.read_text()
    here = make_environment("here", sys.executable)
    assert here.packages["nbclient"]
    # In a thread of its own: a browser that another test has open keeps this one's event loop.
    with ThreadPoolExecutor(1) as thread:
        drifting = thread.submit(find_drift, path, here, tmp_path / "drift", TZ="Asia/Kathmandu")
    found = drifting.result()
    assert list(found.cells) == ["place", "raises"]
    assert found.cells["place"] == ["+Asia/Kathmandu"]
    assert "ZeroDivisionError" in found.cells["raises"][0]
    assert path.read_text() == before
