"""Maps against their formulas, and the rule for gradient and Hessian of L∘g against autograd on the
composition.

Derivatives of g come from autograd: they are compared with the closed forms of appendix A and of
figure 5 and with central differences, so that an error of autograd or of the implicit function
theorem would show. All losses here are smooth but the network's, whose points keep 1e-3 from kinks.
On the spheres where a radial map bends nothing is compared: there it refuses.
"""

import itertools
import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

import sharpminima as sm
from tests.sharpminima.support import DIFFERENCES, EPS, ROUNDING, STEP, apart, differences

CENTER = np.array([0.3, -0.2, 0.5])


def wavy(theta):
    """A loss with all derivatives, none of them zero, and no minimum anywhere near."""
    return anp.sum(anp.sin(theta)) + anp.exp(theta[0] * theta[1] - theta[2]) / 2


def valley(theta):
    """A loss with a critical point at CENTER whose Hessian has one eigenvalue of each sign and one
    that is zero.
    """
    u = theta - CENTER
    return u[0] ** 2 + 2 * u[0] * u[1] - u[1] ** 2 + u[2] ** 4 + u[0] * u[2] ** 2


seeds = st.integers(0, 2**32 - 1)


@st.composite
def maps(draw):
    """A map of three parameters that is one-to-one, and an eta away from its kinks; some are
    compositions.
    """
    rng = np.random.default_rng(draw(seeds))
    kinds = {
        "linear": lambda: sm.linear_map(np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3))),
        "elementwise": lambda: sm.elementwise_map(rng.uniform(0.1, 1, 3)),
        "power": lambda: sm.power_map(CENTER, rng.uniform(-0.3, 1), rng.uniform(0.1, 2)),
        "radial": lambda: sm.radial_map(
            CENTER, rng.uniform(0.3, 1), rng.uniform(0.3, 1), rng.uniform(1.2, 2)
        ),
    }
    g = kinds[draw(st.sampled_from(sorted(kinds)))]()
    if draw(st.booleans()):
        g = g @ kinds[draw(st.sampled_from(sorted(kinds)))]()
    eta = rng.normal(size=3) / 2
    # A kink within a step of eta shows as one-sided slopes that differ.
    ahead, behind = (
        np.stack([(g(eta + s * e) - g(eta)) / s for e in np.eye(3)])
        for s in (10 * STEP, -10 * STEP)
    )
    assume(np.abs(ahead - behind).max() < 0.01)
    return g, eta


# The rule


@pytest.mark.claim("proposition-hessian-rule")
@given(maps())
def test_gradient_and_hessian_follow_the_chain_rule(drawn):
    g, eta = drawn
    loss = sm.reparametrize(wavy, g)
    assert loss(eta) == wavy(g(eta))
    assert apart(sm.gradient(loss, eta), sm.gradient(wavy, g(eta)) @ g.derivative(eta)) < ROUNDING
    assert apart(sm.hessian(loss, eta), sm.hessian(loss, eta, method="autograd")) < ROUNDING


@given(maps())
def test_derivatives_of_maps_agree_with_differences(drawn):
    g, eta = drawn
    slope = np.array([1.0, -2.0, 0.5])
    assert apart(g.derivative(eta), differences(g, eta)) < DIFFERENCES
    second = differences(lambda e: slope @ g.derivative(e), eta)
    assert np.abs(g.second_derivative(eta, slope) - second).max() < DIFFERENCES * max(
        1, np.abs(second).max()
    )


@given(maps())
def test_the_hessian_of_the_composition_agrees_with_differences(drawn):
    g, eta = drawn
    loss = sm.reparametrize(wavy, g)
    H = differences(lambda e: sm.gradient(loss, e), eta)
    assert apart(sm.hessian(loss, eta), H) < DIFFERENCES


@pytest.mark.claim("definition-radial")
@given(maps())
def test_inverses_undo_maps_and_their_derivatives(drawn):
    g, eta = drawn
    theta = g(eta)
    condition = np.linalg.cond(g.derivative(eta))
    assert apart(g.inverse(theta), eta) < ROUNDING * condition
    assert apart(g(g.inverse(theta)), theta) < ROUNDING * condition
    assert (
        apart(g.inverse_derivative(theta) @ g.derivative(eta), np.eye(3)) < ROUNDING * condition**2
    )
    assert apart(g.inverse_derivative(theta), differences(g.inverse, theta)) < 10 * DIFFERENCES


@given(maps(), maps())
def test_two_maps_one_after_the_other_are_one(one, other):
    g, h = one[0], other[0]
    eta = other[1]
    nested = sm.reparametrize(sm.reparametrize(wavy, g), h)
    np.testing.assert_array_equal((g @ h)(eta), g(h(eta)))
    np.testing.assert_array_equal((g @ h).inverse(CENTER + 0.1), h.inverse(g.inverse(CENTER + 0.1)))
    assert nested(eta) == sm.reparametrize(wavy, g @ h)(eta)


def test_nested_losses_have_the_hessian_of_the_composition():
    g, h, eta = sm.power_map(CENTER, 0.4, 0.3), sm.elementwise_map(0.5), np.array([0.2, 0.1, -0.4])
    nested = sm.reparametrize(sm.reparametrize(wavy, g), h)
    assert apart(sm.hessian(nested, eta), sm.hessian(sm.reparametrize(wavy, g @ h), eta)) < ROUNDING
    with pytest.raises(TypeError, match="unsupported operand"):
        g @ 3


def test_away_from_a_critical_point_the_second_term_is_needed_and_can_change_signs():
    cube = sm.Map(lambda eta: eta**3 + eta, None)
    loss = sm.reparametrize(
        lambda theta: theta[0] + 0 * theta[0] ** 2, cube
    )  # a straight line has no curvature at all
    assert sm.hessian(loss, [0.5])[0, 0] == pytest.approx(3.0, rel=4 * EPS)
    assert sm.inertia(sm.hessian(loss, [0.5])) == (1, 0, 0) and sm.inertia(
        sm.hessian(loss, [-0.5])
    ) == (0, 1, 0)


