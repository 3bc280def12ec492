"""Every page of the built site in a real browser without a network: light and dark, 1280 and 390
pixels wide.

What these checks cannot see: whether a page is beautiful, or right. Other engines than Chromium are
not tried, and axe finds only what a program can find of what hinders a reader.
"""

import re
import zipfile

import pytest

from bookproof.printing import HEIGHT, print_pdf
from bookproof.web import WEB
from tests.book.browsing import HANG, open_page, pages, serve, wait_for, wait_for_frame, weight

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = [(mode, width) for mode in ("light", "dark") for width in (1280, 390)]
WITH_AXE = {("light", 1280), ("dark", 390)}  # the slow part: each mode once, each width once


# Displayed formulas wider than their place, also where they are folded.
CUT = """() => {
    const folded = [...document.querySelectorAll('details:not([open])')]
    folded.forEach(fold => fold.open = true)
    const cut = [...document.querySelectorAll('.katex-display')].filter(place => {
        const formula = place.querySelector('.katex-html')
        const { width } = formula.getBoundingClientRect()
        const widest = Math.max(place.scrollWidth, formula.scrollWidth, width)
        return place.clientWidth && widest > place.clientWidth + 1
    })
    folded.forEach(fold => fold.open = false)
    return cut.map(place => place.textContent.slice(0, 80))
}"""


# Words of code, of which there are thousands: one of each color is enough for axe.
SHRINK = """() => {
    const seen = new Set()
    for (const word of document.querySelectorAll('.highlight span[class]:not(:has(*))')) {
        if (seen.has(word.className)) word.replaceWith(word.textContent)
        seen.add(word.className)
    }
}"""


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
    found += [f"formula cut: {text}" for text in page.evaluate(CUT)]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    found += [
        f"id given twice: {name}" for name in sorted({name for name in ids if ids.count(name) > 1})
    ]
    if not axe:
        return found
    page.evaluate(SHRINK)
    page.evaluate(AXE.read_text(encoding="utf-8"))  # as no script of the page may be
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


@pytest.mark.parametrize("name", ["chapters/hessians", "chapters/invariance"])
def test_a_page_with_everything_open_has_nothing_to_complain_of(browser, home, name):
    page, said, _ = open_page(browser, home, "light", 1280)
    found = complaints(page, said, f"{home}{name}.html?check")
    page.context.close()
    assert found == []


def search_for(words, browser, home, condition, **arg):
    """The page of a search once its results are as a condition says, and what goes wrong there."""
    page, said, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}search.html?q={words}", wait_until="load")
    wait_for(page, condition, **arg)
    return page, said


@pytest.mark.parametrize(
    "word, chapter",
    [
        ("afternoon", "index"),
        ("funnel", "introduction"),
        ("dimpled", "definitions"),
        ("folklore", "conclusion"),
        ("maxout", "alpha_transform"),
        ("shoelace", "flatness"),
        ("interlacing", "hessians"),
        ("pearlmutter", "structured"),
        ("mirrored", "sharpness"),
        ("subspaces", "subspaces"),
        ("sylvester", "reparametrization"),
        ("filter-wise", "invariance"),
        ("bottleneck", "survival"),
        ("catapult", "dynamics"),
        ("imbalance", "picked"),
        ("kendall", "prediction"),
        ("floor", "floors"),
        ("propagation", "bounds"),
        ("interlacing", "directions"),
        ("salimans", "weight_norm"),
        ("wines", "your_network"),
        ("genuine", "notation"),
        ("landscapes", "errata"),
        ("character", "reproducibility"),
        ("curvlinops", "benchmark"),
        ("leading_eigenvalues", "api"),
        ("epsilon sharpness", "sharpness"),
        ("relu", "notation"),
    ],
)
def test_search_finds_a_word_of_each_chapter(browser, home, word, chapter):
    page, said = search_for(
        word,
        browser,
        home,
        "address => [...document.querySelectorAll('#search-results li a')].some(a =>"
        " a.href.includes(address))",
        arg=f"/{chapter}.html",
    )
    page.context.close()
    assert said == []


