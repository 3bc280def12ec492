"""Run the notebooks of a book again, show what came out otherwise than stored, and store it when
told to.

    python -m bookproof.accept _build [notebook ...] [--yes | --form]

Text is shown as a diff; pictures as a page, _build/accept/index.html, old, new and difference side
by side. A cell whose text and pictures are as they were keeps its stored outputs to the last byte,
so that a commit has nothing in it but what changed.

With --form nothing is run: what an editor left in the notebooks is removed, the numbers in their
prose are those that their cells have stored, and works are cited as the bibliography has them.

Either way the answers to exercises are gathered from the notebooks, for `check_answer`.
"""

import argparse
import difflib
import html
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from .answers import FILE, PACKAGE, find_answers, write_answers
from .citations import fill_citations, read_works
from .claims import MIME
from .glued import fill_numbers, read_glued
from .machine import silence_progress
from .notebooks import HANG, drop_outputs, find_notebooks, is_passing
from .pictures import KINDS, PNG, compare_outputs

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Of a run or of somebody's screen, not of the book.
PASSING = ("ExecuteTime", "collapsed", "execution", "jupyter", "scrolled", "trusted")
LONGEST_DIFF = 40

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Figures that changed</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 1rem }}
div {{ display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; padding: 1rem }}
div.dark {{ background: #121212; color: #e6e6e6 }}
figure {{ margin: 0 }}
img {{ max-width: 100% }}
</style>
<h1>Figures that changed</h1>
{}
</html>
"""


class NotAccepted(Exception):
    """Nothing can be stored; the message says why."""


@dataclass
class Rerun:
    """A notebook as it is stored and as it came out; `text` and `figures` hold what differs, by the
    id of the cell.
    """

    path: Path
    before: str
    after: str
    text: dict[str, list[str]]
    figures: dict[str, list[str]]

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Return a copy of the notebook with the outputs of a run in `folder`."""
    fresh = drop_outputs(notebook)
    NotebookClient(
        fresh,
        timeout=HANG,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return fresh


def select_text(outputs: Sequence[NotebookNode]) -> list[dict]:
    """Return of each output what nbval compares: all but pictures and metadata. Pieces of one
    stream are one output.
    """
    found, streams = [], {}
    for output in outputs:
        if output.output_type == "stream":
            if output.name not in streams:
                streams[output.name] = {output.name: ""}
                found.append(streams[output.name])
            streams[output.name][output.name] += output.text
        elif output.output_type == "error":
            found.append({"error": f"{output.ename}: {output.evalue}"})
        else:
            text = {kind: value for kind, value in output.data.items() if kind != PNG}
            found.append(dict(sorted(text.items())))
    return found


def split_lines(outputs: Sequence[NotebookNode]) -> Iterator[str]:
    """Yield the compared text as lines to be read: of an output in several forms the plain one,
    where it has one.
    """
    for output in select_text(outputs):
        readable = output
        if "text/plain" in output:
            readable = {"text/plain": output["text/plain"]}
        for value in readable.values():
            text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            yield from text.splitlines()


def diff_text(stored: Sequence[NotebookNode], new: Sequence[NotebookNode]) -> list[str]:
    """Return a short diff of what two lists of outputs say; empty if they say the same."""
    if select_text(stored) == select_text(new):
        return []
    found = diff_lines("\n".join(split_lines(stored)), "\n".join(split_lines(new)))
    return found or ["only forms that are not plain text differ"]


def diff_lines(stored: str, new: str) -> list[str]:
    """Return a short diff of two texts; empty if they are the same."""
    lines = stored.splitlines(), new.splitlines()
    found = list(difflib.unified_diff(*lines, "stored", "new", lineterm="", n=1))
    if len(found) > LONGEST_DIFF:
        found[LONGEST_DIFF:] = [f"... {len(found) - LONGEST_DIFF} lines more"]
    return found


def drop_passing(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook without what a run or an editor leaves in it."""
    notebook = deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for key in PASSING:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_passing(output)]
            for part in list_parts(cell.outputs):
                if part["measured"] is not None:
                    part["measured"] = float(part["measured"])  # a browser has saved 0.0 as 0
    return notebook


def list_parts(outputs: Sequence[NotebookNode]) -> list[dict]:
    """Return what was found for the parts of the claims among some outputs."""
    found = [output.get("metadata", {}).get(MIME, {}) for output in outputs]
    return [part for claim in found for part in claim.get("parts", ())]


def write_canonical(notebook: NotebookNode, works: Mapping[str, str]) -> str:
    """Return the one text of a notebook: cells counted from 1, nothing of the run or of the editor,
    the numbers in prose as the cells have them, works cited as `works` says, keys sorted.
    """
    notebook = drop_passing(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    glued = read_glued(notebook)
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_citations(fill_numbers(cell.source, glued), works)
        if cell.cell_type != "code":
            continue
        is_run = bool(cell.source.strip())
        count += is_run
        cell.execution_count = count if is_run else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return nbformat.writes(notebook) + "\n"


def rerun(path: Path, folder: Path, works: Mapping[str, str]) -> Rerun:
    """Run one notebook; pictures that differ are written below `folder`."""
    before = path.read_text(encoding="utf-8")
    stored = nbformat.reads(before, as_version=4)
    merged = execute(stored, path.parent)
    text, figures = {}, {}
    glued = read_glued(merged)
    for old, new in zip(stored.cells, merged.cells, strict=True):
        if old.cell_type != "code":
            prose = diff_lines(old.source, fill_numbers(old.source, glued))
            text.update({old.id: prose} if prose else {})
            continue
        changed_lines = diff_text(old.outputs, new.outputs)
        changed_pictures = compare_outputs(old.outputs, new.outputs, folder / path.stem / old.id)
        if changed_lines:
            text[old.id] = changed_lines
        if changed_pictures:
            figures[old.id] = changed_pictures
        if not changed_lines and not changed_pictures:
            new.outputs = old.outputs
    return Rerun(path, before, write_canonical(merged, works), text, figures)


def write_page(reruns: Sequence[Rerun], folder: Path) -> Path | None:
    """Write the page of all figures that differ, and return its path; None if none does."""
    parts = []
    for one in reruns:
        for cell, sentences in one.figures.items():
            parts.append(f"<h2>{html.escape(one.path.stem)}: {html.escape(cell)}</h2>")
            for sentence in sentences:
                parts += make_row(folder, f"{one.path.stem}/{cell}", sentence)
    if not parts:
        return None
    (folder / "index.html").write_text(PAGE.format("\n".join(parts)), encoding="utf-8")
    return folder / "index.html"


def make_row(folder: Path, stem: str, sentence: str) -> list[str]:
    """Return what `compare_outputs` says of a picture, and the three pictures below it."""
    name = sentence.partition(":")[0]
    figures = "".join(make_figure(folder, f"{stem}-{name}", kind) for kind in KINDS)
    mode = name.partition("-")[0]
    return [f"<p>{html.escape(shorten(sentence))}</p>", f'<div class="{mode}">{figures}</div>']


def make_figure(folder: Path, stem: str, kind: str) -> str:
    """Return one picture of the page, or a word in its place."""
    path = f"{stem}-{kind}.png"
    if not (folder / path).exists():
        return f"<figure>no {kind} picture</figure>"
    alt = html.escape(Path(path).stem)
    image = f'<img src="{html.escape(path)}" alt="{alt}">'
    return f"<figure><figcaption>{kind}</figcaption>{image}</figure>"


def shorten(sentence: str) -> str:
    """Return what differs about a picture, without the path of the file that shows it."""
    return sentence.partition("; see ")[0]


def show(one: Rerun) -> None:
    name = one.path.stem
    for cell, lines in one.text.items():
        print(f"\n{name}, cell {cell}, says otherwise:", *lines, sep="\n  ")
    for cell, sentences in one.figures.items():
        print(f"\n{name}, cell {cell}, draws otherwise:", *map(shorten, sentences), sep="\n  ")
    if one.is_changed and not one.text and not one.figures:
        print(f"\n{name}: the outputs are as stored; only the file is not written as it is here.")


def ask(yes: bool) -> bool:
    if yes or not sys.stdin.isatty():
        return yes
    return input("\nStore what is new? [y/N] ").strip().lower() in ("y", "yes")


def store(one: Rerun) -> None:
    """Write the new notebook, unless somebody saved another one meanwhile."""
    if one.path.read_text(encoding="utf-8") != one.before:
        raise NotAccepted(
            f"{one.path} was saved by somebody else during the run: it is left alone. Run it again."
        )
    one.path.write_text(one.after, encoding="utf-8", newline="\n")


def accept(paths: Sequence[Path], folder: Path, works: Mapping[str, str], yes: bool = False) -> int:
    """Return 0 when every notebook ran and what differs was shown, stored or not; 1 when a cell
    raised: then its notebook is left alone.
    """
    shutil.rmtree(folder, ignore_errors=True)
    reruns, failed = [], 0
    for path in paths:
        print(f"Running {path.name}", flush=True)
        try:
            reruns.append(rerun(path, folder, works))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            why = f"\n{path.name} did not run to its end and stays as it is:\n{error}"
            print(why, file=sys.stderr)
            failed += 1
    changed = [one for one in reruns if one.is_changed]
    for one in changed:
        show(one)
    page = write_page(reruns, folder)
    texts = sum(len(one.text) for one in reruns)
    figures = sum(len(one.figures) for one in reruns)
    print(
        f"\nNotebooks run: {len(paths)}, failed: {failed}, changed: {len(changed)};"
        f" cells: {texts} in text, {figures} in figures."
    )
    if page:
        print(f"Old, new and difference pictures: {page}")
    if changed and ask(yes):
        for one in changed:
            store(one)
        print("Stored:", *(one.path.stem for one in changed))
    elif changed:
        print("Nothing is stored. The same command with --yes stores it (make accept: YES=1).")
    return 1 if failed else 0


def form(paths: Sequence[Path], works: Mapping[str, str]) -> None:
    """Write notebooks in the form in which they are stored, without running them."""
    for path in paths:
        before = path.read_text(encoding="utf-8")
        after = write_canonical(nbformat.reads(before, as_version=4), works)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            print(f"Formed: {path.name}")


def gather_answers(paths: Sequence[Path]) -> None:
    """Write the answers that notebooks have stored beside what they draw, where that has a folder
    of its own and there are any.
    """
    found = {}
    for path in paths:
        found |= find_answers(nbformat.read(path, as_version=4))
    folders = {path.parent / PACKAGE for path in paths}
    for folder in sorted(folders):
        if folder.is_dir() and (found or (folder / FILE).exists()):
            write_answers(found, folder / FILE)


def choose(names: Sequence[str], notebooks: Sequence[Path]) -> list[Path]:
    """Return the notebooks of some names, all if there are none."""
    paths = {path.stem: path for path in notebooks}
    unknown = sorted(set(names) - set(paths))
    if unknown:
        raise NotAccepted(f"notebook must be one of {', '.join(paths)}; got {', '.join(unknown)}")
    return [paths[name] for name in names] if names else list(notebooks)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    parser.add_argument("notebook", nargs="*", help="its name, without .ipynb")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    parser.add_argument("--yes", action="store_true", help="store what is new without asking")
    parser.add_argument("--form", action="store_true", help="run nothing, mend only the form")
    options = parser.parse_args()
    silence_progress()
    try:
        notebooks = find_notebooks(options.source)
        paths = choose(options.notebook, notebooks)
        works = read_works(options.source)
        if options.form:
            form(paths, works)
            gather_answers(notebooks)
            return 0
        failed = accept(paths, options.target.resolve() / "accept", works, options.yes)
        gather_answers(notebooks)
        return failed
    except NotAccepted as reason:
        print(reason, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
