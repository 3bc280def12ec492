"""Whether a function is still the one that it was: a digest of what its code says.

A sweep keeps one of each measure and each transformation in its store, so that a row is not taken
for the value of another function of the same name.
"""

import dis
import hashlib
from collections.abc import Callable
from functools import partial, singledispatch
from types import CodeType, EllipsisType, FunctionType, MethodType, NoneType

import numpy as np

from .measures import Measure
from .transformations import Transformation


def fingerprint(function: Callable) -> str:
    """Return a digest of what a function does, the same in all runs of one version of Python.

    Two functions have the same one if they agree in module, name, code (without comments and the
    docstring) and default values, and in the numbers, texts, tuples, arrays and functions that they
    close over or read from their module. `functools.partial`, `Measure.with_` and
    `Transformation.with_` count with their options.

    All else goes by its name, or by that of its class: what a function of another module does that
    is read from there, what is compiled, an object of a class of your own, and what a list or a
    dictionary holds, which may change as the function runs.

    >>> def power(point, p=2): return point.value**p
    >>> before = fingerprint(power)
    >>> def power(point, p=3): return point.value**p
    >>> fingerprint(power) == before
    False
    """
    described = repr(_describe(function, set()))
    return hashlib.sha256(described.encode()).hexdigest()


@singledispatch
def _describe(thing, seen):
    """Return texts and tuples that are the same for the same thing in every run. `seen` collects
    the functions that were described, so that each is described once.
    """
    kind = type(thing)
    names = [getattr(thing, name, "") for name in ("__module__", "__qualname__", "__name__")]
    return (kind.__module__, kind.__qualname__, *(n for n in names if isinstance(n, str)))


@_describe.register(NoneType)
@_describe.register(EllipsisType)
@_describe.register(int)
@_describe.register(float)
@_describe.register(complex)
@_describe.register(str)
@_describe.register(bytes)
def _(value, seen):
    return (type(value).__name__, repr(value))


@_describe.register
def _(values: tuple, seen):
    return ("tuple", *(_describe(value, seen) for value in values))


@_describe.register
def _(values: frozenset, seen):
    return ("frozenset", *sorted(repr(_describe(value, seen)) for value in values))


@_describe.register
def _(value: slice, seen):
    return ("slice", _describe((value.start, value.stop, value.step), seen))


@_describe.register(np.ndarray)
@_describe.register(np.generic)
def _(array, seen):
    if array.dtype.hasobject:
        return ("array", array.dtype.str)
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return ("array", array.dtype.str, repr(array.shape), digest)


@_describe.register
def _(code: CodeType, seen):
    return _describe_code(code, code.co_consts, seen)


@_describe.register
def _(function: FunctionType, seen):
    name = (function.__module__, function.__qualname__)
    if function in seen:
        return name
    seen.add(function)
    code = function.__code__
    constants = [value for value in code.co_consts if value is not function.__doc__]
    return (
        *name,
        _describe_code(code, constants, seen),
        _describe_kept(_name_defaults(function), seen),
        _describe_kept(_name_cells(function), seen),
        _describe_kept(_find_globals(function), seen),
    )


@_describe.register
def _(method: MethodType, seen):
    return ("method", _describe(method.__func__, seen), _describe(method.__self__, seen))


@_describe.register
def _(function: partial, seen):
    options = {**dict(enumerate(function.args)), **function.keywords}
    described = [(str(name), _describe_option(options[name], seen)) for name in options]
    return ("partial", _describe(function.func, seen), *sorted(described))


@_describe.register
def _(measure: Measure, seen):
    return ("Measure", _describe(measure.function, seen))


@_describe.register
def _(transformation: Transformation, seen):
    moves = (transformation.start, transformation.move)
    return ("Transformation", *(_describe(move, seen) for move in moves))


def _describe_code(code, constants, seen):
    return ("code", code.co_code.hex(), code.co_names, *(_describe(c, seen) for c in constants))


def _describe_kept(values, seen):
    """Describe what a function keeps by name."""
    return tuple((name, _describe(value, seen)) for name, value in sorted(values.items()))


def _describe_option(value, seen):
    """Describe an option, which nothing changes: of a list or a dictionary what it holds, too."""
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(_describe_option(each, seen) for each in value))
    if isinstance(value, dict):
        items = [(repr(key), _describe_option(each, seen)) for key, each in value.items()]
        return ("dict", *sorted(items))
    return _describe(value, seen)


def _name_defaults(function):
    positional = dict(enumerate(function.__defaults__ or ()))
    named = function.__kwdefaults__ or {}
    return {str(name): value for name, value in {**positional, **named}.items()}


def _name_cells(function):
    """Return what a function closes over, by name; a name may have no value yet."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: _read_cell(cell) for name, cell in cells}


def _read_cell(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _find_globals(function):
    """Return what a function reads from its module, by name; of another module's function, where
    that stands.
    """
    found = {}
    for name in _list_names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType) and value.__module__ != function.__module__:
            value = (value.__module__, value.__qualname__)
        found[name] = value
    return found


def _list_names(code):
    """Return the names that a function and those within it look up in their module."""
    names = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _list_names(constant)
    return names
