"""Every move of the table, every move that is not in it, and any sequence of both."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.lifecycle import ENDED, MOVES, NEXT_STEP, diagram, move, reachable
from bot.incident.words import Severity, Status

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAIRS = list(itertools.product(Status, Status))
STAMPS = ("acknowledged_at", "contained_at", "remediated_at", "resolved_at", "closed_at")


def incident(status: Status = Status.OPEN) -> Incident:
    return Incident(
        number=12,
        title="Canary in an answer",
        severity=Severity.SEV2,
        status=status,
        declared_by="U1",
        playbook_digest="d",
        declared_at=NOW,
        ended_at=NOW if status in ENDED else None,
    )


@pytest.mark.parametrize(("start", "to"), [pair for pair in PAIRS if pair in MOVES])
def test_a_move_of_the_table_sets_the_status_and_its_time(start: Status, to: Status) -> None:
    moved, legal = incident(start), MOVES[start, to]
    move(moved, to, NOW, reason="because", duplicate_of=7)
    assert moved.status is to
    assert (moved.ended_at == NOW) == (to in ENDED)
    if legal.stamps:
        assert getattr(moved, legal.stamps) == NOW
    assert [stamp for stamp in STAMPS if stamp != legal.stamps and getattr(moved, stamp) is not None] == []


@pytest.mark.parametrize(("start", "to"), [pair for pair in PAIRS if pair not in MOVES])
def test_any_other_move_is_refused_with_what_to_do_next_and_changes_nothing(start: Status, to: Status) -> None:
    kept = incident(start)
    before = kept.model_dump()
    with pytest.raises(Refused) as refused:
        move(kept, to, NOW, reason="because", duplicate_of=7)
    assert str(refused.value).startswith("INC-12 is ")
    assert NEXT_STEP[start] in str(refused.value)
    assert kept.model_dump() == before


@pytest.mark.parametrize(("start", "to"), [pair for pair, legal in MOVES.items() if "reason" in legal.needs])
def test_a_move_that_needs_a_reason_is_refused_without_one(start: Status, to: Status) -> None:
    kept = incident(start)
    with pytest.raises(Refused, match="Say why INC-12 becomes"):
        move(kept, to, NOW, reason="")
    assert kept.status is start


@pytest.mark.parametrize("other", [None, 12])
def test_a_duplicate_names_another_incident(other: int | None) -> None:
    with pytest.raises(Refused, match="which other incident"):
        move(incident(), Status.DUPLICATE, NOW, duplicate_of=other)


def test_a_reason_of_the_end_is_kept_as_the_resolution() -> None:
    ended = incident(Status.CONTAINED)
    move(ended, Status.RESOLVED, NOW, reason="the prompt was fixed")
    assert ended.resolution == "the prompt was fixed"


def test_closing_keeps_the_moment_at_which_the_incident_ended() -> None:
    ended = incident(Status.REMEDIATED)
    move(ended, Status.RESOLVED, NOW, reason="done")
    move(ended, Status.CLOSED, NOW + timedelta(days=1))
    assert ended.ended_at == NOW
    assert ended.closed_at == NOW + timedelta(days=1)


def test_reopening_takes_alerts_again_and_keeps_the_first_times() -> None:
    again = incident(Status.OPEN)
    move(again, Status.ACKNOWLEDGED, NOW)
    move(again, Status.RESOLVED, NOW, reason="gone")
    move(again, Status.REOPENED, NOW + timedelta(hours=1), reason="it came back")
    assert again.ended_at is None
    move(again, Status.ACKNOWLEDGED, NOW + timedelta(hours=2))
    assert again.acknowledged_at == NOW


def test_every_status_can_be_reached_and_left() -> None:
    for status in Status:
        assert reachable(status), f"{status} has no way on"
        assert status is Status.OPEN or any(to is status for _, to in MOVES), f"{status} cannot be reached"


def test_the_diagram_draws_the_table_and_nothing_else() -> None:
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> open"]
    assert lines[2:] == [f"    {start} --> {to}" for start, to in MOVES]


class Lifecycle(RuleBasedStateMachine):
    """Any sequence of moves, legal or not: times are set once and in order, and the end is where the table says."""

    @initialize()
    def declared(self) -> None:
        self.incident, self.now = incident(), NOW
        self.stamped: dict[str, datetime] = {}

    @rule(to=st.sampled_from(Status), reason=st.sampled_from([None, "because"]), other=st.sampled_from([None, 7, 12]))
    def moves(self, to: Status, reason: str | None, other: int | None) -> None:
        self.now += timedelta(minutes=1)
        before = self.incident.model_dump()
        try:
            move(self.incident, to, self.now, reason=reason, duplicate_of=other)
        except Refused:
            assert self.incident.model_dump() == before
            return
        legal = MOVES[before["status"], to]
        assert "reason" not in legal.needs or reason
        assert "duplicate_of" not in legal.needs or other == 7
        if legal.stamps:
            self.stamped.setdefault(legal.stamps, self.now)

    @invariant()
    def times_are_facts(self) -> None:
        known = {stamp: at for stamp in STAMPS if (at := getattr(self.incident, stamp)) is not None}
        assert known == self.stamped

    @invariant()
    def ended_is_ended(self) -> None:
        assert (self.incident.ended_at is not None) == (self.incident.status in ENDED)


TestLifecycle = Lifecycle.TestCase
