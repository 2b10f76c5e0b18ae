"""One incident as a document: what the store holds about it, in a form that proves itself without the store.

Decides what is in it and how its timeline is proven offline. Ids, states, redacted text and hashes; what a connector kept to
revert with stays in the store.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.columns import Json
from bot.incident.errors import Invalid
from bot.incident.evidence import Evidence
from bot.incident.incident import Alert, RoleHeld, StakeholderUpdate
from bot.incident.learning import ActionItem, Exposure, ReviewAnswer, Risk
from bot.incident.timeline import prove
from bot.incident.validation import ValidationRun
from bot.incident.work import Action, Approval, Step
from bot.store import queries

FORMAT = "firsthour-export/1"
EXAMPLE = "firsthour export INC-1 --out incident.json"
PARTS: dict[str, type[SQLModel]] = {
    "alerts": Alert,
    "evidence": Evidence,
    "steps": Step,
    "actions": Action,
    "approvals": Approval,
    "roles": RoleHeld,
    "updates": StakeholderUpdate,
    "validations": ValidationRun,
    "exposure": Exposure,
    "answers": ReviewAnswer,
    "items": ActionItem,
    "risks": Risk,
}
KEPT_IN = frozenset({"snapshot", "incident", "lease_owner", "lease_until"})
"""What stays in the store."""


async def export(session: AsyncSession, number: int, now: datetime) -> Json:
    """`{"format", "exported_at", "incident", "timeline", "alerts", "evidence", …}`; times are ISO 8601, UTC.

    An action has its `key` and `digest`: an approval names the digest that was shown to whoever decided.
    Raises NotFound, or ChainBroken where the timeline does not hold.
    """
    await queries.verify_timeline(session, number)
    incident = await queries.incident(session, number)
    entries = [entry.model_dump(mode="json", exclude={"id"}) for entry in await queries.timeline(session, number)]
    for entry in entries:  # as the hash covers it
        entry["at"] = datetime.fromisoformat(entry["at"]).astimezone(UTC).isoformat(timespec="microseconds")
    return {
        "format": FORMAT,
        "exported_at": now.isoformat(),
        "incident": incident.model_dump(mode="json"),
        "timeline": entries,
        **{name: [_row(row) for row in await _of(session, noun, number)] for name, noun in PARTS.items()},
    }


def proven(document: Json) -> int:
    """The number of timeline entries of an exported document, if they hold.

    Raises ChainBroken naming the first broken link, or Invalid for what is no export.
    """
    with contextlib.suppress(KeyError, TypeError, ValueError):
        incident, entries = document["incident"], document["timeline"]
        number, seq, head = int(incident["number"]), int(incident["head_seq"]), str(incident["head_hash"])
        if document["format"] == FORMAT and all(entry["incident"] == number for entry in entries):
            return prove(number, entries, head_seq=seq, head_hash=head)
    raise Invalid(f"This is not an export of one incident ({FORMAT}).", example=EXAMPLE)


async def _of(session: AsyncSession, noun: type[SQLModel], number: int) -> list[SQLModel]:
    order = getattr(noun, "id", None) or noun.incident  # type: ignore[attr-defined]
    mine = select(noun).where(noun.incident == number).order_by(order)  # type: ignore[attr-defined]
    return list((await session.exec(mine)).all())


def _row(row: SQLModel) -> Json:
    told = row.model_dump(mode="json", exclude=set(KEPT_IN))
    return told | {"key": row.key, "digest": row.digest} if isinstance(row, Action) else told
