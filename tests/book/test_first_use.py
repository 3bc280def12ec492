"""The ways in, each gone from an empty clone with a space in its path, and what a reader sees at
its end: conda's and Binder's environment, JupyterLab, a plain viewer, a notebook that is saved, the
site that is served.

`make book` and `make test` themselves are what CI runs. One environment is installed for all of
this from the package index, as conda's pip would; it takes most of the time. What the Dockerfile
runs is run in it, too.

Not seen here: conda's own part (it makes an environment with Python and pip), Docker's, Binder's
machines, Colab, GitHub's viewer (nbconvert stands for it).
"""

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from packaging.utils import canonicalize_name

from bookproof.glued import SPAN
from tests.support import CHAPTERS, PROJECT

HESSIANS = PROJECT / "chapters" / "hessians.ipynb"
NEVER_SHOWN = ("{prf:", "{glue:", "{exercise}", ":label:", ":class:")
# What repo2docker puts into an environment before this book's, for Python 3.11 in October 2025.
OF_BINDER = [
    "ipywidgets==8.*",
    "jupyter-offlinenotebook==0.3.*",
    "jupyter-resource-usage==1.*",
    "jupyterhub==5.*",
    "jupyterlab==4.4.9",
    "notebook==7.4.7",
]
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)
NO_NETWORK = re.compile("NewConnectionError|NameResolutionError|Network is unreachable")
PATIENCE = 600  # seconds for what takes a few: only what hangs takes that long


def copy_environment(**more):
    """Return this process's environment without what a test run or another Python put there."""
    left = ("PYTEST", "PYTHON", "TQDM", "VIRTUAL_ENV", "JUPYTER", "BUILD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left)}
    return {**kept, **more}


def run(command, cwd, **more):
    """Return what a command said; it must end well."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=copy_environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The files of the book as a clone has them, those that are not committed yet included."""
    folder = tmp_path_factory.mktemp("first use") / "my book"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in filter(None, names.stdout.split("\0")):
        if (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    return folder


def install(python, clone, *arguments):
    """Call pip; skip where there is no network, but not in CI."""
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    try:
        return run([*pip, *arguments], clone)
    except AssertionError as why:
        if NO_NETWORK.search(str(why)) and not os.environ.get("CI"):
            pytest.skip("there is no network here to install an environment from")
        raise


def fill(venv, clone):
    """Fill an environment as conda fills its own, with the pip section of environment.yml, written
    into a file beside it. Return its Python.
    """
    python = venv / "bin" / "python"
    [section] = [
        entry["pip"]
        for entry in yaml.safe_load((clone / "environment.yml").read_text())["dependencies"]
        if isinstance(entry, dict)
    ]
    file = clone / "condaenv.x.requirements.txt"
    file.write_text("\n".join(section))
    install(python, clone, "-U", "-r", file, "--exists-action=b")
    file.unlink()
    return python


@pytest.fixture(scope="module")
def python(clone):
    """The Python of an environment that conda would have made."""
    venv = clone.parent / "environment"
    run([sys.executable, "-m", "venv", venv], clone)
    python = fill(venv, clone)
    # What postBuild installs beside it, but for KaTeX, which a build fetches too.
    packages = ["-e", ".", "-e", "lib/bookproof", "-e", "chapters"]
    install(python, clone, "--no-deps", "--no-build-isolation", *packages)
    return python


def test_condas_environment_has_no_broken_requirement(python, clone):
    assert "No broken requirements" in run([python, "-m", "pip", "check"], clone)


def test_condas_environment_builds_the_book_by_one_command(python, clone):
    said = run([python, "-m", "bookproof.build", "_build", "--stored"], clone)
    assert "fetching it from the npm registry, once" in said
    page = (clone / "_build" / "html" / "chapters" / "hessians.html").read_text()
    assert 'class="katex-html"' in page
    # A build fetches what is not there, so the next one needs no network.
    code = "from bookproof.sphinx import {0}; print({0}.{1})"
    for names in (("explorers", "ESBUILD"), ("katex", "KATEX")):
        assert os.path.exists(run([python, "-c", code.format(*names)], clone).strip())


def test_binder_finishes_its_environment(python, clone):
    web = python.parent.parent / "web"
    shutil.rmtree(web, ignore_errors=True)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    run([clone / "postBuild"], clone, PATH=path)
    assert (web / "node_modules" / "katex" / "dist" / "katex.min.js").exists()


def test_what_binder_brings_itself_gives_way_to_the_lock(clone):
    """Not seen here: conda's own builds of these packages, and the server in front of them."""
    venv = clone.parent / "binder"
    run([sys.executable, "-m", "venv", venv], clone)
    install(venv / "bin" / "python", clone, *OF_BINDER)
    python = fill(venv, clone)
    run([clone / "postBuild"], clone, PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}")
    listed = run([python, "-m", "pip", "list", "--format=freeze"], clone)
    pairs = (line.split("==") for line in listed.splitlines() if "==" in line)
    installed = {canonicalize_name(name): version for name, version in pairs}
    pins = PIN.findall((clone / "requirements.txt").read_text())
    # Some are for other systems only.
    others = {name: installed[name] for name, pin in pins if installed.get(name, pin) != pin}
    assert others == {}
    assert len(installed.keys() & dict(pins).keys()) > 100
    run([python, "-c", "import bookproof, figures, jupyterlab_myst, sharpminima"], clone.parent)
    assert run([python, "-m", "jupyterlab", "--version"], clone).strip() == dict(pins)["jupyterlab"]


def test_what_a_notebook_imports_is_found_from_any_folder(python, tmp_path):
    """The imports of all chapters, and the one first cell that reads a file."""
    imports = set()
    for path in CHAPTERS:
        code = read_first_code(path)
        body = ast.parse(code).body
        imports |= {ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom)}
        if "read_text(" in code:
            run([python, "-c", code], tmp_path)
    assert len(imports) > len(CHAPTERS)
    run([python, "-c", "\n".join(sorted(imports))], tmp_path)


def read_first_code(path):
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if cell.cell_type == "code")


