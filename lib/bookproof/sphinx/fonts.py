"""Fonts that do not weigh and do not make a page jump.

Of the icons' font only the icons that the site uses are left: 160 kB become a few. The fonts that
`bookproof_inlined_fonts` names are written into their stylesheet, so that they are there when the
text is first painted; a font that comes later moves every line.

    bookproof_inlined_fonts:
      book.css: [literata-latin-400-normal]
    bookproof_first_fonts: [400 1em Literata]

`bookproof_first_fonts` names them as a style does: the page asks for them before it has any text.
"""

import base64
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

# fontTools tells each table that it cuts; in a build that is noise.
logging.getLogger("fontTools").setLevel(logging.WARNING)

LATE = 900  # after everything that writes stylesheets
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+::?before,?)+)\{content:"\\?([0-9a-f]+|.)"\}')
NAME = re.compile(r"\bfa-[\w-]+")
CODE = re.compile(r'"\\(f[0-9a-f]{3})"')
FACE = re.compile(r"@font-face\{[^}]*\}")
SOLID = re.compile(r"font-family:Font Awesome\\ 6 Free;.*font-weight:900")
URL = re.compile(r"url\([\"']?(fonts/([\w-]+)\.woff2)[\"']?\)")


def find_used_icons(site: Path) -> tuple[set[str], set[int]]:
    """Return the names of icons in pages and scripts, and the codes of those in stylesheets."""
    names, codes = set(), set()
    for path in [*site.rglob("*.html"), *site.rglob("*.js")]:
        names |= set(NAME.findall(path.read_text(encoding="utf-8", errors="ignore")))
    for path in site.rglob("*.css"):
        if "fontawesome" not in path.parts:
            codes |= {int(code, 16) for code in CODE.findall(path.read_text(encoding="utf-8"))}
    return names, codes


def reduce_style(style: str, names: set[str], font: str) -> tuple[str, set[int]]:
    """Return the stylesheet of the icons with nothing but some of them and one font, and their
    codes.
    """
    codes = set()

    def keep(rule: re.Match) -> str:
        if not names.intersection(NAME.findall(rule[1])):
            return ""
        codes.add(int(rule[2], 16) if len(rule[2]) > 1 else ord(rule[2]))
        return rule[0]

    def keep_face(face: re.Match) -> str:
        if not SOLID.search(face[0]):
            return ""
        return re.sub(r"src:[^}]*", f'src:url(../webfonts/{font}) format("woff")', face[0])

    return FACE.sub(keep_face, ICON_RULE.sub(keep, style)), codes


def write_subset(source: Path, target: Path, codes: Iterable[int]) -> None:
    """Write a font with some of the characters of another one."""
    options = subset.Options(flavor="woff", notdef_outline=True, layout_features=[])
    font = TTFont(source, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(codes))
    cutter.subset(font)
    subset.save_font(font, target, options)


def reduce_icons(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for style in site.glob("_static/vendor/fontawesome/*/css/all.min.css"):
        font = style.parent.parent / "webfonts" / "fa-solid-900.ttf"
        names, codes = find_used_icons(site)
        reduced, more = reduce_style(style.read_text(encoding="utf-8"), names, "fa-used.woff")
        style.write_text(reduced, encoding="utf-8")
        write_subset(font, font.with_name("fa-used.woff"), codes | more)


def inline_fonts(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    for name, fonts in app.config.bookproof_inlined_fonts.items():
        style = Path(app.outdir) / "_static" / name
        text = style.read_text(encoding="utf-8")
        style.write_text(write_fonts_into(text, style.parent, fonts), encoding="utf-8")


def write_fonts_into(style: str, folder: Path, fonts: list[str]) -> str:
    """Return a stylesheet that has some of its fonts in itself."""

    def replace(url: re.Match) -> str:
        if url[2] not in fonts:
            return url[0]
        data = base64.b64encode((folder / url[1]).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{data})"

    return URL.sub(replace, style)


def ask_for_fonts(app: Sphinx) -> None:
    fonts = app.config.bookproof_first_fonts
    if fonts:
        # With a Greek letter, whose part of a font is a file of its own.
        body = f"{json.dumps(fonts)}.forEach(font => document.fonts.load(font, 'aα'))"
        app.add_js_file(None, body=body, priority=900)


def setup(app: Sphinx) -> dict:
    app.add_config_value("bookproof_first_fonts", [], "html")
    app.connect("builder-inited", ask_for_fonts)
    app.add_config_value("bookproof_inlined_fonts", {}, "html")
    app.connect("build-finished", reduce_icons, priority=LATE)
    app.connect("build-finished", inline_fonts, priority=LATE)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
