"""The page on reproducibility tells of what was built, and of nothing that was typed.

Not seen here: whether the machine tells the truth about itself, and whether its times would be the
same tomorrow.
"""

import json
import re
import shutil

import numpy as np
import pytest
from bs4 import BeautifulSoup
from test_bench import ALL_MET, full
from test_build import COUNT, Book

from bench.targets import targets
from bookproof import machine
from bookproof.sphinx import reproducibility
from tests.support import PROJECT

LOCK, PYPROJECT = ((PROJECT / name).read_text() for name in ("requirements.txt", "pyproject.toml"))
PAGE = "# Page\n\n" + "\n\n".join(
    f"```{{reproducibility}} {name}\n```"
    for name in ("machine", "times", "seeds", "claims", "times-figure", "benchmark")
)


def results(**seconds):
    """Results as `make bench` writes them, of a made-up run."""
    made = full({**ALL_MET, "torch_chunks": 30.0, **seconds})
    made["problems"][0]["methods"]["curvlinops"] = {
        "title": "curvlinops",
        "skipped": "would take about 70 s",
    }
    method = {"title": "sharpminima", "timed": 200, "all_seconds": 5.0}
    networks = {
        "networks": 200,
        "widths": [64, 24, 10],
        "samples": 400,
        "size": 1776,
        "times_faster": 18.0,
        "methods": {"ours": method},
    }
    where = {
        "date": "2031-02-03",
        "commit": "abc",
        "machine": {"Processor": "Abacus 9"},
        "load_before": 0.1,
        "threads": 2,
    }
    made = {
        **where,
        "versions": {"book": {"numpy": "2.0"}, "peers": None},
        **made,
        "networks": networks,
    }
    return json.loads(json.dumps({**made, "targets": targets(made)}))


def read(html):
    """{caption: [row, ...]} of all tables of facts, a row a list of texts; and the text of the
    article.
    """
    page = BeautifulSoup(html, "html.parser")
    tables = {
        table.caption.get_text(): [
            [cell.get_text() for cell in row.find_all(["th", "td"])]
            for row in table.select("tbody tr")
        ]
        for table in page.select("table.facts")
    }
    return tables, page.article.get_text(" ", strip=True)


