"""The Sphinx extensions of a checked book: `bookproof.sphinx` in `_config.yml` switches all of them
on.
"""

PARTS = (
    "freshness",
    "execute",
    "ledger",
    "reproducibility",
    "dark_figures",
    "katex",
    "folds",
    "accessibility",
)


def setup(app):
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
