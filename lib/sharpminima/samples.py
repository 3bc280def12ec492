"""The networks at which the audit compares measures, and what it has to know of each."""

import copy
import functools
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.special

from ._validation import Array, as_count, as_flag, as_vector
from .hessians import gradient, hessian, jacobian
from .losses import Loss, NetworkLoss, kinks
from .networks import Layer, init_params, pre_activations, ravel, relu, unravel
from .points import AtKink, Point
from .spectra import eigenvalues, find_length, scales_to_unit_diagonal
from .training import GRADIENT_TOLERANCE, examine
from .transformations import is_rectified

WIDTHS = ((4, 7, 3), (4, 6, 5, 3))
LARGE = (20, 40, 5)
N_REPEATS = 4  # of an input, with one label each, in the network with hard labels
CLEAR = 1e-3  # the least distance of a sample network's pre-activations from zero
KINK = 1e-12  # a pre-activation at most this far from zero has no derivative

# Of an eigenvalue between these sizes, relative to the largest, rounding leaves open whether it is
# zero.
DOUBTFUL = (1e-13, 1e-6)


class Kind(NamedTuple):
    """A kind of sample network: how many samples it has, and how large its residuals are.

    For cross-entropy `residuals` are a share of the largest that leave all probabilities positive,
    for squared errors ten times their standard deviation. None stands for random targets, so that
    the point is no minimum.
    """

    n_samples: int
    residuals: float | None


KINDS = {
    "interpolating": Kind(8, 0.0),
    "large": Kind(12, 0.0),
    "residuals": Kind(40, 0.25),
    "residuals at both twins": Kind(40, 1.0),  # large, so that what differs there is beyond doubt
    "random point": Kind(8, None),
}


def sample_networks(seed: int = 0, *, large: bool = False) -> dict[str, tuple[NetworkLoss, Array]]:
    """Return the networks that `audit` compares at by default: a mapping from names to (loss,
    theta), of at most 83 parameters; with `large` one of a thousand parameters besides.

    With two layers and with three, with and without biases, for both criteria: minima that
    interpolate, with Hessians of low rank; for half of these also minima that do not, and random
    points. Then networks with units that cancel, so that they have hidden twins, and one with hard
    labels that overlap. Of the two that have hidden twins and residuals one has a twin that is no
    minimum, the other one that is. All are 1e-3 and more from a kink, no unit is off at all
    samples, and the rank of no Hessian is in doubt. The minima are minima by construction: their
    targets are their own answers, plus, where they do not interpolate, noise that leaves the
    gradient zero.
    """
    networks = copy.deepcopy(_draw_networks(as_count("seed", seed, least=0)))
    if as_flag("large", large):
        name = f"{'-'.join(map(str, LARGE))}, cross entropy"
        networks[name] = copy.deepcopy(_draw_large(seed))
    return networks


@functools.cache
def _draw_networks(seed):
    rng = np.random.default_rng(seed)
    networks = {}
    criteria = ("squared_error", "cross_entropy")
    for widths, bias, criterion in product(WIDTHS, (False, True), criteria):
        name = _write_name(widths, criterion, bias)
        networks[name] = _draw(rng, widths, bias, criterion, "interpolating")
        if bias == (criterion == "cross_entropy"):
            for kind in ("residuals", "random point"):
                networks[f"{name}, {kind}"] = _draw(rng, widths, bias, criterion, kind)
    widths = WIDTHS[0]
    for criterion, bias, kind in (
        ("squared_error", False, "interpolating"),
        ("squared_error", False, "residuals"),
        ("cross_entropy", True, "interpolating"),
    ):
        name = f"{_write_name(widths, criterion, bias)}, units that cancel"
        if kind != "interpolating":
            name += f", {kind}"
        networks[name] = _draw(rng, widths, bias, criterion, kind, units_cancel=True)
    networks[f"{'-'.join(map(str, widths))}, hard labels"] = _draw_hard_labels(rng, widths)
    kind = "residuals at both twins"
    name = f"{_write_name(widths, 'squared_error', False)}, units that cancel, {kind}"
    networks[name] = _draw(
        rng, widths, False, "squared_error", kind, units_cancel=True, both_twins=True
    )
    return networks


@functools.cache
def _draw_large(seed):
    rng = np.random.default_rng([seed, 1])
    return _draw(rng, LARGE, False, "cross_entropy", "large")


def _write_name(widths, criterion, bias):
    name = f"{'-'.join(map(str, widths))}, {criterion.replace('_', ' ')}"
    if bias:
        name += ", biases"
    return name


