"""`/incident contain decline`: say no to a proposed action, and why."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.cases.decide import decline
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Decline(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")
    reason: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Decline) -> str:
    which = await number(ctx, asked, form.incident)
    return await decline(ctx, asked.caller, which, index=form.index, reason=form.reason)


async def click(ctx: Context, asked: Asked) -> Modal:
    index = asked.value.partition("|")[0]
    reason = text_input("reason", "Why not?", multiline=True, longest=1000, hint="The review prints it.")
    metadata = value(await number(ctx, asked), index)
    return Modal(modal("contain_decline", "Decline an action", reason, submit="Decline", metadata=metadata))


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
