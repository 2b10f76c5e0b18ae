"""A person approves or declines a containment action (design law 8). The first decision wins; the other is told.

Decides what a decision writes. Who may sign and when it is complete is `bot.incident.approval`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.cases import actions
from bot.cases.contained import settle
from bot.cases.context import Context
from bot.cases.people import member
from bot.incident import approval
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Decision
from bot.incident.work import Action, Approval
from bot.store import Unit, queries

SHORTEST_DIGEST = 16
"""Hex digits of the digest that a button carries at least."""
SECOND = "second_person"
"""What somebody signs as who holds no role that approves: the second of two."""


async def approve(ctx: Context, caller: Caller, number: int, *, index: int, digest: str | None = None) -> str:
    """Sign the action as it was shown (`digest`, or its beginning). The last signature has it carried out.

    Raises Refused for a guest, for anybody who may not sign, and for what was decided, has expired or has changed.
    """
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        user, action = member(caller), await actions.find(unit, incident, index)
        signed = await actions.signatures(unit, action)
        shown = action.digest if _matches(digest, action.digest) else "changed"
        approval.check_signature(action, signed, user, shown, unit.now, known=caller.full_member)
        actions.refuse_after_end(incident)
        role = await _signs_as(ctx, unit, incident, action, user, signed=signed, pressed=digest is not None)
        row = _signature(unit, action, user, role, Decision.APPROVE)
        done = approval.complete(action, [*signed, row])
        kind = Happened.ACTION_APPROVED if done else Happened.ACTION_SIGNED
        unit.record(incident, kind, caller.actor, **actions.facts(action), digest=action.digest, role=role)
        if not done:
            return unit.answer(f"You signed {_lower(action)}. {_who_else(ctx, user)}")
        await actions.carry_out(unit, incident, action)
        other = await _alternatives(unit, incident, action)
        return unit.answer(f"You approved {_lower(action)}. It is being carried out now.{other}")


async def decline(ctx: Context, caller: Caller, number: int, *, index: int, reason: str) -> str:
    """Say no, for good: a declined action has to be proposed again. Raises Refused like `approve`; Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why you decline, in a few words: the review prints it.", field="reason")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        user, action = member(caller), await actions.find(unit, incident, index)
        signed = await actions.signatures(unit, action)
        approval.refuse_unless_open(action, signed, unit.now)
        role = await actions.approver(ctx, unit, incident, action, user)
        why = clip(redact(reason.strip()), 500)
        mine = next((row for row in signed if row.person == user), None)
        if mine is None:
            _signature(unit, action, user, role, Decision.DECLINE, reason=why)
        else:  # who signed first may think again before the second does; the timeline keeps both
            mine.decision, mine.at, mine.reason, mine.role = Decision.DECLINE, unit.now, why, role
        action.state, action.decided_at = ActionState.DECLINED, unit.now
        await actions.decided(unit, incident, action)
        unit.record(incident, Happened.ACTION_DECLINED, caller.actor, **actions.facts(action), role=role, reason=why)
        await settle(ctx, unit, incident)
        return unit.answer(f"You declined {_lower(action)}. Nothing was changed.")


def _matches(shown: str | None, digest: str) -> bool:
    """None is somebody who typed the number: they decide about what is stored now."""
    return shown is None or (len(shown) >= SHORTEST_DIGEST and digest.startswith(shown))


async def _signs_as(
    ctx: Context,
    unit: Unit,
    incident: Incident,
    action: Action,
    user: str,
    *,
    signed: Sequence[Approval],
    pressed: bool,
) -> str:
    """The first signature comes from whoever approves such actions; the second from another person, of `second_person`.

    Who holds no role signs second only by pressing the panel's button: that shows that they are in the room and saw it.
    """
    if not signed:
        return await actions.approver(ctx, unit, incident, action, user)
    if roles := ctx.playbook.policy.second_person.roles:
        return await actions.role_among(ctx, unit, incident, user, roles)
    held = await queries.holders(unit.session, incident.number)
    mine = next((role.value for role, row in held.items() if row.person == user), None)
    if mine is None and not pressed:
        raise Refused("Press *Approve* in the containment panel of the room, so that you sign what it shows.")
    return mine or SECOND


def _signature(
    unit: Unit, action: Action, user: str, role: str, decision: Decision, reason: str | None = None
) -> Approval:
    assert action.id is not None
    row = Approval(
        incident=action.incident,
        action=action.id,
        decision=decision,
        person=user,
        role=role,
        digest=action.digest,
        at=unit.now,
        reason=reason,
    )
    unit.add(row)
    return row


def _who_else(ctx: Context, user: str) -> str:
    roles = ctx.playbook.policy.second_person.roles
    named = " or ".join(sorted(role.replace("_", " ") for role in roles))
    who = f"The {named}" if roles else "Any other full member in the room"
    return f"A second person must sign before it is carried out. {who} can press *Approve*; you (<@{user}>) cannot."


async def _alternatives(unit: Unit, incident: Incident, action: Action) -> str:
    """One of two alternatives is enough; the other stays open, and that is said."""
    others = [
        other
        for other in await actions.every(unit, incident)
        if other.state is ActionState.PROPOSED
        and other.id != action.id
        and (other.kind is action.alternative_to or other.alternative_to is action.kind)
    ]
    if not others:
        return ""
    named = " and ".join(_lower(other) for other in others)
    return f" {named[0].upper()}{named[1:]} is an alternative to it and stays open: decline it if this is enough."


def _lower(action: Action) -> str:
    words = actions.words(action)
    return words[0].lower() + words[1:]
