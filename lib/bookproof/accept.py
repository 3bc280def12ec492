"""Run the chapters anew, show what came out otherwise than stored, and store it when told to.

    python -m bookproof.accept _build [chapter ...] [--yes]

Text is shown as a diff; pictures as a page, _build/accept/index.html, old, new and difference side
by side. A cell whose text and pictures are as they were keeps its stored outputs to the last byte,
so that a commit has nothing in it but what changed.
"""

import argparse
import difflib
import html
import json
import shutil
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from . import pictures

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Of a run or of somebody's screen, not of the book.
PASSING = ("ExecuteTime", "collapsed", "execution", "jupyter", "scrolled", "trusted")
TIMEOUT = 1800  # seconds a cell, as in make test
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


@dataclass
class Chapter:
    """A notebook as it is stored and as it came out; `text` and `figures` hold what differs, by the
    id of the cell.
    """

    path: Path
    before: str
    after: str
    text: dict
    figures: dict

    @property
    def changed(self):
        return self.before != self.after


def execute(notebook, folder):
    """A copy of the notebook with the outputs of a run in `folder`."""
    fresh = deepcopy(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    NotebookClient(
        fresh,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return fresh


def compared_text(outputs):
    """Of each output what nbval compares: all but pictures and metadata. Pieces of one stream are
    one output.
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
            found.append(
                {kind: value for kind, value in sorted(output.data.items()) if kind != pictures.PNG}
            )
    return found


def lines(outputs):
    """The compared text as lines to be read: of an output in several forms the plain one, where it
    has one.
    """
    for output in compared_text(outputs):
        plain = output if "text/plain" not in output else {"text/plain": output["text/plain"]}
        for value in plain.values():
            yield from (
                value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            ).splitlines()


def text_difference(stored, new):
    """A short diff of what two lists of outputs say; empty if they say the same."""
    if compared_text(stored) == compared_text(new):
        return []
    found = list(
        difflib.unified_diff(
            list(lines(stored)), list(lines(new)), "stored", "new", lineterm="", n=1
        )
    )
    if len(found) > LONGEST_DIFF:
        found[LONGEST_DIFF:] = [f"... {len(found) - LONGEST_DIFF} lines more"]
    return found or ["only forms that are not plain text differ"]


def canonical(notebook):
    """The one text of a notebook: cells counted from 1, nothing of the run or of the editor, keys
    sorted.
    """
    notebook = deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        for key in PASSING:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            count += bool(cell.source.strip())
            cell.execution_count = count if cell.source.strip() else None
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
    return nbformat.writes(notebook) + "\n"


def rerun(path, folder):
    """Run one notebook; pictures that differ are written below `folder`."""
    before = path.read_text(encoding="utf-8")
    stored = nbformat.reads(before, as_version=4)
    merged, text, figures = execute(stored, path.parent), {}, {}
    for old, new in zip(stored.cells, merged.cells, strict=True):
        if old.cell_type != "code":
            continue
        said = text_difference(old.outputs, new.outputs)
        drawn = pictures.compared(old.outputs, new.outputs, folder / path.stem / old.id)
        if said:
            text[old.id] = said
        if drawn:
            figures[old.id] = drawn
        if not said and not drawn:
            new.outputs = old.outputs
    return Chapter(path, before, canonical(merged), text, figures)


def picture(folder, path):
    """One picture of the page, or a word in its place."""
    kind = path.stem.rpartition("-")[2]
    if not (folder / path).exists():
        return f"<figure>no {kind} picture</figure>"
    address = html.escape(path.as_posix())
    return (
        f'<figure><figcaption>{kind}</figcaption><img src="{address}"'
        f' alt="{html.escape(path.stem)}"></figure>'
    )


def page(chapters, folder):
    """Write the page of all figures that differ; returns its path, None if none does."""
    parts = []
    for chapter in chapters:
        for cell, sentences in chapter.figures.items():
            parts.append(f"<h2>{html.escape(chapter.path.stem)}: {html.escape(cell)}</h2>")
            for sentence in sentences:
                name = sentence.partition(":")[0]
                row = [
                    picture(folder, Path(chapter.path.stem) / f"{cell}-{name}-{kind}.png")
                    for kind in pictures.KINDS
                ]
                parts.append(f"<p>{html.escape(sentence.partition('; see ')[0])}</p>")
                parts.append(f'<div class="{name.partition("-")[0]}">{"".join(row)}</div>')
    if not parts:
        return None
    (folder / "index.html").write_text(PAGE.format("\n".join(parts)), encoding="utf-8")
    return folder / "index.html"


def show(chapter):
    name = chapter.path.stem
    for cell, said in chapter.text.items():
        print(f"\n{name}, cell {cell}, says otherwise:", *said, sep="\n  ")
    for cell, sentences in chapter.figures.items():
        print(
            f"\n{name}, cell {cell}, draws otherwise:",
            *(sentence.partition("; see ")[0] for sentence in sentences),
            sep="\n  ",
        )
    if chapter.changed and not chapter.text and not chapter.figures:
        print(
            f"\n{name}: the outputs are as stored; only how the file is written is not as it is"
            " kept here."
        )


def agreed(yes):
    if yes or not sys.stdin.isatty():
        return yes
    return input("\nStore what is new? [y/N] ").strip().lower() in ("y", "yes")


def store(chapter):
    """Write the new notebook, unless somebody saved another one meanwhile."""
    if chapter.path.read_text(encoding="utf-8") != chapter.before:
        sys.exit(
            f"{chapter.path} was saved by somebody else during the run: it is left alone. Run make"
            " accept again."
        )
    chapter.path.write_text(chapter.after, encoding="utf-8", newline="\n")


def accept(paths, folder, yes=False):
    """0 when every notebook ran and what differs was shown, stored or not; 1 when a cell raised:
    then its notebook is left alone.
    """
    shutil.rmtree(folder, ignore_errors=True)
    chapters, failed = [], 0
    for path in paths:
        print(f"Running {path.name}", flush=True)
        try:
            chapters.append(rerun(path, folder))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(
                f"\n{path.name} did not run to its end and stays as it is:\n{error}",
                file=sys.stderr,
            )
            failed += 1
    changed = [chapter for chapter in chapters if chapter.changed]
    for chapter in changed:
        show(chapter)
    shown = page(chapters, folder)
    texts, figures = (
        sum(len(found) for found in every)
        for every in ([c.text for c in chapters], [c.figures for c in chapters])
    )
    print(
        f"\nNotebooks run: {len(paths)}, failed: {failed}, changed: {len(changed)}; cells: {texts}"
        f" in text, {figures} in figures."
    )
    if shown:
        print(f"Old, new and difference pictures: {shown}")
    if changed and agreed(yes):
        for chapter in changed:
            store(chapter)
        print("Stored:", *(chapter.path.stem for chapter in changed))
    elif changed:
        print("Nothing is stored. To store it: make accept YES=1")
    return 1 if failed else 0


def chosen(names, chapters):
    """The notebooks of some names, all if there are none."""
    paths = {path.stem: path for path in sorted(chapters.glob("*.ipynb"))}
    unknown = sorted(set(names) - set(paths))
    if unknown:
        sys.exit(f"CHAPTER must be of {', '.join(paths)}; got {', '.join(unknown)}")
    return [paths[name] for name in names or paths]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path)
    parser.add_argument("chapter", nargs="*")
    parser.add_argument("--chapters", type=Path, default=Path("chapters"))
    parser.add_argument("--yes", action="store_true", help="store what is new without asking")
    options = parser.parse_args()
    sys.exit(
        accept(
            chosen(options.chapter, options.chapters),
            options.target.resolve() / "accept",
            options.yes,
        )
    )
