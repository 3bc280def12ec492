"""What happens on the way: a rule takes step after step downhill, and what is observed is recorded.

The function that a network computes does not settle how training goes on, the parameters do: the
largest eigenvalue decides which steps are stable (Cohen et al. 2021), and the balance of the layers
is kept where the steps are short. Both can be observed here, as can anything else that is a
function of the parameters. This is no framework for training.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from ._validation import (
    Array,
    NotFinite,
    as_count,
    as_generator,
    as_list,
    as_positive,
    as_real,
    as_tolerance,
    as_vector,
    check_function,
)
from .hessians import check_value, gradient, hessian_operator
from .losses import LayeredLoss, Loss, knows
from .measures import Measure
from .points import Point, Undefined, evaluate
from .spectra import find_largest_eigenvalue, run_lanczos

Move = Callable[[Array, Array], Array]

# How much of the vector that the next Lanczos iteration begins with is drawn at random. Without it
# an eigenvector that is no longer the leading one would never be left.
FRESH = 0.1


class StepRule(ABC):
    """How a step follows from the gradient. `begin` starts a run."""

    @abstractmethod
    def begin(self) -> Move:
        """Return the function (theta, gradient) -> theta of one run, with a memory of its own."""


@dataclass(frozen=True)
class GradientStep(StepRule):
    """Gradient descent: theta - learning_rate * gradient."""

    learning_rate: float

    def __post_init__(self):
        as_positive("learning_rate", self.learning_rate)

    def begin(self) -> Move:
        return lambda theta, slope: theta - self.learning_rate * slope


@dataclass(frozen=True)
class MomentumStep(StepRule):
    """The heavy ball (Polyak 1964), from rest: v = momentum * v + gradient, then theta -
    learning_rate * v.

    `momentum` is at least 0 and less than 1.
    """

    learning_rate: float
    momentum: float = 0.9

    def __post_init__(self):
        as_positive("learning_rate", self.learning_rate)
        as_tolerance("momentum", self.momentum)

    def begin(self) -> Move:
        velocity = np.zeros(())

        def move(theta, slope):
            nonlocal velocity
            velocity = self.momentum * velocity + slope
            return theta - self.learning_rate * velocity

        return move


@dataclass(frozen=True)
class AdamStep(StepRule):
    """Adam (Kingma and Ba 2015, algorithm 1): the running mean of the gradients over the square
    root of that of their squares, each corrected for its start at zero.

    `beta1` and `beta2` are at least 0 and less than 1. `epsilon`, which is added to the root, may
    be 0: a weight whose gradients were all zero then stays where it is.
    """

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self):
        as_positive("learning_rate", self.learning_rate)
        as_tolerance("beta1", self.beta1)
        as_tolerance("beta2", self.beta2)
        epsilon = as_real("epsilon", self.epsilon, shape=(), what="a number")
        if epsilon < 0:
            raise ValueError(f"epsilon must be at least 0, got {epsilon}")

    def begin(self) -> Move:
        mean, square = np.zeros(()), np.zeros(())
        step = 0

        def move(theta, slope):
            nonlocal mean, square, step
            step += 1
            mean = self.beta1 * mean + (1 - self.beta1) * slope
            square = self.beta2 * square + (1 - self.beta2) * slope**2
            root = np.sqrt(square / (1 - self.beta2**step)) + self.epsilon
            direction = np.divide(mean, root, out=np.zeros_like(slope), where=root > 0)
            return theta - self.learning_rate / (1 - self.beta1**step) * direction

        return move


@dataclass(frozen=True)
class Trajectory:
    """What `follow` recorded.

    `steps` (r,) are the numbers of the steps after which it was recorded, 0 the start; `losses`
    (r,) the losses there, and `values` what was observed, by its name, each (r, ...), NaN where it
    is undefined. `theta` (n,) is where the run ended, after `taken` steps.

    `status` is "finished", or "diverged" if the parameters, the loss, its gradient or what is
    observed stopped being finite; `reason` then says which, and `theta` is the last place where
    the parameters and what was recorded were finite.
    """

    theta: Array
    steps: Array
    losses: Array
    values: Mapping[str, Array]
    taken: int
    status: str
    reason: str = ""

    @property
    def has_diverged(self) -> bool:
        """Whether the run ended because something stopped being finite."""
        return self.status == "diverged"

    def __str__(self):
        return (
            f"{self.status} after {self.taken} steps: loss {self.losses[0]:.3g} ->"
            f" {self.losses[-1]:.3g}"
        )


def follow(
    loss: Loss,
    theta: ArrayLike,
    rule: StepRule | Move,
    *,
    steps: int,
    observe: Mapping[str, Callable[[Array], ArrayLike] | Measure] | None = None,
    every: int = 1,
    at: Iterable[int] | None = None,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
) -> Trajectory:
    """Take so many steps from `theta` (n,) by a rule, and record the loss and what is observed.

    `rule` is a `GradientStep`, `MomentumStep` or `AdamStep`, or any function (theta, gradient) ->
    theta. `observe` names functions of theta, which return a number or an array:
    `LargestEigenvalue(loss)`, or `lambda theta: unit_imbalances(loss, theta)`; a `Measure`, as
    `MEASURES["trace"]`, is taken at the point of the loss and theta. They are recorded with the
    loss at the start, after each `every`-th step and after the last one; or, with `at`, at the
    start, after each step whose number is in `at`, and after the last one. Where one raises
    `Undefined`, NaN is recorded; any other error of its own is raised.

    With `batch_size` each gradient is that of the next batch of the shuffled data, which `rng`
    shuffles again when they are used up; the last batch of a pass may be smaller. The loss that is
    recorded is always that of all data.

    A run that leaves the numbers that float64 can hold is a result, not an error: the trajectory's
    status says so. A progress bar goes to stderr unless the environment has TQDM_DISABLE=1. Raises
    ValueError for bad arguments, for an observed array that changes its shape, and as `gradient`
    for what cannot be differentiated.

    >>> run = follow(lambda theta: theta[0] ** 2, [1.0], GradientStep(0.25), steps=2)
    >>> run.losses, run.status
    (array([1.    , 0.25  , 0.0625]), 'finished')
    """
    theta = as_vector("theta", theta)
    move = _begin(rule)
    steps = as_count("steps", steps)
    chosen = _choose_steps(steps, every, at)
    record = Recording(loss, _as_observers(observe, loss))
    batches = _draw_batches(loss, batch_size, rng)
    reason = ""
    taken = 0
    with np.errstate(over="ignore", invalid="ignore"):
        record.take(0, theta)
        slope = gradient(next(batches), theta)
        for step in tqdm(range(1, steps + 1), desc="descent", unit="step", leave=False):
            moved = move(theta, slope)
            try:
                as_vector("theta", moved, len(theta))
                if step in chosen:
                    record.take(step, moved)
                theta, taken = moved, step
                if step < steps:
                    slope = gradient(next(batches), theta)
            except NotFinite as error:
                reason = str(error)
                break
    return Trajectory(
        theta=np.array(theta),
        steps=np.array(record.steps),
        losses=np.array(record.losses),
        values={name: _stack(values) for name, values in record.values.items()},
        taken=taken,
        status="diverged" if reason else "finished",
        reason=reason,
    )


class LargestEigenvalue:
    """The largest eigenvalue of the Hessian of `loss`, to be observed by `follow`.

    Found by Lanczos iteration on Hessian-vector products, until |H v - lambda v| is at most `tol`
    times |lambda|. The first begins with a vector that is always the same, each later one with the
    eigenvector found before and a tenth of a random vector: after a short step the two eigenvectors
    are close, and fewer products are needed.

    >>> LargestEigenvalue(lambda theta: theta[0] ** 2 + theta[1] ** 4)([0.0, 1.0])
    12.0
    """

    def __init__(self, loss: Loss, *, tol: float = 1e-8):
        check_function("loss", loss, "a function of a vector")
        self._loss = loss
        self._tol = as_tolerance("tol", tol)
        self._rng = np.random.default_rng(0)
        self._vector: Array | None = None

    def __call__(self, theta: ArrayLike) -> float:
        """Return the largest eigenvalue at `theta` (n,)."""
        theta = as_vector("theta", theta)
        H = hessian_operator(self._loss, theta)
        if len(theta) <= 2:
            return find_largest_eigenvalue(H @ np.eye(len(theta)))
        start = None
        if self._vector is not None and len(self._vector) == len(theta):
            noise = self._rng.normal(size=len(theta))
            start = self._vector + FRESH * noise / np.linalg.norm(noise)
        [value], vectors = run_lanczos(H, 1, "LA", self._rng, tol=self._tol, start=start)
        self._vector = vectors[:, 0]
        return float(value)


def unit_imbalances(loss: LayeredLoss, theta: ArrayLike) -> Array:
    """Return for each hidden unit the squares of its incoming weights and its bias less those of
    its outgoing weights, |w_in|^2 + b^2 - |w_out|^2, one hidden layer after the other.

    Gradient flow keeps each of them where the loss depends on theta only through the function of a
    rectified network (Du, Hu and Lee 2018). Raises ValueError for a loss that does not know its
    layers.

    >>> from sharpminima import NetworkLoss
    >>> unit_imbalances(NetworkLoss((1, 1, 1), [[1.0]], [1.0]), [3.0, 2.0])
    array([5.])
    """
    return np.concatenate(_find_imbalances(loss, theta))


def layer_imbalances(loss: LayeredLoss, theta: ArrayLike) -> Array:
    """Return for each hidden layer the sum of its units' imbalances: without biases
    |theta_k|^2 - |theta_(k+1)|^2.
    """
    return np.array([units.sum() for units in _find_imbalances(loss, theta)])


def _find_imbalances(loss, theta):
    """Return the imbalances of the units of each hidden layer."""
    theta = as_vector("theta", theta)
    if not knows(loss, "layers"):
        raise ValueError(
            f"loss must know its layers, as NetworkLoss and TorchLoss do, got {type(loss).__name__}"
        )
    layers = loss.layers(theta)
    if len(layers) < 2:
        raise ValueError(f"loss must have a hidden layer, got {len(layers)} layer of weights")
    imbalances = []
    for this, following in zip(layers[:-1], layers[1:], strict=True):
        incoming = np.sum(this.weight**2, axis=0)
        if this.bias is not None:
            incoming = incoming + this.bias**2
        imbalance = incoming - np.sum(following.weight**2, axis=1)
        imbalances.append(as_real("the imbalance of the layers of theta", imbalance))
    return imbalances


def take_batch(loss: LayeredLoss, samples: Array) -> LayeredLoss:
    """Return the loss on some of its samples."""
    if isinstance(loss, LayeredLoss):
        return loss.take(samples)
    return loss.on(loss.x[samples], loss.y[samples])


def check_has_data(loss: Loss) -> None:
    """Raise ValueError unless the loss has data to be trained on."""
    if not all(knows(loss, part) for part in ("size", "x", "y", "on")):
        raise ValueError(
            "loss must have data to be trained on, as NetworkLoss and TorchLoss have, got"
            f" {type(loss).__name__}: gradient_descent takes any function"
        )


def _begin(rule) -> Move:
    """Return the function that takes a step."""
    if isinstance(rule, StepRule):
        return rule.begin()
    if not callable(rule) or isinstance(rule, type):
        raise ValueError(
            "rule must be a GradientStep, MomentumStep or AdamStep, or a function of theta and its"
            f" gradient, got {rule!r}"
        )
    return rule


def _choose_steps(steps, every, at):
    """Return the numbers of the steps after which is recorded."""
    every = as_count("every", every)
    if at is None:
        return {*range(every, steps, every), steps}
    if every != 1:
        raise ValueError("every and at exclude each other, got both")
    chosen = {as_count("each of at", step, least=0) for step in as_list("at", at, "steps")}
    if chosen and max(chosen) > steps:
        raise ValueError(f"each of at must be at most steps, {steps}, got {max(chosen)}")
    return {*chosen, steps}


def _as_observers(observe, loss):
    """Return the functions of theta to observe by their names."""
    if observe is None:
        return {}
    if not isinstance(observe, Mapping):
        raise ValueError(
            "observe must map names to functions of theta, as {'trace': find_trace}, got"
            f" {type(observe).__name__}"
        )
    for name, look in observe.items():
        if not callable(look):
            raise ValueError(
                f"observe must map names to functions of theta, got {look!r} for {name!r}"
            )
    return {name: _as_observer(look, loss) for name, look in observe.items()}


def _as_observer(look, loss):
    """Return a function of theta; of a measure, its value at the loss and theta."""
    if isinstance(look, Measure):
        return lambda theta: evaluate(look, Point(loss, theta))
    return look


def _draw_batches(loss, batch_size, rng) -> Iterator:
    """Return the losses whose gradients are taken, one a step."""
    if batch_size is None:
        if rng is not None:
            raise ValueError("rng is for batches: give a batch_size, too")
        return _repeat(loss)
    check_has_data(loss)
    return _shuffle(loss, as_count("batch_size", batch_size), as_generator(rng))


def _repeat(loss):
    while True:
        yield loss


def _shuffle(loss, batch_size, rng):
    while True:
        order = rng.permutation(len(loss.x))
        for start in range(0, len(order), batch_size):
            yield take_batch(loss, order[start : start + batch_size])


class Recording:
    """The losses on the way and what was observed there, all of it finite or undefined."""

    def __init__(self, loss: Loss, observers: Mapping[str, Callable[[Array], ArrayLike]]):
        self.loss = loss
        self.observers = observers
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.values: dict[str, list[Array | None]] = {name: [] for name in observers}

    def take(self, step: int, theta: Array) -> None:
        """Add the loss and what is observed at theta, or nothing if a number is not finite."""
        value = float(check_value(self.loss, theta))
        seen = {name: _look(name, look, theta) for name, look in self.observers.items()}
        for name, now in seen.items():
            _refuse_other_shape(name, step, self.values[name], now)
        self.steps.append(step)
        self.losses.append(value)
        for name, now in seen.items():
            self.values[name].append(now)


def _look(name, look, theta):
    """Return what an observer sees as an array of its own, None where it is undefined."""
    try:
        return np.array(as_real(f"observed {name}", look(theta)))
    except Undefined:
        return None


def _refuse_other_shape(name, step, before, now):
    shape = _find_shape(before)
    if shape is not None and now is not None and now.shape != shape:
        raise ValueError(
            f"observed {name} must keep its shape, {shape}, got {now.shape} after step {step}"
        )


def _find_shape(values):
    """Return the shape of the values that are defined, None where there is none."""
    return next((value.shape for value in values if value is not None), None)


def _stack(values):
    """Return the values as one array, with NaN where they are undefined."""
    missing = np.full(_find_shape(values) or (), np.nan)
    return np.array([missing if value is None else value for value in values])
