"""Who may decide about a containment action (design law 8). Pure; the reason for a refusal is for the person who pressed.

Decides who may sign, and when an action has all its signatures. That one person signs once, and that one decision wins,
is held by the store (unique approval per action and person; the incident's row lock).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    S.EXPIRED: "expired before anybody decided; propose it again",
}


def refuse_unless_open(action: Action, approvals: Collection[Approval], now: datetime) -> None:
    """Raises Refused naming who decided and when, or that the proposal expired."""
    if action.state is not S.PROPOSED:
        last = max((a for a in approvals if a.action == action.id), key=lambda a: a.at, default=None)
        who = f" by <@{last.person}> at {last.at:%H:%M} UTC" if last else ""
        raise Refused(f"Action {action.index} {DECIDED[action.state]}{who}. Nothing was changed by your click.")
    if action.expires_at is not None and action.expires_at <= now:
        raise Refused(
            f"The proposal of action {action.index} expired at {action.expires_at:%H:%M} UTC. Propose it again."
        )


def signing_role(person: str, holders: Mapping[Role, str], approvers: Collection[str]) -> Role:
    """The role by which this person may decide. Raises Refused: an unknown approver is refused with a reason (law 7)."""
    for role, holder in holders.items():
        if holder == person and role.value in approvers:
            return role
    named = " or ".join(sorted(r.replace("_", " ") for r in approvers))
    commander = holders.get(Role.COMMANDER)
    now = f" That is <@{commander}> now." if commander else " Nobody has taken command yet: press *Take command* first."
    raise Refused(f"Only the {named} of this incident may decide about containment.{now}")


def check_signature(
    action: Action, approvals: Collection[Approval], person: str, digest: str, now: datetime, *, known: bool
) -> None:
    """Raises Refused where this person's Approve cannot count. `known`: the workspace knows them as a full member.

    The second signature of a system-wide or irreversible action must come from another person.
    """
    if not known:
        raise Refused(
            "Firsthour does not know you as a full member of this workspace, so you cannot approve containment."
        )
    refuse_unless_open(action, approvals, now)
    if digest != action.digest:
        raise Refused(
            f"Action {action.index} changed after it was shown to you. Look at the panel again and decide anew."
        )
    if any(a.action == action.id and a.person == person for a in approvals):
        raise Refused(f"You have signed action {action.index} already. A second person must sign it too.")


def complete(action: Action, approvals: Collection[Approval]) -> bool:
    """True once enough different persons approved exactly what is stored now."""
    people = {
        a.person
        for a in approvals
        if a.action == action.id and a.decision is Decision.APPROVE and a.digest == action.digest
    }
    return len(people) >= action.signatures
