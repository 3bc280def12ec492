"""Which tests check a claim, and which functions of the library they use, is read from the source.

Not seen here: functions that a test uses through a fixture or a helper, and identifiers that are no
literal strings.
"""

import ast

import pytest

from bookproof.markers import find_aliases, find_functions, read_marked_tests

SOURCE = """
import numpy as np
import pytest
import shapes as sh
from shapes import perimeter, Circle

@pytest.mark.claim("theorem-1", "fig-1")
@pytest.mark.parametrize("radius", [1, sh.unit()])
def test_one(radius):
    assert sh.area(radius) == np.pi and perimeter(Circle(sh.PI)) and sh._private()

@pytest.mark.parametrize(
    "x", [1, pytest.param(2, marks=pytest.mark.claim("theorem-2"))]
)
def test_two(x):
    sh.solids.volume(x).tolist()

def test_without_a_claim():
    sh.area(1)

@pytest.mark.claim("theorem-3")
class TestThree:
    def test_a(self):
        pass

    @pytest.mark.claim("theorem-4")
    def test_b(self):
        pass

    def helper(self):
        pass

class Helper:
    @pytest.mark.claim("theorem-5")
    def test_nothing(self):
        pass
"""


def test_tests_claims_and_functions_are_read(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "test_it.py").write_text(SOURCE)
    (tmp_path / "helpers.py").write_text("not Python")
    found = {test.name: test for test in read_marked_tests(tmp_path, "shapes")}
    assert {name: test.claims for name, test in found.items()} == {
        "test_one": ("theorem-1", "fig-1"),
        "test_two": ("theorem-2",),
        "TestThree::test_a": ("theorem-3",),
        "TestThree::test_b": ("theorem-3", "theorem-4"),
    }
    assert sorted(found["test_one"].functions) == ["area", "perimeter", "unit"]
    assert found["test_two"].functions == ("solids.volume",)
    assert found["test_one"].path.name == "test_it.py"


def test_without_a_library_there_are_no_functions(tmp_path):
    (tmp_path / "test_it.py").write_text("from . import area\n" + SOURCE)
    assert {test.functions for test in read_marked_tests(tmp_path, "")} == {()}


@pytest.mark.parametrize(
    "line, aliases",
    [
        ("import shapes", {"shapes": ""}),
        ("import shapes as sh", {"sh": ""}),
        ("import shapes.solids", {"shapes": ""}),
        ("import shapes.solids as so", {"so": "solids"}),
        ("from shapes import area as a", {"a": "area"}),
        ("from shapes.solids import volume", {"volume": "volume"}),
        ("import shapes_of_others, numpy", {}),
        ("from . import shapes", {}),
    ],
)
def test_a_library_is_known_by_each_of_its_names(line, aliases):
    assert find_aliases(ast.parse(line), "shapes") == aliases


def test_a_chain_of_names_is_one_name():
    code = ast.parse("a.b.c(1); a.b; other.a.b; a[0].b; (a.x if a.b else 1).y")
    assert find_functions(code, {"a": ""}) == ["b.c", "b", "x"]
