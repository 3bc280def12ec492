"""How the networks of this book come about: stochastic gradient descent, then a polish to a genuine
minimum.

A rectified network that is trained until it looks done often rests on a kink, where the Hessian
does not exist, or has no minimum at all. What the book calls a *genuine minimum* is measured: no
gradient, no kink near, some curvature and none that is negative.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
from tqdm import tqdm

from ._validation import as_count, as_generator, as_positive, as_real, as_vector
from .hessians import gradient, hessian, jacobian
from .losses import kinks
from .spectra import eigenvalues

GRADIENT_TOLERANCE, MARGIN_TOLERANCE, CURVATURE_TOLERANCE, DESCENT_TOLERANCE = (
    1e-10,
    1e-6,
    1e-3,
    1e-9,
)


def sgd(loss, theta, *, epochs, batch_size, learning_rate, rng):
    """Return the parameters (n,) after `epochs` passes of mini-batch stochastic gradient descent
    over shuffled data.

    `loss` is a `NetworkLoss`; the last batch of a pass may be smaller. A progress bar goes to
    stderr unless the environment has TQDM_DISABLE=1. Raises ValueError for a count below 1 or a
    learning rate that is not positive, and FloatingPointError when the loss stops being finite.
    """
    theta, rng = as_vector("theta", theta, loss.size), as_generator(rng)
    epochs, batch_size = as_count("epochs", epochs), as_count("batch_size", batch_size)
    learning_rate = as_positive("learning_rate", learning_rate)
    n_samples = len(loss.x)
    for epoch in tqdm(range(epochs), desc="SGD", unit="epoch", leave=False):
        order = rng.permutation(n_samples)
        try:
            for start in range(0, n_samples, batch_size):
                batch = order[start : start + batch_size]
                theta = theta - learning_rate * gradient(
                    loss.on(loss.x[batch], loss.y[batch]), theta
                )
            as_real("loss(theta)", loss(theta))
        except ValueError as error:  # of theta, the loss or its gradient, once they are not finite
            raise FloatingPointError(
                f"SGD diverged in epoch {epoch}: learning_rate {learning_rate:g} is too large"
            ) from error
    return theta


class Descent(NamedTuple):
    """Where gradient descent ended, `theta` (n,), and the losses (steps + 1,) on the way, from the
    start on.
    """

    theta: np.ndarray
    losses: np.ndarray


def gradient_descent(loss, theta, *, steps, learning_rate):
    """Follow the gradient of any `loss` downhill from `theta` (n,) for so many steps, on all
    samples at once.

    A progress bar goes to stderr unless the environment has TQDM_DISABLE=1. Raises ValueError for a
    count below 1 or a learning rate that is not positive, and FloatingPointError when the loss
    stops being finite.

    >>> gradient_descent(lambda theta: theta[0] ** 2, [1.0], steps=2, learning_rate=0.25).losses
    array([1.    , 0.25  , 0.0625])
    """
    theta, learning_rate = as_vector("theta", theta), as_positive("learning_rate", learning_rate)
    losses = [loss(theta)]
    for step in tqdm(range(as_count("steps", steps)), desc="descent", unit="step", leave=False):
        theta = theta - learning_rate * gradient(loss, theta)
        losses.append(loss(theta) if np.isfinite(theta).all() else np.inf)
        if not np.isfinite(losses[-1]):
            raise FloatingPointError(
                f"gradient descent diverged in step {step}: learning_rate {learning_rate:g} is too"
                " large"
            )
    return Descent(theta, np.array(losses))


@dataclass(frozen=True)
class Minimum:
    """What is known of a point: `theta` (n,), and the measurements that decide whether it is a
    genuine minimum.

    `margin` is the distance of the nearest pre-activation from zero; `curvature` and `descent` are
    the largest and the smallest eigenvalue of the Hessian.
    """

    theta: np.ndarray
    value: float
    gradient_norm: float
    margin: float
    curvature: float
    descent: float

    @property
    def shortcomings(self):
        """What keeps the point from being a genuine minimum, a phrase each."""
        found = []
        if not self.gradient_norm <= GRADIENT_TOLERANCE:
            found.append(f"its gradient is {self.gradient_norm:.2g}, above {GRADIENT_TOLERANCE:g}")
        if not self.margin >= MARGIN_TOLERANCE:
            found.append(
                f"a pre-activation is {self.margin:.2g} from a kink, nearer than"
                f" {MARGIN_TOLERANCE:g}"
            )
        if not self.curvature >= CURVATURE_TOLERANCE:
            found.append(
                f"its largest curvature is {self.curvature:.2g}, below {CURVATURE_TOLERANCE:g}"
            )
        if not self.descent >= -DESCENT_TOLERANCE * self.curvature:
            found.append(f"the loss falls along a direction of curvature {self.descent:.2g}")
        return found

    @property
    def genuine(self):
        """Whether the point has no gradient, no kink near, some curvature and none that is
        negative.
        """
        return not self.shortcomings

    def __str__(self):
        verdict = (
            "a genuine minimum"
            if self.genuine
            else "not a genuine minimum: " + ", ".join(self.shortcomings)
        )
        return (
            f"L = {self.value:.2g}, |grad L| = {self.gradient_norm:.2g}, margin {self.margin:.2g}:"
            f" {verdict}"
        )


def examine(loss, theta):
    """Measure how far `theta` is from being a genuine minimum of the `NetworkLoss`.

    The tolerances are 1e-10 for the norm of the gradient, 1e-6 for the distance of a pre-activation
    from zero, 1e-3 for the largest eigenvalue of the Hessian, and -1e-9 times that for the
    smallest.
    """
    theta = as_vector("theta", theta, loss.size)
    slope, margin = gradient(loss, theta), kinks(loss, theta, tol=MARGIN_TOLERANCE).margin
    spectrum = eigenvalues(hessian(loss, theta))
    return Minimum(
        theta.copy(),
        loss(theta),
        float(np.linalg.norm(slope)),
        margin,
        float(spectrum[0]),
        float(spectrum[-1]),
    )


def polish(loss, theta, *, max_steps=50):
    """Bring the parameters (n,) of a `NetworkLoss` to an interpolating minimum by Gauss-Newton
    steps of minimal norm.

    Interpolating means f(x_i) = y_i, or softmax f(x_i) = y_i for cross-entropy, whose targets must
    then be positive (smoothed): with hard labels it has no minimum. Each step solves the linearized
    equations with `scipy.linalg.lstsq`, in the logits for cross-entropy; steps end when the
    gradient's norm is below 1e-14. The best point seen is returned with its measurements as a
    `Minimum`: read `genuine` and `shortcomings`, as the steps can end on a kink or far away.

    Raises ValueError for cross-entropy with a target of probability zero.
    """
    theta = best = as_vector("theta", theta, loss.size)
    if loss.criterion == "cross_entropy" and (loss.y == 0).any():
        raise ValueError(
            "y must hold positive probabilities: cross-entropy with hard labels has no minimum, got"
            " a zero"
        )
    lowest = np.inf
    for _ in tqdm(
        range(as_count("max_steps", max_steps) + 1), desc="polish", unit="step", leave=False
    ):
        norm = np.linalg.norm(gradient(loss, theta))
        if norm < lowest:
            best, lowest = theta, norm
        if norm < 1e-14:
            break
        step = scipy.linalg.lstsq(*_interpolation_equations(loss, theta), cond=1e-12)[0]
        if not np.isfinite(loss(theta - step)):
            break
        theta = theta - step
    return examine(loss, best)


def _interpolation_equations(loss, theta):
    """Return the Jacobian (NC, n) and residual (NC,) of f(x_i) = y_i; for cross-entropy of the
    logits, up to a constant.
    """
    J, f = jacobian(loss, theta), loss.outputs(theta)
    if loss.criterion == "cross_entropy":
        residual = f - np.log(loss.y)
        J, residual = (
            J - J.mean(axis=1, keepdims=True),
            residual - residual.mean(axis=1, keepdims=True),
        )
    else:
        residual = f - loss.y
    return J.reshape(-1, J.shape[-1]), residual.ravel()
