"""With `bookproof = true` in pytest's configuration a run checks the book: every notebook is
executed, its text and pictures are compared with what is stored, and each claim must have been
checked by a test.

Text is nbval's business, pictures are compared in the same run. A test says which claims it checks
by a marker, `@pytest.mark.claim("theorem-3", "fig-trace")`. A complete run fails if a claim of the
notebooks has no test that passed, or if a marker names no claim.
"""

import os
from pathlib import Path

import nbformat
import pytest

from . import pictures
from .notebooks import claims

HANG = 1800  # seconds for one cell: only what hangs takes that long, however busy the machine is
PROPERTY = "bookproof-claim"


def pytest_addoption(parser):
    parser.addini(
        "bookproof",
        "check the notebooks, their pictures and their claims",
        type="bool",
        default=False,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.addinivalue_line(
        "markers", "claim(identifier, ...): the claims of the book that a test checks"
    )
    if not config.getini("bookproof"):
        return
    config.option.nbval = True
    config.option.nbval_current_env = True
    config.option.nbval_cell_timeout = HANG
    config.pluginmanager.register(Pictures(), "bookproof-pictures")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Claims(config), "bookproof-claims")


def pytest_collection_modifyitems(items):
    for item in items:
        for marker in item.iter_markers("claim"):
            item.user_properties += [(PROPERTY, identifier) for identifier in marker.args]


class Pictures:
    """Compares the pictures of a notebook's cell, light and dark, once nbval has found its text to
    be as stored.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        from nbval.plugin import IPyNbCell

        result = yield
        if isinstance(item, IPyNbCell):
            if item.test_outputs is None:
                item.raise_cell_error(
                    "nbval has not kept what this cell shows, so its pictures cannot be compared"
                )
            folder = (
                item.config.rootpath
                / os.environ.get("BUILD", "_build")
                / "figures"
                / item.path.stem
            )
            stem = folder / item.cell.get("id", item.name)
            differences = pictures.compared(item.cell.outputs, item.test_outputs, stem)
            if differences:
                item.raise_cell_error("Pictures differ", "\n".join(differences))
        return result


class Claims:
    """Follows which claims had a test that passed, and fails a complete run for those that had
    none.
    """

    def __init__(self, config):
        self.config = config
        self.tested = set()
        self.named = set()
        self.missing = []

    def pytest_runtest_logreport(self, report):
        identifiers = {value for name, value in report.user_properties if name == PROPERTY}
        self.named |= identifiers
        if report.when == "call" and report.passed:
            self.tested |= identifiers

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self._is_complete():
            self.missing = unchecked(self._claimed(), self.named, self.tested)
        if self.missing and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        if self.missing:
            terminalreporter.section("claims without a check", red=True)
            for sentence in self.missing:
                terminalreporter.line(sentence)

    def _is_complete(self):
        option = self.config.option
        selected = (
            option.keyword
            or option.markexpr
            or getattr(option, "lf", False)
            or getattr(option, "deselect", None)
        )
        everything = self.config.args_source is pytest.Config.ArgsSource.TESTPATHS
        return everything and not selected and not option.collectonly

    def _claimed(self):
        """Return the identifiers of all claims stored in the notebooks that this run collects."""
        found = []
        for folder in self.config.args:
            for path in sorted((self.config.rootpath / Path(folder)).rglob("*.ipynb")):
                if not any(
                    part.startswith((".", "_"))
                    for part in path.relative_to(self.config.rootpath).parts
                ):
                    found += [
                        claim["identifier"] for claim in claims(nbformat.read(path, as_version=4))
                    ]
        return found


def unchecked(claimed, named, tested):
    """Return one sentence for each claim without a test that passed, and for each marker that names
    no claim.
    """
    found = []
    for identifier in dict.fromkeys(claimed):
        if identifier not in named:
            found.append(
                f"no test names the claim {identifier}: mark one with"
                f' @pytest.mark.claim("{identifier}")'
            )
        elif identifier not in tested:
            found.append(f"no test of the claim {identifier} ran and passed")
    unknown = sorted(set(named) - set(claimed))
    found += [
        f"a test names the claim {identifier}, which no notebook makes" for identifier in unknown
    ]
    return found
