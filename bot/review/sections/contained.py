"""Containment in a review: every action with who decided it, how fast, how it was verified, and what became of it.

Decides what is said of each, and what is known about the harm that containment did itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.incident.words import ActionState, Decision
from bot.incident.work import Action
from bot.review.about import About
from bot.review.page import Heading, Part, Table
from bot.review.told import span

HEADERS = (
    "No.", "Action", "Scope", "Decided", "Decided after", "In force after", "State", "Verified how", "In the end",
)  # fmt: skip
UNDECIDED = frozenset({ActionState.PROPOSED, ActionState.EXPIRED})


def containment(about: About) -> Sequence[Part]:
    actions = about.record.actions
    if not actions:
        return (Table(HEADERS, (), empty="No containment was proposed."),)
    broken = [one for one in about.record.approvals if one.decision is Decision.BREAK_GLASS]
    numbers = {one.id: one.index for one in actions}
    glass = [
        (str(numbers.get(one.action, "?")), about.people.role(one.person), about.people.blameless(one.reason))
        for one in broken
    ]
    done = [one for one in actions if one.executed_at is not None]
    return (
        Table(HEADERS, [_row(about, one) for one in actions]),
        Heading("Break-glass"),
        Table(("No.", "By", "Reason"), glass, empty="Nobody broke the glass."),
        Heading("Harm that containment did itself"),
        Table(
            ("No.", "What it does", "In force", "Figures"), [_harm(one) for one in done], empty="Nothing was executed."
        ),
    )


def _row(about: About, action: Action) -> tuple[str | None, ...]:
    kind = about.playbook.actions.get(action.kind)
    return (
        str(action.index),
        kind.title if kind else action.kind.value.replace("_", " "),
        f"{action.scope_kind.value.replace('_', ' ')} {action.scope_id}",
        _decided(about, action),
        span(action.proposed_at, action.decided_at) or "was not decided",
        span(action.decided_at or action.proposed_at, action.verified_at) or "was not verified",
        action.state.value,
        about.people.blameless(action.result) if action.executed_at is not None else "was not carried out",
        _in_the_end(about, action),
    )


def _decided(about: About, action: Action) -> str | None:
    """Roles, never names: `approved by commander and security team lead`."""
    signed = [one for one in about.record.approvals if one.action == action.id]
    words = {Decision.APPROVE: "approved", Decision.DECLINE: "declined", Decision.BREAK_GLASS: "break-glass"}
    told = [f"{words[one.decision]} by {_signer(about, one.role, one.person)}" for one in signed]
    if told:
        return ", ".join(told)
    if action.auto:
        return "by itself, as the trigger allows"
    return "nobody" if action.state in UNDECIDED else None


def _signer(about: About, role: str, person: str) -> str:
    return f"{role.replace('_', ' ')} ({person})" if about.people.names else role.replace("_", " ")


def _in_the_end(about: About, action: Action) -> str:
    if action.reverted_at is not None:
        return (
            f"reverted after {span(action.verified_at or action.executed_at, action.reverted_at) or 'an unknown time'}"
        )
    if action.kept_at is not None:
        return f"left in force: {about.people.blameless(action.kept_because) or 'nobody said why'}"
    return "in force" if action.state in {ActionState.VERIFIED, ActionState.UNKNOWN} else "not in force"


def _harm(action: Action) -> tuple[str | None, ...]:
    calls, subjects = action.blast_calls, action.blast_subjects
    figures = None
    if calls is not None:
        of = "" if subjects is None else f" of {subjects} subject{'' if subjects == 1 else 's'}"
        figures = (
            f"{calls} requests{of} of the hour before would have been touched ({action.blast_source or 'no source'})"
        )
    lasted = span(action.verified_at or action.executed_at, action.reverted_at)
    return str(action.index), action.effect, lasted or "still", figures
