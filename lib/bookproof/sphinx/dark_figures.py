"""One figure, one number, two pictures: what a drawing rendered for dark pages joins the light one
in its figure.

A drawing keeps the second picture in its output's metadata, which nbval and other readers of a
notebook pass over.
"""

import base64
import hashlib
import re
from pathlib import Path, PurePosixPath

from docutils import nodes

from .ledger import executed

DARK = "application/vnd.bookproof.dark+png"
STYLED = re.compile(r'style="width: (\d+)px; height: (\d+)px;"')


def dark_pictures(notebook):
    """The dark pictures of a notebook, by the name of their figure."""
    found = {}
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", ()):
            if name and DARK in output.get("metadata", {}):
                found[name] = base64.b64decode(output.metadata[DARK])
    return found


def size_on_page(png):
    """Width and height in pixels of the page: half the picture's own, which is rendered twice as
    fine.
    """
    return [int.from_bytes(png[start : start + 4], "big") // 2 for start in (16, 20)]


def add_dark(app, doctree):
    env = app.env
    if not env.doc2path(env.docname).endswith(".ipynb"):
        return
    pictures = dark_pictures(executed(env.mystnb_config, env.docname))
    for figure in doctree.findall(nodes.figure):
        picture = next((pictures[name] for name in figure["names"] if name in pictures), None)
        light = next(figure.findall(nodes.image), None)
        if picture is None or light is None:
            continue
        file = f"{hashlib.sha256(picture).hexdigest()}.png"
        (Path(env.mystnb_config.output_folder) / file).write_bytes(picture)
        dark = light.deepcopy()
        dark["uri"] = str(PurePosixPath(light["uri"]).with_name(file))
        for image in (light, dark):
            image["width"], image["height"] = (f"{length}px" for length in size_on_page(picture))
        # Not the theme's only-light and only-dark, which hide the caption too.
        light["classes"].append("in-light")
        dark["classes"].append("in-dark")
        light.parent.insert(light.parent.index(light) + 1, dark)


def keep_room(app, pagename, templatename, context, doctree):
    """Attributes instead of a style: a browser keeps a picture's room from them before it has
    loaded, at any width.

    It loads the pictures that are shown after the text, and those of the other mode not at all.
    """
    context["body"] = STYLED.sub(r'width="\1" height="\2" loading="lazy"', context.get("body", ""))


# Shown pictures must not wait to be scrolled to: a whole page may be printed or photographed.
SHOWN_NEXT = (
    "addEventListener('load', () => [...document.images].filter(i => i.offsetParent).forEach(i =>"
    " i.loading = 'eager'))"
)


def setup(app):
    # Before Sphinx collects the images of a page.
    app.connect("doctree-read", add_dark, priority=100)
    app.connect("html-page-context", keep_room)
    app.add_js_file(None, body=SHOWN_NEXT)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
