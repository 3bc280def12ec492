"""Exact first and second derivatives of a loss (Dinh et al. 2017, section 4.2).

A loss is any function of a float64 vector that is written with `autograd.numpy`. A loss may bring
exact derivatives of its own, which are then used: `losses.KnowingLoss` lists them. A `NetworkLoss`
brings all of them, made of matrix products; a subclass that computes another value does
not inherit them.
"""

import warnings
from contextlib import contextmanager

import autograd
import numpy as np
import scipy.special
from autograd.differential_operators import make_ggnvp, make_jvp_reversemode
from autograd.extend import Box
from autograd.tracer import getval
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ._validation import (
    Array,
    NotFinite,
    as_buffer,
    as_choice,
    as_index,
    as_real,
    as_vector,
    check_function,
    refuse_masked,
    refuse_too_large,
    refuse_tracing,
)
from .criteria import mean_loss
from .losses import (
    Loss,
    as_criterion_mean,
    as_unit_scales,
    closed_form,
    is_structured,
    knows,
)
from .networks import layer_blocks, ravel
from .spectra import as_symmetric

METHODS = ("auto", "autograd", "structured")


def gradient(loss: Loss, theta: ArrayLike) -> Array:
    """Return the gradient (n,) of `loss` at `theta` (n,).

    Raises ValueError for a theta that is no finite float64 vector, a loss that is not a finite
    float64 number there or has no finite derivative, or a loss that autograd cannot follow.

    >>> gradient(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([6., 9.])
    """
    theta = as_vector("theta", theta)
    own = _find_own(loss, "gradient", theta)
    if own is None or not is_structured(loss, "gradient"):
        check_value(loss, theta)
    if own is not None:
        return as_vector("loss.gradient(theta)", own(theta), len(theta))
    with _explaining_autograd():
        return _as_finite("gradient", autograd.grad(loss)(theta))


def hvp(loss: Loss, theta: ArrayLike, v: ArrayLike) -> Array:
    """Return the Hessian-vector product H v (n,) without forming H. Raises as `gradient`.

    By the R-operator for a `NetworkLoss`, else by autograd as the derivative of <gradient, v>. For
    many products at one point take a `hessian_operator`.

    >>> hvp(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0], [1.0, 0.0])
    array([2., 6.])
    """
    theta = as_vector("theta", theta)
    v = as_vector("v", v, len(theta))
    return hessian_operator(loss, theta) @ v


def hessian_operator(loss: Loss, theta: ArrayLike, *, layer: int | None = None) -> LinearOperator:
    """Return the Hessian as a SciPy LinearOperator (n, n): it multiplies vectors and never forms
    the matrix. Raises as `gradient`.

    With a `layer` it is the diagonal block of that layer, as in `hessian`.

    >>> hessian_operator(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0]) @ [1.0, 0.0]
    array([2., 6.])
    """
    return _make_operator("Hessian-vector product", _find_hvp, loss, theta, layer)


def gauss_newton_operator(
    loss: Loss, theta: ArrayLike, *, layer: int | None = None
) -> LinearOperator:
    """Return the matrix of `gauss_newton` as a SciPy LinearOperator (n, n): it multiplies vectors
    and forms neither the matrix nor the Jacobian (Schraudolph 2002). Raises as `gauss_newton`.

    With a `layer` it is the diagonal block of that layer, as in `hessian`.
    """
    return _make_operator("Gauss-Newton product", _find_gauss_newton_product, loss, theta, layer)


