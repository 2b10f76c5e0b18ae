"""One run, carried out: its pack is read, replayed by the engine, and every trial kept, in the lease's own transaction.

Decides how often the lease is renewed and the room's message updated, and when the engine must end. What is sent and what it
means is `bot.validation`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

import structlog

from bot.cases import evidence, validated
from bot.cases.context import Context
from bot.cases.reached import reached
from bot.incident.columns import Json
from bot.incident.errors import Busy, Misconfigured
from bot.incident.incident import SYSTEM
from bot.incident.validation import Trial, ValidationRun
from bot.incident.words import RunState
from bot.settings_targets import TargetSettings
from bot.store import queries, validations
from bot.validation import engine
from bot.validation.pack import Pack
from bot.validation.plan import Plan, Progress, Tried
from bot.validation.report import Report
from bot.validation.targets import Target, open_target

log = structlog.get_logger()

BEAT = 1.0
"""Seconds between looks at the run's row: whoever stops it waits no longer than that."""
SHOW_EVERY = 3.0
"""Seconds between updates of the message in the room: Slack takes about one a second for a channel, all posts together."""
PAUSE = 5.0
"""Seconds, and once more for each time, before a run is taken again after an accident of ours."""
MOST_FAILURES = 3
"""Accidents of ours after which a run is called inconclusive instead of begun again."""


class Lost(Exception):
    """The run is another process's by now: nothing is written to it any more."""


class Carrying:
    def __init__(self, ctx: Context, env: Mapping[str, str], run: ValidationRun, owner: str) -> None:
        assert run.id is not None
        self._ctx, self._env, self._run, self._owner, self._id = ctx, env, run, owner, run.id
        self._stop, self._over = asyncio.Event(), asyncio.Event()
        self._returning = False
        self._progress: Json = {}
        self._shown: Json = {}
        self._shown_at = 0.0

    def give_back(self) -> None:
        """End soon, keep what ended, and leave the rest to whoever takes it next."""
        self._returning = True
        self._stop.set()

    async def carry_out(self) -> None:
        """Raises FirsthourError where it cannot be carried out at all."""
        settings = self._ctx.org.targets.get(self._run.target)
        if settings is None:
            raise Misconfigured(f"The target {self._run.target} is not configured any more.")
        pack = await self._pack()
        async with open_target(self._run.target, settings, self._env) as target:
            beating = asyncio.create_task(self._beat(), name=f"validation:{self._id}:beat")
            try:
                report = await self._replay(pack, target, settings)
            except Lost:
                log.info("validation.lease_lost", run=self._id)
                return
            finally:
                self._over.set()  # never cancelled: a transaction cut off in its beginning keeps SQLite's writers waiting
                await beating
        if report is not None:
            await validated.finish(self._ctx, self._id, self._owner, report)
        elif self._returning:
            await self.hand_back()
        log.info("validation.ended", run=self._id, verdict=report.verdict.value if report else None)

    async def _pack(self) -> Pack:
        """Read from the vault, which is recorded. Raises Missing, Invalid."""
        async with self._ctx.store.read() as session:
            piece = await validations.pack_of(session, self._run)
        content = await evidence.read(self._ctx, SYSTEM, self._run.incident, piece.id or 0, via="validation")
        return Pack.from_bytes(content)

    async def _replay(self, pack: Pack, target: Target, settings: TargetSettings) -> Report | None:
        async with self._ctx.store.read() as session:
            done = await validations.kept(session, self._id)
        if not done:
            await self._told_version(await target.version())
        return await engine.run(
            pack,
            target,
            Plan.from_json(self._run.plan),
            now=self._ctx.store.now,
            done=done,
            keep=self._keep,
            progress=self._note,
            stop=self._stop,
            contained=lambda: self._contained(settings.user),
            version_before=self._run.target_version if done else None,
        )

    async def _told_version(self, version: str | None) -> None:
        async with self._ctx.store.unit() as unit:
            _, run = await validations.locked(unit, self._id)
            if run.lease_owner == self._owner:
                run.target_version = version
        self._run.target_version = version

    async def _contained(self, identity: str) -> bool:
        async with self._ctx.store.read() as session:
            incident = await queries.incident(session, self._run.incident)
            return bool(await reached(session, incident, identity))

    def _note(self, progress: Progress) -> None:
        self._progress = asdict(progress)

    async def _keep(self, tried: Sequence[Tried]) -> None:
        """Trials and lease in one transaction: who has lost the one keeps none of the other."""
        await self._renew([self._trial(one) for one in tried])

    def _trial(self, tried: Tried) -> Trial:
        fields = {name: value for name, value in asdict(tried).items() if name != "calls"}
        return Trial(run=self._id, **fields)

    async def _beat(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), BEAT)
                return
            try:
                await self._renew([])
            except Lost:
                return
            except Busy as error:  # the lease lasts for a few more beats
                log.warning("validation.not_renewed", run=self._id, why=str(error))

    async def _renew(self, trials: Sequence[Trial]) -> None:
        """Raises Lost where another process holds it. Where it was stopped, what ended is kept and the engine ends."""
        now = asyncio.get_running_loop().time()
        shows = self._progress != self._shown and now - self._shown_at >= SHOW_EVERY
        async with self._ctx.store.unit() as unit:
            await unit.lock(self._run.incident)
            state = await validations.renew(unit, self._id, self._owner)
            if state is not None:
                await validations.keep(unit, trials)
            if state is RunState.RUNNING and shows:
                await validations.show_progress(unit, self._id, dict(self._progress))
        if shows:
            self._shown, self._shown_at = dict(self._progress), now
        if state is not RunState.RUNNING:
            self._stop.set()
        if state is None:
            raise Lost

    async def failed(self) -> None:
        """An accident of ours. After a few of them nobody is made to wait any longer."""
        async with self._ctx.store.read() as session:
            before = int((await validations.run(session, self._id)).report.get("failures", 0))
        if before + 1 >= MOST_FAILURES:
            why = "Something went wrong on our side each time it was tried. Tell whoever runs Firsthour, and start a new one."
            await validated.give_up(self._ctx, self._id, self._owner, why)
        else:
            await self.hand_back(after=timedelta(seconds=PAUSE * (before + 1)), failed=True)

    async def hand_back(self, *, after: timedelta = timedelta(), failed: bool = False) -> None:
        async with self._ctx.store.unit() as unit:
            await validations.give_back(unit, self._id, self._owner, after=after, failed=failed)
