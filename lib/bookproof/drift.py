"""Run the notebooks with other versions than those of the lock, and say which version changes which
output, cell by cell.

    python -m bookproof.drift [notebook ...] --environment newest=.venv-newest/bin/python
    python -m bookproof.drift [notebook ...] --package matplotlib==3.9.0 --package numpy==2.0.0

An environment is a Python with all that the notebooks need. A package is put, alone, before those
of this Python: where an environment changes an output, `--explain` tries one by one its packages
that differ, and so finds the one that does it. Nothing is stored; what counts as a difference is
what `bookproof.accept` shows.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from packaging.utils import canonicalize_name
from tqdm import tqdm

from .accept import choose, diff_text, shorten
from .machine import silence_progress
from .notebooks import HANG, drop_outputs, find_notebooks, is_passing
from .pictures import compare_outputs
from .tables import Table
from .versions import read_wishes

ASK = """
import importlib.metadata, json, platform
found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
print(json.dumps({"python": platform.python_version(), "packages": found}))
"""
LONGEST = 100  # columns of what differs, in the table


@dataclass(frozen=True)
class Environment:
    """A Python with its packages, some of them perhaps from a folder that comes before."""

    name: str
    python: str
    version: str
    packages: Mapping[str, str]
    before: tuple[str, ...] = ()

    def list_differences(self, other: "Environment", names: Iterable[str]) -> dict[str, str]:
        """Return {package: version} of those among `names` that are others than in `other`."""
        found = {}
        for name in names:
            version = self.packages.get(name, "missing")
            if version != other.packages.get(name, "missing"):
                found[name] = version
        return found


@dataclass
class Drift:
    """What a notebook shows otherwise in an environment, by the id of the cell."""

    environment: Environment
    notebook: Path
    cells: dict[str, list[str]] = field(default_factory=dict)


def ask_versions(python: str, before: Sequence[str] = ()) -> dict:
    """Return the version of a Python and of its packages."""
    run = subprocess.run(
        [python, "-c", ASK], env=make_variables(before), capture_output=True, text=True, check=True
    )
    answer = json.loads(run.stdout)
    packages = {canonicalize_name(name): each for name, each in answer["packages"].items()}
    return {"version": answer["python"], "packages": packages}


def make_variables(before: Sequence[str] = (), **more: str) -> dict[str, str]:
    """Return the variables of this process, with folders before those where Python looks."""
    paths = [*before, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
    variables.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    return variables


def make_environment(name: str, python: str) -> Environment:
    return Environment(name, python, **ask_versions(python))


def put_before(here: Environment, requirement: str, folder: Path) -> Environment:
    """Return this environment with one package in another version, installed into a folder."""
    target = folder / requirement.replace("/", "_")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*install, "--no-deps", "--target", str(target), requirement]
    subprocess.run(command, check=True)
    before = (str(target),)
    return Environment(requirement, here.python, **ask_versions(here.python, before), before=before)


def execute(
    notebook: NotebookNode, folder: Path, environment: Environment, **variables: str
) -> NotebookNode:
    """Return a copy of the notebook with the outputs of a run in an environment; what a cell raises
    is its output.
    """
    fresh = drop_outputs(notebook)
    manager = AsyncKernelManager()
    command = [environment.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(
        argv=command, display_name=environment.name, language="python"
    )
    client = NotebookClient(
        fresh,
        km=manager,
        timeout=HANG,
        allow_errors=True,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    asyncio.run(client.async_execute(env=make_variables(environment.before, **variables)))
    return fresh


def find_drift(path: Path, environment: Environment, folder: Path, **variables: str) -> Drift:
    """Run one notebook in an environment, and compare what it shows with what is stored; pictures
    that differ are written below the folder.
    """
    stored = nbformat.read(path, as_version=4)
    found = Drift(environment, path)
    try:
        new = execute(stored, path.parent.resolve(), environment, **variables)
    except (CellTimeoutError, DeadKernelError, RuntimeError) as error:
        found.cells["all"] = [f"it does not run: {str(error).strip().splitlines()[-1]}"]
        return found
    for old, cell in zip(stored.cells, new.cells, strict=True):
        if old.cell_type != "code":
            continue
        before, after = ([o for o in c.outputs if not is_passing(o)] for c in (old, cell))
        place = folder / environment.name / path.stem / old.id
        pictures = [shorten(each) for each in compare_outputs(before, after, place)]
        text = [line for line in diff_text(before, after) if is_change(line)]
        if text or pictures:
            found.cells[old.id] = [*text, *pictures]
    return found


def is_change(line: str) -> bool:
    """Whether a line of a diff is new text: the old one is in the notebook."""
    return (
        line.startswith("+")
        and not line.startswith("+++")
        or not line.startswith(("-", " ", "@", "+"))
    )


def list_named_packages(project: Path) -> list[str]:
    """Return the packages that the pyproject.toml of a book and of its own packages name."""
    names = []
    for path in [project / "pyproject.toml", *sorted(project.glob("lib/*/pyproject.toml"))]:
        if path.exists():
            names += read_wishes(path.read_text(encoding="utf-8"))
    return list(dict.fromkeys(names))


def explain(
    drifts: Sequence[Drift], here: Environment, names: Sequence[str], folder: Path
) -> list[Drift]:
    """Return what each package of an environment changes alone, in the notebooks that differ there.

    Only packages that the project names are tried, and only such as can be installed alone beside
    the others here.
    """
    found = []
    for drift in [drift for drift in drifts if drift.cells]:
        for name, version in drift.environment.list_differences(here, names).items():
            if version == "missing":
                continue
            single = put_before(here, f"{name}=={version}", folder)
            found.append(find_drift(drift.notebook, single, folder))
    return found


def make_table(drifts: Iterable[Drift]) -> Table:
    """Return a row for each cell that differs, and one for each notebook where none does."""
    rows = []
    for drift in drifts:
        about = [drift.environment.name, drift.notebook.stem]
        for cell, lines in drift.cells.items():
            more = f" (and {len(lines) - 1} lines more)" if len(lines) > 1 else ""
            rows.append([*about, cell, f"{lines[0][:LONGEST]}{more}"])
        if not drift.cells:
            rows.append([*about, "none", "as stored"])
    return Table("Drift", ["environment", "notebook", "cell", "what differs"], rows)


def describe_environment(environment: Environment, here: Environment, names: Sequence[str]) -> str:
    """Return a line with all versions that are others than here."""
    others = environment.list_differences(here, names)
    versions = [f"{name} {version}" for name, version in others.items()]
    if environment.version != here.version:
        versions.insert(0, f"Python {environment.version}")
    return f"{environment.name}: {', '.join(versions) or 'the same versions'}"


def read_pairs(texts: Iterable[str]) -> dict[str, str]:
    """Return {name: value} of texts such as TZ=Asia/Kathmandu."""
    return dict(text.split("=", 1) for text in texts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookproof.drift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebook", nargs="*", help="its name, without .ipynb")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    parser.add_argument("--build", type=Path, default=Path("_build"), help="where pictures go")
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--package", action="append", default=[], metavar="NAME==VERSION")
    parser.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--backwards", action="store_true", help="the last notebook first")
    parser.add_argument("--explain", action="store_true", help="which package it is, one by one")
    options = parser.parse_args(arguments)
    silence_progress()
    paths = choose(options.notebook, find_notebooks(options.source))
    if options.backwards:
        paths = paths[::-1]
    variables = read_pairs(options.variable)
    names = list_named_packages(options.source)
    here = make_environment("here", sys.executable)
    folder = options.build.resolve() / "drift"
    with tempfile.TemporaryDirectory(prefix="packages-") as packages:
        chosen = [make_environment(*each) for each in read_pairs(options.environment).items()]
        chosen += [put_before(here, each, Path(packages)) for each in options.package]
        tasks = [(path, each) for each in chosen or [here] for path in paths]
        drifts = []
        for path, each in tqdm(tasks, desc="drift", unit="notebook"):
            drifts.append(find_drift(path, each, folder, **variables))
        if options.explain:
            drifts += explain(drifts, here, names, Path(packages))
    for each in {drift.environment.name: drift.environment for drift in drifts}.values():
        print(describe_environment(each, here, names))
    print(make_table(drifts))
    if any(drift.cells for drift in drifts):
        print(f"Pictures that differ are in {folder}.")
    return 1 if any(drift.cells for drift in drifts) else 0


if __name__ == "__main__":
    sys.exit(main())
