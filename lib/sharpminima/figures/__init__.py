"""One hand for all figures: a style for light and dark pages, and drawings that show themselves in both.

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
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d.art3d import Line3D
from PIL import Image

DARK = "application/vnd.sharpminima.dark+png"


@dataclass(frozen=True)
class Colors:
    """The colors of one mode, all with a contrast of at least 4.5 to the paper, so that each will do for text.

    Blue, orange and purple follow Okabe and Ito (2008), darker or lighter as the paper wants it. They differ to every kind of
    eye, but blue and orange are one grey: where these two meet, dashes, markers or labels have to differ as well.
    """

    paper: str
    ink: str
    faint: str
    theta: str
    twin: str
    third: str
    surface: str = "cividis"


COLORS = {
    "light": Colors(paper="#ffffff", ink="#1a1a1a", faint="#767676", theta="#0072b2", twin="#b84a00", third="#7a1f5c"),
    "dark": Colors(paper="#121212", ink="#e6e6e6", faint="#8c8c8c", theta="#56b4e9", twin="#f0a330", third="#b4609a"),
}


def palette(color):
    """Return 256 colors as bytes: paper and inks, what lies between any two of them, and the surface's.

    One for all pictures of a mode. A palette chosen for a picture hangs on every pixel of it: with one pixel off by 1 of 255,
    thousands of others come out otherwise, and no re-run could be compared with what is stored.
    """
    paper, *inks = (np.array(to_rgb(c)) for c in (color.paper, color.ink, color.faint, color.theta, color.twin, color.third))
    edges = [paper + (ink - paper) * t for ink in inks for t in np.arange(1, 25) / 24]
    meetings = [a + (b - a) * t for a, b in itertools.combinations(inks, 2) for t in (0.2, 0.4, 0.6, 0.8)]
    named = [paper, *edges, *meetings]
    surface = matplotlib.colormaps[color.surface](np.linspace(0, 1, 256 - len(named)))[:, :3]
    return np.round(255 * np.vstack([named, surface])).astype(np.uint8).tobytes()


def style(color):
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
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "xtick.direction": "out",
        "ytick.direction": "out",
        "lines.linewidth": 1.8,
        "image.cmap": color.surface,
        "legend.frameon": False,
        "savefig.dpi": 200,
    }


class Drawing:
    """A figure that can be drawn in either mode, shown in a notebook, and asked for the numbers it draws."""

    def __init__(self, draw, size, panels, projection, numbers):
        self._draw, self._size, self._panels, self._projection, self._numbers = draw, size, panels, projection, numbers

    def figure(self, mode="light"):
        """Return a new matplotlib figure in the given mode, "light" or "dark"."""
        color = COLORS[mode]
        with matplotlib.rc_context({**matplotlib.rcParamsDefault, **style(color)}):
            figure = Figure(figsize=self._size, layout="constrained")
            axes = figure.subplots(*self._panels, subplot_kw={"projection": self._projection})
            self._draw(axes, color, *self._numbers[0], **self._numbers[1])
        return figure

    def png(self, mode="light"):
        """Return the picture as the bytes of a PNG, two pixels for each one that a page gives it.

        With the 256 colors of the mode's palette it takes a third of the space.
        """
        drawn, packed = io.BytesIO(), io.BytesIO()
        with matplotlib.rc_context(style(COLORS[mode])):
            self.figure(mode).savefig(drawn, format="png")
        colors = Image.new("P", (1, 1))
        colors.putpalette(palette(COLORS[mode]))
        Image.open(drawn).convert("RGB").quantize(palette=colors, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        return packed.getvalue()

    def drawn(self, gid):
        """Return the numbers that the artist named `gid` really draws: a line's or scatter's (n, 2), in space (n, 3), an image's pixels.

        Raises ValueError when there is no such artist.
        """
        for artist in self.figure().findobj(lambda artist: artist.get_gid() == gid):
            if isinstance(artist, Line3D):
                return np.stack(artist.get_data_3d(), axis=1)
            if isinstance(artist, Line2D):
                return np.asarray(artist.get_xydata())
            if isinstance(artist, PathCollection):
                return np.asarray(artist.get_offsets())
            if isinstance(artist, AxesImage):
                return np.asarray(artist.get_array())
        raise ValueError(f"gid must name a line, a scatter or an image of this figure, got {gid!r}")

    def _repr_mimebundle_(self, include=None, exclude=None):
        pictures = {mode: base64.b64encode(self.png(mode)).decode() for mode in COLORS}
        return {"image/png": pictures["light"], "text/plain": "<figure>"}, {DARK: pictures["dark"]}


def drawing(*, width, height, panels=(1, 1), projection=None):
    """Turn draw(axes, color, *numbers) into a function of the numbers that returns a `Drawing`, `width` by `height` inches.

    `panels` are rows and columns of axes; with more than one panel `axes` is an array. `projection="3d"` gives axes in space.
    """

    def decorate(draw):
        @functools.wraps(draw)
        def make(*numbers, **named):
            return Drawing(draw, (width, height), panels, projection, (numbers, named))

        return make

    return decorate
