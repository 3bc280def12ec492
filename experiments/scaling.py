"""How a sweep scales: the same networks on one process, on two, and on two workers of Dask:
python -m experiments.scaling

All workers run the same tasks, one after the other and in several rounds, so that a busy moment of
the machine does not decide; they are started and have imported the library before the clock starts.
Seconds are those of one machine. What carries over are the ratios, and the bytes.
"""

import contextlib
import datetime
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import bookproof.machine
import sharpminima as sm

from . import RESULTS
from .prediction import DIGITS, MEASURES, TWINS

RESULT = RESULTS / "scaling.json"
ROUNDS = 3
NETWORKS = {
    "widths": [(64, 8, 10)],
    "init_scale": [1.0],
    "learning_rate": [0.3],
    "batch_size": [50],
    "split": list(range(24)),
}
TRAINING = {"n_train": 200, "max_epochs": 200, "stop_at": 0.1}
SHORT_MEASURES = {name: MEASURES[name] for name in ("trace", "path_norm")}
WARM_UP = {**NETWORKS, "split": [100, 101]}


@contextlib.contextmanager
def start_processes(count):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as executor:
        yield executor


@contextlib.contextmanager
def start_dask(count):
    import distributed

    options = {"n_workers": count, "threads_per_worker": 1, "dashboard_address": None}
    with tempfile.TemporaryDirectory() as folder:
        with distributed.LocalCluster(**options, local_directory=folder) as cluster:
            with distributed.Client(cluster) as client:
                yield client.get_executor()


WORKERS = {
    "one process": (start_processes, 1),
    "two processes": (start_processes, 2),
    "two Dask workers": (start_dask, 2),
}


def run(executor, grid=NETWORKS):
    """Return the table of the networks of a grid."""
    return sm.sweep(grid, measures=SHORT_MEASURES, executor=executor, **TRAINING)


def measure_workers(name, grid=NETWORKS):
    """Return what one round of tasks took: the networks, the seconds of the clock, and the seconds
    that the workers say they worked.
    """
    start, count = WORKERS[name]
    with start(count) as executor:
        run(executor, WARM_UP)
        began = time.perf_counter()
        table = run(executor, grid)
        seconds = time.perf_counter() - began
    return {"networks": len(table), "seconds": seconds, "worked": float(sum(table["seconds"]))}


def summarize(count, rounds):
    """Return the medians of several rounds on so many workers: networks a minute; the seconds of
    a worker's time for each task in which it did not work, but waited, sent or received; and those
    in which it worked.
    """
    speeds = [60 * each["networks"] / each["seconds"] for each in rounds]
    idle = [(count * each["seconds"] - each["worked"]) / each["networks"] for each in rounds]
    return {
        "networks_a_minute": statistics.median(speeds),
        "overhead_a_task": statistics.median(idle),
        "seconds_a_task": statistics.median(each["worked"] / each["networks"] for each in rounds),
    }


def measure_row():
    """Return the bytes of one row of the chapter's table, with all measures at all twins: in the
    store, in the table's file, and in the memory of the process that collects the rows.
    """
    grid = {name: values[:1] for name, values in DIGITS.items()}
    with tempfile.TemporaryDirectory() as folder:
        table = sm.sweep(
            grid,
            measures=MEASURES,
            transformations=TWINS,
            n_train=20,
            max_epochs=1,
            store=folder,
        )
        line = (Path(folder) / "rows.jsonl").read_text(encoding="utf-8")
    tracemalloc.start()
    row = json.loads(line)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del row
    return {
        "columns": len(table.columns),
        "stored": len(line.encode()),
        "in_memory": held,
    }


def measure(rounds=ROUNDS, grid=NETWORKS):
    """Return all that is stored: the rounds, their medians, the bytes, and where and when."""
    load = [os.getloadavg()[0]]
    taken = {name: [] for name in WORKERS}
    for _ in range(rounds):
        for name in WORKERS:
            taken[name].append(measure_workers(name, grid))
            load.append(os.getloadavg()[0])
            print(name, taken[name][-1], file=sys.stderr)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": bookproof.machine.facts(),
        "load": [min(load), max(load)],
        "workers": {
            name: {
                "count": count,
                "rounds": taken[name],
                **summarize(count, taken[name]),
            }
            for name, (_, count) in WORKERS.items()
        },
        "row": measure_row(),
    }


def main():
    RESULT.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
