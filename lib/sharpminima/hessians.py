"""Exact first and second derivatives of a loss, and what is read off a Hessian (Dinh et al. 2017, section 4.2).

A loss is any function of a float64 vector that is written with `autograd.numpy`. A loss may bring an exact
`hessian(theta)` of its own; `hessian` then uses it.
"""

from contextlib import contextmanager

import autograd
import numpy as np
import scipy.linalg
import scipy.special
from autograd.tracer import getval

from ._validation import as_count, as_real, as_vector

METHODS = ("auto", "autograd", "structured")


def gradient(loss, theta):
    """Return the gradient (n,) of `loss` at `theta` (n,).

    Raises ValueError for a theta that is no finite float64 vector, a loss that is not a finite float64 number there or
    has no finite derivative, or a loss that autograd cannot follow.

    >>> gradient(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([6., 9.])
    """
    theta = as_vector("theta", theta)
    _check_value(loss, theta)
    with _what_autograd_needs():
        return _finite("gradient", autograd.grad(loss)(theta))


def hvp(loss, theta, v):
    """Return the Hessian-vector product H v (n,) without forming H: the derivative of <gradient, v>. Raises as `gradient`."""
    theta = as_vector("theta", theta)
    v = as_vector("v", v, len(theta))
    _check_value(loss, theta)
    with _what_autograd_needs():
        return _finite("Hessian-vector product", autograd.make_hvp(loss)(theta)[0](v))


def hessian(loss, theta, *, method="auto"):
    """Return the exact Hessian (n, n) of `loss` at `theta` (n,), symmetric to the last bit.

    `method="autograd"` differentiates the gradient row by row; `"structured"` calls the loss's own `hessian`; `"auto"`
    prefers the latter where there is one. At a kink the derivative relu'(0) = 0 is taken: ask `kinks`.

    Raises ValueError as `gradient` does, for an unknown method, for "structured" without a `loss.hessian`, and for one
    that is no symmetric (n, n) matrix.

    >>> hessian(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([[2., 6.],
           [6., 0.]])
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    own = getattr(loss, "hessian", None)
    if method == "structured" and own is None:
        raise ValueError(f"method 'structured' needs a loss with a hessian(theta) of its own, got {loss!r}; use 'autograd'")
    theta = as_vector("theta", theta)
    _check_value(loss, theta)
    if method == "autograd" or own is None:
        with _what_autograd_needs():
            H = _finite("Hessian", autograd.hessian(loss)(theta))
    else:
        H = as_symmetric(as_real("loss.hessian(theta)", own(theta), shape=(len(theta),) * 2, what="a matrix"))
    return (H + H.T) / 2


def jacobian(loss, theta):
    """Return the derivative (N, C, n) of the outputs of every sample with respect to `theta` (n,).

    `loss` must have `.outputs(theta)` (N, C). Raises ValueError when it has none.
    """
    theta = as_vector("theta", theta)
    if not hasattr(loss, "outputs"):
        raise ValueError(f"loss must have outputs(theta) to have a Jacobian, got {loss!r}")
    with _what_autograd_needs():
        return _finite("Jacobian", autograd.jacobian(loss.outputs)(theta))


def gauss_newton(loss, theta):
    """Return the Gauss-Newton matrix J' A J / N (n, n): J is the `jacobian`, A the criterion's Hessian in the outputs.

    For cross-entropy A = diag(p) - p p' and this is the Fisher information matrix; for squared error A is the identity.
    `loss` is a `NetworkLoss`, or has `.outputs` and `.criterion` like one; ValueError for another criterion.
    """
    criterion = getattr(loss, "criterion", None)
    if criterion not in ("squared_error", "cross_entropy"):
        raise ValueError(f"loss.criterion must be squared_error or cross_entropy, got {criterion!r}")
    J = jacobian(loss, theta)
    if criterion == "cross_entropy":
        # With s = sqrt(p) and B = diag(s) - s p', A = B'B because the p sum to 1: symmetric and positive by construction.
        log_p = scipy.special.log_softmax(loss.outputs(theta), axis=1)
        p, s = np.exp(log_p), np.exp(log_p / 2)
        J = s[..., None] * (J - np.einsum("nc,nci->ni", p, J)[:, None, :])
    R = J.reshape(-1, J.shape[-1])
    return R.T @ R / len(J)


def eigenvalues(H):
    """Return the eigenvalues (n,) of a symmetric matrix `H` (n, n), largest first. Raises ValueError unless it is symmetric."""
    return scipy.linalg.eigvalsh(as_symmetric(H))[::-1]


def spectral_norm(H):
    """Return the largest |eigenvalue| of a symmetric matrix `H` (n, n): the sharpest direction's curvature at a minimum."""
    H = as_symmetric(H)
    n = len(H)
    low, high = (scipy.linalg.eigvalsh(H, subset_by_index=[k, k])[0] for k in (0, n - 1))
    return float(max(high, -low))


