"""Make the environment in which the book is built and tested, unless it is there already.

    python tools/environment.py .venv

Any Python must be able to read this file: one that is too old says so.
"""

from __future__ import print_function

import hashlib
import os
import subprocess
import sys

OLDEST = (3, 11)
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DECIDES = [
    "requirements.txt",
    "pyproject.toml",
    "lib/bookproof/pyproject.toml",
    "package.json",
    "package-lock.json",
]
STAMP = "book-environment"


def unfit(version, executable, modules):
    """The one sentence that tells why this Python will not do; None when it will."""
    name = "Python " + ".".join(str(n) for n in version[:3])
    if tuple(version[:2]) < OLDEST:
        why = (
            "This book needs Python 3.11 or newer, and {} is {}: name a newer one, as in make"
            " PYTHON=python3.11 book."
        )
        return why.format(executable, name)
    missing = [m for m in ("venv", "ensurepip") if m not in modules]
    if missing:
        why = (
            "{} at {} has no {} module: install it, on Debian and Ubuntu by apt install"
            " python3-venv."
        )
        return why.format(name, executable, missing[0])
    return None


def importable(*names):
    found = []
    for name in names:
        try:
            __import__(name)
            found.append(name)
        except ImportError:
            pass
    return found


def digest(venv):
    """What decides whether an environment is up to date. Environments and editable installs cannot
    be moved, hence the paths.
    """
    total = hashlib.sha256()
    for text in [sys.version, PROJECT, os.path.abspath(venv)]:
        total.update(text.encode("utf-8") + b"\0")
    for name in DECIDES:
        with open(os.path.join(PROJECT, name), "rb") as file:
            total.update(file.read() + b"\0")
    return total.hexdigest()


def read(path):
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def make(venv, run=subprocess.check_call):
    """Bring the environment up to date; does nothing when its stamp says that it is."""
    stamp, wanted = os.path.join(venv, STAMP), digest(venv)
    if read(stamp) == wanted:
        return
    foreign = (
        os.path.isdir(venv)
        and os.listdir(venv)
        and not os.path.exists(os.path.join(venv, "pyvenv.cfg"))
    )
    if foreign:
        sys.exit(
            "%s exists and is no virtual environment: choose another place, as in make"
            " VENV=/tmp/venv book." % venv
        )
    print("Setting up %s (once; a minute or two) ..." % venv)
    sys.stdout.flush()
    if os.path.exists(stamp):
        os.remove(stamp)
    python = os.path.join(os.path.abspath(venv), "bin", "python")
    # --clear would throw away an environment that only needs one more package, but another Python
    # cannot use its packages
    fits = read(os.path.join(venv, "base-python")) == sys.version
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    try:
        if not fits:
            run([sys.executable, "-m", "venv", "--clear", venv])
            with open(os.path.join(venv, "base-python"), "w") as file:
                file.write(sys.version)
        # The lock is complete, so nothing is to be resolved; the package is built by the setuptools
        # of the lock, so that a second setup needs no network.
        run(pip + ["-r", os.path.join(PROJECT, "requirements.txt")])
        for folder in (PROJECT, os.path.join(PROJECT, "lib", "bookproof")):
            run(pip + ["--no-build-isolation", "-e", folder])
        run([python, os.path.join(PROJECT, "tools", "web.py")])
    except (subprocess.CalledProcessError, OSError) as why:
        sys.exit(
            "Setting up %s stopped at: %s\nMend the cause shown above and run the same command"
            " again." % (venv, why)
        )
    with open(stamp, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    why = unfit(sys.version_info, sys.executable, importable("venv", "ensurepip"))
    sys.exit(why) if why else make(sys.argv[1])
