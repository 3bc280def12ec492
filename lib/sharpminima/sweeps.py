"""Many networks: every combination of a grid is trained, and measured where training ended.

A sweep is resumable, runs on any `concurrent.futures.Executor`, and gives a tidy table: one row a
network, with all that is needed to train it again.
"""

import hashlib
import itertools
import json
import math
import multiprocessing
import os
import pickle
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ._validation import Array, as_count, as_list, as_plain, as_positive, as_real
from .data_tables import Table, as_path, make_table, write_table
from .examples import load_all_digits
from .fingerprints import fingerprint
from .losses import NetworkLoss
from .networks import as_widths, init_params, ravel
from .points import Point, Undefined, evaluate
from .training import run_epoch

# What a grid may name, in the order of the table's columns, with what holds where it does not.
DEFAULTS = {
    "widths": None,
    "init_scale": 1.0,
    "learning_rate": 0.1,
    "batch_size": 20,
    "l2": 0.0,
    "label_noise": 0.0,
    "split": 0,
}
RESULTS = ("train_loss", "test_error", "epochs", "status", "seconds")
UNMEASURED = ("diverged", "all units off")  # where no measure is taken
IN_FLIGHT = 1000  # tasks that are handed to the executor at a time, however large the grid is
WAITING = 2  # tasks for each of a sweep's own processes: one at work, and one that waits
ATTEMPTS = 3  # how often a task is tried alone


class Trained(NamedTuple):
    """A network where its training ended: the `loss` on its training data, and `theta` (n,).

    `train_loss` is the value of that loss, without weight decay; `test_error` the share of the test
    samples that are classified wrongly; `status` is "trained" where the training loss came down to
    what was asked, "out of epochs", "diverged", or "all units off" where the last hidden layer is
    zero at all training samples, and with it the outputs and the gradient of the loss.
    """

    loss: NetworkLoss
    theta: Array
    train_loss: float
    test_error: float
    epochs: int
    status: str


def train_network(
    widths: Iterable[int],
    *,
    seed: int,
    init_scale: float = 1.0,
    learning_rate: float = 0.1,
    batch_size: int = 20,
    l2: float = 0.0,
    label_noise: float = 0.0,
    split: int = 0,
    data: tuple[ArrayLike, ArrayLike] | None = None,
    n_train: int = 200,
    max_epochs: int = 200,
    stop_at: float = 0.01,
) -> Trained:
    """Train one rectified network without biases by mini-batch SGD, and return where it ended.

    `data` is a pair of inputs (N, d_0) and targets (N,): integer labels for cross-entropy, or -1.0
    and 1.0 for squared error with one output; by default the 1797 digits, their parity for one
    output. They are shuffled by the seed `split`; the first `n_train` are for training, the others
    for the test. A share `label_noise` of the training labels is replaced by another one. Weights
    are drawn as by `init_params`, times `init_scale`. `l2` adds l2/2 |theta|^2 to the loss that is
    descended. Training ends after the first epoch whose training loss is at most `stop_at`, or
    after `max_epochs`.

    Raises ValueError for settings that are no such numbers, a batch of more than `n_train` samples,
    and data that do not fit `widths`.

    >>> trained = train_network((64, 8, 10), seed=0, max_epochs=2)
    >>> trained.status, trained.epochs
    ('out of epochs', 2)
    """
    setting = _as_setting(
        {
            "widths": widths,
            "init_scale": init_scale,
            "learning_rate": learning_rate,
            "batch_size": batch_size,
            "l2": l2,
            "label_noise": label_noise,
            "split": split,
        }
    )
    recipe = _as_recipe(n_train, max_epochs, stop_at)
    _refuse_large_batches([setting["batch_size"]], recipe.n_train)
    data = _as_data(data, [setting["widths"]], recipe.n_train)
    return _train(setting, as_count("seed", seed, least=0), data, recipe)


