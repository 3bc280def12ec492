"""Imports go one way: the contracts in pyproject.toml, kept by this tree, and broken by trees that
import what they must not.

An import hidden in a string (`importlib`, `exec`) passes unseen, and so does a module that computes
what a figure should be given: what figures may import is all that is checked.
"""

import shutil
import subprocess
import sys

import pytest

from tests.support import PROJECT

COMMAND = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(project):
    """The process that has compared a tree of the project with its contracts."""
    path = f"{project / 'lib'}:{project / 'chapters'}"
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "--no-cache"],
        cwd=project,
        env={"PYTHONPATH": path, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_this_tree_keeps_the_contracts():
    run = lint(PROJECT)
    assert run.returncode == 0 and " 0 broken" in run.stdout, run.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    for part in ("lib", "chapters/figures"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize(
    "module, line, complaint",
    [
        (
            "lib/sharpminima/networks.py",
            "from . import losses",
            "sharpminima.networks is not allowed to import sharpminima.losses",
        ),
        (
            "lib/sharpminima/losses.py",
            "def f():\n    from .training import sgd",
            "sharpminima.losses is not allowed to import sharpminima.training",
        ),
        (
            "lib/sharpminima/flatness.py",
            "from .sharpness import Sharpness",
            "sharpminima.flatness is not allowed to import sharpminima.sharpness",
        ),
        ("lib/sharpminima/novelty.py", "import numpy", "novelty"),
        (
            "lib/sharpminima/alpha_transform.py",
            "import autograd",
            "sharpminima.alpha_transform is not allowed to import autograd",
        ),
        (
            "lib/sharpminima/tables.py",
            "import bookproof.drawing",
            "sharpminima is not allowed to import bookproof",
        ),
        (
            "lib/bookproof/claims.py",
            "import sharpminima",
            "bookproof is not allowed to import sharpminima",
        ),
        (
            "chapters/figures/hessians.py",
            "import scipy.linalg",
            "figures is not allowed to import scipy",
        ),
    ],
)
def test_a_tree_with_a_wrong_import_breaks_them(copy, module, line, complaint):
    path = copy / module
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    run = lint(copy)
    if before is None:
        path.unlink()
    else:
        path.write_text(before, encoding="utf-8")
    assert run.returncode != 0 and complaint in " ".join(run.stdout.split()), run.stdout
