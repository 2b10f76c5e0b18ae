"""Back to normal, from the room, against the practice AI app: what is lifted is lifted, and what stays is said."""

from __future__ import annotations

from bot.incident.casefile import CaseFile
from bot.incident.words import ActionKind, ActionState, Status
from bot.practice.state import Channel
from tests.endtoend.conftest import Scene

S = ActionState


async def blocked(scene: Scene, **alert: object) -> tuple[Channel, int]:
    """A room in which Alice leads and Mallory was blocked by itself; and the number of that action."""
    room = await scene.opened(**alert)
    number = int(room.name[4:8])
    await scene.shows(room, "panel", "*In force*")
    await scene.press(scene.alice, room, "acknowledge")
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", f"Incident commander: <@{scene.alice.id}>")
    block = next(one for one in (await scene.file(number)).actions if one.kind is ActionKind.BLOCK_USER)
    return room, block.index


async def answered(scene: Scene) -> bool:
    """Whether the app answers Mallory."""
    return (await scene.ai_app.ask("Hello", user="mallory", session="s-mallory"))[0] == 200


async def resolves(scene: Scene, room: Channel, **values: object) -> None:
    await scene.press(scene.alice, room, "resolve")
    await scene.fills(scene.alice, "Resolve", {"reason": "the hole is closed", "waive": "nothing to replay", **values})  # type: ignore[dict-item]


async def until_state(scene: Scene, index: int, state: ActionState, number: int = 1) -> CaseFile:
    async def otherwise() -> bool:
        return (await scene.file(number)).actions[index - 1].state is not state

    await scene.while_(otherwise)
    return await scene.file(number)


async def test_resolving_offers_to_revert_and_proves_that_it_was(scene: Scene) -> None:
    room, block = await blocked(scene)
    assert not await answered(scene)
    await resolves(scene, room)
    await scene.told(scene.alice, "Being reverted, the latest first: ")
    await until_state(scene, block, S.REVERTED)
    await scene.shows(room, "panel", f"Reverted by <@{scene.alice.id}>")
    assert await answered(scene)
    await scene.press(scene.alice, room, "close")
    await scene.shows(room, "card", "*Closed*")


async def test_what_is_unticked_stays_with_its_reason_and_is_named_in_the_room(scene: Scene) -> None:
    room, block = await blocked(scene)
    await resolves(scene, room, revert=[])
    await scene.told(scene.alice, "Say why it stays in force")
    await resolves(scene, room, revert=[], because="the account was taken over")
    await scene.shown(room, "Left in force:")
    await scene.shows(room, "panel", "the account was taken over")
    assert not await answered(scene)
    file = await scene.file()
    assert file.actions[block - 1].kept_because == "the account was taken over"
    await scene.press(scene.alice, room, "revert", f"1|{block}|")
    await until_state(scene, block, S.REVERTED)
    assert await answered(scene)


async def test_an_action_is_made_temporary_listed_and_kept_with_buttons(scene: Scene) -> None:
    room, block = await blocked(scene)
    panel = await scene.shows(room, "panel", "*Temporary:* no end time")
    await scene.alice.choose(room, panel, "action_more", f"1|{block}|1440")
    await scene.told(scene.alice, "is temporary until")
    await scene.bob.slash(room, f"/incident contain ttl {block} 4h")
    await scene.told(scene.bob, "Only the")
    await scene.alice.slash(room, f"/incident contain ttl {block} 4h")
    await scene.shows(room, "panel", "then the room is asked")
    await scene.asks(scene.alice, "contain ttl 99 4h", "has no action 99", room)
    await scene.asks(scene.alice, f"contain ttl {block} soon", "30m, 4h or 2d", room)
    await scene.alice.slash(room, "/incident phase remediation")
    await scene.press(scene.alice, room, "step_restore")
    listed = await scene.told(scene.alice, "Back to normal")
    keep = next(one for one in listed.buttons() if one.action_id == "keep")
    await scene.alice.press(room, listed, "keep", keep.value)
    await scene.fills(scene.alice, "Keep it in force", {"reason": "they are being called", "ask_again": "1d"})
    await scene.told(scene.alice, "stays in force. The room is asked again at")
    await scene.shows(room, "panel", "they are being called")


async def test_two_incidents_hold_one_person_until_the_last_lets_go(scene: Scene) -> None:
    first, block = await blocked(scene)
    second, also = await blocked(scene, trigger="unauthorized_tool_execution")
    await scene.press(scene.alice, second, "revert", f"2|{also}|")
    await scene.told(scene.alice, "so the target stays contained")
    await until_state(scene, also, S.REVERTED, 2)
    await scene.shown(second, f"INC-1 (its action {block}) contains it as well")
    assert not await answered(scene)
    await scene.press(scene.alice, first, "revert", f"1|{block}|")
    await until_state(scene, block, S.REVERTED)
    assert await answered(scene)
    assert (await scene.file(2)).incident.status is not Status.RESOLVED
