"""A picture that changed is caught, whatever changed in it; a re-run is not, on whatever BLAS
kernel.

What the tolerances rest on: re-runs of eleven figures with OpenBLAS's kernels for Nehalem,
Prescott, Haswell and Zen, one thread and two, with and without numpy's vector code, gave the stored
pixels (before the palette one pixel was off, by 1 of 255). Of what is altered below, a single
letter is the least: an RMS of 0.76, and 0.01 % of the pixels changed. Not seen here: a curve so
steep that 5 % more of it moves no pixel, or a wrong one stored as it is. Claims see those.
"""

import base64
import copy
import io
import itertools
import os
import platform
import re
import subprocess
import sys

import matplotlib
import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

import bookproof
from bookproof import drawing, pictures
from tests.support import PROJECT

# A chapter in small: a matrix from the BLAS, a figure of what scaling does to it, and its claim.
MATRIX = r"""
import numpy as np
import bookproof as book
from bookproof.drawing import drawing

rng = np.random.default_rng(4)
X = rng.normal(size=(90, 35))
H = X.T @ X / 90
t1, t2 = np.trace(H[:30, :30]), np.trace(H[30:, 30:])
grid = np.logspace(-2, 2, 25)

def scale(alpha):
    d = np.repeat([alpha, 1 / alpha], [30, 5])
    return H / np.outer(d, d)

norms = [np.linalg.norm(scale(alpha), 2) for alpha in grid]

@drawing(width=4.8, height=3.5)
def draw(ax, color, alphas, traces, norms, floor, trained):
    ax.axhline(floor, color=color.faint, linewidth=1, linestyle="--", gid="floor")
    ax.plot(alphas, traces, color=color.second, gid="trace")
    ax.plot(alphas, norms, color=color.second, linestyle=":", gid="norm")
    ax.plot([1], [trained], "o", color=color.first, gid="trained")
    for text, at, by, ink in [
        ("floor of the trace", (alphas[0], floor), (0, -15), color.faint),
        (r"$\theta$ as trained", (1, trained), (-75, 2), color.first),
        ("trace", (alphas[-1], traces[-1]), (-35, -5), color.second),
    ]:
        ax.annotate(text, at, xytext=by, textcoords="offset points", color=ink)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\alpha$",
        ylabel=r"size of $\nabla^2 L(T_\alpha\theta)$",
    )
"""
RIGHT = "traces = t1 / grid**2 + t2 * grid**2"
WRONG = "traces = t1 / grid**2 + t2 * abs(grid)"
FIGURE = "figure = draw(grid, traces, norms, 2 * np.sqrt(t1 * t2), t1 + t2)\nfigure"
CLAIM = """
drawn = figure.drawn("trace")[[8, 20], 1]
direct = [np.trace(scale(grid[i])) for i in (8, 20)]
claim = book.claim(
    "fig-trace",
    "Two points drawn are traces at twins.",
    book.equal(drawn, direct, to=1e-10, relative_to="each"),
)
claim"""


def make_chapter(formula):
    names = {}
    exec("\n".join([MATRIX, formula, FIGURE]), names)
    return names


@pytest.fixture(scope="module")
def right():
    return make_chapter(RIGHT)


@pytest.fixture(scope="module")
def stored(right):
    return {mode: right["figure"].png(mode) for mode in drawing.COLORS}


def find_artist(ax, gid):
    [artist] = ax.findobj(lambda artist: artist.get_gid() == gid)
    return artist


def move_a_point(ax):
    to_data = (ax.transData + ax.transAxes.inverted()).inverted()
    [place] = (ax.transData + ax.transAxes.inverted()).transform(
        find_artist(ax, "trained").get_xydata()
    )
    find_artist(ax, "trained").set_data(*to_data.transform([place + [0, 0.02]]).T)


def swap_two_curves(ax):
    one, other = find_artist(ax, "trace"), find_artist(ax, "norm")
    y = one.get_ydata()
    one.set_ydata(other.get_ydata())
    other.set_ydata(y)


