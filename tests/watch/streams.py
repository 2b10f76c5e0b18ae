"""Streams of events for the states, wherever they are kept: rules with small windows, two users, late events, redeliveries."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.detection.event import Data, Event, Kind, Mark, MarkKind, Outcome, Seen, Stage, Verdict
from bot.detection.rule import DistinctRule, FragmentsRule, PatternsRule, RatioRule, ScannerRule, TriggerRule

START = 1_790_000_000.0
RULES = [
    TriggerRule(
        "extraction",
        DistinctRule(
            primitive="distinct", key=("user",), events=(Kind.DATA_QUERY,), distinct_by="result_sha256",
            more_than=4, window_minutes=2, cool_down_minutes=3,
        ),
    ),
    TriggerRule(
        "probing",
        PatternsRule(
            primitive="patterns", key=("user",), events=(Kind.LLM_CALL,), patterns=("a", "b", "c", "d"),
            more_than=2, window_minutes=3,
        ),
    ),
    TriggerRule(
        "leak",
        ScannerRule(
            primitive="scanner", key=("user",), events=(Kind.LLM_CALL,), secrets=("validated_pattern",),
            cool_down_minutes=2,
        ),
    ),
    TriggerRule(
        "exposure",
        FragmentsRule(primitive="fragments", key=("session",), events=(Kind.LLM_CALL,), at_least=3),
    ),
    TriggerRule(
        "campaign",
        RatioRule(
            primitive="ratio", key=("user",), events=(Kind.GUARDRAIL,), more_than=3, bypass_ratio_more_than=0.1,
            window_minutes=2,
        ),
    ),
]  # fmt: skip
"""Monotone, all of them: whether they fire does not depend on who was quicker."""


@st.composite
def events(draw: st.DrawFn) -> list[Seen]:
    """Up to four minutes of two users, each event a few seconds after the one before, or up to two minutes late."""
    seen, now = [], START
    for number in range(draw(st.integers(1, 40))):
        now += draw(st.integers(0, 12))
        at = now - draw(st.sampled_from([0, 0, 0, 0, 5, 40, 59, 61, 120]))
        seen.append(_event(draw, number, float(at), now))
    return seen


def _event(draw: st.DrawFn, number: int, at: float, now: float) -> Seen:
    which = draw(st.integers(0, 6))
    kind = Kind.DATA_QUERY if which < 2 else Kind.GUARDRAIL if which < 4 else Kind.LLM_CALL
    user = draw(st.sampled_from(["alice", "bob"]))
    common = {"kind": kind, "occurred_at": at, "source": "test", "source_event_id": str(number)}
    common |= {"user_id": user, "session_id": f"of {user}", "app": "shop"}
    letter = draw(st.sampled_from("abcdef"))
    match kind:
        case Kind.DATA_QUERY:
            event = Event(**common, data=Data(result_sha256=letter, ok=True))
            marks: tuple[Mark, ...] = ()
        case Kind.GUARDRAIL:
            outcome = draw(st.sampled_from([Outcome.BLOCK, Outcome.BLOCK, Outcome.FLAG]))
            verdicts = (Verdict(guardrail="filter", outcome=outcome),)
            event, marks = Event(**common, delivered=True, verdicts=verdicts), ()
        case _:
            stage = draw(st.sampled_from([Stage.INPUT, Stage.OUTPUT]))
            event = Event(**common, stage=stage, delivered=True)
            what = draw(st.sampled_from([MarkKind.PROBE, MarkKind.SECRET, MarkKind.FRAGMENT]))
            grade = "validated_pattern" if what is MarkKind.SECRET else ""
            marks = (Mark(kind=what, name=letter, grade=grade, digest=letter),)
    return Seen(event=event, marks=marks, arrived=now)


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, list[Seen]]]:
    """To whom, and what: all events in order, in batches, and some of them once more to anybody at any time after."""
    all_of_it = draw(events())
    batches, start = [], 0
    while start < len(all_of_it):
        end = start + draw(st.integers(1, 12))
        again = draw(st.lists(st.sampled_from(all_of_it[: start + 1]), max_size=3))
        batches.append((draw(st.integers(0, 2)), [*all_of_it[start:end], *again]))
        start = end
    return batches
