"""Training: stochastic gradient descent, then a polish to a genuine minimum.

A rectified network that is trained until it looks done often rests on a kink, where the Hessian
does not exist, or has no minimum at all. Whether a point is what the book calls a *genuine minimum*
is measured: no gradient, no kink near, some curvature and none that is negative.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike
from tqdm import tqdm

from ._validation import Array, as_count, as_generator, as_positive, as_real, as_vector
from .hessians import gradient, hessian, hessian_operator, jacobian
from .losses import NetworkLoss, kinks
from .spectra import DENSE_ORDER, find_largest_eigenvalue, find_smallest_eigenvalue

GRADIENT_TOLERANCE = 1e-10
MARGIN_TOLERANCE = 1e-6
CURVATURE_TOLERANCE = 1e-3
DESCENT_TOLERANCE = 1e-9  # relative to the largest curvature


def sgd(
    loss: NetworkLoss,
    theta: ArrayLike,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> Array:
    """Return the parameters (n,) after `epochs` passes of mini-batch stochastic gradient descent
    over shuffled data.

    The last batch of a pass may be smaller. A progress bar goes to stderr unless the environment
    has TQDM_DISABLE=1. Raises ValueError for a count below 1 or a learning rate that is not
    positive, and FloatingPointError when the loss stops being finite.
    """
    theta = as_vector("theta", theta, loss.size)
    rng = as_generator(rng)
    epochs = as_count("epochs", epochs)
    batch_size = as_count("batch_size", batch_size)
    learning_rate = as_positive("learning_rate", learning_rate)
    for epoch in tqdm(range(epochs), desc="SGD", unit="epoch", leave=False):
        order = rng.permutation(len(loss.x))
        try:
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                slope = gradient(loss.on(loss.x[batch], loss.y[batch]), theta)
                theta = theta - learning_rate * slope
            as_real("loss(theta)", loss(theta))
        except ValueError as error:  # theta, the loss or its gradient is no longer finite
            raise FloatingPointError(
                f"SGD diverged in epoch {epoch}: learning_rate {learning_rate:g} is too large"
            ) from error
    return theta


class DescentPath(NamedTuple):
    """Where gradient descent ended, `theta` (n,), and the losses (steps + 1,) on the way, from the
    start on.
    """

    theta: Array
    losses: Array


Descent = DescentPath  # the name of the first editions


def gradient_descent(
    loss: Callable, theta: ArrayLike, *, steps: int, learning_rate: float
) -> DescentPath:
    """Follow the gradient of any `loss` downhill from `theta` (n,) for so many steps, on all
    samples at once.

    A progress bar goes to stderr unless the environment has TQDM_DISABLE=1. Raises ValueError for a
    count below 1 or a learning rate that is not positive, and FloatingPointError when the loss
    stops being finite.

    >>> gradient_descent(lambda theta: theta[0] ** 2, [1.0], steps=2, learning_rate=0.25).losses
    array([1.    , 0.25  , 0.0625])
    """
    theta = as_vector("theta", theta)
    steps = as_count("steps", steps)
    learning_rate = as_positive("learning_rate", learning_rate)
    losses = [loss(theta)]
    for step in tqdm(range(steps), desc="descent", unit="step", leave=False):
        theta = theta - learning_rate * gradient(loss, theta)
        is_finite = np.isfinite(theta).all()
        if is_finite:
            losses.append(loss(theta))
            is_finite = np.isfinite(losses[-1])
        if not is_finite:
            raise FloatingPointError(
                f"gradient descent diverged in step {step}: learning_rate {learning_rate:g} is too"
                " large"
            )
    return DescentPath(theta, np.array(losses))


@dataclass(frozen=True)
class Minimum:
    """A point `theta` (n,), and the measurements that decide whether it is a genuine minimum.

    `margin` is the distance of the nearest pre-activation from zero; `largest_eigenvalue` and
    `smallest_eigenvalue` are those of the Hessian.
    """

    theta: Array
    value: float
    gradient_norm: float
    margin: float
    largest_eigenvalue: float
    smallest_eigenvalue: float

    @property
    def curvature(self) -> float:
        """The largest eigenvalue, by the name of the first editions."""
        return self.largest_eigenvalue

    @property
    def descent(self) -> float:
        """The smallest eigenvalue, by the name of the first editions."""
        return self.smallest_eigenvalue

    @property
    def shortcomings(self) -> list[str]:
        """What keeps the point from being a genuine minimum, a phrase each."""
        found = []
        if not self.gradient_norm <= GRADIENT_TOLERANCE:
            found.append(f"its gradient is {self.gradient_norm:.2g}, above {GRADIENT_TOLERANCE:g}")
        if not self.margin >= MARGIN_TOLERANCE:
            found.append(
                f"a pre-activation is {self.margin:.2g} from a kink, nearer than"
                f" {MARGIN_TOLERANCE:g}"
            )
        if not self.largest_eigenvalue >= CURVATURE_TOLERANCE:
            found.append(
                f"its largest curvature is {self.largest_eigenvalue:.2g}, below"
                f" {CURVATURE_TOLERANCE:g}"
            )
        if not self.smallest_eigenvalue >= -DESCENT_TOLERANCE * self.largest_eigenvalue:
            found.append(
                f"the loss falls along a direction of curvature {self.smallest_eigenvalue:.2g}"
            )
        return found

    @property
    def genuine(self) -> bool:
        """Whether the point has no gradient, no kink near, some curvature and none that is
        negative.
        """
        return not self.shortcomings

    def __str__(self):
        verdict = "a genuine minimum"
        if not self.genuine:
            verdict = f"not a genuine minimum: {', '.join(self.shortcomings)}"
        return (
            f"L = {self.value:.2g}, |grad L| = {self.gradient_norm:.2g}, margin {self.margin:.2g}:"
            f" {verdict}"
        )


def examine(loss: NetworkLoss, theta: ArrayLike) -> Minimum:
    """Measure how far `theta` is from being a genuine minimum of the loss of a rectified network.

    The tolerances are 1e-10 for the norm of the gradient, 1e-6 for the distance of a pre-activation
    from zero, 1e-3 for the largest eigenvalue of the Hessian, and -1e-9 times that for the
    smallest. Beyond 2000 parameters the two eigenvalues are found by Lanczos iteration, without the
    matrix; the smallest is then the least curvature that was found.
    """
    theta = as_vector("theta", theta, loss.size)
    is_large = len(theta) > DENSE_ORDER
    H = hessian_operator(loss, theta) if is_large else hessian(loss, theta)
    return Minimum(
        theta=theta.copy(),
        value=loss(theta),
        gradient_norm=float(np.linalg.norm(gradient(loss, theta))),
        margin=kinks(loss, theta, tol=MARGIN_TOLERANCE).margin,
        largest_eigenvalue=find_largest_eigenvalue(H),
        smallest_eigenvalue=find_smallest_eigenvalue(H),
    )


def polish(loss: NetworkLoss, theta: ArrayLike, *, max_steps: int = 50) -> Minimum:
    """Bring the parameters (n,) of a rectified network to an interpolating minimum by Gauss-Newton
    steps of minimal norm.

    Interpolating means f(x_i) = y_i, or softmax f(x_i) = y_i for cross-entropy, whose targets must
    then be positive (smoothed): no outputs have the probabilities 0 and 1 of hard labels. Each step
    solves the linearized equations with `scipy.linalg.lstsq`, in the logits for cross-entropy;
    steps end when the gradient's norm is below 1e-14. The best point seen is returned with its
    measurements as a `Minimum`: read `genuine` and `shortcomings`, as the steps can end on a kink
    or far away.

    Raises ValueError for cross-entropy with a target of probability zero.
    """
    theta = as_vector("theta", theta, loss.size)
    max_steps = as_count("max_steps", max_steps)
    if loss.criterion == "cross_entropy" and (loss.y == 0).any():
        raise ValueError(
            "y must hold positive probabilities: cross-entropy with hard labels has no minimum that"
            " interpolates, got a zero"
        )
    best = theta
    lowest = np.inf
    for _ in tqdm(range(max_steps + 1), desc="polish", unit="step", leave=False):
        norm = np.linalg.norm(gradient(loss, theta))
        if norm < lowest:
            best = theta
            lowest = norm
        if norm < 1e-14:
            break
        J, residual = _interpolation_equations(loss, theta)
        step = scipy.linalg.lstsq(J, residual, cond=1e-12)[0]
        if not np.isfinite(loss(theta - step)):
            break
        theta = theta - step
    return examine(loss, best)


def _interpolation_equations(loss, theta):
    """Return the Jacobian (NC, n) and the residual (NC,) of the equations f(x_i) = y_i.

    For cross-entropy they are equations of the logits, which matter up to a constant for each
    sample: the mean over the outputs is taken away.
    """
    J = jacobian(loss, theta)
    outputs = loss.outputs(theta)
    if loss.criterion == "cross_entropy":
        residual = outputs - np.log(loss.y)
        residual = residual - residual.mean(axis=1, keepdims=True)
        J = J - J.mean(axis=1, keepdims=True)
    else:
        residual = outputs - loss.y
    return J.reshape(-1, J.shape[-1]), residual.ravel()
