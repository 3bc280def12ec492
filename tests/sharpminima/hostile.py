"""Hostile input: what people hand to a function in the place of what it asks for, by kinds of
argument, and how an answer is told from a refusal.

A `Row` is a function with good arguments and the kind of each. `try_row` replaces one argument
after the other by each value of its kind, and returns what became of every call. Right is either of

* the answer that the plain float64 array gets, for another form of the same numbers;
* ValueError or TypeError that names the argument, for what is none of its kind.

An argument that was changed is a failure in any case.
"""

import copy
import dataclasses
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse.linalg

try:
    import pandas
except ImportError:  # the library does without; the book's environment has it
    pandas = None


class Random:
    """Stands for a generator that is made anew for each call."""


RNG = Random()


class Row(NamedTuple):
    """A function, good arguments, and the kind of each; `also` holds other words by which a message
    may name an argument, such as `outputs` for the loss that has none.
    """

    function: Callable
    good: dict[str, Any]
    kinds: dict[str, str]
    also: dict[str, str] = {}


class Outcome(NamedTuple):
    """What became of one call: `what` is "refused", "same", or what is wrong with it."""

    argument: str
    value: str
    what: str
    said: str

    @property
    def is_right(self) -> bool:
        return self.what in ("refused", "same")


# Other forms of the same numbers. Each is made of a float64 array.


class Named(np.ndarray):
    """An array of somebody's own class."""


def make_strided(good):
    room = np.full([2 * n for n in good.shape], np.nan)
    view = room[tuple(slice(None, None, 2) for _ in good.shape)]
    view[...] = good
    return view


def make_reversed(good):
    return np.flip(np.flip(good).copy())


def make_read_only(good):
    other = good.copy()
    other.flags.writeable = False
    return other


FORMS = {
    "a list": lambda good: good.tolist(),
    "a tuple": lambda good: tuple(good.tolist()),
    "read-only": make_read_only,
    "every second entry of another": make_strided,
    "backwards in memory": make_reversed,
    "in Fortran's order": lambda good: np.asfortranarray(good),
    "of a subclass": lambda good: good.copy().view(Named),
    "masked nowhere": lambda good: np.ma.array(good),
    "a memoryview": lambda good: memoryview(np.ascontiguousarray(good)),
    "whole numbers": lambda good: good.astype(int) if (good == good.astype(int)).all() else good,
    "whole numbers of 8 bits": lambda good: (
        good.astype(np.int8) if (good == good.astype(np.int8)).all() else good
    ),
}
FORMS_OF_MATRICES = {"a matrix of numpy's": lambda good: good.copy().view(np.matrix)}
if pandas is not None:
    FORMS["of pandas"] = lambda good: {1: pandas.Series, 2: pandas.DataFrame}[good.ndim](good)


# What is not an array of finite real numbers.


def put_first(good, value):
    other = np.array(good, dtype=np.result_type(type(value), np.float64))
    other.reshape(-1)[0] = value
    return other


def mask_first(good):
    mask = np.zeros(good.shape, dtype=bool)
    mask.reshape(-1)[0] = True
    return np.ma.array(good, mask=mask)


def mask_in_a_list(good):
    return [np.ma.masked, *good.tolist()[1:]] if good.ndim == 1 else [*mask_first(good)]


def make_structured(good):
    return np.zeros(good.shape, dtype=[("value", float)])


