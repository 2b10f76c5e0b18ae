"""One run of the crash proof: processes, faults, kills, quiet, and then the checker's verdict.

Decides when to kill (from a seed), what fails, and when there is quiet. Whether all is well is `checker`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlmodel import col, select

from bot.demo import organisation
from bot.incident.outward import Intent, IntentState
from bot.practice.ai_app import AdminFault, PracticeAiApp
from bot.practice.server import PracticeWorkspace
from bot.store import Store
from tests.crash import checker
from tests.crash.traffic import Traffic
from tests.process import Bot, Forked

SPEED = 6.0
"""The first hour in ten minutes, so that reminders fall due during a run."""
LATENCY = 0.1
LIVES = (0.1, 4.0)
"""Seconds that a process lives, once it is ready."""
STILLBORN, BIRTH, FORKED_BIRTH = 0.2, (0.3, 2.0), (0.05, 0.8)
"""So often a process is killed while it starts, after so many seconds. Imports are none of a forked one's."""
QUIET_WITHIN, RESTS = 15.0, 12
"""Seconds, and how often they are given. Slack's limits leave much to be done at the end, and a new process has a new budget."""
TAKEN_OVER_WITHIN = 15.0
SHORT = 20
"""Fewer kills are the short form: processes are forked, and one takeover is measured instead of one of each."""
METHODS = ("chat.*", "conversations.*", "pins.*", "users.*", "usergroups.*", "response_url")
ADMIN_FAULTS: tuple[AdminFault, ...] = ("error_before", "error_after", "reset_after", "delay")


@dataclass
class Verdict:
    kills: int
    alerts: int
    seconds: float
    problems: list[str]
    takeovers: list[float] = field(default_factory=list)
    """Seconds from a replica's death until nothing was left in its hand."""
    log: Path | None = None

    def __str__(self) -> str:
        slowest = f", work taken over within {max(self.takeovers):.1f} s" if self.takeovers else ""
        found = f"{len(self.problems)} problems" if self.problems else "0 lost, 0 doubled"
        lines = [f"{self.kills} kills, {self.alerts} alerts, {self.seconds:.0f} s{slowest}: {found}", *self.problems]
        return "\n  ".join(lines)


async def storm(folder: Path, database_url: str, *, kills: int, seed: int, replicas: int = 1) -> Verdict:
    """Run it. `database_url` names an empty SQLite file, or a migrated PostgreSQL database for several replicas."""
    began = time.monotonic()
    async with (
        PracticeWorkspace(latency=LATENCY, seed=seed) as workspace,
        PracticeAiApp(seed=seed) as ai_app,
        httpx.AsyncClient(timeout=30) as http,
    ):
        _faults(workspace)
        bots = _bots(folder, workspace, ai_app, database_url, replicas, Forked if kills < SHORT else Bot)
        traffic = Traffic(workspace, bots, seed)
        takeovers: list[float] = []
        try:
            await asyncio.gather(*(bot.start() for bot in bots))
            store = Store(database_url)
            async with _going_on(traffic, http):
                takeovers = await _kill(bots, store, ai_app, kills=kills, seed=seed)
            workspace.faults.clear()
            ai_app.admin.breaks.clear()
            await traffic.settle()
            await _come_to_rest(bots, store)
        finally:
            await asyncio.gather(*(bot.terminate() for bot in bots), return_exceptions=True)
        problems = await checker.check(workspace, ai_app, store, traffic.ledger.told, speed=SPEED)
        if replicas > 1:
            problems += [f"work was taken over after {t:.1f} s" for t in takeovers if t > TAKEN_OVER_WITHIN]
        await store.close()
        return Verdict(kills, traffic.ledger.sent, time.monotonic() - began, problems, takeovers, folder)


