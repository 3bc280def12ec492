"""Exact second derivatives of a rectified network by matrix products; the chapter "The Hessian by
matrix products" derives them.

Add a number e to the pre-activation of unit j of layer k, for one sample: push the unit. To first
order the input h_m of a layer m moves by e dh_m, and the layer's signal b_m, the derivative of the
sample's loss in the layer's pre-activations, by e db_m. The gradient in the weight from i' to j',
which is h_i' b_j' summed over the samples, moves by e R with

    R = h_i' db_j' + dh_i' b_j'.

The weight from i to j moves the pre-activation by h_i. So the rows of the Hessian that belong to
unit j are the product h' R, divided by the number of samples. In the unit's own layer, where no
input moves, they are the product of the h_i h_i' and db. Samples that leave the unit off do not
move at all, so only those that switch it on are used.

Samples are rows here, and layers are counted from 0. A bias is the weight of an input that is
always 1.
"""

import functools
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np
import scipy.special
from threadpoolctl import ThreadpoolController

from ._validation import Array
from .networks import Params

# Numbers of R that are formed at a time: two megabytes, about what the caches of one core hold.
TILE = 2**18
# N n^2 below which a second thread costs more than it saves.
WORTH_THREADS = 2**31
# The side of the squares by which the upper triangle is copied to the lower one.
MIRROR_SIDE = 256
# Two callers that limit the BLAS at the same time would each restore the limit of the other.
BLAS_LOCK = threading.RLock()


class RectifiedLoss(Protocol):
    """What these functions need of a loss; a `NetworkLoss` has it."""

    x: Array
    y: Array
    criterion: str
    widths: tuple[int, ...]
    blocks: tuple[slice, ...]
    size: int

    def layers(self, theta: Array) -> Params: ...

    def criterion_value(self, outputs: Array) -> float: ...


class ForwardPass(NamedTuple):
    """The outputs (N, C) of a network and, for each layer, what led to them.

    `weights` (d_in, d_out), `inputs` h (N, d_in), with biases (N, d_in + 1), and `active` (N,
    d_out), where a unit is on.
    """

    weights: list
    inputs: list
    active: list
    outputs: Array


class Passes(NamedTuple):
    """What a forward and a backward pass leave behind, for each layer; a sample is a row.

    `weights`, `inputs` and `active` are as in a `ForwardPass`; `signals` are b (N, d_out), and
    `probabilities` (N, C), or None for squared error.
    """

    weights: list
    inputs: list
    active: list
    signals: list
    probabilities: Array | None


class Push(NamedTuple):
    """The inputs `h` and signals `b` of a layer, and how they move when a unit is pushed."""

    h: Array
    dh: Array
    b: Array
    db: Array


def run_forward(loss: RectifiedLoss, theta: Array) -> ForwardPass:
    """Return the `ForwardPass` at `theta` (n,)."""
    weights, inputs, active = [], [], []
    h = loss.x
    # A copy, because theta may lie in `out`, or change before a product is formed.
    for weight, bias in loss.layers(theta.copy()):
        weights.append(weight)
        inputs.append(h if bias is None else np.hstack([h, np.ones((len(h), 1))]))
        z = h @ weight if bias is None else h @ weight + bias
        active.append(z > 0)
        h = z * active[-1]
    active[-1] = np.ones(z.shape, dtype=bool)  # the output layer is linear
    return ForwardPass(weights, inputs, active, z)


def run_passes(loss: RectifiedLoss, theta: Array, *, gauss_newton: bool = False) -> Passes:
    """Return the `Passes` at `theta` (n,), for the Gauss-Newton matrix with signals of zero.

    Raises ValueError when the loss is not finite.
    """
    weights, inputs, active, outputs = run_forward(loss, theta)
    probabilities = _predict_probabilities(loss, outputs)
    if gauss_newton:
        residual = np.zeros_like(outputs)
    else:
        residual = (outputs if probabilities is None else probabilities) - loss.y
    signals = _send_back(weights, active, residual)
    return Passes(weights, inputs, active, signals, probabilities)


