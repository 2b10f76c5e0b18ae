"""The summary of a handover and the list of changes: they fit one message, obey nothing, and say what nobody knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.incident.learning import Exposure
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionState, ActorKind
from bot.practice import blocks as practice
from bot.slack.cards.changes import ALL_CHARS, GROUPS, NOTEWORTHY, SENTENCE_CHARS, changes, told
from bot.slack.cards.exposure import exposed
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message
from bot.slack.messages import compose
from tests.slack.casefiles import (
    ALICE,
    BOB,
    DECLARED,
    action,
    commander,
    file,
    hostile_file,
    incident,
    playbook,
    steps,
    update,
)
from tests.slack.test_cards import pressable
from tests.slack.test_text import HOSTILE

ARGS = {"message": "handed_over", "by": ALICE, "to": BOB, "text": None, "command": True, "unanswered": ["why"]}


def exposure(text: str = "gpt-4o", **changed: Any) -> Exposure:
    values = {"models": [text] * 6, "environments": [text], "data_classes": [text], "basis": text, "users_exposed": 7}
    return Exposure(incident=12, by=ALICE, at=DECLARED, **{**values, **changed})


def handed(about: Any, **args: Any) -> Message:
    said = compose(about, playbook(), {**ARGS, **args})
    assert said is not None
    practice.message_blocks(said.payload()["blocks"])
    return said


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_handover_fits_and_is_not_obeyed(text: str) -> None:
    about = hostile_file(text)
    plain = str(handed(about, text=text * 40, unanswered=[text] * 20).payload())
    assert "<!channel>" not in plain and "<http" not in plain and "\u202e" not in plain


def test_a_handover_of_everything_at_its_largest_fits_one_message() -> None:
    worst = "&" * 3000
    many = [
        action(n, state, scope_id=worst[:300])
        for n, state in enumerate([ActionState.VERIFIED, ActionState.PROPOSED] * 20, 1)
    ]
    about = file(actions=many, steps=steps(), updates=[update(text=worst)] * 3, exposure=exposure(worst))
    shown = str(handed(about, text=worst).payload())
    assert (
        "*In force:* 20, the first 6" in shown and "*Waits for a decision:* 20" in shown and "*Open steps:* " in shown
    )


def test_command_is_offered_only_while_whoever_offers_it_has_it() -> None:
    offered = pressable(handed(file(roles=[commander(ALICE)])))
    assert [one["action_id"] for one in offered] == ["take_command"]
    assert not pressable(handed(file(roles=[commander(BOB)])))
    assert not pressable(handed(file(roles=[commander(ALICE)]), command=False))
    assert not pressable(handed(file(roles=[commander(ALICE)]), to=None))


def test_what_nobody_knows_is_named() -> None:
    plain = str(handed(file(incident(subject_id=None))).payload())
    for gap in ("when it started", "who did it", "how far it went", "which kind of attack", "Why did it happen?"):
        assert f"• {gap}" in plain
    known = incident(started_at=DECLARED, tags=[])
    assert "Not known yet" not in str(handed(file(known, exposure=exposure()), unanswered=[]).payload())


def test_a_figure_that_is_not_known_is_no_zero() -> None:
    line = exposed(
        exposure(users_exposed=None, records_exposed=0, models=[], environments=[], data_classes=[], basis=None)
    )
    assert line == "users: not known · records: 0"


# Changes


def entry(seq: int, kind: Happened, **data: Any) -> TimelineEntry:
    at = DECLARED + timedelta(minutes=seq)
    return TimelineEntry(
        incident=12,
        seq=seq,
        at=at,
        kind=kind,
        actor_kind=ActorKind.PERSON,
        actor=ALICE,
        data=data,
        prev_hash="",
        hash="",
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_changes_fits_and_is_not_obeyed(text: str) -> None:
    about = hostile_file(text)
    latest = [entry(seq, kind, text=text, name=text, reason=text) for seq, kind in enumerate(list(NOTEWORTHY) * 3, 1)]
    counts = dict.fromkeys(Happened, 3)
    shown = changes(Scene(about, playbook()), DECLARED, counts=counts, latest=latest)
    assert "<!channel>" not in shown and "<http" not in shown and "\u202e" not in shown
    assert len(shown) < ALL_CHARS + 400


def test_who_did_it_is_a_mention_and_an_id_in_somebodys_words_is_not() -> None:
    assert told(entry(1, Happened.NOTE, text=f"ask {BOB}, <@{BOB}>")) == f"<@{ALICE}> noted: ask {BOB}, &lt;@{BOB}&gt;."
    by_alert = entry(2, Happened.OPENED, title=BOB)
    by_alert.actor_kind, by_alert.actor = ActorKind.ALERT, BOB
    assert f"<@{BOB}>" not in told(by_alert)
    taken = entry(3, Happened.ROLE_TAKEN, role="commander", person=BOB, before="the night shift")
    assert told(taken) == f"<@{BOB}> took the role commander over from the night shift, named by <@{ALICE}>."


def test_a_long_sentence_ends_within_its_bound() -> None:
    assert len(told(entry(1, Happened.NOTE, text="x" * 5_000))) <= SENTENCE_CHARS + len(f"<@{ALICE}>")


def test_what_is_not_shown_is_counted() -> None:
    latest = [entry(seq, Happened.NOTE, text=f"note {seq}") for seq in range(1, 41)]
    latest.append(entry(41, Happened.SEVERITY_CHANGED, to="SEV-1"))
    counts = {Happened.NOTE: 200, Happened.SEVERITY_CHANGED: 1, Happened.ALERT_ATTACHED: 90_000}
    shown = changes(Scene(file(roles=[commander()]), playbook()), DECLARED, counts=counts, latest=latest)
    assert "*Notes:* 200, the last 12" in shown and "note 40" in shown and "note 28" not in shown
    assert "*Severity:* 1\n" in shown and "*Other entries*" in shown and ": 90000" in shown
    assert shown.endswith("… and 90,188 more: `/incident timeline`")


def test_every_kind_stands_in_at_most_one_group() -> None:
    assert sum(map(len, GROUPS.values())) == len(NOTEWORTHY)
