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
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.colors import LogNorm, same_color, to_hex
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter
from mpl_toolkits.mplot3d.art3d import Line3D, Poly3DCollection

from .claims import Part, _percent

OWN_FORMATTERS = (
    ScalarFormatter,
    LogFormatter,
    NullFormatter,
)  # matplotlib writes these tick labels itself
VISIBLE = 0.005  # share of an axis that a reader can see
ON_THE_CURVE = 0.012  # share of the axes within which a label's anchor lies on what it names


@dataclass(frozen=True)
class Complaint:
    """One thing in a figure that is not as its contract says; `at` is the spot, in data
    coordinates, where there is one.
    """

    artist: str
    text: str
    at: tuple | None = None
    axes: object = field(default=None, compare=False, repr=False)

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
    dash: str | None = None
    tolerance: float = VISIBLE


@dataclass(frozen=True)
class Panel:
    """What one panel must show: its artists by gid, axis labels, scales, and the other words in
    it.
    """

    artists: Mapping
    x: str = ""
    y: str = ""
    z: str | None = None
    scales: str = "linear linear"
    words: Sequence = ()
    helpers: Sequence = ()
    xticks: Mapping | None = None
    yticks: Mapping | None = None
    zticks: Mapping | None = None
    legend: Sequence | None = None
    crops: bool = False


def panel(artists, *, x="", y="", z=None, scales="linear linear", words=(), helpers=(), **more):
    """Return the contract of one panel.

    `artists` maps gids to what they must show; `x`, `y` (and `z` in space) are the axis labels with
    their units, `scales` the scales of both axes; `words` are all texts beside the artists' labels,
    `helpers` the gids of lines that guide the eye. `xticks`, `yticks`, `zticks` map tick labels
    that are not matplotlib's own to their positions, `legend` lists its entries in order. The data
    must lie within the limits, unless the panel `crops` them on purpose.
    """
    words = (words,) if isinstance(words, str) else tuple(words)
    helpers = (helpers,) if isinstance(helpers, str) else tuple(helpers)
    return Panel(dict(artists), x, y, z, scales, words, helpers, **more)


def curve(x, y, z=None, *, color="ink", label=None, dash=None, tolerance=VISIBLE):
    """Expect the points of a line or a scatter: `x` and `y` (n,), `y` may be one number; `z` for a
    line in space.
    """
    x = np.atleast_1d(np.asarray(x, dtype=float))
    columns = [
        x,
        *(np.broadcast_to(np.asarray(c, dtype=float), x.shape) for c in (y, z) if c is not None),
    ]
    return Artist("curve", {"points": np.stack(columns, axis=1)}, color, label, dash, tolerance)


def line(*, x=None, y=None, color="faint", label=None, dash=None, tolerance=VISIBLE):
    """Expect a line across the panel: horizontal at `y`, or vertical at `x`."""
    if (x is None) == (y is None):
        raise ValueError(f"one of x and y must be given, got x={x!r} and y={y!r}")
    return Artist("line", {"x": x, "y": y}, color, label, dash, tolerance)


def span(*, x=None, y=None, color="faint", label=None, tolerance=VISIBLE):
    """Expect a strip across the panel: `x` or `y` are its two ends."""
    if (x is None) == (y is None):
        raise ValueError(f"one of x and y must be given, got x={x!r} and y={y!r}")
    return Artist("span", {"x": x, "y": y}, color, label, None, tolerance)


def region(outline, *, color="theta", label=None, tolerance=VISIBLE):
    """Expect a filled polygon with this `outline` (n, 2)."""
    return Artist(
        "region", {"points": np.asarray(outline, dtype=float)}, color, label, None, tolerance
    )


def band(x, low, high, *, color="theta", label=None, tolerance=VISIBLE):
    """Expect the area between two curves over `x` (n,)."""
    low, high = (
        np.broadcast_to(np.asarray(side, dtype=float), np.shape(x)) for side in (low, high)
    )
    numbers = {"x": np.asarray(x, dtype=float), "low": low, "high": high}
    return Artist("band", numbers, color, label, None, tolerance)


def bars(lengths, *, color="theta", label=None, tolerance=VISIBLE):
    """Expect bars of these `lengths` (n,), standing or lying, in the order in which they were
    drawn.
    """
    return Artist(
        "bars", {"lengths": np.asarray(lengths, dtype=float)}, color, label, None, tolerance
    )


