"""What another version or place changes is told with the notebook, the cell and the version.

One notebook is run, here. Not seen here: packages of other versions, which come from an index, and
environments of their own; `make drift` takes both.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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
