"""Rate limits that are exact across gates: one script in Valkey (or Redis) counts for all of them, by the server's clock.

Decides how long a call may wait for that, and what holds while Valkey is away: each gate counts by itself, and says so.
Needs the extra `valkey`.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.gate.limits import ALLOWED, Hit, InProcess, RetryAfter
from bot.incident.errors import Misconfigured

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
that ask at once get two answers. A call that is refused is not counted, as in `InProcess`."""


class ValkeyLimiter:
    """A limiter that never lets a call wait for more than PATIENCE, and never raises."""

    def __init__(self, url: SecretStr, registry: CollectorRegistry) -> None:
        """Raises Misconfigured where the address cannot be used. Nothing is sent yet."""
        self.away = False
        """True while each gate counts by itself: together they may let through as many times more as there are gates."""
        self._client = _client(url)
        self._script = self._client.register_script(SLIDING)
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
            try:
                async with asyncio.timeout(PATIENCE):
                    wait = await self._script(keys=[_name(key)], args=[limit, int(window_seconds * 1e6), uuid4().hex])
            except (RedisError, OSError, TimeoutError) as error:
                self._is_away(error)
            else:
                self._is_back()
                return RetryAfter(wait / 1e6) if wait else ALLOWED
        self._by_itself.inc()
        return await self._alone.hit(key, limit, window_seconds, now)

    async def close(self) -> None:
        await self._client.aclose()

    def _is_away(self, error: BaseException) -> None:
        self._not_before = time.monotonic() + PAUSE
        if not self.away:
            self.away = True
            log.warning("gate.valkey.away", why=type(error).__name__)

    def _is_back(self) -> None:
        if self.away:
            self.away = False
            log.info("gate.valkey.back")


def _client(url: SecretStr) -> Redis:
    once_more = Retry(NoBackoff(), 1)  # a connection that died while it was idle is made anew
    try:
        return Redis.from_url(
            url.get_secret_value(), socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=once_more
        )
    except ValueError:
        raise Misconfigured("REDIS_URL is not the address of a Valkey or Redis. Use redis://… or rediss://…") from None


def _name(key: str) -> str:
    """Ids come from outside, of any length: what is stored of them is a hash."""
    return PREFIX + hashlib.sha256(key.encode()).hexdigest()