def image(values, *, limits, scale="linear", extent=None, bar=None, ticks=None, tolerance=VISIBLE):
    """Expect a heat map of `values` (rows, columns); NaN where it is masked.

    `limits` and `scale` are those of the colors, `extent` the edges (left, right, bottom, top)
    where they are not the pixels', `bar` the label of the color bar, `ticks` its tick labels that
    are not matplotlib's own, with their positions.
    """
    numbers = {
        "values": np.asarray(values, dtype=float),
        "limits": tuple(limits),
        "scale": scale,
        "extent": extent,
        "bar": bar,
        "ticks": ticks,
    }
    return Artist("image", numbers, None, None, None, tolerance)


def contours(levels, height, *, color="paper", tolerance=VISIBLE):
    """Expect contour lines at `levels` of the function `height(x, y)`, which is asked at every
    vertex drawn.
    """
    return Artist(
        "contours", {"levels": tuple(levels), "height": height}, color, None, None, tolerance
    )


def surface(heights, *, limits, tolerance=VISIBLE):
    """Expect a surface in space over a grid, colored by its `heights` (rows, columns) between
    `limits`.
    """
    numbers = {"heights": np.asarray(heights, dtype=float), "limits": tuple(limits)}
    return Artist("surface", numbers, None, None, None, tolerance)


def contract(drawing, *panels):
    """Return the part of a claim that holds a `Drawing` to its contract, a panel each, in both
    modes.
    """
    whole = Contract(panels)
    drawing.contract = whole
    complaints = []
    for mode in drawing.modes:
        figure = drawing.figure(mode)
        found = whole.complaints(figure, drawing.colors(mode))
        complaints += [f"{complaint} ({mode})" for complaint in found]
        complaints += [f"see {path}" for path in _mark(figure, found, mode)]
    artists = sum(len(each.artists) for each in panels)
    loosest = max((a.tolerance for each in panels for a in each.artists.values()), default=VISIBLE)
    promise = f"drawn as computed: {artists} artists, to {_percent(loosest)} of the axes"
    finding = "; ".join(complaints) or "as computed"
    if artists == 0:
        finding = "there is no artist to compare"
    held = artists > 0 and not complaints
    return Part("figure", promise, 0.0 if held else np.nan, held, finding)


def _mark(figure, complaints, mode):
    """Write a picture of the figure with a red ring around each spot that is wrong; yield its path
    where there is a spot.
    """
    spots = [
        complaint for complaint in complaints if complaint.at is not None and len(complaint.at) == 2
    ]
    if not spots:
        return
    for spot in spots:
        ring = {
            "markersize": 24,
            "markeredgewidth": 3,
            "markerfacecolor": "none",
            "markeredgecolor": "#d50000",
        }
        spot.axes.plot(*spot.at, "o", clip_on=False, scalex=False, scaley=False, **ring)
    path = _folder() / f"{slug(spots[0].artist)}-{mode}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    yield path


def _folder():
    """Return where pictures of wrong figures go: the build folder of the book around the working
    folder.
    """
    here = Path.cwd()
    book = next(
        (folder for folder in (here, *here.parents) if (folder / "_config.yml").exists()), here
    )
    return book / os.environ.get("BUILD", "_build") / "figures" / "contracts"


def slug(text):
    """Return a text as part of a file name."""
    return re.sub(r"\W+", "-", text).strip("-")


@dataclass(frozen=True)
class Contract:
    """The contract of a whole figure: a `Panel` for each of its axes but the color bars, in their
    order.
    """

    panels: Sequence

    def complaints(self, figure, colors):
        """Return the list of `Complaint`s about a matplotlib figure drawn in these `Colors`."""
        figure.draw_without_rendering()
        shown = [ax for ax in figure.axes if not hasattr(ax, "_colorbar")]
        if len(shown) != len(self.panels):
            return [
                Complaint("figure", f"it has {len(shown)} panels, its contract {len(self.panels)}")
            ]
        found = []
        if figure.get_suptitle():
            found.append(Complaint("figure", f"it has a title, {figure.get_suptitle()!r}"))
        for number, (ax, agreed) in enumerate(zip(shown, self.panels, strict=True), start=1):
            found += _PanelReading(ax, agreed, colors, f"panel {number}").complaints()
        return found


