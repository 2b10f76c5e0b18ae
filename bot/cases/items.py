"""Action items: what must change so that it does not happen again. Filled in from the playbook, added, changed, done, dropped.

Decides who may change one and what each change writes. When its owner is told is `item_reminders`'; whether it is tracked
elsewhere is `track`'s. Items outlive their incident: neither its end nor its reopening touches them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from bot.cases import item_reminders, tracking
from bot.cases.context import Context
from bot.cases.insiders import insider
from bot.incident.approval import ROOM_ROLES
from bot.incident.caller import Caller
from bot.incident.due import in_days
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, Actor, Incident
from bot.incident.learning import ActionItem
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import ItemKind, ItemState
from bot.store import Unit, homes, items, queries

LONGEST = 500
EXAMPLE = "/incident action add --type detect --owner @bob --due 2w alert on the first canary"
USER = re.compile(r"[UW][A-Z0-9]{2,20}")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Change:
    """What a person wants different; None leaves it as it is."""

    text: str | None = None
    kind: ItemKind | None = None
    owner: str | None = None
    due_at: datetime | None = None


async def owners(ctx: Context) -> Mapping[str, str]:
    """Who alone stands behind each roster role of the playbook's items. It may ask Slack: never call it in a unit."""
    roles = {item.role for item in ctx.playbook.review.action_items} & set(ctx.org.roster)
    if ctx.membership is not None:
        return await ctx.membership.only_person(sorted(roles))
    alone = {role: ctx.org.roster[role] for role in roles if not ctx.org.roster[role].usergroups}
    return {
        role: one.people[0] for role, one in alone.items() if len(one.people) == 1 and USER.fullmatch(one.people[0])
    }


async def prefill(ctx: Context, unit: Unit, incident: Incident, behind: Mapping[str, str]) -> None:
    """The playbook's items, once an incident: what is there already, in whatever state, is left alone.

    `behind`: as `owners` answers. A role of the room is its holder's.
    """
    of_it = select(ActionItem.key).where(ActionItem.incident == incident.number)
    known = set((await unit.session.exec(of_it)).all())
    held = await queries.holders(unit.session, incident.number)
    holding = {role.value: one.person for role, one in held.items()}
    for template in ctx.playbook.review.action_items:
        if template.id in known:
            continue
        item = ActionItem(
            incident=incident.number,
            key=template.id,
            text=template.text,
            kind=ItemKind(template.kind),
            role=template.role,
            owner=(holding if template.role in ROOM_ROLES else behind).get(template.role),
            due_at=in_days(unit.now, -(-template.due // DAY_MINUTES)),
            created_at=unit.now,
        )
        await _added(ctx, unit, incident, item, SYSTEM)


async def add(
    ctx: Context,
    caller: Caller,
    number: int,
    *,
    text: str,
    kind: ItemKind = ItemKind.PREVENT,
    owner: str | None = None,
    due_at: datetime | None = None,
    room: str | None = None,
) -> str:
    """`room`: the channel in which it was asked. Raises Refused for who may not, Invalid for a text that is empty or too long."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        user = await insider(unit.session, incident, caller, room=room)
        item = ActionItem(
            incident=number,
            text=words(text),
            kind=kind,
            owner=owner,
            due_at=due_at,
            created_by=user,
            created_at=unit.now,
        )
        await _added(ctx, unit, incident, item, caller.actor)
        return unit.answer(f"Action item {item.id} of {incident.name} is added{_told(item)}.")


async def change(ctx: Context, caller: Caller, index: int, wanted: Change, *, room: str | None = None) -> str:
    """Raises Refused for who may not, and where it is done or dropped."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, item = await _open_one(unit, caller, index, room)
        before = item.owner
        item.text = words(wanted.text) if wanted.text is not None else item.text
        item.kind, item.owner = wanted.kind or item.kind, wanted.owner or item.owner
        item.due_at = wanted.due_at or item.due_at
        due = f"{item.due_at:%Y-%m-%d}" if wanted.due_at else None
        unit.record(
            incident, Happened.ITEM_CHANGED, caller.actor, item=index, owner=wanted.owner, due=due, text=item.text
        )
        await item_reminders.stop(unit, incident, item)
        await item_reminders.plan(ctx, unit, incident, item)
        await homes.refresh(unit, [before, item.owner])
        return unit.answer(f"Action item {index} is changed{_told(item)}.")


async def done(ctx: Context, caller: Caller, index: int, *, room: str | None = None) -> str:
    """Raises Refused naming who finished it where somebody did."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, item = await _open_one(unit, caller, index, room)
        _end(item, ItemState.DONE, caller, unit.now)
        unit.record(incident, Happened.ITEM_DONE, caller.actor, item=index, text=item.text)
        await _ended(unit, incident, item)
        return unit.answer(f"Action item {index} of {incident.name} is done.")


async def drop(ctx: Context, caller: Caller, index: int, *, reason: str, room: str | None = None) -> str:
    """It will not be done, for a reason that the review prints."""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident, item = await _open_one(unit, caller, index, room)
        _end(item, ItemState.DROPPED, caller, unit.now)
        unit.record(incident, Happened.ITEM_DROPPED, caller.actor, item=index, text=item.text, reason=words(reason))
        await _ended(unit, incident, item)
        return unit.answer(f"Action item {index} of {incident.name} is dropped.")


def words(text: str) -> str:
    """Redacted, as it is stored. Raises Invalid where it is empty or longer than 500 characters."""
    said = text.strip()
    if not said:
        raise Invalid("The text is empty.", example=EXAMPLE, field="text")
    if len(said) > LONGEST:
        raise Invalid(f"The text has {len(said)} characters, {LONGEST} fit.", field="text")
    return clip(redact(said), LONGEST)


async def _added(ctx: Context, unit: Unit, incident: Incident, item: ActionItem, actor: Actor) -> None:
    unit.add(item)
    await unit.flush()
    unit.record(incident, Happened.ITEM_ADDED, actor, item=item.id, kind=item.kind.value, text=item.text)
    await item_reminders.plan(ctx, unit, incident, item)
    if ctx.org.tracker is not None and ctx.org.tracker.automatic and not incident.drill:
        await tracking.ask(unit, incident, item)
    await homes.refresh(unit, [item.owner])


async def _open_one(unit: Unit, caller: Caller, index: int, room: str | None) -> tuple[Incident, ActionItem]:
    """The item and its incident, locked. Raises Refused where it is over, naming who ended it."""
    item = await items.item(unit.session, index)
    incident = await unit.incident(item.incident)
    await unit.session.refresh(item)  # somebody may have finished it while this one waited for the lock
    await insider(unit.session, incident, caller, room=room, owner=item.owner)
    if item.state is not ItemState.PENDING:
        by = f" by <@{item.done_by}>" if item.done_by and USER.fullmatch(item.done_by) else ""
        at = f" at {item.done_at:%Y-%m-%d %H:%M} UTC" if item.done_at else ""
        raise Refused(f"Action item {index} was {item.state.value} already{by}{at}. Nothing was changed.")
    return incident, item


def _end(item: ActionItem, state: ItemState, caller: Caller, now: datetime) -> None:
    item.state, item.done_by, item.done_at = state, caller.actor.id, now


async def _ended(unit: Unit, incident: Incident, item: ActionItem) -> None:
    await item_reminders.stop(unit, incident, item)
    await homes.refresh(unit, [item.owner])


def _told(item: ActionItem) -> str:
    owner = f" for <@{item.owner}>" if item.owner else ", without an owner"
    return f"{owner}, due {item.due_at:%Y-%m-%d}" if item.due_at else owner
