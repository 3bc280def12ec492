"""Training: stochastic gradient descent, then a polish to a genuine minimum.

A rectified network that is trained until it looks done often rests on a kink, where the Hessian
does not exist, or has no minimum at all. Whether a point is what the book calls a *genuine minimum*
is measured: no gradient, no kink near, some curvature and none that is negative. Each is judged
relative to the problem's own scale, so that neither the unit of the targets nor a scaling of the
layers decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
from numpy.typing import ArrayLike
from tqdm import tqdm

from ._validation import Array, as_count, as_generator, as_positive, as_real, as_vector
from .hessians import gradient, hessian, hessian_diagonal, hessian_operator, jacobian
from .losses import (
    LayeredLoss,
    NetworkLoss,
    as_rectified,
    has_layered_value,
    kinks,
    measure_distances,
)
from .spectra import (
    DENSE_ORDER,
    eigenvalues,
    find_largest_eigenvalue,
    find_length,
    find_smallest_eigenvalue,
)
from .trajectories import GradientStep, check_has_data, follow, take_batch

# Each relative to the problem's own scale, as `Minimum` tells.
GRADIENT_TOLERANCE = 1e-10
MARGIN_TOLERANCE = 1e-6
CURVATURE_TOLERANCE = 1e-3
DESCENT_TOLERANCE = 1e-9

NO_MINIMUM = (
    "there is no minimum here: with these features of the last hidden layer hard labels do not"
    " overlap, and along a change of the last layer the loss falls for ever"
)

# Refused steps in a row after which the trust region, a quarter as wide each time, is rounding.
REFUSED = 26
# Eigenvalues of the Hessian, relative to the largest, that are rounding to Newton's method.
RANK_CUT = 1e-12


def sgd(
    loss: NetworkLoss,
    theta: ArrayLike,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> Array:
    """Return the parameters (n,) after `epochs` passes of mini-batch stochastic gradient descent
    over shuffled data.

    The last batch of a pass may be smaller. A progress bar goes to stderr unless the environment
    has TQDM_DISABLE=1. Raises ValueError for a count below 1 or a learning rate that is not
    positive, and FloatingPointError when the loss stops being finite.
    """
    check_has_data(loss)
    theta = as_vector("theta", theta, loss.size)
    rng = as_generator(rng)
    epochs = as_count("epochs", epochs)
    batch_size = as_count("batch_size", batch_size)
    learning_rate = as_positive("learning_rate", learning_rate)
    for epoch in tqdm(range(epochs), desc="SGD", unit="epoch", leave=False):
        try:
            theta = run_epoch(
                loss, theta, batch_size=batch_size, learning_rate=learning_rate, rng=rng
            )
        except FloatingPointError as error:
            raise FloatingPointError(
                f"SGD diverged in epoch {epoch}: learning_rate {learning_rate:g} is too large"
            ) from error
    return theta


def run_epoch(
    loss: LayeredLoss,
    theta: Array,
    *,
    batch_size: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> Array:
    """Return the parameters (n,) after one pass of mini-batch SGD over shuffled data.

    Raises FloatingPointError when the parameters, the loss or its gradient stop being finite.
    """
    order = rng.permutation(len(loss.x))
    try:
        for start in range(0, len(order), batch_size):
            batch = take_batch(loss, order[start : start + batch_size])
            theta = theta - learning_rate * gradient(batch, theta)
        as_real("loss(theta)", loss(theta))
    except ValueError as error:
        raise FloatingPointError("SGD diverged in this epoch") from error
    return theta


class DescentPath(NamedTuple):
    """Where gradient descent ended, `theta` (n,), and the losses (steps + 1,) on the way, from the
    start on.
    """

    theta: Array
    losses: Array


Descent = DescentPath  # the name of the first editions


def gradient_descent(
    loss: Callable, theta: ArrayLike, *, steps: int, learning_rate: float
) -> DescentPath:
    """Follow the gradient of any `loss` downhill from `theta` (n,) for so many steps, on all
    samples at once. `follow` records more than the losses, and takes a divergence for a result.

    A progress bar goes to stderr unless the environment has TQDM_DISABLE=1. Raises ValueError for a
    count below 1 or a learning rate that is not positive, and FloatingPointError when the loss
    stops being finite.

    >>> gradient_descent(lambda theta: theta[0] ** 2, [1.0], steps=2, learning_rate=0.25).losses
    array([1.    , 0.25  , 0.0625])
    """
    learning_rate = as_positive("learning_rate", learning_rate)
    run = follow(loss, theta, GradientStep(learning_rate), steps=steps)
    if run.has_diverged:
        raise FloatingPointError(
            f"gradient descent diverged in step {run.taken}: learning_rate {learning_rate:g} is too"
            " large"
        )
    return DescentPath(run.theta, run.losses)


@dataclass(frozen=True)
class Minimum:
    """A point `theta` (n,), and the measurements that decide whether it is a genuine minimum.

    `margin` is the distance of the nearest pre-activation from zero; `largest_eigenvalue` and
    `smallest_eigenvalue` are those of the Hessian. What is compared with the tolerances has no
    unit:

    `relative_gradient` is |grad L| / sqrt(2 lambda_max S), where S is the loss of outputs that are
    all zero, or the point's own without weight decay if that is larger. For squared error no
    residuals of that size make a larger gradient where H is the Gauss-Newton matrix.
    `relative_margin` is the margin relative to the root mean square of the pre-activations of its
    layer. `relative_curvature` is the trace of the Hessian relative to what it were if the
    criterion had curvature 1 in every output: 1 for squared error, less as probabilities become
    hard.

    `falls_for_ever` says that hard labels do not overlap, or not everywhere, so that a change of
    the last layer lowers the loss for ever, however small the gradient has become. It is looked for
    where the gradient is within its tolerance or all labels are fitted. `reason` says why `polish`
    went no farther; it is empty for what `examine` returns.
    """

    theta: Array
    value: float
    gradient_norm: float
    margin: float
    largest_eigenvalue: float
    smallest_eigenvalue: float
    relative_gradient: float
    relative_margin: float
    relative_curvature: float
    falls_for_ever: bool = False
    reason: str = ""

    @property
    def curvature(self) -> float:
        """The largest eigenvalue, by the name of the first editions."""
        return self.largest_eigenvalue

    @property
    def descent(self) -> float:
        """The smallest eigenvalue, by the name of the first editions."""
        return self.smallest_eigenvalue

    @property
    def shortcomings(self) -> list[str]:
        """What keeps the point from being a genuine minimum, a phrase each."""
        found = []
        if self.falls_for_ever:
            found.append("its hard labels do not overlap, so that larger outputs lower the loss")
        if not self.relative_gradient <= GRADIENT_TOLERANCE:
            found.append(
                f"its gradient is {self.gradient_norm:.2g}, {self.relative_gradient:.2g} of the"
                f" problem's scale, above {GRADIENT_TOLERANCE:g}"
            )
        if not self.relative_margin >= MARGIN_TOLERANCE:
            found.append(
                f"a pre-activation is {self.margin:.2g} from a kink, {self.relative_margin:.2g} of"
                f" its layer's size, nearer than {MARGIN_TOLERANCE:g}"
            )
        if not self.relative_curvature >= CURVATURE_TOLERANCE:
            found.append(
                f"its curvature is {self.relative_curvature:.2g} of what the outputs' slopes allow,"
                f" below {CURVATURE_TOLERANCE:g}"
            )
        if not self.smallest_eigenvalue >= -DESCENT_TOLERANCE * self.largest_eigenvalue:
            found.append(
                f"the loss falls along a direction of curvature {self.smallest_eigenvalue:.2g}"
            )
        return found

    @property
    def genuine(self) -> bool:
        """Whether the point has no gradient, no kink near, some curvature and none that is
        negative.
        """
        return not self.shortcomings

    def __str__(self):
        verdict = "a genuine minimum"
        if not self.genuine:
            verdict = f"not a genuine minimum: {', '.join(self.shortcomings)}"
            if self.reason:
                verdict += f" ({self.reason})"
        return (
            f"L = {self.value:.2g}, |grad L| = {self.gradient_norm:.2g}, margin {self.margin:.2g}:"
            f" {verdict}"
        )


def examine(loss: NetworkLoss, theta: ArrayLike) -> Minimum:
    """Measure how far `theta` is from being a genuine minimum of the loss of a rectified network.

    The tolerances are 1e-10 for the gradient, 1e-6 for the distance of a pre-activation from zero,
    1e-3 for the curvature, each relative to the problem's own scale as `Minimum` tells, and -1e-9
    times the largest eigenvalue of the Hessian for the smallest. Raises ValueError for a loss whose
    outputs are not those of plain layers.

    Beyond 2000 parameters the two eigenvalues are found by Lanczos iteration, without the matrix;
    the smallest is then the least curvature that was found.

    >>> loss = NetworkLoss((1, 2), [[1.0]] * 3, [0, 1, 1], criterion="cross_entropy")
    >>> examine(loss, [0.0, np.log(2)]).genuine  # labels that overlap: odds of 2 to 1
    True
    """
    loss = as_rectified(loss)
    theta = as_vector("theta", theta, loss.size)
    is_large = len(theta) > DENSE_ORDER
    H = hessian_operator(loss, theta) if is_large else hessian(loss, theta)
    largest, smallest = find_largest_eigenvalue(H), find_smallest_eigenvalue(H)
    trace = hessian_diagonal(loss, theta).sum()
    slope = find_length(gradient(loss, theta))
    relative = _divide(slope, _find_gradient_scale(loss, theta, largest))
    falls_for_ever = _fits_hard_labels(loss, theta)
    if not falls_for_ever and relative <= GRADIENT_TOLERANCE:
        falls_for_ever = _find_recession(loss, theta)
    return Minimum(
        theta=theta.copy(),
        value=loss(theta),
        gradient_norm=slope,
        margin=kinks(loss, theta, tol=MARGIN_TOLERANCE).margin,
        largest_eigenvalue=largest,
        smallest_eigenvalue=smallest,
        relative_gradient=relative,
        relative_margin=_find_relative_margin(loss, theta),
        relative_curvature=_divide(trace, _sum_squared_slopes(loss, theta)),
        falls_for_ever=falls_for_ever,
    )


def polish(
    loss: NetworkLoss, theta: ArrayLike, *, max_steps: int = 50, descent_steps: int = 500
) -> Minimum:
    """Bring the parameters (n,) of a rectified network to a minimum nearby.

    First, where the targets can be reached, to one that interpolates, by Gauss-Newton steps of
    minimal norm. Interpolating means f(x_i) = y_i, or equal probabilities for the cross-entropies,
    whose targets must then be neither 0 nor 1: no outputs have the probabilities of hard labels.
    Each of at most `max_steps` steps solves the linearized equations with `scipy.linalg.lstsq`, in
    the logits for cross-entropy; they end when the gradient's norm is below 1e-14.

    Where that leads to no genuine minimum, and with weight decay or hard labels, the loss itself is
    lowered, by at most `descent_steps` of SciPy's "trust-exact" method and by Newton steps at the
    end. With labels that overlap, noise or weight decay there is a minimum that does not
    interpolate; in a rectified network it often lies on a kink.

    Returns the point with its measurements as a `Minimum`: read `genuine` and `shortcomings`, and
    `reason`, why there was no going on: a kink, or labels that are all fitted, so that the loss
    falls for ever. Raises ValueError for a loss whose outputs are not those of plain layers.

    >>> loss = NetworkLoss((1, 2), [[1.0]] * 3, [0, 1, 1], criterion="cross_entropy")
    >>> minimum = polish(loss, [0.0, 0.8])
    >>> minimum.genuine, np.exp(minimum.theta[1] - minimum.theta[0]).round(9)
    (True, np.float64(2.0))
    """
    loss = as_rectified(loss)
    theta = as_vector("theta", theta, loss.size)
    max_steps = as_count("max_steps", max_steps)
    descent_steps = as_count("descent_steps", descent_steps)
    start = theta
    if _can_interpolate(loss):
        theta = _interpolate(loss, theta, max_steps)
        minimum = examine(loss, theta)
        if minimum.genuine:
            return minimum
    if not loss(theta) < loss(start):
        theta = start
    theta, reason = _descend(loss, theta, descent_steps)
    return replace(examine(loss, theta), reason=reason)


def _can_interpolate(loss):
    """Return whether outputs can meet the targets, and whether the loss is least there."""
    if loss.has_decay or not has_layered_value(loss):
        return False
    if loss.criterion == "cross_entropy":
        return bool((loss.y > 0).all())
    if loss.criterion == "binary_cross_entropy":
        return bool(((loss.y > 0) & (loss.y < 1)).all())
    return True


def _interpolate(loss, theta, max_steps):
    """Return the point of the smallest gradient among those of the Gauss-Newton steps."""
    best = theta
    lowest = np.inf
    for _ in tqdm(range(max_steps + 1), desc="polish", unit="step", leave=False):
        norm = find_length(gradient(loss, theta))
        if norm < lowest:
            best = theta
            lowest = norm
        if norm < 1e-14:
            break
        J, residual = _interpolation_equations(loss, theta)
        step = scipy.linalg.lstsq(J, residual, cond=1e-12)[0]
        if not np.isfinite(loss(theta - step)):
            break
        theta = theta - step
    return best


def _interpolation_equations(loss, theta):
    """Return the Jacobian (NC, n) and the residual (NC,) of the equations f(x_i) = y_i.

    For the cross-entropies they are equations of the logits. Those of several classes matter up to
    a constant for each sample: the mean over the outputs is taken away.
    """
    J = jacobian(loss, theta)
    outputs = loss.outputs(theta)
    if loss.criterion == "cross_entropy":
        residual = outputs - np.log(loss.y)
        residual = residual - residual.mean(axis=1, keepdims=True)
        J = J - J.mean(axis=1, keepdims=True)
    elif loss.criterion == "binary_cross_entropy":
        residual = outputs - scipy.special.logit(loss.y)
    else:
        residual = outputs - loss.y
    return J.reshape(-1, J.shape[-1]), residual.ravel()


def _descend(loss, theta, max_steps):
    """Return a point to which steps lead that lower the loss, and why they went no farther, empty
    where the gradient vanished.
    """
    if not gradient(loss, theta).any():
        return theta, "its gradient is zero, which no step follows"
    largest = eigenvalues(hessian(loss, theta))[0]
    scale = _find_gradient_scale(loss, theta, largest)
    length = find_length(theta) or 1.0
    watch = _Watch(loss, theta, max_steps)
    try:
        scipy.optimize.minimize(
            watch.value,
            theta,
            method="trust-exact",
            jac=watch.gradient,
            hess=watch.hessian,
            callback=watch.look,
            options={
                # Mostly it stops before, where rounding of the loss decides which steps it takes.
                "gtol": GRADIENT_TOLERANCE / 10 * scale,
                "maxiter": max_steps,
                "initial_trust_radius": length / 10,
                "max_trust_radius": 10 * length,
            },
        )
    except UnboundLocalError:
        pass  # SciPy 1.17 has no step to return where it finds none within its own limit
    finally:
        watch.progress.close()
    theta = _finish_by_newton(loss, watch.theta)
    return theta, _explain_end(loss, theta, watch.steps >= max_steps)


class _Watch:
    """The loss and its derivatives as SciPy asks for them, and an eye on its progress: `theta` is
    the point that it has reached after so many `steps`.

    Where the loss is not finite it is infinite, so that the step is refused, and no derivative is
    used.
    """

    def __init__(self, loss, theta, max_steps):
        self.loss = loss
        self.theta = theta
        self.steps = 0
        self.lowest = np.inf
        self.refused = 0
        self.progress = tqdm(total=max_steps, desc="polish", unit="step", leave=False)

    def value(self, theta):
        value = np.inf
        if np.isfinite(theta).all():
            with np.errstate(over="ignore", invalid="ignore"):
                value = self.loss(theta)
        return value if np.isfinite(value) else np.inf

    def gradient(self, theta):
        if self.value(theta) == np.inf:
            return np.zeros(len(theta))
        return gradient(self.loss, theta)

    def hessian(self, theta):
        if self.value(theta) == np.inf:
            return np.zeros((len(theta), len(theta)))
        return hessian(self.loss, theta)

    def look(self, intermediate_result):
        """Stop when so many steps in a row were refused that the next ones would be rounding."""
        self.progress.update()
        self.theta = intermediate_result.x.copy()
        self.steps += 1
        self.refused += 1
        if intermediate_result.fun < self.lowest:
            self.lowest = intermediate_result.fun
            self.refused = 0
        if self.refused >= REFUSED:
            raise StopIteration


def _finish_by_newton(loss, theta):
    """Return where Newton steps of minimal norm lead, as long as each halves the gradient and no
    curvature is negative.

    A curvature of the size |grad L| / |theta| may be negative: where a symmetry turns theta, as in
    layers that are linear, the slope itself makes so much curvature along its orbit. Directions of
    so little curvature are then left alone.
    """
    slope = gradient(loss, theta)
    while slope.any():
        values, vectors = scipy.linalg.eigh(hessian(loss, theta))
        cut = RANK_CUT * values[-1]
        if values[0] < -cut:
            cut = 10 * find_length(slope) / (find_length(theta) or np.inf)
        if values[0] < -cut or values[-1] <= cut:
            break
        is_curved = values > cut
        along = vectors[:, is_curved].T @ slope / values[is_curved]
        moved = theta - vectors[:, is_curved] @ along
        if not np.isfinite(loss(moved)):
            break
        moved_slope = gradient(loss, moved)
        if not find_length(moved_slope) < find_length(slope) / 2:
            break
        theta, slope = moved, moved_slope
    return theta


def _explain_end(loss, theta, has_run_out):
    """Return why the descent ended at a point that is no genuine minimum."""
    minimum = examine(loss, theta)
    if minimum.genuine:
        return ""
    if minimum.falls_for_ever:
        return NO_MINIMUM
    if not minimum.relative_margin >= MARGIN_TOLERANCE:
        return "it rests on a kink: no step that the derivatives foresee lowers the loss"
    if _find_recession(loss, theta):
        return NO_MINIMUM
    if has_run_out:
        return "the steps did not suffice"
    return "no step lowers the loss beyond rounding"


def _fits_hard_labels(loss, theta):
    """Return whether all labels are hard and the network's largest output is right everywhere.

    The loss then has a negative derivative in the factor of the last layer, here and wherever the
    labels are fitted. Samples of weight zero don't count.
    """
    gaps = _find_label_gaps(loss)
    if gaps is None:
        return False
    margins = np.einsum("ikc,ic->ik", gaps, loss.outputs(theta)[_has_weight(loss)])
    return bool((margins > 0).all())


def _find_label_gaps(loss):
    """Return the differences of outputs (N, K, C) that hard labels want to be positive; None where
    labels are not hard or where the loss is not only the mean of its criterion.
    """
    is_hard = loss.criterion != "squared_error" and np.isin(loss.y, (0, 1)).all()
    if loss.has_decay or not has_layered_value(loss) or not is_hard:
        return None
    y = loss.y[_has_weight(loss)]
    n_classes = y.shape[1]
    if loss.criterion == "binary_cross_entropy":
        return (2 * y - 1)[:, :, None] * np.eye(n_classes)
    if n_classes < 2:
        return None
    # For each sample its own class less each of the others.
    others = np.array([np.delete(np.eye(n_classes), c, axis=0) for c in range(n_classes)])
    labels = y.argmax(axis=1)
    return np.eye(n_classes)[labels][:, None, :] - others[labels]


def _has_weight(loss):
    """Return which samples have a weight above zero."""
    if loss.sample_weight is None:
        return np.ones(len(loss.x), dtype=bool)
    return loss.sample_weight > 0


def _find_recession(loss, theta):
    """Return whether the last layer can be changed so that no output moves against its label and
    some move with it.

    Along such a direction the loss falls for ever: the labels are separated, if only some of them
    (Albert and Anderson 1984). A linear program looks for it, in changes of at most 1.
    """
    gaps = _find_label_gaps(loss)
    if gaps is None:
        return False
    last = loss.layers(theta)[-1]
    features = loss.x
    if len(loss.widths) > 2:
        features = loss.activate(loss.pre_activations(theta)[-2])
    features = features[_has_weight(loss)]
    if last.bias is not None:
        features = np.hstack([features, np.ones((len(features), 1))])
    sizes = np.abs(features).max(axis=0)
    features = features / np.where(sizes > 0, sizes, 1)
    moves = np.einsum("ih,ikc->ikhc", features, gaps).reshape(gaps.shape[0] * gaps.shape[1], -1)
    found = scipy.optimize.linprog(
        -moves.sum(axis=0), A_ub=-moves, b_ub=np.zeros(len(moves)), bounds=(-1, 1)
    )
    return bool(found.success and -found.fun > 1e-6 * len(moves))


def _find_gradient_scale(loss, theta, largest):
    """Return sqrt(2 lambda_max S), with which gradients are compared."""
    outputs = loss.outputs(theta)
    size = max(loss.criterion_value(np.zeros(outputs.shape)), loss.criterion_value(outputs))
    return np.sqrt(2 * max(largest, 0)) * np.sqrt(size)  # the product may overflow


def _find_relative_margin(loss, theta):
    """Return the least size of a pre-activation relative to the root mean square of its layer,
    infinite where there is no kink and NaN where a layer overflows.
    """
    relative = np.inf
    for size in measure_distances(loss, theta):
        if size is None:
            return np.nan
        finite = size[np.isfinite(size)]
        if len(finite) > 0:
            root_mean_square = find_length(finite) / np.sqrt(len(finite))
            relative = min(relative, _divide(finite.min(), root_mean_square))
    return float(relative)


def _sum_squared_slopes(loss, theta):
    """Return the trace of J'J / N, the Hessian's if the criterion had curvature 1."""
    squared = loss.like(criterion="squared_error", y=np.zeros(loss.y.shape), l2=0.0)
    return squared.hessian_diagonal(theta).sum()


def _divide(size, scale):
    """Return size / scale; where both are zero, zero."""
    if size == 0:
        return 0.0
    return float(np.divide(size, scale)) if scale > 0 else np.inf
