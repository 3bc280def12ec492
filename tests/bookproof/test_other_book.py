"""bookproof serves a book that knows nothing of this one, as somebody else would install and run
it: the wheel, a few lines of configuration, Jupyter Book's defaults for all the rest.

Not seen here: whether the pages look well with another theme, and pytest-xdist (test_plugin.py).
"""

import re

import pytest
from bs4 import BeautifulSoup

from bookproof import machine
from bookproof.explorers import compare_all, read_html
from bookproof.notebooks import read_page
from bookproof.scripts import run_formulas
from bookproof.sphinx.ledger_explorer import FOLDER


def read_table(html, selector):
    """Return the rows of some tables, each a list of texts; a line may end inside a name."""
    page = BeautifulSoup(html, "html.parser")
    for name in page.select("code:has(wbr)"):
        name.string = name.get_text()
    tables = page.select(selector)
    return [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])]
        for table in tables
        for row in table.select("tbody tr")
    ]


def read_facts(html, words):
    """Return the rows of the table of facts that has some words in its caption."""
    for table in BeautifulSoup(html, "html.parser").select("table.facts"):
        if words in table.caption.get_text():
            return read_table(str(table), "table")
    raise AssertionError(f"no table says {words}")


def count_executions(said):
    return len(re.findall(r"^executed ", said, re.MULTILINE))


def read_reasons(said):
    """Return what a build says at its end."""
    return said.partition("NOT built")[2]


def test_it_is_the_installed_bookproof_and_there_is_no_sharpminima(accepted, installed):
    status, said = accepted.run("-c", "import bookproof; print(bookproof.__file__)")
    assert status == 0 and said.startswith(str(installed))
    status, said = accepted.run("-c", "import sharpminima")
    assert status == 1 and "must not need sharpminima" in said


def test_the_committed_book_passes(accepted):
    status, said = accepted.test()
    assert status == 0 and "9 passed" in said, said


def test_accept_leaves_a_committed_book_alone(accepted, tmp_path):
    book = accepted.copy(tmp_path)
    before = {path.name: path.read_bytes() for path in book.folder.glob("*.ipynb")}
    status, said = book.accept("--yes")
    assert status == 0 and "changed: 0" in said, said
    assert {path.name: path.read_bytes() for path in book.folder.glob("*.ipynb")} == before


def test_what_changed_fails_is_shown_and_can_be_accepted(accepted, tmp_path):
    """All in one run, since each takes its time: a line's width, which no contract sees, a number,
    an inequality, a marker.
    """
    book = accepted.copy(tmp_path)
    book.replace("circles.ipynb", "ax.plot(radii, areas", "ax.plot(radii, areas, linewidth=5")
    book.replace("circles.ipynb", "circle_area(2), 3", "circle_area(2), 4")
    book.replace("squares.ipynb", "square_area(2 * r)", "square_area(r)")
    book.replace("tests/test_shapes.py", '@pytest.mark.claim("theorem-square")', "")
    status, said = book.test()
    assert status == 1 and "4 failed, 6 passed" in said, said
    assert "circles.ipynb::Cell 2 - Pictures differ in cell [3], cell-3" in said
    assert "circles.ipynb::Cell 4 - Cell outputs differ in cell [5], cell-5" in said
    assert "12.5664" in said and "bookproof.accept _build circles" in said
    assert "squares.ipynb::Cell 0 - Cell execution caused an exception" in said
    assert "Not at least the bound: missed by 8.57" in said
    assert "FAILED claims::theorem-square - no test checks this claim" in said
    alone = said.partition("To see each alone")[2]
    assert alone.count('python -m pytest "circles.ipynb"') == 1, "a notebook runs as a whole"
    assert 'python -m pytest "squares.ipynb"' in alone
    assert 'grep -rn "theorem-square" tests' in alone
    shown = book.folder / "_build" / "figures" / "circles"
    assert {path.name for path in shown.iterdir()} == {
        f"cell-3-{mode}-{kind}.png"
        for mode in ("light", "dark")
        for kind in ("stored", "new", "difference")
    }

    status, said = book.accept("--yes")
    assert status == 1 and "squares.ipynb did not run to its end and stays as it is" in said
    assert "-A circle of radius 2 has the area 12.566\n" in said and "Stored: circles" in said
    squares = read_page(book.folder / "squares.ipynb")
    assert "✓" in squares.cells[1].outputs[0].data["text/plain"], "what is stored stays"
    assert book.test("circles.ipynb")[0] == 0


