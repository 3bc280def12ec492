"""Where the numbers end: what is promised of factors, units and degenerate networks, and that no
digit is lost in silence.

The page *The library* says the same in words. Not seen here: where single functions hand the
problem to SciPy, for which see their own tests.
"""

import numpy as np
import pytest

import sharpminima as sm

from .support import EPS, ROUNDING, TINY, apart

WIDTHS = (3, 4, 2)
# Sums of at most 7 * 4 products, each rounded once, and twice as many once they are differentiated.
A_FEW_ROUNDINGS = 64 * EPS
FACTORS = (1e-150, 1e-100, 1e-8, 3.0, 1e8, 1e100, 1e150)
UNITS = (1e-100, 1e-50, 1e-3, 7.0, 1e50, 1e100)


@pytest.fixture(params=["squared_error", "cross_entropy"])
def criterion(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "biased"])
def network(request, criterion):
    """A loss, a random point of it, and the sizes of the blocks that a factor scales alike."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 3))
    y = rng.normal(size=(7, 2))
    if criterion == "cross_entropy":
        y = rng.integers(2, size=7)
    loss = sm.NetworkLoss(WIDTHS, x, y, criterion=criterion, bias=request.param)
    blocks = (12, 4, 8, 2) if request.param else loss.sizes
    return loss, rng.normal(size=loss.size), blocks


@pytest.mark.parametrize("alpha", FACTORS)
def test_layers_scaled_by_any_factor_keep_all_digits(network, alpha):
    """From 1e-150 to 1e150: beyond, entries of the twin's Hessian leave float64."""
    loss, theta, blocks = network
    alphas = (alpha, 1 / alpha)
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), alphas))
    d = sm.alpha_diagonal(WIDTHS, alphas, bias=loss.bias)
    assert apart(loss.outputs(twin), loss.outputs(theta)) < A_FEW_ROUNDINGS
    assert apart(sm.gradient(loss, twin) * d, sm.gradient(loss, theta)) < A_FEW_ROUNDINGS
    H, twins_H = sm.hessian(loss, theta), sm.hessian(loss, twin)
    assert apart(twins_H * d[:, None] * d, H) < A_FEW_ROUNDINGS
    expected = H / d[:, None] / d
    assert apart(sm.trace(twins_H), sm.trace(expected)) < A_FEW_ROUNDINGS
    assert apart(sm.spectral_norm(twins_H), sm.spectral_norm(expected)) < A_FEW_ROUNDINGS
    # Beside an eigenvalue that is 1e300 times as large small ones are lost, but not in the balanced
    # matrix.
    assert sm.inertia(twins_H, sizes=blocks) == sm.inertia(H, sizes=blocks)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_beyond_that_it_is_said(network):
    loss, theta, _ = network
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (1e160, 1e-160)))
    with pytest.raises(ValueError, match="must be finite|finite derivatives"):
        sm.hessian(loss, twin)
    with pytest.raises(ValueError, match="alphas must leave params finite"):
        sm.alpha_scale(loss.layers(1e200 * theta), (1e200, 1e-200))
    with pytest.raises(ValueError, match=r"scales\[0\] must be positive, got .*; 2.2e-308 is"):
        sm.node_diagonal(WIDTHS, [np.full(4, 1e-310)])
    with pytest.raises(ValueError, match="scales must leave params finite"):
        sm.node_scale(loss.layers(1e200 * theta), [np.full(4, 1e200)])


def test_powers_of_two_lose_nothing_at_all(network):
    loss, theta, _ = network
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (2.0**400, 2.0**-400)))
    assert (loss.outputs(twin) == loss.outputs(theta)).all()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("bias", [False, True])
