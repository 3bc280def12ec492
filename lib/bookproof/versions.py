"""What a lock pins, and what a pyproject.toml asks for."""

import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def read_lock(text: str) -> dict[str, str]:
    """Return {package: version} of a lock, without its hashes and without what its markers keep for
    other machines.
    """
    pins = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.partition(" #")[0].partition(" --hash=")[0].strip()
        if not line or line.startswith(("#", "-")):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            version = str(requirement.specifier).removeprefix("==")
            pins[canonicalize_name(requirement.name)] = version
    return pins


def read_wishes(project: str) -> list[str]:
    """Return the packages that a pyproject.toml names, in its order."""
    table = tomllib.loads(project).get("project", {})
    texts = list(table.get("dependencies", ()))
    for group in table.get("optional-dependencies", {}).values():
        texts += group
    return list(dict.fromkeys(canonicalize_name(Requirement(text).name) for text in texts))
