"""One HTTP exchange with a target: bounded in time and bytes, to the addresses of its settings only, following no redirect.

Decides limits and what a failure is called. What a body means is `speech`'s. Bodies and addresses are never logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import httpx

from bot.validation.answers import Trouble, TroubleKind
from bot.validation.lanes import Lanes

FIRST = (("Accept", "application/json"), ("Accept-Encoding", "identity"), ("User-Agent", "firsthour-validation"))
LONGEST_WAIT = 60.0
"""Seconds: the most that a Retry-After is believed."""


@dataclass(frozen=True)
class Raw:
    """What came back: all of the body, within the limits."""

    status: int
    headers: httpx.Headers
    body: bytes
    digest: str
    milliseconds: int

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def trouble(self, kind: TroubleKind, words: str) -> Trouble:
        """This exchange taught nothing."""
        return Trouble(
            kind,
            words,
            seen=self.text,
            status=self.status,
            retry_after=_seconds(self.headers.get("retry-after")),
            digest=self.digest,
            milliseconds=self.milliseconds,
        )


@dataclass(frozen=True)
class Wire:
    """How one target may be spoken to."""

    lanes: Lanes
    seconds: float
    most_bytes: int

    async def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> Raw | Trouble:
        """Send once. An answer longer or slower than the limits is trouble, with what was read of it."""
        began, read = time.monotonic(), bytearray()
        try:
            async with asyncio.timeout(self.seconds):
                with self.lanes.one() as lane:
                    request = httpx.Request(method, _parsed(url), headers=[*FIRST, *headers.items()], content=content)
                    response = await lane.handle_async_request(request)
                    whole = await self._read(response, read)
        except TimeoutError:
            return _cut(began, read, TroubleKind.TIMEOUT, f"no whole answer within {self.seconds:g} s")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            why = "its TLS certificate is not accepted" if _about_tls(error) else "refused, or an unknown name"
            return _cut(began, read, TroubleKind.UNREACHABLE, f"it could not be reached ({why})")
        except (httpx.TransportError, httpx.InvalidURL):
            return _cut(began, read, TroubleKind.UNREACHABLE, "the connection broke before the answer was whole")
        if not whole:
            return _cut(began, read, TroubleKind.TOO_LARGE, f"its answer is longer than {self.most_bytes:,} bytes")
        raw = Raw(response.status_code, response.headers, bytes(read), hashlib.sha256(read).hexdigest(), _since(began))
        return _unfit(raw) or raw

    async def _read(self, response: httpx.Response, read: bytearray) -> bool:
        """Whether all of it came within the limit. What comes is added to `read` at once: a time-out leaves it there."""
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        try:
            async for chunk in stream:
                read += chunk[: self.most_bytes + 1 - len(read)]
                if len(read) > self.most_bytes:
                    return False
        finally:
            await stream.aclose()
        return True


_parsed = lru_cache(maxsize=64)(httpx.URL)
"""The addresses of a target are few, and asked thousands of times."""


def _unfit(raw: Raw) -> Trouble | None:
    """What is not looked into any further, whatever the kind of the target."""
    if 300 <= raw.status < 400:
        return raw.trouble(TroubleKind.REDIRECT, f"it redirects ({raw.status}), which is not followed")
    if raw.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        words = "its answer is compressed although that was not asked for"
        return replace(raw.trouble(TroubleKind.UNREADABLE, words), seen="")
    return None


def _cut(began: float, read: bytearray, kind: TroubleKind, words: str) -> Trouble:
    digest = hashlib.sha256(read).hexdigest() if read else ""
    return Trouble(kind, words, read.decode("utf-8", "replace"), digest=digest, milliseconds=_since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds (RFC 9110 §10.2.3); the form with a date is not read: clocks differ."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return min(LONGEST_WAIT, float(value))


def _about_tls(error: BaseException | None) -> bool:
    """httpx keeps the reason of a failed connection only as the cause of a cause."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def bearer(token: str | None, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of every call."""
    return {**headers, **({"Authorization": f"Bearer {token}"} if token is not None else {})}
