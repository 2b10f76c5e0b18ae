"""A person approves or declines a containment action (design law 8). The first decision wins; the other is told.

Decides what a decision writes. Who may sign and when it is complete is `bot.incident.approval`'s; deciding without the
signatures that are needed is `break_glass`'.
"""

from __future__ import annotations

from bot.cases import actions, deciding, wanted
from bot.cases.contained import settle
from bot.cases.context import Context
from bot.cases.deciding import Case
from bot.cases.people import member, on_roster
from bot.incident import approval
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Decision
from bot.incident.work import Action
from bot.store import Unit, queries

SECOND = "second_person"
"""What somebody signs as who holds no role that approves: the second of two."""


async def approve(
    ctx: Context, caller: Caller, number: int, *, index: int, digest: str | None = None, reason: str | None = None
) -> str:
    """Sign the action as it was shown (`digest`, or its beginning). The last signature has it carried out.

    `reason`: why it is signed without evidence that the playbook wants before what cannot be undone.
    Raises Refused for a guest, for anybody who may not sign, and for what was decided, has expired or has changed; Invalid
    where that reason is missing.
    """
    user = member(caller)
    roster = await on_roster(ctx, user)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        case = await deciding.case(ctx, unit, number, index, user, roster)
        incident, action = case.incident, case.action
        if stale := await deciding.refuse_or_restate(case, digest, known=caller.full_member):
            return unit.answer(stale)
        approval.refuse_second_time(action, case.signed, user)
        role = await _signs_as(case, pressed=digest is not None)
        await wanted.refuse_unless_said(ctx, unit, incident, action, caller.actor, reason)
        row = deciding.sign(case, role, Decision.APPROVE)
        given = len(approval.counting(action, [*(one for one in case.signed if one is not row), row]))
        done = given >= action.signatures
        kind = Happened.ACTION_APPROVED if done else Happened.ACTION_SIGNED
        said = {"role": role, "signature": given, "of": action.signatures}
        unit.record(incident, kind, caller.actor, **actions.facts(action), **actions.bound(action, caller), **said)
        if not done:
            return unit.answer(f"You signed {_lower(action)}. {_who_else(ctx, user)}")
        await actions.carry_out(unit, incident, action)
        other = await _alternatives(unit, incident, action)
        return unit.answer(f"You approved {_lower(action)}. It is being carried out now.{other}")


async def decline(ctx: Context, caller: Caller, number: int, *, index: int, reason: str) -> str:
    """Say no, for good: a declined action has to be proposed again. Raises Refused like `approve`; Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why you decline, in a few words: the review prints it.", field="reason")
    user = member(caller)
    roster = await on_roster(ctx, user)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        case = await deciding.case(ctx, unit, number, index, user, roster)
        incident, action = case.incident, case.action
        others = await actions.every(unit, incident)
        approval.refuse_unless_open(action, case.signed, unit.now, others=others)
        role = await actions.approver(ctx, unit, incident, action, user, roster)
        why = clip(redact(reason.strip()), 500)
        deciding.sign(case, role, Decision.DECLINE, reason=why)
        action.state, action.decided_at = ActionState.DECLINED, unit.now
        await actions.decided(unit, incident, action)
        said = {"role": role, "reason": why}
        facts = {**actions.facts(action), **actions.bound(action, caller), **said}
        unit.record(incident, Happened.ACTION_DECLINED, caller.actor, **facts)
        await settle(ctx, unit, incident)
        return unit.answer(f"You declined {_lower(action)}. Nothing was changed.")


async def _signs_as(case: Case, *, pressed: bool) -> str:
    """One signature comes from whoever approves such actions at this severity; the second from another, of `second_person`.

    Who holds no role signs second only by pressing a button: that shows that they saw what they sign.
    """
    ctx, unit, incident, action, user = case.ctx, case.unit, case.incident, case.action, case.user
    if not approval.counting(action, case.signed):
        return await actions.approver(ctx, unit, incident, action, user, case.roster)
    if roles := ctx.playbook.policy.second_person.roles:
        return await actions.role_among(unit, incident, user, roles, case.roster)
    held = await queries.holders(unit.session, incident.number)
    mine = next((role.value for role, row in held.items() if row.person == user), None)
    if mine is None and not pressed:
        raise Refused("Press *Approve* in the containment panel of the room, so that you sign what it shows.")
    return mine or SECOND


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
