"""Storms: many subjects, one trigger, one application. After the first few rooms, further subjects share one.

Decides which incident gathers, for how long, how its subjects are counted, and on whose line stakeholders read of it.
When to ask is `receive`'s. The containment plan stays that of the incident's own subject: what is to be done about the
others is for people to say (law 9).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, or_, update
from sqlmodel import col, select

from bot.cases.context import Context
from bot.incident.incident import SYSTEM, GatheredSubject, Incident
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import Severity, SubjectKind
from bot.playbook.trigger import Trigger
from bot.store import Unit


class Beside(NamedTuple):
    """What runs beside an alert on a new subject."""

    gathers: int | None = None
    """The incident that takes the subject in; None where it opens one of its own."""
    announces: int | None = None
    """On whose line stakeholders then read of that: a burst is one line to them, though it has several rooms. None where it
    gets its own: nothing alike is running, or what is was declared long ago or is less severe."""


class Subject(NamedTuple):
    """About whom an alert is, as far as a storm counts it."""

    key: str
    """See `Incident.dedup_key`."""
    kind: SubjectKind
    id: str | None
    session: str | None

    @property
    def gathered(self) -> ColumnElement[bool]:
        """Rows that count it."""
        return or_(col(GatheredSubject.dedup_key) == self.key, self.of_session)

    @property
    def of_session(self) -> ColumnElement[bool]:
        """Of whom this is a session, or who is a session of this. Another user of a session that has two is another subject."""
        return and_(
            col(GatheredSubject.session_id).is_not(None),
            col(GatheredSubject.session_id) == self.session,
            col(GatheredSubject.subject_kind) != self.kind,
        )


async def beside(ctx: Context, unit: Unit, trigger: Trigger, app: str | None, severity: Severity) -> Beside:
    """`severity`: the one that a new incident would have. No other incident opens meanwhile.

    A storm lasts until there was no alert of it for a whole window. The oldest incident gathers.
    """
    if not trigger.storm_window_minutes:
        return Beside()
    since = unit.now - ctx.minutes(trigger.storm_window_minutes)
    tells = and_(col(Incident.announced_by).is_(None), col(Incident.severity) <= severity)
    alike = select(Incident.number, Incident.gathers_until, Incident.declared_at, tells).where(
        Incident.trigger == trigger.id, col(Incident.app).is_not_distinct_from(app),
        col(Incident.ended_at).is_(None), col(Incident.dedup_key).is_not(None),
    )  # fmt: skip
    recent: list[int] = []
    announces: int | None = None
    for number, until, declared_at, tells_of_it in (
        await unit.session.exec(alike.order_by(col(Incident.number)))
    ).all():
        if until is not None and until > unit.now:
            return Beside(gathers=number)
        if declared_at > since:
            recent.append(number)
            announces = number if announces is None and tells_of_it else announces
    return Beside(recent[0] if len(recent) >= trigger.storm_after else None, announces)


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


async def gather(ctx: Context, unit: Unit, incident: Incident, subject: Subject) -> None:
    """Count an alert about one further subject in the incident, which is locked."""
    _lasts(ctx, unit, incident)
    exactly = case((col(GatheredSubject.dedup_key) == subject.key, 0), else_=1)
    row = select(GatheredSubject.id).where(GatheredSubject.incident == incident.number, subject.gathered)
    one = row.order_by(exactly, col(GatheredSubject.id)).limit(1).scalar_subquery()
    more: dict[str, object] = {"alerts": GatheredSubject.alerts + 1}
    if subject.session is not None:
        more["session_id"] = subject.session
    again = update(GatheredSubject).where(col(GatheredSubject.id) == one).values(more)
    with unit.session.no_autoflush:
        counted = await unit.session.exec(again.execution_options(synchronize_session=False))
    if counted.rowcount:
        return
    if not incident.gathered:
        await _began(unit, incident)
    incident.gathered += 1
    shown = clip(redact(subject.id), 300) if subject.id else None
    unit.add(
        GatheredSubject(
            incident=incident.number, dedup_key=subject.key, subject_kind=subject.kind, subject_id=shown,
            session_id=subject.session, first_at=unit.now,
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
