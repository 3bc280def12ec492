"""The spectral density by stochastic Lanczos quadrature: against spectra that are known.

Two errors, two kinds of checks. What the quadrature makes of the vectors that were drawn is
compared with what all eigenvectors, from LAPACK, make of the same vectors: exact where theory says
so, and within the bound elsewhere. That the vectors estimate the spectrum is checked over many
draws.
"""

import numpy as np
import pytest
import scipy.stats
from scipy.sparse.linalg import aslinearoperator

import sharpminima as sm
from tests.sharpminima.support import EPS

N, PROBES, STEPS = 60, 4, 12


def make_matrix(values, seed=0):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    H = Q @ np.diag(values) @ Q.T
    return (H + H.T) / 2


SPECTRA = {
    "even": np.linspace(-2, 3, N),
    "a bulk and outliers": np.concatenate([np.linspace(0, 0.1, N - 3), [1, 4, 9]]),
    "clusters": np.repeat([0.0, 1.0, 5.0], [N - 10, 7, 3]),
}


@pytest.fixture(params=SPECTRA)
def seen(request):
    """A matrix, its density, and the eigenvalues as each of the drawn vectors sees them, with the
    weights that LAPACK's eigenvectors give.
    """
    H = make_matrix(SPECTRA[request.param])
    density = sm.spectral_density(
        aslinearoperator(H), rng=np.random.default_rng(5), probes=PROBES, steps=STEPS
    )
    rng = np.random.default_rng(5)
    draws = [rng.choice([-1.0, 1.0], size=N) / np.sqrt(N) for _ in range(PROBES)]
    values, vectors = np.linalg.eigh(H)
    weights = np.array([(vectors.T @ v) ** 2 for v in draws])
    return density, values, weights


# The quadrature


def test_polynomials_below_twice_the_steps_are_integrated_exactly(seen):
    density, values, weights = seen
    center, half = (values[0] + values[-1]) / 2, (values[-1] - values[0]) / 2

    def chebyshev(degree):
        return lambda x: np.cos(degree * np.arccos(np.clip((x - center) / half, -1, 1)))

    for degree in range(2 * STEPS):
        exact = (weights @ chebyshev(degree)(values)).mean()
        assert density.integrate(chebyshev(degree)).value == pytest.approx(exact, abs=1e-10)


def test_a_polynomial_of_twice_the_steps_is_not():
    values = SPECTRA["even"]
    H = make_matrix(values)
    density = sm.spectral_density(H, rng=np.random.default_rng(5), probes=PROBES, steps=STEPS)
    rng = np.random.default_rng(5)
    draws = [rng.choice([-1.0, 1.0], size=N) / np.sqrt(N) for _ in range(PROBES)]
    x = (values - 0.5) / 2.5
    power = make_matrix(np.cos(2 * STEPS * np.arccos(np.clip(x, -1, 1))))
    exact = np.mean([v @ power @ v for v in draws])
    found = density.integrate(
        lambda t: np.cos(2 * STEPS * np.arccos(np.clip((t - 0.5) / 2.5, -1, 1)))
    )
    assert abs(found.value - exact) > 1e-3


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 2.0])
def test_the_smoothed_density_is_within_the_bound(seen, factor):
    density, values, weights = seen
    width = factor * (density.resolution or 1.0)
    points = np.linspace(values[0] - 1, values[-1] + 1, 300)
    kernel = scipy.stats.norm.pdf(points[:, None], values, width)
    exact = (kernel @ weights.T).mean(axis=1)
    error = np.abs(density.at(points, width=width).value - exact).max()
    # The ends of the spectrum that the bound knows are those that were found.
    overshoot = max(density.ends[0] - values[0], values[-1] - density.ends[1], 0)
    slope = np.exp(-0.5) / (np.sqrt(2 * np.pi) * width**2)
    assert error <= density.quadrature_error(width) + slope * overshoot + 1e-12 / width


def test_the_bound_is_small_at_the_resolution_and_large_far_below_it(seen):
    density, _, _ = seen
    width = density.resolution
    peak = 1 / (np.sqrt(2 * np.pi) * width)
    assert density.quadrature_error() == density.quadrature_error(width)
    assert density.quadrature_error() < 1e-3 * peak
    assert density.quadrature_error(width / 4) > 1e-2 * peak * 4


def test_one_vector_has_no_standard_error_and_is_refused():
    with pytest.raises(ValueError, match=r"two vectors at least, .* got shape \(1, 3\)"):
        sm.SpectralDensity([[1.0, 2.0, 3.0]], [[0.2, 0.3, 0.5]])


def test_one_node_of_each_vector_will_do_and_none_will_not():
    assert sm.SpectralDensity([[1.0], [2.0]], [[1.0], [1.0]]).ends == (1.0, 2.0)
    with pytest.raises(ValueError, match=r"a row each, got shape \(2, 0\)"):
        sm.SpectralDensity(np.empty((2, 0)), np.empty((2, 0)))


