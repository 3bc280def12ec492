"""Losses that resemble those of plain rectified networks, with layers of the same shapes: where a
measure's formula holds it is right, and elsewhere the measure is undefined.

Right is what autograd gives for the network that computes the outputs.
"""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import sharpminima as sm
from sharpminima.measures import MEASURES
from sharpminima.networks import pre_activations
from sharpminima.points import Point, Undefined

WIDTHS = (5, 6, 6, 6, 3)


def leaky_relu(z):
    return anp.where(z > 0, z, 0.1 * z)


class Leaky(sm.NetworkLoss):
    def outputs(self, theta):
        return pre_activations(self.layers(theta), self.x, activation=leaky_relu)[-1]


class Tanh(sm.NetworkLoss):
    def outputs(self, theta):
        return pre_activations(self.layers(theta), self.x, activation=anp.tanh)[-1]


class Decayed(sm.NetworkLoss):
    """With weight decay."""

    def __call__(self, theta):
        return super().__call__(theta) + 0.05 * anp.sum(theta**2)


class Half(sm.NetworkLoss):
    def __call__(self, theta):
        return super().__call__(theta) / 2


class Huber(sm.NetworkLoss):
    def criterion_value(self, outputs):
        error = anp.abs(outputs - self.y)
        return anp.sum(anp.where(error < 1, error**2 / 2, error - 0.5)) / len(self.x)


class Weighted(sm.NetworkLoss):
    """With weights for the samples."""

    weights = np.arange(20) % 3 + 1.0

    def criterion_value(self, outputs):
        errors = anp.sum((outputs - self.y) ** 2, axis=1)
        return anp.sum(self.weights * errors) / (2 * anp.sum(self.weights))


OTHER_OUTPUTS = (sm.ResidualLoss, Leaky, Tanh)
OTHER_VALUE = (Decayed, Half, Huber, Weighted)
READ_OFF_OUTPUTS = ("input_gradient_norm", "path_norm")
READ_OFF_BOTH = (
    "minimum_sharpness_layers",
    "minimum_sharpness_units",
    "relative_flatness_normalized",
)
OF_FISHER = (
    "fisher_trace",
    "fisher_rao",
    "fisher_rao_labels",
    "relative_largest_eigenvalue",
    "relative_trace",
    "laplace_evidence",
)


def at(kind):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 3))
    return Point(kind(WIDTHS, x, y), sm.ravel(sm.init_params(WIDTHS, rng=rng)))


@pytest.mark.parametrize("name", (*READ_OFF_OUTPUTS, *READ_OFF_BOTH))
@pytest.mark.parametrize("kind", OTHER_OUTPUTS)
def test_what_is_read_off_rectified_layers_is_undefined_for_other_layers(kind, name):
    point = at(kind)
    seen_through = sm.reparametrize(point.loss, sm.linear_map(2 * np.eye(len(point.theta))))
    for there in (point, Point(seen_through, point.theta / 2)):
        with pytest.raises(Undefined, match=f"plain rectified layers, got {kind.__name__}"):
            MEASURES[name](there)


@pytest.mark.parametrize("name", READ_OFF_OUTPUTS)
@pytest.mark.parametrize("kind", OTHER_VALUE)
def test_what_the_outputs_determine_is_right_for_another_value(kind, name):
    assert MEASURES[name](at(kind)) == MEASURES[name](at(sm.NetworkLoss))


@pytest.mark.parametrize("name", (*OF_FISHER, *READ_OFF_BOTH))
@pytest.mark.parametrize("kind", OTHER_VALUE)
def test_what_goes_by_the_criterion_is_undefined_for_another_value(kind, name):
    with pytest.raises(
        Undefined, match=f"mean of its criterion, squared_error, got {kind.__name__}"
    ):
        MEASURES[name](at(kind))


@pytest.mark.parametrize("kind", OTHER_OUTPUTS)
def test_the_fisher_information_of_other_layers_is_that_of_their_outputs(kind):
    point = at(kind)
    J = autograd.jacobian(point.loss.outputs)(point.theta)
    F = np.einsum("nci,ncj->ij", J, J) / len(J)
    assert MEASURES["fisher_trace"](point) == pytest.approx(np.trace(F), rel=1e-12)
    assert MEASURES["fisher_rao"](point) == pytest.approx(point.theta @ F @ point.theta, rel=1e-12)
    slopes = np.einsum("nc,nci,i->n", point.outputs - point.loss.y, J, point.theta)
    assert MEASURES["fisher_rao_labels"](point) == pytest.approx(np.mean(slopes**2), rel=1e-12)
    sign, log_determinant = np.linalg.slogdet(np.eye(len(F)) + len(J) * F)
    residuals = np.sum((point.outputs - point.loss.y) ** 2)
    constant = point.outputs.size * np.log(2 * np.pi)
    evidence = (residuals + constant + point.theta @ point.theta + log_determinant) / 2
    assert sign == 1 and MEASURES["laplace_evidence"](point) == pytest.approx(evidence, rel=1e-12)


@pytest.mark.parametrize("kind", (*OTHER_OUTPUTS, *OTHER_VALUE))
def test_measures_of_the_hessian_are_those_of_autograds(kind):
    point = at(kind)
    H = autograd.hessian(point.loss)(point.theta)
    largest = np.linalg.eigvalsh(H)[-1]
    assert MEASURES["trace"](point) == pytest.approx(np.trace(H), rel=1e-10)
    assert MEASURES["largest_eigenvalue"](point) == pytest.approx(largest, rel=1e-10)
    assert MEASURES["asam_average"](point) == pytest.approx(
        0.5**2 / 2 * (point.theta**2 @ np.diag(H)), rel=1e-10
    )


def test_a_gauss_newton_matrix_of_its_own_is_used():
    class Own(Half):
        def gauss_newton(self, theta):
            return sm.gauss_newton(sm.NetworkLoss(self.widths, self.x, self.y), theta) / 2

    plain = MEASURES["fisher_trace"](at(sm.NetworkLoss))
    assert MEASURES["fisher_trace"](at(Own)) == pytest.approx(plain / 2, rel=1e-12)
