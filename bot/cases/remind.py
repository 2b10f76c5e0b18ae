"""Reminders that fell due: whether anything has to be said now, and what. Told once, whoever sweeps (design law 13).

Decides what still counts at this moment; a reminder is only an occasion to look. When to look is `first_hour`'s plan, who
ticks is `bot.clock`, and the words are the cards'. What is done is not reminded of (design law 16).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.cases import item_reminders, monitoring, regression, review, risks, similar
from bot.cases.call_next import call_next
from bot.cases.context import Context
from bot.cases.expire import expire
from bot.cases.first_hour import next_update
from bot.cases.missing import missing
from bot.cases.phases import begin
from bot.cases.temporary import over
from bot.incident.casefile import CaseFile
from bot.incident.columns import Json
from bot.incident.errors import NotFound
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import OUTLIVES, IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Phase
from bot.playbook.first_hour import Window
from bot.store import Unit, reminders
from bot.store.reminders import Due, Fired

log = structlog.get_logger()

BEHIND = 1.5
"""Minutes after which several reminders of one incident are no longer told one by one: the process was down."""
Late = Callable[[float], None]
"""Called with how many seconds after its time a reminder was decided and committed."""


BATCH = 200
"""Incidents decided in one transaction. A batch costs twenty statements whatever its size: a quarter of it for 100."""
AT_ONCE = 2
"""Batches side by side: while one waits for the database another decides."""
BREATH = 25
"""Incidents decided before the loop is given back for a moment, so that no acknowledgement waits for a whole batch."""


@dataclass(frozen=True)
class Case:
    """One incident while its reminders are decided, inside the transaction that marked them as fired."""

    ctx: Context
    unit: Unit
    incident: Incident
    windows: Sequence[Window]
    file: CaseFile | None
    """What was done so far; None where no reminder that fell due asks for it."""


def unheard(_: float) -> None:
    return None


async def sweep(ctx: Context, *, limit: int = 1000, late: Late = unheard, only: int | None = None) -> int:
    """Decide about everything that is due, looking at `limit` incidents at a time. Returns how many reminders fired.

    `only` restricts it to one incident, so that one that cannot be decided about does not hold up the others.
    """
    fired = 0
    while True:
        numbers = [only] if only is not None else await due_incidents(ctx, limit=limit)
        batches = [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]
        turns = asyncio.Semaphore(AT_ONCE)
        round_fired = await _together(_in_turn(turns, _batch(ctx, batch, late)) for batch in batches)
        fired += round_fired
        if round_fired == 0 or only is not None or len(numbers) < limit:
            return fired


async def _together(batches: Iterable[Coroutine[Any, Any, int]]) -> int:
    """All of them end before the first failure is raised."""
    fired = await asyncio.gather(*batches, return_exceptions=True)
    for one in fired:
        if isinstance(one, BaseException):
            raise one
    return sum(one for one in fired if isinstance(one, int))


async def _in_turn(turns: asyncio.Semaphore, batch: Coroutine[Any, Any, int]) -> int:
    async with turns:
        return await batch


async def due_incidents(ctx: Context, *, limit: int) -> Sequence[int]:
    async with ctx.store.read() as session:
        return await reminders.due(session, ctx.store.now(), limit=limit)


async def _batch(ctx: Context, numbers: Sequence[int], late: Late) -> int:
    async with ctx.store.unit() as unit:
        claimed = await reminders.claim(unit, numbers)
        if len(claimed) < len(numbers):
            for number in await reminders.stop_orphans(unit, numbers):
                log.warning("reminders.orphaned", incident=number)
        running = [due for due in map(_still_counts, claimed) if due.reminders]
        asking = [due.incident for due in running if any(one.kind in ASK_WHAT_IS_DONE for one in due.reminders)]
        files = await reminders.progress(unit.session, asking, unit.now)
        windows = {severity: ctx.playbook.windows(severity) for severity in {due.incident.severity for due in running}}
        for decided, due in enumerate(running, 1):
            incident = due.incident
            await _decide(Case(ctx, unit, incident, windows[incident.severity], files.get(incident.number)), due)
            if decided % BREATH == 0:
                await asyncio.sleep(0)
    told = [reminder for due in claimed for reminder in due.reminders]
    for reminder in told:
        late((ctx.store.now() - reminder.due_at).total_seconds())
    if told:
        log.info("reminders.fired", incidents=[due.incident.number for due in claimed], fired=len(told))
    return len(told)


def _still_counts(due: Due) -> Due:
    """After the end only what it does not stop is asked about."""
    if due.incident.ended_at is None:
        return due
    return Due(due.incident, [one for one in due.reminders if one.kind in OUTLIVES])


async def _decide(case: Case, due: Due) -> None:
    said = [
        (reminder, message) for reminder in due.reminders if (message := await DECIDES[reminder.kind](case, reminder))
    ]
    behind = case.unit.now - due.reminders[0].due_at > case.ctx.minutes(BEHIND)
    if len(said) > 1 and behind:
        said = [(said[-1][0], {"message": "catch_up", "items": [message for _, message in said]})]
    for reminder, message in said:
        key = f"post:reminder:{reminder.key}"
        await case.unit.intend(IntentKind.POST, key, incident=case.incident, args=message)


async def _window_start(case: Case, reminder: Fired) -> Json | None:
    window = _window(case, reminder)
    if window is None:
        return None
    if window is case.windows[-1]:
        await begin(case.unit, case.incident, Phase.INVESTIGATION)
    case.unit.refresh(case.incident)  # the card says which window runs
    over = case.unit.now >= case.incident.declared_at + case.ctx.minutes(window.end_minutes)
    return None if over else {"message": "window_started", "window": window.id}


async def _window_nudge(case: Case, reminder: Fired) -> Json | None:
    window = _window(case, reminder)
    if window is None or case.file is None or not (lacks := missing(case.file, window)):
        return None
    named = [need["id"] for need in lacks]
    case.unit.record(case.incident, Happened.REMINDED, SYSTEM, about="window_nudge", window=window.id, missing=named)
    return {"message": "window_nudge", "window": window.id, "missing": lacks}


def _window(case: Case, reminder: Fired) -> Window | None:
    """None where the playbook has changed and has no such window any more."""
    return next((window for window in case.windows if window.id == reminder.args["window"]), None)


async def _acknowledge(case: Case, reminder: Fired) -> Json | None:
    return await call_next(case.ctx, case.unit, case.incident, reminder)


async def _action_expiring(case: Case, reminder: Fired) -> Json | None:
    """The message itself is silent where everything was decided meanwhile."""
    return {"message": "expiring_actions", "until": reminder.args["until"]}


async def _action_expiry(case: Case, reminder: Fired) -> Json | None:
    try:
        await expire(case.ctx, case.unit, case.incident, int(reminder.args["action"]))
    except NotFound:  # deleted by hand
        log.warning("reminder.action_gone", incident=case.incident.number)
    return None


async def _temporary_over(case: Case, reminder: Fired) -> Json | None:
    try:
        return await over(case.ctx, case.unit, case.incident, reminder.args)
    except NotFound:  # deleted by hand
        log.warning("reminder.action_gone", incident=case.incident.number)
        return None


async def _update_due(case: Case, reminder: Fired) -> Json | None:
    """Silent where an update went out meanwhile; the next one is counted from there."""
    every = case.ctx.playbook.severities[case.incident.severity].update_every_minutes
    if not every or case.file is None:
        return None
    cadence, now = case.ctx.minutes(every), case.unit.now
    last = max((update.at for update in case.file.updates), default=None)
    if last is not None and last + cadence > now:
        await case.unit.remind(next_update(case.incident, last + cadence))
        return None
    case.unit.record(case.incident, Happened.REMINDED, SYSTEM, about="update_due")
    await case.unit.remind(next_update(case.incident, now + cadence))
    return {"message": "update_due"}


async def _item_due(case: Case, reminder: Fired) -> Json | None:
    """Its owner is told directly, so the room is not."""
    await item_reminders.fall_due(case.ctx, case.unit, case.incident, reminder)
    return None


async def _risk_due(case: Case, reminder: Fired) -> Json | None:
    await risks.fall_due(case.unit, reminder)
    return None


async def _monitoring_over(case: Case, reminder: Fired) -> Json | None:
    return await monitoring.over(case.unit, case.incident, reminder)


async def _similar(case: Case, _: Fired) -> Json | None:
    return await similar.tell(case.unit, case.incident)


async def _review_due(case: Case, reminder: Fired) -> Json | None:
    return await review.due(case.ctx, case.unit, case.incident, reminder.args)


async def _regression_due(case: Case, reminder: Fired) -> Json | None:
    await regression.due(case.ctx, case.unit, case.incident, reminder.args)
    return None


ASK_WHAT_IS_DONE = frozenset({ReminderKind.WINDOW_NUDGE, ReminderKind.UPDATE_DUE})
DECIDES: dict[ReminderKind, Callable[[Case, Fired], Awaitable[Json | None]]] = {
    ReminderKind.WINDOW_START: _window_start,
    ReminderKind.WINDOW_NUDGE: _window_nudge,
    ReminderKind.ACKNOWLEDGE: _acknowledge,
    ReminderKind.ACTION_EXPIRING: _action_expiring,
    ReminderKind.ACTION_EXPIRY: _action_expiry,
    ReminderKind.UPDATE_DUE: _update_due,
    ReminderKind.TEMPORARY_OVER: _temporary_over,
    ReminderKind.REGRESSION_DUE: _regression_due,
    ReminderKind.REVIEW_DUE: _review_due,
    ReminderKind.SIMILAR: _similar,
    ReminderKind.ITEM_DUE: _item_due,
    ReminderKind.RISK_DUE: _risk_due,
    ReminderKind.MONITORING_OVER: _monitoring_over,
}
"""Each changes what follows from the moment and returns what the room should be told, or None."""
