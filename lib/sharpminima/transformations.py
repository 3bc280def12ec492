"""Transformations: from a loss and a parameter vector to another loss and parameter vector that
compute the same function.

The symmetries of a rectified network (Dinh et al. 2017, sections 3 and 4), other coordinates for
the parameters (section 5, appendix A), another basis for the inputs (section 5.2), and two controls
that do change the function.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ._validation import as_generator, as_positive, as_vector
from .alpha_transform import alpha_scale, node_scale
from .losses import NetworkLoss
from .networks import Layer, ravel
from .reparametrization import (
    Reparametrized,
    elementwise_map,
    linear_map,
    radial_map,
    reparametrize,
    weight_norm_map,
)

SAME, CHANGED = (
    1e-9,
    1e-6,
)  # relative to the largest output: the same function up to rounding; beyond doubt another one
N_FRESH = 32


class NotKept(RuntimeError):
    """A transformation did not do to the function what it promises."""


@dataclass(frozen=True)
class Transformation:
    """A way from (loss, theta) to a twin (loss, theta), which proves at every use that it kept the
    function.

    `move(loss, theta, rng)` is the way itself; `keeps` says whether it promises the same function,
    as all but the controls do. `start(loss, theta)` leads to the coordinates in which it acts,
    where those are not the network's own.

    >>> halve = Transformation("halve", lambda loss, theta, rng: (lambda t: loss(2 * t), theta / 2))
    >>> _, twin = halve(lambda theta: theta[0] ** 2, np.array([4.0]), np.random.default_rng(0))
    >>> twin
    array([2.])
    """

    name: str
    move: Callable
    keeps: bool = True
    start: Callable = lambda loss, theta: (loss, theta)

    def __call__(self, loss, theta, rng, **strength):
        """Return the twin (loss, theta). `strength` goes to `move`, as factor=1e6 for those that
        draw factors.

        The outputs must be the same, to 1e-9 of the largest, at the loss's own data and, for
        networks, at 32 inputs drawn afresh; a loss without outputs must have the same value. Raises
        NotKept if they are not, and for a control if they are.
        """
        loss, theta = self.start(loss, as_vector("theta", theta))
        again = deepcopy(as_generator(rng))
        twin = self.move(loss, theta, rng, **strength)
        gap = function_gap(loss, theta, *twin)
        fresh = _elsewhere(loss)
        if fresh is not None:
            gap = max(gap, function_gap(fresh, theta, *self.move(fresh, theta, again, **strength)))
        if self.keeps and not gap <= SAME:
            raise NotKept(
                f"{self.name} must keep the function, got outputs that differ by {gap:.2g} of the"
                " largest"
            )
        if not self.keeps and not gap >= CHANGED:
            raise NotKept(
                f"{self.name} must change the function, got outputs that differ by {gap:.2g} of the"
                " largest"
            )
        return twin

    def with_(self, **strength):
        """Return the same transformation with a `strength` of one's own, as
        `TRANSFORMATIONS["layer_scale"].with_(factor=1e6)`.
        """
        return replace(self, move=partial(self.move, **strength))


def function_gap(loss, theta, other_loss, other_theta):
    """Return the largest difference of the outputs (of the losses' values where there are none),
    relative to the largest.
    """
    see = [getattr(L, "outputs", L)(t) for L, t in ((loss, theta), (other_loss, other_theta))]
    one, other = (np.asarray(values, dtype=float) for values in see)
    if one.shape != other.shape:
        return np.inf
    gap = np.abs(one - other).max()
    return 0.0 if gap == 0 else float(gap / np.abs(one).max())


def weight_normalized(loss, theta):
    """Return the network in the coordinates of weight normalization: a scale s for each unit, and v
    in place of the weights.

    The incoming weights of a unit are s v / |v|; biases stay as they are. What is in such
    coordinates already is returned as it is.
    """
    if (
        isinstance(loss, Reparametrized)
        and isinstance(loss.loss, NetworkLoss)
        and len(theta) > loss.loss.size
    ):
        return loss, theta
    g = weight_norm_map(_network(loss).size, _incoming(loss))
    normalized = reparametrize(loss, g)
    normalized.layers = _no_layers
    return normalized, g.inverse(theta)


def _no_layers(eta):
    raise ValueError(
        "the coordinates of weight normalization, scales and directions, are no layers"
    )


def _incoming(loss):
    """The indices of the weights that enter each unit, layer by layer."""
    groups, start = [], 0
    for size, d_in, d_out in zip(loss.sizes, loss.widths[:-1], loss.widths[1:], strict=True):
        groups += list((start + np.arange(d_in * d_out).reshape(d_in, d_out)).T)
        start += size
    return groups


def _factors(rng, factor, size):
    """Draw `size` positive factors between 1/factor and factor, with uniform logarithms."""
    return np.exp(rng.uniform(-1, 1, size) * np.log(as_positive("factor", factor)))


def _layer_scale(loss, theta, rng, *, factor=10.0):
    layers = _network(loss).layers(theta)
    logs = np.log(_factors(rng, factor, len(layers)))
    return loss, ravel(alpha_scale(layers, np.exp(logs - logs.mean())))


def _node_scale(loss, theta, rng, *, factor=10.0):
    return loss, ravel(
        node_scale(
            _network(loss).layers(theta), [_factors(rng, factor, d) for d in loss.widths[1:-1]]
        )
    )


def _permutation(loss, theta, rng):
    d_in, *hidden, d_out = _network(loss).widths
    orders = [np.arange(d_in), *(rng.permutation(d) for d in hidden), np.arange(d_out)]
    layers = zip(loss.layers(theta), orders[:-1], orders[1:], strict=True)
    return loss, ravel(
        [
            Layer(w[before][:, after], None if b is None else b[after])
            for (w, b), before, after in layers
        ]
    )


def _weight_norm_scale(loss, theta, rng, *, factor=10.0):
    groups = _incoming(_network(loss.loss))
    eta = theta.copy()
    for group, c in zip(groups, _factors(rng, factor, len(groups)), strict=True):
        eta[len(groups) + group] *= c
    return loss, eta


def _elementwise_map(loss, theta, rng):
    return _seen_through(loss, theta, elementwise_map(rng.uniform(0.1, 1.0, len(theta))))


def _linear_map(loss, theta, rng, *, factor=3.0):
    return _seen_through(loss, theta, linear_map(_matrix(rng, len(theta), factor)))


def _radial_map(loss, theta, rng, *, factor=3.0):
    r_hat, aside = np.linalg.norm(theta) / 2, rng.normal(size=len(theta))
    center = theta + r_hat / 2 * aside / np.linalg.norm(aside)
    rho = float(r_hat * _factors(rng, factor, 1)[0])
    return _seen_through(loss, theta, radial_map(center, r_hat, rho, 2 * max(r_hat, rho)))


def _input_basis(loss, theta, rng, *, factor=3.0):
    M = _matrix(rng, _network(loss).widths[0], factor)
    first, *rest = loss.layers(theta)
    return loss.on(loss.x @ M, loss.y), ravel(
        [Layer(np.linalg.solve(M, first.weight), first.bias), *rest]
    )


def _logit_scale(loss, theta, rng, *, factor=4.0):
    *rest, last = _network(loss).layers(theta)
    c = as_positive("factor", factor) ** rng.uniform(0.5, 1)
    return loss, ravel(
        [*rest, Layer(c * last.weight, None if last.bias is None else c * last.bias)]
    )


def _perturbation(loss, theta, rng, *, size=0.1):
    return loss, theta + as_positive("size", size) * np.sqrt(np.mean(theta**2)) * rng.normal(
        size=len(theta)
    )


def _seen_through(loss, theta, g):
    return reparametrize(loss, g), g.inverse(theta)


def _matrix(rng, n, factor):
    """Draw an invertible matrix (n, n) with singular values between 1/factor and factor."""
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    return (left * _factors(rng, factor, n)) @ right


def _network(loss):
    if not isinstance(loss, NetworkLoss):
        raise ValueError(
            f"loss must be a NetworkLoss for its layers to be transformed, got {loss!r}"
        )
    return loss


def _elsewhere(loss):
    """The same network's loss at inputs drawn afresh, as far from each other as its own; None for
    what is no network.
    """
    if isinstance(loss, Reparametrized):
        inner = _elsewhere(loss.loss)
        return None if inner is None else reparametrize(inner, loss.g)
    if not isinstance(loss, NetworkLoss):
        return None
    x = loss.x.mean(axis=0) + (loss.x.std() + 1e-3) * np.random.default_rng(0).normal(
        size=(N_FRESH, loss.widths[0])
    )
    return loss.on(x, np.full((N_FRESH, loss.widths[-1]), 1 / loss.widths[-1]))


TRANSFORMATIONS = {
    t.name: t
    for t in (
        Transformation("layer_scale", _layer_scale),
        Transformation("node_scale", _node_scale),
        Transformation("permutation", _permutation),
        Transformation("weight_norm_scale", _weight_norm_scale, start=weight_normalized),
        Transformation("elementwise_map", _elementwise_map),
        Transformation("linear_map", _linear_map),
        Transformation("radial_map", _radial_map),
        Transformation("input_basis", _input_basis),
        Transformation("logit_scale", _logit_scale, keeps=False),
        Transformation("perturbation", _perturbation, keeps=False),
    )
}
