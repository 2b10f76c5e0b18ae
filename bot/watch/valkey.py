"""The states of the triggers in Valkey, Redis or a cluster of either: any number of replicas count as one process would.

Decides how a batch is counted by many at once: read what it touches, let the rules step here, exchange each value for the
new one only where nobody else has written meanwhile, and begin again with those where somebody has. Decides too how long that
may take, and that a batch which was counted in part may be handed in again whole. What a value holds is `valkey_entry`'s, how
it travels `valkey_wire`'s. Needs the extra `valkey`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from pydantic import SecretStr

from bot.detection.compiled import Compiled
from bot.detection.event import Event, Seen
from bot.detection.finding import Finding
from bot.detection.index import Index
from bot.detection.late import Late
from bot.gate.valkey_client import FAILURES, client_of
from bot.watch.recent import Recent
from bot.watch.states import StatesAway, identity
from bot.watch.valkey_look import APART
from bot.watch.valkey_wire import ANSWER_WITHIN, AT_ONCE, VERSION, Wire
from bot.watch.valkey_work import Work, sorted_by_key

log = structlog.get_logger()

PATIENCE = 2.0
"""Seconds for which a batch that failed is tried again: as long as a restart takes. Then the watch keeps it for later."""
PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between a failure and the next attempt; the last one again and again."""
LOOK_EVERY = 30.0
"""Seconds between two looks at the server's own figures."""


class ValkeyStates:
    """`bot.watch.states.States` for many processes."""

    keys = -1
    """How many keys there are is not asked: the server may hold those of others too."""

    def __init__(self, url: SecretStr, rules: Sequence[Compiled[Any]], *, most_ids: int) -> None:
        """`rules`: an engine's, of which nothing else is used. Nothing is sent yet.

        Raises Misconfigured where the address cannot be used.
        """
        client_of(url, ANSWER_WITHIN)
        self.away = False
        """Valkey did not answer the last batch in time."""
        self.races = 0
        """Keys that another replica wrote in between, so that they were counted once more."""
        self.known = 0
        """Events, by key, that had been counted before: by another replica, or before a crash."""
        self.begun = 0
        """Keys of which nothing lay there: new ones, expired ones, and all of them where the server forgot what it had."""
        self.unreadable = 0
        """Values that another version had written: their windows began anew."""
        self.evictions = 0
        """Keys that the server dropped for want of memory since it started, as it said last."""
        self._url = url
        self._rules = rules
        self._late = Late()
        for rule in rules:
            rule.late = self._late
        self._index: Index[Compiled[Any]] = Index(rules, lambda rule: rule)
        self._recent = Recent(most_ids)
        self._asked = -math.inf
        self._versions = itertools.count(secrets.randbits(64))
        self._wire: Wire | None = None

    @property
    def late(self) -> int:
        """Events that came too late for the window of a rule that read them; each once."""
        return self._late.count

    @property
    def figures(self) -> Mapping[str, Callable[[], float]]:
        return {
            "valkey_away": lambda: self.away,
            "valkey_races": lambda: self.races,
            "valkey_known": lambda: self.known,
            "valkey_begun": lambda: self.begun,
            "valkey_unreadable": lambda: self.unreadable,
        }

    async def new(self, events: Sequence[Event]) -> Sequence[bool]:
        """By what this process remembers. What another replica was handed is known again in `take`, key by key: an event
        that was only marked, by a replica that died before it counted it, would be lost."""
        known = (identity(event) for event in events)
        return [one is None or self._recent.add(one) for one in known]

    async def take(self, seen: Sequence[Seen]) -> list[Finding]:
        """Raises StatesAway where not all of it could be counted. Handed in again, each event still counts once."""
        self._late.begin()
        work = await sorted_by_key(seen, self._index)
        for start in range(0, len(work), AT_ONCE):
            await self._settle(work[start : start + AT_ONCE])
        await self._look()
        outcomes = [one.outcome for one in work if one.outcome is not None]
        self.known += sum(outcome.known for outcome in outcomes)
        self.begun += sum(one.begun for one in work)
        self._tell_unreadable(sum(one.unreadable for one in work))
        found = [each for outcome in outcomes for each in outcome.findings]
        return [finding for _, finding in sorted(found, key=lambda each: each[0])]

    def _tell_unreadable(self, count: int) -> None:
        if count:
            self.unreadable += count
            log.warning("watch.valkey.unreadable", keys=count)

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()

    async def _settle(self, left: Sequence[Work]) -> None:
        """Round after round until nobody was quicker with any of it, and again after each failure, as long as PATIENCE.

        Once Valkey is known to be away, one attempt is enough: whoever asks does so again.
        """
        until = time.monotonic() + PATIENCE
        pauses = iter(PAUSES)
        while left:
            try:
                left = await self._round(left)
            except FAILURES as error:
                await self._reconnect()
                pause = next(pauses, PAUSES[-1])
                if self.away or time.monotonic() + pause >= until:
                    self._is_away(error)
                    raise StatesAway from error
                await asyncio.sleep(pause)
        self._is_back()

    async def _round(self, work: Sequence[Work]) -> list[Work]:
        """Count all of it, and return what somebody else was quicker with."""
        if self._wire is None:
            self._wire = await Wire.open(self._url)
        reads = await self._wire.read([one.key for one in work])
        changed = [(one, e) for one, read in zip(work, reads, strict=True) if (e := one.counted(read, self._version()))]
        won = await self._wire.exchange([exchange for _, exchange in changed])
        lost = [one for (one, _), done in zip(changed, won, strict=True) if not done]
        self.races += len(lost)
        return lost

    def _version(self) -> bytes:
        return (next(self._versions) % 2**64).to_bytes(VERSION)

    async def _reconnect(self) -> None:
        """What a client makes of a server that became a replica, or left its cluster, does not mend by asking again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            with contextlib.suppress(*FAILURES):
                await wire.close()

    async def _look(self) -> None:
        """Now and then: does the server drop what it should keep, and does it have the same time?"""
        if self._wire is None or time.monotonic() - self._asked < LOOK_EVERY:
            return
        self._asked = time.monotonic()
        with contextlib.suppress(*FAILURES):
            server = await self._wire.server()
            if server.evicted > self.evictions:
                log.warning("watch.valkey.evicts", keys=server.evicted, policies=sorted(server.policies))
            self.evictions = server.evicted
            if abs(server.time - time.time()) > APART:
                log.warning("watch.valkey.clocks_differ", seconds=round(server.time - time.time(), 1))

    def _is_away(self, error: BaseException) -> None:
        if not self.away:
            self.away = True
            log.warning("watch.valkey.away", why=type(error).__name__)

    def _is_back(self) -> None:
        if self.away:
            self.away = False
            log.info("watch.valkey.back")
