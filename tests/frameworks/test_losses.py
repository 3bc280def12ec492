"""`TorchLoss` and `JaxLoss` beside `NetworkLoss` on the same weights, and beside finite
differences where there is no such network.

Not seen here: other devices than the processor.
"""

import sys

import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import sharpminima as sm
from tests.frameworks.support import (
    CRITERIA,
    apart,
    find_torch_order,
    make_data,
    make_module,
    make_network,
)

SAME = 1e-12
STEP = np.finfo(float).eps ** (1 / 3)


def apply_layers(params, x):
    """A network as a user of JAX writes it."""
    *hidden, last = params
    for weight, bias in hidden:
        x = jax.nn.relu(x @ weight + bias)
    return x @ last[0] + last[1]


def make_torch_loss(network, theta):
    module = make_module(network.layers(theta))
    y = network.y
    return sm.TorchLoss(module, network.x, y, criterion=network.criterion)


def make_jax_loss(network, theta):
    params = [tuple(layer) for layer in network.layers(theta)]
    return sm.JaxLoss(apply_layers, params, network.x, network.y, criterion=network.criterion)


@pytest.fixture(scope="module", params=CRITERIA)
def network(request):
    return make_network(request.param)


@pytest.fixture(scope="module", params=["torch", "jax"])
def framework(request, network):
    """A loss of the framework, and for each parameter of the network its place there. Made once,
    for JAX compiles each anew.
    """
    loss, theta = network
    if request.param == "torch":
        return make_torch_loss(loss, theta), find_torch_order(loss)
    return make_jax_loss(loss, theta), np.arange(loss.size)


def test_value_outputs_and_derivatives_are_those_of_the_network(network, framework):
    loss, theta = network
    other, order = framework
    at = np.empty(loss.size)
    at[order] = theta
    # JAX holds float32 unless it is told otherwise, and the given weights are float64.
    assert apart(other.theta, at) <= SAME
    v = np.random.default_rng(2).normal(size=loss.size)
    w = np.empty(loss.size)
    w[order] = v
    assert other(at) == pytest.approx(loss(theta), rel=SAME)
    assert apart(other.outputs(at), loss.outputs(theta)) <= SAME
    assert apart(sm.gradient(other, at)[order], sm.gradient(loss, theta)) <= SAME
    assert apart(sm.hvp(other, at, w)[order], sm.hvp(loss, theta, v)) <= SAME
    assert apart(sm.hessian(other, at)[np.ix_(order, order)], sm.hessian(loss, theta)) <= SAME
    assert apart(sm.jacobian(other, at)[..., order], sm.jacobian(loss, theta)) <= SAME
    fisher = sm.gauss_newton(other, at)
    assert apart(fisher[np.ix_(order, order)], sm.gauss_newton(loss, theta)) <= SAME
    assert sm.trace(sm.hessian(other, at)) == pytest.approx(
        sm.hessian_diagonal(loss, theta).sum(), rel=SAME
    )


def test_the_hessian_is_that_of_autograds_way_through_the_loss(framework):
    other, _ = framework
    by_autograd = sm.hessian(other, other.theta, method="autograd")
    assert apart(by_autograd, sm.hessian(other, other.theta)) <= SAME


def test_a_penalty_can_be_added(framework):
    other, _ = framework

    def penalized(theta):
        return other(theta) + 0.05 * anp.sum(theta**2)

    at = other.theta
    assert apart(sm.gradient(penalized, at), sm.gradient(other, at) + 0.1 * at) <= SAME
    expected = sm.hessian(other, at) + 0.1 * np.eye(other.size)
    assert apart(sm.hessian(penalized, at), expected) <= SAME


def test_an_operator_stays_at_its_point(framework):
    other, _ = framework
    at = other.theta.copy()
    operator = sm.hessian_operator(other, at)
    H = sm.hessian(other, at)
    at += 1.0
    v = np.ones(other.size)
    assert apart(operator @ v, H @ v) <= SAME
    [largest] = sm.leading_eigenvalues(operator, 1, rng=np.random.default_rng(0))
    assert largest == pytest.approx(sm.eigenvalues(H)[0], rel=1e-9)