def scale_by_5_percent_more(ax):
    grid, traces = find_artist(ax, "trace").get_data()
    find_artist(ax, "trace").set_data(grid / 1.05, traces)


ALTERATIONS = {
    "a dashed line drawn solid": lambda ax: find_artist(ax, "floor").set_linestyle("-"),
    "a dotted line drawn with dots and dashes": lambda ax: find_artist(ax, "norm").set_linestyle(
        "-."
    ),
    "a point moved by 2 % of the axis": move_a_point,
    "two curves swapped": swap_two_curves,
    "a letter of a label changed": lambda ax: ax.texts[0].set_text("floor of tbe trace"),
    "a prime more in the axis label": lambda ax: ax.set_ylabel(
        r"size of $\nabla^2 L(T_\alpha\theta')$"
    ),
    "alpha of the network 5 % off": scale_by_5_percent_more,
    "alpha of a line 5 % off": lambda ax: find_artist(ax, "norm").set_alpha(0.95),
}


def alter(shown, change):
    """Return a drawing with something else about its axes."""
    other = copy.copy(shown)

    def figure(mode="light"):
        made = shown.figure(mode)
        change(made.axes[0])
        return made

    other.figure = figure
    return other


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_the_picture_catches(alteration, right, stored):
    """Asked of the dark pictures: their contrast is the lower one, so each change is a smaller
    one.
    """
    new = alter(right["figure"], ALTERATIONS[alteration]).png("dark")
    rms, share = pictures.measure_distance(
        pictures.read_pixels(stored["dark"]), pictures.read_pixels(new)
    )
    assert max(rms / pictures.RMS, share / pictures.SHARE) > 5, "caught, but not by a wide margin"
    assert "RMS" in pictures.compare_pictures(stored["dark"], new)[0]


def test_a_pixel_that_rounds_otherwise_changes_no_other(right):
    """So that a re-run elsewhere is comparable: the palette does not hang on the picture."""
    drawn = pictures.read_pixels(right["figure"].png())[..., :3].astype(np.uint8)
    off = drawn.copy()
    off[300, 400] -= 1

    def pack(pixels):
        colors = Image.new("P", (1, 1))
        colors.putpalette(drawing.make_palette(drawing.COLORS["light"]))
        return np.array(
            Image.fromarray(pixels)
            .quantize(palette=colors, dither=Image.Dither.NONE)
            .convert("RGB")
        )

    assert (pack(off) != pack(drawn)).any(axis=-1).sum() <= 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_palette_has_what_lies_between_paper_and_inks_and_between_two_inks(mode):
    """To a half of the steps that it promises, a 24th from the paper and a 5th between inks, and
    one of 255 for rounding.
    """
    color = drawing.COLORS[mode]
    palette = np.frombuffer(drawing.make_palette(color), np.uint8).reshape(-1, 3).astype(float)
    paper, *inks = (
        255 * np.array(to_rgb(name))
        for name in (color.paper, color.ink, color.faint, *color.accents.values())
    )
    ways = [(paper, ink, 24) for ink in inks]
    ways += [(one, other, 5) for one, other in itertools.combinations(inks, 2)]
    for start, end, steps in ways:
        between = start + np.linspace(0, 1, 97)[:, None] * (end - start)
        away = np.linalg.norm(between[:, None] - palette, axis=2).min(axis=1)
        assert away.max() <= np.linalg.norm(end - start) / (2 * steps) + 1


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_palette_has_paper_inks_and_the_ends_of_the_surface_once_and_nothing_beyond(mode):
    color = drawing.COLORS[mode]
    palette = np.frombuffer(drawing.make_palette(color), np.uint8).reshape(256, 3).astype(float)
    paper, ink, *others = (
        np.round(255 * np.array(to_rgb(name)))
        for name in (color.paper, color.ink, color.faint, *color.accents.values())
    )
    ends = np.round(255 * matplotlib.colormaps[color.surface](np.array([0.0, 1.0]))[:, :3])
    for one in (paper, ink, *others, *ends):
        assert (palette == one).all(axis=1).sum() == 1
    away = np.linalg.norm(palette - paper, axis=1)
    assert away.max() == np.linalg.norm(ink - paper), "nothing is farther from the paper"


