"""The files around the book are true to it: README, citation, licences, workflow, style.

What these checks cannot see: whether the README reads well, and whether GitHub accepts the
workflow: only its pins and the scripts that it calls are checked.
"""

import ast
import base64
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
import yaml

from tests.support import PROJECT

README = (PROJECT / "README.md").read_text()
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
MAKEFILE = (PROJECT / "Makefile").read_text()
MOST_COLUMNS = 120
WORKFLOW = yaml.safe_load((PROJECT / ".github" / "workflows" / "book.yml").read_text())


def list_targets():
    return set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def test_the_commands_that_are_named_are_targets_of_the_makefile():
    contributing = (PROJECT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"(?:    |`)make ([a-z]+)", README + contributing))
    assert {"book", "test", "kernels", "prose", "format", "lint", "accept"} <= named
    assert named <= list_targets()


def test_help_lists_every_target():
    command = ["make", "--no-print-directory", "help"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=True)
    assert {line.split()[1] for line in run.stdout.splitlines()} == list_targets()


def test_the_readmes_five_lines_run(tmp_path):
    """The others need PyTorch and run in tests/frameworks."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    [code] = [block for block in blocks if "from_torch" not in block]
    assert len([line for line in code.splitlines() if line]) == 5
    rng = np.random.default_rng(0)
    own = {
        "x": rng.normal(size=(20, 5)),
        "y": rng.integers(3, size=20),
        "W1": rng.normal(size=(5, 8)),
        "W2": rng.normal(size=(8, 3)),
    }
    for name, array in own.items():
        np.save(tmp_path / f"{name}.npy", array)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "pre-activation" in run.stdout


def test_the_readmes_picture_is_the_one_of_the_first_page():
    notebook = nbformat.read(PROJECT / "chapters" / "index.ipynb", as_version=4)
    [picture] = [
        out.data["image/png"]
        for cell in notebook.cells
        for out in cell.get("outputs", ())
        if cell.id == "fig-needle" and "image/png" in out.get("data", {})
    ]
    [path] = re.findall(r"!\[[^\]]{40,}\]\((.*?)\)", README)
    assert (PROJECT / path).read_bytes() == base64.b64decode(picture)


def test_the_readmes_links_lead_somewhere():
    for path in re.findall(r"\]\((?!http)(.*?)\)", README):
        assert (PROJECT / path).exists(), path


def test_the_readmes_folders_are_there():
    [listing] = re.findall(r"## Where things are\n\n((?:    .*\n)+)", README)
    for line in listing.splitlines():
        assert (PROJECT / line.split()[0]).exists(), line


def test_prose_has_a_sentence_a_line():
    """A line that goes on after a full stop has two; one of a table or of code may be as it is."""
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "lib/sharpminima/README.md"):
        text = re.sub(r"^```.*?^```", "", (PROJECT / name).read_text(), flags=re.M | re.S)
        for line in text.splitlines():
            if not line.startswith(("    ", "|", "![")):
                assert len(line) <= MOST_COLUMNS, f"{name}: {line}"
                assert not re.search(r"[a-z`)][.?!] [A-Z]", line), f"{name}: {line}"


def test_one_browser_serves_all_tests():
    """Whether a second would start depends on which process runs which file."""
    starts = re.compile(r"(?<!def )\b(sync_playwright|open_browser)\(")
    files = [
        path.relative_to(PROJECT).as_posix()
        for folder in ("tests", "lib")
        for path in (PROJECT / folder).rglob("*.py")
        if starts.search(path.read_text())
    ]
    assert sorted(files) == [
        "lib/bookproof/pdf.py",
        "lib/bookproof/printing.py",
        "tests/conftest.py",
    ]


def test_the_citation_is_complete():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type", "license"} <= set(CITATION)
    assert CITATION["type"] in ("software", "dataset")
    for entry in (CITATION, *CITATION["references"]):
        assert entry["authors"] and all(set(a) & {"name", "family-names"} for a in entry["authors"])
        assert entry["title"]


def test_the_workflows_actions_are_pinned_by_commit():
    workflows = [
        yaml.safe_load(path.read_text())
        for path in (PROJECT / ".github" / "workflows").glob("*.yml")
    ]
    jobs = [job for workflow in workflows for job in workflow["jobs"].values()]
    used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert len(workflows) >= 2
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_the_workflow_runs_ci_and_ci_runs_the_readmes_commands():
    steps = WORKFLOW["jobs"]["build-and-test"]["steps"]
    assert "bash .ci/run" in [step.get("run") for step in steps]
    lines = (PROJECT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line.strip().startswith("make ")]
    targets = [command.split()[1] for command in commands]
    assert targets == ["book", "kernels", "frameworks", "falsify", "test"]
    assert lines[-1] == "make test", "what runs the tests has the last word"
    for target in targets:
        assert re.search(rf"^    make {target}\b", README, re.MULTILINE)


@pytest.mark.parametrize("options", [["check"], ["format", "--check"]])
def test_code_and_notebooks_pass_ruff(options):
    [folders] = re.findall(r"^CODE = (.*)$", MAKEFILE, re.MULTILINE)
    command = [sys.executable, "-m", "ruff", *options, "--no-cache", *folders.split()]
    run = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT)
    assert run.returncode == 0, run.stdout


def test_no_hook_names_an_environment():
    """It is make that knows where the environment is."""
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    targets = list_targets()
    for hook in hooks:
        make, target, *_ = hook["entry"].split()
        assert make == "make" and target in targets


RUN_ELSEWHERE = {"falsify.py", "mutate.py", "drift.py"}


def test_nobody_bends_the_path():
    """Packages are installed; what is not is imported from the project's folder. Only tools that
    run notebooks or tests elsewhere say where the book is: in its folder, in a copy, beside other
    packages.
    """
    bends = re.compile(r"\bsys\.path\b|PYTHONPATH|\baddsitedir\b")
    for folder in ("lib", "chapters", "bench", "tools"):
        for path in (PROJECT / folder).rglob("*.py"):
            assert path.name in RUN_ELSEWHERE or not bends.search(path.read_text()), path


def test_every_argument_of_the_kit_can_be_given_by_its_name():
    paths = sorted((PROJECT / "lib" / "bookproof").rglob("*.py"))
    assert len(paths) > 30
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert not node.args.posonlyargs, f"{path}: {node.name}"
