"""With little in the organisation's file, or with names in it that lead nowhere, everything still works (design §8)."""

from __future__ import annotations

from pathlib import Path

from .conftest import Scene, arranged

NOWHERE = """
channels: {announcements: nowhere}
roster: {on_call: {people: [U0ALICE, ghost@practice.example], usergroups: ["@no-such-group"]}}
"""


async def test_where_nothing_is_announced_the_room_opens_all_the_same(tmp_path: Path) -> None:
    async with arranged(tmp_path, NOWHERE) as scene:
        room = await scene.opened()
        await scene.press(scene.alice, room, "take_command")
        await scene.asks(scene.alice, "update All is well", "The update on INC-1 is out", room)
        assert not scene.workspace.messages("incidents")


async def test_whoever_cannot_be_invited_is_named_once_and_the_others_are_there(tmp_path: Path) -> None:
    async with arranged(tmp_path, NOWHERE) as scene:
        room = await scene.opened()
        said = await scene.shown(room, "Not everybody could be invited. Invite them by hand:")
        assert "ghost@practice.example" in said.plain() and "@no-such-group" in said.plain()
        assert not said.live()


async def test_without_a_roster_the_room_opens_and_people_come_by_themselves(tmp_path: Path) -> None:
    async with arranged(tmp_path, "name: Small") as scene:
        assert (await scene.post()).status_code == 202
        await scene.until(lambda: scene.surface("incidents", "announcement"))
        await scene.press(scene.alice, "incidents", "join")
        room = await scene.room(1)
        await scene.press(scene.alice, room, "take_command")
        await scene.shows(room, "card", "Incident commander:")
        await _done_by_hand(scene)


async def _done_by_hand(scene: Scene) -> None:
    """No connector: an approved action waits for a person who says what they did."""
    room = await scene.room(1)
    await scene.press(scene.alice, room, "approve", "1|1|")
    await scene.press(scene.alice, room, "attest", "1|1")
    await scene.fills(scene.alice, "Carried out by hand", {"statement": "blocked in the console and saw it refused"})
    await scene.shows(room, "panel", "*In force*")
