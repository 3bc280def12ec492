"""The two packages as somebody else installs them: what their wheels hold, say and need.

Not seen here: whether an index has what they ask for. In an empty environment with a network they
were tried by hand, on Python 3.11 and 3.13, and with the oldest versions that they admit.
"""

import ast
import email
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import PROJECT

README = "lib/sharpminima/README.md"
SOURCES = {"sharpminima": PROJECT, "bookproof": PROJECT / "lib" / "bookproof"}
PEOPLE_INSTALL = {"numpy", "scipy", "autograd", "tqdm", "psutil", "threadpoolctl"}
OF_THE_BOOK = {
    "matplotlib",
    "sklearn",
    "pandas",
    "PIL",
    "torch",
    "jax",
    "sphinx",
    "nbformat",
    "bookproof",
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """{name: wheel}, built from a copy, since setuptools leaves its own files beside the source."""
    folder = tmp_path_factory.mktemp("wheels")
    copy = folder / "copy"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(PROJECT / "lib", copy / "lib", ignore=ignore)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    built = {}
    for name, source in SOURCES.items():
        place = copy / source.relative_to(PROJECT)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        command = [*pip, "--no-build-isolation", "--wheel-dir", folder / name, place]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        [built[name]] = (folder / name).glob("*.whl")
    return built


def read_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def list_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def list_sources(package, pattern="*.py"):
    folder = PROJECT / "lib"
    paths = (path for path in (folder / package).rglob(pattern) if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


def list_data(package):
    """What a package uses beside its modules."""
    folders = ("static", "templates", "kit", "paper")
    data = [list_sources(package, f"{name}/**/*") for name in folders]
    return {f"{package}/py.typed"}.union(*data)


def list_needs(requirements, extra=""):
    """The names that are needed in a given extra; without one, those that are always needed."""
    found = set()
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            found.add(canonicalize_name(requirement.name))
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_a_wheel_holds_its_package_and_nothing_else(wheels, name):
    assert list_files(wheels[name]) == list_sources(name) | list_data(name)


@pytest.mark.parametrize("name", SOURCES)
def test_a_wheel_says_what_it_is(wheels, name):
    said = read_metadata(wheels[name])
    assert said["Name"] == name and len(said["Summary"]) > 30
    assert said["License-Expression"] == "MIT" and said["License-File"] == "LICENSE"
    assert said["Author"] and said["Keywords"] and len(said.get_all("Classifier")) > 5
    assert said["Requires-Python"] == ">=3.11"
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_payload().startswith(f"# {name}")


def test_both_wheels_carry_one_licence():
    assert (PROJECT / "lib/bookproof/LICENSE").read_text() == (PROJECT / "LICENSE").read_text()


def test_a_researcher_installs_six_packages(wheels):
    requirements = read_metadata(wheels["sharpminima"]).get_all("Requires-Dist")
    assert list_needs(requirements) == PEOPLE_INSTALL
    assert list_needs(requirements, "examples") == PEOPLE_INSTALL | {"scikit-learn"}
    for extra in ("torch", "jax"):
        assert list_needs(requirements, extra) == PEOPLE_INSTALL | {extra}
    assert {"matplotlib", "jupyter-book"} <= list_needs(requirements, "book")


def test_each_version_stands_in_one_place(wheels):
    import bookproof
    import sharpminima

    for module in (sharpminima, bookproof):
        assert read_metadata(wheels[module.__name__])["Version"] == module.__version__
    for source in SOURCES.values():
        assert (
            "version"
            in tomllib.loads((source / "pyproject.toml").read_text())["project"]["dynamic"]
        )
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert citation["version"] == sharpminima.__version__


def list_imports(package):
    """The top-level names that a package imports together with its modules.

    An import inside of a function is somebody's choice, and may ask for an extra.
    """
    found = set()
    for name in list_sources(package):
        for node in ast.parse((PROJECT / "lib" / name).read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {package}


@pytest.mark.parametrize("name", SOURCES)
def test_a_package_asks_for_what_it_imports(wheels, name):
    # bookproof.sphinx.katex and bookproof.pdf are optional.
    extras = {"sharpminima": [""], "bookproof": ["katex", "pdf"]}[name]
    needs = read_metadata(wheels[name]).get_all("Requires-Dist")
    asked = set().union(*(list_needs(needs, extra) for extra in extras))
    distributions = packages_distributions()
    imported = list_imports(name)
    assert "numpy" in imported
    for module in imported:
        assert asked & set(map(canonicalize_name, distributions[module])), module


BLOCKED = """
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture(scope="module")
def run_alone(wheels, tmp_path_factory):
    """Run code with the library as its wheel holds it, where the book's packages are missing."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheels["sharpminima"]) as archive:
        archive.extractall(folder)

    def run(code):
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        command = [sys.executable, "-c", BLOCKED + code, ",".join(OF_THE_BOOK)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environment
        ), folder

    return run


def test_the_library_needs_nothing_of_the_book(run_alone):
    code = """
import numpy as np
import sharpminima as sm

rng = np.random.default_rng(0)
loss = sm.NetworkLoss((2, 3, 1), rng.normal(size=(4, 2)), rng.normal(size=(4, 1)))
print(sm.__file__, sm.hessian(loss, rng.normal(size=loss.size)).shape)
for name in sm.__all__:
    getattr(sm, name)
"""
    run, folder = run_alone(code)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str(folder)) and "(9, 9)" in run.stdout


def test_the_readmes_example_runs(run_alone):
    [code] = re.findall(r"```python\n(.*?)```", (PROJECT / README).read_text(), re.DOTALL)
    run, _ = run_alone(code)
    assert run.returncode == 0, run.stderr
    losses, original, twin = run.stdout.splitlines()
    assert len(set(losses.split())) == 1, "the twin computes the same function"
    assert original != twin


def test_examples_say_what_they_need(run_alone):
    run, _ = run_alone("import sharpminima as sm\nsm.digits()")
    assert run.returncode == 1
    assert 'pip install "sharpminima[examples]"' in run.stderr.splitlines()[-1]