@pytest.mark.parametrize("size", [1.0, 2.0**40, 2.0**-40])
def test_nodes_below_zero_that_an_ulp_for_each_step_spans_are_equal(size):
    weights = np.full((2, 2), 0.5)
    for apart, equal in ((2 * EPS, True), (3 * EPS, False)):
        nodes = size * np.array([[-1.0, -1 + EPS], [-1 + EPS, -1 + apart]])
        assert (sm.SpectralDensity(nodes, weights).resolution == 0) == equal


def test_at_the_resolution_a_thousandth_of_the_series_is_left_out(seen):
    """Its terms fall as 4 exp(-2 (steps * width)^2), with half the spectrum's span for a unit."""
    density, _, _ = seen
    low, high = density.ends
    reach = density.nodes.shape[1] * density.resolution / ((high - low) / 2)
    assert 4 * np.exp(-2 * reach**2) == pytest.approx(1e-3, rel=1e-9)


@pytest.mark.parametrize("width", [0.2, 0.5, 1.0])
def test_the_bound_is_twice_what_is_left_of_the_kernels_series_at_the_worst_of_33_places(width):
    """The series is computed by its definition: c_k = 2 / pi times the integral of cos(k t) K(cos
    t) from 0 to pi, by a rule that is exact for what does not oscillate faster than the grid.
    """
    nodes = np.array([[-1.0, 0.5, 2.0, 5.0], [-0.5, 1.0, 3.0, 4.0]])
    density = sm.SpectralDensity(nodes, np.full((2, 4), 1 / 4))
    grid = (np.arange(1000) + 0.5) * np.pi / 1000
    waves = np.cos(np.arange(8, 300)[:, None] * grid)  # from twice the 4 steps on
    left_out = []
    for place in np.linspace(-1, 5, 33):
        kernel = scipy.stats.norm.pdf(2 + 3 * np.cos(grid), place, width)
        left_out.append(np.abs(2 / len(grid) * waves @ kernel).sum())
    assert density.quadrature_error(width) == pytest.approx(2 * max(left_out), rel=1e-9)


@pytest.mark.parametrize("shift", [-1.0, -0.5, 0.0, 3.0, -7.0])
def test_the_resolution_is_that_of_the_span_wherever_it_lies(shift):
    nodes, weights = np.array([[-1.0, 0.0, 2.0], [-1.0, 0.5, 3.0]]), np.full((2, 3), 1 / 3)
    here, there = sm.SpectralDensity(nodes, weights), sm.SpectralDensity(nodes + shift, weights)
    assert here.resolution > 0
    assert there.resolution == pytest.approx(here.resolution, rel=1e-12)
    mirrored = sm.SpectralDensity(-there.nodes[:, ::-1], weights)
    assert mirrored.resolution == pytest.approx(here.resolution, rel=1e-12)
    doubled = sm.SpectralDensity(2 * there.nodes, weights)
    assert doubled.resolution == pytest.approx(2 * here.resolution, rel=1e-12)


def test_shares_are_within_their_bounds(seen):
    density, values, weights = seen
    points = np.linspace(values[0] - 1, values[-1] + 1, 301)
    exact = np.array([weights[:, values < point - 1e-9].sum(axis=1).mean() for point in points])
    found = density.share_below(points)
    assert (found.low <= exact + 1e-9).all()
    assert (found.high >= exact - 1e-9).all()
    assert (found.low >= 0).all()
    assert (found.high <= 1 + 1e-12).all()


def test_shares_of_two_vectors_by_hand():
    """Below a point lie the weights before the last node below it at least, and those up to the
    first node above it at most.
    """
    nodes = [[0.0, 2.0, 4.0, 6.0], [1.0, 3.0, 5.0, 7.0]]
    weights = [[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 8, 1 / 8, 1 / 4, 1 / 2]]
    found = sm.SpectralDensity(nodes, weights).share_below([-1.0, 2.5, 4.5, 9.0])
    lows = np.array([[0, 1 / 2, 3 / 4, 7 / 8], [0, 0, 1 / 8, 1 / 2]])
    highs = np.array([[1 / 2, 7 / 8, 1, 1], [1 / 8, 1 / 4, 1 / 2, 1]])
    np.testing.assert_array_equal(found.low, lows.sum(axis=0) / 2)
    np.testing.assert_array_equal(found.high, highs.sum(axis=0) / 2)
    # Of two numbers a and b the mean has the standard error |a - b| / 2.
    middle, other = (lows + highs) / 2
    np.testing.assert_allclose(found.standard_error, abs(middle - other) / 2, rtol=1e-12)


def test_few_different_eigenvalues_are_found_exactly():
    density = sm.spectral_density(
        make_matrix(SPECTRA["clusters"]), rng=np.random.default_rng(0), probes=50, steps=20
    )
    for weights, nodes in zip(density.weights, density.nodes, strict=True):
        np.testing.assert_allclose(nodes[weights > 1e-12], [0, 1, 5], atol=1e-12)
    shares = density.share_below([-0.5, 0.5, 3.0, 6.0])
    exact = [0, (N - 10) / N, (N - 3) / N, 1]
    middle = (shares.low + shares.high) / 2
    assert np.isfinite(middle).all()
    weights_of = [density.integrate(lambda x, c=c: 1.0 * (np.abs(x - c) < 0.1)) for c in (0, 1, 5)]
    for found, share in zip(weights_of, np.diff(exact), strict=True):
        assert abs(found.value - share) < 4 * found.standard_error