def test_the_audit_takes_what_needs_no_layers(framework):
    other, _ = framework
    networks = {"mine": (other, other.theta)}
    measures = {
        name: sm.MEASURES[name] for name in ("trace", "function_variance") if name in sm.MEASURES
    }
    audits = sm.audit_all(measures, networks=networks, seeds=range(2))
    trace = audits["trace"]
    for name in ("elementwise_map", "linear_map", "radial_map"):
        assert trace.findings[name].verdict == "breaks"
    for name in ("layer_scale", "permutation", "input_basis"):
        assert "must be a NetworkLoss" in trace.findings[name].undefined["mine"]


def test_a_measure_of_the_function_survives(framework):
    other, _ = framework
    report = sm.audit(
        lambda point: np.abs(point.outputs).max(), networks=[(other, other.theta)], seeds=range(3)
    )
    for name in ("elementwise_map", "linear_map", "radial_map"):
        assert report.survives(name)


def test_other_data_have_other_values(network, framework):
    loss, theta = network
    other, order = framework
    half = loss.on(loss.x[:20], loss.y[:20])
    at = np.empty(loss.size)
    at[order] = theta
    assert other.on(loss.x[:20], loss.y[:20])(at) == pytest.approx(half(theta), rel=SAME)
    assert other(at) == pytest.approx(loss(theta), rel=SAME)


def test_sgd_takes_it(framework):
    other, _ = framework
    rng = np.random.default_rng(0)
    theta = sm.sgd(other, other.theta, epochs=3, batch_size=10, learning_rate=0.01, rng=rng)
    assert other(theta) < other(other.theta)


# What NetworkLoss does not know: convolutions, other activations, other criteria.


class Convolution(torch.nn.Module):
    """A small network for pictures of 6 x 6, which is no Sequential of Linear."""

    def __init__(self, dtype=torch.float64):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.convolution = torch.nn.Conv2d(1, 2, 3, dtype=dtype)
        self.last = torch.nn.Linear(8, 3, dtype=dtype)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.randn(p.shape, generator=generator) / 2)

    def forward(self, x):
        h = torch.nn.functional.max_pool2d(torch.tanh(self.convolution(x)), 2)
        return self.last(h.flatten(1))


def make_pictures():
    rng = np.random.default_rng(3)
    return rng.normal(size=(12, 1, 6, 6)), rng.integers(3, size=12)


def check_by_differences(loss):
    """The gradient against central differences of the value, the Hessian against such of the
    gradient.
    """
    at = loss.theta
    steps = STEP * np.eye(loss.size)
    slope = [(loss(at + e) - loss(at - e)) / (2 * STEP) for e in steps]
    assert apart(sm.gradient(loss, at), slope) <= 1e-8
    rows = [(sm.gradient(loss, at + e) - sm.gradient(loss, at - e)) / (2 * STEP) for e in steps]
    assert apart(sm.hessian(loss, at), rows) <= 1e-8


def test_a_convolution_with_a_criterion_of_pytorch():
    x, y = make_pictures()
    weighted = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)
    loss = sm.TorchLoss(Convolution(), x, y, criterion=weighted)
    outputs = Convolution()(torch.as_tensor(x))
    assert loss(loss.theta) == pytest.approx(
        weighted.double()(outputs, torch.as_tensor(y)).item(), rel=SAME
    )
    check_by_differences(loss)
    with pytest.raises(ValueError, match="criterion"):
        sm.gauss_newton(loss, loss.theta)


