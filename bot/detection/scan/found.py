"""What one detector found at one place of a text, before it becomes a mark. It may hold the secret, so it never leaves."""

from __future__ import annotations

from typing import NamedTuple

from bot.detection.event import MarkKind

PLAIN = "plain"


class Found(NamedTuple):
    kind: MarkKind
    name: str
    start: int
    """Characters of the text that was searched; `end` is after the last one."""
    end: int
    identity: str
    """What is hashed: the same wherever the same thing is found."""
    secret: str = ""
    """What its last four characters are shown of."""
    grade: str = ""
    how: str = PLAIN
    owner: str = ""
    coverage: float = 0.0
    excluded: str = ""
