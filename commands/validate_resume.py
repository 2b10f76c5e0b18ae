"""`/incident validate resume`: go on with a replay that was stopped. No trial that was kept is sent again."""

from __future__ import annotations

from pydantic import Field

from bot.cases import validation_control
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature
from commands.room import Verb, number


class Resume(Verb):
    run: int | None = Field(default=None, ge=1, le=999_999_999, title="number of the validation")


async def run(ctx: Context, asked: Asked, form: Resume) -> str:
    which = await number(ctx, asked, form.incident)
    return await validation_control.resume(ctx, asked.caller, which, run_id=form.run)


async def click(ctx: Context, asked: Asked) -> str:
    picked = asked.value.partition("|")[0]
    return await run(ctx, asked, Resume(run=int(picked) if picked.isdecimal() else None))


FEATURE: Feature[Context] = Feature(
    verb="validate resume",
    summary="Go on with a replay that was stopped.",
    model=Resume,
    examples=("/incident validate resume", "/incident validate resume 3"),
    run=run,
    positional=("run",),
    buttons={Button.VALIDATION_RESUME: click},
)