NO_NUMBERS = {
    "None": lambda good: None,
    "a text": lambda good: "1.5",
    "bytes": lambda good: b"1.5",
    "a function": lambda good: np.sum,
    "a class": lambda good: np.ndarray,
    "an object": lambda good: object(),
    "a mapping": lambda good: {0: 1.0},
    "a set": lambda good: {1.0, 2.0},
    "a generator": lambda good: (x for x in good),
    "texts": lambda good: good.astype(str),
    "objects": lambda good: good.astype(object),
    "complex": lambda good: good + 0j,
    "booleans": lambda good: good > 0,
    "dates": lambda good: np.zeros(good.shape, dtype="M8[s]"),
    "records": make_structured,
    "single": lambda good: good.astype(np.float32),
    "half": lambda good: good.astype(np.float16),
    "extended": lambda good: good.astype(np.longdouble),
    "big-endian": lambda good: good.astype(">f8"),
    "a NaN": lambda good: put_first(good, np.nan),
    "infinite": lambda good: put_first(good, np.inf),
    "minus infinity": lambda good: put_first(good, -np.inf),
    "an integer that floats lack": lambda good: np.full(good.shape, 2**53 + 1),
    "masked": mask_first,
    "masked in a list": mask_in_a_list,
    "ragged": lambda good: [[1.0], [1.0, 2.0]],
    "an axis more": lambda good: good[None, ..., None],
    "an axis more than that": lambda good: good[None, None, None, ...],
}
if pandas is not None:
    NO_NUMBERS["missing in pandas"] = lambda good: pandas.Series([None, *good.reshape(-1)[1:]])
    NO_NUMBERS["missing in pandas' own way"] = lambda good: pandas.Series(
        [pandas.NA] * good.size, dtype="Float64"
    )
EMPTY = {"empty": lambda good: good[:0].copy()}
TOO_LONG = {
    "one too many": lambda good: np.concatenate([good, good[:1]]),
    "one too few": lambda good: good[:-1].copy(),
}
NO_SQUARE = {
    "a row more": lambda good: np.concatenate([good, good[:1]]),
    "no symmetry": lambda good: good + np.triu(np.ones(good.shape), 1),
    "a vector": lambda good: good[0].copy(),
}
NO_SCALAR = {
    "None": lambda good: None,
    "a text": lambda good: "0.5",
    "bytes": lambda good: b"1",
    "a list": lambda good: [good],
    "an array of one": lambda good: np.array([float(good)]),
    "a generator": lambda good: (x for x in [good]),
    "a function": lambda good: np.sum,
    "a set": lambda good: {good},
    "complex": lambda good: complex(good),
    "a boolean": lambda good: True,
    "an object": lambda good: object(),
    "NaN": lambda good: np.nan,
    "infinite": lambda good: np.inf,
    "minus infinity": lambda good: -np.inf,
    "masked": lambda good: np.ma.masked,
    "masked array": lambda good: np.ma.array(float(good), mask=True),
}
NO_NUMBER = {
    **NO_SCALAR,
    "single": lambda good: np.float32(good),
    "half": lambda good: np.float16(good),
    "an integer that floats lack": lambda good: 2**53 + 1,
}
FORMS_OF_NUMBERS = {
    "of numpy's": lambda good: np.float64(good),
    "an array without axes": lambda good: np.array(float(good)),
}
NO_COUNT = {
    **NO_SCALAR,
    "half a one": lambda good: 1.5,
    "a float": lambda good: float(good),
    "negative": lambda good: -1,
}


def write_to_theta(theta):
    theta[0] += 1.0
    return np.sum(theta**2)


