"""Who may decide, and what happens where people or Slack say the same thing twice, or two people different things at once."""

from __future__ import annotations

import asyncio

from sqlmodel import select

from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionState

from .conftest import Scene

TOOLS = "1|2|"
"""Action 2 of a leaked credential: disable tools for the user. One signature."""


async def test_only_the_commander_approves_and_everybody_else_is_told_why_not(scene: Scene) -> None:
    room = await scene.opened()
    await scene.press(scene.alice, room, "approve", TOOLS)
    await scene.told(scene.alice, "Nobody has taken command yet: press *Take command* first.")
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", "Incident commander:")
    await scene.press(scene.bob, room, "approve", TOOLS)
    await scene.told(scene.bob, f"That is <@{scene.alice.id}> now.")
    await scene.alice.invite(room, "gina")
    gina = scene.person("gina")
    await scene.press(gina, room, "approve", TOOLS)
    await scene.told(gina, "Only full members")
    stranger = scene.workspace.add_person("stranger", guest=False)
    await scene.alice.invite(room, "stranger")
    scene.workspace.faults.add(method="users.info", kind="error", error="user_not_found")
    await scene.press(stranger, room, "approve", TOOLS)
    await scene.told(stranger, "Only full members")
    assert await _untouched(scene)


async def _untouched(scene: Scene) -> bool:
    action = (await scene.file()).actions[1]
    return action.state is ActionState.PROPOSED and scene.ai_app.containment.attempts[action.key] == 0


async def test_a_click_on_what_was_shown_before_it_changed_approves_nothing(scene: Scene) -> None:
    room = await scene.led()
    message, button = await scene.until(lambda: scene.having(room, "approve", TOOLS))
    index, _, digest = button.value.rpartition("|")
    for block in message.blocks:
        for element in block.get("elements", []):
            if element.get("value") == button.value:
                element["value"] = f"{index}|{digest[::-1]}"
    await scene.alice.press(room, message, "approve", f"{index}|{digest[::-1]}")
    await scene.told(scene.alice, "Action 2 changed after it was shown to you.")
    assert await _untouched(scene)


async def test_the_same_envelope_three_times_is_one_change_with_one_answer(scene: Scene) -> None:
    room = await scene.opened()
    await scene.press(scene.alice, room, "acknowledge")
    await scene.told(scene.alice, "You acknowledged INC-1")
    click = scene.workspace.record.envelopes[-1]
    assert click.type == "interactive" and await scene.workspace.redeliver(click.id, times=2) == 2
    await scene.until(lambda: len(scene.alice.ephemerals()) == 3)
    assert {m.text for m in scene.alice.ephemerals()} == {scene.alice.ephemerals()[0].text}
    await scene.alice.slash(room, "/incident note seen")
    await scene.told(scene.alice, "on the timeline")
    slash = next(one for one in reversed(scene.workspace.record.envelopes) if one.type == "slash_commands")
    await scene.workspace.redeliver(slash.id, times=2)
    await scene.until(lambda: len(scene.alice.ephemerals()) == 6)
    assert [await _entries(scene, kind) for kind in (Happened.ACKNOWLEDGED, Happened.NOTE)] == [1, 1]


async def _entries(scene: Scene, kind: Happened) -> int:
    async with scene.house.store.read() as session:
        people = select(TimelineEntry).where(TimelineEntry.kind == kind, TimelineEntry.actor_kind == "person")
        return len((await session.exec(people)).all())


async def test_a_form_submitted_twice_declares_one_incident(scene: Scene) -> None:
    await scene.bob.slash("general", "/incident")
    await scene.fills(scene.bob, "Declare an incident", {"severity": "3", "title": "Odd answers"})
    submitted = scene.workspace.record.envelopes[-1]
    await scene.workspace.redeliver(submitted.id, times=2)
    await scene.until(lambda: scene.rooms(1))
    await scene.asks(scene.alice, "list", "*INC-1*")
    assert not scene.rooms(2)


async def test_of_approve_and_decline_at_the_same_moment_one_wins_and_the_other_is_told_who_and_when(
    scene: Scene,
) -> None:
    room = await scene.led()
    wide = next(one.index for one in (await scene.file()).actions if one.signatures == 2 and one.reversible)
    await scene.press(scene.alice, room, "approve", f"1|{wide}|")
    await scene.shows(room, "panel", "1 of 2 signed")
    message, button = await scene.until(lambda: scene.having(room, "approve", f"1|{wide}|"))
    await scene.alice.press(room, message, "decline", button.value)
    await scene.until(lambda: scene.alice.view)
    scene.alice.fill({"reason": "one tenant only"})
    await asyncio.gather(scene.alice.submit(None), scene.bob.press(room, message, "approve", button.value))
    if await _decided(scene, wide) is ActionState.DECLINED:
        await scene.told(scene.bob, f"Action {wide} was declined by <@{scene.alice.id}> at ")
    else:
        await scene.told(scene.alice, f"by <@{scene.bob.id}> at ")


async def _decided(scene: Scene, index: int) -> ActionState:
    """How it was settled, having been carried out once or not at all."""
    settled = {ActionState.DECLINED, ActionState.VERIFIED}

    async def waits() -> bool:
        return (await scene.file()).actions[index - 1].state not in settled

    await scene.while_(waits)
    action = (await scene.file()).actions[index - 1]
    assert scene.ai_app.containment.executions[action.key] == (1 if action.state is ActionState.VERIFIED else 0)
    return action.state


async def test_ten_people_press_approve_at_once_and_it_runs_once(scene: Scene) -> None:
    room = await scene.led()
    message, button = await scene.until(lambda: scene.having(room, "approve", TOOLS))
    await asyncio.gather(*(scene.alice.press(room, message, "approve", button.value) for _ in range(10)))
    assert await _decided(scene, 2) is ActionState.VERIFIED
    await scene.until(lambda: len(scene.alice.ephemerals()) == 11)
    said = [m.text for m in scene.alice.ephemerals()]
    assert sum("You approved" in text for text in said) == 1
    assert sum("Nothing was changed by your click" in text for text in said) == 9
