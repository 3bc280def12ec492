"""The running example of the book, and its data: 1797 images of handwritten digits, 8 x 8 pixels,
which scikit-learn ships.
"""

from typing import NamedTuple

import numpy as np

from ._validation import Array, as_choice, as_count
from .losses import NetworkLoss
from .networks import as_widths, init_params, ravel
from .training import polish, sgd

SPLIT_SEED = 0


class Split(NamedTuple):
    """Training and test data: inputs (N, 64) in [0, 1], a row for each image, and their targets
    (N,).
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array


def digits(target: str = "parity", *, n_train: int = 200) -> Split:
    """Return the digits, split into `n_train` training images and the others for a test.

    `target="parity"` gives +1.0 for an even digit and -1.0 for an odd one, `"class"` the digit
    itself as an integer. The images are shuffled by a fixed seed, so that a smaller training set is
    part of a larger one.

    Raises ValueError for another target, or an `n_train` that leaves no image on one of the sides.

    >>> split = digits()
    >>> split.x_train.shape, split.x_test.shape
    ((200, 64), (1597, 64))
    """
    x, y = load_all_digits(target)
    n_images = len(x)
    if as_count("n_train", n_train) >= n_images:
        raise ValueError(
            f"n_train must be less than the number of images, {n_images}, got {n_train}"
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(n_images)
    x = x[order]
    y = y[order]
    return Split(x[:n_train], y[:n_train], x[n_train:], y[n_train:])


def load_all_digits(target: str = "parity") -> tuple[Array, Array]:
    """Return all images (1797, 64) in [0, 1], in scikit-learn's order, and their targets (1797,) as
    `digits` gives them.
    """
    as_choice("target", target, ("parity", "class"))
    data = _load_digits()
    y = data.target
    if target == "parity":
        y = np.where(y % 2 == 0, 1.0, -1.0)
    return data.data / 16, y


def _load_digits():
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            'the digits come with scikit-learn: pip install "sharpminima[examples]"'
        ) from error
    return load_digits()


class Example(NamedTuple):
    """The network that goes through the book: its loss on the training images, its minimum `theta`,
    and the data.
    """

    loss: NetworkLoss
    theta: Array
    data: Split


def running_example(widths: tuple[int, ...] = (64, 16, 1), *, seed: int = 0) -> Example:
    """Train the book's example: the parity of a digit from 200 images, squared error, no biases,
    brought to interpolation.

    `widths=(64, 12, 8, 1)` gives its three-layer sibling. Raises RuntimeError, saying why, when the
    seed does not lead to a genuine minimum that fits every training image.
    """
    seed = as_count("seed", seed, least=0)
    widths = as_widths(widths)
    data = digits()
    rng = np.random.default_rng(seed)
    loss = NetworkLoss(widths, data.x_train, data.y_train)
    theta = ravel(init_params(widths, rng=rng))
    theta = sgd(loss, theta, epochs=100, batch_size=20, learning_rate=0.1, rng=rng)
    minimum = polish(loss, theta)
    if not minimum.genuine or minimum.value > 1e-20:
        raise RuntimeError(
            f"seed {seed} with widths {widths} ended at no genuine minimum with loss 0: {minimum}"
        )
    return Example(loss, minimum.theta, data)


# The names of the first editions.
carried_network = running_example
Carried = Example
