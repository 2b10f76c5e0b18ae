"""Slack's rate limits, known beforehand: a budget for each method, and one message a second for each channel.

Decides when a call must wait, and never waits itself: a refused call goes back to the store as "later", so that whatever
is most severe takes the next free place. Numbers: slack.md §1.1, kept a little below; a burst is one minute's budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

TIERS: dict[int, tuple[str, ...]] = {
    20: (
        "conversations.create", "conversations.setTopic", "conversations.setPurpose", "conversations.archive",
        "conversations.unarchive", "conversations.rename", "conversations.list", "pins.add", "pins.remove", "pins.list",
        "bookmarks.add", "usergroups.list", "usergroups.users.list", "users.list",
        "conversations.canvases.create",
    ),
    50: (
        "conversations.invite", "conversations.info", "conversations.history", "conversations.replies",
        "conversations.join", "conversations.open", "conversations.kick", "chat.update", "chat.delete",
        "users.lookupByEmail", "users.conversations", "reactions.add", "team.info", "bots.info",
    ),
    100: (
        "conversations.members", "chat.postEphemeral", "views.open", "views.update", "views.push", "users.info",
        "files.getUploadURLExternal", "files.completeUploadExternal", "files.info",
    ),
    480: ("chat.postMessage",),
}  # fmt: skip
"""Calls a minute. chat.postMessage also has an unpublished cap for the workspace: 8 a second is a guess below it."""
PER_MINUTE = {method: rate for rate, methods in TIERS.items() for method in methods}
UNKNOWN_METHOD = 20
BELOW, HEADROOM = 0.99, 0.1
"""So much slower than the tier, and so many tokens fewer: requests can arrive closer together than they were sent."""
CHANNEL_RATE, CHANNEL_BURST = 1.0, 4.0
POSTING = frozenset({"chat.postMessage", "chat.postEphemeral"})
HALF, LEAST, RECOVERY_SECONDS = 0.5, 0.125, 300.0
"""After a 429 a method runs at half its rate and is back at the whole after five minutes without another."""
CHANNELS_KEPT = 2_000
SHORTEST, ROUNDING = 0.01, 1e-6
"""Seconds."""


@dataclass
class Bucket:
    size: float
    per_second: float
    tokens: float
    at: float
    share: float = 1.0
    """Of the rate, after rate-limit answers."""
    paused_until: float = 0.0

    def refill(self, now: float) -> None:
        passed = max(0.0, now - self.at)
        self.tokens = min(self.size, self.tokens + passed * self.per_second * self.share)
        self.share = min(1.0, self.share + passed * HALF / RECOVERY_SECONDS)
        self.at = now

    def wait(self, now: float) -> float:
        """0, or at least a hundredth of a second: a shorter wait could be rounded to none, for ever."""
        self.refill(now)
        missing = max(0.0, 1.0 - self.tokens) / (self.per_second * self.share)
        wait = max(missing, self.paused_until - now)
        return max(wait, SHORTEST) if wait > ROUNDING else 0.0

    def limited(self, now: float, retry_after: float) -> None:
        self.refill(now)
        self.share, self.tokens = max(LEAST, self.share * HALF), min(self.tokens, 1.0)
        self.paused_until = max(self.paused_until, now + retry_after)


class Pace:
    """One a process and a workspace. `now` counts seconds and never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._methods: dict[str, Bucket] = {}
        self._channels: dict[str, Bucket] = {}

    def take(self, method: str, channel: str | None = None) -> float:
        """0 where the call may go now (its place is taken), else the seconds until there may be one."""
        now = self.now()
        buckets = [self._method(method, now)]
        if channel is not None and method in POSTING:
            buckets.append(self._channel(channel, now))
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            return wait
        for bucket in buckets:
            bucket.tokens -= 1
        return 0.0

    def give_back(self, method: str) -> None:
        """A place that was taken and is not used."""
        self._method(method, self.now()).tokens += 1

    def limited(self, method: str, retry_after: float) -> None:
        """Slack said 429: the method rests for exactly so long, and then runs slower for a while."""
        now = self.now()
        self._method(method, now).limited(now, retry_after)

    def _method(self, method: str, now: float) -> Bucket:
        if method not in self._methods:
            rate = PER_MINUTE.get(method, UNKNOWN_METHOD)
            self._methods[method] = Bucket(rate - HEADROOM, rate * BELOW / 60, rate - HEADROOM, now)
        return self._methods[method]

    def _channel(self, channel: str, now: float) -> Bucket:
        if channel not in self._channels:
            if len(self._channels) >= CHANNELS_KEPT:
                self._forget_idle(now)
            self._channels[channel] = Bucket(CHANNEL_BURST, CHANNEL_RATE * BELOW, CHANNEL_BURST, now)
        return self._channels[channel]

    def _forget_idle(self, now: float) -> None:
        for channel, bucket in list(self._channels.items()):
            bucket.refill(now)
            if bucket.tokens >= bucket.size:
                del self._channels[channel]
