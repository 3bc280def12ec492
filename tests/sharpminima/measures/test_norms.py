"""Norms against enumerated paths, singular values, the outputs, and autograd through the inputs."""

import itertools
import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.linalg

import sharpminima as sm
from sharpminima import measures
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating, weights
from tests.sharpminima.support import ROUNDING


@pytest.mark.claim("proposition-fisher-rao")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 4, 3, 2)])
def test_without_biases_fisher_rao_is_read_off_the_outputs(widths, criterion):
    point = interpolating(widths, criterion=criterion)
    K, total, with_labels = len(widths) - 1, 0.0, 0.0
    other = Point(
        point.loss.on(point.loss.x, np.roll(point.loss.y, 1, axis=0)), point.theta
    )  # no longer a minimum
    for f, y in zip(point.outputs, other.loss.y, strict=True):
        p = np.exp(f) / np.exp(f).sum()
        A = np.diag(p) - np.outer(p, p) if criterion == "cross_entropy" else np.eye(len(f))
        total += K**2 * f @ A @ f / len(point.outputs)
        with_labels += (
            K**2
            * ((p if criterion == "cross_entropy" else f) - y)
            @ f
            * (((p if criterion == "cross_entropy" else f) - y) @ f)
            / len(point.outputs)
        )
    assert measures.fisher_rao(point) == pytest.approx(total, rel=10 * ROUNDING)
    assert measures.fisher_rao_labels(other) == pytest.approx(with_labels, rel=10 * ROUNDING)


def test_fisher_rao_with_labels_is_the_mean_of_squared_slopes(at):
    slopes = [
        sm.gradient(at.loss.on(at.loss.x[i : i + 1], at.loss.y[i : i + 1]), at.theta) @ at.theta
        for i in range(7)
    ]
    assert measures.fisher_rao_labels(at) == pytest.approx(
        np.mean(np.square(slopes)), rel=10 * ROUNDING
    )


def test_path_norm_enumerates_all_paths(at):
    W, widths = weights(at), at.loss.widths
    total = 0.0
    for path in itertools.product(*map(range, widths)):
        total += (
            math.prod(w[i, j] for w, (i, j) in zip(W, itertools.pairwise(path), strict=True)) ** 2
        )
    for k, layer in enumerate(at.layers):  # and those that begin at the bias of layer k
        if layer.bias is not None:
            for path in itertools.product(*map(range, widths[k + 1 :])):
                steps = zip(W[k + 1 :], itertools.pairwise(path), strict=True)
                total += (layer.bias[path[0]] * math.prod(w[i, j] for w, (i, j) in steps)) ** 2
    assert measures.path_norm(at) == pytest.approx(math.sqrt(total), rel=ROUNDING)


def test_products_of_norms_are_those_of_singular_values(at):
    values = [scipy.linalg.svdvals(W) for W in weights(at)]
    assert measures.product_of_spectral_norms(at) == pytest.approx(
        math.prod(s[0] for s in values), rel=ROUNDING
    )
    assert measures.product_of_frobenius_norms(at) == pytest.approx(
        math.prod(math.hypot(*s) for s in values), rel=ROUNDING
    )
    assert measures.squared_norm(at) == pytest.approx(math.fsum(at.theta**2), rel=ROUNDING)


def input_gradients(point, theta):
    """The root mean square of df/dx by autograd."""
    params = point.loss.layers(theta)

    def f(x):
        for k, (W, b) in enumerate(params):
            x = anp.dot(x, W) + (0 if b is None else b)
            x = x if k == len(params) - 1 else x * (x > 0)
        return x

    return math.sqrt(np.mean([np.sum(autograd.jacobian(f)(x) ** 2) for x in point.loss.x]))


def test_input_gradient_agrees_with_autograd_through_the_inputs(at):
    assert measures.input_gradient_norm(at) == pytest.approx(
        input_gradients(at, at.theta), rel=ROUNDING
    )


def test_input_gradient_of_a_reparametrized_loss_is_that_of_the_function(at):
    halved = sm.reparametrize(at.loss, sm.linear_map(np.eye(at.loss.size) / 2))
    twice = sm.reparametrize(halved, sm.linear_map(np.eye(at.loss.size) / 2))
    for loss, eta in ((halved, 2 * at.theta), (twice, 4 * at.theta)):
        assert measures.input_gradient_norm(Point(loss, eta)) == measures.input_gradient_norm(at)
    assert measures.MEASURES["input_gradient_norm"].function_space


def test_layers_must_be_theta():
    class Other(sm.NetworkLoss):
        def layers(self, theta):
            return super().layers(theta[::-1])

    with pytest.raises(Undefined, match="layers must hold theta in the order of ravel"):
        measures.path_norm(Point(Other((1, 1, 1), [[1.0]], [1.0]), [1.0, 2.0]))


@pytest.mark.claim("proposition-fisher-rao")
def test_fisher_rao_survives_what_is_homogeneous_and_curved_and_no_shift():
    point = interpolating((3, 4, 2))
    c = np.random.default_rng(1).normal(size=len(point.theta))

    def find_factor(eta):
        return 1 + (eta @ c) ** 2 / (eta @ eta)

    curved = sm.Map(lambda eta: eta * find_factor(eta), lambda theta: theta / find_factor(theta))
    weight_norm = sm.weight_norm_map(len(point.theta))
    shift = sm.Map(lambda eta: eta + c, lambda theta: theta - c)
    here = measures.fisher_rao(point)
    for g in (curved, weight_norm):
        there = Point(sm.reparametrize(point.loss, g), g.inverse(point.theta))
        assert measures.fisher_rao(there) == pytest.approx(here, rel=1e-10)
    shifted = Point(sm.reparametrize(point.loss, shift), shift.inverse(point.theta))
    assert abs(measures.fisher_rao(shifted) / here - 1) > 0.01
