"""What an alert writes: an incident opens or is attached to, the alert's row, its evidence.

Decides what is stored of an alert, clipped and redacted. Whether it opens or attaches is `receive`'s for one from outside,
`finding`'s for our own detection.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import select

from bot.cases import evidence, stakes, storm
from bot.cases.alert import AlertIn
from bot.cases.context import Context
from bot.cases.opening import open_incident
from bot.cases.severity import apply_severity
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Alert, Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActorKind, DetectionMethod, EvidenceKind, Severity, SubjectKind
from bot.store import Unit


async def recorded(unit: Unit, source: str, alert: AlertIn) -> Alert | None:
    """The alert as it came before, where this is a redelivery."""
    same = select(Alert).where(Alert.source == source, Alert.external_id == alert.external_id)
    return (await unit.session.exec(same)).first()


def dedup_key(alert: AlertIn) -> str:
    """What makes two alerts one incident: trigger, subject, application."""
    kind = alert.subject.kind if alert.subject else None
    return key_of(alert.trigger, kind, subject_id(alert), alert.app)


def key_of(trigger: str, kind: SubjectKind | None, subject: str | None, app: str | None) -> str:
    return hashlib.sha256(json.dumps([trigger, kind, subject, app]).encode()).hexdigest()


def subject_kind(alert: AlertIn) -> SubjectKind:
    return alert.subject.kind if alert.subject else SubjectKind.UNKNOWN


def subject_id(alert: AlertIn) -> str | None:
    return alert.subject.id if alert.subject else None


def about(alert: AlertIn) -> storm.Subject:
    kind, subject = subject_kind(alert), subject_id(alert)
    session = alert.session_id or (subject if kind is SubjectKind.SESSION else None)
    return storm.Subject(dedup_key(alert), kind, subject, session)


def actor(source: str) -> Actor:
    return Actor(kind=ActorKind.ALERT, id=source)


def severity(ctx: Context, alert: AlertIn) -> Severity:
    return Severity(alert.severity) if alert.severity else ctx.playbook.triggers[alert.trigger].severity


async def opens(
    ctx: Context, unit: Unit, source: str, alert: AlertIn, beside: storm.Beside, pieces: Iterable[evidence.New]
) -> Incident:
    """`pieces`: the evidence that comes with it; it is stored afterwards, and the plan is made for it already."""
    trigger = ctx.playbook.triggers[alert.trigger]
    incident = Incident(
        number=await unit.next_number(),
        title=clip(redact(alert.title), 300),
        summary=clip(redact(alert.summary), 3000) if alert.summary else None,
        severity=severity(ctx, alert),
        trigger=trigger.id,
        category=trigger.category,
        subject_kind=subject_kind(alert),
        subject_id=subject_id(alert),
        app=alert.app,
        session_id=alert.session_id,
        detection=DetectionMethod.AUTOMATED,
        declared_by=source,
        dedup_key=dedup_key(alert),
        alert_count=1,
        playbook_digest=ctx.playbook.digest,
        started_at=_not_after(alert.started_at, unit.now),
        detected_at=_not_after(alert.detected_at, unit.now) or unit.now,
        declared_at=unit.now,
        announced_by=beside.announces,
    )
    kinds = frozenset(one.kind for one in pieces)
    await open_incident(ctx, unit, incident, actor(source), source=source, at_stake=kinds)
    return incident


def attaches(unit: Unit, source: str, incident: Incident, alert: AlertIn) -> None:
    """Count it, and say so in the timeline. The severity stays: what a worse alert does is `worsen`."""
    incident.alert_count += 1
    started = _not_after(alert.started_at, unit.now)
    if started is not None and (incident.started_at is None or started < incident.started_at):
        incident.started_at = started
    title = clip(redact(alert.title), 300)
    other = {} if same_subject(incident, alert) else {"subject": clip(redact(subject_id(alert) or "?"), 300)}
    said = {"source": source, "title": title, "count": incident.alert_count}
    unit.record(incident, Happened.ALERT_ATTACHED, actor(source), **said, **other)


def same_subject(incident: Incident, alert: AlertIn) -> bool:
    return (incident.subject_kind, incident.subject_id) == (subject_kind(alert), subject_id(alert))


async def worsen(ctx: Context, unit: Unit, source: str, incident: Incident, alert: AlertIn) -> None:
    """A worse alert raises the severity."""
    worse = severity(ctx, alert)
    if worse < incident.severity:
        why = f"an alert of {worse.label} attached"
        await apply_severity(ctx, unit, incident, worse, actor(source), reason=why, confirmed=False)


def store_alert(ctx: Context, unit: Unit, source: str, incident: Incident, alert: AlertIn, answer: str) -> None:
    """`answer`: what its sender is told, in at most 20 characters. The alert has its external id."""
    assert alert.external_id is not None
    unit.add(
        Alert(
            incident=incident.number,
            source=source,
            external_id=alert.external_id,
            trigger=alert.trigger,
            title=clip(redact(alert.title), 300),
            severity=severity(ctx, alert),
            received_at=unit.now,
            started_at=alert.started_at,
            detected_at=alert.detected_at,
            answer=answer,
        )
    )


def pieces_of(source: str, alerts: Iterable[AlertIn]) -> Sequence[evidence.New]:
    """The evidence that they bring, each piece once: an alert that fires again often carries the same text."""
    found: dict[tuple[str, str], evidence.New] = {}
    for piece in (piece for alert in alerts for piece in alert.evidence):
        new = evidence.New(stakes.kind_of(redact(piece.text)), piece.name, piece.text.encode(), source)
        found.setdefault(new.same, new)
    return list(found.values())


async def store_evidence(
    unit: Unit, source: str, incident: Incident, pieces: Sequence[evidence.New]
) -> set[EvidenceKind]:
    """Keep what the incident does not have yet. Returns the kinds of which it had none."""
    kept: dict[tuple[str, str], str] = {}
    if pieces and not unit.opens(incident):
        mine = select(Evidence.name, Evidence.sha256, Evidence.kind).where(Evidence.incident == incident.number)
        with unit.session.no_autoflush:
            kept = {(name, digest): kind for name, digest, kind in (await unit.session.exec(mine)).all()}
    new = [piece for piece in pieces if piece.same not in kept]
    if new:
        await evidence.add_together(unit, incident, actor(source), new)
    return {piece.kind for piece in new} - {*kept.values()}


def _not_after(moment: datetime | None, now: datetime) -> datetime | None:
    """A time in the future is not believed: an incident cannot have started after it was detected (law 12)."""
    return None if moment is None or moment > now else moment
