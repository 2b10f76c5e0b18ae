"""What the use cases about containment share: find an action, name it, say who may decide, have its result told.

Decides none of the rules: those are `bot.incident.approval`'s and the playbook's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select

from bot.cases.context import Context
from bot.incident import approval
from bot.incident.approval import NOT_ON_ROSTER, OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import NotFound, Refused
from bot.incident.incident import Incident
from bot.incident.outward import Intent, IntentKind, IntentState, Reminder
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionState, ScopeKind
from bot.incident.work import Action, Approval
from bot.store import Unit, queries


async def find(unit: Unit, incident: Incident, index: int) -> Action:
    """The action that people call by this number. The incident must be locked by the unit. Raises NotFound."""
    wanted = select(Action).where(Action.incident == incident.number, Action.index == index)
    action = (await unit.session.exec(wanted)).one_or_none()
    if action is None:
        raise NotFound(f"{incident.name} has no action {index}. Its containment panel shows the numbers.")
    return action


async def every(unit: Unit, incident: Incident) -> Sequence[Action]:
    await unit.flush()
    wanted = select(Action).where(Action.incident == incident.number).order_by(col(Action.index))
    return (await unit.session.exec(wanted)).all()


async def signatures(unit: Unit, action: Action) -> Sequence[Approval]:
    wanted = select(Approval).where(Approval.action == action.id).order_by(col(Approval.id))
    return (await unit.session.exec(wanted)).all()


def words(action: Action) -> str:
    """`Action 3 (block user)`: safe to show, without the scope, which comes from outside."""
    return f"Action {action.index} ({action.kind.value.replace('_', ' ')})"


def facts(action: Action) -> dict[str, Any]:
    """What every timeline entry about an action says."""
    everyone = action.scope_kind is ScopeKind.EVERYONE
    scope = "everyone" if everyone else f"{action.scope_kind.value.replace('_', ' ')} {action.scope_id}"
    return {"action": action.index, "kind": action.kind.value, "scope": scope}


def bound(action: Action, caller: Caller) -> dict[str, Any]:
    """What an entry about a decision says besides: what exactly was decided about, and from where."""
    return {"digest": action.digest} | ({"via": caller.via.value} if caller.via is not None else {})


async def approver(
    ctx: Context, unit: Unit, incident: Incident, action: Action, user: str, roster: OnRoster = NOT_ON_ROSTER
) -> str:
    """The role by which this person decides about the action. Raises Refused naming who may.

    `roster`: what `people.on_roster` said of them before the transaction.
    """
    allowed = ctx.playbook.actions[action.kind].approvers_for(incident.severity)
    return await role_among(unit, incident, user, allowed, roster)


async def role_among(
    unit: Unit, incident: Incident, user: str, allowed: Sequence[str], roster: OnRoster = NOT_ON_ROSTER
) -> str:
    """Held in this incident, or on the organisation's roster. Raises Refused naming who may."""
    held = await queries.holders(unit.session, incident.number)
    return approval.signing_role(user, {role: row.person for role, row in held.items()}, allowed, roster)


async def carry_out(unit: Unit, incident: Incident, action: Action, *, waited: bool = True) -> None:
    """All signatures are there: have it executed, bound to the digest of what was shown (design law 8).

    `waited`: for a decision, of which people are reminded.
    """
    action.state, action.decided_at = ActionState.APPROVED, unit.now
    if waited:
        await decided(unit, incident, action)
    args = {"action": action.index, "digest": action.digest}
    await unit.intend(IntentKind.EXECUTE, f"execute:{incident.number}:{action.index}", incident=incident, args=args)


ORDERS = (Happened.ACTION_APPROVED, Happened.GLASS_BROKEN)


async def ordered(unit: Unit, incident: Incident, action: Action) -> bool:
    """The chained timeline says that exactly this was to be carried out: rows of approvals alone could be written by hand."""
    orders = select(TimelineEntry).where(TimelineEntry.incident == incident.number, col(TimelineEntry.kind).in_(ORDERS))
    said = [entry.data for entry in (await unit.session.exec(orders)).all()]
    return any(one.get("action") == action.index and one.get("digest") == action.digest for one in said)


def expiry_key(action: Action) -> str:
    return f"expiry:{action.incident}:{action.index}"


async def decided(unit: Unit, incident: Incident, action: Action) -> None:
    """Nobody needs to be reminded of it any more."""
    await unit.stop_reminders(incident, where=[col(Reminder.key) == expiry_key(action)])


def refuse_after_end(incident: Incident) -> None:
    if incident.ended_at is not None:
        raise Refused(f"{incident.name} has ended. Reopen it first if it came back: `/incident close --reopen`.")


async def tell(unit: Unit, incident: Incident, action: Action, state: str) -> None:
    """Have the room told how an action went: the panel alone would be overlooked."""
    key = f"post:action_result:{incident.number}:{action.index}:{state}"
    args = {"message": "action_result", "action": action.index}
    await unit.intend(IntentKind.POST, key, incident=incident, args=args)


async def in_hand(unit: Unit, action: Action, kind: IntentKind, *, leased: bool = False) -> bool:
    """True while an intent to execute, or to revert, the action is not settled; with `leased`, only while a process holds it.

    Asked of the intents of its incident: a key that only begins so would be looked for among all there ever were."""
    states = [IntentState.SENDING] if leased else [IntentState.SENDING, IntentState.PENDING]
    key = f"{kind}:{action.incident}:{action.index}"
    of_it = or_(col(Intent.key) == key, col(Intent.key).startswith(f"{key}:", autoescape=True))
    mine = (col(Intent.incident) == action.incident, col(Intent.kind) == kind, of_it)
    wanted = select(Intent.id).where(*mine, col(Intent.state).in_(states))
    return (await unit.session.exec(wanted.limit(1))).first() is not None
