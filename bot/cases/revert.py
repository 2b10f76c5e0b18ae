"""What is in force is undone from the room: a person asks, and it is written down (design law 10).

Decides who may ask, and for what. How it is undone and proven is `undo`'s.
"""

from __future__ import annotations

from sqlmodel import col, func, select

from bot.cases import actions, shared
from bot.cases.context import Context
from bot.cases.people import member, on_roster
from bot.incident.approval import NOT_ON_ROSTER, OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.outward import Intent, IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.incident.work import Action
from bot.store import Unit

S = ActionState
REVERTABLE = frozenset({S.VERIFIED, S.UNKNOWN})


async def ask_revert(ctx: Context, caller: Caller, number: int, *, index: int) -> str:
    """Have the action undone. Also after the incident ended. Raises Refused for who may not, or what cannot be undone."""
    roster = await on_roster(ctx, member(caller))
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        action = await actions.find(unit, incident, index)
        await request(ctx, unit, incident, action, caller, roster=roster)
        if (also := next(iter(await shared.others(unit, action)), None)) is not None:
            return unit.answer(
                f"{actions.words(action)} is being reverted. {shared.named(also, number)} contains the same target, "
                "so the target stays contained until that one is reverted as well."
            )
        return unit.answer(f"{actions.words(action)} is being reverted. The panel shows when that is verified.")


async def request(
    ctx: Context,
    unit: Unit,
    incident: Incident,
    action: Action,
    caller: Caller,
    *,
    roster: OnRoster = NOT_ON_ROSTER,
) -> None:
    """Ask for one revert, in the caller's transaction. `roster`: what `people.on_roster` said before it."""
    user = member(caller)
    _refuse_unless_revertable(action)
    await actions.approver(ctx, unit, incident, action, user, roster)
    action.revert_asked_at, action.revert_asked_by = unit.now, user
    action.kept_at = action.kept_by = action.kept_because = None
    unit.record(incident, Happened.REVERT_ASKED, caller.actor, **actions.facts(action), **actions.bound(action, caller))
    time = await _times(unit, action) + 1
    args = {"action": action.index, "time": time}
    await unit.intend(IntentKind.REVERT, f"{_prefix(action)}{time}", incident=incident, args=args)


def _refuse_unless_revertable(action: Action) -> None:
    if action.revert_asked_at is not None:
        what = "was reverted" if action.state is S.REVERTED else "is being reverted already"
        raise Refused(
            f"{actions.words(action)} {what}: <@{action.revert_asked_by}> asked at {action.revert_asked_at:%H:%M} UTC."
        )
    if action.state not in REVERTABLE:
        raise Refused(f"{actions.words(action)} is {action.state.value}: there is nothing in force to revert.")
    if not action.reversible:
        raise Refused(f"{actions.words(action)} cannot be undone. Its approval said so.")


def _prefix(action: Action) -> str:
    return f"revert:{action.incident}:{action.index}:"


async def _times(unit: Unit, action: Action) -> int:
    """How often it was asked for: a revert that failed may be asked for again."""
    counted = select(func.count()).where(
        Intent.incident == action.incident,
        Intent.kind == IntentKind.REVERT,
        col(Intent.key).startswith(_prefix(action), autoescape=True),
    )
    return int((await unit.session.exec(counted)).one())


def reverted(unit: Unit, incident: Incident, action: Action) -> None:
    action.state, action.reverted_at = S.REVERTED, unit.now
