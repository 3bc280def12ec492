"""The closed form of the Hessian against autograd, on every kind of network; what it promises about
bits, memory and threads.

Autograd differentiates the loss as it is written and shares nothing with the closed form but
`NetworkLoss.layers`, so an error in how theta becomes layers would pass; test_networks.py has that.
Nothing here is about speed: `make bench` is.
"""

import math
import threading
from contextlib import contextmanager

import autograd
import numpy as np
import psutil
import pytest
import scipy.special
import threadpoolctl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sharpminima as sm
from sharpminima import structured
from tests.sharpminima.support import TINY, apart

# The bound, relative to the largest entry. A few hundred roundings, so there is room.
BOUND = 1e-12


@st.composite
def networks(draw, criteria=("squared_error", "cross_entropy")):
    """A loss of any kind and a random point, with up to four layers and down to one sample; a
    quarter have dead units.
    """
    criterion, bias = draw(st.sampled_from(criteria)), draw(st.booleans())
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    widths.append(
        draw(st.integers(1 if criterion == "squared_error" else 2, 4))
    )  # with one class the loss is constant
    rng, n_samples = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 8))
    x = rng.normal(size=(n_samples, widths[0]))
    y = (
        rng.normal(size=(n_samples, widths[-1]))
        if criterion == "squared_error"
        else rng.dirichlet(np.ones(widths[-1]), n_samples)
    )
    if criterion == "cross_entropy" and draw(st.booleans()):
        y = y.argmax(axis=1)
    loss = sm.NetworkLoss(widths, x, y, criterion=criterion, bias=bias)
    theta = rng.normal(size=loss.size)
    if (
        bias and loss.sizes[1:] and draw(st.integers(0, 3)) == 0
    ):  # a first unit that no sample switches on
        theta[widths[0] * widths[1]] = -100.0  # its bias
    return loss, theta


def find_least(loss, theta):
    """A size below which a Hessian has lost digits, whoever computes it: a probability near one is
    rounded, and the curvature is what it lacks to one.
    """
    moved = np.max(autograd.jacobian(loss.outputs)(theta) ** 2)
    return max(TINY, 1e-3 * moved)


@pytest.mark.claim("proposition-rows", "structured-equals-autograd", "work")
@settings(max_examples=100)
@given(networks(), st.sampled_from([1, 2**17]))
def test_equals_autograd_on_random_networks_of_all_kinds(network, tile):
    loss, theta = network
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structured, "TILE", tile)
        H = sm.hessian(loss, theta, method="structured")
    assert apart(H, autograd.hessian(loss)(theta), least=find_least(loss, theta)) < BOUND
    assert np.array_equal(H, H.T)


@pytest.mark.parametrize("widths", [(4, 2, 1), (2, 4, 3), (2, 3, 4)])
def test_memory_is_enough_where_every_sample_switches_on_the_widest_layer(widths, monkeypatch):
    """No tile is smaller than one row of a product needs."""
    monkeypatch.setattr(structured, "TILE", 1)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 2, size=(5, widths[0])), rng.normal(size=(5, widths[-1]))
    loss = sm.NetworkLoss(widths, x, y, bias=True)
    theta = rng.uniform(1, 2, size=loss.size)  # no unit is off
    H = autograd.hessian(loss)(theta)
    assert apart(sm.hessian(loss, theta), H) < BOUND
    for k, place in enumerate(loss.blocks):
        assert apart(sm.hessian(loss, theta, layer=k), H[place, place]) < BOUND


@pytest.mark.parametrize("side", [2, 256])
def test_all_of_the_matrix_of_a_deep_network_is_written(side, monkeypatch):
    monkeypatch.setattr(structured, "MIRROR_SIDE", side)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 3))
    loss = sm.NetworkLoss((2, 4, 3, 4, 3), x, y)
    theta = rng.normal(size=loss.size)
    out = np.full((loss.size, loss.size), np.nan)
    assert apart(sm.hessian(loss, theta, out=out), autograd.hessian(loss)(theta)) < BOUND


