"""The kind `langgraph_postgres`: LangGraph's checkpoints in PostgreSQL, flushed by moving them to a schema of ours.

Decides what the organisation's file must say. How a thread is put aside and back is `langgraph_postgres_flush`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from bot.connectors.contract import ConnectorSettings
from bot.connectors.given import secret
from bot.connectors.langgraph_postgres_flush import LangGraphPostgres
from bot.connectors.langgraph_postgres_wire import Database
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind


class Settings(ConnectorSettings):
    kind: Literal["langgraph_postgres"]
    enforces: ClassVar[frozenset[ActionKind]] = frozenset({ActionKind.FLUSH_MEMORY})
    url_env: str
    """Names the variable with the database's URL: `postgresql://user:password@host/name?sslmode=verify-full`."""
    table_schema: str = Field(default="public", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """Where LangGraph keeps its tables."""
    user_key: str = Field(default="user_id", min_length=1)
    """The key of a checkpoint's metadata that names the user: what the application passes in `configurable`."""

    def connect(self, name: str, env: Mapping[str, str]) -> LangGraphPostgres:
        url = secret(name, "url_env", self.url_env, env)
        if not _is_address(url.get_secret_value()):
            raise Misconfigured(
                f"connectors.{name}.url_env: {self.url_env} is not an address of a database. "
                "Use postgresql://user:password@host/name?sslmode=verify-full."
            )
        return LangGraphPostgres(name, Database(url, self.table_schema, self.timeout_seconds), self.user_key)


def _is_address(url: str) -> bool:
    """Without raising: the address holds a password, and stays out of any trace."""
    try:
        scheme, _ = urlsplit(url).scheme, urlsplit(url).port
    except ValueError:
        return False
    return scheme in {"postgresql", "postgres"}
