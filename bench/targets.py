"""What is promised of `sharpminima.hessian`, computed from the results: nobody types whether a
promise is kept.
"""

# Between two medians of one and the same computation; what is closer than this is not told apart.
NOISE = 1.1


AUTOGRAD = ("autograd", "autograd_one_thread")
JAX = ("jax_chunks", "jax_hessian")


def seconds(problem, *names):
    """The seconds of the fastest of some methods, or None when none of them was timed."""
    found = [problem["methods"].get(name, {}).get("seconds") for name in names]
    return min((s for s in found if s is not None), default=None)


def times_faster(problem, *names):
    """How much longer the fastest of some methods takes than ours."""
    ours, other = seconds(problem, "ours"), seconds(problem, *names)
    return None if ours is None or other is None else other / ours


def share(problem, method):
    """The part of the method's time that the matrix products alone would have taken."""
    s = seconds(problem, method)
    return None if s is None or problem["limit"] is None else problem["limit"] / s


def allowed_mib(problem):
    """Twice the matrix, the inputs, and 200 MiB."""
    return 2 * problem["matrix_mib"] + problem["inputs_mib"] + 200


def over_allowance(problem):
    mib = problem["methods"].get("ours", {}).get("mib")
    return None if mib is None else mib / allowed_mib(problem)


def target(what, values, at_least=None, at_most=None):
    """One promise over some rows: kept when the worst of them keeps it, None when one is not
    known.
    """
    values, bound = list(values), at_least if at_most is None else at_most
    kind = "at least" if at_most is None else "at most"
    if not values or None in values:
        return {"what": what, kind: bound, "measured": None, "met": None}
    worst = min(values) if at_most is None else max(values)
    met = worst >= bound if at_most is None else worst <= bound
    return {"what": what, kind: bound, "measured": float(f"{worst:.3g}"), "met": bool(met)}


def targets(results):
    """Every promise with its bound, the worst measured value and whether it is met. A ratio is the
    other's median over ours.
    """
    full = [p for p in results["problems"] if p["samples"] == 1000]
    small = [p for p in full if p["size"] < 900]
    middle = [p for p in full if 900 <= p["size"] < 6000]
    large = [p for p in full if p["size"] >= 6000]
    deep = [p for p in full if p["size"] >= 4800 and p["criterion"] == "cross_entropy"]
    few = [p for p in results["problems"] if p["samples"] == 100]
    memory = [over_allowance(p) for p in full if p["size"] >= 4800]
    one = [times_faster(p, "ours_one_thread") for p in small + middle if p["size"] < 1100]
    threads = [None if ratio is None else 1 / ratio for ratio in one]
    networks = results["networks"]
    return [
        target(
            "Times faster than autograd.hessian, 900 to 5,000 parameters",
            [times_faster(p, *AUTOGRAD) for p in middle],
            20,
        ),
        target(
            "Times faster than the fastest of JAX, 900 to 5,000 parameters",
            [times_faster(p, *JAX) for p in middle],
            5,
        ),
        target(
            "Times faster than autograd.hessian, 10,000 parameters",
            [times_faster(p, *AUTOGRAD) for p in large],
            10,
        ),
        target(
            "Times faster than the fastest of JAX, 10,000 parameters",
            [times_faster(p, *JAX) for p in large],
            4,
        ),
        target(
            "Times faster than autograd.hessian, 200 parameters",
            [times_faster(p, *AUTOGRAD) for p in small],
            1,
        ),
        target(
            "Times faster than the fastest of JAX, 200 parameters",
            [times_faster(p, *JAX) for p in small],
            2,
        ),
        target(
            "Times faster than the fastest of JAX, 10,000 parameters and 100 samples",
            [times_faster(p, *JAX) for p in few],
            1,
        ),
        target(
            "Share of the matrix-product limit, cross-entropy, new result",
            [share(p, "ours") for p in deep],
            0.6,
        ),
        target(
            "Share of the matrix-product limit, cross-entropy, result reused",
            [share(p, "ours_reused") for p in deep],
            0.6,
        ),
        target(
            "Peak memory over twice the matrix, inputs and 200 MiB, from 4,800 parameters",
            memory,
            at_most=1,
        ),
        target(
            f"Two threads over one thread (up to {NOISE} is noise), up to 1,100 parameters",
            threads,
            at_most=NOISE,
        ),
        target(
            "Times faster than a loop of autograd.hessian over 200 networks",
            [networks["times_faster"] if networks else None],
            15,
        ),
    ]
