"""A worker as seen from the process that asks it."""

import json
import os
import subprocess

from . import PROJECT
from .large import METHODS as LARGE
from .methods import EVERY_METHOD

HANG = 1800  # seconds: only a process that hangs takes that long to end


def limit_threads(threads):
    """Return the environment of a process: the same threads for all libraries, each of which
    chooses its own kernels.
    """
    kept = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    return kept | {f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "MKL")}


class Process:
    """A worker that runs one method, and the questions that it can be asked."""

    def __init__(self, name, options):
        self.name = name
        self.method = {**EVERY_METHOD, **LARGE}[name]
        python = options.pythons[self.method.environment]
        threads = str(self.method.threads or options.threads)
        self.process = subprocess.Popen(
            [python, "-m", "bench.worker", name, str(options.threads)],
            cwd=PROJECT,
            env=limit_threads(threads),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, do, **more):
        """Return its answer, with an "error" where something went wrong."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            return {"error": f"its process ended with {self.process.wait()}"}
        return json.loads(answer)

    def close(self):
        """Let it end: a worker reads until its input is closed; one that hangs is killed."""
        self.process.stdin.close()
        try:
            self.process.wait(timeout=HANG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def run_line(python, code):
    """Return what a line of Python prints as JSON in an environment; None when it fails."""
    run = subprocess.run(
        [python, "-c", code], env=limit_threads("1"), capture_output=True, text=True, cwd=PROJECT
    )
    return json.loads(run.stdout) if run.returncode == 0 else None
