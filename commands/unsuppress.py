"""`/incident unsuppress`: findings count again, before the time is over."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bot.cases import suppress
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature


class Unsuppress(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1, le=999_999_999)


async def run(ctx: Context, asked: Asked, form: Unsuppress) -> str:
    return await suppress.lift(ctx, asked.caller, form.number)


FEATURE: Feature[Context] = Feature(
    verb="unsuppress",
    summary="Lift a suppression before its end.",
    model=Unsuppress,
    examples=("/incident unsuppress 4",),
    run=run,
    positional=("number",),
)
