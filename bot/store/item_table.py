"""All action items, or the whole risk register, as CSV.

Decides the columns and their order: they are read by other programs, so a new one is added at the end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.cells import guarded
from bot.incident.words import ItemState
from bot.store.items import every_item, every_risk

ITEM_COLUMNS = (
    "item", "incident", "severity", "drill", "type", "text", "role", "owner", "due", "overdue", "state", "done_at",
    "done_by", "tracked_at", "created_at",
)  # fmt: skip
RISK_COLUMNS = (
    "risk", "incident", "severity", "drill", "text", "likelihood", "impact", "treatment", "owner", "review", "closed_at",
    "created_by", "created_at",
)  # fmt: skip


async def items_csv(session: AsyncSession, now: datetime) -> str:
    """One line an item. Dates are UTC; `overdue` is yes or no; what is not known is an empty cell."""
    rows = [
        (
            item.id, incident.name, incident.severity.label, _yes(incident.drill), item.kind.value, item.text, item.role,
            item.owner, _day(item.due_at),
            _yes(item.state is ItemState.PENDING and item.due_at is not None and item.due_at < now),
            item.state.value, _at(item.done_at), item.done_by, item.link, _at(item.created_at),
        )
        for item, incident in await every_item(session)
    ]  # fmt: skip
    return _table(ITEM_COLUMNS, rows)


async def risks_csv(session: AsyncSession, _now: datetime) -> str:
    """One line a risk, closed ones too."""
    rows = [
        (
            risk.id, incident.name, incident.severity.label, _yes(incident.drill), risk.text, risk.likelihood.value,
            risk.impact.value, risk.treatment.value, risk.owner, _day(risk.review_at), _at(risk.closed_at),
            risk.created_by, _at(risk.created_at),
        )
        for risk, incident in await every_risk(session)
    ]  # fmt: skip
    return _table(RISK_COLUMNS, rows)


TABLES = {"items": items_csv, "risks": risks_csv}


def _table(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([guarded("" if cell is None else str(cell)) for cell in row] for row in rows)
    return written.getvalue()


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _day(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d}" if at else None


def _at(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
