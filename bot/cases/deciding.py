"""One action while a person decides about it: what was shown to them, what is stored, what they sign.

Decides what every decision checks first, however it was made (panel, command, direct message, break-glass). What follows
from a decision is `decide`'s and `break_glass`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases import actions, restate
from bot.cases.context import Context
from bot.incident import approval
from bot.incident.approval import NOT_ON_ROSTER, OnRoster
from bot.incident.incident import Incident
from bot.incident.words import Decision
from bot.incident.work import Action, Approval
from bot.store import Unit

SHORTEST_DIGEST = 16
"""Hex digits of the digest that a button carries at least."""


@dataclass(frozen=True)
class Case:
    """One action while somebody decides about it, inside the transaction."""

    ctx: Context
    unit: Unit
    incident: Incident
    action: Action
    user: str
    signed: Sequence[Approval]
    """Every decision there is about the action."""
    roster: OnRoster = NOT_ON_ROSTER


async def case(ctx: Context, unit: Unit, number: int, index: int, user: str, roster: OnRoster = NOT_ON_ROSTER) -> Case:
    """The incident, locked, and its action. Raises NotFound."""
    incident = await unit.incident(number)
    action = await actions.find(unit, incident, index)
    return Case(ctx, unit, incident, action, user, await actions.signatures(unit, action), roster)


async def refuse_or_restate(of: Case, digest: str | None, *, known: bool) -> str | None:
    """What to tell somebody who was shown something else than would be carried out: it is stated anew, nothing else is done.

    None where it may go on. Raises Refused for what was decided, has expired or changed since. `digest` as in `approve`.
    """
    action, unit = of.action, of.unit
    shown = action.digest if _matches(digest, action.digest) else "changed"
    others = await actions.every(unit, of.incident)
    approval.check_shown(action, of.signed, shown, unit.now, known=known, others=others)
    actions.refuse_after_end(of.incident)
    why = restate.outdated(of.ctx, unit, of.incident, action)
    if why is None:
        return None
    return (
        f"{actions.words(action)} is no longer what was proposed: {why}. Nothing was carried out and earlier signatures do "
        f"not count. The containment panel shows it as it is now: press *Approve* there, or type "
        f"`/incident contain approve {action.index}`."
    )


def _matches(shown: str | None, digest: str) -> bool:
    """None is somebody who typed the number: they decide about what is stored now."""
    return shown is None or (len(shown) >= SHORTEST_DIGEST and digest.startswith(shown))


def sign(of: Case, role: str, decision: Decision, reason: str | None = None) -> Approval:
    """This person's decision about the action as it is stored. Who decided before thinks again; the timeline keeps both."""
    action = of.action
    assert action.id is not None
    row = next((one for one in of.signed if one.person == of.user), None)
    if row is None:
        row = Approval(
            incident=action.incident,
            action=action.id,
            decision=decision,
            person=of.user,
            role=role,
            digest=action.digest,
            at=of.unit.now,
            reason=reason,
        )
        of.unit.add(row)
    else:
        row.decision, row.role, row.digest, row.at, row.reason = decision, role, action.digest, of.unit.now, reason
    return row