def test_a_function_of_jax_with_a_criterion_of_ones_own():
    rng = np.random.default_rng(4)
    x, t = rng.normal(size=(9, 3)), rng.normal(size=9)
    params = {"a": rng.normal(size=(3, 4)), "b": {"c": rng.normal(size=4), "d": 0.5}}

    def apply(params, x):
        return jnp.tanh(x @ params["a"]) @ params["b"]["c"] * params["b"]["d"]

    def huber(outputs, y):
        r = jnp.abs(outputs - y)
        return jnp.mean(jnp.where(r < 1, r**2 / 2, r - 0.5))

    loss = sm.JaxLoss(apply, params, x, t, criterion=huber)
    assert loss.size == 17 and loss.outputs(loss.theta).shape == (9, 1)
    check_by_differences(loss)


def test_squared_error_is_half_the_outputs_times_that_of_pytorch():
    network, theta = make_network("squared_error")
    module = make_module(network.layers(theta))
    named = sm.TorchLoss(module, network.x, network.y, criterion="squared_error")
    theirs = sm.TorchLoss(module, network.x, network.y, criterion=torch.nn.MSELoss())
    n_outputs = network.y.shape[1]
    assert named(named.theta) == pytest.approx(n_outputs / 2 * theirs(theirs.theta), rel=SAME)


def test_theta_is_pytorchs_vector_of_parameters():
    module = Convolution()
    x, y = make_pictures()
    loss = sm.TorchLoss(module, x, y, criterion="cross_entropy")
    theirs = torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy()
    assert np.array_equal(loss.theta, theirs)


def test_single_precision_is_computed_in_double_and_said():
    x, y = make_pictures()
    module = Convolution(dtype=torch.float32)
    loss = sm.TorchLoss(module, x.astype(np.float32), y, criterion="cross_entropy")
    own = module(torch.as_tensor(x, dtype=torch.float32)).detach().numpy()
    gap = apart(loss.outputs(loss.theta), own.astype(float))
    assert loss.theta.dtype == np.float64 and 0 < loss.prediction_gap < 1e-5
    assert loss.prediction_gap == pytest.approx(gap, rel=1e-6)
    assert f"{gap:.1g} of the largest output away from" in repr(loss)
    assert next(module.parameters()).dtype == torch.float32, "the reader's module stays as it is"
    in_double = sm.TorchLoss(module.double(), x, y, criterion="cross_entropy")
    assert in_double.prediction_gap == 0 and "away" not in repr(in_double)


def test_jax_keeps_its_own_precision():
    network, theta = make_network("cross_entropy")
    params = [tuple(jnp.asarray(part) for part in layer) for layer in network.layers(theta)]
    loss = sm.JaxLoss(apply_layers, params, network.x, network.y, criterion="cross_entropy")
    assert params[0][0].dtype == jnp.float32 and 0 < loss.prediction_gap < 1e-5
    assert f"{loss.prediction_gap:.1g} of the largest output" in repr(loss)
    assert jnp.ones(1).dtype == jnp.float32, "the setting of the process stays as it is"
    back = loss.put_back(loss.theta + 1)
    assert back[0][0].dtype == jnp.float32
    assert np.array_equal(back[1][1], np.asarray(params[1][1] + 1))


def test_a_twin_goes_back_into_the_module():
    x, y = make_pictures()
    module = Convolution()
    loss = sm.TorchLoss(module, x, y, criterion="cross_entropy")
    moved = loss.put_back(loss.theta * 1.5)
    assert isinstance(moved, Convolution)
    outputs = moved(torch.as_tensor(x)).detach().numpy()
    assert apart(outputs, loss.outputs(loss.theta * 1.5)) <= SAME
    assert torch.equal(module.last.weight * 1.5, moved.last.weight)


def test_frozen_parameters_stay_and_are_said():
    x, y = make_pictures()
    module = Convolution()
    module.convolution.requires_grad_(False)
    loss = sm.TorchLoss(module, x, y, criterion="cross_entropy")
    assert loss.size == 8 * 3 + 3 and "20 frozen" in repr(loss)
    whole = sm.TorchLoss(Convolution(), x, y, criterion="cross_entropy")
    H = sm.hessian(whole, whole.theta)
    assert apart(sm.hessian(loss, loss.theta), H[20:, 20:]) <= SAME


