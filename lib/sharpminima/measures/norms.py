"""Norms: of the parameters, of the weights layer by layer, of how the outputs change with the
parameters or with the inputs.
"""

import numpy as np

from ..criteria import predict_means
from ..networks import forward
from .layers import map_layers
from .registry import SCALES, measure


@measure(
    "Fisher-Rao norm",
    formula=r"$\theta^\top F\theta$",
    source="Liang et al. 2019, labels drawn from the model; without biases K² E[f'(diag p - pp')f]",
    cite="liang2019fisher",
    claims=SCALES,
)
def fisher_rao(point):
    """The squared length of theta in the Fisher metric. Of a network without biases the outputs
    alone determine it.
    """
    return point.theta @ point.fisher @ point.theta


@measure(
    "Fisher-Rao norm, given labels",
    formula=r"$\frac1N\sum_n \langle\nabla_\theta\ell_n, \theta\rangle^2$",
    source=(
        "Liang et al. 2019, labels of the data; without biases K² E⟨p - y, f⟩², as kampmichael's"
        " code has it"
    ),
    cite="liang2019fisher",
    claims=SCALES,
    vanishes=True,
)
def fisher_rao_labels(point):
    """The Fisher-Rao norm with the labels of the data in the place of the model's; 0 where every
    sample's gradient is.
    """
    point.needs("y")
    predicted = predict_means(point.criterion, point.outputs)
    along_theta = point.jacobian @ point.theta
    slopes = np.sum((predicted - point.loss.y) * along_theta, axis=1)
    return np.mean(slopes**2)


@measure(
    "Path norm",
    formula=r"$(\sum_{\text{paths}} \prod w^2)^{1/2}$",
    source=(
        "Neyshabur et al. 2015; biases as in bneyshabur/generalization-bounds, as paths that begin"
        " at a 1"
    ),
    cite="neyshabur2015path",
    claims=SCALES,
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
    formula=r"$\prod_k \|W_k\|_F$",
    source="bneyshabur/generalization-bounds, without the margin",
    claims=("layer_scale",),
)
def product_of_frobenius_norms(point):
    """The product of the layers' Frobenius norms; weights only."""
    return np.prod([np.linalg.norm(W) for W, _ in point.layers])


@measure(
    "Product of spectral norms",
    formula=r"$\prod_k \|W_k\|_2$",
    source="bneyshabur/generalization-bounds, without the margin",
    claims=("layer_scale",),
)
def product_of_spectral_norms(point):
    """The product of the layers' spectral norms, which bounds how much the outputs can change with
    the inputs; weights only.
    """
    return np.prod([np.linalg.norm(W, 2) for W, _ in point.layers])


@measure("Squared norm", formula=r"$|\theta|_2^2$", source="the definition")
def squared_norm(point):
    """The sum of the squared parameters."""
    return point.theta @ point.theta


@measure(
    "Input-gradient norm",
    formula=r"$(\frac1N\sum_n \|\partial f/\partial x_n\|_F^2)^{1/2}$",
    source="the definition",
    function_space=True,
)
def input_gradient_norm(point):
    """How much the outputs change with the inputs, in the mean over the samples."""
    point.needs("layers", "x")
    network, theta = point.network
    *hidden, output = network.layers(theta)
    before = network.pre_activations(theta)[:-1]
    slope = np.broadcast_to(output.weight, (len(network.x), *output.weight.shape))
    for layer, z in zip(reversed(hidden), reversed(before), strict=True):
        derivative = network.derive_activation(z)[:, :, None]
        slope = layer.weight @ (derivative * slope)
    return np.sqrt(np.sum(slope**2) / len(network.x))
