"""The orbit of a network: the range of a measure over its layer scalings."""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from typing import NamedTuple

import numpy as np
import scipy.optimize
from numpy.typing import ArrayLike

from ._validation import as_positive, as_vector
from .alpha_transform import alpha_scale
from .losses import NetworkLoss, as_rectified
from .networks import ravel
from .points import Point, Undefined, evaluate

SAME_TO = 1e-6  # two values are the same to this relative difference; rounding stays far below it


class Orbit(NamedTuple):
    """The values that a measure takes over all layer scalings of a network, as far as they were
    found.

    `low` and `high` are the least and the greatest value found: `low` by minimization, `high` by
    factors up to `reach` between any two layers. `falls` and `grows` say that the value still did
    so where probing ended. Neither end is proven here.
    """

    low: float
    high: float
    falls: bool
    grows: bool
    reach: float

    @property
    def constant(self) -> bool:
        """Whether all values are the same, to 1e-6."""
        return self.high - self.low <= SAME_TO * max(abs(self.low), abs(self.high))

    def __str__(self):
        if self.constant:
            return f"{self.low:.3g} throughout"
        low = f"from {self.low:.3g}"
        if self.falls:
            low = "no lower end found"
        high = f"up to {self.high:.3g}"
        if self.grows:
            high = "no upper end found"
        return f"{low}, {high} (factors to {self.reach:.0e})"


def orbit(
    measure: Callable[[Point], float], loss: NetworkLoss, theta: ArrayLike, *, reach: float = 1e6
) -> Orbit:
    """Return the `Orbit` of `measure` over the layer scalings of `theta`.

    The range of the trace is [K (t_1 ... t_K)^(1/K), infinity) for a network without biases: `low`
    can be checked against it. Raises ValueError where the measure is undefined, for a loss that is
    no rectified network of two layers or more, and for a `reach` below the factor of a step, ten.
    """
    if not callable(measure):
        raise ValueError(f"measure must be a function of a Point, got {measure!r}")
    loss = as_rectified(loss)
    n_layers = len(loss.widths) - 1
    if n_layers < 2:
        raise ValueError(f"loss must have two layers or more to have layer scalings, got {loss!r}")
    layers = loss.layers(as_vector("theta", theta, loss.size))
    value = partial(_evaluate_twin, measure, loss, layers)
    reach = as_positive("reach", reach)
    if reach < 10:
        raise ValueError(f"reach must be at least 10, the factor of a step, got {reach}")

    # From theta, a step multiplies the factor between two layers by 10, for each pair of layers.
    steps = np.arange(0, np.log10(reach) + 1e-9)
    pairs = [row - other for row, other in permutations(np.eye(n_layers), 2)]
    rays = np.log(10) / 2 * np.array(pairs)
    probed = np.array([[value(step * ray) for step in steps] for ray in rays])

    last_changes = probed[:, -1] - probed[:, -2]
    rounding = SAME_TO * np.abs(probed).max(axis=1)
    ray, step = np.unravel_index(probed.argmin(), probed.shape)
    low = probed[ray, step]
    falls = step == len(steps) - 1 and last_changes[ray] < -rounding[ray]
    if not falls:
        low = min(low, _minimize(value, steps[step] * rays[ray]))
    grows = (last_changes > rounding).any()
    return Orbit(float(low), float(probed.max()), bool(falls), bool(grows), reach)


def _evaluate_twin(measure, loss, layers, logs):
    """Return the measure's value after layers are scaled by factors with the logarithms `logs`,
    less their mean.
    """
    twin = alpha_scale(layers, np.exp(logs - np.mean(logs)))
    try:
        return evaluate(measure, Point(loss, ravel(twin)))
    except Undefined as error:
        raise ValueError(f"measure must be defined on all of the orbit, got: {error}") from error


def _minimize(value, start):
    """Return the least value that is found from `start` on; the last logarithm is kept at zero."""
    found = scipy.optimize.minimize(
        lambda free: value(np.append(free, 0)),
        start[:-1] - start[-1],
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 200 * len(start)},
    )
    return found.fun
