"""An incident ends: resolved, closed, false positive, duplicate. Or comes back: reopened.

Decides who may end it and what an end writes. What becomes of the containment that is in force is `recovery`'s.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.cases import items, monitoring, recovery, regression
from bot.cases.context import Context
from bot.cases.people import holder_of, member, on_roster
from bot.cases.phases import begin
from bot.cases.proven import proven_or_waived
from bot.cases.recovery import Decided
from bot.cases.reopen import moved, open_again
from bot.cases.review import plan_at_close
from bot.cases.storm import hand_over
from bot.incident import lifecycle
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import OUTLIVES, IntentKind, Reminder
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Phase, Role, Status
from bot.incident.work import Action
from bot.store import Unit

MAY_END = (Role.COMMANDER, Role.TECHNICAL_LEAD)
NOTHING = Decided()


async def resolve(
    ctx: Context, caller: Caller, number: int, *, reason: str, decided: Decided = NOTHING, waiver: str | None = None
) -> str:
    """Raises Refused for anybody but the commander and the technical lead, where containment is in force about which
    nothing was decided (each action is reverted, the latest first, or kept for a reason), and where the fix is neither
    proven nor, in `waiver`, is it said by the commander why it need not be."""
    roster, why = await on_roster(ctx, member(caller)), _words(reason)
    behind = await items.owners(ctx)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _may_end(unit, caller, number)
        if Status.RESOLVED in lifecycle.reachable(incident.status):  # otherwise the move itself says what is missing
            await proven_or_waived(unit, incident, caller, waiver)
        incident = await _end(unit, caller, number, Status.RESOLVED, reason=why)
        lifted, kept = await recovery.decide(ctx, unit, incident, caller, decided, roster)
        await begin(unit, incident, Phase.REVIEW)
        await items.prefill(ctx, unit, incident, behind)
        await unit.intend(
            IntentKind.POST,
            f"post:resolved:{number}:{incident.head_seq}",
            incident=incident,
            args={"message": "resolved"},
        )
        back = f" Being reverted, the latest first: {recovery.named(lifted)}." if lifted else ""
        stays = f" Left in force: {recovery.named(kept)}." if kept else ""
        next_step = "Next: the review checklist, then `/incident close`."
        return unit.answer(f"{incident.name} is resolved.{back}{stays} {next_step}")


async def close(ctx: Context, caller: Caller, number: int) -> str:
    """Raises Refused where containment is in force that nobody decided about: a revert that failed after the resolution."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _end(unit, caller, number, Status.CLOSED)
        await recovery.refuse_undecided(unit, incident)
        await plan_at_close(ctx, unit, incident)
        await monitoring.begin(ctx, unit, incident, caller)
        await regression.plan(ctx, unit, incident)
        return unit.answer(f"{incident.name} is closed.")


async def false_positive(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    """The subject did nothing wrong, so everything in force is reverted. Raises Refused for who may not lift it."""
    roster = await on_roster(ctx, member(caller))
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await _end(unit, caller, number, Status.FALSE_POSITIVE, reason=_words(reason))
        lifted, kept = await recovery.decide(ctx, unit, incident, caller, Decided(everything=True), roster)
        back = f" Being reverted, the latest first: {recovery.named(lifted)}." if lifted else ""
        stays = f" Cannot be undone: {recovery.named(kept)}." if kept else ""
        return unit.answer(f"{incident.name} is marked as a false positive.{back}{stays}")


async def duplicate(ctx: Context, caller: Caller, number: int, *, of: int) -> str:
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        first, second = sorted((number, of))  # always lock in the same order: two people may mark each other's
        await unit.incident(first)
        if second != first:
            await unit.incident(second)
        incident = await _end(unit, caller, number, Status.DUPLICATE, duplicate_of=of)
        kept = await recovery.keep_all(unit, incident, caller, f"the work goes on in INC-{of}")
        stays = f" Its containment stays in force: {recovery.named(kept)}." if kept else ""
        if kept:  # whoever leads there must know of it
            note = f"{incident.name} is a duplicate of this incident. Still in force there: {recovery.named(kept)}."
            unit.record(await unit.incident(of), Happened.NOTE, SYSTEM, text=note)
        return unit.answer(f"{incident.name} is marked as a duplicate of INC-{of}.{stays}")


async def reopen(ctx: Context, caller: Caller, number: int, *, reason: str) -> str:
    """Raises Refused where another incident about the same thing was opened meanwhile."""
    try:
        async with ctx.store.unit(inbound=caller.inbound) as unit:
            incident = await _may_end(unit, caller, number)
            await open_again(ctx, unit, incident, caller.actor, _words(reason))
            return unit.answer(f"{incident.name} is open again. Acknowledge it: `/incident ack`.")
    except IntegrityError:
        raise Refused(
            f"Another incident about the same trigger and subject is open. Work there, and note that INC-{number} came back."
        ) from None


async def _may_end(unit: Unit, caller: Caller, number: int) -> Incident:
    incident = await unit.incident(number)
    await holder_of(unit, incident, caller, *MAY_END)
    return incident


async def _end(
    unit: Unit, caller: Caller, number: int, to: Status, *, reason: str | None = None, duplicate_of: int | None = None
) -> Incident:
    incident = await _may_end(unit, caller, number)
    before = incident.status
    lifecycle.move(incident, to, unit.now, reason=reason, duplicate_of=duplicate_of)
    moved(unit, incident, caller.actor, before, reason=reason)
    await unit.stop_reminders(incident, where=[col(Reminder.kind).not_in(OUTLIVES)])
    await hand_over(unit, incident)
    await _expire_proposals(unit, incident)
    return incident


async def _expire_proposals(unit: Unit, incident: Incident) -> None:
    """What nobody decided is not decided after the end."""
    open_ones = select(Action).where(Action.incident == incident.number, Action.state == ActionState.PROPOSED)
    for action in (await unit.session.exec(open_ones)).all():
        action.state, action.expires_at = ActionState.EXPIRED, unit.now
        unit.record(
            incident,
            Happened.ACTION_EXPIRED,
            SYSTEM,
            action=action.index,
            kind=action.kind.value,
            scope=action.scope_kind.value,
        )


def _words(reason: str) -> str:
    if not reason.strip():
        raise Invalid(
            "Say why, in a few words: the review prints it.", example="/incident resolve the prompt filter is live"
        )
    return clip(redact(reason.strip()), 1000)