@pytest.mark.parametrize("widths", [(1, 1), (3, 2)])
def test_a_network_of_one_layer_has_the_products_of_its_hessian(widths):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, widths[0])), rng.normal(size=(4, widths[-1]))
    loss = sm.NetworkLoss(widths, x, y)
    theta = rng.normal(size=loss.size)
    H = np.kron(x.T @ x / 4, np.eye(widths[-1]))
    for operator in (sm.hessian_operator(loss, theta), sm.gauss_newton_operator(loss, theta)):
        assert apart(operator @ np.eye(loss.size), H) < BOUND
    J = np.stack([np.kron(row, np.eye(widths[-1])) for row in x])
    assert apart(sm.jvp(loss, theta, theta), J @ theta) < BOUND


@pytest.mark.claim("without-the-matrix")
@settings(max_examples=60)
@given(networks())
def test_products_diagonal_and_jacobian_equal_autograds(network):
    loss, theta = network
    H, J = autograd.hessian(loss)(theta), autograd.jacobian(loss.outputs)(theta)
    v = np.random.default_rng(0).normal(size=loss.size)
    least = find_least(loss, theta)
    scale = max(np.abs(H).max(), least) * np.abs(v).sum()
    assert np.abs(sm.hvp(loss, theta, v) - H @ v).max() < BOUND * scale
    assert apart(sm.hessian_diagonal(loss, theta), np.diag(H), least=least) < BOUND
    assert apart(sm.jacobian(loss, theta), J, least=TINY) < BOUND


@pytest.mark.claim("fig-parts")
@settings(max_examples=60)
@given(networks())
def test_gauss_newton_is_jt_a_j(network):
    loss, theta = network
    J, f = autograd.jacobian(loss.outputs)(theta), loss.outputs(theta)
    A = np.broadcast_to(np.eye(f.shape[1]), (*f.shape, f.shape[1]))
    if loss.criterion == "cross_entropy":
        p = scipy.special.softmax(f, axis=1)
        A = p[:, :, None] * A - p[:, :, None] * p[:, None]
    expected = np.einsum("nci,ncd,ndj->ij", J, A, J) / len(J)
    assert np.abs(sm.gauss_newton(loss, theta) - expected).max() <= BOUND * max(
        np.abs(J).max() ** 2, TINY
    )


def test_without_the_residual_term_it_would_differ(small):
    """The check above could not tell the Hessian from the Gauss-Newton matrix if they were equal
    here.
    """
    loss, theta = small
    assert apart(sm.gauss_newton(loss, theta), sm.hessian(loss, theta)) > 1e-3


@pytest.mark.claim("matrix-products")
def test_on_the_trained_networks(example, example_hessian, sibling):
    assert apart(example_hessian, autograd.hessian(example.loss)(example.theta)) < BOUND
    loss, theta = sibling.loss, sibling.theta
    assert apart(sm.hessian(loss, theta), autograd.hessian(loss)(theta)) < BOUND


def test_at_kinks_the_derivative_of_relu_is_zero():
    """All pre-activations are 0 at theta_1 = 0; autograd differentiates z * (z > 0), the closed
    form counts such units as off.
    """
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss((3, 4, 3, 2), rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), bias=True)
    theta = rng.normal(size=loss.size)
    theta[: loss.sizes[0]] = 0
    theta[loss.sizes[0] : sum(loss.sizes[:2])] = 0
    assert sm.kinks(loss, theta, tol=0.5)
    assert apart(sm.hessian(loss, theta), autograd.hessian(loss)(theta)) < BOUND


def test_a_network_that_is_off_everywhere_has_no_curvature():
    loss = sm.NetworkLoss((2, 3, 1), -np.ones((4, 2)), np.ones(4))
    np.testing.assert_array_equal(sm.hessian(loss, np.ones(loss.size)), np.zeros((9, 9)))
    np.testing.assert_array_equal(sm.hessian_diagonal(loss, np.ones(loss.size)), np.zeros(9))


