"""The page on the library: every public name, under the module that defines it.

Not seen here: whether a docstring is true. Its doctests run with the library's tests.
"""

import re
import types

from bs4 import BeautifulSoup

import sharpminima as sm
from tests.support import PROJECT

PAGE = (PROJECT / "chapters" / "api.md").read_text()
DIRECTIVE = re.compile(r"^\.\. (?:auto\w+|py:data):: (\w+)(?![\w.]).*(?:\n +(\w+)$)?", re.MULTILINE)


def list_names(page):
    """The names that a page documents, in its order."""
    return [name for pair in DIRECTIVE.findall(page) for name in pair if name]


def split_sections(page):
    """The sections that document a module."""
    return [section for section in page.split("\n## ")[1:] if "{eval-rst}" in section]


def list_sections(page):
    """(module, names) of each section."""
    for section in split_sections(page):
        [module] = re.findall(r"^Module `(\w+)`", section, re.MULTILINE)
        yield module, list_names(section)


def test_every_public_name_is_on_the_page_once():
    assert sorted(list_names(PAGE)) == sorted(sm.__all__)


def test_every_name_stands_under_its_module():
    for module, names in list_sections(PAGE):
        for name in names:
            defined = getattr(getattr(sm, name), "__module__", "") or ""
            if defined.startswith("sharpminima."):
                assert defined.split(".")[1] == module, name


def test_every_section_leads_to_a_chapter():
    sections = split_sections(PAGE)
    assert len(sections) > 20
    for section in sections:
        links = re.findall(r"\[\]\((\w+\.\w+)\)", section.partition("```")[0])
        assert links and all((PROJECT / "chapters" / link).exists() for link in links)


def test_help_lists_what_can_be_imported():
    public = {
        name
        for name, value in vars(sm).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(sm.__all__)
    assert all(getattr(sm, name).__doc__ for name in sm.__all__)


def test_every_public_name_has_an_anchor(site):
    page = BeautifulSoup((site / "chapters" / "api.html").read_text(), "html.parser")
    anchors = {tag["id"] for tag in page.select("dt[id]")}
    assert {f"sharpminima.{name}" for name in sm.__all__} <= anchors


def test_doctests_are_code_and_no_markup_is_left(site):
    page = BeautifulSoup((site / "chapters" / "api.html").read_text(), "html.parser")
    assert len(page.select("dd .highlight pre")) > 15
    for tag in page.select("pre, code, dt"):
        tag.decompose()
    left = re.findall(r"\S*(?:`|\\[|*_]|:py:|>>>)\S*", page.article.get_text())
    assert left == []
