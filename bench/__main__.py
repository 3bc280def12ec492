"""Time exact Hessians, show the times, and write them to bench/results.json.

    python -m bench [--peers PYTHON] [--quick] [--out FILE]

Each method runs in a process of its own with the same cores, and before it is timed its Hessian
must equal that of autograd, entry by entry. Then the processes take turns, so that a busy moment of
the machine hits all of them.
"""

import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

from . import PROJECT, RESULTS
from .large_runs import measure_costs, measure_tasks
from .problems import MODELS, NETWORKS, PROBLEMS, QUICK, QUICK_NETWORKS
from .process import run_line
from .report import report
from .runs import Refused, measure_models, measure_networks, measure_problem
from .targets import choose_quickest, judge_targets

PACKAGES = {
    "book": ["numpy", "scipy", "autograd"],
    "peers": ["numpy", "jax", "jaxlib", "torch", "curvlinops-for-pytorch"],
}
VERSIONS = "print(json.dumps({{name: importlib.metadata.version(name) for name in {names}}}))"
MACHINE = "import json, numpy, bookproof.machine as m; print(json.dumps(m.facts()))"
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def describe_circumstances(options):
    """Return when, where and with which versions the results are measured."""
    versions = {}
    for environment, python in options.pythons.items():
        code = "import importlib.metadata, json; " + VERSIONS.format(names=PACKAGES[environment])
        versions[environment] = run_line(python, code) if python else None
    huge_pages = None
    if HUGE_PAGES.exists():
        huge_pages = HUGE_PAGES.read_text().partition("[")[2].partition("]")[0]
    return {
        "date": datetime.date.today().isoformat(),
        "commit": describe_commit(),
        "machine": run_line(options.pythons["book"], MACHINE),
        "huge_pages": huge_pages,
        "load_before": round(os.getloadavg()[0], 2),
        "threads": options.threads,
        "versions": versions,
    }


def describe_commit():
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    git = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    return git.stdout.strip() or None


def round_floats(value):
    """Return four digits of every float, since the rest is noise, and None for NaN."""
    if isinstance(value, dict):
        return {key: round_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_floats(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.4g}")
    return value


def measure(options):
    """Return all results; raises Refused at the first wrong Hessian."""
    if options.large:
        kept = json.loads(RESULTS.read_text())
        return {**kept, **measure_large(options)}
    problems, networks, models = PROBLEMS, NETWORKS, MODELS
    if options.quick:
        problems, networks, models = QUICK, QUICK_NETWORKS, QUICK
    measured = describe_circumstances(options)
    if options.only_models:
        return replace_models(measured, measure_models(models, options))
    with tqdm(problems, desc="problems") as bar:
        measured["problems"] = [measure_problem(problem, options) for problem in bar]
    measured["networks"] = measure_networks(networks, options)
    measured["models"] = measure_models(models, options)
    return {**add_verdicts(round_floats(measured)), **measure_large(options)}


def measure_large(options):
    """Return the results on large networks, with their own circumstances."""
    parts = {}
    for name, run in (("large", measure_tasks), ("costs", measure_costs)):
        circumstances = describe_circumstances(options)
        parts[name] = round_floats(circumstances | run(options))
        print(json.dumps({name: parts[name]}), flush=True)  # what a later failure would lose
    return parts


def replace_models(measured, models):
    """Return the stored results with other times of PyTorch's models, and when and where those were
    measured.
    """
    stored = json.loads(RESULTS.read_text())
    new = {"models": models, "models_measured": {k: measured[k] for k in ("date", "commit")}}
    return add_verdicts(stored | round_floats(new))


def add_verdicts(measured):
    """Return the results with what follows from the times: the fastest method of each group, and
    which promises are kept.
    """
    problems = [
        {**problem, "quickest": choose_quickest(problem)} for problem in measured["problems"]
    ]
    return {**measured, "problems": problems, "targets": judge_targets(measured)}


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--peers", help="the Python of their environment; without it they are not timed"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny problems: shows that everything runs, and no times that mean anything",
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="only the large networks and the costs of measures: the other results are kept",
    )
    parser.add_argument(
        "--only-models",
        action="store_true",
        help="time models of PyTorch alone, and keep all else that is stored",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--budget",
        type=float,
        default=6.0,
        help="seconds of repeated calls for a method and a problem",
    )
    parser.add_argument("--without", nargs="*", default=[], help="methods to leave out")
    parser.add_argument(
        "--out",
        type=Path,
        help="where the results go; bench/results.json, and nowhere with --quick",
    )
    options = parser.parse_args(arguments)
    options.pythons = {"book": sys.executable, "peers": options.peers}
    if options.quick:
        options.budget = 0.0
    elif options.out is None:
        options.out = RESULTS
    return options


def main(arguments=None):
    options = parse(arguments)
    started = time.time()
    try:
        results = measure(options)
    except Refused as why:
        sys.exit(f"\nNothing was written. {why}")
    print("\n".join(report(results)), f"\n\nIn {time.time() - started:.0f} s.")
    if options.out is not None:
        options.out.write_text(json.dumps(results, indent=1) + "\n")
        print(f"Written to {options.out}")


if __name__ == "__main__":
    main()