@settings(max_examples=40)
@given(networks())
def test_the_trace_is_that_of_the_jacobian_for_squared_error(network):
    """tr H = |J|^2 / N at every smooth point, by a route that knows no second derivative."""
    loss, theta = network
    assume(loss.criterion == "squared_error" and not sm.kinks(loss, theta, tol=1e-9))
    J = autograd.jacobian(loss.outputs)(theta)
    assert math.isclose(
        sm.hessian_diagonal(loss, theta).sum(), (J**2).sum() / len(J), rel_tol=1e-12, abs_tol=1e-300
    )


@pytest.mark.parametrize("function", [sm.hessian, sm.gauss_newton])
def test_out_is_written_and_returned_with_the_same_bits(small, function):
    loss, theta = small
    out = np.full((loss.size, loss.size), np.nan)
    assert function(loss, theta, out=out) is out
    np.testing.assert_array_equal(out, function(loss, theta))


@pytest.mark.parametrize("function", [sm.hessian, sm.gauss_newton])
def test_theta_may_lie_in_the_matrix_it_is_overwritten_by(small, function):
    loss, theta = small
    out = np.zeros((loss.size, loss.size))
    out[0] = theta
    np.testing.assert_array_equal(function(loss, out[0], out=out), function(loss, theta))


def test_out_serves_autograd_too():
    out = np.empty((2, 2))
    assert sm.hessian(lambda t: t[0] ** 2 * t[1], [3.0, 1.0], out=out) is out
    np.testing.assert_array_equal(out, [[2, 6], [6, 0]])


@pytest.mark.parametrize(
    "out, got",
    [
        (np.empty((2, 3)), r"float64 of shape \(2, 3\)"),
        (np.empty((2, 2), dtype=np.float32), r"float32 of shape \(2, 2\)"),
        (np.empty((4, 4))[::2, ::2], r"float64 of shape \(2, 2\)"),
        ([[0.0, 0.0], [0.0, 0.0]], "list"),
    ],
)
def test_an_out_that_cannot_hold_the_matrix_is_refused(out, got):
    with pytest.raises(
        ValueError,
        match=rf"out must be a writeable, contiguous float64 array of shape \(2, 2\), got {got}",
    ):
        sm.hessian(lambda t: t @ t, [1.0, 2.0], out=out)


@pytest.mark.parametrize("function", [sm.hessian, sm.gauss_newton, sm.jacobian])
def test_a_matrix_that_will_not_fit_is_refused_before_it_is_allocated(function, monkeypatch):
    loss = sm.NetworkLoss((40, 30, 20), np.ones((5, 40)), np.zeros((5, 20)))
    theta = np.ones(loss.size)
    size = 8 * (len(loss.x) * 20 * loss.size if function is sm.jacobian else loss.size**2)
    memory = type("Memory", (), {"available": size - 1})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(structured, "run_forward", lambda *_: pytest.fail("work began"))
    with pytest.raises(
        MemoryError,
        match=(
            r"GiB are free; a hessian_operator, leading_eigenvalues and hessian_diagonal do"
            r" without it"
        ),
    ):
        function(loss, theta)
    monkeypatch.undo()
    memory.available = size
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    function(loss, theta)


def test_the_error_names_the_size(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 2**30}))
    with pytest.raises(
        MemoryError, match=r"a matrix of 20,000 x 20,000 takes 3.0 GiB, and 1.0 GiB are free"
    ):
        sm.hessian(lambda t: t @ t, np.ones(20000))


