"""`make accept` leaves alone what did not change, shows what did, and stores it only when told to.

Not seen here: the question it asks on a terminal, and whether the page of pictures is pleasant to
look at.
"""

import json
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof import accept, answer
from bookproof.answers import FILE, PACKAGE, load_answers
from bookproof.glued import PLAIN

# Pictures of 2 x 2 grey pixels, so that the kernel has nothing heavy to import.
SETUP = """
import base64, struct, zlib

def part(kind, content):
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check

def make_png(grey):
    head = part(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    rows = part(b"IDAT", zlib.compress(2 * (b"\\0" + 6 * bytes([grey]))))
    png = b"\\x89PNG\\r\\n\\x1a\\n" + head + rows + part(b"IEND", b"")
    return base64.b64encode(png).decode()

class Shown:
    def __init__(self, grey):
        self.grey = grey
    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": make_png(255 - self.grey), "text/plain": "<figure>"}
        return data, {"application/vnd.bookproof.dark+png": make_png(self.grey)}

class Measured:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "it held"}, {"claim": {"error": id(self) % 1000}}
"""
TEXT, FIGURE = 'print("one")\nprint("two")\n3', "Shown(20)"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook as accept stores it after its first run."""
    path = tmp_path_factory.mktemp("made") / "made.ipynb"
    cells = [new_markdown_cell("# Made"), *map(new_code_cell, [SETUP, TEXT, FIGURE, "Measured()"])]
    for cell, name in zip(cells, ["title", "setup", "text", "figure", "measured"], strict=True):
        cell.id = name
    nbformat.write(new_notebook(cells=cells), path)
    assert accept.accept([path], path.parent / "accept", {}, yes=True) == 0
    return path.read_text()


class Book:
    def __init__(self, folder, text):
        self.folder, self.path = folder / "accept", folder / "made.ipynb"
        self.path.write_text(text)

    def edit(self, **sources):
        notebook = nbformat.read(self.path, as_version=4)
        for cell in notebook.cells:
            cell.source = sources.get(cell.id, cell.source)
        nbformat.write(notebook, self.path)

    def accept(self, yes=False):
        return accept.accept([self.path], self.folder, {}, yes)

    def outputs(self):
        return {
            cell.id: cell.outputs
            for cell in nbformat.read(self.path, as_version=4).cells
            if "outputs" in cell
        }


@pytest.fixture
def book(tmp_path, executed):
    return Book(tmp_path, executed)


def test_what_is_stored_is_canonical(executed):
    notebook = json.loads(executed)
    assert executed.endswith("}\n") and list(notebook) == sorted(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == accept.METADATA
    assert [cell["id"] for cell in notebook["cells"]] == [
        "title",
        "setup",
        "text",
        "figure",
        "measured",
    ]
    assert [cell["execution_count"] for cell in notebook["cells"][1:]] == [1, 2, 3, 4]
    assert all(cell["metadata"] == {} for cell in notebook["cells"])


def test_nothing_changed_leaves_the_bytes(book, executed, capsys):
    """Although the last cell measures another error each time."""
    assert book.accept(yes=True) == 0
    assert book.path.read_text() == executed
    assert "changed: 0" in capsys.readouterr().out and not (book.folder / "index.html").exists()


def test_a_change_is_shown_then_stored_and_its_neighbours_are_left_alone(book, executed, capsys):
    book.edit(text=TEXT.replace("two", "too"), figure="Shown(30)")
    edited, old = book.path.read_text(), book.outputs()
    assert book.accept() == 0
    said = capsys.readouterr().out
    assert book.path.read_text() == edited, "nothing is stored before it is agreed to"
    assert "-two" in said and "+too" in said and "cell figure, draws otherwise" in said
    assert f"{book.folder / 'index.html'}" in said and "--yes" in said and "YES=1" in said
    shown = BeautifulSoup((book.folder / "index.html").read_text(), "html.parser").find_all("img")
    kinds = [
        f"figure-{mode}-{kind}"
        for mode in ("light", "dark")
        for kind in ("stored", "new", "difference")
    ]
    assert [image["alt"] for image in shown] == kinds
    assert all((book.folder / image["src"]).exists() for image in shown)

    assert book.accept(yes=True) == 0
    new = book.outputs()
    assert [name for name in new if new[name] != old[name]] == ["text", "figure"]


def test_a_cell_that_raises_leaves_the_notebook_alone(book, capsys):
    book.edit(text="1 / 0")
    edited = book.path.read_text()
    assert book.accept(yes=True) == 1
    said = capsys.readouterr()
    assert book.path.read_text() == edited and "ZeroDivisionError" in said.err
    assert "Notebooks run: 1, failed: 1, changed: 0;" in said.out


def test_what_an_editor_leaves_behind_is_removed(executed):
    notebook = nbformat.reads(executed, as_version=4)
    notebook.metadata.language_info.version = "3.99"
    notebook.cells[2].metadata.execution = {"iopub.execute_input": "2025"}
    notebook.cells[2].execution_count = 17
    assert accept.write_canonical(notebook, {}) == executed


def test_somebody_elses_work_is_not_overwritten(book):
    one = accept.Rerun(book.path, "another", "new", {}, {})
    with pytest.raises(accept.NotAccepted, match="somebody else"):
        accept.store(one)


def test_an_unknown_notebook_is_named(tmp_path):
    paths = [tmp_path / "hessians.ipynb", tmp_path / "sharpness.ipynb"]
    with pytest.raises(accept.NotAccepted, match="hessians, sharpness; got hesians"):
        accept.choose(["hesians"], paths)
    assert accept.choose([], paths) == paths
    assert accept.choose(["sharpness"], paths) == paths[1:]


def run_main(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["accept", *map(str, arguments)])
    return accept.main()


def make_folder(path):
    path.mkdir()
    return path


def make_quick_book(folder, source="1 + 1"):
    (folder / "_config.yml").write_text("title: A book\n")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: made\n")
    notebook = new_notebook(cells=[new_markdown_cell("# Made"), new_code_cell(source)])
    nbformat.write(notebook, folder / "made.ipynb")
    return folder / "made.ipynb"


def test_the_command_forms_notebooks_without_running_them(tmp_path, monkeypatch, capsys):
    path = make_quick_book(tmp_path, "1 / 0")
    loose = path.read_text()
    command = [tmp_path / "_build", "made", "--source", tmp_path, "--form"]
    assert run_main(monkeypatch, *command) == 0
    formed = path.read_text()
    assert formed != loose and nbformat.reads(formed, as_version=4).metadata == accept.METADATA
    assert capsys.readouterr().out == "Formed: made.ipynb\n"
    assert run_main(monkeypatch, *command) == 0
    assert path.read_text() == formed and capsys.readouterr().out == ""


def test_the_command_fails_where_a_name_is_unknown(tmp_path, monkeypatch, capsys):
    make_quick_book(tmp_path)
    command = [tmp_path / "_build", "maid", "--source", tmp_path]
    assert run_main(monkeypatch, *command) == 1
    assert "notebook must be one of made; got maid" in capsys.readouterr().err


def test_answers_are_gathered_where_they_have_a_folder(tmp_path):
    """Also those of notebooks elsewhere; with the last answer goes the last line of the file."""
    bare, full = (make_quick_book(make_folder(tmp_path / name)) for name in ("bare", "full"))
    make_folder(tmp_path / "full" / PACKAGE)
    accept.gather_answers([bare, full])
    assert list(tmp_path.rglob(FILE)) == []
    shown = new_output("display_data", data=answer("exercise-a", 3)._repr_mimebundle_())
    page = new_notebook(cells=[new_code_cell("answer(...)", outputs=[shown])])
    nbformat.write(page, bare)
    accept.gather_answers([bare, full])
    [written] = tmp_path.rglob(FILE)
    assert written.parent.parent == full.parent and load_answers(written)["exercise-a"].value == 3
    make_quick_book(bare.parent)
    accept.gather_answers([bare, full])
    assert load_answers(written) == {}


@pytest.mark.parametrize("failed", [0, 1])
@pytest.mark.parametrize("yes", [False, True])
def test_the_command_passes_on_what_it_was_told_and_what_became_of_it(
    tmp_path, monkeypatch, failed, yes
):
    path = make_quick_book(tmp_path)
    told = []
    monkeypatch.setattr(accept, "accept", lambda *given: told.append(given) or failed)
    command = [tmp_path / "_build", "--source", tmp_path, *(["--yes"] if yes else [])]
    assert run_main(monkeypatch, *command) == failed
    assert told == [([path], tmp_path / "_build" / "accept", {}, yes)]


@pytest.mark.parametrize("lines, more", [(40, 0), (41, 1), (100, 60)])
def test_a_long_difference_is_cut_and_says_how_much_is_left_out(lines, more):
    """All lines are new; three lines head the difference."""
    found = accept.diff_lines("", "\n".join(str(n) for n in range(lines - 3)))
    kept, rest = found[:40], found[40:]
    assert len(kept) == 40
    assert rest == ([f"... {more} lines more"] if more else [])


def test_a_difference_has_one_line_on_either_side_of_what_is_new():
    assert accept.diff_lines("a\nb\nc\nd\ne", "a\nb\nX\nd\ne")[2:] == [
        "@@ -2,3 +2,3 @@",
        " b",
        "-c",
        "+X",
        " d",
    ]


def test_what_has_no_plain_text_is_told_with_its_keys_in_order():
    output = new_output("display_data", data={"application/json": {"b": 1, "a": 2}})
    assert list(accept.split_lines([output])) == ['{"a": 2, "b": 1}']


@pytest.mark.parametrize(
    "answer, is_stored", [("y", True), (" YES ", True), ("", False), ("n", False), ("yet", False)]
)
def test_a_terminal_is_asked_and_only_a_yes_is_one(monkeypatch, answer, is_stored):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert accept.ask(False) is is_stored
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    assert accept.ask(False) is False and accept.ask(True) is True


def test_streams_are_compared_whole_and_outputs_without_pictures():
    pieces = [new_output("stream", name="stdout", text=text) for text in ("a", "b")]
    error = new_output("stream", name="stderr", text="c")
    shown = new_output("display_data", data={"text/plain": "d", "image/png": "e"})
    raised = new_output("error", ename="ValueError", evalue="no")
    found = accept.select_text([pieces[0], error, shown, pieces[1], raised])
    assert found == [
        {"stdout": "ab"},
        {"stderr": "c"},
        {"text/plain": "d"},
        {"error": "ValueError: no"},
    ]


def test_what_differs_only_in_a_form_nobody_reads_is_told_all_the_same():
    one, other = (
        [new_output("display_data", data={"text/plain": "a", "text/html": html})]
        for html in ("<b>a</b>", "<i>a</i>")
    )
    assert accept.diff_text(one, one) == []
    assert accept.diff_text(one, other) == ["only forms that are not plain text differ"]


def test_cells_are_counted_from_one_and_an_empty_one_is_not_run():
    result = new_output("execute_result", data={"text/plain": "3"}, execution_count=9)
    cells = [new_code_cell("  "), new_code_cell("1"), new_code_cell("3", outputs=[result])]
    written = accept.write_canonical(new_notebook(cells=cells), {})
    after = nbformat.reads(written, as_version=4).cells
    assert [cell.execution_count for cell in after] == [None, 1, 2]
    assert after[2].outputs[0].execution_count == 2


def test_a_measure_that_a_browser_saved_as_a_whole_number_is_one_with_a_point():
    kept = {accept.MIME: {"parts": [{"measured": 0}, {"measured": None}]}}
    output = new_output("display_data", data={accept.MIME: {}}, metadata=kept)
    written = accept.write_canonical(new_notebook(cells=[new_code_cell("1", outputs=[output])]), {})
    assert '"measured": 0.0' in written and '"measured": null' in written


def test_a_picture_that_is_not_there_has_a_word_in_its_place(tmp_path):
    assert accept.make_figure(tmp_path, "made/figure-light", "old") == (
        "<figure>no old picture</figure>"
    )


def test_the_row_of_a_picture_is_on_the_paper_of_its_mode_and_has_no_path(tmp_path):
    said = "dark-2: the size is 1 x 2; see /build/dark-2-difference.png"
    words, row = accept.make_row(tmp_path, "made/figure", said)
    assert words == "<p>dark-2: the size is 1 x 2</p>"
    assert row.startswith('<div class="dark">') and row.count("<figure>no ") == 3


def test_a_page_shows_all_cells_that_draw_otherwise_and_none_is_no_page(tmp_path):
    said = ["light: no picture is stored", "dark: no picture is stored"]
    one = accept.Rerun(tmp_path / "a<b.ipynb", "", "", {}, {"one": said, "two": said[:1]})
    assert accept.write_page([replace(one, figures={})], tmp_path) is None
    page = accept.write_page([one, one], tmp_path)
    shown = BeautifulSoup(page.read_text(), "html.parser")
    assert [head.get_text() for head in shown.find_all("h2")] == ["a<b: one", "a<b: two"] * 2
    assert [words.get_text() for words in shown.find_all("p")] == [*said, said[0]] * 2


@pytest.mark.parametrize("is_changed", [False, True])
@pytest.mark.parametrize("text", [{}, {"one": ["-1", "+2"]}])
@pytest.mark.parametrize("figures", [{}, {"two": ["light: other; see a.png"]}])
def test_what_came_out_otherwise_is_told_and_else_that_only_the_file_differs(
    tmp_path, capsys, is_changed, text, figures
):
    accept.show(accept.Rerun(tmp_path / "a.ipynb", "old", "old" * (1 + is_changed), text, figures))
    said = capsys.readouterr().out
    assert ("a, cell one, says otherwise:\n  -1\n  +2\n" in said) is bool(text)
    assert ("a, cell two, draws otherwise:\n  light: other\n" in said) is bool(figures)
    assert ("the outputs are as stored" in said) is (is_changed and not text and not figures)


def test_numbers_in_prose_are_those_of_the_run_and_prose_without_one_is_as_it_was(
    tmp_path, monkeypatch
):
    """The number of a cell whose outputs are new is told in the prose, too."""
    prose = 'It is <span data-glue="two">1</span>.'
    cells = [new_markdown_cell("# Words"), new_markdown_cell(prose), new_code_cell("2")]
    for cell, name in zip(cells, ["title", "prose", "code"], strict=True):
        cell.id = name
    path = tmp_path / "a.ipynb"
    nbformat.write(new_notebook(cells=cells), path)

    def execute(notebook, folder):
        fresh = deepcopy(notebook)
        name = {"scrapbook": {"name": "two"}}
        fresh.cells[2].outputs = [new_output("display_data", {PLAIN: "2"}, metadata=name)]
        return fresh

    monkeypatch.setattr(accept, "execute", execute)
    one = accept.rerun(path, tmp_path, {})
    assert list(one.text) == ["prose", "code"] and one.figures == {}
    assert one.text["prose"][-2:] == [f"-{prose}", f"+{prose.replace('>1<', '>2<')}"]
    source = {cell.id: cell.source for cell in nbformat.reads(one.after, as_version=4).cells}
    assert source["prose"] == prose.replace(">1<", ">2<") and source["title"] == "# Words"


def test_a_run_begins_without_the_stored_outputs_and_ends_with_an_error(tmp_path, monkeypatch):
    """Also of a cell that is empty, which is never run; what is stored stays as it is."""
    made = {}

    class Client:
        def __init__(self, notebook, **options):
            made.update(options, notebook=notebook)

        def execute(self):
            made["is_run"] = True

    monkeypatch.setattr(accept, "NotebookClient", Client)
    shown = new_output("stream", text="old\n")
    cells = [new_markdown_cell("# Words"), new_code_cell("", execution_count=7, outputs=[shown])]
    stored = new_notebook(cells=cells)
    fresh = accept.execute(stored, tmp_path)
    assert made["is_run"] and fresh is made["notebook"] and "outputs" not in fresh.cells[0]
    assert fresh.cells[1].outputs == [] and fresh.cells[1].execution_count is None
    assert stored.cells[1].outputs == [shown] and stored.cells[1].execution_count == 7
    assert made["coalesce_streams"] and not made["record_timing"]
    assert not made.get("allow_errors") and made["resources"]["metadata"]["path"] == str(tmp_path)
