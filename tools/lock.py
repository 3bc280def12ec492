"""Pin what pyproject.toml and package.json ask for, in requirements.txt and package-lock.json.

python -m tools.lock UV_VERSION
"""

import subprocess
import sys
import tempfile

from .web import PROJECT, npm

HEADER = (
    "# The full lock, for every platform and every Python from 3.11 on. Written by `make lock`; do"
    " not edit.\n"
)


def python_lock(uv_version):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run(
            [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"uv=={uv_version}"],
            check=True,
        )
        options = (
            "--universal --python-version 3.11 --fork-strategy fewest --no-emit-index-url --extra"
            " book --extra test --extra dev"
        )
        options += " --no-emit-find-links --no-header --quiet"
        # Given the old lock as its output, uv keeps the pins that still fit.
        command = [
            f"{folder}/bin/uv",
            "pip",
            "compile",
            *options.split(),
            "pyproject.toml",
            "lib/bookproof/pyproject.toml",
            "-o",
            "requirements.txt",
        ]
        subprocess.run(command, cwd=PROJECT, check=True)
    lock = PROJECT / "requirements.txt"
    lock.write_text(HEADER + lock.read_text())


def web_lock():
    # Where a package is fetched from is the user's business; that it is the right one is told by
    # its integrity.
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved", cwd=PROJECT)


if __name__ == "__main__":
    python_lock(sys.argv[1])
    web_lock()
