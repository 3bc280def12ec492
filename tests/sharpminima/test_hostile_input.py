"""Every public function against what people hand to it by mistake, and what is none of its kind.

`hostile` has the values, `hostile_rows` a good call of each function; a new function or argument
without a row is a failure here. What a call may do is said in `hostile`.

Not seen here: PyTorch and JAX (tests/frameworks), and what takes too long to be tried thousands of
times, named in `NOT_TRIED`.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import sharpminima as sm

from . import hostile
from .hostile_rows import ROWS, THETA, WIDTHS, list_entries

# Functions and methods that are tried elsewhere or take nothing that could be wrong.
RESULTS = (
    "what a function here returns; nobody makes one by hand",
    [
        "Audit", "Bounds", "Carried", "Counterexample", "Descent", "DescentPath", "Eigenpairs",
        "Estimate", "Example", "Finding", "Floor", "Kinks", "LeastNorm", "Measure", "Minimum",
        "NotKept", "Orbit", "RankCorrelation", "Share", "Sharpness", "Split", "Trained",
        "Trajectory", "Undefined", "Volume",
    ],
)  # fmt: skip
NOT_TRIED = {
    **dict.fromkeys(RESULTS[1], RESULTS[0]),
    "JaxLoss": "tests/frameworks",
    "TorchLoss": "tests/frameworks",
    "from_torch": "tests/frameworks",
    "to_torch": "tests/frameworks",
    "Layer": "a pair without checks of its own: whatever takes layers checks them",
    "StepRule": "a base class",
    "AdamStep.begin": "takes nothing",
    "GradientStep.begin": "takes nothing",
    "MomentumStep.begin": "takes nothing",
    "StepRule.begin": "takes nothing",
    "Measure.__call__": "MEASURES[...], each of them",
    "Measure.with_": "test_registry.py: options that a measure lacks",
    "Transformation.with_": "passes on to the function of its own",
    "Transformation.inputs": "a field that holds a function",
    "Transformation.observe": "a field that holds a function",
    "Transformation.start": "a field that holds a function",
    "NetworkLoss.like": "tried with the arguments of NetworkLoss",
    "Point.needs": "asks for parts by names that the library writes",
    "running_example": "test_examples.py: trains for a second at each call",
    "carried_network": "another name of running_example",
    "read_table": "test_sweeps.py: paths",
    "write_table": "test_sweeps.py: paths and tables",
    "LayeredLoss.__call__": "abstract: its subclasses",
    "LayeredLoss.outputs": "abstract: its subclasses",
    **{
        f"LayeredLoss.{name}": "inherited by NetworkLoss and ResidualLoss"
        for name in ("criterion_value", "layers", "on", "penalty", "take", "with_inputs")
    },
}
ARGUMENTS_NOT_TRIED = {
    ("Transformation", "start"): "checked as move is",
    ("Transformation", "observe"): "checked as move is",
    ("Transformation", "inputs"): "checked as move is",
    ("Transformation.__call__", "strength"): "options of each transformation's own",
    ("sweep", "executor"): "test_sweeps.py: options",
}
MADE_OF_MANY = {"Table": {"columns"}, "weight_norm_map": {"groups"}}  # tried one by one


def is_tried(entry, argument):
    kinds = ROWS[entry].kinds
    one_of_them = argument.removesuffix("s")
    is_one_by_one = argument in MADE_OF_MANY.get(entry, ())
    return argument in kinds or one_of_them in kinds or is_one_by_one


def test_every_function_and_argument_is_tried():
    missing = []
    for entry, arguments in list_entries().items():
        owner = entry.partition(".")[0]
        if entry in NOT_TRIED or (owner in NOT_TRIED and owner not in ROWS) or not arguments:
            continue
        if entry not in ROWS:
            missing.append(f"{entry}: no row in hostile_rows")
            continue
        for argument in arguments:
            if not is_tried(entry, argument) and (entry, argument) not in ARGUMENTS_NOT_TRIED:
                missing.append(f"{entry}: its argument {argument} is not tried")
    assert missing == []


def test_what_is_left_out_is_there_and_has_no_row():
    entries = list_entries()
    assert not [entry for entry in NOT_TRIED if entry not in entries]
    assert not [
        (entry, argument)
        for entry, argument in ARGUMENTS_NOT_TRIED
        if argument not in entries[entry] or is_tried(entry, argument)
    ]


@pytest.mark.parametrize("entry", ROWS)
def test_the_answer_is_right_or_the_argument_is_named(entry):
    outcomes = hostile.try_row(ROWS[entry])
    wrong = [outcome for outcome in outcomes if not outcome.is_right]
    said = [
        f"{entry}({outcome.argument} = {outcome.value}): {outcome.what}, {outcome.said}"
        for outcome in wrong
    ]
    assert not said, "\n".join(said)


def test_so_many_calls_are_made():
    """As the last count was: a table that lost a part of its rows or values would be seen."""
    calls = [
        value for row in ROWS.values() for kind in row.kinds.values()
        for value in hostile.list_values(kind)
    ]  # fmt: skip
    assert len(calls) >= 10_000 and len(ROWS) >= 190


# What an overflow may do: a value that is infinite or NaN can be seen, one that is wrong cannot.
MAY_OVERFLOW = {
    "NetworkLoss.__call__", "NetworkLoss.outputs", "NetworkLoss.pre_activations",
    "NetworkLoss.criterion_value", "ResidualLoss.__call__", "ResidualLoss.outputs",
    "ResidualLoss.criterion_value", "from_sklearn",
    "loss_bounds",  # then no bound is proved
    "examine", "polish",  # the margin of a network without hidden units is infinite
}  # fmt: skip
SIZES = (1e300, 1e150, 1e-150, 1e-320, 0.0)


@pytest.mark.parametrize("entry", ROWS)
def test_numbers_of_any_size_have_a_finite_answer_or_none(entry):
    row = ROWS[entry]
    for argument in row.kinds:
        good = row.good[argument]
        if not isinstance(good, np.ndarray) or good.dtype != np.float64:
            continue
        for size in SIZES:
            arguments = hostile.prepare(row.good) | {argument: size * good}
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    answer = row.function(**arguments)
            except (ValueError, FloatingPointError, sm.NotKept):
                continue
            numbers = [np.asarray(part) for part in hostile.flatten(answer)]
            floats = [part for part in numbers if part.dtype.kind == "f"]
            is_finite = all(np.isfinite(part).all() for part in floats)
            assert is_finite or entry in MAY_OVERFLOW, f"{argument} times {size:g}: {answer}"


# Arrays of all kinds, in the place of an array.

ARRAY_KINDS = (
    "vector", "vector of any length", "vector of one or more", "matrix", "symmetric matrix",
    "data", "inputs", "square matrix",
)  # fmt: skip
PLACES = [
    (entry, argument)
    for entry, row in ROWS.items()
    for argument, kind in row.kinds.items()
    if kind in ARRAY_KINDS and isinstance(row.good[argument], np.ndarray)
]
DTYPES = ["f8", "f4", "f2", "i8", "i4", "u1", "?", "c16", ">f8", "U3", "M8[s]", "O"]


@st.composite
def draw_array(draw, good):
    """An array of any type; often of the right shape, so that its values are looked at."""
    shape = good.shape if draw(st.booleans()) else draw(array_shapes(min_dims=0, max_side=5))
    dtype = draw(st.sampled_from(DTYPES))
    if dtype == "O":
        return np.full(shape, draw(st.sampled_from([None, "a", 1.0, 2**70])), dtype=object)
    array = draw(arrays(dtype, shape))
    if array.ndim and draw(st.booleans()):
        array = array[::-1]
    if draw(st.booleans()):
        array.flags.writeable = False
    return array


def ask(row, arguments):
    """Return the answer as a list, or the error."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return hostile.flatten(row.function(**arguments))
    except (ValueError, TypeError, FloatingPointError, sm.NotKept) as error:
        return error


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), data=st.data())
def test_any_array_is_refused_or_gets_the_answer_of_its_numbers(place, data):
    """What is taken gets the answer that the same numbers get as a contiguous float64 array."""
    entry, argument = place
    row = ROWS[entry]
    array = data.draw(draw_array(row.good[argument]))
    before = repr(array.tolist())
    answer = ask(row, hostile.prepare(row.good) | {argument: array})
    assert repr(array.tolist()) == before, "the argument was changed"
    if isinstance(answer, Exception):
        return
    assert array.dtype.kind in "iu" or array.dtype == np.float64, f"taken: {array.dtype}"
    assert np.isfinite(array).all()
    plain = np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)
    expected = ask(row, hostile.prepare(row.good) | {argument: plain})
    assert not isinstance(expected, Exception) and hostile.are_equal(answer, expected)


