"""What several measures ask of a point's layers."""

import numpy as np

from ..networks import Layer
from ..points import Undefined


def map_layers(layers, of_weight, of_bias=np.copy):
    return tuple(Layer(of_weight(W), None if b is None else of_bias(b)) for W, b in layers)


def refuse_biases(point):
    if any(layer.bias is not None for layer in point.layers):
        raise Undefined("the formula is for networks without biases")