class _PanelReading:
    """One panel of a figure read against its contract."""

    def __init__(self, ax, agreed, colors, name):
        self.ax = ax
        self.agreed = agreed
        self.colors = colors
        self.name = name
        self.artists = _artists_by_gid(ax)

    def complaints(self):
        found = [*self._missing_and_unknown(), *self._axes()]
        for gid, expected in self.agreed.artists.items():
            drawn = self.artists.get(gid, [])
            if drawn:
                found += self._artist(gid, expected, drawn)
        found += self._words()
        return [replace(complaint, axes=self.ax) for complaint in found]

    def _missing_and_unknown(self):
        for gid in self.agreed.artists:
            if gid not in self.artists:
                yield Complaint(gid, "nothing of this name is drawn")
        known = {*self.agreed.artists, *self.agreed.helpers}
        for gid, drawn in self.artists.items():
            if gid is None:
                for artist in drawn:
                    yield Complaint(
                        self.name, f"a {type(artist).__name__} has no gid, so no contract"
                    )
            elif gid not in known:
                yield Complaint(gid, "it is drawn without a contract")
        for gid in self.agreed.helpers:
            if gid not in self.artists:
                yield Complaint(gid, "a helper of this name is not drawn")

    def _axes(self):
        ax, agreed = self.ax, self.agreed
        names = ["x", "y"] if agreed.z is None else ["x", "y", "z"]
        for name in names:
            label = getattr(ax, f"get_{name}label")()
            if label != getattr(agreed, name):
                yield Complaint(
                    self.name, f"its {name} axis says {label!r}, not {getattr(agreed, name)!r}"
                )
        for name, scale in zip(names, agreed.scales.split(), strict=False):
            drawn = getattr(ax, f"get_{name}scale")()
            if drawn != scale:
                yield Complaint(self.name, f"its {name} axis is {drawn}, not {scale}")
        for name in names:
            yield from self._ticks(
                getattr(ax, f"{name}axis"), getattr(agreed, f"{name}ticks"), name
            )
        entries = (
            [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else None
        )
        wanted = None if agreed.legend is None else list(agreed.legend)
        if entries != wanted:
            yield Complaint(self.name, f"its legend lists {entries}, not {wanted}")
        if ax.get_title() or ax.get_title("left") or ax.get_title("right"):
            yield Complaint(self.name, "it has a title, where the caption should speak")

    def _ticks(self, axis, wanted, name):
        labels = [text.get_text() for text in axis.get_majorticklabels()]
        places = axis.get_majorticklocs()
        typed = not isinstance(axis.get_major_formatter(), OWN_FORMATTERS) and any(labels)
        if not typed:
            if wanted is not None:
                yield Complaint(self.name, f"its {name} ticks are matplotlib's, not {dict(wanted)}")
            return
        if wanted is None:
            yield Complaint(
                self.name, f"its {name} tick labels are set, {labels}, without a contract"
            )
            return
        drawn = dict(zip(labels, places, strict=True))
        if list(drawn) != list(wanted):
            yield Complaint(self.name, f"its {name} ticks say {list(drawn)}, not {list(wanted)}")
            return
        low, high = sorted(axis.get_view_interval())
        off = max(abs(drawn[label] - place) for label, place in wanted.items())
        if not off <= VISIBLE * (high - low):
            yield Complaint(self.name, f"its {name} tick labels stand {off:.3g} off their places")

    def _artist(self, gid, expected, drawn):
        reader = READERS[expected.kind]
        yield from reader(self, gid, expected, drawn)
        if expected.color is not None:
            for artist in drawn:
                color = _color_of(artist)
                if color is not None and not _is_color(color, getattr(self.colors, expected.color)):
                    yield Complaint(gid, f"its color is {_hex(color)}, not {expected.color}")
        if expected.dash is not None:
            dash = drawn[0].get_linestyle()
            if dash != expected.dash:
                yield Complaint(gid, f"its line is {dash!r}, not {expected.dash!r}")

    # Numbers

    def share(self, points):
        """Return points (n, 2) in shares of the axes, (0, 0) the lower left corner; in space of the
        limits' box.
        """
        points = np.asarray(points, dtype=float)
        if points.shape[1] == 3:
            limits = [self.ax.get_xlim(), self.ax.get_ylim(), self.ax.get_zlim()]
            return np.stack(
                [(p - a) / (b - a) for p, (a, b) in zip(points.T, limits, strict=True)], axis=1
            )
        with np.errstate(all="ignore"):
            return (self.ax.transScale + self.ax.transLimits).transform(points)

    def compare(self, gid, drawn, expected, tolerance):
        """Complain of points (n, 2) that are not where they should be, naming the one that is
        furthest off.
        """
        if drawn.shape != expected.shape:
            yield Complaint(gid, f"it has {len(drawn)} points, not {len(expected)}")
            return
        gap_drawn, gap_expected = (~np.isfinite(p).all(axis=1) for p in (drawn, expected))
        if (gap_drawn != gap_expected).any():
            yield Complaint(gid, "its gaps are elsewhere")
            return
        here, there = drawn[~gap_drawn], expected[~gap_drawn]
        if len(here) == 0:
            yield Complaint(gid, "it has no point")
            return
        with np.errstate(invalid="ignore"):
            off = np.abs(self.share(here) - self.share(there)).max(axis=1)
        off = np.where((here == there).all(axis=1), 0.0, np.nan_to_num(off, nan=np.inf))
        worst = int(off.argmax())
        if off[worst] > tolerance:
            where = ", ".join(f"{value:.4g}" for value in here[worst])
            wanted = ", ".join(f"{value:.4g}" for value in there[worst])
            text = (
                f"point {worst} is ({where}), expected ({wanted}), {_percent(off[worst])} of the"
                " axis off"
            )
            yield Complaint(gid, text, at=tuple(here[worst]))

    def inside(self, gid, points):
        """Complain of data beyond the limits of the axes."""
        if self.agreed.crops:
            return
        inside = self.share(points[np.isfinite(points).all(axis=1)])
        beyond = ~((inside >= -VISIBLE) & (inside <= 1 + VISIBLE)).all(axis=1)
        if beyond.any():
            yield Complaint(
                gid, f"{np.count_nonzero(beyond)} of its points lie beyond the limits of the axes"
            )

    # Words

    def _words(self):
        texts = list(self.ax.texts)
        labels = {gid: artist.label for gid, artist in self.agreed.artists.items() if artist.label}
        wanted = sorted([*labels.values(), *self.agreed.words])
        drawn = sorted(text.get_text() for text in texts)
        for word in _without(drawn, wanted):
            yield Complaint(self.name, f"it says {word!r} without a contract")
        for word in _without(wanted, drawn):
            yield Complaint(self.name, f"it does not say {word!r}")
        for gid, label in labels.items():
            found = [text for text in texts if text.get_text() == label]
            if found and gid in self.artists:
                yield from self._label(gid, label, found)

    def _label(self, gid, label, texts):
        """Complain of a label in another color than its artist's, or nearer to another artist of
        that color.
        """
        color = getattr(self.colors, self.agreed.artists[gid].color or "ink")
        own = [text for text in texts if same_color(text.get_color(), color)]
        if not own:
            yield Complaint(
                gid, f"its label {label!r} has the color {to_hex(texts[0].get_color())}"
            )
            return
        rivals = [
            other
            for other, artist in self.agreed.artists.items()
            if other != gid and artist.label and artist.color == self.agreed.artists[gid].color
        ]
        rivals = [other for other in rivals if other in self.artists]
        for other in rivals:
            if min(self._distance(text, other) for text in own) < min(
                self._distance(text, gid) for text in own
            ):
                yield Complaint(gid, f"its label {label!r} stands nearer to {other}")
                return

    def _distance(self, text, gid):
        """Return how far a text stands from an artist, in shares of the axes: from its anchor, and
        from its box where the anchor ties.
        """
        points = _outline(self.artists[gid])
        if points is None or len(points) == 0:
            return np.inf
        on_screen = self.ax.transData.transform(points)
        box = text.get_window_extent()
        size = np.hypot(*self.ax.bbox.size)
        away = np.inf
        anchor = getattr(text, "xy", None)
        if anchor is not None and getattr(text, "xycoords", "data") == "data":
            away = _to_polyline(self.ax.transData.transform(anchor), on_screen) / size
            away = 0.0 if away < ON_THE_CURVE else away
        corners = [(box.x0, (box.y0 + box.y1) / 2), (box.x1, (box.y0 + box.y1) / 2)]
        corners += [((box.x0 + box.x1) / 2, box.y0), ((box.x0 + box.x1) / 2, box.y1)]
        near = min(_to_polyline(corner, on_screen) for corner in corners) / size
        return near if not np.isfinite(away) else away + near / 1000


def _artists_by_gid(ax):
    """Return the artists that carry data or guide the eye, {gid: [artist, ...]}; those without a
    gid under None.
    """
    found = {}
    patches = [patch for patch in ax.patches if isinstance(patch, Patch)]
    for artist in [*ax.lines, *ax.collections, *patches, *ax.images]:
        found.setdefault(artist.get_gid(), []).append(artist)
    return found


def _points(artist):
    if isinstance(artist, Line3D):
        return np.stack([np.asarray(c, dtype=float) for c in artist.get_data_3d()], axis=1)
    if isinstance(artist, Line2D):
        return np.ma.filled(np.ma.asarray(artist.get_xydata(), dtype=float), np.nan)
    if isinstance(artist, PathCollection):
        return np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan)
    return None


