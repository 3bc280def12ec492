"""Words of captions and alt texts that can be asserted: "rises", "above", "is the highest"."""

import numpy as np
from matplotlib.lines import Line2D

from .claims import Part
from .drawing import Drawing
from .drawn import artists_by_gid, is_in_data_coordinates, panels_of, points_of

CONSTANT = 0.005  # share of its largest value within which a curve is constant


def says(drawing: Drawing, word: str, gid: str, other: str | None = None) -> Part:
    """Return the part of a claim that what the caption or the alt text says of a curve is so.

    `word` is "rises", "falls", "is constant", "has its lowest point inside", "has its highest point
    inside"; of a curve among all others of its panel "is the highest", "is the lowest"; or of two
    curves "above", "below", "left of", "right of", "meets". `gid` and `other` name lines or
    scatters.
    """
    known = {**ALONE, **AMONG, **TOGETHER}
    if word not in known:
        raise ValueError(f"word must be one of {', '.join(known)}, got {word!r}")
    if (word in TOGETHER) != (other is not None):
        curves = "two curves" if word in TOGETHER else "one curve"
        raise ValueError(f"{word!r} must be said of {curves}, got {gid!r} and {other!r}")
    figure = drawing.figure()
    here = _line_of(_named(figure, gid))
    if word in TOGETHER:
        held = TOGETHER[word](here, _line_of(_named(figure, other)))
    elif word in AMONG:
        held = AMONG[word](here, _rivals(_named(figure, gid)))
    else:
        held = ALONE[word](here)
    promise = f"{gid} {word}" if other is None else f"{gid} {word} {other}"
    finding = "so it is" if held else "it is not so"
    return Part("words", promise, 0.0 if held else None, bool(held), finding)


def _named(figure, gid):
    """Return the one line or scatter of this name."""
    artists = [artist for ax in panels_of(figure) for artist in artists_by_gid(ax).get(gid, [])]
    artists = [artist for artist in artists if points_of(artist) is not None]
    if len(artists) != 1:
        raise ValueError(f"gid must name one line or scatter, got {gid!r} of {len(artists)}")
    return artists[0]


def _rivals(artist):
    """Return the other named lines and scatters of an artist's panel."""
    found = artists_by_gid(artist.axes)
    others = [each for gid in found if gid is not None for each in found[gid]]
    others = [each for each in others if each is not artist and points_of(each) is not None]
    lines = [_line_of(each) for each in others]
    return [line for line in lines if len(line)]


def _line_of(artist):
    """Return the finite points of a line or scatter in data coordinates; one across the panel ends
    at its edges.
    """
    points = points_of(artist)
    artist.axes.get_xlim()  # brings the transforms up to date
    if isinstance(artist, Line2D) and not is_in_data_coordinates(artist):
        to_data = artist.axes.transData.inverted()
        points = to_data.transform(artist.get_transform().transform(points))
    return points[np.isfinite(points).all(axis=1)]


def _heights(points):
    """Return the heights of a curve from left to right, in whatever order it is drawn."""
    return points[np.argsort(points[:, 0], kind="stable"), 1]


def _rises(points):
    y = _heights(points)
    return len(y) > 1 and (np.diff(y) >= 0).all() and y[-1] > y[0]


def _falls(points):
    return _rises(points * [1, -1])


def _is_constant(points):
    y = points[:, 1]
    return len(y) > 1 and np.ptp(y) <= CONSTANT * np.abs(y).max()


def _has_lowest_inside(points):
    y = _heights(points)
    return len(y) > 2 and y[1:-1].min() < min(y[0], y[-1])


def _has_highest_inside(points):
    return _has_lowest_inside(points * [1, -1])


def _overlap(one, other):
    """Return the heights of two curves where both have points."""
    if len(one) == 0 or len(other) == 0:
        return np.zeros(0), np.zeros(0)
    one, other = (points[np.argsort(points[:, 0], kind="stable")] for points in (one, other))
    low, high = max(one[0, 0], other[0, 0]), min(one[-1, 0], other[-1, 0])
    x = np.unique(np.concatenate([one[:, 0], other[:, 0]]))
    x = x[(x >= low) & (x <= high)]
    return np.interp(x, *one.T), np.interp(x, *other.T)


def _is_above(one, other):
    high, low = _overlap(one, other)
    return len(high) > 0 and (high > low).all()


def _is_below(one, other):
    return _is_above(other, one)


def _is_left(one, other):
    return len(one) > 0 and len(other) > 0 and one[:, 0].max() < other[:, 0].min()


def _is_right(one, other):
    return _is_left(other, one)


def _meets(one, other):
    here, there = _overlap(one, other)
    gap = here - there
    return len(gap) > 0 and gap.min() <= 0 <= gap.max()


def _is_highest(points, rivals):
    return len(rivals) > 0 and all(_is_above(points, rival) for rival in rivals)


def _is_lowest(points, rivals):
    return len(rivals) > 0 and all(_is_below(points, rival) for rival in rivals)


ALONE = {
    "rises": _rises,
    "falls": _falls,
    "is constant": _is_constant,
    "has its lowest point inside": _has_lowest_inside,
    "has its highest point inside": _has_highest_inside,
}
AMONG = {"is the highest": _is_highest, "is the lowest": _is_lowest}
TOGETHER = {
    "above": _is_above,
    "below": _is_below,
    "left of": _is_left,
    "right of": _is_right,
    "meets": _meets,
}
