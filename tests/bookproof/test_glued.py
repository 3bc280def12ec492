"""Numbers in prose: a tool writes them from what the cells have glued, and a page shows what its
own build computed. The page is looked at in test_other_book.py.
"""

import json
import logging
from types import SimpleNamespace

import nbformat
import pytest
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof.accept import form, write_canonical
from bookproof.glued import find_unknown_numbers, format_glued
from bookproof.sphinx.glued import forget_numbers, paste_numbers


def glue(**values):
    """Return a cell that has glued some values, as MyST-NB stores it."""
    mime = "application/papermill.record/"
    outputs = [
        new_output(
            "display_data",
            data={f"{mime}text/plain": repr(value)},
            metadata={"scrapbook": {"mime_prefix": mime, "name": name}},
        )
        for name, value in values.items()
    ]
    return new_code_cell("glue()", execution_count=1, outputs=outputs)


def write(prose, **values):
    """Return prose as it is stored beside a cell that has glued some values."""
    notebook = new_notebook(cells=[new_markdown_cell(prose), glue(**values)])
    return nbformat.reads(write_canonical(notebook, {}), as_version=4).cells[0].source


@pytest.mark.parametrize(
    "reference, value, said",
    [
        ("a", 42, "42"),
        ("a", 0.5, "0.5"),
        ("a", "1.2·10⁻⁵", "1.2·10⁻⁵"),
        ("a:,.0f", 1010000.0, "1,010,000"),
        ("a:.2f", 3, "3.00"),
        ("a", "a < b", "a &lt; b"),
        ("a", 'Newton\'s "exact" step', 'Newton\'s "exact" step'),
    ],
)
@pytest.mark.parametrize("typed", ["", "41"])
def test_a_number_is_written_whatever_was_typed(reference, value, said, typed):
    prose = 'Of these, <span data-glue="{}">{}</span> are left, $a < b$.'
    assert write(prose.format(reference, typed), a=value) == prose.format(reference, said)


def test_a_number_that_no_cell_glues_is_left_and_reported():
    prose = 'It is <span data-glue="b:.1f">7</span>.'
    assert write(prose, a=1) == prose
    notebook = new_notebook(cells=[new_markdown_cell(prose), glue(a=1)])
    assert find_unknown_numbers(notebook) == ["b:.1f"]
    prose = new_markdown_cell('<span data-glue="a:.1f">1.0</span>, <span data-glue="a">1</span>')
    assert find_unknown_numbers(new_notebook(cells=[prose, glue(a=1)])) == []


def test_other_spans_are_left_alone():
    prose = '<span class="a">b</span> and `<span data-other="a">b</span>`'
    assert write(prose, a=1) == prose


def test_an_unknown_name_has_no_number():
    with pytest.raises(KeyError):
        format_glued("b", {"a": "1"})


def test_what_an_editor_saves_is_mended_without_a_run(tmp_path):
    """The names of the kernel, the state of a cell, and a bar of progress on stderr."""
    bar = "\r  0%|          | 0/20 [00:00<?, ?it/s]\r100%|██████████| 20/20 [00:01<00:00, 12it/s]\n"
    bar += "\rtrain: 0it [00:00, ?it/s]\r                         \r"
    prose = new_markdown_cell('<span data-glue="a">2</span>', id="prose")
    cell = glue(a=1)
    cell.id = "cell"
    path = tmp_path / "page.ipynb"
    path.write_text(write_canonical(new_notebook(cells=[prose, cell]), {}))
    before = path.read_text()
    saved = nbformat.read(path, as_version=4)
    saved.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"},
            "language_info": {"name": "python", "version": "3.13.0"},
        }
    )
    saved.cells[0].source = '<span data-glue="a">3</span>'
    saved.cells[1].metadata["scrolled"] = True
    saved.cells[1].outputs.append(new_output("stream", name="stderr", text=bar))
    nbformat.write(saved, path)
    assert path.read_text() != before
    form([path], {})
    assert path.read_text() == before


def test_a_warning_is_no_progress():
    cell = new_code_cell("1", execution_count=1)
    cell.outputs = [new_output("stream", name="stderr", text="RuntimeWarning: overflow: 100%")]
    [kept] = nbformat.reads(write_canonical(new_notebook(cells=[cell]), {}), as_version=4).cells
    assert len(kept.outputs) == 1


# A page shows what its own build computed


def paste(folder, glued, *content):
    """Return the text of a page, of which each tag is raw HTML, and the words of its warnings."""
    env = SimpleNamespace(
        mystnb_config=SimpleNamespace(output_folder=str(folder)), docname="deep/page"
    )
    (folder / "deep").mkdir(exist_ok=True)
    kept = {name: {"data": {"text/plain": text}} for name, text in glued.items()}
    (folder / "deep" / "page.glue.json").write_text(json.dumps(kept))
    document = new_document("page")
    document += nodes.paragraph(
        "", "", *(nodes.raw("", c) if c.startswith("<") else nodes.Text(c) for c in content)
    )
    paste_numbers(SimpleNamespace(env=env), document)
    return document, env


OPEN_A, OPEN_B, CLOSE = '<span data-glue="a:.1f">', '<span data-glue="b">', "</span>"


def test_a_page_shows_the_numbers_of_its_build_and_not_the_stored_ones(tmp_path):
    document, env = paste(
        tmp_path,
        {"a": "0.25", "b": "'few'"},
        "Of ",
        OPEN_A,
        "7",
        CLOSE,
        " are ",
        OPEN_B,
        CLOSE,
        "!",
    )
    assert document.astext() == "Of 0.2 are few!"
    shown = [node["classes"] for node in document.findall(nodes.inline)]
    assert shown == [["pasted-text"]] * 2
    forget_numbers(None, env, "deep/page")
    assert list((tmp_path / "deep").iterdir()) == []
    forget_numbers(None, env, "deep/page")


def test_what_is_stored_of_a_number_goes_with_all_tags_in_it(tmp_path):
    stored = ["7", "<sup>", "2", "</sup>"]
    document, _ = paste(tmp_path, {"b": "3"}, OPEN_B, *stored, CLOSE, " and ", "<b>", "so", "</b>")
    assert document.astext() == "3 and <b>so</b>"


def test_a_number_that_is_missing_is_warned_of_and_the_next_is_shown(tmp_path, caplog):
    logger = logging.getLogger("sphinx.bookproof.sphinx.glued")
    logger.addHandler(caplog.handler)
    document, _ = paste(tmp_path, {"b": "3"}, OPEN_A, "7", CLOSE, " and ", OPEN_B, "8", CLOSE)
    logger.removeHandler(caplog.handler)
    assert "no number for a:.1f: KeyError('a')" in caplog.text
    assert [node.astext() for node in document.findall(nodes.inline)] == ["3"]


def test_a_page_without_glued_numbers_is_left_alone(tmp_path):
    document, _ = paste(tmp_path, {}, "A ", "<b>", "bold", "</b>", " word")
    assert len(document[0]) == 5
