"""Each public function and method of the library with good arguments, for `hostile` to spoil.

Networks are as small as they can be, so that ten thousand calls take a minute.
"""

import inspect

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sharpminima as sm

from .hostile import RNG, Row

WIDTHS = (3, 4, 1)
DRAWN = np.random.default_rng(1)
X = DRAWN.integers(-4, 5, size=(5, 3)).astype(float)
Y = DRAWN.integers(-2, 3, size=(5, 1)).astype(float)
NETWORK = sm.NetworkLoss(WIDTHS, X, Y)
SOFT = sm.NetworkLoss((3, 4, 2), X, [0, 1, 0, 1, 1], criterion="cross_entropy")
RESIDUAL = sm.ResidualLoss((3, 2, 2, 2, 1), X, Y)
THETA = DRAWN.normal(size=NETWORK.size)
SOFT_THETA = DRAWN.normal(size=SOFT.size)
RESIDUAL_THETA = DRAWN.normal(size=RESIDUAL.size)
V = DRAWN.normal(size=NETWORK.size)
PARAMS = NETWORK.layers(THETA)
FITTED = NETWORK.on(X, NETWORK.outputs(THETA))
H = sm.hessian(NETWORK, THETA)
SMALL = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.0], [0.0, 0.0, -2.0]])
GRID = np.array([[3.0, 1, 2, 5], [2, 0, 4, 1], [1, 2, -3, 2], [6, 1, 2, 4]])
ALPHAS = np.array([4.0, 0.25])
SCALES = [np.array([1.0, 2.0, 0.5, 4.0])]
MAP = sm.Map(lambda eta: eta + eta**3)
LINEAR = sm.linear_map([[2.0, 1.0], [0.0, 1.0]])
DENSITY = sm.spectral_density(SMALL, rng=np.random.default_rng(0), probes=3)
MINIMUM = sm.NetworkLoss((1, 2), [[1.0]] * 3, [0, 1, 1], criterion="cross_entropy")
AT_MINIMUM = np.array([0.0, np.log(2)])
DATA = (DRAWN.normal(size=(12, 3)), DRAWN.integers(2, size=12))


def square(theta):
    return theta @ theta


def wave(theta):
    return (theta[0] ** 2 - 1) ** 2


def measure_size(point):
    return float(point.theta @ point.theta)


def keep(loss, theta, rng):
    return loss, theta


TRANSFORMATION = sm.Transformation("keep", keep)
AUDIT = sm.audit(
    measure_size,
    seeds=range(1),
    networks={"mine": (NETWORK, THETA)},
    transformations={name: sm.TRANSFORMATIONS[name] for name in ("permutation", "layer_scale")},
)
AUDITS = sm.audit_all(
    {"size": measure_size},
    seeds=range(1),
    networks={"mine": (NETWORK, THETA)},
    transformations={"permutation": sm.TRANSFORMATIONS["permutation"]},
)
TABLE = sm.Table(
    {
        "size": np.arange(6.0),
        "test_error": np.array([0.5, 0.25, 0.75, 1.0, 0.125, 2.0]),
        "seed": [0, 0, 1, 1, 2, 2],
    }
)
REGRESSOR = MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=5, random_state=0)
CLASSIFIER = MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=5, random_state=0)


def fit(model, y):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


REGRESSOR = fit(REGRESSOR, Y[:, 0])
CLASSIFIER = fit(CLASSIFIER, [0, 1, 0, 1, 1])
SKLEARN_THETA = sm.from_sklearn(REGRESSOR, X, Y[:, 0])[1]


def register(**options):
    """Register a measure and take it out again."""

    def mine(point):
        return 1.0

    try:
        sm.measure(**options)(mine)
    finally:
        sm.MEASURES.pop("mine", None)


def read_loss(loss, theta):
    """What a loss is: its value, its Hessian, its data."""
    return loss(theta), sm.hessian(loss, theta), loss.x, loss.y


def make_network(**options):
    loss = sm.NetworkLoss(**options)
    return read_loss(loss, np.linspace(-1, 1, loss.size))


def make_residual(**options):
    loss = sm.ResidualLoss(**options)
    return read_loss(loss, np.linspace(-1, 1, loss.size))


def make_layered(**options):
    loss = sm.LayeredLoss(**options)
    return loss.size, loss.x, loss.y, loss.l2, loss.sample_weight


def use_map(g, eta):
    return g(eta), g.derivative(eta)


def run_follow(**options):
    run = sm.follow(**options)
    return run.theta, run.losses, run.status


def run_rule(rule):
    return sm.follow(square, [1.0, 2.0], rule, steps=2).theta


