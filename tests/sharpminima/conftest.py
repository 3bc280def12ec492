"""What the library's tests share: small networks at smooth random points, and the running example,
trained once.
"""

import numpy as np
import pytest

import sharpminima as sm

SMALL = {
    "scalar": ((3, 4, 1), "squared_error", False),
    "biased": ((3, 4, 2), "squared_error", True),
    "deep": ((3, 4, 3, 2), "squared_error", True),
    "soft labels": ((3, 5, 4, 3), "cross_entropy", False),
    "labels": ((3, 5, 3), "cross_entropy", True),
}


@pytest.fixture(scope="session", params=SMALL)
def small(request):
    """A loss of at most 50 parameters and a random point, 1e-3 and more from any kink: smooth
    wherever a check looks.
    """
    widths, criterion, bias = SMALL[request.param]
    rng = np.random.default_rng(len(request.param))
    x, y = rng.normal(size=(7, widths[0])), rng.normal(size=(7, widths[-1]))
    if criterion == "cross_entropy":
        y = (
            y.argmax(axis=1)
            if request.param == "labels"
            else rng.dirichlet(np.ones(widths[-1]), size=7)
        )
    loss = sm.NetworkLoss(widths, x, y, criterion=criterion, bias=bias)
    theta = rng.normal(size=loss.size)
    assert not sm.kinks(loss, theta, tol=1e-3)
    return loss, theta


@pytest.fixture(scope="session")
def example():
    """The book's network at its minimum, (loss, theta, data)."""
    return sm.running_example()


@pytest.fixture(scope="session")
def sibling():
    """The running example's sibling of three layers."""
    return sm.running_example((64, 12, 8, 1))


@pytest.fixture(scope="session")
def example_hessian(example):
    return sm.hessian(example.loss, example.theta)


@pytest.fixture(scope="session")
def sibling_hessian(sibling):
    return sm.hessian(sibling.loss, sibling.theta)
