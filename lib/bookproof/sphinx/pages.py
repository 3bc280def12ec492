"""The pages of the book as this build read and executed them: the one place that reads executed
notebooks.
"""

from contextlib import suppress
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector

from ..claims import MIME
from ..notebooks import read_page


class Pages(EnvironmentCollector):
    """Keeps each page as a notebook, without the outputs that are no claims: pictures have no place
    in Sphinx's memory.
    """

    def process_doc(self, app, doctree):
        env = app.env
        page = read_executed(env, env.docname)
        for cell in page.cells:
            if "outputs" in cell:
                cell.outputs = [output for output in cell.outputs if MIME in output.get("data", {})]
        get_pages(env)[env.docname] = page

    def clear_doc(self, app, env, docname):
        get_pages(env).pop(docname, None)

    def merge_other(self, app, env, docnames, other):
        read = get_pages(other)
        get_pages(env).update({name: read[name] for name in docnames if name in read})


def get_pages(env: BuildEnvironment) -> dict[str, NotebookNode]:
    """Return what `Pages` keeps: {page: notebook}, a page of Markdown as a notebook of one cell."""
    if not hasattr(env, "bookproof_pages"):
        env.bookproof_pages = {}
    return env.bookproof_pages


def is_notebook(env: BuildEnvironment, docname: str) -> bool:
    return Path(env.doc2path(docname)).suffix == ".ipynb"


def read_executed(env: BuildEnvironment, docname: str) -> NotebookNode:
    """Return a notebook with the outputs of this build.

    They are in the cache, or, when a cell raised or nothing was to be executed, in the copy that
    MyST-NB writes out. (After a hit in the cache that copy still has the stored outputs.)
    """
    if not is_notebook(env, docname):
        return read_page(Path(env.doc2path(docname)))
    config = env.mystnb_config
    notebook = nbformat.read(Path(config.output_folder) / f"{docname}.ipynb", as_version=4)
    if config.execution_mode == "cache":
        with suppress(KeyError):
            return get_cache(config.execution_cache_path).merge_match_into_notebook(notebook)[1]
    return notebook


def list_pages(env: BuildEnvironment) -> list[str]:
    """Return the names of all pages that were read, as the table of contents orders them."""
    order = [env.config.root_doc]
    for name in order:
        order += [child for child in env.toctree_includes.get(name, ()) if child not in order]
    return [name for name in order if name in get_pages(env)]


def list_notebooks(env: BuildEnvironment) -> list[str]:
    return [name for name in list_pages(env) if is_notebook(env, name)]


def setup(app: Sphinx) -> dict:
    app.add_env_collector(Pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
