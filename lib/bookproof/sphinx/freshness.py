"""No stale result is ever published, and none that is known is computed again.

jupyter-cache knows a notebook's cells but not the library they call. So each state of what results
rest on has a cache of its own: back at an earlier state, the book finds what it knew then. Sphinx
takes a page that failed, or that was never written because the build was stopped, for done. A stamp
beside the pages mends that.
"""

import hashlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.matching import get_matching_files

LOGGER = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parents[1]
LEFT_BEHIND = ["**/__pycache__", "__pycache__", "**/.*", ".*"]
MOST_STATES = 6  # of which results are kept; a few megabytes each


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


def find_states(app: Sphinx, config: Config) -> Path:
    """Return the folder of the caches, where MyST-NB would put its only one."""
    return Path(config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")


def choose_cache(states: Path, digest: str) -> Path:
    """Return the folder that keeps the results of one state, and remove those of the states that
    were used the longest time ago.
    """
    cache = states / digest[:16]
    cache.mkdir(parents=True, exist_ok=True)
    os.utime(cache)
    others = [path for path in states.iterdir() if path != cache]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[MOST_STATES - 1 :]:
        remove(path)
    return cache


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def find_pages_stamp(app: Sphinx) -> Path:
    return Path(app.doctreedir) / "pages.sha256"


def is_stamped(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def drop_stale(app: Sphinx, config: Config) -> None:
    """Before Sphinx looks at what it did last time, take away what it must not use again."""
    source, pages_stamp = Path(app.srcdir), find_pages_stamp(app)
    app.bookproof_results = digest_results(source, config)
    # Pages that were written elsewhere are not there.
    pages = digest_pages(source, config, app.bookproof_results)
    app.bookproof_pages = f"{pages} {Path(app.outdir).name}"
    app.bookproof_cache = choose_cache(find_states(app, config), app.bookproof_results)
    config.nb_execution_cache_path = str(app.bookproof_cache)
    if not is_stamped(pages_stamp, app.bookproof_pages):
        (pages_stamp.parent / "environment.pickle").unlink(missing_ok=True)
    # Written again only by a build that ends well; until then every page counts as unread.
    pages_stamp.unlink(missing_ok=True)
    remove_reports(app)


def remove_reports(app: Sphinx) -> None:
    """MyST-NB writes a report for each notebook that fails, and never takes it back."""
    for report in Path(app.outdir, "reports").rglob("*.err.log"):
        report.unlink()


def warn_of_stored_outputs(app: Sphinx, config: Config) -> None:
    """In mode `auto`, Jupyter Book's default, a notebook that has outputs is never executed."""
    if config.nb_execution_mode == "auto":
        LOGGER.warning(
            "freshness: `execute_notebooks: auto` publishes the outputs that are stored in a"
            " notebook, whatever its cells compute now; set it to `cache`",
            type="bookproof",
            subtype="freshness",
        )


def compare_contents(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Before anything is executed, look for what the table of contents names."""
    site_map = getattr(app.config, "external_site_map", None)
    if site_map is None:
        return
    suffixes = tuple(app.config.source_suffix)
    named = [name for name in site_map if not is_found(name, env.found_docs, suffixes)]
    if named:
        raise ExtensionError(
            f"{app.config.external_toc_path} names {', '.join(named)}, and there is no such page:"
            " write it, mend the name, or look whether the configuration leaves it out"
        )


def is_found(name: str, found: set[str], suffixes: tuple[str, ...]) -> bool:
    """Whether a page is there; the table of contents may name it with its suffix."""
    names = {name, *(name.removesuffix(suffix) for suffix in suffixes)}
    return not names.isdisjoint(found)


def stamp_pages(app: Sphinx, exception: Exception | None) -> None:
    """A build without a single warning vouches for its pages, unless what they rest on changed
    meanwhile.
    """
    if digest_results(Path(app.srcdir), app.config) != app.bookproof_results:
        shutil.rmtree(app.bookproof_cache, ignore_errors=True)
    elif exception is None and not app._warncount:
        find_pages_stamp(app).write_text(app.bookproof_pages)


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
    app.connect("env-before-read-docs", compare_contents, priority=100)
    app.connect("build-finished", remove_pages_without_source)
    app.connect("build-finished", stamp_pages, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
