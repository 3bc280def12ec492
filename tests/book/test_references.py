"""Every source that a measure cites or names is in the bibliography, and a reader of the site finds
it there.

Not seen here: whether a source says what is said of it.
"""

import re

import pytest
from bs4 import BeautifulSoup

import sharpminima as sm
from bookproof.citations import read_works
from tests.support import PROJECT

# "Dinh et al. 2017", "Jacobsen and Arvanitidis 2025", "da Silva et al. 2025".
NAMED = re.compile(r"\b((?:da )?[A-Z]\w+(?: et al\.| and [A-Z]\w+)?) (\d{4})\b(?!\.\d)")


def list_named():
    """The works that sources and reasons name, {"Dinh et al. 2017": where}."""
    told = {name: f"{m.source}; {m.place}" for name, m in sm.MEASURES.items()} | sm.LEFT_OUT
    return {" ".join(found): place for place, text in told.items() for found in NAMED.findall(text)}


def test_the_bibliography_has_what_measures_cite():
    works = read_works(PROJECT)
    cited = {measure.cite for measure in sm.MEASURES.values() if measure.cite is not None}
    assert len(cited) > 10
    assert not cited - works.keys()


def test_the_bibliography_has_what_sources_name():
    labels = {label.rstrip("abc") for label in read_works(PROJECT).values()}
    named = list_named()
    assert len(named) > 25
    assert {work: place for work, place in named.items() if work not in labels} == {}


@pytest.mark.parametrize(
    "text, works",
    [
        ("MacKay 1992; Maddox et al. 2020; as", ["MacKay 1992", "Maddox et al. 2020"]),
        ("(Jacobsen and Arvanitidis 2025)", ["Jacobsen and Arvanitidis 2025"]),
        ("(da Silva et al. 2025)", ["da Silva et al. 2025"]),
        ("as in Li et al. 2018", ["Li et al. 2018"]),
        ("abstract of arXiv 1902.02434: invariant", []),
    ],
)
def test_a_work_is_recognized_by_author_and_year(text, works):
    assert [" ".join(found) for found in NAMED.findall(text)] == works


def test_a_reader_finds_every_named_work(site):
    page = BeautifulSoup((site / "chapters" / "bibliography.html").read_text(), "html.parser")
    entries = [tag.get_text().strip("[] ") for tag in page.select(".citation .label")]
    shown = {entry.replace("\N{NO-BREAK SPACE}", " ").rstrip("abc") for entry in entries}
    assert len(shown) > 40
    assert set(list_named()) - shown == set()