def test_tied_parameters_count_once():
    shared = torch.nn.Linear(4, 4, dtype=torch.float64)
    module = torch.nn.Sequential(shared, torch.nn.Tanh(), shared)
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 7, 4))
    loss = sm.TorchLoss(module, x, y, criterion="squared_error")
    assert loss.size == 20
    check_by_differences(loss)


def test_training_mode_is_refused_where_it_matters():
    x, y = make_data("cross_entropy")
    torch.manual_seed(0)
    linear = torch.nn.Linear(5, 3)
    for part in (torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(5)):
        module = torch.nn.Sequential(part, linear)
        before = torch.get_rng_state()
        state = {name: value.clone() for name, value in module.state_dict().items()}
        with pytest.raises(ValueError, match=r"training mode.*module\.eval\(\)"):
            sm.TorchLoss(module, x, y, criterion="cross_entropy")
        assert torch.equal(before, torch.get_rng_state())
        assert all(torch.equal(state[name], value) for name, value in module.state_dict().items())
        loss = sm.TorchLoss(module.eval(), x, y, criterion="cross_entropy")
        check_by_differences(loss)
    assert sm.TorchLoss(linear.train(), x, y, criterion="cross_entropy").size == 18


class Noise(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x) + torch.randn(())


def test_what_is_no_loss_is_refused():
    x, y = make_data("cross_entropy")
    linear = torch.nn.Linear(5, 3)
    frozen = torch.nn.Linear(5, 3).requires_grad_(False)
    refused = [
        (lambda: sm.TorchLoss(sm, x, y, criterion="cross_entropy"), "torch.nn.Module, got module"),
        (lambda: sm.TorchLoss(frozen, x, y, criterion="cross_entropy"), "requires_grad"),
        (lambda: sm.TorchLoss(Noise(5, 3), x, y, criterion="cross_entropy"), "same outputs"),
        (lambda: sm.TorchLoss(linear, x, y, criterion="hinge"), "criterion must be one of"),
        (lambda: sm.TorchLoss(linear, x, y, criterion=None), "criterion.*got NoneType"),
        (
            lambda: sm.TorchLoss(
                linear, x, y, criterion=torch.nn.CrossEntropyLoss(reduction="none")
            ),
            r"one number, got shape \(40,\)",
        ),
        (
            lambda: sm.TorchLoss(
                linear, torch.utils.data.DataLoader(x), y, criterion="cross_entropy"
            ),
            "x must be an array or a tensor.*got DataLoader",
        ),
        (lambda: sm.TorchLoss(linear, x, y + 1, criterion="cross_entropy"), "labels from 0 to 2"),
        (lambda: sm.JaxLoss(None, [x], x, y, criterion="cross_entropy"), "apply must be"),
        (lambda: sm.JaxLoss(apply_layers, [], x, y, criterion="cross_entropy"), "at least one"),
        (
            lambda: sm.JaxLoss(apply_layers, [1], x, y, criterion="cross_entropy"),
            "floating-point arrays, got one of dtype int32",
        ),
        (
            lambda: sm.JaxLoss(lambda w, x: x @ w, x[0][:, None], x, y, criterion=lambda f, y: f),
            r"one number, got shape \(40, 1\)",
        ),
    ]
    for make, message in refused:
        with pytest.raises(ValueError, match=message):
            make()


def test_a_function_of_a_tensor_is_told_the_way_out():
    with pytest.raises(ValueError, match="sm.TorchLoss"):
        sm.gradient(lambda theta: torch.sum(torch.as_tensor(theta) ** 2), np.ones(3))


def test_neither_is_imported_with_the_library():
    import subprocess

    code = "import sys, sharpminima; assert not {'torch', 'jax'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
