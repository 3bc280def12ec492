"""What a build needs from npm: fetched once, in the versions that the book's lock pins."""

import subprocess
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util import logging

from ..web import install, is_locked

LOGGER = logging.getLogger(__name__)


def fetch(title: str, source: Path, *, otherwise: str = "") -> None:
    """Install what the package.json of the book in `source` names, the package `title` among it.

    Raises ExtensionError, with the way out and `otherwise` another one, where the book names none
    or npm cannot have it.
    """
    if not is_locked(source):
        raise ExtensionError(
            f"{title} is not in this environment: name the npm package {title.lower()} in a"
            f" package.json with its package-lock.json{otherwise}"
        )
    LOGGER.info("%s is not in this environment yet: fetching it from the npm registry, once", title)
    try:
        install(source)
    except (subprocess.CalledProcessError, OSError) as why:
        raise ExtensionError(
            f"{title} could not be fetched ({why}): with a network, run python -m bookproof.web"
        ) from why
