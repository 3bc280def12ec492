"""What the page on reproducibility says of versions and times, told from made-up ones. That it
tells of the build is seen in test_other_book.py.

Not seen here: whether the machine tells the truth about itself, and whether its times would be the
same tomorrow.
"""

import re
import subprocess
from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

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


def test_hashes_blank_lines_and_options_of_a_lock_hide_nothing_after_them():
    lock = (
        "\n--index-url x\n\na==1 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n-e .\n\nB_c==2\n"
    )
    assert read_lock(lock) == {"a": "1", "b-c": "2"}


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
    assert (
        re.fullmatch("[0-9a-f]{12}", commit)
        and reproducibility.find_commit(tmp_path / "book") is None
    )


def test_the_machine_is_told_with_the_commit_or_with_why_there_is_none(tmp_path, monkeypatch):
    app = SimpleNamespace(srcdir=str(tmp_path))
    for commit, said in (
        (None, "unknown: this was no git checkout"),
        ("abc & changes", "abc &amp"),
    ):
        monkeypatch.setattr(reproducibility, "find_commit", lambda source, commit=commit: commit)
        [table] = reproducibility.tell_machine(app, "here")
        assert said in table.astext()


def test_what_is_checked_is_counted_in_what_was_read(tmp_path):
    cells = [new_markdown_cell("# Title"), *(new_code_cell(f"x = {n}") for n in range(3))]
    env = SimpleNamespace(
        bookproof_pages={"one": new_notebook(cells=cells), "two": new_notebook()},
        config=SimpleNamespace(root_doc="one"),
        toctree_includes={"one": ["two"]},
        doc2path=lambda name: f"{name}.ipynb",
    )
    config = SimpleNamespace(bookproof_tests="tests")
    app = SimpleNamespace(env=env, config=config, srcdir=str(tmp_path))
    [table] = reproducibility.tell_counts(app, "here")
    counts = re.findall(r"<td[^>]*>(\d+)</td>", table.astext())
    assert counts == ["0", "0", "0", "2", "3", "0"]


def test_tests_are_counted_in_all_folders_and_classes(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "test_a.py").write_text("def test_one(): pass\ndef helper(): pass\n")
    (tmp_path / "deep" / "test_b.py").write_text("class TestB:\n    def test_two(self): pass\n")
    (tmp_path / "support.py").write_text("def test_none(): pass\n")
    assert reproducibility.count_tests(tmp_path) == 2


TIMED = [new_markdown_cell("# Title"), new_code_cell("import os\nx = 1"), new_code_cell("y = 2")]


def make_timed(folder, **data):
    """A build of a book of two notebooks, of which one was executed."""
    for name, cells in {"timed": TIMED, "never": [new_code_cell("z = 3")]}.items():
        nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    cache = get_cache(folder / "cache")
    if data:
        cache.cache_notebook_file(folder / "timed.ipynb", data=data, check_validity=False)
    titles = {name: nodes.title("", f"{name} & more") for name in ("timed", "never")}
    env = SimpleNamespace(
        doc2path=lambda name: str(folder / f"{name}.ipynb"),
        mystnb_config=SimpleNamespace(
            execution_cache_path=str(folder / "cache"), execution_mode="cache"
        ),
        found_docs=set(titles),
        titles=titles,
    )
    return env


def test_times_are_those_of_the_code_cells_of_the_last_execution(tmp_path):
    env = make_timed(tmp_path, execution_seconds=3.5, cell_seconds=[1.25, None])
    assert reproducibility.read_times(env, "timed") == (3.5, [("x = 1", 1.25)])
    assert reproducibility.read_times(env, "never") == (None, [])


def test_the_page_tells_the_times_only_if_this_build_measured_them(tmp_path, monkeypatch):
    env = make_timed(tmp_path, execution_seconds=3.5, cell_seconds=[1.25, 2.0])
    monkeypatch.setattr(reproducibility, "list_notebooks", lambda env: ["timed", "never"])
    builder = SimpleNamespace(get_relative_uri=lambda here, there: f"{there}.html")
    app = SimpleNamespace(env=env, builder=builder)
    said, chapters, slowest = (node.astext() for node in reproducibility.tell_times(app, "here"))
    assert said.startswith("<p>2 notebooks, 3.5 s in all")
    assert '<a class="reference internal" href="timed.html">timed &amp; more</a>' in chapters
    assert slowest.index("y = 2") < slowest.index("x = 1")
    env.mystnb_config.execution_mode = "off"
    [said] = (node.astext() for node in reproducibility.tell_times(app, "here"))
    assert "not measured in this build" in said


def test_no_slowest_cells_are_told_where_no_cell_was_timed(tmp_path, monkeypatch):
    env = make_timed(tmp_path)
    monkeypatch.setattr(reproducibility, "list_notebooks", lambda env: ["never"])
    builder = SimpleNamespace(get_relative_uri=lambda here, there: there)
    told = reproducibility.tell_times(SimpleNamespace(env=env, builder=builder), "here")
    assert len(told) == 2 and told[0].astext().startswith("<p>1 notebook, ")


def test_pages_of_facts_are_written_again_in_every_build():
    metadata = {"facts": {"has_facts": True}, "other": {}}
    env = SimpleNamespace(bookproof_pages=dict.fromkeys(metadata), metadata=metadata)
    assert reproducibility.list_pages_of_facts(None, env) == ["facts"]


def test_without_a_lock_or_without_wishes_the_page_says_so_or_names_the_lock(tmp_path):
    config = SimpleNamespace(bookproof_lock="lock.txt", bookproof_project="pyproject.toml")
    app = SimpleNamespace(srcdir=str(tmp_path), config=config)
    [said] = reproducibility.tell_versions(app, "here")
    assert "There is no lock, <code>lock.txt</code>" in said.astext()
    (tmp_path / "lock.txt").write_text(LOCK)
    _, table = reproducibility.tell_versions(app, "here")
    assert "<code>numpy</code>" in table.astext() and "<code>scipy</code>" in table.astext()
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["scipy"]\n')
    _, table = reproducibility.tell_versions(app, "here")
    assert "<code>numpy</code>" not in table.astext() and "<code>scipy</code>" in table.astext()
