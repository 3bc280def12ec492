"""One hand for all figures: a style for light and dark pages, and drawings that show themselves in
both.

A function in `figures/<chapter>.py` is given axes, colors and numbers, draws, and computes nothing:

    @drawing(width=4.8, height=3.2)
    def valley(ax, color, t, loss):
        ax.plot(t, loss, color=color.theta, gid="loss")

Called as `valley(t, loss)` it returns a `Drawing`.
"""

import base64
import functools
import io
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray
from PIL import Image

from .drawn import points_of

DARK = "application/vnd.bookproof.dark+png"
PIXELS_PER_INCH = 100  # of a page; the picture itself has two for each


@dataclass(frozen=True)
class Colors:
    """The colors of one mode: paper, ink, a faint ink, the accents by their names, and matplotlib's
    map for surfaces.

    An accent is an attribute too: with `accents={"model": "#0072b2"}`, `color.model`. All inks
    should have a contrast of at least 4.5 to the paper, so that each will do for text.
    """

    paper: str
    ink: str
    faint: str
    accents: Mapping[str, str]
    surface: str = "cividis"

    def __getattr__(self, name):
        accents = self.__dict__.get("accents", {})
        if name not in accents:
            raise AttributeError(
                f"color must be paper, ink, faint, surface or one of {', '.join(accents)}, got"
                f" {name}"
            )
        return accents[name]


# Blue, orange and purple after Okabe and Ito (2008), darker or lighter as the paper needs it. They
# differ to every kind of eye, but blue and orange are one grey: where these two meet, dashes,
# markers or labels have to differ as well.
OKABE_ITO = {
    "light": {"blue": "#0072b2", "orange": "#b84a00", "purple": "#7a1f5c"},
    "dark": {"blue": "#56b4e9", "orange": "#f0a330", "purple": "#b4609a"},
}
PAPERS = {
    "light": {"paper": "#ffffff", "ink": "#1a1a1a", "faint": "#767676"},
    "dark": {"paper": "#121212", "ink": "#e6e6e6", "faint": "#8c8c8c"},
}


def colors(**names: str) -> dict[str, Colors]:
    """Return the `Colors` of both modes, with names for the colors of Okabe and Ito:
    `colors(model="blue", data="orange")`.
    """
    found = {}
    for mode, paper in PAPERS.items():
        accents = {name: OKABE_ITO[mode][ink] for name, ink in names.items()}
        found[mode] = Colors(**paper, accents=accents)
    return found


COLORS = colors(first="blue", second="orange", third="purple")


def make_palette(color: Colors) -> bytes:
    """Return 256 colors as bytes: paper and inks, what lies between any two of them, and the
    surface's.

    One serves all pictures of a mode. A palette made for one picture depends on each of its pixels:
    with one of them off by 1 of 255, thousands of others change, and no re-run could be compared
    with what is stored.
    """
    paper, *inks = (
        np.array(to_rgb(c)) for c in (color.paper, color.ink, color.faint, *color.accents.values())
    )
    edges = [paper + (ink - paper) * t for ink in inks for t in np.arange(1, 25) / 24]
    meetings = [
        a + (b - a) * t for a, b in itertools.combinations(inks, 2) for t in (0.2, 0.4, 0.6, 0.8)
    ]
    named = [paper, *edges, *meetings]
    surface = matplotlib.colormaps[color.surface](np.linspace(0, 1, 256 - len(named)))[:, :3]
    return np.round(255 * np.vstack([named, surface])).astype(np.uint8).tobytes()


def make_style(color: Colors) -> dict:
    """Return matplotlib's rcParams for the book, in the given `Colors`."""
    return {
        "figure.facecolor": color.paper,
        "axes.facecolor": color.paper,
        "savefig.facecolor": color.paper,
        "text.color": color.ink,
        "axes.labelcolor": color.ink,
        "axes.edgecolor": color.ink,
        "xtick.color": color.ink,
        "ytick.color": color.ink,
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "mathtext.fontset": "cm",
        "axes.labelsize": 12,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.direction": "out",
        "ytick.direction": "out",
        "lines.linewidth": 1.8,
        "image.cmap": color.surface,
        "legend.frameon": False,
        "savefig.dpi": 2 * PIXELS_PER_INCH,
    }


