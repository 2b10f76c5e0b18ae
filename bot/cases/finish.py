"""An incident ends: resolved, closed, false positive, duplicate. Or comes back: reopened."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.first_hour import replan
from bot.cases.people import holder_of
from bot.cases.phases import begin
from bot.cases.storm import hand_over
from bot.incident import lifecycle
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Phase, Role, Status
from bot.incident.work import Action
from bot.store import Unit

MAY_END = (Role.COMMANDER, Role.TECHNICAL_LEAD)


async def resolve(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    """Raises Refused for anybody but the commander and the technical lead. Says which containment is still in force."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _end(unit, caller, number, Status.RESOLVED, reason=_words(reason))
        await begin(unit, incident, Phase.REVIEW)
        await unit.intend(
            IntentKind.POST,
            f"post:resolved:{number}:{incident.head_seq}",
            incident=incident,
            args={"message": "resolved"},
        )
        left = await _in_force(unit, number)
        still = f" Still in force: {left}. Revert what is no longer needed." if left else ""
        return unit.answer(f"{incident.name} is resolved.{still} Next: the review checklist, then `/incident close`.")


async def close(ctx: Context, caller: Caller, number: int) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _end(unit, caller, number, Status.CLOSED)
        return unit.answer(f"{incident.name} is closed.")


async def false_positive(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _end(unit, caller, number, Status.FALSE_POSITIVE, reason=_words(reason))
        left = await _in_force(unit, number)
        still = f" Still in force: {left}. Revert it: the subject did nothing wrong." if left else ""
        return unit.answer(f"{incident.name} is marked as a false positive.{still}")


async def duplicate(ctx: Context, caller: Caller, number: int, *, of: int) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        first, second = sorted((number, of))  # always lock in the same order: two people may mark each other's
        await unit.incident(first)
        if second != first:
            await unit.incident(second)
        incident = await _end(unit, caller, number, Status.DUPLICATE, duplicate_of=of)
        return unit.answer(f"{incident.name} is marked as a duplicate of INC-{of}.")


async def reopen(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    """Raises Refused where another incident about the same thing was opened meanwhile."""
    try:
        async with ctx.store.unit(inbound=caller.inbound) as unit:
            incident = await unit.incident(number)
            await holder_of(unit, incident, caller, *MAY_END)
            before = incident.status
            lifecycle.move(incident, Status.REOPENED, unit.now, reason=_words(reason))
            _moved(unit, incident, caller, before, reason=_words(reason))
            await unit.flush()
            await replan(ctx, unit, incident)
            return unit.answer(f"{incident.name} is open again. Acknowledge it: `/incident ack`.")
    except IntegrityError:
        raise Refused(
            f"Another incident about the same trigger and subject is open. Work there, and note that INC-{number} came back."
        ) from None


async def _end(
    unit: Unit, caller: Caller, number: int, to: Status, *, reason: str | None = None, duplicate_of: int | None = None
) -> Incident:
    incident = await unit.incident(number)
    await holder_of(unit, incident, caller, *MAY_END)
    before = incident.status
    lifecycle.move(incident, to, unit.now, reason=reason, duplicate_of=duplicate_of)
    _moved(unit, incident, caller, before, reason=reason)
    await unit.stop_reminders(incident)
    await hand_over(unit, incident)
    await _expire_proposals(unit, incident)
    return incident


def _moved(unit: Unit, incident: Incident, caller: Caller, before: Status, *, reason: str | None) -> None:
    said = {"from": before.value, "to": incident.status.value, "reason": reason}
    unit.record(incident, Happened.STATUS_CHANGED, caller.actor, **said)


async def _expire_proposals(unit: Unit, incident: Incident) -> None:
    """What nobody decided is not decided after the end."""
    open_ones = select(Action).where(Action.incident == incident.number, Action.state == ActionState.PROPOSED)
    for action in (await unit.session.exec(open_ones)).all():
        action.state = ActionState.EXPIRED
        unit.record(
            incident,
            Happened.ACTION_EXPIRED,
            SYSTEM,
            action=action.index,
            kind=action.kind.value,
            scope=action.scope_kind.value,
        )


async def _in_force(unit: Unit, number: int) -> str:
    held = (ActionState.VERIFIED, ActionState.UNKNOWN, ActionState.EXECUTING)
    rows = select(Action).where(Action.incident == number, col(Action.state).in_(held)).order_by(col(Action.index))
    return ", ".join(f"{a.index} ({a.kind.value.replace('_', ' ')})" for a in (await unit.session.exec(rows)).all())


def _words(reason: str) -> str:
    if not reason.strip():
        raise Invalid(
            "Say why, in a few words: the review prints it.", example="/incident resolve the prompt filter is live"
        )
    return clip(redact(reason.strip()), 1000)
