"""`/incident false-positive`: it was nothing. What is in force is lifted, and `firsthour tune` counts it against the trigger."""

from __future__ import annotations

from pydantic import Field

from bot.cases import finish
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class FalsePositive(Verb):
    reason: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: FalsePositive) -> str:
    return await finish.false_positive(ctx, asked.caller, await number(ctx, asked, form.incident), reason=form.reason)


FEATURE: Feature[Context] = Feature(
    verb="false-positive",
    summary="It was nothing: end it, lift what is in force, and count it against its trigger.",
    model=FalsePositive,
    examples=("/incident false-positive INC-12 the load test sent it",),
    run=run,
    positional=("reason",),
)
