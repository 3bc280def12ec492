"""Answers to exercises: what is right, what is not, and what is said of it.

Not seen here: whether a book's answers are the right ones (tests/book/test_exercises.py).
"""

from fractions import Fraction

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import bookproof as book
from bookproof.answers import MIME, find_answers, load_answers, write_answers

ALPHA, MATRIX = 0.0427, [[1 / 9, 1.0], [1.0, 9.0]]


@pytest.fixture
def known(tmp_path):
    made = [
        book.answer("exercise-alpha", ALPHA, to=0.01),
        book.answer("exercise-rank", 60),
        book.answer("exercise-survives", [True, False]),
        book.answer("exercise-matrix", MATRIX),
        book.answer("exercise-zero", [-3.0, 0.0, 3.0]),
    ]
    write_answers({one.identifier: one for one in made}, tmp_path / "answers.json")
    return tmp_path / "answers.json"


RIGHT = {
    "exercise-alpha": [ALPHA, np.float32(ALPHA), np.array(ALPHA), 1.009 * ALPHA, 0.991 * ALPHA],
    "exercise-rank": [60, np.int32(60), 60.0],
    "exercise-survives": [[True, False], (True, False), np.array([True, False])],
    "exercise-matrix": [MATRIX, np.array(MATRIX), [[Fraction(1, 9), 1], [1, 9]]],
    "exercise-zero": [[-3, 0, 3], [-3.0, 0.002, 3.0]],
}
WRONG = {
    "exercise-alpha": [1.011 * ALPHA, 0.989 * ALPHA, -ALPHA, np.nan, np.inf, 0.0],
    "exercise-rank": [61, -60, 60.5, np.nan],
    "exercise-survives": [[False, False], [False, True]],
    "exercise-matrix": [np.transpose([[1 / 9, 1.0], [1.1, 9.0]]), np.full((2, 2), np.nan)],
    "exercise-zero": [[-3, 0.004, 3], [3, 0, -3], [-3, np.nan, 3]],
}


@pytest.mark.parametrize("identifier", RIGHT)
def test_a_right_value_is_right(known, identifier):
    for value in RIGHT[identifier]:
        verdict = book.check_answer(identifier, value, answers=known)
        assert verdict and str(verdict).startswith(f"✓ {identifier}: right, "), (value, verdict)


@pytest.mark.parametrize("identifier", WRONG)
def test_a_wrong_one_is_not_and_a_near_miss_neither(known, identifier):
    for value in WRONG[identifier]:
        verdict = book.check_answer(identifier, value, answers=known)
        assert not verdict and str(verdict).startswith(f"✗ {identifier}: not yet."), (
            value,
            verdict,
        )


SLIPS = {
    "wrong sign": (-ALPHA, "exercise-alpha"),
    "twice the answer": (2 * ALPHA, "exercise-alpha"),
    "half the answer": (ALPHA / 2, "exercise-alpha"),
    "one over the answer": (1 / ALPHA, "exercise-alpha"),
    "is the square of": (ALPHA**2, "exercise-alpha"),
    "square root": (ALPHA**0.5, "exercise-alpha"),
    "another order": ([3.0, 0.0, -3.0], "exercise-zero"),
    "1 of 3 entries": ([-1.0, 0.0, 5.0], "exercise-zero"),
    "1 of it is no finite number": ([np.nan, 0.0, 5.0], "exercise-zero"),
}


@pytest.mark.parametrize("words", SLIPS)
def test_a_slip_is_named(known, words):
    value, identifier = SLIPS[words]
    said = str(book.check_answer(identifier, value, answers=known))
    # What has three entries and turned its order has turned its sign.
    assert words in said or (words == "another order" and "wrong sign" in said), said


def test_the_tolerance_is_said(known):
    said = [
        str(book.check_answer(name, RIGHT[name][0], answers=known))
        for name in ("exercise-alpha", "exercise-rank", "exercise-survives", "exercise-matrix")
    ]
    assert [line.rpartition(", ")[2] for line in said] == [
        "to 1 %.",
        "exactly.",
        "exactly.",
        "to 0.1 %.",
    ]


