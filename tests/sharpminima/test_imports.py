"""The house rules that a parser can see: which module may import which, what modules are called,
and all doctests.

An import hidden in a string (`importlib`, `exec`) passes unseen, and so does a module that computes
what a figure should be given: what figures may import is all that is checked.
"""

import ast
import doctest
import importlib
import sys
from pathlib import Path

import pytest

import sharpminima as sm

ROOT = Path(sm.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted(ROOT.rglob("*.py"))
}

# A module may import those of earlier rows: networks -> hessians -> ... -> sweep. A new module has
# to find its row here.
ROWS = [
    ["_validation", "structured"],
    ["networks", "datasets", "claims"],
    ["hessians"],
    [
        "alpha_transform",
        "flatness",
        "sharpness",
        "reparametrization",
        "landscapes",
        "training",
        "interop",
    ],
    ["transformations", "tables"],
    ["measures"],
    ["invariance"],
    ["sweep"],
]
ROW = {module: row for row, modules in enumerate(ROWS) for module in modules}


def imports(name):
    """All modules that a module imports anywhere in its code, those of this package as
    sharpminima.<module>.
    """
    package = ["sharpminima", *name.split(".")[:-1]]
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x` and `from sharpminima import x` may name modules; of `from numpy
            # import x` numpy counts.
            parts = [f"{base}.{alias.name}" for alias in node.names]
            yield from (
                part if part.removeprefix("sharpminima.") in MODULES else base for part in parts
            )


def own(name):
    """The top-level modules of this package that a module imports; `sharpminima` itself as the
    empty name.
    """
    found = [
        i.removeprefix("sharpminima").removeprefix(".").split(".")[0]
        for i in imports(name)
        if i.split(".")[0] == "sharpminima"
    ]
    return set(found)


def foreign(name):
    return {i.split(".")[0] for i in imports(name)} - {"sharpminima"} - set(sys.stdlib_module_names)


LIBRARY = [name for name in MODULES if "." not in name and name != "__init__"]
FIGURES = [name for name in MODULES if name.startswith("figures.")]


def test_there_is_something_to_look_at():
    assert set(LIBRARY) | set(FIGURES) | {"__init__"} == set(MODULES)
    assert {"networks", "hessians", "alpha_transform", "training", "datasets", "claims"} <= set(
        LIBRARY
    )
    assert own("alpha_transform") == {"_validation", "networks"} and "autograd" in foreign(
        "networks"
    )


@pytest.mark.parametrize("name", LIBRARY)
def test_imports_go_one_way_only(name):
    assert name in ROW, f"{name} is new: say in ROWS where it stands"
    wrong = sorted(i for i in own(name) if ROW.get(i, len(ROWS)) >= ROW[name])
    assert not wrong, f"{name} must not import {wrong}"


@pytest.mark.parametrize("name", [name for name in LIBRARY if name in ("claims", "datasets")])
def test_claims_and_datasets_know_nothing_of_the_rest(name):
    assert own(name) <= {"_validation"}


def test_alpha_transform_knows_no_calculus():
    assert own("alpha_transform") <= {"_validation", "networks"} and foreign("alpha_transform") <= {
        "numpy"
    }


@pytest.mark.parametrize("name", FIGURES)
def test_figures_receive_numbers_and_compute_nothing(name):
    assert own(name) <= {"figures"} and foreign(name) <= {
        "numpy",
        "matplotlib",
        "mpl_toolkits",
        "PIL",
    }


@pytest.mark.parametrize("name", [*LIBRARY, *FIGURES])
def test_global_seeds_are_nowhere(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert "random.seed" not in source and "RandomState" not in source


def test_no_module_has_the_name_of_a_public_function():
    tree = ast.parse(MODULES["__init__"].read_text(encoding="utf-8"))
    public = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert public and not public & {name.split(".")[0] for name in MODULES}


def test_every_public_name_can_be_imported_and_is_documented():
    tree = ast.parse(MODULES["__init__"].read_text(encoding="utf-8"))
    for node in tree.body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            assert getattr(sm, alias.name).__doc__, f"{alias.name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name):
    module = (
        "sharpminima" if name == "__init__" else f"sharpminima.{name.removesuffix('.__init__')}"
    )
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    assert (
        sum(
            len(test.examples)
            for name in LIBRARY
            for test in finder.find(importlib.import_module(f"sharpminima.{name}"))
        )
        >= 10
    )
