"""What a loss may know: a part counts only where it holds for the value that the loss computes.

The losses here are those that people write: weight decay, weighted samples, another criterion,
another activation, skip connections. Derivatives are compared with autograd's, which differentiates
the value as it is written, so an error in a value itself passes unseen.
"""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import sharpminima as sm
from sharpminima.losses import (
    DERIVATIVES,
    KnowingLoss,
    as_criterion_mean,
    as_rectified,
    closed_form,
    is_structured,
    knows,
)
from sharpminima.networks import pre_activations
from tests.sharpminima.support import ROUNDING, apart

WIDTHS = (5, 4, 4, 4, 2)
FUNCTIONS = {
    "gradient": sm.gradient,
    "hessian": sm.hessian,
    "hessian_diagonal": sm.hessian_diagonal,
    "jacobian": sm.jacobian,
    "gauss_newton": sm.gauss_newton,
    "hvp_at": lambda loss, theta: sm.hvp(loss, theta, np.ones(loss.size)),
}


class Decayed(sm.NetworkLoss):
    decay = 0.1

    def __call__(self, theta):
        return super().__call__(theta) + self.decay * anp.sum(theta**2)


class Halved(sm.NetworkLoss):
    def criterion_value(self, outputs):
        return super().criterion_value(outputs) / 2


class Weighted(sm.NetworkLoss):
    """Each sample of squared error has its own weight."""

    weights = np.arange(1.0, 21.0)

    def criterion_value(self, outputs):
        return anp.sum(self.weights[:, None] * (outputs - self.y) ** 2) / len(self.x)


class Huber(sm.NetworkLoss):
    def criterion_value(self, outputs):
        return anp.sum(anp.sqrt(1 + (outputs - self.y) ** 2) - 1) / len(self.x)


def leaky(z):
    return anp.where(z > 0, z, 0.1 * z)


class Leaky(sm.NetworkLoss):
    def outputs(self, theta):
        return pre_activations(self.layers(theta), self.x, activation=leaky)[-1]


class Tanh(sm.LayeredLoss):
    def outputs(self, theta):
        return pre_activations(self.layers(theta), self.x, activation=anp.tanh)[-1]


class Reordered(sm.NetworkLoss):
    def layers(self, theta):
        return super().layers(theta[::-1])


class Decay:
    """Weight decay as a part to mix in."""

    def __call__(self, theta):
        return super().__call__(theta) + anp.sum(theta**2)


class Mixed(Decay, sm.NetworkLoss):
    pass


class Renamed(sm.NetworkLoss):
    """A subclass that computes the same value."""

    def describe(self):
        return "mine"


OTHER_VALUE = (Decayed, Halved, Weighted, Huber, Mixed)
OTHER_OUTPUTS = (Leaky, Tanh, Reordered, sm.ResidualLoss)


