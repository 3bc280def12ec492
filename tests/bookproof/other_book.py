"""A book that knows nothing of this one: two notebooks on circles and squares, its own library, a
few lines of configuration.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.support import PROJECT

CONFIG = """
title: Circles and squares
execute:
  execute_notebooks: cache
sphinx:
  extra_extensions: [bookproof.sphinx, bookproof.sphinx.explorers, sphinx_proof]
  config:
    bookproof_library: shapes
"""
TOC = """
format: jb-book
root: index
chapters:
  - file: circles
  - file: squares
  - file: ledger
"""
PYTEST = """
[pytest]
bookproof = true
pythonpath = .
"""
LIBRARY = '''"""Areas and perimeters."""

import math


def circle_area(radius):
    return math.pi * radius**2


def circle_perimeter(radius):
    return 2 * math.pi * radius


def square_area(side):
    return side**2
'''
TESTS = """import math

import pytest

import shapes


@pytest.mark.claim("theorem-growth", "fig-growth")
@pytest.mark.parametrize("radius", [1, 3])
def test_the_area_grows_by_the_perimeter(radius):
    step = 1e-6
    slope = (shapes.circle_area(radius + step) - shapes.circle_area(radius - step)) / (2 * step)
    assert math.isclose(slope, shapes.circle_perimeter(radius), rel_tol=1e-9)


class TestSquares:
    @pytest.mark.claim("theorem-square")
    def test_a_square_around_a_circle_is_larger(self):
        assert shapes.square_area(2) > shapes.circle_area(1)
"""
LEDGER = """# What is checked

```{ledger}
```

```{reproducibility} claims
```

```{reproducibility} times
```

```{reproducibility} machine
```

```{reproducibility} versions
```
"""
CIRCLES = [
    """# Circles

```{prf:theorem} Growth
:label: theorem-growth

The area of a circle grows by its perimeter.
```

A circle of radius 2 has <span data-glue="area:.1f"></span> times the area of a square of side 1.
""",
    """import numpy as np

import bookproof as book
import shapes
from bookproof.drawing import drawing

radii = np.linspace(0, 2, 41)""",
    """slopes = np.gradient([shapes.circle_area(r) for r in radii], radii)[1:-1]
perimeters = [shapes.circle_perimeter(r) for r in radii[1:-1]]
book.claim(
    "theorem-growth",
    "The slope of $\\\\pi r^2$ is $2\\\\pi r$.",
    book.equal(slopes, perimeters, to=1e-12, relative_to="largest"),
)""",
    """@drawing(width=3, height=2)
def growth(ax, color, radii, areas):
    ax.plot(radii, areas, color=color.first, gid="area")
    ax.set(xlabel="radius (m)", ylabel="area (m²)")
    ax.annotate("area", (radii[30], areas[30]), color=color.first, ha="right")


figure = growth(radii, np.pi * radii**2)
figure""",
    """areas = [shapes.circle_area(r) for r in radii]
book.claim(
    "fig-growth",
    "The curve is the area.",
    book.contract(
        figure,
        book.panel(
            {"area": book.curve(radii, areas, color="first", label="area")},
            x="radius (m)",
            y="area (m²)",
        ),
    ),
    book.says(figure, "rises", "area"),
)""",
    """from myst_nb import glue

print("A circle of radius 2 has the area", round(shapes.circle_area(2), 3))
glue("area", round(shapes.circle_area(2), 2), display=False)""",
]
SQUARES = [
    """# Squares

:::{prf:theorem} Around a circle
:label: theorem-square

A square around a circle has more area.
:::
""",
    """import bookproof as book
import shapes

book.claim(
    "theorem-square",
    "A square around a circle has more area.",
    book.at_least(
        [shapes.square_area(2 * r) for r in (1, 2)], [shapes.circle_area(r) for r in (1, 2)]
    ),
)""",
]
FIGURE = {
    "mystnb": {
        "figure": {"name": "fig-growth", "caption": "How does the area grow?"},
        "image": {"alt": "A curve that bends upwards."},
    }
}
# Whoever imports it inside this book does not know the kit from outside.
NO_SHARPMINIMA = 'raise ImportError("the other book must not need sharpminima")\n'


def install_bookproof(folder: Path) -> Path:
    """Build bookproof's wheel and install it into a folder of its own; return that folder."""
    skipped = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    shutil.copytree(PROJECT / "lib" / "bookproof", folder / "source", ignore=skipped)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    run = [*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*run, "-w", folder, folder / "source"], check=True)
    [wheel] = folder.glob("bookproof-*.whl")
    site = folder / "site"
    subprocess.run([*pip, "install", "--no-index", "--no-deps", "-t", site, wheel], check=True)
    (site / "sharpminima.py").write_text(NO_SHARPMINIMA)
    return site


def make_notebook(first: str, *cells: str) -> nbformat.NotebookNode:
    made = [new_markdown_cell(first), *map(new_code_cell, cells)]
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"
        if "@drawing" in cell.source:
            cell.metadata = nbformat.from_dict(FIGURE)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=made, metadata={"kernelspec": kernel})


class OtherBook:
    """The book in a folder, with what its maintainer would type."""

    def __init__(self, folder: Path, site: Path):
        self.folder, self.site = folder, site
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {
            "_config.yml": CONFIG,
            "_toc.yml": TOC,
            "pytest.ini": PYTEST,
            "shapes.py": LIBRARY,
            "tests/test_shapes.py": TESTS,
            "index.md": "# Circles and squares\n\nTwo chapters.\n",
            "ledger.md": LEDGER,
        }.items():
            self.write(name, text.lstrip("\n"))
        for name, cells in {"circles": CIRCLES, "squares": SQUARES}.items():
            nbformat.write(make_notebook(*cells), folder / f"{name}.ipynb")

    def copy(self, folder: Path) -> "OtherBook":
        """Return the same book in another folder, with what is stored in it."""
        other = OtherBook(folder, self.site)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return other

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace some text in a file of the book; in a notebook in the source of one cell."""
        path = self.folder / name
        if path.suffix != ".ipynb":
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
            return
        notebook = nbformat.read(path, as_version=4)
        [cell] = [cell for cell in notebook.cells if old in cell.source]
        cell.source = cell.source.replace(old, new)
        nbformat.write(notebook, path)

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """Return the exit status of `python -m ...`, and all that it said."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "COV")) and name != "BUILD"
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(self.site), "NO_COLOR": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def test(self, *options: str) -> tuple[int, str]:
        return self.run("-m", "pytest", "-p", "no:cacheprovider", "--color=no", *options)

    def build(self) -> tuple[int, str]:
        return self.run("-m", "bookproof.build", "_build")

    def accept(self, *options: str) -> tuple[int, str]:
        return self.run("-m", "bookproof.accept", "_build", *options)

    def build_plainly(self) -> tuple[int, str]:
        """Build the book by Jupyter Book's own command."""
        start = "from jupyter_book.cli.main import main; main()"
        return self.run("-c", start, "build", "-W", "-n", "--keep-going", ".")

    def page(self, name: str) -> str:
        return (self.folder / "_build" / "html" / f"{name}.html").read_text()

    def failed_page(self, name: str) -> str:
        """Return a page of a build that did not end well."""
        return (self.folder / "_build" / ".html" / f"{name}.html").read_text()
