"""The code for PyTorch and JAX that the page *Your own network* and the README print, run as it
stands there, with the output that is printed below it.
"""

import json
import re
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import torch

from tests.support import PROJECT

# A block of code, and the output if one follows it.
BLOCK = re.compile(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)


def read_page():
    notebook = json.loads((PROJECT / "chapters" / "your_network.ipynb").read_text())
    texts = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    return "\n\n".join(texts)


def run(blocks, names):
    """Run blocks of code one after another; every one has to print what stands below it."""
    for code, expected in blocks:
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(code, "printed", "exec"), names)
        assert printed.getvalue() == expected, code


def test_the_pages_code_prints_what_stands_there():
    blocks = BLOCK.findall(read_page())
    assert len(blocks) == 4 and all(expected for _, expected in blocks)
    run(blocks, {})


def test_the_page_can_be_pasted_from_top_to_bottom():
    """What stands open on it, in its order: the cells that are folded are not needed."""
    notebook = json.loads((PROJECT / "chapters" / "your_network.ipynb").read_text())
    names = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            run(BLOCK.findall(source), names)
        elif not {"hide-cell", "hide-input", "remove-cell"} & set(cell["metadata"].get("tags", [])):
            exec(compile(source, "cell", "exec"), names)
    assert names["report"].survives("permutation") and names["x"].shape == (178, 13)


def test_the_readmes_code_for_pytorch_runs():
    blocks = [code for code, _ in BLOCK.findall((PROJECT / "README.md").read_text())]
    [code] = [code for code in blocks if "from_torch" in code]
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    names = {
        "model": torch.nn.Sequential(
            torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(8, 3)
        ),
        "x": torch.as_tensor(rng.normal(size=(20, 5))),
        "y": torch.as_tensor(rng.integers(3, size=20)),
    }
    before = [p.clone() for p in names["model"].parameters()]
    printed = StringIO()
    with redirect_stdout(printed):
        exec(code, names)
    assert printed.getvalue().count("\n") == 2
    assert names["loss"].size == names["same"].size == 75
    assert all(map(torch.equal, before, names["model"].parameters()))
