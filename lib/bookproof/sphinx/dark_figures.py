"""One figure, one number, two pictures: what a drawing rendered for dark pages joins the light one.

A drawing keeps the second picture in its output's metadata, which nbval and other readers of a
notebook pass over.
"""

import base64
import hashlib
import re
from pathlib import Path, PurePosixPath

from docutils import nodes
from nbformat import NotebookNode
from sphinx.application import Sphinx

from ..pictures import DARK, PNG
from .pages import is_notebook, read_executed

# Pixels: a wider picture has letters of less than nine pixels when it shrinks to a phone's width.
WIDE = 550
STYLED = re.compile(
    r'(<img [^>]*class="[^"]*\bin-(?:light|dark)\b[^>]*) style="width: (\d+)px; height: (\d+)px;"'
)
# Shown pictures must not wait to be scrolled to: a whole page may be printed or photographed.
SHOWN_NEXT = """
addEventListener("load", () =>
  [...document.images].filter(i => i.offsetParent).forEach(i => i.loading = "eager"))
"""


def compute_name(png: bytes) -> str:
    """Return the name that MyST-NB gives to the file of a picture, without its suffix."""
    return hashlib.sha256(png).hexdigest()


def collect_dark_pictures(notebook: NotebookNode) -> dict[str, bytes]:
    """Return the dark pictures of a notebook, by the names of the files of the light ones."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if PNG in output.get("data", {}) and DARK in output.get("metadata", {}):
                light = compute_name(base64.b64decode(output.data[PNG]))
                found[light] = base64.b64decode(output.metadata[DARK])
    return found


def measure_on_page(png: bytes) -> list[int]:
    """Return width and height in pixels of the page: half the picture's own, which is rendered
    twice as fine.
    """
    return [int.from_bytes(png[start : start + 4], "big") // 2 for start in (16, 20)]


def add_dark_pictures(app: Sphinx, doctree: nodes.document) -> None:
    env = app.env
    if not is_notebook(env, env.docname):
        return
    pictures = collect_dark_pictures(read_executed(env, env.docname))
    for light in list(doctree.findall(nodes.image)):
        picture = pictures.get(PurePosixPath(light["uri"]).stem)
        if picture is None:
            continue
        file = f"{compute_name(picture)}.png"
        (Path(env.mystnb_config.output_folder) / file).write_bytes(picture)
        dark = light.deepcopy()
        dark["uri"] = str(PurePosixPath(light["uri"]).with_name(file))
        for image in (light, dark):
            image["width"], image["height"] = (f"{size}px" for size in measure_on_page(picture))
            image["classes"].append("no-scaled-link")
        # Not the theme's only-light and only-dark, which hide the caption too.
        light["classes"].append("in-light")
        dark["classes"].append("in-dark")
        light.parent.insert(light.parent.index(light) + 1, dark)


def keep_room(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Attributes instead of a style: a browser keeps a picture's room from them before it has
    loaded, at any width.

    It loads the pictures that are shown after the text, and those of the other mode not at all.
    """
    context["body"] = STYLED.sub(write_room, context.get("body", ""))


def write_room(styled: re.Match) -> str:
    """Return the picture's attributes. A style tells a `wide` one its own width, since on a phone
    it may not shrink until nobody can read it.
    """
    start, width, height = styled.groups()
    if int(width) > WIDE:
        start = start.replace('class="', 'class="wide ', 1)
        start += f' style="--natural: {width}px"'
    return f'{start} width="{width}" height="{height}" loading="lazy"'


def setup(app: Sphinx) -> dict:
    # Before Sphinx collects the images of a page.
    app.connect("doctree-read", add_dark_pictures, priority=100)
    app.connect("html-page-context", keep_room)
    app.add_js_file(None, body=SHOWN_NEXT)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
