"""What the page on reproducibility says of versions and times, told from made-up ones. That it
tells of the build is seen in test_other_book.py.

Not seen here: whether the machine tells the truth about itself, and whether its times would be the
same tomorrow.
"""

import subprocess

import pytest

from bookproof.sphinx import reproducibility
from bookproof.versions import read_lock, read_wishes
from tests.support import PROJECT

LOCK = """
# compiled
numpy==2.0.1
    # via mylib
scipy==1.14.0 ; python_version >= "3.9"
pywin32==306 ; sys_platform == 'amiga'
-e .
"""
PROJECT_FILE = """
[project]
dependencies = ["NumPy>=2", "scipy"]
[project.optional-dependencies]
book = ["jupyter_book<2", "numpy>=2"]
"""
PINS = {"numpy": "2.0.1", "scipy": "1.14.0"}


def test_a_lock_is_read_without_what_it_keeps_for_other_machines():
    assert read_lock(LOCK) == PINS
    assert len(read_lock((PROJECT / "requirements.txt").read_text())) > 100


def test_what_a_project_asks_for_is_read_in_its_order():
    assert read_wishes(PROJECT_FILE) == ["numpy", "scipy", "jupyter-book"]
    assert read_wishes("[tool.ruff]") == []


def test_versions_are_compared_with_the_lock():
    names = ["numpy", "jupyter-book"]
    rows, said = reproducibility.compare_versions(PINS, names, PINS.get)
    assert rows == [
        ("<code>numpy</code>", "2.0.1", "2.0.1"),
        ("<code>jupyter-book</code>", "–", "not installed"),
    ]
    assert said.startswith("All 2 packages")
    _, said = reproducibility.compare_versions(PINS, names, {"numpy": "1.0"}.get)
    assert "2 differ" in said and "<code>numpy</code> 2.0.1 (here 1.0)" in said
    assert "<code>scipy</code> 1.14.0 (here not installed)" in said


def test_slowest_cells_come_first():
    cells = [(f"x = {s}", float(s)) for s in (1, 3, 2, 0, 4, 5, 6)]
    rows, slowest, total = reproducibility.sum_up_times([("A", 22.0, cells), ("B", None, [])])
    assert rows == [("A", "22", "7"), ("B", "–", "0")] and total == 22
    assert [row[2] for row in slowest] == ["6.0", "5.0", "4.0", "3.0", "2.0"]


@pytest.mark.parametrize(
    "source, line",
    [
        ("# why\nimport numpy as np\n\nx = 1", "x = 1"),
        ("%matplotlib inline\ny = 2", "y = 2"),
        ("import numpy", "import numpy"),
        ("", ""),
    ],
)
def test_a_cell_is_known_by_what_it_does(source, line):
    assert reproducibility.find_first_line(source) == line


def test_the_commit_is_that_of_the_book_and_not_of_what_it_lies_in(tmp_path):
    git = ["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e"]
    (tmp_path / "book").mkdir()
    assert reproducibility.find_commit(tmp_path) is None
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    commit = reproducibility.find_commit(tmp_path)
    assert len(commit) == 12 and reproducibility.find_commit(tmp_path / "book") is None


def test_tests_are_counted_in_all_folders_and_classes(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "test_a.py").write_text("def test_one(): pass\ndef helper(): pass\n")
    (tmp_path / "deep" / "test_b.py").write_text("class TestB:\n    def test_two(self): pass\n")
    (tmp_path / "support.py").write_text("def test_none(): pass\n")
    assert reproducibility.count_tests(tmp_path) == 2
