"""What a notebook claims, and what a page states. Knows notebooks and Markdown only: no Sphinx, no
library.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from .claims import MIME

HANG = 1800  # seconds for one cell: only what hangs takes that long, however busy the machine is

STATEMENTS = {f"prf:{name}" for name in "theorem definition lemma corollary proposition".split()}
FIGURES = {"figure", "glue:figure"}
# What stands in these is shown as it is; nothing is stated there.
VERBATIM = {"code", "code-block", "code-cell", "sourcecode", "parsed-literal", "math", "raw"}

MARKDOWN = MarkdownIt("commonmark").use(colon_fence_plugin)
# What tqdm writes.
PROGRESS = re.compile(r"(.*: )?\s*\d+%\|.*\| *\d.*\[.*\]|.*\d+it \[.*\]")
DIRECTIVE = re.compile(r"\{([\w:.+-]+)\}")
SCRIPT = "application/javascript"
OPTION = re.compile(r"^ *:?([\w-]+): *(.*?) *$")


def find_notebooks(path: Path) -> list[Path]:
    """Return the notebooks below a folder, without those in folders that are hidden, built, or an
    environment; a notebook itself is the only one.
    """
    if path.is_file():
        return [path] if path.suffix == ".ipynb" else []
    found = []
    for inner in sorted(path.iterdir()):
        if inner.is_file() or is_part_of_the_book(inner):
            found += find_notebooks(inner)
    return found


def drop_outputs(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook as it is before it is run."""
    fresh = deepcopy(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return fresh


def is_part_of_the_book(folder: Path) -> bool:
    is_environment = (folder / "pyvenv.cfg").exists()
    return folder.is_dir() and not folder.name.startswith((".", "_")) and not is_environment


def read_page(path: Path) -> NotebookNode:
    """Return a notebook; a page of Markdown becomes a notebook of one cell."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return nbformat.reads(text, as_version=4)
    return new_notebook(cells=[new_markdown_cell(text)])


def is_progress(output: NotebookNode) -> bool:
    """Whether an output is what a bar of progress leaves behind when somebody runs a notebook."""
    lines = re.split(r"[\r\n]+", output.get("text", ""))
    shown = [line.rstrip() for line in lines if line.strip()]
    return output.get("name") == "stderr" and all(map(PROGRESS.fullmatch, shown))


def is_passing(output: NotebookNode) -> bool:
    """Whether an output is no part of the book: a bar of progress, or a script that JupyterLab
    runs.
    """
    return is_progress(output) or SCRIPT in output.get("data", {})


def find_claims(page: NotebookNode) -> list[dict]:
    """Return the claims that a notebook shows, in their order.

    Each is the record that `Claim` shows, its parts with what was measured and found when the
    notebook ran, and `code`, the cell that makes it.
    """
    found = []
    for cell in page.cells:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                found.append({**join_parts(output), "code": cell.source})
    return found


def join_parts(output: NotebookNode) -> dict:
    """Return the record of a claim in an output, with what was found for each of its parts.

    That stands in the output's metadata, which some tools strip from a notebook.
    """
    record = output.data[MIME]
    found = output.get("metadata", {}).get(MIME, {}).get("parts")
    if found is None:
        found = [{"measured": None, "finding": ""}] * len(record["parts"])
    parts = [{**part, **more} for part, more in zip(record["parts"], found, strict=True)]
    return {**record, "parts": parts}


def find_directives(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and the options of each directive in some Markdown, also of nested ones."""
    for token in MARKDOWN.parse(text):
        if token.type not in ("fence", "colon_fence"):
            continue
        name = DIRECTIVE.match(token.info.strip())
        if name is None:
            continue
        options, content = split_options(token.content)
        yield name[1], options
        if name[1] not in VERBATIM:
            yield from find_directives(content)


def split_options(content: str) -> tuple[dict[str, str], str]:
    """Return the options at the head of a directive, in either of MyST's two styles, and what
    follows them.
    """
    lines = content.splitlines()
    if lines and lines[0].strip() == "---":
        end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
        head, rest = lines[1:end], lines[end + 1 :]
    else:
        end = next(
            (
                n
                for n, line in enumerate(lines)
                if line.strip() and not line.strip().startswith(":")
            ),
            len(lines),
        )
        head, rest = lines[:end], lines[end:]
    options = dict(match.groups() for match in map(OPTION.match, head) if match)
    return options, "\n".join(rest)


def find_statements(page: NotebookNode) -> list[tuple[str, str | None]]:
    """Return the kind and the label of all that needs a claim: statements and numbered figures.

    One without a label cannot be claimed: its label is None.
    """
    found = []
    for cell in page.cells:
        if cell.cell_type == "markdown":
            for name, options in find_directives(cell.source):
                if name in STATEMENTS:
                    found.append((name.removeprefix("prf:"), options.get("label")))
                elif name in FIGURES:
                    found.append(("figure", options.get("name")))
        elif "figure" in cell.metadata.get("mystnb", {}):
            found.append(("figure", cell.metadata.mystnb.figure.get("name")))
    return found


def find_uncovered(pages: Mapping[str, NotebookNode]) -> list[str]:
    """Return one sentence for each statement or figure of some pages that has not exactly one claim
    of its name.
    """
    made = Counter(claim["identifier"] for page in pages.values() for claim in find_claims(page))
    found = []
    for name, page in pages.items():
        for kind, label in find_statements(page):
            if label is None:
                found.append(f"{name}: a {kind} has no label, so no claim can name it")
            elif not made[label]:
                found.append(f"{name}: the {kind} {label} has no claim")
    for identifier, times in made.items():
        if times > 1:
            found.append(f"the claim {identifier} is made {times} times")
    return found
