"""`/incident similar`: past incidents like this one, and why. Inside the room only; of others only the public line is shown."""

from __future__ import annotations

from bot.cases.context import Context
from bot.cases.similar import Similar, similar
from bot.incident.words import Role
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, join, md, when
from bot.store import queries
from commands.list import line
from commands.room import Verb, details

MOST = 8


class Like(Verb):
    pass


async def run(ctx: Context, asked: Asked, form: Like) -> str:
    case = await details(ctx, asked, form.incident)
    name = case.incident.name
    if case.incident.drill:
        return md("{} is a drill: it is compared with nothing.", name)
    async with ctx.store.read() as session:
        found = await similar(session, case.incident)
        commanders = await queries.held_in(session, [one.incident.number for one in found[:MOST]], Role.COMMANDER)
    if not found:
        return md("Nothing like {} is known: no other incident has its payload, its trigger or its subject.", name)
    lines = [_line(ctx, one, commanders.get(one.incident.number)) for one in found[:MOST]]
    more = [md("… and {} more that are less alike.", len(found) - MOST)] if len(found) > MOST else []
    foot = md("Their details are in their rooms: `/incident join {}`.", found[0].incident.name)
    return join("\n", [md("*Like {}*, the most alike first", name), *lines, *more, foot])


def _line(ctx: Context, one: Similar, commander: str | None) -> Md:
    declared = when(one.incident.declared_at, "both")
    public = line(one.incident, commander, ctx.store.now())
    return md("• {}\n    {} points: {} · declared {}", public, one.score, ", ".join(one.why), declared)


FEATURE: Feature[Context] = Feature(
    verb="similar",
    summary="Past incidents like this one, and why. In the room only.",
    model=Like,
    examples=("/incident similar",),
    run=run,
    positional=("incident",),
)
