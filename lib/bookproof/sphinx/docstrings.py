"""Docstrings that are plain text, on a page made by `sphinx.ext.autodoc`.

A docstring is written for the terminal: `code` in single backticks, formulas as they are typed,
doctests, and blocks that are indented. Sphinx would read |x| as a substitution and f* as emphasis.
Here each of them becomes the reStructuredText that looks as it was meant, and a public name of the
package, in backticks, becomes a link to it.
"""

import re
import sys

CODE = re.compile(r"(`[^`]+`)")
BULLET = re.compile(r"^(\s*)\\\* ", re.MULTILINE)  # escaped, as the line's other stars
MARKUP = re.compile(r"([\\*|_])")
GENERATED = ("Alias for field number", "Initialize self.", "Return str(self).")


def escape_markup(text, package="", names=()):
    """Return a text in which only what is in backticks has a meaning; of the package's `names` each
    is a link.

    >>> escape_markup("|f(x_i)| of `loss`, a * b")
    '\\\\|f(x\\\\_i)\\\\| of ``loss``, a \\\\* b'
    >>> escape_markup("see `trace`", "science", ["trace"])
    'see :py:obj:`trace <science.trace>`'
    """
    parts = CODE.split(text)
    text = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    code = []
    for part in parts[1::2]:
        name = part.strip("`")
        code.append(f":py:obj:`{name} <{package}.{name}>`" if name in names else f"`{part}`")
    return "".join(word for pair in zip(text, [*code, ""], strict=True) for word in pair)


def split_blocks(lines):
    """Return the blocks of a docstring, lists of lines that blank lines separate."""
    blocks = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        else:
            blocks.append([])
    return [block for block in blocks if block]


def convert_block(block, package="", names=()):
    """Return the lines of reStructuredText for a block: a doctest, an indented block or text."""
    if block[0].lstrip().startswith(">>>"):
        return block
    if all(line.startswith("    ") for line in block):
        return ["::", "", *block]
    escaped = escape_markup("\n".join(block), package, names)
    return BULLET.sub(r"\1* ", escaped).split("\n")


def convert_docstring(lines, package="", names=()):
    """Return a docstring's lines as reStructuredText."""
    converted = []
    for block in split_blocks(lines):
        converted += [*convert_block(block, package, names), ""]
    return converted


def process(app, what, name, obj, options, lines):
    package = name.partition(".")[0]
    own = name.split(".")[1]  # a page needs no link to the place where the reader is
    names = set(getattr(sys.modules[package], "__all__", ())) - {own}
    lines[:] = convert_docstring(lines, package, names)  # autodoc wants its argument changed


def skip_generated(app, what, name, obj, skip, options):
    """Leave out members whose docstring Python wrote itself, as for fields of a named tuple."""
    written = getattr(obj, "__doc__", None) or ""
    return True if written.startswith(GENERATED) else None


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip_generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