def sweep(
    grid: Mapping[str, Iterable],
    *,
    measures: Mapping[str, Callable[[Point], float]],
    transformations: Mapping[str, Callable] | None = None,
    executor: Executor | None = None,
    store: str | os.PathLike | None = None,
    seeds: Iterable[int] = range(1),
    data: tuple[ArrayLike, ArrayLike] | None = None,
    n_train: int = 200,
    max_epochs: int = 200,
    stop_at: float = 0.01,
) -> Table:
    """Train and measure every network of a grid, and return a table with one row for each.

    `grid` maps names to lists, of which every combination is trained with each of `seeds`:
    `widths`, and, where a single value of `train_network` does not serve, `init_scale`,
    `learning_rate`, `batch_size`, `l2`, `label_noise` and `split`. `data`, `n_train`, `max_epochs`
    and `stop_at` are those of `train_network`.

    `measures` maps names to functions of a `Point`. A measure is taken of the loss without weight
    decay. `transformations` maps names to functions (loss, theta, rng) -> twin, as those in
    `TRANSFORMATIONS`: each measure is also taken at one twin for each, in a column
    "<measure> after <transformation>". Only a `Transformation` checks that it kept the function
    that the network computes; of a bare function nobody does.

    The columns are the names of the grid, `seed`, the measures, `train_loss`, `test_error`,
    `epochs`, `status` and `seconds`. A measure is NaN where it is undefined, where the network
    diverged, and where all its units are off; `status` says which. The table is a pandas DataFrame
    where pandas is installed, else a `Table`, which has the columns by their names; its `attrs`
    hold versions and settings.

    Any `concurrent.futures.Executor` runs the tasks, `Client.get_executor()` of a Dask cluster too;
    by default processes of this machine do, one for each core. Every task uses one thread of the
    BLAS; threads of one process share that limit. No more than a thousand tasks are handed over at
    a time. Where a process dies, each task that fails by it is tried again with nothing beside it.
    One at which a worker then dies three times ends the sweep with a RuntimeError that names the
    network. A `ProcessPoolExecutor` of your own takes nothing more after a death, and ends the
    sweep with its BrokenExecutor; a store keeps what was done.

    `store` is a folder. Each row is written there as soon as it is known, so that a sweep that was
    stopped goes on where it was; at the end the table is written to it as table.csv and table.npz.
    All rows are held in memory until then. Rows of another grid stay in it. What would give other
    numbers, as another version of the library, other data, measures or training, is refused; so is
    another function of a name that was there, as far as code, constants, options and the numbers
    that it closes over tell. An object of a class of your own, and what functions of other modules
    do, goes by its name.

    Raises ValueError for a grid, measures, data or an executor that cannot be used, and for a store
    that is no folder or was made otherwise. An error in a measure's own code ends the sweep.
    """
    recipe = _as_recipe(n_train, max_epochs, stop_at)
    settings = _as_grid(grid)
    _refuse_large_batches(settings["batch_size"], recipe.n_train)
    seeds = [
        as_count("each of seeds", seed, least=0) for seed in as_list("seeds", seeds, "integers")
    ]
    _refuse_doubles("seeds", seeds)
    if transformations is None:
        transformations = {}
    _refuse_bad_measures(measures, transformations)
    _refuse_bad_executor(executor)
    data = _as_data(data, settings["widths"], recipe.n_train)
    job = Job(data, dict(measures), dict(transformations), recipe)
    n_rows = math.prod(map(len, settings.values())) * len(seeds)
    rows = _open_store(store, job)
    wanted = partial(_combine, settings, seeds)
    n_known = _count_known(rows, wanted(), store)
    missing = (task for task in wanted() if _write_key(task) not in rows)
    with tqdm(total=n_rows, initial=n_known, desc="sweep", unit="network", leave=False) as bar:
        for task, row in _run_all(job, missing, executor):
            rows[_write_key(task)] = row
            if store is not None:
                _append_row(store, task, row)
            bar.update()
    table = _tabulate(job, [{**task, **rows[_write_key(task)]} for task in wanted()])
    if store is not None:
        write_table(table, Path(store) / "table.csv")
        write_table(table, Path(store) / "table.npz")
    return table


# Training


class Recipe(NamedTuple):
    """What all networks of a sweep share: how many samples train them, and when training ends."""

    n_train: int
    max_epochs: int
    stop_at: float


class Data(NamedTuple):
    """Inputs (N, d_0) and targets (N,): labels, or -1.0 and 1.0."""

    x: Array
    y: Array


