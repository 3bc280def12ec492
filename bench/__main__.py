"""Time exact Hessians, show the times, and write them to bench/results.json.

    python -m bench [--peers .venv-bench] [--no-peers] [--quick] [--out FILE]

Each method runs in a process of its own with the same cores, and before it is timed its Hessian
must equal that of autograd, entry by entry. Then the processes take turns, so that a busy moment of
the machine hits all of them.
"""

import argparse
import datetime
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import PROJECT, peers
from .methods import METHODS, MORE, ORDER
from .problems import NETWORKS, PROBLEMS, QUICK, QUICK_NETWORKS
from .targets import AUTOGRAD, share, targets, times_faster

TOLERANCE = 1e-10
EIGENVALUE_TOLERANCE = 1e-6
MOST_CALLS = 15
PAUSE = 0.05  # seconds until the threads of the process before have stopped spinning
SAMPLE_ROWS = 256  # of the Hessian, to choose a peer's setting by
LONGEST = 40  # seconds; a method that would need more for one Hessian is left out
PACKAGES = {
    "book": ["numpy", "scipy", "autograd"],
    "peers": ["numpy", "jax", "jaxlib", "torch", "curvlinops-for-pytorch"],
}


class Refused(Exception):
    """A method gave another Hessian than autograd: a time of it would mean nothing."""


def variables(threads):
    """The environment of a process: the same threads for all libraries, each of which chooses its
    own kernels.
    """
    kept = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    numbers = {f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "MKL")}
    return {**kept, **numbers, "PYTHONPATH": f"{PROJECT / 'lib'}{os.pathsep}{PROJECT / '_ext'}"}