def _outline(artists):
    """Return points on some artists, in data coordinates, to measure how near a label stands."""
    found = []
    for artist in artists:
        points = _points(artist)
        if points is None and isinstance(artist, Patch):
            points = (
                artist.get_path().vertices
                if isinstance(artist, Polygon)
                else artist.get_bbox().corners()
            )
        if points is None and isinstance(artist, Collection):
            paths = artist.get_paths()
            points = np.concatenate([path.vertices for path in paths]) if paths else None
        if points is None or points.shape[1] != 2:
            continue
        if isinstance(artist, Line2D) and artist.get_transform() != artist.axes.transData:
            points = artist.axes.transData.inverted().transform(
                artist.get_transform().transform(points)
            )
        found.append(points[np.isfinite(points).all(axis=1)])
    return np.concatenate(found) if found else None


def _to_polyline(point, points):
    """Return the distance from a point to the line through `points` (n, 2), on the screen."""
    if len(points) == 1:
        return float(np.hypot(*(points[0] - point)))
    start, step = points[:-1], np.diff(points, axis=0)
    length = np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)
    along = np.clip(((point - start) * step).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(start + along[:, None] * step - point).T).min())


def _color_of(artist):
    if isinstance(artist, Line2D):
        marked = artist.get_linestyle() in ("None", "none", "")
        return artist.get_markerfacecolor() if marked else artist.get_color()
    if isinstance(artist, ContourSet | LineCollection):
        return np.atleast_2d(artist.get_edgecolor())
    if isinstance(artist, Collection):
        return np.atleast_2d(artist.get_facecolor())
    if isinstance(artist, Patch):
        return artist.get_facecolor()
    return None


