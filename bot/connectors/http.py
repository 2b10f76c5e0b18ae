"""One HTTP exchange with a containment system, and what its outcome means: was anything sent, was there an answer.

Decides limits (time, size, no redirects, nothing taken from the environment) and what a failure says about the other side.
What a body means is the connector's. Bodies and URLs are never shown or logged.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx

from bot.connectors.contract import Effect, Result

BODY_LIMIT = 64 * 1024
"""Bytes read of an answer. What is longer is not understood at all."""


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes | None
    """None where it was longer than the limit."""

    @property
    def json(self) -> object:
        """The parsed body; None where it is not JSON or was too long."""
        try:
            return json.loads(self.body) if self.body is not None else None
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class NotSent:
    """Nothing reached the system: certainly not done."""

    why: str


@dataclass(frozen=True)
class NoAnswer:
    """It was sent and no answer came: it may be done."""

    why: str


Exchange = Answered | NotSent | NoAnswer


def client() -> httpx.AsyncClient:
    """No redirects, no proxy or .netrc from the environment, no connection kept (a stale one would look like a reset)."""
    return httpx.AsyncClient(
        follow_redirects=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0), timeout=30.0
    )


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    limit: int = BODY_LIMIT,
) -> Exchange:
    """Send once. `seconds` bounds the whole exchange, so that an answer in drips cannot hold it; `limit` its bytes."""
    request = http.build_request(
        method, url, headers={"Accept-Encoding": "identity", **(headers or {})}, content=content
    )
    try:
        async with asyncio.timeout(seconds):
            response = await http.send(request, stream=True)
            try:
                return Answered(response.status_code, await _body(response, limit))
            finally:
                await response.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if _about_tls(error):
            return NotSent("no safe connection: its TLS certificate is not accepted, or it does not speak TLS")
        return NotSent("it could not be reached (refused, or an unknown name)")
    except (TimeoutError, httpx.TimeoutException):
        return NoAnswer(f"it did not answer within {seconds:g} s")
    except (httpx.TransportError, httpx.DecodingError):
        return NoAnswer("the connection broke before an answer came")


def _about_tls(error: BaseException | None) -> bool:
    """httpx keeps the reason of a failed connection only as the cause of a cause."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


async def _body(response: httpx.Response, limit: int) -> bytes | None:
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) > limit:
            return None
    return bytes(read)


def silence(name: str, answer: Exchange) -> Result:
    """Why a question got no answer that can be used: UNKNOWN, in words. For `verify` and whoever else only looks."""
    match answer:
        case NotSent(why) | NoAnswer(why):
            return Result(Effect.UNKNOWN, f"{name} could not be asked: {why}.")
        case Answered(401 | 403 as status):
            return Result(Effect.UNKNOWN, f"{name} does not accept the credentials ({status}).")
        case Answered(status):
            return Result(Effect.UNKNOWN, f"{name} answered {status} when it was asked.")


def read(name: str, answer: Exchange, expected: Collection[int]) -> Result:
    """What an order's answer means: APPLIED, FAILED (certainly not done) or UNKNOWN (may be done)."""
    match answer:
        case NotSent(why):
            return Result(Effect.FAILED, f"{name}: {why}. Nothing was changed.")
        case NoAnswer(why):
            return Result(Effect.UNKNOWN, f"{name}: {why}. It may be done.")
        case Answered(status) if status in expected:
            return Result(Effect.APPLIED, f"{name} said yes ({status}).")
        case Answered(status) if 300 <= status < 400:
            return Result(Effect.FAILED, f"{name} answered with a redirect ({status}), which is not followed.")
        case Answered(401 | 403 as status):
            return Result(Effect.FAILED, f"{name} does not accept the credentials ({status}). Nothing was changed.")
        case Answered(408):
            return Result(Effect.UNKNOWN, f"{name} says that it took too long (408). It may be done.")
        case Answered(status) if 400 <= status < 500:
            return Result(Effect.FAILED, f"{name} refused ({status}). Nothing was changed.")
        case Answered(status):
            return Result(Effect.UNKNOWN, f"{name} answered {status}. It may be done.")
