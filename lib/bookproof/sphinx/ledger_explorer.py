"""The ledger in hand: claims chosen by words, chapter, kind and strength, as an explorer.

Its rows and its strip plot are those of the page, which follow. What is counted of the claims that
are left is computed by JavaScript in the browser and held to `measure_ledger`.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from nbformat import NotebookNode

from ..explorers import Explorer, explorer
from ..markers import MarkedTest, find_aliases, find_functions
from ..notebooks import find_claims
from .short import read_tolerance

STEM = "ledger"
FOLDER = Path(__file__).parents[1] / "kit" / "explorers"
KINDS = ("equality", "inequality", "count", "estimate", "figure", "words")
# Kinds with a share: what was measured over what was allowed.
WITH_SHARE = {"equality", "inequality", "estimate"}
# Kinds of comparison whose two sides must agree: a change on either side turns them red.
TWO_SIDED = {"equality", "estimate", "figure"}
CLOSE = 0.01  # the widest tolerance that still notices such a change


class Entry(NamedTuple):
    """A claim of the ledger: the page that makes it and its title, the claim, the library's
    functions that its tests use, and the tests.
    """

    page: str
    chapter: str
    claim: dict
    functions: list[str]
    tests: list[MarkedTest]


def list_entries(
    pages: Mapping[str, NotebookNode],
    titles: Mapping[str, str],
    tests: Sequence[MarkedTest],
    library: str,
) -> list[Entry]:
    """Return the entries of all claims that some pages make, in their order."""
    entries = []
    for name, page in pages.items():
        for claim in find_claims(page):
            checking = [test for test in tests if claim["identifier"] in test.claims]
            functions = find_used_functions(page, claim, checking, library)
            entries.append(Entry(name, titles[name], claim, functions, checking))
    return entries


def find_used_functions(
    page: NotebookNode, claim: dict, tests: Sequence[MarkedTest], library: str
) -> list[str]:
    """Return the library's functions that the tests of a claim use; without any, those of its
    cell.
    """
    used = dict.fromkeys(function for test in tests for function in test.functions)
    if used:
        return list(used)
    code = [cell.source for cell in page.cells if cell.cell_type == "code"]
    aliases = find_aliases(parse_code("\n".join(code)), library)
    return find_functions(parse_code(claim["code"]), aliases)


def parse_code(code: str) -> ast.AST:
    """Return the tree of a cell's Python, without IPython's own lines."""
    return ast.parse(re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE))


def is_strong(claim: dict) -> bool:
    """Whether a claim compares two sides that must agree, to one per cent or better."""
    return any(
        part["kind"] in TWO_SIDED and read_tolerance(part["promise"]) <= CLOSE
        for part in claim["parts"]
    )


def say_why_not_strong(claim: dict) -> list[str]:
    """Return why a claim is not strong, a reason for each kind of its parts."""
    kinds = {part["kind"] for part in claim["parts"]}
    reasons = {
        "inequality": "a bound: a change that keeps to it stays unseen",
        "count": "cases: of each it is compared whether it is so, not by how much",
    }
    said = [reason for kind, reason in reasons.items() if kind in kinds]
    if kinds & TWO_SIDED:
        said.append("two sides that agree to more than one per cent only")
    if "words" in kinds:
        said.append("words: what a figure shows, not a number")
    return said


def list_shares(claim: dict) -> list[float]:
    """Return what each part of a claim used up of what it was allowed, exact ones left out."""
    parts = [part for part in claim["parts"] if part["kind"] in WITH_SHARE]
    return [part["measured"] for part in parts if part["measured"]]


def count_exact(claim: dict) -> int:
    """Return how many equalities of a claim hold to the last bit."""
    return sum(part["kind"] == "equality" and part["measured"] == 0 for part in claim["parts"])


def read_text(entry: Entry) -> str:
    """Return all words by which a claim can be found."""
    claim = entry.claim
    said = [claim["identifier"], claim["sentence"], claim["source"] or "", entry.chapter]
    for part in claim["parts"]:
        said += [part["name"], part["promise"], part["finding"]]
    named = [f"{test.path.name}::{test.name}" for test in entry.tests]
    return " ".join([*said, *entry.functions, *named]).lower()


def list_chapters(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.chapter for entry in entries))


def measure_ledger(
    entries: Sequence[Entry], *, chapter: int, kind: int, strength: int, words: str
) -> dict[str, float]:
    """Return what is counted of the claims that are left: `chapter` and `kind` are numbers from 1,
    0 for all; `strength` is 1 for the strong ones; each of the `words` must be somewhere.
    """
    titles = list_chapters(entries)
    left = []
    for entry in entries:
        kinds = {part["kind"] for part in entry.claim["parts"]}
        is_here = chapter == 0 or entry.chapter == titles[chapter - 1]
        is_of_kind = kind == 0 or KINDS[kind - 1] in kinds
        is_enough = strength == 0 or is_strong(entry.claim)
        has_words = all(word in read_text(entry) for word in words.lower().split())
        if is_here and is_of_kind and is_enough and has_words:
            left.append(entry)
    shares = [share for entry in left for share in list_shares(entry.claim)]
    counts = {f"with_{name}": 0 for name in KINDS}
    for entry in left:
        for name in {part["kind"] for part in entry.claim["parts"]}:
            counts[f"with_{name}"] += 1
    return {
        "claims": len(left),
        "chapters": len(list_chapters(left)),
        "strong": sum(is_strong(entry.claim) for entry in left),
        "comparisons": len(shares),
        "exact": sum(count_exact(entry.claim) for entry in left),
        "largest_share": max(shares, default=0.0),
        **counts,
    }


def export_entry(entry: Entry, titles: list[str]) -> dict:
    """Return a claim as the page needs it. A word that is typed has no spaces, so that each word of
    the text is needed once.
    """
    claim = entry.claim
    return {
        "anchor": nodes.make_id(f"claim-{claim['identifier']}"),
        "chapter": 1 + titles.index(entry.chapter),
        "words": " ".join(dict.fromkeys(read_text(entry).split())),
        "kinds": list(dict.fromkeys(part["kind"] for part in claim["parts"])),
        "shares": list_shares(claim),
        "exact": count_exact(claim),
        "strong": is_strong(claim),
    }


def list_positions(entries: Sequence[Entry]) -> list[dict]:
    """Return the positions at which the numbers of Python are stored: everything, each kind, each
    chapter, words.
    """
    everything = {"chapter": 0, "kind": 0, "strength": 0, "words": ""}
    positions = [everything, everything | {"strength": 1}]
    positions += [everything | {"kind": k + 1} for k in range(len(KINDS))]
    for k in range(len(list_chapters(entries))):
        positions.append(everything | {"chapter": k + 1, "strength": k % 2})
    identifiers = [entry.claim["identifier"] for entry in entries]
    for words in (identifiers[0], identifiers[-1].partition("-")[0], "no such words"):
        positions += [everything | {"words": words}, everything | {"words": words, "kind": 1}]
    return positions


def make_explorer(entries: Sequence[Entry], element: str) -> Explorer:
    """Return the explorer of a ledger with some claims."""

    def measure(**position):
        return measure_ledger(entries, **position)

    titles = list_chapters(entries)
    data = {
        "chapters": titles,
        "kinds": KINDS,
        "claims": [export_entry(entry, titles) for entry in entries],
    }
    return explorer(element, data, at=list_positions(entries), python=measure)


def write_start(element: str) -> str:
    """Return the JavaScript that makes the explorer an element of the page."""
    source = (FOLDER / f"{STEM}.js").as_posix()
    return (
        f'import {{ define }} from "bookproof";\nimport {{ spec }} from "{source}";\n'
        f'define("{element}", spec);\n'
    )
