"""`/incident since`: what changed, for whoever comes late. Inside the room, to that person alone."""

from __future__ import annotations

from pydantic import Field

from bot.cases.context import Context
from bot.incident.since import moment
from bot.slack.cards.changes import NOTEWORTHY, changes
from bot.slack.cards.scene import Scene
from bot.slack.feature import Asked, Feature
from bot.store import changes as recorded
from commands.room import Verb, details

READ = 150
"""Entries that are looked at for lines; all of them are counted."""


class Since(Verb):
    when: str = Field(default="30m", max_length=40)


async def run(ctx: Context, asked: Asked, form: Since) -> str:
    case = await details(ctx, asked, form.incident)
    since = moment(form.when, case.incident, case.now)
    number = case.incident.number
    async with ctx.store.read() as session:
        first = await recorded.first_since(session, case.incident, since)
        counts = await recorded.counts_from(session, number, first)
        latest = await recorded.latest_from(session, number, first, kinds=NOTEWORTHY, limit=READ)
    return changes(Scene(case, ctx.playbook, speed=ctx.speed), since, counts=counts, latest=latest)


FEATURE: Feature[Context] = Feature(
    verb="since",
    summary="What changed since then. In the room only.",
    model=Since,
    examples=("/incident since 30m", "/incident since 14:30", "/incident since ack"),
    run=run,
    positional=("when",),
)
