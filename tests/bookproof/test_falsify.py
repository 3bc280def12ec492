"""Each falsification changes what is seen, a full contract catches it, and a lazy one is found out.

The figures are those of test_contracts.py, each of which has a full contract.
"""

import os
import re
import sys

import pytest
from nbformat import read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bookproof import falsify
from bookproof.contracts import Contract, curve, panel
from bookproof.drawing import drawing

from .test_contracts import RIGHT, X, make

EVERY = {
    "moved along x",
    "moved along y",
    "moved along z",
    "moved",
    "stretched",
    "longer",
    "one point moved",
    "reversed",
    "cut off",
    "joined otherwise",
    "data exchanged",
    "bars exchanged",
    "colors exchanged",
    "dashes and markers exchanged",
    "another color",
    "left out",
    "a level left out",
    "values changed",
    "one value changed",
    "turned over",
    "mirrored",
    "its mask lost",
    "another range of colors",
    "another color map",
    "labels exchanged",
    "another word",
    "legend's entries exchanged",
    "another scale of x",
    "another scale of y",
    "data cut by the range of x",
    "data cut by the range of y",
    "data cut by the range of z",
    "another x label",
    "another y label",
    "another z label",
    "axis labels exchanged",
    "tick labels of x exchanged",
    "tick labels of y exchanged",
    "tick labels of z exchanged",
    "another label",
    "tick labels exchanged",
}

