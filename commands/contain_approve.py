"""`/incident contain approve`: have a proposed action carried out (design law 8)."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.cases.decide import approve
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Approve(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")


async def run(ctx: Context, asked: Asked, form: Approve, digest: str | None = None) -> str:
    which = await number(ctx, asked, form.incident)
    return await approve(ctx, asked.caller, which, index=form.index, digest=digest)


async def click(ctx: Context, asked: Asked) -> str:
    """`3|ab12cd…`: bound to what the panel showed when it was pressed."""
    index, _, digest = asked.value.partition("|")
    return await run(ctx, asked, Approve(index=int(index)), digest)


FEATURE: Feature[Context] = Feature(
    verb="contain approve",
    summary="Approve a proposed action by its number.",
    model=Approve,
    examples=("/incident contain approve 3",),
    run=run,
    positional=("index",),
    buttons={Button.APPROVE: click},
)
