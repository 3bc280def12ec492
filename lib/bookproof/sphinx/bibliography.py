"""A bibliography by author and year, whose entries say where the book cites them.

With `bibtex_default_style: author_year` an entry stands under the words by which the text cites it,
"Dinh et al. 2017", and links back to each chapter that does.
"""

import string
from collections import Counter, defaultdict

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style as Unsorted
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MOST_AUTHORS = 2  # named in a label; of more only the first


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "Dinh et al. 2017"; works of one label have letters behind the year."""

    def format_labels(self, sorted_entries):
        labels = [name_work(entry) for entry in sorted_entries]
        times, seen = Counter(labels), Counter()
        for label in labels:
            letter = string.ascii_lowercase[seen[label]] if times[label] > 1 else ""
            seen[label] += 1
            yield label + letter


class AuthorYear(Unsorted):
    default_label_style = AuthorYearLabels
    default_sorting_style = "author_year_title"


def name_work(entry) -> str:
    """Return by which words a work is cited."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(person.prelast_names + person.last_names) for person in people]
    names = [name.replace("{", "").replace("}", "") for name in names]
    year = entry.fields.get("year", "no year")
    if not names:
        return f"{entry.fields.get('title', entry.key)} {year}"
    if len(names) > MOST_AUTHORS:
        return f"{names[0]} et al. {year}"
    return f"{' and '.join(names)} {year}"


def link_back(app: Sphinx, doctree: nodes.document, here: str) -> None:
    """Say below each entry which pages cite it."""
    domain = app.env.get_domain("cite")
    citations = [c for c in domain.citations if c.bibliography_key.docname == here]
    keys = {citation.citation_id: citation.key for citation in citations}
    cited = defaultdict(dict)  # {key: {page: the id of its first citation there}}
    for reference in domain.citation_refs:
        for key in (target.key for target in reference.targets):
            cited[key].setdefault(reference.docname, reference.citation_ref_id)
    order = list(app.env.toc_secnumbers)
    for entry in doctree.findall(nodes.citation):
        key = keys.get(entry["ids"][0]) if entry["ids"] else None
        pages = sorted(cited.get(key, {}).items(), key=lambda item: find_rank(order, item[0]))
        if not pages:
            continue
        links = []
        for page, anchor in pages:
            uri = f"{app.builder.get_relative_uri(here, page)}#{anchor}"
            words = name_page(app.env, page)
            link = nodes.reference("", "", nodes.Text(words), refuri=uri, internal=True)
            links += [nodes.Text(", "), link] if links else [link]
        entry += nodes.paragraph("", "", nodes.Text("Cited in "), *links, classes=["cited-in"])


def find_rank(order: list[str], page: str) -> int:
    return order.index(page) if page in order else len(order)


def name_page(env: BuildEnvironment, page: str) -> str:
    """Return the number of a chapter, the title of a page without one."""
    number = env.toc_secnumbers.get(page, {}).get("", ())
    return ".".join(map(str, number)) or env.titles[page].astext()


def list_bibliographies(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again when any page was read: they tell who cites."""
    citations = env.get_domain("cite").citations
    return sorted({citation.bibliography_key.docname for citation in citations})


def setup(app: Sphinx) -> dict:
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    app.connect("env-updated", list_bibliographies)
    app.connect("doctree-resolved", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
