"""What a notebook claims, and what it states without a claim. Knows notebooks and text only; no
Sphinx, no library.
"""

import re
from collections import Counter

MIME = "application/vnd.bookproof.claim+json"
STATEMENTS = "theorem|definition|lemma|corollary|proposition"

FENCE = re.compile(
    r"^ *(`{3,}|:{3,})\{(prf:(?:"
    + STATEMENTS
    + r")|glue:figure|figure)\}.*\n((?: *:[\w-]+:.*\n| *\n)*)",
    re.MULTILINE,
)
OPTION = re.compile(r"^ *:([\w-]+): *(.*?) *$", re.MULTILINE)


def source(cell):
    return "".join(cell["source"])


def texts(document):
    """The Markdown of a notebook, or of a page that is nothing else."""
    if isinstance(document, str):
        return [document]
    return [source(cell) for cell in document["cells"] if cell["cell_type"] == "markdown"]


def outputs(document):
    if isinstance(document, str):
        return []
    return [output for cell in document["cells"] for output in cell.get("outputs", ())]


def claims(document):
    """All claims that a notebook shows, each with the error that was measured when it ran."""
    found = []
    for output in outputs(document):
        if MIME in output.get("data", {}):
            error = output.get("metadata", {}).get(MIME, {}).get("error")
            found.append({**output["data"][MIME], "error": error})
    return found


def statements(document):
    """The labels that need a claim: statements, and numbered figures. One without a label cannot be
    claimed: it is None.
    """
    found = []
    for text in texts(document):
        for _, kind, options in FENCE.findall(text if text.endswith("\n") else text + "\n"):
            options = dict(OPTION.findall(options))
            label = options.get("label" if kind.startswith("prf:") else "name")
            found.append((kind.removeprefix("prf:").removeprefix("glue:"), label))
    if not isinstance(document, str):
        for cell in document["cells"]:
            figure = cell["metadata"].get("mystnb", {}).get("figure")
            if figure is not None:
                found.append(("figure", figure.get("name")))
    return found


def uncovered(documents):
    """One sentence for each statement or figure of some {name: document} without exactly one claim
    of its name.
    """
    claimed = Counter(
        claim["identifier"] for document in documents.values() for claim in claims(document)
    )
    found = []
    for name, document in documents.items():
        for kind, label in statements(document):
            if label is None:
                found.append(f"{name}: a {kind} has no label, so no claim can name it")
            elif not claimed[label]:
                found.append(f"{name}: the {kind} {label} has no claim")
    found += [
        f"the claim {identifier} is made {n} times" for identifier, n in claimed.items() if n > 1
    ]
    return found
