"""The exercises: their levels, their hints, and the answers that readers can check theirs against.

Not seen here: whether an exercise teaches anything, or a hint helps.
"""

import re
import subprocess
import sys
import tomllib

import nbformat
import numpy as np
import pytest

import bookproof as book
from bookproof.answers import find_answers, load_answers
from bookproof.notebooks import find_directives
from bookproof.sphinx.exercises import LEVELS
from tests.support import CHAPTERS, PROJECT

STORED = PROJECT / "chapters" / "figures" / "answers.json"
CHECK = re.compile(r'`book\.check_answer\("([^"]+)", [^`]+\)`')
# To show or to construct something, or about a network that each reader trains anew.
WITHOUT_ANSWER = {"exercise-fails", "exercise-both-ends", "exercise-cross-entropy"}
# What a wrong value may be; each is tried where it differs from the right one.
SLIPS = {
    "twice": lambda value: 2 * value,
    "half": lambda value: value / 2,
    "the other sign": lambda value: -value,
    "the inverse": lambda value: 1 / value,
    "no number": lambda value: np.full_like(value, np.nan),
}


def read_exercises(path):
    """Return the exercises of a notebook: {label: (options, text)}."""
    text = "\n\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    found = {}
    for block in re.findall(r"(?ms)^::::\{exercise\}.*?^::::$", text):
        [(name, options)] = [one for one in find_directives(block) if one[0] == "exercise"]
        found[options["label"]] = options, block
    return found


EXERCISES = {path.stem: read_exercises(path) for path in CHAPTERS}
WITH_EXERCISES = [stem for stem, found in EXERCISES.items() if found]
ALL = {label: one for found in EXERCISES.values() for label, one in found.items()}


@pytest.fixture(scope="module")
def shown():
    """The answers that the notebooks show, by their exercise."""
    found = {}
    for path in CHAPTERS:
        found |= find_answers(nbformat.read(path, as_version=4))
    return found


def test_every_exercise_says_its_level_and_folds_a_hint():
    assert len(ALL) > 60
    for label, (options, text) in ALL.items():
        assert options.get("class") in LEVELS, label
        folded = [more for name, more in find_directives(text) if name == "admonition"]
        assert [one["class"].split() for one in folded] == [["dropdown", "hint"]], label


@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_a_chapter_goes_from_a_warm_up_to_a_research_question(stem):
    levels = [options["class"] for options, _ in EXERCISES[stem].values()]
    assert {"standard", "research"} <= set(levels)
    assert "warm-up" in levels or len(levels) < 3


def test_every_chapter_has_exercises():
    without = {path.stem for path in CHAPTERS} - set(WITH_EXERCISES)
    assert without == {"index", "benchmark"}


def test_every_exercise_with_an_answer_says_how_to_check_it_and_no_other(shown):
    asked = {label for label, (_, text) in ALL.items() for label in CHECK.findall(text)}
    assert asked == set(shown)
    needed = {label for label, (options, _) in ALL.items() if options["class"] != "research"}
    assert needed - asked == WITHOUT_ANSWER


def test_what_is_installed_is_what_the_solutions_show(shown):
    assert load_answers(STORED) == shown
    package = tomllib.loads((PROJECT / "chapters" / "pyproject.toml").read_text())
    assert "answers.json" in package["tool"]["setuptools"]["package-data"]["figures"]


@pytest.mark.parametrize("label", sorted(load_answers(STORED)))
def test_a_self_check_accepts_its_solution_and_refuses_slips(label, shown):
    right = np.asarray(shown[label].value)
    assert book.check_answer(label, right, answers=STORED)
    if right.dtype == bool:
        for wrong in turn_each(right):
            assert not book.check_answer(label, wrong, answers=STORED)
        return
    tried = 0
    for slip in SLIPS.values():
        with np.errstate(divide="ignore"):
            wrong = slip(right.astype(float))
        if not np.array_equal(wrong, right):
            tried += 1
            assert not book.check_answer(label, wrong, answers=STORED), wrong
    assert tried >= 4


def turn_each(right):
    """Yield the booleans with one of them turned, each in its turn."""
    for index in np.ndindex(right.shape):
        wrong = right.copy()
        wrong[index] = not wrong[index]
        yield wrong


def test_answers_are_found_from_any_folder(tmp_path):
    code = """
import bookproof as book
print(book.check_answer("exercise-teacher", 60), book.check_answer("exercise-teacher", 61))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == ("✓ exercise-teacher: right, exactly. ✗ exercise-teacher: not yet.\n")
