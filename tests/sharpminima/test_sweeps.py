"""A sweep against loops written by hand, over several kinds of workers, and stores that were cut
off, changed or made by somebody else.

Not seen here: that a network is trained well, and clusters of more than one machine.
"""

import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

import sharpminima as sm
from sharpminima import sweeps
from sharpminima.fingerprints import fingerprint

GRID = {"widths": [(64, 4, 10), (64, 6, 10)], "init_scale": [0.5, 1.0]}
MEASURES = {"norm": sm.MEASURES["squared_norm"], "trace": sm.MEASURES["trace"]}
SHORT = {"n_train": 60, "max_epochs": 12, "measures": MEASURES}
SETTINGS = ("widths", "init_scale", "learning_rate", "batch_size", "l2", "label_noise", "split")


def run(grid=GRID, **options):
    """Return a small sweep, by default in this process."""
    with ThreadPoolExecutor(1) as executor:
        return sm.sweep(grid, **{"executor": executor, **SHORT, **options})


def listed(table, but=("seconds",)):
    """Return a table's columns as lists, without what differs from run to run."""
    return {name: list(table[name]) for name in table.columns if name not in but}


def die_once(point):
    """A measure whose worker dies at its first call: the file named in the environment is gone
    then.
    """
    marker = os.environ["SWEEP_TEST_MARKER"]
    if os.path.exists(marker) and len(point.theta) == 64 * 6 + 60:
        os.remove(marker)
        os.kill(os.getpid(), signal.SIGKILL)
    return float(np.sum(point.theta**2))


def die_once_at_three(point):
    """A measure that kills its worker at the first call for each of three networks: those whose
    width has a file in the folder named in the environment.
    """
    marker = os.path.join(os.environ["SWEEP_TEST_MARKER"], str(point.loss.widths[1]))
    if os.path.exists(marker):
        os.remove(marker)
        os.kill(os.getpid(), signal.SIGKILL)
    return float(np.sum(point.theta**2))


def die_at_six(point):
    """A measure that kills the worker of every network with six hidden units."""
    if point.loss.widths[1] == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1.0


# One network


def test_a_network_is_trained_as_by_hand():
    from sklearn.datasets import load_digits

    images = load_digits()
    x, y = images.data / 16, images.target
    order = np.random.default_rng(3).permutation(len(x))
    train, test = order[:50], order[50:]
    rng = np.random.default_rng(7)
    rng.permutation(50)  # which labels would be replaced
    loss = sm.NetworkLoss((64, 5, 10), x[train], y[train], criterion="cross_entropy")
    theta = 2 * sm.ravel(sm.init_params((64, 5, 10), rng=rng))
    theta = sm.sgd(loss, theta, epochs=4, batch_size=8, learning_rate=0.2, rng=rng)
    outputs = sm.forward(sm.unravel(theta, (64, 5, 10)), x[test])
    trained = sm.train_network(
        (64, 5, 10),
        seed=7,
        init_scale=2.0,
        learning_rate=0.2,
        batch_size=8,
        split=3,
        n_train=50,
        max_epochs=4,
    )
    np.testing.assert_array_equal(trained.theta, theta)
    assert trained.train_loss == loss(theta)
    assert trained.test_error == np.mean(outputs.argmax(axis=1) != y[test])
    assert (trained.epochs, trained.status) == (4, "out of epochs")


def test_training_ends_where_it_was_asked_to():
    asked = 1.0
    trained = sm.train_network((64, 8, 10), seed=0, n_train=60, stop_at=asked)
    before = sm.train_network((64, 8, 10), seed=0, n_train=60, max_epochs=trained.epochs - 1)
    assert trained.status == "trained"
    assert trained.train_loss <= asked < before.train_loss
    same = sm.train_network((64, 8, 10), seed=0, n_train=60, stop_at=trained.train_loss)
    assert (same.epochs, same.status) == (trained.epochs, "trained")  # at most that loss


def test_a_batch_of_more_than_all_samples_is_refused():
    whole = sm.train_network((64, 4, 10), seed=0, n_train=30, batch_size=30, max_epochs=1)
    assert whole.epochs == 1
    with pytest.raises(ValueError, match="batch_size must be at most n_train, 30, got 31"):
        sm.train_network((64, 4, 10), seed=0, n_train=30, batch_size=31, max_epochs=1)


