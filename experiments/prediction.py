"""Does sharpness predict the test error? Networks on two data sets, and what random rescaling that
keeps their functions does to the answer: python -m experiments.prediction

A sweep that was stopped goes on where it was. The parameters of the digits' networks are stored
beside their table, so that they can be measured at other twins.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from tqdm import tqdm

import sharpminima as sm

from . import RESULTS

MEASURES = {
    name: sm.MEASURES[name]
    for name in (
        "trace",
        "largest_eigenvalue",
        "frobenius_norm",
        "log_determinant",
        "box_average",
        "gradient_norm",
        "squared_norm",
        "product_of_frobenius_norms",
        "product_of_spectral_norms",
        "asam_filter_average",
        "minimum_sharpness_layers",
        "minimum_sharpness_units",
        "asam_average",
        "asam_worst",
        "normalized_flatness_icml",
        "relative_flatness_first",
        "relative_flatness_normalized",
        "fisher_rao",
        "path_norm",
        "input_gradient_norm",
    )
}
NODE_FACTORS = (1.5, 3.0, 10.0, 30.0, 100.0)
SHIFT_SIZES = (0.3, 1.0, 3.0)
NODE_SCALE = sm.TRANSFORMATIONS["node_scale"]
SOFTMAX_SHIFT = sm.TRANSFORMATIONS["softmax_shift"]
TWINS = {
    **{f"node_scale {factor:g}": NODE_SCALE.with_(factor=factor) for factor in NODE_FACTORS},
    **{f"softmax_shift {size:g}": SOFTMAX_SHIFT.with_(size=size) for size in SHIFT_SIZES},
}
TRAINING = {"n_train": 200, "max_epochs": 200, "stop_at": 0.1}
DIGITS = {
    "widths": [(64, 8, 10), (64, 12, 10)],
    "init_scale": [0.5, 1.0, 2.0, 3.0],
    "learning_rate": [0.1, 0.3],
    "batch_size": [10, 50],
    "l2": [0.0, 1e-3],
    "label_noise": [0.0, 0.1],
    "split": [0, 1],
}
CANCER = {
    **DIGITS,
    "widths": [(30, 8, 2), (30, 12, 2)],
    "label_noise": [0.0],
}


def load_cancer():
    """Return scikit-learn's breast cancer data: 30 standardized inputs (569, 30), and labels."""
    data = load_breast_cancer()
    x = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    return x, data.target


def sweep_digits(grid=DIGITS, **options):
    """Return the table of the digits' networks, as trained and at their twins."""
    return sm.sweep(grid, measures=MEASURES, transformations=TWINS, **TRAINING, **options)


def sweep_cancer(grid=CANCER, **options):
    """Return the table of the second data set's networks, as trained and at a few twins."""
    twins = {name: TWINS[name] for name in ("node_scale 10",)}
    data = load_cancer()
    return sm.sweep(
        grid, measures=MEASURES, transformations=twins, data=data, **TRAINING, **options
    )


SWEEPS = {"digits": sweep_digits, "cancer": sweep_cancer}


def find_result(name: str) -> Path:
    """Return where the table of one of `SWEEPS` is stored."""
    return RESULTS / f"prediction-{name}.npz"


def find_networks(name: str) -> Path:
    """Return where the parameters of the networks of one of `SWEEPS` are stored."""
    return RESULTS / f"prediction-{name}-networks.npz"


def train_row(table, row: int):
    """Return the digits' network of a row of the table, trained again."""
    setting = {name: table[name][row] for name in (*DIGITS, "seed")}
    return sm.train_network(**setting, **TRAINING)


def store_networks(table):
    """Train the digits' networks again, and store their parameters in single precision, row after
    row, each as `sm.ravel` has them.
    """
    rows = tqdm(range(len(table)), desc="networks", leave=False)
    thetas = [train_row(table, row).theta for row in rows]
    weights = np.concatenate(thetas).astype(np.float32)
    np.savez_compressed(find_networks("digits"), weights=weights)


def main():
    RESULTS.mkdir(exist_ok=True)
    store = Path(tempfile.gettempdir()) / "sharpminima-prediction"
    for name, run in SWEEPS.items():
        table = run(store=store / name)
        sm.write_table(table, find_result(name))
        trained = np.mean([status.startswith("trained") for status in table["status"]])
        print(f"{name}: {len(table)} networks, {trained:.0%} trained", file=sys.stderr)
    store_networks(sm.read_table(find_result("digits")))


if __name__ == "__main__":
    main()
