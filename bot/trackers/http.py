"""One HTTP exchange with a tracker, and what its answer means in words.

Decides limits (time, size, no redirects, nothing taken from the environment) and which answers leave it in doubt whether an
issue was opened. What a body means is each tracker's. Bodies, tokens and addresses are never shown or logged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from bot.trackers.contract import Doubtful, Refused, Unreachable

SECONDS = 8.0
"""Of one exchange: below what an attempt of an intent may take."""
BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer: a page of a hundred issues with the longest bodies that GitHub takes is below it."""
LONGEST_WAIT = 3600.0
"""Seconds of Retry-After that are believed."""
WHY = {
    401: "{name} does not accept the token. Whoever runs Firsthour must renew it",
    403: "{name} does not allow it. The token needs the right to write issues there",
    404: "{name} has no such repository or project, or the token may not see it",
    410: "{name} has issues switched off there",
    422: "{name} did not take the issue as it was. The labels or the kind of issue may not exist there",
    400: "{name} did not take the issue as it was. The kind of issue or a field that it needs may be missing",
}


def client(headers: Mapping[str, str], auth: httpx.BasicAuth | None = None) -> httpx.AsyncClient:
    """No redirects (a token must not travel), no proxy or .netrc from the environment."""
    return httpx.AsyncClient(
        follow_redirects=False, trust_env=False, timeout=SECONDS, headers=dict(headers), auth=auth,
        limits=httpx.Limits(max_keepalive_connections=0),
    )  # fmt: skip


async def ask(
    http: httpx.AsyncClient,
    name: str,
    method: str,
    url: str,
    *,
    params: Mapping[str, str | int],
    changes: bool,
    body: Any,
) -> Any:
    """The answer's JSON. `changes`: it opens something, so silence leaves it in doubt.

    Raises Refused, Unreachable or Doubtful.
    """
    try:
        async with asyncio.timeout(SECONDS):
            request = http.build_request(method, url, params=dict(params) or None, json=body)
            response = await http.send(request, stream=True)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        raise Unreachable(f"{name} could not be reached") from None
    except (TimeoutError, httpx.TransportError, httpx.DecodingError):
        raise _silent(name, "did not answer", changes=changes) from None
    return _judged(name, response, content, changes=changes)


def _judged(name: str, response: httpx.Response, content: bytes | None, *, changes: bool) -> Any:
    status = response.status_code
    if status == 429 or (status == 403 and _limited(response)):
        raise Unreachable(f"{name} asks to slow down ({status})", _wait(response))
    if 300 <= status < 400:
        raise Refused(f"{name} answered with a redirect ({status}), which is not followed. Correct its address")
    if status in WHY:
        raise Refused(f"{WHY[status].format(name=name)} ({status})")
    if 400 <= status < 500 and status != 408:
        raise Refused(f"{name} refused it ({status})")
    if status >= 500 or status == 408:
        raise _silent(name, f"had an error of its own ({status})", changes=changes)
    try:
        return json.loads(content or b"")
    except (ValueError, RecursionError):
        raise _silent(name, "gave an answer that could not be read", changes=changes) from None


def _silent(name: str, what: str, *, changes: bool) -> Doubtful | Unreachable:
    return Doubtful(f"{name} {what}; it may be done") if changes else Unreachable(f"{name} {what}")


def _limited(response: httpx.Response) -> bool:
    """GitHub answers 403 for its secondary limits too."""
    return "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"


def _wait(response: httpx.Response) -> timedelta | None:
    given = response.headers.get("retry-after", "")
    return timedelta(seconds=min(float(given), LONGEST_WAIT)) if given.isascii() and given.isdigit() else None


async def _read(response: httpx.Response) -> bytes | None:
    read = bytearray()
    async for chunk in response.aiter_bytes():
        read += chunk
        if len(read) > BODY_LIMIT:
            return None
    return bytes(read)
