"""Nothing is stated or drawn without a claim, whatever way it is written in.

Not seen here: statements in notebooks that are text files, which nbval cannot run either.
"""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from bookproof import statements
from bookproof.claims import MIME, claim, equal
from bookproof.notebooks import (
    find_claims,
    find_notebooks,
    find_statements,
    find_uncovered,
    read_page,
    split_options,
)


def make_page(text):
    return new_notebook(cells=[new_markdown_cell(text)])


def make_claims(*identifiers):
    records = [{"identifier": name, "parts": []} for name in identifiers]
    outputs = [new_output("display_data", {MIME: record}) for record in records]
    return new_notebook(cells=[new_code_cell("claim()", outputs=outputs)])


def make_figure(name):
    described = {"mystnb": {"figure": {"name": name, "caption": "A"}}}
    return new_notebook(cells=[new_code_cell("plot()", metadata=described)])


STATED = {
    "theorem-3": make_page("Before.\n\n```{prf:theorem} The rule\n:label: theorem-3\n\nText.\n```"),
    "definition-5": make_page(":::{prf:definition}\n:class: x\n:label: definition-5\nText.\n:::"),
    "lemma-1": make_page("````{prf:lemma}\n:label: lemma-1\n````"),
    "corollary-1": make_page("```{prf:corollary}\n---\nlabel: corollary-1\n---\nText.\n```"),
    "proposition-1": make_page(
        "- a list\n\n  ```{prf:proposition}\n  :label: proposition-1\n  ```"
    ),
    "theorem-9": make_page("# A page\n\n```{prf:theorem}\n:label: theorem-9\n```\n"),
    "theorem-in": make_page(
        "````{admonition} Box\n:class: tip\n\n```{prf:theorem}\n:label: theorem-in\n```\n````"
    ),
    "theorem-late": make_page(
        "```python\nx = 1\n```\n\nText.\n\n```{prf:theorem}\n:label: theorem-late\n```"
    ),
    "fig-drawn": make_figure("fig-drawn"),
    "fig-glued": make_page(
        "```{glue:figure} roof\n:alt: A roof.\n:name: fig-glued\n\nA roof.\n```"
    ),
    "fig-file": make_page("```{figure} roof.png\n:name: fig-file\n```"),
}
NOTHING_STATED = {
    "an example of a theorem": "````{code-block} md\n```{prf:theorem}\n:label: a\n```\n````",
    "the same in a plain fence": "````md\n```{prf:theorem}\n:label: a\n```\n````",
    "the same, indented": "Text:\n\n    ```{prf:theorem}\n    :label: a\n    ```",
    "a proof": "```{prf:proof}\n:class: dropdown\nText.\n```",
    "an image": "```{image} roof.png\n:name: roof\n```",
}


@pytest.mark.parametrize("label", STATED)
def test_a_statement_or_figure_without_a_claim_is_noticed(label):
    [sentence] = find_uncovered({"here": STATED[label], "there": make_claims("something-else")})
    assert "here" in sentence and label in sentence


@pytest.mark.parametrize("label", STATED)
def test_with_its_claim_it_is_covered_wherever_that_stands(label):
    assert find_uncovered({"here": STATED[label], "there": make_claims(label)}) == []


@pytest.mark.parametrize("what", NOTHING_STATED)
def test_what_is_only_shown_needs_no_claim(what):
    assert find_statements(make_page(NOTHING_STATED[what])) == []


def test_a_claim_made_twice_is_noticed():
    pages = {"here": make_claims("theorem-3"), "there": make_claims("theorem-3")}
    assert find_uncovered(pages) == ["the claim theorem-3 is made 2 times"]


@pytest.mark.parametrize(
    "page", [make_page("```{prf:theorem} Nameless\nText.\n```"), make_figure(None)]
)
def test_what_has_no_label_is_noticed(page):
    [sentence] = find_uncovered({"here": page})
    assert "label" in sentence


def test_a_claim_is_read_with_what_was_found_and_its_cell():
    data, metadata = claim("a", "It is.", equal(1, 1.25, to=0.5, name="one"))._repr_mimebundle_()
    shown = new_output("execute_result", data, metadata=metadata, execution_count=1)
    [found] = find_claims(new_notebook(cells=[new_code_cell("code", outputs=[shown])]))
    assert (found["identifier"], found["code"]) == ("a", "code")
    [part] = found["parts"]
    assert (part["promise"], part["name"]) == ("equal to 0.5", "one")
    assert (part["measured"], part["finding"]) == (0.5, "they differ by 0.25")