def hessian(
    loss: RectifiedLoss, theta: Array, *, out: Array | None = None, gauss_newton: bool = False
) -> Array:
    """Return the Hessian (n, n) of a `NetworkLoss`, symmetric to the last bit; without the terms dh
    b, its Gauss-Newton matrix.

    `out` is a float64 matrix (n, n) to write it to. Uses as many threads as the BLAS may and gives
    the same bits with any number of them. Raises ValueError when the loss is not finite or an entry
    overflows.
    """
    H = np.empty((loss.size, loss.size)) if out is None else out
    blocks = loss.blocks
    scratch = _Scratch(max(TILE, len(loss.x) * (max(loss.widths) + 1)))
    with _map_in_threads(len(loss.x) * loss.size**2) as run:
        p = run_passes(loss, theta, gauss_newton=gauss_newton)
        below_diagonal = [np.tri(on.shape[1], k=-1, dtype=bool)[:, None] for on in p.active]

        def write_unit(unit):
            return _write_unit(H, blocks, p, *unit, scratch.numbers)

        def complete_block(layer_and_input):
            k, i = layer_and_input
            _complete_block(H[blocks[k], blocks[k]], below_diagonal[k], i)

        def mirror(square):
            rows, columns = square
            H[columns, rows] = H[rows, columns].T

        totals = run(write_unit, _list_units(p.active))
        if not np.isfinite(sum(totals)):
            raise ValueError(
                "loss must have finite derivatives at theta, got a Hessian with NaN or infinite"
                " entries"
            )
        run(complete_block, _list_units(p.inputs))
        run(mirror, _cut_squares(blocks))
    return H


def hvp_at(loss: RectifiedLoss, theta: Array) -> Callable[[Array], Array]:
    """Return the function v -> H v, (n,) to (n,), by the R-operator (Pearlmutter 1994): all of
    theta moves along v.

    Raises ValueError when the loss is not finite.
    """
    p = run_passes(loss, theta)
    n_samples = len(p.inputs[0])

    def multiply(v):
        dweights = [
            v[block].reshape(h.shape[1], -1) for block, h in zip(loss.blocks, p.inputs, strict=True)
        ]
        dh = [np.zeros((n_samples, len(p.weights[0])))]
        for weight, dweight, h, on in zip(p.weights, dweights, p.inputs, p.active, strict=True):
            dz = dh[-1] @ weight + h @ dweight
            dh.append(on * dz)
        db = [apply_criterion_hessian(p.probabilities, dz)]
        for k in range(len(dweights) - 1, 0, -1):
            without_bias = dweights[k][: dh[k].shape[1]]
            moved = db[0] @ p.weights[k].T + p.signals[k] @ without_bias.T
            db.insert(0, p.active[k - 1] * moved)
        product = np.empty(len(v))
        for k, block in enumerate(loss.blocks):
            part = p.inputs[k].T @ db[k]
            part[: dh[k].shape[1]] += dh[k].T @ p.signals[k]
            product[block] = part.ravel()
        return product / n_samples

    return multiply


def hessian_diagonal(loss: RectifiedLoss, theta: Array) -> Array:
    """Return the diagonal (n,) of the Hessian, which is that of the Gauss-Newton matrix, without
    forming either.

    The loss's second derivative in the weight from i to j is h_i^2 times that in the pre-activation
    of j: with B_c the derivative of output c, sum_c B_c^2 for squared error, sum_c p_c (B_c - sum p
    B)^2 for cross-entropy. Raises ValueError when the loss is not finite.
    """
    weights, inputs, active, outputs = run_forward(loss, theta)
    probabilities = _predict_probabilities(loss, outputs)
    curvature = [np.zeros(on.shape) for on in active]
    mean = None if probabilities is None else _send_back(weights, active, probabilities)
    for c in range(outputs.shape[1]):
        for k, B in enumerate(_send_back(weights, active, _select_output(outputs, c))):
            if mean is None:
                curvature[k] += B**2
            else:
                curvature[k] += probabilities[:, [c]] * (B - mean[k]) ** 2
    parts = [((h**2).T @ d).ravel() for h, d in zip(inputs, curvature, strict=True)]
    return np.concatenate(parts) / len(outputs)


