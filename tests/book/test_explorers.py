"""What can be moved on the pages: its numbers are Python's, a wrong formula is noticed, and it can
be used by hand, by finger, by keyboard and by ear.

Formulas run in node, since they need no window; what is shown, in a browser. Not seen here: whether
an explorer is worth moving, other engines than Chromium, and a real screen reader.
"""

import gzip
import json
import math
import re
import secrets
import shutil
from functools import cache

import numpy as np
import pytest

from bookproof.explorers import (
    compare_all,
    draw_positions,
    find_source,
    open_explorer,
    read_explorers,
    read_html,
)
from bookproof.notebooks import read_page
from bookproof.scripts import bundle, run_formulas
from tests.book.browsing import HANG, serve, wait_for, wait_for_frame
from tests.book.ledgers import FOLDER as LEDGER_FOLDER
from tests.book.ledgers import LEDGER, open_ledger
from tests.support import CHAPTERS, PROJECT

SOURCES = PROJECT / "chapters" / "explorers"
STORED = {stored.element: (path, stored) for path in CHAPTERS for stored in read_explorers(path)}
# The ledger's is made by the build and not by a notebook.
STORED["sm-ledger"] = (LEDGER, read_html(open_ledger().html)[0])
ELEMENTS = sorted(STORED)
MOST_BYTES = 25_000
LEAST_TARGET = 44
AT_RANDOM = 20
# A redraw in units of twelve million multiplications, which take 6 ms where the slowest redraw, 200
# steps of gradient descent from a minimum, takes 15, a catapult up to 25 and all else less than 8.
# With three to four times as much to do as there are processors it was 3.9 to 5.0. No limit in
# milliseconds: only an idle machine keeps it; the times are printed.
SLOWEST = 10
MOST_SHIFT = 0.01
# Counted in the last bits, and so the same in another order of summation only where nothing is
# rounded: at the powers of two.
OF_ROUNDING = {"largest_difference"}


def find_formulas(element):
    folder = LEDGER_FOLDER if element == "sm-ledger" else SOURCES
    return find_source(folder / "formulas", element)


def ask_python(element):
    """Return the function that computes an explorer's numbers in Python, at any position."""
    path, _ = STORED[element]
    return open_ledger().python if path == LEDGER else open_explorer(path, element).python


def test_the_chapters_that_should_move_do():
    assert {f"sm-{name}" for name in ("index", "hessians", "alpha_transform")} < set(ELEMENTS)
    assert {"sm-definitions", "sm-reparametrization", "sm-flatness"} < set(ELEMENTS)
    assert {"sm-introduction", "sm-sharpness", "sm-invariance", "sm-ledger"} < set(ELEMENTS)
    assert {"sm-introduction", "sm-sharpness", "sm-dynamics", "sm-prediction"} < set(ELEMENTS)


# Numbers, in node.


@pytest.mark.parametrize("element", ELEMENTS)
def test_numbers_are_pythons_on_the_grid(element):
    _, stored = STORED[element]
    found = run_formulas(find_formulas(element), stored.data, stored.positions)
    assert compare_all(found, stored.positions, stored.values) == []


def is_whole(position):
    numbers = [value for value in position.values() if not isinstance(value, str)]
    return all(float(value).is_integer() for value in numbers)


@pytest.mark.parametrize("element", ELEMENTS)
def test_numbers_are_pythons_at_random_positions(element):
    _, stored = STORED[element]
    seed = secrets.randbelow(2**32)
    print(f"{element}: seed {seed}")
    positions = draw_positions(stored, AT_RANDOM, seed)
    python = ask_python(element)
    expected = []
    for position in positions:
        values = python(**position)
        left_out = set() if is_whole(position) else OF_ROUNDING
        expected.append({name: value for name, value in values.items() if name not in left_out})
    found = run_formulas(find_formulas(element), stored.data, positions)
    assert compare_all(found, positions, expected) == [], f"seed {seed}"


def test_descents_are_compared_where_their_digits_mean_something():
    """Near the edge of stability the last digit of a start decides where a run ends. Python says
    only such numbers of a run as a change of the start in its twelfth decimal leaves as they are,
    to six digits; the others are not compared. These are enough: every outcome is among them.
    """
    _, stored = STORED["sm-dynamics"]
    outcomes = {values["outcome"] for values in stored.values if "outcome" in values}
    assert {0, 1, 2, 3} <= outcomes  # falls, crawls, catapult, diverges
    assert all({"limit", "times", "early_left"} <= set(values) for values in stored.values)
    assert 2 * sum("left" in values for values in stored.values) > len(stored.values)


