"""An alert comes in: it opens an incident, attaches to the open one about the same thing, or was here before.

Decides sameness: (source, external id) for a redelivery, (trigger, subject, app) for an open incident. Both are held by
unique indexes; what loses a race against another alert looks again and attaches. In a storm a new subject is counted in
an incident that is open (`storm`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Literal
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases import stakes, storm
from bot.cases.alert import AlertIn, Received
from bot.cases.context import Context
from bot.cases.declare import known_trigger
from bot.cases.opening import open_incident
from bot.cases.propose import plan
from bot.cases.severity import apply_severity
from bot.incident.errors import Busy
from bot.incident.incident import Actor, Alert, Evidence, Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActorKind, DetectionMethod, Severity, SubjectKind
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
        before = await _recorded(unit, source, alert)
        if before is not None:
            return Received(incident=f"INC-{before.incident}", status="repeated")
        incident = await _running(ctx, unit, alert)
        if incident is None:
            incident = await _open(ctx, unit, source, alert)
            status: Literal["opened", "attached"] = "opened"
        else:
            await _attach(ctx, unit, source, incident, alert)
            status = "attached"
        _store_alert(ctx, unit, source, incident, alert, status)
        if stakes.CREDENTIAL in await _store_evidence(unit, source, incident, alert):
            await plan(ctx, unit, incident)
        await unit.flush()
        return Received(incident=incident.name, status=status)


async def _recorded(unit: Unit, source: str, alert: AlertIn) -> Alert | None:
    same = select(Alert).where(Alert.source == source, Alert.external_id == alert.external_id)
    return (await unit.session.exec(same)).first()


async def _running(ctx: Context, unit: Unit, alert: AlertIn) -> Incident | None:
    """The incident that this alert belongs to, locked; None where it opens one."""
    key = _dedup_key(alert)
    incident = await _open_about(unit, key)
    if incident is None:
        await unit.one_opens()
        incident = await _open_about(unit, key)
    if incident is None:
        number = await storm.gatherer(ctx, unit, ctx.playbook.triggers[alert.trigger], alert.app)
        incident = await _locked(unit, number)
    if incident is not None and incident.dedup_key != key:
        await storm.gather(ctx, unit, incident, key, kind=_kind(alert), subject=_subject_id(alert))
    return incident


async def _open_about(unit: Unit, key: str) -> Incident | None:
    """The open incident about the same thing, or that gathered it; None where there is none (any more)."""
    same = select(Incident.number).where(Incident.dedup_key == key, col(Incident.ended_at).is_(None))
    number = (await unit.session.exec(same)).first()
    return await _locked(unit, number if number is not None else await storm.gathered_by(unit, key))


async def _locked(unit: Unit, number: int | None) -> Incident | None:
    if number is None:
        return None
    incident = await unit.incident(number)
    await unit.session.refresh(incident)
    return incident if incident.ended_at is None else None


def _dedup_key(alert: AlertIn) -> str:
    subject = [alert.subject.kind, alert.subject.id] if alert.subject else [None, None]
    return hashlib.sha256(json.dumps([alert.trigger, *subject, alert.app]).encode()).hexdigest()


def _kind(alert: AlertIn) -> SubjectKind:
    return alert.subject.kind if alert.subject else SubjectKind.UNKNOWN


def _subject_id(alert: AlertIn) -> str | None:
    return alert.subject.id if alert.subject else None


def _actor(source: str) -> Actor:
    return Actor(kind=ActorKind.ALERT, id=source)


async def _open(ctx: Context, unit: Unit, source: str, alert: AlertIn) -> Incident:
    trigger = ctx.playbook.triggers[alert.trigger]
    incident = Incident(
        number=await unit.next_number(),
        title=clip(redact(alert.title), 300),
        summary=clip(redact(alert.summary), 3000) if alert.summary else None,
        severity=_severity(ctx, alert),
        trigger=trigger.id,
        category=trigger.category,
        subject_kind=_kind(alert),
        subject_id=_subject_id(alert),
        app=alert.app,
        session_id=alert.session_id,
        detection=DetectionMethod.AUTOMATED,
        declared_by=source,
        dedup_key=_dedup_key(alert),
        alert_count=1,
        playbook_digest=ctx.playbook.digest,
        started_at=_not_after(alert.started_at, unit.now),
        detected_at=_not_after(alert.detected_at, unit.now) or unit.now,
        declared_at=unit.now,
    )
    incident.announced_by = await storm.announcer(ctx, unit, incident)
    await open_incident(ctx, unit, incident, _actor(source), source=source)
    return incident


async def _attach(ctx: Context, unit: Unit, source: str, incident: Incident, alert: AlertIn) -> None:
    incident.alert_count += 1
    started = _not_after(alert.started_at, unit.now)
    if started is not None and (incident.started_at is None or started < incident.started_at):
        incident.started_at = started
    title = clip(redact(alert.title), 300)
    other = {} if incident.dedup_key == _dedup_key(alert) else {"subject": clip(redact(_subject_id(alert) or "?"), 300)}
    unit.record(
        incident,
        Happened.ALERT_ATTACHED,
        _actor(source),
        source=source,
        title=title,
        count=incident.alert_count,
        **other,
    )
    worse = _severity(ctx, alert)
    if worse < incident.severity:
        why = f"an alert of {worse.label} attached"
        await apply_severity(ctx, unit, incident, worse, _actor(source), reason=why, confirmed=False)


def _store_alert(
    ctx: Context, unit: Unit, source: str, incident: Incident, alert: AlertIn, status: Literal["opened", "attached"]
) -> None:
    assert alert.external_id is not None
    unit.add(
        Alert(
            incident=incident.number,
            source=source,
            external_id=alert.external_id,
            trigger=alert.trigger,
            title=clip(redact(alert.title), 300),
            severity=_severity(ctx, alert),
            received_at=unit.now,
            started_at=alert.started_at,
            detected_at=alert.detected_at,
            answer=status,
        )
    )


async def _store_evidence(unit: Unit, source: str, incident: Incident, alert: AlertIn) -> set[str]:
    """Keep each new piece once: an alert that fires again often carries the same text. Returns the kinds that are new."""
    await unit.flush()
    mine = select(Evidence.name, Evidence.sha256).where(Evidence.incident == incident.number)
    kept, new = set((await unit.session.exec(mine)).all()), set[str]()
    for piece in alert.evidence:
        digest = hashlib.sha256(piece.text.encode()).hexdigest()
        name = clip(redact(piece.name), 200)
        if (name, digest) in kept:
            continue
        kept.add((name, digest))
        shown = redact(piece.text)
        new.add(stakes.kind_of(shown))
        unit.add(
            Evidence(
                incident=incident.number,
                kind=stakes.kind_of(shown),
                name=name,
                sha256=digest,
                size=len(piece.text.encode()),
                excerpt=clip(shown, 500),
                source=source,
                added_by=source,
                added_at=unit.now,
            )
        )
        unit.record(incident, Happened.EVIDENCE_ADDED, _actor(source), name=name, sha256=digest)
    return new


def _severity(ctx: Context, alert: AlertIn) -> Severity:
    return Severity(alert.severity) if alert.severity else ctx.playbook.triggers[alert.trigger].severity


def _not_after(moment: datetime | None, now: datetime) -> datetime | None:
    """A time in the future is not believed: an incident cannot have started after it was detected (law 12)."""
    return None if moment is None or moment > now else moment
