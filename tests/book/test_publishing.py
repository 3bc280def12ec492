"""What is published: each fact from one place, a release that is whole, a launch elsewhere.

Not seen here: a release itself (`make release` uses each of its parts), and whether GitHub, Zenodo,
Docker and NeuroLibre accept what is written for them.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile

import pytest
import yaml
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import NameObject, TextStringObject

from bookproof.sphinx.citation import name_authors
from tests.support import PROJECT
from tools import metadata, release

CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
PYPROJECTS = ("pyproject.toml", "lib/bookproof/pyproject.toml", "chapters/pyproject.toml")
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text()


@pytest.fixture
def copy(tmp_path):
    """The files that facts are read from, and written to."""
    names = ("CITATION.cff", "CHANGELOG.md", "paper.md", "lib/sharpminima/__init__.py")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def test_what_follows_from_the_facts_is_what_is_written():
    for name, text in metadata.derive().items():
        assert (PROJECT / name).read_text() == text, f"{name}: run python -m tools.metadata"


def test_the_authors_are_those_of_the_citation_everywhere():
    authors = name_authors(CITATION)
    for name in PYPROJECTS:
        project = tomllib.loads((PROJECT / name).read_text())["project"]
        assert [author["name"] for author in project["authors"]] == authors, name
    assert f"Copyright (c) 2026 {', '.join(authors)}" in (PROJECT / "LICENSE").read_text()


def test_packages_name_an_address_only_if_the_citation_does():
    addresses = set(metadata.list_addresses(CITATION).values())
    for name in PYPROJECTS:
        project = tomllib.loads((PROJECT / name).read_text())["project"]
        assert set(project.get("urls", {}).values()) <= addresses, name


def test_a_new_version_and_a_new_address_reach_every_file(copy):
    library = copy / "lib" / "sharpminima" / "__init__.py"
    library.write_text(metadata.VERSION.sub('__version__ = "7.8.9"', library.read_text()))
    with pytest.raises(ValueError, match="no heading ## 7.8.9"):
        metadata.derive(copy)
    log = copy / "CHANGELOG.md"
    log.write_text(log.read_text().replace("## Unreleased", "## 7.8.9 (2031-02-03)"))
    facts = "repository-code: https://git.example/book\ndoi: 10.1234/book\n"
    (copy / "CITATION.cff").write_text((copy / "CITATION.cff").read_text() + facts)
    texts = metadata.derive(copy)
    for name, text in texts.items():
        assert "2031-02-03" in text, name
    for name in ("CITATION.cff", ".zenodo.json", "codemeta.json"):
        assert "7.8.9" in texts[name], name
    code = json.loads(texts["codemeta.json"])
    assert code["codeRepository"] == "https://git.example/book"
    assert code["identifier"] == "10.1234/book"


def test_without_an_address_none_is_written():
    bare = {key: value for key, value in CITATION.items() if key not in ("url", "doi")}
    bare.pop("repository-code", None)
    for write in (metadata.write_zenodo, metadata.write_codemeta):
        places = set(re.findall(r"https?://[^\"]+", write(bare)))
        vocabularies = ("https://w3id.org/", "https://spdx.org/")
        assert all(place.startswith(vocabularies) for place in places)


def test_people_are_named_as_each_catalogue_wants_them():
    person = {
        "given-names": "Ada",
        "family-names": "Byron",
        "affiliation": "London",
        "orcid": "https://orcid.org/0000-0000-0000-0001",
    }
    assert metadata.make_creator(person) == {
        "name": "Byron, Ada",
        "affiliation": "London",
        "orcid": "0000-0000-0000-0001",
    }
    assert metadata.make_person(person)["familyName"] == "Byron"
    paper = metadata.write_paper("---\nx: 1\n---\n\nText.\n", {**CITATION, "authors": [person]})
    head = yaml.safe_load(paper.split("---\n")[1])
    assert head["authors"] == [{"name": "Ada Byron", "affiliation": 1}]
    assert head["affiliations"] == [{"name": "London", "index": 1}]
    assert paper.endswith("---\n\nText.\n")


def test_the_preprint_cites_works_that_the_bibliography_has():
    paper = (PROJECT / "paper.md").read_text()
    head = yaml.safe_load(paper.split("---\n")[1])
    works = (PROJECT / head["bibliography"]).read_text()
    cited = set(re.findall(r"@(\w+)", paper))
    assert cited and all(f"{{{name}," in works for name in cited)


def test_the_changelog_has_the_version_and_what_came_of_it():
    version = metadata.read_version()
    assert f"## {version} ({CITATION['date-released']})" in CHANGELOG
    notes = release.read_notes(CHANGELOG, version)
    assert notes.strip() and "\n## " not in notes


def test_the_readme_says_what_the_version_promises():
    readme = (PROJECT / "README.md").read_text()
    major = metadata.read_version().partition(".")[0]
    assert f"## What version {major} promises" in readme


# The release


def test_the_archive_of_notebooks_has_what_they_read(tmp_path):
    release.pack_notebooks(tmp_path, "9.9.9")
    [path] = tmp_path.iterdir()
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    chapters = {f"chapters/{path.name}" for path in (PROJECT / "chapters").glob("*.ipynb")}
    assert chapters <= names
    assert {"requirements.txt", "README.md", "bench/results.json", "LICENSE"} <= names
    assert {"chapters/figures/__init__.py", "chapters/figures/answers.json"} <= names
    assert any(name.startswith("experiments/results/") for name in names)


def test_a_file_that_was_changed_later_is_noticed(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    release.write_sums(tmp_path)
    assert release.check_sums(tmp_path, tmp_path) == "1 checksums"
    (tmp_path / "a.txt").write_text("two")
    with pytest.raises(release.NotReleased, match="a.txt: FAILED"):
        release.check_sums(tmp_path, tmp_path)


def write_book(path, pages, title=CITATION["title"], leads_to=None):
    """A book of empty pages with one link, in its contents."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    writer.add_metadata({"/Title": title})
    writer.add_named_destination("last", pages - 1)
    if leads_to is not None:
        link = Link(rect=(0, 0, 9, 9), target_page_index=0)
        link[NameObject("/Dest")] = TextStringObject(leads_to)
        writer.add_annotation(0, link)
    writer.write(path)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"pages": 3, "leads_to": "last"}, "3 pages only"),
        ({"pages": 201, "title": "Another", "leads_to": "last"}, "is not called"),
        ({"pages": 201}, "0 internal links"),
        ({"pages": 201, "leads_to": "nowhere"}, "1 lead nowhere"),
    ],
)
def test_a_book_that_is_not_whole_is_not_released(tmp_path, written, why):
    path = tmp_path / "book.pdf"
    write_book(path, 201, leads_to="last")
    assert release.check_book(path) == 201
    write_book(path, **written)
    with pytest.raises(release.NotReleased, match=why):
        release.check_book(path)


