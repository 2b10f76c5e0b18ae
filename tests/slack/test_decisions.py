"""The direct message to the commander: what waits, bound to what it shows; and what it says once nothing does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.incident.casefile import CaseFile
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.words import ActionState, Decision, Status
from bot.practice import blocks as practice
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
)
from tests.slack.test_cards import outline, pressable
from tests.slack.test_text import HOSTILE

S = ActionState


def asked(first: int = 1, person: str = ALICE) -> Surface:
    return Surface(incident=12, kind=SurfaceKind.DECISIONS, part=f"{person}:{first}")


def shown(case: CaseFile, part: str = f"{ALICE}:1") -> Message:
    message = render(SurfaceKind.DECISIONS, part, case, playbook())
    practice.message_blocks(message.payload()["blocks"])
    return message


def case(*actions: Any, about: Any = None, **parts: Any) -> CaseFile:
    listed = list(actions) or [action(1), action(2, S.APPROVED)]
    return file(about, **{"actions": listed, "roles": [commander()], "surfaces": [asked()], **parts})


def test_what_waits_is_shown_with_its_buttons_and_how_to_reach_the_room() -> None:
    about = case(about=incident(channel_id="C01ROOM"))
    text = outline(shown(about))
    digest = about.actions[0].digest[:16]
    assert "*INC-12 (SEV-1 Critical)*: An action waits for your decision." in text and "<#C01ROOM>" in text
    assert f"approve=12|1|{digest}" in text and f"decline=12|1|{digest}" in text
    assert "0 of 1 signed · waits for the incident commander" in text
    assert "break_glass" not in json.dumps(shown(about).payload()), "that is for the room, where everybody sees it"


def test_what_was_decided_says_who_and_when_and_has_no_buttons() -> None:
    first, second = action(1, S.DECLINED), action(2, S.VERIFIED)
    about = case(
        first,
        second,
        approvals=[
            approval(1, BOB, Decision.DECLINE, reason="a load test", digest=first.digest),
            approval(2, BOB, Decision.BREAK_GLASS, reason="it goes on", digest=second.digest),
        ],
    )
    text = outline(shown(about))
    assert "nothing of this waits for your decision any more" in text
    assert f"Declined by <@{BOB}>" in text and "a load test" in text
    assert f"*Break-glass* by <@{BOB}>" in text and "it goes on (the review looks at it)" in text
    assert not pressable(shown(about))


def test_who_handed_command_over_has_nothing_to_press() -> None:
    about = case(roles=[commander(BOB)])
    text = outline(shown(about))
    assert f"<@{BOB}> has command now; nothing waits for your decision" in text
    assert not pressable(shown(about))


def test_after_the_end_nothing_waits() -> None:
    about = case(about=incident(status=Status.RESOLVED, ended_at=DECLARED + timedelta(minutes=9)))
    assert "is resolved: nothing waits" in outline(shown(about)) and not pressable(shown(about))


def test_each_batch_shows_its_own_actions_and_never_what_ran_by_itself() -> None:
    about = case(action(1, S.DECLINED), action(2, S.VERIFIED, auto=True), action(3), surfaces=[asked(1), asked(3)])
    first, second = outline(shown(about, f"{ALICE}:1")), outline(shown(about, f"{ALICE}:3"))
    assert "*1. " in first and "*3. " not in first and "*2. " not in first
    assert "*3. " in second and "*1. " not in second


def test_thirty_actions_fit() -> None:
    many = [action(index, effect="x" * 600, why="y" * 600) for index in range(1, 31)]
    assert "30 actions wait for your decision" in outline(shown(case(*many)))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_obeyed(text: str) -> None:
    about = hostile_file(text, Status.ACKNOWLEDGED)
    about = CaseFile(**{**vars(about), "surfaces": [asked()], "roles": [commander()]})
    payload = json.dumps(shown(about).payload(), ensure_ascii=False)
    for dead in ("<!channel>", "<!here>", "<!everyone>", "<http", "‮"):
        assert dead not in payload
