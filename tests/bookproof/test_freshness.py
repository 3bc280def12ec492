"""What results rest on is what the configuration says, and what pages rest on is more. That builds
act on it is seen in test_other_book.py.

Not seen here: data that a notebook fetches, and whatever else is no file of the book.
"""

import os

import pytest
from sphinx.config import Config

from bookproof.sphinx import RESULTS_REST_ON
from bookproof.sphinx.freshness import choose_cache, digest_pages, digest_results


def make_config(**values):
    config = Config({}, {"exclude_patterns": ["_build", "venv"], **values})
    config.add("bookproof_tests", "tests", "env", ())
    config.add("bookproof_results_rest_on", RESULTS_REST_ON, "", ())
    return config


def watch(folder, name, digest):
    """Return how many different numbers come out while a file is made and changed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = {digest()}
    for text in ("one", "two"):
        path.write_text(text)
        seen.add(digest())
    return len(seen)


@pytest.mark.parametrize(
    "name",
    ["shapes.py", "lib/shapes/area.py", "data/radii.csv", "requirements.txt", "pyproject.toml"],
)
def test_results_rest_on_code_data_and_lock(tmp_path, name):
    config = make_config()
    assert watch(tmp_path, name, lambda: digest_results(tmp_path, config)) == 3


@pytest.mark.parametrize(
    "name",
    [
        "lib/__pycache__/a.py",
        "venv/lib/a.py",
        "_build/a.py",
        ".venv/a.py",
        "lib/.a.py",
        "tests/test_a.py",
        "page.md",
    ],
)
def test_results_do_not_rest_on_what_is_left_behind_or_tests(tmp_path, name):
    config = make_config()
    assert watch(tmp_path, name, lambda: digest_results(tmp_path, config)) == 1


def test_the_configuration_says_what_results_rest_on(tmp_path):
    config = make_config(bookproof_results_rest_on=["src/**"])
    assert watch(tmp_path, "src/radii.csv", lambda: digest_results(tmp_path, config)) == 3
    assert watch(tmp_path, "shapes.py", lambda: digest_results(tmp_path, config)) == 1


@pytest.mark.parametrize(
    "name, numbers",
    [("tests/test_a.py", 3), ("_templates/page.html", 3), ("tests/data.csv", 1), ("page.md", 1)],
)
def test_pages_rest_on_tests_and_templates_too(tmp_path, name, numbers):
    config = make_config(templates_path=["_templates"])
    assert watch(tmp_path, name, lambda: digest_pages(tmp_path, config, "results")) == numbers


def test_pages_rest_on_results(tmp_path):
    one, other = (digest_pages(tmp_path, make_config(), results) for results in "ab")
    assert one != other


def test_the_results_of_the_last_few_states_are_kept(tmp_path):
    (tmp_path / "global.db").write_text("of an older bookproof, which kept one state")
    os.utime(tmp_path / "global.db", (0, 0))
    for age, state in enumerate("abcdefgh"):
        path = choose_cache(tmp_path, state)
        os.utime(path, (age + 1, age + 1))
    assert {path.name for path in tmp_path.iterdir()} == set("cdefgh")
    choose_cache(tmp_path, "c")
    choose_cache(tmp_path, "i")
    assert {path.name for path in tmp_path.iterdir()} == set("cefghi"), "used lately, so kept"
