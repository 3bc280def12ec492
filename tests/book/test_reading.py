"""What a page asks of its reader, measured as *Read* shows it: its length, how much of it is code,
where its first picture stands, what it weighs, what is cut off, whether anything moves. And what
each chapter has for its reader, in one order.

Not seen here: whether the prose can be read.
"""

import re
from contextlib import suppress

import pytest

from bookproof.notebooks import STATEMENTS, read_page
from bookproof.pytest_plugin import READING
from tests.book.browsing import list_chapters, open_page, pages, weight
from tests.support import PROJECT

SCREEN = 800  # pixels
LIMITS = {
    "screens": 12,  # at 1280 pixels, without the exercises: one reads those with a pencil
    "exercises": 5,  # screens of them, solutions and hints folded
    "code %": 8,  # open code, of the chapter's height
    "picture": SCREEN,  # where the middle of the first picture stands
    "kB": 600,  # with gzip, fonts included
    "cut": 0,  # open blocks of code that are cut off, at both widths
    "shift": 0.02,
}
OWN_LIMITS = {
    # The paper's section 5, with three of its appendices.
    "chapters/reparametrization": {"screens": 15},
    # What a page of recipes teaches is what to type: its code is its argument, and to fold it would
    # leave sentences about nothing. It has to be shorter than others in return.
    "chapters/your_network": {"code %": 40, "screens": 10},
}
ONLY_CHAPTERS = {"screens", "exercises", "code %", "picture"}

# What does not keep to a limit yet. It may not get worse, and what is mended leaves this list.
NOT_YET: dict[tuple[str, str], float] = {}
ROOM = 1.05  # other fonts make other lines

MEASURE = """async () => {
  await document.fonts.ready
  const article = document.querySelector(".bd-article")
  const height = e => e.getBoundingClientRect().height
  const isOpen = e => e.offsetParent && !e.closest("details:not([open])")
  const code = [...article.querySelectorAll("div.cell_input, div.highlight")]
    .filter(e => isOpen(e) && !e.parentElement.closest("div.cell_input")
      && !e.closest("div.cell_output"))
  const blocks = [...article.querySelectorAll("div.highlight pre")].filter(isOpen)
  const picture = [...article.querySelectorAll("figure, [data-explorer]")].find(isOpen)
  const place = picture?.getBoundingClientRect()
  const exercises = article.querySelector("section#exercises, section#exercise")
  const height_of_exercises = exercises ? height(exercises) : 0
  return {
    height: height(article),
    exercises: height_of_exercises,
    code: code.map(height).reduce((a, b) => a + b, 0) / height(article),
    picture: place ? place.top + scrollY + place.height / 2 : null,
    cut: blocks.filter(e => e.scrollWidth > e.clientWidth + 1).length,
    shift: window.shifts ?? 0,
  }
}"""
WATCH = """new PerformanceObserver(list => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.shifts = (window.shifts ?? 0) + entry.value
}).observe({type: "layout-shift", buffered: true})"""


def measure_page(browser, home, name):
    """Return the measures of a page, those of LIMITS and its height at both widths."""
    found = {}
    for width in (1280, 390):
        page, _, bodies = open_page(browser, home, "light", width)
        page.add_init_script(WATCH)
        page.goto(f"{home}{name}.html", wait_until="load")
        page.wait_for_timeout(300)  # what moves after loading has moved
        found[width] = page.evaluate(MEASURE)
        found["bytes"] = weight({url: r for url, r in bodies.items() if r.status == 200})
        page.context.close()
    wide, narrow = found[1280], found[390]
    return {
        "screens": round((wide["height"] - wide["exercises"]) / SCREEN, 1),
        "exercises": round(wide["exercises"] / SCREEN, 1),
        "on a phone": round(narrow["height"] / SCREEN, 1),
        "code %": round(100 * wide["code"], 1),
        "picture": None if wide["picture"] is None else round(wide["picture"]),
        "kB": round(found["bytes"] / 1000),
        "cut": wide["cut"] + narrow["cut"],
        "shift": round(max(wide["shift"], narrow["shift"]), 3),
    }


def find_breaches(name, measures, is_chapter):
    """Return what of a page is beyond its limits: {measure: value}. A picture that is not there
    counts as standing at the end.
    """
    found = {}
    for what, limit in {**LIMITS, **OWN_LIMITS.get(name, {})}.items():
        if what in ONLY_CHAPTERS and not is_chapter:
            continue
        value = measures[what]
        if value is None:
            value = SCREEN * measures["screens"]
        if value > limit:
            found[what] = value
    return found


def compare(breaches, allowed):
    """Return a sentence for each breach that is new or worse, and for each that is mended."""
    said = [
        f"{name}: {what} is {value}, allowed {allowed.get((name, what), 'is none')}"
        for (name, what), value in breaches.items()
        if value > ROOM * allowed.get((name, what), 0)
    ]
    mended = [key for key in allowed if key not in breaches]
    return said + [f"{name}: {what} is mended, take it off the list" for name, what in mended]


