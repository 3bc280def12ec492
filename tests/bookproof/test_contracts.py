"""A right figure raises no complaint, in light and dark; a wrong one raises the complaint that says
which artist is wrong, where, what is drawn and what was expected.

Which falsifications a contract catches as a whole is the business of test_falsify.py.
"""

import re
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import PercentFormatter, ScalarFormatter
from PIL import Image

import bookproof as book
from bookproof import contracts
from bookproof.contracts import Contract, recorded
from bookproof.drawing import drawing
from bookproof.drawn import artists_by_gid, panels_of, points_of, texts_of, ticks_in_view

X = np.linspace(1, 3, 9)
GAP = np.where(X == 2, np.nan, X)
GRID = np.linspace(-1, 1, 9)
HEIGHTS = np.add.outer(GRID, 2 * GRID)
CELLS = np.where(HEIGHTS < -2, np.nan, HEIGHTS)
SQUARE = np.array([[1, 1], [2, 1], [2, 3], [1, 3]])
TURN = np.linspace(0, 2 * np.pi, 200)


@drawing(width=3, height=2.5)
def plane(ax, color, draw, spoil):
    draw(ax, color)
    spoil(ax, color)


@drawing(width=4, height=3.5, projection="3d")
def space(ax, color, draw, spoil):
    draw(ax, color)
    spoil(ax, color)


@drawing(width=5, height=2.5, panels=(1, 2))
def pair(axes, color, draw, spoil):
    draw(axes, color)
    spoil(axes, color)


def as_drawn(axes, color):
    """Spoil nothing."""


def one(ax, gid):
    [artist] = artists_by_gid(ax)[gid]
    return artist


# One right figure for each kind of artist: who draws, and the contract


def draw_curve(ax, color):
    ax.plot(X, X**2, "o--", color=color.first, gid="it")
    ax.annotate("square", (X[4], X[4] ** 2), (5, 0), textcoords="offset points", color=color.first)
    ax.set(xlabel="$x$ (m)", ylabel="$x^2$ (m²)")


CURVE = book.panel(
    {"it": book.curve(X, X**2, color="first", label="square", dash="dashed", marker="o")},
    x="$x$ (m)",
    y="$x^2$ (m²)",
)


def draw_logarithms(ax, color):
    """With zeros that a logarithmic axis cannot show, and the panel cuts off."""
    ax.plot(X, X - 1, color=color.ink, gid="it")
    ax.set(xscale="log", yscale="log", xlim=(0.9, 4), ylim=(0.1, 3))


LOGARITHMS = book.panel(
    {"it": book.curve(X, X - 1)}, scales="log log", xlim=(0.9, 4), ylim=(0.1, 3), crops=True
)


def draw_gaps(ax, color):
    ax.plot(X, GAP, color=color.ink, gid="line")
    ax.scatter(np.ma.masked_invalid(GAP), X + 1, color=color.second, gid="dots")
    ax.scatter(X, X + 2, facecolors="none", edgecolors=color.third, gid="rings")
    ax.plot(X, X + 3, "o", color=color.first, markerfacecolor=color.paper, gid="hollow")


GAPS = book.panel(
    {
        "line": book.curve(X, GAP),
        "dots": book.curve(np.ma.masked_invalid(GAP), X + 1, color="second"),
        "rings": book.curve(X, X + 2, color="third"),
        "hollow": book.curve(X, X + 3, color="first", dash="none"),
    }
)


def draw_segments(ax, color):
    ax.vlines([1, 2], [0, 1], [2, 3], color=color.ink, gid="bars")
    ax.step(X, X, where="post", color=color.first, gid="steps")


SEGMENTS = book.panel(
    {
        "bars": book.curve([1, 1, np.nan, 2, 2], [0, 2, np.nan, 1, 3]),
        "steps": book.curve(X, X, steps="post", color="first"),
    }
)


def draw_lines(ax, color):
    ax.plot([0.1, 9], [1, 100], color=color.ink, gid="guide")
    ax.axhline(10, color=color.faint, linestyle=":", gid="level")
    ax.axvline(3, color=color.first, gid="edge")
    ax.axvspan(1, 2, color=color.second, alpha=0.3, gid="strip")
    ax.axhspan(20, 40, color=color.third, alpha=0.3, gid="belt")
    ax.text(0.1, 10, "level", color=color.faint)
    ax.set(yscale="log")


LINES = book.panel(
    {
        "level": book.line(y=10, dash="dotted", label="level"),
        "edge": book.line(x=3, color="first"),
        "strip": book.span(x=(1, 2), color="second"),
        "belt": book.span(y=(20, 40), color="third"),
    },
    scales="linear log",
    helpers="guide",
)


def draw_areas(ax, color):
    ax.fill(*SQUARE.T, color=color.first, alpha=0.3, gid="square")
    ax.add_patch(Circle((4, 2), 1, color=color.second, gid="disk"))
    ax.fill_between(X, GAP, X + 2, color=color.third, linewidth=0, gid="band")
    ax.set(xlim=(0, 6), ylim=(0, 6))


DISK = np.stack([4 + np.cos(TURN), 2 + np.sin(TURN)], axis=1)
AREAS = book.panel(
    {
        "square": book.region(SQUARE[[2, 3, 0, 1]], color="first"),
        "disk": book.region(DISK, color="second"),
        "band": book.band(X, GAP, X + 2, color="third"),
    }
)


def draw_bars(axes, color):
    axes[0].bar(["p", "q", "r"], [3, 1, 2], color=color.first, gid="it")
    axes[0].set_yscale("log")
    axes[1].barh([2, 1], [0.5, 1.0], height=0.5, color=color.faint, gid="it")
    for y, value in ((2, 0.5), (1, 1.0)):
        axes[1].annotate(f"{value:.2f}", (value, y), (4, 0), textcoords="offset points")
    axes[1].set(yticks=[], xlabel="share")


STANDING = book.panel(
    {"it": book.bars([3, 1, 2], color="first")},
    scales="linear log",
    xticks={"p": 0, "q": 1, "r": 2},
)
LYING = book.panel(
    {"it": book.bars([0.5, 1.0], at=[2, 1], color="faint")},
    x="share",
    words={"0.50": (0.5, 2), "1.00": (1.0, 1)},
)


def draw_maps(axes, color):
    left, right = axes
    extent = (-1.125, 1.125, -1.125, 1.125)
    map_ = left.imshow(
        np.ma.masked_invalid(CELLS), extent=extent, origin="lower", vmin=-3, vmax=3, gid="map"
    )
    left.contour(GRID, GRID, HEIGHTS, levels=[-1, 0, 1], colors=color.paper).set_gid("lines")
    bar = left.figure.colorbar(map_, ax=left, label="height (m)")
    bar.set_ticks([-3, 0, 3], labels=["low", "0", "high"])
    logs = right.imshow(10.0**HEIGHTS, norm=LogNorm(1e-3, 1e3), gid="map")
    right.figure.colorbar(logs, ax=right, label="power", orientation="horizontal")


MAPS = [
    book.panel(
        {
            "map": book.image(
                CELLS,
                limits=(-3, 3),
                extent=(-1.125, 1.125, -1.125, 1.125),
                origin="lower",
                bar="height (m)",
                ticks={"low": -3, "0": 0, "high": 3},
            ),
            "lines": book.contours([-1, 0, 1], lambda x, y: 2 * x + y),
        }
    ),
    book.panel(
        {"map": book.image(10.0**HEIGHTS, limits=(1e-3, 1e3), scale="log", bar="power")},
    ),
]


def draw_surface(ax, color):
    a, b = np.meshgrid(GRID, 2 * GRID)
    ax.plot_surface(
        a, b, HEIGHTS, cmap=color.surface, vmin=-3, vmax=3, rstride=1, cstride=1, gid="it"
    )
    ax.plot(GRID, 2 * GRID, np.diag(HEIGHTS), color=color.second, gid="ridge")
    ax.text(1, 2, 3, "ridge", color=color.second)
    ax.text2D(0.5, 0.97, "plain", transform=ax.transAxes)
    ax.set(xlabel="$a$", ylabel="$b$", zlabel="height (m)")
    ax.set_zticks([-3, 0, 3], ["low", "0", "high"])


SURFACE = book.panel(
    {
        "it": book.surface(HEIGHTS, limits=(-3, 3), x=GRID, y=2 * GRID),
        "ridge": book.curve(GRID, 2 * GRID, 3 * GRID, color="second", label="ridge"),
    },
    x="$a$",
    y="$b$",
    z="height (m)",
    words="plain",
    zticks={"low": -3, "0": 0, "high": 3},
)


def draw_words(axes, color):
    """Words in all coordinates; one axis shared, with its numbers beside the other panel."""
    left, right = axes
    for ax, name in ((left, "one"), (right, "two")):
        ax.plot(X, X, color=color.first, gid="up")
        ax.plot(X, 4 - X, color=color.first, linestyle="--", gid="down")
        ax.annotate(name, (0.03, 0.97), xycoords="axes fraction", va="top")
        ax.annotate("under\nit", (2, 0), (0, -5), ("data", "axes fraction"), "offset points")
    left.annotate("up", (X[-1], X[-1]), (3, 0), textcoords="offset points", color=color.first)
    left.annotate("down", (X[-1], 1), (3, 0), textcoords="offset points", color=color.first)
    right.sharey(left)
    right.tick_params(labelleft=False)
    left.set_xticks([1, 2, 3], ["a", "b", "c"])
    right.set(xticks=[])


WORDS = [
    book.panel(
        {
            "up": book.curve(X, X, color="first", label="up", dash="-"),
            "down": book.curve(X, 4 - X, color="first", label="down", dash="--"),
        },
        words=[("one", None), "under\nit"],
        xticks=[("a", 1), ("b", 2), ("c", 3)],
    ),
    book.panel(
        {
            "up": book.curve(X, X, color="first", dash="-"),
            "down": book.curve(X, 4 - X, color="first", dash="--"),
        },
        words=["two", "under\nit"],
    ),
]


def draw_twins(ax, color):
    """Two axes over each other, and a small one inside."""
    other = ax.twinx()
    inner = ax.inset_axes([0.6, 0.1, 0.3, 0.3])
    for axes, height, name in ((ax, 1, "m"), (other, 100, "cm"), (inner, 2, "")):
        axes.plot(X, height * X, color=color.first, label="length", gid="it")
        axes.set_ylabel(name)
    ax.plot(X, 2 * X, color=color.second, linestyle=":", label="twice", gid="more")
    ax.legend()


