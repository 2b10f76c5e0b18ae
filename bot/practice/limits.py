"""Slack's rate limits: a bucket for each method, and one message a second for each channel.

Decides when a call must wait. Numbers are Slack's published tiers (``slack.md`` §1.1); burst sizes are not published,
so a bucket holds as many calls as its tier allows in a minute, and five messages for a channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}
"""calls a minute by tier; 5 stands for Slack's "special" methods"""
MESSAGES_PER_SECOND, MESSAGE_BURST = 1.0, 5


@dataclass
class Bucket:
    """Tokens that come back with time."""

    size: float
    per_second: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """0 where a token was free, else the seconds until one is."""
        self.tokens = min(self.size, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_second


@dataclass
class Limits:
    """All buckets; off unless ``on``."""

    now: Callable[[], float]
    on: bool = False
    per_minute: dict[str, int] = field(default_factory=dict)
    """overrides by method"""
    burst: dict[str, int] = field(default_factory=dict)
    """overrides of the bucket's size by method"""
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def refuse(self, method: str, tier: int, channel: str | None) -> int:
        """0 where the call may go on, else whole seconds for ``Retry-After``."""
        if not self.on:
            return 0
        rate = self.per_minute.get(method, PER_MINUTE[tier])
        wait = self._take(method, self.burst.get(method, rate), rate / 60)
        if not wait and method == "chat.postMessage" and channel:
            wait = self._take(f"channel {channel}", MESSAGE_BURST, MESSAGES_PER_SECOND)
        return math.ceil(wait)

    def _take(self, name: str, size: float, per_second: float) -> float:
        now = self.now()
        bucket = self.buckets.setdefault(name, Bucket(size, per_second, size, now))
        return bucket.take(now)
