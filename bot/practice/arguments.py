"""How arguments arrive: query string, form body or JSON body, and how each kind of value is written there.

Decides what a request says; what is missing or malformed raises ``SlackError``. Unknown arguments are tolerated, as
Slack does (Bolt adds ``team_id`` to every call).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from aiohttp import web

from bot.practice.shapes import Json, SlackError, invalid_arguments

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
TRUE, FALSE = ("1", "true", "True"), ("0", "false", "False", "")


class Arguments:
    """The arguments of one call, read by name and kind."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def text(self, name: str) -> str | None:
        """A string, or None where it was not given."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool):
            return "1" if value else "0"
        return str(value) if isinstance(value, str | int | float) else json.dumps(value)

    def need(self, name: str, error: str | None = None) -> str:
        """A string that must be there."""
        value = self.text(name)
        if not value:
            raise SlackError(error) if error else invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean: ``true``, ``"1"``, ``"true"``, …"""
        value = self.text(name)
        if value is None:
            return default
        if value not in (*TRUE, *FALSE):
            raise invalid_arguments(f"must be a boolean [json-pointer:/{name}]")
        return value in TRUE

    def number(self, name: str, default: int, most: int, error: str = "invalid_limit") -> int:
        """A whole number of 1 to ``most``."""
        value = self.text(name)
        if value is None or value == "":
            return default
        if not value.isdigit() or not 1 <= int(value) <= most:
            raise SlackError(error)
        return int(value)

    def ids(self, name: str) -> list[str]:
        """Several ids: a comma-separated string or a JSON list."""
        value = self.raw.get(name)
        if value is None:
            return []
        if isinstance(value, str) and value.startswith("["):
            value = _parse(value, name)
        if isinstance(value, list):
            return [str(one).strip() for one in value if str(one).strip()]
        return [one.strip() for one in str(value).split(",") if one.strip()]

    def structure(self, name: str) -> Any:
        """An object or list, sent as JSON or as a JSON string; None where it was not given."""
        value = self.raw.get(name)
        if isinstance(value, str):
            return _parse(value, name) if value else None
        return value

    def page(self, total: list[Any], default: int = 100, most: int = 1000) -> tuple[list[Any], Json]:
        """The requested page of a list and its ``response_metadata``."""
        limit = self.number("limit", default, most)
        start = _offset(self.text("cursor"))
        end = start + limit
        cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(total) else ""
        return total[start:end], {"next_cursor": cursor}


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (ValueError, binascii.Error, UnicodeDecodeError) as problem:
        raise SlackError("invalid_cursor") from problem


def _parse(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        code = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}.get(name)
        raise (SlackError(code) if code else invalid_arguments(f"failed to parse JSON: {name}")) from problem


async def read(request: web.Request, *, takes_json: bool) -> tuple[Arguments, str]:
    """The arguments and the token of a request. Methods that only read do not take JSON bodies, as in Slack."""
    raw: Json = dict(request.query)
    kind = request.content_type
    if request.method == "POST" and request.can_read_body:
        if kind == "application/json":
            raw |= await _json_body(request) if takes_json else {}
        elif kind in FORM_TYPES:
            form = await request.post()
            raw |= {key: value for key, value in form.items() if isinstance(value, str)}
        elif kind != "application/octet-stream":
            raise SlackError("invalid_post_type")
    header = request.headers.get("Authorization", "")
    token = header.removeprefix("Bearer ").strip() if header else ""
    if not token and kind != "application/json":
        token = str(raw.get("token", ""))
    raw.pop("token", None)
    return Arguments(raw), token


async def _json_body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text())
    except ValueError as problem:
        raise SlackError("invalid_json") from problem
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body
