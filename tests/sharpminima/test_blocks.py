"""Blocks of one layer, diagonals, and products with the Gauss-Newton matrix and the Jacobian:
against the whole matrices, which autograd forms by another route.

The whole matrices exist only for small networks; that large ones never form them is measured.
"""

import tracemalloc

import autograd
import numpy as np
import pytest
import scipy.special

import sharpminima as sm
from tests.sharpminima.support import ROUNDING, apart


class OutputsOnly:
    """What a loss of another origin knows of the network in `loss`: no derivatives."""

    def __init__(self, loss):
        self.loss = loss
        self.criterion = loss.criterion

    def __call__(self, theta):
        return self.loss(theta)

    def outputs(self, theta):
        return self.loss.outputs(theta)

    def layers(self, theta):
        return self.loss.layers(theta)


def find_places(loss):
    ends = np.cumsum(loss.sizes)
    return [slice(end - size, end) for size, end in zip(loss.sizes, ends, strict=True)]


def form_gauss_newton(loss, theta):
    """J' A J / N, sample by sample, of a Jacobian by autograd."""
    J = autograd.jacobian(loss.outputs)(theta)
    p = scipy.special.softmax(loss.outputs(theta), axis=1)
    G = np.zeros((loss.size, loss.size))
    for J_i, p_i in zip(J, p, strict=True):
        is_softmax = loss.criterion == "cross_entropy"
        A = np.diag(p_i) - np.outer(p_i, p_i) if is_softmax else np.eye(len(p_i))
        G += J_i.T @ A @ J_i
    return G / len(J)


# Blocks of the Hessian


@pytest.mark.parametrize("method", ["auto", "structured", "autograd"])
def test_a_layers_block_is_that_of_the_whole_hessian(small, method):
    loss, theta = small
    H = sm.hessian(loss, theta, method="autograd")
    for k, place in enumerate(find_places(loss)):
        block = sm.hessian(loss, theta, layer=k, method=method)
        assert apart(block, H[place, place]) < ROUNDING
        np.testing.assert_array_equal(block, block.T)


def test_layers_are_counted_from_the_end_too(small):
    loss, theta = small
    count = len(loss.sizes)
    for k in range(count):
        from_end = sm.hessian(loss, theta, layer=k - count)
        np.testing.assert_array_equal(from_end, sm.hessian(loss, theta, layer=k))


def test_a_block_is_written_to_out(small):
    loss, theta = small
    out = np.full((loss.sizes[0], loss.sizes[0]), np.nan)
    for block_of in (sm.hessian, sm.gauss_newton):
        assert block_of(loss, theta, layer=0, out=out) is out
        np.testing.assert_array_equal(out, block_of(loss, theta, layer=0))


def test_an_operator_of_a_layer_multiplies_with_its_block(small):
    loss, theta = small
    H = sm.hessian(loss, theta, method="autograd")
    for k, place in enumerate(find_places(loss)):
        operator = sm.hessian_operator(loss, theta, layer=k)
        assert apart(operator @ np.eye(loss.sizes[k]), H[place, place]) < ROUNDING


def test_traces_of_layers_are_those_of_their_blocks(small):
    loss, theta = small
    H = sm.hessian(loss, theta, method="autograd")
    for k, place in enumerate(find_places(loss)):
        diagonal = sm.hessian_diagonal(loss, theta, layer=k)
        assert apart(diagonal, np.diag(H)[place]) < ROUNDING
        diagonal = sm.gauss_newton_diagonal(loss, theta, layer=k)
        assert apart(diagonal, np.diag(H)[place]) < ROUNDING


@pytest.mark.parametrize("scaled", [False, True])
def test_unit_traces_sum_the_block_over_the_inputs(small, scaled):
    loss, theta = small
    H = sm.hessian(loss, theta, method="autograd")
    for k, place in enumerate(find_places(loss)):
        d_in, d_out = loss.layers(theta)[k].weight.shape
        scales = 1.0 + np.arange(d_in) if scaled else None
        expected = np.zeros((d_out, d_out))
        for i in range(d_in):
            start = place.start + i * d_out
            part = H[start : start + d_out, start : start + d_out]
            expected += part / (scales[i] ** 2 if scaled else 1)
        for of in (loss, OutputsOnly(loss)):
            assert apart(sm.unit_traces(of, theta, k, scales=scales), expected) < ROUNDING