def write(table, path):
    sm.write_table(table, path)
    return sm.read_table(path)


def is_one_of(**options):
    return options


LOSS = {"loss": NETWORK, "theta": THETA}
LOSS_KINDS = {"loss": "loss", "theta": "vector"}
NETWORK_KINDS = {"loss": "network", "theta": "vector"}
POINT = {"theta": THETA}
BOTH_SIZES = {"theta": "theta|x", "x": "x"}
ALSO = {"theta": "theta|loss", "loss": "loss"}
NETWORK_ARGUMENTS = {
    "widths": WIDTHS, "x": X, "y": Y, "criterion": "squared_error", "bias": False,
    "l2": np.linspace(0, 1, NETWORK.size), "sample_weight": np.array([1.0, 2, 1, 1, 3]),
}  # fmt: skip
NETWORK_ARGUMENT_KINDS = {
    "widths": "widths", "x": "data", "y": "data", "criterion": "word", "bias": "flag",
    "l2": "vector", "sample_weight": "vector or nothing",
}  # fmt: skip
# A width that does not fit the data is seen in the data, and the other way round.
WIDTHS_TOO = {"widths": "widths|x|y|l2", "x": "x|y|sample_weight"}
DERIVATIVE = Row(sm.gradient, LOSS, LOSS_KINDS, ALSO)
TRAINING = {
    "seed": 0, "init_scale": 0.5, "learning_rate": 0.1, "batch_size": 4, "l2": 0.1,
    "label_noise": 0.25, "split": 1, "data": DATA, "n_train": 8, "max_epochs": 2, "stop_at": 0.1,
}  # fmt: skip
TRAINING_KINDS = {
    "seed": "count from zero", "init_scale": "positive number", "learning_rate": "positive number",
    "batch_size": "count", "l2": "number", "label_noise": "number", "split": "count from zero",
    "n_train": "count", "max_epochs": "count", "stop_at": "positive number",
}  # fmt: skip


def train(**options):
    return sm.train_network(**options)[1:]


def sweep(**options):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        table = sm.sweep(**options, executor=executor)
    return [np.asarray(table[name]) for name in ("size", "test_error", "epochs")]


