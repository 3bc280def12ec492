"""A content-security policy in each page: a browser runs no script but the site's own files and
those that the build itself wrote into the page, and asks no other host for anything.

GitHub Pages sends no headers of one's own, so that the policy stands in the page, before its first
script. Each inline script is named by its hash; an inline handler, as of the theme's button that
prints, becomes one. Styles may be inline: KaTeX sets every symbol by a style of its own.

    extensions: [bookproof.sphinx.security]
"""

import base64
import hashlib
import re
from pathlib import Path

from sphinx.application import Sphinx

# A page that is opened as a file has no origin of its own; one from a server cannot load files.
OWN = ("'self'", "file:")
LAST = 990  # after everything that writes into pages
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
DATA = re.compile(r'type="(?!text/javascript|module)[^"]*"')  # a block of data is never run
CHARSET = re.compile(r"<meta charset=[^>]*>")
PRINT = 'onclick="window.print()"'
PRINTS = 'addEventListener("click", e => e.target.closest("[data-print]") && print())'
HANDLER = re.compile(r"<[^>]*\s(on[a-z]+)=", re.IGNORECASE)


def list_inline_scripts(page: str) -> list[str]:
    """Return the scripts that stand in a page, not those that it loads nor blocks of data."""
    found = []
    for attributes, body in SCRIPT.findall(page):
        if "src=" not in attributes and not DATA.search(attributes):
            found.append(body)
    return found


def compute_hash(script: str) -> str:
    """Return a script's hash as a policy names it.

    >>> compute_hash("alert(1)")
    "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def write_policy(page: str) -> str:
    """Return the policy under which a page runs its own scripts and nothing else."""
    hashes = sorted(set(map(compute_hash, list_inline_scripts(page))))
    rules = {
        "default-src": ["'none'"],
        "script-src": [*OWN, *hashes],
        "style-src": [*OWN, "'unsafe-inline'"],
        "img-src": [*OWN, "data:"],
        "font-src": [*OWN, "data:"],
        "connect-src": OWN,
        "form-action": OWN,
        "base-uri": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in rules.items())


def protect(page: str) -> str:
    """Return a page with its policy. Raises ValueError for an inline handler, which has no hash."""
    page = page.replace(PRINT, "data-print")
    outside = SCRIPT.sub("", page)
    handler = HANDLER.search(outside)
    if handler is not None:
        raise ValueError(f"an inline handler, {handler[1]}, which a policy forbids: {handler[0]}")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{write_policy(page)}">'
    return CHARSET.sub(lambda charset: charset[0] + meta, page, count=1)


def protect_pages(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        is_page = "</html>" in page and "_static" not in path.relative_to(app.outdir).parts
        if is_page and "Content-Security-Policy" not in page:
            path.write_text(protect(page), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    app.add_js_file(None, body=PRINTS)
    app.connect("build-finished", protect_pages, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
