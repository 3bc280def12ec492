"""Citations in prose: a tool writes author and year from the bibliography, and Sphinx sees a role.

That a page shows the same words is looked at in tests/book/test_site.py.
"""

import pytest

from bookproof.citations import CITE, fill_citations, read_works, write_roles

BIBLIOGRAPHY = """
@article{dinh, author = {Dinh, L. and Pascanu, R. and Bengio, S.}, title = {Sharp}, year = 2017}
@article{kwon, author = {Kwon, J.}, title = {A}, year = 2021}
@article{kwong, author = {Kwon, K.}, title = {B}, year = 2021}
@article{muller, author = {M{\\"u}ller, A. and {da Silva}, B.}, title = {C}, year = 2020}
@article{neill, author = {O'Neill, C.}, title = {D}, year = 2022}
@article{att, author = {{AT\\&T}}, title = {E}, year = 2023}
"""


@pytest.fixture
def works(tmp_path):
    (tmp_path / "_config.yml").write_text("bibtex_bibfiles: [works.bib]\n")
    (tmp_path / "works.bib").write_text(BIBLIOGRAPHY)
    return read_works(tmp_path)


@pytest.mark.parametrize(
    "opening, words",
    [
        ('<cite data-cite="dinh">', "Dinh et al. (2017)"),
        ('<cite data-cite="kwon,kwong">', "Kwon (2021a), Kwon (2021b)"),
        ('<cite data-citep="muller, dinh">', "(Dinh et al. 2017; Müller and da Silva 2020)"),
        ('<cite data-cite="neill">', "O'Neill (2022)"),
        ('<cite data-cite="att">', "AT&amp;T (2023)"),
    ],
)
@pytest.mark.parametrize("typed", ["", "Somebody (1900)"])
def test_works_are_cited_whatever_was_typed(works, opening, words, typed):
    assert (
        fill_citations(f"As {opening}{typed}</cite> say.", works)
        == f"As {opening}{words}</cite> say."
    )


def test_a_work_that_the_bibliography_lacks_is_left(works):
    text = 'As <cite data-cite="dinh,nobody">typed</cite> say, and <cite>others</cite>.'
    assert fill_citations(text, works) == text
    assert [cite[3] for cite in CITE.finditer(text)] == ["dinh,nobody"]


def test_one_citation_may_name_all_works_there_are():
    text = '<cite data-citep="a,b">(…)</cite>'
    assert "(We 2020; You 2021)" in fill_citations(text, {"a": "We 2020", "b": "You 2021"})


def test_a_book_without_a_bibliography_has_no_works(tmp_path):
    (tmp_path / "_config.yml").write_text("title: Circles\n")
    assert read_works(tmp_path) == {}


@pytest.mark.parametrize("escape", ["", "\\"])
def test_sphinx_sees_a_role_in_markdown_and_in_a_notebook(escape):
    quote = f'{escape}"'
    source = f"As <cite data-citep={quote}dinh,kwon{quote}>(…)</cite> say."
    assert write_roles(source) == "As {cite:p}`dinh,kwon` say."