@pytest.mark.parametrize("share, count", [(0.3, 15), (1.0, 50)])
def test_a_share_of_the_training_labels_is_replaced_by_others(share, count):
    clean = sm.train_network((64, 4, 10), seed=1, n_train=50, max_epochs=1)
    noisy = sm.train_network((64, 4, 10), seed=1, n_train=50, max_epochs=1, label_noise=share)
    assert np.sum(clean.loss.y.argmax(axis=1) != noisy.loss.y.argmax(axis=1)) == count
    np.testing.assert_array_equal(clean.loss.x, noisy.loss.x)


def test_one_output_learns_signs_by_squared_error():
    trained = sm.train_network((64, 8, 1), seed=0, max_epochs=30)
    assert trained.loss.criterion == "squared_error"
    assert trained.test_error < 0.25  # half of them is chance
    outputs = np.array([[0.5], [0.0], [-0.5]])
    assert sweeps._classify(outputs, "squared_error").tolist() == [1, -1, -1]


def test_ones_own_data_are_taken():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2))
    y = (x[:, 0] > 0).astype(int)
    trained = sm.train_network((2, 8, 2), seed=0, data=(x, y), n_train=80, learning_rate=0.5)
    assert trained.test_error < 0.2
    signs = sm.train_network((2, 8, 1), seed=0, data=(x, 2.0 * y - 1), n_train=80)
    assert signs.test_error < 0.2


def test_weight_decay_makes_weights_smaller():
    free = sm.train_network((64, 8, 10), seed=0, n_train=60, max_epochs=20)
    decayed = sm.train_network((64, 8, 10), seed=0, n_train=60, max_epochs=20, l2=0.1)
    assert np.linalg.norm(decayed.theta) < 0.8 * np.linalg.norm(free.theta)
    assert decayed.train_loss == decayed.loss(decayed.theta)
    mean = sm.NetworkLoss((64, 8, 10), decayed.loss.x, decayed.loss.y, criterion="cross_entropy")
    assert decayed.train_loss == mean(decayed.theta)  # without the decay


# The table


def test_every_combination_is_a_row():
    table = run(seeds=range(2))
    results = ("train_loss", "test_error", "epochs", "status", "seconds")
    assert list(table.columns) == [*SETTINGS, "seed", "norm", "trace", *results]
    rows = list(zip(table["widths"], table["init_scale"], table["seed"], strict=True))
    assert rows == [(w, s, k) for w in GRID["widths"] for s in GRID["init_scale"] for k in (0, 1)]
    for n, (widths, init_scale, seed) in enumerate(rows):
        trained = sm.train_network(
            widths, seed=seed, init_scale=init_scale, n_train=60, max_epochs=12
        )
        point = sm.Point(trained.loss, trained.theta)
        assert table["norm"][n] == pytest.approx(np.sum(trained.theta**2), rel=1e-12)
        assert table["trace"][n] == pytest.approx(np.trace(point.hessian), rel=1e-9)
        assert table["train_loss"][n] == trained.train_loss
        assert table["test_error"][n] == trained.test_error
    assert table.attrs["training"] == {"n_train": 60, "max_epochs": 12, "stop_at": 0.01}
    assert table.attrs["versions"]["sharpminima"] == sm.__version__


def test_measures_are_taken_at_twins_too():
    by = sm.TRANSFORMATIONS["layer_scale"].with_(factor=100.0)
    both = {"norm": MEASURES["norm"], "path": sm.MEASURES["path_norm"]}
    table = run({"widths": [(64, 4, 10)]}, transformations={"a": by}, seeds=[4, 5], measures=both)
    for n, seed in enumerate([4, 5]):
        task = {name: table[name][n] for name in (*SETTINGS, "seed")}
        trained = sm.train_network((64, 4, 10), seed=seed, n_train=60, max_epochs=12)
        _, twin = by(trained.loss, trained.theta, sweeps.make_twin_generator(task, "a"))
        assert table["norm after a"][n] == pytest.approx(np.sum(twin**2), rel=1e-12)
        assert abs(table["norm after a"][n] / table["norm"][n] - 1) > 0.01
        assert table["path after a"][n] == pytest.approx(table["path"][n], rel=1e-9)


def test_networks_of_one_seed_are_not_moved_alike():
    factor = {}

    def by(loss, theta, rng):
        factor[len(factor)] = rng.uniform()
        return loss, theta

    run(transformations={"twin": by, "other": by})
    again = dict(factor)
    factor.clear()
    run(transformations={"twin": by, "other": by})
    assert len(set(factor.values())) == 8 and factor == again