def hessian(
    loss: Loss,
    theta: ArrayLike,
    *,
    layer: int | None = None,
    method: str = "auto",
    out: Array | None = None,
) -> Array:
    """Return the exact Hessian (n, n) of `loss` at `theta` (n,), symmetric to the last bit.

    `method="autograd"` differentiates the gradient row by row; `"structured"` asks the loss for its
    own, which a `NetworkLoss` makes of matrix products, many times faster; `"auto"` prefers the
    latter. At a kink the derivative relu'(0) = 0 is taken: ask `kinks`. `out`, a float64 array (n,
    n), spares repeated calls the time that fresh memory takes.

    With a `layer` it is the block (n_k, n_k) of second derivatives in the parameters of that layer
    alone, and nothing else is formed. `layer` is an index of `loss.layers(theta)`: 0 is the layer
    next to the input, -1 the last one.

    Raises ValueError as `gradient` does, for an unknown method, for "structured" without a
    `loss.hessian`, for one that is no symmetric (n, n) matrix, for a layer that is not there and
    for an `out` that cannot hold the result; MemoryError, before anything is allocated, if the
    matrix would not fit.

    >>> hessian(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([[2., 6.],
           [6., 0.]])
    """
    as_choice("method", method, METHODS)
    theta = as_vector("theta", theta)
    if layer is not None:
        return _find_block(loss, theta, layer, "hessian_block", _find_hvp, method, out)
    own = None if method == "autograd" else _find_own(loss, "hessian", theta)
    if method == "structured" and own is None:
        raise ValueError(
            f"method 'structured' needs a loss with a hessian(theta) of its own, got {loss!r}; use"
            " 'autograd'"
        )
    out = as_buffer(out, len(theta))
    if own is not None:
        return _ask_for_matrix(loss, "hessian", theta, out)
    check_value(loss, theta)
    with _explaining_autograd():
        H = _as_finite("Hessian", autograd.hessian(loss)(theta))
    return np.divide(H + H.T, 2, out=out)


def hessian_diagonal(loss: Loss, theta: ArrayLike, *, layer: int | None = None) -> Array:
    """Return the diagonal (n,) of the Hessian; its sum is the trace. Raises as `gradient`.

    A `NetworkLoss` has it without forming H, exactly: the output is linear in every single weight
    as long as no unit switches, so that H and the Gauss-Newton matrix have one diagonal, but for
    weight decay, which is no part of the latter. For other losses it is read off `hessian`. With a
    `layer` it is that layer's part (n_k,), as in `hessian`.

    >>> hessian_diagonal(lambda theta: theta[0] ** 2 * theta[1], [3.0, 1.0])
    array([2., 0.])
    """
    theta = as_vector("theta", theta)
    refuse_tracing("theta", theta)
    own = closed_form(loss, "hessian_diagonal")
    if own is None:
        return np.diag(hessian(loss, theta, layer=layer)).copy()
    place = slice(None) if layer is None else locate_layer(loss, theta, layer)
    if not is_structured(loss, "hessian_diagonal"):
        check_value(loss, theta)
    return _as_finite("Hessian diagonal", own(theta))[place]


def gauss_newton_diagonal(loss: Loss, theta: ArrayLike, *, layer: int | None = None) -> Array:
    """Return the diagonal (n,) of the matrix of `gauss_newton`, and raise as it does.

    A `NetworkLoss` has it without forming the matrix. With a `layer` it is that layer's part.
    """
    theta = as_vector("theta", theta)
    refuse_tracing("theta", theta)
    own = closed_form(loss, "gauss_newton_diagonal")
    if own is None:
        return np.diag(gauss_newton(loss, theta, layer=layer)).copy()
    place = slice(None) if layer is None else locate_layer(loss, theta, layer)
    return _as_finite("Gauss-Newton diagonal", own(theta))[place]


