"""Eigenvectors at both ends of a spectrum, by Lanczos iteration: against dense matrices whose
eigenvalues are chosen, and against LAPACK's of Hessians.
"""

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import sharpminima as sm
from tests.sharpminima.support import TINY


def make_matrix(values, seed=0):
    """A symmetric matrix with these eigenvalues, and its eigenvectors in the same order."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    H = Q @ np.diag(values) @ Q.T
    return (H + H.T) / 2, Q


SPECTRA = {
    "indefinite": np.linspace(-3, 5, 150),
    "positive": np.geomspace(1e-3, 10, 150),
    "many zeros": np.concatenate([np.zeros(140), np.linspace(1, 9, 10)]),
    "all negative": -np.linspace(1, 9, 150),
    "small": np.array([-1.0, 2.0, 4.0]),
}


@pytest.mark.parametrize("kind", SPECTRA)
@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_the_ends_of_a_chosen_spectrum_are_found(kind, which):
    values = SPECTRA[kind]
    H, Q = make_matrix(values)
    count = 1 if kind == "many zeros" and which == "smallest" else 2
    order = np.argsort(values)
    order = order[::-1] if which == "largest" else order
    for of in (H, aslinearoperator(H)):
        rng = np.random.default_rng(1)
        found = sm.leading_eigenvectors(of, count, rng=rng, which=which)
        size = np.abs(values).max()
        np.testing.assert_allclose(found.values, values[order[:count]], atol=1e-11 * size)
        np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(count), atol=1e-12)
        residual = H @ found.vectors - found.vectors * found.values
        assert np.abs(residual).max() < 1e-10 * size
        if kind != "many zeros":
            cosines = np.sum(found.vectors * Q[:, order[:count]], axis=0)
            np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-12)


def test_the_eigenvectors_of_a_hessian_are_lapacks(example, example_hessian):
    values, vectors = scipy.linalg.eigh(example_hessian)
    operator = sm.hessian_operator(example.loss, example.theta)
    found = sm.leading_eigenvectors(operator, 3, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.values, values[:-4:-1], rtol=1e-12)
    np.testing.assert_allclose(np.abs(found.vectors.T @ vectors[:, :-4:-1]), np.eye(3), atol=1e-10)
    rng = np.random.default_rng(0)
    [least] = sm.leading_eigenvalues(operator, 1, rng=rng, which="smallest")
    assert abs(least) < 1e-12 * values[-1]  # rank 200 of 1040: it is zero


def test_a_tolerance_saves_products():
    H, _ = make_matrix(np.linspace(0, 1, 400))
    counts, errors = [], []
    for tol in (1e-2, 1e-6, 0.0):
        used = []

        def multiply(v, used=used):
            used.append(1)
            return H @ v

        operator = LinearOperator(H.shape, matvec=multiply, dtype=float)
        rng = np.random.default_rng(0)
        [value] = sm.leading_eigenvalues(operator, 1, rng=rng, tol=tol)
        counts.append(len(used))
        errors.append(abs(value - 1))
    assert counts == sorted(set(counts))
    for tol, error in zip((1e-2, 1e-6, 1e-12), errors, strict=True):
        assert error <= tol


def test_equal_seeds_give_equal_vectors():
    H, _ = make_matrix(np.linspace(0, 1, 50))
    first, second = [
        sm.leading_eigenvectors(H, 2, rng=np.random.default_rng(3)).vectors for _ in range(2)
    ]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("value", "which"), [(0.0, "largest"), (0.0, "smallest"), (3.0, "smallest")]
)
@pytest.mark.parametrize("count", [1, 3])
def test_where_all_eigenvalues_are_equal_any_orthonormal_vectors_are_given(value, which, count):
    H = value * np.eye(6)
    found = sm.leading_eigenvectors(H, count, rng=np.random.default_rng(0), which=which)
    np.testing.assert_allclose(found.values, np.full(count, value), rtol=1e-12)
    assert found.vectors.shape == (6, count)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(count), atol=1e-14)
    kind = {"largest": "LA", "smallest": "SA"}[which]
    values, vectors = sm.spectra.run_lanczos(H, count, kind, np.random.default_rng(0))
    assert values.shape == (count,) and vectors.shape == (6, count)


def test_progress_counts_products(capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    monkeypatch.setattr(sm.spectra, "PATIENCE", 0.0)
    monkeypatch.setattr(sm.spectra, "tqdm", lambda **options: quick_bar(options))
    H, _ = make_matrix(np.linspace(0, 1, 50))
    sm.leading_eigenvectors(H, 2, rng=np.random.default_rng(3))
    shown = capsys.readouterr().err
    assert "Lanczos" in shown and shown.endswith("\r")  # the bar is wiped out at the end
    sm.sharpest_direction(lambda t: (t**2).sum(), np.ones(4), rng=np.random.default_rng(3))
    assert "Lanczos" in capsys.readouterr().err
    sm.spectral_density(H, rng=np.random.default_rng(3), probes=2, steps=5)
    assert "spectral density: 100%" in capsys.readouterr().err


def quick_bar(options):
    from tqdm import tqdm

    return tqdm(**options | {"disable": False, "mininterval": 0, "miniters": 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count must be an integer of at least 1, got 0"),
        ({"count": 3}, "count must be less than the order of H, 3, got 3"),
        ({"H": np.eye(2), "count": 2}, "count must be less than the order of H, 2, got 2"),
        ({"which": "LA"}, "which must be one of largest, smallest, got 'LA'"),
        ({"tol": -1e-3}, "tol must be at least 0 and less than 1, got -0.001"),
        ({"tol": 1.0}, "tol must be at least 0 and less than 1, got 1"),
        ({"tol": np.nan}, "tol must be finite"),
        ({"rng": 0}, "rng must be a numpy.random.Generator"),
        ({"H": [[0.0, 1.0], [2.0, 0.0]]}, "H must be symmetric"),
    ],
)
def test_bad_input_is_named(options, message):
    given = {"H": np.eye(3), "count": 1, "rng": np.random.default_rng(0)} | options
    for use in (sm.leading_eigenvectors, sm.leading_eigenvalues):
        with pytest.raises(ValueError, match=message):
            use(
                given["H"],
                given["count"],
                **{k: given[k] for k in given if k not in ("H", "count")},
            )


def test_how_symmetric_a_matrix_must_be():
    """To ten digits of its largest entry, which is 4 here."""
    for gap, is_symmetric in ((3.9e-10, True), (4.1e-10, False)):
        H = np.array([[4.0, 1.0], [1.0 + gap, 3.0]])
        if is_symmetric:
            assert sm.trace(H) == 7
        else:
            with pytest.raises(ValueError, match="H must be symmetric"):
                sm.trace(H)


def test_a_matrix_of_two_rows_has_both_ends():
    H = np.array([[1.0, 2.0], [2.0, 1.0]])
    rng = np.random.default_rng(0)
    assert sm.leading_eigenvalues(H, 1, rng=rng) == pytest.approx([3])
    assert sm.leading_eigenvalues(H, 1, rng=rng, which="smallest") == pytest.approx([-1])


@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_all_eigenvalues_but_one_are_found(which):
    H, _ = make_matrix(SPECTRA["indefinite"])
    found = sm.leading_eigenvalues(H, 149, rng=np.random.default_rng(0), which=which)
    expected = SPECTRA["indefinite"][1:] if which == "largest" else SPECTRA["indefinite"][:-1]
    np.testing.assert_allclose(np.sort(found), expected, atol=1e-10)


@pytest.mark.parametrize("H, norm", [([[-3.0]], 3.0), (np.diag([1.0, -4.0, 2.0]), 4.0)])
def test_a_spectral_norm_may_be_that_of_a_negative_eigenvalue(H, norm):
    assert sm.spectral_norm(H) == norm
    with pytest.raises(ValueError, match="rng must be a numpy.random.Generator"):
        sm.spectral_norm(H, rng=0)


def test_an_eigenvalue_as_large_as_the_tolerance_counts_as_zero():
    assert sm.inertia(np.diag([4.0, 2.0, 3.0, -2.0, -3.0, -2.5, 1.0]), rtol=0.5) == (2, 2, 3)


def test_blocks_are_balanced_by_the_mean_of_their_diagonal_whatever_its_size():
    H = np.diag([0.0, 0.25, -2.0, 6.0, TINY])
    H[2, 3] = H[3, 2] = H[1, 2] = H[2, 1] = 1.0
    B, s = sm.balance(H, (1, 1, 2, 1))
    np.testing.assert_array_equal(s, [1.0, 2.0, 0.5, 0.5, TINY**-0.5])
    expected = np.diag([0.0, 1.0, -0.5, 1.5, 1.0])
    expected[2, 3] = expected[3, 2] = 0.25
    expected[1, 2] = expected[2, 1] = 1.0
    np.testing.assert_array_equal(B, expected)
    with pytest.raises(ValueError, match="whose mean diagonal entry is 0 or at least 2.2e-308"):
        sm.balance(np.diag([1.0, TINY / 2]), (1, 1))


def test_the_scales_to_a_unit_diagonal_are_those_by_hand():
    """The third row has its 1/2 from the second alone, the fourth nothing."""
    A = np.diag([0.25, -4.0, 0.0, 0.0])
    A[0, 1] = A[1, 0] = A[1, 2] = A[2, 1] = 1.0
    np.testing.assert_array_equal(sm.spectra.scales_to_unit_diagonal(A), [2.0, 0.5, 2.0, 1.0])


@pytest.mark.parametrize("gap, inertia", [(1e-9, (2, 0)), (1e-12, (1, 0))])
def test_at_a_point_what_rounding_may_make_counts_as_zero_and_a_billionth_does_not(gap, inertia):
    H = np.array([[1.0, 1.0 - gap], [1.0 - gap, 1.0]])  # eigenvalues 2 - gap and gap
    point = sm.Point(lambda t: anp.dot(t, anp.dot(H, t)) / 2, np.zeros(2))
    assert point.inertia == inertia


def test_scaling_an_operator_is_scaling_its_matrix():
    H, _ = make_matrix(np.linspace(-1, 2, 6))
    s = 2.0 ** np.arange(6)
    scaled = sm.spectra.scale_symmetrically(aslinearoperator(H), s)
    for product in (scaled @ np.eye(6), scaled.T @ np.eye(6), scaled @ np.eye(6)[:, :1]):
        expected = (np.diag(s) @ H @ np.diag(s))[:, : product.shape[1]]
        np.testing.assert_allclose(product, expected, rtol=1e-12)
