"""`/incident list`: what runs now. Public facts only, since it may be asked anywhere."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.cases.context import Context
from bot.incident.incident import Incident
from bot.incident.words import Role, Severity
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, join, md, mention
from bot.store import queries

MOST = 25
"""Lines of one answer: more would be split into several messages by Slack."""


class List(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity | None = None


async def run(ctx: Context, asked: Asked, form: List) -> str:
    async with ctx.store.read() as session:
        running = await queries.running(session, limit=200)
        wanted = [one for one in running if form.severity in {None, one.severity}]
        commanders = await queries.held_in(session, [one.number for one in wanted[:MOST]], Role.COMMANDER)
    if not wanted:
        return md("No incident is running. Declare one with `/incident`.")
    now = ctx.store.now()
    lines = [line(one, commanders.get(one.number), now) for one in wanted[:MOST]]
    if len(wanted) > MOST:
        lines.append(md("… and {} more. `/incident list --severity sev1` shows fewer.", len(wanted) - MOST))
    return join("\n", lines)


def line(incident: Incident, commander: str | None, now: datetime) -> Md:
    """The public line: number, severity, status, commander, age."""
    return md(
        "*{}* · {} · {} · {} · {}{}",
        incident.name,
        incident.severity.label,
        incident.status.replace("_", " "),
        md("commander {}", mention(commander)) if commander else md("no commander yet"),
        age(incident, now),
        " · drill" if incident.drill else "",
    )


def age(incident: Incident, now: datetime) -> str:
    """How long ago it was declared: `12 min`, `3 h 05 min`, `2 d 4 h`."""
    minutes = max(0, int((now - incident.declared_at).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


FEATURE: Feature[Context] = Feature(
    verb="list",
    summary="What runs now: number, severity, status, commander, age.",
    model=List,
    examples=("/incident list", "/incident list sev1"),
    run=run,
    positional=("severity",),
)
