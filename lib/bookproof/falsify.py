"""Falsify every figure and see whether its contract notices.

    python -m bookproof.falsify [notebook ...] [--share 0.3] [--sample 0.1] [--seed 0]
                                [--least 0.98]

Runs the notebooks, or a share of them, then spoils each figure in one way at a time: an artist
moved, stretched, reversed, exchanged with another or left out; two labels or colors exchanged;
another scale, other limits, another word. A stored picture would notice all of it; here nobody
looks at the stored picture, as if the wrong figure had been accepted. Lists what passes, with the
share that was caught. Fails if that is too small, or if a figure has no contract.
"""

import argparse
import contextlib
import functools
import gc
import io
import itertools
import math
import os
import pickle
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import LogNorm, to_hex
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from mpl_toolkits.mplot3d.art3d import Line3D, Path3DCollection, Poly3DCollection
from tqdm import tqdm

from .contracts import VISIBLE, Contract, recorded
from .drawing import Drawing
from .drawn import (
    artists_by_gid,
    color_bars_of,
    colors_of,
    from_shares,
    is_seen,
    panels_of,
    points_of,
    shares_of,
    tick_labels,
)

SHIFT = 0.02  # share of the axis by which artists are moved
LEAP = 0.05  # share of the axis by which one point is moved
STRETCH = 1.05
WRONG_COLOR = "#00aa55"


@dataclass(frozen=True)
class Falsification:
    """One way to spoil a figure: `spoil(figure)` changes it and says whether there is a change to
    see.
    """

    artist: str
    what: str
    spoil: Callable[[Figure], bool]


@dataclass(frozen=True)
class Result:
    """What became of one falsification: "caught", "missed", or "invisible" where nobody could see
    the difference.
    """

    figure: str
    artist: str
    what: str
    outcome: str


# All falsifications of a figure


def falsifications(figure: Figure, helpers: Sequence = ()) -> Iterator[Falsification]:
    """Yield every falsification of a figure; `helpers` are the gids that each panel may draw as it
    likes. Each falsification finds its artist by its place, so that it serves a copy of the figure.
    """
    panels = panels_of(figure)
    for panel, ax in enumerate(panels):
        guides = helpers[panel] if panel < len(helpers) else ()
        yield from _of_artists(panel, ax, guides)
        yield from _of_texts(panel, ax)
        for what, change in {**AXES, **ranges_cut(guides)}.items():
            yield Falsification(f"panel {panel + 1}", what, _on_axes(panel, change))
        if len(panels) > 1:
            yield Falsification(f"panel {panel + 1}", "left out", _on_axes(panel, leave_out))
    for number in range(len(color_bars_of(figure))):
        name = f"color bar {number + 1}"
        for what, change in BARS.items():
            yield Falsification(name, what, _on_bar(number, change))


def _of_artists(panel, ax, guides):
    artists = carriers(ax)
    named = [(place, each) for place, each in enumerate(artists) if each.get_gid() not in guides]
    for place, artist in named:
        for what, change in changes_of(artist).items():
            yield Falsification(artist.get_gid(), what, _on_artists(panel, [place], change))
    for (place, artist), (other, rival) in itertools.combinations(named, 2):
        pair = f"{artist.get_gid()} and {rival.get_gid()}"
        for what, change in exchanges_of(artist, rival).items():
            yield Falsification(pair, what, _on_artists(panel, [place, other], change))


def _of_texts(panel, ax):
    for place, text in enumerate(ax.texts):
        for what, change in TEXTS.items():
            yield Falsification(repr(text.get_text()), what, _on_texts(panel, [place], change))
    for (place, text), (other, rival) in itertools.combinations(enumerate(ax.texts), 2):
        pair = f"{text.get_text()!r} and {rival.get_text()!r}"
        spoil = _on_texts(panel, [place, other], exchange_words)
        yield Falsification(pair, "labels exchanged", spoil)
    if ax.get_legend() is not None:
        spoil = _on_axes(panel, exchange_entries)
        yield Falsification(f"panel {panel + 1}", "legend's entries exchanged", spoil)


