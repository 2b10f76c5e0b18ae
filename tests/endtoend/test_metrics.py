"""Metrics through the whole bot: typed, answered, drawn, uploaded."""

from __future__ import annotations

from .conftest import Scene


async def test_a_picture_comes_into_the_room_and_to_a_person_who_asks_elsewhere(scene: Scene) -> None:
    room = await scene.opened()
    await scene.asks(scene.alice, "metrics", "Metrics", room)
    await scene.asks(scene.alice, "metrics --by severity", "Severity", "incidents")
    files = scene.workspace.world.files
    await scene.until(lambda: len([one for one in files.values() if one.complete]) == 2)
    shown = {channel for one in files.values() for channel in one.channels}
    [direct] = shown - {room.id}
    assert room.id in shown and direct.startswith("D")
    for one in files.values():
        assert one.content is not None and one.content.startswith(b"\x89PNG") and one.name.endswith(".png")
        assert one.alt.startswith("Charts of 1 incident measured, 1 of them running.")
