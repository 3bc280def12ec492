"""Records of the kit are values: what was found or promised stays so, whoever has it in hand.

Not seen here: lists and mappings in a record, which can be changed.
"""

import dataclasses
import importlib
import pkgutil

import pytest

import bookproof

# What is gathered piece by piece, or is of a class of somebody else.
GATHERED = {
    "AuthorYearRound",
    "Chapter",
    "Check",
    "Drift",
    "Edition",
    "LeftOut",
    "MutantList",
    "Parenthetical",
    "Rerun",
    "Run",
    "Textual",
}
MODULES = [module.name for module in pkgutil.walk_packages(bookproof.__path__, "bookproof.")]


@pytest.mark.parametrize("name", MODULES)
def test_what_is_not_gathered_cannot_be_changed(name):
    module = importlib.import_module(name)
    records = [
        each
        for each in vars(module).values()
        if dataclasses.is_dataclass(each) and each.__module__ == name
    ]
    frozen = {each.__name__ for each in records if each.__dataclass_params__.frozen}
    assert frozen == {each.__name__ for each in records} - GATHERED