def test_threads_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    loss = sm.NetworkLoss(
        (12, 10, 8, 3),
        rng.normal(size=(50, 12)),
        rng.integers(0, 3, 50),
        criterion="cross_entropy",
        bias=True,
    )
    theta = rng.normal(size=loss.size)
    expected, used = sm.hessian(loss, theta), set()
    monkeypatch.setattr(structured, "WORTH_THREADS", 0)
    pool = structured.ThreadPoolExecutor
    monkeypatch.setattr(structured, "ThreadPoolExecutor", lambda n: used.add(n) or pool(n))
    with threadpoolctl.threadpool_limits(2, "blas"):
        np.testing.assert_array_equal(sm.hessian(loss, theta), expected)
    assert used == {2}


def test_the_blas_gets_its_threads_back():
    before = [library["num_threads"] for library in threadpoolctl.threadpool_info()]
    loss = sm.NetworkLoss((2, 1), [[1.0, 2.0]], [1.0])
    sm.hessian(loss, [1.0, 1.0])
    assert [library["num_threads"] for library in threadpoolctl.threadpool_info()] == before


class Blas:
    """A BLAS with two threads whatever the machine has, limited as threadpoolctl does it: what was
    found is restored.
    """

    num_threads = 2

    def info(self):
        return [{"num_threads": self.num_threads}]

    @contextmanager
    def limit(self, limits):
        found, self.num_threads = self.num_threads, limits
        yield
        self.num_threads = found


def test_the_blas_gets_its_threads_back_from_two_callers_at_once(monkeypatch):
    """Were the second to come before the first goes, and to go after it, it would restore the limit
    of the first.
    """
    blas, came, first_gone = Blas(), threading.Event(), threading.Event()
    monkeypatch.setattr(structured, "_find_blas", lambda: blas)

    def second():
        with structured._map_in_threads(1):
            came.set()
            first_gone.wait(10)

    thread = threading.Thread(target=second)
    with structured._map_in_threads(1):
        assert blas.num_threads == 1
        thread.start()
        came.wait(0.2)
    first_gone.set()
    thread.join()
    assert blas.num_threads == 2


def test_the_blas_is_limited_before_it_is_first_asked(monkeypatch):
    """Another thread of it, once woken, would take a core from ours for a tenth of a second."""
    blas, seen = Blas(), []
    monkeypatch.setattr(structured, "_find_blas", lambda: blas)
    for where, name in ((sm.NetworkLoss, "criterion_value"), (structured, "run_forward")):
        asked = getattr(where, name)
        monkeypatch.setattr(
            where, name, lambda *args, asked=asked: seen.append(blas.num_threads) or asked(*args)
        )
    sm.hessian(sm.NetworkLoss((2, 1), [[1.0, 2.0]], [1.0]), [1.0, 1.0])
    assert seen == [1, 1] and blas.num_threads == 2


def test_a_blas_that_cannot_be_asked_is_taken_to_have_one_thread(monkeypatch):
    blas = Blas()
    monkeypatch.setattr(blas, "info", lambda: [])
    monkeypatch.setattr(structured, "_find_blas", lambda: blas)
    with structured._limit_blas() as allowed:
        assert allowed == 1


def test_a_loss_may_ask_for_a_hessian_itself():
    network = sm.NetworkLoss((2, 1), [[1.0, 2.0]], [1.0])

    class Regularized:
        """The network's loss and the trace of its Hessian, which does not depend on theta in one
        layer.
        """

        def __call__(self, theta):
            return network(theta) + np.trace(sm.hessian(network, theta))

        def hessian(self, theta):
            return sm.hessian(network, theta)

    np.testing.assert_array_equal(
        sm.hessian(Regularized(), [1.0, 1.0]), sm.hessian(network, [1.0, 1.0])
    )


@pytest.mark.filterwarnings("error")
def test_an_entry_that_overflows_is_an_error():
    loss = sm.NetworkLoss((1, 1, 1), [[1.0]], [0.0])
    with pytest.raises(ValueError, match="loss must have finite derivatives at theta"):
        sm.hessian(loss, [1e-200, 1e200])


