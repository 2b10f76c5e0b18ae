"""Typed settings, read once by `bot.app`: the environment, and the organisation's YAML that `FIRSTHOUR_CONFIG` names.

Decides names, defaults and what is refused at start (design §8, law 7). Knows nothing of what the values are used for.
Secrets are `SecretStr`: they do not print.
"""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The environment variables of design §8. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True)

    slack_bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field(default="https://slack.com/api/", alias="SLACK_API_URL")
    database_url: str = Field(default="sqlite:///firsthour.db", alias="DATABASE_URL")
    redis_url: SecretStr | None = Field(default=None, alias="REDIS_URL")
    config: Path | None = Field(default=None, alias="FIRSTHOUR_CONFIG")
    http: str = Field(default="127.0.0.1:8080", alias="FIRSTHOUR_HTTP")
    ingest_token: SecretStr | None = Field(default=None, alias="FIRSTHOUR_INGEST_TOKEN")
    log_format: Literal["console", "json"] = Field(default="console", alias="FIRSTHOUR_LOG")
    speed: float = Field(default=1.0, gt=0, le=120, alias="FIRSTHOUR_SPEED")
    """How much faster than the wall the first hour runs. 1 outside of demos."""

    @field_validator("slack_api_url")
    @classmethod
    def _with_slash(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("SLACK_API_URL must be an http(s) URL, for example https://slack.com/api/")
        return url if url.endswith("/") else url + "/"

    @field_validator("http")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError("FIRSTHOUR_HTTP must be host:port, for example 127.0.0.1:8080")
        return address

    @property
    def http_address(self) -> tuple[str, int]:
        host, _, port = self.http.rpartition(":")
        return host.strip("[]"), int(port)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Channels(_Strict):
    announcements: str = "incidents"
    """Name or id of the stakeholders' channel; nothing is announced where it does not exist."""


class RosterEntry(_Strict):
    """Who stands behind a role of the playbook: Slack user ids, e-mail addresses or usergroup handles (`@oncall`)."""

    people: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()


class ConnectorSettings(_Strict):
    """One connector by name. `secret_env` names an environment variable, so that no secret stands in the file."""

    kind: Literal["webhook", "practice", "manual"]
    url: HttpUrl | None = None
    verify_url: HttpUrl | None = None
    """Asked whether the action is in force. Without it a person has to look and attest."""
    verify_method: Literal["GET", "POST"] = "POST"
    revert_url: HttpUrl | None = None
    """Without it the action cannot be undone from the room, and needs a second person."""
    probe_url: HttpUrl | None = None
    """Where the practice AI app is asked as its users ask it; without it, at `url`."""
    probe_secret_env: str | None = None
    """Names the token with which the practice AI app is asked as its users ask it."""
    probe_credential_env: str | None = None
    """Names the credential that a rotation replaces: afterwards it must be refused. Without it a person has to look."""
    secret_env: str | None = None
    expect_status: tuple[int, ...] = (200, 201, 202, 204)
    timeout_seconds: float = Field(default=5.0, gt=0, le=10)
    actions: tuple[str, ...] = ()
    """The actions that this connector carries out; an action that none claims is `manual`."""


class SourceSettings(_Strict):
    """The secret of one alert source; without it the source takes no alerts."""

    secret_env: str


class BusinessHours(_Strict):
    """What "next business day" means here."""

    timezone: str = "UTC"
    starts: time = time(9, 0)
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Monday is 0."""
    holidays: str | None = None
    """ISO 3166 country, with an optional subdivision: `DE`, `DE-BY`, `US`."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"“{name}” is not a time zone. Use an IANA name, for example Europe/Berlin.") from error
        return name


class Organisation(_Strict):
    """The organisation's file. Every part is optional: without it everything still works (design §8)."""

    name: str = "this organisation"
    channels: Channels = Channels()
    roster: dict[str, RosterEntry] = {}
    connectors: dict[str, ConnectorSettings] = {}
    sources: dict[str, SourceSettings] = {}
    business_hours: BusinessHours = BusinessHours()
    private_rooms: bool = True
    auto_contain: Literal["off", "single_subject"] = "single_subject"
    """Law 9: reversible single-subject actions of `auto_contain` triggers run by themselves, or never."""