@pytest.mark.parametrize(
    "query, chapter",
    [
        ("epsilon sharpness", "sharpness"),
        ("ε-sharpness", "sharpness"),
        ("theorem 4", "hessians"),
        ("theorem 2", "flatness"),
        ("theorem 4.1", "flatness"),
        ("relu", "notation"),
        ("weight decay", "notation"),
        ("reparametrization", "reparametrization"),
        ("the floor of the trace", "hessians"),
        ("bibliography", "bibliography"),
    ],
)
def test_what_is_called_so_is_found_first(browser, home, query, chapter):
    two_are_there = "document.querySelectorAll('#search-results li a').length > 1"
    page, said = search_for(query, browser, home, two_are_there)
    found = page.eval_on_selector_all(
        "#search-results ul.search > li > a:first-child", "all => all.map(one => one.href)"
    )
    page.context.close()
    assert said == []
    assert any(f"/{chapter}.html" in address for address in found[:2]), found[:5]


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
<div class="katex-display" style="width: 90px; overflow: auto"><span class="katex-html"
style="display: inline-block; width: 95px">x</span></div>
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
        "formula cut: x",
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
    wait_for(page, "document.querySelectorAll('p.context').length > 5")
    texts = page.eval_on_selector_all("p.context", "all => all.map(one => one.textContent)")
    page.context.close()
    assert said == []
    assert any("belongs to two layers, Hkl. claim a sentence" in text for text in texts), texts
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
            return [document.activeElement.getAttribute("class") ?? "", outlined || shadowed]
        }""")
        reached.add(name)
        bare += [] if ring else [name]
    page.context.close()
    assert any("dropdown-toggle" in name for name in reached), reached
    assert any("search-button-field" in name for name in reached)
    assert bare == []


def count_open(page):
    return page.evaluate(f"[...document.querySelectorAll('{FOLDS}')].filter(f => f.open).length")


FOLDS = ".bd-article details:not(.cite)"  # how to cite a page is no check


def test_the_switch_opens_everything_and_is_remembered(browser, home):
    page, said, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    total = page.locator(FOLDS).count()
    assert total > 20 and count_open(page) == 0
    page.keyboard.press("Tab")
    for _ in range(60):  # by the keyboard alone
        if page.evaluate("document.activeElement.value") == "check":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    pressed = page.locator(".depth-switch [aria-pressed=true]")
    assert count_open(page) == total and pressed.inner_text() == "Check"
    page.goto(f"{home}chapters/sharpness.html", wait_until="load")
    assert count_open(page) == page.locator(FOLDS).count() > 20
    page.click(".depth-switch [value=read]")
    assert count_open(page) == 0
    page.locator("details.held > summary").first.press("Enter")
    assert count_open(page) == 1, "each piece opens alone"
    page.context.close()
    assert said == []


def test_an_address_can_ask_for_the_checks_and_a_link_opens_what_it_leads_to(browser, home):
    page, _, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/hessians.html?check", wait_until="load")
    assert count_open(page) == page.locator(FOLDS).count()
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    assert count_open(page) == 0, "an address does not decide for the next one"
    inside = page.evaluate(
        f"[...document.querySelectorAll('{FOLDS} [id]')].map(e => e.id).find(Boolean)"
    )
    page.goto(f"{home}chapters/hessians.html#{inside}", wait_until="load")
    wait_for(page, "document.querySelector('.bd-article details[open]')")
    page.context.close()


def test_the_ledger_finds_claims_and_a_link_opens_its_row(browser, home):
    page, said, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/ledger.html", wait_until="load")
    rows = page.locator("table.ledger tbody tr:visible")
    dots = page.locator("figure.strip a:not(.left-out)")
    every = dots.count()
    words = page.get_by_label("Words of a claim")
    claims = page.locator("sm-ledger [data-name=claims]")
    assert rows.count() == 0, "chapters are folded"
    words.fill("theorem hessians")
    wait_for(page, "document.querySelector('sm-ledger').values().claims < 100")
    wait_for_frame(page)
    assert 0 < rows.count() < 30 and claims.inner_text() == str(rows.count())
    assert 0 < dots.count() < every
    page.get_by_label("Kind of check").select_option(label="bounds")
    wait_for_frame(page)
    assert claims.inner_text() == str(rows.count())
    words.fill("no such words anywhere")
    wait_for_frame(page)
    assert rows.count() == dots.count() == 0
    page.get_by_role("button", name="everything").click()
    wait_for(page, "document.querySelector('sm-ledger').inputs.kind === 0")
    wait_for_frame(page)
    assert dots.count() == every
    page.goto(f"{home}chapters/ledger.html#claim-theorem-3", wait_until="load")
    page.locator("#claim-theorem-3").wait_for(state="visible")
    page.context.close()
    assert said == []


def test_without_a_script_each_piece_still_opens(browser, home):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    assert not page.locator(".depth-switch").is_visible()
    sentence = page.locator("details.held .mark-claim p").first
    assert not sentence.is_visible()
    page.locator("details.held > summary").first.click()
    assert sentence.is_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_without_a_script_a_page_has_its_colors_and_no_dead_button(browser, home, width):
    view = {"width": width, "height": 900}
    context = browser.new_context(java_script_enabled=False, viewport=view)
    page = context.new_page()
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    ground, ink = (
        page.locator(place).first.evaluate(f"e => getComputedStyle(e).{what}")
        for place, what in [
            (".proof.theorem", "backgroundColor"),
            (".bd-article p a.internal:not(.term)", "color"),
        ]
    )
    buttons = page.locator("button, [role=button]").all()
    shown = [button.get_attribute("class") for button in buttons if button.is_visible()]
    context.close()
    assert (ground, ink) == ("rgb(238, 244, 249)", "rgb(0, 95, 150)")
    assert buttons and shown == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_the_mode_of_the_machine_before_its_last_script(browser, home, scheme):
    """Painting may begin as soon as the head is read: what it sets then is what flashes."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.add_init_script("""document.addEventListener("readystatechange", () => {
        window.themes = [...(window.themes ?? []), document.documentElement.dataset.theme]
    })""")
    page.goto(f"{home}chapters/hessians.html", wait_until="load")
    themes = page.evaluate("window.themes")
    context.close()
    assert len(themes) > 1 and set(themes) == {scheme}


def test_no_check_stands_alone_and_no_two_strips_in_a_row(browser, home):
    page, _, _ = open_page(browser, home, "light", 1280)
    for name in pages():
        page.goto(f"{home}{name}.html", wait_until="domcontentloaded")
        assert page.locator("p.claim").count() == 0, name
        rows = page.evaluate("""[...document.querySelectorAll('details.code + details.code')]
            .filter(e => !e.parentElement.matches('.evidence')).length""")
        assert rows == 0, name
    page.context.close()


def test_on_paper_no_code_is_cut_and_every_cell_fits_on_a_page(browser, home):
    page, _, _ = open_page(browser, home, "light", 640)
    page.emulate_media(media="print")
    page.goto(f"{home}chapters/reparametrization.html?check", wait_until="load")
    cut, tallest, title = page.evaluate("""() => {
        const all = [...document.querySelectorAll("div.cell_input pre")]
        const code = all.filter(e => e.offsetParent)
        return [code.filter(e => e.scrollWidth > e.clientWidth + 1).length,
            Math.max(...code.map(e => e.getBoundingClientRect().height)),
            [...document.querySelectorAll("h1")].filter(e => e.offsetParent)
                .map(e => e.textContent)]
    }""")
    page.context.close()
    assert cut == 0 and tallest < HEIGHT
    assert len(title) == 1 and title[0].startswith("7."), title


# How light the palest letters of an article are, of 765, and the pictures that are shown
PALEST = r"""() => {
    const letters = [...document.querySelectorAll('.bd-article *')].filter(e =>
        e.getClientRects().length && [...e.childNodes].some(n => n.nodeType === 3
            && n.textContent.trim()))
    const sum = color => color.match(/[\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0)
    const pictures = [...document.querySelectorAll('.bd-article img')]
    return [Math.max(...letters.map(e => sum(getComputedStyle(e).color))),
        pictures.filter(i => i.offsetParent).map(i => i.className.match(/in-\w+/)?.[0]),
        pictures.filter(i => i.offsetParent && !i.naturalWidth).length]
}"""


def test_on_paper_a_note_in_the_margin_does_not_make_a_box_longer(browser, home):
    page, _, _ = open_page(browser, home, "light", 640)
    page.emulate_media(media="print")
    page.goto(f"{home}chapters/flatness.html", wait_until="load")
    blank = page.evaluate("""[...document.querySelectorAll('div.proof.admonition')].map(box =>
        box.getBoundingClientRect().bottom - Math.max(
            ...[...box.querySelectorAll('p, li, .katex-display')]
                .map(e => e.getBoundingClientRect().bottom)))""")
    page.context.close()
    assert blank and max(blank) < 50, blank


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_on_paper_letters_are_dark_and_figures_light_whatever_the_screen_has(browser, home, mode):
    page, _, _ = open_page(browser, home, mode, 1280)
    for name in ("chapters/flatness", "chapters/your_network"):
        page.goto(f"{home}{name}.html", wait_until="load")
        assert page.evaluate("document.documentElement.dataset.theme") == mode
        print_pdf(page)  # loads the pictures that only paper shows
        page.emulate_media(media="print")
        palest, shown, missing = page.evaluate(PALEST)
        assert palest < 400, name
        assert shown and set(shown) == {"in-light"} and not missing, name
        page.emulate_media(media="screen")
    page.context.close()


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


@pytest.mark.parametrize("width", [390, 1120, 1200, 1280])
def test_no_table_of_facts_is_wider_than_its_place(browser, home, width):
    page, _, _ = open_page(browser, home, "light", width)
    tables = []
    for name in ("benchmark", "reproducibility"):
        page.goto(f"{home}chapters/{name}.html?check", wait_until="load")
        tables += page.eval_on_selector_all(
            "table.facts",
            """all => all.map(one => [one.caption.textContent, one.offsetWidth,
                one.parentElement.clientWidth])""",
        )
    page.context.close()
    assert len(tables) > 10
    assert [table for table in tables if table[1] > table[2] > 0] == []


@pytest.mark.parametrize("width", [340, 360, 375, 390, 412, 430, 600])
def test_a_table_to_move_shows_half_a_column_at_its_edge(browser, home, width):
    page, _, _ = open_page(browser, home, "light", width)
    page.goto(f"{home}chapters/invariance.html", wait_until="load")
    wait_for(page, "document.querySelector('.explorer .sheet td')")
    shares, shadow = page.evaluate("""() => {
        const sheet = document.querySelector(".explorer .sheet")
        const edge = sheet.getBoundingClientRect().right
        return [[...sheet.querySelectorAll("thead tr:first-child > *")].map(cell => {
            const { left, width } = cell.getBoundingClientRect()
            return (edge - left) / width
        }), getComputedStyle(sheet).backgroundImage]
    }""")
    page.context.close()
    [peeking] = [share for share in shares if 0 < share < 1]
    assert 0.3 < peeking < 0.7
    # A shadow at the right edge and one at the lower edge, each with the paper that hides it.
    assert [shadow.count(f"gradient(to {side}") for side in ("left", "top")] == [2, 2]


def test_names_of_tests_in_the_ledger_break_between_words(browser, home):
    page, _, _ = open_page(browser, home, "light", 1280)
    page.goto(f"{home}chapters/ledger.html?check", wait_until="load")
    names, broken, grounds = page.evaluate("""() => {
        const all = [...document.querySelectorAll("table.ledger td:nth-child(5) code")]
        const cut = all.flatMap(code => [...code.querySelectorAll(".pre")])
            .filter(part => part.getClientRects().length > 1)
        const codes = [...document.querySelectorAll("table.ledger code")]
        return [all.map(code => code.textContent), cut.map(part => part.textContent),
            [...new Set(codes.map(code => getComputedStyle(code).backgroundColor))]]
    }""")
    page.context.close()
    assert len(names) > 100 and all(re.fullmatch(r"\w+\.py::[\w:]+", name) for name in names)
    assert broken == []
    assert grounds == ["rgba(0, 0, 0, 0)"]