def test_a_wrong_figure_cannot_be_stored(accepted, tmp_path):
    """The contract does not look at the stored picture: it fails before there is one to accept."""
    book = accepted.copy(tmp_path)
    book.replace("circles.ipynb", "np.pi * radii**2", "3.2 * radii**2")
    status, said = book.accept("--yes")
    assert status == 1 and "circles.ipynb did not run to its end and stays as it is" in said
    assert "area: point 40 is (2, 12.8), expected (2, 12.57)" in said, said
    assert (book.folder / "_build" / "figures" / "contracts").is_dir()


def test_the_contract_notices_every_way_to_spoil_the_figure(accepted, tmp_path):
    book = accepted.copy(tmp_path)
    status, said = book.run("-m", "bookproof.falsify", "circles.ipynb")
    assert status == 0 and "falsifications caught (100.0 %)" in said, said


# What is built. The tests below change the book one after the other.


@pytest.fixture(scope="module")
def built(accepted, tmp_path_factory):
    book = accepted.copy(tmp_path_factory.mktemp("built") / "a book")
    status, said = book.build()
    assert status == 0 and count_executions(said) == 2, said
    return book


def test_the_ledger_tells_of_every_claim(built):
    rows = read_table(built.page("ledger"), "table.ledger")
    assert [row[0].partition(" ")[0] for row in rows] == [
        "theorem-growth",
        "fig-growth",
        "theorem-square",
    ]
    held, found, functions, tests = rows[0][1:]
    assert held == "equal to 10⁻¹² of the largest"
    assert re.fullmatch(r"they differ by [\d.]+·10⁻¹[\d⁰-⁹¹²³]+ of the largest", found), found
    assert functions == "circle_area circle_perimeter"
    assert tests == "test_shapes.py::test_the_area_grows_by_the_perimeter"
    assert rows[2][2:] == [
        "1.27 times to spare",
        "square_area circle_area",
        "test_shapes.py::TestSquares::test_a_square_around_a_circle_is_larger",
    ]


def test_the_ledger_folds_by_chapter_and_counts_what_is_strong(built):
    page = BeautifulSoup(built.page("ledger"), "html.parser")
    chapters = [fold.summary.get_text() for fold in page.select("details.ledger-chapter")]
    assert chapters == ["Circles: 2 claims, 2 strong", "Squares: 1 claim, 0 strong"]
    dots = [dot["href"] for dot in page.select("figure.strip a")]
    assert dots == ["#claim-theorem-growth", "#claim-theorem-square"]
    reasons = {row["id"]: row.select_one(".not-strong") for row in page.select("tr[id^=claim]")}
    weak = {row: why.get_text() for row, why in reasons.items() if why}
    assert list(weak) == ["claim-theorem-square"] and "a bound" in weak["claim-theorem-square"]


def test_the_ledger_can_be_searched_by_an_element_of_the_kit(built):
    page = built.page("ledger")
    [stored] = read_html(page)
    assert stored.element == "book-ledger" and stored.data["chapters"] == ["Circles", "Squares"]
    assert stored.values[0]["claims"] == 3 and stored.values[1]["claims"] == 2
    source = FOLDER / "formulas" / "ledger.js"
    found = run_formulas(source, stored.data, stored.positions)
    assert compare_all(found, stored.positions, stored.values) == []
    [script] = re.findall(r'</book-ledger><script src="([^"]+)"', page)
    script = built.folder / "_build" / "html" / script
    assert "book-ledger" in script.read_text()


