"""What measures of several topics do with a point's layers."""

from ..networks import Layer
from ..points import Undefined


def map_layers(layers, of_weight, of_bias):
    """Return the layers with a function applied to each weight, and one to each bias."""
    mapped = []
    for weight, bias in layers:
        if bias is not None:
            bias = of_bias(bias)
        mapped.append(Layer(of_weight(weight), bias))
    return tuple(mapped)


def refuse_biases(point):
    """Raise Undefined at a point with biases."""
    if any(layer.bias is not None for layer in point.layers):
        raise Undefined("the formula is for networks without biases")