TWINS = [
    book.panel(
        {
            "it": book.curve(X, X, color="first", label="length"),
            "more": book.curve(X, 2 * X, color="second", label="twice", dash=":"),
        },
        y="m",
        legend=["length", "twice"],
    ),
    book.panel({"it": book.curve(X, 2 * X, color="first")}),
    book.panel({"it": book.curve(X, 100 * X, color="first")}, y="cm"),
]

RIGHT = {
    "curve": (plane, draw_curve, [CURVE]),
    "logarithms": (plane, draw_logarithms, [LOGARITHMS]),
    "gaps": (plane, draw_gaps, [GAPS]),
    "segments": (plane, draw_segments, [SEGMENTS]),
    "lines": (plane, draw_lines, [LINES]),
    "areas": (plane, draw_areas, [AREAS]),
    "bars": (pair, draw_bars, [STANDING, LYING]),
    "maps": (pair, draw_maps, MAPS),
    "surface": (space, draw_surface, [SURFACE]),
    "words": (pair, draw_words, WORDS),
    "twins": (plane, draw_twins, TWINS),
}


def make(name, spoil=as_drawn):
    kind, draw, _ = RIGHT[name]
    return kind(draw, spoil)


def complaints(name, spoil, mode="light"):
    """What the contract of one of the right figures says once it is spoilt."""
    drawn = make(name, spoil)
    figure = drawn.figure(mode)
    figure.set_layout_engine("none")  # which takes most of the time
    found = Contract(RIGHT[name][2]).complaints(figure, drawn.colors(mode))
    return [str(complaint) for complaint in found]


