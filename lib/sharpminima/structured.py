"""Exact second derivatives of a rectified network by matrix products; the chapter "The Hessian by matrix products" derives them.

Add a number e to the pre-activation of unit j of layer k, for one sample. To first order the input h_m of a layer m moves by
e dh_m, and the layer's signal b_m, the derivative of the sample's loss in the layer's pre-activations, by e db_m. The gradient in
the weight from i' to j', which is h_i' b_j' summed over the samples, moves by e R with

    R = h_i' db_j' + dh_i' b_j'.

The weight from i to j moves the pre-activation by h_i. So the rows of the Hessian that belong to unit j are the product h' R,
divided by the number of samples. Where a unit is off nothing moves: only the samples that switch it on are carried along.

Samples are columns here, and layers are counted from 0. A bias is the weight of an input that is always 1.
"""

import functools
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

TILE = 2**17  # numbers of R that are formed at a time: a megabyte, about what a core's own cache holds
WORTH_THREADS = 2**31  # N n^2 below which a second thread costs more than it brings


class Passes(NamedTuple):
    """What a forward and a backward pass leave behind, an entry a layer, a column a sample.

    `weights` (d_in, d_out); `inputs` h (d_in, N), with biases (d_in + 1, N); `active` (d_out, N), where a unit is on;
    `signals` b (d_out, N); and `probabilities` (C, N), None for squared error.
    """

    weights: list
    inputs: list
    active: list
    signals: list
    probabilities: np.ndarray | None


def passes(loss, theta):
    """Return the `Passes` of a `NetworkLoss` at `theta` (n,)."""
    weights, inputs, active, h = [], [], [], loss.x.T
    for weight, bias in loss.layers(theta):
        weights.append(weight)
        inputs.append(np.ascontiguousarray(h) if bias is None else np.vstack([h, np.ones(len(loss.x))]))
        z = weight.T @ h if bias is None else weight.T @ h + bias[:, None]
        active.append(z > 0)
        h = z * active[-1]
    active[-1] = np.ones(z.shape, dtype=bool)  # the output layer is linear
    probabilities = None if loss.criterion == "squared_error" else _softmax(z)
    residual = (z if probabilities is None else probabilities) - loss.y.T
    return Passes(weights, inputs, active, _backward(weights, active, residual), probabilities)


def hessian(loss, theta, *, out=None, gauss_newton=False):
    """Return the Hessian (n, n) of a `NetworkLoss`, symmetric to the last bit; without the terms dh b, its Gauss-Newton matrix.

    `out` is a float64 matrix (n, n) to write it to. Uses as many threads as the BLAS may and gives the same bits with any
    number of them. Raises ValueError when an entry overflows.
    """
    p = passes(loss, theta)
    H = np.empty((loss.size, loss.size)) if out is None else out
    ends = list(itertools.accumulate(loss.sizes))
    blocks = [slice(end - size, end) for size, end in zip(loss.sizes, ends, strict=True)]
    scratch = _Scratch(max(TILE, len(loss.x) * max(loss.widths)))
    units = [(k, j) for k, on in enumerate(p.active) for j in range(len(on))]
    inputs = [(k, i) for k, h in enumerate(p.inputs) for i in range(len(h))]
    squares = [square for above, right in itertools.combinations(blocks, 2) for square in _squares(above, right)]
    with _threads(len(loss.x) * loss.size**2) as each:
        sums = each(lambda unit: _rows_of_unit(H, blocks, p, scratch.numbers, *unit, residual=not gauss_newton), units)
        if not np.isfinite(sum(sums)):
            raise ValueError("loss must have finite derivatives at theta, got a Hessian with NaN or infinite entries")
        each(lambda row: _complete_block(H[blocks[row[0]], blocks[row[0]]], len(p.active[row[0]]), row[1]), inputs)
        each(lambda square: _mirror(H, *square), squares)
    return H


