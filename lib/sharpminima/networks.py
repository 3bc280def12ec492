"""Rectified networks, their parameters as one vector, and their losses (Dinh et al. 2017, section
2, definition 3).

Inputs are rows: a layer maps `h` to `h @ weight + bias`, and every layer but the last is followed
by the rectifier.
"""

from itertools import pairwise
from typing import NamedTuple

import autograd.numpy as np
import numpy as onp

from ._validation import as_count, as_generator, as_real, as_vector


class Layer(NamedTuple):
    """One affine layer: `weight` (d_in, d_out) and `bias` (d_out,), or None where there is none."""

    weight: onp.ndarray
    bias: onp.ndarray | None = None


Params = tuple[Layer, ...]


def relu(z):
    """The rectifier max(z, 0), with derivative 0 at 0, and NaN where z is NaN or has overflown to
    -inf.
    """
    return z * (z > 0)


def init_params(widths, *, rng, bias=False):
    """Draw weights from N(0, 2/d_in) (He et al. 2015) and set biases to zero.

    `widths` is (d_0, ..., d_K). Returns K layers. Raises ValueError for widths that are not K + 1
    >= 2 positive integers.
    """
    widths, rng = as_widths(widths), as_generator(rng)
    shapes = pairwise(widths)
    return tuple(
        Layer(
            rng.normal(0.0, onp.sqrt(2 / d_in), (d_in, d_out)), onp.zeros(d_out) if bias else None
        )
        for d_in, d_out in shapes
    )


def pre_activations(params, x, *, activation=relu):
    """Return the K pre-activations, (N, d_1) to (N, d_K); the last one is the network's output."""
    z, h = [], x
    for layer in params:
        z.append(
            np.dot(h, layer.weight) if layer.bias is None else np.dot(h, layer.weight) + layer.bias
        )
        h = activation(z[-1])
    return z


def forward(params, x, *, activation=relu):
    """Return the network's outputs (N, d_K) at the inputs `x` (N, d_0). The output layer is linear.

    Raises ValueError when `x` or a layer has the wrong shape or is not of finite float64 numbers.

    >>> forward((Layer(onp.array([[1.0, -1.0]])), Layer(onp.array([[2.0], [3.0]]))), onp.array([[1.0], [-1.0]]))
    array([[2.],
           [3.]])
    """
    params = as_params(params)
    x = as_real("x", x, shape=(None, len(params[0].weight)), what="an array of inputs, a row each,")
    return pre_activations(params, x, activation=activation)[-1]


def as_params(params):
    """Return `params` as layers of float64 numbers, after checking that they fit onto each
    other.
    """
    layers, width = [], None
    for k, (weight, bias) in enumerate(params, start=1):
        weight = as_real(f"the weight of layer {k}", weight, shape=(width, None), what="a matrix")
        width = weight.shape[1]
        if bias is not None:
            bias = as_real(f"the bias of layer {k}", bias, shape=(width,), what="a vector")
        layers.append(Layer(weight, bias))
    if not layers:
        raise ValueError("params must hold at least one layer, got none")
    return tuple(layers)


def widths_of(params):
    """Return (d_0, ..., d_K) of layers that fit onto each other."""
    return (params[0].weight.shape[0], *(layer.weight.shape[1] for layer in params))


def layer_sizes(widths, *, bias=False):
    """Return (n_1, ..., n_K), the number of parameters of each layer: n_k = dim vec(theta_k), not
    the number of units.
    """
    widths = as_widths(widths)
    return tuple((d_in + bool(bias)) * d_out for d_in, d_out in pairwise(widths))


def ravel(params):
    """Return all parameters as one vector (n,), layer by layer: the weight row by row, then the
    bias.
    """
    return np.concatenate(
        [np.ravel(part) for layer in as_params(params) for part in layer if part is not None]
    )


def unravel(theta, widths, *, bias=False):
    """Return the layers whose `ravel` is `theta` (n,). Raises ValueError when `theta` has another
    length.
    """
    widths = as_widths(widths)
    theta = as_vector("theta", theta, sum(layer_sizes(widths, bias=bias)))
    layers, start = [], 0
    for d_in, d_out in pairwise(widths):
        middle, stop = start + d_in * d_out, start + (d_in + bool(bias)) * d_out
        layers.append(
            Layer(
                np.reshape(theta[start:middle], (d_in, d_out)), theta[middle:stop] if bias else None
            )
        )
        start = stop
    return tuple(layers)


def as_widths(widths):
    """Return `widths` as a tuple of at least two positive integers."""
    widths = tuple(widths) if onp.iterable(widths) else (widths,)
    if len(widths) < 2:
        raise ValueError(f"widths must name at least an input and an output width, got {widths}")
    return tuple(as_count("each of widths", d) for d in widths)