def unit_traces(
    loss: Loss, theta: ArrayLike, layer: int, *, scales: ArrayLike | None = None
) -> Array:
    """Return the traces (d_out, d_out) of the blocks of the Hessian for pairs of units of a layer:
    entry (j, j') is the sum over the inputs i of the second derivative in the weights from i to j
    and from i to j'.

    `layer` is as in `hessian`. With `scales` (d_in,) each term is divided by scales_i^2, as if
    input i were. A `NetworkLoss` forms nothing larger than the result; for other losses it is read
    off the layer's block.
    """
    theta = as_vector("theta", theta)
    refuse_tracing("theta", theta)
    layers = _list_layers(loss, theta)
    layer = as_index("layer", layer, len(layers), "layers")
    d_in, d_out = layers[layer].weight.shape
    if scales is not None:
        scales = as_unit_scales(scales, d_in)
    own = closed_form(loss, "unit_traces")
    if own is not None:
        return _as_finite("trace of a block", own(theta, layer, scales=scales))
    weights = slice(0, d_in * d_out)
    block = hessian(loss, theta, layer=layer)[weights, weights].reshape(d_in, d_out, d_in, d_out)
    shares = np.ones(d_in) if scales is None else 1 / scales**2
    return np.einsum("i,ijik->jk", shares, block)


def locate_layer(loss: Loss, theta: Array, layer: int) -> slice:
    """Return where in `theta` (n,) the parameters of a layer are.

    Raises ValueError for a loss without layers, or with layers that do not hold theta in its order,
    and for an index that is out of range.
    """
    layers = _list_layers(loss, theta)
    sizes = [sum(part.size for part in parts if part is not None) for parts in layers]
    return layer_blocks(sizes)[as_index("layer", layer, len(layers), "layers")]


def jacobian(loss: Loss, theta: ArrayLike) -> Array:
    """Return the derivative (N, C, n) of the outputs of every sample with respect to `theta` (n,).

    `loss` must have `.outputs(theta)` (N, C). Raises ValueError when it has none, MemoryError when
    the result would not fit.
    """
    theta = as_vector("theta", theta)
    if not knows(loss, "outputs"):
        raise ValueError(f"loss must have outputs(theta) to have a Jacobian, got {loss!r}")
    refuse_too_large("Jacobian", (*np.shape(loss.outputs(theta)), len(theta)))
    own = _find_own(loss, "jacobian", theta)
    if own is not None:
        return _as_finite("Jacobian", own(theta))
    with _explaining_autograd():
        return _as_finite("Jacobian", autograd.jacobian(loss.outputs)(theta))


def jvp(loss: Loss, theta: ArrayLike, v: ArrayLike) -> Array:
    """Return J v (N, C), how the outputs move when `theta` (n,) moves along `v` (n,), without
    forming the `jacobian` J. Raises ValueError for a loss without `.outputs`.
    """
    refuse_tracing("theta", theta)
    theta = as_vector("theta", theta)
    v = as_vector("v", v, len(theta))
    if not knows(loss, "outputs"):
        raise ValueError(f"loss must have outputs(theta) to have a Jacobian, got {loss!r}")
    own = closed_form(loss, "jvp_at")
    if own is not None:
        return _as_finite("Jacobian-vector product", own(theta)(v))
    with _explaining_autograd():
        # Reverse mode twice: what others have made differentiable often lacks the forward mode.
        product = make_jvp_reversemode(loss.outputs)(theta)(v)
    return _as_finite("Jacobian-vector product", product)


