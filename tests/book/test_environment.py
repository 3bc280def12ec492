"""One source of pins, and an environment that is made once.

Not seen here: whether the pinned packages work together, and whether conda can make
environment.yml.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import environment

PROJECT = Path(__file__).resolve().parents[2]
PYPROJECT, LOCK, CONDA = (
    (PROJECT / name).read_text()
    for name in ("pyproject.toml", "requirements.txt", "environment.yml")
)


def disagreements(pyproject, lock, conda):
    """One sentence for each point in which the ranges, the pins and the conda environment
    differ.
    """
    found = []
    project = tomllib.loads(pyproject)["project"]
    pins = {}
    for line in lock.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        pin = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+)(?: *;.*)?", line)
        if pin:
            pins.setdefault(canonicalize_name(pin[1]), []).append(pin[2])
        else:
            found.append(f"the lock does not pin: {line}")
    wanted = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    for requirement in map(Requirement, wanted):
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions or not all(version in requirement.specifier for version in versions):
            found.append(f"the lock has {versions} for {requirement}")
    asked = yaml.safe_load(conda)["dependencies"]
    if {"pip": ["-r requirements.txt"]} not in asked or "pip" not in asked:
        found.append("environment.yml does not take the lock, and nothing else, through pip")
    pythons = [
        entry.partition("=")[2]
        for entry in asked
        if isinstance(entry, str) and entry.startswith("python=")
    ]
    if len(pythons) != 1 or pythons[0] not in SpecifierSet(project["requires-python"]):
        found.append(
            f"environment.yml has Python {pythons}, pyproject.toml asks for"
            f" {project['requires-python']}"
        )
    if len(asked) != 3:
        found.append("environment.yml names more than Python and pip")
    return found


def test_the_three_agree():
    assert disagreements(PYPROJECT, LOCK, CONDA) == []


@pytest.mark.parametrize(
    "pyproject, lock, conda",
    [
        (PYPROJECT.replace('"scipy>=1.11,<2"', '"scipy>=99"'), LOCK, CONDA),
        (PYPROJECT.replace('"scipy>=1.11,<2"', '"scipy>=1.11,<2", "not-in-the-lock"'), LOCK, CONDA),
        (PYPROJECT, re.sub(r"\nautograd==.*", "", LOCK), CONDA),
        (PYPROJECT, re.sub(r"\nautograd==.*", "\nautograd>=1.8", LOCK), CONDA),
        (PYPROJECT, re.sub(r"\njupyter-book==.*", "\njupyter-book==2.0.0", LOCK), CONDA),
        (PYPROJECT, LOCK, CONDA.replace("python=3.11", "python=3.10")),
        (PYPROJECT, LOCK, CONDA.replace("-r requirements.txt", "numpy")),
        (PYPROJECT, LOCK, CONDA + "  - scipy\n"),
    ],
)
def test_a_disagreement_is_noticed(pyproject, lock, conda):
    assert (pyproject, lock, conda) != (PYPROJECT, LOCK, CONDA)
    assert disagreements(pyproject, lock, conda)


def test_jupyter_book_stays_on_version_1():
    book = [
        Requirement(text)
        for text in tomllib.loads(PYPROJECT)["project"]["optional-dependencies"]["book"]
    ]
    [specifier] = [
        requirement.specifier for requirement in book if requirement.name == "jupyter-book"
    ]
    assert "1.0.4.post1" in specifier and "2.0.0" not in specifier


def test_the_package_is_installed_beside_the_lock():
    assert "pip install --no-deps -e ." in (PROJECT / "postBuild").read_text()


def test_the_web_lock_agrees_and_names_no_host():
    named, locked = (
        json.loads((PROJECT / name).read_text()) for name in ("package.json", "package-lock.json")
    )
    for name, version in {**named["dependencies"], **named["devDependencies"]}.items():
        assert locked["packages"][f"node_modules/{name}"]["version"] == version
    packages = [package for name, package in locked["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_too_old_a_python_is_told_in_one_sentence():
    sentence = environment.unfit((3, 8, 10), "python3", ["venv", "ensurepip"])
    assert "3.11" in sentence and "3.8.10" in sentence and "\n" not in sentence


@pytest.mark.parametrize("there", [[], ["venv"]])
def test_a_missing_venv_is_told_in_one_sentence(there):
    sentence = environment.unfit((3, 11, 2), "/usr/bin/python3", there)
    assert "apt install python3-venv" in sentence and "\n" not in sentence


def test_this_python_will_do():
    assert (
        environment.unfit(
            sys.version_info, sys.executable, environment.importable("venv", "ensurepip")
        )
        is None
    )


def test_any_python_can_read_the_file_that_tells_so():
    source = (PROJECT / "tools" / "environment.py").read_text()
    tree = ast.parse(source, feature_version=(3, 4))
    newer = (
        ast.JoinedStr,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.Nonlocal,
        ast.AsyncFunctionDef,
        ast.Starred,
    )
    assert not [node for node in ast.walk(tree) if isinstance(node, newer)]
    assert source.isascii(), "Python 2 reads other letters only when told their encoding"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a space in its name, with the files that decide about its environment."""
    place = tmp_path / "my book"
    place.mkdir()
    for name in environment.DECIDES:
        (place / name).write_text(name)
    monkeypatch.setattr(environment, "PROJECT", str(place))
    return place


class Recorder:
    """Stands for subprocess.check_call: remembers the commands, and makes of an environment only
    what marks it as one.
    """

    def __init__(self, fails_at=None):
        self.commands, self.fails_at = [], fails_at

    def __call__(self, command):
        self.commands.append(command)
        if len(self.commands) == self.fails_at:
            raise subprocess.CalledProcessError(1, command)
        if "venv" in command:
            folder = Path(command[-1])
            folder.mkdir(exist_ok=True)
            (folder / "pyvenv.cfg").write_text("")


def made(project, fails_at=None):
    run = Recorder(fails_at)
    environment.make(str(project / ".venv"), run)
    return run.commands


def test_a_second_run_installs_nothing(project, capsys):
    assert made(project)
    capsys.readouterr()
    assert made(project) == []
    assert capsys.readouterr().out == ""


def test_everything_is_installed_without_its_dependencies(project):
    installs = [command for command in made(project) if "install" in command]
    assert len(installs) == 2 and all("--no-deps" in command for command in installs)


@pytest.mark.parametrize("name", environment.DECIDES)
def test_a_change_is_installed_without_starting_afresh(project, name):
    made(project)
    (project / name).write_text("changed")
    commands = made(project)
    assert commands and not any("--clear" in command for command in commands)


def test_another_python_starts_afresh(project, monkeypatch):
    made(project)
    monkeypatch.setattr(sys, "version", "another")
    assert any("--clear" in command for command in made(project))


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_an_interrupted_setup_is_taken_up_again(project, step):
    with pytest.raises(SystemExit, match="run the same command again"):
        made(project, fails_at=step)
    assert made(project)


def test_a_folder_that_is_no_environment_is_left_alone(project):
    (project / ".venv").mkdir()
    (project / ".venv" / "thesis.tex").write_text("")
    with pytest.raises(SystemExit, match="no virtual environment"):
        made(project)
    assert (project / ".venv" / "thesis.tex").exists()