def test_what_was_found_may_have_been_stripped():
    data, _ = claim("a", "It is.", equal(1, 1))._repr_mimebundle_()
    shown = new_output("display_data", data)
    [found] = find_claims(new_notebook(cells=[new_code_cell("code", outputs=[shown])]))
    assert (found["parts"][0]["measured"], found["parts"][0]["finding"]) == (None, "")


def test_notebooks_of_a_book_are_found_and_no_others(tmp_path):
    for name in ("b.ipynb", "part/a.ipynb", "_build/b.ipynb", ".hidden/c.ipynb", "env/d.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    found = find_notebooks(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["b.ipynb", "part/a.ipynb"]
    assert find_notebooks(tmp_path / "b.ipynb") == [tmp_path / "b.ipynb"]


def test_a_page_of_markdown_is_a_notebook_of_one_cell(tmp_path):
    (tmp_path / "a.md").write_text("# A page")
    assert [cell.source for cell in read_page(tmp_path / "a.md").cells] == ["# A page"]


@pytest.mark.parametrize(
    "content, options, rest",
    [
        (
            "---\nlabel: a\nname: b\n---\nFirst.\nSecond.",
            {"label": "a", "name": "b"},
            "First.\nSecond.",
        ),
        (":label: a\n:name: b\n\nFirst.", {"label": "a", "name": "b"}, "First."),
        ("First.\nSecond.", {}, "First.\nSecond."),
        ("---\nFirst.\nlabel: a", {}, "First.\nlabel: a"),
        ("", {}, ""),
    ],
)
def test_a_directive_has_options_and_then_its_text(content, options, rest):
    found, following = split_options(content)
    assert (found, following.strip()) == (options, rest)


def test_a_notebook_is_read_with_its_cells(tmp_path):
    stored = new_notebook(cells=[new_markdown_cell("# A page"), new_code_cell("1 + 1")])
    nbformat.write(stored, tmp_path / "a.ipynb")
    page = read_page(tmp_path / "a.ipynb")
    assert [(cell.cell_type, cell.source) for cell in page.cells] == [
        ("markdown", "# A page"),
        ("code", "1 + 1"),
    ]


# Statements that were read beside their claims


def run_statements(monkeypatch, capsys, folder, *options):
    """Return the status of the command, and the lines it said."""
    command = ["statements", str(folder / "read.json"), "--source", str(folder), *options]
    monkeypatch.setattr("sys.argv", command)
    status = statements.main()
    return status, capsys.readouterr().out.splitlines()


def test_a_statement_that_reads_otherwise_is_told_until_it_is_accepted(
    tmp_path, monkeypatch, capsys
):
    def run(*options):
        return run_statements(monkeypatch, capsys, tmp_path, *options)

    page, place = tmp_path / "page.md", (tmp_path / "page.md").as_posix()
    theorem = "```{prf:theorem} Two\n:label: theorem-2\n\nA side\nis long.\n```\n"
    page.write_text(theorem)
    new = f"{place}: theorem-2 is new: read it beside its claim"
    assert run() == (1, [new]) and not (tmp_path / "read.json").exists()
    assert run("--accept") == (0, [new, "Accepted."])
    as_read = (0, ["All statements read as they were accepted."])
    assert run() == run("--accept") == as_read
    page.write_text(theorem.replace("side\nis", "side is"))
    assert run() == as_read, "lines may be broken elsewhere"
    for old, changed in (("long", "short"), ("Two", "Three")):
        page.write_text(theorem.replace(old, changed))
        status, [said] = run()
        assert status == 1 and said.startswith(f"{place}: theorem-2 does not read as when")
    page.write_text("Nothing.\n")
    assert run() == (1, ["theorem-2 is gone"])
    assert run("--accept")[0] == 0 and run() == as_read


@pytest.mark.parametrize(
    "label", ["theorem-3", "lemma-1", "corollary-1", "theorem-9", "theorem-in"]
)
def test_statements_are_read_wherever_they_stand(label):
    assert list(statements.read_statements(STATED[label])) == [label]


@pytest.mark.parametrize("what", NOTHING_STATED)
def test_what_only_looks_like_a_statement_is_not_read(what):
    assert statements.read_statements(make_page(NOTHING_STATED[what])) == {}
