"""`/incident metrics`: how quickly incidents were noticed, answered, contained and mended, as a table and a picture.

Figures over all incidents of the organisation, without drills: counts and times, never what an incident was about.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bot.cases.context import Context
from bot.incident.errors import Invalid
from bot.incident.outward import IntentKind
from bot.metrics.document import DOCUMENT
from bot.metrics.report import Report, report
from bot.metrics.span import DEFAULT, span
from bot.metrics.summary import By
from bot.metrics.table import Table, lines, table
from bot.metrics.words import counted
from bot.slack.feature import Answer, Asked, Feature, Shown
from bot.slack.kit import context, message, section
from bot.slack.table import table as table_block
from bot.slack.text import Md, join, md, safe

LINE_CHARS, REASONS = 400, 4
EXAMPLE = "/incident metrics --since 90d --by month"


class Metrics(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    by: By | None = None
    since: str = Field(default=DEFAULT, max_length=40)


async def run(ctx: Context, asked: Asked, form: Metrics) -> Answer:
    """Raises Invalid where the span of time cannot be read."""
    try:
        since, until = span(form.since, None, ctx.store.now())
    except ValueError as error:
        raise Invalid(str(error), example=EXAMPLE, field="since") from None
    found = await report(ctx.store, ctx.playbook, ctx.calendar, since=since, until=until, by=form.by, speed=ctx.speed)
    if not found.cases:
        return md(
            "No incident was declared in this time; drills are not counted. Try `/incident metrics --since 365d`."
        )
    room = asked.channel if asked.incident is not None else None
    await _picture(ctx, asked, found, room)
    return shown(found, table(found), room)


async def _picture(ctx: Context, asked: Asked, found: Report, room: str | None) -> None:
    """Into the room it was asked in; from anywhere else to the person, since the bot may not be in that channel."""
    where = {"channel": room} if room is not None else {"person": asked.user}
    span = {"since": found.since.isoformat(), "until": found.until.isoformat(), "group": found.by}
    async with ctx.store.unit() as unit:
        await unit.intend(
            IntentKind.UPLOAD, f"upload:metrics:{asked.inbound}", args={"document": DOCUMENT, **where, **span}
        )


def shown(found: Report, figures: Table, room: str | None) -> Shown:
    head = md(
        "*Metrics* from {} to {} (UTC): {}.", f"{found.since:%Y-%m-%d}", f"{found.until:%Y-%m-%d}", counted(found.whole)
    )
    told = message(
        join("\n", [head, *(safe(line, LINE_CHARS) for line in lines(found))]),
        section(head),
        table_block(figures.head, figures.rows),
        context(*_remarks(found, figures, room)),
    )
    return Shown(told.text, list(told.blocks))


def _remarks(found: Report, figures: Table, room: str | None) -> list[Md]:
    told = [md("Not known is left out and counted, never taken for zero. p90: nine of ten took at most so long.")]
    reasons = [
        md("{}: {} × {}", line.metric.title, count, why)
        for line in found.whole.lines
        for why, count in line.unknown_because.items()
    ]
    if reasons:
        told.append(md("Not known: {}.", join("; ", reasons[:REASONS])))
    if figures.left_out:
        told.append(
            md("{} more are left out of the table; `firsthour export --metrics csv` has them all.", figures.left_out)
        )
    if found.cut:
        told.append(md("There were too many incidents for one look: the oldest are left out."))
    told.append(md("A picture follows {}.", "in this room" if room is not None else "as a direct message"))
    return told


FEATURE: Feature[Context] = Feature(
    verb="metrics",
    summary="How quickly incidents are noticed, contained, mended: a table and a picture.",
    model=Metrics,
    examples=("/incident metrics", "/incident metrics month --since 365d", "/incident metrics severity"),
    run=run,
    positional=("by",),
)
