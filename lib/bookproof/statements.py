"""Statements as they read when somebody last held them against their claims.

    python -m bookproof.statements tests/book/statements.json --source chapters [--accept]

A claim computes; that a theorem says the same in words no program sees. So a change of a statement
(a hypothesis dropped, an inequality turned round) is told until somebody has read it beside the
claim of its name and the tests of that claim, and says so with --accept. The file keeps a digest of
each statement: line breaks and spaces do not count.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode

from .notebooks import (
    DIRECTIVE,
    MARKDOWN,
    STATEMENTS,
    VERBATIM,
    find_notebooks,
    read_page,
    split_options,
)


def read_statements(page: NotebookNode) -> dict[str, str]:
    """Return {label: text with its title} of the statements of a page that have a label."""
    found = {}
    for cell in page.cells:
        if cell.cell_type == "markdown":
            found.update(_find_texts(cell.source))
    return found


def _find_texts(text) -> Iterator[tuple[str, str]]:
    for token in MARKDOWN.parse(text):
        name = DIRECTIVE.match(token.info.strip()) if "fence" in token.type else None
        if name is None:
            continue
        options, content = split_options(token.content)
        if name[1] in STATEMENTS and "label" in options:
            title = token.info.strip()[name.end() :].strip()
            yield options["label"], f"{title}\n{content}"
        if name[1] not in VERBATIM:
            yield from _find_texts(content)


def digest(text: str) -> str:
    """Return a short name of a text, the same however its lines are broken."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def read_pages(source: Path) -> dict[str, NotebookNode]:
    """Return {path: page} of the notebooks and pages below a folder."""
    paths = [*find_notebooks(source), *sorted(source.rglob("*.md"))]
    return {path.as_posix(): read_page(path) for path in paths}


def collect_digests(pages: Mapping[str, NotebookNode]) -> dict[str, str]:
    """Return {label: digest} of all statements of some pages, in the order of labels."""
    texts = {
        label: text for page in pages.values() for label, text in read_statements(page).items()
    }
    return {label: digest(texts[label]) for label in sorted(texts)}


def find_changed(pages: Mapping[str, NotebookNode], accepted: Mapping[str, str]) -> list[str]:
    """Return a sentence for each statement that does not read as it was accepted."""
    found = []
    places = {label: place for place, page in pages.items() for label in read_statements(page)}
    for label, name in collect_digests(pages).items():
        if label not in accepted:
            found.append(f"{places[label]}: {label} is new: read it beside its claim")
        elif accepted[label] != name:
            found.append(
                f"{places[label]}: {label} does not read as when its claim was last held against it"
            )
    found += [f"{label} is gone" for label in accepted if label not in places]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookproof.statements",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="where the digests are kept")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the pages")
    parser.add_argument("--accept", action="store_true", help="say that all have been read")
    options = parser.parse_args()
    pages = read_pages(options.source)
    accepted = {}
    if options.file.exists():
        accepted = json.loads(options.file.read_text(encoding="utf-8"))
    changed = find_changed(pages, accepted)
    print("\n".join(changed) or "All statements read as they were accepted.")
    if changed and options.accept:
        digests = json.dumps(collect_digests(pages), indent=1)
        options.file.write_text(f"{digests}\n", encoding="utf-8")
        print("Accepted.")
        return 0
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
