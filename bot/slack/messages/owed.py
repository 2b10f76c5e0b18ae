"""What a person owes, as one message to them alone. Pure.

Decides how much of it fits and which buttons stand beside it. When it is sent, and whose it is, was decided before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models.blocks import Block

from bot.incident.learning import ActionItem, Risk
from bot.slack.cards.items import item_blocks, risk_line
from bot.slack.kit import Message, section
from bot.slack.text import Md, md

MOST_ITEMS, MOST_RISKS = 15, 8


def owed(due: Sequence[ActionItem], risks: Sequence[Risk], now: datetime) -> Message:
    late = sum(1 for item in due if item.due_at is not None and item.due_at < now)
    parts = []
    if due:
        parts.append(md("{} of your action items {} due soon or overdue", len(due), "is" if len(due) == 1 else "are"))
    if risks:
        parts.append(md("{} risks are to be looked at again", len(risks)))
    text = md("{}{}.", Md("; ".join(parts)), md(" ({} overdue)", late) if late else Md(""))
    blocks = [section(text), *_listed(due, now)]
    blocks += [section(risk_line(risk, now, incident=True)) for risk in risks[:MOST_RISKS]]
    return Message(text, tuple(blocks))


def unowned(due: Sequence[ActionItem], now: datetime) -> Message:
    """To whoever holds the role or leads: once."""
    text = Md("These action items have no owner. Give each one with *Edit*; until then nobody is reminded of them.")
    return Message(text, (section(text), *_listed(due, now)))


def _listed(due: Sequence[ActionItem], now: datetime) -> list[Block]:
    blocks = [block for item in due[:MOST_ITEMS] for block in item_blocks(item, now, incident=True)]
    more = len(due) - MOST_ITEMS
    return (
        [*blocks, section(md("… and {} more: `/incident action` and the Home tab list them.", more))]
        if more > 0
        else blocks
    )