def test_a_loss_with_a_hessian_of_its_own_is_asked():
    class Bowl:
        def __call__(self, theta):
            return anp.sum(theta**2) / 2

        def hessian(self, theta):
            return 7 * np.eye(2)

    loss = sm.reparametrize(Bowl(), sm.linear_map([[2.0, 0.0], [0.0, 3.0]]))
    np.testing.assert_array_equal(sm.hessian(loss, [1.0, 1.0]), np.diag([28.0, 63.0]))
    np.testing.assert_array_equal(
        sm.hessian(loss, [1.0, 1.0], method="autograd"), np.diag([4.0, 9.0])
    )


def test_no_map_makes_autograd_warn(recwarn):
    for g in (
        sm.linear_map(np.eye(3)),
        sm.Map(lambda eta: eta),
        sm.radial_map(CENTER, 0.5, 0.2, 1.0),
        sm.power_map(CENTER, 0.0, 0.0),
    ):
        sm.hessian(sm.reparametrize(wavy, g), np.zeros(3))
    assert not recwarn.list


def test_a_linear_map_bends_nowhere():
    g = sm.linear_map([[10.0]])
    assert g([3.0]) == 30 and g.inverse([30.0]) == 3
    assert g.second_derivative([3.0], [1.0]) == 0


# The door


@pytest.mark.claim("definition-reparametrization")
def test_functions_are_seen_through_g_and_weights_read_in_the_new_coordinates(small):
    loss, theta = small
    g = sm.elementwise_map(0.3)
    eta, there = g.inverse(theta), sm.reparametrize(loss, g)
    assert apart(there.outputs(eta), loss.outputs(theta)) < ROUNDING
    assert there.x is loss.x and there.y is loss.y and there.criterion == loss.criterion
    np.testing.assert_array_equal(sm.ravel(there.layers(eta)), eta)
    D = g.derivative(eta)
    assert apart(sm.jacobian(there, eta), sm.jacobian(loss, theta) @ D) < ROUNDING
    assert apart(sm.gauss_newton(there, eta), D.T @ sm.gauss_newton(loss, theta) @ D) < ROUNDING
    assert apart(sm.hessian(there, eta), sm.hessian(there, eta, method="autograd")) < ROUNDING


def test_with_weight_decay_the_gauss_newton_matrix_is_carried_over(small):
    loss, theta = small
    decayed, g = loss.like(l2=0.5), sm.elementwise_map(0.3)
    eta = g.inverse(theta)
    D, F = g.derivative(eta), sm.gauss_newton(loss, theta)
    assert apart(sm.gauss_newton(sm.reparametrize(decayed, g), eta), D.T @ F @ D) < ROUNDING


def test_a_loss_that_knows_nothing_but_its_value_stays_so():
    loss = sm.reparametrize(wavy, sm.elementwise_map(0.3))
    parts = ("outputs", "layers", "x", "y", "criterion", "gauss_newton")
    assert not any(hasattr(loss, part) for part in parts)
    assert repr(loss).startswith("reparametrize(<function wavy")


def test_arguments_are_left_alone_and_copied():
    center, M, c = CENTER.copy(), np.eye(3), np.ones(3)
    made = [
        sm.radial_map(center, 0.5, 0.2, 1.0),
        sm.power_map(center, 0.5, 0.2),
        sm.linear_map(M),
        sm.elementwise_map(c),
    ]
    before = [g(CENTER + 0.1) for g in made]
    center += 1
    M += 1
    c += 1
    for g, value in zip(made, before, strict=True):
        np.testing.assert_array_equal(g(CENTER + 0.1), value)


# Families


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_cubic_has_the_root_that_scipy_finds(c, theta):
    g = sm.elementwise_map(c)
    root = scipy.optimize.brentq(
        lambda x: x + c * x**3 - theta, -abs(theta) - 1, abs(theta) + 1, xtol=1e-300, rtol=4 * EPS
    )
    assert g.inverse([theta])[0] == pytest.approx(root, rel=20 * EPS, abs=1e-300)


exponents = st.floats(-0.45, 2)
offsets = st.floats(1e-3, 10)


@pytest.mark.claim("proposition-power")
@given(exponents, offsets, st.floats(-3, 3))
def test_figure_5_has_the_derivative_of_its_formula(a, b, u):
    theta_hat = np.array([0.7])
    g = sm.power_map(theta_hat, a, b)
    eta = g.inverse(theta_hat + u)
    assert eta[0] == pytest.approx((u**2 + b) ** a * u, rel=20 * EPS, abs=20 * EPS * b**a)
    slope = (u**2 + b) ** (a - 1) * ((1 + 2 * a) * u**2 + b)
    # theta - center carries an error of eps relative to theta, not to u: the slope changes by at
    # most |2u| eps / b of itself.
    assert g.derivative(eta)[0, 0] == pytest.approx(1 / slope, rel=ROUNDING * (1 + 1 / b))


@pytest.mark.claim("fig-reparametrization")
@given(exponents, offsets)
def test_at_the_center_curvature_is_multiplied_by_b_to_the_minus_2a(a, b):
    g = sm.power_map(CENTER, a, b)
    np.testing.assert_array_equal(g.inverse(CENTER), 0)
    H = sm.hessian(sm.reparametrize(valley, g), np.zeros(3), method="autograd")
    assert apart(H, b ** (-2 * a) * sm.hessian(valley, CENTER)) < ROUNDING


@given(st.floats(-0.45, 2), st.one_of(st.just(0.0), offsets), st.floats(1e-6, 1e6))
def test_the_implicit_inverse_solves_the_equation(a, b, size):
    g, direction = sm.power_map(np.zeros(2), a, b), np.array([0.6, -0.8])
    np.testing.assert_allclose(g.inverse(g(size * direction)), size * direction, rtol=ROUNDING)


