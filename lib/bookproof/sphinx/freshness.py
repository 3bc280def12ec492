"""No stale result is ever published.

jupyter-cache knows a notebook's cells but not the library they call; Sphinx takes a page that
failed, or that was never written because the build was stopped, for done. Two stamps mend both,
each beside what it vouches for.
"""

import hashlib
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.matching import get_matching_files

LOGGER = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parents[1]
LEFT_BEHIND = ["**/__pycache__", "__pycache__", "**/.*", ".*"]


def compute_digest(source: Path, names: Iterable[str], *texts: str) -> str:
    """Return one number for the names and contents of some files, and for some texts."""
    total = hashlib.sha256()
    for name in sorted(names):
        total.update(f"{name}\0".encode() + (source / name).read_bytes() + b"\0")
    for text in texts:
        total.update(text.encode() + b"\0")
    return total.hexdigest()


def digest_results(source: Path, config: Config) -> str:
    """Return the number of all that results rest on: the files that the configuration names, and
    what is really installed, which need not be what a lock says.
    """
    tests = f"{config.bookproof_tests}/**"
    skipped = [*config.exclude_patterns, tests, *LEFT_BEHIND]
    files = get_matching_files(source, config.bookproof_results_rest_on, skipped)
    installed = sorted(
        path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    )
    return compute_digest(source, files, sys.version, *installed)


def digest_pages(source: Path, config: Config, results: str) -> str:
    """Return the number of all that pages rest on and Sphinx does not watch: the results, the
    templates, the tests, which the ledger names, and these extensions themselves.
    """
    patterns = [f"{folder}/**" for folder in config.templates_path]
    patterns.append(f"{config.bookproof_tests}/**.py")
    files = get_matching_files(source, patterns, [*config.exclude_patterns, *LEFT_BEHIND])
    extensions = compute_digest(PACKAGE, get_matching_files(PACKAGE, ["**"], LEFT_BEHIND))
    return compute_digest(source, files, results, extensions)


def find_cache(app: Sphinx) -> Path:
    """Return the folder of jupyter-cache, where MyST-NB puts it."""
    return Path(app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")


def find_stamps(app: Sphinx) -> tuple[Path, Path]:
    return find_cache(app) / "results.sha256", Path(app.doctreedir) / "pages.sha256"


def is_stamped(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def drop_stale(app: Sphinx, config: Config) -> None:
    """Before Sphinx looks at what it did last time, take away what it must not use again."""
    results_stamp, pages_stamp = find_stamps(app)
    source = Path(app.srcdir)
    app.bookproof_results = digest_results(source, config)
    app.bookproof_pages = digest_pages(source, config, app.bookproof_results)
    if not is_stamped(results_stamp, app.bookproof_results):
        shutil.rmtree(results_stamp.parent, ignore_errors=True)
        results_stamp.parent.mkdir(parents=True)
        results_stamp.write_text(app.bookproof_results)
    if not is_stamped(pages_stamp, app.bookproof_pages):
        (pages_stamp.parent / "environment.pickle").unlink(missing_ok=True)
    # Written again only by a build that ends well; until then every page counts as unread.
    pages_stamp.unlink(missing_ok=True)


def warn_of_stored_outputs(app: Sphinx, config: Config) -> None:
    """In mode `auto`, Jupyter Book's default, a notebook that has outputs is never executed."""
    if config.nb_execution_mode == "auto":
        LOGGER.warning(
            "freshness: `execute_notebooks: auto` publishes the outputs that are stored in a"
            " notebook, whatever its cells compute now; set it to `cache`",
            type="bookproof",
            subtype="freshness",
        )


def stamp_pages(app: Sphinx, exception: Exception | None) -> None:
    """A build without a single warning vouches for its pages, unless what they rest on changed
    meanwhile.
    """
    results_stamp, pages_stamp = find_stamps(app)
    if digest_results(Path(app.srcdir), app.config) != app.bookproof_results:
        results_stamp.unlink(missing_ok=True)
    elif exception is None and not app._warncount:
        pages_stamp.write_text(app.bookproof_pages)


def remove_pages_without_source(app: Sphinx, exception: Exception | None) -> None:
    """Sphinx leaves pages where they are when their source is no longer part of the book."""
    if exception is not None or app.builder.format != "html":
        return
    for doctree in Path(app.doctreedir).rglob("*.doctree"):
        name = doctree.relative_to(app.doctreedir).with_suffix("").as_posix()
        if name not in app.env.found_docs:
            Path(app.builder.get_outfilename(name)).unlink(missing_ok=True)
            doctree.unlink()


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", drop_stale)
    app.connect("config-inited", warn_of_stored_outputs)
    app.connect("build-finished", remove_pages_without_source)
    app.connect("build-finished", stamp_pages, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
