"""Answers to a book's exercises: registered by the solution that computes them, compared with a
reader's own.

    book.answer("exercise-order", alpha, to=1e-3)  # in the executed solution
    book.check_answer("exercise-order", 0.0427)  # in the reader's own code, anywhere

`answer` shows what is compared, rounded to six digits. `bookproof.accept` gathers what the
notebooks show into answers.json of the package `figures`, which is installed beside the library, so
that `check_answer` works from any folder and without a network. Nobody types an answer.
"""

import difflib
import html
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from nbformat import NotebookNode
from numpy.typing import ArrayLike, NDArray

MIME = "application/vnd.bookproof.answer+json"
PACKAGE, FILE = "figures", "answers.json"
DIGITS = 6
# What a wrong value may be to the answer, and how that is said.
SLIPS: dict[str, Callable[[NDArray], NDArray]] = {
    "It has the wrong sign.": lambda answer: -answer,
    "It is twice the answer.": lambda answer: 2 * answer,
    "It is half the answer.": lambda answer: answer / 2,
    "It is one over the answer.": lambda answer: 1 / answer,
    "It is the square of the answer.": lambda answer: answer**2,
    "It is the square root of the answer.": lambda answer: np.sqrt(answer),
}
REORDERED = "Its entries are those of the answer in another order."


@dataclass(frozen=True)
class Answer:
    """What a solution found for an exercise: numbers to `to` of each; where that is 0, whole
    numbers or booleans, exactly. Shows itself as one line.
    """

    identifier: str
    value: list | float | int | bool
    to: float

    @property
    def kind(self) -> str:
        """What the value is made of: "bool", "whole" or "number"."""
        return "number" if self.to else find_kind(np.asarray(self.value))

    def __str__(self) -> str:
        return f"{self.identifier}: {say_value(self.value)}, {say_tolerance(self)}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        record = {"identifier": self.identifier, "value": self.value, "to": self.to}
        shown = (
            f'<p class="answer">The answer: {html.escape(say_value(self.value))}, '
            f"{html.escape(say_tolerance(self))}.</p>"
        )
        return {MIME: record, "text/html": shown, "text/plain": str(self)}


@dataclass(frozen=True)
class Verdict:
    """What `check_answer` found. True where the answer is right; prints as a sentence."""

    identifier: str
    right: bool
    sentence: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'✓' if self.right else '✗'} {self.identifier}: {self.sentence}"


def answer(identifier: str, value: ArrayLike, *, to: float = 1e-3) -> Answer:
    """Register what the solution of an exercise has computed: a number, a boolean, or an array.

    `identifier` is the exercise's label, `to` the share of each entry by which a reader's value
    may differ. Raises ValueError for a value with a NaN or an infinity, TypeError for what is
    neither number nor boolean.

    >>> print(answer("exercise-tour", 2 * 3.14159265, to=0.01))
    exercise-tour: 6.28319, to 1 %
    """
    array = read_value("value", value)
    if not 0 < to < 0.2:
        raise ValueError(f"to must lie between 0 and 0.2, beyond which slips pass, got {to!r}")
    if array.size == 0:
        raise ValueError("value must hold at least one number or boolean, got none")
    if not np.isfinite(array).all():
        raise ValueError(f"value must be finite, got {value!r}")
    exact = find_kind(array) != "number"
    return Answer(identifier, round_digits(array), 0 if exact else to)


def check_answer(
    identifier: str, value: ArrayLike, *, answers: str | Path | None = None
) -> Verdict:
    """Compare a value of one's own with the answer to an exercise of the book.

    `answers` is a file with other answers than those of the installed book. A wrong value is no
    error: the verdict says so, and where the value looks like a slip, which one. Raises ValueError
    for an exercise that has no answer and for a value of another shape, TypeError for booleans in
    place of numbers and the like.
    """
    known = load_answers(answers)
    if identifier not in known:
        near = guess(identifier, known)
        raise ValueError(f"identifier must name an exercise with an answer{near}")
    expected = known[identifier]
    given, right = read_value("value", value), np.asarray(expected.value)
    if (find_kind(given) == "bool") != (expected.kind == "bool"):
        wanted = "True or False" if expected.kind == "bool" else "numbers"
        raise TypeError(f"value must hold {wanted} for {identifier}, got {value!r}")
    if given.shape != right.shape:
        raise ValueError(
            f"value must be {say_shape(right.shape)} for {identifier}, got {say_shape(given.shape)}"
        )
    return Verdict(identifier, *judge(given, expected))