@pytest.mark.parametrize("a", [-0.49, -1 / 3, -0.25, 0.0, 1 / 3, 0.5, 1.0])
@pytest.mark.parametrize("b", [0.0, 1e-100, 1e-9, 0.01, 1.0, 100.0, 1e9, 1e100])
def test_the_equation_is_solved_at_all_sizes(a, b):
    g = sm.power_map([0.0], a, b)
    assert g([0.0]) == 0 == g.inverse([0.0])
    for u in np.logspace(-45, 45, 61):
        eta = (u**2 + b) ** a * u
        assert g.inverse([u])[0] == pytest.approx(eta, rel=1e-12)
        # What rounding does to eta comes back multiplied by 1 / (1 + 2a), which is 50 at most.
        assert g([eta])[0] == pytest.approx(u, rel=1e-12)


@pytest.mark.parametrize("b", [0.01, 1.0, 100.0])
def test_the_equation_is_solved_for_a_steep_power(b):
    g = sm.power_map([0.0], 20.0, b)
    for u in np.logspace(-3, 3, 25):
        assert g([(u**2 + b) ** 20 * u])[0] == pytest.approx(u, rel=1e-12)


@pytest.mark.parametrize("a, b", [(-3e-15, 1e30), (-1e-14, 1e80), (3e-15, 1e30), (1e-14, 1e80)])
def test_the_equation_is_solved_where_the_power_is_hardly_one(a, b):
    """All bounds of the root are the root itself there, up to rounding."""
    for u in np.sqrt(b * np.linspace(0.5, 3, 40)):
        eta = (u**2 + b) ** a * u
        assert sm.power_map([0.0], a, b)([eta])[0] == pytest.approx(u, rel=1e-12)


@pytest.mark.parametrize("s", [10.0**k for k in range(150, 171, 2)])
def test_no_digit_is_lost_where_the_root_is_large(s):
    """For a = 1/2, q (q + b) = s has the root q = 2 s / (b + sqrt(b^2 + 4 s))."""
    b = 1e80
    q = 2 * s / (b + math.sqrt(b**2 + 4 * s))
    eta = math.sqrt(s)
    assert sm.power_map([0.0], 0.5, b)([eta])[0] == pytest.approx(eta / math.sqrt(q + b), rel=2e-15)


def test_with_an_exponent_of_zero_the_map_is_a_translation():
    g = sm.power_map(CENTER, 0.0, 0.0)
    for eta in (np.zeros(3), np.array([0.5, -1.0, 2.0])):
        np.testing.assert_array_equal(g(eta), CENTER + eta)
        np.testing.assert_array_equal(g.derivative(eta), np.eye(3))


@given(st.floats(-0.45, 2).filter(lambda a: abs(a) > 0.01))
def test_for_b_zero_the_map_is_one_to_one_but_no_diffeomorphism(a):
    g = sm.power_map([0.0], a, 0.0)
    assert g([0.0])[0] == 0 == g.inverse([0.0])[0]
    slopes = [g.derivative([eta])[0, 0] for eta in (1e-2, 1e-4)]
    power = 1 / (1 + 2 * a)
    np.testing.assert_allclose(
        slopes, [power * eta ** (power - 1) for eta in (1e-2, 1e-4)], rtol=ROUNDING * power
    )
    assert (slopes[1] > slopes[0]) == (a > 0)
    with pytest.raises(ValueError, match="with b = 0, g is no diffeomorphism at eta = 0"):
        sm.gradient(sm.reparametrize(lambda theta: theta[0], g), [0.0])


def test_a_of_minus_one_half_would_not_reach_beyond_one_and_less_would_turn_back():
    u = np.linspace(0, 50, 500)
    assert ((u**2 + 0.5) ** -0.5 * u < 1).all()
    lower = (u**2 + 0.5) ** -0.8 * u
    assert (
        u[lower.argmax()] == pytest.approx(math.sqrt(0.5 / 0.6), abs=0.1)
        and lower[-1] < lower.max()
    )


@pytest.mark.claim("fig-radial", "proposition-radial")
@given(st.floats(0.1, 1), st.floats(0.1, 1), st.floats(1.1, 3), seeds)
def test_the_jacobian_is_that_of_appendix_a(r_hat, rho, delta, seed):
    g = sm.radial_map(CENTER, r_hat, rho, delta)
    u = np.random.default_rng(seed).normal(size=3)
    r = np.linalg.norm(u)
    assume(min(abs(r - r_hat), abs(r - delta)) > 1e-6)
    if r < r_hat:
        psi, D = rho * r / r_hat, rho / r_hat * np.eye(3)
    elif r < delta:
        psi = (rho - delta) * (r - delta) / (r_hat - delta) + delta
        across = delta * (r_hat - rho) / (r_hat - delta)
        D = ((rho - delta) / (r_hat - delta) + across / r) * np.eye(3) - across / r**3 * np.outer(
            u, u
        )
    else:
        psi, D = r, np.eye(3)
    eta = g.inverse(CENTER + u)
    assert apart(eta - CENTER, psi / r * u) < ROUNDING
    # theta - center has lost digits of u where u is small; near a kink r / |r - delta| says how
    # many more.
    assert apart(g.inverse_derivative(CENTER + u), D) < ROUNDING / r
    slope = D[0, 0] if r < r_hat or r >= delta else (rho - delta) / (r_hat - delta)
    assert np.linalg.det(g.inverse_derivative(CENTER + u)) == pytest.approx(
        slope * (psi / r) ** 2, rel=ROUNDING / r
    )


@pytest.mark.claim("proposition-radial")
@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_radial_map_multiplies_the_curvature_at_its_center_and_nothing_outside(r_hat, rho):
    g = sm.radial_map(CENTER, r_hat, rho, 1.5)
    loss = sm.reparametrize(valley, g)
    H = (r_hat / rho) ** 2 * sm.hessian(valley, CENTER)
    assert apart(sm.hessian(loss, CENTER), H) < ROUNDING
    assert apart(sm.hessian(loss, CENTER, method="autograd"), H) < ROUNDING
    np.testing.assert_array_equal(sm.hessian(loss, CENTER + 2), sm.hessian(valley, CENTER + 2))