def write_table(measured):
    heads = list(next(iter(measured.values())))
    lines = [f"{'page':32}" + "".join(f"{head:>12}" for head in heads)]
    for name, measures in measured.items():
        values = ["–" if measures[head] is None else measures[head] for head in heads]
        lines.append(f"{name:32}" + "".join(f"{value:>12}" for value in values))
    return "\n".join(lines)


def store_table(measured, folder):
    """Write the table where the end of a run shows it; a folder that cannot be written to is no
    reason to fail.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / READING).write_text(write_table(measured), encoding="utf-8")


def test_every_page_keeps_to_what_it_may_ask_of_a_reader(browser, home, pytestconfig):
    measured = {name: measure_page(browser, home, name) for name in pages()}
    store_table(measured, pytestconfig.rootpath / pytestconfig.getini("bookproof_build"))
    chapters = list_chapters()
    breaches = {
        (name, what): value
        for name, measures in measured.items()
        for what, value in find_breaches(name, measures, name in chapters).items()
    }
    assert compare(breaches, NOT_YET) == [], breaches


GOOD = {
    "screens": 9,
    "exercises": 1,
    "code %": 3,
    "picture": 500,
    "kB": 400,
    "cut": 0,
    "shift": 0.0,
}


@pytest.mark.parametrize("what", LIMITS)
def test_each_measure_can_be_beyond_its_limit(what):
    assert find_breaches("chapters/x", GOOD, True) == {}
    bad = {**GOOD, what: 10 * LIMITS[what] + 1}
    assert list(find_breaches("chapters/x", bad, True)) == [what]


def test_a_table_that_cannot_be_stored_is_no_failure(tmp_path):
    (tmp_path / "file").touch()
    store_table({"a": GOOD}, tmp_path / "file")
    store_table({"a": GOOD}, tmp_path / "folder")
    assert "screens" in (tmp_path / "folder" / READING).read_text()


def test_a_chapter_without_a_picture_is_noticed():
    assert "picture" in find_breaches("chapters/x", {**GOOD, "picture": None}, True)


def test_the_list_of_what_is_not_yet_can_only_shrink():
    allowed = {("a", "cut"): 4}
    assert compare({("a", "cut"): 4}, allowed) == []
    assert "allowed 4" in compare({("a", "cut"): 5}, allowed)[0]
    assert "is mended" in compare({}, allowed)[0]
    assert "is none" in compare({("a", "cut"): 4, ("b", "kB"): 700}, allowed)[0]


END = ["What this does not show", "In short", "Exercises", "Where to read on"]
NO_HEADING = {"your_network": "Exercises"}  # two tasks behind its box
NUMBERED = list_chapters()[1:]  # the first page has no number
PART = re.compile(
    rf"^## (?P<heading>.+)$|^:+{{(?P<statement>{'|'.join(STATEMENTS)})}}"
    r"|^:+{admonition} (?P<box>In short)$|^:+{(?P<exercise>exercise)}",
    re.MULTILINE,
)


def list_parts(page):
    """The headings, boxes, pictures, statements and exercises of a chapter, in its order."""
    found = []
    for cell in page.cells:
        if cell.cell_type == "markdown":
            found += [part[part.lastgroup] for part in PART.finditer(cell.source)]
        elif "figure" in cell.metadata.get("mystnb", {}):
            found.append("picture")
    return ["statement" if part in STATEMENTS else part for part in found]


def find_faults(parts, stem=""):
    """One sentence for each thing that a chapter lacks or has in the wrong place."""
    found = []
    before = parts[: parts.index("statement")] if "statement" in parts else parts
    if "picture" not in before:
        found.append("no picture stands before the first statement")
    end = [part for part in END if NO_HEADING.get(stem) != part]
    here = [part for part in parts if part in END]
    if here != end:
        found.append(f"it ends with {here}, not with {end}")
    if parts[-1:] != END[-1:]:
        found.append(f"something stands behind {END[-1]}")
    if "exercise" not in parts:
        found.append("it has no exercise")
    return found


@pytest.mark.parametrize("name", NUMBERED)
def test_every_chapter_has_its_parts_in_one_order(name):
    stem = name.rpartition("/")[2]
    page = read_page(PROJECT / f"{name}.ipynb")
    assert find_faults(list_parts(page), stem) == []
    assert any("{term}`" in c.source for c in page.cells if c.cell_type == "markdown")


GOOD_PARTS = ["picture", "Rule", "statement", *END[:3], "exercise", END[3]]


@pytest.mark.parametrize(
    "parts, fault",
    [
        (["Rule", "statement", "picture", *GOOD_PARTS[3:]], "no picture"),
        (GOOD_PARTS[1:], "no picture"),
        ([*GOOD_PARTS[:3], END[1], END[0], *GOOD_PARTS[5:]], "it ends with"),
        ([part for part in GOOD_PARTS if part != "Exercises"], "it ends with"),
        ([*GOOD_PARTS, "Further"], "stands behind"),
        ([part for part in GOOD_PARTS if part != "exercise"], "no exercise"),
    ],
)
def test_a_part_that_is_missing_or_misplaced_is_noticed(parts, fault):
    assert find_faults(GOOD_PARTS) == []
    assert fault in " ".join(find_faults(parts))