# What once went wrong in silence and is no matter of one argument.


class Tanh(sm.NetworkLoss):
    """A subclass with another activation than the closed forms know."""

    def activate(self, z):
        import autograd.numpy as np

        return np.tanh(z)


RESIDUAL = sm.ResidualLoss((3, 4, 4, 4, 1), np.eye(3), np.ones(3))
TANH = Tanh(WIDTHS, np.eye(3), np.ones(3))


@pytest.mark.parametrize("loss", [RESIDUAL, TANH], ids=["residual", "tanh"])
def test_what_is_read_off_plain_layers_asks_for_them(loss):
    theta = np.random.default_rng(0).normal(size=loss.size)
    point = sm.Point(loss, theta)
    for ask_layers in (
        lambda: sm.loss_bounds(loss, theta, 0.0),
        lambda: sm.box_radius(loss, theta, 0.1),
        lambda: sm.kinks(loss, theta, tol=1e-6),
        lambda: sm.examine(loss, theta),
        lambda: sm.orbit(sm.MEASURES["trace"], loss, theta),
        lambda: sm.MEASURES["input_gradient_norm"](point),
        lambda: sm.MEASURES["path_norm"](point),
    ):
        with pytest.raises(ValueError, match="plain rectified layers"):
            ask_layers()


def test_an_inherited_closed_form_does_not_answer_for_another_value():
    theta = np.random.default_rng(0).normal(size=TANH.size)
    with pytest.raises(ValueError, match="must bring a hessian of its own"):
        TANH.hessian(theta)
    by_autograd = sm.hessian(TANH, theta, method="autograd")
    assert np.allclose(sm.hessian(TANH, theta), by_autograd, atol=0)