def _train(setting, seed, data, recipe):
    """Return the `Trained` network of one setting."""
    criterion = _choose_criterion(data)
    order = np.random.default_rng(setting["split"]).permutation(len(data.x))
    train = order[: recipe.n_train]
    test = order[recipe.n_train :]
    rng = np.random.default_rng(seed)
    y = _replace_labels(data.y[train], setting["label_noise"], rng, np.unique(data.y))
    widths = setting["widths"]
    loss = NetworkLoss(widths, data.x[train], y, criterion=criterion)
    descended = loss.like(l2=setting["l2"])
    theta = setting["init_scale"] * ravel(init_params(widths, rng=rng))
    status = "out of epochs"
    epoch = 0
    while status == "out of epochs" and epoch < recipe.max_epochs:
        epoch += 1
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                theta = run_epoch(
                    descended,
                    theta,
                    batch_size=setting["batch_size"],
                    learning_rate=setting["learning_rate"],
                    rng=rng,
                )
        except FloatingPointError:
            return Trained(loss, theta, np.nan, np.nan, epoch, "diverged")
        train_loss = loss(theta)
        if train_loss <= recipe.stop_at:
            status = "trained"
    if _has_all_units_off(loss, theta):
        status = "all units off"
    outputs = loss.on(data.x[test], data.y[test]).outputs(theta)
    test_error = float(np.mean(_classify(outputs, criterion) != data.y[test]))
    return Trained(loss, theta, train_loss, test_error, epoch, status)


def _has_all_units_off(loss, theta):
    """Return whether the last hidden layer is zero at all samples of a rectified network."""
    *hidden, _ = loss.pre_activations(theta)
    return bool(hidden) and not (hidden[-1] > 0).any()


def _choose_criterion(data):
    return "cross_entropy" if data.y.dtype.kind == "i" else "squared_error"


def _classify(outputs, criterion):
    """Return the label (N,) of each row of outputs: of the largest, or the sign of the only one."""
    if criterion == "cross_entropy":
        return outputs.argmax(axis=1)
    return np.where(outputs[:, 0] > 0, 1.0, -1.0)


def _replace_labels(y, share, rng, labels):
    """Return the targets with a share of them, rounded to whole samples, replaced by another
    label.
    """
    y = y.copy()
    chosen = rng.permutation(len(y))[: round(share * len(y))]
    for i in chosen:
        others = labels[labels != y[i]]
        y[i] = rng.choice(others)
    return y


# One task, as a worker runs it


@dataclass(frozen=True)
class Job:
    """What all tasks of a sweep share."""

    data: Data
    measures: dict[str, Callable]
    transformations: dict[str, Callable]
    recipe: Recipe

    @property
    def columns(self) -> list[str]:
        """The names of the columns with measures."""
        return _name_columns(self.measures, self.transformations)


def _name_columns(measures, transformations):
    twins = [f"{m} after {t}" for t in transformations for m in measures]
    return [*measures, *twins]


@dataclass(frozen=True)
class Mistake:
    """An error in the code of a measure or a transformation, brought home from a worker."""

    error: Exception
    task: dict[str, Any]


def run_task(job: Job | bytes, task: dict[str, Any]) -> dict[str, Any] | Mistake:
    """Return the results of one network by name, or the mistake that its measurement met."""
    began = time.perf_counter()
    if isinstance(job, bytes):
        job = _unpack(job)
    try:
        with threadpool_limits(1):
            results = _measure(job, task)
    except Exception as error:
        return Mistake(error, task)
    return {**results, "seconds": time.perf_counter() - began}


def _measure(job, task):
    setting = {name: task[name] for name in DEFAULTS}
    trained = _train(setting, task["seed"], job.data, job.recipe)
    results = dict.fromkeys(job.columns, math.nan)
    reasons = [trained.status]
    if trained.status not in UNMEASURED:
        values, undefined = _measure_at(job, trained.loss, trained.theta, "")
        results |= values
        reasons += undefined
        for name, transformation in job.transformations.items():
            rng = make_twin_generator(task, name)
            twin = transformation(trained.loss, trained.theta, rng)
            values, undefined = _measure_at(job, *twin, f" after {name}")
            results |= values
            reasons += undefined
    return {
        **results,
        "train_loss": float(trained.train_loss),
        "test_error": trained.test_error,
        "epochs": trained.epochs,
        "status": "; ".join(reasons),
    }


def make_twin_generator(task: Mapping[str, Any], transformation: str) -> np.random.Generator:
    """Return the generator that draws a network's twin: another one for each network of a grid, so
    that two networks of one seed are not moved alike, and the same one whenever it is asked for.
    """
    setting = _as_setting({name: task[name] for name in DEFAULTS})
    key = _write_key({**setting, "seed": int(task["seed"])})
    digest = hashlib.sha256(f"{key} {transformation}".encode()).digest()
    return np.random.default_rng(list(digest))


