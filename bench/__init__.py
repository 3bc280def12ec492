"""How fast is `sharpminima.hessian`? `make bench` measures it beside autograd, JAX, PyTorch and
curvlinops.

* `problems` are timed, `methods` say how each library is called, `worker` runs one method in a
  process of its own, `process` is that worker as seen from here;
* `runs` asks the workers in turn and compares their Hessians, `__main__` writes results.json, which
  the book's page on the benchmark shows;
* `targets` computes from the results which promises are kept, `report` prints all of it.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "bench" / "results.json"