def test_what_a_caller_does_to_sample_networks_stays_with_him():
    name = next(iter(sm.sample_networks()))
    sm.sample_networks()[name][1][:] = 0
    assert sm.sample_networks()[name][1].any()


def test_a_random_network_needs_a_seed():
    for seed in (None, True, [0], 0.5, -1):
        with pytest.raises(ValueError, match="seed must be an integer of at least 0"):
            sm.running_example(seed=seed)
    for seed in (0.0, 0j, True, None):
        with pytest.raises(ValueError, match="seed must be an integer"):
            sm.sample_networks(seed)


def test_a_loss_that_writes_to_theta_is_told_and_undone():
    theta = THETA.copy()
    for derive in (
        lambda: sm.gradient(hostile.write_to_theta, theta),
        lambda: sm.hessian(hostile.write_to_theta, theta),
        lambda: sm.flatness_volume(hostile.write_to_theta, theta[:1], 0.1, window=[(-9, 9)]),
        lambda: sm.gradient_descent(hostile.write_to_theta, theta, steps=1, learning_rate=0.1),
        lambda: sm.epsilon_sharpness(
            hostile.write_to_theta, theta, 0.1, rng=np.random.default_rng(0)
        ),
    ):
        with pytest.raises(ValueError, match="loss must not write to theta"):
            derive()
    assert (theta == THETA).all()
