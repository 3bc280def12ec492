"""What a book's _config.yml says to those who are not Sphinx."""

from pathlib import Path

import yaml
from docutils.nodes import make_id


def read_settings(source: Path) -> dict:
    """Return what the book's _config.yml says, the values for Sphinx among it."""
    config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    return {**config, **config.get("sphinx", {}).get("config", {})}


def name_files(source: Path) -> str:
    """Return the name of a book's files: `bookproof_short_name`, or its title in small letters."""
    settings = read_settings(source)
    return settings.get("bookproof_short_name") or make_id(settings.get("title", "")) or "book"
