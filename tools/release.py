"""Put together what a release consists of, and use each part once as its reader will.

    python -m tools.release _build

Takes what the other targets of the Makefile have built (the site, the book for printing and for
reading offline, the slides, the list of all components), builds the packages, and writes all of it,
with checksums, into _build/release. Then, from those files alone: the checksums are compared; the
library is installed in an empty environment and computes a Hessian; the site is opened as files;
a notebook from the archive is executed in an environment that has only the lock and the wheels.
Whatever fails leaves the folder with a sentence, and no checksums are left to publish it by.

Environments are filled from the package index, so a network is needed.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from . import PROJECT
from .metadata import derive, read_version

SUMS = "SHA256SUMS"
FEWEST_PAGES = 200  # has the book to print
# What other targets make: {what they write below the folder of builds: its name in a release}.
BUILT = {
    "pdf/sharp-minima.pdf": "sharp-minima-{version}.pdf",
    "offline/sharp-minima.zip": "sharp-minima-{version}-site.zip",
    "slides/index.html": "sharp-minima-{version}-slides.html",
    "sbom/sharp-minima.cdx.json": "sharp-minima-{version}-sbom.cdx.json",
}
PACKAGES = {"sharpminima": ".", "bookproof": "lib/bookproof", "sharpminima-figures": "chapters"}
# What a notebook needs beside the installed packages.
NOTEBOOKS = (
    "chapters/*.ipynb",
    "chapters/*.md",
    "chapters/figures/*",
    "bench/results.json",
    "experiments/results/*",
    "_config.yml",  # which bibliography the notebooks cite
    "references.bib",
    "requirements.txt",
    "LICENSE",
    "LICENSE-TEXT",
)
TRIED = "alpha_transform"  # the notebook that is executed: it needs every package, and seconds

HESSIAN = """
import numpy as np, sharpminima as sm
loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [1.0])
H = sm.hessian(loss, [3.0, 1 / 3])
assert np.allclose(H, [[1 / 9, 1], [1, 9]], rtol=1e-12), H
print(sm.__version__)
"""
OPEN = """
import sys
from bookproof.printing import open_browser
with open_browser() as browser:
    page = browser.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(f"script error: {error}"))
    page.on("requestfailed", lambda request: said.append(f"not found: {request.url}"))
    for address in sys.argv[1:]:
        page.goto(address, wait_until="load")
        assert page.title() and page.locator("h1").count(), address
assert said == [], said
"""


class NotReleased(Exception):
    """The release is not complete; the message says why."""


def run(command: Iterable, cwd: Path = PROJECT, **more: str) -> str:
    """Return what a command said on stdout; raises NotReleased with all it said if it fails."""
    left = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "PIP_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left)}
    kept |= {name: os.environ[name] for name in os.environ if name.startswith("PIP_INDEX")}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=kept | more, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotReleased(f"{' '.join(words[:6])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def gather_built(target: Path, release: Path, version: str) -> None:
    """Copy what other targets have built."""
    for source, name in BUILT.items():
        if not (target / source).exists():
            raise NotReleased(f"{target / source} is missing: make release builds it first")
        shutil.copy(target / source, release / name.format(version=version))
    for lock in ("requirements.txt", "package-lock.json"):
        shutil.copy(PROJECT / lock, release / lock)


def list_own_files() -> list[Path]:
    """Return the files of the book, relative to it: those that Git knows, or would take."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    return [Path(name) for name in listed.split("\0") if name and (PROJECT / name).exists()]


def build_packages(release: Path) -> None:
    """Build the wheels, and the library's source, from a copy that holds nothing but the book."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        for name in list_own_files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, copy / name)
        backend = "from setuptools import build_meta; import sys; build_meta.build_{}(sys.argv[1])"
        for place in PACKAGES.values():
            run([sys.executable, "-c", backend.format("wheel"), release], copy / place)
        run([sys.executable, "-c", backend.format("sdist"), release], copy)


def pack_notebooks(release: Path, version: str) -> None:
    """Write the notebooks with what they read, and how to run them, into one archive."""
    own = set(list_own_files())
    folder = f"sharp-minima-{version}"
    path = release / f"sharp-minima-{version}-notebooks.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for pattern in NOTEBOOKS:
            for name in sorted(own & {one.relative_to(PROJECT) for one in PROJECT.glob(pattern)}):
                archive.write(PROJECT / name, f"{folder}/{name}")
        archive.writestr(f"{folder}/README.md", say_how_to_run(version))


def say_how_to_run(version: str) -> str:
    return (
        f"# The notebooks of Sharp Minima Can Generalize, Executed, version {version}\n\n"
        "With the three wheels of this release in the folder above, and Python 3.11 or newer:\n\n"
        "    python -m venv .venv\n"
        "    .venv/bin/pip install --no-deps -r requirements.txt\n"
        "    .venv/bin/pip install --no-deps ../*.whl\n"
        "    .venv/bin/jupyter lab chapters/index.ipynb\n"
    )


def read_notes(changelog: str, version: str) -> str:
    """Return what the changelog says of a version."""
    found = re.search(
        rf"^## {re.escape(version)} \([^)]*\)\n(.*?)(?=^## |\Z)",
        changelog,
        re.DOTALL | re.MULTILINE,
    )
    if found is None:
        raise NotReleased(f"CHANGELOG.md says nothing of version {version}")
    return found[1].strip() + "\n"


def write_sums(release: Path) -> None:
    """Write SHA256SUMS as sha256sum does."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(release.iterdir())
        if path.name != SUMS
    ]
    (release / SUMS).write_text("".join(lines))


def check_sums(release: Path, scratch: Path) -> str:
    said = run(["sha256sum", "--check", "--strict", SUMS], release)
    return f"{len(said.splitlines())} checksums"


