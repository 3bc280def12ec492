"""Build the site and tell, at the end, where it is or why there is none.

    python -m bookproof.build _build [--stored]

The same build as `jupyter-book build -W -n --keep-going .`, which cannot name its output folder.
With --stored nothing is executed: the outputs stored in the notebooks are taken, which is quick and
good for looking at prose.
"""

import argparse
import json
import re
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from jupyter_book.sphinx import build_sphinx
from sphinx.util.console import color_terminal, nocolor


class Tee:
    """A stream that also remembers what was written to it."""

    def __init__(self, stream):
        self.stream, self.written = stream, ""

    def write(self, text):
        self.written += text
        return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)


def failed_cells(executed, source, since):
    """One line for each cell that raised, in the notebooks as they were executed in this build."""
    for path in sorted(executed.rglob("*.ipynb")):
        name = path.relative_to(executed)
        if path.stat().st_mtime < since or not (source / name).exists():
            continue
        for index, cell in enumerate(json.loads(path.read_text())["cells"], start=1):
            for output in cell.get("outputs", ()):
                if output["output_type"] == "error":
                    first = "".join(cell["source"]).strip().splitlines()[0]
                    yield f"{name}, cell {index} ({first}): {output['ename']}: {output['evalue']}"


def reasons(result, status, warnings):
    """The warnings, without the tracebacks that follow them; where Sphinx itself stopped, also the
    page it was at.
    """
    yield from (
        line for line in warnings.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL):", line)
    )
    if isinstance(result, BaseException):
        pages = re.findall(r"(?:reading sources|writing output)\.\.\. \[.*?\] (\S+)", status)
        yield (
            f"{pages[-1] if pages else 'before the first page'}: {type(result).__name__}: {result}"
        )


def build(source, target, stored=False):
    """0 when every page was built without a warning."""
    overrides = {
        "external_toc_path": str(source / "_toc.yml"),
        "latex_individualpages": False,
        "nitpicky": True,
    }
    if stored:
        overrides["nb_execution_mode"] = "off"
    if not color_terminal():
        nocolor()
    started, status, warnings = time.time(), Tee(sys.stdout), Tee(sys.stderr)
    with redirect_stdout(status), redirect_stderr(warnings):
        result = build_sphinx(
            source,
            target / "html",
            path_config=source / "_config.yml",
            noconfig=True,
            confoverrides=overrides,
            warningiserror=True,
            keep_going=True,
        )
    if result == 0:
        elsewhere = "" if target == source / "_build" else f' BUILD="{target}"'
        print(
            f"\nThe book is built. Open {target / 'html' / 'index.html'}\nor serve it with: make"
            f" serve{elsewhere}"
        )
        return 0
    print("\nThe book is NOT built:", file=sys.stderr)
    lines = [
        *reasons(result, status.written, warnings.written),
        *failed_cells(target / "jupyter_execute", source, started),
    ]
    print("\n".join(lines), file=sys.stderr)
    return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("--source", type=Path, default=Path("."))
    parser.add_argument(
        "--stored", action="store_true", help="execute nothing, take the stored outputs"
    )
    options = parser.parse_args()
    sys.exit(build(options.source.resolve(), options.target.resolve(), options.stored))
