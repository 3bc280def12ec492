"""Constants and comparisons that several of the library's test files use."""

import numpy as np

EPS = np.finfo(float).eps
TINY = np.finfo(float).tiny

# A derivative here is a sum of at most a few hundred products, each as exact as a few roundings:
# relative to the largest entry of its array, two routes differ by less than this.
ROUNDING = 1000 * EPS

# How good a central difference with a step of eps**(1/3) is. The step balances truncation against
# rounding: both are then eps**(2/3) = 4e-11 times third derivatives and values, which at the points
# used here are less than a thousand times the first derivatives.
STEP = EPS ** (1 / 3)
DIFFERENCES = 1000 * EPS ** (2 / 3)


def apart(a, b, *, least=0.0):
    """The largest difference of two arrays, relative to the largest entry of `b`, or to `least`
    where that is larger.
    """
    assert np.shape(a) == np.shape(b)
    return np.abs(a - b).max() / max(np.abs(b).max(), least)


def differences(function, theta):
    """The derivative of `function` by central differences."""
    columns = [
        (function(theta + STEP * e) - function(theta - STEP * e)) / (2 * STEP)
        for e in np.eye(len(theta))
    ]
    return np.stack(columns, axis=-1)
