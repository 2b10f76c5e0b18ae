"""`/incident contain decline`: say no to a proposed action, and why."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.cases.decide import decline
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature, Form, Modal
from commands.one_action import LONGEST, OneAction, ask
from commands.room import number


class Decline(OneAction):
    reason: str = Field(min_length=1, max_length=LONGEST)


async def run(ctx: Context, asked: Asked, form: Decline) -> str:
    which = await number(ctx, asked, form.incident)
    return await decline(ctx, asked.caller, which, index=form.index, reason=form.reason)


async def click(ctx: Context, asked: Asked) -> Modal:
    hint = "The review prints it."
    return await ask(
        ctx,
        asked,
        "contain_decline",
        "Decline an action",
        field="reason",
        label="Why not?",
        hint=hint,
        submit="Decline",
    )


FEATURE: Feature[Context] = Feature(
    verb="contain decline",
    summary="Decline a proposed action, with a reason.",
    model=Decline,
    examples=("/incident contain decline 3 the user is a load test",),
    run=run,
    positional=("index", "reason"),
    buttons={Button.DECLINE: click},
    forms=(Form("contain_decline", Decline, run, carries=("index",)),),
)