def test_a_residual_network_has_its_own_blocks():
    rng = np.random.default_rng(0)
    loss = sm.ResidualLoss((2, 3, 3, 3, 2), rng.normal(size=(6, 2)), rng.normal(size=(6, 2)))
    theta = rng.normal(size=loss.size)
    H = sm.hessian(loss, theta)
    for k, place in enumerate(find_places(loss)):
        assert apart(sm.hessian(loss, theta, layer=k), H[place, place]) < ROUNDING
        assert apart(sm.hessian_diagonal(loss, theta, layer=k), np.diag(H)[place]) < ROUNDING


class Decaying(sm.NetworkLoss):
    """Another value, so that no closed form of the parent holds."""

    def __call__(self, theta):
        return super().__call__(theta) + 3 * (theta**2).sum() / 2


def test_a_subclass_with_another_value_has_its_own_blocks():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    theta = rng.normal(size=12)
    plain, decaying = [kind((2, 3, 2), x, y) for kind in (sm.NetworkLoss, Decaying)]
    for k in range(2):
        expected = sm.hessian(plain, theta, layer=k) + 3 * np.eye(6)
        assert apart(sm.hessian(decaying, theta, layer=k), expected) < ROUNDING
        operator = sm.hessian_operator(decaying, theta, layer=k)
        assert apart(operator @ np.eye(6), expected) < ROUNDING
    for use in (sm.gauss_newton, sm.gauss_newton_operator, sm.gauss_newton_diagonal):
        with pytest.raises(ValueError, match="loss must be the mean of its criterion"):
            use(decaying, theta)
    for name in ("hessian_block", "gauss_newton_block", "unit_traces"):
        with pytest.raises(ValueError, match=f"loss must bring a {name} of its own"):
            getattr(decaying, name)(theta, 0)
    for name in ("gauss_newton_at", "gauss_newton_diagonal", "jvp_at"):
        with pytest.raises(ValueError, match=f"loss must bring a {name} of its own"):
            getattr(decaying, name)(theta)
    with pytest.raises(ValueError, match="method 'structured' needs a loss with a hessian_block"):
        sm.hessian(decaying, theta, layer=0, method="structured")


# Networks as they are trained: weight decay, weights of samples, other activations and criteria


TRAINED = {
    "decay": {"l2": 0.3},
    "decay by parameter": {"l2": np.linspace(0, 2, 27)},
    "weights of samples": {"sample_weight": np.arange(1.0, 10.0)},
    "leaky": {"activation": "leaky_relu", "slope": 0.2},
    "binary": {"criterion": "binary_cross_entropy"},
    "all of it": {
        "l2": np.linspace(0, 2, 27),
        "sample_weight": np.arange(9.0),
        "activation": "leaky_relu",
        "criterion": "cross_entropy",
    },
}


@pytest.fixture(params=TRAINED)
def trained(request):
    """A loss, its parameters, and its Gauss-Newton matrix, formed sample by sample."""
    options = TRAINED[request.param]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 3)), rng.uniform(size=(9, 3))
    if options.get("criterion") == "cross_entropy":
        y = y.argmax(axis=1)
    loss = sm.NetworkLoss((3, 3, 2, 3), x, y, bias=(True, False, True), **options)
    theta = rng.normal(size=27)
    J = autograd.jacobian(loss.outputs)(theta)
    weights = options.get("sample_weight", np.ones(9))
    G = np.zeros((27, 27))
    for J_i, f, weight in zip(J, loss.outputs(theta), weights / weights.mean(), strict=True):
        A = np.eye(3)
        if options.get("criterion") == "cross_entropy":
            p = scipy.special.softmax(f)
            A = np.diag(p) - np.outer(p, p)
        elif options.get("criterion") == "binary_cross_entropy":
            A = np.diag(scipy.special.expit(f) * scipy.special.expit(-f))
        G += weight * J_i.T @ A @ J_i / 9
    return loss, theta, G


def test_a_trained_network_has_its_blocks(trained):
    loss, theta, G = trained
    H = autograd.hessian(loss)(theta)
    for k, place in enumerate(find_places(loss)):
        assert apart(sm.hessian(loss, theta, layer=k), H[place, place]) < ROUNDING
        assert apart(sm.hessian_diagonal(loss, theta, layer=k), np.diag(H)[place]) < ROUNDING
        assert apart(sm.gauss_newton(loss, theta, layer=k), G[place, place]) < ROUNDING
        diagonal = sm.gauss_newton_diagonal(loss, theta, layer=k)
        assert apart(diagonal, np.diag(G)[place]) < ROUNDING
    assert apart(sm.gauss_newton_operator(loss, theta) @ np.eye(27), G) < ROUNDING


