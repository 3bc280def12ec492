"""Which tests check which claims, and which functions of the library they use: read from the
source, so that nothing is imported or run.

A test names its claims by `@pytest.mark.claim("theorem-3", "fig-trace")`, on the function, on its
class, or on one of its parameters.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MarkedTest:
    """A test with the claims that its markers name, and the functions of the library it uses."""

    path: Path
    name: str
    claims: tuple[str, ...]
    functions: tuple[str, ...]


def read_marked_tests(folder: Path, library: str) -> list[MarkedTest]:
    """Return the marked tests of all test files below a folder; `library` is a module's name."""
    found = []
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        aliases = find_aliases(tree, library)
        for name, node, claims in _walk_tests(tree.body):
            functions = find_functions(node, aliases)
            found.append(MarkedTest(path, name, tuple(claims), tuple(functions)))
    return found


def _walk_tests(body, outer="", inherited=()) -> Iterator[tuple[str, ast.AST, list[str]]]:
    """Yield each marked test by its name, with its code and its claims."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            claims = [*inherited, *_read_markers(node.decorator_list)]
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                yield from _walk_tests(node.body, f"{outer}{node.name}::", claims)
            elif node.name.startswith("test") and claims:
                yield outer + node.name, node, list(dict.fromkeys(claims))


def _read_markers(decorators):
    """Return the arguments of every `...mark.claim(...)` in some decorators, in their order."""
    nodes = [node for decorator in decorators for node in ast.walk(decorator)]
    markers = [
        node
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.claim")
    ]
    arguments = [argument for marker in markers for argument in marker.args]
    return [argument.value for argument in arguments if isinstance(argument, ast.Constant)]


def find_aliases(tree: ast.AST, library: str) -> dict[str, str]:
    """Return what some code calls the library and parts of it: {name in the code: name in the
    library}, where the library itself has the name "".

    >>> code = "import numpy as np, mylib as my\\nfrom mylib.shapes import area as a"
    >>> find_aliases(ast.parse(code), "mylib")
    {'my': '', 'a': 'area'}
    """
    found = {}
    for node in ast.walk(tree) if library else ():
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == library:
                    inside = alias.name.removeprefix(library).lstrip(".")
                    found |= {alias.asname: inside} if alias.asname else {library: ""}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == library:
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return found


def find_functions(tree: ast.AST, aliases: dict[str, str]) -> list[str]:
    """Return the library's public functions that some code uses, by their names in the library.

    >>> code = "x = my.shapes.area(my.Circle(1)) + a(2) + np.sum(3)"
    >>> find_functions(ast.parse(code), {"my": "", "a": "volume"})
    ['shapes.area', 'volume']
    """
    names = []
    for dotted in _find_dotted_names(tree):
        first, _, rest = dotted.partition(".")
        if first in aliases:
            names.append(".".join(part for part in (aliases[first], rest) if part))
    return [name for name in dict.fromkeys(names) if is_public_function(name)]


def is_public_function(name: str) -> bool:
    """True of `hessian` and `measures.trace`; not of a class, a constant or anything private."""
    return all(part.islower() and not part.startswith("_") for part in name.split("."))


def _find_dotted_names(tree):
    """Yield the names in some code in their order, `a.b.c` once and not again as `a.b` and `a`."""
    dotted = _as_dotted_name(tree)
    if dotted:
        yield dotted
        return
    for child in ast.iter_child_nodes(tree):
        yield from _find_dotted_names(child)


def _as_dotted_name(node):
    """Return "a.b.c" for a chain of attributes of a name, nothing for any other code."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _as_dotted_name(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""
