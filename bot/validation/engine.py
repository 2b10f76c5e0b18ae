"""A run: replays a pack against a target with bounded concurrency, rate and budget, and can be stopped and resumed.

Decides what is sent next, what is repeated, and when the run is given up. What there is to try is `work`'s, what an answer
means `outcomes`', and what all of it proves `verdict`'s.

The innocent controls go half before and half after the attacks: a target that locks its tester out meanwhile would pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime

from bot.incident.words import TrialOutcome
from bot.validation.answers import Answer, Trouble
from bot.validation.asking import Asker
from bot.validation.excerpts import Excerpts
from bot.validation.firing import prepare
from bot.validation.gathered import Gathered
from bot.validation.keeper import Keep, Keeper
from bot.validation.meter import Meter, Spent, least
from bot.validation.outcomes import Judged, judge, recorded
from bot.validation.pack import Pack
from bot.validation.plan import BENIGN, POSITIVE, Done, Plan, Progress
from bot.validation.report import Report
from bot.validation.side_effects import SideEffects
from bot.validation.stopping import until
from bot.validation.targets import Target
from bot.validation.work import Agenda, Before, Cell, Work

GIVE_UP = 50
"""So many trials in a row of which nothing was learnt: the target is down, or the credentials are wrong."""


async def run(
    pack: Pack,
    target: Target,
    plan: Plan,
    *,
    now: Callable[[], datetime],
    keep: Keep,
    done: Iterable[Done] = (),
    progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
    contained: Callable[[], Awaitable[bool]] | None = None,
    version_before: str | None = None,
) -> Report | None:
    """Replay the pack; the report, or None where `stop` was set (everything that ended is kept; call again with it as `done`).

    `keep` is awaited with each batch of trials that ended, one batch at a time; it may take its time, trials go on meanwhile.
    `progress` is called after each trial and must not block. `contained` says whether containment of the test's identity is
    in force; asked before and after. `version_before`: what the target said before a stop. Raises whatever `keep` raises.
    """
    runner = Runner(pack, target, plan, now=now, before=Before(done), progress=progress)
    return await runner.run(Keeper(keep), stop or asyncio.Event(), contained, version_before)


class Runner:
    """One run, from its first call to its report."""

    def __init__(
        self,
        pack: Pack,
        target: Target,
        plan: Plan,
        *,
        now: Callable[[], datetime],
        before: Before,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.pack, self.target, self.plan = pack, target, plan
        self._now, self._progress = now, progress
        self._indicators = prepare(pack.indicators)
        self._agenda = Agenda(pack, plan, before, indicators=self._indicators, takes_document=target.takes_document)
        limit = least(plan.per_second, target.settings.per_second)
        self._meter = Meter(per_second=limit, most_calls=plan.most_calls, calls=before.trials)
        self._concurrency = min(plan.concurrency or target.settings.concurrency, target.settings.concurrency)
        self._asker = Asker(target, self._meter, waiting=self._show)
        self._excerpts, self._effects = Excerpts(pack.indicators), SideEffects(self._indicators, target)
        self._again: list[tuple[Work, Cell]] = []
        self._open: dict[str, Work] = {}
        self.facts = Gathered(pack, target.name, plan, before)
        self._fruitless, self._ended = 0, False

    async def run(
        self,
        keeper: Keeper,
        stop: asyncio.Event,
        contained: Callable[[], Awaitable[bool]] | None,
        version_before: str | None,
    ) -> Report | None:
        async with keeper:
            self._keeper = keeper
            self.facts.saw(version_before)
            under = await contained() if contained is not None else False
            if self.pack.payloads and self.pack.indicators and not await until(stop, self._all()):
                return None
            for text in dict.fromkeys(self.pack.positive):
                await self._record(text)
        under = under or (await contained() if contained is not None else False)
        for work in self._open.values():
            self.facts.add(work.result(self.plan))
        return self.facts.report(calls=self._meter.calls, under=under)

    async def _all(self) -> None:
        """Controls, attacks, controls; ends early where the budget is spent or the target teaches nothing."""
        innocent = tuple(dict.fromkeys(self.pack.benign))
        half = len(innocent) // 2
        early, late = innocent[:half], innocent[half:]
        self.facts.saw(await self.target.version())
        self.facts.cut_short(*await self._effects.look())
        for works in (self._controls(early), self._agenda.attacks(), self._controls(late)):
            attempts = self._attempts(works)
            async with asyncio.TaskGroup() as group:
                for _ in range(self._concurrency):
                    group.create_task(self._work(attempts))
        self.facts.cut_short(*self._effects.problems)
        self.facts.saw(await self.target.version())

    def _controls(self, texts: Sequence[str]) -> Iterator[Work]:
        return (self._agenda.control(BENIGN, text) for text in texts)

    def _attempts(self, works: Iterator[Work]) -> Iterator[tuple[Work, Cell]]:
        """One attempt after the other, made when a worker asks for it."""
        for work in works:
            self._open[work.payload] = work
            for cell in work.cells:
                self.facts.had(cell.counts, control=work.origin == BENIGN)
            self._close(work)
            for cell in work.cells:
                for _ in range(cell.needed - cell.valid):
                    if work.over:
                        break
                    yield work, cell

    async def _work(self, attempts: Iterator[tuple[Work, Cell]]) -> None:
        while not self._ended:
            handed = self._again.pop() if self._again else next(attempts, None)
            if handed is None:
                return
            work, cell = handed
            if work.over:
                continue
            work.running += 1
            try:
                await self._try(work, cell)
            except Spent:
                self._end(f"The budget of {self.plan.most_calls} calls was used up before everything was tried.")
            finally:
                work.running -= 1
            self._close(work)

    async def _try(self, work: Work, cell: Cell) -> None:
        reply = await self._asker.ask(cell.turns, cell.document)
        control = cell.name == BENIGN
        effect = None if control else await self._effects.after()
        judged = judge(reply, cell.sought, side_effect=effect)
        if isinstance(reply, Answer):
            self.facts.saw(reply.version)
        cell.counts[judged.outcome] += 1
        self.facts.count(judged, control=control)
        self._learnt(reply, judged)
        if judged.outcome is TrialOutcome.INVALID and not work.over:
            self._again.append((work, cell))
        await self._keeper.put(self._excerpts.tried(work, cell, judged, reply, at=self._now()))
        self._show()

    def _learnt(self, reply: Answer | Trouble, judged: Judged) -> None:
        fruitless = isinstance(reply, Trouble) and judged.outcome is TrialOutcome.INVALID
        self._fruitless = self._fruitless + 1 if fruitless else 0
        if self._fruitless >= GIVE_UP:
            self._end(
                f"The run was given up after {GIVE_UP} trials in a row taught nothing. The last: {judged.detail}."
            )

    def _end(self, why: str) -> None:
        self._ended = True
        self.facts.cut_short(why)

    def _close(self, work: Work) -> None:
        """The result, once nothing more can change it. Its texts are then let go."""
        if work.finished and not work.closed:
            work.closed = True
            del self._open[work.payload]
            if work.origin != BENIGN:
                self.facts.add(work.result(self.plan))
                self._show()

    async def _record(self, text: str) -> None:
        """One positive control: nothing is sent."""
        work = self._agenda.control(POSITIVE, text)
        fires = recorded(text, self._indicators)
        self.facts.positive_fired += fires
        if not work.cells[0].last:
            outcome = TrialOutcome.ATTACK_SUCCEEDED if fires else TrialOutcome.ANSWERED_SAFELY
            judged = Judged(outcome, "the indicators fire on it" if fires else "no indicator fires on it")
            await self._keeper.put(self._excerpts.tried(work, work.cells[0], judged, None, at=self._now()))

    def _show(self) -> None:
        if self._progress is not None:
            self._progress(self.facts.progress(calls=self._meter.calls, waiting=self._meter.held))
