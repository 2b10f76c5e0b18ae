"""Typed settings, read once by `bot.app`: the environment, and the organisation's YAML that `FIRSTHOUR_CONFIG` names.

Decides names, defaults and what is refused at start (design §8, law 7). Knows nothing of what the values are used for.
Secrets are `SecretStr`: they do not print.
"""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings_evidence import EvidenceSettings
from bot.settings_targets import TargetSettings
from bot.settings_tracker import TrackerSettings


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
    gate: str = Field(default="127.0.0.1:8081", alias="FIRSTHOUR_GATE")
    gate_token: SecretStr | None = Field(default=None, alias="FIRSTHOUR_GATE_TOKEN")
    """Without it there is no gate."""
    detection_key: SecretStr | None = Field(default=None, alias="FIRSTHOUR_DETECTION_KEY")
    """Without it a key file lies beside an SQLite database (`bot.store.sealing`); PostgreSQL needs it."""
    events: Path | None = Field(default=None, alias="FIRSTHOUR_EVENTS")
    """Folder of the log of seen events, instead of what the organisation's file says: each replica needs one of its own."""
    evidence: Path | None = Field(default=None, alias="FIRSTHOUR_EVIDENCE")
    """Folder of the vault of evidence, instead of what the organisation's file says. Replicas share one."""
    log_format: Literal["console", "json"] = Field(default="console", alias="FIRSTHOUR_LOG")
    speed: float = Field(default=1.0, gt=0, le=120, alias="FIRSTHOUR_SPEED")
    """How much faster than the wall the first hour runs. 1 outside of demos."""

    @field_validator("slack_api_url")
    @classmethod
    def _with_slash(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("SLACK_API_URL must be an http(s) URL, for example https://slack.com/api/")
        return url if url.endswith("/") else url + "/"

    @field_validator("http", "gate")
    @classmethod
    def _host_and_port(cls, address: str, info: ValidationInfo) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError(f"FIRSTHOUR_{str(info.field_name).upper()} must be host:port, for example 127.0.0.1:8080")
        return address

    @property
    def http_address(self) -> tuple[str, int]:
        return _parts(self.http)

    @property
    def gate_address(self) -> tuple[str, int]:
        return _parts(self.gate)


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
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


class ConnectorEntry(BaseModel):
    """One connector by name, as the file says it. Its other keys are its kind's (`bot.connectors.kinds`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    actions: tuple[str, ...] = ()
    """The actions that this connector carries out; an action that none claims is the gate's or `manual`."""


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


GateScope = Literal["user", "session", "api_key", "ip", "application", "endpoint"]
"""What the gate can know of a caller."""


Tlp = Literal["RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"]


class GateSettings(_Strict):
    """How the gate learns who calls, and what it does while it does not know its rules."""

    headers: dict[GateScope, str] = {}
    """Only for `GET /auth`: the header that holds the caller's id. Without it `x-firsthour-user`, `x-firsthour-api-key` …"""
    obeyed: tuple[Literal["enable_safe_mode", "disable_tools"], ...] = ()
    """Only for `GET /auth`: measures that what stands behind the proxy enforces by itself when a header tells it. A yes or
    no cannot enforce them, so without this the call is refused."""
    outage: dict[str, Literal["open", "closed"]] = {}
    """By `everyone`, `application:<id>`, `endpoint:<id>` …: let calls pass (open), or not, while the rules are not known."""
    copy_too_old_after: float | None = Field(default=None, gt=0)
    """Seconds after which the copy counts as not known. Without it never: rules that are held stay in force."""
    approved_answer: str | None = Field(default=None, min_length=1, max_length=2000)
    """What safe mode answers in place of the model; without it, words of the gate's own."""
    requests_per_minute: int = Field(default=1, ge=1, le=60)
    """What a rate limit lets through."""

    @field_validator("outage")
    @classmethod
    def _targets(cls, outage: dict[str, Literal["open", "closed"]]) -> dict[str, Literal["open", "closed"]]:
        for target in outage:
            kind, _, name = target.partition(":")
            if target != "everyone" and (kind not in get_args(GateScope) or not name):
                raise ValueError(f"“{target}” is not a target. Use everyone, application:shop, endpoint:/chat …")
        return outage


class ReviewSettings(_Strict):
    """How far documents may travel (FIRST's Traffic Light Protocol 2.0), and whom a vendor is to answer."""

    tlp: Tlp = "AMBER"
    tlp_shared: Tlp = "GREEN"
    contact: str = Field(default="", max_length=300)


class DetectionSettings(_Strict):
    """The watch: where it keeps what it has seen, and how much of it."""

    folder: Path | None = None
    """Of the log of seen events and the snapshots. Without it one beside the SQLite file (`firsthour.db.events`), or
    `firsthour-events` in the working directory where the store is PostgreSQL. FIRSTHOUR_EVENTS goes first."""
    days: float = Field(default=7, gt=0, le=90)
    """How long seen events are kept: `firsthour tune` looks no further back."""
    most_megabytes: int = Field(default=2048, ge=16, le=1_000_000)
    """Of the log; above it the oldest hours go first, and a metric says so."""
    most_keys: int = Field(default=1_000_000, ge=1000, le=50_000_000)
    """Users, sessions … of which something is counted, over all triggers; the one that was quiet longest is dropped."""
    most_ids: int = Field(default=1_000_000, ge=1000, le=50_000_000)
    """Ids of events by which a redelivery is known, about 75 bytes each."""


class Organisation(_Strict):
    """The organisation's file. Every part is optional: without it everything still works (design §8)."""

    name: str = "this organisation"
    channels: Channels = Channels()
    roster: dict[str, RosterEntry] = {}
    connectors: dict[str, ConnectorEntry] = {}
    sources: dict[str, SourceSettings] = {}
    business_hours: BusinessHours = BusinessHours()
    gate: GateSettings = GateSettings()
    detection: DetectionSettings = DetectionSettings()
    review: ReviewSettings = ReviewSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    targets: dict[str, TargetSettings] = {}
    """Systems that a validation replays attacks against."""
    tracker: TrackerSettings | None = None
    """Where action items are tracked; without it they are kept here only."""
    private_rooms: bool = True
    auto_contain: Literal["off", "single_subject"] = "single_subject"
    """Law 9: reversible single-subject actions of `auto_contain` triggers run by themselves, or never."""
    auto_contain_triggers: dict[str, bool] = {}
    """The same for single triggers, instead of what the playbook says of them. `auto_contain: off` turns all of them off."""
