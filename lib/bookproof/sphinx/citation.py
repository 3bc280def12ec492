"""Who made the book, in which version and where it is kept: all from its CITATION.cff.

Each page can be cited: a fold at its end has the words and BibTeX. Buttons that lead to the
repository, to Binder and to Colab appear where CITATION.cff names a `repository-code`; nobody
promises an address otherwise.
"""

import html
import re
from pathlib import Path

import yaml
from sphinx.application import Sphinx
from sphinx.config import Config

LAUNCH = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}
NEEDED = ("title", "authors", "version", "date-released")
FOLD = """
<details class="cite"><summary>Cite this page</summary>
<p>{words}</p>
<pre>{bibtex}</pre>
</details>
"""


def read_citation(path: Path) -> dict:
    """Return what CITATION.cff says, nothing where there is none. Raises ValueError if it lacks
    what a page is cited with.
    """
    if not path.exists():
        return {}
    citation = yaml.safe_load(path.read_text(encoding="utf-8"))
    missing = [name for name in NEEDED if not citation.get(name)]
    if missing:
        raise ValueError(f"{path} must have {', '.join(NEEDED)}; it has no {', '.join(missing)}")
    return citation


def name_authors(citation: dict) -> list[str]:
    """Return the authors as they sign: given names first, or the name of a group.

    >>> name_authors({"authors": [{"given-names": "Ada", "family-names": "Byron"}, {"name": "We"}]})
    ['Ada Byron', 'We']
    """
    authors = citation.get("authors", [])
    return [
        author.get("name") or f"{author['given-names']} {author['family-names']}"
        for author in authors
    ]


def use_citation(app: Sphinx, config: Config) -> None:
    """Let the footer name the authors, and show buttons only where they lead somewhere."""
    citation = read_citation(Path(app.srcdir) / config.bookproof_citation)
    if citation:
        config.author = ", ".join(name_authors(citation))
    repository = citation.get("repository-code", "")
    if not repository:
        return
    config.bookproof_repository = repository
    config.html_theme_options |= {
        "repository_url": repository,
        "repository_branch": config.bookproof_branch,
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": LAUNCH,
    }


def say_citation(citation: dict, title: str) -> str:
    """Return how a page is cited in words."""
    authors = " and ".join(name_authors(citation))
    parts = [f"{authors} ({read_year(citation)}).", f"{title}." if title else ""]
    parts += [f"In: {citation['title']}," if title else f"{citation['title']},"]
    parts += [f"version {citation['version']}."]
    parts += [citation.get("doi") or citation.get("url") or citation.get("repository-code", "")]
    return " ".join(part for part in parts if part)


def read_year(citation: dict) -> str:
    return str(citation["date-released"])[:4]


def write_bibtex(citation: dict, title: str) -> str:
    """Return the BibTeX of a page."""
    authors = name_authors(citation)
    word = re.sub(r"\W", "", citation["title"].split()[0]).lower()
    fields = {
        "author": " and ".join(protect(citation, authors)),
        "title": title or citation["title"],
        "booktitle": citation["title"] if title else "",
        "year": read_year(citation),
        "note": f"Version {citation['version']}",
        "doi": citation.get("doi", ""),
        "url": citation.get("url") or citation.get("repository-code", ""),
    }
    lines = [f"  {name} = {{{text}}}" for name, text in fields.items() if text]
    kind = "incollection" if title else "misc"
    return f"@{kind}{{{word}{read_year(citation)},\n" + ",\n".join(lines) + "\n}"


def protect(citation: dict, authors: list[str]) -> list[str]:
    """A group's name is one name: BibTeX would look for given names in it."""
    return [
        f"{{{name}}}" if "name" in author else name
        for author, name in zip(citation["authors"], authors, strict=True)
    ]


def add_citation(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    citation = read_citation(Path(app.srcdir) / app.config.bookproof_citation)
    if doctree is None or not citation:
        return
    is_first = pagename == app.config.root_doc
    title = "" if is_first else app.env.titles[pagename].astext()
    fold = FOLD.format(
        words=html.escape(say_citation(citation, title)),
        bibtex=html.escape(write_bibtex(citation, title)),
    )
    context["body"] = context.get("body", "") + fold


def setup(app: Sphinx) -> dict:
    app.add_config_value("bookproof_citation", "CITATION.cff", "html")
    app.connect("config-inited", use_citation, priority=100)
    app.connect("html-page-context", add_citation, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