def gauss_newton(
    loss: Loss,
    theta: ArrayLike,
    *,
    layer: int | None = None,
    out: Array | None = None,
) -> Array:
    """Return the Gauss-Newton matrix J' A J / N (n, n): J is the `jacobian`, A the criterion's
    Hessian in the outputs.

    For cross-entropy A = diag(p) - p p', for the binary one diag(p (1 - p)), and this is the Fisher
    information matrix; for squared error A is the identity. Weight decay is no part of the matrix,
    weights of samples are. `loss` is a `NetworkLoss`, or has `.outputs` and `.criterion` like one;
    ValueError for another criterion, and for another loss whose value is not the criterion's mean,
    unless it brings its own `gauss_newton(theta)`. `layer`, `out` and MemoryError are as
    for `hessian`.
    """
    refuse_tracing("theta", theta)
    if layer is not None:
        theta = as_vector("theta", theta)
        product = _find_gauss_newton_product
        return _find_block(loss, theta, layer, "gauss_newton_block", product, "auto", out)
    has_own = knows(loss, "gauss_newton")
    if not has_own:
        loss = as_criterion_mean(loss)
    theta = as_vector("theta", theta)
    out = as_buffer(out, len(theta))
    if has_own:
        return _ask_for_matrix(loss, "gauss_newton", theta, out)
    check_value(loss, theta)
    J = jacobian(loss, theta)
    if loss.criterion == "cross_entropy":
        # With s = sqrt(p) and B = diag(s) - s p', A = B'B because the p sum to 1: symmetric and
        # positive by construction.
        log_p = scipy.special.log_softmax(loss.outputs(theta), axis=1)
        p = np.exp(log_p)
        s = np.exp(log_p / 2)
        J = s[..., None] * (J - np.einsum("nc,nci->ni", p, J)[:, None, :])
    elif loss.criterion == "binary_cross_entropy":
        outputs = loss.outputs(theta)
        variance = scipy.special.expit(outputs) * scipy.special.expit(-outputs)
        J = np.sqrt(variance)[..., None] * J
    R = J.reshape(-1, J.shape[-1])
    return np.divide(R.T @ R, len(J), out=out)


def check_value(loss: Loss, theta: Array) -> float:
    """Return L(theta), which has to be a finite float64 number."""
    check_function("loss", loss, "a function of a vector")
    value = check_number(_call_without_writing(loss, theta))
    if not np.isfinite(value):
        raise NotFinite(f"loss must be finite at theta, got {value}")
    return value


def _call_without_writing(loss, theta):
    """Return L(theta). Raises ValueError for a loss that writes to theta, which is put right again:
    the next value would be that of another point.
    """
    if isinstance(theta, Box) or not theta.flags.writeable:
        return loss(theta)
    before = theta.copy()
    value = loss(theta)
    if not np.array_equal(before, theta):
        theta[...] = before
        raise ValueError("loss must not write to theta, got one that does: theta = theta.copy()")
    return value


def check_number(value) -> float:
    """Return what a loss has returned, which has to be a float64 number, if not a finite one."""
    value = getval(value)
    refuse_masked("the value of loss", value)
    if np.ndim(value) != 0:
        raise ValueError(f"loss must return a number, got an array of shape {np.shape(value)}")
    if np.asarray(value).dtype != np.float64:
        raise ValueError(f"loss must return a float64 number, got {value!r}")
    return value


def _find_own(loss, name, theta):
    """Return the loss's own derivative, or None where it has none or autograd follows theta."""
    return None if isinstance(theta, Box) else closed_form(loss, name)


def _find_hvp(loss, theta):
    """Return the function v -> H v."""
    if not is_structured(loss, "hvp_at"):
        check_value(loss, theta)
    own = closed_form(loss, "hvp_at")
    if own is not None:
        return own(theta)
    return _find_product_by_autograd(loss, theta)


def _find_product_by_autograd(loss, theta):
    """Return the function v -> H v, as the derivative of <gradient, v>."""
    with _explaining_autograd(), warnings.catch_warnings():
        # Where the gradient is constant, autograd warns that it does not depend on theta; here
        # that is an answer.
        warnings.filterwarnings("ignore", "Output seems independent of input", UserWarning)
        return autograd.make_hvp(loss)(theta)[0]


def _find_gauss_newton_product(loss, theta):
    """Return the function v -> G v, with the Gauss-Newton matrix G."""
    own = closed_form(loss, "gauss_newton_at")
    if own is not None:
        return own(theta)
    if knows(loss, "gauss_newton"):
        return gauss_newton(loss, theta).dot
    loss = as_criterion_mean(loss)
    check_value(loss, theta)

    def evaluate_criterion(outputs):
        # At targets of zero: in them every criterion is linear.
        return mean_loss(loss.criterion, outputs, np.zeros(np.shape(outputs)))

    with _explaining_autograd():
        return make_ggnvp(loss.outputs, evaluate_criterion)(theta)


