"""What a matplotlib figure really shows, asked by public means only, so that old and new versions
of matplotlib answer alike.
"""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection, LineCollection, PathCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import same_color
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter
from mpl_toolkits.mplot3d.art3d import Line3D, Line3DCollection, Path3DCollection
from numpy.typing import ArrayLike

OWN_FORMATTERS = (ScalarFormatter, LogFormatter, NullFormatter)  # matplotlib writes these itself
NO_LINE = ("None", "none", " ", "")


def panels_of(figure: Figure) -> list[Axes]:
    """Return the axes of a figure that are seen and are no color bars."""
    bars = [bar.ax for bar in color_bars_of(figure)]
    everything = [each for ax in figure.axes for each in (ax, *ax.child_axes)]
    shown = [ax for ax in everything if ax.get_visible() and ax.get_label() != "<colorbar>"]
    return [ax for ax in dict.fromkeys(shown) if ax not in bars]


def color_bars_of(figure: Figure) -> list[Colorbar]:
    """Return the color bars of a figure's artists."""
    return [artist.colorbar for ax in figure.axes for artist in with_bars(ax)]


def with_bars(ax):
    return [each for each in (*ax.images, *ax.collections) if each.colorbar is not None]


def as_floats(values):
    """Return numbers as floats, NaN where they are masked. Raises ValueError for texts and complex
    numbers, of which a part would be lost.
    """
    numbers = np.ma.asarray(values)
    if numbers.dtype.kind in "cSU":
        raise ValueError(f"what is drawn must be real numbers, got dtype {numbers.dtype}")
    return np.ma.filled(numbers.astype(float), np.nan)


def artists_by_gid(ax: Axes) -> dict[str | None, list[Artist]]:
    """Return the artists that carry data or guide the eye, {gid: [artist, ...]}; those without a
    gid under None.
    """
    found = {}
    for artist in [*ax.lines, *ax.collections, *ax.patches, *ax.images, *ax.artists, *ax.tables]:
        if artist.get_visible() and artist.get_alpha() != 0:
            found.setdefault(artist.get_gid(), []).append(artist)
    return found


def points_of(artist: Artist) -> np.ndarray | None:
    """Return the points (n, 2 or 3) of a line, a scatter or a set of lines, NaN between its lines;
    None for what has no points of its own.
    """
    if isinstance(artist, Line3D):
        return np.stack([as_floats(column) for column in artist.get_data_3d()], axis=1)
    if isinstance(artist, Line3DCollection | Path3DCollection):
        return None  # matplotlib does not tell
    if isinstance(artist, Line2D):
        return as_floats(artist.get_xydata())
    if isinstance(artist, PathCollection):
        return as_floats(artist.get_offsets())
    if isinstance(artist, LineCollection):
        gap = np.full((1, 2), np.nan)
        pieces = [each for segment in artist.get_segments() for each in (segment, gap)]
        return np.concatenate(pieces[:-1]) if pieces else np.zeros((0, 2))
    return None


def colors_of(artist: Artist, paper: str) -> list:
    """Return the colors that an artist shows, but the paper's inside of markers."""
    if isinstance(artist, Line2D):
        found = [] if artist.get_linestyle() in NO_LINE else [artist.get_color()]
        if artist.get_marker() not in NO_LINE:
            inside = artist.get_markerfacecolor()
            found.append(artist.get_markeredgecolor())
            if not same_color(inside, "none") and not same_color(inside, paper):
                found.append(inside)
        return found
    if isinstance(artist, ContourSet | LineCollection):
        return list(np.atleast_2d(artist.get_edgecolor()))
    if isinstance(artist, Collection):
        inside = artist.get_facecolor()
        return list(np.atleast_2d(inside if len(inside) else artist.get_edgecolor()))
    if isinstance(artist, Patch):
        return [artist.get_facecolor() if artist.get_fill() else artist.get_edgecolor()]
    return []


def is_in_data_coordinates(artist):
    is_scatter = isinstance(artist, PathCollection)
    transform = artist.get_offset_transform() if is_scatter else artist.get_transform()
    return transform == artist.axes.transData


def lines_on_screen(artist):
    """Return the lines (n, 2) of an artist that a label can stand near, in pixels."""
    if isinstance(artist, Patch):
        paths = [artist.get_transform().transform_path(artist.get_path())]
        return [path.vertices for path in paths]
    if isinstance(artist, PathCollection):
        return [artist.axes.transData.transform(as_floats(artist.get_offsets()))]
    if isinstance(artist, Line2D):  # one in space has been projected when it was drawn
        return [artist.get_transform().transform(as_floats(artist.get_xydata()))]
    if isinstance(artist, Collection):
        return [artist.get_transform().transform(path.vertices) for path in artist.get_paths()]
    return []


def texts_of(ax):
    return [text for text in ax.texts if text.get_visible() and text.get_text()]


def is_seen(axis: Axis) -> bool:
    """Say whether an axis is drawn at all."""
    return axis.get_visible() and (axis.axes.axison or axis.axes.name == "3d")  # there it is off


def tick_labels(axis: Axis) -> list[tuple[str, float]]:
    """Return the labels that are seen at the ticks of an axis with their places, in rising order.

    Minor ticks only where somebody typed their labels.
    """
    if not is_seen(axis):
        return []
    axis.get_majorticklabels()  # brings the ticks up to date
    ticks = axis.get_major_ticks()
    if not isinstance(axis.get_minor_formatter(), OWN_FORMATTERS):
        axis.get_minorticklabels()
        ticks = [*ticks, *axis.get_minor_ticks()]
    found = []
    for tick in ticks:
        shown = [each for each in (tick.label1, tick.label2) if each.get_visible()]
        texts = [each.get_text() for each in shown if each.get_text()]
        if texts and _is_in_view(axis, tick.get_loc()):
            found.append((texts[0], tick.get_loc()))
    return sorted(found, key=lambda pair: pair[1])


def ticks_in_view(axis):
    return [place for place in axis.get_majorticklocs() if _is_in_view(axis, place)]


def _is_in_view(axis, place):
    low, high = sorted(axis.get_view_interval())
    room = 1e-6 * (high - low)
    return low - room <= place <= high + room


def share_of(axis, values):
    """Return values on an axis as shares of its range, 0 at its beginning."""
    scale = axis.get_transform()
    with np.errstate(all="ignore"):
        low, high = scale.transform(np.array(axis.get_view_interval(), dtype=float))
        return (scale.transform(np.array(values, dtype=float)) - low) / (high - low)


def shares_of(ax: Axes, points: ArrayLike) -> np.ndarray:
    """Return points in data coordinates (n, 2 or 3) in shares of the axes, each of which runs from
    0 to 1.
    """
    columns = np.asarray(points, dtype=float).T
    return np.stack([share_of(axis, column) for axis, column in _by_axis(ax, columns)], axis=1)


def from_shares(ax: Axes, shares: ArrayLike) -> np.ndarray:
    """Return points in data coordinates that stand at these shares of the axes."""
    found = []
    for axis, column in _by_axis(ax, np.asarray(shares, dtype=float).T):
        low, high = axis.get_transform().transform(np.array(axis.get_view_interval(), dtype=float))
        found.append(axis.get_transform().inverted().transform(low + column * (high - low)))
    return np.stack(found, axis=1)


def _by_axis(ax, columns):
    return [
        (getattr(ax, f"{name}axis"), column) for name, column in zip("xyz", columns, strict=False)
    ]


def have_one_range(one, other):
    same_scale = one.get_scale() == other.get_scale()
    return same_scale and bool(np.allclose(share_of(one, other.get_view_interval()), [0, 1]))
