"""The criteria: the loss of a sample, given the network's outputs and the target.

Each is minus the logarithm of a likelihood whose mean `predict_means` computes: of a Gaussian of
variance one, of one class among several, of yes or no for each output. All three are written in
their natural parameter, so that the derivative in the outputs is mean - y (McCullagh and Nelder
1989, section 2.2).
"""

import autograd.numpy as np
import numpy as onp
import scipy.special
from autograd.scipy.special import logsumexp
from numpy.typing import ArrayLike

from ._validation import Array, as_plain, as_real

CRITERIA = ("squared_error", "cross_entropy", "binary_cross_entropy")


def mean_loss(criterion: str, outputs: Array, y: Array, weights: Array | None = None) -> float:
    """Return the mean over the samples of the criterion of `outputs` (N, C) and targets `y` (N, C).

    `weights` (N,) multiply the samples' losses; their mean is not divided by.
    """
    if weights is not None:
        return np.mean(weights * sample_losses(criterion, outputs, y))
    # Sums in one go, whose rounding the book's stored numbers have.
    if criterion == "squared_error":
        return np.sum((outputs - y) ** 2) / (2 * len(y))
    return np.mean(sample_losses(criterion, outputs, y))


def sample_losses(criterion: str, outputs: Array, y: Array) -> Array:
    """Return the loss of each sample (N,)."""
    if criterion == "squared_error":
        return np.sum((outputs - y) ** 2, axis=1) / 2
    if criterion == "cross_entropy":
        return logsumexp(outputs, axis=1) - np.sum(y * outputs, axis=1)
    # Nothing cancels: for a hard label one of the two terms is left.
    no, yes = np.logaddexp(0.0, outputs), np.logaddexp(0.0, -outputs)
    return np.sum((1 - y) * no + y * yes, axis=1)


def predict_means(criterion: str, outputs: Array) -> Array:
    """Return what the network predicts (N, C): the outputs themselves for squared error, the
    probabilities of the classes, or those of yes.
    """
    if criterion == "squared_error":
        return outputs
    if criterion == "cross_entropy":
        return scipy.special.softmax(outputs, axis=1)
    return scipy.special.expit(outputs)


def as_criterion_targets(criterion: str, y: ArrayLike, n_samples: int, d_out: int) -> Array:
    """Return the targets `y` as (N, d_out), as the criterion takes them, or raise ValueError."""
    if criterion == "squared_error":
        return as_targets(y, n_samples, d_out)
    if criterion == "cross_entropy":
        return as_probabilities(y, n_samples, d_out)
    return as_shares(y, n_samples, d_out)


def as_targets(y: ArrayLike, n_samples: int, d_out: int) -> Array:
    """Return regression targets as (N, d_out)."""
    y = as_real("y", y, what="an array of targets")
    shape = (n_samples,) if y.ndim == 1 and d_out == 1 else (n_samples, d_out)
    return as_real("y", y, shape=shape, what="an array of targets").reshape(n_samples, d_out)


def as_probabilities(y: ArrayLike, n_samples: int, d_out: int) -> Array:
    """Return class labels, or rows of probabilities, as rows of probabilities (N, d_out)."""
    y = as_plain("y", y)
    if y.ndim == 2:
        y = as_real("y", y, shape=(n_samples, d_out), what="rows of probabilities")
        if (y < 0).any() or (onp.abs(y.sum(axis=1) - 1) > 1e-12).any():
            raise ValueError(
                "y must have rows of probabilities, none negative and each with sum 1 to 1e-12"
            )
        return y
    if y.shape != (n_samples,) or y.dtype.kind not in "iu":
        raise ValueError(
            f"y must be {n_samples} integer labels or rows of probabilities, got shape {y.shape},"
            f" dtype {y.dtype}"
        )
    if (y < 0).any() or (y >= d_out).any():
        hint = ": one output for two classes goes with binary_cross_entropy" if d_out == 1 else ""
        raise ValueError(
            f"y must hold labels from 0 to {d_out - 1}, got {y.min()} to {y.max()}{hint}"
        )
    return onp.eye(d_out)[y]


def as_shares(y: ArrayLike, n_samples: int, d_out: int) -> Array:
    """Return labels 0 and 1, or probabilities of 1, as (N, d_out)."""
    y = as_plain("y", y)
    if y.dtype == bool:
        y = y.astype(float)
    y = as_targets(y, n_samples, d_out)
    if (y < 0).any() or (y > 1).any():
        raise ValueError(
            "y must hold labels 0 and 1, or probabilities of 1, for binary_cross_entropy, got"
            f" {y.min():g} to {y.max():g}"
        )
    return y
