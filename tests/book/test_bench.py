"""The benchmark: that it refuses a wrong Hessian, counts and compares rightly, and that its
verdicts are computed; and that its page shows the stored times and no others.

Not seen here: whether the times are those of a quiet machine, and whether the peers are called as
their authors would; bench/methods.py shows how they are. The peers themselves are run by `make
bench QUICK=1`, not by a test, which would have to install them.
"""

import argparse
import copy
import json
import re
import sys
from pathlib import Path

import autograd
import nbformat
import numpy as np
import pytest
from tqdm import tqdm

import sharpminima as sm
from bench import RESULTS
from bench.__main__ import add_verdicts, main, round_floats
from bench.large import AGREEMENT, LONGEST, OURS, QUICK_PROBLEM, TASKS
from bench.large_runs import measure_cost, refuse_another_result
from bench.methods import METHODS
from bench.problems import NETWORKS, PROBLEMS, QUICK, Problem
from bench.process import Process
from bench.report import report
from bench.runs import LeftOut, Refused, compare_with_each_other, count_calls, start, time_in_turns
from bench.targets import GROUPS, choose_quickest, compute_share, get_seconds, judge_targets
from bench.worker import compute_difference
from chapters.figures import benchmark as draw
from tests.support import PROJECT

OPTIONS = argparse.Namespace(
    pythons={"book": sys.executable, "peers": None}, threads=1, budget=0.0, quick=True, without=[]
)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    out = tmp_path_factory.mktemp("bench") / "results.json"
    main(
        [
            "--quick",
            "--threads",
            "1",
            "--without",
            "ours_one_thread",
            "autograd_one_thread",
            "--out",
            str(out),
        ]
    )
    return json.loads(out.read_text())


def test_a_smoke_run_measures_every_piece(quick):
    assert [p["size"] for p in quick["problems"]] == [p.size for p in QUICK]
    for problem in quick["problems"]:
        assert {"ours", "autograd", "jax_chunks", "torch_chunks"} <= set(problem["methods"])
        assert "peers" in problem["methods"]["jax_chunks"]["skipped"]
        assert problem["methods"]["ours"]["difference"] <= 1e-10
        for name in ("ours", "autograd"):
            method = problem["methods"][name]
            assert (
                0 < method["fastest"] <= method["seconds"] <= method["slowest"]
                and method["calls"] >= 2
            )
        assert 0 < problem["limit"] < problem["methods"]["ours"]["seconds"]
    networks = quick["networks"]["methods"]
    assert (
        networks["ours"]["timed"] == quick["networks"]["networks"] == 4
        and networks["spectrum"]["timed"] == 4
    )
    assert {"Processor", "BLAS", "Cores"} <= set(quick["machine"]) and quick["versions"]["book"][
        "autograd"
    ]
    *of_hessians, _, of_models = quick["targets"]
    assert all(row["met"] is None for row in of_hessians), "tiny problems promise nothing"
    assert of_models["met"] is None and quick["models"] is None, "there were no peers"
    assert "not measured" in "\n".join(report(quick))


def test_a_smoke_run_measures_large_networks_too(quick):
    assert [task["task"] for task in quick["large"]["tasks"]] == list(TASKS)
    for task in quick["large"]["tasks"]:
        assert task["ours"]["seconds"] > 0
        assert "peers" in task["curvlinops"]["skipped"]
    assert len(quick["large"]["load"]) == 1 + len(TASKS)
    [size] = quick["costs"]["sizes"]
    assert size["measures"].keys() == sm.MEASURES.keys()
    costs = size["measures"].values()
    measured = [cost["seconds"] for cost in costs if "skipped" not in cost]
    assert min(measured) > 0
    assert len(measured) > 0.8 * len(sm.MEASURES)  # a few are undefined away from minima
    reasons = [cost["skipped"] for cost in costs if "skipped" in cost]
    assert all(reason.startswith("Undefined: ") for reason in reasons)