def test_kinks_of_a_radial_map_are_refused_and_its_values_there_are_not():
    g = sm.radial_map([0.0, 0.0], 0.5, 0.25, 1.0)
    for eta, radius in (([0.25, 0.0], "0.25"), ([0.0, -1.0], "1 ")):
        np.testing.assert_array_equal(g.inverse(g(np.array(eta))), eta)
        for ask in (
            g.derivative,
            lambda e: sm.gradient(sm.reparametrize(anp.sum, g), e),
            (g @ sm.Map(lambda e: e)).derivative,
        ):
            with pytest.raises(
                ValueError,
                match=(
                    rf"\|eta - center\| = {radius}.*is one of the spheres rho = 0.25 and delta = 1"
                ),
            ):
                ask(eta)
    ahead, behind = (g(np.array([0.25 + h, 0.0]))[0] - 0.5 for h in (1e-6, -1e-6))
    assert ahead / 1e-6 == pytest.approx(0.5 / 0.75, rel=1e-6) and behind / -1e-6 == pytest.approx(
        2, rel=1e-6
    )


def test_on_its_spheres_a_radial_map_loses_no_digit():
    """A sum with the other radius would: 2**-60 is lost beside 1."""
    shrunk = sm.radial_map([0.0], 2.0**-60, 0.5, 1.0)
    assert shrunk([0.5])[0] == 2.0**-60 and shrunk.inverse([2.0**-60])[0] == 0.5
    assert sm.radial_map([1.0], 0.5, 0.25, 1.0)([2.0**-60])[0] == 2.0**-60


@pytest.mark.parametrize("r", [0.25 - 2.0**-50, 0.25 + 2.0**-50, 1 - 2.0**-50, 1 + 2.0**-50])
def test_a_radius_that_rounding_keeps_from_a_sphere_is_on_it(r):
    with pytest.raises(ValueError, match="is one of the spheres"):
        sm.radial_map([0.0], 0.5, 0.25, 1.0).derivative([r])


def test_the_kinks_of_a_radial_map_are_around_its_center():
    g = sm.radial_map([5.0, 0.0], 1.0, 0.5, 2.0)
    np.testing.assert_array_equal(g.derivative([5.0, 0.0]), 2 * np.eye(2))
    for eta in ([5.5, 0.0], [5.0, -2.0]):
        with pytest.raises(ValueError, match="is one of the spheres"):
            g.derivative(eta)
    # Beside the sphere, and where it would be around the mirrored center, there is a derivative.
    np.testing.assert_allclose(g.derivative([5.5 - 1e-7, 0.0]), 2 * np.eye(2), rtol=1e-12)
    np.testing.assert_array_equal(g.derivative([-4.5, 0.0]), np.eye(2))


def test_a_radial_map_that_moves_nothing_has_no_kinks():
    np.testing.assert_allclose(
        sm.radial_map([0.0, 0.0], 0.5, 0.5, 1.0).derivative([0.5, 0.0]), np.eye(2), atol=4 * EPS
    )


CENTERS = np.array([[0.0, 0.0], [1.3, 0.1], [0.2, 1.1], [-1.0, 0.7]])


def wells(theta):
    """Half the product of the squared distances: zero at each center, with curvature the product of
    those to the others.
    """
    return 0.5 * math.prod(
        anp.sum((theta - c) ** 2) for c in CENTERS
    )  # anp.prod would divide by a factor that is zero


@pytest.mark.claim("fig-ranking", "proposition-ranking")
def test_disjoint_bumps_give_the_minima_any_order_of_curvatures():
    before = np.array(
        [np.prod([np.sum((c - d) ** 2) for d in CENTERS if (d != c).any()]) for c in CENTERS]
    )
    np.testing.assert_allclose(
        [sm.spectral_norm(sm.hessian(wells, c)) for c in CENTERS], before, rtol=ROUNDING
    )
    for order in itertools.permutations(range(4)):
        wanted = np.array([1.0, 10.0, 100.0, 1000.0])[list(order)]
        g = sm.Map(lambda eta: eta, lambda theta: theta)
        for center, k, now in zip(CENTERS, wanted, before, strict=True):
            stretch = math.sqrt(k / now)
            g = g @ sm.radial_map(center, 0.3 * min(1, stretch), 0.3 * min(1, 1 / stretch), 0.5)
        loss = sm.reparametrize(wells, g)
        np.testing.assert_allclose([g.inverse(c) for c in CENTERS], CENTERS, atol=4 * EPS)
        np.testing.assert_allclose(
            [sm.spectral_norm(sm.hessian(loss, c)) for c in CENTERS], wanted, rtol=ROUNDING
        )


# Weight normalization


@pytest.mark.claim("proposition-weight-norm")
@given(st.floats(0.01, 100), seeds)
def test_weight_normalization_scales_derivatives_by_one_over_alpha(alpha, seed):
    rng = np.random.default_rng(seed)
    loss = sm.reparametrize(wavy, sm.weight_norm_map(3))
    s, v = rng.normal(size=1), rng.normal(size=3)
    here, there = np.concatenate([s, v]), np.concatenate([s, alpha * v])
    d = np.concatenate([[1.0], np.full(3, 1 / alpha)])
    assert loss(there) == pytest.approx(loss(here), rel=10 * EPS)
    assert apart(sm.gradient(loss, there) / d, sm.gradient(loss, here)) < ROUNDING
    assert apart(sm.hessian(loss, there) / np.outer(d, d), sm.hessian(loss, here)) < ROUNDING
    assert (
        abs(sm.gradient(loss, here)[1:] @ v) < ROUNDING * np.abs(sm.gradient(loss, here)[1:]).max()
    )


