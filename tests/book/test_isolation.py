"""What runs in isolation reaches itself and nobody else. Whether the book builds there, .ci/run
tries.
"""

import os
import subprocess
import sys

import pytest

from tests.support import PROJECT

LOOK = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
try:
    socket.create_connection(("192.0.2.1", 9), timeout=5)
except OSError as error:
    sys.exit(error.errno)
"""


def test_it_reaches_itself_and_nobody_else():
    command = [sys.executable, PROJECT / "tools" / "isolate.py", sys.executable, "-c", LOOK]
    run = subprocess.run(command, capture_output=True, text=True)
    if "No network namespace can be made here" in run.stderr and not os.environ.get("CI"):
        pytest.skip(run.stderr.strip())
    assert run.returncode == 101, run.stderr  # network is unreachable, said by the connection
