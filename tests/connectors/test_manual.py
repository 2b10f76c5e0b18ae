from __future__ import annotations

import pytest

from bot.connectors.contract import Effect, Nature, Order
from bot.connectors.manual import Manual
from bot.incident.words import ActionKind, ScopeKind


@pytest.mark.parametrize("kind", list(ActionKind))
async def test_every_action_tells_a_person_what_to_do_and_what_to_check(kind: ActionKind) -> None:
    manual, order = Manual(), Order("INC-1", "INC-1:1:user/mallory", kind, ScopeKind.USER, "mallory")
    told = await manual.apply(order)
    assert told.effect is Effect.ATTEST
    assert "mallory" in told.detail
    assert "attest" in told.detail
    for answer in (await manual.verify(order), await manual.revert(order, None), await manual.verify_revert(order)):
        assert answer.effect is Effect.ATTEST
    assert "mallory" in manual.effect_of(kind, ScopeKind.USER, "mallory")
    assert manual.can_revert(kind)


async def test_it_needs_nothing_to_be_reached() -> None:
    manual = Manual()
    assert manual.nature is Nature.BY_HAND
    assert (await manual.health()).effect is Effect.VERIFIED
    assert (
        await manual.snapshot(Order("INC-1", "k", ActionKind.BLOCK_USER, ScopeKind.USER, "x"))
    ).effect is Effect.CAPTURED
    await manual.close()
