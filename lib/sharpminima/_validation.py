"""What every module asks of its arguments, said once and in the same words."""

import numpy as np
from autograd.extend import Box
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
LARGEST_EXACT_INTEGER = 2**53


def as_real(
    name: str, value: ArrayLike, *, shape: tuple | None = None, what: str = "an array"
) -> Array:
    """Return `value` as a float64 array of finite numbers, or raise ValueError naming `name`.

    Integers up to 2**53 and Python floats convert without loss. Complex numbers and objects do not,
    and are refused. So is float32, although it converts: results would look as exact as float64,
    and the caller is to say that this is meant. `shape` may hold None where any length will do. Of
    a value that autograd is differentiating, only the shape is checked.
    """
    is_traced = isinstance(value, Box)
    array = value if is_traced else _as_numbers(name, value, what)
    if shape is not None and not _has_shape(array, shape):
        expected = _describe_shape(shape)
        raise ValueError(f"{name} must be {what} of shape {expected}, got shape {array.shape}")
    if not is_traced and not np.isfinite(array).all():
        count = np.count_nonzero(~np.isfinite(array))
        raise ValueError(f"{name} must be finite, got {count} NaN or infinite entries")
    return array


def as_vector(name: str, value: ArrayLike, size: int | None = None) -> Array:
    """Return `value` as a float64 vector, of length `size` where one is given."""
    return as_real(name, value, shape=(size,), what="a vector")


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


def _as_numbers(name, value, what):
    try:
        array = np.asarray(value)
    except ValueError as error:
        way_out = ": sm.ravel makes a vector of layers" if what == "a vector" else ""
        raise ValueError(
            f"{name} must be {what} of float64 numbers, got rows of unequal lengths{way_out}"
        ) from error
    is_integer = array.dtype.kind in "iu"
    if not is_integer and array.dtype != np.float64:
        raise ValueError(
            f"{name} must be {what} of float64 numbers, got {_describe_dtype(value, array.dtype)}"
        )
    if is_integer and array.size:
        largest = max(-int(array.min()), int(array.max()))
        if largest > LARGEST_EXACT_INTEGER:
            raise ValueError(f"{name} must be {what} of float64 numbers, got integers beyond 2**53")
    return array.astype(np.float64, copy=False)


def _describe_dtype(value, dtype):
    """Return a dtype that is refused in words, with the way out where there is one."""
    if dtype.kind == "f":
        return f"dtype {dtype}: .astype(float) converts it"
    if dtype.kind == "O" and not isinstance(value, (list, tuple, np.ndarray)):
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