@pytest.fixture(autouse=True)
def pictures(tmp_path, monkeypatch):
    """Pictures of wrong figures go to a folder that nobody keeps."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUILD", "_build")
    return tmp_path / "_build" / "figures" / "contracts"


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_figure_raises_no_complaint(name, pictures):
    part = book.contract(make(name), *RIGHT[name][2])
    assert part.held, part.finding
    assert part.finding == "as computed" and part.measured == 0 and not pictures.exists()
    assert "drawn as computed" in str(book.claim("fig-it", "It is so.", part))


# Each way to be wrong, and the complaint that must come


def moved(artist, point, step):
    """Move one point of a line."""
    points = np.array(artist.get_xydata())
    points[point] += step
    artist.set_data(*points.T)


def exchanged(ax, one, other):
    """Exchange two words."""
    texts = {text.get_text(): text for text in ax.texts}
    texts[one].set_text(other)
    texts[other].set_text(one)


WRONG = [
    # a curve
    (
        "curve",
        lambda ax, color: moved(one(ax, "it"), 3, [0, 0.5]),
        r"it: point 3 is \(1\.75, 3\.562\), expected \(1\.75, 3\.062\), 5\.\d % of the axis off",
    ),
    ("curve", lambda ax, color: moved(one(ax, "it"), 2, [0.1, 0]), r"it: point 2 is \(1\.6, 2"),
    ("curve", lambda ax, color: one(ax, "it").set_data(X[1:], X[1:] ** 2), "8 points, not 9"),
    (
        "curve",
        lambda ax, color: one(ax, "it").set_ydata(np.where(X == 2, np.nan, X**2)),
        "it: its gaps are elsewhere, first at point 4",
    ),
    ("curve", lambda ax, color: one(ax, "it").set_color(color.second), "its color is #b84a00"),
    ("curve", lambda ax, color: one(ax, "it").set_markerfacecolor("k"), "its color is #000000"),
    (
        "curve",
        lambda ax, color: one(ax, "it").set(color="k", markerfacecolor="r"),
        "its color is #000000, not first",
    ),
    ("curve", lambda ax, color: one(ax, "it").set_linestyle(":"), "its line is ':', not 'dashed'"),
    ("curve", lambda ax, color: one(ax, "it").set_marker("s"), "its marker is 's', not 'o'"),
    ("curve", lambda ax, color: one(ax, "it").set_drawstyle("steps-mid"), "joined by 'steps-mid'"),
    ("curve", lambda ax, color: one(ax, "it").set_transform(ax.transAxes), "in data coordinates"),
    ("curve", lambda ax, color: one(ax, "it").set_visible(False), "it: nothing of this name"),
    ("curve", lambda ax, color: one(ax, "it").set_alpha(0), "it: nothing of this name"),
    ("curve", lambda ax, color: one(ax, "it").remove(), "it: nothing of this name is drawn"),
    ("curve", lambda ax, color: ax.plot(X, X, gid="it"), "one line or scatter, got Line2D, Line2D"),
    ("curve", lambda ax, color: ax.plot(X, X, gid="new"), "new: it is drawn without a contract"),
    ("curve", lambda ax, color: ax.plot(X, X), "panel 1: a Line2D has no gid, so no contract"),
    ("curve", lambda ax, color: ax.axvspan(1, 2), "panel 1: a Rectangle has no gid"),
    ("curve", lambda ax, color: ax.table([["1"]]), "panel 1: a Table has no gid"),
    ("gaps", lambda ax, color: one(ax, "dots").set_offsets(np.c_[X, X + 1]), "dots: its gaps"),
    ("gaps", lambda ax, color: one(ax, "rings").set_edgecolor(color.first), "rings: its color is"),
    ("segments", lambda ax, color: one(ax, "steps").set_drawstyle("steps-pre"), "by 'steps-pre'"),
    ("segments", lambda ax, color: one(ax, "bars").set_segments([[[1, 0], [1, 2]]]), "2 points"),
    ("segments", lambda ax, color: one(ax, "bars").set_segments([]), "bars: it has 0 points, not"),
    # axes
    ("curve", lambda ax, color: ax.set_xlabel("$x$ (km)"), r"panel 1: its x axis says '\$x\$ \(km"),
    ("curve", lambda ax, color: ax.axis("off"), r"panel 1: its x axis says '', not '\$x\$ \(m\)'"),
    ("curve", lambda ax, color: ax.set_yscale("log"), "panel 1: its y axis is log, not linear"),
    ("logarithms", lambda ax, color: ax.set_yscale("linear"), "its y axis is linear, not log"),
    ("logarithms", lambda ax, color: ax.set_ylim(0.1, 4), "runs from 0.1 to 4, not 0.1 to 3"),
    ("curve", lambda ax, color: ax.set_ylim(0, 5), "it: 4 of its points lie beyond the limits"),
    ("curve", lambda ax, color: ax.set_xlim(2, 3), "it: 4 of its points lie beyond the limits"),
    (
        "curve",
        lambda ax, color: ax.set_xticks([1, 2], ["2", "1"]),
        r"the ticks of its x axis say \['2', '1'\] without a contract",
    ),
    (
        "curve",
        lambda ax, color: ax.xaxis.set_major_formatter(PercentFormatter(3)),
        "the ticks of its x axis say .* without a contract",
    ),
    (
        "words",
        lambda axes, color: axes[0].set_xticks([1, 2, 3], ["a", "c", "b"]),
        r"the ticks of its x axis say \['a', 'c', 'b'\], not \['a', 'b', 'c'\]",
    ),
    (
        "words",
        lambda axes, color: axes[0].set_xticks([1, 2.5, 3], ["a", "b", "c"]),
        "the ticks of its x axis say 'b' at 2.5, not 2",
    ),
    (
        "words",
        lambda axes, color: axes[0].xaxis.set_major_formatter(ScalarFormatter()),
        "the ticks of its x axis are matplotlib's, not",
    ),
    ("curve", lambda ax, color: ax.tick_params(labelbottom=False), "its x axis has no numbers"),
    ("curve", lambda ax, color: ax.set_title("Right"), "panel 1: it has a title"),
    ("curve", lambda ax, color: ax.figure.suptitle("Right"), "figure: it says 'Right' outside"),
    ("curve", lambda ax, color: ax.figure.text(0, 0, "3"), "figure: it says '3' outside"),
    ("curve", lambda ax, color: ax.texts[0].set_fontsize(6), "'square' is .* high on a phone"),
    ("curve", lambda ax, color: ax.tick_params(labelsize=5), r"'0\.?\d*' is .* high on a phone"),
    ("curve", lambda ax, color: ax.inset_axes([0, 0, 1, 1]), "it has 2 panels, its contract 1"),
    ("words", lambda axes, color: axes[1].remove(), "it has 1 panels, its contract 2"),
    # words
    ("curve", lambda ax, color: ax.texts[0].set_text("cube"), "it says 'cube' without a contract"),
    ("curve", lambda ax, color: ax.texts[0].set_text("cube"), "it does not say 'square'"),
    ("curve", lambda ax, color: ax.texts[0].remove(), "panel 1: it does not say 'square'"),
    ("curve", lambda ax, color: ax.text(1, 1, "square"), "it says 'square' without a contract"),
    ("curve", lambda ax, color: ax.texts[0].set_color(color.ink), "'square' has the color #1a1a1a"),
    ("words", lambda axes, color: exchanged(axes[0], "up", "down"), "'up' stands nearer to down"),
    (
        "bars",
        lambda axes, color: exchanged(axes[1], "0.50", "1.00"),
        r"panel 2: '0.50' stands at \(1, 1\), expected \(0.5, 2\)",
    ),
    ("bars", lambda axes, color: axes[1].texts[0].set_text("0.51"), "it says '0.51' without"),
    # lines and strips across the panel
    (
        "lines",
        lambda ax, color: one(ax, "level").set_ydata([12, 12]),
        r"level: point 0 is \(.*, 12\), expected \(.*, 10\)",
    ),
    (
        "lines",
        lambda ax, color: one(ax, "level").set_ydata([10, 12]),
        r"level: point 1 is \(.*, 12",
    ),
    ("lines", lambda ax, color: one(ax, "level").set_ydata([8, 10]), r"level: point 0 is \(.*, 8"),
    (
        "lines",
        lambda ax, color: one(ax, "level").set_data([0, 0.5, 1], [10, 10, 10]),
        "level: it has 3 points, not 2",
    ),
    ("lines", lambda ax, color: one(ax, "level").set_xdata([0, 0.5]), "level: it does not cross"),
    ("lines", lambda ax, color: one(ax, "edge").set_xdata([3.1, 3.1]), r"edge: point 0 is \(3\.1,"),
    ("lines", lambda ax, color: one(ax, "edge").set_linestyle("None"), "edge: its color is none"),
    ("lines", lambda ax, color: one(ax, "strip").set_width(1.2), r"strip: point 1 is \(2\.2,"),
    ("lines", lambda ax, color: one(ax, "belt").set_y(21), r"belt: point . is \(.*\), expected"),
    ("lines", lambda ax, color: one(ax, "guide").remove(), "guide: a helper of this name is not"),
    ("lines", lambda ax, color: ax.set_xlim(4, 9), "edge: 2 of its points lie beyond"),
    # areas
    (
        "areas",
        lambda ax, color: one(ax, "square").set_xy(SQUARE[[0, 2, 1, 3]]),
        r"square: its edge passes \(1\.5, 2\), 8\.3 % of the axes off",
    ),
    ("areas", lambda ax, color: one(ax, "square").set_xy(SQUARE + [0, 0.1]), "square: its edge"),
    ("areas", lambda ax, color: one(ax, "square").set_facecolor(color.ink), "square: its color is"),
    ("areas", lambda ax, color: one(ax, "disk").set_radius(1.2), "disk: its edge passes"),
    ("areas", lambda ax, color: one(ax, "disk").set_radius(0.8), "disk: its edge"),
    ("areas", lambda ax, color: ax.set_xlim(0, 4), "disk: .* of its points lie beyond"),
    (
        "areas",
        lambda ax, color: one(ax, "band").set_verts([SQUARE]),
        "band: it has 1 pieces, not 2",
    ),
    (
        "areas",
        lambda ax, color: one(ax, "band").set_verts(
            [path.vertices * [1, 1.05] for path in one(ax, "band").get_paths()]
        ),
        r"band: its edge .*passe?s? \(.*\), .* % of the axes off",
    ),
    # bars
    (
        "bars",
        lambda axes, color: axes[0].patches[1].set_height(1.1),
        r"it 1: point 1 is \(1, 1\.1\), expected \(1, 1\)",
    ),
    ("bars", lambda axes, color: axes[1].patches[0].set_y(2.1), r"it 0: point 0 is \(0, 2\.35\)"),
    ("bars", lambda axes, color: axes[1].patches[0].remove(), "it must be 2 bars, got Rectangle"),
    ("bars", lambda axes, color: axes[1].set_xlim(0, 0.8), "it 1: 1 of its points lie beyond"),
    ("bars", lambda axes, color: axes[0].set_ylim(0.5, 2), "it 0: 1 of its points lie beyond"),
    ("bars", lambda axes, color: axes[0].set_xticks([0, 1, 2], ["q", "p", "r"]), "x axis say"),
    # maps
    (
        "maps",
        lambda axes, color: one(axes[0], "map").set_data(np.ma.masked_invalid(CELLS + 0.1)),
        r"map: its value \(\d, \d\) is -?\d.*, expected",
    ),
    ("maps", lambda axes, color: one(axes[0], "map").set_data(HEIGHTS), "other pixels are masked"),
    ("maps", lambda axes, color: one(axes[0], "map").set_data(HEIGHTS[1:]), r"\(8, 9\) pixels"),
    ("maps", lambda axes, color: one(axes[0], "map").set_clim(-3, 2), "run from -3 to 2, not -3"),
    (
        "maps",
        lambda axes, color: one(axes[0], "map").set_cmap("magma"),
        "map is magma, not cividis",
    ),
    (
        "maps",
        lambda axes, color: one(axes[0], "map").set_extent((-1, 1, -1, 1)),
        r"map, its corners: point 0 is \(-1, -1\), expected \(-1\.125, -1\.125\)",
    ),
    (
        "maps",
        lambda axes, color: one(axes[0], "map").set_extent((-1.125, 1.125, 1.125, -1.125)),
        "map, its corners: point",
    ),
    ("maps", lambda axes, color: one(axes[1], "map").set_norm(None), "colors are linear, not log"),
    (
        "maps",
        lambda axes, color: one(axes[1], "map").colorbar.set_label("power (W)"),
        r"its color bar says 'power \(W\)', not 'power'",
    ),
    (
        "maps",
        lambda axes, color: one(axes[0], "map").colorbar.set_ticks(
            [-3, 0, 3], labels=["high", "0", "low"]
        ),
        r"the ticks of its color bar say \['high', '0', 'low'\]",
    ),
    ("maps", lambda axes, color: one(axes[0], "map").colorbar.remove(), "it has no color bar"),
    (
        "maps",
        lambda axes, color: axes[0].figure.colorbar(one(axes[0], "lines")),
        "panel 1: a color bar is drawn without a contract",
    ),
    (
        "maps",
        lambda axes, color: [
            setattr(path, "vertices", path.vertices + [0.05, 0])
            for path in one(axes[0], "lines").get_paths()
        ],
        r"lines: the line -1 passes \(.*\), where the height is -0\.9, .* % of the axes off",
    ),
    (
        "maps",
        lambda axes, color: (
            axes[0]
            .contour(GRID, GRID, HEIGHTS, levels=[-1, 0], colors=color.paper)
            .set_gid("lines")
            or axes[0].collections[0].remove()
        ),
        "lines: its levels are -1, 0, not -1, 0, 1",
    ),
    ("maps", lambda axes, color: one(axes[0], "lines").set_edgecolor("k"), "lines: its color is"),
    # space
    (
        "surface",
        lambda ax, color: one(ax, "it").set_array(one(ax, "it").get_array()[::-1]),
        r"it: its value \(0, 0\) is 2.625, expected -2.625",
    ),
    ("surface", lambda ax, color: one(ax, "it").set_array(None), "has 0 colored faces, not 64"),
    ("surface", lambda ax, color: one(ax, "it").set_clim(-3, 4), "run from -3 to 4, not -3 to 3"),
    ("surface", lambda ax, color: one(ax, "it").set_cmap("magma"), "color map is magma"),
    (
        "surface",
        lambda ax, color: one(ax, "ridge").set_data_3d(GRID, 2 * GRID, 3.3 * GRID),
        r"ridge: point 8 is \(1, 2, 3\.3\), expected \(1, 2, 3\)",
    ),
    (
        "surface",
        lambda ax, color: one(ax, "ridge").set_data_3d(GRID[1:], 2 * GRID[1:], 3 * GRID[1:]),
        "ridge: it has 8 points in space, not 9 points in space",
    ),
    ("surface", lambda ax, color: ax.set_zlabel("height (km)"), r"z axis says 'height \(km\)'"),
    (
        "surface",
        lambda ax, color: ax.set_zticks([-3, 0, 3], ["high", "0", "low"]),
        "its z axis say",
    ),
    ("surface", lambda ax, color: ax.set_zlim(0, 3), "ridge: 4 of its points lie beyond"),
    ("surface", lambda ax, color: ax.texts[1].set_text("residual"), "it says 'residual' without"),
    # legends
    (
        "twins",
        lambda ax, color: ax.legend(ax.lines, ["twice", "length"]),
        r"its legend lists \['twice', 'length'\], not \['length', 'twice'\]",
    ),
    ("twins", lambda ax, color: ax.legend(ax.lines[::-1], ["length", "twice"]), "it in the legend"),
    ("twins", lambda ax, color: ax.get_legend().remove(), r"its legend lists \[\], not"),
]


@pytest.mark.parametrize("name, spoil, expected", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said(name, spoil, expected):
    found = complaints(name, spoil)
    assert any(re.search(expected, complaint) for complaint in found), found


def test_a_surface_on_another_grid_is_noticed():
    """Its colors are right, but it does not stand where it should."""
    drawn = make("surface")
    turned = book.surface(HEIGHTS, limits=(-3, 3), x=2 * GRID, y=GRID)
    panel = book.panel(
        {**SURFACE.artists, "it": turned},
        **SURFACE.labels,
        words="plain",
        zticks={"low": -3, "0": 0, "high": 3},
    )
    found = Contract([panel]).complaints(drawn.figure(), drawn.colors())
    assert [complaint.artist for complaint in found] == ["it"]
    assert "no face stands at" in str(found[0])


def test_a_figure_that_is_wrong_on_dark_pages_only_is_caught(pictures):
    def in_the_dark(ax, color):
        if color.paper != "#ffffff":
            one(ax, "it").set_color(color.second)

    part = book.contract(make("curve", in_the_dark), CURVE)
    assert not part.held
    assert "not first (dark)" in part.finding and "light" not in part.finding
    assert [path.name for path in pictures.iterdir()] == ["test_contracts.plane-dark.png"]


def test_the_claim_names_figure_artist_spot_and_picture(pictures):
    spoilt = make("curve", lambda ax, color: moved(one(ax, "it"), 3, [0, 2]))
    with pytest.raises(book.ClaimError) as error:
        book.claim("fig-square", "The square is drawn.", book.contract(spoilt, CURVE))
    text = str(error.value)
    assert text.startswith("fig-square does not hold: The square is drawn. Not drawn as computed")
    assert "it: point 3 is (1.75, 5.062), expected (1.75, 3.062)" in text
    assert text.count("it: point 3") == 1 and "(light, dark)" in text
    for mode in ("light", "dark"):
        picture = pictures / f"test_contracts.plane-{mode}.png"
        assert f"see _build/figures/contracts/{picture.name} ({mode})" in text
        pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
        assert (np.abs(pixels - [0xD5, 0, 0]).max(axis=2) < 5).sum() > 100


def test_a_contract_of_nothing_does_not_hold():
    def nothing(ax, color, draw=None, spoil=None):
        pass

    part = book.contract(plane(nothing, as_drawn), book.panel({}))
    assert not part.held and "there is no artist to compare" in part.finding
    assert part.measured is None


def test_a_contract_is_recorded():
    drawn = make("curve")
    with recorded() as made:
        book.contract(drawn, CURVE)
    book.contract(drawn, CURVE)
    assert [each for each, _ in made] == [drawn]


@given(st.floats(-0.2, 0.2), st.integers(0, len(X) - 1), st.sampled_from(["linear", "log"]))
def test_a_point_may_be_off_by_the_tolerance_and_no_more(share, place, scale):
    """Told by the pixels of the page: half a percent of the axis, whatever its scale."""

    def spoil(ax, color):
        ax.set(yscale=scale, ylim=(0.5, 20))
        to_axes = ax.transData + ax.transAxes.inverted()
        points = to_axes.transform(one(ax, "it").get_xydata())
        points[place, 1] += share
        one(ax, "it").set_data(*to_axes.inverted().transform(points).T)

    found = [text for text in complaints("curve", spoil) if "point" in text]
    if abs(abs(share) - 0.005) > 1e-9:
        assert bool(found) == (abs(share) > 0.005)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=12, unique=True), st.integers(0, 11))
def test_a_region_may_begin_at_any_corner(corners, start):
    turns = np.sort(corners) / 10 * 2 * np.pi
    outline = np.stack([np.cos(turns), np.sin(turns)], axis=1)

    @drawing(width=2, height=2)
    def filled(ax, color):
        ax.fill(*np.roll(outline, start, axis=0).T, color=color.ink, gid="it")

    agreed = Contract([book.panel({"it": book.region(outline)})])
    assert agreed.complaints(filled().figure(), filled().colors()) == []


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: book.line(), "one of x and y"),
        (lambda: book.line(x=1, y=2), "one of x and y"),
        (lambda: book.span(), "one of x and y"),
    ],
)
def test_what_cannot_be_a_contract(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("low", [-1.5, 0.0, 40.0])
@pytest.mark.parametrize("off, is_right", [(0.0, True), (1e-4, True), (0.1, False)])
def test_limits_of_colors_are_judged_by_their_span_wherever_it_lies(low, off, is_right):
    values = np.array([[low, low + 1]])

    @drawing(width=2, height=2)
    def shades(ax, color):
        ax.imshow(values, vmin=low, vmax=low + 1 + off, gid="it")

    agreed = Contract([book.panel({"it": book.image(values, limits=(low, low + 1))})])
    found = agreed.complaints(shades().figure(), shades().colors())
    assert ("its colors run" in " ".join(map(str, found))) is not is_right


@pytest.mark.parametrize(
    "levels, said",
    [
        ([-1, 0, 1], False),
        ([-1, 0, 1.01], True),
        ([-1.01, 0, 1], True),
        ([-1, 0.01, 1], True),
        ([-1, 1], True),
        ([-1, 0, 0.5, 1], True),
    ],
)
def test_lines_at_any_other_level_are_noticed(levels, said):
    """By their levels, however little they are off; the curves are compared besides."""

    @drawing(width=2, height=2)
    def heights(ax, color):
        ax.contour(GRID, GRID, HEIGHTS, levels=levels, colors=color.ink).set_gid("it")

    agreed = Contract([book.panel({"it": book.contours([1, -1, 0], lambda x, y: 2 * x + y)})])
    found = map(str, agreed.complaints(heights().figure(), heights().colors()))
    assert any("its levels are" in text for text in found) is said


@pytest.mark.parametrize("xlim, is_right", [((0, 1), True), ((2, 3), False)])
def test_a_single_point_may_not_lie_beyond_the_limits_either(xlim, is_right):
    @drawing(width=2, height=2)
    def dot(ax, color):
        ax.plot([0.5], [0.5], "o", color=color.ink, gid="it")
        ax.plot([], [], color=color.ink, gid="nothing")
        ax.set(xlim=xlim, ylim=(0, 1))

    part = book.contract(dot(), book.panel({"it": book.curve([0.5], [0.5], marker="o")}))
    assert ("1 of its points lie beyond" not in part.finding) is is_right


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 3)])
@pytest.mark.parametrize(
    "origin, extent, center",
    [
        ("upper", None, lambda row, column: (column, row)),
        ("lower", None, lambda row, column: (column, row)),
        ("upper", (0, 8, 0, 3), lambda row, column: (2 * column + 1, 2.5 - row)),
        ("lower", (0, 8, 0, 3), lambda row, column: (2 * column + 1, row + 0.5)),
    ],
)
def test_the_ring_is_around_the_middle_of_the_pixel_that_is_wrong(origin, extent, center, place):
    values = np.arange(12.0).reshape(3, 4)
    wrong = values.copy()
    wrong[place] += 5

    @drawing(width=2, height=2)
    def pixels(ax, color):
        ax.imshow(wrong, origin=origin, extent=extent, vmin=0, vmax=20, gid="it")

    expected = book.image(values, limits=(0, 20), origin=origin, extent=extent)
    agreed = Contract([book.panel({"it": expected})])
    [complaint] = agreed.complaints(pixels().figure(), pixels().colors())
    assert complaint.at == pytest.approx(center(*place))


NAN = [np.nan, np.nan]


@pytest.mark.parametrize(
    "line, distances",
    [
        ([[0, 0], [4, 0]], [1, 1, 1]),
        ([[1, 0], [4, 0]], [np.sqrt(2), 1, 1]),
        ([[4, 0], [1, 0]], [np.sqrt(2), 1, 1]),
        ([[0, 0], [3, 0]], [1, 1, np.sqrt(2)]),
        ([[0, 0], NAN, [4, 0]], [1, np.sqrt(5), 1]),
        ([NAN, [0, 0], [1, 0], NAN, NAN, [4, 3]], [1, np.sqrt(2), 2]),
        ([[4, 2]], [np.sqrt(17), np.sqrt(5), 1]),
        ([NAN, NAN], [np.inf] * 3),
        (np.empty((0, 2)), [np.inf] * 3),
    ],
)
def test_how_far_it_is_to_a_line_with_gaps(line, distances):
    """From places above 0, 2 and 4; a point between two gaps is a line of its own."""
    places = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    found = contracts._to_polyline(places, np.array(line, dtype=float))
    np.testing.assert_allclose(found, distances)


# How far off something may be, told by the numbers of the page


def judge(draw, *panels):
    """What a contract says of a small picture."""
    made = drawing(width=2, height=2)(draw)()
    return [str(each) for each in Contract(panels).complaints(made.figure(), made.colors())]


def quarters(ax):
    """Give a panel limits between which 1 is exactly a quarter of either axis."""
    ax.set(xlim=(0, 4), ylim=(0, 4))


def a_line_a_quarter_off(ax, color):
    ax.plot([1, 2, 3], [1, 3, 3], color=color.ink, gid="it")
    quarters(ax)


def a_level_a_quarter_off(ax, color):
    ax.axhline(3, color=color.ink, gid="it")
    quarters(ax)


def a_strip_a_quarter_off(ax, color):
    ax.axvspan(1, 3, color=color.ink, gid="it")
    quarters(ax)


def a_pixel_a_quarter_off(ax, color):
    ax.imshow([[1, 3]], vmin=0, vmax=4, gid="it")


def colors_a_quarter_off(ax, color):
    ax.imshow([[1, 2]], vmin=0, vmax=5, gid="it")


@pytest.mark.parametrize(
    "draw, expect",
    [
        (a_line_a_quarter_off, lambda to: book.curve([1, 2, 3], [1, 2, 3], tolerance=to)),
        (a_level_a_quarter_off, lambda to: book.line(y=2, color="ink", tolerance=to)),
        (a_strip_a_quarter_off, lambda to: book.span(x=(1, 2), color="ink", tolerance=to)),
        (a_pixel_a_quarter_off, lambda to: book.image([[1, 2]], limits=(0, 4), tolerance=to)),
        (colors_a_quarter_off, lambda to: book.image([[1, 2]], limits=(0, 4), tolerance=to)),
    ],
)
def test_what_is_off_by_the_tolerance_itself_is_right(draw, expect):
    assert judge(draw, book.panel({"it": expect(0.25)})) == []
    assert judge(draw, book.panel({"it": expect(0.2499)})) != []


@pytest.mark.parametrize("column, sign", [(0, -1), (0, 1), (1, -1), (1, 1)])
@pytest.mark.parametrize("share, is_right", [(0.004, True), (0.006, False)])
def test_half_a_percent_of_an_axis_is_what_a_reader_can_see(column, sign, share, is_right):
    """A point beyond the limits, a word, a tick's label, the limits themselves: one at a time."""
    off = sign * share
    edge = 0.0 if sign < 0 else 1.0

    def beyond(ax, color):
        point = [0.5, 0.5]
        point[column] = edge + off
        ax.plot(*np.array([[0.5, 0.5], point]).T, color=color.ink, gid="it")
        ax.set(xlim=(0, 1), ylim=(0, 1))

    def plain(ax, color):
        ax.plot([0, 1], [0, 1], color=color.ink, gid="it")
        ax.set(xlim=(0, 1), ylim=(0, 1))

    def word(ax, color):
        plain(ax, color)
        place = [0.25, 0.75]
        place[column] += off
        ax.text(*place, "word")

    def tick(ax, color):
        plain(ax, color)
        [ax.set_xticks, ax.set_yticks][column]([0.25, 0.5 + off], ["a", "b"])

    def limits(ax, color):
        plain(ax, color)
        [ax.set_xlim, ax.set_ylim][column]((0, 1 + off))

    name = "xy"[column]
    end = [0.5, 0.5]
    end[column] = edge + off
    diagonal = {"it": book.curve([0, 1], [0, 1])}
    found = [
        judge(beyond, book.panel({"it": book.curve([0.5, end[0]], [0.5, end[1]])})),
        judge(word, book.panel(diagonal, words={"word": (0.25, 0.75)})),
        judge(tick, book.panel(diagonal, **{f"{name}ticks": {"a": 0.25, "b": 0.5}})),
        judge(limits, book.panel(diagonal, crops=True, **{f"{name}lim": (0, 1)})),
    ]
    assert [said == [] for said in found] == [is_right] * 4, found


