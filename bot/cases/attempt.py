"""What carrying out and reverting share: the time an attempt may take, looking again, and giving up on knowing.

Decides patience. What an attempt writes is `execute`'s and `revert`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from bot.connectors import Connector, Effect, Order, Result
from bot.incident.incident import Actor
from bot.incident.words import ActorKind

BUDGET = 10.0
"""Seconds for all calls of one attempt: below the runner's own limit, so that the outcome is recorded as what it is."""
ATTEMPTS = 10
"""With the runner's backoff a few minutes of asking. Then the room is told that nobody knows."""
PAUSES = (0.2, 0.6, 1.5)
"""Seconds before each further look: systems that take an order at once often enforce it a moment later."""


async def bounded(act: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout(BUDGET):
            return await act
    except TimeoutError:
        return Result(Effect.UNKNOWN, "It took too long. It may be done.")


async def look(ask: Callable[[Order], Awaitable[Result]], order: Order, settles: Collection[Effect]) -> Result:
    """Ask until the answer settles it, or the pauses are used up. Returns the last answer."""
    seen = await ask(order)
    for pause in PAUSES:
        if seen.effect in settles:
            break
        await asyncio.sleep(pause)
        seen = await ask(order)
    return seen


def by(connector: Connector) -> Actor:
    return Actor(kind=ActorKind.CONNECTOR, id=connector.name)
