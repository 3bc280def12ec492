"""One figure, one number, two pictures: what a drawing rendered for dark pages joins the light one in its figure.

A drawing keeps the second picture in its output's metadata, which nbval and other readers of a notebook pass over.
"""

import base64
import hashlib
from pathlib import Path, PurePosixPath

from docutils import nodes

from ledger import executed

DARK = "application/vnd.sharpminima.dark+png"


def dark_pictures(notebook):
    """The dark pictures of a notebook, by the name of their figure."""
    found = {}
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", ()):
            if name and DARK in output.get("metadata", {}):
                found[name] = base64.b64decode(output.metadata[DARK])
    return found


def pixel_width(png):
    return int.from_bytes(png[16:20], "big")


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
        # Half the pixels of the picture: it is rendered twice as fine as a page is measured.
        light["width"] = dark["width"] = f"{pixel_width(picture) // 2}px"
        # Not the theme's only-light and only-dark, which hide the caption too.
        light["classes"].append("in-light")
        dark["classes"].append("in-dark")
        light.parent.insert(light.parent.index(light) + 1, dark)


def setup(app):
    # Before Sphinx collects the images of a page.
    app.connect("doctree-read", add_dark, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