# A wrong formula, the file that has it, and the explorer that shows it.
MUTANTS = {
    "a point carried too far": (
        "sm-reparametrization",
        "reparametrization.js",
        "(delta ** 2 + b)) ** a * u",
        "(delta ** 2 + b)) ** a",
    ),
    "a curve that is not carried": (
        "sm-reparametrization",
        "reparametrization.js",
        "place_of_fifth: move(COMPARED, family)",
        "place_of_fifth: move(2 * COMPARED, family)",
    ),
    "a floor half as high": (
        "sm-introduction",
        "introduction.js",
        "return 2 * Math.sqrt(traces[0] * traces[1])",
        "return Math.sqrt(traces[0] * traces[1])",
    ),
    "the trace of another network": (
        "sm-introduction",
        "introduction.js",
        "values[`trace_${k + 1}`] = trace",
        "values[`trace_${k + 1}`] = traces[0]",
    ),
    "boxes one step further": (
        "sm-flatness",
        "flatness.js",
        "(k - (count - 1) / 2)",
        "(k - count / 2)",
    ),
    "another place of the highest point": (
        "sm-sharpness",
        "sharpness.js",
        "center[1] + radius * Math.sin(turn)]",
        "center[1] + radius * Math.cos(turn)]",
    ),
    "a parabola of twice the curvature": (
        "sm-definitions",
        "definitions.js",
        "(curvature / 2) * t ** 2",
        "curvature * t ** 2",
    ),
    "a cut along the curve": (
        "sm-alpha_transform",
        "alpha_transform.js",
        "theta[1] + t * along[1]])]);",
        "theta[1] - t * along[1]])]);",
    ),
    "a V that is turned": ("sm-hessians", "hessians.js", "-MOST + k / 4", "MOST - k / 4"),
    "the spectrum as trained for the twin's": (
        "sm-hessians",
        "hessians.js",
        "twin_eigenvalue: spectrum",
        "twin_eigenvalue: trained",
    ),
    "a loss along the first layer only": (
        "sm-index",
        "index.js",
        "(twin[1][j] + t * unit * w[j])",
        "twin[1][j]",
    ),
    "a loss to the other side": (
        "sm-index",
        "index.js",
        "Math.sign(largest) / size",
        "-Math.sign(largest) / size",
    ),
    "a direction whose length is not 1": (
        "sm-index",
        "index.js",
        "Math.sqrt(n * value)",
        "Math.sqrt(value)",
    ),
    "six answers of the network as trained": (
        "sm-index",
        "index.js",
        "predict(twin, model.widths, model.first)",
        "predict(scale(model.layers, [2, 1]), model.widths, model.first)",
    ),
    "both layers' lines thicker": (
        "sm-index",
        "index.js",
        "k === 0 ? log2_alpha : -log2_alpha",
        "log2_alpha",
    ),
    "the trace without its square": (
        "sm-hessians",
        "hessians.js",
        "own / factors[k] ** 2",
        "own / factors[k]",
    ),
    "the trace times the factors": (
        "sm-hessians",
        "hessians.js",
        "own / factors[k] ** 2",
        "own * factors[k] ** 2",
    ),
    "three factors with another product": (
        "sm-hessians",
        "hessians.js",
        "1 / (alpha * beta)]",
        "1 / alpha]",
    ),
    "the floor of two layers for three": (
        "sm-hessians",
        "hessians.js",
        "product ** (1 / traces.length)",
        "Math.sqrt(product)",
    ),
    "a block beside the diagonal that changes": (
        "sm-hessians",
        "hessians.js",
        "(factors[k] * factors[l])",
        "factors[k] ** 2",
    ),
    "alpha for one over alpha": (
        "sm-index",
        "network.js",
        "1 / factors[k] ** 2",
        "factors[k] ** 2",
    ),
    "a layer's own output for what enters it": (
        "sm-hessians",
        "network.js",
        "gram(down[k], n, widths[k + 1])",
        "gram(all[k + 1], n, widths[k + 1])",
    ),
    "slopes that pass a unit which is off": (
        "sm-hessians",
        "network.js",
        "all[k + 1][r * own + i] <= 0",
        "false",
    ),
    "an absolute value for a rectifier": (
        "sm-index",
        "network.js",
        "Math.max(value, 0)",
        "Math.abs(value)",
    ),
    "both layers times alpha": ("sm-index", "index.js", "[alpha, 1 / alpha]", "[alpha, alpha]"),
    "an image more in the mean": (
        "sm-index",
        "network.js",
        "leaving[at]) / n",
        "leaving[at]) / (n + 1)",
    ),
    "even for odd": ("sm-index", "index.js", "Math.sign(after[r])", "-Math.sign(after[r])"),
    "another twin's sharpness": ("sm-index", "index.js", "2 ** log2_alpha;", "2 ** -log2_alpha;"),
    "a weight without its square": (
        "sm-alpha_transform",
        "alpha_transform.js",
        "theta[0] ** 2 + theta[1] ** 2",
        "theta[0] ** 2 + theta[1]",
    ),
    "curvature where the unit is off": (
        "sm-alpha_transform",
        "alpha_transform.js",
        "if (theta[0] <= 0) return 0;",
        "",
    ),
    "a network that forgets its sign": (
        "sm-alpha_transform",
        "alpha_transform.js",
        "Math.max(theta[0] * x, 0)",
        "Math.max(Math.abs(theta[0]) * x, 0)",
    ),
    "half a width": ("sm-definitions", "definitions.js", "return 2 * inside", "return inside"),
    "a dimple half as deep": ("sm-definitions", "definitions.js", "0.04 * Math", "0.02 * Math"),
    "the wide for the narrow": (
        "sm-definitions",
        "definitions.js",
        "-valley.width",
        "valley.width",
    ),
    "the exponent without its 2": (
        "sm-reparametrization",
        "reparametrization.js",
        "family.b ** (-2 * a);",
        "family.b ** -a;",
    ),
    "the slope without its 2": (
        "sm-reparametrization",
        "reparametrization.js",
        "(1 + 2 * a)",
        "(1 + a)",
    ),
    "the gaps counted, too": ("sm-flatness", "flatness.js", "if (isCovered) area", "area"),
    "a side for its square": ("sm-flatness", "flatness.js", "(2 * r) ** 2", "2 * r"),
    "a bound without its square": (
        "sm-sharpness",
        "sharpness.js",
        "Math.max(1 / alpha, alpha)) ** 2",
        "Math.max(1 / alpha, alpha))",
    ),
    "the lowest for the highest": (
        "sm-sharpness",
        "sharpness.js",
        "loss(k * step) > loss(best)",
        "loss(k * step) < loss(best)",
    ),
    "a layer's trace times alpha": (
        "sm-introduction",
        "introduction.js",
        "traces[0] / alpha ** 2",
        "traces[0] * alpha ** 2",
    ),
    "pairs that are counted twice": (
        "sm-introduction",
        "introduction.js",
        "pairs += 1",
        "pairs += 2",
    ),
    "the exponent of one map for the other": (
        "sm-reparametrization",
        "reparametrization.js",
        "times ** (1 / (2 * a))",
        "times ** (2 * a)",
    ),
    "pairs that were not turned": (
        "sm-reparametrization",
        "reparametrization.js",
        "compare(one, other) < 0)",
        "compare(one, other) > 0)",
    ),
    "any requirement for all": (
        "sm-invariance",
        "invariance.js",
        "columns.every(({ key })",
        "columns.some(({ key })",
    ),
    "all networks for minima": (
        "sm-invariance",
        "invariance.js",
        "at_minima ? cell.minima : cell.verdict",
        "cell.verdict",
    ),
    "claims counted by measures": (
        "sm-invariance",
        "invariance.js",
        "made: cells.length",
        "made: rows.length",
    ),
    "the least survived first": (
        "sm-invariance",
        "invariance.js",
        "count.get(other) - count.get(one)",
        "count.get(one) - count.get(other)",
    ),
    "any of the words": ("sm-ledger", "ledger.js", "typed.every", "typed.some"),
    "the chapter before": (
        "sm-ledger",
        "ledger.js",
        "claim.chapter === chapter",
        "claim.chapter === chapter - 1",
    ),
    "the least share for the largest": ("sm-ledger", "ledger.js", "Math.max(0", "Math.min(9"),
    "a step up the slope": (
        "sm-dynamics",
        "dynamics.js",
        "W[row + j] -= step",
        "W[row + j] += step",
    ),
    "a slope that does not pass the last layer": (
        "sm-dynamics",
        "dynamics.js",
        "(error * v[j]) / n",
        "error / n",
    ),
    "a way that is forgotten": (
        "sm-dynamics",
        "dynamics.js",
        "ways[j] += length",
        "ways[j] = length",
    ),
    "units that are left off for too long": (
        "sm-dynamics",
        "dynamics.js",
        "left = -hidden[j] / pixels.sizes[r]",
        "left = -10 * hidden[j]",
    ),
    "units that are never turned on": (
        "sm-dynamics",
        "dynamics.js",
        "units.until = way + least",
        "units.until = Infinity",
    ),
    "another longest step": ("sm-dynamics", "dynamics.js", "2 / value", "1 / value"),
    "a crawl for a fall": ("sm-dynamics", "dynamics.js", '? "crawls"', '? "falls"'),
    "a landing where none is": (
        "sm-dynamics",
        "dynamics.js",
        "last < HALF_SILENT",
        "last < 2 * HALF_SILENT",
    ),
    "a factor without its square": (
        "sm-prediction",
        "prediction.js",
        "factor ** (sign * 2 * powers[k])",
        "factor ** (sign * powers[k])",
    ),
    "what leaves a unit is multiplied, too": (
        "sm-prediction",
        "prediction.js",
        "weigh(v2, LEVELS, strength, -1)",
        "weigh(v2, LEVELS, strength, 1)",
    ),
    "filters scaled the other way": (
        "sm-prediction",
        "prediction.js",
        "weigh(filters, DIFFERENCES, strength, 1)",
        "weigh(filters, DIFFERENCES, strength, -1)",
    ),
    "a shift without what it shares with the weights": (
        "sm-prediction",
        "prediction.js",
        "return a + b * s + c * s ** 2",
        "return a + c * s ** 2",
    ),
    "pairs that tie in the error": (
        "sm-prediction",
        "prediction.js",
        "if (y !== 0) freeY",
        "freeY",
    ),
    "an interval of one standard error": (
        "sm-prediction",
        "prediction.js",
        "WIDE * Math.sqrt",
        "Math.sqrt",
    ),
    "a curvature over the slope": (
        "sm-reparametrization",
        "reparametrization.js",
        "slope(theta, family) ** 2",
        "slope(theta, family)",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_formula_is_noticed(tmp_path, name):
    element, file, right, wrong = MUTANTS[name]
    folder = find_formulas(element).parent
    shutil.copytree(folder, tmp_path / "formulas")
    path = tmp_path / "formulas" / file
    text = path.read_text()
    assert right in text, f"{file} has no {right}: mend the mutant"
    path.write_text(text.replace(right, wrong))
    _, stored = STORED[element]
    source = find_source(tmp_path / "formulas", element)
    found = run_formulas(source, stored.data, stored.positions)
    assert compare_all(found, stored.positions, stored.values) != []


def test_every_explorer_has_a_mutant_and_there_are_twelve():
    assert len(MUTANTS) >= 12
    assert {element for element, *_ in MUTANTS.values()} == set(ELEMENTS)


# What is drawn, in a browser without the book's pages.


def compose_page(folder, element, source):
    """Write a page with nothing but an explorer, from its JavaScript and its notebook's output."""
    path, _ = STORED[element]
    outputs = [
        output["data"]["text/html"]
        for cell in read_page(path).cells
        for output in cell.get("outputs", ())
        if f'data-for="{element}"' in output.get("data", {}).get("text/html", "")
    ]
    (folder / "script.js").write_text(bundle([source]))
    (folder / "page.html").write_text(
        '<!DOCTYPE html><meta charset="utf-8"><title>A page</title>'
        f'<div>{"".join(outputs)}</div><script src="script.js"></script>'
    )
    return folder / "page.html"


# The marked nodes of an explorer: the corners of a curve, the middle of a dot, the thickness of a
# line, and what words say; `given` has the points that should be among them, as the axes have them.
# Under `all` it has every corner, in order, under `cells` every rectangle with its share of the
# color: these may
# be off by half a percent of the axis, and None is not compared. What the axes say they have is
# read, too: the words of each tick, and where it stands.
READ = """
const nodes = name => [...explorer.querySelectorAll(`[data-drawn="${name}"]`)];
const findPlaces = node => node.localName === "circle"
    ? [["cx", "cy"].map(name => Number(node.getAttribute(name)))]
    : [...node.getAttribute("d").matchAll(/[ML]([-\\d.]+) ([-\\d.]+)/g)].map(
        ([, x, y]) => [Number(x), Number(y)]);
const isNear = (one, other) =>
    Math.abs(one - other) <= 0.02 + 1e-5 * Math.abs(other);
const clamp = y => Math.max(-9999, Math.min(9999, y));
const SLACK = 0.005;
const isClose = (plot, one, [x, y]) => {
    const { left, right, top, bottom } = plot.box;
    return Math.abs(one[0] - plot.x(x)) <= SLACK * (right - left)
        && Math.abs(one[1] - clamp(plot.y(y))) <= SLACK * (bottom - top);
};
const compareAll = (name, plot, places, points) => places.length !== points.length
    ? [`${name} has ${places.length} corners for ${points.length}`]
    : points.flatMap((point, k) => point === null || isClose(plot, places[k], point)
        ? [] : [`${name} has another corner ${k} than ${point}`]);
const compareCells = (name, plot, rects, cells) => rects.length !== cells.length
    ? [`${name} are ${rects.length} for ${cells.length}`]
    : cells.flatMap(({ from, to, share }, k) => {
        const [x, y, width, height] = ["x", "y", "width", "height"].map(
            side => Number(rects[k].getAttribute(side)));
        const seen = Number(getComputedStyle(rects[k]).fillOpacity);
        return isClose(plot, [x, y + height], from) && isClose(plot, [x + width, y], to)
            && Math.abs(seen - share) <= 0.01
            ? [] : [`${name} have another ${k} than from ${from} to ${to} with ${share}`];
    });
const readTicks = svg => [...svg.plot.frame.querySelectorAll("text:not(.label)")].map(node => {
    const { axes: { x, y }, box: { left, right, top, bottom } } = svg.plot;
    const isBelow = node.getAttribute("text-anchor") === "middle";
    const share = isBelow
        ? (Number(node.getAttribute("x")) - left) / (right - left)
        : (bottom + 4 - Number(node.getAttribute("y"))) / (bottom - top);
    const { from, to, log } = isBelow ? x : y;
    return [node.textContent, share, from, to, Boolean(log)];
});
return given.map(([position, drawn]) => {
    for (const [name, value] of Object.entries(position)) explorer.set(name, value);
    const missed = [];
    for (const [name, points] of Object.entries(drawn)) {
        const found = nodes(name);
        if (found.length !== 1) missed.push(`${name} is drawn ${found.length} times`);
        for (const node of found) {
            if (typeof points === "number") {
                const width = Number(node.getAttribute("stroke-width"));
                if (Math.abs(width - points) > 0.006) missed.push(`${name} is ${width} thick`);
                continue;
            }
            const plot = node.closest(".panel > svg").plot || { x: x => x, y: y => y };
            if (points.cells) {
                missed.push(...compareCells(name, plot, [...node.children], points.cells));
                continue;
            }
            const places = findPlaces(node);
            if (points.all) {
                missed.push(...compareAll(name, plot, places, points.all));
                continue;
            }
            for (const [x, y] of points) {
                const [across, down] = [plot.x(x), clamp(plot.y(y))];
                if (!places.some(place => isNear(place[0], across) && isNear(place[1], down)))
                    missed.push(`${name} does not go through ${x}, ${y}`);
            }
        }
    }
    const words = [...explorer.querySelectorAll("[data-shows]")]
        .filter(node => node.getClientRects().length)
        .map(node => [node.dataset.shows, node.textContent]);
    const marked = [...explorer.querySelectorAll("[data-drawn]")]
        .filter(node => node.getClientRects().length)
        .map(node => node.dataset.drawn)
        .filter(Boolean);
    const ticks = [...explorer.querySelectorAll(".panel > svg")]
        .filter(node => node.plot && node.getClientRects().length)
        .flatMap(readTicks);
    return [missed, words, marked, ticks];
});
"""


def draw_hero(position, values):
    distances = [share / math.sqrt(values["largest_eigenvalue"]) for share in (-0.6, 0.3, 0.6)]
    return {
        "needle": [(t, values[f"loss_{k + 1}"]) for k, t in enumerate(distances)],
        "valley": [(0, 0), (0.15, values["loss_as_trained"])],
        "layer 1": values["thickness_1"],
        "layer 2": values["thickness_2"],
    }


def draw_hessians(position, values):
    here = 2 ** position["log2_alpha"]
    return {
        "spectrum": [(1, values["spectral_norm"]), (5, values["twin_eigenvalue"])],
        "spectrum as trained": [(5, values["trained_eigenvalue"])],
        "trace over α": [(2**12, values["trace_at_end"])],
        "trained trace": [(1, values["trained_trace"])],
        "trace": [(here, values["trace"])],
        "norm": [(here, values["spectral_norm"])],
        "floor": [(2**-12, values["floor"]), (2**12, values["floor"])],
    }


def draw_alpha_transform(position, values):
    theta = values["theta_1"], values["theta_2"]
    ends = {1: values["output_at_1"], -1: values["output_at_minus_1"]}
    levels = {f"level {level:g}": [(level / 3, 3)] for level in (0.25, 1, 2.25, 4)}
    return {
        **levels,
        "level -1": [(-3, -1 / 3), (-1 / 3, -3)],
        "twin": [theta] if abs(theta[1]) <= 3 else [(theta[0], math.copysign(3, theta[1]))],
        "function": list(ends.items()),
        "function at θ": [(-1, 0), (1, 1)],
        "weight 1": min(16, 0.5 + 3 * abs(theta[0])),
        "weight 2": min(16, 0.5 + 3 * abs(theta[1])),
        "cut": [(0, values["loss"]), (-1 / 8, values["loss_left"]), (1 / 8, values["loss_right"])],
        "cut at θ": [(1 / 8, ((1 + math.sqrt(2) / 16) ** 2 - 1) ** 2 / 2)],
    }


def draw_definitions(position, values):
    half, radius, height = values["width"] / 2, position["radius"], position["height"]
    drawn = {
        "valley": [(0, 0), (0.25, values["loss_at_quarter"])],
        "parabola": [(0.25, values["parabola_at_quarter"])],
        "width": [(-half, height), (half, height)],
        "ball": [(-radius, 0), (radius, 0)],
        "rise": [(radius, 0), (radius, values["rise"])],
    }
    for k, measure in enumerate(("width", "curvature", "rise")):
        order = str(values[f"order_by_{measure}"])
        for v, place in enumerate(order):
            down = int(place) - 1 + order[:v].count(place)
            drawn[f"valley {v} by {measure}"] = [(62 + 99 * k, 40 + 46 * down)]
    return drawn


def draw_sharpness(position, values):
    alpha = 2 ** position["log2_alpha"]
    return {
        **{f"level {level:g}": [(level / 4.6, 4.6)] for level in (0.5, 1, 1.5, 2, 3, 5)},
        "twin": [(alpha, 1 / alpha)],
        "highest": [(values["highest_1"], values["highest_2"])],
        "sharpness": [(alpha, values["sharpness"])],
        "sharpness over α": [(2, values["sharpness_at_2"])],
        "upper bound": [(2, values["upper_bound_at_2"])],
        "lower bound": [(2, values["lower_bound_at_2"])],
    }


def draw_flatness(position, values):
    left, top = values["first_left"], values["first_top"]
    return {
        "inner edge": [(0.75**2 / 5.4, 5.4)],
        "outer edge": [(1.25**2 / 5.4, 5.4)],
        # A box around (1, 1) has the sides from 0.75 to 1.25, and so have its images, times α.
        "first box": [(left, top), (left * 5 / 3, top * 3 / 5)],
        "added up": [(0, 0), (15, 3.75)],
        "covered": [(0, 0), (10, values["union_of_ten"])],
        "covered here": [(position["boxes"], values["union_area"])],
    }


def draw_introduction(position, values):
    _, stored = STORED["sm-introduction"]
    networks = enumerate(stored.data["networks"], 1)
    error = values["chosen_error"]
    return {
        **{f"network {k}": [(values[f"trace_{k}"], at["error"])] for k, at in networks},
        "the chosen one": [(values["chosen_trace"], error)],
        "orbit": [(values["chosen_floor"], error), (1e4, error)],
    }


def draw_reparametrization(position, values):
    if position["minima"] == 4:
        height = math.sin(math.pi * 1.04**2) ** 2 / 2
        here = [(values["carried"], height)]
        curvatures = {f"curvature {k}": [(k, values[f"curvature_{k}"])] for k in (1, 2, 3, 4)}
        over_theta = [(1.04, height)]
        return {
            "four over η": here,
            "a point of four": here,
            "four over θ": over_theta,
            **curvatures,
        }
    height = math.sin(math.pi / 5) ** 2 / 2
    here = [(values["place_of_fifth"], height)]
    top = min(values["place_of_end"], math.sqrt(1.6 / values["curvature"]))
    return {
        "over θ": [(0.2, height)],
        "over η": here,
        "a point over η": here,
        "parabola": [(0, 0), (top, values["curvature"] * top**2 / 2)],
    }


def draw_prediction(position, values):
    is_scaled = position["kind"] == 1
    strength = 2 ** position["log2_factor"] if is_scaled else position["shift"]
    steps = 2 * position["log2_factor"] if is_scaled else 5 * position["shift"]
    is_drawn = abs(steps - round(steps)) < 1e-9
    low, high = (strength, values["low"]), (strength, values["high"])
    return {
        "τ here": [(strength, values["tau"])],
        "τ over the strength": [(strength, values["tau"])] if is_drawn else [],
        "its interval": [low, high] if is_drawn else [],
    }


@cache
def read_dynamics():
    """The images, answers, new images, minimum and start of the descents, as they travel."""
    data = STORED["sm-dynamics"][1].data
    images, new = (
        np.array([int(grey, 17) for grey in data[name]]).reshape(-1, 64) / 16
        for name in ("x_train", "x_new")
    )
    answers = np.array([1.0 if sign == "+" else -1.0 for sign in data["y_train"]])
    minimum = np.array(data["minimum"])
    return images, answers, new, minimum, minimum + np.array(data["nudge"])


def split_network(theta):
    return theta[:1024].reshape(64, 16), theta[1024:]


def run_network(images, layers):
    return np.maximum(images @ layers[0], 0) @ layers[1]


@cache
def descend_by_hand(log2_alpha, log2_step, steps, seed=0):
    """The losses of a run and the layers at its end; a seed changes the start by rounding."""
    images, answers, _, _, start = read_dynamics()
    shake = 1e-12 * np.random.default_rng(seed).normal(size=start.size)
    W, v = split_network(start + bool(seed) * shake)
    W, v = W * 2.0**log2_alpha, v / 2.0**log2_alpha
    losses = []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps + 1):
            hidden = np.maximum(images @ W, 0)
            error = hidden @ v - answers
            losses.append(np.mean(error**2) / 2)
            back = np.outer(error, v) * (hidden > 0) / len(error)
            if step < steps:
                W, v = (
                    W - 2.0**log2_step * images.T @ back,
                    v - 2.0**log2_step * hidden.T @ error / len(error),
                )
    return np.array(losses), (W, v)


def keep_lasting(points, others, to):
    """Points, and None for those that a start which differs by rounding puts elsewhere."""
    pairs = zip(points, others, strict=True)
    return [point if abs(point[1] - other) <= to(point[1]) else None for point, other in pairs]


@cache
def list_longest_steps():
    """The α of each column of cells, with 2 over the largest eigenvalue of JᵀJ/n at its twin."""
    images, answers, _, minimum, _ = read_dynamics()
    W, v = split_network(minimum)
    hidden = np.maximum(images @ W, 0)
    by_first = (images[:, :, None] * ((hidden > 0) * v)[:, None, :]).reshape(len(images), -1)
    points = []
    for alpha in 2.0 ** np.array(STORED["sm-dynamics"][1].data["cells"]["log2_alphas"]):
        jacobian = np.hstack([by_first / alpha, hidden * alpha])
        points.append((alpha, 2 * len(answers) / np.linalg.norm(jacobian, 2) ** 2))
    return points


@cache
def list_cells():
    """The cells, row by row, with the share of the color: how much the loss shrank in 40 steps,
    in logarithms, of the most that it shrank anywhere.
    """
    cells = STORED["sm-dynamics"][1].data["cells"]
    listed, shrunk = [], []
    for step in cells["log2_steps"]:
        for power in cells["log2_alphas"]:
            losses, _ = descend_by_hand(power, step, 40)
            shrunk.append(max(0.0, np.log10(losses[0] / losses[-1])))
            edges = [[2 ** (power + k), 2 ** (step + k)] for k in (-0.25, 0.25)]
            listed.append({"from": edges[0], "to": edges[1]})
    return [cell | {"share": part / max(shrunk)} for cell, part in zip(listed, shrunk, strict=True)]


def draw_dynamics(position, values):
    _, _, new, minimum, _ = read_dynamics()
    here = position["log2_alpha"], position["log2_step"]
    (losses, landed), (others, landed_near) = (descend_by_hand(*here, 200, seed) for seed in (0, 1))
    run = list(enumerate(losses.tolist()))
    outputs = run_network(new, landed)
    pairs = np.clip(np.column_stack([run_network(new, split_network(minimum)), outputs]), -2, 2)
    near = np.clip(run_network(new, landed_near), -2, 2)
    return {
        "cells": {"cells": list_cells()},
        "2/λ": {"all": list_longest_steps()},
        "twin": [(2 ** here[0], 2 ** here[1])],
        "losses": {"all": keep_lasting(run, others, lambda loss: 0.01 * loss)},
        "silent": [(0, 0.5), (200, 0.5)],
        "kept": [(-2, -2), (2, 2)],
        "landed": {"all": keep_lasting(pairs.tolist(), near, lambda output: 1e-3)},
    }


def test_most_of_a_run_that_is_drawn_can_be_compared():
    """Where rounding decides what a run does, its points are left out. These are few."""
    _, stored = STORED["sm-dynamics"]
    drawn = [draw_dynamics(position, {}) for position in stored.positions]
    for name in ("losses", "landed"):
        points = [point for row in drawn for point in row[name]["all"]]
        share = sum(point is not None for point in points) / len(points)
        print(name, share)
        assert share > 0.9


def draw_invariance(position, values):
    return {}


# Which points an explorer's curves go through, by Python's numbers.
DRAWINGS = {
    "sm-invariance": draw_invariance,
    "sm-dynamics": draw_dynamics,
    "sm-prediction": draw_prediction,
    "sm-reparametrization": draw_reparametrization,
    "sm-introduction": draw_introduction,
    "sm-flatness": draw_flatness,
    "sm-sharpness": draw_sharpness,
    "sm-definitions": draw_definitions,
    "sm-alpha_transform": draw_alpha_transform,
    "sm-index": draw_hero,
    "sm-hessians": draw_hessians,
}


def is_written(text, value):
    """Whether words say a number, to the two or three digits that they have."""
    text = text.rpartition("= ")[2]
    digits = re.sub(r"\D", "", text.partition(" ")[0]).strip("0")
    return read_number(text) == pytest.approx(value, rel=6e-2 if len(digits) < 3 else 6e-3)


def find_wrong(ticks):
    """The ticks that do not stand where their words say; those of other words are left out."""
    wrong = []
    for tick in ticks:
        words, share, start, end, is_log = tick
        try:
            value = read_number(words)
        except (ValueError, KeyError):
            continue
        scale = math.log10 if is_log else float
        expected = (scale(value) - scale(start)) / (scale(end) - scale(start))
        if abs(share - expected) > 0.005:
            wrong.append(tick)
    return wrong


def test_a_tick_stands_where_its_words_say():
    right = [["10⁻⁵", 0.5, 1e-10, 1, True], ["2", 0.5, 0, 4, False], ["shifts", 0.5, 0, 4, False]]
    assert find_wrong(right) == []
    wrong = [["10⁻⁴", 0.5, 1e-10, 1, True], ["2", 0.6, 0, 4, False], ["2", 0.5, 1, 16, False]]
    assert find_wrong(wrong) == wrong


def complain_of_drawing(browser, page, element):
    """Return what a drawn explorer has otherwise than Python, over the grid."""
    _, stored = STORED[element]
    rows = list(zip(stored.positions, stored.values, strict=True))
    given = [(position, DRAWINGS[element](position, values)) for position, values in rows]
    context = browser.new_context()
    window = context.new_page()
    window.goto(page.as_uri())
    script = f"given => {{ const explorer = document.querySelector('{element}'); {READ} }}"
    answers = window.evaluate(script, given)
    context.close()
    complaints = []
    for (position, values), (_, drawn), (missed, words, marked, ticks) in zip(
        rows, given, answers, strict=True
    ):
        complaints += [f"{position}: {sentence}" for sentence in missed]
        complaints += [f"{name} is marked in vain" for name in set(marked) - set(drawn)]
        complaints += [
            f"{position}: {name} is written {text}, Python has {values[name]}"
            for name, text in words
            if not is_written(text, values[name])
        ]
        complaints += [f"{position}: the tick {tick[0]} is elsewhere" for tick in find_wrong(ticks)]
    return complaints


@pytest.mark.parametrize("element", DRAWINGS)
def test_what_is_drawn_is_what_is_compared(browser, tmp_path, element):
    page = compose_page(tmp_path, element, find_source(SOURCES, element))
    assert complain_of_drawing(browser, page, element) == []


# What an element might draw beside its formulas.
MISDRAWN = {
    "the losses a step late": (
        "sm-dynamics",
        "map((loss, k) => [k, Math.max(loss, 1e-30)])",
        "map((loss, k) => [k + 1, Math.max(loss, 1e-30)])",
    ),
    "every other loss": (
        "sm-dynamics",
        "losses.filter(Number.isFinite)",
        "losses.filter((loss, k) => k % 2 === 0)",
    ),
    "the losses of another twin": (
        "sm-dynamics",
        "losses(model.run.losses)",
        "losses(model.run.losses.map((loss) => 4 * loss))",
    ),
    "the line one over the curvature": (
        "sm-dynamics",
        'plot.curve("twin", line,',
        'plot.curve("twin", line.map(([x, y]) => [x, y / 2]),',
    ),
    "a line without its first point": (
        "sm-dynamics",
        'plot.curve("twin", line,',
        'plot.curve("twin", line.slice(1),',
    ),
    "the twin of one over alpha": (
        "sm-dynamics",
        "plot.move(dot, 2 ** log2_alpha,",
        "plot.move(dot, 2 ** -log2_alpha,",
    ),
    "cells of the other twin": (
        "sm-dynamics",
        "changes[i][j]",
        "changes[i][log2_alphas.length - 1 - j]",
    ),
    "cells half a cell aside": ("sm-dynamics", "2 ** (power - HALF_CELL)", "2 ** power"),
    "color where it grows": ("sm-dynamics", "Math.max(0, -changes", "Math.max(0, changes"),
    "a silent network's loss of 1": (
        "sm-dynamics",
        "[[0, 0.5], [STEPS, 0.5]], {",
        "[[0, 1], [STEPS, 1]], {",
    ),
    "before and after exchanged": (
        "sm-dynamics",
        "M${plot.x(clamp(before[r])).toFixed(1)} ${plot.y(clamp(output)).toFixed(1)}",
        "M${plot.x(clamp(output)).toFixed(1)} ${plot.y(clamp(before[r])).toFixed(1)}",
    ),
    "where it started for where it lands": (
        "sm-dynamics",
        "landing(model.run.after)",
        "landing(model.before)",
    ),
    "counts of the column before": (
        "sm-invariance",
        "values[`survive_${key}`]",
        "values[`survive_${columns[Math.max(0, k - 1)].key}`]",
    ),
    "the curve of another measure": (
        "sm-prediction",
        "points.map(({ tau }, at)",
        "points.map(({ low: tau }, at)",
    ),
    "an interval to one side": (
        "sm-prediction",
        "points.map(({ high }, at) => [strengths[at], high])",
        "points.map(({ tau }, at) => [strengths[at], tau])",
    ),
    "a curve in its old coordinate": (
        "sm-reparametrization",
        "bent.bend(curve, now.curve)",
        "bent.bend(curve, known.curve)",
    ),
    "points that do not move": (
        "sm-reparametrization",
        "bent.move(dots[k], ...point)",
        "bent.move(dots[k], ...known.dots[k])",
    ),
    "a dot at the chosen one's error": (
        "sm-introduction",
        "plot.move(dots[k], trace, network.error)",
        "plot.move(dots[k], trace, values.chosen_error)",
    ),
    "an orbit without its floor": ("sm-introduction", "[floor, chosen.error]", "[1, chosen.error]"),
    "the wrong box's corners": (
        "sm-flatness",
        "[left, bottom], [right, bottom], [right, top], [left, top]",
        "[left, bottom], [right, bottom], [right, top], [left, bottom]",
    ),
    "one box more under the curve": (
        "sm-flatness",
        "plot.bend(union, unions)",
        "plot.bend(union, unions.slice(1).map(([n, area]) => [n - 1, area]))",
    ),
    "the bounds exchanged": (
        "sm-sharpness",
        "plot.bend(upper, growth.upper)",
        "plot.bend(upper, growth.lower)",
    ),
    "a highest point across the minimum": (
        "sm-sharpness",
        "values.highest_1, values.highest_2",
        "values.highest_2, values.highest_1",
    ),
    "the parabola for the valley": (
        "sm-definitions",
        "plot.bend(curve, drawn.valley)",
        "plot.bend(curve, drawn.parabola)",
    ),
    "a ranking by one ruler": ("sm-definitions", "ranks[measure][v]", "ranks.width[v]"),
    "a hyperbola on the wrong side": (
        "sm-alpha_transform",
        "[side * x, side * y]",
        "[side * x, y]",
    ),
    "the cut of the network as trained": (
        "sm-alpha_transform",
        "cut.bend(valley, losses)",
        "cut.bend(valley, trained)",
    ),
    "the answers in another order": ("sm-index", "answers[k].toFixed", "answers[5 - k].toFixed"),
    "the valley for the needle": ("sm-index", "plot.bend(twin, needle)", "plot.bend(twin, valley)"),
    "a needle twice as high": (
        "sm-index",
        "plot.bend(twin, needle)",
        "plot.bend(twin, needle.map(([t, loss]) => [t, 2 * loss]))",
    ),
    "an eigenvalue for the next": (
        "sm-hessians",
        "(value, k) => [k + 1, Math",
        "(value, k) => [k + 2, Math",
    ),
    "a block's place exchanged": ("sm-hessians", "blocks[k][l]", "blocks[l][1]"),
    "the V of another α": (
        "sm-hessians",
        "plot.bend(line, curve)",
        "plot.bend(line, curve.slice(0, -1))",
    ),
    "the second layer as thick as the first": (
        "sm-index",
        "thicknesses[k][at]",
        "thicknesses[0][at]",
    ),
}


@pytest.mark.parametrize("name", MISDRAWN)
def test_a_wrong_drawing_is_noticed(browser, tmp_path, name):
    element, right, wrong = MISDRAWN[name]
    shutil.copytree(SOURCES, tmp_path / "explorers")
    source = find_source(tmp_path / "explorers", element)
    text = source.read_text()
    assert right in text, f"{source.name} has no {right}: mend the mutant"
    source.write_text(text.replace(right, wrong))
    page = compose_page(tmp_path, element, source)
    assert complain_of_drawing(browser, page, element) != []


# What is shown, in a browser.


class Window:
    """A page with an explorer, opened as a file, and what it complains of."""

    def __init__(self, browser, site, element, **options):
        path, _ = STORED[element]
        self.element = element
        view = {"width": options.pop("width", 1280), "height": 900}
        self.context = browser.new_context(viewport=view, **options)
        self.context.set_default_timeout(HANG)
        self.page = self.context.new_page()
        self.said = []
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", self.listen)
        file = site / "chapters" / f"{path.stem}.html"
        stored = {stored.element: stored for stored in read_html(file.read_text())}
        self.stored = stored[element]
        self.address = file.as_uri()

    def listen(self, message):
        if message.type == "error":
            self.said.append(message.text)

    def __enter__(self):
        self.page.goto(self.address, wait_until="load")
        self.place = self.page.locator(self.element)
        return self

    def __exit__(self, *error):
        self.context.close()

    def run(self, code, argument=None):
        """Run JavaScript with the element as `explorer`."""
        script = (
            f"(given) => {{ const explorer = document.querySelector('{self.element}'); {code} }}"
        )
        return self.page.evaluate(script, argument)

    def ask(self, positions):
        """Go to each position and return what the element has to say."""
        return self.run(
            """return given.map(position => {
                for (const [name, value] of Object.entries(position)) explorer.set(name, value);
                const shown = [...explorer.querySelectorAll("dd")].map(node =>
                    [node.dataset.name, node.textContent]);
                return [explorer.values(), shown];
            })""",
            positions,
        )


RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def read_number(words):
    """Return the number that is meant by what an explorer shows.

    1.01 million is 1010000, 2.5 × 10⁻⁵ is 0.000025, 93.4 % is 0.934.
    """
    power = re.fullmatch(r"(?:(.*) × )?(2|10)([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", words)
    if power:
        return float(power[1] or 1) * float(power[2]) ** int(power[3].translate(RAISED))
    number, _, unit = words.translate(RAISED).replace(",", "").partition(" ")
    return float(number) * {"": 1, "million": 1e6, "%": 0.01}[unit]


def test_what_is_shown_is_read_as_it_is_meant():
    for words, number in (
        ("1.01 million", 1.01e6),
        ("2.5 × 10⁻⁵", 2.5e-5),
        ("10⁻⁶", 1e-6),
        ("2⁻³", 0.125),
        ("93.4 %", 0.934),
        ("−1,597", -1597),
    ):
        assert read_number(words) == pytest.approx(number)


def hold_to_a_frame(window):
    """A redraw is compared with twelve million multiplications: a busy or slow machine is slow at
    both. At each of five places the quickest of twelve tries counts, in which nobody else had the
    processor; of the places the slowest.
    """
    rounds = window.run(
        """const knobs = Object.entries(explorer.knobs);
        const [name, knob] = knobs.find(([, knob]) => !knob.choices && !knob.words) || knobs[0];
        const turn = share => knob.choices
            ? knob.choices[Math.floor(share * knob.choices.length)][0]
            : knob.from + (knob.to - knob.from) * share;
        const row = new Float64Array(2000).fill(1.000001);
        const time = work => {
            const start = performance.now();
            work();
            return performance.now() - start;
        };
        const multiply = () => {
            let sum = 0;
            for (let round = 0; round < 6000; round++)
                for (let k = 0; k < row.length; k++) sum += row[k] * (row[k] + round);
            return sum;
        };
        const rounds = [];
        for (let k = 0; k < 14; k++) {
            const times = [0.1, 0.3, 0.5, 0.7, 0.9].map(
                share => time(() => explorer.set(name, turn(share))));
            rounds.push([times, time(multiply)]);
        }
        return rounds.slice(2);"""
    )
    redraw = max(min(tries) for tries in zip(*(times for times, _ in rounds), strict=True))
    work = min(work for _, work in rounds)
    print(f"{window.element}: a redraw takes {redraw:.1f} ms, the comparison {work:.1f} ms")
    assert redraw <= SLOWEST * work


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_element_keeps_its_contract_where_pages_are_files(browser, site, element):
    with Window(browser, site, element) as window:
        assert window.place.get_attribute("data-ready") is not None
        assert json.loads(window.place.get_attribute("data-grid")) == window.stored.positions
        asked = window.ask(window.stored.positions)
        found = [values for values, _ in asked]
        assert compare_all(found, window.stored.positions, window.stored.values) == []
        for values, shown in asked:
            assert shown
            for name, words in shown:
                assert read_number(words) == pytest.approx(values[name], rel=6e-3, abs=1e-12)
        refused = window.run(
            """const refusals = [];
            const [first] = Object.keys(explorer.inputs);
            for (const [name, value] of [["no such knob", 1], [first, "1"]]) {
                try { explorer.set(name, value); } catch (error) { refusals.push(error.message); }
            }
            return refusals;"""
        )
        assert len(refused) == 2 and "no such knob" in refused[0] and "number" in refused[1]
        assert window.said == []
        hold_to_a_frame(window)
        window.page.emulate_media(media="print")
        assert not window.place.is_visible()


PLACES = """
const spec = explorer.constructor.spec;
return spec.presets.map(([words, place]) =>
    typeof place == "string" ? spec.places[place](explorer.inputs, explorer.model) : place);
"""


@pytest.mark.parametrize("element", ELEMENTS)
def test_it_is_turned_by_the_keyboard_and_tells_what_it_shows(browser, site, element):
    with Window(browser, site, element) as window:
        sliders = window.place.locator("input[type=range]:visible")
        assert sliders.count() + window.place.locator(".choice").count() > 0
        for k in range(sliders.count()):
            slider = sliders.nth(k)
            name = slider.get_attribute("id")
            assert window.place.locator(f"label[for='{name}']").inner_text().strip()
            slider.focus()
            before = slider.input_value(), slider.get_attribute("aria-valuetext")
            window.page.keyboard.press("ArrowLeft")
            wait_for(
                window.page,
                "([node, text]) => node.getAttribute('aria-valuetext') != text",
                arg=[slider.element_handle(), before[1]],
            )
            assert float(slider.input_value()) < float(before[0])
        for grip in window.place.locator(".grip:visible").all():
            assert grip.get_attribute("aria-label") and grip.get_attribute("role") == "slider"
            before = grip.get_attribute("aria-valuetext")
            grip.focus()
            window.page.keyboard.press("ArrowRight")
            wait_for_frame(window.page)
            assert grip.get_attribute("aria-valuetext") != before
        for k, place in enumerate(window.run(PLACES)):
            window.place.locator(".presets button").nth(k).focus()
            window.page.keyboard.press("Enter")
            wait_for(
                window.page,
                """([explorer, place]) => Object.entries(place).every(
                    ([name, value]) => explorer.inputs[name] === value)""",
                arg=[window.place.element_handle(), place],
            )
        sentence = window.place.locator(".sentence")
        live = window.place.locator("[role=status]")
        wait_for(
            window.page,
            "([one, other]) => one.textContent == other.textContent && one.textContent != ''",
            arg=[sentence.element_handle(), live.element_handle()],
        )


@pytest.mark.parametrize("element", ELEMENTS)
def test_presets_lead_there_at_once_for_who_minds_motion(browser, site, element):
    with Window(browser, site, element, reduced_motion="reduce") as window:
        places = window.run(PLACES)
        buttons = window.place.locator(".presets button")
        assert buttons.count() == len(places) >= 2
        for k, place in enumerate(places):
            buttons.nth(k).focus()
            inputs = window.run("document.activeElement.click(); return explorer.inputs;")
            assert {name: inputs[name] for name in place} == pytest.approx(place)


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_finger_finds_every_target_on_a_phone(browser, site, element):
    with Window(browser, site, element, width=390, has_touch=True, is_mobile=True) as window:
        sizes = window.run(
            """return [...explorer.querySelectorAll("button, input, select, .grip")]
                .filter(node => node.getClientRects().length)
                .map(node => [node.getAttribute("class") || node.localName,
                    node.getBoundingClientRect().width, node.getBoundingClientRect().height])"""
        )
        assert [row for row in sizes if min(row[1:]) < LEAST_TARGET] == []
        wide = window.run("return [explorer.scrollWidth, explorer.clientWidth]")
        assert wide[0] <= wide[1]
        # A tap on the left of each slider turns it down.
        for slider in window.place.locator("input[type=range]:visible").all():
            slider.scroll_into_view_if_needed()
            before = float(slider.input_value())
            slider.tap(position={"x": 30, "y": 22})
            least = float(slider.get_attribute("min"))
            reached = float(slider.input_value())
            assert reached < before or before - least < 0.1 * abs(before or 1)


def drag_by_finger(window, grip, by):
    """Put a finger on a grip, move it and lift it; return what the grip said before and after."""
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    end = {"x": start["x"] + by[0], "y": start["y"] + by[1]}
    before = grip.get_attribute("aria-valuetext")
    touch = window.context.new_cdp_session(window.page)
    for kind, points in (("touchStart", [start]), ("touchMove", [end]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    wait_for_frame(window.page)
    return before, grip.get_attribute("aria-valuetext")


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_dot_follows_a_finger(browser, site, element):
    with Window(browser, site, element, width=390, has_touch=True, is_mobile=True) as window:
        for grip in window.place.locator(".grip:visible").all():
            before, after = drag_by_finger(window, grip, (30, 25))
            there, back = drag_by_finger(window, grip, (-25, -30))
            assert before != after or there != back


def test_four_minima_are_put_in_order_by_finger_and_keyboard(browser, site):
    with Window(
        browser,
        site,
        "sm-reparametrization",
        width=390,
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
    ) as window:
        window.place.get_by_role("button", name="four, to order").tap()
        wait_for_frame(window.page)
        grips = window.place.locator(".grip:visible")
        assert grips.count() == 4
        first = window.run("return explorer.values()")
        before, after = drag_by_finger(window, grips.nth(3), (0, -60))
        assert before != after
        grips.nth(0).focus()
        window.page.keyboard.press("ArrowDown")
        wait_for_frame(window.page)
        values = window.run("return explorer.values()")
        assert values["curvature_4"] > first["curvature_4"] and values["b_4"] < 1
        assert values["curvature_1"] < first["curvature_1"] and values["b_1"] > first["b_1"]


# The words of each drawing that can be seen, with the boxes around their letters, 2 px less on each
# side, and those that lie on each other or leave their drawing.
FIND_CLASHES = """
const say = node => node.textContent.trim();
const measure = node => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return { left: left + 2, right: right - 2, top: top + 2, bottom: bottom - 2 };
};
const clashes = [];
for (const svg of explorer.querySelectorAll(".panel > svg")) {
    if (!svg.getClientRects().length) continue;
    const frame = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll("text")]
        .filter(node => say(node) && node.getClientRects().length)
        .map(node => [say(node), measure(node)]);
    words.forEach(([word, box], k) => {
        if (box.left < frame.left || box.right > frame.right
            || box.top < frame.top || box.bottom > frame.bottom) clashes.push(`${word} leaves`);
        for (const [other, its] of words.slice(0, k)) {
            if (box.left < its.right && its.left < box.right
                && box.top < its.bottom && its.top < box.bottom)
                clashes.push(`${word} on ${other}`);
        }
    });
}
return clashes;
"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("element", ELEMENTS)
def test_no_word_lies_on_another(browser, site, element, width):
    with Window(browser, site, element, width=width, reduced_motion="reduce") as window:
        clashes = {"at the start": window.run(FIND_CLASHES)}
        for button in window.place.locator(".presets button").all():
            button.click()
            name = button.inner_text()
            clashes[name] = window.run(FIND_CLASHES)
        assert {name: found for name, found in clashes.items() if found} == {}


def sum_shifts(window, with_script):
    """The layout shift of a page whose fonts never come, with or without its explorer's script."""
    pattern = re.compile(r"\.woff2$" if with_script else r"\.woff2$|/explorers/")
    window.page.route(pattern, lambda route: route.abort())
    window.page.add_init_script(
        """window.shift = 0; new PerformanceObserver(list => {
            for (const entry of list.getEntries()) window.shift += entry.value;
        }).observe({type: "layout-shift", buffered: true})"""
    )
    with window:
        window.page.wait_for_timeout(300)
        return window.page.evaluate("window.shift")


@pytest.mark.parametrize("element", ELEMENTS)
def test_nothing_moves_away_when_it_starts(browser, site, element):
    shifts = [
        sum_shifts(Window(browser, site, element, width=390), with_script)
        for with_script in (True, False)
    ]
    assert shifts[0] <= shifts[1] + MOST_SHIFT


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_page_without_scripts_has_the_picture_that_stands(browser, site, element):
    with Window(browser, site, element, java_script_enabled=False) as window:
        assert window.place.locator("p").is_visible()
        assert window.page.locator("figure :is(img, svg):visible").count() > 0


# What is drawn in an ink, and not only what its name stands for: lines have it as their stroke,
# words and dots are filled with it. All that can be seen at the start and at each preset.
FIND_INKS = """
const found = {};
const look = () => {
    for (const ink of ["theta", "twin"]) {
        for (const node of explorer.querySelectorAll("." + ink)) {
            if (!node.getClientRects().length) continue;
            const style = getComputedStyle(node);
            const isLine = node.matches(".curve, .ring, line");
            const color = node.matches("dd") ? style.color : isLine ? style.stroke : style.fill;
            (found[ink] ||= new Set()).add(color);
        }
    }
};
look();
for (const place of given) {
    for (const [name, value] of Object.entries(place)) explorer.set(name, value);
    look();
}
const style = getComputedStyle(explorer);
const named = ["theta", "twin"].map(name => style.getPropertyValue("--" + name).trim());
return [named, Object.fromEntries(Object.entries(found).map(([ink, all]) => [ink, [...all]]))];
"""


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("element", ELEMENTS)
def test_colors_are_those_of_the_figures(browser, site, element, mode):
    from figures import COLORS

    with Window(browser, site, element, color_scheme=mode) as window:
        window.run(f"document.documentElement.dataset.theme = '{mode}'")
        named, found = window.run(FIND_INKS, window.run(PLACES))
        inks = {"theta": COLORS[mode].theta, "twin": COLORS[mode].twin}
        assert named == list(inks.values())
        for ink, colors in found.items():
            parts = [int(inks[ink][k : k + 2], 16) for k in (1, 3, 5)]
            assert colors == [f"rgb({parts[0]}, {parts[1]}, {parts[2]})"]
        if element not in ("sm-ledger", "sm-invariance"):  # tables have no curves
            assert "twin" in found


def test_scripts_are_small_and_only_where_they_are_used(site):
    using = {path.stem for path, _ in STORED.values()}
    for page in (site / "chapters").glob("*.html"):
        scripts = re.findall(r'<script src="([^"]*/explorers/[^"]+)"', page.read_text())
        assert len(scripts) == (page.stem in using), page.name
        weights = [len(gzip.compress((page.parent / name).read_bytes())) for name in scripts]
        print(page.stem, weights)
        assert sum(weights) <= MOST_BYTES
        for name in scripts:
            assert not re.search(r"^\s*(import|export)\b", (page.parent / name).read_text(), re.M)


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_page_that_allows_no_script_inside_it_shows_it(browser, site, tmp_path, element):
    """The strictest policy: scripts, styles and pictures from the page's own address only."""
    path, _ = STORED[element]
    page = (site / "chapters" / f"{path.stem}.html").read_text()
    data = re.search(
        rf'<script type="application/json" data-for="{element}">.*?</script>', page, re.S
    )
    tag = re.search(rf"<{element} .*?</{element}>", page, re.S)
    shutil.copy(site / "_static" / "explorers" / f"chapters-{path.stem}.js", tmp_path / "script.js")
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'">'
    (tmp_path / "page.html").write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><title>A page</title>{policy}'
        f'<div>{data[0]}{tag[0]}<script src="script.js"></script></div>'
    )
    server, home = serve(tmp_path)
    context = browser.new_context()
    window = context.new_page()
    refused = []
    window.on("console", lambda message: refused.append(message.text))
    window.goto(f"{home}page.html")
    assert window.locator(element).get_attribute("data-ready") is not None
    context.close()
    server.shutdown()
    assert [text for text in refused if "favicon" not in text and "404" not in text] == []
