"""Two depths of one page: *Read* shows what a reader needs, *Check* opens every cell, proof and
check at once.

The switch stands in the header of the book theme. What is chosen is remembered; `?check` in the
address chooses for one visit. Without a script there is no switch, and each piece still opens
alone. On paper proofs and solutions are open, and cells as they are chosen to be.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

TEMPLATES = Path(__file__).parent / "templates"
SWITCH = "depth-switch.html"
BESIDE = ["depth-switch.html", "article-header-buttons.html"]


def add_switch(app: Sphinx, config: Config) -> None:
    """Put the switch into the header, where the book's configuration has not put it elsewhere."""
    config.templates_path.append(str(TEMPLATES))
    options = config.html_theme_options
    if config.html_theme == "sphinx_book_theme" and SWITCH not in str(options):
        options["article_header_end"] = BESIDE


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", add_switch, priority=900)
    # Before the page is painted, so that nothing moves.
    app.add_js_file("depths.js", priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
