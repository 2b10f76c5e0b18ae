"""An alert comes in: it opens an incident, attaches to the open one about the same thing, or was here before.

Decides sameness: (source, external id) for a redelivery, (trigger, subject, app) for an open incident. Both are held by
unique indexes; what loses a race against another alert looks again and attaches. In a storm a new subject is counted in
an incident that is open (`storm`). What is written is `alerted`'s.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, case, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases import alerted, stakes, storm
from bot.cases.alert import AlertIn, Received
from bot.cases.context import Context
from bot.cases.declare import known_trigger
from bot.cases.propose import plan
from bot.incident.errors import Busy
from bot.incident.incident import Alert, GatheredSubject, Incident
from bot.store import Unit

TRIES = 8
"""Each lost race means that another alert won it; eight in a row cannot happen with an open incident to attach to."""
__all__ = ["AlertIn", "Received", "receive"]


async def receive(ctx: Context, source: str, alert: AlertIn) -> Received:
    """Commit the alert. Raises Invalid for an unknown trigger, Busy where other alerts won the race every time."""
    known_trigger(ctx, alert.trigger)
    if alert.external_id is None:
        alert = alert.model_copy(update={"external_id": f"none:{uuid4()}"})
    for _ in range(TRIES):
        try:
            return await _once(ctx, source, alert)
        except IntegrityError:
            continue  # another alert on the same thing committed between our look and our insert: look again
    raise Busy


async def _once(ctx: Context, source: str, alert: AlertIn) -> Received:
    async with ctx.store.unit() as unit:
        before = await alerted.recorded(unit, source, alert)
        if before is not None:
            return Received(incident=f"INC-{before.incident}", status="repeated")
        incident, beside = await running(ctx, unit, alert)
        pieces = alerted.pieces_of(source, [alert])
        status: Literal["opened", "attached"] = "opened" if incident is None else "attached"
        if incident is None:
            incident = await alerted.opens(ctx, unit, source, alert, beside, pieces)
        else:
            alerted.attaches(unit, source, incident, alert)
            await alerted.worsen(ctx, unit, source, incident, alert)
        alerted.store_alert(ctx, unit, source, incident, alert, status)
        new = await alerted.store_evidence(unit, source, incident, pieces)
        if stakes.CREDENTIAL in new and not unit.opens(incident):
            await plan(ctx, unit, incident)
        await unit.flush()
        return Received(incident=incident.name, status=status)


async def running(ctx: Context, unit: Unit, alert: AlertIn) -> tuple[Incident | None, storm.Beside]:
    """The incident that this alert belongs to, locked; None where it opens one, and no other one opens meanwhile."""
    beside = storm.Beside()
    incident = await open_about(unit, alert)
    if incident is None and await unit.one_opens():
        incident = await open_about(unit, alert)
    if incident is None:
        incident, beside = await gathering(ctx, unit, alert)
    await gathered(ctx, unit, incident, alert)
    return incident, beside


async def gathering(ctx: Context, unit: Unit, alert: AlertIn) -> tuple[Incident | None, storm.Beside]:
    """The incident of a storm that takes a new subject in, locked. No other one opens meanwhile."""
    trigger = ctx.playbook.triggers[alert.trigger]
    beside = await storm.beside(ctx, unit, trigger, alert.app, alerted.severity(ctx, alert))
    if beside.gathers is None:
        return None, beside
    incident = await unit.incident(beside.gathers)
    return (incident, beside) if incident.ended_at is None else (None, storm.Beside())


async def gathered(ctx: Context, unit: Unit, incident: Incident | None, alert: AlertIn) -> None:
    """Count the alert under its own subject, where the incident is about another one."""
    if incident is not None and not alerted.same_subject(incident, alert):
        await storm.gather(ctx, unit, incident, alerted.about(alert))


async def open_about(unit: Unit, alert: AlertIn) -> Incident | None:
    """The open incident about the same thing, or that gathered it, or this session's user for the same trigger, or that took an
    alert of this trigger on this subject in before: it is of a worse one now. Locked; None where there is none (any more)."""
    about = alerted.about(alert)
    same_app = col(Incident.app).is_not_distinct_from(alert.app)
    gathered = select(GatheredSubject.incident)
    ways = [
        col(Incident.dedup_key) == about.key,
        col(Incident.number).in_(gathered.where(GatheredSubject.dedup_key == about.key)),
        and_(
            col(Incident.number).in_(gathered.where(about.of_session)), same_app, col(Incident.trigger) == alert.trigger
        ),
    ]
    if alert.subject is not None:
        of_it = and_(col(Incident.subject_kind) == alert.subject.kind, col(Incident.subject_id) == alert.subject.id)
        before = select(Alert.id).where(Alert.incident == Incident.number, Alert.trigger == alert.trigger).exists()
        ways.append(and_(of_it, same_app, col(Incident.dedup_key).is_not(None), before))
    order = case(*((way, place) for place, way in enumerate(ways)), else_=len(ways))
    return await first_open(unit, or_(*ways), order)


async def first_open(unit: Unit, about: ColumnElement[bool], *order: Any) -> Incident | None:
    """The first of the open incidents that this is true of, locked."""
    wanted = select(Incident).where(about, col(Incident.ended_at).is_(None)).order_by(*order, col(Incident.number))
    held = wanted.limit(1).with_for_update().execution_options(populate_existing=True)
    return (await unit.session.exec(held)).first()