def test_every_row_of_the_ledger_is_an_anchor_and_leads_to_what_it_is_about(built):
    ledger = BeautifulSoup(built.page("ledger"), "html.parser")
    assert [row["id"] for row in ledger.select("table.ledger tbody tr")] == [
        "claim-theorem-growth",
        "claim-fig-growth",
        "claim-theorem-square",
    ]
    links = [cell.a["href"] for cell in ledger.select("table.ledger td:first-child")]
    assert links == [
        "circles.html#theorem-growth",
        "circles.html#fig-growth",
        "squares.html#theorem-square",
    ]
    for link in links:
        page, _, anchor = link.partition(".html#")
        assert BeautifulSoup(built.page(page), "html.parser").find(id=anchor), link


def test_a_figure_has_two_pictures_and_one_number(built):
    [figure] = BeautifulSoup(built.page("circles"), "html.parser").select("figure")
    assert [image["class"][-1] for image in figure.find_all("img")] == ["in-light", "in-dark"]
    assert len({image["src"] for image in figure.find_all("img")}) == 2
    assert {image["width"] for image in figure.find_all("img")} == {"300"}
    assert figure.select_one(".caption-number").get_text(strip=True) == "Fig. 1"
    assert not figure.select("a img"), "a hidden picture must be no link"


def test_the_style_that_shows_one_of_the_pictures_comes_along(built):
    page = BeautifulSoup(built.page("circles"), "html.parser")
    [style] = [link["href"] for link in page.select("link") if "bookproof.css" in link["href"]]
    path = built.folder / "_build" / "html" / style.partition("?")[0]
    assert "img.in-dark" in path.read_text()


def read_number(built):
    return BeautifulSoup(built.page("circles"), "html.parser").select_one(".pasted-text").get_text()


def test_a_number_in_prose_is_the_one_of_this_build_whatever_was_typed(built, accepted):
    assert '<span data-glue="area:.1f">12.6</span>' in read_prose(accepted), "accept writes it"
    assert read_number(built) == "12.6"
    built.replace("circles.ipynb", ">12.6<", ">99<")
    status, said = built.build()
    assert status == 0 and count_executions(said) == 0, said
    assert read_number(built) == "12.6" and "99" not in built.page("circles")
    built.replace("circles.ipynb", '"area:.1f">99<', '"volume">12.6<')
    status, said = built.build()
    assert status == 1 and "no number for volume" in read_reasons(said)
    built.replace("circles.ipynb", '"volume">', '"area:.1f">')


def read_prose(book):
    return read_page(book.folder / "circles.ipynb").cells[0].source


def test_a_claims_math_is_typeset_by_the_books_own_renderer(built):
    claim = BeautifulSoup(built.page("circles"), "html.parser").select_one("p.claim")
    assert [math.get_text() for math in claim.select("span.math")] == [
        r"\(\pi r^2\)",
        r"\(2\pi r\)",
    ]


def test_the_facts_are_those_of_this_build(built):
    page = built.page("ledger")
    counts = dict(read_facts(page, "What is checked"))
    assert counts == {
        "Claims, all of which held in this build": "3",
        "Theorems, definitions and other statements": "2",
        "Numbered figures": "1",
        "Notebooks": "2",
        "Code cells": "6",
        "Test functions": "2",
    }
    here = dict(read_facts(page, "was built"))
    assert here["Processor"] == machine.name_processor()
    assert here["Commit"].startswith("unknown"), "a folder without a history of its own"
    [circles, squares] = read_facts(page, "each chapter")
    assert circles[::2] == ["Circles", "5"] and squares[::2] == ["Squares", "1"]
    slowest = read_facts(page, "slowest cells")
    assert len(slowest) == 5 and float(slowest[0][2]) <= float(circles[1])
    assert "There is no lock" in page


def test_jupyter_books_own_command_builds_the_same_and_executes_nothing_again(built):
    status, said = built.build_plainly()
    assert status == 0 and count_executions(said) == 0, said
    assert len(read_table(built.page("ledger"), "table.ledger")) == 3
    assert len(read_facts(built.page("ledger"), "slowest cells")) == 5, "times are remembered"


def test_another_test_makes_another_ledger_without_an_execution(built):
    built.replace("tests/test_shapes.py", "test_the_area_grows", "test_that_the_area_grows")
    status, said = built.build()
    assert status == 0 and count_executions(said) == 0, said
    assert "test_that_the_area_grows_by_the_perimeter" in built.page("ledger")


