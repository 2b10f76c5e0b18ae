"""`/incident action done`: an action item is finished."""

from __future__ import annotations

from bot.cases import items
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.one_item import About, Number, pressed


class Done(About):
    item: Number


async def run(ctx: Context, asked: Asked, form: Done) -> str:
    return await items.done(ctx, asked.caller, form.item, room=asked.channel)


async def click(ctx: Context, asked: Asked) -> str | None:
    answer = await run(ctx, asked, Done(item=pressed(asked)))
    return answer if asked.channel else None  # the Home tab shows it


FEATURE: Feature[Context] = Feature(
    verb="action done",
    summary="Finish an action item.",
    model=Done,
    examples=("/incident action done 3",),
    run=run,
    positional=("item",),
    buttons={Button.ITEM_DONE: click},
)
