"""Transformations: from a loss and a parameter vector to another loss and parameter vector that
compute the same function.

The symmetries of a rectified network (Dinh et al. 2017, sections 3 and 4) and those that the paper
does not name (a unit that is split in two, hidden units whose contributions cancel and that change
their signs, logits that are shifted), other coordinates for the parameters (section 5, appendix A),
another basis for the inputs (section 5.2), and two controls that do change the function.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import ArrayLike

from ._validation import (
    Array,
    as_flag,
    as_generator,
    as_numbers,
    as_positive,
    as_text,
    as_vector,
    check_function,
)
from .alpha_transform import alpha_scale, node_scale
from .hessians import check_value
from .losses import LayeredLoss, Loss, NetworkLoss, as_layered_value, as_rectified, knows
from .networks import Layer, Params, ravel
from .reparametrization import (
    Reparametrized,
    elementwise_map,
    linear_map,
    radial_map,
    reparametrize,
    weight_norm_map,
)

# Differences of the outputs, relative to the largest: up to SAME they are rounding, from CHANGED on
# the function is another one beyond doubt.
SAME = 1e-9
CHANGED = 1e-6
N_FRESH = 32  # fresh inputs at which a twin is checked
CANCELS = 1e-12  # a sum of products that is this small, relative to the largest product, is zero
MOST_UNITS = 12  # in larger layers no units that cancel are looked for: there are 2^d sets


def keep_inputs(x: Array) -> Array:
    """Return the inputs as they are."""
    return x


def keep_network(loss: Loss, theta: Array) -> tuple[Loss, Array]:
    """Return the loss and the parameters as they are."""
    return loss, theta


def observe(loss: Loss, theta: Array) -> Array:
    """Return what can be seen of the function: the outputs, or else the loss."""
    if knows(loss, "outputs"):
        return as_numbers("the outputs of loss", loss.outputs(theta))
    return np.asarray(check_value(loss, theta))


def observe_probabilities(loss: Loss, theta: Array) -> Array:
    """Return what determines the probabilities of the classes: the outputs less their mean."""
    logits = np.asarray(loss.outputs(theta), dtype=float)
    return logits - logits.mean(axis=1, keepdims=True)


class NotKept(RuntimeError):
    """A transformation did not do to the function what it promises."""


@dataclass(frozen=True)
class Transformation:
    """A way from (loss, theta) to a twin (loss, theta), which proves at every use that it kept the
    function.

    `move(loss, theta, rng)` is the way itself; `keeps` says whether it promises the same function,
    as all but the controls do. `start(loss, theta)` leads to the coordinates in which it acts,
    where those are not the network's own. `observe(loss, theta)` is what has to stay the same, by
    default the outputs. `inputs(loss, theta, rng)` returns the function that takes inputs of the
    network to inputs of the twin that `move` makes with the same rng; by default they are the same.

    >>> halve = Transformation("halve", lambda loss, theta, rng: (lambda t: loss(2 * t), theta / 2))
    >>> _, twin = halve(lambda theta: theta[0] ** 2, np.array([4.0]), np.random.default_rng(0))
    >>> twin
    array([2.])
    """

    name: str
    move: Callable
    keeps: bool = True
    start: Callable = keep_network
    observe: Callable = observe
    inputs: Callable = lambda loss, theta, rng: keep_inputs

    def __post_init__(self):
        as_text("name", self.name)
        as_flag("keeps", self.keeps)
        for what in ("move", "start", "observe", "inputs"):
            check_function(what, getattr(self, what), "a function")

    def __call__(
        self, loss: Loss, theta: ArrayLike, rng: np.random.Generator, **strength
    ) -> tuple[Loss, Array]:
        """Return the twin (loss, theta). `strength` goes to `move`, as factor=1e6 for those that
        draw factors.

        The outputs must be the same, to 1e-9 of the largest, at the loss's own data and, for
        rectified networks, at 32 fresh inputs; a loss without outputs must have the same value.
        Raises NotKept if they are not, and for a control if they are.
        """
        check_function("loss", loss, "a function of a vector")
        loss, theta = self.start(loss, as_vector("theta", theta, getattr(loss, "size", None)))
        same_rng = copy.deepcopy(as_generator(rng))
        twin = self.move(loss, theta, rng, **strength)
        gap = function_gap(loss, theta, *twin, observe=self.observe)
        fresh = _move_to_fresh_inputs(loss)
        if fresh is not None:
            fresh_twin = self.move(fresh, theta, same_rng, **strength)
            fresh_gap = function_gap(fresh, theta, *fresh_twin, observe=self.observe)
            gap = max(gap, fresh_gap)
        differ = f"got outputs that differ by {gap:.2g} of the largest"
        if self.keeps and not gap <= SAME:
            raise NotKept(f"{self.name} must keep the function, {differ}")
        if not self.keeps and not gap >= CHANGED:
            raise NotKept(f"{self.name} must change the function, {differ}")
        return twin

    def with_(self, **strength) -> "Transformation":
        """Return the same transformation with a `strength` of one's own, as
        `TRANSFORMATIONS["layer_scale"].with_(factor=1e6)`.
        """
        inputs = self.inputs
        if inputs is not Transformation.inputs:
            inputs = partial(inputs, **strength)
        return replace(self, move=partial(self.move, **strength), inputs=inputs)


def function_gap(
    loss: Loss,
    theta: Array,
    other_loss: Loss,
    other_theta: Array,
    *,
    observe: Callable = observe,
) -> float:
    """Return the largest difference of the outputs (of the losses' values where there are none),
    or of what else `observe` returns, relative to the largest.
    """
    one = observe(loss, theta)
    other = observe(other_loss, other_theta)
    if one.shape != other.shape:
        return np.inf
    gap = np.abs(one - other).max()
    if gap == 0:
        return 0.0
    return float(gap / np.abs(one).max())


def _move_to_fresh_inputs(loss):
    """Return the loss of the same rectified network at fresh inputs, as far from each other as its
    own; None for a loss of another kind.
    """
    if isinstance(loss, Reparametrized):
        inner = _move_to_fresh_inputs(loss.loss)
        return None if inner is None else reparametrize(inner, loss.g)
    if not is_rectified(loss):
        return None
    normal = np.random.default_rng(0).normal(size=(N_FRESH, loss.widths[0]))
    x = loss.x.mean(axis=0) + (loss.x.std() + 1e-3) * normal
    y = np.full((N_FRESH, loss.widths[-1]), 1 / loss.widths[-1])  # probabilities, as targets go
    return loss.like(x=x, y=y, l2=0.0, sample_weight=None)


def is_rectified(loss: Loss) -> bool:
    """Return whether the outputs are those of plain rectified layers, as `as_rectified` demands."""
    try:
        as_rectified(loss)
    except ValueError:
        return False
    return True


class WeightNormalized(Reparametrized):
    """The loss of a rectified network in the coordinates of weight normalization: a scale s for
    each unit, and v in place of the weights.

    The weights that enter a unit are s v / |v|; biases stay as they are. Such coordinates are no
    layers.
    """

    def __init__(self, loss: NetworkLoss):
        super().__init__(loss, weight_norm_map(loss.size, find_incoming_weights(loss)))
        self.layers = self._refuse_layers

    def _refuse_layers(self, eta):
        raise ValueError(
            "the coordinates of weight normalization, scales and directions, are no layers"
        )


def weight_normalized(loss: Loss, theta: ArrayLike) -> tuple[WeightNormalized, Array]:
    """Return the network in the coordinates of weight normalization: a scale s for each unit, and v
    in place of the weights.

    The weights that enter a unit are s v / |v|; biases stay as they are. A loss in such coordinates
    is returned as it is.
    """
    theta = as_vector("theta", theta)
    if isinstance(loss, WeightNormalized):
        return loss, theta
    normalized = WeightNormalized(as_rectified(loss))
    return normalized, normalized.g.inverse(theta)


def find_incoming_weights(loss: NetworkLoss) -> list[Array]:
    """Return for each unit, layer by layer, the indices in theta of the weights that enter it."""
    groups = []
    for block, (d_in, d_out) in zip(loss.blocks, pairwise(loss.widths), strict=True):
        indices = block.start + np.arange(d_in * d_out).reshape(d_in, d_out)
        groups += list(indices.T)
    return groups


def _layer_scale(loss, theta, rng, *, factor=10.0):
    layers = as_rectified(loss).layers(theta)
    logs = np.log(_draw_factors(rng, factor, len(layers)))
    alphas = np.exp(logs - logs.mean())
    return loss, ravel(alpha_scale(layers, alphas))


def _node_scale(loss, theta, rng, *, factor=10.0):
    layers = as_rectified(loss).layers(theta)
    scales = [_draw_factors(rng, factor, width) for width in loss.widths[1:-1]]
    return loss, ravel(node_scale(layers, scales))


def _permutation(loss, theta, rng):
    layers = as_rectified(loss).layers(theta)
    d_in, *hidden, d_out = loss.widths
    orders = [np.arange(d_in), *(rng.permutation(d) for d in hidden), np.arange(d_out)]
    permuted = []
    for (weight, bias), (before, after) in zip(layers, pairwise(orders), strict=True):
        if bias is not None:
            bias = bias[after]
        permuted.append(Layer(weight[before][:, after], bias))
    return loss, ravel(permuted)


def _weight_norm_scale(loss, theta, rng, *, factor=10.0):
    groups = find_incoming_weights(loss.loss)
    factors = _draw_factors(rng, factor, len(groups))
    eta = theta.copy()
    v = eta[len(groups) :]  # after the scales, which stay
    for group, c in zip(groups, factors, strict=True):
        v[group] *= c
    return loss, eta


def _weight_norm_sign(loss, theta, rng):
    """Change the sign of s and of v, for half of the units."""
    groups = find_incoming_weights(loss.loss)
    eta = theta.copy()
    v = eta[len(groups) :]
    chosen = rng.choice(len(groups), size=(len(groups) + 1) // 2, replace=False)
    for unit in chosen:
        eta[unit] *= -1
        v[groups[unit]] *= -1
    return loss, eta


def _unit_split(loss, theta, rng):
    """Put two units in the place of one of each hidden layer: both get its incoming weights, and
    they share its outgoing ones. A loss with a value of its own can't be made again with wider
    layers.
    """
    layers = list(as_layered_value(loss).layers(theta))
    widths = list(loss.widths)
    for k in range(len(layers) - 1):
        unit = rng.integers(widths[k + 1])
        share = rng.uniform(0.2, 0.8)
        weight, bias = layers[k]
        after, after_bias = layers[k + 1]
        if bias is not None:
            bias = np.append(bias, bias[unit])
        layers[k] = Layer(np.column_stack([weight, weight[:, unit]]), bias)
        kept = after.copy()
        kept[unit] *= share
        layers[k + 1] = Layer(np.vstack([kept, (1 - share) * after[unit]]), after_bias)
        widths[k + 1] += 1
    return loss.like(widths=widths), ravel(layers)


def _hidden_twin(loss, theta, rng):
    """Change the signs of all that enters some units of a layer whose contributions cancel."""
    layers = list(as_rectified(loss).layers(theta))
    sets = find_cancelling_units(layers)
    if not sets:
        raise ValueError(
            "loss must have hidden units that cancel, sum_j w_j a_j' = 0, for their signs to be"
            f" changed, got {loss!r} without"
        )
    k, units = sets[rng.integers(len(sets))]
    sign = np.ones(loss.widths[k + 1])
    sign[list(units)] = -1
    weight, bias = layers[k]
    if bias is not None:
        bias = bias * sign
    layers[k] = Layer(weight * sign, bias)
    return loss, ravel(layers)


def find_cancelling_units(layers: Params) -> list[tuple[int, tuple[int, ...]]]:
    """Return the sets of hidden units whose signs can be changed: pairs (layer, units), layers
    counted from 0.

    For a set S of units of one layer with sum_j w_j a_j' = 0 (w_j is what enters unit j, with its
    bias, a_j what leaves it) the signs of all w_j can be changed at once: relu(z) - relu(-z) = z,
    and the sum of these differences, sum_j a_j z_j, is zero at all inputs. Only sets are listed
    that contain no smaller one, and in which no two units have parallel w_j: those are other twins
    in disguise. Layers of more than twelve units are passed over.
    """
    found = []
    for k, (layer, after) in enumerate(pairwise(layers)):
        entering = layer.weight
        if layer.bias is not None:
            entering = np.vstack([entering, layer.bias])
        found += [(k, units) for units in _find_sets(entering.T, after.weight)]
    return found


def _find_sets(entering, leaving):
    n_units = len(entering)
    if n_units > MOST_UNITS:
        return []
    products = np.einsum("ji,jc->jic", entering, leaving).reshape(n_units, -1)
    sizes = np.linalg.norm(products, axis=1)
    found = []
    for size in range(2, n_units + 1):
        for units in combinations(range(n_units), size):
            chosen = list(units)
            if any(set(smaller) < set(units) for smaller in found):
                continue
            largest = sizes[chosen].max()
            cancel = np.abs(products[chosen].sum(axis=0)).max() <= CANCELS * largest
            if cancel and not _has_parallel_rows(entering[chosen]):
                found.append(units)
    return found


def _has_parallel_rows(rows):
    units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny)
    cosines = np.abs(units @ units.T)
    np.fill_diagonal(cosines, 0)
    return cosines.max() > 1 - CANCELS


def _softmax_shift(loss, theta, rng, *, size=1.0):
    """Add one vector to all columns of the last weight, and one number to its biases: all logits
    of a sample move by the same amount.
    """
    *rest, (weight, bias) = _as_layered(loss).layers(theta)
    if loss.criterion != "cross_entropy":
        raise ValueError(
            "loss must be a cross-entropy, which depends on the outputs only up to a common"
            f" shift, got {loss!r}"
        )
    scale = as_positive("size", size) * np.sqrt(np.mean(weight**2))
    shifted = weight + scale * rng.normal(size=(len(weight), 1))
    if bias is not None:
        bias = bias + scale * rng.normal()
    return loss, ravel([*rest, Layer(shifted, bias)])


def _elementwise_map(loss, theta, rng):
    return _change_coordinates(loss, theta, elementwise_map(rng.uniform(0.1, 1.0, len(theta))))


def _linear_map(loss, theta, rng, *, factor=3.0):
    return _change_coordinates(loss, theta, linear_map(_draw_matrix(rng, len(theta), factor)))


def _radial_map(loss, theta, rng, *, factor=3.0):
    """The map of a ball around a point beside theta, such that theta is in its inner part."""
    r_hat = np.linalg.norm(theta) / 2
    direction = rng.normal(size=len(theta))
    center = theta + r_hat / 2 * direction / np.linalg.norm(direction)
    [c] = _draw_factors(rng, factor, 1)
    rho = float(r_hat * c)
    delta = 2 * max(r_hat, rho)
    return _change_coordinates(loss, theta, radial_map(center, r_hat, rho, delta))


def _carry_inputs(loss, theta, rng, *, factor=3.0):
    M = _draw_matrix(rng, _as_layered(loss).widths[0], factor)
    return lambda x: x @ M


def _input_basis(loss, theta, rng, *, factor=3.0):
    first, *rest = _as_layered(loss).layers(theta)
    M = _draw_matrix(rng, loss.widths[0], factor)
    adapted = Layer(np.linalg.solve(M, first.weight), first.bias)
    return loss.with_inputs(loss.x @ M), ravel([adapted, *rest])


def _logit_scale(loss, theta, rng, *, factor=4.0):
    *rest, (weight, bias) = _as_layered(loss).layers(theta)
    c = as_positive("factor", factor) ** rng.uniform(0.5, 1)
    if bias is not None:
        bias = c * bias
    return loss, ravel([*rest, Layer(c * weight, bias)])


def _perturbation(loss, theta, rng, *, size=0.1):
    root_mean_square = np.sqrt(np.mean(theta**2))
    noise = rng.normal(size=len(theta))
    return loss, theta + as_positive("size", size) * root_mean_square * noise


def _as_layered(loss):
    """Return the loss if it is that of a network, rectified or not, whose first layer reads the
    inputs and whose last layer is the outputs.
    """
    if not isinstance(loss, LayeredLoss):
        raise ValueError(
            "loss must be a NetworkLoss or another LayeredLoss for its layers to be transformed,"
            f" got {loss!r}"
        )
    return loss


def _change_coordinates(loss, theta, g):
    return reparametrize(loss, g), g.inverse(theta)


def _draw_factors(rng, factor, size):
    """Draw `size` positive factors between 1/factor and factor, with uniform logarithms."""
    return np.exp(rng.uniform(-1, 1, size) * np.log(as_positive("factor", factor)))


def _draw_matrix(rng, n, factor):
    """Draw an invertible matrix (n, n) with singular values between 1/factor and factor."""
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    return (left * _draw_factors(rng, factor, n)) @ right


TRANSFORMATIONS = {
    t.name: t
    for t in (
        Transformation("layer_scale", _layer_scale),
        Transformation("node_scale", _node_scale),
        Transformation("permutation", _permutation),
        Transformation("unit_split", _unit_split),
        Transformation("hidden_twin", _hidden_twin),
        Transformation("softmax_shift", _softmax_shift, observe=observe_probabilities),
        Transformation("weight_norm_scale", _weight_norm_scale, start=weight_normalized),
        Transformation("weight_norm_sign", _weight_norm_sign, start=weight_normalized),
        Transformation("elementwise_map", _elementwise_map),
        Transformation("linear_map", _linear_map),
        Transformation("radial_map", _radial_map),
        Transformation("input_basis", _input_basis, inputs=_carry_inputs),
        Transformation("logit_scale", _logit_scale, keeps=False),
        Transformation("perturbation", _perturbation, keeps=False),
    )
}