def draw(kind, widths=WIDTHS, criterion="squared_error"):
    """A loss of that kind on 20 samples, and a random point."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, widths[0]))
    y = rng.normal(size=(20, widths[-1]))
    if criterion == "cross_entropy":
        y = y.argmax(axis=1)
    theta = sm.ravel(sm.init_params(widths, rng=rng))
    return kind(widths, x, y, criterion=criterion), theta


def expected_derivative(loss, theta, name):
    if name == "gradient":
        return autograd.grad(loss)(theta)
    H = autograd.hessian(loss)(theta)
    if name == "jacobian":
        return autograd.jacobian(loss.outputs)(theta)
    if name == "gauss_newton":
        J = autograd.jacobian(loss.outputs)(theta)
        return np.einsum("nci,ncj->ij", J, J) / len(J)
    return {"hessian": H, "hessian_diagonal": np.diag(H), "hvp_at": H.sum(axis=1)}[name]


# Closed forms


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", [sm.NetworkLoss, Renamed, *OTHER_OUTPUTS])
def test_every_derivative_is_that_of_the_outputs(kind, name):
    loss, theta = draw(kind)
    expected = expected_derivative(loss, theta, name)
    assert apart(FUNCTIONS[name](loss, theta), expected) < ROUNDING


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "gauss_newton"])
@pytest.mark.parametrize("kind", OTHER_VALUE)
def test_every_derivative_is_that_of_the_value(kind, name):
    loss, theta = draw(kind)
    expected = expected_derivative(loss, theta, name)
    assert apart(FUNCTIONS[name](loss, theta), expected) < ROUNDING


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_residual_loss_inherits_no_derivative_of_the_plain_network(name):
    loss, _ = draw(sm.ResidualLoss)
    assert not isinstance(loss, sm.NetworkLoss)
    assert not hasattr(loss, name) and closed_form(loss, name) is None


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", [*OTHER_VALUE, Leaky, Reordered])
def test_an_inherited_closed_form_of_another_value_refuses_to_answer(kind, name):
    loss, theta = draw(kind)
    assert closed_form(loss, name) is None and not knows(loss, name)
    with pytest.raises(
        ValueError, match=f"loss must bring a {name} of its own, got {kind.__name__}"
    ):
        getattr(loss, name)(theta)


def test_a_subclass_that_computes_the_same_value_keeps_all_closed_forms():
    every_one = set(DERIVATIVES)
    assert Renamed.closed_forms == sm.NetworkLoss.closed_forms == every_one
    assert sm.LayeredLoss.closed_forms == sm.ResidualLoss.closed_forms == frozenset()


def test_a_subclass_keeps_the_closed_forms_that_it_defines_and_its_own_subclasses_inherit_them():
    class Known(Decayed):
        def hessian(self, theta):
            return super().hessian(theta) + 2 * self.decay * np.eye(self.size)

    class Child(Known):
        pass

    class Grandchild(Child):
        def outputs(self, theta):
            return 2 * super().outputs(theta)

    class Both(sm.NetworkLoss):
        def outputs(self, theta):
            return 2 * super().outputs(theta)

        def gradient(self, theta):
            return autograd.grad(self)(theta)

    assert Known.closed_forms == Child.closed_forms == {"hessian"}
    assert Grandchild.closed_forms == frozenset() and Both.closed_forms == {"gradient"}
    loss, theta = draw(Child)
    expected = autograd.hessian(loss)(theta)
    assert apart(sm.hessian(loss, theta, method="structured"), expected) < ROUNDING


@pytest.mark.parametrize("part", ["outputs", "criterion_value", "layers"])
def test_what_is_exchanged_on_a_single_loss_counts_as_well(part):
    loss, theta = draw(sm.NetworkLoss)
    plain = getattr(loss, part)
    if part == "layers":
        loss.layers = lambda theta: plain(theta[::-1])
    else:
        setattr(loss, part, lambda values: 2 * plain(values))
    expected = autograd.hessian(loss)(theta)
    assert apart(sm.hessian(loss, theta), expected) < ROUNDING
    assert apart(expected, sm.hessian(draw(sm.NetworkLoss)[0], theta)) > 0.1
    with pytest.raises(ValueError, match="loss must bring a hessian of its own"):
        loss.hessian(theta)
    loss.hessian = lambda theta: 7 * np.eye(loss.size)
    np.testing.assert_array_equal(sm.hessian(loss, theta), 7 * np.eye(loss.size))


def test_a_loss_may_bring_its_own_gradient():
    class Elsewhere:
        """A loss whose derivatives another library computes."""

        def __call__(self, theta):
            return float(np.square(theta).sum())

        def gradient(self, theta):
            return 2 * theta

        def hvp_at(self, theta):
            return lambda v: 2 * v

    loss, theta = Elsewhere(), np.array([1.0, -2.0, 3.0])
    np.testing.assert_array_equal(sm.gradient(loss, theta), 2 * theta)
    np.testing.assert_array_equal(sm.hvp(loss, theta, theta), 2 * theta)
    value, _ = sm.epsilon_sharpness(loss, theta, 0.1, rng=np.random.default_rng(0))
    length = np.linalg.norm(theta)
    assert value == pytest.approx(((length + 0.1) ** 2 - length**2) / (1 + length**2), rel=1e-9)


@pytest.mark.parametrize("own", [[1.0], [1.0, np.nan, 1.0], np.ones((3, 1))])
def test_a_gradient_of_ones_own_is_looked_at(own):
    class Wrong:
        def __call__(self, theta):
            return float(theta.sum())

        def gradient(self, theta):
            return own

    with pytest.raises(ValueError, match=r"^loss\.gradient\(theta\) must be"):
        sm.gradient(Wrong(), np.ones(3))


# What is read off rectified layers


@pytest.mark.parametrize("kind", OTHER_OUTPUTS)
def test_what_is_read_off_rectified_layers_is_refused_for_others(kind):
    loss, theta = draw(kind)
    for call in (
        lambda: sm.loss_bounds(loss, theta, 0.0),
        lambda: sm.box_radius(loss, theta, 0.1),
        lambda: sm.kinks(loss, theta, tol=1e-6),
        lambda: as_rectified(loss),
    ):
        with pytest.raises(ValueError, match=f"^loss must .* plain rectified .*{kind.__name__}"):
            call()


@pytest.mark.parametrize("kind", [sm.NetworkLoss, *OTHER_VALUE])
def test_kinks_do_not_depend_on_the_value(kind):
    loss, theta = draw(kind)
    assert as_rectified(loss) is loss
    expected = sm.kinks(draw(sm.NetworkLoss)[0], theta, tol=1e-6)
    assert sm.kinks(loss, theta, tol=1e-6).margin == expected.margin < np.inf


@pytest.mark.parametrize("kind", OTHER_VALUE)
def test_bounds_of_the_criterion_are_refused_for_another_value(kind):
    loss, theta = draw(kind)
    part = "__call__" if kind in (Decayed, Mixed) else "criterion_value"
    for call in (
        lambda: sm.loss_bounds(loss, theta, 0.0),
        lambda: sm.box_radius(loss, theta, 0.1),
    ):
        with pytest.raises(
            ValueError, match=f"mean of its criterion, squared_error, got {kind.__name__} .* {part}"
        ):
            call()


def test_bounds_hold_the_loss_that_they_are_given_for():
    loss, theta = draw(sm.NetworkLoss)
    bounds = sm.loss_bounds(loss, theta, 0.0)
    assert bounds.lower <= loss(theta) <= bounds.upper
    corner = theta + sm.box_radius(loss, theta, 0.1) * np.sign(sm.gradient(loss, theta))
    assert 0 < loss(corner) - loss(theta) < 0.1


# What goes by the name of the criterion


@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
@pytest.mark.parametrize("kind", [Decayed, Halved, Huber, Mixed])
def test_the_fisher_information_of_another_value_is_not_guessed(kind, criterion):
    loss, theta = draw(kind, criterion=criterion)
    assert not knows(loss, "criterion")
    with pytest.raises(
        ValueError, match=f"mean of its criterion, {criterion}, got {kind.__name__}"
    ):
        sm.gauss_newton(loss, theta)


def test_the_fisher_information_of_another_value_is_not_guessed_in_other_coordinates():
    stretch = sm.linear_map(2 * np.eye(3))
    for kind, is_known in ((sm.NetworkLoss, True), (Decayed, False)):
        loss = kind((3, 1), np.eye(3), np.ones(3))
        moved = sm.reparametrize(loss, stretch)
        assert knows(moved, "criterion") == is_known and knows(moved, "outputs")
    with pytest.raises(ValueError, match=r"loss\.criterion must be .* got None"):
        sm.gauss_newton(moved, np.ones(3))


def test_a_loss_of_another_kind_is_taken_at_its_word():
    class Named:
        criterion = "squared_error"

        def __call__(self, theta):
            return anp.sum(theta**2) / 2

        def outputs(self, theta):
            return anp.reshape(theta, (1, -1))

    assert as_criterion_mean(Named()) is not None
    np.testing.assert_array_equal(sm.gauss_newton(Named(), np.ones(2)), np.eye(2))


# Other data


@pytest.mark.parametrize("kind", [sm.NetworkLoss, Decayed, Halved, Leaky, Tanh, sm.ResidualLoss])
@pytest.mark.parametrize("criterion", ["squared_error", "cross_entropy"])
def test_on_other_data_a_loss_keeps_its_class_and_all_it_carries(kind, criterion):
    loss, theta = draw(kind, criterion=criterion)
    loss.decay = 0.3
    part = loss.on(loss.x[:4], loss.y[:4])
    assert type(part) is kind and part.decay == 0.3 and part.sizes == loss.sizes
    assert part.x.shape == (4, 5) and len(loss.x) == 20
    rest = loss.on(loss.x[4:], loss.y[4:])
    assert (4 * part(theta) + 16 * rest(theta)) / 20 == pytest.approx(loss(theta), rel=1e-14)


def test_on_refuses_the_data_that_the_loss_itself_would_refuse():
    loss, _ = draw(sm.NetworkLoss)
    with pytest.raises(ValueError, match="x must be an array of inputs, a row each, of shape"):
        loss.on(np.ones((2, 4)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="y must be an array of targets of shape"):
        loss.on(np.ones((2, 5)), np.ones((3, 2)))


def test_on_copies_the_data_and_leaves_the_loss_alone():
    loss, theta = draw(sm.NetworkLoss)
    before, x = loss(theta), np.ones((2, 5))
    other = loss.on(x, np.ones((2, 2)))
    value = other(theta)
    x *= 2
    assert other(theta) == value and loss(theta) == before


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([-3], [0]),
        ([2, 0, 2], [2, 0, 2]),
        (slice(1, None), [1, 2]),
        ([True, False, True], [0, 2]),
    ],
)
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 6.0]])
def test_samples_are_taken_as_numpy_takes_rows(samples, expected, weights):
    x, y = np.array([[1.0], [2.0], [4.0]]), np.array([3.0, 5.0, 7.0])
    part = sm.NetworkLoss((1, 1), x, y, sample_weight=weights).take(samples)
    assert part.x[:, 0].tolist() == [[1, 2, 4][i] for i in expected]
    assert part.y[:, 0].tolist() == [[3, 5, 7][i] for i in expected]
    if weights is not None:  # divided by their mean in the whole
        assert part.sample_weight.tolist() == [[1 / 3, 2 / 3, 2][i] for i in expected]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([0, 3], "samples must be indices from -3 to 2, got 0 to 3"),
        ([-4, 1], "samples must be indices from -3 to 2, got -4 to 1"),
        ([], "samples must be at least one, got none"),
        ([False] * 3, "samples must be at least one, got none"),
        (slice(3, None), "samples must be at least one, got none"),
        ([1.0], r"a mask of length 3 or a slice, got dtype float64 of shape \(1,\)"),
        ([[0, 1]], r"samples must be a vector of indices, .* of shape \(1, 2\)"),
        ([True, False], r"a mask of length 3 or a slice, got dtype bool of shape \(2,\)"),
        (1, r"samples must be a vector of indices, .* got dtype int64 of shape \(\)"),
    ],
)
def test_samples_that_are_not_there_are_refused(samples, message):
    loss = sm.NetworkLoss((1, 1), [[1.0], [2.0], [4.0]], [3.0, 5.0, 7.0])
    with pytest.raises(ValueError, match=message):
        loss.take(samples)


def test_weight_decay_is_trained_with():
    options = {"epochs": 1, "batch_size": 20, "learning_rate": 0.01}
    loss, theta = draw(Decayed)
    plain, _ = draw(sm.NetworkLoss)
    moved, without = (
        sm.sgd(each, theta, rng=np.random.default_rng(0), **options) for each in (loss, plain)
    )
    np.testing.assert_allclose(moved, without - 0.01 * 2 * loss.decay * theta, rtol=0, atol=1e-15)


def test_a_change_of_input_basis_keeps_the_weights_of_the_samples():
    loss, theta = draw(Weighted)
    move = sm.TRANSFORMATIONS["input_basis"]
    twin, there = move(loss, theta, np.random.default_rng(0))
    assert type(twin) is Weighted and twin(there) == pytest.approx(loss(theta), rel=1e-9)


# The one list


def test_a_network_knows_every_part():
    parts = {name for name in dir(KnowingLoss) if not name.startswith("_")}
    parts |= set(KnowingLoss.__annotations__)
    loss, _ = draw(sm.NetworkLoss)
    assert {part for part in parts if knows(loss, part)} == parts
    assert set(DERIVATIVES) <= parts


@pytest.mark.parametrize("kind", [sm.NetworkLoss, Renamed, Decayed, Leaky, sm.ResidualLoss])
def test_a_derivative_is_structured_where_the_networks_own_is_valid(kind):
    loss, _ = draw(kind)
    assert is_structured(loss, "hessian") == (kind in (sm.NetworkLoss, Renamed))
    loss.hessian = lambda theta: np.eye(loss.size)
    assert not is_structured(loss, "hessian")


@pytest.mark.parametrize("loss", [lambda theta: theta @ theta, sm.NetworkLoss])
def test_a_function_knows_nothing_more_and_neither_does_a_class(loss):
    assert not any(knows(loss, part) for part in (*DERIVATIVES, "outputs"))


def test_blocks_cut_theta_into_layers():
    loss, theta = draw(sm.NetworkLoss)
    for block, layer in zip(loss.blocks, loss.layers(theta), strict=True):
        np.testing.assert_array_equal(theta[block], layer.weight.ravel())


def test_a_layered_loss_without_outputs_says_what_is_missing():
    class Bare(sm.LayeredLoss):
        pass

    loss, theta = draw(Bare)
    with pytest.raises(NotImplementedError, match=r"Bare must define outputs\(theta\)"):
        loss(theta)
