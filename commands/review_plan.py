"""`/incident review plan`: on which day the review is held."""

from __future__ import annotations

from datetime import date

from bot.cases import review
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Plan(Verb):
    on: date


async def run(ctx: Context, asked: Asked, form: Plan) -> str:
    return await review.plan(ctx, asked.caller, await number(ctx, asked, form.incident), on=form.on)


FEATURE: Feature[Context] = Feature(
    verb="review plan",
    summary="Put the review on a day.",
    model=Plan,
    examples=(review.EXAMPLE,),
    run=run,
    positional=("on",),
)
