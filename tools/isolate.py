"""Run a command where there is no network: in a network namespace of its own, in which there is
nothing but the machine itself.

    python tools/isolate.py make prose

What has been installed needs no network: whoever reads or checks the book asks nobody. Kernels of
notebooks and the servers of the tests talk over 127.0.0.1, which stays. Needs Linux, and root or
the right to make a namespace; where neither is there, it fails and says so.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys

INSIDE = "--inside"
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # of linux/sockios.h and linux/if.h
WAYS = (["unshare", "--map-root-user", "--net"], ["unshare", "--net"], ["sudo", "unshare", "--net"])
ELSEWHERE = ("192.0.2.1", 9)  # an address that is nobody's (RFC 5737)


def find_way() -> list[str]:
    """Return the first way to a namespace that works here."""
    for way in WAYS:
        try:
            done = subprocess.run([*way, "true"], capture_output=True)
        except FileNotFoundError:
            continue
        if done.returncode == 0:
            return way
    sys.exit("No network namespace can be made here: neither unshare nor sudo unshare is allowed.")


def raise_loopback() -> None:
    """Let the namespace reach itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        _, flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, GET_FLAGS, request))
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", flags | UP))


def refuse_network() -> None:
    """Stop if something else can be reached, so that no run passes for an isolated one."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as any_socket:
        any_socket.settimeout(5)
        try:
            any_socket.connect(ELSEWHERE)
        except OSError as error:
            if error.errno == 101:  # network is unreachable
                return
    sys.exit("This namespace has a way out: nothing was run.")


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == [INSIDE]:
        raise_loopback()
        refuse_network()
        os.execvp(words[1], words[1:])
    if not words:
        sys.exit(__doc__)
    return subprocess.run([*find_way(), sys.executable, __file__, INSIDE, *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