def test_what_diverges_or_is_undefined_is_a_row_that_says_so():
    def refuse(point):
        raise sm.Undefined("not today")

    grid = {"widths": [(64, 1)], "learning_rate": [0.01, 1e9]}
    table = run(grid, measures={"norm": MEASURES["norm"], "none": refuse})
    assert list(table["status"])[0] == "out of epochs; none is undefined: not today"
    assert list(table["status"])[1] == "diverged"
    assert np.isnan(table["none"]).all()
    assert np.isfinite(table["norm"][0]) and np.isnan(table["norm"][1])
    assert np.isnan(table["test_error"][1])


def test_a_network_whose_units_are_all_off_is_not_measured():
    table = run({"widths": [(64, 4, 10), (64, 6, 10)], "learning_rate": [1e9]})
    assert list(table["status"]) == ["all units off"] * 2
    assert np.isnan(table["norm"]).all() and np.isnan(table["trace"]).all()
    np.testing.assert_allclose(table["train_loss"], np.log(10), rtol=1e-15)
    assert np.isfinite(table["test_error"]).all()


def test_units_of_which_one_is_on_at_one_sample_are_not_all_off():
    loss = sm.NetworkLoss((1, 2, 1), [[1.0], [-1.0], [2.0]], [0.0, 0.0, 0.0])
    assert sweeps._has_all_units_off(loss, np.zeros(4))
    assert not sweeps._has_all_units_off(loss, np.array([-1.0, 0.0, 1.0, 1.0]))
    deep = loss.like(widths=(1, 1, 1, 1))
    assert not sweeps._has_all_units_off(deep, np.array([1.0, 1.0, 1.0]))
    assert sweeps._has_all_units_off(deep, np.array([1.0, -1.0, 1.0]))


ONE = {"grid": {"widths": [(64, 2, 10)]}, "n_train": 20, "max_epochs": 1}


def test_every_task_uses_one_thread_of_the_blas():
    def count_threads(point):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        return float(max((pool["num_threads"] for pool in pools), default=1))

    class Here(ThreadPoolExecutor):
        def submit(self, function, *args):
            future = Future()
            future.set_result(function(*args))
            return future

    with Here(1) as executor, threadpool_limits(2):  # which only the thread that set it may change
        table = run(**ONE, measures={"threads": count_threads}, executor=executor)
    assert list(table["threads"]) == [1.0]


def test_seconds_are_those_of_one_task(monkeypatch):
    clock = SimpleNamespace(perf_counter=iter([1000.0, 1002.5]).__next__)
    monkeypatch.setattr(sweeps, "time", clock)
    assert list(run(**ONE)["seconds"]) == [2.5]


def test_a_mistake_in_a_measure_ends_the_sweep_and_names_the_network():
    def misspelt(point):
        return point.hessain

    with pytest.raises(AttributeError, match="hessain") as caught:
        run(measures={"misspelt": misspelt})
    assert "(64, 4, 10)" in caught.value.__notes__[0]


