"""Small repairs to what others emit, so that a page passes for a screen reader and an automatic
checker.

The theme's own parts are repaired in a book's _templates.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# sphinx-proof and sphinx-exercise give these to every theorem and exercise of a page; an id must be
# the only one of its kind.
REPEATED = {"proof", "proof-content", "exercise-content", "solution-content"}

# What a fold says about itself must be what it shows; an entry of a list is a list item, since
# doc-biblioentry is deprecated; what scrolls must be reached by the keyboard.
REPAIRS = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    ' role="doc-biblioentry"': ' role="listitem"',
    '<div class="pst-scrollable-table-container">': (
        '<div class="pst-scrollable-table-container" tabindex="0">'
    ),
}

# The theme's first mode, auto, has no palette: without a script a page had no colors, with one none
# until the last script ran. A page is light, and its first script asks the reader's machine.
AUTO = 'data-theme="auto"'
LIGHT = 'data-theme="light"'
ASKS_NOBODY = 'dataset.theme = localStorage.getItem("theme") || "auto";'
ASKS_THE_MACHINE = """\
dataset.theme = localStorage.getItem("theme") ||
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");"""

FIRST_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0; url={page}">
</head>
<body><main><h1>{title}</h1><p><a href="{page}">To the first page</a></p></main></body>
</html>
"""


def make_ids_unique(app: Sphinx, doctree: nodes.document) -> None:
    for node in doctree.findall(nodes.Element):
        if not REPEATED.intersection(node.get("ids", ())):
            continue
        node["ids"] = []
        if isinstance(node, nodes.section):  # Sphinx numbers sections by their id
            node["ids"] = [f"content-of-{node.parent['ids'][0]}"]


def repair(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    body = context.get("body", "")
    for wrong, right in REPAIRS.items():
        body = body.replace(wrong, right)
    context["body"] = body


def give_palette(page: str) -> str:
    """Return a page that has the colors of a mode before any script has run, and without one.

    >>> give_palette('<html lang="en" data-theme="auto"><p>data-theme="auto"</p></html>')
    '<html lang="en" data-theme="light"><p>data-theme="auto"</p></html>'
    """
    return page.replace(AUTO, LIGHT, 1).replace(ASKS_NOBODY, ASKS_THE_MACHINE, 1)


def give_palettes(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    for name in app.env.found_docs | {"search", "genindex"}:
        path = Path(app.builder.get_outfilename(name))
        if path.exists():
            page = path.read_text(encoding="utf-8")
            path.write_text(give_palette(page), encoding="utf-8")


def write_first_page(app: Sphinx, exception: Exception | None) -> None:
    """Write the site's index.html, where no page of the book has that name; the one that Jupyter
    Book makes has neither title nor language.
    """
    if exception or app.builder.format != "html" or "index" in app.env.found_docs:
        return
    page = f"{app.config.root_doc}.html"
    text = FIRST_PAGE.format(language=app.config.language, title=app.config.html_title, page=page)
    (Path(app.outdir) / "index.html").write_text(text)


def setup(app: Sphinx) -> dict:
    app.connect("doctree-read", make_ids_unique)
    app.connect("html-page-context", repair)
    app.connect("build-finished", give_palettes, priority=1)
    app.connect("build-finished", write_first_page, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
