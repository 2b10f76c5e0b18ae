"""A person opens their Home tab.

Decides that they are remembered and that it is shown to them; what it shows is decided when it is (`bot.slack.delivery.home`).
"""

from __future__ import annotations

from bot.cases.context import Context
from bot.store import homes


async def opened(ctx: Context, person: str, inbound: str) -> None:
    """Raises Repeated for an event that came before."""
    async with ctx.store.unit(inbound=inbound) as unit:
        await homes.opened(unit, person)
        unit.answer("")
