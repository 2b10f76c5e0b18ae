"""The policy in the store, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.gate import rules
from bot.gate.rules import StoredPolicy
from bot.incident.policy import GateReplica
from bot.incident.words import ActionKind, ScopeKind
from bot.store import Store
from tests.conftest import Clock
from tests.gate.policy import change_by_hand, put, wanted


@pytest.fixture
def policy(store: Store) -> StoredPolicy:
    return StoredPolicy(store)


async def after(store: Store, held: int | None) -> rules.Changes | None:
    async with store.read() as session:
        return await rules.changes(session, held)


async def test_the_same_key_counts_once_also_when_many_put_it_at_once(store: Store, policy: StoredPolicy) -> None:
    async with asyncio.timeout(10):
        rows = await asyncio.gather(*(policy.put(wanted()) for _ in range(8)))
    assert {row.version for row in rows} == {1}
    found = await after(store, None)
    assert (
        found is not None and found.whole and (found.version, [rule.key for rule in found.rules]) == (1, [rows[0].key])
    )


async def test_what_was_removed_is_not_put_again_by_a_late_repetition(store: Store, policy: StoredPolicy) -> None:
    rule = await policy.put(wanted())
    gone = await policy.remove(rule.key)
    assert gone is not None and gone.removed_at == store.now()
    again = await policy.put(wanted())
    assert again.removed_at is not None
    found = await after(store, None)
    assert found is not None and (found.version, list(found.rules)) == (2, [])
    assert (await policy.remove(rule.key)) is not None, "removing twice is removing once"
    assert await after(store, 2) is None


async def test_everything_after_a_version_in_its_order_and_all_of_it_where_the_store_is_older(
    store: Store, policy: StoredPolicy
) -> None:
    for index in range(3):
        await put(store, f"user-{index}", index=index)
    await policy.remove("INC-12:0:user/user-0")
    found = await after(store, 1)
    assert found is not None and not found.whole
    assert [(rule.scope_id, rule.removed_at is None) for rule in found.rules] == [
        ("user-1", True), ("user-2", True), ("user-0", False),
    ]  # fmt: skip
    restored = await after(store, 99)
    assert restored is not None and restored.whole and restored.version == 4
    assert [rule.scope_id for rule in restored.rules] == ["user-1", "user-2"]


async def test_a_copy_is_read_in_pages_and_none_is_lost_between_them(
    store: Store, policy: StoredPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "PAGE", 2)
    for index in range(5):
        await put(store, f"user-{index}", index=index)
    found = await after(store, None)
    assert found is not None and [rule.scope_id for rule in found.rules] == [f"user-{index}" for index in range(5)]


async def test_rules_of_two_incidents_on_one_target_stand_side_by_side(store: Store, policy: StoredPolicy) -> None:
    ours, theirs = await put(store, incident=12), await put(store, incident=13)
    await put(store, "alice", incident=13, index=4)
    target = (ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
    assert [rule.incident for rule in await policy.holding(*target)] == [12, 13]
    await policy.remove(ours.key)
    assert [rule.key for rule in await policy.holding(*target)] == [theirs.key]


async def test_a_rule_for_everyone_holds_each_target_whatever_id_was_written(policy: StoredPolicy) -> None:
    kind = ActionKind.ENABLE_SAFE_MODE
    for index, name in enumerate(("", "*", "everyone")):
        await policy.put(wanted(name, index=index, kind=kind, scope_kind=ScopeKind.EVERYONE))
    await policy.put(wanted("alice", index=4, kind=kind))
    assert len(await policy.holding(kind, ScopeKind.EVERYONE, "all")) == 3
    assert len(await policy.holding(kind, ScopeKind.USER, "mallory")) == 3
    assert len(await policy.holding(kind, ScopeKind.USER, "alice")) == 4


async def test_what_somebody_changed_since_is_left_as_it_is(store: Store, policy: StoredPolicy) -> None:
    rule = await put(store)
    await change_by_hand(store, rule.key, incident=13)
    left = await policy.remove(rule.key)
    assert left is not None and left.changed_since and (left.removed_at, left.incident) == (None, 13)
    assert await policy.remove("INC-12:9:user/nobody") is None


@pytest.mark.parametrize("kind", [ActionKind.ROTATE_CREDENTIALS, ActionKind.FLUSH_MEMORY])
async def test_what_no_gate_enforces_is_refused(policy: StoredPolicy, kind: ActionKind) -> None:
    with pytest.raises(ValueError, match=f"no gate enforces {kind}"):
        await policy.put(wanted(kind=kind))


async def test_a_gate_that_was_not_seen_for_a_while_is_not_counted(
    store: Store, policy: StoredPolicy, clock: Clock
) -> None:
    async with store.unit() as unit:
        for name, ago in (("here", 14), ("gone", 16)):
            seen = unit.now - timedelta(seconds=ago)
            unit.add(GateReplica(id=name, address="127.0.0.1:8081", version=1, seen_at=seen))
    assert [gate.id for gate in await policy.gates()] == ["here"]
