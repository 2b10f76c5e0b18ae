"""How much the counting of events gives way to a commit that opens an incident.

Decides how long it stands back at a time, and that it never does so for long: whatever fires, and however slow the store is,
three quarters of the time stay for detection. What is not counted meanwhile waits with its senders, and is caught up with.
"""

from __future__ import annotations

PAUSE = 0.001
"""Seconds between two slices of counting. A commit goes to the store and back many times; each time it would wait for one."""
SHARE = 0.25
"""Of all time, at most so much is given."""
MOST = 0.1
"""Seconds of it that are saved up: some commits in a row."""


class GiveWay:
    """A purse of time: it fills as time goes by, and what is given is taken out."""

    def __init__(self) -> None:
        self._left, self._at = MOST, 0.0

    def seconds(self, now: float) -> float:
        """To stand back for now; 0 where the purse is empty. `now`: of a clock that never goes back, in seconds."""
        self._left = min(MOST, self._left + SHARE * (now - self._at))
        self._at = now
        return PAUSE if self._left > 0 else 0

    def gave(self, seconds: float) -> None:
        """Others had the loop for so long."""
        self._left -= seconds