def test_what_the_container_runs_makes_the_site_of_a_fresh_clone(made, clone):
    """The RUN lines of the Dockerfile, as Docker's own part is not tried: an image of Debian with
    Python.
    """
    runs = re.findall(r"^RUN (.*)$", (clone / "Dockerfile").read_text(), re.MULTILINE)
    assert runs[-1] == "make prose"
    variables = dict(one.split("=", 1) for one in map(str, made))
    for command in runs:
        run(["bash", "-c", command], clone, **variables)
    assert (clone / "_build" / "html" / "chapters" / "hessians.html").exists()


# In a plain viewer


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_plain_viewer_shows_statements_and_numbers(path):
    """As text, with the math that a viewer renders, not as code; figures in their own size."""
    notebook = nbformat.read(path, as_version=4)
    page = BeautifulSoup(HTMLExporter().from_notebook_node(notebook)[0], "html.parser")
    hidden = [code.get_text() for code in page.select(".jp-MarkdownOutput pre")]
    assert [text for text in hidden if text.startswith((":label:", ":class:"))] == []
    text = page.get_text()
    assert "{glue:" not in text
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    numbers = [span[2] for source in prose for span in SPAN.finditer(source)]
    assert all(number in text for number in numbers) and "" not in numbers
    widths = [image.get("width") for image in page.select(".jp-OutputArea-output img")]
    assert all(widths)


# In JupyterLab


def find_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(address):
    with suppress(OSError):
        return urllib.request.urlopen(address, timeout=5).status == 200
    return False


def wait_until(happens, what):
    end = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < end, what
        time.sleep(0.3)


@contextmanager
def started(command, cwd, address, **more):
    """Run a command that serves something until it is stopped as a supervisor stops it."""
    server = subprocess.Popen(
        command,
        cwd=cwd,
        env=copy_environment(**more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(address) or server.poll() is not None, f"{address} is silent")
        assert server.poll() is None, f"{command} ended"
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)


CLAIM_IT_IS_MADE = """
import pathlib, sys
from tools import environment
venv = sys.argv[1]
digest = environment.compute_digest(venv, environment.BOOK)
pathlib.Path(venv, environment.STAMP).write_text(digest)
"""


@pytest.fixture(scope="module")
def made(python, clone):
    """The environment, with the mark by which make knows that nothing is to be installed."""
    venv = python.parent.parent
    run([python, "-c", CLAIM_IT_IS_MADE, venv], clone)
    return f"VENV={venv}", f"PYTHON={python}"