def test_a_trained_network_has_its_unit_traces(trained):
    loss, theta, _ = trained
    H = autograd.hessian(loss)(theta)
    for k, place in enumerate(find_places(loss)):
        d_in, d_out = loss.layers(theta)[k].weight.shape
        scales = 1.0 + np.arange(d_in)
        starts = place.start + d_out * np.arange(d_in)
        parts = [H[start : start + d_out, start : start + d_out] for start in starts]
        expected = np.einsum("i,ijk->jk", 1 / scales**2, parts)
        assert apart(sm.unit_traces(loss, theta, k, scales=scales), expected) < ROUNDING


# The Gauss-Newton matrix


def test_the_gauss_newton_operator_multiplies_with_the_matrix(small):
    loss, theta = small
    G = form_gauss_newton(loss, theta)
    for of in (loss, OutputsOnly(loss)):
        operator = sm.gauss_newton_operator(of, theta)
        assert apart(operator @ np.eye(loss.size), G) < ROUNDING
        assert apart(sm.gauss_newton_diagonal(of, theta), np.diag(G)) < ROUNDING


def test_a_layer_of_the_gauss_newton_matrix(small):
    loss, theta = small
    G = form_gauss_newton(loss, theta)
    for k, place in enumerate(find_places(loss)):
        for of in (loss, OutputsOnly(loss)):
            assert apart(sm.gauss_newton(of, theta, layer=k), G[place, place]) < ROUNDING
            operator = sm.gauss_newton_operator(of, theta, layer=k)
            assert apart(operator @ np.eye(loss.sizes[k]), G[place, place]) < ROUNDING
            diagonal = sm.gauss_newton_diagonal(of, theta, layer=k)
            assert apart(diagonal, np.diag(G)[place]) < ROUNDING


def test_a_gauss_newton_matrix_of_ones_own_is_used():
    class Own(OutputsOnly):
        def gauss_newton(self, theta):
            return np.diag([1.0, 2.0, 3.0, 4.0])

    loss = Own(sm.NetworkLoss((2, 1, 2), [[1.0, 2.0]], [[0.0, 1.0]]))
    product = sm.gauss_newton_operator(loss, np.ones(4)) @ np.ones(4)
    np.testing.assert_array_equal(product, [1, 2, 3, 4])


@pytest.mark.parametrize("name", ["hessian", "gauss_newton"])
def test_a_block_of_ones_own_is_used(name):
    block = np.array([[1.0, 0.5], [0.5, 2.0]])
    loss = OutputsOnly(sm.NetworkLoss((2, 1, 2), [[1.0, 2.0]], [[0.0, 1.0]]))
    setattr(loss, f"{name}_block", lambda theta, layer: block)
    np.testing.assert_array_equal(getattr(sm, name)(loss, np.ones(4), layer=0), block)


@pytest.mark.parametrize("method, factor", [("auto", 7), ("autograd", 1)])
def test_a_product_of_ones_own_makes_the_block_unless_autograd_is_to(method, factor):
    loss = OutputsOnly(sm.NetworkLoss((1, 1), [[1.0]], [1.0]))  # its Hessian is 1
    loss.hvp_at = lambda theta: lambda v: 7 * v
    assert sm.hessian(loss, [1.0], layer=0, method=method) == [[factor]]


@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 3, 2)])
def test_the_gauss_newton_matrix_of_yes_and_no_needs_outputs_alone(widths):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 2)), rng.integers(2, size=(5, widths[-1]))
    loss = OutputsOnly(sm.NetworkLoss(widths, x, y, criterion="binary_cross_entropy"))
    theta = rng.normal(size=loss.loss.size)
    p = 1 / (1 + np.exp(-loss.outputs(theta)))
    J = autograd.jacobian(loss.outputs)(theta)
    expected = np.einsum("nci,nc,ncj->ij", J, p * (1 - p), J) / 5
    assert apart(sm.gauss_newton(loss, theta), expected) < ROUNDING
    operator = sm.gauss_newton_operator(loss, theta)
    assert apart(operator @ np.eye(len(theta)), expected) < ROUNDING


def test_jvp_is_the_jacobian_times_a_vector(small):
    loss, theta = small
    v = np.random.default_rng(0).normal(size=loss.size)
    expected = autograd.jacobian(loss.outputs)(theta) @ v
    for of in (loss, OutputsOnly(loss)):
        assert apart(sm.jvp(of, theta, v), expected) < ROUNDING


