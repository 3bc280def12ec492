"""What a notebook stores of an explorer, and the contract that holds it to Python's numbers."""

import json
import re

import nbformat
import numpy as np
import pytest

import bookproof as book
from bookproof import scripts
from bookproof.explorers import (
    compare_all,
    compare_values,
    draw_positions,
    find_elements,
    open_explorer,
    read_explorers,
    round_numbers,
)
from bookproof.notebooks import SCRIPT, is_passing
from bookproof.scripts import KIT, bundle, run_formulas, run_node

SQUARE = """
export const formulas = {
  prepare: data => data.factor,
  compute: (factor, {side}) => ({area: factor * side ** 2}),
};
"""


def measure_area(side):
    return {"area": 2 * side**2}


def make_square(**changes):
    options = {"at": [{"side": 1.0}, {"side": 3.0}], "python": measure_area, **changes}
    return book.explorer("a-square", {"factor": 2}, **options)


CELL = """import bookproof as book
book.explorer("a-square", {"factor": 2}, at=[{"side": 1}, {"side": 3}],
    python=lambda side: {"area": 2 * side**2})"""


@pytest.fixture
def notebook(tmp_path):
    """A notebook that stores a square."""
    cell = nbformat.v4.new_code_cell(CELL)
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": make_square().html})]
    path = tmp_path / "square.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def test_what_is_stored_is_read_again(notebook):
    [stored] = read_explorers(notebook)
    assert stored.element == "a-square" and stored.data == {"factor": 2}
    assert stored.positions == [{"side": 1.0}, {"side": 3.0}]
    assert stored.values == [{"area": 2.0}, {"area": 18.0}]
    assert find_elements(make_square().html) == ["a-square"]


def test_python_is_asked_at_any_position(notebook):
    assert open_explorer(notebook, "a-square").python(side=5) == {"area": 50}
    with pytest.raises(ValueError, match="element must be shown by a cell"):
        open_explorer(notebook, "a-circle")


def test_data_are_stored_to_eight_digits_and_numbers_to_six():
    shown = book.explorer("a-b", {"x": 2 / 3}, at=[{"y": 1}], python=lambda y: {"z": 2 / 3})
    [(_, text)] = re.findall(r'data-for="(.*?)">(.*?)</script>', shown.html)
    assert json.loads(text) == {"data": {"x": 0.66666667}, "values": [{"z": 0.666667}]}


def test_data_cannot_end_the_script_that_holds_them():
    square = book.explorer("a-b", {"x": "</script>"}, at=[{"side": 1}], python=measure_area)
    assert square.html.count("</script>") == 1
    assert (
        json.loads(square.html.split(">", 1)[1].split("</script>")[0])["data"]["x"] == "</script>"
    )


@pytest.mark.parametrize(
    "element, positions, complaint",
    [("square", [{"side": 1}], "element must"), ("a-square", [], "at must")],
)
def test_bad_input_is_named(element, positions, complaint):
    with pytest.raises(ValueError, match=complaint):
        book.explorer(element, {}, at=positions, python=measure_area)


def test_what_json_cannot_have_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        _ = make_square(python=lambda side: {"area": float("inf")}).html


def test_numbers_are_rounded_wherever_they_are():
    rounded = round_numbers({"a": np.array([[1 / 3]]), "b": (2, "x", None, True)}, 3)
    assert rounded == {"a": [[0.333]], "b": [2, "x", None, True]}


@pytest.mark.parametrize(
    "found, expected, is_same",
    [
        (1.000004, 1.0, True),
        (1.00001, 1.0, False),
        (1e-13, 0.0, True),
        (1e-6, 0.0, False),
        (3, 3, True),
        (3.000001, 3, False),
        (None, 1.0, False),
        (None, None, True),
        (float("nan"), 1.0, False),
    ],
)
def test_six_digits_are_compared_and_whole_numbers_exactly(found, expected, is_same):
    assert (compare_values({"x": found}, {"x": expected}) == []) == is_same


def test_a_number_that_is_missing_is_named():
    assert compare_values({}, {"x": 1.0}, "here") == ["here: x is None, Python has 1.0"]


def test_positions_at_random_lie_within_the_grid_and_repeat_with_their_seed(notebook):
    [stored] = read_explorers(notebook)
    choice = type(stored)("a-b", {}, [{"k": 2, "x": v} for v in (0.0, 1.0, 2.0, 3.0)], [])
    drawn = draw_positions(choice, 20, seed=1)
    assert all(place["k"] == 2 and 0 <= place["x"] <= 3 for place in drawn)
    assert len({place["x"] for place in drawn}) == 20
    assert drawn == draw_positions(choice, 20, seed=1) != draw_positions(choice, 20, seed=2)
    single = type(stored)("a-b", {}, [{"k": 2, "x": 0.5}], [])
    assert draw_positions(single, 3, seed=1) == [{"k": 2, "x": 0.5}] * 3


