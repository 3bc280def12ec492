"""What results rest on is what the configuration says, and what pages rest on is more. That builds
act on it is seen in test_other_book.py.

Not seen here: data that a notebook fetches, and whatever else is no file of the book.
"""

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.config import Config
from sphinx.errors import ExtensionError

import bookproof
from bookproof.sphinx import RESULTS_REST_ON, freshness
from bookproof.sphinx.freshness import (
    choose_cache,
    compare_contents,
    digest_pages,
    digest_results,
    drop_stale,
    find_states,
    remove,
    remove_pages_without_source,
    stamp_pages,
    warn_of_stored_outputs,
)


def make_config(**values):
    config = Config({}, {"exclude_patterns": ["_build", "venv"], **values})
    config.add("bookproof_tests", "tests", "env", ())
    config.add("bookproof_results_rest_on", RESULTS_REST_ON, "", ())
    return config


def watch(folder, name, digest):
    """Return how many different numbers come out while a file is made and changed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = {digest()}
    for text in ("one", "two"):
        path.write_text(text)
        seen.add(digest())
    return len(seen)


@pytest.mark.parametrize(
    "name",
    ["shapes.py", "lib/shapes/area.py", "data/radii.csv", "requirements.txt", "pyproject.toml"],
)
def test_results_rest_on_code_data_and_lock(tmp_path, name):
    config = make_config()
    assert watch(tmp_path, name, lambda: digest_results(tmp_path, config)) == 3


@pytest.mark.parametrize(
    "name",
    [
        "lib/__pycache__/a.py",
        "venv/lib/a.py",
        "_build/a.py",
        ".venv/a.py",
        "lib/.a.py",
        "tests/test_a.py",
        "page.md",
    ],
)
def test_results_do_not_rest_on_what_is_left_behind_or_tests(tmp_path, name):
    config = make_config()
    assert watch(tmp_path, name, lambda: digest_results(tmp_path, config)) == 1


def test_the_configuration_says_what_results_rest_on(tmp_path):
    config = make_config(bookproof_results_rest_on=["src/**"])
    assert watch(tmp_path, "src/radii.csv", lambda: digest_results(tmp_path, config)) == 3
    assert watch(tmp_path, "shapes.py", lambda: digest_results(tmp_path, config)) == 1


@pytest.mark.parametrize(
    "name, numbers",
    [("tests/test_a.py", 3), ("_templates/page.html", 3), ("tests/data.csv", 1), ("page.md", 1)],
)
def test_pages_rest_on_tests_and_templates_too(tmp_path, name, numbers):
    config = make_config(templates_path=["_templates"])
    assert watch(tmp_path, name, lambda: digest_pages(tmp_path, config, "results")) == numbers


def test_pages_rest_on_the_whole_kit():
    assert freshness.PACKAGE == Path(bookproof.__file__).parent


def test_pages_rest_on_results(tmp_path):
    one, other = (digest_pages(tmp_path, make_config(), results) for results in "ab")
    assert one != other


def test_the_results_of_the_last_few_states_are_kept(tmp_path):
    (tmp_path / "global.db").write_text("of an older bookproof, which kept one state")
    os.utime(tmp_path / "global.db", (0, 0))
    for age, state in enumerate("abcdefgh"):
        path = choose_cache(tmp_path, state)
        os.utime(path, (age + 1, age + 1))
    assert {path.name for path in tmp_path.iterdir()} == set("cdefgh")
    choose_cache(tmp_path, "c")
    choose_cache(tmp_path, "i")
    assert {path.name for path in tmp_path.iterdir()} == set("cefghi"), "used lately, so kept"


def test_what_is_gone_or_cannot_be_removed_does_not_stop_a_build(tmp_path, monkeypatch):
    def refuse(*arguments, **more):
        raise PermissionError("it is in use")

    remove(tmp_path / "gone")
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("os.rmdir", refuse)
    remove(tmp_path / "kept")
    assert (tmp_path / "kept").is_dir()


def test_states_lie_where_they_are_told_to_or_beside_the_pages(tmp_path):
    app = SimpleNamespace(outdir=str(tmp_path / "html"))
    beside = find_states(app, SimpleNamespace(nb_execution_cache_path=""))
    assert beside == tmp_path / ".jupyter_cache"
    told = SimpleNamespace(nb_execution_cache_path=str(tmp_path / "kept"))
    assert find_states(app, told) == tmp_path / "kept"


class Build:
    """A build of a book of one page, without Sphinx: its folders, and the steps of a build."""

    def __init__(self, folder, out="html"):
        self.srcdir, self.doctreedir = str(folder), str(folder / "_build" / ".doctrees")
        self.outdir = str(folder / "_build" / out)
        Path(self.doctreedir).mkdir(parents=True, exist_ok=True)
        self.config = make_config(nb_execution_cache_path=str(folder / "_build" / "states"))
        self.config.add("nb_execution_cache_path", "", "", ())
        self.builder = SimpleNamespace(
            format="html", get_outfilename=lambda name: str(Path(self.outdir) / f"{name}.html")
        )
        self.env = SimpleNamespace(found_docs={"deep/page"})
        self.memory = Path(self.doctreedir) / "environment.pickle"
        self._warncount = 0

    def begin(self):
        """Return whether what Sphinx remembers of the last build may be used again."""
        self.memory.write_text("what Sphinx remembers")
        drop_stale(self, self.config)
        return self.memory.exists()

    def end(self, exception=None, warnings=0):
        self._warncount = warnings
        stamp_pages(self, exception)


def test_pages_are_used_again_after_a_build_that_ended_well_and_no_other(tmp_path):
    assert not Build(tmp_path).begin()
    assert not Build(tmp_path).begin(), "that build did not come to its end"
    for ending in ({"warnings": 1}, {"exception": ValueError()}):
        build = Build(tmp_path)
        build.begin()
        build.end(**ending)
        assert not Build(tmp_path).begin()
    build = Build(tmp_path)
    build.begin()
    build.end()
    assert Build(tmp_path).begin()


def test_a_first_build_has_nothing_to_forget(tmp_path):
    build = Build(tmp_path)
    drop_stale(build, build.config)
    assert not build.memory.exists()


def test_pages_are_not_used_again_elsewhere_or_when_what_they_rest_on_changed(tmp_path):
    for change in ("nothing", "place", "source"):
        build = Build(tmp_path)
        build.begin()
        build.end()
        if change == "source":
            (tmp_path / "shapes.py").write_text("side = 1")
        again = Build(tmp_path, out="elsewhere" if change == "place" else "html")
        assert again.begin() is (change == "nothing")


def test_what_changed_during_a_build_takes_its_results_away(tmp_path):
    build = Build(tmp_path)
    build.begin()
    assert build.bookproof_cache.is_dir()
    assert build.config.nb_execution_cache_path == str(build.bookproof_cache)
    (tmp_path / "shapes.py").write_text("side = 1")
    build.end()
    assert not build.bookproof_cache.exists() and not Build(tmp_path).begin()


def test_reports_of_failures_are_those_of_this_build(tmp_path):
    report = tmp_path / "_build" / "html" / "reports" / "deep" / "page.err.log"
    report.parent.mkdir(parents=True)
    report.write_text("1 / 0")
    Build(tmp_path).begin()
    assert not report.exists()


@pytest.mark.parametrize(
    "exception, kind, removed",
    [(None, "html", True), (None, "latex", False), (OSError(), "html", False)],
)
def test_a_page_without_a_source_goes(tmp_path, exception, kind, removed):
    build = Build(tmp_path)
    build.builder.format = kind
    for folder, suffix in ((build.doctreedir, "doctree"), (build.outdir, "html")):
        (Path(folder) / "deep").mkdir(parents=True)
        for name in ("page", "gone"):
            (Path(folder) / "deep" / f"{name}.{suffix}").touch()
    remove_pages_without_source(build, exception)
    left = {path.name for path in tmp_path.rglob("*.*") if path.is_file()}
    gone = {"gone.doctree", "gone.html"}
    assert left == {"page.doctree", "page.html"} | (set() if removed else gone)


def test_a_page_without_a_source_may_be_gone_already(tmp_path):
    build = Build(tmp_path)
    known = Path(build.doctreedir, "gone.doctree")
    known.touch()
    remove_pages_without_source(build, None)
    assert not known.exists()


@pytest.mark.parametrize("mode, warned", [("auto", True), ("cache", False), ("off", False)])
def test_who_publishes_stored_outputs_is_warned(mode, warned, caplog):
    logger = logging.getLogger("sphinx.bookproof.sphinx.freshness")
    logger.addHandler(caplog.handler)
    warn_of_stored_outputs(None, SimpleNamespace(nb_execution_mode=mode))
    logger.removeHandler(caplog.handler)
    assert ("set it to `cache`" in caplog.text) is warned


def test_the_table_of_contents_may_name_only_what_is_there():
    config = SimpleNamespace(
        external_site_map={"a": 1, "b.md": 2},
        external_toc_path="_toc.yml",
        source_suffix={".md": 0},
    )
    app = SimpleNamespace(config=config)
    compare_contents(app, SimpleNamespace(found_docs={"a", "b"}), [])
    with pytest.raises(ExtensionError, match=r"_toc.yml names b\.md, and there is no such page"):
        compare_contents(app, SimpleNamespace(found_docs={"a"}), [])
    compare_contents(SimpleNamespace(config=SimpleNamespace()), SimpleNamespace(), [])
