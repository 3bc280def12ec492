"""A page's source can be downloaded, also where the page is opened as a file.

A browser shows a file that lies beside a page instead of storing it, and a notebook as its JSON. An
archive it stores; so each source has one beside it, to which the button leads there.
"""

import zipfile
from pathlib import Path

from sphinx.application import Sphinx

AS_A_FILE = """
if (location.protocol === "file:") addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll("a.btn-download-source-button").forEach(a => a.href += ".zip"))
"""


def pack_sources(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    sources = [path for path in Path(app.outdir, "_sources").rglob("*") if path.is_file()]
    for path in sources:
        if path.suffix != ".zip":
            packed = path.with_name(f"{path.name}.zip")
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(path, path.name)


def setup(app: Sphinx) -> dict:
    app.add_js_file(None, body=AS_A_FILE)
    app.connect("build-finished", pack_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
