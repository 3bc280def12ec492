"""Tables of results: columns by name, in memory and on disk.

Where pandas is installed a table is its DataFrame. Elsewhere it is a `Table`, which has the little
of it that this library and its book need.
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._validation import as_list, as_plain

SUFFIXES = (".csv", ".npz")


class Table:
    """Columns of equal length by name: `table["test_error"]` is an array, `len(table)` the number
    of rows, `table.attrs` what holds for all of them.
    """

    def __init__(self, columns: Mapping[str, Sequence], attrs: Mapping[str, Any] | None = None):
        if not isinstance(columns, Mapping):
            raise ValueError(
                f"columns must be a mapping from names to values, got {type(columns).__name__}"
            )
        if attrs is not None and not isinstance(attrs, Mapping):
            raise ValueError(f"attrs must be a mapping, got {type(attrs).__name__}")
        self._columns = {name: _as_column(name, values) for name, values in columns.items()}
        self.attrs = dict(attrs or {})
        lengths = {len(values) for values in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns must have one length, got {sorted(lengths)}")

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in their order."""
        return list(self._columns)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._columns:
            raise KeyError(f"name must be one of {', '.join(self._columns)}, got {name!r}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return max((len(values) for values in self._columns.values()), default=0)

    def __repr__(self):
        return f"Table of {len(self)} rows: {', '.join(self._columns)}"


def make_table(columns: Mapping[str, Sequence], attrs: Mapping[str, Any]):
    """Return the columns as a DataFrame where pandas is installed, else as a `Table`."""
    try:
        import pandas
    except ImportError:
        return Table(columns, attrs)
    table = pandas.DataFrame(dict(columns))
    table.attrs = dict(attrs)
    return table


def write_table(table, path: str | os.PathLike) -> None:
    """Write a table as .csv or .npz, by the suffix of the path.

    A CSV holds no `attrs`. Every float is written so that reading it gives the same bits. Raises
    ValueError for another suffix.
    """
    path = _as_path_of_table(path)
    columns = {
        name: as_plain(f"table[{name!r}]", column) for name, column in as_columns(table).items()
    }
    if path.suffix == ".csv":
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in zip(*columns.values(), strict=True):
                writer.writerow([_write_cell(value) for value in row])
        return
    arrays = {name: _write_column(values) for name, values in columns.items()}
    np.savez_compressed(path, attrs=json.dumps(table.attrs), **_number(arrays))


def read_table(path: str | os.PathLike):
    """Return the table that `write_table` wrote.

    Raises ValueError for another suffix, FileNotFoundError where there is none.
    """
    path = _as_path_of_table(path)
    if path.suffix == ".csv":
        with open(path, newline="", encoding="utf-8") as file:
            names, *rows = csv.reader(file)
        cells = zip(*rows, strict=True) if rows else [[] for _ in names]
        texts = dict(zip(names, cells, strict=True))
        return make_table({name: _read_column(values) for name, values in texts.items()}, {})
    with np.load(path) as stored:
        names = json.loads(str(stored["names"]))
        attrs = json.loads(str(stored["attrs"]))
        columns = {name: stored[f"column{n}"] for n, name in enumerate(names)}
    return make_table({name: _restore_widths(values) for name, values in columns.items()}, attrs)


def as_columns(table) -> dict[str, Any]:
    """Return the columns of a `Table`, or of pandas' DataFrame, by name."""
    try:
        return {name: table[name] for name in table.columns}
    except (AttributeError, TypeError) as error:
        raise ValueError(f"table must have columns by name, got {type(table).__name__}") from error


def as_path(name: str, path: str | os.PathLike) -> Path:
    """Return a path, or raise ValueError for what is none."""
    try:
        return Path(path)
    except TypeError as error:
        raise ValueError(f"{name} must be a path, got {type(path).__name__}") from error


def _as_path_of_table(path):
    """Return the path of a table, with a suffix that says how it is written."""
    path = as_path("path", path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"path must end in {' or '.join(SUFFIXES)}, got {path.name!r}")
    return path


def _as_column(name, values):
    """Return an array of one dimension; of tuples, an array of objects."""
    values = as_list(f"columns[{name!r}]", values, "values")
    if any(isinstance(value, tuple) for value in values):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    return np.array(values)


def _write_cell(value):
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    return str(value)


def _write_column(values):
    """Return a column without objects, which np.savez would have to pickle."""
    if values.dtype == object:
        return np.array([_write_cell(value) for value in values], dtype=str)
    return values


def _number(arrays):
    """Return the columns under numbers, since their names may hold what a file name may not."""
    columns = {f"column{n}": values for n, values in enumerate(arrays.values())}
    return {**columns, "names": json.dumps(list(arrays))}


def _read_column(texts):
    """Return a column of a CSV as integers, floats, widths or text, whichever all its cells are."""
    for kind in (int, float):
        try:
            return [kind(text) for text in texts]
        except ValueError:
            continue
    return _restore_widths(np.array(texts))


def _restore_widths(values):
    """Return texts such as 64-16-10 as tuples of integers, and other columns as they are."""
    if values.dtype.kind != "U":
        return values
    try:
        return [tuple(int(width) for width in str(text).split("-")) for text in values]
    except ValueError:
        return values
