"""`/incident contain break-glass`: have an action carried out at once, without the role or the signatures it needs."""

from __future__ import annotations

from pydantic import Field

from bot.cases.break_glass import break_glass
from bot.cases.context import Context
from bot.slack.buttons import Button
from bot.slack.feature import Asked, Feature, Form, Modal
from commands.one_action import LONGEST, OneAction, ask
from commands.room import number


class BreakGlass(OneAction):
    reason: str = Field(min_length=1, max_length=LONGEST)


class Shown(BreakGlass):
    """As the panel's form fills it: bound to what the panel showed."""

    digest: str


async def run(ctx: Context, asked: Asked, form: BreakGlass) -> str:
    digest = form.digest if isinstance(form, Shown) else None
    return await break_glass(
        ctx,
        asked.caller,
        await number(ctx, asked, form.incident),
        index=form.index,
        reason=form.reason,
        channel=asked.channel,
        digest=digest,
    )


async def click(ctx: Context, asked: Asked) -> Modal:
    return await ask(
        ctx,
        asked,
        "contain_break_glass",
        "Break glass",
        field="reason",
        label="Why can it not wait for those who approve?",
        hint="It is carried out at once. The commander is called, and the review asks about it. The room reads this.",
        submit="Carry it out now",
        digest=True,
    )


FEATURE: Feature[Context] = Feature(
    verb="contain break-glass",
    summary="Carry an action out without its approval, in an emergency. Everybody is told, and the review asks why.",
    model=BreakGlass,
    examples=("/incident contain break-glass 3 nobody who may approve answers, and data is leaving",),
    run=run,
    positional=("index", "reason"),
    buttons={Button.BREAK_GLASS: click},
    forms=(Form("contain_break_glass", Shown, run, carries=("index", "digest")),),
)
