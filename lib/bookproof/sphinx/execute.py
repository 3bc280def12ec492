"""Execute the notebooks that need it two at a time, before Sphinx reads them one by one.

What ran well goes to the cache, where the reading finds it, with the seconds that the notebook and
each of its cells took. What failed is left to the reading, which reports it.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def is_cached(cache, notebook):
    try:
        return bool(cache.match_cache_notebook(notebook))
    except KeyError:
        return False


def taken(notebook):
    """The seconds of each code cell, taken out of the notebook: the cache would take a cell with
    more metadata for another cell.
    """
    seconds = []
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        times = cell.metadata.pop("execution", {})
        begin, end = (times.get(key) for key in ("iopub.execute_input", "shell.execute_reply"))
        known = begin and end
        seconds.append(
            (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
            if known
            else None
        )
    return seconds


def execute(app, env, docnames):
    config = env.mystnb_config
    if config.execution_mode != "cache":
        return
    cache = get_cache(config.execution_cache_path)
    paths = [Path(env.doc2path(name)) for name in docnames]
    notebooks = {
        path: nbformat.read(path, as_version=4) for path in paths if path.suffix == ".ipynb"
    }
    stale = [path for path, notebook in notebooks.items() if not is_cached(cache, notebook)]

    def run(path):
        # Each kernel is a process of its own; the threads only wait for them.
        options = {
            "timeout": config.execution_timeout,
            "allow_errors": False,
            "record_timing": True,
        }
        return single_nb_execution(notebooks[path], cwd=str(path.parent), **options)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in zip(stale, pool.map(run, stale), strict=True):
            if result.err is None:
                LOGGER.info("executed %s in %.1f s", path.name, result.time)
                timings = taken(notebooks[path])
                cache.cache_notebook_bundle(
                    CacheBundleIn(
                        notebooks[path],
                        str(path),
                        data={"execution_seconds": result.time, "cell_seconds": timings},
                    ),
                    check_validity=False,
                    overwrite=True,
                )


def setup(app):
    # Progress bars would be stored as warnings; and as many notebooks run at once as there are
    # cores, each with one thread.
    os.environ.setdefault("TQDM_DISABLE", "1")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    app.connect("env-before-read-docs", execute)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
