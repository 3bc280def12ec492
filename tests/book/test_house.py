"""What the files around the book say of it: README, citation, licences, workflow, style.

What these checks cannot see: whether the README reads well, and whether GitHub accepts the
workflow: only its pins and the scripts that it calls are checked.
"""

import base64
import re
import subprocess
import sys
import tomllib

import nbformat
import numpy as np
import yaml

from tests.support import PROJECT

README = (PROJECT / "README.md").read_text()
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
WORKFLOW = yaml.safe_load((PROJECT / ".github" / "workflows" / "book.yml").read_text())


def test_the_readmes_commands_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", README + (PROJECT / "CONTRIBUTING.md").read_text()))
    assert {"book", "test"} <= named <= targets


def test_the_readmes_five_lines_run(tmp_path):
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(code.strip().splitlines()) == 5
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
        if "image/png" in out.get("data", {})
    ]
    [path] = re.findall(r"!\[[^\]]{40,}\]\((.*?)\)", README)
    assert (PROJECT / path).read_bytes() == base64.b64decode(picture)


def test_the_readmes_links_lead_somewhere():
    for path in re.findall(r"\]\((?!http)(.*?)\)", README):
        assert (PROJECT / path).exists(), path


def test_the_citation_is_complete_and_says_the_packages_version():
    package = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type", "license"} <= set(CITATION)
    assert CITATION["type"] in ("software", "dataset")
    assert CITATION["version"] == package["version"]
    for entry in (CITATION, *CITATION["references"]):
        assert entry["authors"] and all(set(a) & {"name", "family-names"} for a in entry["authors"])
        assert entry["title"]


def test_the_workflows_actions_are_pinned_by_commit():
    used = [
        step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step
    ]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_the_workflow_runs_what_ci_runs():
    assert "bash .ci/run" in [
        step.get("run") for step in WORKFLOW["jobs"]["build-and-test"]["steps"]
    ]
    assert {"make book", "make test"} <= set((PROJECT / ".ci" / "run").read_text().splitlines())


def test_code_and_notebooks_pass_ruff():
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", PROJECT],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
