"""The kernels under which the library's tests run: those that the processor has, and no other.

Not seen here: the runs themselves; `make kernels` prints them.
"""

import pytest

from tools.kernels import AVX512, KERNELS, judge, read_flags

HASWELL = {"sse4_2", "avx2", "fma"}


def test_there_are_three_kernels():
    assert list(KERNELS) == ["Nehalem", "Haswell", "SkylakeX"]


def test_flags_are_read():
    cpuinfo = "processor\t: 0\nflags\t\t: fpu sse4_2 avx2\nbugs\t\t: none\n"
    assert read_flags(cpuinfo) == {"fpu", "sse4_2", "avx2"}
    assert read_flags("") == set()


@pytest.mark.parametrize(
    "flags, ran",
    [
        ({"sse4_2"}, ["Nehalem"]),
        (HASWELL, ["Nehalem", "Haswell"]),
        (HASWELL | AVX512, ["Nehalem", "Haswell", "SkylakeX"]),
        (HASWELL | AVX512 - {"avx512dq"}, ["Nehalem", "Haswell"]),
    ],
)
def test_only_the_processors_own_kernels_run(flags, ran):
    asked = []
    verdicts = judge("x86_64", flags, ["Haswell"], lambda kernel: asked.append(kernel) or True)
    assert asked == ran and list(verdicts) == list(KERNELS)
    for kernel, verdict in verdicts.items():
        assert verdict == "passed" if kernel in ran else "lacks" in verdict


def test_a_failure_under_one_kernel_is_told():
    verdicts = judge("x86_64", HASWELL | AVX512, ["SkylakeX"], lambda kernel: kernel != "Haswell")
    assert verdicts == {"Nehalem": "passed", "Haswell": "FAILED", "SkylakeX": "passed"}


@pytest.mark.parametrize("machine, native", [("arm64", ["neoversen1"]), ("x86_64", [])])
def test_elsewhere_there_is_nothing_to_choose(machine, native):
    assert judge(machine, HASWELL, native, pytest.fail) == {}
