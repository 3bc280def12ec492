"""Pictures are compared too, in the very run in which nbval compares the text of a cell.

This stands here and not in tests/, because pytest asks a folder's conftest about the tests below that folder only.
"""

import os

import pytest
from nbval.plugin import IPyNbCell

import pictures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Runs a cell of a notebook; when its text is as stored, its pictures, light and dark, have to be so as well."""
    result = yield
    if isinstance(item, IPyNbCell):
        if item.test_outputs is None:
            item.raise_cell_error("nbval has not kept what this cell shows, so its pictures cannot be compared")
        folder = item.config.rootpath / os.environ.get("BUILD", "_build") / "figures" / item.path.stem
        wrong = pictures.compared(item.cell.outputs, item.test_outputs, folder / item.cell.get("id", item.name))
        if wrong:
            item.raise_cell_error("Pictures differ", "\n".join(wrong))
    return result
