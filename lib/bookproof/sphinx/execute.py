"""Execute the notebooks that need it, as many at a time as there are cores, before Sphinx reads
them one by one.

What ran well goes to the cache, where the reading finds it, with the seconds that the notebook and
each of its cells took. What failed is left to the reading, which reports it.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path, PurePosixPath

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import single_nb_execution
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from ..machine import count_cores, silence_progress

LOGGER = logging.getLogger(__name__)
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def is_cached(cache: JupyterCacheAbstract, notebook: NotebookNode) -> bool:
    try:
        return bool(cache.match_cache_notebook(notebook))
    except KeyError:
        return False


def is_excluded(path: Path, patterns: list[str]) -> bool:
    return any(PurePosixPath(path.as_posix()).match(pattern) for pattern in patterns)


def take_times(notebook: NotebookNode) -> list[float | None]:
    """Return the seconds of each code cell, and remove them from the notebook: the cache would take
    a cell with more metadata for another cell.
    """
    return [
        measure_seconds(cell.metadata.pop("execution", {}))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def measure_seconds(times: dict) -> float | None:
    """Return the seconds between the two ends of an execution, None where one is unknown."""
    begin, end = (times.get(key) for key in ("iopub.execute_input", "shell.execute_reply"))
    if not (begin and end):
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def execute_stale_notebooks(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    config = env.mystnb_config
    if config.execution_mode != "cache" or config.execution_in_temp:
        return
    cache = get_cache(config.execution_cache_path)
    notebooks = {}
    for path in (Path(env.doc2path(name)) for name in docnames):
        if path.suffix == ".ipynb" and not is_excluded(path, config.execution_excludepatterns):
            notebook = nbformat.read(path, as_version=4)
            if not is_cached(cache, notebook):
                notebooks[path] = notebook

    def run(path):
        # Each kernel is a process of its own; the threads only wait for them.
        return single_nb_execution(
            notebooks[path],
            cwd=str(path.parent),
            timeout=config.execution_timeout,
            allow_errors=config.execution_allow_errors,
            record_timing=True,
        )

    with ThreadPoolExecutor(count_cores()) as pool:
        for path, result in zip(notebooks, pool.map(run, notebooks), strict=True):
            if result.err is None:
                LOGGER.info("executed %s in %.1f s", path.name, result.time)
                store(cache, path, notebooks[path], result.time)


def store(cache: JupyterCacheAbstract, path: Path, notebook: NotebookNode, seconds: float) -> None:
    data = {"execution_seconds": seconds, "cell_seconds": take_times(notebook)}
    bundle = CacheBundleIn(notebook, str(path), data=data)
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app: Sphinx) -> dict:
    silence_progress()
    # As many notebooks run at once as there are cores, each with one thread.
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    app.connect("env-before-read-docs", execute_stale_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
