"""The main job: an alert becomes a working room, containment is approved and enforced, and the incident is ended."""

from __future__ import annotations

from bot.incident.words import ActionState, Status, StepState
from bot.practice.state import Channel
from bot.store import queries
from commands import FEATURES

from .conftest import Scene


async def test_an_attack_becomes_a_private_room_with_everything_in_it(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    assert room.is_private and room.name == "inc-0001-sev1-credential-leak-confirmed"
    card = await scene.shows(room, "card", "Credential leak confirmed: user mallory in practice-chat")
    await scene.until(lambda: room.pins == [card.ts])
    await scene.until(lambda: room.topic.startswith("INC-1 · SEV-1 Critical · open · Credential leak confirmed"))
    await scene.shows(room, "panel", "Block the user")
    await scene.shows(room, "checklist:triage", "of 15 done")
    expected = {scene.person(name).id for name in ("alice", "bob", "erin")} | {scene.workspace.bot_user_id}
    await scene.until(lambda: set(room.members) == expected)


async def test_the_announcement_says_nothing_that_is_not_public(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    announced = await scene.until(lambda: scene.surface("incidents", "announcement"))
    text = f"{announced.text}\n{announced.plain()}"
    assert "INC-1 (SEV-1 Critical) was declared" in text
    file = await scene.file()
    for secret in (file.incident.title, "mallory", scene.ai_app.credential, scene.ai_app.canary, "ractice-chat"):
        assert secret not in text


async def test_no_secret_of_the_answer_reaches_the_room(scene: Scene) -> None:
    credential, canary = scene.ai_app.credential, scene.ai_app.canary
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    await scene.press(scene.alice, room, "acknowledge")
    await scene.shows(room, "checklist:containment", "of ")
    for message in scene.everything_said():
        assert credential not in message.plain() and canary not in message.plain()


async def test_the_first_block_runs_by_itself_is_enforced_and_can_be_reverted(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    panel = await scene.shows(room, "panel", "*In force*")
    assert "Started by itself, as the trigger allows" in panel.plain()
    assert (await scene.ai_app.ask("Hello", user="mallory"))[0] == 403
    assert (await scene.ai_app.ask("Hello", user="nora"))[0] == 200
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", "Incident commander:")
    await scene.press(scene.alice, room, "revert", "1|1|")
    await scene.shows(room, "panel", f"Reverted by <@{scene.alice.id}>")
    assert (await scene.ai_app.ask("Hello", user="mallory"))[0] == 200


async def test_an_action_is_proposed_in_a_form_approved_by_button_and_really_enforced(scene: Scene) -> None:
    room = await scene.led(subject={"kind": "user", "id": "oscar"})
    await scene.press(scene.alice, room, "propose")
    values = {"action": "block_user", "scope": "user", "target": "trudy", "why": "the same script"}
    await scene.fills(scene.alice, "Propose containment", values)
    await scene.shows(room, "panel", "on user `trudy`")
    assert (await scene.ai_app.ask("Hello", user="trudy"))[0] == 200
    action = next(one for one in (await scene.file()).actions if one.scope_id == "trudy")
    await scene.press(scene.alice, room, "approve", f"1|{action.index}|")
    await scene.shows(room, "panel", f"Approved by <@{scene.alice.id}>")
    await scene.until(lambda: scene.ai_app.containment.executions[action.key] == 1)
    assert (await scene.ai_app.ask("Hello", user="trudy"))[0] == 403
    assert (await scene.ai_app.ask("Hello", user="nora"))[0] == 200
    await scene.until(lambda: _in_force(scene, room, action.index))


def _in_force(scene: Scene, room: Channel, index: int) -> bool:
    panel = scene.surface(room, "panel")
    assert panel is not None
    section = panel.plain().partition(f"*{index}. ")[2].partition("Revert")[0]
    return "*In force*, verified" in section


async def test_what_touches_everybody_needs_a_second_person(scene: Scene) -> None:
    room = await scene.led()
    safe_mode = next(one for one in (await scene.file()).actions if one.kind == "enable_safe_mode")
    about = f"1|{safe_mode.index}|"
    await scene.press(scene.alice, room, "approve", about)
    await scene.shows(room, "panel", "1 of 2 signed")
    await scene.press(scene.alice, room, "approve", about)
    await scene.told(scene.alice, "A second person must sign it too.")
    assert (await scene.ai_app.ask("Hello", user="nora"))[1]["response"] != scene.ai_app.safe_answer
    await scene.press(scene.bob, room, "approve", about)
    await scene.until(lambda: _in_force(scene, room, safe_mode.index))
    assert (await scene.ai_app.ask("Hello", user="nora"))[1]["response"] == scene.ai_app.safe_answer
    assert scene.ai_app.containment.executions[safe_mode.key] == 1


async def test_an_action_is_declined_with_a_reason_and_stays_declined(scene: Scene) -> None:
    room = await scene.led()
    message, button = await scene.until(lambda: scene.having(room, "decline", "1|2|"))
    await scene.alice.press(room, message, "decline", button.value)
    await scene.fills(scene.alice, "Decline an action", {"reason": "no tool was used"})
    await scene.shows(room, "panel", "no tool was used")
    await scene.asks(scene.alice, "contain approve 2", "Action 2 was declined by", room)
    assert (await scene.file()).actions[1].state is ActionState.DECLINED


async def test_steps_are_ticked_skipped_and_noted_and_the_checklist_shows_it(scene: Scene) -> None:
    room = await scene.opened()
    await scene.press(scene.alice, room, "step_done", "1|triage.confirm")
    checklist = await scene.shows(room, "checklist:triage", "1 of 15 done")
    await scene.bob.choose(room, checklist, "step_more", "1|triage.notify|skip", nth=2)
    await scene.fills(scene.bob, "Skip a step", {"reason": "everybody is here"})
    checklist = await scene.shows(room, "checklist:triage", "2 of 15 done")
    assert "everybody is here" in checklist.plain()
    await scene.asks(scene.bob, "note the key was seen twice", "on the timeline", room)
    await scene.asks(scene.bob, "step done triage.confirm", f"<@{scene.alice.id}> marked that step as done", room)
    file = await scene.file()
    assert [file.step(name).state for name in ("triage.confirm", "triage.notify")] == [
        StepState.DONE,
        StepState.SKIPPED,
    ]  # type: ignore[union-attr]
    await scene.asks(scene.alice, "timeline", "the key was seen twice", room)


async def test_stakeholders_read_updates_and_join_brings_them_in(scene: Scene) -> None:
    room, frank = await scene.led(), scene.person("frank")
    await scene.asks(scene.alice, "update Contained; no action is needed", "The update on INC-1 is out", room)
    await scene.shows("incidents", "announcement", "Contained; no action is needed")
    await scene.asks(scene.alice, "sev 2 only one tenant", "INC-1 is SEV-2 now, it was SEV-1", room)
    await scene.shows("incidents", "announcement", "SEV-2 High")
    await scene.shows(room, "card", "SEV-2 High")
    await scene.press(frank, "incidents", "join")
    await scene.until(lambda: frank.id in room.members)
    await scene.told(frank, "You are invited")


async def test_an_incident_is_led_from_acknowledgement_to_its_end_and_its_timeline_is_unbroken(scene: Scene) -> None:
    await scene.ai_app.attack("credential_leak")
    room = await scene.room(1)
    await scene.shows(room, "panel", "*In force*")
    await scene.press(scene.alice, room, "acknowledge")
    await scene.shows(room, "checklist:containment", "of ")
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", "Incident commander:")
    await scene.asks(scene.alice, "update Contained and fixed", "is out", room)
    await scene.press(scene.alice, room, "resolve")
    await scene.fills(scene.alice, "Resolve", {"reason": "the hole is closed", "waive": "it is a practice app"})
    await scene.told(scene.alice, "Being reverted, the latest first: ")
    await scene.shows(room, "panel", "Reverted by")
    await scene.shows("incidents", "announcement", "resolved")
    await scene.shows(room, "checklist:review", "of ")
    await scene.press(scene.alice, room, "close")
    await scene.shows(room, "card", "*Closed*")
    await scene.until(lambda: "closed" in room.topic)
    assert (await scene.file()).incident.status is Status.CLOSED
    async with scene.house.store.read() as session:
        assert await queries.verify_timeline(session, 1) == (await scene.file()).incident.head_seq
    assert (await scene.post()).json() == {"incident": "INC-2", "status": "opened"}, "an ended incident takes no alert"


async def test_the_command_alone_opens_the_form_that_declares(scene: Scene) -> None:
    await scene.bob.slash("general", "/incident")
    form = {"severity": "2", "title": "The bot quotes another customer", "subject_kind": "user", "subject_id": "u-77"}
    await scene.fills(scene.bob, "Declare an incident", form)
    room = await scene.until(lambda: next((one for one in scene.rooms(1) if scene.bob.id in one.members), None))
    assert room.name == "inc-0001-sev2-the-bot-quotes-another-customer"
    await scene.shows(room, "card", "The bot quotes another customer")


async def test_the_help_lists_every_verb(scene: Scene) -> None:
    answer = await scene.asks(scene.person("gina"), "help", "/incident help", "@firsthour")
    for feature in FEATURES:
        assert f"`/incident {feature.verb.split()[0]}`" in answer.plain()


async def test_what_is_typed_wrong_is_answered_to_that_person_alone_with_an_example_that_works(scene: Scene) -> None:
    room = await scene.opened()
    for line, words in (
        ("sevv 2", "Did you mean `/incident sev`?"),
        ("sev nine", "is not a severity"),
        ("contain approve two", "`/incident contain approve 3`"),
        ("declare sev1", "`/incident declare sev1 A canary token was in an answer`"),
        ("step done no.such.step", "`/incident step list` shows them"),
        ("ack INC-99", "There is no INC-99"),
        ("note", ""),
    ):
        await scene.asks(scene.alice, line, words, room)
    assert not scene.bob.ephemerals()
    assert len(scene.workspace.messages(room)) == 3