ROWS = {
    # networks
    "relu": Row(sm.relu, {"z": X}, {"z": "numbers"}),
    "init_params": Row(
        sm.init_params, {"widths": WIDTHS, "rng": RNG, "bias": True},
        {"widths": "widths", "rng": "rng", "bias": "flag"},
    ),
    "forward": Row(
        sm.forward, {"params": PARAMS, "x": X, "activation": sm.relu},
        {"params": "params", "x": "inputs", "activation": "function"},
        {"params": "params|layer|x"},
    ),
    "layer_sizes": Row(
        sm.layer_sizes, {"widths": WIDTHS, "bias": True}, {"widths": "widths", "bias": "flag"}
    ),
    "ravel": Row(sm.ravel, {"params": PARAMS}, {"params": "params"}, {"params": "params|layer"}),
    "unravel": Row(
        sm.unravel, {"theta": THETA, "widths": WIDTHS, "bias": False},
        {"theta": "vector", "widths": "widths", "bias": "flag"},
        {"widths": "widths|theta", "bias": "bias|theta"},
    ),
    # losses
    "NetworkLoss": Row(
        make_network, {**NETWORK_ARGUMENTS, "activation": "leaky_relu", "slope": 0.5},
        {**NETWORK_ARGUMENT_KINDS, "activation": "word", "slope": "positive or zero or nothing"},
        WIDTHS_TOO,
    ),
    "ResidualLoss": Row(
        make_residual, {**NETWORK_ARGUMENTS, "widths": (3, 2, 2, 2, 1), "l2": RESIDUAL_THETA**2},
        NETWORK_ARGUMENT_KINDS, WIDTHS_TOO,
    ),
    "LayeredLoss": Row(make_layered, NETWORK_ARGUMENTS, NETWORK_ARGUMENT_KINDS, WIDTHS_TOO),
    "NetworkLoss.like": Row(
        lambda l2, slope: read_loss(NETWORK.like(l2=l2, activation="leaky_relu", slope=slope), V),
        {"l2": V**2, "slope": 0.5}, {"l2": "vector", "slope": "positive or zero or nothing"},
    ),
    "kinks": Row(
        sm.kinks, {**LOSS, "tol": 0.1}, {**NETWORK_KINDS, "tol": "positive number"}, ALSO
    ),
    # derivatives
    "gradient": DERIVATIVE,
    "hessian": Row(
        sm.hessian, {**LOSS, "layer": 1, "method": "auto", "out": None},
        {**LOSS_KINDS, "layer": "index or nothing", "method": "word", "out": "buffer"}, ALSO,
    ),
    "hessian_diagonal": Row(
        sm.hessian_diagonal, {**LOSS, "layer": 1}, {**LOSS_KINDS, "layer": "index or nothing"},
        ALSO,
    ),
    "hessian_operator": Row(
        sm.hessian_operator, {**LOSS, "layer": 1}, {**LOSS_KINDS, "layer": "index or nothing"},
        ALSO,
    ),
    "hvp": Row(
        sm.hvp, {**LOSS, "v": V}, {**LOSS_KINDS, "v": "vector"}, {"theta": "theta|v"}
    ),
    "jacobian": Row(sm.jacobian, LOSS, NETWORK_KINDS, ALSO),
    "jvp": Row(
        sm.jvp, {**LOSS, "v": V}, {**NETWORK_KINDS, "v": "vector"}, {"theta": "theta|v"}
    ),
    "gauss_newton": Row(
        sm.gauss_newton, {**LOSS, "layer": 1, "out": None},
        {**NETWORK_KINDS, "layer": "index or nothing", "out": "buffer"}, ALSO,
    ),
    "gauss_newton_diagonal": Row(
        sm.gauss_newton_diagonal, {**LOSS, "layer": 1},
        {**NETWORK_KINDS, "layer": "index or nothing"}, ALSO,
    ),
    "gauss_newton_operator": Row(
        sm.gauss_newton_operator, {**LOSS, "layer": 1},
        {**NETWORK_KINDS, "layer": "index or nothing"}, ALSO,
    ),
    "unit_traces": Row(
        sm.unit_traces, {**LOSS, "layer": 0, "scales": np.array([1.0, 2, 4])},
        {**NETWORK_KINDS, "layer": "index", "scales": "vector or nothing"}, ALSO,
    ),
    # what is read off a matrix
    "eigenvalues": Row(sm.eigenvalues, {"H": SMALL}, {"H": "symmetric matrix"}),
    "leading_eigenvalues": Row(
        sm.leading_eigenvalues,
        {"H": SMALL, "count": 1, "rng": RNG, "which": "largest", "tol": 0.01},
        {"H": "symmetric matrix", "count": "count", "rng": "rng", "which": "word",
         "tol": "tolerance"},
    ),
    "leading_eigenvectors": Row(
        sm.leading_eigenvectors,
        {"H": SMALL, "count": 1, "rng": RNG, "which": "largest", "tol": 0.01},
        {"H": "symmetric matrix", "count": "count", "rng": "rng", "which": "word",
         "tol": "tolerance"},
    ),
    "spectral_norm": Row(
        sm.spectral_norm, {"H": SMALL, "rng": None},
        {"H": "symmetric matrix", "rng": "rng or nothing"},
    ),
    "trace": Row(sm.trace, {"H": SMALL}, {"H": "symmetric matrix"}),
    "balance": Row(
        sm.balance, {"H": SMALL, "sizes": (2, 1)},
        {"H": "symmetric matrix", "sizes": "list of integers"},
    ),
    "inertia": Row(
        sm.inertia, {"H": SMALL, "sizes": (2, 1), "rtol": 0.01},
        {"H": "symmetric matrix", "sizes": "list of integers or nothing",
         "rtol": "tolerance or nothing"},
    ),
    "numerical_rank": Row(
        sm.numerical_rank, {"H": SMALL, "sizes": (2, 1), "rtol": 0.01},
        {"H": "symmetric matrix", "sizes": "list of integers or nothing",
         "rtol": "tolerance or nothing"},
    ),
    "spectral_density": Row(
        sm.spectral_density, {"H": SMALL, "rng": RNG, "probes": 3, "steps": 2},
        {"H": "symmetric matrix", "rng": "rng", "probes": "count", "steps": "count"},
    ),
    "SpectralDensity": Row(
        lambda nodes, weights: sm.SpectralDensity(nodes, weights).at([0.5], width=0.1),
        {"nodes": DENSITY.nodes, "weights": DENSITY.weights},
        {"nodes": "matrix", "weights": "data"}, {"nodes": "nodes|weights"},
    ),
    "SpectralDensity.at": Row(
        DENSITY.at, {"points": np.array([0.0, 1.0]), "width": 0.5},
        {"points": "vector of any length", "width": "positive number or nothing"},
    ),
    "SpectralDensity.integrate": Row(
        DENSITY.integrate, {"function": np.square}, {"function": "function of an array"}
    ),
    "SpectralDensity.quadrature_error": Row(
        DENSITY.quadrature_error, {"width": 0.5}, {"width": "positive number or nothing"}
    ),
    "SpectralDensity.share_below": Row(
        DENSITY.share_below, {"points": np.array([0.0, 1.0])}, {"points": "vector of any length"}
    ),
    # scaling
    "alpha_scale": Row(
        sm.alpha_scale, {"params": PARAMS, "alphas": ALPHAS},
        {"params": "params", "alphas": "vector"}, {"params": "params|layer"},
    ),
    "alpha_diagonal": Row(
        sm.alpha_diagonal, {"widths": WIDTHS, "alphas": ALPHAS, "bias": True},
        {"widths": "widths", "alphas": "vector", "bias": "flag"},
    ),
    "alpha_log_determinant": Row(
        sm.alpha_log_determinant, {"widths": WIDTHS, "alphas": ALPHAS, "bias": True},
        {"widths": "widths", "alphas": "vector", "bias": "flag"},
    ),
    "node_scale": Row(
        lambda params, scales: sm.node_scale(params, [scales]),
        {"params": PARAMS, "scales": SCALES[0]},
        {"params": "params", "scales": "vector"}, {"params": "params|layer|scales"},
    ),
    "node_diagonal": Row(
        lambda widths, scales, bias: sm.node_diagonal(widths, [scales], bias=bias),
        {"widths": WIDTHS, "scales": SCALES[0], "bias": True},
        {"widths": "widths", "scales": "vector", "bias": "flag"}, {"widths": "widths|scales"},
    ),
    # flatness and sharpness
    "flatness_volume": Row(
        sm.flatness_volume,
        {"loss": wave, "theta": np.array([1.0]), "epsilon": 0.25,
         "window": np.array([[-2.0, 2.0]]), "resolution": 64, "spacing": "linear"},
        {"loss": "loss", "theta": "vector", "epsilon": "positive number", "window": "matrix",
         "resolution": "count or nothing", "spacing": "word"},
        {"theta": "theta|window"},
    ),
    "prior_mass": Row(
        sm.prior_mass,
        {"loss": wave, "theta": np.array([1.0]), "epsilon": 0.25, "scale": 2.0, "resolution": 64},
        {"loss": "loss", "theta": "vector of any length", "epsilon": "positive number",
         "scale": "positive number", "resolution": "count or nothing"},
    ),
    "box_radius": Row(
        sm.box_radius, {**LOSS, "epsilon": 0.5}, {**NETWORK_KINDS, "epsilon": "positive number"},
        ALSO,
    ),
    "loss_bounds": Row(
        sm.loss_bounds, {**LOSS, "radius": V**2}, {**NETWORK_KINDS, "radius": "vector"}, ALSO
    ),
    "epsilon_sharpness": Row(
        lambda candidate, **rest: sm.epsilon_sharpness(**rest, candidates=[candidate]),
        {**LOSS, "epsilon": 0.5, "rng": RNG, "starts": 1, "steps": 2, "candidate": THETA + V / 20},
        {**LOSS_KINDS, "epsilon": "positive number", "rng": "rng", "starts": "count from zero",
         "steps": "count", "candidate": "vector"},
        {**ALSO, "candidate": "candidates"},
    ),
    "keskar_sharpness": Row(
        lambda candidate, **rest: sm.keskar_sharpness(**rest, candidates=[candidate]),
        {**LOSS, "epsilon": 0.5, "rng": RNG, "subspace": np.eye(16)[:, :3], "starts": 1,
         "steps": 2, "candidate": THETA + 0.1 * np.eye(16)[0]},
        {**LOSS_KINDS, "epsilon": "positive number", "rng": "rng", "subspace": "subspace",
         "starts": "count from zero", "steps": "count", "candidate": "vector"},
        {**ALSO, "candidate": "candidates"},
    ),
    "keskar_bounds": Row(
        sm.keskar_bounds, {**LOSS, "epsilon": 0.01, "rng": RNG, "starts": 1},
        {**NETWORK_KINDS, "epsilon": "positive number", "rng": "rng", "starts": "count from zero"},
        ALSO,
    ),
    "sharpest_direction": Row(
        sm.sharpest_direction, {**LOSS, "rng": RNG}, {**LOSS_KINDS, "rng": "rng"}, ALSO
    ),
    "least_norm": Row(
        sm.least_norm, {"loss": FITTED, "theta": THETA, "over": "layers"},
        {**NETWORK_KINDS, "over": "word"}, ALSO,
    ),
    "sharpness_floor": Row(
        sm.sharpness_floor, {**LOSS, "of": "trace", "over": "layers"},
        {**NETWORK_KINDS, "of": "word", "over": "word"}, ALSO,
    ),
    # planes
    "filter_direction": Row(
        sm.filter_direction, {"params": PARAMS, "rng": RNG}, {"params": "params", "rng": "rng"},
        {"params": "params|layer"},
    ),
    "landscape": Row(
        sm.landscape,
        {**LOSS, "first": V, "second": THETA, "steps": np.array([0.0, 1.0])},
        {**LOSS_KINDS, "first": "vector", "second": "vector", "steps": "vector of one or more"},
        {"theta": "theta|first"},
    ),
    "local_minima": Row(sm.local_minima, {"values": GRID}, {"values": "matrix"}),
    "nonconvex_share": Row(sm.nonconvex_share, {"values": GRID}, {"values": "matrix"}),
    # coordinates
    "Map": Row(
        lambda forward, inverse, kink: use_map(sm.Map(forward, inverse, kink=kink), [1.0, 2.0]),
        {"forward": lambda eta: 2 * eta, "inverse": None, "kink": None},
        {"forward": "map", "inverse": "function or nothing", "kink": "function or nothing"},
        {"forward": "forward|g"},
    ),
    "Map.__call__": Row(MAP, {"eta": V}, {"eta": "vector of any length"}),
    "Map.derivative": Row(MAP.derivative, {"eta": V[:3]}, {"eta": "vector of any length"}),
    "Map.second_derivative": Row(
        LINEAR.second_derivative, {"eta": V[:2], "slope": V[2:4]},
        {"eta": "vector", "slope": "vector"},
    ),
    "Map.inverse": Row(LINEAR.inverse, {"theta": V[:2]}, {"theta": "vector"}),
    "Map.inverse_derivative": Row(LINEAR.inverse_derivative, {"theta": V[:2]}, {"theta": "vector"}),
    "linear_map": Row(
        lambda M: use_map(sm.linear_map(M), V[:3]), {"M": SMALL}, {"M": "square matrix"}
    ),
    "elementwise_map": Row(
        lambda c: use_map(sm.elementwise_map(c), V[:3]), {"c": V[:3] ** 2},
        {"c": "vector of positive numbers"}, {"c": "c|eta"},
    ),
    "power_map": Row(
        lambda center, a, b: use_map(sm.power_map(center, a, b), V[:3]),
        {"center": V[:3], "a": 0.5, "b": 1.0},
        {"center": "vector", "a": "number", "b": "number"}, {"center": "center|eta"},
    ),
    "radial_map": Row(
        lambda center, **radii: use_map(sm.radial_map(center, **radii), V[:3]),
        {"center": V[:3], "r_hat": 0.5, "rho": 1.0, "delta": 3.0},
        {"center": "vector", "r_hat": "positive number", "rho": "positive number",
         "delta": "positive number"},
        {"center": "center|point"},
    ),
    "weight_norm_map": Row(
        lambda n, group: use_map(sm.weight_norm_map(n, [group]), V[:4]),
        {"n": 3, "group": np.array([0, 2])}, {"n": "count", "group": "indices"},
        {"n": "n|group|groups|eta", "group": "groups"},
    ),
    "reparametrize": Row(
        lambda loss, g: sm.reparametrize(loss, g)(V[:3]), {"loss": square, "g": MAP},
        {"loss": "loss of any value", "g": "function"},
    ),
    # training
    "sgd": Row(
        sm.sgd, {**LOSS, "epochs": 1, "batch_size": 2, "learning_rate": 0.01, "rng": RNG},
        {**NETWORK_KINDS, "epochs": "count", "batch_size": "count",
         "learning_rate": "positive number", "rng": "rng"}, ALSO,
    ),
    "gradient_descent": Row(
        sm.gradient_descent, {**LOSS, "steps": 2, "learning_rate": 0.01},
        {**LOSS_KINDS, "steps": "count", "learning_rate": "positive number"}, ALSO,
    ),
    "examine": Row(
        sm.examine, {"loss": MINIMUM, "theta": AT_MINIMUM}, NETWORK_KINDS, ALSO
    ),
    "polish": Row(
        sm.polish,
        {"loss": MINIMUM, "theta": AT_MINIMUM, "max_steps": 2, "descent_steps": 3},
        {**NETWORK_KINDS, "max_steps": "count", "descent_steps": "count"}, ALSO,
    ),
    "follow": Row(
        lambda at, **rest: run_follow(**rest, at=None if at is None else [at]),
        {**LOSS, "rule": sm.GradientStep(0.01), "steps": 3, "observe": {"size": np.sum}, "at": 2,
         "batch_size": 2, "rng": RNG, "every": 1},
        {**NETWORK_KINDS, "rule": "function", "steps": "count", "observe": "mapping or nothing",
         "at": "count from zero or nothing", "batch_size": "count or nothing", "rng": "rng",
         "every": "count"},
        {**ALSO, "steps": "steps|at"},
    ),
    "GradientStep": Row(
        lambda learning_rate: run_rule(sm.GradientStep(learning_rate)), {"learning_rate": 0.1},
        {"learning_rate": "positive number"},
    ),
    "MomentumStep": Row(
        lambda **options: run_rule(sm.MomentumStep(**options)),
        {"learning_rate": 0.1, "momentum": 0.5},
        {"learning_rate": "positive number", "momentum": "tolerance"},
    ),
    "AdamStep": Row(
        lambda **options: run_rule(sm.AdamStep(**options)),
        {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.75, "epsilon": 0.5},
        {"learning_rate": "positive number", "beta1": "tolerance", "beta2": "tolerance",
         "epsilon": "number"},
    ),
    "LargestEigenvalue": Row(
        lambda loss, tol: sm.LargestEigenvalue(loss, tol=tol)(THETA), {"loss": NETWORK, "tol": 0.1},
        {"loss": "loss", "tol": "tolerance"},
    ),
    "LargestEigenvalue.__call__": Row(
        lambda theta: sm.LargestEigenvalue(NETWORK)(theta), POINT, {"theta": "vector"}
    ),
    "layer_imbalances": Row(sm.layer_imbalances, LOSS, NETWORK_KINDS, ALSO),
    "unit_imbalances": Row(sm.unit_imbalances, LOSS, NETWORK_KINDS, ALSO),
    # points and measures
    "Point": Row(
        lambda loss, theta, inputs: sm.Point(loss, theta, inputs=inputs).value,
        {**LOSS, "inputs": None}, {**LOSS_KINDS, "inputs": "function or nothing"}, ALSO,
    ),
    "Point.predict": Row(
        lambda x: sm.Point(NETWORK, THETA).predict(x), {"x": X}, {"x": "inputs"}
    ),
    "Point.unit_traces": Row(
        sm.Point(NETWORK, THETA).unit_traces, {"layer": 0, "scales": np.array([1.0, 2, 4])},
        {"layer": "index", "scales": "vector or nothing"},
    ),
    "measure": Row(
        register,
        {"name": "Mine", "formula": "$1$", "source": "mine", "cite": "mine2026",
         "claims": ("permutation",), "function_space": False, "vanishes": False,
         "needs": "matrix", "place": "here"},
        {"name": "text", "formula": "text", "source": "text", "cite": "text or nothing",
         "claims": "list of words", "function_space": "flag", "vanishes": "flag", "needs": "word",
         "place": "text or empty"},
    ),
    "find_proof": Row(
        sm.find_proof, {"measure": "trace", "transformation": "layer_scale"},
        {"measure": "text", "transformation": "text"},
    ),
    # audits
    "sample_networks": Row(
        sm.sample_networks, {"seed": 0, "large": False},
        {"seed": "count from zero", "large": "flag"},
    ),
    "Transformation": Row(
        lambda name, move, keeps: sm.Transformation(name, move, keeps)(
            square, [1.0], np.random.default_rng(0)
        )[1],
        {"name": "keep", "move": keep, "keeps": True},
        {"name": "text", "move": "function", "keeps": "flag"},
    ),
    "Transformation.__call__": Row(
        lambda loss, theta, rng: TRANSFORMATION(loss, theta, rng)[1], {**LOSS, "rng": RNG},
        {"loss": "loss", "theta": "vector", "rng": "rng"}, ALSO,
    ),
    "weight_normalized": Row(
        lambda loss, theta: sm.weight_normalized(loss, theta)[1], LOSS, NETWORK_KINDS, ALSO
    ),
    "orbit": Row(
        sm.orbit, {"measure": measure_size, **LOSS, "reach": 100.0},
        {"measure": "measure", **NETWORK_KINDS, "reach": "positive number"}, ALSO,
    ),
    "audit": Row(
        lambda **options: sm.audit(**options).findings,
        {"measure": measure_size, "seeds": (0,), "networks": {"mine": (NETWORK, THETA)},
         "transformations": {"keep": keep}},
        {"measure": "measure", "seeds": "list of integers", "networks": "networks",
         "transformations": "mapping or nothing"},
        {"networks": "networks|network 1"},
    ),
    "audit_all": Row(
        lambda **options: sm.audit_all(**options)["mine"].findings,
        {"measures": {"mine": measure_size}, "seeds": (0,), "networks": [(NETWORK, THETA)],
         "transformations": {"keep": keep}},
        {"measures": "mapping", "seeds": "list of integers", "networks": "networks",
         "transformations": "mapping or nothing"},
        {"networks": "networks|network 1"},
    ),
    "Audit.survives": Row(
        AUDIT.survives, {"transformation": "permutation", "at_minima": False},
        {"transformation": "word", "at_minima": "flag"},
    ),
    "Audit.counterexample": Row(
        AUDIT.counterexample, {"transformation": "layer_scale"}, {"transformation": "word"}
    ),
    "Audit.orbit": Row(
        AUDIT.orbit, {"network": "mine", "reach": 100.0},
        {"network": "word or nothing", "reach": "positive number"},
    ),
    "Audits.select": Row(
        lambda names: AUDITS.select(names).signs, {"names": ["size"]}, {"names": "list of words"}
    ),
    "Audits.text": Row(AUDITS.text, {"reasons": False}, {"reasons": "flag"}),
    "Audits": Row(
        lambda audits, complete: sm.Audits(audits, complete=complete).signs,
        {"audits": dict(AUDITS), "complete": True}, {"audits": "audits", "complete": "flag"},
    ),
    # tables and sweeps
    "Table": Row(
        lambda column, attrs: sm.Table({"a": column, "b": Y[:, 0]}, attrs)["a"],
        {"column": X[:, 0], "attrs": {}}, {"column": "column", "attrs": "attrs"},
        {"column": "columns|a"},
    ),
    "rank_correlation": Row(
        sm.rank_correlation,
        {"table": TABLE, "measures": "size", "target": "test_error", "hyperparameters": ["seed"],
         "level": 0.9, "n_resamples": 3, "rng": RNG},
        {"table": "table", "measures": "word or words", "target": "word",
         "hyperparameters": "list of words or nothing", "level": "share", "n_resamples": "count",
         "rng": "rng"},
        {"measures": "measures|columns", "target": "target|columns",
         "hyperparameters": "hyperparameters|columns"},
    ),
    "train_network": Row(
        train, {"widths": (3, 2, 2), **TRAINING},
        {"widths": "widths", **TRAINING_KINDS, "data": "pair"}, {"n_train": "n_train|samples"},
    ),
    "sweep": Row(
        sweep,
        {"grid": {"widths": [(3, 2, 2)], "batch_size": [4]}, "measures": {"size": measure_size},
         "transformations": {}, "seeds": (0,), "data": DATA, "n_train": 8, "max_epochs": 1,
         "stop_at": 0.1, "store": None},
        {"grid": "mapping", "measures": "mapping", "transformations": "mapping or nothing",
         "seeds": "list of integers", "data": "pair", "n_train": "count", "max_epochs": "count",
         "stop_at": "positive number", "store": "path or nothing"},
    ),
    "digits": Row(
        sm.digits, {"target": "parity", "n_train": 5}, {"target": "word", "n_train": "count"}
    ),
    # scikit-learn
    "from_sklearn": Row(
        lambda **options: sm.from_sklearn(**options)[0](SKLEARN_THETA),
        {"model": REGRESSOR, "x": X, "y": Y[:, 0], "two_outputs": False, "l2": True,
         "sample_weight": np.array([1.0, 2, 1, 1, 3])},
        {"model": "function", "x": "data of any precision", "y": "targets of any precision",
         "two_outputs": "flag", "l2": "flag", "sample_weight": "vector or nothing"},
        {"x": "x|y|sample_weight"},
    ),
    "from_sklearn of a classifier": Row(
        lambda **options: sm.from_sklearn(**options)[0](SKLEARN_THETA),
        {"model": CLASSIFIER, "x": X, "y": np.array([0, 1, 0, 1, 1])},
        {"model": "function", "x": "data of any precision", "y": "labels"}, {"x": "x|y"},
    ),
    "to_sklearn": Row(
        lambda model, theta: sm.to_sklearn(model, theta).coefs_,
        {"model": REGRESSOR, "theta": SKLEARN_THETA}, {"model": "function", "theta": "vector"},
    ),
}  # fmt: skip

