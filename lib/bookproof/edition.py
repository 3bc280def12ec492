"""The whole book on one page, made of the pages of its built site: what `bookproof.pdf` prints.

Numbers, figures and references are those of the site, since nothing is rendered again. What a
reader opens there is open here: proofs, solutions, folded remarks. What only a screen can do is
left out: explorers, cards of words, fields, and the code of folded cells. The mark of a claim stays
and leads to the claim's row in the ledger.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from sphinx_external_toc.parsing import parse_toc_yaml

from .settings import read_settings
from .sphinx.citation import name_authors, read_citation, say_citation
from .spoken import write_in_line

ARTICLE = re.compile(r'<article class="bd-article"[^>]*>(.*?)</article>', re.DOTALL)
SHEET = re.compile(r'<link\b[^>]*\bhref="([^"?]+\.css)[^"]*"[^>]*>')
CODE = re.compile(r'<details class="code">.*?</details>', re.DOTALL)  # of a folded cell
FORMULA = '<span class="katex">'
SPAN = re.compile(r"<span\b|</span>")
HELD = re.compile(r'<span data-formula="(\d+)"></span>')
MATHML = re.compile(r'<span class="katex-mathml">(<math.*?</math>)</span>', re.DOTALL)
SPOKEN = "formula: "  # what the alternative text of a formula begins with
PAPER = Path(__file__).parent / "paper"

EXPLORERS = "[data-explorer], .explorer"
# What is for screens only, or is said elsewhere in the edition.
FOR_SCREENS = ", ".join(
    [
        "script",
        "style",
        "input",
        "a.headerlink",
        'a[download][href^="data:"]',
        "img.in-dark",
        EXPLORERS,
        ".term-card",
        ".toctree-wrapper",
        ".ledger-search",
        "details.cite",
    ]
)
# Attributes that name other elements of the page.
REFERRING = ("for", "aria-labelledby", "headers")


@dataclass(frozen=True)
class Entry:
    """A page in the table of contents."""

    docname: str
    part: str = ""


@dataclass
class Chapter:
    """A page of the site as a chapter of the edition."""

    docname: str
    part: str
    content: BeautifulSoup
    formulas: list[str]
    number: str
    title: str
    sections: list[tuple[str, str, str]] = field(default_factory=list)  # anchor, number, title

    @property
    def anchor(self) -> str:
        return name_anchor(self.docname)

    @property
    def running_head(self) -> str:
        return f"{self.number} {self.title}".strip()


@dataclass
class LeftOut:
    """How much of the site the edition leaves out, and how many marks it has."""

    cells: int = 0
    explorers: int = 0
    marks: int = 0


@dataclass
class Edition:
    """A page to be printed, with what is known of the book."""

    page: str
    title: str
    authors: str
    description: str
    chapters: list[Chapter]


def list_entries(source: Path) -> list[Entry]:
    """Return the pages of a book in the order of its _toc.yml, each with the caption of its
    part.
    """
    contents = parse_toc_yaml(source / "_toc.yml")

    def walk(docname: str, part: str) -> Iterator[Entry]:
        yield Entry(docname, part)
        for branch in contents[docname].subtrees:
            for item in branch.items:
                if isinstance(item, str):
                    yield from walk(str(item), branch.caption or part)

    return list(walk(contents.root.docname, ""))


def name_anchor(docname: str, fragment: str = "") -> str:
    """Return how a place on a page is called in the edition, where all pages are one.

    >>> name_anchor("chapters/hessians", "theorem-4")
    'chapters-hessians--theorem-4'
    """
    page = docname.replace("/", "-")
    return f"{page}--{fragment}" if fragment else page


def read_article(page: str) -> str:
    """Return what a reader reads on a page of the site."""
    article = ARTICLE.search(page)
    if article is None:
        raise ValueError("the page has no <article class='bd-article'>: is it of another theme?")
    return article[1]


def hold_formulas(article: str) -> tuple[str, list[str]]:
    """Return an article with an empty element for each formula, and the formulas.

    A formula of KaTeX is hundreds of elements, which need not be read to be moved.

    >>> hold_formulas('a <span class="katex"><span>x</span></span> b')
    ('a <span data-formula="0"></span> b', ['<span class="katex"><span>x</span></span>'])
    """
    parts, formulas, at = [], [], 0
    for start in re.finditer(re.escape(FORMULA), article):
        end, depth = start.start(), 0
        for tag in SPAN.finditer(article, start.start()):
            depth += -1 if tag[0] == "</span>" else 1
            if depth == 0:
                end = tag.end()
                break
        parts += [article[at : start.start()], f'<span data-formula="{len(formulas)}"></span>']
        formulas.append(article[start.start() : end])
        at = end
    return "".join([*parts, article[at:]]), formulas


def bring_formulas(content: str, formulas: list[str]) -> str:
    """Return an article with its formulas, each with its source for those who hear it."""
    return HELD.sub(lambda held: say_formula(formulas[int(held[1])]), content)


def say_formula(formula: str) -> str:
    """Return a formula without its MathML, which would be there a second time, and in one line as
    what is read out: the PDF has that as the formula's alternative text.

    >>> heard = '<span class="katex-mathml"><math><mi>a</mi></math></span>'
    >>> say_formula(f'<span class="katex">{heard}<i>a</i></span>')
    '<span class="katex" role="figure" aria-label="formula: a"><i>a</i></span>'
    """
    source = MATHML.search(formula)
    if source is None:
        return formula
    label = f'role="figure" aria-label="{SPOKEN}{html.escape(write_in_line(source[1]))}"'
    seen = MATHML.sub("", formula).replace(' aria-hidden="true"', "")
    return seen.replace(FORMULA, f"{FORMULA[:-1]} {label}>")


def read_chapter(site: Path, entry: Entry, left_out: LeftOut) -> Chapter:
    """Return a page of the site without what is for screens; count what is left out."""
    page = (site / f"{entry.docname}.html").read_text(encoding="utf-8")
    article, formulas = hold_formulas(CODE.sub("", read_article(page)))
    content = BeautifulSoup(article, "html.parser")
    left_out.explorers += len(content.select(EXPLORERS))
    left_out.cells += len(CODE.findall(page))
    left_out.marks += len(content.select("details.held"))
    remove(content, FOR_SCREENS)
    place_marks(content)
    remove(content, "div.evidence")
    for cell in content.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.find(("img", "svg")):
            cell.decompose()
    unfold(content)
    heading = content.find("h1")
    if heading is None:
        raise ValueError(f"{entry.docname} has no title")
    return Chapter(entry.docname, entry.part, content, formulas, *read_heading(heading))


def remove(content: BeautifulSoup, selector: str) -> None:
    """Remove all elements that a selector finds, which may stand in one another."""
    for element in content.select(selector):
        if not element.decomposed:
            element.decompose()


def read_heading(heading: Tag) -> tuple[str, str]:
    """Return number and words of a heading; a formula as its source."""
    number = heading.find(class_="section-number")
    words = heading.get_text()
    if number is not None:
        words = words.removeprefix(number.get_text())
    return (number.get_text(strip=True) if number else "", " ".join(words.split()))


def place_marks(content: BeautifulSoup) -> None:
    """Put the mark of each claim where its words are: at the end of a statement's title or of a
    figure's caption, else in a line of its own, with its sentence.
    """
    for mark in content.select("details.held"):
        row = mark.find_parent(class_="evidence")
        link = make_mark(content, mark)
        words = find_words_of_host(row)
        if words is None:
            words = content.new_tag("p", attrs={"class": "held-alone"})
            row.insert_before(words)
            sentence = mark.select_one(".mark-claim > p").extract()
            words.extend([link, " ", *list(sentence.contents)])
        else:
            words.extend([" ", link])
        mark.decompose()


def find_words_of_host(row: Tag) -> Tag | None:
    """Return the title or the caption of what a row of marks is about."""
    if "alone" in row.get("class", ()):
        return None
    before = row.find_previous_sibling()
    if before is not None and before.name == "figure":
        return before.select_one("figcaption p") or before.find("figcaption")
    return row.parent.select_one(":scope > .admonition-title")


def make_mark(content: BeautifulSoup, mark: Tag) -> Tag:
    """Return the mark as a link to the ledger, as plain words where the book has none."""
    words = mark.summary.get_text().removeprefix("Checked:").strip()
    target = next(iter(mark.select('.mark-where a[href*="#claim-"]')), None)
    attributes = {"class": "held-mark"}
    if target is not None:
        attributes["href"] = target["href"]
    made = content.new_tag("a" if target is not None else "span", attrs=attributes)
    made.string = words
    return made


def unfold(content: BeautifulSoup) -> None:
    """Let a box with its title take the place of everything that opens and closes."""
    for summary in content.select("details > summary"):
        summary.name = "p"
        summary["class"] = "fold-title"
    for fold in content.select("details"):
        fold.name = "div"


def resolve(docname: str, address: str) -> tuple[str, str]:
    """Return the path in the site and the fragment to which a page's relative address leads.

    >>> resolve("chapters/hessians", "../index.html#top")
    ('index.html', 'top')
    """
    parts = urlsplit(address)
    path = f"{docname}.html"
    if parts.path:
        path = normpath(str(PurePosixPath(docname).parent / unquote(parts.path)))
    return path, unquote(parts.fragment)


def join_pages(chapters: list[Chapter], site: Path) -> None:
    """Let names, links and pictures of all chapters fit on one page.

    A link to a page of the book becomes one to its place here; what only the site holds, such as a
    notebook to download, keeps its words and loses its link.
    """
    docnames = {f"{chapter.docname}.html": chapter.docname for chapter in chapters}
    for chapter in chapters:
        for element in chapter.content.find_all(id=True):
            element["id"] = name_anchor(chapter.docname, element["id"])
        for name in REFERRING:
            for element in chapter.content.find_all(attrs={name: True}):
                words = str(element[name]).split()
                element[name] = " ".join(name_anchor(chapter.docname, word) for word in words)
        for element in chapter.content.find_all(attrs={"aria-describedby": True}):
            del element["aria-describedby"]
        for picture in chapter.content.find_all("img", src=True):
            if not picture["src"].startswith("data:"):
                path, _ = resolve(chapter.docname, picture["src"])
                picture["src"] = (site / path).as_uri()
                picture["loading"] = "eager"
        for link in chapter.content.find_all("a", href=True):
            lead_link(link, chapter.docname, docnames)


def lead_link(link: Tag, docname: str, docnames: Mapping[str, str]) -> None:
    if urlsplit(link["href"]).scheme in ("http", "https", "mailto"):
        return
    if urlsplit(link["href"]).scheme:
        link.unwrap()
        return
    path, fragment = resolve(docname, link["href"])
    if path in docnames:
        link["href"] = f"#{name_anchor(docnames[path], fragment)}"
    else:
        link.unwrap()


def list_sections(chapter: Chapter) -> None:
    """Note the sections of a chapter, by the names that they have in the edition.

    The name goes over to the heading: a section can begin at the foot of the page before it.
    """
    for heading in chapter.content.find_all("h2"):
        section = heading.find_parent("section")
        heading["id"] = section.attrs.pop("id")
        chapter.sections.append((heading["id"], *read_heading(heading)))


def find_dead_links(chapters: list[Chapter]) -> list[str]:
    """Return the addresses in the edition that lead to no place in it."""
    names = {chapter.anchor for chapter in chapters}
    links = set()
    for chapter in chapters:
        names |= {element["id"] for element in chapter.content.find_all(id=True)}
        links |= {link["href"] for link in chapter.content.find_all("a", href=re.compile("^#"))}
    return sorted(link for link in links if link[1:] not in names)


def write_contents(chapters: list[Chapter]) -> str:
    """Return the contents; the pages are filled in once they are known."""
    lines, part = [], None
    for chapter in chapters:
        if chapter.part != part and chapter.part:
            lines.append(f'<p class="contents-part">{html.escape(chapter.part)}</p>')
        part = chapter.part
        lines.append(write_contents_line(chapter.anchor, chapter.number, chapter.title, "chapter"))
        lines += [write_contents_line(*section, "section") for section in chapter.sections]
    return "\n".join(lines)


def write_contents_line(anchor: str, number: str, title: str, kind: str) -> str:
    return (
        f'<p class="contents-{kind}"><a href="#{anchor}">'
        f'<span class="contents-number">{html.escape(number)}</span>'
        f'<span class="contents-title">{html.escape(title)}</span>'
        '<span class="contents-dots"></span>'
        f'<span class="contents-page" data-page-of="{anchor}">000</span></a></p>'
    )


def write_heads(chapters: list[Chapter]) -> str:
    """Return the style that gives the pages of each chapter their running head."""
    rules = []
    for number, chapter in enumerate(chapters):
        words = chapter.running_head.replace("\\", r"\\").replace('"', r"\"")
        rules.append(f"#{chapter.anchor} {{ page: chapter-{number}; }}")
        rules.append(f'@page chapter-{number} {{ @top-left {{ content: "{words}"; }} }}')
    return "\n".join(rules)


def list_stylesheets(site: Path, docname: str) -> list[Path]:
    """Return the stylesheets of a page of the site, in their order."""
    head = (site / f"{docname}.html").read_text(encoding="utf-8").partition("</head>")[0]
    return [site / resolve(docname, address)[0] for address in SHEET.findall(head)]


def write_chapter(chapter: Chapter) -> str:
    part = f'<p class="part">{html.escape(chapter.part)}</p>' if chapter.part else ""
    content = bring_formulas(str(chapter.content), chapter.formulas)
    return f'<div class="chapter" id="{chapter.anchor}">{part}{content}</div>'


def write_about(citation: Mapping, license: str, left_out: LeftOut) -> str:
    """Return what the page behind the title says of the edition."""
    said = [
        "<p>Theorems, figures, tables and equations have the numbers that they have on the site of"
        " the book. Proofs and solutions, which a reader opens there, are open here.</p>"
    ]
    if left_out.marks:
        said.append(
            '<p>A mark such as <span class="held-mark">✓ 10⁻¹²</span> says that the book computes'
            " both sides of a statement, or all that a figure shows, and to what the two are held."
            " It leads to its claim in the ledger.</p>"
        )
    if left_out.cells:
        said.append(
            f"<p>Left out is the code of {left_out.cells} blocks that the site folds; its notebooks"
            " have all of it. Code that a page shows is shown here.</p>"
        )
    if left_out.explorers:
        said.append(
            f"<p>{left_out.explorers} pictures on the site can be moved by hand. Paper cannot do"
            " that, and has the figures that stand beside them.</p>"
        )
    if citation:
        said.append(f"<p>To cite it: {html.escape(say_citation(citation, ''))}</p>")
    if license:
        said.append(f"<p>{html.escape(license)}</p>")
    return "\n".join(said)


def write_title_page(title: str, authors: str, citation: Mapping) -> str:
    lines = [f'<h1 class="book-title">{html.escape(title)}</h1>']
    if citation.get("abstract"):
        lines.append(f'<p class="book-abstract">{html.escape(citation["abstract"])}</p>')
    if authors:
        lines.append(f'<p class="book-authors">{html.escape(authors)}</p>')
    if citation.get("version"):
        date = citation.get("date-released", "")
        lines.append(f'<p class="book-version">Version {citation["version"]}, {date}</p>')
    return "\n".join(lines)


def write_page(
    title: str,
    authors: str,
    settings: Mapping,
    citation: Mapping,
    chapters: list[Chapter],
    sheets: list[Path],
    left_out: LeftOut,
) -> str:
    language = html.escape(settings.get("language", "en"))
    about = write_about(citation, settings.get("bookproof_license", ""), left_out)
    links = "\n".join(f'<link rel="stylesheet" href="{sheet.as_uri()}">' for sheet in sheets)
    return f"""<!DOCTYPE html>
