"""Exact second derivatives of a rectified network by matrix products; the chapter "The Hessian by
matrix products" derives them.

Add a number e to the pre-activation of unit j of layer k, for one sample. To first order the input
h_m of a layer m moves by e dh_m, and the layer's signal b_m, the derivative of the sample's loss in
the layer's pre-activations, by e db_m. The gradient in the weight from i' to j', which is h_i' b_j'
summed over the samples, moves by e R with

    R = h_i' db_j' + dh_i' b_j'.

The weight from i to j moves the pre-activation by h_i. So the rows of the Hessian that belong to
unit j are the product h' R, divided by the number of samples; in the unit's own layer, where no
input moves, that of the h_i h_i' and db. Where a unit is off nothing moves: only the samples that
switch it on are carried along.

Samples are rows here, and layers are counted from 0. A bias is the weight of an input that is
always 1.
"""

import functools
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

TILE = (
    2**18
)  # numbers of R that are formed at a time: two megabytes, about what a core's own caches hold
WORTH_THREADS = 2**31  # N n^2 below which a second thread costs more than it brings
ONE_AT_A_TIME = (
    threading.RLock()
)  # two that limit the BLAS in turn would each restore the other's limit


class Passes(NamedTuple):
    """What a forward and a backward pass leave behind, an entry a layer, a row a sample.

    `weights` (d_in, d_out); `inputs` h (N, d_in), with biases (N, d_in + 1); `active` (N, d_out),
    where a unit is on; `signals` b (N, d_out); and `probabilities` (N, C), None for squared error.
    """

    weights: list
    inputs: list
    active: list
    signals: list
    probabilities: np.ndarray | None


def passes(loss, theta):
    """Return the `Passes` of a `NetworkLoss` at `theta` (n,)."""
    weights, inputs, active, h = [], [], [], loss.x
    for weight, bias in loss.layers(
        theta.copy()
    ):  # a copy: theta may lie in `out`, or change before a product is formed
        weights.append(weight)
        inputs.append(h if bias is None else np.hstack([h, np.ones((len(h), 1))]))
        z = h @ weight if bias is None else h @ weight + bias
        active.append(z > 0)
        h = z * active[-1]
    active[-1] = np.ones(z.shape, dtype=bool)  # the output layer is linear
    probabilities = None if loss.criterion == "squared_error" else _softmax(z)
    residual = (z if probabilities is None else probabilities) - loss.y
    return Passes(weights, inputs, active, _backward(weights, active, residual), probabilities)


def hessian(loss, theta, *, out=None, gauss_newton=False):
    """Return the Hessian (n, n) of a `NetworkLoss`, symmetric to the last bit; without the terms dh
    b, its Gauss-Newton matrix.

    `out` is a float64 matrix (n, n) to write it to. Uses as many threads as the BLAS may and gives
    the same bits with any number of them. Raises ValueError when an entry overflows.
    """
    H = np.empty((loss.size, loss.size)) if out is None else out
    ends = list(itertools.accumulate(loss.sizes))
    blocks = [slice(end - size, end) for size, end in zip(loss.sizes, ends, strict=True)]
    scratch = _Scratch(max(TILE, len(loss.x) * (max(loss.widths) + 1)))
    squares = [
        square
        for above, right in itertools.combinations(blocks, 2)
        for square in _squares(above, right)
    ]
    with _threads(len(loss.x) * loss.size**2) as each:
        p = passes(loss, theta)
        units = [(k, j) for k, on in enumerate(p.active) for j in range(on.shape[1])]
        inputs = [(k, i) for k, h in enumerate(p.inputs) for i in range(h.shape[1])]
        sums = each(
            lambda unit: _rows_of_unit(
                H, blocks, p, scratch.numbers, *unit, residual=not gauss_newton
            ),
            units,
        )
        if not np.isfinite(sum(sums)):
            raise ValueError(
                "loss must have finite derivatives at theta, got a Hessian with NaN or infinite"
                " entries"
            )
        below = [np.tri(on.shape[1], k=-1, dtype=bool)[:, None] for on in p.active]
        each(
            lambda ki: _complete_block(H[blocks[ki[0]], blocks[ki[0]]], below[ki[0]], ki[1]), inputs
        )
        each(lambda square: _mirror(H, *square), squares)
    return H


def _rows_of_unit(H, blocks, p, numbers, k, j, *, residual):
    """Write the rows of unit j of layer k, right of and on the diagonal, to H; return the sum of
    what was written.
    """
    n_samples, width = p.active[k].shape
    rows = H[blocks[k].start + j : blocks[k].stop : width]
    on = np.flatnonzero(p.active[k][:, j])
    if len(on) == 0:
        rows[:, blocks[k].start :] = 0
        return 0.0
    q = _from_layer(p, k, on)
    mean = q.inputs[0] / n_samples
    with np.errstate(over="ignore", invalid="ignore"):  # the sum will tell
        dh, db = _pushed(q, j)
        total = _write_own(rows[:, blocks[k]], mean, q.inputs[0], db[0][:, j:], numbers)
        for block, *of_layer in zip(
            blocks[k + 1 :], q.inputs[1:], dh[1:], q.signals[1:], db[1:], strict=True
        ):
            total += _write_later(rows[:, block], mean, *of_layer, numbers, residual=residual)
    return total


