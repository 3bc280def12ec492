"""A point computes each thing once, and says what a loss lacks."""

import autograd.numpy as anp
import numpy as np
import pytest

import sharpminima as sm
from sharpminima.measures import MEASURES
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating
from tests.sharpminima.support import ROUNDING


def test_all_measures_share_what_a_point_computes():
    calls = []

    class Counting(sm.NetworkLoss):
        def hessian(self, theta, *, out=None):
            calls.append("hessian")
            return super().hessian(theta, out=out)

        def gauss_newton(self, theta, *, out=None):
            calls.append("fisher")
            return super().gauss_newton(theta, out=out)

    here = interpolating((3, 4, 2))
    point = Point(Counting(here.loss.widths, here.loss.x, here.loss.y), here.theta)
    assert not calls
    for m in MEASURES.values():
        m(point)
    assert sorted(calls) == ["fisher", "hessian"]


def test_a_point_keeps_its_own_copy_of_theta():
    theta = np.array([3.0, 1.0])
    point = Point(lambda t: t[0] * t[1], theta)
    theta[:] = 0
    assert point.value == 3.0
    with pytest.raises(ValueError, match="theta must be a vector"):
        Point(lambda t: 0.0, np.zeros((2, 2)))


def test_the_diagonal_is_read_off_a_hessian_that_is_there(small):
    fresh = Point(*small)
    np.testing.assert_allclose(fresh.hessian_diagonal, np.diag(fresh.hessian), rtol=ROUNDING)
    plain = Point(lambda t: t[0] ** 2 * t[1], [3.0, 1.0])
    np.testing.assert_array_equal(plain.hessian_diagonal, [2, 0])


NEEDS = {
    "asam_filter_worst": "layers",
    "path_norm": "layers",
    "minimum_sharpness_units": "layers",
    "fisher_rao": "outputs",
    "fisher_trace": "outputs",
    "fisher_rao_labels": "y",
    "input_gradient_norm": "layers",
}


@pytest.mark.parametrize("name, missing", NEEDS.items())
def test_a_loss_that_does_not_know_enough_has_no_value(name, missing):
    with pytest.raises(Undefined, match=f"the loss must have {missing}, which .* lacks"):
        MEASURES[name](Point(lambda theta: anp.sum(theta**2), np.ones(3)))
