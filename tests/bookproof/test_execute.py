"""Notebooks executed before they are read: which ones, how, and what is kept of them.

A stand-in executes them. Not seen here: a kernel (test_other_book.py).
"""

import os
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.config import Config

from bookproof.sphinx import accept_claims, add_style, execute
from bookproof.sphinx.depths import add_switch
from bookproof.sphinx.pages import read_executed


def make_page(source):
    return new_notebook(cells=[new_markdown_cell("# A"), new_code_cell(source)])


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Three notebooks and a page, with what was executed of them and how."""
    for name in ("a", "b", "data/c"):
        path = tmp_path / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(make_page(name), path)
    (tmp_path / "page.md").write_text("# Page")
    config = SimpleNamespace(
        execution_mode="cache",
        output_folder=str(tmp_path),
        execution_in_temp=False,
        execution_cache_path=str(tmp_path / ".cache"),
        execution_excludepatterns=["data/*"],
        execution_timeout=77,
        execution_allow_errors=False,
    )
    names = {"a": "a.ipynb", "b": "b.ipynb", "data/c": "data/c.ipynb", "page": "page.md"}
    env = SimpleNamespace(mystnb_config=config, doc2path=lambda name: str(tmp_path / names[name]))
    ran = []

    def run(notebook, **options):
        ran.append((notebook.cells[1].source, options))
        times = {
            "iopub.execute_input": "2030-01-01T00:00:01",
            "shell.execute_reply": "2030-01-01T00:00:03.5",
        }
        notebook.cells[1].metadata["execution"] = times
        notebook.cells[1].outputs = [new_output("stream", text="new")]
        failed = ValueError("no") if notebook.cells[1].source == "b" else None
        return SimpleNamespace(err=failed, time=4.0)

    monkeypatch.setattr(execute, "single_nb_execution", run)

    def start():
        ran.clear()
        execute.execute_stale_notebooks(None, env, list(names))
        return sorted(source for source, _ in ran)

    return SimpleNamespace(start=start, config=config, ran=ran, folder=tmp_path, env=env)


def test_what_ran_well_is_kept_and_what_failed_runs_again(book):
    assert book.start() == ["a", "b"], "neither what is excluded nor what is no notebook"
    assert book.start() == ["b"]


def test_a_notebook_runs_in_its_folder_and_as_long_as_it_may(book):
    book.start()
    _, options = book.ran[0]
    assert options == {
        "cwd": str(book.folder),
        "timeout": 77,
        "allow_errors": False,
        "record_timing": True,
    }


def test_the_cache_keeps_the_seconds_of_a_notebook_and_of_its_cells(book):
    book.start()
    cache = get_cache(book.config.execution_cache_path)
    [record] = cache.list_cache_records()
    assert record.data == {"execution_seconds": 4.0, "cell_seconds": [2.5]}
    bundle = cache.get_cache_bundle(record.pk)
    assert "execution" not in bundle.nb.cells[0].metadata


def test_a_notebook_is_read_with_what_its_cells_gave_where_that_is_cached(book):
    book.start()
    read = {name: read_executed(book.env, name).cells[1].outputs for name in ("a", "b")}
    assert [output.text for output in read["a"]] == ["new"]
    assert read["b"] == [], "what failed is not in the cache"
    book.config.execution_mode = "off"
    assert read_executed(book.env, "a").cells[1].outputs == []


@pytest.mark.parametrize("change", [{"execution_mode": "off"}, {"execution_in_temp": True}])
def test_nothing_is_executed_where_a_book_wants_it_otherwise(book, change):
    vars(book.config).update(change)
    assert book.start() == []


def test_seconds_are_unknown_where_an_end_is():
    begin, end = "2030-01-01T00:00:00", "2030-01-01T00:01:01"
    both = {"iopub.execute_input": begin, "shell.execute_reply": end}
    assert execute.measure_seconds(both) == 61.0
    for name in both:
        assert execute.measure_seconds(both | {name: None}) is None
    assert execute.measure_seconds({}) is None


def test_each_of_many_notebooks_has_one_thread_unless_somebody_says_more(monkeypatch):
    for name in execute.ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    execute.setup(SimpleNamespace(connect=lambda *given: None))
    assert [os.environ[name] for name in execute.ONE_THREAD] == ["1", "1", "3"]


def configure(**options):
    config = Config({}, options)
    config.init_values()
    for name in ("html_static_path", "suppress_warnings", "templates_path"):
        setattr(config, name, [])
    return config


def test_a_book_gets_the_kits_style_and_no_warning_of_its_claims():
    config = configure()
    add_style(None, config)
    accept_claims(None, config)
    [static] = config.html_static_path
    assert os.path.exists(os.path.join(static, "bookproof.css"))
    assert config.suppress_warnings == ["mystnb.unknown_mime_type"]


@pytest.mark.parametrize(
    ("theme", "given", "added"),
    [
        ("sphinx_book_theme", {}, True),
        ("basic", {}, False),
        ("sphinx_book_theme", {"article_header_start": ["depth-switch.html"]}, False),
    ],
)
def test_the_switch_stands_in_the_header_of_the_book_theme_once(theme, given, added):
    config = SimpleNamespace(templates_path=[], html_theme=theme, html_theme_options=dict(given))
    add_switch(None, config)
    header = config.html_theme_options.get("article_header_end", [])
    assert header == (["depth-switch.html", "article-header-buttons.html"] if added else [])
    [templates] = config.templates_path
    assert os.path.exists(os.path.join(templates, "depth-switch.html"))