NO_LOSS = {
    "None": lambda good: None,
    "a number": lambda good: 3.0,
    "a text": lambda good: "loss",
    "an array": lambda good: np.ones(3),
    "a class": lambda good: type(good),
    "one that returns nothing": lambda good: lambda theta: None,
    "one that returns a text": lambda good: lambda theta: "1.0",
    "one that returns a complex number": lambda good: lambda theta: 1.0 + 1j,
    "one that returns a boolean": lambda good: lambda theta: True,
    "one that returns a vector": lambda good: lambda theta: np.ones(2),
    "one that returns one number in a vector": lambda good: lambda theta: np.ones(1),
    "one that returns single precision": lambda good: lambda theta: np.float32(1.0),
    "one that returns a masked number": lambda good: lambda theta: np.ma.masked,
    "one that returns NaN": lambda good: lambda theta: np.nan,
    "one that is infinite": lambda good: lambda theta: np.inf,
    "one that writes to theta": lambda good: write_to_theta,
}
NO_FUNCTION = {
    "None": lambda good: None,
    "a number": lambda good: 3.0,
    "a text": lambda good: "function",
    "an array": lambda good: np.ones(3),
}
NO_WIDTHS = {
    "None": lambda good: None,
    "a number": lambda good: 4,
    "a text": lambda good: "341",
    "a set": lambda good: set(good),
    "a mapping": lambda good: dict.fromkeys(good, 1),
    "one width": lambda good: good[:1],
    "none": lambda good: (),
    "a width of none": lambda good: (*good[:-1], 0),
    "a negative width": lambda good: (*good[:-1], -1),
    "a float": lambda good: tuple(map(float, good)),
    "a boolean": lambda good: (*good[:-1], True),
    "texts": lambda good: tuple(map(str, good)),
    "a matrix": lambda good: np.array([good]),
    "masked": lambda good: np.ma.array(good, mask=[True] * len(good)),
}
FORMS_OF_WIDTHS = {
    "a list": list,
    "an array": np.array,
    "a generator": lambda good: (width for width in good),
}
NO_PARAMS = {
    "None": lambda good: None,
    "a number": lambda good: 3.0,
    "a text": lambda good: "params",
    "weights": lambda good: tuple(layer.weight for layer in good),
    "one vector": lambda good: np.ones(16),
    "a layer": lambda good: good[0],
    "none": lambda good: (),
    "layers of a NaN": lambda good: [(put_first(w, np.nan), b) for w, b in good],
    "layers in single precision": lambda good: [(np.float32(w), b) for w, b in good],
    "masked layers": lambda good: [(mask_first(w), b) for w, b in good],
    "layers that do not fit": lambda good: good[::-1],
    "layers with a bias too long": lambda good: [(w, np.ones(99)) for w, _ in good],
    "layers with one number for a bias": lambda good: [(w, 0.0) for w, _ in good],
    "layers of vectors": lambda good: [(w[0], b) for w, b in good],
}
NO_RNG = {
    "None": lambda good: None,
    "a seed": lambda good: 0,
    "the old kind": lambda good: np.random.RandomState(0),
    "the class": lambda good: np.random.Generator,
    "the module": lambda good: np.random,
    "a text": lambda good: "0",
}
NO_WORD = {
    "None": lambda good: None,
    "another word": lambda good: "nonsense",
    "in capitals": lambda good: good.upper() + " ",
    "a number": lambda good: 3,
    "a list": lambda good: [good],
    "an array": lambda good: np.array([good, good]),
}
NO_FLAG = {
    "None": lambda good: None,
    "a text": lambda good: "no",
    "a number": lambda good: 2,
    "a float": lambda good: 1.0,
    "an array": lambda good: np.array([True, False, True]),
    "an empty list": lambda good: [],
}
NO_TEXT = {
    "None": lambda good: None,
    "empty": lambda good: "",
    "a number": lambda good: 3,
    "a list": lambda good: [good],
}
NO_MAPPING = {
    "None": lambda good: None,
    "a number": lambda good: 3,
    "a text": lambda good: "text",
    "a list": lambda good: list(good),
    "a function": lambda good: np.sum,
    "a mapping to texts": lambda good: {"mine": "text"},
}
NO_LIST = {
    "None": lambda good: None,
    "a number": lambda good: 3,
    "a function": lambda good: np.sum,
    "of texts": lambda good: ["text"],
    "of numbers that are no integers": lambda good: [0.5],
    "of a NaN": lambda good: [np.nan],
    "of booleans": lambda good: [True],
    "of None": lambda good: [None],
    "of negative numbers": lambda good: [-3],
}


def without(values: dict, *names: str) -> dict:
    return {name: value for name, value in values.items() if name not in names}


class Kind(NamedTuple):
    """What is refused in the place of a kind of argument, and what gets the same answer."""

    refused: dict[str, Callable]
    same: dict[str, Callable] = {}


