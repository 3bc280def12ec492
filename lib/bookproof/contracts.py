"""Contracts of figures: what a figure must show, told by another route than the one that drew it.

    book.claim(
        "fig-trace",
        "Trace and norm drawn are those of the Hessians at the twins.",
        book.contract(
            figure_trace,
            book.panel(
                {
                    "trace": book.curve(alphas, traces, color="twin", label="trace"),
                    "floor": book.line(y=2 * np.sqrt(t1 * t2), color="faint", label="floor"),
                },
                x=r"$\\alpha$",
                y="trace of the Hessian",
                scales="log log",
            ),
        ),
    )

A contract names every artist of every panel by its gid, in the order of the panels. It is read back
from the drawing, light and dark: numbers, colors, labels and where they stand, axis labels, scales
and limits, tick labels that somebody typed, color bars. An artist without a contract is an error,
and so is a contract without an artist. Lines that only guide the eye are `helpers`.

A contract does not see what lies on top of what, how wide a line is, or the color of a word that
is nobody's label.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm, Normalize, same_color, to_hex
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Annotation, Text
from mpl_toolkits.mplot3d import proj3d
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import ArrayLike

from .claims import Part, _percent
from .drawing import PIXELS_PER_INCH, Colors, Drawing
from .drawn import (
    NO_LINE,
    OWN_FORMATTERS,
    artists_by_gid,
    as_floats,
    colors_of,
    from_shares,
    have_one_range,
    is_in_data_coordinates,
    is_seen,
    lines_on_screen,
    panels_of,
    points_of,
    share_of,
    shares_of,
    texts_of,
    tick_labels,
    ticks_in_view,
    with_bars,
)

VISIBLE = 0.005  # share of an axis that a reader can see
LONG = 0.05  # share of the panel: edges of areas that are compared between their ends, too
ON_THE_CURVE = 0.012  # share of the panel within which a label's anchor lies on what it names
PHONE = 342  # pixels that a page 390 wide leaves to a picture
LEGIBLE = 9  # pixels: smaller words are hard to read on a phone
DASHES = {"solid": "-", "dashed": "--", "dashdot": "-.", "dotted": ":"}


@dataclass(frozen=True)
class Complaint:
    """One thing in a figure that is not as its contract says.

    `at` is the spot, in data coordinates, where there is one.
    """

    artist: str
    text: str
    at: tuple | None = None
    axes: Axes | None = field(default=None, compare=False, repr=False)

    def __str__(self):
        return f"{self.artist}: {self.text}"


@dataclass(frozen=True)
class Artist:
    """What one artist must show. Made by `curve`, `line`, `span`, `region`, `band`, `bars`,
    `image`, `contours`, `surface`.
    """

    kind: str
    numbers: Mapping
    color: str | None = "ink"
    label: str | None = None
    tolerance: float = VISIBLE
    dash: str | None = None
    marker: str | None = None


@dataclass(frozen=True)
class Panel:
    """What one panel must show. Made by `panel`."""

    artists: Mapping[str, Artist]
    labels: Mapping[str, str]
    scales: Mapping[str, str]
    words: Sequence[tuple]
    helpers: Sequence[str]
    ticks: Mapping[str, Sequence | None]
    limits: Mapping[str, tuple | None]
    legend: Sequence[str]
    crops: bool


# What a contract is made of


def panel(
    artists: Mapping[str, Artist],
    *,
    x: str = "",
    y: str = "",
    z: str = "",
    scales: str = "linear linear",
    words: str | Sequence | Mapping = (),
    helpers: str | Sequence[str] = (),
    xticks: Mapping | Sequence | None = None,
    yticks: Mapping | Sequence | None = None,
    zticks: Mapping | Sequence | None = None,
    xlim: tuple | None = None,
    ylim: tuple | None = None,
    zlim: tuple | None = None,
    legend: Sequence[str] = (),
    crops: bool = False,
) -> Panel:
    """Return the contract of one panel.

    `artists` maps gids to what they must show, `x`, `y` and `z` are the axis labels with their
    units, `scales` the scales of the axes. `helpers` are the gids of lines that guide the eye.

    `words` are all texts beside the artists' labels. Two words can change places unnoticed, unless
    the contract says where they stand: `{text: (x, y)}`, or pairs `(text, (x, y))`, in data
    coordinates; None for a text that may stand anywhere.

    `xticks`, `yticks`, `zticks` map tick labels that are not matplotlib's own to their positions:
    `{text: place}`, or pairs. `legend` lists its entries in order.

    The data must lie within the limits of the axes, unless the panel `crops` them on purpose; then
    `xlim` and `ylim` should say where.
    """
    drawn_scales = [*scales.split(), "linear"]  # in space, where only two are given
    return Panel(
        artists=dict(artists),
        labels={"x": x, "y": y, "z": z},
        scales=dict(zip("xyz", drawn_scales, strict=False)),
        words=_as_words(words),
        helpers=(helpers,) if isinstance(helpers, str) else tuple(helpers),
        ticks={"x": _as_pairs(xticks), "y": _as_pairs(yticks), "z": _as_pairs(zticks)},
        limits={"x": xlim, "y": ylim, "z": zlim},
        legend=list(legend),
        crops=crops,
    )


def curve(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    color: str | None = "ink",
    label: str | None = None,
    dash: str | None = None,
    marker: str | None = None,
    steps: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect the points of a line or a scatter, with NaN where it has a gap.

    `x` and `y` are (n,), `y` may be one number; `z` is for a line in space. A line in steps says
    which: `steps="post"`, "pre" or "mid". `dash` and `marker` are matplotlib's, "none" for none.
    """
    x = np.atleast_1d(as_floats(x))
    others = [as_floats(c) for c in (y, z) if c is not None]
    points = np.stack([x, *(np.broadcast_to(c, x.shape) for c in others)], axis=1)
    numbers = {"points": points, "steps": steps}
    return Artist("curve", numbers, color, label, tolerance, dash, marker)