def _is_color(color, wanted):
    rows = color if isinstance(color, np.ndarray) and color.ndim == 2 else [color]
    return len(rows) > 0 and all(to_hex(row) == to_hex(wanted) for row in rows)


def _hex(color):
    rows = color if isinstance(color, np.ndarray) and color.ndim == 2 else [color]
    return to_hex(rows[0]) if len(rows) else "none"


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


# How each kind of artist is read


def _read_curve(panel, gid, expected, drawn):
    if len(drawn) != 1 or (points := _points(drawn[0])) is None:
        yield Complaint(gid, f"it must be one line or scatter, got {_kinds(drawn)}")
        return
    yield from panel.compare(gid, points, expected.numbers["points"], expected.tolerance)
    yield from panel.inside(gid, points)


def _read_line(panel, gid, expected, drawn):
    name = "x" if expected.numbers["x"] is not None else "y"
    value, column = expected.numbers[name], 0 if name == "x" else 1
    if len(drawn) != 1 or not isinstance(drawn[0], Line2D):
        yield Complaint(gid, f"it must be one line, got {_kinds(drawn)}")
        return
    points = np.array(drawn[0].get_xydata(), dtype=float)
    other = points[:, 1 - column]
    if not (len(points) == 2 and set(other) == {0.0, 1.0} and np.ptp(points[:, column]) == 0):
        yield Complaint(gid, f"it does not cross the panel at one {name}")
        return
    # The other coordinate is a share of the axes; put both in the middle of the panel.
    middle = [np.mean(panel.ax.get_xlim()), np.mean(panel.ax.get_ylim())]
    here, there = (np.array([middle]) for _ in range(2))
    here[0, column], there[0, column] = points[0, column], float(value)
    yield from panel.compare(gid, here, there, expected.tolerance)
    yield from panel.inside(gid, here)


