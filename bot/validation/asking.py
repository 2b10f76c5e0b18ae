"""One conversation with the target, held again where it was too busy.

Decides how often, and how long all conversations wait meanwhile. Pace and budget are `meter`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.validation.answers import Answer, Trouble, TroubleKind
from bot.validation.meter import Meter
from bot.validation.targets import Target

REPEATS = 5
FIRST_WAIT = 0.5
"""Seconds, where the target names none; twice as long each time."""


class Asker:
    def __init__(self, target: Target, meter: Meter, *, waiting: Callable[[], None]) -> None:
        """`waiting` is called whenever all have to wait."""
        self._target, self._meter, self._waiting = target, meter, waiting

    async def ask(self, turns: Sequence[str], document: str | None) -> Answer | Trouble:
        """Raises Spent where the budget ends meanwhile."""
        reply = await self._target.send(turns, document, before=self._meter.call)
        for repeat in range(REPEATS):
            if not (isinstance(reply, Trouble) and reply.kind is TroubleKind.BUSY):
                break
            self._meter.hold(FIRST_WAIT * 2**repeat if reply.retry_after is None else reply.retry_after)
            self._waiting()
            reply = await self._target.send(turns, document, before=self._meter.call)
        return reply