VECTOR = Kind({**NO_NUMBERS, **EMPTY, **TOO_LONG}, FORMS)
MATRIX = Kind({**NO_NUMBERS, **EMPTY}, {**FORMS, **FORMS_OF_MATRICES})
OPTIONAL = {name: value for name, value in NO_SCALAR.items() if name != "None"}
KINDS = {
    "vector": VECTOR,
    "vector of any length": Kind(NO_NUMBERS, FORMS),
    "vector of one or more": Kind({**NO_NUMBERS, **EMPTY}, FORMS),
    "vector or nothing": Kind(
        {name: value for name, value in VECTOR.refused.items() if name != "None"}, FORMS
    ),
    "matrix": MATRIX,
    "inputs": Kind(NO_NUMBERS, MATRIX.same),
    "symmetric matrix": Kind({**MATRIX.refused, **NO_SQUARE}, MATRIX.same),
    "data": Kind({**MATRIX.refused, **TOO_LONG}, MATRIX.same),
    "number": Kind(NO_NUMBER, FORMS_OF_NUMBERS),
    "positive number": Kind(
        {**NO_NUMBER, "zero": lambda good: 0.0, "negative": lambda good: -1.0}, FORMS_OF_NUMBERS
    ),
    "positive number or nothing": Kind(
        {
            **{name: value for name, value in NO_NUMBER.items() if name != "None"},
            "zero": lambda good: 0.0,
            "negative": lambda good: -1.0,
        },
        FORMS_OF_NUMBERS,
    ),
    "tolerance": Kind(
        {**NO_NUMBER, "negative": lambda good: -0.1, "one": lambda good: 1.0}, FORMS_OF_NUMBERS
    ),
    "tolerance or nothing": Kind(
        {
            **{name: value for name, value in NO_NUMBER.items() if name != "None"},
            "negative": lambda good: -0.1,
            "one": lambda good: 1.0,
        },
        FORMS_OF_NUMBERS,
    ),
    "count": Kind({**NO_COUNT, "zero": lambda good: 0}, {"of numpy's": np.int64}),
    "count from zero": Kind(NO_COUNT, {"of numpy's": np.int64}),
    "count or nothing": Kind(
        {
            **{name: value for name, value in NO_COUNT.items() if name != "None"},
            "zero": lambda good: 0,
        },
        {"of numpy's": np.int64},
    ),
    "index": Kind(
        {**{k: v for k, v in NO_COUNT.items() if k != "negative"}, "too large": lambda good: 99},
        {"of numpy's": np.int64},
    ),
    "index or nothing": Kind(
        {
            **{k: v for k, v in NO_COUNT.items() if k not in ("negative", "None")},
            "too large": lambda good: 99,
        },
        {"of numpy's": np.int64},
    ),
    "loss": Kind(NO_LOSS),
    "network": Kind({**NO_LOSS, "a function": lambda good: lambda theta: 1.0}),
    "loss that is any function": Kind(
        {name: NO_LOSS[name] for name in ("None", "a number", "a text", "an array")}
    ),
    "function": Kind(NO_FUNCTION),
    "widths": Kind(NO_WIDTHS, FORMS_OF_WIDTHS),
    "params": Kind(NO_PARAMS, {"a list": list, "pairs": lambda good: [tuple(p) for p in good]}),
    "rng": Kind(NO_RNG),
    "word": Kind(NO_WORD),
    "word or words": Kind(without(NO_WORD, "a list", "an array")),
    "loss of any value": Kind(
        without(NO_LOSS, "one that returns NaN", "one that is infinite", "one that writes to theta")
    ),
    "labels": Kind(
        {
            "None": lambda good: None,
            "a number": lambda good: 1,
            "a text": lambda good: "01011",
            "masked": lambda good: np.ma.array(good, mask=True),
            "other labels": lambda good: good + 7,
            "floats between": lambda good: good + 0.5,
            "one too few": lambda good: good[:-1],
            "an axis more": lambda good: np.stack([good, good], axis=1),
        },
        {"a list": list, "as floats": lambda good: good.astype(float)},
    ),
    "word or nothing": Kind({name: value for name, value in NO_WORD.items() if name != "None"}),
    "flag": Kind(NO_FLAG),
    "text": Kind(NO_TEXT),
    "mapping": Kind(NO_MAPPING),
    "mapping or nothing": Kind({k: v for k, v in NO_MAPPING.items() if k != "None"}),
    "list of integers": Kind(NO_LIST),
    "list of integers or nothing": Kind({k: v for k, v in NO_LIST.items() if k != "None"}),
}
NO_POINT = {
    "None": lambda good: None,
    "a number": lambda good: 3.0,
    "a vector": lambda good: good.theta,
    "a loss": lambda good: good.loss,
    "a pair": lambda good: (good.loss, good.theta),
}
NO_MEASURE = {
    **NO_FUNCTION,
    "one that returns a text": lambda good: lambda point: "1.0",
    "one that returns nothing": lambda good: lambda point: None,
    "one that returns a complex number": lambda good: lambda point: 1j,
    "one that returns a vector": lambda good: lambda point: np.ones(2),
    "one that returns a masked number": lambda good: lambda point: np.ma.masked,
}
NO_MAP = {
    **NO_FUNCTION,
    "one that returns nothing": lambda good: lambda eta: None,
    "one that returns a number": lambda good: lambda eta: 1.0,
    "one that returns a text": lambda good: lambda eta: "12",
    "one that returns a NaN": lambda good: lambda eta: np.full(2, np.nan),
    "one that returns single precision": lambda good: lambda eta: np.ones(2, dtype=np.float32),
}
NO_BUFFER = {
    "a number": lambda good: 3.0,
    "a list": lambda good: [[0.0]],
    "of another shape": lambda good: np.zeros((99, 99)),
    "of single precision": lambda good: np.zeros((4, 4), dtype=np.float32),
    "read-only": lambda good: make_read_only(np.zeros((4, 4))),
    "strided": lambda good: make_strided(np.zeros((4, 4))),
    "of another order": lambda good: np.zeros((4, 4), order="F"),
}
NO_SAMPLES = {
    "None": lambda good: None,
    "a number": lambda good: 1,
    "a text": lambda good: "0",
    "floats": lambda good: good.astype(float),
    "too large": lambda good: good + 99,
    "too small": lambda good: good - 99,
    "none": lambda good: good[:0],
    "a mask that is too short": lambda good: np.array([True]),
    "a mask of nothing": lambda good: np.zeros(5, dtype=bool),
    "masked": lambda good: np.ma.array(good, mask=True),
    "a matrix": lambda good: good[None],
}
NO_WORDS = {
    "None": lambda good: None,
    "a number": lambda good: 3,
    "a word that is none of them": lambda good: ["nonsense"],
    "of numbers": lambda good: [3],
    "of lists": lambda good: [["size"]],
}
NO_COLUMN = {
    "None": lambda good: None,
    "a number": lambda good: 3,
    "one too few": lambda good: good[:-1],
    "masked": mask_first,
    "masked in a list": mask_in_a_list,
}
NO_TABLE = {
    "None": lambda good: None,
    "a number": lambda good: 3,
    "a mapping": lambda good: {name: good[name] for name in good},
    "an array": lambda good: np.ones((6, 2)),
}
NO_PAIR = {
    "a number": lambda good: 3,
    "one array": lambda good: good[0],
    "three": lambda good: (*good, good[0]),
    "inputs with a NaN": lambda good: (put_first(good[0], np.nan), good[1]),
    "inputs in single precision": lambda good: (good[0].astype(np.float32), good[1]),
    "masked inputs": lambda good: (mask_first(good[0]), good[1]),
    "masked targets": lambda good: (good[0], mask_first(good[1])),
    "targets as texts": lambda good: (good[0], good[1].astype(str)),
    "targets with a NaN": lambda good: (good[0], put_first(good[1], np.nan)),
    "negative labels": lambda good: (good[0], good[1] - 1),
    "one target too few": lambda good: (good[0], good[1][:-1]),
}
NO_NETWORKS = {
    "a number": lambda good: 3,
    "a text": lambda good: "networks",
    "a function": lambda good: np.sum,
    "none": lambda good: [],
    "a pair": lambda good: (np.sum, np.ones(3)),
    "of thetas": lambda good: [np.ones(3)],
    "of losses": lambda good: [lambda theta: 1.0],
    "of texts": lambda good: [("loss", np.ones(3))],
    "of a theta with a NaN": lambda good: [(lambda theta: theta @ theta, np.full(3, np.nan))],
    "of a masked theta": lambda good: [(lambda theta: theta @ theta, mask_first(np.ones(3)))],
}
NO_INDICES = {
    "None": lambda good: None,
    "a number": lambda good: 1,
    "floats": lambda good: good.astype(float),
    "booleans": lambda good: good > 0,
    "too large": lambda good: good + 99,
    "negative": lambda good: good - 99,
    "twice the same": lambda good: np.array([good[0], good[0]]),
    "none": lambda good: good[:0],
    "masked": lambda good: np.ma.array(good, mask=True),
}
NO_PRECISION = ("single", "half", "extended", "big-endian", "booleans")
ANY_PRECISION = {k: v for k, v in NO_NUMBERS.items() if k not in NO_PRECISION}
NOT_FINITE = ("a NaN", "infinite", "minus infinity")
MISSING = ("missing in pandas", "missing in pandas' own way")
MORE_AXES = ("an axis more", "an axis more than that")