def _from_layer(p, k, on):
    """Return the `Passes` from layer k on, of the samples `on` alone; of the layer's own signals
    nothing is asked, so there are none.
    """

    def taken(of_layers):
        return of_layers if len(on) == len(p.active[k]) else [a.take(on, axis=0) for a in of_layers]

    probabilities = None if p.probabilities is None else taken([p.probabilities])[0]
    return Passes(
        p.weights[k:],
        taken(p.inputs[k:]),
        taken(p.active[k:]),
        [None, *taken(p.signals[k + 1 :])],
        probabilities,
    )


def _pushed(q, j):
    """Return what moves as unit j of the first layer is pushed: dh of each layer's input, None of
    the first, and db of its signal.
    """
    dz = np.zeros(q.active[0].shape)
    dz[:, j] = 1
    dh = [None]
    for on, weight in zip(q.active, q.weights[1:], strict=False):
        dh.append(dz if len(dh) == 1 else on * dz)  # the unit itself is on
        dz = dh[-1] @ weight
    return dh, _backward(q.weights, q.active, curved(q.probabilities, dz))


def _write_own(rows, mean, h, db, numbers):
    """Write the `rows` (d_in, n_k) of a unit in its layer's own block, where i <= i' and, as `db`
    has it, j <= j'; return their sum.
    """
    (n_on, d_in), total = h.shape, 0.0
    rows = rows.reshape(d_in, d_in, -1)[:, :, -db.shape[1] :]
    mean, h = np.ascontiguousarray(mean.T), np.ascontiguousarray(h.T)
    for part in _parts(d_in, max(1, min(len(numbers) // h.size, max(4, d_in // 5)))):
        pairs = numbers[: (part.stop - part.start) * h[part.start :].size].reshape(
            -1, d_in - part.start, n_on
        )
        np.multiply(mean[part, None], h[part.start :], out=pairs)
        product = pairs.reshape(-1, n_on) @ db
        rows[part, part.start :] = product.reshape(*pairs.shape[:2], -1)
        total += product.sum()
    return total


def _write_later(rows, mean, h, dh, b, db, numbers, *, residual):
    """Write h' R to the `rows` (d_in, n_m) of a unit in the columns of a later layer; return their
    sum.
    """
    (n_on, d_out), total = db.shape, 0.0
    if dh.shape != h.shape:
        dh = np.hstack([dh, np.zeros((n_on, 1))])  # a bias' input, the last, does not move
    for part in _parts(h.shape[1], max(1, len(numbers) // db.size)):
        R = numbers[: (part.stop - part.start) * db.size].reshape(n_on, -1, d_out)
        _outer_products(h[:, part], db, dh[:, part], b if residual else np.zeros_like(b), out=R)
        product = mean.T @ R.reshape(n_on, -1)
        rows[:, part.start * d_out : part.stop * d_out] = product
        total += product.sum()
    return total


def _outer_products(h, db, dh, b, *, out):
    """Write h db + dh b, an outer product each, to `out` (N, d_in, d_out): itself a product of
    matrices, sample by sample.
    """
    if b.shape[1] == 1:  # with one output, products of numbers
        np.multiply(h, db, out=out[:, :, 0])
        out[:, :, 0] += dh * b
    else:
        np.matmul(np.stack([h, dh], axis=2), np.stack([db, b], axis=1), out=out)


def _complete_block(block, below, i):
    """Fill in what the two symmetries of a layer's own block leave, for one i: known are the
    entries with i <= i' and j <= j'.

    `below` (d_out, 1, d_out) tells where j > j'.
    """
    width = len(below)
    block = block.reshape(-1, width, len(block) // width, width)
    known = block[i, :, i:]  # (j, i', j')
    np.copyto(known, known.transpose(2, 1, 0), where=below)
    block[i:, :, i] = known.transpose(1, 0, 2)


def _mirror(H, rows, columns):
    H[columns, rows] = H[rows, columns].T


def hvp_at(loss, theta):
    """Return the function v -> H v, (n,) to (n,), by the R-operator (Pearlmutter 1994): all of
    theta moves along v.
    """
    p = passes(loss, theta)
    n_samples = len(p.inputs[0])
    sizes = [h.shape[1] * weight.shape[1] for h, weight in zip(p.inputs, p.weights, strict=True)]

    def product(v):
        V = [
            part.reshape(h.shape[1], -1)
            for part, h in zip(np.split(v, np.cumsum(sizes)[:-1]), p.inputs, strict=True)
        ]
        dh = [np.zeros((n_samples, len(p.weights[0])))]
        for weight, dweight, h, on in zip(p.weights, V, p.inputs, p.active, strict=True):
            dz = dh[-1] @ weight + h @ dweight
            dh.append(on * dz)
        db = [curved(p.probabilities, dz)]
        for k in range(len(V) - 1, 0, -1):
            db.insert(
                0,
                p.active[k - 1]
                * (db[0] @ p.weights[k].T + p.signals[k] @ V[k][: dh[k].shape[1]].T),
            )
        parts = [h.T @ d for h, d in zip(p.inputs, db, strict=True)]
        for part, d, b in zip(parts, dh, p.signals, strict=False):
            part[: d.shape[1]] += d.T @ b
        return np.concatenate([part.ravel() for part in parts]) / n_samples

    return product


def hessian_diagonal(loss, theta):
    """Return the diagonal (n,) of the Hessian, which is that of the Gauss-Newton matrix, without
    forming either.

    The loss's second derivative in the weight from i to j is h_i^2 times that in the pre-activation
    of j: with B_c the derivative of output c, sum_c B_c^2 for squared error, sum_c p_c (B_c - sum p
    B)^2 for cross-entropy.
    """
    p = passes(loss, theta)
    n_samples, n_outputs = p.active[-1].shape
    mean = None if p.probabilities is None else _backward(p.weights, p.active, p.probabilities)
    curvature = [np.zeros(on.shape) for on in p.active]
    for c in range(n_outputs):
        for k, B in enumerate(_backward(p.weights, p.active, _unit(c, n_samples, n_outputs))):
            curvature[k] += B**2 if mean is None else p.probabilities[:, [c]] * (B - mean[k]) ** 2
    return (
        np.concatenate([((h**2).T @ d).ravel() for h, d in zip(p.inputs, curvature, strict=True)])
        / n_samples
    )


def jacobian(loss, theta):
    """Return the derivatives (N, C, n) of the outputs: of output c in the weight from i to j, h_i
    B_cj.
    """
    p = passes(loss, theta)
    n_samples, n_outputs = p.active[-1].shape
    J = np.empty((n_samples, n_outputs, loss.size))
    for c in range(n_outputs):
        B = _backward(p.weights, p.active, _unit(c, n_samples, n_outputs))
        parts = [h[:, :, None] * signal[:, None] for h, signal in zip(p.inputs, B, strict=True)]
        J[:, c] = np.concatenate([part.reshape(n_samples, -1) for part in parts], axis=1)
    return J


def _backward(weights, active, top):
    """Return the signals of every layer when that of the outputs is `top` (N, C)."""
    signals = [top]
    for weight, on in zip(weights[:0:-1], active[-2::-1], strict=True):
        signals.append(
            on * np.dot(signals[-1], weight.T)
        )  # with one output, four times as fast as @
    return signals[::-1]


def curved(probabilities, df):
    """Return the criterion's Hessian in the outputs, times `df` (N, C): for squared error that is
    the identity.
    """
    if probabilities is None:
        return df
    weighted = probabilities * df
    return weighted - probabilities * weighted.sum(axis=1, keepdims=True)


def _softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _unit(c, n_samples, n_outputs):
    top = np.zeros((n_samples, n_outputs))
    top[:, c] = 1
    return top


def _parts(length, step):
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def _squares(rows, columns, side=256):
    """Cut the rectangle that two slices span into squares that a cache holds."""
    for a, b in itertools.product(
        _parts(rows.stop - rows.start, side), _parts(columns.stop - columns.start, side)
    ):
        yield (
            slice(rows.start + a.start, rows.start + a.stop),
            slice(columns.start + b.start, columns.start + b.stop),
        )


class _Scratch(threading.local):
    """A buffer of each thread's own: fresh memory costs more than what is computed in it."""

    def __init__(self, size):
        self.numbers = np.empty(size)


@contextmanager
def one_blas_thread():
    """Keep the BLAS to the calling thread, and yield how many it might use. Its others, once woken,
    spin for a tenth of a second.
    """
    blas = _blas()
    with ONE_AT_A_TIME:
        allowed = max((library["num_threads"] for library in blas.info()), default=1)
        with blas.limit(limits=1):
            yield allowed


@contextmanager
def _threads(work):
    """Yield a map that uses as many threads as the BLAS may, or one for little `work`; the BLAS
    itself uses one meanwhile.
    """
    with one_blas_thread() as allowed:
        if allowed == 1 or work < WORTH_THREADS:
            yield lambda function, items: [function(item) for item in items]
        else:
            with ThreadPoolExecutor(allowed) as pool:
                yield lambda function, items: list(pool.map(function, items))


@functools.cache
def _blas():
    return ThreadpoolController().select(user_api="blas")
