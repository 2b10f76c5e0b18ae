"""JSONL: one payload a line, Firsthour's own (`payloads.jsonl` of an exported pack) and anybody's; and a JSON list of such.

Decides under which names a payload is looked for. Other keys of a line are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bot.validation.imports.found import Item, Look

TEXTS = (
    "turns",
    "messages",
    "payload",
    "prompt",
    "text",
    "input",
    "attack",
    "message",
    "question",
    "content",
    "value",
    "goal",
)
"""A line's text is under the first of these that it has."""
OWN = ("origin", "placement", "name", "atlas", "owasp", "paraphrases", "translations")
"""Keys that mean what they mean in a pack. Of a foreign line they are taken where they have that shape."""
NOT_JSON = "it is no JSON object with a text. Mend it, or take it out."


def recognises(look: Look) -> bool:
    """Any JSON that no other format took, too: what it lacks is then said of it, rather than each of its lines sent."""
    return look.whole is not None or first(look) is not None


def first(look: Look) -> dict[str, Any] | None:
    """The first object, where at least half of the first twenty lines are one: an attack in plain text may look like JSON."""
    looked = [parsed(line) for (_, line), _ in zip(look.lines(), range(20), strict=False)]
    found = [entry for entry in looked if isinstance(entry, dict)]
    return found[0] if found and len(found) * 2 >= len(looked) else None


def read(look: Look) -> Iterator[Item]:
    if isinstance(look.whole, list):
        for entry in look.whole:
            yield one(look, None, entry)
    elif isinstance(look.whole, dict):
        yield one(look, 1, look.whole)
    else:
        for number, line in look.lines():
            yield one(look, number, parsed(line))


def parsed(line: str) -> Any:
    """None where it is no JSON, or nests deeper than anything that is read here."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def one(look: Look, number: int | None, entry: Any) -> Item:
    if isinstance(entry, str):
        return look.payload(number, entry)
    if not isinstance(entry, dict):
        return look.problem(number, NOT_JSON)
    key = text_of(entry)
    if key is None:
        return look.problem(number, f"it has no text. Put it under one of: {', '.join(TEXTS)}.")
    own = {name: entry[name] for name in OWN if entry.get(name)} if "turns" in entry and "id" in entry else {}
    return look.payload(number, entry[key], **own)


def text_of(entry: dict[str, Any]) -> str | None:
    return next((key for key in TEXTS if entry.get(key)), None)
