"""Write the bill of materials: every package that the locks pin, with its version and the hashes of
its files, in CycloneDX's JSON (version 1.5).

    python -m tools.sbom _build/sbom/sharp-minima.cdx.json

It is made of the locks alone, so that the same locks give the same file on every machine, and needs
no network. It says what may be installed, not what is known against it.
"""

import argparse
import base64
import json
import re
import uuid
from pathlib import Path

from packaging.utils import canonicalize_name

from . import PROJECT

PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: *; *([^\\\n]*))?")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
LOCKS = {
    "requirements.txt": "the book",
    "tests/frameworks/requirements.txt": "make frameworks",
    "tests/frameworks/torch.txt": "make frameworks",
    "bench/requirements.txt": "make bench",
    "bench/torch.txt": "make bench",
}
WEB_LOCK = "package-lock.json"


def read_python_components(text: str, used_by: str) -> list[dict]:
    """Return the packages of a lock of Python's."""
    components = []
    for line in text.replace("\\\n", " ").splitlines():
        pin = PIN.match(line)
        if pin is None:
            continue
        name, version, marker = canonicalize_name(pin[1]), pin[2], pin[3]
        properties = [{"name": "used by", "value": used_by}]
        if marker:
            where = marker.partition("--hash")[0].partition("#")[0].strip()
            properties.append({"name": "installed where", "value": where})
        references = [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{name}/{version}/",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(line)],
            }
        ]
        components.append(
            make_component(name, version, f"pkg:pypi/{name}@{version}", references, properties)
        )
    return components


def read_web_components(text: str) -> list[dict]:
    """Return the packages of npm's lock."""
    components = []
    for place, package in json.loads(text)["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if not name:
            continue
        algorithm, _, digest = package["integrity"].partition("-")
        content = base64.b64decode(digest).hex()
        hashes = [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": content}]
        version = package["version"]
        url = f"https://www.npmjs.com/package/{name}/v/{version}"
        references = [{"type": "distribution", "url": url, "hashes": hashes}]
        identifier = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        properties = [{"name": "used by", "value": "the site"}]
        component = make_component(name, version, identifier, references, properties)
        if "license" in package:
            component["licenses"] = [{"license": {"id": package["license"]}}]
        components.append(component)
    return components


def make_component(name, version, identifier, references, properties):
    return {
        "type": "library",
        "bom-ref": identifier,
        "name": name,
        "version": version,
        "purl": identifier,
        "externalReferences": references,
        "properties": properties,
    }


def make_bill(project: Path, version: str) -> dict:
    """Return the bill of materials of a folder with locks. A package that several locks pin comes
    once.
    """
    found = {}
    for name, used_by in LOCKS.items():
        for component in read_python_components((project / name).read_text(), used_by):
            known = found.setdefault(component["bom-ref"], component)
            if known is not component and component["properties"][0] not in known["properties"]:
                known["properties"].append(component["properties"][0])
    for component in read_web_components((project / WEB_LOCK).read_text()):
        found[component["bom-ref"]] = component
    components = [found[reference] for reference in sorted(found)]
    content = json.dumps(components, sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # Of the content, so that it is another one when that is.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "book",
                "name": "Sharp Minima Can Generalize, Executed",
                "version": version,
            }
        },
        "components": components,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the file to write")
    target = parser.parse_args().target
    source = (PROJECT / "lib" / "sharpminima" / "__init__.py").read_text()
    version = re.search(r'^__version__ = "(.*)"', source, re.MULTILINE)[1]
    bill = make_bill(PROJECT, version)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    print(f"{len(bill['components'])} packages are listed in {target}")


if __name__ == "__main__":
    main()
