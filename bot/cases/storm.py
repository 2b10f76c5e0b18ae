"""Storms: many subjects, one trigger, one application. After the first few rooms, further subjects share one.

Decides which incident gathers, for how long, how its subjects are counted, and on whose line stakeholders read of it.
When to ask is `receive`'s. The containment plan stays that of the incident's own subject: what is to be done about the
others is for people to say (law 9).
"""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from bot.cases.context import Context
from bot.incident.incident import SYSTEM, GatheredSubject, Incident
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import SubjectKind
from bot.playbook.trigger import Trigger
from bot.store import Unit


async def gathered_by(unit: Unit, key: str) -> int | None:
    """The running incident that counts this subject already."""
    running = select(GatheredSubject.incident).join(Incident, col(Incident.number) == col(GatheredSubject.incident))
    about = running.where(GatheredSubject.dedup_key == key, col(Incident.ended_at).is_(None))
    return (await unit.session.exec(about.order_by(col(Incident.number)))).first()


async def gatherer(ctx: Context, unit: Unit, trigger: Trigger, app: str | None) -> int | None:
    """The incident that a new subject goes to; None where it opens one of its own. No other incident opens meanwhile.

    A storm lasts until there was no alert of it for a whole window. The oldest incident gathers.
    """
    if not trigger.storm_window_minutes:
        return None
    window = ctx.minutes(trigger.storm_window_minutes)
    alike = select(Incident.number, Incident.gathers_until, Incident.declared_at).where(
        Incident.trigger == trigger.id, col(Incident.app).is_not_distinct_from(app),
        col(Incident.ended_at).is_(None), col(Incident.dedup_key).is_not(None),
    )  # fmt: skip
    recent: list[int] = []
    for number, until, declared_at in (await unit.session.exec(alike.order_by(col(Incident.number)))).all():
        if until is not None and until > unit.now:
            return number
        if declared_at > unit.now - window:
            recent.append(number)
    return recent[0] if len(recent) >= trigger.storm_after else None


async def announcer(ctx: Context, unit: Unit, incident: Incident) -> int | None:
    """Whose line tells stakeholders about this new one: a burst is one line to them, though it has several rooms.

    None where it gets a line of its own: nothing alike is running, or what is was declared long ago or is less severe.
    """
    trigger = ctx.playbook.triggers.get(incident.trigger or "")
    if trigger is None or not trigger.storm_window_minutes:
        return None
    alike = select(Incident.number).where(
        Incident.trigger == trigger.id, col(Incident.app).is_not_distinct_from(incident.app),
        col(Incident.ended_at).is_(None), col(Incident.dedup_key).is_not(None), col(Incident.announced_by).is_(None),
        Incident.declared_at > unit.now - ctx.minutes(trigger.storm_window_minutes),
        col(Incident.severity) <= incident.severity, Incident.number != incident.number,
    )  # fmt: skip
    return (await unit.session.exec(alike.order_by(col(Incident.number)))).first()


async def own_line(unit: Unit, incident: Incident) -> None:
    """Give an incident its own line for stakeholders, if it has none: somebody has something to tell about it."""
    if incident.announced_by is not None:
        unit.refresh(incident)
        incident.announced_by = None
        await unit.show(incident, SurfaceKind.ANNOUNCEMENT)


async def hand_over(unit: Unit, incident: Incident) -> None:
    """The incident ends. Of those that its line told about, the oldest that runs on gets a line, and tells of the others."""
    told = select(Incident).where(Incident.announced_by == incident.number, col(Incident.ended_at).is_(None))
    heirs = (await unit.session.exec(told.order_by(col(Incident.number)).with_for_update())).all()
    for heir in heirs[:1]:
        await own_line(unit, heir)
    for other in heirs[1:]:
        other.announced_by = heirs[0].number


async def gather(
    ctx: Context, unit: Unit, incident: Incident, key: str, *, kind: SubjectKind, subject: str | None
) -> None:
    """Count an alert about one further subject in the incident, which is locked."""
    again = update(GatheredSubject).where(
        col(GatheredSubject.incident) == incident.number, col(GatheredSubject.dedup_key) == key
    )
    counted = await unit.session.exec(again.values(alerts=GatheredSubject.alerts + 1))
    _lasts(ctx, unit, incident)
    if counted.rowcount:
        return
    if not incident.gathered:
        await _began(unit, incident)
    incident.gathered += 1
    shown = clip(redact(subject), 300) if subject else None
    unit.add(
        GatheredSubject(
            incident=incident.number, dedup_key=key, subject_kind=kind, subject_id=shown, first_at=unit.now
        )
    )  # fmt: skip


def _lasts(ctx: Context, unit: Unit, incident: Incident) -> None:
    trigger = ctx.playbook.triggers.get(incident.trigger or "")
    if trigger is not None:
        until = unit.now + ctx.minutes(trigger.storm_window_minutes)
        incident.gathers_until = max(until, incident.gathers_until or until)


async def _began(unit: Unit, incident: Incident) -> None:
    unit.record(incident, Happened.STORM_BEGAN, SYSTEM)
    key = f"post:storm:{incident.number}"
    await unit.intend(IntentKind.POST, key, incident=incident, args={"message": "storm_began"})
