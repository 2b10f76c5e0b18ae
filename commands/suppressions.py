"""`/incident suppressions`: what is suppressed now and soon, by whom, why, until when."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.cases.context import Context
from bot.incident.registered import Suppression
from bot.slack.feature import Asked, Feature
from bot.slack.text import Md, code, join, md, safe, when, who
from bot.store import suppressions

MOST = 20
REASON_CHARS = 120


class Suppressions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


async def run(ctx: Context, asked: Asked, form: Suppressions) -> str:
    now = ctx.store.now()
    async with ctx.store.read() as session:
        standing = await suppressions.standing(session, now)
    if not standing:
        return md("Nothing is suppressed: every finding counts.")
    lines = [line(one, now) for one in standing[:MOST]]
    if len(standing) > MOST:
        lines.append(md("… and {} more.", len(standing) - MOST))
    return join("\n", lines)


def line(one: Suppression, now: datetime) -> Md:
    """`*4* · user u-redteam · app shop · until 14:05 · @alice: load test`."""
    until = md("until {}", when(one.ends_at, "both"))
    times = until if one.starts_at <= now else md("from {} {}", when(one.starts_at, "both"), until)
    whose = join(" · ", [*named(one), times])
    return md("*{}* · {} · {}: {}", str(one.id), whose, who(one.made_by), safe(one.reason, REASON_CHARS))


def named(one: Suppression) -> list[Md]:
    """Whose findings, by which trigger."""
    kind = (one.subject_kind or "").replace("_", " ")
    given = ((kind, one.subject_id), ("tenant", one.tenant), ("app", one.app), ("trigger", one.trigger))
    parts = [md("{} {}", name, code(value, 80)) for name, value in given if value is not None]
    return [md("*everybody*"), *parts] if one.everybody else parts


FEATURE: Feature[Context] = Feature(
    verb="suppressions",
    summary="What is suppressed now and soon, by whom, why and until when.",
    model=Suppressions,
    examples=("/incident suppressions",),
    run=run,
)
