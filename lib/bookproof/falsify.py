"""Falsify every figure and see whether its contract notices.

    python -m bookproof.falsify [notebook ...] [--sample 0.1] [--seed 0]

Runs the notebooks, then draws each figure with one thing wrong: an artist moved, stretched,
reversed, exchanged with another or left out; two labels or colors exchanged; another scale, other
limits, another word. A stored picture would notice all of it; here nobody looks at the stored
picture, as if the wrong figure had been accepted. What passes is listed, with the share that was
caught.
"""

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from mpl_toolkits.mplot3d.art3d import Line3D
from tqdm import tqdm

from .contracts import VISIBLE, _color_of, _is_color, _points

SHIFT = 0.02  # share of the axis by which artists are moved
STRETCH = 1.05


@dataclass(frozen=True)
class Falsification:
    """One way to spoil a figure: `spoil(figure, colors)` changes it and returns False where that
    would change nothing to see.
    """

    artist: str
    what: str
    spoil: Callable


@dataclass(frozen=True)
class Result:
    """What became of one falsification: "caught", "missed", or "invisible" where nobody could see
    the difference.
    """

    figure: str
    artist: str
    what: str
    outcome: str


def panels_of(figure):
    return [ax for ax in figure.axes if not hasattr(ax, "_colorbar")]


def carriers(ax):
    """Return the artists of a panel that a falsification can change: those with a gid."""
    artists = [*ax.lines, *ax.collections, *ax.patches, *ax.images]
    return [artist for artist in artists if artist.get_gid() is not None]


def falsifications(figure, helpers=()) -> Iterator[Falsification]:
    """Yield every falsification of a figure. Each finds its artist by its place, so that it serves
    a new drawing of the figure.
    """
    for number, ax in enumerate(panels_of(figure)):
        guides = helpers[number] if number < len(helpers) else ()
        artists = carriers(ax)
        for place, artist in enumerate(artists):
            if artist.get_gid() in guides:
                continue
            for what, change in changes_of(artist):
                yield Falsification(artist.get_gid(), what, _on_artist(number, place, change))
            for other, rival in enumerate(artists):
                if other > place and type(rival) is type(artist) and rival.get_gid() not in guides:
                    pair = f"{artist.get_gid()} and {rival.get_gid()}"
                    if isinstance(artist, Line2D | PathCollection):
                        yield Falsification(
                            pair, "data exchanged", _on_pair(number, place, other, exchange_data)
                        )
                    yield Falsification(
                        pair, "colors exchanged", _on_pair(number, place, other, exchange_colors)
                    )
        for one, other in itertools.combinations(range(len(ax.texts)), 2):
            pair = f"{ax.texts[one].get_text()!r} and {ax.texts[other].get_text()!r}"
            yield Falsification(pair, "labels exchanged", _on_texts(number, one, other))
        for place, text in enumerate(ax.texts):
            yield Falsification(repr(text.get_text()), "another word", _on_text(number, place))
        for what, change in AXES.items():
            yield Falsification(f"panel {number + 1}", what, _on_axes(number, change))
    if len(panels_of(figure)) > 1:
        yield Falsification(
            "figure", "a panel left out", lambda figure, colors: panels_of(figure)[-1].remove()
        )


def changes_of(artist):
    """Return the ways to change one artist, as pairs of a word and a function of the artist and its
    axes.
    """
    if isinstance(artist, Line3D):
        return []
    if isinstance(artist, Line2D | PathCollection):
        found = [
            ("moved along x", move_x),
            ("moved along y", move_y),
            ("stretched along y", stretch_y),
        ]
        if len(_points(artist)) > 1 and not is_across(artist):
            found += [("one point moved", move_point), ("reversed", reverse), ("cut off", cut)]
        return [*found, ("left out", leave_out), ("another color", recolor)]
    if isinstance(artist, AxesImage):
        return [
            ("values changed", brighten),
            ("one pixel changed", change_pixel),
            ("turned over", turn_over),
            ("another range of colors", rescale_colors),
            ("another color map", change_map),
            ("left out", leave_out),
        ]
    if isinstance(artist, Polygon):
        return [
            ("moved along y", move_polygon),
            ("left out", leave_out),
            ("another color", recolor),
        ]
    if isinstance(artist, Rectangle):
        return [("longer", lengthen), ("left out", leave_out), ("another color", recolor)]
    return [("left out", leave_out)]


def is_across(artist):
    """Say whether a line crosses its panel from edge to edge, as axhline draws it."""
    return isinstance(artist, Line2D) and artist.get_transform() != artist.axes.transData


# What can be wrong with an artist. Each returns False where it would change nothing.


def set_points(artist, points):
    if isinstance(artist, Line2D):
        artist.set_data(*points.T)
    else:
        artist.set_offsets(points)


