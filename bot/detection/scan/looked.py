"""All patterns that one look at a text finds, and which of its hits are whose.

Decides their numbers. Leaves what a hit means to who asked for it.
"""

from __future__ import annotations

from bot.detection.scan import candidates, credentials, hidden
from bot.detection.scan.matchers import Ends

SHAPES = candidates.NEEDLES + credentials.NEEDLES
FIRST = len(candidates.NEEDLES)
"""Of the credentials' needles, which come after those of the candidates."""
ALL = SHAPES + hidden.APART_NEEDLES + hidden.LONG_AT_ALL
"""In one look: three would take half as long again. The signs of probing come after these."""
APART, LONG, ASKED = len(SHAPES), len(ALL) - 1, len(ALL)


def apart(hits: Ends) -> Ends:
    """Those of `hidden.APART_NEEDLES`, by their own numbers."""
    return {number - APART: ends for number, ends in hits.items() if APART <= number < LONG}
