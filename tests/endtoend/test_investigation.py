"""From a shift's end to the next one's beginning, in the room: forms are filled, the summary is read, command passes."""

from __future__ import annotations

from .conftest import Scene


async def test_what_is_found_is_filled_in_and_whoever_takes_over_takes_command(scene: Scene) -> None:
    room = await scene.led()
    await scene.alice.slash(room, "/incident classify")
    found = {"category": "data_poisoning", "tags": "AML.T0070, llm04", "vectors": "a planted <!channel> document"}
    await scene.fills(scene.alice, "Classify the attack", found)
    await scene.told(scene.alice, "is classified: Data poisoning")
    await scene.alice.slash(room, "/incident scope")
    await scene.fills(scene.alice, "How far did it go?", {"models": "gpt-4o", "users": "1,200", "basis": "counted"})
    await scene.shows(room, "card", "users: 1,200 · records: not known · models: gpt-4o (counted)")
    await scene.alice.slash(room, "/incident answer")
    await scene.fills(scene.alice, "What was learned", {"answer_2": "The filter was off."})
    await scene.told(scene.alice, "Your answer is kept")
    await scene.alice.slash(room, f"/incident handover <@{scene.bob.id}> watch the canary")
    summary = await scene.shown(room, "hands over to")
    assert "watch the canary" in summary.plain() and "Why did it happen?" not in summary.plain()
    await scene.until(lambda: scene.bob.id in room.members)
    [button] = [one for one in summary.buttons() if one.action_id == "take_command"]
    await scene.bob.press(room, summary, "take_command", button.value)
    await scene.shows(room, "card", f"Incident commander: <@{scene.bob.id}>")
    changed = await scene.asks(scene.bob, "since 1h", "took the role commander", room)
    assert "<!channel>" not in str(changed.blocks) and "Findings: 4" in changed.plain().replace("*", "")
    await scene.asks(scene.bob, "similar", "Nothing like INC-1 is known", room)
