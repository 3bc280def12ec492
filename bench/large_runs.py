"""Runs of what `large` says: each task once by us and once by curvlinops, each measure once at each
size.
"""

import os
import signal
import statistics
import tempfile
from pathlib import Path

from tqdm import tqdm

from .large import (
    AGREEMENT,
    LONGEST,
    PROBLEM,
    QUICK_PROBLEM,
    QUICK_SIZES,
    SIZES,
    TASKS,
    TRACE_PRODUCTS,
    count_columns,
)
from .process import Process
from .runs import LeftOut, Refused, ask

REPEATED = 3  # more calls of what takes less than SHORT seconds
SHORT = 5.0
KILLED = f"ended with {-signal.SIGALRM}"


def measure_tasks(options):
    """Return for each task the seconds and the peak of memory, ours and those of curvlinops.

    Raises Refused where the two results should be equal and are not.
    """
    problem = QUICK_PROBLEM if options.quick else PROBLEM
    load = [read_load()]
    tasks = []
    with tempfile.TemporaryDirectory() as folder, tqdm(TASKS, desc="large network") as bar:
        for task in bar:
            bar.set_postfix_str(TASKS[task])
            path = str(Path(folder) / "ours.npy")
            is_compared = task in AGREEMENT
            ours = run_task(f"large_{task}", problem, options, is_compared and "store", path)
            peer = run_task(
                f"large_{task}_curvlinops", problem, options, is_compared and "check", path
            )
            refuse_another_result(task, peer)
            if task == "last_block" and "seconds" in peer:
                columns = count_columns(problem)
                peer["seconds"] *= problem.sizes[-1] / columns
                peer["columns"] = columns
            tasks.append({"task": task, "title": TASKS[task], "ours": ours, "curvlinops": peer})
            load.append(read_load())
    return {
        "widths": problem.widths,
        "samples": problem.samples,
        "size": problem.size,
        "load": load,
        "trace_products": TRACE_PRODUCTS,
        "tasks": tasks,
    }


def run_task(name, problem, options, compare, path):
    """Return what one method has taken, and how far its result is from the stored one; the reason
    where it is left out. `compare` is what the worker does with the result: "store", "check" or
    nothing.
    """
    if name.endswith("_curvlinops") and options.pythons["peers"] is None:
        return {"skipped": "the peers' environment was not there"}
    with Process(name, options) as process:
        try:
            ask(process, "prepare", problem=problem)
            first = ask(process, "first")
            compared = ask(process, compare, path=path) if compare else ask(process, "drop")
            seconds = [first["seconds"]]
            if first["seconds"] < SHORT:
                seconds += [ask(process, "time")["seconds"] for _ in range(REPEATED)]
        except LeftOut as why:
            return {"skipped": str(why)}
    return {"seconds": statistics.median(seconds), "mib": first["mib"], **compared}


def refuse_another_result(task, peer):
    """Raise Refused where the peer's result should equal ours and does not."""
    if task in AGREEMENT and "skipped" not in peer:
        difference = peer.get("difference", float("nan"))
        if not difference <= AGREEMENT[task]:
            raise Refused(f"{TASKS[task]} of curvlinops differs from ours by {difference:.2g}")


def measure_costs(options):
    """Return for each size what each measure takes: seconds and the peak of memory, or the reason
    why it is not known.
    """
    from sharpminima import MEASURES

    sizes = []
    for problem in QUICK_SIZES if options.quick else SIZES:
        load = read_load()
        costs, process = {}, None
        with tqdm(MEASURES, desc=f"measures, n = {problem.size}") as bar:
            for name in bar:
                bar.set_postfix_str(name)
                if process is None:
                    process = Process("measure", options)
                costs[name], is_alive = measure_cost(process, problem, name)
                if not is_alive:
                    process.close()
                    process = None
        if process is not None:
            process.close()
        sizes.append(
            {
                "size": problem.size,
                "samples": problem.samples,
                "widths": problem.widths,
                "load": [load, read_load()],
                "measures": costs,
            }
        )
    return {"longest": LONGEST, "sizes": sizes}


def measure_cost(process, problem, name):
    """Return what a measure has taken, and whether its process is still there."""
    answer = process.ask("prepare", problem=problem, setting=name)
    if "error" not in answer:
        answer = process.ask("first")
    if "error" not in answer:
        return answer, True
    if KILLED in answer["error"]:
        return {"skipped": f"more than {LONGEST} s"}, False
    if "MemoryError" in answer["error"]:
        return {"skipped": "no memory", "mib_needed": problem.size**2 / 2**17}, True
    return {"skipped": answer["error"]}, "its process ended" not in answer["error"]


def read_load():
    """Return how many processes were running or waiting, in the mean of the last minute."""
    return os.getloadavg()[0]
