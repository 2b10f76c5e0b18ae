"""What a trigger really did is what was committed about it, without drills and without alerts from elsewhere."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from bot.cases import finding as finding_case
from bot.cases import finish, roles
from bot.cases.context import Context
from bot.cases.finding_words import SOURCE
from bot.detection.finding import Finding
from bot.incident.caller import Caller
from bot.incident.incident import person
from bot.incident.words import Role
from bot.store import Store
from bot.store.firings import Firings, firings
from tests.conftest import START, Clock
from tests.opened import context, opened

TRIGGER = "bulk_data_extraction"
_ids = count()


def finding(user: str, *, app: str = "chat", trigger: str = TRIGGER) -> Finding:
    values: dict[str, Any] = {
        "trigger": trigger, "subject_kind": "user", "subject_id": user, "app": app, "session_id": None, "first": True,
        "id": f"finding-{next(_ids)}", "started_at": START.timestamp(), "completed_at": START.timestamp(),
        "counts": {"distinct results": 101}, "window_seconds": 3600.0, "event_ids": (),
    }  # fmt: skip
    return Finding(**values)


@pytest.fixture
def ctx(store: Store) -> Context:
    return context(store)


async def asked(ctx: Context, *, app: str | None = None) -> Firings:
    async with ctx.store.read() as session:
        span = START - timedelta(days=7), START + timedelta(days=1)
        return await firings(session, SOURCE, TRIGGER, *span, app=app)


async def ends_as_false_positive(ctx: Context, number: int) -> None:
    await roles.assign(ctx, caller(), number, role=Role.COMMANDER, person="U0ALICE")
    await finish.false_positive(ctx, caller(), number, reason="a load test")


def caller() -> Caller:
    return Caller(person("U0ALICE"), f"test-firings:{next(_ids)}")


async def test_what_opened_attached_and_was_nothing_is_counted_by_trigger_and_application(ctx: Context) -> None:
    for user, app in (("mallory", "chat"), ("trudy", "chat"), ("eve", "shop")):
        await finding_case.report(ctx, [finding(user, app=app)])
    await finding_case.report(ctx, [finding("mallory"), finding("mallory")])
    await ends_as_false_positive(ctx, 2)
    await opened(ctx, user="from-elsewhere")
    found = await asked(ctx)
    assert [(one.number, one.subject_id, one.false_positive) for one in found.opened] == [
        (3, "eve", False),
        (2, "trudy", True),
        (1, "mallory", False),
    ]
    assert dict(found.answers) == {"opened": 3, "attached": 2}
    assert len(found.ids) == 5
    assert [one.subject_id for one in (await asked(ctx, app="chat")).opened] == ["trudy", "mallory"]


async def test_nothing_of_another_trigger_or_before_the_time_is_counted(ctx: Context, clock: Clock) -> None:
    await finding_case.report(ctx, [finding("mallory", trigger="anomalous_probing")])
    clock.advance(days=2)
    await finding_case.report(ctx, [finding("trudy")])
    found = await asked(ctx)
    assert (found.opened, dict(found.answers), found.ids) == ([], {}, frozenset())


async def test_an_incident_that_the_trigger_made_its_own_is_its(ctx: Context) -> None:
    await finding_case.report(ctx, [finding("mallory", trigger="anomalous_probing")])
    await finding_case.report(ctx, [finding("mallory")])
    found = await asked(ctx)
    assert [one.number for one in found.opened] == [1]
    assert dict(found.answers) == {"escalated": 1}


async def test_a_drill_is_not_counted(ctx: Context) -> None:
    await finding_case.report(ctx, [finding("mallory")])
    async with ctx.store.unit() as unit:
        (await unit.incident(1)).drill = True
    assert (await asked(ctx)).opened == []
