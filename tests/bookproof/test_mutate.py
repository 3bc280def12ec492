"""Defects are planted in a copy and nowhere else; what notices them is told from what does not.

The project here is a made-up one of three files. Not seen here: that the lists of this book are
good ones, which `make mutate` shows, and what cosmic-ray makes, which needs its environment.
"""

import json
import shlex
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof.mutants import ListError, MutantList, plant, read_list
from bookproof.mutate import (
    Result,
    count_by_module,
    describe_way_to_reproduce,
    is_in_shard,
    judge,
    list_generated_files,
    main,
    make_copy,
    planted,
    report,
)

LIBRARY = "def double(x):\n    return 2 * x\n\n\ndef is_even(n):\n    return n % 2 == 0\n"
TESTS = """from shapes import double, is_even


def test_double():
    assert double(3) == 6


def test_even():
    assert is_even(4)
"""
LIST = """
[run]
options = ["-p", "no:cacheprovider", "-p", "no:bookproof", "-p", "no:nbval"]

[tests]
"lib/shapes/" = ["tests/test_shapes.py"]

[[mutant]]
file = "lib/shapes/__init__.py"
defect = "three for two"
was = "2 * x"
becomes = "3 * x"
"""
MISSED = """
[[mutant]]
file = "lib/shapes/__init__.py"
defect = "every number is even"
was = "n % 2 == 0"
becomes = "True"
"""
HANGS = """
[[mutant]]
file = "lib/shapes/__init__.py"
defect = "no end"
was = "    return 2 * x"
becomes = "    import os\\n    os._exit(0)"
"""
BROKEN = """
[[mutant]]
file = "lib/shapes/__init__.py"
defect = "no function"
was = "def double(x):"
becomes = "def double(x)"
"""
# Prints what cosmic-ray's generator would, of the files it is given.
GENERATOR = """import json, sys
for file in sys.argv[5:]:
    for becomes in ("    return 2 + x", "    return x * 2"):
        print(json.dumps({"file": file, "what": "Mul", "line": 2, "was": "    return 2 * x",
                          "becomes": becomes}))
"""
EQUIVALENT = """
[[equivalent]]
file = "lib/shapes/__init__.py"
was = "return 2 * x"
becomes = "return x * 2"
because = "the order of two factors"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a library, its tests and a list of mutants, in git."""
    files = {
        "lib/shapes/__init__.py": LIBRARY,
        "tests/test_shapes.py": TESTS,
        "tests/mutants/library.toml": LIST,
        "pytest.ini": "[pytest]\n",
        "make_mutants.py": GENERATOR,
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project = tmp_path / "project"
    subprocess.run(["git", "init", "-q", project], check=True)
    monkeypatch.chdir(project)
    return project


def add(project, text):
    path = project / "tests" / "mutants" / "library.toml"
    path.write_text(path.read_text() + text)


def run(project, *options):
    """Run the command in a process of its own, as make does."""
    command = [sys.executable, "-m", "bookproof.mutate", "tests/mutants", "--jobs", "1", *options]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_a_defect_that_tests_notice_is_caught_and_the_project_is_left_alone(project):
    code, said = run(project, "--write", "results.jsonl")
    assert code == 0, said
    assert "three for two: tests/test_shapes.py::test_double" in said
    assert (project / "lib/shapes/__init__.py").read_text() == LIBRARY
    [record] = [json.loads(line) for line in (project / "results.jsonl").open()]
    assert record["outcome"] == "caught" and record["defect"] == "three for two"


def test_a_defect_that_is_missed_makes_it_fail_and_is_told(project):
    add(project, MISSED)
    code, said = run(project)
    assert code == 1
    assert "missed: lib/shapes/__init__.py: every number is even" in said
    assert "--kind library --file lib/shapes/__init__.py" in said
    assert "50.0 %" in said


def test_tests_that_fail_without_a_defect_prove_nothing(project):
    (project / "tests" / "test_shapes.py").write_text("def test_wrong():\n    assert False\n")
    code, said = run(project)
    assert code == 1 and "must pass without any" in said and "test_wrong" in said


def test_tests_that_do_not_exist_prove_nothing(project):
    add(project, '[[mutant]]\nfile = "lib/shapes/__init__.py"\ndefect = "d"\nwas = "2 * x"\n')
    add(project, 'becomes = "x"\ntests = ["tests/test_shapes.py::test_none"]\n')
    code, said = run(project)
    assert code == 1 and "must pass without any" in said and "test_none" in said


@pytest.mark.parametrize("test", ["", "::test_double"])
def test_a_defect_that_keeps_tests_from_being_imported_is_caught(project, test):
    """By a conftest.py too, and where a single test is named: pytest says that it was misused."""
    (project / "tests" / "conftest.py").write_text("import shapes\n")
    add(project, BROKEN + f'tests = ["tests/test_shapes.py{test}"]\n')
    code, said = run(project)
    assert code == 0, said
    assert "caught: lib/shapes/__init__.py: no function" in said


def test_what_ends_the_process_is_caught(project):
    add(project, HANGS)
    code, said = run(project)
    assert code == 0, said
    assert "no end: the end of the process, or none" in said


@pytest.mark.parametrize("least, code", [("0.5", 0), ("1", 0)])
def test_what_a_tool_makes_is_run_and_equivalents_are_told(project, least, code):
    add(project, EQUIVALENT)
    generator = shlex.join([sys.executable, "make_mutants.py"])
    found, said = run(project, "--generator", generator, "--least", least)
    assert found == code, said
    assert "equivalent: lib/shapes/__init__.py:2: Mul: the order of two factors" in said
    assert "a tool  lib/shapes/__init__.py  2        1       0       1           100.0 %" in said


def test_too_small_a_share_of_the_tools_makes_it_fail(project):
    generator = shlex.join([sys.executable, "make_mutants.py"])
    code, said = run(project, "--generator", generator, "--least", "0.6")
    assert code == 1 and "at least 60 % must be caught" in said


def test_a_copy_has_a_defect_as_long_as_it_is_tried(project, tmp_path):
    copy = make_copy(project, tmp_path / "copy")
    path = copy / "lib" / "shapes" / "__init__.py"
    [mutant] = read_list(project / "tests/mutants/library.toml").mutants
    with pytest.raises(KeyboardInterrupt), planted(copy, mutant):
        assert "3 * x" in path.read_text()
        raise KeyboardInterrupt
    assert path.read_text() == LIBRARY


def test_a_sample_has_a_printed_seed(project):
    code, said = run(project, "--sample", "0.5")
    seed = said.split("--seed ")[1].split()[0]
    assert code == 0 and run(project, "--sample", "0.5", "--seed", seed)[1].count(seed) == 2


def test_other_commands_are_called(project):
    add(project, '[[by_command]]\ndefects = "d"\ncommand = ["-c", "assert {sample} < {seed}"]\n')
    assert run(project, "--sample", "0.5", "--seed", "1")[0] == 0
    code, said = run(project, "--sample", "0.5", "--seed", "0")
    assert code == 1 and "missed: one of those that this command plants" in said


def make(**changes):
    record = {"file": "a.py", "defect": "d", "was": "x = 1", "becomes": "x = 2", "tests": ["t"]}
    return MutantList("library").make_mutant({**record, **changes})


def test_a_defect_must_fit():
    assert plant("x = 1\ny = 2\n", make()) == "x = 2\ny = 2\n"
    for text in ("y = 2\n", "x = 1\nx = 1\n"):
        with pytest.raises(ListError, match="exactly once, found"):
            plant(text, make())
    assert plant("x = 1\nx = 1\n", make(line=2)) == "x = 1\nx = 2\n"
    with pytest.raises(ListError, match="the lines there are others"):
        plant("x = 1\ny = 2\n", make(line=2))


def test_in_a_notebook_what_is_stored_changes_along():
    shown = new_output("stream", text="Of 12 units")
    cells = [new_markdown_cell("Of 12 units"), new_code_cell("1", outputs=[shown])]
    text = nbformat.writes(new_notebook(cells=cells))
    mutant = make(file="a.ipynb", was="12", becomes="13")
    changed = nbformat.reads(plant(text, mutant), as_version=4)
    assert changed.cells[0].source == "Of 13 units" == changed.cells[1].outputs[0].text
    in_metadata = new_code_cell("1", metadata={"mystnb": {"image": {"alt": "12 lines"}}})
    text = nbformat.writes(new_notebook(cells=[in_metadata]))
    changed = nbformat.reads(plant(text, mutant), as_version=4)
    assert changed.cells[0].metadata.mystnb.image.alt == "13 lines"
    with pytest.raises(ListError, match="exactly once in the cells, found 0"):
        plant(text, make(file="a.ipynb", was="14"))


@pytest.mark.parametrize(
    "text, message",
    [
        ("[[mutants]]\n", "no such table as mutants"),
        ('[[mutant]]\nfile = "a.py"\n', "lacks defect, was, becomes"),
        (
            '[[mutant]]\nfile = "a.py"\ndefect = "d"\nwas = "1"\nbecomes = "2"\n',
            "must name what should notice",
        ),
    ],
)
def test_a_list_with_a_slip_is_refused(tmp_path, text, message):
    path = tmp_path / "library.toml"
    path.write_text(text)
    with pytest.raises(ListError, match=message):
        read_list(path)


def test_an_unknown_kind_is_refused(project, capsys):
    assert main(["tests/mutants", "--kind", "prose"]) == 1
    assert "kind must be one of library, got 'prose'" in capsys.readouterr().err


def test_folders_name_the_files_below_them(project):
    found = list_generated_files(read_list(project / "tests/mutants/library.toml"))
    assert found == ["lib/shapes/__init__.py"]


def test_tests_that_always_run_come_after_those_of_the_file(tmp_path):
    path = tmp_path / "library.toml"
    path.write_text(
        '[run]\nalways = ["tests/test_rules.py"]\n'
        '[tests]\n"lib/" = ["tests/a"]\n"lib/one.py" = ["tests/b"]\n'
    )
    chosen = read_list(path)
    assert chosen.find_tests("lib/one.py") == ("tests/b", "tests/test_rules.py")
    assert chosen.find_tests("lib/two.py") == ("tests/a", "tests/test_rules.py")


def test_the_table_counts():
    results = [judge(make(), 0, ""), judge(make(), 1, "t::a"), Result(make(line=1), "equivalent")]
    table = count_by_module(results)
    assert [row[3:] for row in table.rows] == [
        ["1", "0", "0", "1", "100.0 %"],
        ["2", "1", "1", "0", "50.0 %"],
        ["2", "1", "1", "0", "50.0 %"],
        ["1", "0", "0", "1", "100.0 %"],
    ]
    with pytest.raises(ListError, match="no test ran"):
        judge(make(), 5, "")
    assert "--file a.py" in describe_way_to_reproduce(make())


def test_shards_part_all_mutants_between_them():
    keys = [f"a.py x = {n} x = {n + 1}" for n in range(200)]
    parts = [[key for key in keys if is_in_shard(key, f"{n}/4")] for n in range(1, 5)]
    assert sorted(key for part in parts for key in part) == sorted(keys)
    assert all(20 < len(part) < 80 for part in parts)
    assert all(is_in_shard(key, "1/1") for key in keys)


def make_results(*outcomes, line=None):
    return [Result(make(line=line), outcome) for outcome in outcomes]


def test_the_share_is_of_those_that_change_something():
    """Nine of ten are enough for 0.9 of a tool's; of those by hand, all must be caught."""
    tried = make_results(*["caught"] * 9, "missed", "equivalent", line=1)
    assert report(tried, [], 0.9) == 0 and report(tried, [], 0.91) == 1
    assert report(make_results("equivalent", line=1), [], 1.0) == 0
    assert report(make_results("caught"), [], 1.0) == 0
    assert report(make_results("caught", "missed"), [], 0.0) == 1
    assert report(make_results("caught"), ["a command"], 0.0) == 1
    assert report([], [], 1.0) == 0


def test_what_was_missed_is_told_with_its_lines_and_the_way_to_see_it(capsys):
    mutant = make(was="    if a:\n        b()", becomes="    if not a:\n        b()", line=7)
    report([Result(mutant, "missed")], ["one of a command"], 0.9)
    said = capsys.readouterr().out
    assert "missed: a.py:7: d\n" in said
    assert "was:     if a:\n" in said and "becomes: if not a:\n" in said
    assert "should be noticed by: pytest t\n" in said and "missed: one of a command\n" in said
    assert "Of the tool's mutants at least 90 % must be caught." in said


def test_lines_of_a_tool_are_planted_where_they_stand():
    text = "a = 1\nif a:\n    b = 1\nif a:\n    b = 1\n"
    mutant = make(was="if a:\n    b = 1", becomes="if not a:\n    b = 1\n    c = 1", line=4)
    assert plant(text, mutant) == "a = 1\nif a:\n    b = 1\nif not a:\n    b = 1\n    c = 1\n"
    for line in (1, 3, 5, 9):
        with pytest.raises(ListError, match="the lines there are others"):
            plant(text, make(was=mutant.was, becomes="pass", line=line))


def test_an_equivalent_is_known_by_its_lines_however_far_they_are_indented(tmp_path):
    path = tmp_path / "library.toml"
    path.write_text(
        '[[equivalent]]\nfile = "a.py"\nwas = "if a:\\n  b()"\nbecomes = "if b:\\n  b()"\n'
        'because = "b is a"\n'
    )
    chosen = read_list(path)
    own = make(was="    if a:\n        b()", becomes="    if b:\n        b()")
    assert chosen.explain(own) == "b is a"
    assert chosen.explain(make(file="b.py", was=own.was, becomes=own.becomes)) == ""
    assert chosen.explain(make(was=own.was, becomes="if c:\nb()")) == ""


def test_what_a_tree_of_a_notebook_holds_changes_in_lists_and_mappings_too():
    data = {"application/json": {"a": ["12", 12, {"b": "12 of 12"}]}}
    shown = new_output("display_data", data=data)
    text = nbformat.writes(new_notebook(cells=[new_code_cell("x = 12", outputs=[shown])]))
    changed = nbformat.reads(plant(text, make(file="a.ipynb", was="12", becomes="13")), 4)
    assert changed.cells[0].outputs[0].data["application/json"] == {
        "a": ["13", 12, {"b": "13 of 13"}]
    }


def test_files_that_are_gone_or_ignored_are_not_copied(project, tmp_path):
    (project / ".gitignore").write_text("*.log\n")
    (project / "run.log").write_text("said")
    (project / "new.py").write_text("x = 1")
    subprocess.run(["git", "add", "."], check=True)
    (project / "make_mutants.py").unlink()
    copy = make_copy(project, tmp_path / "copy")
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert "new.py" in names and names.isdisjoint({"run.log", "make_mutants.py"})
