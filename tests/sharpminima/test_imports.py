"""The house rules that a parser can see, what holds for every public name, and all doctests.

Which module may import which is said in pyproject.toml and checked by import-linter, in
tests/book/test_imports.py. A name that is made while the program runs passes unseen.
"""

import ast
import dataclasses
import doctest
import importlib
import inspect
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
def test_every_argument_can_be_given_by_its_name(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not node.args.posonlyargs, f"{name}.{node.name}"


@pytest.mark.parametrize("name", [name for name in MODULES if ".measures." in name])
def test_what_asks_for_a_point_alone_is_a_measure(name):
    """Otherwise it was never registered, or is no more."""
    registered = {value.function for value in sm.MEASURES.values()}
    for own, function in vars(import_module(name)).items():
        if inspect.isfunction(function) and not own.startswith("_") and own != "refuse_biases":
            asked = [
                parameter.name
                for parameter in inspect.signature(function).parameters.values()
                if parameter.default is parameter.empty
            ]
            assert asked != ["point"] or function in registered, own


def test_no_bar_of_progress_stays_when_it_is_done():
    bars = 0
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "tqdm":
                bars += 1
                words = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert words.get("leave") == "False", f"{path.name}:{node.lineno}"
    assert bars >= 5


def test_records_do_not_change():
    records = [getattr(sm, name) for name in list_public_names()]
    records = [value for value in records if dataclasses.is_dataclass(value)]
    assert {sm.Measure, sm.Minimum, sm.Trajectory} <= set(records)
    for record in records:
        untouched = object.__new__(record)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(untouched, dataclasses.fields(record)[0].name, None)


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    tests = [test for name in MODULES for test in finder.find(import_module(name))]
    assert sum(len(test.examples) for test in tests) >= 40
