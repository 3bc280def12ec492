"""Relative flatness: the curvature of one layer, weighted by the scalar products of its weights
(Petzka et al. 2021).
"""

import numpy as np

from ..points import Undefined
from .registry import SCALES, measure


@measure(
    "Relative flatness, first layer",
    needs="block",
    formula=r"$\sum_{ij} \langle w_i, w_j\rangle \operatorname{tr} H_{ij}$",
    source="Petzka et al. 2021; w_i are the weights that enter unit i",
    cite="petzka2021relative",
    claims=SCALES,
    place=(
        "abstract: it solves the reparameterization issue; the theorem on layer- and neuron- "
        "wise scaling is recalled and was not read again"
    ),
)
def relative_flatness_first(point):
    """Relative flatness of the first layer."""
    return _relative_flatness(point, 0)


@measure(
    "Relative flatness, last layer",
    needs="block",
    formula=r"$\sum_{ij} \langle w_i, w_j\rangle \operatorname{tr} H_{ij}$",
    source="Petzka et al. 2021, who take the last layer in their experiments",
    cite="petzka2021relative",
    claims=SCALES,
    place=(
        "abstract: it solves the reparameterization issue; the theorem on layer- and neuron- "
        "wise scaling is recalled and was not read again"
    ),
)
def relative_flatness_last(point):
    """Relative flatness of the last layer."""
    return _relative_flatness(point, len(point.layers) - 1)


@measure(
    "Relative flatness, features normalized",
    needs="block",
    formula=(
        r"$\sum_{ij} \langle \sigma w_i, \sigma w_j\rangle \operatorname{tr}(\sigma^{-1} H_{ij}"
        r" \sigma^{-1})$"
    ),
    source=(
        "Petzka et al. 2021, as in kampmichael/RelativeFlatnessAndGeneralization: features first"
        " get the standard deviation 1"
    ),
    cite="petzka2021relative",
    claims=SCALES,
    place=(
        "abstract: it solves the reparameterization issue; the theorem on layer- and neuron- "
        "wise scaling is recalled and was not read again"
    ),
)
def relative_flatness_normalized(point):
    """Relative flatness of the last layer after `node_scale` has given each of its inputs the
    standard deviation 1.

    Inputs that do not vary stay as they are, as in the released code. With a unit that is never on,
    the value therefore depends on how that unit's weights are scaled.
    """
    point.needs("layers", "x")
    point.needs_criterion_mean()
    network, _ = point.network
    if len(point.layers) < 2:
        raise Undefined(
            "the network must have a hidden layer whose units can be scaled, got one layer"
        )
    features = network.activate(network.pre_activations(point.theta)[-2])
    sigma = features.std(axis=0)
    sigma = np.where(sigma > 0, sigma, 1)
    return _relative_flatness(point, len(point.layers) - 1, sigma)


def _relative_flatness(point, k, sigma=None):
    """Relative flatness of layer k, counted from 0, its inputs divided by `sigma` where given."""
    W = point.layers[k].weight
    traces = point.unit_traces(k, scales=sigma)
    scaled = W if sigma is None else W * sigma[:, None]
    products = scaled.T @ scaled
    return np.sum(products * traces)
