"""What was learned: root cause, what went well and what did not, action items, risks, legal clocks, the checklist.

Decides which questions are printed: all of the template's, answered or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.playbook.clock import ClockStep, LegalClock, Span
from bot.review.about import About
from bot.review.page import Heading, Part, Table, Text
from bot.review.told import moment

FACTORS, LUCKY = "factors", "lucky"
"""What is asked beside the template's questions."""


def questions(about: About) -> Sequence[Part]:
    parts: list[Part] = []
    for question in about.playbook.review.questions:
        parts += [Heading(question.text), Text(about.said(question.id))]
    return (*parts, Heading("Which factors contributed?"), Text(about.said(FACTORS)))


def written(about: About, section: str) -> Sequence[Part]:
    """A section that people fill."""
    return (Text(about.said(section)),)


def action_items(about: About) -> Sequence[Part]:
    rows = [
        (
            str(one.id),
            about.people.blameless(one.text),
            one.kind.value,
            _owner(about, one.owner, one.role),
            f"{one.due_at:%Y-%m-%d}" if one.due_at else None,
            one.state.value,
            one.link,
        )
        for one in about.record.items
    ]
    if not rows:
        rows = [
            ("–", one.text, one.kind, _role(about, one.role), None, one.status, None)
            for one in about.playbook.review.action_items
        ]
    return (Table(("No.", "What", "Kind", "Owner", "Due", "Status", "Tracked at"), rows), *_risks(about))


def _owner(about: About, owner: str | None, role: str | None) -> str | None:
    """An owner has agreed to do it: the role that answers for it where the review names nobody."""
    if owner is not None:
        return about.people.role(owner)
    return f"{_role(about, role)} (not assigned)" if role else None


def _role(about: About, role: str) -> str:
    known = about.playbook.roster_roles.get(role)
    return known.title if known else role.replace("_", " ")


def _risks(about: About) -> Sequence[Part]:
    rows = [
        (
            str(r.id),
            about.people.blameless(r.text),
            r.likelihood.value,
            r.impact.value,
            r.treatment.value,
            _day(r.review_at),
        )
        for r in about.record.risks
    ]
    if not rows:
        return ()
    return (Heading("Risks"), Table(("No.", "Risk", "Likelihood", "Impact", "Treatment", "Looked at again"), rows))


def _day(at: object) -> str | None:
    return f"{at:%Y-%m-%d}" if at else None


def clocks(about: About) -> Sequence[Part]:
    known = about.playbook.clocks.values()
    shown = [clock for clock in known if clock.enabled or about.record.answer(f"clock.{clock.id}")]
    headers = ("Law", "Applies if", "What was decided and filed", "What is due")
    return (Table(headers, [_clock(about, one) for one in shown]), Text(about.playbook.clock_notice))


def _clock(about: About, clock: LegalClock) -> tuple[str | None, ...]:
    due = "; ".join(f"{step.title}: {_due(step)}" for step in clock.steps)
    return f"{clock.regime}, {clock.article}", clock.applies_if, about.said(f"clock.{clock.id}"), due


def _due(step: ClockStep) -> str:
    since = f"from {step.after}" if step.after else step.starts.replace("_", " ")
    latest = f", and no later than {_span(step.no_later_than)} after awareness" if step.no_later_than else ""
    return f"{_span(step.due)} ({since}){latest}"


def _span(span: Span) -> str:
    for unit in ("hours", "days", "business_days", "months"):
        if (count := getattr(span, unit)) is not None:
            named = unit.replace("_", " ")
            return f"{count} {named if count > 1 else named.removesuffix('s')}"
    return "without undue delay"


def checklist(about: About) -> Sequence[Part]:
    """As it stands: what was not done is as much of a record as what was."""
    rows = [
        (
            step.phase.value,
            step.text,
            step.state.value,
            about.people.role(step.decided_by) or "–",
            moment(step.decided_at) or "–",
            about.people.blameless(step.note) or "–",
        )
        for step in about.record.steps
    ]
    return (Table(("Phase", "Step", "State", "By", "Time (UTC)", "Note"), rows, empty="There was no checklist."),)
