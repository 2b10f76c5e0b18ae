"""The way back to normal: whoever ends an incident decides about everything that is still in force, so that nothing is left
in silence. Reverted, the latest first, or kept for a reason that the review names.

Decides what must be decided and what is written of it. How a revert is carried out is `undo`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases import actions, revert, temporary
from bot.cases.context import Context
from bot.cases.people import member, on_roster
from bot.incident.approval import OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit

S = ActionState
HELD = frozenset({S.VERIFIED, S.UNKNOWN, S.EXECUTING})
NO_WAY_BACK = "it cannot be undone"
HOW = "Press *Resolve* in the room, or add `--revert 1,3` (or `--revert-all`) and `--keep 2 --because …`."


@dataclass(frozen=True)
class Decided:
    """What is to become of the actions in force, by their numbers."""

    revert: frozenset[int] = frozenset()
    keep: frozenset[int] = frozenset()
    because: str = ""
    """Why those are kept."""
    everything: bool = False
    """Revert whatever is not kept."""


async def in_force(unit: Unit, incident: Incident) -> Sequence[Action]:
    """What is enforced now, or may be, the latest first: what was done last is undone first."""
    held = [action for action in await actions.every(unit, incident) if action.state in HELD]
    return sorted(held, key=lambda one: (one.executed_at or one.proposed_at, one.index), reverse=True)


async def keep(
    ctx: Context, caller: Caller, number: int, *, index: int, reason: str, minutes: int | None = None
) -> str:
    """Leave an action in force on purpose. `minutes`: then it is asked again. Also after the incident ended.

    Raises Refused for who may not approve such actions or where it is not in force, Invalid without a reason.
    """
    temporary.refuse_span(minutes)
    why = _words(reason)
    roster = await on_roster(ctx, member(caller))
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        if action.state not in HELD:
            raise Refused(f"{actions.words(action)} is {action.state.value}: there is nothing in force to keep.")
        if action.revert_asked_at is not None:
            raise Refused(f"{actions.words(action)} is being reverted: <@{action.revert_asked_by}> asked for it.")
        await actions.approver(ctx, unit, incident, action, member(caller), roster)
        _keep(unit, incident, action, caller, why)
        await temporary.ask_in(ctx, unit, incident, action, minutes, by=caller.actor)
        again = f" The room is asked again at {action.temporary_until:%Y-%m-%d %H:%M} UTC." if minutes else ""
        return unit.answer(f"{actions.words(action)} stays in force.{again}")


async def decide(
    ctx: Context, unit: Unit, incident: Incident, caller: Caller, decided: Decided, roster: OnRoster
) -> tuple[list[Action], list[Action]]:
    """Carry out what was decided, in the transaction that ends the incident. Returns what is reverted and what is kept.

    Raises Refused where something is in force that nothing was decided about, or for who may not decide about it.
    """
    held = await in_force(unit, incident)
    _refuse_strangers(held, decided)
    open_ones = [one for one in held if one.revert_asked_at is None and one.reversible]
    lifted, kept = [], []
    for action in open_ones:
        if action.index in decided.keep:
            await actions.approver(ctx, unit, incident, action, member(caller), roster)
            _keep(unit, incident, action, caller, _words(decided.because))
            kept.append(action)
        elif action.index in decided.revert or decided.everything:
            await _refuse_unsettled(unit, action)
            await revert.request(ctx, unit, incident, action, caller, roster=roster)
            lifted.append(action)
    if left := [one for one in open_ones if one not in (*lifted, *kept)]:
        raise Refused(f"Still in force: {named(left)}. Decide about each: revert it, or keep it and say why. {HOW}")
    for action in held:
        if not action.reversible:
            _keep(unit, incident, action, caller, NO_WAY_BACK)
            kept.append(action)
    return lifted, kept


async def keep_all(unit: Unit, incident: Incident, caller: Caller, reason: str) -> list[Action]:
    """Nothing is undone, because the work goes on elsewhere; what stays is written down all the same."""
    kept = [one for one in await in_force(unit, incident) if one.revert_asked_at is None]
    for action in kept:
        _keep(unit, incident, action, caller, reason)
    return kept


async def refuse_undecided(unit: Unit, incident: Incident) -> None:
    """Raises Refused where something is in force that nobody decided about since the resolution: a revert that failed."""
    since = incident.resolved_at or incident.declared_at
    left = [
        one
        for one in await in_force(unit, incident)
        if one.reversible and one.revert_asked_at is None and (one.kept_at is None or one.kept_at < since)
    ]
    if left:
        raise Refused(
            f"{incident.name} still has containment in force that nobody decided about: {named(left)}. Press *Revert* in the "
            "containment panel, or keep it with a reason: `/incident contain keep`."
        )


def named(some: Sequence[Action]) -> str:
    """`2 (block user), 4 (rate limit)`"""
    return ", ".join(f"{one.index} ({one.kind.value.replace('_', ' ')})" for one in some)


def _keep(unit: Unit, incident: Incident, action: Action, caller: Caller, why: str) -> None:
    action.kept_at, action.kept_by, action.kept_because = unit.now, caller.actor.id, why
    unit.record(incident, Happened.ACTION_KEPT, caller.actor, **actions.facts(action), reason=why)


def _refuse_strangers(held: Sequence[Action], decided: Decided) -> None:
    if twice := sorted(decided.revert & decided.keep):
        raise Invalid(f"Action {twice[0]} cannot be both reverted and kept.")
    known = {one.index for one in held}
    if unknown := sorted((decided.revert | decided.keep) - known):
        raise Refused(f"Action {unknown[0]} is not in force. In force: {named(held) or 'nothing'}.")


async def _refuse_unsettled(unit: Unit, action: Action) -> None:
    if action.state is not S.EXECUTING:
        return
    if await actions.in_hand(unit, action, IntentKind.EXECUTE):
        raise Refused(f"{actions.words(action)} is being carried out right now. Try again in a moment.")
    raise Refused(f"{actions.words(action)} waits for a person: attest what was done and revert it, or keep it.")


def _words(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why it stays in force, in a few words: the review prints it.", field="because")
    return clip(redact(reason.strip()), 1000)
