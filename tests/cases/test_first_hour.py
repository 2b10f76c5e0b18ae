from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.cases import acknowledge, finish, roles, severity
from bot.cases.first_hour import plan_reminders, replan
from bot.incident.incident import SYSTEM
from bot.incident.outward import OUTLIVES, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Role, Severity
from bot.store import Store
from tests import opened as case
from tests.conftest import START, Clock

K = ReminderKind


def minutes(rows: list[tuple[str, datetime]]) -> dict[str, float]:
    return {name: (at - START).total_seconds() / 60 for name, at in rows}


async def planned(store: Store, number: int, kind: ReminderKind) -> dict[str, float]:
    return minutes([(row.args.get("window", "-"), row.due_at) for row in await case.reminders(store, number, kind)])


async def test_a_sev1_is_planned_for_its_whole_first_hour(store: Store) -> None:
    number = await case.opened(case.context(store))
    assert await planned(store, number, K.WINDOW_START) == {
        "command": 5, "evidence": 10, "contain": 15, "scope": 30, "brief": 45
    }  # fmt: skip
    assert await planned(store, number, K.WINDOW_NUDGE) == {
        "confirm": 3, "command": 8, "evidence": 13, "contain": 25, "scope": 40, "brief": 55
    }  # fmt: skip
    assert await planned(store, number, K.ACKNOWLEDGE) == {"-": 15}
    assert await planned(store, number, K.UPDATE_DUE) == {"-": 30}


async def test_the_first_window_is_shown_by_the_card_and_not_announced(store: Store) -> None:
    number = await case.opened(case.context(store))
    assert "confirm" not in await planned(store, number, K.WINDOW_START)


async def test_a_sev3_has_its_windows_in_hours(store: Store) -> None:
    number = await case.opened(case.context(store), Severity.SEV3)
    assert (await planned(store, number, K.WINDOW_START))["command"] == 5 * 24
    assert await planned(store, number, K.ACKNOWLEDGE) == {"-": 240}


async def test_a_sev4_has_no_windows_and_waits_for_the_next_business_day(store: Store, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)  # a Friday
    number = await case.opened(case.context(store), Severity.SEV4)
    rows = await case.reminders(store, number)
    assert {row.kind for row in rows} <= {K.ACKNOWLEDGE, K.ACTION_EXPIRY}
    [acknowledge] = await case.reminders(store, number, K.ACKNOWLEDGE)
    assert acknowledge.due_at == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


async def test_a_fast_demo_runs_the_hour_in_a_minute(store: Store) -> None:
    number = await case.opened(case.context(store, speed=60))
    assert (await planned(store, number, K.WINDOW_START))["brief"] == pytest.approx(0.75)
    assert await planned(store, number, K.ACKNOWLEDGE) == {"-": 0.25}


async def test_the_plan_is_anchored_at_the_declaration_however_long_ago_it_started(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.started_at = START - timedelta(hours=5)
        unit.record(incident, Happened.NOTE, SYSTEM, text="it began this morning")
        await replan(ctx, unit, incident)
    assert (await planned(store, number, K.WINDOW_START))["command"] == 5


async def test_raising_the_severity_plans_only_what_is_still_ahead(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx, Severity.SEV3)
    clock.advance(minutes=20)
    await severity.change(ctx, case.ALICE, number, severity=Severity.SEV1, reason="it spreads")
    assert await planned(store, number, K.WINDOW_START) == {"scope": 30, "brief": 45}
    assert await planned(store, number, K.WINDOW_NUDGE) == {"contain": 25, "scope": 40, "brief": 55}
    assert await planned(store, number, K.ACKNOWLEDGE) == {"-": 20}, "its fifteen minutes are over: called at once"


async def test_a_change_of_severity_leaves_the_expiry_of_proposals_alone(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    before = {row.key for row in await case.reminders(store, number, K.ACTION_EXPIRY)}
    clock.advance(minutes=1)
    await severity.change(ctx, case.ALICE, number, severity=Severity.SEV2, reason="no harm yet")
    assert before
    assert before <= {row.key for row in await case.reminders(store, number, K.ACTION_EXPIRY)}


async def test_planning_twice_at_the_same_revision_writes_nothing_twice(store: Store) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        unit.record(incident, Happened.NOTE, SYSTEM, text="a look at the plan")
        await replan(ctx, unit, incident)
    before = [row.key for row in await case.reminders(store, number)]
    async with store.unit() as unit:
        await plan_reminders(ctx, unit, await unit.incident(number))
    assert [row.key for row in await case.reminders(store, number)] == before


async def test_a_reopened_incident_must_be_acknowledged_again_counted_from_then(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, case.ALICE, number)
    await roles.assign(ctx, case.ALICE, number, role=Role.COMMANDER, person="U0ALICE")
    await case.resolve(ctx, case.ALICE, number, reason="nothing to contain")
    assert {one.kind for one in await case.reminders(store, number)} <= OUTLIVES
    clock.advance(hours=30)
    await finish.reopen(ctx, case.ALICE, number, reason="it came back")
    [again] = await case.reminders(store, number, K.ACKNOWLEDGE)
    assert again.due_at == clock.now + timedelta(minutes=15)
    assert (await case.incident(store, number)).acknowledge_by == again.due_at
