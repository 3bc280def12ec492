"""Build the site and tell, at the end, where it is or why there is none.

    python -m bookproof.build _build [--stored]

The same build as `jupyter-book build -W -n --keep-going .`, with three things more. The site is
built aside, in _build/.html, and takes the place of the last one, in _build/html, when it is whole.
The last lines say what is wrong, with the cell that raised. With --stored nothing is executed: the
outputs stored in the notebooks are taken, which is quick and good for looking at prose.
"""

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from jupyter_book.sphinx import build_sphinx
from sphinx.util.console import color_terminal, nocolor


class Recorder:
    """A stream that also keeps what was written to it."""

    def __init__(self, stream):
        self.stream, self.written = stream, ""

    def write(self, text):
        self.written += text
        return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)


def find_failed_cells(executed: Path, source: Path, since: float) -> Iterator[str]:
    """Yield one line for each cell that raised, in the notebooks as they were executed in this
    build.
    """
    for path in sorted(executed.rglob("*.ipynb")):
        name = path.relative_to(executed)
        if path.stat().st_mtime < since or not (source / name).exists():
            continue
        for index, cell in enumerate(json.loads(path.read_text())["cells"], start=1):
            for output in cell.get("outputs", ()):
                if output["output_type"] == "error":
                    first = "".join(cell["source"]).strip().splitlines()[0]
                    yield f"{name}, cell {index} ({first}): {output['ename']}: {output['evalue']}"


def find_reasons(result: int | BaseException, status: str, warnings: str) -> Iterator[str]:
    """Yield the warnings, without the tracebacks that follow them; where Sphinx itself stopped,
    also the page it was at.
    """
    for line in warnings.splitlines():
        if re.search(r"\b(WARNING|ERROR|CRITICAL):", line):
            yield line
    if isinstance(result, BaseException):
        pages = re.findall(r"(?:reading sources|writing output)\.\.\. \[.*?\] (\S+)", status)
        where = pages[-1] if pages else "before the first page"
        yield f"{where}: {type(result).__name__}: {result}"


def list_commands(failed: list[str], target: Path) -> list[str]:
    """Return what to run to see the failures alone: each notebook with a cell that raised, or else
    the prose, for which nothing has to be executed.
    """
    notebooks = dict.fromkeys(line.partition(",")[0] for line in failed)
    if notebooks:
        commands = [f'python -m pytest "{name}"' for name in notebooks]
    else:
        commands = [f'python -m bookproof.build "{target.name}" --stored']
    return ["", "To see it alone:", *commands]


def is_replaceable(site: Path) -> bool:
    """Whether a folder may be taken away: there is none, it is empty, or Sphinx made it."""
    return not site.exists() or not any(site.iterdir()) or (site / ".buildinfo").exists()


def publish(built: Path, site: Path) -> None:
    """Let a whole site take the place of the last one. Sphinx keeps its own copy, which it changes
    page by page.
    """
    fresh, last = (site.with_name(f".{site.name}-{name}") for name in ("fresh", "last"))
    for left_behind in (fresh, last):
        shutil.rmtree(left_behind, ignore_errors=True)
    shutil.copytree(built, fresh)
    if site.exists():
        site.rename(last)
    fresh.rename(site)
    shutil.rmtree(last, ignore_errors=True)


def build(source: Path, target: Path, stored: bool = False) -> int:
    """Return 0 when every page was built without a warning, and the site took the place of the
    last one.
    """
    site, aside = target / "html", target / ".html"
    if not is_replaceable(site):
        print(f"{site} is no site that Sphinx made: choose another folder.", file=sys.stderr)
        return 1
    overrides = {
        "external_toc_path": str(source / "_toc.yml"),
        "latex_individualpages": False,
        "nitpicky": True,
    }
    if stored:
        overrides["nb_execution_mode"] = "off"
    if not color_terminal():
        nocolor()
    started, status, warnings = time.time(), Recorder(sys.stdout), Recorder(sys.stderr)
    with redirect_stdout(status), redirect_stderr(warnings):
        result = build_sphinx(
            source,
            aside,
            path_config=source / "_config.yml",
            noconfig=True,
            confoverrides=overrides,
            warningiserror=True,
            keep_going=True,
        )
    if result == 0:
        publish(aside, site)
        print(f"\nThe book is built. Open {site / 'index.html'}")
        print(f'or serve it: {Path(sys.executable).name} -m http.server --directory "{site}"')
        return 0
    stays = f"; the last site stays as it was in {site}" if site.exists() else ""
    print(f"\nThe book is NOT built{stays}:", file=sys.stderr)
    for line in find_reasons(result, status.written, warnings.written):
        print(line, file=sys.stderr)
    failed = list(find_failed_cells(target / "jupyter_execute", source, started))
    for line in failed:
        print(line, file=sys.stderr)
    for line in list_commands(failed, target):
        print(line, file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    parser.add_argument(
        "--stored", action="store_true", help="execute nothing, take the stored outputs"
    )
    options = parser.parse_args()
    return build(options.source.resolve(), options.target.resolve(), options.stored)


if __name__ == "__main__":
    sys.exit(main())