class Process:
    """A worker and what it is asked."""

    def __init__(self, name, options):
        self.name, self.method = name, {**METHODS, **MORE}[name]
        python = options.pythons[self.method.environment]
        threads = str(self.method.threads or options.threads)
        command = [python, "-m", "bench.worker", name, str(options.threads)]
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=variables(threads),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, do, **more):
        """Its answer, always with an "error" when there is one."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return (
            json.loads(answer)
            if answer
            else {"error": f"its process ended with {self.process.wait()}"}
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def tuned(name, problem, options):
    """A peer's fastest setting, and the seconds that a Hessian would take with it; the forms of JAX
    are compared once only.
    """
    method, found = METHODS[name], {}
    rows = min(SAMPLE_ROWS, problem.size)
    with Process(name, options) as process:
        for setting in method.settings[: 2 if options.quick else None]:
            # Of the two forms of JAX the one that is better at the first chunk is kept.
            if (
                len(found) >= 2
                and isinstance(setting, tuple)
                and setting[0] != min(found, key=found.get)[0]
            ):
                continue
            answer = process.ask("tune", problem=problem, setting=setting, rows=rows)
            if "error" in answer:
                return None, answer["error"]
            found[setting] = answer["seconds"]
    best = min(found, key=found.get)
    seconds = found[best] * problem.size / rows
    return best, f"would take about {seconds:.0f} s" if seconds > LONGEST else ""


def ready(name, problem, options, reference):
    """(a process that is ready to be timed or None, what is known of the method so far)."""
    method, setting = METHODS[name], None
    why = method.refusal(problem)
    if not why and options.pythons[method.environment] is None:
        why = "the peers' environment was not there"
    if not why and method.settings:
        setting, why = tuned(name, problem, options)
    if why:
        return None, {"skipped": why}
    process = Process(name, options)
    for answer in (process.ask("prepare", problem=problem, setting=setting), process.ask("first")):
        if "error" in answer:
            process.__exit__()
            return None, {"skipped": answer["error"]}
    known = {"setting": setting, "first": answer["seconds"], "mib": answer["mib"]}
    if name == "autograd":
        process.ask("store", path=str(reference))
    elif method.check:
        checked = process.ask("check", path=str(reference))
        # Whatever is not known to be small, NaN too, is refused.
        if not checked.get("difference", np.inf) <= TOLERANCE:
            process.__exit__()
            raise Refused(
                f"{method.title} is not timed, because it gives another Hessian of {problem.name}"
                f" than autograd: {checked}"
            )
        known["difference"] = checked["difference"]
    else:
        process.ask("drop")
    return process, known


def calls(known, method, budget):
    """How often a method is called again: as the time allows, and at least twice when the
    comparison rests on it.
    """
    least = 2 if method.headline else 0 if is_sample(known, method) else 1
    return int(np.clip(budget / max(known["first"], 1e-9), least, MOST_CALLS))


def is_sample(known, method):
    """Whether the first call counts as one of many: nothing was compiled in it, and it was long
    enough for the rest not to matter.
    """
    return known["first"] > 2 and not method.compiles


def in_turns(processes, counts, bar):
    """The seconds of each process, called so often, the calls spread evenly over common rounds."""
    seconds, rounds = {name: [] for name in processes}, max(counts.values())
    for turn in range(rounds):
        for name, process in processes.items():
            if (turn + 1) * counts[name] // rounds > turn * counts[name] // rounds:
                time.sleep(PAUSE)
                bar.set_postfix_str(process.method.title)
                answer = process.ask("time")
                if "error" in answer:
                    raise RuntimeError(f"{process.method.title}: {answer['error']}")
                seconds[name].append(answer["seconds"])
                bar.update()
    return seconds


def compared(problem, options):
    """All methods on one problem."""
    names = [
        "autograd",
        *(name for name in METHODS if name != "autograd" and name not in options.without),
    ]
    processes, known = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tqdm(names, desc="  equal to autograd's", leave=False) as bar:
                for name in bar:
                    bar.set_postfix_str(METHODS[name].title)
                    process, known[name] = ready(name, problem, options, Path(folder) / "H.npy")
                    if process is not None:
                        processes[name] = process
            counts = {name: calls(known[name], METHODS[name], options.budget) for name in processes}
            with tqdm(total=sum(counts.values()), desc="  timed in turns", leave=False) as bar:
                seconds = in_turns(processes, counts, bar)
        finally:
            for process in processes.values():
                process.__exit__()
    for name, samples in seconds.items():
        if is_sample(known[name], METHODS[name]):
            samples.append(known[name]["first"])
        known[name].update(
            seconds=statistics.median(samples),
            fastest=min(samples),
            slowest=max(samples),
            calls=len(samples),
        )
    product, fresh = (known.pop(name, {}).get("seconds") for name in ("product", "fresh_memory"))
    x, y, theta = problem.arrays()
    return {
        "criterion": problem.criterion,
        "widths": problem.widths,
        "samples": problem.samples,
        "size": problem.size,
        "matrix_mib": problem.size**2 / 2**17,
        "inputs_mib": (x.size + y.size + theta.size) / 2**17,
        "limit": None if product is None else problem.multiply_adds * product / ORDER**3,
        "fresh_memory": fresh,
        "methods": {
            name: {"title": METHODS[name].title, **known[name]} for name in METHODS if name in known
        },
    }


def many(networks, options):
    """All Hessians of many networks, and what else is asked of some of them: autograd's loop and
    all spectra would take too long.
    """
    n = len(networks)
    every = {
        "ours": 1,
        "leading": max(1, n // 40),
        **dict.fromkeys(AUTOGRAD, max(1, n // 8)),
        "spectrum": max(1, n // 10),
    }
    methods, seconds, skipped = {**METHODS, **MORE}, {name: [] for name in every}, {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = {name: stack.enter_context(Process(name, options)) for name in every}
        for number, problem in enumerate(tqdm(networks, desc="  networks", leave=False)):
            asked = [name for name in every if number % every[name] == 0 and name not in skipped]
            for name in asked:
                time.sleep(PAUSE if len(asked) > 1 else 0)
                answer = processes[name].ask("prepare", problem=problem)
                answer = answer if "error" in answer else processes[name].ask("first")
                if "error" in answer:
                    skipped[name] = answer["error"]
                else:
                    seconds[name].append(answer["seconds"])
            agree(
                problem,
                {name: processes[name] for name in asked if name not in skipped},
                str(Path(folder) / "H.npy"),
            )
    told = {name: {"title": methods[name].title, "skipped": why} for name, why in skipped.items()}
    for name in seconds.keys() - skipped.keys():
        # What was not timed on all networks is taken to last as long on the others.
        total = sum(seconds[name]) if every[name] == 1 else n * statistics.median(seconds[name])
        told[name] = {
            "title": methods[name].title,
            "timed": len(seconds[name]),
            "all_seconds": total,
        }
    ours, *loops = (told[name].get("all_seconds") for name in ("ours", *AUTOGRAD))
    loop = min((seconds for seconds in loops if seconds is not None), default=None)
    first = networks[0]
    return {
        "networks": n,
        "widths": first.widths,
        "samples": first.samples,
        "size": first.size,
        "methods": {name: told[name] for name in every},
        "times_faster": None if ours is None or loop is None else loop / ours,
    }


def agree(problem, processes, path):
    """Hold what several processes have found for one network against each other."""
    if {"ours", "autograd"} <= processes.keys():
        processes["autograd"].ask("store", path=path)
        checked = processes["ours"].ask("check", path=path)
        if not checked.get("difference", np.inf) <= TOLERANCE:
            raise Refused(
                f"sharpminima gives another Hessian of {problem.name} than autograd: {checked}"
            )
    if {"leading", "spectrum"} <= processes.keys():
        found, true = (
            np.sort(np.ravel(processes[name].ask("values")["values"]))[::-1]
            for name in ("leading", "spectrum")
        )
        off = np.abs(found - true[: len(found)]).max() / np.abs(true).max()
        if not off <= EIGENVALUE_TOLERANCE:
            raise Refused(
                f"leading_eigenvalues is off by {off:.2g} of the largest for {problem.name}"
            )


def said(python, code):
    """What a line of Python prints as JSON in an environment, as a worker would be."""
    run = subprocess.run(
        [python, "-c", code], env=variables("1"), capture_output=True, text=True, cwd=PROJECT
    )
    return json.loads(run.stdout) if run.returncode == 0 else None


def circumstances(options):
    """When, where and of what the results are."""
    versions = {}
    for environment, python in options.pythons.items():
        code = (
            "import json, machine; print(json.dumps({name: machine.installed(name) for name in"
            f" {PACKAGES[environment]}}}))"
        )
        versions[environment] = said(python, code) if python else None
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "date": datetime.date.today().isoformat(),
        "commit": git.stdout.strip() or None,
        "machine": said(
            options.pythons["book"],
            "import json, numpy, machine; print(json.dumps(machine.facts()))",
        ),
        "huge_pages": (
            pages.read_text().partition("[")[2].partition("]")[0] if pages.exists() else None
        ),
        "load_before": round(os.getloadavg()[0], 2),
        "threads": options.threads,
        "versions": versions,
    }


def rounded(value):
    """Four digits of every float, the rest is noise; None for NaN."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.4g}")
    return value


