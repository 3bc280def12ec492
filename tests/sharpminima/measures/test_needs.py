"""What measures compute, and whether it is what they declare.

Every closed form of a network's derivatives is in `structured`, and everything else is autograd's:
both are watched here, so that nothing is seen only because a measure asks for it by a certain name.
Products are taken at small networks, too, as if these were large.
"""

import functools
import tracemalloc

import autograd
import numpy as np
import pytest

import sharpminima as sm
from sharpminima import spectra, structured
from sharpminima.measures import NEEDS
from tests.sharpminima.measures.support import interpolating
from tests.sharpminima.support import apart

CLASSES = list(NEEDS)
# There is a margin where there are classes only.
CLASSES_ONLY = (
    "path_norm_over_margin",
    "frobenius_norms_over_margin",
    "spectral_norms_over_margin",
)
EVERYWHERE = pytest.mark.parametrize(
    "name, criterion",
    [
        (name, criterion)
        for name in sm.MEASURES
        for criterion in ("squared_error", "cross_entropy")
        if criterion == "cross_entropy" or name not in CLASSES_ONLY
    ],
)
WATCHED = {
    (structured, "hessian_diagonal"): "diagonal",
    (structured, "unit_traces"): "block",
    (structured, "layer_block"): "block",
    (structured, "hvp_at"): "products",
    (structured, "gauss_newton_at"): "products",
    (structured, "jvp_at"): "products",
    (autograd, "make_hvp"): "products",
    (structured, "hessian"): "matrix",
    (structured, "jacobian"): "matrix",
    (autograd, "hessian"): "matrix",
    (autograd, "jacobian"): "matrix",
}


@pytest.fixture
def computed(monkeypatch):
    """The classes of all that is computed from now on."""
    for criterion in sm.losses.CRITERIA:
        make_network(criterion)
    classes = ["passes"]

    def watch(function, kind):
        @functools.wraps(function)
        def watched(*args, **kwargs):
            classes.append(kind)
            return function(*args, **kwargs)

        return watched

    for (module, name), kind in WATCHED.items():
        monkeypatch.setattr(module, name, watch(getattr(module, name), kind))
    monkeypatch.setattr(spectra, "DENSE_ORDER", 0)
    return classes


@functools.cache
def make_network(criterion):
    """A small network that interpolates: loss and parameters."""
    point = interpolating((4, 6, 5, 3), criterion=criterion)
    return point.loss, point.theta


def make_network_for(name, criterion):
    """The network, changed where the measure is undefined at it."""
    loss, theta = make_network(criterion)
    if name in CLASSES_ONLY:  # with labels for probabilities, and no output that is all zero
        f = loss.outputs(theta)
        decided = f.any(axis=1)
        loss = loss.on(loss.x[decided], f[decided].argmax(axis=1))
    if name == "learning_coefficient":  # so few samples that all outputs can be moved freely
        loss = loss.take(slice(3))
    return loss, theta


@EVERYWHERE
def test_a_measure_needs_what_it_declares(name, criterion, computed):
    measure = sm.MEASURES[name]
    point = sm.Point(*make_network_for(name, criterion))
    assert np.isfinite(measure(point))
    most = max(computed, key=CLASSES.index)
    assert most == measure.needs


@EVERYWHERE
def test_products_give_what_matrices_give(name, criterion, monkeypatch):
    measure = sm.MEASURES[name]
    loss, theta = make_network_for(name, criterion)
    by_matrix = measure(sm.Point(loss, theta))
    monkeypatch.setattr(spectra, "DENSE_ORDER", 0)
    by_products = measure(sm.Point(loss, theta))
    largest = np.abs(sm.hessian(loss, theta)).max()
    assert by_products == pytest.approx(by_matrix, rel=1e-10, abs=1e-14 * largest)


@pytest.mark.parametrize("name", [k for k, m in sm.MEASURES.items() if m.needs == "products"])
def test_products_are_those_of_the_loss_that_is_asked(name, monkeypatch):
    """Of a residual network, and of a loss seen in other coordinates."""
    rng = np.random.default_rng(0)
    loss = sm.ResidualLoss((3, 4, 4, 4, 2), rng.normal(size=(8, 3)), rng.normal(size=(8, 2)))
    theta = rng.normal(size=loss.size)
    plain, there = make_network("squared_error")
    g = sm.linear_map(np.eye(plain.size) + rng.normal(size=(plain.size, plain.size)) / plain.size)
    seen = sm.reparametrize(plain, g)
    for pair in [(loss, theta), (seen, g.inverse(there))]:
        by_matrix = sm.MEASURES[name](sm.Point(*pair))
        with monkeypatch.context() as patch:
            patch.setattr(spectra, "DENSE_ORDER", 0)
            by_products = sm.MEASURES[name](sm.Point(*pair))
        assert by_products == pytest.approx(by_matrix, rel=1e-9)


