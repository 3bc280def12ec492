"""What every module asks of its arguments, said once and in the same words."""

import math
from collections.abc import Iterable, Mapping, Set

import numpy as np
import psutil
from autograd.extend import Box
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
LARGEST_EXACT_INTEGER = 2**53


class NotFinite(ValueError):
    """A number that has to be finite is NaN or infinite."""


def as_real(
    name: str, value: ArrayLike, *, shape: tuple | None = None, what: str = "an array"
) -> Array:
    """Return `value` as a float64 array of finite numbers, or raise ValueError naming `name`.

    Integers up to 2**53 and Python floats convert without loss. Complex numbers and objects do not,
    and are refused. So is float32, although it converts: results would look as exact as float64,
    and the caller is to say that this is meant. So is an array with masked entries: what is to
    stand in their place is the caller's to say, too. `shape` may hold None where any length will
    do. Of a value that autograd is differentiating, only the shape is checked.
    """
    is_traced = isinstance(value, Box)
    array = value if is_traced else _as_numbers(name, value, what)
    if shape is not None and not _has_shape(array, shape):
        expected = _describe_shape(shape)
        raise ValueError(f"{name} must be {what} of shape {expected}, got shape {array.shape}")
    if not is_traced and not np.isfinite(array).all():
        count = np.count_nonzero(~np.isfinite(array))
        got = f"{count} NaN or infinite entries" if array.ndim else str(array)
        raise NotFinite(f"{name} must be finite, got {got}")
    return array


def as_vector(name: str, value: ArrayLike, size: int | None = None) -> Array:
    """Return `value` as a float64 vector, of length `size` where one is given."""
    return as_real(name, value, shape=(size,), what="a vector")


def as_numbers(name: str, value: ArrayLike) -> Array:
    """Return `value` as a float64 array that may hold NaN and infinities, as those of a layer that
    overflows; what autograd is differentiating is returned as it is.
    """
    return value if isinstance(value, Box) else _as_numbers(name, value, "an array")


def as_plain(name: str, value: ArrayLike) -> np.ndarray:
    """Return `value` as an array of whatever dtype, nothing of it masked."""
    refuse_masked(name, value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be an array, got rows of unequal lengths") from error


def as_index(name: str, value, count: int, what: str) -> int:
    """Return `value` as an index from 0 to count - 1, of one of so many things."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or not -count <= value < count:
        raise ValueError(
            f"{name} must be an index of the {count} {what}, from {-count} to {count - 1}, got"
            f" {value!r}"
        )
    return int(value) % count


def as_choice(name: str, value: str, choices: Iterable[str]) -> str:
    """Return `value` if it is one of the words."""
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def as_flag(name: str, value: bool) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def as_text(name: str, value: str, *, may_be_empty: bool = False) -> str:
    """Return `value` if it is a text."""
    if not isinstance(value, str) or not (value or may_be_empty):
        raise ValueError(f"{name} must be a text, got {value!r}")
    return value


def as_list(name: str, value: Iterable, what: str) -> list:
    """Return what `value` holds, in its order; a set has none, and a text is one thing."""
    if isinstance(value, (str, bytes, Mapping, Set)) or not np.iterable(value):
        raise ValueError(f"{name} must be a list of {what}, got {value!r}")
    refuse_masked(name, value)
    return list(value)


def check_function(name: str, value, what: str) -> None:
    """Raise ValueError unless `value` is a function, or anything else that can be called."""
    if isinstance(value, type):
        raise ValueError(f"{name} must be {what}, got the class {value.__name__} itself")
    if not callable(value):
        raise ValueError(f"{name} must be {what}, got {type(value).__name__}")


def refuse_masked(name: str, value) -> None:
    """Raise ValueError for masked entries, which NumPy would quietly take for numbers."""
    if _has_masked(value):
        raise ValueError(
            f"{name} must have no masked entries, got some: .filled(...) or .compressed() says what"
            " is meant"
        )


def _has_masked(value):
    if isinstance(value, np.ma.MaskedArray):
        return np.ma.is_masked(value)
    return isinstance(value, (list, tuple)) and any(map(_has_masked, value))


def refuse_tracing(name: str, value) -> None:
    """Raise ValueError if autograd is differentiating `value`, where it could not follow."""
    if isinstance(value, Box):
        raise ValueError(
            f"{name} must be numbers here: autograd can follow gradient, hessian and jacobian only,"
            f" got {type(value).__name__}"
        )


def as_positive(name: str, value) -> float:
    """Return `value` as a float greater than zero."""
    number = as_real(name, value, shape=(), what="a number")
    if not number > 0:
        raise ValueError(f"{name} must be positive, got {number}")
    return float(number)


def as_tolerance(name: str, value) -> float:
    """Return `value` as a float from 0 to, but not including, 1."""
    number = as_real(name, value, shape=(), what="a number")
    if not 0 <= number < 1:
        raise ValueError(f"{name} must be at least 0 and less than 1, got {number}")
    return float(number)


def as_count(name: str, value, *, least: int = 1) -> int:
    """Return `value` as an int of at least `least`."""
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return int(value)


def as_generator(rng: np.random.Generator) -> np.random.Generator:
    """Return `rng` if it is a NumPy generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            "rng must be a numpy.random.Generator, as from np.random.default_rng(0), got"
            f" {type(rng).__name__}"
        )
    return rng