<html lang="{language}" data-theme="light" data-mode="light" class="edition">
<head>
<meta charset="utf-8">
<title>{html.escape(title)}</title>
{links}
<style>
{write_heads(chapters)}
</style>
</head>
<body>
<div class="bd-main"><div class="bd-content"><div class="bd-article-container">
<main class="bd-article">
<div class="title-page">
{write_title_page(title, authors, citation)}
</div>
<div class="about">
<h1>About this edition</h1>
{about}
</div>
<nav class="edition-contents" aria-label="Contents">
<h1>Contents</h1>
<div class="contents-lists">
{write_contents(chapters)}
</div>
</nav>
{"".join(write_chapter(chapter) for chapter in chapters)}
</main>
</div></div></div>
</body>
</html>
"""


def assemble(source: Path, site: Path) -> Edition:
    """Return the edition of a book from its source and its built site.

    Raises FileNotFoundError where the site lacks a page of the contents, ValueError where a page
    has no title, or where a link leads nowhere.
    """
    left_out = LeftOut()
    chapters = [read_chapter(site, entry, left_out) for entry in list_entries(source)]
    join_pages(chapters, site)
    for chapter in chapters:
        list_sections(chapter)
    dead = find_dead_links(chapters)
    if dead:
        raise ValueError(f"links that lead nowhere: {', '.join(dead)}")
    settings = read_settings(source)
    citation = read_citation(source / settings.get("bookproof_citation", "CITATION.cff"))
    title = settings.get("title", "")
    authors = ", ".join(name_authors(citation)) or settings.get("author", "")
    sheets = [*list_stylesheets(site, chapters[0].docname), PAPER / "edition.css"]
    page = write_page(title, authors, settings, citation, chapters, sheets, left_out)
    return Edition(page, title, authors, citation.get("abstract", ""), chapters)
