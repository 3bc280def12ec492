"""A sweep on a real cluster of Dask: two worker processes on this machine.

Not seen here: a cluster of several machines, and a scheduler that is lost.
"""

import distributed
import numpy as np
import pytest

import sharpminima as sm
from tests.sharpminima.test_sweeps import GRID, SHORT, die_once, listed, run


@pytest.fixture
def executor(tmp_path, monkeypatch):
    """The executor of a cluster with two workers, which can read the tests' measures."""
    monkeypatch.setenv("SWEEP_TEST_MARKER", str(tmp_path / "marker"))
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, local_directory=str(tmp_path)) as cluster:
        with distributed.Client(cluster) as client:
            yield client.get_executor()


def test_two_workers_give_the_same_numbers_to_the_last_bit(executor):
    assert listed(sm.sweep(GRID, **SHORT, executor=executor)) == listed(run())


def test_a_worker_that_is_killed_loses_only_its_task(executor, tmp_path):
    marker = tmp_path / "marker"
    marker.touch()
    options = {**SHORT, "measures": {"norm": die_once}, "store": tmp_path / "store"}
    table = sm.sweep(GRID, **options, executor=executor)
    assert not marker.exists()
    np.testing.assert_array_equal(table["norm"], run(measures={"norm": die_once})["norm"])
    assert len((tmp_path / "store" / "rows.jsonl").read_text().splitlines()) == 4
