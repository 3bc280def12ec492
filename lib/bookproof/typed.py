"""Numbers that somebody typed into the prose, where a cell could have computed them.

A number in prose is glued (`<span data-glue="rank">3</span>`, see bookproof.glued), or it belongs
to what is no result: a formula, code, a statement or its proof, an exercise, a reference, a year, a
name. What is left is typed. Where that is right, since it is given and not found (the size of a
training set, an example, what another work reports), the cell or page says so in a comment, which
no reader sees:

    <!-- given: 200; 64-16-1, what the example is made with; 0.05 in Foret et al. -->

Each number there must stand in the text, so that the comment does not outlive it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from .glued import SPAN
from .notebooks import DIRECTIVE, MARKDOWN, find_directives, split_options

GIVEN = re.compile(r"<!--\s*given:(.*?)-->", re.DOTALL)
# Directives whose content states something, asks for it, or is no prose.
NO_RESULTS = re.compile(
    r"prf:\w+|exercise|solution|code(-block|-cell)?|sourcecode|parsed-literal|math|raw|bibliography"
    r"|toctree|tableofcontents|ledger|reproducibility|automodule|auto\w+|only|include|literalinclude"
)

CODE = re.compile(r"(`+).+?\1", re.DOTALL)

# What is taken out of a text before digits are looked for, in this order.
NO_PROSE = [
    re.compile(r"<!--.*?-->", re.DOTALL),
    SPAN,
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"(?<![\\$])\$[^$]+?\$"),  # math in a line
    re.compile(r"\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL),
    re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL),
    re.compile(r"\{[\w:.+-]+\}`[^`]*`"),  # roles: references, citations, terms
    CODE,
    re.compile(r"\]\([^)]*\)|<https?://[^>]*>|https?://\S+"),  # where links lead
    re.compile(r"<[^<>]+>"),  # tags
    re.compile(r"^(?:#+ +|\| *|\s*)\d+[.)] ", re.MULTILINE),  # of a list, of headings, of rows
    re.compile(r"^\([\w-]+\)=\s*$", re.MULTILINE),  # labels
]
# What a number belongs to that is no result.
NAMES = (
    r"theorems?|propositions?|lemmas?|corollar(?:y|ies)|definitions?|sections?|appendi(?:x|ces)"
    r"|chapters?|figures?|figs?\.|tables?|equations?|eqs?\.|pages?|pp?\.|slides?|algorithms?|parts?"
    r"|steps?|lines?|columns?|exercises?|panels?|remarks?|volumes?|vol\.|no\.|errata|erratum|python"
    r"|version|arxiv|footnotes?"
)
NUMBER = r"\d+(?:[.,:]\d+)*"
REFERENCE = re.compile(
    rf"\b(?:{NAMES})\s+\(?[A-Z]?\.?{NUMBER}\w?\)?"
    rf"(?:(?:\s*[,–-]\s*|,? (?:and|or|to) )\(?[A-Z]?\.?{NUMBER}\w?\)?)*",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?<![\d.,])(?:1[89]|20)\d\d(?![\d.,]\d|\d)(?:[–-]\d\d(?!\d))?[a-z]?\b")
IN_A_NAME = re.compile(
    r"\b[^\W\d_][\w-]*\d[\w-]*|(?<![\w.])\d+(?:-\d+){2,}(?![\w-])"
)  # float64, 64-16-1
WORDS = {"0", "1"}
BLOCKS = {"fence", "colon_fence", "code_block"}  # the last is code that is indented
TYPED = re.compile(r"(?<![\w.])[-−]?\d[\d.,]*(?:\d|(?<=\d))(?:e[-+]?\d+)?|[½¼¾⅓⅔]")


@dataclass(frozen=True)
class TypedNumber:
    """A number in a text, with the words around it."""

    number: str
    words: str

    def __str__(self):
        return f"{self.number} in “{self.words}”"


def find_typed_numbers(text: str) -> list[TypedNumber]:
    """Return the numbers of some Markdown that are typed and not said to be given. The digits 0 and
    1 are words.

    >>> [found.number for found in find_typed_numbers("In 2017 all 12 in table 3 had rank 5.")]
    ['12', '5']
    >>> find_typed_numbers('<span data-glue="rank">5</span> of $n = 12$; `x[3]`.')
    []
    """
    given = list_given(text)
    found = list(_find_numbers(keep_prose(text)))
    return [each for each in found if each.number not in {*given, *WORDS}]


def list_given(text: str) -> set[str]:
    """Return the numbers that a comment in a text says to be given."""
    outside_code = CODE.sub("", _drop_directives(text))
    return {number for said in GIVEN.findall(outside_code) for number in _read_numbers(said)}


def find_stale(text: str) -> list[str]:
    """Return the numbers that are said to be given and do not stand in the text."""
    prose = keep_prose(text)
    standing = set(_read_numbers(prose))
    return sorted(list_given(text) - standing)


def _read_numbers(text):
    return [match[0].rstrip(".,") for match in TYPED.finditer(text)]


def _find_numbers(prose) -> Iterator[TypedNumber]:
    for match in TYPED.finditer(prose):
        start, end = max(0, match.start() - 40), match.end() + 25
        words = " ".join(prose[start:end].split())
        yield TypedNumber(match[0].rstrip(".,"), words)


def keep_prose(text: str) -> str:
    """Return what of some Markdown is prose about results: no code, formulas, statements, proofs,
    exercises, references, years and names.
    """
    prose = _drop_directives(text)
    for pattern in [*NO_PROSE, REFERENCE, YEAR, IN_A_NAME]:
        prose = pattern.sub(" ", prose)
    return prose


def _drop_directives(text):
    """Return Markdown without fences that hold no prose, and without the options of the others."""
    kept = []
    for block in _split_blocks(text):
        if isinstance(block, str):
            kept.append(block)
            continue
        name, argument, content = block
        if name is None or NO_RESULTS.fullmatch(name):
            continue
        _, inner = split_options(content)
        kept += ["" if name in ("figure", "image") else argument, _drop_directives(inner)]
    return "\n".join(kept)


def _split_blocks(text) -> Iterator[str | tuple]:
    """Yield pieces of text, and (name of the directive, argument, content) for each fence."""
    lines = text.splitlines()
    position = 0
    for token in MARKDOWN.parse(text):
        if token.type not in BLOCKS:
            continue
        start, end = token.map
        yield "\n".join(lines[position:start])
        name = DIRECTIVE.match(token.info.strip())
        argument = token.info.strip()[name.end() :].strip() if name else ""
        yield name[1] if name else None, argument, token.content
        position = end
    yield "\n".join(lines[position:])


def find_typed_in_page(page: NotebookNode) -> list[str]:
    """Return a sentence for each number that is typed into a notebook or page: into Markdown, and
    into captions and alt texts.
    """
    found = []
    for cell, what, text in list_texts(page):
        found += [
            f"{cell}: {what} has the typed number {each}" for each in find_typed_numbers(text)
        ]
        found += [
            f"{cell}: {what} says that {number} is given, and does not have it"
            for number in find_stale(text)
        ]
    return found


def list_texts(page: NotebookNode) -> Iterator[tuple[str, str, str]]:
    """Yield (cell, what it is, text) for all texts of a page that a reader reads as prose."""
    is_inside = False
    for cell in page.cells:
        name = cell.id if "kernelspec" in page.metadata else "the page"
        if cell.cell_type == "markdown":
            was_inside, is_inside = is_inside, _follow_solution(cell.source, is_inside)
            if not was_inside and not is_inside:
                yield name, "the text", cell.source
            continue
        shown = cell.metadata.get("mystnb", {})
        given = cell.metadata.get("given", "")
        said = f"<!-- given: {given} -->" if given else ""
        texts = [shown.get("figure", {}).get("caption", ""), shown.get("image", {}).get("alt", "")]
        if any(texts):
            yield name, "the caption or alt text", "\n\n".join([*texts, said])


def _follow_solution(text, is_inside):
    """Return whether a solution that spans cells goes on after a text."""
    for name, _ in find_directives(text):
        if name in ("solution-start", "solution-end"):
            is_inside = name == "solution-start"
    return is_inside
