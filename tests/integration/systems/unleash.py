"""Unleash, from npm, on a database of a PostgreSQL that runs already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.integration.systems.installed import node, node_package
from tests.integration.systems.process import started
from tests.ports import free_port


@dataclass(frozen=True)
class Unleash:
    url: str
    admin_token: str = "*:*.firsthour-integration-admin"
    """For `/api/admin`, as `Authorization`."""
    client_token: str = "default:development.firsthour-integration-client"
    """For `/api/client`: what an application sees in `environment` of `project`."""
    project: str = "default"
    environment: str = "development"


@contextlib.contextmanager
def running(home: Path, database_url: str) -> Iterator[Unleash]:
    """`database_url` names an empty database on a Unix socket, as the tests' PostgreSQL is reached."""
    unleash = Unleash(f"http://127.0.0.1:{free_port()}")
    database = make_url(database_url)
    env = {
        "DATABASE_HOST": str(database.host or database.query["host"]),
        "DATABASE_USERNAME": database.username or "postgres",
        "DATABASE_PASSWORD": database.password or "",
        "DATABASE_NAME": database.database or "",
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": unleash.url.rpartition(":")[2],
        "INIT_ADMIN_API_TOKENS": unleash.admin_token,
        "INIT_CLIENT_API_TOKENS": unleash.client_token,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "LOG_LEVEL": "warn",
    }
    command = [node(), node_package("unleash-server") / "dist/server.js"]
    with started("unleash", command, home, env) as process:
        process.wait_for_http(f"{unleash.url}/health")
        yield unleash
