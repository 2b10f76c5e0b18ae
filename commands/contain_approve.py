"""`/incident contain approve`: have a proposed action carried out (design law 8). Also the button, in the panel and in a
direct message to the commander."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.decide import approve
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.one_action import OneAction
from commands.room import number


async def run(ctx: Context, asked: Asked, form: OneAction, digest: str | None = None) -> str:
    which = await number(ctx, asked, form.incident)
    return await approve(ctx, asked.caller, which, index=form.index, digest=digest)


async def click(ctx: Context, asked: Asked) -> str:
    """`3|ab12cd…`: bound to what was shown beside the button when it was pressed."""
    index, _, digest = asked.value.partition("|")
    return await run(ctx, asked, OneAction(index=int(index)), digest)


FEATURE: Feature[Context] = Feature(
    verb="contain approve",
    summary="Approve a proposed action by its number.",
    model=OneAction,
    examples=("/incident contain approve 3",),
    run=run,
    positional=("index",),
    buttons={Button.APPROVE: click},
)
