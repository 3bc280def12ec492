"""One script for each page that has something to move, and none for the others.

The sources, `explorers/<stem>.js` in the folder of the page, are joined by esbuild, which a book's
package.json names, to one classic script: a page that is opened as a file loads no modules. The
script stands right behind the first explorer and not at the page's end, so that the explorer is
there before what comes after it is laid out, and nothing has to move away for it.
"""

from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

from ..explorers import find_elements, find_source
from ..scripts import ESBUILD, bundle
from .ledger_explorer import write_start
from .packages import fetch

LOGGER = logging.getLogger(__name__)
FOLDER = "_static/explorers"


class Elements(EnvironmentCollector):
    """Keeps which explorers each page has."""

    def process_doc(self, app, doctree):
        found = [
            element for raw in doctree.findall(nodes.raw) for element in find_elements(raw.astext())
        ]
        if found:
            get_elements(app.env)[app.env.docname] = list(dict.fromkeys(found))

    def clear_doc(self, app, env, docname):
        get_elements(env).pop(docname, None)

    def merge_other(self, app, env, docnames, other):
        read = get_elements(other)
        get_elements(env).update({name: read[name] for name in docnames if name in read})


def get_elements(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return {page: names of its explorers}."""
    if not hasattr(env, "bookproof_explorers"):
        env.bookproof_explorers = {}
    return env.bookproof_explorers


def list_elements(app: Sphinx, docname: str) -> list[str]:
    """Return the explorers of a page in their order, that of its ledger last."""
    elements = list(get_elements(app.env).get(docname, ()))
    if has_ledger(app, docname):
        elements.append(app.config.bookproof_ledger_element)
    return elements


def has_ledger(app: Sphinx, docname: str) -> bool:
    return "has_ledger" in app.env.metadata.get(docname, {})


def name_script(docname: str) -> str:
    return f"{FOLDER}/{docname.replace('/', '-')}.js"


def add_script(app: Sphinx, pagename: str, templatename, context: dict, doctree) -> None:
    """Let the page load its script right behind its first explorer."""
    elements = list_elements(app, pagename)
    if not elements or app.builder.format != "html":
        return
    here = app.builder.get_target_uri(pagename)
    address = relative_uri(here, name_script(pagename))
    end = f"</{elements[0]}>"
    script = f'{end}<script src="{address}"></script>'
    context["body"] = context["body"].replace(end, script, 1)


def write_scripts(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    pages = [name for name in app.env.all_docs if list_elements(app, name)]
    if pages and not ESBUILD.exists():
        fetch("esbuild", Path(app.srcdir))
    for docname in pages:
        folder = Path(app.env.doc2path(docname)).parent / "explorers"
        sources = [find_source(folder, name) for name in get_elements(app.env).get(docname, ())]
        start = ""
        if has_ledger(app, docname):
            start = write_start(app.config.bookproof_ledger_element)
        target = Path(app.outdir) / PurePosixPath(name_script(docname))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_text(bundle(sources, start=start), encoding="utf-8")
        except RuntimeError as why:
            raise ExtensionError(f"the explorers of {docname} cannot be bundled: {why}") from why


def setup(app: Sphinx) -> dict:
    app.add_env_collector(Elements)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