def _on_artists(panel, places, change):
    def spoil(figure):
        artists = carriers(panels_of(figure)[panel])
        return change(*(artists[place] for place in places))

    return spoil


def _on_texts(panel, places, change):
    def spoil(figure):
        texts = panels_of(figure)[panel].texts
        return change(*(texts[place] for place in places))

    return spoil


def _on_axes(panel, change):
    return lambda figure: change(panels_of(figure)[panel])


def _on_bar(number, change):
    return lambda figure: change(color_bars_of(figure)[number])


def carriers(ax: Axes) -> list[Artist]:
    """Return the artists of a panel that a falsification can change: those with a gid."""
    return [each for gid, found in artists_by_gid(ax).items() if gid is not None for each in found]


def changes_of(artist: Artist) -> dict[str, Callable]:
    """Return the ways to spoil one artist, {what: change}."""
    always = {"left out": leave_out, "another color": recolor}
    if isinstance(artist, AxesImage):
        return IMAGE
    if isinstance(artist, Poly3DCollection):
        return SURFACE
    if is_bar(artist):
        return {**BAR, **always}
    if vertices_of(artist) is None:
        return always
    if isinstance(artist, ContourSet):
        return {**MOVES, "a level left out": empty_path, **always}
    if isinstance(artist, Line2D | PathCollection) and not is_across(artist):
        return {**MOVES, **POINTS, **always}
    return {**MOVES, **always}


def exchanges_of(artist: Artist, rival: Artist) -> dict[str, Callable]:
    """Return the ways to spoil two artists of a panel by an exchange, {what: change}."""
    found = {"colors exchanged": exchange_colors}
    if is_bar(artist) and is_bar(rival):
        found["bars exchanged"] = exchange_bars
    elif type(artist) is type(rival) and isinstance(artist, Line2D | PathCollection):
        if vertices_of(artist) is not None:
            found["data exchanged"] = exchange_data
    if isinstance(artist, Line2D) and isinstance(rival, Line2D):
        found["dashes and markers exchanged"] = exchange_looks
    return found


def is_bar(artist: Artist) -> bool:
    """Say whether an artist is a bar that bar or barh drew."""
    return isinstance(artist, Rectangle) and _container(artist) is not None


def is_across(artist: Artist) -> bool:
    """Say whether a line or a strip crosses its panel from edge to edge, as axhline and axvspan
    draw it.
    """
    if isinstance(artist, Line3D) or not isinstance(artist, Line2D | Rectangle):
        return False
    [points] = vertices_of(artist)
    return len(points) == 2 and (_runs_along(artist, 0) or _runs_along(artist, 1))


def _container(bar):
    bars = [each for each in bar.axes.containers if isinstance(each, BarContainer)]
    return next((container for container in bars if bar in container), None)


# What can be wrong with vertices. Each change says whether a reader can see it.


def vertices_of(artist: Artist) -> list[np.ndarray] | None:
    """Return what an artist is drawn through, pieces of (n, 2 or 3) in data coordinates; None where
    they cannot be changed.
    """
    if isinstance(artist, Path3DCollection):
        return None
    if isinstance(artist, Line2D | PathCollection):
        return [points_of(artist).copy()]
    if isinstance(artist, LineCollection):
        return artist.get_segments()
    if isinstance(artist, PolyCollection | ContourSet):
        return [np.array(path.vertices) for path in artist.get_paths()]
    if isinstance(artist, Polygon):
        return [np.array(artist.get_xy())]
    if isinstance(artist, Rectangle):
        return [artist.get_bbox().get_points()]
    return None


