"""An alert comes in: it opens an incident, attaches to the open one about the same thing, or was here before.

Decides sameness: (source, external id) for a redelivery, (trigger, subject, app) for an open incident. Both are held by
unique indexes; what loses a race against another alert looks again and attaches. In a storm a new subject is counted in
an incident that is open (`storm`). What is written is `alerted`'s.
"""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases import alerted, stakes, storm
from bot.cases.alert import AlertIn, Received
from bot.cases.context import Context
from bot.cases.declare import known_trigger
from bot.cases.propose import plan
from bot.incident.errors import Busy
from bot.incident.incident import Alert, Incident
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
        incident = await running(ctx, unit, alert)
        if incident is None:
            incident = await alerted.opens(ctx, unit, source, alert)
            status: Literal["opened", "attached"] = "opened"
        else:
            alerted.attaches(unit, source, incident, alert)
            await alerted.worsen(ctx, unit, source, incident, alert)
            status = "attached"
        alerted.store_alert(ctx, unit, source, incident, alert, status)
        if stakes.CREDENTIAL in await alerted.store_evidence(unit, source, incident, alert):
            await plan(ctx, unit, incident)
        await unit.flush()
        return Received(incident=incident.name, status=status)


async def running(ctx: Context, unit: Unit, alert: AlertIn) -> Incident | None:
    """The incident that this alert belongs to, locked; None where it opens one, and no other one opens meanwhile."""
    incident = await open_about(unit, alert)
    if incident is None:
        await unit.one_opens()
        incident = await open_about(unit, alert)
    if incident is None:
        incident = await gathering(ctx, unit, alert)
    await gathered(ctx, unit, incident, alert)
    return incident


async def gathering(ctx: Context, unit: Unit, alert: AlertIn) -> Incident | None:
    """The incident of a storm that takes a new subject in, locked. No other one opens meanwhile."""
    number = await storm.gatherer(ctx, unit, ctx.playbook.triggers[alert.trigger], alert.app)
    return await locked(unit, number)


async def gathered(ctx: Context, unit: Unit, incident: Incident | None, alert: AlertIn) -> None:
    """Count the alert under its own subject, where the incident is about another one."""
    if incident is not None and not alerted.same_subject(incident, alert):
        kind, subject = alerted.subject_kind(alert), alerted.subject_id(alert)
        await storm.gather(ctx, unit, incident, alerted.dedup_key(alert), kind=kind, subject=subject)


async def open_about(unit: Unit, alert: AlertIn) -> Incident | None:
    """The open incident about the same thing, or that gathered it; None where there is none (any more)."""
    key = alerted.dedup_key(alert)
    same = select(Incident.number).where(Incident.dedup_key == key, col(Incident.ended_at).is_(None))
    number = (await unit.session.exec(same)).first()
    if number is None:
        number = await storm.gathered_by(unit, key)
    return await locked(unit, number if number is not None else await _taken_in(unit, alert))


async def _taken_in(unit: Unit, alert: AlertIn) -> int | None:
    """The open incident about this subject that took an alert of this trigger in before: it is of a worse one now."""
    if alert.subject is None:
        return None
    about = (
        select(Incident.number)
        .join(Alert, col(Alert.incident) == col(Incident.number))
        .where(
            Incident.subject_kind == alert.subject.kind, Incident.subject_id == alert.subject.id,
            col(Incident.app).is_not_distinct_from(alert.app), col(Incident.ended_at).is_(None),
            col(Incident.dedup_key).is_not(None), Alert.trigger == alert.trigger,
        )
    )  # fmt: skip
    return (await unit.session.exec(about.order_by(col(Incident.number)))).first()


async def locked(unit: Unit, number: int | None) -> Incident | None:
    """The incident, locked; None where it ended meanwhile."""
    if number is None:
        return None
    incident = await unit.incident(number)
    await unit.session.refresh(incident)
    return incident if incident.ended_at is None else None
