"""Colors that every kind of eye can tell apart and read, nothing told by color alone, and numbers
read back as they were drawn.

Not seen here: whether a figure is beautiful, uncrowded or of any use; labels that cover a curve;
whether alt text and caption say what is drawn (a test looks for their presence, a reader for their
truth). Whether a picture changed is the business of test_pictures.py, whether the drawn numbers are
right that of each figure's claim: of a drawn curve that its claim does not read, nobody knows that
it is right. Colors are judged as matplotlib gets them, not as some screen shows them, and without
what opacity takes from their contrast.
"""

import ast
import importlib
import itertools
import pkgutil

import nbformat
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from nbformat.v4 import new_code_cell, new_notebook, new_output

from bookproof.claims import MIME
from bookproof.drawing import DARK
from bookproof.notebooks import find_claims, find_statements
from bookproof.pictures import PNG, collect_pictures
from chapters import figures
from chapters.figures import COLORS, drawing
from tests.support import PROJECT

CHAPTERS = [
    nbformat.read(path, as_version=4) for path in sorted((PROJECT / "chapters").glob("*.ipynb"))
]
ACCENTS = ("theta", "twin", "third", "ink")

# Machado, Oliveira and Fernandes (2009), severity 1; they act on linear RGB.
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Stone, Szafir and Setlur (2014): half of the viewers tell marks of 0.1 degree, as wide as these
# lines are, apart when they differ by 5.1 + 0.075/0.1 = 13 in lightness L*, or by 5.3 + 0.154/0.1 =
# 21 along a*. (For large fields 2.3 would do.)
FAR, LIGHTER = 21, 13


def linear(color):
    c = np.array(to_rgb(color))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(color, paper):
    """WCAG 2's ratio of luminances, 1 to 21."""
    low, high = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (color, paper))
    return (high + 0.05) / (low + 0.05)