def test_positions_are_drawn_alike_in_whatever_order_another_one_names_its_knobs(notebook):
    [stored] = read_explorers(notebook)
    first, last = {"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 5.0}
    one, other = (
        type(stored)("a-b", {}, [first, dict(sorted(last.items(), reverse=turned))], [])
        for turned in (False, True)
    )
    assert draw_positions(one, 3, seed=1) == draw_positions(other, 3, seed=1)


def test_a_knob_of_texts_or_whole_numbers_gets_one_of_them_and_each_is_drawn(notebook):
    [stored] = read_explorers(notebook)
    grid = [{"kind": kind, "n": n, "x": 1.0} for kind in ("a", "b") for n in (1, 5)]
    drawn = draw_positions(type(stored)("a-b", {}, grid, []), 60, seed=3)
    assert len(drawn) == 60
    assert {place["kind"] for place in drawn} == {"a", "b"}
    assert {place["n"] for place in drawn} == {1, 5}
    assert {place["x"] for place in drawn} == {1.0}


def test_numbers_are_compared_place_by_place_and_told_with_it():
    found, places = [{"x": 1.0}, {"x": 2.0}], [{"side": 1}, {"side": 2}]
    assert compare_all(found, places, [{"x": 1.0}, {"x": 3.0}]) == [
        "{'side': 2}: x is 2.0, Python has 3.0"
    ]
    with pytest.raises(ValueError):
        compare_all(found[:1], places, found)


def test_formulas_run_in_node_and_a_wrong_one_is_noticed(notebook, tmp_path):
    [stored] = read_explorers(notebook)
    for text, is_right in ((SQUARE, True), (SQUARE.replace("** 2", ""), False)):
        source = tmp_path / "square.js"
        source.write_text(text)
        found = run_formulas(source, stored.data, stored.positions)
        assert (compare_all(found, stored.positions, stored.values) == []) == is_right


def test_what_cannot_be_bundled_is_told(tmp_path):
    (tmp_path / "bad.js").write_text('import { gone } from "bookproof"; gone();')
    with pytest.raises(RuntimeError, match="gone"):
        bundle([tmp_path / "bad.js"])


def test_a_script_for_the_laboratory_is_no_part_of_the_book():
    script = nbformat.v4.new_output("display_data", {"application/javascript": "1"})
    assert is_passing(script)
    assert not is_passing(nbformat.v4.new_output("display_data", {"text/html": "<p>"}))


@pytest.mark.parametrize(
    "number, words",
    [
        ("0", "0"),
        ("1010000", "1.01 million"),
        ("23.719", "23.7"),
        ("23456.7", "23,500"),
        ("1597", "1,597"),
        ("-0.0625", "−0.0625"),
        ("1e-6", "10⁻⁶"),
        ("2.5e-5", "2.5 × 10⁻⁵"),
        ("3.2e12", "3.2 × 10¹²"),
        ("999999.7", "1 million"),
        ("NaN", "undefined"),
        ("-Infinity", "−∞"),
    ],
)
def test_numbers_are_written_as_the_prose_writes_them(number, words):
    script = bundle([KIT / "format.js"], as_module=True, minify=False)
    program = f"{script}\nprocess.stdout.write(format({number}))"
    assert run_node(["--input-type=module", "-"], program) == words


@pytest.mark.parametrize("is_laboratory", [False, True])
@pytest.mark.parametrize("has_source", [False, True])
@pytest.mark.parametrize("has_bundler", [False, True])
def test_the_laboratory_alone_gets_the_script_where_it_can_be_made(
    tmp_path, monkeypatch, is_laboratory, has_source, has_bundler
):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    monkeypatch.setattr(scripts, "ESBUILD", tmp_path / "bundler")
    monkeypatch.setattr(scripts, "bundle", lambda sources: f"{sources[0].as_posix()} in one piece")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if is_laboratory:
        monkeypatch.setenv("JPY_SESSION_NAME", "square.ipynb")
    if has_bundler:
        (tmp_path / "bundler").touch()
    if has_source:
        (tmp_path / "explorers").mkdir()
        (tmp_path / "explorers" / "square.js").touch()
    square = make_square()
    square._ipython_display_()
    assert all(raw for _, raw in shown), "each is shown in the forms that it names"
    page, *more = (data for data, _ in shown)
    assert page["text/html"] == square.html and page["text/plain"] == "<a-square>"
    is_wanted = is_laboratory and has_source and has_bundler
    wanted = {SCRIPT: "explorers/square.js in one piece", "text/plain": ""}
    assert more == ([wanted] if is_wanted else [])