def _measure_at(job, loss, theta, suffix):
    """Return the measures' values at a point by column, and the reasons of those without one."""
    point = Point(loss, theta)
    values = {}
    reasons = []
    for name, measure in job.measures.items():
        column = f"{name}{suffix}"
        try:
            values[column] = evaluate(measure, point)
        except Undefined as error:
            reasons.append(f"{column} is undefined: {error}")
    return values, reasons


def _pack(job):
    """Return the job as bytes. With cloudpickle functions of a notebook can be sent, too."""
    try:
        import cloudpickle as pickler
    except ImportError:
        pickler = pickle
    try:
        return pickler.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            "measures and transformations must be functions that pickle can send to another"
            " process: define them in a module, or install cloudpickle, or pass"
            f" executor=ThreadPoolExecutor(1); got {error}"
        ) from error


@lru_cache(maxsize=1)
def _unpack(packed_job):
    return pickle.loads(packed_job)


# All tasks, on an executor


def _run_all(job, tasks, executor):
    """Yield (task, results) of every task, in the order in which they end."""
    first = next(tasks, None)
    if first is None:  # no worker has to start
        return
    # Threads can share the job; other processes and machines get a copy.
    sent = job if isinstance(executor, ThreadPoolExecutor) else _pack(job)
    workers = OwnWorkers() if executor is None else GivenWorkers(executor)
    try:
        yield from _run_on(workers, sent, itertools.chain([first], tasks))
    finally:
        workers.stop()


def _run_on(workers, job, tasks):
    """Yield (task, results) of every task, in the order in which they end.

    Where a process dies, its pool fails every task that it was handed, and does not say at which of
    them it died. So each of these is a suspect, and is tried again alone.
    """
    pending = {}
    suspects = []
    while True:
        if not suspects:
            n_free = workers.count_most() - len(pending)
            for task in itertools.islice(tasks, n_free):
                pending[workers.submit(job, task)] = task
        if pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                task = pending.pop(future)
                if _has_lost_its_worker(future):
                    suspects.append(task)
                else:
                    yield task, _take_results(future)
        elif suspects:
            task = suspects.pop()
            yield task, _run_alone(workers, job, task)
        else:
            return


def _run_alone(workers, job, task):
    """Return the results of a task beside which nothing runs: if a worker dies, it dies of it."""
    for _ in range(ATTEMPTS):
        future = workers.submit(job, task)
        if not _has_lost_its_worker(future):
            return _take_results(future)
    raise RuntimeError(
        f"a worker died {ATTEMPTS} times at the network {task}, with nothing beside it. If every"
        ' network does that: a script has to call sweep under `if __name__ == "__main__":`, since'
        " its workers import it"
    ) from future.exception()


def _has_lost_its_worker(future):
    """Return whether a task failed, once it ended: what a measure raises comes home as a result."""
    error = future.exception()
    if error is not None and not isinstance(error, Exception):  # as KeyboardInterrupt in a thread
        raise error
    return error is not None


def _take_results(future):
    results = future.result()
    if isinstance(results, Mistake):
        results.error.add_note(f"while measuring the network {results.task}")
        raise results.error
    return results


class OwnWorkers:
    """Processes of this machine, one for each core that this process may use."""

    def __init__(self):
        self.n_workers = _count_cores()
        self.pool = self._start()

    def _start(self):
        # Spawned, not forked: a forked process would inherit the locks of a notebook's threads.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.n_workers, mp_context=context)

    def count_most(self):
        """Return how many tasks may be handed over: a few, since one death makes all suspects."""
        return min(WAITING * self.n_workers, IN_FLIGHT)

    def submit(self, job, task):
        try:
            return self.pool.submit(run_task, job, task)
        except BrokenExecutor:  # a pool that lost a process takes no more
            self.pool = self._start()
            return self.pool.submit(run_task, job, task)

    def stop(self):
        self.pool.shutdown(wait=False, cancel_futures=True)


def _count_cores():
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return min(os.cpu_count() or 1, 61)  # on Windows a pool takes no more


class GivenWorkers:
    """An executor that the caller made, and will shut down."""

    def __init__(self, executor):
        self.executor = executor

    def count_most(self):
        """Return how many tasks may be handed over."""
        return IN_FLIGHT

    def submit(self, job, task):
        return self.executor.submit(run_task, job, task)

    def stop(self):
        pass


# What may be asked for


