"""Exact first and second derivatives of a loss, and what is read off a Hessian (Dinh et al. 2017,
section 4.2).

A loss is any function of a float64 vector that is written with `autograd.numpy`. A loss may bring
exact derivatives of its own, `hessian(theta)`, `hvp_at(theta)`, `hessian_diagonal(theta)`,
`jacobian(theta)`, `gauss_newton(theta)`; they are then used. A `NetworkLoss` brings them all, made
of matrix products. A subclass that computes another value does not inherit them.
"""

import math
import warnings
from contextlib import contextmanager

import autograd
import numpy as np
import psutil
import scipy.sparse.linalg
import scipy.special
from autograd.extend import Box
from autograd.tracer import getval

from . import structured
from ._validation import as_real, as_vector, refuse_tracing
from .losses import NetworkLoss
from .spectra import as_symmetric

METHODS = ("auto", "autograd", "structured")
VALUE = (
    "__call__",
    "criterion_value",
    "outputs",
    "layers",
)  # what a NetworkLoss computes its value with


def gradient(loss, theta):
    """Return the gradient (n,) of `loss` at `theta` (n,).

    Raises ValueError for a theta that is no finite float64 vector, a loss that is not a finite
    float64 number there or has no finite derivative, or a loss that autograd cannot follow.

    >>> gradient(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([6., 9.])
    """
    theta = as_vector("theta", theta)
    check_value(loss, theta)
    with _what_autograd_needs():
        return _finite("gradient", autograd.grad(loss)(theta))


def hvp(loss, theta, v):
    """Return the Hessian-vector product H v (n,) without forming H. Raises as `gradient`.

    By the R-operator for a `NetworkLoss`, else by autograd as the derivative of <gradient, v>. For
    many products at one point take a `hessian_operator`.
    """
    theta = as_vector("theta", theta)
    v = as_vector("v", v, len(theta))
    return hessian_operator(loss, theta) @ v


def hessian_operator(loss, theta):
    """Return the Hessian as a SciPy LinearOperator (n, n): it multiplies vectors and never forms
    the matrix. Raises as `gradient`.

    >>> hessian_operator(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0]) @ [1.0, 0.0]
    array([2., 6.])
    """
    refuse_tracing("theta", theta)
    theta = as_vector(
        "theta", theta
    ).copy()  # the products belong to this theta, whatever becomes of the caller's array
    check_value(loss, theta)
    own = _own(loss, "hvp_at")
    if own is not None:
        product = own(theta)
    else:
        with _what_autograd_needs(), warnings.catch_warnings():
            # Where the gradient is constant, autograd warns that it does not depend on theta; here
            # that is an answer.
            warnings.filterwarnings("ignore", "Output seems independent of input", UserWarning)
            product = autograd.make_hvp(loss)(theta)[0]

    def matvec(v):
        return _finite("Hessian-vector product", product(as_vector("v", np.ravel(v), len(theta))))

    return scipy.sparse.linalg.LinearOperator(
        (len(theta),) * 2, matvec=matvec, rmatvec=matvec, dtype=float
    )