def of(tables, words):
    [rows] = [rows for caption, rows in tables.items() if words in caption]
    return rows


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of one notebook and the page: built, then built again with other results and another
    seed.
    """
    book = Book(tmp_path_factory.mktemp("a book"))
    book.library(1)
    book.chapter(
        "# A page",
        COUNT,
        "import time\n\ntime.sleep(0.5)",
        "def rng(seed=7):\n    return default_rng(seed)",
    )
    (book.folder / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n  - file: chapters/page\n"
    )
    (book.folder / "chapters" / "page.md").write_text(PAGE)
    shutil.copytree(
        PROJECT / "tests",
        book.folder / "tests",
        ignore=lambda folder, names: set(names) - {"test_bench.py"},
    )
    (book.folder / "bench").mkdir()
    pages = []
    for seconds in ({}, {"autograd": 77.0}):
        (book.folder / "bench" / "results.json").write_text(json.dumps(results(**seconds)))
        good, runs, said = book.build()
        assert good, said
        page = book.folder / "_build" / "html" / "chapters" / "page.html"
        pages.append((page.read_text(), runs))
    return pages


def test_times_are_those_of_the_cells(built):
    (html, runs), (_, again) = built
    assert (runs, again) == (1, 0)
    tables, text = read(html)
    [[chapter, seconds, cells]] = of(tables, "each chapter")
    assert chapter == "A page" and cells == "3" and "1 notebook" in text
    slowest = of(tables, "slowest cells")
    assert slowest[0][0] == "time.sleep(0.5)" and 0.5 <= float(slowest[0][2]) <= float(seconds)
    assert len(slowest) == 3


def test_a_second_build_without_execution_still_knows_the_times(built):
    assert of(read(built[1][0])[0], "each chapter") == of(read(built[0][0])[0], "each chapter")


def test_seeds_and_counts_are_read_from_the_sources(built):
    tables, _ = read(built[0][0])
    assert of(tables, "randomness") == [["A page", "seed=7, default_rng(seed)"]]
    counts = dict(of(tables, "checked"))
    here = len(
        re.findall(r"^def test_", (PROJECT / "tests" / "test_bench.py").read_text(), re.MULTILINE)
    )
    assert (
        counts["Code cells"] == "3"
        and counts["Notebooks"] == "1"
        and counts["Claims"] == "0"
        and counts["Test functions"] == str(here)
    )


def test_the_machine_is_this_one(built):
    told = dict(of(read(built[0][0])[0], "was built"))
    assert told["Processor"] == machine.cpu() and told["Cores"] == str(machine.cores())
    assert told["Commit"].startswith("unknown"), "a folder without a history of its own"


def test_other_results_make_another_page(built):
    before, after = (read(html)[0] for html, _ in built)
    rows = of(before, "Median seconds")
    assert (
        len(rows) == 10
        and rows[2][2] == "1.0"
        and rows[2][4] == "20 (20\u00a0×)"
        and rows[2][7] == "–"
    )
    assert of(after, "Median seconds")[2][4] == "77 (77\u00a0×)"
    assert of(before, "promised")[0][2:] == ["20", "met"] and of(after, "promised")[0][2:] == [
        "77",
        "met",
    ]


def test_the_measurement_says_when_where_and_what_it_left_out(built):
    text = read(built[0][0])[1]
    assert "2031-02-03" in text and "Abacus 9" in text and "numpy 2.0" in text
    assert "curvlinops: would take about 70 s (squared error 10‑18‑1" in text


def test_tables_can_be_read_aloud(built, site):
    for html in (built[0][0], (site / "chapters" / "reproducibility.html").read_text()):
        tables = BeautifulSoup(html, "html.parser").select("table.facts")
        assert len(tables) >= 4
        for table in tables:
            assert len(table.caption.get_text()) > 10
            head = [cell.get_text() for cell in table.select("thead th[scope=col]")]
            for row in table.select("tbody tr"):
                assert len(row.select("th[scope=row]")) == 1
                assert [cell["data-label"] for cell in row.find_all("td")] == head[1:]


def test_the_figure_has_both_modes_one_number_and_the_numbers_measured(built):
    from chapters.figures.reproducibility import hessian_times

    [figure] = BeautifulSoup(built[0][0], "html.parser").select("figure")
    assert [image["class"][-1] for image in figure.find_all("img")] == [
        "in-light",
        "in-dark",
    ] and figure["id"] == "fig-hessian-times"
    assert figure.select_one(".caption-number").get_text(strip=True) == "Figure 1"
    made = results()
    made["problems"][3]["methods"]["jax_chunks"]["seconds"] = 3.25
    drawn = hessian_times(reproducibility.drawn(made))
    assert np.array_equal(
        drawn.drawn("cross entropy: JAX"), [[180, 5], [928, 3.25], [4880, 5], [10416, 5]]
    )
    assert np.array_equal(drawn.drawn("squared error: limit")[:, 1], [0.7] * 4)


def test_every_label_of_the_benchmarks_figure_is_seen():
    """Annotations outside the axes are not drawn at all, and nothing else would tell."""
    from chapters.figures.reproducibility import hessian_times

    figure = hessian_times(
        reproducibility.drawn(json.loads((PROJECT / "bench" / "results.json").read_text()))
    ).figure()
    low, high = figure.axes[1].get_ylim()
    heights = {text.get_text(): text.xy[1] for text in figure.axes[1].texts[1:]}
    assert set(heights) == {"matrix products", "sharpminima", "JAX", "PyTorch", "autograd"}
    assert all(low < height < high for height in heights.values()), heights


def test_stored_outputs_have_no_times(site):
    tables, text = read((site / "chapters" / "reproducibility.html").read_text())
    assert "Times were not measured in this build" in text and not [
        caption for caption in tables if "slowest" in caption
    ]
    assert (
        int(dict(of(tables, "checked"))["Claims"]) > 10 and of(tables, "asks for")[0][0] == "numpy"
    )


def test_versions_are_compared_with_the_lock():
    pins = reproducibility.locked(LOCK)
    rows, sentence = reproducibility.versions_of(LOCK, PYPROJECT, pins.get)
    assert ("<code>scipy</code>", pins["scipy"], pins["scipy"]) in rows and sentence.startswith(
        f"All {len(pins)} packages"
    )
    rows, sentence = reproducibility.versions_of(
        LOCK, PYPROJECT, {**pins, "scipy": "0.1", "babel": None}.get
    )
    assert ("<code>scipy</code>", pins["scipy"], "0.1") in rows
    assert (
        "2 differ" in sentence
        and "<code>scipy</code>" in sentence
        and "(here not installed)" in sentence
    )
    assert "nowhere" not in reproducibility.locked(
        "nowhere==1.0 ; sys_platform == 'amiga'\nhere==2.0\n    # via x\n"
    )


@pytest.mark.parametrize(
    "source, found",
    [
        ("rng = np.random.default_rng(3)", ["default_rng(3)"]),
        ("%matplotlib inline\nf(rng=default_rng(SEED + 1))", ["default_rng(SEED + 1)"]),
        ("rng = default_rng()", ["default_rng()"]),
        ("audit(m, seeds=range(20))\nsplit(random_state=4)", ["seeds=range(20)", "random_state=4"]),
        ("SPLIT_SEED = 5\ndef f(a, *, seed=6):\n    pass", ["SPLIT_SEED = 5", "seed=6"]),
        ("def f(a=1, seed=7, *, b=2):\n    return a", ["seed=7"]),
        ("x = 1\nprint(x, sep='')", []),
    ],
)
def test_seeds_are_found(source, found):
    assert reproducibility.seeds_in(source) == found


def test_nothing_in_the_book_is_random_without_a_seed():
    notebooks = [json.loads(path.read_text()) for path in (PROJECT / "chapters").glob("*.ipynb")]
    sources = [
        "".join(cell["source"])
        for notebook in notebooks
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    sources += [path.read_text() for path in (PROJECT / "lib").rglob("*.py")]
    seeds = [seed for source in sources for seed in reproducibility.seeds_in(source)]
    assert seeds and "default_rng()" not in seeds


def test_slowest_cells_come_first():
    cells = [(f"x = {s}", float(s)) for s in (1, 3, 2, 0, 4, 5, 6)]
    rows, slowest, total = reproducibility.times_of([("A", 22.0, cells), ("B", None, [])])
    assert rows == [("A", "22", "7"), ("B", "–", "0")] and total == 22
    assert [row[2] for row in slowest] == ["6.0", "5.0", "4.0", "3.0", "2.0"]


def test_numbers_have_two_digits():
    assert [reproducibility.number(x) for x in (0.00331, 0.2, 5, 24.4, 312.4, None)] == [
        "0.0033",
        "0.20",
        "5.0",
        "24",
        "312",
        "–",
    ]


def test_a_cell_is_known_by_what_it_does():
    assert reproducibility.first_line("# why\nimport numpy as np\n\nx = 1") == "x = 1"
    assert (
        reproducibility.first_line("import numpy") == "import numpy"
        and reproducibility.first_line("") == ""
    )
