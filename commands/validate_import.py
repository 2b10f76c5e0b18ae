"""`/incident validate import`: payloads out of a file that is evidence, for the next replay."""

from __future__ import annotations

from pydantic import Field

from bot.cases import validation_control
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from bot.slack.text import md
from bot.validation.pack import Origin
from commands.room import Verb, number


class Import(Verb):
    evidence: int = Field(ge=1, le=999_999_999, title="number of the evidence")
    origin: Origin = Origin.IMPORTED
    """`original` where the file holds what the attacker sent."""


async def run(ctx: Context, asked: Asked, form: Import) -> str:
    which = await number(ctx, asked, form.incident)
    told = await validation_control.take_file(ctx, asked.caller, which, form.evidence, origin=form.origin)
    return md("{}", told)


FEATURE: Feature[Context] = Feature(
    verb="validate import",
    summary="Take payloads out of a file of the evidence.",
    model=Import,
    examples=("/incident validate import 7", "/incident validate import 7 --origin original"),
    run=run,
    positional=("evidence",),
)