def _rows_of_unit(H, blocks, p, numbers, k, j, *, residual):
    """Write the rows of unit j of layer k, right of and on the diagonal, to H; return the sum of what was written."""
    widths = [len(on) for on in p.active]
    rows = H[blocks[k].start + j : blocks[k].stop : widths[k]]
    on = np.flatnonzero(p.active[k][j])
    if len(on) == 0:
        rows[:, blocks[k].start :] = 0
        return 0.0
    h, total = _columns(p.inputs[k], on) / p.inputs[k].shape[1], 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the sum will tell
        dh, db = _pushed(p, k, j, on)
        for m in range(k, len(widths)):
            own = m == k
            first = j if own else 0  # a layer's own block is symmetric in j and j', and in i and i'
            h_m, db_m = _columns(p.inputs[m], on), db[m][first:]
            b_m = None if own or not residual else _columns(p.signals[m], on)
            for part in _parts(len(h_m), min(len(numbers) // db_m.size, -(-len(h_m) // 4))):
                R = numbers[: (part.stop - part.start) * db_m.size].reshape(-1, *db_m.shape)
                np.multiply(h_m[part, None], db_m, out=R)
                if b_m is not None:
                    _add_what_the_input_moves(R, dh[m], b_m, part, j)
                upper = part.stop if own else len(h)
                product = (h[:upper] @ R.reshape(-1, len(on)).T).reshape(upper, -1, len(db_m))
                columns = slice(blocks[m].start + part.start * widths[m], blocks[m].start + part.stop * widths[m])
                rows[:upper, columns].reshape(upper, -1, widths[m])[:, :, first:] = product
                total += product.sum()
    return total


def _pushed(p, k, j, on):
    """Return the derivatives dh of each layer's input and db of its signal, layer by layer, as unit j of layer k is pushed.

    Layers up to k get None, and so does dh of layer k + 1: of its inputs the j-th moves by 1 and no other.
    """
    dh = [None] * len(p.weights)
    dz = np.zeros((len(p.active[k]), len(on)))
    dz[j] = 1
    for m in range(k + 1, len(p.weights)):
        if m == k + 1:
            dz = np.repeat(p.weights[m][j][:, None], len(on), axis=1)
        else:
            dh[m] = _columns(p.active[m - 1], on) * dz
            dz = p.weights[m].T @ dh[m]
    active = [_columns(a, on) for a in p.active[k:]]
    probabilities = None if p.probabilities is None else _columns(p.probabilities, on)
    return dh, [None] * k + _backward(p.weights[k:], active, curved(probabilities, dz))


def _add_what_the_input_moves(R, dh, b, part, j):
    """Add dh b to the `part` of R (d_in, d_out, N)."""
    if dh is not None:
        moved = dh[part]  # of a bias' input, the last, there is nothing to add
        R[: len(moved)] += moved[:, None] * b
    elif part.start <= j < part.stop:
        R[j - part.start] += b


def _complete_block(block, width, i):
    """Fill in what the two symmetries of a layer's own block leave, for one i: known are the entries with i <= i' and j <= j'."""
    block = block.reshape(-1, width, len(block) // width, width)
    known = block[i, :, i:]  # (j, i', j')
    whole = np.where(np.tri(width, dtype=bool).T[:, None], known, known.transpose(2, 1, 0))
    block[i, :, i:] = whole
    block[i:, :, i] = whole.transpose(1, 0, 2)


def _mirror(H, rows, columns):
    H[columns, rows] = H[rows, columns].T


def hvp_at(loss, theta):
    """Return the function v -> H v, (n,) to (n,), by the R-operator (Pearlmutter 1994): all of theta moves along v."""
    p = passes(loss, theta)
    n_samples = p.inputs[0].shape[1]
    sizes = [len(h) * weight.shape[1] for h, weight in zip(p.inputs, p.weights, strict=True)]

    def product(v):
        V = [part.reshape(len(h), -1) for part, h in zip(np.split(v, np.cumsum(sizes)[:-1]), p.inputs, strict=True)]
        dh = [np.zeros((len(p.weights[0]), n_samples))]
        for weight, dweight, h, on in zip(p.weights, V, p.inputs, p.active, strict=True):
            dz = weight.T @ dh[-1] + dweight.T @ h
            dh.append(on * dz)
        db = [curved(p.probabilities, dz)]
        for k in range(len(V) - 1, 0, -1):
            db.insert(0, p.active[k - 1] * (p.weights[k] @ db[0] + V[k][: len(dh[k])] @ p.signals[k]))
        parts = [h @ d.T for h, d in zip(p.inputs, db, strict=True)]
        for part, d, b in zip(parts, dh, p.signals, strict=False):
            part[: len(d)] += d @ b.T
        return np.concatenate([part.ravel() for part in parts]) / n_samples

    return product


def hessian_diagonal(loss, theta):
    """Return the diagonal (n,) of the Hessian, which is that of the Gauss-Newton matrix, without forming either.

    The loss's second derivative in the weight from i to j is h_i^2 times that in the pre-activation of j: with B_c the
    derivative of output c, sum_c B_c^2 for squared error, sum_c p_c (B_c - sum p B)^2 for cross-entropy.
    """
    p = passes(loss, theta)
    n_outputs, n_samples = p.active[-1].shape
    mean = None if p.probabilities is None else _backward(p.weights, p.active, p.probabilities)
    curvature = [np.zeros(on.shape) for on in p.active]
    for c in range(n_outputs):
        for k, B in enumerate(_backward(p.weights, p.active, _unit(c, n_outputs, n_samples))):
            curvature[k] += B**2 if mean is None else p.probabilities[c] * (B - mean[k]) ** 2
    return np.concatenate([(h**2 @ d.T).ravel() for h, d in zip(p.inputs, curvature, strict=True)]) / n_samples


def jacobian(loss, theta):
    """Return the derivatives (N, C, n) of the outputs: of output c in the weight from i to j, h_i B_cj."""
    p = passes(loss, theta)
    n_outputs, n_samples = p.active[-1].shape
    J = np.empty((n_samples, n_outputs, loss.size))
    for c in range(n_outputs):
        B = _backward(p.weights, p.active, _unit(c, n_outputs, n_samples))
        parts = [h.T[:, :, None] * signal.T[:, None] for h, signal in zip(p.inputs, B, strict=True)]
        J[:, c] = np.concatenate([part.reshape(n_samples, -1) for part in parts], axis=1)
    return J


def _backward(weights, active, top):
    """Return the signals of every layer when that of the outputs is `top` (C, N)."""
    signals = [top]
    for weight, on in zip(weights[:0:-1], active[-2::-1], strict=True):
        signals.append(on * (weight @ signals[-1]))
    return signals[::-1]


def curved(probabilities, df):
    """Return the criterion's Hessian in the outputs, times `df` (C, N): for squared error that is the identity."""
    if probabilities is None:
        return df
    weighted = probabilities * df
    return weighted - probabilities * weighted.sum(axis=0)


def _softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def _unit(c, n_outputs, n_samples):
    top = np.zeros((n_outputs, n_samples))
    top[c] = 1
    return top


def _columns(a, on):
    return a if len(on) == a.shape[1] else a.take(on, axis=1)


def _parts(length, step):
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def _squares(rows, columns, side=256):
    """Cut the rectangle that two slices span into squares that a cache holds."""
    for a, b in itertools.product(_parts(rows.stop - rows.start, side), _parts(columns.stop - columns.start, side)):
        yield slice(rows.start + a.start, rows.start + a.stop), slice(columns.start + b.start, columns.start + b.stop)


class _Scratch(threading.local):
    """A buffer of each thread's own: fresh memory costs more than what is computed in it."""

    def __init__(self, size):
        self.numbers = np.empty(size)


@contextmanager
def _threads(work):
    """Yield a map that uses as many threads as the BLAS may, or one for little `work`; the BLAS itself uses one meanwhile."""
    blas = _blas()
    allowed = max((library["num_threads"] for library in blas.info()), default=1)
    with blas.limit(limits=1):
        if allowed == 1 or work < WORTH_THREADS:
            yield lambda function, items: [function(item) for item in items]
        else:
            with ThreadPoolExecutor(allowed) as pool:
                yield lambda function, items: list(pool.map(function, items))


@functools.cache
def _blas():
    return ThreadpoolController().select(user_api="blas")
