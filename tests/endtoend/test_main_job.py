"""The main job: an alert becomes a working room, containment is approved and enforced, the hour is kept."""

from __future__ import annotations

from bot.store import queries

from .conftest import Scene


async def test_an_attack_on_the_ai_app_becomes_a_room_in_which_containment_is_approved_and_enforced(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    assert room.is_private
    assert room.name.startswith("inc-0001-sev1-")
    await scene.press(scene.alice, room, "acknowledge")
    await scene.press(scene.alice, room, "take_command")
    await scene.shown(room, "acknowledged")
    async with scene.house.store.read() as session:
        file = await queries.case_file(session, 1, scene.house.store.now())
    assert file.incident.severity == 1
    assert file.actions, "a SEV-1 has a containment plan"
