"""Numbers that READMEs, CONTRIBUTING and the library's docstrings say: each is computed here, or is
said to be given. What the pages say: tests/book/test_typed_numbers.py.

Not seen here: numbers in words, small integers without a point or an exponent, which are shapes,
powers and factors of formulas, and the comments in code. A number that stands in a text twice is
looked at once.
"""

import ast
import functools
import inspect
import re
import tomllib

import pytest

import sharpminima as sm
from bookproof.typed import find_typed_numbers
from sharpminima import (
    examples,
    flatness,
    interop,
    invariance,
    losses,
    orbits,
    samples,
    spectra,
    training,
    transformations,
)
from sharpminima.measures import scaling_floor
from tests.book.test_browser import VIEWS
from tests.book.test_notebooks import LONGEST_CELL
from tests.support import PROJECT

PAGES = ["README.md", "CONTRIBUTING.md", "lib/sharpminima/README.md", "lib/bookproof/README.md"]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
CELLS = tomllib.loads((PROJECT / "chapters" / "ruff.toml").read_text())


def read_default(function, name):
    return inspect.signature(function).parameters[name].default


def count_networks_of_the_sweep():
    names = ("prediction-digits.npz", "prediction-cancer.npz")
    tables = [PROJECT / "experiments" / "results" / name for name in names]
    return sum(len(sm.read_table(path)["trace"]) for path in tables)


def find_largest_sample_network():
    return max(loss.size for loss, _ in sm.sample_networks().values())


