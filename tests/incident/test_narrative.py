"""Every kind of timeline entry has a sentence, with everything known, with nothing known, and with hostile data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.incident import SYSTEM, Actor, person
from bot.incident.narrative import FIELD, SENTENCES, SPELLED, describe
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActorKind

H = Happened
BOB = person("U02BOB")
GATE = Actor(kind=ActorKind.CONNECTOR, id="gate")
BLOCK = {"action": 3, "kind": "block_user", "scope": "user/mallory"}


def entry(kind: Happened, actor: Actor = BOB, /, **data: Any) -> TimelineEntry:
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    return TimelineEntry(
        incident=12, seq=1, at=at, kind=kind, actor_kind=actor.kind, actor=actor.id, data=data, prev_hash="", hash=""
    )


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            entry(H.OPENED, Actor(kind=ActorKind.ALERT, id="siem"), title="Canary leaked", severity=1, trigger="leak"),
            "An alert from siem opened the incident at SEV-1 for leak: Canary leaked.",
        ),
        (entry(H.OPENED, title="Odd answers", severity="SEV-3"), "U02BOB opened the incident at SEV-3: Odd answers."),
        (entry(H.ALERT_ATTACHED, SYSTEM, source="siem", count=2), "Another alert from siem was attached, 2 in all."),
        (
            entry(H.EVIDENCE_ADDED, name="answer.txt", sha256="0123456789abcdef"),
            "U02BOB added the evidence answer.txt (sha256 0123456789ab).",
        ),
        (entry(H.ROOM_OPENED, SYSTEM, channel="C1", name="inc-0012"), "The room was opened: #inc-0012 (C1)."),
        (
            entry(H.STATUS_CHANGED, **{"from": "open", "to": "false_positive", "reason": "a test."}),
            "U02BOB changed the status from open to false positive: a test.",
        ),
        (
            entry(H.SEVERITY_CHANGED, **{"from": 3, "to": 2, "reason": "customer data"}),
            "U02BOB changed the severity from SEV-3 to SEV-2: customer data.",
        ),
        (entry(H.ROLE_TAKEN, role="technical_lead", person="U02BOB"), "U02BOB took the role technical lead."),
        (
            entry(H.ROLE_TAKEN, role="commander", person="U05EVE", before="U02BOB"),
            "U05EVE took the role commander over from U02BOB, named by U02BOB.",
        ),
        (entry(H.JOINED, person("carol")), "carol joined the room."),
        (entry(H.STEP_DONE, step="triage.scope", text="Find the scope"), "U02BOB finished the step “Find the scope”."),
        (entry(H.STEP_SKIPPED, step="triage.scope", reason="known"), "U02BOB skipped the step “triage.scope”: known."),
        (
            entry(H.ACTION_PROPOSED, SYSTEM, **BLOCK, reason="the subject"),
            "Firsthour proposed action 3 (block user on user/mallory): the subject.",
        ),
        (entry(H.ACTION_DECLINED, action=3), "U02BOB declined action 3."),
        (
            entry(H.ACTION_EXECUTING, GATE, **BLOCK, by="U02BOB"),
            "The connector gate began to carry out action 3 (block user on user/mallory), asked by U02BOB.",
        ),
        (
            entry(H.ACTION_VERIFIED, GATE, **BLOCK, result="mallory is refused"),
            "Action 3 (block user on user/mallory) is in force and was verified: mallory is refused.",
        ),
        (entry(H.REVERT_FAILED, GATE, **BLOCK), "Reverting action 3 (block user on user/mallory) failed."),
        (entry(H.ESCALATED, SYSTEM, to=["U1", "U2"], level=2), "Firsthour escalated to U1, U2 (level 2)."),
        (entry(H.SNOOZED, minutes=15), "U02BOB snoozed the reminders for 15 minutes."),
        (entry(H.GAVE_UP, SYSTEM, intent="open_room", why="no scope"), "Firsthour gave up on open room: no scope."),
    ],
    ids=lambda value: value.kind if isinstance(value, TimelineEntry) else "",
)
def test_an_entry_reads_as_a_sentence(told: TimelineEntry, sentence: str) -> None:
    assert describe(told) == sentence


def test_every_kind_has_a_sentence_and_every_field_a_spelling() -> None:
    assert set(SENTENCES) == set(Happened)
    assert {spelling or None for text in SENTENCES.values() for _, spelling in FIELD.findall(text)} <= set(SPELLED)


@pytest.mark.parametrize("kind", Happened)
@pytest.mark.parametrize("actor", [BOB, SYSTEM, GATE, Actor(kind=ActorKind.ALERT, id="siem")])
def test_an_entry_that_says_nothing_still_reads_as_one(kind: Happened, actor: Actor) -> None:
    sentence = describe(entry(kind, actor))
    assert sentence.endswith(".") and sentence[0].isupper()
    assert not set("{}[]") & set(sentence)


KEYS = sorted({name for text in SENTENCES.values() for name, _ in FIELD.findall(text)})
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3),
    st.sampled_from(["{actor}", "[{text}]", "{0.__class__}", "%s", "\\1", "a\nb"]),
)  # fmt: skip


@given(st.sampled_from(Happened), st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_whatever_an_entry_holds_is_shown_and_never_obeyed(kind: Happened, data: dict[str, Any]) -> None:
    sentence = describe(entry(kind, **data))
    assert "\n" not in sentence
    assert sentence.strip()


def test_a_value_is_not_read_as_a_template() -> None:
    assert (
        describe(entry(H.NOTE, text="[{actor}] \\1 {severity:severity}"))
        == "U02BOB noted: [{actor}] \\1 {severity:severity}."
    )
