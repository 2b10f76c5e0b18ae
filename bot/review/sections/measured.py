"""The metrics of one incident against the playbook's targets, and how far it went.

Decides how they are written. How a metric is computed is `bot.incident.metrics`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from bot.incident.deadlines import response_due
from bot.incident.metrics import Facts, Measured, counted, facts_of, in_words, measure
from bot.incident.words import EvidenceState
from bot.review.about import About
from bot.review.page import Facts as Named
from bot.review.page import Part, Table, Text
from bot.review.told import moment

WORDS = {"met": "met", "missed": "missed", "unknown": "unknown", "running": "still open", "no_target": "no target"}


def metrics(about: About) -> Sequence[Part]:
    facts, rows = facts_for(about), []
    for metric in about.playbook.metrics.values():
        found = measure(metric, facts)
        rows.append((metric.title, _value(found), metric.target, WORDS[found.outcome.value], found.why))
    said: list[Part] = [] if counted(about.record.incident) else [Text("Not counted in the metrics of all incidents.")]
    return (*said, Table(("Metric", "Value", "Target", "Target was", "Why"), rows))


def _value(found: Measured) -> str:
    match found.value:
        case None:
            return "unknown"
        case timedelta():
            return in_words(found.value)
        case Fraction():
            return f"{float(found.value):.0%}"
        case _:
            return found.value.value.replace("_", " ")


def facts_for(about: About) -> Facts:
    record = about.record
    wanted = about.playbook.evidence_wanted(record.incident.severity, record.incident.trigger)
    kept = {one.kind for one in record.evidence if one.state is EvidenceState.KEPT}
    return facts_of(
        record.incident,
        now=record.as_of,
        notified_at=record.notified_at,
        respond_by=_respond_by(about),
        evidence_wanted=len(wanted),
        evidence_kept=len(kept.intersection(wanted)),
    )


def _respond_by(about: About) -> datetime:
    incident = about.record.incident
    response = about.playbook.severities[incident.severity].response
    return response_due(incident.declared_at, response.minutes, response.next_business_day, about.calendar)


def exposure(about: About) -> Sequence[Part]:
    """How far it went, with what the numbers rest on."""
    found = about.record.exposure
    if found is None:
        return (Text(None),)
    return (
        Named(
            [
                ("Models", ", ".join(found.models) or None),
                ("Environments", ", ".join(found.environments) or None),
                ("Users exposed", None if found.users_exposed is None else str(found.users_exposed)),
                ("Records exposed", None if found.records_exposed is None else str(found.records_exposed)),
                ("Classes of data", ", ".join(found.data_classes) or None),
                ("Basis of the estimate", about.people.blameless(found.basis)),
                ("Estimated by", about.people.role(found.by)),
                ("Estimated at (UTC)", moment(found.at)),
            ]
        ),
    )
