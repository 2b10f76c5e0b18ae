"""The head of a review: what the incident is, how long each part took, and a paragraph that can be forwarded.

Decides what stands in it. What is not known is None, which the page prints as not provided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.incident.timeline import Happened
from bot.incident.words import Severity, Verdict
from bot.review.about import About
from bot.review.page import Facts, Heading, Part, Table, Text
from bot.review.told import moment, span

MOMENTS = (
    ("Started", "started_at"),
    ("Detected", "detected_at"),
    ("Declared", "declared_at"),
    ("Acknowledged", "acknowledged_at"),
    ("Contained", "contained_at"),
    ("Remediated", "remediated_at"),
    ("Resolved", "resolved_at"),
    ("Closed", "closed_at"),
)


def facts(about: About) -> Sequence[Part]:
    return (
        Text(paragraph(about)),
        Facts(_rows(about)),
        Heading("Phases"),
        Table(("Phase", "Began (UTC)", "Lasted"), _phases(about), empty="No phase was begun."),
    )


def paragraph(about: About) -> str:
    """What a stakeholder may be sent: no names, and nothing that is not stored."""
    incident = about.record.incident
    told = [f"{incident.name} ({incident.severity.label}, {incident.status.value.replace('_', ' ')}): {incident.title}"]
    if incident.detected_at is not None:
        by = incident.detection.value.replace("_", " ")
        told.append(f"It was detected on {moment(incident.detected_at)} UTC ({by})")
    for word, stamp in (("contained", incident.contained_at), ("resolved", incident.resolved_at)):
        if (took := span(incident.detected_at or incident.declared_at, stamp)) is not None:
            told.append(f"{word.capitalize()}: after {took}" if took[0].isdigit() else f"{word.capitalize()}: {took}")
    told.append(proof(about))
    if (impact := about.said("impact")) is not None:
        told.append(impact.rstrip("."))
    return ". ".join(told) + "."


def proof(about: About) -> str:
    """What is known about the fix, in a clause."""
    incident = about.record.incident
    verified = [run for run in about.record.runs if run.verdict is Verdict.VERIFIED and not run.contained_meanwhile]
    if verified:
        return "The fix was verified by replaying the attack"
    if incident.validation_waived_at is not None:
        return "The proof of the fix was waived; the reason is below"
    return "The fix is not proven by a replay of the attack"


def _rows(about: About) -> list[tuple[str, str | None]]:
    incident, playbook = about.record.incident, about.playbook
    trigger = playbook.triggers.get(incident.trigger or "")
    category = playbook.categories.get(incident.category) if incident.category else None
    end = incident.resolved_at or incident.closed_at
    return [
        ("Incident", incident.name + (" (drill)" if incident.drill else "")),
        ("Title", incident.title),
        ("Status", incident.status.value.replace("_", " ")),
        ("Severity", _severities(about)),
        ("Duration, from detection to resolution", span(incident.detected_at, end)),
        ("Trigger", trigger.title if trigger else incident.trigger),
        ("Attack category", category.title if category else None),
        ("MITRE ATLAS", _tags(about, playbook.atlas.techniques, trigger.atlas if trigger else ())),
        ("OWASP LLM", _tags(about, playbook.owasp.risks, trigger.owasp if trigger else ())),
        ("Subject", _subject(about)),
        ("Application", incident.app),
        (
            "Detected by",
            playbook.channels[incident.detection].title if incident.detection in playbook.channels else None,
        ),
        ("Roles", _roles(about)),
        ("Alerts", str(incident.alert_count) if incident.alert_count else None),
        ("Further subjects of the storm", str(incident.gathered) if incident.gathered else "none"),
        ("Impact", about.said("impact")),
        ("Resolution", about.people.blameless(incident.resolution)),
        (
            "Came back from",
            f"INC-{incident.recurrence_of}" if incident.recurrence_of else "no earlier incident is known",
        ),
        ("Came back as", ", ".join(f"INC-{one}" for one in about.record.recurred_as) or "not until now"),
        *((f"{name} (UTC)", moment(getattr(incident, stamp))) for name, stamp in MOMENTS),
    ]


def _severities(about: About) -> str:
    """`SEV-3 → SEV-1 (2026-03-02 09:10:00)`"""
    changes = about.record.of(Happened.SEVERITY_CHANGED)
    if not changes:
        return about.record.incident.severity.label
    first = _label(changes[0].data.get("from")) or "unknown"
    return " → ".join([first, *(f"{_label(e.data.get('to')) or 'unknown'} ({moment(e.at)})" for e in changes)])


def _label(given: object) -> str | None:
    try:
        return Severity.parse(str(given)).label
    except ValueError:
        return None


def _tags(about: About, names: Mapping[str, str], implied: Sequence[str]) -> str | None:
    """Ids with their names: what the trigger implies, then what was found, or else what the category implies."""
    incident = about.record.incident
    category = about.playbook.categories.get(incident.category) if incident.category else None
    usual = (*category.atlas, *category.owasp) if category else ()
    found = [tag for tag in incident.tags or usual if tag in names]
    tags = dict.fromkeys([*implied, *found])
    return ", ".join(f"{tag} {names.get(tag, '')}".strip() for tag in tags) or None


def _subject(about: About) -> str | None:
    incident = about.record.incident
    return f"{incident.subject_kind.value.replace('_', ' ')} {incident.subject_id}" if incident.subject_id else None


def _roles(about: About) -> str | None:
    """Which were held, and by whom only where names are asked for."""
    held = [one.role.value.replace("_", " ") for one in about.record.roles]
    if about.people.names:
        held = [f"{one.role.value.replace('_', ' ')}: {one.person}" for one in about.record.roles]
    return ", ".join(held) or None


def _phases(about: About) -> list[tuple[str, str | None, str | None]]:
    entries = about.record.of(Happened.PHASE_BEGAN)
    begun: list[tuple[str, datetime]] = [(str(one.data.get("phase", "unknown")), one.at) for one in entries]
    incident = about.record.incident
    if begun and begun[0][1] > incident.declared_at:
        begun.insert(0, ("triage", incident.declared_at))
    ends = [*(at for _, at in begun[1:]), incident.closed_at or incident.ended_at]
    return [
        (phase.replace("_", " "), moment(at), span(at, end) if end is not None else "runs")
        for (phase, at), end in zip(begun, ends, strict=False)
    ]
