"""`/incident action`: the action items of a room, or yours; and the Home tab, where they wait for their owner."""

from __future__ import annotations

from bot.cases import home
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.cards.items import item_list
from bot.slack.feature import Asked, Feature, Heard, Shown
from bot.slack.kit import actions, button
from bot.slack.text import Md, md
from bot.store import items
from commands.room import Verb, details


class Items(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Items) -> Shown:
    which = form.incident or asked.incident
    if which is None:
        return await _mine(ctx, asked)
    case = await details(ctx, asked, which)
    async with ctx.store.read() as session:
        found = await items.of_incident(session, which)
    title = (
        md("*Action items of {}*", case.incident.name) if found else md("{} has no action items.", case.incident.name)
    )
    blocks = item_list(title, found, ctx.store.now(), tracked=ctx.org.tracker is not None)
    return Shown(title, [*blocks, actions(button("Add an action item", Button.ITEM_ADD, value(which)))])


async def _mine(ctx: Context, asked: Asked) -> Shown:
    """Outside of a room a person sees what is theirs, of whichever incident."""
    async with ctx.store.read() as session:
        found = await items.owned(session, asked.user)
    title = (
        Md("*Your action items*") if found else Md("No action item waits for you. In a room, this lists the room's.")
    )
    return Shown(title, item_list(title, found, ctx.store.now(), incident=True))


async def opened(ctx: Context, heard: Heard) -> None:
    if heard.user and heard.tab in {"", "home"}:
        await home.opened(ctx, heard.user, heard.key)


FEATURE: Feature[Context] = Feature(
    verb="action",
    summary="Action items of this room, or yours.",
    model=Items,
    examples=("/incident action", "/incident action INC-12"),
    run=run,
    events={"app_home_opened": opened},
)
