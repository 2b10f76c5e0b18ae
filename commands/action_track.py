"""`/incident action track`: an issue is opened for an action item where the organisation tracks its work."""

from __future__ import annotations

from bot.cases import tracking
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.one_item import About, Number, pressed


class Track(About):
    item: Number


async def run(ctx: Context, asked: Asked, form: Track) -> str:
    return await tracking.track(ctx, asked.caller, form.item, room=asked.channel)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Track(item=pressed(asked)))


FEATURE: Feature[Context] = Feature(
    verb="action track",
    summary="Open an issue for an action item.",
    model=Track,
    examples=("/incident action track 3",),
    run=run,
    positional=("item",),
    buttons={Button.ITEM_TRACK: click},
)
