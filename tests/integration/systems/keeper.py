"""Runs one command and takes it down, with everything that it started, as soon as whoever asked for it is gone.

Decides nothing else. Its standard input is a pipe that the test session holds: it ends when the session lets go or dies in
whatever way, `kill -9` included. Run as a script, with the command as arguments; needs nothing but Python.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

PATIENCE = 5.0
"""Seconds between asking and killing."""


def main() -> None:
    # A handler, for a signal that is ignored would be ignored by the command, too.
    signal.signal(signal.SIGTERM, lambda *_: None)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    code = child.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(0, signal.SIGTERM)
    os._exit(code if code >= 0 else 128 - code)  # the thread still reads


def _end_with_the_asker() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    threading.Event().wait(PATIENCE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
