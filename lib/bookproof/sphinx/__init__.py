"""The Sphinx extensions of a checked book.

`bookproof.sphinx` in `_config.yml` switches on what checks: freshness, execution two notebooks at a
time, numbers in prose, the ledger, the facts about a build, and figures for light and dark pages
under one number.
What only changes how pages look is asked for one by one: `bookproof.sphinx.folds`,
`bookproof.sphinx.cells`, `bookproof.sphinx.marks`, `bookproof.sphinx.depths`,
`bookproof.sphinx.terms`, `bookproof.sphinx.katex`, `bookproof.sphinx.accessibility`,
`bookproof.sphinx.search`, `bookproof.sphinx.downloads` and `bookproof.sphinx.docstrings`.
`bookproof.sphinx.explorers` brings pages the scripts of what can be moved on them.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

PARTS = (
    "freshness",
    "execute",
    "pages",
    "glued",
    "ledger",
    "reproducibility",
    "dark_figures",
)
STATIC = Path(__file__).parent / "static"

# Paths are patterns of Sphinx, relative to the book: `**` also passes over slashes.
RESULTS_REST_ON = [
    "**.py",
    "data/**",
    "requirements*.txt",
    "environment.yml",
    "pyproject.toml",
]


def add_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(STATIC))


def accept_claims(app: Sphinx, config: Config) -> None:
    """A claim's own type stands beside its HTML; MyST-NB need not warn that it cannot show both."""
    config.suppress_warnings.append("mystnb.unknown_mime_type")


def setup(app: Sphinx) -> dict:
    # The module of the library that the book is about, as it is imported; "" if there is none.
    app.add_config_value("bookproof_library", "", "env")
    # The address of the repository, to which sources and tests are linked; "" if nobody holds one.
    app.add_config_value("bookproof_repository", "", "env")
    app.add_config_value("bookproof_branch", "main", "env")
    # The name of the book's files, such as its PDF; its title in small letters if there is none.
    app.add_config_value("bookproof_short_name", "", "")
    # What the page behind the title of a printed book says of its rights.
    app.add_config_value("bookproof_license", "", "")
    # The folder of the tests, which name the claims that they check.
    app.add_config_value("bookproof_tests", "tests", "env")
    # A change in these files executes every notebook again.
    app.add_config_value("bookproof_results_rest_on", RESULTS_REST_ON, "")
    # What pins the versions, and what asks for them.
    app.add_config_value("bookproof_lock", "requirements.txt", "env")
    app.add_config_value("bookproof_project", "pyproject.toml", "env")
    app.connect("config-inited", add_style)
    app.connect("config-inited", accept_claims)
    app.add_css_file("bookproof.css")
    app.add_css_file("print.css", priority=900, media="print")
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
