"""Break-glass: somebody in the room has an action carried out at once, without the role or the signatures it needs.

Decides who may, and that it is loud: an entry of its own kind, a message that mentions the commander, a decision that the
review finds. What was decided, has expired or has changed since is not undone by it: that is proposed again first.
"""

from __future__ import annotations

import structlog

from bot.cases import actions, deciding
from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import Decision, Role
from bot.incident.work import Action
from bot.store import Unit, queries

log = structlog.get_logger()

AS = "break_glass"
"""What stands where the role of an approver stands."""


async def break_glass(
    ctx: Context,
    caller: Caller,
    number: int,
    *,
    index: int,
    reason: str,
    channel: str | None,
    digest: str | None = None,
) -> str:
    """Have the action carried out as it was shown (`digest` as in `approve`). `channel`: where the person asked.

    Raises Invalid without a reason; Refused for who is not a full member in the room, and like `approve` for what was
    decided, has expired or has changed.
    """
    if not reason.strip():
        example = f"/incident contain break-glass {index} nobody who may approve answers, and it goes on"
        raise Invalid(
            "Say why it cannot wait: everybody reads it, and the review asks.", field="reason", example=example
        )
    user = member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        of = await deciding.case(ctx, unit, number, index, user)
        incident, action = of.incident, of.action
        if incident.channel_id is None or channel != incident.channel_id:
            raise Refused(
                f"Break-glass works in the room of {incident.name} only, where everybody sees it. Go there and type "
                f"`/incident contain break-glass {index}` with your reason."
            )
        if stale := await deciding.refuse_or_restate(of, digest, known=caller.full_member):
            return unit.answer(stale)
        why = clip(redact(reason.strip()), 500)
        deciding.sign(of, AS, Decision.BREAK_GLASS, reason=why)
        facts = {**actions.facts(action), **actions.bound(action, caller), "reason": why, "of": action.signatures}
        unit.record(incident, Happened.GLASS_BROKEN, caller.actor, **facts)
        if not incident.drill:
            await unit.count_glass_broken()
        log.warning("approval.glass_broken", incident=number, action=index, person=user)
        await actions.carry_out(unit, incident, action)
        await _tell(unit, incident, index)
        return unit.answer(await _answer(unit, number, action))


async def _answer(unit: Unit, number: int, action: Action) -> str:
    commander = (await queries.held_in(unit.session, [number], Role.COMMANDER)).get(number)
    told = f"<@{commander}> and the room are told" if commander else "The room is told; nobody has taken command yet"
    words = actions.words(action)
    return (
        f"You broke the glass: {words[0].lower()}{words[1:]} is being carried out now. {told}, and the review will "
        "ask about it. It can be reverted in the containment panel where it can be undone."
    )


async def _tell(unit: Unit, incident: Incident, index: int) -> None:
    args = {"message": "glass_broken", "action": index}
    await unit.intend(IntentKind.POST, f"post:glass_broken:{incident.number}:{index}", incident=incident, args=args)
