"""The results as lines of text."""

import math

from .targets import compute_share, compute_times_faster


def report(results):
    """Yield the results line by line."""
    for problem in results["problems"]:
        yield from report_problem(problem)
    if results["networks"]:
        yield from report_networks(results["networks"])
    for model in results.get("models") or []:
        yield from report_model(model)
    if "large" in results:
        yield from report_large(results["large"])
    yield "\nTargets"
    for row in results["targets"]:
        kind = "at least" if "at least" in row else "at most"
        met = {True: "met", False: "NOT met", None: "not measured"}[row["met"]]
        measured = "" if row["measured"] is None else row["measured"]
        yield f"  {row['what']:90}{kind} {row[kind]:<5}{measured:>8}  {met}"


def report_problem(problem):
    widths = "-".join(map(str, problem["widths"]))
    limit, memory = map(or_nan, (problem["limit"], problem["fresh_memory"]))
    criterion = problem["criterion"].replace("_", " ")
    yield f"\n{criterion} {widths}, N = {problem['samples']}, n = {problem['size']}"
    yield f"  matrix products alone {limit:.3g} s, fresh memory for the result {memory:.3g} s"
    yield f"  {'':28}{'seconds':>10}{'first call':>12}{'over ours':>11}{'of limit':>10}{'MiB':>8}"
    for name, method in problem["methods"].items():
        if "skipped" in method:
            yield f"  {method['title']:28}  {method['skipped']}"
            continue
        ratio = compute_times_faster(problem, name)
        over_ours = f"{ratio:.2f}" if ratio else ""
        share = or_nan(compute_share(problem, name))
        yield (
            f"  {method['title']:28}{method['seconds']:10.3g}{method['first']:12.3g}{over_ours:>11}"
            f"{share:10.1%}{or_nan(method['mib']):8.0f}  {method['setting'] or ''}"
        )


def report_model(model):
    widths = "-".join(map(str, model["widths"]))
    criterion = model["criterion"].replace("_", " ")
    yield f"\na model of PyTorch, {criterion} {widths}, N = {model['samples']}, n = {model['size']}"
    for method in model["methods"].values():
        yield f"  {method['title']:28}{method['seconds']:10.3g} s, {method['calls']} calls"
    yield f"  {'times faster':28}{model['times_faster']:10.3g}"


def report_networks(networks):
    widths = "-".join(map(str, networks["widths"]))
    yield f"\n{networks['networks']} networks {widths}, N = {networks['samples']}"
    for method in networks["methods"].values():
        if "skipped" in method:
            yield f"  {method['title']:36}{method['skipped']}"
        else:
            seconds = f"{method['all_seconds']:8.3g} s, from {method['timed']} of them"
            yield f"  {method['title']:36}{seconds}"


def report_large(large):
    widths = "-".join(map(str, large["widths"]))
    loads = ", ".join(f"{load:.1f}" for load in large["load"])
    yield f"\n{widths}, N = {large['samples']}, n = {large['size']}; load {loads}"
    for task in large["tasks"]:
        for whose in ("ours", "curvlinops"):
            found = task[whose]
            took = found.get("skipped")
            if took is None:
                took = f"{found['seconds']:10.3g} s{or_nan(found['mib']):8.0f} MiB"
            yield f"  {task['title']:46}{whose:12}{took}"


def or_nan(value):
    return math.nan if value is None else value
