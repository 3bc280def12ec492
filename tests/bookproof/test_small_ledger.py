"""The ledger of a small book, and its explorers, as Sphinx builds them in this process.

Not seen here: the tables of a real book (tests/book/test_ledger.py), and what a reader does with
the explorer (tests/book/test_strip.py).
"""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof import at_most, claim, equal, true_of
from bookproof.claims import MIME
from bookproof.explorers import explorer, read_html
from bookproof.sphinx.ledger import (
    find_ledger,
    list_ledgers,
    make_breakable,
    parse_inline,
    say_findings,
    warn_of_uncovered,
)
from bookproof.sphinx.ledger_explorer import (
    KINDS,
    Entry,
    find_used_functions,
    list_positions,
    list_shares,
    measure_ledger,
    parse_code,
    write_start,
)
from tests.bookproof.small_site import build_site

CONFIG = """
project = "Circles"
extensions = ["myst_nb", "sphinx_proof", "bookproof.sphinx", "bookproof.sphinx.explorers"]
html_theme = "basic"
root_doc = "index"
nb_execution_mode = "off"
bookproof_library = "shapes"
bookproof_repository = "https://example.org/circles/"
bookproof_branch = "next"
exclude_patterns = ["site", "trees"]
suppress_warnings = ["mystnb.unknown_mime_type", "bookproof.ledger"]
"""
INDEX = """# Circles

```{toctree}
:numbered:
one
two
held
shapes
```
"""
LEDGER = """# Held

```{ledger}
```
"""
SHAPES = """# Shapes

```{py:function} shapes.area(radius)
The area.
```
"""
TESTS = """import pytest

import shapes


@pytest.mark.claim("theorem-one")
def test_an_area():
    assert shapes.area(1) > shapes.unknown(1)
"""
THEOREM = """# One

```{prf:theorem} First
:label: theorem-one

So.
```

```{prf:theorem} Nobody checks it
:label: theorem-none

So.
```
"""
MOVE = "export const spec = {name: 'moved'}; globalThis.moved = spec\n"


def make_claims():
    """Return claims of each strength, by the page that makes them."""
    first = claim(
        "theorem-one",
        "An area & $x < y$, says `code`.",
        equal([1.0, 2.0], [1.0, 2.0 + 1e-9], to=1e-8, name="near"),
        equal(1, 1, to=0, name="same"),
        source="Dinh 2017",
    )
    bound = claim("remark-bound", "A bound.", at_most(1.0, 4.0), at_most(3.0, 4.0, name="x"))
    coarse = claim("remark-coarse", "Coarse.", equal(1.0, 1.5, to=0.5))
    cases = claim("remark-cases", "Cases.", true_of([True, True]))
    return {"one": [first, bound], "two": [coarse, cases]}


def store(made, code):
    data, metadata = made._repr_mimebundle_()
    output = new_output("display_data", data, metadata=metadata)
    return new_code_cell(code, outputs=[output])