@pytest.mark.parametrize("visible, is_right", [(0.25, True), (0.2499, False)])
def test_what_is_off_by_what_a_reader_can_see_itself_is_right(monkeypatch, visible, is_right):
    """A point beyond each end of an axis, a word, the limits, a tick's label."""
    monkeypatch.setattr(contracts, "VISIBLE", visible)
    end = {"it": book.curve([1, 5], [-1, 1], color=None)}
    inner = {"it": book.curve([0, 4], [0, 4], color=None)}

    def draw(spoil, points=((0, 0), (4, 4))):
        def drawn(ax, color):
            framed(ax, ("it", points))
            spoil(ax)

        return drawn

    found = [
        judge(draw(lambda ax: None, [(1, -1), (5, 1)]), book.panel(end)),
        judge(
            draw(lambda ax: ax.annotate("word", (2, 3))), book.panel(inner, words={"word": (2, 2)})
        ),
        judge(draw(lambda ax: None), book.panel(inner, xlim=(0, 5), crops=True)),
        judge(draw(lambda ax: ax.set_xticks([1], ["a"])), book.panel(inner, xticks={"a": 2})),
    ]
    assert [said == [] for said in found] == [is_right] * 4, found


def test_a_word_of_nine_pixels_is_legible():
    """On a picture 475 pixels wide, which a phone shrinks to 342, a point is one pixel."""
    for points, is_right in ((9, True), (8.99, False)):
        figure = Figure(figsize=(4.75, 2))
        figure.text(0.5, 0.5, "word", fontsize=points)
        assert (list(contracts._illegible(figure)) == []) is is_right