def report(results):
    """The results as lines of text."""
    for problem in results["problems"]:
        widths = "-".join(map(str, problem["widths"]))
        limit, memory = (
            math.nan if problem[key] is None else problem[key] for key in ("limit", "fresh_memory")
        )
        yield (
            f"\n{problem['criterion'].replace('_', ' ')} {widths}, N = {problem['samples']}, n ="
            f" {problem['size']}"
        )
        yield f"  matrix products alone {limit:.3g} s, fresh memory for the result {memory:.3g} s"
        yield (
            f"  {'':28}{'seconds':>10}{'first call':>12}{'over ours':>11}{'of limit':>10}{'MiB':>8}"
        )
        for name, method in problem["methods"].items():
            if "skipped" in method:
                yield f"  {method['title']:28}  {method['skipped']}"
                continue
            ratio = times_faster(problem, name)
            numbers = f"{method['seconds']:10.3g}{method['first']:12.3g}" + (
                f"{ratio:11.2f}" if ratio else f"{'':11}"
            )
            yield (
                f"  {method['title']:28}{numbers}{share(problem, name) or math.nan:10.1%}{method['mib'] or math.nan:8.0f}"
                f"  {method['setting'] or ''}"
            )
    if results["networks"]:
        networks = results["networks"]
        yield (
            f"\n{networks['networks']} networks {'-'.join(map(str, networks['widths']))}, N ="
            f" {networks['samples']}"
        )
        for method in networks["methods"].values():
            what = (
                method.get("skipped")
                or f"{method['all_seconds']:8.3g} s, from {method['timed']} of them"
            )
            yield f"  {method['title']:36}{what}"
    yield "\nTargets"
    for row in results["targets"]:
        kind = "at least" if "at least" in row else "at most"
        met = {True: "met", False: "NOT met", None: "not measured"}[row["met"]]
        yield (
            f"  {row['what']:90}{kind}"
            f" {row[kind]:<5}{'' if row['measured'] is None else row['measured']:>8}  {met}"
        )


def measured(options):
    """Everything; raises Refused at the first wrong Hessian."""
    results = circumstances(options)
    problems, networks = (QUICK, QUICK_NETWORKS) if options.quick else (PROBLEMS, NETWORKS)
    with tqdm(problems, desc="problems") as bar:
        results["problems"] = [compared(problem, options) for problem in bar]
    results["networks"] = many(networks, options)
    results = rounded(results)
    results["targets"] = targets(results)
    return results


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=PROJECT / ".venv-bench",
        help="where their environment is, or is to be made",
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="time only what is in the book's own environment"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny problems: shows that everything runs, and no times that mean anything",
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
    if options.quick:
        options.budget = 0.0
    elif options.out is None:
        options.out = PROJECT / "bench" / "results.json"
    options.pythons = {
        "book": sys.executable,
        "peers": None if options.no_peers else peers.make(options.peers),
    }
    started = time.time()
    try:
        results = measured(options)
    except Refused as why:
        sys.exit(f"\nNothing was written. {why}")
    print("\n".join(report(results)), f"\n\nIn {time.time() - started:.0f} s.")
    if options.out is not None:
        options.out.write_text(json.dumps(results, indent=1) + "\n")
        print(f"Written to {options.out}")


if __name__ == "__main__":
    main()
