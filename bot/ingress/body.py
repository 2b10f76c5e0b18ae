"""What comes in over HTTP is bounded and parsed here: 1 MiB, ten seconds, JSON without surprises (design law 7).

Decides what is refused before anybody looks at the content. What the content must be is the model's of each route.
"""

from __future__ import annotations

import asyncio
import json
from typing import NoReturn

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.incident.redact import UNSTORABLE

LIMIT = 1024 * 1024
"""Bytes. Also held where no Content-Length is sent: counted while reading, so nothing larger is ever in memory."""
SECONDS = 10.0
"""How long a sender may take to deliver a body."""
TOO_LARGE = "The body is larger than 1 MiB. Send less at once: split the batch, or shorten the evidence."


class BodyTooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413, TOO_LARGE)


class BodyLimit:
    """ASGI middleware. Sits inside the edge, which turns what it raises into an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _announced(scope) > LIMIT:
            raise BodyTooLarge
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LIMIT:
                raise BodyTooLarge
            return message

        await self.app(scope, counted, send)


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


async def read(request: Request) -> bytes:
    """The whole body. Raises HTTPException 408 where the sender is too slow, 413 where it is too large."""
    try:
        async with asyncio.timeout(SECONDS):
            return await request.body()
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {SECONDS:.0f} seconds. Send it again.") from None


def decode(body: bytes) -> object:
    """JSON as Python values. Raises HTTPException 400 naming the position; NaN and Infinity are not JSON.

    Characters that no database keeps are replaced: an attacker who writes one must not keep the alert from coming in.
    """
    try:
        return _storable(json.loads(body, parse_constant=_no_number))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise HTTPException(400, f"The body is not JSON ({where}: {error.msg}). Send one JSON document.") from None
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"The body is not UTF-8 (byte {error.start + 1}). Send UTF-8 JSON.") from None
    except RecursionError:
        raise HTTPException(400, "The body is nested too deeply. Send it flat.") from None
    except ValueError:  # NaN, or a number of thousands of digits
        raise HTTPException(400, "The body holds a number that JSON does not know, such as NaN.") from None


def _storable(value: object) -> object:
    match value:
        case str():
            return UNSTORABLE.sub("\ufffd", value)
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {_storable(key): _storable(each) for key, each in value.items()}
        case _:
            return value


def _no_number(_: str) -> NoReturn:
    raise ValueError
