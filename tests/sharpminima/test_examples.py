"""The digits against scikit-learn's own arrays: nothing lost, nothing twice, targets that belong to
their images.

That the pixels and labels scikit-learn ships are right is taken on trust, and so is NumPy's promise
that a seeded permutation stays what it is: another permutation would be seen only as different
numbers in the book.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets

import sharpminima as sm
from sharpminima import examples

ALL = sklearn.datasets.load_digits()


def as_rows(x, y):
    """Image and label in one integer row each, sorted: what a shuffle leaves as it is."""
    rows = np.column_stack([np.round(16 * x), y]).astype(int)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("n_train", [1, 200, 1796])
def test_the_split_has_every_image_once_with_its_label(n_train):
    split = sm.digits("class", n_train=n_train)
    assert split.x_train.shape == (n_train, 64) and split.y_train.shape == (n_train,)
    assert split.x_test.shape == (1797 - n_train, 64) and split.y_test.shape == (1797 - n_train,)
    x, y = np.vstack([split.x_train, split.x_test]), np.concatenate([split.y_train, split.y_test])
    np.testing.assert_array_equal(as_rows(x, y), as_rows(ALL.data / 16, ALL.target))


def test_pixels_are_exact_sixteenths_from_zero_to_one():
    x = sm.digits().x_train
    assert x.dtype == np.float64 and x.min() == 0 and x.max() == 1
    np.testing.assert_array_equal(x * 16, np.round(x * 16))


def test_parity_is_plus_one_for_even_and_minus_one_for_odd_digits():
    parity, digit = sm.digits(), sm.digits("class")
    assert parity.y_train.dtype == np.float64 and digit.y_train.dtype.kind == "i"
    np.testing.assert_array_equal(parity.y_train, [{0: 1.0, 1: -1.0}[d % 2] for d in digit.y_train])
    np.testing.assert_array_equal(parity.y_test, [{0: 1.0, 1: -1.0}[d % 2] for d in digit.y_test])
    np.testing.assert_array_equal(parity.x_train, digit.x_train)


def test_a_smaller_training_set_is_part_of_a_larger_one():
    small, large = sm.digits(n_train=50), sm.digits(n_train=300)
    np.testing.assert_array_equal(small.x_train, large.x_train[:50])
    np.testing.assert_array_equal(small.y_train, large.y_train[:50])
    np.testing.assert_array_equal(small.x_test[250:], large.x_test)


def test_the_split_is_fixed_and_shuffled():
    first = sm.digits("class").y_train[:10]
    np.testing.assert_array_equal(
        first, ALL.target[np.random.default_rng(0).permutation(1797)[:10]]
    )
    assert (first != ALL.target[:10]).any()


def test_two_calls_share_no_memory():
    one, other = sm.digits(), sm.digits()
    one.x_train[:] = 7
    assert other.x_train.max() == 1


BAD = {
    "target": (lambda: sm.digits("colour"), "target must be one of parity, class, got 'colour'"),
    "all for training": (
        lambda: sm.digits(n_train=1797),
        "n_train must be less than the number of images, 1797, got 1797",
    ),
    "none for training": (
        lambda: sm.digits(n_train=0),
        "n_train must be an integer of at least 1, got 0",
    ),
    "a fraction": (
        lambda: sm.digits(n_train=0.5),
        r"n_train must be an integer of at least 1, got 0\.5",
    ),
    "a bool": (
        lambda: sm.digits(n_train=True),
        "n_train must be an integer of at least 1, got True",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


@pytest.mark.parametrize(
    "genuine, value, accepted",
    [(True, 0.0, True), (True, 1e-20, True), (True, 1e-3, False), (False, 0.0, False)],
)
def test_the_running_example_is_a_genuine_minimum_that_fits_or_an_error(
    monkeypatch, genuine, value, accepted
):
    def stop_at(loss, theta):
        return SimpleNamespace(theta=theta, genuine=genuine, value=value)

    monkeypatch.setattr(examples, "sgd", lambda loss, theta, **options: theta)
    monkeypatch.setattr(examples, "polish", stop_at)
    if accepted:
        example = sm.running_example((64, 2, 1))
        np.testing.assert_array_equal(example.data.x_train, example.loss.x)
        return
    with pytest.raises(RuntimeError, match=r"^seed 3 with widths \(64, 2, 1\) ended at no genuine"):
        sm.running_example((64, 2, 1), seed=3)