# Words that may stand anywhere may change places.
OPEN = [
    ("'one' and 'under\\nit'", "labels exchanged"),
    ("'two' and 'under\\nit'", "labels exchanged"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_a_full_contract_catches_every_falsification(name):
    results = falsify.falsify(name, make(name), Contract(RIGHT[name][2]))
    missed = [(each.artist, each.what) for each in results if each.outcome == "missed"]
    assert [pair for pair in missed if pair not in OPEN] == []
    assert len([each for each in results if each.outcome == "caught"]) >= 10


@pytest.mark.parametrize("name", RIGHT)
def test_a_falsification_changes_what_is_seen_or_says_that_it_does_not(name):
    """It would be no merit to catch a figure that looks as it should."""
    copy = falsify.copies(make(name), "light")
    whole = falsify.pixels_of(copy(), dpi=60)
    looked_at, wrong = set(), []
    for each in falsify.falsifications(copy()):
        figure = copy()
        says_so = each.spoil(figure)
        if (each.what, says_so) in looked_at:
            continue
        looked_at.add((each.what, says_so))
        if says_so != (falsify.pixels_of(figure, dpi=60) != whole):
            wrong.append((each.artist, each.what, says_so))
    assert wrong == []


def test_a_change_that_passes_and_that_nobody_could_see_is_not_missed():
    """A thin line under a thick one may have any color."""

    @drawing(width=3, height=2.5)
    def covered(ax, color):
        ax.plot(X, X, color=color.second, linewidth=1, gid="under")
        ax.plot(X, X, color=color.first, linewidth=8, gid="over")
        ax.set(xlabel="time (s)", ylabel="height (m)")

    lines = {"under": curve(X, X, color=None), "over": curve(X, X, color="first")}
    contract = Contract([panel(lines, x="time (s)", y="height (m)")])
    results = falsify.falsify("covered", covered(), contract)
    outcomes = {each.artist: each.outcome for each in results if each.what == "another color"}
    assert outcomes == {"under": "invisible", "over": "caught"}


def test_every_falsification_is_tried_and_can_be_seen():
    tried = set()
    for name in RIGHT:
        copy = falsify.copies(make(name), "light")
        for each in falsify.falsifications(copy()):
            if each.what not in tried and each.spoil(copy()):
                tried.add(each.what)
    assert tried == EVERY


# A made book: one figure with a lazy contract, one without

FIRST = """
import bookproof as book
import numpy as np
from bookproof.drawing import drawing

x = np.linspace(1, 3, 9)


@drawing(width=3, height=2.5)
def lines(ax, color):
    ax.plot(x, x, "--", color=color.first, gid="up")
    ax.plot(x, 4 - x, color=color.second, gid="down")
    ax.annotate("up", (3, 3), color=color.first)
    ax.annotate("down", (3, 1), color=color.second)
    ax.set(xlabel="time (s)", ylabel="height (m)")


print("said on the way")
"""
SHOW = "first = lines()\nfirst"
LAZY = """
book.claim(
    "fig-lazy",
    "It is drawn.",
    book.contract(
        first,
        book.panel(
            {
                "up": book.curve(x, x, color=None),
                "down": book.curve(x, 4 - x, color=None),
            },
            x="time (s)",
            y="height (m)",
            words=["up", "down"],
        ),
    ),
)
"""
SECOND = "second = lines()\nsecond"


def figure_cell(source, name):
    return new_code_cell(source, metadata={"mystnb": {"figure": {"name": name}}})


@pytest.fixture
def notebook(tmp_path):
    cells = [
        new_markdown_cell("# A chapter"),
        new_code_cell(FIRST),
        figure_cell(SHOW, "fig-lazy"),
        new_code_cell(LAZY),
        figure_cell(SECOND, "fig-bare"),
    ]
    path = tmp_path / "chapter.ipynb"
    write(new_notebook(cells=cells), path)
    return path


def test_the_report_lists_what_passes_and_what_has_no_contract(notebook, capsys):
    assert falsify.main([str(notebook)]) == 1
    *passed, bare, last = capsys.readouterr().out.splitlines()
    title = "missed: chapter: fig-lazy, "
    assert passed == [
        f"{title}up: another color",
        f"{title}down: another color",
        f"{title}up and down: colors exchanged",
        f"{title}'up' and 'down': labels exchanged",
    ]
    assert bare == "no contract: chapter: fig-bare"
    caught, tried = (int(number) for number in re.findall(r"\d+", last)[:2])
    assert tried - caught == len(passed) and caught > 20
    assert f"({100 * caught / tried:.1f} %)" in last


@pytest.mark.parametrize("least, status", [("0.5", 0), ("1", 1)])
def test_the_status_hangs_on_the_share_that_is_caught(notebook, least, status):
    assert falsify.main([str(notebook), "--least", least]) == 1, "a figure has no contract"
    book_ = read(notebook, as_version=4)
    del book_.cells[-1]
    write(book_, notebook)
    assert falsify.main([str(notebook), "--least", least]) == status


def test_nothing_tried_is_not_enough(notebook):
    assert falsify.main([str(notebook), "--sample", "0", "--least", "0"]) == 1
    assert falsify.report([], [], least=0.98) == 1


def test_a_sample_is_the_same_for_the_same_seed(notebook, capsys):
    def tried(seed):
        held, _ = falsify.contracts_of(notebook)
        drawn, agreed = held["fig-lazy"]
        results = falsify.falsify("a", drawn, agreed, sample=0.5, seed=seed)
        return [(each.artist, each.what) for each in results]

    assert tried(0) == tried(0) != tried(1)
    whole = falsify.contracts_of(notebook)[0]["fig-lazy"]
    every = [(each.artist, each.what) for each in falsify.falsify("a", *whole)]
    assert set(tried(0)) < set(every) and 0.3 < len(tried(0)) / len(every) < 0.7


def test_a_notebook_runs_in_its_folder_and_leaves_no_trace(notebook):
    before = os.getcwd(), list(sys.path), sys.modules["__main__"]
    cells = [new_code_cell("import os\nos.getcwd()"), new_code_cell("1 / 0")]
    write(new_notebook(cells=cells), notebook)
    running = falsify.run(notebook)
    assert next(running)[1] == str(notebook.parent)
    with pytest.raises(ZeroDivisionError):
        next(running)
    assert (os.getcwd(), list(sys.path), sys.modules["__main__"]) == before


def test_a_figure_that_cannot_be_packed_is_drawn_again():
    def with_lambda(ax, color):
        ax.xaxis.set_major_formatter(lambda value, place: f"{value:g}")

    copy = falsify.copies(make("curve", with_lambda), "light")
    assert copy() is not copy()
