"""`/incident close`: it is over; or it was a false positive, a duplicate; or it came back and is reopened."""

from __future__ import annotations

from pydantic import model_validator

from bot.cases import finish
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from bot.slack.fields import IncidentNumber
from commands.room import Verb, number


class Close(Verb):
    reason: str | None = None
    reopen: bool = False
    false_positive: bool = False
    duplicate_of: IncidentNumber | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Close:
        if self.reopen + self.false_positive + (self.duplicate_of is not None) > 1:
            raise ValueError("Use only one of --reopen, --false-positive and --duplicate-of.")
        if (self.reopen or self.false_positive) and not self.reason:
            raise ValueError("Say why, in a few words: the review prints it.")
        return self


async def run(ctx: Context, asked: Asked, form: Close) -> str:
    which = await number(ctx, asked, form.incident)
    if form.duplicate_of is not None:
        return await finish.duplicate(ctx, asked.caller, which, of=form.duplicate_of)
    if form.reopen:
        return await finish.reopen(ctx, asked.caller, which, reason=form.reason or "")
    if form.false_positive:
        return await finish.false_positive(ctx, asked.caller, which, reason=form.reason or "")
    return await finish.close(ctx, asked.caller, which)


async def click(ctx: Context, asked: Asked) -> str:
    return await run(ctx, asked, Close())


FEATURE: Feature[Context] = Feature(
    verb="close",
    summary="Close a resolved incident; or mark it as a false positive or a duplicate; or reopen it.",
    model=Close,
    examples=(
        "/incident close",
        "/incident close --false-positive the load test sent it",
        "/incident close --duplicate-of INC-11",
        "/incident close --reopen the same key was used again",
    ),
    run=run,
    positional=("reason",),
    buttons={Button.CLOSE: click},
)
