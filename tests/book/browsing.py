"""A real browser for all tests that open pages of the built site."""

import functools
import gzip
import http.server
import threading
import time
from pathlib import Path

import yaml

from bookproof.printing import HANG
from tests.support import PROJECT

ALREADY_PACKED = {".png", ".woff2", ".jpg"}


def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


def pages():
    """The pages of the table of contents, as addresses below the site's home."""
    toc = yaml.safe_load((PROJECT / "_toc.yml").read_text())
    return [
        toc["root"],
        *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"]),
    ]


def list_chapters():
    """The numbered chapters and the first page; back matter is for looking up."""
    toc = yaml.safe_load((PROJECT / "_toc.yml").read_text())
    parts = [part for part in toc["parts"] if part.get("numbered", True)]
    return [toc["root"], *(chapter["file"] for part in parts for chapter in part["chapters"])]


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


def wait_for(page, condition, **arg):
    """Wait until a condition in JavaScript holds; Playwright's own way is eval inside the page,
    which the site's policy refuses.
    """
    limit = time.monotonic() + HANG / 1000
    while not page.evaluate(condition, **arg):
        assert time.monotonic() < limit, f"in {HANG / 1000:g} s never true: {condition}"
        page.wait_for_timeout(20)


def wait_for_frame(page):
    """Wait until what was asked for is drawn: an element draws in the frame after its knob turned,
    and the second frame begins when the first has been drawn.
    """
    page.evaluate(
        "() => new Promise(end => requestAnimationFrame(() => requestAnimationFrame(end)))"
    )


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
