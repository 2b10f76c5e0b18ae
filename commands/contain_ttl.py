"""`/incident contain ttl`: how long an action is to stay; then the room is asked. Also the overflow of an action in force."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from bot.cases import temporary
from bot.cases.context import Context
from bot.incident.errors import Refused
from bot.slack.buttons import Button
from bot.slack.feature import Answer, Asked, Feature
from commands import contain_keep
from commands.contain_keep import minutes
from commands.room import Verb, number


def _span(value: object) -> object:
    return None if value == "off" else minutes(value)


class TimeToLive(Verb):
    index: int = Field(ge=1, le=9_999, title="number of the action")
    time: Annotated[int | None, BeforeValidator(_span)]
    """`30m`, `4h`, `2d`, or `off`."""


async def run(ctx: Context, asked: Asked, form: TimeToLive) -> str:
    which = await number(ctx, asked, form.incident)
    return await temporary.set_time(ctx, asked.caller, which, index=form.index, minutes=form.time)


async def more(ctx: Context, asked: Asked) -> Answer:
    """`3|240`, `3|off` or `3|keep`: what was picked from the overflow."""
    index, _, picked = asked.value.partition("|")
    if picked == "keep":
        return await contain_keep.click(ctx, asked)
    if picked != "off" and not picked.isdecimal():
        raise Refused("That choice is from an older version of Firsthour. Use `/incident help contain ttl`.")
    time = None if picked == "off" else int(picked)
    which = await number(ctx, asked)
    return await temporary.set_time(ctx, asked.caller, which, index=int(index), minutes=time)


FEATURE: Feature[Context] = Feature(
    verb="contain ttl",
    summary="Make an action temporary: then the room is asked.",
    model=TimeToLive,
    examples=("/incident contain ttl 3 4h", "/incident contain ttl 3 off"),
    run=run,
    positional=("index", "time"),
    buttons={Button.ACTION_MORE: more},
)
