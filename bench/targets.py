"""The promises about `sharpminima.hessian`, computed from the results: nobody types whether one is
kept.
"""

NOISE = 1.1  # the ratio of two medians of one and the same computation
# The methods as the page shows them: of several ways to call a peer, its fastest.
GROUPS = {
    "sharpminima": ("ours",),
    "result reused": ("ours_reused",),
    "autograd": ("autograd", "autograd_one_thread"),
    "JAX": ("jax_chunks", "jax_hessian"),
    "PyTorch": ("torch_chunks", "torch_hessian"),
    "curvlinops": ("curvlinops",),
}
AUTOGRAD = GROUPS["autograd"]
JAX = GROUPS["JAX"]


def find_quickest(problem, names):
    """Return the name of the fastest of some methods, or None when none of them was timed."""
    methods = problem["methods"]
    timed = [name for name in names if "seconds" in methods.get(name, {})]
    return min(timed, key=lambda name: methods[name]["seconds"], default=None)


def choose_quickest(problem):
    """Return {group: the name of its fastest method, or None}."""
    return {group: find_quickest(problem, names) for group, names in GROUPS.items()}


def get_seconds(problem, *names):
    """Return the seconds of the fastest of some methods, or None when none of them was timed."""
    quickest = find_quickest(problem, names)
    return None if quickest is None else problem["methods"][quickest]["seconds"]


def compute_times_faster(problem, *names):
    """Return how much longer the fastest of some methods takes than ours."""
    ours, other = get_seconds(problem, "ours"), get_seconds(problem, *names)
    return None if ours is None or other is None else other / ours


def compute_share(problem, method):
    """Return the part of the method's time that the matrix products alone would have taken."""
    seconds = get_seconds(problem, method)
    return None if seconds is None or problem["limit"] is None else problem["limit"] / seconds


def compute_allowed_mib(problem):
    """Return twice the matrix, the inputs, and 200 MiB."""
    return 2 * problem["matrix_mib"] + problem["inputs_mib"] + 200


def compute_memory_share(problem):
    """Return the part of the allowed memory that the first call of ours has taken at its peak."""
    mib = problem["methods"].get("ours", {}).get("mib")
    return None if mib is None else mib / compute_allowed_mib(problem)


def judge(what, values, at_least=None, at_most=None):
    """Return one promise over some rows: kept when the worst of them keeps it, None when one is not
    known.
    """
    values = list(values)
    if at_most is None:
        kind, bound = "at least", at_least
    else:
        kind, bound = "at most", at_most
    if not values or None in values:
        return {"what": what, kind: bound, "measured": None, "met": None}
    if at_most is None:
        worst = min(values)
        met = worst >= bound
    else:
        worst = max(values)
        met = worst <= bound
    return {"what": what, kind: bound, "measured": float(f"{worst:.3g}"), "met": bool(met)}


def judge_targets(results):
    """Return every promise with its bound, the worst measured value and whether it is met. A ratio
    is the other's median over ours.
    """
    full = [p for p in results["problems"] if p["samples"] == 1000]
    small = [p for p in full if p["size"] < 900]
    middle = [p for p in full if 900 <= p["size"] < 6000]
    large = [p for p in full if p["size"] >= 6000]
    deep = [p for p in full if p["size"] >= 4800 and p["criterion"] == "cross_entropy"]
    few = [p for p in results["problems"] if p["samples"] == 100]
    memory = [compute_memory_share(p) for p in full if p["size"] >= 4800]
    one = [compute_times_faster(p, "ours_one_thread") for p in small + middle if p["size"] < 1100]
    threads = [None if ratio is None else 1 / ratio for ratio in one]
    networks = results["networks"]
    return [
        judge(
            "Times faster than autograd.hessian, 900 to 5,000 parameters",
            [compute_times_faster(p, *AUTOGRAD) for p in middle],
            20,
        ),
        judge(
            "Times faster than the fastest of JAX, 900 to 5,000 parameters",
            [compute_times_faster(p, *JAX) for p in middle],
            5,
        ),
        judge(
            "Times faster than autograd.hessian, 10,000 parameters",
            [compute_times_faster(p, *AUTOGRAD) for p in large],
            10,
        ),
        judge(
            "Times faster than the fastest of JAX, 10,000 parameters",
            [compute_times_faster(p, *JAX) for p in large],
            4,
        ),
        judge(
            "Times faster than autograd.hessian, 200 parameters",
            [compute_times_faster(p, *AUTOGRAD) for p in small],
            1,
        ),
        judge(
            "Times faster than the fastest of JAX, 200 parameters",
            [compute_times_faster(p, *JAX) for p in small],
            2,
        ),
        judge(
            "Times faster than the fastest of JAX, 10,000 parameters and 100 samples",
            [compute_times_faster(p, *JAX) for p in few],
            1,
        ),
        judge(
            "Share of the matrix-product limit, cross-entropy, new result",
            [compute_share(p, "ours") for p in deep],
            0.6,
        ),
        judge(
            "Share of the matrix-product limit, cross-entropy, result reused",
            [compute_share(p, "ours_reused") for p in deep],
            0.6,
        ),
        judge(
            "Peak memory over twice the matrix, inputs and 200 MiB, from 4,800 parameters",
            memory,
            at_most=1,
        ),
        judge(
            f"Two threads over one thread (up to {NOISE} is noise), up to 1,100 parameters",
            threads,
            at_most=NOISE,
        ),
        judge(
            "Times faster than a loop of autograd.hessian over 200 networks",
            [networks["times_faster"] if networks else None],
            15,
        ),
        judge(
            "Times faster than torch.func.hessian of a model in PyTorch, 3,000 parameters",
            [model["times_faster"] for model in results.get("models") or []],
            5,
        ),
    ]