def judge(given: NDArray, expected: Answer) -> tuple[bool, str]:
    """Return whether a value of the right kind and shape is right, and a sentence."""
    right = np.asarray(expected.value)
    if not np.isfinite(given).all():
        return False, f"not yet. {np.count_nonzero(~np.isfinite(given))} of it is no finite number."
    hits = find_hits(given, right, expected)
    if hits.all():
        return True, f"right, {say_tolerance(expected)}."
    sentence = "not yet."
    if hits.any():
        sentence += f" {np.count_nonzero(hits)} of {hits.size} entries are right."
    return False, f"{sentence} {name_slip(given, expected)}".strip()


def name_slip(given: NDArray, expected: Answer) -> str:
    """Return what a wrong value is to the answer, nothing where it is none of `SLIPS`."""
    if expected.kind == "bool":
        return ""
    right = np.asarray(expected.value, dtype=float)
    for sentence, slip in SLIPS.items():
        with np.errstate(all="ignore"):
            slipped = slip(right)
        if np.isfinite(slipped).all() and find_hits(given, slipped, expected).all():
            return sentence
    in_order = find_hits(np.sort(given, axis=None), np.sort(right, axis=None), expected)
    return REORDERED if in_order.all() else ""


def find_hits(given: NDArray, right: NDArray, expected: Answer) -> NDArray[np.bool_]:
    """Return which entries are right. A zero is met to `to` of the largest entry."""
    if expected.kind != "number":
        return np.atleast_1d(given == right)
    scale = np.abs(right)
    scale = np.where(scale > 0, scale, scale.max() or 1)
    return np.atleast_1d(np.abs(given - right) <= expected.to * scale)


def read_value(name: str, value: ArrayLike) -> NDArray:
    """Return a number, a boolean or a nested list of them as an array."""
    try:
        array = np.asarray(value)
    except ValueError as why:
        raise TypeError(f"{name} must be a number, a boolean or an array, got {value!r}") from why
    if array.dtype.kind == "O":
        array = as_floats(name, value, array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers or booleans, got {value!r}")
    return array


def as_floats(name: str, value: ArrayLike, array: NDArray) -> NDArray:
    """Return fractions and the like as float64."""
    try:
        return np.array([float(entry) for entry in array.flat]).reshape(array.shape)
    except (TypeError, ValueError) as why:
        raise TypeError(f"{name} must be a number, a boolean or an array, got {value!r}") from why


def find_kind(array: NDArray) -> str:
    return {"b": "bool", "i": "whole", "u": "whole"}.get(array.dtype.kind, "number")


def round_digits(array: NDArray) -> list | float | int | bool:
    """Return the entries, numbers to six digits: the same on every machine."""
    if array.dtype.kind != "f":
        return array.tolist()
    return np.vectorize(round_number, otypes=[object])(array).tolist()


def round_number(entry: float) -> float | int:
    """Return a number to six digits, as a browser stores it: 1 in the place of 1.0."""
    rounded = float(f"{entry:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e21 else rounded


def say_value(value: list | float | int | bool) -> str:
    if isinstance(value, list):
        return f"({', '.join(map(say_value, value))})"
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def say_tolerance(answer: Answer) -> str:
    return "exactly" if answer.kind != "number" else f"to {100 * answer.to:g} %"


def say_shape(shape: tuple[int, ...]) -> str:
    return "one number or boolean" if shape == () else f"an array of the shape {shape}"


def guess(identifier: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown exercise."""
    near = difflib.get_close_matches(str(identifier), known, n=1, cutoff=0.4)
    return f", perhaps {near[0]}; got {identifier!r}" if near else f", got {identifier!r}"


def find_answers(page: NotebookNode) -> dict[str, Answer]:
    """Return the answers that the cells of a notebook show. Raises ValueError for a second one."""
    found = {}
    for cell in page.cells:
        for output in cell.get("outputs", ()):
            record = output.get("data", {}).get(MIME)
            if record and record["identifier"] in found:
                raise ValueError(f"{record['identifier']} is answered twice")
            if record:
                found[record["identifier"]] = Answer(**record)
    return found


def write_answers(answers: Mapping[str, Answer], path: Path) -> None:
    """Write answers, one a line, sorted."""
    lines = [
        f"{json.dumps(name)}: {json.dumps({'value': one.value, 'to': one.to})}"
        for name, one in sorted(answers.items())
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def load_answers(path: str | Path | None = None) -> dict[str, Answer]:
    """Return the answers of a file, or those that are installed with the book."""
    if path is None:
        text = read_installed()
    else:
        text = Path(path).read_text(encoding="utf-8")
    return {name: Answer(name, **record) for name, record in json.loads(text).items()}


def read_installed() -> str:
    try:
        return files(PACKAGE).joinpath(FILE).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError) as why:
        raise FileNotFoundError(
            f"the book's answers are not installed: the package {PACKAGE} has no {FILE}"
        ) from why