def jacobian(loss: RectifiedLoss, theta: Array) -> Array:
    """Return the derivatives (N, C, n) of the outputs: of output c in the weight from i to j, h_i
    B_cj.
    """
    weights, inputs, active, outputs = run_forward(loss, theta)
    n_samples, n_outputs = outputs.shape
    J = np.empty((n_samples, n_outputs, loss.size))
    for c in range(n_outputs):
        signals = _send_back(weights, active, _select_output(outputs, c))
        for block, h, B in zip(loss.blocks, inputs, signals, strict=True):
            J[:, c, block] = (h[:, :, None] * B[:, None]).reshape(n_samples, -1)
    return J


def apply_criterion_hessian(probabilities: Array | None, df: Array) -> Array:
    """Return the criterion's Hessian in the outputs, times `df` (N, C): for squared error that is
    the identity.
    """
    if probabilities is None:
        return df
    weighted = probabilities * df
    return weighted - probabilities * weighted.sum(axis=1, keepdims=True)


def _predict_probabilities(loss, outputs):
    """Return the probabilities (N, C) of the classes, or None for squared error.

    Raises ValueError when the loss is not finite.
    """
    value = loss.criterion_value(outputs)
    if not np.isfinite(value):
        raise ValueError(f"loss must be finite at theta, got {value}")
    return None if loss.criterion == "squared_error" else scipy.special.softmax(outputs, axis=1)


def _send_back(weights, active, top):
    """Return the signals of all layers when that of the outputs is `top` (N, C)."""
    signals = [top]
    for weight, on in zip(weights[:0:-1], active[-2::-1], strict=True):
        # With one output np.dot is four times as fast as @.
        signals.append(on * np.dot(signals[-1], weight.T))
    return signals[::-1]


def _select_output(outputs, c):
    """Return the signals (N, C) of the outputs that lead to the derivative of output c."""
    top = np.zeros(outputs.shape)
    top[:, c] = 1
    return top


def _write_unit(H, blocks, p, k, j, numbers):
    """Write the rows of unit j of layer k, on the diagonal and right of it, to H.

    Returns the sum of all that was written. `numbers` is memory to compute in.
    """
    n_samples, width = p.active[k].shape
    rows = H[blocks[k].start + j : blocks[k].stop : width]
    samples = np.flatnonzero(p.active[k][:, j])
    if len(samples) == 0:
        rows[:, blocks[k].start :] = 0
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the sum will tell
        own, *later = _push_unit(_restrict(p, k, samples), j)
        mean = own.h / n_samples
        total = _write_own_block(rows[:, blocks[k]], mean, own.h, own.db[:, j:], numbers)
        for block, push in zip(blocks[k + 1 :], later, strict=True):
            total += _write_later_block(rows[:, block], mean, push, numbers)
    return total


def _restrict(p, k, samples):
    """Return the `Passes` of layer k and of those after it, for the given samples only."""
    if len(samples) == len(p.active[k]):
        return Passes(p.weights[k:], p.inputs[k:], p.active[k:], p.signals[k:], p.probabilities)

    def take(arrays):
        return [array.take(samples, axis=0) for array in arrays]

    probabilities = p.probabilities
    if probabilities is not None:
        probabilities = probabilities.take(samples, axis=0)
    return Passes(
        p.weights[k:], take(p.inputs[k:]), take(p.active[k:]), take(p.signals[k:]), probabilities
    )


def _push_unit(p, j):
    """Return the `Push` of every layer when unit j of the first one is pushed.

    The inputs of that layer itself do not move.
    """
    dz = np.zeros(p.active[0].shape)
    dz[:, j] = 1
    dh = [np.zeros((len(dz), len(p.weights[0])))]
    for k, weight in enumerate(p.weights[1:]):
        # The pushed unit is on in all these samples.
        dh.append(dz if k == 0 else p.active[k] * dz)
        dz = dh[-1] @ weight
    db = _send_back(p.weights, p.active, apply_criterion_hessian(p.probabilities, dz))
    return [Push(*of_layer) for of_layer in zip(p.inputs, dh, p.signals, db, strict=True)]


