"""What is read off the Hessian and the Fisher information, against loops, other factorizations, and
the integral that the Laplace evidence approximates.
"""

import math

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.linalg

import sharpminima as sm
from sharpminima import measures
from sharpminima.points import Point, Undefined
from tests.sharpminima.measures.support import interpolating, toy
from tests.sharpminima.support import EPS, ROUNDING


def test_trace_norm_and_eigenvalue_agree_with_loops(at):
    H = sm.hessian(at.loss, at.theta, method="autograd")
    assert measures.trace(at) == pytest.approx(sum(H[i, i] for i in range(len(H))), rel=ROUNDING)
    assert measures.frobenius_norm(at) == pytest.approx(
        math.sqrt(math.fsum(h**2 for h in H.ravel())), rel=ROUNDING
    )
    assert measures.largest_eigenvalue(at) == pytest.approx(
        max(np.linalg.eigvals(H).real), rel=1e-10
    )
    assert measures.gradient_norm(at) == pytest.approx(
        math.hypot(*sm.gradient(at.loss, at.theta)), rel=ROUNDING
    )
    assert measures.hessian_rank(at) == np.linalg.matrix_rank(H, tol=1e-12)
    assert measures.negative_eigenvalues(at) == (np.linalg.eigvals(H).real < -1e-12).sum() > 0


def test_the_trace_of_fisher_is_that_of_the_hessian(at):
    assert measures.fisher_trace(at) == pytest.approx(measures.trace(at), rel=ROUNDING)


def test_log_determinant_agrees_with_an_lu_factorization():
    point = interpolating((3, 4, 2))
    for delta in (1.0, 1e-4):
        sign, logs = np.linalg.slogdet(point.hessian + delta * np.eye(len(point.theta)))
        assert sign == 1 and measures.log_determinant(point, delta=delta) == pytest.approx(
            logs, rel=1e-8
        )


def bowl(*curvatures, at=0.0):
    """A point of a loss whose Hessian is diagonal."""
    d = np.array(curvatures)
    return Point(lambda theta: anp.sum(d * theta**2) / 2, np.full(len(d), at))


@pytest.mark.parametrize(("least", "counted"), [(2.0**-11, 0.0), (2.0**-10, 2.0**-10)])
def test_log_determinant_takes_curvatures_of_the_size_of_rounding_for_zero(least, counted):
    """Of two curvatures, the larger 2^40, what is above 2 eps 2^40 = 2^-11 counts."""
    expected = math.log(2.0**40) + math.log(counted + 2.0**-20)
    found = measures.log_determinant(bowl(2.0**40, least), delta=2.0**-20)
    assert found == pytest.approx(expected, rel=1e-12)


def test_log_determinant_of_a_zero_hessian_is_that_of_the_damping():
    flat = Point(lambda theta: 0 * anp.sum(theta**2), np.ones(3))
    assert measures.log_determinant(flat, delta=2.0) == pytest.approx(3 * math.log(2), rel=4 * EPS)


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_laplace_evidence_is_the_integral_of_the_quadratic_approximation(criterion):
    """Against the Gaussian integral over two parameters, on a grid, of what the approximation puts
    in the exponent.
    """
    x, y = [[1.0], [-0.5], [2.0]], [1.0, 0.0, 2.0] if criterion == "squared_error" else [0, 1, 1]
    widths = (1, 1, 1) if criterion == "squared_error" else (1, 2)
    point = Point(sm.NetworkLoss(widths, x, y, criterion=criterion), [0.7, 1.1])
    P = 3 * point.fisher + 2.0 * np.eye(2)
    grid = np.linspace(
        -12, 12, 1201
    )  # the trapezoidal rule is exact to rounding for a Gaussian this wide
    u, v = np.meshgrid(grid, grid)
    exponent = -(P[0, 0] * u**2 + 2 * P[0, 1] * u * v + P[1, 1] * v**2) / 2
    log_volume = math.log(np.exp(exponent).sum() * (grid[1] - grid[0]) ** 2)
    log_prior = math.log(2.0 / (2 * math.pi)) - 2.0 / 2 * point.theta @ point.theta
    log_likelihood = -3 * point.value - (
        1.5 * math.log(2 * math.pi) if criterion == "squared_error" else 0
    )
    evidence = log_likelihood + log_prior + log_volume
    assert measures.laplace_evidence(point, precision=2.0) == pytest.approx(-evidence, rel=1e-10)


class Curve:
    """Outputs that are no network's: their Gauss-Newton matrix is regular and differs from the
    Hessian.
    """

    criterion, x = "squared_error", np.zeros((3, 1))

    def outputs(self, theta):
        a, b = theta
        return anp.stack([anp.array([a * a + b]), anp.array([anp.sin(b)]), anp.array([a * b + 1])])

    def __call__(self, theta):
        return anp.sum(self.outputs(theta) ** 2) / 6


def test_relative_eigenvalues_solve_the_generalized_problem():
    point = Point(Curve(), [0.8, 1.3])
    expected = scipy.linalg.eigh(point.hessian, point.fisher, eigvals_only=True)
    assert measures.relative_largest_eigenvalue(point) == pytest.approx(expected[-1], rel=1e-12)
    assert measures.relative_trace(point) == pytest.approx(
        np.trace(np.linalg.pinv(point.fisher) @ point.hessian), rel=1e-12
    )
    assert abs(expected[-1] - 1) > 0.1


@pytest.mark.claim("proposition-no-free-lunch")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_where_h_is_f_the_relative_curvatures_are_ones(criterion):
    point = interpolating((4, 6, 3), criterion=criterion)
    assert measures.relative_largest_eigenvalue(point) == pytest.approx(1, rel=1e-10)
    assert measures.relative_trace(point) == pytest.approx(
        np.linalg.matrix_rank(point.fisher, tol=1e-10), rel=1e-10
    )


def test_relative_curvature_is_undefined_where_f_misses_directions_that_h_sees(at):
    with pytest.raises(Undefined, match="F is singular in directions in which H is not"):
        measures.relative_trace(at)


def test_relative_curvature_is_undefined_where_f_is_zero():
    with pytest.raises(Undefined, match="F is zero here"):
        measures.relative_largest_eigenvalue(toy(0.0, 0.0, 0.0))


@pytest.mark.parametrize(("least", "damped"), [(-1.0, "0"), (-1.5, "-0.5"), (-2.0, "-1")])
def test_log_determinant_needs_a_positive_definite_matrix(least, damped):
    message = rf"H \+ 1 is not positive definite here, its least eigenvalue is {damped}$"
    with pytest.raises(Undefined, match=message):
        measures.log_determinant(bowl(5.0, least))


def test_negative_curvature_adds_nothing_to_the_effective_dimension():
    assert measures.effective_dimension(bowl(3.0, -0.5)) == pytest.approx(3 / 4, rel=1e-12)
