"""What `firsthour validate` is given: files become one pack, an address or a name becomes a target.

Decides what is refused before anything is sent. What a file may hold is `bot.validation.lists`'.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.incident.errors import Invalid, Misconfigured, NotFound

if TYPE_CHECKING:
    from bot.settings_targets import TargetSettings
    from bot.validation.pack import Pack

TOKEN = "FIRSTHOUR_TARGET_TOKEN"  # noqa: S105 — the name of a variable


@dataclass(frozen=True)
class Parts:
    payloads: Path | None
    indicators: Path | None
    benign: Path | None
    recorded: Path | None


@dataclass(frozen=True)
class Given:
    """What the command line says of the target."""

    url: str | None
    name: str | None
    version: str | None
    token_env: str
    concurrency: int | None
    per_second: float | None


def pack_of(path: Path | None, parts: Parts, vulnerable_version: str | None) -> Pack:
    """One pack of all files. Raises Invalid."""
    from bot.validation import lists
    from bot.validation.pack import Pack, made, merge

    if path is None and parts.payloads is None:
        raise Invalid(
            "Say what to replay.", example="firsthour validate --target URL --payloads FILE --indicators FILE"
        )
    read = made(
        payloads=_of(parts.payloads, lists.payloads),
        indicators=_of(parts.indicators, lists.indicators),
        benign=_of(parts.benign, lists.lines),
        positive=_of(parts.recorded, lists.lines),
        vulnerable_version=vulnerable_version,
    )
    return read if path is None else merge([Pack.from_bytes(_bytes(path)), read])


def _of(path: Path | None, parse: Callable[[str, bytes], Sequence[Any]]) -> Sequence[Any]:
    return () if path is None else parse(path.name, _bytes(path))


def _bytes(path: Path) -> bytes:
    from bot.validation.imports.decode import LARGEST

    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}. Name a file that can.") from None


def target_of(given: Given) -> tuple[str, TargetSettings]:
    """Its name, and its settings with what the command line says of them. Raises FirsthourError."""
    if (given.url is None) == (given.name is None):
        raise Invalid("Name one target.", example="--target https://staging.example.com/api/v1/chat")
    changes = {"version": given.version} if given.version is not None else {}
    if given.name is not None:
        return given.name, _known(given.name).model_copy(update=changes)
    token = given.token_env if os.environ.get(given.token_env) else None
    if token is None and given.token_env != TOKEN:
        raise Misconfigured(f"The environment variable {given.token_env} is not set.")
    pace = {"concurrency": given.concurrency or 4, "per_second": given.per_second}
    return "the target", _settings({"url": given.url, "token_env": token, **pace, **changes})


def _settings(data: dict[str, Any]) -> TargetSettings:
    from pydantic import ValidationError

    from bot.settings_targets import TargetSettings

    try:
        return TargetSettings.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"This target cannot be used: {first['msg'].removeprefix('Value error, ')}") from None


def _known(name: str) -> TargetSettings:
    from bot.environment import read_settings
    from bot.playbook import DEFAULT_PATH, load
    from bot.playbook.organisation import load_organisation

    known = load_organisation(read_settings().config, load(DEFAULT_PATH)).targets
    if name not in known:
        there = f"It knows {', '.join(known)}." if known else "It knows none: FIRSTHOUR_CONFIG, key `targets`."
        raise NotFound(f"The organisation's file has no target “{name}”. {there}")
    return known[name]
