"""Rectified networks, and their parameters as one vector (Dinh et al. 2017, section 2,
definition 3).

Inputs are rows: a layer maps `h` to `h @ weight + bias`, and every layer but the last is followed
by the rectifier.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import autograd.numpy as np
import numpy as onp
from numpy.typing import ArrayLike

from ._validation import (
    Array,
    as_count,
    as_flag,
    as_generator,
    as_list,
    as_numbers,
    as_real,
    as_vector,
    check_function,
)


class Layer(NamedTuple):
    """One affine layer: `weight` (d_in, d_out) and `bias` (d_out,), or None where there is none."""

    weight: Array
    bias: Array | None = None


Params = tuple[Layer, ...]


def relu(z: Array) -> Array:
    """Return max(z, 0), with derivative 0 at 0; NaN where z is NaN or has overflown to -inf.

    Raises ValueError for what are no float64 numbers.
    """
    return rectify(as_numbers("z", z))


def rectify(z: Array) -> Array:
    """Return what `relu` does, of numbers of any kind: it is the rectifier itself."""
    return z * (z > 0)


def leaky_relu(z: Array, slope: float) -> Array:
    """Return z where z > 0 and slope z elsewhere, with the derivative `slope` at 0, as PyTorch has
    it.
    """
    return z * derive_leaky_relu(z, slope)


def derive_leaky_relu(z: Array, slope: float) -> Array:
    """Return the derivative of `leaky_relu`: 1 where z > 0, `slope` elsewhere."""
    return onp.where(z > 0, 1.0, slope)


def init_params(
    widths: Iterable[int], *, rng: onp.random.Generator, bias: bool | Sequence[bool] = False
) -> Params:
    """Draw weights from N(0, 2/d_in) (He et al. 2015) and set biases to zero.

    `widths` is (d_0, ..., d_K), `bias` one answer for all layers or one for each. Returns K layers.
    Raises ValueError for widths that are not K + 1 >= 2 positive integers.
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    rng = as_generator(rng)
    layers = []
    for (d_in, d_out), has_bias in zip(pairwise(widths), biases, strict=True):
        weight = rng.normal(0.0, onp.sqrt(2 / d_in), (d_in, d_out))
        layers.append(Layer(weight, onp.zeros(d_out) if has_bias else None))
    return tuple(layers)


def apply_layer(h: Array, layer: Layer) -> Array:
    """Return the pre-activations h @ weight + bias (N, d_out) of the inputs `h` (N, d_in)."""
    z = np.dot(h, layer.weight)
    return z if layer.bias is None else z + layer.bias


def pre_activations(
    params: Params, x: Array, *, activation: Callable[[Array], Array] = relu
) -> list[Array]:
    """Return the K pre-activations, (N, d_1) to (N, d_K); the last one is the network's output."""
    z = []
    h = x
    for layer in params:
        z.append(apply_layer(h, layer))
        h = activation(z[-1])
    return z


def forward(params: Params, x: ArrayLike, *, activation: Callable[[Array], Array] = relu) -> Array:
    """Return the network's outputs (N, d_K) at the inputs `x` (N, d_0). The output layer is linear.

    Raises ValueError when `x` or a layer has the wrong shape or is not of finite float64 numbers.

    >>> params = (Layer(onp.array([[1.0, -1.0]])), Layer(onp.array([[2.0], [3.0]])))
    >>> forward(params, onp.array([[1.0], [-1.0]]))
    array([[2.],
           [3.]])
    """
    check_function("activation", activation, "a function of an array")
    params = as_params(params)
    x = as_real("x", x, shape=(None, len(params[0].weight)), what="an array of inputs, a row each,")
    return pre_activations(params, x, activation=activation)[-1]


def as_params(params: Iterable) -> Params:
    """Return `params` as layers of numbers that fit onto each other, or raise ValueError."""
    layers = []
    width = None
    for k, layer in enumerate(as_list("params", params, "layers"), start=1):
        weight, bias = _as_layer(layer, k)
        weight = as_real(f"the weight of layer {k}", weight, shape=(width, None), what="a matrix")
        width = weight.shape[1]
        if bias is not None:
            bias = as_real(f"the bias of layer {k}", bias, shape=(width,), what="a vector")
        layers.append(Layer(weight, bias))
    if not layers:
        raise ValueError("params must hold at least one layer, got none")
    return tuple(layers)


