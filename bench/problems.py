"""The problems that are timed: the exact Hessian of a random rectified network without biases.
Needs numpy only, which the peers' environment has too.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Problem(NamedTuple):
    """A network, a criterion and a number of samples; two problems with one `seed` have the same
    data.
    """

    criterion: str
    widths: tuple
    samples: int
    inputs: str = "normal"
    seed: int = 0

    @property
    def sizes(self):
        """The number of parameters of each layer."""
        return [a * b for a, b in pairwise(self.widths)]

    @property
    def size(self):
        return sum(self.sizes)

    @property
    def multiply_adds(self):
        """The cost of the Hessian's blocks as matrix products: off the diagonal one of each pair,
        of each diagonal block a quarter.
        """
        return self.samples * (self.size**2 / 2 - sum(n**2 for n in self.sizes) / 4)

    @property
    def name(self):
        return (
            f"{self.criterion.replace('_', ' ')} {'-'.join(map(str, self.widths))}, N ="
            f" {self.samples}"
        )

    def arrays(self):
        """Inputs (N, d_0), targets (N, d_K) and parameters (n,): weights from N(0, 2/d_in), targets
        or labels at random.
        """
        rng = np.random.default_rng(self.seed)
        shapes = list(pairwise(self.widths))
        theta = np.concatenate([rng.normal(0, np.sqrt(2 / a), a * b) for a, b in shapes])
        if self.inputs == "digits":
            from sharpminima import digits

            split = digits("class", n_train=self.samples)
            return split.x_train, np.eye(10)[split.y_train], theta
        x, outputs = rng.normal(size=(self.samples, self.widths[0])), self.widths[-1]
        if self.criterion == "squared_error":
            return x, rng.normal(size=(self.samples, outputs)), theta
        return x, np.eye(outputs)[rng.integers(outputs, size=self.samples)], theta


SIZES = {
    200: [("squared_error", (10, 18, 1)), ("cross_entropy", (8, 6, 6, 6, 10))],
    1_000: [("squared_error", (20, 48, 1)), ("cross_entropy", (16, 16, 16, 16, 10))],
    5_000: [("squared_error", (50, 98, 1)), ("cross_entropy", (32, 40, 40, 40, 10))],
    10_000: [("squared_error", (64, 154, 1)), ("cross_entropy", (64, 56, 56, 56, 10))],
}
PROBLEMS = [Problem(*network, 1000) for networks in SIZES.values() for network in networks]
PROBLEMS += [Problem(*network, 100) for network in SIZES[10_000]]

# Two hundred starting points of one network, as a study of many networks has them.
NETWORKS = [Problem("cross_entropy", (64, 24, 10), 400, "digits", seed) for seed in range(200)]

# A model of somebody else's, as PyTorch has it: of a size at which a whole Hessian still fits.
MODELS = [
    Problem("squared_error", (30, 96, 1), 200),
    Problem("cross_entropy", (24, 32, 32, 32, 10), 200),
]

# For a smoke run: every piece of the above in seconds.
QUICK = [Problem("squared_error", (4, 5, 1), 20), Problem("cross_entropy", (4, 3, 3, 3), 20)]
QUICK_NETWORKS = [Problem("cross_entropy", (64, 3, 10), 20, "digits", seed) for seed in range(4)]
