"""A person attests that an action is in force, or was undone: where it is done by hand, or nobody but a person can look.

Decides who may, and what is kept: the words, redacted, and that it is attested, not verified by Firsthour itself.
"""

from __future__ import annotations

from bot.cases import actions
from bot.cases.contained import lapse, settle
from bot.cases.context import Context
from bot.cases.people import member, on_roster
from bot.cases.revert import reverted
from bot.connectors import Nature
from bot.incident.approval import OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit, queries

S = ActionState


async def attest(ctx: Context, caller: Caller, number: int, *, index: int, statement: str) -> str:
    """Say what was done and seen. Raises Refused for who may not or where nothing waits for it, Invalid without words."""
    if not statement.strip():
        raise Invalid("Say what you did and what you saw when you checked: the review prints it.", field="statement")
    user = member(caller)
    roster = await on_roster(ctx, user)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        await _refuse_unless_waiting(ctx, unit, action)
        await _refuse_outsider(ctx, unit, incident, action, user, roster=roster)
        words = clip(redact(statement.strip()), 1000)
        said = {"attested": True, "result": f"attested by a person: {words}"}
        if action.revert_asked_at is not None:
            reverted(unit, incident, action)
            unit.record(incident, Happened.ACTION_REVERTED, caller.actor, **actions.facts(action), **said)
            done = "reverted"
        else:
            action.state, action.verified_at = S.VERIFIED, unit.now
            unit.record(incident, Happened.ACTION_VERIFIED, caller.actor, **actions.facts(action), **said)
            done = "in force"
        action.result = f"Attested by a person: {words}"
        await lapse(ctx, unit, incident)
        await settle(ctx, unit, incident)
        return unit.answer(f"You attested that {actions.words(action).lower()} is {done}.")


async def _refuse_unless_waiting(ctx: Context, unit: Unit, action: Action) -> None:
    connector = ctx.connectors.by_name.get(action.connector)
    by_hand = connector is None or connector.nature is Nature.BY_HAND
    undoing = action.revert_asked_at is not None and action.state in {S.VERIFIED, S.UNKNOWN}
    if undoing and await actions.in_hand(unit, action, IntentKind.REVERT):
        raise Refused(f"{actions.words(action)} is being reverted right now. Attest when the panel asks for it.")
    if undoing or action.state is S.UNKNOWN or (action.state is S.EXECUTING and by_hand):
        return
    raise Refused(f"{actions.words(action)} is {action.state.value}: nothing waits for somebody to attest.")


async def _refuse_outsider(
    ctx: Context, unit: Unit, incident: Incident, action: Action, user: str, *, roster: OnRoster
) -> None:
    """Whoever holds a role in the incident has been there; beyond them, who may approve such actions."""
    held = await queries.holders(unit.session, incident.number)
    if all(role.person != user for role in held.values()):
        await actions.approver(ctx, unit, incident, action, user, roster)