def _bots(
    folder: Path, workspace: PracticeWorkspace, ai_app: PracticeAiApp, database_url: str, replicas: int, kind: type[Bot]
) -> list[Bot]:
    config = folder / "organisation.yaml"
    config.write_text(organisation(ai_app, workspace, gated=False), encoding="utf-8")
    env = {
        "FIRSTHOUR_CONFIG": str(config),
        "FIRSTHOUR_SPEED": str(SPEED),
        "PRACTICE_ADMIN_TOKEN": ai_app.admin_token,
        "PRACTICE_CHAT_TOKEN": ai_app.chat_token,
        "PRACTICE_CREDENTIAL": ai_app.credential,
    }
    return [kind(workspace, database_url, folder / f"bot-{number}.log", **env) for number in range(replicas)]


def _faults(workspace: PracticeWorkspace) -> None:
    """A few of every hundred calls fail, before or after Slack did what was asked."""
    for method in METHODS:
        workspace.faults.add(method=method, kind="ratelimited", retry_after=1, times=None, probability=0.02)
        workspace.faults.add(method=method, kind="status", times=None, probability=0.02)
        workspace.faults.add(method=method, kind="reset", times=None, probability=0.02)
        workspace.faults.add(method=method, when="after", kind="status", times=None, probability=0.03)
        workspace.faults.add(method=method, when="after", kind="reset", times=None, probability=0.05)


@contextlib.asynccontextmanager
async def _going_on(traffic: Traffic, http: httpx.AsyncClient) -> AsyncIterator[None]:
    running = asyncio.create_task(traffic.run(http, alerts_every=3.0, acts_every=0.2))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _kill(bots: list[Bot], store: Store, ai_app: PracticeAiApp, *, kills: int, seed: int) -> list[float]:
    """Kill one of them again and again, at instants that the seed chooses. Returns how long takeovers took."""
    chance = random.Random(seed)
    for _ in range(kills):
        bot = chance.choice(bots)
        if chance.random() < STILLBORN:
            await asyncio.sleep(chance.uniform(*(FORKED_BIRTH if isinstance(bot, Forked) else BIRTH)))
        else:
            await bot.ready()
            await asyncio.sleep(chance.uniform(*LIVES))
        if chance.random() < 0.3:
            ai_app.break_next(chance.choice(ADMIN_FAULTS))
        await bot.kill()
        await bot.spawn()
    await asyncio.gather(*(bot.ready() for bot in bots))
    if len(bots) == 1:
        return []
    return [await _takeover(bot, store) for bot in bots[: 1 if kills < SHORT else None]]


async def _takeover(bot: Bot, store: Store) -> float:
    """Kill one with work in its hands, the others alive. Returns the seconds until nothing is left in its hands."""
    await _until(store, bot.pid, holding=True)
    await bot.kill()
    began = time.monotonic()
    await _until(store, bot.pid, holding=False)
    took = time.monotonic() - began
    await bot.start()
    return took


async def _until(store: Store, pid: int, *, holding: bool) -> None:
    mine = select(Intent.id).where(Intent.state == IntentState.SENDING, col(Intent.lease_owner).contains(f":{pid}:"))
    async with asyncio.timeout(60):
        while True:
            async with store.read() as session:
                if ((await session.exec(mine)).first() is not None) is holding:
                    return
            await asyncio.sleep(0.02)


async def _come_to_rest(bots: list[Bot], store: Store) -> None:
    """Ended, with nothing left to be done: a reminder may fall due while they end, and is the next start's."""
    for _ in range(RESTS):
        with contextlib.suppress(TimeoutError):
            await quiet(store)
        await asyncio.gather(*(bot.terminate() for bot in bots))
        if not await _busy(store):
            return
        await asyncio.gather(*(bot.start() for bot in bots))


async def quiet(store: Store) -> None:
    """Nothing is left to be done outside, for so long that nothing was just about to begin. Raises TimeoutError."""
    quiet_since: float | None = None
    async with asyncio.timeout(QUIET_WITHIN):
        while quiet_since is None or time.monotonic() - quiet_since < 0.6:
            quiet_since = None if await _busy(store) else quiet_since or time.monotonic()
            await asyncio.sleep(0.1)


async def _busy(store: Store) -> bool:
    waiting = select(Intent.key).where(col(Intent.state).in_([IntentState.PENDING, IntentState.SENDING]))
    async with store.read() as session:
        return (await session.exec(waiting)).first() is not None
