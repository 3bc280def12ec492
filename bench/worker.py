"""One method in a process of its own: requests come in, a JSON a line, and are answered so.

python -m bench.worker METHOD CORES
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from .methods import METHODS, MORE
from .problems import Problem


def memory(what):
    """What this process holds now (VmRSS) or has held at most (VmHWM), in MiB; NaN where there is
    no /proc to tell.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith(what)), float("nan")
    )


def forget_peak():
    """From now on the peak counts from what is held now, not from what importing took."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def difference(H, reference):
    """The largest difference of two matrices, relative to the largest entry: NaN where there is
    one.
    """
    if H.shape != reference.shape:
        return float("nan")
    largest = max(
        float(np.abs(part).max()) for part in np.array_split(reference, max(1, len(H) // 256))
    )
    parts = [np.s_[start : start + 256] for start in range(0, len(H), 256)]
    return float(np.max([np.abs(H[part] - reference[part]).max() for part in parts])) / largest


class Worker:
    def __init__(self, method):
        self.method = {**METHODS, **MORE}[method]

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
        return {"seconds": min(timed(call)[0] for _ in range(2))}

    def first(self):
        """The first call, its memory beyond what imports and inputs had taken, and its result
        kept.
        """
        self.drop()
        forget_peak()
        before = memory("VmRSS")
        seconds, self.result = timed(self.call)
        return {"seconds": seconds, "mib": memory("VmHWM") - before}

    def store(self, path):
        np.save(path, self.array(self.result))
        return self.drop()

    def check(self, path):
        """The difference of the first call's result to a stored reference."""
        answer = {"difference": difference(self.array(self.result), np.load(path, mmap_mode="r"))}
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
        return {"seconds": timed(self.call)[0]}


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def main(method, cores):
    if hasattr(
        os, "sched_setaffinity"
    ):  # a library without a word about threads takes all the cores it sees
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    # What libraries print must not be taken for an answer.
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
