"""`/incident ack`: I have seen it. The escalation stops."""

from __future__ import annotations

from bot.cases.acknowledge import acknowledge
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Ack(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Ack) -> str:
    return await acknowledge(ctx, asked.caller, await number(ctx, asked, form.incident))


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Ack())


FEATURE: Feature[Context] = Feature(
    verb="ack",
    summary="Acknowledge: you have seen it, the escalation stops.",
    model=Ack,
    examples=("/incident ack", "/incident ack INC-12"),
    run=run,
    positional=("incident",),
    buttons={Button.ACKNOWLEDGE: click},
)