def test_a_picture_is_packed_as_small_as_it_can_be():
    shown, again = draw_small().png(), io.BytesIO()
    Image.open(io.BytesIO(shown)).save(again, "PNG", optimize=True)
    assert len(shown) <= len(again.getvalue())


def test_of_the_frame_two_sides_are_drawn(right):
    sides = right["figure"].figure().axes[0].spines
    assert {name for name, side in sides.items() if side.get_visible()} == {"left", "bottom"}


def test_a_legend_stands_in_its_panel_without_a_frame():
    @drawing.drawing(width=2, height=2)
    def labelled(ax, color):
        ax.plot([1, 2], label="a")
        ax.legend()

    assert not labelled().figure().axes[0].get_legend().get_frame_on()


def test_a_change_too_faint_to_be_seen_in_a_pixel_is_caught_in_many():
    """Half of all pixels by a two hundredth of black to white: another renderer, not rounding."""
    white = np.full((60, 80, 3), 255, np.uint8)
    faint = white.copy()
    faint[::2] -= 1
    assert 0.5 < pictures.measure_distance(white.astype(float), faint.astype(float))[0] < 1

    assert pictures.compare_pictures(write(white), write(white)) == ("", None)
    assert "RMS" in pictures.compare_pictures(write(white), write(faint))[0]