def test_without_pandas_there_is_a_plain_table(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = run()
    assert type(table) is sm.Table
    assert len(table) == 4 and "norm" in table and list(table) == table.columns
    assert "4 rows" in repr(table)
    with pytest.raises(KeyError, match="'nrom'"):
        table["nrom"]


def test_with_pandas_it_is_its_frame():
    import pandas

    table = run()
    assert type(table) is pandas.DataFrame
    assert table.groupby("init_scale")["norm"].mean().is_monotonic_increasing


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize("has_pandas", [True, False])
def test_a_written_table_is_read_bit_by_bit(tmp_path, monkeypatch, suffix, has_pandas):
    if not has_pandas:
        monkeypatch.setitem(sys.modules, "pandas", None)
    table = run({"widths": [(64, 1)], "learning_rate": [0.01, 1e9]})
    path = tmp_path / f"table{suffix}"
    sm.write_table(table, path)
    again = sm.read_table(path)
    assert type(again) is type(table)
    assert list(again.columns) == list(table.columns)
    for name in table.columns:
        before, after = list(table[name]), list(again[name])
        assert before == after or np.array_equal(before, after, equal_nan=True), name
    if suffix == ".npz":
        assert again.attrs == table.attrs


def test_the_progress_bar_counts_what_is_stored_and_is_gone_at_the_end(tmp_path, monkeypatch):
    shown = io.StringIO()
    options = {"disable": False, "file": shown, "mininterval": 0, "miniters": 1}
    run(**ONE, store=tmp_path)
    monkeypatch.setattr(sweeps, "tqdm", partial(tqdm, **options))
    run(**{**ONE, "store": tmp_path, "seeds": range(3)})
    counts = re.findall(r"(\d)/(\d)", shown.getvalue())
    assert counts == [("1", "3"), ("2", "3"), ("3", "3")]
    assert "\n" not in shown.getvalue()


# Workers


@pytest.mark.parametrize("counted, expected", [(5, 5), (None, 1), (61, 61), (100, 61)])
def test_there_is_a_worker_for_each_core_as_far_as_windows_takes_them(
    counted, expected, monkeypatch
):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert sweeps._count_cores() == expected


def test_a_process_may_use_fewer_cores_than_there_are(monkeypatch):
    allowed = {0: {2, 3, 5}}  # of process 0, which means this one
    monkeypatch.setattr(os, "sched_getaffinity", allowed.__getitem__, raising=False)
    assert sweeps._count_cores() == 3


def test_a_few_tasks_for_each_process_are_handed_over(monkeypatch):
    monkeypatch.setattr(sweeps, "_count_cores", lambda: 5)
    workers = sweeps.OwnWorkers()  # no process starts before there is a task
    assert workers.count_most() == 5 * sweeps.WAITING
    monkeypatch.setattr(sweeps, "IN_FLIGHT", 7)
    assert workers.count_most() == 7


def test_a_sweep_that_ends_early_waits_for_no_task():
    workers = sweeps.OwnWorkers()
    workers.pool = ThreadPoolExecutor(1)
    has_begun, may_end = Event(), Event()
    first = workers.pool.submit(lambda: (has_begun.set(), may_end.wait(5)))
    second = workers.pool.submit(int)
    has_begun.wait(5)
    workers.stop()
    assert not first.done() and second.cancelled()
    may_end.set()


def test_a_worker_unpacks_the_job_once():
    packed = sweeps._pack({"n_train": 60})
    assert sweeps._unpack(packed) == {"n_train": 60}
    assert sweeps._unpack(packed) is sweeps._unpack(packed)


def test_processes_give_the_same_numbers_as_one_thread():
    assert listed(sm.sweep(GRID, **SHORT)) == listed(run())


def test_a_function_of_a_script_reaches_the_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import numpy as np
            import sharpminima as sm

            if __name__ == "__main__":
                grid = {"widths": [(64, 4, 10)]}
                measures = {"mine": lambda point: float(np.sum(point.theta**2))}
                print(len(sm.sweep(grid, measures=measures, max_epochs=1)))
            """
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_a_function_that_no_pickler_can_send_is_refused(monkeypatch):
    sm.digits()  # scikit-learn needs cloudpickle when it is imported
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(ValueError, match="measures and transformations must be functions that"):
        sm.sweep(GRID, **{**SHORT, "measures": {"mine": lambda point: 0.0}})


def test_a_process_that_dies_costs_its_task_one_more_try(tmp_path, monkeypatch):
    marker = tmp_path / "marker"
    marker.touch()
    monkeypatch.setenv("SWEEP_TEST_MARKER", str(marker))
    table = sm.sweep(GRID, **{**SHORT, "measures": {"norm": die_once}})
    assert not marker.exists()
    np.testing.assert_array_equal(table["norm"], run(measures={"norm": die_once})["norm"])


SIX = {"widths": [(64, d, 10) for d in (4, 6, 8, 10, 12, 14)]}


def test_networks_that_kill_a_worker_once_each_cost_no_other_one(tmp_path, monkeypatch):
    for d in (4, 8, 12):
        (tmp_path / str(d)).touch()
    monkeypatch.setenv("SWEEP_TEST_MARKER", str(tmp_path))
    table = sm.sweep(SIX, **{**SHORT, "max_epochs": 1, "measures": {"norm": die_once_at_three}})
    assert not list(tmp_path.iterdir())
    assert list(table["widths"]) == SIX["widths"]
    assert np.isfinite(table["norm"]).all()


def test_the_network_at_which_a_process_always_dies_is_named(monkeypatch):
    monkeypatch.setattr(sweeps, "_count_cores", lambda: 2)
    options = {**SHORT, "max_epochs": 1, "measures": {"one": die_at_six}}
    with pytest.raises(RuntimeError, match=r"died 3 times at the network .*\(64, 6, 10\)"):
        sm.sweep({"widths": SIX["widths"][:3]}, **options)


def test_a_network_at_which_workers_always_die_is_named():
    class Dying(Executor):
        def submit(self, function, *args):
            future = Future()
            future.set_exception(OSError("gone"))
            return future

    with pytest.raises(RuntimeError, match=r"died 3 times at the network .*widths"):
        sm.sweep(GRID, **SHORT, executor=Dying())


def test_the_executors_pool_that_breaks_is_the_callers(tmp_path, monkeypatch):
    marker = tmp_path / "marker"
    marker.touch()
    monkeypatch.setenv("SWEEP_TEST_MARKER", str(marker))
    options = {**SHORT, "measures": {"norm": die_once}, "store": tmp_path / "store"}
    with ProcessPoolExecutor(1) as executor:
        with pytest.raises(sweeps.BrokenExecutor):
            sm.sweep(GRID, **options, executor=executor)
    with ProcessPoolExecutor(1) as executor:
        assert np.isfinite(sm.sweep(GRID, **options, executor=executor)["norm"]).all()


def test_a_grid_is_handed_over_in_portions(monkeypatch):
    assert sweeps.GivenWorkers(None).count_most() == 1000
    monkeypatch.setattr(sweeps, "IN_FLIGHT", 2)
    most = 0

    class Counting(ThreadPoolExecutor):
        pending = 0

        def submit(self, *args):
            nonlocal most
            self.pending += 1
            most = max(most, self.pending)
            future = super().submit(*args)
            future.add_done_callback(self.count_down)
            return future

        def count_down(self, future):
            self.pending -= 1

    with Counting(1) as executor:
        table = sm.sweep(GRID, **SHORT, executor=executor, seeds=range(3))
    assert len(table) == 12 and most <= 2


# The store


def counting(calls):
    def count(point):
        calls.append(point)
        return float(len(point.theta))

    return {"count": count}


def test_what_is_stored_is_not_computed_again(tmp_path):
    calls = []
    first = run(store=tmp_path, measures=counting(calls))
    assert len(calls) == 4
    again = run(store=tmp_path, measures=counting(calls))
    assert len(calls) == 4
    assert listed(again, but=()) == listed(first, but=())
    run({**GRID, "init_scale": [0.5, 1.0, 2.0]}, store=tmp_path, measures=counting(calls))
    assert len(calls) == 6
    assert len(sm.read_table(tmp_path / "table.csv")) == 6
    assert len(sm.read_table(tmp_path / "table.npz")) == 6


def test_a_store_that_was_cut_off_goes_on(tmp_path):
    calls = []
    run(store=tmp_path, measures=counting(calls))
    rows = tmp_path / "rows.jsonl"
    whole = rows.read_text()
    rows.write_text(whole[:-30])
    again = run(store=tmp_path, measures=counting(calls))
    assert len(calls) == 5
    assert list(again["count"]) == [64 * 4 + 40] * 2 + [64 * 6 + 60] * 2
    run(store=tmp_path, measures=counting(calls))
    assert len(calls) == 5


def test_a_store_of_which_nothing_is_written_yet_begins(tmp_path):
    run(store=tmp_path)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("")
    assert len(run(store=tmp_path)) == len(rows.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    "before, after", [("", ""), ("[", "[\n"), ("[]", "[]\n"), ("\n", "\n"), ("[]\n", "[]\n")]
)
def test_only_a_line_that_was_cut_off_is_ended(tmp_path, before, after):
    path = tmp_path / "rows.jsonl"
    path.write_text(before)
    sweeps._end_last_line(path)
    assert path.read_text() == after


def test_rows_are_read_as_they_were_written_past_what_was_cut_off(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert list(sweeps._read_rows(path)) == []
    sweeps._append_row(tmp_path, {"seed": 0}, {"norm": 1.5, "status": "trained"})
    with open(path, "a") as file:
        file.write('[{"seed": 1}, {"no\n')
    sweeps._append_row(tmp_path, {"seed": 2}, {"norm": math.nan, "status": "diverged"})
    assert path.read_text().endswith('[{"seed": 2}, {"norm": null, "status": "diverged"}]\n')
    (first, whole), (second, diverged) = sweeps._read_rows(path)
    assert (first, second) == ('{"seed": 0}', '{"seed": 2}')
    assert whole == {"norm": 1.5, "status": "trained"}
    assert math.isnan(diverged["norm"]) and diverged["status"] == "diverged"


def test_a_row_is_known_in_whatever_order_its_names_stand(tmp_path):
    calls = []
    folder = tmp_path / "new" / "store"
    run(**ONE, store=folder, measures=counting(calls))
    path = folder / "rows.jsonl"
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True) + "\n")
    run(**ONE, store=folder, measures=counting(calls))
    assert len(calls) == 1


def test_a_store_is_read_line_by_line(tmp_path):
    row = json.dumps([{"seed": 0}, {"text": "x" * 1000}]) + "\n"
    path = tmp_path / "rows.jsonl"
    path.write_text(row * 2000)
    tracemalloc.start()
    sweeps._end_last_line(path)
    assert sum(1 for _ in sweeps._read_rows(path)) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 4


def test_a_sweep_that_was_stopped_leaves_what_it_had(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "IN_FLIGHT", 1)
    calls = []

    def stop_at_third(point):
        calls.append(point)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        run(store=tmp_path, measures={"stop": stop_at_third})
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2
    assert len(run(store=tmp_path, measures={"stop": stop_at_third})) == 4
    assert len(calls) == 5


def test_rows_of_another_grid_stay_and_are_said(tmp_path):
    run(store=tmp_path)
    options = {**SHORT, "store": tmp_path}
    with ThreadPoolExecutor(1) as executor:
        with pytest.warns(UserWarning, match="the grid has changed: 2 of the 4 networks") as said:
            table = sm.sweep({**GRID, "init_scale": [0.5]}, executor=executor, **options)
    assert len(table) == 2 and said[0].filename == __file__
    assert len(run(store=tmp_path)) == 4


@pytest.mark.parametrize(
    "other, what",
    [
        ({"max_epochs": 13}, "training"),
        ({"n_train": 61}, "training"),
        ({"stop_at": 0.5}, "training"),
        ({"measures": {"norm": MEASURES["norm"]}}, "measures"),
        ({"transformations": {"twin": sm.TRANSFORMATIONS["permutation"]}}, "transformations"),
        ({"data": (np.eye(70, 64), np.arange(70) % 10)}, "data"),
    ],
)
def test_a_store_that_was_made_otherwise_is_refused(tmp_path, other, what):
    run(store=tmp_path)
    with pytest.raises(ValueError, match=f"store was made with other {what}"):
        run(store=tmp_path, **other)


def test_a_store_of_another_version_is_refused(tmp_path):
    run(store=tmp_path)
    about = tmp_path / "sweep.json"
    described = json.loads(about.read_text())
    described["versions"]["sharpminima"] = "0.0.1"
    about.write_text(json.dumps(described))
    with pytest.raises(ValueError, match=r"store was made with other versions.*0\.0\.1"):
        run(store=tmp_path)


def close_over(value):
    return lambda point: value


def bind(value):
    """Return a method of an object whose class has the same name for every value."""

    class Mine:
        def measure(self, point):
            return value

    return Mine().measure


SCALE = sm.TRANSFORMATIONS["node_scale"]
SAM = sm.MEASURES["sam_worst"]
FUNCTIONS = {
    "a constant": (lambda p: 1.0, lambda p: -1.0),
    "a name": (lambda p: p.value, lambda p: p.theta),
    "a default": (lambda p, c=1.0: c, lambda p, c=2.0: c),
    "a keyword": (lambda p, *, c=1.0: c, lambda p, *, c=2.0: c),
    "a closure": (close_over(1.0), close_over(2.0)),
    "an integer": (close_over(1000), close_over(1001)),
    "a complex number": (close_over(1j), close_over(2j)),
    "a text": (close_over("one"), close_over("two")),
    "bytes": (close_over(b"one"), close_over(b"two")),
    "a tuple": (close_over((1.0, 2.0)), close_over((1.0, 3.0))),
    "a frozen set": (close_over(frozenset({1, 2})), close_over(frozenset({1, 3}))),
    "a slice": (close_over(slice(1, 2)), close_over(slice(1, 3))),
    "a number of numpy": (close_over(np.float32(1)), close_over(np.float32(2))),
    "a method": (bind(1.0), bind(2.0)),
    "a function within": (lambda p: lambda q: 1.0, lambda p: lambda q: 2.0),
    "an array": (close_over(np.zeros(2)), close_over(np.ones(2))),
    "an inner function": (close_over(lambda p: 1.0), close_over(lambda p: 2.0)),
    "partial": (partial(SAM, rho=0.1), partial(SAM, rho=0.2)),
    "partial's list": (partial(SAM, [1, 2]), partial(SAM, [1, 3])),
    "partial's dictionary": (partial(SAM, {"a": 1}), partial(SAM, {"a": 2})),
    "a measure": (sm.MEASURES["trace"], sm.MEASURES["squared_norm"]),
    "a measure's option": (SAM.with_(rho=0.1), SAM.with_(rho=0.2)),
    "a strength": (SCALE.with_(factor=3.0), SCALE.with_(factor=100.0)),
    "a transformation": (SCALE, sm.TRANSFORMATIONS["permutation"]),
    "a ufunc": (np.sin, np.cos),
}


@pytest.mark.parametrize("one, other", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_that_differ_have_other_fingerprints(one, other):
    assert fingerprint(one) == fingerprint(one) != fingerprint(other)


def test_a_helper_and_a_number_of_the_same_module_count():
    def define(helper="p.value", **values):
        names = {"__name__": "mine", "FACTOR": 1.0, "SHIFT": np.zeros(2), "by": SAM, **values}
        exec(f"def help_out(p): return {helper}", names)
        exec("def measure(p): return FACTOR * help_out(p.theta) + SHIFT[0] + by(p)", names)
        return fingerprint(names["measure"])

    assert define() == define() == define(theta=1.0)
    assert define() != define("2 * p.value")
    assert define() != define(FACTOR=3.0)
    assert define() != define(SHIFT=np.ones(2))
    assert define() != define(by=SAM.with_(rho=2.0))
    assert define(by=sm.trace) != define(by=sm.eigenvalues)


def test_a_number_that_an_inner_function_reads_counts():
    def define(factor):
        names = {"__name__": "mine", "FACTOR": factor}
        exec("def measure(p): return [(lambda q: FACTOR * q)(1.0)]", names)
        return fingerprint(names["measure"])

    assert define(1.0) == define(1.0) != define(2.0)


def test_what_an_array_of_objects_holds_does_not_count():
    one, other = (np.array([object()], dtype=object) for _ in range(2))
    assert fingerprint(close_over(one)) == fingerprint(close_over(other))


def test_words_about_a_function_do_not_count():
    def define(words):
        names = {}
        exec(f'def measure(p):\n    """{words}"""\n    return 1.0  # {words}', names)
        return fingerprint(names["measure"])

    assert define("This.") == define("That.")


def test_a_function_that_calls_itself_has_a_fingerprint():
    def count(n):
        return 0 if n == 0 else count(n - 1)

    assert len(fingerprint(count)) == 64


def list_fingerprints():
    """Return the fingerprints of what a store may hold, one a line."""
    mixed = {"set": lambda p: p.value in {"one", "two", "three"}, "loss": close_over(object())}
    functions = {**sm.MEASURES, **sm.TRANSFORMATIONS, **mixed}
    pairs = [f"{name} {fingerprint(function)}" for name, function in functions.items()]
    pairs += [fingerprint(function) for pair in FUNCTIONS.values() for function in pair]
    return "\n".join(pairs)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_finds_the_same_fingerprints(hash_seed):
    code = f"from {__name__} import list_fingerprints; print(list_fingerprints())"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == list_fingerprints(), done.stderr


@pytest.mark.parametrize(
    "other, message",
    [
        ({"measures": {**MEASURES, "norm": lambda p: -1.0}}, "in measures for 'norm'"),
        ({"transformations": {"n": SCALE.with_(factor=100.0)}}, "in transformations for 'n'"),
    ],
)
def test_a_store_with_another_function_of_one_name_is_refused(tmp_path, other, message):
    options = {"transformations": {"n": SCALE.with_(factor=3.0)}, "store": tmp_path}
    run(**options)
    run(**options)
    with pytest.raises(ValueError, match=f"store was made with another function {message}"):
        run(**options | other)


@pytest.mark.parametrize("inner", ["", "store"])
def test_a_store_that_is_a_file_is_refused(tmp_path, inner):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="store must be a folder, got a path with a file: .*file"):
        run(store=tmp_path / "file" / inner)


# What cannot be swept


@pytest.mark.parametrize(
    "grid, message",
    [
        ([(64, 4, 10)], "grid must be a mapping"),
        ({}, "grid must name the widths"),
        ({"width": [4]}, "grid may name widths, .*'width'"),
        ({"widths": (64, 4, 10)}, r"each of widths must be a tuple of integers"),
        ({"widths": []}, r"grid\['widths'\] must hold at least one value"),
        ({**GRID, "l2": 0.1}, r"grid\['l2'\] must be a list of values, got 0.1"),
        ({**GRID, "l2": [-0.1]}, "l2 must be at least 0"),
        ({**GRID, "l2": [np.nan]}, "l2 must be finite"),
        ({**GRID, "label_noise": [1.5]}, "label_noise must be between 0 and 1"),
        ({**GRID, "label_noise": [-0.5]}, "label_noise must be between 0 and 1, got -0.5"),
        ({"widths": ["64"]}, r"each of widths must be a tuple of integers, .*'64'"),
        ({**GRID, "learning_rate": [0.0]}, "learning_rate must be positive"),
        ({**GRID, "batch_size": [0]}, "batch_size must be an integer of at least 1"),
        ({**GRID, "batch_size": [60, 61]}, "batch_size must be at most n_train, 60, got 61"),
        ({**GRID, "split": [-1]}, "split must be an integer of at least 0"),
        ({**GRID, "init_scale": [1.0, 1]}, "must hold each value once"),
        ({"widths": [(63, 4, 10)]}, r"widths must begin with 64 inputs .*\(63, 4, 10\)"),
        ({"widths": [(64, 4, 9)]}, "end with 10 outputs"),
        ({"widths": [(64, 4, 1), (64, 4, 10)]}, "got both"),
    ],
)
def test_a_grid_that_cannot_be_trained_is_refused(grid, message):
    with pytest.raises(ValueError, match=message):
        run(grid, max_epochs=1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"measures": {}}, "measures must hold at least one measure"),
        ({"measures": [np.sum]}, "measures must be a mapping"),
        ({"measures": {"norm": 3}}, "measures must map names to functions"),
        ({"measures": {3: np.sum}}, "measures must map names to functions, got 3: "),
        ({"measures": {"seed": np.sum}}, "measures may not be named as other columns, got seed"),
        (
            {"measures": {"a": np.sum, "a after n": np.sum}, "transformations": {"n": np.sum}},
            "measures may not be named as the columns of their twins, got a after n$",
        ),
        ({"executor": 2}, "executor must be a concurrent.futures.Executor, .*, got 2"),
        ({"executor": ThreadPoolExecutor}, "executor must be a .* got <class .*ThreadPoolExecutor"),
        ({"transformations": ["twin"]}, "transformations must be a mapping"),
        ({"seeds": [0, 0]}, "seeds must hold each value once"),
        ({"seeds": []}, "seeds must hold at least one value"),
        ({"seeds": [0.5]}, "each of seeds must be an integer"),
        ({"seeds": [-1]}, "each of seeds must be an integer of at least 0"),
        ({"n_train": 1797}, "n_train must be less than the number of samples, 1797"),
        ({"data": np.eye(3)[0]}, "data must be a pair"),
        ({"data": (np.eye(64), np.zeros(3, int))}, r"targets of data must have shape \(64,\)"),
        ({"data": (np.eye(64), np.full(64, 0.5))}, "integer labels from 0 on, or -1.0 and 1.0"),
        ({"data": (np.eye(64), np.full(64, -1))}, "integer labels from 0 on"),
        (
            {"grid": {"widths": [(64, 1, 2)]}, "data": (np.eye(64), np.tile([-1.0, 1.0], 32))},
            "widths must begin with 64 inputs and end with 1 outputs",
        ),
        ({"data": (np.full((64, 64), np.nan), np.zeros(64, int))}, "inputs of data must be finite"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        run(**{"max_epochs": 1, **options})


def test_a_table_goes_to_csv_and_npz_only(tmp_path):
    with pytest.raises(ValueError, match="path must end in .csv or .npz, got 'a.txt'"):
        sm.write_table(sm.Table({"a": [1]}), tmp_path / "a.txt")
    with pytest.raises(ValueError, match=".csv or .npz"):
        sm.read_table(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="columns must have one length"):
        sm.Table({"a": [1], "b": [1, 2]})


def test_a_table_is_made_of_columns_and_attrs_by_name():
    table = sm.Table({"a": [1, 2]}, {"seed": 3})
    assert table.attrs == {"seed": 3} and sm.Table({"a": [1, 2]}).attrs == {}
    assert len(table) == 2 and len(sm.Table({})) == 0
    with pytest.raises(ValueError, match="columns must be a mapping .*, got list"):
        sm.Table([1, 2])
    with pytest.raises(ValueError, match="attrs must be a mapping, got list"):
        sm.Table({"a": [1, 2]}, [])


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_a_table_without_rows_keeps_its_columns(tmp_path, suffix):
    sm.write_table(sm.Table({"a": [], "b": []}), tmp_path / f"empty{suffix}")
    again = sm.read_table(tmp_path / f"empty{suffix}")
    assert list(again.columns) == ["a", "b"] and len(again) == 0


def test_a_short_float_is_written_with_all_its_bits(tmp_path):
    tenth = np.float32(0.1)  # 0.100000001490116...
    sm.write_table(sm.Table({"a": np.array([tenth])}), tmp_path / "short.csv")
    assert list(sm.read_table(tmp_path / "short.csv")["a"]) == [float(tenth)]