def line(
    *,
    x: float | None = None,
    y: float | None = None,
    color: str | None = "faint",
    label: str | None = None,
    dash: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect a line across the panel: horizontal at `y`, or vertical at `x`."""
    return Artist("line", _one_of(x, y), color, label, tolerance, dash)


def span(
    *,
    x: tuple | None = None,
    y: tuple | None = None,
    color: str | None = "faint",
    label: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect a strip across the panel: `x` or `y` are its two ends."""
    return Artist("span", _one_of(x, y), color, label, tolerance)


def region(
    outline: ArrayLike,
    *,
    color: str | None = "ink",
    label: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect a filled area with this `outline` (n, 2), which may begin at any of its corners."""
    return Artist("region", {"outlines": [as_floats(outline)]}, color, label, tolerance)


def band(
    x: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    color: str | None = "ink",
    label: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect the area between two curves over `x` (n,), with NaN where it has a gap."""
    x, low, high = np.broadcast_arrays(as_floats(x), as_floats(low), as_floats(high))
    outlines = [
        np.stack([np.append(x[run], x[run][::-1]), np.append(low[run], high[run][::-1])], axis=1)
        for run in _runs(np.isfinite([x, low, high]).all(axis=0))
    ]
    return Artist("band", {"outlines": outlines}, color, label, tolerance)


def bars(
    lengths: ArrayLike,
    *,
    at: ArrayLike | None = None,
    base: ArrayLike = 0.0,
    color: str | None = "ink",
    label: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect bars of these `lengths` (n,), standing or lying, as bar and barh draw them.

    `at` is where their middles stand, 0, 1, 2, ... unless given, and `base` where they begin.
    """
    lengths = np.atleast_1d(as_floats(lengths))
    places = np.arange(len(lengths)) if at is None else at
    numbers = {
        "lengths": lengths,
        "at": np.broadcast_to(as_floats(places), lengths.shape),
        "base": np.broadcast_to(as_floats(base), lengths.shape),
    }
    return Artist("bars", numbers, color, label, tolerance)


def image(
    values: ArrayLike,
    *,
    limits: tuple,
    scale: str = "linear",
    extent: tuple | None = None,
    origin: str = "upper",
    bar: str | None = None,
    ticks: Mapping | Sequence | None = None,
    colormap: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect a heat map of `values` (rows, columns), NaN where it is masked.

    `limits` and `scale` are those of the colors, and `colormap` is that of the `Colors` unless
    given. `extent` are the edges (left, right, bottom, top) where they are not the pixels', and
    the first row lies at the top, or with `origin="lower"` at the bottom. `bar` is the label of
    the color bar, `ticks` its tick labels that are not matplotlib's own, with their positions.
    """
    values = as_floats(values)
    rows, columns = values.shape
    if extent is None:
        edges = (rows - 0.5, -0.5) if origin == "upper" else (-0.5, rows - 0.5)
        extent = (-0.5, columns - 0.5, *edges)
    numbers = {
        **_as_colors(limits, scale, bar, ticks, colormap),
        "values": values,
        "extent": tuple(extent),
        "origin": origin,
    }
    return Artist("image", numbers, None, None, tolerance)


def contours(
    levels: ArrayLike,
    height: Callable,
    *,
    color: str | None = "paper",
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect contour lines of `height(x, y)` at `levels`, all levels of which a line is seen.

    `height` is asked at every vertex that is drawn, and a little further inwards. Give the lines
    their gid by `ax.contour(...).set_gid(gid)`.
    """
    numbers = {"levels": np.atleast_1d(as_floats(levels)), "height": height}
    return Artist("contours", numbers, color, None, tolerance)


def surface(
    heights: ArrayLike,
    *,
    limits: tuple,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    bar: str | None = None,
    ticks: Mapping | Sequence | None = None,
    colormap: str | None = None,
    tolerance: float = VISIBLE,
) -> Artist:
    """Expect a surface in space over a grid, each face colored by its mean height.

    `heights` are (rows, columns), `limits` those of the colors; `x` (columns,) and `y` (rows,) are
    the grid. Without them only the colors are compared, not where the faces stand.
    """
    numbers = {
        **_as_colors(limits, "linear", bar, ticks, colormap),
        "heights": as_floats(heights),
        "x": None if x is None else as_floats(x),
        "y": None if y is None else as_floats(y),
    }
    return Artist("surface", numbers, None, None, tolerance)


def _as_pairs(places):
    """Return {text: place}, or pairs of both, as a list of pairs; None stays None."""
    if places is None:
        return None
    return list(places.items()) if isinstance(places, Mapping) else list(places)


def _as_words(words):
    """Return words as a list of (text, place or None)."""
    if isinstance(words, str):
        return [(words, None)]
    if isinstance(words, Mapping):
        return list(words.items())
    return [(word, None) if isinstance(word, str) else tuple(word) for word in words]


def _as_colors(limits, scale, bar, ticks, colormap):
    return {
        "limits": tuple(limits),
        "scale": scale,
        "bar": bar,
        "ticks": _as_pairs(ticks),
        "colormap": colormap,
    }


def _one_of(x, y):
    if (x is None) == (y is None):
        raise ValueError(f"one of x and y must be given, got x={x!r} and y={y!r}")
    return {"x": x, "y": y}


def _runs(flags):
    """Yield a slice for each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        yield slice(start, stop)


# The contract of a figure


@dataclass(frozen=True)
class Contract:
    """The contract of a whole figure: a `Panel` for each of its axes but the color bars, in their
    order; axes inside of others come right after these.
    """

    panels: Sequence[Panel]

    def find(self, figure: Figure, colors: Colors) -> Iterator[Complaint]:
        """Yield each `Complaint` about a matplotlib figure in these `Colors`, the quick ones
        first.
        """
        yield from _outside(figure)
        shown = panels_of(figure)
        if len(shown) != len(self.panels):
            text = f"it has {len(shown)} panels, its contract {len(self.panels)}"
            yield Complaint("figure", text)
            return
        readings = [
            _PanelReading(ax, agreed, colors, f"panel {number}", shown)
            for number, (ax, agreed) in enumerate(zip(shown, self.panels, strict=True), start=1)
        ]
        yield from _each(readings, _PanelReading.artists_and_words)
        yield from _each(readings, _PanelReading.axes)
        _lay_out(figure, shown)
        yield from _illegible(figure)
        yield from _each(readings, _PanelReading.places)

    def complaints(self, figure: Figure, colors: Colors) -> list[Complaint]:
        """Return all complaints about a matplotlib figure drawn in these `Colors`."""
        return list(self.find(figure, colors))

    def holds(self, figure: Figure, colors: Colors) -> bool:
        """Say whether a matplotlib figure is as it should be; stops at the first complaint."""
        return next(self.find(figure, colors), None) is None


def _each(readings, read):
    """Yield the complaints of one way to read, panel by panel."""
    for reading in readings:
        for complaint in read(reading):
            yield replace(complaint, axes=reading.ax)


def _lay_out(figure, panels):
    """Put all in its place; what stands in space has one only when it is drawn."""
    if any(ax.name == "3d" for ax in panels):
        figure.draw_without_rendering()
    elif figure.get_layout_engine() is not None:
        figure.get_layout_engine().execute(figure)


def contract(drawing: Drawing, *panels: Panel) -> Part:
    """Return the part of a claim that holds a `Drawing` to its contract, a panel each, in every
    mode.
    """
    whole = Contract(panels)
    for recording in _recordings:
        recording.append((drawing, whole))
    found = {}
    for mode in drawing.modes:
        figure = drawing.figure(mode)
        complaints = whole.complaints(figure, drawing.colors(mode))
        for complaint in complaints:
            found.setdefault(str(complaint), {})[mode] = True
        if complaints:
            picture = _mark(figure, complaints, f"{drawing.name}-{mode}")
            found.setdefault(f"see {picture}", {})[mode] = True
    artists = [artist for each in panels for artist in each.artists.values()]
    if not artists:
        found["there is no artist to compare"] = {}
    loosest = max((artist.tolerance for artist in artists), default=VISIBLE)
    promise = f"drawn as computed: {len(artists)} artists, to {_percent(loosest)} of the axes"
    reasons = [f"{text} ({', '.join(modes)})" if modes else text for text, modes in found.items()]
    finding = "; ".join(reasons) or "as computed"
    return Part("figure", promise, None if found else 0.0, not found, finding)


_recordings: list[list] = []


@contextlib.contextmanager
def recorded() -> Iterator[list[tuple[Drawing, Contract]]]:
    """Collect every drawing that is held to a contract, with the contract."""
    made = []
    _recordings.append(made)
    try:
        yield made
    finally:
        _recordings.remove(made)


def _mark(figure, complaints, name):
    """Write a picture of the figure with a red ring around each spot that is wrong; return its
    path, from the book's folder.
    """
    ring = {"markersize": 24, "markeredgewidth": 3, "markerfacecolor": "none"}
    for complaint in complaints:
        if complaint.at is not None:
            limits = complaint.axes.get_xlim(), complaint.axes.get_ylim()
            complaint.axes.plot(
                *np.reshape(complaint.at, (-1, 1)),
                "o",
                markeredgecolor="#d50000",
                clip_on=False,
                **ring,
            )
            complaint.axes.set(xlim=limits[0], ylim=limits[1])
    book = _book()
    path = book / os.environ.get("BUILD", "_build") / "figures" / "contracts" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return os.path.relpath(path, book)


def _book():
    """Return the folder of the book around the working folder, or the working folder itself."""
    here = Path.cwd()
    around = [folder for folder in (here, *here.parents) if (folder / "_config.yml").exists()]
    return around[0] if around else here


def _outside(figure):
    """Complain of what stands beside the panels, where no contract reads it."""
    for text in figure.texts:
        if text.get_text():
            yield Complaint("figure", f"it says {text.get_text()!r} outside of its panels")
    others = [*figure.lines, *figure.patches, *figure.images, *figure.artists, *figure.legends]
    for artist in others:
        yield Complaint("figure", f"a {type(artist).__name__} is drawn outside of its panels")


def _illegible(figure):
    """Complain of words that a phone, which shrinks a picture to its width, shows too small."""
    shrunk = min(1, PHONE / (figure.get_figwidth() * PIXELS_PER_INCH))
    pixels_per_point = shrunk * PIXELS_PER_INCH / 72
    for text in figure.findobj(Text):
        height = text.get_fontsize() * pixels_per_point
        if text.get_visible() and text.get_text().strip() and height < LEGIBLE:
            least = np.ceil(10 * LEGIBLE / pixels_per_point) / 10
            found = f"{text.get_text()!r} is {height:.1f} pixels high on a phone"
            yield Complaint("figure", f"{found}, give it a font of {least:g} points or more")


# One panel


class _PanelReading:
    """One panel of a figure, read against its contract."""

    def __init__(self, ax, agreed, colors, name, panels):
        ax.get_xlim()  # brings all limits up to date, without which no transform is right
        ax.apply_aspect()  # may change them
        self.ax = ax
        self.agreed = agreed
        self.colors = colors
        self.name = name
        self.panels = panels
        self.names = "xyz" if ax.name == "3d" else "xy"
        self.artists = artists_by_gid(ax)

    def artists_and_words(self):
        """Yield the complaints about what the panel shows."""
        yield from self._missing_and_unknown()
        yield from self._titles()
        yield from self._words()
        for gid, expected in self._drawn_artists():
            yield from READERS[expected.kind](self, gid, expected, self.artists[gid])
            yield from self._look(gid, expected)
        yield from self._legend()

    def axes(self):
        """Yield the complaints about the axes."""
        for name in self.names:
            yield from self._axis(name)

    def places(self):
        """Yield the complaints about what has its place only when the figure is laid out."""
        for gid, expected in self._drawn_artists():
            if expected.kind == "surface":
                yield from _read_faces(self, gid, expected, self.artists[gid])
            if expected.label and expected.label not in self.agreed.legend:
                yield from self._label(gid, expected)

    def _drawn_artists(self):
        """Return the artists of the contract that are drawn, as pairs of gid and contract."""
        return [pair for pair in self.agreed.artists.items() if pair[0] in self.artists]

    def _missing_and_unknown(self):
        for gid in self.agreed.artists:
            if gid not in self.artists:
                yield Complaint(gid, "nothing of this name is drawn")
        for gid in self.agreed.helpers:
            if gid not in self.artists:
                yield Complaint(gid, "a helper of this name is not drawn")
        for gid, drawn in self.artists.items():
            if gid is None:
                for artist in drawn:
                    text = f"a {type(artist).__name__} has no gid, so no contract"
                    yield Complaint(self.name, text)
            elif gid not in self.agreed.artists and gid not in self.agreed.helpers:
                yield Complaint(gid, "it is drawn without a contract")
        for artist in with_bars(self.ax):
            agreed = self.agreed.artists.get(artist.get_gid())
            if agreed is None or agreed.numbers.get("bar") is None:
                yield Complaint(self.name, "a color bar is drawn without a contract")

    # Axes

    def _titles(self):
        for where in ("left", "center", "right"):
            if self.ax.get_title(where):
                yield Complaint(self.name, "it has a title, where the caption should speak")

    def _axis(self, name):
        axis = getattr(self.ax, f"{name}axis")
        label = axis.get_label_text() if is_seen(axis) and axis.label.get_visible() else ""
        if label != self.agreed.labels[name]:
            text = f"its {name} axis says {label!r}, not {self.agreed.labels[name]!r}"
            yield Complaint(self.name, text)
        scale = axis.get_scale()
        if scale != self.agreed.scales[name]:
            text = f"its {name} axis is {scale}, not {self.agreed.scales[name]}"
            yield Complaint(self.name, text)
        limits = self.agreed.limits[name]
        if limits is not None:
            found = axis.get_view_interval()
            if not np.max(np.abs(share_of(axis, limits) - share_of(axis, found))) <= VISIBLE:
                text = f"its {name} axis runs from {_numbers(found)}, not {_numbers(limits)}"
                yield Complaint(self.name, text)
        if is_seen(axis):
            for text in compare_ticks(axis, self.agreed.ticks[name]):
                yield Complaint(self.name, f"the ticks of its {name} axis {text}")
            if not self._can_be_read(name):
                text = f"its {name} axis has no numbers, and those of no panel fit"
                yield Complaint(self.name, text)

    def _can_be_read(self, name):
        """Say whether an axis has numbers at its ticks, if it has ticks, or another panel has them
        for the same range.
        """
        axis = getattr(self.ax, f"{name}axis")
        if not ticks_in_view(axis) or tick_labels(axis):
            return True
        others = [getattr(ax, f"{name}axis", None) for ax in self.panels]
        fitting = [other for other in others if other and have_one_range(axis, other)]
        return any(tick_labels(other) for other in fitting)

    def _legend(self):
        legend = self.ax.get_legend()
        entries = [] if legend is None else [text.get_text() for text in legend.get_texts()]
        if entries != self.agreed.legend:
            yield Complaint(self.name, f"its legend lists {entries}, not {self.agreed.legend}")
            return
        for gid, expected in self._drawn_artists():
            if expected.label in entries:
                handle = legend.legend_handles[entries.index(expected.label)]
                yield from self._color(f"{gid} in the legend", handle, expected.color)
                yield from _compare_look(f"{gid} in the legend", handle, expected)

    # Numbers

    def share(self, points):
        return shares_of(self.ax, points)

    def data(self, shares):
        return from_shares(self.ax, shares)

    def place(self, transform, points):
        """Return points that are drawn by some `transform` in shares of the axes, (n, 2)."""
        with np.errstate(all="ignore"):
            return self.ax.transAxes.inverted().transform(transform.transform(points))

    def compare(self, gid, drawn, expected, tolerance):
        """Complain of points that are not where they should be, naming the one that is furthest
        off.
        """
        if drawn.shape != expected.shape:
            text = f"it has {_size(drawn)}, not {_size(expected)}"
            yield Complaint(gid, text)
            return
        if len(drawn) == 0:
            yield Complaint(gid, "it has no point")
            return
        gaps, wanted_gaps = (~np.isfinite(points).all(axis=1) for points in (drawn, expected))
        if (gaps != wanted_gaps).any():
            worst = int(np.flatnonzero(gaps != wanted_gaps)[0])
            text = f"its gaps are elsewhere, first at point {worst}"
            yield Complaint(gid, text)
            return
        here, there = (np.where(gaps[:, None], 0.0, points) for points in (drawn, expected))
        with np.errstate(invalid="ignore"):
            off = np.abs(self.share(here) - self.share(there))
        off = np.where(here == there, 0.0, np.nan_to_num(off, nan=np.inf)).max(axis=1)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            text = (
                f"point {worst} is {_point(here[worst])}, expected {_point(there[worst])},"
                f" {_percent(off[worst])} of the axis off"
            )
            yield Complaint(gid, text, at=tuple(here[worst]))

    def compare_outlines(self, gid, drawn, expected, tolerance):
        """Complain of areas, each drawn as an outline (n, 2) in shares, whose edges are not those
        of `expected`, in data coordinates.
        """
        if len(drawn) != len(expected):
            yield Complaint(gid, f"it has {len(drawn)} pieces, not {len(expected)}")
            return
        for here, outline in zip(drawn, expected, strict=True):
            here, there = _closed(here), _closed(self.share(outline))
            along, wanted = _dense(here), _dense(there)
            beyond, missing = _to_polyline(along, there), _to_polyline(wanted, here)
            off = max(beyond.max(), missing.max())
            if not off <= tolerance:
                passes = beyond.max() >= missing.max()
                spot = along[beyond.argmax()] if passes else wanted[missing.argmax()]
                [spot] = self.data([spot])
                verb = "passes" if passes else "does not pass"
                text = f"its edge {verb} {_point(spot)}, {_percent(off)} of the axes off"
                yield Complaint(gid, text, at=tuple(spot))

    def inside(self, gid, points):
        """Complain of data beyond the limits of the axes."""
        if self.agreed.crops:
            return
        points = points[np.isfinite(points).all(axis=1)]
        shares = self.share(points)
        beyond = ~((shares >= -VISIBLE) & (shares <= 1 + VISIBLE)).all(axis=1)
        if beyond.any():
            text = f"{np.count_nonzero(beyond)} of its points lie beyond the limits of the axes"
            yield Complaint(gid, text)

    # Colors, dashes, markers

    def _look(self, gid, expected):
        for artist in self.artists[gid]:
            yield from self._color(gid, artist, expected.color)
            yield from _compare_look(gid, artist, expected)

    def _color(self, gid, artist, name):
        if name is None:
            return
        wanted = to_hex(getattr(self.colors, name))
        found = [to_hex(color) for color in colors_of(artist, self.colors.paper)]
        wrong = [color for color in found if color != wanted]
        if wrong or not found:
            yield Complaint(gid, f"its color is {wrong[0] if wrong else 'none'}, not {name}")

    # Words

    def _words(self):
        texts = texts_of(self.ax)
        drawn = [text.get_text() for text in texts]
        labels = [a.label for a in self.agreed.artists.values() if a.label]
        labels = [label for label in labels if label not in self.agreed.legend]
        wanted = [*labels, *(word for word, _ in self.agreed.words)]
        for word in _without(drawn, wanted):
            yield Complaint(self.name, f"it says {word!r} without a contract")
        for word in _without(wanted, drawn):
            yield Complaint(self.name, f"it does not say {word!r}")
        for word, place in self.agreed.words:
            if place is not None and word in drawn:
                yield from self._word(word, place, texts)

    def _word(self, word, place, texts):
        """Complain of a word that does not stand where it should."""
        anchors = [self._anchor(text) for text in texts if text.get_text() == word]
        anchors = [anchor for anchor in anchors if anchor is not None]
        if not anchors:
            yield Complaint(self.name, f"nobody can tell where {word!r} stands")
            return
        [wanted] = self.share([place])
        off = [np.abs(anchor - wanted).max() for anchor in anchors]
        if not min(off) <= VISIBLE:
            [spot] = self.data([anchors[int(np.argmin(off))]])
            text = f"{word!r} stands at {_point(spot)}, expected {_point(place)}"
            yield Complaint(self.name, text, at=tuple(spot))

    def _anchor(self, text):
        """Return the point that a text belongs to in shares of the axes; None where it belongs to
        none.
        """
        if not isinstance(text, Annotation):
            return self.place(text.get_transform(), [text.get_position()])[0]
        systems = text.xycoords
        systems = (systems, systems) if isinstance(systems, str) else systems
        [from_data] = self.share([text.xy])
        choice = {"data": from_data, "axes fraction": np.array(text.xy)}
        if not all(isinstance(system, str) and system in choice for system in systems):
            return None
        return np.array([choice[systems[0]][0], choice[systems[1]][1]])

    def _label(self, gid, expected):
        """Complain of a label in another color than its artist's, or nearer to another artist of
        that color.
        """
        texts = [text for text in texts_of(self.ax) if text.get_text() == expected.label]
        if not texts:
            return  # which _words has said
        if expected.color is not None:
            color = getattr(self.colors, expected.color)
            own = [text for text in texts if same_color(text.get_color(), color)]
            if not own:
                found = to_hex(texts[0].get_color())
                yield Complaint(gid, f"its label {expected.label!r} has the color {found}")
                return
            texts = own
        here = min(self._distance(text, gid) for text in texts)
        for other, artist in self._drawn_artists():
            is_rival = other != gid and artist.label and artist.color == expected.color
            if is_rival and min(self._distance(text, other) for text in texts) < here:
                yield Complaint(gid, f"its label {expected.label!r} stands nearer to {other}")
                return

    def _distance(self, text, gid):
        """Return how far a text stands from an artist, in shares of the panel: from its anchor, and
        from its box where the anchor ties.
        """
        lines = [line for artist in self.artists[gid] for line in lines_on_screen(artist)]
        if not lines:
            return np.inf
        size = np.hypot(*self.ax.bbox.size)
        box = text.get_window_extent()
        middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        sides = [(box.x0, middle_y), (box.x1, middle_y), (middle_x, box.y0), (middle_x, box.y1)]
        near = min(_to_polyline(np.array(sides), line).min() for line in lines) / size
        if getattr(text, "xycoords", None) != "data":
            return near
        anchor = self.ax.transData.transform([text.xy])
        away = min(_to_polyline(anchor, line).min() for line in lines) / size
        return (0.0 if away < ON_THE_CURVE else away) + near / 1000


# How each kind of artist is read


def _read_curve(panel, gid, expected, drawn):
    points = points_of(drawn[0]) if len(drawn) == 1 else None
    if points is None:
        yield Complaint(gid, f"it must be one line or scatter, got {_kinds(drawn)}")
        return
    [artist] = drawn
    if not is_in_data_coordinates(artist):
        yield Complaint(gid, "it is not drawn in data coordinates")
        return
    yield from panel.compare(gid, points, expected.numbers["points"], expected.tolerance)
    yield from panel.inside(gid, points)
    steps = artist.get_drawstyle() if isinstance(artist, Line2D) else "default"
    wanted = expected.numbers["steps"]
    wanted = "default" if wanted is None else f"steps-{wanted}"
    if steps != wanted:
        yield Complaint(gid, f"its points are joined by {steps!r}, not {wanted!r}")


def _read_line(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Line2D):
        yield Complaint(gid, f"it must be one line, got {_kinds(drawn)}")
        return
    points = drawn[0].get_xydata()
    places = panel.place(drawn[0].get_transform(), points)
    yield from _compare_across(panel, gid, expected, points[[0, -1]], places[[0, -1]])
    if len(points) != 2:
        yield Complaint(gid, f"it has {len(points)} points, not 2")


def _read_span(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Rectangle):
        yield Complaint(gid, f"it must be one strip, got {_kinds(drawn)}")
        return
    corners = drawn[0].get_bbox().get_points()
    places = panel.place(drawn[0].get_data_transform(), corners)
    yield from _compare_across(panel, gid, expected, corners, places)


def _compare_across(panel, gid, expected, corners, places):
    """Compare two opposite corners (2, 2), in data coordinates and in shares of the axes, with what
    crosses the panel from edge to edge.
    """
    name = "x" if expected.numbers["x"] is not None else "y"
    along, across = (0, 1) if name == "x" else (1, 0)
    if not np.allclose(np.sort(places[:, across]), [0, 1], atol=VISIBLE):
        yield Complaint(gid, f"it does not cross the panel at one {name}")
        return
    middle = panel.data([[0.5, 0.5], [0.5, 0.5]])
    here, there = middle.copy(), middle.copy()
    here[:, along] = np.sort(corners[:, along])
    there[:, along] = np.sort(np.broadcast_to(expected.numbers[name], 2))
    yield from panel.compare(gid, here, there, expected.tolerance)
    if expected.kind == "line":
        yield from panel.inside(gid, here)


def _read_region(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Patch):
        yield Complaint(gid, f"it must be one area, got {_kinds(drawn)}")
        return
    path = drawn[0].get_transform().transform_path(drawn[0].get_path())
    outlines = [panel.ax.transAxes.inverted().transform(each) for each in path.to_polygons()]
    yield from _compare_area(panel, gid, expected, outlines)


def _read_band(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], PolyCollection):
        yield Complaint(gid, f"it must be one area between curves, got {_kinds(drawn)}")
        return
    paths = drawn[0].get_paths()
    outlines = [panel.place(drawn[0].get_transform(), path.vertices) for path in paths]
    yield from _compare_area(panel, gid, expected, outlines)


def _compare_area(panel, gid, expected, outlines):
    wanted = expected.numbers["outlines"]
    yield from panel.compare_outlines(gid, outlines, wanted, expected.tolerance)
    for outline in wanted:
        yield from panel.inside(gid, outline)


def _read_bars(panel, gid, expected, drawn):
    numbers = expected.numbers
    lengths = numbers["lengths"]
    lies = {
        bar: container.orientation == "horizontal"
        for container in panel.ax.containers
        if isinstance(container, BarContainer)
        for bar in container
    }
    if len(drawn) != len(lengths) or not all(bar in lies for bar in drawn):
        yield Complaint(gid, f"it must be {len(lengths)} bars, got {_kinds(drawn)}")
        return
    ends = numbers["base"] + lengths
    for number, bar in enumerate(drawn):
        box = bar.get_bbox()
        middle = (box.y0 + box.y1) / 2 if lies[bar] else (box.x0 + box.x1) / 2
        found = [box.x0, box.x1] if lies[bar] else [box.y0, box.y1]
        here = np.array([[middle, found[0]], [middle, found[1]]])
        at = numbers["at"][number]
        there = np.array([[at, numbers["base"][number]], [at, ends[number]]])
        turn = [1, 0] if lies[bar] else [0, 1]
        here, there = here[:, turn], there[:, turn]
        yield from panel.compare(f"{gid} {number}", here, there, expected.tolerance)
        axis = panel.ax.xaxis if lies[bar] else panel.ax.yaxis
        begins_on_axis = axis.get_scale() == "linear"  # a logarithm has no room for the base
        yield from panel.inside(f"{gid} {number}", here if begins_on_axis else here[1:])


def _read_image(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], AxesImage):
        yield Complaint(gid, f"it must be one image, got {_kinds(drawn)}")
        return
    [picture] = drawn
    numbers = expected.numbers
    values, wanted = as_floats(picture.get_array()), numbers["values"]
    if values.shape != wanted.shape:
        yield Complaint(gid, f"it has {values.shape} pixels, not {wanted.shape}")
        return
    if (np.isnan(values) != np.isnan(wanted)).any():
        yield Complaint(gid, "other pixels are masked")
        return
    first, last = _corners(picture.get_extent(), picture.origin)
    wanted_first, wanted_last = _corners(numbers["extent"], numbers["origin"])
    here, there = np.array([first, last]), np.array([wanted_first, wanted_last])
    yield from panel.compare(f"{gid}, its corners", here, there, expected.tolerance)
    yield from panel.inside(gid, here)
    yield from _compare_colors(panel, gid, picture, values, wanted, expected)


def _corners(extent, origin):
    """Return the outer corners of the first and of the last pixel of an image."""
    left, right, bottom, top = extent
    return ((left, top), (right, bottom)) if origin == "upper" else ((left, bottom), (right, top))


def _compare_colors(panel, gid, mapped, values, wanted, expected):
    """Complain of another color map, scale or range of the colors, of another color bar, and of
    values that the colors would show.
    """
    numbers = expected.numbers
    colormap = numbers["colormap"] or panel.colors.surface
    if mapped.get_cmap().name != colormap:
        yield Complaint(gid, f"its color map is {mapped.get_cmap().name}, not {colormap}")
    yield from _compare_bar(gid, mapped.colorbar, numbers)
    kinds = {Normalize: "linear", LogNorm: "log"}
    scale = kinds.get(type(mapped.norm), type(mapped.norm).__name__)
    if scale != numbers["scale"]:
        yield Complaint(gid, f"its colors are {scale}, not {numbers['scale']}")
        return
    mapped.autoscale_None()
    measure = np.log if scale == "log" else np.asarray
    low, high = measure(numbers["limits"])
    found = measure(mapped.get_clim())
    if not np.abs(found - [low, high]).max() <= expected.tolerance * abs(high - low):
        text = f"from {_numbers(mapped.get_clim())}, not {_numbers(numbers['limits'])}"
        yield Complaint(gid, f"its colors run {text}")
    with np.errstate(all="ignore"):
        off = np.abs(measure(values) - measure(wanted)) / abs(high - low)
    off = np.where((values == wanted) | np.isnan(wanted), 0.0, np.nan_to_num(off, nan=np.inf))
    worst = np.unravel_index(off.argmax(), off.shape)
    if off[worst] > expected.tolerance:
        where = ", ".join(str(int(index)) for index in worst)
        text = f"its value ({where}) is {values[worst]:.4g}, expected {wanted[worst]:.4g}"
        yield Complaint(gid, text, at=_middle_of_pixel(mapped, worst))


def _middle_of_pixel(picture, place):
    if not isinstance(picture, AxesImage):
        return None
    first, last = _corners(picture.get_extent(), picture.origin)
    rows, columns = picture.get_array().shape
    share = np.array([(place[1] + 0.5) / columns, (place[0] + 0.5) / rows])
    return tuple(first + share * (np.array(last) - first))


def _compare_bar(gid, bar, numbers):
    if numbers["bar"] is None:
        return
    if bar is None:
        yield Complaint(gid, "it has no color bar")
        return
    axis = bar.ax.yaxis if bar.orientation == "vertical" else bar.ax.xaxis
    label = axis.get_label_text()
    if label != numbers["bar"]:
        yield Complaint(gid, f"its color bar says {label!r}, not {numbers['bar']!r}")
    for text in compare_ticks(axis, numbers["ticks"]):
        yield Complaint(gid, f"the ticks of its color bar {text}")


def _read_contours(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], ContourSet) or drawn[0].filled:
        yield Complaint(gid, f"it must be one set of contour lines, got {_kinds(drawn)}")
        return
    [contour] = drawn
    levels = expected.numbers["levels"]
    seen = {
        level: path.vertices
        for level, path in zip(contour.levels, contour.get_paths(), strict=True)
        if len(path.vertices)
    }
    if len(seen) != len(levels) or not np.allclose(sorted(seen), np.sort(levels), rtol=1e-9):
        found = ", ".join(f"{level:.4g}" for level in seen)
        wanted = ", ".join(f"{level:.4g}" for level in levels)
        yield Complaint(gid, f"its levels are {found or 'none'}, not {wanted}")
        return
    for level, points in seen.items():
        off, heights = _to_level(panel, expected.numbers["height"], points, level)
        worst = int(np.nan_to_num(off, nan=np.inf).argmax())
        if not off[worst] <= expected.tolerance:
            text = (
                f"the line {level:.4g} passes {_point(points[worst])}, where the height is"
                f" {heights[worst]:.4g}, {_percent(off[worst])} of the axes off"
            )
            yield Complaint(gid, text, at=tuple(points[worst]))


def _to_level(panel, height, points, level):
    """Return how far points (n, 2) stand from a level of `height`, in shares of the axes, and their
    heights. The slope is taken towards the middle of the panel, where `height` is known.
    """
    heights = np.asarray(height(*points.T), dtype=float)
    shares = panel.share(points)
    slopes = []
    for column in (0, 1):
        step = np.where(shares[:, column] < 0.5, 1e-3, -1e-3)
        moved = shares.copy()
        moved[:, column] += step
        slopes.append((height(*panel.data(moved).T) - heights) / step)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(heights - level) / np.hypot(*slopes)
    return np.where(heights == level, 0.0, off), heights


def _read_surface(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Poly3DCollection):
        yield Complaint(gid, f"it must be one surface, got {_kinds(drawn)}")
        return
    wanted = _faces(expected.numbers["heights"])
    found = drawn[0].get_array()
    found = np.zeros(0) if found is None else as_floats(found)
    if found.size != wanted.size:
        yield Complaint(gid, f"it has {found.size} colored faces, not {wanted.size}")
        return
    found = found.reshape(wanted.shape)
    yield from _compare_colors(panel, gid, drawn[0], found, wanted, expected)
    heights = expected.numbers["heights"].ravel()
    low, high = np.nanmin(heights), np.nanmax(heights)
    corners = np.array([[*np.mean([panel.ax.get_xlim(), panel.ax.get_ylim()], axis=1), low]] * 2)
    corners[1, 2] = high
    yield from panel.inside(gid, corners)


def _read_faces(panel, gid, expected, drawn):
    """Complain of a surface whose faces do not stand over their places of the grid, as seen on the
    page.
    """
    numbers = expected.numbers
    is_readable = len(drawn) == 1 and isinstance(drawn[0], Poly3DCollection)
    if not is_readable or numbers["x"] is None or numbers["y"] is None:
        return
    x, y = np.meshgrid(numbers["x"], numbers["y"])
    middles = [_faces(each).ravel() for each in (x, y, numbers["heights"])]
    wanted = np.stack(proj3d.proj_transform(*middles, panel.ax.get_proj())[:2], axis=1)
    found = np.array([path.vertices[:4].mean(axis=0) for path in drawn[0].get_paths()])
    if len(found) != len(wanted):
        yield Complaint(gid, f"it has {len(found)} faces, not {len(wanted)}")
        return
    wanted, found = (panel.place(panel.ax.transData, points) for points in (wanted, found))
    off = np.linalg.norm(wanted[:, None] - found, axis=2).min(axis=1)
    worst = int(off.argmax())
    if off[worst] > expected.tolerance:
        spot = tuple(middle[worst] for middle in middles)
        text = f"no face stands at {_point(spot)}, {_percent(off[worst])} of the panel off"
        yield Complaint(gid, text, at=spot)


def _faces(values):
    """Return the means over the four corners of each face of a grid."""
    return (values[:-1, :-1] + values[1:, :-1] + values[:-1, 1:] + values[1:, 1:]) / 4


READERS = {
    "curve": _read_curve,
    "line": _read_line,
    "span": _read_span,
    "region": _read_region,
    "band": _read_band,
    "bars": _read_bars,
    "image": _read_image,
    "contours": _read_contours,
    "surface": _read_surface,
}


def _compare_look(gid, artist, expected):
    """Complain of other dashes or another marker of a line, where the contract names them."""
    if not isinstance(artist, Line2D):
        return
    looks = {
        "line": (artist.get_linestyle(), expected.dash),
        "marker": (artist.get_marker(), expected.marker),
    }
    for what, (found, wanted) in looks.items():
        if wanted is not None and _look(found) != _look(wanted):
            yield Complaint(gid, f"its {what} is {found!r}, not {wanted!r}")


def _look(name):
    return "none" if name in NO_LINE else DASHES.get(name, name)


def compare_ticks(axis, wanted):
    """Yield what is wrong with tick labels that are not matplotlib's own, `wanted` as pairs."""
    formatters = axis.get_major_formatter(), axis.get_minor_formatter()
    is_typed = not all(isinstance(each, OWN_FORMATTERS) for each in formatters)
    labels = tick_labels(axis)
    if not is_typed:
        if wanted is not None and (labels or wanted):
            yield f"are matplotlib's, not {[text for text, _ in wanted]}"
        return
    if not labels and not wanted:
        return
    drawn = [text for text, _ in labels]
    if wanted is None:
        yield f"say {drawn} without a contract"
        return
    wanted = sorted(wanted, key=lambda pair: pair[1])
    if drawn != [text for text, _ in wanted]:
        yield f"say {drawn}, not {[text for text, _ in wanted]}"
        return
    here, there = (share_of(axis, [place for _, place in each]) for each in (labels, wanted))
    off = np.abs(here - there)
    worst = int(off.argmax())
    if not off[worst] <= VISIBLE:
        places = f"{labels[worst][1]:.4g}, not {wanted[worst][1]:.4g}"
        yield f"say {drawn[worst]!r} at {places}"


# Geometry


def _closed(outline):
    """Return an outline (n, 2) that ends where it begins."""
    return np.concatenate([outline, outline[:1]])


def _dense(closed):
    """Return a closed outline with three points more on each of its long edges."""
    steps = np.arange(4)[:, None] / 4
    parts = [
        start + (steps if np.hypot(*(end - start)) > LONG else steps[:1]) * (end - start)
        for start, end in zip(closed[:-1], closed[1:], strict=True)
    ]
    return np.concatenate([*parts, closed[-1:]])


def _to_polyline(points, line):
    """Return the distance of each of `points` (m, 2) from a line through points (n, 2), which has
    gaps where they are NaN; infinity from a line without points.
    """
    is_there = np.isfinite(line).all(axis=1)
    if not is_there.any():
        return np.full(len(points), np.inf)
    step = np.nan_to_num(np.diff(line, axis=0, append=line[-1:]))  # none before a gap
    start, step = line[is_there], step[is_there]
    length = np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)
    away = points[:, None] - start
    along = np.clip((away * step).sum(axis=2) / length, 0, 1)
    return np.linalg.norm(away - along[:, :, None] * step, axis=2).min(axis=1)


# Words about numbers


def _point(point):
    return f"({', '.join(f'{value:.4g}' for value in point)})"


def _numbers(pair):
    return f"{pair[0]:.4g} to {pair[1]:.4g}"


def _size(points):
    return f"{len(points)} points" + (" in space" if points.shape[1] == 3 else "")


def _kinds(artists):
    return ", ".join(type(artist).__name__ for artist in artists)


def _without(words, others):
    """Return the words that are not among the others, each as often as it is missing there."""
    left = list(others)
    missing = []
    for word in words:
        if word in left:
            left.remove(word)
        else:
            missing.append(word)
    return missing
