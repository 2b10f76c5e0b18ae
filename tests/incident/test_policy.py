from __future__ import annotations

from datetime import UTC, datetime

from bot.incident.policy import MEASURES, Rule
from bot.incident.words import ActionKind, ScopeKind


def rule(*, version: int, removed_at: datetime | None = None) -> Rule:
    return Rule(
        key="INC-12:3:user/mallory", incident=12, kind=ActionKind.BLOCK_USER, scope_kind=ScopeKind.USER,
        scope_id="mallory", version=version, added_version=4, added_at=datetime.now(UTC), removed_at=removed_at,
    )  # fmt: skip


def test_a_gate_enforces_everything_but_what_lies_in_other_systems() -> None:
    assert set(ActionKind) - MEASURES == {ActionKind.ROTATE_CREDENTIALS, ActionKind.FLUSH_MEMORY}


def test_a_rule_in_force_with_another_version_than_it_was_put_with_was_changed_since() -> None:
    assert not rule(version=4).changed_since
    assert rule(version=9).changed_since
    assert not rule(version=9, removed_at=datetime.now(UTC)).changed_since