def test_targets_may_have_any_unit(unit, bias):
    """All is as in another unit, from 1e-100 to 1e100: the loss has the targets' unit, squared."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    loss = sm.NetworkLoss(WIDTHS, x, y, bias=bias)
    theta = rng.normal(size=loss.size)
    other = loss.on(x, unit * y)
    *hidden, (weight, b) = loss.layers(theta)
    there = sm.ravel([*hidden, sm.Layer(unit * weight, None if b is None else unit * b)])
    d = there / theta  # 1 for the hidden layer, the unit for the last one
    assert apart(other(there), unit**2 * loss(theta)) < A_FEW_ROUNDINGS
    assert apart(other.gradient(there) * d / unit**2, loss.gradient(theta)) < ROUNDING
    H = other.hessian(there) * (d / unit)[:, None] * (d / unit)
    assert apart(H, loss.hessian(theta)) < ROUNDING
    # A verdict has no unit.
    here, seen = sm.examine(loss, theta), sm.examine(other, there)
    assert seen.genuine == here.genuine
    assert apart(seen.relative_margin, here.relative_margin) < ROUNDING


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_relative_has_no_unit(unit):
    """Where all layers take an equal part of the unit, no measurement of a minimum sees it: none
    overflows, and none vanishes.
    """
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    loss = sm.NetworkLoss(WIDTHS, x, y)
    theta = rng.normal(size=loss.size)
    here = sm.examine(loss, theta)
    seen = sm.examine(loss.on(x, unit * y), np.sqrt(unit) * theta)
    for name in ("relative_gradient", "relative_margin", "relative_curvature"):
        assert apart(getattr(seen, name), getattr(here, name)) < ROUNDING


@pytest.mark.parametrize("unit", UNITS)
def test_a_minimum_is_found_in_any_unit(unit):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
    loss = sm.NetworkLoss((3, 6, 1), x, unit * y)
    *hidden, (weight, _) = sm.init_params((3, 6, 1), rng=rng)
    found = sm.polish(loss, sm.ravel([*hidden, sm.Layer(unit * weight)]))
    assert found.genuine, found
    assert np.abs(loss.outputs(found.theta) - unit * y).max() < 1e-9 * unit


def test_a_single_parameter():
    loss = sm.NetworkLoss((1, 1), [[2.0]], [6.0])
    theta, rng = [1.0], np.random.default_rng(0)
    assert loss(theta) == 8.0 and sm.gradient(loss, theta) == [-8.0]
    H = sm.hessian(loss, theta)
    assert H.tolist() == [[4.0]] and sm.hessian_diagonal(loss, theta).tolist() == [4.0]
    assert sm.hvp(loss, theta, [0.5]).tolist() == [2.0]
    assert sm.eigenvalues(H).tolist() == [4.0] and sm.spectral_norm(H) == 4.0
    assert sm.leading_eigenvalues(H, 1, rng=rng).tolist() == [4.0]
    assert sm.inertia(H) == (1, 0, 0) and sm.numerical_rank(H) == 1
    assert sm.sharpest_direction(loss, theta, rng=rng).tolist() == [1.0]
    assert sm.spectral_density(H, rng=rng, probes=2).ends == (4.0, 4.0)
    assert sm.examine(loss, [3.0]).genuine and sm.polish(loss, theta).theta == pytest.approx([3.0])
    assert not sm.kinks(loss, theta, tol=1e300), "no hidden unit, no kink"
    # (1 + 1/2 - 3)^2 / 2 * 4 = 4.5 at one end of the ball, 12.5 at the other.
    assert sm.epsilon_sharpness(loss, theta, 0.5, rng=rng).value == pytest.approx((12.5 - 8) / 9)


def test_a_single_sample(criterion):
    y = [[0.5, -1.0]] if criterion == "squared_error" else [1]
    loss = sm.NetworkLoss(WIDTHS, [[1.0, -2.0, 0.5]], y, criterion=criterion)
    theta = np.random.default_rng(0).normal(size=loss.size)
    H = sm.hessian(loss, theta, method="autograd")
    assert apart(sm.hessian(loss, theta), H) < ROUNDING
    assert apart(sm.gauss_newton(loss, theta), sm.gauss_newton(loss, theta).T) == 0
    assert np.isfinite(sm.examine(loss, theta).smallest_eigenvalue)
    assert len(loss.take([0]).x) == 1


@pytest.fixture
def dead(criterion):
    """A network whose hidden units are all off: no parameter of it matters but to the last bias."""
    rng = np.random.default_rng(0)
    x = np.abs(rng.normal(size=(6, 3)))
    y = rng.normal(size=(6, 2)) if criterion == "squared_error" else rng.integers(2, size=6)
    loss = sm.NetworkLoss(WIDTHS, x, y, criterion=criterion)
    return loss, np.concatenate([-np.ones(12), rng.normal(size=8)])


def test_a_network_whose_units_are_all_off(dead):
    """Its Hessian is zero, and every answer says so: no NaN, no division by it."""
    loss, theta = dead
    rng = np.random.default_rng(0)
    H = sm.hessian(loss, theta)
    assert (loss.outputs(theta) == 0).all() and not sm.gradient(loss, theta).any() and not H.any()
    assert sm.spectral_norm(H) == 0 and sm.trace(H) == 0 and sm.inertia(H) == (0, 0, 20)
    operator = sm.hessian_operator(loss, theta)
    assert sm.leading_eigenvalues(operator, 2, rng=rng).tolist() == [0, 0]
    assert sm.spectral_norm(operator, rng=rng) == 0
    assert np.linalg.norm(sm.sharpest_direction(loss, theta, rng=rng)) == pytest.approx(1)
    assert sm.balance(H, loss.sizes)[1].tolist() == [1.0] * 20
    assert sm.spectral_density(H, rng=rng, probes=2).ends == (0, 0)
    assert not sm.kinks(loss, theta, tol=1e-3), "off in a whole neighbourhood"
    found = sm.examine(loss, theta)
    assert not found.genuine and "curvature is 0 of" in str(found)
    assert not sm.polish(loss, theta).genuine
    values = {}
    for name, measure in sm.MEASURES.items():
        try:
            values[name] = measure(sm.Point(loss, theta))
        except (sm.Undefined, ValueError) as error:
            values[name] = str(error)
    assert values["trace"] == values["largest_eigenvalue"] == values["hessian_rank"] == 0
    numbers = [value for value in values.values() if not isinstance(value, str)]
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("size", [1.0, 1e-200, 1e200])
def test_eigenvalues_that_are_all_equal(size):
    """Lanczos iteration may find fewer of several equal ones than there are, never another
    value.
    """
    rng = np.random.default_rng(0)
    H = size * np.eye(6)
    assert sm.eigenvalues(H).tolist() == [size] * 6
    assert sm.inertia(H) == (6, 0, 0)
    for which in ("largest", "smallest"):
        values, vectors = sm.leading_eigenvectors(H, 1, rng=rng, which=which)
        assert apart(values, np.array([size])) < ROUNDING
        assert np.linalg.norm(vectors) == pytest.approx(1)
    density = sm.spectral_density(H, rng=rng, probes=2)
    assert apart(np.array(density.ends), np.array([size, size])) < ROUNDING
    assert density.resolution == 0
    spread = sm.spectral_density(size * np.diag([1.0, 2.0, 4.0]), rng=rng, probes=2)
    assert apart(np.array(spread.ends), np.array([size, 4 * size])) < ROUNDING
    pair = np.diag([3.0, 3.0, 1.0, 0.0])
    assert sm.eigenvalues(pair).tolist() == [3, 3, 1, 0] and sm.inertia(pair) == (3, 0, 1)


def test_exact_ties():
    """A pre-activation that is zero is a kink, with the derivative 0; two largest logits have no
    margin.
    """
    loss = sm.NetworkLoss((2, 2, 1), [[1.0, 1.0]], [1.0])
    theta = np.array([1.0, 2.0, -1.0, 1.0, 1.0, 1.0])  # the first unit sees 1 - 1
    report = sm.kinks(loss, theta, tol=TINY)
    assert report.margin == 0 and report.where.tolist() == [[1, 0, 0]]
    assert sm.gradient(loss, theta)[[0, 2, 4]].tolist() == [0, 0, 0]
    tied = sm.NetworkLoss((1, 2), [[1.0]], [0], criterion="cross_entropy")
    assert tied([1.0, 1.0]) == pytest.approx(np.log(2), rel=ROUNDING)
    with pytest.raises(sm.Undefined, match="margin is not positive"):
        sm.MEASURES["path_norm_over_margin"](sm.Point(tied, [1.0, 1.0]))
    assert sm.local_minima(np.ones((3, 3))) == 0, "a minimum is below all its neighbours"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_float64_ends_a_loss_is_infinite_and_has_no_derivative(network):
    loss, theta, _ = network
    assert not np.isfinite(loss(1e200 * theta))
    for derive in (sm.gradient, sm.hessian, sm.hessian_diagonal):
        with pytest.raises(ValueError, match="must be finite|finite derivatives"):
            derive(loss, 1e200 * theta)


def test_decay_does_not_see_what_does_not_decay():
    loss = sm.NetworkLoss((1, 2), [[0.0]], [[0.0, 0.0]], l2=[0.0, 1.0])
    assert loss.penalty([1e200, 1.0]) == 0.5, "0 times the square of 1e200 is 0, not NaN"


def test_numbers_without_all_their_digits_are_no_scale():
    """The reciprocal of a subnormal number is infinite or has lost digits."""
    with pytest.raises(ValueError, match="H must have blocks whose mean diagonal entry is 0 or"):
        sm.balance(np.full((4, 4), 1e-320), (2, 2))
    balanced, s = sm.balance(np.full((4, 4), 1e-300), (2, 2))
    assert apart(balanced, np.ones((4, 4))) < ROUNDING and np.isfinite(s).all()
