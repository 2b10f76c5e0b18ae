"""`/incident evidence waive`: why the incident goes on without evidence that the playbook wants. The review prints it."""

from __future__ import annotations

from pydantic import Field

from bot.cases import wanted
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.room import Verb, number


class Waive(Verb):
    reason: str = Field(min_length=1, max_length=wanted.LONGEST)


async def run(ctx: Context, asked: Asked, form: Waive) -> str:
    return await wanted.waive(ctx, asked.caller, await number(ctx, asked, form.incident), reason=form.reason)


async def bare(ctx: Context, asked: Asked) -> Modal:
    reason = text_input(
        "reason", "Why is it not there?", multiline=True, longest=wanted.LONGEST, hint="The review prints it."
    )
    metadata = value(await number(ctx, asked))
    return Modal(modal("evidence_waive", "Without evidence", reason, submit="Say so", metadata=metadata))


FEATURE: Feature[Context] = Feature(
    verb="evidence waive",
    summary="Say why the incident goes on without evidence that the playbook wants.",
    model=Waive,
    examples=("/incident evidence waive the logs were overwritten before we saw it",),
    run=run,
    positional=("reason",),
    bare=bare,
    buttons={Button.EVIDENCE_WAIVE: bare},
    forms=(Form("evidence_waive", Waive, run),),
)
