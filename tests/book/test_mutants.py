"""The lists of defects in tests/mutants fit the book as it is, and three of them are noticed.

`make mutate` plants them all. Not seen here: whether the tests notice the others.
"""

import re

import pytest

from bookproof.mutants import plant, read_list
from bookproof.mutate import main
from tests.support import PROJECT

LISTS = {path.stem: read_list(path) for path in (PROJECT / "tests" / "mutants").glob("*.toml")}
NOT_HERE = {"__init__", "frameworks"}  # public names only; tests in another environment
# One of each kind that takes seconds: its list, and what it says.
SAMPLE = {
    "library": "1/c dropped: the weights that leave a unit are not divided",
    "kit": "a number without its format",
    "prose": "a theorem without its hypothesis",
}


@pytest.mark.parametrize("kind", LISTS)
def test_each_defect_fits_and_changes_something(kind):
    for mutant in LISTS[kind].mutants:
        text = (PROJECT / mutant.file).read_text(encoding="utf-8")
        changed = plant(text, mutant)
        assert changed != text, mutant
        if mutant.file.endswith(".py"):
            compile(changed, mutant.file, "exec")


@pytest.mark.parametrize("kind", LISTS)
def test_what_should_notice_is_there(kind):
    named = {test for tests in LISTS[kind].tests.values() for test in tests}
    named |= {test for mutant in LISTS[kind].mutants for test in mutant.tests}
    for test in named:
        assert (PROJECT / test.partition("::")[0]).exists(), test
    for file in LISTS[kind].tests:
        assert (PROJECT / file).exists(), file


def test_every_module_of_the_library_has_a_defect():
    folder = PROJECT / "lib" / "sharpminima"
    modules = {path.relative_to(PROJECT).as_posix() for path in folder.rglob("*.py")}
    modules = {name for name in modules if re.split(r"[/.]", name)[-2] not in NOT_HERE}
    mutants = LISTS["library"].mutants
    assert {mutant.file for mutant in mutants} == modules and len(mutants) >= 100


@pytest.mark.parametrize("kind", SAMPLE)
def test_a_defect_is_noticed(kind, tmp_path, capfd, monkeypatch):
    [mutant] = [each for each in LISTS[kind].mutants if each.defect == SAMPLE[kind]]
    own = tmp_path / f"{kind}.toml"
    options = ", ".join(f'"{option}"' for option in LISTS[kind].options)
    texts = [f"{name} = '''\n{getattr(mutant, name)}'''" for name in ("was", "becomes")]
    own.write_text(
        f'[run]\noptions = [{options}]\n[[mutant]]\nfile = "{mutant.file}"\ndefect = "one"\n'
        + "\n".join([*texts, f"tests = {list(mutant.tests)}"])
    )
    monkeypatch.chdir(PROJECT)
    assert main([str(tmp_path), "--jobs", "1"]) == 0, capfd.readouterr().out
    assert "caught: " in capfd.readouterr().out
