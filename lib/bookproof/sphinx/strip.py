"""A strip plot of a book's claims: how much of what was allowed each comparison used up.

Drawn as SVG in the page's own colors, so that it suits light and dark pages; a dot is a link to its
claim's row.
"""

import html
import math
import random
from collections.abc import Sequence

from ..claims import SUPERSCRIPTS, power

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 14, 14, 12, 44
KINDS = {"equality": "circle", "inequality": "diamond", "estimate": "square"}
LEAST = 1e-8  # what used up less is drawn here


def draw_strip(dots: Sequence[tuple[float, str, str]], exact: int) -> str:
    """Return a figure of dots (share, identifier of the claim, kind); `exact` equalities used up
    nothing and are told in words.
    """
    floor = math.floor(math.log10(max(LEAST, min((d[0] for d in dots), default=1.0))))
    marks = "".join(draw_dot(dot, floor, number) for number, dot in enumerate(dots))
    axis = "".join(draw_tick(exponent, floor) for exponent in range(floor, 1))
    limit = place(1.0, floor)
    label = (
        f"{len(dots)} comparisons on a logarithmic axis from {power(10.0**floor)} to 1, the limit;"
        " none is beyond it."
    )
    return (
        f'<figure class="strip"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group"'
        f' aria-label="{label}">{axis}{marks}'
        f'<line class="limit" x1="{limit:.1f}" x2="{limit:.1f}" y1="{TOP - 6}"'
        f' y2="{HEIGHT - BOTTOM + 6}"/></svg>'
        "<figcaption>How close do the claims come to their limits? A dot for each comparison:"
        " what was measured, over what was allowed (○ equalities, ◇ bounds, □ estimates; the line"
        f" at the right is the limit). {exact} more equalities are exact. A dot leads to its"
        " row.</figcaption></figure>"
    )


def place(share: float, floor: int) -> float:
    """Return where a share stands on the axis."""
    position = (math.log10(max(share, LEAST)) - floor) / -floor if floor < 0 else 1.0
    return LEFT + position * (WIDTH - LEFT - RIGHT)


def draw_dot(dot: tuple[float, str, str], floor: int, number: int) -> str:
    share, identifier, kind = dot
    x = place(share, floor)
    y = TOP + random.Random(number).random() * (HEIGHT - TOP - BOTTOM)
    name = html.escape(identifier)
    shapes = {
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
        "diamond": f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5z"/>',
        "square": f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>',
    }
    used = power(float(f"{share:.2g}"))
    return (
        f'<a href="#claim-{name}" tabindex="-1" aria-label="{name}, {used} of the limit">'
        f"<title>{name}: {used} of the limit</title>{shapes[KINDS[kind]]}</a>"
    )


def draw_tick(exponent: int, floor: int) -> str:
    x, y = place(10.0**exponent, floor), HEIGHT - BOTTOM + 8
    words = "1" if exponent == 0 else f"10{str(exponent).translate(SUPERSCRIPTS)}"
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>'
        f'<text x="{x:.1f}" y="{y + 22}" text-anchor="middle">{words}</text>'
    )
