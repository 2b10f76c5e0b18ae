"""The model risk register: what remains, how likely, how bad, what is done about it, who looks at it again and when.

Decides what each change writes. A risk belongs to the incident that taught it; who may change it is `insiders`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col

from bot.cases import item_reminders
from bot.cases.context import Context
from bot.cases.insiders import insider
from bot.cases.items import words
from bot.incident.caller import Caller
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.learning import Risk
from bot.incident.outward import Planned, Reminder, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Level, Treatment
from bot.store import Unit, homes, items
from bot.store.reminders import Fired


@dataclass(frozen=True)
class Change:
    """What a person wants different; None leaves it as it is."""

    text: str | None = None
    likelihood: Level | None = None
    impact: Level | None = None
    treatment: Treatment | None = None
    owner: str | None = None
    review_at: datetime | None = None


async def enter(
    ctx: Context,
    caller: Caller,
    number: int,
    *,
    text: str,
    likelihood: Level,
    impact: Level,
    treatment: Treatment,
    owner: str | None = None,
    review_at: datetime | None = None,
    room: str | None = None,
) -> str:
    """Raises Refused for who may not, Invalid for a text that is empty or too long."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        user = await insider(unit.session, incident, caller, room=room)
        risk = Risk(
            incident=number,
            text=words(text),
            likelihood=likelihood,
            impact=impact,
            treatment=treatment,
            owner=owner,
            review_at=review_at,
            created_by=user,
            created_at=unit.now,
        )
        unit.add(risk)
        await unit.flush()
        unit.record(incident, Happened.RISK_ENTERED, caller.actor, risk=risk.id, text=risk.text)
        await _plan(ctx, unit, incident, risk)
        await homes.refresh(unit, [risk.owner])
        return unit.answer(f"Risk {risk.id} of {incident.name} is in the register.")


async def change(ctx: Context, caller: Caller, index: int, wanted: Change, *, room: str | None = None) -> str:
    """Raises Refused for who may not, and where it is closed."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, risk = await _open_one(unit, caller, index, room)
        before = risk.owner
        risk.text = words(wanted.text) if wanted.text is not None else risk.text
        risk.likelihood, risk.impact = wanted.likelihood or risk.likelihood, wanted.impact or risk.impact
        risk.treatment, risk.owner = wanted.treatment or risk.treatment, wanted.owner or risk.owner
        risk.review_at = wanted.review_at or risk.review_at
        said = f"likelihood {risk.likelihood.value}, impact {risk.impact.value}"
        treatment = risk.treatment.value
        unit.record(incident, Happened.RISK_CHANGED, caller.actor, risk=index, treatment=treatment, reason=said)
        await _stop(unit, incident, risk)
        await _plan(ctx, unit, incident, risk)
        await homes.refresh(unit, [before, risk.owner])
        return unit.answer(f"Risk {index} is changed: {said}, {treatment}.")


async def close(ctx: Context, caller: Caller, index: int, *, reason: str, room: str | None = None) -> str:
    """It is no risk any more, for a reason."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, risk = await _open_one(unit, caller, index, room)
        risk.closed_at = unit.now
        unit.record(incident, Happened.RISK_CHANGED, caller.actor, risk=index, reason=f"closed: {words(reason)}")
        await _stop(unit, incident, risk)
        await homes.refresh(unit, [risk.owner])
        return unit.answer(f"Risk {index} of {incident.name} is closed.")


async def fall_due(unit: Unit, reminder: Fired) -> None:
    """Its review date came: its owner is told, with all else that they owe."""
    risk = await unit.session.get(Risk, int(reminder.args["risk"]))
    if risk is None or risk.closed_at is not None or risk.owner is None or risk.review_at is None:
        return
    if risk.review_at.isoformat() == reminder.args["review"]:
        await item_reminders.tell(unit, risk.owner)


async def _open_one(unit: Unit, caller: Caller, index: int, room: str | None) -> tuple[Incident, Risk]:
    """The risk and its incident, locked."""
    risk = await items.risk(unit.session, index)
    incident = await unit.incident(risk.incident)
    await unit.session.refresh(risk)
    await insider(unit.session, incident, caller, room=room, owner=risk.owner)
    if risk.closed_at is not None:
        raise Refused(f"Risk {index} was closed at {risk.closed_at:%Y-%m-%d %H:%M} UTC. Nothing was changed.")
    return incident, risk


async def _plan(ctx: Context, unit: Unit, incident: Incident, risk: Risk) -> None:
    """On the morning of the review date. The timeline's head is the revision in the key."""
    if risk.review_at is None:
        return
    hour = ctx.playbook.review.item_reminders.at_hour
    at = max(unit.now, risk.review_at.replace(hour=hour, minute=0, second=0))
    key = f"{incident.number}:risk:{risk.id}:r{incident.head_seq}"
    args = {"risk": risk.id, "review": risk.review_at.isoformat()}
    await unit.remind(Planned(key, incident.number, ReminderKind.RISK_DUE, at, args))


async def _stop(unit: Unit, incident: Incident, risk: Risk) -> None:
    mine = col(Reminder.key).startswith(f"{incident.number}:risk:{risk.id}:", autoescape=True)
    await unit.stop_reminders(incident, where=[col(Reminder.kind) == ReminderKind.RISK_DUE, mine])
