"""What a machine is and what is installed on it: for the page on reproducibility, and for
measurements of time.
"""

import importlib.metadata
import os
import platform
import re
from pathlib import Path


def name_processor() -> str:
    """Return the processor's name as Linux knows it, elsewhere what Python knows."""
    with_names = Path("/proc/cpuinfo")
    text = with_names.read_text() if with_names.exists() else ""
    names = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return names[0].strip() if names else platform.processor() or platform.machine()


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def silence_progress() -> None:
    """Keep bars of progress out of what is stored, in this process and the kernels that it starts.
    A reader who runs a notebook sees them.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")


def measure_memory() -> float | None:
    """Return the machine's memory in GiB, or None where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None


def describe_blas() -> str:
    """Return numpy's BLAS with its version, and the kernel that it has chosen for this processor,
    if threadpoolctl is there to ask it.
    """
    import numpy

    built = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    words = f"{built['name']} {built['version']}"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return words
    kernels = {
        info["architecture"]
        for info in threadpool_info()
        if info.get("user_api") == "blas" and "architecture" in info
    }
    return f"{words}, {', '.join(sorted(kernels))} kernels" if kernels else words


def facts() -> dict[str, str]:
    """Return {what: value as text}."""
    memory = measure_memory()
    return {
        "Processor": name_processor(),
        "Cores": str(count_cores()),
        "Memory": f"{memory:.0f} GiB" if memory else "unknown",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "BLAS": describe_blas(),
    }


def installed(name: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
