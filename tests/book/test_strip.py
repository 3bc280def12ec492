"""The strip plot of the ledger: each mark stands where the words of its claim's row put it, by the
ticks of its own axis, as a browser draws it.

Not seen here: where a mark stands across the axis, which is at random and means nothing.
"""

import math
import re
from types import ModuleType

import pytest

from bookproof.notebooks import find_claims, read_page
from bookproof.sphinx import strip
from bookproof.sphinx.ledger import make_strip
from tests.support import CHAPTERS, PROJECT

SOURCE = PROJECT / "lib" / "bookproof" / "sphinx" / "strip.py"
SLACK = 0.005  # of the axis
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
SHAPES = {"equality": "circle", "inequality": "path", "estimate": "rect"}
NUMBER = r"([\d.,]+(?:e[+-]\d+)?)(?:·10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+))?"


def read_number(words):
    """The first number of some words: 4.44·10⁻¹⁶, 4.44e-16, 10⁻¹⁴, 2 %."""
    if power := re.search(r"(?<![\d·])10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", words):
        return 10.0 ** int(power[1].translate(RAISED))
    found = re.search(NUMBER, words)
    number = float(found[1].replace(",", ""))
    return number * 10.0 ** int(found[2].translate(RAISED)) if found[2] else number


def find_share(part):
    """What a part used up of what it was allowed, by the words of its row alone; None where there
    is no such share, or none was used up.
    """
    promise, finding = part["promise"], part["finding"]
    if part["kind"] == "equality" and promise != "equal" and "differ" in finding:
        return read_number(finding) / read_number(promise) or None
    if part["kind"] == "estimate":
        within = read_number(promise.partition("within")[2])
        return read_number(finding) / within
    if part["kind"] == "inequality" and "times to spare" in finding:
        return 1 / read_number(finding)
    if part["kind"] == "inequality" and "% to spare" in finding:
        return 1 / (1 + read_number(finding) / 100)
    if part["kind"] == "inequality" and "met" in finding:
        return 1.0  # with nothing to spare, or but for rounding
    return None


def read_claims():
    return [claim for path in CHAPTERS for claim in find_claims(read_page(path))]


def list_marks(claims):
    """The marks that should be there: row, shape, share."""
    return [
        (f"#claim-{claim['identifier']}", SHAPES[part["kind"]], share)
        for claim in claims
        for part in claim["parts"]
        if (share := find_share(part)) is not None
    ]


# The middle of each mark in the units of the drawing, and the ticks with their words.
READ = """() => {
    const middle = node => { const { x, y, width, height } = node.getBBox();
        return [x + width / 2, y + height / 2]; };
    const svg = document.querySelector("figure.strip svg");
    const ticks = [...svg.querySelectorAll(":scope > text")].map(
        node => [node.textContent, Number(node.previousElementSibling.getAttribute("x1"))]);
    const marks = [...svg.querySelectorAll("a")].map(link => {
        const shape = link.querySelector("circle, path, rect");
        return [link.getAttribute("href"), shape.localName, ...middle(shape)];
    });
    const limit = Number(svg.querySelector("line.limit").getAttribute("x1"));
    const { width, height } = svg.viewBox.baseVal;
    return { ticks, marks, limit, width, height };
}"""


