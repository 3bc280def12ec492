"""Pin what the two pyproject.toml and package.json ask for, in requirements.txt and
package-lock.json.

python -m tools.lock UV_VERSION
"""

import subprocess
import sys
import tempfile

from bookproof.web import npm

from . import PROJECT

HEADER = (
    "# The full lock, for every platform and every Python from 3.11 on. Written by `make lock`; do"
    " not edit.\n"
)
SOURCES = ["pyproject.toml", "lib/bookproof/pyproject.toml"]
EXTRAS = ["sweep", "book", "test", "dev"]  # not torch: from_torch is tried where it is installed
OPTIONS = ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
SILENT = ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet"]


def write_python_lock(uv_version):
    """Let uv write requirements.txt: pip cannot lock for all platforms at once.

    Given the old lock as its output, uv keeps the pins that still fit.
    """
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"uv=={uv_version}"]
        subprocess.run(pip, check=True)
        compiled = [f"{folder}/bin/uv", "pip", "compile", *SOURCES, "-o", "requirements.txt"]
        subprocess.run([*compiled, *OPTIONS, *SILENT, *extras], cwd=PROJECT, check=True)
    lock = PROJECT / "requirements.txt"
    lock.write_text(HEADER + lock.read_text())


def write_web_lock():
    """Let npm write package-lock.json, without the addresses that it took packages from.

    Where a package is fetched from is the user's business; its integrity says that it is the right
    one.
    """
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved", cwd=PROJECT)


if __name__ == "__main__":
    write_python_lock(sys.argv[1])
    write_web_lock()