def _draw(rng, widths, bias, criterion, kind, *, units_cancel=False, both_twins=False):
    """Draw parameters and data until no kink is near, no unit is idle, no rank is in doubt, and the
    point is a genuine minimum if it is to be one, with `both_twins` its hidden twin besides.
    """
    n_samples, residuals = KINDS[kind]
    while True:
        theta = _draw_parameters(rng, widths, bias)
        if units_cancel:
            theta = _let_units_cancel(rng, unravel(theta, widths, bias=bias))
        x = rng.normal(size=(n_samples, widths[0]))
        noise = rng.normal(size=(n_samples, widths[-1]))
        loss = _make_random_loss(widths, x, noise, criterion, bias)
        twins = [theta]
        if both_twins:
            twins.append(_turn_cancelling_units(loss.layers(theta)))
        if kinks(loss, theta, tol=CLEAR) or any(_has_idle_unit(loss, twin) for twin in twins):
            continue
        if residuals is not None:
            loss = _make_loss_with_minima(twins, loss, noise, residuals)
            if not all(examine(loss, twin).genuine for twin in twins):
                continue
        if not any(find_doubtful(find_eigenvalue_sizes(loss, twin)).any() for twin in twins):
            return loss, theta


def _draw_parameters(rng, widths, bias):
    layers = init_params(widths, rng=rng, bias=bias)
    if bias:
        layers = [layer._replace(bias=rng.normal(size=len(layer.bias)) / 2) for layer in layers]
    return ravel(layers)


def _let_units_cancel(rng, layers):
    """Return parameters at which the first three hidden units cancel: with what enters them w_j and
    what leaves them c_j a, sum_j c_j w_j = 0.
    """
    (weight, bias), (after, after_bias), *rest = layers
    c = rng.uniform(0.5, 2, size=3) * rng.choice([-1, 1], size=3)
    weight, after = weight.copy(), after.copy()
    after[:3] = np.outer(c, after[0])
    weight[:, 2] = -weight[:, :2] @ c[:2] / c[2]
    if bias is not None:
        bias = bias.copy()
        bias[2] = -bias[:2] @ c[:2] / c[2]
    return ravel([Layer(weight, bias), Layer(after, after_bias), *rest])


def _turn_cancelling_units(layers):
    """Return the parameters of the hidden twin: the first three hidden units with other signs."""
    (weight, bias), *rest = layers
    sign = np.where(np.arange(weight.shape[1]) < 3, -1.0, 1.0)
    if bias is not None:
        bias = bias * sign
    return ravel([Layer(weight * sign, bias), *rest])


def _draw_hard_labels(rng, widths):
    """Draw a minimum of cross-entropy with hard labels that overlap: each input is there four
    times, with one label a time, and the probabilities are the shares of the labels.

    The last layer solves linear equations for that; there are fewer inputs than hidden units.
    """
    d_in, n_hidden, n_classes = widths
    n_inputs = n_hidden - 1
    while True:
        hidden, output = init_params(widths, rng=rng)
        inputs = rng.normal(size=(n_inputs, d_in))
        twice = rng.integers(n_classes, size=n_inputs)  # the class that two of the four are of
        labels = np.column_stack([np.tile(np.arange(n_classes), (n_inputs, 1)), twice])
        shares = (1 + np.eye(n_classes)[twice]) / N_REPEATS
        features = relu(inputs @ hidden.weight)
        wrong = np.log(shares) - features @ output.weight
        solved = output.weight + np.linalg.lstsq(features, wrong, rcond=None)[0]
        theta = ravel([hidden, Layer(solved)])
        x = np.repeat(inputs, N_REPEATS, axis=0)
        loss = NetworkLoss(widths, x, labels.ravel(), criterion="cross_entropy")
        if kinks(loss, theta, tol=CLEAR) or _has_idle_unit(loss, theta):
            continue
        if not examine(loss, theta).genuine:
            continue
        if not find_doubtful(find_eigenvalue_sizes(loss, theta)).any():
            return loss, theta


def _make_random_loss(widths, x, noise, criterion, bias):
    targets = noise
    if criterion == "cross_entropy":
        targets = scipy.special.softmax(noise, axis=1)
    return NetworkLoss(widths, x, targets, criterion=criterion, bias=bias)


def _has_idle_unit(loss, theta):
    """Return whether a hidden unit is off at all samples."""
    hidden = pre_activations(loss.layers(theta), loss.x)[:-1]
    return any((z <= 0).all(axis=0).any() for z in hidden)


def _make_loss_with_minima(twins, loss, noise, residuals):
    """Return the loss with targets for which the `twins`, parameters of one function, are critical
    points: the network's own answers, plus that part of the `noise` (N, C) which leaves their
    gradients zero, to the size `residuals`.
    """
    answers = loss.outputs(twins[0])
    if loss.criterion == "cross_entropy":
        answers = scipy.special.softmax(answers, axis=1)
    if residuals == 0:
        return loss.on(loss.x, answers)
    noise = _project_away_gradients(loss, twins, noise)
    if loss.criterion == "squared_error":
        return loss.on(loss.x, answers + 0.1 * residuals * noise / noise.std())
    moved = noise != 0  # rounding decides whether what cannot move is exactly zero
    largest = (answers[moved] / np.abs(noise[moved])).min()
    noisy = answers + residuals * largest * noise
    return loss.on(loss.x, noisy / noisy.sum(axis=1, keepdims=True))


