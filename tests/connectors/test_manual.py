from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest

from bot.connectors.conformance import Case, Fault, Promise, name_of
from bot.connectors.conformance.calm import a_hostile_id_means_nothing_else, it_says_what_it_would_do_and_on_whom
from bot.connectors.contract import Effect, Nature, Order
from bot.connectors.manual import Manual
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.conformance import block


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


class Nobody:
    """There is no system behind work by hand."""

    secrets: tuple[str, ...] = ()
    faults: frozenset[Fault] = frozenset()

    async def behaves_blocked(self, order: Order) -> bool:
        return False

    async def state(self) -> object:
        return None

    async def carried_out(self, order: Order) -> int | None:
        return None

    async def meddle(self, order: Order) -> bool:
        return False

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        raise NotImplementedError

    def strayed(self) -> int:
        return 0


@pytest.mark.parametrize(
    "promise", [it_says_what_it_would_do_and_on_whom, a_hostile_id_means_nothing_else], ids=name_of
)
async def test_it_keeps_the_promises_that_need_no_system(promise: Promise) -> None:
    await promise(Case(Manual(), block("mallory"), block("alice"), Nobody()))
