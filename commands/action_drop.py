"""`/incident action drop`: an action item will not be done, and why."""

from __future__ import annotations

from bot.cases import items
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.one_item import About, Number, Words


class Drop(About):
    item: Number
    reason: Words


async def run(ctx: Context, asked: Asked, form: Drop) -> str:
    return await items.drop(ctx, asked.caller, form.item, reason=form.reason, room=asked.channel)


FEATURE: Feature[Context] = Feature(
    verb="action drop",
    summary="Drop an action item, and say why.",
    model=Drop,
    examples=("/incident action drop 3 the endpoint is gone",),
    run=run,
    positional=("item", "reason"),
)
