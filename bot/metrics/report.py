"""The metrics of a span of time: read, measured, summed up.

Decides what is read together and what a report holds. How it is shown is `table`'s, `picture`'s and `export`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.incident.deadlines import BusinessCalendar, response_due
from bot.incident.metrics import counted, facts_of, measure
from bot.incident.words import Severity
from bot.metrics.summary import By, Case, Group, group, groups
from bot.playbook import Playbook
from bot.playbook.review import Metric
from bot.store import Store, measured, months
from bot.store.measured import Measurable
from bot.store.months import Figures

RespondBy = Callable[[Severity, datetime], datetime]
"""By when somebody must answer an incident of this severity that was declared then."""


@dataclass(frozen=True)
class Report:
    since: datetime
    until: datetime
    cases: tuple[Case, ...]
    """The latest first; without drills."""
    metrics: tuple[Metric, ...]
    whole: Group
    by: By | None = None
    groups: tuple[Group, ...] = ()
    cut: bool = False
    """True where there were more than one question reads: the oldest are missing."""


async def report(
    store: Store,
    playbook: Playbook,
    calendar: BusinessCalendar,
    *,
    since: datetime,
    until: datetime,
    by: By | None = None,
    speed: float = 1.0,
) -> Report:
    """The incidents declared from `since` on and before `until`; five thousand take a thread for a while, never the loop."""
    now = store.now()
    figures = await months.read(store, since, until)
    respond_by = responding(playbook, calendar, speed=speed)
    return await asyncio.to_thread(summed_up, figures, playbook, respond_by, since=since, until=until, by=by, now=now)


def responding(playbook: Playbook, calendar: BusinessCalendar, *, speed: float = 1.0) -> RespondBy:
    """As the reminders count it: from the declaration, by the severity that it has now."""

    def respond_by(severity: Severity, declared_at: datetime) -> datetime:
        response = playbook.severities[severity].response
        minutes = None if response.minutes is None else response.minutes / speed
        return response_due(declared_at, minutes, response.next_business_day, calendar)

    return respond_by


def summed_up(
    figures: Figures,
    playbook: Playbook,
    respond_by: RespondBy,
    *,
    since: datetime,
    until: datetime,
    by: By | None,
    now: datetime,
) -> Report:
    metrics = tuple(playbook.metrics.values())
    cases = tuple(_case(one, figures, playbook, respond_by, now) for one in figures.found)
    return Report(
        since=since,
        until=until,
        cases=cases,
        metrics=metrics,
        whole=group("all", cases, metrics),
        by=by,
        groups=groups(cases, metrics, by) if by is not None else (),
        cut=len(cases) >= measured.MOST,
    )


def _case(one: Measurable, figures: Figures, playbook: Playbook, respond_by: RespondBy, now: datetime) -> Case:
    wanted = playbook.evidence_wanted(one.severity, one.trigger)
    kept = figures.kept.get(one.number, frozenset())
    facts = facts_of(
        one,
        now=now,
        notified_at=figures.told.get(one.number),
        respond_by=respond_by(one.severity, one.declared_at),
        evidence_wanted=len(wanted),
        evidence_kept=len(kept.intersection(wanted)),
    )
    return Case(
        number=one.number,
        severity=one.severity,
        status=one.status,
        trigger=one.trigger,
        declared_at=one.declared_at,
        running=one.ended_at is None,
        measured=tuple(measure(metric, facts) for metric in playbook.metrics.values()) if counted(one) else (),
    )