def _read_span(panel, gid, expected, drawn):
    name = "x" if expected.numbers["x"] is not None else "y"
    if len(drawn) != 1 or not isinstance(drawn[0], Rectangle):
        yield Complaint(gid, f"it must be one strip, got {_kinds(drawn)}")
        return
    box = drawn[0].get_bbox()
    ends = [box.x0, box.x1] if name == "x" else [box.y0, box.y1]
    middle = [np.mean(panel.ax.get_xlim()), np.mean(panel.ax.get_ylim())]
    here, there = (np.array([middle, middle]) for _ in range(2))
    column = 0 if name == "x" else 1
    here[:, column], there[:, column] = ends, expected.numbers[name]
    yield from panel.compare(gid, here, there, expected.tolerance)


def _read_region(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Polygon):
        yield Complaint(gid, f"it must be one polygon, got {_kinds(drawn)}")
        return
    here, there = drawn[0].get_xy(), expected.numbers["points"]
    if len(here) == len(there) + 1:  # matplotlib closes the polygon
        there = np.concatenate([there, there[:1]])
    yield from panel.compare(gid, here, there, expected.tolerance)
    yield from panel.inside(gid, here)


def _read_band(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], PolyCollection):
        yield Complaint(gid, f"it must be one area between curves, got {_kinds(drawn)}")
        return
    x, low, high = (expected.numbers[name] for name in ("x", "low", "high"))
    vertices = np.concatenate([path.vertices for path in drawn[0].get_paths()])
    nearest = np.abs(vertices[:, :1] - x).argmin(axis=1)
    sides = np.stack([low[nearest], high[nearest]], axis=1)
    side = np.abs(sides - vertices[:, 1:]).argmin(axis=1)
    wanted = np.stack([x[nearest], sides[np.arange(len(side)), side]], axis=1)
    yield from panel.compare(gid, vertices, wanted, expected.tolerance)
    for name, values in (("lower", low), ("upper", high)):
        points = np.stack([x, values], axis=1)
        gaps = [
            np.abs(panel.share(vertices) - point).max(axis=1).min() for point in panel.share(points)
        ]
        if max(gaps) > expected.tolerance:
            yield Complaint(
                gid,
                f"its {name} edge is not where it should be",
                at=tuple(points[int(np.argmax(gaps))]),
            )


def _read_bars(panel, gid, expected, drawn):
    lengths = expected.numbers["lengths"]
    if len(drawn) != len(lengths) or not all(isinstance(bar, Rectangle) for bar in drawn):
        yield Complaint(gid, f"it must be {len(lengths)} bars, got {_kinds(drawn)}")
        return
    boxes = [bar.get_bbox() for bar in drawn]
    thin_x = np.ptp([box.width for box in boxes]) == 0 and len(boxes) > 1
    drawn_lengths = np.array([box.height if thin_x else box.width for box in boxes])
    low, high = sorted(panel.ax.get_ylim() if thin_x else panel.ax.get_xlim())
    off = np.abs(drawn_lengths - lengths) / (high - low)
    worst = int(off.argmax())
    if not off[worst] <= expected.tolerance:
        yield Complaint(
            gid, f"bar {worst} is {drawn_lengths[worst]:.4g} long, expected {lengths[worst]:.4g}"
        )