@pytest.mark.claim("without-the-matrix")
@pytest.mark.parametrize("count", [1, 5])
def test_lanczos_finds_the_leading_eigenvalues(example, example_hessian, count):
    operator, rng = sm.hessian_operator(example.loss, example.theta), np.random.default_rng(0)
    expected = sm.eigenvalues(example_hessian)[:count]
    for H in (operator, example_hessian):
        np.testing.assert_allclose(sm.leading_eigenvalues(H, count, rng=rng), expected, rtol=1e-10)
    if count == 1:
        assert math.isclose(
            sm.spectral_norm(operator, rng=rng), sm.spectral_norm(example_hessian), rel_tol=1e-10
        )


def test_the_spectral_norm_of_an_operator_may_be_that_of_a_negative_eigenvalue():
    operator = sm.hessian_operator(lambda t: t[0] ** 2 - 2 * t[1] ** 2 + t[2], np.ones(3))
    assert math.isclose(
        sm.spectral_norm(operator, rng=np.random.default_rng(0)), 4.0, rel_tol=1e-12
    )


def test_a_small_operator_is_served_too():
    operator, rng = (
        sm.hessian_operator(lambda t: t[0] ** 2 - 2 * t[1] ** 2, [1.0, 1.0]),
        np.random.default_rng(0),
    )
    assert sm.spectral_norm(operator, rng=rng) == 4.0
    np.testing.assert_array_equal(sm.leading_eigenvalues(operator, 1, rng=rng), [2.0])
    assert sm.spectral_norm(sm.hessian_operator(lambda t: -(t[0] ** 2), [1.0]), rng=rng) == 2.0


@pytest.mark.filterwarnings("error")
def test_an_operator_that_is_zero_has_eigenvalues_zero():
    """A constant loss: cross-entropy with one class. ARPACK would call its first vector an
    error.
    """
    rng, x = np.random.default_rng(0), np.ones((3, 2))
    constant = sm.NetworkLoss((2, 3, 1), x, np.zeros(3, dtype=int), criterion="cross_entropy")
    for loss, n in ((constant, constant.size), (lambda t: autograd.numpy.sum(t), 5)):
        operator = sm.hessian_operator(loss, np.ones(n))
        np.testing.assert_array_equal(sm.leading_eigenvalues(operator, 2, rng=rng), [0, 0])
        assert sm.spectral_norm(operator, rng=rng) == 0


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: sm.leading_eigenvalues(np.eye(3), 3, rng=np.random.default_rng(0)),
            "count must be less than the order of H, 3, got 3",
        ),
        (
            lambda: sm.leading_eigenvalues(np.eye(3), 0, rng=np.random.default_rng(0)),
            "count must be an integer of at least 1, got 0",
        ),
        (
            lambda: sm.leading_eigenvalues(np.eye(3), 1, rng=0),
            "rng must be a numpy.random.Generator",
        ),
        (
            lambda: sm.spectral_norm(sm.hessian_operator(lambda t: t @ t, np.ones(3))),
            "rng must be a numpy.random.Generator",
        ),
        (
            lambda: sm.hessian_operator(lambda t: t @ t, np.ones(3)) @ np.ones(2),
            "(?i)dimension mismatch",  # in the words of SciPy
        ),
        (
            lambda: sm.hessian_operator(lambda t: t @ t, np.ones(3)) @ (1j * np.ones(3)),
            "v must be .* float64 numbers, got dtype complex128",
        ),
        (
            lambda: sm.hessian_operator(lambda t: t @ t, np.ones(3)) @ np.full(3, np.nan),
            "v must be finite, got 3 NaN",
        ),
        (
            lambda: sm.hessian_diagonal(sm.NetworkLoss((1, 1), [[1.0]], [1.0]), [1.0, 2.0]),
            r"theta must be a vector of shape \(1,\)",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_diagonal_of_any_loss_is_that_of_its_hessian():
    np.testing.assert_array_equal(
        sm.hessian_diagonal(lambda t: t[0] ** 2 * t[1], [3.0, 1.0]), [2, 0]
    )
