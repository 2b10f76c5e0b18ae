"""All patterns that one look at a text finds, and which of its hits are whose.

Decides their numbers. Leaves what a hit means to who asked for it.
"""

from __future__ import annotations

from bot.detection.scan import candidates, credentials, hidden
from bot.detection.scan.candidates import BACKWARDS

SHAPES = candidates.NEEDLES + credentials.NEEDLES
FIRST = len(candidates.NEEDLES)
"""Of the credentials' needles, which come after those of the candidates."""
ALL = SHAPES + hidden.NEEDLES
"""In one look: two would take half as long again. The signs of probing come after these."""
ESCAPED, CASES, LETTERED, TURNED = range(len(SHAPES), len(ALL))
ASKED = len(ALL)
CREDENTIALS = frozenset(range(FIRST, ESCAPED))
MADE = frozenset({BACKWARDS, CASES, LETTERED, TURNED})
"""One of them stands in whatever `hidden.MADE` is found in: sixteen digits are announced as a number from its end."""
HIDDEN = MADE | {ESCAPED}