def _as_grid(grid):
    """Return the lists of values by name, with defaults, in the order of `DEFAULTS`."""
    if not isinstance(grid, Mapping):
        raise ValueError(f"grid must be a mapping from names to lists, got {grid!r}")
    unknown = [name for name in grid if name not in DEFAULTS]
    if unknown:
        raise ValueError(
            f"grid may name {', '.join(DEFAULTS)}, got {', '.join(map(repr, unknown))}"
        )
    if "widths" not in grid:
        raise ValueError("grid must name the widths, as {'widths': [(64, 16, 10)]}, got none")
    values = {}
    for name, default in DEFAULTS.items():
        asked = grid.get(name, [default])
        asked = as_list(f"grid[{name!r}]", asked, "values")
        values[name] = [_as_value(name, value) for value in asked]
        _refuse_doubles(f"grid[{name!r}]", values[name])
    return values


def _as_setting(setting):
    return {name: _as_value(name, value) for name, value in setting.items()}


def _as_value(name, value):
    """Return one value of the grid as what the table holds."""
    if name == "widths":
        if isinstance(value, str) or not np.iterable(value):
            raise ValueError(
                f"each of widths must be a tuple of integers, as [(64, 16, 10)], got {value!r}"
            )
        return as_widths(value)
    if name == "split":
        return as_count(name, value, least=0)
    if name == "batch_size":
        return as_count(name, value)
    if name in ("init_scale", "learning_rate"):
        return as_positive(name, value)
    number = float(as_real(name, value, shape=(), what="a number"))
    largest = 1.0 if name == "label_noise" else math.inf
    if not 0 <= number <= largest:
        bound = "between 0 and 1" if name == "label_noise" else "at least 0"
        raise ValueError(f"{name} must be {bound}, got {number}")
    return number


def _as_recipe(n_train, max_epochs, stop_at):
    return Recipe(
        as_count("n_train", n_train),
        as_count("max_epochs", max_epochs),
        as_positive("stop_at", stop_at),
    )


def _as_data(data, all_widths, n_train):
    """Return the data of a sweep, which have to fit each of the widths."""
    outputs = {widths[-1] for widths in all_widths}
    if data is None:
        if len(outputs) > 1 and 1 in outputs:
            raise ValueError(
                "widths must end in 1, for the parity of a digit, or all in more, got both"
            )
        data = Data(*load_all_digits("parity" if outputs == {1} else "class"))
    else:
        data = _as_given_data(data)
    largest = 1 if data.y.dtype.kind == "f" else int(data.y.max()) + 1
    for widths in all_widths:
        is_too_narrow = widths[-1] < largest or (data.y.dtype.kind == "f" and widths[-1] > 1)
        if widths[0] != data.x.shape[1] or is_too_narrow:
            raise ValueError(
                f"widths must begin with {data.x.shape[1]} inputs and end with {largest} outputs"
                f" for these data, got {widths}"
            )
    if n_train >= len(data.x):
        raise ValueError(
            f"n_train must be less than the number of samples, {len(data.x)}, got {n_train}"
        )
    return data


def _as_given_data(data):
    try:
        x, y = data
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"data must be a pair of inputs and targets, got {type(data).__name__}"
        ) from error
    x = as_real("the inputs of data", x, shape=(None, None), what="an array, a row a sample,")
    y = as_plain("the targets of data", y)
    if y.shape != (len(x),):
        raise ValueError(f"the targets of data must have shape ({len(x)},), got {y.shape}")
    if y.dtype.kind in "iu" and (y >= 0).all():
        return Data(x, y.astype(np.int64))
    if y.dtype == np.float64 and np.isin(y, (-1.0, 1.0)).all():
        return Data(x, y)
    raise ValueError(
        "the targets of data must be integer labels from 0 on, or -1.0 and 1.0, got dtype"
        f" {y.dtype}"
    )


def _refuse_large_batches(sizes, n_train):
    if max(sizes) > n_train:
        raise ValueError(f"batch_size must be at most n_train, {n_train}, got {max(sizes)}")


def _refuse_doubles(name, values):
    if not values:
        raise ValueError(f"{name} must hold at least one value, got none")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} must hold each value once, got {values}")


