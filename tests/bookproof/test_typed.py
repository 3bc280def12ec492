"""Which numbers in prose count as typed: each kind that is none, and that one beside it is seen.

Not seen here: a number in words, one in a formula, and whether what is said to be given is.
"""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from bookproof.typed import find_stale, find_typed_in_page, find_typed_numbers

NO_RESULTS = [
    'Of <span data-glue="n">42</span> eigenvalues',
    "where $\\lambda = 5.3$ and $$x^2 + 12.$$ and",
    "as `H[12:, 3]` has it,",
    "```python\nx = 12.5\n```\n",
    "Run\n\n    make it SAMPLE=0.25\n\nand wait",
    "- Run\n\n      make it SAMPLE=0.25\n\n  and wait",
    ":::{prf:theorem} Two\n:label: theorem-9\n\nFor 12 units it is 7.\n\n:::\n",
    ":::{exercise} A box\n:label: exercise-12\n\nTake 300 of them.\n\n:::\n",
    "```{figure} picture-12.png\n:width: 80%\n:name: fig-12\n\nA line.\n```\n",
    "In 1997 and 2017 (and 1998a), by theorem 4, section 4.2.1, figures 3 and 5, appendix A.3",
    "[Errata 12](errata.md), page 7, step 3",
    "see {numref}`fig-12`, {cite:t}`dinh2017sharp`, [here](page-12.html#3), <https://a.b/12>",
    "12. The twelfth point",
    "## 3. The third step",
    "| 4. a row | of a table |",
    "the 64-16-1 network, float64, GPT-2, Python 3.11, arXiv 1703.04933",
    "from 0 to 1",
    "<!-- made on 12 May -->",
]


@pytest.mark.parametrize("text", NO_RESULTS)
def test_what_is_no_result_passes_and_a_number_beside_it_is_seen(text):
    assert find_typed_numbers(text) == []
    assert [each.number for each in find_typed_numbers(f"{text}\n\nIt is 17.5 wide.")] == ["17.5"]


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("a factor of 1,024 and -3.5, or 1e-12", ["1,024", "-3.5", "1e-12"]),
        ("43 % of 20.", ["43", "20"]),
        ("It costs 20190 of them", ["20190"]),
        ("up to ½ of it", ["½"]),
        (":::{note}\n:class: tip\n\nSo 12 are left.\n\n:::", ["12"]),
        ("::::{margin}\n:::{note}\nSo 12 are left.\n:::\n::::", ["12"]),
        ("- A note:\n\n  :::{note}\n  So 12 are left.\n  :::", ["12"]),
        ("- A note:\n\n  ```{note}\n  So 12 are left.\n  ```\n\n  and 13.", ["12", "13"]),
        ("```{list-table} Of 12 networks\n:name: table-3\n\n* - 40 %\n```", ["12", "40"]),
    ],
)
def test_typed_numbers_are_found(text, numbers):
    assert [each.number for each in find_typed_numbers(text)] == numbers


def test_what_is_given_is_said_in_a_comment():
    text = "We take 200 of 1,797 images.\n\n<!-- given: 200; 1,797 images of scikit-learn -->"
    assert find_typed_numbers(text) == [] and find_stale(text) == []
    assert [each.number for each in find_typed_numbers(text.replace("200 of", "201 of"))] == ["201"]
    assert find_stale(text.replace("200 of", "some of")) == ["200"]


def test_a_comment_that_is_shown_as_code_says_nothing():
    text = "Write `<!-- given: 200 -->` below.\n\n```html\n<!-- given: 300 -->\n```\n"
    assert find_stale(text) == []
    assert [each.number for each in find_typed_numbers(f"200 of 300\n\n{text}")] == ["200", "300"]


def test_a_page_is_looked_through():
    shown = {"figure": {"name": "fig-a", "caption": "In 40 steps"}, "image": {"alt": "At 12."}}
    solution = "::::{solution-start} exercise-a\n:class: dropdown\n::::"
    cells = [
        new_markdown_cell("Of 30 units.", id="words"),
        new_code_cell("draw()", metadata={"mystnb": shown, "given": "40"}, id="fig-a"),
        new_markdown_cell(f"{solution}\n\nOf 5 it is"),
        new_markdown_cell("It is 7."),
        new_markdown_cell("and 9.\n\n::::{solution-end}\n::::"),
        new_markdown_cell("So 8 are left.", id="end"),
    ]
    found = find_typed_in_page(
        new_notebook(
            cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python"}}
        )
    )
    places = [(sentence.partition(":")[0], sentence.split("number ")[1][:2]) for sentence in found]
    assert places == [("words", "30"), ("fig-a", "12"), ("end", "8 ")]


def test_a_number_is_told_with_the_words_around_it_from_the_first_on():
    [found] = find_typed_numbers("It is 17.5 wide.")
    assert str(found) == "17.5 in “It is 17.5 wide.”"
