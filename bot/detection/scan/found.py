"""What one detector found at one place of a text, before it becomes a mark. It may hold the secret, so it never leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bot.detection.event import MarkKind

PLAIN = "plain"
MOST = 10_000
"""Identifiers of one text that are looked up, a hundredth of a second's work."""


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


Candidate = tuple[str, str, int, int]
"""What may be somebody's identifier: kind, normal form, start and end. The normal form is empty where the check digits were
wrong: it counts as work, and means nothing. A plain tuple: a number has several of them, and nearly all are thrown away."""


def turned(found: Iterable[Candidate], end: int) -> Iterator[Candidate]:
    """Found in what ends there and was read from its end."""
    return ((kind, normal, end - last, end - first) for kind, normal, first, last in found)
