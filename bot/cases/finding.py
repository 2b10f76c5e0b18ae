"""A finding of our own detection becomes an incident, or more evidence in one that is there.

Decides which incident a finding belongs to (design §8, domain.md §4.1):
- the open one on the same trigger, subject and application, as for an alert from outside;
- otherwise the open one on the same subject and application, or of the same session: a worse trigger escalates it in place,
  a milder one attaches;
- otherwise, within the trigger's cool-down of the last incident about the same thing, that one though it has ended: the
  finding is counted there and opens no new room. People have just looked and decided;
- otherwise a storm's, otherwise a new one.
How a finding reads is `finding_words`'s; what is written is `alerted`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases import alerted, evidence, receive, stakes
from bot.cases.alert import AlertIn
from bot.cases.context import Context
from bot.cases.declare import known_trigger
from bot.cases.finding_words import SOURCE, as_alert
from bot.cases.propose import plan, run_what_waits
from bot.cases.severity import apply_severity
from bot.detection.finding import Finding
from bot.incident.errors import Busy
from bot.incident.incident import Alert, GatheredSubject, Incident
from bot.incident.timeline import Happened
from bot.incident.words import Category, EvidenceKind, Status, SubjectKind
from bot.store import Unit


class Became(StrEnum):
    """What became of findings that were handed in together."""

    OPENED = "opened"
    ATTACHED = "attached"
    ESCALATED = "escalated"
    COUNTED = "counted"
    """In an incident that has ended, within the cool-down."""
    REPEATED = "repeated"
    """All of them were here before, by their ids."""


async def report(ctx: Context, findings: Sequence[Finding]) -> Became:
    """Commit findings of one trigger on one subject and application, the oldest first, in one transaction.

    Raises Invalid for a trigger that the playbook does not have, Busy where the store does not answer in time.
    """
    known_trigger(ctx, findings[0].trigger)
    for _ in range(receive.TRIES):
        try:
            return await _once(ctx, findings)
        except IntegrityError:
            continue  # an alert on the same thing committed between our look and our insert: look again
    raise Busy


async def _once(ctx: Context, findings: Sequence[Finding]) -> Became:
    async with ctx.store.unit() as unit:
        known = await _recorded(unit, findings)
        unknown = [one for one in findings if one.id not in known]
        if not unknown:
            return Became.REPEATED
        new = [as_alert(ctx.playbook, one) for one in unknown]
        alert, pieces = new[0], alerted.pieces_of(SOURCE, new)
        incident, became = await _place(ctx, unit, alert, pieces, first=findings[0].first)
        planned = {piece.kind for piece in pieces} if became is Became.OPENED else set()
        incident.alert_count += len(new) - 1
        if became is not Became.OPENED:
            alerted.attaches(unit, SOURCE, incident, alert)
        if became is Became.ESCALATED:
            await _escalate(ctx, unit, incident, alert)
        if not unknown[0].first and became in {Became.OPENED, Became.ESCALATED}:  # what fired first was suppressed
            counted = as_alert(ctx.playbook, unknown[0], counted=True)
            pieces = alerted.pieces_of(SOURCE, [counted, *new[1:]])
        for one in new:
            alerted.store_alert(ctx, unit, SOURCE, incident, one, became.value)
        await _keep(ctx, unit, incident, pieces, planned)
        return became


async def _recorded(unit: Unit, findings: Sequence[Finding]) -> frozenset[str]:
    """The ids of those that are in the store."""
    ids = [one.id for one in findings]
    same = select(Alert.external_id).where(Alert.source == SOURCE, col(Alert.external_id).in_(ids))
    return frozenset((await unit.session.exec(same)).all())


async def _keep(
    ctx: Context, unit: Unit, incident: Incident, pieces: Sequence[evidence.New], planned: Collection[EvidenceKind]
) -> None:
    """Evidence of a credential asks for more of the plan, unless it is over. `planned`: kinds for which the opening has."""
    kinds = await alerted.store_evidence(unit, SOURCE, incident, pieces)
    if stakes.CREDENTIAL in kinds.difference(planned) and incident.ended_at is None:
        await plan(ctx, unit, incident)
    await unit.flush()


async def _place(
    ctx: Context, unit: Unit, alert: AlertIn, pieces: Sequence[evidence.New], *, first: bool
) -> tuple[Incident, Became]:
    """The incident, locked, and what the finding is to it."""
    incident = None if first else await _open_about(ctx, unit, alert)
    # What fires first will probably open one: look once, while no other one opens.
    if incident is None and (await unit.one_opens() or first):
        incident = await _open_about(ctx, unit, alert)
    if incident is None and (cooling := await _cooling(ctx, unit, alert)) is not None:
        return cooling, Became.ATTACHED if cooling.ended_at is None else Became.COUNTED
    if incident is None:
        incident, beside = await receive.gathering(ctx, unit, alert)
        if incident is None:
            return await alerted.opens(ctx, unit, SOURCE, alert, beside, pieces), Became.OPENED
        await receive.gathered(ctx, unit, incident, alert)
    worse = await _worse(ctx, unit, incident, alert)
    return incident, Became.ESCALATED if worse else Became.ATTACHED


async def _open_about(ctx: Context, unit: Unit, alert: AlertIn) -> Incident | None:
    """The open incident on the same thing, or that gathered it; otherwise the worst on this subject and application, of any
    trigger, or on a user's session and that user, or that gathered one of these for a trigger as bad as this. Locked; None
    where there is none (any more).

    One question, not four: while events pour in, each turn of the loop counts.
    """
    key = alerted.dedup_key(alert)
    gathered = select(GatheredSubject.incident).where(GatheredSubject.dedup_key == key)
    exactly = or_(col(Incident.dedup_key) == key, col(Incident.number).in_(gathered))
    about = [
        exactly,
        _gathered_for_worse(ctx, alert),
        *(and_(one, col(Incident.app).is_not_distinct_from(alert.app)) for one in _of_the_subject(alert)),
    ]
    automatic = and_(or_(*about), col(Incident.dedup_key).is_not(None))
    return await receive.first_open(unit, automatic, case((exactly, 0), else_=1), col(Incident.severity))


def _gathered_for_worse(ctx: Context, alert: AlertIn) -> ColumnElement[bool]:
    """A subject is gathered under a key for each trigger. What is worse than the storm is not the storm's: its room's plan is
    about another subject."""
    kind = alert.subject.kind if alert.subject else None
    keys = [alerted.key_of(trigger, kind, alerted.subject_id(alert), alert.app) for trigger in ctx.playbook.triggers]
    gathered = select(GatheredSubject.incident)
    of_session = and_(
        col(Incident.number).in_(gathered.where(alerted.about(alert).of_session)),
        col(Incident.app).is_not_distinct_from(alert.app),
    )
    here = or_(col(Incident.number).in_(gathered.where(col(GatheredSubject.dedup_key).in_(keys))), of_session)
    no_worse = or_(col(Incident.severity) <= alerted.severity(ctx, alert), col(Incident.trigger) == alert.trigger)
    return and_(here, no_worse)


def _of_the_subject(alert: AlertIn) -> Iterator[ColumnElement[bool]]:
    if alert.subject is not None:
        kind = col(Incident.subject_kind) == alert.subject.kind
        yield and_(kind, col(Incident.subject_id) == alert.subject.id)
    if alert.session_id is not None:  # another user of a session that has two is another subject
        of_session = col(Incident.session_id) == alert.session_id
        yield and_(of_session, col(Incident.subject_kind) != alerted.subject_kind(alert))


async def _cooling(ctx: Context, unit: Unit, alert: AlertIn) -> Incident | None:
    """The incident about the same thing that was opened within the cool-down and has ended since, locked.

    One that ended as a duplicate leads to the one that it is a duplicate of, whether that is open or not.
    """
    cool_down = timedelta(minutes=ctx.playbook.triggers[alert.trigger].rule.cool_down_minutes)
    same = select(Incident.number).where(
        Incident.dedup_key == alerted.dedup_key(alert), Incident.declared_at > unit.now - cool_down
    )
    # By when it was declared: by number, every incident that ever was would be read where there is none.
    latest = (col(Incident.declared_at).desc(), col(Incident.number).desc())
    number = (await unit.session.exec(same.order_by(*latest).limit(1))).first()
    if number is None:
        return None
    ended = await unit.incident(number)
    of = ended.duplicate_of if ended.status is Status.DUPLICATE else None
    return ended if of is None else await unit.incident(of)


async def _worse(ctx: Context, unit: Unit, incident: Incident, alert: AlertIn) -> bool:
    """It is more severe than the incident is now, and nobody has settled the severity since this trigger first fired."""
    if alerted.severity(ctx, alert) >= incident.severity:
        return False
    if incident.severity_confirmed_at is None:
        return True
    before = select(Alert.id).where(
        Alert.incident == incident.number, Alert.trigger == alert.trigger,
        Alert.received_at <= incident.severity_confirmed_at,
    )  # fmt: skip
    return (await unit.session.exec(before)).first() is None


async def _escalate(ctx: Context, unit: Unit, incident: Incident, alert: AlertIn) -> None:
    """The incident is of the worse trigger from now on: severity, steps, plan, deadlines and people follow."""
    trigger = ctx.playbook.triggers[alert.trigger]
    if trigger.id != incident.trigger:
        _becomes(unit, incident, alert, trigger.category)
    why = f"“{trigger.title}” fired on the same subject"
    worse = alerted.severity(ctx, alert)
    await apply_severity(ctx, unit, incident, worse, alerted.actor(SOURCE), reason=why, confirmed=False)
    await run_what_waits(ctx, unit, incident)


def _becomes(unit: Unit, incident: Incident, alert: AlertIn, category: Category) -> None:
    """Another trigger, and what stands on the card of it. A session's incident becomes its user's: that is who did it."""
    before, incident.trigger = incident.trigger, alert.trigger
    if incident.tags is None:  # what a person classified stays as they said
        incident.category = category
    incident.title, incident.summary = alert.title, alert.summary
    kind, subject = alerted.subject_kind(alert), alerted.subject_id(alert)
    other = {}
    if incident.subject_kind is SubjectKind.SESSION and kind is SubjectKind.USER:
        incident.subject_kind, incident.subject_id = kind, subject
        other = {"subject": subject}
    incident.dedup_key = alerted.key_of(alert.trigger, incident.subject_kind, incident.subject_id, incident.app)
    said = {"from": before, "to": alert.trigger}
    unit.record(incident, Happened.TRIGGER_CHANGED, alerted.actor(SOURCE), **said, **other)
