"""What a build says, leaves behind and replaces; packages of npm; the machine it ran on.

Sphinx's own work is left out: a stand-in writes a site, or complains. Not seen here: a whole build
(test_other_book.py).
"""

import os
import platform
import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof import build, machine, scripts, web
from bookproof.build import find_failed_cells, find_reasons, is_replaceable, list_commands
from bookproof.sphinx import packages


class Stand:
    """A stand-in for Sphinx: remembers how it was called, writes a site, complains."""

    def __init__(self, result=0, complains="", status=""):
        self.result, self.complains, self.status = result, complains, status
        self.arguments = self.options = None

    def __call__(self, *arguments, **options):
        self.arguments, self.options = arguments, options
        aside = arguments[1]
        aside.mkdir(parents=True, exist_ok=True)
        (aside / ".buildinfo").write_text("made")
        (aside / "index.html").write_text("new")
        print(self.status)
        print(self.complains, file=sys.stderr)
        return self.result


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Build in a folder with a stand-in for Sphinx; return the status of the build."""
    source, target = tmp_path / "book", tmp_path / "_build"
    source.mkdir()

    def start(stand, **options):
        monkeypatch.setattr(build, "build_sphinx", stand)
        return build.build(source, target, **options)

    return start


def test_a_whole_site_takes_the_place_of_the_last_one(run, tmp_path, capsys):
    site = tmp_path / "_build" / "html"
    for _ in range(2):
        assert run(Stand()) == 0
        assert (site / "index.html").read_text() == "new"
        assert sorted(path.name for path in site.parent.iterdir()) == [".html", "html"]
        (site / "index.html").write_text("old")
        (site / "gone.html").write_text("old")
    said = capsys.readouterr().out
    assert f"The book is built. Open {site / 'index.html'}\n" in said
    assert f'-m http.server --directory "{site}"' in said


def test_what_an_earlier_build_left_behind_does_not_stand_in_the_way(run, tmp_path):
    for name in (".html-fresh", ".html-last"):
        folder = tmp_path / "_build" / f".{'html'}-{name.rpartition('-')[2]}"
        folder.mkdir(parents=True)
        (folder / "rest").write_text("")
    assert run(Stand()) == 0
    assert sorted(path.name for path in (tmp_path / "_build").iterdir()) == [".html", "html"]
    assert not (tmp_path / "_build" / "html" / "rest").exists()


def test_a_build_is_that_of_jupyter_book_with_warnings_as_errors(run, tmp_path):
    stand = Stand()
    run(stand)
    assert stand.arguments == (tmp_path / "book", tmp_path / "_build" / ".html")
    options = stand.options
    assert options["warningiserror"] is options["keep_going"] is options["noconfig"] is True
    assert options["path_config"] == tmp_path / "book" / "_config.yml"
    assert options["confoverrides"] == {
        "external_toc_path": str(tmp_path / "book" / "_toc.yml"),
        "latex_individualpages": False,
        "nitpicky": True,
    }
    run(stand, stored=True)
    assert stand.options["confoverrides"]["nb_execution_mode"] == "off"


@pytest.mark.parametrize("colored", [True, False])
def test_colors_are_for_terminals(run, monkeypatch, colored):
    plain = []
    monkeypatch.setattr(build, "color_terminal", lambda: colored)
    monkeypatch.setattr(build, "nocolor", lambda: plain.append(True))
    run(Stand())
    assert plain == ([] if colored else [True])


def test_a_build_that_failed_says_why_and_leaves_the_last_site(run, tmp_path, capsys):
    assert run(Stand(1, "a.md:3: WARNING: no such label\nTraceback: x")) == 1
    said = capsys.readouterr().err
    end = said.partition("\nThe book is NOT built:\n")[2]
    assert end.splitlines() == [
        "a.md:3: WARNING: no such label",
        "",
        "To see it alone:",
        'python -m bookproof.build "_build" --stored',
    ]
    assert run(Stand()) == 0
    site = tmp_path / "_build" / "html"
    (site / "index.html").write_text("last")
    assert run(Stand(1)) == 1
    assert f"NOT built; the last site stays as it was in {site}:" in capsys.readouterr().err
    assert (site / "index.html").read_text() == "last"


def test_a_folder_that_sphinx_did_not_make_is_left_alone(run, tmp_path, capsys):
    site = tmp_path / "_build" / "html"
    assert is_replaceable(site)
    site.mkdir(parents=True)
    assert is_replaceable(site)
    (site / "letter.txt").write_text("mine")
    stand = Stand()
    assert run(stand) == 1 and stand.arguments is None
    assert f"{site} is no site that Sphinx made: choose another folder." in capsys.readouterr().err
    assert (site / "letter.txt").read_text() == "mine"


def write_executed(path, *outputs):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell("# A"), new_code_cell("\nx = 1\n1 / 0", outputs=list(outputs))]
    nbformat.write(new_notebook(cells=cells), path)


ERROR = new_output("error", ename="ZeroDivisionError", evalue="by zero", traceback=[])


def test_a_cell_that_raised_is_named_by_its_place_and_first_line(tmp_path):
    executed, source = tmp_path / "executed", tmp_path / "source"
    source.mkdir()
    for name in ("b/late", "a", "0-old", "0-gone"):
        write_executed(executed / f"{name}.ipynb", new_output("stream", text="said"), ERROR)
        if name != "0-gone":
            write_executed(source / f"{name}.ipynb")
    since = 1000.0
    for path in executed.rglob("*.ipynb"):
        seconds = since - 1 if path.stem == "0-old" else since
        os.utime(path, (seconds, seconds))
    assert list(find_failed_cells(executed, source, since)) == [
        "a.ipynb, cell 2 (x = 1): ZeroDivisionError: by zero",
        "b/late.ipynb, cell 2 (x = 1): ZeroDivisionError: by zero",
    ]


def test_a_build_names_the_cells_that_raised_in_it_and_how_to_run_them(run, tmp_path, capsys):
    write_executed(tmp_path / "book" / "a.ipynb")
    write_executed(tmp_path / "_build" / "jupyter_execute" / "a.ipynb", ERROR, ERROR)
    later = 2**33
    os.utime(tmp_path / "_build" / "jupyter_execute" / "a.ipynb", (later, later))
    assert run(Stand(1, "a.ipynb: WARNING: Executing notebook failed")) == 1
    line = "a.ipynb, cell 2 (x = 1): ZeroDivisionError: by zero"
    assert capsys.readouterr().err.splitlines()[-6:] == [
        "a.ipynb: WARNING: Executing notebook failed",
        line,
        line,
        "",
        "To see it alone:",
        'python -m pytest "a.ipynb"',
    ]


def test_each_notebook_is_run_once_to_see_its_failures(tmp_path):
    failed = ["a.ipynb, cell 1: x", "a.ipynb, cell 2: y", "b.ipynb, cell 1: z"]
    commands = list_commands(failed, tmp_path)
    assert commands == [
        "",
        "To see it alone:",
        'python -m pytest "a.ipynb"',
        'python -m pytest "b.ipynb"',
    ]


def test_of_what_sphinx_says_the_warnings_are_told_and_where_it_stopped():
    warnings = "a: WARNING: one\n  a traceback\nb: ERROR: two\nCRITICAL: three\nWARNINGS: none"
    assert list(find_reasons(1, "", warnings)) == [
        "a: WARNING: one",
        "b: ERROR: two",
        "CRITICAL: three",
    ]
    status = (
        "reading sources... [ 50%] first\nwriting output... [ 50%] second\n"
        "writing output... [100%] third\n"
    )
    error = ValueError("no")
    assert list(find_reasons(error, status, "")) == ["third: ValueError: no"]
    assert list(find_reasons(error, "", "")) == ["before the first page: ValueError: no"]


def test_the_command_takes_folders_and_stored_outputs(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(build, "build", lambda *given: calls.append(given) or 7)
    monkeypatch.chdir(tmp_path)
    for words in (["b"], ["b", "--source", "s", "--stored"]):
        monkeypatch.setattr(sys, "argv", ["build", *words])
        assert build.main() == 7
    assert calls == [(tmp_path, tmp_path / "b", False), (tmp_path / "s", tmp_path / "b", True)]


# Packages of npm


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """The commands of npm that would have been run, each with its options."""
    calls = []
    monkeypatch.setattr(web, "WEB", tmp_path / "web")
    monkeypatch.setattr(subprocess, "run", lambda command, **more: calls.append((command, more)))
    return calls


def lock(folder):
    for name in web.LOCKED:
        (folder / name).write_text("{}")


def test_packages_are_installed_as_they_are_locked_and_run_nothing(npm, tmp_path):
    lock(tmp_path)
    web.install(tmp_path)
    web.install(tmp_path)
    command, options = npm[1]
    assert command[2:] == [
        "ci",
        "--ignore-scripts",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    assert options["cwd"] == tmp_path / "web" and options["check"] is True
    assert all((tmp_path / "web" / name).exists() for name in web.LOCKED)


@pytest.mark.parametrize("missing", web.LOCKED)
def test_a_book_must_name_its_packages_and_lock_them(npm, tmp_path, missing):
    lock(tmp_path)
    assert web.is_locked(tmp_path)
    (tmp_path / missing).unlink()
    assert not web.is_locked(tmp_path)
    with pytest.raises(packages.ExtensionError, match="KaTeX is not in this environment: .*or go$"):
        packages.fetch("KaTeX", tmp_path, otherwise=", or go")
    assert npm == []


def test_packages_that_cannot_be_fetched_are_told(monkeypatch, tmp_path, npm):
    lock(tmp_path)
    packages.fetch("KaTeX", tmp_path)
    assert len(npm) == 1

    def refuse(source):
        raise subprocess.CalledProcessError(1, "npm")

    monkeypatch.setattr(packages, "install", refuse)
    with pytest.raises(packages.ExtensionError, match="could not be fetched .*exit status 1"):
        packages.fetch("KaTeX", tmp_path)


def test_the_command_of_npm_takes_the_folder_of_a_book(npm, monkeypatch, tmp_path):
    lock(tmp_path)
    monkeypatch.setattr(sys, "argv", ["web", "--source", str(tmp_path)])
    web.main()
    assert len(npm) == 1


def test_an_error_of_node_is_raised_and_what_it_prints_returned():
    assert scripts.run_node(["-e", "process.stdout.write('é')"]) == "é"
    assert scripts.run_node(["-"], "console.log(1 + 1)") == "2\n"
    with pytest.raises(RuntimeError, match="Error: no"):
        scripts.run_node(["-e", "throw Error('no')"])


def test_a_script_is_joined_classic_and_small_unless_asked_otherwise(tmp_path):
    (tmp_path / "one.js").write_text("export const one = 'α'\n")
    (tmp_path / "two.js").write_text("import {one} from './one.js'\nexport const two = one + one\n")
    start = "globalThis.answer = 'started'"
    small = scripts.bundle([tmp_path / "two.js"], start=start)
    assert small.startswith("(()=>{") and small.count("\n") == 1 and "started" in small
    large = scripts.bundle([tmp_path / "two.js"], start=start, minify=False)
    assert large.startswith("(() => {\n") and large.count("\n") > 3
    both = [tmp_path / "two.js", tmp_path / "one.js"]
    module = scripts.bundle(both, minify=False, as_module=True)
    assert re.search(r"export \{\s*two\s*\}", module) and "α" in module


def test_formulas_are_computed_in_node_and_no_number_is_none(tmp_path):
    (tmp_path / "formulas.js").write_text(
        "export const formulas = {prepare: data => data.a,\n"
        "  compute: (a, {x}) => ({ratio: a / x, sum: a + x})}\n"
    )
    answers = scripts.run_formulas(tmp_path / "formulas.js", {"a": 3}, [{"x": 2}, {"x": 0}])
    assert answers == [{"ratio": 1.5, "sum": 5}, {"ratio": None, "sum": 3}]


# The machine


def test_the_facts_of_a_machine_are_those_it_tells_otherwise(monkeypatch):
    facts = machine.facts()
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    assert facts["Memory"] == f"{pages * size / 1024**3:.0f} GiB"
    assert facts["Cores"] == str(len(os.sched_getaffinity(0)))
    assert facts["Python"] == f"{platform.python_implementation()} {platform.python_version()}"
    assert facts["System"] == f"{platform.system()} {platform.machine()}"
    monkeypatch.setattr(machine, "measure_memory", lambda: None)
    assert machine.facts()["Memory"] == "unknown"


def test_a_machine_that_cannot_be_asked_tells_what_it_can(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: int("none"))
    assert machine.measure_memory() is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {3, 5}}[process])
    assert machine.count_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.count_cores() == 1


def test_a_processor_is_named_as_linux_knows_it(monkeypatch, tmp_path):
    known = tmp_path / "cpuinfo"
    known.write_text("model\t: 7\nmodel name\t: A \nmodel name\t: B\n")
    monkeypatch.setattr(machine, "Path", lambda place: known)
    assert machine.name_processor() == "A"
    known.unlink()
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine.name_processor() == platform.machine()


def test_the_kernel_of_blas_is_named_if_it_can_be_asked(monkeypatch):
    blas = {"name": "openblas", "version": "0.3"}
    monkeypatch.setattr("numpy.show_config", lambda mode: {"Build Dependencies": {"blas": blas}})
    kernels = [
        {"user_api": "blas", "architecture": "Zen"},
        {"user_api": "blas", "architecture": "Haswell"},
        {"user_api": "blas"},
        {"user_api": "openmp", "architecture": "Other"},
    ]
    asked = SimpleNamespace(threadpool_info=lambda: kernels)
    monkeypatch.setitem(sys.modules, "threadpoolctl", asked)
    assert machine.describe_blas() == "openblas 0.3, Haswell, Zen kernels"
    kernels.clear()
    assert machine.describe_blas() == "openblas 0.3"
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert machine.describe_blas() == "openblas 0.3"


def test_bars_of_progress_are_kept_out_unless_somebody_wants_them(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    machine.silence_progress()
    assert os.environ["TQDM_DISABLE"] == "1"
    monkeypatch.setenv("TQDM_DISABLE", "0")
    machine.silence_progress()
    assert os.environ["TQDM_DISABLE"] == "0"


def test_a_package_that_is_not_installed_has_no_version():
    assert machine.installed("numpy") == __import__("numpy").__version__
    assert machine.installed("no-such-package") is None
