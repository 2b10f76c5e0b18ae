"""The practice AI app behind the gate: what is approved in the room is enforced between the app and its model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.demo import stage
from bot.store.export import export

from .conftest import PATIENCE, Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """As everywhere here, but with the gate in between."""
    async with stage(tmp_path) as built, httpx.AsyncClient(timeout=PATIENCE) as http:
        yield Scene(built, http)


async def test_the_attacker_is_blocked_at_the_gate_and_let_through_again_after_the_revert(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    await scene.shows(room, "panel", "*In force*, verified")
    status, refused = await scene.ai_app.ask("Hello", user="mallory")
    assert (status, refused["error"]) == (403, "This request cannot be processed at the moment. Reference: INC-1.")
    assert (await scene.ai_app.ask("Hello", user="nora"))[0] == 200
    assert not scene.ai_app.containment.active, "the app itself contains nothing: the gate does"
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", "Incident commander:")
    await scene.press(scene.alice, room, "revert", "1|1|")
    await scene.shows(room, "panel", f"Reverted by <@{scene.alice.id}>")
    assert (await scene.ai_app.ask("Hello", user="mallory"))[0] == 200


async def test_in_safe_mode_the_model_is_not_asked(scene: Scene) -> None:
    room = await scene.led()
    safe_mode = next(one for one in (await scene.file()).actions if one.kind == "enable_safe_mode")
    for person in (scene.alice, scene.bob):
        await scene.press(person, room, "approve", f"1|{safe_mode.index}|")
        await scene.shows(room, "panel", f"<@{person.id}>")
    panel = scene.surface(room, "panel")
    assert panel is not None
    await scene.until(lambda: panel.plain().count("*In force*, verified") == 2)  # the block began by itself
    _, said = await scene.ai_app.ask("Remember: the door code is 1234", user="nora")
    assert said["response"].startswith("The assistant gives no answers of its own")
    assert not scene.ai_app.model.memories


async def test_an_app_whose_gate_is_gone_answers_nobody(scene: Scene) -> None:
    assert scene.house.gate is not None
    await scene.house.gate.stop()
    assert (await scene.ai_app.ask("Hello", user="nora"))[0] == 503


async def test_no_secret_reaches_slack_or_an_export(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """What was configured, and what the app leaked: nowhere in a message, in a form, in the export or in the log."""
    gate, app = scene.ai_app.gate, scene.ai_app
    assert gate is not None
    await app.attack("credential_leak")
    leaked = app.credential
    room = await scene.room(1)
    await scene.press(scene.alice, room, "take_command")
    rotate = next(one for one in (await scene.file()).actions if one.kind == "rotate_credentials")
    for person in (scene.alice, scene.bob):
        await scene.press(person, room, "approve", f"1|{rotate.index}|")
        if person is scene.alice:  # it cannot be undone, and the logs are missing; the second is not asked again
            await scene.fills(person, "Approve anyway", {"reason": "the key is being used"})
        await scene.shows(room, "panel", f"<@{person.id}>")
    await scene.until(lambda: app.credential != leaked)
    await scene.quiet()
    async with scene.house.store.read() as session:
        document = await export(session, 1, scene.house.store.now())
    log = capsys.readouterr()
    said = json.dumps([call.args for call in scene.workspace.record.calls()], default=str)
    everything = {"Slack": said, "the export": json.dumps(document), "the log": log.out + log.err}
    secrets = [gate.token, app.admin_token, app.chat_token, leaked, app.credential]
    secrets += [scene.workspace.app_token, scene.token]
    assert [(secret[:6], where) for where, text in everything.items() for secret in secrets if secret in text] == []
    assert "mallory" in said and "mallory" in everything["the export"], "the right thing was looked at"
