"""The runner: claims due intents, hands each to the handler of its kind, settles what came of it (design law 3).

Decides concurrency, backoff and the end of an intent. A handler decides what an attempt means: `Done`, `Later`, `Never`.
No attempt is ever lost silently: an exception is a `Later` that may have acted outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

import structlog

from bot.incident.errors import Busy, NotFound
from bot.incident.outward import IntentKind
from bot.store import intents
from bot.store.engine import Store
from bot.store.intents import Claim
from bot.store.unit import Unit

log = structlog.get_logger()

CONCURRENCY = 24
MOST_OF_A_KIND = 16
"""Places that one kind may hold: what waits for its rate limit again and again must not keep the others from going."""
TIMEOUT = 11.0
"""Seconds an attempt may take: below the lease, so that a slow attempt ends before another process takes over."""
ATTEMPTS = 40
"""With the backoff below, about half an hour of trying before an intent is given up."""
BACKOFF_BASE, BACKOFF_CAP = 0.5, 60.0
FAIR_EVERY = 8
"""When all are busy places become free one by one: every so many-th goes to what has waited longest."""
POLL = 0.25
"""Seconds between looks when nothing woke the runner: what other processes wrote, retries that fell due."""

Record = Callable[[Unit], Awaitable[None]]


async def _nothing(_: Unit) -> None:
    return None


@dataclass(frozen=True)
class Done:
    """It happened. `record` writes what is now known in the transaction that settles the intent."""

    record: Record = field(default=_nothing)


@dataclass(frozen=True)
class Later:
    """It did not happen, or nobody knows (`uncertain`). `after` is exact where the other side named a time."""

    why: str
    after: timedelta | None = None
    uncertain: bool = False
    counts: bool = True
    """False where nothing was tried: it waits for a rate limit or for another intent, however often that takes."""


@dataclass(frozen=True)
class Never:
    """It cannot happen. `record` writes what follows from that."""

    why: str
    record: Record = field(default=_nothing)


Outcome = Done | Later | Never
Handler = Callable[[Claim], Awaitable[Outcome]]
GaveUp = Callable[[Unit, Claim, str], Awaitable[None]]


def backoff(attempt: int) -> timedelta:
    """Exponential with full jitter, so that many that failed together do not return together."""
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 — spreads retries, guards nothing
    return timedelta(seconds=jitter * min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(attempt, 10)))


class Runner:
    """Runs until `stop`. One a process; any number of processes share one store (design law 14)."""

    def __init__(self, store: Store, handlers: Mapping[IntentKind, Handler], *, owner: str, gave_up: GaveUp) -> None:
        self.store, self.handlers, self.owner, self.gave_up = store, handlers, owner, gave_up
        self._wake = asyncio.Event()
        self._stopping = False
        self._in_hand: dict[asyncio.Task[None], Claim] = {}
        self._unfair = 0
        """Places given by priority alone since one was given by age."""
        store.on_commit(self._wake.set)

    async def run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            free = min(CONCURRENCY - len(self._in_hand), MOST_OF_A_KIND)
            if free and await self._claim(free) == free:
                continue  # there may be more; otherwise whatever comes next wakes us
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL)

    async def stop(self, within: float = 8.0) -> None:
        """Claim nothing more, let what is in hand finish, give back what does not. `run` returns after this."""
        self._stopping = True
        self._wake.set()
        if self._in_hand:
            _, late = await asyncio.wait(list(self._in_hand), timeout=within)
            ids = [self._in_hand[task].id for task in late]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            await self._give_back(ids)

    async def _claim(self, limit: int) -> int:
        try:
            claims = await intents.claim(
                self.store,
                self.owner,
                limit=limit,
                kinds=self._kinds(),
                fair=limit > 1 or self._unfair >= FAIR_EVERY,
                besides=[claim.id for claim in self._in_hand.values()],
            )
        except Busy as error:  # a trace four times a second would tell nobody more
            log.warning("intents.not_claimed", why=str(error))
            await asyncio.sleep(POLL)
            return 0
        except Exception:
            log.exception("intents.claim_failed")
            await asyncio.sleep(POLL)
            return 0
        if self._stopping:
            await self._give_back([claim.id for claim in claims])
            return 0
        self._unfair = 0 if limit > 1 or self._unfair >= FAIR_EVERY else self._unfair + len(claims)
        for claim in claims:
            task = asyncio.create_task(self._carry_out(claim), name=claim.key)
            self._in_hand[task] = claim
            task.add_done_callback(self._ended)
        return len(claims)

    def _kinds(self) -> tuple[IntentKind, ...]:
        held = Counter(claim.kind for claim in self._in_hand.values())
        return tuple(kind for kind in self.handlers if held[kind] < MOST_OF_A_KIND)

    async def _give_back(self, ids: list[int]) -> None:
        try:
            await intents.release(self.store, self.owner, ids)
        except Busy:  # their leases run out, and another process takes them over
            log.warning("intents.not_released", count=len(ids))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if len(self._in_hand) >= MOST_OF_A_KIND or self._in_hand[task].kind is IntentKind.POST:
            self._wake.set()  # there was no place for what is due, or the next post of the room waited for this one
        self._in_hand.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("intent.not_settled", intent=task.get_name(), error=type(error).__name__, exc_info=error)

    async def _carry_out(self, claim: Claim) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                outcome = await self.handlers[claim.kind](claim)
        except TimeoutError:
            outcome = Later("it took too long", uncertain=True)
        except NotFound:
            outcome = Never("what it is about was deleted")
        except Exception as error:
            log.exception("intent.failed", intent=claim.key, incident=claim.incident, attempt=claim.attempt)
            outcome = Later(type(error).__name__, uncertain=True)
        try:
            await self.settle(claim, outcome)
        except Exception as error:
            log.exception("intent.not_recorded", intent=claim.key, incident=claim.incident, attempt=claim.attempt)
            await self.settle(claim, Later(f"what came of it was not recorded: {type(error).__name__}", uncertain=True))

    async def settle(self, claim: Claim, outcome: Outcome) -> None:
        """Write what came of an attempt. Nothing is written where another process took the intent over meanwhile."""
        if isinstance(outcome, Later) and outcome.counts and claim.attempt >= ATTEMPTS:
            outcome = Never(f"{outcome.why}, after {claim.attempt} attempts")
        async with self.store.unit() as unit:
            if claim.incident is not None:
                await unit.lock(claim.incident)
            match outcome:
                case Done(record):
                    mine = await intents.settle_done(unit, claim, self.owner)
                case Later(why, after, uncertain, counts):
                    wait, record = after or backoff(claim.attempt), _nothing
                    mine = await intents.settle_later(
                        unit, claim, self.owner, after=wait, why=why, uncertain=uncertain, counts=counts
                    )
                case Never(why, record):
                    mine = await intents.settle_never(unit, claim, self.owner, why=why)
                    if mine:
                        await self.gave_up(unit, claim, why)
                case _:
                    assert_never(outcome)
            if not mine:
                log.warning("intent.lease_lost", intent=claim.key, incident=claim.incident)
                return
            await record(unit)
        log.info(
            "intent.settled",
            intent=claim.key,
            incident=claim.incident,
            outcome=type(outcome).__name__,
            attempt=claim.attempt,
        )
