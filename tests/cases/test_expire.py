from __future__ import annotations

import pytest

from bot.cases import decide
from bot.cases.expire import expire
from bot.incident.timeline import Happened
from bot.incident.words import ActionState
from bot.store import Store
from tests.cases.containing import ALICE, Room, room
from tests.conftest import Clock

S = ActionState


async def sweep(inc: Room, index: int) -> ActionState:
    async with inc.store.unit() as unit:
        await expire(inc.ctx, unit, await unit.incident(inc.number), index)
    return (await inc.action(index)).state


async def test_what_nobody_decided_in_time_expires_once(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        clock.advance(minutes=59)
        assert await sweep(inc, index) is S.PROPOSED
        clock.advance(minutes=1)
        assert await sweep(inc, index) is S.EXPIRED
        await sweep(inc, index)
        assert len(await inc.timeline(Happened.ACTION_EXPIRED)) == 1
        again = await inc.propose()
        assert (await inc.action(again)).state is S.PROPOSED, "it may be proposed anew"


@pytest.mark.parametrize("approve", [True, False])
async def test_what_was_decided_does_not_expire(store: Store, clock: Clock, approve: bool) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        if approve:
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        else:
            await decide.decline(inc.ctx, ALICE, inc.number, index=index, reason="no")
        clock.advance(minutes=61)
        assert await sweep(inc, index) in {S.APPROVED, S.DECLINED}
