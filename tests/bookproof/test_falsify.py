"""Each falsification changes what is seen, a full contract catches it, and a lazy one is found out.

The figures are those of test_contracts.py, each of which has a full contract.
"""

import os
import re
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from nbformat import read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bookproof import falsify
from bookproof.contracts import Contract, curve, panel
from bookproof.drawing import drawing
from bookproof.drawn import artists_by_gid

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


# How much each falsification changes, told by the axes of small figures


def spoil_small(draw, what, artist="it"):
    """Return a small figure before and after one falsification, and whether it says it changed."""
    made = drawing(width=2, height=2)(draw)()
    before, after = made.figure(), made.figure()
    [each] = [
        each for each in falsify.falsifications(after) if (each.artist, each.what) == (artist, what)
    ]
    return before.axes[0], after.axes[0], each.spoil(after)


def place_of(ax):
    """Return where the first line or scatter lies, in shares of the panel."""
    to_axes = ax.transData + ax.transAxes.inverted()
    drawn = ax.lines[0].get_xydata() if ax.lines else ax.collections[0].get_offsets()
    return to_axes.transform(drawn)


SCALES = [("linear", "linear"), ("log", "linear"), ("linear", "log"), ("log", "log")]


def draw_four(scales, kind="plot"):
    def draw(ax, color):
        getattr(ax, kind)([1, 2, 3, 5], [2, 5, 3, 7], color=color.ink, gid="it")
        ax.set(xscale=scales[0], yscale=scales[1], xlim=(0.5, 8), ylim=(1, 9))

    return draw


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("kind", ["plot", "scatter"])
@pytest.mark.parametrize("what, column", [("moved along x", 0), ("moved along y", 1)])
def test_what_is_moved_goes_two_percent_of_the_axis_along_it(scales, kind, what, column):
    before, after, says_so = spoil_small(draw_four(scales, kind), what)
    step = np.zeros(2)
    step[column] = 0.02
    assert says_so
    np.testing.assert_allclose(place_of(after) - place_of(before), [step] * 4, atol=1e-9)


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize(
    "heights, sign", [([2, 5, 1.5, 7], 1), ([2, 5, 8.5, 7], -1), ([2, 7, 5, 7], -1)]
)
def test_one_point_goes_five_percent_of_the_axis_towards_its_middle(scales, heights, sign):
    def draw(ax, color):
        ax.plot([1, 2, 3, 5], heights, color=color.ink, gid="it")
        ax.set(xscale=scales[0], yscale=scales[1], xlim=(0.5, 8), ylim=(1, 9))

    before, after, says_so = spoil_small(draw, "one point moved")
    off = place_of(after) - place_of(before)
    assert says_so
    np.testing.assert_allclose(off[2], [0, 0.05 * sign], atol=1e-9)
    assert (off[[0, 1, 3]] == 0).all()


def test_a_curve_is_stretched_reversed_and_cut_in_its_heights():
    def data(what):
        _, after, says_so = spoil_small(draw_four(SCALES[0]), what)
        assert says_so
        return after.lines[0].get_xydata()

    x, y = np.array([[1, 2, 3, 5], [2, 5, 3, 7]])
    np.testing.assert_allclose(data("stretched"), np.stack([x, 1.05 * y], axis=1))
    np.testing.assert_array_equal(data("reversed"), np.stack([x, y[::-1]], axis=1))
    np.testing.assert_array_equal(data("cut off"), np.stack([x, y], axis=1)[:2])


@pytest.mark.parametrize("kind, along", [("bar", "height"), ("barh", "width")])
def test_a_bar_is_made_five_percent_longer_or_moved_across(kind, along):
    def draw(ax, color):
        getattr(ax, kind)([0], [4], 0.5, color=color.ink, gid="it")
        ax.set(xlim=(-1, 5), ylim=(-1, 5))

    across = {"height": "x", "width": "y"}[along]
    _, after, says_so = spoil_small(draw, "longer")
    [bar] = after.patches
    assert says_so and getattr(bar, f"get_{along}")() == pytest.approx(4.2)
    assert getattr(bar, f"get_{across}")() == -0.25
    _, after, says_so = spoil_small(draw, "moved")
    [bar] = after.patches
    assert says_so and getattr(bar, f"get_{across}")() == pytest.approx(-0.25 + 0.02 * 6)
    assert getattr(bar, f"get_{along}")() == pytest.approx(4)


@pytest.mark.parametrize(
    "what", ["data exchanged", "colors exchanged", "dashes and markers exchanged"]
)
def test_to_exchange_two_that_look_alike_is_no_change(what):
    def draw(ax, color):
        for gid in ("it", "other"):
            ax.plot([1, 2, 3], [3, np.nan, 4], color=color.ink, gid=gid)
        ax.set(xlim=(0, 5), ylim=(0, 5))

    assert spoil_small(draw, what, "it and other")[2] is False


@pytest.mark.parametrize("off, says_so", [(0.02, False), (0.03, True)])
def test_two_curves_are_exchanged_only_if_a_reader_can_see_it(off, says_so):
    """Half a percent of an axis from 0 to 5 is 0.025."""

    def draw(ax, color):
        ax.plot([1, 2], [3, 4], color=color.ink, gid="it")
        ax.plot([1, 2], [3, 4 + off], color=color.first, gid="other")
        ax.set(xlim=(0, 5), ylim=(0, 5))

    assert spoil_small(draw, "data exchanged", "it and other")[2] is says_so


