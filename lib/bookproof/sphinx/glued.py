"""Numbers in prose on a page: what this build computed takes the place of what is stored between
the tags of a span. See `bookproof.glued`.
"""

import re
from pathlib import Path

from docutils import nodes
from myst_nb.ext.glue.crossref import read_glue_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..glued import format_glued

LOGGER = logging.getLogger(__name__)
OPENING = re.compile(r'<span data-glue="([^"]+)">')
CLOSING = "</span>"


def paste_numbers(app: Sphinx, doctree: nodes.document) -> None:
    env = app.env
    tags = [(OPENING.fullmatch(node.astext()), node) for node in doctree.findall(nodes.raw)]
    openings = [(tag[1], node) for tag, node in tags if tag]
    if not openings:
        return
    kept = read_glue_cache(env.mystnb_config.output_folder, env.docname)
    glued = {name: value["data"].get("text/plain", "") for name, value in kept.items()}
    for reference, opening in openings:
        remove_stored(opening)
        try:
            number = format_glued(reference, glued)
        except (KeyError, ValueError, SyntaxError) as why:
            LOGGER.warning(
                "glued: no number for %s: %r", reference, why, location=opening, type="bookproof"
            )
            continue
        opening.replace_self(nodes.inline("", number, classes=["pasted-text"]))


def remove_stored(opening: nodes.raw) -> None:
    """Remove what follows an opening tag, its closing tag included."""
    parent = opening.parent
    following = parent.children[parent.index(opening) + 1 :]
    for node in following:
        parent.remove(node)
        if isinstance(node, nodes.raw) and node.astext() == CLOSING:
            return


def forget_numbers(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """MyST-NB keeps what a notebook glued until it glues something else."""
    Path(env.mystnb_config.output_folder, f"{docname}.glue.json").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict:
    app.connect("env-purge-doc", forget_numbers)
    app.connect("doctree-read", paste_numbers, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
