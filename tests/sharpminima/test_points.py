"""A point computes each thing once, and says what a loss lacks."""

import autograd.numpy as anp
import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

import sharpminima as sm
from sharpminima.measures import MEASURES
from sharpminima.points import AtKink, Point, Undefined, evaluate
from sharpminima.spectra import NEGLIGIBLE
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
    for key, m in MEASURES.items():
        if key == "m_sharpness":  # it looks at other losses, those of the batches
            continue
        try:
            m(point)
        except (
            Undefined
        ):  # a margin needs classes, a learning coefficient a place where it is known
            continue
    assert sorted(calls) == ["fisher", "hessian"]


def test_predictions_at_inputs_of_ones_own():
    point = interpolating((3, 4, 2))
    loss, theta = point.loss, point.theta
    x = np.random.default_rng(0).normal(size=(5, 3))
    expected = sm.forward(loss.layers(theta), x)
    np.testing.assert_array_equal(point.predict(x), expected)
    twice = sm.reparametrize(loss, sm.linear_map(2 * np.eye(len(theta))))
    np.testing.assert_allclose(Point(twice, theta / 2).predict(x), expected, rtol=1e-12)
    mirrored = Point(loss, theta, inputs=lambda x: -x)
    np.testing.assert_array_equal(mirrored.predict(-x), expected)
    with pytest.raises(ValueError, match="x must have the network's 3 inputs in each row, got 2"):
        point.predict(x[:, :2])
    with pytest.raises(Undefined, match=r"bring predict\(theta, x\)"):
        Point(lambda theta: theta @ theta, theta).predict(x)


def test_a_loss_may_bring_predictions_of_its_own():
    class Own:
        def __call__(self, theta):
            return theta @ theta

        def predict(self, theta, x):
            return theta[0] * x

    assert Point(Own(), [3.0]).predict([[2.0]]).item() == 6.0


def test_options_of_a_measure_are_reachable():
    point = interpolating((3, 4, 2))
    sam = MEASURES["sam_worst"]
    assert sam(point, rho=0.1) == sam.with_(rho=0.1)(point) == pytest.approx(4 * sam(point))
    with pytest.raises(TypeError, match="options of SAM, worst must be among rho, got radius"):
        sam.with_(radius=1)


def test_a_point_keeps_its_own_copy_of_theta():
    theta = np.array([3.0, 1.0])
    point = Point(lambda t: t[0] * t[1], theta)
    theta[:] = 0
    assert point.value == 3.0
    with pytest.raises(ValueError, match="theta must be a vector"):
        Point(lambda t: 0.0, np.zeros((2, 2)))


@pytest.mark.parametrize(("d_in", "n_samples"), [(1, 1), (3, 1), (3, 2), (3, 5)])
def test_a_linear_model_is_curved_as_f_says_along_all_that_its_samples_see(d_in, n_samples):
    """H and F are both x'x / N: their ratio is 1 for each of the directions that x spans."""
    x = np.vander(np.arange(1.0, n_samples + 1), d_in)
    point = Point(sm.NetworkLoss((d_in, 1), x, np.ones(n_samples)), np.ones(d_in))
    ones = np.ones(min(d_in, n_samples))
    np.testing.assert_allclose(point.relative_eigenvalues, ones, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("part", "n_seen"), [(0.5, 1), (2.0, 2)])
def test_f_sees_a_direction_that_is_not_negligible_against_what_it_sees_best(part, n_seen):
    """With inputs (1, 1) and (d, -d) the two eigenvalues of F have the ratio d^2."""
    d = np.sqrt(part * NEGLIGIBLE)
    point = Point(sm.NetworkLoss((2, 1), [[1, 1], [d, -d]], np.ones(2)), np.ones(2))
    assert len(point.relative_eigenvalues) == n_seen


def test_the_curvature_is_a_matrix_up_to_the_order_for_which_there_is_one(monkeypatch):
    monkeypatch.setattr("sharpminima.spectra.DENSE_ORDER", 3)
    for order, kind in ((3, np.ndarray), (4, LinearOperator)):
        assert isinstance(Point(lambda t: anp.sum(t**2), np.ones(order)).curvature, kind)


def test_the_original_of_a_point_is_the_point_unless_it_was_reparametrized():
    here = interpolating((3, 4, 2))
    assert here.original is here
    twice = sm.reparametrize(here.loss, sm.linear_map(2 * np.eye(len(here.theta))))
    for twin in (Point(twice, here.theta / 2), AtKink(twice, here.theta / 2, "a kink")):
        assert type(twin.original) is type(twin) and twin.original.loss is here.loss
        np.testing.assert_array_equal(twin.original.theta, here.theta)


def test_why_a_measure_has_no_value_is_said_in_the_words_of_its_error():
    def refuse(error):
        def measure(point):
            raise error

        return measure

    point = Point(lambda t: t[0], [1.0])
    with pytest.raises(Undefined, match="^no angle here$"):
        evaluate(refuse(ValueError("no angle here")), point)
    with pytest.raises(Undefined, match="^ZeroDivisionError$"):
        evaluate(refuse(ZeroDivisionError()), point)
    with pytest.raises(Undefined, match="its value is inf"):
        evaluate(lambda point: np.inf, point)


@pytest.mark.parametrize("value", [np.array([1.0]), "1", True, None, 1j])
def test_what_is_no_number_is_no_value_of_a_measure(value):
    with pytest.raises(TypeError, match="measure must return a number, got "):
        evaluate(lambda point: value, Point(lambda t: t[0], [1.0]))


def test_no_other_diagonal_is_computed_where_there_is_a_hessian():
    class Own(sm.NetworkLoss):
        def hessian_diagonal(self, theta):
            raise NotImplementedError

    here = interpolating((3, 4, 2))
    point = Point(Own(here.loss.widths, here.loss.x, here.loss.y), here.theta)
    np.testing.assert_array_equal(np.diag(point.hessian), point.hessian_diagonal)


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
