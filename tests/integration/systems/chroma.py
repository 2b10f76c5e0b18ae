"""Chroma, as its own server. Embeddings are supplied by whoever writes documents: no model is ever downloaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.systems.installed import venv_program
from tests.integration.systems.process import started
from tests.ports import free_port


@dataclass(frozen=True)
class Chroma:
    url: str
    tenant: str = "default_tenant"
    database: str = "default_database"


@contextlib.contextmanager
def running(home: Path) -> Iterator[Chroma]:
    port = free_port()
    command = [venv_program("chroma"), "run", "--path", home / "data", "--host", "127.0.0.1", "--port", str(port)]
    with started("chroma", command, home, {"ANONYMIZED_TELEMETRY": "False"}) as process:
        chroma = Chroma(f"http://127.0.0.1:{port}")
        process.wait_for_http(f"{chroma.url}/api/v2/heartbeat")
        yield chroma