@pytest.fixture(scope="module")
def lab(made, clone, tmp_path_factory, browser):
    """The address of JupyterLab, opened by make, and a browser."""
    port = find_port()
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token=''"
    home = f"http://127.0.0.1:{port}"
    own = tmp_path_factory.mktemp("jupyter")
    places = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")} | {
        "JUPYTERLAB_SETTINGS_DIR": str(own),
        "JUPYTERLAB_WORKSPACES_DIR": str(own),
    }
    command = ["make", "lab", *made, f"LAB={options}"]
    with started(command, clone, f"{home}/api", **places):
        yield home, browser
    assert not answers(f"{home}/api"), "the server outlives make"


@pytest.fixture
def page(lab):
    """A window that is high enough for a whole chapter: Lab renders only what is in sight."""
    page = lab[1].new_page(viewport={"width": 1400, "height": 40000})
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()


def open_chapter(page, home):
    """Open a chapter in a new workspace; return what is read in its Markdown cells, once all of
    them are rendered.
    """
    page.goto(f"{home}/lab/tree/chapters/{HESSIANS.name}?reset")
    cells = nbformat.read(HESSIANS, as_version=4).cells
    expected = len([cell for cell in cells if cell.cell_type == "markdown"])
    page.wait_for_function(
        f"document.querySelectorAll('.jp-MarkdownCell .myst').length>={expected}"
    )
    script = "[...document.querySelectorAll('.jp-MarkdownCell .myst')].map(one => one.innerText)"
    return "\n".join(page.evaluate(script))


def test_make_lab_opens_the_first_page_at_the_root_of_the_book(lab, page):
    page.goto(lab[0])
    page.wait_for_selector(".jp-MarkdownCell .myst")
    assert page.url.rstrip("?").endswith("/lab/tree/chapters/index.ipynb")
    page.click(".jp-BreadCrumbs-home")
    page.wait_for_selector(".jp-DirListing-itemText >> text=README.md")


def test_in_lab_a_chapter_reads_like_its_page(lab, page):
    """A theorem with its title, a proof, a number and a citation, as text."""
    text = open_chapter(page, lab[0])
    assert re.search(r"Theorem 1 \(Gradient and Hessian of a scaled twin", text), text
    assert re.search(r"^Proof\b", text, re.MULTILINE)
    stored = nbformat.read(HESSIANS, as_version=4)
    numbers = [number for cell in stored.cells for number in SPAN.finditer(cell.source)]
    [of_all] = [number[2] for number in numbers if number[1] == "n"]
    [positive] = {number[2] for number in numbers if number[1] == "rank"}
    assert f"Of {of_all} eigenvalues only {positive} are positive" in text
    assert "Dinh et al. (2017)" in text
    assert "dinh2017sharp" not in text and "{cite" not in text
    assert [markup for markup in NEVER_SHOWN if markup in text] == []
    widths = page.eval_on_selector_all(
        ".jp-OutputArea-output img", "all => all.map(image => image.clientWidth)"
    )
    assert widths and max(widths) <= 760, "a figure is twice as large as on its page"


def leave_progress(path):
    """Write what tqdm leaves behind in the first cell of a notebook that somebody ran."""
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    bar = "\rSGD:  20%|██        | 20/100 [00:00<00:00, 199.24epoch/s]\r        \r"
    first.outputs.insert(0, nbformat.v4.new_output("stream", name="stderr", text=bar))
    nbformat.write(notebook, path)


def test_a_notebook_that_is_saved_in_lab_turns_no_test_red(lab, page, python, clone):
    """Saved without a change but a bar of progress, then tested alone; a commit has nothing of
    it.
    """
    notebook = clone / "chapters" / "hessians.ipynb"
    before = notebook.read_text()
    open_chapter(page, lab[0])
    page.click(".jp-MarkdownCell .myst >> nth=0")
    page.keyboard.press("Control+s")
    wait_until(lambda: notebook.read_text() != before, "nothing is saved")
    page.wait_for_timeout(1000)
    leave_progress(notebook)
    pytest_alone = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run([*pytest_alone, "--nbval", "chapters/hessians.ipynb"], clone)
    run([*pytest_alone, "tests/book/test_notebooks.py", "-k", "hessians"], clone)
    run([python, "-m", "bookproof.accept", "_build", "--form"], clone)
    assert notebook.read_text() == before


# Served


def test_make_serve_leaves_no_server_behind(site):
    port = find_port()
    address = f"http://127.0.0.1:{port}/index.html"
    command = ["make", "serve", f"PORT={port}", f"BUILD={site.parent}", f"PYTHON={sys.executable}"]
    with started(command, PROJECT, address):
        pass
    wait_until(lambda: not answers(address), "the server outlives make")
