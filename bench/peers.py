"""The peers' own environment, made once from their pins: the book's must not depend on what it is
compared with.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def make(venv):
    """Bring the environment up to date and return its Python; None, with a word about it, when it
    cannot be made.
    """
    venv = Path(venv).resolve()
    python, stamp = venv / "bin" / "python", venv / "peers"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        if venv.exists() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
            sys.exit(
                f"{venv} exists and is no virtual environment: choose another place with --peers."
            )
        print(f"Setting up {venv} (once; a few minutes) ...", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            subprocess.run(
                [
                    python,
                    "-m",
                    "pip",
                    "--disable-pip-version-check",
                    "install",
                    "--quiet",
                    "-r",
                    REQUIREMENTS,
                ],
                check=True,
            )
        except (subprocess.CalledProcessError, OSError) as why:
            print(f"No peers, so only the book's own environment is timed: {why}", file=sys.stderr)
            return None
        stamp.write_text(wanted)
    return python
