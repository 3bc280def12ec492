"""Make an environment, unless it is there already and up to date.

    python tools/environment.py .venv                                 # the book's own
    python tools/environment.py .venv-bench bench/requirements.txt    # only what this lock pins

Any Python must be able to read this file: one that is too old says so.
"""

from __future__ import print_function

import hashlib
import os
import subprocess
import sys

OLDEST = (3, 11)
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK = "requirements.txt"
UNHASHED = "torch.txt"  # beside a lock: packages whose hash depends on the machine's index
BOOK = [
    LOCK,
    "pyproject.toml",
    "lib/bookproof/pyproject.toml",
    "chapters/pyproject.toml",
    "package.json",
    "package-lock.json",
]
STAMP = "book-environment"


def find_obstacle(version, executable, modules):
    """Return the one sentence that says why this Python cannot be used; None when it can."""
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


def list_importable(*names):
    found = []
    for name in names:
        try:
            __import__(name)
            found.append(name)
        except ImportError:
            pass
    return found


def compute_digest(venv, files):
    """Return one number for all that decides whether an environment is up to date.

    Environments and editable installs cannot be moved, hence the paths.
    """
    total = hashlib.sha256()
    for text in [sys.version, PROJECT, os.path.abspath(venv)]:
        total.update(text.encode("utf-8") + b"\0")
    for name in files:
        with open(os.path.join(PROJECT, name), "rb") as file:
            total.update(file.read() + b"\0")
    return total.hexdigest()


def read_if_there(path):
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def is_foreign(venv):
    """Whether a folder of this name holds something else than an environment."""
    return (
        os.path.isdir(venv)
        and bool(os.listdir(venv))
        and not os.path.exists(os.path.join(venv, "pyvenv.cfg"))
    )


def find_unhashed(lock):
    """Return the file beside a lock that has packages without a hash; None where there is none."""
    name = os.path.join(os.path.dirname(lock), UNHASHED)
    return name if os.path.exists(os.path.join(PROJECT, name)) else None


def list_steps(venv, lock):
    """Return the commands that fill an environment: from a lock, and for the book all the rest.

    A lock is complete, so nothing is to be resolved, and whatever has another hash than it says is
    refused. The packages are built by the setuptools of the lock, so that a second setup needs no
    network.
    """
    python = os.path.join(os.path.abspath(venv), "bin", "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    steps = [pip + ["--require-hashes", "-r", os.path.join(PROJECT, lock)]]
    unhashed = find_unhashed(lock)
    if unhashed is not None:
        steps.append(pip + ["-r", os.path.join(PROJECT, unhashed)])
    if lock == LOCK:
        kit = os.path.join(PROJECT, "lib", "bookproof")
        figures = os.path.join(PROJECT, "chapters")
        editable = ["-e", PROJECT, "-e", kit, "-e", figures]
        steps.append(pip + ["--no-build-isolation"] + editable)
        steps.append([python, "-m", "bookproof.web", "--source", PROJECT])
    return steps


def explain_step(why, lock):
    """Return what else to say of a step that failed: what a wrong hash means, and how to see it
    alone.
    """
    if "--require-hashes" not in getattr(why, "cmd", ()):
        return ""
    return (
        "\nIf pip says that hashes do not match, the index has another file than the one that {}"
        " was made from.\nTo see it alone: {} -m pip download --no-deps --require-hashes -r {} -d"
        " /tmp/packages\nIf the new file is right, make lock writes its hash.".format(
            lock, why.cmd[0], lock
        )
    )


def make(venv, lock=LOCK, run=subprocess.check_call):
    """Bring an environment up to date; does nothing when its stamp says that it is."""
    files = BOOK if lock == LOCK else [lock]
    if find_unhashed(lock) is not None:
        files = files + [find_unhashed(lock)]
    stamp, wanted = os.path.join(venv, STAMP), compute_digest(venv, files)
    if read_if_there(stamp) == wanted:
        return
    if is_foreign(venv):
        sys.exit(
            "%s exists and is no virtual environment: choose another place, as in make"
            " VENV=/tmp/venv book." % venv
        )
    print("Setting up %s (once; a minute or two) ..." % venv)
    sys.stdout.flush()
    if os.path.exists(stamp):
        os.remove(stamp)
    # --clear would throw away an environment that only needs one more package, but another Python
    # cannot use its packages.
    base = os.path.join(venv, "base-python")
    try:
        if read_if_there(base) != sys.version:
            run([sys.executable, "-m", "venv", "--clear", venv])
            with open(base, "w") as file:
                file.write(sys.version)
        for step in list_steps(venv, lock):
            run(step)
    except (subprocess.CalledProcessError, OSError) as why:
        sys.exit(
            "Setting up %s stopped at: %s\nMend the cause shown above and run the same command"
            " again.%s" % (venv, why, explain_step(why, lock))
        )
    with open(stamp, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    obstacle = find_obstacle(sys.version_info, sys.executable, list_importable("venv", "ensurepip"))
    if obstacle:
        sys.exit(obstacle)
    venv, lock = (sys.argv[1:] + [LOCK])[:2]
    make(venv, lock)
