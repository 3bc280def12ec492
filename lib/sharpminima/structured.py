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

Two generalizations cost nothing. Where a unit is not switched off but has a slope left of zero,
`active` holds slopes in place of booleans. Everything is linear in the signals and in the
criterion's Hessian, so that a sample's weight is put into these two. Weight decay adds a diagonal.
"""

import functools
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

from ._validation import Array, NotFinite
from .criteria import predict_means
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
    l2: float | Array
    sample_weight: Array | None

    def layers(self, theta: Array) -> Params: ...

    def derive_activation(self, z: Array) -> Array: ...

    def criterion_value(self, outputs: Array) -> float: ...


class LayerPass(NamedTuple):
    """What a forward and a backward pass leave behind in one layer; a sample is a row.

    The `weight` (d_in, d_out), the `inputs` h (N, d_in), with biases (N, d_in + 1), `active` (N,
    d_out), where a unit is on, or its slope there, and the `signals` b (N, d_out), None after a
    forward pass alone.
    """

    weight: Array
    inputs: Array
    active: Array
    signals: Array | None = None


class OutputCurvature(NamedTuple):
    """The criterion's Hessian in the outputs, sample by sample, times the samples' weights.

    `means` (N, C) is what the network predicts, None for squared error, whose Hessian is the
    identity; `weights` (N, 1) is None for equal ones.
    """

    criterion: str
    means: Array | None
    weights: Array | None

    def take(self, samples: Array) -> "OutputCurvature":
        """Return that of some of the samples."""
        means, weights = [
            None if part is None else part.take(samples, axis=0)
            for part in (self.means, self.weights)
        ]
        return self._replace(means=means, weights=weights)


class Push(NamedTuple):
    """The inputs `h` and signals `b` of a layer, and how they move when a unit is pushed."""

    h: Array
    dh: Array
    b: Array
    db: Array


def run_forward(loss: RectifiedLoss, theta: Array) -> tuple[list[LayerPass], Array]:
    """Return a `LayerPass` for each layer at `theta` (n,), without signals, and the outputs (N,
    C).
    """
    layers = []
    h = loss.x
    # A copy, because theta may lie in `out`, or change before a product is formed.
    for weight, bias in loss.layers(theta.copy()):
        z = h @ weight
        inputs = h
        if bias is not None:
            z += bias
            inputs = np.hstack([h, np.ones((len(h), 1))])
        active = loss.derive_activation(z)
        layers.append(LayerPass(weight, inputs, active))
        h = z * active
    # The output layer is linear.
    layers[-1] = layers[-1]._replace(active=np.ones(z.shape, dtype=bool))
    return layers, z


def run_passes(
    loss: RectifiedLoss, theta: Array, *, gauss_newton: bool = False
) -> tuple[list[LayerPass], OutputCurvature]:
    """Return a `LayerPass` for each layer at `theta` (n,), and the criterion's `OutputCurvature`.

    For the Gauss-Newton matrix the signals are zero. Raises ValueError when the loss is not finite.
    """
    layers, outputs = run_forward(loss, theta)
    curvature = _find_output_curvature(loss, outputs)
    if gauss_newton:
        residual = np.zeros_like(outputs)
    else:
        means = outputs if curvature.means is None else curvature.means
        residual = means - loss.y
        if curvature.weights is not None:
            residual = curvature.weights * residual
    signals = _send_back(layers, residual)
    layers = [layer._replace(signals=b) for layer, b in zip(layers, signals, strict=True)]
    return layers, curvature


def gradient(loss: RectifiedLoss, theta: Array) -> Array:
    """Return the gradient (n,) by one pass forward and one back.

    Raises ValueError when the loss is not finite.
    """
    layers, _ = run_passes(loss, theta)
    parts = [(layer.inputs.T @ layer.signals).ravel() for layer in layers]
    return np.concatenate(parts) / len(loss.x) + loss.l2 * theta


def hessian(
    loss: RectifiedLoss, theta: Array, *, out: Array | None = None, gauss_newton: bool = False
) -> Array:
    """Return the Hessian (n, n) of a `NetworkLoss`, symmetric to the last bit; without the terms dh
    b and without weight decay, its Gauss-Newton matrix.

    `out` is a float64 matrix (n, n) to write it to. Uses as many threads as the BLAS may and gives
    the same bits with any number of them. Raises ValueError when the loss is not finite or an entry
    overflows.
    """
    H = np.empty((loss.size, loss.size)) if out is None else out
    blocks = loss.blocks
    scratch = _Scratch(max(TILE, len(loss.x) * (max(loss.widths) + 1)))
    with _map_in_threads(len(loss.x) * loss.size**2) as run:
        layers, curvature = run_passes(loss, theta, gauss_newton=gauss_newton)
        below_diagonal = [np.tri(layer.active.shape[1], k=-1, dtype=bool) for layer in layers]

        def write_unit(unit):
            k, j = unit
            return _write_unit(H, layers[k:], blocks[k:], curvature, j, scratch.numbers)

        def complete_block(layer_and_input):
            k, i = layer_and_input
            _complete_block(H[blocks[k], blocks[k]], below_diagonal[k], i)

        def mirror(square):
            rows, columns = square
            H[columns, rows] = H[rows, columns].T

        totals = run(write_unit, _list_columns(layer.active for layer in layers))
        _refuse_overflow(sum(totals))
        run(complete_block, _list_columns(layer.inputs for layer in layers))
        run(mirror, _cut_squares(blocks))
    if np.any(loss.l2) and not gauss_newton:
        H[np.diag_indices(loss.size)] += loss.l2
    return H


def layer_block(
    loss: RectifiedLoss,
    theta: Array,
    k: int,
    *,
    out: Array | None = None,
    gauss_newton: bool = False,
) -> Array:
    """Return the diagonal block (n_k, n_k) of layer k, of the Hessian or of the Gauss-Newton
    matrix: weight decay is all that they differ by.

    Of the whole matrix nothing else is computed. `out` is as for `hessian`, which it raises as.
    """
    block = loss.blocks[k]
    n_k = block.stop - block.start
    H = np.empty((n_k, n_k)) if out is None else out
    scratch = _Scratch(max(TILE, len(loss.x) * (max(loss.widths) + 1)))
    with _map_in_threads(len(loss.x) * n_k**2) as run:
        layers, curvature = run_passes(loss, theta, gauss_newton=True)
        layers = layers[k:]
        d_in, d_out = layers[0].inputs.shape[1], layers[0].active.shape[1]
        below_diagonal = np.tri(d_out, k=-1, dtype=bool)

        def write_unit(j):
            return _write_unit(H, layers, [slice(0, n_k)], curvature, j, scratch.numbers)

        totals = run(write_unit, range(d_out))
        _refuse_overflow(sum(totals))
        run(lambda i: _complete_block(H, below_diagonal, i), range(d_in))
    if np.any(loss.l2) and not gauss_newton:
        H[np.diag_indices(n_k)] += np.broadcast_to(loss.l2, loss.size)[block]
    return H


def unit_traces(loss: RectifiedLoss, theta: Array, k: int, *, scales: Array | None = None) -> Array:
    """Return the matrix (d_out, d_out) of the sums over i of H_(ij)(ij') / scales_i^2, where the
    weight from i to j of layer k is (ij): traces of the blocks of pairs of units.

    H_(ij)(ij') is the mean of h_i^2 times the loss's second derivative in the pre-activations of j
    and j', so that the sum over i comes first, and no block is formed.
    """
    layers, curvature = run_passes(loss, theta, gauss_newton=True)
    layers = layers[k:]
    d_in, d_out = layers[0].weight.shape
    shares = np.ones(d_in) if scales is None else 1 / scales**2
    sizes = (layers[0].inputs[:, :d_in] ** 2 @ shares)[:, None] / len(loss.x)
    traces = np.zeros((d_out, d_out))
    outputs = layers[-1].active.shape
    for c in range(outputs[1]):
        top = _select_output(np.zeros(outputs), c)
        B = _send_back(layers, top)[0]
        curved = _send_back(layers, apply_criterion_hessian(curvature, top))[0]
        traces += (sizes * B).T @ curved
    traces = (traces + traces.T) / 2
    decay = np.broadcast_to(loss.l2, loss.size)[loss.blocks[k]][: d_in * d_out]
    traces[np.diag_indices(d_out)] += shares @ decay.reshape(d_in, d_out)
    return traces


def hvp_at(loss: RectifiedLoss, theta: Array) -> Callable[[Array], Array]:
    """Return the function v -> H v, (n,) to (n,), by the R-operator (Pearlmutter 1994): all of
    theta moves along v.

    Raises ValueError when the loss is not finite.
    """
    layers, curvature = run_passes(loss, theta)

    def multiply(v):
        pushes, df = _push_forward(layers, loss.blocks, v)
        db = apply_criterion_hessian(curvature, df)
        product = np.empty(len(v))
        for k in range(len(layers) - 1, -1, -1):
            layer = layers[k]
            dh, dweight = pushes[k]
            part = layer.inputs.T @ db
            part[: len(layer.weight)] += dh.T @ layer.signals
            product[loss.blocks[k]] = part.ravel()
            if k > 0:
                moved = db @ layer.weight.T + layer.signals @ dweight[: len(layer.weight)].T
                db = layers[k - 1].active * moved
        product /= len(loss.x)
        return product + loss.l2 * v if np.any(loss.l2) else product

    return multiply


def gauss_newton_at(loss: RectifiedLoss, theta: Array) -> Callable[[Array], Array]:
    """Return the function v -> G v, (n,) to (n,), for the Gauss-Newton matrix G = J' A J / N: the
    outputs move by J v, and A J v is sent back. Raises ValueError when the loss is not finite.
    """
    layers, curvature = run_passes(loss, theta, gauss_newton=True)

    def multiply(v):
        _, df = _push_forward(layers, loss.blocks, v)
        signals = _send_back(layers, apply_criterion_hessian(curvature, df))
        product = np.empty(len(v))
        for block, layer, b in zip(loss.blocks, layers, signals, strict=True):
            product[block] = (layer.inputs.T @ b).ravel()
        return product / len(loss.x)

    return multiply


def jvp_at(loss: RectifiedLoss, theta: Array) -> Callable[[Array], Array]:
    """Return the function v -> J v, (n,) to (N, C): how the outputs move when theta moves along
    v.
    """
    layers, _ = run_forward(loss, theta)

    def multiply(v):
        _, df = _push_forward(layers, loss.blocks, v)
        return df

    return multiply


def hessian_diagonal(loss: RectifiedLoss, theta: Array, *, gauss_newton: bool = False) -> Array:
    """Return the diagonal (n,) of the Hessian, which without weight decay is that of the
    Gauss-Newton matrix, without forming either.

    The loss's second derivative in the weight from i to j is h_i^2 times that in the pre-activation
    of j: with B_c the derivative of output c, sum_c B_c^2 for squared error, sum_c p_c (B_c - sum p
    B)^2 for cross-entropy, sum_c p_c (1 - p_c) B_c^2 for the binary one. Raises ValueError when the
    loss is not finite.
    """
    layers, outputs = run_forward(loss, theta)
    criterion, means, weights = _find_output_curvature(loss, outputs)
    sums = [np.zeros(layer.active.shape) for layer in layers]
    is_softmax = criterion == "cross_entropy"
    mean = _send_back(layers, means) if is_softmax else None
    for c in range(outputs.shape[1]):
        for k, B in enumerate(_send_back(layers, _select_output(outputs, c))):
            if means is None:
                sums[k] += B**2
            elif is_softmax:
                sums[k] += means[:, [c]] * (B - mean[k]) ** 2
            else:
                sums[k] += (means * (1 - means))[:, [c]] * B**2
    diagonal = np.empty(loss.size)
    for block, layer, d in zip(loss.blocks, layers, sums, strict=True):
        squares = layer.inputs**2
        if weights is not None:
            squares = weights * squares
        diagonal[block] = (squares.T @ d).ravel()
    diagonal /= len(outputs)
    return diagonal if gauss_newton else diagonal + loss.l2


def jacobian(loss: RectifiedLoss, theta: Array) -> Array:
    """Return the derivatives (N, C, n) of the outputs: of output c in the weight from i to j, h_i
    B_cj.
    """
    layers, outputs = run_forward(loss, theta)
    n_samples, n_outputs = outputs.shape
    J = np.empty((n_samples, n_outputs, loss.size))
    for c in range(n_outputs):
        signals = _send_back(layers, _select_output(outputs, c))
        for block, layer, B in zip(loss.blocks, layers, signals, strict=True):
            products = layer.inputs[:, :, None] * B[:, None]
            J[:, c, block] = products.reshape(n_samples, -1)
    return J


def apply_criterion_hessian(curvature: OutputCurvature, df: Array) -> Array:
    """Return the criterion's Hessian in the outputs, times `df` (N, C), times the samples' weights.
    For squared error that Hessian is the identity.
    """
    criterion, means, weights = curvature
    if criterion == "squared_error":
        product = df
    elif criterion == "cross_entropy":
        weighted = means * df
        product = weighted - means * weighted.sum(axis=1, keepdims=True)
    else:
        product = means * (1 - means) * df
    return product if weights is None else weights * product


def _find_output_curvature(loss, outputs):
    """Return the `OutputCurvature` of given outputs (N, C). Raises ValueError when the loss is not
    finite.
    """
    value = loss.criterion_value(outputs)
    if not np.isfinite(value):
        raise NotFinite(f"loss must be finite at theta, got {value}")
    means = None
    if loss.criterion != "squared_error":
        means = predict_means(loss.criterion, outputs)
    weights = None
    if loss.sample_weight is not None:
        weights = loss.sample_weight[:, None]
    return OutputCurvature(loss.criterion, means, weights)


def _send_back(layers, top):
    """Return the signals of all layers when that of the outputs is `top` (N, C)."""
    signals = [top]
    for below, layer in reversed(list(itertools.pairwise(layers))):
        # With one output np.dot is four times as fast as @.
        signals.append(below.active * np.dot(signals[-1], layer.weight.T))
    return signals[::-1]


def _select_output(outputs, c):
    """Return the signals (N, C) of the outputs that lead to the derivative of output c."""
    top = np.zeros(outputs.shape)
    top[:, c] = 1
    return top


def _push_forward(layers, blocks, v):
    """Return dh, how its inputs move, and dweight, for each layer when theta moves along `v` (n,);
    and how the outputs move.
    """
    pushes = []
    dh = np.zeros((len(layers[0].inputs), len(layers[0].weight)))
    for layer, block in zip(layers, blocks, strict=True):
        dweight = v[block].reshape(layer.inputs.shape[1], -1)
        pushes.append((dh, dweight))
        dz = dh @ layer.weight + layer.inputs @ dweight
        dh = layer.active * dz
    return pushes, dz


def _write_unit(H, layers, blocks, curvature, j, numbers):
    """Write the rows of unit j of the first of the layers, on the diagonal and right of it, to H.

    Returns the sum of all that was written. `numbers` is memory to compute in.
    """
    n_samples, width = layers[0].active.shape
    rows = H[blocks[0].start + j : blocks[0].stop : width]
    samples = np.flatnonzero(layers[0].active[:, j])
    if len(samples) == 0:
        rows[:, blocks[0].start :] = 0
        return 0.0
    if len(samples) < n_samples:
        layers = [_take_samples(layer, samples) for layer in layers]
        curvature = curvature.take(samples)
    with np.errstate(over="ignore", invalid="ignore"):  # the sum will tell
        own, *later = _push_unit(layers, curvature, j)
        mean = own.h / n_samples
        total = _write_own_block(rows[:, blocks[0]], mean, own.h, own.db[:, j:], numbers)
        # Later layers without a block of their own are moved, but not written.
        for block, push in zip(blocks[1:], later, strict=False):
            total += _write_later_block(rows[:, block], mean, push, numbers)
    return total


def _refuse_overflow(total):
    """Raise ValueError where the sum of all entries is not finite, so that one of them is not."""
    if not np.isfinite(total):
        raise NotFinite(
            "loss must have finite derivatives at theta, got a Hessian with NaN or infinite entries"
        )


def _take_samples(layer, samples):
    weight, *arrays = layer
    return LayerPass(weight, *[array.take(samples, axis=0) for array in arrays])


def _push_unit(layers, curvature, j):
    """Return the `Push` of every layer when unit j of the first one is pushed.

    The inputs of that layer itself do not move.
    """
    first, *later = layers
    dz = np.zeros(first.active.shape)
    dz[:, j] = 1
    dh = [np.zeros((len(dz), len(first.weight)))]
    active = first.active
    for layer in later:
        dh.append(active * dz)
        dz = dh[-1] @ layer.weight
        active = layer.active
    db = _send_back(layers, apply_criterion_hessian(curvature, dz))
    return [
        Push(layer.inputs, dh_k, layer.signals, db_k)
        for layer, dh_k, db_k in zip(layers, dh, db, strict=True)
    ]


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
    for part in _cut(d_in, step):
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
    for part in _cut(h.shape[1], len(numbers) // db.size):
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

    Known are the entries with i <= i' and j <= j'. `below_diagonal` (d_out, d_out) is true where j
    > j'.
    """
    width = len(below_diagonal)
    block = block.reshape(-1, width, len(block) // width, width)
    known = block[i, :, i:]  # (j, i', j')
    np.copyto(known, known.transpose(2, 1, 0), where=below_diagonal[:, None])
    block[i:, :, i] = known.transpose(1, 0, 2)


def _list_columns(arrays):
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