for name in ("__call__", "outputs", "layers", "penalty"):
    ROWS[f"NetworkLoss.{name}"] = Row(getattr(NETWORK, name), POINT, {"theta": "vector"})
    ROWS[f"ResidualLoss.{name}"] = Row(
        getattr(RESIDUAL, name), {"theta": RESIDUAL_THETA}, {"theta": "vector"}
    )
for loss, kind in ((NETWORK, "NetworkLoss"), (RESIDUAL, "ResidualLoss")):
    theta = np.linspace(-1, 1, loss.size)
    ROWS |= {
        f"{kind}.criterion_value": Row(
            loss.criterion_value, {"outputs": Y + 1}, {"outputs": "outputs"}
        ),
        f"{kind}.on": Row(
            lambda x, y, sample_weight, loss=loss, theta=theta: read_loss(
                loss.on(x, y, sample_weight=sample_weight), theta
            ),
            {"x": X, "y": Y, "sample_weight": np.array([1.0, 2, 1, 1, 3])},
            {"x": "data", "y": "data", "sample_weight": "vector or nothing"},
            {"x": "x|y|sample_weight"},
        ),
        f"{kind}.take": Row(
            lambda samples, loss=loss, theta=theta: read_loss(loss.take(samples), theta),
            {"samples": np.array([0, 3])},
            {"samples": "samples"},
        ),
        f"{kind}.with_inputs": Row(
            lambda x, loss=loss, theta=theta: read_loss(loss.with_inputs(x), theta),
            {"x": X},
            {"x": "data"},
            {"x": "x|y"},
        ),
    }