def lab(color, eye="all cones"):
    """CIE L*a*b* of a color (D65) as an eye sees it."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = to_xyz @ np.clip(EYES[eye] @ linear(color), 0, 1) / to_xyz.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def gray_gap(one, other):
    return abs(lab(one)[0] - lab(other)[0])


def test_the_formulas():
    """Against numbers of others: WCAG's extremes, the Lab of sRGB's red, and eyes that leave white
    white.
    """
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast(
        "#777777", "#ffffff"
    ) == pytest.approx(4.48, abs=0.01)
    assert lab("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    for eye in EYES:
        assert lab("#ffffff", eye) == pytest.approx([100, 0, 0], abs=0.01)


@pytest.mark.parametrize("mode", COLORS)
@pytest.mark.parametrize("name", [*ACCENTS, "faint"])
def test_every_color_will_do_for_text(mode, name):
    """4.5 is for text; lines need 3. Labels are drawn in each of these colors."""
    assert contrast(getattr(COLORS[mode], name), COLORS[mode].paper) >= 4.5


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("mode", COLORS)
def test_accents_differ_to_every_eye(mode, eye):
    for one, other in itertools.combinations(ACCENTS, 2):
        away = np.linalg.norm(
            lab(getattr(COLORS[mode], one), eye) - lab(getattr(COLORS[mode], other), eye)
        )
        assert away >= FAR, f"{one} and {other} are {away:.0f} apart"


@pytest.mark.parametrize("mode", COLORS)
def test_in_gray_only_theta_and_twin_are_alike(mode):
    """Four grays of 4.5 to the paper and LIGHTER apart are not to be had with hues kept; where
    these two meet, figures do more.
    """
    alike = {
        (one, other)
        for one, other in itertools.combinations(ACCENTS, 2)
        if gray_gap(getattr(COLORS[mode], one), getattr(COLORS[mode], other)) < LIGHTER
    }
    assert alike <= {("theta", "twin")}


# Numbers for each drawing, made up but of the shape a chapter gives. A new drawing needs its line
# here.
T = np.linspace(-1, 1, 41)
CURVE = np.stack([T, T**2], axis=1)
RISING = np.arange(1.0, 42.0)
PLACES = [(1, "here"), (2, "near"), (4, "far")]
GRID = np.logspace(-2, 2, 41)
SAMPLES = {
    "alpha_transform.homogeneity": [
        [(name, [(a, CURVE * a) for a in (0.5, 1, 2)]) for name in ("one", "other")]
    ],
    "alpha_transform.flow": [np.stack([GRID, 1 / GRID], axis=1), [CURVE, CURVE + 1]],
    "alpha_transform.level_curves": [
        [(GRID, 1 / GRID, 2 / GRID)],
        [(0.5, CURVE), (1, CURVE + 1)],
        [np.array([[0.5, 2], [1, 1], [2, 0.5]]) + k for k in range(3)],
        ["one", "two", "three"],
    ],
    "alpha_transform.signs": [[("f", CURVE), ("twin", CURVE), ("not a twin", -CURVE)]],
    "alpha_transform.twins": [
        [(name, ["2", "4"], ["2", "4"], ["3", "1"], "10") for name in ("one", "two", "three")]
    ],
    "conclusion.descent": [
        [(name, [(label, RISING / 20) for label in "abc"]) for name in ("one", "other")]
    ],
    "dynamics.dial": [GRID[:15:2], GRID[:16], np.outer(T[:16], T[:8]), GRID[:15:2], [(0.05, 0.1)]],
    "dynamics.runs": [[(name, RISING * n) for n, name in PLACES]],
    "picked.drift": [GRID[::10], [(name, RISING[::10] * n) for n, name in PLACES]],
    "dynamics.edge": [RISING, [(name, RISING * n, 40.0 * n) for n, name in PLACES]],
    "dynamics.stay": [GRID, [(name, RISING * n) for n, name in PLACES]],
    "picked.picked": [
        RISING,
        ["one", "two", "three"],
        [(name, [RISING * n for n in (1, 2, 3)], 0.5) for name in ("left", "right")],
    ],
    "conclusion.intervals": [{name: RISING[:18].reshape(6, 3) for name in ("one", "other")}, 300],
    "conclusion.stability": [GRID, GRID[:17], np.outer(RISING[:17], RISING), 1 / GRID, 2.0],
    "definitions.three_measures": [CURVE, CURVE * [1, 0.8], [-0.5, 0.5], 0.3, 0.25, 0.6],
    "definitions.lake": [CURVE, [(CURVE[10:30], h, f"width {h}", 0) for h in (0.3, 1.2)]],
    "definitions.ellipse": [CURVE, np.eye(2), -np.eye(2)],
    "definitions.examples": [
        [(name, CURVE, CURVE, (-0.5, 0.5), 0.2, ("flat", "sharp", "so so")) for name in "abcd"],
        0.25,
        0.5,
    ],
    "definitions.cuts": [
        CURVE,
        CURVE * [1, 0.1],
        ((-0.1, 0.1), "short"),
        ((-0.5, 0.5), "long"),
        0.25,
    ],
    "definitions.tie": [GRID[:21], 1 + GRID[:21], GRID],
    "flatness.boxes": [
        [CURVE + [1, 1], CURVE + [1, 2]],
        [
            (label, np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) + k)
            for k, label in enumerate(("1/2", "1", "2"))
        ],
        4,
    ],
    "flatness.growth": [
        (GRID, 1 / GRID, 2 / GRID),
        CURVE,
        *[np.stack([GRID, RISING], axis=1)] * 3,
    ],
    "bounds.orbit": [
        np.stack([GRID, RISING], axis=1),
        np.stack([GRID, -RISING], axis=1),
        (20, -20),
    ],
    "flatness.valleys": [[(T, T**2, T**2 + 1), (T, T**2, T**2 + 2)], [(1, 1), (-1, 2)]],
    "flatness.ranks": [np.stack([GRID, RISING * k], axis=1) for k in (1, 2, 3, 4)],
    "sharpness.reach": [
        [(1, "0", CURVE), (2, "1/2", CURVE + 1)],
        [CURVE, CURVE + 1],
        np.array([[1, 1], [0.5, 2]]),
        np.array([[0, 2], [1, 2]]),
    ],
    "sharpness.growth": [GRID, GRID + 1, GRID, GRID, GRID + 2, [1e-2, 1e-1], 0.5, [1.0, 1.5]],
    "sharpness.shrink": [
        [
            (label, GRID[:9], 1 + GRID[:9] * k, 1e-2 / k)
            for k, label in ((1, "a"), (8, "b"), (64, "c"))
        ]
    ],
    "subspaces.boxes": [GRID, GRID, GRID + 1, [GRID + 2, GRID + 3], [GRID / 2, GRID / 3]],
    "hessians.spectra": [[(rf"$\alpha=2^{{-{k}}}$", 4.0**k / RISING) for k in range(3)]],
    "hessians.ellipses": [
        [(name, np.array([[-k, 0], [0, 1 / k], [k, 0], [0, -1 / k]])) for k, name in PLACES],
        np.array([[0.3, 0.4], [-0.5, 0.4]]),
    ],
    "hessians.blocks": [
        np.outer(RISING, RISING),
        np.outer(RISING, 1 / RISING),
        20,
        ["before", "factor"],
        [["a", "b"], ["c", "d"]],
    ],
    "floors.trace": [GRID, 1 / GRID + GRID, 0.5 / GRID + 0.5 * GRID, [2, 1], [3, 2]],
    "directions.raised": [
        RISING,
        RISING // 5,
        [("paper", 4), ("sharpened", 6), ("reached", 8)],
        [(name, 0.5, 0.6, 0.8, 0.9) for _, name in PLACES],
    ],
    "floors.bends": [T, [("one", T**2), ("other", 2 * T**2)], CURVE],
    "prediction.rescaling": [
        {
            (panel, str(k)): (1 + np.arange(4.0), 1 / (k + np.arange(4.0)), k > 1)
            for panel in ("node_scale", "softmax_shift")
            for k in (1, 2, 3)
        },
        {("node_scale", "1"): "one", ("softmax_shift", "2"): "other"},
    ],
    "prediction.adversary": [RISING, GRID, 1 / GRID],
    "prediction.floors": [RISING, GRID, 2 * GRID],
    "prediction.left": [
        ["one", "other"],
        [(name, [(0.5, 0.4, 0.6, 0.2), (0.1, -0.1, 0.2, 0.0)]) for name in ("here", "there")],
    ],
    "structured.parts": [
        np.outer(RISING, RISING),
        np.outer(RISING, RISING) % 3,
        [20, 21],
        [21, 25],
        ["one", "other"],
    ],
    "introduction.training": [
        [(name, [RISING, 1 / RISING]) for name in ("deep", "residual", "shallow")],
        2.0,
    ],
    "introduction.contours": [
        T,
        [(name, np.outer(T, T)) for name in ("plain", "residual")],
        (-2, 2),
        [-0.5, 0.5],
    ],
    "introduction.shift": [
        CURVE,
        CURVE + [0.1, 0],
        [(name, np.array([[0, k], [0, k + 1]])) for k, name in enumerate(("flat", "sharp"))],
    ],
    "introduction.batches": [CURVE + 2, CURVE + 3, CURVE + 4, 1, "the same"],
    "invariance.orbits": [
        [
            (label, [(name, np.stack([GRID, GRID**k], axis=1)) for k, name in enumerate("abcd")])
            for label in ("one", "other")
        ]
    ],
    "survival.collapse": [
        [(name, [(label, 1 / RISING) for label in "abc"]) for name in ("one", "other")]
    ],
    "index.needle": [
        [(np.outer(T[:8], T[:8]), "here", "there")] * 6,
        CURVE,
        CURVE * [0.01, 1],
        CURVE,
    ],
    "index.primer": [
        np.outer(T[:8], T[:8]),
        CURVE,
        (CURVE, np.eye(2)),
        ([CURVE, CURVE / 2], np.eye(2), -np.eye(2)),
    ],
    "reparametrization.coordinates": [
        [(name, CURVE, CURVE[::8], CURVE * [0.5, 0.5]) for name in ("one", "other", "third")]
    ],
    "reparametrization.radial": [
        np.stack([GRID / 100, GRID / 100], axis=1),
        (0.3, 0.5, 0.9),
        {"outside": CURVE, "between": -CURVE, "inside": CURVE / 2},
    ],
    "reparametrization.ranking": [
        [0.1, 0.3, 0.2],
        [(name, np.array([k, 2.0 * k, 3.0 * k])) for k, name in enumerate("abc", 1)],
    ],
    "weight_norm.flattening": [
        GRID,
        [(name, k / GRID, 10 * k) for k, name in enumerate("abc", 1)],
        0.5,
    ],
    "reparametrization.spectra": [[(name, 4.0**k / RISING) for k, name in enumerate("abc")], 41],
    "benchmark.hessian_times": [
        [
            (name, CURVE + 2, [(str(k), CURVE + k) for k in (3, 4, 5, 6)])
            for name in ("one", "other")
        ]
    ],
    "benchmark.spectral_density": [RISING, 1 / RISING, 1.1 / RISING],
    "your_network.factors": [
        [(name, np.stack([GRID, RISING * k], axis=1)) for k, name in enumerate("abc", start=1)]
    ],
}


def drawings():
    """All functions that draw, by module and name."""
    for module in pkgutil.iter_modules(figures.__path__):
        for name, value in vars(importlib.import_module(f"chapters.figures.{module.name}")).items():
            if hasattr(value, "__wrapped__") and value.__module__.endswith(f".{module.name}"):
                yield f"{module.name}.{name}", value


DRAWINGS = dict(drawings())


def test_every_drawing_has_its_sample():
    assert sorted(DRAWINGS) == sorted(SAMPLES)


def color_of(artist):
    return to_hex(artist.get_color() if isinstance(artist, Line2D) else artist.get_facecolor()[0])


def look(artist):
    """All but the color: dashes, marker, and a width that is not told apart below half as much
    again.
    """
    if isinstance(artist, PathCollection):
        return ("dots",)
    return (
        artist.get_linestyle(),
        artist.get_marker(),
        round(np.log(artist.get_linewidth()) / np.log(1.5)),
    )


def told_by_color_alone(ax):
    """Pairs of colors in some axes that are one gray, belong to marks of one look, and are not both
    named by a label of their own.
    """
    marks = [
        artist
        for artist in [*ax.lines, *ax.collections]
        if isinstance(artist, Line2D | PathCollection)
    ]
    named = {to_hex(text.get_color()) for text in ax.texts}
    for one, other in itertools.combinations(marks, 2):
        pair = {color_of(one), color_of(other)}
        if (
            len(pair) == 2
            and gray_gap(*pair) < LIGHTER
            and look(one) == look(other)
            and not pair <= named
        ):
            yield tuple(sorted(pair))


@pytest.mark.parametrize("mode", COLORS)
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_tells_nothing_by_color_alone_and_has_no_title(name, mode):
    figure = DRAWINGS[name](*SAMPLES[name]).figure(mode)
    assert [pair for ax in figure.axes for pair in told_by_color_alone(ax)] == []
    assert figure.get_suptitle() == "", "the caption speaks"
    for ax in figure.axes:
        assert ax.get_legend() is None or len(ax.get_legend().get_texts()) <= 4
        for text in ax.texts:
            assert contrast(text.get_color(), COLORS[mode].paper) >= 4.5, text.get_text()


@drawing(width=2, height=2)
def two(ax, color, dash, labels):
    ax.plot([0, 1], color=color.theta, gid="up")
    ax.plot([1, 0], color=color.twin, linestyle=dash, gid="down")
    for text, ink in zip(labels, (color.theta, color.twin), strict=False):
        ax.annotate(text, (0, 0), color=ink)


@pytest.mark.parametrize(
    "dash, labels, alone",
    [("-", "", True), ("-", "a", True), ("--", "", False), ("-", "ab", False)],
)
def test_two_curves_of_one_gray_are_noticed(dash, labels, alone):
    assert bool(list(told_by_color_alone(two(dash, labels).figure().axes[0]))) is alone


def test_numbers_are_read_back_as_they_were_drawn():
    assert two("-", "").drawn("down").tolist() == [[0, 1], [1, 0]]
    sampled = {
        name: DRAWINGS[name](*SAMPLES[name]) for name in ("hessians.ellipses", "hessians.blocks")
    }
    ellipse = SAMPLES["hessians.ellipses"][0][1]
    assert np.array_equal(sampled["hessians.ellipses"].drawn("near"), ellipse[1])
    ratios = SAMPLES["hessians.blocks"][1]
    assert np.array_equal(sampled["hessians.blocks"].drawn("factor"), ratios)
    with pytest.raises(ValueError, match="sideways"):
        two("-", "").drawn("sideways")


@drawing(width=4, height=3, panels=(1, 2), projection="3d")
def in_space(axes, color, steps, heights):
    x, y = np.meshgrid(steps, steps)
    for ax, (name, height) in zip(axes, heights, strict=True):
        ax.plot_surface(x, y, height, rstride=1, cstride=1, cmap=color.surface)
        ax.plot(steps, y[0], height[0], color=color.ink, gid=f"{name} front")


def test_lines_in_space_are_read_back_and_the_surface_has_their_heights():
    t = np.arange(-3, 4.0)
    height = np.add.outer(t, 10 * t)
    figure = in_space(t, [("one", height), ("other", 2 * height)])
    front = np.stack([t, np.full(7, -3), 2 * height[0]], axis=1)
    np.testing.assert_array_equal(figure.drawn("other front"), front)
    for ax, factor in zip(figure.figure().axes, (1, 2), strict=True):
        # matplotlib has no public way to the corners of a surface
        corners = np.asarray(ax.collections[0]._faces).reshape(-1, 3)
        a, b, z = corners.T
        np.testing.assert_allclose(z, factor * (b + 10 * a), rtol=0, atol=1e-12)
        assert len(np.unique(corners, axis=0)) == height.size


READERS = ("book.contract", "book.says")


def complaints(notebook):
    """One sentence for each figure of a chapter without a picture for dark pages, or whose claim
    reads no number drawn in it.
    """
    shown, read = {}, {}
    for cell, drawings in drawings_read(notebook):
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        shown[name] = cell.source.splitlines()[-1]
        for claim in find_claims(new_notebook(cells=[cell])):
            read[claim["identifier"]] = drawings
    for cell in notebook.cells:
        modes = [name.partition("-")[0] for name in collect_pictures(cell.get("outputs", []))]
        if modes.count("light") != modes.count("dark"):
            yield f"{cell.id} has no picture for dark pages"
    for kind, name in find_statements(notebook):
        if kind == "figure" and name in read and shown[name] not in read[name]:
            yield f"the claim of {name} does not read what is drawn"


def drawings_read(notebook):
    """Each code cell, and the variables of the drawings that it reads, itself or by what earlier
    cells have read, by a contract or by name: `t = figure.drawn("curve")` makes `t`, and all that
    is computed from it, a reading of `figure`.
    """
    known = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        of_cell = set()
        for statement in ast.parse(cell.source).body:
            drawings = drawings_of(statement, known)
            known |= dict.fromkeys(names_made(statement), drawings)
            of_cell |= drawings
        yield cell, of_cell


def drawings_of(statement, known):
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found |= known.get(node.id, set())
        if isinstance(node, ast.Attribute) and node.attr == "drawn":
            found.add(ast.unparse(node.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS:
            found.add(ast.unparse(node.args[0]))
    return found


def names_made(statement):
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return [node.id for node in nodes if isinstance(node.ctx, ast.Store)]


@pytest.mark.parametrize(
    "notebook", CHAPTERS, ids=lambda notebook: notebook.cells[0].source.splitlines()[0]
)
def test_chapter(notebook):
    assert list(complaints(notebook)) == []


@pytest.mark.parametrize(
    "reading, dark, complaint",
    [
        ("numbers", True, "claim"),
        ("other.drawn('a')", True, "claim"),
        ("figure.drawn('a')", False, "dark"),
        ("figure.drawn('a')", True, ""),
        ("book.contract(other)", True, "claim"),
        ("book.contract(figure)", True, ""),
    ],
)
def test_each_check_can_fail(reading, dark, complaint):
    claim = new_output("display_data", {MIME: {"identifier": "fig-a", "parts": []}})
    picture = new_output(
        "display_data",
        {PNG: "iVBORw0KGgo="},
        metadata={DARK: "iVBORw0KGgo="} if dark else {},
    )
    described = {"mystnb": {"figure": {"name": "fig-a"}}}
    cells = [
        new_code_cell("figure", outputs=[picture], metadata=described),
        new_code_cell(reading, outputs=[claim]),
    ]
    found = list(complaints(new_notebook(cells=cells)))
    assert len(found) == bool(complaint) and complaint in "".join(found)


def test_a_claim_may_read_a_drawing_by_way_of_earlier_cells():
    sources = ["figure", "def read():\n    return figure.drawn('a')", "t = 2 * read()", "t"]
    sources += ["t = 1", "t"]
    cells = [new_code_cell(source) for source in sources]
    found = [drawings for _, drawings in drawings_read(new_notebook(cells=cells))]
    assert found == [set(), {"figure"}, {"figure"}, {"figure"}, set(), set()]
