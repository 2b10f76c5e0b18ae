"""Who may decide about a containment action (design law 8). Pure; the reason for a refusal is for the person who pressed.

Decides who may sign, which signatures count, and when an action has all of them. That one person signs once, and that one
decision wins, is held by the store (unique approval per action and person; the incident's row lock).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.incident.errors import Refused
from bot.incident.words import ActionState, Decision, Role
from bot.incident.work import Action, Approval

S = ActionState
DECIDED: dict[ActionState, str] = {
    S.APPROVED: "was approved",
    S.EXECUTING: "was approved and is being carried out",
    S.VERIFIED: "was approved and is in force",
    S.FAILED: "was approved and failed",
    S.UNKNOWN: "was approved and its outcome is not known yet",
    S.REVERTED: "was carried out and reverted",
    S.DECLINED: "was declined",
    S.EXPIRED: "expired before anybody decided",
}
OVER = frozenset({S.FAILED, S.REVERTED, S.DECLINED, S.EXPIRED})
"""Whoever still wants it proposes it again."""
ROOM_ROLES = frozenset(role.value for role in Role)


@dataclass(frozen=True)
class OnRoster:
    """What is known of one person and the roster: roles that they have, and roles of which nobody can tell."""

    roles: frozenset[str] = frozenset()
    unsure: Mapping[str, str] = field(default_factory=dict)
    """Why it is not known whether they have this role, in words for them. It then counts as not theirs (law 7)."""


NOT_ON_ROSTER = OnRoster()


def refuse_unless_open(
    action: Action, approvals: Collection[Approval], now: datetime, *, others: Collection[Action] = ()
) -> None:
    """Raises Refused naming who decided and when, or that it expired; and what to press instead.

    `others`: the incident's actions, among which the same one may have been proposed again.
    """
    again = next((o for o in others if o.state is S.PROPOSED and o.id != action.id and same(o, action)), None)
    instead = (
        f"It was proposed again as action {again.index}: decide about that one. "
        if again is not None
        else "Propose it again if it is still needed. "
        if action.state in OVER
        else ""
    )
    if action.state is not S.PROPOSED:
        last = max((a for a in approvals if a.action == action.id), key=lambda a: a.at, default=None)
        who = f" by <@{last.person}> at {last.at:%H:%M} UTC" if last else ""
        raise Refused(
            f"Action {action.index} {DECIDED[action.state]}{who}. {instead}Nothing was changed by your click."
        )
    if action.expires_at is not None and action.expires_at <= now:
        raise Refused(
            f"The proposal of action {action.index} expired at {action.expires_at:%H:%M} UTC. Propose it again."
        )


def same(one: Action, other: Action) -> bool:
    """The same deed on the same target."""
    return (one.kind, one.scope_kind, one.scope_id) == (other.kind, other.scope_kind, other.scope_id)


def signing_role(
    person: str, holders: Mapping[Role, str], approvers: Sequence[str], roster: OnRoster = NOT_ON_ROSTER
) -> str:
    """The role by which this person may decide. Raises Refused naming who may: an unknown approver never does (law 7)."""
    held = {role.value for role, holder in holders.items() if holder == person} | roster.roles
    for role in approvers:
        if role in held:
            return role
    named = " or ".join(role.replace("_", " ") for role in approvers)
    raise Refused(
        f"Only the {named} of this incident may decide about containment.{_who_is(holders, approvers, roster)}"
    )


def _who_is(holders: Mapping[Role, str], approvers: Sequence[str], roster: OnRoster) -> str:
    there = {role.value: holder for role, holder in holders.items() if role.value in approvers}
    words = [f"That is {' or '.join(f'<@{who}>' for who in dict.fromkeys(there.values()))} now."] if there else []
    if Role.COMMANDER.value in approvers and Role.COMMANDER.value not in there:
        words.append("Nobody has taken command yet: press *Take command* first.")
    words += [
        f"Whether you are the {role.replace('_', ' ')} is not known: {why}."
        for role, why in sorted(roster.unsure.items())
        if role in approvers
    ]
    return "".join(f" {one}" for one in words)


def check_shown(
    action: Action,
    approvals: Collection[Approval],
    digest: str,
    now: datetime,
    *,
    known: bool,
    others: Collection[Action] = (),
) -> None:
    """Raises Refused where nobody could have this action carried out by what they were shown.

    `known`: the workspace knows them as a full member. `digest`: of what they were shown.
    """
    if not known:
        raise Refused(
            "Firsthour does not know you as a full member of this workspace, so you cannot approve containment."
        )
    refuse_unless_open(action, approvals, now, others=others)
    if digest != action.digest:
        raise Refused(
            f"Action {action.index} changed after it was shown to you. Look at the panel again and decide anew: press "
            "*Approve* or *Decline* there."
        )


def refuse_second_time(action: Action, approvals: Collection[Approval], person: str) -> None:
    """The second signature of a system-wide or irreversible action must come from another person, by whatever way."""
    if any(one.person == person for one in counting(action, approvals)):
        raise Refused(f"You have signed action {action.index} already. A second person must sign it too.")


def counting(action: Action, approvals: Collection[Approval]) -> list[Approval]:
    """The signatures that stand for exactly what is stored now."""
    return [
        one
        for one in approvals
        if one.action == action.id and one.decision is Decision.APPROVE and one.digest == action.digest
    ]


def glass_broken(action: Action, approvals: Collection[Approval]) -> Approval | None:
    """Who had it carried out by break-glass: the review looks at it. None where it went the ordinary way."""
    return next((a for a in approvals if a.action == action.id and a.decision is Decision.BREAK_GLASS), None)


def complete(action: Action, approvals: Collection[Approval]) -> bool:
    """True once enough different persons approved exactly what is stored now, or one broke the glass for exactly that."""
    broken = glass_broken(action, approvals)
    if broken is not None and broken.digest == action.digest:
        return True
    return len({one.person for one in counting(action, approvals)}) >= action.signatures