def _project_away_gradients(loss, twins, noise):
    """Return the part of the `noise` (N, C) in the targets that leaves the gradients unchanged.

    It is orthogonal to all derivatives of the outputs. Its sum over each sample's outputs is zero,
    so that probabilities still have the sum 1.
    """
    n_samples, n_outputs = noise.shape
    derivatives = [jacobian(loss, twin).reshape(noise.size, -1) for twin in twins]
    sums = np.repeat(np.eye(n_samples), n_outputs, axis=0)
    seen = np.hstack([*derivatives, sums])
    coefficients = scipy.linalg.lstsq(seen, noise.ravel(), cond=1e-12)[0]
    return (noise.ravel() - seen @ coefficients).reshape(noise.shape)


def find_eigenvalue_sizes(loss: Loss, theta: Array) -> Array:
    """Return the sizes (n,) of the Hessian's eigenvalues relative to the largest, after its
    diagonal is scaled to 1, which keeps the rank.
    """
    H = hessian(loss, theta)
    s = scales_to_unit_diagonal(H)
    sizes = np.abs(eigenvalues(H * np.outer(s, s)))
    return sizes / max(sizes.max(), np.finfo(float).tiny)


def find_doubtful(sizes: Array) -> Array:
    """Return, for each of the relative `sizes` of eigenvalues, whether it may be zero or not."""
    low, high = DOUBTFUL
    return (sizes > low) & (sizes < high)


class Site(NamedTuple):
    """A network to compare at: whether theta is a minimum, the kink that keeps it from having
    derivatives (None if there is none), and a description.
    """

    name: str
    loss: Loss
    theta: Array
    is_minimum: bool
    kink: str | None
    description: str

    def at(self, loss: Loss, theta: Array, inputs: Callable[[Array], Array] | None = None) -> Point:
        """Return the point of the network's own or a twin's parameters. Twins share its kinks;
        `inputs` takes inputs of the network to those of the twin.
        """
        if self.kink is not None:
            return AtKink(loss, theta, self.kink, inputs=inputs)
        return Point(loss, theta, inputs=inputs)


def as_sites(networks: Mapping | Iterable) -> dict[str, Site]:
    """Return a `Site` for each pair (loss, theta) of a mapping or a list, by its name."""
    if not isinstance(networks, Mapping):
        if not np.iterable(networks):
            raise ValueError(
                f"networks must be a list of pairs (loss, theta), got {type(networks).__name__}"
            )
        networks = {f"network {k}": pair for k, pair in enumerate(networks, start=1)}
    for name, pair in networks.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(
                f"networks must hold pairs (loss, theta), got {type(pair).__name__} as {name}"
            )
    return {str(name): _as_site(str(name), *pair) for name, pair in networks.items()}


def _as_site(name, loss, theta):
    if not callable(loss):
        raise ValueError(
            f"networks must hold pairs (loss, theta), got {loss!r} as the loss of {name}"
        )
    theta = as_vector(f"theta of {name}", theta, getattr(loss, "size", None))
    if not is_rectified(loss):
        size = find_length(gradient(loss, theta))
        is_critical = size <= GRADIENT_TOLERANCE
        words = "a critical point" if is_critical else f"no minimum: its gradient is {size:.2g}"
        return Site(name, loss, theta, bool(is_critical), None, f"{loss!r}, {words}")
    near = kinks(loss, theta, tol=KINK)
    if near:
        return Site(name, loss, theta, False, str(near), f"{loss!r}, {near}")
    measured = examine(loss, theta)
    return Site(name, loss, theta, measured.genuine, None, _describe(loss, theta, measured))


def _describe(loss, theta, measured):
    """Return in words which network it is, whether it is a minimum, and what is known of the rank
    of its Hessian.
    """
    words = "a minimum"
    if not measured.genuine:
        words = f"no minimum: {measured.shortcomings[0]}"
    sizes = find_eigenvalue_sizes(loss, theta)
    rank = (sizes >= DOUBTFUL[1]).sum()
    n_doubtful = find_doubtful(sizes).sum()
    text = f"{loss!r}, {words}, Hessian of rank {rank} of {loss.size}"
    if n_doubtful:
        text += (
            f", and {n_doubtful} more eigenvalues that may be rounding: what depends on the rank is"
            " in doubt here"
        )
    if loss.has_decay:
        text += "; with weight decay twins keep the function, but not the loss nor its minima"
    return text