def _write_own_block(rows, mean, h, db, numbers):
    """Write the `rows` (d_in, n_k) of a unit in its layer's own block, where i <= i' and j <= j'.

    The columns of `db` begin with that of the unit itself. Returns the sum of what was written.
    """
    n_on, d_in = h.shape
    rows = rows.reshape(d_in, d_in, -1)[:, :, -db.shape[1] :]
    mean = np.ascontiguousarray(mean.T)
    h = np.ascontiguousarray(h.T)
    step = min(len(numbers) // h.size, max(4, d_in // 5))
    total = 0.0
    for part in _cut(d_in, max(1, step)):
        right = h[part.start :]
        pairs = numbers[: (part.stop - part.start) * right.size].reshape(-1, len(right), n_on)
        np.multiply(mean[part, None], right, out=pairs)
        product = pairs.reshape(-1, n_on) @ db
        rows[part, part.start :] = product.reshape(*pairs.shape[:2], -1)
        total += product.sum()
    return total


def _write_later_block(rows, mean, push, numbers):
    """Write h' R to the `rows` (d_in, n_m) of a unit in the columns of a later layer.

    Returns the sum of what was written.
    """
    h, dh, b, db = push
    n_on, d_out = db.shape
    if dh.shape != h.shape:
        dh = np.hstack([dh, np.zeros((n_on, 1))])  # a bias' input, the last, does not move
    total = 0.0
    for part in _cut(h.shape[1], max(1, len(numbers) // db.size)):
        R = numbers[: (part.stop - part.start) * db.size].reshape(n_on, -1, d_out)
        _add_outer_products(h[:, part], db, dh[:, part], b, out=R)
        product = mean.T @ R.reshape(n_on, -1)
        rows[:, part.start * d_out : part.stop * d_out] = product
        total += product.sum()
    return total


def _add_outer_products(h, db, dh, b, *, out):
    """Write h db + dh b, two outer products, to `out` (N, d_in, d_out), sample by sample."""
    if b.shape[1] == 1:  # with one output, products of numbers
        np.multiply(h, db, out=out[:, :, 0])
        out[:, :, 0] += dh * b
    else:
        np.matmul(np.stack([h, dh], axis=2), np.stack([db, b], axis=1), out=out)


def _complete_block(block, below_diagonal, i):
    """Fill in a layer's own block for one i, by its two symmetries.

    Known are the entries with i <= i' and j <= j'. `below_diagonal` (d_out, 1, d_out) is true where
    j > j'.
    """
    width = len(below_diagonal)
    block = block.reshape(-1, width, len(block) // width, width)
    known = block[i, :, i:]  # (j, i', j')
    np.copyto(known, known.transpose(2, 1, 0), where=below_diagonal)
    block[i:, :, i] = known.transpose(1, 0, 2)


def _list_units(arrays):
    """Return (k, j) for every column j of every array k."""
    return [(k, j) for k, array in enumerate(arrays) for j in range(array.shape[1])]


def _cut_squares(blocks):
    """Return pairs of slices, rows and columns: the matrix above its diagonal blocks, in squares
    that a cache holds.
    """
    squares = []
    for above, right in itertools.combinations(blocks, 2):
        rows = _cut(above.stop - above.start, MIRROR_SIDE, above.start)
        columns = _cut(right.stop - right.start, MIRROR_SIDE, right.start)
        squares += itertools.product(rows, columns)
    return squares


def _cut(length, step, offset=0):
    """Return slices of at most `step` that cover `length` numbers from `offset` on."""
    ends = range(offset, offset + length, step)
    return [slice(start, min(start + step, offset + length)) for start in ends]


class _Scratch(threading.local):
    """A buffer for each thread: fresh memory costs more than what is computed in it."""

    def __init__(self, size):
        self.numbers = np.empty(size)


@contextmanager
def _limit_blas():
    """Keep the BLAS to the calling thread, and yield how many threads it may use otherwise.

    Its other threads, once woken, spin for a tenth of a second.
    """
    blas = _find_blas()
    with BLAS_LOCK:
        allowed = max((library["num_threads"] for library in blas.info()), default=1)
        with blas.limit(limits=1):
            yield allowed


@contextmanager
def _map_in_threads(work):
    """Yield a map that uses as many threads as the BLAS may, or one for little `work`.

    The BLAS itself uses one meanwhile.
    """
    with _limit_blas() as allowed:
        if allowed == 1 or work < WORTH_THREADS:
            yield lambda function, items: [function(item) for item in items]
        else:
            with ThreadPoolExecutor(allowed) as pool:
                yield lambda function, items: list(pool.map(function, items))


@functools.cache
def _find_blas():
    return ThreadpoolController().select(user_api="blas")
