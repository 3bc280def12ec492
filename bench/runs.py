"""Every method on every problem: its Hessian compared with autograd's, then its calls timed in
turns with those of the others.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .methods import METHODS, MORE, OF_MODELS, ORDER
from .process import Process
from .targets import AUTOGRAD

TOLERANCE = 1e-10
EIGENVALUE_TOLERANCE = 1e-6
MOST_CALLS = 15
PAUSE = 0.05  # seconds until the threads of the process before have stopped spinning
SAMPLE_ROWS = 256  # of the Hessian, to choose a peer's setting by
LONGEST = 40  # seconds; a method that would need more for one Hessian is left out


class Refused(Exception):
    """A method gave another Hessian than autograd: a time of it would mean nothing."""


class LeftOut(Exception):
    """A method is not timed on a problem, for a reason that the results tell."""


def ask(process, do, **more):
    """Return a worker's answer; raises LeftOut, with its reason, when it has none."""
    answer = process.ask(do, **more)
    if "error" in answer:
        raise LeftOut(answer["error"])
    return answer


def choose_setting(name, problem, options):
    """Return a peer's fastest setting on some rows of the Hessian; None for a method without any.

    Raises LeftOut when a whole Hessian would take too long even so.
    """
    method = METHODS[name]
    if not method.settings:
        return None
    seconds = {}
    rows = min(SAMPLE_ROWS, problem.size)
    with Process(name, options) as process:
        for setting in method.settings[: 2 if options.quick else None]:
            if not is_worth_a_try(setting, seconds):
                continue
            answer = ask(process, "tune", problem=problem, setting=setting, rows=rows)
            seconds[setting] = answer["seconds"]
    best = min(seconds, key=seconds.get)
    needed = seconds[best] * problem.size / rows
    if needed > LONGEST:
        raise LeftOut(f"would take about {needed:.0f} s")
    return best


def is_worth_a_try(setting, seconds):
    """Whether a setting may still be the fastest: of JAX's two forms, the one that was better with
    the first chunk is kept.
    """
    has_form = isinstance(setting, tuple)
    if not has_form or len(seconds) < 2:
        return True
    form, _ = min(seconds, key=seconds.get)
    return setting[0] == form


def start(name, problem, options, reference):
    """Return a process that is ready to be timed, and what is known of its method so far.

    Raises LeftOut with the reason why there is none, and Refused when its Hessian differs from the
    `reference`, a file that autograd writes.
    """
    method = METHODS[name]
    refusal = method.refusal(problem)
    if refusal:
        raise LeftOut(refusal)
    if options.pythons[method.environment] is None:
        raise LeftOut("the peers' environment was not there")
    setting = choose_setting(name, problem, options)
    process = Process(name, options)
    try:
        ask(process, "prepare", problem=problem, setting=setting)
        first = ask(process, "first")
        known = {"setting": setting, "first": first["seconds"], "mib": first["mib"]}
        if name == "autograd":
            process.ask("store", path=str(reference))
        elif method.check:
            known["difference"] = compare(process, problem, reference)
        else:
            process.ask("drop")
    except BaseException:
        process.close()
        raise
    return process, known


def compare(process, problem, reference):
    """Return how far a first result is from the reference; raises Refused when that is too far."""
    checked = process.ask("check", path=str(reference))
    # Whatever is not known to be small, NaN too, is refused.
    if not checked.get("difference", np.inf) <= TOLERANCE:
        raise Refused(
            f"{process.method.title} is not timed, because it gives another Hessian of"
            f" {problem.name} than autograd: {checked}"
        )
    return checked["difference"]


def count_calls(known, method, budget):
    """Return how often a method is called again: as the time allows, and at least twice when the
    comparison rests on it.
    """
    if method.headline:
        least = 2
    elif is_sample(known, method):
        least = 0
    else:
        least = 1
    return int(np.clip(budget / max(known["first"], 1e-9), least, MOST_CALLS))


def is_sample(known, method):
    """Whether the first call counts as one of many: nothing was compiled in it, and it was long
    enough for the rest not to matter.
    """
    return known["first"] > 2 and not method.compiles


def time_in_turns(processes, counts, bar):
    """Return the seconds of each process, called so often, the calls spread evenly over common
    rounds.
    """
    seconds = {name: [] for name in processes}
    rounds = max(counts.values())
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