# What they refuse, and what they don't form


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, t: sm.hessian(f, t, layer=2), r"layer must be .* 2 layers, from -2 to 1, got 2"),
        (lambda f, t: sm.hessian(f, t, layer=-3), r"layer must be .* from -2 to 1, got -3"),
        (lambda f, t: sm.hessian(f, t, layer=True), r"layer must be .* got True"),
        (lambda f, t: sm.hessian(f, t, layer=0.0), r"layer must be .* got 0\.0"),
        (lambda f, t: sm.gauss_newton(f, t, layer=2), r"layer must be .* got 2"),
        (lambda f, t: sm.gauss_newton_operator(f, t, layer=2), r"layer must be .* got 2"),
        (lambda f, t: sm.hessian_diagonal(f, t, layer=2), r"layer must be .* got 2"),
        (lambda f, t: sm.unit_traces(f, t, 2), r"layer must be .* got 2"),
        (lambda f, t: sm.unit_traces(f, t, 0, scales=[1.0]), r"scales must be .* \(2,\)"),
        (lambda f, t: sm.unit_traces(f, t, 0, scales=[1.0, 0.0]), "scales must be positive, got 0"),
        (lambda f, t: sm.hessian(abs, t, layer=0), r"loss must have layers\(theta\)"),
        (lambda f, t: sm.hessian(f, t, layer=0, out=np.eye(3)), r"out must be .* \(4, 4\)"),
        (lambda f, t: sm.jvp(f, t, [1.0]), r"v must be a vector of shape \(6,\)"),
        (lambda f, t: sm.jvp(abs, t, t), r"loss must have outputs\(theta\)"),
        (lambda f, t: sm.gauss_newton_operator(abs, t), r"loss.criterion must be"),
        (lambda f, t: sm.gauss_newton_operator(f, t) @ [1.0] * 6, "dimension mismatch"),
    ],
)
def test_bad_input_is_named(call, message):
    loss = sm.NetworkLoss((2, 2, 1), [[1.0, 2.0]], [1.0])
    with pytest.raises(ValueError, match="(?i)" + message):
        call(loss, np.ones(6))


def test_how_small_a_scale_may_be():
    """So small that its square can still be divided by: above 1e-150."""
    loss = sm.NetworkLoss((1, 1), [[1.0]], [1.0])  # with the trace 1 / scale^2
    least = np.nextafter(1e-150, 1)
    assert sm.unit_traces(loss, np.ones(1), 0, scales=[least]) == pytest.approx(1e300, rel=1e-12)
    with pytest.raises(ValueError, match="scales must be positive, got 1e-150: above 1e-150"):
        sm.unit_traces(loss, np.ones(1), 0, scales=[1e-150])


def test_layers_in_another_order_are_refused():
    class Reversed(sm.NetworkLoss):
        def layers(self, theta):
            return super().layers(theta[::-1])

    loss = Reversed((1, 1, 1), [[1.0]], [1.0])
    with pytest.raises(ValueError, match="must hold theta in the order of ravel"):
        sm.hessian(loss, [1.0, 2.0], layer=0)


def test_a_loss_that_is_not_finite_is_refused():
    loss = sm.NetworkLoss((1, 1, 1), [[1e200]], [1.0])
    theta = np.full(2, 1e200)
    for use in (sm.gauss_newton_operator, sm.gauss_newton_diagonal):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="finite"):
            use(loss, theta)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="finite"):
        sm.hessian(loss, theta, layer=0)


def measure_peak(call):
    """The MiB that numpy has held at most beyond what it held before the call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def test_no_matrix_of_all_parameters_is_formed():
    rng = np.random.default_rng(0)
    widths = (100, 150, 40, 10)  # n = 21,400: a matrix would take 3.4 GiB
    x, y = rng.normal(size=(50, 100)), rng.integers(10, size=50)
    loss = sm.NetworkLoss(widths, x, y, criterion="cross_entropy")
    theta = sm.ravel(sm.init_params(widths, rng=rng))
    largest = 0.0
    for use in (
        lambda: sm.hessian(loss, theta, layer=-1),
        lambda: sm.gauss_newton(loss, theta, layer=-1),
        lambda: sm.hessian_diagonal(loss, theta, layer=0),
        lambda: sm.gauss_newton_diagonal(loss, theta),
        lambda: sm.gauss_newton_operator(loss, theta) @ theta,
        lambda: sm.jvp(loss, theta, theta),
        lambda: sm.unit_traces(loss, theta, 0),
        lambda: sm.spectral_density(sm.hessian_operator(loss, theta), rng=rng, probes=2, steps=10),
        lambda: sm.leading_eigenvectors(sm.hessian_operator(loss, theta), 1, rng=rng, tol=1e-3),
    ):
        largest = max(largest, measure_peak(use))
    assert largest < 40  # the widest basis of Lanczos is 20 vectors, 3 MiB
