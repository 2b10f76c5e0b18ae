"""`/incident resolve`: the harm has stopped and will not come back."""

from __future__ import annotations

from pydantic import Field

from bot.cases import finish
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Resolve(Verb):
    reason: str = Field(min_length=1, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Resolve) -> str:
    return await finish.resolve(ctx, asked.caller, await number(ctx, asked, form.incident), reason=form.reason)


async def bare(ctx: Context, asked: Asked) -> Modal:
    which = await number(ctx, asked)
    reason = text_input("reason", "Why is it resolved?", multiline=True, longest=1000, hint="The review prints it.")
    return Modal(modal("resolve", "Resolve", reason, submit="Resolve", metadata=value(which)))


FEATURE: Feature[Context] = Feature(
    verb="resolve",
    summary="Resolve: the harm has stopped. Say why.",
    model=Resolve,
    examples=("/incident resolve the prompt filter is live and verified",),
    run=run,
    positional=("reason",),
    bare=bare,
    buttons={Button.RESOLVE: bare},
    forms=(Form("resolve", Resolve, run),),
)
