"""A block that opens and closes: the browser's own <details>. No script, no lost focus, found by
the browser's search.
"""

from docutils import nodes
from sphinx.application import Sphinx


class details(nodes.General, nodes.Element):
    """A block of some `kind`, its class; `summary` is what shows while it is closed, `spoken` what
    only a screen reader says before it.
    """


def visit_details(self, node):
    spoken = node.get("spoken", "")
    if spoken:
        spoken = f'<span class="visually-hidden">{self.encode(spoken)} </span>'
    self.body.append(self.starttag(node, "details", CLASS=node["kind"]))
    self.body.append(f"<summary>{spoken}{self.encode(node['summary'])}</summary>\n")


def depart_details(self, node):
    self.body.append("</details>\n")


def pass_through(self, node):
    pass


def setup(app: Sphinx) -> dict:
    app.add_node(details, html=(visit_details, depart_details), latex=(pass_through, pass_through))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