def _refuse_bad_measures(measures, transformations):
    for name, functions in {"measures": measures, "transformations": transformations}.items():
        if not isinstance(functions, Mapping):
            raise ValueError(f"{name} must be a mapping from names to functions, got {functions!r}")
        for key, function in functions.items():
            if not isinstance(key, str) or not callable(function):
                raise ValueError(
                    f"{name} must map names to functions, got {key!r}: {type(function).__name__}"
                )
    if not measures:
        raise ValueError("measures must hold at least one measure, got none")
    taken = sorted({*DEFAULTS, "seed", *RESULTS} & set(measures))
    if taken:
        raise ValueError(f"measures may not be named as other columns, got {', '.join(taken)}")
    columns = _name_columns(measures, transformations)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(
            f"measures may not be named as the columns of their twins, got {', '.join(twice)}"
        )


def _refuse_bad_executor(executor):
    if executor is not None and not isinstance(executor, Executor):
        raise ValueError(
            "executor must be a concurrent.futures.Executor, as ThreadPoolExecutor(1), or None, got"
            f" {executor!r}"
        )


# The table and its store


def _combine(settings, seeds) -> Iterator[dict[str, Any]]:
    """Yield every task: the names of the grid with one value each, and the seed."""
    for *values, seed in itertools.product(*settings.values(), seeds):
        yield {**dict(zip(settings, values, strict=True)), "seed": seed}


def _tabulate(job, rows):
    names = [*DEFAULTS, "seed", *job.columns, *RESULTS]
    return make_table({name: [row[name] for row in rows] for name in names}, _describe(job))


def _describe(job):
    """Return all that decides the numbers of a row beside its own settings, as JSON holds it."""
    # The package itself, which has imported this module: an import of it would go backwards.
    package = sys.modules[__package__]
    digest = hashlib.sha256(job.data.x.tobytes() + job.data.y.tobytes()).hexdigest()
    return {
        "versions": {
            "sharpminima": package.__version__,
            "numpy": version("numpy"),
            "scipy": version("scipy"),
            "autograd": version("autograd"),
            "python": platform.python_version(),
        },
        "data": {"sha256": digest, "samples": len(job.data.x)},
        "training": job.recipe._asdict(),
        "measures": _name_fingerprints(job.measures),
        "transformations": _name_fingerprints(job.transformations),
    }


def _name_fingerprints(functions):
    return {name: fingerprint(function) for name, function in functions.items()}


def _write_key(task):
    return json.dumps(task, sort_keys=True)


def _open_store(store, job):
    """Return the rows of a store by key; a new store is made and described."""
    if store is None:
        return {}
    folder = as_path("store", store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"store must be a folder, got a path with a file: {folder}") from error
    about = folder / "sweep.json"
    described = _describe(job)
    if not about.exists():
        about.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    before = json.loads(about.read_text(encoding="utf-8"))
    for name, value in described.items():
        _refuse_other(folder, name, before.get(name), value)
    rows = folder / "rows.jsonl"
    if rows.exists():
        _end_last_line(rows)
    return dict(_read_rows(rows))


def _end_last_line(path):
    """End the line that was cut off when a sweep was killed."""
    with open(path, "rb+") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            file.write(b"\n")


def _refuse_other(folder, name, before, now):
    """Raise ValueError where a part of what a store was made with is not what a sweep has."""
    if before == now:
        return
    if name in ("measures", "transformations") and isinstance(before, dict):
        if set(before) == set(now):  # the same names, and so another function of one of them
            changed = next(key for key in now if before[key] != now[key])
            raise ValueError(
                f"store was made with another function in {name} for {changed!r}: give it another"
                f" name, use another folder than {folder}, or delete that one"
            )
        before, now = list(before), list(now)
    raise ValueError(
        f"store was made with other {name}: {folder} holds {before}, and this sweep has {now}; use"
        " another folder, or delete that one"
    )


def _read_rows(path):
    """Yield (key, results) of each row that was written as a whole."""
    if not path.exists():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                task, row = json.loads(line)
            except ValueError:  # the line that was cut off
                continue
            row = {name: math.nan if value is None else value for name, value in row.items()}
            yield _write_key(task), row


def _append_row(store, task, row):
    row = {name: None if value != value else value for name, value in row.items()}
    with open(Path(store) / "rows.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps([task, row]) + "\n")


def _count_known(rows, tasks, store):
    """Return how many tasks are in the store, and warn of what else is there."""
    n_known = sum(_write_key(task) in rows for task in tasks)
    n_others = len(rows) - n_known
    if n_others:
        warnings.warn(
            f"the grid has changed: {n_others} of the {len(rows)} networks in {store} are not part"
            " of it; they stay there",
            stacklevel=3,
        )
    return n_known
