"""The policy that a page gets. That browsers keep to it is seen in tests/book/test_browser.py."""

from types import SimpleNamespace

import pytest

from bookproof.sphinx.security import list_inline_scripts, protect, protect_pages, write_policy

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8" />
<script>one()</script><script src="a.js"></script>
<script type="application/json">{"a": 1}</script>
<script type="text/javascript">two()
</script></head>
<body><button onclick="window.print()">Print</button>2 < 3 and online = 1</body></html>
"""


def test_inline_scripts_are_those_that_a_browser_would_run():
    assert list_inline_scripts(PAGE) == ["one()", "two()\n"]


def test_the_policy_stands_before_the_first_script_and_names_each_by_its_hash():
    page = protect(PAGE)
    head = page.index("Content-Security-Policy")
    assert page.index("<meta charset") < head < page.index("<script")
    policy = write_policy(page)
    assert f'content="{policy}"' in page
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and rules["script-src"].count("'sha256-") == 2
    assert "unsafe" not in rules["script-src"]


def test_a_page_gets_one_policy_whatever_it_says_of_others():
    page = PAGE.replace("online = 1", "<template><meta charset='ascii'></template>")
    assert protect(page).count("Content-Security-Policy") == 1


def test_another_script_has_another_policy():
    assert write_policy(PAGE) != write_policy(PAGE.replace("one()", "one() "))


def test_a_handler_becomes_a_script_or_is_refused():
    page = protect(PAGE)
    assert "onclick" not in page and "<button data-print>" in page
    for handler in ("onload", "ONERROR"):
        said = f"an inline handler, {handler}, which a policy forbids: <body {handler}="
        with pytest.raises(ValueError, match=f"^{said}$"):
            protect(PAGE.replace("<body>", f'<body {handler}="three()">'))


@pytest.mark.parametrize("exception, kind", [(None, "html"), (OSError(), "html"), (None, "latex")])
def test_the_pages_of_a_site_are_protected_once_and_nothing_else_is(tmp_path, exception, kind):
    page = "<html><head><meta charset='utf-8'></head><script>1</script></html>"
    (tmp_path / "deep" / "_static").mkdir(parents=True)
    texts = {"deep/a.html": page, "deep/_static/b.html": page, "part.html": "<p>", "c.js": page}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    app = SimpleNamespace(outdir=str(tmp_path), builder=SimpleNamespace(format=kind))
    for _ in range(2):
        protect_pages(app, exception)
    is_wanted = exception is None and kind == "html"
    for name, text in texts.items():
        is_page = is_wanted and name == "deep/a.html"
        assert (tmp_path / name).read_text() == (protect(page) if is_page else text)
