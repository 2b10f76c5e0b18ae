"""`/incident risk close`: it is no risk any more, and why."""

from __future__ import annotations

from bot.cases import risks
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.one_item import About, Number, Words


class CloseRisk(About):
    risk: Number
    reason: Words


async def run(ctx: Context, asked: Asked, form: CloseRisk) -> str:
    return await risks.close(ctx, asked.caller, form.risk, reason=form.reason, room=asked.channel)


FEATURE: Feature[Context] = Feature(
    verb="risk close",
    summary="Close a risk, and say why.",
    model=CloseRisk,
    examples=("/incident risk close 3 the model is switched off",),
    run=run,
    positional=("risk", "reason"),
)
