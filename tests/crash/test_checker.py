"""The checker finds what it is there to find: each kind of loss and doubling, made by hand, is named."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo import Stage, stage
from bot.practice.state import Channel, Message
from tests.crash import checker
from tests.crash.storm import quiet

ALERT: dict[str, Any] = {
    "trigger": "credential_leakage_confirmed", "title": "A credential was delivered", "app": "practice-chat",
    "subject": {"kind": "user", "id": "mallory"}, "external_id": "alert-1",
}  # fmt: skip
TOLD = {"alert-1": "INC-1"}


@pytest.fixture
async def built(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, gated=False) as made:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {made.ingest_token}"}) as http:
            answer = await http.post(f"http://127.0.0.1:{made.house.port}/alerts", json=ALERT)
        assert answer.json()["incident"] == TOLD[ALERT["external_id"]]
        await quiet(made.house.store)
        yield made


async def found(built: Stage) -> list[str]:
    return await checker.check(built.workspace, built.ai_app, built.house.store, TOLD, speed=1.0)


def _room(built: Stage) -> Channel:
    return next(one for one in built.workspace.channels() if one.name.startswith("inc-0001-"))


def _message(built: Stage, surface: str) -> Message:
    messages = built.workspace.messages(_room(built))
    return next(m for m in messages if surface in str(m.metadata))


async def _write(built: Stage, statement: str) -> None:
    def work() -> None:
        with sqlite3.connect(str(built.house.store.url.database)) as connection:
            connection.execute(statement)
        connection.close()

    await asyncio.to_thread(work)


async def test_where_all_is_well_nothing_is_found(built: Stage) -> None:
    assert await found(built) == []


async def test_a_message_posted_twice_is_found_even_where_one_was_deleted(built: Stage) -> None:
    twice = replace(_message(built, "panel"), ts="1.000001", deleted=True)
    _room(built).messages[twice.ts] = twice
    assert any("show:1:panel: was posted 2 times" in problem for problem in await found(built))


async def test_a_lost_message_and_a_lost_pin_are_found(built: Stage) -> None:
    room = _room(built)
    del room.messages[_message(built, "checklist").ts]
    room.pins.clear()
    problems = "\n".join(await found(built))
    assert "show:1:checklist:triage: 0 messages" in problems and "pinned is []" in problems


async def test_a_second_room_and_a_lost_one_are_found(built: Stage) -> None:
    room = _room(built)
    built.workspace.world.channels["C2"] = replace(room, id="C2", messages={}, pins=[])
    assert any("INC-1 has 2 rooms" in problem for problem in await found(built))


async def test_an_action_carried_out_twice_or_not_at_all_is_found(built: Stage) -> None:
    executions = built.ai_app.containment.executions
    (key,) = executions
    for times in (2, 0):
        executions[key] = times
        assert any(f"carried out {times} times" in problem for problem in await found(built))


async def test_a_surface_that_shows_something_else_is_found(built: Stage) -> None:
    await _write(built, "UPDATE step SET state = 'done' WHERE step_id = 'triage.confirm'")
    assert any("checklist triage is not what the store says" in problem for problem in await found(built))


async def test_a_lost_alert_and_an_act_left_undone_are_found(built: Stage) -> None:
    await _write(built, "DELETE FROM alert")
    await _write(built, "UPDATE intent SET state = 'sending' WHERE kind = 'pin'")
    problems = "\n".join(await found(built))
    assert "stored is None" in problems and "is sending" in problems