@pytest.mark.parametrize("width", [2.0, 3.0, 5.0, 8.0])
def test_the_font_that_is_asked_for_is_the_least_that_a_phone_shows_nine_pixels_high(width):
    """A phone leaves a picture 342 pixels, and a larger one than that is shrunk to it."""
    pixels_per_point = min(1, 342 / (100 * width)) * 100 / 72

    def said(points):
        figure = Figure(figsize=(width, 2))
        figure.text(0.5, 0.5, "word", fontsize=points)
        figure.text(0.5, 0.1, " ", fontsize=1)
        figure.text(0.5, 0.2, "unseen", fontsize=1, visible=False)
        return [str(each) for each in contracts._illegible(figure)]

    [text] = said(5)
    assert f"'word' is {5 * pixels_per_point:.1f} pixels high on a phone" in text
    asked = float(re.search(r"a font of (\S+) points or more", text)[1])
    assert said(asked) == [] and len(said(asked - 0.1)) == 1
    assert asked * pixels_per_point >= 9 > (asked - 0.1) * pixels_per_point


@pytest.mark.parametrize("at", [(2.0, 6.0), (0.0, 0.0), (0.0, 8.0), (4.0, 0.0)])
def test_the_ring_is_around_the_spot_and_is_whole_at_the_edge_of_the_panel_too(at, pictures):
    @drawing(width=3, height=3)
    def empty(ax, color):
        ax.plot([0, 4], [0, 8], color=color.ink)
        ax.set_position([0.3, 0.3, 0.4, 0.4])
        ax.set_axis_off()
        ax.set(xlim=(0, 4), ylim=(0, 8))

    figure = empty().figure()
    figure.set_layout_engine("none")
    [ax] = figure.axes
    complaint = contracts.Complaint("it", "is wrong", at=at, axes=ax)
    nowhere = contracts.Complaint("it", "is wrong", axes=ax)
    contracts._mark(figure, [nowhere, complaint], "ring")
    assert ax.get_xlim() == (0, 4) and ax.get_ylim() == (0, 8)
    pixels = np.asarray(Image.open(pictures / "ring.png").convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(pixels - [0xD5, 0, 0]).max(axis=2) < 5)
    place = 3 * 0.3 + 3 * 0.4 * np.array(at) / [4, 8]  # inches from the left and from below
    inches = np.array([columns.mean(), len(pixels) - 1 - rows.mean()]) * 3 / len(pixels)
    np.testing.assert_allclose(inches, place, atol=0.02)


# Which artist a label belongs to


def test_a_label_may_stand_nearer_to_what_has_another_color_or_no_label():
    """The label stands on the curves below its own, of which neither is its rival."""

    def draw(ax, color):
        for gid, height, name in (("own", 3, "ink"), ("plain", 1, "ink"), ("other", 1, "first")):
            ax.plot([0, 4], [height, height], color=getattr(color, name), gid=gid)
        ax.text(0.5, 1, "label", color=color.ink, va="center")
        ax.text(3, 1, "other", color=color.first, va="center")
        quarters(ax)

    agreed = {
        "own": book.curve([0, 4], 3, label="label"),
        "plain": book.curve([0, 4], 1),
        "other": book.curve([0, 4], 1, color="first", label="other"),
    }
    assert judge(draw, book.panel(agreed)) == []


def test_of_labels_in_wrong_colors_the_first_is_told():
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        ax.text(1, 1, "label", color="#ff0000")
        ax.text(2, 2, "label", color="#00ff00")

    agreed = {"it": book.curve([0, 4], [0, 4], label="label")}
    found = judge(draw, book.panel(agreed, words="label"))
    assert "it: its label 'label' has the color #ff0000" in found


def judge_label(one, other, whose, anchor, points):
    """What is said of a label that is anchored at a height, and stands some points above it, beside
    two level curves of one color, of which the other has its own label at its end.
    """
    rival = {"one": "other", "other": "one"}[whose]
    heights = {"one": one, "other": other}

    def draw(ax, color):
        for gid, height in heights.items():
            ax.plot([0, 1], [height, height], color=color.ink, gid=gid)
        style = {"textcoords": "offset points", "va": "center"}
        ax.annotate("label", (0.3, anchor), (0, points), color=color.ink, **style)
        ax.annotate("rival", (1, heights[rival]), (3, 0), color=color.ink, **style)
        ax.set(xlim=(0, 1), ylim=(0, 1))

    labels = {whose: "label", rival: "rival"}
    agreed = {gid: book.curve([0, 1], heights[gid], label=labels[gid]) for gid in labels}
    return judge(draw, book.panel(agreed))


def test_a_label_as_near_to_two_curves_belongs_to_either():
    assert judge_label(0.5, 0.5, "one", 0.5, 0) == []
    assert judge_label(0.5, 0.5, "other", 0.5, 0) == []


def test_a_label_belongs_to_the_curve_of_its_anchor_though_its_words_lie_on_another():
    assert judge_label(0.3, 0.4, "one", 0.3, 10) == []
    [said] = judge_label(0.3, 0.4, "other", 0.3, 10)
    assert said == "other: its label 'label' stands nearer to one"


def test_of_two_curves_at_its_anchor_a_label_belongs_to_the_one_by_its_words():
    """Both are within 1.2 % of the panel's diagonal; the words stand below."""
    assert judge_label(0.5, 0.51, "one", 0.51, -20) == []
    [said] = judge_label(0.5, 0.51, "other", 0.51, -20)
    assert said == "other: its label 'label' stands nearer to one"


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("near, far", [((0, 0.06), (0.13, 0)), ((0.09, 0), (0, 0.08))])
def test_a_label_without_an_anchor_belongs_to_what_is_nearest_to_the_middle_of_a_side(
    near, far, sign
):
    """The middle of no other side of it is as near to the point as it is to the rival."""
    middle = np.array([0.5, 0.5])
    one, other = middle + sign * np.array(near), middle + sign * np.array(far)
    beyond = middle + 3 * sign * np.array(far)

    @drawing(width=4, height=4)
    def points(ax, color):
        for gid, place in (("one", one), ("other", other)):
            ax.scatter(*place, color=color.ink, gid=gid)
        for text, place in (("label", middle), ("rival", beyond)):
            ax.text(*place, text, ha="center", va="center", color=color.ink)
        ax.set(xlim=(0, 1), ylim=(0, 1))

    def judge_points(**labels):
        places = {"one": one, "other": other}
        agreed = {gid: book.curve(*places[gid], label=labels[gid]) for gid in places}
        found = Contract([book.panel(agreed)]).complaints(points().figure(), points().colors())
        return [str(each) for each in found]

    assert judge_points(one="label", other="rival") == []
    assert "other: its label 'label' stands nearer to one" in judge_points(
        one="rival", other="label"
    )


def two_regions(ax, color):
    for gid, left in (("one", 0.5), ("other", 3)):
        ax.fill([left, left + 0.5, left + 0.5, left], [1, 1, 3, 3], color=color.ink, gid=gid)


def two_bands(ax, color):
    for gid, left in (("one", 0.5), ("other", 3)):
        style = {"color": color.ink, "linewidth": 0}
        ax.fill_between([left, left + 0.5], [1, 1], [3, 3], gid=gid, **style)


def two_scatters(ax, color):
    for gid, left in (("one", 0.5), ("other", 3)):
        ax.scatter([left, left + 0.5], [1, 3], color=color.ink, gid=gid)


def two_strips(ax, color):
    for gid, left in (("one", 0.5), ("other", 3)):
        ax.axvspan(left, left + 0.5, color=color.ink, gid=gid)


def make_area(left, label):
    corners = [[left, 1], [left + 0.5, 1], [left + 0.5, 3], [left, 3]]
    return book.region(corners, label=label)


@pytest.mark.parametrize(
    "draw, expect",
    [
        (two_regions, make_area),
        (two_bands, lambda x, label: book.band([x, x + 0.5], 1, 3, label=label)),
        (two_scatters, lambda x, label: book.curve([x, x + 0.5], [1, 3], label=label)),
        (
            two_strips,
            lambda x, label: book.span(x=(x, x + 0.5), color="ink", label=label),
        ),
    ],
)
def test_whatever_is_drawn_has_its_label_beside_it(draw, expect):
    def labelled(ax, color):
        draw(ax, color)
        for text, x in (("left", 1.1), ("right", 2.9)):
            ax.text(x, 2, text, ha=text, va="center", color=color.ink, fontsize=9)
        quarters(ax)

    def panel(one, other):
        return book.panel({"one": expect(0.5, one), "other": expect(3, other)})

    assert judge(labelled, panel("left", "right")) == []
    assert judge(labelled, panel("right", "left")) == [
        "one: its label 'right' stands nearer to other",
        "other: its label 'left' stands nearer to one",
    ]


# Ticks


@pytest.mark.parametrize("xlim", [(0, 4), (4, 0)])
def test_only_ticks_in_view_have_labels(xlim):
    """Also on an axis that runs from right to left, and at its very ends."""

    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        ax.set_xticks([-1, 0, 2, 4, 5], ["z", "a", "b", "c", "d"])
        ax.set_xlim(*xlim)

    agreed = {"it": book.curve([0, 4], [0, 4], color=None)}
    assert judge(draw, book.panel(agreed, xticks={"a": 0, "b": 2, "c": 4})) == []
    [said] = judge(draw, book.panel(agreed, xticks={"a": 0, "b": 2, "c": 4, "d": 5}))
    assert "say ['a', 'b', 'c'], not ['a', 'b', 'c', 'd']" in said