for name in ("gradient", "hessian_diagonal", "gauss_newton_diagonal", "jacobian"):
    ROWS[f"NetworkLoss.{name}"] = Row(getattr(NETWORK, name), POINT, {"theta": "vector"})
ROWS["NetworkLoss.pre_activations"] = Row(NETWORK.pre_activations, POINT, {"theta": "vector"})
for name in ("hessian", "gauss_newton"):
    ROWS[f"NetworkLoss.{name}"] = Row(
        getattr(NETWORK, name), {**POINT, "out": None}, {"theta": "vector", "out": "buffer"}
    )
    ROWS[f"NetworkLoss.{name}_block"] = Row(
        getattr(NETWORK, f"{name}_block"),
        {**POINT, "layer": 1, "out": None},
        {"theta": "vector", "layer": "index", "out": "buffer"},
    )
for name in ("hvp_at", "jvp_at", "gauss_newton_at"):
    ROWS[f"NetworkLoss.{name}"] = Row(
        lambda theta, v, name=name: getattr(NETWORK, name)(theta)(v),
        {**POINT, "v": V},
        {"theta": "vector", "v": "vector"},
    )
ROWS["NetworkLoss.unit_traces"] = Row(
    NETWORK.unit_traces,
    {**POINT, "layer": 0, "scales": np.array([1.0, 2, 4])},
    {"theta": "vector", "layer": "index", "scales": "vector or nothing"},
)
LEAKY = NETWORK.like(activation="leaky_relu", slope=0.5)
for name in ("activate", "derive_activation"):
    ROWS[f"NetworkLoss.{name}"] = Row(getattr(LEAKY, name), {"z": X}, {"z": "numbers"})
