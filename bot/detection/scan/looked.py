"""All patterns that one look at a text finds, and which of its hits are whose.

Decides their numbers. Leaves what a hit means to who asked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.detection.scan import candidates, credentials, hidden
from bot.detection.scan.matchers import Ends

SHAPES = candidates.NEEDLES + credentials.NEEDLES
FIRST = len(candidates.NEEDLES)
"""Of the credentials' needles, which come after those of the candidates."""
ALL = SHAPES + hidden.APART_NEEDLES + hidden.LONG_AT_ALL
"""In one look: three would take half as long again. Those of probing come after these."""
APART, LONG, ASKED = len(SHAPES), len(ALL) - 1, len(ALL)


class Looked(NamedTuple):
    """Hits of `ALL`, each sort by its own numbers."""

    shapes: Ends
    apart: Ends
    long: bool
    asked: Ends


NOTHING = Looked({}, {}, long=False, asked={})


def divided(hits: Ends) -> Looked:
    if not hits:
        return NOTHING
    if max(hits) < APART:
        return NOTHING._replace(shapes=hits)
    sorts: tuple[dict[int, Sequence[int]], ...] = ({}, {}, {})
    for number, ends in hits.items():
        if number < APART:
            sorts[0][number] = ends
        elif number < LONG:
            sorts[1][number - APART] = ends
        elif number >= ASKED:
            sorts[2][number - ASKED] = ends
    return Looked(sorts[0], sorts[1], LONG in hits, sorts[2])