def _read_image(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], AxesImage):
        yield Complaint(gid, f"it must be one image, got {_kinds(drawn)}")
        return
    [picture] = drawn
    numbers = expected.numbers
    values, wanted = (
        np.ma.filled(np.ma.asarray(picture.get_array(), dtype=float), np.nan),
        numbers["values"],
    )
    if values.shape != wanted.shape:
        yield Complaint(gid, f"it has {values.shape} pixels, not {wanted.shape}")
        return
    if (np.isnan(values) != np.isnan(wanted)).any():
        yield Complaint(gid, "other pixels are masked")
        return
    yield from _compare_colors(gid, picture, values, wanted, numbers, expected.tolerance)
    if picture.get_cmap().name != panel.colors.surface:
        yield Complaint(
            gid, f"its color map is {picture.get_cmap().name}, not {panel.colors.surface}"
        )
    rows, columns = wanted.shape
    extent = numbers["extent"] or (-0.5, columns - 0.5, rows - 0.5, -0.5)
    found = np.array(picture.get_extent(), dtype=float)
    if numbers["extent"] is None:
        found, extent = np.sort(found), np.sort(extent)
    if np.abs(found - np.array(extent)).max() > expected.tolerance * np.ptp(extent):
        yield Complaint(
            gid, f"it covers {np.round(found, 4).tolist()}, not {np.round(extent, 4).tolist()}"
        )
    yield from _read_bar(gid, picture, numbers)


def _compare_colors(gid, mapped, values, wanted, numbers, tolerance):
    """Complain of another scale or range of the colors, and of values that the colors would
    show.
    """
    low, high = numbers["limits"]
    logarithmic = numbers.get("scale", "linear") == "log"
    if isinstance(mapped.norm, LogNorm) != logarithmic:
        yield Complaint(gid, f"its colors are not {numbers.get('scale', 'linear')}")
        return
    scale = np.log if logarithmic else np.asarray
    size = abs(scale(high) - scale(low))
    limits = np.array([mapped.norm.vmin, mapped.norm.vmax])
    if not np.abs(scale(limits) - scale(np.array([low, high]))).max() <= tolerance * size:
        yield Complaint(
            gid,
            f"its colors run from {limits[0]:.4g} to {limits[1]:.4g}, not {low:.4g} to {high:.4g}",
        )
    with np.errstate(all="ignore"):
        off = np.abs(scale(values) - scale(wanted)) / size
    off = np.where((values == wanted) | np.isnan(wanted), 0.0, np.nan_to_num(off, nan=np.inf))
    worst = np.unravel_index(off.argmax(), off.shape)
    if off[worst] > tolerance:
        text = (
            f"entry {tuple(map(int, worst))} is {values[worst]:.4g}, expected {wanted[worst]:.4g}"
        )
        yield Complaint(gid, text, at=(worst[-1], worst[0]))


def _read_bar(gid, picture, numbers):
    bar = picture.colorbar
    if numbers["bar"] is None:
        return
    if bar is None:
        yield Complaint(gid, "it has no color bar")
        return
    label = bar.ax.get_ylabel() or bar.ax.get_xlabel()
    if label != numbers["bar"]:
        yield Complaint(gid, f"its color bar says {label!r}, not {numbers['bar']!r}")
    typed = not isinstance(bar.long_axis.get_major_formatter(), OWN_FORMATTERS)
    labels = [text.get_text() for text in bar.long_axis.get_majorticklabels()]
    drawn = dict(zip(labels, bar.long_axis.get_majorticklocs(), strict=True)) if typed else None
    wanted = numbers["ticks"]
    if (drawn is None) != (wanted is None):
        yield Complaint(gid, f"the ticks of its color bar are {drawn}, not {wanted}")
    elif drawn is not None:
        off = [abs(drawn.get(text, np.inf) - place) for text, place in wanted.items()]
        if set(drawn) != set(wanted) or max(off) > VISIBLE * np.ptp(list(wanted.values())):
            yield Complaint(gid, f"the ticks of its color bar are {drawn}, not {dict(wanted)}")


def _read_contours(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], ContourSet):
        yield Complaint(gid, f"it must be one set of contours, got {_kinds(drawn)}")
        return
    [contour] = drawn
    levels, height = expected.numbers["levels"], expected.numbers["height"]
    if len(contour.levels) != len(levels) or not np.allclose(
        contour.levels, levels, rtol=1e-9, atol=0
    ):
        yield Complaint(gid, f"its levels are {list(contour.levels)}, not {list(levels)}")
        return
    size = np.ptp(levels) or abs(levels[0]) or 1.0
    for level, path in zip(levels, contour.get_paths(), strict=True):
        if len(path.vertices) == 0:
            continue
        heights = height(*path.vertices.T)
        off = np.abs(heights - level) / size
        worst = int(off.argmax())
        if not off[worst] <= max(expected.tolerance, VISIBLE):
            text = f"the contour {level:.4g} passes a point of height {heights[worst]:.4g}"
            yield Complaint(gid, text, at=tuple(path.vertices[worst]))


