"""What a machine is and what is installed on it: for the page on reproducibility, and for `make
bench`.
"""

import importlib.metadata
import os
import platform
import re
from pathlib import Path


def cpu():
    """The processor's name as Linux knows it, elsewhere what Python knows."""
    with_names = Path("/proc/cpuinfo")
    names = (
        re.findall(r"^model name\s*:\s*(.+)$", with_names.read_text(), re.MULTILINE)
        if with_names.exists()
        else []
    )
    return names[0].strip() if names else platform.processor() or platform.machine()


def cores():
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def memory_gib():
    """The machine's memory, or None where it cannot be asked."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None


def blas():
    """numpy's BLAS with its version, and the kernel that it has chosen for this processor."""
    import numpy
    from threadpoolctl import threadpool_info

    built = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kernels = {
        info["architecture"]
        for info in threadpool_info()
        if info.get("user_api") == "blas" and "architecture" in info
    }
    return f"{built['name']} {built['version']}" + (
        f", {', '.join(sorted(kernels))} kernels" if kernels else ""
    )


def facts():
    """{what: value as text}."""
    memory = memory_gib()
    found = {
        "Processor": cpu(),
        "Cores": str(cores()),
        "Memory": f"{memory:.0f} GiB" if memory else "unknown",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "BLAS": blas(),
    }
    return found


def installed(name):
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
