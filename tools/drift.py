"""Make environments of the oldest and of the newest versions that the book admits, run its
notebooks there, and say which version changes which output.

    python -m tools.drift UV_VERSION [notebook ...] [--set oldest] [--tests] [--explain]
    python -m tools.drift UV_VERSION [notebook ...] --here [--read-only] [--variable TZ=Asia/Tokyo]

The comparison is that of bookproof.drift, whose options may follow. With --tests the library's own
tests run there, too. With --here there is only the Python that runs this: what is tried is another
order, another place or a checkout that nobody can write to. An environment stays where it is until
the versions that are asked for are others.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bookproof import drift
from bookproof.mutate import make_copy

from . import PROJECT
from .lock import EXTRAS, SOURCES

# How uv chooses versions. Of what the book asks for only indirectly the newest fit better than the
# oldest, which nobody tried together.
SETS = {"oldest": "lowest-direct", "newest": "highest"}


def find_uv(folder, uv_version):
    """Return uv, installed into a folder of its own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"uv=={uv_version}"]
    subprocess.run(pip, check=True)
    return f"{folder}/bin/uv"


def compile_pins(uv, resolution, python_version):
    """Return the pins that one end of the admitted ranges leads to, as text."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    command = [uv, "pip", "compile", *SOURCES, *extras, "--resolution", resolution]
    options = ["--python-version", python_version, "--no-header", "--no-annotate", "--quiet"]
    run = subprocess.run([*command, *options], cwd=PROJECT, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"No versions fit together for Python {python_version}:\n{run.stderr}")
    return run.stdout


def make_environment(uv, name, python):
    """Return the Python of an environment with one end of the admitted versions."""
    folder = PROJECT / f".venv-{name}"
    stamp = folder / "pins.txt"
    version = ask_version(python)
    pins = compile_pins(uv, SETS[name], version)
    wanted = f"# Python {version}\n{pins}"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Setting up {folder.name} ...", flush=True)
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, folder], check=True)
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "pins.txt"
            file.write_text(pins)
            sync = [uv, "pip", "sync", "--quiet", "--python", folder / "bin" / "python", file]
            subprocess.run(sync, check=True)
        stamp.write_text(wanted)
    return str(folder / "bin" / "python")


def ask_version(python):
    """Return the version of a Python, as 3.11."""
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def run_tests(name, python):
    """Return whether the library's tests pass in an environment."""
    print(f"\nThe library's tests with the {name} versions:", flush=True)
    tests = [python, "-m", "pytest", "-q", "tests/sharpminima", "-p", "no:cacheprovider"]
    return subprocess.run(tests, cwd=PROJECT, env=drift.make_variables([])).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("uv_version", help="of uv, which chooses the versions")
    parser.add_argument("notebook", nargs="*")
    parser.add_argument("--set", action="append", choices=list(SETS), help="only these versions")
    parser.add_argument("--python", default=sys.executable, help="another Python for them")
    parser.add_argument("--tests", action="store_true", help="run the library's tests, too")
    parser.add_argument("--no-notebooks", action="store_true")
    parser.add_argument("--here", action="store_true", help="no other versions")
    parser.add_argument("--read-only", action="store_true", help="from a copy that is read-only")
    options, rest = parser.parse_known_args()
    if options.here:
        return run_here(options.notebook, rest, options.read_only)
    put_sources_first(PROJECT)
    chosen, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        uv = find_uv(folder, options.uv_version)
        for name in options.set or SETS:
            python = make_environment(uv, name, options.python)
            chosen += ["--environment", f"{name}={python}"]
            if options.tests and not run_tests(name, python):
                failed.append(name)
    if failed:
        print(f"The library's tests FAIL with the versions: {', '.join(failed)}")
    if options.no_notebooks:
        return 1 if failed else 0
    return drift.main([*options.notebook, *chosen, *rest]) or (1 if failed else 0)


def run_here(notebooks, rest, is_read_only):
    """Run notebooks with the versions of this Python, perhaps from a copy without write access."""
    if not is_read_only:
        put_sources_first(PROJECT)
        return drift.main([*notebooks, *rest])
    with tempfile.TemporaryDirectory() as folder:
        copy = make_copy(PROJECT, Path(folder) / "copy")
        put_sources_first(copy)
        paths = [copy, *copy.rglob("*")]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        try:
            build = str(PROJECT / "_build")
            return drift.main([*notebooks, "--source", str(copy), "--build", build, *rest])
        finally:
            for path in paths:
                path.chmod(path.stat().st_mode | 0o200)


def put_sources_first(project):
    """Let the kernels of other environments, which have pins only, import the book's packages."""
    paths = [project / "lib", project / "chapters"]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, paths))


if __name__ == "__main__":
    sys.exit(main())
