"""One system as a process of its own: started, waited for, and gone at the end, whatever the end was.

Decides how long a start may take and what is said when it fails. What is started is each system's own file's matter.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx

KEEPER = Path(__file__).with_name("keeper.py")
STARTS_WITHIN = 300.0
"""Seconds. LiteLLM needs six on a machine of its own, and has taken sixty on one that others worked on."""
ASK_EVERY = 0.05
TAIL = 3000
"""Characters of a log that a failure shows."""


class Missing(Exception):
    """The system cannot run on this machine. The message says why, and what would change it."""


class Process:
    """A running command. `log` has everything that it said."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-TAIL:]

    def wait_until(self, ready: Callable[[], bool], within: float = STARTS_WITHIN) -> None:
        """Raises AssertionError with the end of the log when the process ends first, or takes too long."""
        until = time.monotonic() + within
        while not ready():
            if not self.alive:
                raise AssertionError(f"{self.name} ended while it started:\n{self.tail()}")
            if time.monotonic() > until:
                raise AssertionError(f"{self.name} was not ready within {within:.0f} s:\n{self.tail()}")
            time.sleep(ASK_EVERY)

    def wait_for_http(self, url: str, within: float = STARTS_WITHIN, headers: Mapping[str, str] | None = None) -> None:
        """Until `GET url` answers below 500."""
        with httpx.Client(timeout=2, trust_env=False) as client:

            def answers() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return client.get(url, headers=headers).status_code < 500
                return False

            self.wait_until(answers, within)

    def kill(self) -> None:
        """`kill -9`, at once, of the command and everything that it started."""
        os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(timeout=20)

    def stop(self) -> None:
        """Lets go of the pipe: the keeper asks the command to end, and kills it if it does not."""
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()
        self._popen.wait(timeout=20)


@contextlib.contextmanager
def started(
    name: str, command: Sequence[object], home: Path, env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """The command, in the folder `home`, with its output in `home/<name>.log`. Proxies of the environment are not passed on."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"{name}.log"
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, str(KEEPER), *map(str, command)],
            cwd=home,
            env=_environment() | dict(env or {}),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    process = Process(name, popen, log)
    try:
        yield process
    finally:
        process.stop()


def _environment() -> dict[str, str]:
    dropped = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "pythonpath", "virtual_env")
    return {name: value for name, value in os.environ.items() if name.lower() not in dropped}
