"""A table of plain text in a message (slack.md §2.1): one a message, its cells never read as mrkdwn.

Decides that it fits: rows that do not are refused here, not by Slack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import TableBlock

from bot.slack.limits import at_most
from bot.slack.text import plain

ROWS, COLUMNS, CHARS, CELL_CHARS = 100, 20, 10_000, 200


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> TableBlock:
    """The first column is read from the left, figures from the right. Raises KitError where Slack would refuse it."""
    every = [head, *rows]
    at_most(ROWS, len(every), "rows of a table")
    at_most(COLUMNS, len(head), "columns of a table")
    cells = [[_cell(text) for text in row] for row in every]
    at_most(CHARS, sum(len(cell["text"]) for row in cells for cell in row), "characters of a table")
    settings: list[Any] = [{"align": "left", "is_wrapped": True}, *({"align": "right"} for _ in head[1:])]
    return TableBlock(rows=cells, column_settings=settings)


def _cell(text: str) -> dict[str, str]:
    return {"type": "raw_text", "text": plain(text, CELL_CHARS) or "—"}
