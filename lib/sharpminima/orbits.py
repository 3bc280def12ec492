"""The range of a measure over all layer scalings of a network."""

from itertools import permutations
from typing import NamedTuple

import numpy as np
import scipy.optimize

from ._validation import as_positive, as_vector
from .alpha_transform import alpha_scale
from .losses import NetworkLoss
from .networks import ravel
from .points import Point, evaluate

SAME_TO = 1e-6  # rounding stays far below it


class Orbit(NamedTuple):
    """The values that a measure takes over all layer scalings of a network, as far as they were
    found.

    `low` and `high` are the least and greatest value found: `low` by minimization, `high` by
    factors up to `reach` between any two layers. `falls` and `grows` say that the value still did
    so where probing ended. Neither end is proven here.
    """

    low: float
    high: float
    falls: bool
    grows: bool
    reach: float

    @property
    def constant(self):
        """Whether all values are one, to 1e-6."""
        return self.high - self.low <= SAME_TO * max(abs(self.low), abs(self.high))

    def __str__(self):
        if self.constant:
            return f"{self.low:.3g} throughout"
        low = "no lower end found" if self.falls else f"from {self.low:.3g}"
        high = "no upper end found" if self.grows else f"up to {self.high:.3g}"
        return f"{low}, {high} (factors to {self.reach:.0e})"


def orbit(measure, loss, theta, *, reach=1e6):
    """Return the `Orbit` of `measure` over the layer scalings of `theta`. Raises ValueError where
    the measure is undefined.

    The range of the trace is [K (t_1 ... t_K)^(1/K), infinity) for a network without biases: `low`
    can be checked against it.
    """
    if not isinstance(loss, NetworkLoss) or len(loss.widths) < 3:
        raise ValueError(
            f"loss must be a NetworkLoss of two layers or more to have layer scalings, got {loss!r}"
        )
    layers, n = loss.layers(as_vector("theta", theta, loss.size)), len(loss.widths) - 1
    steps = np.arange(0, np.log10(as_positive("reach", reach)) + 1e-9)

    def value(logs):
        found, reason = evaluate(
            measure, Point(loss, ravel(alpha_scale(layers, np.exp(logs - np.mean(logs)))))
        )
        if reason:
            raise ValueError(f"measure must be defined on all of the orbit, got: {reason}")
        return found

    rays = np.log(10) / 2 * np.array([row - other for row, other in permutations(np.eye(n), 2)])
    probed = np.array([[value(step * ray) for step in steps] for ray in rays])
    ray, step = np.unravel_index(probed.argmin(), probed.shape)
    low, ends = probed[ray, step], probed[:, -1] - probed[:, -2]
    sizes = SAME_TO * np.abs(probed).max(axis=1)
    falls = step == len(steps) - 1 and ends[ray] < -sizes[ray]
    if not falls:
        start = steps[step] * rays[ray]
        options = {"xatol": 1e-7, "fatol": 1e-12, "maxiter": 200 * n}
        found = scipy.optimize.minimize(
            lambda free: value(np.append(free, 0)),
            start[:-1] - start[-1],
            method="Nelder-Mead",
            options=options,
        )
        low = min(low, found.fun)
    return Orbit(
        float(low), float(probed.max()), bool(falls), bool((ends > sizes).any()), float(reach)
    )