@pytest.mark.parametrize("task", [task for task in AGREEMENT if task != "trace"])
def test_another_result_of_a_large_network_is_refused(task):
    refuse_another_result(task, {"seconds": 1.0, "difference": AGREEMENT[task] / 2})
    refuse_another_result(task, {"skipped": "a reason"})
    for difference in (2 * AGREEMENT[task], float("nan")):
        with pytest.raises(Refused, match="of curvlinops differs from ours by"):
            refuse_another_result(task, {"seconds": 1.0, "difference": difference})


def test_results_of_large_networks_are_those_of_the_whole_hessian():
    """Ours, of the smoke run's network: the peer is compared with them when it is there."""
    x, y, theta = QUICK_PROBLEM.arrays()
    loss = sm.NetworkLoss(QUICK_PROBLEM.widths, x, y, criterion="cross_entropy")
    H = autograd.hessian(loss)(theta)
    start = np.random.default_rng(0).normal(size=len(H))
    expected = {
        "product": H @ start,
        "trace": [np.trace(H)],
        "eigenpairs": np.linalg.eigvalsh(H)[:-6:-1],
        # The weights of the first of three outputs.
        "last_block": H[-12:, -12::3],
    }
    for task, value in expected.items():
        call, array = OURS[task](QUICK_PROBLEM)
        np.testing.assert_allclose(array(call()), value, atol=1e-6 * np.abs(value).max())


@pytest.mark.parametrize(
    ("error", "cost", "is_alive"),
    [
        ("its process ended with -14", {"skipped": f"more than {LONGEST} s"}, False),
        ("its process ended with -9", {"skipped": "its process ended with -9"}, False),
        ("ValueError: no", {"skipped": "ValueError: no"}, True),
        ("MemoryError: much", {"skipped": "no memory", "mib_needed": 62**2 / 2**17}, True),
    ],
)
def test_why_a_measure_has_no_cost_is_said(error, cost, is_alive):
    class Told:
        def ask(self, do, **more):
            return {"error": error} if do == "first" else {}

    assert measure_cost(Told(), QUICK_PROBLEM, "trace") == (cost, is_alive)


