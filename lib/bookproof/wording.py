"""Words of alt texts that say where a curve goes or lies, and the assertions that hold them."""

import re
from collections.abc import Iterable

from nbformat import NotebookNode

from .notebooks import find_claims

# What an alt text says, and the words of `says` one of which must have been asserted of its figure.
DIRECTIONS = {
    r"falls?|falling|decreas(es?|ing)": ["falls"],
    r"rises?|rising|grows?|growing|increas(es?|ing)": ["rises"],
    r"above|below": ["above", "below", "is the highest", "is the lowest"],
    r"cross(es|ing)?(?!-entropy)|meets?": ["meets"],
    r"lowest": ["has its lowest point inside", "is the lowest"],
    r"highest": ["has its highest point inside", "is the highest"],
    r"V-shaped|valley-shaped": ["has its lowest point inside"],
    r"constant": ["is constant"],
}


def find_unsaid(page: NotebookNode) -> list[str]:
    """Return a sentence for each direction word in an alt text of a page that no claim asserts.

    The claim is the figure's own, and a part of it is `bookproof.says(figure, word, gid)`.
    """
    promises = {claim["identifier"]: list_words(claim) for claim in find_claims(page)}
    found = []
    for figure, alt in find_alt_texts(page):
        for word in find_directions(alt, promises.get(figure, ())):
            found.append(f'the alt text of {figure} says "{word}", and no `says` asserts it')
    return found


def list_words(claim: dict) -> list[str]:
    """Return what a claim asserts in words, such as "law rises"."""
    return [part["promise"] for part in claim["parts"] if part["kind"] == "words"]


def find_alt_texts(page: NotebookNode) -> list[tuple[str, str]]:
    """Return (figure's name, alt text) for each figure that a cell of a notebook draws."""
    found = []
    for cell in page.cells:
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown:
            found.append((shown["figure"].get("name"), shown.get("image", {}).get("alt", "")))
    return found


def find_directions(alt: str, promises: Iterable[str]) -> list[str]:
    """Return the words of an alt text that say a direction which none of the promises asserts."""
    asserted = " ".join(promises)
    found = []
    for pattern, words in DIRECTIONS.items():
        said = re.search(rf"\b({pattern})\b", alt, re.IGNORECASE)
        if said and not any(word in asserted for word in words):
            found.append(said[0])
    return found