@pytest.mark.claim("proposition-weight-norm-flat", "fig-flattening")
def test_directions_alone_can_be_made_as_flat_as_one_likes():
    g, s = sm.weight_norm_map(3), 1.7
    loss = sm.reparametrize(lambda theta: anp.sum((theta - CENTER) ** 2) * 0.5, g)
    eta = g.inverse(CENTER)
    H = sm.hessian(loss, eta)
    t_s, t_v = H[0, 0], np.trace(H[1:, 1:])
    # At the minimum w = s v / |v| = CENTER with s = |v|: dw/ds is a unit vector, dw/dv projects
    # onto the plane across it.
    np.testing.assert_allclose([t_s, t_v], [1, 2], rtol=ROUNDING)
    for alpha in (1e-3, 1e3):
        there = np.append(eta[:1], alpha * eta[1:])
        assert sm.trace(sm.hessian(loss, there)) == pytest.approx(1 + 2 / alpha**2, rel=ROUNDING)
        assert loss(there) < EPS
    held = sm.reparametrize(wavy, sm.Map(lambda v: g(anp.concatenate([np.array([s]), v]))))
    steps = np.random.default_rng(0).uniform(-0.05, 0.05, (50, 3))
    rise = [
        max(abs(held(alpha * CENTER + d) - held(alpha * CENTER)) for d in steps)
        for alpha in (1.0, 1e2, 1e4)
    ]
    # To first order a step of v counts 1 / alpha; the second order is below that by the step's
    # size.
    assert rise[1] == pytest.approx(rise[0] / 1e2, rel=0.2) and rise[2] == pytest.approx(
        rise[1] / 1e2, rel=0.01
    )


@pytest.mark.claim("proposition-weight-norm-flat")
@pytest.mark.parametrize("seed", range(3))
def test_a_ball_about_short_directions_holds_all_of_them_and_a_box_about_long_ones_stays_rough(
    seed,
):
    rng, epsilon = np.random.default_rng(seed), 0.1
    g = sm.weight_norm_map(6, [[0, 2], [1, 3]])
    held = sm.reparametrize(
        lambda w: anp.sum(anp.sin(w) * np.arange(1, 7)),
        sm.Map(lambda v: g(anp.concatenate([np.array([1.7, -0.4]), v, np.zeros(2)]))),
    )
    v = rng.normal(size=4)
    short = v * 0.9 * epsilon / np.linalg.norm(v)
    for other in rng.normal(size=(20, 4)):
        there = other * (0.1 * epsilon / np.linalg.norm(other))
        assert np.linalg.norm(there - short) <= epsilon * (1 + ROUNDING)
        assert held(there) == pytest.approx(held(other), rel=ROUNDING)
    corners = v * (1 + epsilon * rng.choice([-1, 1], size=(16, 4)))
    rise = max(held(p) for p in corners) - held(v)
    for alpha in (2.0**10, 2.0**40):
        far = alpha * corners
        assert (abs(far - alpha * v) <= epsilon * (alpha * abs(v) + 1)).all()
        assert max(held(p) for p in far) - held(alpha * v) == rise > 1e-3


def test_weight_normalization_has_the_derivative_one_computes_by_hand():
    s, v = 1.7, np.array([0.3, -0.4, 1.2])  # |v| = 1.3
    unit = v / 1.3
    expected = np.column_stack([unit, s / 1.3 * (np.eye(3) - np.outer(unit, unit))])
    g = sm.weight_norm_map(3)
    assert apart(g(np.array([s, *v])), s * unit) < 4 * EPS
    assert apart(g.derivative([s, *v]), expected) < ROUNDING


@pytest.mark.claim("definition-weight-norm")
def test_minus_v_turns_the_weight_around_unless_s_turns_too():
    g, eta = sm.weight_norm_map(3), np.array([1.7, 0.3, -0.4, 1.2])
    np.testing.assert_array_equal(g(eta * [1, -1, -1, -1]), -g(eta))
    np.testing.assert_array_equal(g(-eta), g(eta))


def test_groups_have_scales_of_their_own_and_the_rest_is_left_alone():
    g = sm.weight_norm_map(5, [[0, 3], [4]])
    theta = np.array([3.0, 1.5, -2.0, 4.0, -7.0])
    np.testing.assert_array_equal(g.inverse(theta), [5.0, 7.0, *theta])
    np.testing.assert_allclose(g(g.inverse(theta)), theta, rtol=4 * EPS)
    np.testing.assert_allclose(g([10.0, 1.0, *theta]), [6.0, 1.5, -2.0, 8.0, -1.0], rtol=4 * EPS)


# What survives


@pytest.mark.claim("proposition-sylvester")
@given(seeds)
def test_inertia_is_kept_by_random_congruences_at_a_critical_point(seed):
    rng = np.random.default_rng(seed)
    Q, R = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    A, bend = Q @ np.diag(rng.uniform(0.2, 5, 3)) @ R, rng.normal(size=(3, 3))
    bent = sm.Map(lambda eta: CENTER + anp.dot(A, eta) + anp.dot(bend, eta**2) + anp.sin(eta) ** 3)
    assert sm.inertia(sm.hessian(valley, CENTER)) == (1, 1, 1)
    # Q and R turn, the diagonal has condition 25 at most and enters twice: no eigenvalue comes near
    # the tolerance.
    assert sm.inertia(sm.hessian(sm.reparametrize(valley, bent), np.zeros(3)), rtol=1e-12) == (
        1,
        1,
        1,
    )


@pytest.mark.claim("proposition-sylvester", "fig-sylvester")
def test_at_the_running_example_a_linear_map_makes_every_positive_curvature_one(
    example, example_hessian
):
    values, Q = np.linalg.eigh(example_hessian)
    rank = sm.numerical_rank(example_hessian, sizes=example.loss.sizes)
    scale = np.ones(len(values))
    scale[-rank:] = values[-rank:] ** -0.5
    g = sm.linear_map(Q * scale)
    H = sm.hessian(sm.reparametrize(example.loss, g), g.inverse(example.theta), method="autograd")
    ones = np.zeros(len(values))
    ones[-rank:] = 1
    # M'HM multiplies the rounding of H, eps times its largest eigenvalue, by up to 1 over the
    # smallest.
    assert np.abs(H - np.diag(ones)).max() < 100 * EPS * values[-1] / values[-rank]
    assert sm.inertia(H, rtol=1e-9) == (rank, 0, len(values) - rank)


@pytest.mark.claim("proposition-onto")
def test_onto_is_not_enough_where_the_derivative_loses_rank():
    g = sm.Map(lambda eta: (eta - CENTER) ** 3 + CENTER)
    H = sm.hessian(sm.reparametrize(valley, g), CENTER, method="autograd")
    assert not H.any() and sm.inertia(sm.hessian(valley, CENTER)) == (1, 1, 1)


