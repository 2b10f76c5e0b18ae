"""Unleash in the organisation's file: which flag of which project and environment carries out which action.

Decides the keys and what is refused at the start. How a flag is switched and believed is `unleash_switch`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import HttpUrl

from bot.connectors.contract import ConnectorSettings
from bot.connectors.given import address, secret
from bot.connectors.http import client
from bot.connectors.unleash_api import Flags
from bot.connectors.unleash_flag import Flag, Name
from bot.connectors.unleash_switch import Unleash
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind


class Settings(ConnectorSettings):
    """Flags of one project in one environment of Unleash, by its admin API."""

    enforces: ClassVar[frozenset[ActionKind]] = frozenset(ActionKind) - {
        ActionKind.ROTATE_CREDENTIALS,
        ActionKind.FLUSH_MEMORY,
    }

    kind: Literal["unleash"]
    url: HttpUrl
    token_env: str
    """Names the token of the admin API: it needs to edit strategies and to switch the environment."""
    frontend_token_env: str
    """Names a frontend token of the same project and environment: with it the flag is evaluated afterwards."""
    project: Name = "default"
    environment: Name = "production"
    flags: dict[ActionKind, Flag]
    """Which flag carries out which action."""

    def connect(self, name: str, env: Mapping[str, str]) -> Unleash:
        for action in self.actions:
            if action not in self.flags:
                raise Misconfigured(
                    f"connectors.{name}.flags: name the flag for {action}, or take it out of `actions`."
                )
        flags = Flags(
            client(),
            address(name, "url", self.url).rstrip("/"),
            self.project,
            self.environment,
            admin=secret(name, "token_env", self.token_env, env),
            frontend=secret(name, "frontend_token_env", self.frontend_token_env, env),
            seconds=self.timeout_seconds,
        )
        return Unleash(name, flags, self.flags)
