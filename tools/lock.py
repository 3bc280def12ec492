"""Pin what the two pyproject.toml and package.json ask for, in requirements.txt and
package-lock.json, each file with its hashes; and write the hashes of the other locks, whose pins
are chosen by hand.

python -m tools.lock UV_VERSION
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bookproof.web import npm

from . import PROJECT

HEADER = (
    "# The full lock, for every platform and every Python from 3.11 on. Written by `make lock`; do"
    " not edit.\n"
)
SOURCES = ["pyproject.toml", "lib/bookproof/pyproject.toml"]
EXTRAS = ["sweep", "book", "test", "dev"]  # not torch: from_torch is tried where it is installed
HASHED = ["tests/frameworks/requirements.txt", "bench/requirements.txt"]
OPTIONS = [
    "--generate-hashes",
    "--no-strip-extras",  # with hashes pip wants an extra pinned as it is asked for
    "--universal",
    "--python-version",
    "3.11",
    "--fork-strategy",
    "fewest",
]
SILENT = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet"]


def install_uv(folder, uv_version):
    """Return uv, which locks for all platforms at once, as pip cannot; in a folder of its own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"uv=={uv_version}"]
    subprocess.run(pip, check=True)
    return f"{folder}/bin/uv"


def write_python_lock(uv):
    """Let uv write requirements.txt. Given the old lock as its output, it keeps the pins that still
    fit.
    """
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    compiled = [uv, "pip", "compile", *SOURCES, "-o", "requirements.txt"]
    subprocess.run([*compiled, *OPTIONS, *SILENT, *extras], cwd=PROJECT, check=True)
    lock = PROJECT / "requirements.txt"
    lock.write_text(HEADER + lock.read_text())


def write_hashes(uv, name):
    """Let uv write the hashes of the pins of a lock, below the comment at its head."""
    lock = PROJECT / name
    text = lock.read_text()
    head = re.match(r"(#.*\n)*", text)[0]
    pins = re.findall(r"^[\w.-]+==[^\s\\]+", text, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.in")
        wanted.write_text("\n".join(pins) + "\n")
        compiled = [uv, "pip", "compile", "--no-deps", "--no-annotate", wanted, "-o", lock]
        subprocess.run([*compiled, *OPTIONS, *SILENT], cwd=PROJECT, check=True)
    lock.write_text(head + lock.read_text())


def write_web_lock():
    """Let npm write package-lock.json, without the addresses that it took packages from.

    Where a package is fetched from is the user's business; its integrity says that it is the right
    one.
    """
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved", cwd=PROJECT)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        uv = install_uv(folder, sys.argv[1])
        write_python_lock(uv)
        for name in HASHED:
            write_hashes(uv, name)
    write_web_lock()
