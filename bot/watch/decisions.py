"""The gate's own decisions are events too: read from its outbox, handed to the watch.

Decides nothing of what an event makes of a decision (`gate_events`), nor what of it counts.
"""

from __future__ import annotations

from bot.gate.decisions import Outbox
from bot.incident.errors import Busy
from bot.watch.gate_events import SOURCE as VIA
from bot.watch.gate_events import event_of
from bot.watch.watch import Watch


async def follow(outbox: Outbox, watch: Watch) -> None:
    """Until cancelled. What the gate dropped because nobody read in time is counted as dropped."""
    dropped = 0
    while True:
        decided = await outbox.take()
        events = [event_of(one) for one in decided]
        try:
            await watch.take(events, via=VIA)
        except Busy:
            watch.dropped(len(events), via=VIA)
        if outbox.dropped > dropped:
            watch.dropped(outbox.dropped - dropped, via=VIA)
            dropped = outbox.dropped