MISTAKES = {
    "perhaps exercise-alpha; got 'exercise-alhpa'": (ValueError, "exercise-alhpa", 1.0),
    "must name an exercise with an answer, got 'x'": (ValueError, "x", 1.0),
    "must be one number or boolean for exercise-rank, got an array of the shape (2,)": (
        ValueError,
        "exercise-rank",
        [60, 60],
    ),
    "must be an array of the shape (2,) for exercise-survives": (
        ValueError,
        "exercise-survives",
        True,
    ),
    "must hold True or False for exercise-survives, got [1, 0]": (
        TypeError,
        "exercise-survives",
        [1, 0],
    ),
    "must hold numbers for exercise-rank, got True": (TypeError, "exercise-rank", True),
    "must hold real numbers or booleans, got '60'": (TypeError, "exercise-rank", "60"),
    "must hold real numbers or booleans, got 1j": (TypeError, "exercise-alpha", 1j),
    "must be a number, a boolean or an array, got None": (TypeError, "exercise-rank", None),
    "must be a number, a boolean or an array, got [1, [2, 3]]": (
        TypeError,
        "exercise-matrix",
        [1, [2, 3]],
    ),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_what_cannot_be_compared_is_said(known, words):
    kind, identifier, value = MISTAKES[words]
    with pytest.raises(kind) as raised:
        book.check_answer(identifier, value, answers=known)
    assert words in str(raised.value)


def test_an_answer_must_be_finite_and_its_tolerance_must_refuse_slips():
    for value in (np.nan, [1.0, np.inf], []):
        with pytest.raises(ValueError, match="value must"):
            book.answer("exercise-x", value)
    for to in (0, 0.2, np.nan, -1):
        with pytest.raises(ValueError, match="to must lie"):
            book.answer("exercise-x", 1.0, to=to)


def test_what_is_stored_is_rounded_and_what_is_read_is_what_was_written(known):
    assert book.answer("exercise-x", [1 / 3, -0.0, 2e-20]).value == [0.333333, 0.0, 2e-20]
    assert str(book.answer("exercise-x", [-0.0])) == "exercise-x: (0), to 0.1 %"
    assert str(book.answer("exercise-x", [True, False])) == "exercise-x: (True, False), exactly"
    read = load_answers(known)
    assert read["exercise-rank"].value == 60 and read["exercise-survives"].value == [True, False]
    assert known.read_text().count("\n") == 2 + len(read)


def test_answers_are_gathered_from_what_cells_show():
    one = book.answer("exercise-x", 2.0)
    output = new_output("execute_result", data=one._repr_mimebundle_())
    page = new_notebook(cells=[new_code_cell("book.answer(...)", outputs=[output])])
    page = nbformat.reads(nbformat.writes(page), as_version=4)
    assert find_answers(page) == {"exercise-x": one}
    page.cells.append(page.cells[0])
    with pytest.raises(ValueError, match="exercise-x is answered twice"):
        find_answers(page)
    assert MIME in page.cells[0].outputs[0].data


@pytest.mark.parametrize("zero", [0.0, [0.0, 0.0]])
def test_an_answer_of_zeros_is_met_to_its_tolerance_itself(tmp_path, zero):
    write_answers({"exercise-x": book.answer("exercise-x", zero, to=0.01)}, tmp_path / "a.json")
    for off, is_right in ((0.009, True), (-0.009, True), (0.011, False), (-0.011, False)):
        verdict = book.check_answer("exercise-x", np.add(zero, off), answers=tmp_path / "a.json")
        assert bool(verdict) is is_right


@pytest.mark.parametrize(
    "number, stored",
    [
        (1234564.4, 1234560),
        (0.1234564, 0.123456),
        (0.9999999, 1),
        (-2.0, -2),
        (1e20, 10**20),
        (1e21, 1e21),
        (2.5, 2.5),
    ],
)
def test_six_digits_are_stored_and_whole_numbers_as_a_browser_writes_them(number, stored):
    """From 1e21 on a browser writes a power of ten."""
    value = book.answer("exercise-x", number).value
    assert value == stored and type(value) is type(stored)


def test_an_answer_is_held_to_a_thousandth_unless_it_says_otherwise():
    assert book.answer("exercise-x", 1.5).to == 0.001
    assert book.answer("exercise-x", 1.5, to=0.19).to == 0.19
    assert book.answer("exercise-x", True).to == book.answer("exercise-x", 3).to == 0


def test_answers_that_are_not_installed_are_named(monkeypatch):
    for package, file in (("no_such_package", "answers.json"), ("bookproof", "no such file")):
        monkeypatch.setattr("bookproof.answers.PACKAGE", package)
        monkeypatch.setattr("bookproof.answers.FILE", file)
        with pytest.raises(FileNotFoundError, match=f"the package {package} has no {file}"):
            load_answers()


def test_an_entry_may_be_off_by_its_tolerance_itself(tmp_path):
    """An eighth of 8 is 1, without rounding."""
    write_answers({"exercise-x": book.answer("exercise-x", 8.0, to=0.125)}, tmp_path / "a.json")
    for value, is_right in ((9.0, True), (7.0, True), (9.0001, False), (6.9999, False)):
        verdict = book.check_answer("exercise-x", value, answers=tmp_path / "a.json")
        assert bool(verdict) is is_right


def test_a_small_entry_has_a_tolerance_of_its_own_beside_a_large_one(tmp_path):
    made = book.answer("exercise-x", [0.5, 8.0], to=0.125)
    write_answers({"exercise-x": made}, tmp_path / "a.json")
    for value, is_right in (([0.5625, 8.0], True), ([0.57, 8.0], False)):
        verdict = book.check_answer("exercise-x", value, answers=tmp_path / "a.json")
        assert bool(verdict) is is_right


def test_what_is_no_slip_is_only_not_right(known):
    said = str(book.check_answer("exercise-zero", [-1.0, 1.0, 5.0], answers=known))
    assert said == "✗ exercise-zero: not yet."
