"""Citations and a bibliography by author and year, whose entries say where the book cites them.

With `bibtex_reference_style: author_year_round` the text cites "Dinh et al. (2017)"; with
`bibtex_default_style: author_year` an entry stands under the words by which the text cites it,
"Dinh et al. 2017", and links back to each chapter that does.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from docutils import nodes
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinxcontrib.bibtex import plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle
from sphinxcontrib.bibtex.style.referencing.basic_author_year import (
    BasicAuthorYearParentheticalReferenceStyle,
    BasicAuthorYearTextualReferenceStyle,
)
from sphinxcontrib.bibtex.style.template import join, join2, node, post_text, pre_text, reference

from ..citations import write_roles
from ..labels import AuthorYear, name_work

REFERENCES = "sphinxcontrib.bibtex.style.referencing"


def make_round() -> BracketStyle:
    return BracketStyle(left="(", right=")")


def make_round_list() -> BracketStyle:
    return BracketStyle(left="(", right=")", sep="; ")


@node
def lettered_year(children, data) -> Text:
    """The year of a work, with the letter that tells it from another of the same authors."""
    entry = data["entry"]
    label, words = data["formatted_entry"].label, name_work(entry)
    letter = label.removeprefix(words) if label.startswith(words) else ""
    return Text(entry.fields.get("year", "no year"), letter)


@dataclass
class Parenthetical(BasicAuthorYearParentheticalReferenceStyle):
    """In brackets, "Dinh et al. 2017"."""

    def inner(self, role_name: str):
        people = self.person.author_or_editor_or_title(full="s" in role_name)
        work = reference[join(sep=self.author_year_sep)[people, lettered_year]]
        return join2(sep1=self.pre_text_sep, sep2=self.post_text_sep)[pre_text, work, post_text]


@dataclass
class Textual(BasicAuthorYearTextualReferenceStyle):
    """In a sentence, "Dinh et al. (2017)"."""

    def inner(self, role_name: str):
        people = self.person.author_or_editor_or_title(full="s" in role_name)
        parts = [pre_text, reference[lettered_year], post_text]
        year = join2(sep1=self.pre_text_sep, sep2=self.post_text_sep)[parts]
        in_brackets = join[self.bracket.left, year, self.bracket.right]
        return join(sep=self.text_reference_sep)[people, in_brackets]


@dataclass
class AuthorYearRound(AuthorYearReferenceStyle):
    """Author and year with round brackets, as `bookproof.citations` writes them."""

    author_year_sep: str = " "
    bracket_parenthetical: BracketStyle = field(default_factory=make_round_list)
    bracket_textual: BracketStyle = field(default_factory=make_round)

    def __post_init__(self):
        super().__post_init__()
        own = [
            Parenthetical(bracket=self.bracket_parenthetical, author_year_sep=self.author_year_sep),
            Textual(bracket=self.bracket_textual),
        ]
        self.role_style.update((role, style) for style in own for role in style.role_names())


def link_back(app: Sphinx, doctree: nodes.document, here: str) -> None:
    """Say below each entry which other pages cite it."""
    domain = app.env.get_domain("cite")
    citations = [c for c in domain.citations if c.bibliography_key.docname == here]
    keys = {citation.citation_id: citation.key for citation in citations}
    cited = defaultdict(dict)  # {key: {page: the id of its first citation there}}
    for place in domain.citation_refs:
        if place.docname == here:
            continue
        for key in (target.key for target in place.targets):
            cited[key].setdefault(place.docname, place.citation_ref_id)
    order = list(app.env.toc_secnumbers)
    for entry in doctree.findall(nodes.citation):
        entry["backrefs"] = []  # or those that are cited here alone have a link in their label
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


def read_citations(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let Sphinx see a role where readers of a notebook see author and year."""
    source[0] = write_roles(source[0])


def setup(app: Sphinx) -> dict:
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    plugin.register_plugin(REFERENCES, "author_year_round", AuthorYearRound)
    app.connect("source-read", read_citations)
    app.connect("env-updated", list_bibliographies)
    app.connect("doctree-resolved", link_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
