"""`/incident contain approve`: have a proposed action carried out (design law 8). Also the button, in the panel and in a
direct message to the commander. What cannot be undone asks why wanted evidence is missing, where it is."""

from __future__ import annotations

from pydantic import Field

from bot.cases import wanted
from bot.cases.context import Context
from bot.cases.decide import approve
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from commands.one_action import OneAction
from commands.room import number


class Approve(OneAction):
    reason: str | None = Field(default=None, max_length=wanted.LONGEST)
    """Why without evidence that the playbook wants."""


class Shown(Approve):
    digest: str


async def run(ctx: Context, asked: Asked, form: Approve, digest: str | None = None) -> str:
    which = await number(ctx, asked, form.incident)
    return await approve(ctx, asked.caller, which, index=form.index, digest=digest, reason=form.reason)


async def submit(ctx: Context, asked: Asked, form: Shown) -> str:
    return await run(ctx, asked, form, form.digest)


async def click(ctx: Context, asked: Asked) -> str | Modal:
    """`3|ab12cd…`: bound to what was shown beside the button when it was pressed."""
    index, _, digest = asked.value.partition("|")
    which = await number(ctx, asked)
    if lacking := await wanted.before_undoable(ctx, which, int(index)):
        label = f"It cannot be undone, and this is missing: {wanted.named(lacking)}. Why go on without it?"
        reason = text_input("reason", label, multiline=True, longest=wanted.LONGEST, hint="The review prints it.")
        metadata = value(which, index, digest)
        return Modal(modal("contain_approve", "Approve anyway", reason, submit="Approve", metadata=metadata))
    return await run(ctx, asked, Approve(index=int(index)), digest)


FEATURE: Feature[Context] = Feature(
    verb="contain approve",
    summary="Approve a proposed action by its number.",
    model=Approve,
    examples=("/incident contain approve 3", "/incident contain approve 3 the key is being used right now"),
    run=run,
    positional=("index", "reason"),
    buttons={Button.APPROVE: click},
    forms=(Form("contain_approve", Shown, submit, carries=("index", "digest")),),
)