def make_page(title, claims, moved=False):
    cells = [new_markdown_cell(title), new_code_cell("import shapes as s\n%matplotlib inline")]
    cells += [store(made, "book.claim(s.area(2))") for made in claims]
    if moved:
        shown = explorer("sm-moved", {"a": 1}, at=[{"a": 1}], python=lambda a: {"b": a})
        html = new_output("display_data", {"text/html": shown.html, "text/plain": "<sm-moved>"})
        cells.append(new_code_cell("move()", outputs=[html]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The application after a build."""
    folder = tmp_path_factory.mktemp("ledger")
    files = {
        "conf.py": CONFIG,
        "index.md": INDEX,
        "held.md": LEDGER,
        "shapes.md": SHAPES,
        "tests/test_shapes.py": TESTS,
        "explorers/moved.js": MOVE,
        "requirements.txt": "",
    }
    claims = make_claims()
    nbformat.write(make_page(THEOREM, claims["one"]), folder / "one.ipynb")
    nbformat.write(make_page("# Two", claims["two"], moved=True), folder / "two.ipynb")
    return build_site(folder, files)


@pytest.fixture(scope="module")
def page(app):
    return BeautifulSoup((app.outdir / "held.html").read_text(), "html.parser")


def read_rows(chapter):
    rows = chapter.select("table.ledger tbody tr")
    return [[" ".join(c.get_text(" ").split()) for c in row.select("td")] for row in rows]


def test_all_claims_are_counted_and_those_that_are_strong(page):
    counts = page.select_one(".ledger-count").get_text()
    assert counts == "4 claims in 2 chapters, all held."
    assert "1 of them are strong" in page.get_text() and "other 3 says" in page.get_text()
    summaries = [one.get_text() for one in page.select("details.ledger-chapter > summary")]
    assert summaries == ["1 One: 2 claims, 1 strong", "2 Two: 2 claims, 0 strong"]


def test_a_row_says_the_claim_what_it_promises_what_was_found_and_who_checks_it(page):
    first, second = page.select("details.ledger-chapter")
    one, bound = read_rows(first)
    coarse, cases = read_rows(second)
    assert one[0] == r"theorem-one : An area & \(x < y\) , says code . (Dinh 2017)"
    assert one[1] == "equal to 10⁻⁸ equal"
    assert re.fullmatch(r"near: they differ by .*10⁻.* same: .*", one[2])
    assert one[3] == "area unknown"
    assert one[4].replace(" ", "") == "test_shapes.py::test_an_area"
    assert bound[0].endswith("Not strong: a bound: a change that keeps to it stays unseen.")
    assert coarse[0].endswith("two sides that agree to more than one per cent only.")
    assert cases[0].endswith("of each it is compared whether it is so, not by how much.")
    assert bound[3] == "area" and bound[4] == "–", "without a test, the functions of its cell"


def test_links_of_a_row_lead_to_the_statement_the_function_and_the_test(page):
    row = page.find(id="claim-theorem-one")
    about, function, test = (cell.a for cell in (row.select("td")[k] for k in (0, 3, 4)))
    assert about["href"] == "one.html#theorem-one"
    assert function["href"] == "shapes.html#shapes.area"
    assert "internal" in about["class"] and "internal" in function["class"]
    assert test["href"] == "https://example.org/circles/blob/next/tests/test_shapes.py"
    assert len(row.select("td")[3].select("a")) == 1, "one function is not documented"
    bound = page.find(id="claim-remark-bound")
    assert bound.a["href"] == "one.html", "what is not labelled is found on its page"


def test_a_statement_without_a_claim_is_missing(page):
    missing = page.find("p", string="Missing:").find_next("ul")
    assert [item.get_text().strip() for item in missing.select("li")] == [
        "one: the theorem theorem-none has no claim"
    ]


def test_the_build_warns_of_a_statement_without_a_claim(app, caplog):
    with caplog.at_level("WARNING", logger="sphinx"):
        warn_of_uncovered(app, app.env)
    [said] = [record.getMessage() for record in caplog.records]
    assert said == "ledger: one: the theorem theorem-none has no claim"


def test_the_strip_has_a_dot_for_each_share_and_none_for_what_is_exact(page):
    strip = page.select_one("svg")
    dots = [link["href"] for link in strip.select("a")]
    assert sorted(dots) == [
        "#claim-remark-bound",
        "#claim-remark-bound",
        "#claim-remark-coarse",
        "#claim-theorem-one",
    ]


def test_pages_that_show_claims_are_written_again(app):
    assert list_ledgers(app, app.env) == ["held"] and find_ledger(app.env) == "held"


def test_a_claim_shows_itself_with_its_formula(app):
    page = BeautifulSoup((app.outdir / "one.html").read_text(), "html.parser")
    shown = page.select_one("p.claim")
    assert shown.strong.get_text().endswith(".")
    assert "An area & " in shown.get_text()
    assert shown.select_one(".math, .katex") is not None and shown.code.get_text() == "code"


def read_script(app, name):
    return (app.outdir / "_static" / "explorers" / f"{name}.js").read_text()


def test_each_page_with_something_to_move_has_its_script_behind_it(app):
    pages = {name: (app.outdir / f"{name}.html").read_text() for name in ("one", "two", "held")}
    assert "_static/explorers" not in pages["one"]
    for name, element in {"two": "sm-moved", "held": "book-ledger"}.items():
        end = f'</{element}><script src="_static/explorers/{name}.js"></script>'
        assert pages[name].count(end) == 1
        assert pages[name].count("_static/explorers") == 1
    assert "moved" in read_script(app, "two") and "book-ledger" not in read_script(app, "two")
    assert "book-ledger" in read_script(app, "held")
    assert not (app.outdir / "_static" / "explorers" / "one.js").exists()


def test_the_explorer_of_the_ledger_has_the_numbers_of_python(app):
    [stored] = read_html((app.outdir / "held.html").read_text())
    assert stored.element == "book-ledger"
    everything = stored.values[0]
    assert [everything[name] for name in ("claims", "chapters", "strong")] == [4, 2, 1]
    assert (everything["comparisons"], everything["exact"]) == (4, 1)
    assert [one["anchor"] for one in stored.data["claims"]] == [
        "claim-theorem-one",
        "claim-remark-bound",
        "claim-remark-coarse",
        "claim-remark-cases",
    ]
    assert [one["chapter"] for one in stored.data["claims"]] == [1, 1, 2, 2]


# The entries of a ledger, made by hand


def make_entries():
    claims = make_claims()
    entries = []
    for page, made in claims.items():
        for one in made:
            data, metadata = one._repr_mimebundle_()
            record = data[MIME] | {"code": "s.area(2)"}
            found = metadata[MIME]["parts"]
            record["parts"] = [a | b for a, b in zip(record["parts"], found, strict=True)]
            entries.append(Entry(page, f"The {page}", record, ["area"], []))
    return entries


EVERYTHING = {"chapter": 0, "kind": 0, "strength": 0, "words": ""}


def count(**position):
    return measure_ledger(make_entries(), **EVERYTHING | position)


def test_claims_are_chosen_by_chapter_kind_strength_and_words():
    assert [count(chapter=k)["claims"] for k in (0, 1, 2)] == [4, 2, 2]
    assert [count(chapter=k)["strong"] for k in (0, 1, 2)] == [1, 1, 0]
    by_kind = {name: count(kind=k)["claims"] for k, name in enumerate(KINDS, start=1)}
    assert by_kind == {
        "equality": 2,
        "inequality": 1,
        "count": 1,
        "estimate": 0,
        "figure": 0,
        "words": 0,
    }
    assert count(strength=1)["claims"] == count(words="DINH one")["claims"] == 1
    assert count(words="dinh two")["claims"] == 0
    promise = make_entries()[2].claim["parts"][0]["promise"]
    assert count(words=promise)["claims"] == 1
    assert count(words="no such words") == {
        **dict.fromkeys(["claims", "chapters", "strong", "comparisons", "exact"], 0),
        "largest_share": 0.0,
        **{f"with_{name}": 0 for name in KINDS},
    }


def test_what_is_counted_of_the_claims_that_are_left():
    bound = count(kind=2)
    assert (bound["comparisons"], bound["largest_share"]) == (2, 0.75)
    everything = count()
    assert (everything["with_equality"], everything["exact"]) == (2, 1)
    assert everything["largest_share"] == 1.0
    near, *_ = list_shares(make_entries()[0].claim)
    assert near == pytest.approx(0.1)


def test_numbers_are_stored_for_everything_each_kind_each_chapter_and_words():
    positions = list_positions(make_entries())
    assert positions[0] == EVERYTHING and positions[1] == EVERYTHING | {"strength": 1}
    assert [one["kind"] for one in positions[2:8]] == [1, 2, 3, 4, 5, 6]
    assert [(one["chapter"], one["strength"]) for one in positions[8:10]] == [(1, 0), (2, 1)]
    words = [one["words"] for one in positions[10:]]
    assert words == [w for w in ("theorem-one", "remark", "no such words") for _ in range(2)]
    assert [one["kind"] for one in positions[10:]] == [0, 1] * 3


def test_a_ledger_may_have_one_claim_or_many_chapters():
    entry = make_entries()[0]
    assert {one["words"] for one in list_positions([entry])} == {
        "",
        "theorem-one",
        "theorem",
        "no such words",
    }
    many = [entry._replace(chapter=f"Chapter {n}") for n in range(4)]
    chapters = [one for one in list_positions(many) if one["chapter"]]
    assert [one["chapter"] for one in chapters] == [1, 2, 3, 4]
    assert [one["strength"] for one in chapters] == [0, 1, 0, 1]


def test_functions_are_those_of_the_tests_or_else_of_the_cell():
    page = make_page("# A", [])
    code = {"code": "%time x\n!ls\ny = s.area(2)"}
    assert find_used_functions(page, code, [], "shapes") == ["area"]
    tested = [type("Test", (), {"functions": names}) for names in (("b", "a"), ("a", "c"))]
    assert find_used_functions(page, code, tested, "shapes") == ["b", "a", "c"]
    assert len(parse_code("x = 1\n  %time y\n!ls").body) == 1


def test_the_script_of_the_ledger_names_its_element_and_its_source():
    first, second, third, _ = write_start("a-b").split("\n")
    assert first == 'import { define } from "bookproof";' and third == 'define("a-b", spec);'
    assert Path(second.split('"')[1]).is_file()


def say(*measured):
    parts = [
        {"name": f"n{k}" if k else "", "finding": f"found {m}", "measured": m}
        for k, m in enumerate(measured)
    ]
    return say_findings(parts)


def test_of_many_findings_the_worst_is_told():
    assert say(0.1) == "found 0.1"
    assert say(0.1, 0.3) == "found 0.1; n1: found 0.3"
    assert say(0.1, 0.3, None) == "n1: found 0.3 (the worst of 3)"
    assert say(None, None, None) == "found None (the worst of 3)"
    assert say_findings([]) == "–"


def test_math_and_code_of_a_sentence_are_set_as_such():
    kinds = [(type(part), part.astext()) for part in parse_inline("a $x$ b `c`")]
    assert [text for _, text in kinds if text] == ["a ", "x", " b ", "c"]
    assert [kind for kind, text in kinds if text] == [
        nodes.Text,
        nodes.math,
        nodes.Text,
        nodes.literal,
    ]


def test_a_name_breaks_between_its_words_only():
    parts = [part.astext() for part in make_breakable("test_a.py::test_it").findall(nodes.Text)]
    assert [part for part in parts if part != "<wbr>"] == ["test_", "a.py::", "test_", "it"]
