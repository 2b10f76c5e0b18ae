"""`/incident review`: the review of the incident, written from what is stored, as files in its room."""

from __future__ import annotations

from bot.cases import review
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.room import Verb, details


class Review(Verb):
    names: bool = False


async def run(ctx: Context, asked: Asked, form: Review) -> str:
    case = await details(ctx, asked, form.incident)
    return await review.ask(ctx, asked.caller, case.incident.number, names=form.names)


FEATURE: Feature[Context] = Feature(
    verb="review",
    summary="Write the review: Markdown, HTML, JSON, and the timeline as CSV.",
    model=Review,
    examples=("/incident review", "/incident review --names"),
    run=run,
)