def make_environment(folder: Path) -> Path:
    """Return the Python of a new, empty environment."""
    run([sys.executable, "-m", "venv", folder])
    return folder / "bin" / "python"


def pip(python: Path) -> list:
    return [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]


def check_library(release: Path, scratch: Path) -> str:
    """Install the library as anybody would, and compute a Hessian that is known by hand."""
    python = make_environment(scratch / "library")
    [wheel] = release.glob("sharpminima-*.whl")
    run([*pip(python), wheel], scratch)
    version = run([python, "-c", HESSIAN], scratch).strip()
    if version != read_version():
        raise NotReleased(f"the wheel says that it is version {version}")
    [source] = release.glob("sharpminima-*.tar.gz")
    run([*pip(python), "--force-reinstall", "--no-deps", source], scratch)
    run([python, "-c", HESSIAN], scratch)
    return f"sharpminima {version}, from the wheel and from the source, computes a Hessian"


def check_site(release: Path, scratch: Path) -> str:
    """Open two pages and the slides as files."""
    [archive] = release.glob("*-site.zip")
    [slides] = release.glob("*-slides.html")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(scratch / "site")
    first, chapter = (
        next((scratch / "site").rglob(f"chapters/{name}.html")) for name in ("index", TRIED)
    )
    pages = [path.resolve().as_uri() for path in (first, chapter, slides)]
    run([sys.executable, "-c", OPEN, *pages])
    return "the site and the slides open as files"


def check_notebook(release: Path, scratch: Path) -> str:
    """Execute a notebook of the archive where only the lock and the wheels are installed, and
    compare what it says with what is stored in it.
    """
    [archive] = release.glob("*-notebooks.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(scratch)
    [folder] = scratch.glob("sharp-minima-*")
    python = make_environment(scratch / "notebooks")
    run([*pip(python), "--no-deps", "-r", folder / "requirements.txt"])
    run([*pip(python), "--no-deps", *release.glob("*.whl")])
    said = run([python, "-m", "bookproof.accept", scratch / "_build", TRIED], folder)
    if "failed: 0, changed: 0;" not in said:
        raise NotReleased(f"the notebook {TRIED} says otherwise than stored:\n{said}")
    answered = [
        python,
        "-c",
        "import bookproof as b; assert b.check_answer('exercise-teacher', 60)",
    ]
    run(answered, scratch)
    return f"{TRIED}.ipynb, executed from the archive, says what is stored"


def check_book(path: Path) -> int:
    """Return how many pages the printed book has. Raises NotReleased unless it is long enough, has
    its title, and an internal link in its contents leads to a page.
    """
    try:
        book = PdfReader(path)
        pages = len(book.pages)
        links = list_internal_links(book)
        places = book.named_destinations
    except PyPdfError as error:
        raise NotReleased(f"{path.name} is no PDF that can be read: {error}") from None
    if pages <= FEWEST_PAGES:
        raise NotReleased(f"{path.name} has {pages} pages only")
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    title = citation["title"]
    if book.metadata is None or book.metadata.title != title:
        raise NotReleased(f"{path.name} is not called {title!r}")
    dead = [link for link in links if link not in places]
    if not links or dead:
        raise NotReleased(f"{path.name} has {len(links)} internal links, {len(dead)} lead nowhere")
    last = max(book.get_destination_page_number(places[link]) for link in links)
    if last < FEWEST_PAGES:
        raise NotReleased(f"the links of {path.name} lead to its first pages only")
    return pages


def list_internal_links(book: PdfReader) -> list[str]:
    """Return the names of the places to which the links of a book lead."""
    found = []
    for page in book.pages:
        for annotation in page.get("/Annots", ()):
            link = annotation.get_object()
            target = link.get("/Dest", link.get("/A", {}).get("/D"))
            if link["/Subtype"] == "/Link" and target is not None:
                found.append(str(target))
    return found


def check_papers(release: Path, scratch: Path) -> str:
    """See that the book to print is whole, and that the components are listed as data."""
    [book] = release.glob("*.pdf")
    pages = check_book(book)
    [bom] = release.glob("*-sbom.cdx.json")
    count = len(json.loads(bom.read_text())["components"])
    if count < 100:
        raise NotReleased(f"{bom.name} lists {count} components only")
    size = book.stat().st_size / 1e6
    return f"a PDF of {pages} pages, {size:.1f} MB, and {count} components listed"


CHECKS: tuple[Callable[[Path, Path], str], ...] = (
    check_sums,
    check_papers,
    check_library,
    check_site,
    check_notebook,
)


def check_metadata() -> None:
    """See that what is derived from the facts is what is written."""
    for name, text in derive().items():
        if (PROJECT / name).read_text(encoding="utf-8") != text:
            raise NotReleased(f"{name} is not up to date: python -m tools.metadata")


def make_release(target: Path) -> Path:
    """Return the folder of a release that is whole and was tried."""
    version = read_version()
    release = target / "release"
    shutil.rmtree(release, ignore_errors=True)
    release.mkdir(parents=True)
    check_metadata()
    gather_built(target, release, version)
    build_packages(release)
    pack_notebooks(release, version)
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    (release / "NOTES.md").write_text(read_notes(changelog, version), encoding="utf-8")
    write_sums(release)
    try:
        for check in CHECKS:
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as scratch:
                said = check(release, Path(scratch))
            print(f"Checked in {time.perf_counter() - began:.0f} s: {said}", flush=True)
    except Exception:
        (release / SUMS).unlink()
        raise
    return release


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    try:
        release = make_release(parser.parse_args().target.resolve())
    except (NotReleased, ValueError) as why:
        print(f"There is no release: {why}", file=sys.stderr)
        return 1
    for path in sorted(release.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.name}")
    print(f"The release is whole: {release}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
