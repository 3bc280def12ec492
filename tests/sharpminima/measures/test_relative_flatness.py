"""Relative flatness against its formula in loops, and against a network that was in fact
rescaled."""

import itertools

import numpy as np
import pytest

import sharpminima as sm
from sharpminima import measures
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating
from tests.sharpminima.support import ROUNDING


def relative_flatness_in_loops(point, layer, theta=None):
    theta = point.theta if theta is None else theta
    params, H = point.loss.layers(theta), sm.hessian(point.loss, theta, method="autograd")
    start = sum(part.size for each in params[:layer] for part in each if part is not None)
    W = params[layer].weight
    d, m = W.shape
    pairs = itertools.product(range(m), range(m), range(d))
    return sum(W[:, i] @ W[:, j] * H[start + k * m + i, start + k * m + j] for i, j, k in pairs)


def test_relative_flatness_is_its_formula_in_loops(at):
    last = len(at.layers) - 1
    assert measures.relative_flatness_first(at) == pytest.approx(
        relative_flatness_in_loops(at, 0), rel=ROUNDING
    )
    assert measures.relative_flatness_last(at) == pytest.approx(
        relative_flatness_in_loops(at, last), rel=ROUNDING
    )


def test_normalized_features_are_those_of_a_network_that_is_in_fact_rescaled(at):
    last = len(at.layers) - 1
    features = sm.forward(
        (*at.layers[:-1], sm.Layer(np.eye(at.loss.widths[-2]))), at.loss.x, activation=sm.relu
    )
    # `forward` leaves the last layer linear; the identity after the last hidden layer shows what
    # that layer puts out.
    scales = [np.ones(d) for d in at.loss.widths[1:-1]]
    scales[-1] = np.where(
        features.std(axis=0) > 0, 1 / np.where(features.std(axis=0) > 0, features.std(axis=0), 1), 1
    )
    rescaled = sm.ravel(sm.node_scale(at.layers, scales))
    expected = relative_flatness_in_loops(at, last, rescaled)
    assert measures.relative_flatness_normalized(at) == pytest.approx(expected, rel=10 * ROUNDING)


def test_one_layer_has_no_features_to_normalize():
    with pytest.raises(Undefined, match="must have a hidden layer"):
        measures.relative_flatness_normalized(interpolating((3, 2)))


def test_a_unit_that_is_never_on_takes_the_invariance_from_normalized_features():
    rng = np.random.default_rng(0)
    params = (sm.Layer(np.array([[1.0, -1.0], [2.0, -0.5]])), sm.Layer(rng.normal(size=(2, 2))))
    loss = sm.NetworkLoss((2, 2, 2), rng.uniform(1, 2, size=(6, 2)), np.zeros((6, 2)))
    here, there = (Point(loss, sm.ravel(sm.node_scale(params, [[1.0, c]]))) for c in (1.0, 10.0))
    np.testing.assert_array_equal(here.outputs, there.outputs)
    assert (
        abs(
            measures.relative_flatness_normalized(there)
            / measures.relative_flatness_normalized(here)
            - 1
        )
        > 1e-2
    )
