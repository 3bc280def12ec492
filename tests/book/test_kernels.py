"""The kernels under which the library's tests run: those that the processor has, but not its own.

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
    "flags, native, ran",
    [
        ({"sse4_2"}, ["Nehalem"], []),
        (HASWELL, ["Haswell"], ["Nehalem"]),
        (HASWELL, ["Zen"], ["Nehalem", "Haswell"]),
        (HASWELL | AVX512, ["SkylakeX"], ["Nehalem", "Haswell"]),
        (HASWELL | AVX512 - {"avx512dq"}, ["Haswell"], ["Nehalem"]),
        # NumPy and SciPy have an OpenBLAS each, which need not agree.
        (HASWELL, ["Haswell", "Zen"], ["Nehalem", "Haswell"]),
    ],
)
def test_only_the_processors_other_kernels_run(flags, native, ran):
    asked = []
    verdicts = judge("x86_64", flags, native, lambda kernel: asked.append(kernel) or True)
    assert asked == ran and list(verdicts) == list(KERNELS)
    for kernel, verdict in verdicts.items():
        if kernel in ran:
            assert verdict == "passed"
        elif [kernel] == native:
            assert "make test" in verdict
        else:
            assert "lacks" in verdict


def test_a_failure_under_one_kernel_is_told():
    verdicts = judge("x86_64", HASWELL | AVX512, ["Zen"], lambda kernel: kernel != "Haswell")
    assert verdicts == {"Nehalem": "passed", "Haswell": "FAILED", "SkylakeX": "passed"}


@pytest.mark.parametrize("machine, native", [("arm64", ["neoversen1"]), ("x86_64", [])])
def test_elsewhere_there_is_nothing_to_choose(machine, native):
    assert judge(machine, HASWELL, native, pytest.fail) == {}