@pytest.mark.claim("proposition-onto")
def test_full_rank_is_enough_signs_stay_and_zeros_are_added():
    rng = np.random.default_rng(0)
    M = rng.normal(size=(3, 5))
    g = sm.Map(lambda eta: anp.dot(M, eta))
    eta = np.linalg.lstsq(M, CENTER, rcond=None)[0] + np.linalg.svd(M)[2][-1]
    H = sm.hessian(sm.reparametrize(valley, g), eta)
    assert sm.inertia(sm.hessian(valley, CENTER)) == (1, 1, 1) and sm.inertia(H, rtol=1e-12) == (
        1,
        1,
        3,
    )


# Theorem 6 and inputs


@pytest.mark.claim("proposition-gradient-orbit")
@pytest.mark.parametrize("small", ["scalar"], indirect=True)
def test_the_gradient_on_the_orbit_has_exactly_the_norm_of_the_formula(small):
    loss, theta = small
    g1, g2 = (np.linalg.norm(part) for part in np.split(sm.gradient(loss, theta), loss.sizes[:1]))
    norms = []
    for alpha in (2.0**-8, 1.0, math.sqrt(g1 / g2), 2.0**8):
        norms.append(
            np.linalg.norm(
                sm.gradient(loss, theta * sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha)))
            )
        )
        assert norms[-1] ** 2 == pytest.approx(g1**2 / alpha**2 + alpha**2 * g2**2, rel=ROUNDING)
    assert norms[2] ** 2 == pytest.approx(2 * g1 * g2, rel=ROUNDING) and norms[2] == min(norms)


@pytest.mark.claim("theorem-6")
def test_two_parameters_are_brought_together_while_their_losses_stay_apart():
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((3, 4, 1), rng.normal(size=(9, 3)), rng.normal(size=9))
    one, other = rng.normal(size=(2, loss.size))
    other[12:] = one[12:]  # another first layer, the same second
    for alpha in 2.0 ** -np.arange(0, 40, 8):
        d = sm.alpha_diagonal(loss.widths, (alpha, 1 / alpha))
        assert loss(d * one) - loss(d * other) == loss(one) - loss(other) != 0
        assert np.linalg.norm(d * one - d * other) == alpha * np.linalg.norm(one - other)


@pytest.mark.claim("proposition-observations")
def test_differences_of_log_likelihoods_do_not_depend_on_the_representation():
    h, y = sm.elementwise_map(0.7), np.linspace(-2, 2, 9)
    p, q = scipy.stats.norm(0.3, 0.8), scipy.stats.norm(-0.2, 1.1)

    def log_density(of, z):  # of h(y), as the derivative of its distribution function
        return np.log(differences(lambda t: of.cdf(h.inverse(t)), np.array([z]))[0, 0])

    for t in y:
        z = h([t])[0]
        assert log_density(p, z) == pytest.approx(
            p.logpdf(t) - np.log(h.derivative([t])[0, 0]), abs=1e-6
        )
        assert log_density(p, z) - log_density(q, z) == pytest.approx(
            p.logpdf(t) - q.logpdf(t), abs=1e-6
        )


@pytest.mark.claim("proposition-inputs")
@pytest.mark.parametrize("bias", [False, True])
def test_a_change_of_inputs_is_taken_back_by_the_first_layer(bias):
    rng = np.random.default_rng(0)
    M = np.eye(4) + rng.normal(size=(4, 4)) / 4
    x, params = rng.normal(size=(6, 4)), sm.init_params((4, 5, 2), rng=rng, bias=bias)
    hidden, output = params
    moved = (sm.Layer(np.linalg.solve(M, hidden.weight), hidden.bias), output)
    assert apart(sm.forward(moved, x @ M), sm.forward(params, x)) < ROUNDING
    slope = autograd.elementwise_grad(lambda z: sm.forward(params, z))(x)
    changed = autograd.elementwise_grad(lambda z: sm.forward(moved, z))(x @ M)
    assert apart(changed @ M.T, slope) < ROUNDING


# Bad input