def _as_layer(layer, k):
    """Return the weight and the bias of layer k, or raise ValueError for what has none."""
    is_pair = isinstance(layer, (tuple, list)) and len(layer) == 2
    if not is_pair:
        raise ValueError(
            "params must hold layers, sm.Layer(weight) or sm.Layer(weight, bias), got"
            f" {type(layer).__name__} as layer {k}"
        )
    return layer


def widths_of(params: Params) -> tuple[int, ...]:
    """Return (d_0, ..., d_K) of layers that fit onto each other."""
    return (params[0].weight.shape[0], *(layer.weight.shape[1] for layer in params))


def layer_sizes(widths: Iterable[int], *, bias: bool | Sequence[bool] = False) -> tuple[int, ...]:
    """Return (n_1, ..., n_K), the number of parameters of each layer.

    That is n_k = dim vec(theta_k), not the number of units. `bias` is one answer for all layers or
    one for each.

    >>> layer_sizes((2, 3, 1), bias=(True, False))
    (9, 3)
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    sizes = []
    for (d_in, d_out), has_bias in zip(pairwise(widths), biases, strict=True):
        sizes.append((d_in + has_bias) * d_out)
    return tuple(sizes)


def layer_blocks(sizes: Iterable[int]) -> tuple[slice, ...]:
    """Return a slice for each layer: where its parameters are in the vector of all of them.

    >>> layer_blocks((6, 3))
    (slice(0, 6, None), slice(6, 9, None))
    """
    return tuple(slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True))


def ravel(params: Params) -> Array:
    """Return all parameters as one vector (n,), layer by layer: the weight row by row, then the
    bias.

    >>> ravel((Layer(onp.array([[1.0, 2.0], [3.0, 4.0]]), onp.array([5.0, 6.0])),))
    array([1., 2., 3., 4., 5., 6.])
    """
    parts = [part for layer in as_params(params) for part in layer if part is not None]
    return np.concatenate([np.ravel(part) for part in parts])


def unravel(
    theta: ArrayLike, widths: Iterable[int], *, bias: bool | Sequence[bool] = False
) -> Params:
    """Return the layers whose `ravel` is `theta` (n,). `bias` is one answer for all layers or one
    for each.

    Raises ValueError when `theta` has another length.

    >>> unravel([1.0, 2.0, 3.0, 4.0], (1, 2, 1))
    (Layer(weight=array([[1., 2.]]), bias=None), Layer(weight=array([[3.],
           [4.]]), bias=None))
    """
    widths = as_widths(widths)
    biases = as_biases(bias, len(widths) - 1)
    theta = as_vector("theta", theta, sum(layer_sizes(widths, bias=biases)))
    return split_layers(theta, widths, biases)


def split_layers(theta: Array, widths: tuple[int, ...], biases: tuple[bool, ...]) -> Params:
    """Return what `unravel` does, for a theta, widths and biases that have been checked."""
    layers = []
    start = 0
    for (d_in, d_out), has_bias in zip(pairwise(widths), biases, strict=True):
        middle = start + d_in * d_out
        stop = middle + d_out if has_bias else middle
        weight = np.reshape(theta[start:middle], (d_in, d_out))
        layers.append(Layer(weight, theta[middle:stop] if has_bias else None))
        start = stop
    return tuple(layers)


def as_biases(bias: bool | Sequence[bool], n_layers: int) -> tuple[bool, ...]:
    """Return whether each of the layers has a bias: `bias` is one answer for all or one for each.

    >>> as_biases(True, 2)
    (True, True)
    """
    if not onp.iterable(bias):
        return (as_flag("bias", bias),) * n_layers
    biases = tuple(bias)
    if len(biases) != n_layers or not all(isinstance(b, (bool, onp.bool_)) for b in biases):
        raise ValueError(
            f"bias must be True or False, or {n_layers} of them, one a layer, got {bias!r}"
        )
    return tuple(bool(b) for b in biases)


def as_widths(widths) -> tuple[int, ...]:
    """Return `widths` as a tuple of at least two positive integers, or raise ValueError."""
    widths = tuple(as_list("widths", widths, "integers")) if onp.iterable(widths) else (widths,)
    if len(widths) < 2:
        raise ValueError(f"widths must name at least an input and an output width, got {widths}")
    return tuple(as_count("each of widths", d) for d in widths)