class Drawing:
    """A figure that can be drawn in either mode, shown in a notebook, and asked for the numbers it
    draws.
    """

    def __init__(self, draw, size, panels, projection, colors, numbers):
        self._draw = draw
        self._size = size
        self._panels = panels
        self._projection = projection
        self._colors = colors
        self._numbers = numbers

    @property
    def name(self) -> str:
        """The name of the function that draws it, after that of its module: "hessians.trace"."""
        module = self._draw.__module__.rpartition(".")[2]
        return f"{module}.{self._draw.__name__}"

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes in which it can be drawn, "light" and "dark"."""
        return tuple(self._colors)

    def colors(self, mode: str = "light") -> Colors:
        """Return the `Colors` of a mode."""
        return self._colors[mode]

    def figure(self, mode: str = "light") -> Figure:
        """Return a new matplotlib figure in the given mode, "light" or "dark"."""
        color = self._colors[mode]
        with matplotlib.rc_context({**matplotlib.rcParamsDefault, **make_style(color)}):
            figure = Figure(figsize=self._size, layout="constrained")
            axes = figure.subplots(*self._panels, subplot_kw={"projection": self._projection})
            self._draw(axes, color, *self._numbers[0], **self._numbers[1])
        return figure

    def png(self, mode: str = "light") -> bytes:
        """Return the picture as the bytes of a PNG, two pixels for each one that a page gives it.

        With the 256 colors of the mode's palette it takes a third of the space.
        """
        full, packed = io.BytesIO(), io.BytesIO()
        with matplotlib.rc_context(make_style(self._colors[mode])):
            self.figure(mode).savefig(full, format="png")
        palette = Image.new("P", (1, 1))
        palette.putpalette(make_palette(self._colors[mode]))
        picture = Image.open(full).convert("RGB")
        picture = picture.quantize(palette=palette, dither=Image.Dither.NONE)
        picture.save(packed, "PNG", optimize=True)
        return packed.getvalue()

    def drawn(self, gid: str) -> NDArray:
        """Return the numbers that the artist named `gid` really draws: a line's or scatter's (n,
        2), in space (n, 3), an image's pixels.

        Raises ValueError when there is no such artist.
        """
        for artist in self.figure().findobj(lambda artist: artist.get_gid() == gid):
            if isinstance(artist, AxesImage):
                return np.asarray(artist.get_array())
            points = points_of(artist)
            if points is not None:
                return points
        raise ValueError(f"gid must name a line, a scatter or an image of this figure, got {gid!r}")

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The width is that of a page: without it the picture, which is rendered twice as fine,
        would be shown twice as large in JupyterLab.
        """
        pictures = {mode: base64.b64encode(self.png(mode)).decode() for mode in self._colors}
        shown = {"image/png": pictures["light"], "text/plain": "<figure>"}
        return shown, {DARK: pictures["dark"], "image/png": {"width": self.width}}

    @property
    def width(self):
        """The width of the picture on a page, in pixels."""
        return round(self._size[0] * PIXELS_PER_INCH)


def drawing(
    *,
    width: float,
    height: float,
    panels: tuple[int, int] = (1, 1),
    projection: str | None = None,
    colors: Mapping[str, Colors] = COLORS,
) -> Callable[[Callable], Callable[..., Drawing]]:
    """Turn draw(axes, color, *numbers) into a function of the numbers that returns a `Drawing`,
    `width` by `height` inches.

    `panels` are rows and columns of axes; with more than one panel `axes` is an array.
    `projection="3d"` gives axes in space.
    """

    def decorate(draw):
        @functools.wraps(draw)
        def make(*numbers, **named):
            return Drawing(draw, (width, height), panels, projection, colors, (numbers, named))

        return make

    return decorate