HALF = sm.Map(lambda eta: eta / 2)
BAD = {
    "forward": (lambda: sm.Map(3.0), r"forward must be a function of a vector, got float"),
    "forward none": (lambda: sm.Map(None), "forward must be a function of a vector, got NoneType"),
    "inverse no function": (
        lambda: sm.Map(anp.sin, 1),
        "inverse must be a function of a vector, got int",
    ),
    "no inverse": (
        lambda: HALF.inverse([1.0]),
        r"g must have an inverse to find eta from theta, got a Map without one",
    ),
    "no inverse of two": (
        lambda: (HALF @ sm.elementwise_map(1.0)).inverse([1.0]),
        "g must have an inverse to find eta",
    ),
    "eta a number": (lambda: HALF(1.0), r"eta must be a vector of shape \(any,\), got shape \(\)"),
    "eta NaN": (lambda: HALF([np.nan]), "eta must be finite"),
    "g of a number": (
        lambda: sm.Map(anp.sum)([1.0, 2.0]),
        r"g\(eta\) must be a vector of shape \(any,\), got shape \(\)",
    ),
    "g infinite": (lambda: sm.Map(lambda eta: eta * np.inf)([1.0]), r"g\(eta\) must be finite"),
    "slope too long": (
        lambda: HALF.second_derivative([1.0], [1.0, 2.0]),
        r"slope must be a vector of shape \(1,\), got shape \(2,\)",
    ),
    "derivative infinite": (
        lambda: sm.Map(anp.sqrt).derivative([0.0]),
        "the derivative of g must be finite",
    ),
    "rank-deficient": (
        lambda: sm.Map(lambda e: e**3, np.cbrt).inverse_derivative([0.0, 1.0]),
        r"the derivative of g must be invertible .*, got shape \(2, 2\), rank 1",
    ),
    "not square": (
        lambda: sm.weight_norm_map(3).inverse_derivative([1.0, 2.0, 2.0]),
        r"the derivative of g must be invertible .*, got shape \(3, 4\), rank 3",
    ),
    "more rows than columns": (
        lambda: sm.Map(lambda e: anp.concatenate([e, e]), lambda t: t[:1]).inverse_derivative(
            [1.0, 1.0]
        ),
        r"the derivative of g must be invertible .*, got shape \(2, 1\), rank 1",
    ),
    "no coordinate": (
        lambda: HALF.derivative([]),
        "eta must have at least one coordinate for g to be derived in it",
    ),
    "no coordinate, twice derived": (
        lambda: HALF.second_derivative([], []),
        "eta must have at least one coordinate for g to be derived in it",
    ),
    "loss no function": (
        lambda: sm.reparametrize(1.0, HALF),
        r"loss must be a function of a vector, got float",
    ),
    "g no Map": (
        lambda: sm.reparametrize(anp.sum, anp.sin),
        r"g must be a Map, as Map\(forward, inverse\), got <",
    ),
    "network too small": (
        lambda: sm.reparametrize(sm.NetworkLoss((2, 1), np.ones((3, 2)), np.ones(3)), HALF)([1.0]),
        r"theta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "M singular": (
        lambda: sm.linear_map([[1.0, 2.0], [2.0, 4.0]]),
        r"M must be invertible, got shape \(2, 2\), rank 1",
    ),
    "M not square": (
        lambda: sm.linear_map(np.ones((2, 3))),
        r"M must be invertible, got shape \(2, 3\), rank 1",
    ),
    "M with more rows": (
        lambda: sm.linear_map(np.eye(3)[:, :2]),
        r"M must be invertible, got shape \(3, 2\), rank 2",
    ),
    "M with more columns": (
        lambda: sm.linear_map(np.eye(3)[:2]),
        r"M must be invertible, got shape \(2, 3\), rank 2",
    ),
    "M empty": (
        lambda: sm.linear_map(np.ones((0, 0))),
        r"M must be invertible, got shape \(0, 0\), rank 0",
    ),
    "M a vector": (
        lambda: sm.linear_map([1.0]),
        r"M must be a matrix of shape \(any, any\), got shape \(1,\)",
    ),
    "M and eta": (
        lambda: sm.linear_map(np.eye(2))([1.0]),
        r"eta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "M and theta": (
        lambda: sm.linear_map(np.eye(2)).inverse([1.0]),
        r"theta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "c zero": (
        lambda: sm.elementwise_map(0.0),
        r"c must be positive, one number or a vector, got 0\.0",
    ),
    "c negative": (
        lambda: sm.elementwise_map([1.0, -1.0]),
        r"c must be positive, one number or a vector, got \[ 1\. -1\.\]",
    ),
    "c a matrix": (
        lambda: sm.elementwise_map([[1.0]]),
        r"c must be positive, one number or a vector, got \[\[1\.\]\]",
    ),
    "c and eta": (
        lambda: sm.elementwise_map([1.0, 1.0])([1.0]),
        r"eta must be a vector of shape \(2,\), got shape \(1,\)",
    ),
    "a minus one half": (
        lambda: sm.power_map([0.0], -0.5, 1.0),
        r"a must be greater than -1/2 .*, got -0\.5",
    ),
    "b negative": (lambda: sm.power_map([0.0], 1.0, -0.1), r"b must be at least 0, got -0\.1"),
    "center a number": (
        lambda: sm.power_map(0.0, 1.0, 1.0),
        r"center must be a vector of shape \(any,\), got shape \(\)",
    ),
    "power and eta": (
        lambda: sm.power_map([0.0], 1.0, 1.0)([1.0, 2.0]),
        r"eta must be a vector of shape \(1,\)",
    ),
    "b zero at the center": (
        lambda: sm.power_map([0.0], -0.3, 0.0).inverse_derivative([0.0]),
        "eta must be a point where g has a derivative: with b = 0, .* zero there",
    ),
    "b zero, a positive": (
        lambda: sm.power_map([0.0], 0.3, 0.0).derivative([0.0]),
        "eta must be a point .* infinite there",
    ),
    "radii out of order": (
        lambda: sm.radial_map([0.0], 1.0, 0.5, 0.8),
        "delta must be greater than r_hat and rho, got delta 0.8, r_hat 1.0, rho 0.5",
    ),
    "rho beyond delta": (
        lambda: sm.radial_map([0.0], 0.5, 1.0, 1.0),
        "delta must be greater than r_hat and rho",
    ),
    "rho zero": (lambda: sm.radial_map([0.0], 0.5, 0.0, 1.0), r"rho must be positive, got 0\.0"),
    "radial and eta": (
        lambda: sm.radial_map([0.0], 0.5, 0.2, 1.0)([1.0, 2.0]),
        r"a point must be a vector of shape \(1,\)",
    ),
    "n": (lambda: sm.weight_norm_map(0), "n must be an integer of at least 1, got 0"),
    "groups out of range": (
        lambda: sm.weight_norm_map(2, [[0, 2]]),
        r"each of groups must be .* from 0 to 1, got \[0 2\]",
    ),
    "groups negative": (
        lambda: sm.weight_norm_map(2, [[-1]]),
        r"each of groups must be .* from 0 to 1, got \[-1\]",
    ),
    "groups empty": (
        lambda: sm.weight_norm_map(2, [[]]),
        r"each of groups must be a vector of indices",
    ),
    "groups empty, of integers": (
        lambda: sm.weight_norm_map(2, [np.array([], dtype=int)]),
        r"each of groups must be a vector of indices from 0 to 1, got \[\]",
    ),
    "groups of floats": (
        lambda: sm.weight_norm_map(2, [[0.0, 1.0]]),
        r"each of groups must be a vector of indices from 0 to 1, got \[0\. 1\.\]",
    ),
    "groups in matrices": (
        lambda: sm.weight_norm_map(2, [[[0, 1]]]),
        r"each of groups must be a vector of indices from 0 to 1, got \[\[0 1\]\]",
    ),
    "groups none": (lambda: sm.weight_norm_map(2, []), "groups must be at least one, and disjoint"),
    "groups overlap": (
        lambda: sm.weight_norm_map(2, [[0, 1], [1]]),
        "groups must be at least one, and disjoint",
    ),
    "an index twice": (
        lambda: sm.weight_norm_map(2, [[1, 1]]),
        "groups must be at least one, and disjoint",
    ),
    "v zero": (
        lambda: sm.weight_norm_map(2)([1.0, 0.0, 0.0]),
        "v must not be zero in a whole group",
    ),
    "theta zero": (
        lambda: sm.weight_norm_map(2).inverse([0.0, 0.0]),
        "theta must not be zero in a whole group",
    ),
    "no scale": (
        lambda: sm.weight_norm_map(2)([1.0, 2.0]),
        r"eta must be a vector of shape \(3,\), got shape \(2,\)",
    ),
}


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    ask, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        ask()


