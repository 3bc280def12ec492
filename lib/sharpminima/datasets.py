"""The data of the book: handwritten digits, 8 x 8 pixels, 1797 images, shipped with scikit-learn."""

from typing import NamedTuple

import numpy as np
import sklearn.datasets

from ._validation import as_count

SPLIT_SEED = 0


class Split(NamedTuple):
    """Training and test data: inputs (N, 64) in [0, 1], a row an image, and their targets (N,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits(target="parity", *, n_train=200):
    """Return the digits, split once and for all into `n_train` training images and the other 1797 - n_train.

    `target="parity"` gives +1.0 for an even digit and -1.0 for an odd one, `"class"` the digit itself as an integer. The
    images are shuffled by a fixed seed, so that a smaller training set is part of a larger one.

    Raises ValueError for another target, or an `n_train` that leaves no image on one of the sides.

    >>> split = digits()
    >>> split.x_train.shape, split.x_test.shape
    ((200, 64), (1597, 64))
    """
    data = sklearn.datasets.load_digits()
    if target not in ("parity", "class"):
        raise ValueError(f"target must be 'parity' or 'class', got {target!r}")
    if as_count("n_train", n_train) >= len(data.data):
        raise ValueError(f"n_train must be less than the number of images, {len(data.data)}, got {n_train}")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(data.data))
    x = data.data[order] / 16
    y = data.target[order] if target == "class" else np.where(data.target[order] % 2 == 0, 1.0, -1.0)
    return Split(x[:n_train], y[:n_train], x[n_train:], y[n_train:])
