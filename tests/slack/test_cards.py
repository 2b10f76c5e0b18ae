"""The cards: what stands on each in every state, that hostile text stays dead on them, and that they always fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.incident.casefile import CaseFile
from bot.incident.outward import SurfaceKind
from bot.incident.words import ActionKind, ActionState, Decision, Phase, ScopeKind, Severity, Status, StepButton
from bot.practice import blocks as practice
from bot.practice import mrkdwn
from bot.slack.buttons import Button
from bot.slack.cards import render
from bot.slack.kit import Message
from tests.slack.casefiles import (
    ALICE,
    BOB,
    DECLARED,
    action,
    approval,
    commander,
    file,
    hostile_file,
    incident,
    playbook,
    steps,
    update,
)
from tests.slack.test_text import HOSTILE

ENDED = {Status.RESOLVED, Status.CLOSED, Status.FALSE_POSITIVE, Status.DUPLICATE}
OF_PART = {SurfaceKind.CHECKLIST: "triage", SurfaceKind.VALIDATION: "3"}
SURFACES = [(kind, OF_PART.get(kind, "")) for kind in SurfaceKind]


def shown(kind: SurfaceKind, case: CaseFile, part: str = "", **more: Any) -> Message:
    return render(kind, part, case, playbook(), **more)


def outline(message: Message) -> str:
    """A message as people read it: one line a text, buttons in brackets."""
    lines = [f"text: {message.text}"]
    for block in message.payload()["blocks"]:
        lines.append(f"--- {block['type']}")
        lines += list(_lines(block))
    return "\n".join(lines)


def _lines(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _lines(item)
    elif isinstance(node, dict):
        if node.get("type") == "button":
            asks = " …" if "confirm" in node else ""
            yield f"[{node['text']['text']}{asks}] {node['action_id']}={node['value']}"
        elif node.get("type") == "overflow":
            yield " | ".join(f"{one['text']['text']}={one['value']}" for one in node["options"])
        elif node.get("type") in {"mrkdwn", "plain_text"}:
            yield node["text"]
        else:
            for key in ("text", "fields", "elements", "accessory"):
                yield from _lines(node.get(key))


def pressable(message: Message) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            if "action_id" in node:
                found.append(node)
            for one in node.values():
                walk(one)

    walk(message.payload()["blocks"])
    return found


def labels(message: Message) -> list[str]:
    return [one["text"]["text"] for one in pressable(message) if one["type"] == "button"]


def of_status(status: Status) -> CaseFile:
    acknowledged = None if status in {Status.OPEN, Status.REOPENED} else DECLARED
    about = incident(
        status=status,
        acknowledged_at=acknowledged,
        ended_at=DECLARED if status in ENDED else None,
        resolution="The hole is closed." if status in ENDED else None,
        duplicate_of=3 if status is Status.DUPLICATE else None,
    )
    roles = [commander()] if acknowledged else []
    return file(about, roles=roles, steps=steps(done=2), actions=[action()])


# The card


@pytest.mark.parametrize("status", list(Status))
def test_the_card_in_every_status(status: Status, snapshot: SnapshotAssertion) -> None:
    assert outline(shown(SurfaceKind.CARD, of_status(status))) == snapshot


@pytest.mark.parametrize("severity", list(Severity))
def test_the_card_at_every_severity(severity: Severity, snapshot: SnapshotAssertion) -> None:
    about = incident(severity=severity, trigger=None, subject_id=None, app=None, session_id=None, summary=None)
    assert outline(shown(SurfaceKind.CARD, file(about, minutes=31))) == snapshot


def test_the_card_counts_the_minutes_of_a_faster_hour() -> None:
    text = outline(shown(SurfaceKind.CARD, file(minutes=1), speed=12.0))
    assert "Minute 12 of 60" in text


def test_what_is_overdue_is_said_to_be() -> None:
    assert "*overdue* since" in outline(shown(SurfaceKind.CARD, file(minutes=20)))


def test_a_drill_says_so_everywhere() -> None:
    case = file(incident(drill=True), steps=steps())
    for kind, part in SURFACES:
        assert "drill" in json.dumps(shown(kind, case, part).payload()).lower()


# The panel


def state_of(state: ActionState) -> CaseFile:
    decision = Decision.DECLINE if state is ActionState.DECLINED else Decision.APPROVE
    about = action(state=state)
    by = approval(decision=decision, reason="Not now", digest=about.digest)
    signed = [] if state in {ActionState.PROPOSED, ActionState.EXPIRED} else [by]
    return file(actions=[about], approvals=signed, roles=[commander()])


@pytest.mark.parametrize("state", list(ActionState))
def test_the_panel_with_an_action_in_every_state(state: ActionState, snapshot: SnapshotAssertion) -> None:
    assert outline(shown(SurfaceKind.PANEL, state_of(state))) == snapshot


def test_the_panel_without_a_plan(snapshot: SnapshotAssertion) -> None:
    assert outline(shown(SurfaceKind.PANEL, file(incident(severity=Severity.SEV4)))) == snapshot


def test_the_second_signature_is_asked_for_by_name_of_the_first() -> None:
    two = action(kind=ActionKind.DISABLE_ENDPOINT, scope_kind=ScopeKind.ENDPOINT, scope_id="/chat", signatures=2)
    text = outline(shown(SurfaceKind.PANEL, file(actions=[two], approvals=[approval(digest=two.digest)])))
    assert f"1 of 2 signed · <@{ALICE}>; another person must sign too" in text


def test_an_alternative_is_marked_as_one() -> None:
    other = action(2, kind=ActionKind.DISABLE_ENDPOINT, alternative_to=ActionKind.ENABLE_SAFE_MODE)
    assert "_or, instead of “Enable safe mode”:_" in outline(shown(SurfaceKind.PANEL, file(actions=[action(), other])))


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, "*Last hour:* not known how much it would have touched"),
        ({"blast_at": DECLARED}, "*Last hour:* not known how much it would have touched"),
        (
            {"blast_calls": 0, "blast_subjects": 0, "blast_source": "the gate"},
            "*Last hour:* 0 calls by 0 subjects (the gate)",
        ),
        ({"blast_calls": 41, "blast_subjects": 1}, "*Last hour:* 41 calls by 1 subject"),
        ({"blast_calls": 1}, "*Last hour:* 1 call\n"),
        ({"blast_subjects": 3}, "*Last hour:* calls not known by 3 subjects"),
    ],
)
def test_how_far_an_action_reaches_is_told_and_what_is_not_known_is_not_zero(known: dict[str, Any], says: str) -> None:
    text = outline(shown(SurfaceKind.PANEL, file(actions=[action(**known)])))
    assert says in text
    assert "*Breaks:* The blocked one cannot work until it is reverted." in text


def test_figures_that_move_change_no_digest() -> None:
    assert action(blast_calls=41, blast_subjects=1, blast_at=DECLARED).digest == action().digest


def test_an_alternative_is_not_needed_while_the_other_holds() -> None:
    mode = action(1, ActionState.VERIFIED, kind=ActionKind.ENABLE_SAFE_MODE)
    other = action(2, kind=ActionKind.DISABLE_ENDPOINT, alternative_to=ActionKind.ENABLE_SAFE_MODE)
    said = "_Not needed while 1. Enable safe mode holds; approve it only where that is not enough._"
    assert said in outline(shown(SurfaceKind.PANEL, file(actions=[mode, other])))
    mode.state = ActionState.DECLINED
    assert said not in outline(shown(SurfaceKind.PANEL, file(actions=[mode, other])))


def test_what_is_in_force_says_how_long_and_why() -> None:
    held = action(state=ActionState.VERIFIED)
    assert "*Temporary:* no end time; the resolution asks about it" in outline(
        shown(SurfaceKind.PANEL, file(actions=[held]))
    )
    held.temporary_until, held.kept_at, held.kept_by, held.kept_because = DECLARED, DECLARED, BOB, "not <yet>"
    text = outline(shown(SurfaceKind.PANEL, file(actions=[held])))
    assert f"*Temporary:* kept by <@{BOB}> at" in text and "not &lt;yet&gt;; until" in text
    assert "Ask in 4 hours whether to revert=12|1|240" in text


def test_approve_carries_the_digest_of_what_was_shown_and_asks_first() -> None:
    proposed = action()
    approve = next(
        one
        for one in pressable(shown(SurfaceKind.PANEL, file(actions=[proposed])))
        if one["action_id"] == Button.APPROVE
    )
    assert approve["value"] == f"12|1|{proposed.digest[:16]}"
    assert "user_42" in approve["confirm"]["text"]["text"]
    proposed.effect = "Something else"
    changed = shown(SurfaceKind.PANEL, file(actions=[proposed]))
    assert approve["value"] not in [one["value"] for one in pressable(changed) if one["type"] == "button"]


@pytest.mark.parametrize(
    ("changed", "offered"),
    [
        ({"state": ActionState.EXECUTING, "result": None}, []),
        ({"state": ActionState.EXECUTING, "connector": "manual"}, ["I did it"]),
        ({"state": ActionState.EXECUTING, "result": "Disable the key in the console."}, ["I did it"]),
        ({"state": ActionState.VERIFIED}, ["Revert"]),
        ({"state": ActionState.VERIFIED, "reversible": False}, []),
        ({"state": ActionState.VERIFIED, "revert_asked_at": DECLARED, "revert_asked_by": BOB}, []),
        ({"state": ActionState.VERIFIED, "revert_asked_at": DECLARED, "connector": "manual"}, ["I did it"]),
        ({"state": ActionState.UNKNOWN}, ["I did it", "Revert"]),
        ({"state": ActionState.FAILED}, []),
        ({"state": ActionState.DECLINED}, []),
    ],
)
def test_an_action_offers_what_can_be_done_about_it(changed: dict[str, Any], offered: list[str]) -> None:
    case = file(actions=[action(**changed)])
    assert labels(shown(SurfaceKind.PANEL, case)) == [*offered, "Propose action"]


def test_nothing_can_be_approved_after_the_end_but_what_is_in_force_can_be_reverted() -> None:
    ended = incident(status=Status.RESOLVED, ended_at=DECLARED)
    case = file(ended, actions=[action(1), action(2, ActionState.VERIFIED)])
    assert labels(shown(SurfaceKind.PANEL, case)) == ["Revert"]


def test_an_attested_result_names_the_person_and_nobody_else() -> None:
    said = f"Attested by <@{BOB}>: told <!channel> and <@{ALICE}>"
    text = outline(shown(SurfaceKind.PANEL, file(actions=[action(state=ActionState.VERIFIED, result=said)])))
    assert f"Attested by <@{BOB}>: told &lt;!channel&gt;" in text


# The checklist


def test_the_checklist_of_a_phase(snapshot: SnapshotAssertion) -> None:
    assert outline(shown(SurfaceKind.CHECKLIST, file(steps=steps(done=2)), "triage")) == snapshot


def longest() -> Iterator[tuple[Severity, str | None, str | None, Phase]]:
    for severity in Severity:
        for trigger in (None, *playbook().triggers):
            for scenario in (None, *playbook().scenarios):
                for phase in Phase:
                    if phase is not Phase.PREPARATION:
                        yield severity, trigger, scenario, phase


def test_every_checklist_of_the_playbook_fits_with_a_done_button_for_what_comes_next() -> None:
    most = 0
    for severity, trigger, scenario, phase in longest():
        listed = steps(phase, severity=severity, trigger=trigger, scenario=scenario)
        if len(listed) <= most:
            continue
        most = len(listed)
        for done in (0, len(listed) // 2, len(listed)):
            case = file(steps=steps(phase, severity=severity, trigger=trigger, scenario=scenario, done=done))
            message = shown(SurfaceKind.CHECKLIST, case, phase.value)
            practice.message_blocks(message.payload()["blocks"])
            wanted = min(len(listed) - done, 20)
            assert labels(message).count("Done") >= wanted
    assert most >= 20


def test_a_very_long_checklist_shows_what_is_next_and_says_how_much_more() -> None:
    many = [
        step.model_copy(update={"step_id": f"{step.step_id}.{n}", "text": "A long line. " * 20, "position": n})
        for n in range(20)
        for step in steps()
    ]
    message = shown(SurfaceKind.CHECKLIST, file(steps=many), "triage")
    practice.message_blocks(message.payload()["blocks"])
    assert "Done" in labels(message)
    assert "more" in outline(message).splitlines()[-3], "above the button that begins the next phase"
    assert f"0 of {len(many)} done" in message.text


def test_a_step_that_proposes_an_action_carries_it() -> None:
    listed = steps(Phase.CONTAINMENT)
    proposing = next(step for step in listed if step.button is StepButton.PROPOSE_ACTION)
    message = shown(SurfaceKind.CHECKLIST, file(steps=listed), "containment")
    values = [one["value"] for one in pressable(message) if one["action_id"] == Button.STEP_PROPOSE]
    assert f"12|{proposing.step_id}|{proposing.action}" in values


def test_a_done_step_can_be_undone_and_an_open_one_cannot() -> None:
    message = shown(SurfaceKind.CHECKLIST, file(steps=steps(done=1)), "triage")
    menus = [[one["value"] for one in menu["options"]] for menu in pressable(message) if menu["type"] == "overflow"]
    assert menus[0] == ["12|triage.confirm|note", "12|triage.confirm|undo"]
    assert all(not value.endswith("|undo") for menu in menus[1:] for value in menu)


# The announcement


@pytest.mark.parametrize("status", list(Status))
def test_the_announcement_in_every_status(status: Status, snapshot: SnapshotAssertion) -> None:
    assert outline(shown(SurfaceKind.ANNOUNCEMENT, of_status(status))) == snapshot


@pytest.mark.parametrize("status", list(Status))
def test_the_announcement_tells_public_facts_and_nothing_else(status: Status) -> None:
    case = hostile_file("SECRET-9f3", status)
    case.incident.trigger = "SECRET-9f3"
    public = CaseFile(**{**vars(case), "updates": [update("All is well.")]})
    told = json.dumps(shown(SurfaceKind.ANNOUNCEMENT, public).payload(), ensure_ascii=False)
    assert "SECRET" not in told and ALICE not in told and BOB not in told
    assert "user_42" not in told and "All is well." in told
    assert ("join" in told) == (status not in ENDED)


# The topic


def test_the_topic_fits_and_holds_nothing_that_an_attacker_wrote(snapshot: SnapshotAssertion) -> None:
    topic = shown(SurfaceKind.TOPIC, of_status(Status.ACKNOWLEDGED)).text
    assert topic == snapshot
    hostile = shown(SurfaceKind.TOPIC, hostile_file("SECRET" * 100, Status.OPEN)).text
    assert "SECRET" not in hostile and len(hostile) <= 250


# All of them


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("status", [Status.OPEN, Status.ACKNOWLEDGED, Status.RESOLVED])
def test_hostile_text_is_shown_on_every_card_and_never_obeyed(text: str, status: Status) -> None:
    for kind, part in SURFACES:
        message = shown(kind, hostile_file(text, status), part)
        blocks = message.payload()["blocks"]
        practice.message_blocks(blocks)
        live = mrkdwn.live(message.text, blocks)
        assert set(live.mentions) <= {f"<@{ALICE}>", f"<@{BOB}>"}
        assert not live.links and not live.autolinks and not live.channels
        assert {one["action_id"] for one in pressable(message)} <= set(Button)
        assert all(one.get("value", "12").startswith("12") for one in pressable(message))


def test_every_button_of_a_card_is_one_that_a_feature_handles() -> None:
    used = {
        one["action_id"]
        for status in Status
        for kind, part in SURFACES
        for one in pressable(shown(kind, hostile_file("x", status), part))
    }
    assert used <= set(Button)
    assert used >= {Button.JOIN, Button.ACKNOWLEDGE, Button.APPROVE, Button.REVERT, Button.STEP_DONE, Button.CLOSE}


def test_a_hundred_actions_and_long_titles_still_fit() -> None:
    actions = [action(index, effect="e" * 5_000, why="w" * 5_000) for index in range(1, 101)]
    message = shown(SurfaceKind.PANEL, file(incident(title="t" * 10_000), actions=actions))
    practice.message_blocks(message.payload()["blocks"])
    assert "Approve" in labels(message)
