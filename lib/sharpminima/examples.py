"""The running example of the book, and its data: handwritten digits, 8 x 8 pixels, 1797 images,
shipped with scikit-learn.
"""

from typing import NamedTuple

import numpy as np

from ._validation import as_count
from .losses import NetworkLoss
from .networks import init_params, ravel
from .training import polish, sgd

SPLIT_SEED = 0


class Split(NamedTuple):
    """Training and test data: inputs (N, 64) in [0, 1], a row an image, and their targets (N,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits(target="parity", *, n_train=200):
    """Return the digits, split once and for all into `n_train` training images and the other 1797 -
    n_train.

    `target="parity"` gives +1.0 for an even digit and -1.0 for an odd one, `"class"` the digit
    itself as an integer. The images are shuffled by a fixed seed, so that a smaller training set is
    part of a larger one.

    Raises ValueError for another target, or an `n_train` that leaves no image on one of the sides.

    >>> split = digits()
    >>> split.x_train.shape, split.x_test.shape
    ((200, 64), (1597, 64))
    """
    from sklearn.datasets import load_digits  # an extra: who brings data of his own does without

    data = load_digits()
    if target not in ("parity", "class"):
        raise ValueError(f"target must be 'parity' or 'class', got {target!r}")
    if as_count("n_train", n_train) >= len(data.data):
        raise ValueError(
            f"n_train must be less than the number of images, {len(data.data)}, got {n_train}"
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(data.data))
    x = data.data[order] / 16
    y = (
        data.target[order]
        if target == "class"
        else np.where(data.target[order] % 2 == 0, 1.0, -1.0)
    )
    return Split(x[:n_train], y[:n_train], x[n_train:], y[n_train:])


class Example(NamedTuple):
    """The network that goes through the book: its loss on the training images, its minimum `theta`,
    and the data.
    """

    loss: NetworkLoss
    theta: np.ndarray
    data: Split


def running_example(widths=(64, 16, 1), *, seed=0):
    """Train the book's example: the parity of a digit from 200 images, squared error, no biases,
    brought to interpolation.

    `widths=(64, 12, 8, 1)` gives its three-layer sibling. Raises RuntimeError, saying why, when the
    seed does not lead to a genuine minimum that fits every training image.
    """
    data, rng = digits(), np.random.default_rng(seed)
    loss = NetworkLoss(widths, data.x_train, data.y_train)
    theta = ravel(init_params(widths, rng=rng))
    theta = sgd(loss, theta, epochs=100, batch_size=20, learning_rate=0.1, rng=rng)
    minimum = polish(loss, theta)
    if not minimum.genuine or minimum.value > 1e-20:
        raise RuntimeError(
            f"seed {seed} with widths {tuple(widths)} ended at no genuine minimum with loss 0:"
            f" {minimum}"
        )
    return Example(loss, minimum.theta, data)


carried_network, Carried = running_example, Example  # the names of the first editions