def measure_methods(problem, options):
    """Return what is known of every method on one problem, by its name."""
    others = [name for name in METHODS if name != "autograd" and name not in options.without]
    processes, known = {}, {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        reference = Path(folder) / "H.npy"
        with tqdm(["autograd", *others], desc="  equal to autograd's", leave=False) as bar:
            for name in bar:
                bar.set_postfix_str(METHODS[name].title)
                try:
                    processes[name], known[name] = start(name, problem, options, reference)
                    stack.callback(processes[name].close)
                except LeftOut as why:
                    known[name] = {"skipped": str(why)}
        times = time_processes(processes, known, options)
    for name, of_method in times.items():
        known[name] |= of_method
    return known


def time_processes(processes, known, options):
    """Return median, extremes and number of the times of each process, taken in turns."""
    counts = {
        name: count_calls(known[name], process.method, options.budget)
        for name, process in processes.items()
    }
    with tqdm(total=sum(counts.values()), desc="  timed in turns", leave=False) as bar:
        seconds = time_in_turns(processes, counts, bar)
    times = {}
    for name, samples in seconds.items():
        if is_sample(known[name], processes[name].method):
            samples.append(known[name]["first"])
        times[name] = {
            "seconds": statistics.median(samples),
            "fastest": min(samples),
            "slowest": max(samples),
            "calls": len(samples),
        }
    return times


def measure_problem(problem, options):
    """Return all of one problem for the results: its sizes, its limit and its methods."""
    known = measure_methods(problem, options)
    product = known.pop("product", {}).get("seconds")
    fresh = known.pop("fresh_memory", {}).get("seconds")
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


def measure_model(problem, options):
    """Return all of one model of PyTorch for the results; raises Refused when two Hessians differ,
    and LeftOut when one cannot be had.
    """
    known = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        reference = Path(folder) / "H.npy"
        processes = {name: stack.enter_context(Process(name, options)) for name in OF_MODELS}
        for name, process in processes.items():
            ask(process, "prepare", problem=problem)
            first = ask(process, "first")
            known[name] = {"first": first["seconds"], "mib": first["mib"]}
            if reference.exists():
                known[name]["difference"] = compare(process, problem, reference)
            else:
                ask(process, "store", path=str(reference))
        times = time_processes(processes, known, options)
    for name, of_method in times.items():
        known[name] |= {"title": processes[name].method.title, **of_method}
    return {
        "criterion": problem.criterion,
        "widths": problem.widths,
        "samples": problem.samples,
        "size": problem.size,
        "methods": known,
        "times_faster": known["by_torch_func"]["seconds"] / known["from_torch"]["seconds"],
    }


def measure_models(problems, options):
    """Return what is known of each model of PyTorch; None without the peers' environment."""
    if options.pythons["peers"] is None:
        return None
    return [measure_model(problem, options) for problem in tqdm(problems, desc="models")]


def choose_steps(n):
    """Return, for each method of a study of n networks, on every how many of them it is timed:
    autograd's loop and all spectra would take too long.
    """
    return {
        "ours": 1,
        "leading": max(1, n // 40),
        **dict.fromkeys(AUTOGRAD, max(1, n // 8)),
        "spectrum": max(1, n // 10),
    }


def time_networks(networks, steps, options):
    """Return the seconds of each method on the networks that it was timed on, and {method: reason}
    for those that stopped.
    """
    seconds, skipped = {name: [] for name in steps}, {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = {name: stack.enter_context(Process(name, options)) for name in steps}
        for number, problem in enumerate(tqdm(networks, desc="  networks", leave=False)):
            due = [name for name in steps if number % steps[name] == 0 and name not in skipped]
            for name in due:
                time.sleep(PAUSE if len(due) > 1 else 0)
                try:
                    ask(processes[name], "prepare", problem=problem)
                    seconds[name].append(ask(processes[name], "first")["seconds"])
                except LeftOut as why:
                    skipped[name] = str(why)
            going = {name: processes[name] for name in due if name not in skipped}
            compare_with_each_other(problem, going, str(Path(folder) / "H.npy"))
    return seconds, skipped


def measure_networks(networks, options):
    """Return all of the study of many networks for the results."""
    n, first = len(networks), networks[0]
    steps = choose_steps(n)
    seconds, skipped = time_networks(networks, steps, options)
    methods = {}
    for name, step in steps.items():
        methods[name] = {"title": {**METHODS, **MORE}[name].title}
        if name in skipped:
            methods[name]["skipped"] = skipped[name]
            continue
        # A method that was not timed on all networks is taken to last as long on the others.
        total = sum(seconds[name]) if step == 1 else n * statistics.median(seconds[name])
        methods[name] |= {"timed": len(seconds[name]), "all_seconds": total}
    ours = methods["ours"].get("all_seconds")
    loops = [methods[name].get("all_seconds") for name in AUTOGRAD]
    loop = min((total for total in loops if total is not None), default=None)
    return {
        "networks": n,
        "widths": first.widths,
        "samples": first.samples,
        "size": first.size,
        "methods": methods,
        "times_faster": None if ours is None or loop is None else loop / ours,
    }


def compare_with_each_other(problem, processes, path):
    """Hold what several processes have found for one network against each other; raises Refused."""
    if {"ours", "autograd"} <= processes.keys():
        processes["autograd"].ask("store", path=path)
        compare(processes["ours"], problem, path)
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