def _list_layers(loss, theta):
    """Return the layers at theta, if they hold it in its order."""
    if not knows(loss, "layers"):
        raise ValueError(f"loss must have layers(theta) for a layer to be chosen, got {loss!r}")
    layers = loss.layers(theta)
    if not np.array_equal(ravel(layers), theta):
        raise ValueError(
            f"the layers of loss must hold theta in the order of ravel, which those of {loss!r} do"
            " not"
        )
    return layers


def _make_operator(what, find_product, loss, theta, layer):
    """Return a symmetric operator: that of the product v -> A v which `find_product(loss, theta)`
    finds, or its diagonal block of one layer.
    """
    refuse_tracing("theta", theta)
    # A copy, so that the operator stays that of this theta when the caller's array changes.
    theta = as_vector("theta", theta).copy()
    place = slice(0, len(theta)) if layer is None else locate_layer(loss, theta, layer)
    order = place.stop - place.start
    multiply = find_product(loss, theta)

    def matvec(v):
        moved = np.zeros(len(theta))
        moved[place] = as_vector("v", np.ravel(v), order)
        return _as_finite(what, multiply(moved)[place])

    return LinearOperator((order, order), matvec=matvec, rmatvec=matvec, dtype=float)


def _find_block(loss, theta, layer, name, find_product, method, out):
    """Return the diagonal block (n_k, n_k) of one layer: the loss's own, `name`, or a column a
    product.
    """
    refuse_tracing("theta", theta)
    place = locate_layer(loss, theta, layer)
    order = place.stop - place.start
    own = None if method == "autograd" else closed_form(loss, name)
    if method == "structured" and own is None:
        raise ValueError(
            f"method 'structured' needs a loss with a {name}(theta, layer) of its own, got"
            f" {loss!r}; use 'autograd'"
        )
    out = as_buffer(out, order)
    layer = as_index("layer", layer, len(loss.layers(theta)), "layers")
    if own is not None and is_structured(loss, name):
        return own(theta, layer, out=out)
    check_value(loss, theta)
    if own is not None:
        shape = (order, order)
        H = as_real(f"loss.{name}(theta, layer)", own(theta, layer), shape=shape, what="a matrix")
        H = as_symmetric(H)
        return np.divide(H + H.T, 2, out=out)
    if method == "autograd":
        find_product = _find_product_by_autograd
    H = _make_operator("product", find_product, loss, theta, layer) @ np.eye(order)
    return np.divide(H + H.T, 2, out=out)


def _ask_for_matrix(loss, name, theta, out):
    """Return the loss's own matrix `name` (n, n), made symmetric to the last bit."""
    if is_structured(loss, name):  # then it is symmetric, and the loss has been checked
        return getattr(loss, name)(theta, out=out)
    check_value(loss, theta)
    shape = (len(theta), len(theta))
    H = as_real(f"loss.{name}(theta)", getattr(loss, name)(theta), shape=shape, what="a matrix")
    H = as_symmetric(H)
    return np.divide(H + H.T, 2, out=out)


def _as_finite(what, derivative):
    if not np.isfinite(getval(derivative)).all():
        raise NotFinite(
            f"loss must have finite derivatives at theta, got a {what} with NaN or infinite entries"
        )
    return derivative


@contextmanager
def _explaining_autograd():
    """Raise an error that says what to do where autograd cannot follow the loss."""
    try:
        yield
    except (TypeError, ValueError) as error:
        # The last is what PyTorch says when it looks into a value that autograd follows.
        signs = ("Box", "setting an array element", "has no len()")
        if not any(sign in str(error) for sign in signs):
            raise
        raise ValueError(
            "loss must be written with autograd.numpy (import autograd.numpy as np) to be"
            " differentiated, or bring a gradient of its own: sm.TorchLoss and sm.JaxLoss do"
        ) from error
