"""Posts: what each says, whom it mentions, that it falls silent once there is nothing left to say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.incident.casefile import CaseFile
from bot.incident.incident import RoleHeld
from bot.incident.words import ActionState, Decision, Role, Severity, Status
from bot.practice import blocks as practice
from bot.practice import mrkdwn
from bot.slack.buttons import Button
from bot.slack.kit import Message
from bot.slack.messages import MESSAGES, compose
from tests.slack.casefiles import (
    ALICE,
    BOB,
    DECLARED,
    action,
    alert,
    approval,
    commander,
    evidence,
    file,
    hostile_file,
    incident,
    playbook,
    steps,
    update,
    validation,
)
from tests.slack.test_cards import labels, outline, pressable
from tests.slack.test_text import HOSTILE

ARGS: dict[str, dict[str, Any]] = {
    "window_started": {"window": "contain"},
    "window_nudge": {"window": "confirm"},
    "acknowledge_overdue": {
        "people": [ALICE, "ghost@practice.example"],
        "usergroups": ["S01ONCALL", "@gone"],
        "level": 1,
    },
    "update_due": {},
    "expiring_actions": {"until": (DECLARED + timedelta(minutes=60)).isoformat()},
    "temporary_over": {"action": 2},
    "catch_up": {"items": [{"message": "window_nudge", "window": "confirm"}, {"message": "update_due"}, "A sentence."]},
    "severity_changed": {"from": "SEV-2", "to": "SEV-1", "reason": "It spreads"},
    "update_posted": {},
    "alert_attached": {},
    "storm_began": {},
    "action_proposed": {"action": 1},
    "glass_broken": {"action": 2},
    "action_result": {"action": 2},
    "resolved": {},
    "invite_failed": {"failures": [{"who": BOB, "why": "the account is deactivated"}, {"who": "@gone", "why": "gone"}]},
    "handed_over": {
        "by": ALICE,
        "to": BOB,
        "text": "Watch the canary",
        "command": True,
        "unanswered": ["why", "gone"],
    },
    "similar_known": {"similar": [{"incident": 7, "why": ["the same payload", "the same trigger"]}], "count": 3},
    "review_due": {},
    "document_draft": {"document": "share", "upto": 12, "sha256": "ab12" * 16},
    "evidence_lost": {"evidence": None, "why": "it was deleted in Slack before it could be fetched"},
    "vault_full": {},
    "evidence_wanted": {"missing": ["model_state", "logs"]},
    "gave_up": {"intent": "pin", "why": "the channel has 100 pins already"},
    "recurrence_of": {
        "of": 7,
        "days": 12,
        "why": "the same payload",
        "fixed": "The filter is live",
        "proof": "validation 3 came to verified",
    },
    "came_back": {"incident": 19, "why": "the same trigger and subject"},
    "monitoring_ended": {"again": ["INC-19"]},
    "validated": {"run": 3},
    "regressed": {"run": 3},
    "regressed_elsewhere": {"run": 3, "incident": 7},
    "owner_gone": {"owner": BOB, "items": [3, 4]},
}


def case(about: Any = None, **parts: Any) -> CaseFile:
    values: dict[str, Any] = {
        "alerts": [alert()],
        "steps": steps(),
        "actions": [action(1), action(2, ActionState.VERIFIED)],
        "approvals": [approval(2, digest=action(2).digest)],
        "updates": [update()],
        "validations": [validation()],
    }
    return file(about, **{**values, **parts})


def said(name: str, about: CaseFile | None = None, **changed: Any) -> Message | None:
    usual = {
        "review_due": lambda: case(incident(review_due_at=DECLARED)),
        "recurrence_of": lambda: case(incident(recurrence_of=7)),
        "resolved": ended,
        "glass_broken": broken,
        "storm_began": lambda: case(incident(gathered=3)),
    }
    about = about or (usual | {"temporary_over": over}).get(name, case)()
    return compose(about, playbook(), {"message": name, **ARGS[name], **changed})


def test_every_message_is_tried() -> None:
    assert set(ARGS) == set(MESSAGES)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_what_each_message_says(name: str, snapshot: SnapshotAssertion) -> None:
    message = said(name)
    assert message is not None
    assert outline(message) == snapshot


def over(**changed: Any) -> CaseFile:
    held = action(2, ActionState.VERIFIED, temporary_until=DECLARED, **changed)
    return case(actions=[action(1), held], roles=[commander()])


def test_the_commander_is_called_once_about_what_was_to_be_temporary() -> None:
    first, again = said("temporary_over"), said("temporary_over", again=True)
    assert first is not None and first.text.startswith(f"<@{ALICE}>: ") and labels(first) == ["Revert", "Keep"]
    assert again is not None and ALICE not in again.text and labels(again) == ["Revert", "Keep"]


def test_what_is_left_in_force_is_named_with_its_reason_when_it_is_resolved() -> None:
    kept = action(1, ActionState.VERIFIED, kept_because="the account was taken over <!channel>")
    lifted = action(2, ActionState.VERIFIED, revert_asked_at=DECLARED, revert_asked_by=ALICE)
    message = said("resolved", case(ended().incident, actions=[kept, lifted]))
    assert message is not None
    assert "Being reverted: 2. Block the user." in message.text
    assert "1. Block the user: the account was taken over &lt;!channel&gt;" in message.text


def broken() -> CaseFile:
    why = "nobody answers, and <!channel> *it* goes on"
    return case(approvals=[approval(2, BOB, Decision.BREAK_GLASS, reason=why, digest=action(2).digest)])


def ended() -> CaseFile:
    return case(incident(status=Status.RESOLVED, ended_at=DECLARED, acknowledged_at=DECLARED))


@pytest.mark.parametrize(
    ("name", "about", "args"),
    [
        ("window_started", ended(), {}),
        ("window_started", None, {"window": "no_such_window"}),
        ("window_started", case(incident(severity=Severity.SEV4)), {}),
        ("window_nudge", ended(), {}),
        ("acknowledge_overdue", case(incident(acknowledged_at=DECLARED, status=Status.ACKNOWLEDGED)), {}),
        ("acknowledge_overdue", ended(), {}),
        ("update_due", ended(), {}),
        ("expiring_actions", case(actions=[action(1, ActionState.VERIFIED)]), {}),
        ("expiring_actions", None, {"until": DECLARED.isoformat()}),
        ("expiring_actions", ended(), {}),
        ("action_proposed", None, {"action": 2}),
        ("glass_broken", None, {"action": 1}),
        ("action_result", None, {"action": 1}),
        ("temporary_over", case(), {}),
        ("temporary_over", over(revert_asked_at=DECLARED), {}),
        ("temporary_over", case(actions=[action(2, ActionState.REVERTED, temporary_until=DECLARED)]), {}),
        ("update_posted", case(updates=[]), {}),
        ("alert_attached", case(alerts=[]), {}),
        ("storm_began", case(), {}),
        ("catch_up", ended(), {"items": [{"message": "update_due"}]}),
        ("catch_up", None, {"items": []}),
        ("invite_failed", None, {"failures": []}),
        ("resolved", case(), {}),
    ],
)
def test_a_message_that_has_become_pointless_is_not_sent(
    name: str, about: CaseFile | None, args: dict[str, Any]
) -> None:
    assert said(name, about, **args) is None


def test_a_nudge_names_only_what_is_missing_and_who_owns_it() -> None:
    listed = steps()
    next(step for step in listed if step.step_id == "evidence.logs").owner = BOB
    message = said("window_nudge", case(steps=listed, evidence=[evidence()]), window="evidence")
    assert message is not None
    assert f"Logs preserved: <@{BOB}>" in message.text
    assert "State of the model saved: Technical lead" in message.text
    assert "First evidence attached" not in message.text
    assert [one["value"] for one in pressable(message)] == ["12|window|evidence"]


def test_a_nudge_falls_silent_once_everything_is_done() -> None:
    listed = steps(done=1)
    about = incident(acknowledged_at=DECLARED, status=Status.ACKNOWLEDGED)
    assert said("window_nudge", case(about, steps=listed)) is None


def test_a_nudge_falls_back_on_the_commander() -> None:
    message = said("window_nudge", case(roles=[commander()]), window="evidence")
    assert message is not None and f"First evidence attached: <@{ALICE}>" in message.text


def test_whoever_is_called_is_mentioned_and_can_acknowledge_at_once() -> None:
    message = said("acknowledge_overdue")
    assert message is not None
    assert message.text.startswith(f"<@{ALICE}> ghost@practice.example <!subteam^S01ONCALL> @gone ")
    assert labels(message) == ["Acknowledge"]


@pytest.mark.parametrize(
    ("state", "mentions"), [(ActionState.VERIFIED, False), (ActionState.FAILED, True), (ActionState.UNKNOWN, True)]
)
def test_only_a_result_that_needs_the_commander_mentions_them(state: ActionState, mentions: bool) -> None:
    message = said("action_result", case(actions=[action(2, state)], approvals=[], roles=[commander()]))
    assert message is not None
    assert (f"<@{ALICE}>" in message.text) is mentions


def test_an_action_by_hand_calls_the_commander() -> None:
    by_hand = action(2, ActionState.EXECUTING, connector="manual", result="Disable the key in the console.")
    message = said("action_result", case(actions=[by_hand], roles=[commander()]))
    assert message is not None and message.text.startswith(f"<@{ALICE}> ")
    assert "Disable the key in the console." in message.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_said_and_never_obeyed(text: str) -> None:
    about = hostile_file(text, Status.OPEN)
    about = CaseFile(**{**vars(about), "updates": [update(text)]})
    for name in MESSAGES:
        arguments = {**ARGS[name], "why": text, "reason": text, "from": text}
        if name == "acknowledge_overdue":
            arguments |= {"people": [text], "usergroups": [text]}
        if name == "invite_failed":
            arguments |= {"failures": [{"who": text, "why": text}]}
        if name == "catch_up":
            arguments |= {"items": [text, {"message": "window_nudge", "window": text}]}
        message = compose(about, playbook(), {"message": name, **arguments})
        if message is None:
            continue
        blocks = message.payload()["blocks"]
        practice.message_blocks(blocks)
        live = mrkdwn.live(message.text, blocks)
        assert set(live.mentions) <= {f"<@{ALICE}>", f"<@{BOB}>"}
        assert not live.links and not live.autolinks and not live.channels
        assert {one["action_id"] for one in pressable(message)} <= set(Button)


def test_a_name_that_no_message_has_is_an_error() -> None:
    with pytest.raises(KeyError):
        compose(case(), playbook(), {"message": "shout"})


def test_the_commander_is_named_by_title_while_there_is_none() -> None:
    message = said("action_proposed", case(roles=[]))
    assert message is not None and message.text.startswith("Incident commander: action 1")


def test_the_communications_lead_is_asked_for_the_update_and_else_the_commander() -> None:
    lead = RoleHeld(incident=12, role=Role.COMMUNICATIONS_LEAD, person=BOB, since=DECLARED, by=BOB)
    for roles, asked in (([commander(), lead], BOB), ([commander()], ALICE)):
        message = said("update_due", case(roles=roles))
        assert message is not None and message.text.startswith(f"<@{asked}>: an update")
