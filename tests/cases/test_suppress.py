"""Suppressions as people make, see and lift them: with a reason and an end, on purpose, and loudly where it is wide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import select
from structlog.testing import capture_logs

from bot.cases.context import Context
from bot.cases.suppress import LONGEST, Wanted, expire, lift, suppress
from bot.clock import Clock as Ticker
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, NotFound, Refused, Repeated
from bot.incident.incident import SYSTEM, person
from bot.incident.outward import Intent, IntentKind
from bot.incident.registered import Suppression
from bot.store import Store, suppressions
from bot.store.knowledge import load
from bot.store.sealing import DetectionKey
from tests import opened as case
from tests.conftest import START, Clock

WIDE = "maintenance of all models"


def wanted(time: int = 60, reason: str = "red team", **named: Any) -> Wanted:
    return Wanted(time=time, reason=reason, **(named or {"user": "u-redteam"}))


async def rows(store: Store) -> Sequence[Suppression]:
    async with store.read() as session:
        return (await session.exec(select(Suppression))).all()


async def notices(store: Store) -> list[str]:
    async with store.read() as session:
        found = await session.exec(select(Intent).where(Intent.kind == IntentKind.NOTICE))
        return [row.args["notice"] for row in found.all()]


async def make(ctx: Context, one: Wanted | None = None, caller: Caller = case.ALICE) -> str:
    return await suppress(ctx, caller, one or wanted())


async def test_a_suppression_says_whose_why_by_whom_and_until_when(store: Store) -> None:
    ctx = case.context(store)
    answer = await make(ctx, wanted(90, app="shop", tenant="t1", trigger="anomalous_probing"))
    [row] = await rows(store)
    assert (row.app, row.tenant, row.trigger, row.subject_id) == ("shop", "t1", "anomalous_probing", None)
    assert (row.made_by, row.reason, row.starts_at) == ("U0ALICE", "red team", START)
    assert row.ends_at == START + timedelta(minutes=90)
    assert answer.startswith(f"Suppression {row.id} runs until 2026-03-02 10:30 UTC.")
    assert await notices(store) == [], "it is not about everybody"


@pytest.mark.parametrize("kind", ["user", "session", "api_key", "ip"])
async def test_every_kind_of_subject_can_be_named(sqlite_store: Store, kind: str) -> None:
    await make(case.context(sqlite_store), wanted(**{kind: "x-1"}))
    [row] = await rows(sqlite_store)
    assert (row.subject_kind, row.subject_id, row.everybody) == (kind, "x-1", False)


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"user": None}, "Say whose findings"),
        ({"trigger": "anomalous_probing"}, "add --everybody"),
        ({"user": "a", "ip": "10.0.0.1"}, "Name one subject"),
        ({"everybody": True, "app": "shop"}, "Either somebody is named"),
        ({"user": " "}, "at least 1 character"),
    ],
)
def test_whose_findings_must_be_clear(named: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        wanted(**named)


@pytest.mark.parametrize("values", [{"time": 0}, {"time": LONGEST + 1}, {"reason": " "}])
def test_there_is_always_a_reason_and_an_end_within_thirty_days(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wanted(**{"user": "u", **values})


async def test_a_window_to_come_covers_nothing_before_and_ends_within_thirty_days(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    answer = await make(ctx, wanted(120, app="shop", starts=START + timedelta(days=1)))
    [row] = await rows(sqlite_store)
    assert "from 2026-03-03 09:00 until 2026-03-03 11:00 UTC" in answer
    assert not row.running(START) and row.running(START + timedelta(days=1))
    with pytest.raises(Invalid, match="over within 30 days"):
        await make(ctx, wanted(LONGEST, app="shop", starts=START + timedelta(minutes=1)))
    with pytest.raises(Invalid, match="cannot start in the past"):
        await make(ctx, wanted(app="shop", starts=START - timedelta(minutes=1)))


async def test_hiding_the_worst_of_everybody_needs_a_good_reason_and_the_channel_is_told(store: Store) -> None:
    ctx = case.context(store)
    for trigger in (None, "credential_leakage_confirmed", "sustained_injection_campaign"):
        with pytest.raises(Invalid, match="SEV-1 and SEV-2 findings of everybody"):
            await make(ctx, wanted(everybody=True, trigger=trigger, reason="ten chars."))
    assert await rows(store) == [] and await notices(store) == []
    answer = await make(ctx, wanted(everybody=True, reason=WIDE))
    assert "the incidents channel is told" in answer
    await lift(ctx, case.ALICE, 1)
    assert await notices(store) == ["suppression_made", "suppression_lifted"]


async def test_hiding_what_is_mild_of_everybody_needs_no_notice(sqlite_store: Store) -> None:
    await make(case.context(sqlite_store), wanted(everybody=True, trigger="anomalous_probing", reason="load"))
    assert await notices(sqlite_store) == []


async def test_a_guest_or_a_machine_may_neither_suppress_nor_lift(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await make(ctx)
    for caller in (Caller(person("U0GINA"), full_member=False), Caller(SYSTEM)):
        with pytest.raises(Refused):
            await make(ctx, caller=caller)
        with pytest.raises(Refused):
            await lift(ctx, caller, 1)
    assert len(await rows(sqlite_store)) == 1


async def test_a_trigger_that_is_not_there_is_named_with_the_nearest(sqlite_store: Store) -> None:
    with pytest.raises(Invalid, match="Did you mean `anomalous_probing`"):
        await make(case.context(sqlite_store), wanted(user="u", trigger="anomalous_probin"))


async def test_a_secret_in_a_reason_is_not_stored(sqlite_store: Store) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    await make(case.context(sqlite_store), wanted(user="u", reason=f"tests with {token}"))
    [row] = await rows(sqlite_store)
    assert token not in row.reason and "[redacted GitHub token" in row.reason


async def test_a_lifted_one_stays_on_record_and_cannot_be_lifted_again(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    await make(ctx)
    clock.advance(minutes=10)
    bob = Caller(person("U0BOB"))
    assert "lifted" in await lift(ctx, bob, 1)
    [row] = await rows(store)
    assert (row.over_at, row.lifted_by) == (START + timedelta(minutes=10), "U0BOB")
    with pytest.raises(Refused, match="over since 2026-03-02 09:10 UTC, lifted by <@U0BOB>"):
        await lift(ctx, case.ALICE, 1)
    with pytest.raises(NotFound, match="/incident suppressions"):
        await lift(ctx, case.ALICE, 2)


async def test_an_end_applies_by_itself_and_is_noted_once(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    with capture_logs() as said:
        await make(ctx, wanted(30))
        await make(ctx, wanted(90))
        clock.advance(minutes=30)
        async with store.read() as session:
            assert await suppressions.running(session, store.now()) == 1
            assert [one.id for one in await suppressions.standing(session, store.now())] == [2]
        with pytest.raises(Refused, match="over since 2026-03-02 09:30 UTC"):
            await lift(ctx, case.ALICE, 1)
        await Ticker(ctx).tidy()
        assert await expire(store) == 0
        await lift(ctx, case.ALICE, 2)
    events = [(one["event"], one["suppression"]) for one in said if one["event"].startswith("suppression.")]
    made = [("suppression.made", 1), ("suppression.made", 2)]
    assert events == [*made, ("suppression.expired", 1), ("suppression.lifted", 2)]
    assert "u-redteam" not in str(said), "an id of a user is no matter for the log"


async def test_a_command_that_is_delivered_twice_suppresses_once(store: Store) -> None:
    ctx = case.context(store)
    typed = Caller(person("U0ALICE"), inbound="slash:1")
    first = await make(ctx, caller=typed)
    with pytest.raises(Repeated) as again:
        await make(ctx, caller=typed)
    assert again.value.answer == first and len(await rows(store)) == 1


async def test_a_running_process_sees_each_change_by_the_number(store: Store) -> None:
    ctx, key = case.context(store), DetectionKey(b"k" * 32)
    before = await load(store, key)
    await make(ctx)
    after = await load(store, key, before)
    assert [one.id for one in after.suppressions] == [1]
    await lift(ctx, case.ALICE, 1)
    assert (await load(store, key, after)).suppressions == []
