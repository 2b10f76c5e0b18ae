"""The worker of validations: one process holds a run at a time, by a lease that it renews. One of the edges.

Decides which run is taken, that nothing is sent for a run that is stopped or another process's, and what becomes of one that
cannot be carried out. How a run is carried out is `carrying`'s; what follows from its end is `bot.cases.validated`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from bot.cases import validated
from bot.cases.context import Context
from bot.incident.errors import Busy, FirsthourError, Missing, NotFound, VaultFailed
from bot.incident.validation import ValidationRun
from bot.store import validations
from bot.validating.carrying import Carrying

log = structlog.get_logger()

AT_ONCE = 2
"""Runs of one process side by side. Each has a target's own concurrency and rate."""
POLL = 0.5
"""Seconds between looks, one small question each. Not woken by commits: a burst of alerts has hundreds of them."""


class Validating:
    """`start` in a running loop; `stop` before the store closes: what runs is given back, and goes on after the next start."""

    def __init__(self, ctx: Context, env: Mapping[str, str], *, owner: str) -> None:
        self._ctx, self._env, self._owner = ctx, env, owner
        self._wake = asyncio.Event()
        self._in_hand: dict[int, tuple[asyncio.Task[None], Carrying]] = {}
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._ctx.store.alone and (left := await validations.inherit(self._ctx.store)):
            log.info("validations.inherited", count=left)
        self._loop = asyncio.create_task(self._run(), name="validating")

    async def stop(self, *, within: float = 5.0) -> None:
        """In so many seconds. What does not end by then is cut off; its trials in flight are sent again."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        held = dict(self._in_hand.values())
        for carrying in held.values():
            carrying.give_back()
        if held:
            _, late = await asyncio.wait(held, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            for task in late:
                with contextlib.suppress(Busy):  # then its lease runs out
                    await held[task].hand_back()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                while not self._stopping and len(self._in_hand) < AT_ONCE and await self._take():
                    pass
            except Busy as error:  # the next look tries again
                log.warning("validations.not_claimed", why=str(error))
            except Exception:
                log.exception("validations.claim_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL)

    async def _take(self) -> bool:
        store = self._ctx.store
        async with store.read() as session:
            if not await validations.waiting(session, store.now()):
                return False
        run = await validations.claim(store, self._owner, besides=list(self._in_hand))
        if run is None or run.id is None:
            return False
        carrying = Carrying(self._ctx, self._env, run, self._owner)
        task = asyncio.create_task(self._carry(run, carrying), name=f"validation:{run.id}")
        self._in_hand[run.id] = (task, carrying)
        task.add_done_callback(lambda _: self._ended(run.id or 0))
        return True

    def _ended(self, run_id: int) -> None:
        self._in_hand.pop(run_id, None)
        self._wake.set()

    async def _carry(self, run: ValidationRun, carrying: Carrying) -> None:
        assert run.id is not None
        try:
            await carrying.carry_out()
        except NotFound:
            log.warning("validation.gone", run=run.id)
        except Busy as error:  # its lease ends, and it is taken again, by whoever reaches the store
            log.warning("validation.store_busy", run=run.id, why=str(error))
        except FirsthourError as error:
            log.warning("validation.impossible", run=run.id, why=type(error).__name__)
            if isinstance(error, VaultFailed) and not isinstance(error, Missing):  # it may answer the next time
                await carrying.failed()
            else:  # for a person: the target, its token or the pack is not there
                await validated.give_up(self._ctx, run.id, self._owner, str(error))
        except Exception:
            log.exception("validation.failed", run=run.id, incident=run.incident)
            with contextlib.suppress(Busy):  # then its lease runs out
                await carrying.failed()