@pytest.mark.parametrize(
    "xlim, seen, unseen",
    [
        ((0, 1e6), (-1, 1e6 + 1), (-2, 1e6 + 2)),
        ((1000, 1001), (1000, 1001), (999.9995, 1001.0005)),
    ],
)
def test_a_tick_may_be_off_the_end_of_its_axis_by_a_millionth_of_it_and_no_more(xlim, seen, unseen):
    """That is rounding, and far below a pixel."""
    ax = Figure().subplots()
    ax.set_xticks([*seen, *unseen])
    ax.set_xlim(*xlim)
    assert ticks_in_view(ax.xaxis) == list(seen)


# What is seen of a figure


def test_panels_that_are_hidden_and_color_bars_of_nothing_drawn_are_no_panels():
    figure = Figure()
    seen, hidden = figure.subplots(1, 2)
    hidden.set_visible(False)
    figure.colorbar(ScalarMappable(), ax=seen)
    assert panels_of(figure) == [seen]


def test_texts_that_are_hidden_or_empty_are_not_seen():
    ax = Figure().subplots()
    seen = ax.text(0, 0, "seen")
    ax.text(0, 0, "")
    ax.text(0, 0, "hidden").set_visible(False)
    assert texts_of(ax) == [seen]


def test_a_set_of_no_lines_has_no_points_in_the_plane():
    assert points_of(LineCollection([])).shape == (0, 2)


def test_typed_labels_of_minor_ticks_are_read_and_matplotlibs_own_are_not():
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        ax.set_xticks([1], ["a"])
        ax.set_xticks([3], ["b"], minor=True)

    agreed = {"it": book.curve([0, 4], [0, 4], color=None)}
    assert judge(draw, book.panel(agreed, xticks={"a": 1, "b": 3})) == []
    [said] = judge(draw, book.panel(agreed, xticks={"a": 1}))
    assert "say ['a', 'b'], not ['a']" in said


@pytest.mark.parametrize(
    "scales, xlims, is_right",
    [
        (("linear", "linear"), [(1, 4), (1, 4)], True),
        (("linear", "linear"), [(1, 4), (1, 5)], False),
        (("linear", "log"), [(1, 4), (1, 4)], False),
    ],
)
def test_numbers_of_another_panel_serve_for_the_same_range_and_scale(scales, xlims, is_right):
    @drawing(width=4, height=2, panels=(1, 2))
    def two(axes, color):
        for ax, scale, xlim in zip(axes, scales, xlims, strict=True):
            ax.plot([1, 4], [1, 4], color=color.ink, gid="it")
            ax.set(xscale=scale, xlim=xlim, ylim=(1, 4))
        axes[1].tick_params(labelbottom=False, which="both")

    panels = [book.panel({"it": book.curve([1, 4], [1, 4])}, scales=f"{s} linear") for s in scales]
    found = [str(each) for each in Contract(panels).complaints(two().figure(), two().colors())]
    wanted = "panel 2: its x axis has no numbers, and those of no panel fit"
    assert found == ([] if is_right else [wanted])


# Contour lines


@pytest.mark.parametrize("share", [0.01, -0.01])
def test_how_far_a_contour_line_is_off_is_told_where_the_slope_changes_fast(share):
    """Each line of exp(3 x) is vertical, and is moved by one percent of the panel, 2 wide."""
    levels = np.exp([-1.5, 1.5])

    def draw(ax, color):
        heights = np.exp(3 * GRID) + 0 * GRID[:, None]
        lines = ax.contour(GRID, GRID, heights, levels=levels, colors=color.ink)
        lines.set_gid("it")
        for path, level in zip(lines.get_paths(), levels, strict=True):
            place = np.log(level) / 3 + 2 * share
            path.vertices, path.codes = np.array([[place, -0.5], [place, 0.5]]), None
        ax.set(xlim=(-1, 1), ylim=(-1, 1))

    agreed = book.contours(levels, lambda x, y: np.exp(3 * x), color="ink")
    found = judge(draw, book.panel({"it": agreed}))
    off = [float(re.search(r"([\d.]+) % of the axes off", text)[1]) for text in found]
    assert off == pytest.approx([1, 1], abs=0.06)


@pytest.mark.parametrize("level", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_height_of_contour_lines_is_asked_nowhere_outside_of_the_panel(level, sign):
    def height(x, y):
        assert max(np.abs(x).max(), np.abs(y).max()) <= 1 + 1e-9
        return x + sign * y

    def draw(ax, color):
        heights = GRID + sign * GRID[:, None]
        ax.contour(GRID, GRID, heights, levels=[level], colors=color.ink).set_gid("it")

    assert judge(draw, book.panel({"it": book.contours([level], height, color="ink")})) == []


def test_only_long_edges_are_compared_between_their_ends():
    """Long is what is longer than 5 % of the panel: three points come onto it, a quarter apart."""
    corners = np.array([[0, 0], [0.06, 0], [0.06, 0.04], [0, 0.04], [0, 0]])
    quarters_of_both = [0.015, 0.03, 0.045]
    wanted = [
        *[(x, 0) for x in [0, *quarters_of_both]],
        (0.06, 0),
        *[(x, 0.04) for x in [0.06, *quarters_of_both[::-1]]],
        (0, 0.04),
        (0, 0),
    ]
    np.testing.assert_allclose(contracts._dense(corners), wanted, atol=1e-15)


def test_an_edge_of_five_percent_of_the_panel_is_not_long():
    edge = np.array([[0, 0], [0.05, 0], [0, 0]])
    np.testing.assert_array_equal(contracts._dense(edge), edge)


def test_an_area_may_be_off_by_the_tolerance_itself_and_what_is_drawn_is_told_first():
    """A rectangle, moved to the right by a quarter of the panel."""
    ax = Figure().subplots()
    quarters(ax)
    reading = contracts._PanelReading(ax, None, None, "panel 1", [ax])
    wanted = np.array([[1, 1], [2, 1], [2, 3], [1, 3]])
    drawn = wanted / 4 + [0.25, 0]
    assert list(reading.compare_outlines("it", [drawn], [wanted], 0.25)) == []
    [said] = reading.compare_outlines("it", [drawn], [wanted], 0.2499)
    assert str(said) == "it: its edge passes (3, 1), 25 % of the axes off" and said.at == (3, 1)


# What else a small picture can have wrong


KINDS = {
    "line": (lambda ax, color: ax.axhline(2, color=color.ink, gid="it"), "one line"),
    "span": (lambda ax, color: ax.axvspan(1, 2, color=color.ink, gid="it"), "one strip"),
    "region": (lambda ax, color: ax.fill(*SQUARE.T, color=color.ink, gid="it"), "one area"),
    "band": (
        lambda ax, color: ax.fill_between([1, 2], 1, 3, color=color.ink, gid="it"),
        "one area between curves",
    ),
    "image": (lambda ax, color: ax.imshow([[1, 2], [3, 4]], gid="it"), "one image"),
    "contours": (
        lambda ax, color: ax.contour([[1, 2], [3, 4]], colors=[color.ink]).set_gid("it"),
        "one set of contour lines",
    ),
    "curve": (lambda ax, color: ax.scatter([1], [2], color=color.ink, gid="it"), "one line or"),
}
OF_KIND = {
    "line": book.line(y=2, color="ink"),
    "span": book.span(x=(1, 2), color="ink"),
    "region": book.region(SQUARE),
    "band": book.band([1, 2], 1, 3),
    "bars": book.bars([1]),
    "image": book.image([[1, 2], [3, 4]], limits=(1, 4)),
    "contours": book.contours([2], lambda x, y: 1 + x + 2 * y, color="ink"),
    "surface": book.surface([[1, 2], [3, 4]], limits=(1, 4), x=[0, 1], y=[0, 1]),
    "curve": book.curve(1, 2),
}


@pytest.mark.parametrize("kind", OF_KIND)
@pytest.mark.parametrize("other", ["curve", "band", "image"])
def test_an_artist_of_another_kind_is_told_by_both_kinds(kind, other):
    if kind == other:
        other = "contours"
    names = {
        "curve": "PathCollection",
        "band": "FillBetweenPolyCollection|PolyCollection",
        "image": "AxesImage",
        "contours": "QuadContourSet",
    }
    said = judge(KINDS[other][0], book.panel({"it": OF_KIND[kind]}, crops=True))
    what = {"bars": "1 bars", "surface": "one surface"}.get(kind) or KINDS[kind][1]
    assert [
        text
        for text in said
        if re.search(rf"^it: it must be {what}.*, got ({names[other]})$", text)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_two_artists_where_one_should_be_are_told(kind):
    def draw(ax, color):
        KINDS[kind][0](ax, color)
        KINDS[kind][0](ax, color)

    found = [text for text in judge(draw, book.panel({"it": OF_KIND[kind]})) if "must be" in text]
    assert len(found) == 1 and re.search(
        rf"^it: it must be {KINDS[kind][1]}.*, got (\w+), \1$", *found
    )


def test_filled_contours_are_no_contour_lines():
    def draw(ax, color):
        ax.contourf([[1, 2], [3, 4]]).set_gid("it")

    [said, *_] = judge(draw, book.panel({"it": OF_KIND["contours"]}))
    assert said == "it: it must be one set of contour lines, got QuadContourSet"


def test_rectangles_that_are_no_bars_are_told():
    def draw(ax, color):
        ax.axvspan(-0.4, 0.4, color=color.ink, gid="it")

    assert judge(draw, book.panel({"it": book.bars([1])})) == [
        "it: it must be 1 bars, got Rectangle"
    ]


def two_surfaces(ax, color, draw=None, spoil=None):
    for height in (0, 5):
        ax.plot_surface(
            *np.meshgrid(GRID, 2 * GRID), HEIGHTS + height, cmap=color.surface, gid="it"
        )


def test_two_surfaces_where_one_should_be_are_told():
    drawn = space(two_surfaces, as_drawn)
    expected = book.surface(HEIGHTS, limits=(-3, 3), x=GRID, y=2 * GRID)
    found = Contract([book.panel({"it": expected})]).complaints(drawn.figure(), drawn.colors())
    assert [str(each) for each in found] == [
        "it: it must be one surface, got Poly3DCollection, Poly3DCollection"
    ]


@pytest.mark.parametrize("grid", [{}, {"x": 5 * GRID}, {"y": 5 * GRID}])
def test_of_a_surface_without_its_whole_grid_only_the_colors_are_compared(grid):
    drawn = make("surface")
    expected = book.surface(HEIGHTS, limits=(-3, 3), **grid)
    [agreed] = RIGHT["surface"][2]
    agreed = replace(agreed, artists={**agreed.artists, "it": expected})
    assert Contract([agreed]).complaints(drawn.figure(), drawn.colors()) == []


@pytest.mark.parametrize("kind", ["bar", "barh"])
def test_bars_end_their_length_beyond_where_they_begin(kind):
    def draw(ax, color):
        getattr(ax, kind)([1, 3], [0.5, 2], 0.5, [2, 1], color=color.ink, gid="it")
        ax.set(xlim=(0, 4), ylim=(0, 4))

    def said(**numbers):
        return judge(draw, book.panel({"it": book.bars([0.5, 2], **numbers)}))

    assert said(at=[1, 3], base=[2, 1]) == []
    standing = kind == "bar"
    points = ("(3, 1)", "(3, 2)") if standing else ("(1, 3)", "(2, 3)")
    assert said(at=[1, 3], base=2) == [
        f"it 1: point 0 is {points[0]}, expected {points[1]}, 25 % of the axis off"
    ]
    points = ("(1, 2)", "(2, 2)") if standing else ("(2, 1)", "(2, 2)")
    assert said(at=[2, 3], base=[2, 1]) == [
        f"it 0: point 0 is {points[0]}, expected {points[1]}, 25 % of the axis off"
    ]


def test_a_line_of_three_points_is_compared_by_its_ends():
    def draw(ax, color):
        ax.axhline(2, color=color.ink, gid="it").set_data([0, 0.3, 1], [2, 3, 2])
        quarters(ax)

    found = judge(draw, book.panel({"it": book.line(y=2, color="ink")}))
    assert found == ["it: it has 3 points, not 2"]


def test_a_line_in_the_plane_is_told_from_one_in_space():
    drawn = make("surface")
    [agreed] = RIGHT["surface"][2]
    flat = book.curve(GRID, 2 * GRID, color="second", label="ridge")
    agreed = replace(agreed, artists={**agreed.artists, "ridge": flat})
    found = [str(each) for each in Contract([agreed]).complaints(drawn.figure(), drawn.colors())]
    assert found == ["ridge: it has 9 points in space, not 9 points"]


@pytest.mark.parametrize(
    "typed, wanted, said",
    [
        (None, None, None),
        (None, {}, "are matplotlib's, not []"),
        (None, {"a": 1}, "are matplotlib's, not ['a']"),
        ((), None, None),
        ((), {}, None),
        ((), {"a": 1}, "are matplotlib's, not ['a']"),
        ({"a": 9}, None, None),
        ({"a": 9}, {}, None),
        ({"a": 9}, {"a": 1}, "say [], not ['a']"),
        ({"a": 1}, None, "say ['a'] without a contract"),
        ({"a": 1}, {}, "say ['a'], not []"),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}, None),
        ({"b": 1, "a": 2}, {"a": 2, "b": 2.5}, "say ['b', 'a'], not ['a', 'b']"),
        ({"b": 1, "a": 2}, {"a": 3, "b": 1.1}, "say 'a' at 2, not 3"),
        ({"b": 1, "a": 2}, {"a": 2.1, "b": 1.5}, "say 'b' at 1, not 1.5"),
    ],
)
def test_tick_labels_are_matplotlibs_or_typed_and_seen_or_not(typed, wanted, said):
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        if typed is not None:
            ax.set_xticks(list(dict(typed).values()), list(typed) or None)
            ax.set_xlim(0, 4)

    found = judge(draw, book.panel({"it": book.curve([0, 4], [0, 4], color=None)}, xticks=wanted))
    assert found == ([] if said is None else [f"panel 1: the ticks of its x axis {said}"])


