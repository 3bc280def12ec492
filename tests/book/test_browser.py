"""Every page of the built site in a real browser without a network: light and dark, 1280 and 390
pixels wide.

What these checks cannot see: whether a page is beautiful, or right. Other engines than Chromium are
not tried, and axe finds only what a program can find of what hinders a reader.
"""

import functools
import gzip
import http.server
import os
import re
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import sync_playwright

from bookproof.web import WEB
from tests.support import PROJECT

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = [(mode, width) for mode in ("light", "dark") for width in (1280, 390)]
WITH_AXE = {("light", 1280), ("dark", 390)}  # the slow part: each mode once, each width once
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MOST_BYTES = 600_000
HANG = 1_800_000  # milliseconds: only what hangs takes that long, however busy the machine is
ALREADY_PACKED = {".png", ".woff2", ".jpg"}


def executable():
    return next(
        filter(
            None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))
        ),
        None,
    )


@pytest.fixture(scope="module")
def browser():
    if executable() is None:
        message = (
            "No Chromium here, so no page was opened in a browser. On Debian: apt-get install"
            " chromium"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable(), args=FLAGS, timeout=HANG
        )
        yield chromium
        chromium.close()


def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture(scope="module")
def home(site):
    server, address = serve(site)
    yield address
    server.shutdown()


def pages():
    """The pages of the table of contents, as addresses below the site's home."""
    toc = yaml.safe_load((PROJECT / "_toc.yml").read_text())
    return [
        toc["root"],
        *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"]),
    ]


