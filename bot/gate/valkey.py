"""Rate limits that are exact across gates: one script in Valkey, Redis or a cluster of either counts for all of them, by the
clock of the server that holds the count.

Decides how long a call may wait for that, and what holds while Valkey is away: each gate counts by itself, and says so. How an
address becomes a client is `valkey_client`'s. Needs the extra `valkey`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import Counter as Counted
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import SecretStr
from redis.exceptions import NoScriptError

from bot.gate.limits import ALLOWED, Hit, InProcess, RetryAfter
from bot.gate.valkey_client import FAILURES, Client, client_of, close, opened

log = structlog.get_logger()

PATIENCE = 0.05
"""Seconds that a call waits for Valkey at the most."""
PAUSE = 1.0
"""Seconds after a failure in which Valkey is not asked: one call a second pays the wait, not every one."""
PREFIX = "firsthour:gate:calls:"

SLIDING = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local window = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local calls = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local limit, there = tonumber(ARGV[1]), #calls / 2
if there >= limit then
  return tonumber(calls[2 * (there - limit + 1)]) + window - now
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 0
"""
"""Microseconds until the call would fit; 0 where it fits, and is counted. Scripts run one after the other: two gates
that ask at once get two answers. A call that is refused is not counted, as in `InProcess`. One key, so one slot of a cluster."""
SHA = hashlib.sha1(SLIDING.encode(), usedforsecurity=False).hexdigest()
"""By which a server that has run it knows it again."""


class ValkeyLimiter:
    """A limiter that never lets a call wait for more than PATIENCE, and never raises."""

    def __init__(self, url: SecretStr, registry: CollectorRegistry) -> None:
        """Raises Misconfigured where the address cannot be used. Nothing is sent yet."""
        self.away = False
        """True while each gate counts by itself: together they may let through as many times more as there are gates."""
        client_of(url, PATIENCE)
        self._url = url
        self._client: Client | None = None
        self._opening: asyncio.Task[Client] | None = None
        self._given_up: list[Client] = []
        self._asking: Counted[Client] = Counted()
        """How many ask each now. What is closed while somebody asks it would open again, and nobody would close it then."""
        self._alone = InProcess()
        self._not_before = 0.0
        self._by_itself = Counter(
            "firsthour_gate_limited_alone",
            "Calls that this gate counted by itself: Valkey was away.",
            registry=registry,
        )
        exact = Gauge("firsthour_gate_limits_exact", "1 while limits are exact across gates.", registry=registry)
        exact.set_function(lambda: 0.0 if self.away else 1.0)

    async def hit(self, key: str, limit: int, window_seconds: float, now: float) -> Hit:
        """As `Limiter.hit`, by the server's clock; `now` counts only while that is away."""
        if limit <= 0:
            return RetryAfter(window_seconds)
        if time.monotonic() >= self._not_before:
            client = self._client
            try:
                async with asyncio.timeout(PATIENCE):
                    client = client or await self._opened()
                    wait = await self._ask(client, _name(key), limit, int(window_seconds * 1e6))
            except FAILURES as error:
                self._give_up(client)
                self._is_away(error)
            else:
                self._is_back()
                return RetryAfter(wait / 1e6) if wait else ALLOWED
        self._by_itself.inc()
        return await self._alone.hit(key, limit, window_seconds, now)

    async def close(self) -> None:
        self._give_up(self._client)
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, *FAILURES):
                self._client = await self._opening
        self._give_up(self._client)
        self._asking.clear()
        await self._close_given_up()

    async def _ask(self, client: Client, name: str, limit: int, window_micros: int) -> int:
        self._asking[client] += 1
        try:
            return await _count(client, name, limit, window_micros)
        finally:
            self._asking[client] -= 1

    async def _opened(self) -> Client:
        """One for all who wait. It goes on when they have waited long enough: a cluster is asked for more than one answer."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="gate-valkey")
        opening = self._opening
        try:
            self._client = await asyncio.shield(opening)
        finally:
            if opening.done() and self._opening is opening:
                self._opening = None
        return self._client

    async def _open(self) -> Client:
        await self._close_given_up()
        return await opened(self._url, PATIENCE, retries=1)

    def _give_up(self, client: Client | None) -> None:
        """What a client makes of a server that left its cluster does not mend by asking again: a new one each time."""
        if client is not None and client is self._client:
            self._client = None
            self._given_up.append(client)

    async def _close_given_up(self) -> None:
        """Those that nobody is asking any more."""
        closing = [client for client in self._given_up if not self._asking[client]]
        self._given_up = [client for client in self._given_up if self._asking[client]]
        for client in closing:
            del self._asking[client]
            with contextlib.suppress(*FAILURES):
                await close(client)

    def _is_away(self, error: BaseException) -> None:
        self._not_before = time.monotonic() + PAUSE
        if not self.away:
            self.away = True
            log.warning("gate.valkey.away", why=type(error).__name__)

    def _is_back(self) -> None:
        if self.away:
            self.away = False
            log.info("gate.valkey.back")


async def _count(client: Client, name: str, limit: int, window: int) -> int:
    """Microseconds, as SLIDING. Raises one of FAILURES."""
    arguments = (name, limit, window, uuid4().hex)
    try:
        return int(await client.evalsha(SHA, 1, *arguments))
    except NoScriptError:  # a server that was restarted, or another node of a cluster
        return int(await client.eval(SLIDING, 1, *arguments))


def _name(key: str) -> str:
    """Ids come from outside, of any length: what is stored of them is a hash."""
    return PREFIX + hashlib.sha256(key.encode()).hexdigest()
