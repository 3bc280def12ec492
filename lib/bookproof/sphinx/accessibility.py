"""Small repairs to what others emit, so that a page passes for a screen reader and an automatic
checker.

The theme's own parts are mended in _templates.
"""

from pathlib import Path

from docutils import nodes

# sphinx-proof and sphinx-exercise give these to every theorem and exercise of a page; an id must be
# the only one of its kind.
REPEATED = {"proof", "proof-content", "exercise-content", "solution-content"}

# What a fold says about itself must be what it shows; an entry of a list is a list item, since
# doc-biblioentry is deprecated.
MENDED = {
    '<summary aria-label="Toggle hidden content">': "<summary>",
    ' role="doc-biblioentry"': ' role="listitem"',
}

FIRST_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url={page}"></head>
<body><main><h1>{title}</h1><p><a href="{page}">To the first page</a></p></main></body>
</html>
"""


def make_ids_unique(app, doctree):
    for node in doctree.findall(nodes.Element):
        if REPEATED.intersection(node.get("ids", ())):
            # Sphinx numbers sections by their id, so they need one.
            node["ids"] = (
                [f"content-of-{node.parent['ids'][0]}"] if isinstance(node, nodes.section) else []
            )


def mend(app, pagename, templatename, context, doctree):
    for wrong, right in MENDED.items():
        context["body"] = context.get("body", "").replace(wrong, right)


def write_first_page(app, exception):
    """The site's index.html; the one that is made when there is none has neither title nor
    language.
    """
    if exception is None and app.builder.format == "html":
        page = f"{app.config.root_doc}.html"
        text = FIRST_PAGE.format(
            language=app.config.language, title=app.config.html_title, page=page
        )
        (Path(app.outdir) / "index.html").write_text(text)


def setup(app):
    app.connect("doctree-read", make_ids_unique)
    app.connect("html-page-context", mend)
    app.connect("build-finished", write_first_page, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