def test_a_file_that_only_begins_like_a_book_is_not_released(tmp_path):
    path = tmp_path / "book.pdf"
    path.write_bytes(b"%PDF-1.4 and nothing else")
    with pytest.raises(release.NotReleased, match="can be read"):
        release.check_book(path)


def test_a_part_that_is_missing_is_named(tmp_path):
    with pytest.raises(release.NotReleased, match=r"sharp-minima\.pdf is missing"):
        release.gather_built(tmp_path, tmp_path, "9.9.9")


def test_make_builds_what_a_release_takes():
    """The targets that a release waits for are those that write its parts."""
    makefile = (PROJECT / "Makefile").read_text()
    [needed] = re.findall(r"^release: (.*?) ##", makefile, re.MULTILINE)
    made = {source.partition("/")[0].removesuffix(".json") for source in release.BUILT}
    assert made <= set(needed.split())


# Elsewhere


def test_every_workflow_pins_its_actions_by_commit():
    for path in WORKFLOWS:
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
        assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_one_action_has_one_version():
    text = "\n".join(path.read_text() for path in WORKFLOWS)
    pins = set(re.findall(r"uses: (\S+)@(\S+)", text))
    assert len({name for name, _ in pins}) == len(pins)


def test_the_release_is_made_by_the_command_of_the_readme():
    jobs = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    commands = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    for command in ("bash .ci/prepare", "make test", "make release", "_build/release/"):
        assert command in commands
    assert "make release" in (PROJECT / "README.md").read_text()


def read_runs():
    """Return the RUN lines of the Dockerfile, those that continue joined."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(r"^RUN (.*)$", text, re.MULTILINE)


def test_the_container_gets_the_commands_that_the_readme_names():
    runs = read_runs()
    assert runs[0] == "bash .ci/prepare" and runs[1:] == ["make setup", "make prose"]
    ignored = (PROJECT / ".dockerignore").read_text().split()
    assert {".venv", "_build"} <= set(ignored) and ".git" not in ignored
    container = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make setup"
    dockerfile = PROJECT / ".devcontainer" / container["build"]["dockerfile"]
    assert dockerfile.resolve() == PROJECT / "Dockerfile"
    stage = container["build"]["target"]
    assert re.search(rf"^FROM \S+ AS {stage}$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)


def test_what_prepares_a_machine_asks_no_server_where_nothing_is_missing():
    """Here chromium, git, make and venv are there; elsewhere it asks apt."""
    bare = {**os.environ, "PATH": os.environ["PATH"]}
    if not all(map(shutil.which, ("git", "make"))) or not shutil.which("chromium"):
        pytest.skip("this machine lacks what would be asked for")
    script = ["bash", str(PROJECT / ".ci" / "prepare")]
    done = subprocess.run(script, capture_output=True, text=True, env=bare)
    assert done.returncode == 0 and done.stdout == done.stderr == ""