@pytest.mark.parametrize("unit", [1.0, 2.0**-40])
def test_as_many_steps_as_eigenvalues_find_them_all(unit):
    """Also outliers, which converge first: with vectors that have lost their orthogonality, copies
    of them appear in the place of others.
    """
    values = SPECTRA["a bulk and outliers"]
    H = unit * make_matrix(values)
    density = sm.spectral_density(H, rng=np.random.default_rng(0), steps=N)
    for nodes in density.nodes:
        np.testing.assert_allclose(nodes / unit, values, atol=1e-13)


def test_one_eigenvalue_takes_one_step():
    density = sm.spectral_density(3 * np.eye(7), rng=np.random.default_rng(0), probes=2)
    assert density.ends == pytest.approx((3, 3))
    assert density.resolution == 0
    mean, error = density.integrate(np.exp)
    assert mean == pytest.approx(np.exp(3))
    assert error == pytest.approx(0, abs=1e-14)


def test_a_matrix_of_zeros_has_zeros_only():
    density = sm.spectral_density(np.zeros((3, 3)), rng=np.random.default_rng(0))
    assert density.ends == (0, 0)
    assert density.integrate(np.exp) == (1, 0)


# The draw


@pytest.mark.parametrize("function", [lambda x: x, lambda x: x**2, np.exp])
def test_the_standard_error_is_that_of_the_mean(function):
    values = SPECTRA["even"]
    H = make_matrix(values)
    exact = function(values).mean()
    scores = []
    for seed in range(300):
        found = sm.spectral_density(H, rng=np.random.default_rng(seed), probes=10, steps=12)
        estimate = found.integrate(function)
        scores.append((estimate.value - exact) / estimate.standard_error)
    # Scores of ten draws are Student's: 95 of 100 are below this. The count itself is binomial.
    inside = np.count_nonzero(np.abs(scores) < scipy.stats.t.ppf(0.975, 9))
    low, high = scipy.stats.binom.ppf([1e-4, 1 - 1e-4], 300, 0.95)
    assert low <= inside <= high
    assert abs(np.mean(scores)) < 4 * np.std(scores) / np.sqrt(300)


@pytest.mark.claim("fig-spectral-density")
def test_the_density_of_a_hessian_agrees_with_its_spectrum(example, example_hessian):
    values = sm.eigenvalues(example_hessian)
    operator = sm.hessian_operator(example.loss, example.theta)
    density = sm.spectral_density(operator, rng=np.random.default_rng(0), probes=30, steps=60)
    width = density.resolution
    points = np.linspace(-2, 26, 100)
    exact = scipy.stats.norm.pdf(points[:, None], values, width).mean(axis=1)
    found = density.at(points)
    allowed = 5 * found.standard_error + density.quadrature_error()
    assert (np.abs(found.value - exact) <= allowed).all()
    trace = density.integrate(lambda x: x)
    assert abs(trace.value - values.mean()) < 4 * trace.standard_error
    # 840 of the 1040 are zero, and some more are small.
    points = np.array([-1e-3, 0.05, 1.0, 10.0])
    exact = np.array([np.mean(values < point) for point in points])
    share = density.share_below(points)
    assert (share.low - 4 * share.standard_error <= exact).all()
    assert (share.high + 4 * share.standard_error >= exact).all()
    assert (share.high - share.low)[1:].max() < 0.03


def test_the_same_seed_gives_the_same_density():
    H = make_matrix(SPECTRA["even"])
    first, second, other = [
        sm.spectral_density(H, rng=np.random.default_rng(seed), probes=2, steps=5).nodes
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(first, second)
    assert (first != other).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probes": 1}, "probes must be an integer of at least 2, got 1"),
        ({"steps": 0}, "steps must be an integer of at least 1, got 0"),
        ({"rng": 0}, "rng must be a numpy.random.Generator"),
        ({"H": [[0.0, 1.0], [2.0, 0.0]]}, "H must be symmetric"),
    ],
)
def test_bad_input_is_named(options, message):
    given = {"H": np.eye(3), "rng": np.random.default_rng(0)} | options
    with pytest.raises(ValueError, match=message):
        sm.spectral_density(given.pop("H"), **given)


def test_bad_places_and_widths_are_named():
    density = sm.spectral_density(np.diag([1.0, 2.0, 4.0]), rng=np.random.default_rng(0))
    for width in (0.0, -1.0):
        with pytest.raises(ValueError, match="width must be positive"):
            density.at([0.0], width=width)
        with pytest.raises(ValueError, match="width must be positive"):
            density.quadrature_error(width)
    for use in (density.at, density.share_below):
        with pytest.raises(ValueError, match="points must be"):
            use([np.nan])


def test_a_spectrum_of_one_value_needs_a_width():
    density = sm.spectral_density(np.eye(3), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="width must be given"):
        density.at([1.0])