def write(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("off, n_red", [(0, 0), (1, 25), (200, 25)])
def test_a_red_spot_is_around_each_pixel_that_is_not_the_same(off, n_red):
    gray = np.full((20, 30, 3), 40.0)
    other = gray.copy()
    other[10, 7, 1] += off
    red = (pictures.draw_difference(gray, other) == (213, 0, 0)).all(axis=2)
    assert red.sum() == n_red == red[8:13, 5:10].sum()


def test_what_is_the_same_keeps_a_quarter_of_its_darkness_and_no_color():
    """Beside white a color that is 55 in the mean, 50 of 255 from white, and a gray, 50.25 from it;
    the fourth channel says how opaque they are.
    """
    row = np.array([[[255, 255, 255, 255], [0, 55, 110, 255], [54, 54, 54, 255]]], float)
    assert pictures.draw_difference(row, row).tolist() == [[[255] * 3, [205] * 3, [204] * 3]]


def test_a_difference_may_be_as_large_as_the_complaint_says_and_no_larger(monkeypatch):
    """Of a hundred pixels one differs by twenty: an RMS of 2, and 1 % of the pixels."""
    gray = np.full((10, 10, 3), 100, np.uint8)
    other = gray.copy()
    other[4, 7] += 20
    for rms, share, is_alike in [(2, 0.01, True), (1.999, 0.01, False), (2, 0.0099, False)]:
        monkeypatch.setattr(pictures, "RMS", rms)
        monkeypatch.setattr(pictures, "SHARE", share)
        said, difference = pictures.compare_pictures(write(gray), write(other))
        assert (said == "", difference is None) == (is_alike, is_alike)
    assert said.startswith("RMS 2.00 (at most 2), 1.0000 % of pixels changed (at most 0.99 %)")


def test_a_step_of_the_palette_changes_no_pixel_and_more_than_twelve_of_255_does():
    gray = np.full((10, 10, 3), 100.0)
    for step, share in [(11, 0), (12, 0), (12.5, 0.01), (13, 0.01)]:
        other = gray.copy()
        other[4, 7, 2] -= step
        rms, found = pictures.measure_distance(gray, other)
        assert found == share
        assert rms == pytest.approx(step / np.sqrt(300))


@pytest.mark.parametrize("width, height", [(4.8, 3.5), (1, 2)])
def test_an_inch_is_a_hundred_pixels_of_a_page_and_the_picture_has_two_for_each(width, height):
    @drawing.drawing(width=width, height=height)
    def empty(ax, color):
        ax.set_axis_off()

    shown = empty()
    size = round(200 * width), round(200 * height)
    assert shown.width == round(100 * width)
    assert {Image.open(io.BytesIO(shown.png(mode))).size for mode in ("light", "dark")} == {size}
    data, metadata = shown._repr_mimebundle_()
    assert metadata["image/png"] == {"width": shown.width}
    assert base64.b64decode(data["image/png"]) == shown.png("light")
    assert base64.b64decode(metadata[drawing.DARK]) == shown.png("dark")


def test_what_is_drawn_is_told_by_name_and_what_is_not_is_refused():
    @drawing.drawing(width=2, height=2)
    def both(ax, color):
        ax.plot([1, 2], [3, 4], gid="line")
        ax.imshow([[1, 2], [3, 4]], gid="image")
        ax.axvspan(0, 1, gid="strip")

    assert both().drawn("line").tolist() == [[1, 3], [2, 4]]
    assert both().drawn("image").tolist() == [[1, 2], [3, 4]]
    for gid in ("strip", "nothing"):
        with pytest.raises(ValueError, match=f"gid must name .* got '{gid}'"):
            both().drawn(gid)


def test_a_drawing_function_keeps_its_name_and_what_it_says_of_itself():
    @drawing.drawing(width=2, height=2)
    def valley(ax, color):
        """Draw a valley."""

    assert (valley.__name__, valley.__doc__) == ("valley", "Draw a valley.")
    assert valley().name == "test_pictures.valley" and valley().modes == ("light", "dark")


def test_a_color_is_known_by_the_name_of_its_accent():
    made = drawing.colors(model="blue")
    assert made["light"].model == drawing.OKABE_ITO["light"]["blue"] != made["dark"].model
    with pytest.raises(AttributeError, match="one of model, got data"):
        _ = made["light"].data


def contrast(one, other):
    """The contrast of two colors after WCAG 2: 1 for none, 21 for black on white."""

    def luminance(color):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return np.dot([0.2126, 0.7152, 0.0722], parts)

    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_inks_can_be_read_on_their_paper(mode):
    color = drawing.COLORS[mode]
    for ink in (color.ink, color.faint, *color.accents.values()):
        assert contrast(color.paper, ink) >= 4.5


def test_drawing_again_gives_the_same_pixels(right, stored):
    assert right["figure"].png() == stored["light"]


def test_a_wrong_formula_stored_as_such_is_caught_by_the_claim_and_by_no_picture(right):
    wrong = make_chapter(WRONG)
    assert pictures.compare_pictures(wrong["figure"].png(), wrong["figure"].png()) == ("", None)
    exec(CLAIM, right)
    with pytest.raises(bookproof.ClaimError, match="fig-trace"):
        exec(CLAIM, wrong)


def test_a_picture_missing_on_either_side_or_of_another_size_is_caught(stored):
    assert "no picture is stored" in pictures.compare_pictures(None, stored["light"])[0]
    assert "no picture is drawn" in pictures.compare_pictures(stored["light"], None)[0]
    assert "size" in pictures.compare_pictures(stored["light"], draw_small().png())[0]
    wide, high = (write(np.zeros((*size, 3), np.uint8)) for size in ((20, 30), (50, 40)))
    said = "the size is 40 x 50, stored is 30 x 20"
    assert pictures.compare_pictures(wide, high) == (said, None), "width by height"


@drawing.drawing(width=1, height=1)
def draw_small(ax, color, dash="-"):
    ax.plot([0, 1], color=color.first, linestyle=dash)


def test_files_tell_the_difference_until_it_is_gone(tmp_path):
    shown, new = make_output(draw_small()), make_output(draw_small(":"))
    sentences = pictures.compare_outputs([shown], [new], tmp_path / "deep" / "cell")
    assert [sentence.split(":")[0] for sentence in sentences] == ["light", "dark"]
    path = tmp_path / "deep" / "cell-light-difference.png"
    assert str(path) in sentences[0]
    assert (tmp_path / "deep" / "cell-dark-stored.png").read_bytes() == draw_small().png("dark")
    spots = (pictures.read_pixels(path.read_bytes())[..., :3] == [213, 0, 0]).all(axis=-1)
    assert 0 < spots.mean() < 0.1, "there are spots, and no more than the line is long"
    assert pictures.compare_outputs([shown], [shown], tmp_path / "deep" / "cell") == []
    assert list((tmp_path / "deep").iterdir()) == []


def make_output(shown, count=1):
    """What Jupyter stores of a value that a cell ends in."""
    data, metadata = shown._repr_mimebundle_()
    return new_output("execute_result", data, metadata=metadata, execution_count=count)


def make_claim(names):
    exec(CLAIM, names)
    return names["claim"]


def make_notebook(right):
    """Right and wrong cells; the comments say what has to become of them."""
    wrong = make_chapter(WRONG)
    shown = make_output(right["figure"])
    letter = copy.deepcopy(shown)
    misspelt = alter(right["figure"], ALTERATIONS["a letter of a label changed"])
    letter.metadata[drawing.DARK] = base64.b64encode(misspelt.png("dark")).decode()
    lost = new_output(
        "execute_result",
        {"text/plain": "1", pictures.PNG: make_output(draw_small()).data[pictures.PNG]},
        execution_count=1,
    )
    cells = [
        (f'{MATRIX}\n{RIGHT}\nnp.save("H.npy", H)', []),  # passes
        (FIGURE, [shown]),  # passes
        (CLAIM, [make_output(make_claim(right))]),  # passes
        ("figure", [letter]),  # fails: the stored dark picture is another
        ("1", [lost]),  # fails: no picture any more
        (
            f"{WRONG}\n{FIGURE}",
            [make_output(wrong["figure"])],
        ),  # passes: the wrong picture is the stored one
        (CLAIM, [make_output(make_claim(right))]),  # fails: the claim does not hold
    ]
    code = [new_code_cell(source, outputs=outputs, execution_count=1) for source, outputs in cells]
    for number, cell in enumerate(code):
        cell.id = f"cell-{number}"
    return new_notebook(
        cells=code, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory, right):
    """A book of one notebook, run once, on another BLAS kernel than this process.

    Every x86 processor of 64 bits can run the kernels of these two; other processors run their own
    once more.
    """
    folder = tmp_path_factory.mktemp("book")
    (folder / "pytest.ini").write_text("[pytest]\nbookproof = true\n")
    (folder / "chapters").mkdir()
    nbformat.write(make_notebook(right), folder / "chapters" / "made.ipynb")
    kernel = "Prescott" if os.environ.get("OPENBLAS_CORETYPE") == "Nehalem" else "Nehalem"
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--color=no", "-p", "no:cacheprovider", "chapters"],
        cwd=folder,
        text=True,
        env={**kept, "OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(PROJECT / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return folder, run.stdout


def test_one_run_compares_text_and_pictures(book):
    said = book[1]
    outcomes = re.findall(r"^chapters.*::Cell \d (PASSED|FAILED)", said, re.MULTILINE)
    assert outcomes == ["PASSED", "PASSED", "PASSED", "FAILED", "FAILED", "PASSED", "FAILED"], said


def test_a_failure_says_what_differs_and_where_to_look(book):
    folder, said = book
    path = folder / "_build" / "figures" / "made" / "cell-3-dark-difference.png"
    assert path.exists() and re.search(rf"dark: RMS .* see {path}\n", said)
    assert "light: no picture is drawn any more" in said
    assert "fig-trace does not hold" in said
    assert {path.name.rpartition("-")[0] for path in path.parent.iterdir()} == {
        "cell-3-dark",
        "cell-4-light",
    }


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="OpenBLAS has no other kernel here",
)
def test_the_other_blas_kernel_was_another(book, right):
    """So that cells 1 and 2 above did pass on numbers with other last bits."""
    assert np.any(np.load(book[0] / "chapters" / "H.npy") != right["H"])