def set_vertices(artist: Artist, pieces: list[np.ndarray]) -> None:
    """Draw an artist through other vertices, as `vertices_of` returns them."""
    if isinstance(artist, Line3D):
        artist.set_data_3d(*pieces[0].T)
    elif isinstance(artist, Line2D):
        artist.set_data(*pieces[0].T)
    elif isinstance(artist, PathCollection):
        artist.set_offsets(pieces[0])
    elif isinstance(artist, LineCollection):
        artist.set_segments(pieces)
    elif isinstance(artist, Polygon):
        artist.set_xy(pieces[0])
    elif isinstance(artist, Rectangle):
        [[left, bottom], [right, top]] = pieces[0]
        artist.set_bounds(left, bottom, right - left, top - bottom)
    else:
        for path, piece in zip(artist.get_paths(), pieces, strict=True):
            path.vertices = piece


def _replace(artist, pieces):
    """Draw an artist through other vertices and say True, if one of them moves by what a reader can
    see.
    """
    before = vertices_of(artist)
    offsets = [
        np.abs(shares_of(artist.axes, here) - shares_of(artist.axes, there))
        for here, there in zip(before, pieces, strict=True)
        if len(here) == len(there)
    ]
    is_shorter = len(offsets) < len(before)
    moved = [np.nanmax(np.where(np.isfinite(off), off, 0), initial=0) for off in offsets]
    if not is_shorter and not max(moved, default=0) > VISIBLE:
        return False
    set_vertices(artist, pieces)
    return True


def _moved(ax, piece, column, share):
    """Return a piece moved along one axis by a share of it."""
    shares = shares_of(ax, piece)
    shares[:, column] += share
    moved = piece.copy()
    moved[:, column] = from_shares(ax, shares)[:, column]
    return np.where(np.isfinite(moved), moved, piece)


def _move(artist, column):
    pieces = vertices_of(artist)
    if column >= pieces[0].shape[1]:
        return False
    if is_across(artist) and _runs_along(artist, column):
        return False
    return _replace(artist, [_moved(artist.axes, piece, column, SHIFT) for piece in pieces])


def _runs_along(artist, column):
    """Say whether a line or strip across the panel runs along this axis."""
    is_line = isinstance(artist, Line2D)
    transform = artist.get_transform() if is_line else artist.get_data_transform()
    places = artist.axes.transAxes.inverted().transform(transform.transform(vertices_of(artist)[0]))
    return np.allclose(np.sort(places[:, column]), [0, 1])


def move_x(artist):
    return _move(artist, 0)


def move_y(artist):
    return _move(artist, 1)


def move_z(artist):
    return _move(artist, 2)


def stretch(artist):
    """Multiply the last coordinate."""
    pieces = vertices_of(artist)
    column = pieces[0].shape[1] - 1
    if is_across(artist) and _runs_along(artist, column):
        return False
    factors = np.ones(column + 1)
    factors[column] = STRETCH
    return _replace(artist, [piece * factors for piece in pieces])


