"""Points whose measures are known: the two-parameter network, small random ones, minima that
interpolate.
"""

import numpy as np

import sharpminima as sm
from sharpminima.points import Point


def toy(a, b, target):
    """The network b relu(a x) at the one sample x = 1."""
    return Point(sm.NetworkLoss((1, 1, 1), [[1.0]], [target]), [a, b])


def interpolating(widths, *, criterion="squared_error", bias=False, seed=0):
    """A random network, every unit on somewhere, whose targets are its own outputs: L is least,
    gradients are 0, H = F.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, widths[0]))
    silent = True
    while silent:
        theta = rng.normal(size=sum(sm.layer_sizes(widths, bias=bias)))
        blank = sm.NetworkLoss(widths, x, np.zeros((8, widths[-1])), bias=bias)
        f = blank.outputs(theta)
        silent = any(
            (b.weight == 0).all(axis=1).any() for b in blank.layers(blank.hessian_diagonal(theta))
        )
    y = f if criterion == "squared_error" else np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    return Point(sm.NetworkLoss(widths, x, y, criterion=criterion, bias=bias), theta)


def weights(point):
    return [layer.weight for layer in point.layers]


def gauge(widths, kind, rng, span=6):
    """The diagonal of a random rescaling, with factors from 10^-span to 10^span."""
    if kind == "node_scale":
        return sm.node_diagonal(
            widths, [10 ** rng.uniform(-span, span, size=d) for d in widths[1:-1]]
        )
    logs = rng.uniform(-span, span, size=len(widths) - 1)
    logs -= logs.mean()
    return sm.alpha_diagonal(widths, 10**logs)
