"""Acts of `history` that nobody sees: leases of the dead, the gate's policy, scrapes, doctor, export, tuning.

What reads everything by its nature is no act: exports of whole registers, metrics of all time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.cases import custody
from bot.gate import rules
from bot.incident.outward import IntentKind
from bot.incident.policy import Wanted
from bot.incident.words import ActionKind, ScopeKind
from bot.ingress.measured import by_severity
from bot.store import deployment, export, firings, intents, queries, reminders, resync, suppressions, validations
from bot.store.counts import counts
from tests.benchmarks.history_rooms import APP, LEAK, home_opened, sweep, tidy
from tests.benchmarks.history_side import OWNER, Side

Act = Callable[[Side], Awaitable[object]]


async def dead_replica(side: Side) -> None:
    """A replica died with an intent in hand: it is taken over by its lease, then by a process that is alone."""
    latest = "SELECT max(id) FROM intent WHERE incident = :of"
    await side.change(f"UPDATE intent SET state = 'sending', lease_until = :now WHERE id = ({latest})")
    side.clock.advance(seconds=20)
    taken = await intents.claim(side.store, OWNER, limit=24)
    async with side.store.read() as session:
        await intents.more_urgent(session, taken[0], side.clock.now)
    await intents.release(side.store, OWNER, [claim.id for claim in taken])
    await intents.inherit(side.store)
    await validations.inherit(side.store)


async def settles_later(side: Side) -> None:
    async with side.store.unit() as unit:
        await unit.intend(IntentKind.POST, f"bench:{next(side.fresh)}", incident=await unit.incident(side.target))
    for claim in await intents.claim(side.store, OWNER, limit=24):
        async with side.store.unit() as unit:
            await intents.settle_later(unit, claim, OWNER, after=timedelta(0), why="bench", uncertain=False)
            await intents.waiting(unit, side.target, "bench:")
            await intents.hurry(unit, side.target, "bench")
    for claim in await intents.claim(side.store, OWNER, limit=24):
        async with side.store.unit() as unit:
            await intents.settle_never(unit, claim, OWNER, why="bench")


async def gate(side: Side) -> None:
    """A block is put, looked for, taken over by a gate and lifted."""
    policy, key = rules.StoredPolicy(side.store), f"bench:{next(side.fresh)}"
    put = await policy.put(Wanted(key, side.target, ActionKind.BLOCK_USER, ScopeKind.USER, "eve"))
    await policy.holding(ActionKind.BLOCK_USER, ScopeKind.USER, "eve")
    await policy.gates()
    async with side.store.read() as session:
        await rules.changes(session, put.version - 1)
    await policy.remove(key)


async def gate_starts(side: Side) -> None:
    async with side.store.read() as session:
        await rules.changes(session, None)


async def validation_looks(side: Side) -> None:
    """What the worker asks twice a second."""
    async with side.store.read() as session:
        assert not await validations.waiting(session, side.clock.now)


async def scrape(side: Side) -> None:
    async with side.store.read() as session:
        await counts(session, side.clock.now)
        await suppressions.running(session, side.clock.now)


async def doctored(side: Side) -> None:
    async with side.store.read() as session:
        await queries.known(session, range(1, 100))
    await deployment.known(side.store)
    async with side.store.unit() as unit:
        await resync.resync(unit, side.target)


async def exported(side: Side) -> None:
    async with side.store.read() as session:
        await export.export(session, side.target, side.clock.now)


async def verified(side: Side) -> None:
    await custody.verify(side.store, lambda: side.vault, side.target)


async def tuned(side: Side) -> None:
    """What `firsthour tune` asks about one day."""
    async with side.store.read() as session:
        now = side.clock.now
        await firings.firings(session, "native", LEAK, now - timedelta(days=1), now, app=APP)


async def put_off(side: Side) -> None:
    async with side.store.unit() as unit:
        await reminders.put_off(unit, side.target, timedelta(minutes=1))
        await reminders.stop_orphans(unit, [10**6])


async def room(side: Side) -> None:
    async with side.store.read() as session:
        await queries.in_channel(session, "C0NOWHERE")


async def case_file(side: Side) -> None:
    async with side.store.read() as session:
        await queries.case_file(session, side.target, side.clock.now)


READS: tuple[tuple[str, Act], ...] = (
    ("whose room is this", room), ("a case file", case_file), ("metrics, 90 d, scraped", lambda side: by_severity(side.ctx)()),
    ("scrape", scrape), ("sweep, nothing due", sweep), ("tidy", tidy), ("Home tab", home_opened),
)  # fmt: skip
CHECKED: tuple[tuple[str, Act], ...] = (
    ("verify", verified), ("export", exported), ("doctor", doctored), ("deliver after doctor", Side.deliver),
)  # fmt: skip
MACHINERY: tuple[tuple[str, Act], ...] = (
    ("leases of the dead", dead_replica), ("settled later, never", settles_later), ("gate: put, hold, lift", gate),
    ("gate starts", gate_starts), ("validations, nothing waits", validation_looks), ("tune, one day", tuned),
    ("reminders put off", put_off),
)  # fmt: skip