def open_page(browser, home, mode, width):
    """A page that loads nothing from elsewhere, and the list to which it says what goes wrong."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
    context.set_default_timeout(HANG)
    context.add_init_script(
        f"localStorage.setItem('mode', '{mode}'); localStorage.setItem('theme', '{mode}')"
    )
    said, bodies = [], {}

    def own(route):
        if route.request.url.startswith((home, "data:", "blob:")):
            route.continue_()
        else:
            said.append(f"foreign request: {route.request.url}")
            route.abort()

    context.route("**/*", own)
    page = context.new_page()
    page.on(
        "console",
        lambda message: (
            said.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: said.append(f"script error: {error}"))
    # Aborted are the requests that a page leaves behind when the next one is opened.
    page.on(
        "requestfailed",
        lambda request: (
            said.append(f"failed request: {request.url}")
            if request.failure != "net::ERR_ABORTED"
            else None
        ),
    )
    page.on("response", lambda response: bodies.__setitem__(response.url, response))
    return page, said, bodies


def complaints(page, said, address, axe=True):
    """What is wrong with one page, a sentence each."""
    said.clear()
    response = page.goto(address, wait_until="load")
    found = [*said]
    if response.status >= 400:
        found.append(f"status {response.status}")
    width, view = page.evaluate("document.documentElement.scrollWidth"), page.viewport_size["width"]
    if width > view:
        found.append(f"scrolls sideways: {width} px in {view}")
    # A picture loads when it comes near the window; here all that are shown have to.
    found += [
        f"picture not loaded: {src}"
        for src in page.evaluate("""async () => {
        const shown = [...document.images].filter(i => i.offsetParent)
        shown.forEach(i => i.loading = 'eager')
        await Promise.allSettled(shown.map(i => i.decode()))
        return shown.filter(i => !(i.complete && i.naturalWidth)).map(i => i.src)
    }""")
    ]
    found += [
        f"math not rendered: {text}"
        for text in page.evaluate("""() => [...document.querySelectorAll('span.math, div.math')]
        .filter(m => !m.querySelector('.katex-html') || !m.querySelector('math')
            || m.querySelector('.katex-error'))
        .map(m => m.textContent.slice(0, 60))""")
    ]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    found += [
        f"id given twice: {name}" for name in sorted({name for name in ids if ids.count(name) > 1})
    ]
    if not axe:
        return found
    page.add_script_tag(path=str(AXE))
    # Of a formula a reader hears the MathML; its thousand visible parts would take axe most of its
    # time.
    for violation in page.evaluate(
        "axe.run({exclude: ['.katex-html']}).then(r => r.violations.map(v => [v.id,"
        " v.nodes[0].html, v.nodes.length]))"
    ):
        found.append("axe: {0}, {2} times, first at {1}".format(*violation))
    return found


@pytest.mark.parametrize("mode, width", VIEWS)
def test_no_page_has_anything_to_complain_of(browser, home, mode, width):
    page, said, _ = open_page(browser, home, mode, width)
    found = {
        name: wrong
        for name in pages()
        if (wrong := complaints(page, said, f"{home}{name}.html", (mode, width) in WITH_AXE))
    }
    page.context.close()
    assert found == {}


def weight(responses):
    """The bytes of some responses as a server with gzip sends them."""
    total = 0
    for url, response in responses.items():
        body = response.body()
        total += (
            len(body)
            if Path(url.split("?")[0]).suffix in ALREADY_PACKED
            else len(gzip.compress(body, 6))
        )
    return total


def test_no_page_weighs_too_much_at_first_load(browser, home):
    heavy = {}
    for name in pages():
        page, _, bodies = open_page(browser, home, "light", 390)
        page.goto(f"{home}{name}.html", wait_until="load")
        bytes_ = weight(
            {url: response for url, response in bodies.items() if response.status == 200}
        )
        page.context.close()
        if bytes_ > MOST_BYTES:
            heavy[name] = bytes_
    assert heavy == {}


@pytest.mark.parametrize(
    "word, chapter",
    [
        ("Rosenbrock", "index"),
        ("funnel", "introduction"),
        ("dimpled", "definitions"),
        ("teleportation", "conclusion"),
        ("maxout", "alpha_transform"),
        ("shoelace", "flatness"),
        ("interlacing", "hessians"),
        ("pearlmutter", "structured"),
        ("subspaces", "sharpness"),
        ("sylvester", "reparametrization"),
        ("audit", "invariance"),
        ("wines", "your_network"),
        ("genuine", "notation"),
        ("landscapes", "errata"),
        ("character", "reproducibility"),
        ("curvlinops", "benchmark"),
        ("leading_eigenvalues", "api"),
    ],
)
def test_search_finds_a_word_of_each_chapter(browser, home, word, chapter):
    page, said, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}search.html?q={word}", wait_until="load")
    page.wait_for_selector("#search-results li a")
    links = page.eval_on_selector_all("#search-results li a", "links => links.map(a => a.href)")
    page.context.close()
    assert any(f"/{chapter}.html" in link for link in links), links
    assert said == []


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_each_figure_shows_the_picture_of_its_mode(browser, home, mode):
    page, _, _ = open_page(browser, home, mode, 1280)
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    shown = page.evaluate(
        "[...document.querySelectorAll('figure img')].filter(i => i.offsetParent).map(i =>"
        " i.className)"
    )
    captions = page.evaluate(
        "[...document.querySelectorAll('figcaption')].filter(c => c.offsetParent).length"
    )
    page.context.close()
    assert shown and all(f"in-{mode}" in name for name in shown)
    assert len(shown) == captions


BAD = """<!DOCTYPE html><html lang="en"><head><title>Bad</title>
<link rel="icon" href="data:,"></head><body><main><h1 id="a">Bad</h1><p id="a">Twice.</p>
<div style="width: 2000px">wide</div>
<img src="gone.png" alt="gone"><span class="math">\\alpha</span>
<img src="https://example.org/x.png" alt="foreign">
<script>console.error("loud"); nothing.at.all</script>
<p style="color: #ccc">pale</p></main></body></html>"""


@pytest.mark.parametrize(
    "complaint",
    [
        "console: loud",
        "foreign request",
        "script error",
        "scrolls sideways",
        "not loaded",
        "math not rendered",
        "id given twice: a",
        "axe: color-contrast",
    ],
)
def test_each_check_of_a_page_can_fail(browser, tmp_path, complaint):
    (tmp_path / "bad.html").write_text(BAD)
    server, address = serve(tmp_path)
    page, said, _ = open_page(browser, address, "light", 1280)
    found = complaints(page, said, f"{address}bad.html")
    page.context.close()
    server.shutdown()
    assert any(complaint in sentence for sentence in found), found


def test_weight_counts_what_a_server_with_gzip_sends():
    class Response:
        def __init__(self, body):
            self.body = lambda: body

    assert weight({"a/x.html": Response(b"a" * 100_000)}) < 1000
    assert weight({"a/x.png?1": Response(b"a" * 100_000)}) == 100_000


@pytest.mark.parametrize("from_a_file", [False, True])
def test_summaries_of_a_search_have_each_formula_once(browser, home, site, from_a_file):
    address = f"{site.as_uri()}/" if from_a_file else home
    page, said, _ = open_page(browser, address, "light", 1280)
    page.goto(f"{address}search.html?q=hessian", wait_until="load")
    page.wait_for_function("document.querySelectorAll('p.context').length > 5")
    texts = page.eval_on_selector_all("p.context", "all => all.map(one => one.textContent)")
    page.context.close()
    assert said == []
    assert any("Tα(θ1,θ2)=(αθ1,α−1θ2)" in text for text in texts), texts
    for text in texts:
        assert ".pdf" not in text and "Contents" not in text, text
        assert not re.search(r"(\S{9,})\1", text.replace("\u200b", "")), text


def test_what_is_typed_into_the_search_stands_beside_its_icon(browser, home):
    page, _, _ = open_page(browser, home, "light", 390)
    page.goto(f"{home}search.html", wait_until="load")
    ends, begins = page.evaluate("""() => {
        const form = [...document.querySelectorAll("form.bd-search")].find(f => f.offsetParent)
        const field = form.querySelector("input")
        const padding = parseFloat(getComputedStyle(field).paddingLeft)
        return [form.querySelector("i, svg").getBoundingClientRect().right,
            field.getBoundingClientRect().left + padding]
    }""")
    page.context.close()
    assert ends <= begins


def test_every_control_that_is_reached_by_keyboard_has_a_ring(browser, home):
    page, _, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    reached, bare = set(), []
    for _ in range(40):
        page.keyboard.press("Tab")
        name, ring = page.evaluate("""() => {
            const style = getComputedStyle(document.activeElement)
            const outlined = style.outlineStyle != "none" && parseFloat(style.outlineWidth) > 0
            const shadowed = !/^none|^rgba\\(0, 0, 0, 0\\)/.test(style.boxShadow)
            return [document.activeElement.className, outlined || shadowed]
        }""")
        reached.add(name)
        bare += [] if ring else [name]
    page.context.close()
    assert any("dropdown-toggle" in name for name in reached), reached
    assert any("search-button-field" in name for name in reached)
    assert bare == []


def test_no_claim_scrolls(browser, home):
    page, _, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    claims, scrolling = page.evaluate("""() => {
        const claims = [...document.querySelectorAll("p.claim")]
        return [claims.length, claims.filter(c => c.scrollHeight > c.clientHeight
            && getComputedStyle(c).overflowY != "hidden").map(c => c.textContent)]
    }""")
    page.context.close()
    assert claims > 5 and scrolling == []


def test_on_paper_no_code_is_cut_and_nothing_has_to_stay_on_one_page(browser, home):
    page, _, _ = open_page(browser, home, "light", 640)
    page.emulate_media(media="print")
    page.goto(f"{home}chapters/reparametrization.html", wait_until="load")
    cut, unbroken, title = page.evaluate("""() => {
        const all = [...document.querySelectorAll("div.cell_input pre")]
        const code = all.filter(e => e.offsetParent)
        const boxes = code.flatMap(e => [e, e.parentElement, e.parentElement.parentElement])
        return [code.filter(e => e.scrollWidth > e.clientWidth + 1).length,
            boxes.filter(e => getComputedStyle(e).breakInside == "avoid").length,
            [...document.querySelectorAll("h1")].filter(e => e.offsetParent)
                .map(e => e.textContent)]
    }""")
    page.context.close()
    assert cut == 0 and unbroken == 0
    assert len(title) == 1 and title[0].startswith("7."), title


def test_a_notebook_can_be_downloaded_where_pages_are_files(browser, site):
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(f"{site.as_uri()}/chapters/hessians.html", wait_until="load")
    with page.expect_download(timeout=HANG) as started:
        page.evaluate("document.querySelector('a.btn-download-source-button').click()")
    path = started.value.path()
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["hessians.ipynb"]
        assert b'"nbformat"' in archive.read("hessians.ipynb")
    context.close()
