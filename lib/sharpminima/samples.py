"""The networks at which the audit compares measures."""

import functools
from itertools import product

import numpy as np
import scipy.linalg
import scipy.special

from ._validation import as_count
from .hessians import hessian, jacobian
from .losses import NetworkLoss, kinks
from .networks import init_params, pre_activations, ravel
from .spectra import eigenvalues, scales_to_unit_diagonal
from .training import examine

DOUBTFUL = (
    1e-13,
    1e-6,
)  # relative sizes of eigenvalues of which rounding does not say whether they are zero


def relative_curvatures(loss, theta):
    """Return the sizes of the Hessian's eigenvalues relative to the largest, after its diagonal is
    scaled to 1, which keeps the rank.
    """
    H = hessian(loss, theta)
    s = scales_to_unit_diagonal(H)
    sizes = np.abs(eigenvalues(H * np.outer(s, s)))
    return sizes / max(sizes.max(), np.finfo(float).tiny)


def between(sizes):
    return (sizes > DOUBTFUL[0]) & (sizes < DOUBTFUL[1])


WIDTHS = ((4, 7, 3), (4, 6, 5, 3))
CLEAR = 1e-3
KINDS = {
    "interpolating": (8, 0.0),
    "residuals": (40, 0.25),
}  # samples, and noise: of what it may be to leave probabilities positive


@functools.cache
def sample_networks(seed=0):
    """Return the networks that `audit` compares at by default: a mapping from names to (loss,
    theta), of at most 83 parameters.

    With two layers and with three, with and without biases, for both criteria: minima that
    interpolate, with Hessians of low rank; for half of these also minima that do not, and random
    points. All are 1e-3 and more from a kink, no unit is off at all samples, and the rank of no
    Hessian is in doubt. The minima are minima by construction: their targets are their own answers,
    plus, where they do not interpolate, noise that the gradient does not see.
    """
    rng, found = np.random.default_rng(as_count("seed", seed, least=0)), {}
    for widths, bias, criterion in product(
        WIDTHS, (False, True), ("squared_error", "cross_entropy")
    ):
        name = (
            f"{'-'.join(map(str, widths))},"
            f" {criterion.replace('_', ' ')}{', biases' if bias else ''}"
        )
        found[name] = _draw(rng, widths, bias, criterion, "interpolating")
        if bias == (criterion == "cross_entropy"):
            found[f"{name}, residuals"] = _draw(rng, widths, bias, criterion, "residuals")
            found[f"{name}, random point"] = _draw(rng, widths, bias, criterion, "random point")
    return found


def _draw(rng, widths, bias, criterion, kind):
    """Draw parameters and data until no kink is near, no unit idle, no rank in doubt, and the point
    a genuine minimum if it is to be one.
    """
    while True:
        layers = init_params(widths, rng=rng, bias=bias)
        theta = ravel(
            [
                layer._replace(bias=rng.normal(size=len(layer.bias)) / 2) if bias else layer
                for layer in layers
            ]
        )
        count, size = KINDS.get(kind, (8, None))
        x, noise = rng.normal(size=(count, widths[0])), rng.normal(size=(count, widths[-1]))
        random = noise if criterion == "squared_error" else scipy.special.softmax(noise, axis=1)
        loss = NetworkLoss(widths, x, random, criterion=criterion, bias=bias)
        if kinks(loss, theta, tol=CLEAR) or any(
            (z <= 0).all(axis=0).any() for z in pre_activations(loss.layers(theta), x)[:-1]
        ):
            continue
        if size is not None:
            loss = loss.on(x, _answers(loss, theta, noise, size))
        if (size is None or examine(loss, theta).genuine) and not between(
            relative_curvatures(loss, theta)
        ).any():
            return loss, theta


def _answers(loss, theta, noise, size):
    """The network's own answers as targets, plus `size` times what of the `noise` (N, C) leaves the
    gradient zero.
    """
    answers = loss.outputs(theta)
    if loss.criterion == "cross_entropy":
        answers = scipy.special.softmax(answers, axis=1)
    if size == 0:
        return answers
    # Zero against all derivatives of the outputs, and in sum over each sample's, so that
    # probabilities stay some.
    blind = np.hstack(
        [
            jacobian(loss, theta).reshape(noise.size, -1),
            np.repeat(np.eye(len(noise)), noise.shape[1], axis=0),
        ]
    )
    noise = noise.ravel() - blind @ scipy.linalg.lstsq(blind, noise.ravel(), cond=1e-12)[0]
    noise = noise.reshape(answers.shape)
    if loss.criterion == "squared_error":
        return answers + 0.1 * size * noise / noise.std()
    noisy = answers + size * (answers / np.abs(noise)).min() * noise
    return noisy / noisy.sum(axis=1, keepdims=True)