def test_a_changed_library_changes_the_page_and_an_earlier_one_is_remembered(built):
    for old, new, found, executed in [
        ("return side**2", "return 2 * side**2", "2.55 times to spare", 2),
        ("return 2 * side**2", "return side**2", "1.27 times to spare", 0),
        ("return side**2", "return 2 * side**2", "2.55 times to spare", 0),
    ]:
        built.replace("shapes.py", old, new)
        status, said = built.build()
        assert status == 0 and count_executions(said) == executed, said
        assert found in built.page("ledger")


def test_a_page_that_is_no_longer_part_of_the_book_is_removed(built):
    built.replace("_toc.yml", "  - file: squares\n", "")
    built.replace("_config.yml", "execute:", "exclude_patterns: [squares.ipynb]\nexecute:")
    status, said = built.build()
    site = built.folder / "_build" / "html"
    assert status == 0 and not (site / "squares.html").exists(), said
    assert (site / "circles.html").exists()
    built.replace("_toc.yml", "  - file: circles\n", "  - file: circles\n  - file: squares\n")
    built.replace("_config.yml", "exclude_patterns: [squares.ipynb]\n", "")


def test_a_page_that_is_not_there_is_told_before_anything_is_executed(built):
    built.replace("_toc.yml", "  - file: squares\n", "  - file: squares\n  - file: cubes\n")
    built.replace("shapes.py", "import math", "import math as math")
    status, said = built.build()
    assert status == 1 and count_executions(said) == 0, said
    assert "_toc.yml names cubes, and there is no such page" in read_reasons(said)
    built.replace("_toc.yml", "  - file: cubes\n", "")
    built.replace("shapes.py", "import math as math", "import math")


def test_a_folder_that_sphinx_did_not_make_is_left_alone(accepted, tmp_path):
    book = accepted.copy(tmp_path)
    book.write("_build/thesis.tex", "")
    (book.folder / "_build" / "html").mkdir()
    book.write("_build/html/thesis.html", "mine")
    status, said = book.build()
    assert status == 1 and "is no site that Sphinx made" in said
    assert book.page("thesis") == "mine"


def list_site(built):
    """Return the files of the site with their contents."""
    site = built.folder / "_build" / "html"
    return {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_a_claim_that_fails_makes_the_build_fail_however_often_it_is_tried(built):
    assert built.build()[0] == 0
    before = list_site(built)
    built.replace("shapes.py", "math.pi * radius**2", "3 * radius**2")
    for _ in range(2):
        status, said = built.build()
        assert status == 1, said
        lines = read_reasons(said).splitlines()
        [cell] = [line for line in lines if line.startswith("circles.ipynb, cell 3")]
        assert "(slopes = np.gradient" in cell
        assert "ClaimError: theorem-growth does not hold" in cell
        assert lines[-2:] == ["To see it alone:", 'python -m pytest "circles.ipynb"'], said
        assert "the last site stays as it was in" in read_reasons(said)
    assert list_site(built) == before, "a build that fails loses nothing"
    assert list((built.folder / "_build" / ".html").rglob("*.err.log"))
    built.replace("shapes.py", "3 * radius**2", "math.pi * radius**2")
    status, said = built.build()
    assert status == 0 and count_executions(said) == 0, said
    assert not [path for path in list_site(built) if path.suffix == ".log"]


def test_a_statement_without_a_claim_fails_the_build(built):
    built.replace("squares.ipynb", ":label: theorem-square", ":label: theorem-round")
    status, said = built.build()
    assert status == 1 and "squares: the theorem theorem-round has no claim" in read_reasons(said)
    *_, says, command = said.splitlines()
    assert says == "To see it alone:"
    assert re.fullmatch(r'python -m bookproof.build ".*_build" --stored', command)
    assert "Missing:" in built.failed_page("ledger")


def test_stored_outputs_that_are_never_executed_are_warned_of(built):
    """Jupyter Book's default takes what is stored, and no change would be seen."""
    built.replace("_config.yml", "execute_notebooks: cache", "execute_notebooks: auto")
    status, said = built.build()
    assert status == 1 and "`execute_notebooks: auto` publishes" in read_reasons(said)
