"""Math rendered at build time: a page needs no script and no host for it.

Asked for by `bookproof.sphinx.katex` after `sphinxcontrib.katex`, with `html_math_renderer: katex`
and `katex_prerender: true`; without it a book keeps the renderer that it has.

sphinxcontrib-katex knows where math stands on a page. Here it gets another renderer than the server
it starts, which a busy machine may leave unanswered and running: KaTeX in a node that reads
formulas from a pipe and ends with it.
"""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinxcontrib import katex

from ..web import NODE, WEB
from .packages import fetch

LOGGER = logging.getLogger(__name__)
KATEX = WEB / "node_modules" / "katex" / "dist"
PUNCTUATION = re.compile(r"[,.;:?!)\]’]*")
RENDER = """
const katex = require(process.argv[1]);
const lines = require("readline").createInterface({input: process.stdin});
lines.on("line", line => {
  const [tex, options] = JSON.parse(line);
  let answer;
  try {
    answer = {html: katex.renderToString(tex, options)};
  } catch (error) {
    answer = {error: error.message};
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


@cache
def start_renderer() -> subprocess.Popen:
    command = [NODE / "bin" / "node", "-e", RENDER, KATEX / "katex.min.js"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )


def render(tex: str, options: dict) -> str:
    """Return HTML for eyes and MathML for ears. A formula that KaTeX cannot read is reported, which
    fails the build.
    """
    node = start_renderer()
    node.stdin.write(json.dumps([tex, options]) + "\n")
    node.stdin.flush()
    answer = node.stdout.readline()
    if not answer:
        raise ExtensionError("node, which renders the math, has stopped")
    answer = json.loads(answer)
    if "error" in answer:
        LOGGER.warning("math cannot be rendered: %s", answer["error"])
    # The TeX that KaTeX leaves beside the MathML is read by nobody, but found by the search.
    return re.sub(r"<annotation.*?</annotation>", "", answer.get("html", ""), flags=re.DOTALL)


def replace_renderer(app: Sphinx, config: Config) -> None:
    if not KATEX.is_dir():
        fetch("KaTeX", Path(app.srcdir), otherwise=", or leave bookproof.sphinx.katex out")
    common = {"macros": config.math_macros, "strict": "ignore", "output": "htmlAndMathml"}
    katex.render_latex = lambda tex, options=None: render(tex, {**common, **(options or {})})


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let no line begin with the comma or period after a formula: it becomes a part of the
    formula, whose last piece a browser does not break.
    """
    for math in list(doctree.findall(nodes.math)):
        place = math.parent.index(math) + 1
        after = math.parent.children[place : place + 1]
        if not (after and isinstance(after[0], nodes.Text)):
            continue
        signs = PUNCTUATION.match(after[0])[0]
        if signs:
            math.replace_self(
                nodes.math("", f"{math.astext()}\\text{{{signs}}}", **math.attributes)
            )
            after[0].parent.replace(after[0], nodes.Text(after[0][len(signs) :]))


def copy_katex(app: Sphinx, exception: Exception | None) -> None:
    """Copy the stylesheet, and of its fonts only the format that every browser of the last ten
    years reads.
    """
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for path in [KATEX / "katex.min.css", *(KATEX / "fonts").glob("*.woff2")]:
        (target / path.relative_to(KATEX)).write_bytes(path.read_bytes())


def setup(app: Sphinx) -> dict:
    app.add_config_value("math_macros", {}, "env")
    app.connect("config-inited", replace_renderer)
    app.connect("doctree-resolved", keep_punctuation)
    app.connect("build-finished", copy_katex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
