"""A site that Sphinx builds in the process of the tests."""

from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace


def build_site(folder: Path, files: Mapping[str, str]) -> Sphinx:
    """Write some sources into a folder and build them; the site is in the application's outdir."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # What an extension adds to a default of Sphinx stays there for all sites of a process.
    own = {
        "source_suffix": {".rst": "restructuredtext"},
        "html_static_path": [],
        "templates_path": [],
    }
    with docutils_namespace():
        site, trees = folder / "site", folder / "trees"
        app = Sphinx(folder, folder, site, trees, "html", confoverrides=own, status=None)
        app.build()
    return app
