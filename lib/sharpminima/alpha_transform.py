"""The alpha-scale transformation of a rectified network and its relatives (Dinh et al. 2017,
definition 5, appendix B).

The rectifier is non-negatively homogeneous, relu(a z) = a relu(z) for a >= 0. A positive factor put
into one layer can therefore be taken out of a later one, and every output stays what it was.
Nothing here knows a loss.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ._validation import Array, as_real
from .networks import Layer, Params, as_biases, as_params, as_widths, layer_sizes, widths_of

# Smaller numbers have fewer digits, and the reciprocals of some are infinite; larger ones are.
TINY, HUGE = np.finfo(float).tiny, np.finfo(float).max


def alpha_scale(params: Params, alphas: ArrayLike) -> Params:
    """Return the parameters with layer k's weight multiplied by alphas[k-1]: T_alpha, definition 5
    for K layers.

    The bias of layer k is multiplied by alphas[0] ... alphas[k-1] (appendix B), the output bias by
    1. Raises ValueError unless the K numbers `alphas` are positive with product 1 (to 1e-12 a
    layer), and where they make numbers that float64 does not hold. Each parameter is rounded once:
    alphas that are powers of two lose no digit.

    >>> hidden, output = alpha_scale((Layer(np.ones((2, 3))), Layer(np.ones((3, 1)))), (4, 1 / 4))
    >>> hidden.weight[0], output.weight[:, 0]
    (array([4., 4., 4.]), array([0.25, 0.25, 0.25]))
    """
    params = as_params(params)
    alphas = as_alphas(alphas, len(params))
    scaled = []
    for layer, alpha, factor in zip(params, alphas, bias_factors(alphas), strict=True):
        bias = None if layer.bias is None else layer.bias * factor
        scaled.append(Layer(layer.weight * alpha, bias))
    return _as_finite_params("alphas", scaled)


def alpha_diagonal(
    widths: Iterable[int], alphas: ArrayLike, *, bias: bool | Sequence[bool] = False
) -> Array:
    """Return the diagonal d (n,) of T_alpha as a linear map: theta' = d * theta.

    The chain rule gives gradient' = gradient / d and H' = H / outer(d, d) (theorem 3; the paper's
    D_alpha is 1 / d). Raises as `alpha_scale` does.
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    alphas = as_alphas(alphas, len(widths) - 1)
    parts = []
    for (d_in, d_out), has_bias, alpha, factor in zip(
        pairwise(widths), biases, alphas, bias_factors(alphas), strict=True
    ):
        parts.append(np.full(d_in * d_out, alpha))
        if has_bias:
            parts.append(np.full(d_out, factor))
    return np.concatenate(parts)


def alpha_log_determinant(
    widths: Iterable[int], alphas: ArrayLike, *, bias: bool | Sequence[bool] = False
) -> float:
    """Return log det of T_alpha's derivative, the logarithm of the factor that volumes get.

    Without biases it is the sum of n_k log alpha_k; with two layers, (n_1 - n_2) log alpha. The
    determinant itself overflows for networks of any size.
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    logs = np.log(as_alphas(alphas, len(widths) - 1))
    log_det = np.dot(layer_sizes(widths), logs)
    if any(biases):
        n_biases = np.multiply(widths[1:-1], biases[:-1])
        log_det += np.dot(n_biases, np.cumsum(logs[:-1]))
    return float(log_det)


def node_scale(params: Params, scales: Iterable[ArrayLike]) -> Params:
    """Return the parameters with hidden unit j of layer k scaled by scales[k-1][j], and unscaled in
    the layer after.

    What enters the unit (its column and bias) is multiplied, what leaves it (its row in the next
    weight) divided. Raises ValueError unless `scales` has one positive vector (d_k,) per hidden
    layer.
    """
    params = as_params(params)
    factors = _unit_factors(widths_of(params), scales)
    scaled = []
    for layer, (before, after) in zip(params, pairwise(factors), strict=True):
        weight = layer.weight / before[:, None] * after
        scaled.append(Layer(weight, None if layer.bias is None else layer.bias * after))
    return _as_finite_params("scales", scaled)


def node_diagonal(
    widths: Iterable[int], scales: Iterable[ArrayLike], *, bias: bool | Sequence[bool] = False
) -> Array:
    """Return the diagonal d (n,) of `node_scale` as a linear map: theta' = d * theta. Raises as
    `node_scale` does.
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    factors = pairwise(_unit_factors(widths, scales))
    parts = []
    for (before, after), has_bias in zip(factors, biases, strict=True):
        parts.append(np.outer(1 / before, after).ravel())
        if has_bias:
            parts.append(after)
    return np.concatenate(parts)


def _as_finite_params(name, layers):
    """Return scaled layers, or raise ValueError where the factors made numbers that float64 has
    not.
    """
    for layer in layers:
        # Compared, for np.isfinite takes nothing that autograd traces.
        if not all((abs(part) <= HUGE).all() for part in layer if part is not None):
            raise ValueError(
                f"{name} must leave params finite, got factors that make numbers beyond {HUGE:.2g}"
            )
    return tuple(layers)


def as_alphas(alphas: ArrayLike, n_layers: int) -> Array:
    """Return `alphas` as K positive numbers with product 1."""
    alphas = as_real("alphas", alphas, shape=(n_layers,), what="a vector, one number a layer,")
    if (alphas <= 0).any() or abs(np.log(alphas).sum()) > 1e-12 * n_layers:
        raise ValueError(f"alphas must be positive with product 1, got {alphas}")
    return alphas


def as_scales(scales: Iterable[ArrayLike], widths: tuple[int, ...]) -> list[Array]:
    """Return `scales` as one positive vector per hidden layer."""
    scales = list(scales) if np.iterable(scales) else [scales]
    if len(scales) != len(widths) - 2:
        raise ValueError(
            f"scales must hold {len(widths) - 2} vectors, one per hidden layer, got {len(scales)}"
        )
    checked = []
    for k, (scale, d) in enumerate(zip(scales, widths[1:-1], strict=True)):
        scale = as_real(f"scales[{k}]", scale, shape=(d,), what="a vector")
        if (scale < TINY).any():
            raise ValueError(f"scales[{k}] must be positive, got {scale}; {TINY:.2g} is the least")
        checked.append(scale)
    return checked


def _unit_factors(widths, scales):
    """Return the factors of all units, layer by layer from the inputs to the outputs, whose factors
    are 1.
    """
    return [np.ones(widths[0]), *as_scales(scales, widths), np.ones(widths[-1])]


def bias_factors(alphas: Array) -> Array:
    """Return the factors by which T_alpha multiplies the biases: alphas[0], alphas[0] alphas[1],
    ..., and exactly 1 for the output.
    """
    return np.append(np.cumprod(alphas[:-1]), 1.0)
