"""A line of `/incident …` without Slack: parsed, run and answered by value, as the edge would do it."""

from __future__ import annotations

import itertools

from bot.cases.context import Context
from bot.slack import buttons, parse
from bot.slack.buttons import Button
from bot.slack.feature import Answer, Asked
from bot.slack.text import Md
from commands import FEATURES

_act = itertools.count(1)


def asking(user: str = "U0ALICE", *, channel: str | None = "C0ELSEWHERE", member: bool = True, **more: object) -> Asked:
    return Asked(user=user, full_member=member, inbound=f"test:{next(_act)}", channel=channel, **more)  # type: ignore[arg-type]


async def spoken(ctx: Context, line: str, asked: Asked | None = None) -> Answer:
    """The answer to `/incident {line}`."""
    feature, rest = parse.choose(FEATURES, line)
    asked = asked or asking()
    if feature.bare is not None and not rest:
        return await feature.bare(ctx, asked)
    return await feature.run(ctx, asked, parse.parse(feature, rest))


async def pressed(ctx: Context, button: Button, value: str, user: str = "U0ALICE") -> Answer:
    number, rest = buttons.parse(value)
    feature = next(feature for feature in FEATURES if button in feature.buttons)
    return await feature.buttons[button](ctx, asking(user, incident=number, value=rest))


def said(answer: Answer) -> str:
    """The answer's text."""
    assert isinstance(answer, str | Md), answer
    return answer
