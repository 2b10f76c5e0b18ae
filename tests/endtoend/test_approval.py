"""Who decides, and from where: the panel, a line, a direct message to the commander, and break-glass in an emergency."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState
from bot.incident.work import Action
from bot.practice.people import Person
from bot.practice.state import Channel, Message
from bot.store import queries

from .conftest import Scene, arranged, key_of

S = ActionState


def asked(scene: Scene, who: Person) -> list[Message]:
    """The direct messages that ask this person to decide."""
    direct = scene.workspace.direct(who.name)
    return [m for m in scene.workspace.messages(direct) if ":decisions:" in key_of(m)]


async def says(scene: Scene, who: Person, words: str) -> Message:
    return await scene.until(lambda: next((m for m in asked(scene, who) if words in m.plain()), None))


async def waiting(scene: Scene, *, signatures: int, kind: ActionKind | None = None) -> Action:
    actions = (await scene.file()).actions
    return next(a for a in actions if a.state is S.PROPOSED and a.signatures == signatures and kind in {None, a.kind})


async def settled(scene: Scene, room: Channel, action: Action, state: ActionState) -> None:
    async def otherwise() -> bool:
        return next(a for a in (await scene.file()).actions if a.index == action.index).state is not state

    await scene.while_(otherwise)


async def test_the_commander_approves_from_a_direct_message_that_then_says_so(scene: Scene) -> None:
    room = await scene.led()
    message = await says(scene, scene.alice, "wait for your decision")
    assert f"The room is #{room.name}" in message.plain() or room.id in message.text
    action = await waiting(scene, signatures=1)
    button = next(b for b in message.buttons() if b.action_id == "approve" and b.value.startswith(f"1|{action.index}|"))
    direct = scene.workspace.direct("alice")
    await scene.alice.press(direct, message, "approve", button.value)
    await scene.told(scene.alice, f"You approved action {action.index}")
    await settled(scene, room, action, S.VERIFIED)
    assert scene.ai_app.containment.executions[action.key] == 1
    await says(scene, scene.alice, f"Approved by <@{scene.alice.id}>")
    assert len(asked(scene, scene.alice)) == 1, "it is kept current, not sent again"
    async with scene.house.store.read() as session:
        entry = await queries.last_entry(session, 1, Happened.ACTION_APPROVED)
    assert entry is not None and entry.data["via"] == "direct_message" and entry.data["digest"] == action.digest
    everything = "\n".join(m.plain() for m in asked(scene, scene.alice))
    assert scene.ai_app.credential not in everything and scene.ai_app.canary not in everything


async def test_the_panel_and_the_direct_message_at_once_make_one_decision(scene: Scene) -> None:
    room = await scene.led()
    message, action = await says(scene, scene.alice, "wait for your decision"), await waiting(scene, signatures=1)
    panel = await scene.shows(room, "panel", f"{action.index}. ")
    value = f"1|{action.index}|{action.digest[:16]}"
    direct = scene.workspace.direct("alice")
    await asyncio.gather(
        scene.alice.press(room, panel, "approve", value), scene.alice.press(direct, message, "approve", value)
    )
    await scene.told(scene.alice, f"You approved action {action.index}")
    await scene.told(scene.alice, f"Action {action.index} was approved")
    await settled(scene, room, action, S.VERIFIED)
    assert scene.ai_app.containment.executions[action.key] == 1
    assert len([a for a in (await scene.file()).approvals if a.action == action.id]) == 1


async def test_whoever_takes_command_later_is_asked_and_the_former_commander_is_not_any_more(scene: Scene) -> None:
    room = await scene.led()
    await says(scene, scene.alice, "wait for your decision")
    await scene.asks(scene.alice, f"role assign commander <@{scene.bob.id}|bob>", "is the commander", room)
    message = await says(scene, scene.bob, "wait for your decision")
    gone = await says(scene, scene.alice, f"<@{scene.bob.id}> has command now")
    assert not gone.buttons()
    action = await waiting(scene, signatures=1)
    form = next(b for b in message.buttons() if b.action_id == "decline" and b.value.startswith(f"1|{action.index}|"))
    await scene.bob.press(scene.workspace.direct("bob"), message, "decline", form.value)
    await scene.fills(scene.bob, "Decline an action", {"reason": "no tool was used"})
    await says(scene, scene.bob, "no tool was used")
    await scene.shows(room, "panel", "no tool was used")


async def test_a_responder_breaks_the_glass_in_the_panel_and_everybody_sees_it(scene: Scene) -> None:
    room = await scene.led()
    action = await waiting(scene, signatures=2, kind=ActionKind.ENABLE_SAFE_MODE)
    panel = await scene.shows(room, "panel", f"{action.index}. ")
    before = [a for a in (await scene.file()).actions if a.state is S.PROPOSED and a.index < action.index]
    value = f"1|{action.index}|{action.digest[:16]}"
    await scene.bob.choose(room, panel, "break_glass", value, nth=len(before))
    await scene.fills(scene.bob, "Break glass", {"reason": "nobody answers, and data is leaving"})
    loud = await scene.shown(room, f"*break-glass* by <@{scene.bob.id}>")
    assert "nobody answers, and data is leaving" in loud.plain()
    assert f"<@{scene.alice.id}>" in loud.live().mentions, "the commander is called"
    await settled(scene, room, action, S.VERIFIED)
    assert (await scene.ai_app.ask("Hello", user="nora"))[1]["response"] == scene.ai_app.safe_answer
    await scene.shows(room, "panel", f"*Break-glass* by <@{scene.bob.id}>")
    metrics = (await scene.http.get(f"http://127.0.0.1:{scene.house.port}/metrics")).text
    assert "firsthour_break_glass 1.0" in metrics


async def test_nobody_breaks_the_glass_outside_of_the_room(scene: Scene) -> None:
    await scene.led()
    action = await waiting(scene, signatures=2)
    line = f"contain break-glass {action.index} nobody answers --incident INC-1"
    await scene.asks(scene.bob, line, "works in the room of INC-1 only")
    await scene.asks(scene.bob, "contain break-glass", "For example: `/incident contain break-glass 3")
    assert (await waiting(scene, signatures=2)).index == action.index


ORGANISATION = """
roster:
  on_call: {people: ["alice@practice.example"]}
  ciso: {usergroups: ["@ai-security"]}
"""


async def test_somebody_of_a_usergroup_of_the_roster_signs_and_nobody_while_slack_does_not_say(tmp_path: Path) -> None:
    async with arranged(tmp_path, ORGANISATION) as scene:
        room = await scene.led()
        carol, dave = scene.person("carol"), scene.person("dave")
        action = await waiting(scene, signatures=2, kind=ActionKind.ENABLE_SAFE_MODE)
        line = f"contain approve {action.index} --incident INC-1"
        scene.workspace.faults.add(method="usergroups.users.list", kind="status", times=1)
        await scene.asks(carol, line, "Whether you are the ciso is not known: Slack had an error of its own")
        await scene.asks(dave, line, "Only the commander or ciso of this incident may decide")
        await scene.asks(carol, line, f"You signed action {action.index}")
        await scene.shows(room, "panel", f"1 of 2 signed · <@{carol.id}>; another person must sign too")
