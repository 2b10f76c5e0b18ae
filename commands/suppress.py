"""`/incident suppress`: findings of a red team, a test tenant or a maintenance window open nothing, for a while."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.cases import suppress
from bot.cases.context import Context
from bot.slack.feature import Asked, Feature
from commands.contain_keep import minutes


class Suppress(suppress.Wanted):
    time: Annotated[int, BeforeValidator(minutes), Field(ge=1, le=suppress.LONGEST)]
    """`30m`, `4h`, `2d`."""


async def run(ctx: Context, asked: Asked, form: Suppress) -> str:
    return await suppress.suppress(ctx, asked.caller, form)


FEATURE: Feature[Context] = Feature(
    verb="suppress",
    summary="Findings open nothing for a while, at most 30 days: red team, test tenant, maintenance.",
    model=Suppress,
    examples=(
        "/incident suppress 3d --user u-redteam the red team tests the shop, ticket 4711",
        "/incident suppress 4h --app shop --trigger anomalous_probing load test",
        "/incident suppress 2h --everybody --starts 2026-11-22T02:00 maintenance of all models",
    ),
    run=run,
    positional=("time", "reason"),
)
