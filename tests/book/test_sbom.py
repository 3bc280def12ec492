"""The bill of materials lists what the locks pin, and nothing else.

Not seen here: whether CycloneDX's own tools take it; its schema is not among what is installed.
"""

import json
import re

from packaging.utils import canonicalize_name

from tests.support import PROJECT
from tools.sbom import LOCKS, make_bill

BILL = make_bill(PROJECT, "1.0")


def list_components(kind):
    return [part for part in BILL["components"] if part["purl"].startswith(f"pkg:{kind}/")]


def test_every_pin_of_every_lock_is_listed_once():
    pinned = set()
    for name in LOCKS:
        for pin in re.findall(
            r"^([\w.-]+)[^\s=]*==([^\s;\\]+)", (PROJECT / name).read_text(), re.M
        ):
            pinned.add((canonicalize_name(pin[0]), pin[1]))
    listed = [(part["name"], part["version"]) for part in list_components("pypi")]
    assert len(pinned) > 150 and sorted(listed) == sorted(pinned)
    locked = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    assert len(list_components("npm")) == len(locked) - 1
    references = [part["bom-ref"] for part in BILL["components"]]
    assert len(set(references)) == len(references)


def test_each_package_has_the_hashes_of_its_files():
    lock = (PROJECT / "requirements.txt").read_text()
    for part in BILL["components"]:
        [reference] = part["externalReferences"]
        hashes = reference["hashes"]
        assert hashes or part["name"] in ("torch", "torchvision"), part["name"]
        lengths = {"SHA-256": 64, "SHA-512": 128}
        assert all(len(one["content"]) == lengths[one["alg"]] for one in hashes)
    [numpy] = [part for part in list_components("pypi") if part["name"] == "numpy"]
    [block] = re.findall(r"^numpy==.*?(?=^\S)", lock, re.MULTILINE | re.DOTALL)
    found = {one["content"] for one in numpy["externalReferences"][0]["hashes"]}
    assert found == set(re.findall("sha256:([0-9a-f]+)", block))


def test_the_same_locks_give_the_same_file():
    assert make_bill(PROJECT, "1.0") == BILL
    assert BILL["bomFormat"] == "CycloneDX" and BILL["serialNumber"].startswith("urn:uuid:")
