"""What test files of several folders use."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((PROJECT / "chapters").glob("*.ipynb"))


def build_book(target, *options):
    """Build this book as `make book` does; returns the finished process with everything it said in
    stdout.
    """
    command = [sys.executable, "-m", "bookproof.build", target, *options]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT
    )
