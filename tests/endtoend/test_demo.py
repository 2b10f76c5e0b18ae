"""The demo: the practice AI app only tells what it does, and what a visitor sees is what detection made of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from bot.demo import stage
from bot.incident.words import ActionState, DetectionMethod, Severity
from tests.endtoend.conftest import PATIENCE, Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """As a visitor gets it."""
    async with stage(tmp_path) as built, httpx.AsyncClient(timeout=PATIENCE) as http:
        yield Scene(built, http)


async def test_the_incident_is_what_detection_found_in_the_apps_events(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    assert room.name == "inc-0001-sev1-credential-leak-confirmed"
    card = await scene.shows(room, "card", "Credential leak confirmed: user mallory in practice-chat")
    assert "SEV-1" in card.plain()
    await scene.shows(room, "panel", "*In force*, verified")
    leak = scene.ai_app.telling.events[-1]
    assert leak["delivered"] is True and scene.ai_app.credential in leak["text"]
    assert scene.ai_app.telling.rejected == []

    async def alone() -> bool:
        return (await scene.file()).incident.alert_count < 2

    await scene.while_(alone)
    file = await scene.file()
    incident, alerts = file.incident, file.alerts
    assert (incident.detection, incident.severity) == (DetectionMethod.AUTOMATED, Severity.SEV1)
    assert incident.started_at == datetime.fromisoformat(leak["occurred_at"]), "the answer that leaked"
    assert {(one.source, one.trigger) for one in alerts} == {
        ("detection", "credential_leakage_confirmed"),
        ("detection", "system_prompt_exposure"),
    }, "its marker and its prompt were registered, too"
    evidence = "\n".join(f"{one.name}: {one.excerpt}" for one in file.evidence)
    assert "What was counted: secrets: 1" in evidence and str(leak["source_event_id"]) in evidence
    assert "Secret in a text: aws" in evidence and "Canary in a text: marker" in evidence
    assert "Part of the system prompt: " in evidence
    assert scene.ai_app.credential not in evidence


async def test_what_the_gate_refuses_the_attacker_then_opens_nothing_new(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    await scene.shows(await scene.room(1), "panel", "*In force*, verified")
    await scene.ai_app.telling.taken()
    told = len(scene.ai_app.telling.events)
    assert {status for status, _ in (await scene.ai_app.attack("injection_campaign"))[1:]} == {403}
    assert {one["user_id"] for one in scene.ai_app.telling.events[told:]} == {"nora"}, (
        "a model that is not asked tells nothing"
    )
    await scene.ai_app.telling.taken()
    await scene.quiet()
    assert scene.rooms(2) == []
    assert (await scene.file()).incident.alert_count == 2


@pytest.mark.parametrize(
    ("scenario", "trigger", "by_itself"),
    [
        ("tool_abuse", "unauthorized_tool_execution", True),
        ("bulk_extraction", "bulk_data_extraction", True),
        ("user_mixup", "cross_user_data_leakage", True),
        ("injection_campaign", "sustained_injection_campaign", False),
    ],
)
async def test_other_attacks_open_their_own_rooms(scene: Scene, scenario: str, trigger: str, by_itself: bool) -> None:
    await scene.ai_app.attack(scenario)
    await scene.shows((await scene.until(lambda: scene.rooms(1)))[0], "panel", "Block the user")
    await scene.quiet()
    file = await scene.file()
    assert file.incident.trigger == trigger and scene.rooms(2) == []
    begun = [one for one in file.actions if one.state not in (ActionState.PROPOSED, ActionState.DECLINED)]
    assert bool(begun) is by_itself


async def test_firsthour_demo_prints_its_page_and_ends_with_the_attack_in_a_room(tmp_path: Path) -> None:
    """The command as a visitor types it; only the attack comes as late as it comes."""
    command = (sys.executable, "-m", "bot", "demo", "--fast")
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    demo = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(3 * PATIENCE):
            said = ""
            while "curl" not in said:
                line = await demo.stdout.readline()
                assert line, said
                said += line.decode()
        assert "It opened #inc-0001-sev1-credential-leak-confirmed, with" in said
        page = next(word for word in said.split() if word.startswith("http://"))
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            assert (await http.get(page)).status_code == 200
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            ended = await demo.wait()
    assert ended == 0
    assert list(tmp_path.iterdir()) == [], "nothing of it is kept"
