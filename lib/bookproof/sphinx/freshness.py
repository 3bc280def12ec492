"""No stale result is ever published.

jupyter-cache knows a notebook's cells but not the library they call; Sphinx takes a page that
failed, or that was never written because the build was stopped, for done. Two stamps mend both,
each beside what it vouches for.
"""

import hashlib
import shutil
import sys
import sysconfig
from pathlib import Path

MADE_BY_SPHINX = {"index", "search"}


def digest(source, paths, *texts):
    """One number for the names and contents of some files, and for some texts."""
    total = hashlib.sha256()
    for path in sorted(
        path for path in paths if path.is_file() and "__pycache__" not in path.parts
    ):
        total.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes() + b"\0")
    for text in texts:
        total.update(text.encode() + b"\0")
    return total.hexdigest()


def what_results_rest_on(source):
    """The library, the lock, and what is really installed, which need not be what the lock says."""
    installed = sorted(
        path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    )
    files = [
        *(source / "lib").rglob("*.py"),
        *(source / "chapters" / "figures").rglob("*.py"),
        source / "requirements.txt",
        source / "pyproject.toml",
    ]
    return digest(source, files, sys.version, *installed)


def what_pages_rest_on(source, results):
    """Beside the results, what turns them into pages and is not watched by Sphinx itself."""
    return digest(source, (source / "_templates").rglob("*"), results)


def stamps(app):
    cache = Path(app.outdir).parent / ".jupyter_cache"
    return cache / "results.sha256", Path(app.doctreedir) / "pages.sha256"


def says(stamp, value):
    return stamp.exists() and stamp.read_text() == value


def drop_stale(app, config):
    """Before Sphinx looks at what it did last time, take away what it must not use again."""
    results_stamp, pages_stamp = stamps(app)
    app.results = what_results_rest_on(Path(app.srcdir))
    app.pages = what_pages_rest_on(Path(app.srcdir), app.results)
    if not says(results_stamp, app.results):
        shutil.rmtree(results_stamp.parent, ignore_errors=True)
        results_stamp.parent.mkdir(parents=True)
        results_stamp.write_text(app.results)
    if not says(pages_stamp, app.pages):
        (pages_stamp.parent / "environment.pickle").unlink(missing_ok=True)
    # Written again only by a build that ends well; until then every page counts as unread.
    pages_stamp.unlink(missing_ok=True)


def vouch(app, exception):
    """A build without a single warning vouches for its pages, unless the library changed under
    it.
    """
    results_stamp, pages_stamp = stamps(app)
    if what_results_rest_on(Path(app.srcdir)) != app.results:
        results_stamp.unlink(missing_ok=True)
    elif exception is None and not app._warncount:
        pages_stamp.write_text(app.pages)


def remove_gone(app, exception):
    """Pages whose source is no longer part of the book; Sphinx leaves them where they are."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            name = path.relative_to(app.outdir).with_suffix("").as_posix()
            if not name.startswith("_") and name not in MADE_BY_SPHINX | app.env.found_docs:
                path.unlink()


def setup(app):
    app.connect("config-inited", drop_stale)
    app.connect("build-finished", remove_gone)
    app.connect("build-finished", vouch, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
