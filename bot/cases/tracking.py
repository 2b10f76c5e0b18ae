"""An action item is tracked where the organisation tracks its work: an issue is opened once, and its address is kept.

Decides who may ask, what leaves (the item's own text, type, date and the incident's number; nothing of the incident's
content) and what follows from each outcome. After any doubt the tracker is looked through for the item's marker before an
issue is opened (design law 3). How an issue is opened is `bot.trackers`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import col, select

from bot.cases.context import Context
from bot.cases.insiders import insider
from bot.incident.caller import Caller
from bot.incident.errors import NotFound, Refused
from bot.incident.incident import SYSTEM, Incident
from bot.incident.learning import ActionItem
from bot.incident.outward import Intent, IntentKind, IntentState
from bot.incident.redact import clip
from bot.incident.timeline import Happened
from bot.store import Unit, homes, items
from bot.store.deployment import deployment
from bot.store.intents import Claim
from bot.store.runner import Done, Handler, Later, Never, Outcome, Record
from bot.trackers import contract
from bot.trackers.contract import Link, Ticket, Tracker

TITLE_CHARS = 200
SETTLES, LONGEST = timedelta(seconds=30), timedelta(minutes=10)
"""Between two attempts while the tracker is down. Not shorter: its own search shows what was opened after some seconds only."""
PATIENCE = timedelta(days=3)
"""After this it is said that it could not be tracked."""


async def track(ctx: Context, caller: Caller, index: int, *, room: str | None = None) -> str:
    """Raises Refused where no tracker is set up, where it is tracked already, and for who may not."""
    if ctx.org.tracker is None:
        raise Refused("No tracker is set up. Whoever runs Firsthour can add `tracker:` to the organisation's file.")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        item = await items.item(unit.session, index)
        incident = await unit.incident(item.incident)
        await unit.session.refresh(item)
        await insider(unit.session, incident, caller, room=room, owner=item.owner)
        if item.link is not None:
            raise Refused(f"Action item {index} is tracked already.")
        if not await ask(unit, incident, item):
            raise Refused(f"An issue for action item {index} is being opened already.")
        return unit.answer(f"An issue for action item {index} is being opened. Its address will stand beside the item.")


async def ask(unit: Unit, incident: Incident, item: ActionItem) -> bool:
    """Want an issue. False: it is on its way. A later wish looks first, since the one before may have opened it."""
    start = f"track:{item.id}:"
    asked = select(Intent.state).where(
        col(Intent.incident) == incident.number,
        Intent.kind == IntentKind.TRACK,
        col(Intent.key).startswith(start, autoescape=True),
    )
    before = (await unit.session.exec(asked)).all()
    if any(state in {IntentState.PENDING, IntentState.SENDING} for state in before):
        return False
    args = {"item": item.id, "asked_at": unit.now.isoformat(), "again": bool(before)}
    await unit.intend(IntentKind.TRACK, f"{start}{len(before) + 1}", incident=incident, args=args)
    return True


def handlers(ctx: Context, tracker: Tracker | None) -> Mapping[IntentKind, Handler]:
    """Without a tracker nothing is claimed: what was wanted waits until there is one."""
    if tracker is None:
        return {}

    async def handle(claim: Claim) -> Outcome:
        return await carry_out(ctx, tracker, claim)

    return {IntentKind.TRACK: handle}


async def carry_out(ctx: Context, tracker: Tracker, claim: Claim) -> Outcome:
    """`{"item", "asked_at", "again"}`. One attempt."""
    ticket = await _ticket(ctx, claim)
    if not isinstance(ticket, Ticket):
        return ticket
    try:
        link = await tracker.find(ticket) if claim.uncertain or claim.args.get("again") else None
        link = link or await tracker.open(ticket)
    except contract.Refused as refused:
        return Never(str(refused))
    except contract.Doubtful as doubtful:
        return _wait(ctx, claim, str(doubtful), uncertain=True)
    except contract.Unreachable as down:
        return _wait(ctx, claim, str(down), after=down.after)
    return Done(_linked(int(claim.args["item"]), link))


def _wait(ctx: Context, claim: Claim, why: str, *, after: timedelta | None = None, uncertain: bool = False) -> Outcome:
    """A tracker may be down for hours, and nothing hurries."""
    waited = ctx.store.now() - claim.wanted_at
    if waited > PATIENCE:
        return Never(why)
    span = after or max(SETTLES, min(LONGEST, waited / 4))
    return Later(why, after=span, uncertain=uncertain or claim.uncertain, counts=False)


async def _ticket(ctx: Context, claim: Claim) -> Ticket | Outcome:
    try:
        async with ctx.store.read() as session:
            item = await items.item(session, int(claim.args["item"]))
    except NotFound:
        return Never("the action item was deleted")
    if item.link is not None:
        return Done()
    name = f"INC-{item.incident}"
    return Ticket(
        marker=f"firsthour-{await deployment(ctx.store)}-item-{item.id}".casefold(),
        title=clip(f"{name}: {' '.join(item.text.split())}", TITLE_CHARS),
        text=item.text,
        kind=item.kind.value,
        due=item.due_at,
        incident=name,
        asked_at=item.created_at,
    )


def _linked(index: int, link: Link) -> Record:
    async def record(unit: Unit) -> None:
        item = await items.item(unit.session, index)
        incident = await unit.incident(item.incident)
        item.link = clip(link.url, 500)
        unit.record(incident, Happened.ITEM_CHANGED, SYSTEM, item=index, link=item.link)
        await homes.refresh(unit, [item.owner])

    return record
