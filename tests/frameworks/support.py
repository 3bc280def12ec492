"""Models and data that several files of these tests use."""

import numpy as np
import torch

import sharpminima as sm

N_SAMPLES, WIDTHS = 40, (5, 8, 6, 3)
CRITERIA = ("squared_error", "cross_entropy", "binary_cross_entropy")


def make_data(criterion, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N_SAMPLES, WIDTHS[0]))
    if criterion == "cross_entropy":
        return x, rng.integers(WIDTHS[-1], size=N_SAMPLES)
    if criterion == "binary_cross_entropy":
        return x, rng.uniform(size=(N_SAMPLES, WIDTHS[-1]))
    return x, rng.normal(size=(N_SAMPLES, WIDTHS[-1]))


def make_network(criterion, seed=0):
    """A `NetworkLoss` with biases, and a point away from its kinks."""
    rng = np.random.default_rng(seed + 1)
    x, y = make_data(criterion, seed)
    loss = sm.NetworkLoss(WIDTHS, x, y, criterion=criterion, bias=True)
    theta = rng.normal(size=loss.size) / 2
    assert not sm.kinks(loss, theta, tol=1e-6)
    return loss, theta


def make_module(layers, dtype=torch.float64):
    """The layers as a Sequential of Linear and ReLU."""
    parts = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.shape, bias=bias is not None, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.as_tensor(weight.T.copy()))
            if bias is not None:
                linear.bias.copy_(torch.as_tensor(bias.copy()))
        parts += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1])


def find_torch_order(loss):
    """The places in PyTorch's vector of the parameters of a `NetworkLoss`, whose weights are the
    transposed ones.
    """
    numbered = sm.unravel(np.arange(float(loss.size)), loss.widths, bias=loss.bias)
    theirs = []
    for weight, bias in numbered:
        theirs += [weight.T.ravel(), [] if bias is None else bias]
    places = np.empty(loss.size, dtype=int)
    places[np.concatenate(theirs).astype(int)] = np.arange(loss.size)
    return places


def apart(a, b):
    """The largest difference of two arrays, relative to the largest entry of `b`."""
    assert np.shape(a) == np.shape(b)
    return np.abs(np.subtract(a, b)).max() / np.abs(b).max()
