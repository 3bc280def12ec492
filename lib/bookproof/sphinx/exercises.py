"""Exercises by their level: the class of an exercise, `warm-up`, `standard` or `research`, is said
beside its title, and `{exercises}` becomes a table of all of them, chapter by chapter.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .pages import get_pages, list_pages

LEVELS = {"warm-up": "warm-up", "standard": "standard", "research": "research question"}
HEADS = ("Chapter", "Warm-up", "Standard", "Research questions")
WIDTHS = (22, 20, 38, 20)


class exercise_table(nodes.General, nodes.Element):
    """Where the table will stand, once all pages are read."""


class ExerciseTable(SphinxDirective):
    def run(self):
        self.env.metadata[self.env.docname]["has_exercises"] = True
        return [exercise_table()]


def get_exercises(env: BuildEnvironment) -> dict[str, dict]:
    """Return what sphinx-exercise has read: {label: {"docname", "node", "type"}}."""
    known = getattr(env, "sphinx_exercise_registry", {})
    return {label: one for label, one in known.items() if one["type"] == "exercise"}


def find_level(node: nodes.Element) -> str | None:
    """Return the level among the classes of an exercise, None where there is none."""
    return next((name for name in LEVELS if name in node["classes"]), None)


class SayLevel(SphinxPostTransform):
    default_priority = 30  # once sphinx-exercise has put the titles together

    def run(self, **kwargs):
        for box in self.document.findall(nodes.Admonition):
            level = find_level(box) if box.get("type") == "exercise" else None
            if level is not None:
                words = nodes.inline("", f" · {LEVELS[level]}", classes=["level"])
                box[0].append(words)


class FillTables(SphinxPostTransform):
    default_priority = 9

    def run(self, **kwargs):
        for placeholder in list(self.document.findall(exercise_table)):
            placeholder.replace_self(self.make_table())

    def make_table(self) -> nodes.table:
        rows = [make_row([[nodes.paragraph("", head)] for head in HEADS])]
        for page in list_pages(self.env):
            here = {
                label: one["node"]
                for label, one in get_exercises(self.env).items()
                if one["docname"] == page
            }
            if here:
                rows.append(self.make_chapter(page, here))
        group = nodes.tgroup(cols=len(HEADS))
        group += [nodes.colspec(colwidth=width) for width in WIDTHS]
        group += [nodes.thead("", rows[0]), nodes.tbody("", *rows[1:])]
        return nodes.table("", group, classes=["exercises", "colwidths-given"])

    def make_chapter(self, page: str, exercises: dict[str, nodes.Element]) -> nodes.row:
        title = self.env.titles[page].astext()
        cells = [[nodes.paragraph("", "", self.link(page, "", title))]]
        for level in LEVELS:
            links = [
                nodes.paragraph("", "", self.link(page, label, read_title(node)))
                for label, node in exercises.items()
                if find_level(node) == level
            ]
            cells.append(links)
        return make_row(cells)

    def link(self, page: str, label: str, words: str) -> nodes.reference:
        address = self.app.builder.get_relative_uri(self.env.docname, page)
        if label:
            address = f"{address}#{label}"
        return nodes.reference("", words, internal=True, refuri=address)


def make_row(cells: list[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *[nodes.entry("", *cell) for cell in cells])


def read_title(node: nodes.Element) -> str:
    """Return the title that an exercise was given."""
    return node[0][-1].astext()


def list_tables(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages to be written again whenever any page was read."""
    return [name for name in get_pages(env) if "has_exercises" in env.metadata[name]]


def setup(app: Sphinx) -> dict:
    app.add_node(exercise_table)
    app.add_directive("exercises", ExerciseTable)
    app.add_post_transform(SayLevel)
    app.add_post_transform(FillTables)
    app.connect("env-updated", list_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
