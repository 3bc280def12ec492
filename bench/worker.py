"""One method in a process of its own: it reads requests, a JSON a line, and answers each likewise.

python -m bench.worker METHOD CORES
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from .large import METHODS as LARGE
from .methods import EVERY_METHOD
from .problems import Problem


def read_memory(what):
    """Return the MiB that this process holds now (VmRSS) or has held at most (VmHWM); NaN where
    there is no /proc to tell.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    for line in lines:
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return float("nan")


def forget_peak():
    """Let the peak count from what is held now, not from what importing took."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def compute_difference(H, reference):
    """Return the largest difference of two matrices, relative to the largest entry; NaN where
    there is one.
    """
    if H.shape != reference.shape:
        return float("nan")
    # By blocks of rows: whole matrices of differences would take as much memory again.
    blocks = [np.s_[start : start + 256] for start in range(0, len(H), 256)]
    largest = np.max([np.abs(reference[rows]).max() for rows in blocks])
    return float(np.max([np.abs(H[rows] - reference[rows]).max() for rows in blocks]) / largest)


class Worker:
    def __init__(self, method):
        self.method = {**EVERY_METHOD, **LARGE}[method]

    def prepare(self, problem, setting=None):
        self.call, self.array = self.method.prepare(Problem(*problem), setting)
        return {}

    def tune(self, problem, setting, rows):
        """Seconds for some rows of the Hessian, the better of two calls after one that may
        compile.
        """
        problem = Problem(*problem)
        call, _ = self.method.prepare(problem, setting, min(rows, problem.size))
        call()
        return {"seconds": min(time_call(call)[0] for _ in range(2))}

    def first(self):
        """The first call, its memory beyond what imports and inputs had taken, and its result
        kept.
        """
        self.drop()
        forget_peak()
        before = read_memory("VmRSS")
        seconds, self.result = time_call(self.call)
        return {"seconds": seconds, "mib": read_memory("VmHWM") - before}

    def store(self, path):
        np.save(path, self.array(self.result))
        return self.drop()

    def check(self, path):
        """The difference of the first call's result to a stored reference."""
        answer = {
            "difference": compute_difference(self.array(self.result), np.load(path, mmap_mode="r"))
        }
        self.drop()
        return answer

    def values(self):
        return {"values": np.asarray(self.result).tolist(), **self.drop()}

    def drop(self):
        self.result = None
        gc.collect()
        return {}

    def time(self):
        gc.collect()
        return {"seconds": time_call(self.call)[0]}


def time_call(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def main(method, cores):
    # A library that was not told how many threads to use takes all the cores that it sees.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    # The output of libraries must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(method)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
