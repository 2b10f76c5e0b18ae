"""`/incident review held`: the review was held; nobody is reminded of it any more."""

from __future__ import annotations

from pydantic import Field

from bot.cases import review
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Held(Verb):
    text: str | None = Field(default=None, max_length=review.LONGEST)


async def run(ctx: Context, asked: Asked, form: Held) -> str:
    return await review.held(ctx, asked.caller, await number(ctx, asked, form.incident), text=form.text)


FEATURE: Feature[Context] = Feature(
    verb="review held",
    summary="Say that the review was held.",
    model=Held,
    examples=("/incident review held", "/incident review held with both teams; the playbook is changed"),
    run=run,
    positional=("text",),
)