def _read_surface(panel, gid, expected, drawn):
    if len(drawn) != 1 or not isinstance(drawn[0], Poly3DCollection):
        yield Complaint(gid, f"it must be one surface, got {_kinds(drawn)}")
        return
    heights = expected.numbers["heights"]
    faces = (heights[:-1, :-1] + heights[1:, :-1] + heights[:-1, 1:] + heights[1:, 1:]) / 4
    drawn_faces = np.asarray(drawn[0].get_array(), dtype=float)
    if drawn_faces.size != faces.size:
        yield Complaint(gid, f"it has {drawn_faces.size} faces, not {faces.size}")
        return
    yield from _compare_colors(
        gid, drawn[0], drawn_faces.reshape(faces.shape), faces, expected.numbers, expected.tolerance
    )
    if drawn[0].get_cmap().name != panel.colors.surface:
        yield Complaint(
            gid, f"its color map is {drawn[0].get_cmap().name}, not {panel.colors.surface}"
        )


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


def _kinds(artists):
    return ", ".join(type(artist).__name__ for artist in artists)


# Words about a figure


def says(drawing, word, gid, other=None):
    """Return the part of a claim that what the caption or the alt text says of a curve is so.

    `word` is "rises", "falls", "is constant", "has its lowest point inside", "has its highest point
    inside", or of two curves "above", "below", "left of", "right of", "meets". `gid` and `other`
    name lines or scatters.
    """
    known = {**ALONE, **TOGETHER}
    if word not in known:
        raise ValueError(f"word must be one of {', '.join(known)}, got {word!r}")
    points = [
        np.asarray(drawing.drawn(name), dtype=float) for name in (gid, other) if name is not None
    ]
    if word in ALONE and other is not None or word in TOGETHER and other is None:
        raise ValueError(
            f"{word!r} must be said of {1 if word in ALONE else 2} curves, got {gid!r} and"
            f" {other!r}"
        )
    held = bool(known[word](*(p[np.isfinite(p).all(axis=1)] for p in points)))
    promise = f"{gid} {word}" if other is None else f"{gid} {word} {other}"
    return Part(
        "words", promise, 0.0 if held else np.nan, held, "so it is" if held else "it is not so"
    )


def _is_inside(y, at):
    return 0 < at < len(y) - 1


def _overlap(one, other):
    """Return the heights of two curves where both have points."""
    one, other = (points[np.argsort(points[:, 0])] for points in (one, other))
    low, high = max(one[0, 0], other[0, 0]), min(one[-1, 0], other[-1, 0])
    x = np.unique(
        np.concatenate([p[(p[:, 0] >= low) & (p[:, 0] <= high), 0] for p in (one, other)])
    )
    return np.interp(x, *one.T), np.interp(x, *other.T)


def _is_above(one, other):
    high, low = _overlap(one, other)
    return len(high) > 0 and (high > low).all()


def _meets(one, other):
    here, there = _overlap(one, other)
    gap = here - there
    return len(gap) > 0 and gap.min() <= 0 <= gap.max()


ALONE = {
    "rises": lambda p: len(p) > 1 and (np.diff(p[:, 1]) >= 0).all() and p[-1, 1] > p[0, 1],
    "falls": lambda p: len(p) > 1 and (np.diff(p[:, 1]) <= 0).all() and p[-1, 1] < p[0, 1],
    "is constant": lambda p: len(p) > 1 and np.ptp(p[:, 1]) <= VISIBLE * np.abs(p[:, 1]).max(),
    "has its lowest point inside": lambda p: _is_inside(p[:, 1], p[:, 1].argmin()),
    "has its highest point inside": lambda p: _is_inside(p[:, 1], p[:, 1].argmax()),
}
TOGETHER = {
    "above": _is_above,
    "below": lambda one, other: _is_above(other, one),
    "left of": lambda one, other: one[:, 0].max() < other[:, 0].min(),
    "right of": lambda one, other: other[:, 0].max() < one[:, 0].min(),
    "meets": _meets,
}