def move_point(artist):
    [points] = vertices_of(artist)
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    place = finite[len(finite) // 2]
    column = points.shape[1] - 1
    point = points[[place]]
    is_low = shares_of(artist.axes, point)[0, column] < 0.5
    points[place] = _moved(artist.axes, point, column, LEAP if is_low else -LEAP)[0]
    return _replace(artist, [points])


def reverse(artist):
    [points] = vertices_of(artist)
    points[:, -1] = points[::-1, -1]
    return _replace(artist, [points])


def cut(artist):
    [points] = vertices_of(artist)
    if len(points) < 2:
        return False
    return _replace(artist, [points[: len(points) // 2]])


def change_steps(artist):
    """Join the points of steps by straight lines."""
    if not isinstance(artist, Line2D) or artist.get_drawstyle() == "default":
        return False
    artist.set_drawstyle("default")
    return True


def empty_path(artist):
    """Leave out one of the contour lines."""
    pieces = vertices_of(artist)
    drawn = [place for place, piece in enumerate(pieces) if len(piece)]
    path = artist.get_paths()[drawn[len(drawn) // 2]]
    path.vertices, path.codes = path.vertices[:0], None
    return True


MOVES = {
    "moved along x": move_x,
    "moved along y": move_y,
    "moved along z": move_z,
    "stretched": stretch,
}
POINTS = {
    "one point moved": move_point,
    "reversed": reverse,
    "cut off": cut,
    "joined otherwise": change_steps,
}


def exchange_data(one, other):
    if is_across(one) or is_across(other):
        return False
    [here], [there] = vertices_of(one), vertices_of(other)
    if here.shape == there.shape:
        off = np.abs(shares_of(one.axes, here) - shares_of(one.axes, there))
        if not np.nanmax(np.where(np.isfinite(off), off, 0)) > VISIBLE:
            return False
    set_vertices(one, [there])
    set_vertices(other, [here])
    return True


# What can be wrong with bars


def lengthen(bar):
    if _lies(bar):
        bar.set_width(bar.get_width() * STRETCH)
    else:
        bar.set_height(bar.get_height() * STRETCH)
    return True


def move_bar(bar):
    column = 1 if _lies(bar) else 0
    points = vertices_of(bar)[0]
    return _replace(bar, [_moved(bar.axes, points, column, SHIFT)])


def exchange_bars(one, other):
    here, there = ((each.get_width(), each.get_height()) for each in (one, other))
    if np.allclose(here, there):
        return False
    for bar, (width, height) in ((one, there), (other, here)):
        bar.set_width(width)
        bar.set_height(height)
    return True


def _lies(bar):
    return _container(bar).orientation == "horizontal"


BAR = {"longer": lengthen, "moved": move_bar}


# What can be wrong with looks


def leave_out(artist):
    artist.remove()
    return True


def recolor(artist):
    _set_color(artist, WRONG_COLOR)
    return True


def exchange_colors(one, other):
    here, there = (_color_of(artist) for artist in (one, other))
    if here is None or there is None or here == there:
        return False
    _set_color(one, there)
    _set_color(other, here)
    return True


def _color_of(artist):
    colors = colors_of(artist, "none")
    return to_hex(colors[0]) if colors else None


def _set_color(artist, color):
    if isinstance(artist, ContourSet):
        artist.set_edgecolor(color)
        return
    artist.set_color(color)
    if isinstance(artist, Line2D):
        artist.set_markerfacecolor(color)
        artist.set_markeredgecolor(color)


def exchange_looks(one, other):
    """Exchange dashes and markers of two lines of one color, which only these tell apart."""
    here, there = ((each.get_linestyle(), each.get_marker()) for each in (one, other))
    if here == there or _color_of(one) != _color_of(other):
        return False
    for artist, (dash, marker) in ((one, there), (other, here)):
        artist.set_linestyle(dash)
        artist.set_marker(marker)
    return True


# What can be wrong with images and surfaces


def _set_values(mapped, values):
    """Show other values in the same colors; say whether there is a change to see."""
    before = np.ma.asarray(mapped.get_array())
    mapped.autoscale_None()
    norm = mapped.norm
    here, there = (np.ma.filled(np.ma.asarray(norm(each), float), -1) for each in (before, values))
    if np.abs(np.clip(here, -1, 2) - np.clip(there, -1, 2)).max() <= VISIBLE:
        return False
    mapped.set_array(values)
    return True


def brighten(mapped):
    """Move all colors by a part of their range."""
    values = np.ma.asarray(mapped.get_array())
    mapped.autoscale_None()
    low, high = mapped.norm.inverse(np.array([0.5, 0.5 + LEAP]))
    is_logarithmic = isinstance(mapped.norm, LogNorm)
    return _set_values(mapped, values * (high / low) if is_logarithmic else values + (high - low))


def change_value(mapped):
    """Give one entry the color of the other end."""
    values = np.ma.array(mapped.get_array(), copy=True)
    free = np.argwhere(~np.ma.getmaskarray(values))
    place = tuple(free[len(free) // 2])
    mapped.autoscale_None()
    low, high = mapped.get_clim()
    values[place] = low if mapped.norm(values[place]) > 0.5 else high
    return _set_values(mapped, values)


def turn_over(mapped):
    values = np.ma.asarray(mapped.get_array())
    return _set_values(mapped, values[::-1])


def mirror(image):
    return _set_values(image, np.ma.asarray(image.get_array())[:, ::-1])


def unmask(image):
    values = np.ma.asarray(image.get_array())
    if not np.ma.getmaskarray(values).any():
        return False
    return _set_values(image, values.filled(image.get_clim()[0]))


def move_image(image):
    left, right, bottom, top = image.get_extent()
    ax = image.axes
    limits = ax.get_xlim(), ax.get_ylim()
    step = SHIFT * (right - left)
    image.set_extent((left + step, right + step, bottom, top))
    ax.set(xlim=limits[0], ylim=limits[1])
    return True


def rescale_colors(mapped):
    low, _ = mapped.get_clim()
    middle = mapped.norm.inverse(0.5)
    mapped.set_clim(low, float(middle))
    return True


def change_map(mapped):
    mapped.set_cmap("magma")
    return True


MAPPED = {
    "values changed": brighten,
    "one value changed": change_value,
    "turned over": turn_over,
    "another range of colors": rescale_colors,
    "another color map": change_map,
    "left out": leave_out,
}
IMAGE = {**MAPPED, "mirrored": mirror, "its mask lost": unmask, "moved": move_image}
SURFACE = MAPPED


# What can be wrong with words


def exchange_words(one, other):
    here, there = one.get_text(), other.get_text()
    if here == there:
        return False
    one.set_text(there)
    other.set_text(here)
    return True


def change_word(text):
    text.set_text(f"{text.get_text()}7")
    return True


def exchange_entries(ax):
    texts = ax.get_legend().get_texts()
    return bool(texts) and exchange_words(texts[0], texts[-1])


TEXTS = {"another word": change_word, "left out": leave_out}


# What can be wrong with axes


def _axis_change(name, change):
    """Return a change of one axis as one of the panel, where it has this axis and shows it."""

    def spoil(ax):
        axis = getattr(ax, f"{name}axis", None)
        return axis is not None and is_seen(axis) and change(ax, name)

    return spoil


def change_scale(ax, name):
    if ax.name == "3d":
        return False
    scale = getattr(ax, f"get_{name}scale")()
    getattr(ax, f"set_{name}scale")("linear" if scale == "log" else "symlog")
    return True


def ranges_cut(guides: Sequence[str]) -> dict[str, Callable]:
    """Return the changes that let an axis begin in the middle of the data, `guides` aside."""
    cut_range = functools.partial(_cut_range, guides)
    return {f"data cut by the range of {name}": _axis_change(name, cut_range) for name in "xyz"}


def _cut_range(guides, ax, name):
    column = "xyz".index(name)
    shares = [_range_of(each, column) for each in carriers(ax) if each.get_gid() not in guides]
    shares = np.concatenate([*shares, np.zeros(0)])
    shares = shares[np.isfinite(shares) & (shares >= 0) & (shares <= 1)]
    if len(shares) == 0 or np.ptp(shares) < 2 * VISIBLE:
        return False
    middle = np.full((1, 3 if name == "z" else 2), (shares.min() + shares.max()) / 2)
    low = from_shares(ax, middle)[0, column]
    getattr(ax, f"set_{name}lim")(low, getattr(ax, f"get_{name}lim")()[1])
    return True


def _range_of(artist, column):
    """Return where an artist lies along one axis, in shares of it."""
    if isinstance(artist, AxesImage):
        left, right, bottom, top = artist.get_extent()
        pieces = [np.array([[left, bottom], [right, top]])]
    else:
        pieces = [] if is_across(artist) else vertices_of(artist) or []
    pieces = [piece for piece in pieces if piece.shape[1] > column]
    return np.concatenate([*(shares_of(artist.axes, p)[:, column] for p in pieces), np.zeros(0)])


def change_label(ax, name):
    set_label = getattr(ax, f"set_{name}label")
    set_label(f"{getattr(ax, f'get_{name}label')()} (km)")
    return True


def exchange_axis_labels(ax):
    x, y = ax.get_xlabel(), ax.get_ylabel()
    if x == y:
        return False
    ax.set(xlabel=y, ylabel=x)
    return True


def exchange_ticks(ax, name):
    axis = getattr(ax, f"{name}axis")
    labels = tick_labels(axis)
    if not labels or labels[0][0] == labels[-1][0]:
        return False
    texts, places = zip(*labels, strict=True)
    limits = axis.get_view_interval()
    axis.set_ticks(places, texts[::-1])
    getattr(ax, f"set_{name}lim")(*limits)
    return True


AXES = {
    **{f"another scale of {name}": _axis_change(name, change_scale) for name in "xy"},
    **{f"another {name} label": _axis_change(name, change_label) for name in "xyz"},
    **{f"tick labels of {name} exchanged": _axis_change(name, exchange_ticks) for name in "xyz"},
    "axis labels exchanged": exchange_axis_labels,
}


def change_bar_label(bar):
    bar.set_label(f"{_bar_axis(bar).get_label_text()} (%)")
    return True


def exchange_bar_ticks(bar):
    labels = tick_labels(_bar_axis(bar))
    if len(labels) < 2:
        return False
    texts, places = zip(*labels, strict=True)
    bar.set_ticks(places, labels=texts[::-1])
    return True


def _bar_axis(bar):
    return bar.ax.yaxis if bar.orientation == "vertical" else bar.ax.xaxis


BARS = {"another label": change_bar_label, "tick labels exchanged": exchange_bar_ticks}


# Trying them


def falsify(
    name: str,
    drawing: Drawing,
    agreed: Contract,
    *,
    mode: str = "light",
    sample: float = 1.0,
    seed: int = 0,
) -> list[Result]:
    """Return the `Result`s of the falsifications of one figure against its contract, of all of them
    or of a random sample, the same one for the same `seed`.
    """
    copy = copies(drawing, mode)
    helpers = [panel.helpers for panel in agreed.panels]
    results = []
    gc.freeze()  # what is there stays: most of the time would go into looking at it again
    figure = copy()
    for each in falsifications(copy(), helpers):
        if not is_chosen(f"{seed} {name} {each.artist} {each.what}", sample):
            continue
        outcome = "invisible"
        if each.spoil(figure):
            outcome = "missed" if agreed.holds(figure, drawing.colors(mode)) else "caught"
            if outcome == "missed" and not look_different(copy(), figure):
                outcome = "invisible"
            figure = copy()
        results.append(Result(name, each.artist, each.what, outcome))
    gc.unfreeze()
    return results


def copies(drawing: Drawing, mode: str) -> Callable[[], Figure]:
    """Return a function that makes new copies of a drawing's figure, laid out once for all."""
    laid_out, figure = drawing.figure(mode), drawing.figure(mode)
    laid_out.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax, placed in zip(figure.axes, laid_out.axes, strict=True):
        ax.set_position(placed.get_position())
        ax.get_xlim()  # brings all limits up to date
    try:
        packed = pickle.dumps(figure)
    except (pickle.PicklingError, AttributeError, TypeError):  # a lambda formats ticks
        return functools.partial(drawing.figure, mode)
    return functools.partial(pickle.loads, packed)


def is_chosen(key: str, share: float) -> bool:
    """Say whether something is in a random sample; the answer hangs on its key alone."""
    return random.Random(key).random() < share


def choose_some(paths: Sequence[Path], share: float, seed: int) -> list[Path]:
    """Return a share of some files, drawn at random and at least one, in their order."""
    drawn = random.Random(seed).sample(range(len(paths)), math.ceil(share * len(paths)))
    return [paths[place] for place in sorted(drawn)]


def look_different(one: Figure, other: Figure) -> bool:
    """Say whether two figures differ in a pixel."""
    return pixels_of(one) != pixels_of(other)


def pixels_of(figure: Figure, dpi: int = 100) -> bytes:
    """Return the pixels of a figure with all that stands around it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="rgba", dpi=dpi, bbox_inches="tight")
    return drawn.getvalue()


# The figures of a notebook


def contracts_of(path: Path) -> tuple[dict[str, tuple[Drawing, Contract]], list[str]]:
    """Run a notebook in this process; return {figure: (drawing, contract)}, and the figures that
    have none.
    """
    shown = {}
    with recorded() as made, contextlib.redirect_stdout(io.StringIO()):
        for cell, value in run(path):
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
            if name is not None:
                shown[name] = value
    agreed = {id(drawing): (drawing, contract) for drawing, contract in made}
    held = {name: agreed[id(value)] for name, value in shown.items() if id(value) in agreed}
    return held, [name for name in shown if name not in held]


def run(path: Path) -> Iterator[tuple]:
    """Run a notebook in its folder, and yield each of its cells of code with the value of its last
    line, without showing it.
    """
    import nbformat
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell

    values = []

    class Keep(DisplayHook):
        def __call__(self, result=None):
            values.append(result)

    notebook = nbformat.read(path, as_version=4)
    before, folder = os.getcwd(), str(Path(path).resolve().parent)
    main_module = sys.modules["__main__"]
    shell = InteractiveShell(displayhook_class=Keep)  # calls itself __main__
    os.chdir(folder)
    sys.path.insert(0, folder)
    try:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                values[:] = [None]
                shell.run_cell(cell.source, store_history=False).raise_error()
                yield cell, values[-1]
    finally:
        sys.modules["__main__"] = main_module
        sys.path.remove(folder)
        os.chdir(before)


def falsify_notebook(path: Path, sample: float, seed: int) -> tuple[list[Result], list[str]]:
    """Return the results of all figures of one notebook, and the figures without a contract."""
    held, missing = contracts_of(path)
    results = []
    for name, (drawing, agreed) in held.items():
        title = f"{path.stem}: {name}"
        results += falsify(title, drawing, agreed, sample=sample, seed=seed)
    return results, [f"{path.stem}: {name}" for name in missing]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookproof.falsify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the notebooks, that is run")
    parser.add_argument("--sample", type=float, default=1.0, help="the share that is tried")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.98, help="the share that must be caught")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="notebooks at a time")
    options = parser.parse_args(arguments)
    notebooks = options.notebooks or sorted(Path("chapters").glob("*.ipynb"))
    paths = choose_some(notebooks, options.share, options.seed)
    work = functools.partial(falsify_notebook, sample=options.sample, seed=options.seed)
    results, without = [], []
    # A process each: a notebook may change whatever a process shares.
    with ProcessPoolExecutor(options.jobs, max_tasks_per_child=1) as pool:
        for found, missing in tqdm(pool.map(work, paths), total=len(paths), unit="notebook"):
            results += found
            without += missing
    return report(results, without, options.least)


def report(results: list[Result], without: list[str], least: float) -> int:
    """Print what was missed and the share that was caught; return 0 if that is at least `least` and
    every figure has a contract.
    """
    visible = [result for result in results if result.outcome != "invisible"]
    missed = [result for result in visible if result.outcome == "missed"]
    for result in missed:
        print(f"missed: {result.figure}, {result.artist}: {result.what}")
    for name in without:
        print(f"no contract: {name}")
    caught = len(visible) - len(missed)
    share = caught / len(visible) if visible else 0.0
    print(f"{caught} of {len(visible)} falsifications caught ({100 * share:.1f} %)")
    return 0 if share >= least and not without else 1


if __name__ == "__main__":
    sys.exit(main())
