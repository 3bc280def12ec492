"""One source of pins, and an environment that is made once.

Not seen here: whether the pinned packages work together, and whether conda can make
environment.yml.
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.support import PROJECT
from tools import environment

PYPROJECT, KIT, LOCK, CONDA = (
    (PROJECT / name).read_text()
    for name in (
        "pyproject.toml",
        "lib/bookproof/pyproject.toml",
        "requirements.txt",
        "environment.yml",
    )
)
NOT_LOCKED = {"torch", "jax"}  # large, and tried in an environment of their own
OTHERS = ("tests/frameworks", "bench")
FRAMEWORKS, PEERS = (
    "".join((PROJECT / folder / name).read_text() for name in ("requirements.txt", "torch.txt"))
    for folder in OTHERS
)


def list_requirements(pyproject):
    """All that a pyproject.toml asks for, but for the extras that are not locked."""
    project = tomllib.loads(pyproject)["project"]
    extras = project.get("optional-dependencies", {})
    locked = [texts for extra, texts in extras.items() if extra not in NOT_LOCKED]
    return [Requirement(text) for text in [*project["dependencies"], *sum(locked, [])]]


def read_pins(lock):
    """{package: [version, ...]} of a lock, and one sentence for each line that pins nothing."""
    pins, found = {}, []
    for line in lock.replace("\\\n", "").splitlines():
        line = line.partition("#")[0].partition("--hash")[0].strip()
        if not line:
            continue
        pin = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+)(?: *;.*)?", line)
        if pin:
            pins.setdefault(canonicalize_name(pin[1]), []).append(pin[2])
        else:
            found.append(f"the lock does not pin: {line}")
    return pins, found


def list_disagreements(pyproject, kit, lock, conda):
    """One sentence for each point in which the ranges, the pins and the conda environment
    differ.
    """
    pins, found = read_pins(lock)
    for requirement in [*list_requirements(pyproject), *list_requirements(kit)]:
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions or not all(version in requirement.specifier for version in versions):
            found.append(f"the lock has {versions} for {requirement}")
    asked = yaml.safe_load(conda)["dependencies"]
    # Beside hashes pip takes nothing that has none, as the packages here: postBuild installs them.
    if {"pip": ["-r requirements.txt"]} not in asked or "pip" not in asked:
        found.append("environment.yml does not take the lock, and nothing else, through pip")
    pythons = [
        entry.partition("=")[2]
        for entry in asked
        if isinstance(entry, str) and entry.startswith("python=")
    ]
    for text in (pyproject, kit):
        wanted = tomllib.loads(text)["project"]["requires-python"]
        if len(pythons) != 1 or pythons[0] not in SpecifierSet(wanted):
            found.append(
                f"environment.yml has Python {pythons}, a pyproject.toml asks for {wanted}"
            )
    if len(asked) != 3:
        found.append("environment.yml names more than Python and pip")
    return found


def test_the_four_agree():
    assert list_disagreements(PYPROJECT, KIT, LOCK, CONDA) == []


@pytest.mark.parametrize("other", [FRAMEWORKS, PEERS])
def test_the_other_environments_have_the_same_versions(other):
    """What is tried beside PyTorch and JAX, or timed, is what the book computes with."""
    pins, other_pins = read_pins(LOCK)[0], read_pins(other)[0]
    shared = pins.keys() & other_pins.keys()
    assert "numpy" in shared
    assert {name: other_pins[name] for name in shared} == {name: pins[name] for name in shared}


def test_the_frameworks_environment_has_all_that_the_library_can_use():
    pins, found = read_pins(FRAMEWORKS)
    project = tomllib.loads(PYPROJECT)["project"]
    extras = project["optional-dependencies"]
    wanted = sum((extras[extra] for extra in ("examples", *NOT_LOCKED)), project["dependencies"])
    for requirement in map(Requirement, wanted):
        [version] = pins[canonicalize_name(requirement.name)]
        assert version in requirement.specifier
    assert found == []
    both = {"torch", "jax", "jaxlib"}
    peers = read_pins(PEERS)[0]
    assert {name: pins[name] for name in both} == {name: peers[name] for name in both}


SCIPY = '"scipy>=1.17,<2"'


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("pyproject", SCIPY, '"scipy>=99"'),
        ("pyproject", SCIPY, f'{SCIPY}, "not-in-the-lock"'),
        ("kit", '"nbformat>=5.10"', '"nbformat>=99"'),
        ("kit", '"nbformat>=5.10"', '"nbformat>=5.10", "not-in-the-lock"'),
        ("kit", '">=3.11"', '">=3.12"'),
        ("lock", r"\nautograd==.*", ""),
        ("lock", r"\nautograd==.*", "\nautograd>=1.8"),
        ("lock", r"\njupyter-book==.*", "\njupyter-book==2.0.0"),
        ("conda", "python=3.11", "python=3.10"),
        ("conda", "-r requirements.txt", "numpy"),
        ("conda", "requirements.txt\n", "requirements.txt\n      - -e chapters\n"),
        ("conda", "$", "  - scipy\n"),
    ],
)
def test_a_disagreement_is_noticed(name, old, new):
    texts = {"pyproject": PYPROJECT, "kit": KIT, "lock": LOCK, "conda": CONDA}
    pattern = old if name in ("lock", "conda") else re.escape(old)
    changed, count = re.subn(pattern, new, texts[name], count=1)
    assert count == 1
    assert list_disagreements(**{**texts, name: changed})


def find_unhashed(lock):
    """The pins of a lock that have no sha256."""
    lines = [line.partition("#")[0] for line in lock.replace("\\\n", "").splitlines()]
    return [line for line in lines if line.strip() and "--hash=sha256:" not in line]


@pytest.mark.parametrize("folder", [".", *OTHERS])
def test_every_pin_has_its_hashes(folder):
    assert find_unhashed((PROJECT / folder / "requirements.txt").read_text()) == []


def test_a_pin_without_a_hash_is_noticed():
    assert find_unhashed(LOCK + "numpy==1.0\n") == ["numpy==1.0"]


@pytest.mark.parametrize("folder", OTHERS)
def test_pytorch_alone_has_none(folder):
    """One version of it has other files on other indexes."""
    pins, found = read_pins((PROJECT / folder / "torch.txt").read_text())
    assert found == [] and pins.keys() <= {"torch", "torchvision"}


def test_the_packages_here_are_installed_beside_the_lock():
    post_build = (PROJECT / "postBuild").read_text()
    assert "--no-deps --no-build-isolation -e . -e lib/bookproof -e chapters" in post_build


WHEEL = {
    "tiny/__init__.py": "",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD": "",
}


@pytest.mark.parametrize("is_right", [True, False])
def test_a_file_with_another_hash_is_refused(tmp_path, is_right):
    """By pip itself, which says what it expected and what it got."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in WHEEL.items():
            archive.writestr(name, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest() if is_right else 64 * "0"
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-index", "--require-hashes"]
    command = [*pip, "--find-links", tmp_path, "-r", lock, "-d", tmp_path / "got"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode == 0) == is_right
    if not is_right:
        assert "Expected sha256 0000" in run.stderr and "Got" in run.stderr


def test_a_wrong_hash_is_explained(project, capsys):
    run = Recorder(fails_at=2)
    with pytest.raises(SystemExit) as stopped:
        environment.make(str(project / ".venv"), run=run)
    said = str(stopped.value)
    assert "hashes do not match" in said and "pip download --no-deps --require-hashes -r" in said


def test_jupyter_book_stays_on_version_1():
    book = [
        Requirement(text)
        for text in tomllib.loads(PYPROJECT)["project"]["optional-dependencies"]["book"]
    ]
    [specifier] = [
        requirement.specifier for requirement in book if requirement.name == "jupyter-book"
    ]
    assert "1.0.4.post1" in specifier and "2.0.0" not in specifier


def test_the_web_lock_agrees_and_names_no_host():
    named, locked = (
        json.loads((PROJECT / name).read_text()) for name in ("package.json", "package-lock.json")
    )
    for name, version in {**named["dependencies"], **named["devDependencies"]}.items():
        assert locked["packages"][f"node_modules/{name}"]["version"] == version
    packages = [package for name, package in locked["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)


def read_oldest_pythons(pyproject=PYPROJECT):
    """{place: the oldest Python that it promises, as "3.11"}."""
    texts = {"pyproject.toml": pyproject, "lib/bookproof/pyproject.toml": KIT}
    texts["chapters/pyproject.toml"] = (PROJECT / "chapters/pyproject.toml").read_text()
    found = {}
    for name, text in texts.items():
        [asked] = SpecifierSet(tomllib.loads(text)["project"]["requires-python"])
        assert asked.operator == ">=", name
        found[name] = asked.version
    found["tools/environment.py"] = ".".join(map(str, environment.OLDEST))
    said = {"README.md": "README.md", "what tools/environment.py says": "tools/environment.py"}
    said["Makefile"] = "Makefile"
    for name, file in said.items():
        [found[name]] = set(re.findall(r"Python (3\.\d+) or newer", (PROJECT / file).read_text()))
    return found


def test_every_place_promises_the_same_oldest_python():
    assert set(read_oldest_pythons().values()) == {"3.11"}


def test_an_older_python_in_one_place_is_noticed():
    older = PYPROJECT.replace('requires-python = ">=3.11"', 'requires-python = ">=3.10"')
    assert read_oldest_pythons(older)["pyproject.toml"] == "3.10"


def test_too_old_a_python_is_told_in_one_sentence():
    sentence = environment.find_obstacle((3, 8, 10), "python3", ["venv", "ensurepip"])
    assert "3.11" in sentence and "3.8.10" in sentence and "\n" not in sentence


@pytest.mark.parametrize("there", [[], ["venv"]])
def test_a_missing_venv_is_told_in_one_sentence(there):
    sentence = environment.find_obstacle((3, 11, 2), "/usr/bin/python3", there)
    assert "apt install python3-venv" in sentence and "\n" not in sentence


def test_this_python_can_be_used():
    modules = environment.list_importable("venv", "ensurepip")
    assert environment.find_obstacle(sys.version_info, sys.executable, modules) is None


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


OTHER_LOCK = "bench/requirements.txt"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a space in its name, with the files that decide about its environment."""
    place = tmp_path / "my book"
    place.mkdir()
    for name in [*environment.BOOK, OTHER_LOCK]:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
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


def make(project, fails_at=None, lock="requirements.txt"):
    """The commands that were run to make the project's environment."""
    run = Recorder(fails_at)
    environment.make(str(project / ".venv"), lock, run)
    return run.commands


def test_a_second_run_installs_nothing(project, capsys):
    assert make(project)
    capsys.readouterr()
    assert make(project) == []
    assert capsys.readouterr().out == ""


def test_everything_is_installed_without_its_dependencies(project):
    lock, packages = (command for command in make(project) if "install" in command)
    assert "--no-deps" in lock and lock[-1] == str(project / "requirements.txt")
    assert "--require-hashes" in lock and "--require-hashes" not in packages
    assert "--no-deps" in packages and "--no-build-isolation" in packages
    kit = str(project / "lib" / "bookproof")
    figures = str(project / "chapters")
    assert packages[-6:] == ["-e", str(project), "-e", kit, "-e", figures]


def test_another_lock_makes_an_environment_of_nothing_else(project):
    clear, install = make(project, lock=OTHER_LOCK)
    assert "--clear" in clear and install[-1] == str(project / OTHER_LOCK)
    assert make(project, lock=OTHER_LOCK) == []
    (project / OTHER_LOCK).write_text("changed")
    assert len(make(project, lock=OTHER_LOCK)) == 1


def test_what_has_no_hash_is_installed_after_the_lock(project):
    unhashed = project / "bench" / environment.UNHASHED
    unhashed.write_text("torch==1.0")
    _, lock, rest = make(project, lock=OTHER_LOCK)
    assert "--require-hashes" in lock and "--require-hashes" not in rest
    assert rest[-1] == str(unhashed)
    unhashed.write_text("torch==2.0")
    assert make(project, lock=OTHER_LOCK)


@pytest.mark.parametrize("name", environment.BOOK)
def test_a_change_is_installed_without_starting_afresh(project, name):
    make(project)
    (project / name).write_text("changed")
    commands = make(project)
    assert commands and not any("--clear" in command for command in commands)


def test_another_python_starts_afresh(project, monkeypatch):
    make(project)
    monkeypatch.setattr(sys, "version", "another")
    assert any("--clear" in command for command in make(project))


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_an_interrupted_setup_is_taken_up_again(project, step):
    with pytest.raises(SystemExit, match="run the same command again"):
        make(project, fails_at=step)
    assert make(project)


def test_a_folder_that_is_no_environment_is_left_alone(project):
    (project / ".venv").mkdir()
    (project / ".venv" / "thesis.tex").write_text("")
    with pytest.raises(SystemExit, match="no virtual environment"):
        make(project)
    assert (project / ".venv" / "thesis.tex").exists()
