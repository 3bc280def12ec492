"""Pack a built site into one archive, to be read without a network: unpack it and open index.html.

    python -m bookproof.offline _build

It is in _build/offline, under the name that `bookproof_short_name` gives it. The same site gives
the same archive, byte by byte.
"""

import argparse
import sys
import zipfile
from pathlib import Path

from .settings import name_files

# What no page asks for: Sphinx's own notes on a build, and maps for those who debug a script.
UNREAD = ("*.map", ".buildinfo", ".buildinfo.bak", "objects.inv")
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the time of every file: an archive knows no earlier one


def list_files(site: Path) -> list[Path]:
    """Return all files of a site that a page can ask for."""
    files = sorted(path for path in site.rglob("*") if path.is_file())
    return [path for path in files if not any(map(path.match, UNREAD))]


def pack(site: Path, archive: Path, folder: str) -> None:
    """Write the files of a site into an archive, all in one folder of it.

    Raises FileNotFoundError where there is no site.
    """
    if not (site / "index.html").exists():
        raise FileNotFoundError(f"there is no site in {site}: build it first")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for path in list_files(site):
            name = f"{folder}/{path.relative_to(site).as_posix()}"
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes(), compresslevel=9)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    options = parser.parse_args()
    name = name_files(options.source)
    archive = options.target / "offline" / f"{name}.zip"
    try:
        pack(options.target / "html", archive, name)
    except FileNotFoundError as why:
        print(f"The site is NOT packed: {why}", file=sys.stderr)
        return 1
    print(f"The site is packed, {archive.stat().st_size / 1e6:.1f} MB: {archive}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
