"""Nothing is stated or drawn without a claim, and every claim names a public function and a test
that are there.

Not seen here: whether the test a claim names is about the claim.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import sharpminima
from bookproof.notebooks import MIME, claims, uncovered

PROJECT = Path(__file__).resolve().parents[2]
CHAPTERS = {
    path.stem: nbformat.read(path, as_version=4)
    for path in sorted((PROJECT / "chapters").glob("*.ipynb"))
}
CLAIMS = [(chapter, claim) for chapter, document in CHAPTERS.items() for claim in claims(document)]


def page(text):
    return new_notebook(cells=[new_markdown_cell(text)])


def claiming(*identifiers):
    outputs = [
        new_output("display_data", {MIME: {"identifier": name}}, metadata={MIME: {"error": 0.0}})
        for name in identifiers
    ]
    return new_notebook(cells=[new_code_cell("check()", outputs=outputs)])


def figure(name):
    return new_notebook(
        cells=[
            new_code_cell("plot()", metadata={"mystnb": {"figure": {"name": name, "caption": "A"}}})
        ]
    )


STATED = {
    "theorem-3": page("Before.\n\n```{prf:theorem} The rule\n:label: theorem-3\n\nText.\n```"),
    "definition-5": page(":::{prf:definition}\n:class: x\n:label: definition-5\nText.\n:::"),
    "lemma-1": page("````{prf:lemma}\n:label: lemma-1\n````"),
    "corollary-1": page("```{prf:corollary}\n:label: corollary-1\n```"),
    "proposition-1": page("```{prf:proposition}\n:label: proposition-1\n```"),
    "theorem-9": "# A page that is no notebook\n\n```{prf:theorem}\n:label: theorem-9\n```\n",
    "fig-drawn": figure("fig-drawn"),
    "fig-glued": page("```{glue:figure} roof\n:alt: A roof.\n:name: fig-glued\n\nA roof.\n```"),
    "fig-file": page("```{figure} roof.png\n:name: fig-file\n```"),
}


@pytest.mark.parametrize("label", STATED)
def test_a_statement_or_figure_without_a_claim_is_noticed(label):
    [sentence] = uncovered({"here": STATED[label], "there": claiming("something-else")})
    assert "here" in sentence and label in sentence


@pytest.mark.parametrize("label", STATED)
def test_with_its_claim_it_is_covered_wherever_that_stands(label):
    assert uncovered({"here": STATED[label], "there": claiming(label)}) == []


def test_a_claim_made_twice_is_noticed():
    [sentence] = uncovered({"here": claiming("theorem-3"), "there": claiming("theorem-3")})
    assert "theorem-3" in sentence and "2" in sentence


@pytest.mark.parametrize("document", [page("```{prf:theorem} Nameless\nText.\n```"), figure(None)])
def test_what_has_no_label_is_noticed(document):
    [sentence] = uncovered({"here": document})
    assert "label" in sentence


def test_the_book_is_covered():
    pages = {path.stem: path.read_text() for path in (PROJECT / "chapters").glob("*.md")}
    assert uncovered({**CHAPTERS, **pages}) == []


def without_claim(errata, claimed):
    """The numbers of the errata that refer to no statement or figure with a claim."""
    numbers, _, texts = (
        re.split(r"^(\d+)(\.) ", errata, flags=re.MULTILINE)[k::3] for k in (1, 2, 3)
    )
    return [
        n
        for n, text in zip(numbers, texts, strict=True)
        if not claimed & set(re.findall(r"\{(?:prf:ref|numref)\}`([^`]+)`", text))
    ]


def test_each_of_the_errata_rests_on_a_claim():
    claimed = {claim["identifier"] for _, claim in CLAIMS}
    errata = (PROJECT / "chapters" / "errata.md").read_text()
    assert len(re.findall(r"^\d+\. ", errata, flags=re.MULTILINE)) == 24
    assert without_claim(errata, claimed) == []
    assert without_claim(errata.replace("theorem-4", "").replace("theorem-5", ""), claimed) == [
        "16"
    ]


@pytest.mark.parametrize("chapter, claim", CLAIMS, ids=[claim["identifier"] for _, claim in CLAIMS])
def test_a_claim_names_what_is_there(chapter, claim):
    assert hasattr(sharpminima, claim["function"]), f"{claim['function']} is no public name"
    file, _, name = claim["test"].partition("::")
    path = PROJECT / "tests" / Path(file).name
    assert path.exists(), f"there is no {path.name}"
    assert name in {
        node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    }