POSITIVE = {"zero": lambda good: 0.0, "negative": lambda good: -1.0}
KINDS |= {
    "numbers": Kind(
        without(NO_NUMBERS, *NOT_FINITE, *MISSING, *MORE_AXES), {**FORMS, **FORMS_OF_MATRICES}
    ),
    "outputs": Kind(
        {**without(NO_NUMBERS, *NOT_FINITE), **TOO_LONG}, {**FORMS, **FORMS_OF_MATRICES}
    ),
    "positive or zero or nothing": Kind(
        {**without(NO_NUMBER, "None"), "negative": POSITIVE["negative"]}, FORMS_OF_NUMBERS
    ),
    "buffer": Kind(NO_BUFFER),
    "rng or nothing": Kind(without(NO_RNG, "None")),
    "function of an array": Kind(
        {
            **NO_FUNCTION,
            "one that returns a number": lambda good: lambda x: 1.0,
            "one that returns complex numbers": lambda good: lambda x: x + 1j,
            "one that returns nothing": lambda good: lambda x: None,
        }
    ),
    "function or nothing": Kind(without(NO_FUNCTION, "None")),
    "map": Kind(NO_MAP),
    "square matrix": Kind({**MATRIX.refused, **without(NO_SQUARE, "no symmetry")}, MATRIX.same),
    "subspace": Kind({**without(NO_NUMBERS, "None"), **EMPTY, **TOO_LONG}, MATRIX.same),
    "vector of positive numbers": Kind({**VECTOR.refused, "negative": lambda good: -good}, FORMS),
    "indices": Kind(NO_INDICES, {"a list": list, "of 8 bits": lambda good: good.astype(np.int8)}),
    "count from zero or nothing": Kind(without(NO_COUNT, "None"), {"of numpy's": np.int64}),
    "text or nothing": Kind(without(NO_TEXT, "None")),
    "text or empty": Kind(without(NO_TEXT, "empty")),
    "list of words": Kind(NO_WORDS),
    "list of words or nothing": Kind(without(NO_WORDS, "None")),
    "measure": Kind(NO_MEASURE),
    "networks": Kind(NO_NETWORKS),
    "audits": Kind(without(NO_MAPPING, "a mapping to texts")),
    "column": Kind(NO_COLUMN),
    "attrs": Kind({"a number": lambda good: 3, "a text": lambda good: "text"}),
    "table": Kind(NO_TABLE),
    "share": Kind(
        {**NO_NUMBER, **POSITIVE, "one": lambda good: 1.0, "beyond": lambda good: 1.5},
        FORMS_OF_NUMBERS,
    ),
    "pair": Kind(NO_PAIR, {"a list": list}),
    "path or nothing": Kind({"a number": lambda good: 3.5, "a list": lambda good: []}),
    "data of any precision": Kind({**ANY_PRECISION, **EMPTY, **TOO_LONG}, MATRIX.same),
    "targets of any precision": Kind({**ANY_PRECISION, **EMPTY, **TOO_LONG}, FORMS),
    "samples": Kind(NO_SAMPLES, {"a list": list, "of 8 bits": lambda good: good.astype(np.int8)}),
    "point": Kind(NO_POINT),
}


