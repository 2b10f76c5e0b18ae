"""The kind `redis_memory`: conversation memory in Valkey or Redis, flushed by putting it aside.

Decides what the organisation's file must say. How memory is put aside and back is `redis_memory_flush`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from bot.connectors.contract import ConnectorSettings
from bot.connectors.given import secret
from bot.connectors.redis_memory_flush import RedisMemory
from bot.connectors.redis_memory_keys import Pattern, Patterns
from bot.connectors.redis_memory_wire import server
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind


class Settings(ConnectorSettings):
    kind: Literal["redis_memory"]
    enforces: ClassVar[frozenset[ActionKind]] = frozenset({ActionKind.FLUSH_MEMORY})
    url_env: str
    """Names the variable with the server's URL: `rediss://user:password@host:6379/0`. `redis://` is not encrypted."""
    session_keys: tuple[str, ...] = ("message_store:{session}",)
    """Where a session's memory lies; LangChain's default. `*` stands for anything."""
    user_keys: tuple[str, ...] = ()
    """Where a user's memory lies, for example `chat:{user}:*`."""
    user_sessions: str | None = None
    """A set, list, sorted set or hash with a user's session ids, for example `sessions:{user}`."""

    @field_validator("session_keys")
    @classmethod
    def _sessions(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Pattern(text, "{session}").text for text in texts)

    @field_validator("user_keys")
    @classmethod
    def _users(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Pattern(text, "{user}").text for text in texts)

    @model_validator(mode="after")
    def _index(self) -> Self:
        if self.user_sessions is not None:
            if "*" in Pattern(self.user_sessions, "{user}").text:
                raise ValueError("user_sessions is one key a user: it takes no “*”")
            if not self.session_keys:
                raise ValueError("user_sessions needs session_keys: where a session's memory lies")
        return self

    def connect(self, name: str, env: Mapping[str, str]) -> RedisMemory:
        url = secret(name, "url_env", self.url_env, env).get_secret_value()
        db = server(url, self.timeout_seconds)
        if db is None:
            raise Misconfigured(
                f"connectors.{name}.url_env: {self.url_env} is not an address of a server. "
                "Use rediss://user:password@host:6379/0."
            )
        patterns = Patterns(
            session=tuple(Pattern(text, "{session}") for text in self.session_keys),
            user=tuple(Pattern(text, "{user}") for text in self.user_keys),
            index=Pattern(self.user_sessions, "{user}") if self.user_sessions else None,
        )
        return RedisMemory(name, db, patterns, self.timeout_seconds)