def as_buffer(out: Array | None, n: int) -> Array | None:
    """Return `out` if it can hold an (n, n) matrix; without one make sure that there is memory for
    it.
    """
    if out is None:
        refuse_too_large("matrix", (n, n))
        return None
    expected = f"out must be a writeable, contiguous float64 array of shape ({n}, {n})"
    if not isinstance(out, np.ndarray):
        raise ValueError(f"{expected}, got {type(out).__name__}")
    if out.shape != (n, n) or out.dtype != np.float64 or not out.flags.carray:
        raise ValueError(f"{expected}, got {out.dtype} of shape {out.shape}")
    return out


def refuse_too_large(what: str, shape: tuple[int, ...]) -> None:
    """Raise MemoryError for an array of float64 numbers that would not fit into free memory."""
    size = 8 * math.prod(shape)
    free = psutil.virtual_memory().available
    if size > free:
        order = " x ".join(f"{n:,}" for n in shape)
        raise MemoryError(
            f"a {what} of {order} takes {size / 2**30:,.1f} GiB, and {free / 2**30:,.1f} GiB are"
            " free; a hessian_operator, leading_eigenvalues and hessian_diagonal do without it"
        )


def _as_numbers(name, value, what):
    refuse_masked(name, value)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, NotImplementedError) as error:
        if not isinstance(value, (list, tuple)):
            raise ValueError(
                f"{name} must be {what} of float64 numbers, got {type(value).__name__}: {error}"
            ) from error
        way_out = ": sm.ravel makes a vector of layers" if what == "a vector" else ""
        raise ValueError(
            f"{name} must be {what} of float64 numbers, got rows of unequal lengths{way_out}"
        ) from error
    is_integer = array.dtype.kind in "iu"
    if not is_integer and array.dtype != np.float64:
        raise ValueError(
            f"{name} must be {what} of float64 numbers, got {_describe_dtype(value, array.dtype)}"
        )
    if is_integer:
        refuse_inexact(name, array, what)
    return array.astype(np.float64, copy=False)


def refuse_inexact(name: str, integers: np.ndarray, what: str = "an array") -> None:
    """Raise ValueError for integers that float64 does not hold."""
    largest = max(-int(integers.min()), int(integers.max())) if integers.size else 0
    if largest > LARGEST_EXACT_INTEGER:
        raise ValueError(f"{name} must be {what} of float64 numbers, got integers beyond 2**53")


def _describe_dtype(value, dtype):
    """Return a dtype that is refused in words, with the way out where there is one."""
    if dtype.kind == "f":
        return f"dtype {dtype}: .astype(float) converts it"
    if dtype.kind in "OSU" and not isinstance(value, (list, tuple, np.ndarray)):
        return type(value).__name__
    return f"dtype {dtype}"


def _has_shape(array, shape):
    """Return whether the array has the shape, in which None stands for any length."""
    if array.ndim != len(shape):
        return False
    return all(w is None or n == w for n, w in zip(array.shape, shape, strict=True))


def _describe_shape(shape):
    lengths = ["any" if n is None else str(n) for n in shape]
    if len(lengths) == 1:
        return f"({lengths[0]},)"
    return f"({', '.join(lengths)})"