def _move(artist, column, share):
    ax = artist.axes
    points = _points(artist).copy()
    transform = ax.transScale + ax.transLimits
    if is_across(artist):
        if np.ptp(points[:, column]) > 0:
            return False  # along itself
        values = transform.transform([[points[0, 0], points[0, 1]]])
        values[:, column] += share
        points[:, column] = transform.inverted().transform(values)[0, column]
    else:
        with np.errstate(all="ignore"):
            places = transform.transform(points)
            places[:, column] += share
            points = transform.inverted().transform(places)
    set_points(artist, points)
    return None


def move_x(artist):
    return _move(artist, 0, SHIFT)


def move_y(artist):
    return _move(artist, 1, SHIFT)


def stretch_y(artist):
    points = _points(artist).copy()
    points[:, 1] *= STRETCH
    return _replace(artist, points)


def move_point(artist):
    points = _points(artist).copy()
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    place = finite[len(finite) // 2]
    ax = artist.axes
    transform = ax.transScale + ax.transLimits
    there = transform.transform(points[place : place + 1])
    there[0, 1] += 0.05 if there[0, 1] < 0.5 else -0.05
    points[place] = transform.inverted().transform(there)[0]
    return _replace(artist, points)


def reverse(artist):
    points = _points(artist).copy()
    points[:, 1] = points[::-1, 1]
    return _replace(artist, points)


def cut(artist):
    points = _points(artist)
    set_points(artist, points[: max(1, len(points) // 2)])


def _replace(artist, points):
    """Give an artist other points; say False where no point moves by what a reader can see."""
    before = _points(artist)
    ax = artist.axes
    transform = ax.transScale + ax.transLimits
    with np.errstate(all="ignore"):
        moved = np.abs(transform.transform(points) - transform.transform(before))
    if not np.nanmax(np.where(np.isfinite(moved), moved, 0)) > VISIBLE:
        return False
    set_points(artist, points)
    return None


def leave_out(artist):
    artist.remove()


def recolor(artist):
    wrong = "#00aa55"
    if isinstance(artist, Line2D):
        artist.set_color(wrong)
    else:
        artist.set_facecolor(wrong)


def brighten(artist):
    _set_values(artist, np.ma.asarray(artist.get_array()) * 1.5 + 0.1 * np.ptp(artist.get_clim()))


def change_pixel(artist):
    values = np.ma.array(artist.get_array(), copy=True)
    free = np.argwhere(~np.ma.getmaskarray(values))
    place = tuple(free[len(free) // 2])
    low, high = artist.get_clim()
    values[place] = high if abs(values[place] - low) < abs(values[place] - high) else low
    _set_values(artist, values)


def turn_over(artist):
    values = np.ma.array(artist.get_array(), copy=True)
    turned = values[::-1, ::-1]
    if (
        np.ma.allclose(turned, values)
        and (np.ma.getmaskarray(turned) == np.ma.getmaskarray(values)).all()
    ):
        return False
    _set_values(artist, turned)
    return None


def _set_values(artist, values):
    limits = artist.get_clim()
    artist.set_data(values)
    artist.set_clim(*limits)


def rescale_colors(artist):
    low, high = artist.get_clim()
    artist.set_clim(low, low + (high - low) / 2)


def change_map(artist):
    artist.set_cmap("magma")


def move_polygon(artist):
    low, high = artist.axes.get_ylim()
    artist.set_xy(artist.get_xy() + [0, SHIFT * (high - low)])


def lengthen(artist):
    artist.set_width(artist.get_width() * 1.1)


def exchange_data(one, other):
    here, there = _points(one), _points(other)
    if here.shape == there.shape and np.array_equal(here, there, equal_nan=True):
        return False
    if is_across(one) != is_across(other):
        return False
    set_points(one, there)
    set_points(other, here)
    return None


def exchange_colors(one, other):
    here, there = _color_of(one), _color_of(other)
    if (
        here is None
        or there is None
        or _is_color(here, np.atleast_2d(there)[0] if not isinstance(there, str) else there)
    ):
        return False
    for artist, color in ((one, there), (other, here)):
        set_color = artist.set_color if isinstance(artist, Line2D) else artist.set_facecolor
        set_color(color)
    return None


# What can be wrong with axes


def change_scale(ax):
    if hasattr(ax, "get_zlim"):
        return False
    ax.set_yscale("linear" if ax.get_yscale() == "log" else "symlog")
    return None


def narrow(ax):
    if not carriers(ax):
        return False
    low, high = ax.get_ylim()
    logarithmic = ax.get_yscale() == "log"
    middle = np.sqrt(low * high) if logarithmic else (low + high) / 2
    ax.set_ylim(middle, high)
    return None


def change_xlabel(ax):
    ax.set_xlabel(f"{ax.get_xlabel()} (km)")


def change_ylabel(ax):
    ax.set_ylabel(f"{ax.get_ylabel()} (%)")


def exchange_axis_labels(ax):
    x, y = ax.get_xlabel(), ax.get_ylabel()
    if x == y:
        return False
    ax.set_xlabel(y)
    ax.set_ylabel(x)
    return None


def retype_ticks(ax):
    ax.figure.draw_without_rendering()
    labels = [text.get_text() for text in ax.get_xticklabels()]
    if len(labels) < 2 or labels[0] == labels[-1]:
        return False
    places = ax.get_xticks()
    ax.set_xticks(places, labels[::-1])
    return None


AXES = {
    "another scale": change_scale,
    "half of the range": narrow,
    "another x label": change_xlabel,
    "another y label": change_ylabel,
    "axis labels exchanged": exchange_axis_labels,
    "tick labels exchanged": retype_ticks,
}


def _on_artist(panel, place, change):
    return lambda figure, colors: change(carriers(panels_of(figure)[panel])[place])


def _on_pair(panel, place, other, change):
    def spoil(figure, colors):
        artists = carriers(panels_of(figure)[panel])
        return change(artists[place], artists[other])

    return spoil


def _on_texts(panel, one, other):
    def spoil(figure, colors):
        texts = panels_of(figure)[panel].texts
        here, there = texts[one].get_text(), texts[other].get_text()
        if here == there:
            return False
        texts[one].set_text(there)
        texts[other].set_text(here)
        return None

    return spoil


def _on_text(panel, place):
    def spoil(figure, colors):
        text = panels_of(figure)[panel].texts[place]
        text.set_text(f"{text.get_text()}7")

    return spoil


def _on_axes(panel, change):
    return lambda figure, colors: change(panels_of(figure)[panel])


def falsify(name, drawing, agreed, *, mode="light", chosen=lambda: True):
    """Return the `Result`s of all falsifications of one figure against its contract, or of those
    that `chosen()` picks.
    """
    helpers = [panel.helpers for panel in agreed.panels]
    results = []
    for each in falsifications(drawing.figure(mode), helpers):
        if not chosen():
            continue
        figure = drawing.figure(mode)
        if each.spoil(figure, drawing.colors(mode)) is False:
            outcome = "invisible"
        else:
            outcome = "caught" if agreed.complaints(figure, drawing.colors(mode)) else "missed"
        results.append(Result(name, each.artist, each.what, outcome))
    return results


def contracts_of(path):
    """Run a notebook in this process and return {figure: (drawing, contract)}, and the figures that
    have none.
    """
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell

    import bookproof
    from bookproof.drawing import Drawing

    found, drawn = {}, []
    original, make = bookproof.contract, Drawing.__init__

    def record(drawing, *panels):
        part = original(drawing, *panels)
        found[id(drawing)] = (drawing, drawing.contract)
        return part

    def follow(drawing, *arguments, **named):
        make(drawing, *arguments, **named)
        drawn.append(drawing)

    notebook = nbformat.read(path, as_version=4)
    shell = InteractiveShell()
    names = {}
    folder = os.getcwd()
    bookproof.contract, Drawing.__init__ = record, follow
    try:
        os.chdir(Path(path).parent)
        sys.path.insert(0, os.getcwd())
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            shell.run_cell(cell.source, silent=True, store_history=False).raise_error()
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
            if name and drawn:
                names[id(drawn[-1])] = name
    finally:
        bookproof.contract, Drawing.__init__ = original, make
        sys.path.remove(os.getcwd())
        os.chdir(folder)
    contracts = {names.get(key, f"figure {key}"): pair for key, pair in found.items()}
    without = [name for key, name in names.items() if key not in found]
    return contracts, without


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument(
        "--sample", type=float, default=1.0, help="the share of falsifications that is tried"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.98, help="the share that must be caught")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    paths = options.notebooks or sorted(Path("chapters").glob("*.ipynb"))
    results, without = [], []
    for path in tqdm(paths, unit="notebook"):
        contracts, missing = contracts_of(path)
        without += [f"{path.stem}: {name}" for name in missing]
        for name, (drawing, agreed) in contracts.items():
            title = f"{path.stem}: {name}"
            results += falsify(title, drawing, agreed, chosen=lambda: rng.random() < options.sample)
    return report(results, without, options.least)


def report(results, without, least):
    """Print what was missed and the share that was caught; return 0 if that is at least `least` and
    every figure has a contract.
    """
    visible = [result for result in results if result.outcome != "invisible"]
    missed = [result for result in visible if result.outcome == "missed"]
    for result in missed:
        print(f"missed: {result.figure}, {result.artist}: {result.what}")
    for name in without:
        print(f"no contract: {name}")
    share = 1 - len(missed) / len(visible) if visible else 0.0
    print(
        f"{len(visible) - len(missed)} of {len(visible)} falsifications caught"
        f" ({100 * share:.1f} %)"
    )
    return 0 if share >= least and not without else 1


if __name__ == "__main__":
    sys.exit(main())
