"""Ports for servers that a test starts as processes, and that listen a moment later.

Decides which: none that the system gives to whoever connects somewhere, and none that another test was given lately. Once in
some thousand starts, any other port that was free a second ago is taken by then.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path

FIRST, END = 20_000, 32_768
"""From END on Linux takes those of connections (ip(7), `ip_local_port_range`); other systems begin further up."""


def free_port() -> int:
    """Nobody else of this machine's tests gets it for the next twelve thousand."""
    with (Path(tempfile.gettempdir()) / "firsthour-test-ports").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        last = int(file.read() or FIRST + os.getpid() % (END - FIRST))
        port = next(port for port in (*range(last + 1, END), *range(FIRST, END)) if _is_free(port))
        file.truncate(0)
        file.write(str(port))
    return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