def reference_of(problem, folder, spoil=None):
    process, _ = start("autograd", problem, OPTIONS, folder / "H.npy")
    process.close()
    H = np.load(folder / "H.npy")
    if spoil:
        H[tuple(np.array(H.shape) // 2)] += spoil * np.abs(H).max()
        np.save(folder / "H.npy", H)
    return folder / "H.npy"


@pytest.mark.claim("benchmark-equal")
@pytest.mark.parametrize("spoil", [1e-9, np.nan])
def test_another_hessian_is_not_timed(tmp_path, spoil):
    with pytest.raises(Refused, match="sharpminima is not timed"):
        start("ours", QUICK[1], OPTIONS, reference_of(QUICK[1], tmp_path, spoil))


def test_a_method_that_cannot_be_asked_is_left_out(tmp_path):
    with pytest.raises(LeftOut, match="peers"):
        start("curvlinops", QUICK[0], OPTIONS, tmp_path)
    five = PROBLEMS[4]
    assert five.size == 4998 and "11 GiB" in METHODS["jax_hessian"].refusal(five)
    assert METHODS["ours_one_thread"].refusal(five) and not METHODS["jax_chunks"].refusal(five)
    with Process("ours", OPTIONS) as process:
        assert "error" in process.ask("time"), "nothing was prepared"


def test_the_difference_of_matrices():
    H = np.random.default_rng(0).normal(size=(600, 600))
    assert compute_difference(H, H) == 0
    for where in [(0, 0), (255, 3), (256, 3), (599, 599)]:
        other = H.copy()
        other[where] += 1e-3
        assert compute_difference(other, H) == pytest.approx(1e-3 / np.abs(H).max())
        other[where] = np.nan
        assert not compute_difference(other, H) <= 1e-10
    assert not compute_difference(H[:-1], H) <= 1e-10


def test_peak_memory_is_what_the_first_call_takes():
    """A matrix of 30.5 MiB is nearly all that writing one takes."""
    with Process("fresh_memory", OPTIONS) as process:
        process.ask("prepare", problem=Problem("squared_error", (1000, 2), 1))
        mib = process.ask("first")["mib"]
    assert mib == pytest.approx(2000**2 / 2**17, abs=2) or not Path("/proc/self/status").exists()


class Recorder:
    """Stands for a process: remembers when it was asked."""

    def __init__(self, name, asked):
        self.method, self.name, self.asked = METHODS[name], name, asked

    def ask(self, do):
        self.asked.append(self.name)
        return {"seconds": len(self.asked)}


def test_processes_take_turns():
    asked = []
    processes = {name: Recorder(name, asked) for name in ("ours", "autograd", "product")}
    seconds = time_in_turns(processes, {"ours": 6, "autograd": 2, "product": 6}, tqdm(disable=True))
    assert [len(seconds[name]) for name in processes] == [6, 2, 6]
    assert asked == ["ours", "product", "ours", "product", "ours", "autograd", "product"] * 2


def test_slow_methods_are_called_less_often():
    assert (
        count_calls({"first": 0.01}, METHODS["ours"], 6.0) == 15
        and count_calls({"first": 1.0}, METHODS["ours"], 6.0) == 6
    )
    assert (
        count_calls({"first": 24.0}, METHODS["autograd"], 6.0) == 2
        and count_calls({"first": 24.0}, METHODS["curvlinops"], 6.0) == 0
    )
    assert count_calls({"first": 24.0}, METHODS["jax_hessian"], 6.0) == 1, "its first call compiled"


def test_the_problems_are_those_of_the_library():
    """Sizes, multiply-adds from the blocks one by one, and values of the loss."""
    assert [p.size for p in PROBLEMS] == [
        198,
        180,
        1008,
        928,
        4998,
        4880,
        10010,
        10416,
        10010,
        10416,
    ]
    for problem in (*QUICK, NETWORKS[0]):
        # Each pair of blocks once; of a diagonal block, which is symmetric in inputs and in
        # outputs, a quarter.
        blocks = sum(
            a * b if k < j else a * b / 4 if k == j else 0
            for k, a in enumerate(problem.sizes)
            for j, b in enumerate(problem.sizes)
        )
        assert problem.multiply_adds == problem.samples * blocks
        x, y, theta = problem.arrays()
        loss = sm.NetworkLoss(problem.widths, x, y, criterion=problem.criterion)
        assert loss.size == problem.size == len(theta)
        assert (
            len(x) == problem.samples
            and np.isfinite(loss(theta))
            and not sm.kinks(loss, theta, tol=1e-9)
        )
    assert not np.array_equal(NETWORKS[0].arrays()[2], NETWORKS[1].arrays()[2])


def full(seconds, mib=400.0):
    """Results of a made-up run in which every method takes so many seconds on every problem."""
    problems = []
    for p in PROBLEMS:
        known = {"mib": mib, "setting": None, "difference": 1e-15}
        methods = {
            name: {"title": METHODS[name].title, "seconds": s, "first": s, **known}
            for name, s in seconds.items()
        }
        x, y, theta = p.arrays()
        inputs = (x.size + y.size + theta.size) / 2**17
        about = {
            "criterion": p.criterion,
            "widths": p.widths,
            "samples": p.samples,
            "size": p.size,
            "matrix_mib": p.size**2 / 2**17,
        }
        problems.append(
            {**about, "inputs_mib": inputs, "limit": 0.7, "fresh_memory": 0.1, "methods": methods}
        )
    models = [{"times_faster": 12.0}, {"times_faster": 5.0}]
    return {"problems": problems, "networks": {"times_faster": 20.0}, "models": models}


ALL_MET = {
    "ours": 1.0,
    "ours_reused": 1.0,
    "ours_one_thread": 1.0,
    "autograd": 20.0,
    "jax_chunks": 5.0,
    "jax_hessian": 9.0,
}


def verdicts(results):
    return [row["met"] for row in judge_targets(results)]


def test_all_targets_can_be_met():
    assert set(verdicts(full(ALL_MET))) == {True}
    assert compute_share(full(ALL_MET)["problems"][0], "ours") == pytest.approx(0.7)


@pytest.mark.parametrize(
    "change, missed",
    [
        ({"autograd": 19.0}, [0]),
        ({"autograd": 9.0}, [0, 2]),
        ({"autograd": 0.9}, [0, 2, 4]),
        ({"autograd_one_thread": 19.0}, [0]),
        ({"jax_chunks": 4.9}, [1]),
        ({"jax_hessian": 3.9}, [1, 3]),
        ({"jax_chunks": 0.9}, [1, 3, 5, 6]),
        ({"ours_reused": 1.2}, [8]),
        ({"ours": 1.2, "autograd": 40.0, "jax_chunks": 10.0, "jax_hessian": 10.0}, [7, 10]),
    ],
)
def test_each_target_of_time_can_be_missed(change, missed):
    assert [
        number for number, met in enumerate(verdicts(full({**ALL_MET, **change}))) if not met
    ] == missed


def test_one_bad_row_is_enough_and_the_others_can_be_missed():
    results = full(ALL_MET)
    results["problems"][3]["methods"]["autograd"]["seconds"] = 19.0
    results["problems"][5]["methods"]["ours"]["mib"] = 600.0
    results["networks"]["times_faster"] = 14.0
    results["models"][1]["times_faster"] = 4.9
    assert [number for number, met in enumerate(verdicts(results)) if not met] == [0, 9, 11, 12]
    assert judge_targets(results)[0]["measured"] == 19


def test_what_was_not_measured_is_not_met():
    results = full({"ours": 1.0})
    found = verdicts({**results, "networks": None, "models": None})
    assert found == [None] * 7 + [True, None, True, None, None, None]


@pytest.mark.claim("benchmark-promises")
def test_stored_verdicts_were_computed_from_the_stored_results():
    results = json.loads(RESULTS.read_text())
    assert results["targets"] == judge_targets(results)
    forged = copy.deepcopy(results)
    forged["problems"][2]["methods"]["autograd"]["seconds"] /= 100
    assert results["targets"] != judge_targets(forged)
    assert results == add_verdicts(results)
    forged["problems"][2]["methods"]["autograd_one_thread"]["seconds"] /= 1000
    assert choose_quickest(forged["problems"][2]) != results["problems"][2]["quickest"]
    for problem in results["problems"]:
        assert all(
            m["difference"] <= 1e-10
            for m in problem["methods"].values()
            if "seconds" in m and m["title"] != METHODS["autograd"].title
        )


def list_panels(results):
    """What the page draws of some results: (name, limit, curves) for each criterion."""
    panels = []
    for criterion in ("squared_error", "cross_entropy"):
        rows = [
            p for p in results["problems"] if (p["criterion"], p["samples"]) == (criterion, 1000)
        ]
        curves = []
        for group in ("sharpminima", "autograd", "JAX", "PyTorch"):
            points = [(p["size"], get_seconds(p, *GROUPS[group])) for p in rows]
            curves.append((group, points))
        panels.append(
            (criterion.replace("_", " "), [(p["size"], p["limit"]) for p in rows], curves)
        )
    return panels


@pytest.mark.claim("fig-hessian-times")
def test_the_figure_draws_the_fastest_of_each_library():
    results = full({**ALL_MET, "torch_chunks": 30.0})
    results["problems"][3]["methods"]["jax_hessian"]["seconds"] = 3.25
    figure = draw.hessian_times(list_panels(results))
    jax = [[180, 5], [928, 3.25], [4880, 5], [10416, 5]]
    np.testing.assert_array_equal(figure.drawn("cross entropy: JAX"), jax)
    np.testing.assert_array_equal(figure.drawn("squared error: limit")[:, 1], [0.7] * 4)


def test_every_label_of_the_figure_is_seen():
    """Annotations outside the axes are not drawn at all, and nothing else would tell."""
    figure = draw.hessian_times(list_panels(json.loads(RESULTS.read_text()))).figure()
    low, high = figure.axes[1].get_ylim()
    heights = {text.get_text(): text.xy[1] for text in figure.axes[1].texts[1:]}
    assert set(heights) == {"matrix products", "sharpminima", "JAX", "PyTorch", "autograd"}
    assert all(low < height < high for height in heights.values()), heights


@pytest.fixture(scope="module")
def page():
    """The stored page on the benchmark: the texts of its tables, by their captions."""
    notebook = nbformat.read(PROJECT / "chapters" / "benchmark.ipynb", as_version=4)
    texts = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "facts" in output.get("data", {}).get("text/html", ""):
                caption, *rows = output.data["text/plain"].splitlines()
                texts[caption] = rows
    return texts


def test_the_page_shows_what_is_stored(page):
    """The page is read as text, and compared with numbers that are formatted here."""
    results = json.loads(RESULTS.read_text())
    [medians] = [rows for caption, rows in page.items() if caption.startswith("Median")]
    assert len(medians) == 1 + len(results["problems"])
    for problem, row in zip(results["problems"], medians[1:], strict=True):
        ours = problem["methods"]["ours"]["seconds"]
        assert f"{problem['size']:,}" in row
        assert f"{ours:#.2g}".rstrip(".") in row or f"{ours:.0f}" in row
    [promises] = [rows for caption, rows in page.items() if "promises" in caption]
    words = {True: "met", False: "not met", None: "not measured"}
    for target, row in zip(results["targets"], promises[1:], strict=True):
        assert row.startswith(target["what"]) and row.endswith(f"  {words[target['met']]}")


def test_the_page_says_why_a_method_was_not_timed(page):
    results = json.loads(RESULTS.read_text())
    left_out = "\n".join(page["Not timed"])
    for problem in results["problems"]:
        for method in problem["methods"].values():
            if "skipped" in method and "one thread" not in method["title"]:
                assert method["title"] in left_out and method["skipped"] in left_out


def test_four_digits_are_kept():
    assert round_floats({"a": [1.23456, 7, None, float("nan"), "x"]}) == {
        "a": [1.235, 7, None, None, "x"]
    }


def test_the_peers_are_pinned_and_out_of_the_books_lock():
    text = "".join(
        (PROJECT / "bench" / name).read_text() for name in ("requirements.txt", "torch.txt")
    )
    lines = [line for line in text.splitlines() if not line.startswith(("#", "    --hash="))]
    assert lines and all(re.fullmatch(r"[\w.-]+==[\w.]+( \\)?", line) for line in lines)
    book = (PROJECT / "requirements.txt").read_text().lower()
    assert not [
        name
        for name in ("jax", "torch", "curvlinops-for-pytorch")
        if re.search(rf"^{name}==", book, re.MULTILINE)
    ]


class Knowing:
    """Stands for a process that has found some eigenvalues."""

    def __init__(self, *values):
        self.ask = lambda do: {"values": values}


@pytest.mark.parametrize("found", [(3.0, 1.1), (1.0, 0.5), (np.nan, 1.0)])
def test_wrong_leading_eigenvalues_are_refused(found):
    true = Knowing(3.0, 1.0, 0.5, -2.0)
    compare_with_each_other(QUICK[0], {"leading": Knowing(3.0, 1.0), "spectrum": true}, "")
    with pytest.raises(Refused, match="leading"):
        compare_with_each_other(QUICK[0], {"leading": Knowing(*found), "spectrum": true}, "")
