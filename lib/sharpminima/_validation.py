"""What every module asks of its arguments, said once and in the same words."""

import numpy as np
from autograd.extend import Box


def as_real(name, value, *, shape=None, what="an array"):
    """Return `value` as a float64 array of finite numbers, or raise ValueError naming `name`.

    Integers up to 2**53 and Python floats convert without loss; float32, complex and objects do not
    and are refused. `shape` may hold None where any length will do. A value that autograd is
    differentiating has its shape checked only.
    """
    array = value if isinstance(value, Box) else _as_numbers(name, value, what)
    if shape is not None and not _fits(array.shape, shape):
        wanted = (
            "("
            + ", ".join("any" if n is None else str(n) for n in shape)
            + ("," if len(shape) == 1 else "")
            + ")"
        )
        raise ValueError(f"{name} must be {what} of shape {wanted}, got shape {array.shape}")
    if not isinstance(array, Box) and not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite, got {np.count_nonzero(~np.isfinite(array))} NaN or infinite"
            " entries"
        )
    return array


def as_vector(name, value, size=None):
    """Return `value` as a float64 vector, of length `size` where one is given."""
    return as_real(name, value, shape=(size,), what="a vector")


def refuse_tracing(name, value):
    """Raise ValueError if autograd is differentiating `value`, where it could not follow."""
    if isinstance(value, Box):
        raise ValueError(
            f"{name} must be numbers here: autograd can follow gradient, hessian and jacobian only,"
            f" got {type(value).__name__}"
        )


def as_positive(name, value):
    """Return `value` as a float greater than zero."""
    number = as_real(name, value, shape=(), what="a number")
    if not number > 0:
        raise ValueError(f"{name} must be positive, got {number}")
    return float(number)


def as_count(name, value, *, least=1):
    """Return `value` as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
    return int(value)


def as_generator(rng):
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
        raise ValueError(
            f"{name} must be {what} of float64 numbers, got rows of unequal lengths"
        ) from error
    if array.dtype.kind not in "iuf" or (array.dtype.kind == "f" and array.dtype != np.float64):
        raise ValueError(f"{name} must be {what} of float64 numbers, got dtype {array.dtype}")
    if array.dtype.kind in "iu" and array.size and max(-int(array.min()), int(array.max())) > 2**53:
        raise ValueError(f"{name} must be {what} of float64 numbers, got integers beyond 2**53")
    return array.astype(np.float64, copy=False)


def _fits(shape, wanted):
    return len(shape) == len(wanted) and all(
        w in (None, n) for n, w in zip(shape, wanted, strict=True)
    )
