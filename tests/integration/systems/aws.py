"""moto's server: IAM, Secrets Manager, Cognito and S3 as AWS answers them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.systems.process import started
from tests.ports import free_port


@dataclass(frozen=True)
class Moto:
    url: str
    """The endpoint of every service. `POST {url}/moto-api/reset` forgets everything."""
    region: str = "eu-central-1"
    access_key_id: str = "AKIAIOSFODNN7EXAMPLE"
    secret_access_key: str = "moto-checks-no-secret"


@contextlib.contextmanager
def running(home: Path) -> Iterator[Moto]:
    port = free_port()
    with started("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], home) as process:
        moto = Moto(f"http://127.0.0.1:{port}")
        process.wait_for_http(f"{moto.url}/moto-api/")
        yield moto
