"""Ticks: twenty times a second it has due reminders decided, once a minute it tidies. One of the three edges.

Decides when to look, and that nothing that goes wrong in one incident stops the clock for the others. APScheduler keeps no
job of ours: what is due stands in the store, so a restart has nothing to load (reference: measurements, Clock).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]

from bot.cases.context import Context
from bot.cases.remind import Late, due_incidents, sweep, unheard
from bot.cases.suppress import expire
from bot.store import reminders

log = structlog.get_logger()

TICK = 0.05
"""Seconds."""
LIMIT = 1000
TIDY_MINUTES = 1
REMEMBERED = timedelta(days=7)
"""How long an inbound act is remembered: far longer than anybody redelivers (Slack: hours, Alertmanager: minutes)."""
PUT_OFF = timedelta(minutes=1)
"""Until an incident whose reminders could not be decided is looked at again."""


class Clock:
    """`start` in a running loop, `stop` before the store closes."""

    def __init__(self, ctx: Context, *, late: Late = unheard) -> None:
        self.ctx, self.late = ctx, late
        self._ticking = asyncio.Lock()
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        every = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler.add_job(self.tick, "interval", seconds=TICK, id="sweep", **every)
        self._scheduler.add_job(self.tidy, "interval", minutes=TIDY_MINUTES, id="tidy", **every)
        self._scheduler.start()

    async def stop(self) -> None:
        """Tick no more, and let a tick that is under way finish its transaction."""
        self._scheduler.pause()
        async with self._ticking:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        async with self._ticking:
            try:
                await sweep(self.ctx, limit=LIMIT, late=self.late)
            except Exception:
                log.exception("clock.sweep_failed")
                await self._one_by_one()

    async def tidy(self) -> None:
        async with self._ticking:
            try:
                async with self.ctx.store.unit() as unit:
                    forgotten = await reminders.forget_inbound(unit, unit.now - REMEMBERED)
                await expire(self.ctx.store)
            except Exception:
                log.exception("clock.tidy_failed")
            else:
                log.debug("clock.tidied", forgotten=forgotten)

    async def _one_by_one(self) -> None:
        """A batch failed: find the incident it failed on, decide the others, and look at that one again later."""
        try:
            for number in await due_incidents(self.ctx, limit=LIMIT):
                await self._alone(number)
        except Exception:  # the store itself cannot be reached: the next tick tries again
            log.exception("clock.store_failed")

    async def _alone(self, number: int) -> None:
        try:
            await sweep(self.ctx, late=self.late, only=number)
        except Exception:
            log.exception("clock.incident_failed", incident=number)
            async with self.ctx.store.unit() as unit:
                await reminders.put_off(unit, number, PUT_OFF)
