"""Defects that people wrote down, one at a time, and what should notice each of them.

They stand in files of TOML, one for each kind of defect:

    [run]                                  # for all mutants of the file
    preload = ["numpy", "pytest"]          # imported once, before the tests of each mutant start
    options = ["-p", "no:cacheprovider"]   # for pytest
    always = ["tests/test_doctests.py"]    # what should notice a defect in any of the files below

    [tests]                                # what should notice defects of a file, or of a folder
    "lib/shapes.py" = ["tests/test_shapes.py"]

    [[mutant]]
    file = "lib/shapes.py"
    defect = "the perimeter without its 2"
    was = "2 * math.pi * radius"           # stands there exactly once
    becomes = "math.pi * radius"
    tests = ["tests/test_shapes.py"]       # where others should notice than those of the file

    [[equivalent]]                         # a change that a tool makes and that changes no result
    file = "lib/shapes.py"
    was = "if side < 0:"                   # the lines that change, without their indentation
    becomes = "if side <= 0:"
    because = "a square of side 0 is refused by the next line"

    [[by_command]]                         # what other commands plant and look for
    defects = "figures spoiled"
    command = ["-m", "bookproof.falsify", "--sample", "{sample}", "--seed", "{seed}"]

In a notebook the text may stand in a cell's source or in its metadata, where captions and alt texts
are; what is stored of it in the outputs changes along, as if the change had been accepted.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat


class ListError(ValueError):
    """A list of mutants is not as it must be; the message says where."""


@dataclass(frozen=True)
class Mutant:
    """One defect: where it is planted, what changes there, and the tests that should notice.

    A mutant of a tool has a `line`, the first of those that change, which are whole lines.
    """

    kind: str
    file: str
    defect: str
    was: str
    becomes: str
    tests: tuple[str, ...]
    line: int | None = None

    @property
    def key(self) -> str:
        """What a random sample goes by: it stays when other mutants come or go."""
        return f"{self.file} {self.was} {self.becomes}"

    def __str__(self):
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.defect}"


@dataclass(frozen=True)
class Command:
    """What plants defects by itself, and fails if one is missed."""

    kind: str
    defects: str
    command: tuple[str, ...]


@dataclass
class MutantList:
    """The mutants of one kind, with what is needed to run them."""

    kind: str
    mutants: list[Mutant] = field(default_factory=list)
    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    equivalents: dict[tuple[str, str, str], str] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    preload: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    always: tuple[str, ...] = ()

    def find_tests(self, file: str) -> tuple[str, ...]:
        """Return the tests of a file, or of the folder above it that is nearest, and those that
        always run.
        """
        for place in [file, *(f"{folder.as_posix()}/" for folder in Path(file).parents)]:
            if place in self.tests:
                return self.tests[place] + self.always
        raise ListError(f"{self.kind}: [tests] must name what should notice a defect in {file}")

    def explain(self, mutant: Mutant) -> str:
        """Return why a mutant of a tool changes no result; an empty text if nothing says so."""
        was, becomes = (_strip_lines(text) for text in (mutant.was, mutant.becomes))
        return self.equivalents.get((mutant.file, was, becomes), "")

    def make_mutant(self, record: Mapping) -> Mutant:
        """Return the mutant of a record {file, defect, was, becomes, tests, line}."""
        missing = [name for name in ("file", "defect", "was", "becomes") if name not in record]
        if missing:
            raise ListError(f"{self.kind}: a mutant lacks {', '.join(missing)}: {dict(record)}")
        tests = record.get("tests") or self.find_tests(record["file"])
        return Mutant(
            kind=self.kind,
            file=record["file"],
            defect=record["defect"],
            was=record["was"],
            becomes=record["becomes"],
            tests=tuple(tests),
            line=record.get("line"),
        )


def _strip_lines(text):
    return "\n".join(line.strip() for line in text.splitlines())


def read_list(path: Path) -> MutantList:
    """Return what a file of TOML lists; its name is the kind of the defects."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(table) - {"run", "tests", "mutant", "equivalent", "by_command"}
    if unknown:
        raise ListError(f"{path}: there is no such table as {', '.join(sorted(unknown))}")
    run = table.get("run", {})
    found = MutantList(
        path.stem,
        tests={file: tuple(tests) for file, tests in table.get("tests", {}).items()},
        preload=tuple(run.get("preload", ())),
        options=tuple(run.get("options", ())),
        always=tuple(run.get("always", ())),
    )
    found.mutants = [found.make_mutant(record) for record in table.get("mutant", ())]
    for record in table.get("equivalent", ()):
        changed = _strip_lines(record["was"]), _strip_lines(record["becomes"])
        found.equivalents[record["file"], *changed] = record["because"]
    for record in table.get("by_command", ()):
        command = Command(found.kind, record["defects"], tuple(record["command"]))
        found.commands.append(command)
    return found


def plant(text: str, mutant: Mutant) -> str:
    """Return the text of a file with the defect in it; raises ListError where it does not fit."""
    if mutant.file.endswith(".ipynb"):
        return _plant_in_notebook(text, mutant)
    if mutant.line is not None:
        return _plant_in_lines(text, mutant)
    return _replace_once(text, mutant)


def _replace_once(text, mutant):
    times = text.count(mutant.was)
    if times != 1:
        raise ListError(f"{mutant}: {mutant.was!r} must stand there exactly once, found {times}")
    return text.replace(mutant.was, mutant.becomes)


def _plant_in_lines(text, mutant):
    lines = text.splitlines()
    was = mutant.was.splitlines()
    start = mutant.line - 1
    if lines[start : start + len(was)] != was:
        raise ListError(f"{mutant}: the lines there are others than {mutant.was!r}")
    lines[start : start + len(was)] = mutant.becomes.splitlines()
    return "\n".join(lines) + "\n"


def _plant_in_notebook(text, mutant):
    notebook = nbformat.reads(text, as_version=4)
    times = 0

    def replace(value):
        nonlocal times
        times += value.count(mutant.was)
        return value.replace(mutant.was, mutant.becomes)

    for cell in notebook.cells:
        cell.source = replace(cell.source)
        cell.metadata = _map_texts(cell.metadata, replace)
    if times != 1:
        raise ListError(
            f"{mutant}: {mutant.was!r} must stand exactly once in the cells, found {times}"
        )
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = _map_texts(cell.outputs, replace)
    return nbformat.writes(notebook) + "\n"


def _map_texts(value, change: Callable[[str], str]):
    """Return a tree of mappings and lists with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return nbformat.from_dict({key: _map_texts(each, change) for key, each in value.items()})
    if isinstance(value, list):
        return [_map_texts(each, change) for each in value]
    return value
