"""`/incident timeline`: what happened, in order. Inside the room only."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.slack.cards.changes import ALL_CHARS, told
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, join, md, when
from bot.store import queries
from commands.room import Verb, details

LAST, MOST = 15, 40


class Timeline(Verb):
    last: int = Field(default=LAST, ge=1, le=MOST)


async def run(ctx: Context, asked: Asked, form: Timeline) -> str:
    case = await details(ctx, asked, form.incident)
    async with ctx.store.read() as session:
        entries = await queries.timeline(session, case.incident.number, limit=form.last)
    lines = [md("{} {}", when(entry.at), told(entry)) for entry in entries]
    shown = newest(lines)
    total = case.incident.head_seq
    head = md("*{}*: the last {} of {} entries", case.incident.name, len(shown), total)
    return join("\n", [head, *shown])


def newest(lines: list[Md]) -> list[Md]:
    """As many of the last lines as one message takes."""
    kept: list[Md] = []
    size = 0
    for line in reversed(lines):
        size += len(line) + 1
        if size > ALL_CHARS:
            break
        kept.append(line)
    return kept[::-1]


FEATURE: Feature[Context] = Feature(
    verb="timeline",
    summary="What happened so far, in order. In the room only.",
    model=Timeline,
    examples=("/incident timeline", "/incident timeline 40"),
    run=run,
    positional=("last",),
)