MOVED = {"moved along x", "moved along y", "moved along z", "stretched"}
CURVE = {*MOVED, "one point moved", "reversed", "cut off", "joined otherwise"}
ALWAYS = {"another color", "left out"}
COLORED = {
    "values changed",
    "one value changed",
    "turned over",
    "another range of colors",
    "another color map",
    "left out",
}


@pytest.mark.parametrize(
    "draw, changes",
    [
        (lambda ax: ax.plot([1, 2, 3], [3, 4, 2], gid="it"), CURVE | ALWAYS),
        (lambda ax: ax.plot([1, 2], [3, 3], gid="it"), CURVE | ALWAYS),
        (lambda ax: ax.scatter([1, 2], [3, 4], gid="it"), CURVE | ALWAYS),
        (lambda ax: ax.axhline(3, gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.axvline(3, gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.plot([0, 2, 5], [3, 3, 3], gid="it"), CURVE | ALWAYS),
        (lambda ax: ax.axhspan(1, 2, gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.vlines([1, 2], 1, 2, gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.fill([1, 2, 2], [1, 1, 3], gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.fill_between([1, 2], 1, 3, gid="it"), MOVED | ALWAYS),
        (lambda ax: ax.bar([1], [2], gid="it"), {"longer", "moved"} | ALWAYS),
        (lambda ax: ax.barh([1], [2], gid="it"), {"longer", "moved"} | ALWAYS),
        (lambda ax: ax.add_patch(Circle((2, 2), 1, gid="it")), ALWAYS),
        (
            lambda ax: ax.contour([[1, 2], [3, 4]]).set_gid("it"),
            {*MOVED, "a level left out"} | ALWAYS,
        ),
        (
            lambda ax: ax.imshow([[1, 2], [3, 4]], gid="it"),
            COLORED | {"mirrored", "its mask lost", "moved"},
        ),
    ],
)
def test_each_kind_of_artist_has_its_ways_to_be_wrong(draw, changes):
    ax = Figure().subplots()
    draw(ax)
    ax.set(xlim=(0, 5), ylim=(0, 5))
    [artist] = falsify.carriers(ax)
    assert set(falsify.changes_of(artist)) == changes


def test_a_surface_and_a_curve_in_space_have_theirs():
    ax = Figure().add_subplot(projection="3d")
    ax.plot([0, 1], [0, 1], [0, 1], gid="line")
    ax.plot_surface(*np.meshgrid([0, 1], [0, 1]), np.eye(2), cmap="cividis", gid="it")
    line, surface = falsify.carriers(ax)
    assert set(falsify.changes_of(line)) == CURVE | ALWAYS
    assert set(falsify.changes_of(surface)) == COLORED


def test_two_of_a_kind_are_exchanged_in_all_that_tells_them_apart():
    ax = Figure().subplots()
    artists = {
        "line": ax.plot([1, 2], [3, 4], gid="line"),
        "other line": ax.plot([1, 2], [4, 3], gid="other line"),
        "dots": [ax.scatter([1, 2], [3, 4], gid="dots")],
        "other dots": [ax.scatter([1, 2], [4, 3], gid="other dots")],
        "bar": ax.bar([1], [2], gid="bar"),
        "other bar": ax.barh([1], [2], gid="other bar"),
        "strip": [ax.axhspan(1, 2, gid="strip")],
        "lines": [ax.vlines([1], 1, 2, gid="lines")],
        "other lines": [ax.vlines([2], 1, 2, gid="other lines")],
    }
    found = {
        (one, other): set(falsify.exchanges_of(artists[one][0], artists[other][0]))
        - {"colors exchanged"}
        for one in artists
        for other in artists
        if one != other
    }
    data, looks = "data exchanged", "dashes and markers exchanged"
    pairs = {
        ("line", "other line"): {data, looks},
        ("dots", "other dots"): {data},
        ("bar", "other bar"): {"bars exchanged"},
    }
    both_ways = {**pairs, **{pair[::-1]: what for pair, what in pairs.items()}}
    assert {pair: what for pair, what in found.items() if what} == both_ways


def draw_pieces(ax):
    """Draw all that is drawn through vertices, two pieces of each where it may have several."""
    ax.fill([1, 2, 2], [1, 1, 3], gid="region")
    ax.fill_between([1, 2, 3, 4, 5], [1, 2, np.nan, 1, 2], 3, gid="band")
    ax.vlines([1, 2], [1, 2], [3, 4], gid="lines")
    ax.add_patch(Rectangle((1, 2), 2, 1, gid="box"))
    ax.contour([1, 2], [1, 2], [[1, 2], [3, 5]], levels=[2, 3]).set_gid("contours")
    ax.set(xlim=(0, 10), ylim=(0, 5))


PIECES = {
    "region": lambda artist: [artist.get_xy()],
    "band": lambda artist: [path.vertices for path in artist.get_paths()],
    "lines": lambda artist: artist.get_segments(),
    "box": lambda artist: [[artist.get_xy(), [artist.get_width(), artist.get_height()]]],
    "contours": lambda artist: [path.vertices for path in artist.get_paths()],
}


@pytest.mark.parametrize("gid", PIECES)
@pytest.mark.parametrize("what, step", [("moved along x", [0.2, 0]), ("moved along y", [0, 0.1])])
def test_all_pieces_of_what_is_drawn_are_moved(gid, what, step):
    """By two percent of an axis from 0 to 10, and of one from 0 to 5."""
    before, after, says_so = spoil_small(lambda ax, color: draw_pieces(ax), what, gid)
    old, new = (PIECES[gid](artists_by_gid(ax)[gid][0]) for ax in (before, after))
    assert says_so and len(old) == len(new) == (1 if gid in ("region", "box") else 2)
    for here, there in zip(old, new, strict=True):
        off = [step, [0, 0]] if gid == "box" else np.broadcast_to(step, np.shape(here))
        np.testing.assert_allclose(np.subtract(there, here), off, atol=1e-9)


@pytest.mark.parametrize(
    "what, wanted",
    [
        ("moved along x", [[1.08, 5, 1], [2.08, 6, 1.5], [4.08, 7, 3.5]]),
        ("moved along y", [[1, 5.16, 1], [2, 6.16, 1.5], [4, 7.16, 3.5]]),
        ("moved along z", [[1, 5, 1.08], [2, 6, 1.58], [4, 7, 3.58]]),
        ("stretched", [[1, 5, 1.05], [2, 6, 1.575], [4, 7, 3.675]]),
        ("one point moved", [[1, 5, 1], [2, 6, 1.7], [4, 7, 3.5]]),
        ("reversed", [[1, 5, 3.5], [2, 6, 1.5], [4, 7, 1]]),
        ("cut off", [[1, 5, 1]]),
    ],
)
def test_a_curve_in_space_is_moved_along_each_axis_and_changed_in_its_heights(what, wanted):
    ax = Figure().add_subplot(projection="3d")
    [line] = ax.plot([1, 2, 4], [5, 6, 7], [1, 1.5, 3.5], gid="it")
    ax.set(xlim=(0, 4), ylim=(0, 8), zlim=(0, 4))
    assert falsify.changes_of(line)[what](line) is True
    np.testing.assert_allclose(np.transpose(line.get_data_3d()), wanted)


@pytest.mark.parametrize("kind", ["plot", "scatter"])
def test_nothing_in_a_plane_is_moved_along_z(kind):
    before, after, says_so = spoil_small(draw_four(SCALES[0], kind), "moved along z")
    assert says_so is False and (place_of(before) == place_of(after)).all()


@pytest.mark.parametrize("count, left", [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_half_of_a_curve_is_cut_off_but_not_its_only_point(count, left):
    def draw(ax, color):
        ax.plot(np.arange(count), np.arange(count), "o", color=color.ink, gid="it")
        ax.set(xlim=(-1, 9), ylim=(-1, 9))

    _, after, says_so = spoil_small(draw, "cut off")
    assert says_so is (count > 1) and len(after.lines[0].get_xydata()) == left


@pytest.mark.parametrize("name", ["axhline", "axvline", "axhspan", "axvspan"])
def test_what_crosses_the_panel_is_moved_and_stretched_across_only(name):
    def draw(ax, color):
        places = [2] if name.endswith("line") else [2, 3]
        getattr(ax, name)(*places, color=color.ink, gid="it")
        ax.set(xlim=(0, 5), ylim=(0, 5))

    across = "y" if "h" in name else "x"
    for what, is_right in (
        ("moved along x", across == "x"),
        ("moved along y", across == "y"),
        ("stretched", across == "y"),
    ):
        assert spoil_small(draw, what)[2] is is_right, what


@pytest.mark.parametrize("levels, left", [([2, 3, 4, 5], [2, 3, 5]), ([-9, -8, 2, 3], [2])])
def test_of_the_levels_that_are_drawn_the_middle_one_is_left_out(levels, left):
    def draw(ax, color):
        lines = ax.contour([[1, 2], [5, 6]], levels=levels, colors=color.ink)
        lines.set_gid("it")

    _, after, says_so = spoil_small(draw, "a level left out")
    [lines] = after.collections
    paths = zip(lines.levels, lines.get_paths(), strict=True)
    assert says_so and [level for level, path in paths if len(path.vertices)] == left


@pytest.mark.parametrize("order", [("it", "floor"), ("floor", "it")])
def test_data_are_not_exchanged_with_a_line_across_the_panel(order):
    def draw(ax, color):
        for gid in order:
            if gid == "it":
                ax.plot([1, 2], [3, 4], color=color.ink, gid="it")
            else:
                ax.axhline(1, color=color.ink, gid="floor")

    before, after, says_so = spoil_small(draw, "data exchanged", " and ".join(order))
    assert says_so is False
    for here, there in zip(before.lines, after.lines, strict=True):
        assert (here.get_xydata() == there.get_xydata()).all()


@pytest.mark.parametrize("x", [[1, 2], [1, np.nan, 3]])
def test_data_of_two_curves_are_exchanged_whether_they_have_as_many_points_or_not(x):
    def draw(ax, color):
        ax.plot(x, np.full(len(x), 3), color=color.ink, gid="it")
        ax.plot([1, 2, 3], [1, 2, 2], color=color.first, gid="other")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    before, after, says_so = spoil_small(draw, "data exchanged", "it and other")
    old, new = ([line.get_xydata() for line in ax.lines] for ax in (before, after))
    assert says_so
    np.testing.assert_array_equal(new[0], old[1])
    np.testing.assert_array_equal(new[1], old[0])


@pytest.mark.parametrize(
    "kind, sizes, says_so",
    [
        ("bar", ([3, 1], [0.8, 0.8]), True),
        ("barh", ([3, 1], [0.8, 0.8]), True),
        ("bar", ([2, 2], [0.8, 0.5]), True),
        ("bar", ([2, 2], [0.8, 0.8]), False),
    ],
)
def test_bars_are_exchanged_in_length_and_thickness(kind, sizes, says_so):
    def draw(ax, color):
        getattr(ax, kind)([0, 1], *sizes, color=color.ink, gid="it")

    _, after, found = spoil_small(draw, "bars exchanged", "it and it")
    names = ("height", "width") if kind == "bar" else ("width", "height")
    new = [[getattr(bar, f"get_{name}")() for bar in after.patches] for name in names]
    assert found is says_so
    np.testing.assert_allclose(new, [size[::-1] for size in sizes])


def test_colors_are_exchanged_by_those_of_the_lines_and_not_with_what_has_none():
    def draw(ax, color):
        marker = {"marker": "o", "markerfacecolor": "#0000ff", "markeredgecolor": "#00ff00"}
        ax.plot([1, 2], [3, 4], color="#ff0000", gid="it", **marker)
        ax.plot([1, 2], [4, 5], color="#0000ff", gid="other")
        ax.plot([1, 2], [5, 6], linestyle="none", gid="nothing")

    _, after, says_so = spoil_small(draw, "colors exchanged", "it and other")
    assert says_so and [line.get_color() for line in after.lines[:2]] == ["#0000ff", "#ff0000"]
    assert after.lines[0].get_markerfacecolor() == "#0000ff"
    assert after.lines[0].get_markeredgecolor() == "#0000ff"
    assert spoil_small(draw, "colors exchanged", "it and nothing")[2] is False

    def draw_in_turn(ax, color):
        ax.plot([1, 2], [5, 6], linestyle="none", gid="nothing")
        ax.plot([1, 2], [3, 4], color=color.ink, gid="it")

    assert spoil_small(draw_in_turn, "colors exchanged", "nothing and it")[2] is False


@pytest.mark.parametrize("visible, is_seen", [(0.25, False), (0.2499, True)])
def test_what_changes_by_what_a_reader_can_see_itself_is_no_change(monkeypatch, visible, is_seen):
    """By a quarter of an axis, or of the range of colors."""
    monkeypatch.setattr(falsify, "VISIBLE", visible)

    def draw(ax, color):
        ax.plot([1, 3], [1, 2], color=color.ink, gid="it")
        ax.plot([1, 3], [2, 3], color=color.ink, gid="other")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    def draw_image(ax, color):
        ax.imshow([[1], [2]], norm=Normalize(0, 4), gid="it")

    assert spoil_small(draw, "reversed")[2] is is_seen
    assert spoil_small(draw, "data exchanged", "it and other")[2] is is_seen
    assert spoil_small(draw_image, "turned over")[2] is is_seen


@pytest.mark.parametrize("visible, says_so", [(0.125, True), (0.1251, False)])
def test_a_range_is_cut_if_the_data_cover_twice_what_a_reader_can_see(
    monkeypatch, visible, says_so
):
    monkeypatch.setattr(falsify, "VISIBLE", visible)

    def draw(ax, color):
        ax.plot([1, 2], [1, 3], color=color.ink, gid="it")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    assert spoil_small(draw, "data cut by the range of x", "panel 1")[2] is says_so


@pytest.mark.parametrize(
    "x, limits",
    [([-5, 0, 4, 15], (2, 10)), ([-5, 6, 10, 15], (8, 10)), ([-5, -4, 15, 16], (0, 10))],
)
def test_only_data_in_view_are_cut_those_at_either_end_too(x, limits):
    def draw(ax, color):
        ax.plot(x, [1, 2, 3, 4], "o", color=color.ink, gid="it")
        ax.set(xlim=(0, 10), ylim=(0, 5))

    _, after, says_so = spoil_small(draw, "data cut by the range of x", "panel 1")
    assert says_so is (limits != (0, 10)) and after.get_xlim() == pytest.approx(limits)


def test_single_points_are_data_too_and_a_surface_keeps_no_height_from_being_cut():
    def draw(ax, color):
        for gid, place in (("it", 1), ("other", 3)):
            ax.plot([place], [place], "o", color=color.ink, gid=gid)
        ax.set(xlim=(0, 4), ylim=(0, 4))

    for name in "xy":
        _, after, says_so = spoil_small(draw, f"data cut by the range of {name}", "panel 1")
        assert says_so and getattr(after, f"get_{name}lim")() == pytest.approx((2, 4))

    ax = Figure().add_subplot(projection="3d")
    ax.plot([0, 1], [0, 1], [1, 3], gid="line")
    ax.plot_surface(*np.meshgrid([0, 1], [0, 1]), np.eye(2), gid="surface")
    ax.set_zlim(0, 4)
    ax.figure.draw_without_rendering()
    assert falsify.ranges_cut(())["data cut by the range of z"](ax)
    assert ax.get_zlim() == pytest.approx((2, 4))


def test_the_range_of_an_image_is_cut_and_that_of_a_line_across_is_not():
    def draw_image(ax, color):
        ax.imshow([[1, 2]], extent=(2, 6, 1, 3), aspect="auto", gid="it")
        ax.set(xlim=(0, 10), ylim=(0, 10))

    _, after, says_so = spoil_small(draw_image, "data cut by the range of x", "panel 1")
    assert says_so and after.get_xlim() == pytest.approx((4, 10))
    _, after, says_so = spoil_small(draw_image, "data cut by the range of y", "panel 1")
    assert says_so and after.get_ylim() == pytest.approx((2, 10))

    def draw_line(ax, color):
        ax.axhline(1, color=color.ink, gid="it")

    for name in "xy":
        assert spoil_small(draw_line, f"data cut by the range of {name}", "panel 1")[2] is False


def test_points_in_space_are_recolored_or_left_out_for_they_cannot_be_moved():
    @drawing(width=2, height=2, projection="3d")
    def draw(ax, color):
        for gid, height in (("it", 1), ("other", 2)):
            ax.scatter([1, 2], [3, 4], [height, 3], color=color.ink, gid=gid)

    figure = draw().figure()
    found = {(each.artist, each.what) for each in falsify.falsifications(figure)}
    artists = {"it", "other", "it and other"}
    assert {pair for pair in found if pair[0] in artists} == {
        ("it", "left out"),
        ("it", "another color"),
        ("other", "left out"),
        ("other", "another color"),
        ("it and other", "colors exchanged"),
    }


@pytest.mark.parametrize("colors, says_so", [(("ink", "ink"), True), (("ink", "first"), False)])
def test_dashes_are_exchanged_only_between_lines_of_one_color(colors, says_so):
    def draw(ax, color):
        for gid, dash, name in zip(("it", "other"), ("-", ":"), colors, strict=True):
            ax.plot([1, 2], [3, 4], dash, color=getattr(color, name), gid=gid)

    _, after, found = spoil_small(draw, "dashes and markers exchanged", "it and other")
    assert found is says_so
    assert [line.get_linestyle() for line in after.lines] == ([":", "-"] if says_so else ["-", ":"])


def draw_pixels(ax, color, log=False):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    norm = LogNorm(1, 10) if log else Normalize(0, 10)
    ax.imshow(10 ** (values / 10) if log else values, norm=norm, gid="it")


@pytest.mark.parametrize("log", [False, True])
def test_an_image_is_brightened_by_five_percent_and_its_colors_end_in_the_middle(log):
    def draw(ax, color):
        draw_pixels(ax, color, log)

    before, after, says_so = spoil_small(draw, "values changed")
    shades = [ax.images[0].norm(ax.images[0].get_array()) for ax in (before, after)]
    assert says_so
    np.testing.assert_allclose(shades[1] - shades[0], np.full((2, 3), 0.05), atol=1e-9)
    before, after, says_so = spoil_small(draw, "another range of colors")
    low, high = after.images[0].get_clim()
    assert says_so and low == before.images[0].get_clim()[0]
    assert before.images[0].norm(high) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "value, says_so", [(-1.3, False), (-1.02, True), (0.4, True), (1.98, True), (2.5, False)]
)
def test_what_lies_far_beyond_the_colors_is_not_brightened(value, says_so):
    """Values up to once the range beyond either end are told apart, in shares of the range."""

    def draw(ax, color):
        ax.imshow(np.full((2, 2), 10 * value), norm=Normalize(0, 10), gid="it")

    assert spoil_small(draw, "values changed")[2] is says_so


def test_an_image_is_turned_mirrored_moved_or_has_one_value_of_the_other_end():
    values = np.array([[1, 2, 3], [4, 5, 6]])

    def pixels(what):
        _, after, says_so = spoil_small(draw_pixels, what)
        assert says_so
        return after.images[0]

    assert (pixels("turned over").get_array() == values[::-1]).all()
    assert (pixels("mirrored").get_array() == values[:, ::-1]).all()
    np.testing.assert_allclose(pixels("moved").get_extent(), [-0.44, 2.56, 1.5, -0.5])
    assert pixels("moved").axes.get_xlim() == (-0.5, 2.5)
    assert pixels("moved").axes.get_ylim() == (1.5, -0.5)


@pytest.mark.parametrize("value, other_end", [(4, 10), (5, 10), (6, 0)])
def test_of_the_pixels_that_are_not_masked_the_middle_one_gets_the_color_of_the_other_end(
    value, other_end
):
    values = np.ma.masked_greater([[9, 99, 9], [value, 9, 9]], 50)

    def draw(ax, color):
        ax.imshow(values, norm=Normalize(0, 10), gid="it")

    _, after, says_so = spoil_small(draw, "one value changed")
    found = after.images[0].get_array()
    assert says_so and found.filled(-1).tolist() == [[9, -1, 9], [other_end, 9, 9]]


def test_a_mask_is_lost_to_the_low_end_of_the_colors_and_turned_over_with_its_image():
    def draw(ax, color):
        values = np.ma.masked_equal([[10, 5], [99, 5]], 99)
        ax.imshow(values, norm=Normalize(0, 10), gid="it")

    _, after, says_so = spoil_small(draw, "its mask lost")
    found = after.images[0].get_array()
    assert says_so and not np.ma.getmaskarray(found).any()
    assert np.asarray(found).tolist() == [[10, 5], [0, 5]]
    _, after, says_so = spoil_small(draw, "turned over")
    assert says_so and after.images[0].get_array().filled(-1).tolist() == [[-1, 5], [10, 5]]
    assert spoil_small(draw_pixels, "its mask lost")[2] is False


def test_the_range_of_an_axis_is_cut_in_the_middle_of_the_data_and_helpers_do_not_count():
    def draw(ax, color):
        ax.plot([2, 4], [2, 8], color=color.ink, gid="it")
        ax.plot([0, 10], [0, 10], color=color.faint, gid="guide")
        ax.set(xlim=(0, 10), ylim=(0, 10))

    figure = drawing(width=2, height=2)(draw)().figure()
    for each in falsify.falsifications(figure, [["guide"]]):
        if each.what.startswith("data cut by the range"):
            assert each.spoil(figure) is (not each.what.endswith("z"))
    assert figure.axes[0].get_xlim() == pytest.approx((3, 10))
    assert figure.axes[0].get_ylim() == pytest.approx((5, 10))


@pytest.mark.parametrize("span, says_so", [(0.09, False), (0.11, True)])
def test_data_that_lie_in_one_place_are_not_cut(span, says_so):
    """Twice half a percent of an axis from 0 to 10 is 0.1."""

    def draw(ax, color):
        ax.plot([2, 2 + span], [2, 8], "o", color=color.ink, gid="it")
        ax.set(xlim=(0, 10), ylim=(0, 10))

    assert spoil_small(draw, "data cut by the range of x", "panel 1")[2] is says_so


def test_what_became_of_a_falsification_cannot_be_changed():
    tried = falsify.Falsification("it", "moved", lambda figure: True)
    for each in (tried, falsify.Result("fig", "it", "moved", "caught")):
        with pytest.raises(FrozenInstanceError):
            each.what = "left out"


def test_the_report_counts_what_could_be_seen(capsys):
    outcomes = ["caught"] * 49 + ["missed"] + ["invisible"] * 50
    results = [falsify.Result("fig", "it", "moved", outcome) for outcome in outcomes]
    assert falsify.report(results, [], least=0.98) == 0
    assert "49 of 50 falsifications caught (98.0 %)" in capsys.readouterr().out
    assert falsify.report(results, [], least=0.9801) == 1
    assert falsify.report(results, ["fig-bare"], least=0.5) == 1


class Pool:
    """Does what a pool of processes does, in this one."""

    def __init__(self, jobs, **options):
        assert options == {"max_tasks_per_child": 1}, "a notebook may change what it shares"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def map(self, work, paths):
        return map(work, paths)


@pytest.mark.parametrize("missed, status", [(2, 0), (3, 1)])
def test_without_options_all_of_each_chapter_is_tried_and_98_percent_must_be_caught(
    tmp_path, monkeypatch, missed, status
):
    asked = []

    def falsify_notebook(path, sample, seed):
        asked.append((path.as_posix(), sample, seed))
        outcomes = ["missed"] * missed + ["caught"] * (100 - missed)
        return [falsify.Result("fig", "it", "moved", each) for each in outcomes], []

    monkeypatch.setattr(falsify, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(falsify, "falsify_notebook", falsify_notebook)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chapters").mkdir()
    for name in ("b.ipynb", "a.ipynb", "a.md"):
        (tmp_path / "chapters" / name).touch()
    assert falsify.main([]) == status
    assert asked == [("chapters/a.ipynb", 1.0, 0), ("chapters/b.ipynb", 1.0, 0)]
    asked.clear()
    assert falsify.main(["--share", "0.5", "--sample", "0.1", "--seed", "3"]) == status
    assert len(asked) == 1 and asked[0][1:] == (0.1, 3)


@pytest.mark.parametrize("share, count", [(1, 10), (0.3, 3), (0.31, 4), (0.01, 1)])
def test_some_notebooks_are_drawn_and_each_has_its_turn(share, count):
    paths = [Path(f"{letter}.ipynb") for letter in "abcdefghij"]
    drawn = [falsify.choose_some(paths, share, seed) for seed in range(1000)]
    assert all(len(each) == count and each == sorted(set(each)) for each in drawn)
    times = [sum(path in each for each in drawn) for path in paths]
    # Six standard deviations of the binomial distribution.
    spread = 6 * np.sqrt(1000 * (count / 10) * (1 - count / 10))
    assert np.abs(np.array(times) - 100 * count).max() <= spread


def test_figures_of_one_notebook_are_named_after_it(monkeypatch):
    figures = {"fig-a": ("drawing", "contract")}
    monkeypatch.setattr(falsify, "contracts_of", lambda path: (figures, ["fig-b"]))
    monkeypatch.setattr(falsify, "falsify", lambda *given, **options: [(given, options)])
    results, without = falsify.falsify_notebook(Path("deep/chapter.ipynb"), 0.5, 3)
    assert results == [
        (("chapter: fig-a", "drawing", "contract"), {"sample": 0.5, "seed": 3}),
    ]
    assert without == ["chapter: fig-b"]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_of_many_keys_that_share_is_chosen_and_more_of_them_with_a_larger_one(share):
    keys = [str(n) for n in range(400)]
    chosen = [key for key in keys if falsify.is_chosen(key, share)]
    assert abs(len(chosen) / 400 - share) < 0.1
    assert set(chosen) <= {key for key in keys if falsify.is_chosen(key, min(1, share + 0.1))}


@pytest.mark.parametrize("what", ["reversed", "stretched"])
def test_what_moves_no_point_by_what_can_be_seen_is_no_change(what):
    """A level curve close to zero, from either end and multiplied, is the same one."""

    def draw(ax, color):
        ax.plot([1, 2, 3], [0.01, np.nan, 0.01], "o", color=color.ink, gid="it")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    before, after, says_so = spoil_small(draw, what)
    assert not says_so
    here, there = (ax.lines[0].get_xydata() for ax in (before, after))
    np.testing.assert_array_equal(here, there)


def test_each_panel_of_several_is_left_out():
    @drawing(width=4, height=2, panels=(1, 2))
    def two(axes, color):
        for ax in axes.flat:
            ax.plot([1, 2], [3, 4], color=color.ink, gid="it")

    figure = two().figure()
    right = figure.axes[1]
    left_out = {
        each.artist: each
        for each in falsify.falsifications(figure)
        if each.what == "left out" and each.artist.startswith("panel")
    }
    assert list(left_out) == ["panel 1", "panel 2"]
    assert left_out["panel 1"].spoil(figure) and figure.axes == [right]
    found = falsify.falsifications(figure)
    assert ("panel 1", "left out") not in [(each.artist, each.what) for each in found]


def test_a_legend_of_one_entry_has_none_to_exchange():
    def draw(ax, color):
        ax.plot([1, 2], [3, 4], color=color.ink, gid="it", label="a")
        ax.legend()

    assert not spoil_small(draw, "legend's entries exchanged", "panel 1")[2]


@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_the_first_and_the_last_entry_of_a_legend_are_exchanged(labels):
    def draw(ax, color):
        for label in labels:
            ax.plot([1, 2], [3, 4], color=color.ink, gid=label, label=label)
        ax.legend()

    _, after, says_so = spoil_small(draw, "legend's entries exchanged", "panel 1")
    found = [text.get_text() for text in after.get_legend().get_texts()]
    assert says_so and found == list(labels[::-1])


@pytest.mark.parametrize("style, says_so", [("steps-mid", True), ("default", False)])
def test_steps_are_joined_otherwise_and_a_line_without_steps_is_not(style, says_so):
    def draw(ax, color):
        ax.plot([1, 2, 3], [3, 4, 1], color=color.ink, drawstyle=style, gid="it")

    _, after, found = spoil_small(draw, "joined otherwise")
    assert found is says_so and after.lines[0].get_drawstyle() == "default"
    assert spoil_small(draw_four(SCALES[0], "scatter"), "joined otherwise")[2] is False


def test_scales_labels_and_words_are_changed_on_their_axis_alone():
    def draw(ax, color):
        ax.plot([1, 2], [3, 4], color=color.ink, gid="it")
        ax.text(1, 3, "word")
        ax.set(xlabel="time", ylabel="height", yscale="log")

    def change(what, artist="panel 1"):
        _, after, says_so = spoil_small(draw, what, artist)
        assert says_so
        scales = after.get_xscale(), after.get_yscale()
        return *scales, after.get_xlabel(), after.get_ylabel(), [t.get_text() for t in after.texts]

    assert change("another scale of x") == ("symlog", "log", "time", "height", ["word"])
    assert change("another scale of y") == ("linear", "linear", "time", "height", ["word"])
    assert change("another x label")[2:4] == ("time (km)", "height")
    assert change("another y label")[2:4] == ("time", "height (km)")
    assert change("axis labels exchanged")[2:4] == ("height", "time")
    assert change("another word", "'word'")[4] == ["word7"]
    assert change("left out", "'word'")[4] == []


@pytest.mark.parametrize("words, says_so", [("ab", True), ("aa", False)])
def test_two_words_are_exchanged(words, says_so):
    def draw(ax, color):
        for place, word in enumerate(words):
            ax.text(place, place, word)

    pair = " and ".join(map(repr, words))
    _, after, found = spoil_small(draw, "labels exchanged", pair)
    assert found is says_so and [text.get_text() for text in after.texts] == list(words[::-1])


def test_an_axis_that_is_not_seen_is_not_changed():
    def draw(ax, color):
        ax.plot([1, 2], [3, 4], color=color.ink, gid="it")
        ax.set(xlabel="time", ylabel="height")
        ax.xaxis.set_visible(False)

    for what in ("another x label", "another scale of x", "data cut by the range of x"):
        before, after, says_so = spoil_small(draw, what, "panel 1")
        assert says_so is False and after.get_xlabel() == "time"
        assert after.get_xscale() == "linear" and after.get_xlim() == before.get_xlim()
    assert spoil_small(draw, "another y label", "panel 1")[2] is True
    assert spoil_small(draw, "another z label", "panel 1")[2] is False


def test_tick_labels_are_exchanged_and_stay_where_the_ticks_are():
    def draw(ax, color):
        ax.plot([0, 4], [0, 4], color=color.ink, gid="it")
        ax.set_xticks([0, 1, 4], ["a", "b", "c"])
        ax.set_yticks([1, 2], ["same", "same"])
        ax.set(xlim=(-1, 5), ylim=(-1, 5))

    _, after, says_so = spoil_small(draw, "tick labels of x exchanged", "panel 1")
    assert says_so and after.get_xlim() == (-1, 5)
    shown = [label.get_text() for label in after.get_xticklabels()]
    assert (list(after.get_xticks()), shown) == ([0, 1, 4], ["c", "b", "a"])
    assert not spoil_small(draw, "tick labels of y exchanged", "panel 1")[2]


@pytest.mark.parametrize(
    "labels, says_so",
    [("a", False), ("ab", True), ("aab", True), ("abb", True), ("aba", False), ("", False)],
)
def test_tick_labels_are_exchanged_if_the_first_differs_from_the_last(labels, says_so):
    def draw(ax, color):
        ax.plot([0, 4], [0, 4], color=color.ink, gid="it")
        ax.set_xticks(range(1, 1 + len(labels)), list(labels))
        ax.set(xlim=(0, 4), ylim=(0, 4))

    _, after, found = spoil_small(draw, "tick labels of x exchanged", "panel 1")
    assert found is says_so and after.get_xlim() == (0, 4)
    shown = "".join(label.get_text() for label in after.get_xticklabels())
    assert shown == (labels[::-1] if says_so else labels)


@pytest.mark.parametrize("orientation", ["vertical", "horizontal"])
@pytest.mark.parametrize("labels, says_so", [("a", False), ("ab", True), ("abc", True)])
def test_label_and_ticks_of_each_color_bar_are_changed(orientation, labels, says_so):
    def draw(ax, color):
        for column in (0, 2):
            extent = (column, column + 1, 0, 1)
            shown = ax.imshow([[1, 5]], extent=extent, norm=Normalize(0, 5), gid=f"at {column}")
            bar = ax.figure.colorbar(shown, ax=ax, label="height", orientation=orientation)
            bar.set_ticks(range(1, 1 + len(labels)), labels=list(labels))

    def texts_of(ax):
        axis = "y" if orientation == "vertical" else "x"
        bars = [image.colorbar.ax for image in ax.images]
        return [
            (
                getattr(bar, f"get_{axis}label")(),
                "".join(label.get_text() for label in getattr(bar, f"get_{axis}ticklabels")()),
            )
            for bar in bars
        ]

    _, after, found = spoil_small(draw, "tick labels exchanged", "color bar 2")
    second = labels[::-1] if says_so else labels
    assert found is says_so and texts_of(after) == [("height", labels), ("height", second)]
    _, after, found = spoil_small(draw, "another label", "color bar 1")
    assert found is True and texts_of(after) == [("height (%)", labels), ("height", labels)]


# All falsifications of figures with a full contract


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


def test_nothing_tried_is_not_enough(notebook, capsys):
    assert falsify.main([str(notebook), "--sample", "0", "--least", "0"]) == 1
    assert falsify.report([], [], least=0.98) == 1
    assert capsys.readouterr().out.endswith("0 of 0 falsifications caught (0.0 %)\n")


def test_a_sample_is_the_same_for_the_same_seed(notebook, capsys):
    def tried(**seed):
        held, _ = falsify.contracts_of(notebook)
        drawn, agreed = held["fig-lazy"]
        results = falsify.falsify("a", drawn, agreed, sample=0.5, **seed)
        return [(each.artist, each.what) for each in results]

    assert tried(seed=0) == tried() != tried(seed=1)
    whole = falsify.contracts_of(notebook)[0]["fig-lazy"]
    every = [(each.artist, each.what) for each in falsify.falsify("a", *whole)]
    assert set(tried()) < set(every) and 0.3 < len(tried()) / len(every) < 0.7


def test_a_notebook_runs_in_its_folder_and_leaves_no_trace(notebook):
    before = os.getcwd(), list(sys.path), sys.modules["__main__"]
    cells = [new_code_cell("import os\nos.getcwd()"), new_code_cell("1 / 0")]
    write(new_notebook(cells=cells), notebook)
    running = falsify.run(notebook)
    assert next(running)[1] == str(notebook.parent)
    with pytest.raises(ZeroDivisionError):
        next(running)
    assert (os.getcwd(), list(sys.path), sys.modules["__main__"]) == before


def test_what_stands_beside_a_notebook_is_imported_before_what_is_installed(
    notebook, monkeypatch, tmp_path_factory
):
    installed_first = tmp_path_factory.mktemp("installed")
    (installed_first / "wave.py").write_text("height = 4\n")
    monkeypatch.syspath_prepend(installed_first)
    (notebook.parent / "wave.py").write_text("height = 3\n")
    write(new_notebook(cells=[new_code_cell("import wave\nwave.height")]), notebook)
    installed = sys.modules.pop("wave", None)
    try:
        [(_, value)] = falsify.run(notebook)
    finally:
        sys.modules.pop("wave", None)
        if installed:
            sys.modules["wave"] = installed
    assert value == 3


def test_a_figure_that_cannot_be_packed_is_drawn_again():
    def with_lambda(ax, color):
        ax.xaxis.set_major_formatter(lambda value, place: f"{value:g}")

    copy = falsify.copies(make("curve", with_lambda), "light")
    assert copy() is not copy()
