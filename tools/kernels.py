"""Run the library's tests under other kernels of OpenBLAS than this processor's own, and say under
which they ran.

    python -m tools.kernels [--share 0.3] [--seed 0]

A kernel decides in which order sums are taken and whether products are fused with them, so that
results differ in their last bits. A kernel that the processor lacks is left out: it would stop at
an illegal instruction. So is the one that OpenBLAS takes by itself: all tests run under it.
"""

import argparse
import functools
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from bookproof.falsify import choose_some

from . import PROJECT

AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}
# The instructions that a kernel needs, by their names in /proc/cpuinfo.
KERNELS = {"Nehalem": {"sse4_2"}, "Haswell": {"avx2", "fma"}, "SkylakeX": AVX512}
X86 = {"x86_64", "AMD64"}
CPUINFO = Path("/proc/cpuinfo")
ASK = """
import json, numpy, scipy.linalg
from threadpoolctl import threadpool_info
found = [info for info in threadpool_info() if info.get("internal_api") == "openblas"]
print(json.dumps(sorted({info["architecture"] for info in found})))
"""


def read_flags(cpuinfo):
    """Return the instructions that a processor knows, from the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return set(value.split())
    return set()


def find_used_kernels(kernel=None):
    """Return the kernels that NumPy and SciPy use, by themselves or when asked for one; an empty
    list where their BLAS is not OpenBLAS.
    """
    environment = dict(os.environ)
    environment.pop("OPENBLAS_CORETYPE", None)
    if kernel is not None:
        environment["OPENBLAS_CORETYPE"] = kernel
    run = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def run_tests(files, kernel):
    """Return whether some files of the library's tests pass under a kernel."""
    print(f"\nThe library's tests under OpenBLAS's kernel {kernel}:", flush=True)
    used = find_used_kernels(kernel)
    if used != [kernel]:
        print(f"OpenBLAS was asked for {kernel} and took {', '.join(used)}.")
        return False
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
    environment = {**os.environ, "OPENBLAS_CORETYPE": kernel}
    run = subprocess.run([*pytest, *files], cwd=PROJECT, env=environment)
    return run.returncode == 0


def judge(machine, flags, native, run):
    """Run the tests under every other kernel than the `native` ones, which NumPy and SciPy take by
    themselves; returns {kernel: what became of it}.
    """
    if not native or machine not in X86:
        return {}
    verdicts = {}
    for kernel, needed in KERNELS.items():
        if not needed <= flags:
            verdicts[kernel] = f"left out, for the processor lacks {min(needed - flags)}"
        elif native == [kernel]:
            verdicts[kernel] = "left out, for make test runs under it"
        else:
            verdicts[kernel] = "passed" if run(kernel) else "FAILED"
    return verdicts


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.kernels")
    parser.add_argument("--share", type=float, default=1.0, help="of the files of tests")
    parser.add_argument("--seed", type=int, default=0, help="of the share")
    options = parser.parse_args(arguments)
    files = sorted((PROJECT / "tests" / "sharpminima").rglob("test_*.py"))
    run = functools.partial(run_tests, choose_some(files, options.share, options.seed))
    flags = read_flags(CPUINFO.read_text()) if CPUINFO.exists() else set()
    native = find_used_kernels()
    verdicts = judge(platform.machine(), flags, native, run)
    if not verdicts:
        print(f"There is one kernel only: the BLAS of this {platform.machine()} has no other.")
        return 0
    print("\nThe library's tests under the kernels of OpenBLAS:")
    for kernel, verdict in verdicts.items():
        print(f"  {kernel}: {verdict}")
    print(f"By itself OpenBLAS takes {', '.join(native)} here.")
    return 1 if "FAILED" in verdicts.values() else 0


if __name__ == "__main__":
    sys.exit(main())
