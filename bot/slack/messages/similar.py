"""One line in a room that has just opened: something strongly alike is known, and why it is.

Decides the words. What is alike is decided before (`bot.cases.similar`). Of another incident no more is named than its number
and what both have in common: its details stay in its room.
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message, message
from bot.slack.messages.asked import strings
from bot.slack.text import Md, join, md

MOST = 3


def similar_known(scene: Scene, args: Json) -> Message | None:
    """`similar`: `{"incident": 7, "why": ["the same payload", …]}` each; `count`: how many there are in all."""
    given = args.get("similar")
    found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not found or scene.ended:
        return None
    named = [md("*INC-{}* ({})", int(one["incident"]), ", ".join(strings(one, "why"))) for one in found[:MOST]]
    count = args.get("count")
    rest = count - len(named) if isinstance(count, int) else 0
    more = md(" and {} more", rest) if rest > 0 else Md("")
    return message(md("🔁 Seen before: {}{}. `/incident similar` says more.", join(", ", named), more))
