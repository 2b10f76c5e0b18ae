"""Which incident a command means, and who may read its details.

Decides: the incident that was named, else the one whose room it is, else the only one that runs. Details are read inside
the room only; everywhere else a private incident shows its public line.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from bot.cases.context import Context
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid, Refused
from bot.slack.feature import Asked
from bot.slack.fields import IncidentNumber
from bot.store import queries

SOME = 10


class Verb(BaseModel):
    """What every verb about an incident reads."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    incident: IncidentNumber | None = None


@dataclass(frozen=True)
class Seen:
    """One incident, and whether this person may read its details here."""

    case: CaseFile
    inside: bool


async def number(ctx: Context, asked: Asked, named: int | None = None) -> int:
    """The incident that is meant. Raises Invalid where that is not clear, with what could be meant."""
    if named is not None or asked.incident is not None:
        return named if named is not None else int(asked.incident or 0)
    async with ctx.store.read() as session:
        running = await queries.running(session, limit=SOME + 1)
    if len(running) == 1:
        return running[0].number
    if not running:
        raise Invalid("No incident is running. Name the one you mean.", example="/incident status INC-12")
    more = " …" if len(running) > SOME else ""
    names = ", ".join(f"{one.name} ({one.severity.label})" for one in running[:SOME])
    raise Invalid(
        f"Say which incident, or ask in its room. Running: {names}{more}.",
        example=f"/incident status {running[0].name}",
    )


async def seen(ctx: Context, asked: Asked, named: int | None = None) -> Seen:
    """The incident and whether details may be shown. Raises NotFound."""
    which = await number(ctx, asked, named)
    async with ctx.store.read() as session:
        case = await queries.case_file(session, which, ctx.store.now())
    room = case.incident.channel_id
    return Seen(case, inside=asked.full_member and room is not None and room == asked.channel)


async def details(ctx: Context, asked: Asked, named: int | None = None) -> CaseFile:
    """Everything about the incident. Raises Refused outside of its room."""
    found = await seen(ctx, asked, named)
    if not found.inside:
        name = found.case.incident.name
        raise Refused(f"The details of {name} are shown in its room only. To be invited: `/incident join {name}`.")
    return found.case
