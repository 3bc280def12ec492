"""What people write by mistake, and that the answer names the argument and the way out.

Not seen here: slips of PyTorch and JAX, for which see tests/frameworks.
"""

import numpy as np
import pytest

import sharpminima as sm

WIDTHS = (3, 4, 2)


def square(theta):
    return float(np.sum(np.square(theta)))


@pytest.fixture(scope="module")
def given():
    """A network with all that people have at hand."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 3)), rng.integers(2, size=10)
    loss = sm.NetworkLoss(WIDTHS, x, y, criterion="cross_entropy")
    params = sm.init_params(WIDTHS, rng=rng)
    theta = sm.ravel(params)
    return {
        "loss": loss,
        "params": params,
        "weights": tuple(layer.weight for layer in params),
        "theta": theta,
        "single": theta.astype(np.float32),
        "H": sm.hessian(loss, theta),
        "operator": sm.hessian_operator(loss, theta),
        "rng": rng,
        "trace": sm.MEASURES["trace"],
    }


LAYERS = r"params must hold layers, sm\.Layer\(weight\).*got ndarray as layer 1"
A_VECTOR = r"theta must be a vector.*sm\.ravel makes a vector of layers"
NO_LOSS = "theta must be a vector of float64 numbers, got NetworkLoss"
NO_OPERATOR = "H must be a matrix here, got an operator: leading_eigenvalues .*hessian_diagonal"
SINGLE = r"got dtype float32: \.astype\(float\) converts it"
NO_NETWORK = "loss must be a NetworkLoss.*got function"

SLIPS = {
    "weights for layers": [
        (LAYERS, lambda g: sm.ravel(g["weights"])),
        (LAYERS, lambda g: sm.forward(g["weights"], g["loss"].x)),
        (LAYERS, lambda g: sm.alpha_scale(g["weights"], (2, 0.5))),
        (LAYERS, lambda g: sm.node_scale(g["weights"], [np.ones(4)])),
        (LAYERS, lambda g: sm.filter_direction(g["weights"], rng=g["rng"])),
        ("got float64 as layer 1", lambda g: sm.alpha_scale(g["theta"], (2, 0.5))),
    ],
    "layers for theta": [
        (A_VECTOR, lambda g: g["loss"](g["params"])),
        (A_VECTOR, lambda g: sm.gradient(g["loss"], g["params"])),
        (A_VECTOR, lambda g: sm.hessian(g["loss"], g["params"])),
        (A_VECTOR, lambda g: sm.hessian_diagonal(g["loss"], g["params"])),
        (A_VECTOR, lambda g: sm.kinks(g["loss"], g["params"], tol=1e-6)),
        (A_VECTOR, lambda g: sm.Point(g["loss"], g["params"])),
        (
            "theta of mine must be a vector.*sm.ravel",
            lambda g: sm.audit(g["trace"], networks={"mine": (g["loss"], g["params"])}),
        ),
    ],
    "theta before the loss": [
        (NO_LOSS, lambda g: sm.gradient(g["theta"], g["loss"])),
        (NO_LOSS, lambda g: sm.hvp(g["theta"], g["loss"], g["theta"])),
        (NO_LOSS, lambda g: sm.hessian(g["theta"], g["loss"])),
        (NO_LOSS, lambda g: sm.Point(g["theta"], g["loss"])),
        (NO_LOSS, lambda g: sm.epsilon_sharpness(g["theta"], g["loss"], 0.1, rng=g["rng"])),
        ("got NoneType", lambda g: sm.gradient(None, g["theta"])),
        ("got str", lambda g: sm.hessian("loss", g["theta"])),
    ],
    "an operator for a matrix": [
        (NO_OPERATOR, lambda g: sm.eigenvalues(g["operator"])),
        (NO_OPERATOR, lambda g: sm.trace(g["operator"])),
        (NO_OPERATOR, lambda g: sm.inertia(g["operator"])),
        (NO_OPERATOR, lambda g: sm.numerical_rank(g["operator"])),
        (NO_OPERATOR, lambda g: sm.balance(g["operator"], g["loss"].sizes)),
        ("H must be a matrix.*got NetworkLoss", lambda g: sm.eigenvalues(g["loss"])),
        (
            "H must be a matrix.*got NetworkLoss",
            lambda g: sm.leading_eigenvalues(g["loss"], 1, rng=g["rng"]),
        ),
    ],
    "single precision": [
        (SINGLE, lambda g: sm.hessian(g["loss"], g["single"])),
        (SINGLE, lambda g: sm.eigenvalues(g["H"].astype(np.float32))),
        (SINGLE, lambda g: sm.forward(g["params"], g["loss"].x.astype(np.float32))),
        (SINGLE, lambda g: sm.NetworkLoss((3, 2), np.float32(g["loss"].x), [[0.0, 0.0]] * 10)),
        (SINGLE, lambda g: sm.NetworkLoss((3, 1), g["loss"].x, np.float32(g["loss"].x[:, 0]))),
        (SINGLE, lambda g: sm.ravel([sm.Layer(np.float32(g["weights"][0]))])),
    ],
    "a function for a network": [
        (NO_NETWORK, lambda g: sm.kinks(square, g["theta"], tol=1e-6)),
        (NO_NETWORK, lambda g: sm.examine(square, g["theta"])),
        (NO_NETWORK, lambda g: sm.polish(square, g["theta"])),
        (NO_NETWORK, lambda g: sm.loss_bounds(square, g["theta"], 0.1)),
        (NO_NETWORK, lambda g: sm.box_radius(square, g["theta"], 0.1)),
        (NO_NETWORK, lambda g: sm.orbit(g["trace"], square, g["theta"])),
        (
            "loss must have data.*got function",
            lambda g: sm.sgd(
                square, g["theta"], epochs=1, batch_size=2, learning_rate=0.1, rng=g["rng"]
            ),
        ),
    ],
    "nearly a list, a text, a vector": [
        ("widths must be a list of integers, got '32'", lambda g: sm.layer_sizes("32")),
        ("measure must be a text, got 3", lambda g: sm.find_proof(3, "node_scale")),
        ("measure must be a text, got ''", lambda g: sm.find_proof("", "node_scale")),
        (
            "theta must have no masked entries, got some",
            lambda g: g["loss"](np.ma.array(g["theta"], mask=True)),
        ),
    ],
    "what an audit is asked": [
        ("measure must be a function of a Point", lambda g: sm.audit("trace")),
        ("measure must be a function", lambda g: sm.orbit("trace", g["loss"], g["theta"])),
        ("measures must be a mapping.*got list", lambda g: sm.audit_all([square])),
        ("measures must be a mapping.*got function", lambda g: sm.audit_all(square)),
        ("measures must hold functions.*as mine", lambda g: sm.audit_all({"mine": "trace"})),
        (r"seeds must be several, as range\(3\), got 3", lambda g: sm.audit(g["trace"], seeds=3)),
        (
            r"networks must hold pairs \(loss, theta\), got NetworkLoss as network 1",
            lambda g: sm.audit(g["trace"], networks=(g["loss"], g["theta"])),
        ),
        (
            r"networks must be a list of pairs \(loss, theta\), got NetworkLoss",
            lambda g: sm.audit(g["trace"], networks=g["loss"]),
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", SLIPS)
def test_a_slip_is_told_with_its_argument_and_the_way_out(kind, given):
    for message, slip in SLIPS[kind]:
        with pytest.raises(ValueError, match=message):
            slip(given)


@pytest.mark.parametrize("layer", [1.0, True, False, "1", 2, -3, np.float64(0), [1], np.array(1.0)])
def test_a_layer_is_named_by_one_of_its_two_whole_numbers(layer, given):
    with pytest.raises(ValueError, match="layer must be an index of the 2 layers, from -2 to 1"):
        sm.hessian(given["loss"], given["theta"], layer=layer)


@pytest.mark.parametrize("layer, same", [(0, -2), (1, -1), (np.int8(1), 1), (np.uint64(0), 0)])
def test_a_layer_may_be_counted_from_the_end(layer, same, given):
    here, there = (sm.hessian(given["loss"], given["theta"], layer=k) for k in (layer, same))
    np.testing.assert_array_equal(here, there)


def test_a_measure_that_draws_numbers_is_told_from_rounding(given):
    """A measure seeded in each call is as good as any other."""
    networks = [(given["loss"], given["theta"])]

    rng = np.random.default_rng(0)

    def draw(point):
        return rng.normal() + point.value

    with pytest.raises(ValueError, match="two calls at one point give different values"):
        sm.audit(draw, seeds=range(2), networks=networks)

    def draw_the_same(point):
        return np.random.default_rng(0).normal() + point.value

    assert sm.audit(draw_the_same, seeds=range(2), networks=networks).survives("node_scale")
