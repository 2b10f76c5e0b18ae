"""Kinds of probing in inputs.

Decides which texts are which kind. Nine kinds have patterns (`asks`); the tenth, `rate_probing`, comes from a source's own signal
only, as any of the others may. One of them alone is no attack: the trigger wants more than three different kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.detection.event import MarkKind
from bot.detection.scan.asks import ASKS
from bot.detection.scan.found import Found
from bot.detection.scan.matchers import Ends, Needle
from bot.detection.scan.normal import LOOK_ALIKES, Forms, original

KINDS = (*ASKS, "rate_probing")
KIND_OF = tuple(kind for kind, asks in ASKS.items() for _ in asks)


GAP = re.compile(r"\.\{0,\d+\}")


def _latin(pattern: str) -> str:
    """As `normal` does to the text: a Cyrillic letter that looks like a Latin one becomes it."""
    return pattern.translate(LOOK_ALIKES)


def _needle(pattern: str) -> Needle:
    return Needle(_latin(pattern), caseless=True)


NEEDLES = tuple(_needle(GAP.sub(".{0,}", ask.pattern)) for asks in ASKS.values() for ask in asks)
"""Their gaps have no bound: hyperscan counts bytes, of which a character beyond ASCII has up to four. `re` counts characters."""
SIGNS = tuple(dict.fromkeys(_needle(ask.sign) for asks in ASKS.values() for ask in asks))
"""Without one of them no needle matches. Looking for these takes less than half as long; where a byte is a character only."""


BEYOND = frozenset(char for needle in NEEDLES for char in needle.pattern if not char.isascii())
"""Letters of wordings in other scripts, and marks."""
CONTINUED = bytes(range(0x80, 0xC0))


def flat(of: Forms) -> bytes:
    """A text in which signs can be looked for, with one byte for each character; empty where one of its characters may be
    part of a wording, or stand for a letter of it."""
    if of.even is of.data:
        return of.data
    if of.even != of.data.lower() or not BEYOND.isdisjoint(of.rare):
        return b""
    return of.data.translate(None, CONTINUED)


class Probes:
    def __init__(self) -> None:
        self._patterns = [re.compile(_latin(ask.pattern)) for asks in ASKS.values() for ask in asks]

    def find(self, text: str, even: bytes, hits: Ends) -> Iterator[Found]:
        """The first of each kind. `even`: the text `evened`. `hits`: of `NEEDLES` in it, by number."""
        normal = (even.lower() if even.isascii() else even).decode()
        told: set[str] = set()
        for number in sorted(hits):
            kind = KIND_OF[number]
            match = self._patterns[number].search(normal) if kind not in told else None
            if match is not None:
                told.add(kind)
                yield probe(kind, original(text, match.start()), original(text, match.end()))


def probe(kind: str, start: int = 0, end: int = 0) -> Found:
    return Found(MarkKind.PROBE, kind, start, end, identity=kind)