@pytest.mark.claim("proposition-prescribed")
@pytest.mark.parametrize("signs", [(1, 1, 1), (1, -1, 0), (-1, -1, 1)])
def test_the_flows_of_two_logarithms_give_any_hessian_of_the_same_signs(signs):
    """In three dimensions, by an adaptive integrator and differences; the map of the proof, with
    another bump. Where the determinant is negative first, the reflection mends it.
    """
    rng = np.random.default_rng(2)
    flipped = 0
    for _ in range(6):
        H, B = (draw_symmetric(signs, rng) for _ in range(2))
        (old, Q), (new, P) = np.linalg.eigh(H), np.linalg.eigh(B)
        ratios = np.divide(new, old, out=np.ones(3), where=np.abs(old) > 1e-9)
        M = Q @ np.diag(np.sqrt(ratios)) @ P.T
        if np.linalg.det(M) < 0:
            flipped += 1
            M = M @ (np.eye(3) - 2 * np.outer(P[:, 1], P[:, 1]))
        turn, stretch = scipy.linalg.polar(M)
        X, Y = (scipy.linalg.logm(factor).real for factor in (turn, stretch))
        h = 1e-2
        ahead, behind = (
            np.array([follow(X, follow(Y, e)) for e in size * np.eye(3)]).T for size in (h, -h)
        )
        D = (ahead - behind) / (2 * h)
        np.testing.assert_allclose(D.T @ H @ D, B, atol=1e-6)
        far = np.array([2.0, -1.0, 0.5])
        np.testing.assert_array_equal(follow(X, follow(Y, far)), far)
    assert 0 < flipped < 6


def draw_symmetric(signs, rng):
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return Q @ np.diag(np.sort(np.array(signs) * rng.uniform(0.5, 2, size=3))) @ Q.T


def follow(X, u):
    """The flow of bump(|u|) X u for time 1, with a bump that is 1 up to 0.5 and 0 from 1 on."""

    def field(_, u):
        t = np.clip(2 * np.linalg.norm(u) - 1, 0, 1)
        return (1 - t) ** 3 * (1 + 3 * t + 6 * t**2) * (X @ u)

    return scipy.integrate.solve_ivp(field, (0, 1), u, rtol=1e-10, atol=1e-12).y[:, -1]


@pytest.mark.claim("proposition-readings")
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_weights_are_read_in_eta_and_outputs_through_the_map(criterion):
    """A network with two outputs and biases, under an element-wise map."""
    rng = np.random.default_rng(3)
    y = rng.integers(2, size=12)
    y = {"squared_error": np.eye(2)[y], "cross_entropy": y}[criterion]
    x = rng.normal(size=(12, 3))
    loss = sm.NetworkLoss((3, 4, 2), x, y, criterion=criterion, bias=True)
    theta, g = rng.normal(size=loss.size), sm.elementwise_map(0.5)
    eta = g.inverse(theta)
    there = sm.reparametrize(loss, g)
    np.testing.assert_allclose(there.outputs(eta), loss.outputs(theta), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(sm.ravel(there.layers(eta)), eta)
    assert np.abs(sm.ravel(there.layers(eta)) - theta).max() > 0.1
    np.testing.assert_allclose(sm.ravel(loss.layers(g(eta))), theta, rtol=1e-12)


@pytest.mark.claim("proposition-readings")
def test_only_orthogonal_maps_keep_the_trace_of_every_hessian():
    """tr(D'HD) over a basis of the symmetric matrices is the matrix D D' itself."""
    rng = np.random.default_rng(4)
    basis = [np.eye(3)[[i]].T @ np.eye(3)[[j]] for i in range(3) for j in range(i, 3)]
    basis = [B + B.T for B in basis]
    turn, other = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.normal(size=(3, 3))
    for D, is_kept in ((turn, True), (other, False)):
        there = [
            sm.trace(
                sm.hessian(
                    sm.reparametrize(lambda t, B=B: t @ B @ t / 2, sm.linear_map(D)), np.zeros(3)
                )
            )
            for B in basis
        ]
        assert np.allclose(there, [np.trace(B) for B in basis], atol=1e-12) == is_kept


@pytest.mark.claim("table-survives")
@pytest.mark.parametrize("seed", range(3))
def test_what_the_table_says_survives(seed):
    """The Hessian of a quartic at its critical point 0, in six dimensions, with null directions."""
    rng = np.random.default_rng(seed)
    H = np.diag([5.0, 2.0, 1.0, -1.0, -3.0, 0.0])
    G = np.diag(rng.uniform(0.5, 2, size=6))

    def quartic(t):
        return t @ H @ t / 2 + anp.sum(t**4)

    any_matrix = rng.normal(size=(6, 6))
    kept = []
    for D in (np.linalg.qr(any_matrix)[0], 0.3 * np.eye(6), any_matrix):
        there = sm.hessian(sm.reparametrize(quartic, sm.linear_map(D)), np.zeros(6))
        new, old = np.linalg.eigvalsh(there), np.linalg.eigvalsh(H)
        carried = scipy.linalg.eigvalsh(there, D.T @ G @ D)
        assert sm.inertia(there, rtol=1e-10) == (3, 2, 1)
        assert np.allclose(carried, scipy.linalg.eigvalsh(H, G), atol=1e-9)
        ratios = np.allclose(new / new[-1], old / old[-1], atol=1e-9)
        kept.append((ratios, np.isclose(new.sum(), old.sum()), np.isclose(new[-1], old[-1])))
    assert kept == [(True, True, True), (True, False, False), (False, False, False)]
