"""Claims as marks, and folded cells, on nodes as MyST-NB makes them.

Not seen here: how a page looks, and the switch (tests/book/test_reading.py).
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_notebook, new_output

from bookproof import agrees, at_most, claim, equal, shows, true_of
from bookproof.claims import MIME
from bookproof.markers import MarkedTest, read_marked_tests
from bookproof.sphinx.cells import evidence, fold_cells, is_cell, is_cell_source, make_evidence
from bookproof.sphinx.details import details
from bookproof.sphinx.marks import (
    MarkClaims,
    collect_checks,
    list_pages_with_marks,
    make_mark,
    tell_group,
)
from bookproof.sphinx.short import read_tolerance, say_in_short


def make_cell(index, code="x = 1", output=None, folded="input"):
    source = nodes.container("", nodes.literal_block("", code), nb_element="cell_code_source")
    cell = nodes.container("", source, nb_element="cell_code", cell_index=index)
    if folded:
        cell["hide_mode"] = folded
    if output is not None:
        cell += nodes.container("", output, nb_element="cell_code_output")
    return cell


def make_claim_cell(index, folded=None):
    shown = nodes.paragraph("", "✓", classes=["claim"])
    return make_cell(index, code="book.claim(...)", output=shown, folded=folded)


def make_statement(name):
    return nodes.admonition("", ids=[name], classes=["proof", "theorem"])


def make_figure(name):
    return nodes.figure("", nodes.caption("", "What?"), ids=[name])


def make_claimed(names):
    """Return a notebook whose n-th cell makes the claim of the n-th name."""
    notebook = new_notebook(cells=[new_code_cell("x = 1") for _ in names])
    for cell, name in zip(notebook.cells, names, strict=True):
        if name:
            data, metadata = claim(name, "So.", equal(1, 1))._repr_mimebundle_()
            kept = {MIME: metadata[MIME]}
            cell.outputs = [new_output("display_data", data={MIME: data[MIME]}, metadata=kept)]
    return notebook


def collect(names, *content):
    """Return the document and the checks found in it; the n-th name is the claim of cell n."""
    document = new_document("page")
    document += nodes.section("", *content)
    env = SimpleNamespace(bookproof_pages={"page": make_claimed(names)})
    return document, collect_checks(document, env, "page")


def list_names(checks):
    return [
        ([*host["ids"]], [each["identifier"] for each in check.claims]) for host, check in checks
    ]


def test_a_claim_goes_to_what_has_its_name_wherever_that_stands():
    _, checks = collect(
        ["theorem-1", "fig-a"],
        make_statement("theorem-1"),
        make_cell(1, output=make_figure("fig-a")),
        make_claim_cell(0),
        make_claim_cell(1),
    )
    assert list_names(checks) == [(["theorem-1"], ["theorem-1"]), (["fig-a"], ["fig-a"])]


def test_a_claim_of_another_name_goes_to_the_nearest_before_it():
    _, checks = collect(
        ["theorem-1", "more"],
        make_statement("theorem-1"),
        make_claim_cell(0),
        nodes.paragraph("", "And so on."),
        make_claim_cell(1),
        make_statement("theorem-2"),
    )
    assert list_names(checks) == [(["theorem-1"], ["theorem-1", "more"])]


def test_of_two_figures_of_one_cell_the_last_is_the_nearest():
    shown = nodes.container("", make_figure("fig-a"), make_figure("fig-b"))
    _, checks = collect([None, "more"], make_cell(0, output=shown), make_claim_cell(1))
    assert list_names(checks) == [(["fig-b"], ["more"])]


def test_a_claim_does_not_leave_its_section():
    inner = nodes.section("", make_statement("theorem-1"))
    document, checks = collect(["more"], inner, nodes.paragraph("", "So."), make_claim_cell(0))
    [(host, check)] = checks
    assert isinstance(host, evidence) and check.claims[0]["identifier"] == "more"
    assert host.parent is document[0] and host.parent.index(host) == 2


def test_silent_cells_before_a_claim_are_a_part_of_its_code():
    document, [(_, check)] = collect(
        [None, None, "theorem-1"],
        make_statement("theorem-1"),
        make_cell(0, code="open", folded=None),
        make_cell(1, code="silent"),
        make_claim_cell(2),
    )
    assert [part.astext() for part in check.code] == ["silent", "book.claim(...)"]
    assert [node.astext() for node in document[0].children[1:]] == ["open"]


def test_silent_cells_right_after_a_statement_are_a_part_of_the_code_too():
    document, [(_, check)] = collect(
        [None, None, "theorem-1"],
        make_statement("theorem-1"),
        make_cell(0, code="silent"),
        make_cell(1, code="more"),
        make_claim_cell(2),
    )
    assert [part.astext() for part in check.code] == ["silent", "more", "book.claim(...)"]
    assert len(document[0]) == 1


@pytest.mark.parametrize("before", [[], ["silent"]])
def test_the_code_of_a_claim_that_comes_first_in_its_section_is_its_own(before):
    """And that of the silent cell before it; not that of the last cell of the section."""
    silent = [make_cell(n, code=code) for n, code in enumerate(before)]
    last = make_cell(len(before) + 1, code="last")
    names = [None] * len(before) + ["more", None]
    document, [(row, check)] = collect(names, *silent, make_claim_cell(len(before)), last)
    assert [part.astext() for part in check.code] == [*before, "book.claim(...)"]
    assert document[0].children == [row, last]


def test_a_cell_that_shows_more_than_claims_stays():
    cell = make_claim_cell(0)
    cell[1] += nodes.paragraph("", "A table.")
    document, checks = collect(["theorem-1"], make_statement("theorem-1"), cell)
    assert checks == [] and len(document[0]) == 2


def fold(*content):
    parent = nodes.section("", *content)
    fold_cells(parent, "Code")
    return parent


def test_neighboring_silent_cells_become_one_fold():
    parent = fold(make_cell(0, "a"), make_cell(1, "b"), nodes.paragraph("", "Text."))
    assert [type(node) for node in parent] == [details, nodes.paragraph]
    assert [part.astext() for part in parent[0]] == ["a", "b"]


def test_silent_cells_join_the_figure_they_prepare_and_stand_after_it():
    parent = fold(make_cell(0, "a"), make_cell(1, "draw", output=make_figure("fig-a")))
    [cell] = parent
    figure, row = cell[0].children
    assert isinstance(figure, nodes.figure) and isinstance(row, evidence)
    assert [part.astext() for part in row[0]] == ["a", "draw"]


def test_the_code_of_two_figures_stands_after_the_first():
    shown = nodes.container("", make_figure("fig-a"), make_figure("fig-b"))
    [cell] = fold(make_cell(0, "draw", output=shown))
    [inner] = cell[0].children
    assert [type(node) for node in inner] == [nodes.figure, evidence, nodes.figure]


def test_a_statement_has_one_row_at_its_end():
    statement = make_statement("theorem-1")
    statement += [nodes.paragraph("", "So."), nodes.paragraph("", "And so.")]
    row = make_evidence(statement)
    assert make_evidence(statement) is row
    assert [type(node) for node in statement] == [nodes.paragraph, nodes.paragraph, evidence]


def open_mark(names, checking=(), ledger=True):
    """Return what the mark of a theorem with some claims says closed, and of each claim when open,
    where the tests of some names check theorem-1.
    """
    document, [(host, check)] = collect(
        list(names), make_statement("theorem-1"), *map(make_claim_cell, range(len(names)))
    )
    pages = {"page": new_notebook(), **({"ledger": new_notebook()} if ledger else {})}
    metadata = {"page": {}, "ledger": {"has_ledger": True}}
    app = SimpleNamespace(
        env=SimpleNamespace(bookproof_pages=pages, metadata=metadata),
        config=SimpleNamespace(bookproof_repository=""),
        builder=SimpleNamespace(get_relative_uri=lambda here, there: f"{there}.html"),
    )
    tests = [MarkedTest(Path("test_it.py"), name, ("theorem-1",), ()) for name in checking]
    mark = make_mark(app, "page", host, check, tests)
    claims = [
        (
            node[-1].astext().replace("<wbr>", ""),
            [link["refuri"] for link in node.findall(nodes.reference)],
        )
        for node in mark
        if node["classes"] == ["mark-claim"]
    ]
    assert mark["kind"] == "held" and mark["spoken"] == "Checked:"
    return mark["summary"], claims


def test_a_mark_counts_the_claims_behind_the_first_which_is_that_of_the_name():
    summary, claims = open_mark(["theorem-1"])
    assert summary == "✓ exact"
    assert claims == [("row of the ledger", ["ledger.html#claim-theorem-1"])]
    summary, claims = open_mark(["more", "theorem-1", "again"])
    assert summary == "✓ exact + 2"
    assert [links for _, links in claims] == [
        [f"ledger.html#claim-{name}"] for name in ("theorem-1", "more", "again")
    ]


def test_a_mark_counts_one_more_claim_and_begins_with_the_first_where_none_has_the_name():
    assert open_mark(["theorem-1", "more"])[0] == "✓ exact + 1"
    _, claims = open_mark(["more", "again"])
    assert [links for _, links in claims] == [
        ["ledger.html#claim-more"],
        ["ledger.html#claim-again"],
    ]


@pytest.mark.parametrize("promise, written", [("equal", "Equal"), ("at most $x$", "At most x")])
def test_a_promise_begins_with_a_capital(promise, written):
    part = {"kind": "equality", "promise": promise, "finding": "so", "measured": 0.0, "name": ""}
    assert tell_group(promise, [part])[0].astext() == written


@pytest.mark.parametrize(
    "names, words",
    [
        ([], ""),
        (["test_a"], "Test: test_it.py::test_a"),
        (["test_a", "test_b"], "Tests: test_it.py::test_a, test_it.py::test_b"),
    ],
)
def test_a_mark_names_the_tests_of_its_claim_and_the_row_where_there_is_a_ledger(names, words):
    [(said, links)] = open_mark(["theorem-1"], names)[1]
    assert said == f"{words}{'; ' if words else ''}row of the ledger" and len(links) == 1
    assert open_mark(["theorem-1"], names, ledger=False)[1] == [(words, [])]


def test_marks_come_first_in_the_rows_of_their_hosts_and_tests_are_read_once(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        'import pytest\n\n@pytest.mark.claim("fig-a")\ndef test_a():\n    pass\n'
    )
    document = new_document("page")
    code = details("", kind="code")
    document += nodes.section(
        "",
        make_statement("theorem-1"),
        make_figure("fig-a"),
        evidence("", code),
        make_claim_cell(0),
        make_claim_cell(1),
        nodes.section("", make_claim_cell(2)),
    )
    names = ["theorem-1", "fig-a", "lonely"]
    notebook = make_claimed(names)
    config = SimpleNamespace(
        bookproof_tests="tests", bookproof_repository="", bookproof_library="", autodoc_mock=()
    )
    env = SimpleNamespace(bookproof_pages={"page": notebook}, metadata={"page": {}}, docname="page")
    app = SimpleNamespace(srcdir=str(tmp_path), config=config, env=env)
    times = []

    def read(folder, library):
        times.append(folder)
        return read_marked_tests(folder, library)

    monkeypatch.setattr("bookproof.sphinx.marks.read_marked_tests", read)
    monkeypatch.setattr("bookproof.sphinx.marks.library_of", lambda app: "")
    MarkClaims.run(SimpleNamespace(document=document, env=env, config=config, app=app))
    rows = list(document.findall(evidence))
    assert [[node["kind"] for node in row] for row in rows] == [
        ["held"],
        ["held", "code"],
        ["held"],
    ]
    assert [row.parent.get("ids") or row["classes"] for row in rows] == [
        ["theorem-1"],
        [],
        ["alone"],
    ]
    said = [row[0].astext() for row in rows]
    assert "test_a" in said[1].replace("<wbr>", "") and "test_a" not in said[0]
    assert times == [tmp_path / "tests"]
    document = new_document("page")
    document += nodes.section("", nodes.paragraph("", "Nothing is claimed."))
    MarkClaims.run(SimpleNamespace(document=document, env=env, config=config, app=app))
    assert len(times) == 1


def test_pages_with_claims_are_written_again_when_other_tests_check_them(tmp_path, monkeypatch):
    pages = {"claims": make_claimed(["theorem-1"]), "none": new_notebook()}
    env = SimpleNamespace(bookproof_pages=pages)
    config = SimpleNamespace(bookproof_tests="tests")
    app = SimpleNamespace(srcdir=str(tmp_path), config=config)
    monkeypatch.setattr("bookproof.sphinx.marks.library_of", lambda app: "")
    (tmp_path / "tests").mkdir()
    path = tmp_path / "tests" / "test_it.py"
    for name, wanted in (("test_a", ["claims"]), ("test_a", []), ("test_b", ["claims"])):
        path.write_text(f"@pytest.mark.claim('theorem-1')\ndef {name}():\n    pass\n")
        assert list_pages_with_marks(app, env) == wanted


def test_no_two_folds_stand_in_a_row():
    shown = make_cell(0, "a", output=nodes.paragraph("", "A table."))
    parent = fold(shown, make_cell(1, "b"), make_cell(2, "c"))
    [cell] = parent
    [block] = cell.findall(details)
    assert [part.astext() for part in block] == ["a", "b", "c"]


def test_open_cells_stay_open_and_apart():
    parent = fold(make_cell(0, "a"), make_cell(1, "idea", folded=None), make_cell(2, "b"))
    assert [type(node) for node in parent] == [details, nodes.container, details]


def test_a_cell_that_is_hidden_as_a_whole_is_silent_whatever_it_shows():
    shown = nodes.paragraph("", "A table.")
    parent = fold(make_cell(0, "a", output=shown, folded="all"), make_cell(1, "b"))
    assert [type(node) for node in parent] == [details]
    assert [part.astext() for part in parent[0]][0] == "a"


def test_a_cell_without_code_is_not_folded():
    bare = nodes.container("", nodes.paragraph("", "Shown."), nb_element="cell_code")
    bare["hide_mode"] = "input"
    assert [type(node) for node in fold(bare)] == [nodes.container]


def test_silent_cells_after_text_do_not_join_the_fold_before_it():
    text = nodes.paragraph("", "Text.")
    parent = fold(make_cell(0, "a"), text, make_cell(1, "b"))
    assert [type(node) for node in parent] == [details, nodes.paragraph, details]


def test_silent_cells_do_not_join_a_fold_in_what_is_no_cell():
    box = nodes.container("", details("", nodes.Text("a"), kind="code", summary="Code"))
    parent = fold(box, make_cell(0, "b"))
    assert [type(node) for node in parent] == [nodes.container, details]


def test_what_is_the_code_of_a_cell_is_told_from_all_else():
    cell = make_cell(0, output=nodes.paragraph("", "A table."))
    assert [is_cell_source(node) for node in cell] == [True, False]
    assert not is_cell_source(nodes.Text("x")) and not is_cell_source(cell)
    assert is_cell(cell) and not is_cell(cell[0]) and not is_cell(nodes.Text("x"))


def test_two_claims_of_one_cell_share_a_mark_and_its_code_stands_there_once():
    document = new_document("page")
    cell = make_claim_cell(0)
    document += nodes.section("", make_statement("theorem-1"), make_figure("fig-a"), cell)
    notebook = new_notebook(cells=[new_code_cell("x = 1")])
    for name in ("theorem-1", "fig-a", "more"):
        data, metadata = claim(name, "So.", equal(1, 1))._repr_mimebundle_()
        kept = {MIME: metadata[MIME]}
        output = new_output("display_data", data={MIME: data[MIME]}, metadata=kept)
        notebook.cells[0].outputs.append(output)
    env = SimpleNamespace(bookproof_pages={"page": notebook})
    checks = collect_checks(document, env, "page")
    assert list_names(checks) == [(["theorem-1"], ["theorem-1"]), (["fig-a"], ["fig-a", "more"])]
    assert [len(check.code) for _, check in checks] == [1, 0]


def describe(part):
    return {"kind": part.kind, "promise": part.promise, "measured": part.measured}


@pytest.mark.parametrize(
    "parts, said",
    [
        ([equal(1.0, 1.0 + 1e-14, to=1e-13, relative_to="each")], "10⁻¹³"),
        ([equal(1, 1)], "exact"),
        ([equal(1, 1), equal(1, 1, to=3e-7), equal(1, 1, to=1e-12)], "3·10⁻⁷"),
        ([equal(1, 1, to=0.01)], "0.01"),
        ([equal(1, 1, to=10.0)], "10"),
        ([agrees(1, 1, 0.01, within=4, resolution=0.1)], "within 4 s.e."),
        (
            [agrees(1, 1, 0.01, within=n, resolution=0.1) for n in (2.5, 11, 3)],
            "within 11 s.e.",
        ),
        ([true_of([True] * 1597)], "all 1597"),
        ([at_most(1, 1300)], "1,300× to spare"),
        ([at_most(1, 3e8)], "over 10⁸× to spare"),
        ([at_most(1, 9999.5)], "10,000× to spare"),
        ([at_most(1, 1e4)], "over 10⁴× to spare"),
        ([at_most(0.95, 1)], "1.1× to spare"),
        ([at_most(0.96, 1)], "bounds hold"),
        ([shows({"a": 1}, {"a": 1})], "as computed"),
        ([true_of([True, False], exactly=1), equal(1, 1, to=1e-12)], "10⁻¹² · 1 of 2"),
    ],
)
def test_a_mark_says_how_a_claim_is_held_by_its_weakest_parts(parts, said):
    shown = say_in_short([describe(part) for part in parts])
    assert shown.startswith(said)


@pytest.mark.parametrize("first, second", [("0.5", "2"), ("2", "0.5"), ("10", "2")])
def test_a_mark_of_figures_says_how_coarsely_the_coarsest_is_drawn(first, second):
    parts = [
        {"kind": "figure", "promise": f"drawn as computed: 2 artists, to {share} % of the axes"}
        for share in (first, second)
    ]
    parts.append({"kind": "figure", "promise": "3 numbers shown as computed, to 10⁻⁶ of each"})
    assert say_in_short(parts) == f"drawn to {max(first, second, key=float)} %"


@pytest.mark.parametrize(
    "promise, tolerance",
    [
        ("equal to 10⁻¹³ of each", 1e-13),
        ("equal to 2·10⁶", 2e6),
        ("equal to 100", 100.0),
        ("equal", 0.0),
    ],
)
def test_a_tolerance_is_read_from_a_promise(promise, tolerance):
    assert read_tolerance(promise) == tolerance