SITES = sm.sample_networks()
HARD = sm.NetworkLoss((2, 2), [[1.0, 2.0], [2.0, 1.0]], [0, 1], criterion="cross_entropy")
CLASSIFIED = np.array([-1.0, 1.0, 1.0, -1.0])


def find_point(measure):
    """Return the first of some networks at which the measure has a value."""
    for loss, theta in [*SITES.values(), (HARD, CLASSIFIED)]:
        try:
            measure(sm.Point(loss, theta))
        except (ValueError, ArithmeticError):
            continue
        return sm.Point(loss, theta)
    raise LookupError(f"no network has {measure.name}")


for measure in sm.MEASURES.values():
    ROWS[f"MEASURES[{measure.function.__name__}]"] = Row(
        measure, {"point": find_point(measure)}, {"point": "point"}
    )
CANCELLING, CANCELLED = SITES["4-7-3, cross entropy, biases, units that cancel"]
for name, transformation in sm.TRANSFORMATIONS.items():
    ROWS[f"TRANSFORMATIONS[{name}]"] = Row(
        lambda loss, theta, rng, t=transformation: t(loss, theta, rng)[1],
        {"loss": CANCELLING, "theta": CANCELLED, "rng": RNG},
        {"loss": "loss that is any function", "theta": "vector", "rng": "rng"},
        {**ALSO, "loss": "loss|theta"},
    )


def list_entries() -> dict[str, list[str]]:
    """Return the names of the arguments of each public function, class and method."""
    found = {}
    for name in sm.__all__:
        value = getattr(sm, name)
        if inspect.isclass(value):
            found |= list_entries_of_class(name, value)
        elif inspect.isfunction(value):
            found[name] = list(inspect.signature(value).parameters)
    return found


def list_entries_of_class(name, kind):
    found = {name: list_parameters(kind)}
    for method, value in inspect.getmembers(kind, inspect.isfunction):
        is_public = not method.startswith("_") or method == "__call__"
        if is_public and value.__module__.startswith("sharpminima"):
            found[f"{name}.{method}"] = list_parameters(value)
    return found


def list_parameters(function):
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:
        return []
    return [name for name in names if name != "self"]
