"""With `bookproof = true` in pytest's configuration a run checks the book: every notebook is
executed, its text and pictures are compared with what is stored, and each claim must have been
checked by a test.

Text is nbval's business, pictures are compared in the same run. A test says which claims it checks
by a marker, `@pytest.mark.claim("theorem-3", "fig-trace")`. A complete run has one failure for each
claim that no test checked, and for each marker that names no claim.
"""

import glob
from collections.abc import Iterable
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, NbCellError

from .machine import silence_progress
from .notebooks import HANG, find_claims, find_notebooks, is_passing, read_page
from .pictures import compare_outputs

PROPERTY = "bookproof-claim"
READING = "reading.txt"  # in the folder of what is built: what a test tells of the pages
PLACE = "claims"  # where a run reports claims, as it reports a test in its file
SELECTIONS = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise")


def pytest_addoption(parser):
    parser.addini(
        "bookproof",
        "check the notebooks, their pictures and their claims",
        type="bool",
        default=False,
    )
    parser.addini(
        "bookproof_build",
        "the folder of what is built; pictures that differ are written to its folder figures",
        default="_build",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.addinivalue_line(
        "markers", "claim(identifier, ...): the claims of the book that a test checks"
    )
    if not config.getini("bookproof"):
        return
    silence_progress()
    config.option.nbval = True
    config.option.nbval_current_env = True
    config.option.nbval_cell_timeout = HANG
    config.pluginmanager.register(Notebooks(config), "bookproof-notebooks")
    is_worker = hasattr(config, "workerinput")  # pytest-xdist's own way to tell
    if not is_worker:
        config.pluginmanager.register(Reading(config), "bookproof-reading")
        config.pluginmanager.register(Commands(config), "bookproof-commands")
        config.pluginmanager.register(Claims(config), "bookproof-claims")


def pytest_collection_modifyitems(items):
    """Reports carry an item's properties from the workers of pytest-xdist to the main process."""
    for item in items:
        for marker in item.iter_markers("claim"):
            item.user_properties += [(PROPERTY, identifier) for identifier in marker.args]


class Notebooks:
    """Compares the pictures of a notebook's cell, light and dark, once nbval has found its text to
    be as stored.
    """

    def __init__(self, config):
        self.build = config.rootpath / config.getini("bookproof_build")

    def pytest_ignore_collect(self, collection_path):
        """Executed copies of the notebooks are no part of the book."""
        return True if collection_path == self.build else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        if isinstance(item, IPyNbCell):
            stored = item.cell.get("outputs", ())
            item.cell.outputs = [output for output in stored if not is_passing(output)]
        result = yield
        if isinstance(item, IPyNbCell):
            if item.test_outputs is None:
                item.raise_cell_error(
                    "nbval has not kept what this cell shows, so its pictures cannot be compared"
                )
            stem = self.build / "figures" / item.path.stem / item.cell.get("id", item.name)
            differences = compare_outputs(item.cell.outputs, item.test_outputs, stem)
            if differences:
                item.raise_cell_error("Pictures differ", "\n".join(differences))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Say which cell failed as a reader of the notebook counts, why, and what to do."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(item, IPyNbCell) and isinstance(error, NbCellError):
            report.longrepr = describe_failure(item, error)
        return report


class Reading:
    """Shows the table that a test of this run has written into the file `reading.txt`: what a
    worker of pytest-xdist prints reaches nobody.
    """

    def __init__(self, config):
        self.path = config.rootpath / config.getini("bookproof_build") / READING
        self.last = read_time(self.path)

    def pytest_terminal_summary(self, terminalreporter):
        if read_time(self.path) == self.last:
            return
        terminalreporter.section("What each page asks of its reader")
        terminalreporter.write_line(self.path.read_text(encoding="utf-8"))


def read_time(path: Path) -> int | None:
    """Return when a file was written, None if there is none."""
    return path.stat().st_mtime_ns if path.exists() else None


class Commands:
    """Ends the log with the command that shows each failure alone, in the words of `--tb=short`."""

    MOST = 20  # who has more of them starts with these

    def __init__(self, config):
        self.config = config

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        failed = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
        commands = dict.fromkeys(write_command(report.nodeid) for report in failed)
        if not commands:
            return
        terminalreporter.section("To see each alone")
        for command in list(commands)[: self.MOST]:
            terminalreporter.write_line(command)
        if len(commands) > self.MOST:
            terminalreporter.write_line(f"... and {len(commands) - self.MOST} more")


def write_command(nodeid: str) -> str:
    """Return the command that shows one failure alone: a notebook as a whole, since its cells need
    those before them; of a claim the tests that are marked with it.

    >>> write_command("chapters/hessians.ipynb::Cell 3")
    'python -m pytest "chapters/hessians.ipynb"'
    >>> write_command("claims::theorem-3")
    'grep -rn "theorem-3" tests'
    """
    path, _, name = nodeid.partition("::")
    if path == PLACE:
        return f'grep -rn "{name}" tests'
    if path.endswith(".ipynb"):
        return f'python -m pytest "{path}"'
    return f'python -m pytest "{nodeid}"'


def describe_failure(item: IPyNbCell, error: NbCellError) -> str:
    """Return why a cell failed: in the first line, which a summary shows, in words."""
    number = item.cell.execution_count
    name = item.cell.get("id", item.name)
    return "\n".join(
        [
            f"{error} in cell [{number}], {name}",
            "",
            error.source,
            "",
            (error.inner_traceback or "").strip("\n"),
            "",
            f"To see it alone: python -m pytest {item.path.relative_to(item.config.rootpath)}",
            "If what is new is right, accept it: python -m bookproof.accept"
            f" {Path(item.config.getini('bookproof_build'))} {item.path.stem}",
        ]
    )


class Claims:
    """Follows which claims had a test that passed, and reports a failure in a complete run for each
    that had none.
    """

    def __init__(self, config):
        self.config = config
        self.named = set()
        self.passed = set()
        self.broken_files = False

    def pytest_collectreport(self, report):
        self.broken_files |= report.failed

    def pytest_runtest_logreport(self, report):
        identifiers = {value for name, value in report.user_properties if name == PROPERTY}
        self.named |= identifiers
        if report.when == "call" and report.passed:
            self.passed |= identifiers

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session):
        result = yield
        if self.is_complete():
            claimed = find_claimed(self.list_folders())
            unchecked = find_unchecked(claimed, self.named, self.passed)
            session.testscollected += len(unchecked)  # what pytest divides its progress by
            for identifier, sentence in unchecked:
                self.report_failure(identifier, sentence)
        return result

    def is_complete(self) -> bool:
        """Return whether the run covers all of testpaths without a selection. One that was cut
        short, by Ctrl-C or -x, never asks.
        """
        option = self.config.option
        selects = any(getattr(option, name, None) for name in SELECTIONS)
        asked = {Path(self.config.invocation_params.dir, path) for path in self.config.args}
        is_everything = {path.resolve() for path in asked} == set(self.list_folders())
        return is_everything and not selects and not self.broken_files and not option.collectonly

    def list_folders(self) -> list[Path]:
        """Return what a run without arguments collects."""
        root = self.config.rootpath
        names = self.config.getini("testpaths") or ["."]
        found = [path for name in names for path in glob.glob(name, root_dir=root, recursive=True)]
        return [(root / path).resolve() for path in found]

    def report_failure(self, identifier, sentence):
        """Report a claim as a failed test, so that pytest counts it, lists it and exits with 1."""
        name = f"{PLACE}::{identifier}"
        report = pytest.TestReport(
            nodeid=name,
            location=(PLACE, None, identifier),
            keywords={},
            outcome="failed",
            longrepr=sentence,
            when="call",
        )
        # To lfplugin this would be a test that --lf can run again, which a claim is not.
        manager = self.config.pluginmanager
        without = [manager.get_plugin("lfplugin")]
        manager.subset_hook_caller("pytest_runtest_logreport", without)(report=report)


def find_claimed(folders: Iterable[Path]) -> list[str]:
    """Return the identifiers of all claims that are stored in the notebooks below some folders."""
    notebooks = [path for folder in folders for path in find_notebooks(folder)]
    return [claim["identifier"] for path in notebooks for claim in find_claims(read_page(path))]


def find_unchecked(
    claimed: Iterable[str], named: set[str], passed: set[str]
) -> list[tuple[str, str]]:
    """Return (claim, sentence) for each claim without a test that passed, and for each marker that
    names no claim.
    """
    found = []
    claimed = dict.fromkeys(claimed)
    for identifier in claimed:
        marker = f'@pytest.mark.claim("{identifier}")'
        if identifier not in named:
            found.append(
                (identifier, f"no test checks this claim: mark the one that does, {marker}")
            )
        elif identifier not in passed:
            found.append((identifier, f"no test marked {marker} ran and passed"))
    for identifier in sorted(named - set(claimed)):
        found.append(
            (
                identifier,
                "a test is marked with this claim, but no notebook makes it: mend the marker, or"
                " store the notebook's outputs with python -m bookproof.accept",
            )
        )
    return found
