"""Citations in prose, in a form that every reader of a notebook shows.

The prose names a work, or several in brackets, by the keys of the bibliography:

    <cite data-cite="dinh2017sharp">Dinh et al. (2017)</cite> scale layers, as others have done
    <cite data-citep="du2018algorithmic,neyshabur2015path">(…)</cite>.

Nobody types what stands between the tags: `python -m bookproof.accept` writes it there. On the site
it becomes a citation of sphinxcontrib-bibtex, with its link. A role such as {cite:t} is a key, and
no author, to whoever reads the notebook in JupyterLab or on GitHub.
"""

import html
import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from pybtex.database import parse_file

from .labels import name_works

# In the JSON of a notebook quotation marks have a backslash.
CITE = re.compile(r'<cite data-(citep?)=(\\?)"([^"<>\\]+)\\?">([^<>]*)</cite>')
ROLES = {"cite": "cite:t", "citep": "cite:p"}


def read_works(book: Path) -> dict[str, str]:
    """Return how the works of a book's bibliographies are cited, {key: "Dinh et al. 2017"}."""
    config = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8")) or {}
    works = {}
    for name in config.get("bibtex_bibfiles", ()):
        works |= name_works(parse_file(str(book / name)).entries)
    return works


def split_keys(keys: str) -> list[str]:
    return [key.strip() for key in keys.split(",")]


def say_works(role: str, keys: list[str], works: Mapping[str, str]) -> str:
    """Return the words of a citation, its works in the order of `works`, which is that of the
    bibliography; raises ValueError for a work that is not there.

    >>> say_works("cite", ["a"], {"a": "Dinh et al. 2017"})
    'Dinh et al. (2017)'
    >>> say_works("citep", ["a", "b"], {"a": "Dinh et al. 2017", "b": "Kwon 2021"})
    '(Dinh et al. 2017; Kwon 2021)'
    """
    order = list(works)
    named = [works[key] for key in sorted(keys, key=order.index)]
    if role == "citep":
        return f"({'; '.join(named)})"
    parts = [name.rpartition(" ") for name in named]
    return ", ".join(f"{authors} ({year})" for authors, _, year in parts)


def fill_citations(text: str, works: Mapping[str, str]) -> str:
    """Return Markdown with every work that is known cited by author and year."""

    def fill(cite):
        role, _, keys, _ = cite.groups()
        if not set(split_keys(keys)) <= set(works):
            return cite[0]
        words = html.escape(say_works(role, split_keys(keys), works), quote=False)
        return f'<cite data-{role}="{keys}">{words}</cite>'

    return CITE.sub(fill, text)


def write_roles(source: str) -> str:
    """Return the source of a page with its citations as roles, which Sphinx knows.

    >>> write_roles('<cite data-cite="dinh2017sharp">Dinh et al. (2017)</cite>')
    '{cite:t}`dinh2017sharp`'
    """
    return CITE.sub(lambda cite: f"{{{ROLES[cite[1]]}}}`{cite[3]}`", source)