def complain_of_strip(browser, picture, claims):
    """Return what a strip has otherwise than the words of its claims."""
    context = browser.new_context()
    window = context.new_page()
    window.set_content(f"<!DOCTYPE html>{picture}")
    drawn = window.evaluate(READ)
    context.close()
    ticks = [(math.log10(read_number(words)), x) for words, x in drawn["ticks"]]
    (low, left), (high, right) = ticks[0], ticks[-1]

    def stand(power):
        return left + (max(power, low) - low) / (high - low) * (right - left)

    slack = SLACK * (right - left)
    complaints = [f"tick 10^{power}" for power, x in ticks if abs(x - stand(power)) > slack]
    complaints += [
        f"tick {words} is outside" for words, x in drawn["ticks"] if not 0 < x < drawn["width"]
    ]
    if abs(drawn["limit"] - stand(0)) > slack:
        complaints.append("the limit is not at 1")
    expected = list_marks(claims)
    # A build has the chapters in the book's order, and of a claim the parts in theirs.
    marks = sorted(drawn["marks"], key=lambda mark: mark[:2])
    expected.sort(key=lambda mark: mark[:2])
    if [mark[:2] for mark in marks] != [list(mark[:2]) for mark in expected]:
        return [*complaints, "other marks than the claims have"]
    for (row, _, x, y), (_, _, share) in zip(marks, expected, strict=True):
        if abs(x - stand(math.log10(share))) > slack:
            complaints.append(f"{row} stands at {x}, its share is {share}")
        if not 0 < y < drawn["height"]:
            complaints.append(f"{row} is outside")
    return complaints


def test_a_share_is_read_from_the_words_of_a_row():
    for kind, promise, finding, share in (
        ("equality", "equal to 10⁻¹⁴", "they differ by 4.44·10⁻¹⁶", 0.0444),
        ("equality", "equal to 2·10⁻³", "they differ by 0.001", 0.5),
        ("inequality", "at most the bound", "1,330 times to spare", 1 / 1330),
        ("inequality", "at least the bound", "25 % to spare", 0.8),
        (
            "estimate",
            "agrees within 4 standard errors of at most 2 %",
            "2 standard errors off",
            0.5,
        ),
        ("equality", "equal to 10⁻⁵ of each", "they differ by 6.36e-07 of each", 0.0636),
        ("equality", "equal", "they are the same", None),
        ("equality", "equal", "they differ by 0", None),
        ("inequality", "at most the bound", "met with nothing to spare", 1),
    ):
        part = {"kind": kind, "promise": promise, "finding": finding}
        assert find_share(part) == pytest.approx(share)


def test_each_mark_stands_at_the_logarithm_of_what_it_used_up(browser):
    claims = read_claims()
    assert len(list_marks(claims)) > 300
    assert complain_of_strip(browser, make_strip(claims).astext(), claims) == []


def test_the_ledger_has_this_strip(browser, site):
    page = (site / "chapters" / "ledger.html").read_text()
    picture = re.search(r'<figure class="strip">.*?</figure>', page, re.S)[0]
    assert complain_of_strip(browser, picture, read_claims()) == []


MISDRAWN = {
    "shares and no logarithms": ("math.log10(max(share, LEAST))", "max(share, LEAST)"),
    "a decade aside": (
        "(math.log10(max(share, LEAST)) - floor)",
        "(math.log10(share) - floor + 1)",
    ),
    "another base": ("math.log10(max(share", "math.log(max(share"),
    "a diamond by its corner": ("M{x:.1f} {y - 5:.1f}", "M{x - 5:.1f} {y - 5:.1f}"),
    "a square by its corner": ("{x - 3.5:.1f}", "{x:.1f}"),
    "a limit at a tenth": ("limit = place(1.0, floor)", "limit = place(0.1, floor)"),
    "every mark but the last": ("enumerate(dots))", "enumerate(dots[:-1]))"),
    "the shapes exchanged": ('"inequality": "diamond"', '"inequality": "square"'),
    "ticks a decade aside": ("x, y = place(10.0**exponent", "x, y = place(10.0**(exponent - 1)"),
}


@pytest.mark.parametrize("name", MISDRAWN)
def test_a_wrong_strip_is_noticed(browser, monkeypatch, name):
    right, wrong = MISDRAWN[name]
    text = SOURCE.read_text()
    assert right in text, f"strip.py has no {right}: mend the mutant"
    changed = ModuleType("bookproof.sphinx.changed")
    changed.__package__ = strip.__package__
    exec(compile(text.replace(right, wrong), str(SOURCE), "exec"), changed.__dict__)
    monkeypatch.setattr("bookproof.sphinx.ledger.draw_strip", changed.draw_strip)
    claims = read_claims()
    assert complain_of_strip(browser, make_strip(claims).astext(), claims) != []
