"""The house rules that a parser can see, whether each public name is documented, and all doctests.

Which module may import which is said in pyproject.toml and checked by import-linter, in
tests/book/test_imports.py. A name that is made while the program runs passes unseen.
"""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

import sharpminima as sm

ROOT = Path(sm.__file__).parent
MODULES = {
    ".".join(["sharpminima", *path.relative_to(ROOT).with_suffix("").parts]): path
    for path in sorted(ROOT.rglob("*.py"))
}


def list_public_names():
    """The names that `sharpminima` imports from its modules."""
    tree = ast.parse(MODULES["sharpminima.__init__"].read_text(encoding="utf-8"))
    names = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return names


def import_module(name):
    return importlib.import_module(name.removesuffix(".__init__"))


def test_there_is_something_to_look_at():
    assert {"sharpminima.losses", "sharpminima.measures.norms"} <= set(MODULES)
    assert {"NetworkLoss", "hessian", "audit"} <= set(list_public_names())


@pytest.mark.parametrize("name", MODULES)
def test_global_seeds_are_nowhere(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert "random.seed" not in source and "RandomState" not in source


def test_no_module_has_the_name_of_a_public_function():
    modules = {name.split(".")[1] for name in MODULES}
    assert not set(list_public_names()) & modules


@pytest.mark.parametrize("name", list_public_names())
def test_every_public_name_can_be_imported_and_is_documented(name):
    assert getattr(sm, name).__doc__, f"{name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    tests = [test for name in MODULES for test in finder.find(import_module(name))]
    assert sum(len(test.examples) for test in tests) >= 40
