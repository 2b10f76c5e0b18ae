"""`/incident evidence read`: a redacted look at one piece, for whoever asks alone. That they looked is on the timeline."""

from __future__ import annotations

from pydantic import Field

from bot.cases import evidence
from bot.cases.context import Context
from bot.incident.errors import NotFound, Refused
from bot.incident.redact import clip, redact
from bot.slack.feature import Asked, Feature, Shown
from bot.slack.kit import section
from bot.slack.text import md, quoted
from bot.store import queries
from commands.evidence import line
from commands.room import Verb, details

SHOWN_CHARS = 2_400


class Read(Verb):
    evidence: int = Field(ge=1, le=2_000_000_000, title="number of the piece")
    reason: str | None = Field(default=None, max_length=1000)


async def run(ctx: Context, asked: Asked, form: Read) -> Shown:
    case = await details(ctx, asked, form.incident)
    async with ctx.store.read() as session:
        piece = await queries.evidence(session, case.incident.number, form.evidence)
    if piece is None:
        raise NotFound(f"{case.incident.name} has no evidence {form.evidence}. `/incident evidence` lists what it has.")
    if piece.sha256 and not evidence.readable(piece.media_type):
        raise Refused(
            f"Evidence {piece.id} is no text, so it cannot be shown here. `firsthour export` hands out the original."
        )
    content = await evidence.read(ctx, asked.caller, case.incident.number, form.evidence, reason=form.reason)
    text = clip(redact(evidence.text_of(content, piece.media_type)), SHOWN_CHARS)
    head = md("{}\nThe beginning, without secrets. It is on the timeline that you read it.", line(piece))
    return Shown(md("Evidence {}", form.evidence), [section(head), section(quoted(text or "(empty)", SHOWN_CHARS))])


FEATURE: Feature[Context] = Feature(
    verb="evidence read",
    summary="Look at one piece of evidence, without secrets. In the room only; the timeline says that you did.",
    model=Read,
    examples=("/incident evidence read 3", "/incident evidence read 3 comparing it with the gateway's log"),
    run=run,
    positional=("evidence", "reason"),
)
