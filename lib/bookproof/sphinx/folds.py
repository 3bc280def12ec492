"""What has the class `dropdown` is folded, by the browser's own <details>: no script, no lost
focus, found by its search.

Serves proofs, solutions and admonitions, whatever directive made them.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from .details import details


def take_title(box: nodes.Element) -> str:
    """Return the words that head a box, and remove them from it.

    A proof has no title: its first paragraph begins with "Proof. ".
    """
    title = next(iter(box.findall(nodes.title)), None)
    if title is not None:
        title.parent.remove(title)
        return title.astext()
    first = next(iter(box.findall(nodes.Text)))
    word, point, rest = first.partition(". ")
    first.parent.replace(first, nodes.Text(rest))
    return word


class Fold(SphinxPostTransform):
    default_priority = 900  # once titles and references are resolved
    formats = ("html",)

    def run(self, **kwargs):
        for box in list(self.document.findall(nodes.Admonition)):
            if "dropdown" in box.get("classes", ()):
                summary = take_title(box)
                box.replace_self(details("", *box.children, kind="fold", summary=summary))


def setup(app: Sphinx) -> dict:
    app.setup_extension("bookproof.sphinx.details")
    app.add_post_transform(Fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