def test_three_scales_may_be_given_in_space():
    agreed = book.panel({}, scales="log linear symlog")
    assert agreed.scales == {"x": "log", "y": "linear", "z": "symlog"}


def test_a_word_that_is_not_there_is_not_sought():
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))

    agreed = {"it": book.curve([0, 4], [0, 4], color=None)}
    found = judge(draw, book.panel(agreed, words={"word": (1, 2)}))
    assert found == ["panel 1: it does not say 'word'"]


def test_a_word_of_the_legend_may_stand_beside_something_else():
    def draw(ax, color):
        ax.plot([0, 4], [0, 4], color=color.ink, gid="it")
        ax.legend(ax.lines, ["word"])
        ax.text(1, 3, "word", color=color.first)

    agreed = {"it": book.curve([0, 4], [0, 4], label="word")}
    assert judge(draw, book.panel(agreed, words={"word": (1, 3)}, legend=["word"])) == []


def test_complaints_are_alike_wherever_their_figure_is():
    ax = Figure().subplots()
    complaint = contracts.Complaint("it", "is wrong", (1, 2), ax)
    assert complaint == contracts.Complaint("it", "is wrong", (1, 2))
    assert repr(complaint) == "Complaint(artist='it', text='is wrong', at=(1, 2))"


def test_what_was_agreed_cannot_be_changed():
    agreed = Contract([CURVE])
    complaint = contracts.Complaint("it", "is wrong")
    for each, name in (
        (agreed, "panels"),
        (CURVE, "artists"),
        (CURVE.artists["it"], "color"),
        (complaint, "text"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(each, name, None)


def framed(ax, *lines):
    """Draw lines, given as {gid: points}, in a panel from 0 to 4."""
    for gid, points in lines:
        ax.plot(*np.transpose(points), "k-", gid=gid)
    quarters(ax)


SPIKE = np.array([[1, 1], [2, 1], [2.5, 3], [3, 1], [3, 0.5], [1, 0.5]])
PLAIN = SPIKE[[0, 1, 3, 4, 5]]


@pytest.mark.parametrize(
    "drawn, expected, said",
    [
        (SPIKE, PLAIN, "it: its edge passes (2.5, 3), "),
        (PLAIN, SPIKE, "it: its edge does not pass"),
    ],
)
def test_of_an_area_it_is_told_whether_too_much_or_too_little_is_drawn(drawn, expected, said):
    def draw(ax, color):
        ax.fill(*drawn.T, color=color.ink, gid="it")
        quarters(ax)

    [text] = judge(draw, book.panel({"it": book.region(expected)}))
    assert text.startswith(said) and "(2.5, 3), 50 % of the axes off" in text


def test_of_several_gaps_the_first_that_is_elsewhere_is_told():
    x = np.arange(5.0)

    def draw(ax, color):
        framed(ax, ("it", np.stack([x, np.where(x > 2, np.nan, 1)], axis=1)))

    wanted = book.curve(x, np.where(x == 4, np.nan, 1), color=None)
    assert judge(draw, book.panel({"it": wanted})) == [
        "it: its gaps are elsewhere, first at point 3"
    ]
    wanted = book.curve(x, np.where(x == 0, np.nan, 1), color=None)
    assert judge(draw, book.panel({"it": wanted})) == [
        "it: its gaps are elsewhere, first at point 0"
    ]


def test_a_curve_without_a_point_shows_nothing():
    found = judge(
        lambda ax, color: framed(ax, ("it", np.zeros((0, 2)))),
        book.panel({"it": book.curve([], [], color=None)}),
    )
    assert found == ["it: it has no point"]


@pytest.mark.parametrize(
    "coordinates, at, place, said",
    [
        ("data", (1, 3), (1, 3), None),
        ("axes fraction", (0.25, 0.75), (1, 3), None),
        (("data", "axes fraction"), (1, 0.75), (1, 3), None),
        (("axes fraction", "data"), (0.25, 3), (1, 3), None),
        (("data", "axes fraction"), (1, 0.75), (1, 0.75), r"'word' stands at \(1, 3\), expected"),
        (("data", "axes fraction"), (1, 0.75), (3, 3), r"'word' stands at \(1, 3\), expected"),
        ("figure fraction", (0.5, 0.5), (2, 2), "nobody can tell where 'word' stands"),
        (("data", "figure fraction"), (2, 0.5), (2, 2), "nobody can tell where 'word' stands"),
    ],
)
def test_a_word_stands_where_its_anchor_is_in_whatever_coordinates(coordinates, at, place, said):
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        ax.annotate("word", at, xycoords=coordinates)

    agreed = {"it": book.curve([0, 4], [0, 4], color=None)}
    found = judge(draw, book.panel(agreed, words={"word": place}))
    assert [bool(re.search(said or "nothing", text)) for text in found] == ([True] if said else [])


def test_a_word_that_is_there_twice_may_stand_at_either_place():
    def draw(ax, color):
        framed(ax, ("it", [(0, 0), (4, 4)]))
        ax.text(1, 3, "word")
        ax.text(3, 1, "word")

    agreed = {"it": book.curve([0, 4], [0, 4], color=None)}
    right = [("word", (1, 3)), ("word", (3, 1))]
    assert judge(draw, book.panel(agreed, words=right)) == []
    [said] = judge(draw, book.panel(agreed, words=[("word", (1, 3)), ("word", (3, 1.5))]))
    assert "'word' stands at (3, 1), expected (3, 1.5)" in said


def test_colors_on_a_scale_without_a_name_are_told_by_its_kind():
    def draw(ax, color):
        ax.imshow([[1, 2]], norm=SymLogNorm(1, vmin=-3, vmax=3), gid="it")

    found = judge(draw, book.panel({"it": book.image([[1, 2]], limits=(-3, 3))}))
    assert found == ["it: its colors are SymLogNorm, not linear"]


@pytest.mark.parametrize("zlim", [(-2.9, 3), (-3, 2.9)])
def test_a_surface_must_not_lie_beyond_its_height_either(zlim):
    found = complaints("surface", lambda ax, color: ax.set_zlim(*zlim))
    assert "it: 1 of its points lie beyond the limits of the axes" in found


@pytest.mark.parametrize("step", [(0.25, 0), (0, 0.25)])
def test_a_surface_that_stands_beside_its_grid_is_noticed(step):
    """By a whole face along either axis of the grid, with the right colors."""
    x, y = GRID + step[0], 2 * GRID + 2 * step[1]

    @drawing(width=4, height=3.5, projection="3d")
    def beside(ax, color):
        shape = {"rstride": 1, "cstride": 1, "vmin": -3, "vmax": 3}
        ax.plot_surface(*np.meshgrid(x, y), HEIGHTS, cmap=color.surface, gid="it", **shape)

    for grid, is_right in (((x, y), True), ((GRID, 2 * GRID), False)):
        expected = book.surface(HEIGHTS, limits=(-3, 3), x=grid[0], y=grid[1])
        agreed = Contract([book.panel({"it": expected}, crops=True)])
        found = [str(each) for each in agreed.complaints(beside().figure(), beside().colors())]
        assert ([text for text in found if "no face stands at" in text] == []) is is_right


def test_a_promise_names_all_artists_and_the_loosest_tolerance():
    def draw(ax, color):
        framed(ax, ("one", [(0, 0), (4, 4)]), ("other", [(0, 4), (4, 0)]))

    one = book.curve([0, 4], [0, 4], color=None, tolerance=0.001)
    other = book.curve([0, 4], [4, 0], color=None, tolerance=0.02)
    part = book.contract(
        drawing(width=2, height=2)(draw)(), book.panel({"one": one, "other": other})
    )
    assert part.held and part.promise == "drawn as computed: 2 artists, to 2 % of the axes"


def test_the_picture_of_what_is_wrong_lies_in_the_folder_of_the_book_around(tmp_path, monkeypatch):
    """Of two books, one in the other, the inner one."""
    chapters = tmp_path / "outer" / "book" / "chapters"
    chapters.mkdir(parents=True)
    for folder in (chapters.parent, chapters.parent.parent):
        (folder / "_config.yml").touch()
    monkeypatch.chdir(chapters)
    spoilt = make("curve", lambda ax, color: moved(one(ax, "it"), 3, [0, 2]))
    finding = book.contract(spoilt, CURVE).finding
    path = "_build/figures/contracts/test_contracts.plane-light.png"
    assert f"see {path} (light)" in finding
    assert (chapters.parent / path).exists()


# Words about a figure


@drawing(width=3, height=2.5)
def curves(ax, color):
    ax.plot(X, X, gid="up")
    ax.plot(X, 5 - X, gid="down")
    ax.plot(X[::-1], X[::-1] + 1, gid="up, drawn from the right")
    ax.plot(X, (X - 2) ** 2, gid="valley")
    ax.plot(X, GAP * 0 - 1, gid="level")
    ax.plot(X[:1], [2], "o", gid="point")
    ax.scatter([5, 6], [1, 2], gid="aside")
    ax.axhline(-2, gid="floor")
    ax.plot([], [], gid="nothing")


WORDS_TRUE = [
    ("rises", "up"),
    ("rises", "up, drawn from the right"),
    ("falls", "down"),
    ("is constant", "level"),
    ("is constant", "floor"),
    ("has its lowest point inside", "valley"),
    ("above", "up", "level"),
    ("above", "up", "floor"),
    ("above", "aside", "floor"),
    ("below", "floor", "valley"),
    ("left of", "up", "aside"),
    ("right of", "aside", "up"),
    ("meets", "up", "down"),
    ("is the lowest", "floor"),
]
WORDS_FALSE = [
    ("rises", "down"),
    ("rises", "level"),
    ("rises", "point"),
    ("rises", "valley"),
    ("rises", "nothing"),
    ("falls", "up"),
    ("falls", "up, drawn from the right"),
    ("falls", "valley"),
    ("is constant", "valley"),
    ("is constant", "nothing"),
    ("has its lowest point inside", "up"),
    ("has its lowest point inside", "point"),
    ("has its highest point inside", "valley"),
    ("has its highest point inside", "nothing"),
    ("above", "up", "down"),
    ("above", "floor", "up"),
    ("above", "nothing", "up"),
    ("above", "up", "nothing"),
    ("left of", "nothing", "aside"),
    ("left of", "up", "nothing"),
    ("meets", "nothing", "up"),
    ("meets", "up", "nothing"),
    ("below", "up", "floor"),
    ("left of", "aside", "up"),
    ("left of", "up", "down"),
    ("right of", "up", "aside"),
    ("meets", "up", "level"),
    ("meets", "up", "aside"),
    ("is the highest", "up"),
    ("is the lowest", "up"),
]


@drawing(width=2, height=2)
def small(ax, color, here, there):
    ax.plot(*np.transpose(here), "o-", gid="here")
    ax.plot(*np.transpose(there), "o-", gid="there")


STEP = [(0, 1), (1, 1), (2, 2)]
APART = [(5, 5), (6, 6)]


@pytest.mark.parametrize(
    "word, here, held",
    [
        ("rises", STEP, True),
        ("rises", [(0, 1), (1, 2)], True),
        ("rises", [(0, 1), (1, 1)], False),
        ("rises", [(1, 1), (0, 2)], False),
        ("rises", [(0, 0), (1, 3), (2, 2)], False),
        ("falls", [(0, 2), (1, 1), (2, 1)], True),
        ("falls", [(0, 1), (1, 1)], False),
        ("is constant", [(0, 200), (1, 199)], True),
        ("is constant", [(0, -200), (1, -199), (2, -200)], True),
        ("is constant", [(0, 200), (1, 198)], False),
        ("is constant", [(0, 0), (1, 0)], True),
        ("is constant", [(0, 1)], False),
        ("has its lowest point inside", [(0, 1), (1, 0), (2, 1)], True),
        ("has its lowest point inside", [(0, 1), (1, 0), (2, 0)], False),
        ("has its lowest point inside", [(0, 0), (1, 0), (2, 1)], False),
        ("has its lowest point inside", [(0, 3), (1, 2), (2, 1)], False),
        ("has its lowest point inside", [(0, 1), (1, 0)], False),
        ("has its lowest point inside", [(1, 0), (0, 1), (2, 1)], True),
        ("has its lowest point inside", [(0, 1), (2, 0), (1, 1)], False),
        ("has its highest point inside", [(0, 0), (1, 1), (2, 0)], True),
        ("has its highest point inside", [(0, 0), (1, 1), (2, 1)], False),
        ("has its highest point inside", [(1, 1), (0, 0), (2, 0)], True),
    ],
)
def test_what_a_word_means_of_a_curve_of_few_points(word, here, held):
    part = book.says(small(here, APART), word, "here")
    assert part.held is held and part.promise == f"here {word}"


@pytest.mark.parametrize(
    "word, here, there, held",
    [
        ("above", [(0, 2), (2, 2)], [(0, 1), (2, 1)], True),
        ("above", [(0, 2), (2, 2)], [(0, 2), (2, 1)], False),
        ("above", [(0, 2), (2, 2)], [(1, 3), (5, -9)], False),
        ("above", [(0, 2), (2, 2)], [(2, 1), (5, 9)], True),
        ("above", [(0, 2), (2, 2)], [(3, 1), (5, 1)], False),
        ("above", [(2, 2), (0, 2)], [(5, 9), (2, 1)], True),
        ("below", [(0, 1), (2, 1)], [(0, 2), (2, 2)], True),
        ("below", [(0, 1), (2, 2)], [(0, 2), (2, 2)], False),
        ("left of", [(0, 0), (1, 0)], [(2, 0), (3, 0)], True),
        ("left of", [(0, 0), (1, 0)], [(1, 0), (3, 0)], False),
        ("left of", [(0, 0)], [(2, 0)], True),
        ("right of", [(2, 0), (3, 0)], [(0, 0), (1, 0)], True),
        ("right of", [(1, 0), (3, 0)], [(0, 0), (1, 0)], False),
        ("meets", [(0, 0), (2, 2)], [(0, 2), (2, 0)], True),
        ("meets", [(0, 1), (2, 2)], [(0, 1), (2, 0)], True),
        ("meets", [(0, 0), (2, 1)], [(0, 2), (2, 1)], True),
        ("meets", [(0, 0), (2, 1)], [(0, 2), (2, 1.5)], False),
        ("meets", [(0, 0), (1, 1)], [(1, 1), (2, 1)], True),
        ("meets", [(0, 0), (1, 1)], [(2, 1), (3, 1)], False),
    ],
)
def test_what_a_word_means_of_two_curves_of_few_points(word, here, there, held):
    part = book.says(small(here, there), word, "here", "there")
    assert part.held is held and part.promise == f"here {word} there"


def test_of_two_curves_one_is_the_highest_and_of_one_none():
    @drawing(width=2, height=2)
    def levels(ax, color, lower=True):
        ax.axhline(2, gid="two")
        if lower:
            ax.axhline(1, gid="one")

    assert book.says(levels(), "is the highest", "two").held
    assert book.says(levels(), "is the lowest", "one").held
    for word in ("is the highest", "is the lowest"):
        assert not book.says(levels(lower=False), word, "two").held


@pytest.mark.parametrize("words", WORDS_TRUE, ids=" ".join)
def test_what_a_caption_may_say(words):
    word, *names = words
    part = book.says(curves(), word, *names)
    assert part.held and part.finding == "so it is" and part.measured == 0


@pytest.mark.parametrize("words", WORDS_FALSE, ids=" ".join)
def test_what_a_caption_may_not_say(words):
    word, *names = words
    part = book.says(curves(), word, *names)
    assert not part.held and part.finding == "it is not so" and part.measured is None
    with pytest.raises(book.ClaimError, match=f"Not {names[0]} {word}"):
        book.claim("fig-it", "It is so.", part)


@pytest.mark.parametrize(
    "words, message",
    [
        (["glows", "up"], "word must be one of rises"),
        (["above", "up"], "of two curves"),
        (["rises", "up", "down"], "of one curve"),
        (["rises", "sideways"], "gid must name one line or scatter, got 'sideways' of 0"),
    ],
)
def test_words_that_nobody_knows(words, message):
    with pytest.raises(ValueError, match=message):
        book.says(curves(), *words)