def hessian(loss, theta, *, method="auto", out=None):
    """Return the exact Hessian (n, n) of `loss` at `theta` (n,), symmetric to the last bit.

    `method="autograd"` differentiates the gradient row by row; `"structured"` asks the loss for its
    own, which a `NetworkLoss` makes of matrix products, many times faster; `"auto"` prefers the
    latter. At a kink the derivative relu'(0) = 0 is taken: ask `kinks`. `out`, a float64 array (n,
    n), spares repeated calls the time that fresh memory takes.

    Raises ValueError as `gradient` does, for an unknown method, for "structured" without a
    `loss.hessian`, for one that is no symmetric (n, n) matrix and for an `out` that cannot hold it;
    MemoryError, before anything is allocated, if the matrix would not fit.

    >>> hessian(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([[2., 6.],
           [6., 0.]])
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    theta = as_vector("theta", theta)
    own = _own(loss, "hessian", theta) if method != "autograd" else None
    if method == "structured" and own is None:
        raise ValueError(
            f"method 'structured' needs a loss with a hessian(theta) of its own, got {loss!r}; use"
            " 'autograd'"
        )
    out = _as_buffer(out, len(theta))
    if own is not None:
        with structured.one_blas_thread():
            check_value(loss, theta)
        return _own_matrix(loss, "hessian", theta, out)
    check_value(loss, theta)
    with _what_autograd_needs():
        H = _finite("Hessian", autograd.hessian(loss)(theta))
    return np.divide(H + H.T, 2, out=out)


def hessian_diagonal(loss, theta):
    """Return the diagonal (n,) of the Hessian; its sum is the trace. Raises as `gradient`.

    A `NetworkLoss` has it without forming H, exactly: the output is linear in every single weight
    as long as no unit switches, so that H and the Gauss-Newton matrix have one diagonal. For other
    losses it is read off `hessian`.
    """
    theta = as_vector("theta", theta)
    refuse_tracing("theta", theta)
    own = _own(loss, "hessian_diagonal")
    if own is None:
        return np.diag(hessian(loss, theta)).copy()
    check_value(loss, theta)
    return _finite("Hessian diagonal", own(theta))


def jacobian(loss, theta):
    """Return the derivative (N, C, n) of the outputs of every sample with respect to `theta` (n,).

    `loss` must have `.outputs(theta)` (N, C). Raises ValueError when it has none, MemoryError when
    the result would not fit.
    """
    theta = as_vector("theta", theta)
    if not hasattr(loss, "outputs"):
        raise ValueError(f"loss must have outputs(theta) to have a Jacobian, got {loss!r}")
    _refuse_what_will_not_fit("Jacobian", (*np.shape(loss.outputs(theta)), len(theta)))
    own = _own(loss, "jacobian", theta)
    if own is not None:
        return _finite("Jacobian", own(theta))
    with _what_autograd_needs():
        return _finite("Jacobian", autograd.jacobian(loss.outputs)(theta))


def gauss_newton(loss, theta, *, out=None):
    """Return the Gauss-Newton matrix J' A J / N (n, n): J is the `jacobian`, A the criterion's
    Hessian in the outputs.

    For cross-entropy A = diag(p) - p p' and this is the Fisher information matrix; for squared
    error A is the identity. `loss` is a `NetworkLoss`, or has `.outputs` and `.criterion` like one;
    ValueError for another criterion. `out` and MemoryError are as for `hessian`.
    """
    refuse_tracing("theta", theta)
    criterion = getattr(loss, "criterion", None)
    if criterion not in ("squared_error", "cross_entropy"):
        raise ValueError(
            f"loss.criterion must be squared_error or cross_entropy, got {criterion!r}"
        )
    theta = as_vector("theta", theta)
    out = _as_buffer(out, len(theta))
    check_value(loss, theta)
    if _own(loss, "gauss_newton") is not None:
        return _own_matrix(loss, "gauss_newton", theta, out)
    J = jacobian(loss, theta)
    if criterion == "cross_entropy":
        # With s = sqrt(p) and B = diag(s) - s p', A = B'B because the p sum to 1: symmetric and
        # positive by construction.
        log_p = scipy.special.log_softmax(loss.outputs(theta), axis=1)
        p, s = np.exp(log_p), np.exp(log_p / 2)
        J = s[..., None] * (J - np.einsum("nc,nci->ni", p, J)[:, None, :])
    R = J.reshape(-1, J.shape[-1])
    return np.divide(R.T @ R, len(J), out=out)


def check_value(loss, theta):
    """Return L(theta), which has to be a finite float64 number."""
    value = getval(loss(theta))
    if np.ndim(value) != 0:
        raise ValueError(f"loss must return a number, got an array of shape {np.shape(value)}")
    if np.asarray(value).dtype != np.float64:
        raise ValueError(f"loss must return a float64 number, got {value!r}")
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite at theta, got {value}")
    return value


def _own(loss, name, theta=None):
    """Return the loss's own derivative `name`, or None where it has none that holds: autograd then
    differentiates the value.

    So it does in a subclass of `NetworkLoss` that computes another value and inherits the
    derivative of the old one, and at a theta that autograd is already following.
    """
    outdated = (
        isinstance(loss, NetworkLoss)
        and _inherited(loss, name)
        and not all(_inherited(loss, part) for part in VALUE)
    )
    return None if outdated or isinstance(theta, Box) else getattr(loss, name, None)


def _inherited(loss, name):
    """Return whether the loss's method `name` is that of `NetworkLoss`."""
    return getattr(getattr(loss, name), "__func__", None) is getattr(NetworkLoss, name)


def _own_matrix(loss, name, theta, out):
    """Return what the loss's own method `name` gives, as a matrix (n, n) that is symmetric to the
    last bit.
    """
    if _inherited(loss, name):
        return getattr(loss, name)(theta, out=out)
    H = as_symmetric(
        as_real(
            f"loss.{name}(theta)",
            getattr(loss, name)(theta),
            shape=(len(theta),) * 2,
            what="a matrix",
        )
    )
    return np.divide(H + H.T, 2, out=out)


def _as_buffer(out, n):
    """Return `out` if it can hold an (n, n) matrix; without one make sure that there is memory for
    it.
    """
    if out is None:
        _refuse_what_will_not_fit("matrix", (n, n))
    elif not (
        isinstance(out, np.ndarray)
        and out.shape == (n, n)
        and out.dtype == np.float64
        and out.flags.carray
    ):
        got = (
            f"{out.dtype} of shape {out.shape}"
            if isinstance(out, np.ndarray)
            else type(out).__name__
        )
        raise ValueError(
            f"out must be a writeable, contiguous float64 array of shape ({n}, {n}), got {got}"
        )
    return out


def _refuse_what_will_not_fit(what, shape):
    size, free = 8 * math.prod(shape), psutil.virtual_memory().available
    if size > free:
        order = " x ".join(f"{n:,}" for n in shape)
        way_out = "a hessian_operator, leading_eigenvalues and hessian_diagonal do without it"
        raise MemoryError(
            f"a {what} of {order} takes {size / 2**30:,.1f} GiB, and {free / 2**30:,.1f} GiB are"
            f" free; {way_out}"
        )


def _finite(what, derivative):
    if not np.isfinite(getval(derivative)).all():
        raise ValueError(
            f"loss must have finite derivatives at theta, got a {what} with NaN or infinite entries"
        )
    return derivative


@contextmanager
def _what_autograd_needs():
    try:
        yield
    except (TypeError, ValueError) as error:
        if "Box" not in str(error) and "setting an array element" not in str(error):
            raise
        raise ValueError(
            "loss must be written with autograd.numpy (import autograd.numpy as np) to be"
            " differentiated"
        ) from error
