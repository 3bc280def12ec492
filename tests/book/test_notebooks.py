"""The committed notebooks: executed, clean, readable, stored as `make accept` stores them.

What they compute is nbval's business; it cannot see any of this.

Not seen here: whether an alt text or a caption is true.
"""

import json
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof.accept import drop_passing, write_canonical
from bookproof.citations import CITE, read_works, split_keys
from bookproof.glued import find_unknown_numbers
from bookproof.notebooks import find_directives, is_progress
from bookproof.wording import find_unsaid
from tests.support import CHAPTERS, PROJECT

LONGEST_CELL = 25
WORKS = read_works(PROJECT)
PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}
MACHINE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|root|tmp|usr|opt|work|Users|private|var)/\w|\b[A-Z]:\\\\"
)


def complaints(notebook):
    """One sentence for each thing that a committed notebook must not be."""
    found = []
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        found.append("its kernel is not python3")
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("it was not executed from top to bottom in one go")
    for cell in code:
        found += [
            f"{sentence}: {cell.source.splitlines()[0]}" for sentence in complaints_of_cell(cell)
        ]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found += [f"a glued figure lacks {option}" for option in options_missing(cell.source)]
            found += [f"hidden from a plain viewer: {text}" for text in find_hidden(cell.source)]
            keys = [key for cite in CITE.finditer(cell.source) for key in split_keys(cite[3])]
            found += [f"the bibliography has no {key}" for key in keys if key not in WORKS]
    found += [f"no cell glues {name}" for name in find_unknown_numbers(notebook)]
    return found + find_unsaid(notebook)


def find_hidden(text):
    """Return the markup by which a plain viewer shows a name in place of a number, a key in place
    of an author, or a statement as code.
    """
    return re.findall(
        r"\{(?:glue:text|cite(?::\w+)?)\}`.*?`|^`{3,}\{(?:prf:\w+|exercise)\}.*$",
        text,
        re.MULTILINE,
    )


def complaints_of_cell(cell):
    if len(cell.source.splitlines()) > LONGEST_CELL:
        yield f"a cell is longer than {LONGEST_CELL} lines"
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "error":
            yield "an error is stored"
        if output.get("name") == "stderr" and not is_progress(output):
            yield "something on stderr is stored"
        text = {kind: value for kind, value in data.items() if "image/" not in kind}
        if MACHINE_PATH.search(json.dumps({**output, "data": text})):
            yield "a path of somebody's machine is stored"
        if PICTURES & set(data):
            shown = cell.metadata.get("mystnb", {})
            for part, key in [("image", "alt"), ("figure", "caption"), ("figure", "name")]:
                if not shown.get(part, {}).get(key, "").strip():
                    yield f"a picture has no {key}"


def options_missing(text):
    for directive, options in find_directives(text):
        if directive == "glue:figure":
            yield from (option for option in ("name", "alt") if not options.get(option))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(path):
    assert complaints(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_stored_as_accept_would(path):
    """But for what an editor leaves in a notebook that it saves, which a commit removes."""
    stored = nbformat.read(path, as_version=4)
    canonical = nbformat.reads(write_canonical(stored, WORKS), as_version=4)
    assert canonical == drop_passing(stored), "make format mends it"


def test_nothing_in_the_book_is_random_without_a_seed():
    code = [path.read_text(encoding="utf-8") for path in (PROJECT / "lib").rglob("*.py")]
    for path in CHAPTERS:
        cells = nbformat.read(path, as_version=4).cells
        code += [cell.source for cell in cells if cell.cell_type == "code"]
    seeded = [text for text in code if "default_rng(" in text]
    assert seeded and not [text for text in seeded if "default_rng()" in text]


def made(cell, kernel="python3"):
    return new_notebook(
        cells=[cell], metadata={"kernelspec": {"name": kernel, "display_name": kernel}}
    )


def ran(source="1", count=1, **more):
    return new_code_cell(source, execution_count=count, **more)


PNG = new_output("display_data", data={"image/png": "iVBORw0KGgo="})
DESCRIBED = {
    "mystnb": {"image": {"alt": "A line."}, "figure": {"name": "fig-a", "caption": "A line."}}
}


@pytest.mark.parametrize(
    "notebook, complaint",
    [
        (made(ran(), kernel="my-env"), "kernel"),
        (made(ran(count=None)), "executed"),
        (made(ran(count=3)), "executed"),
        (made(ran(outputs=[new_output("error", ename="E", evalue="", traceback=[])])), "error"),
        (made(ran(outputs=[new_output("stream", name="stderr", text="W")])), "stderr"),
        (made(ran(outputs=[new_output("stream", text="<Axes> in /home/me/book")])), "machine"),
        (made(ran(source="x\n" * 26)), "longer"),
        (made(ran(outputs=[PNG])), "alt"),
        (made(ran(outputs=[PNG], metadata={"mystnb": {"image": {"alt": "A line."}}})), "caption"),
        (
            made(
                ran(
                    outputs=[PNG],
                    metadata={"mystnb": {**DESCRIBED["mystnb"], "figure": {"caption": "A"}}},
                )
            ),
            "name",
        ),
        (made(new_markdown_cell("Of {glue:text}`n` one.")), "hidden"),
        (made(new_markdown_cell("```{prf:theorem} One\n:label: a\n\nTrue.\n```")), "hidden"),
        (made(new_markdown_cell('Of <span data-glue="n">2</span> one.')), "no cell glues n"),
        (made(new_markdown_cell("```{glue:figure} roof\n:name: fig-roof\n\nA roof.\n```")), "alt"),
    ],
)
def test_each_check_can_fail(notebook, complaint):
    assert complaint in " ".join(complaints(notebook))


def test_a_good_notebook_passes():
    assert complaints(made(ran(outputs=[PNG], metadata=DESCRIBED))) == []
