"""scim2-server: users and groups of RFC 7643 in memory, behind a bearer token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.systems.installed import venv_program
from tests.integration.systems.process import started
from tests.ports import free_port


@dataclass(frozen=True)
class Scim:
    url: str
    """The base of `/Users` and `/Groups`."""
    token: str = "scim-token-of-the-integration"


@contextlib.contextmanager
def running(home: Path) -> Iterator[Scim]:
    scim = Scim(f"http://127.0.0.1:{free_port()}")
    port = scim.url.rpartition(":")[2]
    command = [venv_program("scim2-server"), "--hostname", "127.0.0.1", "--port", port, "--bearer-token", scim.token]
    with started("scim", command, home) as process:
        process.wait_for_http(f"{scim.url}/ServiceProviderConfig")
        yield scim