def test_a_large_network_needs_no_matrix():
    rng = np.random.default_rng(0)
    widths = (100, 150, 40, 10)  # n = 21,400: a matrix would take 3.4 GiB
    x = rng.normal(size=(50, 100))
    params = sm.init_params(widths, rng=rng)
    classes = sm.forward(params, x).argmax(axis=1)  # of margins that are positive
    loss = sm.NetworkLoss(widths, x, classes, criterion="cross_entropy")
    theta = sm.ravel(params)
    largest = {}
    for name, measure in sm.MEASURES.items():
        if measure.needs != "matrix":
            point = sm.Point(loss, theta)
            tracemalloc.start()
            try:
                assert np.isfinite(measure(point))
                largest[name] = tracemalloc.get_traced_memory()[1] / 2**20
            finally:
                tracemalloc.stop()
    assert max(largest.values()) < 60


def test_input_gradients_are_taken_some_samples_at_a_time():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4000, 60)), rng.integers(10, size=4000)
    loss = sm.NetworkLoss((60, 10), x, y, criterion="cross_entropy")
    point = sm.Point(loss, rng.normal(size=600))
    tracemalloc.start()
    try:
        value = sm.MEASURES["input_gradient_norm"](point)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert value == pytest.approx(np.linalg.norm(point.theta))  # one layer: f = x W
    assert peak < 8  # all of them would take 18


def test_examine_needs_no_matrix_of_a_large_network(example, computed):
    minimum = sm.examine(example.loss, example.theta)
    assert "matrix" in computed  # 1040 parameters are few
    from sharpminima import training

    computed.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "DENSE_ORDER", 1000)
        large = sm.examine(example.loss, example.theta)
    assert set(computed) == {"products", "diagonal"}
    assert large.genuine
    assert large.largest_eigenvalue == pytest.approx(minimum.largest_eigenvalue, rel=1e-12)
    assert abs(large.smallest_eigenvalue) < 1e-12 * large.largest_eigenvalue
    # A saddle is seen as well.
    theta = example.theta + np.random.default_rng(0).normal(size=len(example.theta)) / 10
    least = sm.eigenvalues(sm.hessian(example.loss, theta))[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "DENSE_ORDER", 1000)
        large = sm.examine(example.loss, theta)
    assert not large.genuine
    assert large.smallest_eigenvalue == pytest.approx(least, rel=1e-9)


def test_a_need_is_one_of_those_that_are_known():
    with pytest.raises(ValueError, match="needs must be one of passes, .*, matrix, got 'nothing'"):
        sm.measure("mine", formula="$1$", source="none", needs="nothing")


def test_a_measure_of_ones_own_may_need_a_matrix(monkeypatch):
    monkeypatch.setattr(sm.measures.registry, "MEASURES", {})

    @sm.measure("mine", formula="$1$", source="none")
    def mine(point):
        return 1.0

    assert sm.measures.registry.MEASURES["mine"].needs == "matrix"


def test_at_a_kink_all_derivatives_are_refused():
    from sharpminima.points import AtKink

    loss, theta = make_network("squared_error")
    point = AtKink(loss, theta, "a reason")
    smooth = {"original", "value", "criterion", "outputs", "layers", "network"}
    found = {
        name for name, kind in vars(sm.Point).items() if isinstance(kind, functools.cached_property)
    }
    for name in found - smooth:
        with pytest.raises(sm.Undefined, match="no derivatives at a kink: a reason"):
            getattr(point, name)
    with pytest.raises(sm.Undefined, match="no derivatives at a kink"):
        point.unit_traces(0)
    assert apart(point.theta, theta) == 0


def test_at_a_kink_only_what_is_read_off_the_weights_has_a_value():
    from sharpminima.points import AtKink

    defined = set()
    for name, measure in sm.MEASURES.items():
        loss, theta = make_network_for(name, "cross_entropy")
        try:
            measure(AtKink(loss, theta, "a reason"))
            defined.add(name)
        except sm.Undefined as error:
            assert "no derivatives at a kink: a reason" in str(error), name
    weights_only = {"path_norm", "product_of_frobenius_norms", "product_of_spectral_norms"}
    assert defined == weights_only | {"squared_norm", *CLASSES_ONLY}
