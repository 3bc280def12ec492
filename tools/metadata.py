"""Write what others read about the book: authors, title, version, date, addresses.

    python -m tools.metadata

Each fact has one place. The version is `__version__` in lib/sharpminima/__init__.py, the date that
of its heading in CHANGELOG.md, all else CITATION.cff. From these come version and date in
CITATION.cff itself, .zenodo.json, codemeta.json, and the head of paper.md. The pages read
CITATION.cff. An address or a DOI is written only where CITATION.cff has one.
"""

import json
import re
from pathlib import Path

import yaml

from bookproof.sphinx.citation import name_authors

from . import PROJECT

VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def read_version(project: Path = PROJECT) -> str:
    """Return the version of the book, which is that of its library."""
    text = (project / "lib" / "sharpminima" / "__init__.py").read_text(encoding="utf-8")
    return VERSION.search(text)[1]


def read_date(project: Path, version: str) -> str:
    """Return the day of a version's heading in the changelog, `## 1.0.0 (2026-11-26)`.

    Raises ValueError where there is no such heading.
    """
    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(version)} \((\d{{4}}-\d\d-\d\d)\)$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no heading ## {version} (year-month-day)")
    return found[1]


def write_citation(text: str, version: str, date: str) -> str:
    """Return CITATION.cff with its version and date."""
    text = re.sub(r"^version: .*$", f"version: {version}", text, flags=re.MULTILINE)
    return re.sub(r"^date-released: .*$", f"date-released: {date}", text, flags=re.MULTILINE)


def list_addresses(citation: dict) -> dict[str, str]:
    """Return those of site, repository and DOI that are known."""
    names = ("url", "repository-code", "doi")
    return {name: citation[name] for name in names if citation.get(name)}


def write_zenodo(citation: dict) -> str:
    """Return .zenodo.json, which Zenodo reads in place of CITATION.cff."""
    addresses = list_addresses(citation)
    record = {
        "title": citation["title"],
        "description": citation["abstract"],
        "upload_type": "software",
        "version": str(citation["version"]),
        "publication_date": str(citation["date-released"]),
        "creators": [make_creator(author) for author in citation["authors"]],
        "keywords": citation["keywords"],
        "license": citation["license"],
        "access_right": "open",
        "related_identifiers": [
            {"identifier": one["value"], "relation": "isDerivedFrom", "scheme": "arxiv"}
            for work in citation["references"]
            for one in work.get("identifiers", [])
        ],
    }
    if "url" in addresses:
        site = {"identifier": addresses["url"], "relation": "isDocumentedBy", "scheme": "url"}
        record["related_identifiers"].append(site)
    return to_json(record)


def make_creator(author: dict) -> dict[str, str]:
    """Return an author as Zenodo wants one: family name first."""
    if "name" in author:
        creator = {"name": author["name"]}
    else:
        creator = {"name": f"{author['family-names']}, {author['given-names']}"}
    if "affiliation" in author:
        creator["affiliation"] = author["affiliation"]
    if "orcid" in author:
        creator["orcid"] = author["orcid"].rpartition("/")[2]
    return creator


def write_codemeta(citation: dict) -> str:
    """Return codemeta.json, which catalogues of software read."""
    addresses = list_addresses(citation)
    record = {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": citation["title"],
        "description": citation["abstract"],
        "author": [make_person(author) for author in citation["authors"]],
        "version": str(citation["version"]),
        "datePublished": str(citation["date-released"]),
        "license": f"https://spdx.org/licenses/{citation['license']}",
        "keywords": citation["keywords"],
        "programmingLanguage": "Python",
    }
    names = {"url": "url", "repository-code": "codeRepository", "doi": "identifier"}
    record |= {names[what]: address for what, address in addresses.items()}
    return to_json(record)


def make_person(author: dict) -> dict[str, str]:
    if "name" in author:
        return {"@type": "Organization", "name": author["name"]}
    return {
        "@type": "Person",
        "givenName": author["given-names"],
        "familyName": author["family-names"],
    }


def write_paper(text: str, citation: dict) -> str:
    """Return paper.md with its head."""
    affiliations = list(
        dict.fromkeys(author.get("affiliation", "none given") for author in citation["authors"])
    )
    numbers = {name: index for index, name in enumerate(affiliations, start=1)}
    head = {
        "title": citation["title"],
        "tags": citation["keywords"],
        "authors": [
            {"name": name, "affiliation": numbers[author.get("affiliation", "none given")]}
            for name, author in zip(name_authors(citation), citation["authors"], strict=True)
        ],
        "affiliations": [{"name": name, "index": index} for name, index in numbers.items()],
        "date": str(citation["date-released"]),
        "bibliography": "references.bib",
    }
    body = text.split("---\n", 2)[2]
    written = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    return f"---\n{written}---\n{body}"


def to_json(record: dict) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def derive(project: Path = PROJECT) -> dict[str, str]:
    """Return what follows from the facts: {file: text}."""
    version = read_version(project)
    source = (project / "CITATION.cff").read_text(encoding="utf-8")
    texts = {"CITATION.cff": write_citation(source, version, read_date(project, version))}
    citation = yaml.safe_load(texts["CITATION.cff"])
    texts[".zenodo.json"] = write_zenodo(citation)
    texts["codemeta.json"] = write_codemeta(citation)
    paper = (project / "paper.md").read_text(encoding="utf-8")
    texts["paper.md"] = write_paper(paper, citation)
    return texts


def main() -> None:
    for name, text in derive().items():
        path = PROJECT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"Written: {name}")


if __name__ == "__main__":
    main()