def trace(H):
    """Return the sum of the eigenvalues of a symmetric matrix `H` (n, n), from its diagonal."""
    return float(np.trace(as_symmetric(H)))


def balance(H, sizes):
    """Return S H S and the diagonal s (n,) of S that makes the layers' diagonal blocks equally large.

    `sizes` are the blocks' sizes, as in `NetworkLoss.sizes`. Each block is divided by its mean |diagonal entry|, a block
    with a zero diagonal is left as it is. Every alpha-scaled twin of a network has the same balanced Hessian, so what is
    read off it does not depend on the twin. T_alpha gives a layer's bias another factor than its weight: with biases,
    `sizes` must count each as a block of its own.
    """
    H = as_symmetric(H)
    sizes = tuple(as_count("each of sizes", n) for n in sizes)
    if sum(sizes) != len(H):
        raise ValueError(f"sizes must be positive and sum to the order of H, {len(H)}, got {sizes}")
    means = [np.abs(block).mean() for block in np.split(np.diag(H), np.cumsum(sizes)[:-1])]
    s = np.repeat([1 / np.sqrt(m) if m > 0 else 1.0 for m in means], sizes)
    return H * np.outer(s, s), s


def inertia(H, *, sizes=None, rtol=None):
    """Return the number of positive, negative and zero eigenvalues of a symmetric matrix `H` (n, n).

    By Sylvester's law a congruence S H S' keeps all three, but rounding does not: eigenvalues that differ by a factor of
    1e16 cannot be told from zero. With the layers' `sizes` they are therefore counted on the balanced matrix. An
    eigenvalue counts as zero below `rtol` (n times the machine epsilon by default) times the largest.
    """
    H = as_symmetric(H)
    spectrum = eigenvalues(H if sizes is None else balance(H, sizes)[0])
    rtol = len(H) * np.finfo(float).eps if rtol is None else rtol
    if not 0 <= rtol < 1:
        raise ValueError(f"rtol must be at least 0 and less than 1, got {rtol}")
    zero = rtol * np.abs(spectrum).max()
    n_positive, n_negative = int((spectrum > zero).sum()), int((spectrum < -zero).sum())
    return n_positive, n_negative, len(H) - n_positive - n_negative


def numerical_rank(H, *, sizes=None, rtol=None):
    """Return the number of eigenvalues of a symmetric matrix that are not zero; arguments as for `inertia`."""
    n_positive, n_negative, _ = inertia(H, sizes=sizes, rtol=rtol)
    return n_positive + n_negative


def as_symmetric(H):
    """Return `H` as a float64 matrix that equals its transpose up to rounding."""
    H = as_real("H", H, shape=(None, None), what="a matrix")
    if H.shape[0] != H.shape[1] or len(H) == 0:
        raise ValueError(f"H must be square, got shape {H.shape}")
    gap = np.abs(H - H.T).max()
    if gap > 1e-10 * np.abs(H).max():
        raise ValueError(f"H must be symmetric, got entries that differ from their mirror images by {gap:.2g}")
    return H


def _check_value(loss, theta):
    value = getval(loss(theta))
    if np.ndim(value) != 0:
        raise ValueError(f"loss must return a number, got an array of shape {np.shape(value)}")
    if np.asarray(value).dtype != np.float64:
        raise ValueError(f"loss must return a float64 number, got {value!r}")
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite at theta, got {value}")


def _finite(what, derivative):
    if not np.isfinite(getval(derivative)).all():
        raise ValueError(f"loss must have finite derivatives at theta, got a {what} with NaN or infinite entries")
    return derivative


@contextmanager
def _what_autograd_needs():
    try:
        yield
    except (TypeError, ValueError) as error:
        if "Box" not in str(error) and "setting an array element" not in str(error):
            raise
        raise ValueError("loss must be written with autograd.numpy (import autograd.numpy as np) to be differentiated") from error
