"""How fast is `sharpminima.hessian`? `make bench` measures it beside autograd, JAX, PyTorch and
curvlinops.

* `problems` are what is timed, `methods` how each library is called, `worker` runs one method in a
  process of its own;
* `__main__` asks the workers in turn and writes results.json, which the book's page on
  reproducibility shows;
* `targets` computes from the results what was promised and whether it is kept.
"""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# What tells about a machine tells the book's pages about it too, so it stands beside them.
sys.path.append(str(PROJECT / "_ext"))