# What is true of each number, by the text that says it.
FACTS = {
    "CONTRIBUTING.md": {
        "100": PYPROJECT["tool"]["ruff"]["line-length"],
        "74": CELLS["line-length"],
        "25": LONGEST_CELL,
        "390": min(width for _, width in VIEWS),
        "384": count_networks_of_the_sweep,
    },
    "lib/sharpminima/README.md": {"43": len(sm.MEASURES)},
    "examples": {"1797": lambda: len(examples.load_all_digits()[0])},
    "examples.Split": {"64": lambda: examples.load_all_digits()[0].shape[1]},
    "examples.digits": {
        "1.0": lambda: examples.load_all_digits()[1].max(),
        "-1.0": lambda: examples.load_all_digits()[1].min(),
    },
    "examples.load_all_digits": {
        "1797": lambda: len(examples.load_all_digits()[0]),
        "64": lambda: examples.load_all_digits()[0].shape[1],
    },
    "examples.running_example": {"200": read_default(sm.digits, "n_train")},
    "flatness.flatness_volume": {
        "4096": flatness.CELLS[1],
        "256": flatness.CELLS[2],
        "64": flatness.CELLS[3],
    },
    "interop.from_torch": {"1e-9": interop.DOUBLE},
    "invariance.audit": {"1e-6": orbits.SAME_TO, "1e-3": invariance.BROKEN_FROM},
    "invariance.Audit.survives": {"1e-6": orbits.SAME_TO},
    "losses.NetworkLoss": {"0.01": losses.LEAKY_SLOPE},
    "measures.scaling_floor.LeastNorm": {"1e-7": scaling_floor.GAP},
    "measures.scaling_floor.sharpness_floor": {"1e-7": scaling_floor.GAP},
    "measures.scaling_floor.least_largest_eigenvalue": {"1e-7": scaling_floor.GAP},
    "orbits.Orbit.constant": {"1e-6": orbits.SAME_TO},
    "samples.sample_networks": {"83": find_largest_sample_network, "1e-3": samples.CLEAR},
    "spectra.leading_eigenvectors": {"1e-12": spectra.SMALLEST_TOLERANCE},
    "sweeps.train_network": {
        "1797": lambda: len(examples.load_all_digits()[0]),
        "-1.0": lambda: examples.load_all_digits()[1].min(),
        "1.0": lambda: examples.load_all_digits()[1].max(),
    },
    "training.examine": {
        "1e-10": training.GRADIENT_TOLERANCE,
        "1e-6": training.MARGIN_TOLERANCE,
        "1e-3": training.CURVATURE_TOLERANCE,
        "-1e-9": -training.DESCENT_TOLERANCE,
    },
    "transformations.Transformation.__call__": {
        "1e-9": transformations.SAME,
        "32": transformations.N_FRESH,
    },
}
# Numbers that no code decides: the reason.
GIVEN = {
    "README.md": {"127.0.0.1": "an address", "4.0": "the name of a licence"},
    "CONTRIBUTING.md": {"350": "megabytes, of others' packages"},
    "interop._list_parts": {"2.0": "a name of a part"},
    "invariance._judge.is_rounding": {"1e-16": "the size of rounding"},
    "measures.finite_radius.keskar_bounds": {"100": "of Keskar et al."},
    "measures.finite_radius._find_least_share": {"100": "of Keskar et al."},
    "measures.finite_radius._find_largest_share": {"100": "of Keskar et al."},
    "measures.perturbation.box_average": {"100": "of Keskar et al."},
    "measures.registry.Measure.__call__": {"0.1": "an example"},
    "sharpness.keskar_sharpness": {"100": "of Keskar et al."},
    "spectra.inertia": {"1e16": "one over rounding"},
    "sweeps.Data": {"-1.0": "the convention for parities", "1.0": "the convention for parities"},
    "transformations.Transformation.__call__": {"1e6": "an example"},
}
# Here a number is a literal in the code of the same file.
LITERALS = {
    "_validation.as_real": {"53"},
    "alpha_transform.alpha_scale": {"1e-12"},
    "density.SpectralDensity.quadrature_error": {"33"},
    "spectra.find_smallest_eigenvalue": {"1e-10"},
    "training.polish": {"1e-14"},
}
EXAMPLE = re.compile(r"^\s*>>>.*?(?=\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
CONSTANT = re.compile(r"-?(\d{2,}|\d+\.\d+(\.\d+)*|\d+(\.\d+)?e[-+]?\d+)")


@functools.cache
def list_texts():
    """Return {name: text} of the pages and of all docstrings of the library."""
    texts = {name: (PROJECT / name).read_text() for name in PAGES}
    folder = PROJECT / "lib" / "sharpminima"
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__") or "sharpminima"
        texts.update(list_docstrings(ast.parse(path.read_text()), module))
    return texts


def list_docstrings(node, name):
    found = {}
    text = ast.get_docstring(node)
    if text:
        found[name] = EXAMPLE.sub("", text)  # doctest runs these
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
            prefix = "" if name == "sharpminima" else f"{name}."
            found.update(list_docstrings(inner, f"{prefix}{inner.name}"))
    return found


def list_constants(text):
    numbers = [each.number for each in find_typed_numbers(text)]
    return {number for number in numbers if CONSTANT.fullmatch(number)}


def find_unexplained(texts):
    """Return (place, number) for each number that is neither computed here nor said to be given."""
    found = []
    for place, text in texts.items():
        known = {*FACTS.get(place, ()), *GIVEN.get(place, ()), *LITERALS.get(place, ())}
        found += [(place, number) for number in sorted(list_constants(text) - known)]
    return found


def test_every_number_is_explained():
    assert find_unexplained(list_texts()) == []


@pytest.mark.parametrize("place", FACTS)
def test_what_is_said_is_true(place):
    standing = list_constants(list_texts()[place])
    for number, value in FACTS[place].items():
        assert number in standing, f"{place} says {number} no longer: take it off"
        fact = value() if callable(value) else value
        assert float(number) == fact, f"{place} says {number}, and it is {fact}"


@pytest.mark.parametrize("place", GIVEN)
def test_what_is_given_is_still_said(place):
    assert set(GIVEN[place]) <= list_constants(list_texts()[place])


@pytest.mark.parametrize("place", LITERALS)
def test_a_literal_stands_in_the_code(place):
    """So that who changes the one looks at the other."""
    module = place.partition(".")[0]
    code = ast.parse((PROJECT / "lib" / "sharpminima" / f"{module}.py").read_text())
    standing = {each.value for each in ast.walk(code) if isinstance(each, ast.Constant)}
    for number in LITERALS[place]:
        assert number in list_constants(list_texts()[place]), f"{place} says {number} no longer"
        assert float(number) in standing, f"{place} says {number}, and its code does not"


def test_a_wrong_number_would_be_seen():
    assert find_unexplained({"README.md": "It has 44 measures."}) == [("README.md", "44")]
    assert list_constants("Of 12.5 and 1e-9 and 3.") == {"12.5", "1e-9"}
