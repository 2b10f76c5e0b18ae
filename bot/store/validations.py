"""Validation runs and their trials in the store: who may carry one out, what was kept, what an incident's runs prove.

Decides that one process holds a run at a time (a lease, as for intents) and that a trial is kept once, whoever sends it again.
What a run asks for and what its outcome means is `bot.cases.validation`'s; how it is carried out is `bot.validating`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.columns import Json
from bot.incident.errors import NotFound
from bot.incident.evidence import Evidence
from bot.incident.incident import Incident
from bot.incident.outward import Intent, SurfaceKind
from bot.incident.proof import Standing, reopened, standing
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.validation import Trial, ValidationRun
from bot.incident.words import RunState, TrialOutcome
from bot.store.engine import Store
from bot.store.unit import Unit, rearm

LEASE = timedelta(seconds=15)
"""A killed process's run is taken over after this."""
UNFINISHED = (RunState.QUEUED, RunState.RUNNING)


async def run(session: AsyncSession, run_id: int) -> ValidationRun:
    """Raises NotFound."""
    found = await session.get(ValidationRun, run_id)
    if found is None:
        raise NotFound(f"There is no validation {run_id}.")
    return found


async def locked(unit: Unit, run_id: int) -> tuple[Incident, ValidationRun]:
    """The run and its incident, locked, the incident first as in every use case. Raises NotFound."""
    incident = await unit.incident((await run(unit.session, run_id)).incident)
    wanted = select(ValidationRun).where(ValidationRun.id == run_id).with_for_update()
    return incident, (await unit.session.exec(wanted.execution_options(populate_existing=True))).one()


async def of_incident(session: AsyncSession, number: int) -> Sequence[ValidationRun]:
    """Oldest first."""
    mine = select(ValidationRun).where(ValidationRun.incident == number).order_by(col(ValidationRun.id))
    return (await session.exec(mine)).all()


async def going_on(session: AsyncSession, number: int) -> ValidationRun | None:
    """The run of this incident that is queued or running: there is one at a time."""
    mine = select(ValidationRun).where(
        ValidationRun.incident == number, col(ValidationRun.state).in_(UNFINISHED)
    )  # fmt: skip
    return (await session.exec(mine.limit(1))).first()


async def proven(session: AsyncSession, incident: Incident) -> Standing:
    """What the runs of this incident prove of its fix, as things are now."""
    moved = select(TimelineEntry).where(
        TimelineEntry.incident == incident.number, TimelineEntry.kind == Happened.STATUS_CHANGED
    )
    entries = (await session.exec(moved.order_by(col(TimelineEntry.seq)))).all()
    return standing(incident, await of_incident(session, incident.number), reopened(entries))


# Leases


async def waiting(session: AsyncSession, now: Any) -> bool:
    """Whether a run could be claimed now: asked before a claim, which writes."""
    return (await session.exec(select(ValidationRun.id).where(_free(now)).limit(1))).first() is not None


def _free(now: Any) -> Any:
    """Queued, or held by a process that no longer renews its lease."""
    over = or_(col(ValidationRun.lease_until).is_(None), col(ValidationRun.lease_until) <= now)
    return and_(col(ValidationRun.state).in_(UNFINISHED), over)


async def claim(store: Store, owner: str, *, besides: Collection[int] = ()) -> ValidationRun | None:
    """Take the longest-waiting free run. `besides` are in this process's own hands already."""
    async with store.unit() as unit:
        wanted = select(ValidationRun).where(_free(unit.now), col(ValidationRun.id).not_in(besides))
        found = await unit.session.exec(
            wanted.order_by(col(ValidationRun.id)).limit(1).with_for_update(skip_locked=True)
        )
        taken = found.first()
        if taken is not None:
            taken.state, taken.lease_owner, taken.lease_until = RunState.RUNNING, owner, unit.now + LEASE
        return taken


async def renew(unit: Unit, run_id: int, owner: str) -> RunState | None:
    """Hold it for another lease, and say whether it still runs or was stopped. None where it is not this process's any more.

    Committed in one transaction with what was learnt since, so that nobody writes to a run that is another's.
    """
    wanted = select(ValidationRun).where(ValidationRun.id == run_id, ValidationRun.lease_owner == owner)
    held = (await unit.session.exec(wanted.with_for_update())).one_or_none()
    if held is None:
        return None
    if held.state is RunState.RUNNING:
        held.lease_until = unit.now + LEASE
    return held.state


async def give_back(
    unit: Unit, run_id: int, owner: str, *, after: timedelta = timedelta(), failed: bool = False
) -> None:
    """Let another process go on with it, or this one after its next start. What was kept stays kept; accidents of ours are
    counted in the report, as `failures`."""
    held = await unit.session.get(ValidationRun, run_id, with_for_update=True)
    if held is None or held.lease_owner != owner or held.state is not RunState.RUNNING:
        return
    failures = int(held.report.get("failures", 0)) + failed
    held.state, held.lease_owner, held.lease_until = RunState.QUEUED, None, unit.now + after
    held.report = {**held.report, "failures": failures}


async def inherit(store: Store) -> int:
    """The only process on this store begins: whatever runs was begun by one that died. Returns how many."""
    async with store.unit() as unit:
        running = col(ValidationRun.state) == RunState.RUNNING
        result = await unit.session.exec(
            update(ValidationRun).where(running).values(state=RunState.QUEUED, lease_owner=None, lease_until=None)
        )
        return result.rowcount


# Trials


async def keep(unit: Unit, trials: Sequence[Trial]) -> None:
    """Those that are kept already stay as they are: a trial is unique in its run."""
    if not trials:
        return
    rows = [trial.model_dump(exclude={"id"}) for trial in trials]
    insert = sqlite.insert if unit.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    unique = ["run", "payload", "variant", "attempt"]
    await unit.session.exec(insert(Trial).on_conflict_do_nothing(index_elements=unique), params=rows)


async def kept(session: AsyncSession, run_id: int) -> Sequence[Trial]:
    """All trials of a run, in the order in which they were kept."""
    return (await session.exec(select(Trial).where(Trial.run == run_id).order_by(col(Trial.id)))).all()


async def counted(session: AsyncSession, run_id: int) -> Counter[TrialOutcome]:
    """How many trials of a run came to what."""
    grouped = select(Trial.outcome, func.count()).where(Trial.run == run_id).group_by(col(Trial.outcome))
    rows = (await session.exec(grouped)).all()
    return Counter({TrialOutcome(outcome): count for outcome, count in rows})


async def show_progress(unit: Unit, run_id: int, progress: Json) -> None:
    """Have this run's message shown anew, and no other surface of its incident."""
    held = await run(unit.session, run_id)
    held.report = {**held.report, "progress": progress}
    key = f"show:{held.incident}:{SurfaceKind.VALIDATION}:{held.id}"
    await unit.session.exec(rearm(unit.now, col(Intent.key) == key))
    unit.wakes = True


async def pack_of(session: AsyncSession, of: ValidationRun) -> Evidence:
    """The piece of evidence that the run replays. Raises NotFound."""
    wanted = select(Evidence).where(Evidence.incident == of.incident, Evidence.sha256 == of.pack)
    found = (await session.exec(wanted.order_by(col(Evidence.id)).limit(1))).first()
    if found is None:
        raise NotFound(f"The pack of validation {of.id} is not among the evidence any more.")
    return found
