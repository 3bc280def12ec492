"""Networks from PyTorch's `Sequential`, and the way back.

Not seen here: whether a later PyTorch has other names; its version is pinned.
"""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import sharpminima as sm
from tests.frameworks.support import CRITERIA, apart, make_data, make_module, make_network

SAME = 1e-12
TORCH_CRITERIA = {
    "squared_error": lambda f, y: (f - y).square().sum() / (2 * len(y)),
    "cross_entropy": nn.functional.cross_entropy,
    "binary_cross_entropy": lambda f, y: (
        nn.functional.binary_cross_entropy_with_logits(f, y) * f.shape[1]
    ),
}


def randomize(model, seed=0):
    """Give a model weights, and running statistics, that do not depend on PyTorch's generator."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.as_tensor(rng.normal(size=p.shape) / 2 + 0.1))
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer.copy_(torch.as_tensor(rng.uniform(0.5, 2, size=buffer.shape)))
    return model.double().eval()


def build(*parts):
    return randomize(nn.Sequential(*parts))


MODELS = {
    "plain": lambda: build(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)),
    "one layer": lambda: build(nn.Linear(5, 3)),
    "mixed biases": lambda: build(
        nn.Linear(5, 6, bias=False),
        nn.ReLU(),
        nn.Linear(6, 4),
        nn.ReLU(),
        nn.Linear(4, 3, bias=False),
    ),
    "leaky": lambda: build(nn.Linear(5, 6), nn.LeakyReLU(0.3), nn.Linear(6, 3)),
    "linear": lambda: build(nn.Linear(5, 6), nn.Linear(6, 3)),
    "nested": lambda: build(
        nn.Sequential(nn.Linear(5, 6), nn.ReLU()),
        nn.Identity(),
        nn.Sequential(nn.Sequential(nn.Linear(6, 4)), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(4, 3),
    ),
    "norm before and after": lambda: build(
        nn.BatchNorm1d(5),
        nn.Linear(5, 6, bias=False),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 3),
    ),
    "norm after the activation": lambda: build(
        nn.Linear(5, 6),
        nn.ReLU(),
        nn.BatchNorm1d(6),
        nn.Dropout(0.1),
        nn.Linear(6, 3),
    ),
    "norm without scale": lambda: build(
        nn.Linear(5, 6),
        nn.BatchNorm1d(6, affine=False),
        nn.ReLU(),
        nn.Linear(6, 3),
        nn.BatchNorm1d(3),
    ),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_sequential_gives_the_same_outputs_and_loss(model, criterion):
    x, y = make_data(criterion)
    loss, theta = sm.from_torch(model, x, y, criterion=criterion)
    with torch.no_grad():
        theirs = model(torch.as_tensor(x))
        value = TORCH_CRITERIA[criterion](theirs, torch.as_tensor(y)).item()
    assert apart(loss.outputs(theta), theirs.numpy()) <= SAME
    assert loss(theta) == pytest.approx(value, rel=SAME)


def test_what_was_read_is_what_stands_there():
    x, y = make_data("cross_entropy")
    mixed, _ = sm.from_torch(MODELS["mixed biases"](), x, y, criterion="cross_entropy")
    assert mixed.biases == (False, True, False) and mixed.activation == "relu"
    leaky, _ = sm.from_torch(MODELS["leaky"](), x, y, criterion="cross_entropy")
    assert (leaky.activation, leaky.slope) == ("leaky_relu", 0.3)
    linear, _ = sm.from_torch(MODELS["linear"](), x, y, criterion="cross_entropy")
    assert linear.activation == "identity"


def test_the_hessian_is_pytorchs():
    """In the coordinates of theta: weights are transposed."""
    model = MODELS["leaky"]()
    x, y = make_data("cross_entropy")
    loss, theta = sm.from_torch(model, x, y, criterion="cross_entropy")

    def value(t):
        (w1, b1), (w2, b2) = (
            (t[:30].reshape(5, 6), t[30:36]),
            (t[36:54].reshape(6, 3), t[54:]),
        )
        h = nn.functional.leaky_relu(torch.as_tensor(x) @ w1 + b1, 0.3)
        return nn.functional.cross_entropy(h @ w2 + b2, torch.as_tensor(y))

    theirs = torch.func.hessian(value)(torch.as_tensor(theta)).numpy()
    assert apart(sm.hessian(loss, theta), theirs) <= SAME


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_models_of_lower_precision_are_taken(dtype):
    x, y = make_data("squared_error")
    model = MODELS["plain"]().to(dtype)
    for inputs, targets in (
        (x, y),
        (torch.as_tensor(x).to(dtype).float(), torch.as_tensor(y).half()),
    ):
        loss, theta = sm.from_torch(model, inputs, targets, criterion="squared_error")
        assert loss.x.dtype == loss.y.dtype == theta.dtype == np.float64
    assert next(model.parameters()).dtype == dtype
    assert np.array_equal(theta[:5], model[0].weight.detach().double().numpy().T[0, :5])


def test_pictures_are_flattened():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 1, 4, 4)), rng.integers(3, size=7)
    model = build(nn.Flatten(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 3))
    loss, theta = sm.from_torch(model, torch.as_tensor(x), y, criterion="cross_entropy")
    assert loss.x.shape == (7, 16)
    assert apart(loss.outputs(theta), model(torch.as_tensor(x)).detach().numpy()) <= SAME


def test_weight_decay_and_weights_of_samples_are_handed_on():
    model = MODELS["mixed biases"]()
    x, y = make_data("cross_entropy")
    weights = np.linspace(1, 2, len(x))
    loss, theta = sm.from_torch(
        model, x, y, criterion="cross_entropy", l2=0.3, sample_weight=weights
    )
    values = nn.functional.cross_entropy(
        model(torch.as_tensor(x)), torch.as_tensor(y), reduction="none"
    )
    squares = sum((p**2).sum() for p in model.parameters())
    expected = np.average(values.detach(), weights=weights) + 0.15 * squares.item()
    assert loss(theta) == pytest.approx(expected, rel=SAME)
    with pytest.raises(ValueError, match="l2 must be 0 for a model with BatchNorm1d"):
        sm.from_torch(MODELS["norm without scale"](), x, y, criterion="cross_entropy", l2=0.3)


def test_probabilities_of_single_precision_are_taken():
    x, _ = make_data("cross_entropy")
    y = torch.softmax(torch.as_tensor(x[:, :3], dtype=torch.float32), 1)
    loss, _ = sm.from_torch(MODELS["plain"](), x, y, criterion="cross_entropy")
    assert np.allclose(loss.y, y.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("row", [[1.0, 1.0, 0.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]])
def test_what_is_no_probability_is_not_made_one(row):
    """As the targets of several labels, which have another criterion."""
    x, _ = make_data("cross_entropy")
    y = torch.tensor([row] * len(x))
    for take in (sm.from_torch, sm.TorchLoss):
        with pytest.raises(ValueError, match="y must have rows of probabilities"):
            take(MODELS["plain"](), x, y, criterion="cross_entropy")


def test_a_model_of_several_labels_has_a_logit_for_each():
    x, _ = make_data("cross_entropy")
    labels = torch.tensor([[1.0, 1.0, 0.0]] * len(x))
    loss, theta = sm.from_torch(MODELS["plain"](), x, labels, criterion="binary_cross_entropy")
    theirs = nn.BCEWithLogitsLoss()(MODELS["plain"]()(torch.as_tensor(x)), labels.double())
    assert loss(theta) == pytest.approx(3 * theirs.item(), rel=SAME)


def make_tied():
    shared = nn.Linear(5, 5)
    return nn.Sequential(shared, nn.ReLU(), shared)


def make_tied_by_weight():
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5))
    model[2].weight = model[0].weight
    return model


def make_frozen():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    model[0].requires_grad_(False)
    return model


def make_pruned():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    prune.random_unstructured(model[0], "weight", amount=0.5)
    return model


REFUSED = {
    "no Sequential": (lambda: nn.Linear(5, 3), "got Linear: TorchLoss takes any module"),
    "tanh": (
        lambda: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)),
        "Tanh as its layer 1",
    ),
    "a convolution": (
        lambda: nn.Sequential(nn.Sequential(nn.Conv1d(1, 1, 1))),
        "Conv1d as its layer 0.0",
    ),
    "a parametrization": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 3))),
        "ParametrizedLinear as its layer 0",
    ),
    "an activation at the end": (
        lambda: nn.Sequential(nn.Linear(5, 3), nn.ReLU()),
        "end with Linear",
    ),
    "an activation at the front": (
        lambda: nn.Sequential(nn.ReLU(), nn.Linear(5, 3)),
        "right after a Linear",
    ),
    "two activations": (
        lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.LeakyReLU(), nn.Linear(4, 3)),
        "right after a Linear, got another order at layer 2",
    ),
    "different activations": (
        lambda: nn.Sequential(
            nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.Linear(4, 3)
        ),
        "got leaky_relu of slope 0.2, relu of slope 0",
    ),
    "nothing": (nn.Sequential, "must have a Linear"),
    "dropout in training": (
        lambda: nn.Sequential(nn.Linear(5, 3), nn.Dropout()),
        r"Dropout in training mode.*model\.eval\(\)",
    ),
    "norm in training": (
        lambda: nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3)),
        "BatchNorm1d in training mode",
    ),
    "norm of the batch": (
        lambda: nn.Sequential(nn.BatchNorm1d(5, track_running_stats=False), nn.Linear(5, 3)).eval(),
        "running statistics",
    ),
    "two norms": (
        lambda: nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3)).eval(),
        "a second as its layer 2",
    ),
    "tied layers": (make_tied, "those of a former one again in its layer 2: TorchLoss"),
    "tied weights": (make_tied_by_weight, "those of a former one again in its layer 2: TorchLoss"),
    "frozen weights": (make_frozen, "2 of 4 frozen: TorchLoss leaves those out"),
    "pruned weights": (make_pruned, "got .*weight_orig.* in its layer 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_another_network_is_refused(name):
    make, message = REFUSED[name]
    x, y = make_data("cross_entropy")
    with pytest.raises(ValueError, match=message):
        sm.from_torch(make(), x, y, criterion="cross_entropy")
    with pytest.raises(ValueError, match=message):
        sm.to_torch(make(), np.zeros(3))


def test_one_activation_may_stand_in_several_places():
    relu = nn.ReLU()
    model = build(nn.Linear(5, 4), relu, nn.Linear(4, 4), relu, nn.Linear(4, 3))
    x, y = make_data("cross_entropy")
    loss, _ = sm.from_torch(model, x, y, criterion="cross_entropy")
    assert loss.widths == (5, 4, 4, 3)


def test_a_model_that_is_frozen_as_a_whole_is_taken():
    model = MODELS["plain"]().requires_grad_(False)
    x, y = make_data("cross_entropy")
    assert (
        sm.from_torch(model, x, y, criterion="cross_entropy")[0].size
        == model[0].weight.numel() + 27
    )


def test_a_model_that_predicts_otherwise_is_noticed():
    model = MODELS["plain"]()
    model[1].register_forward_hook(lambda module, inputs, output: output + 1e-8)
    x, y = make_data("cross_entropy")
    with pytest.raises(RuntimeError, match="must predict as the model does"):
        sm.from_torch(model, x, y, criterion="cross_entropy")


def test_a_loader_is_refused_in_words():
    loader = torch.utils.data.DataLoader(torch.zeros(4, 5))
    for x, y, name in ((loader, [0] * 4, "x"), (np.zeros((4, 5)), loader, "y")):
        with pytest.raises(ValueError, match=f"{name} must be an array or a tensor.*DataLoader"):
            sm.from_torch(MODELS["plain"](), x, y, criterion="cross_entropy")


def test_a_twin_goes_back_into_the_model(model):
    x, y = make_data("cross_entropy")
    loss, theta = sm.from_torch(model, x, y, criterion="cross_entropy")
    state = copy.deepcopy(model.state_dict())
    rng = np.random.default_rng(1)
    twin = theta * rng.uniform(0.5, 2, size=theta.size)
    moved = sm.to_torch(model, twin)
    with torch.no_grad():
        predicted = moved(torch.as_tensor(x)).numpy()
    assert apart(predicted, loss.outputs(twin)) <= SAME
    assert apart(sm.from_torch(moved, x, y, criterion="cross_entropy")[1], twin) <= SAME
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    model.load_state_dict(moved.state_dict())
    assert apart(model(torch.as_tensor(x)).detach().numpy(), predicted) <= SAME


def test_a_twin_goes_back_in_the_models_precision():
    x, y = make_data("cross_entropy")
    model = MODELS["plain"]().float()
    loss, theta = sm.from_torch(model, x, y, criterion="cross_entropy")
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), (1024, 1 / 1024)))
    moved = sm.to_torch(model, twin)
    assert moved[0].weight.dtype == torch.float32
    inputs = torch.as_tensor(x, dtype=torch.float32)
    assert torch.equal(moved(inputs), model(inputs)), "powers of two round nothing"
    with pytest.raises(ValueError, match="too large"):
        sm.to_torch(model, twin * 1e300)
    with pytest.raises(ValueError, match="theta must be a vector of shape"):
        sm.to_torch(model, twin[1:])


def test_norms_that_lose_something_have_no_way_back():
    x, y = make_data("cross_entropy")
    model = build(nn.BatchNorm1d(5), nn.Linear(5, 3, bias=False))
    _, theta = sm.from_torch(model, x, y, criterion="cross_entropy")
    with pytest.raises(ValueError, match="got neither"):
        sm.to_torch(model, theta)
    with torch.no_grad():
        model[0].weight[0] = 0
    with pytest.raises(ValueError, match="scales other than zero"):
        sm.to_torch(model, theta)


def test_the_twin_is_sharper_and_its_module_predicts_the_same():
    """The way of the page: from a trained module to a twin that is one."""
    network, at = make_network("cross_entropy")
    model = make_module(network.layers(at))
    loss, theta = sm.from_torch(model, network.x, network.y, criterion="cross_entropy")
    assert np.array_equal(theta, at)
    alphas = (64, 1 / 8, 1 / 8)
    twin = sm.ravel(sm.alpha_scale(loss.layers(theta), alphas))
    moved = sm.to_torch(model, twin)
    x = torch.as_tensor(network.x)
    assert apart(moved(x).detach().numpy(), model(x).detach().numpy()) <= SAME
    sharpness = [sm.eigenvalues(sm.hessian(loss, t))[0] for t in (theta, twin)]
    assert sharpness[1] > 30 * sharpness[0]
