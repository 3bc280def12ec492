"""Norms: of the parameters, of the weights layer by layer, of how the outputs change with the
parameters or with the inputs.
"""

import numpy as np

from ..criteria import predict_means
from ..networks import forward
from ..points import Undefined
from .layers import map_layers
from .registry import SCALES, measure

# Of the derivatives in the inputs.
SAMPLES_AT_A_TIME = 256


@measure(
    "Fisher-Rao norm",
    needs="products",
    formula=r"$\theta^\top F\theta$",
    source="Liang et al. 2019, labels drawn from the model; without biases K² E[f'(diag p - pp')f]",
    cite="liang2019fisher",
    claims=SCALES,
    place=(
        "abstract: desirable invariance properties; introduction: the aim is invariance to "
        "node-wise rescaling and to general changes of coordinates"
    ),
)
def fisher_rao(point):
    """The squared length of theta in the Fisher metric. Of a network without biases the outputs
    alone determine it.
    """
    return point.theta @ (point.fisher_operator @ point.theta)


@measure(
    "Fisher-Rao norm, given labels",
    needs="products",
    formula=r"$\frac1N\sum_n \langle\nabla_\theta\ell_n, \theta\rangle^2$",
    source=(
        "Liang et al. 2019, labels of the data; without biases K² E⟨p - y, f⟩², as kampmichael's"
        " code has it"
    ),
    cite="liang2019fisher",
    claims=SCALES,
    vanishes=True,
    place=(
        "abstract: desirable invariance properties; introduction: the aim is invariance to "
        "node-wise rescaling and to general changes of coordinates"
    ),
)
def fisher_rao_labels(point):
    """The Fisher-Rao norm with the labels of the data in the place of the model's; 0 where every
    sample's gradient is.
    """
    point.needs("y")
    predicted = predict_means(point.criterion, point.outputs)
    slopes = np.sum((predicted - point.loss.y) * point.slope_along_theta, axis=1)
    return np.mean(slopes**2)


@measure(
    "Path norm",
    needs="passes",
    formula=r"$(\sum_{\text{paths}} \prod w^2)^{1/2}$",
    source=(
        "Neyshabur et al. 2015; biases as in bneyshabur/generalization-bounds, as paths that begin"
        " at a 1"
    ),
    cite="neyshabur2015path",
    claims=SCALES,
    place=(
        "title and purpose of Path-SGD, invariance to node-wise rescaling, recalled and not "
        "read again"
    ),
)
def path_norm(point):
    """The root of the sum, over all paths from an input to an output, of the product of the squared
    weights.
    """
    squares = map_layers(point.layers, np.square, np.square)
    point.needs_rectified_layers()
    ones = np.ones((1, len(squares[0].weight)))
    return np.sqrt(forward(squares, ones).sum())


@measure(
    "Product of Frobenius norms",
    needs="passes",
    formula=r"$\prod_k \|W_k\|_F$",
    source="bneyshabur/generalization-bounds, without the margin",
)
def product_of_frobenius_norms(point):
    """The product of the layers' Frobenius norms; weights only."""
    return np.prod([np.linalg.norm(W) for W, _ in point.layers])


@measure(
    "Product of spectral norms",
    needs="passes",
    formula=r"$\prod_k \|W_k\|_2$",
    source="bneyshabur/generalization-bounds, without the margin",
)
def product_of_spectral_norms(point):
    """The product of the layers' spectral norms, which bounds how much the outputs of plain
    rectified layers can change with the inputs; weights only.
    """
    point.needs_rectified_layers()
    return np.prod([np.linalg.norm(W, 2) for W, _ in point.layers])


@measure("Squared norm", formula=r"$|\theta|_2^2$", source="the definition", needs="passes")
def squared_norm(point):
    """The sum of the squared parameters."""
    return point.theta @ point.theta


@measure(
    "Input-gradient norm",
    needs="passes",
    formula=r"$(\frac1N\sum_n \|\partial f/\partial x_n\|_F^2)^{1/2}$",
    source="the definition",
    function_space=True,
)
def input_gradient_norm(point):
    """How much the outputs change with the inputs, in the mean over the samples."""
    point.needs_derivatives()
    point.needs("layers", "x")
    network, theta = point.network
    *hidden, output = network.layers(theta)
    before = network.pre_activations(theta)[:-1]
    total = 0.0
    # Some samples at a time: all would take N d_0 C numbers.
    for start in range(0, len(network.x), SAMPLES_AT_A_TIME):
        part = slice(start, start + SAMPLES_AT_A_TIME)
        slope = np.broadcast_to(output.weight, (len(network.x[part]), *output.weight.shape))
        for layer, z in zip(reversed(hidden), reversed(before), strict=True):
            derivative = network.derive_activation(z[part])[:, :, None]
            slope = layer.weight @ (derivative * slope)
        total += np.sum(slope**2)
    return np.sqrt(total / len(network.x))


@measure(
    "Path norm over margin",
    needs="passes",
    formula=r"$(\sum_{\text{paths}} \prod w^2)^{1/2}/\gamma$",
    source="Neyshabur et al. 2017, with the least margin for their percentile",
    cite="neyshabur2017exploring",
)
def path_norm_over_margin(point):
    """The path norm relative to the least margin: by how much the output of a sample's class
    exceeds every other.
    """
    return path_norm(point) / _find_margin(point)


@measure(
    "Frobenius norms over margin",
    needs="passes",
    formula=r"$\prod_k \|W_k\|_F/\gamma$",
    source="Neyshabur et al. 2017, with the least margin for their percentile",
    cite="neyshabur2017exploring",
)
def frobenius_norms_over_margin(point):
    """The product of the layers' Frobenius norms relative to the least margin."""
    return product_of_frobenius_norms(point) / _find_margin(point)


@measure(
    "Spectral norms over margin",
    needs="passes",
    formula=r"$\prod_k \|W_k\|_2/\gamma$",
    source="the first factor of the spectral complexity of Bartlett et al. 2017, over the margin",
    cite="bartlett2017spectrally",
)
def spectral_norms_over_margin(point):
    """The product of the layers' spectral norms relative to the least margin."""
    return product_of_spectral_norms(point) / _find_margin(point)


def _find_margin(point):
    """The least margin of a classifier; the class of a sample is its most probable one."""
    point.needs("y")
    if point.criterion != "cross_entropy":
        raise Undefined("a margin needs classes, and squared error has none")
    outputs = point.outputs
    if outputs.shape[1] < 2:
        raise Undefined("a margin needs two classes or more")
    labels = np.argmax(point.loss.y, axis=1)[:, None]
    own = np.take_along_axis(outputs, labels, axis=1)
    others = outputs.copy()
    np.put_along_axis(others, labels, -np.inf, axis=1)
    margin = np.min(own[:, 0] - others.max(axis=1))
    if not margin > 0:
        raise Undefined("the margin is not positive: a sample is not given its class")
    return margin
