"""What every connector that reaches a system promises. A connector's test file subclasses `Conformance`.

The subclass provides the fixtures `connector`, `down` (the same connector with nothing listening) and `far` (the system).
"""

from __future__ import annotations

from typing import Protocol

import pytest

from bot.connectors.contract import Connector, Effect, Nature, Order
from bot.incident.words import ActionKind, ScopeKind

HOSTILE = (
    "*",
    "../../admin",
    "quo\"te's",
    "new\r\nX-Injected: yes",
    "per%20cent?kind=everyone&id=*#x",
    "雪 snow\u202e",
    "a" * 160,
)
"""Ids that would mean something else where they are pasted instead of quoted."""


class FarSide(Protocol):
    secrets: tuple[str, ...]

    def carried_out(self, key: str) -> int:
        """How often the system really carried the key out."""
        ...

    def holds(self, scope_id: str) -> bool:
        """Whether a block of exactly this user is in force."""
        ...


def block(scope_id: str = "mallory", index: int = 3) -> Order:
    return Order("INC-12", f"INC-12:{index}:user/{scope_id}", ActionKind.BLOCK_USER, ScopeKind.USER, scope_id)


class Conformance:
    async def test_it_says_what_it_would_do_and_on_whom(self, connector: Connector) -> None:
        assert "mallory" in connector.effect_of(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
        assert "everyone" in connector.effect_of(ActionKind.ENABLE_SAFE_MODE, ScopeKind.EVERYONE, "*").lower()

    async def test_what_was_not_applied_is_not_in_force(self, connector: Connector) -> None:
        assert (await connector.verify(block())).effect is Effect.NOT_IN_FORCE

    async def test_what_was_applied_is_verified_and_what_was_reverted_is_gone(
        self, connector: Connector, far: FarSide
    ) -> None:
        captured = await connector.snapshot(block())
        assert captured.effect is Effect.CAPTURED
        assert (await connector.apply(block())).effect is Effect.APPLIED
        assert far.holds("mallory")
        assert (await connector.verify(block())).effect is Effect.VERIFIED
        assert (await connector.verify_revert(block())).effect is Effect.VERIFIED
        assert (await connector.revert(block(), captured.snapshot)).effect is Effect.APPLIED
        assert (await connector.verify_revert(block())).effect is Effect.REVERTED
        assert not far.holds("mallory")

    async def test_the_same_key_is_carried_out_once(self, connector: Connector, far: FarSide) -> None:
        for _ in range(3):
            assert (await connector.apply(block())).effect is Effect.APPLIED
        assert far.carried_out(block().key) == 1

    async def test_somebody_else_is_not_touched(self, connector: Connector, far: FarSide) -> None:
        await connector.apply(block("mallory"))
        assert not far.holds("alice")
        assert (await connector.verify(block("alice"))).effect is Effect.NOT_IN_FORCE

    @pytest.mark.parametrize("scope_id", HOSTILE)
    async def test_a_hostile_id_arrives_as_it_is_and_means_nothing_else(
        self, connector: Connector, far: FarSide, scope_id: str
    ) -> None:
        order = block(scope_id)
        assert (await connector.apply(order)).effect is Effect.APPLIED
        assert far.holds(scope_id)
        assert not far.holds("alice")
        assert (await connector.verify(order)).effect is Effect.VERIFIED
        assert (await connector.revert(order, None)).effect is Effect.APPLIED
        assert (await connector.verify_revert(order)).effect is Effect.REVERTED

    async def test_where_nothing_listens_nothing_was_done_and_nothing_is_known(self, down: Connector) -> None:
        applied = await down.apply(block())
        assert applied.effect is Effect.FAILED
        assert "Nothing was changed" in applied.detail
        assert (await down.revert(block(), None)).effect is Effect.FAILED
        assert (await down.verify(block())).effect is Effect.UNKNOWN
        assert (await down.verify_revert(block())).effect is Effect.UNKNOWN
        assert (await down.health()).effect is Effect.FAILED

    async def test_it_says_that_it_is_well(self, connector: Connector) -> None:
        assert (await connector.health()).effect is Effect.VERIFIED
        assert connector.nature is not Nature.BY_HAND

    async def test_no_secret_and_no_address_is_in_any_word_it_says(
        self, connector: Connector, down: Connector, far: FarSide
    ) -> None:
        said = [connector.effect_of(kind, ScopeKind.USER, "mallory") for kind in ActionKind]
        for one in (connector, down):
            answers = [await act(block()) for act in (one.snapshot, one.apply, one.verify, one.verify_revert)]
            said += map(str, [*answers, await one.revert(block(), None)])
        assert not any("://" in word for word in said)
        for word in (*said, repr(connector), repr(down)):
            assert not any(secret in word for secret in far.secrets)