def flatten(value) -> list:
    """Return all numbers, words and arrays of an answer, in an order of its own."""
    if isinstance(value, np.ndarray | float | int | complex | str | None | np.generic):
        return [value]
    if isinstance(value, scipy.sparse.linalg.LinearOperator):
        return [value @ np.eye(value.shape[0])]
    if isinstance(value, np.random.Generator):
        return [str(value.bit_generator.state)]
    if isinstance(value, Mapping):
        return [part for key in value for part in (key, *flatten(value[key]))]
    if isinstance(value, tuple | list | set | frozenset | range):
        return [part for inner in value for part in flatten(inner)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return [part for one in inner for part in flatten(one)]
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return [np.asarray(value)]
    if hasattr(value, "__dict__") and not callable(value):
        return [part for name in sorted(vars(value)) for part in flatten(vars(value)[name])]
    if type(value).__module__.startswith("sharpminima"):
        return [part for name in sorted(vars(value)) for part in flatten(vars(value)[name])]
    return []


def are_equal(one: list, other: list) -> bool:
    """Return whether two flattened answers are the same to rounding: BLAS adds in another order
    where an array has another place in memory.
    """
    if len(one) != len(other):
        return False
    return all(map(_are_equal, one, other))


def _are_equal(a, b):
    if isinstance(a, str | None) or isinstance(b, str | None):
        return type(a) is type(b) and a == b
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.kind not in "biuf":
        return a.shape == b.shape and (a == b).all()
    if a.dtype.kind == "f" and a.dtype != np.float64:
        return False
    size = np.abs(b[np.isfinite(b)]).max(initial=0)
    return np.allclose(a, b, rtol=1e-9, atol=1e-12 * size, equal_nan=True)


def prepare(good: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as a call takes them: arrays of its own, a generator of its own."""
    fresh = {}
    for name, value in good.items():
        if value is RNG:
            value = np.random.default_rng(0)
        elif isinstance(value, np.ndarray):
            value = value.copy()
        fresh[name] = value
    return fresh


def snapshot(value):
    """Return what can be compared after a call, of what a call may have changed."""
    try:
        return copy.deepcopy(flatten(value))
    except Exception:
        return []


def call(row: Row, argument: str, value, expected: list | None) -> tuple[str, str]:
    """Return what became of one call, and what was said. Without an `expected` answer the call has
    to be refused.
    """
    arguments = prepare(row.good) | {argument: value}
    is_memory = isinstance(value, np.ndarray | list | tuple | dict)
    before = snapshot(value) if is_memory else []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = row.function(**arguments)
    except (ValueError, TypeError) as error:
        what, said = "refused", str(error)
        names = rf"\b({re.escape(argument)}|{row.also.get(argument, argument)})\b"
        if expected is not None:
            what = "another form is refused"
        elif not re.search(names, said):
            what = "the argument is not named"
    except Exception as error:
        what, said = f"raises {type(error).__name__}", str(error)
    else:
        said = repr(answer)[:100]
        if expected is None:
            what = "accepted"
        elif are_equal(flatten(answer), expected):
            what = "same"
        else:
            what = "another answer"
    if is_memory and not are_equal_bits(before, snapshot(value)):
        what = "the argument was changed"
    return what, said[:160]


def are_equal_bits(one: list, other: list) -> bool:
    """Return whether two snapshots are the same to the last bit."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if isinstance(a, np.ndarray):
            is_same = isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
            if not is_same or repr(a.tolist()) != repr(b.tolist()):
                return False
        elif repr(a) != repr(b):
            return False
    return True


def list_values(kind: str) -> list[tuple[str, Callable, bool]]:
    """Return (name, way to make it of a good value, whether the answer stays) for all that is tried
    in the place of a kind of argument.
    """
    refused, same = KINDS[kind]
    found = [(name, make, False) for name, make in refused.items()]
    return found + [(name, make, True) for name, make in same.items()]


def try_row(row: Row) -> list[Outcome]:
    """Return what became of every bad value and every other form of each argument."""
    expected = flatten(row.function(**prepare(row.good)))
    found = []
    for argument, kind in row.kinds.items():
        for name, make, stays in list_values(kind):
            value = make(prepare(row.good)[argument])
            what, said = call(row, argument, value, expected if stays else None)
            found.append(Outcome(argument, name, what, said))
    return found
